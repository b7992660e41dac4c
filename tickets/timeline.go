package tickets

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// Timeline returns the history of a ticket, oldest first: all of it for staff, and for the citizen the public entries, without the
// names of those who acted and with no field that is not meant for them. It returns nothing of a ticket that the actor may not see.
func (s *Service) Timeline(ctx context.Context, a Actor, ticket uuid.UUID) ([]Event, error) {
	citizen := a.Kind == KindCitizen
	var out []Event
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select ticket_id, seq, type, actor, user_id, agency_id, from_state, to_state, public, data, at
			from ticket_events where ticket_id = $1 and (public or not $2) order by seq`, ticket, citizen)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Event, error) { return scanEvent(row) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	if citizen {
		for i := range out {
			out[i] = out[i].ForCitizen()
		}
	}
	return out, nil
}

func scanEvent(row pgx.Row) (Event, error) {
	var e Event
	var user, agency *uuid.UUID
	var data []byte
	if err := row.Scan(&e.TicketID, &e.Seq, &e.Type, &e.Actor, &user, &agency, &e.From, &e.To, &e.Public, &data, &e.At); err != nil {
		return e, err
	}
	e.UserID, e.AgencyID = id(user), id(agency)
	return e, json.Unmarshal(data, &e.Data)
}

// ForCitizen keeps of an entry what the citizen may read.
func (e Event) ForCitizen() Event {
	d := e.Data
	var keep Fields
	switch e.Type {
	case string(Dispatch), string(Designate):
		keep.Lead, keep.DueAt = d.Lead, d.DueAt
	case string(HandDown), string(HandUp):
		keep.Lead = d.Lead
	case string(ApproveExclude):
		keep.Reason, keep.Basis, keep.Text = d.Reason, d.Basis, d.Text
	case "rectified", "rating_comment":
		keep.Text = d.Text
	case string(Refuse):
		keep.Reason, keep.Basis, keep.RightChannel = d.Reason, d.Basis, d.RightChannel
	case string(AnswerDirectly), "opened":
		keep.Text, keep.Outcome, keep.Article, keep.Version, keep.Title = d.Text, d.Outcome, d.Article, d.Version, d.Title
	case string(TransferOut):
		keep.TransferTo = d.TransferTo
	case string(AskCitizen), string(CitizenReply), string(AddInformation), string(Appeal), string(NotAnswered), "attached", "broadcast", "parent_update":
		keep.Text, keep.Uploads = d.Text, d.Uploads
	case string(Reply), "parent_reply":
		keep.Text, keep.Outcome, keep.Resolved, keep.Uploads = d.Text, d.Outcome, d.Resolved, d.Uploads
	case string(ApproveExtend), string(Reopen), string(RefuseExclude):
		keep.DueAt = d.DueAt
	case string(Reclassify):
		keep.Category, keep.Was, keep.DueAt = d.Category, d.Was, d.DueAt
	case EntryRecomputed:
		keep.Was, keep.DueAt = d.Was, d.DueAt
	case string(RevisitDone):
		keep.Resolved, keep.Satisfaction = d.Resolved, d.Satisfaction
	case "rated":
		keep.Grade, keep.Text, keep.Resolved = d.Grade, d.Text, d.Resolved
	}
	e.Data, e.UserID, e.AgencyID = keep, uuid.Nil, uuid.Nil
	return e
}

// ClockView is a clock as staff see it.
type ClockView struct {
	Name        string
	Agency      uuid.UUID // of a co-agency
	StartedAt   time.Time
	DueAt       time.Time
	Light       sla.Light
	Provisional bool
	Paused      bool
	Stopped     bool
	LeftOpen    bool      // of a co-agency: ended by what others did, before it had done its part
	Stage       sla.Stage // rung that fired last
}

// Promised is by when the citizen may expect the answer. Once the case was answered, what was promised for it is past: doing it again has a deadline of its
// own, and where nothing is done again there is none. A case that is done again need not have an answer: it was merged meanwhile, and lost it.
func (s *Service) Promised(ctx context.Context, a Actor, t Ticket) (*time.Time, error) {
	var due *time.Time
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		return tx.QueryRow(ctx, redoDueSQL, t.ID).Scan(&due)
	})
	if err != nil {
		return nil, fmt.Errorf("deadline of doing it again: %w", err)
	}
	if due == nil && t.AgencyResolved == nil {
		return t.PromisedAt, nil
	}
	return due, nil
}

const redoDueSQL = `select max(due_at) from ticket_clocks where ticket_id = $1 and name = 'redo' and stopped_at is null`

// Clocks lists the clocks of a ticket, the next deadline first; stopped ones come last.
func (s *Service) Clocks(ctx context.Context, a Actor, ticket uuid.UUID) ([]ClockView, error) {
	var out []ClockView
	now := s.clock.Now()
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select `+clockColumnsSQL+` from ticket_clocks where ticket_id = $1 order by stopped_at is not null, due_at, name`, ticket)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ClockView, error) {
			c, err := scanClock(row)
			v := ClockView{Name: c.name, Agency: c.agency, StartedAt: c.startedAt, DueAt: c.dueAt, Provisional: c.provisional, Paused: c.pausedAt != nil,
				Stopped: c.stoppedAt != nil, LeftOpen: c.leftOpen(), Stage: c.stage, Light: sla.Green}
			if c.running() {
				v.Light = sla.LightAt(now, c.warnAt, c.dueAt)
			} else if c.stoppedAt != nil && c.stoppedAt.After(c.dueAt) {
				v.Light = sla.Red
			}
			return v, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list clocks: %w", err)
	}
	return out, nil
}
