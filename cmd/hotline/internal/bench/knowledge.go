package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/app"
	"hotline/internal/config"
	"hotline/knowledge"
)

// KnowledgeOptions of RunKnowledge.
type KnowledgeOptions struct {
	Articles int
	Length   time.Duration // of each load
	Keep     string        // folder to load into and to use again; "": a new one that is removed
	Profile  string        // folder for CPU profiles of the parts; "": none
	Log      *slog.Logger
}

// Knowledge is what a large collection costs.
type Knowledge struct {
	Machine  Machine `json:"machine"`
	Articles int     `json:"articles"`
	Ready    float64 `json:"ready_seconds"` // from the start of a node to /readyz, on a database that has the articles
	MiB      float64 `json:"resident_mib"`  // of the node at rest, without its PostgreSQL; the bench itself is in it
	Search   Load    `json:"search"`
	Typing   Load    `json:"search_as_you_type"`  // HTTP requests of the portal's search box
	CPU      float64 `json:"rebuild_cpu_seconds"` // of the node and of who searches meanwhile
	Rebuild  Rebuilt `json:"rebuild"`
}

// RunKnowledge loads a collection into a private PostgreSQL, restarts a node on it, and measures it.
func RunKnowledge(ctx context.Context, o KnowledgeOptions) (k Knowledge, err error) {
	dir := o.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "hotline-bench-"); err != nil {
			return k, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return k, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the database's user must reach it
		return k, err
	}
	cfg, err := config.Parse([]string{"HOTLINE_ADDR=127.0.0.1:0", "HOTLINE_DATA=" + dir})
	if err != nil {
		return k, err
	}
	node := func(ctx context.Context, use func(*app.App) error) (err error) {
		a, err := app.Start(ctx, cfg, app.Options{Log: o.Log, Demo: true, NoLimits: true})
		if err != nil {
			return err
		}
		defer a.Stop(context.WithoutCancel(ctx))
		return use(a)
	}
	shelf := newLibrary(1)
	if err := node(ctx, func(a *app.App) error {
		owner, err := pgxpool.New(ctx, strings.Replace(a.Pool().Config().ConnString(), "user=hotline", "user=hotline_owner", 1))
		if err != nil {
			return err
		}
		defer owner.Close()
		k.Machine = machine(ctx, owner)
		if err := shelf.stock(ctx, owner, o.Articles); err != nil {
			return fmt.Errorf("write articles: %w", err)
		}
		return owner.QueryRow(ctx, `select count(*) from articles where live is not null`).Scan(&k.Articles)
	}); err != nil {
		return k, err
	}
	debug.FreeOSMemory()
	o.Log.Info("bench", "part", "restart", "articles", k.Articles)
	began := time.Now()
	return k, node(ctx, func(a *app.App) error {
		k.Ready = time.Since(began).Seconds()
		if err := learned(ctx, a); err != nil {
			return err
		}
		return k.measure(ctx, a, shelf, o)
	})
}

func ask(a *app.App, shelf *library) func(context.Context, int, int) error {
	return func(ctx context.Context, _, i int) error {
		lang, text := shelf.question(i)
		_, err := a.Knowledge.Search(ctx, knowledge.Query{Text: text, Lang: lang, Limit: 5})
		return err
	}
}

func (k *Knowledge) measure(ctx context.Context, a *app.App, shelf *library, o KnowledgeOptions) (err error) {
	search := ask(a, shelf)
	pause(ctx, rest)
	if k.MiB, err = resident(os.Getpid()); err != nil {
		return err
	}
	if err := profiled(o.Profile, "search", func() (err error) { k.Search, err = run(ctx, 1, o.Length, search); return err }); err != nil {
		return err
	}
	if err := profiled(o.Profile, "typing", func() (err error) { k.Typing, err = k.typing(ctx, a, shelf, o.Length); return err }); err != nil {
		return err
	}
	cpu := ownCPU()
	err = profiled(o.Profile, "rebuild", func() (err error) { k.Rebuild, err = rebuild(ctx, a, search); return err })
	k.CPU = ownCPU() - cpu
	return err
}

// typing asks as a search box does: a question grows letter by letter, and each request is one of the portal's.
func (k *Knowledge) typing(ctx context.Context, a *app.App, shelf *library, length time.Duration) (Load, error) {
	client := &http.Client{Timeout: 10 * time.Second}
	var lang, text string
	at, n := 0, 0
	return run(ctx, 1, length, func(ctx context.Context, _, i int) error {
		if at >= len(text) {
			lang, text = shelf.question(n)
			at, n = 0, n+1
		}
		for range 2 {
			if at < len(text) {
				_, size := utf8.DecodeRuneInString(text[at:])
				at += size
			}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL()+"/search/suggest?q="+url.QueryEscape(text[:at]), nil)
		if err != nil {
			return err
		}
		req.Header.Set("Accept-Language", lang)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("suggestions: %s", resp.Status)
		}
		return nil
	})
}

// Budgets of a collection of that size.
func (k Knowledge) searchBudget() int {
	if k.Articles > 10_500 {
		return 25
	}
	return 10
}

// Table prints the report for people.
func (k Knowledge) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "%d articles\tmeasured\tbudget\n", k.Articles)
	fmt.Fprintf(t, "restart\tready after %.1f s\t< 60 s\n", k.Ready)
	fmt.Fprintf(t, "all articles read anew\t%.1f s, %.0f s of CPU\t< 60 s\n", k.Rebuild.Seconds, k.CPU)
	fmt.Fprintf(t, "search meanwhile\tp50 %.1f ms, p99 %.1f ms\tp99 < 25 ms\n", k.Rebuild.During.P50, k.Rebuild.During.P99)
	fmt.Fprintf(t, "knowledge search\tp50 %.1f ms, p99 %.1f ms\tp99 < %d ms\n", k.Search.P50, k.Search.P99, k.searchBudget())
	fmt.Fprintf(t, "search as you type, over HTTP\tp50 %.1f ms, p99 %.1f ms\tp99 < %d ms\n", k.Typing.P50, k.Typing.P99, k.searchBudget())
	fmt.Fprintf(t, "resident memory of the node\t%.0f MiB\t–\n", k.MiB)
	fmt.Fprintf(t, "\n%s, %d cores, %s, PostgreSQL %s\n", k.Machine.CPU, k.Machine.Cores, k.Machine.Go, k.Machine.PostgreSQL)
	return t.Flush()
}
