package knowledge

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// shelf writes articles of words as unevenly frequent as those of a language.
type shelf struct {
	r    *rand.Rand
	zipf *rand.Zipf
}

func newShelf(seed uint64) *shelf {
	r := rand.New(rand.NewPCG(seed, 1))
	return &shelf{r: r, zipf: rand.NewZipf(r, 1.1, 5, 6000)}
}

func (s *shelf) text(lang string, words int) string {
	var b strings.Builder
	for range words {
		w := s.zipf.Uint64()
		if lang == "zh-CN" {
			b.WriteRune(rune(0x4E00 + w*37%2500))
			b.WriteRune(rune(0x4E00 + w*101%2500))
		} else {
			b.WriteString(spelledWord(w) + " ")
		}
	}
	return b.String()
}

// spelledWord is a word of its own for each number.
func spelledWord(n uint64) string {
	w := []byte("ko")
	for n += 50; n > 0; n /= 11 {
		w = append(w, "bdfgklmnprt"[n%11], "aeiou"[n%5])
	}
	return string(w)
}

func (s *shelf) doc(i, version int) Doc {
	d := Doc{ID: fmt.Sprintf("%05d", i), Version: version, Lang: []string{"en", "zh-CN"}[i%2]}
	d.Title, d.Summary, d.Body = s.text(d.Lang, 5), s.text(d.Lang, 12), s.text(d.Lang, 20+s.r.IntN(200))
	for range s.r.IntN(3) {
		d.Questions = append(d.Questions, s.text(d.Lang, 6))
	}
	if i%5 == 0 {
		d.Audience = AudienceStaff
	}
	return d
}

// A long question tells its subject in words that many articles hold, too, and most of its rarest terms stand in no article at all: pairs of characters across
// the borders of words.
func TestLongQuestionsAreProposedFor(t *testing.T) {
	t.Parallel()
	c := NewCorpus()
	var docs []Doc
	for i := range 60 {
		docs = append(docs, Doc{ID: fmt.Sprintf("pay%d", i), Lang: "zh-CN", Title: "工资的支付", Body: "用人单位应当按月支付工资。", Version: 1},
			Doc{ID: fmt.Sprintf("rest%d", i), Lang: "zh-CN", Title: "年休假的天数", Body: "职工累计工作满一年的，年休假五天。", Version: 1})
	}
	c.Put(append(docs, Doc{ID: "wanted", Lang: "zh-CN", Title: "未休年休假的工资报酬", Body: "未安排年休假的，按照日工资收入的百分之三百支付年休假工资报酬。", Version: 1})...)
	hits := c.Propose(Query{Text: "我爸爸在一家民营餐饮连锁门店当厨师已经八个多春秋，老板总借口客流火爆，从没给过他年休假，离职时能不能要求把工资补上？", Lang: "zh-CN", Limit: 5})
	if len(hits) == 0 || hits[0].ID != "wanted" {
		t.Errorf("proposed %+v", hits)
	}
}

// Where nobody says which language is searched, each is searched in its own words.
func TestProposedInWhateverLanguage(t *testing.T) {
	t.Parallel()
	c := NewCorpus()
	c.Put(Doc{ID: "es", Lang: "es", Title: "Renovaciones de los permisos", Version: 1}, Doc{ID: "fr", Lang: "fr", Title: "Renouvellement de l'abonnement", Version: 1},
		Doc{ID: "en", Lang: "en", Title: "Renewing permits", Version: 1}, Doc{ID: "zh", Lang: "zh-CN", Title: "许可证延期", Version: 1})
	for text, want := range map[string]string{"renovación del permiso": "es", "abonnements renouvelés": "fr", "permit renewal": "en", "延期许可证": "zh"} {
		if hits := c.Propose(Query{Text: text}); len(hits) == 0 || hits[0].ID != want {
			t.Errorf("%q: proposed %+v, want %s first", text, hits, want)
		}
	}
}

// Who asks what was stored means the article it was stored with, however much others say of its words.
func TestAStoredQuestionIsProposed(t *testing.T) {
	t.Parallel()
	c := NewCorpus()
	var docs []Doc
	for i := range 400 {
		docs = append(docs, Doc{ID: fmt.Sprintf("other%d", i), Lang: "en", Title: "Moving house: register the address", Keywords: []string{"moving", "register"}, Body: "Moving, register, house.", Version: 1})
	}
	c.Put(append(docs, Doc{ID: "wanted", Lang: "en", Title: "Parking permits", Body: strings.Repeat("Parking for residents. ", 200), Questions: []string{"What do I register when moving house?"}, Version: 1})...)
	if hits := c.Propose(Query{Text: "register when moving house", Lang: "en", Limit: 5}); len(hits) != 5 || hits[0].ID != "wanted" {
		t.Errorf("proposed %+v", hits)
	}
}

// What is proposed is what a look at every document would propose.
func TestProposedAreTheBest(t *testing.T) {
	t.Parallel()
	s, c := newShelf(1), NewCorpus()
	for from := 0; from < 4000; from += 500 {
		var docs []Doc
		for i := range 500 {
			docs = append(docs, s.doc(from+i, 1))
		}
		c.Put(docs...)
	}
	c.SetSynonyms([]SynonymGroup{{Lang: "en", Terms: []string{"tram", s.text("en", 1)}}})
	wanted, found := 0, 0
	for i := range 300 {
		lang := []string{"en", "zh-CN", ""}[i%3]
		text := s.text([]string{"en", "zh-CN"}[i%2], 3+i%6) + " tram"
		scan := c.Question(text).scan()
		all := best{limit: 30}
		for _, p := range c.docs {
			if score := scan.score(p); score > 0 && (lang == "" || p.lang == BaseLang(lang)) && !p.staff && (lang != "" || DetectLang(text) == "" || p.lang == DetectLang(text)) {
				all.add(Hit{ID: p.id, Version: p.version, Score: score})
			}
		}
		slices.SortFunc(all.hits, compareHits)
		got := c.Propose(Query{Text: text, Lang: lang, Limit: 30})
		want := all.hits[:min(30, len(all.hits))]
		if len(got) != len(want) {
			t.Fatalf("%q: %d proposed, want %d", text, len(got), len(want))
		}
		for _, w := range want {
			wanted++
			if slices.Contains(got, w) {
				found++
			}
		}
		if len(want) > 0 && got[0] != want[0] {
			t.Errorf("%q: first is %+v, want %+v", text, got[0], want[0])
		}
	}
	if share := float64(found) / float64(wanted); wanted < 3000 || share < 0.99 {
		t.Errorf("%.4f of the %d best are proposed", share, wanted)
	}
}

// A corpus in which articles came, changed and went is that of the articles there are.
func TestCorpusAfterManyEdits(t *testing.T) {
	t.Parallel()
	s, c := newShelf(2), NewCorpus()
	now := map[int]Doc{}
	for step := range 4000 {
		i := s.r.IntN(300)
		if s.r.IntN(3) == 0 {
			c.Delete(fmt.Sprintf("%05d", i))
			delete(now, i)
		} else {
			now[i] = s.doc(i, step)
			c.Put(now[i])
		}
	}
	fresh := NewCorpus()
	for _, d := range now {
		fresh.Put(d)
	}
	if len(c.list) > 2*len(now)+roomyList || c.Len() != len(now) {
		t.Errorf("%d places for %d of %d documents", len(c.list), c.Len(), len(now))
	}
	if len(c.terms.at) != len(fresh.terms.at) || len(c.headings.docs.at) != len(fresh.headings.docs.at) || len(c.vocab.spell) != len(fresh.vocab.spell) {
		t.Errorf("%d terms, %d of headings, %d kinds of words; want %d, %d, %d", len(c.terms.at), len(c.headings.docs.at), len(c.vocab.spell),
			len(fresh.terms.at), len(fresh.headings.docs.at), len(fresh.vocab.spell))
	}
	respelled := 0
	for i := range 200 {
		lang := []string{"en", "zh-CN"}[i%2]
		text := s.text(lang, 2+i%5)
		if got, want := c.Propose(Query{Text: text, Lang: lang, Limit: 5}), fresh.Propose(Query{Text: text, Lang: lang, Limit: 5}); !slices.Equal(got, want) {
			t.Errorf("%q: proposed %+v, want %+v", text, got, want)
		}
		if got, want := c.Suggest(text, BaseLang(lang), 5), fresh.Suggest(text, BaseLang(lang), 5); !slices.Equal(got, want) {
			t.Errorf("%q: suggested %+v, want %+v", text, got, want)
		}
		wrong := spelledWord(s.zipf.Uint64()) + "x"
		got, want := c.Respell("", wrong), fresh.Respell("", wrong)
		if got != want {
			t.Errorf("%q respelled as %q, want %q", wrong, got, want)
		}
		if got != wrong {
			respelled++
		}
	}
	if respelled < 50 {
		t.Errorf("%d of 200 words with a letter too many were corrected", respelled)
	}
}
