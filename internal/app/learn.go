package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"hotline/knowledge/learn"
	"hotline/routing"
)

// Times of learning. Praise is looked for on one node; what was proposed before is not proposed again, so a new node looks a little too far back.
const (
	learnEvery  = 3 * time.Second // when nothing was waiting
	praiseEvery = 5 * time.Minute
	praiseBack  = 14 * 24 * time.Hour
	praiseBatch = 200
)

// followAnswers, on one node at a time, learns from what citizens asked and were told.
func (a *App) followAnswers(ctx context.Context) {
	since, looked := a.clock.Now().Add(-praiseBack), time.Time{}
	for {
		n, err := a.Learn.Step(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.Error("learning", "error", err)
		}
		if now := a.clock.Now(); err == nil && now.Sub(looked) >= praiseEvery {
			looked = now
			if since, err = a.praise(ctx, since); err == nil {
				_, err = a.Learn.Forget(ctx)
			}
			if err != nil && ctx.Err() == nil {
				a.log.Error("learning from people", "error", err)
			}
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

// praise hands over answers that citizens praised since a moment, and returns the moment up to which it came.
func (a *App) praise(ctx context.Context, since time.Time) (time.Time, error) {
	upTo := a.clock.Now()
	ks, err := a.Tickets.Praised(ctx, since, praiseBatch)
	if err != nil {
		return since, err
	}
	cs, err := a.Chat.Praised(ctx, since, praiseBatch)
	if err != nil {
		return since, err
	}
	gs, err := a.Tickets.Graded(ctx, since, praiseBatch)
	if err != nil {
		return since, err
	}
	for _, g := range gs {
		if err := a.Learn.Grade(ctx, g.Ticket, g.Grade); err != nil {
			return since, err
		}
	}
	for _, k := range ks {
		if err := a.Learn.Propose(ctx, learn.Praise{Source: "ticket", ID: k.Ticket, Lang: k.Lang, Agency: k.Lead, Question: k.Description, Answer: k.Reply, Names: named(k.Contact), Grade: k.Grade}); err != nil {
			return since, err
		}
	}
	for _, c := range cs {
		if err := a.Learn.Propose(ctx, learn.Praise{Source: "chat", ID: c.Conversation, Lang: c.Lang, Question: c.Question, Answer: c.Answer, Names: named(c.Contact), Grade: c.Grade}); err != nil {
			return since, err
		}
	}
	if len(ks) == praiseBatch { // more are waiting: go on after the last
		upTo = ks[len(ks)-1].RatedAt
	}
	if len(gs) == praiseBatch && gs[len(gs)-1].RatedAt.Before(upTo) {
		upTo = gs[len(gs)-1].RatedAt
	}
	if len(cs) == praiseBatch && cs[len(cs)-1].RatedAt.Before(upTo) {
		upTo = cs[len(cs)-1].RatedAt
	}
	return upTo, nil
}

func named(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

// responsible names the agency that should know the answer to a question, by the dispatch catalogue; uuid.Nil when it cannot tell.
func (a *App) responsible(question string) uuid.UUID {
	return a.Routing.Snapshot().Decide(routing.Facts{Kind: "consult", Text: question}).Lead
}
