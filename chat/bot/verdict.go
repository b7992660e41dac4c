package bot

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"hotline/chat/bot/hear"
)

// More than a yes or a no: "yes, it has been dark since Monday", "no, I mean for my dog", 是的，不过下雨才漏. The first word answers the question that
// was asked, the rest is read for what it says: it may answer the next question, tell more of the matter, or ask something.

var andFirst = regexp.MustCompile(`(?i)^(?:(?:and|but|also)\b|还有|而且|不过|但是|但)[\s,，]*`)

// verdict is an answer with more behind it.
type verdict struct {
	yes, no bool
	rest    reading
}

// verdictOf takes a text apart into its first word and the rest. It reports false when there is no rest, or when the first word belongs to it: "no
// heating since Monday".
func (p *Policy) verdictOf(r *reading) (v verdict, ok bool) {
	end := 0
	for _, m := range r.found {
		if m.from == 0 && m.to > end && (m.class == "yes" || m.class == "no") {
			v.yes, v.no, end = m.class == "yes", m.class == "no", m.to
		}
	}
	if end == 0 || end == len(r.toks) {
		return v, false
	}
	between := r.text[r.toks[end-1].end:r.toks[end].start]
	goesOn := strings.ContainsAny(between, ",.;:!\n，。；：！、-–—")
	if !goesOn && (v.yes || r.toks[end].han && end > 1) {
		goesOn = p.begins(r, end)
	}
	if !goesOn {
		return v, false
	}
	v.rest = p.lex.read(andFirst.ReplaceAllString(r.text[r.toks[end].start:], ""))
	return v, v.rest.rest("yes", "no", "thanks", "bye", "confirm") > 0
}

// begins reports whether a new statement begins at a word: "yes it has been dark".
func (p *Policy) begins(r *reading, at int) bool {
	return slices.ContainsFunc(r.found, func(m match) bool { return m.class == "statement_start" && m.from == at })
}

// tells reports whether the rest only tells something: it asks nothing, and nothing is wrong.
func (v *verdict) tells() bool {
	return !v.rest.question && !v.rest.has("problem", "file", "insist", "upset", "not_helped", "helped", "human", "cancel", "another") && v.rest.kind() == "" &&
		v.rest.place == "" && v.rest.phone == "" && v.rest.email == ""
}

// answersMore handles a yes or no with more behind it, as a reply to what the bot asked outside a form. It reports false when the text has still to be
// read; *r is then what is left of it.
func (p *Policy) answersMore(ctx context.Context, t *turn, r *reading, waiting string) bool {
	v, ok := p.verdictOf(r)
	if !ok {
		return false
	}
	switch waiting {
	case AskHelped, waitSolved:
		switch {
		case v.yes && v.tells(): // neither that it helped nor a question: "yes, I registered last week"
			p.hears(t, &v.rest)
			m := p.say(t, "helped.told")
			m.Ask, t.st.Waiting = AskHelped, waiting
			p.offer(t, m, "helped", "not_helped", "file_question")
			return true
		case v.no && !v.rest.has("helped", "not_helped", "thanks"): // "no, I mean for my dog"
			p.missed(t)
			*r = p.leadOff(&v.rest)
		}
	case waitFile:
		switch {
		case v.yes && p.asks(&v.rest):
			p.offerStays(ctx, t, &v.rest)
			return true
		case v.yes:
			p.fileQuestion(t)
			p.goOnInForm(ctx, t, &v.rest)
			return true
		case v.no:
			*r = v.rest
		}
	case waitGuide:
		if v.yes && !v.rest.has("not_helped", "helped") {
			t.st.Said = append(t.st.Said, v.rest.text)
			p.startGuide(ctx, t)
			return true
		}
	case AskSolved:
		if t.st.Rating == nil || v.rest.question {
			return false
		}
		t.st.Rating.Comment = cut(v.rest.text, 1000)
		if v.yes && v.rest.has("problem", "not_helped") { // "yes, but it is broken again"
			m := p.say(t, "revisit.unsure")
			m.Ask, t.st.Waiting = AskSolved, AskSolved
			p.offer(t, m, "solved", "not_solved", "human")
			return true
		}
		p.solved(t, v.yes)
		return true
	case AskArticle:
		if only, one := onlyArticle(t.st.Offered); one && v.yes && !v.rest.has("file", "insist") {
			p.article(ctx, t, only)
			if v.rest.question && t.st.Guide == nil {
				t.reply.Messages = settled(t.reply.Messages)
				p.fresh(ctx, t, &v.rest, Input{Text: v.rest.text}, nil)
			}
			return true
		}
	case waitDuty:
		if v.yes && v.tells() {
			p.handOff(t, HandOffAsked, true)
			return true
		}
	}
	return false
}

// offerStays answers what somebody asks instead of taking or refusing the offer to pass a question on: "ok, and what are the opening hours?".
func (p *Policy) offerStays(ctx context.Context, t *turn, r *reading) {
	before := t.st.Question
	p.fresh(ctx, t, r, Input{Text: r.text}, nil)
	if before == "" || t.st.Form != nil || t.reply.HandOff != nil || t.reply.Close {
		return
	}
	if t.st.Waiting == waitFile { // no answer to this one either: both can go
		t.st.Question = question(before + "\n" + t.st.Question)
		return
	}
	t.reply.Messages = settled(t.reply.Messages)
	if n := len(t.reply.Messages); n > 0 {
		t.reply.Messages[n-1].Choices = nil
	}
	m := p.say(t, "file.still", "question", defuse(cut(before, maxTitle)))
	p.offer(t, m, "file_question", "ask", "human")
	t.st.Question, t.st.Waiting, t.st.Cited = before, waitFile, nil
}

// missed notes that the answer told last was not what was meant; the citizen says at once what is.
func (p *Policy) missed(t *turn) {
	t.reply.NotHelped, t.reply.Question, t.st.Cited = t.st.Cited, t.st.Question, nil
}

// goOnInForm reads more of the same message after a form was begun by its first word.
func (p *Policy) goOnInForm(ctx context.Context, t *turn, rest *reading) {
	if t.st.Form == nil || t.st.Waiting != "" { // a refusal or the page for reports is said first
		return
	}
	t.reply.Messages = settled(t.reply.Messages)
	if v := p.matter(rest); rest.place == "" && rest.phone == "" && rest.email == "" && !rest.question && v > 0 && !rest.has("anonymous", "reply_here", "place_lead", "vague_place") {
		p.describe(t, rest)
		t.lead = p.tx.t(t.lang, "form.added")
		p.next(t)
		return
	}
	p.inForm(ctx, t, rest, Input{Text: rest.text})
}

// yesNoTold takes an answer to a question for yes or no with what it tells beside: "yes, my son, last week". It gives "" for a text that answers neither.
func (p *Policy) yesNoTold(t *turn, d Field, r *reading) string {
	switch said := hear.YesNo(d.Label, r.text); said {
	case hear.Yes, hear.No:
		if v, ok := p.verdictOf(r); ok && !v.rest.question && p.matter(&v.rest) > 0 {
			told := p.lex.read(strings.TrimSpace(d.Label + " " + v.rest.text)) // "my son" alone says nothing
			p.describe(t, &told)
		}
		return string(said)
	}
	return ""
}
