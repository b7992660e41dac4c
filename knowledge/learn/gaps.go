package learn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/knowledge"
)

// States of a gap. A draft that is made of it does not close it: being answered does.
const (
	Open      = "open"
	Drafted   = "drafted"
	Closed    = "closed"
	Dismissed = "dismissed"
	Merged    = "merged"
)

// Gap is a question that found no good answer, in all the words in which it was asked.
type Gap struct {
	ID            uuid.UUID
	Lang          string
	Title         string
	State         string
	Size          int // questions without a good answer
	Conversations int // distinct ones
	HandedOff     int // questions that a person was asked for after
	Since         int // questions since it was closed
	FirstAt       time.Time
	LastAt        time.Time
	Agency        uuid.UUID // who should know
	Assigned      bool      // a person said so
	Article       uuid.UUID // the draft made of it, or the article that answers it
	Version       int
	Into          uuid.UUID
	Reason        string
	DecidedBy     uuid.UUID
	DecidedAt     *time.Time
	ClosedAt      *time.Time
	// Week and Before are its questions of the last seven days and of the seven before.
	Week, Before int
}

const gapColumns = `g.id, g.lang, g.title, g.state, g.size, g.conversations, g.handed_off, g.since, g.first_at, g.last_at, g.agency_id, g.assigned,
	g.article_id, coalesce(g.version, 0), g.merged_into, g.reason, g.decided_by, g.decided_at, g.closed_at`

func scanGap(row pgx.CollectableRow) (Gap, error) {
	var g Gap
	var agency, article, into, by *uuid.UUID
	err := row.Scan(&g.ID, &g.Lang, &g.Title, &g.State, &g.Size, &g.Conversations, &g.HandedOff, &g.Since, &g.FirstAt, &g.LastAt, &agency, &g.Assigned,
		&article, &g.Version, &into, &g.Reason, &by, &g.DecidedAt, &g.ClosedAt)
	g.Agency, g.Article, g.Into, g.DecidedBy = value(agency), value(article), value(into), value(by)
	return g, err
}

// GapFilter chooses gaps. The zero value lists the open ones, the largest first.
type GapFilter struct {
	State string
	Lang  string
	After Gap // the last of the page before; its Size and ID count
	Limit int
}

const (
	sqlGaps = `select ` + gapColumns + ` from gaps g where g.state = $1 and ($2 = '' or g.lang = $2) and ($3::uuid is null or (g.size, g.id) < ($4, $3))
		order by g.size desc, g.id desc limit $5`
	sqlTrend = `select gap_id, count(*) filter (where at > $2), count(*) filter (where at <= $2) from answers
		where gap_id = any($1) and at > $3 and (outcome = 'none' or helped is false) group by gap_id`
	sqlGap    = `select ` + gapColumns + ` from gaps g where g.id = $1`
	sqlLock   = sqlGap + ` for update`
	sqlCounts = `select state, count(*)::int from gaps where state <> 'merged' group by state`
)

const maxGaps = 100

// Gaps lists gaps that the actor may see, the largest first, with their trend.
func (s *Service) Gaps(ctx context.Context, actor db.Actor, f GapFilter) ([]Gap, error) {
	if f.State == "" {
		f.State = Open
	}
	if f.Limit <= 0 || f.Limit > maxGaps {
		f.Limit = 25
	}
	var list []Gap
	err := s.read(ctx, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlGaps, f.State, f.Lang, optional(f.After.ID), f.After.Size, f.Limit)
		if err != nil {
			return err
		}
		if list, err = pgx.CollectRows(rows, scanGap); err != nil {
			return err
		}
		return s.trend(ctx, tx, list)
	})
	if err != nil {
		return nil, fmt.Errorf("learn: gaps: %w", err)
	}
	return list, nil
}

func (s *Service) trend(ctx context.Context, tx db.Tx, list []Gap) error {
	ids := make([]uuid.UUID, len(list))
	for i, g := range list {
		ids[i] = g.ID
	}
	const week = 7 * 24 * time.Hour
	rows, err := tx.Query(ctx, sqlTrend, ids, s.Clock.Now().Add(-week), s.Clock.Now().Add(-2*week))
	if err != nil {
		return err
	}
	var id uuid.UUID
	var now, before int
	_, err = pgx.ForEachRow(rows, []any{&id, &now, &before}, func() error {
		g := &list[slices.Index(ids, id)]
		g.Week, g.Before = now, before
		return nil
	})
	return err
}

// GapCounts gives how many gaps there are by state.
func (s *Service) GapCounts(ctx context.Context, actor db.Actor) (map[string]int, error) {
	out := map[string]int{}
	err := s.read(ctx, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlCounts)
		if err != nil {
			return err
		}
		var state string
		var n int
		_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error { out[state] = n; return nil })
		return err
	})
	return out, err
}

// Example is a way in which a gap was asked.
type Example struct {
	Question string
	Times    int
	Last     time.Time
	Helped   *bool // false: an article was told and did not help
}

const sqlExamples = `select question, count(*)::int, max(at), bool_and(helped) from answers where gap_id = $1 and question <> '' and (outcome = 'none' or helped is false)
	group by question order by count(*) desc, max(at) desc, question limit $2`

// Gap gives one gap with the ways in which it was asked, the most frequent first, and the articles that come nearest.
// Errors: ErrNotFound, also for one that the actor may not see.
func (s *Service) Gap(ctx context.Context, actor db.Actor, id uuid.UUID) (Gap, []Example, []knowledge.Result, error) {
	var g Gap
	var es []Example
	err := s.read(ctx, actor, func(tx db.Tx) (err error) {
		if g, err = gapByID(ctx, tx, sqlGap, id); err != nil {
			return err
		}
		list := []Gap{g}
		if err := s.trend(ctx, tx, list); err != nil {
			return err
		}
		g = list[0]
		rows, err := tx.Query(ctx, sqlExamples, id, 30)
		if err == nil {
			es, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Example])
		}
		return err
	})
	if err != nil {
		return g, nil, nil, err
	}
	near, err := s.Knowledge.Search(ctx, knowledge.Query{Text: g.Title, Lang: g.Lang, Audience: knowledge.AudienceStaff, Limit: 5})
	return g, es, near, err
}

func gapByID(ctx context.Context, tx db.Tx, sql string, id uuid.UUID) (Gap, error) {
	rows, err := tx.Query(ctx, sql, id)
	if err != nil {
		return Gap{}, err
	}
	g, err := pgx.CollectExactlyOneRow(rows, scanGap)
	if errors.Is(err, pgx.ErrNoRows) {
		return g, ErrNotFound
	}
	return g, err
}

// seen checks that an editor may see a gap: what they may see, they may decide.
func (s *Service) seen(ctx context.Context, by knowledge.Staff, ids ...uuid.UUID) error {
	if err := mayEdit(by); err != nil {
		return err
	}
	return s.read(ctx, by.Actor, func(tx db.Tx) error {
		for _, id := range ids {
			if _, err := gapByID(ctx, tx, sqlGap, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// decide changes a gap that is still to be decided.
func (s *Service) decide(ctx context.Context, by knowledge.Staff, id uuid.UUID, from []string, fn func(tx db.Tx, g Gap) error) error {
	if err := s.seen(ctx, by, id); err != nil {
		return err
	}
	return s.turn(ctx, func(tx db.Tx) error {
		g, err := gapByID(ctx, tx, sqlLock, id)
		if err != nil {
			return err
		}
		if !slices.Contains(from, g.State) {
			return ErrDecided.With("state", g.State)
		}
		return fn(tx, g)
	})
}

const sqlSetGap = `update gaps set state = $2, reason = $3, decided_by = $4, decided_at = $5, article_id = coalesce($6, article_id), version = coalesce($7, version) where id = $1`

func (s *Service) set(ctx context.Context, tx db.Tx, by knowledge.Staff, id uuid.UUID, state, reason string, article *uuid.UUID, version *int) error {
	_, err := tx.Exec(ctx, sqlSetGap, id, state, reason, optional(by.Actor.User()), s.Clock.Now(), article, version)
	return err
}

// Draft makes a draft article of a gap: its title, its questions, its likely owner. The body is what the editor writes.
// Errors: ErrForbidden, ErrNotFound, ErrDecided; those of knowledge.Create.
func (s *Service) Draft(ctx context.Context, by knowledge.Staff, id uuid.UUID, body string) (knowledge.Entry, error) {
	_, examples, _, err := s.Gap(ctx, by.Actor, id)
	if err != nil {
		return knowledge.Entry{}, err
	}
	var e knowledge.Entry
	err = s.decide(ctx, by, id, []string{Open, Dismissed}, func(tx db.Tx, g Gap) error {
		lang := g.Lang
		if lang == "zh" {
			lang = "zh-CN"
		}
		text := knowledge.Text{Title: g.Title, Body: body}
		for _, x := range examples[:min(len(examples), maxDraftQuestions)] {
			if x.Question != g.Title && len([]rune(x.Question)) <= knowledge.MaxQuestion {
				text.Questions = append(text.Questions, x.Question)
			}
		}
		var err error
		if e, err = s.Knowledge.CreateTx(ctx, tx, by, knowledge.Article{Lang: lang, Owner: g.Agency}, text); err != nil {
			return err
		}
		one := 1
		return s.set(ctx, tx, by, id, Drafted, "", &e.Article.ID, &one)
	})
	return e, err
}

const maxDraftQuestions = 10

// AddQuestion stores a question of a gap with an article, as another way to ask for it. It goes the way of every change: a new draft version, or the
// draft that is there, handed in for review. Errors: ErrForbidden, ErrNotFound, ErrQuestion, ErrLanguage; those of knowledge.Save and Submit.
func (s *Service) AddQuestion(ctx context.Context, by knowledge.Staff, id, article uuid.UUID, question string) (knowledge.Entry, error) {
	if err := s.seen(ctx, by, id); err != nil {
		return knowledge.Entry{}, err
	}
	e, err := s.teach(ctx, by, article, question)
	if err != nil {
		return e, err
	}
	err = s.decide(ctx, by, id, []string{Open, Drafted, Dismissed}, func(tx db.Tx, _ Gap) error {
		b := &pgx.Batch{}
		queuePair(b, e.Article.Lang, question, e.Article.ID, "similar", by.Actor.User(), s.Clock.Now())
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		return s.set(ctx, tx, by, id, Drafted, "", &e.Article.ID, &e.Version.Number)
	})
	return e, err
}

// teach adds a similar question to an article's next version and hands it in.
func (s *Service) teach(ctx context.Context, by knowledge.Staff, article uuid.UUID, question string) (knowledge.Entry, error) {
	if n := len([]rune(question)); n == 0 || n > knowledge.MaxQuestion {
		return knowledge.Entry{}, ErrQuestion.On("question").With("limit", knowledge.MaxQuestion)
	}
	a, err := s.Knowledge.Article(ctx, article)
	if err != nil {
		return knowledge.Entry{}, err
	}
	v, err := s.Knowledge.Version(ctx, article, a.Latest)
	if err != nil {
		return knowledge.Entry{}, err
	}
	text := v.Text
	if !slices.Contains(text.Questions, question) {
		text.Questions = append(slices.Clone(text.Questions), question)
	}
	e, err := s.Knowledge.Save(ctx, by, v.Ref(), text)
	if err != nil {
		return e, err
	}
	if v.State == knowledge.Drafted {
		return e, nil // somebody is writing on it and hands it in when it is done
	}
	return s.Knowledge.Submit(ctx, by, e.Version.Ref())
}

// Dismiss takes a gap off the list, with a reason. Errors: ErrForbidden, ErrNotFound, ErrReason, ErrDecided.
func (s *Service) Dismiss(ctx context.Context, by knowledge.Staff, id uuid.UUID, reason string) error {
	if reason == "" {
		return ErrReason.On("reason")
	}
	return s.decide(ctx, by, id, []string{Open, Drafted}, func(tx db.Tx, _ Gap) error {
		return s.set(ctx, tx, by, id, Dismissed, clip(reason, 500), nil, nil)
	})
}

// Reopen puts a dismissed or closed gap back on the list. Errors: ErrForbidden, ErrNotFound, ErrDecided.
func (s *Service) Reopen(ctx context.Context, by knowledge.Staff, id uuid.UUID) error {
	return s.decide(ctx, by, id, []string{Dismissed, Closed, Drafted}, func(tx db.Tx, _ Gap) error {
		return s.set(ctx, tx, by, id, Open, "", nil, nil)
	})
}

const (
	sqlMergeGap = `update gaps set state = 'merged', merged_into = $2, reason = $3, decided_by = $4, decided_at = $5 where id = $1 and state <> 'merged'`
	sqlMoveGap  = `update answers set gap_id = $2 where gap_id = $1`
)

func queueMerge(b *pgx.Batch, id, into uuid.UUID, reason string, by uuid.UUID, now time.Time) {
	b.Queue(sqlMergeGap, id, into, reason, optional(by), now)
	b.Queue(sqlMoveGap, id, into)
}

// MergeGap says that a gap asks for the same as another one of its language. Errors: ErrForbidden, ErrNotFound, ErrSelf, ErrLanguage, ErrDecided.
func (s *Service) MergeGap(ctx context.Context, by knowledge.Staff, id, into uuid.UUID, reason string) error {
	if id == into {
		return ErrSelf.On("into")
	}
	if err := s.seen(ctx, by, id, into); err != nil {
		return err
	}
	return s.turn(ctx, func(tx db.Tx) error {
		gaps := map[uuid.UUID]Gap{}
		for _, one := range []uuid.UUID{id, into} {
			g, err := gapByID(ctx, tx, sqlLock, one)
			if err != nil {
				return err
			}
			if g.State == Merged {
				return ErrDecided.With("state", Merged)
			}
			gaps[one] = g
		}
		if gaps[id].Lang != gaps[into].Lang {
			return ErrLanguage.On("into")
		}
		b := &pgx.Batch{}
		queueMerge(b, id, into, clip(reason, 500), by.Actor.User(), s.Clock.Now())
		b.Queue(sqlRecount, []uuid.UUID{into})
		return tx.SendBatch(ctx, b).Close()
	})
}

const (
	sqlAssignGap   = `update gaps set agency_id = $2, assigned = true, decided_by = $3, decided_at = $4 where id = $1`
	sqlAssignTold  = `update answers set agency_id = $2 where gap_id = $1 and article_id is null`
	sqlKnownAgency = `select exists (select from agencies where id = $1)`
)

// Assign gives a gap to the editors of an agency, who then see it and its questions. Errors: ErrForbidden, ErrNotFound, ErrAgency, ErrDecided.
func (s *Service) Assign(ctx context.Context, by knowledge.Staff, id, agency uuid.UUID) error {
	return s.decide(ctx, by, id, []string{Open, Drafted}, func(tx db.Tx, _ Gap) error {
		var known bool
		if err := tx.QueryRow(ctx, sqlKnownAgency, agency).Scan(&known); err != nil {
			return err
		}
		if !known {
			return ErrAgency.On("agency")
		}
		b := &pgx.Batch{}
		b.Queue(sqlAssignGap, id, agency, by.Actor.User(), s.Clock.Now())
		b.Queue(sqlAssignTold, id, agency)
		return tx.SendBatch(ctx, b).Close()
	})
}
