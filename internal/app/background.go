package app

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"hotline/chat"
	"hotline/internal/db"
	"hotline/tickets"
	"hotline/web/api"
)

// loops runs the node's own endless work and waits for it.
type loops struct {
	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup
}

func newLoops() *loops {
	l := &loops{}
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

func (l *loops) run(f func(ctx context.Context)) { l.done.Go(func() { f(l.ctx) }) }

func (l *loops) wait() { l.stop(); l.done.Wait() }

// Times of the background work.
const (
	cleanEvery = 10 * time.Minute
)

// background starts what works without being asked.
func (a *App) background(ctx context.Context) error {
	a.onStop(func(context.Context) { a.loops.wait() })
	a.loops.run(a.heartbeat)
	a.loops.run(a.giveBackAtRest)
	a.loops.run(a.playPast)
	a.afterPast(a.sweepClocks)
	a.loops.run(a.recomputeClocks)
	a.afterPast(a.anchorHistory)
	if err := a.followSettings(); err != nil {
		return err
	}
	a.afterPast(a.sweepBroadcasts)
	a.loops.run(a.sweepKnowledge)
	a.loops.run(a.lookAtArticles)
	a.afterPast(func(ctx context.Context) { a.elected(ctx, "lookout", a.lookOut) })
	a.loops.run(func(ctx context.Context) { a.elected(ctx, "article files", a.pruneFiles) })
	a.loops.run(a.clean)
	a.afterPast(func(ctx context.Context) { a.elected(ctx, "measures", a.followMeasures) })
	a.loops.run(func(ctx context.Context) { a.elected(ctx, "answers", a.followAnswers) })
	a.loops.run(a.followSignals)
	a.loops.run(a.followCalibration)
	a.loops.run(func(ctx context.Context) { a.elected(ctx, "calibration", a.calibrate) })
	a.Chat.Start(ctx)
	a.onStop(func(context.Context) { a.Chat.Stop() })
	if err := a.runner.Start(ctx); err != nil {
		return err
	}
	a.onStop(func(ctx context.Context) {
		if err := a.runner.Stop(ctx); err != nil {
			a.log.Warn("jobs were cut off; another node takes them up", "error", err)
		}
	})
	a.receive()
	if a.telegram == nil {
		return nil
	}
	if a.cfg.TelegramMode == "webhook" {
		a.loops.run(func(ctx context.Context) {
			a.retry(ctx, "telegram webhook", func() error { return a.telegram.SetWebhook(ctx, a.baseURL+telegramPath) })
		})
		return nil
	}
	a.loops.run(func(ctx context.Context) { a.elected(ctx, "telegram "+a.telegram.Account(), a.telegram.Poll) })
	return nil
}

// retry repeats until it works or the node stops.
func (a *App) retry(ctx context.Context, what string, f func() error) {
	for pause := time.Second; ; pause = min(2*pause, 5*time.Minute) {
		err := f()
		if err == nil || ctx.Err() != nil {
			return
		}
		a.log.Warn(what, "error", err, "again_in", pause.String())
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// elected runs f on one node at a time: on the one that holds an advisory lock. When the lock's connection breaks, f is stopped.
func (a *App) elected(ctx context.Context, name string, f func(context.Context)) {
	for ctx.Err() == nil {
		if err := a.hold(ctx, name, f); err != nil && ctx.Err() == nil {
			a.log.Warn("election", "what", name, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
}

// lostSoon makes PostgreSQL notice within half a minute that the machine which holds a lock is gone without a word; a process that dies is noticed at once.
const lostSoon = `select set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '25000', false)`

func (a *App) hold(ctx context.Context, name string, f func(context.Context)) error {
	conn, err := a.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var mine bool
	if err := conn.QueryRow(ctx, `select pg_try_advisory_lock(hashtext($1))`, "hotline "+name).Scan(&mine); err != nil || !mine {
		return err
	}
	if _, err := conn.Exec(ctx, lostSoon); err != nil {
		_ = conn.Conn().Close(context.WithoutCancel(ctx)) // the lock ends with its connection
		return err
	}
	work, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); f(work) }()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for err == nil && ctx.Err() == nil {
		select {
		case <-done:
			err = fmt.Errorf("%s ended", name)
		case <-ctx.Done():
		case <-tick.C:
			look, end := context.WithTimeout(ctx, 5*time.Second)
			err = conn.Ping(look)
			end()
		}
	}
	cancel()
	<-done
	_, unlock := conn.Exec(context.WithoutCancel(ctx), `select pg_advisory_unlock(hashtext($1))`, "hotline "+name)
	if unlock != nil {
		_ = conn.Conn().Close(context.WithoutCancel(ctx)) // the lock ends with its connection
	}
	return err
}

// heartbeat keeps this node among the living, and takes over what others left when they ended.
func (a *App) heartbeat(ctx context.Context) {
	tick := time.NewTicker(nodeBeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := beat(ctx, a.pool, a.node, a.listener.Addr().String()); err != nil && ctx.Err() == nil {
				a.log.Warn("heartbeat", "error", err)
			}
			switch n, err := resumeJobs(ctx, a.pool, a.node); {
			case err != nil && ctx.Err() == nil:
				a.log.Warn("jobs of ended nodes", "error", err)
			case n > 0:
				a.log.Info("jobs of an ended node go on here", "jobs", n)
			}
		}
	}
}

// sweepClocks fires the tickets' clocks: at the next due time, and at least every two seconds.
func (a *App) sweepClocks(ctx context.Context) {
	for {
		pause := 2 * time.Second
		swept, err := a.Tickets.Sweep(ctx, a.clock.Now(), tickets.SweepBatch)
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.Error("clock sweep", "error", err)
		case err == nil:
			for _, id := range swept.Tickets {
				if raw, err := json.Marshal(chat.InboxHint{Ticket: id.String()}); err == nil { // a string: no error possible
					a.bus.Publish(chat.SubjectInbox, raw)
				}
			}
			a.late.Store(int64(swept.Late))
			pause = swept.Pause(a.clock.Now())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// A batch of a broadcast is a transaction: small enough to hold up no citizen's chat, large enough to tell thousands within a minute or two.
const (
	broadcastEvery = time.Second
	broadcastBatch = 25
)

// lookOut, on one node at a time, watches for surges every minute and sees to the flags on contacts.
func (a *App) lookOut(ctx context.Context) {
	const every, flagsEvery = time.Minute, 15 * time.Minute
	var flagged time.Time
	for {
		now := a.clock.Now()
		swept, err := a.Surges.Sweep(ctx, now)
		if err == nil && swept.Opened+swept.Ended > 0 {
			a.log.Info("surges", "opened", swept.Opened, "ended", swept.Ended)
		}
		if err == nil && now.Sub(flagged) >= flagsEvery {
			if _, err = a.Flags.Sweep(ctx, now); err == nil {
				flagged = now
			}
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("lookout", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

// sweepBroadcasts tells the reporters of mass events what was said to all of them.
func (a *App) sweepBroadcasts(ctx context.Context) {
	for {
		pause := broadcastEvery
		told, err := a.Tickets.SweepBroadcasts(ctx, a.clock.Now(), broadcastBatch)
		if err != nil && ctx.Err() == nil {
			a.log.Error("broadcasts", "error", err)
		}
		for _, t := range told {
			a.Chat.Announce(t)
		}
		if err == nil && len(told) == broadcastBatch {
			pause = 0 // more are waiting
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// clean removes what is only kept for a time.
func (a *App) clean(ctx context.Context) {
	tick := time.NewTicker(cleanEvery)
	defer tick.Stop()
	for {
		_, err := api.PurgeKeys(ctx, a.pool, a.clock.Now())
		if err == nil {
			err = db.WithTx(ctx, a.pool, db.System(), func(tx db.Tx) error {
				_, err := tx.Exec(ctx, `delete from sessions where expiry < now()`)
				return err
			})
		}
		if err == nil {
			err = a.Auth.Sweep(ctx)
		}
		if err == nil {
			err = a.halves(ctx)
		}
		if err != nil && ctx.Err() == nil {
			a.log.Warn("cleaning", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
