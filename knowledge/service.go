package knowledge

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/errs"
)

// Deps are what a Service needs.
type Deps struct {
	Pool  *pgxpool.Pool
	Index Index
	Clock clock.Clock
	Log   *slog.Logger
	// Location is where the jurisdiction's days begin; nil means UTC.
	Location *time.Location
	// Changed tells the other nodes, after the commit, that an article
	// changed ("" means that much did: rebuild). May be nil.
	Changed func(article string)
	// Thresholds of answers; the zero value means DefaultThresholds.
	Thresholds Thresholds
}

// Service is the knowledge base of one installation. It is safe for
// concurrent use.
type Service struct {
	Deps
	corpus *Corpus
	// indexing is held while rows are read and indexed, so that an older
	// reading never overwrites a newer one.
	indexing sync.Mutex
}

// New makes a service whose index and corpus are still empty; call Rebuild.
func New(d Deps) *Service {
	if d.Location == nil {
		d.Location = time.UTC
	}
	if d.Thresholds == (Thresholds{}) {
		d.Thresholds = DefaultThresholds
	}
	return &Service{Deps: d, corpus: NewCorpus()}
}

// today is the jurisdiction's date, as PostgreSQL's date type carries it.
func (s *Service) today() time.Time {
	y, m, d := s.Clock.Now().In(s.Location).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

const rebuildBatch = 500

// Rebuild fills index and corpus from PostgreSQL, in batches, and removes what
// is no longer published. Articles that it finds as they were stay as they are:
// indexing costs far more than reading. It can run while the service answers. Errors: the
// database's and the index's.
func (s *Service) Rebuild(ctx context.Context) error {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	if err := s.loadSynonyms(ctx); err != nil {
		return err
	}
	stale := s.corpus.ids()
	after, total := uuid.Nil, 0
	for {
		rows, err := s.Pool.Query(ctx, sqlIndexable, after, rebuildBatch)
		if err != nil {
			return fmt.Errorf("rebuild knowledge index: %w", err)
		}
		entries, err := pgx.CollectRows(rows, scanEntry)
		if err != nil {
			return fmt.Errorf("rebuild knowledge index: %w", err)
		}
		docs := make([]Doc, len(entries))
		for i, e := range entries {
			docs[i] = e.Article.doc(e.Version)
			delete(stale, docs[i].ID)
			after = e.Article.ID
		}
		changed := s.corpus.changed(docs)
		if err := s.Index.Put(ctx, changed...); err != nil {
			return fmt.Errorf("rebuild knowledge index: %w", err)
		}
		s.corpus.Put(changed...) // last: what the corpus has, the index has
		if total += len(docs); len(docs) < rebuildBatch {
			break
		}
	}
	gone := make([]string, 0, len(stale))
	for id := range stale {
		gone = append(gone, id)
	}
	s.corpus.Delete(gone...)
	if err := s.Index.Delete(ctx, gone...); err != nil {
		return fmt.Errorf("rebuild knowledge index: %w", err)
	}
	s.Log.InfoContext(ctx, "knowledge index rebuilt", "articles", total)
	return nil
}

// Reindex brings one article up to date on this node; an empty id means all of
// them. The application calls it for every hint that an article changed.
// Errors: the database's and the index's.
func (s *Service) Reindex(ctx context.Context, article string) error {
	if article == "" {
		return s.Rebuild(ctx)
	}
	id, err := uuid.Parse(article)
	if err != nil {
		return ErrNotFound.Wrap(err)
	}
	s.indexing.Lock()
	defer s.indexing.Unlock()
	rows, err := s.Pool.Query(ctx, sqlIndexableByID, id)
	e, err := one(rows, err, scanEntry)
	switch {
	case errs.KindOf(err) == errs.NotFound:
		s.corpus.Delete(id.String())
		return s.Index.Delete(ctx, id.String())
	case err != nil:
		return fmt.Errorf("reindex article: %w", err)
	}
	d := e.Article.doc(e.Version)
	if err := s.Index.Put(ctx, d); err != nil {
		return err
	}
	s.corpus.Put(d)
	return nil
}

// changed makes a committed change visible to searches: here at once, on the
// other nodes by a hint. The commit stands whatever happens here, so failures
// are logged: a search re-reads what it serves.
func (s *Service) changed(ctx context.Context, article string) {
	if err := s.Reindex(context.WithoutCancel(ctx), article); err != nil {
		s.Log.ErrorContext(ctx, "knowledge index not updated", "article", article, "error", err)
	}
	if s.Changed != nil {
		s.Changed(article)
	}
}

func (s *Service) loadSynonyms(ctx context.Context) error {
	groups, err := s.Synonyms(ctx)
	if err != nil {
		return err
	}
	s.corpus.SetSynonyms(groups)
	if err := s.Index.SetSynonyms(ctx, groups); err != nil {
		return fmt.Errorf("set synonyms: %w", err)
	}
	return nil
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
// Errors: ErrNotFound, also for one that exists but may not be shown.
func (s *Service) BySlug(ctx context.Context, slug string, staff bool) (Entry, error) {
	es, err := s.servables(ctx, sqlServableBySlug, staff, slug)
	if err != nil {
		return Entry{}, err
	}
	if len(es) == 0 {
		return Entry{}, ErrNotFound
	}
	return es[0], nil
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
