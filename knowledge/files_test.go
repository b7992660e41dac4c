package knowledge_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/blob"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/knowledge"
)

var errNoProgram = errs.New(errs.Invalid, "test.program", "a program")

// withFiles gives the knowledge base a store, and a cleaner that refuses programs.
func (d *desk) withFiles(t testing.TB) {
	t.Helper()
	store := must[*blob.Folder](t)(blob.OpenFolder(t.TempDir()))
	d.Blob = store
	d.Clean = func(name string, data []byte) (knowledge.Cleaned, error) {
		if bytes.HasPrefix(data, []byte("MZ")) {
			return knowledge.Cleaned{}, errNoProgram
		}
		return knowledge.Cleaned{Name: name, Type: "text/plain; charset=utf-8", Data: data}, nil
	}
}

func (d *desk) attach(t testing.TB, e knowledge.Entry, name, text string) (knowledge.Entry, knowledge.File) {
	t.Helper()
	e, f, err := d.AddFile(t.Context(), d.editor(), e.Version.Ref(), name, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return e, f
}

func (d *desk) public(t testing.TB, slug string, id uuid.UUID) string {
	t.Helper()
	_, r, err := d.PublicFile(t.Context(), slug, id)
	if errors.Is(err, knowledge.ErrUnknownFile) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return string(must[[]byte](t)(io.ReadAll(r)))
}

func TestFilesBelongToAVersionAndAreReviewedWithIt(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.withFiles(t)
	ok := must[knowledge.Entry](t)
	e, form := d.attach(t, ok(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport)), "form.txt", "the form")
	if d.public(t, e.Article.Slug, form.ID) != "" {
		t.Error("a draft's file is public")
	}
	e = d.approve(t, e, knowledge.When{})
	if d.public(t, e.Article.Slug, form.ID) != "the form" {
		t.Error("the published form cannot be had")
	}
	// Another file is a change: it waits for its review, and the first stays.
	e, second := d.attach(t, e, "map.txt", "the map")
	if e.Version.Number != 2 || e.Version.State != knowledge.Drafted || !slices.Equal(e.Version.Files, []uuid.UUID{form.ID, second.ID}) {
		t.Fatalf("%+v", e.Version)
	}
	if d.public(t, e.Article.Slug, second.ID) != "" {
		t.Error("a file without review is public")
	}
	// A file takes the place of the one that has its name; what is served keeps its own.
	e, again := d.attach(t, e, "form.txt", "the new form")
	if !slices.Equal(e.Version.Files, []uuid.UUID{again.ID, second.ID}) || d.public(t, e.Article.Slug, form.ID) != "the form" {
		t.Errorf("replaced: %v", e.Version.Files)
	}
	e = ok(d.RemoveFile(ctx, d.editor(), e.Version.Ref(), again.ID))
	e = d.approve(t, e, knowledge.When{})
	if d.public(t, e.Article.Slug, form.ID) != "" || d.public(t, e.Article.Slug, second.ID) != "the map" {
		t.Error("the new version's files are not those that are served")
	}
	// The old version still has its own, and comes back with it.
	e = ok(d.Restore(ctx, d.editor(), e.Version.Ref(), 1))
	if !slices.Equal(e.Version.Files, []uuid.UUID{form.ID}) {
		t.Errorf("restored with %v", e.Version.Files)
	}
	if _, _, err := d.StaffFile(ctx, d.staff("operator", "operator"), e.Article.ID, form.ID); err != nil {
		t.Errorf("staff cannot see what was published: %v", err)
	}
}

func TestFilesOfStaffArticlesAreNeverPublic(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.withFiles(t)
	e, f := d.attach(t, must[knowledge.Entry](t)(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en", Audience: knowledge.AudienceStaff}, passport)), "manual.txt", "secret")
	e = d.approve(t, e, knowledge.When{})
	if d.public(t, e.Article.Slug, f.ID) != "" {
		t.Error("a staff file is public")
	}
	other := d.publish(t, knowledge.Article{}, passport)
	if d.public(t, other.Article.Slug, f.ID) != "" {
		t.Error("a staff file is public by another article's address")
	}
	wider := passport
	wider.Audience = knowledge.AudiencePublic
	open := d.approve(t, must[knowledge.Entry](t)(d.Save(ctx, d.editor(), e.Version.Ref(), wider)), knowledge.When{})
	if d.public(t, open.Article.Slug, f.ID) != "secret" {
		t.Error("a public article's file cannot be had")
	}
	must[knowledge.Correction](t)(d.Dispute(ctx, d.staff("operator", "operator"), open.Article.ID, "wrong"))
	if d.public(t, open.Article.Slug, f.ID) != "" {
		t.Error("a disputed article's file is served")
	}
	draft, hidden := d.attach(t, open, "next.txt", "next")
	if _, _, err := d.StaffFile(ctx, d.staff("operator", "operator"), draft.Article.ID, hidden.ID); !errors.Is(err, knowledge.ErrUnknownFile) {
		t.Errorf("an operator reads a draft's file: %v", err)
	}
}

func TestFilesAreRefused(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	e := must[knowledge.Entry](t)(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport))
	add := func(by knowledge.Staff, data string) error {
		_, _, err := d.AddFile(ctx, by, e.Version.Ref(), "x.txt", strings.NewReader(data))
		return err
	}
	if err := add(d.editor(), "x"); !errors.Is(err, knowledge.ErrNoFiles) {
		t.Errorf("without a store: %v", err)
	}
	d.withFiles(t)
	for want, err := range map[error]error{
		errNoProgram:              add(d.editor(), "MZ…"),
		knowledge.ErrFileTooLarge: add(d.editor(), strings.Repeat("x", knowledge.MaxFileSize+1)),
		knowledge.ErrNotOwner:     add(d.agencyStaff("dept-utilities", "editor"), "x"),
		knowledge.ErrNotEditor:    add(d.staff("operator", "operator"), "x"),
	} {
		if !errors.Is(err, want) {
			t.Errorf("%v instead of %v", err, want)
		}
	}
	for i := range knowledge.MaxFiles {
		e, _ = d.attach(t, e, strings.Repeat("y", i+1)+".txt", "x")
	}
	if err := add(d.editor(), "x"); !errors.Is(err, knowledge.ErrTooManyFiles) {
		t.Errorf("one more than the limit: %v", err)
	}
	if err := db.WithTx(ctx, d.pool, d.city.Staff("handler-util"), func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, `delete from article_files`)
		if err == nil && tag.RowsAffected() > 0 {
			t.Error("another agency removed files")
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func TestTopicsAreKeptAndListed(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	travel := knowledge.Topic{Code: "travel", Names: map[string]string{"en": "Travel", "zh-CN": "出行"}}
	if err := d.SaveTopic(ctx, d.agencyStaff("dept-utilities", "editor"), travel); !errors.Is(err, knowledge.ErrNotDesk) {
		t.Errorf("by an agency's editor: %v", err)
	}
	for name, bad := range map[string]knowledge.Topic{"no name": {Code: "x"}, "its own parent": {Code: "x", Parent: "x", Names: travel.Names}, "no such parent": {Code: "x", Parent: "y", Names: travel.Names}} {
		if err := d.SaveTopic(ctx, d.editor(), bad); !errors.Is(err, knowledge.ErrTopic) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, topic := range []knowledge.Topic{travel, {Code: "papers", Parent: "travel", Names: map[string]string{"en": "Papers"}}} {
		if err := d.SaveTopic(ctx, d.editor(), topic); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.SaveTopic(ctx, d.editor(), knowledge.Topic{Code: "deep", Parent: "papers", Names: travel.Names}); !errors.Is(err, knowledge.ErrTopic) {
		t.Errorf("a third level: %v", err)
	}
	d.publish(t, knowledge.Article{Topic: "papers"}, passport)
	d.publish(t, knowledge.Article{Topic: "papers"}, passport)
	d.publish(t, knowledge.Article{Topic: "imported", Audience: knowledge.AudienceStaff}, passport)
	list := func(topics []knowledge.Topic, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, x := range topics {
			out = append(out, x.Name("zh-CN")+strings.Repeat("+", x.Articles))
		}
		return strings.Join(out, " ")
	}
	if got := list(d.Topics(ctx)); got != "Papers++ 出行 imported+" {
		t.Errorf("topics %q", got)
	}
	if got := list(d.PublicTopics(ctx, "en")); got != "Papers++ 出行" {
		t.Errorf("public topics %q", got)
	}
	first := must[[]knowledge.Entry](t)(d.ByTopic(ctx, "papers", "en", false, uuid.Nil, 1))
	if rest := must[[]knowledge.Entry](t)(d.ByTopic(ctx, "papers", "en", false, first[0].Article.ID, 5)); len(rest) != 1 {
		t.Errorf("second page: %d", len(rest))
	}
	if err := d.RemoveTopic(ctx, d.editor(), "travel", ""); !errors.Is(err, knowledge.ErrTopicUsed) {
		t.Errorf("removed from above another: %v", err)
	}
	if err := d.RemoveTopic(ctx, d.editor(), "papers", "travel"); err != nil {
		t.Fatal(err)
	}
	if got := list(d.Topics(ctx)); got != "出行++ imported+" {
		t.Errorf("after merging %q", got)
	}
}
