package hub

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/media"
	"hotline/internal/bus"
	"hotline/internal/clock"
	"hotline/internal/i18n"
)

// EmergencyNumber is one line of what a chat shows for danger to life.
type EmergencyNumber struct {
	Name   string `json:"name"`
	Number string `json:"number"`
}

// Options of New. Zero values take the defaults; Chat, Sites, Words and Log are needed.
type Options struct {
	Chat  *chat.Service
	Bus   *bus.Bus // nil: sockets live on the slow tick alone
	Sites func() []Site
	Words *i18n.Bundle
	Log   *slog.Logger
	Clock clock.Clock // of rate limits and pings; the machine's when nil

	Greeting func(lang string) (text string, choices []channels.Choice) // of a new conversation; may be nil
	// Duty tells whether people are on duty and, when not, when the next duty begins; nil: always.
	Duty       func(now time.Time) (open bool, next time.Time)
	Emergency  func(lang string) []EmergencyNumber             // may be nil
	ClientAddr func(*http.Request) string                      // behind a proxy; nil takes the connection's
	WriteError func(http.ResponseWriter, *http.Request, error) // nil writes a plain problem document

	OnClose func(code int) // counts closes by code; may be nil

	MaxFile int64 // as chat.Options.MaxFile; 10 MiB

	HelloWithin time.Duration // 10 s
	SlowAfter   time.Duration // one frame may block this long; 10 s
	HardAfter   time.Duration // then this long for the rest and the close code; 20 s
	SilentAfter time.Duration // no frame and no pong; 90 s
	TickEvery   time.Duration // of the wheel; 500 ms, so pings come every 20 to 32 s
	CatchUp     time.Duration // of the slow tick; 10 s, 2 s while the bus is away
	MaxQueue    int           // bytes queued for one client; 256 KiB
	SendBuffer  int           // the kernel's, for one client; 128 KiB
	ReadLimit   int64         // bytes of one frame; 128 KiB
	Readers     int           // pages read from the database at once; 16

	Frames      Rate // of one socket: above it is closed; 20/s, 60 at once
	Sends       Rate // messages of one socket: above it an error; 4/s, 30 at once
	Connects    Rate // new sockets of one address; 5/s, 60 at once
	Posts       Rate // HTTP messages of one address; 5/s, 60 at once
	UploadRate  Rate // of one address; 1/s, 20 at once
	MaxOpen     int  // sockets of one address; 300
	MaxUnspoken int  // sockets that have not said hello yet; 5,000
}

func (o *Options) defaults() {
	dur := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	dur(&o.HelloWithin, 10*time.Second)
	dur(&o.SlowAfter, 10*time.Second)
	dur(&o.HardAfter, 20*time.Second)
	dur(&o.SilentAfter, 90*time.Second)
	dur(&o.TickEvery, 500*time.Millisecond)
	dur(&o.CatchUp, 10*time.Second)
	num := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	num(&o.MaxQueue, 256<<10)
	num(&o.SendBuffer, 128<<10)
	num(&o.Readers, 16)
	num(&o.MaxOpen, 300)
	num(&o.MaxUnspoken, 5000)
	if o.ReadLimit == 0 {
		o.ReadLimit = 128 << 10
	}
	if o.MaxFile == 0 {
		o.MaxFile = 10 << 20
	}
	rate := func(r *Rate, per, burst float64) {
		if *r == (Rate{}) {
			*r = Rate{per, burst}
		}
	}
	rate(&o.Frames, 20, 60)
	rate(&o.Sends, 4, 30)
	rate(&o.Connects, 5, 60)
	rate(&o.Posts, 5, 60)
	rate(&o.UploadRate, 1, 20)
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.WriteError == nil {
		o.WriteError = plainProblem(o.Words)
	}
}

// Hub holds the sockets of this node.
type Hub struct {
	opt   Options
	chat  *chat.Service
	reads chan struct{}
	addrs addresses
	wheel wheel

	mu       sync.Mutex
	conns    map[*conn]struct{}
	rooms    map[uuid.UUID][]*conn // by conversation
	waiting  map[string][]*conn    // by thread: no conversation yet
	writers  map[*conn]struct{}    // somebody is writing to them just now
	unspoken int
	stopping bool

	ctx     context.Context
	cancel  context.CancelFunc
	done    sync.WaitGroup // loops
	sockets sync.WaitGroup // readers
	work    sync.WaitGroup // writers and pumps
	unsub   []func()
	holders chan uuid.UUID // conversations whose holder changed

	sent, slow atomic.Int64
}

// New makes a hub. It fails when something needed is missing.
func New(o Options) (*Hub, error) {
	if o.Chat == nil || o.Sites == nil || o.Words == nil || o.Log == nil {
		return nil, errors.New("hub: Chat, Sites, Words and Log are needed")
	}
	o.defaults()
	h := &Hub{opt: o, chat: o.Chat, reads: make(chan struct{}, o.Readers), conns: map[*conn]struct{}{}, rooms: map[uuid.UUID][]*conn{},
		waiting: map[string][]*conn{}, writers: map[*conn]struct{}{}, holders: make(chan uuid.UUID, 1024)}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h, nil
}

// Start begins to listen to the bus and to ping. Errors: the bus refuses the subscription.
func (h *Hub) Start(context.Context) error {
	if h.opt.Bus != nil {
		for subject, fn := range map[string]func(string, []byte){chat.SubjectConversations: h.heard, chat.SubjectInbox: h.heardInbox} {
			cancel, err := h.opt.Bus.Subscribe(subject, fn)
			if err != nil {
				return err
			}
			h.unsub = append(h.unsub, cancel)
		}
	}
	h.done.Go(h.tick)
	h.done.Go(h.catchUpLoop)
	h.done.Go(h.tellHolders)
	return nil
}

// Stop closes every socket with "come back" and waits for them until ctx ends, then cuts the rest off. It may be called twice.
func (h *Hub) Stop(ctx context.Context) {
	h.mu.Lock()
	h.stopping = true
	open := make([]*conn, 0, len(h.conns))
	for c := range h.conns {
		open = append(open, c)
	}
	unsub := h.unsub
	h.unsub = nil
	h.mu.Unlock()
	for _, cancel := range unsub {
		cancel()
	}
	for _, c := range open {
		c.close(CloseRestart, "come back")
	}
	gone := make(chan struct{})
	go func() { h.sockets.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-ctx.Done():
		for _, c := range open {
			_ = c.ws.Close() // cut off; its reader ends
		}
		<-gone
	}
	h.cancel()
	h.work.Wait()
	h.done.Wait()
}

// Stats are figures for the metrics.
type Stats struct {
	Sockets       int
	Conversations int
	Sent          int64 // frames
	SlowClosed    int64
}

// Stats gives the figures of now.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{Sockets: len(h.conns), Conversations: len(h.rooms), Sent: h.sent.Load(), SlowClosed: h.slow.Load()}
}

func (h *Hub) limits() Limits {
	return Limits{Text: channels.MaxText, File: h.opt.MaxFile, Files: channels.MaxUploads, FileTypes: media.Types(), Frame: h.opt.ReadLimit}
}

// room gives the sockets of a conversation.
func (h *Hub) room(id uuid.UUID) []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*conn(nil), h.rooms[id]...)
}

// heard takes a hint about a conversation.
func (h *Hub) heard(subject string, data []byte) {
	id, ok := chat.ConversationOf(subject)
	if !ok {
		return
	}
	var hint chat.Hint
	if json.Unmarshal(data, &hint) != nil {
		return
	}
	if hint.Thread != "" {
		h.attach(hint.Thread, id)
	}
	room := h.room(id)
	if len(room) == 0 {
		return
	}
	var frame []byte
	switch {
	case hint.Typing != "" && hint.Typing != chat.ByCitizen:
		frame = encode(typingFrame{"typing", hint.Typing})
	case hint.Partial != nil:
		frame = encode(partialFrame{"partial", *hint.Partial})
	case hint.Seen > 0:
		frame = encode(seenFrame{"seen", hint.Seen, hint.By})
	case hint.Holder != "":
		h.holderChanged(id)
	}
	for _, c := range room {
		if hint.Seq != 0 {
			c.wake(hint.Seq)
		}
		if frame != nil {
			c.send(frame)
		}
	}
}

// heardInbox wakes the conversation of a ticket that changed: a notice may have appeared in it.
func (h *Hub) heardInbox(_ string, data []byte) {
	var hint chat.InboxHint
	if json.Unmarshal(data, &hint) != nil || hint.Conversation == "" || hint.Ticket == "" {
		return
	}
	id, err := uuid.Parse(hint.Conversation)
	if err != nil {
		return
	}
	for _, c := range h.room(id) {
		c.wake(chat.Look)
	}
}

// attach moves sockets that waited for their conversation into its room.
func (h *Hub) attach(thread string, id uuid.UUID) {
	h.mu.Lock()
	cs := h.waiting[thread]
	delete(h.waiting, thread)
	h.rooms[id] = append(h.rooms[id], cs...)
	if len(h.rooms[id]) == 0 {
		delete(h.rooms, id)
	}
	h.mu.Unlock()
	for _, c := range cs {
		c.joined(id)
	}
}

// enter registers a socket that has said hello, under its conversation or its thread.
func (h *Hub) enter(c *conn, id uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id == uuid.Nil {
		h.waiting[c.thread] = append(h.waiting[c.thread], c)
		return
	}
	h.rooms[id] = append(h.rooms[id], c)
}

// leave forgets a socket.
func (h *Hub) leave(c *conn, thread string, id uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
	delete(h.writers, c)
	if cs, ok := without(h.waiting[thread], c); ok {
		if len(cs) == 0 {
			delete(h.waiting, thread)
		} else {
			h.waiting[thread] = cs
		}
	}
	if cs, ok := without(h.rooms[id], c); ok {
		if len(cs) == 0 {
			delete(h.rooms, id)
		} else {
			h.rooms[id] = cs
		}
	}
}

func without(cs []*conn, c *conn) ([]*conn, bool) {
	for i := range cs {
		if cs[i] == c {
			out := append(append([]*conn(nil), cs[:i]...), cs[i+1:]...)
			return out, true
		}
	}
	return cs, false
}

func (h *Hub) holderChanged(id uuid.UUID) {
	select {
	case h.holders <- id:
	default: // the slow tick tells it
	}
}
