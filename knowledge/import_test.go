package knowledge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"hotline/knowledge"
)

func line(id, title, body string) string {
	return fmt.Sprintf(`{"id":%q,"lang":"zh","title":%q,"body":%q,"keywords":["k"]}`+"\n", id, title, body)
}

func TestImportCreatesUpdatesAndLeavesAlone(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	imp := func(file string, o knowledge.ImportOptions) knowledge.ImportReport {
		t.Helper()
		r, err := d.Import(ctx, knowledge.System(), strings.NewReader(file), o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	check := func(r knowledge.ImportReport, created, updated, unchanged, failed int) {
		t.Helper()
		if r.Created != created || r.Updated != updated || r.Unchanged != unchanged || r.Failed != failed || len(r.Errors) != failed {
			t.Errorf("report %+v", r)
		}
	}
	check(imp(line("a", "水费缴纳", "手机缴费")+"{broken\n"+line("b", "燃气开户", "营业厅办理"), knowledge.ImportOptions{}), 2, 0, 0, 1)
	if len(d.changed) != 1 || d.changed[0] != "" {
		t.Errorf("other nodes were told of %q", d.changed)
	}
	search := func(text string) []knowledge.Result {
		return must[[]knowledge.Result](t)(d.Search(ctx, knowledge.Query{Text: text}))
	}
	rs := search("怎么开通燃气")
	if len(rs) != 1 || rs[0].Title != "燃气开户" || rs[0].Lang != "zh-CN" || rs[0].Version != 1 {
		t.Fatalf("found %+v", rs)
	}
	check(imp(line("a", "水费缴纳", "手机缴费")+line("b", "燃气开户", "网上办理"), knowledge.ImportOptions{}), 0, 1, 1, 0)
	if rs = search("燃气"); len(rs) != 1 || rs[0].Version != 2 || !strings.Contains(rs[0].Snippet.Text(), "网上办理") {
		t.Errorf("after the update found %+v", rs)
	}

	// What an editor is working on is not overwritten.
	vs := must[[]knowledge.Version](t)(d.Versions(ctx, rs[0].ID))
	e := must[knowledge.Entry](t)(d.Save(ctx, d.editor(), vs[0].Ref(), passport))
	r := imp(line("b", "燃气开户", "第三版"), knowledge.ImportOptions{})
	check(r, 0, 0, 0, 1)
	if !errors.Is(r.Errors[0], knowledge.ErrImportBusy) || r.Errors[0].Line != 1 {
		t.Errorf("refused with %v", r.Errors[0])
	}
	if v := must[knowledge.Version](t)(d.Version(ctx, e.Article.ID, e.Version.Number)); v.Title != passport.Title {
		t.Errorf("the editor's draft is now %q", v.Title)
	}

	// Drafts wait for a reviewer.
	check(imp(line("c", "养老金领取", "到社保局"), knowledge.ImportOptions{Draft: true}), 1, 0, 0, 0)
	if rs := search("养老金"); len(rs) != 0 {
		t.Errorf("an imported draft is served: %+v", rs)
	}
	check(imp(line("c", "养老金领取", "到社保局"), knowledge.ImportOptions{Draft: true}), 0, 0, 1, 0)
	if _, err := d.Import(ctx, d.editor(), strings.NewReader(line("x", "t", "b")), knowledge.ImportOptions{}); !errors.Is(err, knowledge.ErrNotReviewer) {
		t.Errorf("an editor published by import: %v", err)
	}
	if _, err := d.Import(ctx, d.staff("operator", "operator"), strings.NewReader(""), knowledge.ImportOptions{}); !errors.Is(err, knowledge.ErrNotEditor) {
		t.Errorf("an operator imported: %v", err)
	}
}

func TestImportKeepsBatchesBeforeAFailure(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var file strings.Builder
	for i := range 250 {
		file.WriteString(line(fmt.Sprint(i), fmt.Sprintf("事项%d办理", i), "说明"))
	}
	bad := knowledge.ImportOptions{Owner: d.city.Users["editor"]} // a user is no agency
	if r, err := d.Import(t.Context(), knowledge.System(), strings.NewReader(file.String()), bad); !errors.Is(err, knowledge.ErrUnknownOwner) || r.Created != 0 {
		t.Errorf("report %+v, %v", r, err)
	}
	if es := must[[]knowledge.Entry](t)(d.List(t.Context(), knowledge.Filter{})); len(es) != 0 {
		t.Errorf("%d articles of a failed batch are there", len(es))
	}
	r, err := d.Import(t.Context(), knowledge.System(), strings.NewReader(file.String()), knowledge.ImportOptions{})
	if err != nil || r.Created != 250 {
		t.Errorf("repeated: %+v, %v", r, err)
	}
}

func TestListPagesByKey(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	var file strings.Builder
	for i := range 25 { // all changed at the same moment of the fake clock
		file.WriteString(line(fmt.Sprint(i), fmt.Sprint("事项", i), "说明"))
	}
	if _, err := d.Import(ctx, knowledge.System(), strings.NewReader(file.String()), knowledge.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	must[knowledge.Entry](t)(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport))
	seen := map[string]bool{}
	f := knowledge.Filter{Limit: 10}
	for range 3 {
		es := must[[]knowledge.Entry](t)(d.List(ctx, f))
		for _, e := range es {
			seen[e.Article.ID.String()] = true
		}
		if len(es) > 0 {
			f.After = es[len(es)-1].Cursor()
		}
	}
	if es := must[[]knowledge.Entry](t)(d.List(ctx, f)); len(seen) != 26 || len(es) != 0 {
		t.Errorf("pages held %d articles, and %d after the last", len(seen), len(es))
	}
	if es := must[[]knowledge.Entry](t)(d.List(ctx, knowledge.Filter{State: knowledge.Drafted, Lang: "en"})); len(es) != 1 {
		t.Errorf("drafts in English: %d", len(es))
	}
}
