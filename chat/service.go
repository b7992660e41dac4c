package chat

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/channels"
	"hotline/chat/bot"
	"hotline/internal/blob"
	"hotline/internal/bus"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/i18n"
	"hotline/internal/jobs"
	"hotline/tickets"
)

// Thinker decides the bot's next turn; it is bot.Policy.Turn.
type Thinker func(ctx context.Context, old bot.State, in []bot.Input, lang string) (bot.Reply, bot.State, error)

// Deps are what New needs. Bus, Jobs, Tickets, Bot, Channels and Blob may be nil: there are then no hints, no push channels, no tickets, no
// bot turns, no uploads.
type Deps struct {
	Pool     *pgxpool.Pool
	Clock    clock.Clock
	Log      *slog.Logger
	Bus      *bus.Bus
	Jobs     *jobs.Inserter
	Tickets  *tickets.Service
	Bot      *bot.Policy
	Channels *channels.Registry
	Blob     blob.Store
	Words    *i18n.Bundle
	NodeID   uuid.UUID
	Options  Options
	// Think replaces Bot.Turn; nil takes Bot.Turn.
	Think Thinker
}

// Options tune the service; zero values take the defaults.
type Options struct {
	TurnGrace   time.Duration // how long the ingesting process has before a sweep takes a turn over; 5 s
	TurnTimeout time.Duration // how long a turn may think; 8 s
	Lease       time.Duration // how long a claimed turn belongs to one process; longer than TurnTimeout; 12 s
	TurnWorkers int           // turns at once in this process; 8
	SweepEvery  time.Duration // 1 s
	MaxTurnFail int           // failures in a row before a person is called; 4
	ReportURL   string        // the portal's confidential page, for {report_url}
	BaseURL     string        // public address of the portal, for links in messages to contacts
	CallingCode string        // of telephone numbers that name no country, for text messages; "" takes none
	PersonDaily int           // most messages to one person on an allowed channel in 24 hours; what is above goes out later; 12
	// Sender is what the hotline calls itself in a text message; nil: nothing.
	Sender func(lang string) string
	// Category names a category for a citizen; nil: its code.
	Category    func(code, lang string) string
	MaxFile     int64         // bytes of one upload; 10 MiB
	MaxPending  int           // uploads of one sender that belong to no message yet; 20
	SendTimeout time.Duration // of one delivery attempt; 30 s
	MaxAttempts int           // of one delivery; 8
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&o.TurnGrace, 5*time.Second)
	set(&o.TurnTimeout, 8*time.Second)
	set(&o.Lease, 12*time.Second)
	set(&o.SweepEvery, time.Second)
	set(&o.SendTimeout, 30*time.Second)
	num := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	num(&o.TurnWorkers, 8)
	num(&o.MaxTurnFail, 4)
	num(&o.MaxPending, 20)
	num(&o.MaxAttempts, 8)
	num(&o.PersonDaily, 12)
	if o.Sender == nil {
		o.Sender = func(string) string { return "" }
	}
	if o.MaxFile == 0 {
		o.MaxFile = 10 << 20
	}
	return o
}

// Service works on conversations. It is safe for concurrent use.
type Service struct {
	pool     *pgxpool.Pool
	clock    clock.Clock
	log      *slog.Logger
	bus      *bus.Bus
	jobs     *jobs.Inserter
	tickets  *tickets.Service
	bot      *bot.Policy
	think    Thinker
	channels *channels.Registry
	push     []string
	blob     blob.Store
	words    *i18n.Bundle
	node     uuid.UUID
	opt      Options

	turns     chan uuid.UUID
	uploading chan struct{} // bounds the memory of uploads: each is held whole while it is cleaned
	mu        sync.Mutex
	stop      context.CancelFunc
	done      sync.WaitGroup
}

// New makes a service. It fails when a push channel is registered and there is nothing to insert its jobs with.
func New(d Deps) (*Service, error) {
	s := &Service{
		pool: d.Pool, clock: d.Clock, log: d.Log, bus: d.Bus, jobs: d.Jobs, tickets: d.Tickets, bot: d.Bot, think: d.Think,
		channels: d.Channels, push: d.Channels.Names(), blob: d.Blob, words: d.Words, node: d.NodeID, opt: d.Options.withDefaults(),
		turns: make(chan uuid.UUID, 4096), uploading: make(chan struct{}, 6),
	}
	if len(s.push) > 0 && s.jobs == nil {
		return nil, errors.New("chat: channels that push need Deps.Jobs")
	}
	if s.opt.Lease <= s.opt.TurnTimeout {
		return nil, errors.New("chat: a lease must outlast the turn it is for")
	}
	if s.words == nil {
		var err error
		if s.words, err = i18n.Load(); err != nil {
			return nil, err
		}
	}
	if s.node == uuid.Nil {
		s.node = db.NewID()
	}
	if s.think == nil && s.bot != nil {
		s.think = s.bot.Turn
	}
	return s, nil
}

// Start begins taking turns and sweeping. It may be called twice.
func (s *Service) Start(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		return
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if s.think == nil {
		return
	}
	for range s.opt.TurnWorkers {
		s.done.Go(func() { s.work(ctx) })
	}
	s.done.Go(func() { s.sweepLoop(ctx) })
}

// Stop ends the turns and waits for them: one that thinks is cut off, writes nothing and is taken again by another node's sweep.
func (s *Service) Stop() {
	s.mu.Lock()
	stop := s.stop
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
	s.done.Wait()
}

// now is the service's time.
func (s *Service) now() time.Time { return s.clock.Now() }

// say gives a text of the catalogue.
func (s *Service) say(lang, key string, args ...any) string {
	return s.words.T(lang, "chat."+key, args...)
}

// HasBot reports whether somebody answers by machine.
func (s *Service) HasBot() bool { return s.think != nil }
