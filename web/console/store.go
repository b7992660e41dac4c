package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/web/httperr"
)

// What pages show and no domain package serves: names of colleagues, a contact, notices, canned replies. Everything is read with the
// person's own actor.

// names gives the names of users.
func (c *Console) names(ctx context.Context, actor db.Actor, ids map[uuid.UUID]bool) (map[uuid.UUID]string, error) {
	delete(ids, uuid.Nil)
	out := make(map[uuid.UUID]string, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	list := make([]uuid.UUID, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	err := db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, name from users where id = any($1)`, list)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var name string
		_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error { out[id] = name; return nil })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("console: names: %w", err)
	}
	return out, nil
}

// contact is who asked.
type contact struct{ Name, Phone, Email, Lang string }

func (c *Console) contact(ctx context.Context, actor db.Actor, id uuid.UUID) (contact, error) {
	var out contact
	err := db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select name, phone, email, lang from contacts where id = $1`, id).Scan(&out.Name, &out.Phone, &out.Email, &out.Lang)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return contact{}, nil // erased
	}
	if err != nil {
		return contact{}, fmt.Errorf("console: contact: %w", err)
	}
	return out, nil
}

// sibling is another ticket from the same conversation.
type sibling struct {
	ID            uuid.UUID
	Number, Title string
	State         string
}

func (c *Console) siblings(ctx context.Context, actor db.Actor, conversation, but uuid.UUID) ([]sibling, error) {
	var out []sibling
	err := db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, number, title, state from tickets where conversation_id = $1 and id <> $2 order by opened_at desc limit 10`, conversation, but)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[sibling])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("console: tickets of a conversation: %w", err)
	}
	return out, nil
}

// notice is a line of the notifications.
type notice struct {
	ID       uuid.UUID
	Type     string
	TicketID *uuid.UUID
	Number   string
	Title    string
	At       time.Time
	ReadAt   *time.Time
	Mine     bool
	Article  *uuid.UUID
	Reason   string
}

// noticesFor is the condition for a person: their own, and those for everybody of the agency with one of their roles.
const noticesFor = `n.agency_id = $1 and (n.user_id = $2 or n.user_id is null and (n.role = '' or n.role = any($3)))`

// noticeCursor is a place in the notices: several are often of the same moment.
type noticeCursor struct {
	at *time.Time
	id uuid.UUID
}

func (c *Console) notices(ctx context.Context, actor db.Actor, roles []string, before noticeCursor, limit int) ([]notice, error) {
	var out []notice
	err := db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select n.id, n.type, n.ticket_id, coalesce(t.number, ''), coalesce(t.title, x.title, ''), n.created_at, n.read_at, n.user_id is not null, a.id, coalesce(n.data->>'reason', '')
			from notifications n left join tickets t on t.id = n.ticket_id left join articles a on a.id = (n.data->>'article')::uuid
			left join article_versions x on x.article_id = a.id and x.version = coalesce(a.live, a.latest)
			where `+noticesFor+` and ($4::timestamptz is null or n.created_at <= $4 and (n.created_at < $4 or n.id > $6)) order by n.created_at desc, n.id limit $5`,
			actor.Agency(), actor.User(), roles, before.at, limit, before.id)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[notice])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("console: notices: %w", err)
	}
	return out, nil
}

// countUnread counts among the newest notices only: the number is a hint, not a statistic.
func (c *Console) countUnread(ctx context.Context, actor db.Actor, roles []string) (int, error) {
	var n int
	err := db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from (select n.read_at from notifications n where `+noticesFor+` order by n.created_at desc, n.id limit 101) x where read_at is null`,
			actor.Agency(), actor.User(), roles).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("console: unread: %w", err)
	}
	return n, nil
}

// openNotice marks a notice as read and tells the page of what it is about. Errors: httperr.ErrNotFound.
func (c *Console) openNotice(ctx context.Context, actor db.Actor, roles []string, id uuid.UUID) (page string, err error) {
	if err := c.markRead(ctx, actor, roles, &id); err != nil {
		return "", err
	}
	var ticket, article *uuid.UUID
	err = db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select n.ticket_id, (n.data->>'article')::uuid from notifications n where `+noticesFor+` and n.id = $4`, actor.Agency(), actor.User(), roles, id).Scan(&ticket, &article)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", httperr.ErrNotFound
	case err != nil:
		return "", fmt.Errorf("console: notice: %w", err)
	case ticket != nil:
		return "/console/tickets/" + ticket.String(), nil
	case article != nil:
		return articleURL(*article), nil
	}
	return "/console/notifications", nil
}

// markRead marks one notice, or with a nil id all of them.
func (c *Console) markRead(ctx context.Context, actor db.Actor, roles []string, id *uuid.UUID) error {
	err := db.WithTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update notifications n set read_at = $5 where `+noticesFor+` and n.read_at is null and ($4::uuid is null or n.id = $4)`,
			actor.Agency(), actor.User(), roles, id, c.clock.Now())
		return err
	})
	if err != nil {
		return fmt.Errorf("console: mark read: %w", err)
	}
	return nil
}

// cannedReply is a text that staff insert; placeholders are filled from the ticket.
type cannedReply struct {
	Code  string            `json:"code"`
	Names map[string]string `json:"names"`
	Text  map[string]string `json:"text"`
}

// cannedReplies come with the jurisdiction's settings.
func (c *Console) cannedReplies() []cannedReply {
	var settings struct {
		Canned []cannedReply `json:"canned"`
	}
	if json.Unmarshal(c.Routing.Snapshot().Jurisdiction().Settings, &settings) != nil {
		return nil // settings of another shape: there are none
	}
	return settings.Canned
}
