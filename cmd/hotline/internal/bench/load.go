package bench

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Load is what a closed loop of clients reached.
type Load struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	N         int     `json:"n"`
	Least     float64 `json:"per_second_least,omitempty"` // of several runs
	Most      float64 `json:"per_second_most,omitempty"`
}

// run lets clients call f one after the other for a while, and measures. The first error ends it.
func run(ctx context.Context, clients int, length time.Duration, f func(ctx context.Context, client, i int) error) (Load, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var took []time.Duration
	var failed atomic.Bool
	start := time.Now()
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			var own []time.Duration
			for i := 0; time.Since(start) < length && ctx.Err() == nil; i++ {
				at := time.Now()
				if err := f(ctx, c, i); err != nil {
					if !failed.Swap(true) {
						cancel(err)
					}
					return
				}
				own = append(own, time.Since(at))
			}
			mu.Lock()
			took = append(took, own...)
			mu.Unlock()
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	if failed.Load() {
		return Load{}, context.Cause(ctx)
	}
	return summary(took, elapsed), nil
}

func summary(took []time.Duration, elapsed time.Duration) Load {
	if len(took) == 0 {
		return Load{}
	}
	slices.Sort(took)
	at := func(q float64) float64 {
		return float64(took[min(len(took)-1, int(q*float64(len(took))))].Microseconds()) / 1000
	}
	return Load{PerSecond: float64(len(took)) / elapsed.Seconds(), P50: at(.5), P99: at(.99), N: len(took)}
}
