package tickets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

const (
	// SweepBatch is how many clocks one transaction fires: large enough that offices' closing time, when very many clocks end at one second, is over within
	// the minute, small enough that a move on one of its tickets waits for a few tens of milliseconds.
	SweepBatch = 500
	// sweepMax is the longest pause between two sweeps: a clock is at most this late, whatever hint is lost.
	sweepMax = 2 * time.Second
	// sweepAgain is when a clock is tried again whose end could not be carried out.
	sweepAgain = time.Minute
)

// Swept is the result of one sweep.
type Swept struct {
	Fired   int           // rungs fired and pauses ended
	Tickets []uuid.UUID   // for Announce, after commit
	Next    time.Time     // when the next clock is due; zero when none runs
	Late    time.Duration // by how much the longest waiting clock of the batch was late when it was read

	full  bool // there is more
	dueAt []time.Time
}

// Pause is how long the sweeper may rest.
func (s Swept) Pause(now time.Time) time.Duration {
	switch {
	case s.full:
		return 0
	case s.Next.IsZero():
		return sweepMax
	}
	return min(max(s.Next.Sub(now), 50*time.Millisecond), sweepMax)
}

// due is one clock that a sweep has locked together with its ticket, of which only what firing needs is read.
type due struct {
	clock  *clockRow
	ticket Ticket
}

// Sweep fires at most limit clocks that are due at now. It may run on every node at once: a batch locks its clocks and tickets and steps
// over what another sweep or a move holds, so that nothing fires twice and nobody waits. After a long standstill a clock fires only
// the highest rung that is due, not the whole ladder at once.
func (s *Service) Sweep(ctx context.Context, now time.Time, limit int) (Swept, error) {
	var out Swept
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		out = Swept{}
		batch, err := s.lockDue(ctx, tx, now, limit)
		if err != nil {
			return err
		}
		if out.full = len(batch) == limit; len(batch) > 0 {
			if out.Late = now.Sub(*batch[0].clock.nextFireAt); out.Late < 0 {
				out.Late = 0
			}
			if err := s.fire(ctx, tx, now, batch, &out); err != nil {
				return err
			}
		}
		if out.full {
			return nil
		}
		// Behind now, not from the beginning: what has just fired lies before it, as dead entries that nobody may remove yet.
		var next *time.Time
		if err := tx.QueryRow(ctx, `select min(next_fire_at) from ticket_clocks where next_fire_at > $1`, now).Scan(&next); err != nil {
			return err
		}
		if next != nil {
			out.Next = *next
		}
		return nil
	})
	if err != nil {
		return Swept{}, fmt.Errorf("sweep clocks: %w", err)
	}
	return out, nil
}

func (s *Service) lockDue(ctx context.Context, tx db.Tx, now time.Time, limit int) ([]due, error) {
	rows, err := tx.Query(ctx, `
		select t.id, t.number, t.state, t.kind, coalesce(t.category, ''), t.urgency, t.lead_id, t.assignee_id, t.supervised, t.events, t.head, `+prefixedClock+`
		from ticket_clocks c join tickets t on t.id = c.ticket_id
		where c.next_fire_at <= $1 and c.stopped_at is null and c.paused_at is null
		order by c.next_fire_at limit $2 for no key update of c, t skip locked`, now, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d due, err error) {
		var lead, assignee *uuid.UUID
		t := &d.ticket
		d.clock, err = scanClock(scanFunc(func(dest ...any) error {
			return row.Scan(append([]any{&t.ID, &t.Number, &t.State, &t.Kind, &t.Category, &t.Urgency, &lead, &assignee, &t.Supervised, &t.events, &t.head}, dest...)...)
		}))
		t.Lead, t.Assignee = id(lead), id(assignee)
		return d, err
	})
}

type scanFunc func(dest ...any) error

func (f scanFunc) Scan(dest ...any) error { return f(dest...) }

// firing collects what a batch writes, a statement a table.
type firing struct {
	clockTickets   []uuid.UUID
	names, stages  []string
	next, stopped  []*time.Time
	order          []uuid.UUID // tickets in the order of their first rung
	tickets        map[uuid.UUID]*Ticket
	blamed         []uuid.UUID // newly supervised
	events         eventColumns
	eventTickets   []uuid.UUID
	at             []time.Time
	notices        []notice
	noticesTickets []uuid.UUID
}

func (f *firing) clock(c *clockRow, ticket uuid.UUID, stage sla.Stage, next, stopped *time.Time) {
	f.clockTickets, f.names, f.stages = append(f.clockTickets, ticket), append(f.names, c.name), append(f.stages, string(stage))
	f.next, f.stopped = append(f.next, next), append(f.stopped, stopped)
}

func (f *firing) send(ctx context.Context, tx db.Tx, now time.Time) error {
	if len(f.clockTickets) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	b.Queue(`update ticket_clocks c set stage = u.stage, next_fire_at = u.next_fire_at, stopped_at = u.stopped_at
		from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[]) u (ticket_id, name, stage, next_fire_at, stopped_at)
		where c.ticket_id = u.ticket_id and c.name = u.name`, f.clockTickets, f.names, f.stages, f.next, f.stopped)
	if len(f.order) > 0 {
		var entries []int
		var heads [][]byte
		var supervised []bool
		for _, id := range f.order {
			t := f.tickets[id]
			entries, heads, supervised = append(entries, t.events), append(heads, t.head), append(supervised, t.Supervised)
		}
		b.Queue(`update tickets t set events = u.events, head = u.head, supervised = u.supervised
			from unnest($1::uuid[], $2::int[], $3::bytea[], $4::bool[]) u (id, events, head, supervised) where t.id = u.id`, f.order, entries, heads, supervised)
		e := f.events
		b.Queue(insertManyEventsSQL, f.eventTickets, f.at, e.seq, e.kind, e.actor, e.user, e.agency, e.from, e.to, e.public, e.data, e.seal)
	}
	if len(f.blamed) > 0 {
		b.Queue(`update ticket_access set supervised = role <> 'past' where ticket_id = any($1)`, f.blamed)
	}
	queueManyNotices(b, now, f.noticesTickets, f.notices)
	return tx.SendBatch(ctx, b).Close()
}

func (s *Service) fire(ctx context.Context, tx db.Tx, now time.Time, batch []due, out *Swept) error {
	set := s.settings.Load()
	f := &firing{tickets: map[uuid.UUID]*Ticket{}}
	var over []due
	for i := range batch {
		c, t := batch[i].clock, &batch[i].ticket
		if k, ok := f.tickets[t.ID]; ok {
			t = k // with the entries added in this batch
		}
		if automatic(c.name) {
			over = append(over, batch[i])
			continue
		}
		if !t.Open() && c.name != string(sla.Rectify) {
			// Superseded: the case is over, whatever left this clock running.
			f.clock(c, t.ID, c.stage, nil, &now)
			continue
		}
		clocks := clockSet{set: set, t: t, of: s.jurisdictionOf}
		r := clocks.ruled(c.name, c.agency)
		stage, next := c.stage, c.nextFireAt
		for next != nil && !next.After(now) {
			up, _ := r.SLA.Ladder.Next(stage, c.warnAt, c.dueAt, r.Calendar)
			if up == sla.Done {
				next = nil
				break
			}
			stage = up
			next = nextFire(r.Rules, c, stage)
		}
		f.clock(c, t.ID, stage, next, nil)
		if stage == c.stage {
			continue
		}
		if _, ok := f.tickets[t.ID]; !ok {
			f.tickets[t.ID], f.order = t, append(f.order, t.ID)
		}
		if stage == sla.Criticism && !t.Supervised {
			t.Supervised, f.blamed = true, append(f.blamed, t.ID)
		}
		t.events++
		e := Event{TicketID: t.ID, Seq: t.events, Type: string(stage), Actor: string(KindSystem), Data: Fields{Clock: c.name, DueAt: &c.dueAt}, At: now}
		e.seal = s.keys.seal(t.head, e)
		t.head = e.seal
		f.events.fill([]Event{e})
		f.eventTickets, f.at = append(f.eventTickets, t.ID), append(f.at, now)
		for _, n := range s.told(*t, c, stage) {
			f.notices, f.noticesTickets = append(f.notices, n), append(f.noticesTickets, t.ID)
		}
		out.Fired++
		out.Tickets, out.dueAt = append(out.Tickets, t.ID), append(out.dueAt, *c.nextFireAt)
	}
	if err := f.send(ctx, tx, now); err != nil {
		return err
	}
	for _, d := range over {
		if err := s.end(ctx, tx, d, now, out); err != nil {
			return err
		}
	}
	return nil
}

// end carries out what the end of an automatic clock means. What cannot be carried out is tried again later and holds up no other clock.
func (s *Service) end(ctx context.Context, tx db.Tx, d due, now time.Time, out *Swept) error {
	moved := false
	err := pgx.BeginFunc(ctx, tx, func(sub pgx.Tx) (err error) {
		if d.clock.name == string(sla.RevisitTry) {
			moved, err = s.tryRevisit(ctx, sub, d.ticket.ID, now)
			return err
		}
		key := "await " + d.clock.startedAt.UTC().Format(time.RFC3339Nano)
		_, err = s.applyAt(ctx, sub, System(), d.ticket.ID, AnyVersion, Resume, Fields{Clock: d.clock.name}, key, now)
		if errors.Is(err, ErrNoMove) {
			_, err = sub.Exec(ctx, `update ticket_clocks set next_fire_at = null, stopped_at = $3 where ticket_id = $1 and name = $2`, d.ticket.ID, d.clock.name, now)
			return err
		}
		moved = err == nil
		return err
	})
	if err != nil {
		if ctx.Err() != nil || tx.Conn().IsClosed() {
			return err
		}
		s.log.ErrorContext(ctx, "the end of a clock could not be carried out; it is tried again in a minute", "clock", d.clock.name, "ticket", d.ticket.ID, "error", err)
		_, err = tx.Exec(ctx, `update ticket_clocks set next_fire_at = $3 where ticket_id = $1 and name = $2`, d.ticket.ID, d.clock.name, now.Add(sweepAgain))
		return err
	}
	if moved {
		out.Fired++
		out.Tickets, out.dueAt = append(out.Tickets, d.ticket.ID), append(out.dueAt, *d.clock.nextFireAt)
	}
	return nil
}

// told says who hears of a rung: first whoever holds the ticket, then the head of the agency, at last the supervisors of the hotline.
func (s *Service) told(t Ticket, c *clockRow, stage sla.Stage) []notice {
	desk := s.router.Desk()
	agency, worker, boss := desk, Dispatcher, Supervisor
	switch sla.ClockName(c.name) {
	case sla.Sign, sla.FirstReply, sla.Resolve, sla.Redo, sla.Rectify, sla.Supervision:
		if t.Lead != uuid.Nil {
			agency, worker, boss = t.Lead, Handler, Head
		}
	case sla.Accept, sla.Check, sla.Revisit:
		worker = Operator
	default:
		if c.agency != uuid.Nil {
			agency, worker, boss = c.agency, Handler, Head
		}
	}
	kind := string(stage)
	switch stage {
	case sla.Dunning:
		return []notice{{agency: agency, role: boss, kind: kind}}
	case sla.Criticism:
		out := []notice{{agency: desk, role: Supervisor, kind: kind}}
		if agency != desk {
			out = append(out, notice{agency: agency, role: boss, kind: kind})
		}
		return out
	}
	n := notice{agency: agency, role: worker, kind: kind}
	if t.Assignee != uuid.Nil && c.agency == uuid.Nil {
		n.user = t.Assignee
	}
	return []notice{n}
}
