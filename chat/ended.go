package chat

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Ended is a chat that is over: closed, or rated. (A grade is a message and opens a closed chat again.)
type Ended struct {
	ID, Ticket    uuid.UUID
	Number        string // of the ticket, where there is one that the reader may see
	Channel, Lang string
	Person        bool // somebody took it over
	Messages      int64
	Grade         int // 1 to 5; 0: not rated
	ClosedAt      time.Time
	Asked         string // the beginning of the citizen's first words
}

// AnyGrade takes ended chats of every grade and those without.
const AnyGrade = -1

const endedSQL = `select c.id, coalesce(t.id, '00000000-0000-0000-0000-000000000000'), coalesce(t.number, ''), c.channel, c.lang, exists (select from messages m where m.conversation_id = c.id and (m.author = 'staff' or m.payload ->> 'event' = '` + EventTakenOver + `')), c.last_seq, coalesce(c.rating, 0), coalesce(c.closed_at, c.rated_at), coalesce((select left(m.text, 80) from messages m where m.conversation_id = c.id and m.author = 'citizen' order by m.seq limit 1), '')
	from conversations c left join tickets t on t.id = c.ticket_id where c.holder = 'bot'`

func endedQuery(grade int, at time.Time, id uuid.UUID, limit int) (string, []any) {
	sql, args := endedSQL, []any{limit}
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	switch {
	case grade == 0:
		sql += ` and c.closed_at is not null and c.rating is null`
	case grade > 0:
		sql += ` and c.rating is not null and c.rating = ` + arg(grade)
	default:
		sql += ` and (c.closed_at is not null or c.rated_at is not null)`
	}
	if !at.IsZero() {
		sql += ` and (coalesce(c.closed_at, c.rated_at), c.id) < (` + arg(at) + `, ` + arg(id) + `)`
	}
	return sql + ` order by coalesce(c.closed_at, c.rated_at) desc, c.id desc limit $1`, args
}

// ListEnded gives chats that are over, the one that ended last first: of one grade (1 to 5), of none (0), or all (AnyGrade). after is what the page before gave as next.
// Errors: ErrBadCursor.
func (s *Service) ListEnded(ctx context.Context, actor db.Actor, grade int, after string, limit int) (list []Ended, next string, err error) {
	var at time.Time
	var id uuid.UUID
	if after != "" {
		when, last, ok := strings.Cut(after, "~")
		at, err = time.Parse(time.RFC3339Nano, when)
		if id, _ = uuid.Parse(last); err != nil || !ok || id == uuid.Nil {
			return nil, "", ErrBadCursor
		}
	}
	limit = max(1, min(limit, MaxPage))
	sql, args := endedQuery(grade, at, id, limit+1)
	err = db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (e Ended, err error) {
			return e, r.Scan(&e.ID, &e.Ticket, &e.Number, &e.Channel, &e.Lang, &e.Person, &e.Messages, &e.Grade, &e.ClosedAt, &e.Asked)
		})
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("chat: ended: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ClosedAt.UTC().Format(time.RFC3339Nano) + "~" + list[limit-1].ID.String()
	}
	return list, next, nil
}
