package bot

import (
	"context"
	"slices"
)

// courtesy reports whether a text begins with thanks and adds a word or two: "thanks, Anna". What stands before the thanks is what is asked for: 护照，谢谢.
func courtesy(r *reading) bool {
	begins := slices.ContainsFunc(r.found, func(m match) bool {
		return m.from == 0 && (m.class == "thanks" || m.class == "greet" || m.class == "yes")
	})
	return begins && r.mostly("thanks", "greet", "yes") && !r.question && !r.has("upset", "problem", "sarcasm") && r.kind() == "" &&
		r.code.digits == "" && r.phone == "" && r.email == "" && r.place == ""
}

// smallTalk answers courtesies and questions about the bot itself.
func (p *Policy) smallTalk(ctx context.Context, t *turn, r *reading) bool {
	switch {
	case r.only("greet", "thanks"):
		key := "greeting"
		if t.st.Greeted {
			key = "greeting_again"
		}
		m := p.say(t, key, "name", p.name(t.lang))
		p.offer(t, m, "file", "status", "human")
		t.st.Greeted = true
	case nameIn(r) != "" && !r.question && p.namesOnly(r):
		m := p.say(t, "greeting_named", "contact_name", defuse(nameIn(r)))
		p.offer(t, m, "file", "status", "human")
		t.st.Greeted, t.st.Name = true, nameIn(r)
	case r.only("bye", "thanks", "greet", "no", "yes"):
		p.bye(t)
	case r.only("thanks", "greet", "yes", "helped"), courtesy(r):
		p.say(t, "thanks")
	case r.mostly("who"):
		m := p.say(t, "who", "name", p.name(t.lang))
		p.offer(t, m, "file", "status", "human")
	case r.mostly("capabilities", "greet"), r.only("kind.help"):
		m := p.say(t, "capabilities")
		p.offer(t, m, "file", "status", "human")
	case r.mostly("how_are_you", "greet"):
		p.say(t, "how_are_you")
	case r.only("question_first", "greet", "thanks", "yes"):
		p.say(t, "ask.go_ahead")
	case r.mostly("hours"), r.mostly("hotline_phone"):
		p.hours(t)
	case r.mostly("grade.5"), r.mostly("grade.4"): // a grade that nobody asked for
		p.say(t, "thanks")
	case r.mostly("resolved", "thanks", "yes") && !r.question && !r.has("problem"):
		p.say(t, "good_to_know")
	case r.mostly("mistakes"):
		p.say(t, "mistakes")
	case r.mostly("joke"):
		p.say(t, "joke")
	case r.question && r.has("privacy") && r.rest("privacy", "question", "insist", "file", "kind.complaint", "kind.report") <= r.slack():
		p.offer(t, p.say(t, "why.privacy"), "file", "human")
	case r.mostly("repeat") && t.st.About != nil:
		p.article(ctx, t, t.st.About.ArticleID)
	case (r.mostly("what_mean") || r.mostly("repeat")) && !r.has("upset"):
		m := p.say(t, "what_mean")
		p.offer(t, m, "file", "status", "human")
	case r.only("guide.resume", "go_on"), r.only("go_on", "guide.resume"):
		p.say(t, "ask.go_ahead")
	case r.mostly("anonymous", "greet", "yes") && !r.question && len(r.toks) > r.slack() && r.phone == "" && r.email == "":
		p.start(t, "", false)
		t.st.Form.anonymise()
		t.lead = p.tx.t(t.lang, "form.got_anonymous")
		p.next(t)
	case r.only("confirm"), r.only("anonymous"), r.only("skip"), r.only("change"), r.only("reply_here"):
		p.say(t, "choice_gone")
	case r.only("cancel"), r.only("no"):
		p.say(t, "ok_else")
	case r.only("yes"):
		m := p.say(t, "yes_what")
		p.offer(t, m, "file", "status", "human")
	default:
		return false
	}
	return true
}
