package knowledge

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// readBatch is how many articles are read at once.
const readBatch = 1000

// loading is a reading of all articles.
type loading struct {
	into   *Corpus
	edited map[string]bool // that an edit has put since it began: they are at their newest already
}

// Load brings the corpus to what PostgreSQL has, which is all that answering
// needs. Articles that it finds as they were stay as they are: analysing costs
// far more than reading. It can run while the service answers. Errors: the
// database's.
func (s *Service) Load(ctx context.Context) error {
	s.loads.Lock()
	defer s.loads.Unlock()
	started := s.Clock.Now()
	corpus := s.corpus()
	stale := corpus.ids()
	defer s.reads(nil)
	total, err := s.readInto(ctx, corpus, func(docs []Doc, _, _ int) {
		for _, d := range docs {
			delete(stale, d.ID)
		}
	})
	if err != nil {
		return err
	}
	if err := s.forget(ctx, stale); err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "knowledge loaded", "articles", total, "ms", s.Clock.Now().Sub(started).Milliseconds())
	return s.Watch(ctx)
}

// Rebuild reads all articles into a new corpus, while the present one answers,
// and puts it in its place. Errors: the database's; the present corpus stays then.
func (s *Service) Rebuild(ctx context.Context) error {
	s.loads.Lock()
	defer s.loads.Unlock()
	started := s.Clock.Now()
	next := NewCorpus()
	defer s.engine.loaded()
	defer s.reads(nil)
	s.engine.read(0, s.corpus().Len())
	total, err := s.readInto(ctx, next, func(_ []Doc, done, total int) { s.engine.read(done, total) })
	if err != nil {
		return err
	}
	s.indexing.Lock()
	s.held.Store(next)
	s.loading = nil
	s.indexing.Unlock()
	s.Log.InfoContext(ctx, "knowledge loaded anew", "articles", total, "ms", s.Clock.Now().Sub(started).Milliseconds())
	return nil
}

// spare is how many cores work that can wait uses while others search, and
// breath how many times longer than it rests it works, for those who wait for a core.
func spare() int { return max(1, runtime.GOMAXPROCS(0)/2) }

const breath = 3

// reads notes a loading, from whose beginning on edits are remembered; nil: its end.
func (s *Service) reads(l *loading) {
	s.indexing.Lock()
	s.loading = l
	s.indexing.Unlock()
}

// progressEvery is how often a long reading is logged.
const progressEvery = 5 * time.Second

// readInto reads the synonyms and all articles into a corpus, telling how far it is, and counts the articles. Once the node has some, others search and come
// first.
func (s *Service) readInto(ctx context.Context, corpus *Corpus, told func(docs []Doc, done, total int)) (done int, err error) {
	cores, others := runtime.GOMAXPROCS(0), s.corpus().Len() > 0
	if others {
		cores = spare()
	}
	s.reads(&loading{into: corpus, edited: map[string]bool{}})
	if err := s.loadSynonyms(ctx); err != nil {
		return 0, err
	}
	total, logged := 0, s.Clock.Now()
	if err := s.Pool.QueryRow(ctx, sqlLive).Scan(&total); err != nil {
		return 0, fmt.Errorf("count articles: %w", err)
	}
	use := func(docs []Doc) error {
		for some := range slices.Chunk(docs, 100) {
			began := time.Now()
			s.takeIn(corpus, cores, some)
			if others {
				rest(ctx, time.Since(began)/breath)
			}
		}
		done += len(docs)
		told(docs, done, max(total, done))
		if now := s.Clock.Now(); now.Sub(logged) >= progressEvery {
			logged = now
			s.Log.InfoContext(ctx, "knowledge: loading", "done", done, "of", max(total, done))
		}
		return ctx.Err()
	}
	if cores > 1 {
		err = s.readAhead(ctx, cores, use)
	} else {
		err = s.walk(ctx, cores, use)
	}
	return done, err
}

func rest(ctx context.Context, long time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(long):
	}
}

// takeIn brings a corpus to a reading. It may be old by now: what was edited since the loading began is at its newest already.
func (s *Service) takeIn(corpus *Corpus, cores int, docs []Doc) {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	read := make([]Doc, 0, len(docs))
	for _, d := range docs {
		if !s.loading.edited[d.ID] {
			read = append(read, d)
		}
	}
	corpus.put(cores, corpus.changed(read))
}

// readAhead reads all articles that a search may find, the next batch while one is in hand.
func (s *Service) readAhead(ctx context.Context, cores int, use func(docs []Doc) error) error {
	ctx, cancel := context.WithCancel(ctx)
	read, failed := make(chan []Doc), make(chan error, 1)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer cancel()
	reader.Go(func() {
		defer close(read)
		failed <- s.walk(ctx, cores, func(docs []Doc) error {
			select {
			case read <- docs:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	for docs := range read {
		if err := use(docs); err != nil {
			return err
		}
	}
	return <-failed
}

// walk reads all articles that a search may find, in batches, using so many cores. Errors: the database's; those of use.
func (s *Service) walk(ctx context.Context, cores int, use func(docs []Doc) error) error {
	after := uuid.Nil
	step := func() (int, error) {
		rows, err := s.Pool.Query(ctx, sqlIndexable, after, readBatch)
		if err != nil {
			return 0, fmt.Errorf("read articles: %w", err)
		}
		entries, err := pgx.CollectRows(rows, scanEntry)
		if err != nil {
			return 0, fmt.Errorf("read articles: %w", err)
		}
		docs := make([]Doc, len(entries))
		each(cores, len(entries), 16, func(i int) { docs[i] = entries[i].Article.doc(entries[i].Version) })
		if len(entries) > 0 {
			after = entries[len(entries)-1].Article.ID
		}
		return len(docs), use(docs)
	}
	for {
		if n, err := step(); err != nil || n < readBatch {
			return err
		}
	}
}

// forget takes those articles out that are no longer published: they are
// asked for once more, as one may have come back since.
func (s *Service) forget(ctx context.Context, stale map[string]bool) error {
	if len(stale) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, 0, len(stale))
	for id := range stale {
		if u, err := uuid.Parse(id); err == nil {
			ids = append(ids, u)
		}
	}
	return s.refresh(ctx, ids)
}

// refresh brings articles up to date in the corpus. Errors: the database's.
func (s *Service) refresh(ctx context.Context, ids []uuid.UUID) error {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	docs, gone, err := s.published(ctx, ids)
	if err != nil {
		return err
	}
	s.put(docs, gone)
	return nil
}

// published reads those of the articles that a search may find, and names the
// others.
func (s *Service) published(ctx context.Context, ids []uuid.UUID) (docs []Doc, gone []string, err error) {
	entries, err := s.indexableEntries(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	there := make(map[uuid.UUID]bool, len(entries))
	docs = make([]Doc, len(entries))
	for i, e := range entries {
		docs[i] = e.Article.doc(e.Version)
		there[e.Article.ID] = true
	}
	for _, id := range ids {
		if !there[id] {
			gone = append(gone, id.String())
		}
	}
	return docs, gone, nil
}

func (s *Service) indexableEntries(ctx context.Context, ids []uuid.UUID) ([]Entry, error) {
	rows, err := s.Pool.Query(ctx, sqlIndexableByIDs, ids)
	if err != nil {
		return nil, fmt.Errorf("read articles: %w", err)
	}
	entries, err := pgx.CollectRows(rows, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read articles: %w", err)
	}
	return entries, nil
}

// put brings the corpus, and one that is being loaded in its place, to a state of articles, holding s.indexing. A shared index has its outbox; until
// it has them, the corpus proposes them.
func (s *Service) put(docs []Doc, gone []string) {
	now := []*Corpus{s.corpus()}
	if l := s.loading; l != nil {
		for _, d := range docs {
			l.edited[d.ID] = true
		}
		for _, id := range gone {
			l.edited[id] = true
		}
		if l.into != now[0] {
			now = append(now, l.into)
		}
	}
	for _, c := range now {
		c.Put(c.changed(docs)...)
		c.Delete(gone...)
	}
}

// Reindex brings one article up to date on this node; an empty id means all of
// them. The application calls it for every hint that an article changed.
// Errors: ErrNotFound for what is no id; the database's.
func (s *Service) Reindex(ctx context.Context, article string) error {
	if article == "" {
		return s.Load(ctx)
	}
	id, err := uuid.Parse(article)
	if err != nil {
		return ErrNotFound.Wrap(err)
	}
	return s.refresh(ctx, []uuid.UUID{id})
}

// catchUpSlack: a change may be stamped before and committed after another one.
const catchUpSlack = time.Minute

// catchUpLimit is the number of changed articles from which on everything is
// compared.
const catchUpLimit = 5000

// CatchUp brings what changed since a time up to date and returns the time up
// to which it looked. It is what makes up for a hint that was lost. Errors:
// the database's.
func (s *Service) CatchUp(ctx context.Context, since time.Time) (time.Time, error) {
	rows, err := s.Pool.Query(ctx, sqlChangedSince, since.Add(-catchUpSlack), catchUpLimit)
	if err != nil {
		return since, fmt.Errorf("changed articles: %w", err)
	}
	type change struct {
		ID uuid.UUID
		At time.Time
	}
	changes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[change])
	if err != nil {
		return since, fmt.Errorf("changed articles: %w", err)
	}
	newest := since
	ids := make([]uuid.UUID, len(changes))
	for i, c := range changes {
		ids[i] = c.ID
		if c.At.After(newest) {
			newest = c.At
		}
	}
	if len(changes) == 0 || newest.Equal(since) {
		return since, nil
	}
	if len(changes) == catchUpLimit {
		return newest, s.Load(ctx)
	}
	if err := s.loadSynonyms(ctx); err != nil {
		return since, err
	}
	return newest, s.refresh(ctx, ids)
}

// changed makes a committed change visible to searches: here at once, on the
// other nodes by a hint. The commit stands whatever happens here, so failures
// are logged: a search re-reads what it serves.
func (s *Service) changed(ctx context.Context, article string) {
	if err := s.Reindex(context.WithoutCancel(ctx), article); err != nil {
		s.Log.ErrorContext(ctx, "knowledge not up to date", "article", article, "error", err)
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
	s.indexing.Lock()
	defer s.indexing.Unlock()
	s.corpus().SetSynonyms(groups)
	if s.loading != nil {
		s.loading.into.SetSynonyms(groups)
	}
	return nil
}
