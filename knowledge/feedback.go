package knowledge

import (
	"context"
	"fmt"
	"time"

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

// Correction is what a member of staff says is wrong with an article.
type Correction struct {
	ID        uuid.UUID
	Article   uuid.UUID
	Version   int
	User      uuid.UUID
	Text      string
	State     string // open, accepted, rejected
	CreatedAt time.Time
	DecidedAt *time.Time
}

const (
	sqlInsertCorrection = `insert into article_corrections (id, article_id, version, user_id, text, created_at) values ($1, $2, $3, $4, $5, $6)`
	sqlCorrections      = `select id, article_id, version, user_id, text, state, created_at, decided_at from article_corrections
		where article_id = $1 order by created_at desc, id desc limit 200`
	sqlLockCorrection = `select article_id from article_corrections where id = $1`
	sqlDecide         = `update article_corrections set state = $2, decided_at = $3 where id = $1 and state = 'open'`
	sqlOpenLeft       = `select exists (select from article_corrections where article_id = $1 and state = 'open')`
)

// Dispute files a correction against what is published. Any member of staff
// may; the article is not served until a reviewer rejects the correction or a
// new version is published. Errors: ErrNotFound, ErrState when nothing is
// published, ErrTextMissing, ErrTextTooLong.
func (s *Service) Dispute(ctx context.Context, by Staff, article uuid.UUID, text string) (Correction, error) {
	c := Correction{ID: db.NewID(), Article: article, User: by.Actor.User(), Text: cleanText(text), State: "open", CreatedAt: s.Clock.Now()}
	switch {
	case c.User == uuid.Nil:
		return c, ErrNotEditor
	case c.Text == "":
		return c, ErrTextMissing.On("text")
	case len(c.Text) > 4*maxComment:
		return c, ErrTextTooLong.On("text").With("limit", maxComment)
	}
	err := s.elevated(ctx, func(tx db.Tx) error {
		a, err := lockArticle(ctx, tx, article)
		if err != nil {
			return err
		}
		if a.Live == 0 {
			return ErrState.With("state", "unpublished")
		}
		c.Version = a.Live
		if _, err := tx.Exec(ctx, sqlInsertCorrection, c.ID, c.Article, c.Version, c.User, c.Text, c.CreatedAt); err != nil {
			return err
		}
		a.Disputed, a.UpdatedAt = true, c.CreatedAt
		return setLive(ctx, tx, a)
	})
	if err == nil {
		s.changed(ctx, article.String())
	}
	return c, err
}

// Corrections lists the corrections of an article, the latest first.
func (s *Service) Corrections(ctx context.Context, article uuid.UUID) ([]Correction, error) {
	rows, err := s.Pool.Query(ctx, sqlCorrections, article)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Correction])
}

// DecideCorrection accepts or rejects a correction. An article without open
// corrections is served again only if the last one was rejected: after an
// accepted one it waits for a new version. Errors: ErrNotReviewer, ErrNotFound,
// ErrState when it was decided before.
func (s *Service) DecideCorrection(ctx context.Context, by Staff, id uuid.UUID, accept bool) error {
	var article uuid.UUID
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlLockCorrection, id)
		if article, err = one(rows, err, pgx.RowTo[uuid.UUID]); err != nil {
			return err
		}
		a, err := articleByID(ctx, tx, article)
		if err == nil {
			err = by.reviews(a)
		}
		if err == nil {
			a, err = lockArticle(ctx, tx, article)
		}
		if err != nil {
			return err
		}
		state := "rejected"
		if accept {
			state = "accepted"
		}
		tag, err := tx.Exec(ctx, sqlDecide, id, state, s.Clock.Now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrState.With("state", "decided")
		}
		a.Disputed, err = s.stillDisputed(ctx, tx, a, accept)
		if err != nil {
			return err
		}
		a.UpdatedAt = s.Clock.Now()
		return setLive(ctx, tx, a)
	})
	if err == nil {
		s.changed(ctx, article.String())
	}
	return err
}

const sqlAccepted = `select exists (select from article_corrections where article_id = $1 and version = $2 and state = 'accepted')`

func (s *Service) stillDisputed(ctx context.Context, tx db.Tx, a Article, accepted bool) (bool, error) {
	if accepted {
		return true, nil
	}
	var open, agreed bool
	if err := tx.QueryRow(ctx, sqlOpenLeft, a.ID).Scan(&open); err != nil {
		return false, err
	}
	if err := tx.QueryRow(ctx, sqlAccepted, a.ID, a.Live).Scan(&agreed); err != nil {
		return false, err
	}
	return open || agreed, nil
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
