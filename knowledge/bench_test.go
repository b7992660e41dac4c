package knowledge_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/db"
	"hotline/knowledge"
)

// BenchmarkSearch prints the latency of whole searches — proposals, reading
// again from PostgreSQL, judging, snippets — at 10,000 articles, half Chinese.
// The budget is a p99 below 10 ms.
func BenchmarkSearch(b *testing.B) {
	d := newDesk(b)
	rng := rand.New(rand.NewPCG(1, 2))
	fill(b, d, rng, 10_000)
	questions := make([]string, 2000)
	for i := range questions {
		questions[i] = sentence(rng, i%2 == 0, 4+rng.IntN(8))
	}
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		if _, err := d.Search(b.Context(), knowledge.Query{Text: questions[i%len(questions)], Limit: 10}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	at := func(q float64) float64 {
		return float64(took[int(q*float64(len(took)-1))]) / float64(time.Millisecond)
	}
	b.ReportMetric(at(0.50), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}

// fill imports generated articles whose words are as unevenly frequent as
// those of real texts.
func fill(tb testing.TB, d *desk, rng *rand.Rand, n int) {
	tb.Helper()
	var file strings.Builder
	enc := json.NewEncoder(&file)
	for i := range n {
		zh := i%2 == 0
		lang := "en"
		if zh {
			lang = "zh-CN"
		}
		var body []string
		for range 12 {
			body = append(body, sentence(rng, zh, 15))
		}
		if err := enc.Encode(map[string]any{"id": fmt.Sprint(i), "lang": lang, "title": sentence(rng, zh, 6), "body": strings.Join(body, "\n"),
			"questions": []string{sentence(rng, zh, 6), sentence(rng, zh, 7)}}); err != nil {
			tb.Fatal(err)
		}
	}
	r, err := d.Import(tb.Context(), knowledge.System(), strings.NewReader(file.String()), knowledge.ImportOptions{})
	if err != nil || r.Created != n {
		tb.Fatalf("import: %+v, %v", r, err)
	}
}

// sentence makes one of words drawn by Zipf's law.
func sentence(rng *rand.Rand, zh bool, words int) string {
	zipf := rand.NewZipf(rng, 1.2, 4, 8000)
	var b strings.Builder
	for range words {
		w := zipf.Uint64()
		if zh {
			b.WriteRune(rune(0x4E00 + (w*37)%2500))
			b.WriteRune(rune(0x4E00 + (w*101+7)%2500))
			continue
		}
		const letters = "bcdfghklmnprstvz"
		for v := w + 300; v > 0; v /= 16 {
			b.WriteByte(letters[v%16])
			b.WriteByte("aeiou"[v%5])
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

// BenchmarkPreview tries a text on 1,000 questions at 10,000 articles, 300 of them about what it says. The budget is two seconds.
func BenchmarkPreview(b *testing.B) {
	d := newDesk(b)
	rng := rand.New(rand.NewPCG(1, 2))
	fill(b, d, rng, 10_000)
	title := sentence(rng, false, 6)
	trials := make([]knowledge.Trial, 1000)
	for i := range trials {
		trials[i] = knowledge.Trial{Question: sentence(rng, i%2 == 0, 4+rng.IntN(8)), Lang: "en"}
		if i%10 < 3 {
			trials[i].Question = title + " " + sentence(rng, false, 2)
		}
	}
	e := knowledge.Entry{Article: knowledge.Article{ID: db.NewID(), Lang: "en"}, Version: knowledge.Version{Number: 1, Text: knowledge.Text{Title: title, Body: title}}}
	for b.Loop() {
		effects, err := d.Preview(b.Context(), e, trials)
		if err != nil || len(effects) == 0 {
			b.Fatalf("%d effects, %v", len(effects), err)
		}
		b.ReportMetric(float64(len(effects)), "effects")
	}
}
