package bot

import (
	"context"
	"strings"

	"hotline/chat/bot/hear"
)

// aspects are what people ask next about an article, in the order in which a text is read for them.
var aspects = []string{"amount", "cost", "documents", "duration", "who", "conditions", "when", "steps", lawAspect}

// lawAspect asks for the text of the law. The bot has articles only: it says so, and where they name the law.
const lawAspect = "law"

// maxSection is how much of a section the bot says, in characters; the article has the rest.
const maxSection = 700

// excerpt is as much of a section as the bot says. It ends with a line where it can, so that no link, no item and no row of a table is cut apart.
func excerpt(section string) string {
	short := cut(section, maxSection)
	if i := strings.LastIndexByte(short, '\n'); short != section && i > len(short)/2 {
		return strings.TrimSpace(short[:i]) + "\n\n…"
	}
	return short
}

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
	if text = excerpt(text); a == lawAspect {
		text += "\n\n" + p.tx.t(t.lang, "about.law")
	}
	p.tellAbout(t, r, c, text)
	return true
}

// wanted adds to an article what was asked for beside its name: "what does a passport cost, and how long does it take?". Each part stands
// under a heading of its own.
func (p *Policy) wanted(ctx context.Context, t *turn, a Answer) Answer {
	wants := strings.Split(t.st.Want, ",")
	t.st.Want = ""
	if wants[0] == "" || a.Worded || p.kb == nil {
		return a
	}
	sections, err := p.kb.Sections(ctx, a.Citations[0].ArticleID, t.lang)
	if err != nil {
		return a
	}
	for _, want := range wants {
		for _, s := range sections {
			if r := p.lex.read(s.Heading); !r.has("aspect."+want, "heading."+want) || strings.Contains(a.Text, strings.TrimSpace(s.Text)) {
				continue
			}
			a.Text += "\n\n**" + s.Heading + "**\n\n" + excerpt(strings.TrimSpace(s.Text))
			break
		}
	}
	return a
}

// sayNoLaw tells who asks for the text of the law that the bot has articles only, when the one that was told does not name the law.
func (p *Policy) sayNoLaw(t *turn, r *reading, a Answer) {
	told := p.lex.read(a.Citations[0].Title + "\n" + a.Text)
	if r.has("aspect."+lawAspect) && !told.has("heading."+lawAspect) {
		p.say(t, "law.articles")
	}
}

// beside adds to an article's short answer the paragraph that says what it leaves out of the question: "I was bitten by a dog, what now?".
func (p *Policy) beside(ctx context.Context, t *turn, a Answer, asked string) Answer {
	q := p.lex.read(asked)
	if a.Worded || asked == "" || len(a.Citations) == 0 {
		return a
	}
	if hits, of := hear.Overlap(a.Citations[0].Title+"\n"+a.Text, p.topic(&q)); hits == of {
		return a
	}
	s, err := p.kb.Beside(ctx, a.Citations[0].ArticleID, t.lang, asked)
	if text := strings.TrimSpace(s.Text); err == nil && text != "" && !strings.Contains(a.Text, text) {
		if text = excerpt(text); s.Heading != "" {
			text = "**" + s.Heading + "**\n\n" + text
		}
		a.Text += "\n\n" + text
	}
	return a
}

// whichAgain shows the articles to choose from once more, in the language of the talk; want is what is asked about the one that is meant.
func (p *Policy) whichAgain(ctx context.Context, t *turn, want string) {
	m := p.say(t, "which")
	m.Choices, m.Ask, t.st.Waiting, t.st.Want = nil, AskArticle, AskArticle, want
	for _, c := range t.st.Offered {
		if id, ok := strings.CutPrefix(c.ID, "article:"); ok && p.kb != nil {
			if a, err := p.kb.ByID(ctx, id, t.lang); err == nil && len(a.Citations) > 0 {
				c.Label = a.Citations[0].Title
			}
		} else if p.tx.has(t.lang, "choice."+c.ID) {
			c.Label = p.tx.t(t.lang, "choice."+c.ID)
		}
		m.Choices = append(m.Choices, c)
	}
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

func (p *Policy) notInArticle(t *turn, r *reading, c Citation) {
	t.unanswered(question(c.Title+": "+r.text), 0)
	t.st.Question, t.st.Waiting, t.st.Cited = t.reply.Unanswered, waitFile, nil
	key := "about.none"
	if asks(r) == lawAspect {
		key = "about.no_law"
	}
	m := p.say(t, key, "title", c.Title)
	m.Citations = []Citation{c}
	p.offer(t, m, "human", "file_question", "ask")
}
