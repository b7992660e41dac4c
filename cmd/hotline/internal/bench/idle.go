package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
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
	KiB     float64 `json:"kib_each"` // growth of the server's heap and stacks in use
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
	// A small GOGC keeps what is garbage out of the figure; resident memory would hide the sockets in what start-up has freed.
	node.Env = append(os.Environ(), "GOGC=10")
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
	before, err := settle(ctx, address)
	if err != nil {
		return out, err
	}
	crowd, err := open(o.Sockets)
	defer closeAll(crowd)
	if err != nil {
		return out, err
	}
	after, err := settle(ctx, address)
	if err != nil {
		return out, err
	}
	return Idle{Sockets: o.Sockets, KiB: (after - before) / float64(o.Sockets)}, nil
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

// settle waits until the memory in use has stopped moving, and gives the least of the last readings in KiB.
func settle(ctx context.Context, address string) (float64, error) {
	least := 0.0
	for i := range 12 {
		kib, err := inUse(ctx, address)
		if err != nil {
			return 0, err
		}
		if i == 0 || kib < least {
			least = kib
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return least, nil
}

// inUse reads heap and stacks in use from the node's own figures.
func inUse(ctx context.Context, address string) (kib float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines, found := bufio.NewScanner(resp.Body), 0
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if name != "go_memstats_heap_inuse_bytes" && name != "go_memstats_stack_inuse_bytes" {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, err
		}
		kib += n / 1024
		found++
	}
	if found != 2 {
		return 0, errors.New("the node's figures have no heap and stacks")
	}
	return kib, lines.Err()
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
