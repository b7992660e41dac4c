package console_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"hotline/tickets"
	"hotline/web/webtest"
)

func TestHowAPersonLikesListsIsWithThemEverywhere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.noRoute()
	b := r.signIn("dispatcher")
	b.get("/console/inbox?view=open").lacks(t, `class="app compact"`)
	page := b.post("/console/density", url.Values{"next": {"/console/inbox?view=open"}})
	page.wants(t, http.StatusOK, `class="app compact"`, "Roomy lists")
	if page.path != "/console/inbox" {
		t.Errorf("came back to %s", page.path)
	}
	b.get("/console/knowledge").wants(t, http.StatusOK, `class="app compact"`)
	r.signIn("dispatcher").get("/console/inbox").wants(t, http.StatusOK, `class="app compact"`)
	r.signIn("supervisor").get("/console/inbox").lacks(t, `class="app compact"`)

	// Columns, by a form.
	list := b.get("/console/inbox?view=open")
	list.wants(t, http.StatusOK, k.Number, `name="show" value="number" checked`, `name="show" value="place" >`)
	list.lacks(t, "Telephone", "Portal")
	chosen := b.post("/console/display", url.Values{"next": {"/console/inbox?view=open"}, "show": {"channel", "state"}, "density": {"roomy"}})
	chosen.wants(t, http.StatusOK, "Portal", `name="show" value="channel" checked`, `name="show" value="number" >`)
	chosen.lacks(t, `class="app compact"`, `<span class="num">`+k.Number)
	r.signIn("dispatcher").get("/console/inbox?view=open").wants(t, http.StatusOK, "Portal")
	r.signIn("supervisor").get("/console/inbox?view=open").wants(t, http.StatusOK, k.Number)
	if page := b.post("/console/density", url.Values{"next": {"//evil.example/"}}); page.path != "/console/inbox" {
		t.Errorf("went to %s", page.path)
	}
}

// TestUndoAndDrafts: taking a ticket is taken back with one key, and an article half written outlives a session that ended.
func TestUndoAndDrafts(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	k := r.noRoute()
	k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	tab := r.enter(t, b, webtest.Desktop, "handler-env", "/console/tickets/"+k.ID.String()+"?view=open")
	tab.WaitJS(t, `document.getElementById("live-state").dataset.state === "on" && document.getElementById("actions") !== null`)
	tab.Run(t, press("a"), chromedp.WaitVisible(".toast button"))
	if got := r.ticket(k.ID).Assignee; got != r.city.Users["handler-env"] {
		t.Fatalf("taken by %s", got)
	}
	tab.Screenshot(t, "undo")
	tab.Run(t, press("z"))
	tab.WaitJS(t, `document.querySelector('#actions button[data-key="a"]') !== null`)
	if got := r.ticket(k.ID).Assignee; got != uuid.Nil {
		t.Errorf("after undo it is %s's", got)
	}

	e := r.enter(t, b, webtest.Desktop, "editor", "/console/knowledge/new")
	e.Run(t, chromedp.SendKeys("#e-title", "Quiet hours"), chromedp.SendKeys("#e-body", "Not after **22:00**."))
	e.WaitJS(t, `document.querySelector("#preview strong")?.textContent === "22:00" && Object.keys(sessionStorage).some(k => sessionStorage[k].includes("22:00"))`)
	admin, err := r.auth.ByID(t.Context(), r.city.Users["administrator"])
	must(t, err)
	must(t, r.auth.SetPassword(t.Context(), admin, r.city.Users["editor"], password+"!")) // ends the session
	e.Run(t, chromedp.Evaluate(`document.getElementById("editor").requestSubmit()`, nil), chromedp.WaitReady("body.bare"))
	e.Run(t, chromedp.Navigate(r.server.URL+"/console/sign-in?next=/console/knowledge/new"), chromedp.SendKeys("#email", "editor@tiny.example"),
		chromedp.SendKeys("#password", password+"!\r"), chromedp.WaitVisible("#restored"))
	if got := webtest.Eval[string](t, e, `document.getElementById("e-body").value`); got != "Not after **22:00**." {
		t.Errorf("restored: %q", got)
	}
	e.Axe(t, "restored")
	e.Run(t, chromedp.Evaluate(`document.getElementById("editor").requestSubmit()`, nil), chromedp.WaitReady(".prose"))
	e.WaitJS(t, `!Object.keys(sessionStorage).some(k => sessionStorage[k].includes("22:00"))`)
	e.Run(t, chromedp.Navigate(r.server.URL+"/console/knowledge/new"), chromedp.WaitReady("#editor"))
	if got := webtest.Eval[string](t, e, `document.getElementById("e-body").value`); got != "" {
		t.Errorf("a new article begins with %q", got)
	}
}
