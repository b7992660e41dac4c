package figures_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotline/tickets/measures"
	"hotline/tickets/statistics"
	"hotline/web/figures"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ preset, today, from, last, beforeFrom, beforeLast string }{
		{"today", "2026-03-10", "2026-03-10", "2026-03-10", "2026-03-09", "2026-03-09"},
		{"week", "2026-03-11", "2026-03-09", "2026-03-11", "2026-03-02", "2026-03-04"},
		{"last_week", "2026-03-11", "2026-03-02", "2026-03-08", "2026-02-23", "2026-03-01"},
		{"month", "2026-03-10", "2026-03-01", "2026-03-10", "2026-02-01", "2026-02-10"},
		{"month", "2026-03-30", "2026-03-01", "2026-03-30", "2026-02-01", "2026-02-28"}, // February has no 30th
		{"month", "2026-03-31", "2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28"},
		{"last_month", "2026-03-10", "2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"},
		{"quarter", "2026-05-31", "2026-04-01", "2026-05-31", "2026-01-01", "2026-02-28"},
		{"last_quarter", "2026-02-01", "2025-10-01", "2025-12-31", "2025-07-01", "2025-09-30"},
		{"year", "2028-02-29", "2028-01-01", "2028-02-29", "2027-01-01", "2027-02-28"},
		{"last_year", "2026-03-10", "2025-01-01", "2025-12-31", "2024-01-01", "2024-12-31"},
		{"days_30", "2026-03-10", "2026-02-09", "2026-03-10", "2026-01-10", "2026-02-08"},
		{"months_12", "2026-03-10", "2025-04-01", "2026-03-10", "2024-04-01", "2025-03-10"},
	} {
		q := figures.Parse(url.Values{"period": {tt.preset}}, day(tt.today))
		b := q.Before()
		if !q.From.Equal(day(tt.from)) || !q.Last().Equal(day(tt.last)) || !b.From.Equal(day(tt.beforeFrom)) || !b.Last().Equal(day(tt.beforeLast)) {
			t.Errorf("%s on %s: %s to %s, before it %s to %s", tt.preset, tt.today, q.From, q.Last(), b.From, b.Last())
		}
	}
	custom := figures.Parse(url.Values{"period": {"custom"}, "from": {"2026-01-05"}, "to": {"2026-01-09"}}, day("2026-03-10"))
	if b := custom.Before(); !b.From.Equal(day("2025-12-31")) || !b.Last().Equal(day("2026-01-04")) {
		t.Errorf("five days of one's own: %s to %s", b.From, b.Last())
	}
	for _, bad := range []url.Values{{"period": {"nonsense"}}, {"period": {"custom"}}, {"period": {"custom"}, "from": {"2026-02-01"}, "to": {"2026-01-01"}}, {"by": {"contact"}}} {
		if q := figures.Parse(bad, day("2026-03-10")); q.Preset != "month" || q.By != statistics.ByAgency {
			t.Errorf("%v is taken as %+v", bad, q)
		}
	}
}

func TestAQueryComesBackFromItsAddress(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		today := day("2020-01-01").AddDate(0, 0, rapid.IntRange(0, 4000).Draw(t, "day"))
		v := url.Values{"period": {rapid.SampledFrom(append(figures.Presets(), figures.Custom)).Draw(t, "period")}, "by": {string(rapid.SampledFrom(append(statistics.Times(), statistics.Things()...)).Draw(t, "by"))}}
		if v.Get("period") == figures.Custom {
			from := rapid.IntRange(0, 2000).Draw(t, "from")
			v.Set("from", today.AddDate(0, 0, -from).Format(time.DateOnly))
			v.Set("to", today.AddDate(0, 0, -rapid.IntRange(0, from).Draw(t, "to")).Format(time.DateOnly))
		}
		q := figures.Parse(v, today)
		if again := figures.Parse(q.Values(), today); again != q {
			t.Fatalf("%+v came back as %+v", q, again)
		}
		steps := q.Steps()
		if len(steps) == 0 || len(steps) > 400 || steps[len(steps)-1].After(q.Last()) {
			t.Fatalf("%d steps, the last %v", len(steps), steps)
		}
		if b := q.Before(); b.To.After(q.From) || !b.From.Before(b.To) {
			t.Fatalf("before %s–%s lies %s–%s", q.From, q.Last(), b.From, b.Last())
		}
	})
}

func TestNothingSmallIsPublished(t *testing.T) {
	t.Parallel()
	s := measures.Default()
	rapid.Check(t, func(t *rapid.T) {
		var n measures.Counts
		for _, c := range measures.Everything() {
			n[c] = int64(rapid.IntRange(0, 12).Draw(t, c.String()))
		}
		for _, v := range figures.Numbers(n, s) {
			for _, count := range []*int64{v.Part, v.Whole} {
				if count != nil && *count > 0 && *count < int64(s.SmallCell) {
					t.Fatalf("%s tells of %d", v.Code, *count)
				}
			}
			if v.Part != nil && *v.Whole-*v.Part > 0 && *v.Whole-*v.Part < int64(s.SmallCell) {
				t.Fatalf("%s tells of %d by leaving %d", v.Code, *v.Whole-*v.Part, *v.Part)
			}
			if v.Known && v.TooFew {
				t.Fatalf("%s is known and too few", v.Code)
			}
			for _, l := range v.Left {
				if l.N != nil && *l.N > 0 && *l.N < int64(s.SmallCell) {
					t.Fatalf("%s tells of %d left out", v.Code, *l.N)
				}
			}
		}
	})
}

func TestSharesAreNotRoundedToAllOrNothing(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0%", 1: "100%", .99999: "99.9%", .00001: "0.1%", .5: "50%", .934: "93.4%"} {
		if got := figures.Percent(v); got != want {
			t.Errorf("%v is written %s", v, got)
		}
	}
	if g := figures.Growth(3, 0) + figures.Growth(5, 5) + figures.Growth(1000, 1001); !strings.Contains(g, "±0%") || !strings.Contains(g, "−1%") {
		t.Errorf("%s", g)
	}
}
