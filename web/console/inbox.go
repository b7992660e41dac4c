package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/auth"
	"hotline/routing"
	"hotline/tickets"
	"hotline/web/httperr"
)

const pageSize = 40

// side is the navigation as this person may use it.
type side struct {
	Views  []entry
	Saved  []entry
	Work   []entry
	Admin  []entry
	Unread string
	New    bool // may type a case for somebody
}

type entry struct {
	URL, Name, Icon, Key string
	Count, Tone          string
	Current              bool
}

var viewIcons = map[tickets.View]string{
	tickets.ViewMy: "me", tickets.ViewUnassigned: "hand", tickets.ViewPendingDispatch: "send", tickets.ViewReturned: "return",
	tickets.ViewAgency: "home", tickets.ViewSupervised: "flag", tickets.ViewMass: "people", tickets.ViewWatched: "eye", tickets.ViewMentioned: "at",
	tickets.ViewDueSoon: "clock", tickets.ViewOverdue: "alarm", tickets.ViewOpen: "list", tickets.ViewClosed: "done", tickets.ViewAll: "all",
}

// atMost writes a count that was capped at 101.
func atMost(n int) string {
	switch {
	case n == 0:
		return ""
	case n > 100:
		return "100+"
	}
	return strconv.Itoa(n)
}

func hasAny(p *auth.Principal, roles ...string) bool { return p.Has(roles...) }

// viewsFor lists the views that mean something to a person: the hotline decides dispatch and returns, agencies do not.
func viewsFor(p *auth.Principal) []tickets.View {
	return slices.DeleteFunc(tickets.Views(), func(v tickets.View) bool {
		switch v {
		case tickets.ViewLive:
			return true // live chats have a page of their own
		case tickets.ViewPendingDispatch, tickets.ViewReturned:
			return !p.Desk
		}
		return false
	})
}

func (c *Console) side(ctx context.Context, v View) side {
	p := v.Me
	var s side
	if hasAny(p, ticketRoles...) {
		counts, err := c.Tickets.Counts(ctx, actor(p))
		if err != nil {
			// The page is worth more than its numbers.
			c.Log.WarnContext(ctx, "counts", "error", err)
		}
		current, _ := url.Parse(v.Path)
		for _, view := range viewsFor(p) {
			e := entry{URL: "/console/inbox?view=" + string(view), Name: v.ViewName(string(view)), Icon: viewIcons[view], Count: atMost(counts[view])}
			if view == tickets.ViewClosed || view == tickets.ViewAll {
				e.Count = ""
			}
			switch view {
			case tickets.ViewOverdue:
				e.Tone = "hot"
			case tickets.ViewMentioned:
				e.Tone = "warm"
			}
			if view == tickets.ViewMy {
				e.Key = "i"
			}
			if v.Nav == "inbox" && current != nil {
				e.Current = current.Query().Get("view") == string(view) && current.Query().Get("saved") == ""
			}
			e.Current = e.Current || v.Nav == "mass" && view == tickets.ViewMass
			s.Views = append(s.Views, e)
		}
	}
	if hasAny(p, ticketRoles...) {
		s.Saved = c.savedEntries(ctx, v)
	}
	add := func(list *[]entry, nav, url, icon, key string) {
		*list = append(*list, entry{URL: url, Name: v.T("nav." + nav), Icon: icon, Key: key, Current: v.Nav == nav})
	}
	if mayChat(p) {
		e := entry{URL: "/console/chats", Name: v.T("nav.chats"), Icon: "chat", Key: "c", Current: v.Nav == "chats", Tone: "warm"}
		e.Count = atMost(c.waiting(ctx, p))
		s.Views = append(s.Views, e)
	}
	if p.Has("dispatcher") && p.Desk {
		add(&s.Work, "desk", "/console/desk", "desk", "d")
	}
	if hasAny(p, boardRoles...) {
		add(&s.Work, "supervision", "/console/supervision", "gauge", "")
	}
	if hasAny(p, ticketRoles...) {
		add(&s.Work, "quality", "/console/quality", "star", "")
	}
	c.massEntries(ctx, v, &s)
	if hasAny(p, knowledgeRoles...) {
		add(&s.Work, "knowledge", "/console/knowledge", "book", "k")
	}
	if hasAny(p, editRoles...) {
		add(&s.Work, "gaps", "/console/gaps", "search", "")
	}
	if hasAny(p, learningRoles...) {
		add(&s.Work, "learning", "/console/learning", "bot", "")
	}
	if hasAny(p, statisticsRoles...) {
		add(&s.Work, "statistics", "/console/statistics", "chart", "s")
	}
	if actor(p).Leads() {
		add(&s.Work, "macros", "/console/macros", "bolt", "")
		add(&s.Work, "tags", "/console/tags", "tag", "")
	}
	if p.Has("administrator") {
		add(&s.Admin, "users", "/console/admin/users", "users", "")
		add(&s.Admin, "agencies", "/console/admin/agencies", "tree", "")
		add(&s.Admin, "categories", "/console/admin/categories", "tag", "")
		add(&s.Admin, "items", "/console/admin/items", "file", "")
		add(&s.Admin, "areas", "/console/admin/areas", "globe", "")
		add(&s.Admin, "catalogue", "/console/admin/catalogue", "desk", "")
		add(&s.Admin, "policies", "/console/admin/policies", "clock", "")
		add(&s.Admin, "fields", "/console/admin/fields", "columns", "")
		if c.Models != nil {
			add(&s.Admin, "models", "/console/admin/models", "gear", "")
		}
		add(&s.Admin, "keys", "/console/admin/keys", "key", "")
	}
	s.New = c.mayEnter(p)
	s.Unread = atMost(c.unread(ctx, p))
	return s
}

// sideLists is the live part of the side.
func (c *Console) sideLists(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	// The path of the page that asks, for the entry that is current.
	if at, err := url.Parse(r.Header.Get("X-Page")); err == nil && at.Path != "" {
		v.Path = at.RequestURI()
		switch {
		case at.Path == "/console/inbox" || len(at.Path) > 17 && at.Path[:17] == "/console/tickets/":
			v.Nav = "inbox"
		case len(at.Path) >= 14 && at.Path[:14] == "/console/chats":
			v.Nav = "chats"
		case strings.HasPrefix(at.Path, "/console/mass"):
			v.Nav = "mass"
		}
	}
	v.Side = c.side(r.Context(), v)
	c.fragment(w, r, http.StatusOK, "side-live", v)
	return nil
}

// inboxData is a list with its filters.
type inboxData struct {
	View     tickets.View
	Filter   tickets.Filter
	Rows     []rowView
	More     template.URL // query of the next page, "" at the end
	Facets   facets
	Selected uuid.UUID
	Query    template.URL // of this list, to come back to it
	Filtered bool
	// Elsewhere is how many tickets outside of a view that finds nothing hold the words; "" for none.
	Elsewhere, ElsewhereURL string

	Ticket *ticketData
	Error  string
}

type option struct {
	Value, Name string
	Depth       int
}

// rowView is a ticket in a list.
type rowView struct {
	tickets.Row
	Light    Light
	Agency   string
	URL      string
	Selected bool
	Tags     []tickets.Tag
	Lacking  bool // details that intake needs are missing
	// Reporters of a mass event; 0 of any other ticket.
	Reporters int
}

func (c *Console) list(r *http.Request, v View, selected uuid.UUID) (*inboxData, error) {
	q := r.URL.Query()
	if q.Get("view") == "" {
		q.Set("view", string(startView(v.Me)))
	}
	view, filter := c.parseFilter(q)
	page, err := c.Tickets.List(r.Context(), actor(v.Me), view, filter, q.Get("after"), pageSize)
	if err != nil {
		return nil, err
	}
	d := &inboxData{View: view, Filter: filter, Selected: selected, Filtered: filter != (tickets.Filter{})}
	list := listQuery(q)
	d.Query = query(list)
	ids := make([]uuid.UUID, len(page.Rows))
	for i, row := range page.Rows {
		ids[i] = row.ID
	}
	tags, err := c.Tickets.TagsOf(r.Context(), actor(v.Me), ids...)
	if err != nil {
		return nil, err
	}
	lacking, err := c.Tickets.LackingOf(r.Context(), actor(v.Me), ids...)
	if err != nil {
		return nil, err
	}
	reporters, err := c.Tickets.Reporters(r.Context(), actor(v.Me), page.Rows)
	if err != nil {
		return nil, err
	}
	for _, row := range page.Rows {
		d.Rows = append(d.Rows, rowView{Lacking: lacking[row.ID], Row: row, Light: v.lightOfTicket(row.Ticket), Agency: v.Agency(row.Lead), Selected: row.ID == selected, Tags: tags[row.ID], Reporters: reporters[row.ID],
			URL: "/console/tickets/" + row.ID.String() + "?" + string(d.Query)})
	}
	if page.Next != "" {
		list.Set("after", page.Next)
		d.More = query(list)
	}
	return d, nil
}

// lightOfTicket is the light of the earliest deadline; tickets that are over have none.
func (v View) lightOfTicket(t tickets.Ticket) Light {
	if !t.Open() {
		return Light{"none", v.T("light.over")}
	}
	return v.LightOf(t.WarnAt, t.DueAt)
}

// startView is where a person's work begins.
func startView(p *auth.Principal) tickets.View {
	switch {
	case p.Has("handler"), p.Has("operator"):
		return tickets.ViewOpen
	case p.Has("dispatcher") && p.Desk:
		return tickets.ViewPendingDispatch
	}
	return tickets.ViewOpen
}

func (c *Console) home(w http.ResponseWriter, r *http.Request) error {
	p, _ := principal(r.Context())
	to := "/console/profile"
	switch {
	case hasAny(&p, ticketRoles...):
		to = "/console/inbox?view=" + string(startView(&p))
	case hasAny(&p, knowledgeRoles...):
		to = "/console/knowledge"
	case p.Has("administrator"):
		to = "/console/admin/users"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (c *Console) inbox(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	q := r.URL.Query()
	if q.Get("view") == "" {
		q.Set("view", string(startView(v.Me)))
		r.URL.RawQuery = q.Encode()
		v.Path = r.URL.RequestURI()
	}
	v.Nav, v.Title = "inbox", v.ViewName(q.Get("view"))
	d, err := c.wholeList(r, v, uuid.Nil)
	if err != nil {
		return err
	}
	if d.Facets.Saved != nil {
		v.Title = d.Facets.Saved.Name
	}
	v.D = d
	c.page(w, r, http.StatusOK, "inbox", v)
	return nil
}

// inboxRows is one page of rows: for "more" and for live updates.
func (c *Console) inboxRows(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	selected, _ := uuid.Parse(r.URL.Query().Get("selected")) // none: nothing is marked
	d, err := c.list(r, v, selected)
	if err != nil {
		return err
	}
	v.D = d
	c.fragment(w, r, http.StatusOK, "list-rows", v)
	return nil
}

// categories lists the tree for a select, parents before children.
func (c *Console) categories(lang string) []option {
	var out []option
	all := c.Routing.Snapshot().Categories()
	known := map[string]bool{}
	for _, cat := range all {
		known[cat.Code] = cat.Active
	}
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, cat := range all {
			top := cat.Parent == "" || !known[cat.Parent]
			if cat.Active && (parent == "" && top || parent != "" && cat.Parent == parent) && depth < 5 {
				out = append(out, option{Value: cat.Code, Name: cat.Names.In(lang), Depth: depth})
				walk(cat.Code, depth+1)
			}
		}
	}
	walk("", 0)
	return out
}

// Indent writes the depth of a tree's option.
func (o option) Indent() string {
	const step = "\u2003"
	s := ""
	for range o.Depth {
		s += step
	}
	return s
}

// Agency is an agency's name, "" for none.
func (v View) Agency(id uuid.UUID) string {
	if a, ok := v.c.Routing.Snapshot().Agency(id); ok {
		return a.Names.In(v.Lang)
	}
	return ""
}

// Category is a category's name, with the one above it.
func (v View) Category(code string) string {
	s := v.c.Routing.Snapshot()
	cat, ok := s.Category(code)
	if !ok {
		return code
	}
	name := cat.Names.In(v.Lang)
	if parent, ok := s.Category(cat.Parent); ok {
		name = parent.Names.In(v.Lang) + " › " + name
	}
	return name
}

// ServiceItem is a service item's name.
func (v View) ServiceItem(code string) string {
	if item, ok := v.c.Routing.Snapshot().ServiceItem(code); ok {
		return item.Names.In(v.Lang)
	}
	return code
}

// agencyOptions lists the agencies that can be dispatched to, as a tree.
func (c *Console) agencyOptions(lang string, keep func(routing.Agency) bool) []option {
	var out []option
	all := c.Routing.Snapshot().Agencies()
	ids := map[uuid.UUID]bool{}
	for _, a := range all {
		ids[a.ID] = true
	}
	var walk func(parent uuid.UUID, depth int)
	walk = func(parent uuid.UUID, depth int) {
		for _, a := range all {
			top := a.Parent == uuid.Nil || !ids[a.Parent]
			if parent == uuid.Nil && !top || parent != uuid.Nil && a.Parent != parent || depth > 6 {
				continue
			}
			if keep(a) {
				out = append(out, option{Value: a.ID.String(), Name: a.Names.In(lang), Depth: depth})
			}
			walk(a.ID, depth+1)
		}
	}
	walk(uuid.Nil, 0)
	return out
}

func pathID(r *http.Request, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue(name))
	if err != nil {
		return uuid.Nil, httperr.ErrNotFound
	}
	return id, nil
}
