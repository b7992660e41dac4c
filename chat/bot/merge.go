package bot

// maxLater is how many further matters the bot keeps for afterwards.
const maxLater = 3

// merge joins texts that came one after the other into one: people send a sentence in three messages. A tapped choice stays on its own, and
// so does a text that is about something else than the one before. While a form is open every text goes to the form.
func (p *Policy) merge(in []Input, inForm bool) []Input {
	var out []Input
	for _, i := range in {
		last := len(out) - 1
		if i.Choice != "" || last < 0 || out[last].Choice != "" || out[last].Alerted != i.Alerted || !inForm && p.apart(out[last].Text, i.Text) {
			out = append(out, i)
			continue
		}
		if i.Text != "" && out[last].Text != "" {
			out[last].Text += "\n"
		}
		out[last].Text += i.Text
		out[last].Attachments += i.Attachments
		if i.Place != nil {
			out[last].Place = i.Place
		}
	}
	return out
}

// apart reports whether two texts are about two things: each stands on its own, and they are two questions, a question and a trouble, or
// two troubles in two places.
func (p *Policy) apart(before, text string) bool {
	if before == "" || text == "" {
		return false
	}
	a, b := p.lex.read(before), p.lex.read(text)
	if !p.alone(&a) || !p.alone(&b) {
		return false
	}
	switch aq, bq := p.asks(&a), p.asks(&b); {
	case aq && bq:
		return !p.goesOn(&b)
	case aq:
		return p.files(nil, &b)
	case bq: // a question behind a trouble is mostly about it: "can you fix that?"
		return false
	}
	return p.files(nil, &a) && p.secondMatter(&b, a.place)
}

// alone reports whether a text says enough to be understood without the one before.
func (p *Policy) alone(r *reading) bool {
	return r.rest("greet", "thanks", "yes", "no", "file", "insist", "question", "question_first", "another", "contact_cue", "kind.complaint", "kind.help") > 0 &&
		len(r.toks) > r.slack()
}

func (p *Policy) asks(r *reading) bool {
	return r.question && !r.has("insist", "file", "problem") && r.kind() == ""
}

// goesOn reports whether a question leans on the one before: "and for students?", "what does it cost?".
func (p *Policy) goesOn(r *reading) bool {
	return r.has("follow_up") && len(r.toks) <= 12 && !r.has("another") || aspect(r) != ""
}

// secondMatter reports whether a text tells of another trouble in a place of its own.
func (p *Policy) secondMatter(r *reading, place string) bool {
	return r.place != "" && r.place != place && !r.question && (r.has("problem") || r.has("another")) && (place != "" || r.has("another"))
}

// another keeps a further matter for afterwards when a form is open for the first one. It reports false for a text that belongs to the form.
func (p *Policy) another(t *turn, in Input) bool {
	f := t.st.Form
	r := p.lex.read(in.Text)
	if in.Choice != "" || f.Description == "" || r.code.digits != "" || len(t.st.Later) >= maxLater || !p.secondMatter(&r, f.Place) || p.matter(&r) < r.slack() {
		return false
	}
	if _, danger := detect(r.toks, r.found); danger {
		return false
	}
	text := r.text
	for _, m := range r.found { // "another thing:" is no part of it
		if m.class == "another" && m.from == 0 && m.to < len(r.toks) {
			text = r.text[r.toks[m.to].start:]
		}
	}
	t.st.Later = append(t.st.Later, Matter{Text: cut(text, maxDescription)})
	t.st.Form.Attachments += in.Attachments
	t.lead = p.tx.t(t.lang, "later.kept")
	p.next(t)
	return true
}

// nextMatter begins with the matter that was kept for afterwards, with the contact of the one before. It reports false when none is left.
func (p *Policy) nextMatter(t *turn, before *Form) bool {
	if len(t.st.Later) == 0 {
		return false
	}
	m := t.st.Later[0]
	t.st.Later = t.st.Later[1:]
	r := p.lex.read(m.Text)
	p.start(t, r.kind(), r.kind() != "")
	if f := t.st.Form; before != nil && before.ContactDone {
		f.Anonymous, f.ContactDone, f.Name, f.Phone, f.Email = before.Anonymous, true, before.Name, before.Phone, before.Email
	}
	if f := t.st.Form; before != nil && m.Beside && r.place == "" {
		f.Place, f.Lat, f.Lon, f.NoPlace = before.Place, before.Lat, before.Lon, before.NoPlace
	}
	lead := p.tx.t(t.lang, "later.now")
	switch {
	case before == nil || before.Attachments == 0:
	case t.reply.Open == nil: // they are free for this one
		t.st.Form.Attachments = before.Attachments
	case m.Beside: // a file belongs to one ticket, and these may show both troubles
		lead += p.tx.t(t.lang, "joint") + p.tx.t(t.lang, "later.files")
	}
	p.take(t, &r, Input{Text: m.Text})
	if n := len(t.reply.Messages); n > 0 {
		m := &t.reply.Messages[n-1]
		m.Text = lead + "\n" + m.Text
	}
	return true
}
