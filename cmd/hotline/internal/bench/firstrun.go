package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hotline/chat/hub/client"
)

// First is what somebody meets who tries hotline for the first time.
type First struct {
	Serves float64 `json:"serves_seconds"` // from the start of the process to its address
	Answer float64 `json:"answer_seconds"` // to the bot's first answer to a question
	MiB    float64 `json:"resident_mib"`   // of the node at rest, without its PostgreSQL
}

// rest is how long a node is left alone before its memory is read: it learns its categories after the start, and gives memory back slowly.
const rest = 45 * time.Second

// firstRun starts the demo city in an empty folder and asks a question.
func firstRun(ctx context.Context) (f First, err error) {
	dir, err := os.MkdirTemp("", "hotline-first-")
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // the database's user must reach it
		return f, err
	}
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := time.Now()
	node := exec.CommandContext(ctx, self, "demo", "--addr", "127.0.0.1:0", "--data", dir)
	node.Cancel = func() error { return node.Process.Signal(syscall.SIGTERM) }
	node.WaitDelay = 30 * time.Second
	pipe, err := node.StdoutPipe()
	if err != nil {
		return f, err
	}
	if err := node.Start(); err != nil {
		return f, err
	}
	defer func() { cancel(); _ = node.Wait() }() // ended by our own signal
	address, err := awaitAddress(pipe)
	if err != nil {
		return f, err
	}
	f.Serves = time.Since(start).Seconds()
	c, err := client.Dial(ctx, client.Options{URL: "ws" + strings.TrimPrefix(address, "http") + "/chat/v1/socket", Site: "portal", Lang: "en"})
	if err != nil {
		return f, err
	}
	defer c.Close()
	if _, err := c.Send(ctx, client.Out{Text: questions[0].text}); err != nil {
		return f, err
	}
	for m := range c.Messages() {
		if m.Author == "bot" && len(m.Payload.Citations) > 0 {
			f.Answer = time.Since(start).Seconds()
			break
		}
		if m.Author == "bot" {
			return f, fmt.Errorf("the first question is not answered: %q", m.Text)
		}
	}
	select {
	case <-ctx.Done():
		return f, ctx.Err()
	case <-time.After(rest):
	}
	f.MiB, err = resident(node.Process.Pid)
	return f, err
}

// resident reads a process's resident memory in MiB.
func resident(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib / 1024, err
		}
	}
	return 0, errors.New("no VmRSS in /proc")
}
