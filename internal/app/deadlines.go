package app

import (
	"context"
	"time"

	"hotline/tickets"
)

const (
	settingsLook   = 5 * time.Second // less than tickets.RecomputeDelay: no node starts a clock under old rules behind a recomputation
	recomputeBatch = 2000            // clocks in one transaction
)

// followSettings keeps policies and calendars up to date: by hint, and by a slow look for lost ones.
func (a *App) followSettings() error {
	wake := make(chan struct{}, 1)
	cancel, err := a.bus.Subscribe(tickets.SubjectSettings, func(string, []byte) {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	a.onStop(func(context.Context) { cancel() })
	a.loops.run(func(ctx context.Context) {
		tick := time.NewTicker(settingsLook)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-wake:
			case <-tick.C:
			}
			if err := a.Tickets.CatchUp(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("policies and calendars could not be reloaded; the present ones stay in force", "error", err)
			}
		}
	})
	return nil
}

// recomputeClocks brings open clocks under new rules, batch by batch, whichever node gets to it.
func (a *App) recomputeClocks(ctx context.Context) {
	for {
		job, done, err := a.Tickets.Recompute(ctx, recomputeBatch)
		pause := time.Millisecond // let others have their turn
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.Error("recomputing deadlines; the next look goes on where it stopped", "error", err)
			pause = settingsLook
		case done:
			if job.State == "done" {
				a.log.Info("deadlines recomputed", "kind", job.Kind, "code", job.Code, "looked", job.Looked, "earlier", job.Earlier, "later", job.Later,
					"unchanged", job.Unchanged, "held", job.Held)
			}
			pause = 2 * time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
