package measures_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"hotline/tickets/measures"
)

func TestValues(t *testing.T) {
	t.Parallel()
	s := measures.Default()
	n := measures.Counts{measures.Worked: 80, measures.Direct: 20, measures.Withdrawn: 5, measures.Merged: 3, measures.Refused: 2,
		measures.ResolveOK: 60, measures.ResolveLate: 20, measures.ResolveOpen: 7, measures.ResolveExcluded: 1, measures.ResolveProvisional: 4,
		measures.Assigned: 50, measures.Returned: 5, measures.Misdirected: 2, measures.Kept: 40, measures.Redone: 10, measures.Minutes: 3000,
		measures.Grade1: 1, measures.Grade2: 1, measures.Grade3: 2, measures.Grade4: 6, measures.Grade5: 10, measures.Ungraded: 30,
		measures.ResponseOK: 9, measures.ResponseLate: 1, measures.Solved: 3, measures.Unsolved: 1,
		measures.Picked15: 6, measures.Picked: 2, measures.GaveUp: 2, measures.QueueOpen: 1, measures.Unanswered: 1, measures.Asked: 4}
	for _, tt := range []struct {
		code        string
		part, whole int64
		v           float64
		left        string
	}{
		{"first_contact", 20, 80, 0.25, "withdrawn 5 merged 3 refused 2"},
		{"resolve_on_time", 60, 80, 0.75, "running 7 provisional 4 appealed 1 withdrawn 5 merged 3 refused 2"},
		{"return_rate", 5, 50, 0.1, ""},
		{"wrong_dispatch", 2, 50, 0.04, ""},
		{"redo", 10, 50, 0.2, "withdrawn 5 merged 3 refused 2"},
		{"satisfaction", 16, 20, 0.8, "ungraded 30 withdrawn 5 merged 3 refused 2"},
		{"answer_time", 3000, 50, 1, "withdrawn 5 merged 3 refused 2"},
		{"answered_15s", 6, 10, 0.6, "running 1"},
		{"connection", 8, 10, 0.8, "running 1"},
		{"unanswered_questions", 1, 5, 0.2, ""},
	} {
		m, ok := measures.ByCode(tt.code)
		if !ok {
			t.Fatalf("no measure %s", tt.code)
		}
		v := measures.Evaluate(m, n, s)
		var left []string
		for _, l := range v.Left {
			if l.N > 0 {
				left = append(left, fmt.Sprintf("%s %d", l.Reason, l.N))
			}
		}
		if !v.Known || v.Part != tt.part || v.Whole != tt.whole || math.Abs(v.V-tt.v) > 1e-9 || strings.Join(left, " ") != tt.left {
			t.Errorf("%s: %d of %d = %v, left out %v", tt.code, v.Part, v.Whole, v.V, left)
		}
	}
	rates, _ := measures.ByCode(measures.ThreeRates)
	// 10 × 0.9 + 40 × 0.75 + 50 × 0.8 of 100
	if v := measures.Evaluate(rates, n, s); math.Abs(v.V-79) > 1e-9 || len(v.Parts) != 3 {
		t.Errorf("three rates: %v", v.V)
	}
	s.SatisfiedFrom = 3
	if sat, _ := measures.ByCode(measures.Satisfaction); measures.Evaluate(sat, n, s).Part != 18 {
		t.Error("the grade that satisfies is not what the settings say")
	}
}

func TestWhatNobodyMeasuredIsNotZero(t *testing.T) {
	t.Parallel()
	s := measures.Default()
	for _, m := range measures.All() {
		if v := measures.Evaluate(m, measures.Counts{}, s); v.Known {
			t.Errorf("%s of nothing is %v", m.Code, v.V)
		}
	}
	if measures.ScoreOf(measures.Counts{}, s).Known {
		t.Error("an agency without a ticket has a score")
	}
	// A part that nobody measured takes its weight out instead of counting as bad.
	n := measures.Counts{measures.ResponseOK: 10}
	rates, _ := measures.ByCode(measures.ThreeRates)
	if v := measures.Evaluate(rates, n, s); v.V != 100 {
		t.Errorf("only the response is known and all were in time: %v", v.V)
	}
}

func TestScoreTurnsMeasuresInWhichLessIsBetter(t *testing.T) {
	t.Parallel()
	s := measures.Default()
	s.Scorecard = map[string]float64{"redo": 50, measures.SignOnTime: 50}
	score := measures.ScoreOf(measures.Counts{measures.Kept: 9, measures.Redone: 1, measures.SignOK: 1, measures.SignLate: 1}, s)
	if math.Abs(score.V-70) > 1e-9 || score.Weight != 1 || len(score.Parts) != 2 {
		t.Errorf("%+v", score)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(measures.Default())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := measures.ParseSettings(raw); err != nil {
		t.Error(err)
	}
	for name, edit := range map[string]func(*measures.Settings){
		"satisfied_from": func(s *measures.Settings) { s.SatisfiedFrom = 6 },
		"small_cell":     func(s *measures.Settings) { s.SmallCell = 0 },
		"response":       func(s *measures.Settings) { s.ThreeRates = map[string]float64{"response": math.NaN()} },
		"redo":           func(s *measures.Settings) { s.ThreeRates["redo"] = 1 },
		"three_rates":    func(s *measures.Settings) { s.Scorecard["three_rates"] = 1 },
		"sign_on_time":   func(s *measures.Settings) { s.Scorecard["sign_on_time"] = -1 },
	} {
		s := measures.Default()
		edit(&s)
		var bad measures.FieldError
		if !errors.As(s.Check(), &bad) || bad.Field != name {
			t.Errorf("%s: %v", name, s.Check())
		}
	}
}

// history draws a ticket's past: not only ones that the state machine makes, for what is counted must add up whatever comes.
func history(t *rapid.T) measures.History {
	base := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	at := func(name string) time.Time {
		return base.Add(time.Duration(rapid.IntRange(0, 10_000).Draw(t, name)) * time.Minute)
	}
	maybe := func(name string) *time.Time {
		if !rapid.Bool().Draw(t, "has "+name) {
			return nil
		}
		v := at(name)
		return &v
	}
	agencies := []uuid.UUID{{1}, {2}, {3}}
	agency := func(name string) uuid.UUID { return rapid.SampledFrom(agencies).Draw(t, name) }
	h := measures.History{Desk: uuid.UUID{9}, OpenedAt: base, Clocks: map[string]measures.Clock{},
		State:   rapid.SampledFrom([]string{"received", "dispatched", "in_progress", "replied", "closed", "withdrawn", "merged", "not_accepted", "transferred", "answered_directly", "return_requested"}).Draw(t, "state"),
		Contact: rapid.Bool().Draw(t, "contact"), Repeat: rapid.Bool().Draw(t, "repeat")}
	h.Open = !slices.Contains([]string{"closed", "withdrawn", "merged", "not_accepted", "answered_directly"}, h.State)
	if !h.Open {
		h.ClosedAt = maybe("closed")
	}
	if rapid.Bool().Draw(t, "led") {
		h.Lead = agency("lead")
	}
	if rapid.Bool().Draw(t, "said") {
		v := rapid.Bool().Draw(t, "solved")
		h.Solved = &v
	}
	for range rapid.IntRange(0, 12).Draw(t, "events") {
		e := measures.Event{At: at("event"), Type: rapid.SampledFrom([]string{"reply", "reopen", "rated", "revisit_done", "approve_transfer", "approve_exclusion", "taken_over", "not_answered", "note"}).Draw(t, "type"),
			To: rapid.SampledFrom([]string{"", "answered_directly", "closed"}).Draw(t, "to")}
		e.Grade, e.Voice = rapid.IntRange(0, 5).Draw(t, "grade"), rapid.IntRange(0, 5).Draw(t, "voice")
		h.Events = append(h.Events, e)
	}
	for _, name := range []string{"dispatch", "first_reply", "resolve", "rectify"} {
		if rapid.Bool().Draw(t, name) {
			h.Clocks[name] = measures.Clock{DueAt: at(name + " due"), Provisional: rapid.Bool().Draw(t, "provisional"), PausedAt: maybe("paused"), StoppedAt: maybe("stopped")}
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "assignments") {
		h.Assignments = append(h.Assignments, measures.Assignment{Lead: agency("to"), State: rapid.SampledFrom([]string{"dispatched", "signed", "returned", "transferred", "recalled", "done"}).Draw(t, "assignment"),
			SignDueAt: maybe("sign due"), SignedAt: maybe("signed"), Ended: maybe("ended"), ReturnAsked: rapid.Bool().Draw(t, "return asked")})
	}
	for range rapid.IntRange(0, 2).Draw(t, "upheld") {
		h.Upheld = append(h.Upheld, measures.Upheld{Agency: agency("by"), Failure: rapid.SampledFrom(measures.Failures()).Draw(t, "failure")})
	}
	return h
}

func total(facts []measures.Fact) measures.Counts {
	var n measures.Counts
	for _, f := range facts {
		n = n.Plus(f.N)
	}
	return n
}

func TestEveryTicketStandsInExactlyOnePlaceOfEachMeasure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := history(t)
		now := h.OpenedAt.Add(time.Duration(rapid.IntRange(0, 12_000).Draw(t, "now")) * time.Minute)
		facts, recheck := measures.Judge(h, now)
		mains := 0
		for _, f := range facts {
			if f.Main {
				mains++
			}
			for _, c := range measures.Everything() {
				if f.N[c] < 0 || f.N[c] > 1 && c != measures.Minutes {
					t.Fatalf("%s is %d", c, f.N[c])
				}
			}
			for _, m := range measures.All() {
				v := measures.Evaluate(m, f.N, measures.Default())
				if m.Unit == measures.Share && (v.Part > v.Whole || v.Whole > 1) {
					t.Fatalf("%s: one ticket counts %d of %d", m.Code, v.Part, v.Whole)
				}
				places := v.Whole
				for _, l := range v.Left {
					places += l.N
				}
				if places > 1 {
					t.Fatalf("%s: one ticket stands in %d places: %+v", m.Code, places, v.Left)
				}
			}
		}
		n := total(facts)
		if mains != 1 || n[measures.Tickets] != 1 || n.Sum(measures.Withdrawn, measures.Merged, measures.Refused, measures.Transferred, measures.Worked) != 1 {
			t.Fatalf("%d own rows, counts %v", mains, n)
		}
		answered := n.Sum(measures.Kept, measures.Redone, measures.RedoneExcluded)
		if n.Sum(measures.Solved, measures.Unsolved, measures.UnsolvedExcluded, measures.Unasked) != answered ||
			n.Sum(measures.Grade1, measures.Grade2, measures.Grade3, measures.Grade4, measures.Grade5, measures.GradeExcluded, measures.Ungraded) != answered ||
			n.Sum(measures.Rated, measures.Unrated) != answered {
			t.Fatalf("of an answered ticket something is counted twice or not at all: %v", n)
		}
		if n.Sum(measures.SignOK, measures.SignLate, measures.SignOpen, measures.SignVoid, measures.SignExcluded) != n[measures.Assigned] {
			t.Fatalf("assignments %d, judged %v", n[measures.Assigned], n)
		}
		if !recheck.IsZero() && !recheck.After(now) {
			t.Fatalf("to be judged again at %s, which is not after %s", recheck, now)
		}
		// Nothing changes before the recheck, by time alone.
		before := now.Add(100 * time.Hour)
		if !recheck.IsZero() {
			before = recheck.Add(-time.Microsecond)
		}
		if later, _ := measures.Judge(h, before); total(later) != n {
			t.Fatalf("the counts changed at %s without a recheck (%s)", before, recheck)
		}
	})
}

func TestNumbersAddUpAcrossRollUps(t *testing.T) {
	t.Parallel()
	parent := func(code string) string {
		i := strings.LastIndexByte(code, '.')
		return code[:max(i, 0)]
	}
	rapid.Check(t, func(t *rapid.T) {
		own := map[string]measures.Counts{}
		var all measures.Counts
		for range rapid.IntRange(1, 30).Draw(t, "tickets") {
			h := history(t)
			facts, _ := measures.Judge(h, h.OpenedAt.Add(time.Hour))
			code := rapid.SampledFrom([]string{"a", "a.b", "a.b.c", "a.b.d", "a.e", "f", "f.g"}).Draw(t, "category")
			own[code] = own[code].Plus(total(facts))
			all = all.Plus(total(facts))
		}
		rolled := measures.RollUp(own, parent)
		if got := rolled["a"].Plus(rolled["f"]); got != all {
			t.Fatalf("the tops add up to %v, not to %v", got, all)
		}
		children := own["a.b"].Plus(rolled["a.b.c"]).Plus(rolled["a.b.d"])
		if rolled["a.b"] != children {
			t.Fatalf("a node is %v, its own and its children are %v", rolled["a.b"], children)
		}
		if all.Minus(own["a"]).Plus(own["a"]) != all {
			t.Fatal("taking away and adding is not nothing")
		}
	})
}
