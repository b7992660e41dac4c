package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/internal/i18n"
	"hotline/tickets"
)

// What a contact reads outside the conversation. A mail says what the message says, with what can be done now; a text message says it in at most two parts.
// Of a confidential ticket neither says more than that there is news: whose telephone it is shown on, nobody knows.

// errWithdrawn: between the message and its sending the contact said that they do not want it.
func (s *Service) withdrawn() error {
	return &channels.PermanentError{Code: "withdrawn", Reason: s.say("en", "away.withdrawn")}
}

const dailySQL = `select count(*) from (select from deliveries where person = $1 and created_at > $2 and state in ('sent', 'delivered', 'unknown') limit $3) few`

// outboundAway makes a message as it goes to an allowed channel. The address and what was allowed are read now.
// Errors: *channels.PermanentError (nobody to write to), *channels.RetryError (enough for today).
func (s *Service) outboundAway(ctx context.Context, adapter channels.Adapter, d delivery, m Message) (channels.Outbound, error) {
	var t tickets.Ticket
	var a tickets.Allowed
	var today int
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		if t, err = s.tickets.ByIDTx(ctx, tx, ticketOf(m)); err != nil || t.ContactID == nil {
			return err
		}
		if a, err = s.tickets.AllowedTx(ctx, tx, *t.ContactID); err != nil {
			return err
		}
		if w, ok := s.wayOn(a, d.channel); ok {
			return tx.QueryRow(ctx, dailySQL, s.tickets.PersonKey(w.Channel, w.Address), s.now().Add(-24*time.Hour), s.opt.PersonDaily).Scan(&today)
		}
		return nil
	})
	if errors.Is(err, tickets.ErrNotFound) || errors.Is(err, pgx.ErrNoRows) {
		return channels.Outbound{}, s.withdrawn()
	}
	if err != nil {
		return channels.Outbound{}, fmt.Errorf("chat: delivery: %w", err)
	}
	w, ok := s.wayOn(a, d.channel)
	allowed := false
	for _, channel := range a.Usable() {
		allowed = allowed || channel == d.channel
	}
	switch {
	case !ok || !allowed:
		return channels.Outbound{}, s.withdrawn()
	case today >= s.opt.PersonDaily:
		return channels.Outbound{}, &channels.RetryError{After: time.Hour, Cause: errors.New("enough messages to one person for a day")}
	}
	out := channels.Outbound{ConversationID: m.ConversationID, Seq: d.seq, Thread: w.Address, Author: m.Author, Name: m.Name, Lang: t.Lang, Key: d.id.String()}
	if named, ok := adapter.(interface{ Account() string }); ok {
		out.Account = named.Account()
	}
	n := news{s: s, t: t, m: m, lang: t.Lang}
	if n.takesWord() {
		if n.link, n.until, err = s.tickets.MessageLink(ctx, t.ID); err != nil {
			return out, err
		}
	}
	if d.channel == channels.Email {
		out.Stop = s.opt.BaseURL + "/stop/" + s.tickets.StopToken(a.Contact, d.channel)
		out.Subject, out.Text = n.mail(out.Stop)
		return out, nil
	}
	out.Text = n.sms()
	return out, nil
}

// news is one message on its way to a person.
type news struct {
	s     *Service
	t     tickets.Ticket
	m     Message
	lang  string
	link  string // of the page that takes the person's word, "" where none is asked
	until time.Time
}

func (n news) say(key string, args ...any) string {
	return n.s.say(n.lang, "away."+key, append([]any{"number", n.t.Number}, args...)...)
}

func (n news) track() string { return n.s.opt.BaseURL + "/track" }

func (n news) opened() bool { return n.m.Payload.Event == EventTicketOpened }

func (n news) asksRevisit() bool { return n.m.Payload.Ask == bot.AskSolved }

func (n news) asksDetails() bool { return n.m.Payload.Ask == "what" }

// takesWord reports whether the message carries a link for the person's word: there is an answer to judge, and the message is about it.
func (n news) takesWord() bool {
	if n.t.Confidential || n.opened() || n.asksDetails() {
		return false
	}
	return n.asksRevisit() && n.t.AskedBack() || n.t.MayRate() && (n.m.Payload.Event == EventAnswer || n.t.Rectify == "answered")
}

// mail is the subject and the text of a mail, in short paragraphs.
func (n news) mail(stop string) (subject, text string) {
	if n.t.Confidential {
		return n.say("secret_subject"), join(n.say("secret", "track", n.track()), n.say("stop", "stop", stop))
	}
	var parts []string
	switch {
	case n.opened():
		// Nothing that was typed goes into it: nobody can make the hotline write words of theirs to a stranger.
		subject = n.say("opened_subject")
		parts = []string{n.say("opened", "code", tickets.FormatCode(n.s.tickets.TrackingCode(n.t)), "track", n.track())}
	default:
		subject = n.say("subject")
		if n.m.Payload.Event == EventAnswer {
			subject = n.say("answer_subject")
		} else if n.asksDetails() || n.asksRevisit() {
			subject = n.say("question_subject")
		}
		parts = []string{n.m.Text, n.say("about", "title", n.t.Title)}
		if len(n.m.Payload.Uploads) > 0 {
			parts = append(parts, n.say("files", "n", len(n.m.Payload.Uploads)))
		}
		until := i18n.Date(n.t.Lang, n.until, n.s.tickets.Settings().Calendar.Location())
		switch {
		case n.link != "" && n.asksRevisit():
			parts = append(parts, n.say("revisit", "link", n.page(), "until", until))
		case n.link != "":
			parts = append(parts, n.say("rate", "link", n.page(), "until", until))
		}
		if n.asksDetails() {
			parts = append(parts, n.say("details", "track", n.track()))
		} else {
			parts = append(parts, n.say("look", "track", n.track()))
		}
	}
	return subject, join(append(parts, n.say("stop", "stop", stop))...)
}

func (n news) page() string { return n.s.opt.BaseURL + "/rate/" + n.link }

func join(paragraphs ...string) string { return strings.Join(paragraphs, "\n\n") }

// sms is the text of a message of at most two parts: the words before and behind what is told stand, what is told is cut.
func (n news) sms() string {
	sender := n.s.opt.Sender(n.lang)
	fill := func(key string, args ...any) string {
		return strings.TrimSpace(n.say(key, append([]any{"sender", sender, "track", n.track(), "link", n.page()}, args...)...))
	}
	switch {
	case n.t.Confidential:
		return fill("sms_secret")
	case n.opened():
		return fill("sms_opened", "code", strings.ReplaceAll(tickets.FormatCode(n.s.tickets.TrackingCode(n.t)), " ", "-"))
	case n.asksRevisit() && n.link != "":
		return fill("sms_revisit")
	case n.t.Rectify == "answered" && n.link != "":
		return fill("sms_again")
	}
	words := strings.Join(strings.Fields(n.m.Text), " ")
	key := "sms"
	if n.asksDetails() {
		key = "sms_details"
	}
	return fit(words, func(words string) string { return fill(key, "text", words) })
}

// smsParts is the most parts that a text message has.
const smsParts = 2

// fit cuts words until the message that holds them is short enough.
func fit(words string, message func(words string) string) string {
	if out := message(words); parts(out) <= smsParts {
		return out
	}
	runes := []rune(words)
	low, high := 0, len(runes) // low fits, high does not
	for high-low > 1 {
		mid := (low + high) / 2
		if parts(message(cutAt(runes, mid))) <= smsParts {
			low = mid
		} else {
			high = mid
		}
	}
	return message(cutAt(runes, low))
}

// cutAt keeps n characters, whole words where there are any, and says that there is more.
func cutAt(runes []rune, n int) string {
	if n <= 0 {
		return ""
	}
	s := string(runes[:n])
	if i := strings.LastIndexByte(s, ' '); i > len(s)/2 {
		s = s[:i]
	}
	return strings.TrimSpace(s) + "..."
}

// gsm are the characters of the alphabet of text messages (GSM 03.38), of which a part holds 153 of 160; those of gsmTwice count twice.
const (
	gsm = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	// Of the extension, in two septets each.
	gsmTwice = "^{}\\[~]|€"
)

// parts is how many parts a text message has: with any other character it is sent in UTF-16, of which a part holds 67 of 70 units.
func parts(s string) int {
	septets, units, plain := 0, 0, true
	for _, r := range s {
		units += utf16Len(r)
		switch {
		case strings.ContainsRune(gsm, r):
			septets++
		case strings.ContainsRune(gsmTwice, r):
			septets += 2
		default:
			plain = false
		}
	}
	size, one, more := units, 70, 67
	if plain {
		size, one, more = septets, 160, 153
	}
	if size <= one {
		return 1
	}
	return (size + more - 1) / more
}

func utf16Len(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// receivedTx says, in the conversation of a filing, that it was received, so that it can be delivered to whoever allowed it.
func (s *Service) receivedTx(ctx context.Context, tx db.Tx, t tickets.Ticket) error {
	if t.Confidential || t.ContactID == nil || t.ID == uuid.Nil {
		return nil
	}
	out := Outgoing{Author: BySystem, TicketID: t.ID, Text: s.say(t.Lang, "away.received", "number", t.Number), Payload: Payload{Event: EventTicketOpened, State: string(t.State),
		Ticket: &TicketRef{ID: t.ID, Number: t.Number}}}
	p, err := s.appendTx(ctx, tx, t.ConversationID, out)
	if err != nil {
		return err
	}
	return s.alsoTx(ctx, tx, t, p.Seq, nil)
}
