// Package figures makes the pages of statistics out of the measures: which period and selection a query means, the trees of agencies, areas and
// categories, the period before, and the public numbers. Console, portal and API show what it gives.
//
// It writes no HTML and decides no rights: row-level security does, by the actor that it is asked for.
package figures

import (
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"hotline/tickets/statistics"
)

// Query is a selection as an address holds it.
type Query struct {
	Preset   string    // one of Presets, or "custom"
	From, To time.Time // days; To is the first day after it
	Agency   uuid.UUID
	Area     string
	Category string
	Channel  string
	Kind     string
	By       statistics.Dimension
	// Own takes the node of By alone, without what lies below it; without a node, the tickets that have none.
	Own bool
}

// Custom is the preset of a period with two dates.
const Custom = "custom"

// Presets lists the named periods.
func Presets() []string {
	return []string{"today", "yesterday", "week", "last_week", "month", "last_month", "quarter", "last_quarter", "year", "last_year", "days_30", "months_12"}
}

func monthStart(t time.Time) time.Time { return t.AddDate(0, 0, 1-t.Day()) }
func weekStart(t time.Time) time.Time  { return t.AddDate(0, 0, -int(t.Weekday()+6)%7) }
func quarterStart(t time.Time) time.Time {
	return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
}
func yearStart(t time.Time) time.Time { return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC) }

// period is what a preset means on a day, and the unit that the period before lies back.
func period(preset string, today time.Time) (from, to time.Time, months, days int) {
	tomorrow := today.AddDate(0, 0, 1)
	switch preset {
	case "today":
		return today, tomorrow, 0, 1
	case "yesterday":
		return today.AddDate(0, 0, -1), today, 0, 1
	case "week":
		return weekStart(today), tomorrow, 0, 7
	case "last_week":
		return weekStart(today).AddDate(0, 0, -7), weekStart(today), 0, 7
	case "last_month":
		return monthStart(today).AddDate(0, -1, 0), monthStart(today), 1, 0
	case "quarter":
		return quarterStart(today), tomorrow, 3, 0
	case "last_quarter":
		return quarterStart(today).AddDate(0, -3, 0), quarterStart(today), 3, 0
	case "year":
		return yearStart(today), tomorrow, 12, 0
	case "last_year":
		return yearStart(today).AddDate(-1, 0, 0), yearStart(today), 12, 0
	case "days_30":
		return today.AddDate(0, 0, -29), tomorrow, 0, 30
	case "months_12":
		return monthStart(today).AddDate(0, -11, 0), tomorrow, 12, 0
	}
	return monthStart(today), tomorrow, 1, 0
}

// Parse reads a query; what makes no sense is left at its default: this month, by agency.
func Parse(v url.Values, today time.Time) Query {
	q := Query{Preset: v.Get("period"), Area: short(v.Get("area")), Category: short(v.Get("category")), Channel: short(v.Get("channel")), Kind: short(v.Get("kind")), By: statistics.Dimension(v.Get("by")), Own: v.Get("own") == "1"}
	q.Agency, _ = uuid.Parse(v.Get("agency")) // none: all
	if !slices.Contains(slices.Concat(statistics.Times(), statistics.Things()), q.By) {
		q.By = statistics.ByAgency
	}
	if q.Preset == Custom {
		from, err1 := time.Parse(time.DateOnly, v.Get("from"))
		last, err2 := time.Parse(time.DateOnly, v.Get("to"))
		if err1 == nil && err2 == nil && !last.Before(from) && last.Sub(from) < 3650*24*time.Hour {
			q.From, q.To = from, last.AddDate(0, 0, 1)
			return q
		}
	}
	if !slices.Contains(Presets(), q.Preset) {
		q.Preset = "month"
	}
	q.From, q.To, _, _ = period(q.Preset, today)
	return q
}

// short keeps what could be a code.
func short(s string) string {
	if len(s) > 200 {
		return ""
	}
	return s
}

// Values is the query as an address holds it.
func (q Query) Values() url.Values {
	v := url.Values{}
	set := func(key, value string) {
		if value != "" {
			v.Set(key, value)
		}
	}
	set("period", q.Preset)
	if q.Preset == Custom {
		set("from", q.From.Format(time.DateOnly))
		set("to", q.Last().Format(time.DateOnly))
	}
	if q.Agency != uuid.Nil {
		set("agency", q.Agency.String())
	}
	set("area", q.Area)
	set("category", q.Category)
	set("channel", q.Channel)
	set("kind", q.Kind)
	set("by", string(q.By))
	if q.Own {
		v.Set("own", "1")
	}
	return v
}

// Encode is the query of an address.
func (q Query) Encode() string { return q.Values().Encode() }

// Last is the last day of the period.
func (q Query) Last() time.Time { return q.To.AddDate(0, 0, -1) }

// Before is the same selection for the period before: the unit earlier, so that half a month stands against half a month; for two dates of one's
// own the same number of days before.
func (q Query) Before() Query {
	b := q
	if q.Preset == Custom {
		b.From, b.To = q.From.Add(-q.To.Sub(q.From)), q.From
		return b
	}
	_, _, months, days := period(q.Preset, q.From)
	b.Preset = Custom
	b.From, b.To = q.From.AddDate(0, -months, -days), q.To.AddDate(0, -months, -days)
	if months > 0 && b.To.Day() != q.To.Day() { // 31 March, a month before, is not 3 March
		b.To = monthStart(b.To)
	}
	if b.To.After(q.From) {
		b.To = q.From
	}
	return b
}

// Whole reports whether nothing but the period narrows the selection, and Chats whether chats can be counted in it.
func (q Query) Whole() bool { return q.Channel == "" && q.Chats() }

// Chats reports whether chats can be counted: they have a channel and nothing else.
func (q Query) Chats() bool {
	return q.Agency == uuid.Nil && q.Area == "" && q.Category == "" && q.Kind == ""
}

// Step is how the trend is cut: as asked for, or so that there are between a few and about forty pieces.
func (q Query) Step() statistics.Dimension {
	if slices.Contains(statistics.Times(), q.By) {
		return q.By
	}
	switch days := int(q.To.Sub(q.From).Hours() / 24); {
	case days <= 45:
		return statistics.ByDay
	case days <= 200:
		return statistics.ByWeek
	case days <= 1300:
		return statistics.ByMonth
	}
	return statistics.ByQuarter
}

// floor is the first day of the step that a day lies in.
func floor(step statistics.Dimension, day time.Time) time.Time {
	switch step {
	case statistics.ByWeek:
		return weekStart(day)
	case statistics.ByMonth:
		return monthStart(day)
	case statistics.ByQuarter:
		return quarterStart(day)
	case statistics.ByYear:
		return yearStart(day)
	}
	return day
}

// Next is the first day after the piece of a period that begins on day.
func Next(step statistics.Dimension, day time.Time) time.Time {
	switch step {
	case statistics.ByWeek:
		return day.AddDate(0, 0, 7)
	case statistics.ByMonth:
		return day.AddDate(0, 1, 0)
	case statistics.ByQuarter:
		return day.AddDate(0, 3, 0)
	case statistics.ByYear:
		return day.AddDate(1, 0, 0)
	}
	return day.AddDate(0, 0, 1)
}

// maxSteps bounds what a trend shows, the newest: ten years of days are a file, not a chart.
const maxSteps = 400

// Steps lists the first days of the pieces of the period.
func (q Query) Steps() []time.Time {
	step := q.Step()
	var out []time.Time
	for at := floor(step, q.From); at.Before(q.To); at = Next(step, at) {
		out = append(out, at)
	}
	return out[max(0, len(out)-maxSteps):]
}
