package bot

import (
	"strings"
	"unicode/utf8"
)

// absorb fills whatever slots a text happens to answer, in any order.
func (p *Policy) absorb(t *turn, r *reading) {
	f := t.st.Form
	if k := r.kind(); k != "" && (!f.KindSaid || r.has("insist") && f.Description == "") {
		f.Kind, f.KindSaid = k, true
	}
	if f.Place == "" && r.place != "" {
		f.Place, f.Last = r.place, AskWhere
	}
	if r.email != "" {
		f.Email, f.ContactDone, f.Anonymous, f.Last = r.email, true, false, AskContact
	}
	if r.phone != "" && (certainPhone(r.phone) || r.has("contact_cue")) {
		f.Phone, f.ContactDone, f.Anonymous, f.Last = r.phone, true, false, AskContact
	}
	if name := nameIn(r); name != "" && f.Name == "" && !f.Anonymous {
		f.Name = name
	}
	if r.has("anonymous") && r.email == "" && r.phone == "" {
		f.anonymise()
	}
	if r.has("confidential") {
		f.Confidential = true
	}
	if r.has("urgent") {
		f.Urgency = "urgent"
	}
}

// describe sets the description, after the hint that was given before it.
func (p *Policy) describe(t *turn, r *reading) {
	f := t.st.Form
	phone := r.phone
	if phone != f.Phone { // a number that was not taken as the contact stays in the text
		phone = ""
	}
	text := withoutContact(p.substance(r.text, f.Place), phone, r.email, p.tx.t(t.lang, "contact_removed"))
	text = p.withoutName(text, f.Name, p.tx.t(t.lang, "contact_removed"))
	if f.Hint != "" {
		text, f.Hint = f.Hint+"\n"+text, ""
	}
	if f.Description != "" {
		text = f.Description + "\n" + text
	}
	f.Description, f.Lang, f.Last = cut(text, maxDescription), t.lang, AskWhat
	f.Category = p.category(f.Description)
	if f.Kind == "" {
		f.Kind = Help
	}
}

// withoutName leaves out the clauses that only say who tells it and how to reach them: the contact is kept apart, for those who may see it.
func (p *Policy) withoutName(text, name, removed string) string {
	if name == "" && !strings.Contains(text, removed) {
		return text
	}
	var out strings.Builder
	for rest := text; rest != ""; {
		end := strings.IndexAny(rest, ",;.!?\n，；。！？")
		clause, mark := rest, ""
		if end >= 0 {
			_, size := utf8.DecodeRuneInString(rest[end:])
			clause, mark = rest[:end], rest[end:end+size]
		}
		rest = rest[len(clause)+len(mark):]
		said := strings.ReplaceAll(clause, removed, " ")
		v := p.lex.read(strings.ReplaceAll(said, name, " "))
		named := name != "" && strings.Contains(said, name) && v.has("my_name") && v.rest("my_name", "greet") == 0
		reach := said != clause && v.rest("contact_cue", "my_name") == 0
		if !named && !reach {
			out.WriteString(clause + mark)
		}
	}
	if left := strings.TrimRight(strings.TrimLeft(out.String(), " ,;.，；。\n"), " ,;，；\n"); left != "" {
		return left
	}
	return text
}

// substance leaves out the lines that only say "I want to complain" or only give the place, which is kept apart.
func (p *Policy) substance(text, place string) string {
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		return text
	}
	var out []string
	for _, line := range lines {
		r := p.lex.read(line)
		if p.matter(&r) > 0 && (place == "" || p.placeOf(&r, "", "") != place) {
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		return text
	}
	return strings.Join(out, "\n")
}

// matter counts the words that tell something about the matter: not the wish to complain, not the contact.
func (p *Policy) matter(r *reading) int {
	var rest reading
	rest.text = withoutContact(r.text, r.phone, r.email, " ")
	rest.toks = p.lex.tokens(rest.text)
	for _, m := range p.lex.find(rest.toks) {
		// A long cue of a kind ("report a shop that sells fake") tells of the matter itself.
		if m.to-m.from <= 3 || !strings.HasPrefix(m.class, "kind.") {
			rest.found = append(rest.found, m)
		}
	}
	return rest.rest("insist", "file", "yes", "no", "greet", "thanks", "anonymous", "contact_cue",
		"kind.complaint", "kind.report", "kind.suggestion", "kind.praise", "kind.help")
}

func (f *Form) anonymise() {
	f.Anonymous, f.ContactDone, f.Name, f.Phone, f.Email = true, true, "", "", ""
}

// needsPlace: a complaint or a request happens somewhere; a suggestion or praise need not.
func (f *Form) needsPlace() bool {
	return (f.Kind == Complaint || f.Kind == Help || f.Kind == Report) && f.Place == "" && f.Lat == nil && !f.NoPlace
}
