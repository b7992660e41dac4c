package console_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/uuid"

	"hotline/knowledge"
	"hotline/knowledge/learn"
)

// written publishes an article without the console.
func (r *rig) written(text knowledge.Text) knowledge.Entry {
	r.t.Helper()
	ctx := context.Background()
	by := func(user, role string) knowledge.Staff {
		return knowledge.Staff{Actor: r.city.Staff(user), Roles: []string{role}}
	}
	e, err := r.knowledge.Create(ctx, by("editor", "editor"), knowledge.Article{Lang: "en"}, text)
	must(r.t, err)
	e, err = r.knowledge.Submit(ctx, by("editor", "editor"), e.Version.Ref())
	must(r.t, err)
	e, err = r.knowledge.Publish(ctx, by("reviewer", "reviewer"), e.Version.Ref())
	must(r.t, err)
	return e
}

func TestAPublicationThatMakesAnswersWorseNeedsAReason(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	library := r.written(knowledge.Text{Title: "Library opening hours", Summary: "The library is open from nine to six.", Body: "Closed on Mondays."})
	b := r.signIn("editor")
	b.post("/console/pairs", url.Values{"question": {"When is the library open?"}, "article": {"https://x/console/knowledge/" + library.Article.ID.String()}}).
		wants(t, http.StatusOK, "When is the library open?", "Library opening hours", "an editor said so")
	b.post("/console/pairs", url.Values{"question": {"When?"}, "article": {uuid.NewString()}}).wants(t, http.StatusNotFound, "There is no such page")
	b.get("/console/pairs.jsonl").wants(t, http.StatusOK, `"text":"When is the library open?"`, library.Article.ID.String())
	page := b.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set("title", "When is the library open?"); f.Set("questions", "") }))
	article := page.path
	b.post(article+"/do/submit", url.Values{"version": {"1"}, "edit": {"1"}}).wants(t, http.StatusOK, "What publishing would do")
	reviewer := r.signIn("reviewer")
	reviewer.get(article+"/effect").wants(t, http.StatusOK, "1 questions would be answered worse", "evaluation set")
	reviewer.post(article+"/do/publish", url.Values{"version": {"1"}, "edit": {"2"}}).wants(t, http.StatusConflict, "Confirm it and say why", "Publish although 1")
	reviewer.post(article+"/do/publish", url.Values{"version": {"1"}, "edit": {"2"}, "worse": {"yes"}, "text": {"the library moved"}}).wants(t, http.StatusOK, ">published<")
}

func TestProposalsAreTakenOverOrRejected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, q := range []string{"Where can I register a beehive?", "Who paints <i>benches</i>?"} {
		must(t, r.learn.Propose(context.Background(), learn.Praise{Source: "ticket", ID: uuid.New(), Lang: "en", Question: q, Answer: "At the environment department, desk 4, any day.", Grade: 5}))
	}
	b := r.signIn("editor")
	page := b.get("/console/proposals")
	page.wants(t, http.StatusOK, "register a beehive", "Who paints &lt;i&gt;", "graded 5 of 5")
	id := between(t, page.body, "/console/proposals/", "/do/reject")
	b.post("/console/proposals/"+id+"/do/reject", url.Values{"reason": {""}}).wants(t, http.StatusBadRequest, "Say why")
	b.post("/console/proposals/"+id+"/do/reject", url.Values{"reason": {"only once"}}).wants(t, http.StatusOK, "Proposed articles")
	id = between(t, b.get("/console/proposals").body, "/console/proposals/", "/do/accept")
	b.post("/console/proposals/"+id+"/do/accept", nil).wants(t, http.StatusOK, "desk 4")
	b.get("/console/proposals?state=rejected").wants(t, http.StatusOK, "only once")
}

func TestTheLearningBoardOpensItsNumbers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ask(knowledge.None, "Where can I register a beehive?")
	r.ask(knowledge.Answered, "What about bins?")
	b := r.signIn("supervisor")
	b.get("/console/learning").wants(t, http.StatusOK, "50 %", "1 ÷ 2", "Coverage", "Gaps opened")
	b.get("/console/learning/questions?list=unanswered&from=2026-01-01&to=2026-12-31").wants(t, http.StatusOK, "register a beehive", "No answer")
	b.get("/console/learning/questions?list=nothing").wants(t, http.StatusNotFound)
	b.get("/console/learning?lang=zh-CN&lang_of=zh").wants(t, http.StatusOK, "覆盖率", "–")
}
