package app

import (
	"context"
	"time"

	"hotline/chat/media"
	"hotline/knowledge"
	"hotline/tickets/sla"
)

// cleanFile makes a file of an article as harmless as one of a citizen.
func cleanFile(name string, data []byte) (knowledge.Cleaned, error) {
	f, err := media.Clean(name, data)
	return knowledge.Cleaned(f), err
}

// workingDays is the end of the working day so many working days later, by the hotline's calendar.
func (a *App) workingDays(from time.Time, days int) time.Time {
	if a.Tickets == nil { // knowledge is made first; nothing has a clock before both run
		return from.AddDate(0, 0, days)
	}
	due, _ := sla.Deadline(from, sla.Span{N: days, Unit: sla.WorkingDays}, a.Tickets.Settings().Calendar)
	return due
}

// lookAtArticles finds, every minute, the articles that somebody has to look at.
func (a *App) lookAtArticles(ctx context.Context) {
	for {
		began := time.Now()
		if fresh, err := a.Knowledge.LookAround(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("stale articles", "error", err)
		} else if fresh > 0 {
			a.log.Info("stale articles", "new", fresh)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(time.Minute, 20*time.Since(began))): // a large base is looked at less often
		}
	}
}

// pruneFiles removes, every hour and on one node, the bytes of files that no version of an article names any more.
func (a *App) pruneFiles(ctx context.Context) {
	for {
		if gone, err := a.Knowledge.PruneFiles(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("files of articles", "error", err)
		} else if gone > 0 {
			a.log.Info("files of articles removed", "files", gone)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}

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
