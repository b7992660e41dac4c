package bot

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed data/*.json
var dataFS embed.FS

// lexicon is the cue words of all languages in one index. They are matched together: people say "ok" and "bye" in any language.
//
// A cue is words separated by blanks; Han text needs none. (a|b) are alternatives, may be empty and may nest, * stands for up to four
// words, ^ and $ are the start and the end of a sentence. Latin words of five letters and more may have one typing error.
type lexicon struct {
	vocab    map[string]int
	words    map[byte][]string // Latin vocabulary of 5 letters and more by first letter, for typing errors
	patterns []pattern
	first    map[int][]int
	folds    map[rune]rune // variants of characters → the ones cues are written in, besides traditional ones
	real     map[string]bool
	scripts  map[string]string // language → "Han", "Latin"
	langs    []string
	places   []placeRule
}

// pattern is a cue, compiled.
type pattern struct {
	class string
	nodes []node
}

// node is one part of a cue: a word, a gap, a border, or a group of alternatives.
type node struct {
	kind byte // 'w', '*', '^', '$' or '('
	word int
	alts [][]node
}

// maxGap is how many words a * may stand for.
const maxGap = 4

// cueFile is the shape of data/cues_<lang>.json.
type cueFile struct {
	Script string              `json:"script"`
	Fold   []string            `json:"fold"`     // pairs of characters: variant, then the one cues are written in; traditional ones need none
	Real   []string            `json:"not_typo"` // words that look like a cue with an error but are none
	Cues   map[string][]string `json:"cues"`
	Places *placeWords         `json:"places"`
}

// loadLexicon reads every cues_*.json of a folder. It returns an error that names the file and the cue that is wrong.
func loadLexicon(fsys fs.FS) (*lexicon, error) {
	l := &lexicon{vocab: map[string]int{}, words: map[byte][]string{}, first: map[int][]int{}, folds: map[rune]rune{}, real: map[string]bool{}, scripts: map[string]string{}}
	names, err := fs.Glob(fsys, "data/cues_*.json")
	if err != nil {
		return nil, fmt.Errorf("bot: list cues: %w", err)
	}
	files := make([]cueFile, len(names))
	for i, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("bot: read cues: %w", err)
		}
		if err := json.Unmarshal(raw, &files[i]); err != nil {
			return nil, fmt.Errorf("bot: %s: %w", name, err)
		}
		lang := strings.TrimSuffix(strings.TrimPrefix(name, "data/cues_"), ".json")
		l.scripts[lang] = files[i].Script
		l.langs = append(l.langs, lang)
		for _, pair := range files[i].Fold {
			if r := []rune(pair); len(r) == 2 {
				l.folds[r[0]] = r[1]
			}
		}
		for _, w := range files[i].Real {
			l.real[w] = true
		}
	}
	for i, f := range files {
		for class, cues := range f.Cues {
			for _, cue := range cues {
				if err := l.add(class, cue); err != nil {
					return nil, fmt.Errorf("bot: %s: %s: %w", names[i], class, err)
				}
			}
		}
		if f.Places != nil {
			rule, err := f.Places.compile()
			if err != nil {
				return nil, fmt.Errorf("bot: %s: %w", names[i], err)
			}
			rule.script = f.Script
			l.places = append(l.places, rule)
		}
	}
	for w := range l.vocab {
		if len(w) >= 5 && w[0] < utf8.RuneSelf {
			l.words[w[0]] = append(l.words[w[0]], w)
		}
	}
	for _, ws := range l.words {
		slices.Sort(ws)
	}
	return l, nil
}

func (l *lexicon) add(class, cue string) error {
	nodes, rest, err := l.parse(cue)
	switch {
	case err != nil:
		return fmt.Errorf("cue %q: %w", cue, err)
	case rest != "":
		return fmt.Errorf("cue %q has a bracket too many", cue)
	}
	firsts := map[int]bool{}
	if openStart(nodes, firsts) || len(firsts) == 0 {
		return fmt.Errorf("cue %q matches nothing at all", cue)
	}
	for id := range firsts {
		l.first[id] = append(l.first[id], len(l.patterns))
	}
	l.patterns = append(l.patterns, pattern{class, nodes})
	return nil
}

// parse reads a cue up to a bar or closing bracket that is not its own.
func (l *lexicon) parse(s string) (nodes []node, rest string, err error) {
	for s != "" {
		switch s[0] {
		case '|', ')':
			return nodes, s, nil
		case '*', '^', '$':
			nodes = append(nodes, node{kind: s[0]})
			s = s[1:]
		case '(':
			group := node{kind: '('}
			for s[0] != ')' {
				var alt []node
				if alt, s, err = l.parse(s[1:]); err != nil {
					return nil, "", err
				}
				if s == "" {
					return nil, "", errors.New("a bracket stays open")
				}
				group.alts = append(group.alts, alt)
			}
			nodes = append(nodes, group)
			s = s[1:]
		default:
			end := strings.IndexAny(s, "|()*^$")
			if end < 0 {
				end = len(s)
			}
			for _, t := range l.tokens(s[:end]) {
				id, ok := l.vocab[t.text]
				if !ok {
					id = len(l.vocab)
					l.vocab[t.text] = id
				}
				nodes = append(nodes, node{kind: 'w', word: id})
			}
			s = s[end:]
		}
	}
	return nodes, "", nil
}

// openStart collects the words that a cue can begin with, and reports whether it can match no word at all.
func openStart(nodes []node, firsts map[int]bool) bool {
	for _, n := range nodes {
		switch n.kind {
		case 'w':
			firsts[n.word] = true
			return false
		case '(':
			open := false
			for _, alt := range n.alts {
				if openStart(alt, firsts) {
					open = true
				}
			}
			if !open {
				return false
			}
		}
	}
	return true
}

// match is a cue found in a text: tokens from ≤ i < to.
type match struct {
	class    string
	from, to int
}

// find gives all cues in a text.
func (l *lexicon) find(toks []token) []match {
	m := matcher{toks: toks, ids: make([][]int, len(toks))}
	for i, t := range toks {
		m.ids[i] = l.idsOf(t)
	}
	var out []match
	for i := range toks {
		m.sentence = toks[i].sentence
		for _, id := range m.ids[i] {
			for _, n := range l.first[id] {
				if to := m.run(l.patterns[n].nodes, i, nil); to > i {
					out = append(out, match{l.patterns[n].class, i, to})
				}
			}
		}
	}
	return out
}

type matcher struct {
	toks     []token
	ids      [][]int
	sentence int
}

// frame is what remains to be matched after a group.
type frame struct {
	nodes []node
	next  *frame
}

// run matches nodes and then next at token i, and gives the end of the match or -1. Alternatives are tried in order, gaps short first.
func (m *matcher) run(nodes []node, i int, next *frame) int {
	for len(nodes) == 0 {
		if next == nil {
			return i
		}
		nodes, next = next.nodes, next.next
	}
	n, rest := &nodes[0], nodes[1:]
	inside := i < len(m.toks) && m.toks[i].sentence == m.sentence
	switch n.kind {
	case 'w':
		if inside && slices.Contains(m.ids[i], n.word) {
			return m.run(rest, i+1, next)
		}
	case '^':
		if i == 0 || m.toks[i-1].sentence != m.sentence {
			return m.run(rest, i, next)
		}
	case '$':
		if !inside {
			return m.run(rest, i, next)
		}
	case '*':
		for skip := 0; skip <= maxGap && i+skip <= len(m.toks); skip++ {
			if skip > 0 && m.toks[i+skip-1].sentence != m.sentence {
				break
			}
			if to := m.run(rest, i+skip, next); to >= 0 {
				return to
			}
		}
	case '(':
		after := &frame{rest, next}
		for _, alt := range n.alts {
			if to := m.run(alt, i, after); to >= 0 {
				return to
			}
		}
	}
	return -1
}

// idsOf gives the vocabulary words that a token may stand for: itself, its singular, or a word one typing error away.
func (l *lexicon) idsOf(t token) []int {
	if id, ok := l.vocab[t.text]; ok {
		return []int{id}
	}
	if t.han || len(t.text) < 4 || len(t.text) > 24 {
		return nil
	}
	if s, ok := strings.CutSuffix(t.text, "s"); ok {
		if id, ok := l.vocab[s]; ok {
			return []int{id}
		}
	}
	if len(t.text) < 5 || l.real[t.text] || !isWord(t.text) {
		return nil
	}
	var out []int
	for _, w := range l.words[t.text[0]] {
		if oneError(w, t.text) {
			out = append(out, l.vocab[w])
		}
	}
	return out
}

func isWord(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) {
			return false
		}
	}
	return true
}

// oneError reports whether a and b differ by one letter too many, one missing, one wrong, or two neighbours swapped.
func oneError(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) {
		return true
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
