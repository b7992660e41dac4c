package testkit

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Held is a transaction of the owner that holds a lock until it is let go, so that a test decides who comes first where two act at one moment.
type Held struct {
	t     testing.TB
	owner *pgxpool.Pool
	tx    pgx.Tx
}

// Hold takes the lock that a statement takes; owner is OwnerPool's.
func Hold(t testing.TB, owner *pgxpool.Pool, sql string, args ...any) Held {
	t.Helper()
	tx, err := owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	if _, err := tx.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
	return Held{t, owner, tx}
}

// Start starts a call and comes back when it is over, or when n calls in all wait for locks.
func (h Held) Start(n int, call func() error) <-chan error {
	h.t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	for {
		var waiting int
		// On a connection of its own: a transaction sees the same backends until it ends.
		err := h.owner.QueryRow(h.t.Context(), `select count(*) from pg_locks l join pg_stat_activity a on a.pid = l.pid where not l.granted and a.datname = current_database()`).Scan(&waiting)
		if err != nil {
			h.t.Fatal(err)
		}
		if waiting >= n || len(done) > 0 {
			return done
		}
	}
}

// LetGo lets the calls go on.
func (h Held) LetGo() {
	h.t.Helper()
	if err := h.tx.Commit(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}
