package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/chat/hub"
	"hotline/internal/config"
	"hotline/internal/db"
	"hotline/internal/db/privatepg"
	"hotline/internal/testkit"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func mustConfig(t *testing.T, environ ...string) config.Config {
	t.Helper()
	cfg, err := config.Parse(environ)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// process is a node of its own that can be killed.
type process struct {
	cmd *exec.Cmd
	url string
}

func spawn(t *testing.T, dir, addr string, env ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(append(os.Environ(), asNode+"=1", "HOTLINE_DATA="+dir, "HOTLINE_ADDR="+addr), env...)
	cmd.Stderr = testWriter{t}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the node ended at start: %v", err)
	}
	return &process{cmd: cmd, url: strings.TrimSpace(line)}
}

// kill ends the process as a power cut would; its PostgreSQL gets the signal of its parent's death.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // "signal: killed" is what was asked for
}

// sent is a message that the server acknowledged.
type sent struct {
	thread, ref  string
	conversation uuid.UUID
	seq          int64
}

// TestKilledServerLosesAndDoublesNothing kills the server again and again under clients that repeat every message until it is
// acknowledged, and then counts.
func TestKilledServerLosesAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a server for half a minute")
	}
	const clients, each, perConversation, maxKills = 16, 320, 5, 5 // 5,120 messages
	dir, addr := testkit.DataFolder(t), freeAddress(t)
	node := spawn(t, dir, addr)
	web := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	var mu sync.Mutex
	var acked []sent
	var retries, finished atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			defer finished.Add(1)
			token := ""
			for i := range each {
				if i%perConversation == 0 {
					token = hub.NewToken()
				}
				thread, _ := hub.Thread(token)
				m := sent{thread: thread, ref: uuid.NewString()}
				for attempt := 0; ; attempt++ {
					ok, err := post(t.Context(), web, "http://"+addr, token, &m, fmt.Sprintf("message %d of this client", i))
					if err == nil && ok {
						break
					}
					retries.Add(1)
					if attempt > 600 {
						t.Errorf("message not taken after %d attempts: %v", attempt, err)
						return
					}
					wait(t.Context(), 50*time.Millisecond)
				}
				mu.Lock()
				acked = append(acked, m)
				mu.Unlock()
				if i%10 == 9 { // a client that did not hear the answer sends the same again
					again := m
					if ok, err := post(t.Context(), web, "http://"+addr, token, &again, fmt.Sprintf("message %d of this client", i)); err == nil && ok && again != m {
						t.Errorf("a repeated message was answered %+v, first %+v", again, m)
					}
				}
			}
		})
	}
	kills := 0
	for finished.Load() < clients && kills < maxKills {
		wait(t.Context(), 1500*time.Millisecond+rand.N(2*time.Second))
		if finished.Load() == clients && kills > 0 {
			break
		}
		node.kill()
		kills++
		node = spawn(t, dir, addr)
	}
	wg.Wait()
	t.Logf("%d messages acknowledged, %d kills, %d attempts without an answer", len(acked), kills, retries.Load())
	if kills < 2 {
		t.Errorf("only %d kills fell into the intake", kills)
	}
	url, ok := privatepg.Running(dir)
	if !ok {
		t.Fatal("the node runs without its database")
	}
	countAfterKills(t, url, acked)
	node.kill()
}

// wait20ms is the pace of polls for what has no signal across processes.
const wait20ms = 20 * time.Millisecond

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func post(ctx context.Context, web *http.Client, url, token string, m *sent, text string) (bool, error) {
	body, err := json.Marshal(map[string]string{"ref": m.ref, "text": text})
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/chat/v1/messages?site=portal&lang=en", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := web.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%d %s %w", resp.StatusCode, raw, err)
	}
	var ack struct {
		Conversation uuid.UUID `json:"conversation"`
		Seq          int64     `json:"seq"`
	}
	if err := json.Unmarshal(raw, &ack); err != nil {
		return false, err
	}
	m.conversation, m.seq = ack.Conversation, ack.Seq
	return true, nil
}

func countAfterKills(t *testing.T, url string, acked []sent) {
	t.Helper()
	pool, err := db.Open(t.Context(), url, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	count := func(what, sql string, want int64) {
		t.Helper()
		var n int64
		err := db.ReadTx(t.Context(), pool, db.System(), func(tx db.Tx) error { return tx.QueryRow(t.Context(), sql).Scan(&n) })
		if err != nil || n != want {
			t.Errorf("%s: %d, want %d, %v", what, n, want, err)
		}
	}
	count("messages of citizens (acknowledged ones, each exactly once)", `select count(*) from messages where author = 'citizen'`, int64(len(acked)))
	count("conversations without a message", `select count(*) from conversations c where not exists (select from messages m where m.conversation_id = c.id)`, 0)
	count("conversations with a gap in seq", `select count(*) from (select c.id from conversations c join messages m on m.conversation_id = c.id group by c.id, c.last_seq having count(*) <> c.last_seq or max(m.seq) <> c.last_seq) x`, 0)
	count("receipts that name no message", `select count(*) from receipts r where channel = 'web' and not exists (select from messages m where m.conversation_id = r.conversation_id and m.seq = r.seq)`, 0)
	lost := 0
	err = db.ReadTx(t.Context(), pool, db.System(), func(tx db.Tx) error {
		for _, m := range acked {
			var n int
			if err := tx.QueryRow(t.Context(), `select count(*) from receipts r join messages m on m.conversation_id = r.conversation_id and m.seq = r.seq
				where r.channel = 'web' and r.account = 'portal' and r.thread = $1 and r.external_id = $2 and r.conversation_id = $3 and r.seq = $4 and m.author = 'citizen'`,
				m.thread, m.ref, m.conversation, m.seq).Scan(&n); err != nil {
				return err
			}
			if n != 1 {
				lost++
			}
		}
		return nil
	})
	if err != nil || lost > 0 {
		t.Errorf("%d acknowledged messages are not where their receipt says, %v", lost, err)
	}
	// What the killed processes owed is done by the one that lives: every conversation gets its answer.
	deadline := time.Now().Add(90 * time.Second)
	for {
		var open int
		err := db.ReadTx(t.Context(), pool, db.System(), func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `select count(*) from conversations where holder = 'bot' and turn_due_at is not null`).Scan(&open)
		})
		if err != nil {
			t.Fatal(err)
		}
		if open == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d conversations were never answered", open)
		}
		wait(t.Context(), 100*time.Millisecond)
	}
	count("conversations whose last word is not the hotline's", `select count(*) from conversations c join messages m on m.conversation_id = c.id and m.seq = c.last_seq where m.author = 'citizen' and c.holder = 'bot'`, 0)
}
