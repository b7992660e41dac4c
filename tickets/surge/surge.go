// Package surge decides whether more tickets come in than chance explains. It is pure: counts in, a verdict out.
//
// What arrived in a sliding window is compared with the same hours of the weeks before. Their typical number is taken robustly, so that
// one earlier surge does not hide the next, and the window's number is judged by the tail of the Poisson distribution around it. A count too small
// to matter never alarms, nor does one that is not a multiple of the usual.
package surge

import (
	"math"
	"slices"
)

// Policy says when to alarm.
type Policy struct {
	MinCount int     // fewer in the window are never a surge
	MinNew   int     // the same while fewer than two weeks are known
	Ratio    float64 // at least so many times the usual
	MaxTail  float64 // at most this probable by chance
}

// Default is calibrated for many category × area cells looked at every minute: the test measures its false alarms on the intensities of a real city.
var Default = Policy{MinCount: 6, MinNew: 20, Ratio: 2, MaxTail: 1e-6}

// Verdict is what was found.
type Verdict struct {
	Expected float64 // by the weeks before
	Score    float64 // -log10 of the probability of so many or more by chance; 6 is one in a million
	Alarm    bool
	Calm     bool // clearly back to the usual: a running surge ends
}

// Judge compares the window's number with those of the same hours in earlier weeks, as many as are known.
func Judge(observed int, weeks []int, p Policy) Verdict {
	v := Verdict{Expected: Usual(weeks)}
	v.Score = -math.Log10(Tail(observed, v.Expected+0.5)) // half a ticket: "never seen before" is no certainty
	least := p.MinCount
	if len(weeks) < 2 {
		least = p.MinNew
	}
	v.Alarm = observed >= least && float64(observed) >= p.Ratio*v.Expected && v.Score >= -math.Log10(p.MaxTail)
	v.Calm = observed < p.MinCount/2+1 || v.Score < 1.5
	return v
}

// Usual is the typical number of the weeks: the median, or the mean without the largest where that is more (rare events have a median of 0).
func Usual(weeks []int) float64 {
	if len(weeks) == 0 {
		return 0
	}
	w := slices.Sorted(slices.Values(weeks))
	n := len(w)
	median := float64(w[n/2])
	if n%2 == 0 {
		median = float64(w[n/2-1]+w[n/2]) / 2
	}
	if n < 3 {
		return max(median, float64(w[n-1]))
	}
	sum := 0
	for _, x := range w[:n-1] {
		sum += x
	}
	return max(median, float64(sum)/float64(n-1))
}

// Tail is the probability that a Poisson variable of this mean is at least k; never 0, so that its logarithm is a number.
func Tail(k int, mean float64) float64 {
	if k <= 0 {
		return 1
	}
	if mean <= 0 {
		return math.SmallestNonzeroFloat64
	}
	lg, _ := math.Lgamma(float64(k) + 1)
	term := math.Exp(float64(k)*math.Log(mean) - mean - lg)
	if float64(k) <= mean { // the sum below the tail is the shorter one
		below := 0.0
		for i, t := k, term; i > 0 && t > 0; i-- {
			t *= float64(i) / mean
			below += t
		}
		return max(1-below, math.SmallestNonzeroFloat64)
	}
	sum := 0.0
	for i, t := k, term; t > sum*1e-16 && t > 0; i++ {
		sum += t
		t *= mean / float64(i+1)
	}
	return max(sum, math.SmallestNonzeroFloat64)
}

// Explained reports whether the surge of one area is most of what the whole jurisdiction shows: then one alert is enough.
func Explained(whole, area int) bool { return float64(area) >= 0.6*float64(whole) }
