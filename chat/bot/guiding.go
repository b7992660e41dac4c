package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"hotline/chat/bot/hear"
	"hotline/internal/decision"
)

// chooseInGuide handles the quick replies of decision forms; rest is what stands behind the prefix.
func (p *Policy) chooseInGuide(ctx context.Context, t *turn, rest string) {
	if rest == "start" {
		p.startGuide(ctx, t)
		return
	}
	g := t.st.Guide
	if g == nil || t.st.Form != nil {
		p.choiceGone(t)
		return
	}
	if rest == "stop" {
		p.stopGuide(t)
		return
	}
	f, changed, ok := p.guideForm(ctx, t)
	if !ok {
		return
	}
	switch at, value, isAnswer := strings.Cut(rest, ":"); {
	case rest == "back":
		p.backGuide(t, f)
	case rest == "change":
		p.changeGuide(t, f)
	case rest == "resume":
		if t.lead == "" {
			t.lead = p.tx.t(t.lang, "guide.resumed")
		}
		p.askGuide(t, f)
	case !isAnswer || changed:
		p.askGuide(t, f)
	default:
		i, err := strconv.Atoi(at)
		if err != nil || i < 0 || i >= len(f.Questions) {
			p.askGuide(t, f)
			return
		}
		q := &f.Questions[i]
		if value == "again" {
			delete(g.Answers, q.ID)
		} else if v, ok := q.Accept(value); ok {
			g.set(q, v)
		}
		p.askGuide(t, f)
	}
}

// inGuide reads a text while a decision form is walked. It reports false for what is about something else: the form then waits.
func (p *Policy) inGuide(ctx context.Context, t *turn, r *reading, in Input) bool {
	g := t.st.Guide
	if r.empty() || r.has("human") || r.code.digits != "" || in.Attachments > 0 || in.Place != nil {
		g.Paused = !r.empty() && !r.has("human") || in.Attachments > 0 || in.Place != nil
		return false
	}
	f, changed, ok := p.guideForm(ctx, t)
	if !ok {
		return true
	}
	q := f.Question(g.Asked)
	if r.mostly("guide.stop") || r.only("cancel", "thanks", "no") || r.only("bye", "thanks") {
		// "I quit" may be why the job ended; a bare "stop" is not.
		if q == nil || q.Kind != decision.Choice || len(r.toks) < 2 || !p.heardGuide(t, f, r, q) {
			p.stopGuide(t)
		}
		return true
	}
	if changed || q == nil {
		p.askGuide(t, f)
		return true
	}
	switch {
	case r.mostly("guide.resume"):
		p.askGuide(t, f)
	case r.mostly("guide.back"):
		p.backGuide(t, f)
	case r.mostly("guide.again"):
		g.Answers, g.Marks = decision.Answers{}, map[string]string{}
		t.lead = p.tx.t(t.lang, "guide.again")
		p.askGuide(t, f)
	case r.mostly("guide.why") || r.mostly("why_ask") || r.mostly("what_mean"):
		t.lead = q.Why
		if t.lead == "" {
			t.lead = p.tx.t(t.lang, "guide.why")
		}
		p.askGuide(t, f)
	case !r.question && r.place != "" && r.has("problem", "insist", "file"):
		g.Paused = true
		return false
	case p.correctGuide(t, f, r, q):
	case p.heardGuide(t, f, r, q):
	case r.only("greet"), r.only("thanks", "greet"):
		t.lead = p.tx.t(t.lang, "form.welcome")
		p.askGuide(t, f)
	case r.has("status") && !r.has("problem", "insist"), p.files(t, r) && p.matter(r) >= r.slack():
		g.Paused = true
		return false
	case r.question:
		return p.asideGuide(ctx, t, f, r)
	case hear.DontKnow(r.text):
		t.lead = p.tx.t(t.lang, "guide.must_know")
		p.askGuide(t, f)
	default:
		g.Tries++
		tries := g.Tries
		t.lead = p.tx.t(t.lang, "guide.again_"+string(q.Kind))
		if q.Kind == decision.Number {
			t.lead = p.tx.t(t.lang, "guide.again_number", "low", number(q.Min), "high", number(q.Max))
		}
		if tries > 1 {
			t.lead = p.tx.t(t.lang, "guide.stuck")
		}
		p.askGuide(t, f)
		g.Tries = tries
	}
	return true
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// heardGuide takes a text as the answer to what was asked, and whatever else it tells. A question tells only what it states beside asking.
func (p *Policy) heardGuide(t *turn, f *decision.Form, r *reading, q *decision.Question) bool {
	facts := hear.Facts(f, r.text)
	value, known := facts[q.ID]
	if !known && !r.question {
		value, known = hear.Answer(q, r.text)
	}
	if !known {
		if len(facts) == 0 {
			return false
		}
		t.lead = p.note(t, f, facts)
		if t.lead == "" || r.question {
			return false
		}
		p.askGuide(t, f)
		return true
	}
	delete(facts, q.ID)
	t.st.Guide.set(q, value)
	if lead := p.note(t, f, facts); lead != "" {
		t.lead = lead
	}
	switch {
	case len(r.toks) <= 4 || t.lead != "": // a longer answer is said back, so that a mistake is seen
	case q.Kind == decision.YesNo:
		if v, ok := p.verdictOf(r); ok && v.tells() { // "yes, I registered last week": what follows is not about the question
			if hits, of := hear.Overlap(q.Text, v.rest.text); of > 0 && hits == 0 {
				t.lead = p.tx.t(t.lang, "guide.noted", "list", p.tx.t(t.lang, "guide.fact", "question", defuse(q.Text), "value", defuse(p.answerWords(t.lang, q, value))))
			}
		}
	default:
		t.lead = p.tx.t(t.lang, "guide.noted_one", "value", defuse(p.answerWords(t.lang, q, value)))
	}
	p.askGuide(t, f)
	return true
}

// correctGuide changes an answer that was given before: "no, I am 64", "actually 64".
func (p *Policy) correctGuide(t *turn, f *decision.Form, r *reading, asked *decision.Question) bool {
	rest, ok := r.after("fix.last")
	if !ok || r.question {
		return false
	}
	g := t.st.Guide
	steps := f.Walk(g.Answers).Steps
	facts := hear.Facts(f, rest)
	for id, v := range facts {
		if before := g.Answers[id]; before == "" || before == v {
			delete(facts, id)
		}
	}
	if len(facts) == 0 && rest != "" {
		// "Actually 64" means an answer before, the last one that it fits; a plain "no, …" does so only when it is no answer to what was asked.
		_, fitsAsked := hear.Answer(asked, rest)
		if !plainNo(r) || !fitsAsked && asked.Kind != decision.YesNo {
			for _, s := range slices.Backward(steps) {
				if v, fits := hear.Answer(s.Question, rest); fits && v != s.Value && v != decision.Unsure {
					facts = decision.Answers{s.Question.ID: v}
					break
				}
			}
		}
	}
	if len(facts) == 0 {
		return false
	}
	lead := p.note(t, f, facts)
	t.lead = p.tx.t(t.lang, "form.changed") + p.tx.t(t.lang, "joint") + lead
	p.askGuide(t, f)
	return true
}

// plainNo reports whether a text begins with "no" or 不 and with no other word of correction.
func plainNo(r *reading) bool {
	return !slices.ContainsFunc(r.found, func(m match) bool { return m.class == "fix.last" && m.from == 0 && m.to > 1 }) &&
		slices.ContainsFunc(r.found, func(m match) bool { return m.class == "no" && m.from == 0 })
}

// asideGuide answers a question in the middle and comes back. It reports false when the question is about something else that has an
// answer of its own to be gone into: a form again.
func (p *Policy) asideGuide(ctx context.Context, t *turn, f *decision.Form, r *reading) bool {
	noted := t.lead
	t.lead = ""
	if a := aspect(r); a != "" {
		c := t.st.Guide.Article
		if sections, err := p.kb.Sections(ctx, c.ArticleID, t.lang); err == nil {
			if text := p.sectionOn(sections, a); text != "" {
				t.reply.Messages = append(t.reply.Messages, Message{Text: excerpt(text), Citations: []Citation{c}})
				t.told(question(c.Title+": "+r.text), Answer{Outcome: OutcomeAnswer, Citations: []Citation{c}}, true)
				t.lead = p.tx.t(t.lang, "guide.back_to")
				p.askGuide(t, f)
				return true
			}
		}
	}
	a, asked, ok := p.lookUp(ctx, t, r)
	switch {
	case ok && a.Outcome == OutcomeAnswer && len(a.Citations) > 0 && a.Citations[0].ArticleID != t.st.Guide.Article.ArticleID:
		t.reply.Messages = append(t.reply.Messages, Message{Text: a.Text, Citations: a.Citations[:1]})
		t.told(asked, a, false)
		t.lead = p.tx.t(t.lang, "guide.back_to")
	case noted != "":
		t.lead = noted
	default:
		t.unanswered(asked, a.Score)
		t.lead = p.tx.t(t.lang, "guide.aside_none")
	}
	p.askGuide(t, f)
	return true
}

// backGuide takes the last answer back.
func (p *Policy) backGuide(t *turn, f *decision.Form) {
	g := t.st.Guide
	if steps := f.Walk(g.Answers).Steps; len(steps) > 0 {
		delete(g.Answers, steps[len(steps)-1].Question.ID)
	} else if t.lead == "" {
		t.lead = p.tx.t(t.lang, "guide.first")
	}
	p.askGuide(t, f)
}

// changeGuide lists the answers, to change one.
func (p *Policy) changeGuide(t *turn, f *decision.Form) {
	g := t.st.Guide
	steps := f.Walk(g.Answers).Steps
	if len(steps) == 1 {
		delete(g.Answers, steps[0].Question.ID)
		p.askGuide(t, f)
		return
	}
	m := p.say(t, "guide.which")
	for _, s := range steps {
		at := slices.IndexFunc(f.Questions, func(x decision.Question) bool { return x.ID == s.Question.ID })
		label := p.tx.t(t.lang, "guide.fact", "question", s.Question.Text, "value", p.answerWords(t.lang, s.Question, s.Value))
		m.Choices = append(m.Choices, Choice{ID: guidePrefix + strconv.Itoa(at) + ":again", Label: label})
	}
	m.Choices = append(m.Choices, p.choices(t.lang, "guide:stop", "human")...)
}

// stopGuide ends the questions; they can be gone on with.
func (p *Policy) stopGuide(t *turn) {
	t.st.Guide.Paused = true
	t.st.Waiting = ""
	m := p.say(t, "guide.stopped")
	p.offer(t, m, "guide:resume", "ask", "human")
}

// guideAgain understands words while a form waits or its outcome was told: "back to my question", "no, I am 64". It reports false for
// anything else.
func (p *Policy) guideAgain(ctx context.Context, t *turn, r *reading) bool {
	g := t.st.Guide
	if g.Paused && (r.mostly("guide.resume") || r.has("guide.resume") && p.namesArticle(r, g.Article.Title)) {
		p.chooseInGuide(ctx, t, "resume")
		return true
	}
	if !g.Done || r.question {
		return false
	}
	rest, fix := r.after("fix.last")
	back := r.mostly("guide.back")
	late := !fix && !back && len(r.toks) <= 6 // "2,000 yuan" after "I don't know"
	if late {
		rest = r.text
	}
	if !fix && !back && !late {
		return false
	}
	f, _, ok := p.guideForm(ctx, t)
	if !ok {
		return true
	}
	if back {
		p.backGuide(t, f)
		return true
	}
	steps := f.Walk(g.Answers).Steps
	if late && (len(steps) == 0 || steps[len(steps)-1].Question.Kind != decision.Number || steps[len(steps)-1].Value != decision.Unsure) {
		return false
	}
	facts := hear.Facts(f, rest)
	if len(facts) == 0 && len(steps) > 0 {
		last := steps[len(steps)-1].Question
		if v, ok := hear.Answer(last, rest); ok && last.Kind != decision.YesNo {
			facts = decision.Answers{last.ID: v}
		}
	}
	lead := p.note(t, f, facts)
	if lead == "" {
		return false
	}
	t.lead = p.tx.t(t.lang, "form.changed") + p.tx.t(t.lang, "joint") + lead
	p.askGuide(t, f)
	return true
}

// namesArticle reports whether a text shares a telling word with a title.
func (p *Policy) namesArticle(r *reading, title string) bool {
	said := map[string]bool{}
	for _, tok := range r.toks {
		said[tok.text] = true
	}
	for _, tok := range p.lex.tokens(title) {
		if said[tok.text] && (tok.han || len(tok.text) > 3) {
			return true
		}
	}
	return false
}

// tellsFacts begins the offered form with what somebody tells instead of saying yes. It reports false for a text that tells nothing of it.
func (p *Policy) tellsFacts(ctx context.Context, t *turn, r *reading) bool {
	if t.st.About == nil || p.kb == nil {
		return false
	}
	a, err := p.kb.ByID(ctx, t.st.About.ArticleID, t.lang)
	if err != nil || a.Form == nil || len(a.Citations) == 0 || len(hear.Facts(a.Form, r.text)) == 0 {
		return false
	}
	p.beginGuide(t, a, r.text)
	return true
}
