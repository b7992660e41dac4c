package classify

import (
	"math"
	"runtime"
	"slices"
	"time"
)

// Evaluation is how well a model does on texts it has not seen.
type Evaluation struct {
	N        int     `json:"n"`
	Accuracy float64 `json:"accuracy"`
	// MacroF1 is the mean F1 over the labels that occur in the test texts or
	// in the predictions.
	MacroF1 float64 `json:"macro_f1"`
	// ECE is the expected calibration error in ten bins: how far, on average,
	// the score of the first guess is from the share of right first guesses.
	ECE     float64 `json:"ece"`
	P50ms   float64 `json:"p50_ms"`
	P99ms   float64 `json:"p99_ms"`
	TrainMs float64 `json:"train_ms"`
}

// Evaluate trains on one set and measures on the other, by the caller's clock:
// pass time.Now. It returns ErrNoExamples when either set is empty.
func Evaluate(train, test []Example, opts Options, now func() time.Time) (Evaluation, error) {
	start := now()
	m, err := Train(train, opts)
	if err != nil {
		return Evaluation{}, err
	}
	trained := now()
	if len(test) == 0 {
		return Evaluation{}, ErrNoExamples
	}
	runtime.GC() // a decision is measured as in a running program, without the litter of training
	type tally struct{ right, predicted, actual int }
	per := make(map[string]*tally)
	at := func(label string) *tally {
		if per[label] == nil {
			per[label] = &tally{}
		}
		return per[label]
	}
	var bins [10]struct{ n, right, score float64 }
	took := make([]time.Duration, len(test))
	right := 0
	for i, e := range test {
		before := now()
		best := m.Predict(e.Text)[0]
		took[i] = now().Sub(before)
		at(best.Label).predicted++
		at(e.Label).actual++
		bin := &bins[min(int(best.Score*10), 9)]
		bin.n++
		bin.score += best.Score
		if best.Label == e.Label {
			right++
			at(e.Label).right++
			bin.right++
		}
	}
	ev := Evaluation{
		N:        len(test),
		Accuracy: float64(right) / float64(len(test)),
		TrainMs:  milliseconds(trained.Sub(start)),
	}
	for _, t := range per {
		ev.MacroF1 += 2 * float64(t.right) / float64(t.predicted+t.actual) / float64(len(per))
	}
	for _, b := range bins {
		ev.ECE += math.Abs(b.score-b.right) / float64(len(test))
	}
	slices.Sort(took)
	ev.P50ms = milliseconds(took[len(took)/2])
	ev.P99ms = milliseconds(took[min(len(took)*99/100, len(took)-1)])
	return ev, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
