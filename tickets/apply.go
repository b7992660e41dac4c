package tickets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// AnyVersion lets Apply act on whatever version there is: for citizens and workers, who saw no form that could be stale.
const AnyVersion = 0

// Apply makes one move on a ticket. version is the one that the actor saw; key makes a double submit return the first result.
//
// Errors: ErrNotFound, ErrStale (with what happened), ErrBusy (merging), ErrNoMove, ErrForbidden, ErrMissing, ErrBadField, ErrTooLong, ErrKeyReused, and
// those of the guards: ErrLateReturn, ErrDesignated, ErrNothingAsked, ErrAlreadyAsked, ErrExpired, ErrExtensionCap, ErrSameOfficer,
// ErrAppealed, ErrNoReply, ErrCoordinate, ErrTooEarly, ErrRevisits, ErrRevisitSoon, ErrReturnedBefore, ErrUnknownAgency, ErrHandedUp,
// ErrUnknownCategory, ErrSameCategory, ErrNoExtension, ErrExtensionLength, ErrPauseSpent, ErrHeard, ErrNotAsked, ErrCoOpen.
func (s *Service) Apply(ctx context.Context, a Actor, ticket uuid.UUID, version int, name Action, f Fields, key string) (Ticket, error) {
	var t Ticket
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		t, err = s.ApplyTx(ctx, tx, a, ticket, version, name, f, key)
		return err
	})
	return t, err
}

// ApplyTx is Apply in the caller's transaction, whose actor must be a.DB. An error leaves the transaction to be rolled back.
func (s *Service) ApplyTx(ctx context.Context, tx db.Tx, a Actor, ticket uuid.UUID, version int, name Action, f Fields, key string) (Ticket, error) {
	return s.applyAt(ctx, tx, a, ticket, version, name, f.input(), key, s.clock.Now())
}

// CitizenWordTx takes what the citizen says on a ticket: the reply that is awaited, or information that is added. Which of them it is, the ticket's state says
// at the moment at which it is taken, not at one before.
// Errors: as Apply.
func (s *Service) CitizenWordTx(ctx context.Context, tx db.Tx, a Actor, ticket uuid.UUID, f Fields, key string) (Ticket, error) {
	t, _, earlier, err := s.lock(ctx, tx, ticket, key)
	if err != nil {
		return Ticket{}, wrap("take the word on", err)
	}
	action := AddInformation
	if t.State == AwaitingCitizen {
		action = CitizenReply
	}
	if earlier == string(CitizenReply) || earlier == string(AddInformation) {
		action = Action(earlier) // submitted twice
	}
	return s.ApplyTx(ctx, tx, a, ticket, AnyVersion, action, f, key)
}

func (s *Service) applyAt(ctx context.Context, tx db.Tx, a Actor, ticket uuid.UUID, version int, name Action, f Fields, key string, now time.Time) (Ticket, error) {
	t, rows, earlier, err := s.lock(ctx, tx, ticket, key)
	if err != nil {
		return Ticket{}, wrap("apply", err)
	}
	switch {
	case earlier == string(name):
		return t, nil
	case earlier != "":
		return Ticket{}, ErrKeyReused.With("action", earlier)
	case version != AnyVersion && version != t.Version:
		return Ticket{}, s.stale(ctx, tx, t, version)
	}
	c := s.newChange(t, rows, now)
	m, err := c.judge(a, name, f)
	if err != nil {
		return Ticket{}, err
	}
	joined := []uuid.UUID{t.ID}
	if m.Name == Merge {
		if err := s.checkParent(ctx, tx, f.Parent, a.DB.IsSystem()); err != nil {
			return Ticket{}, err
		}
		more, err := s.mergedInto(ctx, tx, t.ID)
		if err != nil {
			return Ticket{}, wrap("apply", err)
		}
		joined = append(joined, more...)
	}
	if err := c.checkClosing(ctx, tx, m); err != nil {
		return Ticket{}, wrap("apply", err)
	}
	if m.Name == RevisitAttempt || m.Name == AskRevisit {
		if err := c.checkTry(ctx, tx, m.Name); err != nil {
			return Ticket{}, wrap("apply", err)
		}
	}
	c.run(m, a, f)
	if err := s.save(ctx, tx, c, key, f); err != nil {
		return Ticket{}, wrap("apply", err)
	}
	if err := s.tellWhole(ctx, tx, c); err != nil {
		return Ticket{}, wrap("tell the whole of", err)
	}
	switch m.Name {
	case Reply:
		if err := s.broadcastTx(ctx, tx, c, replyBroadcast, c.t.Reply, a); err != nil {
			return Ticket{}, wrap("reply to merged tickets", err)
		}
	case Merge:
		if err := s.joinTx(ctx, tx, c, joined); err != nil {
			return Ticket{}, wrap("tell a merged ticket", err)
		}
	}
	return c.t, nil
}

// input drops what only the package writes.
func (f Fields) input() Fields {
	f.WasCategory, f.Clock, f.DueAt, f.Was, f.Number, f.Assignee, f.Grade, f.Score, f.Article, f.Version, f.Title, f.By, f.Channels, f.ParentSeq, f.Unit = "", "", nil, nil, "", uuid.Nil, 0, 0, uuid.Nil, 0, "", uuid.Nil, nil, 0, ""
	return f
}

// save writes the change in one batch and tells the citizen about its public entries.
func (s *Service) save(ctx context.Context, tx db.Tx, c *change, key string, f Fields) error {
	b := &pgx.Batch{}
	b.Queue(elevateSQL)
	if err := c.write(b, key, f); err != nil {
		return err
	}
	var public []Event
	if s.notify != nil {
		for _, e := range c.events {
			if e.Public {
				public = append(public, e)
			}
		}
	}
	if len(public) == 0 {
		b.Queue(restoreSQL)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	if len(public) == 0 {
		return nil
	}
	// Told while elevated: an agency that gives the ticket up in this very move could not write to its conversation any more.
	for _, e := range public {
		if err := s.notify(ctx, tx, c.t, e); err != nil {
			return fmt.Errorf("notify: %w", err)
		}
	}
	_, err := tx.Exec(ctx, restoreSQL)
	return err
}

// stale says what happened since the version that the actor saw.
func (s *Service) stale(ctx context.Context, tx db.Tx, t Ticket, seen int) error {
	err := ErrStale.With("version", t.Version).With("seen", seen).With("state", string(t.State))
	var action, actor string
	var user, agency *uuid.UUID
	var at time.Time
	row := tx.QueryRow(ctx, `select type, actor, user_id, agency_id, at from ticket_events where ticket_id = $1 and to_state <> '' order by seq desc limit 1`, t.ID)
	if scanErr := row.Scan(&action, &actor, &user, &agency, &at); scanErr != nil {
		return err.Wrap(scanErr)
	}
	err = err.With("action", action).With("actor", actor).With("at", at)
	if user != nil {
		err = err.With("user", user.String())
	}
	if agency != nil {
		err = err.With("agency", agency.String())
	}
	return err
}

func (s *Service) checkParent(ctx context.Context, tx db.Tx, parent uuid.UUID, held bool) error {
	bad := ErrBadField.On(string(FParent)).With("field", string(FParent))
	var state State
	// Held until the end of the transaction, so that the parent is not merged away at the same moment. Not waited for: two tickets that are merged
	// into each other would wait for ever. The program itself has waited before the ticket was there (FollowableTx).
	sql := `select state from tickets where id = $1 for share nowait`
	if held {
		sql = `select state from tickets where id = $1 for share`
	}
	err := tx.QueryRow(ctx, sql, parent).Scan(&state)
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && pg.Code == "55P03":
		return ErrBusy.Wrap(err)
	case errors.Is(err, pgx.ErrNoRows):
		return bad
	case err != nil:
		return fmt.Errorf("parent: %w", err)
	case !state.Info().Open:
		return bad.With("state", string(state))
	}
	return nil
}

// wrap keeps typed errors as they are and names the step of all others; nil stays nil.
func wrap(step string, err error) error {
	var known *errs.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("%s ticket: %w", step, err)
}
