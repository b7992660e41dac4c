package knowledge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotline/internal/db"
	"hotline/knowledge"
)

// thesaurus is a model that knows a few words to mean one thing.
type thesaurus struct {
	mu    sync.Mutex
	name  string
	fault func(ctx context.Context, texts []string) error
	calls int
}

var meanings = []string{"travel document|passport|go abroad", "dog|hound|four-legged friend", "water|tap|thirst"}

func (m *thesaurus) Name() string { m.mu.Lock(); defer m.mu.Unlock(); return m.name }

func (m *thesaurus) be(f func(ctx context.Context, texts []string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = f
}

func (m *thesaurus) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	m.mu.Lock()
	m.calls++
	fault := m.fault
	m.mu.Unlock()
	if fault != nil {
		if err := fault(ctx, texts); err != nil {
			return nil, err
		}
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = make([]float32, len(meanings)+1)
		out[i][len(meanings)] = 0.1
		for k, words := range meanings {
			for w := range strings.SplitSeq(words, "|") {
				if strings.Contains(strings.ToLower(text), w) {
					out[i][k]++
				}
			}
		}
	}
	return out, nil
}

func newMeaningDesk(t *testing.T) (*desk, *thesaurus) {
	t.Helper()
	d := newDesk(t)
	m := &thesaurus{name: "meaning-1"}
	d.Service.Embedder = m
	d.publish(t, knowledge.Article{}, passport)
	d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Dog licence", Body: "Every dog needs one."})
	return d, m
}

func (d *desk) embed(t *testing.T, want int) {
	t.Helper()
	n, err := d.EmbedStale(t.Context())
	if err != nil || n != want {
		t.Fatalf("%d articles got vectors, %v; want %d", n, err, want)
	}
	if err := d.LoadVectors(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestVectorsFindWhatNoWordFinds(t *testing.T) {
	t.Parallel()
	d, m := newMeaningDesk(t)
	const asked = "my hound and four-legged friend"
	if got := d.first(t, asked); got != "" {
		t.Fatalf("found %q without vectors", got)
	}
	d.embed(t, 2)
	if got := d.first(t, asked); got != "Dog licence" {
		t.Errorf("found %q", got)
	}
	a, err := d.Answer(t.Context(), asked, "en")
	if err != nil || a.Outcome != knowledge.None || a.Score != 0 {
		t.Errorf("vectors decide: %+v, %v", a, err)
	}
	calls := m.calls
	d.first(t, asked)
	if m.calls != calls {
		t.Error("the same question is sent to the model again")
	}
	d.embed(t, 0) // nothing is stale
	e := d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Tap water", Body: "It is safe to drink."})
	d.embed(t, 1)
	if got := d.first(t, "thirst"); got != e.Version.Title {
		t.Errorf("found %q for the new article", got)
	}
	d.withdraw(t, e)
	if got := d.first(t, "thirst"); got == e.Version.Title {
		t.Error("a withdrawn article is found by its vector")
	}
	m.mu.Lock()
	m.name = "meaning-2"
	m.mu.Unlock()
	d.embed(t, 2) // vectors of another model are stale
	if got := d.first(t, asked); got != "Dog licence" {
		t.Errorf("found %q with the new model", got)
	}
}

// A model that hangs or fails costs a search a moment, once, and nothing else.
func TestModelForEmbeddingsThatHangs(t *testing.T) {
	t.Parallel()
	d, m := newMeaningDesk(t)
	d.embed(t, 2)
	m.be(func(ctx context.Context, _ []string) error { <-ctx.Done(); return ctx.Err() })
	start := time.Now()
	for range 5 {
		if got := d.first(t, "passport renewal "+time.Since(start).String()); got != passport.Title {
			t.Errorf("found %q", got)
		}
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("five searches took %v", took)
	}
	m.be(nil)
	d.clock.Advance(time.Minute)
	if got := d.first(t, "hound"); got != "Dog licence" {
		t.Errorf("found %q after the model came back", got)
	}
}

// One text that the model refuses does not keep the others from their vectors; a model that is away is not asked for each.
func TestModelThatRefusesOneArticle(t *testing.T) {
	t.Parallel()
	d, m := newMeaningDesk(t)
	refuse := errors.New("400")
	m.be(func(_ context.Context, texts []string) error {
		if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "passport") }) {
			return refuse
		}
		return nil
	})
	d.embed(t, 1)
	m.be(func(context.Context, []string) error { return refuse })
	if _, err := d.EmbedStale(t.Context()); !errors.Is(err, refuse) {
		t.Errorf("error %v of a model that is away", err)
	}
}

func TestNoModelNoVectors(t *testing.T) {
	t.Parallel()
	d, m := newMeaningDesk(t)
	m.name = ""
	d.embed(t, 0)
	if m.calls != 0 {
		t.Error("a model that is not set up is asked")
	}
	var seen int
	err := db.ReadTx(t.Context(), d.pool, d.editor().Actor, func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from article_vectors`).Scan(&seen)
	})
	if err != nil || seen != 0 {
		t.Errorf("staff see %d vectors, %v", seen, err)
	}
}

func TestFuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words, near string
		sure        bool
		want        string
	}{
		{"a b c", "", false, "a b c"}, {"", "x y", true, "x y"}, {"a b c", "a b c", false, "a b c"}, {"a b c", "b", false, "b a c"}, {"a b c", "b", true, "a b c"}, {"a b", "x", false, "a b x"},
	} {
		if got := strings.Join(knowledge.Fuse(strings.Fields(c.words), strings.Fields(c.near), c.sure), " "); got != c.want {
			t.Errorf("%q with %q is %q, want %q", c.words, c.near, got, c.want)
		}
	}
}

func TestChunks(t *testing.T) {
	t.Parallel()
	if got := knowledge.Chunks(knowledge.Doc{Title: "T", Summary: "S", Body: "B", Questions: []string{"Q"}}); !slices.Equal(got, []string{"T\nQ\nS\nB"}) {
		t.Errorf("a short article is %q", got)
	}
	long := knowledge.Chunks(knowledge.Doc{Title: "标题", Body: strings.Repeat("很长的正文。", 2000)})
	if len(long) != 6 {
		t.Errorf("a long one has %d texts", len(long))
	}
	for _, c := range long {
		if !strings.HasPrefix(c, "标题") || len([]rune(c)) > 1300 {
			t.Errorf("text of %d characters: %.20q", len([]rune(c)), c)
		}
	}
}
