package pages_test

import (
	"html/template"
	"strings"
	"testing"
	"testing/fstest"

	"hotline/web/pages"
)

type view struct{ page, Name string }

func TestPagesStandInTheirLayout(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"t/_layout.html": {Data: []byte(`{{define "layout"}}<main>{{main .}}</main>{{template "name" .}}{{end}}{{define "name"}}{{.Name}}{{end}}`)},
		"t/one.html":     {Data: []byte(`{{define "main"}}one: {{template "name" .}}{{end}}`)},
		"t/two.html":     {Data: []byte(`{{define "layout"}}bare {{main .}}{{end}}{{define "main"}}two{{end}}`)},
		"t/astray.html":  {Data: []byte(`{{define "mian"}}{{end}}`)},
	}
	var set *pages.Set
	set, err := pages.Parse(files, "t/_*.html", "t/[^_]*.html", template.FuncMap{"main": func(v view) (template.HTML, error) { return set.Main(v.page, v) }})
	if err != nil {
		t.Fatal(err)
	}
	for page, want := range map[string]string{"one": "<main>one: &lt;b&gt;</main>&lt;b&gt;", "two": "bare two"} {
		var out strings.Builder
		if err := set.Execute(&out, set.Layout(page), view{page, "<b>"}); err != nil || out.String() != want || !set.Has(page) {
			t.Errorf("%s: %q, %v", page, out.String(), err)
		}
	}
	if set.Has("astray") || set.Has("three") {
		t.Error("what defines no page is one")
	}
}

func TestAMistakeStopsTheStart(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"_layout.html": {Data: []byte(`{{define "layout"}}{{end}}`)}, "one.html": {Data: []byte(`{{define "main"}}{{if}}{{end}}`)}}
	if _, err := pages.Parse(files, "_*.html", "[^_]*.html", nil); err == nil || !strings.Contains(err.Error(), "one.html") {
		t.Errorf("%v names no file", err)
	}
}
