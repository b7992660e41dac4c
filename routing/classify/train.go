package classify

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// smoothing is what the complement estimate adds to the weight of each
// feature, in units of tf-idf.
const smoothing = 0.1

// fitted is what is learnt from one set of documents, before the mixture of
// the two learners is chosen.
//
// The support vector machine wins where a label has many examples; complement
// naive Bayes (Rennie, Shih, Teevan and Karger, ICML 2003) where it has a
// handful, as in a catalogue whose texts are its names and descriptions. Both
// are linear in the same features, so the mixture costs nothing to evaluate.
type fitted struct {
	labels     []string
	vocab      *vocabulary
	machine    []float32
	intercepts []float32
	bayes      []float32
}

// margins are those of the two learners apart; see [Model.margins].
func (f *fitted) margins(row vector) (machine, bayes []float64) {
	classes := len(f.labels)
	machine, bayes = make([]float64, classes), make([]float64, classes)
	if len(row) == 0 {
		return machine, bayes
	}
	for k, x := range f.intercepts {
		machine[k] = float64(x)
	}
	for _, c := range row {
		from, to := int(c.col)*classes, (int(c.col)+1)*classes
		for k, w := range f.machine[from:to] {
			machine[k] += float64(w * c.val)
		}
		for k, w := range f.bayes[from:to] {
			bayes[k] += float64(w * c.val)
		}
	}
	return machine, bayes
}

// mixed adds the two learners, the second one weighted, and rounds each weight to one of the 255 steps between the greatest of its feature and its opposite.
func (f *fitted) mixed(bayes float64) *Model {
	dim, classes := len(f.vocab.idf), len(f.labels)
	m := &Model{labels: f.labels, vocab: f.vocab, weights: make([]int8, dim*classes), steps: make([]float32, dim), intercepts: f.intercepts}
	row := make([]float32, classes)
	for i := range dim {
		from, to := i*classes, (i+1)*classes
		var greatest float32
		for k, w := range f.machine[from:to] {
			row[k] = w + float32(bayes)*f.bayes[from+k]
			greatest = max(greatest, row[k], -row[k])
		}
		step := greatest / math.MaxInt8
		if step == 0 {
			continue
		}
		m.steps[i] = step
		for k, w := range row {
			m.weights[from+k] = int8(math.Round(float64(w / step)))
		}
	}
	return m
}

// fit learns from the examples for which held is false (nil: from all). All
// labels stay; one without documents keeps a margin of -1.
func (set *trainingSet) fit(held []bool, opts Options) *fitted {
	var docs [][]count
	var label []int
	for _, d := range set.docs {
		if held == nil || !held[d.example] {
			docs = append(docs, d.counts)
			label = append(label, d.label)
		}
	}
	vocab := newVocabulary(docs, set.shape)
	rows := make([]vector, len(docs))
	for i, d := range docs {
		rows[i], _, _ = vocab.vectorOf(d)
	}
	f := &fitted{labels: set.labels, vocab: vocab}
	f.fitMachine(rows, label, opts)
	f.fitBayes(rows, label)
	return f
}

// fitMachine solves each class against the rest. Every class has a generator
// of its own, so the result does not depend on which goroutine takes which.
func (f *fitted) fitMachine(rows []vector, label []int, opts Options) {
	dim, classes := len(f.vocab.idf), len(f.labels)
	f.machine = make([]float32, dim*classes)
	f.intercepts = make([]float32, classes)
	squared := make([]float64, len(rows))
	for i, r := range rows {
		squared[i] = r.squared()
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), classes) {
		wg.Go(func() {
			for k := range next {
				positive := make([]bool, len(rows))
				n := 0
				for i, l := range label {
					if l == k {
						positive[i] = true
						n++
					}
				}
				if n == 0 {
					f.intercepts[k] = -1
					continue
				}
				rng := rand.New(rand.NewPCG(opts.Seed, uint64(k)+1))
				w := solve(rows, squared, dim, positive, opts.Cost*positiveBoost(n, len(rows)), opts.Cost, rng)
				f.intercepts[k] = float32(w[dim] * biasValue)
				for i, x := range w[:dim] {
					f.machine[i*classes+k] = float32(x)
				}
			}
		})
	}
	for k := range classes {
		next <- k
	}
	close(next)
	wg.Wait()
}

// positiveBoost makes an error on one of the few examples of a class dearer
// than one on the many others, but less than in full proportion, which would
// let rare classes shout.
func positiveBoost(n, all int) float64 {
	if n == all {
		return 1
	}
	return min(math.Sqrt(float64(all-n)/float64(n)), 5)
}

// fitBayes weighs each feature of a class by how rarely the other classes have
// it, relative to the mean over the classes.
func (f *fitted) fitBayes(rows []vector, label []int) {
	dim, classes := len(f.vocab.idf), len(f.labels)
	in := make([]float32, dim*classes)
	total := make([]float64, dim)
	inLabel := make([]float64, classes)
	var all float64
	for i, r := range rows {
		k := label[i]
		for _, c := range r {
			x := float64(c.val)
			in[int(c.col)*classes+k] += c.val
			total[c.col] += x
			inLabel[k] += x
			all += x
		}
	}
	norm := make([]float64, classes)
	for k := range norm {
		norm[k] = math.Log(smoothing*float64(dim) + all - inLabel[k])
	}
	w := make([]float64, classes)
	for c := range dim {
		row := in[c*classes : (c+1)*classes]
		// Most classes do not have the feature: their logarithm is the same.
		absent := math.Log(smoothing + total[c])
		var mean float64
		for k := range w {
			l := absent
			if row[k] != 0 {
				l = math.Log(smoothing + max(total[c]-float64(row[k]), 0))
			}
			w[k] = norm[k] - l
			mean += w[k]
		}
		mean /= float64(classes)
		for k := range w {
			row[k] = float32(w[k] - mean)
		}
	}
	f.bayes = in
}
