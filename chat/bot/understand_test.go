package bot_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"hotline/chat/bot"
	"hotline/chat/bot/bottest"
	"hotline/internal/decision"
)

func understanding(t *testing.T, m bot.LLM) *bot.Policy {
	t.Helper()
	kb := bottest.Knowledge{Articles: []bottest.Article{
		{ID: "passport", Lang: "en", Title: "Apply for a passport", Text: "It costs 120 yuan.", Version: 3, Words: []string{"passport"}},
		{ID: "stolen", Lang: "en", Title: "A document was taken from you", Text: "Go to the police first.", Version: 1, Words: []string{"passport stolen", "for a passport stolen"}},
	}}
	p, err := bot.New(bot.Options{Env: bot.Env{Now: func() time.Time { return time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC) }}, Knowledge: kb, LLM: m,
		Categories: func(string) []bot.Choice {
			return []bot.Choice{{ID: "street-lights", Label: "Street lights"}, {ID: "roads", Label: "Roads"}}
		}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheModelPutsAFollowUpInFull(t *testing.T) {
	t.Parallel()
	const none = "does not say"
	for name, c := range map[string]struct {
		proposes string
		err      error
		want     string
	}{
		"of the words of the talk": {"How do I apply for a passport stolen?", nil, "Go to the police first."},
		"with words of its own":    {"How do I apply for a passport stolen in a foreign country?", nil, none},
		"without what is new":      {"How do I get a passport, how do I apply for a passport?", nil, none},
		"no question":              {"passport stolen, for a passport stolen", nil, none},
		"nothing":                  {"", nil, none},
		"a failure":                {"", errors.New("broken"), none},
	} {
		m := &model{rewritten: bot.Rewritten{Question: c.proposes, Call: "call-7"}, err: c.err}
		p := understanding(t, m)
		_, st := say(t, p, bot.State{}, bot.Input{Text: "How do I apply for a passport?"})
		r, _ := say(t, p, st, bot.Input{Text: "and when it is stolen?"})
		if !strings.Contains(r.Messages[0].Text, c.want) {
			t.Errorf("%s: %q", name, r.Messages[0].Text)
		}
		if len(m.follows) != 1 || m.follows[0].Before != "How do I apply for a passport?" || m.follows[0].Title != "Apply for a passport" || m.follows[0].Text != "and when it is stolen?" {
			t.Errorf("%s: asked %+v", name, m.follows)
		}
		if told := r.Told[0]; c.want != none && (told.Call != "call-7" || told.Question != c.proposes || told.Cited[0].ArticleID != "stolen") {
			t.Errorf("%s: recorded %+v", name, told)
		}
	}
}

func TestTheModelIsAskedOnlyWhereTheRulesDoNotKnow(t *testing.T) {
	t.Parallel()
	m := &model{}
	p := understanding(t, m)
	_, st := say(t, p, bot.State{}, bot.Input{Text: "How do I apply for a passport?"})
	for _, text := range []string{"thanks", "human", "what does it cost?", "I want to complain about the noise at 5 Mill Lane", "Who won the football match of the northern league yesterday evening in the big stadium?"} {
		if _, _ = say(t, p, st, bot.Input{Text: text}); len(m.follows) > 0 {
			t.Errorf("%q was to be put in full", text)
		}
	}
	if len(m.told) > 1 { // the complaint has its place, and wants a category
		t.Errorf("read slots of %+v", m.told)
	}
}

const dark = "the lamp by the old mill pond has been dark for two weeks and nobody comes to repair it, please send somebody"

func TestTheModelFindsSlots(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		got             bot.Slots
		err             error
		place, category string
	}{
		"a place of the text":     {bot.Slots{Place: "by the old mill pond", Category: "street-lights"}, nil, "by the old mill pond", "street-lights"},
		"a place of its own":      {bot.Slots{Place: "Hill Street", Category: "wages"}, nil, "", ""},
		"no place":                {bot.Slots{Place: "nobody comes to repair it, please send somebody"}, nil, "", ""},
		"the whole text":          {bot.Slots{Place: dark}, nil, "", ""},
		"a failure":               {bot.Slots{}, errors.New("broken"), "", ""},
		"a category, no place":    {bot.Slots{Category: "roads"}, nil, "", "roads"},
		"a place that says where": {bot.Slots{Place: "the old mill pond"}, nil, "the old mill pond", ""},
	} {
		m := &model{slots: c.got, err: c.err}
		p := understanding(t, m)
		_, st := say(t, p, bot.State{}, bot.Input{Text: "I want to complain: " + dark})
		f := bot.DecodeState(st.Encode()).Form
		if f == nil || f.Place != c.place || f.Category != c.category {
			t.Errorf("%s: %+v", name, f)
		}
		if len(m.told) != 1 || len(m.told[0].Categories) != 2 || !strings.Contains(m.told[0].Text, dark) {
			t.Errorf("%s: asked %+v", name, m.told)
		}
	}
}

func TestNoReportIsShownToAModel(t *testing.T) {
	t.Parallel()
	m := &model{slots: bot.Slots{Place: "the old mill pond"}}
	p := understanding(t, m)
	_, st := say(t, p, bot.State{}, bot.Input{Text: "I want to report bribery: the owner of the shop by the old mill pond pays the inspectors every single month"})
	_, st = say(t, p, st, bot.Input{Choice: "file_here", Text: "Tell it here anyway"})
	_, st = say(t, p, st, bot.Input{Text: "he keeps the boxes in the cellar behind the counter and takes them out in the evening"})
	_, _ = say(t, p, bot.State{}, bot.Input{Text: "Please keep this confidential: my boss pays the workers in the yard behind the old mill pond nothing at all"})
	if len(m.told) > 0 {
		t.Errorf("shown: %+v (%+v)", m.told, st.Form)
	}
}

// formed is a knowledge base whose articles carry a decision form.
type formed struct{ bottest.Knowledge }

func (k formed) Answer(ctx context.Context, text, lang string) (bot.Answer, error) {
	a, err := k.Knowledge.Answer(ctx, text, lang)
	if a.Outcome == bot.OutcomeAnswer {
		a.Form, _ = decision.Parse("question age: How old are you?\n  number: 0 to 120 years\n  65 or more -> yes\n  under 65 -> no\noutcome yes: You can have it.\noutcome no: Not yet.\n")
	}
	return a, err
}

func TestTheQuestionsAreOfferedInWhosesoeverWords(t *testing.T) {
	t.Parallel()
	m := &model{answer: bot.Grounded{Text: "It costs 120 yuan [1].", Citations: []bot.Citation{{ArticleID: "passport", Version: 3}}}}
	p, err := bot.New(bot.Options{Env: bot.Env{Now: func() time.Time { return time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC) }}, Knowledge: formed{known}, LLM: m})
	if err != nil {
		t.Fatal(err)
	}
	r, _ := say(t, p, bot.State{}, bot.Input{Text: "What does a passport cost?"})
	if n := len(r.Messages); r.Messages[0].Text != m.answer.Text || n < 2 || r.Messages[n-1].Choices[0].ID != "guide:start" {
		t.Errorf("%+v", r.Messages)
	}
}

func deadline(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

func TestAHangingModelCostsATurnNoMoreThanItsShare(t *testing.T) {
	t.Parallel()
	m := &model{hang: true}
	p := understanding(t, m)
	st := bot.State{Question: "How do I apply for a passport?", About: &bot.Citation{ArticleID: "passport", Version: 3, Title: "Apply for a passport"}}
	for _, text := range []string{"and when it is stolen?", "I want to complain: " + dark} {
		ctx, cancel := deadline(t, 6*time.Second)
		r, _, err := p.Turn(ctx, bot.DecodeState(st.Encode()), []bot.Input{{Text: text}}, "en")
		late := ctx.Err()
		cancel()
		if err != nil || len(r.Messages) == 0 || late != nil {
			t.Errorf("%q: %v, %v", text, err, late)
		}
	}
}
