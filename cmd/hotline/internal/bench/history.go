package bench

import (
	"time"

	"github.com/google/uuid"

	"hotline/tickets"
	"hotline/tickets/sla"
)

// time writes the clocks: those that have stopped, and the one or two that run. It says how many stand on the upper rungs of the ladder.
func (f *filler) time(t tickets.Ticket) (standing int, err error) {
	put := func(name sla.ClockName, due time.Time, stopped any, runs, paused bool) error {
		if f.lean && stopped != nil { // read with its ticket and nowhere else
			return nil
		}
		warn, stage, next, pausedAt, remaining := due.Add(-due.Sub(t.OpenedAt)/4), "", any(nil), any(nil), 0
		switch {
		case paused:
			pausedAt, remaining = t.UpdatedAt, int(48*time.Hour/time.Microsecond)
		case !runs:
		// The ladder, as far as it has come; a working day is a day here, and the rungs that are over have been fired.
		case f.now.Before(warn):
			next = warn
		case f.now.Before(due):
			stage, next = string(sla.Reminder), due
		case f.now.Before(due.Add(24 * time.Hour)):
			stage, next = string(sla.Notice), due.Add(24*time.Hour)
		case f.now.Before(due.Add(7 * 24 * time.Hour)):
			stage, next = string(sla.Dunning), due.Add(7*24*time.Hour)
		default:
			stage = string(sla.Criticism)
		}
		if stage == string(sla.Dunning) || stage == string(sla.Criticism) {
			standing++
		}
		return f.clocks.add(t.ID, string(name), "default", nil, 7, "days", t.OpenedAt, warn, due, stage, next, pausedAt, remaining, stopped).end()
	}
	stop := t.OpenedAt.Add(30 * time.Minute)
	if err := put(sla.Accept, t.OpenedAt.Add(2*time.Hour), stop, false, false); err != nil {
		return standing, err
	}
	if !t.State.Info().Open {
		if err := put(sla.FirstReply, t.OpenedAt.Add(24*time.Hour), *t.ClosedAt, false, false); err != nil {
			return standing, err
		}
		err = put(sla.Resolve, *t.PromisedAt, *t.ClosedAt, false, false)
		return standing, err
	}
	due := *t.DueAt
	runs := map[tickets.State]sla.ClockName{tickets.PendingDispatch: sla.Dispatch, tickets.InCoordination: sla.Coordination, tickets.Dispatched: sla.Sign, tickets.ReturnRequested: sla.ReturnDecision,
		tickets.Replied: sla.Check, tickets.Completed: sla.Revisit, tickets.Revisiting: sla.Revisit, tickets.Reopened: sla.Redo, tickets.AwaitingCitizen: sla.AwaitCitizen}
	if name, ok := runs[t.State]; ok {
		if name == sla.AwaitCitizen { // no deadline of anybody: it ends ahead of now
			if err := put(name, f.now.Add(time.Duration(1+f.r.IntN(5))*24*time.Hour), nil, true, false); err != nil {
				return standing, err
			}
		} else if err := put(name, due, nil, true, false); err != nil {
			return standing, err
		}
	}
	switch t.State {
	case tickets.Replied, tickets.Completed, tickets.Revisiting:
		err = put(sla.Resolve, due, t.UpdatedAt, false, false)
		return standing, err
	}
	err = put(sla.Resolve, due.Add(time.Hour), nil, true, t.State == tickets.AwaitingCitizen)
	return standing, err
}

// past writes the history, as short as may be, and what came of the case.
func (f *filler) past(t tickets.Ticket, events, grade int, rectify string) error {
	event := func(seq int, kind, actor string, agency uuid.UUID, from, to tickets.State, public bool, at time.Time) error {
		return f.events.add(t.ID, seq, kind, actor, agency, string(from), string(to), public, at).end()
	}
	if err := event(1, "opened", "citizen", uuid.Nil, "", tickets.Received, true, t.OpenedAt); err != nil {
		return err
	}
	second := t.State
	if events == 3 {
		second = tickets.InProgress
	}
	if err := event(2, "accept", "system", f.desk, tickets.Received, second, true, t.OpenedAt.Add(time.Minute)); err != nil {
		return err
	}
	if events == 3 {
		if err := event(3, "reply", "staff", t.Lead, second, t.State, true, t.UpdatedAt); err != nil {
			return err
		}
	}
	if t.Lead != uuid.Nil {
		state, signed, ended := "signed", any(t.OpenedAt.Add(4*time.Hour)), any(nil)
		switch {
		case t.State == tickets.Dispatched:
			state, signed = "dispatched", nil
		case t.ClosedAt != nil:
			state, ended = "done", *t.ClosedAt
		}
		if err := f.assignments.add(t.ID, 1, t.Lead, t.Co, state, t.OpenedAt.Add(time.Minute), t.OpenedAt.Add(24*time.Hour), signed, ended).end(); err != nil {
			return err
		}
	}
	if grade == 0 {
		return nil
	}
	if err := f.ratings.add(t.ID, grade, *t.ClosedAt).end(); err != nil {
		return err
	}
	if rectify == "" {
		return nil
	}
	agency := t.Lead
	if agency == uuid.Nil {
		agency = f.desk
	}
	return f.rectifications.add(t.ID, agency, rectify, grade, *t.ClosedAt, t.ClosedAt.Add(7*24*time.Hour)).end()
}
