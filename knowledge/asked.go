package knowledge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// AskedInVain records a search on the portal that found nothing. Of who searched nothing is kept. Errors: the database's.
func (s *Service) AskedInVain(ctx context.Context, lang, question string) error {
	return s.record(ctx, Told{ID: db.NewID(), At: s.Clock.Now(), Lang: lang, Channel: ByPortal, By: ByPortal, Question: question, Outcome: None})
}

// Picked records that an article was opened from the portal's list for a question, at a place from 1. It returns the id by which the reader's
// word on it is taken. Errors: the database's.
func (s *Service) Picked(ctx context.Context, lang, question string, article uuid.UUID, version, place int) (uuid.UUID, error) {
	t := Told{ID: db.NewID(), At: s.Clock.Now(), Lang: lang, Channel: ByPortal, By: ByPortal, Question: question, Outcome: Answered, Article: article, Version: version, Place: place}
	return t.ID, s.record(ctx, t)
}

func (s *Service) record(ctx context.Context, t Told) error {
	b := &pgx.Batch{}
	QueueTold(b, t)
	err := db.WithTx(ctx, s.Pool, db.System(), func(tx db.Tx) error { return tx.SendBatch(ctx, b).Close() })
	if err != nil {
		return fmt.Errorf("record a search: %w", err)
	}
	return nil
}

const sqlWord = `update answers set helped = $3, helped_at = $4, looked = false where id = $1 and article_id = $2 and by = 'portal' and helped is null and at > $5 returning id`

// Word is what a reader says of an article that they opened from the list: it is taken once, within a day. An id that is unknown or used changes
// nothing. Errors: the database's.
func (s *Service) Word(ctx context.Context, id, article uuid.UUID, helped bool) error {
	now := s.Clock.Now()
	err := db.WithTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, sqlWord, id, article, helped, now, now.Add(-24*time.Hour)).Scan(&id)
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("record a word: %w", err)
	}
	return nil
}
