package learn_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/knowledge"
	"hotline/knowledge/learn"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// school is a service that learns, on a database of its own.
type school struct {
	*learn.Service
	testing.TB
	pool      *pgxpool.Pool
	city      testkit.TinyCity
	clock     *clock.Fake
	knowledge *knowledge.Service
}

func open(t testing.TB) *school {
	t.Helper()
	s := &school{TB: t, pool: testkit.DB(t), clock: clock.NewFake(time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC))}
	s.city = testkit.City(t, s.pool)
	s.knowledge = knowledge.New(knowledge.Deps{Pool: s.pool, Clock: s.clock, Log: slog.New(slog.DiscardHandler)})
	s.Service = s.node()
	return s
}

// node is another process on the same database.
func (s *school) node() *learn.Service {
	return learn.New(learn.Deps{Pool: s.pool, Knowledge: s.knowledge, Clock: s.clock, Log: slog.New(slog.DiscardHandler),
		Responsible: func(string) uuid.UUID { return s.city.Agencies["dept-environment"] }})
}

func (s *school) staff(user string, roles ...string) knowledge.Staff {
	return knowledge.Staff{Actor: s.city.Staff(user), Roles: roles}
}
func (s *school) editor() knowledge.Staff   { return s.staff("editor", "editor") }
func (s *school) reviewer() knowledge.Staff { return s.staff("reviewer", "reviewer") }

func (s *school) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// tell records what a citizen was told; each call is a conversation of its own unless edit says otherwise.
func (s *school) tell(question, lang string, outcome knowledge.Outcome, edit ...func(*knowledge.Told)) knowledge.Told {
	s.Helper()
	s.clock.Advance(time.Minute)
	t := knowledge.Told{ID: db.NewID(), At: s.clock.Now(), Conversation: s.conversation(), Seq: 2, Lang: lang, Channel: "web", By: knowledge.ByBot, Question: question, Outcome: outcome}
	for _, fn := range edit {
		fn(&t)
	}
	s.queue(func(b *pgx.Batch) { knowledge.QueueTold(b, t) })
	return t
}

func (s *school) queue(fn func(b *pgx.Batch)) {
	s.Helper()
	b := &pgx.Batch{}
	fn(b)
	s.must(db.WithTx(context.Background(), s.pool, db.System(), func(tx db.Tx) error { return tx.SendBatch(context.Background(), b).Close() }))
}

func (s *school) conversation() uuid.UUID {
	s.Helper()
	id := db.NewID()
	_, err := testkit.OwnerPool(s, s.pool).Exec(context.Background(), `insert into conversations (id, channel, account, thread) values ($1, 'web', 'demo', $2)`, id, id.String())
	s.must(err)
	return id
}

// follow takes up everything that waits, and asks gaps again.
func (s *school) follow(on ...*learn.Service) {
	s.Helper()
	node := s.Service
	if len(on) > 0 {
		node = on[0]
	}
	for {
		n, err := node.Step(context.Background())
		s.must(err)
		if n == 0 {
			return
		}
	}
}

func (s *school) gaps(state string) []learn.Gap {
	s.Helper()
	list, err := s.Gaps(context.Background(), s.editor().Actor, learn.GapFilter{State: state})
	s.must(err)
	return list
}

// publish makes an article and publishes it.
func (s *school) publish(lang string, text knowledge.Text) knowledge.Entry {
	s.Helper()
	e, err := s.knowledge.Create(context.Background(), s.editor(), knowledge.Article{Lang: lang}, text)
	s.must(err)
	return s.release(e)
}

func (s *school) release(e knowledge.Entry) knowledge.Entry {
	s.Helper()
	ctx := context.Background()
	e, err := s.knowledge.Submit(ctx, s.editor(), e.Version.Ref())
	s.must(err)
	s.clock.Advance(time.Minute)
	e, err = s.knowledge.Publish(ctx, s.reviewer(), e.Version.Ref())
	s.must(err)
	return e
}
