package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/alexedwards/scs/pgxstore"

	"hotline/channels"
	"hotline/chat/bot"
	"hotline/chat/hub"
	"hotline/internal/db"
	"hotline/web/api"
	"hotline/web/console"
	"hotline/web/httperr"
	"hotline/web/portal"
	"hotline/web/widget"
)

// telegramPath is where Telegram delivers in webhook mode.
const telegramPath = "/channels/telegram"

// serve builds the surfaces and begins to answer.
func (a *App) serve(ctx context.Context) error {
	handler, err := a.handler(ctx)
	if err != nil {
		return err
	}
	a.server = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		// Bodies and answers have no common deadline: event streams and uploads by a slow phone are long. Each surface bounds its own.
	}
	go func() {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			a.served <- err
		}
	}()
	a.onStop(func(ctx context.Context) {
		// A short time for requests under way, then the rest is cut.
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := a.server.Shutdown(short); err != nil {
			_ = a.server.Close() // what is still open is to be cut
		}
	})
	a.onStop(func(context.Context) { a.staff.Close() })
	a.ready.Store(true)
	a.onStop(func(context.Context) { a.ready.Store(false) })
	return nil
}

func (a *App) handler(ctx context.Context) (http.Handler, error) {
	key, err := a.key()
	if err != nil {
		return nil, err
	}
	proxies, err := a.cfg.Proxies()
	if err != nil {
		return nil, err
	}
	secure := a.cfg.SecureCookies || strings.HasPrefix(a.baseURL, "https://")
	sessions := pgxstore.NewWithCleanupInterval(a.pool, 0) // clean removes what has expired

	citizens, err := portal.New(portal.Deps{Words: a.words, Log: a.log, Clock: a.clock, Key: key, Knowledge: portalKnowledge{a.Knowledge, a.Routing}, Asked: portalAsked{a.Knowledge},
		Cases: portalCases{a.Tickets, a.Chat, a.Routing, a.words}, City: portalCity{a}, Numbers: a.numbers(), Drafts: sessions, Proxies: proxies, Secure: secure, Demo: a.opt.Demo, NoLimits: a.opt.NoLimits})
	if err != nil {
		return nil, err
	}
	staff, err := console.New(console.Deps{BaseURL: a.baseURL, Pool: a.pool, Clock: a.clock, Log: a.log, Words: a.words, Bus: a.bus, Auth: a.Auth, Tickets: a.Tickets, Statistics: a.Statistics, Flags: a.Flags, Surges: a.Surges, Chat: a.Chat,
		Routing: a.Routing, Knowledge: a.Knowledge, Learn: a.Learn, Machine: a.Assist, Models: a.LLM, Emergency: a.policy.Emergency(), SecureCookies: secure, TrustedProxies: proxies})
	if err != nil {
		return nil, err
	}
	a.staff = staff
	programs, err := api.New(api.Deps{Pool: a.pool, Clock: a.clock, Log: a.log, Words: a.words, Key: key, Tickets: a.Tickets, Chat: a.Chat, Knowledge: a.Knowledge, Learn: a.Learn,
		Routing: a.Routing, Auth: a.Auth, Numbers: a.numbers().Publisher, Emergency: a.policy.Emergency(), Proxies: proxies, Limits: a.apiLimits(), BaseURL: a.baseURL, Version: version()})
	if err != nil {
		return nil, err
	}
	script, err := widget.New(a.words)
	if err != nil {
		return nil, err
	}
	if err := a.openHub(ctx, httperr.New(a.words, a.log, nil)); err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.Handle("/", citizens)
	mux.Handle("/console/", staff)
	mux.Handle("/api/v1/", programs)
	mux.Handle("/chat/v1/", a.Hub.Handler())
	mux.Handle("/widget/v1/", script)
	if a.telegram != nil && a.cfg.TelegramMode == "webhook" {
		mux.Handle("POST "+telegramPath, a.telegram.Webhook())
	}
	a.historyRoutes(mux, proxies)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", a.readyz)
	a.metrics.Gauge("hotline_chat_sockets", "Open chat sockets on this node.", func() float64 { return float64(a.Hub.Stats().Sockets) })
	a.metrics.Gauge("hotline_chat_frames_sent_total", "Frames written to chat sockets.", func() float64 { return float64(a.Hub.Stats().Sent) })
	a.metrics.Gauge("hotline_chat_slow_closed_total", "Sockets closed because their reader was too slow.", func() float64 { return float64(a.Hub.Stats().SlowClosed) })
	a.metrics.Gauge("hotline_clock_late_seconds", "How late the longest waiting deadline of the last sweep was on this node.", func() float64 {
		return time.Duration(a.late.Load()).Seconds()
	})
	a.metrics.Gauge("hotline_search_degraded", "1 while this node searches by itself because the shared engine is filled, away or behind.", func() float64 {
		if a.Knowledge.Engine().Degraded() {
			return 1
		}
		return 0
	})
	a.metrics.Gauge("hotline_channels_in_trouble", "Channels (e-mail, SMS) that this node cannot reach; /readyz says which and why.", func() float64 { return float64(len(a.channelTroubles())) })
	a.metrics.Gauge("hotline_bus_up", "1 while hints flow.", func() float64 {
		if a.bus.Up() {
			return 1
		}
		return 0
	})
	mux.Handle("GET /metrics", onlyLoopback(a.metrics.Handler()))
	return a.metrics.Measure(mux), a.serveMetrics()
}

// serveMetrics opens the second address where one is configured.
func (a *App) serveMetrics() error {
	if a.cfg.MetricsAddr == "" {
		return nil
	}
	l, err := net.Listen("tcp", a.cfg.MetricsAddr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("metrics address", "error", err)
		}
	}()
	a.onStop(func(context.Context) { _ = server.Close() }) // a scrape that is cut is scraped again
	return nil
}

func (a *App) openHub(ctx context.Context, errors *httperr.Responder) error {
	proxies, err := a.cfg.Proxies()
	if err != nil {
		return err
	}
	configured, err := a.cfg.SiteOrigins()
	if err != nil {
		return err
	}
	sites := []hub.Site{{Key: portalSite, Origins: []string{hub.Self}}}
	if a.opt.Demo {
		sites = append(sites, hub.Site{Key: "demo", Origins: []string{hub.Self}})
	}
	for key, origins := range configured {
		sites = append(sites, hub.Site{Key: key, Origins: origins})
	}
	a.Hub, err = hub.New(hub.Options{Chat: a.Chat, Bus: a.bus, Sites: func() []hub.Site { return sites }, Words: a.words, Log: a.log, Clock: a.clock,
		Greeting: func(lang string) (string, []channels.Choice) {
			m := a.policy.Greeting(lang)
			return m.Text, choices(m.Choices)
		},
		Emergency: func(lang string) (numbers []hub.EmergencyNumber) {
			for _, e := range a.settings().Emergency {
				numbers = append(numbers, hub.EmergencyNumber{Name: e.Names.In(lang), Number: e.Number})
			}
			return numbers
		},
		Duty:       a.duty,
		ClientAddr: func(r *http.Request) string { return httperr.Address(r, proxies) },
		WriteError: errors.Write,
	})
	if err != nil {
		return err
	}
	if err := a.Hub.Start(ctx); err != nil {
		return err
	}
	a.onStop(a.Hub.Stop)
	return nil
}

func choices(in []bot.Choice) []channels.Choice {
	out := make([]channels.Choice, len(in))
	for i, c := range in {
		out[i] = channels.Choice{ID: c.ID, Label: c.Label}
	}
	return out
}

// readyz says whether this node should get traffic: it serves, and the database answers. The bus may be away: messages are then late.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	if !a.ready.Load() {
		text(w, http.StatusServiceUnavailable, "starting or stopping")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := db.ReadTx(ctx, a.pool, db.System(), func(tx db.Tx) error { _, err := tx.Exec(ctx, "select 1"); return err }); err != nil {
		text(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	words := "ready"
	if detail := a.searchDetail(); detail != "" {
		words += "\n" + detail
	}
	for _, trouble := range a.channelTroubles() {
		words += "\n" + trouble
	}
	text(w, http.StatusOK, words)
}

func text(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(words + "\n")) // the prober may have gone
}

// onlyLoopback hides operational figures from the world; behind a proxy on the same host name a second address (HOTLINE_METRICS_ADDR).
func onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() || r.Header.Get("X-Forwarded-For") != "" {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// apiLimits lifts the limits for benches and tests that are one address.
func (a *App) apiLimits() api.Limits {
	if !a.opt.NoLimits {
		return api.Limits{}
	}
	much := api.Rate{Burst: 1 << 20, Every: time.Microsecond}
	return api.Limits{Key: much, Address: much, Filing: much, Guesses: much, BadKeys: much}
}

// version of this build, for the API's description.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
