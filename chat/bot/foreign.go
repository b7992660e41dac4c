package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"
)

// foreign is a language that the bot does not speak and yet can recognise: to say in it which ones it speaks, and to answer in it where the
// knowledge base has articles.
type foreign struct {
	lang   string
	script *unicode.RangeTable // a script that is this language's; nil where the words tell
	words  map[string]bool     // that carry every sentence
	say    string
}

func loadForeign(fsys fs.FS) ([]foreign, error) {
	raw, err := fs.ReadFile(fsys, "data/foreign.json")
	if err != nil {
		return nil, fmt.Errorf("bot: read foreign languages: %w", err)
	}
	file := map[string]struct{ Words, Script, Say string }{}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("bot: data/foreign.json: %w", err)
	}
	var out []foreign
	for lang, f := range file {
		l := foreign{lang: lang, say: f.Say, words: map[string]bool{}, script: unicode.Scripts[f.Script]}
		for _, w := range strings.Fields(f.Words) {
			l.words[w] = true
		}
		if f.Script != "" && l.script == nil || f.Script == "" && len(l.words) == 0 {
			return nil, fmt.Errorf("bot: data/foreign.json: %s has neither words nor a script", lang)
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b foreign) int { return strings.Compare(a.lang, b.lang) })
	return out, nil
}

// spokenWords are those that carry a sentence in the Latin language that the bot speaks.
var spokenWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("the i to is my a an how what do does for can could where when who in and of on it you your we please hello hi thanks not have has are was need want this that with at from there") {
		m[w] = true
	}
	return m
}()

// foreignTo gives the language of a text that none of the bot's own is; page is the language of the page it was written on.
func (p *Policy) foreignTo(r *reading, page string) *foreign {
	base, _, _ := strings.Cut(strings.ToLower(page), "-")
	spoken, latin, han := 0, 0, false
	for _, tok := range r.toks {
		han = han || tok.han
		if spokenWords[tok.text] {
			spoken++
		}
		if isWord(tok.text) {
			latin++
		}
	}
	best, most := (*foreign)(nil), 0
	for i := range p.foreign {
		f := &p.foreign[i]
		n := 0
		for _, tok := range r.toks {
			if f.words[tok.text] || f.script != nil && strings.ContainsFunc(tok.text, func(r rune) bool { return unicode.Is(f.script, r) }) {
				n++
			}
		}
		switch {
		case f.script != nil && n > 0 && (f.script == unicode.Hiragana || 2*n >= len(r.toks)): // Japanese has Han characters beside its own
			return f
		case han:
		case f.lang == base && latin > 0 && n >= spoken && f.script == nil: // on a page of that language
			return f
		case n > most:
			best, most = f, n
		}
	}
	if most >= 2 && most > 2*spoken && 4*most >= len(r.toks) {
		return best
	}
	return nil
}

// spokenAfterAll looks twice at a text without any word that tells its language ("passport renewal fee", "street light broken"), taken for that of the
// page: it is in the bot's own when the bot understands it, or finds an article for it and none in the other.
func (p *Policy) spokenAfterAll(ctx context.Context, t *turn, r *reading, f *foreign) bool {
	if f.script != nil || slices.ContainsFunc(r.toks, func(tok token) bool { return f.words[tok.text] || !isASCIIWord(tok.text) && !tok.han }) {
		return false
	}
	if slices.ContainsFunc(r.found, func(m match) bool { return m.to-m.from > 1 || m.class == "problem" }) {
		return true
	}
	if p.kb == nil {
		return false
	}
	theirs, err := p.kb.Answer(ctx, question(r.text), f.lang)
	if err != nil || theirs.Outcome != OutcomeNone {
		return false
	}
	ours, err := p.kb.Answer(ctx, question(r.text), t.lang)
	return err == nil && ours.Outcome != OutcomeNone
}

// inForeign answers a text in a language that the bot does not speak: from articles in it where there are any, else with the languages it
// does speak, said in the citizen's own.
func (p *Policy) inForeign(ctx context.Context, t *turn, r *reading, f *foreign) {
	asked := question(r.text)
	t.st.Question, t.st.Misses, t.st.Waiting = asked, 0, ""
	if p.kb != nil {
		a, err := p.kb.Answer(ctx, asked, f.lang)
		if err != nil {
			t.reply.Problems = append(t.reply.Problems, err)
		}
		if err == nil && a.Outcome == OutcomeAnswer && len(a.Citations) > 0 {
			p.tell(t, a)
			t.told(asked, a, false)
			m := p.say(t, "helped?")
			m.Ask, t.st.Waiting = AskHelped, AskHelped
			p.offer(t, m, "helped", "not_helped")
			return
		}
		if err == nil && a.Outcome == OutcomeChoices && len(a.Citations) > 0 {
			found := a.Citations[:min(4, len(a.Citations))]
			p.which(t, r, found)
			t.told(asked, Answer{Outcome: OutcomeChoices, Score: a.Score, Citations: found}, false)
			return
		}
		if err == nil { // a search that failed is no gap in the knowledge
			t.unanswered(asked, a.Score)
		}
	}
	var names []string
	for _, l := range p.tx.langs() {
		names = append(names, p.tx.t(l, "language"))
	}
	t.reply.Messages = append(t.reply.Messages, Message{Text: strings.ReplaceAll(f.say, "{languages}", strings.Join(names, ", "))})
	p.offer(t, &t.reply.Messages[len(t.reply.Messages)-1], "human", "file_question")
	t.st.Waiting = waitFile
}
