package tickets

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

	"hotline/internal/db"
	"hotline/tickets/surge"
)

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

const surgeColumns = `id, category, area, state, began_at, seen_at, observed, peak, expected, score, opened_at, acknowledged_by, acknowledged_at, note, mass_event, ended_at`

func scanSurge(row pgx.CollectableRow) (Surge, error) {
	var s Surge
	var by, mass *uuid.UUID
	err := row.Scan(&s.ID, &s.Category, &s.Area, &s.State, &s.BeganAt, &s.SeenAt, &s.Observed, &s.Peak, &s.Expected, &s.Score, &s.OpenedAt, &by, &s.AcknowledgedAt, &s.Note, &mass, &s.EndedAt)
	s.AcknowledgedBy, s.Mass = id(by), id(mass)
	return s, err
}

// SurgeSweep is what a look changed.
type SurgeSweep struct{ Opened, Ended int }

// SweepSurges counts what has come in and opens, renews and ends alerts. It is for one node at a time (two would do the same work twice, and no harm); once a minute is enough.
func (s *Service) SweepSurges(ctx context.Context, now time.Time) (SurgeSweep, error) {
	var out SurgeSweep
	if err := s.countArrivals(ctx, now); err != nil {
		return out, fmt.Errorf("count arrivals: %w", err)
	}
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		out = SurgeSweep{}
		return s.judgeSurges(ctx, tx, now, &out)
	})
	if err != nil {
		return SurgeSweep{}, fmt.Errorf("sweep surges: %w", err)
	}
	return out, nil
}

// countArrivals brings the counts up to now, a day at a time where it is far behind. The last half hour is counted anew each time: a ticket is stamped when
// its transaction begins and seen when it ends.
func (s *Service) countArrivals(ctx context.Context, now time.Time) error {
	var from time.Time
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		w, err := s.watching(ctx, tx)
		if err != nil {
			return err
		}
		oldest := now.Add(-w.window()).AddDate(0, 0, -7*w.SurgeWeeks).Truncate(arrivalStep)
		var last, first *time.Time
		if err := tx.QueryRow(ctx, `select max(bucket) from ticket_arrivals`).Scan(&last); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select min(opened_at) from ticket_access where agency_id = $1`, s.router.Desk()).Scan(&first); err != nil {
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
			_, err := tx.Exec(ctx, countArrivalsSQL, s.router.Desk(), from, to)
			return err
		})
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

type surgeCell struct{ category, area string }

func (s *Service) judgeSurges(ctx context.Context, tx db.Tx, now time.Time, out *SurgeSweep) error {
	w, err := s.watching(ctx, tx)
	if err != nil {
		return err
	}
	// Two nodes must not both insert: the second sees what the first did.
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('hotline surges'))`); err != nil {
		return err
	}
	from, to := now.Add(-w.window()).Truncate(arrivalStep), now.Truncate(arrivalStep).Add(arrivalStep)
	counts, err := s.arrivals(ctx, tx, from, to, w)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `select `+surgeColumns+` from surges where state <> 'over' or ended_at > $1 order by ended_at nulls first`, now.Add(-quietFor))
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, scanSurge)
	if err != nil {
		return err
	}
	known := map[surgeCell]Surge{}
	for _, one := range list {
		if _, ok := known[surgeCell{one.Category, one.Area}]; !ok {
			known[surgeCell{one.Category, one.Area}] = one
		}
	}
	for c := range known {
		if _, ok := counts[c]; !ok {
			counts[c] = make([]int, len(anyOf(counts, w))) // nothing came: calm
		}
	}
	cells := make([]surgeCell, 0, len(counts))
	for c := range counts {
		cells = append(cells, c)
	}
	// Areas before the whole, so that the whole knows what an area explains.
	slices.SortFunc(cells, func(a, b surgeCell) int {
		return cmp.Or(cmp.Compare(a.category, b.category), cmp.Compare(b.area, a.area))
	})
	largest := map[string]int{}
	for _, c := range cells {
		n := counts[c]
		v := surge.Judge(n[0], n[1:], w.policy())
		running, ok := known[c]
		if c.area != "" && v.Alarm {
			largest[c.category] = max(largest[c.category], n[0])
		}
		if c.area == "" && surge.Explained(n[0], largest[c.category]) && (!ok || running.State == "over") {
			continue
		}
		if err := s.noteSurge(ctx, tx, now, from, c, n[0], v, running, ok, out); err != nil {
			return err
		}
	}
	return nil
}

// anyOf gives the length of the counts: the window and the weeks that are known.
func anyOf(counts map[surgeCell][]int, w watch) []int {
	for _, n := range counts {
		return n
	}
	return make([]int, 1+w.SurgeWeeks)
}

// arrivals are the numbers of the window and of the same hours in the weeks that are known, by cell and for the whole of a category.
func (s *Service) arrivals(ctx context.Context, tx db.Tx, from, to time.Time, w watch) (map[surgeCell][]int, error) {
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
	counts := map[surgeCell][]int{}
	add := func(c surgeCell, k, n int) {
		if counts[c] == nil {
			counts[c] = make([]int, 1+weeks)
		}
		counts[c][k] += n
	}
	var c surgeCell
	var k, n int
	_, err = pgx.ForEachRow(rows, []any{&c.category, &c.area, &k, &n}, func() error {
		if c.area != "" {
			add(c, k, n)
		}
		add(surgeCell{c.category, ""}, k, n)
		return nil
	})
	return counts, err
}

func (s *Service) noteSurge(ctx context.Context, tx db.Tx, now, from time.Time, c surgeCell, n int, v surge.Verdict, known Surge, ok bool, out *SurgeSweep) error {
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
		for _, role := range []Role{Supervisor, Dispatcher} {
			_, err := tx.Exec(ctx, `insert into notifications (id, agency_id, role, type, data, created_at) values ($1, $2, $3, 'surge', $4, $5)`, db.NewID(), s.router.Desk(), string(role), data, now)
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

// Surges lists alerts for the hotline, the newest first; before and last are opening and id of the last one seen, zero at the start.
// Staff of agencies get none.
func (s *Service) Surges(ctx context.Context, a Actor, before time.Time, last uuid.UUID, limit int) ([]Surge, error) {
	limit = max(1, min(limit, 100))
	var out []Surge
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, surgesSQL, optionalTime(before), last, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanSurge)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list surges: %w", err)
	}
	return out, nil
}

const (
	surgesSQL = `select ` + surgeColumns + ` from surges where $1::timestamptz is null or (opened_at, id) < ($1, $2) order by opened_at desc, id desc limit $3`
	surgeSQL  = `select ` + surgeColumns + ` from surges where id = $1`
)

// RunningSurges counts the alerts that run.
func (s *Service) RunningSurges(ctx context.Context, a Actor) (open, all int, err error) {
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select count(*) filter (where state = 'open'), count(*) from surges where state <> 'over'`).Scan(&open, &all)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count surges: %w", err)
	}
	return open, all, nil
}

// SurgeByID returns an alert with the tickets behind it, the newest first, as far as the actor may see them, at most limit.
// Errors: ErrNotFound.
func (s *Service) SurgeByID(ctx context.Context, a Actor, surge uuid.UUID, limit int) (Surge, []Duplicate, error) {
	var one Surge
	var behind []Duplicate
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		if one, err = s.surgeTx(ctx, tx, surge); err != nil {
			return err
		}
		behind, err = s.behind(ctx, tx, a, one, limit)
		return err
	})
	if err != nil {
		return Surge{}, nil, wrap("read surge of", err)
	}
	return one, behind, nil
}

func (s *Service) surgeTx(ctx context.Context, tx db.Tx, surge uuid.UUID) (Surge, error) {
	rows, err := tx.Query(ctx, surgeSQL, surge)
	if err != nil {
		return Surge{}, err
	}
	one, err := pgx.CollectExactlyOneRow(rows, scanSurge)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	return one, err
}

const behindSQL = `select t.id, t.number, t.version, t.title, t.place, t.state, t.opened_at, coalesce(t.category, ''), coalesce(t.area, ''), t.kind
	from ticket_access a join tickets t on t.id = a.ticket_id
	where a.agency_id = $1 and a.category = $2 and a.opened_at >= $3 and a.opened_at < $4 and not a.confidential and ($5 = '' or t.area = $5)
	order by a.opened_at desc, a.ticket_id desc limit $6`

func (s *Service) behind(ctx context.Context, tx db.Tx, a Actor, one Surge, limit int) ([]Duplicate, error) {
	until := s.clock.Now().Add(arrivalStep)
	if one.EndedAt != nil {
		until = *one.EndedAt
	}
	rows, err := tx.Query(ctx, behindSQL, a.DB.Agency(), one.Category, one.BeganAt, until, one.Area, max(1, min(limit, 200)))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Duplicate, error) {
		var d Duplicate
		err := row.Scan(&d.ID, &d.Number, &d.Version, &d.Title, &d.Place, &d.State, &d.OpenedAt, &d.Category, &d.Area, &d.Kind)
		return d, err
	})
}

// AcknowledgeSurge notes who looks after an alert, and what was found. For dispatchers and supervisors of the hotline.
// Errors: ErrNotFound, ErrForbidden, ErrMissing, ErrTooLong, ErrSurgeOver.
func (s *Service) AcknowledgeSurge(ctx context.Context, a Actor, surge uuid.UUID, note string) error {
	if !a.leadsDesk() {
		return ErrForbidden.With("action", "acknowledge")
	}
	if note = strings.TrimSpace(note); note == "" {
		return ErrMissing.On("note").With("field", "note")
	}
	if err := checkText("note", note, maxBasis); err != nil {
		return err
	}
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		one, err := s.surgeTx(ctx, tx, surge)
		if err != nil {
			return err
		}
		if one.State == "over" {
			return ErrSurgeOver
		}
		return s.writeElevated(ctx, tx, `update surges set state = 'acknowledged', note = $2, acknowledged_by = $3, acknowledged_at = $4 where id = $1 and state <> 'over'`,
			surge, note, optional(a.DB.User()), s.clock.Now())
	})
	return wrap2("acknowledge surge", err)
}

// writeElevated runs one statement that was judged before.
func (s *Service) writeElevated(ctx context.Context, tx db.Tx, sql string, args ...any) error {
	b := &pgx.Batch{}
	b.Queue(elevateSQL)
	b.Queue(sql, args...)
	b.Queue(restoreSQL)
	return tx.SendBatch(ctx, b).Close()
}

// MassOfSurge makes a mass event of an alert: the oldest open ticket behind it becomes the parent, and new reports of the category and area are offered
// to join. Once it is there, the same call returns it. For dispatchers and supervisors of the hotline.
// Errors: ErrNotFound, ErrForbidden, ErrNoTicket (nothing open behind it), and those of MarkMass.
func (s *Service) MassOfSurge(ctx context.Context, a Actor, surge uuid.UUID, title string) (Ticket, error) {
	if !a.leadsDesk() {
		return Ticket{}, ErrForbidden.With("action", "mass_marked")
	}
	one, behind, err := s.SurgeByID(ctx, a, surge, 200)
	if err != nil {
		return Ticket{}, err
	}
	if one.Mass != uuid.Nil {
		return s.ByID(ctx, a, one.Mass)
	}
	behind = slices.DeleteFunc(behind, func(d Duplicate) bool { return !d.Open() })
	if len(behind) == 0 {
		return Ticket{}, ErrNoTicket
	}
	parent := behind[len(behind)-1]
	t, err := s.MarkMass(ctx, a, parent.ID, MassDraft{Title: title, Category: one.Category, Area: one.Area, Public: true}, "surge "+surge.String())
	if err != nil {
		return Ticket{}, err
	}
	err = db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		return s.writeElevated(ctx, tx, `update surges set mass_event = coalesce(mass_event, $2), acknowledged_by = coalesce(acknowledged_by, $3), acknowledged_at = coalesce(acknowledged_at, $4),
			state = case state when 'open' then 'acknowledged' else state end where id = $1`, surge, t.ID, optional(a.DB.User()), s.clock.Now())
	})
	return t, wrap2("mass event of a surge", err)
}
