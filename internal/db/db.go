// Package db holds the way to PostgreSQL: the pool, transactions that carry their actor, migrations, and the mapping of constraint
// violations.
//
// WithTx and ReadTx are the only ways to a transaction. Inside fn there is no network, no bus and no other use of the pool; jobs are
// inserted with the same transaction; what others must hear is published after commit. Stores own their SQL; this package has none of
// theirs.
package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"hotline/internal/errs"
)

// ErrUnavailable: the database could not be reached or is shutting down; the same call may succeed later.
var ErrUnavailable = errs.New(errs.Unavailable, "db.unavailable", "the database is not reachable just now")

// Open connects a pool as the application and checks that row-level security binds it.
// Errors: unreachable server; a role that is a superuser, may bypass row-level security or owns the tables.
func Open(ctx context.Context, url string, maxConns int) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	if maxConns > 0 {
		cfg.MaxConns = int32(maxConns)
	}
	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.ConnConfig.RuntimeParams["application_name"] = "hotline"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		pgxuuid.Register(conn.TypeMap()) // without it each id is written as text and read again on its way
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	if err := checkRole(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

func checkRole(ctx context.Context, pool *pgxpool.Pool) error {
	var name string
	var powerful, owner, member bool
	err := pool.QueryRow(ctx, `
		select current_user, r.rolsuper or r.rolbypassrls,
		       exists (select from pg_tables where schemaname = 'public' and tablename = 'tickets' and tableowner = current_user),
		       exists (select from pg_roles g where g.rolname = 'hotline_app' and pg_has_role(current_user, g.oid, 'member'))
		from pg_roles r where r.rolname = current_user`).Scan(&name, &powerful, &owner, &member)
	switch {
	case err != nil:
		return fmt.Errorf("database: %w", err)
	case powerful || owner:
		return fmt.Errorf("database role %q may bypass row-level security; give HOTLINE_DATABASE_URL a plain login that is a member of hotline_app, and the owner in HOTLINE_DATABASE_OWNER_URL", name)
	case !member:
		return fmt.Errorf("database role %q is not a member of hotline_app; run: grant hotline_app to %s", name, pgx.Identifier{name}.Sanitize())
	}
	return nil
}

// Tx is what stores take: pgx.Tx by another name, so that a signature says that it runs inside a caller's transaction.
type Tx = pgx.Tx

// WithTx runs fn in one transaction as the actor and commits when fn returns nil. The begin, with its actor, is one round trip.
// Errors: fn's own; ErrUnavailable when the connection or the commit failed.
func WithTx(ctx context.Context, pool *pgxpool.Pool, actor Actor, fn func(tx Tx) error) error {
	return run(ctx, pool, actor, false, fn)
}

// ReadTx is WithTx for reading: the server refuses writes.
func ReadTx(ctx context.Context, pool *pgxpool.Pool, actor Actor, fn func(tx Tx) error) error {
	return run(ctx, pool, actor, true, fn)
}

func run(ctx context.Context, pool *pgxpool.Pool, actor Actor, readOnly bool, fn func(tx Tx) error) error {
	err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{BeginQuery: actor.begin(readOnly)}, fn)
	return mapConnection(err)
}

// SendBatch runs a batch as a transaction of its own in one round trip: the statements go out behind one another, and the first error undoes
// them all. It carries no actor, so it is for functions that run as the owner; anything else sees nothing.
// Errors: as WithTx.
func SendBatch(ctx context.Context, pool *pgxpool.Pool, b *pgx.Batch) error {
	return mapConnection(pool.SendBatch(ctx, b).Close())
}

// MapError is what WithTx does to errors, for a statement that is a transaction by itself (chat_ingest, one round trip).
func MapError(err error) error { return mapConnection(err) }

// mapConnection turns what says "the server is away" into ErrUnavailable and leaves the rest alone.
func mapConnection(err error) error {
	if err == nil {
		return nil
	}
	var known *errs.Error
	if errors.As(err, &known) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "57P01", "57P02", "57P03", "53300", "08006", "08003":
			return ErrUnavailable.Wrap(err)
		}
		return err
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return ErrUnavailable.Wrap(err)
	}
	return err
}

// Violates reports whether err is the violation of the named constraint or unique index.
func Violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.ConstraintName == constraint
}

// NewID makes a UUIDv7: sortable by time, so that new rows land at the end of their indexes.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
