package meili_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/knowledge"
	"hotline/knowledge/meili"
)

// embedderAddr is where the live server finds the model of the test; it stands in the recording, so it does not change.
const embedderAddr = "127.0.0.1:8149"

// Meilisearch's own setting for an endpoint that is compatible with OpenAI's "Create embeddings".
const embedderSetting = `{"meaning": {"source": "rest", "url": "http://` + embedderAddr + `/v1/embeddings", "apiKey": "sk-test", "dimensions": 4,
	"documentTemplate": "{{doc.text}}",
	"request": {"model": "meaning-1", "input": ["{{text}}", "{{..}}"]},
	"response": {"data": [{"embedding": "{{embedding}}"}, "{{..}}"]}}}`

// meanings are expressions that mean one thing; stemmed, as words reach the server, none of the longer ones would be known.
var meanings = [][]string{{"passport", "travel documents", "go abroad"}, {"dog", "hound", "four-legged friends"}, {"water", "tap", "thirsty"}}

// embedder is that endpoint, written from the vendor's API reference: POST {model, input: […]} with a bearer key gives {object: "list", data: [{object:
// "embedding", index, embedding: […]}], model, usage}. It knows a few words to mean one thing.
func embedder(t *testing.T) *http.Server {
	t.Helper()
	listen, err := net.Listen("tcp", embedderAddr)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Model string   `json:"model"`
			Input []string `json:"input"`
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/embeddings" || q.Model != "meaning-1" || len(q.Input) == 0 || r.Header.Get("Authorization") != "Bearer sk-test" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		type one struct {
			Object    string    `json:"object"`
			Index     int       `json:"index"`
			Embedding []float64 `json:"embedding"`
		}
		var data []one
		for i, text := range q.Input {
			v := []float64{0, 0, 0, 0.1}
			for k, words := range meanings {
				if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(text), w) }) {
					v[k] = 1
				}
			}
			data = append(data, one{"embedding", i, v})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": data, "model": q.Model, "usage": map[string]int{"prompt_tokens": 1, "total_tokens": 1}})
	})}
	go func() { _ = s.Serve(listen) }()
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// With an embedder set, a question finds what means the same and shares no word with it; the server makes the vectors, of what was written and not of its
// stems. Where its model is away words are searched alone.
func TestHybridSearch(t *testing.T) {
	e, err := meili.ParseEmbedders(embedderSetting)
	if err != nil {
		t.Fatal(err)
	}
	var model *http.Server
	if os.Getenv("HOTLINE_TEST_MEILI_URL") != "" {
		model = embedder(t)
	}
	x := openWith(t, e)
	if err := x.Replace(t.Context(), nil, func(yield func([]knowledge.Doc, error) bool) {
		yield(docs("Dog licence", "Renewing a passport", "Tap water quality", "Library card"), nil)
	}); err != nil {
		t.Fatal(err)
	}
	if err := x.Put(t.Context(), knowledge.Doc{ID: "e", Lang: "en", Title: "Hound shows", Version: 1}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, word, near string }{
		{"Are four-legged friends welcome?", "", "ae"}, {"papers to go abroad", "", "b"}, {"library cards for the thirsty", "d", "c"}, {"passport", "b", "b"},
	} {
		hits, err := x.Search(t.Context(), knowledge.Query{Text: c.text, Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		near := make([]string, len(hits)+1)
		for i, h := range hits {
			near[h.Near] = h.ID
			if word := h.Score > 0; word != (h.ID == c.word) || i == 0 && c.word != "" && !word {
				t.Errorf("%q found %+v at %d by its words, want %q", c.text, h, i, c.word)
			}
		}
		got := near[1 : 1+len(c.near)]
		slices.Sort(got)
		if strings.Join(got, "") != c.near {
			t.Errorf("%q: %v are nearest, want %s", c.text, got, c.near)
		}
	}
	if model != nil {
		_ = model.Close()
	}
	if got := ids(t, x, knowledge.Query{Text: "passports", Limit: 5}); !slices.Equal(got, []string{"b"}) {
		t.Errorf("without the model: %v", got)
	}
}
