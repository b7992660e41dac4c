package chat

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/chat/bot"
	"hotline/internal/db"
)

// Sent is a message of a ticket that was to go out on a channel that the contact allowed, as staff see it.
type Sent struct {
	Seq     int64
	What    string // opened, answer, question, revisit, news
	Channel string
	State   string
	Error   string // in words
	At      time.Time
}

const sentSQL = `select m.seq, coalesce(m.payload->>'event', ''), coalesce(m.payload->>'ask', ''), d.channel, d.state, d.error, d.updated_at
	from messages m join deliveries d on d.conversation_id = m.conversation_id and d.seq = m.seq
	where m.ticket_id = $1 and d.person is not null order by d.created_at desc, d.id desc limit $2`

// SentOf lists what went out of a ticket on allowed channels, the newest first, as the actor may see it.
func (s *Service) SentOf(ctx context.Context, actor db.Actor, ticket uuid.UUID, limit int) ([]Sent, error) {
	var out []Sent
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sentSQL, ticket, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (Sent, error) {
			var one Sent
			var event, ask string
			err := r.Scan(&one.Seq, &event, &ask, &one.Channel, &one.State, &one.Error, &one.At)
			one.What = sentAs(event, ask)
			return one, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("chat: sent: %w", err)
	}
	return out, nil
}

func sentAs(event, ask string) string {
	switch {
	case event == EventTicketOpened:
		return "opened"
	case event == EventAnswer:
		return "answer"
	case ask == "what":
		return "question"
	case ask == bot.AskSolved:
		return "revisit"
	}
	return "news"
}
