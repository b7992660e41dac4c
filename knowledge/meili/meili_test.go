package meili_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/meilisearch/meilisearch-go"
	"go.uber.org/goleak"

	"hotline/knowledge"
	"hotline/knowledge/indextest"
	"hotline/knowledge/meili"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

var oddUID = regexp.MustCompile(`[^A-Za-z0-9]+`)

// open makes an empty index: on the server that HOTLINE_TEST_MEILI_URL names, or from the recording of one.
func open(t *testing.T) *meili.Index { return openWith(t, nil) }

func openWith(t *testing.T, embedders map[string]meilisearch.Embedder) *meili.Index {
	t.Helper()
	url, key := os.Getenv("HOTLINE_TEST_MEILI_URL"), os.Getenv("HOTLINE_TEST_MEILI_KEY")
	o := meili.Options{URL: url, Key: key, UID: oddUID.ReplaceAllString(t.Name(), "-"), Embedders: embedders}
	switch {
	case url == "":
		o.URL, o.Transport = "http://meili.test", replay(t)
	case os.Getenv("HOTLINE_RECORD") != "":
		clear := meili.New(o) // what an earlier run left is not part of the recording
		if err := clear.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.Transport = record(t)
	}
	x := meili.New(o)
	if url != "" && o.Transport == nil {
		if err := x.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if url != "" {
			if t, ok := o.Transport.(*recorder); ok {
				t.stop()
			}
			_ = meili.New(meili.Options{URL: url, Key: key, UID: o.UID}).Drop(t.Context())
		}
	})
	return x
}

func TestConformance(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t *testing.T) knowledge.Index {
		x := open(t)
		if err := x.SetSynonyms(t.Context(), nil); err != nil { // makes the index
			t.Fatal(err)
		}
		return x
	})
}

func ids(t *testing.T, x *meili.Index, q knowledge.Query) (out []string) {
	t.Helper()
	hits, err := x.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("search %q: %v", q.Text, err)
	}
	for _, h := range hits {
		out = append(out, h.ID)
	}
	return out
}

func docs(texts ...string) (out []knowledge.Doc) {
	for i, t := range texts {
		out = append(out, knowledge.Doc{ID: string(rune('a' + i)), Lang: "en", Title: t, Audience: knowledge.AudiencePublic, Version: 1})
	}
	return out
}

// A new index takes the place of the old one at once; what the old one alone had is gone.
func TestReplace(t *testing.T) {
	t.Parallel()
	x := open(t)
	if err := x.Put(t.Context(), docs("Bus timetable", "Dog licence")...); err != nil {
		t.Fatal(err)
	}
	looked := false
	err := x.Replace(t.Context(), []knowledge.SynonymGroup{{Lang: "en", Terms: []string{"tram", "streetcar"}}}, func(yield func([]knowledge.Doc, error) bool) {
		if !yield(docs("Tram timetable"), nil) {
			return
		}
		looked = true
		if got := ids(t, x, knowledge.Query{Text: "dog licence"}); !slices.Equal(got, []string{"b"}) {
			t.Errorf("while a new index is built the old one answers %v", got)
		}
		yield([]knowledge.Doc{{ID: "c", Lang: "zh-CN", Title: "电车时刻表", Version: 3}}, nil)
	})
	if err != nil || !looked {
		t.Fatalf("replace: %v", err)
	}
	if n, err := x.Count(t.Context()); n != 2 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
	for text, want := range map[string][]string{"dog licence": nil, "bus": nil, "streetcar": {"a"}, "电车": {"c"}} {
		if got := ids(t, x, knowledge.Query{Text: text}); !slices.Equal(got, want) {
			t.Errorf("%q found %v, want %v", text, got, want)
		}
	}
}

// Two rebuilds in a row, the first of which broke off.
func TestReplaceAfterABrokenOne(t *testing.T) {
	t.Parallel()
	x := open(t)
	broken := http.ErrHandlerTimeout
	if err := x.Replace(t.Context(), nil, func(yield func([]knowledge.Doc, error) bool) {
		_ = yield(docs("Half"), nil) && yield(nil, broken)
	}); err == nil {
		t.Fatal("a rebuild whose source broke succeeded")
	}
	if err := x.Replace(t.Context(), nil, func(yield func([]knowledge.Doc, error) bool) { yield(docs("Whole", "Library card"), nil) }); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, x, knowledge.Query{Text: "half"}); len(got) != 0 {
		t.Errorf("the broken rebuild is there: %v", got)
	}
	if got := ids(t, x, knowledge.Query{Text: "library cards"}); !slices.Equal(got, []string{"b"}) {
		t.Errorf("found %v", got)
	}
}

// A long question whose rarest word is beside the point still finds its article.
func TestLongQuestions(t *testing.T) {
	t.Parallel()
	x := open(t)
	if err := x.Put(t.Context(), append(docs("Renewing a driving licence after it expired", "Butterfly house opening hours", "Licence for street music", "Expired food in shops"),
		knowledge.Doc{ID: "zh", Lang: "zh-CN", Title: "驾驶证到期怎么换证", Body: "到期前九十天内申请换证，携带身份证和照片。", Version: 1})...); err != nil {
		t.Fatal(err)
	}
	for _, q := range []struct{ text, want string }{
		{"Good morning, I went to the butterfly house last week with my son and noticed that my driving licence had expired, how can I renew it, please?", "a"},
		{"您好，我上周带孩子去公园玩的时候发现我的驾驶证已经到期了，请问现在应该怎么办理换证手续，需要带什么材料？", "zh"},
	} {
		got := ids(t, x, knowledge.Query{Text: q.text})
		if !slices.Contains(got, q.want) {
			t.Errorf("%q found %v, want %s among them", q.text, got, q.want)
		}
	}
}
