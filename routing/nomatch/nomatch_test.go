package nomatch_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"hotline/routing/classify"
	"hotline/routing/nomatch"
)

const none = "NO_NODES_DETECTED"

func read(t *testing.T, parts ...string) []classify.Example {
	t.Helper()
	f, err := os.Open(filepath.Join(append([]string{"..", "..", "..", "shared", "data", "nomatch"}, parts...)...))
	if err != nil {
		t.Skipf("development data absent: %v", err)
	}
	defer f.Close()
	out, err := classify.ReadExamples(f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The figures are those of the data's own README. The draw of the examples that
// are held out must not decide whether they are reached.
func TestReachesTheBaselines(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]nomatch.Result{
		"curekart":    {N: 991, InScope: .854, Overall: .783, AUROC: .878},
		"sofmattress": {N: 397, InScope: .788, Overall: .715, AUROC: .861},
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3) {
				got, err := nomatch.Evaluate(read(t, set, "train.jsonl"), read(t, set, "test.jsonl"), none, seed)
				if err != nil {
					t.Fatal(err)
				}
				out, _ := json.Marshal(got)
				t.Logf("seed %d: %s", seed, out)
				if got.N != want.N {
					t.Errorf("n is %d, want %d", got.N, want.N)
				}
				for _, m := range []struct {
					name      string
					got, want float64
				}{{"in-scope accuracy", got.InScope, want.InScope}, {"overall accuracy", got.Overall, want.Overall}, {"AUROC", got.AUROC, want.AUROC}} {
					if m.got < m.want {
						t.Errorf("seed %d: %s is %.4f, below %.3f", seed, m.name, m.got, m.want)
					}
				}
			}
		})
	}
}

// examples of a few labels that share no word, and small talk.
func examples() (train, test []classify.Example) {
	for label, words := range map[string][]string{
		"passport": {"renew my passport", "passport expired", "new passport photo", "passport renewal fee", "lost passport abroad", "passport for my baby"},
		"parking":  {"resident parking permit", "parking permit price", "apply for parking", "where to park my car", "parking fine appeal", "visitor parking permit"},
		"refuse":   {"when is rubbish collected", "bulky waste collection", "rubbish bin broken", "collection of garden waste", "recycling rubbish days", "missed rubbish collection"},
	} {
		for i, w := range words {
			e := classify.Example{Text: w, Label: label}
			if i == len(words)-1 {
				test = append(test, e)
			} else {
				train = append(train, e)
			}
		}
	}
	for i, s := range []string{"tell me a joke", "who won the football", "hello there"} {
		test = append(test, classify.Example{Text: s + fmt.Sprint(" ", i), Label: none})
	}
	return train, test
}

func TestForeignQuestionsAreRefused(t *testing.T) {
	t.Parallel()
	train, test := examples()
	r, err := nomatch.Evaluate(train, test, none, 0)
	if err != nil {
		t.Fatal(err)
	}
	if r.N != 6 || r.InScope != 1 || r.AUROC != 1 {
		t.Errorf("got %+v", r)
	}
	if r.Threshold <= 0 {
		t.Errorf("a threshold of %v refuses nothing", r.Threshold)
	}
	var keys map[string]any
	out, _ := json.Marshal(r)
	_ = json.Unmarshal(out, &keys)
	for _, k := range []string{"n", "in_scope_accuracy", "overall_accuracy", "auroc", "threshold"} {
		if _, ok := keys[k]; !ok || len(keys) != 5 {
			t.Errorf("the result has the keys %v", keys)
		}
	}
}

// The threshold must not move when the test set changes.
func TestThresholdComesFromTrainOnly(t *testing.T) {
	t.Parallel()
	train, test := examples()
	a, err := nomatch.Evaluate(train, test, none, 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := nomatch.Evaluate(train, append(test[1:], classify.Example{Text: "passport passport", Label: none}), none, 0)
	if err != nil {
		t.Fatal(err)
	}
	if a.Threshold != b.Threshold {
		t.Errorf("the threshold is %v with one test and %v with another", a.Threshold, b.Threshold)
	}
}

func TestBadSets(t *testing.T) {
	t.Parallel()
	train, test := examples()
	for name, c := range map[string]struct {
		train, test []classify.Example
		none        string
		want        error
	}{
		"empty test":  {train, nil, none, nomatch.ErrNoTest},
		"one label":   {train[:1], test, none, nomatch.ErrFewLabels},
		"empty train": {nil, test, none, nomatch.ErrFewLabels},
		"only known":  {train, test[:3], none, nomatch.ErrOneSided},
	} {
		if _, err := nomatch.Evaluate(c.train, c.test, c.none, 0); err != c.want {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
	if _, err := nomatch.Evaluate(train, test, "", 0); err == nil {
		t.Error("an empty label was taken")
	}
}
