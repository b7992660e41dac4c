package statistics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/measures"
)

// Why a follower, and not the transaction that changes a ticket: an intake must not wait for seven sums that every other intake of the day
// writes too. The history is append-only and every change of a ticket adds to it, so reading what is new of it misses nothing; a fact knows
// from how many entries it was made, so reading too much costs only the reading. What time alone changes has recheck_at.

const (
	followBatch = 500
	// A transaction may commit later than another that began after it, and clocks of nodes differ.
	followOverlap = 15 * time.Second
	followLate    = 5 * time.Minute // looked back at every followWide
	followWide    = time.Minute
	followLooked  = 10 * time.Second
	followCheck   = 6 * time.Hour // everything is compared, whatever its time
)

// Followed is what one call of Follow did.
type Followed struct {
	Tickets, Chats int
	More           bool // call again at once
	Rebuilding     bool
	Done, Total    int64 // of a rebuild
}

type followState struct {
	followedAt, talkedAt, widenedAt, checkedAt, lookedAt time.Time
	rebuilding                                           bool
	ticket, talk                                         *uuid.UUID
	done, total                                          int64
}

const (
	lockStateSQL  = `select followed_at, talked_at, widened_at, checked_at, looked_at, rebuilding, rebuild_ticket, rebuild_talk, rebuild_done, rebuild_total from measure_state for update`
	writeStateSQL = `update measure_state set followed_at = $1, talked_at = $2, widened_at = $3, checked_at = $4, looked_at = $5, rebuilding = $6, rebuild_ticket = $7, rebuild_talk = $8,
		rebuild_done = $9, rebuild_total = $10`

	changedTicketsSQL = `select t.id from (select distinct ticket_id from ticket_events where at > $1) e join tickets t on t.id = e.ticket_id
		left join ticket_facts f on f.ticket_id = t.id and f.main where f.events is distinct from t.events order by t.opened_at limit $2`
	overdueTicketsSQL = `select ticket_id from ticket_facts where recheck_at <= $1 and main order by recheck_at limit $2`
	unequalTicketsSQL = `select t.id from tickets t left join ticket_facts f on f.ticket_id = t.id and f.main where f.events is distinct from t.events order by t.opened_at limit $1`
	newestEventSQL    = `select coalesce(max(at), $1) from ticket_events where at > $1`

	changedTalksSQL = `select c.id from (select distinct conversation_id from messages where created_at > $1) m join conversations c on c.id = m.conversation_id and c.holder <> 'none'
		left join chat_facts f on f.conversation_id = c.id where f.last_seq is distinct from c.last_seq limit $2`
	overdueTalksSQL  = `select conversation_id from chat_facts where recheck_at <= $1 order by recheck_at limit $2`
	newestMessageSQL = `select coalesce(max(created_at), $1) from messages where created_at > $1`

	nextTicketsSQL = `select id from tickets where $1::uuid is null or id > $1 order by id limit $2`
	nextTalksSQL   = `select id from conversations where ($1::uuid is null or id > $1) and holder <> 'none' order by id limit $2`
	sizeSQL        = `select (select count(*) from tickets) + (select count(*) from conversations where holder <> 'none')`
	orphansSQL     = `delete from ticket_facts f where not exists (select from tickets t where t.id = f.ticket_id)`
)

// Follow brings facts and sums up to date by one batch: what changed, what time turned, or the next piece of a rebuild. Any number of
// processes may call it; one works at a time. Whatever ends it, the next call goes on where the last commit was.
func (s *Store) Follow(ctx context.Context) (Followed, error) {
	var out Followed
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		out = Followed{}
		var st followState
		if err := tx.QueryRow(ctx, lockStateSQL).Scan(&st.followedAt, &st.talkedAt, &st.widenedAt, &st.checkedAt, &st.lookedAt, &st.rebuilding, &st.ticket, &st.talk, &st.done, &st.total); err != nil {
			return err
		}
		step := s.followStep
		if st.rebuilding {
			step = s.rebuildStep
		}
		before := st
		if err := step(ctx, tx, &st, &out); err != nil {
			return err
		}
		if now := s.clock.Now(); now.Sub(st.lookedAt) > followLooked && !out.More {
			st.lookedAt = now
		}
		out.Rebuilding, out.Done, out.Total = st.rebuilding, st.done, st.total
		if st == before {
			return nil // nothing new: no row version for every look
		}
		_, err := tx.Exec(ctx, writeStateSQL, st.followedAt, st.talkedAt, st.widenedAt, st.checkedAt, st.lookedAt, st.rebuilding, st.ticket, st.talk, st.done, st.total)
		return err
	})
	if err != nil {
		return Followed{}, fmt.Errorf("follow measures: %w", err)
	}
	return out, nil
}

func idsOf(ctx context.Context, tx db.Tx, sql string, args ...any) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

func (s *Store) followStep(ctx context.Context, tx db.Tx, st *followState, out *Followed) error {
	now := s.clock.Now()
	back := followOverlap
	if now.Sub(st.widenedAt) > followWide {
		back, st.widenedAt = followLate, now
	}
	var newest time.Time
	if err := tx.QueryRow(ctx, newestEventSQL, st.followedAt).Scan(&newest); err != nil {
		return err
	}
	ids, err := idsOf(ctx, tx, changedTicketsSQL, st.followedAt.Add(-back), followBatch)
	if err != nil {
		return err
	}
	if len(ids) < followBatch {
		st.followedAt = newest
	}
	overdue, err := idsOf(ctx, tx, overdueTicketsSQL, now, followBatch)
	if err != nil {
		return err
	}
	out.More = len(ids) == followBatch || len(overdue) == followBatch
	ids = append(ids, overdue...)
	if len(ids) == 0 && now.Sub(st.checkedAt) > followCheck {
		if ids, err = idsOf(ctx, tx, unequalTicketsSQL, followBatch); err != nil {
			return err
		}
		if len(ids) < followBatch {
			st.checkedAt = now
		}
		out.More = len(ids) == followBatch
	}
	if len(ids) > 0 {
		if out.Tickets, err = s.count(ctx, tx, ids, now, true); err != nil {
			return err
		}
	}
	return s.followTalks(ctx, tx, st, out, now, back)
}

func (s *Store) followTalks(ctx context.Context, tx db.Tx, st *followState, out *Followed, now time.Time, back time.Duration) error {
	var newest time.Time
	if err := tx.QueryRow(ctx, newestMessageSQL, st.talkedAt).Scan(&newest); err != nil {
		return err
	}
	talks, err := idsOf(ctx, tx, changedTalksSQL, st.talkedAt.Add(-back), followBatch)
	if err != nil {
		return err
	}
	if len(talks) < followBatch {
		st.talkedAt = newest
	}
	silent, err := idsOf(ctx, tx, overdueTalksSQL, now, followBatch)
	if err != nil {
		return err
	}
	out.More = out.More || len(talks) == followBatch || len(silent) == followBatch
	if talks = append(talks, silent...); len(talks) > 0 {
		out.Chats, err = s.countTalks(ctx, tx, talks, now, true)
	}
	return err
}

// RequestRebuild makes the follower build all facts and sums again, from the beginning. Dashboards show the present sums until it is done.
func (s *Store) RequestRebuild(ctx context.Context) error {
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update measure_state set rebuilding = true, rebuild_ticket = null, rebuild_talk = null, rebuild_done = 0, rebuild_total = 0`)
		return err
	})
	if err != nil {
		return fmt.Errorf("rebuild measures: %w", err)
	}
	return nil
}

// Rebuild is RequestRebuild and the work itself; it may share it with a running node. progress is told after every batch.
func (s *Store) Rebuild(ctx context.Context, progress func(done, total int64)) error {
	if err := s.RequestRebuild(ctx); err != nil {
		return err
	}
	for {
		f, err := s.Follow(ctx)
		if err != nil {
			return err
		}
		if !f.Rebuilding {
			return nil
		}
		progress(f.Done, f.Total)
	}
}

// rebuildStep is one batch of a rebuild: all tickets by key, then all chats, then the sums at once.
func (s *Store) rebuildStep(ctx context.Context, tx db.Tx, st *followState, out *Followed) error {
	now := s.clock.Now()
	out.More = true
	if st.total == 0 {
		// What changes from here on is followed afterwards.
		st.followedAt, st.talkedAt = now.Add(-followLate), now.Add(-followLate)
		if err := tx.QueryRow(ctx, sizeSQL).Scan(&st.total); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, orphansSQL); err != nil {
			return err
		}
	}
	if st.talk == nil {
		ids, err := idsOf(ctx, tx, nextTicketsSQL, st.ticket, followBatch)
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			st.ticket, st.done = &ids[len(ids)-1], st.done+int64(len(ids))
			out.Tickets, err = s.count(ctx, tx, ids, now, false)
			return err
		}
	}
	ids, err := idsOf(ctx, tx, nextTalksSQL, st.talk, followBatch)
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		st.talk, st.done = &ids[len(ids)-1], st.done+int64(len(ids))
		out.Chats, err = s.countTalks(ctx, tx, ids, now, false)
		return err
	}
	for _, sql := range rebuildSumsSQL {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	st.rebuilding, st.ticket, st.talk, st.checkedAt = false, nil, nil, now
	st.done = st.total
	return nil
}

// talk is a row of chat_facts.
type talk struct {
	id           uuid.UUID
	day          time.Time
	channel      string
	confidential bool
	lastSeq      int64
	recheck      *time.Time
	n            measures.Counts
}

const (
	pastTalksSQL = `select id, created_at, channel, confidential, last_seq, closed_at is not null from conversations where id = any($1)`
	// The bot offers to file the question where it found no answer, and not beside "did this help".
	pastSaidSQL = `select conversation_id, author, coalesce(payload->>'event', ''), payload ? 'citations',
		payload @> '{"choices":[{"id":"file_question"}]}' and not payload @> '{"choices":[{"id":"helped"}]}', created_at
		from messages where conversation_id = any($1) and (author <> 'system' or payload ? 'event') order by conversation_id, seq`
)

func (s *Store) countTalks(ctx context.Context, tx db.Tx, ids []uuid.UUID, now time.Time, sums bool) (int, error) {
	zone := s.tickets.Zone()
	var talks []*talk
	said := map[uuid.UUID]*measures.Talk{}
	old := map[uuid.UUID]talk{}
	b := &pgx.Batch{}
	b.Queue(pastTalksSQL, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			t, m := &talk{}, &measures.Talk{}
			var at time.Time
			if err := rows.Scan(&t.id, &at, &t.channel, &t.confidential, &t.lastSeq, &m.Closed); err != nil {
				return err
			}
			t.day = dayOf(at, zone)
			talks, said[t.id] = append(talks, t), m
		}
		return rows.Err()
	})
	b.Queue(pastSaidSQL, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var of uuid.UUID
			var m measures.Said
			if err := rows.Scan(&of, &m.Author, &m.Event, &m.Cited, &m.Unanswered, &m.At); err != nil {
				return err
			}
			if t := said[of]; t != nil {
				t.Messages = append(t.Messages, m)
			}
		}
		return rows.Err()
	})
	b.Queue(readTalksSQL, ids).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t talk, err error) {
			err = scanCounts(row, measures.OfChats(), &t.n, &t.id, &t.day, &t.channel, &t.confidential, &t.lastSeq, &t.recheck)
			return t, err
		})
		for _, t := range found {
			old[t.id] = t
		}
		return err
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return 0, fmt.Errorf("read chats: %w", err)
	}
	d := deltas{}
	var write []*talk
	for _, t := range talks {
		var recheck time.Time
		t.n, recheck = measures.JudgeTalk(*said[t.id], now)
		if !recheck.IsZero() {
			t.recheck = &recheck
		}
		if was, ok := old[t.id]; ok {
			d.addTalk(was, measures.Counts{}.Minus(was.n))
		}
		d.addTalk(*t, t.n)
		write = append(write, t)
	}
	w := &pgx.Batch{}
	queueTalks(w, write)
	if sums {
		d.queue(w)
	}
	if err := tx.SendBatch(ctx, w).Close(); err != nil {
		return 0, fmt.Errorf("write chats: %w", err)
	}
	return len(write), nil
}

func (d deltas) addTalk(t talk, n measures.Counts) {
	for _, k := range []sumKey{{"all", cell{day: t.day}}, {"channel", cell{day: t.day, channel: t.channel}}} {
		k.confidential = t.confidential
		d[k] = d[k].Plus(n)
	}
}

func queueTalks(b *pgx.Batch, talks []*talk) {
	var ids []uuid.UUID
	var day []time.Time
	var channel []string
	var confidential []bool
	var seq []int64
	var recheck []*time.Time
	counts := make([]measures.Counts, 0, len(talks))
	for _, t := range talks {
		ids, day, channel, confidential = append(ids, t.id), append(day, t.day), append(channel, t.channel), append(confidential, t.confidential)
		seq, recheck, counts = append(seq, t.lastSeq), append(recheck, t.recheck), append(counts, t.n)
	}
	b.Queue(upsertTalksSQL, append([]any{ids, day, channel, confidential, seq, recheck}, transpose(counts, measures.OfChats())...)...)
}

// State says how fresh the numbers are.
type State struct {
	AsOf        time.Time // everything before it is counted
	Rebuilding  bool
	Done, Total int64
}

// State reads how far the follower has come.
func (s *Store) State(ctx context.Context) (State, error) {
	var st State
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select looked_at, rebuilding, rebuild_done, rebuild_total from measure_state`).Scan(&st.AsOf, &st.Rebuilding, &st.Done, &st.Total)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return st, nil
	}
	if err != nil {
		return st, fmt.Errorf("measures state: %w", err)
	}
	return st, nil
}
