package hub

import (
	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/db"
)

// page is how many messages a pump reads at once.
const page = 32

// wake tells a connection that there is something up to seq, or chat.Look.
func (c *conn) wake(seq int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seq == chat.Look {
		c.look = true
	} else {
		c.want = max(c.want, seq)
	}
	c.pumpLocked()
}

// joined tells a connection which conversation it is in.
func (c *conn) joined(id uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conv == uuid.Nil {
		c.conv = id
		c.look = true
		c.pumpLocked()
	}
}

func (c *conn) pumpLocked() {
	if !c.pumping && c.phase == talking && c.conv != uuid.Nil && (c.look || c.want > c.cursor) {
		c.pumping = true
		c.hub.work.Go(c.pump)
	}
}

// pump brings the client to the end of its conversation and ends. It is the only one that moves the cursor.
func (c *conn) pump() {
	for {
		c.mu.Lock()
		if c.phase != talking || !c.look && c.want <= c.cursor {
			c.pumping = false
			c.mu.Unlock()
			return
		}
		c.look = false
		id, after := c.conv, c.cursor
		c.mu.Unlock()
		ms, err := c.hub.page(id, after)
		if err != nil {
			// The slow tick tries again.
			c.hub.opt.Log.Warn("messages not read", "conversation", id, "error", err)
			c.mu.Lock()
			c.pumping = false
			c.mu.Unlock()
			return
		}
		for _, m := range ms {
			if !c.sendWait(encode(messageFrame(m))) {
				return // closing; pumping stays set, nobody pumps a closing connection
			}
			c.mu.Lock()
			c.cursor = m.Seq
			c.mu.Unlock()
		}
		c.mu.Lock()
		if len(ms) == page {
			c.look = true
		} else if len(ms) == 0 {
			c.want = c.cursor // a hint that ran ahead of what this client may see
		}
		c.mu.Unlock()
	}
}

// page reads the next messages as the citizen sees them; only so many read at once.
func (h *Hub) page(id uuid.UUID, after int64) ([]chat.Message, error) {
	select {
	case h.reads <- struct{}{}:
		defer func() { <-h.reads }()
	case <-h.ctx.Done():
		return nil, h.ctx.Err()
	}
	ms, err := h.chat.Messages(h.ctx, db.Citizen(id), id, after, page)
	if err != nil {
		return nil, err
	}
	return h.chat.RenderFor(h.ctx, chat.ReaderCitizen, ms)
}
