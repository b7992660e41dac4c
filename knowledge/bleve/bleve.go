// Package bleve is the knowledge.Index inside the process.
//
// Texts are analysed by the knowledge package, so that what is proposed and
// what decides rest on the same terms; Bleve keeps their counts and scores
// with BM25. Words of weighted parts of an article count several times in one
// field: a term then has one posting list to walk instead of one per part,
// and its weights add up before saturation.
//
// Each language has a scorch index of its own, so a language filter costs
// nothing and term statistics are those of the language. The indexes live in
// a folder, because scorch merges segments only on disk, and hold nothing that
// cannot be rebuilt: the folder is emptied when the index is opened and removed
// when it is closed.
package bleve

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	index "github.com/blevesearch/bleve_index_api"

	"hotline/internal/errs"
	"hotline/knowledge"
)

// ErrClosed: the index was closed.
var ErrClosed = errs.New(errs.Unavailable, "knowledge.index_closed", "the search index is closed")

// Index implements knowledge.Index.
type Index struct {
	dir string

	write sync.Mutex // one writer at a time: a document may move between languages

	mu     sync.RWMutex // guards what follows
	langs  map[string]bleve.Index
	docs   map[string]place
	syn    *knowledge.Synonyms
	closed bool
}

// place is where a document is and which version.
type place struct {
	lang    string
	version int
}

var _ knowledge.Index = (*Index)(nil)

// New opens an empty index in dir, which it owns: whatever an earlier process
// left there is removed. An empty dir means a new temporary folder.
func New(dir string) (*Index, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "hotline-search-")
		if err != nil {
			return nil, fmt.Errorf("search index folder: %w", err)
		}
		dir = tmp
	} else {
		dir = filepath.Join(dir, "bleve")
		if err := os.RemoveAll(dir); err != nil {
			return nil, fmt.Errorf("search index folder: %w", err)
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("search index folder: %w", err)
		}
	}
	return &Index{dir: dir, langs: map[string]bleve.Index{}, docs: map[string]place{}}, nil
}

const (
	textField     = "text"
	audienceField = "audience"
)

// newMapping says how to score. Documents are given to Bleve as their fields, see entry, so that nothing is mapped.
func newMapping() mapping.IndexMapping {
	m := bleve.NewIndexMapping()
	m.ScoringModel = index.BM25Scoring
	m.DefaultMapping = bleve.NewDocumentStaticMapping()
	return m
}

func langOf(d knowledge.Doc) string {
	if l := knowledge.BaseLang(d.Lang); l != "" {
		return l
	}
	return "und"
}

// Put implements knowledge.Index. Errors: ErrClosed; failures of the folder.
func (x *Index) Put(ctx context.Context, docs ...knowledge.Doc) error {
	x.write.Lock()
	defer x.write.Unlock()
	byLang := map[string][]knowledge.Doc{}
	last := make(map[string]int, len(docs))
	for i, d := range docs {
		last[d.ID] = i
	}
	for i, d := range docs {
		if last[d.ID] == i {
			byLang[langOf(d)] = append(byLang[langOf(d)], d)
		}
	}
	// A document that moved must be out of its old language before the new one has it; the languages themselves do not touch.
	if err := x.deleteFrom(x.moved(byLang)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var wg sync.WaitGroup
	failed := make(chan error, len(byLang))
	for lang, ds := range byLang {
		wg.Go(func() { failed <- x.putLang(lang, ds) })
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// moved lists the documents that are in another language's index.
func (x *Index) moved(byLang map[string][]knowledge.Doc) (ids []string) {
	for lang, ds := range byLang {
		for _, d := range ds {
			if p, ok := x.place(d.ID); ok && p.lang != lang {
				ids = append(ids, d.ID)
			}
		}
	}
	return ids
}

func (x *Index) putLang(lang string, docs []knowledge.Doc) error {
	in, err := x.open(lang)
	if err != nil {
		return err
	}
	b := in.NewBatch()
	for _, d := range docs {
		if err := b.IndexAdvanced(entry(d)); err != nil {
			return fmt.Errorf("index article: %w", err)
		}
	}
	if err := in.Batch(b); err != nil {
		return fmt.Errorf("index articles: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, d := range docs {
		x.docs[d.ID] = place{lang: lang, version: d.Version}
	}
	return nil
}

func (x *Index) place(id string) (place, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	p, ok := x.docs[id]
	return p, ok
}

// open returns the index of a language, making it on first use.
func (x *Index) open(lang string) (bleve.Index, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, ErrClosed
	}
	if in := x.langs[lang]; in != nil {
		return in, nil
	}
	// The folder's name is counted, not taken from the language tag, which is
	// input. Losing the last writes in a crash does not matter: the index is
	// rebuilt, so writers need not wait for the disk.
	dir := filepath.Join(x.dir, fmt.Sprintf("lang-%d", len(x.langs)))
	in, err := bleve.NewUsing(dir, newMapping(), scorch.Name, scorch.Name, map[string]any{"unsafe_batch": true})
	if err != nil {
		return nil, fmt.Errorf("open search index: %w", err)
	}
	x.langs[lang] = in
	return in, nil
}

// Delete implements knowledge.Index. Errors: ErrClosed; failures of the folder.
func (x *Index) Delete(_ context.Context, ids ...string) error {
	x.write.Lock()
	defer x.write.Unlock()
	return x.deleteFrom(ids)
}

func (x *Index) deleteFrom(ids []string) error {
	x.mu.RLock()
	closed := x.closed
	byLang := map[string][]string{}
	for _, id := range ids {
		if p, ok := x.docs[id]; ok {
			byLang[p.lang] = append(byLang[p.lang], id)
		}
	}
	x.mu.RUnlock()
	if closed {
		return ErrClosed
	}
	for lang, ids := range byLang {
		in, err := x.open(lang)
		if err != nil {
			return err
		}
		b := in.NewBatch()
		for _, id := range ids {
			b.Delete(id)
		}
		if err := in.Batch(b); err != nil {
			return fmt.Errorf("remove articles from index: %w", err)
		}
		x.mu.Lock()
		for _, id := range ids {
			delete(x.docs, id)
		}
		x.mu.Unlock()
	}
	return nil
}

// Count implements knowledge.Index. Errors: ErrClosed.
func (x *Index) Count(context.Context) (int, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return 0, ErrClosed
	}
	return len(x.docs), nil
}

// SetSynonyms implements knowledge.Index. Errors: ErrClosed.
//
// They are applied to the question. Bleve's own synonym sources replace one
// token by others, and a Chinese word or an English phrase is several.
func (x *Index) SetSynonyms(_ context.Context, groups []knowledge.SynonymGroup) error {
	s := knowledge.NewSynonyms(groups)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return ErrClosed
	}
	x.syn = s
	return nil
}

// Close implements knowledge.Index and removes the folder.
func (x *Index) Close() error {
	x.write.Lock()
	defer x.write.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	var first error
	for _, in := range x.langs {
		if err := in.Close(); err != nil && first == nil {
			first = fmt.Errorf("close search index: %w", err)
		}
	}
	x.langs, x.docs = nil, nil
	if err := os.RemoveAll(x.dir); err != nil && first == nil {
		first = fmt.Errorf("remove search index folder: %w", err)
	}
	return first
}

// language is the index of one.
type language struct {
	lang string
	bleve.Index
}

// indexes returns the indexes a query is to search.
func (x *Index) indexes(lang string) []language {
	if lang != "" {
		if in := x.langs[lang]; in != nil {
			return []language{{lang, in}}
		}
		return nil
	}
	names := make([]string, 0, len(x.langs))
	for l := range x.langs {
		names = append(names, l)
	}
	slices.Sort(names)
	out := make([]language, len(names))
	for i, l := range names {
		out[i] = language{l, x.langs[l]}
	}
	return out
}
