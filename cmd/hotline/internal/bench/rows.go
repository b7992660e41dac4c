package bench

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/tickets"
)

// filler writes tickets with everything that hangs on them, in the order of their opening.
type filler struct {
	*metropolis
	r                                                                                                                                          *rand.Rand
	now                                                                                                                                        time.Time
	lean                                                                                                                                       bool      // inbox, clock and search rows only
	shared                                                                                                                                     uuid.UUID // lean: the conversation of all
	tables                                                                                                                                     []*table
	tickets, access, clocks, search, events, assignments, contacts, conversations, messages, watchers, mentions, tags, ratings, rectifications *table
	merged                                                                                                                                     uuid.UUID // a parent for merged ones
}

const (
	ticketCopy = `id, number, code_hash, version, events, kind, category, area, title, description, place, lat, lon, lang, urgency, channel, conversation_id, contact_id, confidential, state,
		supervised, supervision, mass_event, lead_id, co_ids, assignee_id, parent_id, dispatches, sign_due_at, warn_at, due_at, promised_at, reply, outcome, agency_resolved, grade, rectify, opened_at, updated_at, closed_at`
	accessCopy = `agency_id, ticket_id, role, state, queue, open, acting, kind, category, urgency, confidential, lead_id, assignee_id, due_at, opened_at, updated_at, supervised, mass, area, warn_at, standing, ordered`
	markCopy   = `kind, category, urgency, state, area, lead_id, opened_at`
	clockCopy  = `ticket_id, name, policy, agency_id, n, unit, started_at, warn_at, due_at, stage, next_fire_at, paused_at, remaining_us, stopped_at`
)

func newFiller(ctx context.Context, owner *pgxpool.Pool, m *metropolis, now time.Time, lean bool) *filler {
	f := &filler{metropolis: m, r: rand.New(rand.NewPCG(311, 12345)), now: now, lean: lean}
	open := func(into **table, name, columns string) {
		*into = openTable(ctx, owner, name, columns)
		f.tables = append(f.tables, *into)
	}
	open(&f.tickets, "tickets", ticketCopy)
	open(&f.access, "ticket_access", accessCopy)
	open(&f.clocks, "ticket_clocks", clockCopy)
	open(&f.search, "ticket_search", "ticket_id, words, keys")
	open(&f.conversations, "conversations", "id, channel, account, thread, contact_id, lang, holder, last_seq, answered_seq, ticket_id, confidential, queued_at, closed_at, created_at, updated_at")
	open(&f.watchers, "ticket_watchers", "ticket_id, user_id, agency_id, since, changed_at, "+markCopy)
	open(&f.mentions, "ticket_mentions", "ticket_id, user_id, agency_id, event_seq, mentioned_at, seen_at, "+markCopy)
	open(&f.tags, "ticket_tags", "ticket_id, tag_id, agency_id, at")
	if !lean {
		open(&f.events, "ticket_events", "ticket_id, seq, type, actor, agency_id, from_state, to_state, public, at")
		open(&f.assignments, "assignments", "ticket_id, seq, lead_id, co, state, dispatched_at, sign_due_at, signed_at, ended_at")
		open(&f.contacts, "contacts", "id, name, phone, email, lang, created_at")
		open(&f.messages, "messages", "conversation_id, seq, id, author, text, ticket_id, created_at")
		open(&f.ratings, "ticket_ratings", "ticket_id, grade, created_at")
		open(&f.rectifications, "rectifications", "ticket_id, agency_id, state, grade, opened_at, due_at")
	}
	return f
}

func (f *filler) close() (err error) {
	for _, t := range f.tables {
		err = errors.Join(err, t.close())
	}
	return err
}

// idAt is a UUIDv7 of a moment, as the ticket's real one would be.
func (f *filler) idAt(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|uint64(f.r.Uint32()&0xfff))
	binary.BigEndian.PutUint64(id[8:], f.r.Uint64())
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ticket writes the i-th of n.
func (f *filler) ticket(i, n int) error {
	r := f.r
	opened := f.now.Add(-time.Duration(float64(365*24*time.Hour) * (1 - float64(i)/float64(n)))).Truncate(time.Microsecond)
	var t tickets.Ticket
	t.ID, t.OpenedAt, t.Number = f.idAt(opened), opened, fmt.Sprintf("%d-%06d", opened.Year(), i+1)
	f.what(&t)
	isOpen := r.Float64() < openShare(f.now.Sub(opened))
	t.State = pick(r, closedStates)
	if isOpen {
		t.State = pick(r, openStates)
	}
	if t.State == tickets.Merged {
		if t.Parent = f.merged; t.Parent == uuid.Nil {
			t.State = tickets.Closed
		}
	}
	f.who(&t)
	f.when(&t)
	if isOpen {
		t.Supervised = r.Float64() < supervisedShare
		if t.Supervised && r.Float64() < .25 {
			t.Supervision = "ordered"
		}
		if t.MassEvent = r.Float64() < massShare; t.MassEvent {
			f.merged = t.ID
		}
	}
	return f.write(t, i)
}

// what a ticket is about and where.
func (f *filler) what(t *tickets.Ticket) {
	r := f.r
	t.Kind, t.Urgency, t.Lang, t.Channel = pick(r, kindShares), pick(r, urgencyShares), pick(r, langShares), pick(r, channelShares)
	t.Confidential = t.Kind == "report"
	k := pick(r, append(matters, weighted[matter]{matter{}, rareMatters}))
	if k.category == "" {
		k.category = f.leaves[r.IntN(len(f.leaves))]
	}
	t.Category = k.category
	var sum float64 = nowhere
	for _, d := range districts {
		sum += d.weight
	}
	at := r.Float64() * sum
	var where office
	var district string
	for i, d := range districts {
		if at -= d.weight; at < 0 {
			district, where = d.code, pick(r, f.streets[d.code])
			t.Area = where.area
			// A district is a square some ten kilometres wide, its streets lie in rows.
			var nth int
			_, _ = fmt.Sscanf(where.area[len(d.code)+1:], "%d", &nth) // made a line above
			lat, lon := 30.0+.1*float64(nth%8)/8+r.NormFloat64()*.004, 125.0+.12*float64(i)+.1*float64(nth/8)/8+r.NormFloat64()*.004
			t.Lat, t.Lon = &lat, &lon
			break
		}
	}
	switch {
	case k.local && where.id != uuid.Nil && r.Float64() < .03:
		t.Lead = f.district[district]
	case where.id != uuid.Nil && (k.local || len(f.departments[k.category]) == 0):
		t.Lead = where.id
	default:
		of := f.departments[k.category]
		if len(of) == 0 {
			of = f.departments["government.conduct"] // the catalogue sends it by area, and nobody said where
		}
		if t.Lead = pick(r, of); f.co[k.category] && district != "" && !t.Confidential && r.Float64() < .3 {
			t.Co = []uuid.UUID{f.district[district]}
		}
	}
	f.text(t)
}

// who holds it.
func (f *filler) who(t *tickets.Ticket) {
	switch info := t.State.Info(); {
	case info.Queue == tickets.QueueIntake, t.State == tickets.PendingDispatch, t.State == tickets.AnsweredDirectly, t.State == tickets.NotAccepted:
		t.Lead, t.Co = uuid.Nil, nil
		fallthrough
	case info.Holder == tickets.HeldByDesk:
		if f.r.Float64() < .5 {
			t.Assignee = f.staff[f.desk][f.r.IntN(len(f.staff[f.desk]))]
		}
	case info.Holder == tickets.HeldByLead && t.State != tickets.Dispatched && f.r.Float64() < .6:
		if people := f.staff[t.Lead]; len(people) > 0 {
			t.Assignee = people[f.r.IntN(len(people))]
		}
	}
}

// when: open ones have a deadline ahead of now or behind it; closed ones ended after as long as such cases take.
func (f *filler) when(t *tickets.Ticket) {
	r := f.r
	if !t.State.Info().Open {
		closed := t.OpenedAt.Add(timeToClose(r))
		if closed.After(f.now) {
			closed = f.now.Add(-time.Duration(r.Float64() * float64(f.now.Sub(t.OpenedAt))))
		}
		t.ClosedAt, t.UpdatedAt = &closed, closed
		promised := t.OpenedAt.Add(7 * 24 * time.Hour)
		t.PromisedAt = &promised
		return
	}
	t.UpdatedAt = f.now.Add(-time.Duration(r.Float64() * float64(min(f.now.Sub(t.OpenedAt), 20*24*time.Hour))))
	due := f.now.Add(time.Duration(math.Abs(r.NormFloat64()) * 5 * 24 * float64(time.Hour)))
	if age := f.now.Sub(t.OpenedAt); r.Float64() < overdueShare && age > time.Hour {
		due = f.now.Add(-time.Duration(r.Float64() * float64(min(age-time.Hour, 40*24*time.Hour))))
	}
	due = due.Truncate(time.Microsecond)
	warn := due.Add(-due.Sub(t.OpenedAt) / 4)
	t.DueAt, t.WarnAt, t.PromisedAt = &due, &warn, &due
	if t.State == tickets.Dispatched {
		t.SignDueAt = &due
	}
}

func (f *filler) write(t tickets.Ticket, i int) error {
	r := f.r
	info := t.State.Info()
	var hash [8]byte
	binary.BigEndian.PutUint64(hash[:], uint64(i))
	code := sha256.Sum256(hash[:])
	conversation, contact := f.shared, uuid.Nil
	if !f.lean {
		var err error
		if conversation, contact, err = f.talk(t); err != nil {
			return err
		}
	}
	events := 2
	if info.Queue == tickets.QueueNone || t.State == tickets.Replied || t.State == tickets.Completed || t.State == tickets.Revisiting {
		events = 3
		t.Reply, t.Outcome = "Done. 已办结。", "solved"
	}
	grade, rectify := 0, ""
	if t.State == tickets.Closed && r.Float64() < .3 {
		if grade = 5 - int(math.Abs(r.NormFloat64())*1.4); grade < 1 {
			grade = 1
		}
		if grade <= 2 {
			if rectify = "done"; f.now.Sub(*t.ClosedAt) < 14*24*time.Hour {
				rectify = "open"
			}
		}
	}
	var place, lat, lon, resolved any = t.Place, nil, nil, nil
	if t.Lat != nil && !f.lean {
		lat, lon = *t.Lat, *t.Lon
	}
	if events == 3 {
		resolved = r.Float64() < .9
	}
	dispatches := 0
	if t.Lead != uuid.Nil {
		dispatches = 1
	}
	var area any
	if t.Area != "" {
		area = t.Area
	}
	if err := f.tickets.add(t.ID, t.Number, code[:], events, events, t.Kind, t.Category, area, t.Title, t.Description, place, lat, lon, t.Lang, t.Urgency, t.Channel, conversation, contact,
		t.Confidential, string(t.State), t.Supervised, t.Supervision, t.MassEvent, t.Lead, t.Co, t.Assignee, t.Parent, dispatches, orNil(t.SignDueAt), orNil(t.WarnAt), orNil(t.DueAt), orNil(t.PromisedAt),
		t.Reply, t.Outcome, resolved, grade, rectify, t.OpenedAt, t.UpdatedAt, orNil(t.ClosedAt)).end(); err != nil {
		return err
	}
	standing, err := f.time(t)
	if err != nil {
		return err
	}
	keys, err := f.seen(t, area, standing)
	if err != nil {
		return err
	}
	if err := f.search.add(t.ID, strings.TrimSpace(tickets.SearchVector(t)), keys).end(); err != nil {
		return err
	}
	if f.lean {
		return nil
	}
	return f.past(t, events, grade, rectify)
}

func orNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return *t
}

// seen writes the access rows: whom the state machine lets see a ticket (tickets, change.access), and what of it staff have marked. keys are what a search is narrowed by.
func (f *filler) seen(t tickets.Ticket, area any, standing int) (keys []uuid.UUID, err error) {
	info := t.State.Info()
	due, warn := any("infinity"), any("infinity")
	if t.DueAt != nil {
		due, warn = *t.DueAt, *t.WarnAt
	}
	marked := map[uuid.UUID]bool{}
	put := func(agency uuid.UUID, role string, acting bool) error {
		if agency == uuid.Nil || marked[agency] {
			return nil
		}
		marked[agency] = true
		if role != "desk" {
			keys = append(keys, agency)
		}
		return f.access.add(agency, t.ID, role, string(t.State), string(info.Queue), info.Open, acting, t.Kind, t.Category, t.Urgency, t.Confidential, t.Lead, t.Assignee, due, t.OpenedAt, t.UpdatedAt,
			t.Supervised, t.MassEvent, area, warn, standing, t.Supervision != "").end()
	}
	var span uuid.UUID // as search_span
	binary.BigEndian.PutUint64(span[8:], uint64(t.OpenedAt.UnixMilli())>>30)
	keys = append(keys, span)
	if err := put(f.desk, "desk", info.Open && info.Holder == tickets.HeldByDesk); err != nil {
		return nil, err
	}
	if err := put(t.Lead, "lead", info.Holder == tickets.HeldByLead); err != nil {
		return nil, err
	}
	for _, co := range t.Co {
		if err := put(co, "co", info.Open && info.Holder != tickets.HeldByDesk); err != nil {
			return nil, err
		}
	}
	if !t.Confidential {
		for _, a := range f.ancestors[t.Lead] {
			if err := put(a, "ancestor", false); err != nil {
				return nil, err
			}
		}
	}
	mark := []any{t.Kind, t.Category, t.Urgency, string(t.State), area, t.Lead, t.OpenedAt}
	for _, agency := range f.watching {
		if !marked[agency] {
			continue
		}
		// Half of what is watched is watched by the one who is measured.
		person := func() uuid.UUID {
			people := f.staff[agency]
			if f.r.Float64() < .5 {
				return people[0]
			}
			return people[f.r.IntN(len(people))]
		}
		if f.r.Float64() < watchShare {
			if err := f.watchers.add(t.ID, person(), agency, t.OpenedAt, t.UpdatedAt).add(mark...).end(); err != nil {
				return nil, err
			}
		}
		if f.r.Float64() < mentionShare {
			at, seen := t.UpdatedAt, any(nil)
			if f.r.Float64() < .9 {
				seen = f.now
			}
			if err := f.mentions.add(t.ID, person(), agency, 2, at, seen).add(mark...).end(); err != nil {
				return nil, err
			}
		}
		if f.r.Float64() < tagShare {
			if err := f.tags.add(t.ID, pick(f.r, f.metropolis.tags[agency]), agency, t.OpenedAt).end(); err != nil {
				return nil, err
			}
		}
	}
	return keys, nil
}
