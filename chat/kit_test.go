package chat_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/blob"
	"hotline/internal/bus"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/i18n"
	"hotline/internal/testkit"
	"hotline/tickets"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var (
	ctxb  = context.Background()
	words = i18n.MustLoad()
	start = time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
)

// rig is a service on a database of its own.
type rig struct {
	*chat.Service
	pool    *pgxpool.Pool
	clock   *clock.Fake
	deps    chat.Deps
	tickets *tickets.Service
	city    testkit.TinyCity
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newRig(t testing.TB, change ...func(*chat.Deps)) *rig {
	t.Helper()
	r := &rig{pool: testkit.DB(t), clock: clock.NewFake(start)}
	r.city = testkit.City(t, r.pool)
	files, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r.tickets = newTickets(t, r)
	r.deps = chat.Deps{Pool: r.pool, Clock: r.clock, Log: silent(), Blob: files, Words: words, Tickets: r.tickets, Bot: newBot(t, r.clock)}
	for _, fn := range change {
		fn(&r.deps)
	}
	r.Service = r.another(t)
	r.tickets.OnPublic(r.Notify)
	return r
}

// another is one more node on the same database.
func (r *rig) another(t testing.TB, change ...func(*chat.Deps)) *chat.Service {
	t.Helper()
	d := r.deps
	for _, fn := range change {
		fn(&d)
	}
	s, err := chat.New(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func newBot(t testing.TB, c clock.Clock) *bot.Policy {
	t.Helper()
	p, err := bot.New(bot.Options{Env: bot.Env{Now: c.Now, Numbers: map[bot.Service]string{"": "112", bot.Fire: "119"}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newTickets(t testing.TB, r *rig) *tickets.Service {
	t.Helper()
	desk, env := r.city.Agencies["hotline"], r.city.Agencies["dept-environment"]
	s, err := tickets.New(tickets.Deps{Pool: r.pool, Clock: r.clock, Key: make([]byte, 32), Log: silent(), Router: tickets.Router{
		Decide: func(tickets.RouteFacts) tickets.Route {
			return tickets.Route{Lead: env, Auto: true, Score: 1, Category: "environment.noise", Record: []byte(`{}`)}
		},
		Agency: func(id uuid.UUID) (tickets.Agency, bool) {
			return tickets.Agency{ID: id, Desk: id == desk, Active: true}, id == desk || id == env
		},
		Desk: func() uuid.UUID { return desk }, CategoryKnown: func(string) bool { return true }, ItemKnown: func(string) bool { return true },
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newBus(t testing.TB) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Name: "test", Log: silent()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func message(thread, id, text string) channels.Inbound {
	return channels.Inbound{Channel: channels.Web, Account: "demo", Thread: thread, ExternalID: id, Text: text, Lang: "en"}
}

// say ingests or fails the test.
func (r *rig) say(t testing.TB, thread, id, text string) chat.Receipt {
	t.Helper()
	got, err := r.Ingest(ctxb, message(thread, id, text))
	if err != nil {
		t.Fatalf("ingest %q: %v", text, err)
	}
	return got
}

func (r *rig) all(t testing.TB, conv uuid.UUID) []chat.Message {
	t.Helper()
	ms, err := r.Messages(ctxb, db.System(), conv, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

// count asks the database, as its owner, behind row-level security.
func count(t testing.TB, owner *pgxpool.Pool, sql string, args ...any) int {
	t.Helper()
	var n int
	if err := owner.QueryRow(ctxb, sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// after fails a wait that hangs; it never makes a test pass.
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

// fixed is a bot that always says the same.
func fixed(reply bot.Reply) chat.Thinker {
	return func(_ context.Context, st bot.State, _ []bot.Input, _ string) (bot.Reply, bot.State, error) {
		return reply, st, nil
	}
}

// handling signs for a ticket as somebody of the environment department.
func (r *rig) handling(t testing.TB, ticket uuid.UUID) (tickets.Actor, tickets.Ticket) {
	t.Helper()
	handler := tickets.Staff(r.city.Staff("handler-env"), []string{"handler"})
	k, err := r.tickets.Apply(ctxb, handler, ticket, tickets.AnyVersion, tickets.Sign, tickets.Fields{}, "")
	if err != nil {
		t.Fatal(err)
	}
	return handler, k
}
