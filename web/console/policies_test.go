package console_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"hotline/tickets"
	"hotline/tickets/sla"
)

// newRules publishes one version of the tiny city's policies and leaves a draft of the next.
func (r *rig) newRules() {
	r.t.Helper()
	ctx, admin := context.Background(), r.as("administrator")
	save := func(span sla.Span) {
		now, err := r.tickets.Setting(ctx, admin, tickets.SettingPolicies, "tiny")
		must(r.t, err)
		set, err := now.Set()
		must(r.t, err)
		for i := range set.Policies {
			if set.Policies[i].Code == "default" {
				set.Policies[i].Clocks[sla.Sign] = span
				set.Policies[i].Clocks[sla.FirstReply] = span
			}
		}
		body, err := json.Marshal(set)
		must(r.t, err)
		must(r.t, r.tickets.SaveDraft(ctx, admin, tickets.SettingPolicies, "tiny", body, now.DraftEdit))
	}
	save(sla.Span{N: 6, Unit: sla.HoursUnit})
	_, err := r.tickets.Publish(ctx, admin, tickets.SettingPolicies, "tiny", 1, "Shorter, as the mayor asked")
	must(r.t, err)
	r.clock.Advance(tickets.RecomputeDelay)
	for done := false; !done; {
		_, done, err = r.tickets.Recompute(ctx, 100)
		must(r.t, err)
	}
	save(sla.Span{N: 2, Unit: sla.WorkingDays})
}

var hidden = regexp.MustCompile(`name="edit" value="(\d+)"`)

// edit is the number that the forms of a page send back.
func edit(t *testing.T, a answer) string {
	t.Helper()
	m := hidden.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no form on %s", a.path)
	}
	return m[1]
}

func TestAdministratorChangesAPolicyAndSeesWhatMoves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Noise", "Drilling every night.", "environment.noise")
	if k.State == tickets.PendingDispatch {
		r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	b := r.signIn("administrator")
	b.get("/console/admin/policies").wants(t, http.StatusOK, "tiny", "the hotline itself", "as shipped", "Asia/Shanghai", "us-ny")
	page := b.get("/console/admin/policies/tiny")
	page.wants(t, http.StatusOK, "Signing", "1 working day", "24 hours", "Every agency without policies of its own.")
	form := b.get("/console/admin/policies/tiny/edit?policy=complaint")
	form.wants(t, http.StatusOK, `value="5"`, "30 minutes", "1 working day")
	values := url.Values{"edit": {edit(t, form)}, "was": {"complaint"}, "policy": {"complaint"}, "kind": {"complaint"}, "n_resolve": {"8"}, "unit_resolve": {"working_days"},
		"n_sign": {"0"}, "unit_sign": {"hours"}}
	b.post("/console/admin/policies/tiny/edit", values).wants(t, http.StatusBadRequest, "enter a whole number above 0", `value="8"`)
	values.Set("n_sign", "")
	saved := b.post("/console/admin/policies/tiny/edit", values)
	saved.wants(t, http.StatusOK, "Saved in the draft", "8 working days", "Not in force yet")
	// The same form once more, from another window: it was changed meanwhile.
	b.post("/console/admin/policies/tiny/edit", values).wants(t, http.StatusConflict, "Someone else changed this")
	preview := b.get("/console/admin/policies/tiny/publish")
	preview.wants(t, http.StatusOK, "What would change", "open clocks were looked at, all there are", k.Number, "Resolution", "5 days later")
	before := *r.ticket(k.ID).PromisedAt
	b.post("/console/admin/policies/tiny/publish", url.Values{"edit": {edit(t, preview)}, "note": {"More time for complaints"}}).
		wants(t, http.StatusOK, "starts in a moment", "Policies of tiny")
	r.clock.Advance(tickets.RecomputeDelay)
	for done := false; !done; {
		var err error
		_, done, err = r.tickets.Recompute(context.Background(), 100)
		must(t, err)
	}
	if got := r.ticket(k.ID).PromisedAt; !got.After(before) {
		t.Errorf("promised %s, then %s", before, got)
	}
	b.get("/console/admin/recomputation").wants(t, http.StatusOK, "done", "1 later")
	b.get("/console/admin/policies/tiny/versions?v=1").wants(t, http.StatusOK, "More time for complaints", "administrator", "in force", "as shipped", "<ins>")
	restored := b.post("/console/admin/policies/tiny/restore", url.Values{"edit": {"0"}, "version": {"0"}})
	restored.wants(t, http.StatusOK, "What would change", "<del>")
	b.post("/console/admin/policies/tiny/discard", nil).wants(t, http.StatusOK, "The draft is gone")
	for _, user := range []string{"supervisor", "editor"} {
		r.signIn(user).get("/console/admin/policies/tiny").wants(t, http.StatusForbidden)
	}
}

func TestAdministratorPublishesTheNextYear(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	at := "/console/admin/calendars/cn"
	page := b.get(at)
	page.wants(t, http.StatusOK, "春节", "2026-02-15", "248 working days", "09:00-12:00, 13:30-17:30")
	b.post(at+"/year", url.Values{"edit": {edit(t, page)}, "year": {"2027"}}).wants(t, http.StatusOK, "261 working days", `value="2027-01-01"`)
	page = b.get(at + "?year=2027")
	page.wants(t, http.StatusOK, `aria-current="page">2027`)
	b.post(at+"/days", url.Values{"edit": {edit(t, page)}, "year": {"2027"}, "from": {"2027-01-01"}, "to": {"2027-01-03"}, "kind": {"holiday"}, "name": {"元旦"}}).
		wants(t, http.StatusOK, "260 working days", "1 January 2027, holiday, 元旦")
	page = b.get(at + "?year=2027")
	// A day of the grid, pressed, and pressed again.
	b.post(at+"/days", url.Values{"edit": {edit(t, page)}, "year": {"2027"}, "day": {"2027-01-09"}, "kind": {"make_up"}}).wants(t, http.StatusOK, "261 working days", "make-up working day")
	page = b.get(at + "?year=2027")
	page = b.post(at+"/days", url.Values{"edit": {edit(t, page)}, "year": {"2027"}, "day": {"2027-01-09"}, "kind": {"make_up"}})
	page.wants(t, http.StatusOK, "260 working days")
	b.post(at+"/days", url.Values{"edit": {edit(t, page)}, "year": {"2027"}, "from": {"2027-02-30"}, "kind": {"holiday"}}).wants(t, http.StatusBadRequest, `value="2027-02-30"`)
	b.post(at, url.Values{"edit": {edit(t, page)}, "name": {"China"}, "zone": {"Mars/Base"}, "hours_mon": {"9-5"}}).wants(t, http.StatusBadRequest, "Monday", "9-5")
	b.post(at, url.Values{"edit": {edit(t, page)}, "name": {"China"}, "zone": {"Mars/Base"}, "hours_mon": {"09:00-17:00"}}).wants(t, http.StatusBadRequest, "There is no time zone")
	preview := b.get(at + "/publish")
	preview.wants(t, http.StatusOK, "元旦", "What would change")
	b.post(at+"/publish", url.Values{"edit": {edit(t, preview)}}).wants(t, http.StatusOK, "2027")
	if got := r.tickets.Settings().Calendar.LastPublishedYear(); got != 2027 {
		t.Errorf("published until %d", got)
	}
	export := b.get(at + "/export.json")
	if export.status != http.StatusOK || !strings.Contains(export.header.Get("Content-Disposition"), "calendar-cn.json") {
		t.Errorf("%d %v", export.status, export.header)
	}
	doc, err := sla.ParseCalendarDoc([]byte(export.body))
	must(t, err)
	doc.AddYear(0, "pasted")
	body, err := json.Marshal(doc)
	must(t, err)
	b.post(at+"/import", url.Values{"edit": {"0"}, "json": {string(body)}}).wants(t, http.StatusOK, "What would change", "pasted")
	b.post(at+"/import", url.Values{"edit": {"1"}, "json": {"{"}}).wants(t, http.StatusBadRequest, "The file cannot be read")
}

func TestAnotherJurisdictionGetsItsAgencies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	b.post("/console/admin/policies", url.Values{"kind": {"policies"}, "code": {"East District"}, "from": {"tiny"}}).wants(t, http.StatusBadRequest, "East District")
	page := b.post("/console/admin/policies", url.Values{"kind": {"policies"}, "code": {"east"}, "from": {"tiny"}})
	page.wants(t, http.StatusOK, "Policies of east", "Not in force yet")
	set := url.Values{"edit": {edit(t, page)}, "calendar": {"sg"}, "warn": {"30"}, "dispatches": {"3"}, "extensions": {"1"}, "extension_percent": {"50"}, "revisit_tries": {"3"}, "revisit_gap_hours": {"5"}, "rectify_days": {"9"},
		"on_notice": {"1"}, "anchor_notice": {"due"}}
	b.post("/console/admin/policies/east", set).wants(t, http.StatusOK, "Saved in the draft", `value="30"`, `name="revisit_gap_hours" value="5"`, `name="rectify_days" value="9"`)
	preview := b.get("/console/admin/policies/east/publish")
	b.post("/console/admin/policies/east/publish", url.Values{"edit": {edit(t, preview)}}).wants(t, http.StatusOK, "east")
	b.post("/console/admin/policies/east/agencies", url.Values{"agency": {r.city.Agencies["dist-east"].String()}}).wants(t, http.StatusOK, "East district", "Remove")
	for deadline := time.Now().Add(10 * time.Second); ; {
		a, _ := r.routing.Snapshot().AgencyByCode("street-east-1")
		if r.routing.Snapshot().JurisdictionOf(a) == "east" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the street office does not work by the district's rules")
		}
	}
	b.post("/console/admin/policies/east/agencies", url.Values{"agency": {r.city.Agencies["dist-east"].String()}, "remove": {"1"}}).wants(t, http.StatusOK, "Agencies that work by these policies")
	if a, _ := r.routing.Snapshot().AgencyByCode("dist-east"); a.Jurisdiction != "" {
		t.Errorf("still %q", a.Jurisdiction)
	}
}
