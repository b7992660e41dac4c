package widget

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"

	"hotline/web/webtest"
)

// A long answer, or a long absence, brings many messages at once. Telling the server of each that it was read would be what the server
// calls a flood, and it would close the connection.
func TestManyMessagesAreReadWithFewFrames(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := webtest.New(t).Open(t, webtest.Desktop, page(t, hub, `data-open="true"`))
	ready(t, tab)
	write(t, tab, "first")
	tab.WaitJS(t, js(`r.querySelector(".receipt")?.innerText.includes("Sent")`))
	for range 80 {
		hub.say("bot", "", "One of many.")
	}
	var frames int
	hub.awaits(t, "the last message is seen", func() bool {
		var last float64
		last, frames = hub.seen()
		return last == 81
	})
	if frames > 10 {
		t.Errorf("%d frames say that 81 messages were seen", frames)
	}
}

// Whoever writes faster than the server takes it is told so, and everything arrives, once, without doing anything.
func TestTooFastIsSaidAndSentLater(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := connected(t, hub)
	hub.set(func() { hub.tooFast = 1 })
	write(t, tab, "refused for now")
	sees(t, tab, "That was a lot at once")
	tab.Screenshot(t, "widget-too-fast")
	tab.Axe(t, "too fast")
	tab.WaitJS(t, js(`r.querySelectorAll(".message.citizen[data-seq]").length === 1 && !r.querySelector(".message.waiting") && r.querySelector(".notice").hidden`))

	hub.set(func() {
		_ = hub.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4029, "too many frames"), time.Now().Add(time.Second))
		hub.socket = nil
	})
	sees(t, tab, "That was a lot at once")
	write(t, tab, "written meanwhile")
	if got := webtest.Eval[bool](t, tab, js(`r.querySelector(".panel").innerText.includes("You are offline")`)); got {
		t.Error("somebody whose network is fine is told to be offline")
	}
	tab.Run(t, chromedp.Evaluate(`dispatchEvent(new Event("online"))`, nil)) // does not wait for the half minute
	tab.WaitJS(t, js(`r.querySelectorAll(".message.citizen[data-seq]").length === 2 && !r.querySelector(".message.waiting") && r.querySelector(".notice").hidden`))
	hub.set(func() {
		if len(hub.messages) != 2 || hub.messages[1]["text"] != "written meanwhile" {
			t.Errorf("stored %v", hub.messages)
		}
	})
}

// The widget leaves the connection itself when the language changes. What was under way then and not acknowledged goes out again on the next one.
func TestChangedLanguageLosesNothing(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := connected(t, hub)
	hub.set(func() { hub.lossy = true })
	write(t, tab, "lost on the way")
	tab.WaitJS(t, `document.querySelector("hotline-chat").transport.inflight !== ""`)
	hub.set(func() { hub.lossy = false })
	click(t, tab, ".lang")
	tab.WaitJS(t, js(`r.querySelectorAll(".message.citizen[data-seq]").length === 1 && !r.querySelector(".message.waiting")`))
	hub.set(func() {
		if len(hub.messages) != 1 || hub.messages[0]["text"] != "lost on the way" {
			t.Errorf("stored %v", hub.messages)
		}
	})
}

// A network that went away without a word looks like one that lives. A message that nobody answers is sent again on a new connection.
func TestSilenceIsTakenForALostConnection(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	tab := connected(t, hub)
	hub.set(func() { hub.lossy = true })
	tab.Run(t, chromedp.Evaluate(`document.querySelector("hotline-chat").transport.silence = 500`, nil))
	write(t, tab, "into a dead line")
	tab.WaitJS(t, js(`document.querySelector("hotline-chat").transport.state === "offline" && !!r.querySelector(".message.waiting")`))
	hub.set(func() { hub.lossy = false })
	tab.WaitJS(t, js(`r.querySelectorAll(".message.citizen[data-seq]").length === 1 && !r.querySelector(".message.waiting")`))
	hub.set(func() {
		if len(hub.messages) != 1 || len(hub.hellos) < 2 {
			t.Errorf("stored %v after %d connections", hub.messages, len(hub.hellos))
		}
	})
}
