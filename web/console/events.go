package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/auth"
	"hotline/internal/bus"
	"hotline/internal/errs"
	"hotline/tickets"
)

// broker hands hints of the bus to the open pages. There is one subscription for the process, however many pages are open.
type broker struct {
	mu     sync.Mutex
	pages  map[*listener]bool
	cancel []func()
	done   chan struct{}
	once   sync.Once
}

// listener is one open page. What it wants to know is kept as marks, not as a queue: a slow page gets one "look again" for a thousand hints.
type listener struct {
	mu                   sync.Mutex
	conversation, ticket uuid.UUID // uuid.Nil: none
	inbox, own           bool
	conv                 []string // newest hints of the conversation, few
	wake                 chan struct{}
}

const maxConvHints = 32

func newBroker(b *bus.Bus) (*broker, error) {
	br := &broker{pages: map[*listener]bool{}, done: make(chan struct{})}
	if b == nil {
		return br, nil
	}
	for subject, fn := range map[string]func(string, []byte){chat.SubjectInbox: br.inbox, chat.SubjectConversations: br.conversation} {
		cancel, err := b.Subscribe(subject, fn)
		if err != nil {
			br.close()
			return nil, err
		}
		br.cancel = append(br.cancel, cancel)
	}
	return br, nil
}

func (b *broker) close() {
	b.once.Do(func() {
		close(b.done)
		for _, cancel := range b.cancel {
			cancel()
		}
	})
}

func (b *broker) join(conversation, ticket uuid.UUID) *listener {
	l := &listener{conversation: conversation, ticket: ticket, wake: make(chan struct{}, 1)}
	b.mu.Lock()
	b.pages[l] = true
	b.mu.Unlock()
	return l
}

func (b *broker) leave(l *listener) {
	b.mu.Lock()
	delete(b.pages, l)
	b.mu.Unlock()
}

func (b *broker) each(fn func(*listener)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.pages {
		fn(l)
	}
}

func (b *broker) inbox(_ string, data []byte) {
	var h chat.InboxHint
	if json.Unmarshal(data, &h) != nil {
		return // a hint of another version: the slow tick makes up for it
	}
	b.each(func(l *listener) {
		l.mark(func() {
			l.inbox = true
			l.own = l.own || h.Ticket != "" && h.Ticket == l.ticket.String()
		})
	})
}

func (b *broker) conversation(subject string, data []byte) {
	id, ok := chat.ConversationOf(subject)
	if !ok {
		return
	}
	var h chat.Hint
	if json.Unmarshal(data, &h) != nil {
		return
	}
	h.Thread = "" // the channel's own name of the thread is no page's business
	words, err := json.Marshal(h)
	if err != nil {
		return
	}
	b.each(func(l *listener) {
		l.mark(func() {
			if l.conversation != id {
				return
			}
			if l.conv = append(l.conv, string(words)); len(l.conv) > maxConvHints {
				l.conv = l.conv[1:]
			}
		})
	})
}

func (l *listener) mark(fn func()) {
	l.mu.Lock()
	fn()
	idle := !l.inbox && !l.own && len(l.conv) == 0
	l.mu.Unlock()
	if idle {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// forget stops listening to what the person may not see, and drops what has been heard of it.
func (l *listener) forget(conversation, ticket bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if conversation {
		l.conversation, l.conv = uuid.Nil, nil
	}
	if ticket {
		l.ticket, l.own = uuid.Nil, false
	}
}

// take empties the marks.
func (l *listener) take() (inbox, own bool, conv []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	inbox, own, conv = l.inbox, l.own, l.conv
	l.inbox, l.own, l.conv = false, false, nil
	return inbox, own, conv
}

// events is the stream of hints for one open page: "inbox" (lists changed), "ticket" (the open ticket changed), "conv" (the open
// conversation: a new message, typing, seen, a new holder). It carries no content: the page reads again what it may read.
func (c *Console) events(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p, _ := principal(ctx)
	q := r.URL.Query()
	l, at, err := c.watch(ctx, p, parseID(q.Get("ticket")), parseID(q.Get("conversation")))
	if err != nil {
		return err
	}
	defer c.live.leave(l)

	rc := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	send := func(format string, args ...any) error {
		// A page that does not read for a whole minute is gone. Servers without deadlines (tests) say so here, which changes nothing.
		_ = rc.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return err
		}
		return rc.Flush()
	}
	if err := send("retry: 3000\nevent: ready\ndata: %s\n\n", at); err != nil {
		return nil // gone already
	}
	beat := time.NewTicker(c.Heartbeat)
	defer beat.Stop()
	end := time.NewTimer(sessionCheck)
	defer end.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-c.live.done:
			return nil
		case <-end.C:
			return nil // the page connects again and is identified anew: a closed account hears no more
		case <-beat.C:
			err = send(": beat\n\n")
		case <-l.wake:
			inbox, own, conv := l.take()
			for _, one := range conv {
				if err == nil {
					err = send("event: conv\ndata: %s\n\n", one)
				}
			}
			if own && err == nil {
				err = send("event: ticket\ndata: {}\n\n")
			}
			if inbox && err == nil {
				err = send("event: inbox\ndata: {}\n\n")
			}
		}
		if err != nil {
			return nil // the reader is gone: nobody is left to tell
		}
	}
}

// watch begins to listen for what the person may see of a ticket and a conversation, and tells where both stand then: what happened between the
// rendering of the page and this moment shows in the difference. Without the one or the other the page hears of the lists alone.
func (c *Console) watch(ctx context.Context, p auth.Principal, ticket, conversation uuid.UUID) (l *listener, at []byte, err error) {
	l = c.live.join(conversation, ticket)
	defer func() {
		if err != nil {
			c.live.leave(l)
		}
	}()
	var now struct {
		Version int   `json:"version,omitempty"`
		Seq     int64 `json:"seq,omitempty"`
	}
	if ticket != uuid.Nil {
		t, err := c.Tickets.ByID(ctx, tickets.Staff(p.Actor(), p.Roles), ticket)
		if errs.KindOf(err) == errs.NotFound {
			l.forget(false, true)
		} else if err != nil {
			return l, nil, err
		}
		now.Version = t.Version
	}
	if conversation != uuid.Nil {
		conv, err := c.Chat.Conversation(ctx, p.Actor(), conversation)
		if errs.KindOf(err) == errs.NotFound {
			l.forget(true, false)
		} else if err != nil {
			return l, nil, err
		}
		now.Seq = conv.LastSeq
	}
	at, err = json.Marshal(now)
	return l, at, err
}

// sessionCheck bounds how long an ended session still hears hints.
const sessionCheck = 5 * time.Minute
