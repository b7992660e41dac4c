package eval_test

import (
	"context"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"testing"

	"hotline/knowledge"
	"hotline/knowledge/eval"
)

// grams is an honest model of a kind: a text is the character n-grams it holds, hashed into a few hundred dimensions. It knows likeness of spelling and nothing of meaning.
type grams struct{ dim int }

func (g grams) Name() string { return "grams" }

func (g grams) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		v := make([]float32, g.dim)
		for _, t := range knowledge.Analyze(text) {
			rs := []rune(" " + t.Text + " ")
			for n := 2; n <= 4; n++ {
				for k := 0; k+n <= len(rs); k++ {
					h := fnv.New32a()
					_, _ = h.Write([]byte(string(rs[k : k+n])))
					sign := float32(1)
					if h.Sum32()&1 == 0 {
						sign = -1
					}
					v[int(h.Sum32()>>1)%g.dim] += sign
				}
			}
		}
		for k, x := range v {
			v[k] = float32(math.Copysign(math.Sqrt(math.Abs(float64(x))), float64(x)))
		}
		out[i] = v
	}
	return out, nil
}

// Vectors that know little must not spoil what words find.
func TestFusionSpoilsNothing(t *testing.T) {
	t.Parallel()
	data := filepath.Join("..", "..", "..", "shared", "data", "knowledge")
	for _, files := range [][2]string{{"legal-zh/articles.jsonl", "legal-zh/queries.jsonl"}, {"statutes-zh/articles.jsonl", "statutes-zh/queries.jsonl"}, {"benefits-en/pages.jsonl", "benefits-en/page_queries.jsonl"}} {
		t.Run(filepath.Dir(files[0]), func(t *testing.T) {
			t.Parallel()
			measure := func(e knowledge.Embedder) eval.Result {
				articles, err := os.Open(filepath.Join(data, files[0]))
				if err != nil {
					t.Skipf("development data absent: %v", err)
				}
				defer articles.Close()
				queries, err := os.Open(filepath.Join(data, files[1]))
				if err != nil {
					t.Fatal(err)
				}
				defer queries.Close()
				r, err := eval.RetrievalWith(t.Context(), nil, e, articles, queries, nil)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			words, fused := measure(nil), measure(grams{512})
			t.Logf("words %+v\nfused %+v", words, fused)
			if fused.MRR10 < words.MRR10-0.005 || fused.Hit5 < words.Hit5-0.005 {
				t.Errorf("with vectors MRR %.4f Hit@5 %.4f, without %.4f %.4f", fused.MRR10, fused.Hit5, words.MRR10, words.Hit5)
			}
		})
	}
}
