// Package nomatch measures knowing when not to answer: questions whose answer
// is known by a label, and questions that no label answers.
//
// It is pure, like routing/classify, whose model it rests on: no database, no
// clock, no network.
package nomatch

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"hotline/routing/classify"
)

// Result is what `hotline eval nomatch` prints.
type Result struct {
	N int `json:"n"` // test questions
	// InScope is the share of those that some label answers whose closest label
	// is the right one, whatever the threshold.
	InScope float64 `json:"in_scope_accuracy"`
	// Overall is the share of all that are treated rightly: given their label
	// from the threshold on, or refused below it when no label answers them.
	Overall float64 `json:"overall_accuracy"`
	// AUROC is the chance that a question that some label answers scores above
	// one that none does.
	AUROC     float64 `json:"auroc"`
	Threshold float64 `json:"threshold"`
}

// Errors of Evaluate.
var (
	ErrNoTest     = errors.New("nomatch: the test file holds no question")
	ErrFewLabels  = errors.New("nomatch: at least two labels need examples to learn from")
	ErrOneSided   = errors.New("nomatch: the test needs both questions with a label and questions without")
	errNoneInSets = errors.New("nomatch: the name of the label for unanswerable questions is empty")
)

// Evaluate learns from train and measures on test. none is the label of what
// nothing answers; examples of it in train help to choose the threshold and
// are not learnt as a label of their own. Nothing of test is looked at before
// the threshold stands.
//
// Errors: those above, classify.ErrNoExamples.
func Evaluate(train, test []classify.Example, none string, seed uint64) (Result, error) {
	switch {
	case none == "":
		return Result{}, errNoneInSets
	case len(test) == 0:
		return Result{}, ErrNoTest
	}
	known, foreign := split(train, none)
	threshold, err := Threshold(known, foreign, seed)
	if err != nil {
		return Result{}, err
	}
	m, err := classify.NewMatcher(known, seed)
	if err != nil {
		return Result{}, err
	}
	r := Result{N: len(test), Threshold: round(threshold)}
	var in, out []float64
	for _, e := range test {
		label, like := m.Closest(e.Text)
		switch {
		case e.Label == none:
			out = append(out, like)
			if like < threshold {
				r.Overall++
			}
			continue
		case e.Label == label:
			r.InScope++
			if like >= threshold {
				r.Overall++
			}
		}
		in = append(in, like)
	}
	if len(in) == 0 || len(out) == 0 {
		return Result{}, ErrOneSided
	}
	r.InScope = round(r.InScope / float64(len(in)))
	r.Overall = round(r.Overall / float64(len(test)))
	r.AUROC = round(auroc(in, out))
	return r, nil
}

func split(examples []classify.Example, none string) (known, foreign []classify.Example) {
	for _, e := range examples {
		if e.Label == none {
			foreign = append(foreign, e)
		} else {
			known = append(known, e)
		}
	}
	return known, foreign
}

// How examples are taken out: in each of eight rounds with other draws, three
// models each learn two thirds of the examples of two thirds of the labels. A
// large set is not drawn again when enough questions have been asked.
const (
	parts  = 3
	rounds = 8
	enough = 10_000
)

// most is the share of questions each quantile asks for: the threshold lies in
// the middle between the likeness that most questions of known labels reach and
// the one that most strangers do not.
//
// Two quantiles move less with the draw of the examples than the likeness at
// which most held-out questions are treated rightly, which a handful of them
// decides: docs/knowledge.md has the figures.
const most = 0.75

// Threshold chooses from which likeness on a label is given, on training
// examples only. Models that have seen a part of the examples of a part of the
// labels judge the rest: what has a label they never saw stands for questions
// that nothing answers. Both kinds count the same, as nobody knows how many of
// either will come. foreign are examples that are known to have no label; it
// may be empty. Errors: ErrFewLabels, classify.ErrNoExamples.
func Threshold(known, foreign []classify.Example, seed uint64) (float64, error) {
	var names []string
	for _, e := range known {
		names = append(names, e.Label)
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) < 2 {
		return 0, ErrFewLabels
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	var in, out []float64
	for r := 0; r < rounds && len(in)+len(out) < enough; r++ {
		label, example := map[string]int{}, rng.Perm(len(known))
		for i, k := range rng.Perm(len(names)) {
			label[names[k]] = i
		}
		for f := range parts {
			var learn, ask []classify.Example
			seen := map[string]bool{}
			for i, e := range known {
				if label[e.Label]%parts != f && example[i]%parts != f {
					learn = append(learn, e)
					seen[e.Label] = true
				} else {
					ask = append(ask, e)
				}
			}
			if len(learn) == 0 {
				continue
			}
			m, err := classify.NewMatcher(learn, seed)
			if err != nil {
				return 0, err
			}
			for _, e := range append(ask, foreign...) {
				if _, like := m.Closest(e.Text); seen[e.Label] {
					in = append(in, like)
				} else {
					out = append(out, like)
				}
			}
		}
	}
	switch {
	case len(in) == 0:
		return quantile(out, most), nil
	case len(out) == 0:
		return quantile(in, 1-most), nil
	}
	return (quantile(in, 1-most) + quantile(out, most)) / 2, nil
}

// quantile of values, which it orders, by linear interpolation.
func quantile(values []float64, q float64) float64 {
	slices.Sort(values)
	at := q * float64(len(values)-1)
	i := int(at)
	if i+1 == len(values) {
		return values[i]
	}
	return values[i] + (at-float64(i))*(values[i+1]-values[i])
}

// auroc by ranks, ties counting half.
func auroc(in, out []float64) float64 {
	slices.Sort(out)
	var sum float64
	for _, x := range in {
		below, _ := slices.BinarySearch(out, x)
		above, _ := slices.BinarySearch(out, math.Nextafter(x, math.Inf(1)))
		sum += float64(below) + float64(above-below)/2
	}
	return sum / float64(len(in)) / float64(len(out))
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }
