package classify

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Used where there are too few examples to fit anything: few examples are what
// naive Bayes is for, and a model that could not be checked should not sound
// sure.
const (
	defaultMixture     = 0.4
	defaultTemperature = 1
)

// Bounds of the number of held-out texts: with fewer nothing is fitted, and
// more would not move two numbers.
const (
	minHeldOut = 20
	maxHeldOut = 1000
)

// mixtures are the weights of naive Bayes that are tried.
var mixtures = []float64{0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4}

// heldOut is a text that the model has not seen, as its learners saw it.
type heldOut struct {
	machine, bayes []float64
	known          float64
	label          int
}

// calibrate chooses the mixture and the temperature (Guo, Pleiss, Sun and
// Weinberger, ICML 2017) under which the probabilities of held-out texts fit
// best what came true. An example whose label has no other example cannot be
// predicted and is left out.
func (set *trainingSet) calibrate(opts Options) (mix, temperature float64) {
	fold := set.deal(opts)
	var texts []heldOut
	stride := 1 + set.examples/maxHeldOut
	for f := range opts.Folds {
		held := make([]bool, set.examples)
		left := make([]int, len(set.labels))
		for _, d := range set.docs {
			held[d.example] = fold[d.example] == f
			if !held[d.example] {
				left[d.label]++
			}
		}
		learned := set.fit(held, opts)
		for _, d := range set.docs {
			if held[d.example] && d.asked && d.example%stride == 0 && left[d.label] > 0 {
				row, known, _ := learned.vocab.vectorOf(d.counts)
				text := heldOut{label: d.label, known: known}
				text.machine, text.bayes = learned.margins(row)
				texts = append(texts, text)
			}
		}
	}
	if len(texts) < minHeldOut {
		return defaultMixture, defaultTemperature
	}
	best := math.Inf(1)
	margins := make([][]float64, len(texts))
	for i := range margins {
		margins[i] = make([]float64, len(set.labels))
	}
	for _, try := range mixtures {
		for i, text := range texts {
			for k := range margins[i] {
				margins[i][k] = text.machine[k] + try*text.bayes[k]
			}
			top := slices.Max(margins[i])
			for k := range margins[i] {
				margins[i][k] -= top
			}
		}
		t, loss := fitTemperature(texts, margins)
		if loss < best {
			best, mix, temperature = loss, try, t
		}
	}
	return mix, temperature
}

// deal gives each example a fold, the examples of one label spread evenly.
func (set *trainingSet) deal(opts Options) []int {
	label := make([]int, set.examples)
	for _, d := range set.docs {
		label[d.example] = d.label
	}
	seen := make([]int, len(set.labels))
	fold := make([]int, set.examples)
	for _, i := range rand.New(rand.NewPCG(opts.Seed, 0)).Perm(set.examples) {
		k := label[i]
		// Starting at another fold for each label keeps the folds level
		// where most labels have fewer examples than there are folds.
		fold[i] = (seen[k] + k) % opts.Folds
		seen[k]++
	}
	return fold
}

// fitTemperature minimises the log loss over the logarithm of the temperature,
// where it has one minimum, by golden section between 1/20 and 50.
func fitTemperature(texts []heldOut, margins [][]float64) (temperature, loss float64) {
	const ratio = 0.6180339887498949
	lo, hi := math.Log(0.05), math.Log(50)
	a, b := hi-ratio*(hi-lo), lo+ratio*(hi-lo)
	la, lb := logLoss(texts, margins, math.Exp(a)), logLoss(texts, margins, math.Exp(b))
	for hi-lo > 0.01 {
		if la < lb {
			hi, b, lb = b, a, la
			a = hi - ratio*(hi-lo)
			la = logLoss(texts, margins, math.Exp(a))
		} else {
			lo, a, la = a, b, lb
			b = lo + ratio*(hi-lo)
			lb = logLoss(texts, margins, math.Exp(b))
		}
	}
	return math.Exp((lo + hi) / 2), min(la, lb)
}

// logLoss of margins whose greatest is 0 in each row.
//
//go:norace
func logLoss(texts []heldOut, margins [][]float64, temperature float64) float64 {
	var sum float64
	for i, h := range texts {
		t := temperature * h.known
		var z float64
		for _, x := range margins[i] {
			if x *= t; x > -30 { // beyond that it adds nothing to the 1 of the first
				z += math.Exp(x)
			}
		}
		sum += math.Log(z) - margins[i][h.label]*t
	}
	return sum
}
