package bench

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/app"
	"hotline/internal/bus"
	"hotline/internal/config"
	"hotline/internal/db"
	"hotline/internal/db/privatepg"
)

// acrossNodes is readers on an installation of two: staff write on one node, and the sockets are open to the other, which is a process of its own and hears of messages over NATS.
func acrossNodes(ctx context.Context, o Options) (r Reading, err error) {
	if err := files(uint64(o.Sockets) + 512); err != nil { // of the other node too, which inherits it
		return r, err
	}
	dir, err := os.MkdirTemp("", "hotline-nodes-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // the database's user must reach it
		return r, err
	}
	pg, err := privatepg.Start(ctx, privatepg.Options{Dir: filepath.Join(dir, "pg"), Log: o.Log})
	if err != nil {
		return r, err
	}
	defer pg.Stop()
	if err := db.Migrate(ctx, pg.OwnerURL(), o.Log); err != nil {
		return r, err
	}
	nats, stop, err := bus.Serve()
	if err != nil {
		return r, err
	}
	defer stop()
	environ := func(node string) []string {
		return []string{"HOTLINE_ADDR=127.0.0.1:0", "HOTLINE_DATA=" + filepath.Join(dir, node), "HOTLINE_DATABASE_URL=" + pg.URL(), "HOTLINE_NATS_URL=" + nats,
			"HOTLINE_FILES=" + filepath.Join(dir, "files"), "HOTLINE_KEY_FILE=" + filepath.Join(dir, "secret.key")}
	}
	cfg, err := config.Parse(environ("one"))
	if err != nil {
		return r, err
	}
	one, err := app.Start(ctx, cfg, app.Options{Log: o.Log, Demo: true, NoLimits: true})
	if err != nil {
		return r, err
	}
	defer one.Stop(context.WithoutCancel(ctx))
	owner, err := pgxpool.New(ctx, pg.OwnerURL())
	if err != nil {
		return r, err
	}
	defer owner.Close()

	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	inner, cancel := context.WithCancel(ctx)
	two := exec.CommandContext(inner, self, "demo")
	two.Env = append(os.Environ(), environ("two")...)
	two.Cancel = func() error { return two.Process.Signal(syscall.SIGTERM) }
	two.WaitDelay = 30 * time.Second
	pipe, err := two.StdoutPipe()
	if err != nil {
		cancel()
		return r, err
	}
	if err := two.Start(); err != nil {
		cancel()
		return r, err
	}
	defer func() { cancel(); _ = two.Wait() }() // ended by our own signal
	address, err := awaitAddress(pipe)
	if err != nil {
		return r, err
	}
	b := &bed{o: o, app: one, owner: owner}
	return b.readers(ctx, address)
}
