package knowledge

import (
	"slices"
	"strings"

	"hotline/internal/hanzi"
)

// unframe replaces the expressions that only make a Chinese sentence a
// question by as many spaces as they have bytes, so offsets stay, and
// traditional characters by simplified ones.
func unframe(text string) string { return frameReplacer.Replace(hanzi.Simplify(text)) }

var frameReplacer = func() *strings.Replacer {
	pairs := make([]string, 0, 2*len(frames))
	for _, f := range frames {
		pairs = append(pairs, f, strings.Repeat(" ", len(f)))
	}
	return strings.NewReplacer(pairs...)
}()

// Weights of a question's terms by what they are, before rarity.
const (
	softWeight = 0.2 // wrapping words, pairs with a function character
	charWeight = 0.3 // a character whose pairs are there too
	loneWeight = 0.8 // a character that stands alone
)

// termWeight says how much a term can tell about a subject, given whether it
// is part of a longer run.
func (tongue *tongue) termWeight(t Term, lone bool) float64 {
	switch t.Kind {
	case Char:
		if softChars[t.Text] {
			return 0
		}
		if lone {
			return loneWeight
		}
		return charWeight
	case Pair:
		for _, r := range t.Text {
			if softChars[string(r)] {
				return softWeight
			}
		}
		return 1
	}
	if tongue.soft[t.Text] {
		return softWeight
	}
	return 1
}

// QueryTerm is a distinct term of a question.
type QueryTerm struct {
	Term
	// Times is how often the question says the term.
	Times float64
	// decide is for judging whether a document answers at all: there, single
	// characters and wrapping words must not carry an answer.
	decide float64
}

// QueryTerms returns the distinct terms of a question without its wrapping,
// in order of first appearance, as a text in a language has them. Engines propose with these.
func QueryTerms(lang, text string) []QueryTerm { return subject(lang, text) }

func subject(lang, text string) []QueryTerm {
	ts := AnalyzeIn(lang, unframe(text))
	tongue := tongueOf(lang)
	at := make(map[string]int, len(ts))
	out := make([]QueryTerm, 0, len(ts))
	for i, t := range ts {
		lone := t.Kind == Char && (i == 0 || ts[i-1].Kind != Pair || ts[i-1].End != t.End) &&
			(i+1 == len(ts) || ts[i+1].Kind != Pair || ts[i+1].Start != t.Start)
		d := tongue.termWeight(t, lone)
		if j, ok := at[t.Text]; ok {
			out[j].decide = max(out[j].decide, d)
			out[j].Times++
			continue
		}
		at[t.Text] = len(out)
		out = append(out, QueryTerm{Term: t, Times: 1, decide: d})
	}
	return out
}

// headTerm is a term of a title or stored question.
type headTerm struct {
	hash   uint32
	weight float32
}

func headTerms(lang, q string) []headTerm {
	var out []headTerm
	for _, w := range subject(lang, q) {
		if w.decide > 0 {
			out = append(out, headTerm{hash: hashTerm(w.Text), weight: float32(w.decide)})
		}
	}
	slices.SortFunc(out, func(a, b headTerm) int { return cmpHash(a.hash, b.hash) })
	return out
}
