package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/internal/auth"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
)

// ErrNoVersion: an action needs the version that the caller saw.
var ErrNoVersion = errs.New(errs.Invalid, "api.version_needed", "an action needs the version of the ticket that the caller saw").On("version")

// Named is a thing with its code and its name in the language of the request.
type Named struct {
	Code string `json:"code" example:"dept-environment"`
	Name string `json:"name" example:"Environment department"`
}

// TicketRow is a ticket as lists show it.
type TicketRow struct {
	Number       string     `json:"number" example:"2026-000123"`
	Version      int        `json:"version" doc:"Counts moves; an action names the one that was seen" example:"4"`
	State        string     `json:"state" example:"in_progress"`
	Open         bool       `json:"open"`
	Queue        string     `json:"queue" doc:"What it waits for; empty when it is over" example:"work"`
	Light        string     `json:"light" enum:"green,yellow,red" doc:"Of the earliest running deadline" example:"green"`
	Kind         string     `json:"kind" example:"complaint"`
	Category     string     `json:"category" example:"environment.noise"`
	Urgency      string     `json:"urgency" example:"normal"`
	Title        string     `json:"title" example:"Construction noise at night"`
	Place        string     `json:"place,omitempty"`
	Lead         *Named     `json:"lead,omitempty" doc:"The agency that leads"`
	Acting       bool       `json:"acting" doc:"It is the reader's agency's turn"`
	DueAt        *time.Time `json:"due_at,omitempty"`
	OpenedAt     time.Time  `json:"opened_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	Confidential bool       `json:"confidential"`
}

// TicketPage is a piece of a list.
type TicketPage struct {
	Tickets []TicketRow `json:"tickets"`
	Next    string      `json:"next,omitempty" doc:"Marker of the next page; absent at the end"`
}

// TicketDetail is a ticket for the agencies that work on it. The contact is not in it: people see it in the console, and answer for it.
type TicketDetail struct {
	TicketRow
	ID              uuid.UUID    `json:"id"`
	Conversation    uuid.UUID    `json:"conversation"`
	ServiceItem     string       `json:"service_item,omitempty"`
	Area            string       `json:"area,omitempty"`
	Description     string       `json:"description"`
	Lat             *float64     `json:"lat,omitempty"`
	Lon             *float64     `json:"lon,omitempty"`
	Lang            string       `json:"lang" example:"en"`
	Channel         string       `json:"channel" example:"api"`
	Anonymous       bool         `json:"anonymous"`
	Co              []Named      `json:"co" doc:"Agencies that help"`
	CoOpen          []Named      `json:"co_open" doc:"Those of them that have not replied to the lead; an answer that does not wait for them has to say why (over)"`
	Ask             string       `json:"ask,omitempty" doc:"A request that waits for the hotline: transfer or extension"`
	Supervised      bool         `json:"supervised"`
	SignDueAt       *time.Time   `json:"sign_due_at,omitempty"`
	PromisedAt      *time.Time   `json:"promised_at,omitempty" doc:"By when the citizen may expect the answer; while it is done again, by when that is"`
	Reply           string       `json:"reply,omitempty"`
	Outcome         string       `json:"outcome,omitempty"`
	AgencyResolved  *bool        `json:"agency_resolved,omitempty"`
	CitizenResolved *bool        `json:"citizen_resolved,omitempty"`
	ClosedAt        *time.Time   `json:"closed_at,omitempty"`
	Clocks          []ClockInfo  `json:"clocks" doc:"The deadlines, the nearest first; those that have ended come last"`
	Way             []WayStep    `json:"way" doc:"The agencies that led it, in order: by dispatch of the hotline, or handed over inside a tree"`
	Files           []File       `json:"files"`
	Fields          []FieldValue `json:"fields" doc:"The category's own fields that have a value"`
	Actions         []ActionInfo `json:"actions" doc:"What this key may do now"`
}

// ClockInfo is one deadline of a ticket.
type ClockInfo struct {
	Name        string    `json:"name" doc:"sign, first_reply, resolve, return_decision, …; co_sign and co_reply are those of a co-agency" example:"resolve"`
	Agency      *Named    `json:"agency,omitempty" doc:"The co-agency whose clock it is"`
	StartedAt   time.Time `json:"started_at"`
	DueAt       time.Time `json:"due_at"`
	State       string    `json:"state" enum:"running,paused,ended,left_open" doc:"left_open: of a co-agency, ended by what others did before it had done its part" example:"running"`
	Light       string    `json:"light" enum:"green,yellow,red" doc:"Of a clock that has ended: red when that was after the deadline"`
	Stage       string    `json:"stage,omitempty" doc:"The last rung of the ladder: reminder, notice, dunning, criticism" example:"reminder"`
	Provisional bool      `json:"provisional" doc:"The calendar of that year is not published yet"`
}

// WayStep is an agency on the way of a ticket.
type WayStep struct {
	Agency     *Named     `json:"agency,omitempty"`
	State      string     `json:"state" enum:"dispatched,signed,returned,transferred,recalled,handed,done" example:"signed"`
	Designated bool       `json:"designated" doc:"After coordination; it has to handle the ticket"`
	GivenAt    time.Time  `json:"given_at"`
	SignDueAt  *time.Time `json:"sign_due_at,omitempty"`
	SignedAt   *time.Time `json:"signed_at,omitempty"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
}

// ActionInfo is an action with the fields it needs.
type ActionInfo struct {
	Action   string   `json:"action" example:"reply"`
	Required []string `json:"required" example:"[\"text\",\"outcome\",\"resolved\"]"`
}

// Event is an entry of the history.
type Event struct {
	Seq    int            `json:"seq" example:"1"`
	Type   string         `json:"type" doc:"An action, or opened, note, assigned, attached, rated, reminder, …" example:"dispatch"`
	Actor  string         `json:"actor" enum:"citizen,bot,staff,system" example:"system"`
	Agency *Named         `json:"agency,omitempty"`
	From   string         `json:"from,omitempty" example:"pending_dispatch"`
	To     string         `json:"to,omitempty" example:"dispatched"`
	Public bool           `json:"public" doc:"The citizen sees it"`
	Data   map[string]any `json:"data" doc:"The inputs of the action"`
	At     time.Time      `json:"at"`
}

// ActionInput are the fields of an action; which it needs is in the ticket's actions.
type ActionInput struct {
	Version      int         `json:"version,omitempty" minimum:"1" doc:"The version that the caller saw; or If-Match with the ETag" example:"4"`
	Reason       string      `json:"reason,omitempty" maxLength:"100" example:"not_responsible"`
	Basis        string      `json:"basis,omitempty" maxLength:"2000"`
	RightChannel string      `json:"right_channel,omitempty" maxLength:"2000"`
	Text         string      `json:"text,omitempty" maxLength:"20000" example:"We have spoken with the builder; work now ends at 22:00."`
	Outcome      string      `json:"outcome,omitempty" maxLength:"100" example:"resolved"`
	Resolved     *bool       `json:"resolved,omitempty"`
	Lead         string      `json:"lead,omitempty" maxLength:"100" doc:"Code of an agency" example:"dept-environment"`
	Co           []string    `json:"co,omitempty" maxItems:"20" doc:"Codes of agencies"`
	Parent       string      `json:"parent,omitempty" maxLength:"40" doc:"Number of the ticket to merge into" example:"2026-000001"`
	Days         int         `json:"days,omitempty" minimum:"1" maximum:"365" example:"3"`
	Reached      *bool       `json:"reached,omitempty"`
	Satisfaction int         `json:"satisfaction,omitempty" minimum:"1" maximum:"5"`
	TransferTo   string      `json:"transfer_to,omitempty" maxLength:"200"`
	Category     string      `json:"category,omitempty" maxLength:"100" doc:"Code of the category that the case belongs to" example:"environment.noise"`
	Over         string      `json:"over,omitempty" maxLength:"2000" doc:"Of a reply: why it does not wait for the agencies in co_open" example:"They measure only next week."`
	Uploads      []uuid.UUID `json:"uploads,omitempty" maxItems:"10"`
}

// ActionResult is where the ticket stands after an action.
type ActionResult struct {
	Number  string `json:"number" example:"2026-000123"`
	Version int    `json:"version" example:"5"`
	State   string `json:"state" example:"replied"`
}

type listInput struct {
	View     string `query:"view" default:"open" doc:"One of the built-in lists"`
	Kind     string `query:"kind" enum:"consult,help,complaint,report,suggestion,praise"`
	Category string `query:"category" maxLength:"100" doc:"A node of the category tree; what is below it matches too"`
	State    string `query:"state" maxLength:"40"`
	Urgency  string `query:"urgency" enum:"normal,urgent,complex"`
	Lead     string `query:"lead" maxLength:"100" doc:"Code of the agency that leads"`
	Text     string `query:"q" maxLength:"200" doc:"Words in English or Chinese, or a number"`
	Cursor   string `query:"cursor" maxLength:"600"`
	Limit    int    `query:"limit" minimum:"1" maximum:"100" default:"25"`
}

type listOutput struct{ Body TicketPage }

type numberInput struct {
	Number string `path:"number" maxLength:"40" example:"2026-000123"`
}

type ticketOutput struct {
	ETag string `header:"ETag"`
	Body TicketDetail
}

type eventsOutput struct {
	Body struct {
		Events []Event `json:"events"`
	}
}

type actInput struct {
	Number  string `path:"number" maxLength:"40" example:"2026-000123"`
	Action  string `path:"action" maxLength:"40" example:"sign"`
	IfMatch string `header:"If-Match" maxLength:"40" doc:"ETag of the ticket that the caller saw, in place of version"`
	Body    ActionInput
}

type actOutput struct {
	ETag string `header:"ETag"`
	Body ActionResult
}

func (a *API) staffRoutes() {
	missing := []int{http.StatusNotFound}
	register(a, operation{id: "list-tickets", method: http.MethodGet, path: "/tickets", tag: tagTickets, summary: "List the agency's tickets",
		about: "What the key's agency sees, a built-in view at a time, narrowed by filters. A search by words ranks the best 200.",
		scope: auth.ScopeTicketsRead, enums: map[string][]any{"view": views()}}, a.list)
	register(a, operation{id: "get-ticket", method: http.MethodGet, path: "/tickets/{number}", tag: tagTickets, summary: "Read a ticket",
		about: "The ETag is the version that an action has to name.", scope: auth.ScopeTicketsRead, errors: missing}, a.get)
	register(a, operation{id: "list-ticket-events", method: http.MethodGet, path: "/tickets/{number}/events", tag: tagTickets, summary: "Read a ticket's history",
		scope: auth.ScopeTicketsRead, errors: missing}, a.events)
	register(a, operation{id: "act-on-ticket", method: http.MethodPost, path: "/tickets/{number}/actions/{action}", tag: tagTickets, summary: "Make a move on a ticket",
		about: "A key of the hotline does the work of operators and dispatchers, one of an agency that of its handlers. A ticket that somebody else changed in the meantime " +
			"gives 409 tickets.stale, and args say what happened.",
		scope: auth.ScopeTicketsAct, idempotent: true, errors: missing, example: map[string]any{"version": 3}, enums: map[string][]any{"action": actions()}}, a.act)
}

func views() []any {
	var out []any
	for _, v := range tickets.Views() {
		if !v.Personal() { // a key is nobody
			out = append(out, string(v))
		}
	}
	return out
}

func actions() []any {
	seen := map[tickets.Action]bool{}
	var out []any
	for _, m := range tickets.Table() {
		if !seen[m.Name] {
			seen[m.Name] = true
			out = append(out, string(m.Name))
		}
	}
	return out
}

func (a *API) list(c *call, in *listInput) (*listOutput, error) {
	f := tickets.Filter{Kind: in.Kind, Category: in.Category, Urgency: in.Urgency, State: tickets.State(in.State), Text: in.Text}
	if in.State != "" && !f.State.Known() {
		return nil, named(ErrField, "state")
	}
	if in.Lead != "" {
		lead, ok := a.Routing.Snapshot().AgencyByCode(in.Lead)
		if !ok {
			return nil, named(ErrField, "lead")
		}
		f.Lead = lead.ID
	}
	scope := []string{c.principal(), in.View, in.Kind, in.Category, in.Urgency, in.State, in.Lead, in.Text}
	after, err := a.cursors.open(in.Cursor, scope...)
	if err != nil {
		return nil, err
	}
	page, err := a.Tickets.List(c.ctx, c.staff(), tickets.View(in.View), f, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := TicketPage{Tickets: make([]TicketRow, len(page.Rows)), Next: a.cursors.seal(page.Next, scope...)}
	for i, row := range page.Rows {
		out.Tickets[i] = a.row(c, row.Ticket)
		out.Tickets[i].Acting = row.Acting
	}
	return &listOutput{Body: out}, nil
}

func (a *API) row(c *call, t tickets.Ticket) TicketRow {
	return TicketRow{Number: t.Number, Version: t.Version, State: string(t.State), Open: t.Open(), Queue: string(t.Queue()), Light: string(t.Light(a.Clock.Now())),
		Kind: t.Kind, Category: t.Category, Urgency: t.Urgency, Title: t.Title, Place: t.Place, Lead: a.agency(c, t.Lead), Acting: acting(c, t),
		DueAt: utc(t.DueAt), OpenedAt: t.OpenedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(), Confidential: t.Confidential}
}

// acting reports whether it is the turn of the key's agency.
func acting(c *call, t tickets.Ticket) bool {
	holder := t.State.Info().Holder
	return holder == tickets.HeldByLead && t.Lead == c.key.AgencyID || c.key.Desk && t.Open() && (holder == tickets.HeldByDesk || t.Ask != "")
}

func (a *API) agency(c *call, id uuid.UUID) *Named {
	agency, ok := a.Routing.Snapshot().Agency(id)
	if !ok {
		return nil
	}
	return &Named{Code: agency.Code, Name: agency.Names.In(c.lang)}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

func versionTag(t tickets.Ticket) string { return `"v` + strconv.Itoa(t.Version) + `"` }

func (a *API) get(c *call, in *numberInput) (*ticketOutput, error) {
	t, err := a.byNumber(c, in.Number)
	if err != nil {
		return nil, err
	}
	d := TicketDetail{TicketRow: a.row(c, t), ID: t.ID, Conversation: t.ConversationID, ServiceItem: t.ServiceItem, Area: t.Area, Description: t.Description, Lat: t.Lat, Lon: t.Lon,
		Lang: t.Lang, Channel: t.Channel, Anonymous: t.ContactID == nil, Co: []Named{}, CoOpen: []Named{}, Ask: t.Ask, Supervised: t.Supervised, SignDueAt: utc(t.SignDueAt),
		Reply: t.Reply, Outcome: t.Outcome, AgencyResolved: t.AgencyResolved, CitizenResolved: t.CitizenResolved, ClosedAt: utc(t.ClosedAt),
		Actions: []ActionInfo{}}
	for _, co := range t.Co {
		if agency := a.agency(c, co); agency != nil {
			d.Co = append(d.Co, *agency)
		}
	}
	promised, err := a.Tickets.Promised(c.ctx, c.staff(), t)
	if err != nil {
		return nil, err
	}
	d.PromisedAt = utc(promised)
	list, err := a.Tickets.Clocks(c.ctx, c.staff(), t.ID)
	if err != nil {
		return nil, err
	}
	d.Clocks = a.clocks(c, list)
	for _, clk := range tickets.CoOpen(list) {
		if agency := a.agency(c, clk.Agency); agency != nil {
			d.CoOpen = append(d.CoOpen, *agency)
		}
	}
	for _, m := range a.Tickets.Moves(c.staff(), t) {
		info := ActionInfo{Action: string(m.Name), Required: []string{}}
		for _, f := range m.Required {
			info.Required = append(info.Required, string(f))
		}
		if m.Name == tickets.Reply && len(d.CoOpen) > 0 {
			info.Required = append(info.Required, string(tickets.FOver))
		}
		d.Actions = append(d.Actions, info)
	}
	if d.Way, err = a.way(c, t); err != nil {
		return nil, err
	}
	attached, err := a.Tickets.Attachments(c.ctx, c.staff(), t.ID)
	if err != nil {
		return nil, err
	}
	if d.Fields, err = a.fieldValues(c, t); err != nil {
		return nil, err
	}
	d.Files = make([]File, len(attached))
	for i, f := range attached {
		d.Files[i] = File{ID: f.ID, Name: f.Name, Type: f.ContentType, Size: f.Size, Width: f.Width, Height: f.Height}
	}
	return &ticketOutput{ETag: versionTag(t), Body: d}, nil
}

func (a *API) events(c *call, in *numberInput) (*eventsOutput, error) {
	t, err := a.byNumber(c, in.Number)
	if err != nil {
		return nil, err
	}
	entries, err := a.Tickets.Timeline(c.ctx, c.staff(), t.ID)
	if err != nil {
		return nil, err
	}
	out := &eventsOutput{}
	out.Body.Events = a.eventsOf(c, entries)
	return out, nil
}

func (a *API) eventsOf(c *call, entries []tickets.Event) []Event {
	out := make([]Event, len(entries))
	for i, e := range entries {
		out[i] = Event{Seq: e.Seq, Type: e.Type, Actor: e.Actor, Agency: a.agency(c, e.AgencyID), From: string(e.From), To: string(e.To), Public: e.Public,
			Data: a.eventData(e.Data), At: e.At.UTC()}
	}
	return out
}

// eventData shows agencies by their codes: the ids mean nothing outside.
func (a *API) eventData(f tickets.Fields) map[string]any {
	raw, err := json.Marshal(f)
	data := map[string]any{}
	if err != nil || json.Unmarshal(raw, &data) != nil {
		return map[string]any{} // it marshals by construction
	}
	code := func(id uuid.UUID) string { agency, _ := a.Routing.Snapshot().Agency(id); return agency.Code }
	if f.Lead != uuid.Nil {
		data["lead"] = code(f.Lead)
	}
	if len(f.Co) > 0 {
		var codes []string
		for _, id := range f.Co {
			codes = append(codes, code(id))
		}
		data["co"] = codes
	}
	return data
}

func (a *API) act(c *call, in *actInput) (*actOutput, error) {
	name := tickets.Action(in.Action)
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	who := c.staff()
	result, err := once(a, c, func(keep store[ActionResult]) (ActionResult, error) {
		t, err := a.byNumber(c, in.Number)
		if err != nil {
			return ActionResult{}, err
		}
		fields, err := a.fields(c, in.Body)
		if err != nil {
			return ActionResult{}, err
		}
		var result ActionResult
		err = db.WithTx(c.ctx, a.Pool, who.DB, func(tx db.Tx) (err error) {
			if t, err = a.Tickets.ApplyTx(c.ctx, tx, who, t.ID, version, name, fields, c.onceKey()); err != nil {
				return err
			}
			result = ActionResult{Number: t.Number, Version: t.Version, State: string(t.State)}
			return keep(c.ctx, tx, result)
		})
		if err == nil {
			a.Chat.Announce(t)
		}
		return result, err
	})
	if err != nil {
		return nil, err
	}
	return &actOutput{ETag: `"v` + strconv.Itoa(result.Version) + `"`, Body: result}, nil
}

func (in *actInput) version() (int, error) {
	if in.IfMatch == "" {
		if in.Body.Version == 0 {
			return 0, ErrNoVersion
		}
		return in.Body.Version, nil
	}
	tag := strings.Trim(strings.TrimPrefix(strings.TrimSpace(in.IfMatch), "W/"), `"`)
	v, err := strconv.Atoi(strings.TrimPrefix(tag, "v"))
	if err != nil || v < 1 || in.Body.Version != 0 && in.Body.Version != v {
		return 0, named(ErrField, "If-Match")
	}
	return v, nil
}

func (a *API) fields(c *call, in ActionInput) (tickets.Fields, error) {
	f := tickets.Fields{Reason: channels.CleanLine(in.Reason, 100), Basis: channels.CleanText(in.Basis), RightChannel: channels.CleanText(in.RightChannel), Text: channels.CleanText(in.Text), Outcome: in.Outcome,
		Resolved: in.Resolved, Days: in.Days, Reached: in.Reached, Satisfaction: in.Satisfaction, TransferTo: channels.CleanText(in.TransferTo), Category: in.Category, Over: channels.CleanText(in.Over), Uploads: in.Uploads}
	snapshot := a.Routing.Snapshot()
	agency := func(code, field string) (uuid.UUID, error) {
		found, ok := snapshot.AgencyByCode(code)
		if !ok {
			return uuid.Nil, named(ErrField, field)
		}
		return found.ID, nil
	}
	var err error
	if in.Lead != "" {
		if f.Lead, err = agency(in.Lead, "lead"); err != nil {
			return f, err
		}
	}
	for _, code := range in.Co {
		id, err := agency(code, "co")
		if err != nil {
			return f, err
		}
		f.Co = append(f.Co, id)
	}
	if in.Parent != "" {
		parent, err := a.byNumber(c, in.Parent)
		if errors.Is(err, tickets.ErrNotFound) {
			return f, named(ErrField, "parent").Wrap(err)
		}
		if err != nil {
			return f, err
		}
		f.Parent = parent.ID
	}
	return f, nil
}
