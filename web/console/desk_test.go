package console_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/tickets"
)

func TestAFailedDispatchKeepsTheCaseAndTheChoice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, second := r.noRoute(), r.noRoute()
	b := r.signIn("dispatcher")
	other := r.city.Agencies["dept-utilities"].String()
	// The second case, after the first was skipped, on a version that has passed.
	skip := regexp.MustCompile(`/console/desk\?after=[^"&]+`).FindString(b.get("/console/desk").body)
	b.get(skip).wants(t, http.StatusOK, second.Number)
	after := strings.TrimPrefix(skip, "/console/desk?after=")
	page := b.post("/console/desk/"+second.ID.String(), url.Values{"version": {strconv.Itoa(second.Version + 5)}, "other": {other}, "after": {after}})
	page.wants(t, http.StatusConflict, second.Number, `value="`+other+`" selected`, `name="version" value="`+strconv.Itoa(second.Version)+`"`)
	page.lacks(t, first.Number)
	// Sent again it is dispatched, and what was skipped comes back only when nothing else is left.
	b.post("/console/desk/"+second.ID.String(), url.Values{"version": {strconv.Itoa(second.Version)}, "other": {other}, "after": {after}}).wants(t, http.StatusOK, first.Number)

	// A colleague was faster: the next case comes, with words about the one that is gone.
	third := r.noRoute()
	r.apply("dispatcher", first, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	b.post("/console/desk/"+first.ID.String(), url.Values{"version": {strconv.Itoa(first.Version)}, "other": {other}}).
		wants(t, http.StatusConflict, first.Number+" is no longer waiting: it is “to be signed", third.Number)
}

func TestSkippedCasesStaySkippedUntilTheOthersAreDone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, second, third := r.noRoute(), r.noRoute(), r.noRoute()
	b := r.signIn("dispatcher")
	link := regexp.MustCompile(`/console/desk(\?after=[^"&]+)?" data-key="x"`)
	skip := func(page answer) string { return strings.TrimSuffix(link.FindString(page.body), `" data-key="x"`) }
	page := b.get("/console/desk")
	page.wants(t, http.StatusOK, first.Number)
	page = b.get(skip(page))
	page.wants(t, http.StatusOK, second.Number)
	after := regexp.MustCompile(`name="after" value="([^"]+)"`).FindStringSubmatch(page.body)
	if after == nil {
		t.Fatal("the form forgets what was skipped")
	}
	page = b.post("/console/desk/"+second.ID.String(), url.Values{"version": {strconv.Itoa(second.Version)}, "lead": {r.city.Agencies["dept-utilities"].String()}, "after": {after[1]}})
	page.wants(t, http.StatusOK, third.Number)
	page = b.get(skip(page))
	page.wants(t, http.StatusOK, first.Number)
	b.get("/console/desk?after=nonsense").wants(t, http.StatusOK, first.Number)
}

func TestWhatWasWrittenForAMoveThatIsGoneIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.noRoute()
	k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	b := r.signIn("handler-env")
	r.apply("dispatcher", k, tickets.Recall, tickets.Fields{Text: "Wrong agency"})
	r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	r.apply("head-env", k, tickets.Sign, tickets.Fields{})
	page := b.post("/console/tickets/"+k.ID.String()+"/do/request_return", url.Values{"version": {strconv.Itoa(k.Version)}, "reason": {"not_responsible"},
		"basis": {"Benches are the district's, see decree 12"}, "key": {uuid.NewString()}})
	page.wants(t, http.StatusConflict, "What you typed is still here", "Benches are the district&#39;s, see decree 12</textarea>")
}

func TestUsersComeInPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	admin, err := r.auth.ByID(t.Context(), r.city.Users["administrator"])
	must(t, err)
	env := r.city.Agencies["dept-environment"]
	want := map[string]bool{}
	for i := range 60 {
		name := "Clerk " + strconv.Itoa(i/2) // two of each name: the id decides
		u := newUser("clerk"+strconv.Itoa(i)+"@tiny.example", name, env)
		_, err := r.auth.Create(t.Context(), admin, u)
		must(t, err)
		want[u.Email] = true
	}
	seen := map[string]int{}
	path := "/console/admin/users?q=clerk"
	more := regexp.MustCompile(`class="more"><a href="([^"]+)"`)
	for range 5 {
		page := b.get(path)
		for _, mail := range regexp.MustCompile(`clerk\d+@tiny\.example`).FindAllString(page.body, -1) {
			seen[mail]++
		}
		next := more.FindStringSubmatch(page.body)
		if next == nil {
			break
		}
		path = html.UnescapeString(next[1])
	}
	for mail := range want {
		if seen[mail] != 1 {
			t.Errorf("%s is shown %d times", mail, seen[mail])
		}
	}
	b.get("/console/admin/users?q=100%25").wants(t, http.StatusOK, "Nobody is found")
	agency := r.routing.Snapshot()
	a, _ := agency.Agency(env)
	b.get("/console/admin/users?q="+url.QueryEscape(a.Names.In("en"))).wants(t, http.StatusOK, "clerk0@tiny.example")
}

// Links that carry a list's place must arrive as they were written.
func TestLinksKeepTheirPlaceWithoutScripts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 60 {
		r.noRoute()
	}
	b := r.signIn("dispatcher")
	link := func(page answer, expr string) string {
		t.Helper()
		found := regexp.MustCompile(expr).FindStringSubmatch(page.body)
		if found == nil {
			t.Fatalf("%s has no link like %s", page.path, expr)
		}
		return html.UnescapeString(found[1])
	}
	page := b.get("/console/inbox?view=pending_dispatch&kind=suggestion")
	rows := regexp.MustCompile(`id="row-([0-9a-f-]{36})"`)
	seen := map[string]bool{}
	for _, row := range rows.FindAllStringSubmatch(page.body, -1) {
		seen[row[1]] = true
	}
	second := b.get(link(page, `class="more" href="([^"]+)"`))
	for _, row := range rows.FindAllStringSubmatch(second.body, -1) {
		seen[row[1]] = true
	}
	if len(seen) != 60 {
		t.Errorf("two pages show %d of 60 tickets", len(seen))
	}
	ticket := b.get(link(page, `href="(/console/tickets/[^"]+)"`))
	back := link(ticket, `back" href="([^"]+)"`)
	if u, err := url.Parse(back); err != nil || u.Query().Get("view") != "pending_dispatch" || u.Query().Get("kind") != "suggestion" {
		t.Errorf("back leads to %s", back)
	}
	notices := b.get("/console/notifications")
	first := regexp.MustCompile(`/console/notifications/[0-9a-f-]{36}`).FindAllString(notices.body, -1)
	for _, one := range regexp.MustCompile(`/console/notifications/[0-9a-f-]{36}`).FindAllString(b.get(link(notices, `class="more"><a href="([^"]+)"`)).body, -1) {
		for _, other := range first {
			if one == other {
				t.Fatalf("%s is on both pages", one)
			}
		}
		first = append(first, one)
	}
	if len(first) < 60 {
		t.Errorf("%d notices of at least 60", len(first))
	}
	unread := func() int { return strings.Count(b.get("/console/notifications").body, "light-yellow") }
	was := unread()
	b.get(first[0]).wants(t, http.StatusOK, "A bench at the tram stop")
	if now := unread(); now != was-1 {
		t.Errorf("%d of %d are unread after one was opened", now, was)
	}
	r.signIn("handler-env").get(first[1]).wants(t, http.StatusNotFound)
}

// A query that a template escapes once more arrives as one unknown parameter: no link of any page may hold an escaped "=".
func TestNoLinkIsEscapedTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.noRoute()
	twice := regexp.MustCompile(`(?:href|action)="[^"]*\?[^"]*%3[dD][^"]*"`)
	for user, paths := range map[string][]string{
		"supervisor": {"/console/inbox?view=all&kind=suggestion&q=bench", "/console/tickets/" + k.ID.String() + "?view=all&kind=suggestion", "/console/statistics?period=month",
			"/console/statistics/tickets?of=tickets&by=agency&period=month&title=opened", "/console/statistics/scorecards?period=month", "/console/notifications"},
		"administrator": {"/console/admin/users?q=a", "/console/admin/catalogue?q=a"},
		"dispatcher":    {"/console/desk", "/console/tickets/" + k.ID.String() + "/do/dispatch?view=open"},
		"editor":        {"/console/knowledge?state=draft"},
	} {
		b := r.signIn(user)
		for _, path := range paths {
			page := b.get(path)
			if page.status >= 500 {
				t.Errorf("%s: %d", path, page.status)
			}
			for _, link := range twice.FindAllString(page.body, 3) {
				t.Errorf("%s: %s", path, link)
			}
		}
	}
}
