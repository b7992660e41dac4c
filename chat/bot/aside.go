package bot

import "context"

// questionFirst answers "one question first", with or without the question itself.
func (p *Policy) questionFirst(ctx context.Context, t *turn, r *reading) {
	rest, _ := r.after("question_first")
	if q := p.lex.read(rest); len(q.toks) > 2 {
		p.aside(ctx, t, &q, true)
		return
	}
	m := p.say(t, "ask.go_ahead_form")
	p.offer(t, m, "go_on", "human")
	t.st.Waiting = waitAsk
}

// aside answers a question in the middle of a form and comes back to the form. Unless it must, it stays silent about a text without a
// good answer and reports false: the text is then the answer to what was asked.
func (p *Policy) aside(ctx context.Context, t *turn, r *reading, must bool) bool {
	a, asked, ok := p.lookUp(ctx, t, r)
	switch {
	case ok && a.Outcome == OutcomeAnswer && len(a.Citations) > 0:
		p.tell(t, a)
		t.told(asked, a, false)
		t.st.Cited = nil
	case ok && a.Outcome == OutcomeChoices && len(a.Citations) > 0 && must:
		p.maybe(t, asked, a)
		t.st.Cited = nil
	case must && ok:
		t.unanswered(question(r.text), a.Score)
		p.say(t, "aside.none")
	case must:
		p.say(t, "aside.down")
	default:
		return false
	}
	t.lead = p.tx.t(t.lang, "form.back")
	p.next(t)
	return true
}

// maybe names the articles that may have the answer to a question, where there is no room to choose.
func (p *Policy) maybe(t *turn, asked string, a Answer) {
	key := "aside.maybe"
	if len(a.Citations) == 1 {
		key = "aside.maybe_one"
	}
	found := a.Citations[:min(3, len(a.Citations))]
	p.tell(t, Answer{Text: p.tx.t(t.lang, key), Citations: a.Citations})
	t.reply.Messages[len(t.reply.Messages)-1].Citations = found
	t.told(asked, Answer{Outcome: OutcomeChoices, Score: a.Score, Citations: found}, false)
}
