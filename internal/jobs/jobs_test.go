package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"hotline/internal/db"
	"hotline/internal/jobs"
	"hotline/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type noteArgs struct {
	Text string `json:"text"`
}

func (noteArgs) Kind() string { return "test_note" }

type noteWorker struct {
	river.WorkerDefaults[noteArgs]
	seen chan string
}

func (w *noteWorker) Work(_ context.Context, job *river.Job[noteArgs]) error {
	w.seen <- job.Args.Text
	return nil
}

func TestJobRunsAfterItsTransactionCommitsAndOnlyThen(t *testing.T) {
	t.Parallel()
	pool := testkit.DB(t)
	log := slog.New(slog.DiscardHandler)
	ins, err := jobs.NewInserter(pool, log)
	if err != nil {
		t.Fatal(err)
	}
	workers, w := river.NewWorkers(), &noteWorker{seen: make(chan string, 2)}
	river.AddWorker(workers, w)
	run, err := jobs.NewRunner(pool, jobs.RunnerOptions{Log: log, Workers: workers, MaxWorkers: 4, Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	undone := errors.New("undone")
	err = db.WithTx(t.Context(), pool, db.System(), func(tx db.Tx) error {
		return errors.Join(ins.InsertTx(t.Context(), tx, noteArgs{"rolled back"}, nil), undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	err = db.WithTx(t.Context(), pool, db.System(), func(tx db.Tx) error { return ins.InsertTx(t.Context(), tx, noteArgs{"kept"}, nil) })
	if err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-w.seen:
		if got != "kept" {
			t.Fatalf("ran %q", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the job did not run")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := run.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := run.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}
