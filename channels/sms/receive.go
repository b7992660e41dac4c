package sms

import (
	"context"
	"encoding/binary"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"hotline/channels"
	"hotline/internal/errs"
)

// receive deals with what the SMSC delivers, one after the other, until the session ends.
func (a *Adapter) receive(ctx context.Context, s *session) {
	for {
		select {
		case <-s.gone:
			return
		case p := <-s.deliver:
			status, message := a.take(ctx, p)
			err := s.answer(p, status, []byte{0})
			if err == nil && message != "" && a.o.Release != nil {
				// When this fails, an equal text within minutes is taken for the same one once more; it is not worth a word to the person.
				if err := a.o.Release(context.WithoutCancel(ctx), message); err != nil {
					a.o.Log.WarnContext(ctx, "sms: parts are not released", "error", err)
				}
			}
		}
	}
}

// take deals with one deliver_sm and says what to answer. message names one that was taken in whole.
func (a *Adapter) take(ctx context.Context, p pdu) (status uint32, message string) {
	d, err := readDelivered(p.body)
	if err != nil {
		a.o.Log.WarnContext(ctx, "sms: a deliver_sm cannot be read", "sequence", p.sequence)
		return statusRejected, "" // section 5.1.3: the SMSC does not deliver it again
	}
	if d.esm&esmTypeMask != 0 { // section 5.2.12
		return a.takeReceipt(ctx, d), ""
	}
	person := number(d.from)
	if person == "" {
		a.o.Log.InfoContext(ctx, "sms: a message from a name cannot be answered and is not taken in")
		return statusOK, ""
	}
	which, text := d.takeApart()
	message, whole, err := a.o.Hold(ctx, channels.Part{Channel: Name, Account: a.Account(), Thread: person, Ref: which.ref, Total: which.total, N: which.n, Text: text})
	if err != nil {
		a.o.Log.WarnContext(ctx, "sms: a message is not stored; the SMSC delivers it again", "error", err)
		return statusTryAgain, ""
	}
	if whole == nil {
		return statusOK, "" // the part is safe, the others are on their way
	}
	in := Inbound(a.Account(), person, message, strings.Join(whole, ""))
	_, err = a.o.Ingest(ctx, in)
	switch kind := errs.KindOf(err); kind {
	case "", errs.Conflict:
		return statusOK, message
	case errs.Invalid, errs.TooLarge, errs.NotFound:
		a.o.Log.WarnContext(ctx, "sms: a message cannot be taken in", "code", errs.CodeOf(err))
		if !errors.Is(err, channels.ErrEmpty) { // nothing was said: nothing to answer
			key := map[bool]string{false: "channel.sms.refused", true: "channel.refused_large"}[kind == errs.TooLarge]
			if _, err := a.Send(ctx, channels.Outbound{Thread: person, Author: "system", Text: a.o.Words("", key)}); err != nil {
				a.o.Log.InfoContext(ctx, "sms: refusal not delivered", "error", err)
			}
		}
		return statusOK, message // asking for it again would block all that follow
	}
	a.o.Log.WarnContext(ctx, "sms: a message is not stored; the SMSC delivers it again", "error", err)
	return statusTryAgain, ""
}

// Inbound is a message as the hotline takes it in.
func Inbound(account, person, message, text string) channels.Inbound {
	return channels.Inbound{Channel: Name, Account: account, Thread: person, ExternalID: message, Text: text, Typed: true, Contact: channels.Contact{Phone: person}}
}

// number is who wrote, as E.164 has it; "" for a name, which cannot be answered.
func number(a address) string {
	digits := strings.TrimPrefix(a.addr, "+")
	if a.ton == tonAlphanumeric || !isDigits(digits) || len(digits) > 15 {
		return ""
	}
	return "+" + digits
}

// receiptText is a receipt as most SMSCs write it (appendix B).
var (
	receiptID   = regexp.MustCompile(`(?i)\bid:\s*([0-9A-Za-z._-]+)`)
	receiptStat = regexp.MustCompile(`(?i)\bstat:\s*([A-Z]+)`)
)

// blame says what a network_error_code (section 5.3.2.31) of a GSM network, which is an error of MAP (3GPP TS 29.002, section 17.6), means for the number.
// What the text of a receipt has after err: is each operator's own.
func blame(code []byte) channels.Blame {
	const gsm = 3
	if len(code) != 3 || code[0] != gsm {
		return channels.Doubt
	}
	switch binary.BigEndian.Uint16(code[1:]) {
	case 1, 5, 9, 11, 12: // unknown, unidentified, illegal subscriber; no short messages for this one; illegal equipment
		return channels.Gone
	case 6, 27, 31, 32, 34: // absent, busy, no room on the telephone, a failure of the network
		return ""
	}
	return channels.Doubt
}

// takeReceipt notes what became of a message.
func (a *Adapter) takeReceipt(ctx context.Context, d delivered) uint32 {
	if d.esm&esmTypeMask != esmReceipt || a.o.Report == nil {
		return statusOK
	}
	text := string(d.message)
	id, stat := "", ""
	if m := receiptID.FindStringSubmatch(text); m != nil {
		id = m[1]
	}
	if m := receiptStat.FindStringSubmatch(text); m != nil {
		stat = strings.ToUpper(m[1])
	}
	if v := d.options[tagReceiptedID]; len(v) > 0 {
		id = strings.TrimRight(string(v), "\x00")
	}
	if v := d.options[tagMessageState]; len(v) == 1 { // section 5.2.28
		stat = map[byte]string{2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD"}[v[0]]
	}
	r := channels.Report{Channel: Name, Account: a.Account(), Failed: true}
	switch stat {
	case "DELIVRD":
		r.Failed = false
	case "EXPIRED":
		r.Reason = "the telephone could not be reached in time"
	case "UNDELIV":
		r.Reason, r.Blames = "the operator could not deliver the message", blame(d.options[tagNetworkError])
	case "DELETED":
		r.Reason = "the operator could not deliver the message"
	case "REJECTD":
		r.Reason = "the operator refuses the message"
	default: // on its way
		return statusOK
	}
	if id == "" {
		return statusOK
	}
	for _, one := range spellings(id) {
		r.Key, r.RemoteID = a.keyOf(one), one
		known, err := a.o.Report(ctx, r)
		if err != nil {
			a.o.Log.WarnContext(ctx, "sms: a receipt is not noted; the SMSC delivers it again", "error", err)
			return statusTryAgain
		}
		if known {
			return statusOK
		}
	}
	return statusOK // of a message of somebody else, or of one that staff have sent again
}

// spellings: some SMSCs answer submit_sm with hexadecimal digits and write the same id with decimal ones into the receipt, or the other way round.
func spellings(id string) []string {
	out := []string{id}
	if n, err := strconv.ParseUint(id, 10, 64); err == nil {
		hex := strconv.FormatUint(n, 16)
		out = append(out, hex, strings.ToUpper(hex), strings.TrimLeft(id, "0"))
	}
	if n, err := strconv.ParseUint(id, 16, 64); err == nil {
		out = append(out, strconv.FormatUint(n, 10))
	}
	return out
}
