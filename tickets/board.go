package tickets

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// Rung is a running clock on the upper rungs of the ladder, with its ticket.
type Rung struct {
	Ticket Ticket
	Agency uuid.UUID // who is late; uuid.Nil: the hotline
	Clock  string
	Stage  sla.Stage
	DueAt  time.Time
}

// boardLadder is the list in which a ticket may stand several times: its cursor also says how many of them were shown.
const boardLadder View = "ladder"

// Each ticket of the page has a clock that stands, so as many tickets as rows are enough, and one for the ticket that the page before ended in.
const ladderSQL = `
with page as materialized (
  select a.ticket_id, a.due_at from ticket_access a where a.agency_id = $1 and a.standing > 0
    and (a.due_at, a.ticket_id) >= (coalesce(nullif($2, ''), '-infinity')::timestamptz, $3::uuid) order by a.due_at, a.ticket_id limit $4 + 1)
select ` + ticketColumns + `, c.agency_id, c.name, c.stage, c.due_at, page.due_at::text
from page join ticket_clocks c on c.ticket_id = page.ticket_id and c.stopped_at is null and c.stage in ('dunning', 'criticism') join tickets t on t.id = page.ticket_id
order by page.due_at, page.ticket_id, c.due_at, c.name offset $5 limit $4`

// Ladder lists what the ladder has dunned or criticised and nobody has done yet, the ticket that is overdue for longest first.
// Errors: ErrForbidden (no staff), ErrBadCursor, ErrNarrow.
func (s *Service) Ladder(ctx context.Context, a Actor, after string, limit int) (out []Rung, next string, err error) {
	keys, err := s.board(ctx, a, boardLadder, ladderSQL, after, &limit, func(row pgx.CollectableRow) (string, uuid.UUID, error) {
		var r Rung
		var agency *uuid.UUID
		var key string
		t, err := scanTicket(suffixed{row, []any{&agency, &r.Clock, &r.Stage, &r.DueAt, &key}})
		if r.Ticket, r.Agency = t, id(agency); r.Agency == uuid.Nil && !slices.Contains(deskClocks, base(r.Clock)) {
			r.Agency = t.Lead
		}
		out = append(out, r)
		return key, t.ID, err
	})
	if len(out) > limit {
		out, next = out[:limit], keys[limit-1]
	}
	return out, next, err
}

const ordersSQL = `
select ` + ticketColumns + `, a.updated_at::text
from ticket_access a join tickets t on t.id = a.ticket_id
where a.agency_id = $1 and a.ordered and (a.updated_at, a.ticket_id) > (coalesce(nullif($2, ''), '-infinity')::timestamptz, $3::uuid)
order by a.updated_at, a.ticket_id limit $4`

// Orders lists the tickets under a supervision order, the one that nothing has happened on for longest first.
// Errors: ErrForbidden (no staff), ErrBadCursor, ErrNarrow.
func (s *Service) Orders(ctx context.Context, a Actor, after string, limit int) (out []Ticket, next string, err error) {
	keys, err := s.board(ctx, a, "orders", ordersSQL, after, &limit, func(row pgx.CollectableRow) (string, uuid.UUID, error) {
		var key string
		t, err := scanTicket(suffixed{row, []any{&key}})
		out = append(out, t)
		return key, t.ID, err
	})
	if len(out) > limit {
		out, next = out[:limit], keys[limit-1]
	}
	return out, next, err
}

// board runs one of the boards' lists and returns the cursor behind each row.
func (s *Service) board(ctx context.Context, a Actor, name View, sql, after string, limit *int, scan func(pgx.CollectableRow) (string, uuid.UUID, error)) (cursors []string, err error) {
	if a.Kind != KindStaff || a.DB.Agency() == uuid.Nil {
		return nil, ErrForbidden.With("action", "list")
	}
	*limit = max(1, min(*limit, 100))
	at := cursor{View: name}
	if after != "" {
		if at, err = decodeCursor(after, name); err != nil || at.Key == "" {
			return nil, ErrBadCursor
		}
	}
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, listSettings); err != nil {
			return err
		}
		args := []any{a.DB.Agency(), at.Key, at.ID, *limit + 1}
		if name == boardLadder {
			args = append(args, at.Skip)
		}
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		before := at
		cursors, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
			key, id, err := scan(row)
			c := cursor{View: name, Key: key, ID: id}
			if name == boardLadder {
				c.Skip = 1
				if before.Key == key && before.ID == id {
					c.Skip += before.Skip
				}
			}
			before = c
			return c.encode(), err
		})
		return err
	})
	if err != nil {
		return nil, Narrow("read "+string(name), err)
	}
	return cursors, nil
}
