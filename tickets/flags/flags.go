// Package flags keeps notes on contacts: that somebody needs care, comes very often, or was abusive. They inform the hotline's staff. They refuse nothing, hide
// nothing and change no clock and no urgency: intake does not read them. Each has a reason, a date of review and an end, and a history that nobody may change.
//
// The program flags nobody; it proposes contacts that came often, and a supervisor decides. Who filed confidentially is nobody here: a flag would say who
// it is. Agencies see none of it (row-level security).
//
// It may import tickets, tickets/lookout and the leaves under internal.
package flags

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/lookout"
)

// The errors of this package, beside those of tickets.
var (
	// ErrNoContact: the ticket is anonymous, or confidential: there is nobody to put a flag on.
	ErrNoContact = errs.New(errs.Conflict, "tickets.no_contact", "this ticket has no contact that a flag could be put on")
	// ErrFlagged: the contact has a flag of this type already.
	ErrFlagged = errs.New(errs.Conflict, "tickets.flagged", "the contact has this flag already")
	// ErrStale: somebody else changed the flag.
	ErrStale = errs.New(errs.Conflict, "tickets.flag_stale", "somebody else changed this flag in the meantime")
	// ErrEnded: the flag is no longer in force.
	ErrEnded = errs.New(errs.Conflict, "tickets.flag_ended", "this flag is no longer in force")
)

// Store keeps the flags. It is safe for concurrent use.
type Store struct {
	pool    *pgxpool.Pool
	clock   clock.Clock
	tickets *tickets.Service
}

// New makes the store.
func New(pool *pgxpool.Pool, c clock.Clock, t *tickets.Service) *Store {
	return &Store{pool: pool, clock: c, tickets: t}
}

// Types are what a contact can be flagged as.
func Types() []string { return []string{"vulnerable", "repeat", "vexatious", "abusive"} }

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

// Draft is what a supervisor says about a flag.
type Draft struct {
	Type      string
	Reason    string
	ReviewAt  time.Time
	ExpiresAt time.Time
}

// Event is an entry in a flag's history.
type Event struct {
	Type   string // set, changed, reviewed, ended, expired
	UserID uuid.UUID
	At     time.Time
	Data   Data
}

// Data is what an entry says.
type Data struct {
	Type      string     `json:"type,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	ReviewAt  *time.Time `json:"review_at,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// minReason is the least a reason has, in characters: others must be able to judge by it.
const minReason = 10

// supervises: flags are for supervisors of the hotline to set and take off.
func supervises(a tickets.Actor) bool {
	return a.Kind == tickets.KindStaff && a.DB.Desk() && slices.Contains(a.Roles, tickets.Supervisor)
}

// Limits says how long a flag may last and how soon it is looked at again, in days.
func (s *Store) Limits(ctx context.Context) (days, review int, err error) {
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		w, err := lookout.Read(ctx, tx)
		days, review = w.FlagDays, w.FlagReview
		return err
	})
	return days, review, errs.Step("flag limits", err)
}

func (s *Store) check(ctx context.Context, tx db.Tx, d *Draft, now time.Time) error {
	w, err := lookout.Read(ctx, tx)
	if err != nil {
		return err
	}
	bad := func(field string) error { return tickets.ErrBadField.On(field).With("field", field) }
	d.Reason = strings.TrimSpace(d.Reason)
	switch {
	case !slices.Contains(Types(), d.Type):
		return bad("type")
	case utf8.RuneCountInString(d.Reason) < minReason:
		return tickets.ErrReasonShort.On("reason").With("least", minReason)
	case !d.ExpiresAt.After(now) || d.ExpiresAt.After(now.AddDate(0, 0, w.FlagDays+1)):
		return bad("expires_at")
	case !d.ReviewAt.After(now) || d.ReviewAt.After(d.ExpiresAt) || d.ReviewAt.After(now.AddDate(0, 0, w.FlagReview+1)):
		return bad("review_at")
	}
	return tickets.CheckText("reason", d.Reason, tickets.MaxBasis)
}

// Set puts a flag on the contact of a ticket. For supervisors of the hotline.
// Errors: tickets.ErrNotFound, tickets.ErrForbidden, ErrNoContact, ErrFlagged, tickets.ErrBadField, tickets.ErrReasonShort, tickets.ErrTooLong.
func (s *Store) Set(ctx context.Context, a tickets.Actor, ticket uuid.UUID, d Draft) (Flag, error) {
	if !supervises(a) {
		return Flag{}, tickets.ErrForbidden.With("action", "flag")
	}
	now := s.clock.Now()
	f := Flag{ID: db.NewID(), SetBy: a.DB.User(), SetAt: now, Version: 1}
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		t, err := s.tickets.ByIDTx(ctx, tx, ticket)
		if err != nil {
			return err
		}
		if t.ContactID == nil || t.Confidential {
			return ErrNoContact
		}
		if err := s.check(ctx, tx, &d, now); err != nil {
			return err
		}
		if err := oneAtATime(ctx, tx); err != nil {
			return err
		}
		var flagged bool
		if err := tx.QueryRow(ctx, `select exists (select from contact_flags where contact_id = any(contact_kin($1)) and type = $2 and ended_at is null)`, *t.ContactID, d.Type).Scan(&flagged); err != nil {
			return err
		}
		if flagged {
			return ErrFlagged
		}
		f.ContactID, f.Type, f.Reason, f.ReviewAt, f.ExpiresAt, f.TicketID = *t.ContactID, d.Type, d.Reason, d.ReviewAt, d.ExpiresAt, t.ID
		b := &pgx.Batch{}
		b.Queue(insertSQL, f.ID, f.ContactID, f.Type, f.Reason, f.SetBy, now, f.ReviewAt, f.ExpiresAt)
		queueEvent(b, f.ID, "set", a.DB.User(), Data{Type: f.Type, Reason: f.Reason, ReviewAt: &f.ReviewAt, ExpiresAt: &f.ExpiresAt}, now)
		if f.Type == "repeat" {
			b.Queue(`update flag_proposals set state = 'flagged', decided_by = $2, decided_at = $3 where state = 'open' and contact_id = any(contact_kin($1))`, f.ContactID, f.SetBy, now)
		}
		return tickets.Elevated(ctx, tx, func() error { return tx.SendBatch(ctx, b).Close() })
	})
	if err != nil {
		return Flag{}, errs.Step("set flag", err)
	}
	return f, nil
}

// oneAtATime makes whoever flags or proposes people wait for whoever does so now. Who is one person is found by looking (contact_kin), among contacts that
// come in meanwhile too, so there is no row that stands for a person and could be locked; people flag people seldom enough for one queue.
func oneAtATime(ctx context.Context, tx db.Tx) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('hotline flags'))`)
	return err
}

const (
	insertSQL      = `insert into contact_flags (id, contact_id, type, reason, set_by, set_at, review_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`
	insertEventSQL = `insert into contact_flag_events (flag_id, seq, type, user_id, data, at)
		select $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5 from contact_flag_events where flag_id = $1`
	columns = `f.id, f.contact_id, f.type, f.reason, f.set_by, f.set_at, f.review_at, f.expires_at, f.ended_at, f.version`
)

func queueEvent(b *pgx.Batch, flag uuid.UUID, kind string, user uuid.UUID, d Data, now time.Time) {
	data, err := json.Marshal(d)
	if err != nil {
		data = []byte("{}") // strings and times
	}
	b.Queue(insertEventSQL, flag, kind, uuid.NullUUID{UUID: user, Valid: user != uuid.Nil}, data, now)
}

func scan(row pgx.CollectableRow) (Flag, error) {
	var f Flag
	var ticket uuid.NullUUID
	err := row.Scan(&f.ID, &f.ContactID, &f.Type, &f.Reason, &f.SetBy, &f.SetAt, &f.ReviewAt, &f.ExpiresAt, &f.EndedAt, &f.Version, &f.Name, &ticket)
	f.TicketID = ticket.UUID
	return f, err
}

// Change changes a flag's reason and dates; with the same reason it is a review. For supervisors.
// Errors: tickets.ErrNotFound, tickets.ErrForbidden, ErrStale, ErrEnded, tickets.ErrBadField, tickets.ErrReasonShort, tickets.ErrTooLong.
func (s *Store) Change(ctx context.Context, a tickets.Actor, flag uuid.UUID, version int, d Draft) error {
	return s.edit(ctx, a, flag, version, func(tx db.Tx, f Flag, now time.Time) (*pgx.Batch, error) {
		d.Type = f.Type
		if err := s.check(ctx, tx, &d, now); err != nil {
			return nil, err
		}
		kind := "changed"
		if d.Reason == f.Reason {
			kind = "reviewed"
		}
		b := &pgx.Batch{}
		b.Queue(`update contact_flags set reason = $2, review_at = $3, expires_at = $4, told_at = null, version = version + 1 where id = $1`, flag, d.Reason, d.ReviewAt, d.ExpiresAt)
		queueEvent(b, flag, kind, a.DB.User(), Data{Reason: d.Reason, ReviewAt: &d.ReviewAt, ExpiresAt: &d.ExpiresAt}, now)
		return b, nil
	})
}

// End takes a flag off, with a reason. For supervisors.
// Errors: tickets.ErrNotFound, tickets.ErrForbidden, ErrStale, ErrEnded, tickets.ErrMissing, tickets.ErrTooLong.
func (s *Store) End(ctx context.Context, a tickets.Actor, flag uuid.UUID, version int, reason string) error {
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return tickets.ErrMissing.On("reason").With("field", "reason")
	}
	if err := tickets.CheckText("reason", reason, tickets.MaxBasis); err != nil {
		return err
	}
	return s.edit(ctx, a, flag, version, func(_ db.Tx, _ Flag, now time.Time) (*pgx.Batch, error) {
		b := &pgx.Batch{}
		b.Queue(`update contact_flags set ended_at = $2, version = version + 1 where id = $1`, flag, now)
		queueEvent(b, flag, "ended", a.DB.User(), Data{Reason: reason}, now)
		return b, nil
	})
}

func (s *Store) edit(ctx context.Context, a tickets.Actor, flag uuid.UUID, version int, edit func(db.Tx, Flag, time.Time) (*pgx.Batch, error)) error {
	if !supervises(a) {
		return tickets.ErrForbidden.With("action", "flag")
	}
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		// Staff may read flags and not lock them.
		return tickets.Elevated(ctx, tx, func() error {
			rows, err := tx.Query(ctx, flagSQL, flag)
			if err != nil {
				return err
			}
			f, err := pgx.CollectExactlyOneRow(rows, scan)
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				return tickets.ErrNotFound
			case err != nil:
				return err
			case f.EndedAt != nil:
				return ErrEnded
			case version != tickets.AnyVersion && version != f.Version:
				return ErrStale
			}
			b, err := edit(tx, f, s.clock.Now())
			if err != nil {
				return err
			}
			return tx.SendBatch(ctx, b).Close()
		})
	})
	return errs.Step("change flag", err)
}

// Of lists the flags in force on the contact of a ticket, and how many tickets the same contact filed in the last days (the number of days comes
// with it). The contact of a confidential ticket is nobody here: a flag would say who it is. Staff of agencies get nothing.
func (s *Store) Of(ctx context.Context, a tickets.Actor, t tickets.Ticket) (flags []Flag, filed, days int, err error) {
	if t.ContactID == nil || t.Confidential || a.Kind != tickets.KindStaff || !a.DB.Desk() {
		return nil, 0, 0, nil
	}
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		flags, filed, days, err = s.of(ctx, tx, `contact_kin($1)`, *t.ContactID)
		return err
	})
	return flags, filed, days, errs.Step("flags of a contact", err)
}

// OfCaller is Of for whoever has this telephone number or address, while a case is typed for them; days is 0 where nobody has.
func (s *Store) OfCaller(ctx context.Context, a tickets.Actor, phone, email string) (flags []Flag, filed, days int, err error) {
	if phone == "" && email == "" || a.Kind != tickets.KindStaff || !a.DB.Desk() {
		return nil, 0, 0, nil
	}
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var kin []uuid.UUID
		if err := tx.QueryRow(ctx, callerSQL, phone, email).Scan(&kin); err != nil || len(kin) == 0 {
			return err
		}
		var err error
		flags, filed, days, err = s.of(ctx, tx, `$1`, kin)
		return err
	})
	return flags, filed, days, errs.Step("flags of a caller", err)
}

// of is what both read of the contacts of one person.
func (s *Store) of(ctx context.Context, tx db.Tx, kin string, who any) (flags []Flag, filed, days int, err error) {
	w, err := lookout.Read(ctx, tx)
	if err != nil {
		return nil, 0, 0, err
	}
	now := s.clock.Now()
	rows, err := tx.Query(ctx, ofSQL(kin), who, now)
	if err != nil {
		return nil, 0, 0, err
	}
	if flags, err = pgx.CollectRows(rows, scan); err != nil {
		return nil, 0, 0, err
	}
	err = tx.QueryRow(ctx, filedSQL(kin), who, now.AddDate(0, 0, -w.RepeatDays)).Scan(&filed)
	return flags, filed, w.RepeatDays, err
}

// ofSQL and filedSQL are about the contacts of one person, as kin says it in SQL.
func ofSQL(kin string) string {
	return `select ` + columns + `, '', null::uuid from contact_flags f where f.contact_id = any(` + kin + `) and f.ended_at is null and f.expires_at > $2 order by f.type desc, f.set_at`
}

func filedSQL(kin string) string {
	return `select count(*) from (select from tickets where contact_id = any(` + kin + `) and opened_at > $2 limit 100) few`
}

const (
	callerSQL = `select contacts_of($1, $2)`
	flagSQL   = `select ` + columns + `, '', null::uuid from contact_flags f where f.id = $1 for update`
	listSQL   = `select ` + columns + `, c.name, (select t.id from tickets t where t.contact_id = f.contact_id order by t.opened_at desc limit 1)
		from contact_flags f join contacts c on c.id = f.contact_id
		where f.ended_at is null and ($1::timestamptz is null or (f.review_at, f.id) > ($1, $2)) order by f.review_at, f.id limit $3`
)

// List lists the flags in force by the date of their review, the ones that are due first; after is the last one seen.
func (s *Store) List(ctx context.Context, a tickets.Actor, afterReview time.Time, after uuid.UUID, limit int) ([]Flag, error) {
	limit = max(1, min(limit, 100))
	var out []Flag
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, listSQL, pgtype.Timestamptz{Time: afterReview, Valid: !afterReview.IsZero()}, after, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scan)
		return err
	})
	return out, errs.Step("list flags", err)
}

// ByID returns a flag with its history, the oldest entry first.
// Errors: tickets.ErrNotFound.
func (s *Store) ByID(ctx context.Context, a tickets.Actor, flag uuid.UUID) (Flag, []Event, error) {
	var f Flag
	var events []Event
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select `+columns+`, c.name, (select t.id from tickets t where t.contact_id = f.contact_id order by t.opened_at desc limit 1)
			from contact_flags f join contacts c on c.id = f.contact_id where f.id = $1`, flag)
		if err != nil {
			return err
		}
		if f, err = pgx.CollectExactlyOneRow(rows, scan); errors.Is(err, pgx.ErrNoRows) {
			return tickets.ErrNotFound
		} else if err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, `select type, user_id, at, data from contact_flag_events where flag_id = $1 order by seq`, flag); err != nil {
			return err
		}
		events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Event, error) {
			var e Event
			var user uuid.NullUUID
			var data []byte
			if err := row.Scan(&e.Type, &user, &e.At, &data); err != nil {
				return e, err
			}
			e.UserID = user.UUID
			return e, json.Unmarshal(data, &e.Data)
		})
		return err
	})
	return f, events, errs.Step("read flag", err)
}
