package tickets

import (
	"context"
	"hotline/internal/db"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ListSQL is the statement of List and the planner's settings that it runs under, for the tests that look at its plan; way is the facet that List narrows by.
func (s *Service) ListSQL(a Actor, v View, f Filter, after string, limit int) (sql string, args []any, settings, way string, err error) {
	var narrow facet
	err = db.ReadTx(context.Background(), s.pool, a.DB, func(tx db.Tx) error {
		narrow, settings, err = s.way(context.Background(), tx, agencyOf(a, s), v, f)
		return err
	})
	if err != nil {
		return "", nil, "", "", err
	}
	q, err := s.listQuery(a, v, f, after, limit, narrow)
	return q.sql, q.args, settings, string(narrow), err
}

// OpenFieldsSQL stores the values of a filing.
const OpenFieldsSQL = openFieldsSQL

// FilterCountSQL is the statement behind the count of a saved filter, by a facet or ("") by its view.
func (s *Service) FilterCountSQL(a Actor, f SavedFilter, way string) (string, []any, error) {
	return s.filterCountQuery(a, f, facet(way))
}

// CountSQL is the statement behind one count.
func (s *Service) CountSQL(a Actor, v View) (string, []any, error) {
	return s.countQuery(a.DB.Agency(), a.DB.User(), v)
}

// SearchQuery is how the text search reads what staff type.
var SearchQuery = searchQuery

// ListSettings are the planner's settings under which lists run.
const ListSettings = listSettings

// Unsorted are those of a list in the order of its view; LadderSQL and OrdersSQL are the supervision board's.
const (
	Unsorted  = unsorted
	LadderSQL = ladderSQL
	OrdersSQL = ordersSQL
)

// CountSettings are those of the counts of saved filters.
const CountSettings = countSettings

// Reseal seals a history anew, as only somebody with the installation's key can.
func (s *Service) Reseal(ctx context.Context, owner *pgxpool.Pool, ticket uuid.UUID) error {
	rows, err := owner.Query(ctx, verifyOneSQL, ticket)
	if err != nil {
		return err
	}
	var h history
	for rows.Next() {
		var e storedEntry
		if err := e.scan(rows, &ticket, &h); err != nil {
			return err
		}
		h.entries = append(h.entries, e)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	var before []byte
	for _, e := range h.entries {
		before = s.keys.seal(before, e.Event)
		if _, err := owner.Exec(ctx, `update ticket_events set seal = $3 where ticket_id = $1 and seq = $2`, ticket, e.Seq, before); err != nil {
			return err
		}
	}
	_, err = owner.Exec(ctx, `update tickets set head = $2 where id = $1`, ticket, before)
	return err
}

// SetInline sets how many reporters are told in the transaction of the reply itself.
func SetInline(s *Service, n int) { s.inline = n }

// MassStatements are the statements of duplicates, mass events and broadcasts, to be prepared against the real schema.
var MassStatements = []string{sqlPraised, sqlGraded, candidatesSQL, parentsSQL, reportersSQL, seenSQL, markMassSQL, openMassSQL, childrenSQL, insertBroadcastSQL, insertReportersSQL, joinSQL, carrySQL,
	pendingSQL, broadcastsSQL, progressSQL, ownProgressSQL}

// DeskStatements are those of the smaller things that the desk does.
var DeskStatements = []string{earlierSQL, openLackingSQL, lacksSQL, completeSQL, waitingForWordsSQL, lastTrySQL, assignmentsSQL, redoDueSQL}

// DueAt lists when the clocks of a sweep were due.
func (s Swept) DueAt() []time.Time { return s.dueAt }

// LightsSettled waits until no pass for the lights is under way.
func (s *Service) LightsSettled() {
	s.lights.mu.Lock()
	under := s.lights.under
	s.lights.mu.Unlock()
	if under != nil {
		<-under.done
	}
}

// AppealStatements are those of appeals and of the columns of contacts in an export.
var AppealStatements = []string{countedSQL, appealsOfSQL, appealByIDSQL, appealsSQL, insertAppealSQL, decideAppealSQL, contactsSQL}
