package classify

import (
	"math"
	"math/rand/v2"
)

// The solver is dual coordinate descent for the L2-regularised squared-hinge
// support vector machine, with shrinking (Hsieh, Chang, Lin, Keerthi and
// Sundararajan, ICML 2008, algorithm 3).
const (
	// svmMaxPasses over the rows: from six on, held-out accuracy stays put,
	// and the catalogue is trained while the program starts.
	svmMaxPasses = 8
	svmTolerance = 0.1
	// biasValue is the constant feature whose weight is the intercept. Below 1,
	// it is regularised harder than the words are.
	biasValue = 0.3
)

// solve finds the weights that tell the rows with positive[i] from the rest.
// The last element of the result is the intercept. costPos and costNeg are
// the costs of an error on either side.
//
// The loops here and below touch only what their caller owns; the race
// detector would make them twenty times slower and find nothing.
//
//go:norace
func solve(rows []vector, sq []float64, dim int, positive []bool, costPos, costNeg float64, rng *rand.Rand) []float64 {
	w := make([]float64, dim+1)
	alpha := make([]float64, len(rows))
	active := make([]int, len(rows))
	for i := range active {
		active[i] = i
	}
	upper := math.Inf(1) // projected gradients above it, at alpha 0, are shrunk away
	for range svmMaxPasses {
		rng.Shuffle(len(active), func(i, j int) { active[i], active[j] = active[j], active[i] })
		worst, least := math.Inf(-1), math.Inf(1)
		for s := 0; s < len(active); s++ {
			i := active[s]
			y, diag := -1.0, 0.5/costNeg
			if positive[i] {
				y, diag = 1, 0.5/costPos
			}
			g := y*rows[i].dot(w) - 1 + alpha[i]*diag
			pg := g
			if alpha[i] == 0 {
				if g > upper {
					active[s] = active[len(active)-1]
					active = active[:len(active)-1]
					s--
					continue
				}
				pg = min(g, 0)
			}
			worst, least = max(worst, pg), min(least, pg)
			if math.Abs(pg) < 1e-12 {
				continue
			}
			old := alpha[i]
			alpha[i] = max(old-g/(sq[i]+diag), 0)
			rows[i].addTo(w, (alpha[i]-old)*y)
		}
		if worst-least <= svmTolerance {
			if len(active) == len(rows) {
				break
			}
			// Converged on what was left: look at all rows once more.
			active = active[:0]
			for i := range rows {
				active = append(active, i)
			}
			upper = math.Inf(1)
			continue
		}
		upper = worst
		if worst <= 0 {
			upper = math.Inf(1)
		}
	}
	return w
}

// dot includes the intercept, which is the last weight.
//
//go:norace
func (v vector) dot(w []float64) float64 {
	s := w[len(w)-1] * biasValue
	for _, c := range v {
		s += w[c.col] * float64(c.val)
	}
	return s
}

//go:norace
func (v vector) addTo(w []float64, by float64) {
	w[len(w)-1] += by * biasValue
	for _, c := range v {
		w[c.col] += by * float64(c.val)
	}
}

// squared is the squared length of the row with its constant feature.
func (v vector) squared() float64 {
	s := float64(biasValue * biasValue)
	for _, c := range v {
		s += float64(c.val) * float64(c.val)
	}
	return s
}
