package tickets

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Assignment is one hand-over to a lead agency: by the hotline, or inside an agency's tree. Together they are the way that a ticket took, with what
// each agency on it had to keep.
type Assignment struct {
	Agency     uuid.UUID
	State      string // dispatched, signed, returned, transferred, recalled, handed, done
	Designated bool
	GivenAt    time.Time
	SignDueAt  *time.Time
	SignedAt   *time.Time
	EndedAt    *time.Time
}

// Late reports whether the agency signed, or let go of the ticket unsigned, after its time to sign.
func (a Assignment) Late(now time.Time) bool {
	at := now
	switch {
	case a.SignDueAt == nil:
		return false
	case a.SignedAt != nil:
		at = *a.SignedAt
	case a.EndedAt != nil:
		at = *a.EndedAt
	}
	return at.After(*a.SignDueAt)
}

const assignmentsSQL = `select lead_id, state, designated, dispatched_at, sign_due_at, signed_at, ended_at from assignments where ticket_id = $1 order by seq limit 100`

// Assignments lists the way of a ticket, from the first agency to the present one.
func (s *Service) Assignments(ctx context.Context, a Actor, ticket uuid.UUID) ([]Assignment, error) {
	var out []Assignment
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, assignmentsSQL, ticket)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Assignment])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list assignments: %w", err)
	}
	return out, nil
}
