package bot_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hotline/chat/bot"
	"hotline/internal/decision"
)

// shelf is a knowledge base of one article that can change between turns.
type shelf struct {
	id, lang, source string
	version          int
	err              error
	other            *shelf // the translation
}

func (s *shelf) in(lang string) *shelf {
	if s.other != nil && s.lang != lang {
		return s.other
	}
	return s
}

func (s *shelf) ByID(_ context.Context, id, lang string) (bot.Answer, error) {
	if s.err != nil {
		return bot.Answer{}, s.err
	}
	a := s.in(lang)
	f, problems := decision.Parse(a.source)
	if len(problems) > 0 {
		return bot.Answer{}, problems[0]
	}
	return bot.Answer{Outcome: bot.OutcomeAnswer, Text: "The city helps with the rent.", Form: f, Citations: []bot.Citation{{ArticleID: a.id, Version: a.version, Title: "Rent help"}}}, nil
}

func (s *shelf) Answer(ctx context.Context, text, lang string) (bot.Answer, error) {
	if !strings.Contains(strings.ToLower(text), "rent") && !strings.Contains(text, "房租") {
		return bot.Answer{Outcome: bot.OutcomeNone}, nil
	}
	return s.ByID(ctx, s.id, lang)
}

func (s *shelf) Beside(context.Context, string, string, string) (bot.Section, error) {
	return bot.Section{}, nil
}

func (s *shelf) Sections(context.Context, string, string) ([]bot.Section, error) { return nil, nil }

const rentForm = `question age: How old are you?
  number: 0 to 120 years
  18 or more -> owner because you are of age
  under 18 -> no
question owner: Do you own a flat?
  yes -> no
  no -> yes because you own no flat
outcome yes: You can have it.
outcome no: You cannot have it.
`

func walker(t *testing.T, s *shelf) *bot.Policy {
	t.Helper()
	p, err := bot.New(bot.Options{Env: bot.Env{Now: func() time.Time { return time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC) }}, Knowledge: s})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func last(r bot.Reply) string {
	if len(r.Messages) == 0 {
		return ""
	}
	return r.Messages[len(r.Messages)-1].Text
}

func TestAFormWhoseArticleChangedGoesOnWithWhatStillHolds(t *testing.T) {
	t.Parallel()
	s := &shelf{id: "A", lang: "en", source: rentForm, version: 1}
	p := walker(t, s)
	_, st := say(t, p, bot.State{}, bot.Input{Text: "I am 30. Can I get help with the rent?"})

	s.version, s.source = 2, strings.Replace(rentForm, "18 or more", "21 or more", 1)
	s.source = strings.Replace(s.source, "under 18", "under 21", 1)
	r, _ := say(t, p, st, bot.Input{Text: "no"})
	if !strings.Contains(r.Messages[0].Text, "updated") || !strings.Contains(r.Messages[0].Text, "You can have it") || r.Messages[0].Citations[0].Version != 2 {
		t.Fatalf("an answer that still holds was not taken: %+v", r.Messages)
	}

	_, st = say(t, p, bot.State{}, bot.Input{Text: "I am 30. Can I get help with the rent?"})
	s.version, s.source = 3, strings.Replace(s.source, "How old are you?", "How old is the youngest of you?", 1)
	r, st = say(t, p, st, bot.Input{Text: "no"})
	if text := last(r); !strings.Contains(text, "updated") || !strings.Contains(text, "How old is the youngest") {
		t.Fatalf("an answer to another question was kept: %+v", r.Messages)
	}
	r, _ = say(t, p, st, bot.Input{Text: "22"})
	if text := last(r); text != "Do you own a flat?" {
		t.Fatalf("%+v", r.Messages)
	}

	s.err = bot.ErrNotFound
	r, st = say(t, p, st, bot.Input{Text: "no"})
	if st.Guide != nil || len(r.Messages) != 1 || !reachesPerson(r) {
		t.Errorf("the form of an article that is gone goes on: %+v", r.Messages)
	}
}

func TestAFormWaitsWhileTheKnowledgeBaseIsAway(t *testing.T) {
	t.Parallel()
	s := &shelf{id: "A", lang: "en", source: rentForm, version: 1}
	p := walker(t, s)
	_, st := say(t, p, bot.State{}, bot.Input{Text: "I am 30. Can I get help with the rent?"})
	s.err = errors.New("away")
	r, st := say(t, p, st, bot.Input{Text: "no"})
	if len(r.Problems) != 1 || !reachesPerson(r) {
		t.Fatalf("%+v", r)
	}
	s.err = nil
	if r, _ = say(t, p, st, bot.Input{Text: "no"}); !strings.Contains(r.Messages[0].Text, "You can have it") {
		t.Errorf("%+v", r.Messages)
	}
}

// A translation is another article under the same key: its form takes the answers over.
func TestAFormGoesOnInTheTranslation(t *testing.T) {
	t.Parallel()
	s := &shelf{id: "A", lang: "en", source: rentForm, version: 4}
	s.other = &shelf{id: "B", lang: "zh-CN", version: 9, source: `问题 age：您多大年纪？
  数字：0到120岁
  18以上 → owner 因为您已成年
  不满18 → no
问题 owner：您有房产吗？
  是 → no
  否 → yes 因为您没有房产
结果 yes：您可以申请。
结果 no：您不能申请。
`}
	p := walker(t, s)
	_, st := say(t, p, bot.State{}, bot.Input{Text: "I am 30. Can I get help with the rent?"})
	r, _ := say(t, p, st, bot.Input{Text: "我没有房产"})
	if m := r.Messages[0]; !strings.Contains(m.Text, "因为您已成年，并且您没有房产") || m.Citations[0].ArticleID != "B" || m.Citations[0].Version != 9 || r.Lang != "zh-CN" {
		t.Errorf("%+v", r.Messages)
	}
}

// A button of a question before corrects that question and answers no other.
func TestALateTapCorrectsItsOwnQuestion(t *testing.T) {
	t.Parallel()
	p := walker(t, &shelf{id: "A", lang: "en", source: rentForm, version: 1})
	_, st := say(t, p, bot.State{}, bot.Input{Text: "I am 30. Can I get help with the rent?"})
	_, st = say(t, p, st, bot.Input{Choice: "guide:1:yes"})
	r, st := say(t, p, st, bot.Input{Choice: "guide:1:no"})
	if !strings.Contains(r.Messages[0].Text, "You can have it") {
		t.Fatalf("%+v", r.Messages)
	}
	for _, id := range []string{"guide:", "guide:9:yes", "guide:-1:no", "guide:0:yes", "guide:x", "guide:1:unsure", "guide:1"} {
		if r, _ = say(t, p, st, bot.Input{Choice: id}); len(r.Messages) == 0 || !reachesPerson(r) {
			t.Errorf("%s: %+v", id, r)
		}
	}
}

// Whatever is said in whatever order: the state survives its store, a person is one step away, and going on with answers ends in an outcome.
func TestAnySequenceLeavesAValidState(t *testing.T) {
	t.Parallel()
	said := []bot.Input{{Text: "I am 30. Can I get help with the rent?"}, {Text: "can I get help with the rent?"}, {Text: "yes"}, {Text: "no"}, {Text: "17"}, {Text: "actually 64"}, {Text: "back"},
		{Text: "why?"}, {Text: "stop"}, {Text: "go on"}, {Text: "start over"}, {Text: "I don't know"}, {Text: "what does it cost?"}, {Text: "my neighbour is loud at 5 Hill Street"}, {Text: "anonymous"},
		{Text: "cancel"}, {Text: "请说中文"}, {Text: "English please"}, {Text: "我没有房产"}, {Text: "thanks"}, {Text: "bye"}, {Text: "person"}, {Text: "back to my question about the rent"}, {Text: "no, the other street"},
		{Choice: "guide:start"}, {Choice: "guide:back"}, {Choice: "guide:stop"}, {Choice: "guide:resume"}, {Choice: "guide:change"}, {Choice: "guide:0:again"}, {Choice: "guide:1:yes"}, {Choice: "helped"},
		{Choice: "not_helped"}, {Choice: "file"}, {Choice: "confirm"}, {Choice: "article:A"}, {Attachments: 1}, {Text: "my house is on fire"}, {Text: "2"}}
	s := &shelf{id: "A", lang: "en", source: rentForm, version: 1}
	p := walker(t, s)
	rng := rand.New(rand.NewPCG(4, 9))
	for range 400 {
		st := bot.State{}
		var told []string
		for range 14 {
			if rng.IntN(12) == 0 {
				s.version++
			}
			in := said[rng.IntN(len(said))]
			told = append(told, in.Text+"["+in.Choice+"]")
			r, next, err := p.Turn(t.Context(), st, []bot.Input{in}, "en")
			if err != nil {
				t.Fatal(err)
			}
			check(t, r)
			st = bot.DecodeState(next.Encode())
			if string(st.Encode()) != string(next.Encode()) {
				t.Fatalf("%v: the state does not survive: %s", told, next.Encode())
			}
			if st.Form != nil && st.Guide != nil && !st.Guide.Paused && !st.Guide.Done {
				t.Fatalf("%v: two things are asked at once", told)
			}
		}
		if st.Guide == nil {
			continue
		}
		st.Form, st.Alerted = nil, false
		var r bot.Reply
		for _, in := range []bot.Input{{Choice: "guide:resume"}, {Choice: "guide:0:30"}, {Choice: "guide:1:no"}} {
			r, st = say(t, p, st, in)
		}
		if !strings.Contains(r.Messages[0].Text, "You can have it") && !strings.Contains(r.Messages[0].Text, "您") {
			t.Fatalf("%v: the form does not end: %+v", told, r.Messages)
		}
	}
}
