// Package ground decides whether a sentence that a language model wrote is supported by the texts it cites.
//
// It takes the model's word for nothing. A sentence passes when it carries the mark of a source ([1], [2]…), when a stretch of that source of
// a few sentences holds enough of its content words, when every figure, date, amount, telephone number, link, e-mail address and name in it stands in
// that stretch too, and when it does not turn the source's sense around (a negation more or less, at most for at least). Everything else is withheld:
// a true sentence too few is a shorter answer, a false one too many is a lie told by an authority.
//
// It is made for English and Chinese and works in memory: no database, no clock, no network.
package ground

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hotline/knowledge"
)

// Source is a text that was given to the model. The first is cited as [1].
type Source struct {
	Title string
	Text  string // plain or Markdown
}

// Why a sentence is withheld.
const (
	Uncited    = "uncited"   // no mark
	NoSource   = "no_source" // a mark of no source
	OtherWords = "words"     // the source speaks of something else
	OtherFact  = "fact"      // a figure, date, amount or number that is not there
	OtherLink  = "link"      // a link or e-mail address that is not there
	OtherName  = "name"      // a name that is not there
	Turned     = "turned"    // the source says the opposite
	NoText     = "no_text"   // nothing but marks
	Hidden     = "hidden"    // characters that people do not see
	Markup     = "markup"    // HTML, images, code: not the shape of an answer
)

// Verdict is what is thought of a sentence.
type Verdict struct {
	Text      string // without marks
	Marks     []int  // sources, each once, in order of appearance
	Supported bool
	Why       string  // "" when supported
	Share     float64 // of its content words in the best stretch
}

// minShare is how much of a sentence its source must hold. Measured on real articles: see TestMeasured and docs/knowledge.md.
const minShare = 0.62

// maxStretch is of how many sentences a stretch is at most: a fact that stands further away belongs to something else.
const maxStretch = 4

// Text is a set of sources, read once for many sentences.
type Text struct{ sources []source }

type source struct {
	title     bag
	titleRaw  string
	sentences []bag
	links     map[string]bool
}

// Read prepares sources.
func Read(sources []Source) *Text {
	t := &Text{}
	for _, s := range sources {
		src := source{title: bagOf(s.Title), titleRaw: s.Title, links: map[string]bool{}}
		for _, l := range links(s.Text) {
			src.links[l] = true
		}
		for _, sentence := range Split(s.Text) {
			src.sentences = append(src.sentences, bagOf(sentence))
		}
		t.sources = append(t.sources, src)
	}
	return t
}

var markShape = regexp.MustCompile(`\s*[\[【［]\s*(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\s*[\]】］]`)

// Marks takes the marks out of a sentence.
func Marks(sentence string) (text string, marks []int) {
	for _, m := range markShape.FindAllStringSubmatch(sentence, -1) {
		for _, n := range strings.FieldsFunc(m[1], func(r rune) bool { return r < '0' || r > '9' }) {
			if k, err := strconv.Atoi(n); err == nil && !slices.Contains(marks, k) {
				marks = append(marks, k)
			}
		}
	}
	return strings.TrimSpace(markShape.ReplaceAllString(sentence, "")), marks
}

var markupShape = regexp.MustCompile("(?i)<[a-z/!][^>]*>|!\\[[^\\]]*\\]\\(|```|javascript:|data:text")

// Check judges one sentence with its marks.
func (t *Text) Check(sentence string) Verdict {
	text, marks := Marks(sentence)
	v := Verdict{Text: text, Marks: marks}
	refuse := func(why string) Verdict { v.Why = why; return v }
	switch {
	case !hasContent(text):
		return refuse(NoText)
	case strings.ContainsFunc(text, unseen):
		return refuse(Hidden)
	case markupShape.MatchString(text):
		return refuse(Markup)
	case len(marks) == 0:
		return refuse(Uncited)
	}
	var cited []source
	for _, m := range marks {
		if m < 1 || m > len(t.sources) {
			return refuse(NoSource)
		}
		cited = append(cited, t.sources[m-1])
	}
	for _, l := range links(text) {
		if !slices.ContainsFunc(cited, func(s source) bool { return s.links[l] }) {
			return refuse(OtherLink)
		}
	}
	b := bagOf(text)
	best := stretch{why: OtherWords}
	for _, s := range cited {
		if c := s.best(b); c.better(best) {
			best = c
		}
	}
	// What is told of several sources may need a stretch of each.
	if best.why != "" && len(cited) > 1 {
		if c := both(cited, b); c.better(best) {
			best = c
		}
	}
	if best.why == "" {
		var all []bag
		for _, s := range cited {
			all = append(all, s.sentences...)
		}
		if against(b, all) {
			best.why = Turned
		}
	}
	v.Share, v.Why, v.Supported = best.share, best.why, best.why == ""
	return v
}

// stretch is a run of a source's sentences and how well it carries a sentence.
type stretch struct {
	share float64
	why   string
	of    bag
}

// rank orders the reasons: who only has another figure is nearer to the truth than who speaks of something else.
var rank = map[string]int{"": 5, Turned: 4, OtherFact: 3, OtherName: 2, OtherWords: 1}

func (s stretch) better(than stretch) bool {
	if rank[s.why] != rank[than.why] {
		return rank[s.why] > rank[than.why]
	}
	return s.share > than.share
}

// best looks for the stretch that carries the sentence.
func (s source) best(b bag) stretch {
	best := stretch{why: OtherWords}
	for from := range s.sentences {
		have := s.title.clone()
		for to := from; to < min(len(s.sentences), from+maxStretch); to++ {
			have.add(s.sentences[to])
			c := judge(b, have, s.sentences[from:to+1])
			c.of = have
			if c.better(best) {
				c.of = have.clone()
				best = c
			}
		}
	}
	if len(s.sentences) == 0 {
		return judge(b, s.title, nil)
	}
	return best
}

// both joins the best stretch of each source.
func both(cited []source, b bag) stretch {
	have := bag{}.clone()
	var near []bag
	for _, s := range cited {
		best, share := []bag{}, -1.0
		for from := range s.sentences {
			for to := from; to < min(len(s.sentences), from+2); to++ {
				w := bag{}.clone()
				for _, x := range s.sentences[from : to+1] {
					w.add(x)
				}
				if sh := b.share(w); sh > share {
					best, share = s.sentences[from:to+1], sh
				}
			}
		}
		have.add(s.title)
		for _, x := range best {
			have.add(x)
		}
		near = append(near, best...)
	}
	return judge(b, have, near)
}

func judge(b, have bag, near []bag) stretch {
	c := stretch{share: b.share(have)}
	switch {
	case c.share < minShare:
		c.why = OtherWords
	case !b.namesIn(have):
		c.why = OtherName
	case !b.factsIn(have):
		c.why = OtherFact
	case turned(b, near), widened(b, near):
		c.why = Turned
	}
	return c
}

func hasContent(s string) bool { return len(knowledge.Analyze(s)) > 0 }

// unseen are characters that hide or reorder text: zero width, bidirectional controls, tags, private use.
func unseen(r rune) bool {
	return r >= 0x200B && r <= 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2060 && r <= 0x206F || r == 0xFEFF || r >= 0xE000 && r <= 0xF8FF || r >= 0xE0000 && r <= 0xE0FFF ||
		r < 0x20 && r != '\n' && r != '\t' || r == 0x7F
}
