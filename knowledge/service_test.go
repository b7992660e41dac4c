package knowledge_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/knowledge"
	"hotline/knowledge/indextest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// desk is a knowledge base on a database of its own.
type desk struct {
	*knowledge.Service
	pool    *pgxpool.Pool
	city    testkit.TinyCity
	clock   *clock.Fake
	changed []string
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{pool: testkit.DB(t), clock: clock.NewFake(time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC))}
	d.city = testkit.City(t, d.pool)
	d.Service = d.node(t)
	d.Service.Changed = func(id string) { d.changed = append(d.changed, id) }
	return d
}

// node is another process on the same database.
func (d *desk) node(t testing.TB) *knowledge.Service {
	t.Helper()
	return knowledge.New(knowledge.Deps{Pool: d.pool, Clock: d.clock, Log: slog.New(slog.DiscardHandler), Location: time.FixedZone("CST", 8*3600)})
}

func (d *desk) staff(user string, roles ...string) knowledge.Staff {
	return knowledge.Staff{Actor: d.city.Staff(user), Roles: roles}
}

func (d *desk) editor() knowledge.Staff   { return d.staff("editor", "editor") }
func (d *desk) reviewer() knowledge.Staff { return d.staff("reviewer", "reviewer") }

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var passport = knowledge.Text{Title: "Renewing a passport", Summary: "Bring two photos to the city office; it takes ten days.",
	Body: "## Steps\n\nBring the old passport and **two photos**.", Keywords: []string{"travel document"}, Questions: []string{"my passport expired"}}

func (d *desk) publish(t testing.TB, head knowledge.Article, text knowledge.Text) knowledge.Entry {
	t.Helper()
	if head.Lang == "" {
		head.Lang = "en"
	}
	ok := must[knowledge.Entry](t)
	e := ok(d.Create(t.Context(), d.editor(), head, text))
	e = ok(d.Submit(t.Context(), d.editor(), e.Version.Ref()))
	return ok(d.Publish(t.Context(), d.reviewer(), e.Version.Ref()))
}

func (d *desk) found(t testing.TB, text string) []string {
	t.Helper()
	rs := must[[]knowledge.Result](t)(d.Search(t.Context(), knowledge.Query{Text: text, Lang: "en"}))
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = fmt.Sprintf("%s v%d", r.Title, r.Version)
	}
	return out
}

func TestArticleIsServedFromPublicationToWithdrawal(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	e := ok(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en", Key: "passport"}, passport))
	if got := d.found(t, "renew passport"); len(got) != 0 {
		t.Errorf("a draft is served: %v", got)
	}
	e = ok(d.Submit(ctx, d.editor(), e.Version.Ref()))
	if got := d.found(t, "renew passport"); len(got) != 0 {
		t.Errorf("a text in review is served: %v", got)
	}
	e = ok(d.Publish(ctx, d.reviewer(), e.Version.Ref()))
	if got := d.found(t, "renew passport"); !slices.Equal(got, []string{"Renewing a passport v1"}) {
		t.Errorf("published, found %v", got)
	}
	if !slices.Equal(d.changed, []string{e.Article.ID.String()}) {
		t.Errorf("other nodes were told of %v", d.changed)
	}

	next := passport
	next.Title = "Renewing a passport in five days"
	e = ok(d.Save(ctx, d.editor(), e.Version.Ref(), next))
	if e.Version.Number != 2 || e.Version.State != knowledge.Drafted {
		t.Errorf("saving a published text gave %+v", e.Version)
	}
	if got := d.found(t, "renew passport"); !slices.Equal(got, []string{"Renewing a passport v1"}) {
		t.Errorf("a new draft changed what is served: %v", got)
	}
	e = ok(d.Submit(ctx, d.editor(), e.Version.Ref()))
	e = ok(d.Publish(ctx, d.reviewer(), e.Version.Ref()))
	if got := d.found(t, "renew passport"); !slices.Equal(got, []string{"Renewing a passport in five days v2"}) {
		t.Errorf("version 2 published, found %v", got)
	}
	old := must[knowledge.Version](t)(d.Version(ctx, e.Article.ID, 1))
	if old.State != knowledge.Superseded || old.Title != passport.Title {
		t.Errorf("the version that was cited before is %+v", old)
	}

	e = ok(d.Withdraw(ctx, d.reviewer(), e.Version.Ref(), "the rule changed"))
	if got := d.found(t, "renew passport"); len(got) != 0 {
		t.Errorf("a withdrawn article is served: %v", got)
	}
	if _, err := d.BySlug(ctx, e.Article.Slug, true); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("reading a withdrawn article: %v", err)
	}
	e = ok(d.Save(ctx, d.editor(), e.Version.Ref(), passport))
	if e.Version.Number != 3 {
		t.Errorf("editing after withdrawal gave version %d", e.Version.Number)
	}
}

func TestReviewNeedsAnotherPersonWithTheRole(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	both := d.staff("editor", "editor", "reviewer")
	ok := must[knowledge.Entry](t)
	e := ok(d.Create(ctx, both, knowledge.Article{Lang: "en", Owner: d.city.Agencies["dept-environment"]}, passport))
	e = ok(d.Submit(ctx, both, e.Version.Ref()))
	for name, c := range map[string]struct {
		by   knowledge.Staff
		want error
	}{
		"author":                   {both, knowledge.ErrOwnReview},
		"no role":                  {d.staff("operator", "operator"), knowledge.ErrNotReviewer},
		"reviewer of other agency": {d.staff("handler-util", "reviewer"), knowledge.ErrNotReviewer},
	} {
		if _, err := d.Publish(ctx, c.by, e.Version.Ref()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, err := d.Refuse(ctx, c.by, e.Version.Ref(), "no"); !errors.Is(err, c.want) {
			t.Errorf("%s refusing: %v, want %v", name, err, c.want)
		}
	}
	if _, err := d.Create(ctx, d.staff("operator", "operator"), knowledge.Article{Lang: "en"}, passport); !errors.Is(err, knowledge.ErrNotEditor) {
		t.Errorf("an operator created an article: %v", err)
	}
	e = ok(d.Refuse(ctx, d.reviewer(), e.Version.Ref(), "Name the fee."))
	if e.Version.State != knowledge.Drafted || e.Version.ReviewNote != "Name the fee." {
		t.Errorf("refused: %+v", e.Version)
	}
	e = ok(d.Submit(ctx, both, e.Version.Ref()))
	e = ok(d.Publish(ctx, d.staff("handler-env", "reviewer"), e.Version.Ref()))
	if e.Version.State != knowledge.Published {
		t.Errorf("the owner's reviewer got %s", e.Version.State)
	}
}

func TestConcurrentEditsConflict(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	e := ok(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport))
	seen := e.Version.Ref()
	first := passport
	first.Summary = "First"
	e = ok(d.Save(ctx, d.editor(), seen, first))
	_, err := d.Save(ctx, d.editor(), seen, passport)
	if !errors.Is(err, knowledge.ErrStale) {
		t.Fatalf("the second of two edits: %v", err)
	}
	if _, err := d.Submit(ctx, d.editor(), seen); !errors.Is(err, knowledge.ErrStale) {
		t.Errorf("submitting a text that changed: %v", err)
	}
	e = ok(d.Submit(ctx, d.editor(), e.Version.Ref()))
	if _, err := d.Save(ctx, d.editor(), e.Version.Ref(), passport); !errors.Is(err, knowledge.ErrState) {
		t.Errorf("editing in review: %v", err)
	}
	if _, err := d.Submit(ctx, d.editor(), e.Version.Ref()); !errors.Is(err, knowledge.ErrState) {
		t.Errorf("submitting twice: %v", err)
	}
	e = ok(d.Recall(ctx, d.editor(), e.Version.Ref()))
	if e.Version.State != knowledge.Drafted {
		t.Errorf("recalled: %s", e.Version.State)
	}
	if _, err := d.Withdraw(ctx, d.reviewer(), e.Version.Ref(), "why"); !errors.Is(err, knowledge.ErrState) {
		t.Errorf("withdrawing what was never published: %v", err)
	}
	if _, err := d.Save(ctx, d.editor(), knowledge.Ref{Article: uuid.New(), Version: 1, Edit: 1}, passport); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("saving an unknown article: %v", err)
	}
}

func TestValidityAudienceAndDispute(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	day := func(s string) *time.Time { v := must[time.Time](t)(time.Parse(time.DateOnly, s)); return &v }
	future, past := passport, passport
	future.Title, future.ValidFrom = "Passport fees from April", day("2026-04-01")
	past.Title, past.ValidTo = "Passport photo week", day("2026-03-10")
	d.publish(t, knowledge.Article{}, future)
	e := d.publish(t, knowledge.Article{}, past)
	staffOnly := passport
	staffOnly.Title = "Passport desk manual"
	d.publish(t, knowledge.Article{Audience: knowledge.AudienceStaff}, staffOnly)

	if got := d.found(t, "passport"); !slices.Equal(got, []string{"Passport photo week v1"}) {
		t.Errorf("on the last valid day found %v", got)
	}
	rs := must[[]knowledge.Result](t)(d.Search(ctx, knowledge.Query{Text: "passport desk", Lang: "en", Audience: knowledge.AudienceStaff}))
	if len(rs) != 2 || rs[0].Title != "Passport desk manual" {
		t.Errorf("staff found %+v", rs)
	}
	if n := d.sweep(t).Expired; n != 0 {
		t.Errorf("%d articles expired on their last valid day", n)
	}
	d.clock.Set(time.Date(2026, 3, 10, 16, 0, 0, 0, time.UTC)) // midnight in the city
	if got := d.found(t, "passport"); len(got) != 0 {
		t.Errorf("the day after found %v", got)
	}
	if n := d.sweep(t).Expired; n != 1 {
		t.Errorf("%d articles expired", n)
	}
	if v := must[knowledge.Version](t)(d.Version(ctx, e.Article.ID, 1)); v.State != knowledge.Expired {
		t.Errorf("state %s after the last valid day", v.State)
	}
	d.clock.Set(time.Date(2026, 3, 31, 16, 0, 0, 0, time.UTC))
	d.sweep(t)
	if got := d.found(t, "passport"); !slices.Equal(got, []string{"Passport fees from April v1"}) {
		t.Errorf("on the first valid day found %v", got)
	}
}

func TestDisputedArticleIsNotServed(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	e := d.publish(t, knowledge.Article{}, passport)
	handler := d.staff("handler-util", "handler")
	c := must[knowledge.Correction](t)(d.Dispute(ctx, handler, e.Article.ID, "It takes fifteen days now."))
	if got := d.found(t, "passport"); len(got) != 0 {
		t.Errorf("a disputed article is served: %v", got)
	}
	if err := d.DecideCorrection(ctx, handler, c.ID, false); !errors.Is(err, knowledge.ErrNotReviewer) {
		t.Errorf("a handler decided: %v", err)
	}
	if err := d.DecideCorrection(ctx, d.reviewer(), c.ID, false); err != nil {
		t.Fatal(err)
	}
	if err := d.DecideCorrection(ctx, d.reviewer(), c.ID, true); !errors.Is(err, knowledge.ErrState) {
		t.Errorf("deciding twice: %v", err)
	}
	if got := d.found(t, "passport"); len(got) != 1 {
		t.Errorf("after the correction was rejected found %v", got)
	}
	c = must[knowledge.Correction](t)(d.Dispute(ctx, handler, e.Article.ID, "Really, fifteen."))
	if err := d.DecideCorrection(ctx, d.reviewer(), c.ID, true); err != nil {
		t.Fatal(err)
	}
	if got := d.found(t, "passport"); len(got) != 0 {
		t.Errorf("an article whose correction was accepted is served unchanged: %v", got)
	}
	ok := must[knowledge.Entry](t)
	next := passport
	next.Summary = "It takes fifteen days."
	e = ok(d.Save(ctx, d.editor(), e.Version.Ref(), next))
	e = ok(d.Submit(ctx, d.editor(), e.Version.Ref()))
	e = ok(d.Publish(ctx, d.reviewer(), e.Version.Ref()))
	if got := d.found(t, "passport"); !slices.Equal(got, []string{"Renewing a passport v2"}) || e.Article.Disputed {
		t.Errorf("the corrected version: %v", got)
	}
}

// What a shared index has not heard of is not served all the same.
func TestStaleIndexServesNothingWithdrawn(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	e := d.publish(t, knowledge.Article{}, passport)
	d.Index = indextest.NewMemory()
	if err := d.Index.Put(ctx, knowledge.Doc{ID: e.Article.ID.String(), Version: 1, Lang: "en", Title: passport.Title}); err != nil {
		t.Fatal(err)
	}
	must[knowledge.Entry](t)(d.Withdraw(ctx, d.reviewer(), e.Version.Ref(), "wrong"))
	hits, err := d.Index.Search(ctx, knowledge.Query{Text: "passport"})
	if err != nil || len(hits) != 1 {
		t.Fatalf("the stale index proposes %v, %v; the test needs a hit", hits, err)
	}
	if got := d.found(t, "passport"); len(got) != 0 {
		t.Errorf("served %v", got)
	}
	if a := must[knowledge.Answer](t)(d.Answer(ctx, "renew passport", "en")); a.Outcome != knowledge.None {
		t.Errorf("answered %+v", a)
	}
}

func TestOtherNodeFollows(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	other := d.node(t)
	e := d.publish(t, knowledge.Article{}, passport)
	count := func() int {
		return len(must[[]knowledge.Result](t)(other.Search(ctx, knowledge.Query{Text: "passport", Lang: "en"})))
	}
	if err := other.Reindex(ctx, e.Article.ID.String()); err != nil || count() != 1 {
		t.Errorf("after the hint the other node finds %d, %v", count(), err)
	}
	must[knowledge.Entry](t)(d.Withdraw(ctx, d.reviewer(), e.Version.Ref(), "wrong"))
	if count() != 0 {
		t.Error("the other node serves it before it heard of the withdrawal")
	}
	if err := other.Reindex(ctx, e.Article.ID.String()); err != nil {
		t.Error(err)
	}
	fresh := d.node(t)
	for i := range 3 {
		text := passport
		text.Title = fmt.Sprint("Passport office number ", i)
		d.publish(t, knowledge.Article{}, text)
	}
	if err := fresh.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if n := fresh.Engine().Articles; n != 3 {
		t.Errorf("a node that starts holds %d articles", n)
	}
	if err := fresh.Reindex(ctx, "not-an-id"); err == nil {
		t.Error("a hint that is no id was accepted")
	}
}

func TestAnswerCitesArticleAndVersion(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	e := d.publish(t, knowledge.Article{Slug: "renew-passport"}, passport)
	d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Dog licence", Summary: "Every dog needs one.", Body: "Bring the vaccination card."})
	d.publish(t, knowledge.Article{Lang: "zh-CN"}, knowledge.Text{Title: "护照换发", Summary: "带两张照片到市民中心。", Body: "护照到期前六个月可以换发。", Questions: []string{"护照过期了怎么办"}})
	for _, text := range []string{"Birth certificate copies", "Parking permits for residents", "School lunch fees"} {
		d.publish(t, knowledge.Article{}, knowledge.Text{Title: text, Body: "See the office."})
	}
	answer := must[knowledge.Answer](t)
	a := answer(d.Answer(ctx, "How do I renew my passport?", "en"))
	if a.Outcome != knowledge.Answered || a.Text != passport.Summary || len(a.Citations) != 1 {
		t.Fatalf("answer %+v", a)
	}
	c := a.Citations[0]
	if c.Article != e.Article.ID.String() || c.Version != 1 || c.URL != "/a/renew-passport" || c.Title != passport.Title || c.Snippet == "" {
		t.Errorf("citation %+v", c)
	}
	for _, lang := range []string{"zh-CN", "en"} { // the writing decides, not the page
		if a := answer(d.Answer(ctx, "护照过期了", lang)); a.Outcome != knowledge.Answered || a.Lang != "zh-CN" {
			t.Errorf("Chinese question on a page in %s: %+v", lang, a)
		}
	}
	if a := answer(d.Answer(ctx, "how can I renew the passport", "zh-CN")); a.Outcome != knowledge.Answered || a.Lang != "en" {
		t.Errorf("English question on a Chinese page: %+v", a)
	}
	if a := answer(d.Answer(ctx, "how do I renew my pasport", "en")); a.Outcome != knowledge.Answered {
		t.Errorf("with a typing error: %+v", a)
	}
	for _, text := range []string{"", "hello", "asdfgh", "who won the cup", strings.Repeat("passport ", 3000), "\xff\xfe"} {
		if a := answer(d.Answer(ctx, text, "en")); len(text) < 100 && (a.Outcome != knowledge.None || len(a.Citations) != 0) {
			t.Errorf("%q: %+v", text, a)
		}
	}
}

func TestFeedbackIsCounted(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	e := d.publish(t, knowledge.Article{}, passport)
	for _, helpful := range []bool{true, true, false} {
		if err := d.Feedback(ctx, e.Article.ID, 1, helpful, "fine\x00", "portal"); err != nil {
			t.Fatal(err)
		}
	}
	if a := must[knowledge.Article](t)(d.Article(ctx, e.Article.ID)); a.Helpful != 2 || a.Unhelpful != 1 {
		t.Errorf("counted %d and %d", a.Helpful, a.Unhelpful)
	}
	if err := d.Feedback(ctx, e.Article.ID, 9, true, "", "portal"); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("feedback on a version that never was: %v", err)
	}
}

func TestInputIsChecked(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	with := func(change func(*knowledge.Article, *knowledge.Text)) error {
		a, x := knowledge.Article{Lang: "en"}, passport
		change(&a, &x)
		_, err := d.Create(ctx, d.editor(), a, x)
		return err
	}
	type at = func(*knowledge.Article, *knowledge.Text)
	early, late := d.clock.Now(), d.clock.Now().AddDate(0, 0, 1)
	for name, c := range map[string]struct {
		change at
		want   error
	}{
		"no title":    {func(_ *knowledge.Article, x *knowledge.Text) { x.Title = " \x00 " }, knowledge.ErrTextMissing},
		"no text":     {func(_ *knowledge.Article, x *knowledge.Text) { x.Summary, x.Body = "", "" }, knowledge.ErrTextMissing},
		"long title":  {func(_ *knowledge.Article, x *knowledge.Text) { x.Title = strings.Repeat("长", 301) }, knowledge.ErrTextTooLong},
		"keywords":    {func(_ *knowledge.Article, x *knowledge.Text) { x.Keywords = slices.Repeat([]string{"k"}, 51) }, knowledge.ErrTextTooLong},
		"dates":       {func(_ *knowledge.Article, x *knowledge.Text) { x.ValidFrom, x.ValidTo = &late, &early }, knowledge.ErrValidity},
		"lang":        {func(a *knowledge.Article, _ *knowledge.Text) { a.Lang = "../x" }, knowledge.ErrLang},
		"audience":    {func(a *knowledge.Article, _ *knowledge.Text) { a.Audience = "all" }, knowledge.ErrAudience},
		"slug":        {func(a *knowledge.Article, _ *knowledge.Text) { a.Slug = "../etc" }, knowledge.ErrSlug},
		"owner":       {func(a *knowledge.Article, _ *knowledge.Text) { a.Owner = db.NewID() }, knowledge.ErrUnknownOwner},
		"broken text": {func(_ *knowledge.Article, x *knowledge.Text) { x.Body = "\xff\x00 body \u202e" }, nil},
		"slug once":   {func(a *knowledge.Article, _ *knowledge.Text) { a.Slug = "taken" }, nil},
	} {
		if err := with(c.change); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := with(func(a *knowledge.Article, _ *knowledge.Text) { a.Slug = "taken" }); !errors.Is(err, knowledge.ErrSlugTaken) {
		t.Errorf("slug twice: %v", err)
	}
}
