package tickets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// RecomputeDelay is how long a recomputation waits after the change, so that every node looks at its slow tick first and starts no clock under old
// rules behind the back of the work.
const RecomputeDelay = 7 * time.Second

// Tally counts what new rules do to clocks.
type Tally struct {
	Looked    int64
	Earlier   int64
	Later     int64
	Unchanged int64
	Held      int64 // would be earlier, but was told to the contact or would be over at once
}

func (t *Tally) add(v sla.Verdict) {
	t.Looked++
	switch v {
	case sla.Earlier:
		t.Earlier++
	case sla.Later:
		t.Later++
	case sla.Held:
		t.Held++
	default:
		t.Unchanged++
	}
}

func (t *Tally) plus(o Tally) {
	t.Looked += o.Looked
	t.Earlier += o.Earlier
	t.Later += o.Later
	t.Unchanged += o.Unchanged
	t.Held += o.Held
}

// Recomputation is the work of bringing open clocks under new rules.
type Recomputation struct {
	ID    uuid.UUID
	Kind  string // policies, calendar, agency
	Code  string
	State string // waiting, running, done, superseded
	Total int64  // open clocks when it began
	Tally
	RequestedAt time.Time
	StartedAt   *time.Time
	FinishedAt  *time.Time
	ByUser      uuid.UUID
	Version     int

	atTicket uuid.UUID
	busy     []uuid.UUID
}

// Open reports whether the work is not over.
func (r Recomputation) Open() bool { return r.State == "waiting" || r.State == "running" }

// Percent is how far it has come.
func (r Recomputation) Percent() int {
	if r.State == "done" {
		return 100
	}
	if r.Total == 0 {
		return 0
	}
	return int(min(99, r.Looked*100/r.Total))
}

const recomputationColumns = `id, kind, code, version, coalesce(requested_by, '00000000-0000-0000-0000-000000000000'), requested_at, state, at_ticket, busy, total, looked, earlier, later, unchanged, held, started_at, finished_at`

func scanRecomputation(row pgx.CollectableRow) (r Recomputation, err error) {
	err = row.Scan(&r.ID, &r.Kind, &r.Code, &r.Version, &r.ByUser, &r.RequestedAt, &r.State, &r.atTicket, &r.busy, &r.Total, &r.Looked, &r.Earlier, &r.Later,
		&r.Unchanged, &r.Held, &r.StartedAt, &r.FinishedAt)
	return r, err
}

// queueRecompute asks for a recomputation in the transaction that changes the rules. One that is on its way is superseded: the new one goes over every
// open clock anyway.
func (s *Service) queueRecompute(b *pgx.Batch, kind, code string, version int, by uuid.UUID) uuid.UUID {
	now, job := s.clock.Now(), db.NewID()
	b.Queue(`update recomputations set state = 'superseded', finished_at = $1 where state in ('waiting', 'running')`, now)
	b.Queue(`insert into recomputations (id, kind, code, version, requested_by, requested_at, ready_at) values ($1, $2, $3, $4, $5, $6, $7)`,
		job, kind, code, version, optional(by), now, now.Add(RecomputeDelay))
	return job
}

// Recomputations lists the newest ones. Errors: ErrForbidden.
func (s *Service) Recomputations(ctx context.Context, a Actor, limit int) ([]Recomputation, error) {
	if err := mayAdminister(a); err != nil {
		return nil, err
	}
	var out []Recomputation
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select `+recomputationColumns+` from recomputations order by requested_at desc, id desc limit $1`, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanRecomputation)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("recomputations: %w", err)
	}
	return out, nil
}

// Recompute does the next batch of the recomputation that is due, of about limit clocks. Any node may call it at any time: whoever holds the work's row
// does the batch, all others find nothing to do. done is true when there is nothing more to do now.
func (s *Service) Recompute(ctx context.Context, limit int) (job Recomputation, done bool, err error) {
	if err := s.CatchUp(ctx); err != nil {
		return job, false, err
	}
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		done = true
		now := s.clock.Now()
		rows, err := tx.Query(ctx, `select `+recomputationColumns+` from recomputations where state in ('waiting', 'running') and ready_at <= $1
			order by requested_at desc limit 1 for update skip locked`, now)
		if err != nil {
			return err
		}
		if job, err = pgx.CollectExactlyOneRow(rows, scanRecomputation); errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		if job.State == "waiting" {
			job.State, job.StartedAt = "running", &now
			if err := tx.QueryRow(ctx, `select count(*) from ticket_clocks where stopped_at is null`).Scan(&job.Total); err != nil {
				return err
			}
		}
		if done, err = s.recomputeBatch(ctx, tx, &job, limit, now); err != nil {
			return err
		}
		if done {
			job.State, job.FinishedAt = "done", &now
		}
		_, err = tx.Exec(ctx, `update recomputations set state = $2, at_ticket = $3, busy = $4, total = $5, looked = $6, earlier = $7, later = $8, unchanged = $9, held = $10,
			started_at = $11, finished_at = $12 where id = $1`, job.ID, job.State, job.atTicket, list(job.busy), job.Total, job.Looked, job.Earlier, job.Later, job.Unchanged,
			job.Held, job.StartedAt, job.FinishedAt)
		return err
	})
	if err != nil {
		return job, false, fmt.Errorf("recompute deadlines: %w", err)
	}
	return job, done, nil
}

// recomputeBatch looks at the next clocks without locks, and locks only the tickets on which something changes.
func (s *Service) recomputeBatch(ctx context.Context, tx db.Tx, job *Recomputation, limit int, now time.Time) (done bool, err error) {
	set := s.settings.Load()
	open, last, more, err := openClocks(ctx, tx, job.atTicket, limit)
	if err != nil {
		return false, err
	}
	if len(open) == 0 {
		// At the end, one by one and waited for, the tickets that somebody held: nothing else is locked meanwhile, so nobody can wait in a circle.
		if len(job.busy) == 0 {
			return true, nil
		}
		tally, _, err := s.recomputeTickets(ctx, tx, job.busy[:1], job.RequestedAt, now, false)
		job.busy = job.busy[1:]
		job.plus(tally)
		return len(job.busy) == 0, err
	}
	var movers []uuid.UUID
	for _, k := range open {
		tally, dirty := s.tryRules(set, k, job.RequestedAt, nil)
		if dirty {
			movers = append(movers, k.t.ID)
			continue
		}
		job.plus(tally)
	}
	job.atTicket = last
	tally, busy, err := s.recomputeTickets(ctx, tx, movers, job.RequestedAt, now, true)
	if err != nil {
		return false, err
	}
	job.plus(tally)
	job.busy = append(job.busy, busy...)
	return !more && len(job.busy) == 0, nil
}

// openTicket is a ticket with its open clocks, as far as rules need it.
type openTicket struct {
	t    Ticket
	rows []*clockRow
}

// openClocks reads about limit open clocks of the tickets after a ticket, whole tickets only, in the order of their ids.
func openClocks(ctx context.Context, tx db.Tx, after uuid.UUID, limit int) (out []openTicket, last uuid.UUID, more bool, err error) {
	rows, err := tx.Query(ctx, `
		select t.number, t.kind, coalesce(t.category, ''), t.urgency, coalesce(t.lead_id, '00000000-0000-0000-0000-000000000000'), c.ticket_id, `+prefixedClock+`
		from ticket_clocks c join tickets t on t.id = c.ticket_id where c.ticket_id > $1 and c.stopped_at is null order by c.ticket_id limit $2`, after, limit)
	if err != nil {
		return nil, after, false, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var t Ticket
		c, err := scanClock(scanFunc(func(dest ...any) error {
			return rows.Scan(append([]any{&t.Number, &t.Kind, &t.Category, &t.Urgency, &t.Lead, &t.ID}, dest...)...)
		}))
		if err != nil {
			return nil, after, false, err
		}
		n++
		if k := len(out); k > 0 && out[k-1].t.ID == t.ID {
			out[k-1].rows = append(out[k-1].rows, c)
		} else {
			out = append(out, openTicket{t, []*clockRow{c}})
		}
	}
	if more = n == limit; more && len(out) > 1 {
		out = out[:len(out)-1] // perhaps cut in its middle
	}
	if len(out) > 0 {
		last = out[len(out)-1].t.ID
	}
	return out, last, more, rows.Err()
}

var prefixedClock = "c." + strings.ReplaceAll(clockColumnsSQL, ", ", ", c.")

// tryRules applies rules to the clocks of a ticket in memory. each hears of every clock with its deadline before.
func (s *Service) tryRules(set *Settings, k openTicket, changed time.Time, each func(c *clockRow, was time.Time, v sla.Verdict)) (tally Tally, dirty bool) {
	set2 := s.clocksUnder(set, &k.t)
	for _, c := range k.rows {
		was := c.dueAt
		c.dirty = false
		v := set2.recompute(c, changed)
		tally.add(v)
		dirty = dirty || c.dirty
		if each != nil {
			each(c, was, v)
		}
	}
	return tally, dirty
}

func (s *Service) clocksUnder(set *Settings, t *Ticket) *clockSet {
	policy, _ := set.SLA.Choose(t.Kind, t.Category, t.Urgency)
	return &clockSet{set: set, policy: policy, t: t, of: s.jurisdictionOf, rows: map[string]*clockRow{}}
}

// recomputeTickets locks tickets, applies the rules in force to their clocks and writes what changed. With skip it steps over those that somebody
// holds, and returns them.
func (s *Service) recomputeTickets(ctx context.Context, tx db.Tx, ids []uuid.UUID, changed, now time.Time, skip bool) (tally Tally, busy []uuid.UUID, err error) {
	if len(ids) == 0 {
		return tally, nil, nil
	}
	wait := ""
	if skip {
		wait = " skip locked"
	}
	rows, err := tx.Query(ctx, `select `+ticketColumns+` from tickets t where t.id = any($1) order by t.id for no key update`+wait, ids)
	if err != nil {
		return tally, nil, err
	}
	locked, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Ticket, error) { return scanTicket(row) })
	if err != nil {
		return tally, nil, err
	}
	byID := map[uuid.UUID]*change{}
	set := s.settings.Load()
	for _, t := range locked {
		c := s.newChange(t, map[string]*clockRow{}, now)
		byID[t.ID] = c
	}
	for _, id := range ids {
		if byID[id] == nil {
			busy = append(busy, id)
		}
	}
	rows, err = tx.Query(ctx, `select c.ticket_id, `+prefixedClock+` from ticket_clocks c where c.ticket_id = any($1) and c.stopped_at is null`, ids)
	if err != nil {
		return tally, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var ticket uuid.UUID
		clk, err := scanClock(scanFunc(func(dest ...any) error { return rows.Scan(append([]any{&ticket}, dest...)...) }))
		if err != nil {
			return tally, nil, err
		}
		if c := byID[ticket]; c != nil {
			c.clocks.rows[clk.name] = clk
		}
	}
	if err := rows.Err(); err != nil {
		return tally, nil, err
	}
	var changes []*change
	for _, t := range locked {
		c := byID[t.ID]
		k := openTicket{t: t}
		for _, name := range sortedNames(c.clocks.rows) {
			k.rows = append(k.rows, c.clocks.rows[name])
		}
		one, dirty := s.tryRules(set, k, changed, func(clk *clockRow, was time.Time, v sla.Verdict) {
			if v == sla.Earlier || v == sla.Later {
				due := clk.dueAt
				c.add(Event{Type: EntryRecomputed, Public: v == sla.Later && told(clk.name), Data: Fields{Clock: clk.name, Was: &was, DueAt: &due}}, System())
			}
		})
		tally.plus(one)
		if dirty {
			c.clocks.summarize(&c.t)
			changes = append(changes, c)
		}
	}
	return tally, busy, s.writeMany(ctx, tx, changes)
}

// EntryRecomputed is the history entry of a deadline that new rules moved.
const EntryRecomputed = "deadline_recomputed"

func sortedNames(rows map[string]*clockRow) []string {
	names := make([]string, 0, len(rows))
	for name := range rows {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// writeMany writes deadlines and entries of many tickets, a statement a table. The transaction's actor is the system.
func (s *Service) writeMany(ctx context.Context, tx db.Tx, changes []*change) error {
	if len(changes) == 0 {
		return nil
	}
	var clockTickets, eventTickets, ids []uuid.UUID
	var k clockCols
	var e eventColumns
	var at []time.Time
	var due, warn, sign, promised []*time.Time
	var provisional []bool
	var entries []int
	var heads [][]byte
	for _, c := range changes {
		before := len(k.name)
		k.fill(c.clocks.rows)
		for range len(k.name) - before {
			clockTickets = append(clockTickets, c.t.ID)
		}
		e.fill(c.events)
		for range c.events {
			eventTickets, at = append(eventTickets, c.t.ID), append(at, c.now)
		}
		ids, due, warn, sign = append(ids, c.t.ID), append(due, c.t.DueAt), append(warn, c.t.WarnAt), append(sign, c.t.SignDueAt)
		promised, provisional = append(promised, c.t.PromisedAt), append(provisional, c.t.Provisional)
		entries, heads = append(entries, c.t.events), append(heads, seal(c.t.head))
	}
	b := &pgx.Batch{}
	b.Queue(`update ticket_clocks c set policy = u.policy, n = u.n, unit = u.unit, warn_at = u.warn_at, due_at = u.due_at, provisional = u.provisional, stage = u.stage,
			next_fire_at = u.next_fire_at, remaining_us = u.remaining_us, steps = u.steps
		from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::bool[], $9::text[], $10::timestamptz[], $11::bigint[], $12::jsonb[])
			u (ticket_id, name, policy, n, unit, warn_at, due_at, provisional, stage, next_fire_at, remaining_us, steps)
		where c.ticket_id = u.ticket_id and c.name = u.name`,
		clockTickets, k.name, k.policy, k.n, k.unit, k.warn, k.due, k.provisional, k.stage, k.next, k.remaining, k.steps)
	b.Queue(`update tickets t set due_at = u.due_at, warn_at = u.warn_at, sign_due_at = u.sign_due_at, promised_at = u.promised_at, provisional = u.provisional, events = u.events, head = u.head
		from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::bool[], $7::int[], $8::bytea[])
			u (id, due_at, warn_at, sign_due_at, promised_at, provisional, events, head)
		where t.id = u.id`, ids, due, warn, sign, promised, provisional, entries, heads)
	// The time to sign that agencies are measured by.
	b.Queue(`update assignments a set sign_due_at = u.sign_due_at from unnest($1::uuid[], $2::timestamptz[]) u (id, sign_due_at)
		where a.ticket_id = u.id and a.ended_at is null and a.signed_at is null and u.sign_due_at is not null`, ids, sign)
	b.Queue(`update ticket_access a set due_at = coalesce(u.due_at, 'infinity'), warn_at = coalesce(u.warn_at, 'infinity') from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) u (id, due_at, warn_at)
		where a.ticket_id = u.id and (a.due_at, a.warn_at) <> (coalesce(u.due_at, 'infinity'), coalesce(u.warn_at, 'infinity'))`, ids, due, warn)
	if len(e.seq) > 0 {
		b.Queue(insertManyEventsSQL, eventTickets, at, e.seq, e.kind, e.actor, e.user, e.agency, e.from, e.to, e.public, e.data, e.seal)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	if s.notify == nil {
		return nil
	}
	for _, c := range changes {
		for _, e := range c.events {
			if e.Public {
				if err := s.notify(ctx, tx, c.t, e); err != nil {
					return fmt.Errorf("notify: %w", err)
				}
			}
		}
	}
	return nil
}

// insertManyEventsSQL writes entries of several tickets.
const insertManyEventsSQL = `
insert into ticket_events (ticket_id, seq, type, actor, user_id, agency_id, from_state, to_state, public, data, at, seal)
select u.ticket_id, u.seq, u.type, u.actor, u.user_id, u.agency_id, u.from_state, u.to_state, u.public, u.data::jsonb, u.at, u.seal
from unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[], $9::text[], $10::bool[], $11::text[], $12::bytea[])
	u (ticket_id, at, seq, type, actor, user_id, agency_id, from_state, to_state, public, data, seal)`
