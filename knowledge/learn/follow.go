package learn

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/knowledge/cluster"
)

// memory is the gaps as the follower compares with them.
type memory struct {
	clusters *cluster.Clusters
	gaps     []uuid.UUID // by index of the cluster
	at       map[uuid.UUID]int
	added    int
	decided  time.Time // newest decision of a person that is in here
}

// Bounds of the follower.
const (
	batchRows   = 500
	loadPerGap  = 40     // questions that describe a known gap
	loadAll     = 100000 // of all gaps together, the newest
	mergeEvery  = 200    // new questions between two looks for gaps that have become one
	settleBatch = 100    // gaps asked again in one step
)

const sqlNew = `select id, at, lang, question, outcome, follows, helped, by, conversation_id, article_id, gap_id from answers where not looked order by id limit $1 for update`

type answer struct {
	ID           uuid.UUID
	At           time.Time
	Lang         string
	Question     string
	Outcome      string
	Follows      bool
	Helped       *bool
	By           string
	Conversation *uuid.UUID
	Article      *uuid.UUID
	Gap          *uuid.UUID
}

// bad: the citizen was not told what they wanted to know.
func (a answer) bad() bool {
	return !a.Follows && a.Question != "" && a.By != knowledge.ByStaff && (a.Outcome == string(knowledge.None) || a.Helped != nil && !*a.Helped)
}

const (
	sqlPlace = `update answers set looked = true, gap_id = $2, agency_id = coalesce(agency_id, (select agency_id from gaps where id = $2)) where id = $1`
	sqlBegin = `insert into gaps (id, lang, title, first_at, last_at, agency_id) values ($1, $2, $3, $4, $4, $5)`
	// Questions that came while it was closed and found no good answer open it again.
	sqlRecount = `update gaps g set size = x.size, conversations = x.conversations, handed_off = x.handed, first_at = x.first, last_at = greatest(g.last_at, x.last), since = x.since,
			state = case when g.state = 'closed' and x.bad_since > 0 then 'open' else g.state end,
			closed_at = case when g.state = 'closed' and x.bad_since > 0 then null else g.closed_at end
		from (select a.gap_id, count(*) filter (where bad) as size, count(distinct coalesce(a.conversation_id, a.id)) filter (where bad) as conversations,
				count(*) filter (where bad and handed) as handed, min(a.at) as first, max(a.at) as last,
				count(*) filter (where k.closed_at is not null and a.at > k.closed_at) as since,
				count(*) filter (where bad and k.closed_at is not null and a.at > k.closed_at) as bad_since
			from answers a join gaps k on k.id = a.gap_id,
				lateral (select a.outcome = 'none' or a.helped is false as bad,
					exists (select from answers h where h.conversation_id = a.conversation_id and h.outcome = 'handoff' and h.question = a.question and h.id > a.id) as handed) y
			where a.gap_id = any($1) group by a.gap_id) x
		where g.id = x.gap_id`
)

// Step takes up what is new and returns how many rows it looked at; 0 means that nothing is waiting. It is for one node at a time.
func (s *Service) Step(ctx context.Context) (int, error) {
	n, err := s.step(ctx)
	if err != nil {
		s.mem = nil // what was placed may not be stored
	}
	return n, err
}

func (s *Service) step(ctx context.Context) (int, error) {
	if s.mem == nil {
		if err := s.load(ctx); err != nil {
			return 0, err
		}
	}
	n := 0
	err := s.turn(ctx, func(tx db.Tx) error {
		if err := s.heed(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sqlNew, batchRows)
		if err != nil {
			return err
		}
		as, err := pgx.CollectRows(rows, pgx.RowToStructByPos[answer])
		if err != nil {
			return err
		}
		n = len(as)
		return s.place(ctx, tx, as)
	})
	if err != nil {
		return 0, fmt.Errorf("learn: follow: %w", err)
	}
	if n == 0 {
		if err := s.settle(ctx); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func (s *Service) place(ctx context.Context, tx db.Tx, as []answer) error {
	b := &pgx.Batch{}
	touched := map[uuid.UUID]bool{}
	for _, a := range as {
		gap := a.Gap
		if gap == nil && a.Question != "" && !a.Follows {
			text := knowledge.ClusterText(a.Question, a.Lang)
			if a.bad() {
				gap = s.gapFor(b, a, text)
			} else if i, ok := s.mem.clusters.Near(text); ok {
				gap = &s.mem.gaps[i] // a question like those of a gap that is answered now
			}
		}
		if gap != nil {
			touched[*gap] = true
		}
		b.Queue(sqlPlace, a.ID, gap)
		queueConfirmed(b, a)
	}
	if s.mem.added >= mergeEvery {
		s.mem.added = 0
		fixed, err := s.fixed(ctx, tx)
		if err != nil {
			return err
		}
		for _, m := range s.mem.clusters.Merge(func(i int) bool { return fixed[s.mem.gaps[i]] }) {
			from, into := s.mem.gaps[m[0]], s.mem.gaps[m[1]]
			queueMerge(b, from, into, "", uuid.Nil, s.Clock.Now())
			touched[into] = true
		}
	}
	ids := make([]uuid.UUID, 0, len(touched))
	for id := range touched {
		ids = append(ids, id)
	}
	if len(ids) > 0 {
		b.Queue(sqlRecount, ids)
	}
	return tx.SendBatch(ctx, b).Close()
}

const sqlFixed = `select id from gaps where state <> 'open' or assigned`

// fixed are the gaps that somebody works on: they keep their shape.
func (s *Service) fixed(ctx context.Context, tx db.Tx) (map[uuid.UUID]bool, error) {
	rows, err := tx.Query(ctx, sqlFixed)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	out := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

// gapFor places an unanswered question, into a new gap when it is like no other.
func (s *Service) gapFor(b *pgx.Batch, a answer, text cluster.Text) *uuid.UUID {
	i := s.mem.clusters.Add(text)
	if i < 0 {
		return nil // nothing in it to compare
	}
	s.mem.added++
	if i < len(s.mem.gaps) {
		return &s.mem.gaps[i]
	}
	id := db.NewID()
	s.mem.gaps = append(s.mem.gaps, id)
	s.mem.at[id] = i
	var agency uuid.UUID
	if s.Responsible != nil {
		agency = s.Responsible(a.Question)
	}
	b.Queue(sqlBegin, id, text.Lang, clip(a.Question, maxTitle), a.At, optional(agency))
	return &id
}

const (
	sqlKnown = `select g.id, g.lang from gaps g where g.state <> 'merged' order by g.id`
	sqlTexts = `select gap_id, lang, question from (select gap_id, lang, question, id, row_number() over (partition by gap_id order by id desc) as n from answers
			where gap_id is not null and question <> '' and (outcome = 'none' or helped is false)) x where n <= $1 order by id desc limit $2`
	sqlDecided = `select id, merged_into, decided_at from gaps where decided_at >= $1 and state = 'merged' order by decided_at`
	sqlNewest  = `select coalesce(max(decided_at), 'epoch') from gaps`
)

// load reads the gaps and the questions that describe them.
func (s *Service) load(ctx context.Context) error {
	m := &memory{clusters: cluster.New(), at: map[uuid.UUID]int{}}
	err := s.read(ctx, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlKnown)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var lang, question string
		if _, err = pgx.ForEachRow(rows, []any{&id, &lang}, func() error {
			m.at[id] = m.clusters.Begin(lang)
			m.gaps = append(m.gaps, id)
			return nil
		}); err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, sqlTexts, loadPerGap, loadAll); err != nil {
			return err
		}
		if _, err = pgx.ForEachRow(rows, []any{&id, &lang, &question}, func() error {
			m.clusters.Put(m.at[id], knowledge.ClusterText(question, lang))
			return nil
		}); err != nil {
			return err
		}
		return tx.QueryRow(ctx, sqlNewest).Scan(&m.decided)
	})
	if err != nil {
		return fmt.Errorf("learn: read gaps: %w", err)
	}
	s.mem = m
	return nil
}

// heed takes over what people have merged, on whichever node.
func (s *Service) heed(ctx context.Context, tx db.Tx) error {
	rows, err := tx.Query(ctx, sqlDecided, s.mem.decided)
	if err != nil {
		return err
	}
	var id, into uuid.UUID
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &into, &at}, func() error {
		s.mem.decided = at
		from, ok := s.mem.at[id]
		to, known := s.mem.at[into]
		if ok && known {
			s.mem.clusters.Join(from, to)
		}
		return nil
	})
	return err
}

// A change may commit, and reach this node's index, a little after its own time: for that long gaps are asked once more.
const (
	sqlStale = `select g.id, g.lang, array(select distinct question from (select question from answers a where a.gap_id = g.id and question <> '' and (outcome = 'none' or helped is false) order by a.id desc limit 6) x),
			array(select distinct article_id::text || ':' || version from answers a where a.gap_id = g.id and helped is false and article_id is not null)
		from gaps g where g.state in ('open', 'drafted') and g.checked_at < (select coalesce(max(updated_at), 'epoch') from articles) + interval '15 seconds' order by g.checked_at, g.size desc limit $1`
	sqlChecked = `update gaps set checked_at = $2 where id = $1`
	sqlAnswers = `update gaps set state = 'closed', closed_at = $2, checked_at = $2, article_id = $3, version = $4 where id = $1 and state in ('open', 'drafted')`
)

// settle asks gaps again whose articles may have come, and closes those that are answered now: by most of their newest questions, and not by a
// text that they found useless.
func (s *Service) settle(ctx context.Context) error {
	type stale struct {
		ID        uuid.UUID
		Lang      string
		Questions []string
		Useless   []string // article:version that did not help these citizens
	}
	now := s.Clock.Now()
	var list []stale
	err := s.read(ctx, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlStale, settleBatch)
		if err == nil {
			list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[stale])
		}
		return err
	})
	if err != nil || len(list) == 0 {
		return err
	}
	b := &pgx.Batch{}
	for _, g := range list {
		yes, best := 0, knowledge.Citation{}
		for _, q := range g.Questions {
			a, err := s.Knowledge.Answer(ctx, q, g.Lang)
			if err != nil {
				return fmt.Errorf("learn: ask a gap again: %w", err)
			}
			if a.Outcome == knowledge.Answered && !slices.Contains(g.Useless, a.Citations[0].Article+":"+strconv.Itoa(a.Citations[0].Version)) {
				yes, best = yes+1, a.Citations[0]
			}
		}
		if id, err := uuid.Parse(best.Article); err == nil && 2*yes > len(g.Questions) {
			b.Queue(sqlAnswers, g.ID, now, id, best.Version)
		} else {
			b.Queue(sqlChecked, g.ID, now)
		}
	}
	return s.turn(ctx, func(tx db.Tx) error { return tx.SendBatch(ctx, b).Close() })
}

const maxTitle = 200

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
