package app

import (
	"testing"
	"time"
)

func TestDutyFollowsTheHoursOfTheCity(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	week := map[string][]officeSpan{"mon": {{"08:00", "12:00"}, {"13:00", "20:00"}}, "fri": {{"08:00", "24:00"}}}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, zone) } // 2 March 2026 is a Monday
	for _, row := range []struct {
		now  time.Time
		open bool
		next time.Time
	}{
		{at(2, 8, 0), true, time.Time{}},
		{at(2, 7, 59), false, at(2, 8, 0)},
		{at(2, 12, 30), false, at(2, 13, 0)},
		{at(2, 20, 0), false, at(6, 8, 0)},
		{at(6, 23, 59), true, time.Time{}},
		{at(7, 0, 0), false, at(9, 8, 0)},
	} {
		open, next := onDuty(week, zone, row.now.UTC())
		if open != row.open || !next.Equal(row.next) {
			t.Errorf("%s: open %v, next %s; want %v, %s", row.now, open, next, row.open, row.next)
		}
	}
	if open, _ := onDuty(nil, zone, at(2, 3, 0)); !open {
		t.Error("a city without hours is closed")
	}
}
