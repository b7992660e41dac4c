package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"hotline/internal/clock"
	"hotline/internal/config"
	"hotline/tickets"
	"hotline/web/httperr"
)

const (
	anchorLook  = 5 * time.Minute
	anchorsPage = 1000 // lines in one answer
)

// anchorHistory anchors each day's histories soon after midnight, on whichever node gets to it first.
func (a *App) anchorHistory(ctx context.Context) {
	tick := time.NewTicker(anchorLook)
	defer tick.Stop()
	for {
		made, err := a.Tickets.MakeAnchors(ctx, 31)
		if err != nil && ctx.Err() == nil {
			a.log.Error("the history is not anchored; the next look tries again", "error", err)
		}
		for _, m := range made {
			// The log goes to other machines: one more place outside that keeps the anchor.
			a.log.Info("history anchored", "anchor", m.Line())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// historyRoutes publish the key and the anchors, so that anybody can keep and check them.
func (a *App) historyRoutes(mux *http.ServeMux, proxies []netip.Prefix) {
	responder := httperr.New(a.words, a.log, nil)
	own := http.NewServeMux()
	// Read by a machine once a day: a limit that no honest reader meets.
	limit := httperr.RateLimit(httperr.NewLimiter(time.Second, 30, 20_000, a.clock.Now), proxies)
	handle := func(pattern string, h http.HandlerFunc) { own.Handle(pattern, limit(h)) }
	handle("GET /.well-known/hotline-history.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_ = json.NewEncoder(w).Encode(map[string]string{ // the connection is all that can fail
			"algorithm":  "Ed25519",
			"public_key": base64.StdEncoding.EncodeToString(a.Tickets.AnchorKey()),
			"anchors":    a.baseURL + "/history/anchors.jsonl",
			"digest":     "SHA-256 of the lines \"hotline history anchor 1\", day, zone, tickets, entries, root, previous, each ended by a line feed; the signature is over its 32 bytes",
		})
	})
	handle("GET /history/anchors.jsonl", func(w http.ResponseWriter, r *http.Request) {
		list, err := a.Tickets.Anchors(r.Context(), r.URL.Query().Get("after"), anchorsPage)
		if err != nil {
			httperr.Write(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=300")
		for _, m := range list {
			if _, err := fmt.Fprintln(w, m.Line()); err != nil {
				return
			}
		}
	})
	mux.Handle("GET /.well-known/hotline-history.json", responder.Handler(own))
	mux.Handle("GET /history/anchors.jsonl", responder.Handler(own))
}

// WithHistory runs f with a ticket service that can verify histories, beside a running node or without one. The secret key must be there: a new one
// would fit nothing.
func WithHistory(ctx context.Context, cfg config.Config, log *slog.Logger, f func(*tickets.Service) error) error {
	path := cfg.KeyFile
	if path == "" {
		path = filepath.Join(cfg.Data, "secret.key")
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("secret key: %w; histories are sealed with it", err)
	}
	key, err := readKey(path)
	if err != nil {
		return err
	}
	return WithDatabase(ctx, cfg, log, func(d Database) error {
		s, err := tickets.New(tickets.Deps{Pool: d.Pool, Clock: clock.System{}, Key: key, Log: log, Router: tickets.Router{
			Agency: func(uuid.UUID) (tickets.Agency, bool) { return tickets.Agency{}, false }, Desk: func() uuid.UUID { return uuid.Nil }}})
		if err != nil {
			return err
		}
		if err := s.Reload(ctx); err != nil {
			return err
		}
		return f(s)
	})
}
