package app

import (
	"context"
	"fmt"
	"time"

	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/knowledge/meili"
)

// openIndex makes the search engine that nodes share; nil where each searches by itself.
func (a *App) openIndex() (knowledge.Index, error) {
	if a.cfg.MeiliURL == "" {
		return nil, nil
	}
	embedders, err := meili.ParseEmbedders(a.cfg.MeiliEmbedders)
	if err != nil {
		return nil, fmt.Errorf("HOTLINE_MEILI_EMBEDDERS: %w", err)
	}
	return meili.New(meili.Options{URL: a.cfg.MeiliURL, Key: a.cfg.MeiliKey, Embedders: embedders}), nil
}

// Knowledge is followed by hint and by a slow look at what changed last.
const subjectKnowledge = "knowledge.changed"

func (a *App) knowledgeChanged(article string) { a.bus.Publish(subjectKnowledge, []byte(article)) }

// followKnowledge loads the articles and keeps them up to date: hints say which article changed; the slow tick looks for newer changes, so that a lost
// hint leaves a node behind for seconds only.
func (a *App) followKnowledge(ctx context.Context) error {
	changed, kick := make(chan string, 256), make(chan struct{}, 1)
	cancel, err := a.bus.Subscribe(subjectKnowledge, func(_ string, data []byte) {
		select {
		case changed <- string(data):
		default: // the slow tick sees it
		}
	})
	if err != nil {
		return err
	}
	a.onStop(func(context.Context) { cancel() })
	seen, err := a.newestArticle(ctx)
	if err != nil {
		return err
	}
	if err := a.Knowledge.Load(ctx); err != nil {
		return err
	}
	a.loops.run(func(ctx context.Context) {
		for {
			a.giveBack()
			select {
			case <-ctx.Done():
				return
			case <-a.Knowledge.RebuildWanted():
				a.retry(ctx, "knowledge", func() error { return a.Knowledge.Rebuild(ctx) })
			}
		}
	})
	if a.cfg.MeiliURL != "" {
		a.loops.run(func(ctx context.Context) {
			a.elected(ctx, "search engine", func(ctx context.Context) { a.Knowledge.Mirror(ctx, kick) })
		})
	}
	a.loops.run(a.followVectors)
	a.loops.run(func(ctx context.Context) {
		a.elected(ctx, "article vectors", a.makeVectors)
	})
	a.loops.run(func(ctx context.Context) {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case id := <-changed:
				select {
				case kick <- struct{}{}:
				default: // it is awake already
				}
				if err := a.Knowledge.Reindex(ctx, id); err != nil && ctx.Err() == nil {
					a.log.Error("knowledge not up to date; the next change or start repairs it", "error", err)
				}
			case <-tick.C:
				newest, err := a.Knowledge.CatchUp(ctx, seen)
				if err == nil {
					seen = newest
					err = a.Knowledge.Watch(ctx)
				}
				if err != nil && ctx.Err() == nil {
					a.log.Warn("knowledge", "error", err)
				}
			}
		}
	})
	return nil
}

func (a *App) newestArticle(ctx context.Context) (newest time.Time, err error) {
	err = db.ReadTx(ctx, a.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select coalesce(max(updated_at), 'epoch') from articles`).Scan(&newest)
	})
	return newest, err
}

// vectorsEvery is how often nodes look whether a model for embeddings was set up and what it has made.
const vectorsEvery = 10 * time.Second

// followVectors keeps this node's vectors at what the database has.
func (a *App) followVectors(ctx context.Context) {
	for {
		if err := a.Knowledge.LoadVectors(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("article vectors", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(vectorsEvery):
		}
	}
}

// makeVectors, on one node at a time, has the model make what is missing; while it fails it is asked less and less often.
func (a *App) makeVectors(ctx context.Context) {
	for pause := vectorsEvery; ; {
		made, err := a.Knowledge.EmbedStale(ctx)
		if made > 0 {
			a.log.Info("article vectors made", "articles", made)
		}
		if err == nil {
			pause = vectorsEvery
		} else if ctx.Err() == nil {
			pause = min(2*pause, 10*time.Minute)
			a.log.Warn("article vectors not made", "error", err, "again_in", pause.String())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// searchDetail is what /readyz adds: a node whose engine is away serves.
func (a *App) searchDetail() string {
	s := a.Knowledge.Engine()
	switch {
	case !s.Since.IsZero() || s.Fault.Code != "":
		return "search degraded: the engine does not answer, this node searches by itself"
	case s.Filling:
		return fmt.Sprintf("search degraded: the index is being filled, %d of %d", s.Done, s.Total)
	}
	return ""
}
