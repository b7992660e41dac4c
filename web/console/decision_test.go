package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
)

const rentForm = `question age: How old are you?
  number: 0 to 120 years
  18 or more -> owner because you are of age
  under 18 -> refused
question owner: Do you own a flat?
  yes -> refused
  no -> granted because you own no flat
outcome granted: You can have it
outcome refused: You cannot have it
`

func TestADecisionFormIsWrittenTriedAndReviewed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("editor")

	// Live: what is wrong by line, then the tree and a walk.
	hx := []string{"HX-Request", "true"}
	bad := strings.Replace(rentForm, "-> owner because", "-> flat because", 1)
	b.post("/console/knowledge/form", url.Values{"form": {bad}}, hx...).wants(t, http.StatusOK, "Line 3:", "There is no question and no outcome with the name “flat”")
	b.post("/console/knowledge/form", url.Values{"form": {rentForm}}, hx...).wants(t, http.StatusOK, "Do you own a flat?", "18 or more", "You can have it", `name="try_0"`)
	b.post("/console/knowledge/form", url.Values{"form": {rentForm}, "try_0": {"30"}, "try_1": {"no"}}, hx...).wants(t, http.StatusOK, "Because you are of age, you own no flat.")
	b.post("/console/knowledge/form", url.Values{"form": {rentForm}, "try_0": {"300"}}, hx...).wants(t, http.StatusOK, "A number from 0 to 120.")
	b.post("/console/knowledge/form", url.Values{"form": {""}}, hx...).wants(t, http.StatusOK, "No questions yet")

	// Saving refuses a form that leads nowhere and keeps what was typed.
	b.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set("form", bad) })).
		wants(t, http.StatusBadRequest, "Questions and outcomes: Line 3: There is no question", `id="e-form" aria-invalid="true"`, "-&gt; flat because", "Not after **22:00**")
	page := b.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set("form", rentForm) }))
	page.wants(t, http.StatusOK, "draft", "Do you own a flat?")
	id := uuid.MustParse(page.path[strings.LastIndex(page.path, "/")+1:])
	v, err := r.knowledge.Version(context.Background(), id, 1)
	must(t, err)
	if v.Form == nil || v.Form.Source != rentForm {
		t.Fatalf("kept %+v", v.Form)
	}
	b.get("/console/knowledge/"+id.String()+"/edit").wants(t, http.StatusOK, "question owner: Do you own a flat?", `name="try_0"`)
}
