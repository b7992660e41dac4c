package meili_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hotline/internal/testkit/toxics"
	"hotline/knowledge"
	"hotline/knowledge/meili"
)

// server answers every request with the same words.
func server(t *testing.T, status int, kind, words string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(words))
	}))
	t.Cleanup(s.Close)
	return s
}

const oneHit = `{"results":[{"hits":[{"id":"a","version":1,"_rankingScore":0.9}],"query":"x"}]}`

// Whatever the network does, a search ends with the deadline of who asked, in an error.
func TestBadNetwork(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*toxics.Proxy){
		"hangs": (*toxics.Proxy).Hang, "resets": (*toxics.Proxy).Reset, "is cut off": func(p *toxics.Proxy) { p.Cut(60) },
		"is slow": func(p *toxics.Proxy) { p.Delay(5 * time.Second) }, "crawls": func(p *toxics.Proxy) { p.Crawl(1, 200*time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := toxics.Front(t, server(t, 200, "application/json", oneHit).URL)
			x := meili.New(meili.Options{URL: bad.URL})
			defer x.Close()
			if hits, err := x.Search(t.Context(), knowledge.Query{Text: "passport"}); err != nil || len(hits) != 1 {
				t.Fatalf("on a good network: %v, %v", hits, err)
			}
			spoil(bad)
			start := time.Now()
			if _, err := x.Search(t.Context(), knowledge.Query{Text: "passport"}); err == nil {
				t.Error("no error")
			}
			if took := time.Since(start); took > 4*time.Second {
				t.Errorf("took %v", took)
			}
			bad.Heal()
			if hits, err := x.Search(t.Context(), knowledge.Query{Text: "passport"}); err != nil || len(hits) != 1 {
				t.Errorf("after it healed: %v, %v", hits, err)
			}
		})
	}
}

// Answers that are none are errors; hits that are none are left out.
func TestLies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status      int
		kind, words string
	}{
		"gateway's page":      {502, "text/html", "<html>Bad Gateway</html>"},
		"page with status":    {200, "text/html", "<html>Welcome</html>"},
		"half an answer":      {200, "application/json", oneHit[:40]},
		"another shape":       {200, "application/json", `{"results":"none"}`},
		"too few answers":     {200, "application/json", `{"results":[]}`},
		"endless":             {200, "application/json", `{"results":[{"hits":[],"query":"` + strings.Repeat("x", 9<<20) + `"}]}`},
		"redirect":            {302, "text/html", ""},
		"error of the server": {500, "application/json", `{"message":"boom","code":"internal","type":"internal","link":""}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := meili.New(meili.Options{URL: server(t, c.status, c.kind, c.words).URL})
			defer x.Close()
			hits, err := x.Search(t.Context(), knowledge.Query{Text: "passport"})
			if !errors.Is(err, meili.ErrAway) {
				t.Errorf("hits %v, error %v", hits, err)
			}
			if err := x.Put(t.Context(), knowledge.Doc{ID: "a", Title: "A"}); err == nil {
				t.Error("put succeeds")
			}
		})
	}
	x := meili.New(meili.Options{URL: server(t, 200, "application/json", `{"results":[{"hits":[{"id":7},{"id":"../etc","version":1},{"version":2},{"id":"ok","version":3,"_rankingScore":0.5}],"query":"x"}]}`).URL})
	defer x.Close()
	hits, err := x.Search(t.Context(), knowledge.Query{Text: "passport"})
	if err != nil || len(hits) != 1 || hits[0].ID != "ok" || hits[0].Version != 3 {
		t.Errorf("hits %+v, %v", hits, err)
	}
}

// A question's text and the key are in no error: errors reach logs and the console.
func TestErrorsTellNoText(t *testing.T) {
	t.Parallel()
	for _, s := range []*httptest.Server{server(t, 502, "text/html", "<html>"), server(t, 200, "application/json", "{")} {
		x := meili.New(meili.Options{URL: s.URL, Key: "secret-key"})
		defer x.Close()
		_, err := x.Search(t.Context(), knowledge.Query{Text: "Zhang Wei 13800001111 passport"})
		put := x.Put(t.Context(), knowledge.Doc{ID: "a", Title: "Zhang Wei"})
		for _, err := range []error{err, put} {
			if err == nil || strings.Contains(err.Error(), "Zhang") || strings.Contains(err.Error(), "zhang") || strings.Contains(err.Error(), "1380") || strings.Contains(err.Error(), "secret-key") {
				t.Errorf("error %v", err)
			}
		}
	}
}

func TestEmbeddersMakeASearchHybrid(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(oneHit))
		buf := make([]byte, 4096)
		n, _ := r.Body.Read(buf)
		body.Write(buf[:n])
	}))
	defer s.Close()
	e, err := meili.ParseEmbedders(`{"words":{"source":"rest","url":"http://embed.test"}}`)
	if err != nil {
		t.Fatal(err)
	}
	x := meili.New(meili.Options{URL: s.URL, Embedders: e})
	defer x.Close()
	_, _ = x.Search(t.Context(), knowledge.Query{Text: "passport"})
	if !strings.Contains(body.String(), `"embedder":"words"`) {
		t.Errorf("asked %s", body.String())
	}
	if plain := meili.New(meili.Options{URL: s.URL}); plain.Mark() == x.Mark() {
		t.Error("an index without embedders would be kept")
	}
	for _, bad := range []string{"x", `{"a":{}}`, `{"a":{"source":"rest","colour":1}}`} {
		if _, err := meili.ParseEmbedders(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
