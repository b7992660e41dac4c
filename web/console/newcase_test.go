package console_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
	"hotline/tickets/flags"
	"hotline/web/webtest"
)

func caseForm(change ...string) url.Values {
	f := url.Values{"key": {"case-1"}, "channel": {"phone"}, "name": {"Wang Fang"}, "phone": {"139 0000 1111"}, "lang_of": {"en"}, "kind": {"complaint"},
		"text": {"The lorries in Mill Road start at five every morning."}, "place": {"Mill Road 3"}}
	for i := 0; i+1 < len(change); i += 2 {
		f.Set(change[i], change[i+1])
	}
	return f
}

var codeOnPage = regexp.MustCompile(`<dd class="newcase-code">(.*?)</dd>`)

func (a answer) trackingCode() string {
	m := codeOnPage.FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	return strings.NewReplacer("<span>", "", "</span>", "", " ", "").Replace(m[1])
}

func TestAnOfficerFilesForACaller(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("operator")
	b.get("/console/new").wants(t, http.StatusOK, "New case", `value="phone" checked`, "Letter", `name="key"`)
	done := b.post("/console/new", caseForm("category", "environment.noise", "item", "T-ENV-001", "lat", "30.1", "lon", "125.3"))
	done.wants(t, http.StatusOK, "The case is filed", "2026-0000", "Telephone")
	id := uuid.MustParse(strings.TrimPrefix(done.path, "/console/new/"))
	k := r.ticket(id)
	if k.Channel != "phone" || k.Kind != "complaint" || k.ServiceItem != "T-ENV-001" || k.Lat == nil || k.Place != "Mill Road 3" || k.ContactID == nil {
		t.Errorf("filed %+v", k)
	}
	// The code that is read out opens the case.
	code := done.trackingCode()
	if got, err := r.tickets.ByCode(context.Background(), code); err != nil || got.ID != id {
		t.Errorf("the code %q opens %v, %v", code, got.ID, err)
	}
	history, err := r.tickets.Timeline(t.Context(), tickets.System(), id)
	must(t, err)
	if history[0].Actor != "staff" || history[0].UserID != r.city.Users["operator"] {
		t.Errorf("the history says that %s %s opened it", history[0].Actor, history[0].UserID)
	}
	// Sent again, even for another channel, it is the same case.
	for _, f := range []url.Values{caseForm("category", "environment.noise", "item", "T-ENV-001", "lat", "30.1", "lon", "125.3"), caseForm("channel", "letter")} {
		if again := b.post("/console/new", f); again.path != done.path || again.trackingCode() != code {
			t.Errorf("again: %d %s", again.status, again.path)
		}
	}
	// With other words it is neither that case nor another one: the officer is told, keeps what was typed, and nothing is filed.
	other := b.post("/console/new", caseForm("text", "Something quite different happened here."))
	other.wants(t, http.StatusConflict, "already sent and made case "+k.Number, "Something quite different happened here.", "/console/tickets/"+k.ID.String())
	b.post("/console/new", caseForm("phone", "139 0000 2222")).wants(t, http.StatusConflict, k.Number)
	// The sheet for the caller, in their language and without buttons; the code is shown to nobody else on the staff.
	b.get(done.path+"/receipt").wants(t, http.StatusOK, "Receipt", "https://hotline.example/track", "12345", k.Number, "lorries in Mill Road")
	r.signIn("dispatcher").get(done.path).wants(t, http.StatusNotFound)
	r.clock.Advance(25 * 3600e9)
	r.signIn("operator").get(done.path).wants(t, http.StatusNotFound)
}

func TestANewCaseSaysWhatIsWrongAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("dispatcher")
	bad := b.post("/console/new", caseForm("channel", "pigeon", "phone", "ask him", "text", "", "lat", "north", "name", "Wang <b>"))
	bad.wants(t, http.StatusUnprocessableEntity, "Say how it came in", "telephone number does not look right", "Write down what the person says", "needs two numbers", `value="Wang &lt;b&gt;"`, `value="ask him"`, `href="#nc-phone"`)
	b.post("/console/new", caseForm("name", "", "phone", "")).wants(t, http.StatusUnprocessableEntity, "or tick anonymous")
	anonymous := b.post("/console/new", caseForm("anonymous", "yes"))
	k := r.ticket(uuid.MustParse(strings.TrimPrefix(anonymous.path, "/console/new/")))
	if k.ContactID != nil {
		t.Error("an anonymous case has a contact")
	}
}

func TestANewCaseShowsWhatIsKnownBeforeItIsFiled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old := r.file("complaint", "Drilling at night in Lake Road", "Construction noise at night keeps us awake, every night until two.", "environment.noise")
	secret := r.file("report", "Bribes", "The inspector of the market takes money.", "environment.waste")
	now := r.clock.Now()
	_, err := r.deps.Flags.Set(t.Context(), r.as("supervisor"), old.ID, flags.Draft{Type: "vulnerable", Reason: "hard of hearing, speak slowly", ReviewAt: now.AddDate(0, 0, 30), ExpiresAt: now.AddDate(0, 0, 60)})
	must(t, err)
	f := caseForm("phone", "13800001234", "text", "Construction noise at night in Lake Road keeps us awake", "category", "environment.noise")
	b := r.signIn("operator")
	shown := b.post("/console/new", f)
	shown.wants(t, http.StatusOK, "Look at the cases that are alike", old.Number, "hard of hearing", "Earlier cases of this person", "It may be about", "Noise", `name="seen" value="`+old.ID.String()+`"`, "the same telephone or e-mail")
	shown.lacks(t, secret.Number, "Bribes")
	if n := r.count(`select count(*) from tickets`); n != 2 {
		t.Fatalf("%d tickets", n)
	}
	// While typing the panel alone comes back, and the number typed is in no address.
	look := b.post("/console/new/look", f, "HX-Request", "true")
	look.wants(t, http.StatusOK, old.Number, "hard of hearing")
	look.lacks(t, "<main", "newcase-typed")
	// A suggestion is taken without scripts.
	pick := b.post("/console/new", caseForm("pick", "environment.waste"))
	pick.wants(t, http.StatusOK, `<option value="environment.waste" selected>`, "lorries in Mill Road")
	// Having seen it, the officer files a case of its own, or joins it.
	f.Add("seen", old.ID.String())
	own := b.post("/console/new", f)
	own.wants(t, http.StatusOK, "The case is filed")
	f.Set("key", "case-2")
	f.Set("follow", old.ID.String())
	f.Add("seen", strings.TrimPrefix(own.path, "/console/new/"))
	joined := b.post("/console/new", f)
	joined.wants(t, http.StatusOK, "joined "+old.Number)
	if k := r.ticket(uuid.MustParse(strings.TrimPrefix(joined.path, "/console/new/"))); k.Parent != old.ID {
		t.Errorf("it did not join: %s", k.State)
	}
}

func TestANewCaseAsksForTheFieldsOfItsSubject(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.as("administrator")
	for _, f := range []tickets.CustomField{
		{Category: "environment.noise", Code: "since", Names: map[string]string{"en": "Since when"}, Type: tickets.FieldDate, Asked: true, Intake: true, Active: true},
		{Category: "environment.noise", Code: "source", Names: map[string]string{"en": "Source"}, Type: tickets.FieldText, Active: true}} {
		_, err := r.tickets.SaveField(t.Context(), admin, f)
		must(t, err)
	}
	b := r.signIn("operator")
	f := caseForm("category", "environment.noise", "f_since", "yesterday", "f_source", "a crane")
	b.post("/console/new/subject", f, "HX-Request", "true").wants(t, http.StatusOK, "Since when", "(needed)", `>a crane</textarea>`)
	b.post("/console/new", f).wants(t, http.StatusUnprocessableEntity, "What stands in “Since when” does not fit")
	f.Set("f_since", "")
	b.post("/console/new", f).wants(t, http.StatusUnprocessableEntity, "Fill in “Since when”", ">a crane</textarea>")
	f.Set("without", "yes")
	done := b.post("/console/new", f)
	done.wants(t, http.StatusOK, "The case is filed")
	values, err := r.tickets.FieldValues(t.Context(), tickets.System(), uuid.MustParse(strings.TrimPrefix(done.path, "/console/new/")))
	if err != nil || values["source"].Value != "a crane" {
		t.Errorf("kept %v, %v", values, err)
	}
}

func TestDangerIsSaidWhileTheCallerIsThere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn("operator")
	f := caseForm("text", "My house is on fire, my mother is upstairs", "name", "", "anonymous", "yes")
	b.post("/console/new/look", f, "HX-Request", "true").wants(t, http.StatusOK, "Danger to life", "119")
	done := b.post("/console/new", f)
	done.wants(t, http.StatusOK, "Danger to life", "119", "The case is filed")
	if k := r.ticket(uuid.MustParse(strings.TrimPrefix(done.path, "/console/new/"))); k.Urgency != "urgent" {
		t.Errorf("its urgency is %s", k.Urgency)
	}
}

func TestWhoMayTakeCasesIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for user, status := range map[string]int{"operator": 200, "dispatcher": 200, "administrator": 200, "supervisor": 403, "editor": 403, "handler-street": 403} {
		r.signIn(user).get("/console/new").wants(t, status)
	}
	r.signIn("handler-street").get("/console/inbox").lacks(t, `href="/console/new"`)
	// The street office opens a counter.
	admin := r.signIn("administrator")
	page := admin.get("/console/admin/agencies/" + r.city.Agencies["street-east-1"].String())
	page.wants(t, http.StatusOK, "Takes cases in at a counter")
	admin.post("/console/admin/agencies/"+r.city.Agencies["street-east-1"].String(), url.Values{"version": {"1"}, "name_en": {"East One street office"}, "name_zh-CN": {"东一街道办事处"}, "area": {"street-east-1"}, "counter": {"yes"}}).wants(t, http.StatusOK, "checked")
	street := r.signIn("handler-street")
	street.get("/console/inbox").wants(t, http.StatusOK, `href="/console/new"`)
	// What routing sends elsewhere is out of their sight; the receipt is not.
	done := street.post("/console/new", caseForm("channel", "counter", "text", "No water since this morning", "category", "utilities.water"))
	done.wants(t, http.StatusOK, "The case is filed", "Counter")
	done.lacks(t, "Open the case")
	if len(done.trackingCode()) != 20 {
		t.Errorf("code %q", done.trackingCode())
	}
}

func (r *rig) count(sql string) (n int) {
	r.t.Helper()
	must(r.t, db.ReadTx(context.Background(), r.pool, db.System(), func(tx db.Tx) error { return tx.QueryRow(context.Background(), sql).Scan(&n) }))
	return n
}

func TestACaseIsTypedInABrowser(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	for i, view := range []webtest.View{webtest.Desktop, {Width: 390, Height: 844, Phone: true, Lang: "zh-CN", Dark: true}} {
		r := newRig(t)
		old := r.file("complaint", "Drilling at night in Lake Road", "Construction noise at night keeps us awake, every night until two.", "environment.noise")
		now := r.clock.Now()
		_, err := r.deps.Flags.Set(t.Context(), r.as("supervisor"), old.ID, flags.Draft{Type: "vulnerable", Reason: "hard of hearing, speak slowly", ReviewAt: now.AddDate(0, 0, 30), ExpiresAt: now.AddDate(0, 0, 60)})
		must(t, err)
		_, err = r.tickets.SaveField(t.Context(), r.as("administrator"), tickets.CustomField{Category: "environment.noise", Code: "since", Names: map[string]string{"en": "Since when", "zh-CN": "从什么时候开始"}, Type: tickets.FieldDate, Asked: true, Intake: true, Active: true})
		must(t, err)
		p, err := r.auth.ByID(t.Context(), r.city.Users["operator"])
		must(t, err)
		if view.Lang != "" {
			must(t, r.auth.SetLang(t.Context(), p, view.Lang))
		}
		name := "newcase-" + strconv.Itoa(i)
		var tab *webtest.Tab
		if view.Phone { // has no keys
			tab = r.enter(t, b, view, "operator", "/console/new")
		} else {
			tab = r.enter(t, b, view, "operator", "/console/inbox")
			tab.Run(t, chromedp.KeyEvent("c"))
		}
		tab.Run(t, chromedp.WaitReady("#newcase"))
		tab.Run(t, chromedp.SendKeys("#nc-phone", "13800001234"), chromedp.WaitReady(`#newcase-panel a[href="/console/tickets/`+old.ID.String()+`"]`))
		tab.Run(t, chromedp.SendKeys("#nc-text", "Construction noise at night in Lake Road"), chromedp.WaitReady(`#newcase-panel input[value="`+old.ID.String()+`"]`), chromedp.WaitReady(`#newcase-panel button[name="pick"]`))
		tab.Run(t, chromedp.Click(`#newcase-panel button[name="pick"]`), chromedp.WaitReady(`#nc-category option[value="environment.noise"]:checked`), chromedp.WaitReady(`#nc-f_since`))
		tab.Axe(t, name)
		tab.Screenshot(t, name)
		// A form that lacks something comes back with what was typed; Enter sends it, and takes no suggestion by mistake.
		tab.Run(t, chromedp.SendKeys("#nc-name", "Wang Fang"+kb.Enter), chromedp.WaitReady(`#error a[href="#nc-f_since"]`))
		tab.Axe(t, name+" refused")
		tab.Screenshot(t, name+"-refused")
		tab.Run(t, chromedp.Click(`input[name="without"]`), chromedp.Click(`button[name="do"][value="file"]`), chromedp.WaitReady(".newcase-done"))
		if n := r.count(`select count(*) from tickets where channel = 'phone' and category = 'environment.noise'`); n != 1 {
			t.Errorf("%d cases were filed", n)
		}
		tab.Axe(t, name+" done")
		tab.Screenshot(t, name+"-done")
		tab.Run(t, chromedp.Click(`a[href$="/receipt"]`), chromedp.WaitReady(".receipt"))
		tab.Axe(t, name+" receipt")
		tab.Screenshot(t, name+"-receipt")
		for _, line := range tab.Complaints() {
			if !strings.Contains(line, "422") { // the form that lacked something
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}
