// Package sla computes deadlines: business calendars, policies that choose which clocks run, pausing, lights and the
// escalation ladder. Everything in it is a default held as data (calendars/*.json, policies/*.json); nothing here reads a
// clock, a database or a network: the caller passes the time.
//
// Invariants, each a test: a deadline never moves earlier when its start moves later or its span grows; a pause never moves
// a deadline earlier; the stages of a ladder fire in order.
//
// How days are counted follows what Chinese (Civil Code art. 201–203) and German law (BGB §§ 187, 188) share: the day on
// which a span starts is not counted, a span of days ends with its last day, and a span of working days ends at the close
// of business of its last day. Minutes and hours simply elapse.
//
// It imports the standard library only.
package sla

import (
	"time"
	_ "time/tzdata" // A deadline in the wrong zone is worse than 450 KB: minimal container images carry no zone files.
)

// ClockName names one of the clocks that a policy can set.
type ClockName string

// The clocks of the default policies. A policy file may leave any of them out: the ticket then runs without it.
const (
	// Acknowledge ends when the citizen first hears from the hotline; Accept when the hotline has decided that the matter is its own.
	Acknowledge    ClockName = "acknowledge"
	Accept         ClockName = "accept"
	Appeal         ClockName = "appeal"
	Dispatch       ClockName = "dispatch"
	Sign           ClockName = "sign"
	ReturnDecision ClockName = "return_decision"
	Coordination   ClockName = "coordination"
	FirstReply     ClockName = "first_reply"
	Resolve        ClockName = "resolve"
	AwaitCitizen   ClockName = "await_citizen"
	Check          ClockName = "check"
	Revisit        ClockName = "revisit"
	Redo           ClockName = "redo"
	Rectify        ClockName = "rectify"
	Supervision    ClockName = "supervision"
	RevisitTry     ClockName = "revisit_try"
)

// ClockNames lists every clock, in the order in which a ticket meets them.
func ClockNames() []ClockName {
	return []ClockName{Acknowledge, Accept, Appeal, Dispatch, Sign, ReturnDecision, Coordination, FirstReply, Resolve, AwaitCitizen, Check, Revisit, RevisitTry, Redo, Rectify, Supervision}
}

// Unit is the unit of a span.
type Unit string

// Minutes and hours elapse; days are calendar days; working days follow the calendar.
const (
	Minutes     Unit = "minutes"
	HoursUnit   Unit = "hours"
	Days        Unit = "days"
	WorkingDays Unit = "working_days"
)

// Span is a length of time as policies write it.
type Span struct {
	N    int  `json:"n"`
	Unit Unit `json:"unit"`
	// Roll moves the end of a span of days that falls on a day off to the next working day (Civil Code art. 203, BGB § 193).
	Roll bool `json:"roll,omitempty"`
}

// Deadline returns when the span that starts at start is over. provisional says that the deadline lies past the last
// published year of the calendar, where ordinary weeks were assumed.
func Deadline(start time.Time, s Span, cal *Calendar) (due time.Time, provisional bool) {
	n := max(s.N, 0)
	switch s.Unit {
	case Minutes:
		due = start.Add(time.Duration(n) * time.Minute)
	case HoursUnit:
		due = start.Add(time.Duration(n) * time.Hour)
	case Days:
		day := DayOf(start.In(cal.loc)).Add(n)
		if s.Roll {
			day = cal.nthWorkingDay(day, 0)
		}
		due = cal.at(day, 24*60)
	default: // WorkingDays; Parse refuses any other unit
		day := DayOf(start.In(cal.loc))
		if n == 0 && cal.IsWorkingDay(day) && !start.Before(cal.closing(day)) {
			day = day.Add(1) // today's business is over: "today" means the next working day
		}
		due = cal.closing(cal.nthWorkingDay(day, n))
	}
	return due, cal.provisional(due, s.Unit)
}

// provisional: elapsed spans depend on no holiday and are never provisional. A span of days that ends at midnight belongs to
// the day before.
func (c *Calendar) provisional(due time.Time, u Unit) bool {
	if u == Minutes || u == HoursUnit {
		return false
	}
	return !c.published[due.Add(-time.Nanosecond).In(c.loc).Year()]
}

// Remaining is what was left of a span when it was paused.
type Remaining struct {
	Left    time.Duration // of working time when Working, else of elapsed time; never negative
	Working bool
}

// Pause returns what is left at now of a span in unit u that ends at due. Working time is kept for working days.
func Pause(now, due time.Time, u Unit, cal *Calendar) Remaining {
	if u == WorkingDays {
		return Remaining{Left: cal.WorkingBetween(now, due), Working: true}
	}
	return Remaining{Left: max(due.Sub(now), 0)}
}

// PauseEnds returns until when a pause that begins at at counts, at the latest. limit caps all pauses of a clock together: what those among steps
// have used is taken off. It returns the zero time where limit caps nothing, and at where nothing is left.
func PauseEnds(at time.Time, limit Span, steps []Step, cal *Calendar) time.Time {
	if limit.N <= 0 {
		return time.Time{}
	}
	var used time.Duration
	ends := func(from time.Time) time.Time {
		end, _ := Deadline(from, limit, cal)
		if limit.Unit == WorkingDays {
			end = cal.subWorking(end, used)
		} else {
			end = end.Add(-used)
		}
		if end.Before(from) {
			return from
		}
		return end
	}
	var began time.Time
	for _, st := range steps {
		switch {
		case st.Kind == Paused && began.IsZero():
			began = st.At
		case st.Kind == Resumed && !began.IsZero():
			if !st.Free {
				until := st.At
				if end := ends(began); until.After(end) {
					until = end
				}
				if limit.Unit == WorkingDays {
					used += cal.WorkingBetween(began, until)
				} else {
					used += until.Sub(began)
				}
			}
			began = time.Time{}
		}
	}
	return ends(at)
}

// Resume returns the new end of a span that was paused at pausedAt with rem left and goes on at now. A pause that is longer counts only up to ends
// (PauseEnds; a zero time caps nothing). The result is never before oldDue.
func Resume(pausedAt, now, oldDue time.Time, rem Remaining, ends time.Time, cal *Calendar) (due time.Time, provisional bool) {
	from := now
	if !ends.IsZero() && from.After(ends) {
		from = ends
	}
	if from.Before(pausedAt) {
		from = pausedAt
	}
	u := HoursUnit
	switch {
	case rem.Left <= 0:
		due = oldDue
	case rem.Working:
		u = WorkingDays
		due = cal.AddWorking(from, rem.Left)
	default:
		due = from.Add(rem.Left)
	}
	if due.Before(oldDue) {
		due = oldDue
	}
	return due, cal.provisional(due, u)
}

// Extend returns the end of a span whose end was due after n more of its units; never before due. Days go on from the day that due ends.
func Extend(due time.Time, n int, s Span, cal *Calendar) (later time.Time, provisional bool) {
	from := due
	if s.Unit == Days {
		from = from.Add(-time.Nanosecond) // a midnight belongs to the day that it ends
	}
	later, provisional = Deadline(from, Span{N: n, Unit: s.Unit, Roll: s.Roll}, cal)
	if later.Before(due) {
		return due, cal.provisional(due, s.Unit)
	}
	return later, provisional
}

// Light is the colour under which a clock is shown.
type Light string

// The lights, in rising order of alarm.
const (
	Green  Light = "green"
	Yellow Light = "yellow"
	Red    Light = "red"
)

// Lights returns the colour of a clock: red from due on, yellow when no more than the fraction warn of its length is left.
func Lights(now, start, due time.Time, warn float64) Light {
	return LightAt(now, due.Add(-time.Duration(warn*float64(due.Sub(start)))), due)
}

// LightAt is Lights for a warning time that was computed before, by WarnAt.
func LightAt(now, warnAt, due time.Time) Light {
	switch {
	case !now.Before(due):
		return Red
	case !now.Before(warnAt):
		return Yellow
	}
	return Green
}

// WarnAt returns when a clock turns yellow: when the fraction warn of its length is left. For working days both length and
// rest are working time, so that nothing turns yellow on a Sunday.
func WarnAt(start, due time.Time, warn float64, u Unit, cal *Calendar) time.Time {
	if !due.After(start) {
		return due
	}
	if u == WorkingDays {
		total := cal.WorkingBetween(start, due)
		return cal.subWorking(due, time.Duration(warn*float64(total)))
	}
	return due.Add(-time.Duration(warn * float64(due.Sub(start))))
}
