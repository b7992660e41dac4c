package calibrate_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"hotline/knowledge/calibrate"
)

// world makes trials whose score is right with a known chance.
func world(seed uint64, n int, chance func(score float64) float64) []calibrate.Pair {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]calibrate.Pair, n)
	for i := range out {
		s := r.Float64()
		out[i] = calibrate.Pair{Score: s, Right: r.Float64() < chance(s), Weight: 1}
	}
	return out
}

func TestTheCurveFindsTheChance(t *testing.T) {
	t.Parallel()
	for name, chance := range map[string]func(float64) float64{
		"as told":   func(s float64) float64 { return s },
		"too proud": func(s float64) float64 { return s * s },
		"a step":    func(s float64) float64 { return math.Min(1, math.Max(0, (s-0.4)*4)) },
		"nothing":   func(float64) float64 { return 0.3 },
	} {
		c := calibrate.Fit(world(7, 4000, chance))
		for s := 0.1; s < 0.95; s += 0.1 {
			if got, want := c.Chance(s), chance(s); math.Abs(got-want) > 0.08 {
				t.Errorf("%s: %.1f is right with %.2f, said %.2f", name, s, want, got)
			}
		}
		if _, ece := calibrate.Reliability(c, world(8, 4000, chance)); ece > 0.03 {
			t.Errorf("%s: on other trials the error is %.3f", name, ece)
		}
	}
}

func TestTheWantedPrecisionIsKeptOnOtherTrials(t *testing.T) {
	t.Parallel()
	chance := func(s float64) float64 { return s }
	kept := 0
	for seed := range uint64(40) {
		at, ok := calibrate.Threshold(calibrate.Table(world(seed, 600, chance)), 0.8)
		if !ok {
			t.Fatalf("seed %d: no threshold", seed)
		}
		if at < 0.55 || at > 0.9 {
			t.Errorf("seed %d: threshold %.2f, the true one is 0.60", seed, at)
		}
		if (1+at)/2 >= 0.8 { // the true precision of answering from there on
			kept++
		}
	}
	if kept < 32 {
		t.Errorf("the bound held in %d of 40 cases", kept)
	}
}

func TestWhatCannotBeHadIsSaid(t *testing.T) {
	t.Parallel()
	coin := calibrate.Table(world(3, 500, func(float64) float64 { return 0.5 }))
	if at, ok := calibrate.Threshold(coin, 0.9); ok || at < 0 || at > 1 {
		t.Errorf("a coin gets a threshold of %.2f, %v", at, ok)
	}
	few := calibrate.Table(world(3, 10, func(float64) float64 { return 1 }))
	if _, ok := calibrate.Threshold(few, 0.5); ok {
		t.Error("ten trials are enough")
	}
	if at, ok := calibrate.Threshold(nil, 0.5); ok || at != 1 {
		t.Error("a threshold of nothing")
	}
	if c := calibrate.Fit(nil); c.Chance(0.9) != 0 {
		t.Error("a chance of nothing")
	}
	if _, ok := calibrate.Fit(nil).From(0); ok {
		t.Error("a score of nothing")
	}
}

func TestAnswersThatAreSharedDoNotCount(t *testing.T) {
	t.Parallel()
	pairs := []calibrate.Pair{{Score: 0.9, Right: true, Weight: 1}, {Score: 0.8, Shared: true, Weight: 1}, {Score: 0.7, Weight: 2}}
	s := calibrate.At(calibrate.Table(pairs), 0.75)
	if s.Answered != 0.25 || s.Wrong() != 0 || s.Precision() != 1 {
		t.Errorf("from 0.75: %+v", s)
	}
	if s = calibrate.At(calibrate.Table(pairs), 0.7); s.Answered != 0.75 || s.Wrong() != 0.5 {
		t.Errorf("from 0.70: %+v", s)
	}
}

func TestWhateverTheTrials(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pairs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) calibrate.Pair {
			return calibrate.Pair{Score: rapid.Float64Range(0, 1).Draw(t, "score"), Right: rapid.Bool().Draw(t, "right"), Shared: rapid.Bool().Draw(t, "shared"),
				Weight: rapid.Float64Range(0.1, 3).Draw(t, "weight")}
		}), 0, 200).Draw(t, "pairs")
		c := calibrate.Fit(pairs)
		if len(c) > 13 {
			t.Fatalf("%d corners", len(c))
		}
		last := 0.0
		for i := range 101 {
			p := c.Chance(float64(i) / 100)
			if p < last-1e-9 || p < 0 || p > 1 || math.IsNaN(p) {
				t.Fatalf("chance %v after %v at %d", p, last, i)
			}
			last = p
		}
		table := calibrate.Table(pairs)
		for i, s := range table {
			if s.Right > s.Answered+1e-9 || s.Answered > 1+1e-9 || s.Least > s.Precision()+1e-9 || i > 0 && s.Answered > table[i-1].Answered+1e-9 {
				t.Fatalf("step %+v after %+v", s, table[max(0, i-1)])
			}
		}
		low, okLow := calibrate.Threshold(table, 0.6)
		high, okHigh := calibrate.Threshold(table, 0.9)
		if okHigh && (!okLow || low > high) {
			t.Fatalf("more precision from a lower score: %v %v, %v %v", low, okLow, high, okHigh)
		}
		if _, ece := calibrate.Reliability(c, pairs); ece < 0 || ece > 1 {
			t.Fatalf("error %v", ece)
		}
	})
}
