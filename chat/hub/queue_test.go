package hub_test

import (
	"net/http"
	"testing"
	"time"

	"hotline/chat"
	"hotline/chat/hub"
	"hotline/chat/hub/client"
)

// Who waits for a person while nobody is on duty is told when the next duty begins: on the socket, after a reconnect and without a socket.
func TestTheQueueTellsTheNextDuty(t *testing.T) {
	t.Parallel()
	next := time.Date(2026, 3, 5, 1, 0, 0, 0, time.UTC)
	p := newPlace(t)
	n := p.node(t, func(_ *chat.Deps, o *hub.Options) { o.Duty = func(time.Time) (bool, time.Time) { return false, next } })
	c := n.dial(t, client.Options{})
	send(t, c, "hello")
	conv, err := n.chat.ByThread(ctxb, "web", "demo", thread(t, c.Token()))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.chat.AskHuman(ctxb, conv.ID); err != nil {
		t.Fatal(err)
	}
	if e := event(t, c, "holder"); e.Holder != chat.HeldByQueue || e.Position != 1 || e.Duty != "2026-03-05T01:00:00Z" {
		t.Errorf("holder %+v", e)
	}
	again := n.dial(t, client.Options{Token: c.Token()})
	if w := again.Welcome(); w.Position != 1 || w.Duty == nil || !w.Duty.Equal(next) {
		t.Errorf("welcome %+v", w)
	}
	if a := n.ask(t, http.MethodGet, "/chat/v1/messages?site=demo", c.Token(), "", "", nil); a.status != 200 || a.body["duty"] != "2026-03-05T01:00:00Z" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if err := n.chat.LeaveQueue(ctxb, conv.ID); err != nil {
		t.Fatal(err)
	}
	if e := event(t, c, "holder"); e.Holder != chat.HeldByBot || e.Position != 0 || e.Duty != "" {
		t.Errorf("after leaving: %+v", e)
	}
}
