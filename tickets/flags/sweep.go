package flags

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/lookout"
)

// What the program does by itself: it ends flags, reminds of reviews and proposes who came often.

const proposalsSQL = `select p.id, p.contact_id, p.ticket_id, p.n, p.since, p.made_at, c.name, t.number, t.title from flag_proposals p join contacts c on c.id = p.contact_id
		join tickets t on t.id = p.ticket_id where p.state = 'open' order by p.n desc, p.id limit $1`

// Proposal is a contact that came so often that a supervisor may want to know.
type Proposal struct {
	ID, ContactID, TicketID uuid.UUID
	N                       int
	Since, At               time.Time
	Name, Number, Title     string
}

// Proposals lists contacts that came often, the most frequent first. The program flags nobody.
func (s *Store) Proposals(ctx context.Context, a tickets.Actor) ([]Proposal, error) {
	var out []Proposal
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, proposalsSQL, 100)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Proposal])
		return err
	})
	return out, errs.Step("list proposals", err)
}

// Dismiss answers a proposal with no; the contact is not proposed again before the time is over. For supervisors.
// Errors: tickets.ErrNotFound, tickets.ErrForbidden.
func (s *Store) Dismiss(ctx context.Context, a tickets.Actor, proposal uuid.UUID) error {
	if !supervises(a) {
		return tickets.ErrForbidden.With("action", "flag")
	}
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var open bool
		if err := tx.QueryRow(ctx, `select state = 'open' from flag_proposals where id = $1`, proposal).Scan(&open); errors.Is(err, pgx.ErrNoRows) {
			return tickets.ErrNotFound
		} else if err != nil || !open {
			return err
		}
		return tickets.Elevated(ctx, tx, func() error {
			_, err := tx.Exec(ctx, `update flag_proposals set state = 'dismissed', decided_by = $2, decided_at = $3 where id = $1 and state = 'open'`, proposal, a.DB.User(), s.clock.Now())
			return err
		})
	})
	return errs.Step("dismiss proposal", err)
}

// Swept is what a sweep did.
type Swept struct{ Expired, Due, Proposed int }

const repeatsSQL = `with filed as (
		select t.id, t.contact_id, t.opened_at, case when length(phone_key(c.phone)) >= 6 then phone_key(c.phone) else nullif(lower(c.email), '') end as who
		from ticket_access a join tickets t on t.id = a.ticket_id join contacts c on c.id = t.contact_id
		where a.agency_id = $1 and a.opened_at > $2 and not a.confidential)
	select (array_agg(contact_id order by opened_at desc, id desc))[1], (array_agg(id order by opened_at desc, id desc))[1], count(*)::int from filed where who is not null
	group by who having count(*) >= $3 order by count(*) desc limit 200`

// Sweep ends flags whose time is over, tells supervisors of those to be reviewed, and proposes contacts that came often. Each flag's end is in its history.
func (s *Store) Sweep(ctx context.Context, now time.Time) (Swept, error) {
	var out Swept
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		out = Swept{}
		ids, err := idsOf(ctx, tx, `update contact_flags set ended_at = $1, version = version + 1 where ended_at is null and expires_at <= $1 returning id`, now)
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		for _, one := range ids {
			queueEvent(b, one, "expired", uuid.Nil, Data{}, now)
		}
		out.Expired = len(ids)
		if ids, err = idsOf(ctx, tx, `update contact_flags set told_at = $1 where ended_at is null and told_at is null and review_at <= $1 returning id`, now); err != nil {
			return err
		}
		if out.Due = len(ids); out.Due > 0 {
			b.Queue(`insert into notifications (id, agency_id, role, type, data, created_at) values ($1, $2, $3, 'flag_review', jsonb_build_object('n', $4::int), $5)`,
				db.NewID(), s.tickets.Desk(), string(tickets.Supervisor), out.Due, now)
		}
		if b.Len() > 0 {
			if err := tx.SendBatch(ctx, b).Close(); err != nil {
				return err
			}
		}
		return s.proposeRepeats(ctx, tx, now, &out)
	})
	return out, errs.Step("sweep flags", err)
}

func idsOf(ctx context.Context, tx db.Tx, sql string, now time.Time) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, sql, now)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

func (s *Store) proposeRepeats(ctx context.Context, tx db.Tx, now time.Time, out *Swept) error {
	w, err := lookout.Read(ctx, tx)
	if err != nil {
		return err
	}
	since := now.AddDate(0, 0, -w.RepeatDays)
	rows, err := tx.Query(ctx, repeatsSQL, s.tickets.Desk(), since, w.RepeatTickets)
	if err != nil {
		return err
	}
	type often struct {
		Contact, Ticket uuid.UUID
		N               int
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[often])
	if err != nil {
		return err
	}
	if err := oneAtATime(ctx, tx); err != nil { // after the count, which takes longest and needs no lock
		return err
	}
	if _, err := tx.Exec(ctx, `update flag_proposals set state = 'over' where state = 'open' and made_at <= $1`, since); err != nil {
		return err
	}
	for _, o := range list {
		tag, err := tx.Exec(ctx, proposeSQL, db.NewID(), o.Contact, o.Ticket, o.N, since, now)
		if err != nil {
			return fmt.Errorf("propose: %w", err)
		}
		out.Proposed += int(tag.RowsAffected())
	}
	return nil
}

// proposeSQL leaves out who is flagged already, who is proposed already (under any of their contacts), and who a supervisor said no to a short while ago.
const proposeSQL = `with kin as materialized (select contact_kin($2) as ids), known as (
		update flag_proposals p set n = greatest(p.n, $4), ticket_id = $3 from kin where p.state = 'open' and p.contact_id = any(kin.ids) returning p.id)
	insert into flag_proposals (id, contact_id, ticket_id, n, since, made_at)
	select $1, $2, $3, $4, $5, $6 from kin where not exists (select from known)
		and not exists (select from flag_proposals p where p.contact_id = any(kin.ids) and (p.state = 'open' or p.state = 'dismissed' and p.decided_at > $5))
		and not exists (select from contact_flags f where f.contact_id = any(kin.ids) and f.type = 'repeat' and f.ended_at is null)`
