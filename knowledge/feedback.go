package knowledge

import (
	"context"
	"fmt"

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

const (
	sqlSynonyms       = `select lang, terms from synonym_groups order by lang, id`
	sqlDeleteSynonyms = `delete from synonym_groups`
	sqlInsertSynonyms = `insert into synonym_groups (id, lang, terms) values ($1, $2, $3)`
)

// Synonyms returns all synonym groups.
func (s *Service) Synonyms(ctx context.Context) ([]SynonymGroup, error) {
	rows, err := s.Pool.Query(ctx, sqlSynonyms)
	if err != nil {
		return nil, fmt.Errorf("read synonyms: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[SynonymGroup])
}

// Limits of synonyms.
const (
	maxSynonymGroups = 5000
	maxSynonyms      = 30
)

// SaveSynonyms replaces all synonym groups. Errors: ErrNotEditor, ErrSynonyms.
func (s *Service) SaveSynonyms(ctx context.Context, by Staff, groups []SynonymGroup) error {
	if err := by.mayEdit(); err != nil {
		return err
	}
	if len(groups) > maxSynonymGroups {
		return ErrSynonyms.With("limit", maxSynonymGroups)
	}
	for i := range groups {
		groups[i].Terms = cleanAll(groups[i].Terms)
		if n := len(groups[i].Terms); n < 2 || n > maxSynonyms || !langTag.MatchString(groups[i].Lang) {
			return ErrSynonyms.With("group", i+1)
		}
		if e := checkList("terms", groups[i].Terms, MaxKeyword); e != nil {
			return ErrSynonyms.With("group", i+1)
		}
	}
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(sqlDeleteSynonyms)
		for _, g := range groups {
			batch.Queue(sqlInsertSynonyms, db.NewID(), g.Lang, g.Terms)
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return err
	}
	if err := s.loadSynonyms(context.WithoutCancel(ctx)); err != nil {
		s.Log.ErrorContext(ctx, "synonyms not applied", "error", err)
	}
	if s.Changed != nil {
		s.Changed("")
	}
	return nil
}
