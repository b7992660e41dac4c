package llm_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
	"hotline/internal/testkit"
	"hotline/internal/testkit/toxics"
)

var discard = slog.New(slog.DiscardHandler)

// lose leaves a call behind as a node that died would.
func (b *bench) lose(tokens int) {
	b.Helper()
	owner := testkit.OwnerPool(b.T, b.pool)
	for _, sql := range []string{
		`insert into llm_calls (id, model_id, model, use, prompt, at, day, reserved) values ($1, $2, 'm', 'answer', 'p', $3::timestamptz, $3::timestamptz::date, $4)`,
		`insert into llm_budgets (model_id, day, reserved) select $2, $3::timestamptz::date, $4 where $1::uuid is not null`,
	} {
		if _, err := owner.Exec(b.Context(), sql, uuid.New(), b.model.ID, b.clock.Now(), tokens); err != nil {
			b.Fatal(err)
		}
	}
}

func TestStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	conn, err := testkit.DB(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range llm.Statements {
		if _, err := conn.Conn().Prepare(t.Context(), "", sql); err != nil {
			t.Errorf("%v\n%s", err, sql)
		}
	}
}

func TestTheKeyIsSealed(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	var sealed []byte
	owner := testkit.OwnerPool(t, b.pool)
	if err := owner.QueryRow(t.Context(), `select key_sealed from llm_models`).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	if len(sealed) == 0 || bytes.Contains(sealed, []byte(llmtest.Key[3:])) {
		t.Fatalf("stored as %q", sealed)
	}
	// Under another secret, or on another model, it opens nothing.
	other, err := llm.New(llm.Deps{Pool: b.pool, Clock: b.clock, Log: discard, Secret: []byte(strings.Repeat("x", 32))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Complete(t.Context(), ask("x")); !errors.Is(err, llm.ErrKey) || b.srv.Requests() != 0 {
		t.Errorf("with another secret: %v", err)
	}
	m := b.add("second", b.srv.URL, llm.UseSummary)
	if _, err := owner.Exec(t.Context(), `update llm_models set key_sealed = $1 where id = $2`, sealed, m.ID); err != nil {
		t.Fatal(err)
	}
	req := ask("x")
	req.Use = llm.UseSummary
	if err := b.llm.Switch(t.Context(), admin, b.model.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := b.llm.Complete(t.Context(), req); !errors.Is(err, llm.ErrKey) {
		t.Errorf("a key copied to another model opens: %v", err)
	}
}

func TestAnotherAddressDropsTheKey(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	m := b.model
	m.Name = "renamed"
	m, err := b.llm.Save(t.Context(), admin, m, nil)
	if err != nil || !m.HasKey {
		t.Fatalf("a new name: key %v, %v", m.HasKey, err)
	}
	thief := llmtest.Start(t, nil)
	m.BaseURL = thief.URL
	if m, err = b.llm.Save(t.Context(), admin, m, nil); err != nil || m.HasKey {
		t.Errorf("the key would be sent to the new address: %v, %v", m.HasKey, err)
	}
}

func TestSaving(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	for name, c := range map[string]struct {
		f     func(*llm.Model)
		field string
	}{
		"no name":           {func(m *llm.Model) { m.Name = " " }, "name"},
		"same name":         {func(m *llm.Model) { m.ID, m.Name = uuid.Nil, "main" }, "name"},
		"plain http":        {func(m *llm.Model) { m.BaseURL = "http://api.example.com/v1" }, "base_url"},
		"key in the URL":    {func(m *llm.Model) { m.BaseURL = "https://u:p@api.example.com/v1" }, "base_url"},
		"a file":            {func(m *llm.Model) { m.BaseURL = "file:///etc/passwd" }, "base_url"},
		"no model":          {func(m *llm.Model) { m.Model = "" }, "model"},
		"no use":            {func(m *llm.Model) { m.Uses = nil }, "uses"},
		"an unknown use":    {func(m *llm.Model) { m.Uses = []llm.Use{"spy"} }, "uses"},
		"no tokens":         {func(m *llm.Model) { m.MaxTokens = 0 }, "max_tokens"},
		"hot":               {func(m *llm.Model) { m.Temperature = 3 }, "temperature"},
		"no time":           {func(m *llm.Model) { m.Timeout = 0 }, "timeout"},
		"nobody at a time":  {func(m *llm.Model) { m.Concurrency = 0 }, "concurrency"},
		"a negative budget": {func(m *llm.Model) { m.DailyTokens = -1 }, "daily_tokens"},
	} {
		m := b.model
		c.f(&m)
		_, err := b.llm.Save(t.Context(), admin, m, nil)
		var e *errs.Error
		if !errors.As(err, &e) || e.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, url := range []string{"https://api.example.com/v1/", "http://localhost:11434/v1", "http://10.0.0.5/v1", "http://ollama:11434/v1", "http://[::1]:8000/v1"} {
		m := llm.NewModel()
		m.Name, m.BaseURL, m.Model, m.Uses = url, url, "x", []llm.Use{llm.UseDraft}
		if _, err := b.llm.Save(t.Context(), admin, m, nil); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	stale := b.model
	b.change(func(m *llm.Model) { m.Rank = 3 })
	if _, err := b.llm.Save(t.Context(), admin, stale, nil); !errors.Is(err, llm.ErrStale) {
		t.Errorf("an old version: %v", err)
	}
	stale.ID = uuid.New()
	if _, err := b.llm.Save(t.Context(), admin, stale, nil); !errors.Is(err, llm.ErrNotFound) && !errors.Is(err, llm.ErrNameTaken) {
		t.Errorf("one that is gone: %v", err)
	}
}

func TestOnlyAdministrators(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	if _, err := b.llm.Complete(t.Context(), ask("x")); err != nil {
		t.Fatal(err)
	}
	desk := db.Staff(uuid.New(), uuid.New(), true, true)
	agency := db.Staff(uuid.New(), uuid.New(), false, true).AsAdministrator()
	for _, a := range []db.Actor{desk, agency, db.Citizen(uuid.New()), {}} {
		if _, err := b.llm.States(t.Context(), a); !errors.Is(err, llm.ErrForbidden) {
			t.Errorf("states: %v", err)
		}
		if _, _, err := b.llm.Calls(t.Context(), a, llm.CallFilter{}); !errors.Is(err, llm.ErrForbidden) {
			t.Errorf("calls: %v", err)
		}
		if _, err := b.llm.Save(t.Context(), a, b.model, nil); !errors.Is(err, llm.ErrForbidden) {
			t.Errorf("save: %v", err)
		}
		if _, err := b.llm.Try(t.Context(), a, b.model.ID); !errors.Is(err, llm.ErrForbidden) {
			t.Errorf("try: %v", err)
		}
		if err := b.llm.Remove(t.Context(), a, b.model.ID); !errors.Is(err, llm.ErrForbidden) {
			t.Errorf("remove: %v", err)
		}
		// The second wall: a query without the check finds nothing.
		for _, table := range []string{"llm_models", "llm_budgets", "llm_calls"} {
			var n int
			if err := db.ReadTx(t.Context(), b.pool, a, func(tx db.Tx) error {
				return tx.QueryRow(t.Context(), `select count(*) from `+table).Scan(&n)
			}); err != nil || n != 0 {
				t.Errorf("%s shows %d rows, %v", table, n, err)
			}
		}
	}
}

func TestCallsArePaged(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	for i := range 7 {
		req := ask("x")
		if i%2 == 1 {
			req.Use = llm.UseDraft
		}
		if _, err := b.llm.Complete(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[uuid.UUID]bool{}
	f := llm.CallFilter{Limit: 3}
	for {
		calls, more, err := b.llm.Calls(t.Context(), admin, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			seen[c.ID] = true
		}
		if !more {
			break
		}
		f.After = calls[len(calls)-1].ID
	}
	if len(seen) != 7 {
		t.Errorf("%d calls over all pages", len(seen))
	}
	for name, f := range map[string]llm.CallFilter{"use": {Use: llm.UseDraft}, "model": {Model: b.model.ID}, "failed": {Failed: true}} {
		calls, _, err := b.llm.Calls(t.Context(), admin, f)
		if want := map[string]int{"use": 3, "model": 7, "failed": 0}[name]; err != nil || len(calls) != want {
			t.Errorf("by %s: %d, %v", name, len(calls), err)
		}
	}
}

func TestTry(t *testing.T) {
	t.Parallel()
	b := open(t, func(llmtest.Chat) string { return "ready" })
	if err := b.llm.Switch(t.Context(), admin, b.model.ID, false); err != nil {
		t.Fatal(err)
	}
	got, err := b.llm.Try(t.Context(), admin, b.model.ID)
	if err != nil || got.Answer != "ready" {
		t.Errorf("%+v, %v", got, err)
	}
	v := b.add("vectors", b.srv.URL, llm.UseEmbed)
	if got, err := b.llm.Try(t.Context(), admin, v.ID); err != nil || got.Length != 8 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	texts := make([]string, 300)
	for i := range texts {
		texts[i] = strings.Repeat("x", i)
	}
	got, err := b.llm.Embedder().Embed(t.Context(), texts)
	if err != nil || len(got) != 300 || got[200][0] != 200 || b.srv.Requests() != 3 {
		t.Fatalf("%d vectors in %d requests, %v", len(got), b.srv.Requests(), err)
	}
	b.srv.Next(llmtest.OddVectors)
	if _, err := b.llm.Embedder().Embed(t.Context(), []string{"a", "b"}); !errors.Is(err, llm.ErrBadAnswer) {
		t.Errorf("vectors of several lengths: %v", err)
	}
	b.srv.Next(llmtest.ServerError)
	if _, err := b.llm.Embedder().Embed(t.Context(), []string{"a", "b"}); err != nil {
		t.Errorf("not tried again: %v", err)
	}
	if n := b.llm.Embedder().Name(); n != "small-1" {
		t.Errorf("named %q", n)
	}
}

// Vectors that do not come in time, or are none, are an error within the caller's time, and nothing stays reserved.
func TestFaultsOfVectors(t *testing.T) {
	t.Parallel()
	check := func(b *bench, fault string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		start := time.Now()
		got, err := b.llm.Embedder().Embed(ctx, []string{"a", "b"})
		if took := time.Since(start); err == nil || took > 5*time.Second {
			t.Errorf("%s: %d vectors, %v after %v", fault, len(got), err, took)
		}
		if st := b.state(); st.Reserved != 0 || st.LastError == "" {
			t.Errorf("%s: %d tokens stay reserved, last error %q", fault, st.Reserved, st.LastError)
		}
	}
	for fault, spoil := range badNetwork {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			b := open(t, nil)
			bad := toxics.Front(t, b.srv.URL)
			b.change(func(m *llm.Model) { m.BaseURL = bad.URL })
			if _, err := b.llm.Embedder().Embed(t.Context(), []string{"a"}); err != nil {
				t.Fatalf("without faults: %v", err)
			}
			spoil(bad)
			check(b, fault)
		})
	}
	t.Run("lies", func(t *testing.T) {
		t.Parallel()
		b := open(t, nil)
		for _, mode := range []llmtest.Mode{llmtest.BrokenJSON, llmtest.HTML502, llmtest.HTML200, llmtest.CutStream, llmtest.Hang} {
			b.srv.Always(mode)
			check(b, string(mode))
			b.change(func(m *llm.Model) { m.Rank++ }) // with a closed breaker
		}
	})
}
