package knowledge

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

const maxComment = 2000

func collectIDs(rows pgx.Rows) ([]uuid.UUID, error) {
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

const (
	sqlInsertFeedback = `insert into article_feedback (id, article_id, version, helpful, comment, source, created_at)
		select $1, v.article_id, v.version, $4, $5, $6, $7 from article_versions v
		where v.article_id = $2 and v.version = $3 and v.published_at is not null`
	sqlCountFeedback = `update articles set helpful = helpful + case when $2 then 1 else 0 end,
		unhelpful = unhelpful + case when $2 then 0 else 1 end where id = $1`
)

// Feedback records whether a version of an article helped. source is 'portal'
// or 'chat'. Errors: ErrNotFound for a version that was never published,
// ErrTextTooLong.
func (s *Service) Feedback(ctx context.Context, article uuid.UUID, version int, helpful bool, comment, source string) error {
	comment = cleanText(comment)
	if len(comment) > 4*maxComment {
		return ErrTextTooLong.On("comment").With("limit", maxComment)
	}
	return db.WithTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, sqlInsertFeedback, db.NewID(), article, version, helpful, comment, clean(source), s.Clock.Now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrNotFound
		}
		_, err = tx.Exec(ctx, sqlCountFeedback, article, helpful)
		return err
	})
}
