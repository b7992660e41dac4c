package meili_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"hotline/knowledge"
	"hotline/knowledge/eval"
)

// What is proposed differs from engine to engine, what is found does not: beside a shared one the corpus proposes, too, and knowledge orders it. On a live server.
func TestEnginesFindTheSame(t *testing.T) {
	if os.Getenv("HOTLINE_TEST_MEILI_URL") == "" {
		t.Skip("HOTLINE_TEST_MEILI_URL is not set")
	}
	const less = 0.005 // that the server may find
	for _, c := range []struct{ set, articles, queries string }{
		{"legal-zh", "articles.jsonl", "queries.jsonl"}, {"benefits-en", "pages.jsonl", "page_queries.jsonl"}, {"statutes-zh", "articles.jsonl", "queries.jsonl"},
	} {
		t.Run(c.set, func(t *testing.T) {
			read := func(name string) []byte {
				raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "knowledge", c.set, name))
				if err != nil {
					t.Skipf("development data absent: %v", err)
				}
				return raw
			}
			articles, queries := read(c.articles), read(c.queries)
			measure := func(name string, x knowledge.Index) eval.Result {
				r, err := eval.Retrieval(t.Context(), x, bytes.NewReader(articles), bytes.NewReader(queries), nil)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s: %+v", name, r)
				return r
			}
			here, there := measure("by itself", nil), measure("with meilisearch", open(t))
			if there.P1 < here.P1-less || there.Hit5 < here.Hit5-less {
				t.Errorf("P@1 %.3f and %.3f, Hit@5 %.3f and %.3f", here.P1, there.P1, here.Hit5, there.Hit5)
			}
		})
	}
}
