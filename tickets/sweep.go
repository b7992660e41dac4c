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

// Swept is the result of one sweep.
type Swept struct {
	Fired   int         // rungs fired and pauses ended
	Tickets []uuid.UUID // for Announce, after commit
	Next    time.Time   // when the next clock is due; zero when none runs
}

// due is one clock that a sweep has locked together with its ticket.
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
		if err := s.fire(ctx, tx, now, batch, &out); err != nil {
			return err
		}
		var next *time.Time
		if err := tx.QueryRow(ctx, `select min(next_fire_at) from ticket_clocks where next_fire_at is not null`).Scan(&next); err != nil {
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
		select c.name, c.policy, c.agency_id, c.n, c.unit, c.started_at, c.warn_at, c.due_at, c.provisional, c.stage, c.next_fire_at, c.paused_at, c.remaining_us, c.stopped_at, c.steps,
		       `+ticketColumns+`
		from ticket_clocks c join tickets t on t.id = c.ticket_id
		where c.next_fire_at <= $1 and c.stopped_at is null and c.paused_at is null
		order by c.next_fire_at limit $2 for update of c, t skip locked`, now, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (due, error) {
		var d due
		var err error
		d.ticket, err = scanTicket(prefixed{row, &d})
		return d, err
	})
}

// prefixed lets scanTicket read the columns after those of the clock.
type prefixed struct {
	row  pgx.Row
	into *due
}

// Scan reads the clock's columns and then those that the caller wants.
func (p prefixed) Scan(dest ...any) error {
	c, err := scanClock(scanFunc(func(clock ...any) error { return p.row.Scan(append(clock, dest...)...) }))
	p.into.clock = c
	return err
}

type scanFunc func(dest ...any) error

func (f scanFunc) Scan(dest ...any) error { return f(dest...) }

func (s *Service) fire(ctx context.Context, tx db.Tx, now time.Time, batch []due, out *Swept) error {
	set := s.settings.Load()
	b := &pgx.Batch{}
	newest := map[uuid.UUID]Ticket{} // with the entries added in this batch
	var over []due
	for _, d := range batch {
		c, t := d.clock, d.ticket
		if k, ok := newest[t.ID]; ok {
			t = k
		}
		if automatic(c.name) {
			over = append(over, d)
			continue
		}
		if !t.Open() && c.name != string(sla.Rectify) {
			// Superseded: the case is over, whatever left this clock running.
			b.Queue(`update ticket_clocks set next_fire_at = null, stopped_at = $3 where ticket_id = $1 and name = $2`, t.ID, c.name, now)
			continue
		}
		clocks := clockSet{set: set, t: &t, of: s.jurisdictionOf}
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
		b.Queue(`update ticket_clocks set stage = $3, next_fire_at = $4 where ticket_id = $1 and name = $2`, t.ID, c.name, string(stage), next)
		if stage == c.stage {
			continue
		}
		t.events++
		e := Event{TicketID: t.ID, Seq: t.events, Type: string(stage), Actor: string(KindSystem), Data: Fields{Clock: c.name, DueAt: &c.dueAt}, At: now}
		e.seal = s.keys.seal(t.head, e)
		t.head = e.seal
		newest[t.ID] = t
		s.queueFired(b, e, t, s.told(t, c, stage), stage == sla.Criticism)
		out.Fired++
		out.Tickets = append(out.Tickets, t.ID)
	}
	if b.Len() > 0 {
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
	}
	for _, d := range over {
		if d.clock.name == string(sla.RevisitTry) {
			moved, err := s.tryRevisit(ctx, tx, d.ticket.ID, now)
			if err != nil {
				return fmt.Errorf("revisit: %w", err)
			}
			if moved {
				out.Fired++
				out.Tickets = append(out.Tickets, d.ticket.ID)
			}
			continue
		}
		key := "await " + d.clock.startedAt.UTC().Format(time.RFC3339Nano)
		_, err := s.applyAt(ctx, tx, System(), d.ticket.ID, AnyVersion, Resume, Fields{Clock: d.clock.name}, key, now)
		switch {
		case errors.Is(err, ErrNoMove):
			if _, err := tx.Exec(ctx, `update ticket_clocks set next_fire_at = null, stopped_at = $3 where ticket_id = $1 and name = $2`, d.ticket.ID, d.clock.name, now); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		out.Fired++
		out.Tickets = append(out.Tickets, d.ticket.ID)
	}
	return nil
}

func (s *Service) queueFired(b *pgx.Batch, e Event, t Ticket, notices []notice, criticism bool) {
	var cols eventColumns
	cols.fill([]Event{e})
	b.Queue(`update tickets set events = $2, supervised = supervised or $3, head = $4 where id = $1`, t.ID, e.Seq, criticism, e.seal)
	if criticism && !t.Supervised {
		b.Queue(`update ticket_access set supervised = role <> 'past' where ticket_id = $1`, t.ID)
	}
	b.Queue(insertEventsSQL, t.ID, e.At, cols.seq, cols.kind, cols.actor, cols.user, cols.agency, cols.from, cols.to, cols.public, cols.data, e.Seq, "", cols.seal)
	queueNotices(b, e.At, t.ID, notices)
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
