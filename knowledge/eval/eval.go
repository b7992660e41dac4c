// Package eval measures retrieval the way the bot uses it: the corpus proposes,
// and an index that nodes share beside it, and the deciding measures order.
// It needs no database, only articles and queries in JSON Lines.
package eval

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"hotline/internal/errs"
	"hotline/knowledge"
)

// Result is what `hotline eval retrieval` prints.
type Result struct {
	N     int     `json:"n"`      // queries that name at least one relevant article
	P1    float64 `json:"p1"`     // share of queries whose first result is relevant
	MRR10 float64 `json:"mrr10"`  // mean of 1/place of the first relevant among ten, 0 if none
	Hit5  float64 `json:"hit5"`   // share of queries with a relevant result among five
	NDCG  float64 `json:"ndcg10"` // normalized discounted cumulative gain at ten, binary relevance
	P50   float64 `json:"p50_ms"` // median milliseconds a query
	P99   float64 `json:"p99_ms"`
}

// Errors of the query file.
var (
	ErrQueryLine     = errs.New(errs.Invalid, "knowledge.eval_query", "the line is not a JSON object {id, lang, text, relevant}")
	ErrQueryField    = errs.New(errs.Invalid, "knowledge.eval_query_field", "a query needs a text and a list of relevant article ids")
	ErrNoQueries     = errs.New(errs.Invalid, "knowledge.eval_no_queries", "the query file holds no query")
	ErrNothingTaught = errs.New(errs.Invalid, "knowledge.eval_nothing_taught", "no pair to teach names an article of the article file")
	ErrNoArticles    = errs.New(errs.Invalid, "knowledge.eval_no_articles", "the article file holds no article")
)

const batch = 500

// Retrieval takes the articles in, asks every query and compares the results
// with its relevant ids. index, which may be nil, is a shared one, and empty. A relevant id that no
// article has still counts, as one that was not found. teach, which may be nil,
// holds pairs {text, relevant} in the form of queries: each text becomes a stored
// question of its articles before anything is asked.
//
// Errors: *knowledge.LineError for the first bad line of a file,
// ErrNoArticles, ErrNoQueries, ErrNothingTaught, those of the readers and of the index, ctx's own.
func Retrieval(ctx context.Context, index knowledge.Index, articles, queries, teach io.Reader) (Result, error) {
	return RetrievalWith(ctx, index, nil, articles, queries, teach)
}

// RetrievalWith is Retrieval with the vectors of an embedder fused in, as a
// search does; nil means none.
func RetrievalWith(ctx context.Context, index knowledge.Index, embedder knowledge.Embedder, articles, queries, teach io.Reader) (Result, error) {
	docs, err := readArticles(articles)
	if err != nil {
		return Result{}, fmt.Errorf("articles: %w", err)
	}
	qs, err := readQueries(queries)
	if err != nil {
		return Result{}, fmt.Errorf("queries: %w", err)
	}
	if teach != nil {
		pairs, err := readQueries(teach)
		if err == nil {
			err = add(docs, pairs)
		}
		if err != nil {
			return Result{}, fmt.Errorf("teach: %w", err)
		}
	}
	corpus := knowledge.NewCorpus()
	byID := make(map[string]knowledge.Doc, len(docs))
	for part := range slices.Chunk(docs, batch) {
		if index != nil {
			if err := index.Put(ctx, part...); err != nil {
				return Result{}, err
			}
		}
		corpus.Put(part...)
		for _, d := range part {
			byID[d.ID] = d
		}
	}
	near, err := neighbours(ctx, embedder, docs)
	if err != nil {
		return Result{}, err
	}
	var sum Result
	took := make([]float64, 0, len(qs))
	for _, q := range qs {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		start := time.Now()
		hits := corpus.Propose(knowledge.Query{Text: q.Text, Lang: q.Lang, Limit: knowledge.Proposals})
		if index != nil {
			theirs, err := index.Search(ctx, knowledge.Query{Text: corpus.Respell(q.Lang, q.Text), Lang: q.Lang, Limit: knowledge.Proposals})
			if err != nil {
				return Result{}, err
			}
			hits = knowledge.Join(theirs, hits)
		}
		found := make([]knowledge.Doc, 0, len(hits))
		for _, h := range hits {
			found = append(found, byID[h.ID])
		}
		ranked := corpus.Rank(q.Text, found)
		if near != nil {
			if ranked, err = near.fuse(ctx, q, ranked, byID); err != nil {
				return Result{}, err
			}
		}
		took = append(took, float64(time.Since(start))/float64(time.Millisecond))
		sum.add(ranked, q.Relevant)
	}
	sum.mean(len(qs))
	slices.Sort(took)
	sum.P50, sum.P99 = quantile(took, 0.50), quantile(took, 0.99)
	return sum, nil
}

// add stores the texts as questions of their articles. Ids that no article has
// are passed over; when that leaves nothing the files do not belong together.
func add(docs []knowledge.Doc, pairs []evalQuery) error {
	at := make(map[string]int, len(docs))
	for i, d := range docs {
		at[d.ID] = i
	}
	taught := false
	for _, p := range pairs {
		for _, id := range p.Relevant {
			if i, ok := at[id]; ok {
				docs[i].Questions = append(docs[i].Questions, p.Text)
				taught = true
			}
		}
	}
	if !taught {
		return ErrNothingTaught
	}
	return nil
}

func (r *Result) add(ranked []knowledge.Ranked, relevant []string) {
	rel := make(map[string]bool, len(relevant))
	for _, id := range relevant {
		rel[id] = true
	}
	var gain, ideal float64
	first := 0
	for i, d := range ranked[:min(10, len(ranked))] {
		if !rel[d.Doc.ID] {
			continue
		}
		gain += 1 / math.Log2(float64(i+2))
		if first == 0 {
			first = i + 1
		}
	}
	for i := range min(10, len(rel)) {
		ideal += 1 / math.Log2(float64(i+2))
	}
	if ideal > 0 {
		r.NDCG += gain / ideal
	}
	if first > 0 {
		r.MRR10 += 1 / float64(first)
	}
	if first == 1 {
		r.P1++
	}
	if first > 0 && first <= 5 {
		r.Hit5++
	}
}

func (r *Result) mean(n int) {
	r.N = n
	for _, v := range []*float64{&r.P1, &r.MRR10, &r.Hit5, &r.NDCG} {
		*v = round(*v / float64(n))
	}
}

// quantile of ordered values, by nearest rank.
func quantile(ordered []float64, q float64) float64 {
	i := int(math.Ceil(q*float64(len(ordered)))) - 1
	return round(ordered[max(0, i)])
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

func readArticles(r io.Reader) ([]knowledge.Doc, error) {
	p := knowledge.NewParser(r)
	p.Measuring = true
	var docs []knowledge.Doc
	for {
		a, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		docs = append(docs, a.Doc())
	}
	if len(docs) == 0 {
		return nil, ErrNoArticles
	}
	return docs, nil
}

type evalQuery struct {
	ID       string   `json:"id"`
	Lang     string   `json:"lang"`
	Text     string   `json:"text"`
	Relevant []string `json:"relevant"`
}

func readQueries(r io.Reader) ([]evalQuery, error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 64<<10), knowledge.MaxLine)
	var qs []evalQuery
	line := 0
	for sc.Scan() {
		line++
		raw := bytes.TrimSpace(bytes.TrimPrefix(sc.Bytes(), []byte("\xef\xbb\xbf")))
		if len(raw) == 0 {
			continue
		}
		var q evalQuery
		if err := json.Unmarshal(raw, &q); err != nil {
			return nil, &knowledge.LineError{Line: line, Err: ErrQueryLine.With("line", line).Wrap(err)}
		}
		switch {
		case strings.TrimSpace(q.Text) == "":
			return nil, &knowledge.LineError{Line: line, Err: ErrQueryField.On("text").With("line", line)}
		case q.Relevant == nil:
			return nil, &knowledge.LineError{Line: line, Err: ErrQueryField.On("relevant").With("line", line)}
		case len(q.Relevant) == 0: // nothing answers it: no measure of the order of results
			continue
		}
		qs = append(qs, q)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", line+1, err)
	}
	if len(qs) == 0 {
		return nil, ErrNoQueries
	}
	return qs, nil
}
