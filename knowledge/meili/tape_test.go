package meili_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Exchanges with a real server are kept in testdata, one file for each test. Replay is strict: a request that was not recorded with the same method,
// path and body fails the test, and so does a recorded one that is not asked for any more. Requests that are the same get the recorded answers in their order;
// different ones may come in any order, as some tests send several at once.
//
// To record again: HOTLINE_TEST_MEILI_URL=… HOTLINE_TEST_MEILI_KEY=… HOTLINE_RECORD=1 go test ./knowledge/meili
type exchange struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"` // or the hash of a long one
	Status int             `json:"status"`
	Answer json.RawMessage `json:"answer,omitempty"`
}

func (e exchange) key() string { return e.Method + " " + e.Path + " " + string(e.Body) }

// longBody is where a recording keeps a body's hash in place of it.
const longBody = 2000

func brief(body []byte) json.RawMessage {
	var flat bytes.Buffer
	if len(body) == 0 {
		return nil
	}
	if json.Compact(&flat, body) != nil {
		return json.RawMessage(fmt.Sprintf("%q", body))
	}
	if flat.Len() <= longBody {
		return flat.Bytes()
	}
	sum := sha256.Sum256(flat.Bytes())
	return json.RawMessage(fmt.Sprintf(`"sha256 %s of %d bytes"`, hex.EncodeToString(sum[:]), flat.Len()))
}

func (e *exchange) request(r *http.Request) error {
	e.Method, e.Path = r.Method, r.URL.RequestURI()
	if r.Body == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	e.Body = brief(body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

func tapeFile(t *testing.T) string {
	return filepath.Join("testdata", strings.ReplaceAll(t.Name(), "/", "-")+".jsonl")
}

// recorder passes requests on and writes down what came of them.
type recorder struct {
	mu      sync.Mutex
	tape    []exchange
	stopped bool
}

// stop ends the recording: what clears up afterwards is not part of it.
func (r *recorder) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

func record(t *testing.T) *recorder {
	r := &recorder{}
	t.Cleanup(func() {
		var out bytes.Buffer
		for _, e := range r.tape {
			line, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(append(line, '\n'))
		}
		if err := os.WriteFile(tapeFile(t), out.Bytes(), 0o600); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var e exchange
	if err := e.request(req); err != nil {
		return nil, err
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	e.Status, e.Answer = resp.StatusCode, brief(answer)
	if bytes.HasPrefix(e.Answer, []byte(`"sha256`)) {
		e.Answer = answer
	}
	r.mu.Lock()
	// How often an unfinished task is asked after depends on the machine; the recording has the end alone.
	waits := bytes.Contains(answer, []byte(`"status":"enqueued"`)) || bytes.Contains(answer, []byte(`"status":"processing"`))
	if !r.stopped && !(waits && strings.HasPrefix(e.Path, "/tasks/")) {
		r.tape = append(r.tape, e)
	}
	r.mu.Unlock()
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return resp, nil
}

// player answers from a recording.
type player struct {
	t    *testing.T
	mu   sync.Mutex
	tape map[string][]exchange
}

func replay(t *testing.T) *player {
	t.Helper()
	raw, err := os.ReadFile(tapeFile(t))
	if err != nil {
		t.Fatalf("no recording: %v", err)
	}
	p := &player{t: t, tape: map[string][]exchange{}}
	for line := range bytes.Lines(raw) {
		var e exchange
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", tapeFile(t), err)
		}
		p.tape[e.key()] = append(p.tape[e.key()], e)
	}
	t.Cleanup(func() {
		for _, left := range p.tape {
			for _, e := range left {
				t.Errorf("recorded and not asked for: %s", e.key())
			}
		}
	})
	return p
}

func (p *player) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	var e exchange
	if err := e.request(req); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.tape[e.key()]
	if len(known) == 0 {
		p.t.Errorf("not recorded: %s", e.key())
		return nil, fmt.Errorf("not recorded: %s %s", e.Method, e.Path)
	}
	e, p.tape[e.key()] = known[0], known[1:]
	return &http.Response{StatusCode: e.Status, Status: http.StatusText(e.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(e.Answer)), ContentLength: int64(len(e.Answer))}, nil
}
