package app

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/demo"
	"hotline/internal/demo/past"
	"hotline/tickets"
	"hotline/tickets/flags"
	"hotline/tickets/statistics"
)

// playPast gives a demo city that was loaded just now its past. It is played on services of its own, beside a node that serves already; what sweeps and
// follows waits for it, or it would take the past's clocks for overdue.
func (a *App) playPast(ctx context.Context) {
	defer close(a.settled)
	if !a.newCity || !a.opt.Past {
		return
	}
	began := time.Now()
	sum, err := a.past(ctx)
	if err != nil {
		if ctx.Err() == nil {
			a.log.Error("the demo's past is not complete", "error", err)
		}
		return
	}
	a.log.Info("the demo city has a past", "cases", sum.Cases, "deeds", sum.Deeds, "refused", sum.Refused, "ms", time.Since(began).Milliseconds())
}

// pastBegins is how long before the first start the clock of the past is set to, well before its first deed.
const pastBegins = 100 * 24 * time.Hour

func (a *App) past(ctx context.Context) (past.Sum, error) {
	pool, err := db.Open(ctx, hurried(a.pool.Config().ConnString()), 2)
	if err != nil {
		return past.Sum{}, err
	}
	defer pool.Close()
	key, err := a.key()
	if err != nil {
		return past.Sum{}, err
	}
	city, err := demo.Read()
	if err != nil {
		return past.Sum{}, err
	}
	then := clock.NewFake(a.clock.Now().Add(-pastBegins))
	work, err := tickets.New(tickets.Deps{Pool: pool, Clock: then, Key: key, Router: tickets.RouterOf(a.Routing), Log: a.log})
	if err != nil {
		return past.Sum{}, err
	}
	registry, err := channels.NewRegistry() // nobody is written to about what is long over
	if err != nil {
		return past.Sum{}, err
	}
	talk, err := chat.New(chat.Deps{Pool: pool, Clock: then, Log: a.log, Tickets: work, Bot: a.policy, Channels: registry, Blob: a.files, Words: a.words, NodeID: a.node,
		// A turn of the past is due and leased after today: the living node's sweep takes it for nobody's.
		Options: chat.Options{TurnGrace: 2 * pastBegins, Lease: 2 * pastBegins}})
	if err != nil {
		return past.Sum{}, err
	}
	work.OnPublic(talk.Notify)
	if err := work.Reload(ctx); err != nil {
		return past.Sum{}, err
	}
	sum, err := past.Play(ctx, past.Office{Pool: pool, Tickets: work, Statistics: statistics.New(pool, then, work), Flags: flags.New(pool, then, work), Chat: talk, Routing: a.Routing, Clock: then, City: city, Log: a.log}, a.clock.Now())
	if err != nil {
		return sum, fmt.Errorf("after %d cases: %w", sum.Cases, err)
	}
	return sum, nil
}

// hurried is a database address whose commits are not waited for: a past that a crash cut off is no loss.
func hurried(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	q.Set("synchronous_commit", "off")
	u.RawQuery = q.Encode()
	return u.String()
}

// afterPast starts work that must not see a past in the making.
func (a *App) afterPast(f func(context.Context)) {
	a.loops.run(func(ctx context.Context) {
		select {
		case <-ctx.Done():
		case <-a.settled:
			f(ctx)
		}
	})
}

// Settled is closed when the demo's past is there, or none is wanted; for tests.
func (a *App) Settled() <-chan struct{} { return a.settled }
