package tickets

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/tickets/sla"
)

// The names of the clocks of co-agencies begin with these, and end with the agency.
const (
	coPrefix     = "co_reply."
	coSignPrefix = "co_sign."
)

// automatic clocks are no deadline of anybody: at their end the program itself goes on with the case.
func automatic(name string) bool {
	return name == string(sla.AwaitCitizen) || name == string(sla.RevisitTry)
}

// deskClocks are the hotline's own; every other clock runs by the rules of the agency that leads.
var deskClocks = []sla.ClockName{sla.Acknowledge, sla.Accept, sla.Appeal, sla.Dispatch, sla.ReturnDecision, sla.Coordination, sla.Check, sla.Revisit, sla.RevisitTry}

// told reports whether the contact was told the deadline of a clock.
func told(name string) bool { return name == string(sla.Resolve) }

// base is the name under which policies know a clock: those of co-agencies carry their agency behind a dot.
func base(name string) sla.ClockName {
	if prefix, _, ok := strings.Cut(name, "."); ok {
		name = prefix
	}
	switch name + "." {
	case coPrefix:
		return sla.Resolve
	case coSignPrefix:
		return sla.Sign
	}
	return sla.ClockName(name)
}

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
	steps                    []sla.Step // what moved the deadline since the start
	dirty                    bool
}

func (c *clockRow) running() bool { return c.stoppedAt == nil && c.pausedAt == nil }

func (c *clockRow) stepsJSON() []byte {
	if len(c.steps) == 0 {
		return []byte("[]")
	}
	b, err := json.Marshal(c.steps)
	if err != nil {
		return []byte("[]") // words, times and numbers
	}
	return b
}

func (c *clockRow) step(kind sla.StepKind, at time.Time, n int) {
	c.steps = append(c.steps[:len(c.steps):len(c.steps)], sla.Step{Kind: kind, At: at.UTC().Truncate(time.Microsecond), N: n})
}

// settled reports whether the deadline had passed when the case got another category.
func (c *clockRow) settled() bool {
	return slices.ContainsFunc(c.steps, func(s sla.Step) bool { return s.Kind == sla.Settled })
}

// ruling is what decides about one clock: a jurisdiction's calendar, ladder and policy for the ticket at hand.
type ruling struct {
	Rules
	policy sla.Policy
}

// arm sets when the clock turns yellow and what it fires next.
func (c *clockRow) arm(r ruling) {
	c.dueAt = c.dueAt.UTC()
	// PostgreSQL keeps microseconds; what is returned and what is stored are the same.
	c.warnAt = sla.WarnAt(c.startedAt, c.dueAt, r.policy.WarnFraction, c.span.Unit, r.Calendar).UTC().Truncate(time.Microsecond)
	switch {
	case !c.running():
		c.nextFireAt = nil
	case automatic(c.name):
		// Nobody is dunned for the citizen's silence.
		due := c.dueAt
		c.nextFireAt = &due
	default:
		c.nextFireAt = nextFire(r.Rules, c, c.stage)
	}
	c.dirty = true
}

// rearm is arm for a deadline that was another before: when it moved later, rungs that fired for the old one and lie ahead again will fire again.
func (c *clockRow) rearm(r ruling, was, now time.Time) {
	c.arm(r)
	if !c.dueAt.After(was) {
		return
	}
	if kept := r.SLA.Ladder.Fired(c.stage, now, c.warnAt, c.dueAt, r.Calendar); kept != c.stage && c.dueAt.After(now) {
		c.stage = kept
		c.arm(r)
	}
}

func nextFire(r Rules, c *clockRow, after sla.Stage) *time.Time {
	if stage, at := r.SLA.Ladder.Next(after, c.warnAt, c.dueAt, r.Calendar); stage != sla.Done {
		at = at.UTC()
		return &at
	}
	return nil
}

// clockSet is the clocks of one ticket, in memory, while a move is made.
type clockSet struct {
	rows   map[string]*clockRow
	set    *Settings
	policy sla.Policy // the hotline's for this ticket
	now    time.Time
	t      *Ticket                // whose clocks they are
	of     func(uuid.UUID) string // jurisdiction of an agency
	moved  []Fields               // deadlines that a reclassification moved, for the history
}

// ruled finds what decides about a clock: the rules of the agency it belongs to, for the hotline's clocks the hotline's own.
func (s *clockSet) ruled(name string, agency uuid.UUID) ruling {
	if agency == uuid.Nil && s.t != nil && !slices.Contains(deskClocks, base(name)) {
		agency = s.t.Lead
	}
	return s.ruledBy(agency)
}

func (s *clockSet) ruledBy(agency uuid.UUID) ruling {
	if agency == uuid.Nil || s.of == nil || len(s.set.Others) == 0 {
		return ruling{s.set.own(), s.policy}
	}
	code := s.of(agency)
	r, ok := s.set.Others[code]
	if !ok {
		return ruling{s.set.own(), s.policy}
	}
	policy, _ := r.SLA.Choose(s.t.Kind, s.t.Category, s.t.Urgency)
	return ruling{r, policy}
}

func (s *clockSet) start(name sla.ClockName, promised *time.Time) {
	r := s.ruled(string(name), uuid.Nil)
	span, ok := r.policy.Clocks[name]
	if !ok {
		return
	}
	s.startSpan(string(name), uuid.Nil, span)
	if c := s.waiting(); name == sla.AwaitCitizen && c != nil {
		// The work goes on when the pause is spent, however much of it earlier questions took.
		if wait, ends := s.rows[string(name)], s.pauseEnds(c, s.now); !ends.IsZero() && ends.Before(wait.dueAt) {
			wait.dueAt = ends
			wait.arm(r)
		}
	}
	if c := s.rows[string(name)]; told(c.name) && promised != nil && c.dueAt.Before(*promised) {
		c.dueAt = *promised // a deadline that the contact was told never moves earlier
		c.arm(r)
	}
}

// startCo gives a co-agency clocks of its own, by its own rules: to sign for its part, and to reply to the lead.
func (s *clockSet) startCo(agency uuid.UUID) {
	for _, name := range []string{coSignPrefix + agency.String(), coPrefix + agency.String()} {
		if span, ok := s.ruled(name, agency).policy.Clocks[base(name)]; ok {
			s.startSpan(name, agency, span)
		}
	}
}

func (s *clockSet) startSpan(name string, agency uuid.UUID, span sla.Span) {
	r := s.ruled(name, agency)
	c := &clockRow{name: name, policy: r.policy.Code, agency: agency, span: span, startedAt: s.now}
	c.dueAt, c.provisional = sla.Deadline(s.now, span, r.Calendar)
	c.arm(r)
	s.rows[name] = c
}

// rehome brings the clocks that outlive a hand-over under the rules of the new lead, when they are others than those before. What the contact was
// told never moves earlier.
func (s *clockSet) rehome(before uuid.UUID) {
	if len(s.set.Others) == 0 || s.of == nil || s.set.rules(s.of(before)).Code == s.set.rules(s.of(s.t.Lead)).Code {
		return
	}
	for _, name := range []sla.ClockName{sla.FirstReply, sla.Resolve, sla.Redo} {
		if c := s.rows[string(name)]; c != nil && c.stoppedAt == nil {
			s.recompute(c, s.now)
		}
	}
}

// reclassified brings the open clocks under the policy of the ticket's new category. A deadline that has passed stays passed, now and when rules
// change later: nobody gets time back by a slower category. It returns the deadline that the contact was told, before and after, if it moved.
func (s *clockSet) reclassified() (was, due *time.Time) {
	for _, name := range sortedNames(s.rows) {
		c := s.rows[name]
		if c.stoppedAt != nil {
			continue
		}
		before, until := c.dueAt, s.now
		if c.pausedAt != nil {
			until = *c.pausedAt
		}
		if !before.After(until) {
			if !c.settled() {
				c.step(sla.Settled, s.now, 0)
				c.dirty = true
			}
			continue
		}
		if v := s.recompute(c, s.now); v != sla.Later && v != sla.Earlier {
			continue
		}
		after := c.dueAt
		if told(name) {
			was, due = &before, &after
			continue
		}
		s.moved = append(s.moved, Fields{Clock: name, Was: &before, DueAt: &after})
	}
	return was, due
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
		switch {
		case ofCo(name):
			s.cut(name)
		case name != string(sla.Rectify):
			s.stop(name)
		}
	}
}

func (s *clockSet) stopCo() {
	for name := range s.rows {
		if ofCo(name) {
			s.cut(name)
		}
	}
}

func (s *clockSet) pause(name string) {
	// What is overdue has no time left that could wait: it stays red and on the ladder.
	if c := s.rows[name]; c != nil && c.running() && s.now.Before(c.dueAt) {
		now := s.now
		c.remaining = sla.Pause(now, c.dueAt, c.span.Unit, s.ruled(name, c.agency).Calendar)
		c.pausedAt, c.nextFireAt, c.dirty = &now, nil, true
		c.step(sla.Paused, now, 0)
	}
}

// pauseEnds is until when a pause of the clock that began at at counts; zero where the policy caps none.
func (s *clockSet) pauseEnds(c *clockRow, at time.Time) time.Time {
	r := s.ruled(c.name, c.agency)
	return sla.PauseEnds(at, r.policy.Clocks[sla.AwaitCitizen], c.steps, r.Calendar)
}

// waiting is the clock that a question to the citizen pauses: of the answer, or of doing it again. nil: none runs, or it is over.
func (s *clockSet) waiting() *clockRow {
	for _, name := range []sla.ClockName{sla.Redo, sla.Resolve} {
		if c := s.rows[string(name)]; c != nil && c.stoppedAt == nil && s.now.Before(c.dueAt) {
			return c
		}
	}
	return nil
}

func (s *clockSet) resume(name string) {
	c := s.rows[name]
	if c == nil || c.pausedAt == nil || c.stoppedAt != nil {
		return
	}
	r := s.ruled(name, c.agency)
	was := c.dueAt
	c.dueAt, c.provisional = sla.Resume(*c.pausedAt, s.now, c.dueAt, c.remaining, s.pauseEnds(c, *c.pausedAt), r.Calendar)
	c.pausedAt, c.remaining = nil, sla.Remaining{}
	c.step(sla.Resumed, s.now, 0)
	c.rearm(r, was, s.now)
}

// extend moves a deadline by n units of the clock's own span, from the old deadline.
func (s *clockSet) extend(name string, n int) {
	c := s.rows[name]
	if c == nil || c.stoppedAt != nil {
		return
	}
	r := s.ruled(name, c.agency)
	span := c.span
	span.Roll = r.policy.Clocks[base(name)].Roll // rows do not keep it
	was := c.dueAt
	c.dueAt, c.provisional = sla.Extend(c.dueAt, n, span, r.Calendar)
	if c.pausedAt != nil {
		c.remaining = sla.Pause(*c.pausedAt, c.dueAt, c.span.Unit, r.Calendar)
	}
	c.step(sla.Extended, s.now, n)
	c.rearm(r, was, s.now)
}

// recompute applies the rules in force, which changed at changed, to one clock. It returns what became of the deadline.
func (s *clockSet) recompute(c *clockRow, changed time.Time) sla.Verdict {
	r := s.ruled(c.name, c.agency)
	in := sla.Rerun{Start: c.startedAt, Due: c.dueAt, Was: c.span, Span: c.span, Steps: c.steps, Limit: r.policy.Clocks[sla.AwaitCitizen], Told: told(c.name), Changed: changed}
	if span, ok := r.policy.Clocks[base(c.name)]; ok {
		in.Span, in.Was.Roll = span, span.Roll
	}
	out, verdict := sla.Recompute(in, r.Calendar)
	before := *c
	c.span, c.policy, c.dueAt, c.provisional = out.Span, r.policy.Code, out.Due.UTC(), out.Provisional
	if out.Shortened {
		c.step(sla.Shortened, changed, 0)
	}
	if c.pausedAt != nil {
		c.remaining = sla.Pause(*c.pausedAt, c.dueAt, c.span.Unit, r.Calendar)
	}
	c.rearm(r, before.dueAt, changed)
	c.dirty = before.dirty || c.span.N != before.span.N || c.span.Unit != before.span.Unit || c.policy != before.policy || !c.dueAt.Equal(before.dueAt) ||
		c.provisional != before.provisional || !c.warnAt.Equal(before.warnAt) || c.stage != before.stage || !sameTime(c.nextFireAt, before.nextFireAt) ||
		c.remaining.Left != before.remaining.Left
	return verdict
}

func sameTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

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
		if c.running() && c.name != string(sla.RevisitTry) && (t.DueAt == nil || c.dueAt.Before(*t.DueAt)) {
			due, warn := c.dueAt, c.warnAt
			t.DueAt, t.WarnAt, t.Provisional = &due, &warn, c.provisional
		}
	}
	t.SignDueAt = s.due(sla.Sign)
	if d := s.due(sla.Resolve); d != nil {
		t.PromisedAt = d
	}
}
