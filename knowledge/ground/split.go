package ground

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Split cuts a text into sentences, English and Chinese. A line ends one, a list's bullet is left out, marks that stand behind a full stop
// belong to the sentence before.
func Split(text string) []string {
	var s Splitter
	return append(s.Push(text), s.Flush()...)
}

// Splitter is Split for a text that arrives in pieces: a sentence is given out as soon as it is certain that it is over.
type Splitter struct{ held string }

// Push takes the next piece and gives the sentences that are complete.
func (s *Splitter) Push(piece string) []string {
	s.held += piece
	var out []string
	for {
		end, ok := sentenceEnd(s.held)
		if !ok {
			return out
		}
		if t := tidy(s.held[:end]); t != "" {
			out = append(out, t)
		}
		s.held = s.held[end:]
	}
}

// Flush gives what is left.
func (s *Splitter) Flush() []string {
	t := tidy(s.held)
	s.held = ""
	if t == "" {
		return nil
	}
	return []string{t}
}

var (
	bullet = regexp.MustCompile(`^\s*(?:[-*+•·–]|\d{1,2}[.)、]|[（(]\d{1,2}[)）]|#{1,6})\s+`)
	// trailing marks and closing signs that still belong to the sentence before them.
	behind = regexp.MustCompile(`^(?:["'”’」』）)\]]|\s*[\[【［]\s*\d{1,3}(?:\s*[,，、]\s*\d{1,3})*\s*[\]】］])+`)
	// an open mark may still come: nothing, blanks, or the beginning of one.
	pending = regexp.MustCompile(`^\s{0,3}(?:[\[【［][\d\s,，、]{0,12})?$`)
)

func tidy(s string) string {
	s = strings.TrimSpace(s)
	for {
		t := bullet.ReplaceAllString(s, "")
		if t == s {
			return strings.TrimSpace(s)
		}
		s = t
	}
}

// sentenceEnd finds the end of the first sentence. It reports false when more text may still belong to it.
func sentenceEnd(s string) (int, bool) {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		next := i + size
		switch {
		case r == '\n':
			return markedEnd(s, next)
		case strings.ContainsRune("。！？；!?", r) && !inLink(s, i):
			return markedEnd(s, next)
		case r == '.' || r == ';' || r == '…':
			if next >= len(s) {
				return 0, false
			}
			if r == '.' && !fullStop(s, i) {
				i = next
				continue
			}
			return markedEnd(s, next)
		}
		i = next
	}
	return 0, false
}

// markedEnd takes what belongs behind the sign that ends a sentence.
func markedEnd(s string, end int) (int, bool) {
	if m := behind.FindStringIndex(s[end:]); m != nil {
		end += m[1]
	}
	return end, !pending.MatchString(s[end:])
}

// fullStop tells the end of a sentence from the dot of an abbreviation, a number or a link.
func fullStop(s string, i int) bool {
	after, _ := utf8.DecodeRuneInString(s[i+1:])
	if !unicode.IsSpace(after) && !strings.ContainsRune(`"'”’)]【［[`, after) && !unicode.Is(unicode.Han, after) {
		return false
	}
	word := s[strings.LastIndexFunc(s[:i], func(r rune) bool { return unicode.IsSpace(r) || r == '(' })+1 : i]
	if abbreviations[strings.ToLower(word)] || len([]rune(word)) == 1 && unicode.IsUpper([]rune(word)[0]) {
		return false
	}
	if strings.Trim(word, "0123456789") == "" && word != "" && strings.TrimSpace(s[:i]) == word { // "1." begins an item
		return false
	}
	return true
}

func inLink(s string, i int) bool {
	word := s[strings.LastIndexFunc(s[:i], unicode.IsSpace)+1 : i]
	next, _ := utf8.DecodeRuneInString(s[i+1:])
	return strings.Contains(word, "://") && s[i] == '?' && next != utf8.RuneError && !unicode.IsSpace(next)
}

var abbreviations = map[string]bool{"e.g": true, "i.e": true, "etc": true, "no": true, "mr": true, "mrs": true, "ms": true, "dr": true, "st": true, "vs": true, "approx": true,
	"dept": true, "u.s": true, "a.m": true, "p.m": true, "art": true, "para": true, "sec": true, "fig": true, "inc": true, "ltd": true, "co": true, "tel": true, "ext": true, "nr": true}
