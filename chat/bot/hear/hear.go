// Package hear understands what people answer in their own words: yes and no, numbers, one of several options, and what they tell unasked.
//
// It would rather understand nothing than something wrong: the bot asks again then, and shows what it has noted from a longer message, so
// that a mistake is seen and corrected.
//
// The words are data, a file for each language; all languages are heard together. Pure: no state, no clock, no network; it imports
// internal/decision, internal/hanzi and the standard library.
package hear

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"

	"hotline/internal/hanzi"
)

//go:embed data/*.json
var data embed.FS

// words is a language's file.
type words struct {
	Yes      []string           `json:"yes"`       // an answer that begins so is a yes
	No       []string           `json:"no"`        // … a no
	EchoYes  []string           `json:"echo_yes"`  // a yes where the question has the word too: 交了 to 您缴了吗 is none, to 您交了吗 it is
	ShortYes []string           `json:"short_yes"` // a yes when nothing follows: "I do"
	ShortNo  []string           `json:"short_no"`  // a no when nothing or the question's own words follow: "I don't"
	Unsure   []string           `json:"unsure"`
	Negation []string           `json:"negation"`
	Hollow   []string           `json:"hollow"` // say nothing about the matter
	Having   []string           `json:"having"` // verbs of questions for what somebody has: more than was asked for may be a yes
	Single   map[string]string  `json:"single"` // words that count one of something: alone is one person
	Numbers  map[string]float64 `json:"numbers"`
	AgeAsked []string           `json:"age_asked"`
	Nearly   []string           `json:"nearly"` // in front of a number that is not reached yet
	Time     []string           `json:"time"`   // units of time, which tell no matter
	// Units are what numbers count, each in the smallest of its group; Above and Below are expressions that compare, with = in front where the
	// number itself is meant too.
	Units map[string]map[string]float64 `json:"units"`
	Above []string                      `json:"above"`
	Below []string                      `json:"below"`
	// Elapsed says how many days ago, from and to, something was: "last week".
	Elapsed map[string][2]float64 `json:"elapsed"`
	UpTo    []string              `json:"up_to"` // before such words they end what was told: "until today"
	Day     dayWords              `json:"day"`
}

// lexicon is all languages together, by first token.
type lexicon struct {
	starts   map[string][]start
	negation map[string]bool
	hollow   map[string]bool
	time     map[string]bool
	having   map[string]bool
	single   map[string]string
	nearly   [][]string
	numbers  map[string]float64
	ageAsked []string
	units    map[string]unit
	compare  []comparison
	elapsed  map[string][2]float64 // by the words as joined
	upTo     []string
	days     []dayRule
}

// start is an expression that an answer begins with.
type start struct {
	toks  []string
	says  Verdict
	short bool
	echo  bool
}

// Verdict on a question for yes or no.
type Verdict string

// The verdicts; the zero value is that nothing was understood.
const (
	Unheard Verdict = ""
	Yes     Verdict = "yes"
	No      Verdict = "no"
	Unsure  Verdict = "unsure"
)

// unit is what a number counts: so many of the smallest of its group.
type unit struct {
	group string
	size  float64
}

// comparison is an expression that says on which side of a number a yes is.
type comparison struct {
	words         string
	below, itself bool
}

// load reads the embedded words once. They are part of the program: that they can be read is tested.
var load = sync.OnceValue(func() *lexicon {
	l := &lexicon{starts: map[string][]start{}, units: map[string]unit{}, negation: map[string]bool{}, hollow: map[string]bool{}, having: map[string]bool{}, single: map[string]string{}, time: map[string]bool{}, numbers: map[string]float64{}, elapsed: map[string][2]float64{}}
	entries, err := data.ReadDir("data")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		raw, err := data.ReadFile("data/" + e.Name())
		var w words
		if err == nil {
			err = json.Unmarshal(raw, &w)
		}
		if err != nil {
			panic(fmt.Errorf("hear: %s: %w", e.Name(), err))
		}
		for _, part := range []struct {
			list  []string
			says  Verdict
			short bool
			echo  bool
		}{{w.Yes, Yes, false, false}, {w.No, No, false, false}, {w.ShortYes, Yes, true, false}, {w.ShortNo, No, true, false}, {w.Unsure, Unsure, false, false}, {w.EchoYes, Yes, false, true}} {
			for _, s := range part.list {
				toks := texts(split(s))
				l.starts[toks[0]] = append(l.starts[toks[0]], start{toks, part.says, part.short, part.echo})
			}
		}
		for set, list := range map[*map[string]bool][]string{&l.negation: w.Negation, &l.hollow: w.Hollow, &l.time: w.Time, &l.having: w.Having} {
			for _, s := range list {
				for _, t := range split(s) {
					(*set)[t.text] = true
				}
			}
		}
		for group, sizes := range w.Units {
			for u, size := range sizes {
				l.units[u] = unit{group, size}
			}
		}
		for below, list := range map[bool][]string{false: w.Above, true: w.Below} {
			for _, s := range list {
				s, itself := strings.CutPrefix(s, "=")
				toks := split(s)
				said := joined(toks)
				if toks[0].han { // stands among other characters
					said = said[1:]
				}
				l.compare = append(l.compare, comparison{said, below, itself})
			}
		}
		for _, s := range w.Nearly {
			l.nearly = append(l.nearly, texts(split(s)))
		}
		maps.Copy(l.single, w.Single)
		for s, n := range w.Numbers {
			l.numbers[s] = n
		}
		for s, span := range w.Elapsed {
			l.elapsed[strings.TrimSpace(joined(split(s)))] = span
		}
		l.upTo = append(l.upTo, w.UpTo...)
		l.days = append(l.days, w.Day.rule(w.Numbers))
		l.ageAsked = append(l.ageAsked, w.AgeAsked...)
	}
	for _, ss := range l.starts { // the longest first: "no doubt" before "no"
		slices.SortStableFunc(ss, func(a, b start) int { return len(b.toks) - len(a.toks) })
	}
	return l
})

// token is a word, a number, or one Han character.
type token struct {
	text   string
	stem   string
	han    bool
	clause int
	apart  bool // a blank stands before it
}

// leastClause is how many characters make a clause of their own before a blank; 一个人 住 is one clause.
const leastClause = 3

// split cuts a text into folded tokens. Apostrophes join: "don't" is "dont".
func split(s string) []token {
	var out []token
	var word strings.Builder
	clause := 0
	flush := func() {
		if word.Len() > 0 {
			w := strings.Trim(word.String(), ".,")
			if w != "" {
				out = append(out, token{text: w, stem: stem(w), clause: clause})
			}
			word.Reset()
		}
	}
	rs := []rune(s)
	for i, r := range rs {
		r = hanzi.SimplifyRune(unicode.ToLower(narrow(r)))
		switch {
		case unicode.Is(unicode.Han, r) || r == '〇':
			flush()
			out = append(out, token{text: string(r), stem: string(r), han: true, clause: clause, apart: i > 0 && unicode.IsSpace(rs[i-1])})
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsNumber(r):
			if w := word.String(); w != "" && unicode.IsNumber(r) != endsInDigit(strings.TrimSuffix(w, ".")) {
				flush() // "67years"
			}
			word.WriteRune(r)
		case (r == '.' || r == ',') && endsInDigit(word.String()) && i+1 < len(rs) && unicode.IsNumber(narrow(rs[i+1])):
			if r == '.' {
				word.WriteRune(r)
			}
		case r == '\'' || r == '’' || r == '`':
		default:
			flush()
			if strings.ContainsRune(".,;!?\n，。；！？、:", r) {
				clause++
			}
		}
	}
	flush()
	from := 0
	for i := 1; i < len(out); i++ { // Chinese is typed with blanks for commas: 还没装修 钥匙拿了
		if out[i].han && out[i].apart && out[i-1].han {
			if i-from >= leastClause && len(out)-i > 1 {
				for k := i; k < len(out); k++ {
					out[k].clause++
				}
			}
			from = i
		}
	}
	for i := 1; i < len(out); i++ { // "but" begins a clause like a comma
		if out[i].text == "but" {
			for k := i; k < len(out); k++ {
				out[k].clause++
			}
		}
	}
	return out
}

func endsInDigit(s string) bool {
	return s != "" && s[len(s)-1] >= '0' && s[len(s)-1] <= '9'
}

func narrow(r rune) rune {
	if r >= '！' && r <= '～' {
		return r - 0xFEE0
	}
	return r
}

func texts(ts []token) []string {
	out := make([]string, len(ts))
	for i, t := range ts {
		out[i] = t.text
	}
	return out
}

// irregular plurals of the people that rules are about, and what is said short.
var irregular = map[string]string{"children": "child", "kid": "child", "kids": "child", "wives": "wif", "men": "man", "women": "woman", "people": "person", "id": "identity"}

// stem takes the ends off English words, roughly: what matters is that the question's word and the answer's become the same.
func stem(w string) string {
	if len(w) < 2 || w[0] >= 0x80 {
		return w
	}
	if one, ok := irregular[w]; ok {
		return one
	}
	if len(w) < 4 {
		return w
	}
	for _, end := range []struct{ cut, put string }{{"ies", "y"}, {"sses", "ss"}, {"ing", ""}, {"ied", "y"}, {"ed", ""}, {"es", ""}, {"s", ""}} {
		base, ok := strings.CutSuffix(w, end.cut)
		if !ok || len(base) < 3 || end.cut == "s" && strings.HasSuffix(base, "s") {
			continue
		}
		w = base + end.put
		break
	}
	if n := len(w); n > 3 && w[n-1] == w[n-2] && w[n-1] != 's' && w[n-1] != 'l' {
		w = w[:n-1]
	}
	return strings.TrimSuffix(w, "e")
}

// content are the stems that tell something; Han text as pairs of characters, and alone where it stands alone.
func (l *lexicon) content(ts []token) []string {
	var out []string
	for i, t := range ts {
		if t.han {
			if i+1 < len(ts) && ts[i+1].han && !l.hollow[t.text] && !l.hollow[ts[i+1].text] {
				out = append(out, t.text+ts[i+1].text)
			}
			continue
		}
		if !l.hollow[t.text] && !l.negation[t.text] {
			out = append(out, t.stem)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// phrase finds an expression in a text, by stems, and gives where it begins; -1 when it does not occur.
func phrase(ts []token, expression string) int {
	want := split(expression)
	if len(want) == 0 {
		return -1
	}
next:
	for i := 0; i+len(want) <= len(ts); i++ {
		for k, w := range want {
			if ts[i+k].stem != w.stem || ts[i+k].clause != ts[i].clause {
				continue next
			}
		}
		return i
	}
	return -1
}

// negated reports whether the token at i stands under a negation: up to four words before it in the clause, two characters in Chinese.
func (l *lexicon) negated(ts []token, i int) bool {
	reach := 4
	if i < len(ts) && ts[i].han {
		reach = 3
	}
	for k := i - 1; k >= 0 && k >= i-reach && ts[k].clause == ts[i].clause; k-- {
		if l.negation[ts[k].text] {
			return true
		}
	}
	return false
}
