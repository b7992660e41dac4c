package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// ticketColumns are the columns that scanTicket reads, of tickets as t.
const ticketColumns = `t.id, t.number, t.version, t.kind, coalesce(t.category, ''), coalesce(t.service_item, ''), coalesce(t.area, ''), t.title, t.description,
	t.place, t.lat, t.lon, t.lang, t.urgency, t.channel, t.conversation_id, t.contact_id, t.confidential, t.state, t.ask, t.ask_data, t.supervised,
	t.lead_id, t.co_ids, t.past_ids, t.assignee_id, t.parent_id, t.dispatches, t.designated, t.sign_due_at, t.warn_at, t.due_at, t.promised_at, t.provisional,
	t.extensions, t.revisits, t.decision, t.reply, t.outcome, t.agency_resolved, t.citizen_resolved, t.appealed, t.opened_at, t.updated_at, t.closed_at,
	t.code_issue, t.events, t.head, t.category_fixed, t.decided_by, t.replied_by, t.supervision, t.excluded, t.satisfaction, t.grade, t.rectify, t.co_signed, t.mass_event, t.return_until, t.designated_id`

func scanTicket(row pgx.Row) (Ticket, error) {
	var t Ticket
	var lead, assignee, parent, decided, replied, designated *uuid.UUID
	var ask []byte
	err := row.Scan(&t.ID, &t.Number, &t.Version, &t.Kind, &t.Category, &t.ServiceItem, &t.Area, &t.Title, &t.Description,
		&t.Place, &t.Lat, &t.Lon, &t.Lang, &t.Urgency, &t.Channel, &t.ConversationID, &t.ContactID, &t.Confidential, &t.State, &t.Ask, &ask, &t.Supervised,
		&lead, &t.Co, &t.Past, &assignee, &parent, &t.Dispatches, &t.Designated, &t.SignDueAt, &t.WarnAt, &t.DueAt, &t.PromisedAt, &t.Provisional,
		&t.Extensions, &t.Revisits, &t.Decision, &t.Reply, &t.Outcome, &t.AgencyResolved, &t.CitizenResolved, &t.Appealed, &t.OpenedAt, &t.UpdatedAt, &t.ClosedAt,
		&t.codeIssue, &t.events, &t.head, &t.categoryFixed, &decided, &replied, &t.Supervision, &t.Excluded, &t.Satisfaction, &t.Grade, &t.Rectify, &t.CoSigned, &t.MassEvent, &t.returnUntil, &designated)
	if err != nil {
		return Ticket{}, err
	}
	t.Lead, t.Assignee, t.Parent, t.decidedBy, t.repliedBy, t.designatedTo = id(lead), id(assignee), id(parent), id(decided), id(replied), id(designated)
	if t.Ask != "" {
		err = json.Unmarshal(ask, &t.AskData)
	}
	return t, err
}

func id(p *uuid.UUID) uuid.UUID {
	if p == nil {
		return uuid.Nil
	}
	return *p
}

const clockColumnsSQL = `name, policy, agency_id, n, unit, started_at, warn_at, due_at, provisional, stage, next_fire_at, paused_at, remaining_us, stopped_at, steps`

func scanClock(row pgx.Row) (*clockRow, error) {
	var c clockRow
	var agency *uuid.UUID
	var remaining int64
	err := row.Scan(&c.name, &c.policy, &agency, &c.span.N, &c.span.Unit, &c.startedAt, &c.warnAt, &c.dueAt, &c.provisional, &c.stage,
		&c.nextFireAt, &c.pausedAt, &remaining, &c.stoppedAt, &c.steps)
	c.agency = id(agency)
	c.remaining = sla.Remaining{Left: time.Duration(remaining) * time.Microsecond, Working: c.span.Unit == sla.WorkingDays}
	return &c, err
}

func scanClocks(rows pgx.Rows, into map[string]*clockRow) error {
	defer rows.Close()
	for rows.Next() {
		c, err := scanClock(rows)
		if err != nil {
			return err
		}
		into[c.name] = c
	}
	return rows.Err()
}

// ByID returns a ticket that the actor may see.
// Errors: ErrNotFound.
func (s *Service) ByID(ctx context.Context, a Actor, ticket uuid.UUID) (Ticket, error) {
	return s.one(ctx, a.DB, `t.id = $1`, ticket)
}

// ByNumber returns a ticket by its public number, for staff.
// Errors: ErrNotFound.
func (s *Service) ByNumber(ctx context.Context, a Actor, number string) (Ticket, error) {
	return s.one(ctx, a.DB, `t.number = $1`, number)
}

// ByConversation returns the newest ticket of a conversation that the actor may see.
// Errors: ErrNotFound.
func (s *Service) ByConversation(ctx context.Context, a Actor, conversation uuid.UUID) (Ticket, error) {
	return s.one(ctx, a.DB, `t.conversation_id = $1 order by t.opened_at desc, t.id desc limit 1`, conversation)
}

// ByIDTx is ByID in the caller's transaction.
func (s *Service) ByIDTx(ctx context.Context, tx db.Tx, ticket uuid.UUID) (Ticket, error) {
	t, err := scanTicket(tx.QueryRow(ctx, `select `+ticketColumns+` from tickets t where t.id = $1`, ticket))
	if errors.Is(err, pgx.ErrNoRows) {
		return Ticket{}, ErrNotFound
	}
	return t, err
}

// ByCode returns the ticket with this tracking code. The code is looked up by its keyed hash, so that neither time nor the database
// tells how much of a guess was right. Slowing down guesses is the edge's work; a ticket is never locked.
// Errors: ErrMalformedCode, ErrUnknownCode.
func (s *Service) ByCode(ctx context.Context, input string) (Ticket, error) {
	code, err := ParseCode(input)
	if err != nil {
		return Ticket{}, err
	}
	t, err := s.one(ctx, db.System(), `t.code_hash = $1`, s.keys.hash(code))
	if errors.Is(err, ErrNotFound) {
		return Ticket{}, ErrUnknownCode
	}
	return t, err
}

func (s *Service) one(ctx context.Context, actor db.Actor, where string, arg any) (Ticket, error) {
	var t Ticket
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		var err error
		t, err = scanTicket(tx.QueryRow(ctx, `select `+ticketColumns+` from tickets t where `+where, arg))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Ticket{}, ErrNotFound
	}
	if err != nil {
		return Ticket{}, fmt.Errorf("read ticket: %w", err)
	}
	return t, nil
}

// lock reads a ticket with its clocks for a change, under the eyes of the transaction's actor. earlier is the history entry that
// already has the action key, if any.
func (s *Service) lock(ctx context.Context, tx db.Tx, ticket uuid.UUID, key string) (t Ticket, rows map[string]*clockRow, earlier string, err error) {
	rows = map[string]*clockRow{}
	b := &pgx.Batch{}
	b.Queue(`select `+ticketColumns+` from tickets t where t.id = $1 for no key update`, ticket).QueryRow(func(row pgx.Row) error {
		t, err = scanTicket(row)
		return err
	})
	b.Queue(`select `+clockColumnsSQL+` from ticket_clocks where ticket_id = $1`, ticket).Query(func(r pgx.Rows) error { return scanClocks(r, rows) })
	if key != "" {
		b.Queue(`select type from ticket_events where ticket_id = $1 and action_key = $2`, ticket, key).QueryRow(func(row pgx.Row) error {
			if err := row.Scan(&earlier); !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			return nil
		})
	}
	err = tx.SendBatch(ctx, b).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	return t, rows, earlier, err
}

const updateSQL = `
update tickets set version = $2, events = $3, state = $4, ask = $5, ask_data = $6, supervised = $7, lead_id = $8, co_ids = $9, past_ids = $10,
	assignee_id = $11, decided_by = $12, replied_by = $13, parent_id = $14, dispatches = $15, designated = $16, sign_due_at = $17, warn_at = $18,
	due_at = $19, promised_at = $20, provisional = $21, extensions = $22, revisits = $23, decision = $24, reply = $25, outcome = $26,
	agency_resolved = $27, citizen_resolved = $28, appealed = $29, updated_at = $30, closed_at = $31, head = $32, supervision = $33, excluded = $34, satisfaction = $35, grade = $36, rectify = $37, co_signed = $38, mass_event = $39, return_until = $40, designated_id = $41
where id = $1`

const upsertClocksSQL = `
insert into ticket_clocks (ticket_id, name, policy, agency_id, n, unit, started_at, warn_at, due_at, provisional, stage, next_fire_at, paused_at, remaining_us, stopped_at, steps)
select $1, u.* from unnest($2::text[], $3::text[], $4::uuid[], $5::int[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::bool[],
	$11::text[], $12::timestamptz[], $13::timestamptz[], $14::bigint[], $15::timestamptz[], $16::jsonb[]) u
on conflict (ticket_id, name) do update set policy = excluded.policy, agency_id = excluded.agency_id, n = excluded.n, unit = excluded.unit,
	started_at = excluded.started_at, warn_at = excluded.warn_at, due_at = excluded.due_at, provisional = excluded.provisional, stage = excluded.stage,
	next_fire_at = excluded.next_fire_at, paused_at = excluded.paused_at, remaining_us = excluded.remaining_us, stopped_at = excluded.stopped_at, steps = excluded.steps`

const insertEventsSQL = `
insert into ticket_events (ticket_id, seq, type, actor, user_id, agency_id, from_state, to_state, public, data, action_key, at, seal)
select $1, u.seq, u.type, u.actor, u.user_id, u.agency_id, u.from_state, u.to_state, u.public, u.data::jsonb, case when u.seq = $12 then nullif($13::text, '') end, $2, u.seal
from unnest($3::int[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[], $9::text[], $10::bool[], $11::text[], $14::bytea[])
	u (seq, type, actor, user_id, agency_id, from_state, to_state, public, data, seal)`

const upsertAccessSQL = `
insert into ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, category, urgency, confidential, lead_id, assignee_id, due_at, opened_at, updated_at, supervised, mass, area, warn_at, standing, ordered)
select u.agency, $1, u.role, $2, case when u.role = 'past' then '' else $3 end, $4 and u.role <> 'past', u.acting, $5, nullif($6::text, ''), $7, $8, $9, $10,
	coalesce($11, 'infinity'::timestamptz), $12, $13, $17 and u.role <> 'past', $18 and u.role <> 'past', nullif($19::text, ''), coalesce($20, 'infinity'::timestamptz),
	(select count(*) from ticket_clocks c where c.ticket_id = $1 and c.stopped_at is null and c.stage in ('dunning', 'criticism')), $21 and u.role <> 'past'
from unnest($14::uuid[], $15::text[], $16::bool[]) u (agency, role, acting)
on conflict (agency_id, ticket_id) do update set role = excluded.role, state = excluded.state, queue = excluded.queue, open = excluded.open,
	acting = excluded.acting, category = excluded.category, urgency = excluded.urgency, confidential = excluded.confidential, lead_id = excluded.lead_id,
	assignee_id = excluded.assignee_id, due_at = excluded.due_at, updated_at = excluded.updated_at, supervised = excluded.supervised, mass = excluded.mass, area = excluded.area, warn_at = excluded.warn_at, standing = excluded.standing, ordered = excluded.ordered`

const insertNoticesSQL = `
insert into notifications (id, agency_id, user_id, role, ticket_id, type, created_at)
select u.id, u.agency, u.user_id, u.role, u.ticket, u.type, $1 from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[]) u (id, agency, user_id, role, ticket, type)`

// write queues everything that the change did. The statements run elevated: the move was judged before.
func (c *change) write(b *pgx.Batch, key string, f Fields) error {
	t := c.t
	ask, err := json.Marshal(t.AskData)
	if err != nil {
		return err
	}
	b.Queue(updateSQL, t.ID, t.Version, t.events, string(t.State), t.Ask, ask, t.Supervised, optional(t.Lead), list(t.Co), list(t.Past),
		optional(t.Assignee), optional(t.decidedBy), optional(t.repliedBy), optional(t.Parent), t.Dispatches, t.Designated, t.SignDueAt, t.WarnAt,
		t.DueAt, t.PromisedAt, t.Provisional, t.Extensions, t.Revisits, []byte(t.Decision), t.Reply, t.Outcome, t.AgencyResolved, t.CitizenResolved,
		t.Appealed, t.UpdatedAt, t.ClosedAt, seal(t.head), t.Supervision, t.Excluded, t.Satisfaction, t.Grade, t.Rectify, list(t.CoSigned), t.MassEvent, t.returnUntil, optional(t.designatedTo))
	if len(c.events) > 0 {
		var e eventColumns
		e.fill(c.events)
		b.Queue(insertEventsSQL, t.ID, c.now, e.seq, e.kind, e.actor, e.user, e.agency, e.from, e.to, e.public, e.data, c.events[0].Seq, key, e.seal)
	}
	if k := clockColumns(c.clocks.rows); len(k.name) > 0 {
		b.Queue(upsertClocksSQL, t.ID, k.name, k.policy, k.agency, k.n, k.unit, k.started, k.warn, k.due, k.provisional, k.stage, k.next, k.paused, k.remaining, k.stopped, k.steps)
	}
	for _, e := range c.events {
		if indexed(e) {
			// A ticket that has been talked about at very great length is found by its first words.
			b.Queue(`update ticket_search set words = words || $2::text::tsvector where ticket_id = $1 and length(words) < 10000`, t.ID, laterWords(e.Data.Text))
		}
	}
	for _, f := range c.extras {
		f(b)
	}
	c.writeAccess(b)
	c.writeAssignment(b, f)
	queueNotices(b, c.now, t.ID, c.notices)
	c.tellWatchers(b)
	if len(f.Uploads) > 0 {
		b.Queue(`update uploads set ticket_id = $1 where id = any($2) and conversation_id = $3 and ticket_id is null`, t.ID, f.Uploads, t.ConversationID)
	}
	return nil
}

// indexed says which entries staff find a ticket by, besides its own text.
func indexed(e Event) bool {
	switch Action(e.Type) {
	case Reply, AnswerDirectly, CitizenReply, AddInformation, Appeal, NotAnswered:
		return e.Data.Text != ""
	}
	return false
}

func (c *change) writeAccess(b *pgx.Batch) {
	t := c.t
	var agencies []uuid.UUID
	var roles []string
	var acting []bool
	for _, a := range c.access() {
		agencies, roles, acting = append(agencies, a.agency), append(roles, a.role), append(acting, a.acting)
	}
	b.Queue(`delete from ticket_access where ticket_id = $1 and agency_id <> all($2::uuid[])`, t.ID, agencies)
	b.Queue(upsertAccessSQL, t.ID, string(t.State), string(t.Queue()), t.Open(), t.Kind, t.Category, t.Urgency, t.Confidential, optional(t.Lead),
		optional(t.Assignee), t.DueAt, t.OpenedAt, t.UpdatedAt, agencies, roles, acting, t.Supervised, t.MassEvent, t.Area, t.WarnAt, t.Supervision != "")
	b.Queue(searchKeysSQL, t.ID, agencies, c.svc.router.Desk(), t.OpenedAt)
}

// searchKeysSQL keeps the agencies by which a search is narrowed (00037_scale.sql) those of the access rows. Writing the row puts all its words into the index again, so it
// is written only when the ticket changes hands.
const searchKeysSQL = `
update ticket_search s set keys = n.keys from (select search_span($4::timestamptz) || array_remove($2::uuid[], $3::uuid) as keys) n
where s.ticket_id = $1 and not (s.keys @> n.keys and s.keys <@ n.keys)`

func (c *change) writeAssignment(b *pgx.Batch, f Fields) {
	t := c.t
	switch c.ended {
	case "":
		if len(c.clocks.moved) > 0 && t.SignDueAt != nil { // another category, other clocks
			b.Queue(`update assignments set sign_due_at = $2 where ticket_id = $1 and ended_at is null and signed_at is null`, t.ID, t.SignDueAt)
		}
	case "signed":
		b.Queue(`update assignments set state = 'signed', signed_at = $2 where ticket_id = $1 and ended_at is null`, t.ID, c.now)
	case "returning":
		b.Queue(`update assignments set return_code = $2, return_basis = $3 where ticket_id = $1 and ended_at is null`, t.ID, f.Reason, f.Basis)
	case "dispatched":
		b.Queue(`update assignments set sign_due_at = $2 where ticket_id = $1 and ended_at is null`, t.ID, t.SignDueAt)
	default:
		b.Queue(`update assignments set state = $2, ended_at = $3 where ticket_id = $1 and ended_at is null`, t.ID, c.ended, c.now)
	}
	if a := c.assignment; a != nil {
		b.Queue(`insert into assignments (ticket_id, seq, lead_id, co, state, by_user_id, designated, dispatched_at, sign_due_at)
			select $1, coalesce(max(seq), 0) + 1, $2, $3, 'dispatched', $4, $5, $6, $7 from assignments where ticket_id = $1`,
			t.ID, a.lead, list(a.co), optional(a.by), a.designated, c.now, a.signDue)
	}
}

func queueNotices(b *pgx.Batch, now time.Time, ticket uuid.UUID, notices []notice) {
	of := make([]uuid.UUID, len(notices))
	for i := range of {
		of[i] = ticket
	}
	queueManyNotices(b, now, of, notices)
}

// queueManyNotices writes notices of several tickets, of[i] being the ticket of notices[i].
func queueManyNotices(b *pgx.Batch, now time.Time, of []uuid.UUID, notices []notice) {
	if len(notices) == 0 {
		return
	}
	var ids, agencies []uuid.UUID
	var users []*uuid.UUID
	var roles, types []string
	for _, n := range notices {
		ids, agencies = append(ids, db.NewID()), append(agencies, n.agency)
		users, roles, types = append(users, optional(n.user)), append(roles, string(n.role)), append(types, n.kind)
	}
	b.Queue(insertNoticesSQL, now, ids, agencies, users, roles, of, types)
}
