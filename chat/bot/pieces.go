package bot

import (
	"context"
	"slices"
	"strings"
)

// A trouble that is told in pieces, before a ticket is begun: "my neighbour", "is very loud", "at 5 Lake Road".

// maxSaid is how many statements in a row are kept, and maxSaidAge for how many turns without one.
const (
	maxSaid    = 4
	maxSaidAge = 4
)

// hears keeps what is told before a ticket is begun: people tell a trouble in pieces, and ask something in between.
func (p *Policy) hears(t *turn, r *reading) {
	if r.question && !r.has("problem") {
		if t.st.SaidAge++; t.st.SaidAge > maxSaidAge {
			t.st.Said, t.st.SaidAge = nil, 0
		}
		return
	}
	if p.matter(r) == 0 {
		return
	}
	said := append(slices.Clone(t.st.Said), cut(r.text, maxDescription/maxSaid))
	t.st.Said, t.st.SaidAge = said[max(0, len(said)-maxSaid):], 0
}

// trouble is what was told before, "" when it is no trouble.
func (p *Policy) trouble(t *turn) string {
	for _, s := range t.st.Said {
		q := p.lex.read(s)
		if q.has("problem") || q.kind() == Complaint || q.kind() == Report || len(q.toks) >= 3*q.slack() && !q.has("aspect.documents", "aspect.steps", "follow_up") {
			return strings.Join(t.st.Said, "\n")
		}
	}
	return ""
}

// tellsMatter reads what is no courtesy: a trouble, or a question.
func (p *Policy) tellsMatter(ctx context.Context, t *turn, r *reading, in Input, waiting string) {
	before := p.trouble(t)
	t.trouble = before
	p.hears(t, r)
	t.goingOn = waiting == waitFile && !r.question && before != ""
	switch {
	case p.answersFirst(r) && p.advise(ctx, t, r):
	case p.files(t, r):
		if p.matter(r) == 0 && before != "" { // "I want to complain" is about what was told a moment ago
			t.st.Question = before
			p.fileQuestionAs(t, r.kind())
			break
		}
		if waiting == waitFile && t.st.Question != "" && p.matter(r) < r.slack() && r.place == "" && !r.has("problem") { // "please help me complain" is about the question
			p.fileQuestionAs(t, r.kind())
			break
		}
		p.fileTold(t, r, in)
	default:
		p.ask(ctx, t, r, in)
		return
	}
	t.st.Misses = 0
}

// slotOnly reports whether a text is an address, a number or an e-mail address and nothing else.
func (p *Policy) slotOnly(r *reading) bool {
	if r.question || r.code.near > 0 || r.place == "" && r.email == "" && (r.phone == "" || !certainPhone(r.phone)) {
		return false
	}
	return len(p.lex.tokens(p.placeOf(r, "", ""))) == len(p.lex.tokens(r.place)) || r.place == "" && p.matter(r) == 0
}

// startWith begins a ticket with an address or a contact that was given before anything else: about the trouble told a moment ago, or one
// that is still to be told.
func (p *Policy) startWith(t *turn, r *reading) {
	told := p.trouble(t)
	q := p.lex.read(told)
	p.start(t, q.kind(), false)
	p.absorb(t, r)
	if told != "" {
		p.take(t, &q, Input{Text: q.text})
		return
	}
	t.lead = p.tx.t(t.lang, "form.got_contact")
	if r.place != "" {
		t.lead = p.tx.t(t.lang, "form.got_place")
	}
	p.next(t)
}

// startTold begins a ticket that somebody asks for, with the trouble told before, if there was one.
func (p *Policy) startTold(t *turn) {
	told := p.trouble(t)
	if told == "" {
		p.start(t, "", false)
		p.next(t)
		return
	}
	r := p.lex.read(told)
	p.start(t, r.kind(), false)
	p.take(t, &r, Input{Text: told})
}

// placeTold takes "near the big tree" and "in my street" behind a trouble for where it is. It reports false for anything else.
func (p *Policy) placeTold(ctx context.Context, t *turn, r *reading) bool {
	told := p.trouble(t)
	if told == "" || r.question || r.has("problem", "file", "insist") || r.place != "" || len(r.toks) > longestFollow || !r.has("place_lead") && !r.only("vague_place") && !r.mostly("no_address") {
		return false
	}
	q := p.lex.read(told)
	p.start(t, q.kind(), false)
	before := len(t.reply.Messages)
	p.take(t, &q, Input{Text: q.text})
	f := t.st.Form
	if f == nil || f.Asked != AskWhere {
		return true
	}
	lead := p.tx.t(t.lang, "lead."+f.Kind)
	t.reply.Messages = t.reply.Messages[:before] // it has just been answered
	p.fillWhere(ctx, t, r)
	if p.tx.has(t.lang, "lead."+f.Kind) && len(t.reply.Messages) > before {
		m := &t.reply.Messages[before]
		m.Text = lead + p.tx.t(t.lang, "joint") + m.Text
	}
	return true
}

// fileTold begins a ticket with a text, and with what was told in pieces before it.
func (p *Policy) fileTold(t *turn, r *reading, in Input) {
	if told := p.trouble(t); len(t.st.Said) > 1 && told != "" && (t.goingOn || !r.has("problem")) {
		all := p.lex.read(told)
		r = &all
	}
	p.start(t, r.kind(), r.kind() != "")
	p.take(t, r, in)
}

// likeTrouble reports whether a text tells that something is wrong: by its words, or by its category.
func (p *Policy) likeTrouble(r *reading) bool {
	if r.has("problem") {
		return true
	}
	return p.matter(r) >= r.slack() && len(r.toks) > r.slack() && p.category(r.text) != ""
}

// answersFirst: a trouble told without its place and without a wish to complain may have an answer that helps at once ("no power").
func (p *Policy) answersFirst(r *reading) bool {
	if r.has("insist", "file") || r.question || r.place != "" {
		return false
	}
	return r.kind() == "" && r.has("problem") && len(p.matters(r)) < 2
}
