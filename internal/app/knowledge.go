package app

import (
	"context"
	"time"
)

// sweepKnowledge publishes and ends articles when their time comes: at the next due moment, and at least every two seconds. Every node does;
// each article is done once.
func (a *App) sweepKnowledge(ctx context.Context) {
	const every = 2 * time.Second
	for {
		pause := every
		swept, err := a.Knowledge.Sweep(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.Error("knowledge sweep", "error", err)
		}
		if err == nil {
			if swept.Published+swept.Expired > 0 {
				a.log.Info("knowledge sweep", "published", swept.Published, "expired", swept.Expired)
			}
			if wait := swept.Next.Sub(a.clock.Now()); !swept.Next.IsZero() && wait < pause {
				pause = max(wait, 10*time.Millisecond)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
