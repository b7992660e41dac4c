// Package bus carries hints between the nodes of an installation: "conversation X has something after seq 12", "article Y changed".
//
// A hint may be lost, doubled or late. PostgreSQL is the truth, so whoever hears a hint reads rows after its own cursor, and whoever
// needs certainty looks again on a slow tick. Publishing never blocks and never fails a request. Publish after commit only.
//
// With no configuration a NATS server runs inside the process and listens nowhere; with an address the installation's NATS cluster is
// used. The package wraps nats and nothing else; it imports no sibling.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Bus is a connection to the fan-out of this installation.
type Bus struct {
	conn   *nats.Conn
	own    *server.Server
	log    *slog.Logger
	prefix string
	close  sync.Once
}

// Options of Open.
type Options struct {
	URL    string // empty: a server inside the process
	Prefix string // subject prefix, so that two installations may share a cluster
	Name   string // shown in the server's connection list
	Log    *slog.Logger
}

// maxPayload of a hint, in bytes: it says where to look and holds nothing else.
const maxPayload = 64 << 10

// Open connects, starting a server inside the process when there is no URL. An outside server that is away at start is an error: a
// node that begins without its bus would serve late messages from its first minute. Later it may come and go.
func Open(ctx context.Context, o Options) (*Bus, error) {
	b := &Bus{log: o.Log, prefix: o.Prefix}
	if b.prefix != "" && !strings.HasSuffix(b.prefix, ".") {
		b.prefix += "."
	}
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 500*time.Millisecond),
		nats.ReconnectBufSize(1 << 20),
		nats.PingInterval(20 * time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.log.Warn("bus connection lost; live messages arrive by the slow tick until it is back", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { b.log.Info("bus connection is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, s *nats.Subscription, err error) {
			subject := ""
			if s != nil {
				subject = s.Subject
			}
			b.log.Warn("bus", "subject", subject, "error", err)
		}),
	}
	url := o.URL
	if url == "" {
		ns, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, MaxPayload: maxPayload, ServerName: o.Name})
		if err != nil {
			return nil, fmt.Errorf("bus: %w", err)
		}
		ns.Start()
		if !ns.ReadyForConnections(10 * time.Second) {
			ns.Shutdown()
			return nil, errors.New("bus: the server inside the process did not start")
		}
		b.own = ns
		opts = append(opts, nats.InProcessServer(ns))
		url = nats.DefaultURL // not dialled: the connection is in the process
	}
	conn, err := nats.Connect(url, opts...)
	if err != nil {
		b.shutdownOwn()
		return nil, fmt.Errorf("bus: %w", err)
	}
	b.conn = conn
	return b, nil
}

// Publish sends a hint. Errors are logged, not returned: nothing that was committed depends on it.
func (b *Bus) Publish(subject string, data []byte) {
	if err := b.conn.Publish(b.prefix+subject, data); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		b.log.Warn("bus hint not sent", "error", err)
	}
}

// Subscribe calls fn, one hint at a time, for a subject that may hold NATS wildcards ("conv.*"). The returned cancel waits for nothing.
func (b *Bus) Subscribe(subject string, fn func(subject string, data []byte)) (cancel func(), err error) {
	s, err := b.conn.Subscribe(b.prefix+subject, func(m *nats.Msg) { fn(strings.TrimPrefix(m.Subject, b.prefix), m.Data) })
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	return func() {
		if err := s.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) && !errors.Is(err, nats.ErrBadSubscription) {
			b.log.Warn("bus unsubscribe", "error", err)
		}
	}, nil
}

// Answer replies to Ask on a subject.
func (b *Bus) Answer(subject string, fn func(data []byte) []byte) (cancel func(), err error) {
	s, err := b.conn.Subscribe(b.prefix+subject, func(m *nats.Msg) {
		if err := m.Respond(fn(m.Data)); err != nil {
			b.log.Warn("bus answer", "error", err)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	return func() { _ = s.Unsubscribe() }, nil // an error means the connection is gone, and the subscription with it
}

// Ask sends a question to whoever answers on the subject. Errors: nobody does, or ctx ended.
func (b *Bus) Ask(ctx context.Context, subject string, data []byte) ([]byte, error) {
	m, err := b.conn.RequestWithContext(ctx, b.prefix+subject, data)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	return m.Data, nil
}

// Flush waits until what was published and subscribed so far has reached the server.
func (b *Bus) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // nats asks for a deadline
	defer cancel()
	return b.conn.FlushWithContext(ctx)
}

// Up reports whether hints flow.
func (b *Bus) Up() bool { return b.conn.IsConnected() }

// Close drains and ends. It may be called twice.
func (b *Bus) Close() {
	b.close.Do(func() {
		b.conn.Close()
		b.shutdownOwn()
	})
}

func (b *Bus) shutdownOwn() {
	if b.own != nil {
		b.own.Shutdown()
		b.own.WaitForShutdown()
	}
}
