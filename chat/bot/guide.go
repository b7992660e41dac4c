package bot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"hotline/chat/bot/hear"
	"hotline/internal/decision"
)

// Guide is the decision form of an article that the bot goes through with the citizen. Where it stands follows from the answers, so any
// node can take the next turn; the form itself is read from the article each time, and what changed in it is noticed.
type Guide struct {
	Article Citation          `json:"article"`
	Lang    string            `json:"lang"`
	Answers decision.Answers  `json:"answers,omitempty"`
	Marks   map[string]string `json:"marks,omitempty"` // of the questions answered, to notice that a question has changed
	Asked   string            `json:"asked,omitempty"` // the question of the last message
	Tries   int               `json:"tries,omitempty"` // how often it was answered in a way that was not understood
	Paused  bool              `json:"paused,omitempty"`
	Done    bool              `json:"done,omitempty"` // the outcome was told; answers can still be corrected
}

// AskGuide marks a question of a decision form, in the protocol too.
const AskGuide = "decision"

// guidePrefix is in front of the ids of quick replies that belong to a decision form: guide:start, guide:2:yes (the answer yes to the third question).
const guidePrefix = "guide:"

// waitGuide: it was offered to check, by questions, what applies.
const waitGuide = "guide"

func (g *Guide) clone() *Guide {
	c := *g
	c.Answers, c.Marks = decision.Answers{}, map[string]string{}
	for k, v := range g.Answers {
		c.Answers[k] = v
	}
	for k, v := range g.Marks {
		c.Marks[k] = v
	}
	return &c
}

func (g *Guide) set(q *decision.Question, value string) {
	g.Answers[q.ID], g.Marks[q.ID] = value, q.Mark()
	g.Done = false
}

// offerGuide asks whether to check what applies, below an answer whose article has a form. Who has already told something about
// themselves is taken at their word, and the walk begins. It reports false for an article without a form.
func (p *Policy) offerGuide(t *turn, a Answer, r *reading) bool {
	if a.Form == nil || t.st.Form != nil || len(a.Citations) == 0 {
		return false
	}
	if r != nil && len(hear.Facts(a.Form, r.text)) > 0 {
		p.beginGuide(t, a, r.text)
		return true
	}
	p.askGuideOffer(t, "guide.offer", a)
	return true
}

// startGuide begins with the article told last, and with what was told before it was found: nobody answers twice.
func (p *Policy) startGuide(ctx context.Context, t *turn) {
	if t.st.About == nil || p.kb == nil || t.st.Form != nil {
		p.choiceGone(t)
		return
	}
	a, err := p.kb.ByID(ctx, t.st.About.ArticleID, t.lang)
	if err != nil || a.Form == nil || len(a.Citations) == 0 {
		if err != nil && !errors.Is(err, ErrNotFound) {
			t.reply.Problems = append(t.reply.Problems, err)
		}
		p.guideGone(t)
		return
	}
	p.beginGuide(t, a, strings.Join(append(slices.Clone(t.st.Said), t.st.Question), "\n"))
}

func (p *Policy) choiceGone(t *turn) {
	if t.st.Form != nil {
		p.next(t)
		return
	}
	p.say(t, "choice_gone")
}

func (p *Policy) beginGuide(t *turn, a Answer, text string) {
	g := &Guide{Article: a.Citations[0], Lang: t.lang, Answers: decision.Answers{}, Marks: map[string]string{}}
	t.st.Guide, t.st.Misses = g, 0
	t.lead = p.tx.t(t.lang, "guide.begin")
	if noted := p.note(t, a.Form, hear.Facts(a.Form, text)); noted != "" {
		t.lead = noted
	}
	p.askGuide(t, a.Form)
}

// note keeps answers that were told unasked and gives the words that confirm them, "" when there is nothing new.
func (p *Policy) note(t *turn, f *decision.Form, facts decision.Answers) string {
	var said []string
	for i := range f.Questions {
		q := &f.Questions[i]
		value, ok := facts[q.ID]
		if !ok || t.st.Guide.Answers[q.ID] == value {
			continue
		}
		t.st.Guide.set(q, value)
		said = append(said, p.tx.t(t.lang, "guide.fact", "question", defuse(q.Text), "value", defuse(p.answerWords(t.lang, q, value))))
	}
	if len(said) == 0 {
		return ""
	}
	return p.tx.t(t.lang, "guide.noted", "list", strings.Join(said, p.tx.t(t.lang, "guide.and_fact")))
}

// answerWords says an answer the way a person would.
func (p *Policy) answerWords(lang string, q *decision.Question, value string) string {
	b := q.Branch(value)
	switch {
	case value == decision.Unsure:
		return p.tx.t(lang, "choice.guide:unsure")
	case q.Kind == decision.YesNo:
		return p.tx.t(lang, "choice."+value)
	case q.Kind == decision.Choice && b != nil:
		return b.Label
	case q.Unit == "" || containsHan(q.Unit):
		return value + q.Unit
	}
	return value + " " + q.Unit
}

// askGuide asks for the next thing that is not known, or tells the outcome.
func (p *Policy) askGuide(t *turn, f *decision.Form) {
	g := t.st.Guide
	w := f.Walk(g.Answers)
	t.st.Waiting, t.st.Cited = "", nil
	if w.Outcome != nil {
		p.endGuide(t, f, w)
		return
	}
	q := w.Question
	if q == nil { // only a form that was not parsed here
		p.guideGone(t)
		return
	}
	if g.Asked != q.ID {
		g.Asked, g.Tries = q.ID, 0
	}
	g.Done, g.Paused = false, false
	text := q.Text
	if t.lead != "" {
		text, t.lead = t.lead+p.tx.t(t.lang, "joint")+text, ""
	}
	m := Message{Text: text, Ask: AskGuide}
	at := slices.IndexFunc(f.Questions, func(x decision.Question) bool { return x.ID == q.ID })
	if q.Kind != decision.Number {
		for _, b := range q.Branches {
			if b.Value != decision.Unsure {
				m.Choices = append(m.Choices, p.guideChoice(t.lang, at, q, b.Value))
			}
		}
	}
	if q.HasUnsure() {
		m.Choices = append(m.Choices, p.guideChoice(t.lang, at, q, decision.Unsure))
	}
	if len(w.Steps) > 0 {
		m.Choices = append(m.Choices, p.choices(t.lang, "guide:back")...)
	}
	m.Choices = append(m.Choices, p.choices(t.lang, "guide:stop", "human")...)
	t.reply.Messages = append(t.reply.Messages, m)
}

func (p *Policy) guideChoice(lang string, at int, q *decision.Question, value string) Choice {
	return Choice{ID: guidePrefix + strconv.Itoa(at) + ":" + value, Label: p.answerWords(lang, q, value)}
}

// endGuide tells the outcome, why it came to that, and the article it rests on.
func (p *Policy) endGuide(t *turn, f *decision.Form, w decision.Walk) {
	g := t.st.Guide
	g.Done, g.Asked, g.Paused = true, "", false
	lines := []string{"**" + w.Outcome.Title + "**"}
	if w.Outcome.Text != "" {
		lines = append(lines, w.Outcome.Text)
	}
	lines = append(lines, p.because(t.lang, w))
	text := strings.Join(lines, "\n\n")
	if t.lead != "" {
		text, t.lead = t.lead+"\n\n"+text, ""
	}
	c := g.Article
	t.reply.Messages = append(t.reply.Messages, Message{Text: text, Citations: []Citation{c}})
	t.st.Cited, t.st.About = &c, &c
	if t.st.Question == "" {
		t.st.Question = question(c.Title)
	}
	t.told(t.st.Question, Answer{Outcome: OutcomeAnswer, Citations: []Citation{c}}, true)
	m := p.say(t, "helped?")
	m.Ask, t.st.Waiting = AskHelped, AskHelped
	p.offer(t, m, "helped", "not_helped", "guide:change")
}

// because gives the reasons in a sentence; where the form names none, what was answered.
func (p *Policy) because(lang string, w decision.Walk) string {
	reasons := w.Reasons()
	if len(reasons) == 0 {
		said := make([]string, len(w.Steps))
		for i, s := range w.Steps {
			said[i] = p.tx.t(lang, "guide.fact", "question", s.Question.Text, "value", p.answerWords(lang, s.Question, s.Value))
		}
		return p.tx.t(lang, "guide.from_answers", "list", strings.Join(said, p.tx.t(lang, "guide.and_fact")))
	}
	last := len(reasons) - 1
	list := reasons[last]
	if last > 0 {
		list = strings.Join(reasons[:last], p.tx.t(lang, "comma")) + p.tx.t(lang, "guide.and") + list
	}
	return p.tx.t(lang, "guide.because", "list", list)
}

// guideForm reads the form that is being walked, as it is now and in the language of the talk. It reports false when there is none any
// more; the citizen has then been told. Changed: what was asked last may not be the question any more.
func (p *Policy) guideForm(ctx context.Context, t *turn) (f *decision.Form, changed, ok bool) {
	g := t.st.Guide
	if p.kb == nil {
		p.guideGone(t)
		return nil, false, false
	}
	a, err := p.kb.ByID(ctx, g.Article.ArticleID, t.lang)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound): // it stays where it is
		t.reply.Problems = append(t.reply.Problems, err)
		m := p.say(t, "kb_down")
		p.offer(t, m, "human", "file")
		return nil, false, false
	case err != nil || a.Form == nil || len(a.Citations) == 0:
		p.guideGone(t)
		return nil, false, false
	}
	now := a.Citations[0]
	if now.ArticleID == g.Article.ArticleID && now.Version == g.Article.Version {
		g.Lang = t.lang
		return a.Form, false, true
	}
	translated := now.ArticleID != g.Article.ArticleID
	kept := a.Form.Keep(g.Answers, g.Marks, translated)
	lost := len(kept) < len(g.Answers)
	before := a.Form.Question(g.Asked)
	g.Answers, g.Marks = decision.Answers{}, map[string]string{}
	for i := range a.Form.Questions {
		q := &a.Form.Questions[i]
		if value, ok := kept[q.ID]; ok {
			g.set(q, value)
		}
	}
	g.Article, g.Lang = now, t.lang
	if !translated {
		t.lead = p.tx.t(t.lang, "guide.updated")
		if lost {
			t.lead = p.tx.t(t.lang, "guide.updated_ask")
		}
	}
	w := a.Form.Walk(g.Answers)
	return a.Form, !translated && (lost || before == nil || w.Question == nil || w.Question.ID != before.ID), true
}

// guideGone says that the questions are no longer there.
func (p *Policy) guideGone(t *turn) {
	t.st.Guide = nil
	m := p.say(t, "guide.gone")
	p.offer(t, m, "human", "ask")
}
