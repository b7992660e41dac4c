package surge

import (
	"bufio"
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		observed    int
		weeks       []int
		alarm, calm bool
	}{
		{"a burst pipe in a quiet street", 9, []int{0, 0, 1, 0, 0, 0, 0, 0}, true, false},
		{"four neighbours are no surge", 4, []int{0, 0, 0, 0, 0, 0, 0, 0}, false, false},
		{"three calls", 3, []int{0, 0, 0, 0}, false, true},
		{"a busy evening as every week", 42, []int{40, 38, 45, 41, 36, 44, 39, 40}, false, true},
		{"more than usual, not a multiple", 75, []int{40, 38, 45, 41, 36, 44, 39, 40}, false, false},
		{"twice the usual and more", 95, []int{40, 38, 45, 41, 36, 44, 39, 40}, true, false},
		{"a surge three weeks ago does not hide this one", 30, []int{2, 3, 120, 1, 2, 3, 2, 2}, true, false},
		{"a new installation knows nothing yet", 12, nil, false, false},
		{"and still sees what nobody can miss", 40, nil, true, false},
		{"one week known", 12, []int{0}, false, false},
		{"nothing", 0, []int{0, 0, 0}, false, true},
	} {
		v := Judge(c.observed, c.weeks, Default)
		if v.Alarm != c.alarm || v.Calm != c.calm {
			t.Errorf("%s: %+v", c.name, v)
		}
		if v.Alarm && v.Calm {
			t.Errorf("%s alarms and is calm", c.name)
		}
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		k    int
		mean float64
		want float64
	}{{0, 3, 1}, {1, 1, 1 - math.Exp(-1)}, {5, 2, 0.052653}, {10, 1, 1.114e-7}, {50, 60, 0.915590}, {200, 100, 9.343e-19}, {6, .5, 1.416e-5}} {
		if got := Tail(c.k, c.mean); math.Abs(got-c.want) > 0.01*c.want {
			t.Errorf("P(X ≥ %d | %g) = %g, want %g", c.k, c.mean, got, c.want)
		}
	}
	if got := Tail(5, 0); !(got > 0) || math.IsInf(math.Log10(got), 0) {
		t.Error(got)
	}
}

func TestUsualIsRobust(t *testing.T) {
	t.Parallel()
	if got := Usual([]int{2, 3, 120, 1, 2, 3, 2, 2}); got > 3 {
		t.Errorf("one surge made the usual %.1f", got)
	}
	if got := Usual([]int{0, 0, 0, 1, 1, 0, 0, 0}); got <= 0 {
		t.Error("rare events count too")
	}
}

const requests = "../../../shared/data/requests/nyc311/requests.jsonl"

// cell is a category in an area.
type cell struct{ category, area string }

type arrival struct {
	cell
	minute int // of the day
}

// days are the days of the 311 sample with enough requests to have a shape.
func days(t *testing.T) [][]arrival {
	t.Helper()
	f, err := os.Open(requests)
	if err != nil {
		t.Skipf("no development data here: %v", err)
	}
	defer f.Close()
	by := map[string][]arrival{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct{ Created, Type, Borough string }
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse("2006-01-02T15:04:05.000", r.Created)
		if err != nil {
			if at, err = time.Parse("01/02/2006 03:04:05 PM", r.Created); err != nil {
				t.Fatal(err)
			}
		}
		day := at.Format("2006-01-02")
		by[day] = append(by[day], arrival{cell{r.Type, r.Borough}, at.Hour()*60 + at.Minute()})
	}
	var out [][]arrival
	for _, day := range slices.Sorted(maps.Keys(by)) { // in one order, so that every run draws the same
		if len(by[day]) >= 400 {
			out = append(out, by[day])
		}
	}
	return out
}

// The sample has single days, not weeks. So every simulated week, the present one too, is drawn anew from the day's own requests: their
// categories, boroughs and hours with the bursts they really had, each moved by up to an hour. What then alarms is a false alarm; a dozen reports added to one cell
// within the hour are a surge that has to be seen.
func TestAlarmsInNewYork(t *testing.T) {
	t.Parallel()
	all := days(t)
	if len(all) < 3 {
		t.Fatalf("%d days: the sample is not what it was", len(all))
	}
	rnd := rand.New(rand.NewPCG(3, 11))
	const window, step, weeks, rounds = 180, 15, 8, 12
	type when struct {
		cell
		slot int
	}
	draw := func(day []arrival) map[when]int {
		counts := map[when]int{}
		for range day {
			a := day[rnd.IntN(len(day))]
			m := min(max(a.minute+rnd.IntN(121)-60, 0), 24*60-1)
			// A request is seen by every window that ends within three hours of it.
			for s := m/step + 1; s <= (m+window)/step; s++ {
				counts[when{a.cell, s}]++
			}
		}
		return counts
	}
	looked, alarms, simulated, seen, planted := 0, 0, 0, 0, 0
	for _, day := range all {
		for range rounds {
			simulated++
			now := draw(day)
			before := make([]map[when]int, weeks)
			for i := range before {
				before[i] = draw(day)
			}
			history := func(w when) []int {
				h := make([]int, weeks)
				for i := range h {
					h[i] = before[i][w]
				}
				return h
			}
			alarmed := map[cell]bool{} // one alert a cell and day, as the store keeps one running
			for w, n := range now {
				looked++
				if Judge(n, history(w), Default).Alarm {
					alarmed[w.cell] = true
				}
			}
			alarms += len(alarmed)
			for range 20 {
				w := when{day[rnd.IntN(len(day))].cell, 40 + rnd.IntN(40)}
				planted++
				if Judge(now[w]+12, history(w), Default).Alarm {
					seen++
				}
			}
		}
	}
	t.Logf("%d simulated days, %d windows: %d false alarms, %.3f a day; %.3f of planted surges of twelve seen", simulated, looked, alarms, float64(alarms)/float64(simulated), float64(seen)/float64(planted))
	if rate := float64(alarms) / float64(simulated); rate > 0.25 {
		t.Errorf("%.2f false alarms a day: people would stop looking", rate)
	}
	if float64(seen) < 0.75*float64(planted) {
		t.Errorf("only %d of %d planted surges were seen", seen, planted)
	}
}
