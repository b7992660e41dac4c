package tickets

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"hotline/tickets/sla"
)

// life is one ticket's clocks under everything that may happen to them.
type life struct {
	t        *rapid.T
	set      *Settings
	clocks   *clockSet
	ticket   Ticket
	home     string // jurisdiction of the lead
	promised time.Time
	fired    map[string]sla.Stage // highest rung that fired for the present deadline
	dueWhen  map[string]time.Time // the deadlines at the last check
	out      map[string]time.Time // deadlines that had passed when the category changed
}

var lead = uuid.MustParse("00000000-0000-7000-8000-000000000001")

func drawRules(t *rapid.T, label string) Rules {
	code := rapid.SampledFrom(sla.ShippedCalendars()).Draw(t, label)
	cal, set, err := sla.Shipped(code)
	if err != nil {
		t.Fatal(err)
	}
	return Rules{Code: label, Calendar: cal, SLA: set}
}

func newLife(t *rapid.T) *life {
	l := &life{t: t, ticket: Ticket{Kind: "complaint", Urgency: "normal"}, fired: map[string]sla.Stage{}, dueWhen: map[string]time.Time{}, out: map[string]time.Time{}}
	own := drawRules(t, "own")
	l.set = &Settings{Jurisdiction: "own", Calendar: own.Calendar, SLA: own.SLA, Others: map[string]Rules{"other": drawRules(t, "other")}}
	start := time.Unix(1767225600+rapid.Int64Range(0, 30_000_000).Draw(t, "begin"), 0).UTC() // in 2026
	l.clocks = &clockSet{rows: map[string]*clockRow{}, set: l.set, now: start, t: &l.ticket, of: func(id uuid.UUID) string {
		if id == lead {
			return l.home
		}
		return ""
	}}
	l.rules()
	for _, name := range []sla.ClockName{sla.Dispatch, sla.FirstReply, sla.Resolve} {
		l.clocks.start(name, nil)
	}
	l.clocks.startCo(lead)
	l.promised = *l.clocks.due(sla.Resolve)
	return l
}

// rules chooses the ticket's policy anew.
func (l *life) rules() {
	l.clocks.policy, _ = l.set.SLA.Choose(l.ticket.Kind, l.ticket.Category, l.ticket.Urgency)
}

// recompute brings every open clock under the rules in force and checks what that may do.
func (l *life) recompute() {
	l.rules()
	for _, name := range sortedNames(l.clocks.rows) {
		c := l.clocks.rows[name]
		if c.stoppedAt != nil {
			continue
		}
		before := c.dueAt
		verdict := l.clocks.recompute(c, l.clocks.now)
		moved := c.dueAt.Compare(before)
		if want := map[sla.Verdict]int{sla.Later: 1, sla.Earlier: -1}[verdict]; moved != want {
			l.t.Fatalf("%s: %s, but it went from %s to %s", name, verdict, before, c.dueAt)
		}
		if before.After(l.clocks.now) && !c.dueAt.After(l.clocks.now) {
			l.t.Fatalf("%s is over by a change of rules: %s, then %s, now %s", name, before, c.dueAt, l.clocks.now)
		}
		after := c.dueAt
		if again := l.clocks.recompute(c, l.clocks.now); again == sla.Later || again == sla.Earlier || !c.dueAt.Equal(after) {
			l.t.Fatalf("%s: the same rules once more moved it from %s to %s (%s)", name, after, c.dueAt, again)
		}
	}
}

// fire is the sweep: every rung that is due, one after the other.
func (l *life) fire() {
	for _, name := range sortedNames(l.clocks.rows) {
		c := l.clocks.rows[name]
		for c.running() && c.nextFireAt != nil && !c.nextFireAt.After(l.clocks.now) {
			r := l.clocks.ruled(name, c.agency)
			up, _ := r.SLA.Ladder.Next(c.stage, c.warnAt, c.dueAt, r.Calendar)
			rank := func(s sla.Stage) int { return slices.Index(sla.Stages(), s) }
			if was, ok := l.fired[name]; ok && rank(up) <= rank(was) {
				l.t.Fatalf("%s fires %s after %s though the deadline did not move later", name, up, was)
			}
			l.fired[name] = up
			c.stage, c.nextFireAt = up, nextFire(r.Rules, c, up)
		}
	}
}

func (l *life) check() {
	if d := l.clocks.due(sla.Resolve); d != nil {
		if d.Before(l.promised) {
			l.t.Fatalf("the contact was told %s, now it is %s", l.promised, d)
		}
		l.promised = *d
	}
	for name, c := range l.clocks.rows {
		if at, ok := l.dueWhen[name]; ok && c.dueAt.After(at) {
			delete(l.fired, name) // for the later deadline the ladder begins anew
		}
		l.dueWhen[name] = c.dueAt
		if at, ok := l.out[name]; ok && !c.dueAt.Equal(at) {
			l.t.Fatalf("%s had run out at %s under another category, and runs to %s now", name, at, c.dueAt)
		}
		if c.warnAt.After(c.dueAt) || c.warnAt.Before(c.startedAt) {
			l.t.Fatalf("%s warns at %s, outside %s to %s", name, c.warnAt, c.startedAt, c.dueAt)
		}
		if c.remaining.Left < 0 {
			l.t.Fatalf("%s has %s left", name, c.remaining.Left)
		}
		if !c.running() && c.nextFireAt != nil {
			l.t.Fatalf("%s does not run, and fires at %s", name, c.nextFireAt)
		}
		pauses := 0
		for _, s := range c.steps {
			switch s.Kind {
			case sla.Paused:
				pauses++
			case sla.Resumed:
				pauses--
			}
			if pauses < 0 || pauses > 1 {
				l.t.Fatalf("%s: %v", name, c.steps)
			}
		}
		if (pauses == 1) != (c.pausedAt != nil) {
			l.t.Fatalf("%s: paused %v, steps %v", name, c.pausedAt, c.steps)
		}
	}
}

func (l *life) advance() {
	l.clocks.now = l.clocks.now.Add(time.Duration(rapid.Int64Range(1, 6*24*3600).Draw(l.t, "seconds")) * time.Second)
}

func (l *life) resume() {
	c := l.clocks.rows[string(sla.Resolve)]
	if c.pausedAt == nil {
		l.clocks.resume(c.name)
		return
	}
	r := l.clocks.ruled(c.name, c.agency)
	// However late the citizen answers, the pause counts to its cap and no further.
	end, _ := sla.Deadline(*c.pausedAt, r.policy.Clocks[sla.AwaitCitizen], r.Calendar)
	most, _ := sla.Resume(*c.pausedAt, end, c.dueAt, c.remaining, time.Time{}, r.Calendar)
	l.clocks.resume(c.name)
	if c.dueAt.After(most) {
		l.t.Fatalf("resumed to %s; the cap allows %s", c.dueAt, most)
	}
}

// otherPolicy changes spans, the warning and the ladder of one of the jurisdictions.
func (l *life) otherPolicy() {
	set := l.set.SLA
	other := rapid.Bool().Draw(l.t, "of the other")
	if other {
		set = l.set.Others["other"].SLA
	}
	set.WarnFraction = float64(rapid.IntRange(0, 90).Draw(l.t, "warn")) / 100
	set.Policies = slices.Clone(set.Policies)
	for i, p := range set.Policies {
		if p.Code != "complaint" && p.Code != "default" {
			continue
		}
		clocks := map[sla.ClockName]sla.Span{}
		for name, span := range p.Clocks {
			clocks[name] = span
			if rapid.Bool().Draw(l.t, "change") {
				clocks[name] = sla.Span{N: rapid.IntRange(1, 12).Draw(l.t, "n"), Unit: rapid.SampledFrom(sla.Units()).Draw(l.t, "unit"), Roll: rapid.Bool().Draw(l.t, "roll")}
			}
		}
		set.Policies[i].Clocks = clocks
	}
	if rapid.Bool().Draw(l.t, "ladder") {
		set.Ladder = sla.Ladder{}
		for _, stage := range sla.Stages() {
			if rapid.Bool().Draw(l.t, string(stage)) {
				set.Ladder = append(set.Ladder, sla.Rung{Stage: stage, Anchor: rapid.SampledFrom([]string{"warn", "due"}).Draw(l.t, "anchor"), WorkingDays: rapid.IntRange(0, 4).Draw(l.t, "days"), At: "close"})
			}
		}
	}
	if err := set.Check(); err != nil {
		l.t.Fatal(err)
	}
	if other {
		r := l.set.Others["other"]
		r.SLA = set
		l.set.Others = map[string]Rules{"other": r}
	} else {
		l.set.SLA = set
	}
	l.recompute()
}

// otherCalendar changes holidays, make-up days and years of one of the calendars.
func (l *life) otherCalendar() {
	other := rapid.Bool().Draw(l.t, "of the other")
	now := l.set.Calendar
	if other {
		now = l.set.Others["other"].Calendar
	}
	doc, err := sla.ShippedCalendarDoc(now.Code())
	if err != nil {
		l.t.Fatal(err)
	}
	if rapid.Bool().Draw(l.t, "next year") {
		doc.AddYear(0, "test")
	}
	for range rapid.IntRange(0, 3).Draw(l.t, "changes") {
		y := rapid.SampledFrom(doc.Years).Draw(l.t, "year").Year
		first := sla.Day{Year: y, Month: 1, Dom: 1}.Add(rapid.IntRange(0, 350).Draw(l.t, "day"))
		kind := rapid.SampledFrom([]sla.DayKind{sla.Ordinary, sla.DayOff, sla.MadeUp}).Draw(l.t, "kind")
		if err := doc.Set(first, first.Add(rapid.IntRange(0, 9).Draw(l.t, "length")), kind, "x"); err != nil {
			l.t.Fatal(err)
		}
	}
	cal, err := doc.Build()
	if err != nil {
		l.t.Fatal(err)
	}
	if other {
		r := l.set.Others["other"]
		r.Calendar = cal
		l.set.Others = map[string]Rules{"other": r}
	} else {
		l.set.Calendar = cal
	}
	l.recompute()
}

// otherCategory reclassifies the case. Nothing that ran out comes back by it, nor later by other rules, agencies or pauses.
func (l *life) otherCategory() {
	l.ticket.Category = rapid.SampledFrom([]string{"", "environment.noise", "utilities.water"}).Draw(l.t, "category")
	l.rules()
	for name, c := range l.clocks.rows {
		until := l.clocks.now
		if c.pausedAt != nil {
			until = *c.pausedAt
		}
		if c.stoppedAt == nil && !c.dueAt.After(until) {
			l.out[name] = c.dueAt
		}
	}
	l.clocks.reclassified()
}

// otherLead hands the ticket over, to an agency of this or of the other jurisdiction or back to the hotline.
func (l *life) otherLead() {
	before := l.ticket.Lead
	was := l.home
	l.ticket.Lead, l.home = uuid.Nil, ""
	if rapid.Bool().Draw(l.t, "lead") {
		l.ticket.Lead, l.home = lead, rapid.SampledFrom([]string{"", "other"}).Draw(l.t, "home")
	}
	if l.home != was {
		l.clocks.rehome(before)
		l.recompute()
	}
}

// TestNoSequenceMovesAPromiseEarlier plays pauses, extensions, hand-overs, categories and changes of policies and calendars in any order.
func TestNoSequenceMovesAPromiseEarlier(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		resolve := string(sla.Resolve)
		t.Repeat(map[string]func(*rapid.T){
			"":       func(*rapid.T) { l.check() },
			"time":   func(*rapid.T) { l.advance(); l.fire() },
			"pause":  func(*rapid.T) { l.clocks.pause(resolve) },
			"resume": func(*rapid.T) { l.resume() },
			"extend": func(t *rapid.T) {
				l.clocks.extend(resolve, rapid.IntRange(1, 5).Draw(t, "n"))
				delete(l.out, resolve) // the hotline may give more time
			},
			"stop":     func(*rapid.T) { l.clocks.stop(string(sla.FirstReply)) },
			"policy":   func(*rapid.T) { l.otherPolicy() },
			"calendar": func(*rapid.T) { l.otherCalendar() },
			"category": func(*rapid.T) { l.otherCategory() },
			"lead":     func(*rapid.T) { l.otherLead() },
		})
	})
}
