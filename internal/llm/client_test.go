package llm_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
	"hotline/internal/testkit/toxics"
)

func TestACallIsAnsweredAndRecorded(t *testing.T) {
	t.Parallel()
	b := open(t, func(llmtest.Chat) string { return "Fine, thanks." })
	req := ask("How are you?")
	req.Sources, req.By = []string{"a@3"}, uuid.New()
	res, err := b.llm.Complete(t.Context(), req)
	if err != nil || res.Text != "Fine, thanks." || !res.Full || res.TokensIn == 0 || res.TokensOut == 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	calls := b.calls()
	if len(calls) != 1 {
		t.Fatalf("%d calls recorded", len(calls))
	}
	c := calls[0]
	if c.ID != res.Call || c.State != "ok" || c.Use != llm.UseAnswer || c.Prompt != "test/1" || c.Sources[0] != "a@3" || *c.By != req.By || c.TokensIn != res.TokensIn || c.Attempts != 1 || !strings.Contains(c.Model, "small-1") {
		t.Errorf("recorded %+v", c)
	}
	full, err := b.llm.CallByID(t.Context(), admin, c.ID)
	if err != nil || full.Request != nil || full.Answer != nil {
		t.Errorf("texts were kept: %+v, %v", full, err)
	}
	st := b.state()
	if st.Used != int64(res.TokensIn+res.TokensOut) || st.Reserved != 0 || st.Calls != 1 || st.LastOK == nil {
		t.Errorf("budget %+v", st)
	}
}

func TestTextsAreKeptOnlyWhereThatWasTurnedOn(t *testing.T) {
	t.Parallel()
	b := open(t, func(llmtest.Chat) string { return "Yes." })
	b.change(func(m *llm.Model) { m.KeepTexts = true })
	res, err := b.llm.Complete(t.Context(), ask("Is 13800138000 yours?"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.llm.CallByID(t.Context(), admin, res.Call)
	if err != nil || c.Request == nil || !strings.Contains(*c.Request, "Is [PHONE_1] yours?") || *c.Answer != "Yes." {
		t.Fatalf("%+v, %v", c, err)
	}
	b.clock.Advance(31 * 24 * time.Hour)
	if _, err := b.llm.Complete(t.Context(), ask("Again?")); err != nil {
		t.Fatal(err)
	}
	if c, err = b.llm.CallByID(t.Context(), admin, res.Call); err != nil || c.Request != nil || c.Answer != nil {
		t.Errorf("texts of last month are still there: %v, %v", c.Request, err)
	}
}

// The three things that go-openai leaves out, proved on the wire.
func TestTheWire(t *testing.T) {
	t.Parallel()
	type shape struct {
		City  string  `json:"city"`
		Place *string `json:"place"`
		Kind  string  `json:"kind,omitempty" enum:"help|complaint"`
		Items []struct {
			N    int  `json:"n"`
			Last bool `json:"last,omitempty"`
		} `json:"items"`
	}
	b := open(t, func(llmtest.Chat) string {
		return `{"city":"Lanting","place":null,"kind":null,"items":[{"n":1,"last":null}]}`
	})
	req := ask("Where?")
	req.Schema = llm.SchemaOf[shape]("where")
	res, err := b.llm.Complete(t.Context(), req) // the server refuses a schema whose required misses a field
	if err != nil {
		t.Fatal(err)
	}
	var got shape
	if err := json.Unmarshal([]byte(res.Text), &got); err != nil || got.City != "Lanting" {
		t.Errorf("%s: %v", res.Text, err)
	}
	c := b.srv.Chats()[0]
	if c.Temperature == nil || *c.Temperature != 0 {
		t.Errorf("temperature on the wire: %v", c.Temperature)
	}
	if raw := string(c.ResponseFormat.JSONSchema.Schema); !strings.Contains(raw, `"required":["city","place","kind","items"]`) || !strings.Contains(raw, `"enum":["help","complaint",null]`) {
		t.Errorf("schema on the wire: %s", raw)
	}
	if c.MaxTokens == nil || *c.MaxTokens != 800 {
		t.Errorf("max_tokens on the wire: %v", c.MaxTokens)
	}
	b.change(func(m *llm.Model) { m.Model = "gpt-5-mini" })
	if _, err := b.llm.Complete(t.Context(), ask("Think")); !errors.Is(err, llm.ErrBadAnswer) && err != nil {
		t.Fatal(err)
	}
	if c := b.srv.Chats()[1]; c.Temperature != nil || c.MaxTokens != nil || c.MaxCompletionTokens == nil {
		t.Errorf("a reasoning model got %+v", c)
	}
	b.change(func(m *llm.Model) { m.Model, m.Temperature = "small-1", 0.7 })
	if _, err := b.llm.Complete(t.Context(), ask("Warm")); err != nil {
		t.Fatal(err)
	}
	if c := b.srv.Chats()[2]; c.Temperature == nil || *c.Temperature != 0.7 {
		t.Errorf("temperature on the wire: %v", c.Temperature)
	}
}

// Whatever the model does, the caller gets an error of its kind within the deadline, streamed or not.
func TestFaults(t *testing.T) {
	t.Parallel()
	type fault struct {
		mode     llmtest.Mode
		want     error
		requests int // 0: any
		schema   bool
	}
	for _, streamed := range []bool{false, true} {
		t.Run(map[bool]string{false: "whole", true: "streamed"}[streamed], func(t *testing.T) {
			t.Parallel()
			b := open(t, func(llmtest.Chat) string { return `{"city":"a long enough answer to be cut"}` })
			for _, f := range []fault{
				{llmtest.Hang, llm.ErrTimeout, 1, false},
				{llmtest.RateLimited, llm.ErrRate, 1, false}, // it asks for longer than what is left
				{llmtest.NoQuota, llm.ErrQuota, 1, false},
				{llmtest.ServerError, llm.ErrDown, 0, false},
				{llmtest.Overloaded, llm.ErrDown, 0, false},
				{llmtest.HTML502, llm.ErrDown, 0, false},
				{llmtest.HTML200, llm.ErrBadAnswer, 1, false},
				{llmtest.BadKey, llm.ErrKey, 1, false},
				{llmtest.BrokenJSON, nil, 0, false},
				{llmtest.CutStream, llm.ErrCut, 0, false},
				{llmtest.Huge, llm.ErrTooLong, 1, false},
				{llmtest.WrongSchema, llm.ErrBadAnswer, 1, true},
				{llmtest.TooLong, llm.ErrBadAnswer, 1, true},
				{llmtest.Declines, llm.ErrDeclined, 1, false},
				{llmtest.Redirects, llm.ErrRefused, 1, false},
			} {
				b.change(func(m *llm.Model) { m.Rank++ }) // with a closed breaker
				b.fault(f.mode, f.want, f.requests, f.schema, streamed)
			}
			if logged := b.log.String(); strings.Contains(logged, "Go on") || strings.Contains(logged, "sk-te") || strings.Contains(logged, "nginx") {
				t.Errorf("the log holds texts: %s", logged)
			}
		})
	}
}

// fault asks a server in a bad mode.
func (b *bench) fault(mode llmtest.Mode, want error, requests int, schema, streamed bool) {
	b.Helper()
	b.srv.Always(mode)
	b.srv.Pieces(3)
	limit := 20 * time.Second // a busy machine is no fault
	switch mode {
	case llmtest.Hang, llmtest.RateLimited: // the limit is what is tried
		limit = 900 * time.Millisecond
	case llmtest.Huge:
		b.srv.Pieces(100_000)
	}
	ctx, cancel := context.WithTimeout(b.Context(), limit)
	defer cancel()
	req := ask("Go on")
	if schema {
		req.Schema = llm.SchemaOf[struct {
			City string `json:"city"`
		}]("where")
	}
	before, start := b.srv.Requests(), time.Now()
	var err error
	if streamed {
		_, err = b.llm.Stream(ctx, req, func(string) {})
	} else {
		_, err = b.llm.Complete(ctx, req)
	}
	if took := time.Since(start); took > limit+time.Second {
		b.Errorf("%s: took %v of %v", mode, took, limit)
	}
	if err == nil || want != nil && !errors.Is(err, want) {
		b.Errorf("%s: got %v, want %v", mode, err, want)
	}
	n := b.srv.Requests() - before
	if requests > 0 && n != requests {
		b.Errorf("%s: %d requests, want %d", mode, n, requests)
	}
	if c := b.calls()[0]; c.State != "failed" || c.Outcome == "" || c.Attempts != n {
		b.Errorf("%s: recorded %+v after %d requests", mode, c, n)
	}
	if st := b.state(); st.Reserved != 0 || st.LastError == "" {
		b.Errorf("%s: budget holds %d, last error %q", mode, st.Reserved, st.LastError)
	}
}

func TestWhatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := open(t, func(llmtest.Chat) string { return "At last." })
	b.srv.Next(llmtest.RateSoon, llmtest.ServerError, llmtest.CutStream)
	res, err := b.llm.Complete(t.Context(), ask("Well?"))
	if err != nil || res.Text != "At last." {
		t.Fatalf("%+v, %v", res, err)
	}
	if calls := b.calls(); len(calls) != 1 || calls[0].Attempts != 4 {
		t.Errorf("recorded %+v", calls)
	}
	b.srv.Next(llmtest.RateLimited)
	start := time.Now()
	if _, err := b.llm.Complete(t.Context(), ask("Well?")); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d < time.Second {
		t.Errorf("came back after %v although it was asked to wait a second", d)
	}
}

func TestAStreamThatEndsWithoutAWordIsNoAnswer(t *testing.T) {
	t.Parallel()
	for _, mode := range []llmtest.Mode{llmtest.QuietEnd, llmtest.CutStream, llmtest.StreamError, llmtest.BrokenJSON} {
		b := open(t, func(llmtest.Chat) string { return "You need a passport and a photograph." })
		b.srv.Next(mode)
		got := ""
		_, err := b.llm.Stream(t.Context(), ask("What do I need?"), func(p string) { got += p })
		if err == nil || got == "" || b.srv.Requests() != 1 {
			t.Errorf("%s: %v after %q and %d requests: half was told, so nobody may begin anew", mode, err, got, b.srv.Requests())
		}
	}
}

var badNetwork = map[string]func(*toxics.Proxy){
	"hang":  (*toxics.Proxy).Hang,
	"down":  (*toxics.Proxy).Down,
	"reset": (*toxics.Proxy).Reset,
	"cut":   func(p *toxics.Proxy) { p.Cut(120) },
	"crawl": func(p *toxics.Proxy) { p.Crawl(1, 20*time.Millisecond) },
	"delay": func(p *toxics.Proxy) { p.Delay(2 * time.Second) },
}

func TestToxics(t *testing.T) {
	t.Parallel()
	for name, make := range badNetwork {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, func(llmtest.Chat) string { return "A sentence that takes its time to arrive." })
			bad := toxics.Front(t, b.srv.URL)
			b.change(func(m *llm.Model) { m.BaseURL = bad.URL })
			if _, err := b.llm.Complete(t.Context(), ask("Fine?")); err != nil {
				t.Fatalf("without faults: %v", err)
			}
			make(bad)
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err := b.llm.Stream(ctx, ask("And now?"), func(string) {})
			if took := time.Since(start); err == nil || took > 5*time.Second {
				t.Errorf("%v after %v", err, took)
			}
			if st := b.state(); st.Reserved != 0 {
				t.Errorf("%d tokens stay reserved", st.Reserved)
			}
		})
	}
}

// An administrator who has mended a model tries it, and does not wait for the pause to be over.
func TestATryThatSucceedsEndsThePause(t *testing.T) {
	t.Parallel()
	b := open(t, func(llmtest.Chat) string { return "ready" })
	b.srv.Always(llmtest.BadKey)
	for range 5 {
		_, _ = b.llm.Complete(t.Context(), ask("Hello"))
	}
	if b.state().Open == nil {
		t.Fatal("it is not left alone")
	}
	if _, err := b.llm.Try(t.Context(), admin, b.model.ID); !errors.Is(err, llm.ErrKey) || b.state().Open == nil {
		t.Fatalf("a try that fails: %v", err)
	}
	b.srv.Always(llmtest.Fine)
	if _, err := b.llm.Try(t.Context(), admin, b.model.ID); err != nil {
		t.Fatalf("it was not asked: %v", err)
	}
	if st := b.state(); st.Open != nil {
		t.Errorf("it is left alone until %v though it answers", st.Open)
	}
	if _, err := b.llm.Complete(t.Context(), ask("Hello")); err != nil {
		t.Error(err)
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	b := open(t, func(llmtest.Chat) string { return "Back." })
	b.srv.Always(llmtest.BadKey)
	for range 5 {
		if _, err := b.llm.Complete(t.Context(), ask("Hello")); !errors.Is(err, llm.ErrKey) {
			t.Fatal(err)
		}
	}
	n := b.srv.Requests()
	if _, err := b.llm.Complete(t.Context(), ask("Hello")); !errors.Is(err, llm.ErrOpen) || b.srv.Requests() != n {
		t.Fatalf("%v: a model that failed five times is asked again", err)
	}
	if st := b.state(); st.Open == nil || st.LastError != "llm.key" {
		t.Errorf("listed as %+v", st)
	}
	b.clock.Advance(time.Minute)
	if _, err := b.llm.Complete(t.Context(), ask("Hello")); !errors.Is(err, llm.ErrKey) {
		t.Fatalf("nobody looks whether it is back: %v", err)
	}
	b.clock.Advance(25 * time.Second)
	if _, err := b.llm.Complete(t.Context(), ask("Hello")); !errors.Is(err, llm.ErrOpen) {
		t.Fatalf("the pause does not grow: %v", err)
	}
	b.srv.Always(llmtest.Fine)
	b.clock.Advance(time.Minute)
	for range 2 {
		if _, err := b.llm.Complete(t.Context(), ask("Hello")); err != nil {
			t.Fatal(err)
		}
	}
	if st := b.state(); st.Open != nil || st.LastError != "" {
		t.Errorf("listed as %+v", st)
	}
}

func TestTheNextModelIsAsked(t *testing.T) {
	t.Parallel()
	b := open(t, func(llmtest.Chat) string { return "one" })
	second := llmtest.Start(t, func(llmtest.Chat) string { return "two" })
	m := llm.NewModel()
	m.Name, m.BaseURL, m.Model, m.Uses, m.Rank = "spare", second.URL, "other", []llm.Use{llm.UseAnswer}, 5
	b.save(m)
	b.srv.Always(llmtest.NoQuota)
	res, err := b.llm.Complete(t.Context(), ask("Who?"))
	if err != nil || res.Text != "two" || res.Model != "spare" {
		t.Fatalf("%+v, %v", res, err)
	}
	if err := b.llm.Switch(t.Context(), admin, b.model.ID, false); err != nil {
		t.Fatal(err)
	}
	n := b.srv.Requests()
	if res, err := b.llm.Complete(t.Context(), ask("Who?")); err != nil || res.Text != "two" || b.srv.Requests() != n {
		t.Errorf("a model that is switched off was asked: %+v, %v", res, err)
	}
}

func TestBudgetIsSharedByNodes(t *testing.T) {
	t.Parallel()
	asked, release := make(chan bool, 12), make(chan struct{})
	b := open(t, func(llmtest.Chat) string {
		asked <- true
		<-release // all are on their way at once, so reservations count
		return "Yes."
	})
	b.change(func(m *llm.Model) {
		m.DailyTokens, m.MaxTokens, m.Concurrency, m.Timeout = 500, 100, 50, time.Minute
	})
	other, err := llm.New(llm.Deps{Pool: b.pool, Clock: b.clock, Log: discard, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 12)
	for i := range 12 {
		s := []*llm.Service{b.llm, other}[i%2]
		go func() {
			_, err := s.Stream(t.Context(), ask("May I?"), func(string) {})
			done <- err
		}()
	}
	under, full := 0, 0
	for under+full < 12 {
		select {
		case <-asked:
			under++
		case err := <-done:
			if !errors.Is(err, llm.ErrBudget) {
				close(release)
				t.Fatalf("a call ended with %v before any was answered", err)
			}
			full++
		}
	}
	close(release)
	if under == 0 || under > 4 {
		t.Errorf("%d calls were made and %d refused with room for four at once", under, full)
	}
	for range under {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	b.clock.Advance(24 * time.Hour)
	if _, err := b.llm.Complete(t.Context(), ask("A new day?")); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

func TestTokensOfALostCallComeBack(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	b.change(func(m *llm.Model) { m.DailyTokens, m.MaxTokens = 300, 200 })
	b.lose(250)
	if _, err := b.llm.Complete(t.Context(), ask("x")); !errors.Is(err, llm.ErrBudget) {
		t.Fatalf("a call that may still run lost its tokens: %v", err)
	}
	b.clock.Advance(12 * time.Minute)
	b.change(func(m *llm.Model) { m.DailyTokens = 400 })
	if _, err := b.llm.Complete(t.Context(), ask("x")); err != nil {
		t.Errorf("after the node was gone for long: %v", err)
	}
}

func TestCallerWhoGoesAwayIsNoFaultOfTheModel(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	b.srv.Always(llmtest.Hang)
	for range 6 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			select {
			case <-b.srv.Hung():
			case <-ctx.Done():
			}
			cancel()
		}()
		if _, err := b.llm.Complete(ctx, ask("x")); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	b.srv.Always(llmtest.Fine)
	if _, err := b.llm.Complete(t.Context(), ask("x")); err != nil {
		t.Errorf("the model is left alone: %v", err)
	}
	if c := b.calls()[1]; c.Outcome != "llm.cancelled" {
		t.Errorf("recorded as %q", c.Outcome)
	}
}

func TestNoModel(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	if err := b.llm.Remove(t.Context(), admin, b.model.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.llm.Complete(t.Context(), ask("x")); !errors.Is(err, llm.ErrNoModel) || b.llm.Has(t.Context(), llm.UseAnswer) {
		t.Errorf("without a model: %v", err)
	}
	if _, err := b.llm.Embedder().Embed(t.Context(), []string{"x"}); !errors.Is(err, llm.ErrNoModel) || b.llm.Embedder().Name() != "" {
		t.Errorf("without a model for vectors: %v", err)
	}
}
