package sla

import (
	"fmt"
	"time"
)

// Day is a calendar date without a zone.
type Day struct {
	Year  int
	Month time.Month
	Dom   int
}

// DayOf returns the date that t falls on in its own location.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day{y, m, d}
}

// ParseDay reads an ISO date (2026-02-14). It returns an error for anything else.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Day{}, fmt.Errorf("date %q: want YYYY-MM-DD", s)
	}
	return DayOf(t), nil
}

// Add returns the date n days later; time.Date carries month ends and leap days.
func (d Day) Add(n int) Day {
	return DayOf(time.Date(d.Year, d.Month, d.Dom+n, 12, 0, 0, 0, time.UTC))
}

func (d Day) weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Dom, 12, 0, 0, 0, time.UTC).Weekday()
}

func (d Day) after(o Day) bool {
	if d.Year != o.Year {
		return d.Year > o.Year
	}
	if d.Month != o.Month {
		return d.Month > o.Month
	}
	return d.Dom > o.Dom
}

func (d Day) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Dom) }

// Hours is one stretch of working time on a day, in minutes after local midnight, To exclusive. A night shift is written
// as two stretches, one ending at 1440 and one starting at 0 on the next day.
type Hours struct{ From, To int }

// Calendar is a business calendar: weekly hours, holidays and make-up working days (调休) of the published years, in a
// time zone. It is immutable after construction and safe for concurrent use.
type Calendar struct {
	code, name string
	loc        *time.Location
	weekly     [7][]Hours
	makeUp     []Hours
	holidays   map[Day]string
	makeUpDays map[Day]bool
	published  map[int]bool
	last       int
}

// Code is the calendar's stable identifier, such as "cn".
func (c *Calendar) Code() string { return c.code }

// Name is the calendar's English name.
func (c *Calendar) Name() string { return c.name }

// Location is the calendar's time zone.
func (c *Calendar) Location() *time.Location { return c.loc }

// LastPublishedYear is the last year whose holidays are known; deadlines outside the published years are provisional.
func (c *Calendar) LastPublishedYear() int { return c.last }

// Holiday returns the name of the holiday on d, if d is one.
func (c *Calendar) Holiday(d Day) (string, bool) {
	n, ok := c.holidays[d]
	return n, ok
}

// Hours returns the working stretches of d, in order; empty when nobody works.
// A make-up day wins over a holiday: it is published to override the ordinary week.
func (c *Calendar) Hours(d Day) []Hours {
	wd := d.weekday()
	if c.makeUpDays[d] {
		if len(c.makeUp) > 0 {
			return c.makeUp
		}
		if h := c.weekly[wd]; len(h) > 0 {
			return h
		}
		return c.weekly[time.Monday]
	}
	if _, ok := c.holidays[d]; ok {
		return nil
	}
	return c.weekly[wd]
}

// IsWorkingDay says whether any work is done on d.
func (c *Calendar) IsWorkingDay(d Day) bool { return len(c.Hours(d)) > 0 }

// InHours says whether t lies in working time.
func (c *Calendar) InHours(t time.Time) bool {
	d := DayOf(t.In(c.loc))
	for _, h := range c.Hours(d) {
		if !t.Before(c.at(d, h.From)) && t.Before(c.at(d, h.To)) {
			return true
		}
	}
	return false
}

// NextOpening returns the first instant at or after t that lies in working time: "when the next duty begins".
func (c *Calendar) NextOpening(t time.Time) time.Time {
	d := DayOf(t.In(c.loc))
	for range maxDays {
		for _, h := range c.Hours(d) {
			from, to := c.at(d, h.From), c.at(d, h.To)
			if !t.Before(to) {
				continue
			}
			if t.Before(from) {
				return from
			}
			return t
		}
		d = d.Add(1)
	}
	return t
}

// WorkingBetween returns the working time between a and b; zero when b is not after a.
func (c *Calendar) WorkingBetween(a, b time.Time) time.Duration {
	if !b.After(a) {
		return 0
	}
	var sum time.Duration
	end := DayOf(b.In(c.loc))
	for d := DayOf(a.In(c.loc)); !d.after(end); d = d.Add(1) {
		for _, h := range c.Hours(d) {
			from, to := c.at(d, h.From), c.at(d, h.To)
			if from.Before(a) {
				from = a
			}
			if to.After(b) {
				to = b
			}
			if to.After(from) {
				sum += to.Sub(from)
			}
		}
	}
	return sum
}

// AddWorking returns the instant at which dur of working time has passed since t. With dur ≤ 0 it returns t.
func (c *Calendar) AddWorking(t time.Time, dur time.Duration) time.Time {
	if dur <= 0 {
		return t
	}
	d := DayOf(t.In(c.loc))
	for idle := 0; idle < maxDays; d = d.Add(1) {
		idle++
		for _, h := range c.Hours(d) {
			from, to := c.at(d, h.From), c.at(d, h.To)
			if from.Before(t) {
				from = t
			}
			if !to.After(from) {
				continue
			}
			idle = 0
			if room := to.Sub(from); room < dur {
				dur -= room
				continue
			}
			return from.Add(dur)
		}
	}
	return t
}

// subWorking is AddWorking backwards: the latest instant with dur of working time left until t.
func (c *Calendar) subWorking(t time.Time, dur time.Duration) time.Time {
	if dur <= 0 {
		return t
	}
	d := DayOf(t.In(c.loc))
	for idle := 0; idle < maxDays; d = d.Add(-1) {
		idle++
		hours := c.Hours(d)
		for i := len(hours) - 1; i >= 0; i-- {
			from, to := c.at(d, hours[i].From), c.at(d, hours[i].To)
			if to.After(t) {
				to = t
			}
			if !to.After(from) {
				continue
			}
			idle = 0
			if room := to.Sub(from); room < dur {
				dur -= room
				continue
			}
			return to.Add(-dur)
		}
	}
	return t
}

// maxDays bounds every search for the next working stretch. Parse refuses a calendar whose week is empty, so that only a
// run of holidays of more than a year could meet the bound.
const maxDays = 400

// at is the instant of a wall-clock minute on d. On a day when the clock changes the stretch is shorter or longer by the
// change, as it is for the people who work it.
func (c *Calendar) at(d Day, minute int) time.Time {
	return time.Date(d.Year, d.Month, d.Dom, 0, minute, 0, 0, c.loc)
}

// nthWorkingDay returns the n-th working day after d (n = 0: d itself, or the next working day).
func (c *Calendar) nthWorkingDay(d Day, n int) Day {
	if n == 0 {
		for i := 0; i < maxDays && !c.IsWorkingDay(d); i++ {
			d = d.Add(1)
		}
		return d
	}
	for ; n > 0; n-- {
		d = d.Add(1)
		for i := 0; i < maxDays && !c.IsWorkingDay(d); i++ {
			d = d.Add(1)
		}
	}
	return d
}

func (c *Calendar) opening(d Day) time.Time {
	if h := c.Hours(d); len(h) > 0 {
		return c.at(d, h[0].From)
	}
	return c.at(d, 0)
}

func (c *Calendar) closing(d Day) time.Time {
	if h := c.Hours(d); len(h) > 0 {
		return c.at(d, h[len(h)-1].To)
	}
	return c.at(d, 24*60)
}
