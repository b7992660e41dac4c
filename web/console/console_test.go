package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hotline/tickets"
)

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.visitor()
	page := b.get("/console/tickets/" + r.city.Users["operator"].String())
	page.wants(t, http.StatusOK, "E-mail address")
	if page.path != "/console/sign-in" {
		t.Errorf("a stranger is at %s", page.path)
	}
	page = b.post("/console/sign-in", url.Values{"email": {"operator@tiny.example"}, "password": {"wrong"}})
	page.wants(t, http.StatusUnauthorized, "operator@tiny.example", `role="alert"`)
	page = b.post("/console/sign-in", url.Values{"email": {"operator@tiny.example"}, "password": {password}, "next": {"//evil.example/"}})
	page.wants(t, http.StatusOK, "Inbox", "operator")
	if got := page.header.Get("Content-Security-Policy"); !strings.Contains(got, "script-src 'self'") || strings.Contains(got, "unsafe") {
		t.Errorf("policy %q", got)
	}
	b.post("/console/sign-out", nil).wants(t, http.StatusOK, "You are signed out")
	if at := b.get("/console/inbox").path; at != "/console/sign-in" {
		t.Errorf("after signing out: %s", at)
	}
}

func TestManyWrongPasswordsAreSlowedDownInWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.visitor()
	for range 12 {
		page := b.post("/console/sign-in", url.Values{"email": {"operator@tiny.example"}, "password": {"guess"}})
		if page.status == http.StatusTooManyRequests {
			page.wants(t, http.StatusTooManyRequests, `role="alert"`)
			return
		}
	}
	t.Fatal("twelve guesses were not slowed down")
}

func TestForeignOriginIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("operator")
	b.post("/console/sign-out", nil, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").wants(t, http.StatusForbidden)
	b.get("/console/inbox").wants(t, http.StatusOK, "Open")
}

func TestEachRoleSeesOnlyWhatItMay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	secret := r.file("report", "A secret report", "An official takes money", "environment.noise")
	if k.Lead != r.city.Agencies["dept-environment"] {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	for _, c := range []struct {
		user, path string
		status     int
	}{
		{"handler-env", "/console/tickets/" + k.ID.String(), http.StatusOK},
		{"handler-util", "/console/tickets/" + k.ID.String(), http.StatusNotFound},
		{"operator", "/console/tickets/" + secret.ID.String(), http.StatusNotFound},
		{"dispatcher", "/console/tickets/" + secret.ID.String(), http.StatusOK},
		{"editor", "/console/inbox", http.StatusForbidden},
		{"editor", "/console/knowledge", http.StatusOK},
		{"handler-env", "/console/desk", http.StatusForbidden},
		{"dispatcher", "/console/desk", http.StatusOK},
		{"handler-env", "/console/chats", http.StatusForbidden},
		{"operator", "/console/chats", http.StatusOK},
		{"supervisor", "/console/admin/users", http.StatusForbidden},
		{"administrator", "/console/admin/users", http.StatusOK},
		{"administrator", "/console/admin/agencies", http.StatusOK},
		{"administrator", "/console/admin/keys", http.StatusOK},
		{"head-env", "/console/inbox?view=my", http.StatusOK},
		{"operator", "/console/knowledge/new", http.StatusForbidden},
		{"operator", "/console/nothing-here", http.StatusNotFound},
		{"operator", "/console/tickets/not-an-id", http.StatusNotFound},
	} {
		if page := r.signIn(c.user).get(c.path); page.status != c.status {
			t.Errorf("%s at %s: %d, want %d\n%s", c.user, c.path, page.status, c.status, excerpt(page.body))
		}
	}
	r.signIn("operator").get("/console/nothing-here").wants(t, http.StatusNotFound, "Back to work")
}
