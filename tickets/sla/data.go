package sla

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed calendars/*.json policies/*.json
var shipped embed.FS

// Set is everything that one jurisdiction decides about time.
type Set struct {
	Jurisdiction string   `json:"jurisdiction"`
	Calendar     string   `json:"calendar,omitempty"` // code of the business calendar
	WarnFraction float64  `json:"warn_fraction"`
	Policies     []Policy `json:"policies"`
	Ladder       Ladder   `json:"ladder"`
	Limits       Limits   `json:"limits,omitzero"`
}

// Limits are the counts of a jurisdiction. A zero takes the shipped default.
type Limits struct {
	Dispatches       int `json:"dispatches,omitempty"`        // from this many on a return leads to coordination; 3
	Extensions       int `json:"extensions,omitempty"`        // of one ticket; 1
	ExtensionPercent int `json:"extension_percent,omitempty"` // longest extension, in percent of the original length; 100
	RevisitTries     int `json:"revisit_tries,omitempty"`     // 3
	RevisitGapHours  int `json:"revisit_gap_hours,omitempty"` // between two calls, or two messages that staff send, at the least; 2
	RectifyDays      int `json:"rectify_days,omitempty"`      // of a rectification whose policy has no clock for it; 7
	// DueSoonHours stands in sets of earlier versions. Nothing reads it: "due soon" follows the yellow light.
	DueSoonHours int `json:"due_soon_hours,omitempty"`
}

// WithDefaults fills what is zero.
func (l Limits) WithDefaults() Limits {
	for _, f := range []struct {
		at *int
		n  int
	}{{&l.Dispatches, 3}, {&l.Extensions, 1}, {&l.ExtensionPercent, 100}, {&l.RevisitTries, 3}, {&l.RevisitGapHours, 2}, {&l.RectifyDays, 7}} {
		if *f.at == 0 {
			*f.at = f.n
		}
	}
	return l
}

// Choose is Choose over the set's policies with the set's warning fraction filled in.
func (s Set) Choose(kind, category, urgency string) (Policy, bool) {
	p, ok := Choose(s.Policies, kind, category, urgency)
	if p.WarnFraction == 0 {
		p.WarnFraction = s.WarnFraction
	}
	return p, ok
}

// Shipped returns the calendar with this code and the default policies from the files in the binary. It returns an error that names the
// known codes for any other.
func Shipped(calendar string) (*Calendar, Set, error) {
	cal, err := ShippedCalendar(calendar)
	if err != nil {
		return nil, Set{}, err
	}
	set, err := ShippedSet()
	set.Calendar = calendar
	return cal, set, err
}

// ShippedSet returns the default policies.
func ShippedSet() (Set, error) {
	b, err := shipped.ReadFile("policies/default.json")
	if err != nil {
		return Set{}, err
	}
	return ParseSet(b)
}

// ShippedCalendar returns one of the calendars in the binary.
func ShippedCalendar(code string) (*Calendar, error) {
	d, err := ShippedCalendarDoc(code)
	if err != nil {
		return nil, err
	}
	return d.Build()
}

// ShippedCalendarDoc returns the data of one of the calendars in the binary.
func ShippedCalendarDoc(code string) (CalendarDoc, error) {
	b, err := shipped.ReadFile("calendars/" + code + ".json")
	if err != nil {
		return CalendarDoc{}, fmt.Errorf("calendar %q: shipped calendars are %s", code, strings.Join(ShippedCalendars(), ", "))
	}
	return ParseCalendarDoc(b)
}

// ShippedCalendarIn returns the code of the first shipped calendar in a time zone, "cn" when there is none.
func ShippedCalendarIn(zone string) string {
	for _, code := range ShippedCalendars() {
		if d, err := ShippedCalendarDoc(code); err == nil && d.TimeZone == zone {
			return code
		}
	}
	return "cn"
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

func parseHours(day string, in [][2]string) ([]Hours, error) {
	var out []Hours
	for _, p := range in {
		from, ok1 := parseMinute(p[0])
		to, ok2 := parseMinute(p[1])
		if !ok1 || !ok2 {
			return nil, problem("hours", "day", day, "text", p[0]+"-"+p[1])
		}
		if from >= to {
			return nil, problem("hours_order", "day", day, "from", p[0], "to", p[1])
		}
		if len(out) > 0 && from < out[len(out)-1].To {
			return nil, problem("hours_overlap", "day", day, "from", p[0])
		}
		out = append(out, Hours{from, to})
	}
	return out, nil
}

func parseMinute(s string) (int, bool) {
	h, m, ok := strings.Cut(s, ":")
	hh, err1 := strconv.Atoi(h)
	mm, err2 := strconv.Atoi(m)
	return hh*60 + mm, ok && err1 == nil && err2 == nil && hh >= 0 && mm >= 0 && mm <= 59 && hh*60+mm <= 24*60
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
