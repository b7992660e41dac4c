package widget

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"hotline/web/webtest"
)

// wrote is what the server has of the citizen's messages, in order.
func (h *fakeHub) wrote() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, m := range h.messages {
		if m["author"] == "citizen" {
			text, _ := m["text"].(string)
			out = append(out, text)
		}
	}
	return strings.Join(out, "|")
}

const allSent = `r.querySelectorAll(".message.citizen").length > 0 && !r.querySelector(".message.waiting") && document.querySelector("hotline-chat").transport.outbox.items.length === 0`

// What is refused for now is not overtaken by what was written after it.
func TestMessagesArriveInTheOrderTheyWereWritten(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := connected(t, hub)
	hub.set(func() { hub.tooFast = 1 })
	write(t, tab, "one")
	write(t, tab, "two")
	sees(t, tab, "That was a lot at once")
	write(t, tab, "three")
	tab.WaitJS(t, js(allSent))
	if got := hub.wrote(); got != "one|two|three" {
		t.Errorf("the server has %q", got)
	}
	if got := webtest.Eval[string](t, tab, js(`[...r.querySelectorAll(".message.citizen .bubble")].map(b => b.textContent).join("|")`)); got != "one|two|three" {
		t.Errorf("the conversation reads %q", got)
	}
}

func online(yes bool) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error { return network.OverrideNetworkState(!yes, 0, -1, -1).Do(ctx) })
}

// Two tabs of one person keep what waits in either, and what waited in one that was closed goes out from the other.
func TestTwoTabsLoseNothingThatWaits(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	b, url := webtest.New(t), page(t, hub, `data-open="true"`)
	one := b.Open(t, webtest.Desktop, url)
	ready(t, one)
	write(t, one, "hello")
	one.WaitJS(t, js(`r.querySelector(".receipt")?.innerText.includes("Sent")`))
	two := one.Beside(t, webtest.Desktop, url)
	ready(t, two)
	two.WaitJS(t, js(`r.querySelectorAll(".message.citizen[data-seq]").length === 1`))
	for _, tab := range []*webtest.Tab{one, two} {
		tab.Run(t, online(false))
		tab.WaitJS(t, `navigator.onLine === false`)
	}
	hub.cut()
	write(t, one, "from the first tab")
	one.WaitJS(t, js(`!!r.querySelector(".message.waiting")`))
	write(t, two, "from the second tab")
	two.WaitJS(t, js(`!!r.querySelector(".message.waiting")`))
	one.Run(t, chromedp.Navigate("about:blank"))
	two.Run(t, online(true))
	two.WaitJS(t, js(`r.querySelectorAll(".message.citizen[data-seq]").length === 3`))
	two.WaitJS(t, js(allSent))
	if got := hub.wrote(); got != "hello|from the first tab|from the second tab" {
		t.Errorf("the server has %q", got)
	}
	// A third visit finds nothing that waits.
	three := two.Beside(t, webtest.Desktop, url)
	ready(t, three)
	three.WaitJS(t, js(`r.querySelectorAll(".message.citizen[data-seq]").length === 3 && !r.querySelector(".message.waiting")`))
	hub.set(func() {
		if hub.doubled != 0 {
			t.Errorf("%d messages went out twice", hub.doubled)
		}
	})
}

// What comes in while the page is in the background is unread until somebody looks at it.
func TestWhatCameInBehindIsSeenWhenThePageIsLookedAt(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := webtest.New(t).Open(t, webtest.Desktop, page(t, hub, `data-open="true"`))
	ready(t, tab)
	write(t, tab, "hello")
	tab.WaitJS(t, js(`r.querySelector(".receipt")?.innerText.includes("Sent")`))
	hidden := func(yes string) {
		t.Helper()
		tab.Run(t, chromedp.Evaluate(`Object.defineProperty(document, "hidden", {configurable: true, get: () => `+yes+`}); document.dispatchEvent(new Event("visibilitychange"))`, nil))
	}
	hidden("true")
	hub.say("staff", "Li Na", "One more thing.")
	tab.WaitJS(t, js(`r.querySelector(".badge").textContent === "1"`))
	seen := func(want float64) func() bool {
		return func() bool { last, _ := hub.seen(); return last == want }
	}
	hub.set(func() {
		if last, _ := hub.seen(); last > 1 {
			t.Errorf("nobody looked, and %v is said to be seen", last)
		}
	})
	hidden("false")
	tab.WaitJS(t, js(`r.querySelector(".badge").hidden`))
	hub.awaits(t, "the last message is seen", seen(2))
	// What was read without a connection is told when it is back.
	hidden("true")
	hub.say("staff", "Li Na", "And another.")
	tab.WaitJS(t, js(`r.querySelector(".badge").textContent === "1"`))
	hub.cut()
	tab.WaitJS(t, `document.querySelector("hotline-chat").transport.state === "offline"`)
	hidden("false")
	hub.awaits(t, "it is told on the next connection", seen(3))
}
