package knowledge

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestSignalsAreBoundedAndTakeMoreThanOnePerson(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	a := uuid.New()
	const q = "Where do I register a beehive?"
	yes, no, first, fifth := true, false, 1, 5
	one, two := uuid.New(), uuid.New()
	in := func(v vote) vote {
		if v.Question == "" {
			v.Question = q
		}
		v.Article = a
		if v.At.IsZero() {
			v.At = now
		}
		return v
	}
	many := func(n int, v vote) (out []vote) {
		for range n {
			out = append(out, in(v))
		}
		return out
	}
	boost := func(vs ...vote) float64 { return (*learnSignals(vs, now))[questionKey("register beehive, where?")][a] }
	if b := boost(many(50, vote{Conversation: &one, Helped: &yes})...); b != 0 {
		t.Errorf("one person alone: %v", b)
	}
	if b := boost(many(50, vote{Place: &first})...); b != 0 {
		t.Errorf("the clicks of one day: %v", b)
	}
	both := boost(in(vote{Conversation: &one, Helped: &yes}), in(vote{Conversation: &two, Helped: &yes}))
	if both <= 0 || both >= mostBoost {
		t.Errorf("two conversations: %v", both)
	}
	if b := boost(append(many(50, vote{Conversation: &one, Helped: &yes}), in(vote{Conversation: &two, Helped: &yes}))...); b != both {
		t.Errorf("saying it fifty times: %v, once %v", b, both)
	}
	if b := boost(in(vote{Conversation: &one, Helped: &no}), in(vote{Conversation: &two, Helped: &no})); b != -both {
		t.Errorf("two that it did not help: %v", b)
	}
	old := now.AddDate(0, 0, -120)
	if b := boost(in(vote{Conversation: &one, Helped: &yes, At: old}), in(vote{Conversation: &two, Helped: &yes, At: old})); b <= 0 || b > both/2 {
		t.Errorf("four months old: %v, today %v", b, both)
	}
	yesterday := now.AddDate(0, 0, -1)
	top, low := boost(in(vote{Place: &first}), in(vote{Place: &first, At: yesterday})), boost(in(vote{Place: &fifth}), in(vote{Place: &fifth, At: yesterday}))
	if top <= 0 || low <= top || low >= both {
		t.Errorf("clicks on the first %v, on the fifth %v", top, low)
	}
	var crowd []vote
	for range 10000 {
		id := uuid.New()
		crowd = append(crowd, in(vote{Conversation: &id, Helped: &yes}))
	}
	if b := boost(crowd...); b > mostBoost {
		t.Errorf("a crowd: %v", b)
	}
	// One person cannot teach it everything.
	var wide []vote
	for _, w := range []string{"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"} {
		wide = append(wide, in(vote{Question: w + " papers", Conversation: &one, Helped: &yes}), in(vote{Question: w + " papers", Conversation: &two, Helped: &yes}))
	}
	if got := len(*learnSignals(wide, now)); got > maxKeys {
		t.Errorf("two people taught %d questions", got)
	}
}

func TestTheKeyOfAQuestionIsItsWords(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{{"Where can I register a beehive?", "register beehives"}, {"公交卡丢了怎么办？", "公交卡丢了"}} {
		if a, b := questionKey(same[0]), questionKey(same[1]); a != b || a == 0 {
			t.Errorf("%q is not %q", same[0], same[1])
		}
	}
	if questionKey("beehive register fee") == questionKey("beehive register") || questionKey("?!") != 0 {
		t.Error("other words have the same key")
	}
}

func TestWithoutSignalsNothingMoves(t *testing.T) {
	t.Parallel()
	s := New(Deps{})
	js := []judgement{{0, 0.4, 0.8}, {1, 0.5, 0.7}}
	if got := s.learned("anything", js, func(judgement) uuid.UUID { panic("looked") }); &got[0] != &js[0] || got[0].rank != 0.8 {
		t.Errorf("%+v", got)
	}
	s.signals.Store(&signals{questionKey("other words"): {uuid.New(): 0.1}})
	if got := s.learned("anything", js, func(judgement) uuid.UUID { panic("looked") }); got[0] != (judgement{0, 0.4, 0.8}) {
		t.Errorf("%+v", got)
	}
}
