// Package surges notices that more tickets of a category come from an area than chance explains, and keeps an alert about it until that is over.
//
// It counts what comes in by quarters of an hour and has tickets/surge judge the counts of the last hours by those of the same hours of earlier weeks.
// Confidential tickets are not counted. An alert opens, is renewed and ends by itself; the hotline acknowledges it, or makes a mass event of what is behind
// it. Agencies see none of it (row-level security).
//
// It may import tickets, tickets/surge, tickets/lookout and the leaves under internal.
package surges

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/lookout"
	"hotline/tickets/surge"
)

// The errors of this package, beside those of tickets.
var (
	// ErrOver: an alert that has ended needs nobody's attention.
	ErrOver = errs.New(errs.Conflict, "tickets.surge_over", "this surge is over")
	// ErrNoTicket: no ticket behind the alert is open any more.
	ErrNoTicket = errs.New(errs.Conflict, "tickets.no_ticket_behind", "no ticket behind this surge is open any more")
)

// Store keeps the counts and the alerts. It is safe for concurrent use.
type Store struct {
	pool    *pgxpool.Pool
	clock   clock.Clock
	tickets *tickets.Service
}

// New makes the store.
func New(pool *pgxpool.Pool, c clock.Clock, t *tickets.Service) *Store {
	return &Store{pool: pool, clock: c, tickets: t}
}

// Surge is an alert: more tickets of a category come from an area than chance explains.
type Surge struct {
	ID             uuid.UUID
	Category       string
	Area           string // "" is the whole jurisdiction
	State          string // open, acknowledged, over
	BeganAt        time.Time
	SeenAt         time.Time
	Observed       int // in the window, at the last look
	Peak           int
	Expected       float64 // by the same hours of earlier weeks
	Score          float64 // -log10 of the probability of that many by chance
	OpenedAt       time.Time
	AcknowledgedBy uuid.UUID
	AcknowledgedAt *time.Time
	Note           string
	Mass           uuid.UUID // the mass event made of it
	EndedAt        *time.Time
}

// arrivalStep is the grain of the counts.
const arrivalStep = 15 * time.Minute

// calmFor is how long a surge must have been away before it ends, and quietFor how soon after its end it is the same surge again.
const (
	calmFor  = 30 * time.Minute
	quietFor = 3 * time.Hour
)

const countArrivalsSQL = `insert into ticket_arrivals (bucket, category, area, n)
	select date_bin('15 minutes', a.opened_at, 'epoch'), coalesce(a.category, ''), coalesce(t.area, ''), count(*)
	from ticket_access a join tickets t on t.id = a.ticket_id
	where a.agency_id = $1 and a.opened_at >= $2 and a.opened_at < $3 and not a.confidential group by 1, 2, 3`

const weeksSQL = `select a.category, a.area, w.k, sum(a.n)::int from generate_series(0, $3::int) w (k)
	join ticket_arrivals a on a.bucket >= $1::timestamptz - make_interval(days => 7 * w.k) and a.bucket < $2::timestamptz - make_interval(days => 7 * w.k)
	where a.category <> '' group by 1, 2, 3`

const columns = `id, category, area, state, began_at, seen_at, observed, peak, expected, score, opened_at, acknowledged_by, acknowledged_at, note, mass_event, ended_at`

func scan(row pgx.CollectableRow) (Surge, error) {
	var s Surge
	var by, mass uuid.NullUUID
	err := row.Scan(&s.ID, &s.Category, &s.Area, &s.State, &s.BeganAt, &s.SeenAt, &s.Observed, &s.Peak, &s.Expected, &s.Score, &s.OpenedAt, &by, &s.AcknowledgedAt, &s.Note, &mass, &s.EndedAt)
	s.AcknowledgedBy, s.Mass = by.UUID, mass.UUID
	return s, err
}

// Swept is what a look changed.
type Swept struct{ Opened, Ended int }

// Sweep counts what has come in and opens, renews and ends alerts. It is for one node at a time (two would do the same work twice, and no harm); once a minute is enough.
func (s *Store) Sweep(ctx context.Context, now time.Time) (Swept, error) {
	var out Swept
	if err := s.countArrivals(ctx, now); err != nil {
		return out, fmt.Errorf("count arrivals: %w", err)
	}
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		out = Swept{}
		return s.judge(ctx, tx, now, &out)
	})
	if err != nil {
		return Swept{}, fmt.Errorf("sweep surges: %w", err)
	}
	return out, nil
}

// countArrivals brings the counts up to now, a day at a time where it is far behind. The last half hour is counted anew each time: a ticket is stamped when
// its transaction begins and seen when it ends.
func (s *Store) countArrivals(ctx context.Context, now time.Time) error {
	var from time.Time
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		w, err := lookout.Read(ctx, tx)
		if err != nil {
			return err
		}
		oldest := now.Add(-w.Window()).AddDate(0, 0, -7*w.SurgeWeeks).Truncate(arrivalStep)
		var last, first *time.Time
		if err := tx.QueryRow(ctx, `select max(bucket) from ticket_arrivals`).Scan(&last); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select min(opened_at) from ticket_access where agency_id = $1`, s.tickets.Desk()).Scan(&first); err != nil {
			return err
		}
		switch {
		case first == nil:
			from = now.Truncate(arrivalStep)
		case last != nil:
			from = last.Add(-2 * arrivalStep)
		default:
			from = first.Truncate(arrivalStep)
		}
		if from.Before(oldest) {
			from = oldest
		}
		return nil
	})
	if err != nil {
		return err
	}
	for end := now.Add(arrivalStep).Truncate(arrivalStep); from.Before(end); {
		to := from.Add(24 * time.Hour)
		if to.After(end) {
			to = end
		}
		err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
			if _, err := tx.Exec(ctx, `delete from ticket_arrivals where bucket >= $1 and bucket < $2`, from, to); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, countArrivalsSQL, s.tickets.Desk(), from, to)
			return err
		})
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

type cell struct{ category, area string }

func (s *Store) judge(ctx context.Context, tx db.Tx, now time.Time, out *Swept) error {
	w, err := lookout.Read(ctx, tx)
	if err != nil {
		return err
	}
	// Two nodes must not both insert: the second sees what the first did.
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('hotline surges'))`); err != nil {
		return err
	}
	from, to := now.Add(-w.Window()).Truncate(arrivalStep), now.Truncate(arrivalStep).Add(arrivalStep)
	counts, err := s.arrivals(ctx, tx, from, to, w)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `select `+columns+` from surges where state <> 'over' or ended_at > $1 order by ended_at nulls first`, now.Add(-quietFor))
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return err
	}
	known := map[cell]Surge{}
	for _, one := range list {
		if _, ok := known[cell{one.Category, one.Area}]; !ok {
			known[cell{one.Category, one.Area}] = one
		}
	}
	for c := range known {
		if _, ok := counts[c]; !ok {
			counts[c] = make([]int, len(anyOf(counts, w))) // nothing came: calm
		}
	}
	cells := make([]cell, 0, len(counts))
	for c := range counts {
		cells = append(cells, c)
	}
	// Areas before the whole, so that the whole knows what an area explains.
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.category, b.category), cmp.Compare(b.area, a.area))
	})
	largest := map[string]int{}
	for _, c := range cells {
		n := counts[c]
		v := surge.Judge(n[0], n[1:], w.Policy())
		running, ok := known[c]
		if c.area != "" && v.Alarm {
			largest[c.category] = max(largest[c.category], n[0])
		}
		if c.area == "" && surge.Explained(n[0], largest[c.category]) && (!ok || running.State == "over") {
			continue
		}
		if err := s.note(ctx, tx, now, from, c, n[0], v, running, ok, out); err != nil {
			return err
		}
	}
	return nil
}

// anyOf gives the length of the counts: the window and the weeks that are known.
func anyOf(counts map[cell][]int, w lookout.Figures) []int {
	for _, n := range counts {
		return n
	}
	return make([]int, 1+w.SurgeWeeks)
}

// arrivals are the numbers of the window and of the same hours in the weeks that are known, by cell and for the whole of a category.
func (s *Store) arrivals(ctx context.Context, tx db.Tx, from, to time.Time, w lookout.Figures) (map[cell][]int, error) {
	var first *time.Time
	if err := tx.QueryRow(ctx, `select min(bucket) from ticket_arrivals`).Scan(&first); err != nil {
		return nil, err
	}
	weeks := 0
	for weeks < w.SurgeWeeks && first != nil && !first.After(from.AddDate(0, 0, -7*(weeks+1))) {
		weeks++
	}
	rows, err := tx.Query(ctx, weeksSQL, from, to, weeks)
	if err != nil {
		return nil, err
	}
	counts := map[cell][]int{}
	add := func(c cell, k, n int) {
		if counts[c] == nil {
			counts[c] = make([]int, 1+weeks)
		}
		counts[c][k] += n
	}
	var c cell
	var k, n int
	_, err = pgx.ForEachRow(rows, []any{&c.category, &c.area, &k, &n}, func() error {
		if c.area != "" {
			add(c, k, n)
		}
		add(cell{c.category, ""}, k, n)
		return nil
	})
	return counts, err
}

func (s *Store) note(ctx context.Context, tx db.Tx, now, from time.Time, c cell, n int, v surge.Verdict, known Surge, ok bool, out *Swept) error {
	score := math.Min(v.Score, 300)
	switch {
	case v.Alarm && ok:
		if known.State == "over" { // again, so soon that it is the same
			out.Opened++
		}
		_, err := tx.Exec(ctx, `update surges set seen_at = $2, observed = $3, peak = greatest(peak, $3), expected = $4, score = greatest(score, $5), ended_at = null,
			state = case when state <> 'over' then state when acknowledged_at is null then 'open' else 'acknowledged' end where id = $1`, known.ID, now, n, v.Expected, score)
		return err
	case v.Alarm:
		id := db.NewID()
		_, err := tx.Exec(ctx, `insert into surges (id, category, area, began_at, seen_at, observed, peak, expected, score, opened_at) values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $5)`,
			id, c.category, c.area, from, now, n, v.Expected, score)
		if err != nil {
			return err
		}
		out.Opened++
		data, err := json.Marshal(map[string]string{"surge": id.String(), "category": c.category, "area": c.area})
		if err != nil {
			return err
		}
		for _, role := range []tickets.Role{tickets.Supervisor, tickets.Dispatcher} {
			_, err := tx.Exec(ctx, `insert into notifications (id, agency_id, role, type, data, created_at) values ($1, $2, $3, 'surge', $4, $5)`, db.NewID(), s.tickets.Desk(), string(role), data, now)
			if err != nil {
				return err
			}
		}
		return nil
	case !ok || known.State == "over":
		return nil
	case v.Calm && now.Sub(known.SeenAt) >= calmFor:
		out.Ended++
		_, err := tx.Exec(ctx, `update surges set state = 'over', ended_at = $2, observed = $3 where id = $1`, known.ID, now, n)
		return err
	}
	seen := known.SeenAt
	if !v.Calm {
		seen = now
	}
	_, err := tx.Exec(ctx, `update surges set observed = $2, expected = $3, seen_at = $4 where id = $1`, known.ID, n, v.Expected, seen)
	return err
}

// List lists alerts for the hotline, the newest first; before and last are opening and id of the last one seen, zero at the start.
// Staff of agencies get none.
func (s *Store) List(ctx context.Context, a tickets.Actor, before time.Time, last uuid.UUID, limit int) ([]Surge, error) {
	limit = max(1, min(limit, 100))
	var out []Surge
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, listSQL, pgtype.Timestamptz{Time: before, Valid: !before.IsZero()}, last, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scan)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list surges: %w", err)
	}
	return out, nil
}

const (
	listSQL        = `select ` + columns + ` from surges where $1::timestamptz is null or (opened_at, id) < ($1, $2) order by opened_at desc, id desc limit $3`
	acknowledgeSQL = `update surges set state = 'acknowledged', note = $2, acknowledged_by = $3, acknowledged_at = $4 where id = $1 and state <> 'over'`
	massSQL        = `update surges set mass_event = coalesce(mass_event, $2), acknowledged_by = coalesce(acknowledged_by, $3), acknowledged_at = coalesce(acknowledged_at, $4),
			state = case state when 'open' then 'acknowledged' else state end where id = $1`
	surgeSQL = `select ` + columns + ` from surges where id = $1`
)

// Running counts the alerts that run.
func (s *Store) Running(ctx context.Context, a tickets.Actor) (open, all int, err error) {
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select count(*) filter (where state = 'open'), count(*) from surges where state <> 'over'`).Scan(&open, &all)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count surges: %w", err)
	}
	return open, all, nil
}

// ByID returns an alert with the tickets behind it, the newest first, as far as the actor may see them, at most limit.
// Errors: tickets.ErrNotFound.
func (s *Store) ByID(ctx context.Context, a tickets.Actor, surge uuid.UUID, limit int) (Surge, []tickets.Duplicate, error) {
	var one Surge
	var behind []tickets.Duplicate
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		if one, err = s.one(ctx, tx, surge); err != nil {
			return err
		}
		behind, err = s.behind(ctx, tx, a, one, limit)
		return err
	})
	if err != nil {
		return Surge{}, nil, errs.Step("read surge", err)
	}
	return one, behind, nil
}

func (s *Store) one(ctx context.Context, tx db.Tx, surge uuid.UUID) (Surge, error) {
	rows, err := tx.Query(ctx, surgeSQL, surge)
	if err != nil {
		return Surge{}, err
	}
	one, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tickets.ErrNotFound
	}
	return one, err
}

const behindSQL = `select t.id, t.number, t.version, t.title, t.place, t.state, t.opened_at, coalesce(t.category, ''), coalesce(t.area, ''), t.kind
	from ticket_access a join tickets t on t.id = a.ticket_id
	where a.agency_id = $1 and a.category = $2 and a.opened_at >= $3 and a.opened_at < $4 and not a.confidential and ($5 = '' or t.area = $5)
	order by a.opened_at desc, a.ticket_id desc limit $6`

func (s *Store) behind(ctx context.Context, tx db.Tx, a tickets.Actor, one Surge, limit int) ([]tickets.Duplicate, error) {
	until := s.clock.Now().Add(arrivalStep)
	if one.EndedAt != nil {
		until = *one.EndedAt
	}
	rows, err := tx.Query(ctx, behindSQL, a.DB.Agency(), one.Category, one.BeganAt, until, one.Area, max(1, min(limit, 200)))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (tickets.Duplicate, error) {
		var d tickets.Duplicate
		err := row.Scan(&d.ID, &d.Number, &d.Version, &d.Title, &d.Place, &d.State, &d.OpenedAt, &d.Category, &d.Area, &d.Kind)
		return d, err
	})
}

// Acknowledge notes who looks after an alert, and what was found. For dispatchers and supervisors of the hotline.
// Errors: tickets.ErrNotFound, tickets.ErrForbidden, tickets.ErrMissing, tickets.ErrTooLong, ErrOver.
func (s *Store) Acknowledge(ctx context.Context, a tickets.Actor, surge uuid.UUID, note string) error {
	if !a.LeadsDesk() {
		return tickets.ErrForbidden.With("action", "acknowledge")
	}
	if note = strings.TrimSpace(note); note == "" {
		return tickets.ErrMissing.On("note").With("field", "note")
	}
	if err := tickets.CheckText("note", note, tickets.MaxBasis); err != nil {
		return err
	}
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		one, err := s.one(ctx, tx, surge)
		if err != nil {
			return err
		}
		if one.State == "over" {
			return ErrOver
		}
		return write(ctx, tx, acknowledgeSQL, surge, note, a.DB.User(), s.clock.Now())
	})
	return errs.Step("acknowledge surge", err)
}

// write runs one statement that was judged before.
func write(ctx context.Context, tx db.Tx, sql string, args ...any) error {
	return tickets.Elevated(ctx, tx, func() error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

// MakeMass makes a mass event of an alert: the oldest open ticket behind it becomes the parent, and new reports of the category and area are offered
// to join. Once it is there, the same call returns it. For dispatchers and supervisors of the hotline.
// Errors: tickets.ErrNotFound, tickets.ErrForbidden, ErrNoTicket (nothing open behind it), and those of MarkMass.
func (s *Store) MakeMass(ctx context.Context, a tickets.Actor, surge uuid.UUID, title string) (tickets.Ticket, error) {
	if !a.LeadsDesk() {
		return tickets.Ticket{}, tickets.ErrForbidden.With("action", "mass_marked")
	}
	one, behind, err := s.ByID(ctx, a, surge, 200)
	if err != nil {
		return tickets.Ticket{}, err
	}
	if one.Mass != uuid.Nil {
		return s.tickets.ByID(ctx, a, one.Mass)
	}
	behind = slices.DeleteFunc(behind, func(d tickets.Duplicate) bool { return !d.Open() })
	if len(behind) == 0 {
		return tickets.Ticket{}, ErrNoTicket
	}
	parent := behind[len(behind)-1]
	t, err := s.tickets.MarkMass(ctx, a, parent.ID, tickets.MassDraft{Title: title, Category: one.Category, Area: one.Area, Public: true}, "surge "+surge.String())
	if err != nil {
		return tickets.Ticket{}, err
	}
	err = db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		return write(ctx, tx, massSQL, surge, t.ID, a.DB.User(), s.clock.Now())
	})
	return t, errs.Step("mass event of a surge", err)
}
