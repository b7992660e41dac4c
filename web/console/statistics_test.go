package console_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"hotline/tickets"
)

// measure runs the follower until the numbers are up to date.
func (r *rig) measure() {
	r.t.Helper()
	for {
		f, err := r.deps.Statistics.Follow(context.Background())
		must(r.t, err)
		if !f.More {
			return
		}
	}
}

// late files a ticket that the environment department answers too late.
func (r *rig) late() tickets.Ticket {
	r.t.Helper()
	k := r.file("complaint", "Night drilling", "Drilling next to the school every night.", "environment.noise")
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	k = r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
	r.clock.Advance(20 * 24 * time.Hour)
	yes := true
	return r.apply("handler-env", k, tickets.Reply, tickets.Fields{Text: "The site has stopped.", Outcome: "resolved", Resolved: &yes})
}

func TestStatisticsFromTheNumberToItsTickets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.late()
	r.file("help", "No water", "No water since this morning in the whole house.", "utilities.water")
	r.measure()
	b := r.signIn("supervisor")
	page := b.get("/console/statistics?period=custom&from=2026-03-01&to=2026-03-31&by=category")
	page.wants(t, http.StatusOK, "Tickets opened", "Answered on time", "Environment", "Water supply", "left out", "Tickets answered before the resolution deadline", `<svg class="chart bars"`)
	// From "0 of 1" of the measure to exactly that ticket.
	link := regexp.MustCompile(`href="(/console/statistics/tickets\?[^"]*of=resolve_ok%2Cresolve_late[^"]*)"`).FindStringSubmatch(page.body)
	if link == nil {
		t.Fatalf("no way to the tickets behind the number\n%s", excerpt(page.body))
	}
	list := b.get(strings.ReplaceAll(link[1], "&amp;", "&"))
	list.wants(t, http.StatusOK, k.Number, "Night drilling", "Environment department")
	list.lacks(t, "No water")
	// Filters narrow, and their chips take them back.
	b.get("/console/statistics?period=custom&from=2026-03-01&to=2026-03-31&category=utilities.water&by=agency").wants(t, http.StatusOK, `class="chip"`, "Water supply")
	b.get("/console/statistics?period=custom&from=2020-03-01&to=2020-03-31").wants(t, http.StatusOK, "Nothing was counted")
	b.get("/console/statistics/tickets?of=nonsense").wants(t, http.StatusBadRequest)
	b.get("/console/statistics/tickets?of=tickets&after=x").wants(t, http.StatusBadRequest)
	for _, user := range []string{"operator", "handler-env", "editor"} {
		r.signIn(user).get("/console/statistics").wants(t, http.StatusForbidden)
	}
	// The head sees the own agency, and nothing of the water.
	head := r.signIn("head-env").get("/console/statistics?period=custom&from=2026-03-01&to=2026-03-31&by=category")
	head.wants(t, http.StatusOK, "Noise")
	if strings.Contains(excerpt2(head.body), "Water supply") {
		t.Error("the head of another agency sees the water")
	}
}

// excerpt2 is the breakdown's table alone: the filters list every category.
func excerpt2(body string) string {
	i := strings.Index(body, `class="stat-table"`)
	if i < 0 {
		return ""
	}
	j := strings.Index(body[i:], "</table>")
	return body[i : i+j]
}

func TestAnAppealFromTheListToItsDecision(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.late()
	r.measure()
	head := r.signIn("head-env")
	cards := head.get("/console/statistics/scorecards?period=custom&from=2026-03-01&to=2026-03-31")
	cards.wants(t, http.StatusOK, "Environment department", "against it", "How the score is made")
	list := head.get("/console/statistics/tickets?period=custom&from=2026-03-01&to=2026-03-31&of=resolve_late&title=resolve_on_time")
	list.wants(t, http.StatusOK, "/console/statistics/appeal/"+k.ID.String())
	form := head.get("/console/statistics/appeal/" + k.ID.String())
	form.wants(t, http.StatusOK, "answered late", "first word late")
	head.post("/console/statistics/appeal/"+k.ID.String(), url.Values{"failure": {"late_resolve"}, "reason": {""}}).wants(t, http.StatusBadRequest, "alert-danger", "answered late")
	head.post("/console/statistics/appeal/"+k.ID.String(), url.Values{"failure": {"late_resolve"}, "reason": {"The form came a week late."}}).wants(t, http.StatusOK, "The form came a week late.", "Waiting")
	boss := r.signIn("supervisor")
	page := boss.get("/console/statistics/appeals")
	page.wants(t, http.StatusOK, "The form came a week late.", "Environment department", "Uphold")
	action := regexp.MustCompile(`action="(/console/statistics/appeals/[^"]+)"`).FindStringSubmatch(page.body)
	boss.post(action[1], url.Values{"verdict": {"upheld"}, "text": {"Our own delay."}}).wants(t, http.StatusOK, "Our own delay.", "Upheld")
	boss.post(action[1], url.Values{"verdict": {"rejected"}, "text": {"again"}}).wants(t, http.StatusConflict)
	r.measure()
	boss.get("/console/statistics?period=custom&from=2026-03-01&to=2026-03-31").wants(t, http.StatusOK, "appeal or exclusion review upheld")
	boss.get("/console/tickets/"+k.ID.String()).wants(t, http.StatusOK, "upheld the appeal")
	r.signIn("handler-util").get("/console/statistics/appeal/"+k.ID.String()).wants(t, http.StatusForbidden)
}

func TestWeightsAreSetByAnAdministrator(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	b.get("/console/statistics/settings").wants(t, http.StatusOK, `name="rate_satisfaction" value="50"`)
	form := url.Values{"version": {"1"}, "rate_response": {"20"}, "rate_resolution": {"40"}, "rate_satisfaction": {"40"}, "card_sign_on_time": {"1"}, "satisfied_from": {"3"}, "small_cell": {"5"}}
	b.post("/console/statistics/settings", form).wants(t, http.StatusOK, "Saved.", `name="rate_satisfaction" value="40"`)
	b.post("/console/statistics/settings", form).wants(t, http.StatusConflict, "Somebody else changed")
	form.Set("version", "2")
	form.Set("rate_response", "a lot")
	b.post("/console/statistics/settings", form).wants(t, http.StatusBadRequest, "not possible")
	b.get("/console/statistics?period=year").wants(t, http.StatusOK)
	r.signIn("supervisor").get("/console/statistics/settings").wants(t, http.StatusForbidden)
}

func TestExports(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.late()
	r.measure()
	b := r.signIn("supervisor")
	got := b.get("/console/inbox/export.csv?view=all")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != k.Number || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") || !strings.HasPrefix(got.body, "\ufeff") {
		t.Errorf("%d rows, %v, %v", len(rows), err, got.header)
	}
	// No contact and no free text, unless somebody who may see them asks.
	for _, secret := range []string{"13800001234", "Zhang Wei", "Night drilling"} {
		if strings.Contains(got.body, secret) {
			t.Errorf("the export says %q", secret)
		}
	}
	if with := b.get("/console/inbox/export.csv?view=all&contacts=1"); !strings.Contains(with.body, "13800001234") {
		t.Error("no contact for a supervisor who asks")
	}
	if with := r.signIn("dispatcher").get("/console/inbox/export.csv?view=all&contacts=1"); strings.Contains(with.body, "13800001234") {
		t.Error("contacts for a dispatcher")
	}
	secret := r.file("report", "Bribes at the market", "The inspector asked for money twice.", "environment.waste")
	if with := b.get("/console/inbox/export.csv?view=all&contacts=1"); !strings.Contains(with.body, secret.Number) || strings.Contains(with.body, "Bribes") {
		t.Error("a confidential ticket is missing, or its title goes out with it")
	}
	r.signIn("handler-env").get("/console/inbox/export.csv").wants(t, http.StatusForbidden)
	b.get("/console/inbox/export.pdf?view=all").wants(t, http.StatusNotFound)
	b.get("/console/inbox/export.csv?view=nonsense").wants(t, http.StatusBadRequest)
	for _, path := range []string{"/console/inbox/export.xlsx?view=all", "/console/statistics/export.xlsx?period=year", "/console/statistics/scorecards.xlsx?period=year", "/console/statistics/tickets.xlsx?period=year&of=tickets"} {
		got := b.get(path)
		if _, err := zip.NewReader(bytes.NewReader([]byte(got.body)), int64(len(got.body))); err != nil || got.status != http.StatusOK {
			t.Errorf("%s: %d %v", path, got.status, err)
		}
	}
	if list := b.get("/console/statistics/tickets.csv?period=custom&from=2026-03-01&to=2026-03-31&of=resolve_late"); !strings.Contains(list.body, k.Number) {
		t.Errorf("the list behind a number, as a file: %s", list.body)
	}
	if strings.Contains(r.log.String(), "13800001234") {
		t.Error("the log holds a telephone number")
	}
}
