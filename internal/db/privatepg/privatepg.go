// Package privatepg runs a PostgreSQL of our own: found among the installed server binaries, kept in a data folder, reached over a unix
// socket only, and stopped with us.
//
// initdb and postgres refuse to run as root, so a root process runs them as an unprivileged user (postgres or nobody). The server is
// started from a locked OS thread with a parent-death signal: when this process is killed the server shuts down instead of staying
// behind, and the next start recovers from its write-ahead log. The socket folder is open to its owner alone, which is the access
// control: no password exists that could leak.
package privatepg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Roles of a private server. The superuser is used for set-up only.
const (
	superuser = "hotline_super"
	owner     = "hotline_owner"
	app       = "hotline"
	database  = "hotline"
)

// maxSocketPath leaves room for "/.s.PGSQL.5432" in the 107 bytes of sun_path.
const maxSocketPath = 90

// Options of Start.
type Options struct {
	Dir      string // the data folder of the whole installation; the server's files go to Dir/postgres
	Log      *slog.Logger
	Volatile bool              // tests: no fsync, small; a crash of the machine may lose data
	Settings map[string]string // further server settings
}

// Server is a running private PostgreSQL.
type Server struct {
	Dir    string // where the data really is
	socket string
	log    *slog.Logger

	stop   sync.Once
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
	output *tail
}

// Start finds the binaries, makes the cluster when the folder is empty, starts the server and waits until it answers.
// Errors (in words for the operator): no binaries installed; data of another major version; folder not usable; the server's own last words.
func Start(ctx context.Context, o Options) (*Server, error) {
	bin, major, err := find()
	if err != nil {
		return nil, err
	}
	who, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := prepare(o.Dir, who, o.Log)
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, log: o.Log, exited: make(chan struct{}), output: &tail{}}
	pgdata := filepath.Join(dir, "data")
	fresh, err := checkVersion(pgdata, bin, major)
	if err != nil {
		return nil, err
	}
	if fresh {
		if err := initdb(ctx, bin, pgdata, who, o.Volatile); err != nil {
			return nil, err
		}
	}
	if s.socket, err = socketDir(dir, who); err != nil {
		return nil, err
	}
	if err := awaitPrevious(ctx, pgdata); err != nil {
		return nil, err
	}
	if err := s.launch(bin, pgdata, who, o); err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	if err := s.bootstrap(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// URL is the application's address: a login that owns nothing.
func (s *Server) URL() string { return s.address(app, database) }

// OwnerURL is the address for migrations.
func (s *Server) OwnerURL() string { return s.address(owner, database) }

// AddressOf gives the address of another database on this server for one of the roles "app", "owner" or "super"; tests clone templates with it.
func (s *Server) AddressOf(role, db string) string {
	return s.address(map[string]string{"app": app, "owner": owner, "super": superuser}[role], db)
}

func (s *Server) address(user, db string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&user=%s", url.PathEscape(db), url.QueryEscape(s.socket), user)
}

// Exited is closed when the server has ended, asked or not.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Stop shuts the server down (fast mode) and waits. It may be called twice.
func (s *Server) Stop() {
	s.stop.Do(func() {
		if s.cmd != nil && s.cmd.Process != nil {
			_ = s.cmd.Process.Signal(syscall.SIGINT) // an error means it has ended already
			select {
			case <-s.exited:
			case <-time.After(20 * time.Second):
				s.log.Warn("postgres did not stop in 20 s; asking it to stop at once")
				_ = s.cmd.Process.Signal(syscall.SIGQUIT)
			}
		}
	})
	if s.cmd != nil && s.cmd.Process != nil {
		<-s.exited
	}
}

func (s *Server) launch(bin, pgdata string, who *account, o Options) error {
	args := []string{"-D", pgdata, "-k", s.socket, "-c", "listen_addresses="}
	set := func(k, v string) { args = append(args, "-c", k+"="+v) }
	set("unix_socket_permissions", "0700")
	set("max_connections", "200")
	set("shared_buffers", "128MB")
	set("timezone", "UTC")
	set("log_timezone", "UTC")
	set("jit", "off") // short queries: planning a JIT costs more than it gives
	set("log_min_messages", "warning")
	set("log_statement", "none")
	set("log_min_error_statement", "panic") // statements may carry personal data: never into the log
	set("log_parameter_max_length", "0")
	set("wal_compression", "on")
	set("max_wal_size", "2GB")
	set("checkpoint_timeout", "15min")
	if o.Volatile {
		set("fsync", "off")
		set("synchronous_commit", "off")
		set("full_page_writes", "off")
		set("max_connections", "400")
		set("wal_level", "minimal")
		set("max_wal_senders", "0")
		set("wal_compression", "off")
		set("max_wal_size", "256MB")
	}
	for k, v := range o.Settings {
		set(k, v)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), args...)
	cmd.Dir = s.Dir
	cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.Stdout, cmd.Stderr = s.output, s.output
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	who.apply(attr)
	cmd.SysProcAttr = attr
	s.cmd = cmd
	started := make(chan error)
	go func() {
		// The parent-death signal fires when the starting *thread* ends: keep that thread until the server has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			close(s.exited)
			return
		}
		s.err = cmd.Wait()
		close(s.exited)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("private postgres: %w", err)
	}
	return nil
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second) // crash recovery after a kill may take a while
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.address(superuser, "postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.exited:
			return fmt.Errorf("private postgres in %s ended at start: %s", s.Dir, s.output.last())
		case <-ctx.Done():
			return fmt.Errorf("private postgres in %s does not answer: %w", s.Dir, err)
		case <-tick.C:
		}
	}
}

// bootstrap makes roles and database on the first start, and again does nothing.
func (s *Server) bootstrap(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.address(superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("private postgres: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `
		do $$ begin
			if not exists (select from pg_roles where rolname = 'hotline_owner') then create role hotline_owner login; end if;
			if not exists (select from pg_roles where rolname = 'hotline_app') then create role hotline_app nologin; end if;
			if not exists (select from pg_roles where rolname = 'hotline') then create role hotline login in role hotline_app; end if;
		end $$`)
	if err != nil {
		return fmt.Errorf("private postgres roles: %w", err)
	}
	var there bool
	if err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = 'hotline')`).Scan(&there); err != nil {
		return fmt.Errorf("private postgres: %w", err)
	}
	if !there {
		if _, err := conn.Exec(ctx, `create database hotline owner hotline_owner`); err != nil {
			return fmt.Errorf("private postgres database: %w", err)
		}
	}
	return nil
}

// tail keeps the last words of the server for an error message. The server logs no statements, so there is nothing personal in them.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if n := len(t.buf) - 4096; n > 0 {
		t.buf = append([]byte(nil), t.buf[n:]...)
	}
	return len(p), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.buf), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-4):], []byte(" | ")))
}

// find looks for the newest installed server binaries; those in the folder that HOTLINE_PG_BIN names are the only ones when it is set.
func find() (bin string, major int, err error) {
	if own := os.Getenv("HOTLINE_PG_BIN"); own != "" {
		if bin, major, err = newest([]string{own}); errors.Is(err, ErrMissing) {
			return "", 0, fmt.Errorf("no PostgreSQL server binaries (postgres and initdb) in %s, which HOTLINE_PG_BIN names", own)
		}
		return bin, major, err
	}
	var candidates []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin", "/usr/local/pgsql/bin"} {
		found, _ := filepath.Glob(pattern) // the patterns are constants: no error possible
		candidates = append(candidates, found...)
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		candidates = append(candidates, filepath.Dir(path))
	}
	return newest(candidates)
}

// newest gives the folder with the newest version, or ErrMissing.
func newest(candidates []string) (bin string, major int, err error) {
	for _, dir := range candidates {
		out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		fields := strings.Fields(string(out)) // "postgres (PostgreSQL) 15.18 (Debian …)"
		if len(fields) < 3 {
			continue
		}
		n, err := strconv.Atoi(strings.SplitN(fields[2], ".", 2)[0])
		if err == nil && n > major {
			bin, major = dir, n
		}
	}
	if bin == "" {
		return "", 0, ErrMissing
	}
	if major < 14 {
		return "", 0, fmt.Errorf("PostgreSQL %d in %s is too old; hotline needs 14 or newer", major, bin)
	}
	return bin, major, nil
}

// ErrMissing: no server binaries are installed; the words say what to install.
var ErrMissing = errors.New(`no PostgreSQL server binaries found. Install them, or point HOTLINE_DATABASE_URL at a server you have:
  Debian, Ubuntu:  apt-get install postgresql        (hotline uses the binaries only and starts its own server)
  Fedora, RHEL:    dnf install postgresql-server
  Alpine:          apk add postgresql
  macOS:           brew install postgresql
or name their folder in HOTLINE_PG_BIN`)
