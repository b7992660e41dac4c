package portal

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/decision"
	"hotline/knowledge"
	"hotline/web/httperr"
)

// maxHeard bounds an answer that comes in; the form's own limits are judged after it.
const maxHeard = 40

// appliesBody is the decision form of an article, a question per page. The answers travel in the page's own hidden fields: they are about a
// person's life, so they stand in no address, no log, no cookie and no session.
type appliesBody struct {
	Article
	Steps   []appliesStep
	At      int                // place of the question asked
	Ask     *decision.Question // nil at the outcome
	Value   string
	Outcome *decision.Outcome
	Text    template.HTML
	Because string
	Left    int // questions at most, with this one
}

// appliesStep is an answered question.
type appliesStep struct {
	At          int
	Text, Words string
	Value       string
}

// answerWords says an answer in words.
func (v *view) answerWords(q *decision.Question, value string) string {
	b := q.Branch(value)
	switch {
	case value == decision.Unsure:
		return v.T("applies.unsure")
	case q.Kind == decision.YesNo:
		return v.T(value)
	case q.Kind == decision.Choice && b != nil:
		return b.Label
	}
	return strings.TrimSpace(value + " " + q.Unit)
}

// AnswerWords is answerWords for templates.
func (v *view) AnswerWords(q *decision.Question, b decision.Branch) string {
	return v.answerWords(q, b.Value)
}

// applies shows the first question, or takes an answer and shows the next.
func (p *Portal) applies(w http.ResponseWriter, r *http.Request) {
	a, err := p.Knowledge.Article(r.Context(), r.PathValue("slug"))
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	f := a.Form
	if f == nil { // the article has changed since the link was made
		see(w, r, "/a/"+url.PathEscape(a.Slug))
		return
	}
	if err := r.ParseForm(); err != nil {
		httperr.Write(w, r, readProblem(err))
		return
	}
	v := p.view(r, "title", nil)
	// Someone who switches the language wants the questions in it.
	for _, other := range a.Others {
		if other.Lang == v.Lang && a.Lang != v.Lang && r.URL.Query().Get("lang") == v.Lang {
			see(w, r, "/a/"+url.PathEscape(other.Slug)+"/check")
			return
		}
	}
	body := &appliesBody{Article: a}
	answers := decision.Answers{}
	for i, q := range f.Questions {
		if value, ok := q.Accept(field(r, "a"+strconv.Itoa(i))); ok {
			answers[q.ID] = value
		}
	}
	p.takeAnswer(v, r, f, answers, body)
	walk := f.Walk(answers)
	for _, s := range walk.Steps {
		at := slices.IndexFunc(f.Questions, func(q decision.Question) bool { return q.ID == s.Question.ID })
		body.Steps = append(body.Steps, appliesStep{at, s.Question.Text, v.answerWords(s.Question, s.Value), s.Value})
	}
	v.Body = body
	if body.Ask = walk.Question; body.Ask != nil {
		body.At = slices.IndexFunc(f.Questions, func(q decision.Question) bool { return q.ID == walk.Question.ID })
		body.Left = f.Longest(answers)
		v.Title = body.Ask.Text
	} else if body.Outcome = walk.Outcome; body.Outcome != nil {
		v.Title = body.Outcome.Title
		body.Because = v.because(walk)
		body.Text = knowledge.RenderHTML(body.Outcome.Text)
	}
	p.render(w, r, "applies", v)
}

// takeAnswer reads what the page before was sent with: an answer, or which answer to give anew.
func (p *Portal) takeAnswer(v *view, r *http.Request, f *decision.Form, answers decision.Answers, body *appliesBody) {
	if r.Method != http.MethodPost {
		return
	}
	if again, err := strconv.Atoi(field(r, "again")); err == nil && again >= 0 && again < len(f.Questions) {
		delete(answers, f.Questions[again].ID)
		return
	}
	asked, err := strconv.Atoi(field(r, "asked"))
	if err != nil || asked < 0 || asked >= len(f.Questions) {
		return
	}
	q := &f.Questions[asked]
	body.Value = field(r, "answer")
	if field(r, "unsure") != "" {
		body.Value = decision.Unsure
	}
	heard := strings.NewReplacer(",", "", "，", "").Replace(body.Value)
	if len(heard) > maxHeard {
		heard = ""
	}
	if value, ok := q.Accept(heard); ok {
		answers[q.ID], body.Value = value, ""
		return
	}
	delete(answers, q.ID)
	switch {
	case q.Kind != decision.Number:
		v.problem("answer-0", "applies.choose")
	default:
		v.problem("answer", "applies.number", "low", q.Min, "high", q.Max)
	}
}

// because gives the reasons of an outcome in a sentence, "" where the form names none.
func (v *view) because(w decision.Walk) string {
	reasons := w.Reasons()
	if len(reasons) == 0 {
		return ""
	}
	last := len(reasons) - 1
	list := reasons[last]
	if last > 0 {
		list = strings.Join(reasons[:last], v.T("applies.comma")) + v.T("applies.and") + list
	}
	return v.T("applies.because", "list", list)
}
