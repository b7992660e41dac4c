// Package pages keeps the templates of a site in one set, parsed once at the start: the layout and the shared pieces stand in it once, where a set for each
// page would hold them dozens of times.
package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Set is the templates of a site. A page's file defines "main", which the set knows as "page:" and the file's name; the layout puts the page that is shown
// in its place by a function "main" of the site, which calls Main. A page may define a "layout" of its own.
type Set struct{ set *template.Template }

// Parse reads the shared pieces and then every page, by their patterns. Options are those of text/template.
func Parse(files fs.FS, shared, each string, funcs template.FuncMap, options ...string) (*Set, error) {
	set, err := template.New("").Funcs(funcs).Option(options...).ParseFS(files, shared)
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	names, err := fs.Glob(files, each)
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
		page := strings.TrimSuffix(path.Base(name), ".html")
		own := strings.NewReplacer(`{{define "main"}}`, `{{define "page:`+page+`"}}`, `{{define "layout"}}`, `{{define "layout:`+page+`"}}`)
		if _, err := set.New(name).Parse(own.Replace(string(text))); err != nil {
			return nil, fmt.Errorf("templates: %s: %w", name, err)
		}
	}
	return &Set{set}, nil
}

// Has reports whether there is such a page.
func (s *Set) Has(page string) bool {
	return s.set.Lookup("page:"+page) != nil || s.set.Lookup("layout:"+page) != nil
}

// Main is the page itself, to be put into the layout.
func (s *Set) Main(page string, data any) (template.HTML, error) {
	var out bytes.Buffer
	err := s.set.ExecuteTemplate(&out, "page:"+page, data)
	return template.HTML(out.String()), err // escaped by its own template
}

// Layout is the name of the piece that a page is shown in.
func (s *Set) Layout(page string) string {
	if own := "layout:" + page; s.set.Lookup(own) != nil {
		return own
	}
	return "layout"
}

// Execute writes a piece of the set.
func (s *Set) Execute(w io.Writer, piece string, data any) error {
	return s.set.ExecuteTemplate(w, piece, data)
}
