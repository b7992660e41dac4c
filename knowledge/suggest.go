package knowledge

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Suggestion is an article offered while a question is being typed.
type Suggestion struct {
	Slug  string
	Title string
}

// URL is the article's path on the citizen portal.
func (s Suggestion) URL() string { return "/a/" + s.Slug }

const sqlServableTitles = `select a.id, a.slug, v.title` + sqlFromLive + ` and a.id = any($4)`

// Suggest gives public articles whose title or stored question goes on as the
// text begins: its last word may be unfinished. Only what may be shown now
// comes back. Errors: the database's.
func (s *Service) Suggest(ctx context.Context, text, lang string, limit int) ([]Suggestion, error) {
	text = cutQuestion(text)
	// A few more than wanted: some may not be servable today.
	hits := s.corpus().Suggest(text, questionLang(text, lang), 2*limit)
	if len(hits) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, 0, len(hits))
	for _, h := range hits {
		if id, err := uuid.Parse(h.ID); err == nil {
			ids = append(ids, id)
		}
	}
	rows, err := s.Pool.Query(ctx, sqlServableTitles, s.today(), false, s.Clock.Now(), ids)
	if err != nil {
		return nil, fmt.Errorf("suggestions: %w", err)
	}
	found := make(map[uuid.UUID]Suggestion, len(ids))
	var id uuid.UUID
	var one Suggestion
	if _, err := pgx.ForEachRow(rows, []any{&id, &one.Slug, &one.Title}, func() error { found[id] = one; return nil }); err != nil {
		return nil, fmt.Errorf("suggestions: %w", err)
	}
	out := make([]Suggestion, 0, limit)
	for _, id := range ids {
		if f, ok := found[id]; ok && len(out) < limit {
			out = append(out, f)
		}
	}
	return out, nil
}

// Limits of one suggestion.
const (
	suggestWords  = 30   // that an unfinished word may become
	suggestLooked = 3000 // documents compared
)

// Suggest proposes public documents for a text that is being typed, best first.
func (c *Corpus) Suggest(text, lang string, limit int) []Hit {
	whole, typed := unfinished(text)
	ws := subject(lang, whole)
	c.mu.RLock()
	defer c.mu.RUnlock()
	t := typing{corpus: c}
	paired := slices.ContainsFunc(ws, func(w QueryTerm) bool { return w.Kind == Pair })
	for _, w := range ws {
		h := hashTerm(w.Text)
		if w.Kind == Word && c.headings.docs.count(h) == 0 {
			if v := c.correct(w.Word); v != "" {
				h = hashTerm(stemOf(lang, v))
			}
		}
		// In a run of characters the pairs say where they stand; the characters alone would find everything.
		if w.Kind == Char && paired && w.decide != loneWeight || w.decide == 0 {
			continue
		}
		t.need(w.decide, h)
	}
	if typed != "" {
		terms := c.headings.beginning(typed, suggestWords)
		if len(terms) == 0 {
			if v := c.correct(typed); v != "" {
				terms = []uint32{hashTerm(stemOf(lang, v))}
			}
		}
		if len(terms) > 0 || !stopBeginning(typed) {
			t.need(1, terms...)
		}
	}
	return t.best(lang, limit)
}

// unfinished takes the last word off where it may go on: nothing stands behind it, and it is of letters.
func unfinished(text string) (whole, typed string) {
	ts := Analyze(text)
	if len(ts) > 0 && ts[len(ts)-1].Kind == Word && ts[len(ts)-1].End == len(text) {
		last := ts[len(ts)-1]
		return text[:last.Start], last.Word
	}
	// A stop word is no term, and yet may be the beginning of one.
	i := len(text)
	for i > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:i])
		if !wordRune(fold(r)) || unspaced(r) {
			break
		}
		i -= size
	}
	return text[:i], strings.ToLower(text[i:])
}

// stopBeginning reports a word that says nothing as it stands.
func stopBeginning(w string) bool { return stopWords[w] || len(w) < 2 }

// typing is what was typed so far: needs, each met by any of its terms.
type typing struct {
	corpus *Corpus
	needs  []need
	weight float64
}

type need struct {
	terms  []uint32
	weight float64
	docs   int
}

func (t *typing) need(weight float64, terms ...uint32) {
	n := need{terms: terms}
	for _, h := range terms {
		n.docs += t.corpus.headings.docs.count(h)
	}
	n.weight = weight * math.Log(1+float64(len(t.corpus.docs)+1)/float64(n.docs+1))
	t.needs = append(t.needs, n)
	t.weight += n.weight
}

// best compares the documents that meet the rarest need that any meets.
func (t *typing) best(lang string, limit int) []Hit {
	rarest := -1
	for i, n := range t.needs {
		if n.docs > 0 && (rarest < 0 || n.docs < t.needs[rarest].docs) {
			rarest = i
		}
	}
	if rarest < 0 {
		return nil
	}
	own := best{limit: limit}
	seen := map[*profile]bool{}
	for _, h := range t.needs[rarest].terms {
		for _, held := range t.corpus.headings.docs.of(h) {
			p := t.corpus.list[held.place()]
			if len(seen) == suggestLooked {
				break
			}
			if seen[p] || p.staff || lang != "" && p.lang != lang {
				continue
			}
			seen[p] = true
			own.add(Hit{ID: p.id, Version: p.version, Score: t.score(p)})
		}
	}
	slices.SortFunc(own.hits, compareHits)
	hits := own.hits[:min(limit, len(own.hits))]
	// Where some say all that was typed, those that say a part of it only distract.
	for i, h := range hits {
		if i > 0 && h.Score < hits[0].Score/2 {
			return hits[:i]
		}
	}
	return hits
}

// score is how much of what was typed a title or question says, and then how
// little else it says.
func (t *typing) score(p *profile) float64 {
	top := 0.0
	for _, head := range p.heads {
		met := 0.0
		for _, n := range t.needs {
			if slices.ContainsFunc(n.terms, func(h uint32) bool { return hasTerm(head, h) }) {
				met += n.weight
			}
		}
		if met > 0 {
			top = max(top, met/t.weight+0.2/float64(len(head)))
		}
	}
	return top
}
