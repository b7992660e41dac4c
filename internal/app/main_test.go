package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/config"
	"hotline/internal/telemetry"
	"hotline/internal/testkit"
	"hotline/routing/classify"
)

// asNode makes the test binary a node: tests that kill a server start themselves once more with it.
const asNode = "HOTLINE_TEST_AS_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(asNode) != "" {
		if err := node(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	testkit.Main(m)
}

func node() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	o := app.Options{Log: telemetry.NewLogger(os.Stderr, slog.LevelWarn, "text"), Demo: true, NoLimits: true, WeakHash: true, Learn: learnLittle}
	return app.Run(ctx, cfg, o, func(a *app.App) { fmt.Println(a.URL()) })
}

// learned holds a classifier for each set of texts.
var learned sync.Map

// learnOnce lets the nodes of this process share what they learn: they serve the same city, and learning takes seconds under the race detector.
// Nodes that are processes of their own have learnLittle.
func learnOnce(texts []classify.Example, o classify.Options) (*classify.Model, error) {
	train, _ := learned.LoadOrStore(fmt.Sprintf("%q %v", texts, o), sync.OnceValues(func() (*classify.Model, error) { return classify.Train(texts, o) }))
	return train.(func() (*classify.Model, error))()
}

// learnLittle learns a few texts of each category: a process that is killed after two seconds would spend them on nothing else.
func learnLittle(texts []classify.Example, o classify.Options) (*classify.Model, error) {
	of := map[string]int{}
	var few []classify.Example
	for _, e := range texts {
		if of[e.Label]++; of[e.Label] <= 5 {
			few = append(few, e)
		}
	}
	return classify.Train(few, o)
}

// freeAddress is a loopback address that nobody listens on just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start brings a node up inside the test, with the demo city.
func start(t *testing.T, log *slog.Logger, environ ...string) *app.App {
	t.Helper()
	return launch(t, log, nil, environ...)
}

// startAt is start with a clock that the test moves.
func startAt(t *testing.T, now *clock.Fake) *app.App {
	t.Helper()
	return launch(t, nil, now)
}

func launch(t *testing.T, log *slog.Logger, now clock.Clock, environ ...string) *app.App {
	t.Helper()
	own := []string{"HOTLINE_ADDR=127.0.0.1:0", "HOTLINE_DATA=" + testkit.DataFolder(t), "HOTLINE_DATABASE_URL=" + testkit.NewDatabase(t).URL}
	cfg, err := config.Parse(append(own, environ...))
	if err != nil {
		t.Fatal(err)
	}
	if log == nil {
		log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	a, err := app.Start(t.Context(), cfg, app.Options{Log: log, Clock: now, Demo: true, Volatile: true, WeakHash: true, NoLimits: true, Learn: learnOnce})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		a.Stop(ctx)
		a.Stop(ctx)
	})
	return a
}

// sharedNode starts a node on a database of the test server, as one of several.
func sharedNode(t *testing.T, d testkit.Database, files, key, nats string, more ...string) (*app.App, error) {
	t.Helper()
	cfg, err := config.Parse(append([]string{"HOTLINE_ADDR=127.0.0.1:0", "HOTLINE_DATA=" + t.TempDir(), "HOTLINE_DATABASE_URL=" + d.URL, "HOTLINE_FILES=" + files,
		"HOTLINE_KEY_FILE=" + key, "HOTLINE_NATS_URL=" + nats}, more...))
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.Start(t.Context(), cfg, app.Options{Log: slog.New(slog.DiscardHandler), Demo: true, WeakHash: true, NoLimits: true, Learn: learnOnce})
	if err == nil {
		t.Cleanup(func() { a.Stop(context.Background()) })
	}
	return a, err
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	return w.t.Output().Write(p)
}

func keyFile(t *testing.T) string { return filepath.Join(t.TempDir(), "secret.key") }
