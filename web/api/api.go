package api

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/chat"
	"hotline/internal/auth"
	"hotline/internal/clock"
	"hotline/internal/i18n"
	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/statistics"
	"hotline/web/figures"
	"hotline/web/httperr"
)

// Prefix is where the interface is mounted.
const Prefix = "/api/v1"

// Deps are what New needs.
type Deps struct {
	Pool      *pgxpool.Pool
	Clock     clock.Clock
	Log       *slog.Logger
	Words     *i18n.Bundle
	Key       []byte // the installation's secret; page markers and request hashes use keys derived from it
	Tickets   *tickets.Service
	Chat      *chat.Service
	Knowledge *knowledge.Service
	Learn     *learn.Service
	Routing   *routing.Service
	Auth      *auth.Service
	Numbers   *figures.Publisher // of the portal too; nil makes one
	Emergency Emergency          // may be nil: nobody is told the emergency number at once
	Proxies   []netip.Prefix     // whose X-Forwarded-For is believed
	Limits    Limits
	MaxUpload int64  // bytes of one file, as chat has it; 0 is 10 MiB
	Version   string // of the program, for the description
	BaseURL   string // of the portal, without a slash at the end, for links; "" leaves links relative
}

// API serves the interface.
type API struct {
	Deps
	responder *httperr.Responder
	limits    limiters
	cursors   cursorKey
	hashKey   []byte // of idempotent requests
	huma      huma.API
}

// New makes the handler of everything under Prefix. It fails when a dependency is missing or the description cannot be written.
func New(d Deps) (http.Handler, error) {
	a, err := build(d)
	if err != nil {
		return nil, err
	}
	return a.handler()
}

func build(d Deps) (*API, error) {
	switch {
	case d.Pool == nil || d.Clock == nil || d.Log == nil || d.Words == nil:
		return nil, errors.New("api: pool, clock, log and words are needed")
	case d.Tickets == nil || d.Chat == nil || d.Knowledge == nil || d.Learn == nil || d.Routing == nil || d.Auth == nil:
		return nil, errors.New("api: tickets, chat, knowledge, learning, routing and auth are needed")
	case len(d.Key) < 32:
		return nil, errors.New("api: the installation's key is too short")
	}
	if d.Version == "" {
		d.Version = "dev"
	}
	if d.Numbers == nil {
		d.Numbers = &figures.Publisher{Figures: figures.Figures{Statistics: statistics.New(d.Pool, d.Clock, d.Tickets), Routing: d.Routing, Knowledge: d.Knowledge}}
	}
	if d.MaxUpload == 0 {
		d.MaxUpload = 10 << 20
	}
	d.Limits = d.Limits.withDefaults()
	return &API{Deps: d, responder: httperr.New(d.Words, d.Log, nil), limits: newLimiters(d.Limits, d.Clock.Now), cursors: newCursorKey(d.Key),
		hashKey: derive(d.Key, "api request")}, nil
}

func (a *API) handler() (http.Handler, error) {
	mux := http.NewServeMux()
	a.huma = humago.NewWithPrefix(mux, Prefix, a.config())
	a.routes()
	spec, err := describe(a.huma.OpenAPI())
	if err != nil {
		return nil, err
	}
	mux.HandleFunc("GET "+Prefix+"/openapi.json", spec.serve)
	// The responder's own middleware is outside, so that its 404 and 405 carry the headers too.
	return httperr.Chain(a.responder.Handler(mux), programsOnly, headers), nil
}

func (a *API) routes() {
	a.ticketRoutes()
	a.staffRoutes()
	a.duplicateRoutes()
	a.trackingRoutes()
	a.uploadRoutes()
	a.knowledgeRoutes()
	a.referenceRoutes()
	a.fieldRoutes()
	a.statisticsRoutes()
	a.messageRoutes()
}

// programsOnly makes errors problem documents even for clients that say they like pages.
func programsOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r2 := *r
		r2.Header = r.Header.Clone()
		r2.Header.Set("Accept", "application/json")
		r2.Header.Del("HX-Request")
		next.ServeHTTP(w, &r2)
	})
}

// headers are those of every answer: nothing here is a page, nothing is cached unless a handler says so, and other pages' scripts may read
// published knowledge and nothing else.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Accept-Language, Authorization")
		if r.Method == http.MethodGet && readableAnywhere(r.URL.Path) {
			h.Set("Access-Control-Allow-Origin", "*")
			h.Set("Access-Control-Expose-Headers", "ETag, Retry-After, X-Request-Id")
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
		next.ServeHTTP(w, r)
	})
}
