package chat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/tickets"
)

// types is what a person writes on a channel without buttons, perhaps as the answer to one message.
func (o *office) types(channel, thread, answers, text string) chat.Message {
	o.t.Helper()
	o.clock.Advance(time.Minute)
	in := message(thread, uuid.NewString(), text)
	in.Channel, in.Account, in.Answers, in.Typed = channel, "us", answers, true
	rec, err := o.Ingest(ctxb, in)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.TakeTurn(ctxb, rec.ConversationID); err != nil {
		o.t.Fatal(err)
	}
	ms, err := o.Messages(ctxb, db.System(), rec.ConversationID, rec.Seq-1, 1)
	if err != nil || len(ms) != 1 {
		o.t.Fatal(len(ms), err)
	}
	return ms[0]
}

// offers asks in the person's own conversation on a channel and gives the key of the message.
func (o *office) offers(channel, thread string) (conversation uuid.UUID, key string) {
	o.t.Helper()
	conversation = o.types(channel, thread, "", "hello").ConversationID
	seq, err := o.Post(ctxb, db.System(), conversation, chat.Outgoing{Author: chat.ByBot, Text: "Which?", Payload: chat.Payload{
		Choices: []channels.Choice{{ID: "first", Label: "Passport renewal"}, {ID: "second", Label: "Passport loss"}}}})
	if err != nil {
		o.t.Fatal(err)
	}
	o.carry()
	if err := o.owner.QueryRow(ctxb, `select id from deliveries where conversation_id = $1 and seq = $2`, conversation, seq).Scan(&key); err != nil {
		o.t.Fatal(err)
	}
	o.mail.sent, o.sms.sent = nil, nil
	return conversation, key
}

const bo = "+8613800001111"

func TestANumberAnswersWhatWasAskedLast(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.offers("sms", bo)
	if m := o.types("sms", bo, "", "2"); m.Payload.Choice != "second" {
		t.Errorf("nothing came between, and %q was read as %+v", "2", m.Payload)
	}
	conversation, _ := o.offers("sms", bo)
	k := o.asked(o.filed(byPhone))
	wants(t, o.last(o.sms).Text, k.Number, "/rate/")
	m := o.types("sms", bo, "", "2")
	if m.Payload.Choice != "" || m.Text != "2" || m.ConversationID != conversation {
		t.Errorf("the answer to the revisit became %q %q", m.Payload.Choice, m.Text)
	}
	wants(t, o.last(o.sms).Text, "How satisfied are you")
	o.types("sms", bo, "", "4") // what the conversation asks now is the newest
	if k = o.again(k); k.CitizenResolved == nil || *k.CitizenResolved || k.Grade != 4 {
		t.Errorf("resolved %v, grade %d", k.CitizenResolved, k.Grade)
	}
	// Words say which question they answer.
	o.offers("sms", bo)
	second := o.asked(o.filed(byPhone))
	if m := o.types("sms", bo, "", "passport loss"); m.Payload.Choice != "second" {
		t.Errorf("the words of a quick reply became %+v", m.Payload)
	}
	if second = o.again(second); second.CitizenResolved != nil {
		t.Error("the revisit was answered by the name of an article")
	}
}

func TestANumberToTheRevisitInTheMiddleOfAComplaint(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.filed(byPhone)
	o.last(o.sms) // the two are sent in any order
	o.types("sms", bo, "", "I want to complain: construction noise every night at 12 Riverside Road keeps us awake.")
	wants(t, o.last(o.sms).Text, "reach")
	k = o.asked(k)
	wants(t, o.last(o.sms).Text, k.Number, "/rate/")
	o.types("sms", bo, "", "1")
	wants(t, o.last(o.sms).Text, "How satisfied are you")
	o.types("sms", bo, "", "5")
	if k = o.again(k); k.CitizenResolved == nil || !*k.CitizenResolved || k.Grade != 5 {
		t.Errorf("resolved %v, grade %d", k.CitizenResolved, k.Grade)
	}
	wants(t, o.last(o.sms).Text, "reach") // the complaint goes on
}

func TestAMailIsTheAnswerToTheMailItNames(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const mailbox = "ann@citizen.example 77"
	conversation, own := o.offers("email", mailbox)
	k := o.asked(o.filed())
	revisit := o.last(o.mail).Key
	// The older question, by name.
	if m := o.types("email", "ann@citizen.example 78", own, "2"); m.ConversationID != conversation || m.Payload.Choice != "second" {
		t.Errorf("the answer to the conversation's own question: %+v", m)
	}
	o.carry()
	if k = o.again(k); k.CitizenResolved != nil {
		t.Fatal("it was taken for the word on the ticket")
	}
	o.types("email", "ann@citizen.example 78", own, "How do I renew my passport?")
	o.carry()
	if n := count(t, o.owner, `select count(*) from messages where text like 'How do I renew%' and conversation_id <> $1`, conversation); n != 0 {
		t.Error("words that name the conversation's own mail went elsewhere")
	}
	// The newer one, by name, from a mailbox that has an older quick reply open.
	o.offers("email", mailbox)
	if m := o.types("email", mailbox, revisit, "1"); m.Payload.Choice != "" || m.Text != "1" {
		t.Errorf("the answer to the revisit became %q %q", m.Payload.Choice, m.Text)
	}
	wants(t, o.last(o.mail).Text, "How satisfied are you")
}

// TestALateReportThatTheRevisitReachedNobody: as if it had failed at once.
func TestALateReportThatTheRevisitReachedNobody(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.asked(o.filed(byPhone))
	o.last(o.sms)
	if len(o.calls()) != 0 {
		t.Fatal("who was just asked is to be called")
	}
	var key string
	if err := o.owner.QueryRow(ctxb, `select id from deliveries where state = 'sent' order by created_at desc limit 1`).Scan(&key); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(5 * time.Hour)
	if known, err := o.Report(ctxb, channels.Report{Channel: "sms", Key: key, Failed: true, Reason: "the telephone could not be reached in time"}); err != nil || !known {
		t.Fatal(known, err)
	}
	if list := o.calls(); len(list) != 1 || list[0].ID != k.ID || list[0].Why != "the telephone could not be reached in time" {
		t.Errorf("%+v", list)
	}
}

func TestAChannelThatStaysBusyIsGivenUp(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.filed(func(f *chat.Filing) { f.Contact.Phone = "13800002222" })
	o.last(o.mail)
	busy := func(n int) {
		for range n {
			o.mail.next = append(o.mail.next, &channels.RetryError{After: 2 * time.Hour})
		}
	}
	seen := func() (state, words string) {
		t.Helper()
		if err := o.owner.QueryRow(ctxb, `select state, error from deliveries where channel = 'email' order by seq desc limit 1`).Scan(&state, &words); err != nil {
			t.Fatal(err)
		}
		return state, words
	}
	busy(100)
	k = o.move(o.inProgress(k), "handler-env", "handler", tickets.AskCitizen, tickets.Fields{Text: "At which hours?"})
	began := o.clock.Now()
	var seq int64
	if err := o.owner.QueryRow(ctxb, `select max(seq) from deliveries`).Scan(&seq); err != nil {
		t.Fatal(err)
	}
	ends := func() time.Duration {
		t.Helper()
		for began := o.clock.Now(); ; {
			if _, err := o.Deliver(ctxb, k.ConversationID, seq); err != nil {
				t.Fatal(err)
			}
			if state, _ := seen(); state != "pending" || o.clock.Now().Sub(began) > 200*time.Hour {
				return o.clock.Now().Sub(began)
			}
			o.clock.Advance(2 * time.Hour)
		}
	}
	if got := ends(); got != 72*time.Hour {
		t.Errorf("given up after %s", got)
	}
	if state, words := seen(); state != "failed" || !strings.Contains(words, "72 hours") {
		t.Errorf("staff see %s %q", state, words)
	}
	wants(t, o.last(o.sms).Text, "At which hours?")
	// Sent again by staff it has as long once more, and goes out when there is room.
	if err := o.Redeliver(ctxb, o.city.Staff("operator"), k.ConversationID, seq); err != nil {
		t.Fatal(err)
	}
	if got := ends(); got != 72*time.Hour || o.clock.Now().Sub(began) < 144*time.Hour {
		t.Errorf("given up %s after it was sent again", got)
	}
	o.mail.next = nil
	// Being busy is no failure of the mailbox: what comes next goes there, and after days without a server it is tried more than once.
	busy(1)
	o.move(k, "handler-env", "handler", tickets.Resume, tickets.Fields{})
	if _, err := o.ReplyToTicket(ctxb, o.staff("handler-env", "handler"), k.ID, tickets.AnyVersion, "Come by on Monday.", "", tickets.Fields{}, ""); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(100 * time.Hour)
	wants(t, o.last(o.mail).Text, "Monday")
	o.silent("what the mailbox got", o.sms)
}
