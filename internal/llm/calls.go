package llm

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Call is one in the record.
type Call struct {
	ID        uuid.UUID
	ModelID   uuid.UUID
	Model     string // name and vendor's id at the time
	Use       Use
	Prompt    string
	By        *uuid.UUID // member of staff; nil is the program
	At        time.Time
	State     string // running, ok, failed, lost
	Outcome   string // code of the failure
	Attempts  int
	TokensIn  int
	TokensOut int
	Estimated bool
	Latency   time.Duration
	Redacted  bool
	Sources   []string
	Request   *string // kept only where an administrator turned that on
	Answer    *string
}

// CallFilter narrows the record. After is the last call of the page before.
type CallFilter struct {
	Model  uuid.UUID
	Use    Use
	Failed bool
	After  uuid.UUID
	Limit  int // at most 100
}

const callColumns = `id, model_id, model, use, prompt, user_id, at, state, outcome, attempts, tokens_in, tokens_out, estimated, latency_ms, redacted, sources`

// Each filter has the index that serves it; the texts are not read for a list.
const (
	sqlCalls       = `select ` + callColumns + `, null::text, null::text from llm_calls where id < $1 order by id desc limit $2`
	sqlCallsFailed = `select ` + callColumns + `, null::text, null::text from llm_calls where id < $1 and state in ('failed', 'lost') order by id desc limit $2`
	sqlCallsModel  = `select ` + callColumns + `, null::text, null::text from llm_calls where model_id = $3 and id < $1 order by id desc limit $2`
	sqlCallsUse    = `select ` + callColumns + `, null::text, null::text from llm_calls where use = $3 and id < $1 order by id desc limit $2`
	sqlCall        = `select ` + callColumns + `, request, answer from llm_calls where id = $1`
)

// Calls lists the record, newest first. One of Failed, Model and Use narrows it. Errors: ErrForbidden.
func (s *Service) Calls(ctx context.Context, actor db.Actor, f CallFilter) (calls []Call, more bool, err error) {
	if !actor.Administrator() {
		return nil, false, ErrForbidden
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 50
	}
	after := f.After
	if after == uuid.Nil {
		after = uuid.Max
	}
	sql, args := sqlCalls, []any{after, f.Limit + 1}
	switch {
	case f.Failed:
		sql = sqlCallsFailed
	case f.Model != uuid.Nil:
		sql, args = sqlCallsModel, append(args, f.Model)
	case f.Use != "":
		sql, args = sqlCallsUse, append(args, f.Use)
	}
	err = db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		calls, err = pgx.CollectRows(rows, scanCall)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("llm: calls: %w", err)
	}
	if more = len(calls) > f.Limit; more {
		calls = calls[:f.Limit]
	}
	return calls, more, nil
}

// CallByID gives one call with its texts, where they were kept. Errors: ErrForbidden, ErrNotFound.
func (s *Service) CallByID(ctx context.Context, actor db.Actor, id uuid.UUID) (Call, error) {
	if !actor.Administrator() {
		return Call{}, ErrForbidden
	}
	var c Call
	found := false
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlCall, id)
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, scanCall)
		if found = len(all) == 1; found {
			c = all[0]
		}
		return err
	})
	if err != nil {
		return Call{}, fmt.Errorf("llm: call: %w", err)
	}
	if !found {
		return Call{}, ErrNotFound
	}
	return c, nil
}

func scanCall(r pgx.CollectableRow) (Call, error) {
	var c Call
	var ms int64
	err := r.Scan(&c.ID, &c.ModelID, &c.Model, &c.Use, &c.Prompt, &c.By, &c.At, &c.State, &c.Outcome, &c.Attempts, &c.TokensIn, &c.TokensOut, &c.Estimated, &ms, &c.Redacted, &c.Sources, &c.Request, &c.Answer)
	c.Latency = time.Duration(ms) * time.Millisecond
	return c, err
}

// firstID is the smallest id that was made at or after a moment.
func firstID(t time.Time) uuid.UUID {
	var id uuid.UUID
	ms := t.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	return id
}
