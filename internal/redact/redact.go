// Package redact takes what identifies a person out of a text and puts it back again.
//
// A Redactor belongs to one piece of work (one model call, one stored question). Hide replaces every finding by a placeholder such as
// [PHONE_1]; the same words get the same placeholder in all texts of one Redactor, so a reader, human or model, still sees that two
// numbers are one. Restore puts the words back, byte for byte: Restore(Hide(x)) is x for every x, also where x contains something that
// looks like a placeholder already (that is hidden like everything else, so nobody can ask for another's words by writing one).
//
// What is found: telephone numbers, e-mail addresses, identity cards, passports, bank cards and accounts, licence plates, tracking codes,
// addresses in the network, links that carry a token, front doors, names that were given as known and names that somebody says are theirs.
// A word too many is hidden rather than one too few: it comes back anyway.
//
// The package is pure: no clock, no network, no package of the house. A Redactor is safe for use by several goroutines.
package redact

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Redactor remembers what it has hidden.
type Redactor struct {
	mu     sync.Mutex
	known  []string          // names and addresses, longest first
	marks  map[string]string // hidden words → placeholder
	words  map[string]string // placeholder → hidden words
	counts map[string]int
}

// New makes a Redactor. known are names and addresses that the caller knows to be somebody's: the contact's name, their street and door.
func New(known ...string) *Redactor {
	r := &Redactor{marks: map[string]string{}, words: map[string]string{}, counts: map[string]int{}}
	for _, k := range known {
		r.learn(k)
	}
	return r
}

// Learn reads a text for the names that somebody says are theirs, without hiding anything, so that they are hidden in texts that come
// before it in a conversation.
func (r *Redactor) Learn(texts ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, text := range texts {
		for _, name := range saidNames(narrow(text).text) {
			r.learn(name)
		}
	}
}

// learn adds one known name or address. Of a name of several Latin words each word counts too.
func (r *Redactor) learn(known string) {
	known = strings.TrimSpace(narrow(known).text)
	add := func(k string) {
		if utf8.RuneCountInString(k) >= 2 && !slices.Contains(r.known, k) {
			r.known = append(r.known, k)
		}
	}
	add(known)
	if parts := strings.Fields(known); len(parts) > 1 && len(parts) <= 4 && isLatinName(parts) {
		for _, p := range parts {
			if len(p) >= 3 {
				add(p)
			}
		}
	}
	slices.SortStableFunc(r.known, func(a, b string) int { return len(b) - len(a) })
}

// Hide gives the text with everything personal replaced.
func (r *Redactor) Hide(text string) string {
	if text == "" {
		return ""
	}
	r.Learn(text)
	r.mu.Lock()
	defer r.mu.Unlock()
	n := narrow(text)
	found := find(n.text, r.known)
	if len(found) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, f := range found {
		from, to := n.at[f.from], n.at[f.to]
		b.WriteString(text[at:from])
		b.WriteString(r.mark(f.kind, text[from:to]))
		at = to
	}
	b.WriteString(text[at:])
	return b.String()
}

func (r *Redactor) mark(kind, words string) string {
	if m, ok := r.marks[words]; ok {
		return m
	}
	r.counts[kind]++
	m := "[" + kind + "_" + strconv.Itoa(r.counts[kind]) + "]"
	r.marks[words], r.words[m] = m, words
	return m
}

// Restore puts the hidden words back. Placeholders are also known by the shapes that models give them (【PHONE_1】, [phone 1]). One that
// this Redactor never gave stays as it is: see Strange.
func (r *Redactor) Restore(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return placeholder.ReplaceAllStringFunc(text, func(m string) string {
		if words, ok := r.words[canonical(m)]; ok {
			return words
		}
		return m
	})
}

// Strange reports whether a restored text still holds a placeholder: the writer made it up, and it means nothing to anybody.
func (r *Redactor) Strange(restored string) bool { return placeholder.MatchString(restored) }

// canonical writes a placeholder the way mark does.
func canonical(m string) string {
	p := placeholder.FindStringSubmatch(m)
	return "[" + strings.ToUpper(p[1]) + "_" + p[2] + "]"
}

// narrowed is a text in half-width characters; at[i] is where its byte i stands in the original.
type narrowed struct {
	text string
	at   []int
}

// narrow writes full-width digits, letters and signs in half width, which is how the patterns know them.
func narrow(s string) narrowed {
	var b strings.Builder
	at := make([]int, 0, len(s)+1)
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case c >= 0xFF01 && c <= 0xFF5E:
			b.WriteByte(byte(c - 0xFEE0))
			at = append(at, i)
		case c == 0x3000:
			b.WriteByte(' ')
			at = append(at, i)
		default:
			b.WriteString(s[i : i+size])
			for j := range size {
				at = append(at, i+j)
			}
		}
		i += size
	}
	return narrowed{b.String(), append(at, len(s))}
}

// isLatinName reports whether all words are letters and begin with a capital.
func isLatinName(words []string) bool {
	for _, w := range words {
		first, _ := utf8.DecodeRuneInString(w)
		if !unicode.IsUpper(first) {
			return false
		}
		for _, c := range w {
			if !unicode.Is(unicode.Latin, c) && c != '-' && c != '\'' && c != '.' {
				return false
			}
		}
	}
	return true
}
