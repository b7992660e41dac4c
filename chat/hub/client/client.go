// Package client speaks hotline.chat.v1 from Go: for the terminal client, the benchmarks and the tests. It reconnects by itself, replays
// from its last seq, and repeats a message under the same ref until it is acknowledged, so that a caller sees every message once and every
// Send end in a seq or an error.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"hotline/channels"
	"hotline/chat/hub"
)

// Options of Dial.
type Options struct {
	URL    string // ws://host/chat/v1/socket
	Site   string
	Token  string // empty: a new conversation
	After  int64  // the last seq that the caller has
	Lang   string
	Origin string
	// Pick chooses the address for an attempt; nil takes URL. For several nodes.
	Pick func(attempt int) string
	// MinPause and MaxPause bound the jittered pauses between attempts; 200 ms and 15 s.
	MinPause, MaxPause time.Duration
}

// Event is anything but a message: welcome, typing, seen, holder, error without a ref, and "closed" with its code when a connection ended.
type Event struct {
	T        string `json:"t"`
	Who      string `json:"who"`
	Seq      int64  `json:"seq"`
	By       string `json:"by"`
	Holder   string `json:"holder"`
	Name     string `json:"name"`
	Position int    `json:"position"`
	Wait     int    `json:"wait"` // seconds
	Duty     string `json:"duty"` // RFC 3339
	Code     string `json:"code"`
	Message  string `json:"message"`
	Text     string `json:"text"` // of a partial
	Closed   int    `json:"-"`    // close code
}

// Out is a message to send.
type Out struct {
	Ref     string // empty: one is made
	Text    string
	Choice  string
	Uploads []uuid.UUID
	Place   *channels.Place
}

// Error is what the server said against a message.
type Error struct {
	Code, Message string
	Retry         int
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// ErrEnded: the server said not to come back, or Close was called.
var ErrEnded = errors.New("chat client: ended")

// Client is one citizen.
type Client struct {
	opt      Options
	messages chan hub.MessageFrame
	events   chan Event
	cancel   context.CancelFunc
	done     chan struct{}

	mu      sync.Mutex
	write   sync.Mutex
	ws      *websocket.Conn
	token   string
	last    int64
	welcome hub.Welcome
	pending map[string]*pending
	ended   error
}

type pending struct {
	frame []byte
	done  chan result
}

type result struct {
	seq int64
	err error
}

// Dial connects once and keeps the connection up until Close. It fails when the first attempt fails for good or ctx ends before a welcome.
func Dial(ctx context.Context, o Options) (*Client, error) {
	if o.MinPause == 0 {
		o.MinPause = 200 * time.Millisecond
	}
	if o.MaxPause == 0 {
		o.MaxPause = 15 * time.Second
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &Client{opt: o, messages: make(chan hub.MessageFrame, 64), events: make(chan Event, 256), cancel: cancel, done: make(chan struct{}),
		token: o.Token, last: o.After, pending: map[string]*pending{}}
	ready := make(chan struct{})
	go c.run(run, ready)
	select {
	case <-ready:
		return c, nil
	case <-c.done:
		return nil, c.ended
	case <-ctx.Done():
		c.Close()
		return nil, ctx.Err()
	}
}

// Messages gives every message of the conversation once, in order. Who does not read stalls the connection, as a slow phone would.
func (c *Client) Messages() <-chan hub.MessageFrame { return c.messages }

// Events gives everything else; the oldest are kept when nobody reads.
func (c *Client) Events() <-chan Event { return c.events }

// Token is the secret to come back with.
func (c *Client) Token() string { c.mu.Lock(); defer c.mu.Unlock(); return c.token }

// Last is the last seq handed out.
func (c *Client) Last() int64 { c.mu.Lock(); defer c.mu.Unlock(); return c.last }

// Welcome is the latest one.
func (c *Client) Welcome() hub.Welcome { c.mu.Lock(); defer c.mu.Unlock(); return c.welcome }

// Close ends the client. It may be called twice.
func (c *Client) Close() {
	c.cancel()
	c.mu.Lock()
	if c.ws != nil {
		_ = c.ws.Close() // the reader ends
	}
	c.mu.Unlock()
	<-c.done
}

// Send delivers a message, over as many connections as it takes, and returns its seq.
// Errors: *Error when the server refuses it, ErrEnded, ctx's.
func (c *Client) Send(ctx context.Context, o Out) (int64, error) {
	if o.Ref == "" {
		o.Ref = uuid.NewString()
	}
	frame := map[string]any{"t": "send", "ref": o.Ref, "text": o.Text}
	if o.Choice != "" {
		frame["choice"] = o.Choice
	}
	if len(o.Uploads) > 0 {
		frame["uploads"] = o.Uploads
	}
	if o.Place != nil {
		frame["place"] = o.Place
	}
	raw, err := json.Marshal(frame)
	if err != nil {
		return 0, fmt.Errorf("chat client: %w", err)
	}
	for {
		p := &pending{frame: raw, done: make(chan result, 1)}
		c.mu.Lock()
		c.pending[o.Ref] = p
		c.mu.Unlock()
		c.Frame(raw)
		select {
		case r := <-p.done:
			var e *Error
			if !errors.As(r.err, &e) || e.Retry == 0 {
				return r.seq, r.err
			}
			select {
			case <-time.After(time.Duration(e.Retry) * time.Second):
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-c.done:
				return 0, ErrEnded
			}
		case <-ctx.Done():
			c.forget(o.Ref)
			return 0, ctx.Err()
		case <-c.done:
			return 0, ErrEnded
		}
	}
}

// Seen is a hint; it is not repeated.
func (c *Client) Seen(seq int64) { c.Frame(fmt.Appendf(nil, `{"t":"seen","seq":%d}`, seq)) }

// Human asks for a person.
func (c *Client) Human() { c.Frame(fmt.Appendf(nil, `{"t":"human","ref":%q}`, uuid.NewString())) }

// Frame writes a raw frame if there is a connection.
func (c *Client) Frame(raw []byte) {
	c.mu.Lock()
	ws := c.ws
	c.mu.Unlock()
	if ws == nil {
		return
	}
	c.write.Lock()
	defer c.write.Unlock()
	_ = ws.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if ws.WriteMessage(websocket.TextMessage, raw) != nil {
		_ = ws.Close() // the reader notices and reconnects
	}
}

func (c *Client) forget(ref string) { c.mu.Lock(); defer c.mu.Unlock(); delete(c.pending, ref) }

func (c *Client) run(ctx context.Context, ready chan struct{}) {
	defer close(c.done)
	var once sync.Once
	pause := c.opt.MinPause
	for attempt := 0; ctx.Err() == nil; attempt++ {
		welcomed, err := c.connection(ctx, attempt, func() { once.Do(func() { close(ready) }) })
		if welcomed {
			pause = c.opt.MinPause
		}
		code := 0
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			code = closed.Code
		}
		c.event(Event{T: "closed", Closed: code})
		var refused *Error
		if code != 0 && !hub.ComeBack(code) || errors.As(err, &refused) {
			c.ended = fmt.Errorf("%w: %w", ErrEnded, err)
			return
		}
		wait := pause/2 + rand.N(pause)
		if code == hub.CloseRate {
			wait += 30 * time.Second
		}
		pause = min(pause*2, c.opt.MaxPause)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	c.ended = ErrEnded
}

func (c *Client) connection(ctx context.Context, attempt int, ready func()) (welcomed bool, err error) {
	url := c.opt.URL
	if c.opt.Pick != nil {
		url = c.opt.Pick(attempt)
	}
	header := http.Header{}
	if c.opt.Origin != "" {
		header.Set("Origin", c.opt.Origin)
	}
	d := websocket.Dialer{HandshakeTimeout: 10 * time.Second, Subprotocols: []string{hub.Subprotocol}, ReadBufferSize: 1024, WriteBufferSize: 1024}
	ws, resp, err := d.DialContext(ctx, url, header)
	if err != nil {
		if resp != nil && resp.StatusCode == http.StatusForbidden {
			return false, &Error{Code: "chat.bad_site", Message: "the server refuses this origin"}
		}
		return false, err
	}
	defer ws.Close()
	stop := context.AfterFunc(ctx, func() { _ = ws.Close() })
	defer stop()
	hello, err := json.Marshal(map[string]any{"t": "hello", "site": c.opt.Site, "token": c.Token(), "after": c.Last(), "lang": c.opt.Lang})
	if err != nil {
		return false, err
	}
	c.write.Lock()
	err = ws.WriteMessage(websocket.TextMessage, hello)
	c.write.Unlock()
	if err != nil {
		return false, err
	}
	defer func() { c.mu.Lock(); c.ws = nil; c.mu.Unlock() }()
	for {
		_, raw, err := ws.ReadMessage()
		if err != nil {
			return welcomed, err
		}
		var head Event
		if err := json.Unmarshal(raw, &head); err != nil {
			return welcomed, fmt.Errorf("chat client: %w", err)
		}
		switch head.T {
		case "welcome":
			welcomed = true
			if err := c.welcomed(ws, raw); err != nil {
				return welcomed, err
			}
			c.event(head)
			ready()
		case "message":
			var m hub.MessageFrame
			if err := json.Unmarshal(raw, &m); err != nil {
				return welcomed, fmt.Errorf("chat client: %w", err)
			}
			if m.Seq <= c.Last() {
				continue
			}
			select {
			case c.messages <- m:
				c.mu.Lock()
				c.last = m.Seq
				c.mu.Unlock()
			case <-ctx.Done():
				return welcomed, ctx.Err()
			}
		case "ack", "error":
			c.settled(raw, head)
		default:
			c.event(head)
		}
	}
}

func (c *Client) welcomed(ws *websocket.Conn, raw []byte) error {
	var w hub.Welcome
	if err := json.Unmarshal(raw, &w); err != nil {
		return fmt.Errorf("chat client: %w", err)
	}
	c.mu.Lock()
	if w.Token != "" {
		c.token = w.Token
	}
	c.welcome, c.ws = w, ws
	again := make([][]byte, 0, len(c.pending))
	for _, p := range c.pending {
		again = append(again, p.frame)
	}
	c.mu.Unlock()
	for _, frame := range again {
		c.Frame(frame)
	}
	return nil
}

func (c *Client) settled(raw []byte, head Event) {
	var f struct {
		Ref   string `json:"ref"`
		Retry int    `json:"retry"`
	}
	_ = json.Unmarshal(raw, &f) // it was read once already
	c.mu.Lock()
	p := c.pending[f.Ref]
	delete(c.pending, f.Ref)
	c.mu.Unlock()
	if p == nil {
		if head.T == "error" {
			c.event(head)
		}
		return
	}
	if head.T == "ack" {
		p.done <- result{seq: head.Seq}
		return
	}
	p.done <- result{err: &Error{Code: head.Code, Message: head.Message, Retry: f.Retry}}
}

func (c *Client) event(e Event) {
	select {
	case c.events <- e:
	default:
	}
}
