package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/knowledge"
)

func articleForm(edit func(url.Values)) url.Values {
	f := url.Values{"title": {"Noise at night"}, "summary": {"No building work after 22:00."}, "body": {"## Rule\n\nNot after **22:00**."}, "lang_of": {"en"}, "audience": {"public"},
		"questions": {"Who stops noise at night?"}, "keywords": {"noise"}, "valid_from": {"2026-01-01"}, "valid_to": {"2026-12-31"}}
	if edit != nil {
		edit(f)
	}
	return f
}

func TestTheLongestArticleFitsIntoTheEditor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("editor")
	long := strings.Repeat("夜间施工", knowledge.MaxBody/4)
	b.post("/console/knowledge/preview", url.Values{"body": {long}}, "HX-Request", "true").wants(t, http.StatusOK, "夜间施工")
	// What turns text round is not shown either, as on the published page.
	turned := "\u202etpircs\u202c"
	b.post("/console/knowledge/preview", url.Values{"title": {"Title " + turned}, "summary": {"Summary " + turned}, "body": {"Body " + turned}}, "HX-Request", "true").wants(t, http.StatusOK, "Title tpircs<", "Summary tpircs<", "Body tpircs<")
	page := b.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set("body", long); f.Set("lang_of", "zh-CN") }))
	page.wants(t, http.StatusOK, "draft")
	id := uuid.MustParse(page.path[strings.LastIndex(page.path, "/")+1:])
	v, err := r.knowledge.Version(context.Background(), id, 1)
	must(t, err)
	if v.Body != long {
		t.Fatalf("%d bytes of %d were kept", len(v.Body), len(long))
	}
	b.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set("body", long+"夜") })).
		wants(t, http.StatusRequestEntityTooLarge, "Text: This is too long: at most 200000", `id="e-body" aria-invalid="true"`, "Noise at night")
}

func TestTheEditorNamesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("editor")
	for _, c := range []struct {
		field, value, words string
		status              int
	}{
		{"title", "", "Title: Fill in", http.StatusBadRequest},
		{"valid_to", "31.12.2026", "Last valid day: This is not a day", http.StatusBadRequest},
		{"valid_to", "2026-02-30", "Last valid day: This is not a day", http.StatusBadRequest},
		{"valid_from", "tomorrow", "Valid from: This is not a day", http.StatusBadRequest},
		{"valid_to", "2025-12-31", "Last valid day: The last valid day is before the first", http.StatusBadRequest},
		{"slug", "Ä b", "Address on the portal: Use lower-case", http.StatusBadRequest},
		{"audience", "nobody", "Audience: Choose who may read", http.StatusBadRequest},
		{"owner", uuid.NewString(), "Owner: There is no such agency", http.StatusBadRequest},
	} {
		page := b.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set(c.field, c.value) }))
		page.wants(t, c.status, c.words, "#e-"+c.field, `id="e-`+c.field+`" aria-invalid="true"`, "Who stops noise at night?", "Not after **22:00**")
		if c.field == "valid_from" || c.field == "valid_to" {
			page.wants(t, c.status, `value="`+c.value+`"`)
		}
	}
	list, err := r.knowledge.List(context.Background(), knowledge.Filter{})
	must(t, err)
	if len(list) != 0 {
		t.Errorf("%d articles were made of bad input", len(list))
	}
}

func TestTwoEditorsAtOnceSeeEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mine, theirs := r.signIn("editor"), r.signIn("reviewer")
	page := mine.post("/console/knowledge/new", articleForm(nil))
	page.wants(t, http.StatusOK)
	edit := page.path + "/edit"
	save := func(b *browser, version, edition int, body string) answer {
		return b.post(edit, articleForm(func(f url.Values) {
			f.Set("version", strconv.Itoa(version))
			f.Set("edit", strconv.Itoa(edition))
			f.Set("body", body)
		}))
	}
	save(theirs, 1, 1, "## Rule\n\nNot after **21:00**.").wants(t, http.StatusOK)
	conflict := save(mine, 1, 1, "## Rule\n\nNot after **23:00**.")
	conflict.wants(t, http.StatusConflict, "reviewer saved this article", "What you typed is still here", "Not after **23:00**.</textarea>",
		"<del>Not after **<mark>21</mark>:00**.</del>", "<ins>Not after **<mark>23</mark>:00**.</ins>", `name="edit" value="2"`)
	save(mine, 1, 2, "## Rule\n\nNot after **23:00**.").wants(t, http.StatusOK, "<strong>23:00</strong>")

	// A version that began meanwhile is met in the same way.
	save(mine, 7, 1, "## Rule\n\nNever.").wants(t, http.StatusConflict, "Never.</textarea>", `name="version" value="1"`)
}

func TestAReviewerSeesEverythingThatChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	path := e.post("/console/knowledge/new", articleForm(nil)).path
	step := func(b *browser, action string, edit int) answer {
		return b.post(path+"/do/"+action, url.Values{"version": {"1"}, "edit": {strconv.Itoa(edit)}})
	}
	step(e, "submit", 1).wants(t, http.StatusOK, "from 2026-01-01 to 2026-12-31", "Who stops noise at night?")
	step(reviewer, "publish", 2).wants(t, http.StatusOK, "published")
	e.post(path+"/edit", articleForm(func(f url.Values) {
		f.Set("version", "1")
		f.Set("edit", "3")
		f.Set("then", "submit")
		f.Set("questions", "Who stops the neighbours?")
		f.Set("keywords", "noise\nparty")
		f.Set("valid_to", "")
	})).wants(t, http.StatusOK, "in review")
	reviewer.get(path).wants(t, http.StatusOK, "<del>Questions it answers: Who stops <mark>noise at night</mark>?</del>", "<ins>Questions it answers: Who stops <mark>the neighbours</mark>?</ins>",
		"<ins>Keywords: party</ins>", "<del>Last valid day: 2026-12-31</del>", "since 2026-01-01")
}

func TestEditorsFindWhatIsNotServed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.signIn("editor")
	e.post("/console/knowledge/new", articleForm(nil)).wants(t, http.StatusOK, "draft")
	e.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set("title", "Ramps at 100 % of the stops") })).wants(t, http.StatusOK, "draft")
	for path, want := range map[string]string{"?q=at+night": "Noise at night", "?q=100+%25": "Ramps", "?q=stops+noise": "Noise at night", "?q=at+night&state=draft": "Noise at night"} {
		e.get("/console/knowledge"+path).wants(t, http.StatusOK, want)
	}
	e.get("/console/knowledge?q=at+night&state=in_review").wants(t, http.StatusOK, "No articles here")
	e.get("/console/knowledge?q=100+%25").lacks(t, "Noise at night")
	r.signIn("operator").get("/console/knowledge?q=at+night").lacks(t, "Noise at night</a>")
}

func TestReadersSeeNoDraftsInTheList(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	path := e.post("/console/knowledge/new", articleForm(nil)).path
	e.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set("title", "A secret plan") }))
	e.post(path+"/do/submit", url.Values{"version": {"1"}, "edit": {"1"}}).wants(t, http.StatusOK)
	reviewer.post(path+"/do/publish", url.Values{"version": {"1"}, "edit": {"2"}}).wants(t, http.StatusOK)
	e.post(path+"/edit", articleForm(func(f url.Values) {
		f.Set("title", "Noise at all hours")
		f.Set("version", "1")
		f.Set("edit", "3")
	})).wants(t, http.StatusOK, "draft")
	e.get("/console/knowledge").wants(t, http.StatusOK, "A secret plan", "Noise at all hours")
	h := r.signIn("handler-env")
	for _, query := range []string{"", "?state=draft", "?q=secret"} {
		h.get("/console/knowledge"+query).lacks(t, "A secret plan", "Noise at all hours")
	}
	h.get("/console/knowledge").wants(t, http.StatusOK, "Noise at night", path)
	h.get(path).wants(t, http.StatusOK, "Noise at night")
}
