package console

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/web/httperr"
)

// Words that mean the same to the search. The hotline's editors keep them; editors of agencies see them.

func (c *Console) synonymRoutes(on func(string, []string, handle)) {
	on("GET /console/knowledge/synonyms", editRoles, c.synonyms)
	on("POST /console/knowledge/synonyms", editRoles, c.synonymSave)
	on("POST /console/knowledge/synonyms/remove", editRoles, c.synonymRemove)
}

const synonymPage = 50

type synonymsData struct {
	Rows        []knowledge.Synonym
	More        template.URL
	Lang, Query string // what is listed
	Langs       []string
	Form        knowledge.Synonym
	May         bool
	Error       string
	Field       string
}

func (c *Console) synonyms(w http.ResponseWriter, r *http.Request) error {
	d := &synonymsData{}
	if id := parseID(r.URL.Query().Get("edit")); id != uuid.Nil {
		g, err := c.Knowledge.Synonym(r.Context(), id)
		if err != nil {
			return err
		}
		d.Form = g
	}
	return c.showSynonyms(w, r, http.StatusOK, d)
}

func (c *Console) showSynonyms(w http.ResponseWriter, r *http.Request, status int, d *synonymsData) error {
	v, q := c.view(r), r.URL.Query()
	d.Lang, d.Query, d.Langs, d.May = clean(q.Get("lang_of"), 20), clean(q.Get("q"), 100), c.words.Languages(), v.Me.Desk
	if d.Form.Lang == "" {
		d.Form.Lang = v.Lang
	}
	if !slices.Contains(d.Langs, d.Form.Lang) {
		d.Langs = append(slices.Clone(d.Langs), d.Form.Lang)
	}
	after := knowledge.Synonym{ID: parseID(q.Get("after_id")), SynonymGroup: knowledge.SynonymGroup{Lang: q.Get("after_lang"), Terms: []string{q.Get("after")}}}
	rows, err := c.Knowledge.ListSynonyms(r.Context(), d.Lang, d.Query, after, synonymPage+1)
	if err != nil {
		return err
	}
	if len(rows) > synonymPage {
		rows = rows[:synonymPage]
		last := rows[synonymPage-1]
		d.More = query(url.Values{"lang_of": {d.Lang}, "q": {d.Query}, "after_lang": {last.Lang}, "after": {last.Terms[0]}, "after_id": {last.ID.String()}})
	}
	d.Rows = rows
	v.Nav, v.Title, v.D = "knowledge", v.T("synonyms.title"), d
	c.page(w, r, status, "synonyms", v)
	return nil
}

func (c *Console) synonymSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	q := r.PostForm
	g := knowledge.Synonym{ID: parseID(q.Get("id")), Version: number(q.Get("version")), SynonymGroup: knowledge.SynonymGroup{Lang: clean(q.Get("lang_of"), 20), Terms: lines(q.Get("terms"))}}
	return c.synonymsChanged(w, r, g, c.Knowledge.SaveSynonym(r.Context(), staff(c.view(r)), g))
}

func (c *Console) synonymRemove(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	return c.synonymsChanged(w, r, knowledge.Synonym{}, c.Knowledge.RemoveSynonym(r.Context(), staff(c.view(r)), parseID(r.PostForm.Get("id")), number(r.PostForm.Get("version"))))
}

func (c *Console) synonymsChanged(w http.ResponseWriter, r *http.Request, form knowledge.Synonym, err error) error {
	if err == nil {
		http.Redirect(w, r, "/console/knowledge/synonyms", http.StatusSeeOther)
		return nil
	}
	if !expected(err) {
		return err
	}
	return c.showSynonyms(w, r, httperr.Status(errs.KindOf(err)), &synonymsData{Form: form, Error: c.explain(r.Context(), c.view(r), err), Field: fieldOf(err)})
}
