package console_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/tickets"
)

// noRoute files a ticket that routing leaves to a dispatcher.
func (r *rig) noRoute() tickets.Ticket {
	return r.file("suggestion", "A bench at the tram stop", "Please put a bench at the tram stop; many old people wait there.", "")
}

func TestDispatcherDispatchesFromTheDesk(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.noRoute()
	b := r.signIn("dispatcher")
	b.get("/console/desk").wants(t, http.StatusOK, k.Number, "Where does it go?")
	form := url.Values{"version": {itoa(k.Version)}, "key": {uuid.NewString()}, "lead": {r.city.Agencies["dept-utilities"].String()}}
	b.post("/console/desk/"+k.ID.String(), form).wants(t, http.StatusOK, "Everything is dispatched")
	if got := r.ticket(k.ID); got.State != tickets.Dispatched || got.Lead != r.city.Agencies["dept-utilities"] {
		t.Fatalf("the ticket is %s at %s", got.State, got.Lead)
	}
	// The same form again is the same act.
	b.post("/console/tickets/"+k.ID.String()+"/do/dispatch", form).wants(t, http.StatusOK, "to be signed")
	if got := r.ticket(k.ID); got.Dispatches != 1 {
		t.Fatalf("dispatched %d times", got.Dispatches)
	}
}

func itoa(n int) string { return string(rune('0' + n%10)) }

func TestHandlerSignsRepliesAndTheCitizenReadsIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	b := r.signIn("handler-env")
	path := "/console/tickets/" + k.ID.String()
	b.get(path).wants(t, http.StatusOK, "Sign for it", "Return", "Drilling at night", "Zhang Wei")
	b.post(path+"/do/sign", url.Values{"version": {itoa(k.Version)}, "key": {"k1"}}).wants(t, http.StatusOK, "in progress", "Final answer", "We have your request "+k.Number)
	k = r.ticket(k.ID)

	// A reply without an outcome comes back with what was typed.
	form := url.Values{"mode": {"reply"}, "text": {"The site may not work at night any more."}, "version": {itoa(k.Version)}, "key": {"k2"}}
	b.post(path+"/compose", form).wants(t, http.StatusBadRequest, "Please fill in: Outcome", "The site may not work at night any more.")
	form.Set("outcome", "resolved")
	form.Set("resolved", "yes")
	b.post(path+"/compose", form).wants(t, http.StatusOK, "replied")
	said, err := r.chat.OfTicket(context.Background(), db.CitizenOfTicket(k.ID), k.ID, 50)
	must(t, err)
	found := false
	for _, m := range said {
		found = found || strings.Contains(m.Text, "may not work at night")
	}
	if !found {
		t.Fatalf("the citizen does not see the reply: %+v", said)
	}
}

func TestConflictIsSaidInWordsAndNothingTypedIsLost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	k = r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
	b := r.signIn("handler-env")
	path := "/console/tickets/" + k.ID.String()
	seen := k.Version
	r.apply("cleared-env", k, tickets.RequestExtend, tickets.Fields{Text: "The inspector is ill", Days: 1})
	form := url.Values{"mode": {"ask_citizen"}, "text": {"Which building is it?"}, "version": {itoa(seen)}, "key": {"k9"}}
	page := b.post(path+"/compose", form)
	page.wants(t, http.StatusConflict, "cleared-env changed this ticket", "asked for an extension", "Which building is it?")
	// With scripts the form stays on the page and gets the words and the new version.
	part := b.post(path+"/compose", form, "HX-Request", "true")
	part.wants(t, http.StatusConflict, "cleared-env changed this ticket", `id="composer-version" value="`+itoa(seen+1)+`"`)
	part.lacks(t, "<html", "Which building")
	if got := part.header.Get("HX-Retarget"); got != "#composer-error" {
		t.Errorf("the words go to %q", got)
	}
}

func TestReturnNeedsReasonAndBasis(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.noRoute()
	k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	b := r.signIn("handler-env")
	path := "/console/tickets/" + k.ID.String() + "/do/request_return"
	b.get(path).wants(t, http.StatusOK, "Outside our responsibilities", "Basis")
	b.post(path, url.Values{"version": {itoa(k.Version)}, "reason": {"not_responsible"}}).wants(t, http.StatusBadRequest, "Please fill in: Basis")
	b.post(path, url.Values{"version": {itoa(k.Version)}, "reason": {"not_responsible"}, "basis": {"Benches are the district's"}}).wants(t, http.StatusOK, "return requested")
	r.signIn("dispatcher").get("/console/inbox?view=returned").wants(t, http.StatusOK, k.Number)
}

func TestNothingThatPeopleWriteRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const evil = `<script>alert(1)</script><img src=x onerror=alert(1)>`
	k := r.file("complaint", "Noise "+evil, "All night "+evil, "environment.noise")
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	b := r.signIn("handler-env")
	path := "/console/tickets/" + k.ID.String()
	b.post(path+"/compose", url.Values{"mode": {"note"}, "text": {"Note " + evil}}).wants(t, http.StatusOK, "Note &lt;script&gt;")
	page := b.get(path)
	page.wants(t, http.StatusOK, "All night &lt;script&gt;")
	page.lacks(t, "<script>alert", "<img src=x")
	e := r.signIn("editor")
	part := e.post("/console/knowledge/preview", url.Values{"title": {evil}, "body": {"**bold** " + evil + " [x](javascript:alert(1))"}})
	part.wants(t, http.StatusOK, "<strong>bold</strong>")
	part.lacks(t, "<script>alert", "<img", "javascript:")
	if regexp.MustCompile(`<script(?: |>)[^s]`).MatchString(page.body) {
		t.Error("an inline script is on the page")
	}
}

func TestUploadsAreServedWithoutTheRightToRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	b := r.signIn("handler-env")
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"mode": "message", "text": "The permit is attached.", "version": itoa(k.Version), "key": "f1"} {
		must(t, form.WriteField(name, value))
	}
	file, err := form.CreateFormFile("files", "../../permit.txt")
	must(t, err)
	_, err = file.Write([]byte("Permit 17, valid until 22:00.\n"))
	must(t, err)
	must(t, form.Close())
	req, err := http.NewRequest(http.MethodPost, r.server.URL+"/console/tickets/"+k.ID.String()+"/compose", &body)
	must(t, err)
	req.Header.Set("Content-Type", form.FormDataContentType())
	page := b.do(req)
	page.wants(t, http.StatusOK, "The permit is attached.", "permit.txt")
	link := regexp.MustCompile(`/console/files/[0-9a-f-]{36}`).FindString(page.body)
	got := b.get(link)
	got.wants(t, http.StatusOK, "Permit 17")
	if csp := got.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") {
		t.Errorf("policy %q", csp)
	}
	if d := got.header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment") {
		t.Errorf("disposition %q", d)
	}
	r.signIn("handler-util").get(link).wants(t, http.StatusNotFound)
}

func TestConfidentialContactIsShownForAReasonThatIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("report", "An inspector asks for money", "The inspector asked for money twice", "environment.waste")
	k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	r.signIn("handler-env").get("/console/tickets/"+k.ID.String()).wants(t, http.StatusNotFound)
	b := r.signIn("cleared-env")
	path := "/console/tickets/" + k.ID.String()
	page := b.get(path)
	page.wants(t, http.StatusOK, "•••", "Show the contact")
	page.lacks(t, "Zhang Wei", "13800001234")
	b.post(path+"/contact", url.Values{"reason": {"because"}}).wants(t, http.StatusBadRequest)
	b.post(path+"/contact", url.Values{"reason": {"The court asked for it, case 17"}}).wants(t, http.StatusOK, "Zhang Wei", "13800001234")
	page = b.get(path)
	page.wants(t, http.StatusOK, "looked at the contact", "The court asked for it, case 17")
	page.lacks(t, "Zhang Wei")
	if strings.Contains(r.log.String(), "Zhang Wei") || strings.Contains(r.log.String(), "13800001234") {
		t.Error("the log holds personal data")
	}
}

func TestAnArticleTakesTwoPeople(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.signIn("editor")
	page := e.post("/console/knowledge/new", url.Values{"title": {"Noise at night"}, "summary": {"No building work after 22:00."}, "body": {"## Rule\n\nNot after **22:00**."},
		"lang_of": {"en"}, "audience": {"public"}, "owner": {r.city.Agencies["dept-environment"].String()}})
	page.wants(t, http.StatusOK, "draft", "Submit for review")
	path := page.path
	ref := url.Values{"version": {"1"}, "edit": {"1"}}
	e.post(path+"/do/submit", ref).wants(t, http.StatusOK, "in review")
	e.post(path+"/do/publish", url.Values{"version": {"1"}, "edit": {"2"}}).wants(t, http.StatusForbidden)
	reviewer := r.signIn("reviewer")
	reviewer.get(path).wants(t, http.StatusOK, "Publish", "<strong>22:00</strong>")
	reviewer.post(path+"/do/publish", url.Values{"version": {"1"}, "edit": {"1"}}).wants(t, http.StatusConflict)
	reviewer.post(path+"/do/publish", url.Values{"version": {"1"}, "edit": {"2"}}).wants(t, http.StatusOK, "published")
	found, err := r.knowledge.Search(context.Background(), knowledge.Query{Text: "building noise at night", Lang: "en"})
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("search finds %d articles", len(found))
	}
	// A colleague finds it wrong: it is not shown until that is cleared.
	r.signIn("operator").post(path+"/do/dispute", url.Values{"text": {"It is 21:00 now"}}).wants(t, http.StatusOK, "disputed")
	found, err = r.knowledge.Search(context.Background(), knowledge.Query{Text: "building noise at night", Lang: "en"})
	must(t, err)
	if len(found) != 0 {
		t.Fatal("a disputed article is still found")
	}
	reviewer.get(path).wants(t, http.StatusOK, "It is 21:00 now")
	// The next version shows what changed.
	e.post(path+"/edit", url.Values{"title": {"Noise at night"}, "summary": {"No building work after 21:00."}, "body": {"## Rule\n\nNot after **21:00**."}, "audience": {"staff"},
		"version": {"1"}, "edit": {"3"}, "then": {"submit"}}).wants(t, http.StatusOK, "in review", "<del>Not after **<mark>22</mark>:00**.</del>", "<ins>Not after **<mark>21</mark>:00**.</ins>")
}

func TestALiveChatIsTakenAnsweredAndFiled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	got, err := r.chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "demo", Thread: "visitor-1", ExternalID: "1", Text: "The water bill is far too high", Lang: "en"})
	must(t, err)
	must(t, r.chat.AskHuman(ctx, got.ConversationID))
	b := r.signIn("operator")
	path := "/console/chats/" + got.ConversationID.String()
	b.get("/console/chats").wants(t, http.StatusOK, "Waiting", path)
	b.post(path+"/send", url.Values{"text": {"Hello"}, "key": {"a"}}).wants(t, http.StatusConflict)
	b.post(path+"/take", nil).wants(t, http.StatusOK, "File a ticket", "Hand back")
	r.signIn("supervisor").post(path+"/take", nil, "HX-Request", "true").wants(t, http.StatusConflict, "operator")
	b.post(path+"/send", url.Values{"text": {"Hello, I am looking into it."}, "key": {"b"}}).wants(t, http.StatusOK, "I am looking into it.")
	b.post(path+"/send", url.Values{"text": {"Hello, I am looking into it."}, "key": {"b"}})
	b.get(path+"/ticket").wants(t, http.StatusOK, "The water bill is far too high")
	page := b.post(path+"/ticket", url.Values{"kind": {"complaint"}, "description": {"The water bill is far too high"}, "category": {"utilities.water"}, "urgency": {"normal"}})
	page.wants(t, http.StatusOK, "The water bill is far too high")
	ms, err := r.chat.Messages(ctx, db.Citizen(got.ConversationID), got.ConversationID, 0, 0)
	must(t, err)
	if ms, err = r.chat.RenderFor(ctx, chat.ReaderCitizen, ms); err != nil {
		t.Fatal(err)
	}
	hello, code := 0, false
	for _, m := range ms {
		if m.Text == "Hello, I am looking into it." {
			hello++
		}
		code = code || regexp.MustCompile(`(\d{4} ){4}\d{4}`).MatchString(m.Text)
	}
	if hello != 1 || !code {
		t.Fatalf("said %d times, tracking code told: %v", hello, code)
	}
	page.lacks(t, "{tracking_code}")
	page.lacks(t, "Chat rated")
	_, err = r.chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "demo", Thread: "visitor-1", ExternalID: "9", Choice: "rate_chat:2", Text: "unsatisfied", Lang: "en"})
	must(t, err)
	b.get(path).wants(t, http.StatusOK, `<span class="badge danger">unsatisfied</span>`)
	b.get(page.path).wants(t, http.StatusOK, "Chat rated", `<span class="badge danger">unsatisfied</span>`)
	b.post(path+"/back", nil).wants(t, http.StatusOK, "Take over")
}

func TestAChatOffersTheMacrosThatNeedNoTicket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	save := func(name, mode, words string, does tickets.MacroDeeds) {
		t.Helper()
		_, err := r.tickets.SaveMacro(ctx, r.as("supervisor"), tickets.Macro{Names: map[string]string{"en": name}, Active: true, Mode: mode, Texts: map[string]string{"en": words}, Does: does})
		must(t, err)
	}
	save("Greeting", "message", "Good day, {{me}} here.", tickets.MacroDeeds{})
	save("Where it stands", "message", "Your case {{number}} is with {{agency}}.", tickets.MacroDeeds{})
	save("Visit", "message", "We come and look.", tickets.MacroDeeds{Tags: []string{"visit"}})
	save("Remember", "note", "For colleagues only.", tickets.MacroDeeds{})
	got, err := r.chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "demo", Thread: "visitor-m", ExternalID: "1", Text: "The water bill is far too high", Lang: "en"})
	must(t, err)
	must(t, r.chat.AskHuman(ctx, got.ConversationID))
	b := r.signIn("operator")
	path := "/console/chats/" + got.ConversationID.String()
	page := b.post(path+"/take", nil)
	page.wants(t, http.StatusOK, "Greeting", "Good day, operator here.")
	page.lacks(t, "Where it stands", "We come and look.", "For colleagues only.")
	b.post(path+"/ticket", url.Values{"kind": {"complaint"}, "description": {"The water bill is far too high"}, "category": {"utilities.water"}, "urgency": {"normal"}})
	page = b.get(path)
	page.wants(t, http.StatusOK, "Greeting", "Where it stands", "Your case 2026-")
	page.lacks(t, "We come and look.", "For colleagues only.")
}

func TestAdministratorManagesUsersAgenciesAndKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("administrator")
	env := r.city.Agencies["dept-environment"].String()
	b.post("/console/admin/users/new", url.Values{"email": {"li@tiny.example"}, "name": {"Li Na"}, "agency": {env}, "roles": {"handler"}, "lang_of": {"zh-CN"}, "password": {"short"}}).
		wants(t, http.StatusBadRequest, "li@tiny.example", "Li Na")
	b.post("/console/admin/users/new", url.Values{"email": {"li@tiny.example"}, "name": {"Li Na"}, "agency": {env}, "roles": {"handler"}, "lang_of": {"zh-CN"}, "password": {password}}).
		wants(t, http.StatusOK, "Li Na")
	n := r.visitor()
	n.post("/console/sign-in", url.Values{"email": {"li@tiny.example"}, "password": {password}}).wants(t, http.StatusOK, "收件箱", "Li Na")
	b.post("/console/admin/keys", url.Values{"name": {"Open data"}, "agency": {env}, "scopes": {"tickets:read"}}).wants(t, http.StatusOK, "Copy the key now", "hlk_")
	b.get("/console/admin/keys").lacks(t, "Copy the key now")
	street := "/console/admin/agencies/" + r.city.Agencies["street-east-2"].String()
	b.post(street, url.Values{"version": {"1"}, "name_en": {"East Two office"}, "name_zh-CN": {"东二街道"}, "phone": {"555-1"}}).wants(t, http.StatusOK, "East Two office", "Saved")
	b.post(street, url.Values{"version": {"1"}, "name_en": {"Other"}, "name_zh-CN": {"别的"}}).wants(t, http.StatusConflict, "Other")
	b.post(street+"/active", url.Values{"version": {"2"}}).wants(t, http.StatusOK, "Open it again")
	// A changed password ends the person's sessions.
	user := "/console/admin/users/" + r.city.Users["operator"].String()
	o := r.signIn("operator")
	b.post(user+"/password", url.Values{"password": {"another long phrase here"}}).wants(t, http.StatusOK, "Saved")
	if page := o.get("/console/inbox"); page.path != "/console/sign-in" {
		t.Errorf("the old session goes on at %s", page.path)
	}
}

func TestWithoutASessionAFragmentIsRefusedAndNotReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	page := r.visitor().post("/console/tickets/"+uuid.NewString()+"/compose", url.Values{"text": {"x"}}, "HX-Request", "true")
	page.wants(t, http.StatusUnauthorized, "Your session has ended")
	if got := page.header.Get("HX-Retarget"); got != "#toasts" {
		t.Errorf("retarget %q: what was typed would be replaced", got)
	}
}

func TestARatingIsShownAsTheCitizenMeantIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake", "environment.noise")
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	k = r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
	yes := true
	k = r.apply("handler-env", k, tickets.Reply, tickets.Fields{Text: "The work has stopped.", Outcome: "resolved", Resolved: &yes})
	_, err := r.tickets.Rate(context.Background(), tickets.CitizenBy(db.CitizenOfTicket(k.ID)), k.ID, tickets.Rating{Grade: 1, Text: "It has not stopped"})
	must(t, err)
	b := r.signIn("supervisor")
	page := b.get("/console/tickets/" + k.ID.String())
	page.wants(t, http.StatusOK, `badge danger">very unsatisfied`, "It has not stopped")
	b.get("/console/notifications").wants(t, http.StatusOK, "A citizen is not satisfied", "Mark all as read")
	read := b.post("/console/notifications/read", nil)
	read.wants(t, http.StatusOK, "A citizen is not satisfied")
	read.lacks(t, "Mark all as read")
	r.signIn("handler-env").get("/console/notifications").wants(t, http.StatusOK, "dispatched to your agency")
}
