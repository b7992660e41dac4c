package console_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"hotline/web/webtest"
)

// pressed clicks the button or link with these words in the main part and waits for the page it leads to.
func pressed(t *testing.T, tab *webtest.Tab, words string) {
	t.Helper()
	find := `[...document.querySelectorAll("main button, main a, main summary")].find(b => b.textContent.trim() === ` + quoted(words) + `)`
	tab.WaitJS(t, `document.readyState === "complete" && !!`+find)
	webtest.Eval[bool](t, tab, `(window.left = true, `+find+`.click(), true)`)
	tab.WaitJS(t, `window.left === undefined && document.readyState === "complete"`)
}

func reads(t *testing.T, tab *webtest.Tab, words ...string) {
	t.Helper()
	for _, w := range words {
		tab.WaitJS(t, `document.querySelector("main")?.textContent.includes(`+quoted(w)+`)`)
	}
}

// fill sets fields as a person does, so that the page's own scripts hear of it.
func fill(t *testing.T, tab *webtest.Tab, fields ...string) {
	t.Helper()
	for i := 0; i+1 < len(fields); i += 2 {
		tab.WaitJS(t, `!!document.querySelector(`+quoted(fields[i])+`)`)
		webtest.Eval[bool](t, tab, `(() => { const e = document.querySelector(`+quoted(fields[i])+`); for (let d = e.closest("details"); d; d = d.parentElement.closest("details")) d.open = true; e.value = `+quoted(fields[i+1])+
			`; e.dispatchEvent(new Event("input", {bubbles: true})); e.dispatchEvent(new Event("change", {bubbles: true})); return true })()`)
	}
}

// The whole life of an article by mouse and keyboard: written, reviewed by what changed, live at its minute, its translation flagged, called wrong
// with a clock running, put right, and an old version restored.
func TestTheLifeOfAnArticleInTheBrowser(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	path, id := r.published(r.signIn("editor"), r.signIn("reviewer"), nil)
	e := r.enter(t, b, webtest.Desktop, "editor", path)
	reviewer := r.enter(t, b, webtest.Desktop, "reviewer", path)
	here := func(tab *webtest.Tab, path string) { t.Helper(); tab.Run(t, chromedp.Navigate(r.server.URL+path)) }

	// A translation, made beside its original.
	pressed(t, e, "Begin a translation")
	reads(t, e, "Original", "No building work after 22:00.")
	fill(t, e, "#e-title", "夜间噪音", "#e-summary", "22点后不得施工。", "#e-body", "22点后不得施工。")
	pressed(t, e, "Save draft")
	reads(t, e, "夜间噪音", "of version 1")
	zh := strings.TrimPrefix(webtest.Eval[string](t, e, `location.pathname`), "/console/knowledge/")
	pressed(t, e, "Submit for review")
	here(reviewer, "/console/knowledge/"+zh)
	pressed(t, reviewer, "Publish")
	reads(t, reviewer, "published")

	// Draft, and its review with what changed.
	here(e, path+"/edit")
	fill(t, e, "#e-summary", "No building work after 21:00.")
	pressed(t, e, "Save and submit")
	reads(t, e, "in review")
	here(reviewer, path)
	tabMarks := `[...document.querySelectorAll(".diff mark, ins mark, del mark")].map(m => m.closest("ins, del").tagName + m.textContent).join(" ")`
	if got := webtest.Eval[string](t, reviewer, tabMarks); got != "DEL22 INS21" {
		t.Errorf("the review marks %q", got)
	}
	reviewer.Axe(t, "review")

	// For tomorrow at half past eight.
	fill(t, reviewer, "#s-from", "2026-03-05T08:30")
	reviewer.Axe(t, "schedule")
	pressed(t, reviewer, "Approve for this time")
	reads(t, reviewer, "scheduled", "on 5 March 2026, 08:30")
	r.clock.Set(time.Date(2026, 3, 5, 0, 29, 59, 0, time.UTC))
	r.sweepKnowledge()
	here(e, "/console/knowledge/"+zh)
	reads(t, e, "夜间噪音")
	if webtest.Eval[bool](t, e, `!!document.querySelector("#original-moved")`) {
		t.Error("the translation is flagged before its original is live")
	}
	r.clock.Set(time.Date(2026, 3, 5, 0, 30, 0, 0, time.UTC))
	r.sweepKnowledge()
	here(e, "/console/knowledge/"+zh)
	e.WaitJS(t, `document.querySelector("#original-moved ins mark")?.textContent === "21"`)
	reads(t, e, "The original changed (version 1 to 2)")
	_, err := r.knowledge.LookAround(context.Background())
	must(t, err)
	here(e, "/console/knowledge/board?show=translations")
	reads(t, e, "夜间噪音", "The original has moved on")

	// Somebody says that it is wrong; the clock runs out, and is settled by a text without the error.
	operator := r.enter(t, b, webtest.Phone, "operator", path)
	fill(t, operator, "#t-dispute", "It is 20:00 since March.")
	webtest.Eval[bool](t, operator, `(window.left = true, document.querySelector("#t-dispute").form.querySelector("button").click(), true)`)
	operator.WaitJS(t, `window.left === undefined && document.readyState === "complete"`)
	reads(t, operator, "It is 20:00 since March.")
	here(reviewer, "/console/knowledge/board?show=corrections")
	reads(t, reviewer, "It is 20:00 since March.")
	reviewer.WaitJS(t, `!!document.querySelector("tbody .light-green")`)
	r.clock.Advance(8 * 24 * time.Hour)
	r.sweepKnowledge()
	here(reviewer, "/console/knowledge/board?show=corrections")
	reviewer.WaitJS(t, `!!document.querySelector("tbody .light-red")`)
	here(e, path+"/edit")
	fill(t, e, "#e-summary", "No building work after 20:00.")
	pressed(t, e, "Save and submit")
	here(reviewer, path)
	pressed(t, reviewer, "Publish")
	reads(t, reviewer, "published")
	here(reviewer, "/console/knowledge/board?show=corrections")
	reads(t, reviewer, "Nobody says that an article is wrong")

	// The first version is right again.
	here(e, path+"/versions/1")
	pressed(t, e, "Restore this version")
	reads(t, e, "This text began as version 1", "draft", "No building work after 22:00.")
	pressed(t, e, "Submit for review")
	here(reviewer, path)
	pressed(t, reviewer, "Publish")
	a, err := r.knowledge.Article(context.Background(), id)
	must(t, err)
	live, err := r.knowledge.Version(context.Background(), id, a.Live)
	must(t, err)
	if got := fmt.Sprintf("%d: %s", live.Number, live.Summary); got != "4: No building work after 22:00." {
		t.Errorf("served is %s", got)
	}
	for name, tab := range map[string]*webtest.Tab{"editor": e, "reviewer": reviewer, "operator": operator} {
		clean(t, tab, name)
	}
}

// What reviewers and translators read, in Chinese and in the dark.
func TestGovernanceInChineseAndDark(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	edit, review := r.signIn("editor"), r.signIn("reviewer")
	path, id := r.published(edit, review, nil)
	zh := articleID(edit.post(path+"/translate", url.Values{"lang_of": {"zh-CN"}}))
	r.rewrite(edit, zh, func(f url.Values) { f["title"] = []string{"夜间噪音"}; f["follows"] = []string{"1"} })
	r.publish(edit, review, zh)
	r.rewrite(edit, id, func(f url.Values) { f["summary"] = []string{"No building work after 21:00."} })
	r.publish(edit, review, id)
	r.rewrite(edit, id, func(f url.Values) { f["summary"] = []string{"No building work after 20:00, and none on Sundays."} })
	edit.post(path+"/do/submit", r.ref(id))
	_, err := r.knowledge.LookAround(context.Background())
	must(t, err)
	for _, size := range []webtest.View{webtest.Desktop, webtest.Phone} {
		size.Lang, size.Dark = "zh-CN", true
		name := fmt.Sprint("gov-", size.Width, "-")
		tab := r.enter(t, b, size, "reviewer", path+"?lang=zh-CN")
		look := func(what string) {
			t.Helper()
			tab.FullScreenshot(t, name+what)
			tab.Axe(t, name+what)
			if wide := webtest.Eval[int](t, tab, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("%s%s is %d pixels too wide", name, what, wide)
			}
		}
		fill(t, tab, "#s-from", "2026-03-05T08:30")
		look("review")
		for what, to := range map[string]string{"board": "/console/knowledge/board", "behind": "/console/knowledge/board?show=translations", "moved": articlePath(zh.String()), "beside": articlePath(zh.String()) + "/edit"} {
			sep := "?"
			if strings.Contains(to, "?") {
				sep = "&"
			}
			tab.Run(t, chromedp.Navigate(r.server.URL+to+sep+"lang=zh-CN"))
			look(what)
		}
		clean(t, tab, name)
	}
}

func articlePath(id string) string { return "/console/knowledge/" + id }
