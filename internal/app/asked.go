package app

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"hotline/internal/clock"
	"hotline/internal/config"
	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/knowledge/learn"
)

// portalAsked records what the portal's readers searched.
type portalAsked struct{ service *knowledge.Service }

// InVain implements portal.Asked.
func (k portalAsked) InVain(ctx context.Context, lang, question string) error {
	return k.service.AskedInVain(ctx, lang, question)
}

// Picked implements portal.Asked.
func (k portalAsked) Picked(ctx context.Context, lang, question string, article uuid.UUID, version, place int) (uuid.UUID, error) {
	return k.service.Picked(ctx, lang, question, article, version, place)
}

// Word implements portal.Asked.
func (k portalAsked) Word(ctx context.Context, id, article uuid.UUID, helped bool) error {
	return k.service.Word(ctx, id, article, helped)
}

// signalsEvery is how old a node's signals may be.
const signalsEvery = 10 * time.Minute

// followSignals keeps this node's ranking up to what citizens said and opened.
func (a *App) followSignals(ctx context.Context) {
	for {
		if err := a.Knowledge.LoadSignals(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("signals", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(signalsEvery):
		}
	}
}

// WithOwnEvaluation writes an installation's articles and its evaluation set as `hotline eval retrieval` reads them.
func WithOwnEvaluation(ctx context.Context, cfg config.Config, log *slog.Logger, articles, queries io.Writer) error {
	return WithDatabase(ctx, cfg, log, func(d Database) error {
		s := learn.New(learn.Deps{Pool: d.Pool, Clock: clock.System{}, Log: log})
		if err := s.WriteArticles(ctx, articles); err != nil {
			return err
		}
		_, err := s.WritePairs(ctx, db.System(), queries)
		return err
	})
}
