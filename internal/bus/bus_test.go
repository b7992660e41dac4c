package bus_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"hotline/internal/bus"
)

func open(t *testing.T, o bus.Options) *bus.Bus {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	b, err := bus.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func receive(t *testing.T, ch <-chan string) string {
	t.Helper()
	select {
	case s := <-ch:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("no hint arrived")
		return ""
	}
}

func TestHintReachesWildcardSubscriberInTheSameProcess(t *testing.T) {
	t.Parallel()
	b := open(t, bus.Options{Prefix: "a"})
	got := make(chan string, 1)
	cancel, err := b.Subscribe("conv.*", func(subject string, data []byte) { got <- subject + " " + string(data) })
	if err != nil {
		t.Fatal(err)
	}
	b.Publish("conv.7", []byte(`{"seq":1}`))
	if s := receive(t, got); s != `conv.7 {"seq":1}` {
		t.Fatal(s)
	}
	cancel()
	b.Close()
	b.Close()
	b.Publish("conv.7", nil) // after the end: nothing, and no panic
}

func TestNodesOnOneServerHearEachOtherAndOtherPrefixesDoNot(t *testing.T) {
	t.Parallel()
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(10 * time.Second) {
		t.Fatal("server not ready")
	}
	one, two := open(t, bus.Options{URL: ns.ClientURL(), Prefix: "x"}), open(t, bus.Options{URL: ns.ClientURL(), Prefix: "x"})
	other := open(t, bus.Options{URL: ns.ClientURL(), Prefix: "y"})
	got := make(chan string, 4)
	if _, err := two.Subscribe("conv.*", func(subject string, _ []byte) { got <- subject }); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Answer("node.two", func([]byte) []byte { return []byte("here") }); err != nil {
		t.Fatal(err)
	}
	if err := two.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	other.Publish("conv.other", nil)
	if err := other.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	one.Publish("conv.1", nil)
	if s := receive(t, got); s != "conv.1" {
		t.Fatal(s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if answer, err := one.Ask(ctx, "node.two", nil); err != nil || string(answer) != "here" {
		t.Fatalf("%q %v", answer, err)
	}
	if _, err := one.Ask(ctx, "node.three", nil); err == nil {
		t.Fatal("nobody answered and there is no error")
	}
}
