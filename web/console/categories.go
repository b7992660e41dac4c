package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hotline/routing"
)

type categoryTreeData struct {
	Tree  []categoryNode
	Query string
	Count int
}

type categoryNode struct {
	routing.Category
	Name     string
	Examples int  // in the language that has fewest
	Thin     bool // too few to learn from
	Below    []categoryNode
}

// fewExamples is below what trains a good classifier, for each language.
const fewExamples = 6

func (c *Console) categoryTree(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "categories", v.T("nav.categories")
	d := &categoryTreeData{Query: clean(r.URL.Query().Get("q"), 100)}
	s := c.Routing.Snapshot()
	want := strings.ToLower(d.Query)
	var grow func(parent string, depth int) []categoryNode
	grow = func(parent string, depth int) []categoryNode {
		var out []categoryNode
		for _, g := range s.Categories() {
			if g.Parent != parent || depth > 5 {
				continue
			}
			n := categoryNode{Category: g, Name: g.Names.In(v.Lang), Below: grow(g.Code, depth+1)}
			for i, lang := range s.Jurisdiction().Languages {
				if k := len(g.Examples[lang]); i == 0 || k < n.Examples {
					n.Examples = k
				}
			}
			n.Thin = g.Leaf && n.Examples < fewExamples
			if want == "" || len(n.Below) > 0 || strings.Contains(strings.ToLower(n.Name+" "+g.Code), want) {
				out = append(out, n)
				d.Count++
			}
		}
		return out
	}
	d.Tree = grow("", 0)
	v.D = d
	c.page(w, r, http.StatusOK, "categories", v)
	return nil
}

type categoryData struct {
	refForm
	F        routing.CategoryFields
	Kinds    []string
	Above    []option
	InUse    bool
	Keywords map[string]string // one a line
	Examples map[string]string
}

// Takes reports whether a kind of request is ticked.
func (d categoryData) Takes(kind string) bool { return slices.Contains(d.F.Kinds, kind) }

func (c *Console) showCategory(w http.ResponseWriter, r *http.Request, v View, d *categoryData, status int) error {
	if err := d.begin(c, r, v, "category", d.F.Code); err != nil {
		return err
	}
	d.Kinds, d.Keywords, d.Examples = routing.RequestKinds(), map[string]string{}, map[string]string{}
	for _, lang := range d.Langs {
		d.Keywords[lang], d.Examples[lang] = strings.Join(d.F.Keywords[lang], "\n"), strings.Join(d.F.Examples[lang], "\n")
	}
	s := c.Routing.Snapshot()
	d.InUse = s.InUse(d.F.Code)
	for _, o := range c.categories(v.Lang) {
		// Where it stands is offered always; elsewhere only what can have categories below it.
		g, _ := s.Category(o.Value)
		if o.Value == d.F.Parent || o.Value != d.F.Code && o.Depth < 2 && !(g.Leaf && s.InUse(o.Value)) {
			d.Above = append(d.Above, o)
		}
	}
	v.Nav, v.Title, v.D = "categories", d.F.Names.In(v.Lang), d
	if d.New {
		v.Title = v.T("reference.category_new")
	}
	c.page(w, r, status, "category", v)
	return nil
}

func (c *Console) categoryNew(w http.ResponseWriter, r *http.Request) error {
	f := routing.CategoryFields{Urgency: "normal", Parent: clean(r.URL.Query().Get("parent"), 100)}
	if up, ok := c.Routing.Snapshot().Category(f.Parent); ok {
		f.Kinds, f.Urgency, f.Confidential, f.Code = up.Kinds, up.Urgency, up.Confidential, up.Code+"."
	}
	return c.showCategory(w, r, c.view(r), &categoryData{refForm: refForm{New: true}, F: f}, http.StatusOK)
}

func fieldsOfCategory(g routing.Category) routing.CategoryFields {
	return routing.CategoryFields{Code: g.Code, Parent: g.Parent, Names: g.Names, Kinds: g.Kinds, Urgency: g.Urgency, Confidential: g.Confidential,
		Description: g.Description, Keywords: g.Keywords, Examples: g.Examples}
}

func (c *Console) categoryPage(w http.ResponseWriter, r *http.Request) error {
	g, ok := c.Routing.Snapshot().Category(r.PathValue("code"))
	if !ok {
		return routing.ErrCategoryNotFound
	}
	return c.showCategory(w, r, c.view(r), &categoryData{refForm: refForm{Version: g.Version, Active: g.Active}, F: fieldsOfCategory(g)}, http.StatusOK)
}

func (c *Console) categorySave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, q, code := c.view(r), r.PostForm, r.PathValue("code")
	d := &categoryData{refForm: refForm{New: code == "", Version: number(q.Get("version"))}}
	d.F = routing.CategoryFields{Code: code, Parent: clean(q.Get("parent"), 100), Names: routing.Names{}, Kinds: q["kinds"], Urgency: clean(q.Get("urgency"), 20),
		Confidential: q.Get("confidential") != "", Description: routing.Names{}, Keywords: map[string][]string{}, Examples: map[string][]string{}}
	for _, lang := range c.Routing.Snapshot().Jurisdiction().Languages {
		d.F.Names[lang], d.F.Description[lang] = clean(q.Get("name_"+lang), 300), text(q.Get("description_"+lang))
		d.F.Keywords[lang], d.F.Examples[lang] = linesOf(q.Get("keywords_"+lang)), linesOf(q.Get("examples_"+lang))
	}
	var err error
	if d.New {
		d.F.Code = clean(q.Get("code"), 100)
		err = c.Routing.CreateCategory(r.Context(), v.Me.Actor(), d.F)
	} else {
		err = c.Routing.UpdateCategory(r.Context(), v.Me.Actor(), d.Version, d.F)
	}
	if err != nil {
		status, passOn := c.refProblem(v, &d.refForm, err)
		if passOn != nil {
			return passOn
		}
		if g, ok := c.Routing.Snapshot().Category(code); ok {
			d.Version, d.Active = g.Version, g.Active // whoever saves again has been told
		}
		return c.showCategory(w, r, v, d, status)
	}
	return see(w, r, "/console/admin/categories/"+url.PathEscape(d.F.Code)+"?saved=1")
}

func (c *Console) categoryActive(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, code := c.view(r), r.PathValue("code")
	g, ok := c.Routing.Snapshot().Category(code)
	if !ok {
		return routing.ErrCategoryNotFound
	}
	if err := c.Routing.SetCategoryActive(r.Context(), v.Me.Actor(), code, number(r.PostForm.Get("version")), r.PostForm.Get("active") == "yes"); err != nil {
		d := &categoryData{refForm: refForm{Version: g.Version, Active: g.Active}, F: fieldsOfCategory(g)}
		status, passOn := c.refProblem(v, &d.refForm, err)
		if passOn != nil {
			return passOn
		}
		return c.showCategory(w, r, v, d, status)
	}
	return see(w, r, "/console/admin/categories/"+url.PathEscape(code)+"?saved=1")
}
