package tickets

import (
	"time"

	"hotline/tickets/sla"
)

// restore gives a ticket that was merged by mistake the clocks that the merge had stopped, with the time that was left then: being merged is neither
// a gift of time nor a loss of it. What was overdue stays overdue, and no deadline moves earlier. A clock that had ended before the merge stays
// ended; one that had never run starts now.
func (s *clockSet) restore(merged *time.Time, names []sla.ClockName, promised *time.Time) {
	redo := s.rows[string(sla.Redo)]
	if s.stoppedAt(redo, merged) { // a ticket that was being done again
		s.continueFrom(redo)
		return
	}
	for _, name := range names {
		switch c := s.rows[string(name)]; {
		case c == nil:
			s.start(name, promised)
		case s.stoppedAt(c, merged):
			s.continueFrom(c)
		}
	}
}

func (s *clockSet) stoppedAt(c *clockRow, at *time.Time) bool {
	return c != nil && c.stoppedAt != nil && at != nil && c.stoppedAt.Equal(*at)
}

func (s *clockSet) continueFrom(c *clockRow) {
	from, left := *c.stoppedAt, c.remaining
	if c.pausedAt == nil {
		left = sla.Pause(from, c.dueAt, c.span.Unit, s.set.Calendar)
	}
	old := c.dueAt
	due, provisional := sla.Resume(from, s.now, old, left, sla.Span{}, s.set.Calendar)
	c.dueAt, c.provisional = due, provisional || c.provisional && due.Equal(old)
	c.stoppedAt, c.pausedAt, c.remaining = nil, nil, sla.Remaining{}
	if c.dueAt.After(old) {
		c.stage = sla.Start // the rung that fired was for the old deadline
	}
	c.arm(s.set, s.policy.WarnFraction)
}
