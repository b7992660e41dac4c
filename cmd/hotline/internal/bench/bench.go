// Package bench measures this build on this machine: intake beside bare inserts of the same rows in the same run, messages on their way to
// open sockets, memory of idle chats, the first run, a bot's turn, knowledge search and routing. Every figure stands beside its own limit. Generator, server and PostgreSQL share the cores, as
// they do on a small installation.
//
// It runs on a private PostgreSQL of its own with durable commits, in a folder that is removed afterwards.
package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/channels"
	"hotline/chat/hub"
	"hotline/internal/app"
	"hotline/internal/config"
	"hotline/internal/db"
	"hotline/knowledge"
)

// Options of Run.
type Options struct {
	Clients  int           // at once, for intake and bare inserts
	Length   time.Duration // of each load
	Sockets  int           // idle chats
	Articles int           // in the knowledge base, with the demo city's
	Only     []string      // parts to run; empty: all
	Profile  string        // folder for CPU profiles of the parts; "": none
	Log      *slog.Logger
}

// Report is everything measured.
type Report struct {
	Machine  Machine `json:"machine"`
	Tickets  Intake  `json:"tickets"`  // POST /api/v1/tickets
	Messages Intake  `json:"messages"` // the chat's message path
	Idle     Idle    `json:"idle_chat"`
	Reader   Reading `json:"message_to_reader"` // on one node
	Across   Reading `json:"message_to_reader_across_nodes"`
	First    First   `json:"first_run"`
	Turn     Load    `json:"bot_turn"` // message in → reply stored
	Search   Load    `json:"knowledge_search"`
	Rebuild  Rebuilt `json:"rebuild"`
	Articles int     `json:"articles"`
	Scan     Scan    `json:"vector_scan"`
	Routing  Load    `json:"routing_decision"`
}

// Machine is where the figures come from.
type Machine struct {
	Cores      int    `json:"cores"`
	CPU        string `json:"cpu"`
	Go         string `json:"go"`
	PostgreSQL string `json:"postgresql"`
}

// bed is the node that is measured.
type bed struct {
	o      Options
	app    *app.App
	owner  *pgxpool.Pool
	server int // process of the database
}

// Run measures everything.
func Run(ctx context.Context, o Options) (r Report, err error) {
	dir, err := os.MkdirTemp("", "hotline-bench-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // the database's user must reach it
		return r, err
	}
	cfg, err := config.Parse([]string{"HOTLINE_ADDR=127.0.0.1:0", "HOTLINE_DATA=" + dir, "HOTLINE_DATABASE_CONNS=32"})
	if err != nil {
		return r, err
	}
	a, err := app.Start(ctx, cfg, app.Options{Log: o.Log, Demo: true, NoLimits: true})
	if err != nil {
		return r, err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	b := &bed{o: o, app: a}
	if b.server, err = postmaster(dir); err != nil {
		return r, err
	}
	if b.owner, err = pgxpool.New(ctx, strings.Replace(a.Pool().Config().ConnString(), "user=hotline", "user=hotline_owner", 1)+"&pool_max_conns=32"); err != nil {
		return r, err
	}
	defer b.owner.Close()
	r.Machine = machine(ctx, b.owner)
	if err := learned(ctx, a); err != nil {
		return r, err
	}
	steps := []struct {
		name string
		run  func() error
	}{
		{"tickets", func() (err error) { r.Tickets, err = b.tickets(ctx); return err }},
		{"first run", func() (err error) { r.First, err = firstRun(ctx); return err }},
		{"reader", func() (err error) { r.Reader, err = b.readers(ctx, b.app.URL()); return err }},
		{"nodes", func() (err error) { r.Across, err = acrossNodes(ctx, o); return err }},
		{"idle chats", func() (err error) { r.Idle, err = idle(ctx, o); return err }},
		{"articles", func() (err error) { r.Articles, err = b.fill(ctx); return err }},
		{"search", func() (err error) { r.Search, err = b.search(ctx); return err }},
		{"rebuild", func() (err error) { r.Rebuild, err = rebuild(ctx, b.app, b.ask); return err }},
		{"vectors", func() (err error) { r.Scan, err = b.scan(ctx); return err }},
		{"turns", func() (err error) { r.Turn, err = b.turns(ctx); return err }},
		{"routing", func() (err error) { r.Routing, err = b.routing(ctx); return err }},
		{"messages", func() (err error) { r.Messages, err = b.messages(ctx); return err }}, // last: it ends the turns
	}
	for _, s := range steps {
		if len(o.Only) > 0 && !slices.Contains(o.Only, s.name) {
			continue
		}
		o.Log.Info("bench", "part", s.name)
		if err := b.profiled(s.name, s.run); err != nil {
			return r, fmt.Errorf("bench %s: %w", s.name, err)
		}
	}
	return r, nil
}

// learned waits for what a new node learns of its own in its first seconds: categories, and how sure its scores are. It takes both cores, and none of it
// belongs to the first thing that is measured.
func learned(ctx context.Context, a *app.App) error {
	for due := true; due || !a.Routing.Trained(); {
		pause(ctx, time.Second)
		var err error
		if due, err = a.Knowledge.CalibrationDue(ctx); err != nil {
			return err
		}
	}
	return nil
}

// profiled writes a CPU profile of a part where one is asked for.
func (b *bed) profiled(name string, f func() error) (err error) {
	return profiled(b.o.Profile, name, f)
}

func profiled(folder, name string, f func() error) (err error) {
	if folder == "" {
		return f()
	}
	file, err := os.Create(filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".cpu"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}

func machine(ctx context.Context, pool *pgxpool.Pool) Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: "unknown"}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if err := pool.QueryRow(ctx, `show server_version`).Scan(&m.PostgreSQL); err != nil {
		m.PostgreSQL = "unknown"
	}
	return m
}

// fill makes the knowledge base as large as asked, from the city's own articles with other numbers and names in them.
func (b *bed) fill(ctx context.Context) (int, error) {
	var have int
	if err := b.owner.QueryRow(ctx, `select count(*) from articles where live is not null`).Scan(&have); err != nil || have >= b.o.Articles {
		return have, err
	}
	rows, err := b.owner.Query(ctx, `select a.lang, v.title, v.body from articles a join article_versions v on v.article_id = a.id and v.version = a.live where a.audience = 'public'`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	type text struct{ lang, title, body string }
	var texts []text
	for rows.Next() {
		var t text
		if err := rows.Scan(&t.lang, &t.title, &t.body); err != nil {
			return 0, err
		}
		texts = append(texts, t)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for i := range b.o.Articles - have {
		t, other := texts[i%len(texts)], texts[(i*7+3)%len(texts)]
		// Half of one text and half of another: as many different term statistics as a real collection has.
		if err := enc.Encode(map[string]string{"id": fmt.Sprintf("bench-%d", i), "lang": t.lang, "topic": "bench", "title": fmt.Sprintf("%s %d", t.title, i),
			"body": t.body[:len(t.body)/2] + "\n\n" + other.body[len(other.body)/2:]}); err != nil {
			return 0, err
		}
	}
	report, err := b.app.Knowledge.Import(ctx, knowledge.System(), strings.NewReader(strings.ToValidUTF8(lines.String(), " ")), knowledge.ImportOptions{})
	if err != nil {
		return 0, err
	}
	return have + report.Created, b.app.Knowledge.Load(ctx)
}

var questions = []struct{ lang, text string }{
	{"en", "How do I renew my driving licence?"}, {"zh-CN", "驾驶证到期怎么换证"}, {"en", "where do I take old furniture"}, {"zh-CN", "医保异地就医怎么报销"},
	{"en", "my landlord does not return the deposit"}, {"zh-CN", "公租房申请条件"}, {"en", "register a child for primary school"}, {"zh-CN", "停水了怎么办"},
}

func (b *bed) search(ctx context.Context) (Load, error) { return run(ctx, 1, b.o.Length, b.ask) }

func (b *bed) ask(ctx context.Context, _, i int) error {
	q := questions[i%len(questions)]
	_, err := b.app.Knowledge.Search(ctx, knowledge.Query{Text: q.text, Lang: q.lang, Limit: 5})
	return err
}

// turns: a message of a citizen in a new conversation, until the bot's reply is stored.
func (b *bed) turns(ctx context.Context) (Load, error) {
	return run(ctx, 1, b.o.Length, func(ctx context.Context, _, i int) error {
		q := questions[i%len(questions)]
		thread, _ := hub.Thread(hub.NewToken())
		got, err := b.app.Chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "portal", Thread: thread, ExternalID: uuid.NewString(), Text: q.text, Lang: q.lang})
		if err != nil {
			return err
		}
		for range 10_000 {
			ms, err := b.app.Chat.Messages(ctx, db.System(), got.ConversationID, got.Seq, 10)
			if err != nil {
				return err
			}
			if len(ms) > 0 {
				return nil
			}
			time.Sleep(500 * time.Microsecond) // the reader's poll, part of the figure
		}
		return errors.New("no reply came")
	})
}

func (b *bed) routing(ctx context.Context) (Load, error) {
	return run(ctx, 1, b.o.Length/2, func(_ context.Context, _, i int) error {
		if g := b.app.Routing.Predict(questions[i%len(questions)].text); len(g) == 0 {
			return errors.New("no category")
		}
		return nil
	})
}

// Table prints the report for people.
func (r Report) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "what\tmeasured\tits own limit in this run\tbudget\n")
	intake := func(name string, in Intake) {
		if in.Rows == 0 {
			return
		}
		fmt.Fprintf(t, "%s\t%.0f/s (p99 %.1f ms)\tbare inserts of the same %d rows %.0f/s: %.0f %% (%.0f–%.0f %%)\t≥ 50 %%\n", name, in.Load.PerSecond, in.Load.P99, in.Rows,
			in.Bare.PerSecond, 100*in.Ratio, 100*in.Least, 100*in.Most)
		fmt.Fprintf(t, "  CPU of each\tnode %.2f ms, PostgreSQL %.2f ms, generator %.2f ms\tbare: PostgreSQL %.2f ms, generator %.2f ms: %.0f %%\t≤ 1 ms\n",
			in.CPU.Node, in.CPU.PostgreSQL, in.CPU.Generator, in.BareCPU.PostgreSQL, in.BareCPU.Generator, 100*in.ByCPU)
	}
	intake("tickets filed over HTTP", r.Tickets)
	intake("chat messages taken in", r.Messages)
	reading := func(where string, r Reading) {
		if r.Sent > 0 {
			fmt.Fprintf(t, "message to its reader, %s\tp50 %.1f ms, p99 %.1f ms\t%d sockets, %.0f/s; %d of %d came\tp50 < 5 ms, p99 < 20 ms\n", where, r.P50, r.P99, r.Sockets, r.PerSecond, r.N, r.Sent)
		}
	}
	reading("one node", r.Reader)
	reading("across two nodes", r.Across)
	if r.First.Answer > 0 {
		fmt.Fprintf(t, "first run\tserves after %.1f s, first answer after %.1f s\tresident at rest %.0f MiB\t< 10 s, < 100 MB\n", r.First.Serves, r.First.Answer, r.First.MiB)
	}
	if r.Idle.Sockets > 0 {
		fmt.Fprintf(t, "idle chat\t%.1f KiB each at %d sockets\t–\t≤ 16 KiB\n", r.Idle.KiB, r.Idle.Sockets)
	}
	if r.Turn.N > 0 {
		fmt.Fprintf(t, "bot turn\tp50 %.1f ms, p99 %.1f ms\t%d articles\tp99 < 50 ms\n", r.Turn.P50, r.Turn.P99, r.Articles)
	}
	if r.Search.N > 0 {
		fmt.Fprintf(t, "knowledge search\tp50 %.1f ms, p99 %.1f ms\t%d articles\tp99 < 10 ms\n", r.Search.P50, r.Search.P99, r.Articles)
	}
	if r.Rebuild.Seconds > 0 {
		fmt.Fprintf(t, "all articles read anew\t%.1f s; search meanwhile p50 %.1f ms, p99 %.1f ms\t%d articles\t< 60 s at 100,000; p99 < 25 ms\n", r.Rebuild.Seconds, r.Rebuild.During.P50, r.Rebuild.During.P99, r.Articles)
	}
	if r.Scan.Load.N > 0 {
		fmt.Fprintf(t, "nearest of all vectors\tp50 %.1f ms, p99 %.1f ms\t%d of %d dimensions\t< 30 ms\n", r.Scan.Load.P50, r.Scan.Load.P99, r.Scan.Vectors, r.Scan.Dimensions)
	}
	if r.Routing.N > 0 {
		fmt.Fprintf(t, "category from text\tp50 %.2f ms, p99 %.2f ms\t–\t< 2 ms\n", r.Routing.P50, r.Routing.P99)
	}
	fmt.Fprintf(t, "\n%s, %d cores, %s, PostgreSQL %s\n", r.Machine.CPU, r.Machine.Cores, r.Machine.Go, r.Machine.PostgreSQL)
	return t.Flush()
}
