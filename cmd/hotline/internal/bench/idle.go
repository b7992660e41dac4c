package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"hotline/chat/hub/client"
	"hotline/internal/db/privatepg"
)

// Idle is what an open chat costs the server when nothing happens in it.
type Idle struct {
	Sockets int     `json:"sockets"`
	KiB     float64 `json:"kib_each"` // growth of the server's resident memory
}

// idle starts a node as a process of its own, so that the clients' memory is not in the figure, and opens sockets of conversations in which a
// citizen has said hello.
func idle(ctx context.Context, o Options) (out Idle, err error) {
	if err := files(uint64(o.Sockets) + 512); err != nil {
		return out, err
	}
	dir, err := os.MkdirTemp("", "hotline-idle-")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return out, err
	}
	self, err := os.Executable()
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	node := exec.CommandContext(ctx, self, "demo", "--addr", "127.0.0.1:0", "--data", dir)
	node.Cancel = func() error { return node.Process.Signal(syscall.SIGTERM) }
	node.WaitDelay = 30 * time.Second
	pipe, err := node.StdoutPipe()
	if err != nil {
		return out, err
	}
	if err := node.Start(); err != nil {
		return out, err
	}
	defer func() { cancel(); _ = node.Wait() }() // ended by our own signal
	address, err := awaitAddress(pipe)
	if err != nil {
		return out, err
	}
	if _, running := privatepg.Running(dir); !running {
		return out, errors.New("the node runs without its database")
	}
	// The first hundred warm pools and code up.
	open := func(n int) ([]*client.Client, error) {
		var all []*client.Client
		for range n {
			c, err := client.Dial(ctx, client.Options{URL: "ws" + strings.TrimPrefix(address, "http") + "/chat/v1/socket", Site: "portal", Lang: "en"})
			if err != nil {
				return all, err
			}
			all = append(all, c)
			if len(all)%50 == 0 { // some conversations exist, most visitors only look
				if _, err := c.Send(ctx, client.Out{Ref: uuid.NewString(), Text: "Hello"}); err != nil {
					return all, err
				}
			}
		}
		return all, nil
	}
	warm, err := open(100)
	defer closeAll(warm)
	if err != nil {
		return out, err
	}
	before, err := settle(ctx, node.Process.Pid)
	if err != nil {
		return out, err
	}
	crowd, err := open(o.Sockets)
	defer closeAll(crowd)
	if err != nil {
		return out, err
	}
	after, err := settle(ctx, node.Process.Pid)
	if err != nil {
		return out, err
	}
	return Idle{Sockets: o.Sockets, KiB: float64(after-before) / float64(o.Sockets)}, nil
}

func closeAll(all []*client.Client) {
	for _, c := range all {
		c.Close()
	}
}

func awaitAddress(r interface{ Read([]byte) (int, error) }) (string, error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		for word := range strings.FieldsSeq(lines.Text()) {
			if strings.HasPrefix(word, "http://") {
				go func() { // keeps the pipe empty
					for lines.Scan() {
					}
				}()
				return word, nil
			}
		}
	}
	return "", errors.New("the node ended before it served")
}

// settle waits until the resident memory has stopped moving, and gives it in KiB. The collector of an idle node runs every two minutes by
// itself, so what was garbage is partly in the figure: it is what an operator sees.
func settle(ctx context.Context, pid int) (kib int64, err error) {
	last := int64(-1)
	for range 40 {
		if kib, err = resident(pid); err != nil {
			return 0, err
		}
		if last >= 0 && abs(kib-last) < 64 {
			return kib, nil
		}
		last = kib
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return kib, nil
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		}
	}
	return 0, errors.New("no VmRSS")
}

// files raises the limit of open files, of this process and of the node it starts.
func files(n uint64) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	if l.Cur >= n {
		return nil
	}
	if l.Max < n {
		return fmt.Errorf("only %d files may be open here; run: ulimit -n %d", l.Max, n)
	}
	l.Cur = n
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}
