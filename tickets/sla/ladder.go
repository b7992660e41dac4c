package sla

import (
	"slices"
	"time"
)

// Stage is a step of the escalation ladder.
type Stage string

// The stages in their order. Start is where every clock begins, Done where the ladder ends.
const (
	Start     Stage = ""
	Reminder  Stage = "reminder"
	Notice    Stage = "notice"
	Dunning   Stage = "dunning"
	Criticism Stage = "criticism"
	Done      Stage = "done"
)

// stages in the order in which they fire.
var stages = []Stage{Start, Reminder, Notice, Dunning, Criticism}

// Stages lists the rungs that a ladder may have, in order.
func Stages() []Stage { return slices.Clone(stages[1:]) }

// Rung is one step of a ladder as data.
type Rung struct {
	Stage Stage `json:"stage"`
	// Anchor is "warn" (when the clock turns yellow) or "due".
	Anchor string `json:"anchor"`
	// WorkingDays after the anchor, then at the opening ("open") or the close ("close") of that day. Zero fires at the anchor.
	WorkingDays int    `json:"working_days,omitempty"`
	At          string `json:"at,omitempty"`
}

// Ladder is the escalation ladder of one jurisdiction, in order.
type Ladder []Rung

// Next returns the stage that follows after and when it fires, for a clock that turns yellow at warnAt and ends at due. It
// returns Done and the zero time past the last rung.
func (l Ladder) Next(after Stage, warnAt, due time.Time, cal *Calendar) (Stage, time.Time) {
	rank := slices.Index(stages, after)
	if rank < 0 {
		return Done, time.Time{}
	}
	for i, r := range l {
		// By rank, not by place: a clock may have fired a rung that the ladder in force has no more.
		if slices.Index(stages, r.Stage) > rank {
			return r.Stage, l.fires(i, warnAt, due, cal)
		}
	}
	return Done, time.Time{}
}

// Fired returns the highest rung that a clock may keep as fired at now, of those up to stage: what fired for a deadline that has moved later
// fires again for the new one.
func (l Ladder) Fired(stage Stage, now, warnAt, due time.Time, cal *Calendar) Stage {
	kept := Start
	for next, at := l.Next(Start, warnAt, due, cal); next != Done && !at.After(now); next, at = l.Next(next, warnAt, due, cal) {
		if slices.Index(stages, next) > slices.Index(stages, stage) {
			break
		}
		kept = next
	}
	return kept
}

// fires is the time of rung i, never before the rung under it.
func (l Ladder) fires(i int, warnAt, due time.Time, cal *Calendar) time.Time {
	var latest time.Time
	for _, r := range l[:i+1] {
		if t := r.fires(warnAt, due, cal); t.After(latest) {
			latest = t
		}
	}
	return latest
}

func (r Rung) fires(warnAt, due time.Time, cal *Calendar) time.Time {
	anchor := due
	if r.Anchor == "warn" {
		anchor = warnAt
	}
	if r.WorkingDays == 0 {
		return anchor
	}
	// A deadline at midnight belongs to the day that it ends.
	day := cal.nthWorkingDay(DayOf(anchor.Add(-time.Nanosecond).In(cal.loc)), r.WorkingDays)
	if r.At == "open" {
		return cal.opening(day)
	}
	return cal.closing(day)
}
