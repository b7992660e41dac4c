package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"hotline/internal/hanzi"
)

// Limits in characters. A message is never lost: the conversation keeps it whole; these bound what the policy reads and copies.
const (
	maxRead        = 20000
	maxDescription = 4000
	maxPlace       = 300
	maxPlaceRead   = 2000
	maxQuestion    = 500
	maxTitle       = 60
)

// token is a word of letters or digits, or a single Han character, folded for comparison.
type token struct {
	text       string
	start, end int // bytes in the cleaned text
	sentence   int
	han        bool
}

// clean gives readable text: valid UTF-8, no control or invisible characters, at most maxRead characters, no blanks around.
func clean(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(s, "") {
		if n++; n > maxRead {
			break
		}
		switch {
		case r == '\n':
			b.WriteRune(r)
		case r == '\r':
		case r == '\t', r == '\u00a0', r == '\u3000':
			b.WriteByte(' ')
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
		default:
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

// narrow turns a full-width character into the ASCII one.
func narrow(r rune) rune {
	if r >= '！' && r <= '～' {
		return r - 0xFEE0
	}
	return r
}

// fold maps one character to the form that cues are written in.
func (l *lexicon) fold(r rune) rune {
	r = hanzi.SimplifyRune(unicode.ToLower(narrow(r)))
	if s, ok := l.folds[r]; ok {
		return s
	}
	return r
}

// tokens cuts cleaned text. Apostrophes join: "don't" is one word, "dont".
func (l *lexicon) tokens(s string) []token {
	var out []token
	var word strings.Builder
	start, sentence := -1, 0
	flush := func(end int) {
		if start >= 0 {
			out = append(out, token{text: word.String(), start: start, end: end, sentence: sentence})
			word.Reset()
			start = -1
		}
	}
	for i, raw := range s {
		r := l.fold(raw)
		switch {
		case unicode.Is(unicode.Han, r):
			flush(i)
			out = append(out, token{text: string(r), start: i, end: i + utf8.RuneLen(raw), sentence: sentence, han: true})
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r):
			if start < 0 {
				start = i
			}
			word.WriteRune(r)
		case r == '\'' || r == '’' || r == '`':
			// joins
		default:
			flush(i)
			if strings.ContainsRune(".!?;\n。", r) && !decimalPoint(s, i) {
				sentence++
			}
		}
	}
	flush(len(s))
	return out
}

// decimalPoint reports whether the dot at byte i stands between two digits or letters, as in 3.5 and a.b@c.de.
func decimalPoint(s string, i int) bool {
	if s[i] != '.' || i == 0 || i+1 >= len(s) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[i+1:])
	return unicode.IsLetter(next) || unicode.IsDigit(next)
}

// cut shortens s to n characters, with an ellipsis when something was left out.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return strings.TrimSpace(string(r[:n-1])) + "…"
}

// title makes a heading from a description: its first sentence, shortened.
func title(description string) string {
	s := strings.TrimSpace(description)
	if i := strings.IndexAny(s, "\n。！？!?；;"); i > 0 {
		s = s[:i]
	}
	if i := strings.Index(s, ". "); i > 0 {
		s = s[:i]
	}
	return cut(strings.TrimSpace(strings.TrimRight(s, ".,，")), maxTitle)
}

// defuse keeps a citizen's braces from being taken for placeholders.
func defuse(s string) string { return strings.NewReplacer("{", "｛", "}", "｝").Replace(s) }
