package classify_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"hotline/routing/classify"
)

func matcher(t *testing.T, examples []classify.Example) *classify.Matcher {
	t.Helper()
	m, err := classify.NewMatcher(examples, 0)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheClosestLabelIsThatOfLikeExamples(t *testing.T) {
	t.Parallel()
	m := matcher(t, small)
	for text, want := range map[string]string{
		"loud musik from the bar": "noise", // a typing error
		"工地夜里噪音":                  "noise",
		"is there no water today": "water",
		"自来水停了":                   "water",
		"overflowing bin":         "waste",
		"没人收垃圾":                   "waste",
	} {
		if got, like := m.Closest(text); got != want || like <= 0 {
			t.Errorf("%q: closest to %s (%.2f), want %s", text, got, like, want)
		}
	}
}

func TestLikenessFallsFromTheExampleToTheForeign(t *testing.T) {
	t.Parallel()
	m := matcher(t, small)
	last := math.Inf(1)
	for _, text := range []string{
		"The tap water is brown",          // an example
		"why is the water from my tap so", // much of it
		"the neighbours paint the water",  // little of it
		"who wrote Hamlet",                // nothing but letters
	} {
		_, like := m.Closest(text)
		if like >= last {
			t.Errorf("%q has likeness %.2f, what is nearer to the examples %.2f", text, like, last)
		}
		last = like
	}
}

func TestLikenessOfOddTexts(t *testing.T) {
	t.Parallel()
	m := matcher(t, append([]classify.Example{{Text: "???", Label: "noise"}}, small...))
	for _, text := range []string{"", "  ", "!!!", "ξένες λέξεις μόνο", "\xff\xfe", strings.Repeat("noise water ", 50_000)} {
		label, like := m.Closest(text)
		if label == "" || math.IsNaN(like) || math.IsInf(like, 0) || like < 0 {
			t.Errorf("%.20q: %q, likeness %v", text, label, like)
		}
	}
	for _, text := range []string{"", "!!!", "ξένες λέξεις μόνο"} {
		if _, like := m.Closest(text); like != 0 {
			t.Errorf("%q: likeness %v of a text without one known feature", text, like)
		}
	}
	if _, err := classify.NewMatcher([]classify.Example{{Text: " ", Label: "noise"}}, 0); !errors.Is(err, classify.ErrNoExamples) {
		t.Errorf("nothing to learn from: %v", err)
	}
}

func TestMatchingIsDeterministic(t *testing.T) {
	t.Parallel()
	a, b := matcher(t, small), matcher(t, small)
	for _, text := range []string{"loud noise", "停水", "who wrote Hamlet"} {
		la, xa := a.Closest(text)
		if lb, xb := b.Closest(text); la != lb || xa != xb {
			t.Errorf("%q: %s %v and %s %v", text, la, xa, lb, xb)
		}
	}
}
