// Package hanzi knows how Chinese characters are written and said: which simplified character stands for a traditional one, and which
// characters sound alike. It is for comparing texts, not for showing them: what a person wrote is shown as they wrote it.
//
// It is pure and may be used by any number of goroutines. It imports the standard library only.
package hanzi

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed data/simplified.txt
var simplifiedData string

// The block of characters that the tables cover; each takes three bytes in UTF-8.
const (
	first = 0x3400
	last  = 0x9FFF
)

// simplified maps a character, less first, to the one to write for it; 0 leaves it as it is.
var simplified = sync.OnceValue(func() *[last - first + 1]uint16 {
	var t [last - first + 1]uint16
	for line := range strings.Lines(simplifiedData) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var from rune
		for _, r := range strings.TrimSpace(line) {
			if from == 0 {
				from = r
				continue
			}
			t[from-first], from = uint16(r), 0
		}
	}
	return &t
})

// SimplifyRune gives the simplified character for a traditional one, and any other as it is.
func SimplifyRune(r rune) rune {
	if r < first || r > last {
		return r
	}
	if s := simplified()[r-first]; s != 0 {
		return rune(s)
	}
	return r
}

// Simplify writes a text in simplified characters. The length in bytes stays, so offsets mean the same in both.
func Simplify(s string) string {
	t := simplified()
	var out []byte
	for i, r := range s {
		if r < first || r > last || t[r-first] == 0 {
			continue
		}
		if out == nil {
			out = []byte(s)
		}
		utf8.AppendRune(out[:i], rune(t[r-first]))
	}
	if out == nil {
		return s
	}
	return string(out)
}
