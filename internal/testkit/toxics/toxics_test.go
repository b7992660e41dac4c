package toxics_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hotline/internal/testkit/toxics"
)

func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	// A connection of its own for each request: faults are counted by connection.
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func TestFaultsAreFeltAndHealed(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 20_000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	t.Cleanup(srv.Close)
	p := toxics.Front(t, srv.URL)
	fine := func(when string) {
		t.Helper()
		if got, err := get(t.Context(), p.URL); err != nil || got != body {
			t.Fatalf("%s: %d bytes, %v", when, len(got), err)
		}
	}
	fine("without faults")

	p.Hang()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := get(ctx, p.URL); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hanging: %v", err)
	}
	p.Heal()
	fine("after hanging")

	p.Cut(5_000)
	if got, err := get(t.Context(), p.URL); err == nil || len(got) >= len(body) {
		t.Errorf("cut: %d bytes, %v", len(got), err)
	}
	p.Heal()

	p.Delay(80 * time.Millisecond)
	start := time.Now()
	fine("delayed")
	if d := time.Since(start); d < 80*time.Millisecond {
		t.Errorf("delayed by %v only", d)
	}
	p.Heal()

	p.Down()
	if _, err := get(t.Context(), p.URL); err == nil {
		t.Error("down: a connection was made")
	}
	p.Up()
	fine("up again")
}
