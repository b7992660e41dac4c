package tickets

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

var (
	kinds     = []string{"consult", "help", "complaint", "report", "suggestion", "praise"}
	urgencies = []string{"normal", "urgent", "complex"}
)

// Kinds lists the kinds of tickets.
func Kinds() []string { return slices.Clone(kinds) }

// OpenTx opens a ticket in the caller's transaction, in one round trip: number, code, history, clocks, routing, access rows, search
// words, the agency's notice, and the link from the conversation and its uploads. The conversation must exist.
//
// A ticket that needs no judgement of its scope is accepted at once; where routing is sure and the ticket is not confidential it is
// dispatched at once too. Reports (举报) are confidential.
//
// Errors: ErrBadField, ErrTooLong, ErrMissing, ErrUnknownCategory.
func (s *Service) OpenTx(ctx context.Context, tx db.Tx, d Draft) (Ticket, error) {
	now := s.clock.Now()
	t, err := s.draft(d, now)
	if err != nil {
		return Ticket{}, err
	}
	c := s.newChange(t, map[string]*clockRow{}, now)
	if d.Author == "" {
		d.Author = string(KindCitizen)
	}
	author := Actor{DB: db.Staff(d.UserID, d.AgencyID, false, false), Kind: ActorKind(d.Author)}
	c.t.State = Received
	opened := Event{Type: "opened", To: Received, Public: true}
	if d.DirectAnswer != nil {
		c.t.State, c.t.Reply, c.t.Outcome = AnsweredDirectly, d.DirectAnswer.Text, "explained"
		c.t.ClosedAt = &now
		opened.To = AnsweredDirectly
		opened.Data = Fields{Text: d.DirectAnswer.Text, Outcome: c.t.Outcome, Article: d.DirectAnswer.Article, Version: d.DirectAnswer.Version, Title: d.DirectAnswer.Title}
		c.add(opened, author)
	} else {
		c.add(opened, author)
		s.intake(c, d)
	}
	c.clocks.summarize(&c.t)
	if err := s.insert(ctx, tx, c, d); err != nil {
		return Ticket{}, fmt.Errorf("open ticket: %w", err)
	}
	return c.t, nil
}

// intake carries a new ticket as far as no person is needed.
func (s *Service) intake(c *change, d Draft) {
	r := s.router.Decide(RouteFacts{Kind: c.t.Kind, Category: d.Category, ServiceItem: d.ServiceItem, Text: c.t.Title + "\n" + c.t.Description,
		Urgency: d.Urgency, Confidential: c.t.Confidential, Lat: d.Lat, Lon: d.Lon})
	if c.t.Category == "" {
		c.t.Category = r.Category
	}
	if d.Urgency == "" && slices.Contains(urgencies, r.Urgency) {
		c.t.Urgency = r.Urgency
	}
	// The clocks of the category and urgency that routing found.
	c.clocks.policy, _ = c.set.SLA.Choose(c.t.Kind, c.t.Category, c.t.Urgency)
	c.t.Confidential = c.t.Confidential || r.Confidential
	c.t.Area = r.Area
	if len(r.Record) > 0 {
		c.t.Decision = r.Record
	}
	c.clocks.start(sla.Accept, nil)
	if d.NeedsAcceptance {
		c.clocks.start(sla.Acknowledge, nil) // elsewhere the acceptance that follows at once is the acknowledgement
		c.tell(s.router.Desk(), Operator, "opened")
		return
	}
	step := func(name Action, f Fields) bool {
		m, err := c.judge(System(), name, f)
		if err != nil {
			return false
		}
		c.run(m, System(), f)
		return true
	}
	if !step(Accept, Fields{}) || !step(QueueUp, Fields{}) {
		return
	}
	if r.Auto && r.Lead != uuid.Nil && !c.t.Confidential && step(Dispatch, Fields{Lead: r.Lead, Co: r.Co, Score: r.Score}) {
		// The dispatcher has nothing to do with it.
		c.notices = slices.DeleteFunc(c.notices, func(n notice) bool { return n.kind == "pending_dispatch" })
	}
}

func (s *Service) draft(d Draft, now time.Time) (Ticket, error) {
	if !slices.Contains(kinds, d.Kind) {
		return Ticket{}, ErrBadField.On("kind")
	}
	for _, l := range []struct {
		field Field
		text  string
		limit int
	}{{"title", d.Title, MaxTitle}, {"description", d.Description, MaxText}, {"place", d.Place, maxShort}, {"channel", d.Channel, 50}, {"lang", d.Lang, 35}} {
		if err := checkText(l.field, l.text, l.limit); err != nil {
			return Ticket{}, err
		}
	}
	if strings.TrimSpace(d.Description) == "" {
		return Ticket{}, ErrMissing.On("description").With("field", "description")
	}
	if d.Category != "" && !s.router.CategoryKnown(d.Category) {
		return Ticket{}, ErrUnknownCategory
	}
	if d.ServiceItem != "" && !s.router.ItemKnown(d.ServiceItem) {
		return Ticket{}, ErrBadField.On("service_item").With("field", "service_item")
	}
	if !slices.Contains([]string{"", string(KindCitizen), string(KindBot), string(KindStaff), string(KindSystem)}, d.Author) {
		return Ticket{}, ErrBadField.On("author")
	}
	urgency := d.Urgency
	if urgency == "" {
		urgency = "normal"
	}
	if !slices.Contains(urgencies, urgency) {
		return Ticket{}, ErrBadField.On("urgency")
	}
	if (d.Lat == nil) != (d.Lon == nil) || d.Lat != nil && (*d.Lat < -90 || *d.Lat > 90 || *d.Lon < -180 || *d.Lon > 180) {
		return Ticket{}, ErrBadField.On("lat")
	}
	title := strings.TrimSpace(d.Title)
	if title == "" {
		title = firstLine(d.Description)
	}
	return Ticket{
		ID: db.NewID(), Version: 1, codeIssue: 1, Kind: d.Kind, Category: d.Category, ServiceItem: d.ServiceItem, Title: title,
		Description: d.Description, Place: d.Place, Lat: d.Lat, Lon: d.Lon, Lang: d.Lang, Urgency: urgency, Channel: d.Channel,
		ConversationID: d.ConversationID, ContactID: d.ContactID, Confidential: d.Confidential || d.Kind == "report",
		categoryFixed: d.Category != "", Decision: []byte("{}"), OpenedAt: now, UpdatedAt: now,
	}, nil
}

// firstLine makes a title of a description: its first line, at most 60 characters, whole words where there are any.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	runes := []rune(strings.TrimSpace(line))
	if len(runes) <= 60 {
		return string(runes)
	}
	cut := string(runes[:60])
	if i := strings.LastIndexByte(cut, ' '); i > 30 {
		cut = cut[:i]
	}
	return cut + "…"
}

// elevate lets the package write rows of other agencies after it has judged the move under the actor's own eyes; restore ends that. Both
// last no longer than the transaction. The writes use generic plans: their arrays are a handful long, yet the planner's guess for arrays it cannot
// see is ten times that, so left alone it would plan each write anew, which costs more than the write.
const (
	elevateSQL = `select set_config('hotline.actor_was', case when current_setting('hotline.actor_kind', true) = 'system'
		then coalesce(nullif(current_setting('hotline.actor_was', true), ''), 'system') else coalesce(current_setting('hotline.actor_kind', true), '') end, true),
		set_config('hotline.actor_kind', 'system', true), set_config('plan_cache_mode', 'force_generic_plan', true)`
	restoreSQL = `select set_config('hotline.actor_kind', current_setting('hotline.actor_was'), true), set_config('plan_cache_mode', 'auto', true)`
)

// insertSQL is one statement, because each statement of an intake costs as much as several of its rows. Foreign keys are checked at its end.
const insertSQL = `
with n as materialized (select $2::text || '-' || lpad(v::text, greatest(6, length(v::text)), '0') as number from nextval('ticket_numbers') v),
t as (
  insert into tickets (id, number, code_hash, events, kind, category, service_item, area, title, description, place, lat, lon, lang, urgency, channel,
    conversation_id, contact_id, confidential, state, lead_id, co_ids, dispatches, sign_due_at, warn_at, due_at, promised_at, provisional, decision,
    reply, outcome, opened_at, updated_at, closed_at, version, head, category_fixed)
  select $1, n.number, $3, $4, $5, nullif($6::text, ''), nullif($7::text, ''), nullif($8::text, ''), $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26,
    $27, $28, $29, $30, $31, $32, $32, $33, $34, $65, $67 from n),
a as (
  insert into ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, category, urgency, confidential, lead_id, due_at, opened_at, updated_at, area, warn_at)
  select u.agency, $1, u.role, $20, case when u.role = 'past' then '' else $35 end, $36, u.acting, $5, nullif($6::text, ''), $15, $19, $21, coalesce($26, 'infinity'::timestamptz), $32, $32, nullif($8::text, ''), coalesce($25, 'infinity'::timestamptz)
  from unnest($37::uuid[], $38::text[], $39::bool[]) u (agency, role, acting)),
e as (
  insert into ticket_events (ticket_id, seq, type, actor, user_id, agency_id, from_state, to_state, public, data, action_key, at, seal)
  select $1, u.seq, u.type, u.actor, u.user_id, u.agency_id, u.from_state, u.to_state, u.public, u.data::jsonb, case when u.seq = 1 then nullif($40::text, '') end, $32, u.seal
  from unnest($41::int[], $42::text[], $43::text[], $44::uuid[], $45::uuid[], $46::text[], $47::text[], $48::bool[], $49::text[], $66::bytea[])
    u (seq, type, actor, user_id, agency_id, from_state, to_state, public, data, seal)),
c as (
  insert into ticket_clocks (ticket_id, name, policy, agency_id, n, unit, started_at, warn_at, due_at, provisional, next_fire_at, stopped_at)
  select $1, u.name, $50, u.agency, u.n, u.unit, $32, u.warn_at, u.due_at, u.provisional, u.next_fire_at, u.stopped_at
  from unnest($51::text[], $52::uuid[], $53::int[], $54::text[], $55::timestamptz[], $56::timestamptz[], $57::bool[], $58::timestamptz[], $59::timestamptz[])
    u (name, agency, n, unit, warn_at, due_at, provisional, next_fire_at, stopped_at)),
w as (insert into ticket_search (ticket_id, words) values ($1, $60::text::tsvector)),
o as (
  insert into notifications (id, agency_id, role, ticket_id, type, created_at)
  select u.id, u.agency, u.role, $1, u.type, $32 from unnest($61::uuid[], $62::uuid[], $63::text[], $64::text[]) u (id, agency, role, type)),
v as (update conversations set ticket_id = $1, confidential = confidential or $19, updated_at = $32 where id = $17)
select number from n`

// What few intakes need is a statement of its own: a part of the big one that does nothing still costs its start.
const (
	insertAssignmentSQL = `insert into assignments (ticket_id, seq, lead_id, co, state, dispatched_at, sign_due_at) values ($1, 1, $2, $3, 'dispatched', $4, $5)`
	claimUploadsSQL     = `update uploads set ticket_id = $1, conversation_id = $2 where id = any($3::uuid[]) and (conversation_id is null or conversation_id = $2) and ticket_id is null`
)

func (s *Service) insert(ctx context.Context, tx db.Tx, c *change, d Draft) error {
	t := &c.t
	var e eventColumns
	e.fill(c.events)
	k := clockColumns(c.clocks.rows)
	var accAgency []uuid.UUID
	var accRole []string
	var accActing []bool
	for _, a := range c.access() {
		accAgency, accRole, accActing = append(accAgency, a.agency), append(accRole, a.role), append(accActing, a.acting)
	}
	var noteID, noteAgency []uuid.UUID
	var noteRole, noteType []string
	for _, n := range c.notices {
		noteID, noteAgency = append(noteID, db.NewID()), append(noteAgency, n.agency)
		noteRole, noteType = append(noteRole, string(n.role)), append(noteType, n.kind)
	}
	year := t.OpenedAt.In(c.set.Calendar.Location()).Format("2006")
	b := &pgx.Batch{}
	b.Queue(elevateSQL)
	b.Queue(insertSQL,
		t.ID, year, s.keys.hash(s.keys.code(t.ID, 1)), t.events, t.Kind, t.Category, t.ServiceItem, t.Area, t.Title, t.Description, // 1–10
		t.Place, t.Lat, t.Lon, t.Lang, t.Urgency, t.Channel, t.ConversationID, t.ContactID, t.Confidential, string(t.State), // 11–20
		optional(t.Lead), list(t.Co), t.Dispatches, t.SignDueAt, t.WarnAt, t.DueAt, t.PromisedAt, t.Provisional, []byte(t.Decision), t.Reply, // 21–30
		t.Outcome, c.now, t.ClosedAt, t.Version, string(t.Queue()), t.Open(), accAgency, accRole, accActing, d.Key, // 31–40
		e.seq, e.kind, e.actor, e.user, e.agency, e.from, e.to, e.public, e.data, c.clocks.policy.Code, // 41–50
		k.name, k.agency, k.n, k.unit, k.warn, k.due, k.provisional, k.next, k.stopped, searchVector(*t), // 51–60
		noteID, noteAgency, noteRole, noteType, seal(t.head), e.seal, t.categoryFixed).QueryRow(func(row pgx.Row) error { return row.Scan(&t.Number) })
	if t.Lead != uuid.Nil {
		b.Queue(insertAssignmentSQL, t.ID, t.Lead, list(t.Co), c.now, t.SignDueAt)
	}
	if len(d.Uploads) > 0 {
		b.Queue(claimUploadsSQL, t.ID, t.ConversationID, d.Uploads)
	}
	b.Queue(restoreSQL)
	return tx.SendBatch(ctx, b).Close()
}

// eventColumns is history entries, column by column, for unnest.
type eventColumns struct {
	seal           [][]byte
	seq            []int
	kind, actor    []string
	user, agency   []*uuid.UUID
	from, to, data []string
	public         []bool
}

func (c *eventColumns) fill(events []Event) {
	for _, e := range events {
		c.seq, c.kind, c.actor = append(c.seq, e.Seq), append(c.kind, e.Type), append(c.actor, e.Actor)
		c.user, c.agency = append(c.user, optional(e.UserID)), append(c.agency, optional(e.AgencyID))
		c.from, c.to, c.public = append(c.from, string(e.From)), append(c.to, string(e.To)), append(c.public, e.Public)
		data, err := json.Marshal(e.Data)
		if err != nil {
			data = []byte("{}") // Fields marshals by construction: strings, numbers, ids, times
		}
		c.data, c.seal = append(c.data, string(data)), append(c.seal, e.seal)
	}
}

type clockCols struct {
	name, unit, stage     []string
	agency                []*uuid.UUID
	n                     []int
	started, warn, due    []time.Time
	provisional           []bool
	next, paused, stopped []*time.Time
	remaining             []int64
	policy                []string
	steps                 [][]byte
}

func clockColumns(rows map[string]*clockRow) clockCols {
	var k clockCols
	k.fill(rows)
	return k
}

// fill appends the rows that changed.
func (k *clockCols) fill(rows map[string]*clockRow) {
	for _, r := range rows {
		if !r.dirty {
			continue
		}
		k.name, k.unit, k.stage = append(k.name, r.name), append(k.unit, string(r.span.Unit)), append(k.stage, string(r.stage))
		k.agency, k.n, k.policy = append(k.agency, optional(r.agency)), append(k.n, r.span.N), append(k.policy, r.policy)
		k.started, k.warn, k.due = append(k.started, r.startedAt), append(k.warn, r.warnAt), append(k.due, r.dueAt)
		k.steps = append(k.steps, r.stepsJSON())
		k.provisional, k.next = append(k.provisional, r.provisional), append(k.next, r.nextFireAt)
		k.paused, k.stopped, k.remaining = append(k.paused, r.pausedAt), append(k.stopped, r.stoppedAt), append(k.remaining, r.remaining.Left.Microseconds())
	}
}

func optional(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// list keeps an empty array from becoming null.
func list(ids []uuid.UUID) []uuid.UUID {
	if ids == nil {
		return []uuid.UUID{}
	}
	return ids
}
