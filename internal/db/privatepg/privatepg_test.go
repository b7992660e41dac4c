package privatepg_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db/privatepg"
)

func options(dir string) privatepg.Options {
	return privatepg.Options{Dir: dir, Log: slog.New(slog.DiscardHandler), Volatile: true}
}

// shortDir is outside t.TempDir, whose folders are closed to the user that a root process runs the server as.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hl-pg-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestSecondStartFindsItsData(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	for round := range 2 {
		s, err := privatepg.Start(t.Context(), options(dir))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.Connect(t.Context(), s.OwnerURL())
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			_, err = conn.Exec(t.Context(), `create table kept (n int); insert into kept values (42)`)
		} else {
			var n int
			if err = conn.QueryRow(t.Context(), `select n from kept`).Scan(&n); n != 42 {
				t.Errorf("found %d", n)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Stop()
		s.Stop()
	}
}

func TestFolderWithALongPathStillGetsASocket(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(shortDir(t), strings.Repeat("long/", 24))
	s, err := privatepg.Start(t.Context(), options(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
}

func TestDataOfAnotherMajorVersionStopsTheStartWithTheWayOut(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	s, err := privatepg.Start(t.Context(), options(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if err := os.WriteFile(filepath.Join(s.Dir, "data", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = privatepg.Start(t.Context(), options(dir))
	if err == nil || !strings.Contains(err.Error(), "pg_upgrade -b /usr/lib/postgresql/9/bin") {
		t.Fatalf("no upgrade commands: %v", err)
	}
}

func TestWithoutBinariesTheErrorSaysWhatToInstall(t *testing.T) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) > 0 {
		// The search looks into fixed system folders first; the words are tested on the text itself.
		if err := privatepg.ErrMissing; !strings.Contains(err.Error(), "apt-get install postgresql") {
			t.Fatal(err)
		}
		return
	}
	if _, err := privatepg.Start(t.Context(), options(t.TempDir())); err == nil || !strings.Contains(err.Error(), "apt-get install") {
		t.Fatal(err)
	}
}

// Who names a folder means that one: a newer version beside it must not be taken, and a wrong name must not be passed over in silence.
func TestTheNamedBinariesAreUsedOrTheErrorSaysWhyNot(t *testing.T) {
	empty := t.TempDir()
	t.Setenv("HOTLINE_PG_BIN", empty)
	if _, err := privatepg.Start(t.Context(), options(t.TempDir())); err == nil || !strings.Contains(err.Error(), "HOTLINE_PG_BIN") || !strings.Contains(err.Error(), empty) {
		t.Errorf("a folder without binaries: %v", err)
	}
	old := t.TempDir()
	for name, text := range map[string]string{"postgres": "#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.1'\n", "initdb": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(old, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOTLINE_PG_BIN", old)
	if _, err := privatepg.Start(t.Context(), options(t.TempDir())); err == nil || !strings.Contains(err.Error(), "PostgreSQL 9 in "+old) {
		t.Errorf("the newest was taken instead of the named one: %v", err)
	}
}
