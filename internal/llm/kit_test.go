package llm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
	"hotline/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var admin = db.Staff(uuid.MustParse("00000000-0000-7000-8000-000000000001"), uuid.MustParse("00000000-0000-7000-8000-000000000002"), true, false).AsAdministrator()

// bench is a service on its own database with one model at a fake endpoint.
type bench struct {
	*testing.T
	pool  *pgxpool.Pool
	clock *clock.Fake
	log   *testkit.Log
	llm   *llm.Service
	srv   *llmtest.Server
	model llm.Model
}

var secret = []byte(strings.Repeat("s", 32))

func open(t *testing.T, answer func(llmtest.Chat) string) *bench {
	t.Helper()
	log, kept := testkit.NewLog()
	b := &bench{T: t, pool: testkit.DB(t), clock: clock.NewFake(time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)), log: kept, srv: llmtest.Start(t, answer)}
	var err error
	if b.llm, err = llm.New(llm.Deps{Pool: b.pool, Clock: b.clock, Log: log, Secret: secret}); err != nil {
		t.Fatal(err)
	}
	b.model = b.add("main", b.srv.URL, llm.Uses()...)
	return b
}

func (b *bench) add(name, url string, uses ...llm.Use) llm.Model {
	b.Helper()
	m := llm.NewModel()
	m.Name, m.BaseURL, m.Model, m.Uses, m.Timeout = name, url, "small-1", uses, 30*time.Second
	return b.save(m)
}

func (b *bench) save(m llm.Model) llm.Model {
	b.Helper()
	key := llmtest.Key
	m, err := b.llm.Save(b.Context(), admin, m, &key)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func (b *bench) change(f func(*llm.Model)) {
	b.Helper()
	f(&b.model)
	b.model = b.save(b.model)
}

// call asks something short.
func ask(text string) llm.Request {
	return llm.Request{Use: llm.UseAnswer, Prompt: "test/1", Messages: []llm.Message{{Role: llm.System, Text: "Be short."}, {Role: llm.User, Text: text}}}
}

func (b *bench) calls() []llm.Call {
	b.Helper()
	calls, _, err := b.llm.Calls(b.Context(), admin, llm.CallFilter{Model: b.model.ID})
	if err != nil {
		b.Fatal(err)
	}
	return calls
}

func (b *bench) state() llm.State {
	b.Helper()
	states, err := b.llm.States(b.Context(), admin)
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range states {
		if s.ID == b.model.ID {
			return s
		}
	}
	b.Fatal("the model is not listed")
	return llm.State{}
}
