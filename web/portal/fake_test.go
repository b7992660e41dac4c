package portal

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/google/uuid"

	"hotline/internal/clock"
	"hotline/internal/errs"
	"hotline/internal/i18n"
	"hotline/internal/testkit"
)

const hostile = `<script>document.title="pwned"</script><img src=x onerror=alert(1)> "'&`

var (
	errNoArticle = errs.New(errs.NotFound, "test.no_article", "no article")
	errNoCode    = errs.New(errs.NotFound, "test.no_code", "no code")
	errBadCode   = errs.New(errs.Invalid, "test.bad_code", "bad code")
)

// fakeKnowledge holds two articles in both languages.
type fakeKnowledge struct {
	mu       sync.Mutex
	feedback []string
}

func (k *fakeKnowledge) Search(_ context.Context, lang, q string, limit int) ([]Hit, error) {
	if strings.Contains(q, "nothing") {
		return nil, nil
	}
	hits := []Hit{{Slug: "rent-subsidy", Title: "Monthly rent subsidy for a private flat", Version: 2, Snippet: []Segment{{"If you rent on the open market, the city pays a ", false}, {"rent subsidy", true}, {" each quarter.", false}}},
		{Slug: "hostile", Title: hostile, Version: 1, Snippet: []Segment{{hostile, true}}}}
	if lang == "zh-CN" {
		hits[0] = Hit{Slug: "zufang", Title: "市场租房补贴怎么申请", Version: 2, Snippet: []Segment{{"收入较低且在市场租房的家庭可按月领取", false}, {"租房补贴", true}, {"，每季度发放。", false}}}
	}
	return hits[:min(limit, len(hits))], nil
}

func (k *fakeKnowledge) File(context.Context, string, uuid.UUID) (Upload, io.ReadSeekCloser, error) {
	return Upload{}, nil, errNoArticle
}

func (k *fakeKnowledge) Topics(context.Context, string) ([]Topic, error) {
	return []Topic{{Code: "housing", Name: "Housing", Articles: 1, Below: []Topic{{Code: "rent", Name: "Rent & deposits", Articles: 1}}}, {Code: "h", Name: hostile, Articles: 1}}, nil
}

func (k *fakeKnowledge) Topic(_ context.Context, _, code string, after uuid.UUID, _ int) (Topic, []Hit, uuid.UUID, error) {
	if code != "housing" {
		return Topic{}, nil, uuid.Nil, errNoArticle
	}
	if after == uuid.Nil {
		return Topic{Code: code, Name: "Housing"}, []Hit{{Slug: "rent-subsidy", Title: "Monthly rent subsidy for a private flat"}}, uuid.MustParse("00000000-0000-0000-0000-000000000001"), nil
	}
	return Topic{Code: code, Name: "Housing"}, []Hit{{Slug: "hostile", Title: hostile}}, uuid.Nil, nil
}

func (k *fakeKnowledge) Suggest(ctx context.Context, lang, typed string, limit int) ([]Suggestion, error) {
	if strings.HasSuffix(typed, " ") { // the last word is finished, and no title has it so
		return nil, nil
	}
	hits, err := k.Search(ctx, lang, typed, limit)
	out := []Suggestion{}
	for _, h := range hits {
		out = append(out, Suggestion{Title: h.Title, URL: "/a/" + h.Slug})
	}
	return out, err
}

func (k *fakeKnowledge) Article(_ context.Context, slug string) (Article, error) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	switch slug {
	case "rent-subsidy":
		return Article{ID: uuid.MustParse("00000000-0000-7000-8000-000000000001"), Slug: slug, Lang: "en", Title: "Monthly rent subsidy for a private flat", Version: 2,
			Summary: "If you rent on the open market and have little income, the city pays 12 to 22 yuan per square metre each month.",
			Body:    "Yes, if your income is low.\n\n## Conditions\n\n- You meet the limits.\n- You have a signed contract.\n\n## How much\n\n| Income per head | Per square metre |\n| --- | --- |\n| up to 2,400 yuan | 17 yuan |\n\n## Steps\n\n1. Register the contract.\n2. Apply in the app.\n\n" + hostile + "\n\n[bad](javascript:alert(1)) [good](/a/other)",
			Owner:   "Housing Department", OwnerPhone: "555-2304", ValidFrom: &from, Published: from, Others: []Translation{{"zh-CN", "zufang"}}, Form: rentForm}, nil
	case "zufang":
		return Article{ID: uuid.MustParse("00000000-0000-7000-8000-000000000002"), Slug: slug, Lang: "zh-CN", Title: "市场租房补贴怎么申请", Version: 2, Summary: "收入较低且在市场租房的家庭，可按面积每月领取 12 至 22 元/平方米的补贴。",
			Body: "可以，只要收入符合条件。\n\n## 条件\n\n- 符合收入标准。\n- 合同已备案。\n\n## 步骤\n\n1. 备案合同。\n2. 提交申请。", Owner: "住房保障局", OwnerPhone: "555-2304", ValidFrom: &from, Published: from, Others: []Translation{{"en", "rent-subsidy"}}, Form: rentFormChinese}, nil
	}
	return Article{}, errNoArticle
}

func (k *fakeKnowledge) Feedback(_ context.Context, _ uuid.UUID, _ int, helpful bool, comment string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	word := "no "
	if helpful {
		word = "yes "
	}
	k.feedback = append(k.feedback, word+comment)
	return nil
}

type fakeCity struct{}

func (fakeCity) Jurisdiction() Jurisdiction {
	name := func(en, zh string) func(string) string {
		return func(lang string) string {
			if lang == "zh-CN" {
				return zh
			}
			return en
		}
	}
	return Jurisdiction{Name: name("Lanting", "兰汀市"), Phone: "555-12345", Hours: name("Staff answer every day 8:00–20:00.", "人工服务每天8:00–20:00。"), Zone: time.FixedZone("Lanting", 8*3600),
		Emergency: []Emergency{{"110", name("Police", "报警电话")}, {"119", name("Fire and rescue", "火警与救援")}, {"120", name("Ambulance", "医疗急救")}}}
}

func (fakeCity) Guess(text string) []Guess {
	if strings.Contains(text, "noise") || strings.Contains(text, "噪音") {
		return []Guess{{"environment.noise", .8}, {"environment.waste", .1}, {"city.light", .01}}
	}
	return []Guess{{"environment.noise", .02}}
}

// Details: noise wants to know something, waste wants one thing, whatever else is asked nothing.
func (fakeCity) Details(category, lang string) []Detail {
	text := func(s string) (string, error) { return s, nil }
	number := func(s string) (string, error) {
		if _, err := strconv.ParseFloat(s, 64); s != "" && err != nil {
			return "", errs.New(errs.Invalid, "test.number", "no number")
		}
		return s, nil
	}
	chosen := func(of ...string) func(string) (string, error) {
		return func(s string) (string, error) {
			if s != "" && !slices.Contains(of, s) {
				return "", errs.New(errs.Invalid, "test.choice", "no such choice")
			}
			return s, nil
		}
	}
	label := func(en, zh string) string {
		if lang == "zh-CN" {
			return zh
		}
		return en
	}
	switch category {
	case "environment.noise":
		return []Detail{
			{Code: "source", Label: label("Where does the noise come from?", "噪声来自哪里？"), Type: DetailChoice, Needed: true, Judge: chosen("site", "bar", "home"),
				Choices: []DetailOption{{"site", label("A building site", "建筑工地")}, {"bar", label("A bar or restaurant", "酒吧或餐馆")}, {"home", label("A neighbour", "邻居")}}},
			{Code: "nights", Label: label("How many nights a week?", "每周几晚？"), Type: DetailNumber, Judge: number},
			{Code: "since", Label: label("Since when?", "从哪天开始？"), Type: DetailDate, Judge: text},
			{Code: "firm", Label: label("Name of the firm", "单位名称"), Type: DetailText, Judge: text},
			{Code: "again", Label: label("Have you reported it before?", "以前投诉过吗？"), Type: DetailYesNo, Judge: chosen("yes", "no")},
		}
	case "environment.waste":
		return []Detail{{Code: "bin", Label: "Number of the bin", Type: DetailText, Needed: true, Judge: text}}
	}
	return nil
}

func (fakeCity) CategoryName(code, lang string) string {
	names := map[string][2]string{"environment.noise": {"Noise", "噪音扰民"}, "environment.waste": {"Waste", "垃圾"}}
	if lang == "zh-CN" {
		return names[code][1]
	}
	return names[code][0]
}

// fakeCases keeps one ticket, idempotent by key.
type fakeCases struct {
	mu      sync.Mutex
	filings []Filing
	byKey   map[string]Filed
	uploads map[uuid.UUID][]byte
	replies []Reply
	moves   []string
	rating  int
	state   string
	asked   bool
	secret  bool
	tells   []string
	stopped int
}

const goodCode = "12345678901234567890"

var caseID = uuid.MustParse("00000000-0000-7000-8000-0000000000aa")

func (c *fakeCases) File(_ context.Context, f Filing) (Filed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if filed, ok := c.byKey[f.Key]; ok {
		return filed, nil
	}
	c.filings = append(c.filings, f)
	filed := Filed{Number: "2026-000123", Code: goodCode, Followed: f.Follow != uuid.Nil}
	if told := c.Reachable(f.Phone, f.Email); len(told) > 0 && !f.Quiet && !f.Confidential {
		filed.Told = told[0]
	}
	c.byKey[f.Key] = filed
	return filed, nil
}

// Nearby knows a burst main and a neighbour's complaint where the text names water.
func (c *fakeCases) Nearby(_ context.Context, f Filing) ([]Nearby, error) {
	if !strings.Contains(f.Text, "water") && !strings.Contains(f.Text, "停水") {
		return nil, nil
	}
	return []Nearby{{ID: caseID, Title: "Burst water main, Willow Road", Category: "environment.waste", Area: "East One", Metres: -1, Opened: time.Now().Add(-time.Hour), Reporters: 120},
		{ID: otherCase, Category: "environment.noise", Metres: 100, Opened: time.Now().Add(-50 * time.Hour), Reporters: 1}}, nil
}

var otherCase = uuid.MustParse("00000000-0000-7000-8000-0000000000ab")

func (c *fakeCases) Upload(_ context.Context, _, name string, body io.Reader) (Upload, error) {
	content, err := io.ReadAll(body)
	if err != nil {
		return Upload{}, err
	}
	if bytes.HasPrefix(content, []byte("MZ")) {
		return Upload{}, errs.New(errs.Invalid, "http.malformed", "an executable")
	}
	id := uuid.New()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uploads[id] = content
	return Upload{ID: id, Name: name, Type: "image/jpeg", Size: int64(len(content))}, nil
}

func (c *fakeCases) UploadTo(ctx context.Context, _ uuid.UUID, name string, body io.Reader) (Upload, error) {
	return c.Upload(ctx, "", name, body)
}

func (c *fakeCases) ByCode(_ context.Context, code string) (uuid.UUID, error) {
	code = strings.ReplaceAll(code, " ", "")
	if len(code) != 20 {
		return uuid.Nil, errBadCode
	}
	if code != goodCode {
		return uuid.Nil, errNoCode
	}
	return caseID, nil
}

func (c *fakeCases) Case(_ context.Context, id uuid.UUID, lang string) (Case, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id != caseID {
		return Case{}, errNoCode
	}
	at := time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC)
	due := at.Add(7 * 24 * time.Hour)
	out := Case{ID: id, Number: "2026-000123", Title: "Construction noise at night", Kind: "complaint", State: c.state, Category: "Noise", Agency: "Environment Department",
		Description: "Drilling after midnight since Monday.\n" + hostile, Place: "12 Willow Road", Details: []Said{{"Since when", "1 March"}, {"How often", ""}}, Opened: at, Updated: at.Add(time.Hour), Due: &due,
		CanReply: true, CanWithdraw: true, CanRate: c.state == "completed" && c.rating == 0, CanReopen: c.state == "completed", Asked: c.asked, Rating: c.rating,
		Items: []Item{{At: at, Author: "citizen", Event: "opened", Text: "Drilling after midnight since Monday.\n" + hostile},
			{At: at.Add(5 * time.Minute), Author: "system", Event: "dispatch", State: "dispatched"},
			{At: at.Add(time.Hour), Author: "staff", Name: "Environment Department", Event: "sign", State: "in_progress"},
			{At: at.Add(26 * time.Hour), Author: "staff", Name: "Environment Department", Event: "reply", Text: "We measured on site at 00:40. The builder has no night permit and was fined. Work now stops at 22:00."}}}
	if lang == "zh-CN" {
		out.Title, out.Agency = "夜间施工噪音", "生态环境局"
	}
	return out, nil
}

func (c *fakeCases) Reply(_ context.Context, _ uuid.UUID, r Reply) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, old := range c.replies {
		if old.Key == r.Key {
			return nil
		}
	}
	c.replies = append(c.replies, r)
	return nil
}

func (c *fakeCases) Move(_ context.Context, _ uuid.UUID, action, text, _ string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moves = append(c.moves, action+" "+text)
	return nil
}

func (c *fakeCases) Rate(_ context.Context, _ uuid.UUID, grade int, _ *bool, _ string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rating != 0 {
		return errs.New(errs.Conflict, "tickets.already_rated", "rated")
	}
	c.rating = grade
	return nil
}

const goodLink = "a-link-that-was-not-used"

func (c *fakeCases) ByRatingLink(_ context.Context, token string) (RatingLink, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if token != goodLink || c.rating != 0 {
		return RatingLink{}, errs.New(errs.NotFound, "tickets.link_used", "used")
	}
	if c.secret {
		return RatingLink{Asked: c.asked}, nil
	}
	return RatingLink{Number: "2026-000123", Title: hostile, Asked: c.asked}, nil
}

func (c *fakeCases) Tells() []string { return c.tells }

func (c *fakeCases) Reachable(phone, email string) (out []string) {
	for _, channel := range c.tells {
		if channel == "email" && email != "" || channel == "sms" && phone != "" {
			out = append(out, channel)
		}
	}
	return out
}

func (c *fakeCases) StopLink(_ context.Context, token string) (string, error) {
	if token != goodLink {
		return "", errs.New(errs.NotFound, "tickets.bad_stop", "bad")
	}
	return "email", nil
}

func (c *fakeCases) StopByLink(ctx context.Context, token string) error {
	if _, err := c.StopLink(ctx, token); err != nil {
		return err
	}
	return c.Quiet(ctx, caseID)
}

func (c *fakeCases) Quiet(context.Context, uuid.UUID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped++
	return nil
}

func (c *fakeCases) RateByLink(ctx context.Context, token string, grade int, resolved *bool, text string) error {
	if _, err := c.ByRatingLink(ctx, token); err != nil {
		return err
	}
	return c.Rate(ctx, caseID, grade, resolved, text)
}

type noClose struct{ *bytes.Reader }

func (noClose) Close() error { return nil }

func (c *fakeCases) Open(_ context.Context, _, id uuid.UUID) (Upload, io.ReadSeekCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	content, ok := c.uploads[id]
	if !ok {
		return Upload{}, nil, errNoCode
	}
	return Upload{ID: id, Name: "a\r\nb.jpg", Type: "text/html", Size: int64(len(content))}, noClose{bytes.NewReader(content)}, nil
}

// site is a running portal and one browser's worth of cookies.
type site struct {
	asked     *listening
	t         *testing.T
	srv       *httptest.Server
	client    *http.Client
	knowledge *fakeKnowledge
	cases     *fakeCases
	clock     *clock.Fake
	log       *testkit.Log
	lang      string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, asked: &listening{}, knowledge: &fakeKnowledge{}, clock: clock.NewFake(time.Now()), lang: "en",
		cases: &fakeCases{byKey: map[string]Filed{}, uploads: map[uuid.UUID][]byte{}, state: "in_progress"}}
	log, buffer := testkit.NewLog()
	s.log = buffer
	h, err := New(Deps{Words: i18n.MustLoad(), Log: log, Clock: s.clock, Key: bytes.Repeat([]byte("k"), 32), Knowledge: s.knowledge, Asked: s.asked, Cases: s.cases, City: fakeCity{}, Numbers: fakeNumbers{},
		Drafts: memstore.NewWithCleanupInterval(0), Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	s.srv = httptest.NewServer(h)
	t.Cleanup(s.srv.Close)
	s.fresh()
	return s
}

// fresh is another person's browser.
func (s *site) fresh() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.client = &http.Client{Jar: jar}
}

type answer struct {
	status int
	body   string
	path   string
	header http.Header
}

func (s *site) do(r *http.Request) answer {
	s.t.Helper()
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", s.lang)
	res, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res.StatusCode, string(body), res.Request.URL.RequestURI(), res.Header}
}

func (s *site) get(path string) answer {
	s.t.Helper()
	r, err := http.NewRequest("GET", s.srv.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(r)
}

func (s *site) post(path string, pairs ...string) answer {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest("POST", s.srv.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.do(r)
}

func (a answer) sees(t *testing.T, words ...string) answer {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			t.Errorf("%s (%d) does not show %q\n%s", a.path, a.status, w, text(a.body))
		}
	}
	return a
}

func (a answer) at(t *testing.T, path string) answer {
	t.Helper()
	if a.path != path {
		t.Fatalf("at %s (%d), want %s\n%s", a.path, a.status, path, text(a.body))
	}
	return a
}

var tags = regexp.MustCompile(`(?s)<head>.*</head>|<[^>]*>|\n\s*\n`)

func text(html string) string {
	s := tags.ReplaceAllString(html, " ")
	return s[:min(len(s), 1500)]
}

// jpegWith is a small JPEG with words behind its end.
func jpegWith(words string) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 20, 10))
	for x := range 20 {
		m.Set(x, 5, color.RGBA{uint8(x * 12), 80, 160, 255})
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		panic(err)
	}
	return append(out.Bytes(), words...)
}
