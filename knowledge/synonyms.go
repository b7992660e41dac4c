package knowledge

import "strings"

// Synonyms finds known expressions in a question and gives what else they
// are called. It works on analysed terms, so a Chinese word, which is several
// characters and pairs, and an English phrase are handled alike; engines
// whose own synonyms replace single tokens cannot do that.
//
// Groups of languages that are analysed alike serve each other's questions.
type Synonyms struct {
	byFirst map[string]map[string][]synonym // by the name of the analysis and the first term
}

type synonym struct {
	seq        []string // term texts, in order
	alternates [][]Term
}

// NewSynonyms compiles groups. Expressions without searchable terms and
// groups of one are ignored.
func NewSynonyms(groups []SynonymGroup) *Synonyms {
	s := &Synonyms{byFirst: map[string]map[string][]synonym{}}
	for _, g := range groups {
		var exprs [][]Term
		seen := map[string]bool{}
		for _, t := range g.Terms {
			ts := AnalyzeIn(g.Lang, t)
			if k := strings.Join(texts(ts), "\x00"); len(ts) > 0 && !seen[k] {
				seen[k] = true
				exprs = append(exprs, ts)
			}
		}
		if len(exprs) < 2 {
			continue
		}
		of := s.byFirst[tongueName(g.Lang)]
		if of == nil {
			of = map[string][]synonym{}
			s.byFirst[tongueName(g.Lang)] = of
		}
		for i, e := range exprs {
			y := synonym{seq: texts(e)}
			for j, o := range exprs {
				if i != j {
					y.alternates = append(y.alternates, o)
				}
			}
			of[y.seq[0]] = append(of[y.seq[0]], y)
		}
	}
	return s
}

func texts(ts []Term) []string {
	out := make([]string, len(ts))
	for i, t := range ts {
		out[i] = t.Text
	}
	return out
}

// Expansion says that terms[From:To] of a question are also called Alternates.
type Expansion struct {
	From, To   int
	Alternates [][]Term
}

// Expand finds every known expression in the terms of a text in a language.
func (s *Synonyms) Expand(lang string, terms []Term) []Expansion {
	if s == nil || len(s.byFirst) == 0 {
		return nil
	}
	var out []Expansion
	of := s.byFirst[tongueName(lang)]
	for i, t := range terms {
		for _, y := range of[t.Text] {
			if i+len(y.seq) <= len(terms) && startsWith(terms[i:], y.seq) {
				out = append(out, Expansion{From: i, To: i + len(y.seq), Alternates: y.alternates})
			}
		}
	}
	return out
}

func startsWith(terms []Term, seq []string) bool {
	for i, s := range seq {
		if terms[i].Text != s {
			return false
		}
	}
	return true
}
