package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Flags on contacts inform the hotline's staff. They refuse nothing, hide nothing and change no clock and no urgency: intake does not read them.

// FlagTypes are what a contact can be flagged as.
func FlagTypes() []string { return []string{"vulnerable", "repeat", "vexatious", "abusive"} }

// Flag is a note about a contact, seen by the hotline alone.
type Flag struct {
	ID        uuid.UUID
	ContactID uuid.UUID
	Type      string
	Reason    string
	SetBy     uuid.UUID
	SetAt     time.Time
	ReviewAt  time.Time
	ExpiresAt time.Time
	EndedAt   *time.Time
	Version   int
	Name      string    // of the contact
	TicketID  uuid.UUID // their newest ticket
}

// FlagDraft is what a supervisor says about a flag.
type FlagDraft struct {
	Type      string
	Reason    string
	ReviewAt  time.Time
	ExpiresAt time.Time
}

// FlagEvent is an entry in a flag's history.
type FlagEvent struct {
	Type   string // set, changed, reviewed, ended, expired
	UserID uuid.UUID
	At     time.Time
	Data   FlagData
}

// FlagData is what an entry says.
type FlagData struct {
	Type      string     `json:"type,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	ReviewAt  *time.Time `json:"review_at,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// minFlagReason is the least a reason has, in characters: others must be able to judge by it.
const minFlagReason = 10

func (a Actor) supervisesDesk() bool {
	return a.Kind == KindStaff && a.DB.Desk() && slices.Contains(a.Roles, Supervisor)
}

// FlagLimits says how long a flag may last and how soon it is looked at again, in days.
func (s *Service) FlagLimits(ctx context.Context) (days, review int, err error) {
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		w, err := s.watching(ctx, tx)
		days, review = w.FlagDays, w.FlagReview
		return err
	})
	return days, review, wrap2("flag limits", err)
}

func (s *Service) checkFlag(ctx context.Context, tx db.Tx, d *FlagDraft, now time.Time) error {
	w, err := s.watching(ctx, tx)
	if err != nil {
		return err
	}
	bad := func(field string) error { return ErrBadField.On(field).With("field", field) }
	d.Reason = strings.TrimSpace(d.Reason)
	switch {
	case !slices.Contains(FlagTypes(), d.Type):
		return bad("type")
	case utf8.RuneCountInString(d.Reason) < minFlagReason:
		return ErrReasonShort.On("reason").With("least", minFlagReason)
	case !d.ExpiresAt.After(now) || d.ExpiresAt.After(now.AddDate(0, 0, w.FlagDays+1)):
		return bad("expires_at")
	case !d.ReviewAt.After(now) || d.ReviewAt.After(d.ExpiresAt) || d.ReviewAt.After(now.AddDate(0, 0, w.FlagReview+1)):
		return bad("review_at")
	}
	return checkText("reason", d.Reason, maxBasis)
}

// SetFlag puts a flag on the contact of a ticket. For supervisors of the hotline.
// Errors: ErrNotFound, ErrForbidden, ErrNoContact, ErrFlagged, ErrBadField, ErrReasonShort, ErrTooLong.
func (s *Service) SetFlag(ctx context.Context, a Actor, ticket uuid.UUID, d FlagDraft) (Flag, error) {
	if !a.supervisesDesk() {
		return Flag{}, ErrForbidden.With("action", "flag")
	}
	now := s.clock.Now()
	f := Flag{ID: db.NewID(), SetBy: a.DB.User(), SetAt: now, Version: 1}
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		t, err := s.ByIDTx(ctx, tx, ticket)
		if err != nil {
			return err
		}
		if t.ContactID == nil || t.Confidential {
			return ErrNoContact
		}
		if err := s.checkFlag(ctx, tx, &d, now); err != nil {
			return err
		}
		// One at a time for a contact, so that two supervisors do not both set it.
		var flagged bool
		if err := tx.QueryRow(ctx, `select id is not null from contacts where id = $1 for update`, *t.ContactID).Scan(new(bool)); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err := tx.QueryRow(ctx, `select exists (select from contact_flags where contact_id = any(contact_kin($1)) and type = $2 and ended_at is null)`, *t.ContactID, d.Type).Scan(&flagged); err != nil {
			return err
		}
		if flagged {
			return ErrFlagged
		}
		f.ContactID, f.Type, f.Reason, f.ReviewAt, f.ExpiresAt, f.TicketID = *t.ContactID, d.Type, d.Reason, d.ReviewAt, d.ExpiresAt, t.ID
		b := &pgx.Batch{}
		b.Queue(elevateSQL)
		b.Queue(insertFlagSQL, f.ID, f.ContactID, f.Type, f.Reason, f.SetBy, now, f.ReviewAt, f.ExpiresAt)
		queueFlagEvent(b, f.ID, "set", a.DB.User(), FlagData{Type: f.Type, Reason: f.Reason, ReviewAt: &f.ReviewAt, ExpiresAt: &f.ExpiresAt}, now)
		if f.Type == "repeat" {
			b.Queue(`update flag_proposals set state = 'flagged', decided_by = $2, decided_at = $3 where state = 'open' and contact_id = any(contact_kin($1))`, f.ContactID, f.SetBy, now)
		}
		b.Queue(restoreSQL)
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return Flag{}, wrap2("set flag", err)
	}
	return f, nil
}

const (
	insertFlagSQL      = `insert into contact_flags (id, contact_id, type, reason, set_by, set_at, review_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`
	insertFlagEventSQL = `insert into contact_flag_events (flag_id, seq, type, user_id, data, at)
		select $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5 from contact_flag_events where flag_id = $1`
	flagColumns = `f.id, f.contact_id, f.type, f.reason, f.set_by, f.set_at, f.review_at, f.expires_at, f.ended_at, f.version`
)

func queueFlagEvent(b *pgx.Batch, flag uuid.UUID, kind string, user uuid.UUID, d FlagData, now time.Time) {
	data, err := json.Marshal(d)
	if err != nil {
		data = []byte("{}") // strings and times
	}
	b.Queue(insertFlagEventSQL, flag, kind, optional(user), data, now)
}

func scanFlag(row pgx.CollectableRow) (Flag, error) {
	var f Flag
	var ticket *uuid.UUID
	err := row.Scan(&f.ID, &f.ContactID, &f.Type, &f.Reason, &f.SetBy, &f.SetAt, &f.ReviewAt, &f.ExpiresAt, &f.EndedAt, &f.Version, &f.Name, &ticket)
	f.TicketID = id(ticket)
	return f, err
}

// ChangeFlag changes a flag's reason and dates; with the same reason it is a review. For supervisors.
// Errors: ErrNotFound, ErrForbidden, ErrFlagStale, ErrFlagEnded, ErrBadField, ErrReasonShort, ErrTooLong.
func (s *Service) ChangeFlag(ctx context.Context, a Actor, flag uuid.UUID, version int, d FlagDraft) error {
	return s.editFlag(ctx, a, flag, version, func(tx db.Tx, f Flag, now time.Time) (*pgx.Batch, error) {
		d.Type = f.Type
		if err := s.checkFlag(ctx, tx, &d, now); err != nil {
			return nil, err
		}
		kind := "changed"
		if d.Reason == f.Reason {
			kind = "reviewed"
		}
		b := &pgx.Batch{}
		b.Queue(`update contact_flags set reason = $2, review_at = $3, expires_at = $4, told_at = null, version = version + 1 where id = $1`, flag, d.Reason, d.ReviewAt, d.ExpiresAt)
		queueFlagEvent(b, flag, kind, a.DB.User(), FlagData{Reason: d.Reason, ReviewAt: &d.ReviewAt, ExpiresAt: &d.ExpiresAt}, now)
		return b, nil
	})
}

// EndFlag takes a flag off, with a reason. For supervisors.
// Errors: ErrNotFound, ErrForbidden, ErrFlagStale, ErrFlagEnded, ErrMissing, ErrTooLong.
func (s *Service) EndFlag(ctx context.Context, a Actor, flag uuid.UUID, version int, reason string) error {
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return ErrMissing.On("reason").With("field", "reason")
	}
	if err := checkText("reason", reason, maxBasis); err != nil {
		return err
	}
	return s.editFlag(ctx, a, flag, version, func(_ db.Tx, _ Flag, now time.Time) (*pgx.Batch, error) {
		b := &pgx.Batch{}
		b.Queue(`update contact_flags set ended_at = $2, version = version + 1 where id = $1`, flag, now)
		queueFlagEvent(b, flag, "ended", a.DB.User(), FlagData{Reason: reason}, now)
		return b, nil
	})
}

func (s *Service) editFlag(ctx context.Context, a Actor, flag uuid.UUID, version int, edit func(db.Tx, Flag, time.Time) (*pgx.Batch, error)) error {
	if !a.supervisesDesk() {
		return ErrForbidden.With("action", "flag")
	}
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		// Staff may read flags and not lock them; the lock is taken elevated, after the look that the wall allows.
		if _, err := tx.Exec(ctx, elevateSQL); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select `+flagColumns+`, '', null::uuid from contact_flags f where f.id = $1 for update`, flag)
		if err != nil {
			return err
		}
		f, err := pgx.CollectExactlyOneRow(rows, scanFlag)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return ErrNotFound
		case err != nil:
			return err
		case f.EndedAt != nil:
			return ErrFlagEnded
		case version != AnyVersion && version != f.Version:
			return ErrFlagStale
		}
		b, err := edit(tx, f, s.clock.Now())
		if err != nil {
			return err
		}
		b.Queue(restoreSQL)
		return tx.SendBatch(ctx, b).Close()
	})
	return wrap2("change flag", err)
}

// FlagsOf lists the flags in force on the contact of a ticket, and how many tickets the same contact filed in the last days (the number of days comes
// with it). The contact of a confidential ticket is nobody here: a flag would say who it is. Staff of agencies get nothing.
func (s *Service) FlagsOf(ctx context.Context, a Actor, t Ticket) (flags []Flag, filed, days int, err error) {
	if t.ContactID == nil || t.Confidential || a.Kind != KindStaff || !a.DB.Desk() {
		return nil, 0, 0, nil
	}
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		w, err := s.watching(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, flagsOfSQL, *t.ContactID, s.clock.Now())
		if err != nil {
			return err
		}
		if flags, err = pgx.CollectRows(rows, scanFlag); err != nil {
			return err
		}
		days = w.RepeatDays
		return tx.QueryRow(ctx, filedSQL, *t.ContactID, s.clock.Now().AddDate(0, 0, -days)).Scan(&filed)
	})
	return flags, filed, days, wrap2("flags of a contact", err)
}

// kinSQL is the contacts of one person.
const kinSQL = `contact_kin($1)`

const (
	flagsOfSQL = `select ` + flagColumns + `, '', null::uuid from contact_flags f where f.contact_id = any(` + kinSQL + `) and f.ended_at is null and f.expires_at > $2 order by f.type desc, f.set_at`
	filedSQL   = `select count(*) from (select from tickets where contact_id = any(` + kinSQL + `) and opened_at > $2 limit 100) few`
	flagsSQL   = `select ` + flagColumns + `, c.name, (select t.id from tickets t where t.contact_id = f.contact_id order by t.opened_at desc limit 1)
		from contact_flags f join contacts c on c.id = f.contact_id
		where f.ended_at is null and ($1::timestamptz is null or (f.review_at, f.id) > ($1, $2)) order by f.review_at, f.id limit $3`
	proposalsSQL = `select p.id, p.contact_id, p.ticket_id, p.n, p.since, p.made_at, c.name, t.number, t.title from flag_proposals p join contacts c on c.id = p.contact_id
		join tickets t on t.id = p.ticket_id where p.state = 'open' order by p.n desc, p.id limit $1`
)

// Flags lists the flags in force by the date of their review, the ones that are due first; after is the last one seen.
func (s *Service) Flags(ctx context.Context, a Actor, afterReview time.Time, after uuid.UUID, limit int) ([]Flag, error) {
	limit = max(1, min(limit, 100))
	var out []Flag
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, flagsSQL, optionalTime(afterReview), after, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanFlag)
		return err
	})
	return out, wrap2("list flags", err)
}

// FlagByID returns a flag with its history, the oldest entry first.
// Errors: ErrNotFound.
func (s *Service) FlagByID(ctx context.Context, a Actor, flag uuid.UUID) (Flag, []FlagEvent, error) {
	var f Flag
	var events []FlagEvent
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select `+flagColumns+`, c.name, (select t.id from tickets t where t.contact_id = f.contact_id order by t.opened_at desc limit 1)
			from contact_flags f join contacts c on c.id = f.contact_id where f.id = $1`, flag)
		if err != nil {
			return err
		}
		if f, err = pgx.CollectExactlyOneRow(rows, scanFlag); errors.Is(err, pgx.ErrNoRows) {
			return ErrNotFound
		} else if err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, `select type, user_id, at, data from contact_flag_events where flag_id = $1 order by seq`, flag); err != nil {
			return err
		}
		events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (FlagEvent, error) {
			var e FlagEvent
			var user *uuid.UUID
			var data []byte
			if err := row.Scan(&e.Type, &user, &e.At, &data); err != nil {
				return e, err
			}
			e.UserID = id(user)
			return e, json.Unmarshal(data, &e.Data)
		})
		return err
	})
	return f, events, wrap2("read flag", err)
}

// Proposal is a contact that came so often that a supervisor may want to know.
type Proposal struct {
	ID, ContactID, TicketID uuid.UUID
	N                       int
	Since, At               time.Time
	Name, Number, Title     string
}

// Proposals lists contacts that came often, the most frequent first. The program flags nobody.
func (s *Service) Proposals(ctx context.Context, a Actor) ([]Proposal, error) {
	var out []Proposal
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, proposalsSQL, 100)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Proposal])
		return err
	})
	return out, wrap2("list proposals", err)
}

// Dismiss answers a proposal with no; the contact is not proposed again before the time is over. For supervisors.
// Errors: ErrNotFound, ErrForbidden.
func (s *Service) Dismiss(ctx context.Context, a Actor, proposal uuid.UUID) error {
	if !a.supervisesDesk() {
		return ErrForbidden.With("action", "flag")
	}
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var open bool
		if err := tx.QueryRow(ctx, `select state = 'open' from flag_proposals where id = $1`, proposal).Scan(&open); errors.Is(err, pgx.ErrNoRows) {
			return ErrNotFound
		} else if err != nil || !open {
			return err
		}
		return s.writeElevated(ctx, tx, `update flag_proposals set state = 'dismissed', decided_by = $2, decided_at = $3 where id = $1 and state = 'open'`, proposal, a.DB.User(), s.clock.Now())
	})
	return wrap2("dismiss proposal", err)
}

// FlagSweep is what a sweep did.
type FlagSweep struct{ Expired, Due, Proposed int }

const repeatsSQL = `with filed as (
		select t.id, t.contact_id, t.opened_at, case when length(phone_key(c.phone)) >= 6 then phone_key(c.phone) else nullif(lower(c.email), '') end as who
		from ticket_access a join tickets t on t.id = a.ticket_id join contacts c on c.id = t.contact_id
		where a.agency_id = $1 and a.opened_at > $2 and not a.confidential)
	select (array_agg(contact_id order by opened_at desc, id desc))[1], (array_agg(id order by opened_at desc, id desc))[1], count(*)::int from filed where who is not null
	group by who having count(*) >= $3 order by count(*) desc limit 200`

// SweepFlags ends flags whose time is over, tells supervisors of those to be reviewed, and proposes contacts that came often. Each flag's end is in its history.
func (s *Service) SweepFlags(ctx context.Context, now time.Time) (FlagSweep, error) {
	var out FlagSweep
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		out = FlagSweep{}
		ids, err := flagIDs(ctx, tx, `update contact_flags set ended_at = $1, version = version + 1 where ended_at is null and expires_at <= $1 returning id`, now)
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		for _, one := range ids {
			queueFlagEvent(b, one, "expired", uuid.Nil, FlagData{}, now)
		}
		out.Expired = len(ids)
		if ids, err = flagIDs(ctx, tx, `update contact_flags set told_at = $1 where ended_at is null and told_at is null and review_at <= $1 returning id`, now); err != nil {
			return err
		}
		if out.Due = len(ids); out.Due > 0 {
			b.Queue(`insert into notifications (id, agency_id, role, type, data, created_at) values ($1, $2, $3, 'flag_review', jsonb_build_object('n', $4::int), $5)`,
				db.NewID(), s.router.Desk(), string(Supervisor), out.Due, now)
		}
		if b.Len() > 0 {
			if err := tx.SendBatch(ctx, b).Close(); err != nil {
				return err
			}
		}
		return s.proposeRepeats(ctx, tx, now, &out)
	})
	return out, wrap2("sweep flags", err)
}

func flagIDs(ctx context.Context, tx db.Tx, sql string, now time.Time) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, sql, now)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

func (s *Service) proposeRepeats(ctx context.Context, tx db.Tx, now time.Time, out *FlagSweep) error {
	w, err := s.watching(ctx, tx)
	if err != nil {
		return err
	}
	since := now.AddDate(0, 0, -w.RepeatDays)
	rows, err := tx.Query(ctx, repeatsSQL, s.router.Desk(), since, w.RepeatTickets)
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
