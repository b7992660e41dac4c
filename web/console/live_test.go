package console_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/tickets"
	"hotline/web/webtest"
)

// press is a key as a keyboard sends it: the character comes only when nobody took the key.
func press(key string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		if err := input.DispatchKeyEvent(input.KeyDown).WithKey(key).WithText(key).Do(ctx); err != nil {
			return err
		}
		return input.DispatchKeyEvent(input.KeyUp).WithKey(key).Do(ctx)
	})
}

// TestKeysAndLiveUpdates is a handler at work: keys to move and write, somebody else's change appearing without a reload, and what is being
// typed staying as it is.
func TestKeysAndLiveUpdates(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	env := r.city.Agencies["dept-environment"]
	k := r.noRoute()
	k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: env})
	k = r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
	tab := r.enter(t, b, webtest.Desktop, "handler-env", "/console/inbox?view=open")
	tab.WaitJS(t, `document.getElementById("live-state").dataset.state === "on"`)

	tab.Run(t, press("j"))
	tab.WaitJS(t, `document.activeElement.closest("#row-`+k.ID.String()+`") !== null`)
	tab.Run(t, chromedp.KeyEvent(kb.Enter), chromedp.WaitReady("#composer-text"))
	tab.WaitJS(t, `location.pathname.endsWith("`+k.ID.String()+`") && document.getElementById("live-state").dataset.watching.includes("`+k.ID.String()+`")`)
	tab.Run(t, press("n"))
	tab.WaitJS(t, `document.activeElement.id === "composer-text" && document.querySelector('#composer input[value="note"]').checked`)
	tab.Run(t, chromedp.KeyEvent("Called the depot"))

	// A colleague writes meanwhile: it appears, and the half-written note stays.
	_, err := r.chat.ReplyToTicket(context.Background(), r.as("head-env"), k.ID, k.Version, "Where exactly is the stop?", tickets.AskCitizen, tickets.Fields{}, "")
	must(t, err)
	tab.WaitJS(t, `document.getElementById("feed").textContent.includes("Where exactly is the stop?")`)
	if got := webtest.Eval[string](t, tab, `document.getElementById("composer-text").value`); got != "Called the depot" {
		t.Fatalf("what was typed is now %q", got)
	}
	if got := webtest.Eval[bool](t, tab, `document.activeElement.id === "composer-text"`); !got {
		t.Error("the focus was taken away")
	}
	tab.Run(t, chromedp.KeyEvent(" today"), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)))
	tab.WaitJS(t, `document.getElementById("feed").textContent.includes("Called the depot today")`)

	// A new ticket comes into the list by itself.
	fresh := r.noRoute()
	r.apply("dispatcher", fresh, tickets.Dispatch, tickets.Fields{Lead: env})
	tab.WaitJS(t, `document.getElementById("row-`+fresh.ID.String()+`") !== null`)

	// An answer written on an old state is marked before it is sent.
	tab.Run(t, chromedp.Click(`//label[contains(., "Message")]`, chromedp.BySearch), chromedp.SendKeys("#composer-text", "We are looking into it"))
	_, err = r.chat.ReplyByCitizen(context.Background(), k.ID, "c1", "At the north side.", nil)
	must(t, err)
	tab.WaitJS(t, `!document.getElementById("composer-changed").hidden && document.getElementById("feed").textContent.includes("north side")`)
	tab.Screenshot(t, "changed-while-writing")
	tab.Run(t, chromedp.Click("[data-seen-change]"))
	tab.WaitJS(t, `document.getElementById("composer-changed").hidden && document.activeElement.id === "composer-text" && document.activeElement.value === "We are looking into it"`)
	tab.Run(t, chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)))
	tab.WaitJS(t, `document.getElementById("feed").textContent.includes("We are looking into it") && document.getElementById("composer-text").value === ""`)

	// Help and palette.
	tab.Run(t, chromedp.KeyEvent(kb.Escape), press("?"))
	tab.WaitJS(t, `document.getElementById("help").open`)
	tab.Axe(t, "help")
	tab.Screenshot(t, "help")
	tab.Run(t, chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("k", chromedp.KeyModifiers(2)))
	tab.WaitJS(t, `document.getElementById("palette").open`)
	// The palette teaches the keys, and finds by any words of a name.
	tab.Run(t, chromedp.SendKeys("#palette input", "queue my"))
	tab.WaitJS(t, `document.querySelector("#palette-list li:first-child")?.textContent.startsWith("My queue") && document.querySelector("#palette-list li:first-child kbd")?.textContent === "g i"`)
	tab.Axe(t, "palette")
	tab.Screenshot(t, "palette")
	tab.Run(t, chromedp.KeyEvent(kb.Escape))
	clean(t, tab, "work")
}

func TestDispatchDialogByNumberKeys(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	k := r.noRoute()
	tab := r.enter(t, b, webtest.Desktop, "dispatcher", "/console/tickets/"+k.ID.String()+"?view=pending_dispatch")
	tab.Run(t, chromedp.WaitReady("#actions"), press("d"))
	tab.WaitJS(t, `document.getElementById("dialog").open`)
	tab.Axe(t, "dispatch dialog")
	tab.Screenshot(t, "dispatch-dialog")
	tab.Run(t, press("2"))
	tab.WaitJS(t, `document.querySelector('input[data-number="2"]').checked`)
	want := webtest.Eval[string](t, tab, `document.querySelector('input[data-number="2"]').value`)
	tab.Run(t, chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)))
	tab.WaitJS(t, `!document.getElementById("dialog").open && document.getElementById("ticket-head").textContent.includes("to be signed")`)
	if got := r.ticket(k.ID); got.Lead.String() != want {
		t.Errorf("dispatched to %s, chosen %s", got.Lead, want)
	}
	clean(t, tab, "dialog")
}

func TestLiveChatBothWays(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	ctx := context.Background()
	say := func(id, text string) chat.Receipt {
		got, err := r.chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "demo", Thread: "visitor-1", ExternalID: id, Text: text, Lang: "en"})
		must(t, err)
		return got
	}
	conv := say("1", "May I speak with a person?").ConversationID
	tab := r.enter(t, b, webtest.Desktop, "operator", "/console/chats")
	tab.WaitJS(t, `document.getElementById("live-state").dataset.state === "on"`)
	must(t, r.chat.AskHuman(ctx, conv))
	tab.Run(t, chromedp.WaitReady("#row-"+conv.String()+" a"), chromedp.Click("#row-"+conv.String()+" a"), chromedp.WaitReady("#chat"), press("s"), chromedp.WaitReady("#composer-text"))
	tab.WaitJS(t, `document.getElementById("live-state").dataset.watching.includes("`+conv.String()+`")`)
	tab.Run(t, chromedp.SendKeys("#composer-text", "Hello, how can I help?"+kb.Enter))
	tab.WaitJS(t, `document.getElementById("feed").textContent.includes("how can I help?") && document.getElementById("composer-text").value === ""`)
	tab.Run(t, chromedp.SendKeys("#composer-text", "One mom"))
	// Somebody who types is heard every few seconds, and one hint may fall between two streams of the page.
	stopped, typed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(typed)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			r.chat.Typing(conv, chat.ByCitizen)
			select {
			case <-stopped:
				return
			case <-tick.C:
			}
		}
	}()
	tab.WaitJS(t, `!document.getElementById("typing").hidden`)
	close(stopped)
	<-typed
	say("2", "My bill is too high")
	tab.WaitJS(t, `document.getElementById("feed").textContent.includes("My bill is too high") && document.getElementById("typing").hidden`)
	if got := webtest.Eval[string](t, tab, `document.getElementById("composer-text").value`); got != "One mom" {
		t.Errorf("what was typed is now %q", got)
	}
	tab.Screenshot(t, "chat-live")
	seen, err := r.chat.Conversation(ctx, db.System(), conv)
	must(t, err)
	if seen.StaffSeen == 0 {
		t.Error("nothing is marked as seen")
	}
	clean(t, tab, "chat")
}

// stream opens the events of a page and gives its next event with its data.
func (b *browser) stream(query string) (next func() (event, data string)) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/console/events?"+query, nil)
	must(b.t, err)
	resp, err := b.client.Do(req)
	must(b.t, err)
	b.t.Cleanup(func() { _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	return func() (event, data string) {
		for lines.Scan() {
			if words, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = words
			}
			if words, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return event, words
			}
		}
		b.t.Fatalf("the stream ended: %v", lines.Err())
		return "", ""
	}
}

// What happens between the rendering of a page and its stream must not wait for the slow tick: the stream says where things stand.
func TestAStreamBeginsWithWhereThingsStand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.noRoute()
	query := "ticket=" + k.ID.String() + "&conversation=" + k.ConversationID.String()
	page := r.signIn("dispatcher").get("/console/tickets/" + k.ID.String())
	page.wants(t, http.StatusOK, `data-version="`+itoa(k.Version)+`"`, `data-last="`)
	k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	event, data := r.signIn("dispatcher").stream(query)()
	conv, err := r.chat.Conversation(context.Background(), db.System(), k.ConversationID)
	must(t, err)
	if want := fmt.Sprintf(`{"version":%d,"seq":%d}`, k.Version, conv.LastSeq); event != "ready" || data != want {
		t.Errorf("%s %s, want %s", event, data, want)
	}
	if _, data := r.signIn("handler-util").stream(query)(); data != "{}" {
		t.Errorf("another agency hears %s", data)
	}
}

func TestEventsTellOnlyWhatThePersonMaySee(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	secret := r.file("report", "An inspector asks for money", "The inspector asked for money twice", "environment.waste")
	next := r.signIn("handler-util").stream("ticket=" + secret.ID.String() + "&conversation=" + secret.ConversationID.String())
	if got, data := next(); got != "ready" || data != "{}" {
		t.Fatalf("first event %q %s", got, data)
	}
	_, err := r.tickets.Note(context.Background(), r.as("dispatcher"), secret.ID, "Call the prosecutor", "")
	must(t, err)
	r.chat.Announce(r.ticket(secret.ID))
	// Lists may have changed, nothing more is told.
	if got, _ := next(); got != "inbox" {
		t.Fatalf("event %q about a ticket of another agency", got)
	}
}
