package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/auth"
	"hotline/knowledge"
)

// agencyUser makes a member of an agency and signs nobody in.
func (r *rig) agencyUser(name, agency string, roles ...auth.Role) uuid.UUID {
	r.t.Helper()
	ctx := context.Background()
	admin, err := r.auth.ByID(ctx, r.city.Users["administrator"])
	must(r.t, err)
	id, err := r.auth.Create(ctx, admin, auth.NewUser{Email: name + "@tiny.example", Name: name, AgencyID: r.city.Agencies[agency], Roles: roles})
	must(r.t, err)
	must(r.t, r.auth.SetPassword(ctx, admin, id, password))
	r.city.Users[name] = id
	return id
}

func articleID(a answer) uuid.UUID {
	parts := strings.Split(a.path, "/")
	return uuid.MustParse(parts[3])
}

// ref is the form of whoever saw the latest version.
func (r *rig) ref(id uuid.UUID, more ...string) url.Values {
	r.t.Helper()
	a, err := r.knowledge.Article(context.Background(), id)
	must(r.t, err)
	x, err := r.knowledge.Version(context.Background(), id, a.Latest)
	must(r.t, err)
	f := url.Values{"version": {strconv.Itoa(x.Number)}, "edit": {strconv.Itoa(x.Edit)}}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

func (r *rig) sweepKnowledge() knowledge.Swept {
	r.t.Helper()
	s, err := r.knowledge.Sweep(context.Background())
	must(r.t, err)
	return s
}

func TestAReviewerApprovesATextForLater(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	page := e.post("/console/knowledge/new", articleForm(nil))
	path, id := page.path, articleID(page)
	e.post(path+"/do/submit", r.ref(id)).wants(t, http.StatusOK, "in review")
	reviewer.get(path).wants(t, http.StatusOK, "Choose the time", "Approve for this time", "Send back")
	e.get(path).lacks(t, "Approve for this time")

	reviewer.post(path+"/do/schedule", r.ref(id, "from", "soon", "until", "")).wants(t, http.StatusBadRequest, "Write a day and a time", `value="soon"`)
	reviewer.post(path+"/do/schedule", r.ref(id, "from", "2026-03-05T08:30", "until", "2026-03-05T08:00")).wants(t, http.StatusBadRequest, "has to end after it begins")
	reviewer.post(path+"/do/schedule", r.ref(id, "from", "2026-03-05T08:30", "until", "2026-04-01T00:00")).
		wants(t, http.StatusOK, "scheduled", "on 5 March 2026, 08:30", "served until 1 April 2026, 00:00", "Take back")
	e.get("/console/knowledge?state=scheduled").wants(t, http.StatusOK, "Noise at night", "on 5 March 2026, 08:30")

	// Eight thirty in the city, not in Greenwich.
	r.clock.Set(time.Date(2026, 3, 5, 0, 29, 0, 0, time.UTC))
	if r.sweepKnowledge().Published != 0 {
		t.Error("live a minute early")
	}
	r.clock.Set(time.Date(2026, 3, 5, 0, 30, 0, 0, time.UTC))
	if r.sweepKnowledge().Published != 1 {
		t.Error("not live at its minute")
	}
	r.signIn("operator").get(path).wants(t, http.StatusOK, "published", "Not after")
}

func TestVersionsAreComparedAndRestored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	page := e.post("/console/knowledge/new", articleForm(nil))
	path, id := page.path, articleID(page)
	publish := func() {
		t.Helper()
		e.post(path+"/do/submit", r.ref(id)).wants(t, http.StatusOK)
		reviewer.post(path+"/do/publish", r.ref(id)).wants(t, http.StatusOK, "published")
	}
	edit := func(text, audience string) {
		t.Helper()
		e.post(path+"/edit", articleForm(func(f url.Values) {
			for k, v := range r.ref(id) {
				f[k] = v
			}
			f.Set("body", text)
			f.Set("audience", audience)
		})).wants(t, http.StatusOK, "draft")
	}
	publish()
	edit("Not after **21:00**.", "staff")
	reviewer.get(path).wants(t, http.StatusOK, "<del>Audience: <mark>everybody</mark></del>", "<ins>Audience: <mark>staff only</mark></ins>")
	publish()
	edit("Not after **20:00**.", "staff")
	// The draft is compared with what is served, and with any other version that somebody names.
	e.get(path).wants(t, http.StatusOK, "Changes from version 2 to 3", "<mark>21</mark>")
	e.get(path+"/versions/3?against=1").wants(t, http.StatusOK, "Changes from version 1 to 3", "<mark>22</mark>")

	e.get(path+"/versions/3").lacks(t, "Restore this version")
	e.get(path+"/versions/1").wants(t, http.StatusOK, "Restore this version")
	e.post(path+"/do/restore", r.ref(id, "number", "1")).wants(t, http.StatusOK, "version 4", "draft", "This text began as version 1", "<strong>22:00</strong>")
	e.get(path+"/versions/3").wants(t, http.StatusOK, "superseded", "<strong>20:00</strong>")
	r.signIn("operator").get(path).wants(t, http.StatusOK, "<strong>21:00</strong>")
}

func TestAnAgencysEditorSeesOnlyWhatTheyMayDo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.agencyUser("editor-env", "dept-environment", auth.Editor)
	r.agencyUser("editor-util", "dept-utilities", auth.Editor, auth.Reviewer)
	mine, other := r.signIn("editor-env"), r.signIn("editor-util")
	page := mine.post("/console/knowledge/new", articleForm(nil))
	page.wants(t, http.StatusOK, "Environment department", "/edit")
	id := articleID(page)
	seen := other.get(page.path)
	seen.wants(t, http.StatusOK, "Noise at night")
	seen.lacks(t, page.path+"/edit", "Submit for review")
	other.post(page.path+"/do/submit", r.ref(id)).wants(t, http.StatusForbidden, "Only the owner agency")
	other.get(page.path+"/edit").wants(t, http.StatusForbidden)
	mine.post(page.path+"/do/submit", r.ref(id)).wants(t, http.StatusOK, "in review")
	other.post(page.path+"/do/publish", r.ref(id)).wants(t, http.StatusForbidden, "Only a reviewer")
}

func TestReviewersAuthorsAndReportersAreTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e, reviewer, operator := r.signIn("editor"), r.signIn("reviewer"), r.signIn("operator")
	page := e.post("/console/knowledge/new", articleForm(nil))
	id := articleID(page)
	path := "/console/knowledge/" + id.String()
	e.post(path+"/do/submit", r.ref(id)).wants(t, http.StatusOK, "in review")
	reviewer.get("/console/notifications").wants(t, http.StatusOK, "A text waits for your review")
	reviewer.post(path+"/do/refuse", r.ref(id, "text", "Which office?")).wants(t, http.StatusOK, "draft")
	e.get("/console/notifications").wants(t, http.StatusOK, "A text of yours was sent back")
	e.get(path+"/edit").wants(t, http.StatusOK, "Which office?")
	r.publish(e, reviewer, id)

	// Said to be wrong: the page says so first, offers no look at the portal and no "still right".
	operator.post(path+"/do/dispute", r.ref(id, "text", "It takes twelve days.")).wants(t, http.StatusOK)
	_, err := r.knowledge.LookAround(context.Background())
	must(t, err)
	got := reviewer.get(path)
	got.wants(t, http.StatusOK, "It takes twelve days.", "Nobody is told this article", "The article is right", "Disputed by staff").lacks(t, "On the portal", "still right")
	if strings.Index(got.body, "It takes twelve days.") > strings.Index(got.body, "Disputed by staff") {
		t.Error("what is said to be wrong stands below")
	}
	reviewer.post("/console/corrections/"+between(t, got.body, "/console/corrections/", `"`), url.Values{"article": {id.String()}, "accept": {"no"}}).wants(t, http.StatusOK, "On the portal")
	operator.get("/console/notifications").wants(t, http.StatusOK, "the article you reported")
}
