package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fill takes a text as the answer to the slot that was asked for.
func (p *Policy) fill(ctx context.Context, t *turn, r *reading) {
	f := t.st.Form
	if strings.HasPrefix(f.Asked, detailPrefix) { // no answer to it: a question, or about the form
		if !r.question || !p.aside(ctx, t, r, true) {
			p.next(t)
		}
		return
	}
	switch f.Asked {
	case AskWhere:
		p.fillWhere(ctx, t, r)
	case AskContact:
		if r.question && r.phone == "" && r.email == "" && p.aside(ctx, t, r, true) {
			return
		}
		p.fillContact(t, r)
	case AskConfirm:
		p.fillConfirm(ctx, t, r)
	default:
		p.fillWhat(ctx, t, r)
	}
}

func (p *Policy) fillWhat(ctx context.Context, t *turn, r *reading) {
	f := t.st.Form
	if r.only("skip") || r.only("yes") || r.only("no") || r.only("confirm") || hammered(r) {
		t.lead = p.tx.t(t.lang, "what.needed")
		p.next(t)
		return
	}
	if r.question && !r.has("problem", "insist", "file") && r.kind() == "" && p.aside(ctx, t, r, false) {
		return
	}
	place, contact := f.Place, f.ContactDone
	p.absorb(t, r)
	if r.mostly("reply_here") && f.Description == "" {
		f.ContactDone = true
	}
	switch {
	case f.Place != place:
		t.lead = p.tx.t(t.lang, "form.got_place")
	case f.ContactDone && !contact && r.mostly("reply_here"):
		t.lead = p.tx.t(t.lang, "form.got_here")
	case f.Anonymous && !contact:
		t.lead = p.tx.t(t.lang, "form.got_anonymous")
	case f.ContactDone && !contact:
		t.lead = p.tx.t(t.lang, "form.got_contact")
	}
	words := p.matter(r)
	// A kind, an address or a number, and nothing yet about the matter.
	if words == 0 || r.place != "" && p.placeOf(r, "", "") == r.place || r.mostly("reply_here") || len(onlyDigits(narrowAll(r.text))) == utf8.RuneCountInString(r.text) {
		p.next(t)
		return
	}
	if words < r.slack() && f.Tries == 0 && f.Hint == "" && f.Description == "" {
		f.Tries, f.Hint = 1, r.text
		tries := f.Tries
		p.next(t)
		f.Tries = tries
		return
	}
	t.lead = ""
	r = p.part(t, r)
	p.describe(t, r)
	if s := r.scope(); s != "" && f.Scope == "" && !r.question {
		p.refuse(t, s, true)
		return
	}
	t.read(r)
	p.sayParted(t)
	p.next(t)
}

func (p *Policy) fillWhere(ctx context.Context, t *turn, r *reading) {
	f := t.st.Form
	if r.only("skip") && !r.has("no_address") || r.mostly("no_place") || r.mostly("no_address") && f.Tries > 0 {
		f.NoPlace = true
		p.next(t)
		return
	}
	if r.only("yes") || r.only("no") || r.only("confirm", "yes", "thanks") { // no address
		p.next(t)
		return
	}
	if r.question && r.place == "" && !r.has("no_address") && p.aside(ctx, t, r, true) {
		return
	}
	// A number or "anonymous" may come along, or instead.
	if r.has("anonymous") {
		f.anonymise()
		if r.rest("anonymous") == 0 {
			p.next(t)
			return
		}
	}
	phone := ""
	if r.phone != "" && (certainPhone(r.phone) || r.has("contact_cue")) {
		f.Phone, f.ContactDone, phone = r.phone, true, r.phone
	}
	if r.email != "" {
		f.Email, f.ContactDone = r.email, true
	}
	if r.place == "" && (r.has("problem") && len(r.toks) > 6 || r.only("problem") || r.has("tells") && !r.has("place_lead", "vague_place") || r.has("about_me") && !r.has("where_word")) { // more about the matter, not where it is
		p.describe(t, r)
		t.lead = p.tx.t(t.lang, "form.added")
		p.next(t)
		return
	}
	if r.place == "" && p.onlyWhen(r) { // when it is, not where
		p.describe(t, r)
		t.lead = p.tx.t(t.lang, "form.added")
		p.next(t)
		return
	}
	if hammered(r) {
		p.prompt(t, AskWhere, "where.again", "skip_place", "cancel", "human")
		return
	}
	place := p.placeOf(r, phone, r.email)
	if v := p.lex.read(place); v.empty() || v.rest("contact_cue") == 0 {
		p.next(t)
		return
	}
	if (r.mostly("vague_place") || r.mostly("no_address")) && r.place == "" && f.Tries == 0 {
		f.Tries = 1
		p.prompt(t, AskWhere, "where.vague", "skip_place", "cancel", "human")
		return
	}
	if r.place == "" && r.mostly("file_here") {
		p.next(t)
		return
	}
	if rest := p.besidePlace(r, t.lang); rest != "" { // "the boss pays nothing, at 8 Mill Street": the matter goes on beside the address
		v := p.lex.read(rest)
		p.describe(t, &v)
		t.lead = p.tx.t(t.lang, "form.added")
		at := p.lex.read(r.place)
		place = p.placeOf(&at, phone, r.email)
	} else if at := strings.Index(r.text, r.place); r.place != "" && slices.ContainsFunc(r.found, func(m match) bool { return m.class == "problem" && r.toks[m.to-1].end <= at }) { // "the lift is stuck at 7 Oak Road"
		p.describe(t, r)
		t.lead, place = p.tx.t(t.lang, "form.added"), r.place
	}
	if utf8.RuneCountInString(place) > 120 { // not an address any more: it belongs to the matter too
		p.describe(t, r)
		if place = r.place; place == "" {
			t.lead = p.tx.t(t.lang, "form.added")
			p.next(t)
			return
		}
	}
	f.Place, f.Last = place, AskWhere
	p.next(t)
}

// onlyWhen reports whether a text says when something is, and nothing else: "every night", "since Monday", 昨天下午三点.
func (p *Policy) onlyWhen(r *reading) bool {
	return !r.question && r.phone == "" && r.email == "" && (r.mostly("when_told") || len(r.toks) <= 4*r.slack() && p.namesDay(r.text))
}

// besidePlace gives the parts of an answer to "where?" that tell of the matter, "" when there are none: a clause of its own, without the address.
func (p *Policy) besidePlace(r *reading, lang string) string {
	if r.place == "" {
		return ""
	}
	var out []string
	for _, clause := range strings.FieldsFunc(r.text, func(c rune) bool { return strings.ContainsRune(",;.!?\n，；。！？", c) }) {
		v := p.lex.read(clause)
		if strings.Contains(clause, r.place) || strings.Contains(r.place, v.text) || v.phone != "" || v.email != "" || v.has("anonymous", "contact_cue", "place_lead") {
			continue
		}
		if v.has("problem") || v.kind() != "" || p.matter(&v) > 2*v.slack() {
			out = append(out, v.text)
		}
	}
	return strings.Join(out, p.tx.t(lang, "comma"))
}

// placeOf is an answer to "where?" without what people say in front of an address.
func (p *Policy) placeOf(r *reading, phone, email string) string {
	s := withoutContact(r.text, phone, email, "")
	for _, rule := range p.lex.places {
		if rule.answer != nil {
			s = rule.answer.ReplaceAllString(s, "")
		}
	}
	return cut(strings.Trim(s, " \n,.;:，。；：、"), maxPlace)
}

func (p *Policy) fillContact(t *turn, r *reading) {
	f := t.st.Form
	if r.has("anonymous") && r.email == "" && r.phone == "" {
		f.anonymise()
		p.next(t)
		return
	}
	if r.only("no") || r.phone == "" && r.email == "" && (r.mostly("skip") || r.mostly("reply_here") || r.mostly("confirm", "yes", "thanks")) {
		f.ContactDone = true
		p.next(t)
		return
	}
	if name := nameIn(r); name != "" {
		f.Name = name
	}
	if r.phone != "" && t.lang == "zh-CN" && wrongMobile(r.phone) && r.email == "" {
		p.contactAgain(t, "contact.bad_mobile", "n", strconv.Itoa(len(onlyDigits(r.phone))))
		return
	}
	if r.phone != "" || r.email != "" {
		if r.email != "" {
			f.Email = r.email
		}
		if r.phone != "" && !strings.Contains(r.email, r.phone) {
			f.Phone = r.phone
		}
		if r.place != "" && f.Place == "" && f.Lat == nil {
			f.Place, f.NoPlace = r.place, false
		}
		f.ContactDone, f.Anonymous, f.Last = true, false, AskContact
		if f.Name == "" {
			if left := strings.Trim(withoutContact(withoutContact(r.text, r.phone, "", ""), "", r.email, ""), " ,，.。;；:：\n"); personName(left) && len(p.lex.read(left).found) == 0 && !p.namesDay(left) {
				f.Name = left
			}
		}
		p.next(t)
		return
	}
	key := contactError(r.text)
	switch {
	case r.place != "" && !strings.Contains(r.text, "@"):
		f.clearPlace()
		f.Place = r.place
		t.lead = p.tx.t(t.lang, "form.changed")
		p.next(t)
	case f.Place == "" && r.has("place_lead") && short(r) && !r.has("problem"): // "it's in the park", after "I don't know the address"
		f.Place, f.NoPlace = p.placeOf(r, "", ""), false
		t.lead = p.tx.t(t.lang, "form.got_place")
		p.next(t)
	case key != "":
		p.contactAgain(t, key)
	case utf8.RuneCountInString(f.Name) > 1:
		p.contactAgain(t, "contact.named", "contact_name", defuse(f.Name))
	case personName(r.text) && !r.has("yes") && len(r.found) == 0 && !p.namesDay(r.text):
		f.Name = r.text
		p.contactAgain(t, "contact.named", "contact_name", defuse(f.Name))
	case len(r.toks) > 6, p.likeTrouble(r), p.onlyWhen(r), numberPlate.MatchString(narrowAll(r.text)):
		p.describe(t, r)
		t.lead = p.tx.t(t.lang, "form.added")
		p.next(t)
	default:
		p.contactAgain(t, "contact.again")
	}
}

// contactAgain says what is wrong, and how to go on without any contact.
func (p *Policy) contactAgain(t *turn, key string, pairs ...string) {
	m := p.say(t, key, pairs...)
	m.Ask, t.st.Form.Asked = AskContact, AskContact
	p.offer(t, m, "anonymous", "skip_contact", "cancel", "human")
}

func (p *Policy) fillConfirm(ctx context.Context, t *turn, r *reading) {
	f := t.st.Form
	if v, ok := p.verdictOf(r); ok && v.yes { // "yes, and the bench is broken too": shown again before it is sent
		r = &v.rest
		if p.correct(t, r) {
			return
		}
	}
	switch {
	case r.only("yes", "thanks") || r.mostly("confirm", "yes", "thanks"):
		p.send(t)
	case p.answersChange(t, r):
	case r.only("no") || r.mostly("change"):
		p.changeMenu(t)
	case r.only("anonymous", "yes") || r.mostly("anonymous"):
		f.anonymise()
		t.lead = p.tx.t(t.lang, "form.changed")
		p.next(t)
	case r.only("thanks") || r.only("greet"):
		p.next(t)
	case r.question && p.aside(ctx, t, r, true):
	case r.place != "" && len(r.toks) <= len(p.lex.tokens(r.place))+r.slack() && !r.has("problem"): // an address by itself is where it is
		f.clearPlace()
		f.Place, f.Last = r.place, AskWhere
		t.lead = p.tx.t(t.lang, "form.changed")
		p.next(t)
	case (r.email != "" || r.phone != "") && len(r.toks) <= 8:
		f.clearContact()
		p.fillContact(t, r)
	default:
		p.absorb(t, r)
		p.describe(t, r)
		t.lead = p.tx.t(t.lang, "form.added")
		p.next(t)
	}
}
