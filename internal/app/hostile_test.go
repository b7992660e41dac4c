package app_test

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"hotline/internal/app"
	"hotline/internal/decision"
	"hotline/knowledge"
	"hotline/web/webtest"
)

//go:embed testdata/hostile.txt
var hostileTexts string

// attack is a hostile text, and the words by which its two articles are found: one that has it in its body, one in summary, form and file.
type attack struct{ text, inBody, inSummary string }

// attacks reads the list. The words are made up, so that each finds its own article.
func attacks(beacon string) (out []attack) {
	syllable := strings.Fields("ba ke di fo gu ja le mi no pu ra se ti vo zu")
	word := func(n int) string {
		return "qu" + syllable[n%15] + syllable[n/15%15] + syllable[(n*7+3)%15] + syllable[(n*4+n/15)%15]
	}
	_, list, _ := strings.Cut(hostileTexts, "\n\n")
	hidden := regexp.MustCompile(`\{U\+([0-9A-F]{4})\}`)
	for i, text := range strings.Split(strings.TrimSpace(list), "\n\n") {
		text = hidden.ReplaceAllStringFunc(strings.ReplaceAll(text, "BEACON", beacon), func(m string) string {
			n, err := strconv.ParseInt(hidden.FindStringSubmatch(m)[1], 16, 32)
			if err != nil {
				panic(err)
			}
			return string(rune(n))
		})
		out = append(out, attack{text, word(2 * i), word(2*i + 1)})
	}
	return out
}

// trap hears of everything that a hostile text must not bring about in a browser.
type trap struct {
	t       *testing.T
	browser *webtest.Browser
	beacon  *httptest.Server
	mu      sync.Mutex
	sprung  []string
}

func newTrap(t *testing.T, b *webtest.Browser) *trap {
	tr := &trap{t: t, browser: b}
	tr.beacon = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { tr.says("the beacon was asked: " + r.URL.Path) }))
	t.Cleanup(tr.beacon.Close)
	return tr
}

func (tr *trap) says(what string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.sprung = append(tr.sprung, what)
}

// taken gives what happened since the last time.
func (tr *trap) taken() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	out := tr.sprung
	tr.sprung = nil
	return out
}

// ownPicture begins the browser's own picture in a field for a date.
const ownPicture = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSIxNiIgaGVpZ2h0PSIxNSIg"

// watch makes a tab tell of dialogs and of requests to anywhere but home, and gives its pages the function that nobody may call.
func (tr *trap) watch(tab *webtest.Tab, home string) {
	tr.t.Helper()
	chromedp.ListenTarget(tab.Ctx, func(event any) {
		switch e := event.(type) {
		case *page.EventJavascriptDialogOpening:
			tr.says("a dialog: " + e.Message)
			go func() { _ = tab.Do(page.HandleJavaScriptDialog(true)) }() // the tab may be gone
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, home) && !strings.HasPrefix(u, "blob:"+home) && !strings.HasPrefix(u, "data:image/svg+xml,%3csvg") && !strings.HasPrefix(u, ownPicture) && u != "about:blank" {
				tr.says("a request to " + u)
			}
		}
	})
	tab.Run(tr.t, chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`window.canary = () => { document.documentElement.dataset.canary = "called"; }`).Do(ctx)
		return err
	}))
}

// found looks through a page, shadow roots included, for what only a hostile text can have put there.
const found = `(() => { const bad = []; const say = (e, why) => bad.push(why + ": " + e.outerHTML.slice(0, 120));
	const walk = root => { for (const e of root.querySelectorAll("*")) {
		if (/^(iframe|frame|object|embed|base|math|mtext|marquee|applet|video|audio|canary|keygen|isindex|plaintext|xmp|animate|foreignobject)$/i.test(e.localName)) say(e, "element");
		if (e.localName === "use" && !/^#[a-z-]+$/.test(e.getAttribute("href") || "")) say(e, "picture from elsewhere"); // icons of the page itself
		if (e.localName === "script" && e.type !== "application/json" && (!e.src || new URL(e.src).origin !== location.origin)) say(e, "script");
		if (e.localName === "style" || e.localName === "link" && new URL(e.href).origin !== location.origin) say(e, "style");
		if (e.localName === "img" && !/^(blob:|data:image)/.test(e.src) && new URL(e.src).origin !== location.origin) say(e, "picture");
		if (e.localName === "meta" && /refresh/i.test(e.httpEquiv)) say(e, "refresh");
		for (const a of e.attributes) {
			if (/^on/i.test(a.name) || a.name === "canary" || a.value === "canary" && /^(id|name|class)$/.test(a.name)) say(e, "attribute " + a.name);
			if (/^(href|src|action|formaction|xlink:href|data|srcdoc)$/i.test(a.name) && /^[\s\x00-\x1f]*(javascript|vbscript|data:(?!image\/svg\+xml,%3csvg))/i.test(a.value)) say(e, "address");
			if (/^(data-)?hx-(get|post|on)/.test(a.name) && !a.value.startsWith("/")) say(e, "htmx");
		}
		if (e.shadowRoot) walk(e.shadowRoot);
	} };
	walk(document);
	if (document.documentElement.dataset.canary) bad.push("the canary was called");
	if (document.querySelectorAll("hotline-chat").length > 1) bad.push("a second chat");
	const order = /[\u202a-\u202e\u2066-\u2069]/;
	if (order.test(document.title) || order.test(document.body.innerText)) bad.push("characters that turn the text round");
	return bad.join("\n"); })()`

// clean fails the test when the page in the tab, or anything since the last look, shows that a hostile text was more than text.
func (tr *trap) clean(tab *webtest.Tab, where string) {
	tr.t.Helper()
	if bad := webtest.Eval[string](tr.t, tab, found); bad != "" {
		tr.t.Errorf("%s: %s", where, bad)
	}
	for _, what := range tr.taken() {
		tr.t.Errorf("%s: %s", where, what)
	}
}

// quiet fails the test for uncaught exceptions and for anything that the content security policy had to block.
func (tr *trap) quiet(tab *webtest.Tab, where string) {
	tr.t.Helper()
	for _, line := range tab.Complaints() {
		tr.t.Errorf("%s complained: %s", where, line)
	}
}

func oneLine(s string, most int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	return string(r[:min(len(r), most)])
}

// publishHostile makes the two articles of an attack and publishes them; of the first there is a draft with a change.
func publishHostile(t *testing.T, a *app.App, x attack) (inBody, inSummary knowledge.Article) {
	t.Helper()
	by, line := knowledge.System(), oneLine(x.text, 250)
	publish := func(e knowledge.Entry, err error) knowledge.Entry {
		t.Helper()
		if err == nil {
			e, err = a.Knowledge.Submit(t.Context(), by, e.Version.Ref())
		}
		if err == nil {
			e, err = a.Knowledge.Publish(t.Context(), by, e.Version.Ref())
		}
		if err != nil {
			t.Fatalf("%q: %v", x.text, err)
		}
		return e
	}
	head := knowledge.Article{Lang: "en", Topic: oneLine(x.text, 90)}
	text := knowledge.Text{Title: x.inBody + " " + line, Body: x.text + "\n\nThe end of " + x.inBody + ".", Keywords: []string{oneLine(x.text, 90)},
		Questions: []string{"How do I get a " + x.inBody + "?", line}}
	one := publish(a.Knowledge.Create(t.Context(), by, head, text))
	text.Body = "Changed: " + text.Body
	text.Summary = line
	if _, err := a.Knowledge.Save(t.Context(), by, one.Version.Ref(), text); err != nil {
		t.Fatal(err)
	}
	answer := line
	if strings.Contains(line, "->") {
		answer = "an arrow"
	}
	form, wrong := decision.Parse("question one: " + oneLine(line, 200) + "\n  why: " + line + "\n  go on " + oneLine(answer, 80) + " -> done because " + oneLine(answer, 80) + "\n  stop -> out\n" +
		"outcome done: " + oneLine(line, 200) + "\n  " + line + "\noutcome out: Out\n")
	if len(wrong) > 0 {
		t.Fatalf("%q: %v", x.text, wrong)
	}
	two, err := a.Knowledge.Create(t.Context(), by, head, knowledge.Text{Title: x.inSummary + " " + line, Summary: x.inSummary + " " + line, Body: "See the form.",
		Questions: []string{"How do I get a " + x.inSummary + "?"}, Form: form})
	if err == nil {
		two, _, err = a.Knowledge.AddFile(t.Context(), by, two.Version.Ref(), line+".txt", strings.NewReader("Just words."))
	}
	two = publish(two, err)
	return one.Article, two.Article
}

// TestHostileArticlesAreShownAsText puts every attack of the list into everything of an article that has words, and looks at it in a real browser
// wherever the portal shows articles. Nothing of it may run, load, press or turn anything, and the policy of the pages must have had nothing to block.
func TestHostileArticlesAreShownAsText(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	browser := webtest.New(t)
	tr := newTrap(t, browser)
	all := attacks(tr.beacon.URL)
	if len(all) < 50 {
		t.Fatalf("%d attacks", len(all))
	}
	type pair struct {
		attack
		body, summary knowledge.Article
	}
	pairs := make([]pair, len(all))
	for i, x := range all {
		pairs[i].attack = x
		pairs[i].body, pairs[i].summary = publishHostile(t, a, x)
	}
	open := func() *webtest.Tab {
		t.Helper()
		tab := browser.Open(t, webtest.Desktop, a.URL()+"/?lang=en")
		tr.watch(tab, a.URL())
		return tab
	}
	shows := func(tab *webtest.Tab, path, word, where string) {
		t.Helper()
		tab.Go(t, chromedp.Navigate(a.URL()+path))
		tab.WaitJS(t, `document.readyState === "complete" && document.body.innerText.includes(`+quoted(word)+`)`)
		tr.clean(tab, where)
	}

	tr.sees(all)

	tab := open()
	for _, p := range pairs {
		shows(tab, "/a/"+p.body.Slug, p.inBody, "article: "+p.text)
		shows(tab, "/a/"+p.summary.Slug, p.inSummary, "article's summary and file: "+p.text)
	}
	tr.quiet(tab, "articles")

	tab = open()
	for _, p := range pairs {
		shows(tab, "/a/"+p.summary.Slug+"/check", p.inSummary, "decision form: "+p.text)
		tab.Go(t, chromedp.Click("#answer-0"), chromedp.Submit("form .button"))
		tab.WaitJS(t, `document.readyState === "complete" && !!document.querySelector(".outcome")`)
		tr.clean(tab, "outcome: "+p.text)
	}
	tr.quiet(tab, "decision forms")

	tab = open()
	for _, p := range pairs {
		shows(tab, "/search?q="+p.inBody, p.inBody, "search: "+p.text)
		tab.WaitJS(t, `!!document.querySelector(".results li a")`)
		webtest.Eval[bool](t, tab, `(() => { const q = document.querySelector("#q"); q.focus(); q.value = `+quoted(p.inSummary)+`; q.dispatchEvent(new Event("input")); return true; })()`)
		tab.WaitJS(t, `document.querySelector(".suggestions").textContent.includes(`+quoted(p.inSummary)+`)`)
		tr.clean(tab, "while typing: "+p.text)
	}
	shows(tab, "/topics", oneLine(pairs[0].text, 90), "topics")
	tr.quiet(tab, "search")
}

// TestHostileAnswersInChatAreText asks the bot for each article, one question after the other and faster than a person types: answers, citations
// and choices of titles show every attack as text, and no question gets lost when the server asks for patience.
func TestHostileAnswersInChatAreText(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	browser := webtest.New(t)
	tr := newTrap(t, browser)
	all := attacks(tr.beacon.URL)
	for _, x := range all {
		publishHostile(t, a, x)
	}
	for from := 0; from < len(all); from += 20 {
		citizen := chatting(t, browser, a)
		tr.watch(citizen.tab, a.URL())
		for _, x := range all[from:min(from+20, len(all))] {
			for _, word := range []string{x.inBody, x.inSummary} {
				ask := inWidget + `(() => { const e = r.querySelector("textarea"); e.value = ` + quoted("How do I get a "+word+"?") + `; e.dispatchEvent(new Event("input")); r.querySelector("form.composer").requestSubmit(); return true; })(); })()`
				webtest.Eval[bool](t, citizen.tab, ask)
				// An answer with its source, or, where another made-up word is near, a choice of titles.
				citizen.widget(`[...r.querySelectorAll(".cite-title, .choices button")].some(c => c.textContent.includes(` + quoted(word) + `))`)
				tr.clean(citizen.tab, "chat: "+x.text)
			}
		}
		tr.quiet(citizen.tab, "chat")
	}
}

// sees makes sure that the trap works: as raw HTML most of the attacks spring it.
func (tr *trap) sees(all []attack) {
	tr.t.Helper()
	raw := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err == nil {
			_, _ = io.WriteString(w, "<!doctype html><html><title>raw</title><body>"+all[n].text)
		}
	}))
	defer raw.Close()
	tab := tr.browser.Open(tr.t, webtest.Desktop, raw.URL+"/?n=0")
	tr.watch(tab, raw.URL)
	sprung := 0
	for n := range all {
		_ = tab.Do(chromedp.Navigate(fmt.Sprintf("%s/?n=%d", raw.URL, n))) // what it does to the page is what is tried
		var bad string
		if err := tab.Do(chromedp.Evaluate(found, &bad)); err != nil || bad != "" || len(tr.taken()) > 0 {
			sprung++
		}
	}
	tr.taken()
	if sprung < len(all)*6/10 {
		tr.t.Fatalf("as raw HTML only %d of %d attacks were noticed", sprung, len(all))
	}
}
