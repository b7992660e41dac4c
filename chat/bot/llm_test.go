package bot_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"hotline/chat/bot"
	"hotline/chat/bot/bottest"
)

// model is an LLM for the bot that says what a test wants.
type model struct {
	answer bot.Grounded
	err    error
	hang   bool
	asked  []bot.Grounding
	// what it proposes, and what it was asked for
	rewritten bot.Rewritten
	follows   []bot.Follow
	slots     bot.Slots
	told      []bot.Statement
}

func (m *model) Rewrite(ctx context.Context, f bot.Follow) (bot.Rewritten, error) {
	m.follows = append(m.follows, f)
	if m.hang {
		<-ctx.Done()
		return bot.Rewritten{}, ctx.Err()
	}
	return m.rewritten, m.err
}

func (m *model) FindSlots(ctx context.Context, s bot.Statement) (bot.Slots, error) {
	m.told = append(m.told, s)
	if m.hang {
		<-ctx.Done()
		return bot.Slots{}, ctx.Err()
	}
	return m.slots, m.err
}

func (m *model) Answer(ctx context.Context, q bot.Grounding, say func(string)) (bot.Grounded, error) {
	m.asked = append(m.asked, q)
	say("It costs 120 yuan [1].")
	if m.hang {
		<-ctx.Done()
		return bot.Grounded{}, ctx.Err()
	}
	return m.answer, m.err
}

var known = bottest.Knowledge{Articles: []bottest.Article{
	{ID: "passport", Lang: "en", Title: "Apply for a passport", Text: "It takes 7 working days and costs 120 yuan.", Version: 3, Words: []string{"passport"}},
	{ID: "enrol", Lang: "en", Title: "Enrol a child", Text: "Enrol online.", Version: 2, Words: []string{"school"}},
	{ID: "transfer", Lang: "en", Title: "Move to another school", Text: "Ask the new school.", Version: 1, Words: []string{"school"}},
}}

func with(t *testing.T, m bot.LLM) *bot.Policy {
	t.Helper()
	p, err := bot.New(bot.Options{Env: bot.Env{Now: func() time.Time { return time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC) }}, Knowledge: known, LLM: m})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheModelWordsWhatWasFound(t *testing.T) {
	t.Parallel()
	m := &model{answer: bot.Grounded{Text: "It costs 120 yuan [1]. Ask the new school [2].", Call: "call-1", Citations: []bot.Citation{{ArticleID: "passport", Version: 3, Title: "Apply for a passport"}, {ArticleID: "enrol", Version: 2}}}}
	p := with(t, m)
	var heard []string
	r, _, err := p.Turn(bot.Telling(t.Context(), func(s string) { heard = append(heard, s) }), bot.State{}, []bot.Input{{Text: "What does a passport cost?"}}, "en")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Messages[0]; got.Text != m.answer.Text || len(got.Citations) != 2 || len(heard) != 1 {
		t.Errorf("said %+v, heard %q", got, heard)
	}
	if q := m.asked[0]; q.Question != "What does a passport cost?" || q.Lang != "en" || len(q.Found) != 1 || q.Found[0].ArticleID != "passport" {
		t.Errorf("asked %+v", q)
	}
	if len(r.Told) != 1 || r.Told[0].Call != "call-1" || r.Told[0].Outcome != bot.OutcomeAnswer {
		t.Errorf("recorded %+v", r.Told)
	}
	// Several articles: it may settle which.
	r, _ = say(t, p, bot.State{}, bot.Input{Text: "How do I get my child into school?"})
	if r.Messages[0].Text != m.answer.Text || len(m.asked[1].Found) != 2 {
		t.Errorf("said %+v", r.Messages[0])
	}
}

func TestTheModelIsNotAskedOutsideTheArticles(t *testing.T) {
	t.Parallel()
	m := &model{answer: bot.Grounded{Text: "Anything.", Citations: []bot.Citation{{ArticleID: "x"}}}}
	p := with(t, m)
	for _, text := range []string{"Who won the football match?", "hello", "I want to complain about noise at 5 Mill Lane", "human", "thanks"} {
		if r, _ := say(t, p, bot.State{}, bot.Input{Text: text}); len(m.asked) > 0 {
			t.Errorf("%q went to the model: %+v", text, r.Messages)
		}
	}
}

// Whatever the model does, the bot says what it would say without one.
func TestWithoutTheModelTheBotIsTheSame(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*model{
		"fails": {err: errors.New("broken")}, "says nothing": {}, "cites nothing": {answer: bot.Grounded{Text: "x"}}, "hangs": {hang: true},
	} {
		for _, text := range []string{"What does a passport cost?", "How do I get my child into school?", "Who won the football match?"} {
			want, wantState := say(t, with(t, nil), bot.State{}, bot.Input{Text: text})
			// A hanging model is left alone after all but the reserve of the turn's time, which is more than the rest takes on a busy machine.
			ctx, cancel := context.WithTimeout(t.Context(), 3200*time.Millisecond)
			got, state, err := with(t, m).Turn(ctx, bot.State{}, []bot.Input{{Text: text}}, "en")
			late := ctx.Err()
			cancel()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got.Problems = nil
			if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(bot.DecodeState(state.Encode()), wantState) {
				t.Errorf("%s: %q\n got %+v\nwant %+v", name, text, got, want)
			}
			if late != nil {
				t.Errorf("%s: %q took all of the turn's time", name, text)
			}
		}
	}
	m := &model{}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, _, err := with(t, m).Turn(ctx, bot.State{}, []bot.Input{{Text: "What does a passport cost?"}}, "en"); err != nil || len(m.asked) > 0 {
		t.Errorf("a turn without time for it asked the model: %v", err)
	}
}
