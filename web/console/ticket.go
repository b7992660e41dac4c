package console

import (
	"context"
	"encoding/json"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/auth"
	"hotline/internal/errs"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/flags"
)

// ticketData is the ticket page: the ticket, what happened, what may be done, and what helps to decide.
type ticketData struct {
	T            tickets.Ticket
	Light        Light
	Feed         []feedItem
	First, More  []moveView
	Clocks       []tickets.ClockView
	Way          []tickets.Assignment
	Composer     composer
	Contact      contactView
	Hears        hearsView
	Route        routeView
	Siblings     []sibling
	Assignee     string
	Colleagues   []auth.User
	MayTake      bool // nobody has it and it is ours
	MayAssign    bool
	Rating       *tickets.Rating
	Rectify      *rectifyRow
	MayRectify   bool
	MayFile      bool         // under another category
	MayLink      bool         // an assessment link can be made
	Query        template.URL // of the list it was opened from
	Conversation chat.Conversation
	HasChat      bool
	ParentNumber string
	Asked        bool // the description is not among the messages
	Flags        []flags.Flag
	Often        string // how many tickets the contact filed lately, when they are many
	MayFlag      bool
	Tags         tagsData
	Ties         tiesData
	Fields       fieldsData
	Reporters    int         // of a mass event
	Promised     *time.Time  // by when the citizen may expect an answer
	Assist       *assistData // nil: the page fetches it
}

// moveView is an action button.
type moveView struct {
	tickets.Move
	Direct  bool // needs no field: one click
	Primary bool
	Danger  bool
	Hotkey  string
}

// rare actions stand behind "more": they are seldom right and seldom undone.
var rare = []tickets.Action{tickets.Withdraw, tickets.Merge, tickets.TransferOut, tickets.Supervise, tickets.Refuse, tickets.CitizenReply,
	tickets.AddInformation, tickets.Recall, tickets.Unmerge, tickets.Appeal, tickets.NotAnswered, tickets.TakeBack, tickets.RevisitAttempt, tickets.AddCo, tickets.DropCo, tickets.CoDecline, tickets.HandUp, tickets.HandDown,
	tickets.LiftOrder, tickets.RequestExclude, tickets.Reclassify}

// ahead lead on the main path; the first of them that is possible is the button to reach for.
var ahead = []tickets.Action{tickets.Accept, tickets.QueueUp, tickets.Dispatch, tickets.Designate, tickets.Sign, tickets.TakeUp, tickets.Complete,
	tickets.StartRevisit, tickets.RevisitDone, tickets.TakenOver, tickets.ApproveReturn, tickets.ApproveTransfer, tickets.ApproveExtend,
	tickets.AnswerOrder, tickets.CoReply, tickets.ApproveExclude}

// composed actions are what the composer does.
var composed = []tickets.Action{tickets.Reply, tickets.AskCitizen, tickets.AnswerDirectly}

var hotkeys = map[tickets.Action]string{tickets.Dispatch: "d", tickets.Designate: "d", tickets.Redispatch: "d", tickets.RequestReturn: "b",
	tickets.RequestTransfer: "b", tickets.Sign: "s", tickets.TakeUp: "s", tickets.Accept: "s"}

// extraFields are inputs that an action takes without requiring them.
var extraFields = map[tickets.Action][]tickets.Field{
	tickets.RevisitAttempt: {tickets.FReached, tickets.FText}, tickets.ApproveReturn: {tickets.FText}, tickets.ApproveTransfer: {tickets.FText},
	tickets.RevisitDone: {tickets.FText}, tickets.Coordinate: {tickets.FText},
	tickets.HandDown: {tickets.FText}, tickets.Reclassify: {tickets.FBasis},
}

func moveViews(moves []tickets.Move) (first, more []moveView) {
	for _, m := range moves {
		if slices.Contains(composed, m.Name) {
			continue
		}
		v := moveView{Move: m, Direct: len(m.Required) == 0 && len(extraFields[m.Name]) == 0, Hotkey: hotkeys[m.Name]}
		v.Danger = m.Name == tickets.Refuse || m.Name == tickets.Withdraw
		if slices.Contains(rare, m.Name) {
			more = append(more, v)
		} else {
			first = append(first, v)
		}
	}
	if i := slices.IndexFunc(first, func(m moveView) bool { return slices.Contains(ahead, m.Name) }); i >= 0 {
		first[i].Primary = true
		m := first[i]
		first = slices.Insert(slices.Delete(first, i, i+1), 0, m)
	}
	return first, more
}

func (c *Console) loadTicket(ctx context.Context, v View, id uuid.UUID, shown bool) (*ticketData, error) {
	a, act := v.Me.Actor(), actor(v.Me)
	t, err := c.Tickets.ByID(ctx, act, id)
	if err != nil {
		return nil, err
	}
	d := &ticketData{T: t, Light: v.lightOfTicket(t)}
	if d.Tags, err = c.loadTags(ctx, v, id); err != nil {
		return nil, err
	}
	if d.Fields, err = c.loadFields(ctx, v, t); err != nil {
		return nil, err
	}
	if d.Ties, err = c.loadTies(ctx, v, t); err != nil {
		return nil, err
	}
	if d.Hears, err = c.loadHears(ctx, v, t); err != nil {
		return nil, err
	}
	moves := c.Tickets.Moves(act, t)
	d.First, d.More = moveViews(moves)
	d.MayFile = mayFile(moves)
	if d.Clocks, err = c.Tickets.Clocks(ctx, act, id); err != nil {
		return nil, err
	}
	if d.Way, err = c.Tickets.Assignments(ctx, act, id); err != nil {
		return nil, err
	}
	events, err := c.Tickets.Timeline(ctx, act, id)
	if err != nil {
		return nil, err
	}
	var messages []chat.Message
	if t.ConversationID != uuid.Nil {
		d.Conversation, err = c.Chat.Conversation(ctx, a, t.ConversationID)
		switch {
		case errs.KindOf(err) == errs.NotFound: // the conversation has gone on to another ticket
		case err != nil:
			return nil, err
		default:
			d.HasChat = true
			if messages, err = c.Chat.Latest(ctx, a, t.ConversationID, 0, chat.MaxPage); err != nil {
				return nil, err
			}
			if messages, err = c.Chat.RenderFor(ctx, chat.ReaderStaff, messages); err != nil {
				return nil, err
			}
		}
	}
	users := map[uuid.UUID]bool{t.Assignee: true}
	for _, e := range events {
		users[e.UserID], users[e.Data.Assignee] = true, true
	}
	for _, m := range messages {
		users[m.UserID] = true
	}
	names, err := c.names(ctx, a, v.Lang, users)
	if err != nil {
		return nil, err
	}
	for i, m := range messages {
		if m.UserID != uuid.Nil && m.Name != "" { // the conversation's language is the citizen's, this page is ours
			messages[i].Name = names[m.UserID]
		}
	}
	d.Assignee = names[t.Assignee]
	d.Feed = feed(v, t, events, messages, names)
	for i, item := range d.Feed {
		if item.Event != nil && (item.Event.Type == "fields" || item.Event.Type == "fields_missing") {
			d.Feed[i].Text = d.Fields.entry(v, item.Text)
		}
	}
	d.Asked = !slices.ContainsFunc(messages, func(m chat.Message) bool {
		return m.Author == chat.ByCitizen && strings.TrimSpace(m.Text) == strings.TrimSpace(t.Description)
	})
	d.Route = v.route(t)
	if d.Contact, err = c.contactView(ctx, v, d, shown); err != nil {
		return nil, err
	}
	set, filed, days, err := c.Flags.Of(ctx, act, t)
	if err != nil {
		return nil, err
	}
	if d.Flags = set; filed > 2 {
		d.Often = v.T("flag.often", "n", filed, "days", days)
	}
	d.MayFlag = v.Me.Desk && v.Me.Has("supervisor") && t.ContactID != nil && !t.Confidential
	if d.Siblings, err = c.siblings(ctx, a, t.ConversationID, t.ID); err != nil {
		return nil, err
	}
	ours := v.Me.Desk && t.State.Info().Holder != tickets.HeldByLead || t.Lead == v.Me.AgencyID
	if ours && t.Open() {
		d.MayTake = t.Assignee == uuid.Nil && hasAny(v.Me, ticketRoles...)
		if d.MayAssign = hasAny(v.Me, "head", "dispatcher", "supervisor"); d.MayAssign {
			if d.Colleagues, err = c.Auth.Assignable(ctx, v.Me.AgencyID); err != nil {
				return nil, err
			}
		}
	}
	if r, ok, err := c.Tickets.RatingOf(ctx, act, id); err != nil {
		return nil, err
	} else if ok {
		d.Rating = &r
	}
	if t.Rectify != "" {
		r, ok, err := c.Tickets.RectificationOf(ctx, act, id)
		if err != nil {
			return nil, err
		}
		if ok {
			d.Rectify = &rectifyRow{RectificationRow: tickets.RectificationRow{Rectification: r}, Agency: v.Agency(r.Agency), Light: v.LightOf(nil, &r.DueAt)}
			d.MayRectify = c.Tickets.MayRectify(act, t)
		}
	}
	n, err := c.Tickets.Reporters(ctx, act, []tickets.Row{{Ticket: t}})
	if err != nil {
		return nil, err
	}
	d.Reporters = n[t.ID]
	if d.Promised, err = c.Tickets.Promised(ctx, act, t); err != nil {
		return nil, err
	}
	d.MayLink = c.Tickets.MayLink(act, t)
	if t.Parent != uuid.Nil {
		if parent, err := c.Tickets.ByID(ctx, act, t.Parent); err == nil {
			d.ParentNumber = parent.Number
		}
	}
	d.Composer = c.newComposer(ctx, v, d, moves)
	c.translations(ctx, v, matterOfTicket(t), d.Feed)
	return d, nil
}

// routeView is routing's decision in words.
type routeView struct {
	Lead    string
	Percent int
	Known   bool
	Reasons []string
	Options []proposal
}

// proposal is an agency that the ticket could go to.
type proposal struct {
	ID      uuid.UUID
	Co      []uuid.UUID
	CoNames string
	Name    string
	Percent int
	Reasons []string
	Past    bool // gave it back before
}

func (v View) route(t tickets.Ticket) routeView {
	var d routing.Decision
	if len(t.Decision) == 0 || json.Unmarshal(t.Decision, &d) != nil || d.Lead == uuid.Nil && len(d.Explanation) == 0 {
		return routeView{}
	}
	s := v.c.Routing.Snapshot()
	r := routeView{Known: true, Lead: v.Agency(d.Lead), Percent: percent(d.Score), Reasons: s.Explain(v.Lang, d.Explanation)}
	for _, alt := range d.Alternatives {
		p := proposal{ID: alt.Agency, Co: alt.Co, Name: v.Agency(alt.Agency), Percent: percent(alt.Score), Reasons: s.Explain(v.Lang, alt.Explanation), Past: slices.Contains(t.Past, alt.Agency)}
		names := make([]string, 0, len(alt.Co))
		for _, id := range alt.Co {
			names = append(names, v.Agency(id))
		}
		p.CoNames = strings.Join(names, v.T("comma"))
		r.Options = append(r.Options, p)
	}
	return r
}

func percent(score float64) int { return int(math.Round(max(0, min(1, score)) * 100)) }

// ticket shows one ticket: the whole page, or the ticket alone for htmx.
func (c *Console) ticket(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	return c.showTicket(w, r, id, http.StatusOK, nil)
}

// showTicket renders the ticket pane; edit may change what the page shows, for example an error beside what was typed.
func (c *Console) showTicket(w http.ResponseWriter, r *http.Request, id uuid.UUID, status int, edit func(*ticketData)) error {
	v := c.view(r)
	d, err := c.loadTicket(r.Context(), v, id, false)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	if q.Get("view") == "" && isHX(r) {
		q = pageQuery(r)
	}
	d.Query = query(listQuery(q))
	d.Composer.use(number(r.URL.Query().Get("use")))
	if panel, words, chosen := c.inline(r, v, c.ticketMatter); panel != nil {
		if d.Assist = panel; words != "" {
			d.Composer.Text, d.Composer.Used = words, chosen
		}
	}
	if edit != nil {
		edit(d)
	}
	if err := c.Tickets.SeeMentions(r.Context(), actor(v.Me), id); err != nil {
		c.Log.WarnContext(r.Context(), "mentions", "error", err) // the mark is a hint; the ticket is what was asked for
	}
	v.Nav, v.Title, v.Watch.Ticket = "inbox", d.T.Number+" "+d.T.Title, id.String()
	if d.HasChat {
		v.Watch.Conversation = d.Conversation.ID.String()
	}
	if isHX(r) {
		v.D = d
		c.fragment(w, r, status, "ticket", v)
		return nil
	}
	list, err := c.wholeList(r, v, id)
	if err != nil {
		return err
	}
	list.Ticket = d
	d.Query = list.Query
	v.D = list
	c.page(w, r, status, "inbox", v)
	return nil
}

// ticketLive is what console.js puts into an open ticket when something has changed.
func (c *Console) ticketLive(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	d, err := c.loadTicket(r.Context(), v, id, false)
	if err != nil {
		return err
	}
	d.Query = query(listQuery(pageQuery(r)))
	v.D = d
	c.fragment(w, r, http.StatusOK, "ticket-live", v)
	return nil
}
