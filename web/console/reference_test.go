package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"hotline/routing"
)

// version is the hidden version of the form that a page shows.
func version(t *testing.T, body string) string {
	t.Helper()
	m := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no form with a version in\n%s", body)
	}
	return m[1]
}

func TestCategoriesAreAdministered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	b.get("/console/admin/categories").wants(t, http.StatusOK, "utilities.water", "examples:")
	b.get("/console/admin/categories?q=noise").wants(t, http.StatusOK, "environment.noise")
	form := url.Values{"code": {"parks"}, "name_en": {"Parks"}, "name_zh-CN": {"公园"}, "kinds": {"help", "complaint"}, "urgency": {"urgent"}, "confidential": {"yes"},
		"examples_en": {"The swing is broken\r\n\r\nThe slide is dirty"}, "examples_zh-CN": {"秋千坏了"}}
	b.post("/console/admin/categories/new", form).wants(t, http.StatusOK, "Saved.", "Parks", "The slide is dirty", "created")
	g, ok := r.routing.Snapshot().Category("parks")
	if !ok || len(g.Examples["en"]) != 2 || !g.Confidential || g.Urgency != "urgent" {
		t.Fatalf("stored %+v", g)
	}
	b.post("/console/admin/categories/new", form).wants(t, http.StatusConflict, "Another category has this code", `id="r-code" aria-invalid="true"`, "The slide is dirty")
	page := b.get("/console/admin/categories/parks")
	form.Set("version", version(t, page.body))
	form.Set("name_en", "Parks and playgrounds")
	b.post("/console/admin/categories/parks", form).wants(t, http.StatusOK, "Parks and playgrounds", "<del>Parks / 公园</del>", "administrator")
	form.Set("version", "2")
	form.Set("examples_en", "The slide is dirty\nThe pond stinks")
	b.post("/console/admin/categories/parks", form).wants(t, http.StatusOK, "<del>The swing is broken</del>", "<ins>The pond stinks</ins>")
	form.Set("version", "2")
	// The same form from another tab: told in words, nothing typed is lost, and what the other did stands below.
	form.Set("name_en", "Gardens")
	stale := b.post("/console/admin/categories/parks", form)
	stale.wants(t, http.StatusConflict, "Somebody else changed this entry", `value="Gardens"`, "<ins>The pond stinks</ins>")
	form.Set("version", version(t, stale.body))
	b.post("/console/admin/categories/parks", form).wants(t, http.StatusOK, "Saved.", `value="Gardens"`)
	form.Set("version", "4")
	form.Set("parent", "utilities.water")
	b.post("/console/admin/categories/parks", form).wants(t, http.StatusConflict, "tickets are filed under it", `id="r-parent" aria-invalid="true"`)
	b.post("/console/admin/categories/parks/active", url.Values{"version": {"4"}}).wants(t, http.StatusOK, "out of use", "Use again")
	b.post("/console/admin/categories/parks/active", url.Values{"version": {"4"}, "active": {"yes"}}).wants(t, http.StatusConflict, "Somebody else")
	b.get("/console/admin/categories/nothing").wants(t, http.StatusNotFound)
	d := r.signIn("dispatcher")
	d.get("/console/admin/categories").wants(t, http.StatusForbidden)
	d.post("/console/admin/categories/new", form).wants(t, http.StatusForbidden)
}

func TestTheHistoryOfAnAgencyStandsOnItsPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	path := "/console/admin/agencies/" + r.city.Agencies["dept-utilities"].String()
	b.post(path, url.Values{"version": {version(t, b.get(path).body)}, "name_en": {"Waterworks"}, "name_zh-CN": {"自来水公司"}, "phone": {"555-7"}, "hours_zh-CN": {"周一至周五"}}).
		wants(t, http.StatusOK, "Waterworks", "Who changed what", "<ins>555-7</ins>", "administrator", `value="周一至周五"`)
}

func TestServiceItemsAreAdministered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	form := url.Values{"code": {"TN-9"}, "name_en": {"Dog tax"}, "name_zh-CN": {"养犬登记"}, "agency": {r.city.Agencies["city"].String()}, "category": {"environment.noise"},
		"channels": {"online"}, "life_event": {"home"}, "url": {"ftp://x"}}
	b.post("/console/admin/items/new", form).wants(t, http.StatusBadRequest, "begins with https://", `id="r-url" aria-invalid="true"`, "Dog tax")
	form.Set("url", "https://tiny.example/dogs")
	b.post("/console/admin/items/new", form).wants(t, http.StatusOK, "Saved.", "No published article names this item", "created")
	b.get("/console/admin/items?q=dog").wants(t, http.StatusOK, "TN-9", "Dog tax", "1 found")
	b.get("/console/admin/items?q=zzz").wants(t, http.StatusOK, "Nothing here")
	form.Set("version", "1")
	form.Set("agency", r.city.Agencies["dept-environment"].String())
	b.post("/console/admin/items/TN-9", form).wants(t, http.StatusOK, "Saved.", "<del>City of Tiny</del>")
	b.post("/console/admin/items/TN-9", form).wants(t, http.StatusConflict, "Somebody else")
	b.post("/console/admin/items/TN-9/active", url.Values{"version": {"2"}}).wants(t, http.StatusOK, "Use again")
	if i, _ := r.routing.Snapshot().ServiceItem("TN-9"); i.Active || i.Agency != r.city.Agencies["dept-environment"] {
		t.Errorf("stored %+v", i)
	}
	b.get("/console/admin/items/none").wants(t, http.StatusNotFound)
	r.signIn("operator").get("/console/admin/items").wants(t, http.StatusForbidden)
}

// upload posts a form with a file.
func (b *browser) upload(path string, fields url.Values, file string) answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range fields {
		for _, v := range values {
			must(b.t, w.WriteField(name, v))
		}
	}
	part, err := w.CreateFormFile("file", "area.geojson")
	must(b.t, err)
	_, err = part.Write([]byte(file))
	must(b.t, err)
	must(b.t, w.Close())
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, &body)
	must(b.t, err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	return b.do(req)
}

func TestAreasAreAdministered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	const triangle = `{"type":"Polygon","coordinates":[[[125.2,30.0],[125.3,30.0],[125.25,30.1],[125.2,30.0]]]}`
	b.get("/console/admin/areas").wants(t, http.StatusOK, "East One", "step-2")
	b.get("/console/admin/areas/street-east-1").wants(t, http.StatusOK, `<svg class="ref-map"`, `class="main"`, "Download as GeoJSON")
	form := url.Values{"code": {"block-7"}, "name_en": {"Block 7"}, "name_zh-CN": {"七号楼"}, "parent": {"street-east-1"}, "level": {"community"}, "do": {"preview"}}
	b.upload("/console/admin/areas/new", form, triangle).wants(t, http.StatusOK, "Nothing is saved yet", `<svg class="ref-map"`, "125.25,30.1")
	if _, ok := r.routing.Snapshot().Area("block-7"); ok {
		t.Fatal("a preview was saved")
	}
	form.Set("do", "save")
	b.upload("/console/admin/areas/new", form, strings.Replace(triangle, "125.3,30.0", "30.0,125.3", 1)).wants(t, http.StatusBadRequest, "outside of the globe", "Block 7")
	b.upload("/console/admin/areas/new", form, `{"type":"Point"`).wants(t, http.StatusBadRequest, "not JSON")
	b.upload("/console/admin/areas/new", form, triangle).wants(t, http.StatusOK, "Saved.", `<svg class="ref-map"`)
	if at := r.routing.Snapshot().AreaAt(30.03, 125.25); len(at) == 0 || at[0] != "block-7" {
		t.Errorf("a place in the new area lies in %v", at)
	}
	if got := b.get("/console/admin/areas/block-7/outline"); got.status != http.StatusOK || !strings.Contains(got.body, "125.25") {
		t.Errorf("download: %d %s", got.status, got.body)
	}
	form.Set("version", "1")
	form.Set("name_en", "Block Seven")
	b.upload("/console/admin/areas/block-7", form, "").wants(t, http.StatusOK, "Saved.", "Block Seven", `<svg class="ref-map"`)
	b.upload("/console/admin/areas/block-7", form, "").wants(t, http.StatusConflict, "Somebody else")
	form.Set("version", "2")
	b.upload("/console/admin/areas/block-7", form, strings.Replace(triangle, "30.1", "30.12", 1)).wants(t, http.StatusOK, "another outline")
	b.post("/console/admin/areas/block-7/active", url.Values{"version": {"3"}}).wants(t, http.StatusOK, "Use again")
	b.get("/console/admin/areas/nowhere").wants(t, http.StatusNotFound)
	r.signIn("supervisor").get("/console/admin/areas").wants(t, http.StatusForbidden)
	if a, _ := r.routing.Snapshot().Area("block-7"); a.Active || a.Version != 4 {
		t.Errorf("stored %+v", a)
	}
}

// Whatever the routing service can say is wrong with an outline has words.
func TestOutlineProblemsHaveWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	for _, file := range []string{`{`, `{"type":"FeatureCollection","features":[]}`, `{"type":"Point","coordinates":[1,2]}`, `{"type":"Polygon","coordinates":[]}`, `{"type":"MultiPolygon","coordinates":[[]]}`,
		`{"type":"Polygon","coordinates":[[[1,2],[3,4]]]}`, `{"type":"Polygon","coordinates":[[[1,2],[3,94],[5,6],[1,2]]]}`, strings.Repeat(" ", routing.MaxGeometry+1), "null", "[]", `{"type":"Feature"}`} {
		got := b.upload("/console/admin/areas/street-east-1", url.Values{"version": {"1"}, "name_en": {"a"}, "name_zh-CN": {"b"}, "parent": {"dist-east"}, "level": {"street"}}, file)
		if got.status != http.StatusBadRequest || strings.Contains(got.body, "reference.outline_") || !strings.Contains(got.body, `href="#r-geometry"`) {
			t.Errorf("%.60s: %d", file, got.status)
		}
	}
}

// referencePages are the pages of reference data, with a history to show.
func (r *rig) referencePages() []pageOf {
	r.t.Helper()
	ctx, by := r.t.Context(), r.as("administrator").DB
	g, _ := r.routing.Snapshot().Category("environment.noise")
	must(r.t, r.routing.UpdateCategory(ctx, by, g.Version, routing.CategoryFields{Code: g.Code, Parent: g.Parent, Names: routing.Names{"en": "Noise and vibration", "zh-CN": "噪声与振动"}, Kinds: g.Kinds,
		Urgency: "urgent", Description: g.Description, Keywords: map[string][]string{"en": {"drilling", "loud music"}, "zh-CN": {"打桩", "噪声"}}, Examples: g.Examples}))
	i := r.routing.Snapshot().ServiceItems()[0]
	must(r.t, r.routing.UpdateItem(ctx, by, i.Version, routing.ItemFields{Code: i.Code, Names: i.Names, Agency: i.Agency, Category: i.Category, Area: "dist-east", Channels: []string{"online", "phone"}, LifeEvent: "home"}))
	return []pageOf{
		{"ref-categories", "administrator", "/console/admin/categories"},
		{"ref-category", "administrator", "/console/admin/categories/environment.noise"},
		{"ref-items", "administrator", "/console/admin/items"},
		{"ref-item", "administrator", "/console/admin/items/" + i.Code},
		{"ref-areas", "administrator", "/console/admin/areas"},
		{"ref-area", "administrator", "/console/admin/areas/street-east-1"},
		{"ref-area-new", "administrator", "/console/admin/areas/new?parent=dist-east"},
	}
}
