package portal

import (
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"

	"hotline/internal/clock"
	"hotline/internal/i18n"
	"hotline/web/httperr"
	"hotline/web/pages"
	"hotline/web/static"
)

//go:embed all:templates
var templates embed.FS

//go:embed assets
var assets embed.FS

// Deps are what New needs.
type Deps struct {
	Words     *i18n.Bundle
	Log       *slog.Logger
	Clock     clock.Clock
	Key       []byte // the installation's secret; the portal derives its own from it
	Knowledge Knowledge
	Asked     Asked // may be nil: what is searched is not recorded
	Cases     Cases
	City      City
	Numbers   Numbers   // may be nil: nothing is published
	Drafts    scs.Store // shared by all nodes; the session table
	Proxies   []netip.Prefix
	Secure    bool // cookies are for https only
	Demo      bool // shows /demo-widget
	NoLimits  bool // tests and benchmarks are one address
}

// Portal serves the citizen pages.
type Portal struct {
	Deps
	pages   *pages.Set
	assets  *static.Assets
	drafts  *drafts
	session *trackSessions
	events  *eventCache
	wrong   *httperr.Limiter // tracking codes that were not right, by address
	writes  *httperr.Limiter // forms and uploads, by address: one address may be a whole service hall
	reads   *httperr.Limiter
	errors  *httperr.Responder
}

// Limits of one request and of one person.
const (
	maxForm   = 256 << 10 // a text of 20,000 Chinese characters, url-encoded, and the rest of the form
	maxFiles  = 5
	maxFile   = 10 << 20
	maxUpload = maxFiles*maxFile + 1<<20
)

// New makes the handler. Errors: a template or an asset that does not parse; both are part of the program.
func New(d Deps) (http.Handler, error) {
	own, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	files, err := static.New("/static/", static.Files(), own)
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	p := &Portal{Deps: d, assets: files, events: &eventCache{now: d.Clock.Now},
		wrong:  httperr.NewLimiter(time.Minute, 5, 20_000, d.Clock.Now),
		writes: httperr.NewLimiter(200*time.Millisecond, 200, 20_000, d.Clock.Now),
		reads:  httperr.NewLimiter(50*time.Millisecond, 120, 20_000, d.Clock.Now)}
	if d.NoLimits {
		p.reads = httperr.NewLimiter(time.Microsecond, 1<<20, 1, d.Clock.Now)
	}
	if p.drafts, err = newDrafts(d.Drafts, d.Clock, d.Secure); err != nil {
		return nil, err
	}
	if p.session, err = newTrackSessions(d.Key, d.Clock, d.Secure); err != nil {
		return nil, err
	}
	if p.pages, err = parse(files); err != nil {
		return nil, err
	}
	p.errors = httperr.New(d.Words, d.Log, p.errorPage)
	return httperr.Chain(p.errors.Handler(p.routes()), httperr.SecureHeaders), nil
}

func (p *Portal) routes() *http.ServeMux {
	mux := http.NewServeMux()
	get := func(pattern string, h http.HandlerFunc) {
		mux.Handle("GET "+pattern, httperr.Chain(h, httperr.RateLimit(p.reads, p.Proxies), p.rememberLang))
	}
	post := func(pattern string, limit int64, h http.HandlerFunc) {
		mux.Handle("POST "+pattern, httperr.Chain(h, httperr.SameOrigin, httperr.RateLimit(p.writes, p.Proxies), httperr.LimitBody(limit)))
	}
	mux.Handle("GET /static/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.assets.Find(r.URL.Path) {
			httperr.Write(w, r, httperr.ErrNotFound)
			return
		}
		p.assets.ServeHTTP(w, r)
	}))
	get("/{$}", p.home)
	get("/search", p.search)
	get("/search/suggest", p.suggest)
	get("/a/{slug}", p.article)
	get("/a/{slug}/files/{id}", p.articleFile)
	get("/topics", p.topics)
	get("/topics/{code}", p.topic)
	post("/a/{slug}/feedback", maxForm, p.feedback)
	get("/a/{slug}/check", p.applies)
	post("/a/{slug}/check", maxForm, p.applies)
	for _, flow := range flows {
		get(flow.path, p.begin(flow))
		post(flow.path, maxForm, p.start(flow))
		post(flow.path+"/photos", maxUpload, p.photos(flow))
		post(flow.path+"/photos/remove", maxForm, p.removePhoto(flow))
		post(flow.path+"/check", maxForm, p.submit(flow))
		get(flow.path+"/done", p.done(flow))
		post(flow.path+"/clear", maxForm, p.clear(flow))
		get(flow.path+"/{step}", p.step(flow))
		post(flow.path+"/{step}", maxForm, p.answer(flow))
	}
	get("/track", p.track)
	post("/track", maxForm, p.trackCode)
	get("/track/case", p.trackCase)
	post("/track/leave", maxForm, p.trackLeave)
	post("/track/reply", maxUpload, p.trackReply)
	post("/track/move", maxForm, p.trackMove)
	post("/track/rate", maxForm, p.trackRate)
	get("/track/files/{id}", p.trackFile)
	post("/track/quiet", maxForm, p.trackQuiet)
	get("/stop/{token}", p.stopLink)
	post("/stop/{token}", maxForm, p.stop)
	get("/rate/{token}", p.rateLink)
	post("/rate/{token}", maxForm, p.rateByLink)
	if p.Numbers != nil {
		get("/statistics", p.statistics)
		get("/open-data", p.openData)
		get("/open-data/{file}", p.openDataFile)
	}
	if p.Demo {
		get("/demo-widget", p.demoWidget)
	}
	return mux
}

// rememberLang keeps a language that was chosen with ?lang= and shows the page under its plain address.
func (p *Portal) rememberLang(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lang := r.URL.Query().Get("lang"); p.Words.Has(lang) {
			http.SetCookie(w, &http.Cookie{Name: httperr.LangCookie, Value: lang, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, Secure: p.Secure, HttpOnly: true})
		}
		next.ServeHTTP(w, r)
	})
}
