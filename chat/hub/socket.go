package hub

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/errs"
)

// Subprotocol is the name of the protocol's version.
const Subprotocol = "hotline.chat.v1"

const channelOfSockets = channels.Web

// Errors that sockets and routes tell beside those of chat.
var (
	ErrRate       = errs.New(errs.RateLimited, "chat.rate_limited", "too much in a short time; wait a moment")
	ErrBadFrame   = errs.New(errs.Invalid, "chat.bad_frame", "this is not a frame of the protocol")
	ErrBadToken   = errs.New(errs.Unauthenticated, "chat.bad_token", "the token is missing or malformed")
	ErrBadSite    = errs.New(errs.Forbidden, "chat.bad_site", "the site key is unknown, or this page is not listed for it")
	ErrBadRef     = errs.New(errs.Invalid, "chat.bad_ref", "a message needs a ref of 1 to 64 characters that was not used before").On("ref")
	ErrStopping   = errs.New(errs.Unavailable, "chat.stopping", "this server is stopping; come back in a moment")
	ErrNotStarted = errs.New(errs.Conflict, "chat.not_started", "there is no conversation yet")
)

// hijacker lets gorilla find Hijack behind wrappers that only know Unwrap.
type hijacker struct{ http.ResponseWriter }

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(h.ResponseWriter).Hijack()
}

var writeBuffers sync.Pool

// serveSocket takes a socket over and returns: the connection lives on without the handler's goroutine and buffers.
func (h *Hub) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !h.someSite(r) {
		h.opt.WriteError(w, r, ErrBadSite)
		return
	}
	addr, now := h.addrOf(r), h.opt.Clock.Now()
	h.mu.Lock()
	full := h.unspoken >= h.opt.MaxUnspoken
	stopping := h.stopping
	h.mu.Unlock()
	if stopping {
		h.opt.WriteError(w, r, ErrStopping)
		return
	}
	admitted := !full && h.addrs.with(addr, now, func(a *address) bool {
		ok, _ := a.connects.take(now, h.opt.Connects.PerSecond, h.opt.Connects.Burst)
		if !ok || a.open >= h.opt.MaxOpen {
			return false
		}
		a.open++
		return true
	})
	if !admitted {
		w.Header().Set("Retry-After", "30")
		h.opt.WriteError(w, r, ErrRate)
		return
	}
	up := websocket.Upgrader{
		HandshakeTimeout: 5 * time.Second,
		ReadBufferSize:   512, WriteBufferSize: 4096, WriteBufferPool: &writeBuffers,
		Subprotocols: []string{Subprotocol},
		CheckOrigin:  func(*http.Request) bool { return true }, // checked above, and for the site in hello
		Error: func(w http.ResponseWriter, r *http.Request, status int, _ error) {
			w.Header().Set("Sec-Websocket-Version", "13")
			http.Error(w, http.StatusText(status), status)
		},
	}
	ws, err := up.Upgrade(hijacker{w}, r, nil)
	if err != nil {
		h.addrs.left(addr)
		return
	}
	if tcp, ok := ws.NetConn().(*net.TCPConn); ok {
		// The kernel would take megabytes for a client that does not read; then nobody would notice for long.
		_ = tcp.SetWriteBuffer(h.opt.SendBuffer) // a hint to the kernel, no more
	}
	c := &conn{hub: h, ws: ws, addr: addr}
	c.lastRead.Store(now.Unix())
	ws.SetReadLimit(h.opt.ReadLimit)
	ws.SetPongHandler(func(string) error { c.lastRead.Store(h.opt.Clock.Now().Unix()); return nil })
	ws.SetPingHandler(c.pinged)
	// The request dies with the handler; the origin decision needs only these two of it.
	c.site = Site{Origins: []string{r.Header.Get("Origin")}, Key: r.Host}
	h.mu.Lock()
	if h.stopping {
		h.mu.Unlock()
		h.addrs.left(addr)
		_ = ws.Close()
		return
	}
	h.conns[c] = struct{}{}
	h.unspoken++
	h.sockets.Add(1)
	h.mu.Unlock()
	h.wheel.put(c, int(h.opt.HelloWithin/h.opt.TickEvery))
	go c.read()
}

// pinged answers a client's ping; floods count as frames.
func (c *conn) pinged(data string) error {
	if ok, _ := c.frames.take(c.hub.opt.Clock.Now(), c.hub.opt.Frames.PerSecond, c.hub.opt.Frames.Burst); !ok {
		c.close(CloseRate, "too many frames")
		return nil
	}
	err := c.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
	var n net.Error
	if errors.Is(err, websocket.ErrCloseSent) || errors.As(err, &n) {
		return nil // a client too slow for a pong is somebody else's decision
	}
	return err
}

// frame works on one frame of the client.
func (c *conn) frame(raw []byte) {
	c.mu.Lock()
	at := c.phase
	c.mu.Unlock()
	if at >= leaving {
		return
	}
	now := c.hub.opt.Clock.Now()
	if ok, _ := c.frames.take(now, c.hub.opt.Frames.PerSecond, c.hub.opt.Frames.Burst); !ok {
		c.close(CloseRate, "too many frames")
		return
	}
	var f inFrame
	if !utf8.Valid(raw) || json.Unmarshal(raw, &f) != nil {
		if at == fresh {
			c.close(CloseNoHello, "hello first")
			return
		}
		c.close(CloseBadFrame, "not a frame")
		return
	}
	if at == fresh {
		if f.T != "hello" {
			c.close(CloseNoHello, "hello first")
			return
		}
		c.hello(f)
		return
	}
	ctx, cancel := context.WithTimeout(c.hub.ctx, 15*time.Second)
	defer cancel()
	switch f.T {
	case "send":
		c.take(ctx, f)
	case "human":
		c.human(ctx, f)
	case "typing":
		if ok, _ := c.typed.take(now, 1, 2); ok && c.conversation() != uuid.Nil {
			c.hub.chat.Typing(c.conversation(), chat.ByCitizen)
		}
	case "seen":
		if id := c.conversation(); id != uuid.Nil {
			if err := c.hub.chat.Seen(ctx, db.Citizen(id), id, f.Seq, chat.ByCitizen); err != nil {
				c.fail("", err)
			}
		}
	case "lang":
		c.setLang(ctx, f.Lang)
	case "bye":
		c.close(CloseBye, "bye")
	default:
		c.fail(f.Ref, ErrBadFrame.On("t"))
	}
}

func (c *conn) conversation() uuid.UUID { c.mu.Lock(); defer c.mu.Unlock(); return c.conv }

// hello says who comes from where; everything else waits for it.
func (c *conn) hello(f inFrame) {
	h := c.hub
	site, ok := h.site(f.Site)
	if !ok || !site.allows(&http.Request{Host: c.site.Key, Header: originHeader(c.site.Origins[0])}) {
		c.close(CloseForbidden, "site or origin")
		return
	}
	w := Welcome{T: "welcome", Holder: chat.HeldByBot, Limits: h.limits()}
	token := f.Token
	if token == "" {
		token = NewToken()
		w.Token = token
	}
	thread, ok := Thread(token)
	if !ok || f.After < 0 || f.After > math.MaxInt64/2 {
		c.close(CloseNoHello, "token")
		return
	}
	c.site, c.thread = site, thread
	if w.Lang = channels.Lang(f.Lang); w.Lang == "" {
		w.Lang = site.Lang
	}
	var id uuid.UUID
	if w.Token == "" {
		ctx, cancel := context.WithTimeout(h.ctx, 10*time.Second)
		conv, err := h.chat.ByThread(ctx, channelOfSockets, site.Key, thread)
		cancel()
		switch {
		case err == nil:
			id = conv.ID
			w.Conversation, w.Last, w.Holder, w.Name, w.Waiting, w.StaffSeen = &conv.ID, conv.LastSeq, conv.Holder, conv.HolderName, h.queueOf(conv), conv.StaffSeen
			if f.Lang == "" {
				w.Lang = conv.Lang
			}
		case !errors.Is(err, chat.ErrNotFound):
			h.opt.Log.Warn("hello not answered", "error", err)
			c.close(CloseUnavailable, "come back")
			return
		}
	}
	if w.Lang == "" {
		w.Lang = "en"
	}
	c.mu.Lock()
	if c.phase != fresh {
		c.mu.Unlock()
		return
	}
	c.phase, c.lang, c.holder, c.waiting = talking, w.Lang, w.Holder, w.Waiting
	c.conv, c.cursor, c.want = id, min(f.After, w.Last), w.Last
	c.pushLocked(encode(w))
	c.mu.Unlock()
	h.spoke()
	h.enter(c, id)
	// What was written between the look and the entry is found by looking once more.
	if id == uuid.Nil && w.Token == "" {
		ctx, cancel := context.WithTimeout(h.ctx, 10*time.Second)
		defer cancel()
		if conv, err := h.chat.ByThread(ctx, channelOfSockets, site.Key, thread); err == nil {
			h.attach(thread, conv.ID)
		}
	} else if id != uuid.Nil {
		c.wake(chat.Look)
	}
}

func originHeader(origin string) http.Header {
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	return h
}

// take brings a message in and acknowledges it once it is durable.
func (c *conn) take(ctx context.Context, f inFrame) {
	if !goodRef(f.Ref) {
		c.fail(clipRef(f.Ref), ErrBadRef)
		return
	}
	if ok, wait := c.sends.take(c.hub.opt.Clock.Now(), c.hub.opt.Sends.PerSecond, c.hub.opt.Sends.Burst); !ok {
		c.failRetry(f.Ref, ErrRate, int(math.Ceil(wait.Seconds())))
		return
	}
	c.mu.Lock()
	lang := c.lang
	c.mu.Unlock()
	got, err := c.hub.chat.Ingest(ctx, inbound(c.site.Key, c.thread, lang, f))
	if err != nil {
		c.fail(f.Ref, err)
		return
	}
	c.send(encode(ackFrame{"ack", f.Ref, got.Seq, got.Duplicate}))
	if c.conversation() == uuid.Nil {
		c.hub.attach(c.thread, got.ConversationID)
	}
	c.wake(got.Seq)
}

// human asks for a person: a quick reply like any other, so that the bot can tell who is on duty, and durable like any message.
func (c *conn) human(ctx context.Context, f inFrame) {
	if f.Ref == "" {
		f.Ref = uuid.NewString()
	}
	c.mu.Lock()
	lang := c.lang
	c.mu.Unlock()
	f.Text, f.Choice, f.Uploads, f.Place = c.hub.opt.Words.T(lang, "chat.human"), "human", nil, nil
	c.take(ctx, f)
	if id := c.conversation(); id != uuid.Nil && !c.hub.chat.HasBot() {
		if err := c.hub.chat.AskHuman(ctx, id); err != nil {
			c.fail(f.Ref, err)
		}
	}
}

func (c *conn) setLang(ctx context.Context, lang string) {
	lang = channels.Lang(lang)
	if lang == "" {
		c.fail("", ErrBadFrame.On("lang"))
		return
	}
	c.mu.Lock()
	c.lang = lang
	id := c.conv
	c.mu.Unlock()
	if id == uuid.Nil {
		return
	}
	if err := c.hub.chat.SetLang(ctx, db.Citizen(id), id, lang); err != nil {
		c.fail("", err)
	}
}

func inbound(site, thread, lang string, f inFrame) channels.Inbound {
	return channels.Inbound{Channel: channelOfSockets, Account: site, Thread: thread, ExternalID: f.Ref, Text: f.Text, Choice: f.Choice, Lang: lang,
		Uploads: f.Uploads, Place: f.Place}
}

// fail tells the client what went wrong with its frame, in its language.
func (c *conn) fail(ref string, err error) {
	retry := 0
	switch errs.KindOf(err) {
	case errs.Unavailable, errs.Internal:
		retry = 3
		if c.hub.ctx.Err() == nil {
			c.hub.opt.Log.Error("frame failed", "error", err)
		}
	case errs.RateLimited:
		retry = 5
	}
	c.failRetry(ref, err, retry)
}

func (c *conn) failRetry(ref string, err error, retry int) {
	c.mu.Lock()
	lang := c.lang
	c.mu.Unlock()
	f := errorFrame{T: "error", Ref: ref, Code: errs.CodeOf(err), Message: c.hub.opt.Words.Error(lang, err), Retry: retry}
	var e *errs.Error
	if errors.As(err, &e) {
		f.Field = e.Field
	}
	c.send(encode(f))
}

func goodRef(ref string) bool {
	if ref == "" || len(ref) > 64 {
		return false
	}
	for _, b := range []byte(ref) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}

func clipRef(ref string) string {
	if len(ref) > 64 {
		return ""
	}
	return ref
}
