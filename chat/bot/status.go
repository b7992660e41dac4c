package bot

import (
	"context"
	"errors"
	"strconv"
)

// askCode asks for the tracking code.
func (p *Policy) askCode(t *turn, key string, pairs ...string) {
	m := p.say(t, key, pairs...)
	m.Ask = AskCode
	p.offer(t, m, "human")
	t.st.Waiting = AskCode
}

// askCodeFor asks for the code and says what is wrong with what was given instead of it.
func (p *Policy) askCodeFor(t *turn, r *reading) {
	switch {
	case r.code.public:
		p.askCode(t, "status.public_number")
	case r.code.near > 0:
		p.askCode(t, "status.wrong_length", "n", strconv.Itoa(r.code.near))
	case t.st.Waiting == AskCode, len(onlyDigits(narrowAll(r.text))) >= 4:
		p.askCode(t, "status.wrong_length", "n", strconv.Itoa(len(onlyDigits(narrowAll(r.text)))))
	default:
		p.askCode(t, "status.ask")
	}
}

// status tells how far a ticket is. The code is used and forgotten.
func (p *Policy) status(ctx context.Context, t *turn, code string) {
	t.st.Waiting = ""
	if p.tickets == nil {
		p.say(t, "status.down")
		return
	}
	s, err := p.tickets.Status(ctx, code, t.lang)
	switch {
	case errors.Is(err, ErrNotFound):
		p.askCode(t, "status.not_found")
		return
	case errors.Is(err, ErrTooMany):
		p.say(t, "status.too_many")
		return
	case err != nil:
		t.reply.Problems = append(t.reply.Problems, err)
		p.say(t, "status.down")
		return
	}
	state := p.tx.t(t.lang, "state.other")
	if p.tx.has(t.lang, "state."+s.State) {
		state = p.tx.t(t.lang, "state."+s.State)
	}
	m := p.say(t, "status.head", "number", defuse(s.Number), "title", defuse(s.Title), "state", state)
	if s.Agency != "" {
		m.Text += "\n" + p.tx.t(t.lang, "status.agency", "agency", defuse(s.Agency))
	}
	if s.Due != nil {
		m.Text += "\n" + p.tx.t(t.lang, "status.due", "date", p.date(t.lang, *s.Due))
	}
	if !s.Updated.IsZero() {
		m.Text += "\n" + p.tx.t(t.lang, "status.updated", "date", p.date(t.lang, s.Updated))
	}
	if s.Reply != "" {
		m.Text += "\n" + p.tx.t(t.lang, "status.reply", "text", defuse(cut(s.Reply, 600)))
	}
	if s.CanRate && t.st.Form == nil {
		t.st.Rating, t.st.Waiting = &Rating{TicketID: s.TicketID}, AskRating
		r := p.ratingMessage(t.lang, "rate.ask")
		t.reply.Messages = append(t.reply.Messages, r)
	}
}

func (p *Policy) ratingMessage(lang, key string, pairs ...string) Message {
	return Message{Text: p.tx.t(lang, key, pairs...), Ask: AskRating, Choices: p.choices(lang, "rate:5", "rate:4", "rate:3", "rate:2", "rate:1", "human")}
}

// solved takes the answer to the revisit and asks for the grade that goes with it.
func (p *Policy) solved(t *turn, yes bool) {
	t.st.Rating.Resolved, t.st.Waiting = &yes, AskRating
	key := "revisit.grade"
	if !yes {
		key = "revisit.sorry"
	}
	m := p.ratingMessage(t.lang, key)
	t.reply.Messages = append(t.reply.Messages, m)
}

// rate takes a grade. It counts at once; for a bad one the bot asks why, and the comment follows as the same rating with words.
func (p *Policy) rate(t *turn, grade int) {
	if t.st.Rating == nil {
		p.say(t, "choice_gone")
		return
	}
	t.st.Rating.Grade = grade
	given := *t.st.Rating
	t.reply.Rate = &given
	if grade > 2 || t.st.Form != nil { // a form that is open comes before the reasons
		p.say(t, "rate.thanks")
		t.st.Rating, t.st.Waiting = nil, ""
		if t.st.Form != nil {
			p.next(t)
		}
		return
	}
	m := p.say(t, "rate.why")
	m.Ask, t.st.Waiting = AskComment, AskComment
	p.offer(t, m, "skip", "human")
}

// chatRated answers the grade that somebody gave the chat when leaving it. A form that is open stays open, for when they come back.
func (p *Policy) chatRated(t *turn, grade string) {
	if grade != "1" && grade != "2" {
		p.say(t, "rate.chat")
		return
	}
	m := p.say(t, "rate.chat_bad")
	if t.st.Form != nil {
		p.offer(t, m, "human", "go_on")
		return
	}
	p.offer(t, m, "human", "file")
}

// ratingText understands a grade in words or as a digit.
func (p *Policy) ratingText(t *turn, r *reading) bool {
	if t.st.Rating == nil {
		return false
	}
	switch s := plain(r.text); {
	case len(s) == 1 && s[0] >= '1' && s[0] <= '5':
		p.rate(t, int(s[0]-'0'))
	case r.only("no"), r.only("skip"):
		t.st.Rating = nil
		p.say(t, "ok_else")
	default:
		for grade := 1; grade <= 5; grade++ {
			if r.mostly("grade." + strconv.Itoa(grade)) {
				p.rate(t, grade)
				return true
			}
		}
		return false
	}
	return true
}

func (p *Policy) comment(t *turn, r *reading) {
	if t.st.Rating == nil {
		p.say(t, "thanks")
		return
	}
	given := *t.st.Rating
	given.Comment = cut(r.text, 1000)
	t.reply.Rate = &given
	t.st.Rating = nil
	p.say(t, "rate.comment_thanks")
}
