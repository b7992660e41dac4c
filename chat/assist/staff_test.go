package assist_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/chat/assist"
	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
)

var asker = assist.Asker{User: uuid.New(), Known: []string{"Maria Schmidt"}}

func TestSummaryRestsOnEntries(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.said = "[NAME_1] complains that the street lamp at 12 Mill Lane has been dark for 3 weeks [1]. The lighting office promised a repair by 5 May [2]. The mayor apologized [2]. The lamp was repaired [3]."
	w, err := d.Summarize(t.Context(), asker, []assist.Entry{
		{At: "1 May", By: "citizen", Text: "I am Maria Schmidt. The street lamp at 12 Mill Lane has been dark for 3 weeks. Call me at 13800138000."},
		{At: "2 May", By: "agency", Text: "The lighting office promises to repair it by 5 May."},
	}, "en")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.Text, "Maria Schmidt complains") || !strings.Contains(w.Text, "repair by 5 May") || strings.Contains(w.Text, "mayor") || strings.Contains(w.Text, "was repaired") || w.Withheld != 2 || !slices.Equal(w.Entries, []int{1, 2}) || w.Call == uuid.Nil {
		t.Errorf("%+v", w)
	}
	if got := d.srv.Received(); strings.Contains(got, "Schmidt") || strings.Contains(got, "13800138000") {
		t.Error("a name or a number left")
	}
}

func TestALongCaseKeepsItsBeginningAndItsEnd(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.said = "The last word is green [40]."
	var entries []assist.Entry
	for range 39 {
		entries = append(entries, assist.Entry{By: "staff", Text: strings.Repeat("A long note about nothing. ", 60)})
	}
	entries[0].Text = "The first word is red."
	entries = append(entries, assist.Entry{By: "staff", Text: "The last word is green."})
	if _, err := d.Summarize(t.Context(), asker, entries, "en"); err != nil {
		t.Fatal(err)
	}
	got := d.srv.Chats()[0].Said("user")
	if !strings.Contains(got, "red") || !strings.Contains(got, "green") || len(got) > 20_000 {
		t.Errorf("%d bytes were sent", len(got))
	}
}

func TestDraftRestsOnArticles(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.said = "You can renew your passport at any district office [1]. The fee is 42 euros for adults [1]. We will send it to you by drone [1]."
	w, err := d.DraftReply(t.Context(), asker, "Maria Schmidt asks what a new passport costs.", cite(passport), "en")
	if err != nil || w.Text != "You can renew your passport at any district office [1]. The fee is 42 euros for adults [1]." || w.Withheld != 1 || len(w.Sources) != 1 {
		t.Errorf("%+v, %v", w, err)
	}
	d.said = "NO_ANSWER"
	if _, err := d.DraftReply(t.Context(), asker, "What is love?", cite(passport), "en"); !errors.Is(err, assist.ErrNothing) {
		t.Errorf("nothing to say: %v", err)
	}
}

func TestTranslationKeepsFigures(t *testing.T) {
	t.Parallel()
	d := open(t)
	text := "The fee is 42 euros. Call [PHONE] or see https://x.example/a before 5 May. 13800138000"
	d.said = "费用为42欧元。请在5月5日前拨打[PHONE]或查看 https://x.example/a 。[PHONE_1]"
	w, err := d.Translate(t.Context(), asker, text, "zh-CN")
	if err != nil || !strings.Contains(w.Text, "13800138000") {
		t.Errorf("%+v, %v", w, err)
	}
	for _, wrong := range []string{"费用为24欧元。请在5月5日前查看 https://x.example/a 。[PHONE_1]", "费用为42欧元。请在5月5日前查看 https://evil.example 。[PHONE_1]", ""} {
		if d.said = wrong; wrong == "" {
			d.said = " "
		}
		if _, err := d.Translate(t.Context(), asker, text, "zh-CN"); err == nil {
			t.Errorf("%q passes", wrong)
		}
	}
}

func TestQuestionsAreAboutTheArticle(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.said = `{"questions":["What is the fee to renew a passport?","what is the fee to renew a passport","How long does a new passport take?","Who won the football match?","Is the passport fee 99 euros?","Do I need an appointment for my passport?"]}`
	p, err := d.ProposeQuestions(t.Context(), asker, passport, []string{"How long does a new passport take"})
	if err != nil || !slices.Equal(p.Questions, []string{"What is the fee to renew a passport?", "Do I need an appointment for my passport?"}) {
		t.Errorf("%q, %v", p.Questions, err)
	}
}

func TestFactsNeverOverruleTheText(t *testing.T) {
	t.Parallel()
	d := open(t)
	cats := []assist.Category{{Code: "light", Name: "Street lamps"}, {Code: "noise", Name: "Noise"}}
	d.said = `{"category":"light","place":"Mill Lane 12","kind":"complaint","urgent":false}`
	f, err := d.Extract(t.Context(), asker, "The lamp at Mill Lane 12 is dark", cats)
	if err != nil || f.Category != "light" || f.Place != "Mill Lane 12" || f.Kind != "complaint" {
		t.Errorf("%+v, %v", f, err)
	}
	d.said = `{"category":null,"place":"Baker Street 221","kind":null,"urgent":true}`
	if f, err = d.Extract(t.Context(), asker, "The lamp at Mill Lane 12 is dark", cats); err != nil || f.Place != "" || f.Category != "" || !f.Urgent {
		t.Errorf("a place that nobody named: %+v, %v", f, err)
	}
	d.said = `{"category":"bribery","place":null,"kind":null,"urgent":false}`
	if _, err = d.Extract(t.Context(), asker, "The lamp is dark", cats); !errors.Is(err, llm.ErrBadAnswer) {
		t.Errorf("a category that was not offered: %v", err)
	}
}

func TestWithoutAModel(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.srv.Always(llmtest.BadKey)
	for name, f := range map[string]func() error{
		"summary":   func() error { _, err := d.Summarize(t.Context(), asker, []assist.Entry{{Text: "x"}}, "en"); return err },
		"draft":     func() error { _, err := d.DraftReply(t.Context(), asker, "x", cite(passport), "en"); return err },
		"translate": func() error { _, err := d.Translate(t.Context(), asker, "x", "en"); return err },
		"questions": func() error { _, err := d.ProposeQuestions(t.Context(), asker, passport, nil); return err },
		"extract":   func() error { _, err := d.Extract(t.Context(), asker, "x", nil); return err },
	} {
		if err := f(); !errors.Is(err, llm.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
