package ground

import "slices"

// SameFacts reports whether two texts hold the same figures, telephone numbers, links and addresses: what a translation must not change. Units are
// words and may differ; a figure written as a word counts like the figure.
func SameFacts(a, b string) bool {
	la, lb := links(a), links(b)
	for _, l := range la {
		if !slices.Contains(lb, l) {
			return false
		}
	}
	for _, l := range lb {
		if !slices.Contains(la, l) {
			return false
		}
	}
	va, vb := values(a), values(b)
	for v := range va {
		if !vb[v] {
			return false
		}
	}
	for v := range vb {
		if !va[v] {
			return false
		}
	}
	return true
}

// values are the figures of a text; one is too often a word to be compared.
func values(s string) map[string]bool {
	out := map[string]bool{}
	for _, f := range facts(plain(s)) {
		if f.value != "1" && f.unit != "weekday" {
			out[f.value] = true
		}
	}
	return out
}

// minAbout is how much of a question an article must hold to be its answer.
const minAbout = 0.4

// About reports whether a question is about the sources: some of its words stand there, and no figure, name or link that does not.
func (t *Text) About(question string) bool {
	if len(links(question)) > 0 || markupShape.MatchString(question) {
		return false
	}
	b := bagOf(question)
	for _, s := range t.sources {
		have := s.title.clone()
		for _, x := range s.sentences {
			have.add(x)
		}
		if b.share(have) >= minAbout && b.factsIn(have) && b.namesIn(have) {
			return true
		}
	}
	return false
}
