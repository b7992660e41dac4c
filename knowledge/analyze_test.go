package knowledge_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"hotline/knowledge"
)

func terms(text string) string {
	var out []string
	for _, t := range knowledge.Analyze(text) {
		out = append(out, t.Text)
	}
	return strings.Join(out, " ")
}

func TestAnalyze(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "",
		"The dogs are running":         "dog run",
		"Applying, applied, applies":   "appli appli appli",
		"citizens’ rights; it's Bob's": "citizen right bob",
		"don't DON’T":                  "",
		"身份证":                          "身 身份 份 份证 证",
		"辦理身份證":                        "办 办理 理 理身 身 身份 份 份证 证",
		"办ETC卡":                        "办 etc 卡",
		"ＡＢＣ１２":                        "abc12",
		"Über café naïve":              "uber cafe naiv",
		"form I-9, 2026":               "form 9 2026",
		"a\xffb\xffpassport":           "b passport",
		"ひらがな":                         "ひ ひら ら らが が がな な",
		"<b>bold</b>":                  "b bold b",
		strings.Repeat("a", 200):       strings.Repeat("a", 64),
		"🙂🚲👍":                          "",
		"étudié":                       "etudi",
	} {
		if got := terms(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

func TestAnalyzeInALanguage(t *testing.T) {
	t.Parallel()
	for text, want := range map[[2]string]string{
		{"es", "¿Cómo renuevo los permisos de residencia?"}:  "renuev permis resident",
		{"es", "renovaciones de permiso"}:                    "renov permis",
		{"es-MX", "renovacion, renovación"}:                  "renov renov",
		{"fr", "Comment renouveler l’identité d'un élève ?"}: "renouvel identit elev",
		{"fr", "Qu'est-ce qu'il faut ? les élèves"}:          "faut elev",
		{"fr", "身份证 identité"}:                               "身 身份 份 份证 证 identit",
		{"de", "The applications"}:                           "applic",
	} {
		var got []string
		for _, term := range knowledge.AnalyzeIn(text[0], text[1]) {
			got = append(got, term.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

// One corpus holds all languages: each article is judged in the words of its own.
func TestQuestionsOfSeveralLanguages(t *testing.T) {
	t.Parallel()
	c := knowledge.NewCorpus()
	es := knowledge.Doc{ID: "es", Lang: "es", Title: "Renovaciones de permisos de residencia", Body: "Los permisos se renuevan en la comisaría.", Version: 1}
	fr := knowledge.Doc{ID: "fr", Lang: "fr", Title: "L’inscription des élèves", Body: "L’école inscrit les élèves en mai.", Version: 1}
	en := knowledge.Doc{ID: "en", Lang: "en", Title: "Renewing residence permits", Body: "Permits are renewed at the police station.", Version: 1}
	c.Put(es, fr, en)
	c.SetSynonyms([]knowledge.SynonymGroup{{Lang: "es", Terms: []string{"permiso", "tarjeta"}}})
	for _, q := range []struct {
		text string
		doc  knowledge.Doc
	}{{"renovacion de permiso de residencia", es}, {"¿Cómo hago la renovación de mi permiso de residencia?", es}, {"renovación de la tarjeta de residencia", es},
		{"inscriptions d'élève", fr}, {"les inscriptions de l'eleve", fr}, {"renewal of a residence permit", en}} {
		if s := c.Score(q.text, q.doc); s < 0.45 {
			t.Errorf("%q scores %.2f on %s", q.text, s, q.doc.ID)
		}
	}
	for _, text := range []string{"¿Cómo hago la renovación de mi permiso?", "comment inscrire les élèves", "renewal of permits"} {
		if got := c.Respell("", text); got != text {
			t.Errorf("%q is respelled to %q though its words are known", text, got)
		}
	}
	if got := c.Respell("es", "renovasiones de permizos"); got != "renovaciones de permisos" {
		t.Errorf("respelled to %q", got)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{"zh-CN": "zh", "zh_Hans": "zh", "ZH": "zh", "en-GB": "en", " fr ": "fr", "": ""} {
		if got := knowledge.BaseLang(tag); got != want {
			t.Errorf("BaseLang(%q) is %q", tag, got)
		}
	}
	for text, want := range map[string]string{"身份证怎么办": "zh", "ETC怎么办": "zh", "Where is 北京 road in the plan": "", "hello": "", "": "", "12345": ""} {
		if got := knowledge.DetectLang(text); got != want {
			t.Errorf("DetectLang(%q) is %q", text, got)
		}
	}
}

func FuzzAnalyze(f *testing.F) {
	for _, s := range []string{"The dogs’ home", "身份证补办ETC", "\xff\xfe", "e\u0301\u0301\u0301", "'''a'b'", "ﷺ ǅ ß İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, term := range knowledge.Analyze(text) {
			if term.Text == "" || term.Start < 0 || term.End > len(text) || term.Start >= term.End {
				t.Fatalf("term %+v of %q", term, text)
			}
			if !utf8.ValidString(term.Text) || strings.ContainsAny(term.Text, " \n\t\x00") {
				t.Fatalf("term %q of %q cannot be indexed", term.Text, text)
			}
		}
		// Whatever is asked, judging it ends and stays within bounds.
		c := knowledge.NewCorpus()
		d := knowledge.Doc{ID: "a", Title: text, Body: text, Questions: []string{"身份证 passport"}, Version: 1}
		c.Put(d)
		for _, q := range []string{text, "passport 身份证"} {
			if s := c.Score(q, d); !(s >= 0 && s <= 1) {
				t.Fatalf("score %v for %q", s, q)
			}
		}
		if s := knowledge.Excerpt(text, text).Text(); !utf8.ValidString(s) || utf8.RuneCountInString(s) > 300 {
			t.Fatalf("snippet %q", s)
		}
		c.Delete("a")
		if c.Len() != 0 {
			t.Fatal("still there")
		}
	})
}

func TestScore(t *testing.T) {
	t.Parallel()
	c := knowledge.NewCorpus()
	docs := []knowledge.Doc{
		{ID: "water", Lang: "zh-CN", Title: "自来水水费怎么交", Questions: []string{"水费在哪里缴"}, Body: "可以在手机上缴纳水费。", Version: 1},
		{ID: "card", Lang: "zh-CN", Title: "居民身份证补办", Body: "身份证丢失后，可到任一派出所补办。", Version: 1},
		{ID: "dog", Lang: "en", Title: "Registering a dog", Summary: "Every dog needs a licence.", Body: "Bring the vaccination card.", Version: 1},
		{ID: "bus", Lang: "en", Title: "Senior bus card", Body: "Free rides from the age of 65. Dogs travel free.", Version: 1},
	}
	c.Put(docs...)
	by := map[string]knowledge.Doc{}
	for _, d := range docs {
		by[d.ID] = d
	}
	if s := c.Score("水费在哪里缴？", by["water"]); s < 0.8 {
		t.Errorf("a stored question scores %.2f", s)
	}
	if full, part := c.Score("how do I register my dog", by["dog"]), c.Score("how do I register my dog", by["bus"]); full < 2*part || full < 0.5 {
		t.Errorf("the article about it scores %.2f, the one that mentions it %.2f", full, part)
	}
	if s := c.Score("registring a dog", by["dog"]); s < 0.4 {
		t.Errorf("with a typing error %.2f", s)
	}
	for _, q := range []string{"", "的了吗", "hello", "zzzz"} {
		for _, d := range docs {
			if s := c.Score(q, d); s > 0.1 {
				t.Errorf("%q scores %.2f on %s", q, s, d.ID)
			}
		}
	}
	if c.Score("身份证补办", by["card"]) != c.Score("身份证补办", by["card"]) {
		t.Error("the same question scores differently")
	}
	newer := by["card"]
	newer.Title, newer.Body, newer.Version = "护照", "护照", 2
	if s := c.Score("身份证补办", newer); s != 0 {
		t.Errorf("a version that the corpus does not know is judged by an older text: %.2f", s)
	}
	c.SetSynonyms([]knowledge.SynonymGroup{{Lang: "en", Terms: []string{"dog", "hound"}}})
	if s := c.Score("registering a hound", by["dog"]); s < 0.5 {
		t.Errorf("a synonym scores %.2f", s)
	}
	for written, want := range map[string]string{
		"how to regsitering a dgo": "how to registering a dgo", // three letters have too many neighbours
		"snior bus crd":            "senior bus crd",
		"registring my dgo":        "registering my dgo",
		"seniur buss card":         "senior buss card",
		"synier":                   "senior", // two wrong letters, and the same sound
		"sunder":                   "sunder",
		"水飞怎么教":                    "水费怎么教",
		"深份证怎么补办":                  "身份证怎么补办",
		"自莱水":                      "自来水", // sounds alike
		"自米水":                      "自米水",
		"农民工身份证":                   "农民工身份证",
		"交水费":                      "交水费",
	} {
		if got := c.Respell("", written); got != want {
			t.Errorf("%q is respelled to %q, want %q", written, got, want)
		}
	}
	if s := c.Score("深份证补办", by["card"]); s < 0.45 {
		t.Errorf("with a wrong character %.2f", s)
	}
	if s := c.Score("snior bus crad", by["bus"]); s < 0.35 {
		t.Errorf("with two typing errors %.2f", s)
	}
}

func TestCorpusForgets(t *testing.T) {
	t.Parallel()
	fresh, used := knowledge.NewCorpus(), knowledge.NewCorpus()
	keep := knowledge.Doc{ID: "keep", Title: "Parking permit", Body: "For residents.", Version: 1}
	fresh.Put(keep)
	for v := range 5 {
		used.Put(knowledge.Doc{ID: "gone", Title: "Parking fines", Body: "Permits and residents.", Version: v})
		used.Put(knowledge.Doc{ID: "keep", Title: "Older words", Version: v - 10})
	}
	used.Put(keep)
	used.Delete("gone", "never")
	if a, b := fresh.Score("parking permit for residents", keep), used.Score("parking permit for residents", keep); a != b {
		t.Errorf("statistics remember deleted documents: %v and %v", a, b)
	}
	if used.Respell("", "fihes older") != "fihes older" || used.Respell("", "oldre") != "oldre" {
		t.Error("the vocabulary remembers deleted documents")
	}
}
