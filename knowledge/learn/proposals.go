package learn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/redact"
	"hotline/knowledge"
)

// Praise is an answer that a person gave and a citizen praised.
type Praise struct {
	Source   string // ticket, chat
	ID       uuid.UUID
	Lang     string
	Agency   uuid.UUID // that answered; uuid.Nil: the hotline
	Question string
	Answer   string
	Names    []string // known to be somebody's: hidden
	Grade    int
}

// Proposal is a praised answer, freed of personal data, that may become an article.
type Proposal struct {
	ID        uuid.UUID
	Source    string
	SourceID  uuid.UUID
	Lang      string
	Agency    uuid.UUID
	Question  string
	Answer    string
	Grade     int
	State     string    // open, accepted, rejected, known
	Article   uuid.UUID // the nearest when it came; the draft once accepted
	Score     float64
	Reason    string
	CreatedAt time.Time
}

const (
	sqlPropose = `insert into proposals (id, source, source_id, lang, agency_id, question, answer, grade, state, article_id, score, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (source, source_id) do nothing`
	proposalColumns = `id, source, source_id, lang, agency_id, question, answer, grade, state, article_id, score, reason, created_at`
	sqlProposals    = `select ` + proposalColumns + ` from proposals where state = $1 and ($2::timestamptz is null or (created_at, id) < ($2, $3)) order by created_at desc, id desc limit $4`
	sqlProposal     = `select ` + proposalColumns + ` from proposals where id = $1`
	sqlProposalLock = sqlProposal + ` for update`
	sqlProposalSet  = `update proposals set state = $2, reason = $3, article_id = coalesce($4, article_id), decided_by = $5, decided_at = $6 where id = $1`
)

// Bounds of a proposal, in characters.
const (
	leastAnswer = 20
	mostText    = 4000
)

// Propose keeps a praised answer for editors, once. What an article says already is kept as known and shown to nobody. Errors: the database's.
func (s *Service) Propose(ctx context.Context, p Praise) error {
	r := redact.New(p.Names...)
	r.Learn(p.Question, p.Answer)
	question, answer := clip(r.Hide(p.Question), mostText), clip(r.Hide(p.Answer), mostText)
	if question == "" || len([]rune(answer)) < leastAnswer {
		return nil // "thank you, it is done" teaches nobody
	}
	found, err := s.Knowledge.Answer(ctx, question, p.Lang)
	if err != nil {
		return fmt.Errorf("learn: propose: %w", err)
	}
	state, near := "open", uuid.Nil
	if len(found.Citations) > 0 {
		if near, err = uuid.Parse(found.Citations[0].Article); err != nil {
			return fmt.Errorf("learn: propose: %w", err)
		}
	}
	if found.Outcome == knowledge.Answered {
		state = "known"
	}
	return s.write(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlPropose, db.NewID(), p.Source, p.ID, p.Lang, optional(p.Agency), question, answer, p.Grade, state, optional(near), found.Score, s.Clock.Now())
		return err
	})
}

const sqlGrade = `update answers set helped = $2, helped_at = $3, looked = false where ticket_id = $1 and by = 'staff' and helped is null`

// Grade takes a ticket's grade, 5 to 1, as the citizen's word on what staff told in it; the middle one says nothing. Errors: the database's.
func (s *Service) Grade(ctx context.Context, ticket uuid.UUID, grade int) error {
	if grade == 3 {
		return nil
	}
	return s.write(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlGrade, ticket, grade > 3, s.Clock.Now())
		return err
	})
}

func scanProposal(row pgx.CollectableRow) (Proposal, error) {
	var p Proposal
	var agency, article *uuid.UUID
	err := row.Scan(&p.ID, &p.Source, &p.SourceID, &p.Lang, &agency, &p.Question, &p.Answer, &p.Grade, &p.State, &article, &p.Score, &p.Reason, &p.CreatedAt)
	p.Agency, p.Article = value(agency), value(article)
	return p, err
}

// Proposals lists proposals of a state that the actor may see, the newest first; after is the last of the page before.
func (s *Service) Proposals(ctx context.Context, actor db.Actor, state string, after Proposal, limit int) ([]Proposal, error) {
	var at *time.Time
	if !after.CreatedAt.IsZero() {
		at = &after.CreatedAt
	}
	var list []Proposal
	err := s.read(ctx, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlProposals, state, at, after.ID, limit)
		if err == nil {
			list, err = pgx.CollectRows(rows, scanProposal)
		}
		return err
	})
	return list, err
}

func (s *Service) judge(ctx context.Context, by knowledge.Staff, id uuid.UUID, fn func(tx db.Tx, p Proposal) error) error {
	if err := mayEdit(by); err != nil {
		return err
	}
	one := func(tx db.Tx, sql string) (p Proposal, err error) {
		rows, err := tx.Query(ctx, sql, id)
		if err != nil {
			return p, err
		}
		if p, err = pgx.CollectExactlyOneRow(rows, scanProposal); errors.Is(err, pgx.ErrNoRows) {
			return p, ErrNotFound
		}
		return p, err
	}
	if err := s.read(ctx, by.Actor, func(tx db.Tx) error { _, err := one(tx, sqlProposal); return err }); err != nil {
		return err
	}
	return s.write(ctx, func(tx db.Tx) error {
		p, err := one(tx, sqlProposalLock)
		if err != nil {
			return err
		}
		if p.State != "open" {
			return ErrDecided.With("state", p.State)
		}
		return fn(tx, p)
	})
}

// Accept makes a draft of a proposal. Errors: ErrForbidden, ErrNotFound, ErrDecided; those of knowledge.Create.
func (s *Service) Accept(ctx context.Context, by knowledge.Staff, id uuid.UUID) (knowledge.Entry, error) {
	var e knowledge.Entry
	err := s.judge(ctx, by, id, func(tx db.Tx, p Proposal) (err error) {
		text := knowledge.Text{Title: clip(p.Question, maxTitle), Body: p.Answer}
		if len([]rune(p.Question)) <= knowledge.MaxQuestion {
			text.Questions = []string{p.Question}
		}
		if e, err = s.Knowledge.CreateTx(ctx, tx, by, knowledge.Article{Lang: p.Lang, Owner: p.Agency}, text); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlProposalSet, id, "accepted", "", e.Article.ID, optional(by.Actor.User()), s.Clock.Now())
		return err
	})
	return e, err
}

// Reject takes a proposal off the list, with a reason. Errors: ErrForbidden, ErrNotFound, ErrReason, ErrDecided.
func (s *Service) Reject(ctx context.Context, by knowledge.Staff, id uuid.UUID, reason string) error {
	if reason == "" {
		return ErrReason.On("reason")
	}
	return s.judge(ctx, by, id, func(tx db.Tx, _ Proposal) error {
		_, err := tx.Exec(ctx, sqlProposalSet, id, "rejected", clip(reason, 500), nil, optional(by.Actor.User()), s.Clock.Now())
		return err
	})
}
