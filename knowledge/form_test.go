package knowledge_test

import (
	"testing"

	"hotline/internal/decision"
	"hotline/knowledge"
)

func form(t *testing.T, source string) *decision.Form {
	t.Helper()
	f, problems := decision.Parse(source)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return f
}

const licenceForm = `question age: How old are you?
  number: 0 to 120 years
  18 or more -> granted because you are of age
  under 18 -> refused
outcome granted: You may apply
outcome refused: You are too young
`

// A form is part of the version: it is reviewed with the text, served with it, and the version before keeps its own.
func TestAFormIsVersionedWithItsText(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	text := passport
	text.Form = form(t, licenceForm)
	e := d.publish(t, knowledge.Article{}, text)
	got, err := d.BySlug(t.Context(), e.Article.Slug, false)
	if err != nil || got.Version.Form == nil || got.Version.Form.Walk(decision.Answers{"age": "18"}).Outcome.ID != "granted" {
		t.Fatalf("%+v %v", got.Version.Form, err)
	}
	text.Form = nil
	draft, err := d.Save(t.Context(), d.editor(), e.Version.Ref(), text)
	if err != nil || draft.Version.Form != nil {
		t.Fatalf("%+v %v", draft.Version.Form, err)
	}
	if got, err = d.BySlug(t.Context(), e.Article.Slug, false); err != nil || got.Version.Form == nil {
		t.Errorf("the draft took the form of what is published: %v", err)
	}
	if latest, err := d.Version(t.Context(), e.Article.ID, 2); err != nil || latest.Form != nil {
		t.Errorf("the form came back: %+v %v", latest.Form, err)
	}
	text.Form = form(t, licenceForm)
	if draft, err = d.Save(t.Context(), d.editor(), draft.Version.Ref(), text); err != nil {
		t.Fatal(err)
	}
	if latest, err := d.Version(t.Context(), e.Article.ID, draft.Version.Number); err != nil || latest.Form == nil || latest.Form.Source != licenceForm {
		t.Errorf("the draft lost its form: %+v %v", latest.Form, err)
	}
}
