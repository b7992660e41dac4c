package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/hub"
	"hotline/chat/hub/client"
	"hotline/internal/db"
)

// Reading is how long a message of staff takes to the citizen's open socket, commit included.
type Reading struct {
	Load
	Sockets int `json:"sockets"`
	Sent    int `json:"sent"`
}

// readPerSecond is the rate of the budget.
const readPerSecond = 500

// audience is what the process with the sockets is asked to do: open one for each token, say "ready", and tell at the end of its input how
// long messages took. A message's text is the time at which it was sent.
type audience struct {
	URL    string   `json:"url"`
	Tokens []string `json:"tokens"`
}

// Listen is the other end of readers.
func Listen(ctx context.Context, in io.Reader, out io.Writer) error {
	var a audience
	dec := json.NewDecoder(in)
	if err := dec.Decode(&a); err != nil {
		return fmt.Errorf("bench sockets: %w", err)
	}
	if err := files(uint64(len(a.Tokens)) + 256); err != nil {
		return err
	}
	var mu sync.Mutex
	var took []time.Duration
	open := make(chan string)
	failed := make(chan error, 1)
	var opening sync.WaitGroup
	for range 32 {
		opening.Go(func() {
			for token := range open {
				c, err := client.Dial(ctx, client.Options{URL: a.URL, Site: "portal", Lang: "en", Token: token, After: 1})
				if err != nil {
					select {
					case failed <- err:
					default: // one is enough
					}
					continue
				}
				go func() {
					for m := range c.Messages() {
						at := time.Now().UnixNano()
						if sent, err := strconv.ParseInt(m.Text, 10, 64); err == nil {
							mu.Lock()
							took = append(took, time.Duration(at-sent))
							mu.Unlock()
						}
					}
				}()
			}
		})
	}
	for _, token := range a.Tokens {
		open <- token
	}
	close(open)
	opening.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("bench sockets: %w", err)
	default:
	}
	fmt.Fprintln(out, "ready")
	_, _ = io.Copy(io.Discard, in) // its end is the signal
	mu.Lock()
	defer mu.Unlock()
	return json.NewEncoder(out).Encode(summary(took, time.Second))
}

// readers opens conversations that a person holds, each with its socket in another process to the node at address, and lets staff write into them on b's own node at the budget's rate.
func (b *bed) readers(ctx context.Context, address string) (r Reading, err error) {
	if err := files(uint64(b.o.Sockets) + 512); err != nil {
		return r, err
	}
	a := audience{URL: "ws" + strings.TrimPrefix(address, "http") + "/chat/v1/socket", Tokens: make([]string, b.o.Sockets)}
	ids := make([]uuid.UUID, b.o.Sockets)
	for i := range ids {
		a.Tokens[i] = hub.NewToken()
		thread, _ := hub.Thread(a.Tokens[i])
		got, err := b.app.Chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "portal", Thread: thread, ExternalID: "1", Text: "Hello", Lang: "en"})
		if err != nil {
			return r, err
		}
		ids[i] = got.ConversationID
		if _, err := b.owner.Exec(ctx, `update conversations set holder = 'staff', turn_due_at = null where id = $1`, ids[i]); err != nil {
			return r, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "--listen")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return r, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, err
	}
	defer func() { _ = in.Close(); err = errors.Join(err, cmd.Wait()) }()
	if err := json.NewEncoder(in).Encode(a); err != nil {
		return r, err
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || line != "ready\n" {
		return r, fmt.Errorf("the process with the sockets says %q: %w", line, err)
	}
	sent, elapsed, err := b.write(ctx, ids)
	if err != nil {
		return r, err
	}
	time.Sleep(2 * time.Second) // the last ones are under way: what has not come by then is missing from N
	if err := in.Close(); err != nil {
		return r, err
	}
	if err := json.NewDecoder(lines).Decode(&r.Load); err != nil {
		return r, err
	}
	r.Sockets, r.Sent, r.PerSecond = b.o.Sockets, sent, float64(sent)/elapsed.Seconds()
	return r, nil
}

// write posts at a steady rate, whether or not the messages before have arrived.
func (b *bed) write(ctx context.Context, ids []uuid.UUID) (sent int, elapsed time.Duration, err error) {
	work := make(chan uuid.UUID, 1024)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range b.o.Clients {
		wg.Go(func() {
			for id := range work {
				_, postErr := b.app.Chat.Post(ctx, db.System(), id, chat.Outgoing{Author: chat.ByStaff, Text: strconv.FormatInt(time.Now().UnixNano(), 10)})
				mu.Lock()
				if postErr != nil {
					err = postErr
				} else {
					sent++
				}
				mu.Unlock()
			}
		})
	}
	start := time.Now()
	for i := 0; ; i++ {
		due := start.Add(time.Duration(i) * time.Second / readPerSecond)
		if due.Sub(start) >= b.o.Length {
			break
		}
		time.Sleep(time.Until(due)) // the rate is what is asked for
		work <- ids[i%len(ids)]
	}
	close(work)
	wg.Wait()
	return sent, time.Since(start), err
}
