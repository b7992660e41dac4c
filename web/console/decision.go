package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hotline/internal/decision"
	"hotline/internal/errs"
)

// formView is a decision form as the editor and the article's page show it: what is wrong by line, or the tree and a walk to try it.
type formView struct {
	Source   string
	Form     *decision.Form
	Problems []formProblem
	Tree     *formNode
	Try      bool // may be tried here
	Steps    []tryStep
	Ask      *tryStep
	Outcome  *decision.Outcome
	Reasons  []string
}

type formProblem struct {
	Line  int
	Words string
}

// formNode is a question or an outcome of the tree. What several answers lead to is drawn once; elsewhere it is named.
type formNode struct {
	Answer   string // that leads here
	Name     string
	Text     string
	Kind     decision.Kind // "" for an outcome
	Again    bool
	Branches []*formNode
}

// tryStep is a question of the walk, with the answer given.
type tryStep struct {
	At       int
	Question *decision.Question
	Value    string
	Wrong    bool
}

// FormAnswer names an answer in the reader's language.
func (v View) FormAnswer(q *decision.Question, b decision.Branch) string {
	switch {
	case b.Value == decision.Unsure:
		return v.T("decision.unsure")
	case q.Kind == decision.YesNo:
		return v.T("decision." + b.Value)
	}
	return b.Label
}

// viewForm reads a source; try are the answers of the walk, by the place of their question.
func (c *Console) viewForm(r *http.Request, v View, source string, try url.Values) *formView {
	d := &formView{Source: source, Try: try != nil}
	var problems []*errs.Error
	d.Form, problems = decision.Parse(source)
	for _, p := range problems {
		line, _ := p.Args["line"].(int)
		d.Problems = append(d.Problems, formProblem{line, c.explain(r.Context(), v, p)})
	}
	d.walk(v, try)
	return d
}

func (d *formView) walk(v View, try url.Values) {
	f := d.Form
	if f == nil {
		return
	}
	d.Tree = v.formTree(f, f.Questions[0].ID, "", map[string]bool{})
	if try == nil {
		return
	}
	answers, at := decision.Answers{}, map[string]int{}
	for i, q := range f.Questions {
		at[q.ID] = i
		answers[q.ID] = try.Get("try_" + strconv.Itoa(i))
	}
	w := f.Walk(answers)
	for _, s := range w.Steps {
		d.Steps = append(d.Steps, tryStep{at[s.Question.ID], s.Question, s.Value, false})
	}
	if q := w.Question; q != nil {
		value := answers[q.ID]
		d.Ask = &tryStep{at[q.ID], q, value, value != ""}
	}
	d.Outcome, d.Reasons = w.Outcome, w.Reasons()
}

func (v View) formTree(f *decision.Form, id, answer string, seen map[string]bool) *formNode {
	if o := f.Outcome(id); o != nil {
		return &formNode{Answer: answer, Name: id, Text: o.Title}
	}
	q := f.Question(id)
	n := &formNode{Answer: answer, Name: id, Text: q.Text, Kind: q.Kind, Again: seen[id]}
	if n.Again {
		return n
	}
	seen[id] = true
	for _, b := range q.Branches {
		n.Branches = append(n.Branches, v.formTree(f, b.To, v.FormAnswer(q, b), seen))
	}
	return n
}

// savedForm shows the form of a version, nil when it has none.
func (v View) savedForm(f *decision.Form, try url.Values) *formView {
	if f == nil {
		return nil
	}
	d := &formView{Source: f.Source, Form: f, Try: try != nil}
	d.walk(v, try)
	return d
}

// readForm reads the form of the editor. Errors: the first of decision.Parse, naming field and line.
func readForm(q url.Values) (*decision.Form, error) {
	f, problems := decision.Parse(q.Get("form"))
	if len(problems) > 0 {
		return nil, problems[0].On("form")
	}
	return f, nil
}

// formLine says in which line of a decision form an error is, "" for other errors.
func (v View) formLine(err error) string {
	e, ok := err.(*errs.Error)
	if !ok || !strings.HasPrefix(e.Code, "decision.") {
		return ""
	}
	return v.T("decision.line", "n", e.Args["line"]) + " "
}

// articleForm answers the editor while the form is typed or tried.
func (c *Console) articleForm(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	v.D = c.viewForm(r, v, r.PostForm.Get("form"), r.PostForm)
	c.fragment(w, r, http.StatusOK, "form-view", v)
	return nil
}
