package console_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"

	"hotline/tickets"
	"hotline/web/webtest"
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
	colleague.post("/console/filters/"+id+"/rename", url.Values{"name": {"Mine"}}).wants(t, http.StatusForbidden)
	b.post("/console/filters/"+id+"/rename", url.Values{"name": {"Loud ones"}, "view": {"all"}, "kind": {"complaint"}}).wants(t, http.StatusOK, "<h1 id=\"list-title\">Loud ones</h1>", "Complaint")
	// The day that is named counts whole.
	b.get("/console/inbox?view=all&from=2026-03-04&to=2026-03-04").wants(t, http.StatusOK, "Drilling at night", "from 4 March 2026")
	b.get("/console/inbox?view=all&to=2026-03-03").wants(t, http.StatusOK, "Nothing found")
	b.post("/console/filters/"+id+"/delete", nil).wants(t, http.StatusOK)
	b.get("/console/inbox?view=all").lacks(t, "Loud ones")
}

// Whoever has a number in hand does not know in which view the case is.
func TestASearchSaysWhatLiesOutsideItsView(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "The site drills every night, we cannot sleep.", "")
	r.apply("operator", k, tickets.Withdraw, tickets.Fields{Text: "The citizen called it back."})
	b := r.signIn("operator")
	for _, q := range []string{k.Number, "drilling"} {
		b.get("/console/inbox?view=open&q="+url.QueryEscape(q)).wants(t, http.StatusOK, "Nothing found", "1 in all tickets", "/console/inbox?q="+url.QueryEscape(q)+"&amp;view=all")
	}
	b.get("/console/inbox?view=open&q=zeppelin").wants(t, http.StatusOK, "Nothing found").lacks(t, "in all tickets")
	b.get("/console/inbox?view=all&q="+k.Number).wants(t, http.StatusOK, "Drilling at night")
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

func TestMacrosAreKeptAndUsed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	k = r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
	boss := r.signIn("head-env")
	form := url.Values{"name_en": {"Site visit"}, "text_en": {"Dear {{contact}}, we visit {{name}} for {{number}}."}, "mode": {"message"}, "tags": {"visit, noise"}, "note": {"Visit for {{number}}"}, "active": {"yes"}}
	boss.post("/console/macros/new", form).wants(t, http.StatusBadRequest, "no variable “name”", "we visit {{name}}", "visit, noise")
	form.Set("text_en", "Dear {{contact}}, we visit the site for {{number}}. {{me}}")
	boss.post("/console/macros/new", form).wants(t, http.StatusOK, "Saved.", "Site visit")
	boss.get("/console/macros").wants(t, http.StatusOK, "Site visit", "tag “visit”")
	r.signIn("handler-util").get("/console/macros").wants(t, http.StatusForbidden)

	b := r.signIn("handler-env")
	path := "/console/tickets/" + k.ID.String()
	page := b.get(path)
	page.wants(t, http.StatusOK, "Dear Zhang Wei, we visit the site for "+k.Number+". handler-env", "tag “visit”, tag “noise”, write a note")
	id := regexp.MustCompile(`data-macro="([0-9a-f-]{36})"`).FindStringSubmatch(page.body)[1]
	// Without scripts a link puts it into the composer.
	use := regexp.MustCompile(`href="(/console/tickets/[^"]+\?use=\d+)">Site visit`).FindStringSubmatch(page.body)[1]
	b.get(use).wants(t, http.StatusOK, `value="`+id+`"`, `>Dear Zhang Wei, we visit the site for `+k.Number+`. handler-env</textarea>`)
	send := url.Values{"mode": {"message"}, "text": {"We visit the site tomorrow."}, "version": {strconv.Itoa(k.Version)}, "key": {"k9"}, "macro": {id}}
	b.post(path+"/compose", send).wants(t, http.StatusOK, "We visit the site tomorrow.", "Visit for "+k.Number, "Remove the tag visit", "Remove the tag noise")
	// Deeds alone, and one of them refused: the others are done, and the reason is said.
	boss.post("/console/macros/new", url.Values{"name_en": {"Sign and tag"}, "tags": {"signed"}, "move": {"sign"}, "active": {"yes"}}).wants(t, http.StatusOK, "Saved.")
	page = b.get(path)
	id = regexp.MustCompile(`data-macro="([0-9a-f-]{36})" data-does="tag “signed”`).FindStringSubmatch(page.body)[1]
	got := b.post(path+"/compose", url.Values{"mode": {"message"}, "macro": {id}, "key": {"k10"}}, "HX-Request", "true")
	got.wants(t, http.StatusOK, "Remove the tag signed")
	if said, _ := url.PathUnescape(got.header.Get("X-Toast")); !strings.Contains(said, "Not done: Sign for it") {
		t.Errorf("said %q", said)
	}
}

func TestBulkActionsOnTheList(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.noRoute(), r.noRoute()
	done := r.apply("dispatcher", r.noRoute(), tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-utilities"]})
	b := r.signIn("dispatcher")
	b.get("/console/inbox?view=all").wants(t, http.StatusOK, `value="`+one.ID.String()+`" data-pick`, "Act on them")
	b.post("/console/bulk", url.Values{"list": {"view=all"}}).wants(t, http.StatusOK, "Choose tickets first.")
	form := url.Values{"ids": {one.ID.String(), two.ID.String()}, "list": {"view=all"}}
	b.post("/console/bulk", form).wants(t, http.StatusOK, "Chosen: 2", `<option value="dispatch"`)
	form.Add("ids", done.ID.String())
	page := b.post("/console/bulk", form)
	page.wants(t, http.StatusOK, "Chosen: 3")
	page.lacks(t, `<option value="dispatch"`) // one of them is on its way already
	form.Set("do", "move")
	form.Set("move", "dispatch")
	b.post("/console/bulk/run", form).wants(t, http.StatusBadRequest, "Please fill in: Lead agency")
	nothing := maps.Clone(form)
	nothing.Set("move", "")
	b.post("/console/bulk/run", nothing).wants(t, http.StatusBadRequest, "Please fill in: Action")
	form.Set("lead", r.city.Agencies["dept-utilities"].String())
	b.post("/console/bulk/run", form).wants(t, http.StatusOK, "Done: 2. Not done: 1.", done.Number, "to be signed")
	if got := r.ticket(one.ID); got.State != tickets.Dispatched {
		t.Errorf("the first is %s", got.State)
	}
	// All that the list finds, and back again.
	tagged := b.post("/console/bulk/run", url.Values{"all": {"yes"}, "list": {"view=all"}, "do": {"tag"}, "tag": {"bench"}})
	tagged.wants(t, http.StatusOK, "Done: 3.", "Undo")
	b.get("/console/inbox?view=all").wants(t, http.StatusOK, `<span class="tag">bench</span>`)
	b.post("/console/bulk", url.Values{"ids": {one.ID.String()}, "list": {"view=all"}}).wants(t, http.StatusOK, "Chosen: 1", ">bench</option>") // an agency that has tags can take them off
	b.post(tagged.path+"/undo", nil).wants(t, http.StatusOK, "Take back", "Done: 3.")
	b.get("/console/inbox?view=all").lacks(t, `<span class="tag">bench</span>`)
	b.get(tagged.path).wants(t, http.StatusOK, "Taken back")
	r.signIn("supervisor").get(tagged.path).wants(t, http.StatusNotFound)
}

// An answer to many cases says which of them co-agencies have not replied on; those are answered with a reason, the others without.
func TestABulkAnswerSaysWhichCasesItDoesNotWaitWith(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	work := func(co ...uuid.UUID) tickets.Ticket {
		k := r.led(r.file("complaint", "Drilling at night", "The site drills every night, we cannot sleep.", "environment.noise"))
		if len(co) > 0 {
			r.apply("dispatcher", k, tickets.AddCo, tickets.Fields{Co: co})
		}
		return r.apply("handler-env", r.ticket(k.ID), tickets.Sign, tickets.Fields{})
	}
	alone, waits := work(), work(r.city.Agencies["dept-utilities"])
	env := r.signIn("handler-env")
	ids := func(ks ...tickets.Ticket) url.Values {
		q := url.Values{"list": {"view=all"}}
		for _, k := range ks {
			q.Add("ids", k.ID.String())
		}
		return q
	}
	env.post("/console/bulk", ids(alone)).wants(t, http.StatusOK, `<option value="reply"`).lacks(t, `name="over"`)
	env.post("/console/bulk", ids(alone, waits)).wants(t, http.StatusOK, `name="over"`, "On one of them a co-agency has not replied yet", waits.Number+"</span> Drilling at night — ")
	form := ids(alone, waits)
	for name, value := range map[string]string{"do": "move", "move": "reply", "text": "The site has stopped.", "outcome": "resolved", "resolved": "yes"} {
		form.Set(name, value)
	}
	env.post("/console/bulk/run", form).wants(t, http.StatusOK, "Done: 1. Not done: 1.", waits.Number, "Wait for them, or say why")
	form["ids"] = ids(waits)["ids"]
	form.Set("over", "They measure only next week.")
	env.post("/console/bulk/run", form).wants(t, http.StatusOK, "Done: 1. Not done: 0.")
	env.get("/console/tickets/"+waits.ID.String()).wants(t, http.StatusOK, "answered without waiting for co-agencies", "They measure only next week.")
}

func TestManyTicketsAreDoneBehindTheAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range tickets.BulkAtOnce + 1 {
		r.noRoute()
	}
	b := r.signIn("dispatcher")
	job := b.post("/console/bulk/run", url.Values{"all": {"yes"}, "list": {"view=all"}, "do": {"watch"}})
	job.wants(t, http.StatusOK)
	id := uuid.MustParse(job.path[strings.LastIndex(job.path, "/")+1:])
	deadline := time.Now().Add(time.Minute)
	for {
		j, err := r.tickets.Bulk(t.Context(), r.as("dispatcher"), id)
		must(t, err)
		if j.Done() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d after a minute", len(j.Results), len(j.Tickets))
		}
		b.get(job.path).wants(t, http.StatusOK) // the page can be looked at in between
	}
	b.get(job.path).wants(t, http.StatusOK, "Done: 101.")
}

func TestATicketOnPaper(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	_, err := r.tickets.Note(t.Context(), r.as("dispatcher"), k.ID, "For colleagues only.", "")
	must(t, err)
	b := r.signIn("supervisor")
	path := "/console/tickets/" + k.ID.String() + "/print"
	b.get(path).wants(t, http.StatusOK, k.Number, "Drilling at night", "Zhang Wei", "13800001234", "For colleagues only.", "Decisions")
	b.get(path+"?notes=no").lacks(t, "For colleagues only.")
	secret := r.file("report", "Bribes", "The inspector asked for money twice.", "environment.waste")
	path = "/console/tickets/" + secret.ID.String() + "/print"
	page := b.get(path)
	page.wants(t, http.StatusOK, "not printed: this ticket is confidential")
	page.lacks(t, "Zhang", "1380000", "34</dd>", "Z•••")
	b.post(path, url.Values{"reason": {"short"}}).wants(t, http.StatusBadRequest)
	b.post(path, url.Values{"reason": {"Order of the court, file 7"}}).wants(t, http.StatusOK, "Zhang Wei", "looked at the contact", "Order of the court, file 7")
	r.signIn("operator").get(path).wants(t, http.StatusNotFound)
}

func TestFieldsOfACategoryInTheConsole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("administrator")
	form := url.Values{"category": {"environment"}, "code": {"source"}, "type": {"choice"}, "name_en": {"Source of the noise"}, "choices": {"site = Building site"}, "closing": {"yes"}, "active": {"yes"}}
	admin.post("/console/admin/fields", form).wants(t, http.StatusBadRequest, "Source of the noise", "site = Building site")
	form.Set("choices", "site = Building site = 工地\nbar = Bar")
	form.Set("intake", "yes") // which says that it is asked for, too
	admin.post("/console/admin/fields", form).wants(t, http.StatusOK, "Saved.", "Source of the noise", "asked, needed")
	r.signIn("supervisor").get("/console/admin/fields").wants(t, http.StatusForbidden)

	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	k = r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
	b := r.signIn("handler-env")
	path := "/console/tickets/" + k.ID.String()
	b.get(path).wants(t, http.StatusOK, "Source of the noise", "Building site", `<span class="badge warn">Details needed at intake are missing`, "needed at intake, ask for it", "saw that details needed at intake are missing")
	reply := url.Values{"mode": {"reply"}, "text": {"The site stops at ten."}, "outcome": {"resolved"}, "resolved": {"yes"}, "version": {strconv.Itoa(k.Version)}, "key": {"r1"}}
	b.post(path+"/compose", reply).wants(t, http.StatusBadRequest, "Please fill in: Source of the noise")
	b.post(path+"/fields", url.Values{"f_source": {"moon"}}, "HX-Request", "true").wants(t, http.StatusBadRequest, "not possible: Source of the noise")
	filled := b.post(path+"/fields", url.Values{"f_source": {"site"}})
	filled.wants(t, http.StatusOK, "Source of the noise: Building site")
	filled.lacks(t, `<span class="badge warn">Details needed at intake are missing`) // neither in the list nor on the case; the filter has the words too
	reply.Set("key", "r2")
	b.post(path+"/compose", reply).wants(t, http.StatusOK, "replied")
}

// pageOf is a page to look at: its name in the pictures, who opens it, and where it is.
type pageOf struct{ name, user, path string }

// toolPages are the pages of the working tools, with something in them.
func (r *rig) toolPages(handled tickets.Ticket) []pageOf {
	macro, err := r.tickets.SaveMacro(r.t.Context(), r.as("head-env"), tickets.Macro{Names: map[string]string{"en": "Site visit", "zh-CN": "现场核查"}, Active: true, Mode: "message",
		Texts: map[string]string{"en": "Dear {{contact}}, we visit the site for {{number}}.", "zh-CN": "{{contact}}您好，关于{{number}}，我们将到现场核查。"}, Does: tickets.MacroDeeds{Tags: []string{"visit"}, Watch: true}})
	must(r.t, err)
	_, err = r.tickets.SaveField(r.t.Context(), r.as("administrator"), tickets.CustomField{Category: "environment", Code: "decibel", Names: map[string]string{"en": "Loudness in dB", "zh-CN": "噪声分贝"}, Type: tickets.FieldNumber, Closing: true, Active: true})
	must(r.t, err)
	return []pageOf{
		{"fields", "administrator", "/console/admin/fields"},
		{"inbox-filter", "dispatcher", "/console/inbox?view=all&kind=complaint&urgency=normal&q=noise"},
		{"tags", "supervisor", "/console/tags"},
		{"macros", "head-env", "/console/macros"},
		{"macro", "head-env", "/console/macros/" + macro.ID.String()},
		{"print", "handler-env", "/console/tickets/" + handled.ID.String() + "/print"},
		{"split", "dispatcher", "/console/tickets/" + handled.ID.String() + "/split"},
	}
}

func TestWorkingToolsByKeyboard(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	one, two := r.noRoute(), r.noRoute()
	tab := r.enter(t, b, webtest.Desktop, "dispatcher", "/console/inbox?view=all")
	tab.Run(t, chromedp.WaitReady("#rows [data-row]"))
	key := func(k string) { t.Helper(); tab.Run(t, chromedp.KeyEvent(k)) }
	for _, k := range []string{"j", "x", "j", "x"} {
		key(k)
	}
	tab.WaitJS(t, `document.querySelector("#bulk").classList.contains("on") && document.querySelector("#picked").textContent === "2 chosen"`)
	tab.Screenshot(t, "bulk-list")
	key("e")
	tab.WaitJS(t, `document.querySelector("#dialog").open && !!document.querySelector("#dialog .bulk-form")`)
	tab.Axe(t, "bulk dialog")
	tab.Screenshot(t, "bulk-dialog")
	tab.Run(t, chromedp.Click(`#dialog input[value="tag"]`), chromedp.SendKeys(`#dialog input[name="tag"]`, "bench"), chromedp.Click(`#dialog .bulk-form .button`))
	tab.WaitJS(t, `location.pathname.startsWith("/console/bulk/") && document.readyState === "complete"`)
	tab.Axe(t, "bulk result")
	tab.Screenshot(t, "bulk-result")
	for _, k := range []tickets.Ticket{one, two} {
		if tags, err := r.tickets.TagsOf(t.Context(), r.as("dispatcher"), k.ID); err != nil || len(tags[k.ID]) != 1 {
			t.Errorf("%s has %v, %v", k.Number, tags[k.ID], err)
		}
	}
	// A name is completed in a note, a macro is inserted, a tag is added without leaving the page.
	tab.Run(t, chromedp.Navigate(r.server.URL+"/console/tickets/"+one.ID.String()+"?view=all"), chromedp.WaitReady("#composer-text"))
	tab.Run(t, chromedp.Click(`#composer label:has(input[value="note"])`), chromedp.SendKeys("#composer-text", "@superv"))
	tab.WaitJS(t, `!!document.querySelector("#people-list li")`)
	tab.Screenshot(t, "mention")
	tab.Run(t, chromedp.Click("#people-list li"))
	tab.WaitJS(t, `document.querySelector("#composer-text").value === "@supervisor " && !document.querySelector("#people-list")`)
	tab.Run(t, chromedp.SendKeys("#composer-text", "please"), chromedp.Click("#composer .send"))
	tab.WaitJS(t, `document.querySelector("#feed").textContent.includes("@supervisor please")`)
	tab.Run(t, chromedp.Evaluate(`document.activeElement.blur()`, nil))
	tab.Run(t, chromedp.SendKeys(`#tags input[name="tag"]`, "tram"+kb.Enter))
	tab.WaitJS(t, `document.querySelector("#tags").textContent.includes("tram")`)
	tab.Run(t, chromedp.Navigate(r.server.URL+"/console/inbox?view=all&kind=suggestion"), chromedp.WaitReady("#rows [data-row]"), chromedp.Click(".facet-box summary"))
	tab.Axe(t, "filter form")
	tab.Screenshot(t, "filter-form")
	clean(t, tab, "tools")
}

// A list of one category goes out with what its fields say; what citizens wrote freely, and what is confidential, stays behind.
func TestAListOfACategoryIsExportedWithItsFields(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for code, typ := range map[string]tickets.FieldType{"floor": tickets.FieldNumber, "remark": tickets.FieldText} {
		_, err := r.tickets.SaveField(t.Context(), r.as("administrator"), tickets.CustomField{Category: "environment", Code: code, Names: map[string]string{"en": "The " + code, "zh-CN": code}, Type: typ, Active: true})
		must(t, err)
	}
	k := r.led(r.file("complaint", "Drilling at night", "The site drills every night, we cannot sleep.", "environment.noise"))
	k = r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
	must(t, r.tickets.SetFields(t.Context(), r.as("handler-env"), k.ID, map[string]string{"floor": "7", "remark": "call 13800001234"}))
	b := r.signIn("supervisor")
	b.get("/console/inbox/export.csv?view=open&category=environment.noise").wants(t, http.StatusOK, ",The floor", ",7").lacks(t, "call 13800001234", "The remark")
	b.get("/console/inbox/export.csv?view=open&category=environment.noise&contacts=1").wants(t, http.StatusOK, "The floor", "The remark", "call 13800001234")
	b.get("/console/inbox/export.csv?view=open").wants(t, http.StatusOK, k.Number).lacks(t, "The floor")
}
