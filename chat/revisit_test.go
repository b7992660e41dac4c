package chat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/i18n"
	"hotline/tickets"
)

// TestTheBotAsksWhetherItIsSolvedAndTheAnswerGoesIntoTheCase plays the revisit in the chat that the case came from, and what a bad grade leads to.
func TestTheBotAsksWhetherItIsSolvedAndTheAnswerGoesIntoTheCase(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	env := r.city.Agencies["dept-environment"]
	staff := func(user, role string) tickets.Actor { return tickets.Staff(r.city.Staff(user), []string{role}) }
	rec := r.say(t, "ann", "1", "hello")
	if err := r.TakeTurn(ctxb, rec.ConversationID); err != nil {
		t.Fatal(err)
	}
	var k tickets.Ticket
	err := db.WithTx(ctxb, r.pool, db.System(), func(tx db.Tx) error {
		var err error
		k, err = r.tickets.OpenTx(ctxb, tx, tickets.Draft{Kind: "complaint", Category: "environment.noise", Description: "Drilling every night", Lang: "en", Channel: channels.Web, ConversationID: rec.ConversationID})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	move := func(user, role string, a tickets.Action, f tickets.Fields) {
		t.Helper()
		if k, err = r.tickets.Apply(ctxb, staff(user, role), k.ID, tickets.AnyVersion, a, f, ""); err != nil {
			t.Fatalf("%s: %v", a, err)
		}
	}
	yes := true
	if k.State == tickets.PendingDispatch { // routing was not sure
		move("dispatcher", "dispatcher", tickets.Dispatch, tickets.Fields{Lead: env})
	}
	move("handler-env", "handler", tickets.Sign, tickets.Fields{})
	move("handler-env", "handler", tickets.Reply, tickets.Fields{Text: "It is quiet now.", Outcome: "resolved", Resolved: &yes})
	move("operator", "operator", tickets.Complete, tickets.Fields{})

	r.clock.Advance(48 * time.Hour)
	if _, err := r.tickets.Sweep(ctxb, r.clock.Now(), 50); err != nil {
		t.Fatal(err)
	}
	last := func() chat.Message { ms := r.all(t, rec.ConversationID); return ms[len(ms)-1] }
	if m := last(); !strings.Contains(m.Text, "solved") || len(m.Payload.Choices) != 3 || m.Author != chat.ByBot {
		t.Fatalf("the revisit's question is %q with %+v", m.Text, m.Payload.Choices)
	}
	answer := func(text, choice string) {
		t.Helper()
		in := message("ann", uuid.NewString(), text)
		in.Choice = choice
		got, err := r.Ingest(ctxb, in)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.TakeTurn(ctxb, got.ConversationID); err != nil {
			t.Fatal(err)
		}
		if k, err = r.tickets.ByID(ctxb, tickets.System(), k.ID); err != nil {
			t.Fatal(err)
		}
	}
	answer("No, it is not solved", "not_solved")
	if m := last(); len(m.Payload.Choices) < 5 {
		t.Fatalf("after the no: %q %+v", m.Text, m.Payload.Choices)
	}
	answer("2", "")
	if k.CitizenResolved == nil || *k.CitizenResolved || k.Satisfaction != 2 || k.Grade != 2 || k.Rectify != "open" || k.State != tickets.Revisiting {
		t.Fatalf("%+v", k)
	}
	answer("They came at noon, it is loud at night.", "")
	if rating, ok, _ := r.tickets.RatingOf(ctxb, tickets.System(), k.ID); !ok || rating.Text != "They came at noon, it is loud at night." {
		t.Errorf("the reason is lost: %+v", rating)
	}
	// The agency sets it right; the citizen reads so and is asked again.
	if _, err := r.tickets.Rectify(ctxb, staff("handler-env", "handler"), k.ID, "The machine was sealed.", ""); err != nil {
		t.Fatal(err)
	}
	ms := r.all(t, rec.ConversationID)
	if m := ms[len(ms)-2]; !strings.Contains(m.Text, "The machine was sealed.") {
		t.Errorf("the citizen reads %q", m.Text)
	}
	answer("5", "")
	if k.Grade != 5 || k.Rectify != "done" {
		t.Errorf("%+v", k)
	}
}

func TestWhoseCaseIsDoneAgainIsToldUntilWhen(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.replied(o.filed())
	o.last(o.mail)
	k = o.move(k, "supervisor", "supervisor", tickets.Reopen, tickets.Fields{Text: "It is as loud as before."})
	due, err := o.tickets.Promised(ctxb, tickets.System(), k)
	if err != nil || due == nil {
		t.Fatal(due, err)
	}
	wants(t, o.last(o.mail).Text, "opened again", "a new answer by "+i18n.Deadline("en", *due, o.tickets.Settings().Calendar.Location()))
}
