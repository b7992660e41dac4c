package sla

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed calendars/*.json policies/*.json
var shipped embed.FS

// Set is everything that one jurisdiction decides about time.
type Set struct {
	Jurisdiction string   `json:"jurisdiction"`
	WarnFraction float64  `json:"warn_fraction"`
	Policies     []Policy `json:"policies"`
	Ladder       Ladder   `json:"ladder"`
}

// Choose is Choose over the set's policies with the set's warning fraction filled in.
func (s Set) Choose(kind, category, urgency string) (Policy, bool) {
	p, ok := Choose(s.Policies, kind, category, urgency)
	if p.WarnFraction == 0 {
		p.WarnFraction = s.WarnFraction
	}
	return p, ok
}

// Shipped returns the calendar with this code and the default policies from the files in the binary. Known codes are "cn"
// (China) and "de-be" (Berlin). It returns an error that names the known codes for any other.
func Shipped(calendar string) (*Calendar, Set, error) {
	cal, err := ShippedCalendar(calendar)
	if err != nil {
		return nil, Set{}, err
	}
	b, err := shipped.ReadFile("policies/default.json")
	if err != nil {
		return nil, Set{}, err
	}
	set, err := ParseSet(b)
	return cal, set, err
}

// ShippedCalendar returns one of the calendars in the binary.
func ShippedCalendar(code string) (*Calendar, error) {
	b, err := shipped.ReadFile("calendars/" + code + ".json")
	if err != nil {
		return nil, fmt.Errorf("calendar %q: shipped calendars are %s", code, strings.Join(ShippedCalendars(), ", "))
	}
	return ParseCalendar(b)
}

// ShippedCalendars lists the codes of the calendars in the binary.
func ShippedCalendars() []string {
	entries, err := fs.ReadDir(shipped, "calendars")
	if err != nil {
		return nil
	}
	var codes []string
	for _, e := range entries {
		codes = append(codes, strings.TrimSuffix(e.Name(), ".json"))
	}
	return codes
}

type calendarFile struct {
	Code        string                 `json:"code"`
	Name        string                 `json:"name"`
	TimeZone    string                 `json:"time_zone"`
	Weekly      map[string][][2]string `json:"weekly"`
	MakeUpHours [][2]string            `json:"make_up_hours,omitempty"`
	Years       []struct {
		Year     int    `json:"year"`
		Source   string `json:"source"`
		Holidays []struct {
			From, To, Name string
		} `json:"holidays"`
		MakeUpDays []string `json:"make_up_days,omitempty"`
	} `json:"years"`
}

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// ParseCalendar reads a calendar file. Unknown fields, empty weeks, overlapping hours, dates outside their year and years
// with a gap between them are errors, so that a typing mistake is found when the file is loaded, not when a deadline is wrong.
func ParseCalendar(b []byte) (*Calendar, error) {
	var f calendarFile
	if err := strict(b, &f); err != nil {
		return nil, fmt.Errorf("calendar: %w", err)
	}
	loc, err := time.LoadLocation(f.TimeZone)
	if err != nil || f.TimeZone == "" || f.TimeZone == "Local" {
		return nil, fmt.Errorf("calendar %s: unknown time zone %q", f.Code, f.TimeZone)
	}
	c := &Calendar{
		code: f.Code, name: f.Name, loc: loc,
		holidays: map[Day]string{}, makeUpDays: map[Day]bool{}, published: map[int]bool{},
	}
	worked := false
	for name, hours := range f.Weekly {
		wd, ok := weekdays[name]
		if !ok {
			return nil, fmt.Errorf("calendar %s: unknown weekday %q", f.Code, name)
		}
		if c.weekly[wd], err = parseHours(hours); err != nil {
			return nil, fmt.Errorf("calendar %s: %s: %w", f.Code, name, err)
		}
		worked = worked || len(hours) > 0
	}
	if f.Code == "" || !worked {
		return nil, errors.New("calendar: needs a code and at least one working stretch in the week")
	}
	if c.makeUp, err = parseHours(f.MakeUpHours); err != nil {
		return nil, fmt.Errorf("calendar %s: make_up_hours: %w", f.Code, err)
	}
	for i, y := range f.Years {
		if i > 0 && y.Year != c.last+1 {
			return nil, fmt.Errorf("calendar %s: year %d does not follow %d", f.Code, y.Year, c.last)
		}
		c.published[y.Year], c.last = true, y.Year
		for _, h := range y.Holidays {
			from, err1 := ParseDay(h.From)
			to, err2 := ParseDay(h.To)
			if err := errors.Join(err1, err2); err != nil {
				return nil, fmt.Errorf("calendar %s: %s: %w", f.Code, h.Name, err)
			}
			if from.after(to) || from.Year != y.Year || to.Year != y.Year {
				return nil, fmt.Errorf("calendar %s: %s: %s to %s is not a range within %d", f.Code, h.Name, from, to, y.Year)
			}
			for d := from; !d.after(to); d = d.Add(1) {
				c.holidays[d] = h.Name
			}
		}
		for _, s := range y.MakeUpDays {
			d, err := ParseDay(s)
			if err != nil || d.Year != y.Year {
				return nil, fmt.Errorf("calendar %s: make-up day %q is not a date in %d", f.Code, s, y.Year)
			}
			c.makeUpDays[d] = true
		}
	}
	return c, nil
}

func parseHours(in [][2]string) ([]Hours, error) {
	var out []Hours
	for _, p := range in {
		from, err1 := parseMinute(p[0])
		to, err2 := parseMinute(p[1])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		if from >= to {
			return nil, fmt.Errorf("%s is not before %s", p[0], p[1])
		}
		if len(out) > 0 && from < out[len(out)-1].To {
			return nil, fmt.Errorf("%s overlaps the stretch before it", p[0])
		}
		out = append(out, Hours{from, to})
	}
	return out, nil
}

func parseMinute(s string) (int, error) {
	h, m, ok := strings.Cut(s, ":")
	hh, err1 := strconv.Atoi(h)
	mm, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || hh < 0 || mm < 0 || mm > 59 || hh*60+mm > 24*60 {
		return 0, fmt.Errorf("time %q: want HH:MM up to 24:00", s)
	}
	return hh*60 + mm, nil
}

// ParseSet reads a policy file. Unknown fields, units, clocks and stages are errors, and so is a set without a policy that
// matches every ticket.
func ParseSet(b []byte) (Set, error) {
	var s Set
	if err := strict(b, &s); err != nil {
		return Set{}, fmt.Errorf("policies: %w", err)
	}
	if s.WarnFraction < 0 || s.WarnFraction >= 1 {
		return Set{}, fmt.Errorf("policies: warn_fraction %v: want 0 up to below 1", s.WarnFraction)
	}
	codes := map[string]bool{}
	for _, p := range s.Policies {
		if p.Code == "" || codes[p.Code] {
			return Set{}, fmt.Errorf("policies: code %q is empty or used twice", p.Code)
		}
		codes[p.Code] = true
		if p.WarnFraction < 0 || p.WarnFraction >= 1 {
			return Set{}, fmt.Errorf("policy %s: warn_fraction %v: want 0 up to below 1", p.Code, p.WarnFraction)
		}
		for name, span := range p.Clocks {
			if !slices.Contains(ClockNames(), name) {
				return Set{}, fmt.Errorf("policy %s: unknown clock %q", p.Code, name)
			}
			if span.N <= 0 || !slices.Contains([]Unit{Minutes, HoursUnit, Days, WorkingDays}, span.Unit) {
				return Set{}, fmt.Errorf("policy %s: clock %s: want a positive number of minutes, hours, days or working_days", p.Code, name)
			}
		}
	}
	if _, ok := Choose(s.Policies, "", "", ""); !ok {
		return Set{}, errors.New("policies: one policy must match every ticket")
	}
	order := []Stage{Reminder, Notice, Dunning, Criticism}
	last := -1
	for _, r := range s.Ladder {
		i := slices.Index(order, r.Stage)
		if i <= last {
			return Set{}, fmt.Errorf("ladder: stage %q is unknown or out of order", r.Stage)
		}
		last = i
		if (r.Anchor != "warn" && r.Anchor != "due") || r.WorkingDays < 0 || (r.At != "" && r.At != "open" && r.At != "close") {
			return Set{}, fmt.Errorf("ladder: %s: anchor is warn or due, at is open or close", r.Stage)
		}
	}
	return s, nil
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
