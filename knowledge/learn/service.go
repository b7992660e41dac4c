// Package learn makes the knowledge base better by its use: questions without a good answer collect into gaps, good answers of people become
// proposals, confirmed pairs of question and article grow an evaluation set, and the figures say whether it works.
//
// It reads answers (what citizens asked and were told), which chat and the portal write. One node follows them: Step takes what is new, places
// each unanswered question into its gap, and closes gaps that are answered now. What it holds in memory is rebuilt from PostgreSQL, so any node
// can take over. Changes of articles go through knowledge.Service with its review: nothing here publishes.
//
// Reading is as the member of staff, so row-level security decides what they see; what they may change is judged here, and written as the system.
package learn

import (
	"context"
	"log/slog"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/knowledge"
)

// Deps are what New needs.
type Deps struct {
	Pool      *pgxpool.Pool
	Knowledge *knowledge.Service
	Clock     clock.Clock
	Log       *slog.Logger
	// Responsible names the agency that should know the answer to a question; uuid.Nil when nobody can tell. May be nil.
	Responsible func(question string) uuid.UUID
}

// Service learns for one installation. It is safe for concurrent use; Step is for one node at a time.
type Service struct {
	Deps
	mem *memory
}

// New makes a service.
func New(d Deps) *Service { return &Service{Deps: d} }

// Errors of learning.
var (
	ErrNotFound  = errs.New(errs.NotFound, "learn.not_found", "there is nothing of that kind here")
	ErrForbidden = errs.New(errs.Forbidden, "learn.forbidden", "editors decide this")
	ErrDecided   = errs.New(errs.Conflict, "learn.decided", "somebody has decided this in the meantime")
	ErrReason    = errs.New(errs.Invalid, "learn.reason", "say why")
	ErrQuestion  = errs.New(errs.Invalid, "learn.question", "the question is missing or too long")
	ErrSelf      = errs.New(errs.Invalid, "learn.self", "a gap cannot be merged with itself")
	ErrAgency    = errs.New(errs.Invalid, "learn.agency", "there is no such agency")
	ErrLanguage  = errs.New(errs.Invalid, "learn.language", "the two are in different languages")
	ErrWorse     = errs.New(errs.Conflict, "learn.worse", "this publication makes answers worse; confirm it and say why")
)

var editors = []string{"editor", "reviewer", "administrator"}

func mayEdit(by knowledge.Staff) error {
	if by.Actor.IsSystem() || slices.ContainsFunc(by.Roles, func(r string) bool { return slices.Contains(editors, r) }) {
		return nil
	}
	return ErrForbidden
}

func (s *Service) read(ctx context.Context, actor db.Actor, fn func(tx db.Tx) error) error {
	return db.ReadTx(ctx, s.Pool, actor, fn)
}

func (s *Service) write(ctx context.Context, fn func(tx db.Tx) error) error {
	return db.WithTx(ctx, s.Pool, db.System(), fn)
}

// sqlTurn makes those who write gaps take turns.
const sqlTurn = `select pg_advisory_xact_lock(hashtext('hotline gaps'))`

// turn is write for what decides on gaps. People go from a gap to its questions, the follower from questions to their gaps, and a question that is placed just now
// belongs to no gap that has been merged meanwhile; there are few gaps at a time, so one queue costs nobody anything.
func (s *Service) turn(ctx context.Context, fn func(tx db.Tx) error) error {
	return s.write(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlTurn); err != nil {
			return err
		}
		return fn(tx)
	})
}

func optional(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func value(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}
