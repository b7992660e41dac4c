package knowledge_test

import (
	"slices"
	"testing"

	"hotline/internal/demo"
	"hotline/knowledge"
)

func demoDocs(t *testing.T) ([]knowledge.Doc, []knowledge.SynonymGroup) {
	t.Helper()
	city, err := demo.Read()
	if err != nil {
		t.Fatal(err)
	}
	docs := make([]knowledge.Doc, len(city.Articles))
	for i, a := range city.Articles {
		docs[i] = knowledge.Doc{ID: a.Lang + "/" + a.Slug, Lang: a.Lang, Title: a.Title, Summary: a.Summary, Body: knowledge.PlainText(a.Body),
			Keywords: a.Keywords, Questions: a.Questions, Audience: a.Audience, Version: 1}
	}
	groups := make([]knowledge.SynonymGroup, len(city.Synonyms))
	for i, g := range city.Synonyms {
		groups[i] = knowledge.SynonymGroup{Lang: g.Lang, Terms: g.Terms}
	}
	return docs, groups
}

// tally counts what citizens would have met.
type tally struct{ n, right, wrong, offered, missed, none int }

func (c *tally) add(outcome knowledge.Outcome, ids []string, want string) {
	c.n++
	switch {
	case outcome == knowledge.None:
		c.none++
	case outcome == knowledge.Answered && ids[0] == want:
		c.right++
	case outcome == knowledge.Answered:
		c.wrong++
	case slices.Contains(ids, want):
		c.offered++
	default:
		c.missed++
	}
}

func decide(c *knowledge.Corpus, docs []knowledge.Doc, question string) (knowledge.Outcome, []string, float64) {
	ranked := c.Rank(question, docs)
	scores, ids := make([]float64, len(ranked)), make([]string, len(ranked))
	for i, r := range ranked {
		scores[i], ids[i] = r.Score, r.Doc.ID
	}
	outcome, n := knowledge.DefaultThresholds.Decide(scores)
	best := 0.0
	if len(scores) > 0 {
		best = scores[0]
	}
	return outcome, ids[:n], best
}

// Each stored question of each demo article is taken out, and asked. What is
// left must still answer most of them, and be wrong seldom; what no article
// is about must get none.
func TestHeldOutQuestions(t *testing.T) {
	t.Parallel()
	all, synonyms := demoDocs(t)
	for _, lang := range []string{"en", "zh-CN"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			c := knowledge.NewCorpus()
			c.Put(all...)
			c.SetSynonyms(synonyms)
			docs := slices.DeleteFunc(slices.Clone(all), func(d knowledge.Doc) bool { return d.Lang != lang || d.Audience != knowledge.AudiencePublic })
			if len(docs) < 30 {
				t.Fatalf("only %d demo articles", len(docs))
			}
			var held, verbatim, off tally
			for i, d := range docs {
				for k, q := range d.Questions {
					outcome, ids, _ := decide(c, docs, q)
					verbatim.add(outcome, ids, d.ID)
					docs[i].Questions = slices.Delete(slices.Clone(d.Questions), k, k+1)
					c.Put(docs[i])
					outcome, ids, score := decide(c, docs, q)
					held.add(outcome, ids, d.ID)
					if outcome == knowledge.Answered && ids[0] != d.ID {
						t.Logf("wrong: %.2f %q → %s, want %s", score, q, ids[0], d.ID)
					}
					docs[i] = d
					c.Put(d)
				}
			}
			for _, q := range offTopic[lang] {
				outcome, ids, score := decide(c, docs, q)
				off.add(outcome, ids, "")
				if outcome != knowledge.None {
					t.Logf("off topic: %.2f %q → %s %v", score, q, outcome, ids)
				}
			}
			t.Logf("stored %+v", verbatim)
			t.Logf("held out %+v", held)
			t.Logf("off topic %+v", off)
			share := func(n int, of tally) float64 { return float64(n) / float64(of.n) }
			if s := share(verbatim.right+verbatim.offered, verbatim); s < 0.98 {
				t.Errorf("stored questions reach their article in %.2f", s)
			}
			if s := share(held.right+held.offered, held); s < 0.72 {
				t.Errorf("held-out questions reach their article in %.2f", s)
			}
			if s := share(held.wrong, held); s > 0.08 {
				t.Errorf("held-out questions are answered wrongly in %.2f", s)
			}
			if s := share(off.none, off); s < 0.93 || off.wrong > 1 {
				t.Errorf("off-topic questions get none in %.2f and an answer in %d cases", s, off.wrong)
			}
		})
	}
}
