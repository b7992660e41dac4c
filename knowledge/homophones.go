package knowledge

import (
	"slices"
	"unicode/utf8"

	"hotline/internal/hanzi"
)

// neighbours tell which characters stand side by side in titles, stored questions and keywords, and in how many documents.
type neighbours struct {
	after, before map[rune]map[rune]int
}

func newNeighbours() neighbours {
	return neighbours{after: map[rune]map[rune]int{}, before: map[rune]map[rune]int{}}
}

// pair is two characters that stand side by side.
type pair [2]rune

func (n neighbours) count(pairs []pair, by int) {
	for _, p := range pairs {
		countPair(n.after, p[0], p[1], by)
		countPair(n.before, p[1], p[0], by)
	}
}

func countPair(m map[rune]map[rune]int, a, b rune, by int) {
	if m[a] == nil {
		m[a] = map[rune]int{}
	}
	if m[a][b] += by; m[a][b] <= 0 {
		delete(m[a], b)
	}
	if len(m[a]) == 0 {
		delete(m, a)
	}
}

// wrongChar is a character of a question and what was probably meant.
type wrongChar struct {
	at    int
	meant rune
	docs  int // that know it so
}

// respellHan replaces characters by those that were probably meant: one that forms no word known to any article with its neighbours, where
// one that sounds alike would. It does so where three characters then stand together that headings put together, or where nothing but a word
// of two was asked: many a word is unknown to a collection without being wrong. text is simplified; its length in bytes stays. The caller holds the lock.
func (c *Corpus) respellHan(text string) string {
	ts := Analyze(text)
	if !slices.ContainsFunc(ts, func(t Term) bool { return t.Kind == Pair && c.terms.count(hashTerm(t.Text)) == 0 }) {
		return text
	}
	out := []byte(text)
	for range maxWrongChars {
		w, ok := c.wrongChar(string(out))
		if !ok {
			break
		}
		utf8.AppendRune(out[:w.at], w.meant)
	}
	return string(out)
}

// maxWrongChars bounds the characters that are replaced in one question.
const maxWrongChars = 3

// wrongChar finds the wrong character that most documents know otherwise.
func (c *Corpus) wrongChar(text string) (best wrongChar, found bool) {
	known := map[int]bool{} // offsets of characters that are part of a known word
	var unknown []Term
	for _, t := range Analyze(text) {
		if t.Kind != Pair {
			continue
		}
		if c.terms.count(hashTerm(t.Text)) == 0 {
			unknown = append(unknown, t)
			continue
		}
		_, size := utf8.DecodeRuneInString(t.Text)
		known[t.Start], known[t.Start+size] = true, true
	}
	offer := func(at int, was, meant rune, docs int) {
		if known[at] || meant == was || softChars[string(was)] || utf8.RuneLen(meant) != utf8.RuneLen(was) {
			return
		}
		if !c.together(text, at, meant) {
			return
		}
		if w := (wrongChar{at, meant, docs}); w.docs > best.docs || w.docs == best.docs && (w.at < best.at || w.at == best.at && w.meant < best.meant) {
			best, found = w, true
		}
	}
	for _, t := range unknown {
		a, size := utf8.DecodeRuneInString(t.Text)
		b, _ := utf8.DecodeRuneInString(t.Text[size:])
		for meant, docs := range c.headings.pairs.after[a] {
			if hanzi.SameSound(meant, b) {
				offer(t.Start+size, b, meant, docs)
			}
		}
		for meant, docs := range c.headings.pairs.before[b] {
			if hanzi.SameSound(meant, a) {
				offer(t.Start, a, meant, docs)
			}
		}
	}
	return best, found
}

// together reports whether a character put at an offset stands in three that headings put together, or in two that are all of their run.
func (c *Corpus) together(text string, at int, meant rune) bool {
	run := []rune{meant}
	place := 0
	for i := at; i > 0 && place < 2; place++ {
		r, size := utf8.DecodeLastRuneInString(text[:i])
		if !unspaced(r) {
			break
		}
		run, i = slices.Insert(run, 0, r), i-size
	}
	ahead := text[at+utf8.RuneLen(meant):]
	for range 2 {
		r, size := utf8.DecodeRuneInString(ahead)
		if !unspaced(r) {
			break
		}
		run, ahead = append(run, r), ahead[size:]
	}
	pairs := c.headings.pairs.after
	if len(run) == 2 {
		return pairs[run[0]][run[1]] > 0
	}
	for i := max(0, place-2); i <= place && i+2 < len(run); i++ {
		if pairs[run[i]][run[i+1]] > 0 && pairs[run[i+1]][run[i+2]] > 0 {
			return true
		}
	}
	return false
}
