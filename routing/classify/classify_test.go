package classify_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/routing/classify"
)

var small = []classify.Example{
	{Text: "Construction noise at night keeps us awake", Label: "noise"},
	{Text: "The bar downstairs plays loud music", Label: "noise"},
	{Text: "夜间施工噪音扰民", Label: "noise"},
	{Text: "楼下酒吧音乐太吵", Label: "noise"},
	{Text: "No water since this morning", Label: "water"},
	{Text: "The tap water is brown", Label: "water"},
	{Text: "今天早上开始停水", Label: "water"},
	{Text: "自来水发黄", Label: "water"},
	{Text: "Rubbish has not been collected", Label: "waste"},
	{Text: "The bins are overflowing", Label: "waste"},
	{Text: "垃圾没有人收", Label: "waste"},
	{Text: "垃圾桶满了", Label: "waste"},
}

func train(t testing.TB, examples []classify.Example, opts classify.Options) *classify.Model {
	t.Helper()
	m, err := classify.Train(examples, opts)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPredictKnowsTheSubjectInBothLanguages(t *testing.T) {
	t.Parallel()
	m := train(t, small, classify.Options{})
	for text, want := range map[string]string{
		"loud construction work every night": "noise",
		"工地晚上施工，噪音很大":                        "noise",
		"there is no WATER in our building":  "water",
		"小区停水了":                              "water",
		"小區又停水，沒有水":                          "water",
		"nobody collects the rubbish":        "waste",
		"垃圾桶又满了没人管":                          "waste",
	} {
		if got := m.Predict(text); got[0].Label != want {
			t.Errorf("%q: got %+v, want %s first", text, got, want)
		}
	}
}

func TestScoresAreProbabilities(t *testing.T) {
	t.Parallel()
	m := train(t, small, classify.Options{})
	for _, text := range []string{"", "   ", "noise", "垃圾", "zzz qqq", "\xff\xfe broken", strings.Repeat("noise water ", 50_000)} {
		guesses := m.Predict(text)
		var sum float64
		for _, g := range guesses {
			if g.Score < 0 || g.Score > 1 || math.IsNaN(g.Score) {
				t.Errorf("%.20q: score %v", text, g.Score)
			}
			sum += g.Score
		}
		if math.Abs(sum-1) > 1e-9 || len(guesses) != 3 {
			t.Errorf("%.20q: %d guesses, together %v", text, len(guesses), sum)
		}
		if !slices.IsSortedFunc(guesses, func(a, b classify.Guess) int { return int(math.Copysign(1, b.Score-a.Score)) }) {
			t.Errorf("%.20q: not sorted: %+v", text, guesses)
		}
	}
}

func TestUnknownWordsLowerTheScore(t *testing.T) {
	t.Parallel()
	m := train(t, small, classify.Options{})
	known := m.Predict("the tap water is brown")[0]
	diluted := m.Predict("the tap water is brown zyxwv qponml kjihg fedcb")[0]
	foreign := m.Predict("ξένες λέξεις μόνο")[0]
	if diluted.Score >= known.Score {
		t.Errorf("unknown words raised the score: %v to %v", known.Score, diluted.Score)
	}
	if math.Abs(foreign.Score-1./3) > 1e-9 {
		t.Errorf("a text without one known feature has score %v, want a third", foreign.Score)
	}
}

func TestTrainingIsDeterministic(t *testing.T) {
	t.Parallel()
	a, b := train(t, small, classify.Options{Seed: 7}), train(t, small, classify.Options{Seed: 7})
	for _, e := range small {
		if x, y := a.Predict(e.Text), b.Predict(e.Text); !slices.Equal(x, y) {
			t.Errorf("%q: two trainings with the same seed differ: %v and %v", e.Text, x, y)
		}
	}
}

func TestTrainOnLittle(t *testing.T) {
	t.Parallel()
	if _, err := classify.Train(nil, classify.Options{}); !errors.Is(err, classify.ErrNoExamples) {
		t.Errorf("no examples: got %v", err)
	}
	if _, err := classify.Train([]classify.Example{{Text: " ", Label: "a"}, {Text: "a"}}, classify.Options{}); !errors.Is(err, classify.ErrNoExamples) {
		t.Errorf("unusable examples: got %v", err)
	}
	one := train(t, []classify.Example{{Text: "water", Label: "water"}}, classify.Options{})
	if got := one.Predict("anything"); len(got) != 1 || got[0] != (classify.Guess{Label: "water", Score: 1}) {
		t.Errorf("one label: got %+v", got)
	}
	each := train(t, []classify.Example{{Text: "tap water", Label: "water"}, {Text: "loud noise", Label: "noise"}}, classify.Options{})
	if got := each.Predict("noise")[0]; got.Label != "noise" || got.Score > 0.95 {
		t.Errorf("one example each must be right and not sound sure, got %+v", got)
	}
}

func TestReadExamples(t *testing.T) {
	t.Parallel()
	got, err := classify.ReadExamples(strings.NewReader("\ufeff{\"text\":\"a\",\"label\":\"x\"}\r\n\n{\"text\":\"b\",\"label\":\"y\",\"other\":1}\n"))
	if err != nil || len(got) != 2 || got[1].Label != "y" {
		t.Errorf("got %v, %v", got, err)
	}
	for name, in := range map[string]string{"no JSON": "{\"text\":\"a\",\"label\":\"x\"}\nnope", "empty text": "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\" \",\"label\":\"y\"}", "no label": "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\"}"} {
		if _, err := classify.ReadExamples(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: got %v, want an error that names line 2", name, err)
		}
	}
}

// The floors are the baselines that came with the data.
func TestPublicData(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set               string
		accuracy, macroF1 float64
	}{
		{"benefits_en", 0.667, 0.665},
		{"legal_zh", 0.860, 0.841},
		{"banking77_en", 0.911, 0},
	} {
		t.Run(c.set, func(t *testing.T) {
			t.Parallel()
			if c.set == "banking77_en" && testing.Short() {
				t.Skip("ten thousand texts: run without -short")
			}
			ev, err := classify.Evaluate(readSet(t, c.set, "train"), readSet(t, c.set, "test"), classify.Options{}, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v", ev)
			if ev.Accuracy < c.accuracy || ev.MacroF1 < c.macroF1 {
				t.Errorf("accuracy %.3f, macro F1 %.3f; want at least %.3f, %.3f", ev.Accuracy, ev.MacroF1, c.accuracy, c.macroF1)
			}
			if ev.ECE > 0.15 {
				t.Errorf("scores are %.3f off what comes true", ev.ECE)
			}
		})
	}
}

func readSet(t *testing.T, set, part string) []classify.Example {
	t.Helper()
	name := filepath.Join("..", "..", "..", "shared", "data", "routing", set, part+".jsonl")
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is absent: the public routing data is not part of this repository", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	examples, err := classify.ReadExamples(f)
	if err != nil {
		t.Fatal(err)
	}
	return examples
}

func FuzzPredict(f *testing.F) {
	m := train(f, small, classify.Options{})
	for _, e := range small {
		f.Add(e.Text)
	}
	f.Add("\xff\x00\u202eé́ﬀ")
	f.Fuzz(func(t *testing.T, text string) {
		var sum float64
		for _, g := range m.Predict(text) {
			sum += g.Score
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("scores of %q add up to %v", text, sum)
		}
	})
}

func BenchmarkPredict(b *testing.B) {
	m := train(b, small, classify.Options{})
	text := strings.Repeat("The construction site opposite works at night and nobody answers the telephone. 夜间施工。", 10)
	for b.Loop() {
		m.Predict(text)
	}
}
