package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/google/uuid"
)

// job is what a generator of HTTP load is asked to do. It is a process of its own, so that its memory and CPU are not the node's.
type job struct {
	URL     string        `json:"url"`
	Key     string        `json:"key"`
	Body    string        `json:"body"`
	Clients int           `json:"clients"`
	Length  time.Duration `json:"length"`
}

// done is its answer.
type done struct {
	Load Load    `json:"load"`
	CPU  float64 `json:"cpu_seconds"`
}

// Generate is the other end of generate: it reads a job and writes what came of it.
func Generate(ctx context.Context, in io.Reader, out io.Writer) error {
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return fmt.Errorf("bench generator: %w", err)
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: j.Clients}}
	load, err := run(ctx, j.Clients, j.Length, func(ctx context.Context, _, _ int) error {
		_, err := post(ctx, client, j.URL, j.Key, j.Body)
		return err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(done{Load: load, CPU: ownCPU()})
}

// generate runs a job in a process of its own.
func generate(ctx context.Context, j job) (done, error) {
	self, err := os.Executable()
	if err != nil {
		return done{}, err
	}
	in, err := json.Marshal(j)
	if err != nil {
		return done{}, err
	}
	var out, words bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "bench", "--generate")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &words
	if err := cmd.Run(); err != nil {
		return done{}, fmt.Errorf("bench generator: %w: %s", err, bytes.TrimSpace(words.Bytes()))
	}
	var d done
	return d, json.Unmarshal(out.Bytes(), &d)
}

// citizen stands in a body for a telephone number of its own: a city's filings come from many people, and one who files thousands makes repeats of them all.
const citizen = "{citizen}"

func post(ctx context.Context, client *http.Client, url, key, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(strings.Replace(body, citizen, fmt.Sprintf("555-%010d", rand.Uint64N(1e10)), 1)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", uuid.NewString())
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("POST %s: %s: %s", url, resp.Status, answer)
	}
	return answer, err
}
