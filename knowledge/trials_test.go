package knowledge_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hotline/knowledge"
	"hotline/knowledge/calibrate"
)

func corpusOf(docs []knowledge.Doc, synonyms []knowledge.SynonymGroup) *knowledge.Corpus {
	c := knowledge.NewCorpus()
	c.Put(docs...)
	c.SetSynonyms(synonyms)
	return c
}

func trials(t *testing.T, c *knowledge.Corpus, asked []knowledge.Asked) []calibrate.Pair {
	t.Helper()
	pairs, err := c.Trials(t.Context(), asked, knowledge.DefaultThresholds)
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}

func inLang(docs []knowledge.Doc, lang string) []knowledge.Doc {
	return slices.DeleteFunc(slices.Clone(docs), func(d knowledge.Doc) bool { return knowledge.BaseLang(d.Lang) != lang })
}

// The trials leave the corpus as it was, and are what taking the question out of it gives.
func TestTrialsHoldOutWhatTheyAsk(t *testing.T) {
	t.Parallel()
	doc := func(id, title string, questions ...string) knowledge.Doc {
		return knowledge.Doc{ID: id, Lang: "en", Title: title, Questions: questions, Version: 1}
	}
	bees := doc("bees", "Register a beehive", "where do I report my bee colony", "zebra quagga okapi")
	c := corpusOf([]knowledge.Doc{bees, doc("dogs", "Dog tax", "what does a dog cost"), doc("staff", "Zebra quagga okapi")}, nil)
	secret := doc("staff", "Zebra quagga okapi")
	secret.Audience = knowledge.AudienceStaff
	c.Put(secret)
	before := c.Score("zebra quagga okapi", bees)
	ps := trials(t, c, []knowledge.Asked{{Question: "zebra quagga okapi", Lang: "en", Right: []knowledge.Doc{bees}},
		{Question: "register a beehive", Lang: "en", Right: []knowledge.Doc{bees}}})
	if len(ps) != 4 {
		t.Fatalf("%d pairs", len(ps))
	}
	if ps[0].Right || ps[0].Score != 0 {
		t.Errorf("a question that only itself answers: %+v", ps[0])
	}
	if !ps[2].Right || ps[2].Score < 0.45 {
		t.Errorf("a question that the title answers: %+v", ps[2])
	}
	if ps[3].Right || ps[3].Weight >= 1 || ps[3].Score > 0.1 {
		t.Errorf("its article taken away: %+v", ps[3])
	}
	if after := c.Score("zebra quagga okapi", bees); after != before || before < 0.45 {
		t.Errorf("the corpus changed: %v, was %v", after, before)
	}
}

func TestTheSampleIsBoundedAndTheSame(t *testing.T) {
	t.Parallel()
	docs, _ := demoDocs(t)
	a := knowledge.StoredQuestions(docs, 100)
	turned := slices.Clone(docs)
	slices.Reverse(turned)
	b := knowledge.StoredQuestions(turned, 100)
	if len(a) != 100 {
		t.Fatalf("%d questions", len(a))
	}
	articles := map[string]bool{}
	for i := range a {
		if a[i].Question != b[i].Question || a[i].Right[0].ID != b[i].Right[0].ID {
			t.Fatalf("another order draws %q in place of %q", b[i].Question, a[i].Question)
		}
		articles[a[i].Right[0].ID] = true
		if a[i].Right[0].Audience == knowledge.AudienceStaff {
			t.Errorf("%q is for staff", a[i].Question)
		}
	}
	if len(articles) < 50 {
		t.Errorf("drawn from %d articles only", len(articles))
	}
}

// On the demo's own questions the curve foretells the half it has not seen, and the wanted precision is kept there.
func TestCalibrationOnDemoArticles(t *testing.T) {
	t.Parallel()
	docs, synonyms := demoDocs(t)
	c := corpusOf(docs, synonyms)
	for _, lang := range []string{"en", "zh"} {
		measure(t, "demo "+lang, trials(t, c, knowledge.StoredQuestions(inLang(docs, lang), 2000)), 0.09)
	}
}

// measure prints what docs/knowledge.md says and fails when the curve is off by more than most on the half it has not seen.
func measure(t *testing.T, name string, pairs []calibrate.Pair, most float64) {
	t.Helper()
	f := knowledge.Learn(pairs)
	if f.Error > most {
		t.Errorf("%s: expected calibration error %.3f", name, f.Error)
	}
	_, raw := calibrate.Reliability(calibrate.Curve{{Score: 0, Chance: 0}, {Score: 1, Chance: 1}}, pairs) // the score taken for a chance
	now := calibrate.At(f.Table, knowledge.DefaultThresholds.Good)
	t.Logf("%s: %d questions, error %.3f (of the score itself %.3f); from 0.45: answered %.1f %%, precision %.1f %% (at least %.1f %%), chance at .45 %.2f, at .30 %.2f", name, len(pairs)/2,
		f.Error, raw, 100*now.Answered, 100*now.Precision(), 100*now.Least, f.Curve.Chance(.45), f.Curve.Chance(.30))
	// Thresholds of one half, tried on the other.
	var half [2][]calibrate.Pair
	for i, p := range pairs {
		half[i/2%2] = append(half[i/2%2], p)
	}
	learned, other := calibrate.Table(half[0]), calibrate.Table(half[1])
	for _, wanted := range []float64{0.7, 0.8, 0.9, 0.95} {
		at, ok := calibrate.Threshold(learned, wanted)
		s := calibrate.At(other, at)
		t.Logf("   wanted %.0f %%: from %.2f (%v); other half: answered %.1f %%, precision %.1f %%", 100*wanted, at, ok, 100*s.Answered, 100*s.Precision())
	}
	for _, cover := range []float64{0.1, 0.2, 0.3, 0.5, 0.7} {
		for i := len(f.Table) - 1; i >= 0; i-- {
			if s := f.Table[i]; s.Answered >= cover {
				t.Logf("   at coverage %.2f: precision %.3f (from %.2f)", s.Answered, s.Precision(), s.From)
				break
			}
		}
	}
}

const sharedKnowledge = "../../shared/data/knowledge"

func TestCalibrationOnDevelopmentData(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(sharedKnowledge); err != nil {
		t.Skip("the development data are not here")
	}
	type query struct {
		Lang, Text string
		Relevant   []string
	}
	for _, set := range []struct {
		name, articles, queries string
		blind                   bool // the title is the question
	}{{"legal-zh", "legal-zh/articles.jsonl", "legal-zh/queries.jsonl", false}, {"benefits-en pages", "benefits-en/pages.jsonl", "benefits-en/page_queries.jsonl", false},
		{"account en", "account-multilingual/articles.jsonl", "", true}, {"account zh", "account-multilingual/articles.jsonl", "", true}, {"benefits-en titles", "benefits-en/articles.jsonl", "", true}} {
		docs := map[string]knowledge.Doc{}
		var list []knowledge.Doc
		var asked []knowledge.Asked
		lang := "en"
		if set.name == "account zh" {
			lang = "zh"
		}
		lines(t, set.articles, func(a struct {
			ID, Lang, Title, Body string
			Keywords              []string
		}) {
			d := knowledge.Doc{ID: a.ID, Lang: a.Lang, Title: a.Title, Body: knowledge.PlainText(a.Body), Keywords: a.Keywords, Version: 1}
			if set.blind {
				if d.Title = ""; knowledge.BaseLang(a.Lang) == lang {
					asked = append(asked, knowledge.Asked{Question: a.Title, Lang: a.Lang, Right: []knowledge.Doc{d}})
				}
			}
			if set.name == "legal-zh" {
				d.Keywords = nil // the queries are made of them
			}
			docs[a.ID] = d
			list = append(list, d)
		})
		if set.queries != "" {
			lines(t, set.queries, func(q query) {
				a := knowledge.Asked{Question: q.Text, Lang: q.Lang}
				for _, id := range q.Relevant {
					if d, ok := docs[id]; ok {
						a.Right = append(a.Right, d)
					}
				}
				if len(a.Right) > 0 {
					asked = append(asked, a)
				}
			})
		}
		measure(t, set.name, trials(t, corpusOf(list, nil), asked), 0.15)
	}
}

func lines[T any](t *testing.T, name string, use func(T)) {
	t.Helper()
	f, err := os.Open(filepath.Join(sharedKnowledge, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 8<<20)
	for sc.Scan() {
		var one T
		if err := json.Unmarshal(sc.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		use(one)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
}
