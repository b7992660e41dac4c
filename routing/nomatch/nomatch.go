// Package nomatch measures knowing when not to answer: questions whose answer
// is known by a label, and questions that no label answers.
//
// It is pure, like routing/classify, whose model it rests on: no database, no
// clock, no network.
package nomatch

import (
	"cmp"
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
	m, err := classify.Train(known, options(seed))
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

// options: probabilities are not asked for, so nothing is fitted to them.
func options(seed uint64) classify.Options {
	return classify.Options{Seed: seed, Folds: -1, Typed: true}
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

// How examples are taken out: citizens' questions are farther from the
// examples than examples, often written by one person, are from each other. So
// the model that judges has seen only this share of them, and half of the labels.
const (
	share  = 4
	rounds = 4 // with other draws
)

// held is a question of the training set that the model that judged it had not
// seen: of a label it knew, or of one it had no example of.
type held struct {
	like  float64
	known bool
	right bool
}

// Threshold chooses from which likeness on a label is given, on training
// examples only. A model learns a quarter of the examples of half of the
// labels, and judges the rest: what has a label it never saw stands for
// questions that nothing answers. Both kinds weigh the same, as nobody knows
// how many of either will come. foreign are examples that are known to have no
// label; it may be empty. Errors: ErrFewLabels, classify.ErrNoExamples.
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
	var hs []held
	for range rounds {
		label, example := map[string]int{}, rng.Perm(len(known))
		for i, k := range rng.Perm(len(names)) {
			label[names[k]] = i
		}
		for f := range share {
			var learn, ask []classify.Example
			seen := map[string]bool{}
			for i, e := range known {
				if label[e.Label]%2 == f%2 && example[i]%share == f {
					learn = append(learn, e)
					seen[e.Label] = true
				} else {
					ask = append(ask, e)
				}
			}
			if len(learn) == 0 {
				continue
			}
			m, err := classify.Train(learn, options(seed))
			if err != nil {
				return 0, err
			}
			for _, e := range append(ask, foreign...) {
				given, like := m.Closest(e.Text)
				hs = append(hs, held{like: like, known: seen[e.Label], right: given == e.Label})
			}
		}
	}
	return best(hs), nil
}

// best is the likeness at which most is treated rightly, both kinds weighing
// the same; between two neighbours, the middle.
func best(hs []held) float64 {
	slices.SortFunc(hs, func(a, b held) int { return cmp.Compare(a.like, b.like) })
	var in, out float64
	for _, h := range hs {
		if h.known {
			in++
		} else {
			out++
		}
	}
	value := func(h held) float64 { // of giving a label
		switch {
		case !h.known:
			return -1 / max(1, out)
		case h.right:
			return 1 / max(1, in)
		}
		return 0
	}
	var sum, most float64
	at := len(hs)
	for i := len(hs) - 1; i >= 0; i-- {
		sum += value(hs[i])
		if (i == 0 || hs[i-1].like < hs[i].like) && sum > most {
			most, at = sum, i
		}
	}
	switch at {
	case len(hs):
		return math.Nextafter(hs[at-1].like, math.Inf(1))
	case 0:
		return hs[0].like
	}
	return (hs[at-1].like + hs[at].like) / 2
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
