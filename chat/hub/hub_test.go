package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"hotline/chat"
	"hotline/chat/hub"
	"hotline/chat/hub/client"
	"hotline/internal/db"
)

func TestSameConversationAfterReload(t *testing.T) {
	t.Parallel()
	n := newPlace(t).node(t)
	c := n.dial(t, client.Options{Lang: "zh-CN"})
	if w := c.Welcome(); w.Conversation != nil || w.Last != 0 || w.Holder != chat.HeldByBot || w.Lang != "zh-CN" || w.Limits.Text == 0 {
		t.Errorf("welcome %+v", w)
	}
	if seq := send(t, c, "停水了"); seq != 1 {
		t.Errorf("first message has seq %d", seq)
	}
	if m := receive(t, c.Messages(), "the message itself"); m.Seq != 1 || m.Text != "停水了" || m.Author != chat.ByCitizen {
		t.Errorf("got %+v", m)
	}
	send(t, c, "两天了")
	c.Close()
	again := n.dial(t, client.Options{Token: c.Token()})
	for i, want := range []string{"停水了", "两天了"} {
		if m := receive(t, again.Messages(), want); m.Text != want || m.Seq != int64(i+1) {
			t.Errorf("replay gave %+v, want %q", m, want)
		}
	}
	if w := again.Welcome(); w.Conversation == nil || w.Last != 2 || w.Token != "" {
		t.Errorf("welcome %+v", w)
	}
}

func TestMessageIngestedOnOneNodeIsReadOnTheOther(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a, b := p.node(t), p.node(t)
	onA := a.dial(t, client.Options{})
	send(t, onA, "hello")
	receive(t, onA.Messages(), "own message")
	onB := b.dial(t, client.Options{Token: onA.Token()})
	receive(t, onB.Messages(), "replay on the other node")
	conv := *onB.Welcome().Conversation
	desk := p.city.Staff("operator")
	if err := a.chat.TakeOver(ctxb, desk, conv); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, onB.Messages(), "take-over"); m.Payload.Event != chat.EventTakenOver || !strings.Contains(m.Text, "operator") {
		t.Errorf("got %+v", m)
	}
	if e := event(t, onB, "holder"); e.Holder != chat.HeldByStaff || e.Name != "operator" {
		t.Errorf("holder %+v", e)
	}
	if _, err := a.chat.Post(ctxb, desk, conv, chat.Outgoing{Text: "Good morning"}); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, onB.Messages(), "a person's message"); m.Text != "Good morning" || m.Author != chat.ByStaff || m.Name != "operator" {
		t.Errorf("got %+v", m)
	}
	a.chat.Typing(conv, chat.ByStaff)
	if e := event(t, onB, "typing"); e.Who != chat.ByStaff {
		t.Errorf("typing %+v", e)
	}
	if err := a.chat.Seen(ctxb, desk, conv, 3, chat.ByStaff); err != nil {
		t.Fatal(err)
	}
	if e := event(t, onB, "seen"); e.By != chat.ByStaff || e.Seq != 3 {
		t.Errorf("seen %+v", e)
	}
	onB.Seen(3)
	if e := event(t, onA, "seen"); e.By != chat.ByStaff {
		t.Errorf("seen %+v", e)
	}
	if e := event(t, onA, "seen"); e.By != chat.ByCitizen || e.Seq != 3 {
		t.Errorf("seen %+v", e)
	}
}

func TestSecondTabLearnsOfTheFirstMessage(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a, b := p.node(t), p.node(t)
	one := a.dial(t, client.Options{})
	two := b.dial(t, client.Options{Token: one.Token()}) // nothing was said yet
	send(t, one, "hello")
	if m := receive(t, two.Messages(), "the first message in the other tab"); m.Text != "hello" {
		t.Errorf("got %+v", m)
	}
}

func TestLostHintsOnlyDelay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	deaf := p.node(t, func(_ *chat.Deps, o *hub.Options) { o.Bus = nil })
	other := p.node(t)
	c := deaf.dial(t, client.Options{})
	waits := deaf.dial(t, client.Options{Token: c.Token()})
	send(t, c, "hello")
	receive(t, c.Messages(), "own message")
	receive(t, waits.Messages(), "the same node tells its own sockets")
	conv, err := other.chat.ByThread(ctxb, "web", "demo", thread(t, c.Token()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.chat.Post(ctxb, db.System(), conv.ID, chat.Outgoing{Author: chat.ByBot, Text: "answer"}); err != nil {
		t.Fatal(err)
	}
	if err := other.chat.AskHuman(ctxb, conv.ID); err != nil {
		t.Fatal(err)
	}
	deaf.hub.CatchUp()
	if m := receive(t, c.Messages(), "the missed message"); m.Text != "answer" || m.Seq != 2 {
		t.Errorf("got %+v", m)
	}
	if e := event(t, c, "holder"); e.Holder != chat.HeldByQueue || e.Position != 1 {
		t.Errorf("holder %+v", e)
	}
	late := deaf.dial(t, client.Options{})
	in := newInbound(t, late.Token(), "from elsewhere")
	if _, err := other.chat.Ingest(ctxb, in); err != nil {
		t.Fatal(err)
	}
	deaf.hub.CatchUp()
	receive(t, late.Messages(), "a conversation that began on another node")
}

func TestStalledReaderGetsAllOfFiveHundred(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	n := p.node(t, func(_ *chat.Deps, o *hub.Options) { o.SlowAfter, o.HardAfter = 300*time.Millisecond, 30*time.Second })
	first := n.dial(t, client.Options{})
	send(t, first, "hello")
	token := first.Token()
	first.Close()
	conv, err := n.chat.ByThread(ctxb, "web", "demo", thread(t, token))
	if err != nil {
		t.Fatal(err)
	}
	ws := raw(t, n, "", 64<<10)
	write(t, ws, map[string]any{"t": "hello", "site": "demo", "token": token, "after": 1})
	if f, _ := read(t, ws); f["t"] != "welcome" {
		t.Fatalf("got %v", f)
	}
	body := strings.Repeat("x", 16<<10)
	for i := range 500 {
		if _, err := n.chat.Post(ctxb, db.System(), conv.ID, chat.Outgoing{Author: chat.ByBot, Text: fmt.Sprintf("%03d%s", i, body[3:])}); err != nil {
			t.Fatal(err)
		}
	}
	// It has read nothing so far; the hub gives up on it and says so with a code that it finds when it reads again.
	if code := receive(t, n.closes, "the slow reader to be closed"); code != hub.CloseSlow || !hub.ComeBack(code) {
		t.Fatalf("closed with %d", code)
	}
	last := 1
	for {
		f, code := read(t, ws)
		if code != 0 {
			if code != hub.CloseSlow {
				t.Fatalf("the client read code %d", code)
			}
			break
		}
		if f["t"] == "message" {
			if last++; int(f["seq"].(float64)) != last {
				t.Fatalf("seq %v after %d", f["seq"], last-1)
			}
		}
	}
	t.Logf("%d messages before the close, the rest after coming back", last-1)
	back := n.dial(t, client.Options{Token: token, After: int64(last)})
	for last < 501 {
		m := receive(t, back.Messages(), "the rest")
		if last++; m.Seq != int64(last) || m.Text[:3] != fmt.Sprintf("%03d", last-2) || len(m.Text) != 16<<10 {
			t.Fatalf("seq %d with %q… of %d bytes, want seq %d", m.Seq, m.Text[:3], len(m.Text), last)
		}
	}
}

func TestClientRepeatsUntilAcknowledged(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a := p.node(t)
	b := p.node(t)
	urls := []string{a.socket(), b.socket()}
	c := a.dial(t, client.Options{Pick: func(i int) string { return urls[min(i, 1)] }})
	send(t, c, "one")
	ctx, cancel := context.WithTimeout(ctxb, 10*time.Second)
	defer cancel()
	a.hub.Stop(ctx)
	if e := event(t, c, "closed"); e.Closed != hub.CloseRestart {
		t.Errorf("a stopping node closed with %d", e.Closed)
	}
	if seq := send(t, c, "two"); seq != 2 {
		t.Errorf("seq %d on the other node", seq)
	}
	for want := int64(1); want <= 2; want++ {
		if m := receive(t, c.Messages(), "messages over two nodes"); m.Seq != want {
			t.Errorf("seq %d, want %d", m.Seq, want)
		}
	}
	// The same ref with another text is told, not swallowed.
	if _, err := c.Send(ctx, client.Out{Ref: "r1", Text: "three"}); err != nil {
		t.Fatal(err)
	}
	var refused *client.Error
	if _, err := c.Send(ctx, client.Out{Ref: "r1", Text: "changed"}); !errors.As(err, &refused) || refused.Code != "chat.receipt_conflict" {
		t.Errorf("got %v", err)
	}
	if seq, err := c.Send(ctx, client.Out{Ref: "r1", Text: "three"}); err != nil || seq != 3 {
		t.Errorf("repeated: seq %d, %v", seq, err)
	}
}

func TestWhoMayNotComeIn(t *testing.T) {
	t.Parallel()
	n := newPlace(t).node(t)
	if _, resp, err := (&websocket.Dialer{}).Dial(n.socket(), map[string][]string{"Origin": {"https://evil.example"}}); err == nil || resp.StatusCode != 403 {
		t.Errorf("a page that is listed nowhere: %v", err)
	}
	for name, c := range map[string]struct {
		origin string
		hello  any
		code   int
	}{
		"unknown site":               {"", map[string]any{"t": "hello", "site": "nope"}, hub.CloseForbidden},
		"listed for another site":    {"https://other.example", map[string]any{"t": "hello", "site": "demo"}, hub.CloseForbidden},
		"token too short":            {"", map[string]any{"t": "hello", "site": "demo", "token": "abc"}, hub.CloseNoHello},
		"token not base64":           {"", map[string]any{"t": "hello", "site": "demo", "token": strings.Repeat("!", 43)}, hub.CloseNoHello},
		"negative position":          {"", map[string]any{"t": "hello", "site": "demo", "after": -1}, hub.CloseNoHello},
		"talks before hello":         {"", map[string]any{"t": "send", "ref": "1", "text": "x"}, hub.CloseNoHello},
		"not an object before hello": {"", []int{1}, hub.CloseNoHello},
		"listed page":                {"https://city.example", map[string]any{"t": "hello", "site": "demo"}, 0},
		"page of this server":        {n.url, map[string]any{"t": "hello", "site": "demo"}, 0},
		"no browser":                 {"", map[string]any{"t": "hello", "site": "demo"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ws := raw(t, n, c.origin, 0)
			write(t, ws, c.hello)
			f, code := read(t, ws)
			if code != c.code || code == 0 && f["t"] != "welcome" {
				t.Errorf("got %v, code %d, want code %d", f, code, c.code)
			}
			if code != 0 && hub.ComeBack(code) {
				t.Errorf("code %d asks to come back, in vain", code)
			}
		})
	}
	hasty := newPlace(t).node(t, func(_ *chat.Deps, o *hub.Options) { o.HelloWithin = time.Second })
	silent := raw(t, hasty, "", 0)
	if _, code := read(t, silent); code != hub.CloseNoHello {
		t.Errorf("who says nothing is closed with %d", code)
	}
}

func TestBadFramesAreToldApart(t *testing.T) {
	t.Parallel()
	n := newPlace(t).node(t, func(_ *chat.Deps, o *hub.Options) { o.Sends = hub.Rate{PerSecond: 0.01, Burst: 3} })
	ws := raw(t, n, "", 0)
	write(t, ws, map[string]any{"t": "hello", "site": "demo", "lang": "zh-CN"})
	read(t, ws)
	for _, c := range []struct {
		frame any
		code  string
	}{
		{map[string]any{"t": "send", "text": "no ref"}, "chat.bad_ref"},
		{map[string]any{"t": "send", "ref": "a b", "text": "x"}, "chat.bad_ref"},
		{map[string]any{"t": "send", "ref": "1", "text": " "}, "chat.empty"},
		{map[string]any{"t": "send", "ref": "2", "text": strings.Repeat("a", 20001)}, "chat.too_long"},
		{map[string]any{"t": "send", "ref": "3", "uploads": []uuid.UUID{uuid.New()}}, "chat.unknown_upload"},
		{map[string]any{"t": "send", "ref": "4", "text": "one too many"}, "chat.rate_limited"},
		{map[string]any{"t": "dance"}, "chat.bad_frame"},
		{map[string]any{"t": "lang", "lang": "tlh"}, "chat.bad_frame"},
	} {
		write(t, ws, c.frame)
		f, code := read(t, ws)
		if code != 0 || f["t"] != "error" || f["code"] != c.code || f["message"] == "" {
			t.Errorf("%v: got %v (%d), want %s", c.frame, f, code, c.code)
		}
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"t":`)); err != nil {
		t.Fatal(err)
	}
	if _, code := read(t, ws); code != hub.CloseBadFrame {
		t.Errorf("half a frame: code %d", code)
	}
	big := raw(t, n, "", 0)
	write(t, big, map[string]any{"t": "hello", "site": "demo"})
	read(t, big)
	if err := big.WriteMessage(websocket.TextMessage, make([]byte, 200<<10)); err != nil {
		t.Fatal(err)
	}
	if _, code := read(t, big); code != hub.CloseTooBig {
		t.Errorf("a huge frame: code %d", code)
	}
}

func TestHumanIsOneFrameAway(t *testing.T) {
	t.Parallel()
	n := newPlace(t).node(t)
	c := n.dial(t, client.Options{})
	c.Human()
	if m := receive(t, c.Messages(), "the wish"); m.Payload.Choice != "human" || m.Author != chat.ByCitizen {
		t.Errorf("got %+v", m)
	}
	if m := receive(t, c.Messages(), "the answer"); m.Payload.Event != chat.EventHandoff {
		t.Errorf("got %+v", m)
	}
	if e := event(t, c, "holder"); e.Holder != chat.HeldByQueue || e.Position != 1 {
		t.Errorf("holder %+v", e)
	}
}
