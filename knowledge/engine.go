package knowledge

import (
	"context"
	"sync"
	"time"
)

// engine is what the service knows of what it searches with: whether all
// articles are being read anew, and of a shared index, whether it holds every
// article and whether it answers.
type engine struct {
	mu      sync.Mutex
	loading bool
	filling bool
	done    int
	total   int
	since   time.Time // of the failures; zero while it answers
	retry   time.Time // not asked before
	pause   time.Duration
	err     error
	// From PostgreSQL: what waits for it and why.
	pending int
	wanted  bool
	fault   Fault
}

// Times of an engine that fails.
const (
	// proposeWithin is how long a search waits for the engine: a citizen's turn has a few seconds for everything.
	proposeWithin = 400 * time.Millisecond
	firstPause    = time.Second
	longestPause  = 30 * time.Second
)

// read notes how many of the articles were read anew.
func (e *engine) read(done, total int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.loading, e.done, e.total = true, done, total
}

func (e *engine) loaded() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.loading = false
}

// usable reports whether the engine is to be asked now. After a failure one
// search at a time tries again.
func (e *engine) usable(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.filling || now.Before(e.retry) {
		return false
	}
	if !e.since.IsZero() {
		e.retry = now.Add(e.pause)
	}
	return true
}

// worked and failed report the first of a run.
func (e *engine) worked() (again bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	again = !e.since.IsZero()
	e.since, e.retry, e.pause, e.err = time.Time{}, time.Time{}, 0, nil
	return again
}

func (e *engine) failed(now time.Time, err error) (first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if first = e.since.IsZero(); first {
		e.since = now
	}
	e.pause = min(longestPause, max(firstPause, 2*e.pause))
	e.retry, e.err = now.Add(e.pause), err
	return first
}

// EngineStatus is what an operator is told of the search engine.
type EngineStatus struct {
	Articles int  // that the corpus of this node holds
	Loading  bool // this node reads all articles anew
	Filling  bool // a shared engine does not hold them all yet
	Done     int  // of Total, while it does either
	Total    int
	Since    time.Time // the engine has been failing since; zero while it answers
	Fault    Fault     // why
	Shared   bool      // one engine of all nodes
	Pending  int       // changes that a shared engine has not been given yet
	Rebuild  bool      // a shared engine is to be built anew
	// Of embeddings, where a model is set up for them.
	Model      string
	Vectors    int // articles that have theirs on this node
	ModelFault Fault
}

// Degraded reports that the corpus proposes in place of the engine.
func (s EngineStatus) Degraded() bool { return s.Filling || !s.Since.IsZero() }

// Engine tells how the search engine is.
func (s *Service) Engine() EngineStatus {
	e := &s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	out := EngineStatus{Articles: s.corpus().Len(), Loading: e.loading, Filling: e.filling, Done: e.done, Total: e.total, Since: e.since, Shared: s.Index != nil, Pending: e.pending, Rebuild: e.wanted, Fault: e.fault}
	if e.err != nil {
		out.Fault = faultOf(e.err, ErrEngineSlow, ErrEngineFails)
	}
	s.vectors.status(&out)
	return out
}

// propose asks the corpus for articles, and a shared engine at the same time:
// a search never waits for it longer than proposeWithin and never fails because
// of it. What it proposes is joined with the corpus's own. Errors: ctx's own.
func (s *Service) propose(ctx context.Context, q Query) ([]Hit, error) {
	corpus := s.corpus()
	if s.Index == nil || !s.engine.usable(s.Clock.Now()) {
		return corpus.Propose(q), ctx.Err()
	}
	own := sync.OnceValue(func() []Hit { return corpus.Propose(q) })
	go own() // while the server is at work
	short, cancel := context.WithTimeout(ctx, proposeWithin)
	defer cancel()
	eq := q
	eq.Text = corpus.Respell(q.Lang, q.Text)
	hits, err := s.Index.Search(short, eq)
	switch {
	case err == nil:
		if s.engine.worked() {
			s.Log.InfoContext(ctx, "the search engine answers again")
		}
		return Join(hits, own()), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	if s.engine.failed(s.Clock.Now(), err) {
		s.Log.WarnContext(ctx, "the search engine fails; this node searches by itself meanwhile", "error", err)
	}
	return own(), nil
}

// Join adds to what a shared engine proposes what the corpus does. The engine
// may not have the last edits yet, and it is asked for few of the words of a
// long question; judging leaves out what has nothing to do with it.
func Join(hits, own []Hit) []Hit {
	has := make(map[string]bool, len(hits))
	for _, h := range hits {
		has[h.ID] = true
	}
	for _, h := range own {
		if !has[h.ID] {
			hits = append(hits, h)
		}
	}
	return hits
}
