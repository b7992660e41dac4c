package ground

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hotline/knowledge"
)

// bag is what a sentence, or a stretch of them, holds.
type bag struct {
	words     map[string]bool // stems, characters, pairs
	terms     []term          // in order; of a single sentence only
	facts     map[fact]bool
	names     []string        // that must be found
	raw       map[string]bool // folded words as written, for names
	quotes    []string
	text      string
	turns     map[string]bool // words of the table of opposites
	negations int
	wide      bool // speaks of everybody, or always
}

type term struct {
	text    string
	kind    knowledge.Kind
	negated bool
}

// weight of a term: a pair says more than its characters, figures are judged apart.
func (t term) weight() float64 {
	switch t.kind {
	case knowledge.Pair:
		return 1
	case knowledge.Char:
		return 0.5
	}
	return 1
}

func bagOf(s string) bag {
	s = plain(s)
	b := bag{words: map[string]bool{}, facts: map[fact]bool{}, raw: map[string]bool{}, turns: map[string]bool{}, text: strings.ToLower(norm.NFKC.String(s))}
	neg := negations(s)
	b.negations, b.wide = len(neg), widens.MatchString(b.text)
	for _, t := range knowledge.Analyze(s) {
		if t.Kind == knowledge.Word && (filler[t.Word] || fillerStems[t.Text]) || t.Kind == knowledge.Char && fillerHan[t.Text] {
			continue
		}
		if strings.ContainsAny(t.Text, "0123456789") {
			continue
		}
		b.words[t.Text] = true
		b.terms = append(b.terms, term{t.Text, t.Kind, neg.covers(t.Start)})
	}
	for _, f := range facts(s) {
		b.facts[f] = true
	}
	for _, w := range wordShape.FindAllString(s, -1) {
		b.raw[strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(w, "'s"), "’s"))] = true
	}
	b.names, b.quotes = names(s), quotes(s)
	for _, o := range opposites {
		for _, side := range o {
			if side.MatchString(b.text) {
				b.turns[side.String()] = true
			}
		}
	}
	return b
}

var linkText = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]*)[^)]*\)`)

// plain drops Markdown's signs, links' addresses and the addresses themselves: those are judged apart.
func plain(s string) string {
	s = linkText.ReplaceAllString(s, "$1")
	s = linkShape.ReplaceAllString(s, " ")
	return strings.NewReplacer("**", "", "__", "", "`", "", "*", "", "#", "").Replace(s)
}

func (b bag) clone() bag {
	c := bag{words: map[string]bool{}, facts: map[fact]bool{}, raw: map[string]bool{}, turns: map[string]bool{}}
	c.add(b)
	return c
}

func (b *bag) add(o bag) {
	for k := range o.words {
		b.words[k] = true
	}
	for k := range o.facts {
		b.facts[k] = true
	}
	for k := range o.raw {
		b.raw[k] = true
	}
	b.text += " " + o.text
}

// share is how much of b's words another bag holds.
func (b bag) share(have bag) float64 {
	all, in := 0.0, 0.0
	for _, t := range b.terms {
		all += t.weight()
		if have.words[t.text] {
			in += t.weight()
		}
	}
	if all == 0 {
		return 0
	}
	return in / all
}

func (b bag) factsIn(have bag) bool {
	for f := range b.facts {
		if !f.in(have.facts) {
			return false
		}
	}
	return true
}

func (b bag) namesIn(have bag) bool {
	for _, n := range b.names {
		if !have.raw[n] {
			return false
		}
	}
	for _, q := range b.quotes {
		if !strings.Contains(squeeze(have.text), squeeze(q)) {
			return false
		}
	}
	return true
}

func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(s))
}

var (
	wordShape  = regexp.MustCompile(`[\p{Latin}\p{N}][\p{Latin}\p{N}'’-]*`)
	quoteShape = regexp.MustCompile(`《([^》]{1,60})》|“([^”]{2,60})”|「([^」]{2,60})」|"([^"]{2,60})"`)
)

// names gives the words that name somebody or something: capitals inside a sentence, and words of capitals anywhere.
func names(s string) []string {
	var out []string
	for _, loc := range wordShape.FindAllStringIndex(s, -1) {
		w := s[loc[0]:loc[1]]
		first, size := utf8.DecodeRuneInString(w)
		if !unicode.IsUpper(first) || w == "I" || strings.HasPrefix(w, "I'") || strings.HasPrefix(w, "I’") {
			continue
		}
		capitals := strings.ContainsFunc(w[size:], unicode.IsUpper)
		before := strings.TrimRightFunc(s[:loc[0]], func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"'“‘(*_-`, r) })
		start := before == "" || strings.ContainsAny(before[len(before)-1:], ".:!?;\n") || strings.HasSuffix(before, "。") || strings.HasSuffix(before, "：")
		if start && !capitals {
			continue
		}
		low := strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(w, "'s"), "’s"))
		if _, month := months[low]; month || filler[low] {
			continue
		}
		out = append(out, low)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func quotes(s string) []string {
	var out []string
	for _, m := range quoteShape.FindAllStringSubmatch(s, -1) {
		for _, g := range m[1:] {
			if g != "" {
				out = append(out, g)
			}
		}
	}
	return out
}

// filler are words that answers add without saying anything; the analyzer has dropped the stop words.
var filler = set("need must have may can should would could also please you your yours we our us they their he she it if when then however including include such based following " +
	"according source sources article note am pm get got make made take use used using within will want able way provide provided simply first next finally")

var fillerStems = func() map[string]bool {
	m := map[string]bool{}
	for w := range filler {
		for _, t := range knowledge.Analyze(w) {
			m[t.Text] = true
		}
	}
	return m
}()

var fillerHan = set("的 了 是 在 和 与 及 或 等 您 你 我 们 请 也 就 都 还 而 其 该 此 可 以 为 被 把 将 会 要 有 吗 呢 吧")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
