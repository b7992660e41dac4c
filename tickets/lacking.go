package tickets

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Cases whose filing lacked details that intake needs: marked in lists, and a facet of them, until somebody fills the details in.

const openLackingSQL = `select ticket_open_lacking($1, $2)`

// queueLacking stores what the filing lacks behind the ticket.
func (o *Opening) queueLacking(b *pgx.Batch) {
	if len(o.given.missing) > 0 {
		b.Queue(openLackingSQL, o.c.t.ID, o.given.missing)
	}
}

const (
	lacksSQL    = `insert into ticket_lacking (ticket_id, codes) values ($1, $2) on conflict (ticket_id) do update set codes = excluded.codes`
	completeSQL = `delete from ticket_lacking where ticket_id = $1`
)

// queueLacks writes down what is still missing after values were changed.
func queueLacks(b *pgx.Batch, ticket uuid.UUID, defs []CustomField, values map[string]FieldValue) {
	var missing []string
	for _, f := range defs {
		if f.Intake && values[f.Code].Value == "" {
			missing = append(missing, f.Code)
		}
	}
	if len(missing) > 0 {
		b.Queue(lacksSQL, ticket, missing)
		return
	}
	b.Queue(completeSQL, ticket)
}

// LackingOf says which of the tickets lack details, as far as the actor may see them.
func (s *Service) LackingOf(ctx context.Context, a Actor, tickets ...uuid.UUID) (map[uuid.UUID]bool, error) {
	out := map[uuid.UUID]bool{}
	if len(tickets) == 0 {
		return out, nil
	}
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select ticket_id from ticket_lacking where ticket_id = any($1)`, tickets)
		if err != nil {
			return err
		}
		var id uuid.UUID
		_, err = pgx.ForEachRow(rows, []any{&id}, func() error { out[id] = true; return nil })
		return err
	})
	return out, errs.Step("tickets that lack details", err)
}
