package bot

import (
	"context"
	"strings"
	"unicode/utf8"

	"hotline/chat/bot/hear"
)

// What a model proposes is checked by the rules: a question may only be made of the words of the talk, a place must stand in the text and
// look like one, a category must be one of those offered. What does not pass is as if it had not been said.

// rewrittenShare and slotsShare are the parts of a turn's time in which a model has to propose; the rest is for the answer.
const (
	rewrittenShare = 3
	slotsShare     = 2
)

// rewritten asks the model for the question in full and answers it. It reports false when the model proposes none that passes, or nothing is
// found for it.
func (p *Policy) rewritten(ctx context.Context, t *turn, r *reading) bool {
	if p.llm == nil || p.kb == nil || t.st.Question == "" && t.st.About == nil {
		return false
	}
	ctx2, cancel, ok := thinking(ctx, rewrittenShare)
	if !ok {
		return false
	}
	defer cancel()
	f := Follow{Text: r.text, Before: t.st.Question, Lang: t.lang}
	if t.st.About != nil {
		f.Title = t.st.About.Title
	}
	w, err := p.llm.Rewrite(ctx2, f)
	if err != nil {
		t.reply.Problems = append(t.reply.Problems, err)
		return false
	}
	asked := question(w.Question)
	q := p.lex.read(asked)
	if asked == "" || plain(asked) == plain(r.text) || !q.question && r.question || !p.ofTheTalk(&q, f) {
		return false
	}
	a, err := p.kb.Answer(ctx, asked, t.lang)
	if err != nil || len(a.Citations) == 0 || t.st.About != nil && a.Citations[0].ArticleID == t.st.About.ArticleID {
		return false
	}
	t.call = w.Call
	switch a.Outcome {
	case OutcomeAnswer:
		p.tellAndAsk(ctx, t, &q, p.ground(ctx, t, a, asked), asked)
	case OutcomeChoices:
		found := a.Citations[:min(4, len(a.Citations))]
		p.which(t, &q, found)
		t.st.Question, t.st.Misses = asked, 0
		t.told(asked, Answer{Outcome: OutcomeChoices, Score: a.Score, Citations: found}, false)
	default:
		t.call = ""
		return false
	}
	return true
}

// ofTheTalk reports whether a proposed question is made of the words of the talk, and holds something of the text that it stands for.
func (p *Policy) ofTheTalk(q *reading, f Follow) bool {
	words := p.topic(q)
	hits, of := hear.Overlap(f.Text+"\n"+f.Before+"\n"+f.Title, words)
	if of == 0 || hits < of {
		return false
	}
	said := p.lex.read(f.Text)
	new := p.topic(&said)
	if new == "" {
		return true
	}
	kept, _ := hear.Overlap(q.text, new)
	return kept > 0
}

// leastToRead is how many words tell enough for a model to read slots from.
const leastToRead = 6

// readSlots lets the model look for the place and the category that the rules have not found. Reports, and what is to be kept confidential, are
// shown to no model.
func (p *Policy) readSlots(ctx context.Context, t *turn, r *reading) {
	f := t.st.Form
	if p.llm == nil || f == nil || f.Kind == Report || f.Confidential || p.matter(r) < leastToRead || !f.needsPlace() && f.Category != "" {
		return
	}
	ctx, cancel, ok := thinking(ctx, slotsShare)
	if !ok {
		return
	}
	defer cancel()
	s := Statement{Text: f.Description, Lang: t.lang}
	if p.offered != nil {
		s.Categories = p.offered(t.lang)
	}
	if f.Name != "" {
		s.Known = append(s.Known, f.Name)
	}
	got, err := p.llm.FindSlots(ctx, s)
	if err != nil {
		t.reply.Problems = append(t.reply.Problems, err)
		return
	}
	if f.Category == "" {
		for _, c := range s.Categories {
			if c.ID == got.Category {
				f.Category = c.ID
			}
		}
	}
	if f.needsPlace() && p.placeLike(f.Description, got.Place) {
		f.Place = clean(got.Place)
	}
}

// placeLike reports whether a proposed place can be one: a part of the text, not all of it, not "here", and no question, number or name.
func (p *Policy) placeLike(text, place string) bool {
	place = strings.TrimSpace(place)
	if n := utf8.RuneCountInString(place); n < 2 || n > 120 || !strings.Contains(text, place) || 2*n > utf8.RuneCountInString(text) && len(strings.Fields(place)) > 6 {
		return false
	}
	v := p.lex.read(place)
	if v.place == "" && (strings.ContainsAny(place, ",;.!，；。！\n") || len(v.toks) > 7*(v.slack()-1)) { // a clause, not where it is
		return false
	}
	return !v.empty() && !v.question && v.phone == "" && v.email == "" && !v.mostly("vague_place") && !v.has("problem", "insist", "my_name") && v.kind() == ""
}
