package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/internal/auth"
	"hotline/internal/i18n"
	"hotline/tickets"
	"hotline/web/httperr"
	"hotline/web/pages"
)

//go:embed templates
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

func parsePages() (set *pages.Set, err error) {
	set, err = pages.Parse(templateFiles, "templates/partials/*.html", "templates/*.html", template.FuncMap{
		"dict": dict, "list": func(v ...any) []any { return v },
		"field": func(s string) tickets.Field { return tickets.Field(s) }, "upper": strings.ToUpper, "join": strings.Join, "add": func(a, b int) int { return a + b },
		"invalid": invalid, "encoded": func(q any) template.URL { return template.URL(fmt.Sprint(q)) },
		"main": func(v View) (template.HTML, error) { return set.Main(v.page, v) },
	})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return set, nil
}

// query writes a query for a link. As a string the templates would escape its = and & once more, and the link would lose its place.
// Templates that have an encoded string say {{encoded …}}.
func query(q url.Values) template.URL { return template.URL(q.Encode()) }

// invalid marks the input that an error is about, for eyes and for screen readers.
func invalid(field, name string) template.HTMLAttr {
	if field == "" || field != name {
		return ""
	}
	return `aria-invalid="true" aria-describedby="error"`
}

// dict makes the arguments of a partial: dict "key" value ….
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: odd number of arguments")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no key", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// View is what every template is executed with: who looks, in which language, and D, the page's own data.
type View struct {
	c       *Console
	Lang    string
	Now     time.Time
	Me      *auth.Principal // nil on the sign-in page
	Title   string
	Nav     string // which entry of the side is current
	Side    side
	Path    string // for the language switch and the way back after sign-in
	Watch   watch
	Compact bool // lists and tables show more at once
	D       any
	page    string // which page file the layout shows
}

// watch is what the page wants to hear of live.
type watch struct{ Ticket, Conversation string }

// With gives the view with other data, for partials.
func (v View) With(d any) View { v.D = d; return v }

// T gives words of the console's catalogue.
func (v View) T(key string, args ...any) string { return v.c.words.T(v.Lang, "console."+key, args...) }

// Has reports whether the catalogue knows a key: for codes that may be newer than their words.
func (v View) word(prefix, code string) string {
	if key := "console." + prefix + code; v.c.words.Known(key) {
		return v.c.words.T(v.Lang, key)
	}
	return code
}

// Dir is the writing direction.
func (v View) Dir() string { return i18n.Dir(v.Lang) }

// Asset is the address of a static file.
func (v View) Asset(name string) string { return v.c.assets.URL(name) }

// Langs lists the languages to choose from.
func (v View) Langs() []string { return v.c.words.Languages() }

// LangName is a language's own name, for who chooses theirs.
func (v View) LangName(lang string) string { return i18n.Name(lang) }

// LangIn is a language's name for who reads this page.
func (v View) LangIn(lang string) string { return v.word("language.", lang) }

// State, Kind, Action … give the words of codes.
func (v View) State(code any) string       { return v.word("state.", fmt.Sprint(code)) }
func (v View) Kind(code string) string     { return v.word("kind.", code) }
func (v View) Action(code any) string      { return v.word("action.", fmt.Sprint(code)) }
func (v View) Role(code string) string     { return v.word("role.", code) }
func (v View) Channel(code string) string  { return v.word("channel.", code) }
func (v View) Urgency(code string) string  { return v.word("urgency.", code) }
func (v View) ViewName(code string) string { return v.word("view.", code) }

// ClockName is the words for a clock; those of co-agencies are named after them.
func (v View) ClockName(code string) string {
	if id, ok := strings.CutPrefix(code, "co_reply."); ok {
		if agency, err := uuid.Parse(id); err == nil {
			return v.T("clock.co_reply", "agency", v.Agency(agency))
		}
	}
	if id, ok := strings.CutPrefix(code, "co_sign."); ok {
		if agency, err := uuid.Parse(id); err == nil {
			return v.T("clock.co_sign", "agency", v.Agency(agency))
		}
	}
	return v.word("clock.", code)
}

// DateTime, Date and Clock write times in the jurisdiction's zone.
func (v View) DateTime(t time.Time) string { return i18n.DateTime(v.Lang, t, v.c.zone()) }
func (v View) Date(t time.Time) string     { return i18n.Date(v.Lang, t, v.c.zone()) }
func (v View) Clock(t time.Time) string    { return i18n.Clock(t, v.c.zone()) }
func (v View) ISO(t time.Time) string      { return t.UTC().Format(time.RFC3339) }

// Short is the clock of today, the day of this year, or the date.
func (v View) Short(t time.Time) string {
	zone := v.c.zone()
	t, now := t.In(zone), v.Now.In(zone)
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return i18n.Clock(t, zone)
	case strings.HasPrefix(v.Lang, "zh"):
		if t.Year() == now.Year() {
			return fmt.Sprintf("%d月%d日", t.Month(), t.Day())
		}
		return i18n.Date(v.Lang, t, zone)
	case t.Year() == now.Year():
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// Ago says how long since t.
func (v View) Ago(t time.Time) string {
	d := v.Now.Sub(t)
	if d < time.Minute {
		return v.T("time.now")
	}
	return v.T("time.ago", "span", v.c.words.Duration(v.Lang, d))
}

// Span writes a duration.
func (v View) Span(since time.Time) string { return v.c.words.Duration(v.Lang, v.Now.Sub(since)) }

// Light says how a deadline stands: class and words, for colour, shape and word together.
type Light struct{ Class, Words string }

// LightOf gives the light of a deadline.
func (v View) LightOf(warnAt, dueAt *time.Time) Light {
	switch {
	case dueAt == nil || dueAt.IsZero():
		return Light{"none", v.T("light.none")}
	case !v.Now.Before(*dueAt):
		return Light{"red", v.T("light.late", "span", v.c.words.Duration(v.Lang, v.Now.Sub(*dueAt)))}
	case warnAt != nil && !v.Now.Before(*warnAt):
		return Light{"yellow", v.T("light.left", "span", v.c.words.Duration(v.Lang, dueAt.Sub(v.Now)))}
	}
	return Light{"green", v.T("light.left", "span", v.c.words.Duration(v.Lang, dueAt.Sub(v.Now)))}
}

// Size writes a count of bytes.
func (v View) Size(n int64) string { return i18n.Size(n) }

// Notice gives the words for a kind of notice.
func (v View) Notice(code string) string { return v.word("notice.", code) }

// Initials are one or two letters of a name.
func (v View) Initials(name string) string {
	var out []rune
	for _, word := range strings.Fields(name) {
		r := []rune(word)
		if r[0] > 0x2e80 { // a Chinese name: the last character says more than the family name
			return string(r[len(r)-1])
		}
		if out = append(out, r[0]); len(out) == 2 {
			break
		}
	}
	return strings.ToUpper(string(out))
}

// NewKey makes the idempotency key of a form, so that a double submit acts once.
func (v View) NewKey() string { return uuid.NewString() }

func (c *Console) view(r *http.Request) View {
	v := View{c: c, Lang: httperr.Lang(r.Context()), Now: c.clock.Now(), Path: r.URL.RequestURI()}
	if p, ok := principal(r.Context()); ok {
		v.Me, v.Compact = &p, p.Display.Compact
	}
	return v
}

// isHX reports whether htmx asks for a fragment. After a restore from history it wants the whole page.
func isHX(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-History-Restore-Request") != "true"
}

// page writes a whole page. It renders into memory first, so that a failure is a clean error and never half a page.
func (c *Console) page(w http.ResponseWriter, r *http.Request, status int, name string, v View) {
	if !c.pages.Has(name) {
		httperr.Write(w, r, fmt.Errorf("console: no page %q", name))
		return
	}
	if v.Me != nil {
		v.Side = c.side(r.Context(), v)
	}
	v.page = name
	c.execute(w, r, status, "layout", v)
}

// fragment writes one partial or a block of a page.
func (c *Console) fragment(w http.ResponseWriter, r *http.Request, status int, name string, v View) {
	c.execute(w, r, status, name, v)
}

func (c *Console) execute(w http.ResponseWriter, r *http.Request, status int, name string, v View) {
	var buf bytes.Buffer
	if err := c.pages.Execute(&buf, name, v); err != nil {
		httperr.Write(w, r, fmt.Errorf("console: render %s: %w", name, err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store") // pages of signed-in people are nobody else's
	h.Set("Vary", "HX-Request")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(buf.Bytes()) // the connection is all that can fail
	}
}
