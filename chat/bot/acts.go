package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotline/chat/bot/hear"
)

// choose handles a tapped quick reply. It reports false for an id that means nothing (now), so that the text beside it is read instead.
func (p *Policy) choose(ctx context.Context, t *turn, id string, shelved *Form, r *reading) bool {
	f := t.st.Form
	if arg, ok := strings.CutPrefix(id, "article:"); ok {
		p.article(ctx, t, arg)
		return true
	}
	if arg, ok := strings.CutPrefix(id, guidePrefix); ok {
		p.chooseInGuide(ctx, t, arg)
		return true
	}
	if arg, ok := strings.CutPrefix(id, "rate:"); ok {
		grade, err := strconv.Atoi(arg)
		if err != nil || grade < 1 || grade > 5 {
			return false
		}
		p.rate(t, grade)
		return true
	}
	if arg, ok := strings.CutPrefix(id, "rate_chat:"); ok { // the caller keeps the grade with the conversation
		p.chatRated(t, arg)
		return true
	}
	switch id {
	case "solved", "not_solved":
		if t.st.Rating == nil {
			return false
		}
		p.solved(t, id == "solved")
	case "human":
		p.person(t, HandOffAsked)
	case "wait":
		p.handOff(t, HandOffAsked, true)
	case "leave_queue": // nobody waits any more; the caller takes a conversation out of the queue
		p.say(t, "ok_else")
	case "file":
		if f == nil {
			p.startTold(t)
		} else {
			p.next(t)
		}
	case "file_question":
		p.fileQuestion(t)
	case "status":
		p.askCode(t, "status.ask")
	case "ask":
		p.say(t, "ask.go_ahead")
		t.st.Waiting = ""
	case "helped":
		p.helped(t)
	case "not_helped":
		p.notHelped(t)
	case "none_of_these":
		p.nothing(t, t.st.Question)
	case "false_alarm":
		p.clearAlarm(t)
	case "resume":
		p.resume(t, shelved)
	case "done":
		p.bye(t)
	case "kind:" + Consult, "kind:" + Help, "kind:" + Complaint, "kind:" + Report, "kind:" + Suggestion, "kind:" + Praise:
		if f == nil {
			p.start(t, strings.TrimPrefix(id, "kind:"), true)
		} else {
			f.Kind, f.KindSaid = strings.TrimPrefix(id, "kind:"), true
		}
		p.next(t)
	default:
		if f == nil {
			if r.empty() {
				p.say(t, "choice_gone")
				return true
			}
			return false
		}
		return p.chooseInForm(t, id, r)
	}
	return true
}

// person offers a person: at once when one is on duty, else with the time of the next duty and a ticket beside it.
func (p *Policy) person(t *turn, reason string) {
	open, next := true, time.Time{}
	if p.env().Duty != nil {
		open, next = p.env().Duty(p.env().Now())
	}
	if open {
		p.handOff(t, reason, false)
		return
	}
	if t.st.Waiting == waitDuty { // asked a second time: then the citizen means it
		p.handOff(t, reason, true)
		return
	}
	key, when := "human.closed", ""
	if next.IsZero() {
		key = "human.closed_unknown"
	} else {
		when = p.moment(t.lang, next)
	}
	m := p.say(t, key, "when", when)
	if number := p.emergency.Number(t.st.Alarm); reason == HandOffEmergency && number != "" {
		m.Text += p.tx.t(t.lang, "joint") + p.tx.t(t.lang, "emergency.until", "emergency_number", number)
	}
	if t.st.Form != nil {
		p.offer(t, m, "wait", "go_on")
	} else {
		p.offer(t, m, "wait", "file", "ask")
	}
	t.st.Waiting = waitDuty
}

func (p *Policy) handOff(t *turn, reason string, afterHours bool) {
	h := &HandOff{Reason: reason, AfterHours: afterHours}
	if t.st.Form != nil {
		d := t.st.Form.Draft
		h.Draft = &d
	}
	key := "human.coming"
	switch {
	case afterHours:
		key = "human.queued"
	case reason == HandOffUpset:
		key = "human.coming_upset"
	}
	when := p.tx.t(t.lang, "duty.next")
	if afterHours && p.env().Duty != nil {
		if _, next := p.env().Duty(p.env().Now()); !next.IsZero() {
			when = p.moment(t.lang, next)
		}
	}
	p.say(t, key, "when", when)
	p.offer(t, &t.reply.Messages[len(t.reply.Messages)-1], "leave_queue")
	t.reply.HandOff, t.st.Waiting, t.st.Misses = h, "", 0
	t.told(t.st.Question, Answer{Outcome: OutcomeHandOff}, t.st.Question != "")
}

// moment tells a time the way people say it: today, tomorrow, a weekday, or a date when it is more than six days away.
func (p *Policy) moment(lang string, at time.Time) string {
	now, at := p.env().Now().In(p.env().Zone), at.In(p.env().Zone)
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	var name string
	switch days := int(day(at).Sub(day(now)).Hours() / 24); {
	case days == 0:
		name = p.tx.t(lang, "day.today")
	case days == 1:
		name = p.tx.t(lang, "day.tomorrow")
	case days > 1 && days < 7:
		name = p.tx.t(lang, "day."+strconv.Itoa(int(at.Weekday())))
	default:
		name = p.date(lang, at)
	}
	return p.tx.t(lang, "moment", "day", name, "time", at.Format("15:04"))
}

func (p *Policy) date(lang string, at time.Time) string {
	at = at.In(p.env().Zone)
	return p.tx.t(lang, "date", "d", strconv.Itoa(at.Day()), "m", strconv.Itoa(int(at.Month())), "month", p.tx.t(lang, "month."+strconv.Itoa(int(at.Month()))), "y", strconv.Itoa(at.Year()))
}

// fresh reads a text while no form is open.
func (p *Policy) fresh(ctx context.Context, t *turn, r *reading, in Input, shelved *Form) {
	if r.empty() {
		m := p.say(t, "empty")
		p.offer(t, m, "file", "status", "human")
		return
	}
	if r.has("human") && !(r.question && r.mostly("who", "human")) { // "are you a real person?" asks for none
		p.person(t, HandOffAsked)
		return
	}
	if r.code.digits != "" {
		p.status(ctx, t, r.code.digits)
		return
	}
	waiting := t.st.Waiting
	t.st.Waiting = ""
	lead := p.leadOff(r)
	if lead.leaning && r.starts("no") && (waiting == AskHelped || waiting == waitSolved) { // "no, I mean the other one"
		p.missed(t)
	}
	r = &lead
	if p.answersWaiting(ctx, t, r, waiting) {
		t.st.Misses = 0
		return
	}
	if f := p.foreignTo(r, t.st.Page); f != nil && !p.spokenAfterAll(ctx, t, r, f) {
		p.inForeign(ctx, t, r, f)
		return
	}
	switch {
	case p.about(ctx, t, r):
	case shelved != nil && (r.mostly("resume") || r.only("undo", "go_on", "yes")) || shelved != nil && r.only("go_on", "undo"):
		p.resume(t, shelved)
	case r.mostly("lost_code") && (t.st.About == nil || !r.question):
		p.say(t, "status.lost_code")
	case r.has("status") && !r.has("insist"), r.mostly("status_noun") && !r.question, r.code.public:
		p.askCodeFor(t, r)
	case p.smallTalk(ctx, t, r):
	case r.has("upset") && !r.has("insist") && r.rest("upset", "abuse") <= 2*r.slack():
		p.upset(t)
	case r.has("abuse") && r.rest("upset", "abuse") <= r.slack() && !r.has("problem"):
		m := p.say(t, "abuse")
		p.offer(t, m, "human", "file")
	case p.slotOnly(r):
		p.startWith(t, r)
	case p.placeTold(ctx, t, r):
	default:
		p.tellsMatter(ctx, t, r, in, waiting)
		return // it counts the misses itself
	}
	t.st.Misses = 0
}

// files decides whether the words ask for a ticket rather than for information.
func (p *Policy) files(_ *turn, r *reading) bool {
	if r.has("insist") {
		return true
	}
	if r.question {
		return r.has("request") && p.likeTrouble(r) // "my radiator is cold, can somebody come?"
	}
	return r.has("file", "problem") || r.kind() != "" && r.kind() != Help || r.kind() == Help && r.rest("kind.help") > 0
}

// answersWaiting handles the reply to what the bot asked outside a form. It reports false when the text is about something else.
func (p *Policy) answersWaiting(ctx context.Context, t *turn, r *reading, waiting string) bool {
	if p.answersMore(ctx, t, r, waiting) {
		return true
	}
	yes, no := r.only("yes", "thanks"), r.only("no", "thanks")
	switch waiting {
	case AskCode:
		switch {
		case r.mostly("cancel") || no:
			p.say(t, "ok_else")
		case r.mostly("lost_code") || r.mostly("lost_it"):
			p.say(t, "status.lost_code")
		case r.code.near > 0 || r.code.public || len(onlyDigits(narrowAll(r.text))) >= 4:
			p.askCodeFor(t, r)
		default:
			return false
		}
	case waitGuide:
		switch {
		case r.mostly("not_helped"):
			p.notHelped(t)
		case yes || r.mostly("guide.start"):
			p.startGuide(ctx, t)
		case r.mostly("helped", "thanks"), r.only("thanks"):
			p.helped(t)
		case no, r.only("thanks", "no"): // no questions, please; whether the answer helped was not said
			p.say(t, "ok_else")
		case !r.question && p.tellsFacts(ctx, t, r):
		default:
			return false
		}
	case AskHelped, waitSolved:
		switch {
		case r.mostly("file"):
			p.fileQuestion(t)
		case r.has("bye") && r.only("no", "thanks", "bye"): // "no, thank you, that is all": nothing else is wanted; whether it helped was not said
			p.bye(t)
		case r.mostly("not_helped") || no:
			p.notHelped(t)
		case r.mostly("helped", "thanks", "yes") || yes:
			p.helped(t)
		case r.only("thanks") && waiting == AskHelped:
			m := p.say(t, "solved_ask")
			m.Ask, t.st.Waiting = AskHelped, waitSolved
			p.offer(t, m, "helped", "not_helped")
		case r.only("thanks", "bye"), r.only("bye", "thanks", "yes"):
			p.bye(t)
		default:
			return false
		}
	case AskArticle:
		if id := meant(t.st.Offered, r); id != "" && aspect(r) == "" && !p.asksElse(t.st.Offered, id, r) {
			p.article(ctx, t, id)
			return true
		}
		switch only, one := onlyArticle(t.st.Offered); {
		case one && (yes || r.only("yes", "thanks", "greet")):
			p.article(ctx, t, only)
		case one && aspect(r) != "":
			t.st.Want = aspect(r)
			p.articleFor(ctx, t, only, r)
		case !one && yes && len(t.st.Offered) > 0: // yes to which of them?
			p.whichAgain(ctx, t, t.st.Want)
		case r.mostly("cancel") && !r.question:
			p.say(t, "ok_else")
		case r.mostly("none_of_these") || no:
			p.nothing(t, t.st.Question)
		case (aspect(r) != "" || r.question && short(r) && p.topic(r) == "") && len(t.st.Offered) > 0: // "what does it cost?" cannot be told before the article is known
			p.whichAgain(ctx, t, aspect(r))
		default:
			return false
		}
	case waitFile:
		switch {
		case r.mostly("not_helped", "no"):
			m := p.say(t, "sorry_not_helped")
			t.st.Waiting = waitFile
			p.offer(t, m, "human", "file_question", "ask")
		case yes || r.mostly("file") || r.only("confirm", "thanks", "yes"):
			p.fileQuestion(t)
		case r.mostly("anonymous") && !r.question, r.mostly("reply_here") && !r.question, r.only("skip"):
			p.fileQuestion(t)
			if f := t.st.Form; f != nil && !f.ContactDone { // how it is to be filed says that it is
				t.reply.Messages = nil
				if r.has("anonymous") {
					f.anonymise()
				}
				f.ContactDone = true
				p.next(t)
			}
		case no:
			p.say(t, "ok_else")
		default:
			return false
		}
	case waitDuty:
		switch {
		case yes || r.mostly("wait"):
			p.handOff(t, HandOffAsked, true)
		case r.only("go_on", "question_first", "thanks"):
			p.say(t, "ask.go_ahead")
		case no:
			p.say(t, "ok_else")
		default:
			return false
		}
	case AskSolved:
		switch {
		case t.st.Rating == nil:
			return false
		case r.mostly("not_helped") || no:
			p.solved(t, false)
		case r.mostly("helped", "thanks", "yes") || yes:
			p.solved(t, true)
		default:
			return false
		}
	case AskRating:
		return p.ratingText(t, r)
	case AskComment:
		if r.only("skip") || no {
			p.say(t, "rate.thanks")
			t.st.Rating = nil
			return true
		}
		p.comment(t, r)
	default:
		return false
	}
	return true
}

// onlyArticle is the article to choose, when there is one only.
func onlyArticle(offered []Choice) (id string, one bool) {
	n := 0
	for _, c := range offered {
		if a, ok := strings.CutPrefix(c.ID, "article:"); ok {
			id = a
			n++
		}
	}
	return id, n == 1
}

// meant finds the article that words pick from a list: "the one about renewal", "the second".
func meant(offered []Choice, r *reading) string {
	var ids, labels []string
	for _, c := range offered {
		if id, ok := strings.CutPrefix(c.ID, "article:"); ok {
			ids, labels = append(ids, id), append(labels, c.Label)
		}
	}
	if i := hear.Option(labels, r.text); i >= 0 && !r.has("insist", "file", "problem") {
		return ids[i]
	}
	return ""
}

// asksElse reports whether a question is about something else than the article it seems to pick: "what is article 36?".
func (p *Policy) asksElse(offered []Choice, id string, r *reading) bool {
	i := slices.IndexFunc(offered, func(c Choice) bool { return c.ID == "article:"+id })
	if !r.question || i < 0 {
		return false
	}
	hits, of := hear.Overlap(offered[i].Label, p.topic(r))
	return of > 2 && 2*hits < of
}

// namesOnly reports whether a text says a name, with courtesies around it, and nothing else.
func (p *Policy) namesOnly(r *reading) bool {
	rest := p.lex.read(strings.Replace(r.text, nameIn(r), " ", 1))
	return rest.rest("my_name", "greet", "thanks", "yes") == 0
}

// hours tells when people answer and how to ring them.
func (p *Policy) hours(t *turn) {
	lines := []string{p.tx.t(t.lang, "hours.bot")}
	if h := p.env().Hours[t.lang]; h != "" {
		lines[0] = h
	}
	if p.env().Phone != "" {
		lines = append(lines, p.tx.t(t.lang, "hours.phone", "phone", p.env().Phone))
	}
	if p.env().Duty != nil {
		if open, next := p.env().Duty(p.env().Now()); open {
			lines = append(lines, p.tx.t(t.lang, "hours.open"))
		} else if !next.IsZero() {
			lines = append(lines, p.tx.t(t.lang, "hours.closed", "when", p.moment(t.lang, next)))
		}
	}
	m := p.say(t, "hours.text", "text", strings.Join(lines, "\n"))
	p.offer(t, m, "file", "ask", "human")
}

func (p *Policy) upset(t *turn) {
	m := p.say(t, "upset")
	p.offer(t, m, "human", "file")
}

func (p *Policy) bye(t *turn) {
	p.say(t, "bye")
	t.reply.Close = true
	t.st.Waiting, t.st.Cited, t.st.Rating, t.st.Question, t.st.Guide = "", nil, nil, "", nil
	t.st.Said, t.st.Want, t.st.Name = nil, "", ""
}
