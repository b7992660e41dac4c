package knowledge_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hotline/internal/testkit"
	"hotline/knowledge"
)

// A text that ends at the moment at which the next one is approved: one follows the other, and nobody is told that the database gave up.
func TestATextEndsWhileTheNextIsApproved(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	e := ok(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport))
	e = d.approve(t, e, knowledge.When{Until: at(t, "2026-03-20T18:00:00+08:00")})
	next := passport
	next.Title = "Renewing a passport in five days"
	e = ok(d.Submit(ctx, d.editor(), ok(d.Save(ctx, d.editor(), e.Version.Ref(), next)).Version.Ref()))
	d.clock.Set(at(t, "2026-03-20T18:00:00+08:00").Add(time.Minute))
	writing := testkit.Hold(t, testkit.OwnerPool(t, d.pool), `select from articles where id = $1 for update`, e.Article.ID)
	approved := writing.Start(1, func() error { _, err := d.Publish(ctx, d.reviewer(), e.Version.Ref()); return err })
	ended := writing.Start(2, func() error { _, err := d.Sweep(ctx); return err })
	writing.LetGo()
	if err := errors.Join(<-approved, <-ended); err != nil {
		t.Fatal(err)
	}
	d.sweep(t)
	a := must[knowledge.Article](t)(d.Article(ctx, e.Article.ID))
	if v := must[knowledge.Version](t)(d.Version(ctx, a.ID, 1)); a.Live != 2 || v.State != knowledge.Superseded && v.State != knowledge.Expired {
		t.Errorf("version %d is live, the first is %s", a.Live, v.State)
	}
}

// An article that an editor is writing on at the moment at which a file brings it is known to be that article.
func TestAnImportFindsAnArticleThatIsBeingWrittenOn(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	file := func(body string) (r knowledge.ImportReport, err error) {
		return d.Import(ctx, knowledge.System(), strings.NewReader(line("b", "燃气开户", body)), knowledge.ImportOptions{})
	}
	must[knowledge.ImportReport](t)(file("营业厅办理"))
	found := must[[]knowledge.Result](t)(d.Search(ctx, knowledge.Query{Text: "燃气"}))
	if len(found) != 1 {
		t.Fatalf("%+v", found)
	}
	v := must[[]knowledge.Version](t)(d.Versions(ctx, found[0].ID))[0]
	writing := testkit.Hold(t, testkit.OwnerPool(t, d.pool), `select from articles where id = $1 for update`, v.Article)
	saved := writing.Start(1, func() error { _, err := d.Save(ctx, d.editor(), v.Ref(), passport); return err })
	var r knowledge.ImportReport
	imported := writing.Start(2, func() (err error) { r, err = file("网上办理"); return err })
	writing.LetGo()
	if err := errors.Join(<-saved, <-imported); err != nil {
		t.Fatal(err)
	}
	if len(r.Errors) != 1 || !errors.Is(r.Errors[0], knowledge.ErrImportBusy) {
		t.Errorf("%+v", r)
	}
}

// Topics have two levels, also where two editors put each of two below the other.
func TestTwoTopicsArePutBelowEachOtherByNobody(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	save := func(code, parent string) func() error {
		return func() error {
			return d.SaveTopic(ctx, d.editor(), knowledge.Topic{Code: code, Parent: parent, Names: map[string]string{"en": code}})
		}
	}
	if err := errors.Join(save("papers", "")(), save("travel", "")()); err != nil {
		t.Fatal(err)
	}
	writing := testkit.Hold(t, testkit.OwnerPool(t, d.pool), `lock table knowledge_topics in share mode`)
	first := writing.Start(1, save("papers", "travel"))
	second := writing.Start(2, save("travel", "papers"))
	writing.LetGo()
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := <-second; !errors.Is(err, knowledge.ErrTopic) {
		t.Errorf("each below the other: %v", err)
	}
}
