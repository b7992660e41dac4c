package knowledge

import (
	"context"
	"iter"
)

// Doc is the searchable text of one article version in one language.
type Doc struct {
	ID        string   // article id, unique in the index
	Lang      string   // BCP 47; see [BaseLang]
	Topic     string   // free label, not searched
	Title     string   // the question or heading the article is known by
	Summary   string   // the answer in a sentence or two
	Body      string   // plain text
	Keywords  []string // words an editor adds because citizens use them
	Questions []string // other ways in which citizens ask for this article
	Audience  string   // AudiencePublic or AudienceStaff
	Version   int      // version of the article, from 1
}

// Audiences of an article. Staff see both.
const (
	AudiencePublic = "public"
	AudienceStaff  = "staff"
)

// Query asks the corpus, or an Index, for proposals.
type Query struct {
	Text     string
	Lang     string // empty means any language
	Audience string // empty means public; staff sees public articles too
	Limit    int    // at most this many hits, besides those found by meaning alone; 0 or less means DefaultLimit
}

// DefaultLimit is the number of proposals when a Query names none.
const DefaultLimit = 20

// Hit is a proposal. Scores of one search can be compared with each other,
// and with nothing else.
type Hit struct {
	ID      string
	Version int // the version the index knows, which may be outdated
	Score   float64
	// Near is the hit's place, from 1, among what means much the same as the
	// question, by an engine that knows of meaning; 0: it is not among it.
	Near int
}

// SynonymGroup lists expressions that mean the same in one language. Every
// expression finds what the others find. An expression may be several words.
type SynonymGroup struct {
	Lang  string
	Terms []string
}

// Index is a search engine outside the process that all nodes use and that
// proposes articles beside the corpus. It keeps what it was given when a node
// ends, so it is brought up to date by one node at a time, out of the outbox
// (see [Service.Mirror]). Implementations are safe for concurrent use. What
// they must do is written down as tests in knowledge/indextest.
type Index interface {
	// Put adds documents or replaces those of the same ID. When it returns,
	// a Search sees them. A call with no documents does nothing.
	Put(ctx context.Context, docs ...Doc) error
	// Delete removes documents; an unknown id is not an error.
	Delete(ctx context.Context, ids ...string) error
	// Search returns hits, best first and equal scores in order of ID. It
	// finds nothing, without an error, for a text without searchable terms.
	Search(ctx context.Context, q Query) ([]Hit, error)
	// Count returns the number of documents.
	Count(ctx context.Context) (int, error)
	// SetSynonyms replaces all synonym groups.
	SetSynonyms(ctx context.Context, groups []SynonymGroup) error
	// Mark changes when what an index holds, or how it is searched, would: an
	// index of another mark is built anew.
	Mark() string
	// Replace builds a new index from batches of documents and puts it in the
	// place of the present one, which answers until then. No id comes twice.
	Replace(ctx context.Context, groups []SynonymGroup, batches iter.Seq2[[]Doc, error]) error
	// Close releases resources. Any later call, except Close, fails with
	// kind unavailable.
	Close() error
}
