package knowledge

import (
	"context"

	"github.com/google/uuid"

	"hotline/internal/db"
)

// Create makes an article with its first draft. Of head, the fields ExternalID,
// Key, Lang, Slug (made up when empty), Topic, Owner, Audience and Services
// count. Errors: ErrNotEditor, ErrSlugTaken, ErrUnknownOwner, and those of the
// checks, naming the field.
func (s *Service) Create(ctx context.Context, by Staff, head Article, text Text) (Entry, error) {
	var e Entry
	if err := by.mayEdit(); err != nil {
		return e, err
	}
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) (err error) {
		e, err = s.CreateTx(ctx, tx, by, head, text)
		return err
	})
	return e, err
}

// CreateTx is Create inside a transaction, without the check of the role.
func (s *Service) CreateTx(ctx context.Context, tx db.Tx, by Staff, head Article, text Text) (Entry, error) {
	e, err := s.newEntry(by, head, text)
	if err != nil {
		return Entry{}, err
	}
	return e, insertEntries(ctx, tx, e)
}

// newEntry checks a new article and gives it its id.
func (s *Service) newEntry(by Staff, head Article, text Text) (Entry, error) {
	text, err := text.normalize()
	if err != nil {
		return Entry{}, err
	}
	a, err := head.normalize(text.Title)
	if err != nil {
		return Entry{}, err
	}
	now := s.Clock.Now()
	a.ID, a.Live, a.Latest, a.Disputed, a.CreatedAt, a.UpdatedAt = db.NewID(), 0, 1, false, now, now
	return Entry{a, Version{Article: a.ID, Number: 1, State: Drafted, Edit: 1, Author: by.Actor.User(), CreatedAt: now, Text: text}}, nil
}

// Ref names the exact text that somebody saw: a change made to another one is
// refused.
type Ref struct {
	Article uuid.UUID
	Version int
	Edit    int
}

// Ref names this text.
func (v Version) Ref() Ref { return Ref{v.Article, v.Number, v.Edit} }

// change locks an article and the latest version, checks that it is the one
// that was seen, runs fn, and afterwards updates the index.
func (s *Service) change(ctx context.Context, by Staff, ref Ref, fn func(tx db.Tx, e *Entry) error) (Entry, error) {
	var e Entry
	live := 0
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		a, err := lockArticle(ctx, tx, ref.Article)
		if err != nil {
			return err
		}
		v, err := versionByNumber(ctx, tx, a.ID, a.Latest)
		if err != nil {
			return err
		}
		if v.Number != ref.Version || v.Edit != ref.Edit {
			return ErrStale.With("version", v.Number).With("edit", v.Edit)
		}
		a.UpdatedAt = s.Clock.Now()
		e, live = Entry{a, v}, a.Live
		return fn(tx, &e)
	})
	if err == nil && (live != 0 || e.Article.Live != 0) {
		s.changed(ctx, ref.Article.String())
	}
	return e, err
}

// Save writes a draft. On a draft it changes it; on a text that is published
// or past it begins the next version, and what is published stays. A text in
// review must be recalled or refused first.
//
// Errors: ErrNotEditor, ErrNotFound, ErrStale, ErrState, and those of the
// checks.
func (s *Service) Save(ctx context.Context, by Staff, ref Ref, text Text) (Entry, error) {
	if err := by.mayEdit(); err != nil {
		return Entry{}, err
	}
	text, err := text.normalize()
	if err != nil {
		return Entry{}, err
	}
	return s.change(ctx, by, ref, func(tx db.Tx, e *Entry) error { return s.save(ctx, tx, by, e, text) })
}

func (s *Service) save(ctx context.Context, tx db.Tx, by Staff, e *Entry, text Text) error {
	switch e.Version.State {
	case InReview:
		return ErrState.With("state", string(InReview))
	case Drafted:
		e.Version.Text, e.Version.Author = text, by.Actor.User()
		e.Version.Edit++
		if err := updateDraft(ctx, tx, e.Version); err != nil {
			return err
		}
	default:
		e.Article.Latest++
		e.Version = Version{Article: e.Article.ID, Number: e.Article.Latest, State: Drafted, Edit: 1, Author: by.Actor.User(),
			CreatedAt: e.Article.UpdatedAt, Text: text}
		if err := insertVersion(ctx, tx, e.Version); err != nil {
			return err
		}
	}
	return setLive(ctx, tx, e.Article)
}

// SaveHead changes what versions share: key, slug, topic, owner, audience,
// services. Errors: as Save, and ErrSlugTaken, ErrUnknownOwner.
func (s *Service) SaveHead(ctx context.Context, by Staff, ref Ref, head Article) (Entry, error) {
	if err := by.mayEdit(); err != nil {
		return Entry{}, err
	}
	return s.change(ctx, by, ref, func(tx db.Tx, e *Entry) error {
		// A published article is changed by who may publish: narrowing the
		// audience hides it, widening it publishes.
		if e.Article.Live != 0 && !by.has("reviewer", "administrator") {
			return ErrNotReviewer
		}
		next := e.Article
		next.Key, next.Topic, next.Owner, next.Audience, next.Services = head.Key, head.Topic, head.Owner, head.Audience, head.Services
		if head.Slug != "" {
			next.Slug = head.Slug
		}
		next, err := next.normalize(e.Version.Title)
		if err != nil {
			return err
		}
		e.Article = next
		return updateArticle(ctx, tx, next)
	})
}

// move changes the state of the latest version.
func (s *Service) move(ctx context.Context, tx db.Tx, by Staff, e *Entry, from, to State, note string) error {
	if e.Version.State != from {
		return ErrState.With("state", string(e.Version.State))
	}
	reviewer := by.user()
	if to == InReview || from == Drafted {
		reviewer = nil
	}
	e.Version.State, e.Version.ReviewNote = to, note
	e.Version.Edit++
	if err := setState(ctx, tx, e.Version, to, reviewer, note, nil); err != nil {
		return err
	}
	return setLive(ctx, tx, e.Article)
}

// Submit asks for review. Errors: ErrNotEditor, ErrNotFound, ErrStale, ErrState.
func (s *Service) Submit(ctx context.Context, by Staff, ref Ref) (Entry, error) {
	if err := by.mayEdit(); err != nil {
		return Entry{}, err
	}
	return s.change(ctx, by, ref, func(tx db.Tx, e *Entry) error {
		return s.move(ctx, tx, by, e, Drafted, InReview, "")
	})
}

// Recall takes a text back from review. Errors: as Submit.
func (s *Service) Recall(ctx context.Context, by Staff, ref Ref) (Entry, error) {
	if err := by.mayEdit(); err != nil {
		return Entry{}, err
	}
	return s.change(ctx, by, ref, func(tx db.Tx, e *Entry) error {
		return s.move(ctx, tx, Staff{Actor: db.System()}, e, InReview, Drafted, "")
	})
}

// Refuse sends a text back to its author, with a note. Errors: ErrNotReviewer,
// ErrOwnReview, ErrTextMissing, ErrNotFound, ErrStale, ErrState.
func (s *Service) Refuse(ctx context.Context, by Staff, ref Ref, note string) (Entry, error) {
	if note = clean(note); note == "" {
		return Entry{}, ErrTextMissing.On("note")
	}
	return s.change(ctx, by, ref, func(tx db.Tx, e *Entry) error {
		if err := by.mayReview(e.Article, e.Version); err != nil {
			return err
		}
		return s.move(ctx, tx, by, e, InReview, Drafted, note)
	})
}

// Publish makes a reviewed text the one that is served. It ends a dispute: the
// corrections filed against what was published before count as accepted.
// Errors: ErrNotReviewer, ErrOwnReview, ErrNotFound, ErrStale, ErrState.
func (s *Service) Publish(ctx context.Context, by Staff, ref Ref) (Entry, error) {
	return s.change(ctx, by, ref, func(tx db.Tx, e *Entry) error {
		if err := by.mayReview(e.Article, e.Version); err != nil {
			return err
		}
		if e.Version.State != InReview {
			return ErrState.With("state", string(e.Version.State))
		}
		return s.PublishTx(ctx, tx, by, e)
	})
}

const (
	sqlSupersede         = `update article_versions set state = 'superseded', edit = edit + 1 where article_id = $1 and version = $2 and state = 'published'`
	sqlAcceptCorrections = `update article_corrections set state = 'accepted', decided_at = $2 where article_id = $1 and state = 'open'`
)

// PublishTx publishes the latest version without asking for a review: for
// import and for Publish. The caller calls Reindex after the commit.
func (s *Service) PublishTx(ctx context.Context, tx db.Tx, by Staff, e *Entry) error {
	now := s.Clock.Now()
	if e.Article.Live != 0 && e.Article.Live != e.Version.Number {
		if _, err := tx.Exec(ctx, sqlSupersede, e.Article.ID, e.Article.Live); err != nil {
			return err
		}
	}
	if e.Article.Disputed {
		if _, err := tx.Exec(ctx, sqlAcceptCorrections, e.Article.ID, now); err != nil {
			return err
		}
	}
	if err := setState(ctx, tx, e.Version, Published, by.user(), "", &now); err != nil {
		return err
	}
	e.Version.State, e.Version.Reviewer, e.Version.PublishedAt = Published, by.Actor.User(), &now
	e.Version.Edit++
	e.Article.Live, e.Article.Disputed, e.Article.UpdatedAt = e.Version.Number, false, now
	return setLive(ctx, tx, e.Article)
}

const sqlWithdraw = `update article_versions set state = 'withdrawn', review_note = $3, reviewer_id = coalesce($4, reviewer_id), edit = edit + 1
	where article_id = $1 and version = $2`

// Withdraw stops serving what is published, with a reason. A newer draft stays
// as it is. Errors: ErrNotReviewer, ErrTextMissing, ErrNotFound, ErrStale,
// ErrState when nothing is published.
func (s *Service) Withdraw(ctx context.Context, by Staff, ref Ref, reason string) (Entry, error) {
	if reason = clean(reason); reason == "" {
		return Entry{}, ErrTextMissing.On("reason")
	}
	return s.change(ctx, by, ref, func(tx db.Tx, e *Entry) error {
		// Taking down a text of one's own is allowed: only serving needs two.
		if err := by.mayReview(e.Article, Version{}); err != nil {
			return err
		}
		if e.Article.Live == 0 {
			return ErrState.With("state", string(e.Version.State))
		}
		if _, err := tx.Exec(ctx, sqlWithdraw, e.Article.ID, e.Article.Live, reason, by.user()); err != nil {
			return err
		}
		if e.Version.Number == e.Article.Live {
			e.Version.State, e.Version.ReviewNote = Withdrawn, reason
			e.Version.Edit++
		}
		e.Article.Live = 0
		return setLive(ctx, tx, e.Article)
	})
}

// Expiry: rows are locked by the update itself, and a second node finds them
// changed.
const sqlExpire = `with due as (
		update article_versions v set state = 'expired', edit = edit + 1
		from articles a where a.id = v.article_id and a.live = v.version and v.state = 'published' and v.valid_to < $1
		returning v.article_id)
	update articles a set live = null, updated_at = $2 from due where a.id = due.article_id returning a.id`

// ExpireDue ends articles whose last valid day is over, and returns how many.
// They were not served since that day; this puts it on record.
func (s *Service) ExpireDue(ctx context.Context) (int, error) {
	var ids []uuid.UUID
	err := db.WithTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlExpire, s.today(), s.Clock.Now())
		if err != nil {
			return err
		}
		ids, err = collectIDs(rows)
		return err
	})
	for _, id := range ids {
		s.changed(ctx, id.String())
	}
	return len(ids), err
}
