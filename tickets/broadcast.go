package tickets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// A broadcast is one message of a ticket to every reporter whose ticket is merged into it: an update on the way, or the answer itself. Who has to be told
// is written in the transaction that says it; a few reporters are told there and then, many by the sweep, in small transactions on any node.
// The row of a reporter and the entry in their history change together, so whatever dies in between, each is told exactly once.

// inlineReporters is up to how many are told in the transaction of the reply itself; a field of the service, so that tests need no crowds.
const inlineReporters = 20

// maxTold is how often telling one reporter may fail before it is left to people.
const maxTold = 8

const (
	updateBroadcast = "update"
	replyBroadcast  = "reply"
)

// broadcastRow is a broadcast as its reporters get it.
type broadcastRow struct {
	id      uuid.UUID
	parent  uuid.UUID
	seq     int // of the parent's entry
	kind    string
	text    string
	outcome string
	// resolved is what the agency says.
	resolved *bool
	// sources are what the answer rests on, as the parent's entry names them.
	sources []Source
}

// Broadcast tells every reporter of a mass event, or of any ticket that others were merged into, how things stand. For the hotline, and the lead.
// Errors: ErrNotFound, ErrForbidden, ErrMissing, ErrTooLong, ErrNoMove (the ticket is over), ErrNotMass (there is nobody beside its own reporter), ErrKeyReused.
func (s *Service) Broadcast(ctx context.Context, a Actor, ticket uuid.UUID, text, key string) (Ticket, error) {
	if text == "" {
		return Ticket{}, ErrMissing.On(string(FText)).With("field", string(FText))
	}
	if err := CheckText(FText, text, MaxText); err != nil {
		return Ticket{}, err
	}
	var out Ticket
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		t, rows, earlier, err := s.lock(ctx, tx, ticket, key)
		switch {
		case err != nil:
			return err
		case earlier == "broadcast":
			out = t
			return nil
		case earlier != "":
			return ErrKeyReused.With("action", earlier)
		case !mayBroadcast(a, t):
			return ErrForbidden.With("action", "broadcast").With("state", string(t.State))
		case !t.Open():
			return ErrNoMove.With("state", string(t.State)).With("action", "broadcast")
		}
		var many bool
		err = tx.QueryRow(ctx, `select exists (select from mass_events where ticket_id = $1)`, t.ID).Scan(&many)
		if err == nil && !many {
			if _, err = tx.Exec(ctx, elevateSQL); err != nil {
				return err
			}
			err = tx.QueryRow(ctx, `select exists (select from tickets where parent_id = $1 and state = 'merged')`, t.ID).Scan(&many)
			if err == nil {
				_, err = tx.Exec(ctx, restoreSQL)
			}
		}
		if err != nil {
			return err
		}
		if !many {
			return ErrNotMass
		}
		c := s.newChange(t, rows, s.clock.Now())
		c.t.UpdatedAt = c.now
		c.add(Event{Type: "broadcast", Public: true, Data: Fields{Text: text}}, a)
		if err := s.save(ctx, tx, c, key, Fields{}); err != nil {
			return err
		}
		out = c.t
		return s.broadcastTx(ctx, tx, c, updateBroadcast, text, a)
	})
	if err != nil {
		return Ticket{}, wrap("broadcast", err)
	}
	return out, nil
}

func mayBroadcast(a Actor, t Ticket) bool {
	if a.Kind != KindStaff {
		return a.Kind == KindSystem
	}
	for _, r := range a.Roles {
		switch r {
		case Operator, Dispatcher, Supervisor:
			if a.DB.Desk() {
				return true
			}
		case Handler, Head:
			if t.Lead != uuid.Nil && t.Lead == a.DB.Agency() && t.State.Info().Holder != HeldByDesk {
				return true
			}
		}
	}
	return false
}

// insertReportersSQL names everybody who is merged into the parent now. The parent is locked, and a merge into it holds a share of that lock, so nobody
// joins at the same moment unseen.
const (
	insertBroadcastSQL = `insert into broadcasts (id, ticket_id, seq, type, text, outcome, resolved, user_id, agency_id, created_at) select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
		where $4 = 'update' or exists (select from tickets where parent_id = $2 and state = 'merged')`
	insertReportersSQL = `insert into broadcast_reporters (broadcast_id, ticket_id) select $1, id from tickets where parent_id = $2 and state = 'merged' order by id`
)

// broadcastTx writes who has to hear of the newest entry of the parent's history, and tells them when they are few.
func (s *Service) broadcastTx(ctx context.Context, tx db.Tx, c *change, kind, text string, a Actor) error {
	if _, err := tx.Exec(ctx, elevateSQL); err != nil {
		return err
	}
	b := broadcastRow{id: db.NewID(), parent: c.t.ID, kind: kind, text: text}
	if kind == replyBroadcast {
		b.outcome, b.resolved = c.t.Outcome, c.t.AgencyResolved
	}
	written, err := tx.Exec(ctx, insertBroadcastSQL, b.id, b.parent, c.t.events, b.kind, b.text, b.outcome, b.resolved, optional(a.DB.User()), optional(a.DB.Agency()), c.now)
	if err != nil {
		return err
	}
	if written.RowsAffected() > 0 { // else nobody is merged into it
		tag, err := tx.Exec(ctx, insertReportersSQL, b.id, b.parent)
		if err != nil {
			return err
		}
		if n := tag.RowsAffected(); n > 0 && n <= int64(s.inline) {
			if _, err := s.tellPending(ctx, tx, c.now, &b.id, s.inline); err != nil {
				return err
			}
		}
	}
	_, err = tx.Exec(ctx, restoreSQL)
	return err
}

const (
	joinSQL = `insert into broadcast_reporters (broadcast_id, ticket_id) select $1, unnest($2::uuid[])
		on conflict (broadcast_id, ticket_id) do update set state = 'pending' where broadcast_reporters.state = 'left'`
	carrySQL = `update tickets t set reply = b.text, outcome = b.outcome, agency_resolved = b.resolved from broadcasts b, broadcast_reporters r
		where b.id = $1 and b.type = 'reply' and r.broadcast_id = b.id and r.state = 'told' and r.ticket_id = t.id and t.id = any($2) and t.state = 'merged'`
)

// joinTx tells those who have just been merged into a ticket what its other reporters know already: its answer, where it has been given, or the
// newest update. joined are the ticket itself and what had been merged into it.
func (s *Service) joinTx(ctx context.Context, tx db.Tx, c *change, joined []uuid.UUID) error {
	if _, err := tx.Exec(ctx, elevateSQL); err != nil {
		return err
	}
	var broadcast *uuid.UUID
	var answered bool
	var seq *int
	err := tx.QueryRow(ctx, `select t.state in ('replied', 'completed', 'revisiting') and t.reply <> '',
			(select e.seq from ticket_events e where e.ticket_id = t.id and e.type = 'reply' order by e.seq desc limit 1),
			(select b.id from broadcasts b where b.ticket_id = t.id order by b.seq desc limit 1)
		from tickets t where t.id = $1`, c.t.Parent).Scan(&answered, &seq, &broadcast)
	if err != nil {
		return err
	}
	if answered && seq != nil {
		// A reply that nobody but its own reporter got has no broadcast yet.
		_, err := tx.Exec(ctx, `insert into broadcasts (id, ticket_id, seq, type, text, outcome, resolved, user_id, agency_id, created_at)
			select $2, t.id, e.seq, 'reply', t.reply, t.outcome, t.agency_resolved, e.user_id, e.agency_id, e.at
			from tickets t join ticket_events e on e.ticket_id = t.id and e.seq = $3 where t.id = $1 on conflict (ticket_id, seq) do nothing`, c.t.Parent, db.NewID(), *seq)
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select id from broadcasts where ticket_id = $1 and seq = $2`, c.t.Parent, *seq).Scan(&broadcast); err != nil {
			return err
		}
	}
	if broadcast != nil {
		_, err := tx.Exec(ctx, joinSQL, *broadcast, joined)
		if err != nil {
			return err
		}
		// Who was told before, taken apart and merged again knows the answer; their ticket carries it again, unless it has been taken out meanwhile.
		if _, err := tx.Exec(ctx, carrySQL, *broadcast, joined); err != nil {
			return err
		}
		if len(joined) <= s.inline {
			if _, err := s.tellPending(ctx, tx, c.now, broadcast, s.inline); err != nil {
				return err
			}
		}
	}
	_, err = tx.Exec(ctx, restoreSQL)
	return err
}

// mergedInto lists the tickets that are merged into one.
func (s *Service) mergedInto(ctx context.Context, tx db.Tx, parent uuid.UUID) ([]uuid.UUID, error) {
	if _, err := tx.Exec(ctx, elevateSQL); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `select id from tickets where parent_id = $1 and state = 'merged' order by id`, parent)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, restoreSQL)
	return ids, err
}

// pendingSQL takes reporters whose turn it is and their tickets; it steps over what somebody else holds.
const pendingSQL = `select b.id, b.ticket_id, b.seq, b.type, b.text, b.outcome, b.resolved,
		(select e.data->'sources' from ticket_events e where e.ticket_id = b.ticket_id and e.seq = b.seq and b.type = 'reply'), ` + ticketColumns + `
	from broadcast_reporters r join broadcasts b on b.id = r.broadcast_id join tickets t on t.id = r.ticket_id
	where r.state = 'pending' and (r.next_at is null or r.next_at <= $1) and ($2::uuid is null or r.broadcast_id = $2)
	order by r.broadcast_id, r.ticket_id limit $3 for no key update of r, t skip locked`

type toTell struct {
	broadcast broadcastRow
	ticket    Ticket
}

func pending(ctx context.Context, tx db.Tx, now time.Time, only *uuid.UUID, limit int) ([]toTell, error) {
	rows, err := tx.Query(ctx, pendingSQL, now, only, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (toTell, error) {
		var p toTell
		b := &p.broadcast
		t, err := scanTicket(scanFunc(func(dest ...any) error {
			return row.Scan(append([]any{&b.id, &b.parent, &b.seq, &b.kind, &b.text, &b.outcome, &b.resolved, &b.sources}, dest...)...)
		}))
		p.ticket = t
		return p, err
	})
}

// tellPending tells at most limit reporters, elevated, and returns their tickets.
func (s *Service) tellPending(ctx context.Context, tx db.Tx, now time.Time, only *uuid.UUID, limit int) ([]Ticket, error) {
	list, err := pending(ctx, tx, now, only, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Ticket, 0, len(list))
	for _, p := range list {
		if err := s.tell(ctx, tx, p, now); err != nil {
			return nil, err
		}
		out = append(out, p.ticket)
	}
	return out, nil
}

// tell writes a broadcast into one reporter's history and conversation.
func (s *Service) tell(ctx context.Context, tx db.Tx, p toTell, now time.Time) error {
	b, t := p.broadcast, p.ticket
	if t.State != Merged {
		_, err := tx.Exec(ctx, `update broadcast_reporters set state = 'left' where broadcast_id = $1 and ticket_id = $2`, b.id, t.ID)
		return err
	}
	// The next message of the conversation will be this one: the row is held until the end.
	var seq *int64
	err := tx.QueryRow(ctx, `select last_seq + 1 from conversations where id = $1 for no key update`, t.ConversationID).Scan(&seq)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	c := s.newChange(t, map[string]*clockRow{}, now)
	c.t.UpdatedAt = now
	e := Event{Type: "parent_update", Public: true, Data: Fields{Text: b.text, Parent: b.parent, ParentSeq: b.seq}}
	if b.kind == replyBroadcast {
		c.t.Reply, c.t.Outcome, c.t.AgencyResolved = b.text, b.outcome, b.resolved
		e.Type, e.Data.Outcome, e.Data.Sources = "parent_reply", b.outcome, b.sources
	}
	c.add(e, System())
	// The key makes a second entry for the same broadcast impossible, whatever happened to the reporter's row.
	if err := s.save(ctx, tx, c, "broadcast "+b.id.String(), Fields{}); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, elevateSQL); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update broadcast_reporters set state = 'told', conversation_id = $3, seq = $4, told_at = $5 where broadcast_id = $1 and ticket_id = $2`,
		b.id, t.ID, t.ConversationID, seq, now)
	return err
}

// SweepBroadcasts tells at most limit reporters that a broadcast waits for, and returns their tickets, for telling the screens after commit. It may run on
// every node at once; call it again at once while it returns as many as limit. A reporter who cannot be told is tried again later and holds up nobody.
func (s *Service) SweepBroadcasts(ctx context.Context, now time.Time, limit int) ([]Ticket, error) {
	var out []Ticket
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		out, err = s.tellPending(ctx, tx, now, nil, limit)
		return err
	})
	if err == nil || ctx.Err() != nil || errors.Is(err, db.ErrUnavailable) {
		return out, errs.Step("sweep broadcasts", err)
	}
	// One of them fails: each for itself, so that it fails alone.
	s.log.WarnContext(ctx, "a broadcast's batch failed; telling one by one", "error", err)
	return s.tellOneByOne(ctx, now, limit)
}

func (s *Service) tellOneByOne(ctx context.Context, now time.Time, limit int) ([]Ticket, error) {
	var out []Ticket
	for range limit {
		var one []toTell
		err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
			if one, err = pending(ctx, tx, now, nil, 1); err != nil || len(one) == 0 {
				return err
			}
			return s.tell(ctx, tx, one[0], now)
		})
		switch {
		case err != nil && (ctx.Err() != nil || len(one) == 0):
			return out, errs.Step("sweep broadcasts", err)
		case len(one) == 0:
			return out, nil
		case err != nil:
			p := one[0]
			s.log.ErrorContext(ctx, "a reporter could not be told", "ticket", p.ticket.ID, "broadcast", p.broadcast.id, "error", err)
			if err := s.postpone(ctx, p, now); err != nil {
				return out, errs.Step("sweep broadcasts", err)
			}
		default:
			out = append(out, one[0].ticket)
		}
	}
	return out, nil
}

func (s *Service) postpone(ctx context.Context, p toTell, now time.Time) error {
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update broadcast_reporters set attempts = attempts + 1, next_at = $3::timestamptz + make_interval(secs => power(2, attempts + 1)),
			state = case when attempts + 1 >= $4 then 'failed' else state end where broadcast_id = $1 and ticket_id = $2 and state = 'pending'`,
			p.broadcast.id, p.ticket.ID, now, maxTold)
		return err
	})
}

// BroadcastView is a broadcast with how far it has come.
type BroadcastView struct {
	ID       uuid.UUID
	Seq      int
	Reply    bool // the answer; else an update
	Text     string
	UserID   uuid.UUID
	AgencyID uuid.UUID
	At       time.Time

	Total   int
	Waiting int // not written yet
	Mailbox int // written where the citizen looks: page, chat, API
	Sent    int // handed to a messaging channel
	Pending int // about to be sent
	Failed  int // could not be sent or is not known to have been, or could not be told at all
	Left    int // no longer merged when their turn came
}

// Done reports whether everybody has been told or given up on.
func (b BroadcastView) Done() bool { return b.Waiting == 0 && b.Pending == 0 }

const broadcastsSQL = `select id, seq, type = 'reply', text, user_id, agency_id, created_at from broadcasts where ticket_id = $1 order by seq desc limit $2`

const progressSQL = `select r.broadcast_id, count(*), count(*) filter (where r.state = 'pending'), count(*) filter (where r.state = 'told' and d.id is null),
		count(*) filter (where d.state in ('sent', 'delivered')), count(*) filter (where d.state = 'pending'),
		count(*) filter (where r.state = 'failed' or d.state in ('failed', 'unknown')), count(*) filter (where r.state = 'left')
	from broadcast_reporters r left join lateral (select d.id, d.state from deliveries d where d.conversation_id = r.conversation_id and d.seq = r.seq order by d.created_at desc, d.id desc limit 1) d on true
	where r.broadcast_id = any($1) group by r.broadcast_id`

// ownProgressSQL is how the message to the event's own reporter fared: it is the first of its conversation from the broadcast on.
const ownProgressSQL = `select b.id, coalesce((select d.state from deliveries d where d.conversation_id = t.conversation_id and d.created_at >= b.created_at order by d.seq, d.created_at desc, d.id desc limit 1), '')
	from broadcasts b join tickets t on t.id = b.ticket_id where b.id = any($1)`

// Broadcasts lists the newest broadcasts of a ticket with their progress. The counts cover reporters whose tickets the actor may not see.
func (s *Service) Broadcasts(ctx context.Context, a Actor, ticket uuid.UUID) ([]BroadcastView, error) {
	var out []BroadcastView
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, broadcastsSQL, ticket, 20)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (BroadcastView, error) {
			var b BroadcastView
			var user, agency *uuid.UUID
			err := row.Scan(&b.ID, &b.Seq, &b.Reply, &b.Text, &user, &agency, &b.At)
			b.UserID, b.AgencyID = id(user), id(agency)
			return b, err
		})
		if err != nil || len(out) == 0 {
			return err
		}
		ids := make([]uuid.UUID, len(out))
		for i, b := range out {
			ids[i] = b.ID
		}
		if _, err := tx.Exec(ctx, elevateSQL); err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, progressSQL, ids); err != nil {
			return err
		}
		var one uuid.UUID
		var n BroadcastView
		_, err = pgx.ForEachRow(rows, []any{&one, &n.Total, &n.Waiting, &n.Mailbox, &n.Sent, &n.Pending, &n.Failed, &n.Left}, func() error {
			b := &out[slices.Index(ids, one)]
			b.Total, b.Waiting, b.Mailbox, b.Sent, b.Pending, b.Failed, b.Left = n.Total, n.Waiting, n.Mailbox, n.Sent, n.Pending, n.Failed, n.Left
			return nil
		})
		if err != nil {
			return err
		}
		// The event's own report is one of its reporters: told with the message, where its conversation is.
		if rows, err = tx.Query(ctx, ownProgressSQL, ids); err != nil {
			return err
		}
		var state string
		_, err = pgx.ForEachRow(rows, []any{&one, &state}, func() error {
			b := &out[slices.Index(ids, one)]
			b.Total++
			switch state {
			case "":
				b.Mailbox++
			case "pending":
				b.Pending++
			case "failed", "unknown":
				b.Failed++
			default:
				b.Sent++
			}
			return nil
		})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, restoreSQL)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list broadcasts: %w", err)
	}
	return out, nil
}
