package console_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/auth"
)

// published writes an article by forms and publishes it.
func (r *rig) published(e, reviewer *browser, edit func(url.Values)) (string, uuid.UUID) {
	r.t.Helper()
	page := e.post("/console/knowledge/new", articleForm(edit))
	page.wants(r.t, http.StatusOK, "draft")
	id := articleID(page)
	r.publish(e, reviewer, id)
	return page.path, id
}

// What only staff may read is not on the portal, so nothing leads there.
func TestAnArticleForStaffHasNoLinkToThePortal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	editor, reviewer := r.signIn("editor"), r.signIn("reviewer")
	for audience, linked := range map[string]bool{"public": true, "staff": false} {
		path, _ := r.published(editor, reviewer, func(f url.Values) { f.Set("audience", audience); f.Set("slug", "for-"+audience) })
		if got := editor.get(path); strings.Contains(got.body, `href="/a/`) != linked {
			t.Errorf("%s: status %d, linked to the portal: %t", audience, got.status, !linked)
		}
	}
}

func (r *rig) publish(e, reviewer *browser, id uuid.UUID) {
	r.t.Helper()
	path := "/console/knowledge/" + id.String()
	e.post(path+"/do/submit", r.ref(id)).wants(r.t, http.StatusOK, "in review")
	reviewer.post(path+"/do/publish", r.ref(id)).wants(r.t, http.StatusOK, "published")
}

// rewrite saves the latest version's form with changes.
func (r *rig) rewrite(e *browser, id uuid.UUID, edit func(url.Values)) answer {
	r.t.Helper()
	return e.post("/console/knowledge/"+id.String()+"/edit", articleForm(func(f url.Values) {
		for k, v := range r.ref(id) {
			f[k] = v
		}
		a, err := r.knowledge.Article(context.Background(), id)
		must(r.t, err)
		if a.Owner != uuid.Nil {
			f.Set("owner", a.Owner.String())
		}
		edit(f)
	}))
}

func TestTheBoardShowsWhatWaitsForWhom(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	r.agencyUser("editor-env", "dept-environment", auth.Editor, auth.Reviewer)
	e, reviewer, env := r.signIn("editor"), r.signIn("reviewer"), r.signIn("editor-env")
	forever := func(f url.Values) { f.Set("valid_to", "") }
	path, id := r.published(e, reviewer, func(f url.Values) { forever(f); f.Set("owner", r.city.Agencies["dept-environment"].String()) })
	other := e.post("/console/knowledge/new", articleForm(func(f url.Values) { forever(f); f.Set("title", "Waiting text") }))
	e.post(other.path+"/do/submit", r.ref(articleID(other))).wants(t, http.StatusOK)

	board := reviewer.get("/console/knowledge/board")
	board.wants(t, http.StatusOK, "Reviews waiting", "Waiting text")
	env.get("/console/knowledge/board").lacks(t, "Waiting text")

	// A correction runs against a clock, on the page, on the board and in the notices.
	r.signIn("operator").post(path+"/do/dispute", r.ref(id, "text", "It is 21:00 now.")).wants(t, http.StatusOK)
	env.get(path).wants(t, http.StatusOK, "It is 21:00 now.", "light-green")
	env.get("/console/knowledge/board?show=corrections").wants(t, http.StatusOK, "Noise at night", "It is 21:00 now.")
	notices := env.get("/console/notifications")
	notices.wants(t, http.StatusOK, "Somebody says that an article is wrong", "Noise at night")
	env.get(regexp.MustCompile(`/console/notifications/[0-9a-f-]{36}`).FindString(notices.body)).wants(t, http.StatusOK, "It is 21:00 now.")
	r.clock.Advance(6 * 24 * time.Hour)
	r.sweepKnowledge()
	env.get("/console/knowledge/board?show=corrections").wants(t, http.StatusOK, "light-red", "1 late")
	env.get("/console/notifications").wants(t, http.StatusOK, "A correction is late")
	r.signIn("head-env").get("/console/notifications").lacks(t, "badly late")
	r.clock.Advance(3 * 24 * time.Hour)
	r.sweepKnowledge()
	r.signIn("head-env").get("/console/notifications").wants(t, http.StatusOK, "badly late", "Noise at night")
	r.rewrite(env, id, func(f url.Values) { forever(f); f.Set("summary", "Not after 21:00.") }).wants(t, http.StatusOK, "draft")
	r.publish(env, reviewer, id)
	env.get("/console/knowledge/board?show=corrections").wants(t, http.StatusOK, "Nobody says that an article is wrong").lacks(t, "1 late")

	// A year later somebody has to look.
	r.clock.Advance(366 * 24 * time.Hour)
	if n, err := r.knowledge.LookAround(ctx); err != nil || n != 1 {
		t.Fatalf("%d new, %v", n, err)
	}
	env.get("/console/knowledge/board?show=stale").wants(t, http.StatusOK, "Noise at night", "Not looked at for too long")
	env.get("/console/notifications").wants(t, http.StatusOK, "An article needs a look: Not looked at for too long")
	env.get(path).wants(t, http.StatusOK, "I have looked: still right")
	env.post(path+"/do/confirm", r.ref(id)).wants(t, http.StatusOK, "confirmed").lacks(t, "I have looked")
	env.get("/console/knowledge/board?show=stale").wants(t, http.StatusOK, "Every published article is fresh")
}

func TestATranslationIsMadeBesideItsOriginalAndFlagged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	path, id := r.published(e, reviewer, nil)
	e.get(path).wants(t, http.StatusOK, "Begin a translation", "Chinese")
	made := e.post(path+"/translate", url.Values{"lang_of": {"zh-CN"}})
	made.wants(t, http.StatusOK, "Original", "No building work after 22:00.", "This text says what version 1 of the original says")
	zh := articleID(made)
	e.post(path+"/translate", url.Values{"lang_of": {"zh-CN"}}).wants(t, http.StatusConflict, "There is a translation into this language already")
	r.rewrite(e, zh, func(f url.Values) {
		f.Set("title", "夜间噪音")
		f.Set("summary", "22点后不得施工。")
		f.Set("follows", "1")
	}).wants(t, http.StatusOK, "夜间噪音", "of version 1")
	r.publish(e, reviewer, zh)
	e.get(path).wants(t, http.StatusOK, "/console/knowledge/"+zh.String()).lacks(t, "badge warn")

	r.rewrite(e, id, func(f url.Values) { f.Set("summary", "No building work after 21:00.") }).wants(t, http.StatusOK)
	r.publish(e, reviewer, id)
	e.get("/console/knowledge/"+zh.String()).wants(t, http.StatusOK, "The original changed (version 1 to 2)", "<mark>21</mark>", "Still right as it is")
	if _, err := r.knowledge.LookAround(context.Background()); err != nil {
		t.Fatal(err)
	}
	e.get("/console/knowledge/board?show=translations").wants(t, http.StatusOK, "夜间噪音", "The original has moved on")
	e.post("/console/knowledge/"+zh.String()+"/do/right", r.ref(zh, "original", "2")).wants(t, http.StatusOK, "of version 2").lacks(t, "The original changed")
	e.get("/console/knowledge/board?show=translations").wants(t, http.StatusOK, "Every translation says")

	r.rewrite(e, id, func(f url.Values) { f.Set("summary", "No building work after 20:00.") }).wants(t, http.StatusOK)
	r.publish(e, reviewer, id)
	r.rewrite(e, zh, func(f url.Values) {
		f.Set("title", "夜间噪音")
		f.Set("summary", "20点后不得施工。")
		f.Set("follows", "3")
	}).wants(t, http.StatusOK, "of version 2", "version 2")
	r.publish(e, reviewer, zh)
	e.get("/console/knowledge/"+zh.String()).wants(t, http.StatusOK, "of version 3").lacks(t, "The original changed")
}

func TestTheRulesOfKnowledgeAreChangedByAdministrators(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("administrator")
	page := admin.get("/console/knowledge/rules")
	page.wants(t, http.StatusOK, `name="correction_days" min="1" max="60" value="5"`, `value="12"`)
	form := func(days string) url.Values {
		return url.Values{"version": {"1"}, "review_months": {"6"}, "expiring_days": {"30"}, "negative_share": {"40"}, "negative_least": {"5"}, "correction_days": {days}, "remind_share": {"25"}, "escalate_days": {"2"}}
	}
	admin.post("/console/knowledge/rules", form("0")).wants(t, http.StatusBadRequest, "Write a number from 1 to 60", `id="k-correction_days" aria-invalid="true"`)
	admin.post("/console/knowledge/rules", form("3")).wants(t, http.StatusOK, "Saved.", `value="6"`)
	admin.post("/console/knowledge/rules", form("4")).wants(t, http.StatusConflict, "Someone else changed the rules")
	r.signIn("editor").get("/console/knowledge/rules").wants(t, http.StatusForbidden)
	n, err := r.knowledge.Settings(context.Background())
	must(t, err)
	if n.CorrectionDays != 3 || n.ReviewMonths != 6 {
		t.Errorf("%+v", n)
	}
}

func TestServiceItemsAreLinkedInTheEditor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.signIn("editor")
	page := e.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set("service_new", "T-ENV-001 Noise permit") }))
	page.wants(t, http.StatusOK)
	id := articleID(page)
	services := func() string {
		t.Helper()
		a, err := r.knowledge.Article(context.Background(), id)
		must(t, err)
		return strings.Join(a.Services, " ")
	}
	if services() != "T-ENV-001" {
		t.Errorf("linked %q", services())
	}
	e.get(page.path+"/edit").wants(t, http.StatusOK, `value="T-ENV-001" checked`, `<option value="T-UTL-001 Open a water account">`)
	r.rewrite(e, id, func(f url.Values) { f.Set("service_new", "NONE-1") }).wants(t, http.StatusBadRequest, "There is no service item NONE-1")
	r.rewrite(e, id, func(f url.Values) { f.Set("service_new", "T-UTL-001") }).wants(t, http.StatusOK)
	if services() != "T-UTL-001" {
		t.Errorf("linked %q", services())
	}
}
