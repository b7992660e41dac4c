package bot

import (
	"context"
	"strings"

	"hotline/chat/bot/hear"
)

// aspects are what people ask next about an article, in the order in which a text is read for them.
var aspects = []string{"cost", "documents", "duration", "who", "conditions", "steps"}

// maxSection is how much of a section the bot says, in characters; the article has the rest.
const maxSection = 700

// aspect names what a question wants to know about the article before, "" when it asks about something of its own.
func aspect(r *reading) string {
	for _, a := range aspects {
		if r.only("aspect."+a, "question", "follow_up", "thanks", "greet", "yes") {
			return a
		}
	}
	return ""
}

// about answers "and what does it cost?" from the article that was told last. It reports false when the question is about something else
// or there is no article to ask.
func (p *Policy) about(ctx context.Context, t *turn, r *reading) bool {
	a := aspect(r)
	if a == "" || t.st.About == nil || p.kb == nil {
		return false
	}
	c := *t.st.About
	sections, err := p.kb.Sections(ctx, c.ArticleID, t.lang)
	if err != nil { // gone or out of reach: the ordinary search says so in words
		return false
	}
	text := p.sectionOn(sections, a)
	if text == "" {
		p.notInArticle(t, r, c)
		return true
	}
	p.tell(t, Answer{Text: cut(text, maxSection), Citations: []Citation{c}})
	t.told(question(c.Title+": "+r.text), Answer{Outcome: OutcomeAnswer, Citations: []Citation{c}}, true)
	m := p.say(t, "helped?")
	m.Ask, t.st.Waiting = AskHelped, AskHelped
	p.offer(t, m, "helped", "not_helped")
	t.st.Misses = 0
	return true
}

// sectionOn finds the section whose heading names the aspect, else the paragraph that speaks of it.
func (p *Policy) sectionOn(sections []Section, a string) string {
	for _, s := range sections {
		if r := p.lex.read(s.Heading); r.has("aspect."+a, "heading."+a) {
			return strings.TrimSpace(s.Text)
		}
	}
	for _, s := range sections {
		for _, para := range strings.Split(s.Text, "\n\n") {
			if r := p.lex.read(para); r.has("aspect."+a, "heading."+a) {
				return strings.TrimSpace(para)
			}
		}
	}
	return ""
}

// toldAlready reports whether a short question that goes on ("and for my child?") leads to the article that was told last: saying it again
// answers nothing.
func (p *Policy) toldAlready(t *turn, r *reading, a Answer) bool {
	return t.st.About != nil && a.Citations[0].ArticleID == t.st.About.ArticleID && r.has("follow_up") && len(r.toks) <= 12 && a.Form == nil
}

// aboutElse tells what the article says of what a question goes on with, or that it says nothing.
func (p *Policy) aboutElse(ctx context.Context, t *turn, r *reading) {
	c := *t.st.About
	sections, err := p.kb.Sections(ctx, c.ArticleID, t.lang)
	if err != nil {
		sections = nil
	}
	for _, s := range sections {
		for _, para := range strings.Split(s.Text, "\n\n") {
			if !hear.Mentions(para, r.text) {
				continue
			}
			a := Answer{Outcome: OutcomeAnswer, Text: cut(strings.TrimSpace(para), maxSection), Citations: []Citation{c}}
			p.tell(t, a)
			t.told(question(c.Title+": "+r.text), a, true)
			m := p.say(t, "helped?")
			m.Ask, t.st.Waiting = AskHelped, AskHelped
			p.offer(t, m, "helped", "not_helped")
			t.st.Misses = 0
			return
		}
	}
	p.notInArticle(t, r, c)
}

func (p *Policy) notInArticle(t *turn, r *reading, c Citation) {
	t.unanswered(question(c.Title+": "+r.text), 0)
	t.st.Question, t.st.Waiting, t.st.Cited = t.reply.Unanswered, waitFile, nil
	m := p.say(t, "about.none", "title", c.Title)
	m.Citations = []Citation{c}
	p.offer(t, m, "human", "file_question", "ask")
}
