package app_test

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/knowledge/exchange"
	"hotline/tickets"
	"hotline/web/webtest"
)

// signedIn is a tab of somebody of staff that the trap watches.
func (tr *trap) signedIn(a *app.App, who, path string) *webtest.Tab {
	tr.t.Helper()
	p := staff(tr.t, tr.browser, a, who+"@lanting.example")
	tr.watch(p.tab, a.URL())
	p.tab.Go(tr.t, chromedp.Navigate(a.URL()+path))
	return p.tab
}

func (tr *trap) shows(a *app.App, tab *webtest.Tab, path, word, where string) {
	tr.t.Helper()
	tab.Go(tr.t, chromedp.Navigate(a.URL()+path))
	tab.WaitJS(tr.t, `document.readyState === "complete" && document.body.innerText.includes(`+quoted(word)+`)`)
	tr.clean(tab, where)
}

// TestHostileArticlesAreTextInTheConsole looks at every attack where editors do: the article with what changed, its form, lists, and the preview while
// it is typed.
func TestHostileArticlesAreTextInTheConsole(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	tr := newTrap(t, webtest.New(t))
	all := attacks(tr.beacon.URL)
	type pair struct {
		attack
		body, summary knowledge.Article
	}
	pairs := make([]pair, len(all))
	for i, x := range all {
		pairs[i].attack = x
		pairs[i].body, pairs[i].summary = publishHostile(t, a, x)
	}

	tab := tr.signedIn(a, "reviewer", "/console/knowledge")
	for _, p := range pairs {
		tr.shows(a, tab, "/console/knowledge/"+p.body.ID.String(), p.inBody, "with what changed: "+p.text)
		tab.WaitJS(t, `!!document.querySelector(".diff")`)
		tr.shows(a, tab, "/console/knowledge/"+p.summary.ID.String(), p.inSummary, "with form: "+p.text)
	}
	for _, path := range []string{"", "/topics", "/" + pairs[0].body.ID.String() + "/told", "/" + pairs[0].body.ID.String() + "/effect", "/board"} {
		tr.shows(a, tab, "/console/knowledge"+path, "", path)
	}
	tr.quiet(tab, "the console")

	tab = tr.signedIn(a, "editor", "/console/knowledge/new")
	for _, p := range pairs {
		webtest.Eval[bool](t, tab, `(() => { const put = (id, words) => { const e = document.querySelector(id); e.value = words; e.dispatchEvent(new Event("input", {bubbles: true})); };
			put("#e-title", `+jsText(p.inBody+" "+oneLine(p.text, 150))+`); put("#e-summary", `+jsText(oneLine(p.text, 150))+`); put("#e-body", `+jsText(p.text)+`); return true; })()`)
		tab.WaitJS(t, `document.querySelector("#preview").innerText.includes(`+quoted(p.inBody)+`)`)
		tr.clean(tab, "preview: "+p.text)
	}
	tr.quiet(tab, "the preview")
}

// TestHostileQuestionsAreTextInGaps: what citizens asked in vain is an attack itself, in the list of gaps and in each of them.
func TestHostileQuestionsAreTextInGaps(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	tr := newTrap(t, webtest.New(t))
	all := attacks(tr.beacon.URL)
	if err := db.WithTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error {
		b := &pgx.Batch{}
		for i, x := range all {
			for range 2 {
				knowledge.QueueTold(b, knowledge.Told{ID: db.NewID(), At: time.Now(), Seq: int64(i + 1), Lang: "en", Channel: "web", By: knowledge.ByBot, Question: x.inBody + " gap " + oneLine(x.text, 250), Outcome: knowledge.None})
			}
		}
		return tx.SendBatch(t.Context(), b).Close()
	}); err != nil {
		t.Fatal(err)
	}
	awaitRow(t, a, "the gaps", `select count(*) > 10 from gaps where size > 0 and state = 'open'`)
	tab := tr.signedIn(a, "editor", "/console/gaps")
	for next := "/console/gaps"; next != ""; {
		tab.Go(t, chromedp.Navigate(a.URL()+next))
		tr.clean(tab, next)
		next = webtest.Eval[string](t, tab, `document.querySelector(".more a")?.getAttribute("href") || ""`)
	}
	tab.Go(t, chromedp.Navigate(a.URL()+"/console/gaps"))
	gaps := webtest.Eval[[]string](t, tab, `[...new Set([...document.querySelectorAll('a[href^="/console/gaps/"]')].map(a => a.getAttribute("href")))]`)
	if len(gaps) < 10 {
		t.Fatalf("%d gaps are listed", len(gaps))
	}
	for _, path := range gaps {
		tr.shows(a, tab, path, "", "gap "+path)
	}
	tr.quiet(tab, "the gaps")
}

// TestHostileArticlesAreTextOnTickets inserts each article into an answer, sends it, and looks at the case from all sides, on paper too.
func TestHostileArticlesAreTextOnTickets(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	tr := newTrap(t, webtest.New(t))
	all := attacks(tr.beacon.URL)
	for _, x := range all {
		publishHostile(t, a, x)
	}
	tr.onTicket(a, all)
	tr.exported(a, all)
}

// onTicket inserts each article into an answer, sends it, and looks at the case from all sides, on paper too.
func (tr *trap) onTicket(a *app.App, all []attack) {
	t := tr.t
	t.Helper()
	trained(t, a)
	filed, err := a.Chat.FileTicket(t.Context(), chat.Filing{Channel: channels.Portal, Account: "form", ExternalID: uuid.NewString(), Lang: "en", Text: "The building site in Lake Road drills all night.",
		Draft: tickets.Draft{Kind: "complaint", Category: "environment.noise.construction", Description: "The building site in Lake Road drills all night.", Place: "12 Lake Road", Lang: "en"}})
	if err != nil {
		t.Fatal(err)
	}
	if filed.Ticket.State == tickets.PendingDispatch {
		env, _ := a.Routing.Snapshot().AgencyByCode("dept-environment")
		if _, err := a.Tickets.Apply(t.Context(), tickets.System(), filed.Ticket.ID, tickets.AnyVersion, tickets.Dispatch, tickets.Fields{Lead: env.ID}, ""); err != nil {
			t.Fatal(err)
		}
	}
	handler := staff(t, tr.browser, a, "environment@lanting.example")
	tr.watch(handler.tab, a.URL())
	at := a.URL() + "/console/tickets/" + filed.Ticket.ID.String()
	handler.tab.Go(t, chromedp.Navigate(at))
	handler.clicks(`#actions form[action$="/do/sign"] button`)
	awaitState(t, a, filed.Ticket.Number, "in_progress")
	handler.tab.Go(t, chromedp.Navigate(at))
	for i, x := range all {
		for _, word := range []string{x.inBody, x.inSummary} {
			if i%2 == 0 && word == x.inSummary {
				continue // one of the two is enough for every other
			}
			handler.fills(`#suggest input[type=search]`, word)
			handler.tab.WaitJS(t, `!!document.querySelector("#suggestions .suggestion")?.textContent.includes(`+quoted(word)+`) && !!document.querySelector("#suggestions button[data-insert]")`)
			handler.clicks(`#suggestions .suggestion:not(.draft) button[data-insert]`)
			handler.tab.WaitJS(t, `document.querySelector("#composer-text").value.includes(`+quoted(word)+`)`)
			tr.clean(handler.tab, "inserted: "+x.text)
			webtest.Eval[bool](t, handler.tab, `(() => { const c = document.querySelector("#composer-text"); window.said = (window.said || "") + c.value.slice(0, 400) + "\n"; c.value = ""; document.querySelector("#cites").replaceChildren(); return true; })()`)
		}
	}
	webtest.Eval[bool](t, handler.tab, `(() => { document.querySelector("#composer-text").value = window.said.slice(0, 18000); return true; })()`)
	handler.clicks(`#composer input[name=mode][value=reply]`)
	handler.fills("#composer select[name=outcome]", "resolved")
	handler.fills("#composer select[name=resolved]", "yes")
	handler.clicks("#composer button.send")
	awaitState(t, a, filed.Ticket.Number, "replied")
	for _, path := range []string{at, at + "/print"} {
		handler.tab.Go(t, chromedp.Navigate(path))
		handler.tab.WaitJS(t, `document.readyState === "complete" && document.body.innerText.includes(`+quoted(all[0].inBody)+`)`)
		tr.clean(handler.tab, path)
	}
	tr.quiet(handler.tab, "the ticket")
	citizen := person{t, tr.browser.Open(t, webtest.Phone, a.URL()+"/track?lang=en")}
	tr.watch(citizen.tab, a.URL())
	citizen.tab.Run(t, chromedp.SendKeys("#code", filed.Code+"\r"))
	citizen.tab.WaitJS(t, `location.pathname === "/track/case" && document.readyState === "complete" && document.body.innerText.includes(`+quoted(all[0].inBody)+`)`)
	tr.clean(citizen.tab, "the citizen's case")
	tr.quiet(citizen.tab, "the citizen's case")
}

// exported opens each page of the export as a file, which has no server to send a policy with it.
func (tr *trap) exported(a *app.App, all []attack) {
	t := tr.t
	t.Helper()
	next, err := a.Knowledge.Export(t.Context(), uuid.Nil, true)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := exchange.Write(&file, "html", next); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	pages := httptest.NewServer(http.FileServerFS(z))
	defer pages.Close()
	tab := tr.browser.Open(t, webtest.Desktop, pages.URL)
	tr.watch(tab, pages.URL)
	hostile := 0
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		source, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(all, func(x attack) bool { return bytes.Contains(source, []byte("<title>"+x.inBody)) }) {
			continue
		}
		hostile++
		tab.Go(t, chromedp.Navigate(pages.URL+"/"+f.Name))
		tr.clean(tab, "exported: "+f.Name)
	}
	if hostile != len(all) {
		t.Errorf("%d of %d articles were found in the export", hostile, len(all))
	}
	tr.quiet(tab, "the export")
}

// jsText is a text as a literal of JavaScript.
func jsText(s string) string {
	return strconv.QuoteToASCII(s)
}
