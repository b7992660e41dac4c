// Package indextest is the suite that every knowledge.Index passes, and the
// corpus that each node searches by itself. It checks
// what the knowledge package relies on and nothing about an engine's own
// order beyond that: a document about the question comes before one that
// merely mentions it.
package indextest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"hotline/internal/errs"
	"hotline/knowledge"
)

// Run runs the suite. open returns a new, empty index; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) knowledge.Index) {
	for name, test := range map[string]func(*testing.T, knowledge.Index){
		"PutSearchDelete":   putSearchDelete,
		"Replace":           replace,
		"LanguageMoves":     languageMoves,
		"EmptyQuestions":    emptyQuestions,
		"HostileQuestions":  hostileQuestions,
		"English":           english,
		"Chinese":           chinese,
		"Mixed":             mixed,
		"OtherLanguages":    otherLanguages,
		"LanguageFilter":    languageFilter,
		"Audience":          audience,
		"PartsOfADocument":  partsOfADocument,
		"Synonyms":          synonyms,
		"LimitAndOrder":     limitAndOrder,
		"HostileDocuments":  hostileDocuments,
		"ConcurrentUse":     concurrentUse,
		"CancelledContext":  cancelledContext,
		"Closed":            closed,
		"EmptyIndex":        emptyIndex,
		"SameIDTwiceInAPut": sameIDTwice,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := open(t)
			t.Cleanup(func() { _ = x.Close() }) // closing twice is allowed
			test(t, x)
		})
	}
}

func doc(id, lang, title, body string) knowledge.Doc {
	return knowledge.Doc{ID: id, Lang: lang, Title: title, Body: body, Audience: knowledge.AudiencePublic, Version: 1}
}

func put(t *testing.T, x knowledge.Index, docs ...knowledge.Doc) {
	t.Helper()
	if err := x.Put(t.Context(), docs...); err != nil {
		t.Fatalf("put: %v", err)
	}
}

func find(t *testing.T, x knowledge.Index, q knowledge.Query) []string {
	t.Helper()
	hits, err := x.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("search %q: %v", q.Text, err)
	}
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
		if i > 0 && h.Score > hits[i-1].Score {
			t.Errorf("search %q: hit %d scores above the one before it", q.Text, i)
		}
	}
	return ids
}

// first checks which document comes first for a text in any language.
func first(t *testing.T, x knowledge.Index, text, want string) {
	t.Helper()
	if ids := find(t, x, knowledge.Query{Text: text}); len(ids) == 0 || ids[0] != want {
		t.Errorf("search %q found %v, want %s first", text, ids, want)
	}
}

func count(t *testing.T, x knowledge.Index, want int) {
	t.Helper()
	n, err := x.Count(t.Context())
	if err != nil || n != want {
		t.Errorf("count is %d, %v; want %d", n, err, want)
	}
}

func putSearchDelete(t *testing.T, x knowledge.Index) {
	put(t, x)
	count(t, x, 0)
	put(t, x, doc("p", "en", "Renewing a passport", "Bring two photos."), doc("d", "en", "Dog licence", "Every dog needs one."))
	count(t, x, 2)
	first(t, x, "passport renewal", "p")
	if err := x.Delete(t.Context(), "p", "never-there"); err != nil {
		t.Fatalf("delete: %v", err)
	}
	count(t, x, 1)
	if ids := find(t, x, knowledge.Query{Text: "passport renewal"}); len(ids) != 0 {
		t.Errorf("a deleted document is found: %v", ids)
	}
	if err := x.Delete(t.Context()); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
}

func replace(t *testing.T, x knowledge.Index) {
	old := doc("a", "en", "Bus timetable", "Routes and stops.")
	put(t, x, old)
	next := doc("a", "en", "Tram timetable", "Rails and platforms.")
	next.Version = 2
	put(t, x, next)
	count(t, x, 1)
	if ids := find(t, x, knowledge.Query{Text: "bus stops"}); len(ids) != 0 {
		t.Errorf("the replaced text is still found: %v", ids)
	}
	hits, err := x.Search(t.Context(), knowledge.Query{Text: "tram"})
	if err != nil || len(hits) != 1 || hits[0].Version != 2 {
		t.Errorf("hits %+v, %v; want version 2", hits, err)
	}
}

func languageMoves(t *testing.T, x knowledge.Index) {
	put(t, x, doc("a", "en", "Museum tickets", "Free on Mondays."))
	put(t, x, doc("a", "fr", "Billets de musée", "Gratuit le lundi."))
	count(t, x, 1)
	if ids := find(t, x, knowledge.Query{Text: "museum tickets Mondays", Lang: "en"}); len(ids) != 0 {
		t.Errorf("a document that changed its language is found under the old one: %v", ids)
	}
	if ids := find(t, x, knowledge.Query{Text: "billets", Lang: "fr"}); !slices.Equal(ids, []string{"a"}) {
		t.Errorf("found %v under the new language", ids)
	}
}

func emptyQuestions(t *testing.T, x knowledge.Index) {
	put(t, x, doc("a", "en", "What is it", "It is what it is."), doc("z", "zh-CN", "是什么", "这是一个说明。"))
	for _, text := range []string{"", "   ", "?!…", "the of and", "\x00\xff", "🙂🙂"} {
		if ids := find(t, x, knowledge.Query{Text: text}); len(ids) != 0 {
			t.Errorf("search %q found %v", text, ids)
		}
	}
}

func hostileQuestions(t *testing.T, x knowledge.Index) {
	put(t, x, doc("a", "en", "Parking permit", "For residents."))
	for _, text := range []string{
		`title:parking AND (permit`, `"unclosed`, `parking~99 ^^ -* +`, `*`, `../../etc/passwd`, `<script>alert(1)</script>`,
		strings.Repeat("parking ", 20_000), strings.Repeat("长", 50_000), strings.Repeat("x", 100_000), "\xed\xa0\x80 parking",
	} {
		if _, err := x.Search(t.Context(), knowledge.Query{Text: text}); err != nil {
			t.Errorf("search of %d hostile bytes: %v", len(text), err)
		}
	}
	first(t, x, `parking AND permit" (`, "a")
}

func english(t *testing.T, x knowledge.Index) {
	put(t, x,
		doc("waste", "en", "Collecting bulky waste", "Old furniture is collected on request. Call for an appointment."),
		doc("school", "en", "Enrolling a child in school", "Children are enrolled in May. Bring the birth certificate."),
		doc("noise", "en", "Noise at night", "Construction must be quiet from ten at night."),
	)
	first(t, x, "WASTE COLLECTION", "waste")               // case, stem
	first(t, x, "how do I enrol my children?", "school")   // stem, stop words
	first(t, x, "where can I take old furniture", "waste") // word of the body
	first(t, x, "certifcate for the school", "school")     // one wrong word beside a right one
	first(t, x, "furnitrue", "waste")                      // a typing error alone
	first(t, x, "someone’s furniture waste", "waste")      // typographic apostrophe
}

func chinese(t *testing.T, x knowledge.Index) {
	put(t, x,
		doc("gas", "zh-CN", "燃气开户办理指南", "带身份证和房产证到营业厅办理开户。"),
		doc("water", "zh-CN", "自来水水费怎么交", "可以在手机上缴纳水费，也可以到银行缴费。"),
		doc("card", "zh", "居民身份证补办", "身份证丢失后，可到任一派出所补办。"),
	)
	first(t, x, "怎么交水费？", "water")
	first(t, x, "身份证丢了怎么补办", "card")
	first(t, x, "我想开通燃气", "gas")
	first(t, x, "缴费", "water")
	if ids := find(t, x, knowledge.Query{Text: "身份证", Lang: "zh-CN"}); len(ids) != 2 {
		t.Errorf("zh and zh-CN are one language, but found %v", ids)
	}
	if ids := find(t, x, knowledge.Query{Text: "身份证", Lang: "zh"}); len(ids) != 2 {
		t.Errorf("zh and zh-CN are one language, but found %v", ids)
	}
}

func mixed(t *testing.T, x knowledge.Index) {
	put(t, x,
		doc("etc", "zh-CN", "ETC设备怎么办理", "携带行驶证到银行网点。"),
		doc("app", "zh-CN", "手机应用下载", "扫描二维码。"),
		doc("form", "en", "Form DS-82", "Renew by mail."),
	)
	first(t, x, "办etc", "etc")
	first(t, x, "ＥＴＣ", "etc") // full width
	first(t, x, "form ds 82", "form")
}

func otherLanguages(t *testing.T, x knowledge.Index) {
	put(t, x, doc("es", "es", "Cambiar la contraseña", "Elija una nueva."), doc("fr", "fr", "Logement étudiant", "Déposer un dossier."))
	first(t, x, "cambiar contrasena", "es")
	first(t, x, "logement etudiant", "fr")
}

func languageFilter(t *testing.T, x knowledge.Index) {
	put(t, x, doc("en", "en-GB", "Visa", "Apply for a visa."), doc("de", "de", "Visa", "Visa beantragen."), doc("zh", "zh-CN", "签证 visa", "申请签证。"))
	for lang, want := range map[string]string{"en": "en", "en-US": "en", "de": "de", "zh": "zh", "zh_Hans": "zh"} {
		if ids := find(t, x, knowledge.Query{Text: "visa", Lang: lang}); !slices.Equal(ids, []string{want}) {
			t.Errorf("language %s found %v", lang, ids)
		}
	}
	if ids := find(t, x, knowledge.Query{Text: "visa", Lang: "ja"}); len(ids) != 0 {
		t.Errorf("a language without documents found %v", ids)
	}
	if ids := find(t, x, knowledge.Query{Text: "visa"}); len(ids) != 3 {
		t.Errorf("any language found %v", ids)
	}
	if ids := find(t, x, knowledge.Query{Text: "怎么办visa"}); !slices.Equal(ids, []string{"zh"}) {
		t.Errorf("a Chinese question without a language found %v", ids)
	}
}

func audience(t *testing.T, x knowledge.Index) {
	staff := doc("s", "en", "Refund procedure for staff", "Internal limits.")
	staff.Audience = knowledge.AudienceStaff
	unset := doc("u", "en", "Refund rules", "Open to all.")
	unset.Audience = ""
	put(t, x, staff, doc("p", "en", "Refund", "How to ask for one."), unset)
	for aud, want := range map[string][]string{"": {"p", "u"}, knowledge.AudiencePublic: {"p", "u"}, knowledge.AudienceStaff: {"p", "s", "u"}} {
		ids := find(t, x, knowledge.Query{Text: "refund", Audience: aud})
		slices.Sort(ids)
		if !slices.Equal(ids, want) {
			t.Errorf("audience %q found %v, want %v", aud, ids, want)
		}
	}
}

func partsOfADocument(t *testing.T, x knowledge.Index) {
	d := doc("a", "en", "titleword", "bodyword")
	d.Summary, d.Keywords, d.Questions = "summaryword", []string{"keywordone", "keyword two"}, []string{"Is there a questionword?"}
	put(t, x, d, doc("b", "en", "Other", "Something else."))
	for _, w := range []string{"titleword", "bodyword", "summaryword", "keywordone", "questionword"} {
		first(t, x, w, "a")
	}
	body := doc("mention", "en", "Opening hours", "Closed on holidays. For a marriage certificate see the registry, the marriage page and others.")
	put(t, x, body, doc("about", "en", "Marriage certificate", "Issued by the registry on request to either spouse."))
	first(t, x, "marriage certificate", "about")
}

func synonyms(t *testing.T, x knowledge.Index) {
	put(t, x,
		doc("ins", "zh-CN", "社会保险转移", "填写申请表。"),
		doc("rub", "en", "Rubbish collection days", "See the calendar."),
		doc("oth", "en", "Calendar of fairs", "See the list."),
	)
	ask := knowledge.Query{Text: "garbage"}
	if ids := find(t, x, ask); len(ids) != 0 {
		t.Errorf("found %v before there were synonyms", ids)
	}
	groups := []knowledge.SynonymGroup{
		{Lang: "en", Terms: []string{"rubbish", "garbage", "household waste"}},
		{Lang: "zh-CN", Terms: []string{"社会保险", "社保"}},
		{Lang: "en", Terms: []string{"alone"}},
		{Lang: "en", Terms: nil},
	}
	if err := x.SetSynonyms(t.Context(), groups); err != nil {
		t.Fatalf("set synonyms: %v", err)
	}
	first(t, x, "garbage", "rub")
	first(t, x, "household waste", "rub")
	first(t, x, "社保", "ins")
	if err := x.SetSynonyms(t.Context(), nil); err != nil {
		t.Fatalf("set synonyms: %v", err)
	}
	if ids := find(t, x, ask); len(ids) != 0 {
		t.Errorf("found %v after the synonyms were removed", ids)
	}
}

func limitAndOrder(t *testing.T, x knowledge.Index) {
	var docs []knowledge.Doc
	for i := range 60 {
		docs = append(docs, doc(fmt.Sprintf("d%02d", i), "en", "Library card", "Same text."))
	}
	put(t, x, docs...)
	if ids := find(t, x, knowledge.Query{Text: "library"}); len(ids) != knowledge.DefaultLimit {
		t.Errorf("no limit gave %d hits", len(ids))
	}
	ids := find(t, x, knowledge.Query{Text: "library", Limit: 7})
	if len(ids) != 7 || !slices.IsSorted(ids) {
		t.Errorf("limit 7 of equal documents gave %v", ids)
	}
	if again := find(t, x, knowledge.Query{Text: "library", Limit: 7}); !slices.Equal(ids, again) {
		t.Errorf("the same search gave %v, then %v", ids, again)
	}
}

func hostileDocuments(t *testing.T, x knowledge.Index) {
	put(t, x,
		doc("big", "en", "Large", strings.Repeat("word 词语 ", 50_000)),
		doc("bad", "en", "Broken \xff\xfe title", "\x00 null and \xed\xa0\x80 surrogate"),
		doc("run", "en", "Run", strings.Repeat("a", 200_000)),
		doc("slash/../id\" x", "en", "Pathlike identity", ""),
		doc("nolang", "", "Languageless text", ""),
	)
	first(t, x, "broken title", "bad")
	first(t, x, "pathlike", "slash/../id\" x")
	first(t, x, "languageless", "nolang")
}

func concurrentUse(t *testing.T, x knowledge.Index) {
	put(t, x, doc("fixed", "en", "Fixed point", "Always here."))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Add(2)
		go func() {
			defer wg.Done()
			for i := range 10 {
				if err := x.Put(t.Context(), doc(fmt.Sprintf("w%d-%d", w, i), "en", "Moving part", "Text.")); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		}()
		go func() {
			defer wg.Done()
			for range 20 {
				if ids := find(t, x, knowledge.Query{Text: "fixed point"}); len(ids) != 1 {
					t.Errorf("found %v while others wrote", ids)
				}
			}
		}()
	}
	wg.Wait()
	count(t, x, 41)
}

func cancelledContext(t *testing.T, x knowledge.Index) {
	put(t, x, doc("a", "en", "Anything", ""))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Search(ctx, knowledge.Query{Text: "anything"}); err == nil {
		t.Error("a search with a cancelled context succeeded")
	}
}

func closed(t *testing.T, x knowledge.Index) {
	put(t, x, doc("a", "en", "Anything", ""))
	for range 2 {
		if err := x.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	_, searchErr := x.Search(t.Context(), knowledge.Query{Text: "anything"})
	_, countErr := x.Count(t.Context())
	for name, err := range map[string]error{
		"put": x.Put(t.Context(), doc("b", "en", "B", "")), "delete": x.Delete(t.Context(), "a"), "search": searchErr,
		"count": countErr, "synonyms": x.SetSynonyms(t.Context(), nil),
	} {
		if errs.KindOf(err) != errs.Unavailable {
			t.Errorf("%s after close: %v, want kind unavailable", name, err)
		}
	}
}

func emptyIndex(t *testing.T, x knowledge.Index) {
	count(t, x, 0)
	if ids := find(t, x, knowledge.Query{Text: "anything", Lang: "en"}); len(ids) != 0 {
		t.Errorf("an empty index found %v", ids)
	}
}

func sameIDTwice(t *testing.T, x knowledge.Index) {
	put(t, x, doc("a", "en", "Earlier", ""), doc("a", "en", "Later", ""))
	count(t, x, 1)
	first(t, x, "later", "a")
	if ids := find(t, x, knowledge.Query{Text: "earlier"}); len(ids) != 0 {
		t.Errorf("the earlier of two documents with one id is found: %v", ids)
	}
}
