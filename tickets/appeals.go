package tickets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets/measures"
)

// The errors of appeals.
var (
	// ErrNotCounted: this failure is not counted against the agency (any more).
	ErrNotCounted = errs.New(errs.Conflict, "tickets.not_counted", "this is not counted against your agency")
	// ErrAppealFiled: one appeal against each failure of a ticket.
	ErrAppealFiled = errs.New(errs.Conflict, "tickets.appeal_filed", "this was appealed already")
	// ErrAppealDecided: somebody has decided it.
	ErrAppealDecided = errs.New(errs.Conflict, "tickets.appeal_decided", "this appeal is decided already")
	// ErrNoAppeal: no such appeal, or none that the actor may see.
	ErrNoAppeal = errs.New(errs.NotFound, "tickets.no_appeal", "there is no such appeal")
)

// Entries of the history that appeals make.
const (
	MeasureAppealed = "measure_appealed"
	MeasureUpheld   = "measure_appeal_upheld"
	MeasureRejected = "measure_appeal_rejected"
)

// MeasureAppeal is an agency's appeal against a failure that was counted against it.
type MeasureAppeal struct {
	ID, Ticket, Agency uuid.UUID
	Failure            measures.Failure
	Reason             string
	State              string // open, upheld, rejected
	FiledBy            uuid.UUID
	FiledAt            time.Time
	DecidedBy          *uuid.UUID
	DecidedAt          *time.Time
	Decision           string
	Number, Title      string
}

const (
	appealColumns   = `m.id, m.ticket_id, m.agency_id, m.failure, m.reason, m.state, m.filed_by, m.filed_at, m.decided_by, m.decided_at, m.decision, t.number, t.title`
	countedSQL      = `select sign_late, response_late, resolve_late, grade_1 + grade_2, unsolved, redone from ticket_facts where ticket_id = $1 and agency_id = $2`
	appealsOfSQL    = `select ` + appealColumns + ` from measure_appeals m join tickets t on t.id = m.ticket_id where m.ticket_id = $1 order by m.filed_at, m.id`
	appealByIDSQL   = `select ` + appealColumns + ` from measure_appeals m join tickets t on t.id = m.ticket_id where m.id = $1`
	appealsSQL      = `select ` + appealColumns + ` from measure_appeals m join tickets t on t.id = m.ticket_id where m.state = $1 and (m.filed_at, m.id) < ($2, $3) order by m.filed_at desc, m.id desc limit $4`
	insertAppealSQL = `insert into measure_appeals (id, ticket_id, agency_id, failure, reason, filed_by, filed_at) values ($1, $2, $3, $4, $5, $6, $7)`
	decideAppealSQL = `update measure_appeals set state = $2, decided_by = $3, decided_at = $4, decision = $5 where id = $1 and state = 'open'`
)

// Failures lists the failures of a ticket that are counted against the actor's agency.
func (s *Service) Failures(ctx context.Context, a Actor, ticket uuid.UUID) ([]measures.Failure, error) {
	var out []measures.Failure
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		out, err = failuresOf(ctx, tx, ticket, a.DB.Agency())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("counted failures: %w", err)
	}
	return out, nil
}

func failuresOf(ctx context.Context, tx db.Tx, ticket, agency uuid.UUID) ([]measures.Failure, error) {
	all := measures.Failures() // in the order of the statement's columns
	n := make([]int, len(all))
	dest := make([]any, len(all))
	for i := range n {
		dest[i] = &n[i]
	}
	err := tx.QueryRow(ctx, countedSQL, ticket, agency).Scan(dest...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	var out []measures.Failure
	for i, f := range all {
		if n[i] > 0 {
			out = append(out, f)
		}
	}
	return out, err
}

// AppealFailure files an appeal against a failure that is counted against the agency of the actor, who is its head. It stands in the history.
// Errors: ErrNotFound, ErrForbidden, ErrMissing, ErrTooLong, ErrBadField, ErrNotCounted, ErrAppealFiled.
func (s *Service) AppealFailure(ctx context.Context, a Actor, ticket uuid.UUID, f measures.Failure, reason, key string) error {
	switch {
	case !slices.Contains(a.Roles, Head) || a.DB.Agency() == uuid.Nil:
		return ErrForbidden.With("action", "appeal")
	case !slices.Contains(measures.Failures(), f):
		return ErrBadField.On("failure").With("field", "failure")
	case reason == "":
		return ErrMissing.On("reason").With("field", "reason")
	}
	if err := CheckText(FReason, reason, MaxBasis); err != nil {
		return err
	}
	_, err := s.amend(ctx, a, ticket, key, MeasureAppealed, Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		var filed bool
		if err := tx.QueryRow(ctx, `select exists (select from measure_appeals where ticket_id = $1 and agency_id = $2 and failure = $3)`, ticket, a.DB.Agency(), f).Scan(&filed); err != nil {
			return err
		}
		if filed {
			return ErrAppealFiled
		}
		counted, err := failuresOf(ctx, tx, ticket, a.DB.Agency())
		if err != nil {
			return err
		}
		if !slices.Contains(counted, f) {
			return ErrNotCounted.With("failure", string(f))
		}
		c.also(func(b *pgx.Batch) {
			b.Queue(insertAppealSQL, db.NewID(), ticket, a.DB.Agency(), f, reason, a.DB.User(), c.now)
		})
		c.tell(s.router.Desk(), Supervisor, MeasureAppealed)
		c.add(Event{Type: MeasureAppealed, Data: Fields{Reason: string(f), Text: reason}}, a)
		return nil
	})
	return err
}

// DecideAppeal upholds or rejects an appeal. What is upheld is no failure any more: it is left out of the measures, and counted as left out.
// Errors: ErrNoAppeal, ErrForbidden (for supervisors of the hotline), ErrMissing, ErrTooLong, ErrAppealDecided.
func (s *Service) DecideAppeal(ctx context.Context, a Actor, id uuid.UUID, uphold bool, text, key string) error {
	switch {
	case !slices.Contains(a.Roles, Supervisor) || !a.DB.Desk():
		return ErrForbidden.With("action", "decide_appeal")
	case text == "":
		return ErrMissing.On("text").With("field", "text")
	}
	if err := CheckText(FText, text, MaxBasis); err != nil {
		return err
	}
	appeal, err := s.appeal(ctx, a, id)
	if err != nil {
		return err
	}
	entry, state := MeasureRejected, "rejected"
	if uphold {
		entry, state = MeasureUpheld, "upheld"
	}
	_, err = s.amend(ctx, a, appeal.Ticket, key, entry, Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		// The ticket is locked: nobody decides between this look and the update.
		var open bool
		if err := tx.QueryRow(ctx, `select state = 'open' from measure_appeals where id = $1`, id).Scan(&open); err != nil {
			return err
		}
		if !open {
			return ErrAppealDecided
		}
		c.also(func(b *pgx.Batch) { b.Queue(decideAppealSQL, id, state, a.DB.User(), c.now, text) })
		c.tell(appeal.Agency, Head, entry)
		c.add(Event{Type: entry, Data: Fields{Reason: string(appeal.Failure), Text: text, Lead: appeal.Agency}}, a)
		return nil
	})
	return err
}

func scanAppeal(row pgx.CollectableRow) (MeasureAppeal, error) {
	return pgx.RowToStructByPos[MeasureAppeal](row)
}

func (s *Service) appeal(ctx context.Context, a Actor, id uuid.UUID) (MeasureAppeal, error) {
	found, err := s.appeals(ctx, a, appealByIDSQL, id)
	if err == nil && len(found) == 0 {
		err = ErrNoAppeal
	}
	if err != nil {
		return MeasureAppeal{}, err
	}
	return found[0], nil
}

func (s *Service) appeals(ctx context.Context, a Actor, sql string, args ...any) ([]MeasureAppeal, error) {
	var out []MeasureAppeal
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanAppeal)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read appeals: %w", err)
	}
	return out, nil
}

// AppealsOf lists the appeals on a ticket that the actor may see, oldest first.
func (s *Service) AppealsOf(ctx context.Context, a Actor, ticket uuid.UUID) ([]MeasureAppeal, error) {
	return s.appeals(ctx, a, appealsOfSQL, ticket)
}

// Appeals lists appeals in a state, newest first; before is the last of the page before, nil for the first page.
func (s *Service) Appeals(ctx context.Context, a Actor, state string, before *MeasureAppeal, limit int) ([]MeasureAppeal, error) {
	at, id := s.clock.Now().Add(24*time.Hour), uuid.Max
	if before != nil {
		at, id = before.FiledAt, before.ID
	}
	return s.appeals(ctx, a, appealsSQL, state, at, id, max(1, min(limit, 100)))
}
