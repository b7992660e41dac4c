package tickets

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/tickets/sla"
)

// coPrefix begins the names of the clocks of co-agencies.
const coPrefix = "co_reply."

// clockRow is a row of ticket_clocks.
type clockRow struct {
	name                     string
	policy                   string
	agency                   uuid.UUID // of a co-agency's clock
	span                     sla.Span
	startedAt, warnAt, dueAt time.Time
	provisional              bool
	stage                    sla.Stage
	nextFireAt               *time.Time
	pausedAt, stoppedAt      *time.Time
	remaining                sla.Remaining
	dirty                    bool
}

func (c *clockRow) running() bool { return c.stoppedAt == nil && c.pausedAt == nil }

// arm sets when the clock turns yellow and what it fires next.
func (c *clockRow) arm(set *Settings, warn float64) {
	c.dueAt = c.dueAt.UTC()
	// PostgreSQL keeps microseconds; what is returned and what is stored are the same.
	c.warnAt = sla.WarnAt(c.startedAt, c.dueAt, warn, c.span.Unit, set.Calendar).UTC().Truncate(time.Microsecond)
	if c.name == string(sla.AwaitCitizen) {
		// Nobody is dunned for the citizen's silence: at its end the work goes on.
		due := c.dueAt
		c.nextFireAt = &due
	} else {
		c.nextFireAt = nextFire(set, c, c.stage)
	}
	c.dirty = true
}

func nextFire(set *Settings, c *clockRow, after sla.Stage) *time.Time {
	if stage, at := set.SLA.Ladder.Next(after, c.warnAt, c.dueAt, set.Calendar); stage != sla.Done {
		return &at
	}
	return nil
}

// clockSet is the clocks of one ticket, in memory, while a move is made.
type clockSet struct {
	rows   map[string]*clockRow
	set    *Settings
	policy sla.Policy
	now    time.Time
}

func (s *clockSet) start(name sla.ClockName, promised *time.Time) {
	span, ok := s.policy.Clocks[name]
	if !ok {
		return
	}
	s.startSpan(string(name), uuid.Nil, span)
	if c := s.rows[string(name)]; name == sla.Resolve && promised != nil && c.dueAt.Before(*promised) {
		c.dueAt = *promised // a deadline that the contact was told never moves earlier
		c.arm(s.set, s.policy.WarnFraction)
	}
}

func (s *clockSet) startSpan(name string, agency uuid.UUID, span sla.Span) {
	c := &clockRow{name: name, policy: s.policy.Code, agency: agency, span: span, startedAt: s.now}
	c.dueAt, c.provisional = sla.Deadline(s.now, span, s.set.Calendar)
	c.arm(s.set, s.policy.WarnFraction)
	s.rows[name] = c
}

func (s *clockSet) stop(name string) {
	if c := s.rows[name]; c != nil && c.stoppedAt == nil {
		now := s.now
		c.stoppedAt, c.nextFireAt, c.dirty = &now, nil, true
	}
}

// stopAll ends the clocks of the case. The rectification that a bad rating opened is a duty of its own and runs on.
func (s *clockSet) stopAll() {
	for name := range s.rows {
		if name != string(sla.Rectify) {
			s.stop(name)
		}
	}
}

func (s *clockSet) stopCo() {
	for name := range s.rows {
		if strings.HasPrefix(name, coPrefix) {
			s.stop(name)
		}
	}
}

func (s *clockSet) pause(name string) {
	if c := s.rows[name]; c != nil && c.running() {
		now := s.now
		c.remaining = sla.Pause(now, c.dueAt, c.span.Unit, s.set.Calendar)
		c.pausedAt, c.nextFireAt, c.dirty = &now, nil, true
	}
}

func (s *clockSet) resume(name string) {
	c := s.rows[name]
	if c == nil || c.pausedAt == nil || c.stoppedAt != nil {
		return
	}
	paused := *c.pausedAt
	old := c.dueAt
	c.dueAt, c.provisional = sla.Resume(paused, s.now, old, c.remaining, s.policy.Clocks[sla.AwaitCitizen], s.set.Calendar)
	c.pausedAt, c.remaining = nil, sla.Remaining{}
	if c.dueAt.After(s.now) && c.stage != sla.Start && c.dueAt.After(old) {
		c.stage = sla.Start // the rung that fired was for the old deadline
	}
	c.arm(s.set, s.policy.WarnFraction)
}

// extend moves a deadline by n units of the clock's own span, from the old deadline.
func (s *clockSet) extend(name string, n int) {
	c := s.rows[name]
	if c == nil || c.stoppedAt != nil {
		return
	}
	from := c.dueAt
	if c.span.Unit == sla.Days {
		from = from.Add(-time.Nanosecond) // a midnight belongs to the day that it ends
	}
	due, provisional := sla.Deadline(from, sla.Span{N: n, Unit: c.span.Unit, Roll: c.span.Roll}, s.set.Calendar)
	if due.After(c.dueAt) {
		c.dueAt, c.provisional = due, provisional
	}
	c.stage = sla.Start
	c.arm(s.set, s.policy.WarnFraction)
}

// due returns the deadline of a clock that runs or pauses.
func (s *clockSet) due(name sla.ClockName) *time.Time {
	if c := s.rows[string(name)]; c != nil && c.stoppedAt == nil {
		d := c.dueAt
		return &d
	}
	return nil
}

// summarize writes the ticket's own deadlines from its clocks.
func (s *clockSet) summarize(t *Ticket) {
	t.DueAt, t.WarnAt, t.Provisional = nil, nil, false
	for _, c := range s.rows {
		if c.running() && (t.DueAt == nil || c.dueAt.Before(*t.DueAt)) {
			due, warn := c.dueAt, c.warnAt
			t.DueAt, t.WarnAt, t.Provisional = &due, &warn, c.provisional
		}
	}
	t.SignDueAt = s.due(sla.Sign)
	if d := s.due(sla.Resolve); d != nil {
		t.PromisedAt = d
	}
}
