package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"hotline/routing"
)

// learnEvery is how often the follower looks when nothing was waiting.
const learnEvery = 3 * time.Second

// followAnswers, on one node at a time, learns from what citizens asked and were told.
func (a *App) followAnswers(ctx context.Context) {
	for {
		n, err := a.Learn.Step(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.Error("learning", "error", err)
		}
		pause := learnEvery
		if err == nil && n > 0 {
			pause = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// responsible names the agency that should know the answer to a question, by the dispatch catalogue; uuid.Nil when it cannot tell.
func (a *App) responsible(question string) uuid.UUID {
	return a.Routing.Snapshot().Decide(routing.Facts{Kind: "consult", Text: question}).Lead
}
