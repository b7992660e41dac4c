package privatepg

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// account is the unprivileged user a root process runs the server as; nil for everybody else.
type account struct {
	name     string
	uid, gid int
}

func (a *account) apply(attr *syscall.SysProcAttr) {
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid), NoSetGroups: false}
	}
}

func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

func serverUser() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil {
			return &account{name: name, uid: uid, gid: gid}, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL refuses to run as root, and neither the user postgres nor nobody exists here; start hotline as an ordinary user")
}

// prepare makes the server's folder. Where the server's user cannot reach the wished one (a root home), a reachable folder under
// /var/lib/hotline is used and a file in the wished folder names it, so that the next start finds the same data.
func prepare(base string, who *account, log *slog.Logger) (string, error) {
	base, err := filepath.Abs(base)
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	dir := filepath.Join(base, "postgres")
	pointer := filepath.Join(base, "postgres.moved-to")
	if text, err := os.ReadFile(pointer); err == nil {
		dir = strings.TrimSpace(string(text))
	} else if who != nil && !reachable(base, who) {
		h := fnv.New64a()
		h.Write([]byte(base))
		dir = filepath.Join("/var/lib/hotline", fmt.Sprintf("%016x", h.Sum64()), "postgres")
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return "", fmt.Errorf("data folder: %w", err)
		}
		if err := os.WriteFile(pointer, []byte(dir+"\n"), 0o644); err != nil {
			return "", fmt.Errorf("data folder: %w", err)
		}
		log.Warn("the database user cannot reach the data folder; the database lives elsewhere", "wanted", base, "used", dir, "user", who.name)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if err := who.own(dir); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return dir, nil
}

// Running gives the application's address of the server that another process runs in a data folder, if one does: commands such as
// an import work beside a running node.
func Running(base string) (url string, ok bool) {
	base, err := filepath.Abs(base)
	if err != nil {
		return "", false
	}
	dir := filepath.Join(base, "postgres")
	if text, err := os.ReadFile(filepath.Join(base, "postgres.moved-to")); err == nil {
		dir = strings.TrimSpace(string(text))
	}
	s := &Server{Dir: dir, socket: socketPath(dir)}
	if _, err := os.Stat(filepath.Join(s.socket, ".s.PGSQL.5432")); err != nil {
		return "", false
	}
	return s.URL(), true
}

// reachable reports whether every folder on the way may be searched by the account.
func reachable(path string, who *account) bool {
	for p := path; ; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err != nil {
			return false
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return false
		}
		mode := info.Mode().Perm()
		switch {
		case int(st.Uid) == who.uid && mode&0o100 != 0:
		case int(st.Gid) == who.gid && mode&0o010 != 0:
		case mode&0o001 != 0:
		default:
			return false
		}
		if p == filepath.Dir(p) {
			return true
		}
	}
}

// checkVersion reports whether the cluster must be made. Data of another major version stops the start with the way out.
func checkVersion(pgdata, bin string, major int) (fresh bool, err error) {
	text, err := os.ReadFile(filepath.Join(pgdata, "PG_VERSION"))
	if os.IsNotExist(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("data folder: %w", err)
	}
	have := strings.TrimSpace(string(text))
	if have == strconv.Itoa(major) {
		return false, nil
	}
	return false, fmt.Errorf(`the data in %[1]s was written by PostgreSQL %[2]s, and the newest installed here is %[3]d. Upgrade it once, as the user who owns it:
  apt-get install postgresql-%[2]s
  %[4]s/initdb -D %[1]s.new --username=%[5]s --auth=trust --encoding=UTF8 --locale=C.UTF-8
  %[4]s/pg_upgrade -b /usr/lib/postgresql/%[2]s/bin -B %[4]s -d %[1]s -D %[1]s.new -U %[5]s
  mv %[1]s %[1]s.%[2]s && mv %[1]s.new %[1]s
or keep using %[2]s: HOTLINE_PG_BIN=/usr/lib/postgresql/%[2]s/bin`, pgdata, have, major, bin, superuser)
}

func initdb(ctx context.Context, bin, pgdata string, who *account, volatile bool) error {
	// Made beside and renamed when complete: a kill in the middle leaves nothing that looks like a cluster.
	half := pgdata + ".new"
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("initdb: %w", err)
	}
	args := []string{"-D", half, "--username=" + superuser, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"}
	if volatile {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), args...)
	cmd.Dir = filepath.Dir(pgdata)
	cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	attr := &syscall.SysProcAttr{}
	who.apply(attr)
	cmd.SysProcAttr = attr
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w: %s", pgdata, err, strings.TrimSpace(string(out)))
	}
	if err := os.Rename(half, pgdata); err != nil {
		return fmt.Errorf("initdb: %w", err)
	}
	return nil
}

func socketPath(dir string) string {
	socket := filepath.Join(dir, "run")
	if len(socket) > maxSocketPath {
		h := fnv.New64a()
		h.Write([]byte(dir))
		socket = filepath.Join(os.TempDir(), fmt.Sprintf("hotline-%d-%016x", os.Geteuid(), h.Sum64()))
	}
	return socket
}

// socketDir is inside the data folder where its path is short enough, else in the temporary folder under a name made from the path.
func socketDir(dir string, who *account) (string, error) {
	socket := socketPath(dir)
	if err := os.MkdirAll(socket, 0o700); err != nil {
		return "", fmt.Errorf("socket folder: %w", err)
	}
	info, err := os.Lstat(socket)
	if err != nil {
		return "", fmt.Errorf("socket folder: %w", err)
	}
	// In a shared temporary folder somebody else could have made the name first.
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || (int(st.Uid) != os.Geteuid() && (who == nil || int(st.Uid) != who.uid)) {
		return "", fmt.Errorf("socket folder %s belongs to someone else; remove it", socket)
	}
	if err := os.Chmod(socket, 0o700); err != nil {
		return "", fmt.Errorf("socket folder: %w", err)
	}
	if err := who.own(socket); err != nil {
		return "", fmt.Errorf("socket folder: %w", err)
	}
	return socket, nil
}

// awaitPrevious waits for the server of a process that was killed: it got its parent-death signal and is shutting down.
func awaitPrevious(ctx context.Context, pgdata string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(filepath.Join(pgdata, "postmaster.pid"))
		if err != nil {
			return nil // none, or gone
		}
		line, _, _ := strings.Cut(string(text), "\n")
		pid, err := strconv.Atoi(line)
		if err != nil || !isPostgres(pid) {
			return nil // stale after a crash of the machine: the server itself checks once more
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("a PostgreSQL (process %d) still runs on %s: is another hotline using this data folder?", pid, pgdata)
		case <-tick.C:
		}
	}
}

func isPostgres(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return false
	}
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return err != nil || strings.HasPrefix(string(comm), "postgres") // without /proc: believe it
}
