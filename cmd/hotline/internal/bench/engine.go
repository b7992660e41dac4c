package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"hotline/internal/app"
	"hotline/knowledge"
	"hotline/knowledge/vector"
)

// Rebuilt is what reading all articles anew costs, and those who search meanwhile.
type Rebuilt struct {
	Seconds float64 `json:"seconds"`
	During  Load    `json:"search_meanwhile"`
}

// searchEvery is how often somebody searches meanwhile.
const searchEvery = 100 * time.Millisecond

// loading searches now and then until the node has read every article.
func loading(ctx context.Context, a *app.App, search func(context.Context, int, int) error) (Load, error) {
	var took []time.Duration
	began := time.Now()
	for i := 0; a.Knowledge.Engine().Loading; i++ {
		at := time.Now()
		if err := search(ctx, 0, i); err != nil {
			return Load{}, err
		}
		took = append(took, time.Since(at))
		pause(ctx, searchEvery)
		if err := ctx.Err(); err != nil {
			return Load{}, err
		}
	}
	return summary(took, time.Since(began)), nil
}

// rebuild has a node read all articles anew.
func rebuild(ctx context.Context, a *app.App, search func(context.Context, int, int) error) (r Rebuilt, err error) {
	began := time.Now()
	if err := a.Knowledge.AskForRebuild(ctx, knowledge.System()); err != nil {
		return r, err
	}
	r.During, err = loading(ctx, a, search)
	r.Seconds = time.Since(began).Seconds()
	return r, err
}

// Scan is a look through all vectors of a large collection.
type Scan struct {
	Vectors    int  `json:"vectors"`
	Dimensions int  `json:"dimensions"`
	Load       Load `json:"load"`
}

// Of a large collection with one vector for each article, by a model with long ones.
const (
	scanned    = 100_000
	dimensions = 1_536
)

func (b *bed) scan(ctx context.Context) (s Scan, err error) {
	set, questions := vectors(scanned, dimensions)
	s = Scan{Vectors: set.Len(), Dimensions: set.Dim()}
	s.Load, err = run(ctx, 1, b.o.Length/2, func(_ context.Context, _, i int) error {
		if got := set.Search(questions[i%len(questions)], knowledge.Proposals); len(got) != knowledge.Proposals {
			return errors.New("nothing found")
		}
		return nil
	})
	return s, err
}

// vectors makes n of them around n/50 subjects, all in much the same direction, as those of texts lie, and questions about some.
func vectors(n, dim int) (*vector.Set, [][]float32) {
	r := rand.New(rand.NewPCG(1, 2))
	near := func(to []float32, by float32) []float32 {
		out := make([]float32, dim)
		for i := range out {
			out[i] = to[i] + by*float32(r.NormFloat64())
		}
		return out
	}
	common := near(make([]float32, dim), 0.5)
	noise := append(near(make([]float32, dim), 0.7), near(make([]float32, dim), 0.7)...)
	set := vector.NewSet(dim)
	var questions [][]float32
	for i := 0; i < n; {
		subject := near(common, 1)
		if len(questions) < 500 {
			questions = append(questions, near(subject, 0.3))
		}
		for range min(50, n-i) {
			own, from := make([]float32, dim), r.IntN(dim)
			for k := range own {
				own[k] = subject[k] + noise[from+k]
			}
			set.Put(fmt.Sprint(i), vector.Encode(own))
			i++
		}
	}
	return set, questions
}
