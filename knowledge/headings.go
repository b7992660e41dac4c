package knowledge

import (
	"slices"
	"strings"
)

// headings finds documents by the words of their titles and stored questions,
// for suggestions while somebody types. The corpus's lock guards it.
type headings struct {
	docs  postings           // of titles and questions
	stems map[string]heading // words as they are written
	pairs neighbours         // characters of scripts without spaces
	// begin lists words by their first one, two and three bytes, so that what begins with a few letters is found without walking all.
	begin map[string][]string
}

// heading is how often a word stands in titles and questions, and the terms it is looked up by.
type heading struct {
	docs  int
	terms []uint32 // one for each language that stems it otherwise
}

// beginBytes is the longest beginning that words are listed by.
const beginBytes = 3

func newHeadings() headings {
	return headings{docs: newPostings(), stems: map[string]heading{}, pairs: newNeighbours(), begin: map[string][]string{}}
}

func (h *headings) add(p *profile, v *vocabulary) {
	for _, t := range p.headTerms() {
		h.docs.add(t, newPosting(p.at, 0))
	}
	h.pairs.count(p.pairs, 1)
	for _, n := range p.words.headingByNo {
		w := v.words[n].word
		e := h.stems[w]
		if e.docs++; e.docs == 1 {
			for n := 1; n <= min(beginBytes, len(w)); n++ {
				h.begin[w[:n]] = append(h.begin[w[:n]], w)
			}
		}
		if t := hashTerm(stemOf(p.lang, w)); !slices.Contains(e.terms, t) {
			e.terms = append(e.terms, t)
		}
		h.stems[w] = e
	}
}

func (h *headings) remove(p *profile, v *vocabulary) {
	for _, t := range p.headTerms() {
		h.docs.remove(t, p.at)
	}
	h.pairs.count(p.pairs, -1)
	for _, n := range p.words.headingByNo {
		w := v.words[n].word
		e := h.stems[w]
		if e.docs--; e.docs > 0 {
			h.stems[w] = e
			continue
		}
		delete(h.stems, w)
		for n := 1; n <= min(beginBytes, len(w)); n++ {
			h.begin[w[:n]] = slices.DeleteFunc(h.begin[w[:n]], func(o string) bool { return o == w })
		}
	}
}

// mostSame is how many documents are looked at for one that was asked just this.
const mostSame = 5000

// rarest gives the documents that hold the rarest of the terms, nil where one of them is in no title or question or all are in very many.
func (h *headings) rarest(terms []uint32) (held []posting) {
	for i, t := range terms {
		if with := h.docs.of(t); i == 0 || len(with) < len(held) {
			held = with
		}
	}
	return held[:min(len(held), mostSame)]
}

// headTerms are the distinct terms of title and questions.
func (p *profile) headTerms() []uint32 {
	var out []uint32
	for _, head := range p.heads {
		for _, t := range head {
			out = append(out, t.hash)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// beginning gives the terms of the words that begin with what was typed, the most frequent words first.
func (h *headings) beginning(typed string, most int) []uint32 {
	var words []string
	for _, w := range h.begin[typed[:min(beginBytes, len(typed))]] {
		if strings.HasPrefix(w, typed) {
			words = append(words, w)
		}
	}
	slices.SortFunc(words, func(a, b string) int {
		if d := h.stems[b].docs - h.stems[a].docs; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	out := make([]uint32, 0, min(most, len(words)))
	for _, w := range words[:min(most, len(words))] {
		for _, t := range h.stems[w].terms {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}
