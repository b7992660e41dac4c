package knowledge_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"hotline/knowledge"
	"hotline/knowledge/indextest"
)

// moody is an engine that can hang, fail or lie.
type moody struct {
	knowledge.Index
	search atomic.Pointer[func(ctx context.Context) ([]knowledge.Hit, error)]
	asked  atomic.Int64
}

func (m *moody) be(f func(ctx context.Context) ([]knowledge.Hit, error)) {
	if f == nil {
		m.search.Store(nil)
		return
	}
	m.search.Store(&f)
}

func (m *moody) Search(ctx context.Context, q knowledge.Query) ([]knowledge.Hit, error) {
	m.asked.Add(1)
	if f := m.search.Load(); f != nil {
		return (*f)(ctx)
	}
	return m.Index.Search(ctx, q)
}

func newMoodyDesk(t *testing.T) (*desk, *moody) {
	t.Helper()
	d := newDesk(t)
	m := &moody{Index: indextest.NewMemory()}
	d.Service.Index = m
	d.publish(t, knowledge.Article{}, passport)
	d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Dog licence", Body: "Every dog needs one."})
	return d, m
}

func (d *desk) first(t *testing.T, question string) string {
	t.Helper()
	found, err := d.Search(t.Context(), knowledge.Query{Text: question, Lang: "en"})
	if err != nil {
		t.Fatalf("search: %v", err)
	}
	if len(found) == 0 {
		return ""
	}
	return found[0].Title
}

// A hanging or failing engine costs a search its deadline at most, once, and
// never an answer.
func TestEngineThatHangsOrFails(t *testing.T) {
	t.Parallel()
	for name, mood := range map[string]func(ctx context.Context) ([]knowledge.Hit, error){
		"hangs": func(ctx context.Context) ([]knowledge.Hit, error) { <-ctx.Done(); return nil, ctx.Err() },
		"fails": func(context.Context) ([]knowledge.Hit, error) { return nil, errors.New("502") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, m := newMoodyDesk(t)
			m.be(mood)
			start := time.Now()
			if got := d.first(t, "renew passport"); got != passport.Title {
				t.Errorf("found %q", got)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("a search took %v", took)
			}
			status := d.Engine()
			if !status.Degraded() || status.Fault.Code == "" || status.Fault.Cause == "" {
				t.Errorf("the operator is told %+v", status)
			}
			asked := m.asked.Load()
			a, err := d.Answer(t.Context(), "my passport expired", "en")
			if err != nil || a.Outcome != knowledge.Answered {
				t.Errorf("answer %+v, %v", a, err)
			}
			if m.asked.Load() != asked {
				t.Error("the next question waits for the engine again")
			}
			m.be(nil)
			d.clock.Advance(time.Minute)
			if got := d.first(t, "renew passport"); got != passport.Title || d.Engine().Degraded() {
				t.Errorf("found %q, status %+v after the engine came back", got, d.Engine())
			}
		})
	}
}

// What an engine makes up is never served.
func TestEngineThatLies(t *testing.T) {
	t.Parallel()
	d, m := newMoodyDesk(t)
	e := d.publish(t, knowledge.Article{Audience: knowledge.AudienceStaff}, knowledge.Text{Title: "Passport refusals", Body: "For staff."})
	m.be(func(context.Context) ([]knowledge.Hit, error) {
		return []knowledge.Hit{{ID: "not an id", Score: 9}, {ID: "01900000-0000-7000-8000-000000000000", Version: 7, Score: 8}, {ID: e.Article.ID.String(), Version: 1, Score: 7}}, nil
	})
	if got := d.first(t, "refusals"); got != "" {
		t.Errorf("served %q", got)
	}
}

// What an engine finds by meaning is shown although it shares no word with the question, and decides nothing.
func TestEngineThatKnowsOfMeaning(t *testing.T) {
	t.Parallel()
	d, m := newMoodyDesk(t)
	dog := d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Walking hounds", Body: "On a lead."})
	m.be(func(context.Context) ([]knowledge.Hit, error) {
		return []knowledge.Hit{{ID: dog.Article.ID.String(), Version: 1, Near: 1}}, nil
	})
	const asked = "four-legged friends"
	if got := d.first(t, asked); got != "Walking hounds" {
		t.Errorf("found %q", got)
	}
	if a, err := d.Answer(t.Context(), asked, "en"); err != nil || a.Outcome != knowledge.None {
		t.Errorf("it decides: %+v, %v", a, err)
	}
	m.be(func(context.Context) ([]knowledge.Hit, error) {
		return []knowledge.Hit{{ID: dog.Article.ID.String(), Version: 1, Score: 1}}, nil
	})
	if got := d.first(t, asked); got != "" {
		t.Errorf("found %q without a word of the question", got)
	}
}

// A node that has loaded the articles finds them, and goes on finding them while they are read anew.
func TestSearchOfANodeThatStartsAndRebuilds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish(t, knowledge.Article{}, passport)
	d.publish(t, knowledge.Article{Lang: "zh-CN"}, knowledge.Text{Title: "居住证怎么办理", Body: "带身份证。"})
	d.publish(t, knowledge.Article{Audience: knowledge.AudienceStaff}, knowledge.Text{Title: "Passport refusals", Body: "For staff."})
	fresh := d.node(t)
	if err := fresh.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	look := func(q knowledge.Query) (titles []string) {
		found, err := fresh.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			titles = append(titles, f.Title)
		}
		slices.Sort(titles)
		return titles
	}
	check := func() {
		t.Helper()
		for _, c := range []struct {
			q    knowledge.Query
			want []string
		}{
			{knowledge.Query{Text: "pasport", Lang: "en"}, []string{passport.Title}},
			{knowledge.Query{Text: "passport", Lang: "en", Audience: knowledge.AudienceStaff}, []string{"Passport refusals", passport.Title}},
			{knowledge.Query{Text: "passport", Lang: "fr"}, nil},
			{knowledge.Query{Text: "居住证", Lang: "en"}, []string{"居住证怎么办理"}},
			{knowledge.Query{Text: "the", Lang: "en"}, nil},
		} {
			if got := look(c.q); !slices.Equal(got, c.want) {
				t.Errorf("%+v found %q, want %q", c.q, got, c.want)
			}
		}
	}
	check()
	if err := fresh.AskForRebuild(t.Context(), d.editor()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-fresh.RebuildWanted():
	default:
		t.Fatal("nobody is told that all articles are to be read anew")
	}
	if s := fresh.Engine(); !s.Loading || s.Degraded() || s.Articles != 3 || s.Total != 3 || s.Done != 0 {
		t.Errorf("status %+v", s)
	}
	check()
	if err := fresh.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := fresh.Engine(); s.Loading || s.Articles != 3 {
		t.Errorf("status %+v", s)
	}
	check()
}

// Whatever is published and withdrawn while a node reads all articles anew, it ends up with what there is.
func TestRebuildMissesNoEdit(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for range 3 {
		d.publish(t, knowledge.Article{}, passport)
	}
	done, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(failed)
		for {
			if err := d.Rebuild(context.Background()); err != nil {
				failed <- err
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	for range 6 {
		e := d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Dog licence", Body: "Every dog needs one."})
		if got := d.first(t, "dog licence"); got != "Dog licence" {
			t.Errorf("found %q after it was published", got)
		}
		d.withdraw(t, e)
		if n := d.Engine().Articles; n != 3 {
			t.Errorf("holds %d articles after one was withdrawn", n)
		}
	}
	close(done)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if n := d.Engine().Articles; n != 3 {
		t.Errorf("holds %d articles in the end", n)
	}
}

// A hint that got lost is made up for by what PostgreSQL says changed.
func TestCatchUpAfterALostHint(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	e := d.publish(t, knowledge.Article{}, passport)
	other := d.node(t)
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := d.clock.Now()
	d.clock.Advance(time.Hour)
	if _, err := d.Withdraw(t.Context(), d.reviewer(), knowledge.Ref{Article: e.Article.ID, Version: e.Version.Number, Edit: e.Version.Edit}, "wrong"); err != nil {
		t.Fatal(err)
	}
	d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Dog licence", Body: "Every dog needs one."})
	newest, err := other.CatchUp(t.Context(), seen)
	if err != nil || !newest.Equal(d.clock.Now()) {
		t.Errorf("caught up to %v, %v", newest, err)
	}
	if s := other.Engine(); s.Articles != 1 {
		t.Errorf("the other node holds %d articles, want the new one alone", s.Articles)
	}
}
