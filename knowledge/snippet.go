package knowledge

import (
	"html/template"
	"strings"
	"unicode/utf8"
)

// Fragment is a piece of a snippet; Mark tells that it matches the question.
type Fragment struct {
	Text string
	Mark bool
}

// Snippet is an excerpt of an article around what the question asks.
type Snippet []Fragment

// Text is the snippet without marks.
func (s Snippet) Text() string {
	var b strings.Builder
	for _, f := range s {
		b.WriteString(f.Text)
	}
	return b.String()
}

// HTML is the snippet, escaped, with <mark> around what matches.
func (s Snippet) HTML() template.HTML {
	var b strings.Builder
	for _, f := range s {
		if f.Mark {
			b.WriteString("<mark>" + template.HTMLEscapeString(f.Text) + "</mark>")
		} else {
			b.WriteString(template.HTMLEscapeString(f.Text))
		}
	}
	return template.HTML(b.String())
}

// Columns of a snippet, where a Han character takes two.
const snippetColumns = 200

// Excerpt cuts the part of text that holds most of the question's terms, and
// marks them.
func Excerpt(question, text string) Snippet {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	want := map[string]float64{}
	for _, t := range QueryTerms("", question) {
		if t.decide > 0 {
			want[t.Text] = t.decide
		}
	}
	matches := analyzeOnly("", text, want)
	start, end := window(text, matches, want)
	return mark(text, start, end, matches)
}

func columns(r rune) int {
	if r >= 0x2E80 {
		return 2
	}
	return 1
}

// advance returns the offset that lies the given columns after at.
func advance(text string, at, cols int) int {
	for i, r := range text[at:] {
		if cols -= columns(r); cols < 0 {
			return at + i
		}
	}
	return len(text)
}

// window picks the stretch with the greatest weight of distinct matches, the
// earliest of equals.
func window(text string, matches []Term, want map[string]float64) (int, int) {
	bestStart, best := 0, 0.0
	for i, m := range matches {
		if i > 0 && m.Start == matches[i-1].Start {
			continue
		}
		end := advance(text, m.Start, snippetColumns*4/5)
		seen := map[string]bool{}
		sum := 0.0
		for _, o := range matches[i:] {
			if o.End > end {
				break
			}
			if !seen[o.Text] {
				seen[o.Text] = true
				sum += want[o.Text]
			}
		}
		if sum > best {
			best, bestStart = sum, m.Start
		}
	}
	start := sentenceStart(text, bestStart)
	return start, wordEnd(text, advance(text, start, snippetColumns))
}

// sentenceStart goes back to the beginning of the sentence when it is near,
// otherwise to that of a word a little before.
func sentenceStart(text string, at int) int {
	cols, word := 0, at
	for i := at; i > 0; {
		r, size := utf8.DecodeLastRuneInString(text[:i])
		if strings.ContainsRune("。！？；.!?;", r) {
			for i < at && text[i] == ' ' {
				i++
			}
			return i
		}
		if cols += columns(r); cols > snippetColumns/5 {
			return word
		}
		if r == ' ' || columns(r) == 2 {
			word = i
		}
		i -= size
		if i == 0 {
			return 0
		}
	}
	return word
}

// wordEnd goes back to the end of a word rather than cut it.
func wordEnd(text string, at int) int {
	if at == len(text) {
		return at
	}
	for i := at; i > 0 && at-i < maxTermBytes; {
		r, size := utf8.DecodeLastRuneInString(text[:i])
		if r == ' ' || columns(r) == 2 {
			return i
		}
		i -= size
	}
	return at
}

func mark(text string, start, end int, matches []Term) Snippet {
	var out Snippet
	add := func(s string, m bool) {
		if s == "" {
			return
		}
		if n := len(out); n > 0 && out[n-1].Mark == m {
			out[n-1].Text += s
			return
		}
		out = append(out, Fragment{Text: s, Mark: m})
	}
	if start > 0 {
		add("… ", false)
	}
	at := start
	for _, m := range matches {
		if m.Start < start || m.End > end || m.End <= at {
			continue
		}
		if m.Start > at {
			add(text[at:m.Start], false)
			at = m.Start
		}
		add(text[at:m.End], true)
		at = m.End
	}
	if at < end {
		add(strings.TrimRight(text[at:end], " "), false)
	}
	if end < len(text) {
		add(" …", false)
	}
	return out
}
