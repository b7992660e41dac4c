package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// MaxPage is the most messages that one call of Messages returns.
const MaxPage = 200

const messageColumns = `m.conversation_id, m.seq, m.id, m.author, coalesce(m.author_user_id, '00000000-0000-0000-0000-000000000000'), case when u.id is null then '' else staff_name(u.names, u.name, (select c.lang from conversations c where c.id = m.conversation_id)) end,
	m.text, m.payload, coalesce(m.ticket_id, '00000000-0000-0000-0000-000000000000'), m.created_at`

const messagesSQL = `select ` + messageColumns + `
	from messages m left join users u on u.id = m.author_user_id
	where m.conversation_id = $1 and m.seq > $2 order by m.seq limit $3`

// Messages gives the messages after a seq, oldest first, as they are stored; RenderFor makes them fit for a reader.
// Errors: ErrBadCursor; db.ErrUnavailable. What the actor may not see is simply not there.
func (s *Service) Messages(ctx context.Context, actor db.Actor, conversation uuid.UUID, after int64, limit int) ([]Message, error) {
	if after < 0 {
		return nil, ErrBadCursor
	}
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	var out []Message
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) (err error) {
		if out, err = collect(ctx, tx, messagesSQL, conversation, after, limit); err != nil || actor.User() == uuid.Nil {
			return err
		}
		return addDeliveries(ctx, tx, conversation, out)
	})
	return out, err
}

const latestSQL = `select * from (select ` + messageColumns + `
	from messages m left join users u on u.id = m.author_user_id
	where m.conversation_id = $1 and ($2 = 0 or m.seq < $2) order by m.seq desc limit $3) x order by 2`

// Latest gives the last messages before a seq (0: the newest), oldest first: for pages that open at the end.
// Errors: ErrBadCursor; db.ErrUnavailable.
func (s *Service) Latest(ctx context.Context, actor db.Actor, conversation uuid.UUID, before int64, limit int) ([]Message, error) {
	if before < 0 {
		return nil, ErrBadCursor
	}
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	var out []Message
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) (err error) {
		if out, err = collect(ctx, tx, latestSQL, conversation, before, limit); err != nil || actor.User() == uuid.Nil {
			return err
		}
		return addDeliveries(ctx, tx, conversation, out)
	})
	return out, err
}

const ofTicketSQL = `select ` + messageColumns + `
	from messages m left join users u on u.id = m.author_user_id
	where m.ticket_id = $1 order by m.created_at, m.seq limit $2`

// OfTicket gives a ticket's messages, oldest first: the correspondence that the track page shows.
func (s *Service) OfTicket(ctx context.Context, actor db.Actor, ticket uuid.UUID, limit int) ([]Message, error) {
	var out []Message
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) (err error) {
		out, err = collect(ctx, tx, ofTicketSQL, ticket, limit)
		return err
	})
	return out, err
}

func collect(ctx context.Context, tx db.Tx, sql string, args ...any) ([]Message, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("chat: messages: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (Message, error) {
		var m Message
		var payload []byte
		if err := r.Scan(&m.ConversationID, &m.Seq, &m.ID, &m.Author, &m.UserID, &m.Name, &m.Text, &payload, &m.TicketID, &m.At); err != nil {
			return m, err
		}
		m.At = m.At.UTC()
		return m, json.Unmarshal(payload, &m.Payload)
	})
	if err != nil {
		return nil, fmt.Errorf("chat: messages: %w", err)
	}
	return out, nil
}

// addDeliveries puts the state of deliveries beside messages, for staff.
func addDeliveries(ctx context.Context, tx db.Tx, conversation uuid.UUID, ms []Message) error {
	if len(ms) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `select seq, channel, state, attempts, error from deliveries where conversation_id = $1 and seq between $2 and $3 order by seq, created_at, id`,
		conversation, ms[0].Seq, ms[len(ms)-1].Seq)
	if err != nil {
		return fmt.Errorf("chat: deliveries: %w", err)
	}
	bySeq := map[int64][]Delivery{}
	var seq int64
	var d Delivery
	_, err = pgx.ForEachRow(rows, []any{&seq, &d.Channel, &d.State, &d.Attempts, &d.Error}, func() error {
		bySeq[seq] = append(bySeq[seq], d)
		return nil
	})
	if err != nil {
		return fmt.Errorf("chat: deliveries: %w", err)
	}
	for i := range ms {
		ms[i].Deliveries = bySeq[ms[i].Seq]
	}
	return nil
}

const conversationSQL = `select c.id, c.channel, c.account, c.lang, c.holder, coalesce(c.holder_user_id, '00000000-0000-0000-0000-000000000000'), coalesce(staff_name(u.names, u.name, c.lang), ''),
	c.last_seq, c.citizen_seen, c.staff_seen, coalesce(c.ticket_id, '00000000-0000-0000-0000-000000000000'), c.confidential, c.queued_at, c.closed_at, c.created_at, c.updated_at, coalesce(c.rating, 0),
	case when c.holder = 'queue' then (select count(*)::int from (select from conversations q where q.holder = 'queue' and (q.queued_at, q.id) < (c.queued_at, c.id) limit 100) x) + 1 else 0 end
	from conversations c left join users u on u.id = c.holder_user_id where `

func scanConversation(r pgx.Row) (Conversation, error) {
	var c Conversation
	err := r.Scan(&c.ID, &c.Channel, &c.Account, &c.Lang, &c.Holder, &c.HolderUserID, &c.HolderName, &c.LastSeq, &c.CitizenSeen, &c.StaffSeen,
		&c.TicketID, &c.Confidential, &c.QueuedAt, &c.ClosedAt, &c.CreatedAt, &c.UpdatedAt, &c.Grade, &c.Position)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, ErrNotFound
	}
	if err != nil {
		return c, fmt.Errorf("chat: conversation: %w", err)
	}
	return c, nil
}

// Conversation gives the state of a conversation. Errors: ErrNotFound.
func (s *Service) Conversation(ctx context.Context, actor db.Actor, id uuid.UUID) (c Conversation, err error) {
	// A citizen's own row tells nothing of the queue before it: the position is counted by the system.
	as := actor
	if actor.User() == uuid.Nil && !actor.IsSystem() {
		if _, err := s.visible(ctx, actor, id); err != nil {
			return c, err
		}
		as = db.System()
	}
	err = db.ReadTx(ctx, s.pool, as, func(tx db.Tx) (err error) {
		c, err = scanConversation(tx.QueryRow(ctx, conversationSQL+`c.id = $1`, id))
		return s.withWait(ctx, tx, &c, err)
	})
	return c, err
}

func (s *Service) visible(ctx context.Context, actor db.Actor, id uuid.UUID) (ok bool, err error) {
	err = db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select true from conversations where id = $1`, id).Scan(&ok)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, ErrNotFound
	}
	return ok, err
}

// ByThread finds a conversation by the channel's own name of it. It runs as the system: who knows the thread has been recognized by the
// channel. Errors: ErrNotFound.
func (s *Service) ByThread(ctx context.Context, channel, account, thread string) (c Conversation, err error) {
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		c, err = scanConversation(tx.QueryRow(ctx, conversationSQL+`c.channel = $1 and c.account = $2 and c.thread = $3`, channel, account, thread))
		return s.withWait(ctx, tx, &c, err)
	})
	return c, err
}

// Heads gives the last seq and the holder of many conversations, as the system: for the slow tick that makes up for lost hints.
func (s *Service) Heads(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Head, error) {
	out := make(map[uuid.UUID]Head, len(ids))
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, last_seq, holder from conversations where id = any($1)`, ids)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var h Head
		_, err = pgx.ForEachRow(rows, []any{&id, &h.LastSeq, &h.Holder}, func() error { out[id] = h; return nil })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("chat: heads: %w", err)
	}
	return out, nil
}

// Head is the end of a conversation.
type Head struct {
	LastSeq int64
	Holder  string
}

// ThreadsOf finds which of these threads have a conversation by now.
func (s *Service) ThreadsOf(ctx context.Context, channel string, threads []string) (map[string]uuid.UUID, error) {
	out := map[string]uuid.UUID{}
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, thread from conversations where channel = $1 and thread = any($2)`, channel, threads)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var thread string
		_, err = pgx.ForEachRow(rows, []any{&id, &thread}, func() error { out[thread] = id; return nil })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("chat: threads: %w", err)
	}
	return out, nil
}

// ListLive gives conversations that wait for a person or are held by one, longest waiting first, after a (queued_at, id) cursor kept by the
// caller as the last row. holder is HeldByQueue or HeldByStaff.
func (s *Service) ListLive(ctx context.Context, actor db.Actor, holder string, after *Conversation, limit int) ([]Conversation, error) {
	var out []Conversation
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		where, args := `c.holder = $1`, []any{holder, limit}
		if after != nil && after.QueuedAt != nil {
			where += ` and (c.queued_at, c.id) > ($3, $4)`
			args = append(args, *after.QueuedAt, after.ID)
		}
		rows, err := tx.Query(ctx, conversationSQL+where+` order by c.queued_at, c.id limit $2`, args...)
		if err != nil {
			return fmt.Errorf("chat: live: %w", err)
		}
		out, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (Conversation, error) { return scanConversation(r) })
		return err
	})
	return out, err
}
