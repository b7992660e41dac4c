package hub_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/hub"
	"hotline/chat/hub/client"
	"hotline/internal/blob"
	"hotline/internal/bus"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/i18n"
	"hotline/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var (
	ctxb        = context.Background()
	systemActor = db.System()
	words       = i18n.MustLoad()
)

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// place is one database, one bus and one file store that nodes share.
type place struct {
	pool  *pgxpool.Pool
	bus   *bus.Bus
	files *blob.Folder
	city  testkit.TinyCity
}

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{pool: testkit.DB(t)}
	p.city = testkit.City(t, p.pool)
	var err error
	if p.bus, err = bus.Open(t.Context(), bus.Options{Name: "test", Log: silent()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.bus.Close)
	if p.files, err = blob.OpenFolder(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return p
}

// node is one process of the installation.
type node struct {
	chat   *chat.Service
	hub    *hub.Hub
	url    string // http://…
	closes chan int
}

func (p *place) node(t testing.TB, change ...func(*chat.Deps, *hub.Options)) *node {
	t.Helper()
	n := &node{closes: make(chan int, 10000)}
	d := chat.Deps{Pool: p.pool, Clock: clock.System{}, Log: silent(), Bus: p.bus, Blob: p.files, Words: words}
	o := hub.Options{Bus: p.bus, Words: words, Log: silent(), TickEvery: 20 * time.Millisecond, CatchUp: time.Hour, HelloWithin: 20 * time.Second,
		Sites: func() []hub.Site {
			return []hub.Site{{Key: "demo", Origins: []string{"https://city.example", hub.Self}}, {Key: "other", Origins: []string{"https://other.example"}}}
		},
		Sends: hub.Rate{PerSecond: 1000, Burst: 1000}, Frames: hub.Rate{PerSecond: 1000, Burst: 1000},
		OnClose: func(code int) { n.closes <- code }}
	for _, fn := range change {
		fn(&d, &o)
	}
	var err error
	if n.chat, err = chat.New(d); err != nil {
		t.Fatal(err)
	}
	o.Chat = n.chat
	if n.hub, err = hub.New(o); err != nil {
		t.Fatal(err)
	}
	if err := n.hub.Start(ctxb); err != nil {
		t.Fatal(err)
	}
	if o.Bus != nil {
		if err := o.Bus.Flush(ctxb); err != nil {
			t.Fatal(err)
		}
	}
	srv := httptest.NewServer(n.hub.Handler())
	n.url = srv.URL
	n.chat.Start(ctxb)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctxb, 5*time.Second)
		defer cancel()
		n.hub.Stop(ctx)
		srv.Close()
		n.chat.Stop()
	})
	return n
}

func (n *node) socket() string { return "ws" + strings.TrimPrefix(n.url, "http") + "/chat/v1/socket" }

func (n *node) dial(t testing.TB, o client.Options) *client.Client {
	t.Helper()
	o.URL, o.Site = n.socket(), "demo"
	if o.MinPause == 0 {
		o.MinPause = 10 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(ctxb, 20*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func send(t testing.TB, c *client.Client, text string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctxb, 20*time.Second)
	defer cancel()
	seq, err := c.Send(ctx, client.Out{Text: text})
	if err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
	return seq
}

func receive[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// event waits for an event of a kind.
func event(t testing.TB, c *client.Client, kind string) client.Event {
	t.Helper()
	for {
		if e := receive(t, c.Events(), kind); e.T == kind {
			return e
		}
	}
}

// raw is a socket without a client around it.
func raw(t testing.TB, n *node, origin string, receiveBuffer int) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{HandshakeTimeout: 10 * time.Second, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil && receiveBuffer > 0 {
			err = c.(*net.TCPConn).SetReadBuffer(receiveBuffer)
		}
		return c, err
	}}
	h := map[string][]string{}
	if origin != "" {
		h["Origin"] = []string{origin}
	}
	ws, _, err := d.Dial(n.socket(), h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

func write(t testing.TB, ws *websocket.Conn, frame any) {
	t.Helper()
	if err := ws.WriteJSON(frame); err != nil {
		t.Fatal(err)
	}
}

// read gives the next frame, or the close code.
func read(t testing.TB, ws *websocket.Conn) (frame map[string]any, code int) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, data, err := ws.ReadMessage()
	if e, ok := err.(*websocket.CloseError); ok {
		return nil, e.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &frame); err != nil {
		t.Fatal(err)
	}
	return frame, 0
}

func thread(t testing.TB, token string) string {
	t.Helper()
	s, ok := hub.Thread(token)
	if !ok {
		t.Fatalf("%q is no token", token)
	}
	return s
}

func newInbound(t testing.TB, token, text string) channels.Inbound {
	t.Helper()
	return channels.Inbound{Channel: channels.Web, Account: "demo", Thread: thread(t, token), ExternalID: text, Text: text}
}
