package tickets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// Rectification is the task that a negative assessment opens: the agency sets right what was wrong, says so, and the citizen rates again. It is
// a duty of its own beside the ticket's state, and outlives the case.
type Rectification struct {
	TicketID   uuid.UUID
	Agency     uuid.UUID
	State      string // open, answered, done, failed
	Grade      int    // the assessment that opened it
	OpenedAt   time.Time
	DueAt      time.Time
	AnsweredBy uuid.UUID
	AnsweredAt *time.Time
	Text       string
	EndedAt    *time.Time
}

// Light is the rectification's own: once answered nothing is due any more.
func (r Rectification) Light(now time.Time, warn float64) sla.Light {
	if r.AnsweredAt != nil {
		if r.AnsweredAt.After(r.DueAt) {
			return sla.Red
		}
		return sla.Green
	}
	return sla.LightAt(now, r.DueAt.Add(-time.Duration(float64(r.DueAt.Sub(r.OpenedAt))*warn)), r.DueAt)
}

const rectificationColumns = `r.ticket_id, r.agency_id, r.state, r.grade, r.opened_at, r.due_at, r.answered_by, r.answered_at, r.text, r.ended_at`

func scanRectification(row pgx.Row) (Rectification, error) {
	var r Rectification
	var by *uuid.UUID
	err := row.Scan(&r.TicketID, &r.Agency, &r.State, &r.Grade, &r.OpenedAt, &r.DueAt, &by, &r.AnsweredAt, &r.Text, &r.EndedAt)
	r.AnsweredBy = id(by)
	return r, err
}

// openRectification starts the task and its clock. The agency that answered has to act; where the hotline answered, the hotline.
func (c *change) openRectification(grade int) {
	agency := c.t.Lead
	if agency == uuid.Nil {
		agency = c.svc.router.Desk()
	}
	c.t.Rectify = "open"
	// Where the policy has no clock for it the task has a day all the same: the citizen is told one.
	settings := c.svc.settings.Load()
	due := c.now.AddDate(0, 0, settings.rules(c.svc.jurisdictionOf(agency)).SLA.Limits.WithDefaults().RectifyDays)
	c.clocks.start(sla.Rectify, nil)
	if clk := c.clocks.rows[string(sla.Rectify)]; clk != nil && clk.running() {
		due = clk.dueAt
	}
	ticket, now := c.t.ID, c.now
	c.also(func(b *pgx.Batch) {
		b.Queue(`insert into rectifications (ticket_id, agency_id, state, grade, opened_at, due_at) values ($1, $2, 'open', $3, $4, $5)
			on conflict (ticket_id) do update set agency_id = excluded.agency_id, state = 'open', grade = excluded.grade, opened_at = excluded.opened_at, due_at = excluded.due_at,
				answered_by = null, answered_at = null, text = '', ended_at = null`, ticket, agency, grade, now, due)
	})
	c.tell(c.svc.router.Desk(), Supervisor, "negative_rating")
	if agency != c.svc.router.Desk() {
		c.tell(agency, Head, "negative_rating")
		c.notices = append(c.notices, notice{agency: agency, user: c.t.repliedBy, role: Handler, kind: "negative_rating"})
	}
}

// Rectify answers a rectification: what was done since the negative assessment. The citizen is told and may rate again.
// Errors: ErrNotFound, ErrForbidden, ErrMissing, ErrTooLong, ErrNoRectification, ErrKeyReused.
func (s *Service) Rectify(ctx context.Context, a Actor, ticket uuid.UUID, text, key string) (Ticket, error) {
	if text == "" {
		return Ticket{}, ErrMissing.On("text").With("field", "text")
	}
	if err := CheckText(FText, text, MaxText); err != nil {
		return Ticket{}, err
	}
	return s.amend(ctx, a, ticket, key, "rectified", Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		if c.t.Rectify != "open" {
			return ErrNoRectification
		}
		if !c.mayRectify(a) {
			return ErrForbidden.With("action", "rectify").With("state", string(c.t.State))
		}
		c.t.Rectify = "answered"
		c.t.UpdatedAt = c.now
		c.clocks.stop(string(sla.Rectify))
		c.clocks.summarize(&c.t)
		now, user := c.now, a.DB.User()
		c.also(func(b *pgx.Batch) {
			b.Queue(`update rectifications set state = 'answered', answered_by = $2, answered_at = $3, text = $4 where ticket_id = $1`, ticket, user, now, text)
		})
		c.tell(s.router.Desk(), Supervisor, "rectified")
		c.add(Event{Type: "rectified", Public: true, Data: Fields{Text: text}}, a)
		return nil
	})
}

// mayRectify: the agency that leads, by those who work on tickets; the hotline where it answered itself.
func (c *change) mayRectify(a Actor) bool {
	if a.Kind != KindStaff {
		return false
	}
	ours, want := a.DB.Agency() == c.t.Lead, []Role{Handler, Head}
	if c.t.Lead == uuid.Nil {
		ours, want = a.DB.Desk(), []Role{Operator, Dispatcher, Supervisor}
	}
	return ours && Move{Roles: want}.CanDo(a.Roles...)
}

// MayRectify reports whether the actor is one who answers the open rectification of the ticket.
func (s *Service) MayRectify(a Actor, t Ticket) bool {
	return t.Rectify == "open" && s.newChange(t, nil, s.clock.Now()).mayRectify(a)
}

// RectificationOf returns the rectification of a ticket, and false when there is none.
func (s *Service) RectificationOf(ctx context.Context, a Actor, ticket uuid.UUID) (Rectification, bool, error) {
	var r Rectification
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		r, err = scanRectification(tx.QueryRow(ctx, `select `+rectificationColumns+` from rectifications r where r.ticket_id = $1`, ticket))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Rectification{}, false, nil
	}
	if err != nil {
		return Rectification{}, false, fmt.Errorf("read rectification: %w", err)
	}
	return r, true, nil
}

// RectificationRow is a rectification with its ticket, for lists.
type RectificationRow struct {
	Rectification
	Ticket Ticket
}

// The hotline's staff see those of all agencies, others their own.
const (
	deskRectificationsSQL = `
select ` + ticketColumns + `, ` + rectificationColumns + `, r.due_at::text
from rectifications r join ticket_access a on a.ticket_id = r.ticket_id and a.agency_id = $1 join tickets t on t.id = r.ticket_id
where r.state in ('open', 'answered') and ($2 = '' or (r.due_at, r.ticket_id) > ($2::text::timestamptz, $3::uuid))
order by r.due_at, r.ticket_id limit $4`
	agencyRectificationsSQL = `
select ` + ticketColumns + `, ` + rectificationColumns + `, r.due_at::text
from rectifications r join tickets t on t.id = r.ticket_id
where r.agency_id = $1 and r.state in ('open', 'answered') and ($2 = '' or (r.due_at, r.ticket_id) > ($2::text::timestamptz, $3::uuid))
order by r.due_at, r.ticket_id limit $4`
)

// Rectifications lists what still runs, the nearest deadline first.
// Errors: ErrForbidden (no staff), ErrBadCursor, ErrNarrow.
func (s *Service) Rectifications(ctx context.Context, a Actor, after string, limit int) (out []RectificationRow, next string, err error) {
	sql := agencyRectificationsSQL
	if a.DB.Desk() {
		sql = deskRectificationsSQL
	}
	keys, err := s.board(ctx, a, "rectifications", sql, after, &limit, func(row pgx.CollectableRow) (string, uuid.UUID, error) {
		var r RectificationRow
		var by *uuid.UUID
		var key string
		t, err := scanTicket(suffixed{row, []any{&r.TicketID, &r.Agency, &r.State, &r.Grade, &r.OpenedAt, &r.DueAt, &by, &r.AnsweredAt, &r.Text, &r.EndedAt, &key}})
		r.Ticket, r.AnsweredBy = t, id(by)
		out = append(out, r)
		return key, r.TicketID, err
	})
	if len(out) > limit {
		out, next = out[:limit], keys[limit-1]
	}
	return out, next, err
}
