package bot

import (
	"context"
	"slices"
	"strings"

	"hotline/chat/bot/hear"
)

// A short text that goes on with what was told before: "and for my child?", 那买房呢, "what if I lost it?".

// longestFollow is how many words, or Han characters, a text has at most that leans on the one before.
const (
	longestFollow    = 12
	longestFollowHan = 16
)

func short(r *reading) bool {
	if r.slack() == 3 {
		return len(r.toks) <= longestFollowHan
	}
	return len(r.toks) <= longestFollow
}

// topic is what a text is about: its words without the courtesies, the question words and the aspects asked for. What stood apart is parted
// by a comma.
func (p *Policy) topic(r *reading) string {
	covered := make([]bool, len(r.toks))
	for _, m := range r.found {
		switch {
		case m.class == "filler", m.class == "follow_up", m.class == "pronoun", m.class == "yes", m.class == "no", m.class == "thanks", m.class == "greet", m.class == "lead_in",
			m.class == "question" && m.to-m.from <= 3, strings.HasPrefix(m.class, "aspect."):
			for i := m.from; i < m.to; i++ {
				covered[i] = true
			}
		}
	}
	var b strings.Builder
	before := -1
	for i, tok := range r.toks {
		if covered[i] {
			continue
		}
		switch {
		case before < 0:
		case before == i-1:
			b.WriteByte(' ')
		default:
			b.WriteString("，")
		}
		b.WriteString(tok.text)
		before = i
	}
	return b.String()
}

// leadOff takes away what people say before the question itself: "one more question:", "I mean", 我是问. What is left leans on the text before.
func (p *Policy) leadOff(r *reading) reading {
	for _, m := range r.found {
		if m.from != 0 || m.class != "lead_in" && m.class != "question_first" && m.class != "guide.resume" || len(r.toks)-m.to < r.slack() {
			continue
		}
		rest := p.lex.read(strings.TrimLeft(r.text[r.toks[m.to-1].end:], " ,.:;!-，。：；、"))
		rest.leaning = m.class == "lead_in"
		return rest
	}
	return *r
}

// goOn answers a text that goes on with what was told before: from the article told last, or from what is found for both texts together. It
// reports false for a text that stands on its own.
func (p *Policy) goOn(ctx context.Context, t *turn, r *reading, own Answer) bool {
	about := t.st.About
	if about == nil && t.st.Question == "" || !short(r) || p.kb == nil {
		return false
	}
	words := p.topic(r)
	same := own.Outcome == OutcomeAnswer && about != nil && own.Citations[0].ArticleID == about.ArticleID
	if about != nil && p.tellsOfAnother(ctx, t, r, own) {
		return true
	}
	if !r.has("follow_up") && !r.leaning {
		return p.restOf(ctx, t, r, own, words, same)
	}
	if same && own.Form != nil { // its questions are asked anew
		return false
	}
	it := r.has("pronoun")
	if !it && !same && own.Outcome == OutcomeAnswer && names(own.Citations[0].Title, p.withoutRelatives(words)) {
		return false // "and a dog licence?", but not "and for my neighbour?"
	}
	if p.other(ctx, t, r, own, words) || about != nil && p.tellPassage(ctx, t, r, words, false) || p.rewritten(ctx, t, r) {
		return true
	}
	if about == nil || own.Outcome == OutcomeAnswer && !same && own.Form != nil {
		return false
	}
	if p.offerFor(ctx, t, r) {
		return true
	}
	p.notInArticle(t, r, *about)
	return true
}

// restOf is goOn for a short text without words like "and": the article told last answers it only where a passage has all its words, unless
// nothing else does.
func (p *Policy) restOf(ctx context.Context, t *turn, r *reading, own Answer, words string, same bool) bool {
	if own.Outcome == OutcomeAnswer && (own.Form != nil || !same && (words == "" || names(own.Citations[0].Title, words))) {
		return false
	}
	if !r.question || t.st.About == nil {
		return own.Outcome != OutcomeAnswer && r.question && p.rewritten(ctx, t, r)
	}
	if p.tellPassage(ctx, t, r, words, true) {
		return true
	}
	if own.Outcome == OutcomeAnswer {
		return false
	}
	if p.rewritten(ctx, t, r) || r.has("pronoun") && p.other(ctx, t, r, own, words) {
		return true
	}
	if own.Outcome == OutcomeNone && r.has("pronoun") && p.topicWords(words) <= 1 { // "how long is it valid?"
		p.notInArticle(t, r, *t.st.About)
		return true
	}
	return false
}

// names reports whether a title has one of the words a text is about.
func names(title, words string) bool {
	hits, _ := hear.Overlap(title, words)
	return hits > 0
}

// asks names the aspect that a question is about beside other words, "" when there is none.
func asks(r *reading) string {
	if all := asksAll(r); len(all) > 0 {
		return all[0]
	}
	return ""
}

func asksAll(r *reading) (out []string) {
	for _, a := range aspects {
		if r.has("aspect." + a) {
			out = append(out, a)
		}
	}
	return out
}

// tellPassage tells the passage of the article before that speaks most of what was asked; all: it must have all of the words, in Chinese half
// of the pairs. What was told last is not told again, unless it is all there is.
func (p *Policy) tellPassage(ctx context.Context, t *turn, r *reading, words string, all bool) bool {
	c := *t.st.About
	sections, err := p.kb.Sections(ctx, c.ArticleID, t.lang)
	if err != nil {
		return false
	}
	best, text := 0, ""
	if want := asks(r); want != "" { // "how long does a complaint take?": the passage must speak of the time, the article of the matter
		told := p.sectionOn(sections, want)
		if hits, of := hear.Overlap(c.Title+"\n"+told, words); told != "" && (of == 0 || hits > 0 && (!all || hits == of || r.slack() == 3 && 2*hits >= of)) {
			text = told
		}
	}
	for i, s := range sections {
		if text != "" && best == 0 {
			break
		}
		for _, para := range strings.Split(s.Text, "\n\n") {
			para = strings.TrimSpace(para)
			hits, of := hear.Overlap(s.Heading+"\n"+para, words)
			switch first := i == 0 && len(sections) > 1; {
			case hits == 0, all && hits < of && (r.slack() < 3 || 2*hits < of), all && first:
			case hits > best, hits == best && text == strings.TrimSpace(sections[0].Text): // the summary was told at the beginning
				best, text = hits, para
			}
		}
	}
	if text == "" {
		return false
	}
	p.tellAbout(t, r, c, p.tx.t(t.lang, "about.says", "title", c.Title)+"\n\n"+excerpt(text))
	return true
}

// other finds the article that a text goes on to: one that was found for it, or for the question before and it together, and whose title has
// all its words, and something of the talk so far; of several the one that has most of that.
func (p *Policy) other(ctx context.Context, t *turn, r *reading, own Answer, words string) bool {
	asked := question(t.st.Question + " " + r.text)
	before, found := t.st.Question, slices.Clone(own.Citations)
	if t.st.Question != "" {
		if both, err := p.kb.Answer(ctx, asked, t.lang); err == nil {
			found = append(found, both.Citations...)
		}
	}
	id := ""
	if t.st.About != nil {
		id, before = t.st.About.ArticleID, before+", "+t.st.About.Title
	}
	best, most := Citation{}, -1
	for _, c := range found {
		hits, of := hear.Overlap(c.Title, words)
		shared, _ := hear.Overlap(c.Title, before)
		if c.ArticleID != id && of > 0 && hits == of && shared > most && shared > 0 {
			best, most = c, shared
		}
	}
	if most < 0 {
		return false
	}
	a, err := p.kb.ByID(ctx, best.ArticleID, t.lang)
	if err != nil || len(a.Citations) == 0 || a.Text == "" {
		return false
	}
	a.Score = own.Score
	p.tellAndAsk(ctx, t, r, p.ground(ctx, t, a, asked), asked)
	return true
}

// tellAbout tells something out of an article and asks whether it helped.
func (p *Policy) tellAbout(t *turn, r *reading, c Citation, text string) {
	a := Answer{Outcome: OutcomeAnswer, Text: text, Citations: []Citation{c}}
	p.tell(t, a)
	t.told(question(c.Title+": "+r.text), a, true)
	m := p.say(t, "helped?")
	m.Ask, t.st.Waiting = AskHelped, AskHelped
	p.offer(t, m, "helped", "not_helped")
	t.st.Misses = 0
}
