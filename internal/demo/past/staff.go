package past

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/db"
	"hotline/tickets"
)

// worker is one of the demo's users.
type worker struct {
	id, agency uuid.UUID
	desk       bool
	cleared    bool
	roles      []string
}

func (w worker) actor() tickets.Actor {
	return tickets.Staff(db.Staff(w.id, w.agency, w.desk, w.cleared), w.roles)
}

type roster []worker

const staffSQL = `select u.id, u.agency_id, a.kind = 'hotline', u.cleared, u.roles from users u join agencies a on a.id = u.agency_id where u.active order by u.email`

func readStaff(ctx context.Context, pool *pgxpool.Pool) (roster, error) {
	var out roster
	err := db.ReadTx(ctx, pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, staffSQL)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (w worker, err error) {
			return w, row.Scan(&w.id, &w.agency, &w.desk, &w.cleared, &w.roles)
		})
		return err
	})
	return out, err
}

// desk is somebody of the hotline with a role who may see the case: a supervisor where nobody else may.
func (p *player) desk(role string, secret bool) worker {
	var able []worker
	for _, w := range p.staff {
		if w.desk && slices.Contains(w.roles, role) && (w.cleared || !secret) {
			able = append(able, w)
		}
	}
	if len(able) == 0 {
		return p.desk("supervisor", secret)
	}
	return pick(p, able)
}

// of is somebody of an agency with a role. An agency without staff in the demo acts without a person, as it does through an API key.
func (r roster) of(agency uuid.UUID, role string, secret bool) (worker, bool) {
	for _, w := range r {
		if w.agency == agency && slices.Contains(w.roles, role) && (w.cleared || !secret) {
			return w, true
		}
	}
	return worker{agency: agency, cleared: true, roles: []string{role}}, false
}
