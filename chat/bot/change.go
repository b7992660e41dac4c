package bot

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

func (p *Policy) changeMenu(t *turn) {
	m := p.say(t, "change.which")
	ids := []string{"change:what", "change:where", "change:contact", "change:kind", "cancel", "human"}
	if len(p.details(t.st.Form, t.lang)) > 0 {
		ids = slices.Insert(ids, 2, "change:details")
	}
	p.offer(t, m, ids...)
	t.st.Waiting = waitChange
}

// answersChange understands which part is wrong, in words.
func (p *Policy) answersChange(t *turn, r *reading) bool {
	for _, slot := range []string{"where", "contact", "what", "kind"} {
		if r.only("slot."+slot, "change") {
			p.chooseInForm(t, "change:"+slot, r)
			return true
		}
	}
	return false
}

// correct changes a slot that was filled before. It reports false when the text corrects nothing.
func (p *Policy) correct(t *turn, r *reading) bool {
	f := t.st.Form
	if !strings.ContainsAny(r.text, "?？") && p.fixesDetail(t, nil, r) { // 前几天 has the word of a question
		return true
	}
	if r.only("no", "thanks") || r.only("yes", "thanks") || r.question || f.Asked == AskContact && r.mostly("skip") {
		return false
	}
	for _, slot := range []string{"kind", "where", "contact", "what"} {
		rest, ok := r.after("fix." + slot)
		if !ok {
			continue
		}
		v := p.lex.read(rest)
		switch {
		case slot == "kind" && v.kind() == "": // "it is a small shop" changes nothing
			continue
		case slot == AskContact && f.Asked == AskContact && !f.ContactDone: // it answers the question, and may tell more
			continue
		case slot == AskContact && !v.empty() && v.phone == "" && v.email == "" && !v.has("anonymous"):
			continue
		case v.empty():
			p.chooseInForm(t, "change:"+slot, r)
			return true
		}
		return p.replace(t, slot, &v)
	}
	rest, ok := r.after("fix.last")
	if !ok || r.has("anonymous") {
		return false
	}
	v := p.lex.read(rest)
	if v.empty() {
		p.changeMenu(t)
		return true
	}
	if f.Asked == AskWhere && (v.place != "" || len(v.toks) <= 6) { // "it should be at the station" answers the question
		return false
	}
	slot := f.Last
	switch {
	case v.email != "" || v.phone != "" && utf8.RuneCountInString(v.text) < 30:
		slot = AskContact
	case v.kind() != "" && v.rest("kind."+v.kind()) <= v.slack():
		slot = "kind"
	case v.place != "" && f.Place != "", houseNumber(v.text) != "" && houseIn.MatchString(f.Place):
		slot = AskWhere
	}
	if slot == "" || slot == AskContact && v.email == "" && v.phone == "" {
		slot = AskWhat
	}
	if slot == AskWhere && v.place == "" && v.has("contact_cue", "slot.contact", "slot.what", "slot.kind") { // words about the form are no place
		p.changeMenu(t)
		return true
	}
	return p.replace(t, slot, &v)
}

func (p *Policy) replace(t *turn, slot string, v *reading) bool {
	f := t.st.Form
	t.lead = p.tx.t(t.lang, "form.changed")
	switch slot {
	case "kind":
		k := v.kind()
		if k == "" {
			p.chooseInForm(t, "change:kind", v)
			return true
		}
		f.Kind, f.KindSaid = k, true
		if _, why, ok := cutAny(v.text, ":：,，;；。"); ok { // "it is a complaint: the benches are broken"
			if w := p.lex.read(why); p.matter(&w) > w.slack() && w.phone == "" && w.email == "" && w.kind() == "" {
				p.describe(t, &w)
			}
		}
	case AskWhere:
		before := f.Place
		f.clearPlace()
		switch number := houseNumber(v.text); {
		case number != "" && houseIn.MatchString(before): // "no, 17"
			at := houseIn.FindAllStringIndex(before, -1)
			last := at[len(at)-1]
			f.Place = before[:last[0]] + number + before[last[1]:]
		case v.place != "" && len(v.toks) <= 2*len(p.lex.tokens(v.place)):
			f.Place = v.place
		default:
			f.Place = p.placeOf(v, "", "")
		}
		f.Last = AskWhere
	case AskContact:
		if v.has("anonymous") {
			f.anonymise()
			break
		}
		name := f.Name
		f.clearContact()
		f.Name, t.lead, f.Asked = name, "", AskContact
		p.fillContact(t, v)
		return true
	default:
		// A few words ("no, two weeks ago") correct a part of the story: they stand below it, and nothing of it is lost.
		told := p.lex.read(f.Description)
		if v.has("problem") || 2*p.matter(v) >= p.matter(&told) {
			f.Description = ""
		} else {
			t.lead = p.tx.t(t.lang, "form.added")
		}
		p.describe(t, v)
	}
	p.next(t)
	return true
}

// cutAny cuts a text at the first of several signs.
func cutAny(s, signs string) (before, after string, found bool) {
	i := strings.IndexAny(s, signs)
	if i < 0 {
		return s, "", false
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	return s[:i], s[i+size:], true
}

var (
	houseIn   = regexp.MustCompile(`[0-9]{1,5}[A-Za-z]?`)
	houseOnly = regexp.MustCompile(`^(?i)(?:(?:no\.?|number|house)\s*)?([0-9]{1,5}[a-z]?)(?:号)?$`)
)

// houseNumber is the number of a text that is a house number and nothing else, "" of any other.
func houseNumber(s string) string {
	if m := houseOnly.FindStringSubmatch(strings.Trim(narrowAll(s), " .,。，")); m != nil {
		return m[1]
	}
	return ""
}

func (f *Form) clearPlace() { f.Place, f.Lat, f.Lon, f.NoPlace = "", nil, nil, false }

func (f *Form) clearContact() {
	f.Anonymous, f.ContactDone, f.Name, f.Phone, f.Email = false, false, "", "", ""
}
