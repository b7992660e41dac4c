package knowledge

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"hotline/internal/db"
)

// Create makes an article with its first draft. Of head, the fields ExternalID,
// Key, Lang, Slug (made up when empty), Topic, Owner, Audience and Services
// count. Outside of the hotline the owner is the editor's own agency. Errors:
// ErrNotEditor, ErrNotOwner, ErrSlugTaken, ErrUnknownOwner, and those of the
// checks, naming the field.
func (s *Service) Create(ctx context.Context, by Staff, head Article, text Text) (Entry, error) {
	var e Entry
	if head.Owner == uuid.Nil && !by.Actor.Desk() {
		head.Owner = by.Actor.Agency()
	}
	if err := by.mayChange(head); err != nil {
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
	if text.Audience == "" {
		text.Audience = a.Audience
	}
	a.Audience = text.Audience
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

// change asks whether the article may be changed, locks it and its latest
// version, checks that it is the one that was seen, runs fn, and afterwards
// updates the index. What it answers of the article's alerts ends at once.
func (s *Service) change(ctx context.Context, by Staff, ref Ref, allow func(Article) error, fn func(tx db.Tx, e *Entry) error) (Entry, error) {
	var e Entry
	live := 0
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		// Asked before the lock: what may not be changed cannot be locked either.
		a, err := articleByID(ctx, tx, ref.Article)
		if err == nil {
			err = allow(a)
		}
		if err == nil {
			a, err = lockArticle(ctx, tx, ref.Article)
		}
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
		err = s.quiet(ctx, ref.Article)
	}
	return e, err
}

// Save writes a draft. On a draft it changes it; on a text that is published
// or past it begins the next version, and what is published stays. A text in
// review or approved for later must be recalled or refused first.
//
// Errors: ErrNotEditor, ErrNotOwner, ErrNotFound, ErrStale, ErrState, and those
// of the checks.
func (s *Service) Save(ctx context.Context, by Staff, ref Ref, text Text) (Entry, error) {
	if err := by.mayEdit(); err != nil {
		return Entry{}, err
	}
	text, err := text.normalize()
	if err != nil {
		return Entry{}, err
	}
	return s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error { return s.save(ctx, tx, by, e, text) })
}

func (s *Service) save(ctx context.Context, tx db.Tx, by Staff, e *Entry, text Text) error {
	if text.Audience == "" {
		text.Audience = e.Version.Audience
	}
	if e.Article.Live == 0 {
		e.Article.Audience = text.Audience
	}
	switch e.Version.State {
	case InReview, Scheduled:
		return ErrState.With("state", string(e.Version.State))
	case Drafted:
		e.Version.Text, e.Version.Author = text, by.Actor.User()
		e.Version.Edit++
		if err := updateDraft(ctx, tx, e.Version); err != nil {
			return err
		}
	default:
		if err := s.begin(ctx, tx, by, e, text, e.Version.Files, 0); err != nil {
			return err
		}
	}
	return setLive(ctx, tx, e.Article)
}

// begin makes the next version.
func (s *Service) begin(ctx context.Context, tx db.Tx, by Staff, e *Entry, text Text, files []uuid.UUID, restored int) error {
	e.Article.Latest++
	e.Version = Version{Article: e.Article.ID, Number: e.Article.Latest, State: Drafted, Edit: 1, Author: by.Actor.User(),
		CreatedAt: e.Article.UpdatedAt, Restored: restored, BasedOn: e.Version.BasedOn, Files: files, Text: text}
	return insertVersion(ctx, tx, e.Version)
}

const sqlSetAside = `update article_versions set state = 'superseded', edit = edit + 1 where article_id = $1 and version = $2`

// Restore makes an earlier version's text the next draft. Nothing is lost: a
// draft that was being written is set aside as a version of its own. Days of
// validity that are over are not taken along. Errors: as Save.
func (s *Service) Restore(ctx context.Context, by Staff, ref Ref, number int) (Entry, error) {
	return s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error {
		if e.Version.State == InReview || e.Version.State == Scheduled || number == e.Version.Number {
			return ErrState.With("state", string(e.Version.State))
		}
		old, err := versionByNumber(ctx, tx, e.Article.ID, number)
		if err != nil {
			return err
		}
		text, today := old.Text, s.today()
		if text.ValidTo != nil && text.ValidTo.Before(today) {
			text.ValidFrom, text.ValidTo = nil, nil
		}
		if e.Version.State == Drafted {
			if _, err := tx.Exec(ctx, sqlSetAside, e.Article.ID, e.Version.Number); err != nil {
				return err
			}
		}
		if e.Article.Live == 0 {
			e.Article.Audience = text.Audience
		}
		if err := s.begin(ctx, tx, by, e, text, old.Files, number); err != nil {
			return err
		}
		return setLive(ctx, tx, e.Article)
	})
}

// SaveHead changes what versions share: key, slug, topic, owner, services, and
// when to look at it again. The
// owner is changed by the hotline. Errors: as Save, and ErrSlugTaken,
// ErrUnknownOwner, ErrNotReviewer for a published article.
func (s *Service) SaveHead(ctx context.Context, by Staff, ref Ref, head Article) (Entry, error) {
	return s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error {
		// A published article is changed by who may publish.
		if e.Article.Live != 0 && !by.has("reviewer", "administrator") {
			return ErrNotReviewer
		}
		next := e.Article
		next.Key, next.Topic, next.Owner, next.Services = head.Key, head.Topic, head.Owner, head.Services
		next.ReviewMonths, next.ReviewBy = head.ReviewMonths, head.ReviewBy
		if head.Slug != "" {
			next.Slug = head.Slug
		}
		next, err := next.normalize(e.Version.Title)
		if err != nil {
			return err
		}
		if !by.owns(next) {
			return ErrNotOwner.On("owner")
		}
		e.Article = next
		return updateArticle(ctx, tx, next)
	})
}

// move changes the state of the latest version.
func (s *Service) move(ctx context.Context, tx db.Tx, e *Entry, to State, note string, reviewer *uuid.UUID) error {
	e.Version.State, e.Version.ReviewNote = to, note
	e.Version.PublishAt, e.Version.ExpireAt = nil, nil
	e.Version.Edit++
	if err := setState(ctx, tx, e.Version, reviewer); err != nil {
		return err
	}
	return setLive(ctx, tx, e.Article)
}

// is checks the state of the latest version. Errors: ErrState.
func (e *Entry) is(states ...State) error {
	if slices.Contains(states, e.Version.State) {
		return nil
	}
	return ErrState.With("state", string(e.Version.State))
}

// Submit asks for review, and tells the reviewers. Errors: ErrNotEditor, ErrNotOwner, ErrNotFound,
// ErrStale, ErrState.
func (s *Service) Submit(ctx context.Context, by Staff, ref Ref) (Entry, error) {
	return s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error {
		if err := e.is(Drafted); err != nil {
			return err
		}
		if err := notify(ctx, tx, e.Article.Owner, "reviewer", NoticeReview, e.Article.ID, nil, e.Article.UpdatedAt); err != nil {
			return err
		}
		return s.move(ctx, tx, e, InReview, "", nil)
	})
}

// Recall takes a text back from review, or from its schedule. Errors: as
// Submit.
func (s *Service) Recall(ctx context.Context, by Staff, ref Ref) (Entry, error) {
	return s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error {
		if err := e.is(InReview, Scheduled); err != nil {
			return err
		}
		return s.move(ctx, tx, e, Drafted, "", nil)
	})
}

// Refuse sends a text back to its author, with a note, and tells them. Errors: ErrNotReviewer,
// ErrOwnReview, ErrTextMissing, ErrNotFound, ErrStale, ErrState.
func (s *Service) Refuse(ctx context.Context, by Staff, ref Ref, note string) (Entry, error) {
	if note = clean(note); note == "" {
		return Entry{}, ErrTextMissing.On("note")
	}
	return s.change(ctx, by, ref, by.reviews, func(tx db.Tx, e *Entry) error {
		if err := by.mayReview(e.Article, e.Version); err != nil {
			return err
		}
		if err := e.is(InReview, Scheduled); err != nil {
			return err
		}
		if err := notifyPerson(ctx, tx, e.Version.Author, NoticeRefused, e.Article.ID, e.Article.UpdatedAt); err != nil {
			return err
		}
		return s.move(ctx, tx, e, Drafted, note, by.user())
	})
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
	// Taking down a text of one's own is allowed: only serving needs two.
	return s.change(ctx, by, ref, by.reviews, func(tx db.Tx, e *Entry) error {
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
		if err := settle(ctx, tx, by, e.Article.ID, e.Article.UpdatedAt); err != nil {
			return err
		}
		e.Article.Live, e.Article.Disputed = 0, false
		return setLive(ctx, tx, e.Article)
	})
}
