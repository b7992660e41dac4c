package knowledge_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/knowledge/indextest"
)

// far is a shared engine in memory that can be away, lose its disk, and be slow to be built.
type far struct {
	knowledge.Index
	mu       sync.Mutex
	mark     string
	away     error
	replaced int
	during   func() // runs while an index is being built
}

func newFar() *far {
	f := &far{mark: "1"}
	f.lose()
	return f
}

// lose empties the engine.
func (f *far) lose() { f.Index = indextest.NewMemory() }

func (f *far) fault() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.away
}

func (f *far) be(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = err
}

func (f *far) Put(ctx context.Context, docs ...knowledge.Doc) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.Index.Put(ctx, docs...)
}

func (f *far) Delete(ctx context.Context, ids ...string) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.Index.Delete(ctx, ids...)
}

func (f *far) Search(ctx context.Context, q knowledge.Query) ([]knowledge.Hit, error) {
	if err := f.fault(); err != nil {
		return nil, err
	}
	return f.Index.Search(ctx, q)
}

func (f *far) Mark() string { return f.mark }

func (f *far) Replace(ctx context.Context, groups []knowledge.SynonymGroup, batches iter.Seq2[[]knowledge.Doc, error]) error {
	if err := f.fault(); err != nil {
		return err
	}
	next := indextest.NewMemory()
	if err := next.Replace(ctx, groups, batches); err != nil {
		return err
	}
	if f.during != nil {
		f.during()
	}
	f.Index = next
	f.replaced++
	return nil
}

// shared makes a desk whose node uses a shared engine.
func shared(t *testing.T) (*desk, *far) {
	t.Helper()
	d := newDesk(t)
	f := newFar()
	d.Service.Index = f
	return d, f
}

func (d *desk) mirror(t *testing.T) {
	t.Helper()
	if err := d.MirrorOnce(t.Context()); err != nil {
		t.Fatalf("mirror: %v", err)
	}
}

func (f *far) holds(t *testing.T, want ...string) {
	t.Helper()
	hits, err := f.Index.Search(t.Context(), knowledge.Query{Text: "passport licence towel", Audience: knowledge.AudienceStaff})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range hits {
		got = append(got, h.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the engine holds %v, want %v", got, want)
	}
}

func (d *desk) withdraw(t *testing.T, e knowledge.Entry) {
	t.Helper()
	if _, err := d.Withdraw(t.Context(), d.reviewer(), knowledge.Ref{Article: e.Article.ID, Version: e.Version.Number, Edit: e.Version.Edit}, "wrong"); err != nil {
		t.Fatal(err)
	}
}

func TestSharedEngineFollowsTheOutbox(t *testing.T) {
	t.Parallel()
	d, f := shared(t)
	old := d.publish(t, knowledge.Article{}, passport) // before the engine was ever reached
	d.mirror(t)
	f.holds(t, old.Article.ID.String())
	if f.replaced != 1 {
		t.Errorf("the index was built %d times", f.replaced)
	}
	dog := d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Dog licence", Body: "Every dog needs one."})
	if got := d.first(t, "dog licence"); got != "Dog licence" {
		t.Errorf("found %q before the engine has the article", got)
	}
	d.mirror(t)
	f.holds(t, old.Article.ID.String(), dog.Article.ID.String())
	d.withdraw(t, old)
	d.mirror(t)
	f.holds(t, dog.Article.ID.String())
	if f.replaced != 1 {
		t.Errorf("an edit built the index anew: %d", f.replaced)
	}
}

// While the engine is away, edits wait, searches are answered, and the
// operator is told; when it is back, nothing is missing.
func TestSharedEngineCatchesUpAfterAnOutage(t *testing.T) {
	t.Parallel()
	d, f := shared(t)
	old := d.publish(t, knowledge.Article{}, passport)
	d.mirror(t)
	f.be(errors.New("connection refused"))
	d.withdraw(t, old)
	dog := d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Dog licence", Body: "Every dog needs one."})
	if err := d.MirrorOnce(t.Context()); err == nil {
		t.Fatal("no error while the engine is away")
	}
	if got := d.first(t, "dog licence"); got != "Dog licence" {
		t.Errorf("found %q while the engine is away", got)
	}
	d.clock.Advance(24 * time.Hour) // the outbox stamps by the database's clock, the service judges by its own
	if err := d.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := d.Engine(); !s.Degraded() || s.Pending != 2 || s.Fault.Code != "knowledge.engine_fails" || s.Fault.Cause != "connection refused" || !s.Shared {
		t.Errorf("the operator is told %+v", s)
	}
	// Another node, started meanwhile, answers without the engine, too.
	other := d.node(t)
	other.Index = f
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := other.Search(t.Context(), knowledge.Query{Text: "dog licence", Lang: "en"}); err != nil || len(found) != 1 {
		t.Errorf("another node found %v, %v", found, err)
	}
	f.be(nil)
	d.mirror(t)
	f.holds(t, dog.Article.ID.String())
	if f.replaced != 1 {
		t.Error("an outage had the index built anew")
	}
	d.clock.Advance(time.Minute)
	if err := d.Watch(t.Context()); err != nil { // nobody has to search for the engine to be asked again
		t.Fatal(err)
	}
	if s := d.Engine(); s.Degraded() || s.Pending != 0 || s.Fault != (knowledge.Fault{}) {
		t.Errorf("after the outage the operator is told %+v", s)
	}
}

// Edits made while the installation used another engine are not lost.
func TestSwitchingEnginesLosesNoEdit(t *testing.T) {
	t.Parallel()
	d, f := shared(t)
	old := d.publish(t, knowledge.Article{}, passport)
	d.mirror(t)
	d.Service = d.node(t) // restarted without the shared engine
	if err := d.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.withdraw(t, old)
	dog := d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Dog licence", Body: "Every dog needs one."})
	if got := d.first(t, "dog licence"); got != "Dog licence" {
		t.Errorf("found %q", got)
	}
	d.Service.Index = f // and back
	d.mirror(t)
	f.holds(t, dog.Article.ID.String())
}

func TestEditWhileTheIndexIsRebuilt(t *testing.T) {
	t.Parallel()
	d, f := shared(t)
	old := d.publish(t, knowledge.Article{}, passport)
	var swim knowledge.Entry
	f.during = func() { // after the texts were read
		d.withdraw(t, old)
		swim = d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Winter swimming", Body: "Bring a towel."})
		f.during = nil
	}
	d.mirror(t)
	f.holds(t, old.Article.ID.String()) // what was read
	d.mirror(t)
	f.holds(t, swim.Article.ID.String())
}

func TestIndexIsBuiltAnew(t *testing.T) {
	t.Parallel()
	d, f := shared(t)
	e := d.publish(t, knowledge.Article{}, passport)
	d.mirror(t)
	for name, cause := range map[string]func(){
		"other settings": func() { f.mark += "x" },
		"asked for": func() {
			if err := d.AskForRebuild(t.Context(), d.editor()); err != nil {
				t.Fatal(err)
			}
		},
		"lost its disk": f.lose,
	} {
		before := f.replaced
		cause()
		d.mirror(t)
		if f.replaced != before+1 {
			t.Errorf("%s: built %d times", name, f.replaced-before)
		}
		f.holds(t, e.Article.ID.String())
	}
}

// The second wall: nobody but the program sees or empties what waits for the engine.
func TestOutboxIsTheProgramsOwn(t *testing.T) {
	t.Parallel()
	d, _ := shared(t)
	d.publish(t, knowledge.Article{}, passport)
	d.mirror(t)
	dog := d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Dog licence", Body: "Every dog needs one."})
	for _, table := range []string{"article_outbox", "search_engines"} {
		var seen int64
		err := db.WithTx(t.Context(), d.pool, d.editor().Actor, func(tx db.Tx) error {
			if err := tx.QueryRow(t.Context(), "select count(*) from "+table).Scan(&seen); err != nil {
				return err
			}
			tag, err := tx.Exec(t.Context(), "delete from "+table)
			seen += tag.RowsAffected()
			return err
		})
		if err != nil || seen != 0 {
			t.Errorf("staff see or remove %d rows of %s, %v", seen, table, err)
		}
	}
	if err := d.Watch(t.Context()); err != nil || d.Engine().Pending != 1 {
		t.Errorf("%d changes wait, %v; want that of %s", d.Engine().Pending, err, dog.Article.ID)
	}
}
