package sms

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"hotline/channels"
)

// Send implements channels.Adapter. When a later part fails the state is unknown, because sending the whole again would double what has arrived.
func (a *Adapter) Send(ctx context.Context, out channels.Outbound) (channels.Result, error) {
	if err := ctx.Err(); err != nil {
		return channels.Result{}, err
	}
	digits, plus := strings.CutPrefix(channels.Addressee(out.Thread), "+")
	if !plus || !isDigits(digits) || len(digits) < 6 || len(digits) > 15 {
		return channels.Result{}, &channels.PermanentError{Code: "bad_number", Reason: "the conversation has no mobile number that can be answered to", Blames: channels.Gone}
	}
	s, ref := a.bound()
	if s == nil {
		return channels.Result{}, &channels.RetryError{After: 15 * time.Second, Cause: errGone}
	}
	pieces, err := a.pieces(out, ref)
	if err != nil {
		return channels.Result{}, &channels.PermanentError{Code: "too_long", Reason: "the message is too long for SMS", Cause: err}
	}
	if err := out.Begun(ctx); err != nil {
		return channels.Result{}, err
	}
	res := channels.Result{State: channels.Sent}
	for i, p := range pieces {
		last := i == len(pieces)-1
		sub := submission{from: a.from, to: address{tonInternational, 1, digits}, coding: p.coding, receipt: last, message: p.data}
		if p.udh {
			sub.esm = esmUDHI
		}
		answer, err := s.ask(ctx, cmdSubmit, sub.bytes(), func(p pdu) {
			if last && p.status == statusOK && out.Key != "" {
				a.remember(id(p), out.Key) // before a receipt can come
			}
		})
		if err == nil && answer.status == statusOK {
			res.RemoteID = id(answer)
			continue
		}
		var may *unanswered
		if i > 0 || errors.As(err, &may) {
			res.State = channels.Unknown
			return res, nil
		}
		if err != nil {
			return channels.Result{}, err
		}
		return channels.Result{}, classify(answer.status)
	}
	return res, nil
}

// Announces implements channels.Announcer.
func (*Adapter) Announces() {}

// id is the SMSC's name of a message (section 4.4.2).
func id(p pdu) string {
	b, _, _ := bytes.Cut(p.body, []byte{0})
	return string(b)
}

// pieces are the short messages of an answer.
func (a *Adapter) pieces(out channels.Outbound, ref byte) ([]part, error) {
	text := a.compose(out)
	pieces, err := parts(text, ref)
	if a.o.MaxParts == 0 || err == nil && len(pieces) <= a.o.MaxParts {
		return pieces, err
	}
	// Cut at a word, so that what it takes to read on fits as well. The three dots are in the GSM alphabet; one sign of another would make it all UCS-2.
	more := "...\n" + a.o.Words(out.Lang, "channel.sms.more", "url", a.o.BaseURL)
	for r := []rune(text); len(r) > 0; r = r[:len(r)*9/10] {
		cut := string(r)
		if i := strings.LastIndexAny(cut, " \n，。；,.;"); i > len(cut)*3/4 {
			cut = cut[:i]
		}
		if pieces, err = parts(strings.TrimSpace(cut)+more, ref); err == nil && len(pieces) <= a.o.MaxParts {
			return pieces, nil
		}
	}
	return nil, errTooLong
}

// compose is the text of an answer.
func (a *Adapter) compose(out channels.Outbound) string {
	say := func(key string, args ...any) string { return a.o.Words(out.Lang, "channel."+key, args...) }
	var b strings.Builder
	if out.Author == "staff" && out.Name != "" {
		b.WriteString(out.Name + ": ")
	}
	b.WriteString(channels.Plain(out.Text, a.o.BaseURL))
	for _, c := range out.Choices {
		if c.Typed == "" {
			b.WriteString("\n" + c.Label)
		} else {
			b.WriteString("\n" + c.Typed + " " + c.Label)
		}
	}
	for _, c := range out.Citations {
		b.WriteString("\n" + say("source", "title", c.Title, "version", c.Version))
		if c.URL != "" {
			b.WriteString("\n" + channels.Absolute(c.URL, a.o.BaseURL))
		}
	}
	for _, u := range out.Uploads {
		b.WriteString("\n" + say("file_left_out", "name", u.Name))
	}
	return strings.TrimSpace(b.String())
}

// classify says what a status (section 5.1.3) means for the next attempt.
func classify(status uint32) error {
	cause := &refusal{step: "submit_sm", status: status}
	switch status {
	case statusThrottled:
		return &channels.RetryError{After: 5 * time.Second, Cause: cause}
	case statusQueueFull:
		return &channels.RetryError{After: 30 * time.Second, Cause: cause}
	case statusSystemError, statusSubmitFail, statusTryAgain:
		return cause
	case statusBadTarget:
		return &channels.PermanentError{Code: "gone", Reason: "the operator does not know this number, or it takes no SMS", Blames: channels.Gone, Cause: cause}
	case statusBadSource:
		return &channels.PermanentError{Code: "sender", Reason: "the operator does not let us write from the hotline's number; an administrator must look at HOTLINE_SMS_FROM", Cause: cause}
	}
	if status >= 0x400 { // the vendor's own (section 5.1.3): nobody knows whether it passes
		return cause
	}
	return &channels.PermanentError{Code: "refused", Reason: "the operator refuses the message", Cause: cause}
}

// remembered is how many messages a receipt is recognised of before its delivery is noted.
const remembered = 10_000

func (a *Adapter) remember(id, key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.recent[id]; !known {
		a.order = append(a.order, id)
	}
	a.recent[id] = key
	if len(a.order) > remembered {
		delete(a.recent, a.order[0])
		a.order = a.order[1:]
	}
}

func (a *Adapter) keyOf(id string) string { a.mu.Lock(); defer a.mu.Unlock(); return a.recent[id] }
