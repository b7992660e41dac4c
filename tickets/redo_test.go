package tickets_test

import (
	"testing"
	"time"

	"hotline/tickets"
)

// A case that is done again keeps that deadline wherever it goes, and the citizen is told no other.
func TestDoingItAgainHasOneDeadline(t *testing.T) {
	t.Parallel()
	o := open(t)
	clock := func(k tickets.Ticket, name string) tickets.ClockView {
		t.Helper()
		for _, c := range must(o.Clocks(t.Context(), o.as("dispatcher"), k.ID)) {
			if c.Name == name {
				return c
			}
		}
		t.Fatalf("no clock %s", name)
		return tickets.ClockView{}
	}
	k := o.must("handler-env", o.inProgress(), tickets.Reply, answer())
	o.clock.Advance(30 * 24 * time.Hour) // what was promised at first is past
	k = o.must("operator", k, tickets.Reopen, tickets.Fields{Text: "They drill on."})
	redo := clock(k, "redo").DueAt

	k = o.must("dispatcher", k, tickets.Redispatch, tickets.Fields{Text: "Another agency should look."})
	k = o.must("dispatcher", k, tickets.TransferOut, tickets.Fields{TransferTo: "The district court"})
	o.clock.Advance(time.Hour)
	k = o.must("dispatcher", k, tickets.TakeBack, tickets.Fields{Text: "Not theirs."})
	if c := clock(k, "redo"); c.Stopped || c.DueAt.Before(redo) {
		t.Errorf("back from outside: %+v, was due %s", c, redo)
	}
	if c := clock(k, "resolve"); !c.Stopped {
		t.Errorf("the clock of the first answer runs again: %+v", c)
	}

	k = o.must("dispatcher", o.must("dispatcher", k, tickets.QueueUp, tickets.Fields{}), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-utilities"]})
	sent := o.entries(k, string(tickets.Dispatch))
	if due := sent[len(sent)-1].Data.DueAt; due == nil || !due.Equal(clock(k, "redo").DueAt) {
		t.Errorf("the citizen is told %v, done again until %s", due, clock(k, "redo").DueAt)
	}
	if due := sent[0].Data.DueAt; due != nil {
		t.Errorf("the first dispatch: %v", due)
	}
}
