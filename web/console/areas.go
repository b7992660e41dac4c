package console

import (
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hotline/routing"
	"hotline/web/httperr"
)

type areaListData struct {
	Rows  []areaRow
	Query string
	More  template.URL
	Total int
}

type areaRow struct {
	routing.Area
	Name  string
	Depth int
}

// Steps is the depth as a class of the style sheet knows it.
func (a areaRow) Steps() int { return min(a.Depth, 5) }

// areasPage is how many areas a page shows.
const areasPage = 100

// areaTree lists all areas, each behind the one it lies in.
func (c *Console) areaTree(lang string) []areaRow {
	all := c.Routing.Snapshot().Areas()
	below := map[string][]routing.Area{}
	for _, a := range all {
		below[a.Parent] = append(below[a.Parent], a)
	}
	var out []areaRow
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, a := range below[parent] {
			out = append(out, areaRow{a, a.Names.In(lang), depth})
			if depth < 8 {
				walk(a.Code, depth+1)
			}
		}
	}
	walk("", 0)
	return out
}

func (c *Console) areaList(w http.ResponseWriter, r *http.Request) error {
	v, q := c.view(r), r.URL.Query()
	v.Nav, v.Title = "areas", v.T("nav.areas")
	d := &areaListData{Query: clean(q.Get("q"), 100)}
	want, from := strings.ToLower(d.Query), max(number(q.Get("from")), 0)
	for _, row := range c.areaTree(v.Lang) {
		if want != "" && !strings.Contains(strings.ToLower(row.Name+" "+row.Code), want) {
			continue
		}
		if d.Total++; d.Total > from && len(d.Rows) < areasPage {
			d.Rows = append(d.Rows, row)
		}
	}
	if from+len(d.Rows) < d.Total {
		d.More = query(url.Values{"q": {d.Query}, "from": {strconv.Itoa(from + len(d.Rows))}})
	}
	v.D = d
	c.page(w, r, http.StatusOK, "areas", v)
	return nil
}

type areaData struct {
	refForm
	F       routing.AreaFields
	Above   []option
	Levels  []string
	Map     *routing.Outline
	Outline string // typed or uploaded, not stored yet
	Preview bool
}

func (c *Console) showArea(w http.ResponseWriter, r *http.Request, v View, d *areaData, status int) error {
	if err := d.begin(c, r, v, "area", d.F.Code); err != nil {
		return err
	}
	d.Levels = routing.AreaLevels()
	for _, o := range c.areaOptions(v.Lang) {
		if o.Value != d.F.Code {
			d.Above = append(d.Above, o)
		}
	}
	raw := json.RawMessage(d.Outline)
	if d.Outline == "" && !d.New {
		var err error
		if raw, err = c.Routing.AreaGeometry(r.Context(), d.F.Code); err != nil {
			return err
		}
	}
	if len(raw) > 0 && d.Field != "geometry" {
		if outline, err := routing.OutlineOf(raw); err == nil {
			m, err := c.Routing.Snapshot().Map(routing.Area{Code: d.F.Code, Parent: d.F.Parent}, outline)
			if err == nil {
				d.Map = &m
			}
		}
	}
	v.Nav, v.Title, v.D = "areas", d.F.Names.In(v.Lang), d
	if d.New {
		v.Title = v.T("reference.area_new")
	}
	c.page(w, r, status, "area", v)
	return nil
}

func (c *Console) areaNew(w http.ResponseWriter, r *http.Request) error {
	f := routing.AreaFields{Parent: clean(r.URL.Query().Get("parent"), 100), Level: "street"}
	return c.showArea(w, r, c.view(r), &areaData{refForm: refForm{New: true}, F: f}, http.StatusOK)
}

func (c *Console) areaPage(w http.ResponseWriter, r *http.Request) error {
	a, ok := c.Routing.Snapshot().Area(r.PathValue("code"))
	if !ok {
		return routing.ErrAreaNotFound
	}
	return c.showArea(w, r, c.view(r), &areaData{refForm: refForm{Version: a.Version, Active: a.Active}, F: fieldsOfArea(a)}, http.StatusOK)
}

func fieldsOfArea(a routing.Area) routing.AreaFields {
	return routing.AreaFields{Code: a.Code, Parent: a.Parent, Level: a.Level, Names: a.Names}
}

// outlineIn is the outline that a form brings: an uploaded file before what was typed.
func outlineIn(r *http.Request) (string, error) {
	file, _, err := r.FormFile("file")
	if err != nil { // none was chosen, or the form has no files
		return text(r.PostForm.Get("geometry")), nil
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, routing.MaxGeometry+1))
	if err != nil {
		return "", httperr.ErrMalformed.Wrap(err)
	}
	if len(raw) == 0 {
		return text(r.PostForm.Get("geometry")), nil
	}
	return strings.TrimPrefix(string(raw), "\ufeff"), nil
}

func (c *Console) areaSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, q, code := c.view(r), r.PostForm, r.PathValue("code")
	d := &areaData{refForm: refForm{New: code == "", Version: number(q.Get("version")), Active: true}}
	d.F = routing.AreaFields{Code: code, Parent: clean(q.Get("parent"), 100), Level: clean(q.Get("level"), 30), Names: routing.Names{}}
	for _, lang := range c.Routing.Snapshot().Jurisdiction().Languages {
		d.F.Names[lang] = clean(q.Get("name_"+lang), 300)
	}
	if d.New {
		d.F.Code = clean(q.Get("code"), 100)
	}
	var err error
	if d.Outline, err = outlineIn(r); err != nil {
		return err
	}
	d.F.Geometry = json.RawMessage(d.Outline)
	switch {
	case q.Get("do") == "preview":
		if d.Preview = true; d.Outline != "" {
			_, err = routing.OutlineOf(d.F.Geometry)
		}
	case d.New:
		err = c.Routing.CreateArea(r.Context(), v.Me.Actor(), d.F)
	default:
		err = c.Routing.UpdateArea(r.Context(), v.Me.Actor(), d.Version, d.F)
	}
	if a, ok := c.Routing.Snapshot().Area(code); ok && (err != nil || d.Preview) {
		if err != nil {
			d.Version = a.Version // whoever saves again has been told
		}
		d.Active = a.Active
	}
	if err != nil {
		status, passOn := c.refProblem(v, &d.refForm, err)
		if passOn != nil {
			return passOn
		}
		return c.showArea(w, r, v, d, status)
	}
	if d.Preview {
		return c.showArea(w, r, v, d, http.StatusOK)
	}
	return see(w, r, "/console/admin/areas/"+url.PathEscape(d.F.Code)+"?saved=1")
}

func (c *Console) areaActive(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, code := c.view(r), r.PathValue("code")
	a, ok := c.Routing.Snapshot().Area(code)
	if !ok {
		return routing.ErrAreaNotFound
	}
	if err := c.Routing.SetAreaActive(r.Context(), v.Me.Actor(), code, number(r.PostForm.Get("version")), r.PostForm.Get("active") == "yes"); err != nil {
		d := &areaData{refForm: refForm{Version: a.Version, Active: a.Active}, F: fieldsOfArea(a)}
		status, passOn := c.refProblem(v, &d.refForm, err)
		if passOn != nil {
			return passOn
		}
		return c.showArea(w, r, v, d, status)
	}
	return see(w, r, "/console/admin/areas/"+url.PathEscape(code)+"?saved=1")
}

// areaOutline is the stored outline as a GeoJSON file.
func (c *Console) areaOutline(w http.ResponseWriter, r *http.Request) error {
	code := r.PathValue("code")
	raw, err := c.Routing.AreaGeometry(r.Context(), code)
	if err != nil {
		return err
	}
	if len(raw) == 0 {
		return httperr.ErrNotFound
	}
	w.Header().Set("Content-Type", "application/geo+json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+code+`.geojson"`) // codes are letters, digits and hyphens
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(raw) // the connection is all that can fail
	return nil
}
