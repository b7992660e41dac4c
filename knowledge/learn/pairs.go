package learn

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/redact"
	"hotline/knowledge"
)

// Pair is a question whose right article is known.
type Pair struct {
	ID        uuid.UUID
	Lang      string
	Question  string
	Article   uuid.UUID
	Title     string // of the article, its latest
	Source    string // helped, editor, similar
	Votes     int    // how often it was confirmed
	Active    bool
	CreatedAt time.Time
}

const (
	sqlPair = `insert into eval_pairs (id, lang, question, article_id, source, created_by, created_at)
		select gen_random_uuid(), $1, $2, a.id, $4, $5, $6 from articles a where a.id = $3
		on conflict (lang, question, article_id) do update set votes = eval_pairs.votes + 1`
	sqlPairs = `select p.id, p.lang, p.question, p.article_id, v.title, p.source, p.votes, p.active, p.created_at from eval_pairs p
		join articles a on a.id = p.article_id join article_versions v on v.article_id = a.id and v.version = a.latest
		where ($1::timestamptz is null or (p.created_at, p.id) < ($1, $2)) order by p.created_at desc, p.id desc limit $3`
	sqlPairSeen   = `select exists (select from eval_pairs where id = $1)`
	sqlPairActive = `update eval_pairs set active = $2 where id = $1`
	sqlPairDelete = `delete from eval_pairs where id = $1`
)

func queuePair(b *pgx.Batch, lang, question string, article uuid.UUID, source string, by uuid.UUID, at time.Time) {
	b.Queue(sqlPair, lang, question, article, source, optional(by), at)
}

// queueConfirmed keeps what a citizen has confirmed: this question, this article.
func queueConfirmed(b *pgx.Batch, a answer) {
	if a.Helped == nil || !*a.Helped || a.Article == nil || a.By == knowledge.ByStaff {
		return
	}
	if n := len([]rune(a.Question)); n < minPairQuestion || n > knowledge.MaxQuestion {
		return
	}
	queuePair(b, a.Lang, a.Question, *a.Article, "helped", uuid.Nil, a.At)
}

// minPairQuestion is the shortest question that tells anything: two Chinese characters are a word, and no question.
const minPairQuestion = 4

// Pairs lists the evaluation set, the newest first; after is the last of the page before.
func (s *Service) Pairs(ctx context.Context, actor db.Actor, after Pair, limit int) ([]Pair, error) {
	var at *time.Time
	if !after.CreatedAt.IsZero() {
		at = &after.CreatedAt
	}
	var list []Pair
	err := s.read(ctx, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlPairs, at, after.ID, limit)
		if err == nil {
			list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Pair])
		}
		return err
	})
	return list, err
}

// AddPair is an editor's own word on which article is right for a question. Personal data is taken out of it. Errors: ErrForbidden, ErrQuestion,
// knowledge.ErrNotFound.
func (s *Service) AddPair(ctx context.Context, by knowledge.Staff, question string, article uuid.UUID) error {
	if err := mayEdit(by); err != nil {
		return err
	}
	if n := len([]rune(question)); n < minPairQuestion || n > knowledge.MaxQuestion {
		return ErrQuestion.On("question").With("limit", knowledge.MaxQuestion)
	}
	a, err := s.Knowledge.Article(ctx, article)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	queuePair(b, a.Lang, redact.New().Hide(question), article, "editor", by.Actor.User(), s.Clock.Now())
	return s.write(ctx, func(tx db.Tx) error { return tx.SendBatch(ctx, b).Close() })
}

// KeepPair takes a pair out of the set, or back into it; RemovePair forgets it. Errors: ErrForbidden, ErrNotFound.
func (s *Service) KeepPair(ctx context.Context, by knowledge.Staff, id uuid.UUID, active bool) error {
	return s.onPair(ctx, by, id, sqlPairActive, id, active)
}

// RemovePair forgets a pair. Errors: as KeepPair.
func (s *Service) RemovePair(ctx context.Context, by knowledge.Staff, id uuid.UUID) error {
	return s.onPair(ctx, by, id, sqlPairDelete, id)
}

func (s *Service) onPair(ctx context.Context, by knowledge.Staff, id uuid.UUID, sql string, args ...any) error {
	if err := mayEdit(by); err != nil {
		return err
	}
	var seen bool
	if err := s.read(ctx, by.Actor, func(tx db.Tx) error { return tx.QueryRow(ctx, sqlPairSeen, id).Scan(&seen) }); err != nil {
		return err
	}
	if !seen {
		return ErrNotFound
	}
	return s.write(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

const sqlPairLines = `select (array_agg(id order by id))[1], lang, question, array_agg(article_id::text order by article_id) from eval_pairs where active group by lang, question order by 1`

// WritePairs writes the active set as `hotline eval retrieval --queries` reads it. It returns how many lines it wrote.
func (s *Service) WritePairs(ctx context.Context, actor db.Actor, w io.Writer) (int, error) {
	n, enc := 0, json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err := s.read(ctx, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlPairLines)
		if err != nil {
			return err
		}
		var line struct {
			ID       string   `json:"id"`
			Lang     string   `json:"lang"`
			Text     string   `json:"text"`
			Relevant []string `json:"relevant"`
		}
		var id uuid.UUID
		_, err = pgx.ForEachRow(rows, []any{&id, &line.Lang, &line.Text, &line.Relevant}, func() error {
			n++
			line.ID, line.Lang = id.String(), knowledge.BaseLang(line.Lang)
			return enc.Encode(line)
		})
		return err
	})
	if err != nil {
		return n, fmt.Errorf("learn: write pairs: %w", err)
	}
	return n, nil
}

const sqlArticleLines = `select a.id, a.lang, a.topic, v.title, v.summary, v.body, v.keywords, v.questions from articles a join article_versions v on v.article_id = a.id and v.version = a.live
	where not a.disputed order by a.id`

// WriteArticles writes what is published as `hotline eval retrieval --articles` reads it.
func (s *Service) WriteArticles(ctx context.Context, w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err := s.read(ctx, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlArticleLines)
		if err != nil {
			return err
		}
		var line struct {
			ID        string   `json:"id"`
			Lang      string   `json:"lang"`
			Topic     string   `json:"topic"`
			Title     string   `json:"title"`
			Summary   string   `json:"summary"`
			Body      string   `json:"body"`
			Keywords  []string `json:"keywords"`
			Questions []string `json:"questions"`
		}
		var id uuid.UUID
		_, err = pgx.ForEachRow(rows, []any{&id, &line.Lang, &line.Topic, &line.Title, &line.Summary, &line.Body, &line.Keywords, &line.Questions}, func() error {
			line.ID, line.Body = id.String(), knowledge.PlainText(line.Body)
			if line.Body == "" {
				line.Body = line.Summary // the format wants one
			}
			return enc.Encode(line)
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("learn: write articles: %w", err)
	}
	return nil
}
