package tickets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Rating is the citizen's assessment.
type Rating struct {
	Grade    int // 5 very satisfied … 1 very unsatisfied, as people read stars
	Text     string
	Resolved *bool
	Round    int // 1, or 2 after a rectification; read only
	At       time.Time
}

// check judges what the citizen gave. Errors: ErrBadField, ErrTooLong.
func (r Rating) check() error {
	if r.Grade < 1 || r.Grade > 5 {
		return ErrBadField.On("grade").With("field", "grade")
	}
	return CheckText(FText, r.Text, 2000)
}

// Ratable reports whether there is an answer to rate.
func (t Ticket) Ratable() bool {
	switch t.State {
	case Replied, Completed, Revisiting, Closed, AnsweredDirectly:
		return true
	case Merged:
		return t.Reply != ""
	}
	return t.Rectify == "answered"
}

// MayRate reports whether the citizen may rate now: once when there is an answer, and once more after a rectification.
func (t Ticket) MayRate() bool { return t.Ratable() && (t.Grade == 0 || t.Rectify == "answered") }

// Negative reports whether the rating opens a rectification: the two lowest grades.
func (r Rating) Negative() bool { return r.Grade <= 2 }

// Rate stores the citizen's rating: one for each ticket, once there is an answer. A negative one opens a rectification, after which the
// citizen rates again.
// Errors: ErrNotFound, ErrForbidden, ErrBadField, ErrTooLong, ErrNotRatable, ErrRated.
func (s *Service) Rate(ctx context.Context, a Actor, ticket uuid.UUID, r Rating) (Ticket, error) {
	if a.Kind != KindCitizen {
		return Ticket{}, ErrForbidden.With("action", "rate")
	}
	if err := r.check(); err != nil {
		return Ticket{}, err
	}
	var out Ticket
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		out, err = s.rateTx(ctx, tx, a, ticket, r)
		return err
	})
	if err != nil {
		return Ticket{}, wrap("rate", err)
	}
	return out, nil
}

func (s *Service) rateTx(ctx context.Context, tx db.Tx, a Actor, ticket uuid.UUID, r Rating) (Ticket, error) {
	return s.amendTx(ctx, tx, ticket, "", "rated", Fields{}, func(_ context.Context, _ db.Tx, c *change) error {
		switch {
		case !c.t.Ratable():
			return ErrNotRatable.With("state", string(c.t.State))
		case !c.t.MayRate():
			return ErrRated
		}
		again := c.t.Grade != 0
		round := 1
		if again {
			round = 2
		}
		id, now := c.t.ID, c.now
		c.also(func(b *pgx.Batch) {
			b.Queue(`insert into ticket_ratings (ticket_id, round, grade, text, resolved, created_at) values ($1, $2, $3, $4, $5, $6)`, id, round, r.Grade, r.Text, r.Resolved, now)
		})
		c.t.Grade = r.Grade
		if r.Resolved != nil {
			c.t.CitizenResolved = r.Resolved
		}
		switch {
		case again:
			c.endRectification(r)
		case r.Negative():
			c.openRectification(r.Grade)
		}
		c.clocks.summarize(&c.t)
		c.t.UpdatedAt = c.now
		c.add(Event{Type: "rated", Public: true, Data: Fields{Grade: r.Grade, Text: r.Text, Resolved: r.Resolved}}, a)
		return nil
	})
}

// CommentRating adds words to the citizen's newest rating, once, while it has none.
// Errors: ErrNotFound, ErrForbidden, ErrTooLong, ErrNotRatable (there is no rating), ErrRated (it has words already).
func (s *Service) CommentRating(ctx context.Context, a Actor, ticket uuid.UUID, text string) (Ticket, error) {
	if a.Kind != KindCitizen {
		return Ticket{}, ErrForbidden.With("action", "rate")
	}
	if err := CheckText(FText, text, 2000); err != nil {
		return Ticket{}, err
	}
	return s.amend(ctx, a, ticket, "", "rating_comment", Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		var round int
		var said string
		err := tx.QueryRow(ctx, `select round, text from ticket_ratings where ticket_id = $1 order by round desc limit 1`, ticket).Scan(&round, &said)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return ErrNotRatable.With("state", string(c.t.State))
		case err != nil:
			return err
		case said != "":
			return ErrRated
		}
		c.also(func(b *pgx.Batch) {
			b.Queue(`update ticket_ratings set text = $3 where ticket_id = $1 and round = $2`, ticket, round, text)
		})
		c.t.UpdatedAt = c.now
		c.add(Event{Type: "rating_comment", Public: true, Data: Fields{Text: text}}, a)
		return nil
	})
}

// endRectification closes the task with the citizen's second word. Where it is negative again the supervisors hear of it.
func (c *change) endRectification(r Rating) {
	c.t.Rectify = "done"
	if r.Negative() {
		c.t.Rectify = "failed"
		c.tell(c.svc.router.Desk(), Supervisor, "rectification_failed")
	}
	id, state, now := c.t.ID, c.t.Rectify, c.now
	c.also(func(b *pgx.Batch) {
		b.Queue(`update rectifications set state = $2, ended_at = $3 where ticket_id = $1`, id, state, now)
	})
}

// RatingOf returns the newest rating of a ticket, and false when there is none.
func (s *Service) RatingOf(ctx context.Context, a Actor, ticket uuid.UUID) (Rating, bool, error) {
	var r Rating
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select grade, text, resolved, round, created_at from ticket_ratings where ticket_id = $1 order by round desc limit 1`, ticket).
			Scan(&r.Grade, &r.Text, &r.Resolved, &r.Round, &r.At)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Rating{}, false, nil
	}
	if err != nil {
		return Rating{}, false, fmt.Errorf("read rating: %w", err)
	}
	return r, true, nil
}
