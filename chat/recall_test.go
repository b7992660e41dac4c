package chat_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/db"
	"hotline/tickets"
)

func (o *office) hears(channel, thread, text string) chat.Receipt {
	o.t.Helper()
	in := message(thread, uuid.NewString(), text)
	in.Channel, in.Account = channel, "us"
	rec, err := o.Ingest(ctxb, in)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.TakeTurn(ctxb, rec.ConversationID); err != nil {
		o.t.Fatal(err)
	}
	return rec
}

func TestAnswersByTextMessageAreTakenAsInTheChat(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.asked(o.filed(byPhone))
	o.last(o.sms)
	o.hears("sms", "+8613800001111", "2")
	wants(t, o.last(o.sms).Text, "How satisfied are you")
	o.hears("sms", "+8613800001111", "1")
	o.carry()
	if k = o.again(k); k.CitizenResolved == nil || *k.CitizenResolved || k.Satisfaction != 1 || k.Grade != 1 || k.Rectify != "open" {
		t.Fatalf("%+v", k)
	}
	o.hears("sms", "+8613800001111", "It is loud at night.")
	if r, ok, err := o.tickets.RatingOf(ctxb, tickets.System(), k.ID); err != nil || !ok || r.Text != "It is loud at night." {
		t.Errorf("%+v %v", r, err)
	}
	o.carry()
	o.sms.sent = nil
	o.clock.Advance(time.Hour)
	if _, err := o.tickets.Rectify(ctxb, o.staff("handler-env", "handler"), k.ID, "The machine was sealed.", ""); err != nil {
		t.Fatal(err)
	}
	o.carry()
	o.hears("sms", "+8613800001111", "5")
	if k = o.again(k); k.Grade != 5 || k.Rectify != "done" {
		t.Errorf("%+v", k)
	}
	// Somebody else's "1" is nobody's answer.
	other := o.asked(o.filed(byPhone, func(f *chat.Filing) { f.Contact.Phone = "13900003333" }))
	o.carry()
	o.hears("sms", "+8613700009999", "1")
	if other = o.again(other); other.CitizenResolved != nil {
		t.Error("a stranger answered")
	}
}

func TestAMailAnswersTheQuestionOfTheAgency(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.move(o.inProgress(o.filed()), "handler-env", "handler", tickets.AskCitizen, tickets.Fields{Text: "At which hours?"})
	o.last(o.mail)
	o.hears("email", "ann@citizen.example 3f2a9c0d", "From ten until three.")
	wants(t, o.last(o.mail).Text, "Thank you", k.Number)
	if k = o.again(k); k.State != tickets.InProgress {
		t.Fatalf("%s", k.State)
	}
	ms, err := o.OfTicket(ctxb, o.city.Staff("handler-env"), k.ID, 20)
	if err != nil {
		t.Fatal(err)
	}
	if m := ms[len(ms)-1]; m.Author != chat.ByCitizen || m.Text != "From ten until three." || m.ConversationID != k.ConversationID {
		t.Errorf("the agency reads %+v", m)
	}
	// What is written next is a matter of its own.
	o.hears("email", "ann@citizen.example 3f2a9c0d", "How do I renew my passport?")
	if ms, err = o.OfTicket(ctxb, o.city.Staff("handler-env"), k.ID, 20); err != nil || ms[len(ms)-1].Text != "From ten until three." {
		t.Errorf("%+v %v", ms[len(ms)-1], err)
	}
}

func TestAMailThatNamesWhatItAnswersGoesToThatTicket(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first := o.inProgress(o.filed())
	key := o.last(o.mail).Key
	o.replied(o.filed())
	rated := o.last(o.mail).Key // a newer message about another ticket
	hears := func(from, answers, text string) {
		t.Helper()
		o.clock.Advance(time.Minute)
		in := message(from, uuid.NewString(), text)
		in.Channel, in.Account, in.Answers = "email", "us", answers
		rec, err := o.Ingest(ctxb, in)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.TakeTurn(ctxb, rec.ConversationID); err != nil {
			t.Fatal(err)
		}
	}
	words := func(k tickets.Ticket) string {
		t.Helper()
		ms, err := o.OfTicket(ctxb, db.CitizenOfTicket(k.ID), k.ID, 20)
		if err != nil {
			t.Fatal(err)
		}
		return ms[len(ms)-1].Text
	}
	hears("ann@citizen.example 1", key, "It is worse on Sundays.")
	if got := words(first); got != "It is worse on Sundays." {
		t.Errorf("the ticket that was answered says %q", got)
	}
	wants(t, o.last(o.mail).Text, "Thank you", first.Number)
	// Somebody whom the mail was passed on to begins a matter of their own.
	hears("eve@citizen.example 2", key, "Delete everything.")
	if got := words(first); got != "It is worse on Sundays." {
		t.Errorf("a stranger wrote %q into the ticket", got)
	}
	hears("ann@citizen.example 3", rated, "4")
	o.carry()
	if n := count(t, o.owner, `select count(*) from ticket_ratings where grade = 4`); n != 1 {
		t.Error("the grade that was answered is lost")
	}
}
