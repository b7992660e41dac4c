package knowledge

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// When says from when and until when an approved text is served. From nil is
// now, or the first valid day if that is still to come; Until nil is as long as
// the text is valid.
type When struct{ From, Until *time.Time }

// Publish is Approve without a schedule.
func (s *Service) Publish(ctx context.Context, by Staff, ref Ref) (Entry, error) {
	return s.Approve(ctx, by, ref, When{})
}

// Approve makes a reviewed text the one that is served, at once or, by the
// sweep, when its time comes; until then what was published before stays.
// Publishing ends a dispute: the corrections filed against what was published
// before count as accepted. A scheduled text can be approved again, with
// another time.
//
// Errors: ErrNotReviewer, ErrOwnReview, ErrSchedule, ErrValidity for a text
// whose last valid day is over, ErrNotFound, ErrStale, ErrState.
func (s *Service) Approve(ctx context.Context, by Staff, ref Ref, w When) (Entry, error) {
	return s.change(ctx, by, ref, by.reviews, func(tx db.Tx, e *Entry) error {
		if err := by.mayReview(e.Article, e.Version); err != nil {
			return err
		}
		if err := e.is(InReview, Scheduled); err != nil {
			return err
		}
		return s.approve(ctx, tx, by, e, w)
	})
}

func (s *Service) approve(ctx context.Context, tx db.Tx, by Staff, e *Entry, w When) error {
	now, from := s.Clock.Now(), s.begins(e.Version.Text, w)
	switch {
	case w.Until != nil && !w.Until.After(later(now, from)):
		return ErrSchedule.On("until")
	case e.Version.ValidTo != nil && !s.midnight(e.Version.ValidTo.AddDate(0, 0, 1)).After(later(now, from)):
		return ErrValidity.On("valid_to")
	}
	e.Version.ExpireAt = w.Until
	if !from.After(now) {
		return s.PublishTx(ctx, tx, by, e)
	}
	e.Version.State, e.Version.PublishAt, e.Version.Reviewer, e.Version.ReviewNote = Scheduled, &from, by.Actor.User(), ""
	e.Version.Edit++
	if err := setState(ctx, tx, e.Version, by.user()); err != nil {
		return err
	}
	return setLive(ctx, tx, e.Article)
}

// begins is the moment from which a text may be served.
func (s *Service) begins(t Text, w When) time.Time {
	var from time.Time
	if w.From != nil {
		from = *w.From
	}
	if t.ValidFrom != nil {
		from = later(from, s.midnight(*t.ValidFrom))
	}
	return from
}

// midnight is where a date begins in the jurisdiction.
func (s *Service) midnight(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, s.Location)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

const sqlSupersede = `update article_versions set state = 'superseded', edit = edit + 1 where article_id = $1 and version = $2 and state = 'published'`

// PublishTx publishes the latest version without asking for a review: for
// import and for Approve. The caller calls Reindex after the commit.
func (s *Service) PublishTx(ctx context.Context, tx db.Tx, by Staff, e *Entry) error {
	now := s.Clock.Now()
	if e.Article.Live != 0 && e.Article.Live != e.Version.Number {
		if _, err := tx.Exec(ctx, sqlSupersede, e.Article.ID, e.Article.Live); err != nil {
			return err
		}
	}
	if e.Article.Disputed {
		if err := settle(ctx, tx, by, e.Article.ID, now); err != nil {
			return err
		}
	}
	if by.Actor.User() != uuid.Nil {
		e.Version.Reviewer = by.Actor.User()
	}
	e.Version.State, e.Version.PublishedAt, e.Version.PublishAt, e.Version.ReviewNote = Published, &now, nil, ""
	e.Version.Edit++
	if err := setState(ctx, tx, e.Version, by.user()); err != nil {
		return err
	}
	e.Article.Live, e.Article.Disputed, e.Article.UpdatedAt, e.Article.Audience = e.Version.Number, false, now, e.Version.Audience
	return setLive(ctx, tx, e.Article)
}

const (
	// What another node publishes just now is left to it. Both rows are locked: a row
	// that is not would be judged as it was when the statement began, and a version
	// published in between would go live a second time.
	sqlScheduledDue = `select a.id from article_versions v join articles a on a.id = v.article_id and a.latest = v.version
		where v.state = 'scheduled' and v.publish_at <= $1 order by v.publish_at, a.id limit 1 for update of a, v skip locked`
	// The article is locked before its version, as by everybody who works on it, and what is being worked on waits for the next look: it is served to nobody meanwhile.
	sqlExpire = `with due as (
			select a.id, v.version from article_versions v join articles a on a.id = v.article_id and a.live = v.version
			where v.state = 'published' and (v.valid_to < $1 or v.expire_at <= $2) for update of a, v skip locked),
		ended as (update article_versions v set state = 'expired', edit = edit + 1 from due where v.article_id = due.id and v.version = due.version)
		update articles a set live = null, updated_at = $2 from due where a.id = due.id returning a.id`
	sqlNextDue = `select least(
		(select min(publish_at) from article_versions where state = 'scheduled'),
		(select min(expire_at) from article_versions where state = 'published' and expire_at is not null),
		(select min(next_fire_at) from article_corrections where next_fire_at is not null))`
)

// Swept is what a sweep did.
type Swept struct {
	Published, Expired, Fired int
	// Next is when the next version is due, the zero time when none is known.
	// Last valid days end at the jurisdiction's midnight.
	Next time.Time
}

// Sweep publishes what was approved for a moment that has come, ends what is
// over, and fires the clocks of corrections. Any node may call it at any time: what is due is in the rows, so
// nothing is missed while none runs, and each is done once. Errors: the
// database's; what was done before stays done.
func (s *Service) Sweep(ctx context.Context) (Swept, error) {
	var out Swept
	var ended []uuid.UUID // what their alerts were about
	for {
		id, err := s.publishDue(ctx)
		if err != nil {
			return out, err
		}
		if id == uuid.Nil {
			break
		}
		out.Published++
		s.changed(ctx, id.String())
		ended = append(ended, id)
	}
	expired, err := s.expireDue(ctx)
	if err != nil {
		return out, err
	}
	out.Expired = len(expired)
	for _, id := range expired {
		s.changed(ctx, id.String())
	}
	if ended = append(ended, expired...); len(ended) > 0 {
		if err := s.quiet(ctx, ended...); err != nil {
			return out, err
		}
	}
	if out.Fired, err = s.fire(ctx); err != nil {
		return out, err
	}
	var next *time.Time
	if err := s.Pool.QueryRow(ctx, sqlNextDue).Scan(&next); err != nil {
		return out, err
	}
	if next != nil {
		out.Next = *next
	}
	return out, nil
}

// publishDue publishes one version that is due; uuid.Nil when none is.
func (s *Service) publishDue(ctx context.Context) (uuid.UUID, error) {
	var id uuid.UUID
	err := s.elevated(ctx, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlScheduledDue, s.Clock.Now())
		found, err := one(rows, err, pgx.RowTo[uuid.UUID])
		if errs.KindOf(err) == errs.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		a, err := articleByID(ctx, tx, found)
		if err != nil {
			return err
		}
		v, err := versionByNumber(ctx, tx, a.ID, a.Latest)
		if err != nil {
			return err
		}
		id = a.ID
		return s.PublishTx(ctx, tx, System(), &Entry{a, v})
	})
	return id, err
}

func (s *Service) expireDue(ctx context.Context) (ids []uuid.UUID, err error) {
	err = s.elevated(ctx, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlExpire, s.today(), s.Clock.Now())
		if err != nil {
			return err
		}
		if ids, err = collectIDs(rows); err != nil {
			return err
		}
		for _, id := range ids {
			if err := settle(ctx, tx, System(), id, s.Clock.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	return ids, err
}
