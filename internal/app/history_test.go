package app_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/config"
	"hotline/internal/testkit"
	"hotline/tickets"
)

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v\n%s", url, resp.StatusCode, err, b)
	}
	return b
}

// TestAnchorsAreKeptOutsideAndVerified: what an outsider fetched today is what the operator's verification is held against.
func TestAnchorsAreKeptOutsideAndVerified(t *testing.T) {
	t.Parallel()
	d, key := testkit.NewDatabase(t), keyFile(t)
	cfg, err := config.Parse([]string{"HOTLINE_ADDR=127.0.0.1:0", "HOTLINE_DATA=" + t.TempDir(), "HOTLINE_DATABASE_URL=" + d.URL, "HOTLINE_KEY_FILE=" + key})
	if err != nil {
		t.Fatal(err)
	}
	// At noon one midnight lies in the next 25 hours; shortly before midnight it would be two.
	now := clock.NewFake(time.Now().Truncate(24 * time.Hour).Add(4 * time.Hour))
	a, err := app.Start(t.Context(), cfg, app.Options{Log: quiet(), Clock: now, Demo: true, WeakHash: true, NoLimits: true, Learn: learnOnce})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Stop(context.Background()) })
	filed, err := a.Chat.FileTicket(t.Context(), chat.Filing{Channel: channels.Portal, Account: "form", ExternalID: uuid.NewString(), Lang: "en",
		Draft: tickets.Draft{Kind: "complaint", Title: "Noise", Description: "Drilling every night.", Lang: "en"}})
	if err != nil {
		t.Fatal(err)
	}
	now.Advance(25 * time.Hour)
	// The node's own worker may be at it, and while it is nobody else makes any: until its transaction ends there is none.
	for there := []tickets.Anchor(nil); len(there) == 0; {
		if made, err := a.Tickets.MakeAnchors(t.Context(), 10); err != nil || len(made) > 1 {
			t.Fatalf("%+v %v", made, err)
		}
		if there, err = a.Tickets.Anchors(t.Context(), "", 10); err != nil {
			t.Fatal(err)
		}
	}
	var about struct{ Algorithm, Public_key, Anchors string }
	if err := json.Unmarshal(fetch(t, a.URL()+"/.well-known/hotline-history.json"), &about); err != nil || about.Algorithm != "Ed25519" {
		t.Fatalf("%+v %v", about, err)
	}
	if got := base64.StdEncoding.EncodeToString(a.Tickets.AnchorKey()); about.Public_key != got {
		t.Errorf("published key %s, want %s", about.Public_key, got)
	}
	lines := fetch(t, about.Anchors)
	kept, err := tickets.ParseAnchors(lines)
	if err != nil || len(kept) != 1 || kept[0].Tickets != 1 {
		t.Fatalf("%s %v", lines, err)
	}
	if bytes.Contains(lines, []byte(filed.Ticket.Number)) {
		t.Error("a public line names a ticket")
	}
	// Beside the running node, as the operator does it.
	err = app.WithHistory(t.Context(), cfg, quiet(), func(s *tickets.Service) error {
		r, err := s.VerifyAll(t.Context(), tickets.VerifyOptions{Anchors: kept})
		if err != nil || len(r.Findings) != 0 || r.Tickets != 1 || r.Anchors != 1 {
			t.Errorf("%+v %v", r, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg.KeyFile = filepath.Join(t.TempDir(), "none")
	if err := app.WithHistory(t.Context(), cfg, quiet(), func(*tickets.Service) error { return nil }); err == nil {
		t.Error("verified with a new key")
	}
}
