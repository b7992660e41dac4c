package chat

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Praised is a chat with a person that the citizen graded 4 or 5.
type Praised struct {
	Conversation uuid.UUID
	Lang         string
	Question     string // the citizen's longest words before the person's first
	Answer       string // what the person said, a paragraph a message
	Contact      string
	Grade        int
	RatedAt      time.Time
}

const praisedSQL = `select c.id, c.lang, q.text, a.text, coalesce(k.name, ''), c.rating, c.rated_at from conversations c left join contacts k on k.id = c.contact_id
	cross join lateral (select min(seq) as first, string_agg(text, e'\n\n' order by seq) as text from messages where conversation_id = c.id and author = 'staff' and text <> '') a
	cross join lateral (select text from messages where conversation_id = c.id and author = 'citizen' and seq < a.first and payload->>'choice' is null order by length(text) desc, seq desc limit 1) q
	where c.rated_at > $1 and c.rating >= 4 and c.rated_user_id is not null and not c.confidential and a.text is not null and q.text <> '' order by c.rated_at, c.id limit $2`

// Praised lists chats with a good grade for the person in them after a moment, the oldest first. Errors: the database's.
func (s *Service) Praised(ctx context.Context, after time.Time, limit int) ([]Praised, error) {
	var list []Praised
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, praisedSQL, after, limit)
		if err == nil {
			list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Praised])
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("chat: praised: %w", err)
	}
	return list, nil
}
