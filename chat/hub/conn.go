package hub

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
)

// phase of a connection.
type phase uint8

const (
	fresh   phase = iota // has not said hello
	talking              // hello was answered
	leaving              // a close code is on its way
	gone
)

// conn is one socket. Its reader is the only goroutine it always has.
type conn struct {
	hub  *Hub
	ws   *websocket.Conn
	addr string

	lastRead atomic.Int64 // unix seconds

	// the reader's own
	site   Site
	thread string
	frames bucket
	sends  bucket
	typed  bucket

	mu      sync.Mutex
	space   *sync.Cond // made when a pump has to wait
	phase   phase
	lang    string
	conv    uuid.UUID
	holder  string
	waiting Waiting
	cursor  int64 // the last seq queued for this client
	want    int64 // the highest seq heard of
	look    bool  // something is new, nobody said what
	pumping bool
	writing bool
	pingDue bool
	code    int
	reason  string
	since   time.Time // the frame being written began
	queue   [][]byte
	queued  int
}

var frameBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// read is the connection's goroutine. It stays shallow, so that its stack stays small: each frame is worked on by a goroutine of its own,
// one at a time, whose deep stack is given back.
func (c *conn) read() {
	defer c.end()
	for {
		_, r, err := c.ws.NextReader()
		if err != nil {
			c.drain(err)
			return
		}
		c.lastRead.Store(c.hub.opt.Clock.Now().Unix())
		buf := frameBuffers.Get().(*bytes.Buffer)
		buf.Reset()
		if _, err := buf.ReadFrom(r); err != nil {
			c.drain(err)
			return
		}
		worked := make(chan struct{})
		go func() {
			defer close(worked)
			c.frame(buf.Bytes())
		}()
		<-worked
		if buf.Cap() <= 16<<10 {
			frameBuffers.Put(buf)
		}
		c.lastRead.Store(c.hub.opt.Clock.Now().Unix())
	}
}

// drain swallows the rest of a frame that was too big. Closing with bytes unread would reset the connection, and the client would never read
// the code that tells it not to send the frame again.
func (c *conn) drain(err error) {
	if !errors.Is(err, websocket.ErrReadLimit) {
		return
	}
	tcp := c.ws.NetConn()
	if half, ok := tcp.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the client may be gone already
	}
	_ = tcp.SetReadDeadline(time.Now().Add(3 * time.Second))
	_, _ = io.Copy(io.Discard, io.LimitReader(tcp, 8<<20)) // as much as is polite to wait for
}

// end runs when the socket is gone, for whatever reason.
func (c *conn) end() {
	_ = c.ws.Close() // it is over either way
	c.mu.Lock()
	was := c.phase
	c.phase = gone
	c.queue, c.queued = nil, 0
	id := c.conv
	if c.space != nil {
		c.space.Broadcast()
	}
	c.mu.Unlock()
	c.hub.leave(c, c.thread, id)
	if was == fresh {
		c.hub.spoke()
	}
	c.hub.addrs.left(c.addr)
	c.hub.sockets.Done()
}

// send queues a frame that must not wait. A client whose queue is full is too slow.
func (c *conn) send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase >= leaving {
		return
	}
	if c.queued > 0 && c.queued+len(frame) > c.hub.opt.MaxQueue+c.hub.opt.MaxQueue/4 {
		c.slowLocked()
		return
	}
	c.pushLocked(frame)
}

// sendWait queues a frame as soon as there is room for it. It returns false when the connection is closing.
func (c *conn) sendWait(frame []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.phase < leaving && c.queued > 0 && c.queued+len(frame) > c.hub.opt.MaxQueue {
		if c.space == nil {
			c.space = sync.NewCond(&c.mu)
		}
		c.space.Wait()
	}
	if c.phase >= leaving {
		return false
	}
	c.pushLocked(frame)
	return true
}

func (c *conn) pushLocked(frame []byte) {
	c.queue = append(c.queue, frame)
	c.queued += len(frame)
	c.writeLocked()
}

// close sends a close code behind the frame that is being written; what is queued is left out, the client replays it.
func (c *conn) close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(code, reason)
}

func (c *conn) closeLocked(code int, reason string) {
	if c.phase >= leaving {
		return
	}
	if c.phase == fresh {
		c.hub.work.Go(c.hub.spoke) // not under this lock
	}
	if c.hub.opt.OnClose != nil {
		c.hub.opt.OnClose(code)
	}
	c.phase, c.code, c.reason = leaving, code, reason
	c.queue, c.queued = nil, 0
	if c.space != nil {
		c.space.Broadcast()
	}
	c.writeLocked()
}

func (c *conn) slowLocked() {
	if c.phase < leaving {
		c.hub.slow.Add(1)
	}
	c.closeLocked(CloseSlow, "too slow, come back")
}

// writeLocked makes sure that somebody writes.
func (c *conn) writeLocked() {
	if !c.writing && c.phase != gone {
		c.writing = true
		c.since = time.Now()
		c.hub.work.Go(c.write)
	}
}

// write empties the queue and ends. It exists only while there is something to write.
func (c *conn) write() {
	c.hub.writes(c, true)
	defer c.hub.writes(c, false)
	for {
		c.mu.Lock()
		c.since = time.Now()
		var frame []byte
		ping := false
		switch {
		case c.phase == gone:
			c.writing = false
			c.mu.Unlock()
			return
		case c.phase == leaving:
			code, reason := c.code, c.reason
			c.code = 0
			c.writing = false
			c.mu.Unlock()
			if code != 0 {
				c.farewell(code, reason)
			}
			return
		case len(c.queue) > 0:
			frame = c.queue[0]
			c.queue[0] = nil
			c.queue = c.queue[1:]
		case c.pingDue:
			ping, c.pingDue = true, false
		default:
			c.writing = false
			c.queue = nil // give the array back
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		var err error
		deadline := time.Now().Add(c.hub.opt.SlowAfter + c.hub.opt.HardAfter)
		if ping {
			err = c.ws.WriteControl(websocket.PingMessage, nil, deadline)
		} else {
			_ = c.ws.SetWriteDeadline(deadline) // remembers a time, cannot fail
			err = c.ws.WriteMessage(websocket.TextMessage, frame)
			c.hub.sent.Add(1)
		}
		c.mu.Lock()
		if !ping && c.phase < leaving {
			c.queued -= len(frame)
			if c.space != nil {
				c.space.Broadcast()
			}
		}
		c.mu.Unlock()
		if err != nil {
			_ = c.ws.Close() // the reader ends and cleans up
			c.mu.Lock()
			c.writing = false
			if c.phase < leaving {
				c.phase = leaving
			}
			if c.space != nil {
				c.space.Broadcast()
			}
			c.mu.Unlock()
			return
		}
	}
}

// farewell sends the close frame and leaves the reader a moment to hear the client's own: closing at once could make the code unreadable.
func (c *conn) farewell(code int, reason string) {
	err := c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(c.hub.opt.HardAfter))
	if err != nil {
		_ = c.ws.Close()
		return
	}
	_ = c.ws.SetReadDeadline(time.Now().Add(5 * time.Second)) // then the reader closes it
}

// writes keeps the set of connections that the wheel watches for slowness.
func (h *Hub) writes(c *conn, yes bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if yes {
		h.writers[c] = struct{}{}
	} else {
		delete(h.writers, c)
	}
}

// spoke counts a socket out of those that have not said hello.
func (h *Hub) spoke() {
	h.mu.Lock()
	h.unspoken--
	h.mu.Unlock()
}
