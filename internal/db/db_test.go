package db_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"hotline/internal/db"
	"hotline/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestMigrationsGoUpDownAndUpAgain(t *testing.T) {
	t.Parallel()
	d := testkit.EmptyDatabase(t)
	quiet := slog.New(slog.DiscardHandler)
	for range 2 {
		if err := db.Migrate(t.Context(), d.OwnerURL, quiet); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.MigrateDown(t.Context(), d.OwnerURL); err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), d.OwnerURL, quiet); err != nil {
		t.Fatal(err)
	}
	d.Pool(t)
}

func TestPoolRefusesARoleThatRowLevelSecurityDoesNotBind(t *testing.T) {
	t.Parallel()
	d := testkit.NewDatabase(t)
	_, err := db.Open(t.Context(), d.OwnerURL, 1)
	if err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Fatalf("the owner was let in as the application: %v", err)
	}
}

func TestTransactionCarriesItsActorAndForgetsIt(t *testing.T) {
	t.Parallel()
	d := testkit.NewDatabase(t)
	pool, err := db.Open(t.Context(), d.URL, 1) // one connection: the next transaction reuses it
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	read := func(actor db.Actor) (kind, agency string) {
		err := db.ReadTx(t.Context(), pool, actor, func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `select actor_kind(), coalesce(actor_agency()::text, '')`).Scan(&kind, &agency)
		})
		if err != nil {
			t.Fatal(err)
		}
		return kind, agency
	}
	id := db.NewID()
	if kind, agency := read(db.Staff(db.NewID(), id, false, false)); kind != "staff" || agency != id.String() {
		t.Fatalf("actor %q %q", kind, agency)
	}
	if kind, agency := read(db.Actor{}); kind != "" || agency != "" {
		t.Fatalf("the last transaction's actor is still there: %q %q", kind, agency)
	}
}

func TestReadTxRefusesWritesAndWithTxRollsBack(t *testing.T) {
	t.Parallel()
	pool := testkit.DB(t)
	insert := func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), `insert into contacts (id) values ($1)`, db.NewID())
		return err
	}
	if err := db.ReadTx(t.Context(), pool, db.System(), insert); err == nil {
		t.Fatal("a read transaction wrote")
	}
	stop := errors.New("stop")
	err := db.WithTx(t.Context(), pool, db.System(), func(tx db.Tx) error {
		if err := insert(tx); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	var n int
	err = db.ReadTx(context.Background(), pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from contacts`).Scan(&n)
	})
	if err != nil || n != 0 {
		t.Fatalf("%d contacts after a rollback, %v", n, err)
	}
}
