package knowledge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// sharedEngine is the name of the shared engine's row and outbox.
const sharedEngine = "meili"

// Statements of the shared engine; migration 00047 says what the rows are.
const (
	sqlEnginePresent  = `insert into search_engines (name) values ($1) on conflict do nothing`
	sqlEngine         = `select mark, wanted, done, total, rebuilt_at, error_code, error, failing_since, (select count(*) from article_outbox o where o.engine = e.name), coalesce((select min(changed_at) from article_outbox o where o.engine = e.name), now()) from search_engines e where name = $1`
	sqlEngineProgress = `update search_engines set done = $2, total = $3 where name = $1`
	sqlEngineRebuilt  = `update search_engines set mark = $2, rebuilt_at = $3, done = 0, total = 0, wanted = false where name = $1`
	sqlEngineWanted   = `update search_engines set wanted = true where name = $1`
	sqlEngineWell     = `update search_engines set error_code = '', error = '', failing_since = null where name = $1 and failing_since is not null`
	sqlEngineFails    = `update search_engines set error_code = $2, error = $3, failing_since = coalesce(failing_since, $4) where name = $1`
	sqlOutbox         = `select article_id, serial from article_outbox where engine = $1 order by serial limit $2`
	sqlOutboxDone     = `delete from article_outbox o using unnest($2::uuid[], $3::bigint[]) d(id, serial) where o.engine = $1 and o.article_id = d.id and o.serial = d.serial`
	sqlLive           = `select count(*) from articles a join article_versions v on v.article_id = a.id and v.version = a.live`
)

// engineRow is what PostgreSQL knows of the shared engine.
type engineRow struct {
	Mark         string
	Wanted       bool
	Done, Total  int
	RebuiltAt    *time.Time
	Fault        Fault
	FailingSince *time.Time
	Pending      int
	Oldest       time.Time
}

func (s *Service) engineRow(ctx context.Context) (row engineRow, err error) {
	err = db.ReadTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlEngine, sharedEngine)
		if err != nil {
			return err
		}
		row, err = pgx.CollectExactlyOneRow(rows, func(r pgx.CollectableRow) (row engineRow, err error) {
			return row, r.Scan(&row.Mark, &row.Wanted, &row.Done, &row.Total, &row.RebuiltAt, &row.Fault.Code, &row.Fault.Cause, &row.FailingSince, &row.Pending, &row.Oldest)
		})
		return err
	})
	return row, err
}

func (s *Service) engineExec(ctx context.Context, sql string, args ...any) error {
	return db.WithTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sql, append([]any{sharedEngine}, args...)...)
		return err
	})
}

// Times of the shared engine.
const (
	mirrorEvery = 2 * time.Second
	checkEvery  = 5 * time.Minute // whether the index is the one that was built
	outboxBatch = 500
	// lateAfter is how long a change may wait in the outbox before nodes search by themselves: then more than the last minute's edits are missing.
	lateAfter = 30 * time.Second
)

// Mirror brings the shared engine up to date and keeps it so until ctx ends. It
// runs on one node at a time; kick wakes it when an article has changed.
// A failure is kept for the operator and tried again: what waits in the outbox
// waits in PostgreSQL.
func (s *Service) Mirror(ctx context.Context, kick <-chan struct{}) {
	if s.Index == nil {
		return
	}
	m := mirror{Service: s}
	for pause := mirrorEvery; ctx.Err() == nil; {
		err := m.step(ctx)
		switch {
		case err == nil:
			pause = mirrorEvery
		case ctx.Err() != nil:
			return
		default:
			s.Log.WarnContext(ctx, "search engine not up to date; it is tried again", "error", err, "again_in", pause.String())
			pause = min(2*pause, longestPause)
		}
		select {
		case <-ctx.Done():
		case <-kick:
			if err != nil { // no use in asking at every edit an engine that is away
				select {
				case <-ctx.Done():
				case <-time.After(pause):
				}
			}
		case <-time.After(pause):
		}
	}
}

// MirrorOnce is one round of Mirror. Errors: the engine's and the database's.
func (s *Service) MirrorOnce(ctx context.Context) error {
	if s.Index == nil {
		return nil
	}
	return (&mirror{Service: s}).step(ctx)
}

type mirror struct {
	*Service
	checked time.Time
	groups  []SynonymGroup // that the engine was given
	given   bool
}

func (m *mirror) step(ctx context.Context) error {
	err := m.work(ctx)
	var told error
	switch {
	case err == nil:
		told = m.engineExec(ctx, sqlEngineWell)
	case ctx.Err() == nil:
		why := faultOf(err, ErrEngineSlow, ErrEngineFails)
		told = m.engineExec(ctx, sqlEngineFails, why.Code, why.Cause, m.Clock.Now())
	}
	return errors.Join(err, told)
}

func (m *mirror) work(ctx context.Context) error {
	if err := m.engineExec(ctx, sqlEnginePresent); err != nil { // from here on every change leaves a row
		return err
	}
	row, err := m.engineRow(ctx)
	if err != nil {
		return err
	}
	why := ""
	switch {
	case row.Wanted:
		why = "asked for"
	case row.Mark != m.Index.Mark():
		why = "new index or settings"
	case row.Pending == 0 && m.Clock.Now().Sub(m.checked) >= checkEvery:
		if why, err = m.check(ctx); err != nil {
			return err
		}
	}
	if why != "" {
		return m.rebuild(ctx, why)
	}
	if err := m.synonyms(ctx); err != nil {
		return err
	}
	return m.drain(ctx)
}

// check compares the number of documents: an engine that lost its disk, or that another installation wrote to, is built anew.
func (m *mirror) check(ctx context.Context) (why string, err error) {
	want := 0
	if err := m.Pool.QueryRow(ctx, sqlLive).Scan(&want); err != nil {
		return "", err
	}
	have, err := m.Index.Count(ctx)
	if err != nil {
		return "", err
	}
	m.checked = m.Clock.Now()
	if have == want {
		return "", nil
	}
	row, err := m.engineRow(ctx)
	if err != nil || row.Pending > 0 { // something was published in between
		return "", err
	}
	return fmt.Sprintf("the engine holds %d articles of %d", have, want), nil
}

func (m *mirror) synonyms(ctx context.Context) error {
	groups, err := m.Synonyms(ctx)
	if err != nil {
		return err
	}
	same := func(a, b SynonymGroup) bool { return a.Lang == b.Lang && slices.Equal(a.Terms, b.Terms) }
	if m.given && slices.EqualFunc(groups, m.groups, same) {
		return nil
	}
	if err := m.Index.SetSynonyms(ctx, groups); err != nil {
		return err
	}
	m.groups, m.given = groups, true
	return nil
}

// change is a row of the outbox.
type change struct {
	ID     uuid.UUID
	Serial int64
}

func (m *mirror) outbox(ctx context.Context, most int) (out []change, err error) {
	err = db.ReadTx(ctx, m.Pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlOutbox, sharedEngine, most)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[change])
		return err
	})
	return out, err
}

// done removes what the engine was given. A row that changed since it was read stays.
func (m *mirror) done(ctx context.Context, changes []change) error {
	for part := range slices.Chunk(changes, 10_000) {
		ids, serials := make([]uuid.UUID, len(part)), make([]int64, len(part))
		for i, c := range part {
			ids[i], serials[i] = c.ID, c.Serial
		}
		if err := m.engineExec(ctx, sqlOutboxDone, ids, serials); err != nil {
			return err
		}
	}
	return nil
}

// drain gives the engine what changed. The texts are read after the rows, so they are at least as new.
func (m *mirror) drain(ctx context.Context) error {
	for {
		changes, err := m.outbox(ctx, outboxBatch)
		if err != nil || len(changes) == 0 {
			return err
		}
		ids := make([]uuid.UUID, len(changes))
		for i, c := range changes {
			ids[i] = c.ID
		}
		docs, gone, err := m.published(ctx, ids)
		if err != nil {
			return err
		}
		if err := m.Index.Put(ctx, docs...); err != nil {
			return err
		}
		if err := m.Index.Delete(ctx, gone...); err != nil {
			return err
		}
		if err := m.done(ctx, changes); err != nil {
			return err
		}
	}
}

// rebuild builds the engine's index anew beside the old one.
func (m *mirror) rebuild(ctx context.Context, why string) error {
	started := m.Clock.Now()
	m.Log.InfoContext(ctx, "search engine: rebuilding", "why", why)
	// Exactly these rows are settled by the rebuild: what they say was committed before the texts are read.
	settled, err := m.outbox(ctx, 1<<30)
	if err != nil {
		return err
	}
	groups, err := m.Synonyms(ctx)
	if err != nil {
		return err
	}
	total, done, told := 0, 0, started
	if err := m.Pool.QueryRow(ctx, sqlLive).Scan(&total); err != nil {
		return err
	}
	if err := m.engineExec(ctx, sqlEngineProgress, 0, max(1, total)); err != nil {
		return err
	}
	stop := errors.New("stop")
	err = m.Index.Replace(ctx, groups, func(yield func([]Doc, error) bool) {
		err := m.walk(ctx, spare(), func(docs []Doc) error {
			if !yield(docs, nil) {
				return stop
			}
			done += len(docs)
			if now := m.Clock.Now(); now.Sub(told) >= progressEvery {
				told = now
				m.Log.InfoContext(ctx, "search engine: rebuilding", "done", done, "of", max(total, done))
			}
			return m.engineExec(ctx, sqlEngineProgress, done, max(total, done))
		})
		if err != nil && !errors.Is(err, stop) {
			yield(nil, err)
		}
	})
	if err != nil {
		return err
	}
	m.groups, m.given, m.checked = groups, true, m.Clock.Now()
	if err := m.done(ctx, settled); err != nil {
		return err
	}
	m.Log.InfoContext(ctx, "search engine rebuilt", "articles", done, "ms", m.Clock.Now().Sub(started).Milliseconds())
	return m.engineExec(ctx, sqlEngineRebuilt, m.Index.Mark(), m.Clock.Now())
}

// Watch looks at how far behind the shared engine is, so that this node
// searches by itself while more than the last edits are missing. Errors: the database's, ctx's own.
func (s *Service) Watch(ctx context.Context) error {
	if s.Index == nil {
		return nil
	}
	row, err := s.engineRow(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		row, err = engineRow{}, nil // no node has reached for it yet
	}
	if err != nil {
		return fmt.Errorf("search engine: %w", err)
	}
	failing := s.engine.follow(row, s.Clock.Now())
	if failing { // where nobody searches, nothing else would ask whether it is well again
		_, err = s.propose(ctx, Query{Text: "hotline", Limit: 1})
	}
	return err
}

// follow notes what PostgreSQL says of a shared engine.
func (e *engine) follow(row engineRow, now time.Time) (failing bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.filling = row.Mark == "" || row.Pending > 0 && now.Sub(row.Oldest) > lateAfter
	e.done, e.total, e.pending = row.Done, row.Total, row.Pending
	e.fault, e.wanted = row.Fault, row.Wanted
	return !e.since.IsZero()
}

// AskForRebuild has what is searched built anew, while searches go on: the
// corpus of this process by whoever waits for [Service.RebuildWanted], a shared
// index by the node that follows its outbox. Errors: ErrNotEngine; the database's.
func (s *Service) AskForRebuild(ctx context.Context, by Staff) error {
	if !by.MayRebuild() {
		return ErrNotEngine
	}
	if s.Index != nil {
		if err := s.engineExec(ctx, sqlEnginePresent); err != nil {
			return err
		}
		if err := s.engineExec(ctx, sqlEngineWanted); err != nil {
			return err
		}
		return s.Watch(ctx)
	}
	s.engine.read(0, s.corpus().Len())
	select {
	case s.wanted <- struct{}{}:
	default: // it was asked for already
	}
	return nil
}

// RebuildWanted tells that [Service.Rebuild] was asked for.
func (s *Service) RebuildWanted() <-chan struct{} { return s.wanted }
