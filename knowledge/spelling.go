package knowledge

import "strings"

// Words of at least this many letters are compared with the vocabulary when
// they are unknown; shorter ones have too many neighbours.
const spellMin = 5

// spellKey groups words that can be one typing error apart: people rarely
// get the first letter wrong.
type spellKey struct {
	first  byte
	length int8
}

func spellable(w string) bool {
	if len(w) < spellMin-1 || len(w) > 24 {
		return false
	}
	for i := 0; i < len(w); i++ {
		if w[i] < 'a' || w[i] > 'z' {
			return false
		}
	}
	return true
}

func keyOf(w string, delta int) spellKey { return spellKey{w[0], int8(len(w) + delta)} }

// Respell replaces words that no article holds by the known word they are
// one typing error away from, for the engine that proposes; the deciding
// score sees the question as it was written.
func (c *Corpus) Respell(text string) string {
	terms := Analyze(text)
	c.mu.RLock()
	defer c.mu.RUnlock()
	var b strings.Builder
	at := 0
	for _, t := range terms {
		if t.Kind != Word || c.terms.count(hashTerm(t.Text)) > 0 {
			continue
		}
		if v := c.correct(t.Word); v != "" {
			b.WriteString(text[at:t.Start])
			b.WriteString(v)
			at = t.End
		}
	}
	if at == 0 {
		return text
	}
	b.WriteString(text[at:])
	return b.String()
}

func stemOf(word string) string {
	var a analyzer
	return a.stem(word)
}

// correct returns the most frequent known word that is one insertion,
// deletion, substitution or swap away from w, or the empty string. The
// caller holds the lock.
func (c *Corpus) correct(w string) string {
	if len(w) < spellMin || !spellable(w) {
		return ""
	}
	best, freq := "", int32(0)
	for d := -1; d <= 1; d++ {
		for _, n := range c.vocab.spell[keyOf(w, d)] {
			if v := c.vocab.words[n]; (v.docs > freq || v.docs == freq && v.word < best) && oneEdit(w, v.word) {
				best, freq = v.word, v.docs
			}
		}
	}
	return best
}

// oneEdit reports whether a and b differ by exactly one insertion, deletion,
// substitution or swap of neighbours.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
