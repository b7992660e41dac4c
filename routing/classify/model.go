package classify

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
)

// Example is a text whose label is known.
type Example struct {
	Text  string `json:"text"`
	Label string `json:"label"`
}

// Guess is a label and the probability that it is the right one.
type Guess struct {
	Label string  `json:"label"`
	Score float64 `json:"score"`
}

// defaultCost of a training error.
const defaultCost = 0.5

// Options of Train. The zero value is good for everything the hotline does.
type Options struct {
	// Seed of the order in which examples are visited and dealt to folds.
	Seed uint64
	// Cost of a training error against the size of the weights; 0 means 0.5.
	Cost float64
	// Folds held out in turn to fit mixture and temperature; 0 means 3, and a
	// negative number leaves the scores uncalibrated.
	Folds int
}

// ErrNoExamples is returned by Train when nothing is left to learn from.
var ErrNoExamples = errors.New("classify: no example has both a text and a label")

// Model is a trained classifier. It is immutable.
type Model struct {
	labels []string
	vocab  *vocabulary
	// weights is row-major by feature, in steps of that feature: the weight of feature f for label k is steps[f]*weights[f*len(labels)+k].
	// A byte each keeps what a few thousand example sentences teach at a few megabytes, and rounds by less than the examples differ.
	weights []int8
	steps   []float32
	// intercepts has one element for each label.
	intercepts []float32
	// temperature multiplies margins before the softmax.
	temperature float64
}

// Labels returns the labels the model can tell apart, sorted.
func (m *Model) Labels() []string { return slices.Clone(m.labels) }

// Train fits a model. Examples with an empty text or label are ignored; it
// returns ErrNoExamples when none is left.
func Train(examples []Example, opts Options) (*Model, error) {
	if opts.Cost <= 0 {
		opts.Cost = defaultCost
	}
	if opts.Folds == 0 {
		opts.Folds = 3
	}
	set := newTrainingSet(examples, written)
	if len(set.docs) == 0 {
		return nil, ErrNoExamples
	}
	mix, temperature := defaultMixture, float64(defaultTemperature)
	if opts.Folds > 1 {
		mix, temperature = set.calibrate(opts)
	}
	m := set.fit(nil, opts).mixed(mix)
	m.temperature = temperature
	return m, nil
}

// document is an example or a sentence of it, cut into features once for all folds.
type document struct {
	counts  []count
	label   int
	example int
	// asked marks the form in which a citizen would put it: the first sentence
	// of a long example, else the example. Only these are held out.
	asked bool
}

type trainingSet struct {
	docs     []document
	shape    shape
	labels   []string
	examples int
}

func newTrainingSet(examples []Example, sh shape) *trainingSet {
	set := &trainingSet{shape: sh}
	var usable []Example
	for _, e := range examples {
		if e.Label != "" && strings.TrimSpace(e.Text) != "" {
			usable = append(usable, e)
			set.labels = append(set.labels, e.Label)
		}
	}
	set.examples = len(usable)
	slices.Sort(set.labels)
	set.labels = slices.Compact(set.labels)
	for i, e := range usable {
		k, _ := slices.BinarySearch(set.labels, e.Label)
		parts := sentences(e.Text)
		set.docs = append(set.docs, document{counts(e.Text, sh.grams), k, i, len(parts) == 0})
		for j, s := range parts {
			set.docs = append(set.docs, document{counts(s, sh.grams), k, i, j == 0})
		}
	}
	return set
}

// Predict returns every label with its probability, the most probable first;
// equal ones in the order of their names.
func (m *Model) Predict(text string) []Guess {
	margins, known := m.margins(counts(text, m.vocab.shape.grams))
	probabilities(margins, m.temperature*known)
	out := make([]Guess, len(margins))
	for k, p := range margins {
		out[k] = Guess{m.labels[k], p}
	}
	slices.SortStableFunc(out, func(a, b Guess) int { return cmp.Compare(b.Score, a.Score) })
	return out
}

// margins are the signed distances from each class's border. known, between 0
// and 1, is the weight of those features of the text that training has seen: a
// text in foreign words says little, and one without any known feature nothing.
func (m *Model) margins(doc []count) (margins []float64, known float64) {
	classes := len(m.labels)
	margins = make([]float64, classes)
	row, known, _ := m.vocab.vectorOf(doc)
	if len(row) == 0 {
		return margins, 0
	}
	sum := slices.Clone(m.intercepts)
	for _, c := range row {
		val := c.val * m.steps[c.col]
		for k, w := range m.weights[int(c.col)*classes : (int(c.col)+1)*classes] {
			sum[k] += float32(w) * val
		}
	}
	for k, s := range sum {
		margins[k] = float64(s)
	}
	return margins, known
}

// probabilities turns margins into probabilities in place.
func probabilities(margins []float64, temperature float64) {
	top := slices.Max(margins)
	var z float64
	for k, x := range margins {
		margins[k] = math.Exp((x - top) * temperature)
		z += margins[k]
	}
	for k := range margins {
		margins[k] /= z
	}
}
