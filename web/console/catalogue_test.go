package console_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"hotline/routing"
)

func TestTheDispatchCatalogueIsChangedThroughADraft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	env, util := r.city.Agencies["dept-environment"], r.city.Agencies["dept-utilities"]
	water := routing.Facts{Category: "utilities.water"}
	if got := r.routing.Decide(water).Lead; got != util {
		t.Fatalf("water goes to %s", got)
	}
	b.get("/console/admin/catalogue").wants(t, http.StatusOK, "version 1 · in force", "Begin a draft")
	page := b.post("/console/admin/catalogue", url.Values{"note": {"Water moves"}})
	page.wants(t, http.StatusOK, "version 2 · draft", "Nothing yet", "Water moves")

	link := regexp.MustCompile(`/console/admin/catalogue/2/entry\?[^"]*utilities\.water[^"]*`).FindString(page.body)
	form := b.get(html.UnescapeString(link))
	form.wants(t, http.StatusOK, `value="`+util.String()+`" selected`)
	was := html.UnescapeString(regexp.MustCompile(`name="was" value="([^"]+)"`).FindStringSubmatch(form.body)[1])
	entry := func(edit func(url.Values)) url.Values {
		f := url.Values{"was": {was}, "category": {"utilities.water"}, "lead": {env.String()}, "co": {util.String()}, "urgency": {"urgent"}, "do": {"save"}}
		edit(f)
		return f
	}
	const path = "/console/admin/catalogue/2/entry"
	for _, c := range []struct {
		name, words, field string
		status             int
		edit               func(url.Values)
	}{
		{"no lead", "Choose a lead agency", "lead", http.StatusBadRequest, func(f url.Values) { f.Set("lead", "") }},
		{"no category", "Choose a category", "category", http.StatusBadRequest, func(f url.Values) { f.Set("category", "nonsense") }},
		{"helps itself", "the lead itself", "co", http.StatusBadRequest, func(f url.Values) { f.Set("co", env.String()) }},
		{"urgency", "This urgency does not exist", "urgency", http.StatusBadRequest, func(f url.Values) { f.Set("urgency", "now") }},
		{"twice", "already", "duplicate", http.StatusBadRequest, func(f url.Values) { f.Set("was", "") }},
		{"forged", "read", "", http.StatusBadRequest, func(f url.Values) { f.Set("was", "{") }},
	} {
		got := b.post(path, entry(c.edit))
		if got.wants(t, c.status, c.words); c.field != "" && c.field != "duplicate" {
			got.wants(t, c.status, `id="c-`+c.field+`" aria-invalid="true"`)
		}
	}
	b.post(path, entry(func(url.Values) {})).wants(t, http.StatusOK, "<del>", "<ins>", "(urgent)")
	// The same form again meets an entry that is another one by now.
	b.post(path, entry(func(url.Values) {})).wants(t, http.StatusConflict, "Somebody else changed or removed this entry", `value="`+env.String()+`" selected`)
	if got := r.routing.Decide(water).Lead; got != util {
		t.Fatalf("a draft decides: water goes to %s", got)
	}
	b.post("/console/admin/catalogue/2/publish", nil).wants(t, http.StatusOK, "version 2 · in force", "version 1")
	if got := r.routing.Decide(water); got.Lead != env || got.Catalogue != 2 || got.Urgency != "urgent" {
		t.Errorf("after publication: %+v", got)
	}
	b.post("/console/admin/catalogue/2/publish", nil).wants(t, http.StatusConflict, "never changes")
	b.post(path, entry(func(url.Values) {})).wants(t, http.StatusConflict, "never changes")
	b.get("/console/admin/catalogue/99").wants(t, http.StatusNotFound)
	b.get("/console/admin/catalogue/x").wants(t, http.StatusNotFound)
	r.signIn("dispatcher").get("/console/admin/catalogue").wants(t, http.StatusForbidden)

	// An entry whose agency was closed does not keep others from being repaired; it keeps the version from being published.
	b.post("/console/admin/catalogue", nil).wants(t, http.StatusOK, "version 3 · draft")
	a, _ := r.routing.Snapshot().Agency(env)
	_, err := r.routing.DeactivateAgency(t.Context(), r.as("administrator").DB, env, a.Version)
	must(t, err)
	b.get("/console/admin/catalogue/3").wants(t, http.StatusOK, "agency closed")
	b.post("/console/admin/catalogue/3/entry", url.Values{"category": {"environment.noise"}, "area": {"dist-east"}, "lead": {util.String()}}).wants(t, http.StatusOK, "<ins>")
	b.post("/console/admin/catalogue/3/publish", nil).wants(t, http.StatusBadRequest, "Choose a lead agency that takes tickets")
	g, _ := r.routing.Snapshot().Category("utilities.water")
	must(t, r.routing.SetCategoryActive(t.Context(), r.as("administrator").DB, g.Code, g.Version, false))
	b.get("/console/admin/catalogue/3").wants(t, http.StatusOK, "out of use")
	b.post("/console/admin/catalogue/3/drop", nil).wants(t, http.StatusOK, "version 2 · in force")
}
