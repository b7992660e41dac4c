package llm

import (
	"context"
	"sync"
	"time"
)

// gate stands in front of one model on one node: how many calls run at once, and whether it is left alone.
//
// closed → open after several failures in a row → after a pause one call is let through: it closes the gate's breaker or opens it for longer.
type gate struct {
	version int
	slots   chan struct{}

	mu       sync.Mutex
	failures int
	until    time.Time // open until; zero: closed
	pause    time.Duration
	probing  bool
}

const (
	breakAfter = 5
	firstPause = 20 * time.Second
	longPause  = 5 * time.Minute
	// patience is how long a call waits for a free place, as a part of the time it has.
	patience = 4
)

// gate gives the model's gate; a changed model begins with a fresh one.
func (s *Service) gate(m Model) *gate {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.gates[m.ID]
	if g == nil || g.version != m.Version {
		g = &gate{version: m.Version, slots: make(chan struct{}, m.Concurrency), pause: firstPause}
		s.gates[m.ID] = g
	}
	return g
}

// enter waits for a place and gives what leaves it again. Errors: ErrOpen, ErrBusy, the context's.
func (g *gate) enter(ctx context.Context, now time.Time) (leave func(), err error) {
	g.mu.Lock()
	if !g.until.IsZero() && (now.Before(g.until) || g.probing) {
		g.mu.Unlock()
		return nil, ErrOpen
	}
	probe := !g.until.IsZero()
	g.probing = probe
	g.mu.Unlock()
	give := func() {
		if probe {
			g.mu.Lock()
			g.probing = false
			g.mu.Unlock()
		}
	}
	wait := 5 * time.Second
	if d, ok := ctx.Deadline(); ok {
		wait = time.Until(d) / patience
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots; give() }, nil
	default:
	}
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots; give() }, nil
	case <-timer.C:
		give()
		return nil, ErrBusy
	case <-ctx.Done():
		give()
		return nil, ctx.Err()
	}
}

// knock lets the next call through, as after the pause.
func (g *gate) knock(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Before(g.until) {
		g.until = now
	}
}

// report tells how a call went.
func (g *gate) report(ok bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ok {
		g.failures, g.until, g.pause = 0, time.Time{}, firstPause
		return
	}
	g.failures++
	switch {
	case !g.until.IsZero(): // the one that was let through
		g.pause = min(2*g.pause, longPause)
		g.until = now.Add(g.pause)
	case g.failures >= breakAfter:
		g.until = now.Add(g.pause)
	}
}

// openUntil is until when the model is left alone; nil when it is asked.
func (g *gate) openUntil(now time.Time) *time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until.IsZero() || now.After(g.until) {
		return nil
	}
	u := g.until
	return &u
}
