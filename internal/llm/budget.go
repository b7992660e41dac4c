package llm

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
)

// SQL of the budget and of the record.
const (
	// The row is the lock: two nodes cannot both take the last tokens of a day.
	sqlReserve = `insert into llm_budgets as b (model_id, day, reserved, calls) select $1::uuid, $2::date, $3::bigint, 1 where $3::bigint <= $4::bigint
		on conflict (model_id, day) do update set reserved = b.reserved + $3::bigint, calls = b.calls + 1 where b.used + b.reserved + $3::bigint <= $4::bigint`
	sqlBegin = `insert into llm_calls (id, model_id, model, use, prompt, user_id, at, day, reserved, redacted, sources) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	sqlEnd   = `update llm_calls set state = $2, outcome = $3, attempts = $4, tokens_in = $5, tokens_out = $6, estimated = $7, latency_ms = $8, request = $9, answer = $10
		where id = $1 and state = 'running' returning reserved`
	sqlSettle = `update llm_budgets set reserved = greatest(0, reserved - $3::bigint), used = used + $4::bigint where model_id = $1 and day = $2`
	// Calls whose node died: their tokens may have been spent, so half of what was reserved counts.
	sqlLost = `with gone as (update llm_calls set state = 'lost', outcome = 'llm.lost' where model_id = $1 and day = $2 and state = 'running' and at < $3 returning reserved)
		update llm_budgets set reserved = greatest(0, reserved - g.n), used = used + g.n / 2 from (select coalesce(sum(reserved), 0)::bigint as n from gone) g where model_id = $1 and day = $2 and g.n > 0`
	sqlOldTexts = `update llm_calls set request = null, answer = null where request is not null and at < $1`
)

// keepTexts is how long texts are kept where that was turned on.
const keepTexts = 30 * 24 * time.Hour

// lostAfter is longer than any model's time limit.
const lostAfter = 11 * time.Minute

// day is today, and when it began.
func (s *Service) day() (day, began time.Time) {
	now := s.now().In(s.loc)
	y, m, d := now.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), time.Date(y, m, d, 0, 0, 0, 0, s.loc)
}

// ticket is a call that may be made.
type ticket struct {
	id       uuid.UUID
	day      time.Time
	reserved int64
	start    time.Time
}

// begin reserves tokens and opens the record. Errors: ErrBudget.
func (s *Service) begin(ctx context.Context, m Model, req Request, tokens int64) (ticket, error) {
	day, _ := s.day()
	t := ticket{id: db.NewID(), day: day, reserved: tokens, start: time.Now()}
	var by *uuid.UUID
	if req.By != uuid.Nil {
		by = &req.By
	}
	sources := req.Sources
	if sources == nil {
		sources = []string{}
	}
	try := func() error {
		return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
			tag, err := tx.Exec(ctx, sqlReserve, m.ID, day, tokens, m.DailyTokens)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return ErrBudget
			}
			_, err = tx.Exec(ctx, sqlBegin, t.id, m.ID, m.Name+" · "+m.Model, req.Use, req.Prompt, by, s.now(), day, tokens, !m.MaySeePersonal, sources)
			return err
		})
	}
	err := try()
	if !errors.Is(err, ErrBudget) {
		return t, err
	}
	// Calls that were lost with their node hold tokens that nobody will use.
	var freed int64
	if err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, sqlLost, m.ID, day, s.now().Add(-lostAfter))
		freed = tag.RowsAffected()
		return err
	}); err != nil {
		return t, err
	}
	if freed == 0 {
		return t, ErrBudget
	}
	return t, try()
}

// ending is how a call went.
type ending struct {
	err             error
	attempts        int
	in, out         int64
	estimated       bool
	request, answer string
}

// end settles the budget and closes the record. A call must not be lost with its caller's context, so it takes none.
func (s *Service) end(m Model, t ticket, e ending) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	state, outcome := "ok", ""
	if e.err != nil {
		state, outcome = "failed", outcomeOf(e.err)
	}
	var request, answer *string
	if m.KeepTexts {
		request, answer = &e.request, &e.answer
	}
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		var reserved int64
		err := tx.QueryRow(ctx, sqlEnd, t.id, state, outcome, e.attempts, e.in, e.out, e.estimated, time.Since(t.start).Milliseconds(), request, answer).Scan(&reserved)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlSettle, m.ID, t.day, reserved, e.in+e.out); err != nil {
			return err
		}
		if m.KeepTexts {
			if _, err := tx.Exec(ctx, sqlOldTexts, s.now().Add(-keepTexts)); err != nil {
				return err
			}
		}
		switch {
		case e.err == nil:
			_, err = tx.Exec(ctx, sqlModelOK, m.ID, s.now())
		case outcome != outcomeCancelled:
			_, err = tx.Exec(ctx, sqlModelFailed, m.ID, outcome, s.now())
		}
		return err
	})
	if err != nil {
		s.log.Warn("the record of a model call was not closed", "call", t.id, "error", err)
	}
}
