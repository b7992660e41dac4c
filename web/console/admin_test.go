package console_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
)

func TestAdministrationNamesTheFieldAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	env := r.city.Agencies["dept-environment"].String()
	user := func(field, value string) url.Values {
		f := url.Values{"email": {"li@tiny.example"}, "name": {"Li Na"}, "agency": {env}, "roles": {"handler"}, "lang_of": {"en"}, "password": {password}}
		f.Set(field, value)
		return f
	}
	for field, value := range map[string]string{"email": "nobody", "name": "", "password": "short", "roles": "king", "agency": "x"} {
		page := b.post("/console/admin/users/new", user(field, value))
		page.wants(t, http.StatusBadRequest, "#u-"+field, `id="u-`+field+`" aria-invalid="true"`)
		if field != "name" {
			page.wants(t, http.StatusBadRequest, "Li Na")
		}
	}
	handler := "/console/admin/users/" + r.city.Users["handler-env"].String()
	b.post(handler+"/password", url.Values{"password": {"short"}}).wants(t, http.StatusBadRequest, "#p-password", `id="p-password" aria-invalid="true"`)

	agency := func(field, value string) url.Values {
		f := url.Values{"code": {"dept-parks"}, "parent": {env}, "kind": {"department"}, "name_en": {"Parks"}, "name_zh-CN": {"园林局"}}
		f.Set(field, value)
		return f
	}
	for field, value := range map[string]string{"code": "Bad Code", "kind": "kingdom", "area": "nowhere", "parent": "x"} {
		b.post("/console/admin/agencies/new", agency(field, value)).wants(t, http.StatusBadRequest, "#a-"+field, `id="a-`+field+`" aria-invalid="true"`, "园林局")
	}
	b.post("/console/admin/agencies/new", agency("name_en", "")).wants(t, http.StatusBadRequest, "#a-names", `id="a-name-en" aria-invalid="true"`, "园林局")
	b.get("/console/admin/agencies/new").wants(t, http.StatusOK, `<select id="a-area"`)

	b.post("/console/admin/keys", url.Values{"name": {""}, "agency": {env}, "scopes": {"tickets:read"}}).
		wants(t, http.StatusBadRequest, "#k-name", `value="tickets:read" checked`, `value="`+env+`" selected`)
	b.post("/console/admin/keys", url.Values{"name": {"Open data"}, "agency": {env}}).wants(t, http.StatusBadRequest, "#k-scopes", "Open data")
	b.post("/console/admin/keys", url.Values{"name": {"Open data"}, "agency": {env}, "scopes": {"tickets:read"}}).wants(t, http.StatusOK, "stops working at once")
}

func TestTwoAdministratorsAtOnceSeeEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	path := "/console/admin/users/" + r.city.Users["handler-env"].String()
	save := func(version int, name string) answer {
		return b.post(path, url.Values{"version": {strconv.Itoa(version)}, "name": {name}, "agency": {r.city.Agencies["dept-environment"].String()}, "roles": {"handler"}, "lang_of": {"en"}, "active": {"yes"}})
	}
	page := b.get(path)
	version := 0
	for v := range 10 {
		if save(v, "First").status == http.StatusOK {
			version = v
			break
		}
	}
	if version == 0 {
		t.Fatalf("no version was accepted\n%s", excerpt(page.body))
	}
	save(version, "Second").wants(t, http.StatusConflict, `value="Second"`, `name="version" value="`+strconv.Itoa(version+1)+`"`)
	b.post(path, url.Values{"version": {"nonsense"}, "name": {"Third"}, "roles": {"handler"}}).wants(t, http.StatusConflict, `value="Third"`)
}
