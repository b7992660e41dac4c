package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// CalendarDoc is a business calendar as data: what files hold and administrators edit. Build makes a Calendar of it.
type CalendarDoc struct {
	Code        string                 `json:"code"`
	Name        string                 `json:"name"`
	TimeZone    string                 `json:"time_zone"`
	Weekly      map[string][][2]string `json:"weekly"`
	MakeUpHours [][2]string            `json:"make_up_hours,omitempty"`
	Years       []CalendarYear         `json:"years"`
}

// CalendarYear is what was published for one year.
type CalendarYear struct {
	Year       int       `json:"year"`
	Source     string    `json:"source"`
	Holidays   []Holiday `json:"holidays"`
	MakeUpDays []string  `json:"make_up_days,omitempty"`
}

// Holiday is a range of days off, both ends included.
type Holiday struct {
	From string `json:"from"`
	To   string `json:"to"`
	Name string `json:"name"`
}

// Weekdays are the keys of a week, Monday first.
func Weekdays() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// ParseCalendar reads a calendar file. Unknown fields, empty weeks, overlapping hours, dates outside their year and years
// with a gap between them are errors, so that a typing mistake is found when the file is loaded, not when a deadline is wrong.
func ParseCalendar(b []byte) (*Calendar, error) {
	d, err := ParseCalendarDoc(b)
	if err != nil {
		return nil, err
	}
	return d.Build()
}

// ParseCalendarDoc reads a calendar file without judging more than its shape; see Build.
func ParseCalendarDoc(b []byte) (CalendarDoc, error) {
	var d CalendarDoc
	if err := strict(b, &d); err != nil {
		return CalendarDoc{}, problem("json", "reason", err.Error())
	}
	return d, nil
}

// Build makes the calendar. Errors are *Problem.
func (d CalendarDoc) Build() (*Calendar, error) {
	loc, err := time.LoadLocation(d.TimeZone)
	if err != nil || d.TimeZone == "" || d.TimeZone == "Local" {
		return nil, problem("time_zone", "zone", d.TimeZone)
	}
	c := &Calendar{
		code: d.Code, name: d.Name, loc: loc,
		holidays: map[Day]string{}, makeUpDays: map[Day]bool{}, published: map[int]bool{},
	}
	worked := false
	for name, hours := range d.Weekly {
		wd, ok := weekdays[name]
		if !ok {
			return nil, problem("weekday", "day", name)
		}
		if c.weekly[wd], err = parseHours(name, hours); err != nil {
			return nil, err
		}
		worked = worked || len(hours) > 0
	}
	if d.Code == "" || !worked {
		return nil, problem("week_empty")
	}
	if c.makeUp, err = parseHours("make_up_hours", d.MakeUpHours); err != nil {
		return nil, err
	}
	for i, y := range d.Years {
		if y.Year < 1970 || y.Year > 2200 || i > 0 && y.Year != c.last+1 {
			return nil, problem("year_gap", "year", fmt.Sprint(y.Year), "last", fmt.Sprint(c.last))
		}
		c.published[y.Year], c.last = true, y.Year
		if err := c.publish(y); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Calendar) publish(y CalendarYear) error {
	for _, h := range y.Holidays {
		from, err1 := ParseDay(h.From)
		to, err2 := ParseDay(h.To)
		if err1 != nil || err2 != nil || from.after(to) || from.Year != y.Year || to.Year != y.Year {
			return problem("holiday_range", "name", h.Name, "from", h.From, "to", h.To, "year", fmt.Sprint(y.Year))
		}
		for d := from; !d.after(to); d = d.Add(1) {
			c.holidays[d] = h.Name
		}
	}
	for _, s := range y.MakeUpDays {
		d, err := ParseDay(s)
		if err != nil || d.Year != y.Year {
			return problem("make_up_day", "day", s, "year", fmt.Sprint(y.Year))
		}
		c.makeUpDays[d] = true
	}
	return nil
}

// DayKind is what a calendar says of a day.
type DayKind string

// The kinds of days: as the week says, a day off, or worked against the week (调休).
const (
	Ordinary DayKind = "ordinary"
	DayOff   DayKind = "holiday"
	MadeUp   DayKind = "make_up"
)

// KindOf says what the calendar publishes of a day.
func (d CalendarDoc) KindOf(day Day) (kind DayKind, name string) {
	s := day.String()
	for _, y := range d.Years {
		if y.Year != day.Year {
			continue
		}
		if slices.Contains(y.MakeUpDays, s) {
			return MadeUp, ""
		}
		for _, h := range y.Holidays {
			if h.From <= s && s <= h.To { // ISO dates sort as text
				return DayOff, h.Name
			}
		}
	}
	return Ordinary, ""
}

// Set makes the days from first to last a holiday, make-up days, or ordinary again. The year must be there. Errors are *Problem.
func (d *CalendarDoc) Set(first, last Day, kind DayKind, name string) error {
	i := slices.IndexFunc(d.Years, func(y CalendarYear) bool { return y.Year == first.Year })
	if i < 0 || first.after(last) || last.Year != first.Year {
		return problem("holiday_range", "name", name, "from", first.String(), "to", last.String(), "year", fmt.Sprint(first.Year))
	}
	y := d.Years[i]
	var holidays []Holiday
	for _, h := range y.Holidays {
		from, err1 := ParseDay(h.From)
		to, err2 := ParseDay(h.To)
		if err1 != nil || err2 != nil || to.String() < first.String() || from.String() > last.String() {
			holidays = append(holidays, h)
			continue
		}
		// What the range does not touch of an older holiday remains.
		if from.String() < first.String() {
			holidays = append(holidays, Holiday{h.From, first.Add(-1).String(), h.Name})
		}
		if to.String() > last.String() {
			holidays = append(holidays, Holiday{last.Add(1).String(), h.To, h.Name})
		}
	}
	made := slices.DeleteFunc(slices.Clone(y.MakeUpDays), func(s string) bool { return first.String() <= s && s <= last.String() })
	switch kind {
	case DayOff:
		holidays = append(holidays, Holiday{first.String(), last.String(), name})
	case MadeUp:
		for day := first; !day.after(last); day = day.Add(1) {
			made = append(made, day.String())
		}
	}
	slices.SortFunc(holidays, func(a, b Holiday) int { return strings.Compare(a.From, b.From) })
	slices.Sort(made)
	y.Holidays, y.MakeUpDays = joined(holidays), made
	d.Years = slices.Clone(d.Years)
	d.Years[i] = y
	return nil
}

// joined makes one range of neighbouring days with one name.
func joined(in []Holiday) []Holiday {
	var out []Holiday
	for _, h := range in {
		if n := len(out); n > 0 && out[n-1].Name == h.Name {
			if to, err := ParseDay(out[n-1].To); err == nil && to.Add(1).String() == h.From {
				out[n-1].To = h.To
				continue
			}
		}
		out = append(out, h)
	}
	return out
}

// AddYear appends the year after the last, without holidays; the first is year.
func (d *CalendarDoc) AddYear(year int, source string) {
	if n := len(d.Years); n > 0 {
		year = d.Years[n-1].Year + 1
	}
	d.Years = append(slices.Clone(d.Years), CalendarYear{Year: year, Source: source, Holidays: []Holiday{}})
}

// HoursText writes stretches as people type them: "09:00-12:00, 13:30-17:30".
func HoursText(hours [][2]string) string {
	var parts []string
	for _, h := range hours {
		parts = append(parts, h[0]+"-"+h[1])
	}
	return strings.Join(parts, ", ")
}

// ParseHoursText reads what HoursText writes; nothing is a day off. Errors are *Problem.
func ParseHoursText(day, s string) ([][2]string, error) {
	out := [][2]string{}
	s = strings.NewReplacer("–", "-", "—", "-", "至", "-", "，", ",", "、", ",", "；", ",", ";", ",", "：", ":", " ", "").Replace(s)
	for part := range strings.SplitSeq(s, ",") {
		if part == "" {
			continue
		}
		from, to, ok := strings.Cut(part, "-")
		if !ok {
			return nil, problem("hours", "day", day, "text", part)
		}
		out = append(out, [2]string{from, to})
	}
	_, err := parseHours(day, out)
	return out, err
}
