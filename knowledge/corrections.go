package knowledge

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Correction is what a member of staff says is wrong with an article. Its clock
// runs until it is settled: rejected, or answered by a new text.
type Correction struct {
	ID        uuid.UUID
	Article   uuid.UUID
	Version   int
	User      uuid.UUID
	Text      string
	State     string // open, accepted, rejected
	CreatedAt time.Time
	DecidedAt *time.Time
	SettledAt *time.Time
	WarnAt    *time.Time
	DueAt     *time.Time
}

const correctionColumns = `c.id, c.article_id, c.version, c.user_id, c.text, c.state, c.created_at, c.decided_at, c.settled_at, c.warn_at, c.due_at`

const (
	sqlInsertCorrection = `insert into article_corrections (id, article_id, version, user_id, text, created_at, warn_at, due_at, next_fire_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $7)`
	sqlCorrections      = `select ` + correctionColumns + ` from article_corrections c where c.article_id = $1 order by c.created_at desc, c.id desc limit 200`
	sqlSameCorrection   = `select ` + correctionColumns + ` from article_corrections c where c.article_id = $1 and c.version = $2 and c.user_id = $3 and c.text = $4 and c.state = 'open' order by c.created_at limit 1`
	sqlCorrectionOf     = `select article_id, user_id from article_corrections where id = $1`
	sqlDecide           = `update article_corrections set state = $2, decided_at = $3, decided_by = $4, settled_at = case when $2 = 'rejected' then $3::timestamptz end,
		next_fire_at = case when $2 = 'rejected' then null else next_fire_at end where id = $1 and state = 'open'`
	sqlSettle = `update article_corrections set state = case when state = 'open' then 'accepted' else state end, decided_at = coalesce(decided_at, $2),
		decided_by = coalesce(decided_by, $3), settled_at = $2, next_fire_at = null where article_id = $1 and settled_at is null returning user_id`
	sqlOpenLeft = `select exists (select from article_corrections where article_id = $1 and state = 'open')`
	sqlAccepted = `select exists (select from article_corrections where article_id = $1 and version = $2 and state = 'accepted')`
)

// Dispute files a correction against what is published. Any member of staff
// may; the article is not served until a reviewer rejects the correction or a
// new version is published. The owner's editors and reviewers are told, and the
// clock begins. Filed twice by one person, it is the first one. Errors: ErrNotFound, ErrState when nothing is published,
// ErrTextMissing, ErrTextTooLong.
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
	rules, err := s.Settings(ctx)
	if err != nil {
		return c, err
	}
	due := s.deadline(c.CreatedAt, rules.CorrectionDays)
	warn := due.Add(-due.Sub(c.CreatedAt) * time.Duration(rules.RemindShare) / 100)
	c.WarnAt, c.DueAt = &warn, &due
	err = s.elevated(ctx, func(tx db.Tx) error {
		a, err := lockArticle(ctx, tx, article)
		if err != nil {
			return err
		}
		if a.Live == 0 {
			return ErrState.With("state", "unpublished")
		}
		c.Version = a.Live
		rows, err := tx.Query(ctx, sqlSameCorrection, c.Article, c.Version, c.User, c.Text)
		if before, err := one(rows, err, pgx.RowToStructByPos[Correction]); !errors.Is(err, ErrNotFound) {
			c = before
			return err
		}
		if _, err := tx.Exec(ctx, sqlInsertCorrection, c.ID, c.Article, c.Version, c.User, c.Text, c.CreatedAt, c.WarnAt, c.DueAt); err != nil {
			return err
		}
		for _, role := range []string{"editor", "reviewer"} {
			if err := notify(ctx, tx, a.Owner, role, NoticeCorrection, a.ID, nil, c.CreatedAt); err != nil {
				return err
			}
		}
		a.Disputed, a.UpdatedAt = true, c.CreatedAt
		return setLive(ctx, tx, a)
	})
	if err == nil {
		s.changed(ctx, article.String())
	}
	return c, err
}

// deadline is so many working days later; without a calendar, days.
func (s *Service) deadline(from time.Time, days int) time.Time {
	if s.Deadline != nil {
		return s.Deadline(from, days)
	}
	return from.AddDate(0, 0, days)
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
		rows, err := tx.Query(ctx, sqlCorrectionOf, id)
		of, err := one(rows, err, pgx.RowToStructByPos[struct{ Article, User uuid.UUID }])
		if err != nil {
			return err
		}
		article = of.Article
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
		tag, err := tx.Exec(ctx, sqlDecide, id, state, s.Clock.Now(), by.user())
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
		if !accept && of.User != by.Actor.User() {
			if err := notifyPerson(ctx, tx, of.User, NoticeCorrectionRejected, a.ID, a.UpdatedAt); err != nil {
				return err
			}
		}
		return setLive(ctx, tx, a)
	})
	if err == nil {
		s.changed(ctx, article.String())
		err = s.quiet(ctx, article)
	}
	return err
}

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

// settle ends the clocks of an article's corrections and tells who filed them: a
// new text is published, or none is.
func settle(ctx context.Context, tx db.Tx, by Staff, article uuid.UUID, now time.Time) error {
	rows, err := tx.Query(ctx, sqlSettle, article, now, by.user())
	if err != nil {
		return err
	}
	filed, err := collectIDs(rows)
	if err != nil {
		return err
	}
	slices.SortFunc(filed, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, who := range slices.Compact(filed) {
		if who == by.Actor.User() {
			continue
		}
		if err := notifyPerson(ctx, tx, who, NoticeCorrectionSettled, article, now); err != nil {
			return err
		}
	}
	return nil
}

const (
	sqlFiring = `select c.id, c.article_id, c.stage, c.due_at, a.owner_id from article_corrections c join articles a on a.id = c.article_id
		where c.next_fire_at <= $1 order by c.next_fire_at, c.id limit 100 for update of c skip locked`
	sqlFired = `update article_corrections set stage = $2, next_fire_at = $3 where id = $1`
)

type firing struct {
	id, article uuid.UUID
	stage       string
	due         time.Time
	owner       *uuid.UUID
}

// fire climbs the ladder of corrections whose time has come: a reminder before
// the deadline, the reviewers when it has passed, the head of the agency some
// working days later. A correction that was asleep while no node ran goes to the
// rung that it has reached.
func (s *Service) fire(ctx context.Context) (n int, err error) {
	rules, err := s.Settings(ctx)
	if err != nil {
		return 0, err
	}
	err = s.elevated(ctx, func(tx db.Tx) error {
		now := s.Clock.Now()
		rows, err := tx.Query(ctx, sqlFiring, now)
		if err != nil {
			return err
		}
		due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f firing, err error) {
			return f, row.Scan(&f.id, &f.article, &f.stage, &f.due, &f.owner)
		})
		if err != nil {
			return err
		}
		for _, f := range due {
			escalate := s.deadline(f.due, rules.EscalateDays)
			stage, role, kind, next := "reminder", "reviewer", NoticeCorrectionReminder, &f.due
			switch {
			case !now.Before(escalate):
				stage, role, kind, next = "escalated", "head", NoticeCorrectionHead, nil
			case !now.Before(f.due):
				stage, kind, next = "late", NoticeCorrectionLate, &escalate
			}
			if err := notify(ctx, tx, value(f.owner), role, kind, f.article, nil, now); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, sqlFired, f.id, stage, next); err != nil {
				return err
			}
		}
		n = len(due)
		return nil
	})
	return n, err
}

// CorrectionEntry is a running correction with its article.
type CorrectionEntry struct {
	Correction
	Title string
	Lang  string
	Owner uuid.UUID
	Stage string
}

const sqlRunning = `select ` + correctionColumns + `, v.title, a.lang, a.owner_id, c.stage from article_corrections c
	join articles a on a.id = c.article_id join article_versions v on v.article_id = a.id and v.version = c.version
	where c.settled_at is null and c.due_at is not null and ($1::uuid is null or a.owner_id = $1) and (c.due_at, c.id) > ($2, $3) order by c.due_at, c.id limit $4`

// RunningCorrections lists what is not settled, the earliest deadline first.
// owner uuid.Nil is every agency; after and afterID are the last one's of the
// page before. Errors: the database's.
func (s *Service) RunningCorrections(ctx context.Context, owner uuid.UUID, after time.Time, afterID uuid.UUID, limit int) ([]CorrectionEntry, error) {
	rows, err := s.Pool.Query(ctx, sqlRunning, optional(owner), after, afterID, min(limit, 200))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e CorrectionEntry, err error) {
		var owner *uuid.UUID
		c := &e.Correction
		err = row.Scan(&c.ID, &c.Article, &c.Version, &c.User, &c.Text, &c.State, &c.CreatedAt, &c.DecidedAt, &c.SettledAt, &c.WarnAt, &c.DueAt, &e.Title, &e.Lang, &owner, &e.Stage)
		e.Owner = value(owner)
		return e, err
	})
}
