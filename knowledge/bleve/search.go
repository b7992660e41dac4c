package bleve

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"hotline/knowledge"
)

// Limits of one search. A long question has many terms, and the frequent ones
// cost most and tell least, so the rarest are taken first.
const (
	maxTerms    = 48
	minTerms    = 6      // taken whatever they cost
	maxPostings = 12_000 // entries walked, beyond minTerms
	maxLimit    = 200
	fuzzyMin    = 5 // letters
	maxFuzzy    = 4 // words: each walks the dictionary
	fuzzyBoost  = 0.6
	synBoost    = 0.9
)

// Search implements knowledge.Index. Errors: ErrClosed; ctx's own.
//
// A question without a language that is written in Han characters searches
// Chinese articles only.
func (x *Index) Search(ctx context.Context, q knowledge.Query) ([]knowledge.Hit, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = knowledge.DefaultLimit
	}
	limit = min(limit, maxLimit)
	lang := knowledge.BaseLang(q.Lang)
	if lang == "" {
		lang = knowledge.DetectLang(q.Text)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return nil, ErrClosed
	}
	var hits []knowledge.Hit
	for _, in := range x.indexes(lang) {
		hs, err := x.searchOne(ctx, in, q, limit)
		if err != nil {
			return nil, err
		}
		hits = append(hits, hs...)
	}
	slices.SortFunc(hits, func(a, b knowledge.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return hits[:min(limit, len(hits))], nil
}

func (x *Index) searchOne(ctx context.Context, in language, q knowledge.Query, limit int) ([]knowledge.Hit, error) {
	clauses, err := x.clauses(ctx, in, q)
	if err != nil || len(clauses) == 0 {
		return nil, err
	}
	var top query.Query = query.NewDisjunctionQuery(clauses)
	if q.Audience != knowledge.AudienceStaff {
		staff := query.NewTermQuery(knowledge.AudienceStaff)
		staff.SetField(audienceField)
		top = query.NewBooleanQuery([]query.Query{top}, nil, []query.Query{staff})
	}
	req := bleve.NewSearchRequestOptions(top, limit, 0, false)
	res, err := in.SearchInContext(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("search articles: %w", err)
	}
	hits := make([]knowledge.Hit, 0, len(res.Hits))
	for _, h := range res.Hits {
		hits = append(hits, knowledge.Hit{ID: h.ID, Version: x.docs[h.ID].version, Score: h.Score})
	}
	return hits, nil
}

// clauses turns a question into weighted alternatives over one index.
func (x *Index) clauses(ctx context.Context, in language, kq knowledge.Query) ([]query.Query, error) {
	terms := knowledge.QueryTerms(in.lang, kq.Text)
	if len(terms) == 0 {
		return nil, nil
	}
	adv, err := in.Advanced()
	if err != nil {
		return nil, fmt.Errorf("search articles: %w", err)
	}
	reader, err := adv.Reader()
	if err != nil {
		return nil, fmt.Errorf("search articles: %w", err)
	}
	defer reader.Close()
	total, err := reader.DocCount()
	if err != nil || total == 0 {
		return nil, err
	}
	var out []query.Query
	known, fuzzy, err := weigh(ctx, reader, terms, total)
	if err != nil {
		return nil, err
	}
	for _, k := range affordable(known) {
		out = append(out, term(k.text, k.weight))
	}
	if kq.Exact {
		fuzzy = nil
	}
	for _, f := range fuzzy {
		q := query.NewFuzzyQuery(f.text)
		q.SetField(textField)
		q.SetFuzziness(1)
		q.SetPrefix(1)
		q.SetBoost(f.weight * fuzzyBoost)
		out = append(out, q)
	}
	all := knowledge.AnalyzeIn(in.lang, kq.Text)
	for _, e := range x.syn.Expand(in.lang, all) {
		for _, alt := range e.Alternates {
			out = append(out, expression(alt))
		}
	}
	return out, nil
}

func term(text string, boost float64) query.Query {
	q := query.NewTermQuery(text)
	q.SetField(textField)
	q.SetBoost(boost)
	return q
}

// expression matches documents that hold every part of a synonym.
func expression(terms []knowledge.Term) query.Query {
	var parts []query.Query
	for _, t := range terms {
		if t.Kind != knowledge.Char || len(terms) == 1 {
			parts = append(parts, term(t.Text, synBoost))
		}
	}
	return query.NewConjunctionQuery(parts)
}

// weighed is a term with what it costs and what it tells.
type weighed struct {
	text   string
	weight float64
	df     uint64
	worth  float64 // weight × rarity
}

// weigh looks up how frequent terms are. Words that occur nowhere and are
// long enough to be typing errors are returned apart; other unknown terms are
// left out.
func weigh(ctx context.Context, r index.IndexReader, terms []knowledge.QueryTerm, total uint64) (known, fuzzy []weighed, err error) {
	for _, t := range terms {
		tfr, err := r.TermFieldReader(ctx, []byte(t.Text), textField, false, false, false)
		if err != nil {
			return nil, nil, fmt.Errorf("search articles: %w", err)
		}
		w := weighed{text: t.Text, weight: t.Times, df: tfr.Count()}
		tfr.Close()
		switch {
		case w.df > 0:
			w.worth = w.weight * math.Log(1+float64(total)/float64(w.df))
			known = append(known, w)
		case t.Kind == knowledge.Word && len(t.Text) >= fuzzyMin && len(fuzzy) < maxFuzzy:
			fuzzy = append(fuzzy, w)
		}
	}
	return known, fuzzy, nil
}

// affordable keeps the terms that tell most within the search's limits.
func affordable(terms []weighed) []weighed {
	slices.SortStableFunc(terms, func(a, b weighed) int { return cmp.Compare(b.worth, a.worth) })
	var cost uint64
	for i, t := range terms {
		cost += t.df
		if i == maxTerms || i >= minTerms && cost > maxPostings {
			return terms[:i]
		}
	}
	return terms
}
