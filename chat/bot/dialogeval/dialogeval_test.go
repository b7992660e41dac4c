package dialogeval_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"hotline/chat/bot/dialogeval"
)

const small = `{"tree":"a","scenario":"","history":[],"answer":"Do you live alone?"}
{"tree":"a","scenario":"","history":[{"follow_up_question":"Do you live alone?","follow_up_answer":"Yes"}],"answer":"Yes"}
{"tree":"a","scenario":"","history":[{"follow_up_question":"Do you live alone?","follow_up_answer":"No"}],"answer":"No"}
{"tree":"a","scenario":"","history":[],"answer":"Irrelevant"}
{"tree":"a","scenario":"I live alone with a cat.","history":[],"answer":"Yes"}
{"tree":"a","scenario":"I don't live alone.","history":[],"answer":"No"}
{"tree":"a","scenario":"My roof leaks.","history":[],"answer":"Do you live alone?"}
{"tree":"a","scenario":"My roof leaks.","history":[{"follow_up_question":"Do you live alone?","follow_up_answer":"No"}],"answer":"No"}
{"tree":"b","scenario":"My roof leaks.","history":[],"answer":"Yes"}
`

func TestAFormListensToTheStory(t *testing.T) {
	t.Parallel()
	r, err := dialogeval.Evaluate(strings.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if r.Forms != 1 || r.N != 4 || r.LeftOut != 1 || r.Listening.Micro != 1 || r.Deaf.Micro != .5 || r.NextQuestion != 1 || r.Heard.Pairs != 1 || r.Heard.Told != 0 {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{"", "{}", "nonsense", `{"tree":"a","scenario":"","history":[],"answer":"Irrelevant"}`} {
		if _, err := dialogeval.Evaluate(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was measured", bad)
		}
	}
	if _, err := dialogeval.Evaluate(strings.NewReader(strings.Join(strings.Split(small, "\n")[:4], "\n"))); !errors.Is(err, dialogeval.ErrNoTurns) {
		t.Error(err)
	}
}

// What is understood of a story must be right far more often than not, and listening must not cost.
func TestRecordedDialogues(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../../../shared/data/dialogs/rules_en/dialogs.jsonl")
	if err != nil {
		t.Skipf("development data absent: %v", err)
	}
	defer f.Close()
	r, err := dialogeval.Evaluate(f)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := json.MarshalIndent(r, "", "  ")
	t.Logf("%s", out)
	if r.Listening.Micro < r.Deaf.Micro || r.Listening.Micro < r.Majority.Micro || r.Heard.Precision < .7 {
		t.Errorf("listening costs: %+v", r)
	}
}
