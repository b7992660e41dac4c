package tickets

import (
	"strconv"
	"strings"
	"unicode"

	porterstemmer "github.com/blevesearch/go-porterstemmer"
	"golang.org/x/text/unicode/norm"
)

// maxWords bounds the index entry of one ticket; what follows in a very long text is not found.
const maxWords = 3000

// words cuts a text into what the search knows: stemmed Latin words, numbers, and pairs of neighbouring characters in scripts
// that write no spaces. A lone character of such a script is a word of its own.
func words(text string, yield func(word string, ideographic bool)) {
	var run []rune
	spaceless := false
	flush := func() {
		switch {
		case len(run) == 0:
		case !spaceless:
			yield(stem(string(run)), false)
		case len(run) == 1:
			yield(string(run), true)
		default:
			for i := range len(run) - 1 {
				yield(string(run[i:i+2]), true)
			}
		}
		run = run[:0]
	}
	for _, r := range norm.NFKC.String(text) {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
			flush()
			continue
		}
		if is := unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai); is != spaceless {
			flush()
			spaceless = is
		}
		run = append(run, unicode.ToLower(r))
	}
	flush()
}

func stem(w string) string {
	if len(w) > 100 {
		w = w[:100] // nobody searches for it; the index wants short entries
		w = strings.ToValidUTF8(w, "")
	}
	for i := range len(w) {
		if w[i] < 'a' || w[i] > 'z' {
			return w
		}
	}
	return porterstemmer.StemString(w)
}

// SearchVector writes the index entry of a ticket as a tsvector literal: title and place weigh more than the description. The words
// hold letters, marks and digits only, so nothing in it needs quoting.
func SearchVector(t Ticket) string {
	var v vector
	v.putTicket(t)
	return v.String()
}

func (v *vector) putTicket(t Ticket) {
	v.put(t.Title, 'A')
	v.put(t.Place, 'B')
	v.put(t.Description, 'D')
}

// laterWords is what a reply or a citizen's addition adds to the entry.
func laterWords(text string) string {
	var v vector
	v.put(text, 'C')
	return v.String()
}

type vector struct {
	strings.Builder
	words int
}

func (v *vector) put(text string, weight byte) {
	words(text, func(w string, _ bool) {
		if v.words >= maxWords || w == "" {
			return
		}
		v.words++
		v.WriteByte('\'')
		v.WriteString(w)
		v.WriteString("':")
		v.WriteString(strconv.Itoa(v.words))
		v.WriteByte(weight)
		v.WriteByte(' ')
	})
}

// searchQuery writes what staff typed as a tsquery: every word must occur; the last Latin word may be the beginning of one, and a lone
// character the beginning of a pair. It returns "" when nothing can be searched for.
func searchQuery(text string) string {
	type word struct {
		text        string
		ideographic bool
	}
	var all []word
	words(text, func(w string, ideographic bool) {
		if w != "" && len(all) < 32 {
			all = append(all, word{w, ideographic})
		}
	})
	var parts []string
	for i, w := range all {
		q := "'" + w.text + "'"
		switch {
		case w.ideographic && len([]rune(w.text)) == 1:
			q += ":*"
		case !w.ideographic && i == len(all)-1 && len(w.text) >= 3:
			q += ":*"
		}
		parts = append(parts, q)
	}
	return strings.Join(parts, " & ")
}
