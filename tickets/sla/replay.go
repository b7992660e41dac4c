package sla

import (
	"slices"
	"time"
)

// StepKind says what happened to a clock after its start.
type StepKind string

// The kinds of steps.
const (
	Paused   StepKind = "pause"
	Resumed  StepKind = "resume"
	Extended StepKind = "extend"
	// Shortened: from here on a shorter span holds, which counts at the earliest from this moment.
	Shortened StepKind = "shorten"
	// Settled: the deadline had passed when the case was filed under another category. No rules move it any more.
	Settled StepKind = "settle"
	// Cut: the clock ended by what somebody else did, before the one whose clock it is had done their part.
	Cut StepKind = "cut"
)

// Step is something that moved a deadline after the clock had started. The steps of a clock are kept with it, so that its deadline can be
// computed afresh when a policy or a calendar changes.
type Step struct {
	Kind StepKind  `json:"k"`
	At   time.Time `json:"at"`
	N    int       `json:"n,omitempty"` // units of an extension
	// Free, of a resumption: the pause was none for the citizen (the ticket was merged, or with another body); the cap neither ends nor counts it.
	Free bool `json:"f,omitempty"`
}

// Outcome is a deadline with what else there is to say of it.
type Outcome struct {
	Due         time.Time
	Provisional bool
	// PausedAt is set while the clock pauses; Left is then what remains.
	PausedAt *time.Time
	Left     Remaining
	// Of Recompute: the span that the clock keeps, and whether a step Shortened has to be kept with it.
	Span      Span
	Shortened bool
}

// Replay computes a deadline from its beginning: the span from start, then every step. limit caps the pauses together. Steps that mean nothing (a second
// pause, a resumption of what runs) are passed over.
func Replay(start time.Time, s Span, steps []Step, limit Span, cal *Calendar) Outcome {
	var o Outcome
	o.Due, o.Provisional = Deadline(start, s, cal)
	for i, st := range steps {
		switch {
		case st.Kind == Paused && o.PausedAt == nil:
			at := st.At
			o.PausedAt, o.Left = &at, Pause(at, o.Due, s.Unit, cal)
		case st.Kind == Resumed && o.PausedAt != nil:
			var ends time.Time
			if !st.Free {
				ends = PauseEnds(*o.PausedAt, limit, steps[:i], cal)
			}
			o.Due, o.Provisional = Resume(*o.PausedAt, st.At, o.Due, o.Left, ends, cal)
			o.PausedAt, o.Left = nil, Remaining{}
		case st.Kind == Shortened:
			if fair, provisional := Deadline(st.At, s, cal); fair.After(o.Due) {
				o.Due, o.Provisional = fair, provisional
				if o.PausedAt != nil {
					o.Left = Pause(*o.PausedAt, o.Due, s.Unit, cal)
				}
			}
		case st.Kind == Extended:
			o.Due, o.Provisional = Extend(o.Due, st.N, s, cal)
			if o.PausedAt != nil {
				o.Left = Pause(*o.PausedAt, o.Due, s.Unit, cal)
			}
		}
	}
	return o
}

// Verdict says what new rules do to a deadline.
type Verdict string

// The verdicts. Held: the new rules would move the deadline earlier, but the contact was told it, or it would be over at once.
const (
	Unchanged Verdict = "unchanged"
	Earlier   Verdict = "earlier"
	Later     Verdict = "later"
	Held      Verdict = "held"
)

// Rerun is a clock to which new rules are applied.
type Rerun struct {
	Start   time.Time
	Due     time.Time // as it stands
	Was     Span      // the span it started with
	Span    Span      // the span of the rules in force
	Steps   []Step
	Limit   Span // of pauses, by the rules in force
	Told    bool // the contact was told the deadline
	Changed time.Time
}

// Recompute applies the rules in force to a running or paused clock. They changed at Changed.
//
// A deadline that the contact was told never moves earlier. Any other may, fairly: a shorter span counts at the earliest from the change, and no
// deadline that was still ahead is over by the change itself. What was overdue stays as it was unless the rules give more time, and what is Settled stays anyway.
func Recompute(r Rerun, cal *Calendar) (Outcome, Verdict) {
	o := Replay(r.Start, r.Span, r.Steps, r.Limit, cal)
	o.Span = r.Span
	// The same instant as PostgreSQL keeps it.
	o.Due = o.Due.Truncate(time.Microsecond)
	keep := func(v Verdict) (Outcome, Verdict) {
		// With the span that it came from: the rules are weighed again at the next change.
		o.Due, o.Provisional, o.Span, o.Shortened = r.Due, cal.provisional(r.Due, r.Was.Unit), r.Was, false
		if o.PausedAt != nil {
			o.Left = Pause(*o.PausedAt, o.Due, r.Was.Unit, cal)
		}
		return o, v
	}
	switch {
	case slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Kind == Settled }):
		return keep(Unchanged)
	case o.Due.Equal(r.Due):
		return o, Unchanged
	case o.Due.After(r.Due):
		return o, Later
	case r.Told:
		return keep(Held)
	case !r.Due.After(r.Changed):
		return keep(Unchanged)
	}
	if r.Span != r.Was {
		if fair, provisional := Deadline(r.Changed, r.Span, cal); fair.After(o.Due) {
			o.Due, o.Provisional, o.Shortened = fair.Truncate(time.Microsecond), provisional, true
			if o.PausedAt != nil {
				o.Left = Pause(*o.PausedAt, o.Due, r.Span.Unit, cal)
			}
		}
	}
	switch {
	case !o.Due.After(r.Changed):
		return keep(Held)
	case !o.Due.Before(r.Due):
		return keep(Unchanged)
	}
	return o, Earlier
}
