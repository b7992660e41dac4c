// Package llmtest is a strict fake of an OpenAI-compatible endpoint with the faults that real ones have.
//
// It is written from the vendor's API reference: "Chat → Create chat completion" and "The chat completion chunk object" (streaming),
// "Embeddings → Create embeddings", the guides "Structured outputs → Supported schemas" and "Error codes" of platform.openai.com/docs, and
// RFC 9110 for Retry-After. What the reference does not allow is refused with 400, so a client that sends it fails its test: an unknown
// field, a message without content, stream_options without stream, a strict schema that leaves a property out of "required" or does not
// close an object, a missing or wrong key.
package llmtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Key is the key that the server takes.
const Key = "sk-test-4d1f0c2b9a"

// Mode is how the server behaves for one request.
type Mode string

// The modes.
const (
	Fine        Mode = ""
	Hang        Mode = "hang"         // takes the request and says nothing
	RateLimited Mode = "rate"         // 429 with Retry-After: 1
	RateSoon    Mode = "rate_soon"    // 429 with retry-after-ms: 20
	NoQuota     Mode = "no_quota"     // 429 insufficient_quota
	ServerError Mode = "500"          // 500 with an error object
	Overloaded  Mode = "503"          // 503 without Retry-After
	HTML502     Mode = "html502"      // a proxy's page
	HTML200     Mode = "html200"      // a portal's login page
	BadKey      Mode = "401"          // 401 that repeats part of the key, as the vendor does
	BrokenJSON  Mode = "broken_json"  // 200 and half an object
	CutStream   Mode = "cut"          // the connection ends in the middle
	QuietEnd    Mode = "quiet_end"    // the stream ends in good order without finish_reason and [DONE]
	StreamError Mode = "stream_error" // an error object in the middle of the stream
	SlowBytes   Mode = "slow"         // a chunk every 50 ms
	Huge        Mode = "huge"         // more than any answer may have
	WrongSchema Mode = "wrong_schema" // JSON of another shape
	Invents     Mode = "invents"      // an answer with a citation of nothing
	Leaks       Mode = "leaks"        // repeats what it was told
	Declines    Mode = "declines"     // a refusal
	TooLong     Mode = "length"       // finish_reason length
	Redirects   Mode = "redirects"    // 307 to elsewhere
	OddVectors  Mode = "odd_vectors"  // vectors of several lengths
)

// Message is one of a request.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Chat is a request as the server read it.
type Chat struct {
	Model               string    `json:"model"`
	Messages            []Message `json:"messages"`
	MaxTokens           *int      `json:"max_tokens"`
	MaxCompletionTokens *int      `json:"max_completion_tokens"`
	Temperature         *float64  `json:"temperature"`
	Stream              bool      `json:"stream"`
	StreamOptions       *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	ResponseFormat *struct {
		Type       string `json:"type"`
		JSONSchema *struct {
			Name   string          `json:"name"`
			Strict bool            `json:"strict"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

// Said joins the texts of a role.
func (c Chat) Said(role string) string {
	var out []string
	for _, m := range c.Messages {
		if m.Role == role {
			out = append(out, m.Content)
		}
	}
	return strings.Join(out, "\n")
}

// Server is the endpoint. URL is its base, up to and without /chat/completions.
type Server struct {
	URL string

	t      testing.TB
	answer func(Chat) string
	mu     sync.Mutex
	next   []Mode
	always Mode
	piece  int
	bodies []string
	chats  []Chat
	hold   chan struct{}
	hung   chan struct{}
}

// Start begins to serve. answer says what the model would; nil echoes the last message.
func Start(t testing.TB, answer func(Chat) string) *Server {
	t.Helper()
	if answer == nil {
		answer = func(c Chat) string { return c.Messages[len(c.Messages)-1].Content }
	}
	s := &Server{t: t, answer: answer, piece: 3, hold: make(chan struct{}), hung: make(chan struct{}, 100)}
	srv := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() { close(s.hold); srv.Close() })
	s.URL = srv.URL + "/v1"
	return s
}

// Next sets how the next requests are served, one each.
func (s *Server) Next(modes ...Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, modes...)
}

// Hung receives once for each request that is left to hang.
func (s *Server) Hung() <-chan struct{} { return s.hung }

// Always sets how requests are served from now on.
func (s *Server) Always(m Mode) { s.mu.Lock(); defer s.mu.Unlock(); s.always, s.next = m, nil }

// Pieces sets how many characters a chunk of a stream has.
func (s *Server) Pieces(n int) { s.mu.Lock(); defer s.mu.Unlock(); s.piece = n }

// Chats gives the requests so far, also the ones that failed.
func (s *Server) Chats() []Chat { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.chats) }

// Received is everything that came in, headers apart: for looking for what must not have left.
func (s *Server) Received() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.bodies, "\n")
}

// Requests counts all requests.
func (s *Server) Requests() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.bodies) }

func (s *Server) take(body string) (Mode, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, body)
	m := s.always
	if len(s.next) > 0 {
		m, s.next = s.next[0], s.next[1:]
	}
	return m, s.piece
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
	if err != nil {
		return
	}
	mode, piece := s.take(string(raw))
	switch {
	case r.Method != http.MethodPost:
		refuse(w, 405, "invalid_request_error", "", "Not allowed to "+r.Method)
	case r.Header.Get("Authorization") != "Bearer "+Key || mode == BadKey:
		refuse(w, 401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-te*******2b9a.")
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		refuse(w, 415, "invalid_request_error", "", "Unsupported content type")
	case s.failed(w, r, mode):
	case r.URL.Path == "/v1/chat/completions":
		s.chat(w, r, raw, mode, piece)
	case r.URL.Path == "/v1/embeddings":
		s.embed(w, raw, mode)
	default:
		refuse(w, 404, "invalid_request_error", "", "Unknown request URL")
	}
}

// failed serves the modes that do not look at the request.
func (s *Server) failed(w http.ResponseWriter, r *http.Request, mode Mode) bool {
	switch mode {
	case Hang:
		select {
		case s.hung <- struct{}{}:
		default: // nobody counts
		}
		select {
		case <-r.Context().Done():
		case <-s.hold:
		}
	case RateLimited:
		w.Header().Set("Retry-After", "1")
		refuse(w, 429, "requests", "rate_limit_exceeded", "Rate limit reached for requests")
	case RateSoon:
		w.Header().Set("Retry-After", "1")
		w.Header().Set("retry-after-ms", "20")
		refuse(w, 429, "requests", "rate_limit_exceeded", "Rate limit reached for requests")
	case NoQuota:
		refuse(w, 429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota")
	case ServerError:
		refuse(w, 500, "server_error", "", "The server had an error while processing your request")
	case Overloaded:
		refuse(w, 503, "service_unavailable_error", "server_is_overloaded", "The engine is currently overloaded")
	case HTML502, HTML200:
		w.Header().Set("Content-Type", "text/html")
		if mode == HTML502 {
			w.WriteHeader(502)
		}
		_, _ = io.WriteString(w, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>")
	case Redirects:
		http.Redirect(w, r, "http://127.0.0.1:1/v1/chat/completions", http.StatusTemporaryRedirect)
	default:
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, kind, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": code}})
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request, raw []byte, mode Mode, piece int) {
	var c Chat
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		refuse(w, 400, "invalid_request_error", "", err.Error())
		return
	}
	if err := c.check(); err != nil {
		refuse(w, 400, "invalid_request_error", "", err.Error())
		return
	}
	s.mu.Lock()
	s.chats = append(s.chats, c)
	s.mu.Unlock()
	text, finish, refusal := "", "stop", ""
	switch mode {
	case WrongSchema:
		text = `{"unexpected": true}`
	case Invents:
		text = "The fee is 4711 euros [9]."
	case Leaks:
		text = c.Said("system")
	case Declines:
		refusal = "I'm sorry, I can't help with that."
	case Huge:
		text = strings.Repeat("all work and no play ", 400_000)
	default:
		text = s.answer(c)
	}
	if mode == TooLong {
		finish = "length"
		text = string([]rune(text)[:len([]rune(text))/2])
	}
	usage := map[string]int{"prompt_tokens": len(raw) / 4, "completion_tokens": len(text)/4 + 1, "total_tokens": len(raw)/4 + len(text)/4 + 1}
	if c.Stream {
		s.stream(w, r, c, text, finish, refusal, usage, mode, piece)
		return
	}
	message := map[string]any{"role": "assistant", "content": text, "refusal": nil}
	if refusal != "" {
		message["content"], message["refusal"] = nil, refusal
	}
	out, err := json.Marshal(map[string]any{"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": c.Model, "usage": usage,
		"choices": []any{map[string]any{"index": 0, "message": message, "logprobs": nil, "finish_reason": finish}}})
	if err != nil {
		s.t.Error(err)
		return
	}
	spoiled(w, out, mode)
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, c Chat, text, finish, refusal string, usage map[string]int, mode Mode, piece int) {
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(choices []any, u any) {
		m := map[string]any{"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": c.Model, "choices": choices}
		if c.StreamOptions != nil && c.StreamOptions.IncludeUsage {
			m["usage"] = u
		}
		out, err := json.Marshal(m)
		if err != nil {
			s.t.Error(err)
			return
		}
		_, _ = fmt.Fprintf(w, "data: %s\n\n", out)
		w.(http.Flusher).Flush()
	}
	choice := func(delta map[string]any, finish any) []any {
		return []any{map[string]any{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish}}
	}
	_, _ = io.WriteString(w, ": comment\n\n")
	send(choice(map[string]any{"role": "assistant", "content": ""}, nil), nil)
	if refusal != "" {
		send(choice(map[string]any{"refusal": refusal}, nil), nil)
		text = ""
	}
	runes := []rune(text)
	for at := 0; at < len(runes); at += piece {
		send(choice(map[string]any{"content": string(runes[at:min(at+piece, len(runes))])}, nil), nil)
		half := at >= len(runes)/2
		switch {
		case mode == CutStream && half:
			panic(http.ErrAbortHandler)
		case mode == QuietEnd && half:
			return
		case mode == BrokenJSON && half:
			_, _ = io.WriteString(w, "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\n\n")
			return
		case mode == StreamError && half:
			_, _ = io.WriteString(w, "data: {\"error\":{\"message\":\"The server had an error\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n")
			return
		case mode == SlowBytes:
			select {
			case <-time.After(50 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
	}
	send(choice(map[string]any{}, finish), nil)
	if c.StreamOptions != nil && c.StreamOptions.IncludeUsage {
		send([]any{}, usage)
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}

func (c Chat) check() error {
	switch {
	case c.Model == "":
		return fmt.Errorf("you must provide a model parameter")
	case len(c.Messages) == 0:
		return fmt.Errorf("[] is too short - 'messages'")
	case c.StreamOptions != nil && !c.Stream:
		return fmt.Errorf("the 'stream_options' parameter is only allowed when 'stream' is enabled")
	case c.Temperature != nil && (*c.Temperature < 0 || *c.Temperature > 2):
		return fmt.Errorf("temperature is out of bounds")
	case c.Temperature != nil && *c.Temperature != 0 && *c.Temperature < 1e-6:
		return fmt.Errorf("a temperature of %g is nobody's wish", *c.Temperature)
	case c.MaxTokens != nil && *c.MaxTokens < 1:
		return fmt.Errorf("max_tokens is too small")
	}
	for i, m := range c.Messages {
		if !slices.Contains([]string{"developer", "system", "user", "assistant"}, m.Role) || m.Content == "" {
			return fmt.Errorf("messages[%d] has no role or content", i)
		}
	}
	if f := c.ResponseFormat; f != nil {
		if f.Type != "json_schema" || f.JSONSchema == nil || f.JSONSchema.Name == "" {
			return fmt.Errorf("missing required parameter: 'response_format.json_schema'")
		}
		var schema map[string]any
		if err := json.Unmarshal(f.JSONSchema.Schema, &schema); err != nil {
			return err
		}
		if f.JSONSchema.Strict {
			return strict(schema, "()")
		}
	}
	return nil
}

// strict is the guide's list of what strict schemas must hold.
func strict(schema map[string]any, at string) error {
	if props, ok := schema["properties"].(map[string]any); ok {
		if schema["additionalProperties"] != false {
			return fmt.Errorf("invalid schema: in context=%s, 'additionalProperties' is required to be supplied and to be false", at)
		}
		required, _ := schema["required"].([]any)
		for name, p := range props {
			if !slices.Contains(required, any(name)) {
				return fmt.Errorf("invalid schema: in context=%s, 'required' is required to be supplied and to be an array including every key in properties. Missing '%s'", at, name)
			}
			sub, ok := p.(map[string]any)
			if !ok {
				return fmt.Errorf("invalid schema: %s.%s", at, name)
			}
			if err := strict(sub, at+"."+name); err != nil {
				return err
			}
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		return strict(items, at+"[]")
	}
	return nil
}

func (s *Server) embed(w http.ResponseWriter, raw []byte, mode Mode) {
	var in struct {
		Input          []string `json:"input"`
		Model          string   `json:"model"`
		EncodingFormat string   `json:"encoding_format"`
		User           string   `json:"user"`
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		refuse(w, 400, "invalid_request_error", "", err.Error())
		return
	}
	if len(in.Input) == 0 || len(in.Input) > 2048 || slices.Contains(in.Input, "") || in.Model == "" {
		refuse(w, 400, "invalid_request_error", "", "'$.input' is invalid")
		return
	}
	var data []any
	for i, text := range in.Input {
		v := Vector(text)
		if mode == OddVectors && i > 0 {
			v = v[1:]
		}
		data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": v})
	}
	slices.Reverse(data) // the index says whose it is, not the order
	out, err := json.Marshal(map[string]any{"object": "list", "data": data, "model": in.Model, "usage": map[string]int{"prompt_tokens": len(raw) / 4, "total_tokens": len(raw) / 4}})
	if err != nil {
		s.t.Error(err)
		return
	}
	spoiled(w, out, mode)
}

// spoiled sends a whole answer, or half of it.
func spoiled(w http.ResponseWriter, out []byte, mode Mode) {
	w.Header().Set("Content-Type", "application/json")
	switch mode {
	case BrokenJSON:
		_, _ = w.Write(out[:len(out)/2])
	case CutStream:
		w.Header().Set("Content-Length", fmt.Sprint(len(out)))
		_, _ = w.Write(out[:len(out)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	default:
		_, _ = w.Write(out)
	}
}

// Vector is what the server makes of a text: counts of its bytes in eight classes.
func Vector(text string) []float32 {
	v := make([]float32, 8)
	for i := range len(text) {
		v[text[i]%8]++
	}
	return v
}
