package tickets_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/tickets"
)

func TestTheLeadAnswersOverACoAgencyOnlyKnowingly(t *testing.T) {
	t.Parallel()
	o := open(t)
	env, util, street := o.city.Agencies["dept-environment"], o.city.Agencies["dept-utilities"], o.city.Agencies["street-east-1"]
	clock := func(k tickets.Ticket, name string) tickets.ClockView {
		for _, c := range must(o.Clocks(t.Context(), o.as("supervisor"), k.ID)) {
			if c.Name == name {
				return c
			}
		}
		t.Fatalf("no clock %s", name)
		return tickets.ClockView{}
	}
	begin := func() tickets.Ticket {
		k := o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: env, Co: []uuid.UUID{util, street}})
		k = o.must("handler-env", k, tickets.Sign, tickets.Fields{})
		return o.must("handler-util", k, tickets.CoReply, tickets.Fields{Text: "Our pipe is sound."})
	}

	k := begin()
	if open := tickets.CoOpen(must(o.Clocks(t.Context(), o.as("handler-env"), k.ID))); len(open) != 1 || open[0].Agency != street {
		t.Fatalf("open: %v, want the street alone", open)
	}
	o.refused(o.as("handler-env"), k, tickets.Reply, answer(), tickets.ErrCoOpen)
	over := answer()
	over.Over = "The street measures only next week; the site has stopped today."
	k = o.must("handler-env", k, tickets.Reply, over)
	said := o.entries(k, tickets.EntryAnsweredOver)
	if len(said) != 1 || said[0].Data.Text != over.Over || !slices.Equal(said[0].Data.Co, []uuid.UUID{street}) || said[0].Public {
		t.Errorf("history: %+v", said)
	}
	if reply := o.entries(k, string(tickets.Reply)); len(reply) != 1 || reply[0].Data.Over != "" {
		t.Errorf("the reason stands in the public entry: %+v", reply)
	}
	if !contains(o.notices("answered_over"), "street-east-1 handler") || contains(o.notices("answered_over"), "dept-utilities handler") {
		t.Errorf("told: %v", o.notices("answered_over"))
	}
	if c := clock(k, "co_reply."+util.String()); !c.Stopped || c.LeftOpen || c.Light != "green" {
		t.Errorf("the one that replied: %+v", c)
	}
	for _, name := range []string{"co_reply.", "co_sign."} {
		if c := clock(k, name+street.String()); !c.Stopped || !c.LeftOpen {
			t.Errorf("the one that did not: %+v", c)
		}
	}

	// Past its own deadline it is overdue, whatever the lead does.
	k = begin()
	due := clock(k, "co_reply."+street.String()).DueAt
	o.clock.Set(due.Add(time.Minute))
	k = o.must("handler-env", k, tickets.Reply, over)
	if c := clock(k, "co_reply."+street.String()); !c.LeftOpen || c.Light != "red" {
		t.Errorf("overdue: %+v", c)
	}

	// With nothing open a reason is nothing to keep.
	k = begin()
	k = o.must("handler-street", k, tickets.CoReply, tickets.Fields{Text: "70 dB."})
	k = o.must("handler-env", k, tickets.Reply, over)
	if said := o.entries(k, tickets.EntryAnsweredOver); len(said) != 0 {
		t.Errorf("nobody was left out: %+v", said)
	}

	// One that was taken off, or whose lead gave the case back, has not met its time either.
	k = o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: env, Co: []uuid.UUID{util, street}})
	k = o.must("dispatcher", k, tickets.DropCo, tickets.Fields{Co: []uuid.UUID{util}, Text: "Not needed after all."})
	k = o.must("dispatcher", k, tickets.Recall, tickets.Fields{Text: "Sent to the wrong one."})
	for _, agency := range []uuid.UUID{util, street} {
		if c := clock(k, "co_reply."+agency.String()); !c.LeftOpen {
			t.Errorf("%+v", c)
		}
	}
}
