// Package app wires hotline: it is the only place that knows every package, and holds the order of start and stop.
//
// Start brings up private PostgreSQL (where none is configured), migrations, pool, bus, file store, the services, their workers and at last the
// listener. Stop takes it down in the opposite order: readiness fails first, then the listener closes, sockets get a code that says "come
// back", turns, sweeps and jobs end, then bus, pool and PostgreSQL. Whatever started is stopped, also when a later step of Start failed.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"hotline/channels"
	"hotline/channels/email"
	"hotline/channels/sms"
	"hotline/channels/telegram"
	"hotline/chat"
	"hotline/chat/assist"
	"hotline/chat/bot"
	"hotline/chat/hub"
	"hotline/internal/auth"
	"hotline/internal/blob"
	"hotline/internal/bus"
	"hotline/internal/clock"
	"hotline/internal/config"
	"hotline/internal/db"
	"hotline/internal/db/privatepg"
	"hotline/internal/demo"
	"hotline/internal/i18n"
	"hotline/internal/jobs"
	"hotline/internal/llm"
	"hotline/internal/telemetry"
	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/flags"
	"hotline/tickets/opendata"
	"hotline/tickets/statistics"
	"hotline/tickets/surges"
	"hotline/web/console"
)

// Options of Start beside the settings.
type Options struct {
	Log      *slog.Logger
	Clock    clock.Clock // nil: the machine's
	Demo     bool        // load the demo city when the database is empty
	Past     bool        // and give it a past when it was
	Volatile bool        // tests: the private database does not sync
	WeakHash bool        // tests: password hashing is cheap
	// Learn is routing's way to teach a classifier; nil: its own. Tests whose nodes all know the same city let them learn it once.
	Learn routing.Learn
	// Limits switches the rate limits per address off for tests and benchmarks that are one address.
	NoLimits bool
}

// App is a running node.
type App struct {
	cfg     config.Config
	log     *slog.Logger
	clock   clock.Clock
	node    uuid.UUID
	opt     Options
	baseURL string

	lock       *os.File
	pg         *privatepg.Server
	pool       *pgxpool.Pool
	bus        *bus.Bus
	files      *blob.Folder
	words      *i18n.Bundle
	index      knowledge.Index // nil where nodes share none
	metrics    *telemetry.Metrics
	Auth       *auth.Service
	Routing    *routing.Service
	Knowledge  *knowledge.Service
	Learn      *learn.Service
	Tickets    *tickets.Service
	Statistics *statistics.Store
	Flags      *flags.Store
	Surges     *surges.Store
	OpenData   *opendata.Store
	Chat       *chat.Service
	Hub        *hub.Hub
	LLM        *llm.Service
	Assist     *assist.Service
	policy     *bot.Policy
	env        atomic.Pointer[envAt]
	staff      *console.Console
	public     *publicNumbers
	telegram   *telegram.Adapter
	mail       *email.Adapter
	sms        *sms.Adapter
	reachable  []channels.Reachable
	runner     *jobs.Runner

	server   *http.Server
	listener net.Listener
	ready    atomic.Bool
	young    atomic.Bool   // has not been at rest yet
	newCity  bool          // the demo city was loaded at this start
	settled  chan struct{} // closed when the demo's past is there, or none is wanted
	late     atomic.Int64  // by how much the last sweep's longest waiting clock was late, in nanoseconds
	served   chan error
	cleanup  []func(context.Context)
	loops    *loops
}

// DemoPassword is the well-known password of the demo city's users.
const DemoPassword = "lanting-demo-2026"

// Start brings a node up. Errors are in words for the operator; nothing is left running behind one.
func Start(ctx context.Context, cfg config.Config, o Options) (*App, error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	a := &App{cfg: cfg, log: o.Log, clock: o.Clock, opt: o, node: db.NewID(), served: make(chan error, 1), settled: make(chan struct{}), loops: newLoops()}
	a.young.Store(true)
	a.collect()
	for _, step := range []func(context.Context) error{a.openData, a.openDatabase, a.openBus, a.listen, a.join, a.loadDemo, a.services, a.background, a.serve} {
		if err := step(ctx); err != nil {
			a.loops.wait()
			a.Stop(context.WithoutCancel(ctx))
			return nil, err
		}
	}
	return a, nil
}

// onStop registers what undoes a step; Stop runs them in the opposite order.
func (a *App) onStop(undo func(context.Context)) { a.cleanup = append(a.cleanup, undo) }

// Run is Start, then Stop when ctx ends or something vital does. started is called when the node serves.
func Run(ctx context.Context, cfg config.Config, o Options, started func(*App)) error {
	a, err := Start(ctx, cfg, o)
	if err != nil {
		return err
	}
	if started != nil {
		started(a)
	}
	var vital <-chan struct{}
	if a.pg != nil {
		vital = a.pg.Exited()
	}
	select {
	case <-ctx.Done():
		a.log.Info("stopping")
	case err = <-a.served:
		err = fmt.Errorf("the listener ended: %w", err)
	case <-vital:
		err = errors.New("the private PostgreSQL ended")
	}
	a.Stop(context.WithoutCancel(ctx))
	return err
}

// Stop takes the node down within about 20 seconds. It may be called twice.
func (a *App) Stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	a.ready.Store(false)
	for i := len(a.cleanup) - 1; i >= 0; i-- {
		a.cleanup[i](ctx)
	}
	a.cleanup = nil
}

// URL is where the node answers.
func (a *App) URL() string { return a.baseURL }

// Pool is the application's pool; for tests and the bench.
func (a *App) Pool() *pgxpool.Pool { return a.pool }

// openData makes the data folder and holds its lock: two processes on one folder would share a private database.
func (a *App) openData(context.Context) error {
	if err := os.MkdirAll(a.cfg.Data, 0o755); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if a.cfg.Database != "" {
		return nil // nodes of one installation may share the folder
	}
	f, err := os.OpenFile(filepath.Join(a.cfg.Data, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("another hotline uses the data folder %s; stop it, or choose another folder with --data", a.cfg.Data), f.Close())
	}
	a.lock = f
	a.onStop(func(context.Context) { _ = f.Close() }) // closing releases the lock
	return nil
}

func (a *App) openDatabase(ctx context.Context) error {
	url, owner := a.cfg.Database, a.cfg.Owner
	if url == "" {
		pg, err := privatepg.Start(ctx, privatepg.Options{Dir: a.cfg.Data, Log: a.log, Volatile: a.opt.Volatile})
		if err != nil {
			return err
		}
		a.pg = pg
		a.onStop(func(context.Context) { pg.Stop() })
		url, owner = pg.URL(), pg.OwnerURL()
	}
	if owner != "" {
		if err := db.Migrate(ctx, owner, a.log); err != nil {
			return err
		}
	}
	pool, err := db.Open(ctx, url, a.cfg.Conns)
	if err != nil {
		return err
	}
	a.pool = pool
	a.onStop(func(context.Context) { pool.Close() })
	return nil
}

func (a *App) openBus(ctx context.Context) error {
	b, err := bus.Open(ctx, bus.Options{URL: a.cfg.NATS, Prefix: "hotline", Name: "hotline-" + a.node.String(), Log: a.log})
	if err != nil {
		return fmt.Errorf("%w (HOTLINE_NATS_URL)", err)
	}
	a.bus = b
	a.onStop(func(context.Context) { b.Close() })
	return nil
}

// listen takes the port early, so that a taken one is told before anything else is changed.
func (a *App) listen(context.Context) error {
	l, err := net.Listen("tcp", a.cfg.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s (choose another address with --addr): %w", a.cfg.Addr, err)
	}
	a.listener = l
	a.onStop(func(context.Context) { _ = l.Close() }) // closed already when the server has served
	a.baseURL = a.cfg.BaseURL
	if a.baseURL == "" {
		host, _, err := net.SplitHostPort(a.cfg.Addr)
		if err != nil || host == "" {
			host = "localhost"
		}
		a.baseURL = "http://" + net.JoinHostPort(host, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return nil
}

// join makes sure that this node shares key, file store and bus with the others.
func (a *App) join(ctx context.Context) error {
	folder := a.cfg.Files
	if folder == "" {
		folder = filepath.Join(a.cfg.Data, "files")
	}
	files, err := blob.OpenFolder(folder)
	if err != nil {
		return err
	}
	a.files = files
	a.onStop(func(context.Context) { _ = files.Close() })
	key, err := a.key()
	if err != nil {
		return err
	}
	if err := checkInstallation(ctx, a.pool, key, files.ID()); err != nil {
		return err
	}
	if a.pg != nil {
		// The data folder is locked, so no other node can live on this database; rows of a killed predecessor are of no use.
		if err := forgetNodes(ctx, a.pool); err != nil {
			return err
		}
	}
	if err := joinNodes(ctx, a.pool, a.bus, a.node, a.listener.Addr().String()); err != nil {
		return err
	}
	a.onStop(func(ctx context.Context) {
		if err := leaveNodes(ctx, a.pool, a.node); err != nil {
			a.log.Warn("this node is not signed off; the others will miss its heartbeat", "error", err)
		}
	})
	return nil
}

func (a *App) key() ([]byte, error) {
	path := a.cfg.KeyFile
	if path == "" {
		path = filepath.Join(a.cfg.Data, "secret.key")
	}
	return readKey(path)
}

func (a *App) loadDemo(ctx context.Context) error {
	a.Auth = auth.New(a.pool, a.clock, auth.Options{Weak: a.opt.WeakHash})
	if !a.opt.Demo {
		return nil
	}
	city, err := demo.Read()
	if err != nil {
		return err
	}
	loaded, err := demo.Load(ctx, a.pool, city, a.Auth.HashPassword(DemoPassword))
	if a.newCity = loaded; loaded {
		a.log.Info("demo city loaded")
	}
	return err
}

func (a *App) services(ctx context.Context) (err error) {
	if a.words, err = i18n.Load(); err != nil {
		return err
	}
	key, err := a.key()
	if err != nil {
		return err
	}
	a.metrics = telemetry.NewMetrics(a.pool)
	a.Routing = routing.New(routing.Deps{Pool: a.pool, Bus: a.bus, Log: a.log, TrainLater: true, Learn: a.opt.Learn})
	if err := a.Routing.Start(ctx); err != nil {
		return err
	}
	a.onStop(func(context.Context) { a.Routing.Stop() })
	if a.index, err = a.openIndex(); err != nil {
		return err
	}
	a.onStop(func(context.Context) {
		if a.index == nil {
			return
		}
		if err := a.index.Close(); err != nil {
			a.log.Warn("search index", "error", err)
		}
	})
	if err := a.models(key); err != nil {
		return err
	}
	a.Knowledge = knowledge.New(knowledge.Deps{Pool: a.pool, Index: a.index, Clock: a.clock, Log: a.log, Location: a.zone(), Changed: a.knowledgeChanged, Deadline: a.workingDays, Blob: a.files, Clean: cleanFile, Embedder: a.LLM.Embedder()})
	if err := a.followKnowledge(ctx); err != nil {
		return err
	}
	a.Learn = learn.New(learn.Deps{Pool: a.pool, Knowledge: a.Knowledge, Clock: a.clock, Log: a.log, Responsible: a.responsible})
	if a.Tickets, err = tickets.New(tickets.Deps{Pool: a.pool, Clock: a.clock, Key: key, Router: tickets.RouterOf(a.Routing), Log: a.log}); err != nil {
		return err
	}
	a.Statistics = statistics.New(a.pool, a.clock, a.Tickets)
	a.Flags = flags.New(a.pool, a.clock, a.Tickets)
	a.Surges = surges.New(a.pool, a.clock, a.Tickets)
	a.OpenData = opendata.New(a.pool, a.clock, a.Statistics)
	if a.policy, err = bot.New(bot.Options{LLM: a.Assist, Live: a.botEnv, Knowledge: botKnowledge{a.Knowledge, a.baseURL}, Tickets: botTickets{a.Tickets, a.Routing}, Classifier: botClassifier{a.Routing}, Fields: botFields(a.Tickets), Categories: botCategories(a.Routing)}); err != nil {
		return err
	}
	inserter, err := jobs.NewInserter(a.pool, a.log)
	if err != nil {
		return err
	}
	registry, err := a.channels(ctx)
	if err != nil {
		return err
	}
	if a.Chat, err = chat.New(chat.Deps{Pool: a.pool, Clock: a.clock, Log: a.log, Bus: a.bus, Jobs: inserter, Tickets: a.Tickets, Bot: a.policy,
		Channels: registry, Blob: a.files, Words: a.words, NodeID: a.node, Options: chat.Options{ReportURL: a.baseURL + "/report", BaseURL: a.baseURL, CallingCode: a.cfg.CallingCode, Sender: a.sender, Category: portalCity{a}.CategoryName}}); err != nil {
		return err
	}
	a.Tickets.OnPublic(a.Chat.Notify)
	a.Tickets.OnReach(a.Chat.ReachesTx)
	if err := a.Tickets.Reload(ctx); err != nil {
		return err
	}
	workers := river.NewWorkers()
	a.Chat.Register(workers)
	a.runner, err = jobs.NewRunner(a.pool, jobs.RunnerOptions{Log: a.log, Workers: workers, MaxWorkers: 16, Node: a.node.String()})
	return err
}

// channels makes the adapters that are configured.
func (a *App) channels(context.Context) (*channels.Registry, error) {
	adapters, err := a.openWritten()
	if err != nil || a.cfg.TelegramToken == "" {
		return a.register(adapters, err)
	}
	t, err := telegram.New(telegram.Options{Token: a.cfg.TelegramToken, API: a.cfg.TelegramAPI, Secret: a.cfg.TelegramSecret, Log: a.log,
		Ingest: a.ingest,
		Store: func(ctx context.Context, thread, name string, r io.Reader) ([16]byte, error) {
			return a.storeFile(ctx, chat.Owner{Channel: telegram.Name, Account: a.telegram.Account(), Thread: thread}, name, r)
		},
	})
	if err != nil {
		return nil, err
	}
	a.telegram = t
	return a.register(append(adapters, t), nil)
}
