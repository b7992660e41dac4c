package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// start opens an empty form. Said: the citizen named the kind.
func (p *Policy) start(t *turn, kind string, said bool) {
	t.st.Form = &Form{Draft: Draft{Kind: kind, Lang: t.lang, Name: t.st.Name}, KindSaid: said}
	t.st.Waiting, t.st.Cited, t.st.About, t.st.Said = "", nil, nil, nil
	if g := t.st.Guide; g != nil {
		g.Paused = true
	}
}

// take reads everything the first sentence says about the matter, then asks for what is missing.
func (p *Policy) take(t *turn, r *reading, in Input) {
	f := t.st.Form
	f.Attachments += in.Attachments
	f.locate(in.Place)
	p.absorb(t, r)
	words := p.matter(r)
	if words >= r.slack() {
		r = p.part(t, r)
		p.describe(t, r)
		if s := r.scope(); s != "" && f.Scope == "" {
			p.refuse(t, s, true)
			return
		}
		t.read(r)
		lead := "lead." + f.Kind
		if p.tx.has(t.lang, lead) {
			t.lead = p.tx.t(t.lang, lead)
		}
		p.sayParted(t)
	} else if words > 0 {
		f.Hint = r.text
	}
	p.next(t)
}

// next asks for the next thing that is missing, or shows the summary.
func (p *Policy) next(t *turn) {
	f := t.st.Form
	if f == nil {
		if len(t.reply.Messages) == 0 {
			p.say(t, "ok_else")
		}
		return
	}
	before := f.Asked
	t.st.Waiting = ""
	switch {
	case f.Kind == Report && !f.InChat:
		p.prompt(t, "", "report.page", "file_here", "cancel", "human")
		f.Asked, t.st.Waiting = "", waitReport
	case f.Description == "":
		key := "what." + f.Kind
		switch {
		case f.Hint != "":
			key = "what.more"
		case before == AskWhat: // no second apology
			key = "what"
		case !p.tx.has(t.lang, key):
			key = "what"
		}
		p.prompt(t, AskWhat, key, "cancel", "human")
	case f.needsPlace():
		p.prompt(t, AskWhere, "where", "skip_place", "cancel", "human")
	case p.asksDetail(t):
	case !f.ContactDone:
		key := "contact"
		if f.Kind == Report {
			key = "contact.report"
		}
		p.prompt(t, AskContact, key, "anonymous", "skip_contact", "cancel", "human")
	default:
		p.prompt(t, AskConfirm, "", "confirm", "change", "cancel", "human")
		m := &t.reply.Messages[len(t.reply.Messages)-1]
		m.Text += p.summary(t)
	}
	if f.Asked != before {
		f.Tries = 0
	}
}

// prompt asks for a slot, with the waiting lead in front.
func (p *Policy) prompt(t *turn, slot, key string, choices ...string) {
	text := ""
	if key != "" {
		text = p.tx.t(t.lang, key)
	}
	if t.lead != "" {
		joint := p.tx.t(t.lang, "joint")
		if key == "" {
			joint = "\n"
		}
		text, t.lead = t.lead+joint+text, ""
	}
	if t.parted {
		choices = slices.Insert(slices.Clone(choices), slices.Index(choices, "cancel"), "one_matter")
		t.parted = false
	}
	m := Message{Text: text, Ask: slot, Choices: p.choices(t.lang, choices...)}
	t.reply.Messages = append(t.reply.Messages, m)
	t.st.Form.Asked = slot
}

// summary is what the citizen checks before it is sent.
func (p *Policy) summary(t *turn) string {
	return p.tx.t(t.lang, "summary.head") + "\n" + p.facts(t) + "\n" + p.tx.t(t.lang, "summary.ask")
}

// facts lists what the form holds.
func (p *Policy) facts(t *turn) string {
	f := t.st.Form
	var lines []string
	add := func(key, value string) {
		if value != "" {
			lines = append(lines, p.tx.t(t.lang, "summary."+key, "value", defuse(value)))
		}
	}
	add("kind", p.tx.t(t.lang, "kind."+f.Kind))
	add("what", cut(f.Description, 300))
	place := f.Place
	if place == "" && f.Lat != nil {
		place = strconv.FormatFloat(*f.Lat, 'f', 5, 64) + ", " + strconv.FormatFloat(*f.Lon, 'f', 5, 64)
	}
	add("where", place)
	_, told := p.told(f, t.lang)
	for _, line := range told {
		lines = append(lines, p.tx.t(t.lang, "summary.detail", "label", defuse(line[0]), "value", defuse(cut(line[1], 300))))
	}
	if f.Attachments > 0 {
		add("files", strconv.Itoa(f.Attachments))
	}
	var contact []string
	for _, s := range []string{f.Name, f.Phone, f.Email} {
		if s != "" {
			contact = append(contact, s)
		}
	}
	switch {
	case f.Anonymous:
		add("contact", p.tx.t(t.lang, "summary.anonymous"))
	case len(contact) == 0 && !f.ContactDone:
	case f.Phone == "" && f.Email == "" && f.ContactDone: // the name alone reaches nobody
		add("contact", strings.Join(append(contact, p.tx.t(t.lang, "summary.here")), p.tx.t(t.lang, "comma")))
	default:
		add("contact", strings.Join(contact, p.tx.t(t.lang, "comma")))
	}
	if f.Kind == Report || f.Confidential {
		lines = append(lines, p.tx.t(t.lang, "summary.confidential"))
	}
	return strings.Join(lines, "\n")
}

// send files the ticket. A second one in the same turn waits for its own confirmation.
func (p *Policy) send(t *turn) {
	f := t.st.Form
	if t.reply.Open != nil || f.Description == "" || f.needsPlace() || !f.ContactDone {
		p.next(t)
		return
	}
	d := f.Draft
	d.Title = title(d.Description)
	if d.Details, _ = p.told(f, t.lang); len(d.Details) == 0 {
		d.Details = nil
	}
	d.Confidential = d.Confidential || d.Kind == Report
	t.reply.Open = &d
	key := "opened"
	switch {
	case d.Scope != "":
		key = "opened.scope"
	case d.Anonymous:
		key = "opened.anonymous"
	}
	m := p.say(t, key)
	t.st.Form, t.st.Waiting, t.st.Question = nil, "", ""
	if !p.nextMatter(t, f) {
		p.offer(t, m, "done", "ask", "human")
	}
}

// cancel drops the form and keeps it for one turn, in case it was a slip.
func (p *Policy) cancel(t *turn) {
	t.st.Shelved, t.st.Form, t.st.Waiting, t.st.Question = t.st.Form, nil, "", ""
	m := p.say(t, "cancelled")
	if !p.nextMatter(t, t.st.Shelved) {
		p.offer(t, m, "resume", "ask", "human")
	}
}

func (p *Policy) resume(t *turn, shelved *Form) {
	switch {
	case t.st.Form != nil:
	case shelved != nil:
		t.st.Form = shelved
		t.lead = p.tx.t(t.lang, "resumed")
	default:
		p.say(t, "choice_gone")
		return
	}
	p.next(t)
}

// refuse says that a matter belongs elsewhere, why, on what basis and where. It never ends there: a person, or a decision by an officer.
func (p *Policy) refuse(t *turn, s Scope, inForm bool) {
	ref := p.RefusalOf(s, t.lang)
	t.reply.Refused = &ref
	m := p.say(t, "refused", "reason", ref.Reason, "basis", ref.Basis, "channel", ref.Channel)
	if !inForm {
		p.offer(t, m, "human", "ask")
		return
	}
	p.offer(t, m, "insist", "human", "cancel")
	t.st.Form.Asked, t.st.Waiting = "", waitScope
}

// scopeAgain says once more why and where to, to somebody who asks; the decision to send it all the same stays open.
func (p *Policy) scopeAgain(t *turn) bool {
	d := p.lex.read(t.st.Form.Description)
	if d.scope() == "" {
		return false
	}
	p.refuse(t, d.scope(), true)
	return true
}

// chooseInForm handles the quick replies that only mean something while a form is open.
func (p *Policy) chooseInForm(t *turn, id string, r *reading) bool {
	f := t.st.Form
	switch id {
	case "confirm":
		if f.Asked != AskConfirm {
			p.next(t)
			return true
		}
		p.send(t)
	case "cancel":
		p.cancel(t)
	case "go_on":
		p.next(t)
	case "one_matter":
		p.together(t)
	case "skip", "skip_place", "skip_contact", "skip_detail":
		p.skip(t)
	case "anonymous":
		f.anonymise()
		p.next(t)
	case "file_here":
		f.InChat, f.Confidential = true, true
		p.next(t)
	case "insist":
		if t.reply.Refused == nil && f.Scope == "" {
			d := p.lex.read(f.Description)
			f.Scope = d.scope()
		}
		t.lead = p.tx.t(t.lang, "insisted")
		p.next(t)
	case "change":
		p.changeMenu(t)
	case "change:kind":
		m := p.say(t, "change.kind")
		p.offer(t, m, "kind:complaint", "kind:help", "kind:suggestion", "kind:praise", "kind:report", "kind:consult", "human")
	case "change:what":
		f.Description, f.Hint = "", ""
		p.next(t)
	case "change:where":
		f.clearPlace()
		p.prompt(t, AskWhere, "where", "skip_place", "cancel", "human")
	case "change:details":
		f.Details, f.DetailsDone = nil, nil
		p.next(t)
	case "change:contact":
		f.clearContact()
		p.next(t)
	default:
		if option, ok := strings.CutPrefix(id, optionPrefix); ok {
			p.optionChosen(t, option)
			return true
		}
		if r.empty() {
			p.next(t)
			return true
		}
		return false
	}
	return true
}

// skip leaves out the slot that was asked for. The matter itself cannot be left out.
func (p *Policy) skip(t *turn) {
	f := t.st.Form
	if d, ok := p.askedDetail(t); ok {
		p.detail(t, d, "")
		return
	}
	switch f.Asked {
	case AskWhere:
		f.NoPlace = true
	case AskContact:
		f.ContactDone = true
	case AskWhat:
		t.lead = p.tx.t(t.lang, "what.needed")
	}
	p.next(t)
}

// inForm reads a text while a form is open.
func (p *Policy) inForm(ctx context.Context, t *turn, r *reading, in Input) {
	f := t.st.Form
	f.Attachments += in.Attachments
	f.locate(in.Place)
	if !r.has("human") && p.answersDetail(ctx, t, r, in) {
		return
	}
	waiting := t.st.Waiting
	t.st.Waiting = ""
	if in.Attachments > 0 {
		t.lead = p.tx.t(t.lang, "form.got_file")
	}
	switch {
	case in.Attachments > 0 && r.mostly("file_note") && f.Asked != AskWhat:
		p.next(t)
	case r.empty():
		switch {
		case in.Place != nil && in.Attachments == 0:
			t.lead = p.tx.t(t.lang, "form.got_place")
		case in.Attachments == 0:
			t.lead = p.tx.t(t.lang, "form.nothing_read")
		}
		t.st.Waiting = waiting
		if waiting != "" && waiting != waitChange { // an unanswered question stays what it was
			m := p.say(t, "form.still_here")
			p.offer(t, m, "go_on", "cancel", "human")
			return
		}
		p.next(t)
	case r.has("human"):
		t.st.Waiting = waiting
		p.person(t, HandOffAsked)
	case waiting == waitDuty && (r.only("yes", "thanks") || r.mostly("wait")):
		p.handOff(t, HandOffAsked, true)
	case waiting == AskCode && r.only("cancel", "no", "thanks"): // it was about the other ticket
		p.next(t)
	case r.only("cancel", "no", "thanks") || r.has("cancel") && r.rest("cancel") < r.slack() && f.Asked != AskWhat, r.mostly("resolved", "no", "thanks", "cancel"):
		p.cancel(t)
	case r.has("withdraw") && r.question && f.Asked != AskWhat: // "no complaint then, I only want to know …"
		p.cancel(t)
		if t.st.Form == nil {
			t.reply.Messages = settled(t.reply.Messages)
			p.fresh(ctx, t, r, in, nil)
		}
	case r.only("hold_on", "no", "undo", "wait"):
		m := p.say(t, "form.still_here")
		p.offer(t, m, "go_on", "cancel", "human")
	case r.mostly("one_matter") && t.isParted():
		p.together(t)
	case f.Asked != AskWhat && p.another(t, in):
	case waiting == waitAsk:
		p.aside(ctx, t, r, true)
	case r.has("question_first"):
		p.questionFirst(ctx, t, r)
	case waiting == waitReport && !r.has("privacy") && p.answersReport(t, r):
	case waiting == waitScope && (r.only("yes") || r.mostly("insist")):
		p.chooseInForm(t, "insist", r)
	case waiting == waitScope && (r.only("no", "thanks") || r.only("thanks", "yes")):
		p.cancel(t)
	case waiting == waitScope && r.question && p.scopeAgain(t):
	case waiting == waitChange && p.answersChange(t, r):
	case r.code.digits != "":
		p.status(ctx, t, r.code.digits)
		t.st.Waiting = ""
		p.next(t)
	case r.mostly("lost_code"):
		p.say(t, "status.lost_code")
		p.next(t)
	case f.Asked != AskWhat && (r.has("status") && !r.has("insist", "problem") || r.code.public && isNumber(r)):
		p.askCodeFor(t, r)
		m := &t.reply.Messages[len(t.reply.Messages)-1]
		p.offer(t, m, "go_on", "human")
	case r.has("privacy") && r.question:
		m := p.say(t, "why.privacy")
		if waiting == waitReport { // the page was named a moment ago
			p.offer(t, m, "file_here", "cancel", "human")
			t.st.Waiting = waitReport
			return
		}
		p.next(t)
	case r.only("farewell", "thanks", "bye"):
		m := p.say(t, "form.leaving")
		p.offer(t, m, "go_on", "cancel", "human")
	case r.mostly("why_ask"):
		p.explain(t, r)
	case f.Asked != AskConfirm && r.only("thanks", "greet", "yes"), f.Asked != AskConfirm && r.only("greet"):
		t.lead = p.tx.t(t.lang, "form.welcome")
		p.next(t)
	case r.only("change") && f.Description != "":
		p.changeMenu(t)
	case r.mostly("what_mean"):
		p.explain(t, r)
	case r.mostly("repeat") && f.Asked == AskConfirm, f.Asked == AskContact && r.only("yes", "thanks"):
		p.next(t)
	case r.mostly("repeat") && f.Description != "":
		p.say(t, "summary.so_far").Text += "\n" + p.facts(t)
		p.next(t)
	case r.only("go_on", "thanks", "yes") && f.Asked != AskConfirm:
		p.next(t)
	case r.only("abuse", "upset"):
		t.lead = p.tx.t(t.lang, "form.abuse")
		p.next(t)
	case r.has("upset") && r.rest("upset", "abuse") <= r.slack():
		m := p.say(t, "upset")
		p.offer(t, m, "human", "go_on", "cancel")
	case f.Place != "" && r.has("other_place") && r.mostly("other_place", "no", "fix.last", "undo"): // "no, the other street": it has to be named
		f.clearPlace()
		p.prompt(t, AskWhere, "where.other", "skip_place", "cancel", "human")
	case (f.Asked != AskWhat || f.Place != "" && r.has("fix.where") || f.ContactDone && r.has("fix.contact")) && p.correct(t, r):
	default:
		p.fill(ctx, t, r)
	}
}

// isNumber reports whether a text is digits and little else.
func isNumber(r *reading) bool {
	return len(r.toks) <= 4 && len(onlyDigits(narrowAll(r.text)))*2 > len(r.text)
}

// answersReport: yes means here, no means the page; anybody who simply goes on telling has chosen the chat.
func (p *Policy) answersReport(t *turn, r *reading) bool {
	f := t.st.Form
	switch {
	case r.has("use_page"), r.only("thanks", "yes", "bye"), r.only("bye", "thanks"), r.only("no", "thanks"):
		t.st.Form = nil
		p.say(t, "report.bye")
	case r.only("yes") || r.mostly("file_here"):
		f.InChat, f.Confidential = true, true
		p.next(t)
	case r.question:
		return false
	default:
		f.InChat, f.Confidential = true, true
		f.Asked = AskWhat
		return false
	}
	return true
}

// explain says why the bot wants to know.
func (p *Policy) explain(t *turn, r *reading) {
	slot, _, _ := strings.Cut(t.st.Form.Asked, ":")
	if r.has("contact_cue", "slot.contact") {
		slot = AskContact
	}
	key := "why." + slot
	if !p.tx.has(t.lang, key) {
		key = "why"
	}
	p.say(t, key)
	p.next(t)
}
