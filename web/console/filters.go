package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

// Facets of the list: the form, the chips that say what is narrowed, and filters under a name. Everything lies in the address, so that a list
// can be sent to a colleague and works without scripts.

// toolRoutes are the working tools around the list and the ticket.
func (c *Console) toolRoutes(on func(string, []string, handle)) {
	on("POST /console/filters", ticketRoles, c.filterSave)
	on("POST /console/filters/{id}/rename", ticketRoles, c.filterRename)
	on("POST /console/filters/{id}/delete", ticketRoles, c.filterDelete)
	on("POST /console/tickets/{id}/tags", ticketRoles, c.tagAdd)
	on("POST /console/tickets/{id}/tags/{tag}/remove", ticketRoles, c.tagRemove)
	on("POST /console/tickets/{id}/watch", ticketRoles, c.watchTicket)
	on("POST /console/tickets/{id}/unwatch", ticketRoles, c.unwatch)
	on("POST /console/tickets/{id}/links", ticketRoles, c.linkAdd)
	on("POST /console/tickets/{id}/links/remove", ticketRoles, c.linkRemove)
	on("GET /console/tickets/{id}/people", ticketRoles, c.people)
	on("GET /console/tickets/{id}/split", ticketRoles, c.splitForm)
	on("POST /console/tickets/{id}/split", ticketRoles, c.split)
	on("GET /console/tickets/{id}/print", ticketRoles, c.printTicket)
	on("POST /console/tickets/{id}/print", ticketRoles, c.printTicket)
	on("POST /console/tickets/{id}/fields", ticketRoles, c.fieldsSet)
	on("GET /console/admin/fields", []string{"administrator"}, c.fieldList)
	on("POST /console/admin/fields", []string{"administrator"}, c.fieldSave)
	on("POST /console/bulk", ticketRoles, c.bulkChoose)
	on("POST /console/bulk/run", ticketRoles, c.bulkRun)
	on("GET /console/bulk/{id}", ticketRoles, c.bulkJob)
	on("POST /console/bulk/{id}/undo", ticketRoles, c.bulkUndo)
	on("GET /console/macros", leadRoles, c.macroList)
	on("GET /console/macros/new", leadRoles, c.macroNew)
	on("POST /console/macros/new", leadRoles, c.macroSave)
	on("GET /console/macros/{id}", leadRoles, c.macroEdit)
	on("POST /console/macros/{id}", leadRoles, c.macroSave)
	on("GET /console/tags", leadRoles, c.tagList)
	on("POST /console/tags/{tag}/rename", leadRoles, c.tagRename)
	on("POST /console/tags/{tag}/merge", leadRoles, c.tagMerge)
}

// leadRoles keep order in what an agency shares: see tickets.Actor.Leads.
var leadRoles = []string{"supervisor", "head"}

// listKeys are the parts of a query that name a list.
var listKeys = []string{"view", "kind", "category", "urgency", "state", "lead", "area", "tag", "light", "lacking", "from", "to", "q", "saved"}

// listQuery is the part of a query that names a list.
func listQuery(q url.Values) url.Values {
	out := url.Values{}
	for _, key := range listKeys {
		if value := q.Get(key); value != "" {
			out.Set(key, value)
		}
	}
	return out
}

const dayShape = "2006-01-02"

func (c *Console) parseFilter(q url.Values) (tickets.View, tickets.Filter) {
	view := tickets.View(q.Get("view"))
	if view == "" {
		view = tickets.ViewOpen
	}
	f := tickets.Filter{Kind: q.Get("kind"), Category: q.Get("category"), Urgency: q.Get("urgency"), State: tickets.State(q.Get("state")),
		Lead: leadOf(q.Get("lead")), Area: clean(q.Get("area"), 100), Tag: parseID(q.Get("tag")), Lacking: q.Get("lacking") != "", Text: clean(q.Get("q"), 200)}
	if light := q.Get("light"); slices.Contains(tickets.Lights(), light) {
		f.Light = light
	}
	// The day that somebody names is the whole day, where the hotline is.
	if day, err := time.ParseInLocation(dayShape, q.Get("from"), c.zone()); err == nil {
		f.From = day
	}
	if day, err := time.ParseInLocation(dayShape, q.Get("to"), c.zone()); err == nil {
		f.To = day.AddDate(0, 0, 1)
	}
	return view, f
}

// nobody is how a query names tickets that no agency leads.
const nobody = "none"

func leadOf(s string) uuid.UUID {
	if s == nobody {
		return tickets.NoLead
	}
	return parseID(s)
}

// filterQuery is parseFilter the other way round.
func (c *Console) filterQuery(view tickets.View, f tickets.Filter) url.Values {
	q := url.Values{"view": {string(view)}}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	set("kind", f.Kind)
	set("category", f.Category)
	set("urgency", f.Urgency)
	set("state", string(f.State))
	set("area", f.Area)
	set("q", f.Text)
	switch f.Lead {
	case uuid.Nil:
	case tickets.NoLead:
		q.Set("lead", nobody)
	default:
		q.Set("lead", f.Lead.String())
	}
	set("light", f.Light)
	if f.Tag != uuid.Nil {
		q.Set("tag", f.Tag.String())
	}
	if f.Lacking {
		q.Set("lacking", "yes")
	}
	if !f.From.IsZero() {
		q.Set("from", f.From.In(c.zone()).Format(dayShape))
	}
	if !f.To.IsZero() {
		q.Set("to", f.To.In(c.zone()).AddDate(0, 0, -1).Format(dayShape))
	}
	return q
}

// facets is the form of the list.
type facets struct {
	Kinds, Urgencies []string
	Lights           []string
	States           []tickets.State
	Categories       []option
	Leads, Areas     []option
	Tags             []tickets.Tag
	From, To         string
	LeadValue        string // as the form writes it
	Chips            []chip
	Saved            *tickets.SavedFilter
	MayDelete        bool
	Of               map[string]string // the list of the saved filter, to come back to it
	MayShare         bool
}

// chip is one facet in force, with the address of the list without it.
type chip struct {
	Name    string
	Without template.URL
}

// wholeList is the list with everything around it.
func (c *Console) wholeList(r *http.Request, v View, selected uuid.UUID) (*inboxData, error) {
	d, err := c.list(r, v, selected)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	a := actor(v.Me)
	if len(d.Rows) == 0 && d.Filter.Text != "" && d.View != tickets.ViewAll && q.Get("after") == "" {
		if err := c.elsewhere(r.Context(), a, d); err != nil {
			return nil, err
		}
	}
	f := facets{Kinds: tickets.Kinds(), Urgencies: []string{"normal", "urgent", "complex"}, Lights: tickets.Lights(), Categories: c.categories(v.Lang), Areas: c.areaOptions(v.Lang),
		Leads: c.agencyOptions(v.Lang, dispatchable), LeadValue: c.filterQuery(d.View, tickets.Filter{Lead: d.Filter.Lead}).Get("lead"), From: q.Get("from"), To: q.Get("to"), MayShare: a.Leads()}
	for _, s := range tickets.States() {
		f.States = append(f.States, s.State)
	}
	if f.Tags, err = c.Tickets.Tags(r.Context(), a); err != nil {
		return nil, err
	}
	f.Chips = c.chips(v, listQuery(q), d.Filter, f.Tags)
	if id := parseID(q.Get("saved")); id != uuid.Nil {
		saved, err := c.Tickets.SavedFilters(r.Context(), a)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(saved, func(s tickets.SavedFilter) bool { return s.ID == id }); i >= 0 {
			f.Saved = &saved[i]
			f.MayDelete = !saved[i].Shared || a.Leads()
			f.Of = map[string]string{}
			for key, values := range listQuery(q) {
				f.Of[key] = values[0]
			}
		}
	}
	d.Facets = f
	return d, nil
}

// elsewhere counts what the words of a list that finds nothing find in all tickets: whoever has a number in hand does not know in which view the case is.
func (c *Console) elsewhere(ctx context.Context, a tickets.Actor, d *inboxData) error {
	page, err := c.Tickets.List(ctx, a, tickets.ViewAll, tickets.Filter{Text: d.Filter.Text}, "", 100)
	if err != nil && !expected(err) {
		return err
	}
	if n := len(page.Rows); n > 0 {
		d.Elsewhere = strconv.Itoa(n)
		if page.Next != "" {
			d.Elsewhere += "+"
		}
		d.ElsewhereURL = "/console/inbox?" + c.filterQuery(tickets.ViewAll, tickets.Filter{Text: d.Filter.Text}).Encode()
	}
	return nil
}

func (c *Console) chips(v View, q url.Values, f tickets.Filter, tags []tickets.Tag) []chip {
	var out []chip
	put := func(key, name string) {
		if q.Get(key) == "" || name == "" {
			return
		}
		rest := listQuery(q)
		rest.Del(key)
		rest.Del("saved")
		out = append(out, chip{name, query(rest)})
	}
	if f.Text != "" {
		put("q", v.T("tools.chip_text", "text", f.Text))
	}
	put("kind", v.Kind(f.Kind))
	put("category", v.Category(f.Category))
	put("urgency", v.Urgency(f.Urgency))
	put("state", v.State(f.State))
	if f.Lead == tickets.NoLead {
		put("lead", v.T("boards.at_hotline"))
	} else {
		put("lead", v.Agency(f.Lead))
	}
	if f.Light != "" {
		put("light", v.T("boards."+f.Light))
	}
	put("area", v.Area(f.Area))
	for _, g := range tags {
		if g.ID == f.Tag {
			put("tag", "#"+g.Name)
		}
	}
	if f.Lacking {
		put("lacking", v.T("tools.fields_lacking"))
	}
	if !f.From.IsZero() {
		put("from", v.T("tools.chip_from", "day", v.Date(f.From)))
	}
	if !f.To.IsZero() {
		put("to", v.T("tools.chip_to", "day", v.Date(f.To.AddDate(0, 0, -1))))
	}
	return out
}

// Area is an area's name.
func (v View) Area(code string) string {
	if a, ok := v.c.Routing.Snapshot().Area(code); ok {
		return a.Names.In(v.Lang)
	}
	return code
}

// savedEntries are the saved filters in the side, with their counts.
func (c *Console) savedEntries(ctx context.Context, v View) []entry {
	a := actor(v.Me)
	saved, err := c.Tickets.SavedFilters(ctx, a)
	if err != nil {
		c.Log.WarnContext(ctx, "saved filters", "error", err)
		return nil
	}
	counts, err := c.Tickets.FilterCounts(ctx, a, saved)
	if err != nil {
		c.Log.WarnContext(ctx, "counts of saved filters", "error", err) // the page is worth more than its numbers
	}
	current, _ := url.Parse(v.Path)
	var out []entry
	for _, f := range saved {
		q := c.filterQuery(f.View, f.Filter)
		q.Set("saved", f.ID.String())
		e := entry{URL: "/console/inbox?" + q.Encode(), Name: f.Name, Icon: "filter", Count: countWords(counts[f.ID])}
		if f.Shared {
			e.Icon = "users"
		}
		if v.Nav == "inbox" && current != nil {
			e.Current = current.Query().Get("saved") == f.ID.String()
		}
		out = append(out, e)
	}
	return out
}

func countWords(n tickets.Count) string {
	switch {
	case n.N > 100:
		return "100+"
	case n.More:
		return strconv.Itoa(n.N) + "+"
	}
	return atMost(n.N)
}

// filterSave keeps the list that the form came from under a name.
func (c *Console) filterSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	view, f := c.parseFilter(r.PostForm)
	saved, err := c.Tickets.SaveFilter(r.Context(), actor(v.Me), tickets.SavedFilter{Name: clean(r.PostForm.Get("name"), 200), View: view, Filter: f, Shared: r.PostForm.Get("shared") != ""})
	if err != nil {
		if isHX(r) && expected(err) {
			return c.formError(w, r, "#filter-error", c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)), nil)
		}
		return err
	}
	q := c.filterQuery(view, f)
	q.Set("saved", saved.ID.String())
	return see(w, r, "/console/inbox?"+q.Encode())
}

// filterRename goes back to the list of the filter, which then stands under its new name.
func (c *Console) filterRename(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	if err := c.Tickets.RenameFilter(r.Context(), actor(v.Me), id, clean(r.PostForm.Get("name"), 200)); err != nil {
		if isHX(r) && expected(err) {
			return c.formError(w, r, "#filter-error", c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)), nil)
		}
		return err
	}
	q := listQuery(r.PostForm)
	q.Set("saved", id.String())
	return see(w, r, "/console/inbox?"+q.Encode())
}

func (c *Console) filterDelete(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	if err := c.Tickets.DeleteFilter(r.Context(), actor(v.Me), id); err != nil {
		return err
	}
	return see(w, r, "/console/inbox")
}

// see sends the browser to another page, with htmx or without.
func see(w http.ResponseWriter, r *http.Request, to string) error {
	if isHX(r) {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
