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

// Opening is a ticket that has been thought through and is not stored yet: everything but its number.
type Opening struct {
	c     *change
	d     Draft
	given given
}

// Plan thinks a new ticket through, in memory: history, clocks, routing, access rows, notices.
//
// A ticket that needs no judgement of its scope is accepted at once; where routing is sure and the ticket is not confidential it is
// dispatched at once too. Reports (举报) are confidential.
//
// Errors: ErrBadField, ErrTooLong, ErrMissing, ErrUnknownCategory; for a draft that insists on its fields also ErrUnknownField, ErrFieldType, ErrFieldNeeded.
func (s *Service) Plan(d Draft) (*Opening, error) {
	now := s.clock.Now()
	t, err := s.draft(d, now)
	if err != nil {
		return nil, err
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
	var g given
	if d.DirectAnswer == nil {
		if g, err = s.givenFields(c, d); err != nil {
			return nil, err
		}
		g.note(c, author)
	}
	c.clocks.summarize(&c.t)
	return &Opening{c, d, g}, nil
}

// Ticket is the ticket; it has its number when a batch that Queue filled has been sent.
func (o *Opening) Ticket() Ticket { return o.c.t }

// OpenTx plans a ticket and stores it in the caller's transaction, in one round trip, with the link from the conversation and its uploads.
// The conversation must exist.
//
// Errors: those of Plan.
func (s *Service) OpenTx(ctx context.Context, tx db.Tx, d Draft) (Ticket, error) {
	o, err := s.Plan(d)
	if err != nil {
		return Ticket{}, err
	}
	b := &pgx.Batch{}
	o.queue(b, true)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return Ticket{}, fmt.Errorf("open ticket: %w", err)
	}
	return o.Ticket(), nil
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
	if d.Following && !c.t.Confidential {
		return
	}
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
		if err := CheckText(l.field, l.text, l.limit); err != nil {
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
// last no longer than the transaction. The writes use generic plans, for the reason that ticket_open has (00013_intake.sql).
const (
	elevateSQL = `select set_config('hotline.actor_was', case when current_setting('hotline.actor_kind', true) = 'system'
		then coalesce(nullif(current_setting('hotline.actor_was', true), ''), 'system') else coalesce(current_setting('hotline.actor_kind', true), '') end, true),
		set_config('hotline.actor_kind', 'system', true), set_config('plan_cache_mode', 'force_generic_plan', true)`
	restoreSQL = `select set_config('hotline.actor_kind', current_setting('hotline.actor_was'), true), set_config('plan_cache_mode', 'auto', true)`
)

// Elevated runs fn with the rows of other agencies in reach, for code that has judged what it writes and what it tells.
func Elevated(ctx context.Context, tx db.Tx, fn func() error) error {
	if _, err := tx.Exec(ctx, elevateSQL); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, restoreSQL)
	return err
}

const openSQL = `select ticket_open($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32,
	$33, $34, $35, $36, $37, $38, $39::text::tsvector, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66, $67, $68)`

// Queue adds the statement that stores the ticket, for a transaction of any actor (ticket_open runs as the owner). The conversation, its message
// and the uploads must name the ticket themselves.
func (o *Opening) Queue(b *pgx.Batch) { o.queue(b, false) }

// queue is Queue; link makes the conversation and the uploads name the ticket.
func (o *Opening) queue(b *pgx.Batch, link bool) {
	c, t := o.c, &o.c.t
	keys := &c.svc.keys
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
	b.Queue(openSQL,
		t.ID, year, keys.hash(keys.code(t.ID, 1)), t.events, seal(t.head), t.Kind, t.Category, t.categoryFixed, t.ServiceItem, t.Area,
		t.Title, t.Description, t.Place, t.Lat, t.Lon, t.Lang, t.Urgency, t.Channel,
		t.ConversationID, t.ContactID, t.Confidential, string(t.State), optional(t.Lead), list(t.Co), t.Dispatches,
		t.SignDueAt, t.WarnAt, t.DueAt, t.PromisedAt, t.Provisional, []byte(t.Decision), t.Reply, t.Outcome,
		c.now, t.ClosedAt, t.Version, string(t.Queue()), t.Open(), o.searchVector(), o.d.Key, c.clocks.policy.Code, link, list(o.d.Uploads),
		accAgency, accRole, accActing,
		e.kind, e.actor, e.user, e.agency, e.from, e.to, e.public, e.data, e.seal,
		k.name, k.agency, k.n, k.unit, k.warn, k.due, k.provisional, k.next, k.stopped,
		noteID, noteAgency, noteRole, noteType,
	).QueryRow(func(row pgx.Row) error { return row.Scan(&t.Number) })
	o.queueFields(b)
	o.queueLacking(b)
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
