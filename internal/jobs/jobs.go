// Package jobs sets River up: background work that is committed with the change that asks for it and runs on any node.
//
// There are two clients. The Inserter only inserts, always inside the caller's transaction; services get it when they are made. The
// Runner works the queues; it is made last, from the workers that the services offer, so nothing needs wiring after construction.
// Figures: peers measured 12 times the default's throughput with a short fetch cooldown and poll interval. The runner polls: a NOTIFY
// takes a lock that queues commits behind one another, and intake would pay for it.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// Inserter puts jobs into the caller's transaction.
type Inserter struct{ client *river.Client[pgx.Tx] }

// NewInserter makes an inserter.
func NewInserter(pool *pgxpool.Pool, log *slog.Logger) (*Inserter, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: warnings(log)})
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return &Inserter{client}, nil
}

// InsertTx adds a job that exists when the transaction commits and not otherwise.
func (i *Inserter) InsertTx(ctx context.Context, tx pgx.Tx, args river.JobArgs, opts *river.InsertOpts) error {
	if _, err := i.client.InsertTx(ctx, tx, args, opts); err != nil {
		return fmt.Errorf("jobs: insert %s: %w", args.Kind(), err)
	}
	return nil
}

// InsertManyTx adds several jobs in one statement.
func (i *Inserter) InsertManyTx(ctx context.Context, tx pgx.Tx, params []river.InsertManyParams) error {
	if _, err := i.client.InsertManyFastTx(ctx, tx, params); err != nil {
		return fmt.Errorf("jobs: insert: %w", err)
	}
	return nil
}

// Runner works the queues.
type Runner struct {
	client *river.Client[pgx.Tx]
	stop   sync.Once
}

// RunnerOptions of NewRunner.
type RunnerOptions struct {
	Log        *slog.Logger
	Workers    *river.Workers
	Periodic   []*river.PeriodicJob
	MaxWorkers int // jobs at once on this node
	Node       string
}

// NewRunner makes a runner; Start begins the work.
func NewRunner(pool *pgxpool.Pool, o RunnerOptions) (*Runner, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		ID:                   o.Node,
		Logger:               warnings(o.Log),
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.MaxWorkers, FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 100 * time.Millisecond}},
		Workers:              o.Workers,
		PeriodicJobs:         o.Periodic,
		PollOnly:             true,
		JobTimeout:           time.Minute,
		RescueStuckJobsAfter: 3 * time.Minute,
		ErrorHandler:         &failures{o.Log},
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return &Runner{client: client}, nil
}

// Start begins working; it returns when the runner works.
func (r *Runner) Start(ctx context.Context) error {
	// River's own life is ended by Stop, not by the start's context: running jobs may then finish.
	if err := r.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return nil
}

// Stop lets running jobs finish until ctx ends, then cancels them. It may be called twice.
func (r *Runner) Stop(ctx context.Context) (err error) {
	r.stop.Do(func() {
		if err = r.client.Stop(ctx); err != nil {
			hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			err = r.client.StopAndCancel(hard)
		}
	})
	return err
}

type failures struct{ log *slog.Logger }

func (f *failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	level := slog.LevelInfo
	if job.Attempt >= job.MaxAttempts {
		level = slog.LevelError
	}
	f.log.Log(ctx, level, "job failed", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "of", job.MaxAttempts, "error", err)
	return nil
}

func (f *failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.log.ErrorContext(ctx, "job panicked", "kind", job.Kind, "job", job.ID, "panic", value, "trace", trace)
	return nil
}

// warnings drops River's chatter.
func warnings(log *slog.Logger) *slog.Logger { return slog.New(minLevel{log.Handler()}) }

type minLevel struct{ slog.Handler }

func (m minLevel) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && m.Handler.Enabled(ctx, l)
}
