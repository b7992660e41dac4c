package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/web/webtest"
)

// person is somebody at a browser.
type person struct {
	t   *testing.T
	tab *webtest.Tab
}

const inWidget = `(() => { const r = document.querySelector("hotline-chat").shadowRoot; return `

func quoted(s string) string { return "`" + strings.ReplaceAll(s, "`", "\\`") + "`" }

func (p person) widget(expression string) {
	p.t.Helper()
	p.tab.WaitJS(p.t, inWidget+expression+`; })()`)
}

// tells writes into the chat and waits for words of the answer.
func (p person) tells(words string) {
	p.t.Helper()
	webtest.Eval[bool](p.t, p.tab, inWidget+`(r.querySelector("textarea").focus(), true); })()`)
	p.tab.Run(p.t, chromedp.KeyEvent(words), chromedp.KeyEvent(kb.Enter))
}

func (p person) reads(words string) {
	p.t.Helper()
	p.widget(`r.querySelector(".panel").innerText.includes(` + quoted(words) + `)`)
}

// taps presses a button of the chat by its words; the last one, where several bubbles offer the same.
func (p person) taps(words string) {
	p.t.Helper()
	find := `[...r.querySelectorAll("button")].filter(b => b.offsetParent && !b.disabled && b.textContent.trim().endsWith(` + quoted(words) + `)).at(-1)`
	p.widget(`!!` + find)
	webtest.Eval[bool](p.t, p.tab, inWidget+`(`+find+`.click(), true); })()`)
}

// on a staff page: sees words, presses the first element that matches.
func (p person) sees(words string) {
	p.t.Helper()
	p.tab.WaitJS(p.t, `document.body.innerText.includes(`+quoted(words)+`)`)
}

func (p person) clicks(selector string) {
	p.t.Helper()
	p.tab.WaitJS(p.t, `!!document.querySelector(`+quoted(selector)+`)`)
	webtest.Eval[bool](p.t, p.tab, `(document.querySelector(`+quoted(selector)+`).click(), true)`)
}

func (p person) fills(selector, value string) {
	p.t.Helper()
	p.tab.WaitJS(p.t, `!!document.querySelector(`+quoted(selector)+`)`)
	webtest.Eval[bool](p.t, p.tab, `(() => { const e = document.querySelector(`+quoted(selector)+`); e.value = `+quoted(value)+`; e.dispatchEvent(new Event("input", {bubbles: true})); e.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`)
}

func staff(t *testing.T, b *webtest.Browser, a *app.App, email string) person {
	t.Helper()
	p := person{t, b.Open(t, webtest.Desktop, a.URL()+"/console/sign-in?lang=en")}
	p.tab.Run(t, chromedp.SendKeys("#email", email), chromedp.SendKeys("#password", app.DemoPassword+kb.Enter))
	p.tab.WaitJS(t, `location.pathname !== "/console/sign-in" && document.readyState === "complete"`)
	return p
}

func trained(t *testing.T, a *app.App) {
	t.Helper()
	for !a.Routing.Trained() {
		wait(t.Context(), wait20ms)
	}
}

// TestStory plays the main job from the first question to the assessment, in real browsers on the real wiring.
func TestStory(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	trained(t, a)
	browser := webtest.New(t)

	view := webtest.Desktop
	view.Lang = "zh-CN"
	citizen := person{t, browser.Open(t, view, a.URL()+"/?lang=zh-CN")}
	citizen.tab.WaitJS(t, `!!document.querySelector("hotline-chat")?.shadowRoot?.querySelector(".launcher")`)
	webtest.Eval[bool](t, citizen.tab, inWidget+`(r.querySelector(".launcher").click(), true); })()`)

	// A question in Chinese gets an answer with its source.
	citizen.tells("驾驶证快到期了怎么换证？")
	citizen.widget(`!!r.querySelector(".cite-title")`)
	citizen.reads("驾驶证")
	picture(t, citizen.tab, "chat-answer.png")

	// A complaint that is too vague for the rules: a person decides where it goes.
	citizen.tells("我要投诉，小区旁边很吵，晚上睡不着")
	citizen.reads("在什么地方")
	citizen.tells("兰汀大道12号")
	citizen.reads("怎么联系您")
	citizen.taps("在这里答复我就行")
	citizen.reads("请您核对一下")
	citizen.taps("对，提交")
	awaitRow(t, a, "the ticket", `select exists (select from tickets where state = 'pending_dispatch')`)
	number := ticketNumber(t, a)
	citizen.reads("查询码")
	citizen.reads(number)
	citizen.tab.Axe(t, "chat with a filed ticket")

	dispatcher := staff(t, browser, a, "dispatcher@lanting.example")
	dispatcher.tab.Go(t, chromedp.Navigate(a.URL()+"/console/desk"))
	dispatcher.sees(number)
	dispatcher.sees("小区旁边很吵")
	dispatcher.tab.Axe(t, "dispatcher desk")
	picture(t, dispatcher.tab, "desk.png")
	choose(dispatcher, "生态环境局")
	dispatcher.clicks(`form[action^="/console/desk/"] .buttons button`)
	awaitState(t, a, number, "dispatched")
	citizen.reads("承办单位")

	handler := staff(t, browser, a, "environment@lanting.example")
	handler.tab.Go(t, chromedp.Navigate(a.URL()+"/console/inbox?view=open"))
	handler.sees("小区旁边很吵")
	open(t, a, handler, number)
	handler.clicks(`#actions form[action$="/do/sign"] button`)
	awaitState(t, a, number, "in_progress")
	answer(handler, "您好，我们已到现场检查，责令工地夜间停工，今晚起不再施工。", "ticket.png")
	awaitState(t, a, number, "replied")

	// The answer reaches the citizen where the question was asked, and is rated there.
	citizen.reads("今晚起不再施工")
	picture(t, citizen.tab, "chat-reply.png")
	citizen.taps("非常满意")
	rated(t, a, number, 5)

	// Another agency sees nothing of it.
	other := staff(t, browser, a, "utilities@lanting.example")
	other.tab.Go(t, chromedp.Navigate(a.URL()+"/console/inbox?view=all"))
	if webtest.Eval[bool](t, other.tab, `document.body.innerText.includes(`+quoted(number)+`)`) {
		t.Error("a ticket of the environment department is in the utilities department's list")
	}
	for name, p := range map[string]person{"citizen": citizen, "dispatcher": dispatcher, "handler": handler, "other": other} {
		for _, line := range p.tab.Complaints() {
			t.Errorf("the %s's page complained: %s", name, line)
		}
	}
}

// choose picks a proposed agency by name, or from the list of all.
func choose(p person, name string) {
	p.t.Helper()
	p.tab.WaitJS(p.t, `!!document.querySelector("#other, .proposals")`)
	ok := webtest.Eval[bool](p.t, p.tab, `(() => {
		const hit = [...document.querySelectorAll(".proposal")].find(l => l.querySelector(".agency").textContent.includes(`+quoted(name)+`));
		if (hit) { hit.querySelector("input").click(); return true; }
		const all = document.querySelector("#other");
		const o = [...all.options].find(o => o.textContent.includes(`+quoted(name)+`));
		if (!o) return false;
		all.value = o.value; all.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`)
	if !ok {
		p.t.Fatalf("no agency %q to choose", name)
	}
}

func open(t *testing.T, a *app.App, p person, number string) {
	t.Helper()
	var id string
	err := db.ReadTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select id::text from tickets where number = $1`, number).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	p.tab.Go(t, chromedp.Navigate(a.URL()+"/console/tickets/"+id))
	p.sees(number)
}

// answer gives the formal reply in the composer; shot is the picture to take before it is sent, if any.
func answer(p person, text, shot string) {
	p.t.Helper()
	// The move before may be stored and its page still on the way; that would take away what is filled in.
	p.tab.WaitJS(p.t, `document.readyState === "complete" && !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, #actions form[action$="/do/sign"]')`)
	p.clicks(`#composer input[name=mode][value=reply]`)
	p.fills("#composer-text", text)
	p.fills("#composer select[name=outcome]", "resolved")
	p.fills("#composer select[name=resolved]", "yes")
	if webtest.Eval[bool](p.t, p.tab, `!!document.querySelector("#composer-over")`) {
		p.fills("#composer-over", "Nothing is left for them to do.") // a co-agency has not replied
	}
	if shot != "" {
		picture(p.t, p.tab, shot)
	}
	p.clicks("#composer button.send")
}

func ticketNumber(t *testing.T, a *app.App) (number string) {
	t.Helper()
	err := db.ReadTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select number from tickets where state = 'pending_dispatch' order by opened_at desc limit 1`).Scan(&number)
	})
	if err != nil {
		t.Fatalf("no ticket waits for a dispatcher: %v", err)
	}
	return number
}

func awaitRow(t *testing.T, a *app.App, what, sql string, args ...any) {
	t.Helper()
	for range 3000 {
		var ok bool
		err := db.ReadTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error { return tx.QueryRow(t.Context(), sql, args...).Scan(&ok) })
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			return
		}
		wait(t.Context(), wait20ms)
	}
	t.Fatalf("waited in vain for %s; the conversations say:\n%s", what, conversations(t, a))
}

// conversations tells what was said, for a failed test.
func conversations(t *testing.T, a *app.App) string {
	t.Helper()
	var said string
	err := db.ReadTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select coalesce(string_agg(format('%s %s: %s %s', c.holder, m.author, m.text, m.payload - 'citations'), E'\n' order by m.conversation_id, m.seq), 'nothing')
			from messages m join conversations c on c.id = m.conversation_id`).Scan(&said)
	})
	if err != nil {
		return err.Error()
	}
	return said
}

func awaitState(t *testing.T, a *app.App, number, state string) {
	t.Helper()
	awaitRow(t, a, "ticket in state "+state, `select exists (select from tickets where number = $1 and state = $2)`, number, state)
}

func rated(t *testing.T, a *app.App, number string, grade int) {
	t.Helper()
	awaitRow(t, a, "the rating", `select exists (select from ticket_ratings r join tickets t on t.id = r.ticket_id where t.number = $1 and r.grade = $2)`, number, grade)
}

// picture saves what the tab shows into HOTLINE_PICTURES, when that is set: `make pictures` makes the README's pictures this way.
func picture(t *testing.T, tab *webtest.Tab, name string) {
	t.Helper()
	dir := os.Getenv("HOTLINE_PICTURES")
	if dir == "" {
		return
	}
	var png []byte
	tab.Run(t, chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
