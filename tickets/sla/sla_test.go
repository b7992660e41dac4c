package sla

import (
	"strings"
	"testing"
	"time"
)

func cal(t testing.TB, code string) *Calendar {
	t.Helper()
	c, err := ShippedCalendar(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t testing.TB, c *Calendar, s string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04", s, c.Location())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// nights works 22:00 to 06:00 on weekdays, round is staffed around the clock.
func custom(t testing.TB, zone, weekly string) *Calendar {
	t.Helper()
	c, err := ParseCalendar([]byte(`{"code":"x","name":"x","time_zone":"` + zone + `","weekly":` + weekly + `,
		"years":[{"year":2024,"source":"test"},{"year":2025,"source":"test"},{"year":2026,"source":"test"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	cn, de := cal(t, "cn"), cal(t, "de-be")
	leap := custom(t, "Asia/Shanghai", `{"mon":[["09:00","17:00"]],"tue":[["09:00","17:00"]],"wed":[["09:00","17:00"]],"thu":[["09:00","17:00"]],"fri":[["09:00","17:00"]]}`)
	night := custom(t, "Europe/Berlin", `{"mon":[["22:00","24:00"]],"tue":[["00:00","06:00"],["22:00","24:00"]],"wed":[["00:00","06:00"]]}`)
	tests := []struct {
		name        string
		cal         *Calendar
		start       string
		span        Span
		want        string
		provisional bool
	}{
		{"minutes elapse over lunch", cn, "2026-03-10 12:00", Span{N: 30, Unit: Minutes}, "2026-03-10 12:30", false},
		{"hours elapse over a night", cn, "2026-03-10 20:00", Span{N: 24, Unit: HoursUnit}, "2026-03-11 20:00", false},
		{"hours elapse over the lost hour in spring", de, "2026-03-28 20:00", Span{N: 24, Unit: HoursUnit}, "2026-03-29 21:00", false},
		{"hours elapse over the hour gained in autumn", de, "2026-10-24 20:00", Span{N: 24, Unit: HoursUnit}, "2026-10-25 19:00", false},
		{"days end with their last day, whatever the clocks do", de, "2026-03-28 20:00", Span{N: 1, Unit: Days}, "2026-03-30 00:00", false},
		{"days over a month end", cn, "2026-04-28 10:00", Span{N: 7, Unit: Days}, "2026-05-06 00:00", false},
		{"days over a leap day", leap, "2024-02-27 10:00", Span{N: 2, Unit: Days}, "2024-03-01 00:00", false},
		{"working days over a leap day", leap, "2024-02-28 10:00", Span{N: 2, Unit: WorkingDays}, "2024-03-01 17:00", false},
		{"working days over an ordinary February", leap, "2025-02-27 10:00", Span{N: 2, Unit: WorkingDays}, "2025-03-03 17:00", false},
		{"a span of days may roll to a working day", cn, "2026-04-24 10:00", Span{N: 7, Unit: Days, Roll: true}, "2026-05-07 00:00", false},
		{"the day of the start does not count", cn, "2026-03-10 09:00", Span{N: 1, Unit: WorkingDays}, "2026-03-11 17:30", false},
		{"over a weekend", cn, "2026-03-13 16:00", Span{N: 1, Unit: WorkingDays}, "2026-03-16 17:30", false},
		{"from a Sunday", cn, "2026-03-15 10:00", Span{N: 1, Unit: WorkingDays}, "2026-03-16 17:30", false},
		{"a make-up Saturday counts before the Spring Festival", cn, "2026-02-13 10:00", Span{N: 1, Unit: WorkingDays}, "2026-02-14 17:30", false},
		{"the Spring Festival does not count", cn, "2026-02-14 10:00", Span{N: 1, Unit: WorkingDays}, "2026-02-24 17:30", false},
		{"a make-up Saturday counts after it", cn, "2026-02-24 10:00", Span{N: 4, Unit: WorkingDays}, "2026-02-28 17:30", false},
		{"a make-up Sunday counts", cn, "2026-01-02 10:00", Span{N: 1, Unit: WorkingDays}, "2026-01-04 17:30", false},
		{"National Day, make-up days on both sides", cn, "2026-09-18 10:00", Span{N: 11, Unit: WorkingDays}, "2026-10-10 17:30", false},
		{"Easter in Berlin", de, "2026-04-02 09:00", Span{N: 1, Unit: WorkingDays}, "2026-04-07 16:00", false},
		{"the hours of the last day decide", de, "2026-04-29 09:00", Span{N: 1, Unit: WorkingDays}, "2026-04-30 18:00", false},
		{"overnight shifts close after midnight", night, "2026-03-09 23:00", Span{N: 2, Unit: WorkingDays}, "2026-03-11 06:00", false},
		{"past the last published year", cn, "2026-12-31 10:00", Span{N: 1, Unit: WorkingDays}, "2027-01-01 17:30", true},
		{"midnight at the turn of the year still belongs to the old one", cn, "2026-12-30 10:00", Span{N: 1, Unit: Days}, "2027-01-01 00:00", false},
		{"elapsed hours need no calendar", cn, "2026-12-31 23:00", Span{N: 2, Unit: HoursUnit}, "2027-01-01 01:00", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			due, prov := Deadline(at(t, tt.cal, tt.start), tt.span, tt.cal)
			if want := at(t, tt.cal, tt.want); !due.Equal(want) {
				t.Errorf("due %s, want %s", due.In(tt.cal.Location()), want)
			}
			if prov != tt.provisional {
				t.Errorf("provisional %v, want %v", prov, tt.provisional)
			}
		})
	}
}

func TestWorkingTime(t *testing.T) {
	t.Parallel()
	cn := cal(t, "cn")
	round := custom(t, "Europe/Berlin", `{"sun":[["00:00","24:00"]],"mon":[["00:00","24:00"]],"sat":[["00:00","24:00"]]}`)
	tests := []struct {
		name     string
		cal      *Calendar
		from, to string
		want     time.Duration
	}{
		{"lunch is not work", cn, "2026-03-10 11:00", "2026-03-10 14:30", 2 * time.Hour},
		{"night and weekend are not work", cn, "2026-03-13 16:30", "2026-03-16 10:00", 2 * time.Hour},
		{"a holiday is not work", cn, "2026-05-01 00:00", "2026-05-06 00:00", 0},
		{"a make-up Saturday is work", cn, "2026-05-09 00:00", "2026-05-10 00:00", 7 * time.Hour},
		{"the lost hour is not worked", round, "2026-03-29 00:00", "2026-03-30 00:00", 23 * time.Hour},
		{"the gained hour is worked", round, "2026-10-25 00:00", "2026-10-26 00:00", 25 * time.Hour},
		{"backwards is nothing", cn, "2026-03-11 10:00", "2026-03-10 10:00", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from := at(t, tt.cal, tt.from)
			got := tt.cal.WorkingBetween(from, at(t, tt.cal, tt.to))
			if got != tt.want {
				t.Fatalf("got %s, want %s", got, tt.want)
			}
			if got > 0 {
				if back := tt.cal.WorkingBetween(from, tt.cal.AddWorking(from, got)); back != got {
					t.Errorf("AddWorking(%s) leaves %s", got, back)
				}
			}
		})
	}
}

func TestNextOpening(t *testing.T) {
	t.Parallel()
	cn := cal(t, "cn")
	for from, want := range map[string]string{
		"2026-03-10 10:00": "2026-03-10 10:00", "2026-03-10 12:10": "2026-03-10 13:30",
		"2026-03-13 18:00": "2026-03-16 09:00", "2026-02-14 17:30": "2026-02-24 09:00",
	} {
		if got := cn.NextOpening(at(t, cn, from)); !got.Equal(at(t, cn, want)) {
			t.Errorf("from %s: %s, want %s", from, got, want)
		}
	}
	if !cn.InHours(at(t, cn, "2026-02-14 10:00")) || cn.InHours(at(t, cn, "2026-02-14 12:30")) || cn.InHours(at(t, cn, "2026-02-16 10:00")) {
		t.Error("make-up day, lunch or holiday misjudged")
	}
}

func TestPauseKeepsWorkingTime(t *testing.T) {
	t.Parallel()
	cn := cal(t, "cn")
	// Due Wednesday 17:30; paused on Tuesday 15:30 with 2 h + 7 h left; resumed the next Monday 09:00.
	due, _ := Deadline(at(t, cn, "2026-03-09 10:00"), Span{N: 2, Unit: WorkingDays}, cn)
	p := at(t, cn, "2026-03-10 15:30")
	rem := Pause(p, due, WorkingDays, cn)
	if rem.Left != 9*time.Hour {
		t.Fatalf("left %s", rem.Left)
	}
	limit := Span{N: 5, Unit: WorkingDays}
	got, prov := Resume(p, at(t, cn, "2026-03-16 09:00"), due, rem, PauseEnds(p, limit, nil, cn), cn)
	if want := at(t, cn, "2026-03-17 11:00"); !got.Equal(want) || prov {
		t.Errorf("resumed to %s %v, want %s", got, prov, want)
	}
	// The pause is capped: its end is 17:30 on the 17th, however late the citizen answers.
	got, _ = Resume(p, at(t, cn, "2026-04-20 09:00"), due, rem, PauseEnds(p, limit, nil, cn), cn)
	if want := at(t, cn, "2026-03-19 11:00"); !got.Equal(want) {
		t.Errorf("capped to %s, want %s", got, want)
	}
	// What was overdue stays overdue.
	late := at(t, cn, "2026-03-20 09:00")
	if got, _ := Resume(late, at(t, cn, "2026-03-23 09:00"), due, Pause(late, due, WorkingDays, cn), PauseEnds(late, limit, nil, cn), cn); !got.Equal(due) {
		t.Errorf("an overdue clock moved to %s", got)
	}
	// Elapsed units keep elapsed time.
	due = at(t, cn, "2026-03-10 12:00")
	p = at(t, cn, "2026-03-10 11:00")
	if got, _ := Resume(p, at(t, cn, "2026-03-10 20:00"), due, Pause(p, due, HoursUnit, cn), time.Time{}, cn); !got.Equal(at(t, cn, "2026-03-10 21:00")) {
		t.Errorf("elapsed resumed to %s", got)
	}
}

func TestLights(t *testing.T) {
	t.Parallel()
	cn := cal(t, "cn")
	start, due := at(t, cn, "2026-03-10 08:00"), at(t, cn, "2026-03-10 12:00")
	for s, want := range map[string]Light{
		"2026-03-10 08:00": Green, "2026-03-10 10:59": Green, "2026-03-10 11:00": Yellow, "2026-03-10 11:59": Yellow, "2026-03-10 12:00": Red, "2026-03-11 12:00": Red,
	} {
		if got := Lights(at(t, cn, s), start, due, .25); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
	// Friday 15:30 to Monday 17:30 is 2 h + 7 h of work; a quarter is 2 h 15.
	warn := WarnAt(at(t, cn, "2026-03-13 15:30"), at(t, cn, "2026-03-16 17:30"), .25, WorkingDays, cn)
	if want := at(t, cn, "2026-03-16 15:15"); !warn.Equal(want) {
		t.Errorf("warns at %s, want %s", warn, want)
	}
}

func TestLadder(t *testing.T) {
	t.Parallel()
	cn, set, err := Shipped("cn")
	if err != nil {
		t.Fatal(err)
	}
	warn, due := at(t, cn, "2026-02-13 15:00"), at(t, cn, "2026-02-14 17:30")
	want := []struct {
		stage Stage
		at    string
	}{
		{Reminder, "2026-02-13 15:00"},
		{Notice, "2026-02-14 17:30"},
		{Dunning, "2026-02-24 09:00"},   // the holiday is not held against the agency
		{Criticism, "2026-02-28 17:30"}, // the fifth working day is a make-up Saturday
	}
	stage := Start
	for _, w := range want {
		next, fires := set.Ladder.Next(stage, warn, due, cn)
		if next != w.stage || !fires.Equal(at(t, cn, w.at)) {
			t.Fatalf("after %q: %s at %s, want %s at %s", stage, next, fires, w.stage, w.at)
		}
		stage = next
	}
	if next, fires := set.Ladder.Next(stage, warn, due, cn); next != Done || !fires.IsZero() {
		t.Errorf("after the last rung: %s at %s", next, fires)
	}
	if next, _ := set.Ladder.Next("no such stage", warn, due, cn); next != Done {
		t.Errorf("after an unknown stage: %s", next)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	_, set, err := Shipped("cn")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		kind, category, urgency string
		code                    string
		resolve                 Span
	}{
		{"praise", "", "", "default", Span{N: 7, Unit: Days}},
		{"consult", "education.school", "normal", "consult", Span{N: 2, Unit: WorkingDays}},
		{"complaint", "utilities.water", "normal", "utilities", Span{N: 24, Unit: HoursUnit}},
		{"complaint", "utilities", "normal", "utilities", Span{N: 24, Unit: HoursUnit}},
		{"complaint", "utilitiesx", "normal", "complaint", Span{N: 5, Unit: WorkingDays}},
		{"complaint", "utilities.water", "urgent", "urgent", Span{N: 2, Unit: HoursUnit}},
	}
	for _, tt := range tests {
		p, ok := set.Choose(tt.kind, tt.category, tt.urgency)
		if !ok || p.Code != tt.code || p.Clocks[Resolve] != tt.resolve {
			t.Errorf("%s/%s/%s: %s %v", tt.kind, tt.category, tt.urgency, p.Code, p.Clocks[Resolve])
		}
		if p.Clocks[AwaitCitizen] != (Span{N: 5, Unit: WorkingDays}) || p.WarnFraction != .25 {
			t.Errorf("%s/%s/%s: what a policy leaves out does not come from the default", tt.kind, tt.category, tt.urgency)
		}
	}
	two := []Policy{{Code: "b", Kind: "help"}, {Code: "a", Kind: "help"}, {Code: "c", Kind: "help", Category: "x"}, {Code: "d", Kind: "help", Category: "x.y"}}
	if p, _ := Choose(two, "help", "", ""); p.Code != "a" {
		t.Errorf("a tie goes to %s", p.Code)
	}
	if p, _ := Choose(two, "help", "x.y.z", ""); p.Code != "d" {
		t.Errorf("the deeper category loses to %s", p.Code)
	}
	if _, ok := Choose(two, "praise", "", ""); ok {
		t.Error("a policy matched what it should not")
	}
}

func TestBadDataIsRefused(t *testing.T) {
	t.Parallel()
	week := `"weekly":{"mon":[["09:00","17:00"]]}`
	for name, tt := range map[string]struct{ doc, says string }{
		"zone":      {`{"code":"x","name":"x","time_zone":"Mars/Base",` + week + `}`, "time zone"},
		"week":      {`{"code":"x","name":"x","time_zone":"UTC","weekly":{}}`, "working stretch"},
		"weekday":   {`{"code":"x","name":"x","time_zone":"UTC","weekly":{"montag":[]}}`, "weekday"},
		"overlap":   {`{"code":"x","name":"x","time_zone":"UTC","weekly":{"mon":[["09:00","12:00"],["11:00","13:00"]]}}`, "overlaps"},
		"backwards": {`{"code":"x","name":"x","time_zone":"UTC","weekly":{"mon":[["17:00","09:00"]]}}`, "not before"},
		"minutes":   {`{"code":"x","name":"x","time_zone":"UTC","weekly":{"mon":[["09:75","17:00"]]}}`, "HH:MM"},
		"gap":       {`{"code":"x","name":"x","time_zone":"UTC",` + week + `,"years":[{"year":2024},{"year":2026}]}`, "follow"},
		"range":     {`{"code":"x","name":"x","time_zone":"UTC",` + week + `,"years":[{"year":2026,"holidays":[{"from":"2026-05-02","to":"2026-05-01","name":"n"}]}]}`, "range"},
		"wrongyear": {`{"code":"x","name":"x","time_zone":"UTC",` + week + `,"years":[{"year":2026,"make_up_days":["2025-05-02"]}]}`, "make-up"},
		"field":     {`{"code":"x","name":"x","time_zone":"UTC",` + week + `,"hollidays":[]}`, "unknown field"},
	} {
		if _, err := ParseCalendar([]byte(tt.doc)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, tt := range map[string]struct{ doc, says string }{
		"no default": {`{"policies":[{"code":"x","kind":"help"}]}`, "every ticket"},
		"twice":      {`{"policies":[{"code":"x"},{"code":"x"}]}`, "twice"},
		"clock":      {`{"policies":[{"code":"x","clocks":{"nap":{"n":1,"unit":"hours"}}}]}`, "unknown clock"},
		"unit":       {`{"policies":[{"code":"x","clocks":{"sign":{"n":1,"unit":"weeks"}}}]}`, "working_days"},
		"ladder":     {`{"policies":[{"code":"x"}],"ladder":[{"stage":"notice","anchor":"due"},{"stage":"reminder","anchor":"warn"}]}`, "out of order"},
		"warn":       {`{"warn_fraction":1,"policies":[{"code":"x"}]}`, "warn_fraction"},
	} {
		if _, err := ParseSet([]byte(tt.doc)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := Shipped("atlantis"); err == nil || !strings.Contains(err.Error(), "cn") {
		t.Errorf("an unknown calendar: %v", err)
	}
}

func TestEveryShippedCalendarLoads(t *testing.T) {
	t.Parallel()
	codes := ShippedCalendars()
	if len(codes) < 2 {
		t.Fatalf("shipped: %v", codes)
	}
	for _, code := range codes {
		if c := cal(t, code); c.Code() != code || c.Name() == "" || c.LastPublishedYear() < 2026 {
			t.Errorf("%s: %q %d", code, c.Code(), c.LastPublishedYear())
		}
	}
	if name, ok := cal(t, "cn").Holiday(Day{2026, time.February, 17}); !ok || name != "春节" {
		t.Errorf("17 February 2026 is %q", name)
	}
}
