// Package testkit gives tests real parts in milliseconds: a private PostgreSQL for the test process, a fresh migrated database for each
// test (cloned from one that was migrated once), a tiny city to work in, and a log that can be searched.
//
// Only tests import it. A package that uses DB has `func TestMain(m *testing.M) { testkit.Main(m) }`, which stops the server at the end and
// removes its folder; where the process is killed instead, the server dies with it and the next run removes the folder.
package testkit

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/db"
	"hotline/internal/db/privatepg"
)

var (
	server struct {
		once sync.Once
		pg   *privatepg.Server
		err  error
	}
	databases atomic.Int64
)

// Main runs a package's tests, stops the PostgreSQL that they started and removes what it left.
func Main(m *testing.M) {
	code := m.Run()
	if server.pg != nil {
		server.pg.Stop()
	}
	if dir, err := scratch(); err == nil {
		_ = os.RemoveAll(dir) // a leftover is removed by the next run
	}
	os.Exit(code)
}

func start() {
	var dir string
	if dir, server.err = scratch(); server.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	server.pg, server.err = privatepg.Start(ctx, privatepg.Options{Dir: dir, Log: slog.New(slog.DiscardHandler), Volatile: true})
	if server.err != nil {
		return
	}
	// The template is the database "hotline" itself, migrated and then left alone.
	server.err = db.Migrate(ctx, server.pg.OwnerURL(), slog.New(slog.DiscardHandler))
}

// Database is one test's own database.
type Database struct {
	Name     string
	URL      string // as the application
	OwnerURL string
}

// NewDatabase clones a migrated, empty database that is dropped when the test ends.
func NewDatabase(t testing.TB) Database {
	t.Helper()
	server.once.Do(start)
	if server.err != nil {
		t.Fatalf("test database: %v", server.err)
	}
	d := Database{Name: fmt.Sprintf("t%d", databases.Add(1))}
	d.URL, d.OwnerURL = server.pg.AddressOf("app", d.Name), server.pg.AddressOf("owner", d.Name)
	admin(t, `create database `+d.Name+` template hotline strategy file_copy owner hotline_owner`)
	t.Cleanup(func() { admin(t, `drop database if exists `+d.Name+` with (force)`) })
	return d
}

// EmptyDatabase is a database without any migration, for tests of the migrations themselves.
func EmptyDatabase(t testing.TB) Database {
	t.Helper()
	d := NewDatabase(t)
	admin(t, `drop database `+d.Name)
	admin(t, `create database `+d.Name+` owner hotline_owner`)
	return d
}

func admin(t testing.TB, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.pg.AddressOf("super", "postgres"))
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("test database: %s: %v", sql, err)
	}
}

// DB gives a pool, as the application's role, on a fresh database.
func DB(t testing.TB) *pgxpool.Pool {
	t.Helper()
	d := NewDatabase(t)
	return d.Pool(t)
}

// Pool opens a pool as the application.
func (d Database) Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := db.Open(t.Context(), d.URL, 16)
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// OwnerPool opens a pool as the owner of the database that pool is connected to: for factories and for looking behind row-level security.
func OwnerPool(t testing.TB, pool *pgxpool.Pool) *pgxpool.Pool {
	t.Helper()
	name := pool.Config().ConnConfig.Database
	owner, err := pgxpool.New(t.Context(), server.pg.AddressOf("owner", name))
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(owner.Close)
	return owner
}

// Log is a logger whose output a test can search, for planted personal data above all.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// NewLog makes a logger at debug level and the buffer behind it.
func NewLog() (*slog.Logger, *Log) {
	l := &Log{}
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})), l
}

// Write collects.
func (l *Log) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.buf.Write(p) }

// String gives all that was logged.
func (l *Log) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.buf.String() }

// Prepare checks that statements fit the real schema, as the application.
func Prepare(t testing.TB, pool *pgxpool.Pool, statements ...string) {
	t.Helper()
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range statements {
		if _, err := conn.Conn().Prepare(t.Context(), "", sql); err != nil {
			t.Errorf("%v\n%s", err, sql)
		}
	}
}
