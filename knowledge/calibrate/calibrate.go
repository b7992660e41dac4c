// Package calibrate turns scores into chances: from pairs of a score and whether what it stood for was right it learns how often a score is right,
// and from which score on a wanted share is. It knows nothing of articles.
package calibrate

import (
	"cmp"
	"math"
	"slices"
)

// Pair is one trial.
type Pair struct {
	Score  float64 // 0..1
	Right  bool
	Shared bool    // another article came as near: it would be offered beside it, and answers nothing alone
	Weight float64 // how many trials it stands for; above 0
}

// Point is a corner of a fitted curve.
type Point struct {
	Score  float64 `json:"s"`
	Chance float64 `json:"p"`
}

// Curve gives P(right | score): corners ordered by score, chances that never fall, straight between them.
type Curve []Point

// Bounds of a fit. Few corners, each of many pairs, and a pull towards the mean: a curve through every pair would know them by heart.
const (
	maxCorners  = 12
	cornerPairs = 20
	pull        = 2 // pairs' worth
)

// Fit learns a curve: pairs ordered by score are put together in groups of equal weight, and neighbouring groups that stand in the wrong order are
// pooled (pool adjacent violators). Nothing is learned of nothing.
func Fit(pairs []Pair) Curve {
	ps := slices.Clone(pairs)
	slices.SortStableFunc(ps, func(a, b Pair) int { return cmp.Compare(a.Score, b.Score) })
	var total, right float64
	for _, p := range ps {
		total += p.Weight
		if p.Right {
			right += p.Weight
		}
	}
	if total == 0 {
		return nil
	}
	type group struct{ weight, score, right float64 }
	chance := func(g group) float64 { return (g.right + pull*right/total) / (g.weight + pull) }
	size := total / float64(max(1, min(maxCorners, len(ps)/cornerPairs)))
	var gs []group
	var g group
	for i, p := range ps {
		g.weight += p.Weight
		g.score += p.Weight * p.Score
		if p.Right {
			g.right += p.Weight
		}
		// Equal scores stay together: they are one and the same to whoever decides.
		if last := i == len(ps)-1; !last && (g.weight < size-1e-9 || ps[i+1].Score == p.Score) {
			continue
		}
		gs = append(gs, g)
		g = group{}
		for k := len(gs) - 1; k > 0 && chance(gs[k]) < chance(gs[k-1]); k-- {
			gs[k-1] = group{gs[k-1].weight + gs[k].weight, gs[k-1].score + gs[k].score, gs[k-1].right + gs[k].right}
			gs = gs[:k]
		}
	}
	out := make(Curve, len(gs))
	for i, g := range gs {
		out[i] = Point{Score: g.score / g.weight, Chance: chance(g)}
	}
	return out
}

// Chance is P(right | score); 0 of an empty curve.
func (c Curve) Chance(score float64) float64 {
	i, _ := slices.BinarySearchFunc(c, score, func(p Point, s float64) int { return cmp.Compare(p.Score, s) })
	switch {
	case len(c) == 0:
		return 0
	case i == 0:
		return c[0].Chance
	case i == len(c):
		return c[i-1].Chance
	}
	a, b := c[i-1], c[i]
	return a.Chance + (b.Chance-a.Chance)*(score-a.Score)/(b.Score-a.Score)
}

// From is the lowest score, in steps of a hundredth, whose chance is at least what is wanted; false when none is.
func (c Curve) From(wanted float64) (float64, bool) {
	for i := range Steps {
		if s := float64(i) / (Steps - 1); len(c) > 0 && c.Chance(s) >= wanted {
			return s, true
		}
	}
	return 1, false
}

// Steps are the thresholds that are tried: 0, 0.01 … 1.
const Steps = 101

// Step is what answering from a threshold on would have done.
type Step struct {
	From     float64 `json:"t"`
	Answered float64 `json:"a"` // share of all trials that are answered
	Right    float64 `json:"r"` // share of all trials that are answered rightly
	Least    float64 `json:"l"` // the share of right ones among the answered is at least this, by confidence
}

// Precision is the share of right answers; 1 where none is given.
func (s Step) Precision() float64 {
	if s.Answered == 0 {
		return 1
	}
	return s.Right / s.Answered
}

// Wrong is the share of all trials that are answered wrongly.
func (s Step) Wrong() float64 { return s.Answered - s.Right }

// oneSided is the normal quantile of 90 %: the bound is meant to hold nine times in ten.
const oneSided = 1.2816

// leastAnswers is how many answers a threshold must be known by.
const leastAnswers = 20

// Table tries every threshold.
func Table(pairs []Pair) []Step {
	out := make([]Step, Steps)
	total := 0.0
	for _, p := range pairs {
		total += p.Weight
	}
	for i := range out {
		s := Step{From: float64(i) / (Steps - 1)}
		squares, n := 0.0, 0
		for _, p := range pairs {
			if p.Score < s.From || p.Shared {
				continue
			}
			n++
			s.Answered += p.Weight
			squares += p.Weight * p.Weight
			if p.Right {
				s.Right += p.Weight
			}
		}
		if n >= leastAnswers { // of unequal weights, as many as would tell as much if they were equal
			s.Least = wilson(s.Right/s.Answered, s.Answered*s.Answered/squares)
		}
		if total > 0 {
			s.Answered, s.Right = s.Answered/total, s.Right/total
		}
		out[i] = s
	}
	return out
}

// wilson is the lower end of Wilson's interval for a share seen in n trials.
func wilson(share, n float64) float64 {
	z2 := oneSided * oneSided
	return max(0, (share+z2/(2*n)-oneSided*math.Sqrt(share*(1-share)/n+z2/(4*n*n)))/(1+z2/n))
}

// Threshold is the lowest whose answers keep at least the wanted precision, by confidence. When none does it is the one with the best bound, and false.
func Threshold(table []Step, wanted float64) (float64, bool) {
	best, at := 0.0, 1.0
	for _, s := range table {
		if s.Least > 0 && s.Least >= wanted {
			return s.From, true
		}
		if s.Least > best {
			best, at = s.Least, s.From
		}
	}
	return at, false
}

// At is the step of a threshold: the first not below it.
func At(table []Step, threshold float64) Step {
	for _, s := range table {
		if s.From >= threshold-1e-9 {
			return s
		}
	}
	return Step{From: threshold}
}

// Bin compares what was foretold with what came true.
type Bin struct {
	Foretold float64 `json:"f"` // mean chance
	Observed float64 `json:"o"` // share that was right
	Weight   float64 `json:"w"` // trials
}

// Reliability puts pairs together by the tenth their chance falls in; the error is the mean distance of foretold and observed (expected calibration
// error).
func Reliability(c Curve, pairs []Pair) (bins []Bin, ece float64) {
	var all [10]Bin
	total := 0.0
	for _, p := range pairs {
		chance := c.Chance(p.Score)
		b := &all[min(9, int(chance*10))]
		b.Weight += p.Weight
		b.Foretold += p.Weight * chance
		if p.Right {
			b.Observed += p.Weight
		}
		total += p.Weight
	}
	for _, b := range all {
		if b.Weight > 0 {
			b.Foretold, b.Observed = b.Foretold/b.Weight, b.Observed/b.Weight
			ece += b.Weight / total * math.Abs(b.Foretold-b.Observed)
			bins = append(bins, b)
		}
	}
	return bins, ece
}
