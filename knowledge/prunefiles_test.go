package knowledge_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/blob"
	"hotline/internal/testkit"
	"hotline/knowledge"
)

const day = 24 * time.Hour

// stored reports whether the bytes of a file are in the store.
func (d *desk) stored(t testing.TB, id uuid.UUID) bool {
	t.Helper()
	r, err := d.Blob.Open(t.Context(), "articles/"+id.String())
	if errors.Is(err, blob.ErrNotFound) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	return true
}

func (d *desk) prunes(t testing.TB, want int) {
	t.Helper()
	if got := must[int](t)(d.PruneFiles(t.Context())); got != want {
		t.Errorf("%d files are gone, want %d", got, want)
	}
}

func TestFilesThatNoVersionNamesAreRemovedAfterAWeek(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.withFiles(t)
	ok := must[knowledge.Entry](t)
	e, kept := d.attach(t, ok(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport)), "form.txt", "the form")
	e, wrong := d.attach(t, e, "wrong.txt", "the wrong one")
	e = ok(d.RemoveFile(ctx, d.editor(), e.Version.Ref(), wrong.ID))
	e = d.approve(t, e, knowledge.When{})
	e = ok(d.RemoveFile(ctx, d.editor(), e.Version.Ref(), kept.ID)) // version 1 goes on naming it
	d.prunes(t, 0)
	d.clock.Advance(6 * day)
	d.prunes(t, 0)
	if !d.stored(t, wrong.ID) {
		t.Fatal("removed within the week")
	}
	d.clock.Advance(2 * day)
	d.prunes(t, 1)
	d.prunes(t, 0)
	if d.stored(t, wrong.ID) || !d.stored(t, kept.ID) {
		t.Errorf("stored: %v %v", d.stored(t, wrong.ID), d.stored(t, kept.ID))
	}
	if left := must[[]knowledge.File](t)(d.Files(ctx, []uuid.UUID{wrong.ID, kept.ID})); len(left) != 1 || left[0].ID != kept.ID {
		t.Errorf("rows: %+v", left)
	}
	e = ok(d.Restore(ctx, d.editor(), e.Version.Ref(), 1))
	if !slices.Equal(e.Version.Files, []uuid.UUID{kept.ID}) {
		t.Errorf("restored with %v", e.Version.Files)
	}
}

// Somebody names the file again in the moment in which it is about to be given up: it stays.
func TestAFileThatIsNamedAgainIsNotRemoved(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.withFiles(t)
	ok := must[knowledge.Entry](t)
	e, f := d.attach(t, ok(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport)), "form.txt", "the form")
	e = ok(d.RemoveFile(ctx, d.editor(), e.Version.Ref(), f.ID))
	d.prunes(t, 0)
	d.clock.Advance(8 * day)
	owner := testkit.OwnerPool(t, d.pool)
	tx, err := owner.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for _, sql := range []string{`select 1 from articles where id = $1 for update`, `update article_versions set files = array['` + f.ID.String() + `']::uuid[] where article_id = $1`} {
		if _, err := tx.Exec(ctx, sql, e.Article.ID); err != nil {
			t.Fatal(err)
		}
	}
	type result struct {
		gone int
		err  error
	}
	done := make(chan result, 1)
	go func() { n, err := d.PruneFiles(ctx); done <- result{n, err} }()
	for waits := false; !waits; {
		if err := owner.QueryRow(ctx, `select exists (select from pg_locks l join pg_stat_activity a on a.pid = l.pid where not l.granted and a.datname = current_database())`).Scan(&waits); err != nil {
			t.Fatal(err)
		}
		select {
		case r := <-done:
			t.Fatalf("did not wait for who names it: %+v", r)
		default:
		}
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.gone != 0 || r.err != nil {
		t.Errorf("%+v", r)
	}
	if !d.stored(t, f.ID) {
		t.Error("its bytes are gone")
	}
	d.prunes(t, 0)
	d.clock.Advance(8 * day)
	d.prunes(t, 0)
}

// A store that fails in the middle leaves something to go on with.
func TestPruningGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.withFiles(t)
	e, f := d.attach(t, must[knowledge.Entry](t)(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport)), "form.txt", "the form")
	must[knowledge.Entry](t)(d.RemoveFile(ctx, d.editor(), e.Version.Ref(), f.ID))
	d.prunes(t, 0)
	d.clock.Advance(8 * day)
	whole := d.Blob
	d.Blob = broken{whole}
	if _, err := d.PruneFiles(ctx); !errors.Is(err, errBroken) {
		t.Fatalf("a broken store: %v", err)
	}
	d.Blob = whole
	if !d.stored(t, f.ID) {
		t.Fatal("already gone")
	}
	d.prunes(t, 1)
	if d.stored(t, f.ID) {
		t.Error("its bytes are still there")
	}
}

var errBroken = errors.New("the store is broken")

type broken struct{ blob.Store }

func (broken) Delete(context.Context, string) error { return errBroken }
