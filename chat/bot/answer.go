package bot

import (
	"context"
	"errors"
	"strings"

	"hotline/chat/bot/hear"
)

// ask looks a text up in the knowledge base and says what was found, or that nothing was.
func (p *Policy) ask(ctx context.Context, t *turn, r *reading, in Input) {
	if r.has("grief") {
		p.say(t, "grief")
	}
	if p.several(ctx, t, r) || p.besideTrouble(ctx, t, r) {
		return
	}
	a, asked, ok := p.lookUp(ctx, t, r)
	if t.st.About == nil && t.st.Want == "" && aspect(r) != "" && p.topic(r) == "" { // "which documents?" of what?
		m := p.say(t, "about.what")
		p.offer(t, m, "human")
		t.st.Question, t.st.Want = "", aspect(r)
		return
	}
	if ok && p.goOn(ctx, t, r, a) {
		return
	}
	if !ok {
		m := p.say(t, "kb_down")
		p.offer(t, m, "human", "file")
		t.st.Question = asked
		return
	}
	a = p.ground(ctx, t, a, asked)
	switch {
	case a.Outcome == OutcomeAnswer && len(a.Citations) > 0:
		p.tellAndAsk(ctx, t, r, a, asked)
	case a.Outcome == OutcomeChoices && len(a.Citations) > 0 && !r.question && r.place != "" && !r.has("aspect.steps", "aspect.documents", "follow_up"):
		p.fileTold(t, r, in) // a place makes it a trouble there
	case a.Outcome == OutcomeChoices && len(a.Citations) > 0:
		p.which(t, r, a.Citations[:min(4, len(a.Citations))])
		t.st.Question, t.st.Misses = asked, 0
		t.told(asked, Answer{Outcome: OutcomeChoices, Score: a.Score, Citations: a.Citations[:min(4, len(a.Citations))]}, false)
	case r.scope() != "":
		p.refuse(t, r.scope(), false)
	case r.has("insist", "file", "problem") || r.kind() != "" && r.kind() != Help:
		p.unknown(t, r.text, "none_problem", a.Score)
	case p.unclear(r) && t.trouble != "" && !isNumber(r) && r.rest("anonymous", "confirm", "skip") > 0: // "every night"
		t.goingOn = true
		p.fileTold(t, r, in)
	case p.unclear(r) && t.st.Misses == 0:
		t.st.Misses++
		m := p.say(t, "clarify")
		p.offer(t, m, "file", "status", "human")
		t.st.Waiting = waitClarify
	case p.unclear(r):
		t.st.Misses++
		m := p.say(t, "still_unclear")
		p.offer(t, m, "human", "file")
	case !r.question && r.place != "", !r.question && t.goingOn && p.trouble(t) != "": // who names a place tells of something there; who goes on telling wants it passed on
		p.fileTold(t, r, in)
	case p.introduces(t, r): // "I am 67 and live alone": what it is about is still to come
		t.st.Question, t.st.Waiting = asked, waitFile
		m := p.say(t, "told.noted")
		p.offer(t, m, "file_question", "human")
	case !r.question && r.has("upset", "abuse"): // anger about the matter itself: a person, or a ticket about it
		p.unknown(t, r.text, "upset", a.Score)
	case !r.question:
		p.unknown(t, r.text, "none_problem", a.Score)
	case len(t.st.Said) > 0 && p.askWithStory(ctx, t, r):
	default:
		t.st.Misses++
		p.unknown(t, r.text, "none", a.Score)
	}
}

// introduces reports whether a text tells of the citizen, or of somebody near, and of nothing that is wrong.
func (p *Policy) introduces(t *turn, r *reading) bool {
	return !r.question && short(r) && r.has("about_me") && !p.likeTrouble(r) && r.kind() == "" && len(t.st.Said) <= 2
}

// askWithStory looks a question that says little by itself up together with what was told before it, "is there any help for me?", and offers what is
// found. It reports false when nothing is.
func (p *Policy) askWithStory(ctx context.Context, t *turn, r *reading) bool {
	if p.kb == nil || !short(r) || p.topicWords(p.topic(r)) > 2 {
		return false
	}
	asked := question(strings.Join(t.st.Said, ". ") + ". " + r.text)
	a, err := p.kb.Answer(ctx, asked, t.lang)
	if err != nil || a.Outcome == OutcomeNone || len(a.Citations) == 0 {
		return false
	}
	found := a.Citations[:min(4, len(a.Citations))]
	p.which(t, r, found)
	t.st.Question, t.st.Misses = asked, 0
	t.told(asked, Answer{Outcome: OutcomeChoices, Score: a.Score, Citations: found}, false)
	return true
}

// which offers articles to choose from.
func (p *Policy) which(t *turn, r *reading, found []Citation) {
	key := "which"
	var pairs []string
	switch len(found) {
	case 1:
		key, pairs = "which_one", []string{"one", found[0].Title}
	case 2:
		key, pairs = "which_two", []string{"one", found[0].Title, "two", found[1].Title}
	}
	m := p.say(t, key, pairs...)
	for _, c := range found {
		m.Choices = append(m.Choices, Choice{ID: "article:" + c.ArticleID, Label: c.Title})
	}
	m.Choices = append(m.Choices, p.choices(t.lang, "none_of_these")...)
	if !r.question && (len(found) == 1 || r.has("problem") || r.kind() != "") {
		m.Choices = append(m.Choices, p.choices(t.lang, "file")...)
	}
	m.Choices = append(m.Choices, p.choices(t.lang, "human")...)
	m.Ask, t.st.Waiting = AskArticle, AskArticle
}

// lookUp searches. It gives what was asked, and reports false when the knowledge base cannot be reached.
func (p *Policy) lookUp(ctx context.Context, t *turn, r *reading) (a Answer, asked string, ok bool) {
	asked = question(r.text)
	if p.kb == nil {
		return Answer{Outcome: OutcomeNone}, asked, true
	}
	a, err := p.kb.Answer(ctx, asked, t.lang)
	if core := p.core(r); err == nil && a.Outcome != OutcomeAnswer && core != "" { // among courtesies
		if b, err := p.kb.Answer(ctx, core, t.lang); err == nil && (b.Outcome == OutcomeAnswer || a.Outcome == OutcomeNone) {
			a, asked = b, core
		}
	}
	if gist := p.gist(r); err == nil && a.Outcome == OutcomeNone && gist != "" { // for whom it is hides what it is
		if b, err := p.kb.Answer(ctx, gist, t.lang); err == nil {
			a = b
		}
	}
	if err != nil {
		t.reply.Problems = append(t.reply.Problems, err)
		return Answer{}, asked, false
	}
	if len(a.Citations) > 0 && (a.Outcome == OutcomeChoices || asks(r) != "") {
		a = p.named(ctx, t, r, a)
	}
	return a, asked, true
}

// gist is what a question is about without for whom it is asked and how old they are, "" when it says nothing of that: 公交卡 of 我妈六十八公交卡怎么办.
func (p *Policy) gist(r *reading) string {
	if !r.question || !r.has("relative", "age_told") {
		return ""
	}
	v := p.lex.read(p.withoutRelatives(r.text))
	covered := make([]bool, len(v.toks))
	for _, m := range v.found {
		switch m.class {
		case "filler", "pronoun", "about_me", "age_told", "greet", "yes", "lead_in", "follow_up":
			for i := m.from; i < m.to; i++ {
				covered[i] = true
			}
		}
	}
	var b strings.Builder
	for i, tok := range v.toks {
		if covered[i] || onlyDigits(tok.text) != "" {
			continue
		}
		if !tok.han {
			b.WriteByte(' ')
		}
		b.WriteString(tok.text)
	}
	return strings.TrimSpace(b.String())
}

// core is the question of a text that says other things too, "" when it is nothing but the question.
func (p *Policy) core(r *reading) string {
	if len(r.toks) == 0 {
		return ""
	}
	if r.toks[len(r.toks)-1].sentence == 0 {
		return p.coreClause(r)
	}
	var out []string
	for from := 0; from < len(r.toks); {
		to := from
		for to < len(r.toks) && r.toks[to].sentence == r.toks[from].sentence {
			to++
		}
		end := r.toks[to-1].end
		if s := p.lex.read(r.text[r.toks[from].start:end]); s.question || strings.IndexAny(r.text[end:], "?？") == 0 {
			out = append(out, s.text)
		}
		from = to
	}
	if core := question(strings.Join(out, " ")); core != question(r.text) {
		return core
	}
	return ""
}

// coreClause is core for a single sentence: "my mother is 67, does she pay on the bus?" asks in its last clause.
func (p *Policy) coreClause(r *reading) string {
	var out []string
	all := 0
	for clause := range strings.FieldsFuncSeq(r.text, func(c rune) bool { return strings.ContainsRune(",，；;", c) }) {
		all++
		if s := p.lex.read(clause); s.question && len(s.toks) > s.slack() {
			out = append(out, s.text)
		}
	}
	if len(out) == 0 || len(out) == all {
		return ""
	}
	return question(strings.Join(out, ", "))
}

// tell shows an answer with its source.
func (p *Policy) tell(t *turn, a Answer) {
	c := a.Citations[0]
	cited := []Citation{c}
	if a.Worded { // its sentences name their sources
		cited = a.Citations
	}
	t.reply.Messages = append(t.reply.Messages, Message{Text: a.Text, Citations: cited})
	t.st.Cited, t.st.About = &c, &c
	if g := t.st.Guide; g != nil && g.Done {
		t.st.Guide = nil
	}
}

// tellAndAsk shows an answer, asks whether it helped, and offers a ticket beside it where something is wrong.
func (p *Policy) tellAndAsk(ctx context.Context, t *turn, r *reading, a Answer, asked string) {
	if about := t.st.About; a.Form != nil && about != nil && about.ArticleID == a.Citations[0].ArticleID && len(hear.Facts(a.Form, r.text)) > 0 {
		t.st.Question, t.st.Misses = asked, 0 // "and my mother is 62": the article was told a moment ago, only the answer is new
		p.beginGuide(t, a, r.text)
		return
	}
	if t.st.Want == "" {
		t.st.Want = strings.Join(asksAll(r), ",")
	}
	a = p.beside(ctx, t, p.wanted(ctx, t, a), asked)
	p.tell(t, a)
	t.told(asked, a, false)
	t.st.Question, t.st.Misses = asked, 0
	p.sayNoLaw(t, r, a)
	if p.offerGuide(t, a, r) {
		return
	}
	m := p.say(t, "helped?")
	m.Ask, t.st.Waiting = AskHelped, AskHelped
	ids := []string{"helped", "not_helped"}
	if r.kind() != "" || r.has("problem", "file") {
		m.Text = p.tx.t(t.lang, "helped_or_file?")
		ids = append(ids, "file_question")
	}
	p.offer(t, m, ids...)
}

// advise answers a trouble when there is a good article for it, and otherwise reports false and says nothing.
func (p *Policy) advise(ctx context.Context, t *turn, r *reading) bool {
	a, asked, ok := p.lookUp(ctx, t, r)
	if !ok || a.Outcome != OutcomeAnswer || len(a.Citations) == 0 {
		return false
	}
	a = p.ground(ctx, t, a, asked)
	p.tellAndAsk(ctx, t, r, a, asked)
	return true
}

// article shows the article that was picked from a list.
func (p *Policy) article(ctx context.Context, t *turn, id string) {
	p.articleFor(ctx, t, id, &reading{})
}

// articleFor is article for a text that asks something about it at once.
func (p *Policy) articleFor(ctx context.Context, t *turn, id string, r *reading) {
	if p.kb == nil {
		p.nothing(t, t.st.Question)
		return
	}
	a, err := p.kb.ByID(ctx, id, t.lang)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && (len(a.Citations) == 0 || a.Text == ""):
		m := p.say(t, "article_gone")
		p.offer(t, m, "file_question", "human")
	case err != nil:
		t.reply.Problems = append(t.reply.Problems, err)
		m := p.say(t, "kb_down")
		p.offer(t, m, "human", "file")
	default:
		a = p.beside(ctx, t, p.wanted(ctx, t, a), t.st.Question)
		p.tell(t, a)
		t.told(t.st.Question, a, true)
		p.sayNoLaw(t, r, a)
		if t.st.Form != nil {
			p.next(t)
			return
		}
		if p.offerGuide(t, a, nil) {
			return
		}
		m := p.say(t, "helped?")
		m.Ask, t.st.Waiting = AskHelped, AskHelped
		p.offer(t, m, "helped", "not_helped")
	}
}

// helped notes an answer that the citizen confirmed.
func (p *Policy) helped(t *turn) {
	t.reply.Answered, t.reply.Question = t.st.Cited, t.st.Question
	t.st.Cited, t.st.Waiting, t.st.Question, t.st.Said = nil, "", "", nil
	m := p.say(t, "glad")
	p.offer(t, m, "done", "ask", "human")
}

func (p *Policy) notHelped(t *turn) {
	t.reply.NotHelped, t.reply.Question = t.st.Cited, t.st.Question
	t.reply.Unanswered = t.st.Question
	t.st.Cited, t.st.Waiting = nil, waitFile
	m := p.say(t, "sorry_not_helped")
	p.offer(t, m, "human", "file_question", "ask")
}

// nothing says that none of the articles offered fits.
func (p *Policy) nothing(t *turn, q string) {
	t.reply.NoneFits, t.reply.Question, t.reply.Unanswered = true, q, question(q)
	p.notKnown(t, q, "none")
}

func (p *Policy) unknown(t *turn, q, key string, score float64) {
	t.unanswered(question(q), score)
	p.notKnown(t, q, key)
}

func (p *Policy) notKnown(t *turn, q, key string) {
	t.st.Question, t.st.Waiting, t.st.Cited = question(q), waitFile, nil
	m := p.say(t, key)
	p.offer(t, m, "file_question", "human", "ask")
}

// unclear reports whether a text says too little to search for or to file: a word or two, and no question.
func (p *Policy) unclear(r *reading) bool {
	words := map[string]bool{} // 啊啊啊啊 is one
	for _, tok := range r.toks {
		if tok.han || isWord(tok.text) {
			words[tok.text] = true
		}
	}
	return !r.question && len(words) <= r.slack()
}

// fileQuestion starts a ticket from the question that found no answer.
func (p *Policy) fileQuestion(t *turn) { p.fileQuestionAs(t, "") }

// fileQuestionAs is fileQuestion with the kind that the citizen has named, "" when they did not.
func (p *Policy) fileQuestionAs(t *turn, said string) {
	q := t.st.Question
	if n := len(t.st.Said); n > 1 && strings.HasPrefix(q, cut(t.st.Said[n-1], maxQuestion-1)) { // told in pieces
		q = strings.Join(t.st.Said, "\n")
	} else if told := p.trouble(t); told != "" && q != "" && n > 0 && !strings.Contains(told, strings.TrimSuffix(q, "…")) { // a trouble, and a question about it
		q = told + "\n" + q
	}
	if t.st.Form != nil {
		p.next(t)
		return
	}
	r := p.lex.read(q)
	kind := said
	if kind == "" {
		kind = r.kind()
	}
	if kind == "" {
		switch {
		case r.has("problem") || !r.question:
			kind = Help
		default:
			kind = Consult
		}
	}
	if r.empty() {
		kind = ""
	}
	p.start(t, kind, said != "")
	if r.empty() {
		p.next(t)
		return
	}
	p.take(t, &r, Input{Text: q})
}

// question is what is kept of a question.
func question(s string) string { return cut(clean(s), maxQuestion) }
