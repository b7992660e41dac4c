package tickets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// A contact says on which channels outside the conversation they may be written to: e-mail, SMS, both, or none. It is kept with the contact, with where
// it was said and when; each change after the filing is an entry of the history. Nobody is written to who did not say so.

// Allowed is a contact as a message can reach them.
type Allowed struct {
	Contact      uuid.UUID
	Phone, Email string
	Lang         string
	Channels     []string // in the order in which they are tried
	Via          string   // where it was said: the channel of the filing, "chat", "staff", "link", "sms"
	At           *time.Time
	Failing      []string // of Channels, those on which a message failed for good
}

// Usable are the channels that have not failed.
func (a Allowed) Usable() []string {
	return slices.DeleteFunc(slices.Clone(a.Channels), func(c string) bool { return slices.Contains(a.Failing, c) })
}

// AllowableChannels are the channels that a contact can allow, in the order in which they are tried.
var AllowableChannels = []string{"email", "sms"}

// allowable keeps what can be allowed, once each and in order.
func allowable(in []string) []string {
	out := []string{}
	for _, c := range AllowableChannels {
		if slices.Contains(in, c) {
			out = append(out, c)
		}
	}
	return out
}

const (
	allowedColumns = `id, phone, email, lang, allows, allows_via, allows_at, failing`
	allowSQL       = `update contacts set allows = $2, allows_via = $3, allows_at = $4, failing = '{}' where id = $1`
	reachedSQL     = `update contacts set failing = array_remove(failing, $2::text) where id = any($1) and $2::text = any(failing)`
	failingSQL     = `update contacts set failing = array_append(failing, $2::text) where id = $1 and $2::text = any(allows) and not $2::text = any(failing)`
)

func scanAllowed(row pgx.Row) (a Allowed, err error) {
	err = row.Scan(&a.Contact, &a.Phone, &a.Email, &a.Lang, &a.Channels, &a.Via, &a.At, &a.Failing)
	return a, err
}

// AllowedTx reads what a contact allowed; the zero value when the contact is gone or not to be seen.
func (s *Service) AllowedTx(ctx context.Context, tx db.Tx, contact uuid.UUID) (Allowed, error) {
	a, err := scanAllowed(tx.QueryRow(ctx, `select `+allowedColumns+` from contacts where id = $1`, contact))
	if errors.Is(err, pgx.ErrNoRows) {
		return Allowed{}, nil
	}
	if err != nil {
		return Allowed{}, fmt.Errorf("allowed channels: %w", err)
	}
	return a, nil
}

// AllowedOf is AllowedTx for the contact of a ticket, as the actor may see it.
func (s *Service) AllowedOf(ctx context.Context, a Actor, t Ticket) (out Allowed, err error) {
	if t.ContactID == nil {
		return out, nil
	}
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		out, err = s.AllowedTx(ctx, tx, *t.ContactID)
		return err
	})
	return out, err
}

// AllowTx keeps what a contact said as they filed.
func (s *Service) AllowTx(ctx context.Context, tx db.Tx, contact uuid.UUID, channels []string, via string) error {
	if channels = allowable(channels); len(channels) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, allowSQL, contact, channels, via, s.clock.Now()); err != nil {
		return fmt.Errorf("allow channels: %w", err)
	}
	return nil
}

// FailingTx notes that a channel failed for good: it is not used again until the person is heard of on it (ReachedTx) or somebody allows it anew.
func (s *Service) FailingTx(ctx context.Context, tx db.Tx, contact uuid.UUID, channel string) error {
	if _, err := tx.Exec(ctx, failingSQL, contact, channel); err != nil {
		return fmt.Errorf("failing channel: %w", err)
	}
	return nil
}

// ReachedTx notes that a channel works for a person after all: a message to them has arrived, or they have written. They are the contact, or whoever has the
// address.
func (s *Service) ReachedTx(ctx context.Context, tx db.Tx, contact uuid.UUID, channel, address string) error {
	kin, err := s.kinTx(ctx, tx, contact, channel, address)
	if err != nil || len(kin) == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, reachedSQL, kin, channel); err != nil {
		return fmt.Errorf("reached channel: %w", err)
	}
	return nil
}

// kinTx lists the contacts with an address, which is that of the contact, or the given one.
func (s *Service) kinTx(ctx context.Context, tx db.Tx, contact uuid.UUID, channel, address string) ([]uuid.UUID, error) {
	if contact != uuid.Nil {
		a, err := s.AllowedTx(ctx, tx, contact)
		if err != nil || a.Contact == uuid.Nil {
			return nil, err
		}
		address = a.Phone
		if channel == "email" {
			address = a.Email
		}
	}
	if channel == "email" {
		return contactsOf(ctx, tx, "", address)
	}
	return contactsOf(ctx, tx, address, "")
}

// MayAllow reports whether the actor is one who changes on which channels the contact of the ticket hears.
func (s *Service) MayAllow(a Actor, t Ticket) bool {
	if a.Kind != KindStaff || t.ContactID == nil {
		return false
	}
	if a.DB.Desk() {
		return Move{Roles: []Role{Operator, Dispatcher, Supervisor}}.CanDo(a.Roles...)
	}
	return t.Lead != uuid.Nil && a.DB.Agency() == t.Lead && Move{Roles: []Role{Handler, Head}}.CanDo(a.Roles...)
}

// Allow changes on which channels the contact of a ticket is written to, because they said so to a member of staff; none ends it. What had failed is
// tried again.
// Errors: ErrNotFound, ErrForbidden (see MayAllow).
func (s *Service) Allow(ctx context.Context, a Actor, ticket uuid.UUID, channels []string, key string) (Ticket, error) {
	return s.amend(ctx, a, ticket, key, allowedEntry, Fields{}, func(_ context.Context, _ db.Tx, c *change) error {
		if !s.MayAllow(a, c.t) {
			return ErrForbidden.With("action", allowedEntry).With("state", string(c.t.State))
		}
		c.allow(a, allowable(channels), string(KindStaff))
		return nil
	})
}

// allowedEntry is the entry of the history that says so; its channel names them.
const allowedEntry = "channels_allowed"

func (c *change) allow(a Actor, channels []string, via string) {
	contact, now := *c.t.ContactID, c.now
	c.also(func(b *pgx.Batch) { b.Queue(allowSQL, contact, channels, via, now) })
	c.t.UpdatedAt = c.now
	c.add(Event{Type: allowedEntry, Data: Fields{Channels: channels}}, a)
}

// stopSQL finds everybody who allowed to be written to under the address, and their newest ticket.
const stopSQL = `select (select t.id from tickets t where t.contact_id = c.id order by t.opened_at desc, t.id desc limit 1), array_remove(c.allows, $2::text)
	from contacts c where c.id = any($1) and $2::text = any(c.allows) order by c.id limit 200`

// StopChannel ends messages to a person on a channel, because they said so: to every contact with the address, which is that of the contact, or the
// given one. via is "link" or the channel on which they said it. It reports whether there was anything to end.
func (s *Service) StopChannel(ctx context.Context, contact uuid.UUID, channel, address, via string) (bool, error) {
	ended := false
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		ended, err = s.StopChannelTx(ctx, tx, contact, channel, address, via)
		return err
	})
	return ended, errs.Step("stop channel", err)
}

// StopChannelTx is StopChannel in the caller's transaction, which is the system's.
func (s *Service) StopChannelTx(ctx context.Context, tx db.Tx, contact uuid.UUID, channel, address, via string) (bool, error) {
	kin, err := s.kinTx(ctx, tx, contact, channel, address)
	if err != nil {
		return false, err
	}
	rows, err := tx.Query(ctx, stopSQL, kin, channel)
	if err != nil {
		return false, err
	}
	type stop struct {
		Ticket *uuid.UUID
		Left   []string
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stop])
	if err != nil {
		return false, err
	}
	who := Actor{DB: db.System(), Kind: KindCitizen, Roles: []Role{Citizen}}
	for _, one := range list {
		if one.Ticket == nil {
			continue
		}
		if _, err := s.amendTx(ctx, tx, *one.Ticket, "", allowedEntry, Fields{}, func(_ context.Context, _ db.Tx, c *change) error {
			c.allow(who, one.Left, via)
			return nil
		}); err != nil {
			return false, err
		}
	}
	return len(list) > 0, nil
}

// PersonKey recognizes an address on a channel again without telling it: a keyed hash. Telephone numbers count by their digits, addresses without case.
func (s *Service) PersonKey(channel, address string) []byte {
	return mac(s.keys.lookup, []byte("person "+channel+" "+strings.ToLower(strings.TrimSpace(address))))
}

// stopLen is how many bytes of the seal a stop token carries.
const stopLen = 16

// StopToken makes what stands in the link that ends messages to a contact on a channel: the contact and the installation's seal on it. It needs no row
// and does not age.
func (s *Service) StopToken(contact uuid.UUID, channel string) string {
	return token(append(slices.Clone(contact[:]), s.stopSeal(contact, channel)...))
}

func (s *Service) stopSeal(contact uuid.UUID, channel string) []byte {
	return mac(s.keys.lookup, append([]byte("stop "+channel+" "), contact[:]...))[:stopLen]
}

// ByStopToken gives the contact and the channel of a stop token.
// Errors: ErrBadStop.
func (s *Service) ByStopToken(text string) (uuid.UUID, string, error) {
	raw, ok := untoken(text)
	if !ok || len(raw) != 16+stopLen {
		return uuid.Nil, "", ErrBadStop
	}
	contact := uuid.UUID(raw[:16])
	for _, channel := range AllowableChannels {
		if sealed(raw[16:], s.stopSeal(contact, channel)) {
			return contact, channel, nil
		}
	}
	return uuid.Nil, "", ErrBadStop
}
