package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/web/httperr"
)

// Notices: those to a person, and those to everybody of an agency with a role. Each person reads the latter for themselves.

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

// noticesFor are the notices of a person ($1 agency, $2 user, $3 roles) with when they read them.
const noticesFor = `from notifications n left join notification_reads r on r.notification_id = n.id and r.user_id = $2 where n.agency_id = $1 and (n.user_id = $2 or n.user_id is null and (n.role = '' or n.role = any($3)))`

func (c *Console) notices(ctx context.Context, actor db.Actor, roles []string, before time.Time, last uuid.UUID, limit int) ([]notice, error) {
	var at *time.Time
	if !before.IsZero() {
		at = &before
	}
	var out []notice
	err := db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		// Several are often of the same moment, so the place in the list is time and id.
		rows, err := tx.Query(ctx, `with page as materialized (select n.id, n.type, n.ticket_id, n.created_at, coalesce(r.read_at, n.read_at) as read_at, n.user_id is not null as mine, n.data `+noticesFor+`
				and ($4::timestamptz is null or n.created_at <= $4 and (n.created_at < $4 or n.id > $6)) order by n.created_at desc, n.id limit $5)
			select p.id, p.type, p.ticket_id, coalesce(t.number, ''), coalesce(t.title, x.title, ''), p.created_at, p.read_at, p.mine, a.id, coalesce(p.data->>'reason', '')
				from page p left join tickets t on t.id = p.ticket_id left join articles a on a.id = (p.data->>'article')::uuid
				left join article_versions x on x.article_id = a.id and x.version = coalesce(a.live, a.latest) order by p.created_at desc, p.id`,
			actor.Agency(), actor.User(), roles, at, limit, last)
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
		return tx.QueryRow(ctx, `select count(*) from (select coalesce(r.read_at, n.read_at) as read_at `+noticesFor+` order by n.created_at desc, n.id limit 101) x where read_at is null`,
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
		return tx.QueryRow(ctx, `select n.ticket_id, (n.data->>'article')::uuid `+noticesFor+` and n.id = $4`, actor.Agency(), actor.User(), roles, id).Scan(&ticket, &article)
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

// maxMarked is how many notices "all read" marks, the newest first: far more than the count looks at.
const maxMarked = 500

// markRead marks one notice, or with a nil id all of them, as read by this person. What stands open for the others of the role stays so.
func (c *Console) markRead(ctx context.Context, actor db.Actor, roles []string, id *uuid.UUID) error {
	err := db.WithTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `with unread as materialized (select n.id, n.user_id `+noticesFor+` and coalesce(r.read_at, n.read_at) is null and ($4::uuid is null or n.id = $4)
				order by n.created_at desc, n.id limit $6),
			own as (update notifications n set read_at = $5 from unread u where n.id = u.id and u.user_id is not null)
			insert into notification_reads (notification_id, user_id, read_at) select u.id, $2, $5 from unread u where u.user_id is null on conflict do nothing`,
			actor.Agency(), actor.User(), roles, id, c.clock.Now(), maxMarked)
		return err
	})
	if err != nil {
		return fmt.Errorf("console: mark read: %w", err)
	}
	return nil
}
