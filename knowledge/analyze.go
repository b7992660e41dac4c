package knowledge

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"golang.org/x/text/unicode/norm"

	"hotline/internal/hanzi"
)

// Kind tells what a Term was made of.
type Kind uint8

const (
	Word Kind = iota // a stemmed word or number of an alphabetic script
	Char             // one character of a script written without spaces
	Pair             // two neighbouring characters of such a script
)

// Term is a unit of search. Start and End are byte offsets of its source in
// the analysed text.
type Term struct {
	Text       string
	Word       string // for a Word, its folded form before stemming
	Kind       Kind
	Start, End int
}

// maxTermBytes bounds a term: a longer run of letters is not a word anyone
// searches for, and is cut there.
const maxTermBytes = 64

// Analyze splits text into terms, in order. Words are folded (width, case,
// diacritics), freed of English stop words and stemmed; runs of Han, kana and
// Hangul characters give each character and each neighbouring pair, in
// simplified characters whichever the text is written in. Invalid UTF-8
// separates terms.
func Analyze(text string) []Term { return AnalyzeIn("", text) }

// AnalyzeIn is Analyze for a text in a language: Spanish and French words are
// freed of their own function words and stemmed by their own rules.
func AnalyzeIn(lang, text string) []Term {
	a := analyzer{tongue: tongueOf(lang)}
	a.run(text)
	return a.terms
}

// analyzeOnly gives the terms that are in want, in order. A snippet needs few
// of an article's thousands, and keeping all of them would be most of what a
// search allocates.
func analyzeOnly(lang, text string, want map[string]float64) []Term {
	a := analyzer{want: want, tongue: tongueOf(lang)}
	a.run(text)
	return a.terms
}

type analyzer struct {
	tongue *tongue
	terms  []Term
	want   map[string]float64 // nil: all
	env    *snowballstem.Env
	word   []byte
}

// unspaced reports scripts whose words are not separated by spaces, or, for
// Hangul, whose endings stick to the word.
func unspaced(r rune) bool {
	if r < 0x1100 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r == 'ー' || r == '々'
}

// fold maps a rune to its search form: half width, lower case.
func fold(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	case r >= 0xFF01 && r <= 0xFF5E: // full-width ASCII
		return fold(r - 0xFEE0)
	case r == '’' || r == '‘' || r == 'ʼ':
		return '\''
	}
	return unicode.ToLower(r)
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

func (a *analyzer) emit(t Term) {
	if a.want == nil || a.want[t.Text] > 0 {
		a.terms = append(a.terms, t)
	}
}

func (a *analyzer) run(text string) {
	text = hanzi.Simplify(text)
	for i := 0; i < len(text); {
		raw, size := utf8.DecodeRuneInString(text[i:])
		r := fold(raw)
		switch {
		case raw == utf8.RuneError && size <= 1:
			i++
		case unspaced(r):
			i = a.scanRun(text, i)
		case wordRune(r):
			i = a.scanWord(text, i)
		default:
			i += size
		}
	}
}

// scanRun emits characters and pairs from start to the end of the run.
func (a *analyzer) scanRun(text string, start int) int {
	prev := -1
	i := start
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unspaced(r) {
			break
		}
		if prev >= 0 {
			a.emit(Term{Text: text[prev : i+size], Kind: Pair, Start: prev, End: i + size})
		}
		a.emit(Term{Text: text[i : i+size], Kind: Char, Start: i, End: i + size})
		prev = i
		i += size
	}
	return i
}

// scanWord emits at most one stemmed word.
func (a *analyzer) scanWord(text string, start int) int {
	a.word = a.word[:0]
	i := start
	plain := true
	for i < len(text) {
		raw, size := utf8.DecodeRuneInString(text[i:])
		r := fold(raw)
		if raw == utf8.RuneError && size <= 1 || unspaced(r) {
			break
		}
		if r == '\'' {
			next, _ := utf8.DecodeRuneInString(text[i+size:])
			if !unicode.IsLetter(next) || unspaced(next) {
				break
			}
		} else if !wordRune(r) {
			break
		}
		if len(a.word) < maxTermBytes {
			a.word = utf8.AppendRune(a.word, r)
		}
		plain = plain && r < utf8.RuneSelf
		i += size
	}
	w := a.tongue.unelided(string(a.word))
	if !plain {
		w = stripMarks(w)
	}
	w = strings.TrimSuffix(w, "'s")
	if a.tongue.stop[w] {
		return i
	}
	w = strings.ReplaceAll(w, "'", "")
	if len(w) > maxTermBytes { // decomposed letters are longer
		w = strings.ToValidUTF8(w[:maxTermBytes], "")
	}
	if w == "" || a.tongue.stop[w] {
		return i
	}
	a.emit(Term{Text: a.stem(w), Word: w, Kind: Word, Start: start, End: i})
	return i
}

func (a *analyzer) stem(w string) string {
	if len(w) < 3 {
		return w
	}
	for i := 0; i < len(w); i++ {
		if c := w[i]; c < 'a' || c > 'z' { // numbers and codes stay as they are
			return w
		}
	}
	accented := a.tongue.accented(w)
	if a.env == nil {
		a.env = snowballstem.NewEnv(accented)
	} else {
		a.env.SetCurrent(accented)
	}
	a.tongue.stem(a.env)
	if len(accented) == len(w) {
		return a.env.Current()
	}
	return stripMarks(a.env.Current())
}

// stripMarks removes diacritics, so that "logement étudiant" is found without
// an accent key.
func stripMarks(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		// Some letters decompose into whole words with spaces between.
		if r == '\'' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}
