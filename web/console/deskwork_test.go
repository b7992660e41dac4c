package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"testing"

	"hotline/internal/auth"
	"hotline/tickets"
)

func TestANoticeToARoleIsReadByEachPersonApart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, err := r.auth.Create(t.Context(), mustBe(r.auth.ByID(t.Context(), r.city.Users["administrator"])), auth.NewUser{Email: "second@tiny.example", Name: "Second", AgencyID: r.city.Agencies["dept-utilities"], Roles: []auth.Role{"handler"}, Password: password}); err != nil {
		t.Fatal(err)
	}
	r.apply("dispatcher", r.noRoute(), tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-utilities"]})
	one, two := r.signIn("handler-util"), r.signIn("second")
	const unread = `<span class="visually-hidden">unread</span>`
	one.get("/console/notifications").wants(t, http.StatusOK, unread)
	one.post("/console/notifications/read", nil).lacks(t, unread)
	two.get("/console/notifications").wants(t, http.StatusOK, unread)
	two.get("/console/inbox").wants(t, http.StatusOK, `<span id="bell-count"><span class="count warm">1</span>`)
	page := two.get("/console/notifications")
	two.get(regexp.MustCompile(`/console/notifications/[0-9a-f-]{36}`).FindString(page.body)).wants(t, http.StatusOK)
	two.get("/console/inbox").lacks(t, `<span id="bell-count"><span class="count warm">`)
}

func TestCasesThatLackDetailsAreMarkedAndFiltered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.tickets.SaveField(t.Context(), r.as("administrator"), tickets.CustomField{Category: "environment.noise", Code: "since", Names: map[string]string{"en": "Since when"}, Type: tickets.FieldDate, Asked: true, Intake: true, Active: true})
	must(t, err)
	r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	r.file("complaint", "Bins", "The bins are overflowing", "environment.waste")
	b := r.signIn("operator")
	b.get("/console/inbox?view=all").wants(t, http.StatusOK, `<span class="badge warn">Details needed at intake are missing</span>`, "Bins")
	found := b.get("/console/inbox?view=all&lacking=yes")
	found.wants(t, http.StatusOK, "Drilling at night", `name="lacking" value="yes" checked`, `<span class="clip">Details needed at intake are missing</span>`)
	found.lacks(t, ">Bins<")
	saved := b.post("/console/filters", url.Values{"view": {"all"}, "lacking": {"yes"}, "name": {"To ask for"}})
	saved.wants(t, http.StatusOK, "To ask for", "Drilling at night")
	saved.lacks(t, ">Bins<")
}

func TestWhoMadeAPageStaleIsNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.apply("handler-util", r.apply("dispatcher", r.noRoute(), tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-utilities"]}), tickets.Sign, tickets.Fields{})
	k = r.apply("handler-util", k, tickets.AskCitizen, tickets.Fields{Text: "Since when?"})
	if _, err := r.tickets.Apply(t.Context(), tickets.System(), k.ID, tickets.AnyVersion, tickets.Resume, tickets.Fields{}, ""); err != nil {
		t.Fatal(err)
	}
	b := r.signIn("handler-util")
	form := url.Values{"version": {strconv.Itoa(k.Version)}, "key": {"k1"}}
	stale := b.post("/console/tickets/"+k.ID.String()+"/do/resume", form)
	stale.wants(t, http.StatusConflict, "The program")
	stale.lacks(t, "Somebody")
}

func TestAShortReasonForAFlagIsAskedForInWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	b := r.signIn("supervisor")
	day := r.clock.Now().AddDate(0, 0, 9).Format("2006-01-02")
	b.post("/console/tickets/"+k.ID.String()+"/flag", url.Values{"type": {"repeat"}, "reason": {"often"}, "review": {day}, "expires": {day}}).wants(t, http.StatusBadRequest, "at least 10 characters", ">often</textarea>")
}
