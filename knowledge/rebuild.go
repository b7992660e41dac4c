package knowledge

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// rebuildBatch is how many articles are read and indexed at once. An engine
// merges what it was given in pieces, so large ones save it work.
const rebuildBatch = 2000

// Rebuild fills corpus and index from PostgreSQL and removes what is no longer
// published. Articles that it finds as they were stay as they are: indexing
// costs far more than reading. It can run while the service answers.
// Errors: the database's and the index's.
func (s *Service) Rebuild(ctx context.Context) error {
	if err := s.Load(ctx); err != nil {
		return err
	}
	return s.Fill(ctx)
}

// Load fills the corpus, which is enough to answer: until [Service.Fill] is
// through, the corpus proposes what the index may lack. Errors: the database's.
func (s *Service) Load(ctx context.Context) error {
	if err := s.loadSynonyms(ctx); err != nil {
		return err
	}
	s.loads.Lock()
	defer s.loads.Unlock()
	started := s.Clock.Now()
	s.edits(map[string]bool{})
	defer s.edits(nil)
	stale := s.corpus.ids()
	total := 0
	err := s.readAhead(ctx, func(docs []Doc) error {
		for _, d := range docs {
			delete(stale, d.ID)
		}
		s.takeIn(docs)
		total += len(docs)
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.forget(ctx, stale); err != nil {
		return err
	}
	if s.shared() {
		err = s.Watch(ctx)
	} else {
		s.engine.compare(s.corpus.lacking(), s.corpus.Len())
	}
	s.Log.InfoContext(ctx, "knowledge loaded", "articles", total, "ms", s.Clock.Now().Sub(started).Milliseconds())
	return err
}

func (s *Service) edits(since map[string]bool) {
	s.indexing.Lock()
	s.edited = since
	s.indexing.Unlock()
}

// takeIn brings the corpus to a reading. It may be old by now: what was edited since the loading began is at its newest already.
func (s *Service) takeIn(docs []Doc) {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	docs = slices.DeleteFunc(docs, func(d Doc) bool { return s.edited[d.ID] })
	s.corpus.Put(s.corpus.changed(docs)...)
}

// progressEvery is how often a long filling is logged.
const progressEvery = 5 * time.Second

// Fill gives the index of this process what it lacks; a shared one follows its
// outbox instead. Errors: the database's and the index's.
func (s *Service) Fill(ctx context.Context) error {
	if s.shared() {
		return nil
	}
	s.fillings.Lock()
	defer s.fillings.Unlock()
	total := s.corpus.Len()
	started := s.Clock.Now()
	told, done, given := started, 0, 0
	s.engine.compare(s.corpus.lacking(), total)
	err := s.readAhead(ctx, func(docs []Doc) error {
		lacking, err := s.fillIn(ctx, docs)
		if err != nil {
			return err
		}
		done, given = done+len(docs), given+lacking
		s.engine.progress(done, max(total, done))
		if now := s.Clock.Now(); now.Sub(told) >= progressEvery {
			told = now
			s.Log.InfoContext(ctx, "knowledge index: rebuilding", "done", done, "of", max(total, done))
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.engine.filled()
	s.Log.InfoContext(ctx, "knowledge index rebuilt", "articles", done, "indexed", given, "ms", s.Clock.Now().Sub(started).Milliseconds())
	return nil
}

// fillIn gives the index those articles of a reading that it lacks, and counts them. The reading may be old by now: what the corpus has otherwise
// was changed since, and who changed it sees to the index.
func (s *Service) fillIn(ctx context.Context, docs []Doc) (int, error) {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	lacking := s.corpus.unindexed(docs)
	if err := s.Index.Put(ctx, lacking...); err != nil {
		return 0, fmt.Errorf("rebuild knowledge index: %w", err)
	}
	s.corpus.setIndexed(lacking...)
	return len(lacking), nil
}

// readAhead reads all articles that a search may find, the next batch while one is in hand.
func (s *Service) readAhead(ctx context.Context, use func(docs []Doc) error) error {
	ctx, cancel := context.WithCancel(ctx)
	read, failed := make(chan []Doc), make(chan error, 1)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer cancel()
	reader.Go(func() {
		defer close(read)
		failed <- s.walk(ctx, func(docs []Doc) error {
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

// walk reads all articles that a search may find, in batches. Errors: the database's; those of use.
func (s *Service) walk(ctx context.Context, use func(docs []Doc) error) error {
	after := uuid.Nil
	step := func() (int, error) {
		rows, err := s.Pool.Query(ctx, sqlIndexable, after, rebuildBatch)
		if err != nil {
			return 0, fmt.Errorf("read articles: %w", err)
		}
		entries, err := pgx.CollectRows(rows, scanEntry)
		if err != nil {
			return 0, fmt.Errorf("read articles: %w", err)
		}
		docs := make([]Doc, len(entries))
		each(len(entries), 16, func(i int) { docs[i] = entries[i].Article.doc(entries[i].Version) })
		if len(entries) > 0 {
			after = entries[len(entries)-1].Article.ID
		}
		return len(docs), use(docs)
	}
	for {
		if n, err := step(); err != nil || n < rebuildBatch {
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

// refresh brings articles up to date in corpus and index. Errors: the
// database's and the index's.
func (s *Service) refresh(ctx context.Context, ids []uuid.UUID) error {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	docs, gone, err := s.published(ctx, ids)
	if err != nil {
		return err
	}
	return s.put(ctx, docs, gone)
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

// put brings corpus and index to the same state, holding s.indexing. The corpus comes first: it
// decides, and must not know less than an index that failed.
func (s *Service) put(ctx context.Context, docs []Doc, gone []string) error {
	if s.edited != nil {
		for _, d := range docs {
			s.edited[d.ID] = true
		}
		for _, id := range gone {
			s.edited[id] = true
		}
	}
	changed := s.corpus.changed(docs)
	s.corpus.Put(changed...)
	s.corpus.Delete(gone...)
	if s.shared() { // the outbox has it; until the engine has, the corpus proposes it
		return nil
	}
	lacking := s.corpus.unindexed(docs)
	if err := s.Index.Put(ctx, lacking...); err != nil {
		return fmt.Errorf("knowledge index: %w", err)
	}
	s.corpus.setIndexed(lacking...)
	if err := s.Index.Delete(ctx, gone...); err != nil {
		return fmt.Errorf("knowledge index: %w", err)
	}
	return nil
}

// Reindex brings one article up to date on this node; an empty id means all of
// them. The application calls it for every hint that an article changed.
// Errors: ErrNotFound for what is no id; the database's and the index's.
func (s *Service) Reindex(ctx context.Context, article string) error {
	if article == "" {
		return s.Rebuild(ctx)
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
// the database's and the index's.
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
		return newest, s.Rebuild(ctx)
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
	if s.shared() {
		return nil // see Mirror
	}
	if err := s.Index.SetSynonyms(ctx, groups); err != nil {
		return fmt.Errorf("set synonyms: %w", err)
	}
	return nil
}
