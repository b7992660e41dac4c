package ticketstest

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Hold is a transaction of the owner that holds a lock until it is let go, so that a test decides who comes first where two people act at one moment.
type Hold struct {
	o  *Office
	tx pgx.Tx
}

// Hold takes the lock that a statement takes.
func (o *Office) Hold(sql string, args ...any) Hold {
	o.Helper()
	tx, err := o.Owner.Begin(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(o.Context())) })
	if _, err := tx.Exec(o.Context(), sql, args...); err != nil {
		o.Fatal(err)
	}
	return Hold{o, tx}
}

// Start starts a call and comes back when it is over, or when n calls in all wait for locks.
func (h Hold) Start(n int, call func() error) <-chan error {
	h.o.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	for {
		var waiting int
		// On a connection of its own: a transaction sees the same backends until it ends.
		err := h.o.Owner.QueryRow(h.o.Context(), `select count(*) from pg_locks l join pg_stat_activity a on a.pid = l.pid where not l.granted and a.datname = current_database()`).Scan(&waiting)
		if err != nil {
			h.o.Fatal(err)
		}
		if waiting >= n || len(done) > 0 {
			return done
		}
	}
}

// LetGo lets the calls go on.
func (h Hold) LetGo() {
	h.o.Helper()
	if err := h.tx.Commit(h.o.Context()); err != nil {
		h.o.Fatal(err)
	}
}
