package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/hub/client"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
	"hotline/internal/testkit/toxics"
	"hotline/knowledge"
	"hotline/tickets"
)

// networkFaults are what a network does to what a node asks.
var networkFaults = map[string]func(*toxics.Proxy){
	"hangs": (*toxics.Proxy).Hang, "refuses": (*toxics.Proxy).Down, "resets": (*toxics.Proxy).Reset, "is cut off": func(p *toxics.Proxy) { p.Cut(100) },
	"is slow": func(p *toxics.Proxy) { p.Delay(20 * time.Second) }, "crawls": func(p *toxics.Proxy) { p.Crawl(1, 300*time.Millisecond) },
}

// heal ends a fault.
func heal(p *toxics.Proxy, fault string) {
	if fault == "refuses" {
		p.Up()
		return
	}
	p.Heal()
}

// Bounds of a node on a busy machine. A turn has 8 seconds for everything and an intake waits for none of it.
const (
	turnWithin   = 11 * time.Second
	intakeWithin = 6 * time.Second
)

// asked counts the questions of serves, so that each is a text of its own, which no model has made a vector of.
var asked atomic.Int64

// serves asks the bot something that an article answers, and files a ticket meanwhile.
func serves(t *testing.T, a *app.App, fault string) {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Options{URL: "ws" + strings.TrimPrefix(a.URL(), "http") + "/chat/v1/socket", Site: "portal", Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	began := time.Now()
	if _, err := c.Send(t.Context(), client.Out{Text: "How do I renew my driving licence" + strings.Repeat("?", int(asked.Add(1)))}); err != nil {
		t.Fatal(err)
	}
	filed := time.Now()
	if _, err := a.Chat.FileTicket(t.Context(), chat.Filing{Channel: channels.Portal, Account: "form", ExternalID: uuid.NewString(), Lang: "en",
		Draft: tickets.Draft{Kind: "complaint", Title: "Noise", Description: "Drilling every night.", Lang: "en"}}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(filed); took > intakeWithin {
		t.Errorf("%s: filing a ticket took %v", fault, took)
	}
	for m := range c.Messages() {
		if m.Author != "bot" {
			continue
		}
		if len(m.Payload.Citations) == 0 {
			t.Errorf("%s: the bot said %q", fault, m.Text)
		}
		break
	}
	if took := time.Since(began); took > turnWithin {
		t.Errorf("%s: the answer took %v", fault, took)
	}
}

// Whatever becomes of a language model's endpoint, that of answers and that of vectors, nobody waits for it beyond the turn's time, and who files a ticket not at all.
func TestFaultsOfAModel(t *testing.T) {
	t.Parallel()
	lies := map[string]llmtest.Mode{"tells half an object": llmtest.BrokenJSON, "tells a proxy's page": llmtest.HTML502, "cuts its stream": llmtest.CutStream, "says nothing": llmtest.Hang}
	for _, use := range []llm.Use{llm.UseAnswer, llm.UseEmbed} {
		t.Run(string(use), func(t *testing.T) {
			t.Parallel()
			a := start(t, nil)
			server := llmtest.Start(t, func(llmtest.Chat) string { return "Gold is needed [1]." }) // withheld, as no article says so
			bad := toxics.Front(t, server.URL)
			m, key := llm.NewModel(), llmtest.Key
			m.Name, m.BaseURL, m.Model, m.Uses = "model", bad.URL, "model-1", []llm.Use{use}
			settle := func() { // saved anew it is asked again, however often it failed
				t.Helper()
				m.Rank++
				var err error
				if m, err = a.LLM.Save(t.Context(), db.Staff(uuid.New(), uuid.New(), true, false).AsAdministrator(), m, &key); err != nil {
					t.Fatal(err)
				}
			}
			settle()
			if use == llm.UseEmbed {
				if made, err := a.Knowledge.EmbedStale(t.Context()); err != nil || made == 0 {
					t.Fatalf("%d articles got vectors, %v", made, err)
				}
				if err := a.Knowledge.LoadVectors(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			before := server.Requests()
			serves(t, a, "works")
			if server.Requests() == before {
				t.Fatal("the model is not asked at all")
			}
			for fault, spoil := range networkFaults {
				spoil(bad)
				serves(t, a, fault)
				heal(bad, fault)
				settle()
			}
			for fault, mode := range lies {
				before := server.Requests()
				server.Always(mode)
				serves(t, a, fault)
				if use == llm.UseAnswer && server.Requests() == before {
					t.Errorf("%s: the model was not asked", fault)
				}
				server.Always(llmtest.Fine)
				settle()
			}
		})
	}
}

// shelf is a Meilisearch that is as good as its documents: it takes what it is sent, counts, and finds everything always.
type shelf struct {
	mu    sync.Mutex
	docs  map[string]json.RawMessage
	lie   http.HandlerFunc // in place of an answer to a search
	asked int
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/multi-search"):
		s.asked++
		if s.lie != nil {
			s.lie(w, r)
			return
		}
		var q struct{ Queries []json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&q)
		hits := []map[string]any{}
		for id := range s.docs {
			hits = append(hits, map[string]any{"id": id, "version": 1, "_rankingScore": 0.5})
		}
		results := make([]map[string]any, len(q.Queries))
		for i := range results {
			results[i] = map[string]any{"hits": hits, "query": "x"}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
	case strings.HasSuffix(r.URL.Path, "/stats"):
		_ = json.NewEncoder(w).Encode(map[string]any{"numberOfDocuments": len(s.docs)})
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/tasks/"):
		_, _ = io.WriteString(w, `{"uid":1,"status":"succeeded"}`)
	case r.Method == http.MethodGet:
		_, _ = io.WriteString(w, `{"uid":"x","primaryKey":"id"}`)
	default:
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/documents") {
			var sent []json.RawMessage
			_ = json.NewDecoder(r.Body).Decode(&sent)
			for _, raw := range sent {
				var d struct{ ID string }
				_ = json.Unmarshal(raw, &d)
				s.docs[d.ID] = raw
			}
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"taskUid":1,"status":"enqueued"}`)
	}
}

func (s *shelf) be(lie http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lie = lie
}

func (s *shelf) searches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Whatever becomes of a search engine that has worked, nobody waits for it, and it is asked again once it is well.
func TestFaultsOfASearchEngine(t *testing.T) {
	t.Parallel()
	s := &shelf{docs: map[string]json.RawMessage{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	bad := toxics.Front(t, server.URL)
	now := clock.NewFake(time.Now())
	a := launch(t, nil, now, "HOTLINE_MEILI_URL="+bad.URL, "HOTLINE_MEILI_KEY=k")
	works := func(after string) {
		t.Helper()
		now.Advance(time.Minute)
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) { // the engine is watched every few seconds
			if _, err := a.Knowledge.Search(t.Context(), knowledge.Query{Text: "licence", Lang: "en"}); err != nil {
				t.Fatal(err)
			}
			if !a.Knowledge.Engine().Degraded() {
				return
			}
			if now.Advance(time.Second); time.Now().After(deadline) {
				t.Fatalf("%s: the engine is not asked again: %+v", after, a.Knowledge.Engine())
			}
		}
	}
	works("filled")
	before := s.searches()
	serves(t, a, "works")
	if s.searches() == before {
		t.Fatal("the engine is not asked at all")
	}
	check := func(fault string, spoil, restore func()) {
		t.Helper()
		spoil()
		serves(t, a, fault)
		if e := a.Knowledge.Engine(); !e.Degraded() || e.Fault.Code == "" {
			t.Errorf("%s: the operator is told %+v", fault, e)
		}
		restore()
		works(fault)
	}
	for fault, spoil := range networkFaults {
		check(fault, func() { spoil(bad) }, func() { heal(bad, fault) })
	}
	for fault, lie := range map[string]http.HandlerFunc{
		"tells half an object": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"results":[{"hits":[{"id":`) },
		"tells a proxy's page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = fmt.Fprint(w, "<html>Bad Gateway</html>")
		},
		"cuts its answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"results":[`)
			panic(http.ErrAbortHandler)
		},
	} {
		check(fault, func() { s.be(lie) }, func() { s.be(nil) })
	}
}
