package hub_test

import (
	"context"
	"testing"
	"time"

	"hotline/chat"
	"hotline/chat/bot"
	"hotline/chat/bot/bottest"
	"hotline/chat/hub"
	"hotline/chat/hub/client"
)

// slowly is a model that tells a sentence, then waits to be let on.
type slowly struct{ on chan bool }

func (s slowly) Answer(ctx context.Context, q bot.Grounding, say func(string)) (bot.Grounded, error) {
	say("It costs 120 yuan [1].")
	select {
	case finish := <-s.on:
		if !finish {
			return bot.Grounded{}, nil
		}
	case <-ctx.Done():
		return bot.Grounded{}, ctx.Err()
	}
	say("It costs 120 yuan [1]. It takes 7 days [1].")
	return bot.Grounded{Text: "It costs 120 yuan [1]. It takes 7 days [1].", Citations: q.Found}, nil
}

func (slowly) Rewrite(context.Context, bot.Follow) (bot.Rewritten, error) {
	return bot.Rewritten{}, nil
}
func (slowly) FindSlots(context.Context, bot.Statement) (bot.Slots, error) { return bot.Slots{}, nil }

func TestAnAnswerIsSeenWhileItIsMade(t *testing.T) {
	t.Parallel()
	m := slowly{make(chan bool)}
	policy, err := bot.New(bot.Options{Env: bot.Env{Now: time.Now}, LLM: m, Knowledge: bottest.Knowledge{Articles: []bottest.Article{
		{ID: "passport", Lang: "en", Title: "Apply for a passport", Text: "120 yuan.", Version: 3, Words: []string{"passport"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	n := p.node(t, func(d *chat.Deps, _ *hub.Options) {
		d.Bot, d.Options = policy, chat.Options{TurnTimeout: 40 * time.Second, Lease: 60 * time.Second}
	})
	c := n.dial(t, client.Options{})
	send(t, c, "hello")
	for receive(t, c.Messages(), "a greeting").Author != chat.ByBot {
	}
	tab := p.node(t).dial(t, client.Options{Token: c.Token()}) // on another node
	send(t, c, "What does a passport cost?")
	if e := event(t, c, "partial"); e.Text != "It costs 120 yuan [1]." {
		t.Errorf("saw %+v", e)
	}
	if e := event(t, tab, "partial"); e.Text != "It costs 120 yuan [1]." {
		t.Errorf("the other tab saw %+v", e)
	}
	m.on <- true
	if e := event(t, c, "partial"); e.Text != "It costs 120 yuan [1]. It takes 7 days [1]." {
		t.Errorf("saw %+v", e)
	}
	for {
		if got := receive(t, c.Messages(), "the answer"); got.Author == chat.ByBot {
			if got.Text != "It costs 120 yuan [1]. It takes 7 days [1]." || len(got.Payload.Citations) != 1 {
				t.Errorf("got %+v", got)
			}
			break
		}
	}
}

func TestAnAnswerThatIsNotSaidIsTakenBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	m := slowly{make(chan bool)}
	policy, err := bot.New(bot.Options{Env: bot.Env{Now: time.Now}, LLM: m, Knowledge: bottest.Knowledge{Articles: []bottest.Article{
		{ID: "passport", Lang: "en", Title: "Apply for a passport", Text: "120 yuan.", Version: 3, Words: []string{"passport"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	n := p.node(t, func(d *chat.Deps, _ *hub.Options) {
		d.Bot, d.Options = policy, chat.Options{TurnTimeout: 40 * time.Second, Lease: 60 * time.Second}
	})
	c := n.dial(t, client.Options{})
	send(t, c, "What does a passport cost?")
	for receive(t, c.Events(), "a partial answer").T != "partial" {
	}
	tab := n.dial(t, client.Options{Token: c.Token()})
	if err := n.chat.TakeOver(ctxb, p.city.Staff("operator"), *tab.Welcome().Conversation); err != nil {
		t.Fatal(err)
	}
	m.on <- true
	for {
		if e := event(t, c, "partial"); e.Text == "" {
			break
		}
	}
}
