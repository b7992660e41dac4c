package statistics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets"
	"hotline/tickets/measures"
)

// repeatWindow is how far back the same contact with the same category makes a ticket a repeat.
const repeatWindow = 30 * 24 * time.Hour

// fact is a row of ticket_facts.
type fact struct {
	cell
	ticket   uuid.UUID
	main     bool
	openedAt time.Time
	events   int
	recheck  *time.Time
	contact  []byte
	n        measures.Counts
}

// cell is the dimensions that counts are kept by.
type cell struct {
	day                           time.Time // of the jurisdiction, as midnight UTC
	agency                        uuid.UUID
	area, category, channel, kind string
	confidential                  bool
}

// pastSQL reads what measures need to know of tickets.
const (
	pastTicketsSQL = `select t.id, t.state, t.lead_id, t.closed_at, t.opened_at, t.citizen_resolved, t.kind, coalesce(t.category, ''), coalesce(t.area, ''), t.channel, t.confidential, t.events,
		coalesce(c.phone, ''), coalesce(c.email, '') from tickets t left join contacts c on c.id = t.contact_id where t.id = any($1) order by t.opened_at, t.id`
	pastEventsSQL = `select ticket_id, type, to_state, coalesce((data->>'grade')::int, 0), coalesce((data->>'satisfaction')::int, 0), at from ticket_events
		where ticket_id = any($1) and type in ('opened', 'answer_directly', 'not_answered', 'reply', 'complete', 'reopen', 'refuse_exclusion', 'rated', 'revisit_done', 'taken_over', 'approve_transfer', 'approve_exclusion') order by ticket_id, seq`
	pastClocksSQL      = `select ticket_id, name, due_at, provisional, paused_at, stopped_at from ticket_clocks where ticket_id = any($1) and name in ('dispatch', 'first_reply', 'resolve', 'rectify')`
	pastAssignmentsSQL = `select ticket_id, lead_id, state, sign_due_at, signed_at, ended_at, return_code <> '' from assignments where ticket_id = any($1) order by ticket_id, seq`
	pastAppealsSQL     = `select ticket_id, agency_id, failure from measure_appeals where ticket_id = any($1) and state = 'upheld'`
	// Somebody came with the same category in the window before.
	pastRepeatsSQL = `select u.id from unnest($1::uuid[], $2::bytea[], $3::text[], $4::timestamptz[]) u (id, contact, category, opened_at)
		where exists (select from ticket_facts f where f.main and f.contact_key = u.contact and f.category = u.category and f.ticket_id <> u.id
			and f.opened_at < u.opened_at and f.opened_at >= u.opened_at - make_interval(secs => $5))`
)

type past struct {
	fact
	h measures.History
}

// past reads the histories of tickets; those that are gone are left out. The order is that of opening.
func (s *Store) past(ctx context.Context, tx db.Tx, ids []uuid.UUID) ([]*past, error) {
	var out []*past
	byID := map[uuid.UUID]*past{}
	zone := s.tickets.Zone()
	b := &pgx.Batch{}
	b.Queue(pastTicketsSQL, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			p := &past{h: measures.History{Desk: s.tickets.Desk(), Clocks: map[string]measures.Clock{}}}
			var lead *uuid.UUID
			var phone, email string
			if err := rows.Scan(&p.ticket, &p.h.State, &lead, &p.h.ClosedAt, &p.h.OpenedAt, &p.h.Solved, &p.kind, &p.category, &p.area, &p.channel, &p.confidential, &p.events, &phone, &email); err != nil {
				return err
			}
			if lead != nil {
				p.h.Lead = *lead
			}
			p.h.Open, p.openedAt, p.day = tickets.State(p.h.State).Info().Open, p.h.OpenedAt, dayOf(p.h.OpenedAt, zone)
			p.contact = s.tickets.ContactKey(phone, email)
			p.h.Contact = p.contact != nil
			out, byID[p.ticket] = append(out, p), p
		}
		return rows.Err()
	})
	each := func(sql string, scan func(rows pgx.Rows) error) {
		b.Queue(sql, ids).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if err := scan(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	}
	var of uuid.UUID
	put := func(f func(h *measures.History)) {
		if p := byID[of]; p != nil {
			f(&p.h)
		}
	}
	each(pastEventsSQL, func(rows pgx.Rows) error {
		var e measures.Event
		err := rows.Scan(&of, &e.Type, &e.To, &e.Grade, &e.Voice, &e.At)
		put(func(h *measures.History) { h.Events = append(h.Events, e) })
		return err
	})
	each(pastClocksSQL, func(rows pgx.Rows) error {
		var name string
		var c measures.Clock
		err := rows.Scan(&of, &name, &c.DueAt, &c.Provisional, &c.PausedAt, &c.StoppedAt)
		put(func(h *measures.History) { h.Clocks[name] = c })
		return err
	})
	each(pastAssignmentsSQL, func(rows pgx.Rows) error {
		var a measures.Assignment
		err := rows.Scan(&of, &a.Lead, &a.State, &a.SignDueAt, &a.SignedAt, &a.Ended, &a.ReturnAsked)
		put(func(h *measures.History) { h.Assignments = append(h.Assignments, a) })
		return err
	})
	each(pastAppealsSQL, func(rows pgx.Rows) error {
		var u measures.Upheld
		err := rows.Scan(&of, &u.Agency, &u.Failure)
		put(func(h *measures.History) { h.Upheld = append(h.Upheld, u) })
		return err
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("read histories: %w", err)
	}
	return out, s.repeats(ctx, tx, out)
}

// repeats finds out which tickets are repeats, of what is stored already or of what comes before them here.
func (s *Store) repeats(ctx context.Context, tx db.Tx, all []*past) error {
	var ids []uuid.UUID
	var contacts [][]byte
	var categories []string
	var opened []time.Time
	byID := map[uuid.UUID]*past{}
	seen := map[string]*past{}
	for _, p := range all {
		if p.contact == nil {
			continue
		}
		key := string(p.contact) + p.category
		if before := seen[key]; before != nil && p.openedAt.After(before.openedAt) && p.openedAt.Sub(before.openedAt) <= repeatWindow {
			p.h.Repeat = true
		}
		seen[key], byID[p.ticket] = p, p
		ids, contacts, categories, opened = append(ids, p.ticket), append(contacts, p.contact), append(categories, p.category), append(opened, p.openedAt)
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, pastRepeatsSQL, ids, contacts, categories, opened, repeatWindow.Seconds())
	if err != nil {
		return fmt.Errorf("find repeats: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	for _, id := range found {
		byID[id].h.Repeat = true
	}
	return err
}

// judge makes the rows of a ticket.
func (p *past) judge(now time.Time) []fact {
	counted, recheck := measures.Judge(p.h, now)
	out := make([]fact, 0, len(counted))
	for _, c := range counted {
		f := p.fact
		f.agency, f.main, f.n = c.Agency, c.Main, c.N
		if c.Main && !recheck.IsZero() {
			at := recheck.Truncate(time.Microsecond)
			f.recheck = &at
		}
		if !c.Main {
			f.contact = nil
		}
		out = append(out, f)
	}
	return out
}

// count brings the facts of some tickets, and the sums, up to date. It says how many rows changed.
func (s *Store) count(ctx context.Context, tx db.Tx, ids []uuid.UUID, now time.Time, sums bool) (int, error) {
	histories, err := s.past(ctx, tx, ids)
	if err != nil {
		return 0, err
	}
	old, err := readFacts(ctx, tx, ids)
	if err != nil {
		return 0, err
	}
	d := deltas{}
	var write, moved []fact
	for _, p := range histories {
		for _, f := range p.judge(now) {
			key := factKey{f.ticket, f.agency}
			was, known := old[key]
			delete(old, key)
			if known && was.same(f) {
				continue
			}
			if known {
				d.add(was.cell, measures.Counts{}.Minus(was.n))
			}
			d.add(f.cell, f.n)
			write = append(write, f)
			if f.main && f.contact != nil && (!known || was.category != f.category || !slices.Equal(was.contact, f.contact)) {
				moved = append(moved, f)
			}
		}
	}
	var gone []fact
	for _, f := range old {
		d.add(f.cell, measures.Counts{}.Minus(f.n))
		gone = append(gone, f)
	}
	b := &pgx.Batch{}
	queueFacts(b, write, gone)
	queueFollowers(b, moved, now)
	if sums {
		d.queue(b)
	}
	if b.Len() == 0 {
		return 0, nil
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return 0, fmt.Errorf("write facts: %w", err)
	}
	return len(write) + len(gone), nil
}

type factKey struct{ ticket, agency uuid.UUID }

// same reports whether nothing has to be written.
func (f fact) same(g fact) bool {
	return f.cell == g.cell && f.n == g.n && f.main == g.main && f.events == g.events && slices.Equal(f.contact, g.contact) && f.openedAt.Equal(g.openedAt) &&
		(f.recheck == nil) == (g.recheck == nil) && (f.recheck == nil || f.recheck.Equal(*g.recheck))
}

// deltas is what sums change by: one dimension a day; a month two, or all of them.
type deltas map[sumKey]measures.Counts

// monthly are the slices of whole months.
var monthly = []string{"month", "agency_category", "agency_area", "category_area"}

type sumKey struct {
	slice string
	cell
}

func (d deltas) add(c cell, n measures.Counts) {
	month := time.Date(c.day.Year(), c.day.Month(), 1, 0, 0, 0, 0, time.UTC)
	for _, k := range []sumKey{
		{"all", cell{day: c.day}}, {"agency", cell{day: c.day, agency: c.agency}}, {"area", cell{day: c.day, area: c.area}}, {"category", cell{day: c.day, category: c.category}},
		{"channel", cell{day: c.day, channel: c.channel}}, {"kind", cell{day: c.day, kind: c.kind}}, {"month", c},
		{"agency_category", cell{agency: c.agency, category: c.category}}, {"agency_area", cell{agency: c.agency, area: c.area}}, {"category_area", cell{category: c.category, area: c.area}},
	} {
		if slices.Contains(monthly, k.slice) {
			if c.agency == uuid.Nil {
				continue // chats have no place in it
			}
			k.day = month
		}
		k.confidential = c.confidential
		d[k] = d[k].Plus(n)
	}
}

// keys come in the order of the primary key, so that neighbours share pages.
func (d deltas) keys() []sumKey {
	out := make([]sumKey, 0, len(d))
	for k, n := range d {
		if !n.Empty() {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b sumKey) int {
		return cmp.Or(cmp.Compare(a.slice, b.slice), a.day.Compare(b.day), slices.Compare(a.agency[:], b.agency[:]), cmp.Compare(a.category, b.category), cmp.Compare(a.area, b.area))
	})
	return out
}
