package portal

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hotline/internal/errs"
	"hotline/internal/i18n"
	"hotline/web/httperr"
	"hotline/web/pages"
	"hotline/web/static"
)

// view is what every template gets. Its methods are the templates' vocabulary.
type view struct {
	p        *Portal
	r        *http.Request
	Lang     string
	Dir      string
	Title    string
	City     Jurisdiction
	Problems []Problem
	Body     any
	NoChat   bool // pages that are confidential, or that show the widget themselves
}

// Problem is one line of the error summary; Field is the id of the input it links to.
type Problem struct{ Field, Text string }

func (p *Portal) view(r *http.Request, titleKey string, body any) *view {
	lang := httperr.Lang(r.Context())
	return &view{p: p, r: r, Lang: lang, Dir: i18n.Dir(lang), Title: p.Words.T(lang, "portal."+titleKey), City: p.City.Jurisdiction(), Body: body}
}

// T gives a text of the portal.
func (v *view) T(key string, args ...any) string { return v.p.Words.T(v.Lang, "portal."+key, args...) }

// Query is what is searched for.
func (v *view) Query() string {
	q, _ := query(v.r)
	return q
}

// Known reports whether the portal has the text.
func (v *view) Known(key string) bool { return v.p.Words.Known("portal." + key) }

// Asset is the address of a file.
func (v *view) Asset(name string) string { return v.p.assets.URL(name) }

// Date and DateTime write a time in the city's zone.
func (v *view) Date(t time.Time) string { return i18n.Date(v.Lang, t, v.City.Zone) }

// DateTime writes day and minute.
func (v *view) DateTime(t time.Time) string { return i18n.DateTime(v.Lang, t, v.City.Zone) }

// ISO is for the datetime attribute.
func (v *view) ISO(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Size writes a count of bytes.
func (v *view) Size(n int64) string { return i18n.Size(n) }

// Languages are the other languages with the address of this page in them.
func (v *view) Languages() []struct{ Code, Name, URL string } {
	var out []struct{ Code, Name, URL string }
	for _, lang := range v.p.Words.Languages() {
		if lang == v.Lang {
			continue
		}
		target := url.URL{Path: v.r.URL.Path}
		if v.r.Method != http.MethodGet { // the page after a failed form: its own address may not know GET
			target.Path = strings.TrimSuffix(target.Path, "/feedback")
			if strings.HasPrefix(target.Path, "/track/") {
				target.Path = "/track/case"
			}
		}
		q := url.Values{}
		if v.r.Method == http.MethodGet {
			q = v.r.URL.Query()
		}
		q.Set("lang", lang)
		target.RawQuery = q.Encode()
		out = append(out, struct{ Code, Name, URL string }{lang, i18n.Name(lang), target.String()})
	}
	return out
}

// HasNumbers reports whether there are public numbers to link to.
func (v *view) HasNumbers() bool { return v.p.Numbers != nil }

// Problem gives the text that belongs to a field, or "".
func (v *view) Problem(field string) string {
	for _, p := range v.Problems {
		if p.Field == field {
			return p.Text
		}
	}
	return ""
}

// Section reports whether the page belongs to a part of the site, for the navigation.
func (v *view) Section(prefix string) bool { return strings.HasPrefix(v.r.URL.Path, prefix) }

// add puts an error into the summary when it is one a person can correct, and reports whether it was.
func (v *view) add(field string, err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.TooLarge, errs.NotFound, errs.Conflict, errs.RateLimited:
		var e *errs.Error
		if field == "" && errors.As(err, &e) {
			field = e.Field
		}
		v.Problems = append(v.Problems, Problem{field, v.p.Words.Error(v.Lang, err)})
		return true
	}
	return false
}

func (v *view) problem(field, key string, args ...any) {
	v.Problems = append(v.Problems, Problem{field, v.T(key, args...)})
}

// paged carries the page's name to the layout.
type paged struct {
	*view
	page string
}

func (p *Portal) execute(w io.Writer, page string, v *view) error {
	return p.pages.Execute(w, p.pages.Layout(page), paged{v, page})
}

// parse reads every page with the layout and the shared pieces, so that a mistake in one stops the start.
func parse(files *static.Assets) (set *pages.Set, err error) {
	set, err = pages.Parse(templates, "templates/_*.html", "templates/[^_]*.html",
		template.FuncMap{"main": func(v paged) (template.HTML, error) { return set.Main(v.page, v.view) }}, "missingkey=error")
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	for _, needed := range []string{"home", "search", "article", "applies", "step", "check", "done", "report", "track", "case", "error", "demo", "statistics", "open-data"} {
		if !set.Has(needed) {
			return nil, fmt.Errorf("portal: no template %s", needed)
		}
	}
	for _, name := range []string{"tokens.css", "base.css", "portal.css", "portal.js"} {
		files.URL(name) // panics when it is missing
	}
	return set, nil
}

// render writes a page, whole or not at all.
func (p *Portal) render(w http.ResponseWriter, r *http.Request, page string, v *view) {
	status := http.StatusOK
	if len(v.Problems) > 0 {
		status = http.StatusUnprocessableEntity
		v.Title = v.T("error_prefix") + v.Title
	}
	p.renderStatus(w, r, status, page, v)
}

func (p *Portal) renderStatus(w http.ResponseWriter, r *http.Request, status int, page string, v *view) {
	var out bytes.Buffer
	if err := p.execute(&out, page, v); err != nil {
		httperr.Write(w, r, fmt.Errorf("portal: render %s: %w", page, err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("Cache-Control", "no-store") // most pages show what one person wrote, and all carry that person's language
	h.Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w) // the connection is all that can fail
}

// errorPage shows an error in the portal's own frame.
func (p *Portal) errorPage(w http.ResponseWriter, r *http.Request, data httperr.PageData) {
	v := p.view(r, "title", data)
	v.Title = data.Title
	v.NoChat = true
	var out bytes.Buffer
	if err := p.execute(&out, "error", v); err != nil {
		p.Log.ErrorContext(r.Context(), "error page", "error", err)
		return
	}
	_, _ = out.WriteTo(w) // the connection is all that can fail
}

// see is the answer after a form: the browser's reload and back then repeat nothing.
func see(w http.ResponseWriter, r *http.Request, to string) {
	http.Redirect(w, r, to, http.StatusSeeOther)
}
