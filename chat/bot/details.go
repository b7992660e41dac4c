package bot

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What a category needs to know beside what every ticket has.

// FieldType says what kind of answer a detail wants.
type FieldType string

// The types. A date is kept as 2026-03-10, yes or no as yes and no.
const (
	FieldText   FieldType = "text"
	FieldNumber FieldType = "number"
	FieldDate   FieldType = "date"
	FieldChoice FieldType = "choice"
	FieldYesNo  FieldType = "yes_no"
)

// Field is a detail that the tickets of a category need.
type Field struct {
	Code, Label string
	Type        FieldType
	Options     []Choice // of a choice: code and name
	// Judge brings an answer into the form it is kept in, or refuses it.
	Judge func(value string) (string, error)
}

// Fields tells what tickets of a category need, in the citizen's language, the most important first.
type Fields func(category, lang string) []Field

// maxDetails is how many the chat asks for; what else is missing is the operator's to ask. A category may need much, but a chat is no form.
const maxDetails = 3

// maxOptions is how many answers are shown as buttons.
const maxOptions = 12

// AskDetail asks for a detail of the category.
const AskDetail = "detail"

const (
	detailPrefix = AskDetail + ":"
	optionPrefix = "option:"
)

// details lists what to ask for about this matter. A report is handled by those who may read it, without more questions here.
func (p *Policy) details(f *Form, lang string) []Field {
	if p.fields == nil || f.Category == "" || f.Kind == Report || f.Urgency == "urgent" {
		return nil
	}
	all := p.fields(f.Category, lang)
	return all[:min(len(all), maxDetails)]
}

// openDetail is the next detail that was neither told nor skipped.
func (p *Policy) openDetail(f *Form, lang string) (Field, bool) {
	for _, d := range p.details(f, lang) {
		if !slices.Contains(f.DetailsDone, d.Code) {
			return d, true
		}
	}
	return Field{}, false
}

// asksDetail asks for the next detail, when one is open.
func (p *Policy) asksDetail(t *turn) bool {
	d, ok := p.openDetail(t.st.Form, t.lang)
	if ok {
		p.askDetail(t, d, "")
	}
	return ok
}

// askedDetail is the detail that the last message asked for.
func (p *Policy) askedDetail(t *turn) (Field, bool) {
	code, ok := strings.CutPrefix(t.st.Form.Asked, detailPrefix)
	if !ok {
		return Field{}, false
	}
	for _, d := range p.details(t.st.Form, t.lang) {
		if d.Code == code {
			return d, true
		}
	}
	return Field{}, false
}

// askDetail asks one question; "skip" comes first where nothing can be tapped, so that a typed number is the answer and not the place of a button.
func (p *Policy) askDetail(t *turn, d Field, lead string) {
	text := p.tx.t(t.lang, "detail", "label", defuse(d.Label))
	if lead != "" {
		text = p.tx.t(t.lang, lead, "label", defuse(d.Label))
	}
	var options []Choice
	switch d.Type {
	case FieldYesNo:
		options = []Choice{{ID: optionPrefix + "yes", Label: p.tx.t(t.lang, "choice.yes")}, {ID: optionPrefix + "no", Label: p.tx.t(t.lang, "choice.no")}}
	case FieldChoice:
		for _, o := range d.Options[:min(len(d.Options), maxOptions)] {
			options = append(options, Choice{ID: optionPrefix + o.ID, Label: o.Label})
		}
	}
	p.prompt(t, AskDetail, "", "skip_detail", "cancel", "human")
	m := &t.reply.Messages[len(t.reply.Messages)-1]
	m.Text += text
	m.Choices = append(options, m.Choices...)
	t.st.Form.Asked = detailPrefix + d.Code
}

// detail keeps an answer, or leaves the detail open when value is "", and goes on.
func (p *Policy) detail(t *turn, d Field, value string) {
	f := t.st.Form
	if value != "" {
		details := maps.Clone(f.Details)
		if details == nil {
			details = map[string]string{}
		}
		details[d.Code] = value
		f.Details, f.Last = details, detailPrefix+d.Code
	}
	if !slices.Contains(f.DetailsDone, d.Code) {
		f.DetailsDone = append(slices.Clone(f.DetailsDone), d.Code)
	}
	p.next(t)
}

// optionChosen takes a tapped answer.
func (p *Policy) optionChosen(t *turn, option string) {
	d, ok := p.askedDetail(t)
	if !ok {
		p.next(t) // a button of a question before
		return
	}
	value, err := d.Judge(option)
	if err != nil {
		value = ""
	}
	if d.Type == FieldDate && err == nil {
		t.lead = p.tx.t(t.lang, "date.noted", "date", p.dateWords(t.lang, value))
	}
	p.detail(t, d, value)
}

// answersDetail takes a text as the answer to a detail. It reports false for what is said about the form, or to somebody else.
func (p *Policy) answersDetail(ctx context.Context, t *turn, r *reading, in Input) bool {
	d, ok := p.askedDetail(t)
	if !ok || in.Attachments > 0 && r.empty() || in.Place != nil || t.st.Waiting != "" {
		return false
	}
	switch {
	case d.Type == FieldText && r.only("anonymous"): // about the contact, which comes later
		t.st.Form.anonymise()
		t.lead = p.tx.t(t.lang, "form.got_anonymous")
		p.next(t)
		return true
	case r.empty(), r.only("cancel"), r.mostly("why_ask"), r.has("question_first"), r.code.digits != "", r.has("privacy") && r.question, r.mostly("resolved"):
		return false
	case d.Type == FieldText && r.question && p.aside(ctx, t, r, false):
		return true
	case (r.only("skip") || r.mostly("skip")) && !(d.Type == FieldYesNo && p.plainly(t.lang, "no", r)):
		p.detail(t, d, "")
		return true
	}
	if p.fixesDetail(t, &d, r) {
		return true
	}
	if d.Type == FieldDate && p.dayTold(t, d, r) {
		return true
	}
	value, err := d.Judge(p.detailValue(t, d, r))
	if err == nil && value != "" {
		p.detail(t, d, value)
		return true
	}
	if r.question || d.Type != FieldYesNo && r.only("no", "thanks") {
		return false
	}
	if t.st.Form.Tries > 0 { // nobody is held up by a detail: the words stay in the conversation
		p.detail(t, d, "")
		return true
	}
	p.askDetail(t, d, "detail.bad_"+string(d.Type))
	t.st.Form.Tries = 1
	return true
}

// plainly reports whether a text is one of the words that answer such a question with yes or no and mean something else elsewhere (没有 leaves a slot out).
func (p *Policy) plainly(lang, answer string, r *reading) bool {
	return slices.Contains(strings.Split(p.tx.t(lang, "detail.says_"+answer), "|"), plain(r.text))
}

var numberIn = regexp.MustCompile(`-?\d+(?:[.,]\d+)?`)

// detailValue reads the answer out of what people write around it.
func (p *Policy) detailValue(t *turn, d Field, r *reading) string {
	s := narrowAll(r.text)
	switch d.Type {
	case FieldNumber:
		return numberIn.FindString(s)
	case FieldDate:
		if days := p.days(d, r); len(days) == 1 {
			return days[0].Format(time.DateOnly)
		}
		return s
	case FieldYesNo:
		switch {
		case r.only("yes", "thanks") || p.plainly(t.lang, "yes", r):
			return "yes"
		case r.only("no", "thanks") || p.plainly(t.lang, "no", r):
			return "no"
		}
		return p.yesNoTold(t, d, r)
	case FieldChoice:
		said := plain(s)
		for _, o := range d.Options {
			if said == plain(o.Label) {
				return o.ID
			}
		}
		// "from the building site": the only answer whose name occurs
		found := ""
		for _, o := range d.Options {
			if strings.Contains(said, plain(o.Label)) || len([]rune(said)) >= 2 && strings.Contains(plain(o.Label), said) {
				if found != "" {
					return s
				}
				found = o.ID
			}
		}
		if found != "" {
			return found
		}
		return s
	}
	return r.text
}

// told are the details that fit the category the form ends with, with their labels and the answers in words.
func (p *Policy) told(f *Form, lang string) (values map[string]string, lines [][2]string) {
	values = map[string]string{}
	for _, d := range p.details(f, lang) {
		value := f.Details[d.Code]
		if value == "" {
			continue
		}
		values[d.Code] = value
		words := value
		switch d.Type {
		case FieldYesNo:
			words = p.tx.t(lang, "choice."+value)
		case FieldDate:
			words = p.dateWords(lang, value)
		}
		for _, o := range d.Options {
			if o.ID == value {
				words = o.Label
			}
		}
		lines = append(lines, [2]string{d.Label, words})
	}
	return values, lines
}
