package indextest

import (
	"context"
	"iter"
	"sync"

	"hotline/internal/errs"
	"hotline/knowledge"
)

var errClosed = errs.New(errs.Unavailable, "knowledge.index_closed", "the search index is closed")

// Memory is a corpus as an Index. The suite asks of it what it asks of every
// engine, because nodes search by theirs; and it is the engine of tests that
// need one, which may fail or lie around it.
type Memory struct {
	mu     sync.RWMutex
	corpus *knowledge.Corpus
	closed bool
}

var _ knowledge.Index = (*Memory)(nil)

// NewMemory makes an empty one.
func NewMemory() *Memory { return &Memory{corpus: knowledge.NewCorpus()} }

// use gives the corpus while it is open.
func (m *Memory) use(f func(c *knowledge.Corpus)) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return errClosed
	}
	f(m.corpus)
	return nil
}

// Put implements knowledge.Index.
func (m *Memory) Put(_ context.Context, docs ...knowledge.Doc) error {
	return m.use(func(c *knowledge.Corpus) { c.Put(docs...) })
}

// Delete implements knowledge.Index.
func (m *Memory) Delete(_ context.Context, ids ...string) error {
	return m.use(func(c *knowledge.Corpus) { c.Delete(ids...) })
}

// Search implements knowledge.Index.
func (m *Memory) Search(ctx context.Context, q knowledge.Query) (hits []knowledge.Hit, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return hits, m.use(func(c *knowledge.Corpus) { hits = c.Propose(q) })
}

// Count implements knowledge.Index.
func (m *Memory) Count(context.Context) (n int, err error) {
	return n, m.use(func(c *knowledge.Corpus) { n = c.Len() })
}

// SetSynonyms implements knowledge.Index.
func (m *Memory) SetSynonyms(_ context.Context, groups []knowledge.SynonymGroup) error {
	return m.use(func(c *knowledge.Corpus) { c.SetSynonyms(groups) })
}

// Mark implements knowledge.Index.
func (m *Memory) Mark() string { return "1" }

// Replace implements knowledge.Index.
func (m *Memory) Replace(_ context.Context, groups []knowledge.SynonymGroup, batches iter.Seq2[[]knowledge.Doc, error]) error {
	next := knowledge.NewCorpus()
	next.SetSynonyms(groups)
	for docs, err := range batches {
		if err != nil {
			return err
		}
		next.Put(docs...)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.corpus = next
	return nil
}

// Close implements knowledge.Index.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
