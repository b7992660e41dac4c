package chat_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/internal/testkit"
)

// thinking is a bot under a test's control: it tells when it begins and waits until it may answer.
type thinking struct {
	begun chan []bot.Input
	go_   chan struct{}
	calls atomic.Int64
	err   error
}

func newThinking() *thinking {
	return &thinking{begun: make(chan []bot.Input, 100), go_: make(chan struct{}, 100)}
}

func (k *thinking) turn(ctx context.Context, st bot.State, in []bot.Input, _ string) (bot.Reply, bot.State, error) {
	n := k.calls.Add(1)
	k.begun <- in
	select {
	case <-k.go_:
	case <-ctx.Done():
		return bot.Reply{}, st, ctx.Err()
	}
	return bot.Reply{Lang: "en", Messages: []bot.Message{{Text: fmt.Sprintf("answer %d to %d", n, len(in))}}}, st, k.err
}

func byBot(ms []chat.Message) (out []string) {
	for _, m := range ms {
		if m.Author == chat.ByBot {
			out = append(out, m.Text)
		}
	}
	return out
}

func TestBotAnswersWhatWasIngested(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	heard := make(chan string, 100)
	if _, err := b.Subscribe(chat.SubjectConversations, func(_ string, data []byte) { heard <- string(data) }); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(d *chat.Deps) { d.Bus = b })
	r.Start(ctxb)
	r.Start(ctxb)
	conv := r.say(t, "ann", "1", "hello").ConversationID
	for !strings.Contains(receive(t, heard, "the answer's hint"), `"seq":2`) {
	}
	ms := r.all(t, conv)
	if len(ms) < 2 || ms[1].Author != chat.ByBot || len(ms[1].Payload.Choices) == 0 {
		t.Fatalf("got %+v", ms)
	}
	if n, err := r.Sweep(ctxb); err != nil || n != 0 {
		t.Errorf("the sweep found %d answered conversations, %v", n, err)
	}
	r.Stop()
	r.Stop()
}

func TestTurnInterruptedByAPersonWritesNothing(t *testing.T) {
	t.Parallel()
	k := newThinking()
	r := newRig(t, func(d *chat.Deps) { d.Think = k.turn })
	conv := r.say(t, "ann", "1", "hello").ConversationID
	done := make(chan error, 1)
	go func() { done <- r.TakeTurn(ctxb, conv) }()
	receive(t, k.begun, "the turn")
	if err := r.TakeOver(ctxb, r.city.Staff("operator"), conv); err != nil {
		t.Fatal(err)
	}
	k.go_ <- struct{}{}
	if err := receive(t, done, "the turn's end"); err != nil {
		t.Fatal(err)
	}
	if said := byBot(r.all(t, conv)); len(said) != 0 {
		t.Errorf("the bot spoke over the person: %v", said)
	}
	r.say(t, "ann", "2", "still there?")
	if err := r.TakeTurn(ctxb, conv); err != nil || k.calls.Load() != 1 {
		t.Errorf("the bot thought about a conversation that a person holds (%v)", err)
	}
	if err := r.HandBack(ctxb, r.city.Staff("operator"), conv); err != nil {
		t.Fatal(err)
	}
	r.say(t, "ann", "3", "and now?")
	k.go_ <- struct{}{}
	if err := r.TakeTurn(ctxb, conv); err != nil {
		t.Fatal(err)
	}
	if in := receive(t, k.begun, "the turn after hand-back"); len(in) != 1 || in[0].Text != "and now?" {
		t.Errorf("the bot answers %+v, not only what came after the hand-back", in)
	}
}

func TestMessageDuringATurnIsAnsweredWithIt(t *testing.T) {
	t.Parallel()
	k := newThinking()
	r := newRig(t, func(d *chat.Deps) { d.Think = k.turn })
	conv := r.say(t, "ann", "1", "no water").ConversationID
	done := make(chan error, 1)
	go func() { done <- r.TakeTurn(ctxb, conv) }()
	receive(t, k.begun, "the turn")
	r.say(t, "ann", "2", "since Monday")
	k.go_ <- struct{}{}
	if in := receive(t, k.begun, "the second try"); len(in) != 2 {
		t.Errorf("the second try reads %d messages", len(in))
	}
	k.go_ <- struct{}{}
	if err := receive(t, done, "the end"); err != nil {
		t.Fatal(err)
	}
	if said := byBot(r.all(t, conv)); len(said) != 1 || said[0] != "answer 2 to 2" {
		t.Errorf("the bot said %v", said)
	}
}

func TestTurnKilledInTheMiddleIsRedoneOnce(t *testing.T) {
	t.Parallel()
	dead, alive := newThinking(), newThinking()
	r := newRig(t, func(d *chat.Deps) {
		d.Think = dead.turn
		d.Options.TurnTimeout, d.Options.Lease = time.Minute, 2*time.Minute
	})
	others := []*chat.Service{r.another(t, func(d *chat.Deps) { d.Think = alive.turn }), r.another(t, func(d *chat.Deps) { d.Think = alive.turn })}
	conv := r.say(t, "ann", "1", "hello").ConversationID
	done := make(chan error, 1)
	go func() { done <- r.TakeTurn(ctxb, conv) }()
	receive(t, dead.begun, "the turn that will die")
	r.clock.Advance(time.Minute)
	if n, err := others[0].Sweep(ctxb); err != nil || n != 0 {
		t.Fatalf("a turn that is still alive was taken away: %d, %v", n, err)
	}
	r.clock.Advance(2 * time.Minute)
	n1, err1 := others[0].Sweep(ctxb)
	n2, err2 := others[1].Sweep(ctxb)
	if err := errors.Join(err1, err2); err != nil || n1+n2 != 1 {
		t.Fatalf("two sweeps took %d turns, %v", n1+n2, err)
	}
	redone := make(chan error, 2)
	for _, o := range others {
		go func() { redone <- o.TakeTurn(ctxb, conv) }()
	}
	receive(t, alive.begun, "the turn redone")
	dead.go_ <- struct{}{} // the dead process comes back to life and finds its lease gone
	if err := receive(t, done, "the late turn"); err != nil {
		t.Fatal(err)
	}
	alive.go_ <- struct{}{}
	for range others {
		if err := receive(t, redone, "the turns' end"); err != nil {
			t.Fatal(err)
		}
	}
	if said := byBot(r.all(t, conv)); len(said) != 1 {
		t.Errorf("the bot said %v", said)
	}
	if alive.calls.Load() != 1 {
		t.Errorf("the turn was redone %d times", alive.calls.Load())
	}
}

func TestStoppedTurnIsGivenToTheOthersAtOnce(t *testing.T) {
	t.Parallel()
	k, other := newThinking(), newThinking()
	r := newRig(t, func(d *chat.Deps) { d.Think = k.turn })
	r.Start(ctxb)
	conv := r.say(t, "ann", "1", "hello").ConversationID
	receive(t, k.begun, "the turn")
	r.Stop()
	next := r.another(t, func(d *chat.Deps) { d.Think = other.turn })
	other.go_ <- struct{}{}
	if err := next.TakeTurn(ctxb, conv); err != nil {
		t.Fatal(err)
	}
	if said := byBot(r.all(t, conv)); len(said) != 1 {
		t.Errorf("the bot said %v", said)
	}
}

func TestFailingBotCallsAPerson(t *testing.T) {
	t.Parallel()
	k := newThinking()
	k.err = errors.New("out of order")
	r := newRig(t, func(d *chat.Deps) { d.Think = k.turn; d.Options.MaxTurnFail = 3 })
	conv := r.say(t, "ann", "1", "hello").ConversationID
	for i := range 3 {
		k.go_ <- struct{}{}
		if err := r.TakeTurn(ctxb, conv); err == nil {
			t.Fatalf("turn %d hides its failure", i)
		}
		r.clock.Advance(time.Minute)
	}
	c, err := r.Conversation(ctxb, db.System(), conv)
	if err != nil || c.Holder != chat.HeldByQueue || c.Position != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if ms := r.all(t, conv); len(ms) != 2 || ms[1].Payload.Event != chat.EventHandoff {
		t.Errorf("the citizen reads %+v", ms)
	}
}

func TestQueueAndHolders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := r.say(t, "a", "1", "hi").ConversationID, r.say(t, "b", "1", "hi").ConversationID
	if err := r.AskHuman(ctxb, a); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	if err := errors.Join(r.AskHuman(ctxb, b), r.AskHuman(ctxb, b)); err != nil {
		t.Fatal(err)
	}
	c, err := r.Conversation(ctxb, db.Citizen(b), b)
	if err != nil || c.Position != 2 {
		t.Errorf("position %d, %v", c.Position, err)
	}
	if _, err := r.Conversation(ctxb, db.Citizen(a), b); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("one citizen saw another's conversation: %v", err)
	}
	ann, ben := r.city.Staff("operator"), r.city.Staff("dispatcher")
	live, err := r.ListLive(ctxb, ann, chat.HeldByQueue, nil, 10)
	if err != nil || len(live) != 2 || live[0].ID != a {
		t.Fatalf("queue %+v, %v", live, err)
	}
	if more, err := r.ListLive(ctxb, ann, chat.HeldByQueue, &live[0], 10); err != nil || len(more) != 1 || more[0].ID != b {
		t.Errorf("second page %+v, %v", more, err)
	}
	if live, err := r.ListLive(ctxb, r.city.Staff("handler-env"), chat.HeldByQueue, nil, 10); err != nil || len(live) != 0 {
		t.Errorf("an agency sees the hotline's queue: %+v, %v", live, err)
	}
	if err := errors.Join(r.TakeOver(ctxb, ann, a), r.TakeOver(ctxb, ann, a)); err != nil {
		t.Fatal(err)
	}
	if err := r.TakeOver(ctxb, ben, a); !errors.Is(err, chat.ErrHeld) {
		t.Errorf("two people took the same conversation: %v", err)
	}
	if err := r.HandBack(ctxb, ben, a); !errors.Is(err, chat.ErrNotHeld) {
		t.Errorf("someone else's conversation was handed back: %v", err)
	}
	if err := r.Close(ctxb, ann, a); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(ctxb, ann, a); !errors.Is(err, chat.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	again := r.say(t, "a", "2", "one more thing")
	if c, err := r.Conversation(ctxb, db.System(), a); err != nil || again.ConversationID != a || c.ClosedAt != nil || c.Holder != chat.HeldByBot {
		t.Errorf("after closing: %+v, %v", c, err)
	}
	owner := testkit.OwnerPool(t, r.pool)
	if n := count(t, owner, `select count(*) from messages where payload->>'event' = 'taken_over'`); n != 1 {
		t.Errorf("%d notices of one take-over", n)
	}
}
