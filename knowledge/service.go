package knowledge

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/blob"
	"hotline/internal/clock"
)

// Deps are what a Service needs.
type Deps struct {
	Pool  *pgxpool.Pool
	Clock clock.Clock
	Log   *slog.Logger
	// Index is a search engine that all nodes share; nil where each searches by itself.
	Index Index
	// Location is where the jurisdiction's days begin; nil means UTC.
	Location *time.Location
	// Changed tells the other nodes, after the commit, that an article
	// changed ("" means that much did: compare all). May be nil.
	Changed func(article string)
	// Deadline is so many working days after a moment, by the jurisdiction's
	// calendar; nil counts every day.
	Deadline func(from time.Time, workingDays int) time.Time
	// Blob keeps the files of articles, Clean makes them harmless; nil: articles
	// take no files.
	Blob  blob.Store
	Clean func(name string, data []byte) (Cleaned, error)
	// Embedder makes vectors for the search, where a model is set up for it. May be nil.
	Embedder Embedder
	// Thresholds of answers where an installation wants no others; the zero value means DefaultThresholds.
	Thresholds Thresholds
}

// Service is the knowledge base of one installation. It is safe for
// concurrent use.
type Service struct {
	Deps
	held   atomic.Pointer[Corpus]
	engine engine
	// signals are what citizens' words and clicks add to the ranking; nil: nothing yet
	signals atomic.Pointer[signals]
	// calibrated are the thresholds by language that are wanted here; see calibration.go
	calibrated atomic.Pointer[map[string]Thresholds]
	// vectors are empty where no model for embeddings is set up.
	vectors vectors
	// indexing is held while rows are read and taken into the corpus, so that an
	// older reading never overwrites a newer one.
	indexing sync.Mutex
	loading  *loading      // all articles are being read; indexing guards it
	loads    sync.Mutex    // one loading at a time
	wanted   chan struct{} // that all articles are read anew
}

// New makes a service whose corpus is still empty; call Load.
func New(d Deps) *Service {
	if d.Location == nil {
		d.Location = time.UTC
	}
	if d.Thresholds == (Thresholds{}) {
		d.Thresholds = DefaultThresholds
	}
	s := &Service{Deps: d, wanted: make(chan struct{}, 1)}
	s.held.Store(NewCorpus())
	return s
}

// corpus is the present one; see [Service.Rebuild].
func (s *Service) corpus() *Corpus { return s.held.Load() }

// today is the jurisdiction's date, as PostgreSQL's date type carries it.
func (s *Service) today() time.Time {
	y, m, d := s.Clock.Now().In(s.Location).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Article returns an article by id. Errors: ErrNotFound.
func (s *Service) Article(ctx context.Context, id uuid.UUID) (Article, error) {
	return articleByID(ctx, s.Pool, id)
}

// Version returns one version, whatever its state: staff follow citations to
// it. Errors: ErrNotFound.
func (s *Service) Version(ctx context.Context, id uuid.UUID, number int) (Version, error) {
	return versionByNumber(ctx, s.Pool, id, number)
}

// Versions lists all versions of an article, the latest first.
func (s *Service) Versions(ctx context.Context, id uuid.UUID) ([]Version, error) {
	rows, err := s.Pool.Query(ctx, sqlVersions, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanVersion)
}

// BySlug returns the article a citizen (or staff) may read now at an address.
// Errors: ErrNotFound, also for one that exists but may not be shown; ErrInCheck
// for one that everybody could read until somebody said that it is wrong.
func (s *Service) BySlug(ctx context.Context, slug string, staff bool) (Entry, error) {
	es, err := s.servables(ctx, sqlServableBySlug, staff, slug)
	if err != nil {
		return Entry{}, err
	}
	if len(es) == 0 {
		return Entry{}, s.missing(ctx, slug)
	}
	return es[0], nil
}

// missing says why nothing is shown at an address. Somebody was told it a moment
// ago, and follows the link.
func (s *Service) missing(ctx context.Context, slug string) error {
	var check bool
	switch err := s.Pool.QueryRow(ctx, sqlInCheck, slug).Scan(&check); {
	case err != nil:
		return err
	case check:
		return ErrInCheck
	}
	return ErrNotFound
}

// Servable returns those of the articles that may be shown now, in the order
// of ids.
func (s *Service) Servable(ctx context.Context, ids []uuid.UUID, staff bool) ([]Entry, error) {
	es, err := s.servables(ctx, sqlServable, staff, ids)
	if err != nil {
		return nil, err
	}
	at := make(map[uuid.UUID]Entry, len(es))
	for _, e := range es {
		at[e.Article.ID] = e
	}
	out := es[:0]
	for _, id := range ids {
		if e, ok := at[id]; ok {
			out = append(out, e)
			delete(at, id)
		}
	}
	return out, nil
}

// Translations returns the articles with the same key that may be shown now,
// by language.
func (s *Service) Translations(ctx context.Context, key string, staff bool) ([]Entry, error) {
	return s.servables(ctx, sqlTranslations, staff, key)
}

// ByService returns the articles of a service item in a language.
func (s *Service) ByService(ctx context.Context, code, lang string, staff bool) ([]Entry, error) {
	return s.servables(ctx, sqlByService, staff, code, lang)
}
