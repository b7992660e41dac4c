package console_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/tickets"
	"hotline/tickets/flags"
)

func near(f *chat.Filing) {
	lat, lon := 30.1, 125.3
	f.Draft.Lat, f.Draft.Lon = &lat, &lon
}

const noiseText = "Drilling next to the school keeps us awake every night."

func TestDuplicatesAreMergedAndTakenApartFromThePanel(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.file("complaint", "Drilling at night", noiseText, "environment.noise", near)
	second := r.file("complaint", "Night work at the school", noiseText, "environment.noise", near)
	third := r.file("complaint", "Noise again", noiseText, "environment.noise", near)
	b := r.signIn("dispatcher")
	page := b.get("/console/tickets/" + first.ID.String())
	page.wants(t, http.StatusOK, "/console/tickets/"+first.ID.String()+"/similar")
	page = b.get("/console/tickets/" + first.ID.String() + "/similar")
	page.wants(t, http.StatusOK, second.Number, third.Number, "the same spot", "the same telephone or e-mail", "the same category", "Merge into it")
	// Several at once.
	b.post("/console/tickets/"+first.ID.String()+"/gather", url.Values{"child": {second.ID.String() + ":" + strconv.Itoa(second.Version), third.ID.String() + ":" + strconv.Itoa(third.Version)}, "key": {"g1"}}).wants(t, http.StatusOK)
	if a, z := r.ticket(second.ID), r.ticket(third.ID); a.Parent != first.ID || z.Parent != first.ID {
		t.Fatal("not merged")
	}
	page = b.get("/console/tickets/" + first.ID.String() + "/similar")
	page.wants(t, http.StatusOK, "Merged into this one", second.Number, "Take apart")
	k := r.ticket(second.ID)
	b.post("/console/tickets/"+first.ID.String()+"/release", url.Values{"child": {k.ID.String() + ":" + strconv.Itoa(k.Version)}}).wants(t, http.StatusOK)
	if k := r.ticket(second.ID); k.State != tickets.Accepted {
		t.Errorf("it is %s", k.State)
	}
	// A stale form says what happened and changes nothing.
	stale := b.post("/console/tickets/"+first.ID.String()+"/gather", url.Values{"child": {k.ID.String() + ":1"}})
	stale.wants(t, http.StatusConflict, "changed this ticket", "Belongs together?")
	if k := r.ticket(second.ID); k.State != tickets.Accepted {
		t.Errorf("a stale form merged it: %s", k.State)
	}
	// An agency sees its own tickets only, and merges nothing.
	handler := r.signIn("handler-util")
	handler.get("/console/tickets/"+first.ID.String()+"/similar").wants(t, http.StatusNotFound)
	// At the dispatch desk the panel is there too.
	r.file("complaint", "Something else", "A matter that no catalogue knows.", "environment", near)
	b.get("/console/desk").wants(t, http.StatusOK, "similar?from=desk")
}

func TestAMassEventOnTheConsole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	parent := r.file("complaint", "Drilling at night", noiseText, "environment.noise", near)
	b := r.signIn("dispatcher")
	path := "/console/mass/" + parent.ID.String()
	b.get(path).wants(t, http.StatusOK, "Make it a mass event", "Words for the public")
	b.post("/console/tickets/"+parent.ID.String()+"/mass", url.Values{"title": {""}, "category": {"environment.noise"}}).wants(t, http.StatusBadRequest, "Words for the public")
	b.post("/console/tickets/"+parent.ID.String()+"/mass", url.Values{"title": {"Night work, East One"}, "category": {"environment.noise"}, "radius": {"1000"}, "public": {"1"}, "key": {"m1"}}).
		wants(t, http.StatusOK, "Night work, East One", "new reports are offered to join")
	child := r.file("complaint", "Noise", noiseText, "environment.noise", near)
	page := b.get("/console/tickets/" + child.ID.String() + "/similar")
	page.wants(t, http.StatusOK, "Known mass event", "Night work, East One", "Attach to it")
	b.post("/console/tickets/"+child.ID.String()+"/join", url.Values{"parent": {parent.ID.String()}, "version": {strconv.Itoa(child.Version)}}).wants(t, http.StatusOK)
	b.post("/console/tickets/"+parent.ID.String()+"/broadcast", url.Values{"text": {"The permit is being checked."}, "key": {"b1"}}).wants(t, http.StatusOK, "The permit is being checked.", "on their page", "2 of 2 reached")
	b.get("/console/mass").wants(t, http.StatusOK, "Night work, East One", "2 reporters")
	b.get("/console/inbox?view=mass").wants(t, http.StatusOK, "2 reporters")
	b.get("/console/tickets/"+parent.ID.String()).wants(t, http.StatusOK, "2 reporters")
	messages, err := r.chat.Latest(t.Context(), r.as("supervisor").DB, child.ConversationID, 0, 50)
	must(t, err)
	told := false
	for _, m := range messages {
		told = told || strings.Contains(m.Text, "The permit is being checked.")
	}
	if !told {
		t.Error("the child's reporter has no message")
	}
	b.post("/console/tickets/"+parent.ID.String()+"/mass/end", url.Values{}).wants(t, http.StatusOK, "ended")
	// In Chinese.
	b.get(path, "Accept-Language", "zh-CN").wants(t, http.StatusOK)
}

func TestSurgesAndFlagsOnTheConsole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var last tickets.Ticket
	for range 25 {
		last = r.file("complaint", "Drilling at night", noiseText, "environment.noise", near)
	}
	_, err := r.deps.Surges.Sweep(t.Context(), r.clock.Now())
	must(t, err)
	_, err = r.deps.Flags.Sweep(t.Context(), r.clock.Now())
	must(t, err)
	b := r.signIn("supervisor")
	b.get("/console/surges").wants(t, http.StatusOK, "Noise", "new")
	b.get("/console/notifications").wants(t, http.StatusOK, "A surge: more tickets than usual", "/console/surges")
	list, err := r.deps.Surges.List(t.Context(), r.as("supervisor"), time.Time{}, uuid.Nil, 5)
	must(t, err)
	path := "/console/surges/" + list[0].ID.String()
	b.get(path).wants(t, http.StatusOK, "25 tickets in the window", last.Number, "I look after it", "Make it a mass event")
	b.post(path+"/acknowledge", url.Values{"note": {"Crews are out."}}).wants(t, http.StatusOK, "Crews are out.", "being looked after")
	b.post(path+"/mass", url.Values{"title": {"Night work"}}).wants(t, http.StatusOK, "Night work", "Tell all reporters")
	b.get(path).wants(t, http.StatusOK, "Merge the chosen into")
	r.signIn("handler-env").get("/console/surges").wants(t, http.StatusForbidden)

	b.get("/console/flags").wants(t, http.StatusOK, "Came often", "Zhang Wei", "25 tickets")
	form := "/console/tickets/" + last.ID.String() + "/flag"
	b.get(form+"?type=repeat").wants(t, http.StatusOK, "Flag this contact", "Comes often")
	day := func(days int) string { return r.clock.Now().AddDate(0, 0, days).Format("2006-01-02") }
	b.post(form, url.Values{"type": {"repeat"}, "reason": {"short"}, "review": {day(30)}, "expires": {day(60)}}).wants(t, http.StatusBadRequest, "short")
	b.post(form, url.Values{"type": {"repeat"}, "reason": {"25 tickets about one site."}, "review": {day(30)}, "expires": {day(60)}}).wants(t, http.StatusOK, "25 tickets about one site.", "Comes often")
	// Everybody at the hotline is told, nobody outside.
	r.signIn("operator").get("/console/tickets/"+last.ID.String()).wants(t, http.StatusOK, "25 tickets about one site.")
	if page := r.signIn("handler-env").get("/console/tickets/" + last.ID.String()); strings.Contains(page.body, "25 tickets about one site.") {
		t.Error("an agency reads a flag")
	}
	page := b.get("/console/flags")
	page.wants(t, http.StatusOK, "25 tickets about one site.")
	page.lacks(t, "Counted by the program")
}

// massPages makes a surge, a mass event with a broadcast, and a flag, and lists the pages that show them.
func (r *rig) massPages() []pageOf {
	r.t.Helper()
	ctx := r.t.Context()
	var last tickets.Ticket
	for range 21 {
		last = r.file("complaint", "Drilling at night", noiseText, "environment.noise", near)
	}
	_, err := r.deps.Surges.Sweep(ctx, r.clock.Now())
	must(r.t, err)
	list, err := r.deps.Surges.List(ctx, r.as("supervisor"), time.Time{}, uuid.Nil, 1)
	must(r.t, err)
	parent, err := r.deps.Surges.MakeMass(ctx, r.as("supervisor"), list[0].ID, "Night work, East One")
	must(r.t, err)
	r.apply("supervisor", last, tickets.Merge, tickets.Fields{Parent: parent.ID})
	_, err = r.tickets.Broadcast(ctx, r.as("supervisor"), parent.ID, "The permit is being checked.", "")
	must(r.t, err)
	flag, err := r.deps.Flags.Set(ctx, r.as("supervisor"), parent.ID, flags.Draft{Type: "vulnerable", Reason: "Hard of hearing: please write.",
		ReviewAt: r.clock.Now().AddDate(0, 0, 30), ExpiresAt: r.clock.Now().AddDate(0, 0, 60)})
	must(r.t, err)
	return []pageOf{
		{"mass", "supervisor", "/console/mass"}, {"massevent", "supervisor", "/console/mass/" + parent.ID.String()}, {"surges", "supervisor", "/console/surges"},
		{"surge", "supervisor", "/console/surges/" + list[0].ID.String()}, {"flags", "supervisor", "/console/flags"}, {"flag", "supervisor", "/console/flags/" + flag.ID.String()},
		{"flagform", "supervisor", "/console/tickets/" + parent.ID.String() + "/flag"}, {"similar", "supervisor", "/console/tickets/" + parent.ID.String() + "/similar"},
	}
}
