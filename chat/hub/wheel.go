package hub

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/db"
)

const slots = 64

// wheel visits every connection now and then: one ticker for all of them, in place of a timer for each.
type wheel struct {
	mu   sync.Mutex
	at   int
	slot [slots][]*conn
}

// put plans a visit in n ticks.
func (w *wheel) put(c *conn, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := (w.at + min(max(n, 1), slots-1)) % slots
	w.slot[i] = append(w.slot[i], c)
}

func (w *wheel) turn() []*conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = (w.at + 1) % slots
	due := w.slot[w.at]
	w.slot[w.at] = nil
	return due
}

// pingIn is the jittered distance to the next ping, in ticks.
func pingIn() int { return 40 + rand.IntN(slots-41) }

func (h *Hub) tick() {
	t := time.NewTicker(h.opt.TickEvery)
	defer t.Stop()
	cleaned := time.Now()
	for {
		select {
		case <-h.ctx.Done():
			return
		case now := <-t.C:
			h.watchWriters(now)
			h.visitAll(h.wheel.turn())
			if now.Sub(cleaned) > time.Minute {
				cleaned = now
				h.addrs.clean(h.opt.Clock.Now())
			}
		}
	}
}

// visitAll visits those of one tick a few at a time: ten thousand sockets have hundreds in a tick, whose pings and pongs at one moment would hold up the messages.
func (h *Hub) visitAll(due []*conn) {
	const parts = 16
	step := (len(due) + parts - 1) / parts
	for len(due) > 0 && h.ctx.Err() == nil {
		n := min(step, len(due))
		for _, c := range due[:n] {
			h.visit(c)
		}
		if due = due[n:]; len(due) > 0 {
			h.rest(h.opt.TickEvery / (parts + 1))
		}
	}
}

// rest lets others have their turn.
func (h *Hub) rest(d time.Duration) {
	select {
	case <-h.ctx.Done():
	case <-time.After(d):
	}
}

// visit pings a connection, or closes one that never said hello or gives no sign of life.
func (h *Hub) visit(c *conn) {
	now := h.opt.Clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.phase == gone:
		return
	case c.phase == fresh:
		c.closeLocked(CloseNoHello, "no hello")
	case c.phase == talking && now.Unix()-c.lastRead.Load() > int64(h.opt.SilentAfter/time.Second):
		c.closeLocked(CloseSilent, "no sign of life")
	case c.phase == talking:
		c.pingDue = true
		c.writeLocked()
	}
	h.wheel.put(c, pingIn())
}

// watchWriters closes clients that let one frame wait too long.
func (h *Hub) watchWriters(now time.Time) {
	h.mu.Lock()
	busy := make([]*conn, 0, len(h.writers))
	for c := range h.writers {
		busy = append(busy, c)
	}
	h.mu.Unlock()
	for _, c := range busy {
		c.mu.Lock()
		if c.writing && c.phase < leaving && now.Sub(c.since) > h.opt.SlowAfter {
			c.slowLocked()
		}
		c.mu.Unlock()
	}
}

// catchUpLoop makes up for lost hints: it compares cursors with the ends of conversations.
func (h *Hub) catchUpLoop() {
	every := h.opt.CatchUp
	t := time.NewTimer(every)
	defer t.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-t.C:
			h.CatchUp()
			every = h.opt.CatchUp
			if h.opt.Bus == nil || !h.opt.Bus.Up() {
				every = min(every, 2*time.Second)
			}
			t.Reset(every)
		}
	}
}

// catchUpRest stands between two pages of conversations, so that messages do not wait for all of them.
const catchUpRest = 20 * time.Millisecond

// CatchUp looks once after every conversation of this node, as the slow tick does.
func (h *Hub) CatchUp() {
	h.mu.Lock()
	ids := make([]uuid.UUID, 0, len(h.rooms))
	for id := range h.rooms {
		ids = append(ids, id)
	}
	threads := make([]string, 0, len(h.waiting))
	for t := range h.waiting {
		threads = append(threads, t)
	}
	h.mu.Unlock()
	const page = 500
	for len(threads) > 0 && h.ctx.Err() == nil {
		n := min(page, len(threads))
		found, err := h.chat.ThreadsOf(h.ctx, channelOfSockets, threads[:n])
		if err != nil {
			h.opt.Log.Warn("catch up", "error", err)
			return
		}
		for thread, id := range found {
			h.attach(thread, id)
		}
		threads = threads[n:]
	}
	for len(ids) > 0 && h.ctx.Err() == nil {
		n := min(page, len(ids))
		heads, err := h.chat.Heads(h.ctx, ids[:n])
		if err != nil {
			h.opt.Log.Warn("catch up", "error", err)
			return
		}
		for id, head := range heads {
			h.catchUpOne(id, head)
		}
		if ids = ids[n:]; len(ids) > 0 {
			h.rest(catchUpRest)
		}
	}
}

func (h *Hub) catchUpOne(id uuid.UUID, head chat.Head) {
	for _, c := range h.room(id) {
		c.wake(head.LastSeq)
		c.mu.Lock()
		stale := c.holder != head.Holder || head.Holder == chat.HeldByQueue
		c.mu.Unlock()
		if stale {
			h.holderChanged(id)
		}
	}
}

// tellHolders tells sockets who answers now, and where in the queue they are.
func (h *Hub) tellHolders() {
	for {
		select {
		case <-h.ctx.Done():
			return
		case id := <-h.holders:
			room := h.room(id)
			if len(room) == 0 {
				continue
			}
			conv, err := h.chat.Conversation(h.ctx, db.System(), id)
			if err != nil {
				h.opt.Log.Warn("holder not told", "conversation", id, "error", err)
				continue
			}
			now := h.queueOf(conv)
			frame := encode(holderFrame{"holder", conv.Holder, conv.HolderName, now})
			for _, c := range room {
				c.mu.Lock()
				same := c.holder == conv.Holder && c.waiting.same(now)
				c.holder, c.waiting = conv.Holder, now
				c.mu.Unlock()
				if !same {
					c.send(frame)
				}
			}
		}
	}
}
