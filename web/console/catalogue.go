package console

import (
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/routing"
	"hotline/web/httperr"
)

func (c *Console) catalogueRoutes(on func(string, []string, handle)) {
	admin := []string{"administrator"}
	on("GET /console/admin/catalogue", admin, c.catalogue)
	on("POST /console/admin/catalogue", admin, c.catalogueDraft)
	on("GET /console/admin/catalogue/{n}", admin, c.catalogueVersion)
	on("POST /console/admin/catalogue/{n}/publish", admin, c.cataloguePublish)
	on("POST /console/admin/catalogue/{n}/drop", admin, c.catalogueDrop)
	on("GET /console/admin/catalogue/{n}/entry", admin, c.catalogueEntry)
	on("POST /console/admin/catalogue/{n}/entry", admin, c.catalogueEntrySave)
}

// catalogueData is one version of the dispatch catalogue.
type catalogueData struct {
	Versions []routing.CatalogueVersion
	V        routing.CatalogueVersion
	Rows     []catalogueRow
	Total    int
	Query    string
	More     template.URL
	Diff     []diffLine // of a draft, against what is in force
	Against  int
	Draft    bool
	Error    string
	Note     string
}

// catalogueRow is an entry in words.
type catalogueRow struct {
	routing.Entry
	Category, Item, Area, Lead, Co string
	Broken                         bool // leads to an agency that is closed
	Retired                        bool // about a category or an item that is out of use
	Edit                           template.URL
}

// cataloguePage is how many entries a page shows.
const cataloguePage = 100

func (c *Console) catalogueRow(v View, e routing.Entry) catalogueRow {
	s := c.Routing.Snapshot()
	row := catalogueRow{Entry: e, Category: v.Category(e.Category), Lead: v.Agency(e.Lead)}
	if e.ServiceItem != "" {
		row.Item = v.ServiceItem(e.ServiceItem)
	}
	if e.Area != "" {
		row.Area = e.Area
		if a, ok := s.Area(e.Area); ok {
			row.Area = a.Names.In(v.Lang)
		}
	}
	// What was taken out of use keeps a draft from being published.
	if g, ok := s.Category(e.Category); !ok || !g.Active {
		row.Retired = true
	}
	if i, ok := s.ServiceItem(e.ServiceItem); e.ServiceItem != "" && (!ok || !i.Active) {
		row.Retired = true
	}
	names := make([]string, 0, len(e.Co))
	for _, id := range append([]uuid.UUID{e.Lead}, e.Co...) {
		a, ok := s.Agency(id)
		row.Broken = row.Broken || !ok || !a.Active
		if id != e.Lead {
			names = append(names, v.Agency(id))
		}
	}
	row.Co = strings.Join(names, v.T("comma"))
	row.Edit = query(url.Values{"category": {e.Category}, "item": {e.ServiceItem}, "area": {e.Area}})
	return row
}

// line writes an entry for comparing versions.
func (r catalogueRow) line() string {
	parts := slices.DeleteFunc([]string{r.Category, r.Item, r.Area}, func(s string) bool { return s == "" })
	out := strings.Join(parts, " · ") + " → " + r.Lead
	if r.Co != "" {
		out += " + " + r.Co
	}
	if r.Urgency != "" {
		out += " (" + r.Urgency + ")"
	}
	return out
}

func (c *Console) catalogue(w http.ResponseWriter, r *http.Request) error {
	return c.showCatalogue(w, r, 0, http.StatusOK, "", "")
}

func (c *Console) catalogueVersion(w http.ResponseWriter, r *http.Request) error {
	n := number(r.PathValue("n"))
	if n < 1 {
		return httperr.ErrNotFound
	}
	return c.showCatalogue(w, r, n, http.StatusOK, "", "")
}

// showCatalogue shows a version; 0 is the one in force.
func (c *Console) showCatalogue(w http.ResponseWriter, r *http.Request, n, status int, words, note string) error {
	v, ctx, q := c.view(r), r.Context(), r.URL.Query()
	v.Nav, v.Title = "catalogue", v.T("catalogue.title")
	d := &catalogueData{Error: words, Note: note, Query: clean(q.Get("q"), 100)}
	var err error
	if d.Versions, err = c.Routing.CatalogueVersions(ctx); err != nil {
		return err
	}
	published := slices.IndexFunc(d.Versions, func(x routing.CatalogueVersion) bool { return x.State == "published" })
	at := slices.IndexFunc(d.Versions, func(x routing.CatalogueVersion) bool { return x.Version == n })
	if n == 0 {
		at = max(published, 0)
	}
	if at < 0 {
		return routing.ErrCatalogueNotFound
	}
	if len(d.Versions) > 0 {
		d.V = d.Versions[at]
		d.Draft = d.V.State == "draft"
		if err := c.fillCatalogue(r, v, d, max(number(q.Get("from")), 0)); err != nil {
			return err
		}
		if d.Draft && published >= 0 {
			if err := c.compareCatalogue(r, v, d, d.Versions[published].Version); err != nil {
				return err
			}
		}
	}
	v.D = d
	c.page(w, r, status, "catalogue", v)
	return nil
}

func (c *Console) fillCatalogue(r *http.Request, v View, d *catalogueData, from int) error {
	entries, err := c.Routing.CatalogueEntries(r.Context(), d.V.Version)
	if err != nil {
		return err
	}
	want := strings.ToLower(d.Query)
	for i, e := range entries {
		row := c.catalogueRow(v, e)
		if want != "" && !strings.Contains(strings.ToLower(row.line()), want) {
			continue
		}
		d.Total++
		if i < from {
			continue
		}
		if len(d.Rows) == cataloguePage {
			if d.More == "" {
				d.More = query(url.Values{"q": {d.Query}, "from": {strconv.Itoa(i)}})
			}
			continue
		}
		d.Rows = append(d.Rows, row)
	}
	return nil
}

// compareCatalogue says what a draft would change.
func (c *Console) compareCatalogue(r *http.Request, v View, d *catalogueData, against int) error {
	text := func(version int) (string, error) {
		entries, err := c.Routing.CatalogueEntries(r.Context(), version)
		lines := make([]string, 0, len(entries))
		for _, e := range entries {
			lines = append(lines, c.catalogueRow(v, e).line())
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n"), err
	}
	before, err := text(against)
	if err != nil {
		return err
	}
	after, err := text(d.V.Version)
	if err != nil {
		return err
	}
	d.Against = against
	for _, l := range diff(before, after) {
		if l.Op == "+" || l.Op == "-" {
			d.Diff = append(d.Diff, l)
		}
	}
	return nil
}

func (c *Console) catalogueDraft(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, note := c.view(r), text(r.PostForm.Get("note"))
	n, err := c.Routing.Draft(r.Context(), v.Me.Actor(), note)
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showCatalogue(w, r, 0, httperr.Status(errs.KindOf(err)), c.words.Error(v.Lang, err), note)
	}
	http.Redirect(w, r, "/console/admin/catalogue/"+strconv.Itoa(n), http.StatusSeeOther)
	return nil
}

// catalogueDo changes a whole version and shows the version to.
func (c *Console) catalogueDo(w http.ResponseWriter, r *http.Request, to string, do func(v View, n int) error) error {
	n := number(r.PathValue("n"))
	v := c.view(r)
	if err := do(v, n); err != nil {
		if !expected(err) {
			return err
		}
		return c.showCatalogue(w, r, n, httperr.Status(errs.KindOf(err)), c.explainVersion(v, err), "")
	}
	http.Redirect(w, r, "/console/admin/catalogue"+to, http.StatusSeeOther)
	return nil
}

func (c *Console) cataloguePublish(w http.ResponseWriter, r *http.Request) error {
	return c.catalogueDo(w, r, "", func(v View, n int) error { return c.Routing.Publish(r.Context(), v.Me.Actor(), n) })
}

func (c *Console) catalogueDrop(w http.ResponseWriter, r *http.Request) error {
	return c.catalogueDo(w, r, "", func(v View, n int) error { return c.Routing.DropDraft(r.Context(), v.Me.Actor(), n) })
}

// entryData is the form of one entry.
type entryData struct {
	N          int
	E          routing.Entry
	Was        string // as it was seen, "" for a new one
	Categories []option
	Items      []option
	Areas      []option
	Agencies   []option
	Error      string
	Field      string
}

// Helps reports whether an agency is a co-agency of the entry.
func (d entryData) Helps(id string) bool { return slices.Contains(d.E.Co, parseID(id)) }

func (c *Console) showEntry(w http.ResponseWriter, r *http.Request, v View, d *entryData, status int) error {
	d.Categories, d.Areas = c.categories(v.Lang), c.areaOptions(v.Lang)
	d.Agencies = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return a.Active })
	for _, item := range c.Routing.Snapshot().ServiceItems() {
		if item.Active {
			d.Items = append(d.Items, option{Value: item.Code, Name: item.Names.In(v.Lang)})
		}
	}
	v.Nav, v.Title, v.D = "catalogue", v.T("catalogue.entry"), d
	c.page(w, r, status, "entry", v)
	return nil
}

func (c *Console) catalogueEntry(w http.ResponseWriter, r *http.Request) error {
	n, q := number(r.PathValue("n")), r.URL.Query()
	entries, err := c.Routing.CatalogueEntries(r.Context(), n)
	if err != nil {
		return err
	}
	d := &entryData{N: n}
	if q.Get("category") != "" {
		wanted := routing.Entry{Category: q.Get("category"), ServiceItem: q.Get("item"), Area: q.Get("area")}
		at := slices.IndexFunc(entries, wanted.SameCase)
		if at < 0 {
			return httperr.ErrNotFound
		}
		d.E = entries[at]
		was, err := json.Marshal(d.E)
		if err != nil {
			return err
		}
		d.Was = string(was)
	}
	return c.showEntry(w, r, c.view(r), d, http.StatusOK)
}

func (c *Console) catalogueEntrySave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, q, n := c.view(r), r.PostForm, number(r.PathValue("n"))
	e := routing.Entry{Category: clean(q.Get("category"), 100), ServiceItem: clean(q.Get("item"), 100), Area: clean(q.Get("area"), 100), Lead: parseID(q.Get("lead")), Urgency: clean(q.Get("urgency"), 20)}
	for _, one := range q["co"] {
		if id := parseID(one); id != uuid.Nil {
			e.Co = append(e.Co, id)
		}
	}
	var before, after *routing.Entry
	if was := q.Get("was"); was != "" {
		before = &routing.Entry{}
		if err := json.Unmarshal([]byte(was), before); err != nil {
			return httperr.ErrMalformed.Wrap(err)
		}
	}
	if q.Get("do") != "remove" {
		after = &e
	}
	if err := c.Routing.ChangeEntry(r.Context(), v.Me.Actor(), n, before, after); err != nil {
		if !expected(err) {
			return err
		}
		return c.showEntry(w, r, v, &entryData{N: n, E: e, Was: q.Get("was"), Error: c.explainEntry(v, err), Field: problemOf(err)}, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/admin/catalogue/"+strconv.Itoa(n), http.StatusSeeOther)
	return nil
}

// problemOf names the field of an entry that does not fit.
func problemOf(err error) string {
	if e, ok := argsOf(err); ok {
		problem, _ := e["problem"].(string)
		return problem
	}
	return ""
}

// explainEntry puts what is wrong with an entry into words.
func (c *Console) explainEntry(v View, err error) string {
	args, ok := argsOf(err)
	problem, isWord := args["problem"].(string)
	if !ok || !isWord {
		return c.words.Error(v.Lang, err)
	}
	return v.T("catalogue.problem_" + problem)
}

// explainVersion is explainEntry with the place of the entry in the version.
func (c *Console) explainVersion(v View, err error) string {
	words := c.explainEntry(v, err)
	args, _ := argsOf(err)
	if position, ok := args["position"].(int); ok {
		return v.T("catalogue.at", "position", position, "words", words)
	}
	return words
}
