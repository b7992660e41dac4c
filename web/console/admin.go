package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/auth"
	"hotline/internal/errs"
	"hotline/routing"
	"hotline/web/httperr"
)

func (c *Console) adminRoutes(on func(string, []string, handle)) {
	admin := []string{"administrator"}
	on("GET /console/admin/users", admin, c.users)
	on("GET /console/admin/users/new", admin, c.userNew)
	on("POST /console/admin/users/new", admin, c.userCreate)
	on("GET /console/admin/users/{id}", admin, c.user)
	on("POST /console/admin/users/{id}", admin, c.userSave)
	on("POST /console/admin/users/{id}/password", admin, c.userPassword)
	on("GET /console/admin/agencies", admin, c.agencies)
	on("GET /console/admin/agencies/new", admin, c.agencyNew)
	on("POST /console/admin/agencies/new", admin, c.agencyCreate)
	on("GET /console/admin/agencies/{id}", admin, c.agency)
	on("POST /console/admin/agencies/{id}", admin, c.agencySave)
	on("POST /console/admin/agencies/{id}/active", admin, c.agencyActive)
	on("GET /console/admin/keys", admin, c.keys)
	on("POST /console/admin/keys", admin, c.keyCreate)
	on("POST /console/admin/keys/{id}/revoke", admin, c.keyRevoke)
}

type usersData struct {
	Rows  []userRow
	Query string
	More  template.URL // query of the next page
}

type userRow struct {
	auth.User
	Agency string
}

// usersPage is how many users a page shows.
const usersPage = 50

func (c *Console) users(w http.ResponseWriter, r *http.Request) error {
	v, q := c.view(r), r.URL.Query()
	v.Nav, v.Title = "users", v.T("nav.users")
	d := &usersData{Query: clean(q.Get("q"), 100)}
	f := auth.UserFilter{Text: d.Query, Limit: usersPage + 1, After: auth.UserCursor{Closed: q.Get("closed") != "", Name: clean(q.Get("after"), 300), ID: parseID(q.Get("after_id"))}}
	if want := strings.ToLower(d.Query); want != "" {
		for _, a := range c.Routing.Snapshot().Agencies() {
			if strings.Contains(strings.ToLower(a.Names.In(v.Lang)), want) {
				f.Agencies = append(f.Agencies, a.ID)
			}
		}
	}
	found, err := c.Auth.List(r.Context(), f)
	if err != nil {
		return err
	}
	if len(found) > usersPage {
		found = found[:usersPage]
		at := found[usersPage-1].Cursor()
		next := url.Values{"q": {d.Query}, "after": {at.Name}, "after_id": {at.ID.String()}}
		if at.Closed {
			next.Set("closed", "1")
		}
		d.More = query(next)
	}
	for _, u := range found {
		d.Rows = append(d.Rows, userRow{u, v.Agency(u.AgencyID)})
	}
	v.D = d
	c.page(w, r, http.StatusOK, "users", v)
	return nil
}

type userData struct {
	U        auth.User
	New      bool
	Roles    []string
	Agencies []option
	Error    string
	Field    string
	Saved    string
}

func (d userData) Has(role string) bool { return slices.Contains(d.U.Roles, role) }

func (c *Console) showUser(w http.ResponseWriter, r *http.Request, v View, d *userData, status int) error {
	d.Roles, d.Agencies = auth.Roles(), c.agencyOptions(v.Lang, func(a routing.Agency) bool { return a.Active || a.ID == d.U.AgencyID })
	v.Nav, v.Title, v.D = "users", d.U.Name, d
	if d.New {
		v.Title = v.T("users.new")
	}
	c.page(w, r, status, "user", v)
	return nil
}

func (c *Console) userNew(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	return c.showUser(w, r, v, &userData{New: true, U: auth.User{AgencyID: v.Me.AgencyID, Lang: v.Lang, Active: true}}, http.StatusOK)
}

func (c *Console) readUser(r *http.Request, u auth.User) auth.User {
	q := r.PostForm
	u.Name, u.Lang, u.AgencyID, u.Roles = clean(q.Get("name"), 200), q.Get("lang_of"), parseID(q.Get("agency")), q["roles"]
	u.Cleared, u.Active = q.Get("cleared") != "", q.Get("active") != ""
	u.Names = map[string]string{}
	for _, lang := range c.words.Languages() {
		u.Names[lang] = clean(q.Get("name_"+lang), 200)
	}
	return u
}

func (c *Console) userCreate(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	u := c.readUser(r, auth.User{Email: clean(r.PostForm.Get("email"), 320)})
	_, err := c.Auth.Create(r.Context(), *v.Me, auth.NewUser{Email: u.Email, Name: u.Name, Names: u.Names, Lang: u.Lang, AgencyID: u.AgencyID, Roles: u.Roles, Cleared: u.Cleared, Password: r.PostForm.Get("password")})
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showUser(w, r, v, &userData{New: true, U: u, Error: c.words.Error(v.Lang, err), Field: fieldOf(err)}, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/admin/users", http.StatusSeeOther)
	return nil
}

func (c *Console) user(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	u, err := c.Auth.Get(r.Context(), id)
	if err != nil {
		return err
	}
	v := c.view(r)
	d := &userData{U: u}
	if r.URL.Query().Get("saved") != "" {
		d.Saved = v.T("saved")
	}
	return c.showUser(w, r, v, d, http.StatusOK)
}

// userChange runs one change and shows the page again, with what was entered when it fails.
func (c *Console) userChange(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, v View, u auth.User) (auth.User, error)) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	u, err := c.Auth.Get(r.Context(), id)
	if err != nil {
		return err
	}
	v := c.view(r)
	shown, err := do(r.Context(), v, u)
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showUser(w, r, v, &userData{U: shown, Error: c.words.Error(v.Lang, err), Field: fieldOf(err)}, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/admin/users/"+id.String()+"?saved=1", http.StatusSeeOther)
	return nil
}

func (c *Console) userSave(w http.ResponseWriter, r *http.Request) error {
	return c.userChange(w, r, func(ctx context.Context, v View, u auth.User) (auth.User, error) {
		next := c.readUser(r, u)
		return next, c.Auth.Update(ctx, *v.Me, u.ID, number(r.PostForm.Get("version")), auth.Change{Name: next.Name, Names: next.Names, Lang: next.Lang, AgencyID: next.AgencyID, Roles: next.Roles, Cleared: next.Cleared, Active: next.Active})
	})
}

func (c *Console) userPassword(w http.ResponseWriter, r *http.Request) error {
	return c.userChange(w, r, func(ctx context.Context, v View, u auth.User) (auth.User, error) {
		return u, c.Auth.SetPassword(ctx, *v.Me, u.ID, r.PostForm.Get("password"))
	})
}

type agenciesData struct{ Tree []agencyNode }

type agencyNode struct {
	routing.Agency
	Name  string
	Below []agencyNode
}

func (c *Console) agencies(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "agencies", v.T("nav.agencies")
	all := c.Routing.Snapshot().Agencies()
	known := map[uuid.UUID]bool{}
	for _, a := range all {
		known[a.ID] = true
	}
	var grow func(parent uuid.UUID, depth int) []agencyNode
	grow = func(parent uuid.UUID, depth int) []agencyNode {
		var out []agencyNode
		for _, a := range all {
			top := a.Parent == uuid.Nil || !known[a.Parent]
			if depth < 10 && (parent == uuid.Nil && top || parent != uuid.Nil && a.Parent == parent) {
				out = append(out, agencyNode{Agency: a, Name: a.Names.In(v.Lang), Below: grow(a.ID, depth+1)})
			}
		}
		return out
	}
	v.D = &agenciesData{Tree: grow(uuid.Nil, 0)}
	c.page(w, r, http.StatusOK, "agencies", v)
	return nil
}

type agencyData struct {
	A      routing.Agency
	Areas  []option
	Field  string
	New    bool
	Above  []option
	Kinds  []string
	Langs  []string
	Parent string
	Error  string
	Saved  string

	Changes []refChange
	Older   template.URL
}

func (c *Console) showAgency(w http.ResponseWriter, r *http.Request, v View, d *agencyData, status int) error {
	s := c.Routing.Snapshot()
	d.Above = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return a.Active })
	d.Areas = c.areaOptions(v.Lang)
	d.Kinds, d.Langs, d.Parent = routing.Kinds(), s.Jurisdiction().Languages, v.Agency(d.A.Parent)
	history := refForm{New: d.New}
	if err := history.begin(c, r, v, "agency", d.A.Code); err != nil {
		return err
	}
	d.Changes, d.Older = history.Changes, history.Older
	v.Nav, v.Title, v.D = "agencies", d.A.Names.In(v.Lang), d
	if d.New {
		v.Title = v.T("agencies.new")
	}
	c.page(w, r, status, "agency", v)
	return nil
}

// areaOptions lists the areas as a tree.
func (c *Console) areaOptions(lang string) []option {
	var out []option
	all := c.Routing.Snapshot().Areas()
	known := map[string]bool{}
	for _, a := range all {
		known[a.Code] = true
	}
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, a := range all {
			top := a.Parent == "" || !known[a.Parent]
			if a.Active && depth < 6 && (parent == "" && top || parent != "" && a.Parent == parent) {
				out = append(out, option{Value: a.Code, Name: a.Names.In(lang), Depth: depth})
				walk(a.Code, depth+1)
			}
		}
	}
	walk("", 0)
	return out
}

func readAgency(r *http.Request, langs []string) routing.AgencyFields {
	q := r.PostForm
	f := routing.AgencyFields{Code: clean(q.Get("code"), 100), Parent: parseID(q.Get("parent")), Kind: q.Get("kind"), Names: routing.Names{},
		Area: clean(q.Get("area"), 100), Phone: clean(q.Get("phone"), 300), Hours: routing.Names{}, Counter: q.Get("counter") != ""}
	for _, lang := range langs {
		f.Names[lang], f.Hours[lang] = clean(q.Get("name_"+lang), 300), clean(q.Get("hours_"+lang), 300)
	}
	return f
}

func withFields(a routing.Agency, f routing.AgencyFields) routing.Agency {
	a.Names, a.Area, a.Phone, a.Hours, a.Counter = f.Names, f.Area, f.Phone, f.Hours, f.Counter
	return a
}

func (c *Console) agencyNew(w http.ResponseWriter, r *http.Request) error {
	return c.showAgency(w, r, c.view(r), &agencyData{New: true, A: routing.Agency{Kind: routing.KindDepartment, Parent: parseID(r.URL.Query().Get("parent"))}}, http.StatusOK)
}

func (c *Console) agencyCreate(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	f := readAgency(r, c.Routing.Snapshot().Jurisdiction().Languages)
	if _, err := c.Routing.CreateAgency(r.Context(), v.Me.Actor(), f); err != nil {
		if !expected(err) {
			return err
		}
		return c.showAgency(w, r, v, &agencyData{New: true, A: withFields(routing.Agency{Code: f.Code, Kind: f.Kind, Parent: f.Parent}, f), Error: c.words.Error(v.Lang, err), Field: fieldOf(err)}, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/admin/agencies", http.StatusSeeOther)
	return nil
}

func (c *Console) agency(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	a, ok := c.Routing.Snapshot().Agency(id)
	if !ok {
		return routing.ErrAgencyNotFound
	}
	v := c.view(r)
	d := &agencyData{A: a}
	if r.URL.Query().Get("saved") != "" {
		d.Saved = v.T("saved")
	}
	return c.showAgency(w, r, v, d, http.StatusOK)
}

func (c *Console) agencyChange(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, v View, a routing.Agency, version int) (routing.Agency, error)) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	a, ok := c.Routing.Snapshot().Agency(id)
	if !ok {
		return routing.ErrAgencyNotFound
	}
	v := c.view(r)
	shown, err := do(r.Context(), v, a, number(r.PostForm.Get("version")))
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showAgency(w, r, v, &agencyData{A: shown, Error: c.words.Error(v.Lang, err), Field: fieldOf(err)}, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/admin/agencies/"+id.String()+"?saved=1", http.StatusSeeOther)
	return nil
}

func (c *Console) agencySave(w http.ResponseWriter, r *http.Request) error {
	return c.agencyChange(w, r, func(ctx context.Context, v View, a routing.Agency, version int) (routing.Agency, error) {
		f := readAgency(r, c.Routing.Snapshot().Jurisdiction().Languages)
		_, err := c.Routing.UpdateAgency(ctx, v.Me.Actor(), a.ID, version, f)
		return withFields(a, f), err
	})
}

func (c *Console) agencyActive(w http.ResponseWriter, r *http.Request) error {
	return c.agencyChange(w, r, func(ctx context.Context, v View, a routing.Agency, version int) (routing.Agency, error) {
		var err error
		if a.Active {
			_, err = c.Routing.DeactivateAgency(ctx, v.Me.Actor(), a.ID, version)
		} else {
			_, err = c.Routing.ActivateAgency(ctx, v.Me.Actor(), a.ID, version)
		}
		return a, err
	})
}

type keysData struct {
	Rows     []keyRow
	Scopes   []string
	Agencies []option
	Secret   string // shown once
	Name     string
	Agency   string
	Wanted   []string // scopes
	Error    string
	Field    string
}

// Chosen reports whether a scope was ticked.
func (d keysData) Chosen(scope string) bool { return slices.Contains(d.Wanted, scope) }

type keyRow struct {
	auth.Key
	Agency string
}

func (c *Console) showKeys(w http.ResponseWriter, r *http.Request, d *keysData, status int) error {
	v := c.view(r)
	all, err := c.Auth.Keys(r.Context())
	if err != nil {
		return err
	}
	for _, k := range all {
		d.Rows = append(d.Rows, keyRow{k, v.Agency(k.AgencyID)})
	}
	d.Scopes, d.Agencies = auth.Scopes(), c.agencyOptions(v.Lang, func(a routing.Agency) bool { return a.Active })
	v.Nav, v.Title, v.D = "keys", v.T("nav.keys"), d
	c.page(w, r, status, "keys", v)
	return nil
}

func (c *Console) keys(w http.ResponseWriter, r *http.Request) error {
	return c.showKeys(w, r, &keysData{}, http.StatusOK)
}

func (c *Console) keyCreate(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	name := clean(r.PostForm.Get("name"), 200)
	secret, _, err := c.Auth.CreateKey(r.Context(), *v.Me, name, parseID(r.PostForm.Get("agency")), r.PostForm["scopes"])
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showKeys(w, r, &keysData{Name: name, Agency: r.PostForm.Get("agency"), Wanted: r.PostForm["scopes"], Error: c.words.Error(v.Lang, err), Field: fieldOf(err)}, httperr.Status(errs.KindOf(err)))
	}
	return c.showKeys(w, r, &keysData{Secret: secret}, http.StatusOK)
}

func (c *Console) keyRevoke(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	p, _ := principal(r.Context())
	if err := c.Auth.RevokeKey(r.Context(), p, id); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/admin/keys", http.StatusSeeOther)
	return nil
}
