package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/errs"
	"hotline/routing"
	"hotline/tickets"
	"hotline/web/httperr"
)

// actionData is the small form of one action.
type actionData struct {
	T          tickets.Ticket
	Move       tickets.Move
	Fields     []tickets.Field
	Reasons    []tickets.Code
	Outcomes   []tickets.Code
	Categories []option
	Options    []proposal // of a dispatch: what routing proposes
	Agencies   []option
	Others     []option       // agencies that may come to help, or of those that help
	Asked      tickets.Fields // what is being decided on
	AskedIn    []string       // and in lines
	Longer     *tickets.Extension
	Form       map[string]string
	Error      string
	Query      template.URL
	Version    int
}

// TextName is the label of the action's text: what it is there, where that is more than a text.
func (d actionData) TextName() string {
	switch d.Move.Name {
	case tickets.RefuseExtend, tickets.RefuseTransfer, tickets.RefuseReturn, tickets.RefuseExclude, tickets.ApproveExclude, tickets.RequestExtend, tickets.Recall, tickets.Designate,
		tickets.Reopen, tickets.Redispatch, tickets.Unmerge, tickets.DropCo, tickets.LiftOrder, tickets.HandUp, tickets.Appeal, tickets.NotAnswered, tickets.TakeBack:
		return "field.text_why"
	case tickets.Supervise:
		return "field.text_order"
	case tickets.AnswerOrder:
		return "field.text_answer"
	case tickets.CoReply:
		return "field.text_part"
	}
	return "field.text"
}

// Required reports whether the action wants the field.
func (d actionData) Required(f tickets.Field) bool { return slices.Contains(d.Move.Required, f) }

// fill keeps what was entered.
func (d *actionData) fill(form url.Values) {
	for name, values := range form {
		d.Form[name] = strings.Join(values, ",")
	}
}

// Chosen reports whether a proposal is the one to begin with: what was chosen before, else the first that has not given the ticket back.
func (d actionData) Chosen(i int, p proposal) bool {
	if d.Form["version"] != "" {
		return d.Form["lead"] == p.ID.String() && d.Form["other"] == ""
	}
	return i == 0 && !p.Past
}

// Picked reports whether an option was chosen before.
func (d actionData) Picked(name, value string) bool {
	return slices.Contains(strings.Split(d.Form[name], ","), value)
}

// Dispatching reports whether the action chooses an agency.
func (d actionData) Dispatching() bool { return slices.Contains(d.Move.Required, tickets.FLead) }

func (c *Console) newAction(ctx context.Context, v View, t tickets.Ticket, name tickets.Action) (*actionData, error) {
	moves := c.Tickets.Moves(actor(v.Me), t)
	i := slices.IndexFunc(moves, func(m tickets.Move) bool { return m.Name == name })
	if i < 0 {
		return nil, tickets.ErrNoMove.With("state", v.State(t.State)).With("action", v.Action(name))
	}
	d := &actionData{T: t, Move: moves[i], Reasons: tickets.Reasons(name), Outcomes: tickets.Outcomes(), Form: map[string]string{}, Version: t.Version, Asked: t.AskData}
	d.Fields = append(slices.Clone(d.Move.Required), extraFields[name]...)
	switch {
	case name == tickets.HandDown:
		d.Agencies = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return dispatchable(a) && slices.Contains(a.Ancestors, t.Lead) })
	case d.Dispatching():
		d.Options = v.route(t).Options
		d.Agencies = c.agencyOptions(v.Lang, dispatchable)
		d.Others = d.Agencies
	case name == tickets.Reclassify:
		d.Categories = slices.DeleteFunc(c.categories(v.Lang), func(o option) bool { return o.Value == t.Category })
	case name == tickets.RequestExtend, name == tickets.ApproveExtend, name == tickets.RefuseExtend:
		longer, ok, err := c.Tickets.ExtensionOf(ctx, actor(v.Me), t)
		if err != nil {
			return nil, err
		}
		if ok {
			d.Longer = &longer
		}
	case name == tickets.AddCo:
		d.Others = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return dispatchable(a) && a.ID != t.Lead && !slices.Contains(t.Co, a.ID) })
	case name == tickets.DropCo:
		d.Others = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return slices.Contains(t.Co, a.ID) })
	}
	if t.Ask != "" && slices.Contains(deciding, name) {
		d.AskedIn = v.eventLines(tickets.Event{Type: asks[t.Ask], Data: t.AskData}, nil)
	}
	return d, nil
}

// deciding are the moves that decide on what an agency or an officer asked for; asks are the moves that asked.
var (
	deciding = []tickets.Action{tickets.ApproveTransfer, tickets.RefuseTransfer, tickets.ApproveExtend, tickets.RefuseExtend, tickets.ApproveExclude, tickets.RefuseExclude}
	asks     = map[string]string{"transfer": string(tickets.RequestTransfer), "extension": string(tickets.RequestExtend), "exclusion": string(tickets.RequestExclude)}
)

func dispatchable(a routing.Agency) bool { return a.Active && !a.Desk() }

// actionForm is the form of one action: in the dialog for htmx, as a page without.
func (c *Console) actionForm(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	d, err := c.newAction(r.Context(), v, t, tickets.Action(r.PathValue("action")))
	if err != nil {
		return err
	}
	return c.showAction(w, r, v, d, http.StatusOK)
}

func (c *Console) showAction(w http.ResponseWriter, r *http.Request, v View, d *actionData, status int) error {
	d.Query = query(listQuery(pageQuery(r)))
	v.Nav, v.Title, v.D = "inbox", v.Action(d.Move.Name)+" · "+d.T.Number, d
	if isHX(r) {
		c.fragment(w, r, status, "action-form", v)
		return nil
	}
	c.page(w, r, status, "action", v)
	return nil
}

// act makes a move.
func (c *Console) act(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	name := tickets.Action(r.PathValue("action"))
	fields, err := c.readFields(r.Context(), v, r)
	if err == nil {
		fields.ModelCall = c.suggestedBy(r.Context(), v, id, parseID(r.PostForm.Get("ask")), fields)
		_, err = c.apply(r.Context(), v, id, number(r.PostForm.Get("version")), name, fields, key(r.PostForm.Get("key")))
	}
	if err != nil {
		return c.actFailed(w, r, v, id, name, err)
	}
	return c.acted(w, r, id, v.T("done."+string(name)))
}

// apply makes the move, as a message to the citizen where there is one, and tells the others.
func (c *Console) apply(ctx context.Context, v View, id uuid.UUID, version int, name tickets.Action, f tickets.Fields, key string) (tickets.Ticket, error) {
	if slices.Contains(composed, name) {
		return c.Chat.ReplyToTicket(ctx, actor(v.Me), id, version, f.Text, name, f, key)
	}
	t, err := c.Tickets.Apply(ctx, actor(v.Me), id, version, name, f, key)
	if err == nil {
		c.Chat.Announce(t)
	}
	return t, err
}

// acted answers after a change: the ticket as it is now, or the list when it is no longer this agency's.
func (c *Console) acted(w http.ResponseWriter, r *http.Request, id uuid.UUID, words string) error {
	toast(w, words)
	// The form may stand on a page of its own, without the pane that the ticket would appear in.
	alone := strings.Contains(r.Header.Get("HX-Current-URL"), "/do/")
	if !isHX(r) || alone {
		to := "/console/tickets/" + id.String()
		if _, err := c.Tickets.ByID(r.Context(), actor(c.view(r).Me), id); errors.Is(err, tickets.ErrNotFound) {
			to = "/console/inbox" // what was just done gave it to others
		}
		if q := listQuery(pageQuery(r)).Encode(); q != "" {
			to += "?" + q
		}
		if alone {
			w.Header().Set("HX-Redirect", to)
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	w.Header().Set("HX-Retarget", "#pane")
	w.Header().Set("HX-Reswap", "innerHTML")
	err := c.showTicket(w, r, id, http.StatusOK, nil)
	if errors.Is(err, tickets.ErrNotFound) {
		v := c.view(r)
		c.fragment(w, r, http.StatusOK, "ticket-gone", v)
		return nil
	}
	return err
}

// actFailed brings the form back with what was entered and with words for what is wrong.
func (c *Console) actFailed(w http.ResponseWriter, r *http.Request, v View, id uuid.UUID, name tickets.Action, cause error) error {
	if !expected(cause) {
		return cause
	}
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	words := c.explain(r.Context(), v, cause)
	status := httperr.Status(errs.KindOf(cause))
	if isHX(r) {
		// The dialog keeps its fields; it gets the words and the version that the words are about.
		place := "#form-error"
		if r.Header.Get("HX-Target") != "dialog-body" {
			place = "#toasts"
		}
		w.Header().Set("HX-Trigger", "ticket-changed")
		return c.formError(w, r, place, words, status, map[string]any{"Version": t.Version, "ID": "form"})
	}
	d, err := c.newAction(r.Context(), v, t, name)
	if err != nil {
		// The action is no longer possible: the ticket as it is now says more than an empty form. What was written waits in the composer.
		return c.showTicket(w, r, id, status, func(d *ticketData) {
			d.Composer.Error, d.Composer.Mode = words, "note"
			d.Composer.Text = strings.TrimSpace(r.PostForm.Get("basis") + "\n" + r.PostForm.Get("text"))
		})
	}
	d.Error = words
	d.fill(r.PostForm)
	return c.showAction(w, r, v, d, status)
}

// readFields reads the inputs of a move. Errors: ErrBadField for a parent that does not exist.
func (c *Console) readFields(ctx context.Context, v View, r *http.Request) (tickets.Fields, error) {
	q := r.PostForm
	f := tickets.Fields{
		Reason: clean(q.Get("reason"), 200), Basis: text(q.Get("basis")), RightChannel: clean(q.Get("right_channel"), 1000), Text: text(q.Get("text")),
		Outcome: clean(q.Get("outcome"), 200), Resolved: yesNo(q.Get("resolved")), Reached: yesNo(q.Get("reached")), Days: number(q.Get("days")),
		Satisfaction: number(q.Get("satisfaction")), TransferTo: clean(q.Get("transfer_to"), 1000), Over: text(q.Get("over")),
		Category: clean(q.Get("category"), 100),
	}
	f.Lead = parseID(q.Get("lead"))
	if other := parseID(q.Get("other")); other != uuid.Nil {
		f.Lead = other
	}
	for _, one := range q["co"] {
		if id := parseID(one); id != uuid.Nil && id != f.Lead {
			f.Co = append(f.Co, id)
		}
	}
	if n := clean(q.Get("parent"), 40); n != "" {
		parent, err := c.Tickets.ByNumber(ctx, actor(v.Me), n)
		if err != nil {
			return f, tickets.ErrBadField.On("parent").With("field", "parent")
		}
		f.Parent = parent.ID
	}
	return f, nil
}

// explain puts an error into words, with who changed what where that is the reason.
func (c *Console) explain(ctx context.Context, v View, err error) string {
	var e *errs.Error
	if !errors.As(err, &e) {
		return c.words.Error(v.Lang, err)
	}
	switch {
	case errors.Is(err, tickets.ErrStale):
		who := ""
		if id, ok := e.Args["user"].(string); ok {
			if names, err := c.names(ctx, v.Me.Actor(), v.Lang, map[uuid.UUID]bool{parseID(id): true}); err == nil {
				who = names[parseID(id)]
			}
		}
		if agency, ok := e.Args["agency"].(string); ok && who == "" {
			who = v.Agency(parseID(agency))
		}
		if who == "" {
			who = v.T("someone")
			if actor, _ := e.Args["actor"].(string); actor == string(tickets.KindSystem) || actor == string(tickets.KindCitizen) {
				who = v.T("conflict.who_" + actor)
			}
		}
		at := v.Now
		if t, ok := e.Args["at"].(time.Time); ok {
			at = t
		}
		action, _ := e.Args["action"].(string)
		state, _ := e.Args["state"].(string)
		if action == "" { // what happened is not told with every refusal
			return c.words.Error(v.Lang, err)
		}
		return v.T("conflict.stale", "who", who, "event", v.Event(action), "at", v.Clock(at), "state", v.State(state))
	case errors.Is(err, tickets.ErrMissing), errors.Is(err, tickets.ErrBadField):
		name, _ := e.Args["field"].(string)
		if name == "" {
			name = e.Field
		}
		if errors.Is(err, tickets.ErrMissing) {
			return v.T("error.missing", "field", c.fieldLabel(ctx, v, name))
		}
		return v.T("error.bad", "field", c.fieldLabel(ctx, v, name))
	case errors.Is(err, chat.ErrHeld):
		if name, ok := e.Args["name"].(string); ok && name != "" {
			return v.T("conflict.held", "name", name)
		}
	case errors.Is(err, tickets.ErrNoMove):
		state, _ := e.Args["state"].(string)
		action, _ := e.Args["action"].(string)
		return v.T("conflict.no_move", "state", v.State(state), "action", v.Action(action))
	}
	return c.words.Error(v.Lang, err)
}

// assign gives the ticket to somebody of the agency, or back to its queue.
func (c *Console) assign(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	to := parseID(r.PostForm.Get("to"))
	before, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	t, err := c.Tickets.Assign(r.Context(), actor(v.Me), id, number(r.PostForm.Get("version")), to, key(r.PostForm.Get("key")))
	if err != nil {
		if expected(err) && isHX(r) {
			w.Header().Set("HX-Trigger", "ticket-changed")
			return c.formError(w, r, "#toasts", c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)), nil)
		}
		return err
	}
	c.Chat.Announce(t)
	words := "done.assigned"
	switch to {
	case uuid.Nil:
		words = "done.unassigned"
	case v.Me.UserID:
		words = "done.taken"
	}
	// Who has a ticket reaches no citizen: it is taken back with one click instead of being asked about before.
	undo(w, "/console/tickets/"+id.String()+"/assign", url.Values{"to": {assignee(before)}, "version": {itoa(t.Version)}, "key": {v.NewKey()}})
	return c.acted(w, r, id, v.T(words))
}

func assignee(t tickets.Ticket) string {
	if t.Assignee == uuid.Nil {
		return ""
	}
	return t.Assignee.String()
}
