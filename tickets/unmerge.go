package tickets

import (
	"time"

	"hotline/tickets/sla"
)

// restore gives a ticket that comes back (merged by mistake, with another body, answered on the spot and contested) the clocks that its going had
// stopped, with the time that was left then: being away is neither a gift of time nor a loss of it. What was overdue stays overdue, and no deadline moves earlier. A clock that had ended before stays ended; one
// that had never run starts now.
func (s *clockSet) restore(gone *time.Time, names []sla.ClockName, promised *time.Time) {
	redo := s.rows[string(sla.Redo)]
	if s.endedAt(redo, gone) { // a ticket that was being done again
		s.continueFrom(redo)
		return
	}
	for _, name := range names {
		switch c := s.rows[string(name)]; {
		case c == nil:
			s.start(name, promised)
		case s.endedAt(c, gone):
			s.continueFrom(c)
		}
	}
}

func (s *clockSet) endedAt(c *clockRow, at *time.Time) bool {
	return c != nil && c.stoppedAt != nil && at != nil && c.stoppedAt.Equal(*at)
}

func (s *clockSet) continueFrom(c *clockRow) {
	r := s.ruled(c.name, c.agency)
	from := *c.stoppedAt
	if c.pausedAt != nil { // it waited for the citizen when the merge came
		from = *c.pausedAt
	} else {
		c.remaining = sla.Pause(from, c.dueAt, c.span.Unit, r.Calendar)
		c.step(sla.Paused, from, 0)
	}
	was := c.dueAt
	c.dueAt, c.provisional = sla.Resume(from, s.now, c.dueAt, c.remaining, time.Time{}, r.Calendar)
	c.stoppedAt, c.pausedAt, c.remaining = nil, nil, sla.Remaining{}
	c.step(sla.Resumed, s.now, 0)
	c.steps[len(c.steps)-1].Free = true
	c.rearm(r, was, s.now)
}
