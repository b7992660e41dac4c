package bot

// What the dialogue does around an emergency; how one is found is in emergency.go.

// alarm answers an emergency, then goes on with the form if there is one.
func (p *Policy) alarm(t *turn, s Service, r *reading, in Input) {
	t.st.Alerted, t.st.Alarm, t.st.Consoled = true, s, false
	if t.st.Form == nil {
		t.st.Question, t.st.Cited, t.st.Waiting = question(r.text), nil, ""
	}
	if !in.Alerted {
		m := p.emergency.Message(s, t.lang)
		t.reply.Messages = append(t.reply.Messages, m)
		d := Draft{Kind: Help, Title: title(r.text), Description: cut(r.text, maxDescription), Place: r.place, Lang: t.lang, Urgency: "urgent", Attachments: in.Attachments}
		d.Phone, d.Email = "", r.email
		if certainPhone(r.phone) {
			d.Phone = r.phone
		}
		d.locate(in.Place)
		d.Category = p.category(d.Description)
		t.reply.Alert = &Alert{Service: s, Number: p.emergency.Number(s), Draft: d}
	}
	if t.st.Form != nil {
		t.st.Form.Attachments += in.Attachments
		choices := []Choice(nil)
		if n := len(t.reply.Messages); n > 0 {
			choices = t.reply.Messages[n-1].Choices
		}
		p.say(t, "emergency.then_form")
		p.next(t)
		last := &t.reply.Messages[len(t.reply.Messages)-1]
		for _, c := range choices { // the person and the false alarm stay in reach below the question
			if !offers(last.Choices, c.ID) {
				last.Choices = append(last.Choices, c)
			}
		}
	}
}

// afterAlarm understands "false alarm" and "yes, a person" after an emergency text.
func (p *Policy) afterAlarm(t *turn, r *reading) bool {
	switch {
	case r.has("human"), t.st.Form == nil && r.only("yes", "thanks"):
		p.person(t, HandOffEmergency)
	case t.st.Form == nil && r.only("thanks"):
		p.duringAlarm(t, true)
	case r.mostly("all_clear", "thanks", "no"), t.st.Form == nil && r.only("no", "thanks"):
		p.clearAlarm(t)
	case t.st.Form == nil && !r.question && r.code.digits == "" && !r.has("insist", "file", "problem", "status", "cancel", "thanks", "bye", "question_first") && r.kind() != Complaint && r.kind() != Suggestion && r.kind() != Praise:
		p.duringAlarm(t, false)
	default:
		return false
	}
	return true
}

// duringAlarm answers what people go on telling after an emergency: nobody in danger wants articles. Who is in despair and was answered before
// hears something else: a text that comes back word by word is a machine's.
func (p *Policy) duringAlarm(t *turn, thanks bool) {
	number := p.emergency.Number(t.st.Alarm)
	if number == "" {
		number = p.tx.t(t.lang, "emergency.no_number")
	}
	key := "emergency.more"
	switch despair := t.st.Alarm == SelfHarm; {
	case despair && t.st.Consoled && thanks:
		key = "emergency.thanks_self_harm"
	case despair && t.st.Consoled:
		key = "emergency.still_self_harm"
	case despair:
		key = "emergency.more_self_harm"
	case thanks:
		key = "emergency.thanks"
	}
	m := p.say(t, key, "emergency_number", number)
	p.offer(t, m, "human_now", "false_alarm")
	m.Choices[0].ID = "human"
	t.st.Alerted, t.st.Consoled = true, true
}

// clearAlarm goes back to what the citizen came for: what sounded like an emergency may have been a complaint.
func (p *Policy) clearAlarm(t *turn) {
	t.reply.AlertCleared = true
	if t.st.Form != nil {
		t.lead = p.tx.t(t.lang, "emergency.cleared_form")
		p.next(t)
		return
	}
	m := p.say(t, "emergency.cleared")
	p.offer(t, m, "file_question", "ask", "human")
	t.st.Waiting = waitFile
}
