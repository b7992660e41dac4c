package routing

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/routing/classify"
	"hotline/routing/rules"
)

// Subject is the bus subject on which nodes tell each other of changes.
const Subject = "routing.changed"

// slowTick is how long a lost hint can leave a node behind.
const slowTick = 5 * time.Second

// Bus carries hints between nodes. They may be lost.
type Bus interface {
	Publish(subject string, data []byte)
	Subscribe(subject string, fn func(subject string, data []byte)) (cancel func(), err error)
}

// Deps are what New needs. Bus may be nil: changes of other nodes then arrive
// with the slow tick alone.
type Deps struct {
	Pool *pgxpool.Pool
	Bus  Bus
	Log  *slog.Logger
	// TrainLater lets Start return before the classifier has learned. Until then no category is guessed, and people dispatch.
	TrainLater bool
	// Learn is how a classifier is taught; nil: classify.Train. Tests that start many nodes on the same texts learn them once.
	Learn Learn
	// Trained is called each time the classifier has learned, on the goroutine that taught it. May be nil.
	Trained func()
}

// Service answers who is responsible. It is safe for concurrent use.
type Service struct {
	pool     *pgxpool.Pool
	bus      Bus
	log      *slog.Logger
	later    bool
	teach    Learn
	trained  func()
	current  atomic.Pointer[Snapshot]
	loading  sync.Mutex    // one reload at a time
	teaching sync.Mutex    // one training at a time; reloads go on meanwhile
	untaught chan struct{} // a state was loaded whose texts may have to be learned

	mu   sync.Mutex
	stop context.CancelFunc
	done chan struct{}
}

// New makes a service that knows nothing until Start or Reload.
func New(d Deps) *Service {
	s := &Service{pool: d.Pool, bus: d.Bus, log: d.Log, later: d.TrainLater, teach: d.Learn, trained: d.Trained, untaught: make(chan struct{}, 1)}
	if s.teach == nil {
		s.teach = classify.Train
	}
	empty := &Snapshot{catalogue: rules.NewCatalogue(rules.Source{Policy: rules.DefaultPolicy})}
	s.current.Store(empty)
	return s
}

// Start loads the first snapshot and follows changes until Stop. A second
// Start does nothing. Errors: the database cannot be read.
func (s *Service) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		return nil
	}
	wake := make(chan struct{}, 1)
	unsubscribe := func() {}
	if s.bus != nil {
		// Subscribed before the load, so that no change falls in between.
		cancel, err := s.bus.Subscribe(Subject, func(string, []byte) {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
		if err != nil {
			return fmt.Errorf("routing: subscribe: %w", err)
		}
		unsubscribe = cancel
	}
	load := s.Reload
	if s.later {
		load = s.loadOnly
	}
	if err := load(ctx); err != nil {
		unsubscribe()
		return err
	}
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop, s.done = stop, make(chan struct{})
	go func() {
		defer close(s.done)
		defer unsubscribe()
		s.follow(following, wake)
	}()
	return nil
}

// Stop ends what Start began and waits for it. It may be called twice.
func (s *Service) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		return
	}
	s.stop()
	<-s.done
	s.stop = nil
}

func (s *Service) follow(ctx context.Context, wake <-chan struct{}) {
	if err := s.train(ctx); err != nil {
		s.log.ErrorContext(ctx, "no category can be guessed from texts until the next change; people dispatch", "error", err)
	}
	tick := time.NewTicker(slowTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		case <-s.untaught:
			if err := s.train(ctx); err != nil {
				s.log.ErrorContext(ctx, "categories could not be learned; the classifier before serves on", "error", err)
			}
			continue
		}
		if err := s.catchUp(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "routing data could not be reloaded; the present state stays in force", "error", err)
		}
	}
}

// catchUp reloads when the revision in the database is another than ours.
func (s *Service) catchUp(ctx context.Context) error {
	var revision int64
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error { return tx.QueryRow(ctx, sqlRevision).Scan(&revision) })
	if err != nil || revision == s.Snapshot().revision {
		return err
	}
	return s.Reload(ctx)
}

// Reload reads the present state from the database and trains the classifier when its texts have changed; the new state serves, with the
// old classifier, while that goes on.
// Errors: the database cannot be read; the snapshot in force then stays.
func (s *Service) Reload(ctx context.Context) error {
	if err := s.loadOnly(ctx); err != nil {
		return err
	}
	return s.train(ctx)
}

func (s *Service) loadOnly(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	start := time.Now()
	next, err := load(ctx, s.pool, s.log, s.current.Load())
	if err != nil {
		return err
	}
	s.current.Store(next)
	s.log.InfoContext(ctx, "routing data loaded", "revision", next.revision, "catalogue", next.catalogue.Version(), "agencies", len(next.agencies),
		"categories", len(next.categories), "areas", len(next.areas), "ms", time.Since(start).Milliseconds())
	return nil
}

// train brings the classifier up to date with the texts of the snapshot in force.
func (s *Service) train(ctx context.Context) error {
	s.teaching.Lock()
	defer s.teaching.Unlock()
	start := time.Now()
	for taught := false; !taught; {
		now := s.current.Load()
		if !now.untrained {
			return nil
		}
		trained, err := now.learn(s.teach)
		if err != nil {
			return err
		}
		taught = s.adoptModel(now, trained)
	}
	s.log.InfoContext(ctx, "categories learned", "ms", time.Since(start).Milliseconds())
	if s.trained != nil {
		s.trained()
	}
	return nil
}

// adoptModel lets the state in force use what was learned from before's texts; not when it has other texts by now.
func (s *Service) adoptModel(before, trained *Snapshot) bool {
	s.loading.Lock()
	defer s.loading.Unlock()
	next := *s.current.Load()
	if next.fingerprint != before.fingerprint {
		return false
	}
	next.model, next.untrained = trained.model, false
	s.current.Store(&next)
	return true
}

// Trained reports whether categories are guessed from the texts in force.
func (s *Service) Trained() bool { return !s.current.Load().untrained }

// changed is called after the commit of a change made here.
func (s *Service) changed(ctx context.Context) {
	if err := s.Reload(ctx); err != nil {
		s.log.WarnContext(ctx, "routing data could not be reloaded after a change; the slow tick tries again", "error", err)
	}
	if s.bus != nil {
		s.bus.Publish(Subject, nil)
	}
}

// changedLater is changed without waiting for the classifier: the new state serves at once with the old one, and the follower learns.
func (s *Service) changedLater(ctx context.Context) {
	if err := s.loadOnly(ctx); err != nil {
		s.log.WarnContext(ctx, "routing data could not be reloaded after a change; the slow tick tries again", "error", err)
	}
	select {
	case s.untaught <- struct{}{}:
	default: // it has been told already
	}
	if s.bus != nil {
		s.bus.Publish(Subject, nil)
	}
}

// Snapshot is the state in force.
func (s *Service) Snapshot() *Snapshot { return s.current.Load() }

// Decide finds the lead agency for a ticket, from memory.
func (s *Service) Decide(f Facts) Decision { return s.Snapshot().Decide(f) }

// Predict lists the categories a text may be about, from memory.
func (s *Service) Predict(text string) []classify.Guess { return s.Snapshot().Predict(text) }

// Explain puts reasons into words, one sentence each.
func (s *Service) Explain(lang string, reasons []Reason) []string {
	return s.Snapshot().Explain(lang, reasons)
}

// errForbidden: only the hotline's administrators, and the program itself, change reference data.
var errForbidden = errs.New(errs.Forbidden, "routing.forbidden", "only the hotline's own administrators change agencies and the catalogue")

func mayChange(by db.Actor) error {
	if by.IsSystem() || by.Administrator() {
		return nil
	}
	return errForbidden
}
