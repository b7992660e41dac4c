package app_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hotline/internal/app"
	"hotline/web/webtest"
)

// chatting opens the portal and its chat.
func chatting(t *testing.T, b *webtest.Browser, a *app.App) person {
	t.Helper()
	p := person{t, b.Open(t, webtest.Desktop, a.URL()+"/?lang=en")}
	p.tab.WaitJS(t, `!!document.querySelector("hotline-chat")?.shadowRoot?.querySelector(".launcher")`)
	webtest.Eval[bool](t, p.tab, inWidget+`(r.querySelector(".launcher").click(), true); })()`)
	return p
}

// TestWhatNobodyKnewIsAnsweredTheNextTime plays the learning loop: two citizens ask in other words what no article says, an editor sees one gap, writes
// the article, a reviewer sees what it would do and publishes it, the question is answered, and the gap is closed.
func TestWhatNobodyKnewIsAnsweredTheNextTime(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	trained(t, a)
	browser := webtest.New(t)

	chatting(t, browser, a).tells("Where can I register a beehive?")
	awaitRow(t, a, "the first question", `select count(*) = 1 from answers where outcome = 'none' and question like '%beehive%'`)
	chatting(t, browser, a).tells("How do I get my beehive registered?")
	awaitRow(t, a, "one gap with both", `select exists (select from gaps where state = 'open' and size = 2 and conversations = 2)`)

	editor := staff(t, browser, a, "editor@lanting.example")
	editor.tab.Go(t, chromedp.Navigate(a.URL()+"/console/gaps"))
	editor.sees("Where can I register a beehive?")
	editor.tab.Axe(t, "the list of gaps")
	picture(t, editor.tab, "gaps.png")
	editor.clicks(`tr[data-row] a`)
	editor.sees("How do I get my beehive registered?")
	editor.tab.Axe(t, "a gap")
	picture(t, editor.tab, "gap.png")
	editor.clicks(`form[action$="/do/draft"] button`)
	editor.fills("#e-summary", "Register a beehive at the environment department, desk 4. It is free of charge.")
	editor.fills("#e-body", "Tell us where the hive stands. Bring your identity card.")
	editor.clicks(`#editor .buttons button`)
	editor.clicks(`form[action$="/do/submit"] button`)
	awaitRow(t, a, "the text in review", `select exists (select from article_versions where state = 'in_review' and summary like 'Register a beehive%')`)

	var path string
	editor.tab.Run(t, chromedp.Location(&path))
	reviewer := staff(t, browser, a, "reviewer@lanting.example")
	reviewer.tab.Go(t, chromedp.Navigate(path))
	reviewer.clicks(`a[href$="/effect"]`)
	reviewer.sees("newly answered")
	reviewer.tab.Axe(t, "what a publication would do")
	picture(t, reviewer.tab, "effect.png")
	reviewer.clicks(`form[action$="/do/publish"] button`)

	awaitRow(t, a, "the gap closed", `select exists (select from gaps where state = 'closed' and size = 2)`)
	again := chatting(t, browser, a)
	again.tells("Where can I register a beehive?")
	again.reads("desk 4")
	awaitRow(t, a, "the answer counted for the gap", `select exists (select from gaps where state = 'closed' and since = 1)`)
	editor.tab.Go(t, chromedp.Navigate(a.URL()+"/console/learning"))
	editor.tab.WaitJS(t, `document.querySelectorAll(".learn-grid svg").length === 7`)
	editor.tab.Axe(t, "the learning board")
	picture(t, editor.tab, "learning.png")
	view := webtest.Phone
	view.Dark = true
	phone := person{t, browser.Open(t, view, a.URL()+"/console/sign-in?lang=en")}
	phone.tab.Run(t, chromedp.SendKeys("#email", "reviewer@lanting.example"), chromedp.SendKeys("#password", app.DemoPassword+kb.Enter))
	phone.tab.WaitJS(t, `location.pathname !== "/console/sign-in" && document.readyState === "complete"`)
	for name, at := range map[string]string{"gaps-phone.png": "/console/gaps?state=closed", "learning-phone.png": "/console/learning"} {
		phone.tab.Go(t, chromedp.Navigate(a.URL()+at))
		phone.tab.Axe(t, name)
		if webtest.Eval[bool](t, phone.tab, `document.documentElement.scrollWidth > innerWidth`) {
			t.Errorf("%s is wider than the phone", at)
		}
		picture(t, phone.tab, name)
	}
	for name, p := range map[string]person{"editor": editor, "reviewer": reviewer} {
		for _, line := range p.tab.Complaints() {
			t.Errorf("the %s's page complained: %s", name, line)
		}
	}
}
