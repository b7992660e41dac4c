package classify

import (
	"math"
	"slices"
)

// Matcher tells whose examples a short question, as it is typed into a chat, is
// like, and how like them it is. It differs from a Model in what it is for: the
// labels need not cover what is asked, so it gives no probabilities between
// them. Longer and heavier character n-grams survive typing errors, and the
// weight of naive Bayes is set, because with a handful of examples for a label
// nothing can be fitted.
//
// A Matcher never changes and may be used by any number of goroutines.
type Matcher struct {
	learned  *fitted
	examples [][]vector // by label
	usual    float64    // size of an example, geometric mean
}

// What goes into a likeness, chosen on many sets together (docs/knowledge.md has the figures).
const (
	// choosing and judging are the weights of naive Bayes when a label is chosen
	// and when it is judged how like its examples a text is. It helps to choose;
	// of what is foreign the support vector machine knows more.
	choosing = 0.2
	judging  = 0.05
	// nearest is how many examples of the label count, and nearWeight how much
	// the mean cosine of the nearest ones does, against a margin of 1.
	nearest    = 3
	nearWeight = 1.5
	// longer is by which power of its size over the usual one a text gains: people
	// ask in more words than examples have, and what they say besides makes them
	// less like any example.
	longer = 0.3
)

// NewMatcher learns from examples; those with an empty text or label are
// ignored. The seed is that of Options. It returns ErrNoExamples when none is left.
func NewMatcher(examples []Example, seed uint64) (*Matcher, error) {
	set := newTrainingSet(examples, typed)
	if len(set.docs) == 0 {
		return nil, ErrNoExamples
	}
	m := &Matcher{learned: set.fit(nil, Options{Seed: seed, Cost: defaultCost}), examples: make([][]vector, len(set.labels))}
	vocab := m.learned.vocab
	for _, d := range set.docs {
		row, _, size := vocab.vectorOf(d.counts)
		m.examples[d.label] = append(m.examples[d.label], row)
		if len(row) > 0 { // a text of nothing but signs has no size
			m.usual += math.Log(size) / float64(len(set.docs))
		}
	}
	m.usual = math.Exp(m.usual)
	return m, nil
}

// Closest returns the label whose examples a text is most like, and how like
// them it is: not a probability between the labels, but 0 for a text that has
// nothing to do with any of them, about 1 where the borders of the labels run,
// and more for one that resembles examples. Foreign words count against it.
func (m *Matcher) Closest(text string) (label string, likeness float64) {
	vocab, labels := m.learned.vocab, m.learned.labels
	doc := counts(text, vocab.shape.grams)
	row, known, size := vocab.vectorOf(doc)
	machine, bayes := m.learned.margins(row)
	best := 0
	for k := range labels {
		if machine[k]+choosing*bayes[k] > machine[best]+choosing*bayes[best] {
			best = k
		}
	}
	if known == 0 {
		return labels[best], 0
	}
	likeness = 1 + slices.Max(machine) + judging*slices.Max(bayes) + nearWeight*m.nearness(row, best)
	likeness *= math.Sqrt(known) * math.Pow(size/m.usual, longer)
	return labels[best], max(0, likeness)
}

// nearness is the mean cosine of a text and the nearest examples of a label.
func (m *Matcher) nearness(row vector, label int) float64 {
	says := make(map[uint32]float32, len(row))
	for _, c := range row {
		says[c.col] = c.val
	}
	cosines := make([]float64, len(m.examples[label]))
	for i, example := range m.examples[label] {
		for _, c := range example {
			cosines[i] += float64(c.val) * float64(says[c.col])
		}
	}
	slices.Sort(cosines)
	cosines = cosines[max(0, len(cosines)-nearest):]
	var sum float64
	for _, c := range cosines {
		sum += c
	}
	return sum / float64(max(1, len(cosines)))
}
