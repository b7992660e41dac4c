package app

import (
	"context"
	"time"
)

// followPause is how long the follower of the measures rests when nothing is left to do: numbers are at most this old, and a little.
const followPause = 2 * time.Second

// followMeasures keeps facts and sums up to date, on one node at a time.
func (a *App) followMeasures(ctx context.Context) {
	for ctx.Err() == nil {
		pause := followPause
		f, err := a.Tickets.FollowMeasures(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.Error("measures", "error", err)
			pause = 10 * followPause
		case f.More:
			pause = 0
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}
