package knowledge

import (
	"slices"
	"strings"
)

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

// Respell replaces words that no article holds by the known word that was
// probably meant, and Chinese characters by those that sound alike, for the
// engine that proposes; the deciding score sees the question as it was written.
// lang is that of the articles searched, "" any.
func (c *Corpus) Respell(lang, text string) string {
	terms := AnalyzeIn(lang, text)
	c.mu.RLock()
	defer c.mu.RUnlock()
	bare := unframe(text)
	respelled := c.respellHan(bare)
	var b strings.Builder
	at := 0
	for _, t := range terms {
		meant := ""
		switch {
		case t.Kind == Word && !c.knows(lang, t):
			meant = c.correct(t.Word)
		case t.Kind == Char && respelled[t.Start:t.End] != bare[t.Start:t.End]:
			meant = respelled[t.Start:t.End]
		}
		if meant != "" {
			b.WriteString(text[at:t.Start])
			b.WriteString(meant)
			at = t.End
		}
	}
	if at == 0 {
		return text
	}
	b.WriteString(text[at:])
	return b.String()
}

// knows reports whether an article has a word of a text that is of a language,
// or, where that is "", of any.
func (c *Corpus) knows(lang string, t Term) bool {
	if c.terms.count(hashTerm(t.Text)) > 0 {
		return true
	}
	for other := range c.langs {
		if lang == "" && tongueName(other) != "" && c.terms.count(hashTerm(stemOf(other, t.Word))) > 0 {
			return true
		}
	}
	return false
}

// meant gives the term to look for besides one of a question that no article
// holds as it was written, "" when there is none. respelled is the question
// with its Chinese characters corrected.
func (c *Corpus) meant(lang string, t Term, respelled string) string {
	switch {
	case t.Kind != Char && c.terms.count(hashTerm(t.Text)) > 0:
	case t.Kind == Word:
		if v := c.correct(t.Word); v != "" {
			return stemOf(lang, v)
		}
	case respelled[t.Start:t.End] != t.Text:
		return respelled[t.Start:t.End]
	}
	return ""
}

func stemOf(lang, word string) string {
	a := analyzer{tongue: tongueOf(lang)}
	return a.stem(word)
}

// correct returns the known word that was probably meant by w, the most
// frequent of those that come nearest, or the empty string. From five letters
// on that is a word one insertion, deletion, substitution or swap away; else,
// among words of titles and stored questions, one that is two away and sounds
// the same (licens, licence), and for a word of four letters one that has a
// letter more, or two swapped (renw, renew). The caller holds the lock.
func (c *Corpus) correct(w string) string {
	if n, ok := c.vocab.numbers[w]; !spellable(w) || ok && c.vocab.words[n].docs > 0 { // known, in another language
		return ""
	}
	if len(w) >= spellMin {
		if v := c.nearest(w, 1, oneEdit); v != "" {
			return v
		}
	}
	sound := soundOf(w)
	heading := func(v string) bool { return c.headings.stems[v].docs > 0 && soundOf(v) == sound }
	if len(w) < spellMin {
		return c.nearest(w, 1, func(w, v string) bool {
			return len(v) >= len(w) && oneEdit(w, v) && (len(v) > len(w) || sameLetters(w, v)) && heading(v)
		})
	}
	return c.nearest(w, 2, func(w, v string) bool { return heading(v) && edits(w, v) == 2 }) // most words are in no heading
}

// nearest is the most frequent word that is near enough, of at most so many
// letters more or fewer.
func (c *Corpus) nearest(w string, letters int, near func(w, v string) bool) string {
	best, freq := "", int32(0)
	for d := -letters; d <= letters; d++ {
		for _, n := range c.vocab.spell[keyOf(w, d)] {
			if v := c.vocab.words[n]; (v.docs > freq || v.docs == freq && v.word < best) && near(w, v.word) {
				best, freq = v.word, v.docs
			}
		}
	}
	return best
}

func sameLetters(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return string(x) == string(y)
}

// soundOf is what a word of English sounds like, roughly: its consonants, and
// a vowel only at the beginning.
func soundOf(w string) string {
	w = soundReplacer.Replace(w)
	var out []byte
	for i := 0; i < len(w); i++ {
		switch c := w[i]; {
		case strings.IndexByte("aeiouy", c) >= 0 && i > 0, i > 0 && c == w[i-1]:
		default:
			if n := len(out); n == 0 || out[n-1] != c {
				out = append(out, c)
			}
		}
	}
	return string(out)
}

var soundReplacer = strings.NewReplacer("sce", "se", "sci", "si", "ce", "se", "ci", "si", "cy", "sy", "ck", "k", "ch", "ch", "c", "k", "ph", "f", "ght", "t", "kn", "n", "wr", "r", "q", "k", "x", "ks", "z", "s")

// edits counts insertions, deletions, substitutions and swaps of neighbours
// that turn one word into the other.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
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
