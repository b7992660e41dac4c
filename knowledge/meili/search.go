package meili

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meilisearch/meilisearch-go"

	"hotline/knowledge"
)

// Limits of one search.
const (
	maxLimit = 200
	maxText  = 4000 // bytes of a question
	// Meilisearch looks at ten words of a query, so a long question is asked in pieces that overlap, too.
	pieceSize = 20
	wordSize  = 5
	charSize  = 2
	maxPieces = 10
	// nearest is how many articles are asked for by meaning.
	nearest     = 30
	fusionSlack = 20 // of reciprocal ranks: how little the first places of a piece count more than the next
)

// Search implements knowledge.Index. Errors: ErrClosed, ErrAway, ErrKey, ctx's own.
//
// Of each query Meilisearch keeps the words that fewest articles hold and gives up the others one by one. The whole question comes first; its pieces
// see to it that one rare word that is beside the point does not decide alone. What they find is fused by reciprocal ranks. Where an embedder is set up,
// the question as it was asked is searched by its meaning, too.
func (x *Index) Search(ctx context.Context, q knowledge.Query) ([]knowledge.Hit, error) {
	if x.closed.Load() {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text := q.Text
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	pieces := pieces(knowledge.SearchWords(text))
	if len(pieces) == 0 {
		return nil, nil
	}
	limit := q.Limit
	if limit <= 0 {
		limit = knowledge.DefaultLimit
	}
	limit = min(limit, maxLimit)
	lang := knowledge.BaseLang(q.Lang)
	if lang == "" {
		lang = knowledge.DetectLang(text)
	}
	req := &meilisearch.MultiSearchRequest{}
	for _, p := range pieces {
		r := &meilisearch.SearchRequest{IndexUID: x.uid, Query: p, Limit: int64(limit), AttributesToRetrieve: []string{"id", "version"},
			MatchingStrategy: meilisearch.Frequency, Filter: filter(lang, q.Audience), Locales: chinese, ShowRankingScore: true}
		req.Queries = append(req.Queries, r)
	}
	if x.hybrid != nil { // the last
		req.Queries = append(req.Queries, &meilisearch.SearchRequest{IndexUID: x.uid, Query: text, Limit: int64(min(limit, nearest)), AttributesToRetrieve: []string{"id", "version"},
			Filter: filter(lang, q.Audience), ShowRankingScore: true, Hybrid: x.hybrid})
	}
	var resp *meilisearch.MultiSearchResponse
	if err := x.call(ctx, searchWithin, "search", func(ctx context.Context) (err error) {
		resp, err = x.server.MultiSearch(ctx, req)
		if noMeaning(err) { // its model is away; the words need none
			req.Queries = req.Queries[:len(pieces)]
			resp, err = x.server.MultiSearch(ctx, req)
		}
		return err
	}); err != nil {
		return nil, err
	}
	if len(resp.Results) != len(req.Queries) {
		return nil, ErrAway.Wrap(fmt.Errorf("search: %d queries got %d answers", len(req.Queries), len(resp.Results)))
	}
	results := resp.Results
	var near []meilisearch.SearchResponse
	if x.hybrid != nil {
		results, near = results[:len(pieces)], results[len(pieces):]
	}
	return besides(fuse(results, limit), fuse(near, limit)), nil
}

func noMeaning(err error) bool {
	var e *meilisearch.Error
	return errors.As(err, &e) && e.APIError.Code == "vector_embedding_error"
}

// besides adds what means the same to what words found, in whose order it has no say.
func besides(hits, near []knowledge.Hit) []knowledge.Hit {
	for i, n := range near {
		at := slices.IndexFunc(hits, func(h knowledge.Hit) bool { return h.ID == n.ID })
		if at < 0 {
			n.Score = 0
			hits, at = append(hits, n), len(hits)
		}
		hits[at].Near = i + 1
	}
	return hits
}

func filter(lang, audience string) []string {
	var out []string
	if lang != "" {
		out = append(out, "lang = "+quote(lang))
	}
	if audience != knowledge.AudienceStaff {
		out = append(out, "audience = "+quote(knowledge.AudiencePublic))
	}
	return out
}

var quotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quote(s string) string { return `"` + quotes.Replace(s) + `"` }

// pieces are the queries of a question: all of it, and where that is long, stretches of it that overlap. A word takes as much of a stretch as two and a half
// Chinese characters, which the server makes one or two words of.
func pieces(words []string) []string {
	if len(words) == 0 {
		return nil
	}
	type atom struct {
		text string
		size int
	}
	var atoms []atom
	for _, w := range words {
		if !unspaced(w) {
			atoms = append(atoms, atom{" " + w, wordSize})
			continue
		}
		before := " "
		for _, r := range w {
			atoms = append(atoms, atom{before + string(r), charSize})
			before = ""
		}
	}
	out := []string{strings.Join(words, " ")}
	for from := 0; len(out) < maxPieces; {
		var b strings.Builder
		size, to, next := 0, from, from
		for ; to < len(atoms) && size < pieceSize; to++ {
			b.WriteString(atoms[to].text)
			if size += atoms[to].size; size <= pieceSize/2 {
				next = to + 1
			}
		}
		if from == 0 && to == len(atoms) { // it is short
			break
		}
		out = append(out, strings.TrimSpace(b.String()))
		if to == len(atoms) {
			break
		}
		from = next
	}
	return out
}

// unspaced reports a run of characters of a script that is written without spaces, as knowledge gives it.
func unspaced(w string) bool {
	r, _ := utf8.DecodeRuneInString(w)
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

type hit struct {
	Key     string  `json:"id"`
	Version int     `json:"version"`
	Score   float64 `json:"_rankingScore"`
}

// fuse adds up reciprocal ranks. Equal scores of one piece have one rank, so that equals stay equal.
func fuse(results []meilisearch.SearchResponse, limit int) []knowledge.Hit {
	scores := map[string]*knowledge.Hit{}
	for _, r := range results {
		rank, last := 0, -1.0
		for i, raw := range r.Hits {
			var h hit
			if raw.DecodeInto(&h) != nil {
				continue
			}
			id, ok := idOf(h.Key)
			if !ok {
				continue
			}
			if h.Score != last {
				rank, last = i, h.Score
			}
			f := scores[id]
			if f == nil {
				f = &knowledge.Hit{ID: id, Version: h.Version}
				scores[id] = f
			}
			f.Score += 1 / float64(fusionSlack+rank)
		}
	}
	out := make([]knowledge.Hit, 0, len(scores))
	for _, h := range scores {
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b knowledge.Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return out[:min(limit, len(out))]
}
