package console

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/chat"
	"hotline/internal/auth"
	"hotline/internal/bus"
	"hotline/internal/clock"
	"hotline/internal/i18n"
	"hotline/internal/llm"
	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/flags"
	"hotline/tickets/statistics"
	"hotline/tickets/surges"
	"hotline/web/httperr"
	"hotline/web/pages"
	"hotline/web/static"
)

// Deps are what New needs. Bus may be nil: pages then look again on a slow tick.
type Deps struct {
	Pool       *pgxpool.Pool
	Clock      clock.Clock
	Log        *slog.Logger
	Words      *i18n.Bundle
	Bus        *bus.Bus
	Auth       *auth.Service
	Tickets    *tickets.Service
	Statistics *statistics.Store
	Flags      *flags.Store
	Surges     *surges.Store
	Chat       *chat.Service
	Routing    *routing.Service
	Knowledge  *knowledge.Service
	Machine    Machine // nil: no language models
	Learn      *learn.Service
	Models     *llm.Service // nil: no page for them
	// Emergency finds danger to life in what staff type for callers; nil finds none.
	Emergency Emergency
	// BaseURL is the installation's public address, for links that are handed to citizens.
	BaseURL string
	// SecureCookies marks the session cookie for https only; false on plain http, as the demo runs.
	SecureCookies  bool
	TrustedProxies []netip.Prefix
	// Heartbeat keeps event streams open through proxies; 20 s when zero.
	Heartbeat time.Duration
}

// Console serves /console/. It is safe for concurrent use.
type Console struct {
	Deps
	clock    clock.Clock
	words    *i18n.Bundle
	assets   *static.Assets
	pages    *pages.Set
	sessions *scs.SessionManager
	live     *broker
	bulk     *bulkRunner
	asks     *asker
	handler  http.Handler
}

const (
	maxForm = 256 << 10
	maxFile = 12 << 20 // a whole request with files
)

// New makes the console. Errors: a template that does not parse, a bus that cannot be subscribed to.
func New(d Deps) (*Console, error) {
	if d.Heartbeat == 0 {
		d.Heartbeat = 20 * time.Second
	}
	own, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, err
	}
	c := &Console{Deps: d, clock: d.Clock, words: d.Words}
	if c.assets, err = static.New("/console/static/", static.Files(), own); err != nil {
		return nil, err
	}
	if c.pages, err = parsePages(); err != nil {
		return nil, err
	}

	c.sessions = newSessions(newSessionStore(d.Pool), d.SecureCookies)
	if c.live, err = newBroker(d.Bus); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c.startBulk()
	c.asks = newAsker()
	responder := httperr.New(d.Words, d.Log, c.errorPage)
	c.handler = httperr.Chain(responder.Handler(c.routes()), httperr.SecureHeaders)
	return c, nil
}

// ServeHTTP answers everything under /console/.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// Close ends the event streams, so that a server can shut down without waiting for them. It may be called twice.
func (c *Console) Close() {
	c.live.close()
	c.bulk.close()
	c.asks.close()
}

// zone is the jurisdiction's time zone.
func (c *Console) zone() *time.Location {
	zone, err := time.LoadLocation(c.Routing.Snapshot().Jurisdiction().Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// handle is a handler that may fail.
type handle func(w http.ResponseWriter, r *http.Request) error

// ticketRoles are those whose work is tickets.
var ticketRoles = []string{"operator", "dispatcher", "supervisor", "handler", "head"}

func (c *Console) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /console/static/", c.assets)
	session := func(h http.Handler) http.Handler {
		return httperr.Chain(h, httperr.SameOrigin, c.sessions.LoadAndSave, c.identify)
	}
	run := func(limit int64, need []string, h handle) http.Handler {
		return httperr.LimitBody(limit)(session(c.guard(need, h)))
	}
	open := func(pattern string, h handle) {
		mux.Handle(pattern, httperr.LimitBody(maxForm)(session(c.plain(h))))
	}
	all := func(pattern string, h handle) { mux.Handle(pattern, run(maxForm, nil, h)) }
	on := func(pattern string, need []string, h handle) { mux.Handle(pattern, run(maxForm, need, h)) }
	files := func(pattern string, need []string, h handle) { mux.Handle(pattern, run(maxFile, need, h)) }
	long := func(pattern string, need []string, h handle) { mux.Handle(pattern, run(maxArticle, need, h)) }
	large := func(pattern string, need []string, h handle) { mux.Handle(pattern, run(maxImportForm, need, h)) }

	open("GET /console/sign-in", c.signInForm)
	open("POST /console/sign-in", c.signIn)
	all("POST /console/sign-out", c.signOut)
	all("GET /console/{$}", c.home)
	all("GET /console/", func(http.ResponseWriter, *http.Request) error { return httperr.ErrNotFound }) // inside the frame, for who is signed in
	all("GET /console/events", c.events)
	all("POST /console/density", c.density)
	all("POST /console/display", c.display)
	all("GET /console/profile", c.profile)
	all("POST /console/profile/language", c.profileLanguage)
	all("POST /console/profile/password", c.profilePassword)
	all("GET /console/notifications", c.notifications)
	all("GET /console/notifications/{id}", c.notification)
	all("POST /console/notifications/read", c.notificationsRead)

	c.ticketRoutes(on, files)
	c.newCaseRoutes(on)
	c.toolRoutes(on)
	c.boardRoutes(on)
	c.massRoutes(on)
	c.chatRoutes(on, files)
	c.assistRoutes(on)
	c.askRoutes(on)
	c.knowledgeRoutes(on, long, files, large)
	c.gapRoutes(on)
	c.lessonRoutes(on)
	c.learningRoutes(on)
	c.calibrationRoutes(on)
	c.statisticsRoutes(on)
	c.adminRoutes(on)
	c.catalogueRoutes(on)
	c.referenceRoutes(on, files)
	c.policyRoutes(on)
	c.modelRoutes(on)
	return mux
}

func (c *Console) ticketRoutes(on, files func(string, []string, handle)) {
	on("GET /console/inbox", ticketRoles, c.inbox)
	on("GET /console/inbox/rows", ticketRoles, c.inboxRows)
	on("GET /console/inbox/side", nil, c.sideLists)
	on("GET /console/tickets/{id}", ticketRoles, c.ticket)
	on("GET /console/tickets/{id}/live", ticketRoles, c.ticketLive)
	on("GET /console/tickets/{id}/do/{action}", ticketRoles, c.actionForm)
	on("POST /console/tickets/{id}/do/{action}", ticketRoles, c.act)
	files("POST /console/tickets/{id}/compose", ticketRoles, c.compose)
	on("POST /console/tickets/{id}/assign", ticketRoles, c.assign)
	on("POST /console/tickets/{id}/contact", ticketRoles, c.disclose)
	on("POST /console/tickets/{id}/hears", ticketRoles, c.allow)
	on("POST /console/tickets/{id}/deliveries/{seq}", ticketRoles, c.retryDelivery)
	on("GET /console/files/{id}", ticketRoles, c.file)
	on("GET /console/desk", []string{"dispatcher"}, c.desk)
	on("POST /console/desk/{id}", []string{"dispatcher"}, c.deskDispatch)
}

// plain runs a handler for anybody.
func (c *Console) plain(h handle) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			c.fail(w, r, err)
		}
	})
}

// fail answers with an error. A fragment that was meant for a place in the page goes to the page's messages instead, so that nothing that
// somebody reads or types is replaced by it.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	if isHX(r) && w.Header().Get("HX-Retarget") == "" {
		w.Header().Set("HX-Retarget", "#toasts")
		w.Header().Set("HX-Reswap", "beforeend")
	}
	httperr.Write(w, r, err)
}

// errorPage shows an error inside the console's frame.
func (c *Console) errorPage(w http.ResponseWriter, r *http.Request, data httperr.PageData) {
	v := c.view(r)
	v.Lang, v.Title, v.D, v.page = data.Lang, data.Title, data, "error"
	if v.Me != nil {
		v.Side = c.side(r.Context(), v)
	}
	if err := c.pages.Execute(w, "layout", v); err != nil && !errors.Is(err, http.ErrHandlerTimeout) {
		c.Log.ErrorContext(r.Context(), "error page", "error", err)
	}
}
