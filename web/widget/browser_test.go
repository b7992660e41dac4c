package widget

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hotline/web/webtest"
)

const root = `document.querySelector("hotline-chat").shadowRoot`

func js(expression string) string {
	return "(() => { const r = " + root + "; return " + expression + "; })()"
}

// connected opens a page with the widget open and its socket up.
func connected(t *testing.T, hub *fakeHub) *webtest.Tab {
	t.Helper()
	tab := webtest.New(t).Open(t, webtest.Desktop, page(t, hub, `data-open="true"`))
	ready(t, tab)
	tab.WaitJS(t, `document.querySelector("hotline-chat").transport.state === "online"`)
	return tab
}

func ready(t *testing.T, tab *webtest.Tab) {
	t.Helper()
	tab.WaitJS(t, `!!document.querySelector("hotline-chat")?.shadowRoot?.querySelector(".launcher")`)
}

func click(t *testing.T, tab *webtest.Tab, selector string) {
	t.Helper()
	tab.WaitJS(t, js(`!!r.querySelector(`+quote(selector)+`)`))
	webtest.Eval[bool](t, tab, js(`(r.querySelector(`+quote(selector)+`).click(), true)`))
}

// press finds a button by its words.
func press(t *testing.T, tab *webtest.Tab, words string) {
	t.Helper()
	find := `[...r.querySelectorAll("button")].find(b => b.offsetParent && b.textContent.trim().endsWith(` + quote(words) + `))`
	tab.WaitJS(t, js(`!!`+find))
	webtest.Eval[bool](t, tab, js(`(`+find+`.click(), true)`))
}

func write(t *testing.T, tab *webtest.Tab, text string) {
	t.Helper()
	webtest.Eval[bool](t, tab, js(`(r.querySelector("textarea").focus(), true)`))
	tab.Run(t, chromedp.KeyEvent(text), chromedp.KeyEvent(kb.Enter))
}

func sees(t *testing.T, tab *webtest.Tab, words string) {
	t.Helper()
	tab.WaitJS(t, js(`r.querySelector(".panel").innerText.includes(`+quote(words)+`)`))
}

func quote(s string) string { return "`" + strings.ReplaceAll(s, "`", "\\`") + "`" }

func healthy(t *testing.T, tab *webtest.Tab) {
	t.Helper()
	for _, line := range tab.Complaints() {
		if !strings.Contains(line, "WebSocket") && !strings.Contains(line, "ERR_") && !strings.Contains(line, "403") {
			t.Error(line)
		}
	}
}

func TestConversation(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := webtest.New(t).Open(t, webtest.Desktop, page(t, hub, ""))
	ready(t, tab)
	tab.Screenshot(t, "widget-launcher")
	click(t, tab, ".launcher")
	sees(t, tab, "automatic assistant")
	for _, quick := range []string{"Report a problem", "Check my case", "Talk to a person"} {
		sees(t, tab, quick)
	}
	tab.Screenshot(t, "widget-greeting")
	tab.Axe(t, "greeting")
	write(t, tab, "When is my rubbish collected? <b>now</b>")
	sees(t, tab, "every day before 8 a.m.")
	sees(t, tab, "Source · version 3")
	sees(t, tab, "<b>now</b>")
	sees(t, tab, `<img src=x onerror=`)
	tab.Screenshot(t, "widget-answer")
	tab.Axe(t, "answer")
	if got := webtest.Eval[string](t, tab, js(`[...r.querySelectorAll("a")].map(a => a.href).join(" ")+" "+document.title+" "+r.querySelectorAll(".bubble img, .bubble b").length`)); strings.Contains(got, "javascript:") || strings.Contains(got, "pwned") || !strings.HasSuffix(got, " 0") {
		t.Errorf("markup came alive: %s", got)
	}
	press(t, tab, "Talk to a person")
	sees(t, tab, "number 2 in line")
	sees(t, tab, "usually wait about 3 minutes")
	tab.Screenshot(t, "widget-queue")
	tab.Axe(t, "queue")
	press(t, tab, "Back to the assistant")
	tab.WaitJS(t, js(`r.querySelector(".notice").hidden`))
	press(t, tab, "Talk to a person")
	sees(t, tab, "number 2 in line")
	hub.push(map[string]any{"t": "holder", "holder": "queue", "position": 1, "duty": time.Now().Add(30 * time.Hour).UTC().Format(time.RFC3339)})
	sees(t, tab, "Nobody is on duty just now")
	sees(t, tab, time.Now().Add(30*time.Hour).Weekday().String())
	tab.Screenshot(t, "widget-off-duty")
	hub.push(map[string]any{"t": "holder", "holder": "staff", "name": "Li Na"})
	sees(t, tab, "You are talking to Li Na")
	hub.push(map[string]any{"t": "typing", "who": "staff"})
	sees(t, tab, "Writing…")
	hub.say("staff", "Li Na", "Good morning, what can I do for you?")
	sees(t, tab, "Good morning")
	hub.push(map[string]any{"t": "seen", "seq": 99, "by": "staff"})
	sees(t, tab, "Seen")
	tab.Screenshot(t, "widget-staff")
	tab.Axe(t, "staff")
	click(t, tab, "[aria-label='End chat']")
	sees(t, tab, "How was this chat?")
	tab.Screenshot(t, "widget-rating")
	tab.Axe(t, "rating")
	press(t, tab, "Satisfied")
	tab.WaitJS(t, js(`r.querySelector(".panel").hidden`))
	hub.set(func() {
		last := hub.messages[len(hub.messages)-1]
		if last["text"] != "Satisfied" || fmt.Sprint(last["payload"]) != "map[choice:rate_chat:4]" {
			t.Errorf("last message %v", last)
		}
	})
	healthy(t, tab)
}

func TestReloadAndUnread(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := webtest.New(t).Open(t, webtest.Desktop, page(t, hub, ""))
	ready(t, tab)
	click(t, tab, ".launcher")
	write(t, tab, "rubbish")
	sees(t, tab, "every day before")
	tab.Run(t, chromedp.Reload())
	ready(t, tab)
	tab.WaitJS(t, js(`r.querySelectorAll(".message.citizen").length === 1 && r.querySelector(".badge").hidden`))
	hub.say("staff", "Li Na", "One more thing.")
	tab.WaitJS(t, js(`r.querySelector(".badge").textContent === "1"`))
	tab.Screenshot(t, "widget-unread")
	tab.Axe(t, "unread")
	click(t, tab, ".launcher")
	sees(t, tab, "One more thing.")
	tab.WaitJS(t, js(`r.querySelector(".badge").hidden`))
	hub.set(func() {
		if last := hub.hellos[len(hub.hellos)-1]; last["token"] != token {
			t.Errorf("the second visit said %v", last)
		}
	})
	healthy(t, tab)
}

// A connection that dies before the acknowledgement must neither lose the message nor double it.
func TestReconnect(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := webtest.New(t).Open(t, webtest.Desktop, page(t, hub, `data-open="true"`))
	ready(t, tab)
	write(t, tab, "first")
	tab.WaitJS(t, js(`r.querySelector(".receipt")?.innerText.includes("Sent")`))
	hub.set(func() { hub.deaf = true })
	write(t, tab, "into the void")
	tab.WaitJS(t, js(`!!r.querySelector(".message.waiting")`))
	hub.set(func() { hub.deaf = false })
	hub.cut()
	write(t, tab, "written while away")
	tab.WaitJS(t, js(`r.querySelectorAll(".message.citizen[data-seq]").length === 3 && !r.querySelector(".message.waiting")`))
	hub.say("bot", "", "still here")
	sees(t, tab, "still here")
	if got := webtest.Eval[string](t, tab, js(`[...r.querySelectorAll(".message.citizen .bubble")].map(b => b.textContent).join("|")`)); got != "first|into the void|written while away" {
		t.Errorf("the conversation reads %q", got)
	}
	hub.set(func() {
		if len(hub.messages) != 4 {
			t.Errorf("%d messages stored, want 4", len(hub.messages))
		}
	})
}

// Someone in a lift keeps writing, is told that it waits, and loses nothing when the page is reloaded before the connection is back.
func TestOffline(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := webtest.New(t).Open(t, webtest.Phone, page(t, hub, `data-open="true"`))
	ready(t, tab)
	write(t, tab, "before")
	tab.WaitJS(t, js(`r.querySelector(".receipt")?.innerText.includes("Sent")`))
	offline := func(yes bool) chromedp.Action {
		return chromedp.ActionFunc(func(ctx context.Context) error {
			return network.OverrideNetworkState(yes, 0, -1, -1).Do(ctx)
		})
	}
	tab.Run(t, offline(true))
	tab.WaitJS(t, `navigator.onLine === false`)
	hub.set(func() { hub.noSockets = true })
	hub.cut()
	sees(t, tab, "You are offline")
	write(t, tab, "from the lift")
	tab.WaitJS(t, js(`!!r.querySelector(".message.waiting")`))
	tab.Screenshot(t, "widget-offline")
	tab.Axe(t, "offline")
	hub.set(func() { hub.noSockets = false })
	tab.Run(t, offline(false), chromedp.Reload())
	tab.WaitJS(t, js(`r.querySelectorAll(".message.citizen[data-seq]").length === 2 && !r.querySelector(".message.waiting")`))
	hub.set(func() {
		if len(hub.refs) != 2 || len(hub.messages) != 2 {
			t.Errorf("%d messages, want 2", len(hub.messages))
		}
	})
}

func TestWithoutSockets(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	hub.set(func() { hub.noSockets = true })
	tab := webtest.New(t).Open(t, webtest.Desktop, page(t, hub, `data-open="true"`))
	ready(t, tab)
	write(t, tab, "rubbish please")
	sees(t, tab, "every day before")
	tab.WaitJS(t, js(`r.querySelector(".receipt")?.innerText.includes("Sent")`))
}

func TestUpload(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := webtest.New(t).Open(t, webtest.Desktop, page(t, hub, `data-open="true"`))
	ready(t, tab)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	small, large := filepath.Join(dir, "photo.png"), filepath.Join(dir, "large.png")
	for name, body := range map[string][]byte{small: picture.Bytes(), large: make([]byte, 65<<10)} {
		if err := os.WriteFile(name, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tab.WaitJS(t, js(`document.querySelector("hotline-chat").limits.file === 65536 && document.querySelector("hotline-chat").transport.state === "online"`))
	choose(t, tab, small, large)
	sees(t, tab, "large.png is larger than 64 KB")
	sees(t, tab, "Ready to send")
	tab.Screenshot(t, "widget-upload")
	tab.Axe(t, "upload")
	click(t, tab, ".send")
	tab.WaitJS(t, js(`r.querySelector(".file img")?.naturalWidth === 40`))
	hub.set(func() {
		if !bytes.Equal(hub.uploads["u1"], picture.Bytes()) {
			t.Error("another picture arrived")
		}
	})
	healthy(t, tab)
}

func choose(t *testing.T, tab *webtest.Tab, files ...string) {
	t.Helper()
	var object *runtime.RemoteObject
	tab.Run(t, chromedp.Evaluate(js(`r.querySelector("input[type=file]")`), &object), chromedp.ActionFunc(func(ctx context.Context) error {
		return dom.SetFileInputFiles(files).WithObjectID(object.ObjectID).Do(ctx)
	}))
}

func TestPhoneKeyboardAndChinese(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	view := webtest.Phone
	view.Dark = true
	tab := webtest.New(t).Open(t, view, page(t, hub, `data-lang="zh-CN"`))
	ready(t, tab)
	click(t, tab, ".launcher")
	sees(t, tab, "智能助手")
	if got := webtest.Eval[string](t, tab, js(`(() => { const p = r.querySelector(".panel").getBoundingClientRect(); return [p.left, p.top, p.width, p.height, r.querySelector(".panel").getAttribute("aria-modal")].join(" "); })()`)); got != "0 0 390 844 true" {
		t.Errorf("the panel does not fill the phone: %s", got)
	}
	tab.Screenshot(t, "widget-phone-zh-dark")
	tab.Axe(t, "phone")
	write(t, tab, "垃圾什么时候收")
	sees(t, tab, "第 3 版")
	write(t, tab, "contact")
	sees(t, tab, "电话号码或电子邮箱")
	tab.Screenshot(t, "widget-contact-zh-dark")
	tab.Axe(t, "contact")
	press(t, tab, "使用此联系方式")
	sees(t, tab, "至少 7 位的电话号码")
	webtest.Eval[bool](t, tab, js(`(r.querySelector("#hc-name").value = "陈伟", r.querySelector("#hc-reach").value = "13800001111", true)`))
	press(t, tab, "使用此联系方式")
	sees(t, tab, "陈伟, 13800001111")
	// Tab stays inside, Escape leaves and gives the focus back.
	for range 30 {
		tab.Run(t, chromedp.KeyEvent(kb.Tab))
		if !webtest.Eval[bool](t, tab, js(`!!r.activeElement && r.querySelector(".panel").contains(r.activeElement)`)) {
			t.Fatal("the focus left the full screen")
		}
	}
	tab.Run(t, chromedp.KeyEvent(kb.Escape))
	tab.WaitJS(t, js(`r.querySelector(".panel").hidden && r.activeElement === r.querySelector(".launcher")`))
	// Another language, the same conversation.
	click(t, tab, ".launcher")
	click(t, tab, ".lang")
	sees(t, tab, "Automatic assistant")
	sees(t, tab, "垃圾什么时候收")
	tab.WaitJS(t, js(`r.querySelectorAll(".message.citizen").length === 3`))
	healthy(t, tab)
}

// An answer that is made sentence by sentence is seen as it comes, stands once when it is done, and goes when it is taken back.
func TestPartialAnswer(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := webtest.New(t).Open(t, webtest.Phone, page(t, hub, `data-open="true"`))
	ready(t, tab)
	write(t, tab, "how much")
	tab.WaitJS(t, js(`r.querySelector(".receipt")?.innerText.includes("Sent")`))
	hub.push(map[string]any{"t": "partial", "text": "It costs 42 euros [1]."})
	hub.push(map[string]any{"t": "partial", "text": "It costs 42 euros [1]. <b>It takes 5 days</b> [1]."})
	tab.WaitJS(t, js(`r.querySelector(".message.partial .bubble")?.textContent === "It costs 42 euros [1]. <b>It takes 5 days</b> [1]." && !r.querySelector(".message.partial b")`))
	if n := webtest.Eval[int](t, tab, js(`r.querySelectorAll(".message.partial .bubble span").length`)); n != 2 {
		t.Errorf("%d additions for two sentences: a screen reader starts over", n)
	}
	tab.Screenshot(t, "widget-partial")
	tab.Axe(t, "partial")
	hub.say("bot", "", "It costs 42 euros [1]. It takes 5 days [1].")
	tab.WaitJS(t, js(`!r.querySelector(".message.partial") && r.querySelectorAll(".message.bot:not([data-seq='0'])").length === 1`))
	hub.push(map[string]any{"t": "partial", "text": "Another one"})
	sees(t, tab, "Another one")
	hub.push(map[string]any{"t": "partial", "text": ""})
	tab.WaitJS(t, js(`!r.querySelector(".message.partial")`))
	healthy(t, tab)
}
