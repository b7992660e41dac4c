package tickets

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Praised is a ticket whose answer the citizen graded 4 or 5.
type Praised struct {
	Ticket      uuid.UUID
	Lang        string
	Lead        uuid.UUID // that answered; uuid.Nil: the hotline
	Description string
	Reply       string
	Contact     string // name, "" when anonymous
	Grade       int
	RatedAt     time.Time
}

// A report, and whatever else is confidential, is nobody's example.
const sqlPraised = `select t.id, t.lang, coalesce(t.lead_id, '00000000-0000-0000-0000-000000000000'), t.description, e.text, coalesce(c.name, ''), r.grade, r.created_at
	from ticket_ratings r join tickets t on t.id = r.ticket_id left join contacts c on c.id = t.contact_id
	cross join lateral (select data->>'text' as text from ticket_events where ticket_id = t.id and type = 'reply' order by seq desc limit 1) e
	where r.created_at > $1 and r.grade >= 4 and not t.confidential and t.kind in ('consult', 'help') and e.text <> '' order by r.created_at, t.id limit $2`

// Praised lists tickets with a good grade after a moment, the oldest first. Errors: the database's.
func (s *Service) Praised(ctx context.Context, after time.Time, limit int) ([]Praised, error) {
	var list []Praised
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlPraised, after, limit)
		if err == nil {
			list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Praised])
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("praised tickets: %w", err)
	}
	return list, nil
}

// Graded is the citizen's grade of a ticket.
type Graded struct {
	Ticket  uuid.UUID
	Grade   int
	RatedAt time.Time
}

const sqlGraded = `select ticket_id, grade, created_at from ticket_ratings where created_at > $1 order by created_at, ticket_id limit $2`

// Graded lists grades given after a moment, the oldest first. Errors: the database's.
func (s *Service) Graded(ctx context.Context, after time.Time, limit int) ([]Graded, error) {
	var list []Graded
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlGraded, after, limit)
		if err == nil {
			list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Graded])
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("graded tickets: %w", err)
	}
	return list, nil
}
