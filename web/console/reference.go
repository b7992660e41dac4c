package console

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/routing"
	"hotline/web/httperr"
)

// referenceRoutes: what tickets are sorted by. Who may change it is judged by the store once more.
func (c *Console) referenceRoutes(on, files func(string, []string, handle)) {
	admin := []string{"administrator"}
	on("GET /console/admin/categories", admin, c.categoryTree)
	on("GET /console/admin/categories/new", admin, c.categoryNew)
	on("POST /console/admin/categories/new", admin, c.categorySave)
	on("GET /console/admin/categories/{code}", admin, c.categoryPage)
	on("POST /console/admin/categories/{code}", admin, c.categorySave)
	on("POST /console/admin/categories/{code}/active", admin, c.categoryActive)
	on("GET /console/admin/items", admin, c.itemList)
	on("GET /console/admin/items/new", admin, c.itemNew)
	on("POST /console/admin/items/new", admin, c.itemSave)
	on("GET /console/admin/items/{code}", admin, c.itemPage)
	on("POST /console/admin/items/{code}", admin, c.itemSave)
	on("POST /console/admin/items/{code}/active", admin, c.itemActive)
	on("GET /console/admin/areas", admin, c.areaList)
	on("GET /console/admin/areas/new", admin, c.areaNew)
	files("POST /console/admin/areas/new", admin, c.areaSave)
	on("GET /console/admin/areas/{code}", admin, c.areaPage)
	files("POST /console/admin/areas/{code}", admin, c.areaSave)
	on("POST /console/admin/areas/{code}/active", admin, c.areaActive)
	on("GET /console/admin/areas/{code}/outline", admin, c.areaOutline)
}

// refForm is what the pages of one entry have in common.
type refForm struct {
	New     bool
	Version int
	Active  bool
	Langs   []string
	Changes []refChange
	Older   template.URL // query of the changes before these
	Error   string
	Field   string
	Saved   bool
}

// refChange is a line of who changed what, in words.
type refChange struct {
	routing.ReferenceChange
	Who   string
	Lines []refLine
}

type refLine struct{ Field, Before, After string }

// refChangesPage is how many changes a page shows.
const refChangesPage = 10

// begin fills what the pages of an entry have in common.
func (f *refForm) begin(c *Console, r *http.Request, v View, thing, code string) error {
	f.Langs, f.Saved = c.Routing.Snapshot().Jurisdiction().Languages, r.URL.Query().Get("saved") != "" && f.Error == ""
	if f.New {
		return nil
	}
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // nonsense is the first page
	list, err := c.Routing.ReferenceChanges(r.Context(), v.Me.Actor(), thing, code, max(before, 0), refChangesPage+1)
	if err != nil {
		return err
	}
	if len(list) > refChangesPage {
		list = list[:refChangesPage]
		f.Older = template.URL("before=" + strconv.FormatInt(list[refChangesPage-1].ID, 10))
	}
	names := map[uuid.UUID]string{}
	for _, one := range list {
		row := refChange{ReferenceChange: one, Who: v.T("reference.by_command")}
		if one.By != uuid.Nil {
			if _, known := names[one.By]; !known {
				if u, err := c.Auth.Get(r.Context(), one.By); err == nil {
					names[one.By] = u.NameIn(v.Lang)
				}
			}
			row.Who = names[one.By]
		}
		if one.Action == "changed" {
			row.Lines = v.refLines(one)
		}
		f.Changes = append(f.Changes, row)
	}
	return nil
}

// refLines says which fields became what.
func (v View) refLines(one routing.ReferenceChange) []refLine {
	var out []refLine
	for field, after := range one.After {
		if field == "geometry" {
			out = append(out, refLine{Field: v.T("reference.outline"), After: v.T("reference.outline_changed")})
			continue
		}
		if gone, added, lists := v.refWords(one.Before[field], after); lists {
			out = append(out, refLine{v.word("reference.column_", field), gone, added})
			continue
		}
		out = append(out, refLine{v.word("reference.column_", field), v.refValue(field, one.Before[field]), v.refValue(field, after)})
	}
	slices.SortFunc(out, func(a, b refLine) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// refValue writes a stored value as a person reads it.
func (v View) refValue(field string, raw json.RawMessage) string {
	var word string
	var flag bool
	var list []string
	var texts map[string]string
	switch {
	case len(raw) == 0 || bytes.Equal(raw, []byte("null")):
		return ""
	case json.Unmarshal(raw, &flag) == nil:
		return v.YesNo(flag)
	case json.Unmarshal(raw, &word) == nil:
		return clean(v.refCode(field, word), 200)
	case json.Unmarshal(raw, &list) == nil:
		return clean(strings.Join(list, v.T("comma")), 200)
	case json.Unmarshal(raw, &texts) == nil:
		return clean(texts[v.Lang]+otherTexts(texts, v.Lang), 200)
	}
	return clean(string(raw), 200)
}

// refWords tells what went from lists of texts and what came, where both sides are such lists.
func (v View) refWords(before, after json.RawMessage) (gone, added string, lists bool) {
	var was, is map[string][]string
	if json.Unmarshal(before, &was) != nil || json.Unmarshal(after, &is) != nil || len(was)+len(is) == 0 {
		return "", "", false
	}
	but := func(all, known map[string][]string) string {
		var out []string
		for _, lang := range v.c.words.Languages() {
			for _, text := range all[lang] {
				if !slices.Contains(known[lang], text) {
					out = append(out, text)
				}
			}
		}
		return clean(strings.Join(out, " · "), 300)
	}
	gone, added = but(was, is), but(is, was)
	if gone+added == "" {
		added = v.T("reference.reordered")
	} else if added == "" {
		added = v.T("reference.removed")
	}
	return gone, added, true
}

func otherTexts(texts map[string]string, but string) string {
	out := ""
	for lang, text := range texts {
		if lang != but && text != "" {
			out += " / " + text
		}
	}
	return out
}

// refCode puts a code that names another thing into words.
func (v View) refCode(field, code string) string {
	switch field {
	case "category", "parent":
		return v.Category(code)
	case "agency_id":
		return v.Agency(parseID(code))
	case "area", "area_code":
		return v.Area(code)
	case "urgency":
		return v.Urgency(code)
	}
	return code
}

// refProblem shows the page again with what was entered; anything else than a mistake of the person is passed on.
func (c *Console) refProblem(v View, f *refForm, err error) (status int, passOn error) {
	if !expected(err) {
		return 0, err
	}
	f.Error, f.Field = c.words.Error(v.Lang, err), fieldOf(err)
	if args, ok := argsOf(err); ok {
		if reason, _ := args["reason"].(string); reason != "" {
			f.Error += " " + v.T("reference.outline_"+reason)
		}
	}
	return httperr.Status(errs.KindOf(err)), nil
}

// linesOf takes a text area with one entry a line.
func linesOf(s string) []string {
	var out []string
	for line := range strings.Lines(text(s)) {
		if line = clean(line, 10_000); line != "" {
			out = append(out, line)
		}
	}
	return out
}
