package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestFiltersAreSavedAndStandInTheSide(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	r.file("consult", "Opening hours", "When does the noise office open?", "environment.noise")
	b := r.signIn("supervisor")
	list := b.get("/console/inbox?view=all&kind=complaint&category=environment.noise")
	list.wants(t, http.StatusOK, "Drilling at night", "Save this filter", "For everybody in the agency")
	list.lacks(t, "Opening hours")
	form := url.Values{"view": {"all"}, "kind": {"complaint"}, "category": {"environment.noise"}, "name": {"Noisy ones"}, "shared": {"yes"}}
	saved := b.post("/console/filters", form)
	saved.wants(t, http.StatusOK, "<h1 id=\"list-title\">Noisy ones</h1>", "Delete this saved filter")
	entry := regexp.MustCompile(`(?s)<a class="item" href="([^"]+)"[^>]*aria-current="page">[^/]*/></svg><span class="clip">Noisy ones</span><span class="count">1</span>`).FindStringSubmatch(saved.body)
	if entry == nil {
		t.Fatalf("the side does not show the filter with its count\n%s", saved.body[:3000])
	}
	// A colleague has it too, and may not delete it.
	colleague := r.signIn("operator")
	page := colleague.get(strings.ReplaceAll(entry[1], "&amp;", "&"))
	page.wants(t, http.StatusOK, "Noisy ones", "Drilling at night")
	page.lacks(t, "Opening hours", "Delete this saved filter")
	id := regexp.MustCompile(`saved=([0-9a-f-]{36})`).FindStringSubmatch(entry[1])[1]
	colleague.post("/console/filters/"+id+"/delete", nil).wants(t, http.StatusForbidden)
	colleague.post("/console/filters", form).wants(t, http.StatusForbidden)
	// The day that is named counts whole.
	b.get("/console/inbox?view=all&from=2026-03-04&to=2026-03-04").wants(t, http.StatusOK, "Drilling at night", "from 4 March 2026")
	b.get("/console/inbox?view=all&to=2026-03-03").wants(t, http.StatusOK, "Nothing found")
	b.post("/console/filters/"+id+"/delete", nil).wants(t, http.StatusOK)
	b.get("/console/inbox?view=all").lacks(t, "Noisy ones")
}

func TestTagsOnATicketAndInTheVocabulary(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	b := r.signIn("operator")
	path := "/console/tickets/" + k.ID.String()
	b.post(path+"/tags", url.Values{"tag": {"loud"}}).wants(t, http.StatusOK, "Remove the tag loud")
	b.post(path+"/tags", url.Values{"tag": {"a,b"}}, "HX-Request", "true").wants(t, http.StatusBadRequest, "not possible: Tag", "Remove the tag loud")
	b.post(path+"/tags", url.Values{"tag": {"noise"}}, "HX-Request", "true").wants(t, http.StatusOK, "Remove the tag noise")
	b.get("/console/inbox?view=all").wants(t, http.StatusOK, `<span class="tag">loud</span>`)
	b.get("/console/tags").wants(t, http.StatusForbidden)

	boss := r.signIn("supervisor")
	vocabulary := boss.get("/console/tags")
	vocabulary.wants(t, http.StatusOK, "loud", "noise")
	id := func(name string) string {
		t.Helper()
		all, err := r.tickets.Tags(t.Context(), r.as("supervisor"))
		must(t, err)
		for _, g := range all {
			if g.Name == name {
				return g.ID.String()
			}
		}
		t.Fatalf("no tag %s in %v", name, all)
		return ""
	}
	boss.post("/console/tags/"+id("loud")+"/rename", url.Values{"name": {"noise"}}).wants(t, http.StatusConflict, "Merge the two instead")
	boss.post("/console/tags/"+id("loud")+"/merge", url.Values{"into": {id("noise")}}).wants(t, http.StatusOK)
	boss.get("/console/inbox?view=all&tag="+id("noise")).wants(t, http.StatusOK, "Drilling at night", "#noise")
	tags, err := r.tickets.TagsOf(t.Context(), r.as("operator"), k.ID)
	if err != nil || len(tags[k.ID]) != 1 {
		t.Errorf("%v %v", tags, err)
	}
	gone := b.post(path+"/tags/"+id("noise")+"/remove", nil)
	gone.wants(t, http.StatusOK)
	gone.lacks(t, "Remove the tag")
}

func TestTiesOfATicket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	other := r.file("complaint", "Dust", "Dust from the same site", "environment.noise")
	b := r.signIn("dispatcher")
	path := "/console/tickets/" + k.ID.String()
	b.post(path+"/watch", nil).wants(t, http.StatusOK, "Stop watching")
	b.post(path+"/watch", url.Values{"name": {"Supervisor"}}, "HX-Request", "true").wants(t, http.StatusOK, "supervisor")
	b.post(path+"/watch", url.Values{"name": {"handler-util"}}, "HX-Request", "true").wants(t, http.StatusBadRequest, "no such person among")
	b.get("/console/inbox?view=watched").wants(t, http.StatusOK, "Drilling at night")
	b.post(path+"/links", url.Values{"kind": {"blocks"}, "other": {other.Number}}, "HX-Request", "true").wants(t, http.StatusOK, other.Number, "Remove the link to "+other.Number)
	b.post(path+"/links", url.Values{"kind": {"blocks"}, "other": {"2026-999999"}}, "HX-Request", "true").wants(t, http.StatusBadRequest, "Number of the other ticket")
	b.get("/console/tickets/"+other.ID.String()).wants(t, http.StatusOK, "blocked by "+k.Number)
	b.post("/console/tickets/"+other.ID.String()+"/links/remove", url.Values{"kind": {"blocks"}, "other": {k.ID.String()}}, "HX-Request", "true").wants(t, http.StatusOK, "Link another ticket")

	b.get(path+"/split").wants(t, http.StatusOK, "Split off a part", "Left to routing")
	b.post(path+"/split", url.Values{"title": {"Measure"}}).wants(t, http.StatusBadRequest, "Please fill in", `value="Measure"`)
	b.post(path+"/split", url.Values{"title": {"Measure"}, "description": {"Measure the noise tonight."}, "lead": {r.city.Agencies["dept-utilities"].String()}}).wants(t, http.StatusOK, "Parts of this case", "Measure", "to be signed")

	b.get(path+"/people?q=handler").wants(t, http.StatusOK)
	r.signIn("operator").post(path+"/compose", url.Values{"mode": {"note"}, "text": {"@dispatcher, have a look"}, "version": {"1"}, "key": {"n1"}}).wants(t, http.StatusOK, "@dispatcher, have a look")
	b.get("/console/notifications").wants(t, http.StatusOK, "You were mentioned in a note")
	b.get("/console/inbox?view=mentioned").wants(t, http.StatusOK, `<span class="clip">Mentioned</span><span class="count warm">1</span>`, "Drilling at night")
	b.get(path)
	b.get("/console/inbox?view=mentioned").lacks(t, `<span class="clip">Mentioned</span><span class="count warm">1</span>`)
}
