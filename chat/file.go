package chat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
)

// ErrNoTickets: this service was made without tickets.
var ErrNoTickets = errs.New(errs.Internal, "chat.no_tickets", "tickets are not available here")

// Filing is a ticket that arrives whole: a portal form, an API call, an officer's entry. It becomes a conversation of its own, so that the
// answer has somewhere to go.
type Filing struct {
	Channel    string // channels.Portal, channels.API, or a channel of its own
	Account    string // which form or key
	ExternalID string // the same for a repeated submit
	Text       string // the message; empty takes the draft's description
	Lang       string
	Draft      tickets.Draft    // Channel, ConversationID, ContactID and Uploads are set here
	Contact    channels.Contact // empty: anonymous
	// Allows are the channels on which the person wants to hear of it, of those that Tells lists: what the form said under their addresses, or what they said
	// themselves. Without a contact it means nothing.
	Allows  []string
	Uploads []uuid.UUID // uploaded under FilingThread(ExternalID)
	At      time.Time
	Follow  uuid.UUID // a ticket of others that this one joins, as the citizen wished; where it can no longer be joined the filing goes its own way
}

// Filed is what came of it.
type Filed struct {
	Ticket  tickets.Ticket
	Code    string // 20 digits, for the person who filed and nobody else; the one that is valid now
	Receipt Receipt
	First   tickets.State // in which the first try left the ticket
	// Followed: it joined the ticket that was named.
	Followed bool
}

// FilingThread is the thread of a filing's conversation: uploads that go with it are made under this name.
func FilingThread(externalID string) string {
	sum := sha256.Sum256([]byte("filing\x00" + externalID))
	return hex.EncodeToString(sum[:])
}

// FileTicket takes a filing in: message, ticket, history and clocks in one transaction and one round trip. The same filing again returns the
// first result.
// Errors: those of Ingest and of tickets.Plan.
func (s *Service) FileTicket(ctx context.Context, f Filing) (Filed, error) {
	if s.tickets == nil {
		return Filed{}, ErrNoTickets
	}
	in := channels.Inbound{Channel: f.Channel, Account: f.Account, Thread: FilingThread(f.ExternalID), ExternalID: f.ExternalID,
		Text: f.Text, Lang: f.Lang, Uploads: f.Uploads, Contact: f.Contact, At: f.At}
	if in.Text == "" {
		in.Text = f.Draft.Description
	}
	if in.Lang == "" {
		in.Lang = f.Draft.Lang
	}
	k, err := s.prepare(in, HeldByNone)
	if err != nil {
		return Filed{}, err
	}
	d := f.Draft
	d.Channel, d.ConversationID, d.Uploads, d.ContactID = f.Channel, k.id, f.Uploads, k.person
	if d.Lang == "" {
		d.Lang = textLang(k.in.Text, k.in.Lang)
	}
	if allows := s.Allowed(f); len(allows) > 0 || f.Follow != uuid.Nil && !d.Confidential {
		return s.fileInSteps(ctx, f, k, d, allows)
	}
	// The receipt must tell two filings apart that only differ in the form's other fields.
	k.hash = filingHash(k.hash, f)
	opening, err := s.tickets.Plan(d)
	if err != nil {
		return s.plannedBefore(ctx, k, err)
	}
	ticket := opening.Ticket()
	k.ticket, k.confidential = &ticket.ID, ticket.Confidential
	k.pushed = false // pull channels only; the reply waits on the ticket's page
	args, err := s.args(k)
	if err != nil {
		return Filed{}, err
	}
	var got taken
	b := &pgx.Batch{}
	b.Queue(ingestSQL, args...).QueryRow(got.scan)
	opening.Queue(b)
	err = db.SendBatch(ctx, s.pool, b)
	if isTaken(err) {
		return s.filedBefore(ctx, k)
	}
	if err != nil {
		return Filed{}, mapUpload(err)
	}
	ticket = opening.Ticket()
	s.Announce(ticket)
	return Filed{Ticket: ticket, Code: s.tickets.TrackingCode(ticket), Receipt: got.Receipt, First: ticket.State}, nil
}

// Allowed are the channels of those that a filing allows that there are here and that its contact has an address for.
func (s *Service) Allowed(f Filing) []string {
	if f.Contact.Phone == "" && f.Contact.Email == "" {
		return nil
	}
	return slices.DeleteFunc(s.Reachable(f.Contact), func(channel string) bool { return !slices.Contains(f.Allows, channel) })
}

// fileInSteps is FileTicket for a filing that is more than its rows: one that joins a matter of others is merged into it, and one whose contact wants to
// hear of it is confirmed, in the same transaction.
func (s *Service) fileInSteps(ctx context.Context, f Filing, k intake, d tickets.Draft, allows []string) (Filed, error) {
	k.hash = filingHash(k.hash, f)
	k.pushed = false
	var got taken
	var ticket tickets.Ticket
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		if f.Follow != uuid.Nil && !d.Confidential {
			if d.Following, err = s.tickets.FollowableTx(ctx, tx, f.Follow); err != nil {
				return err
			}
		}
		opening, err := s.tickets.Plan(d)
		if err != nil {
			return err
		}
		ticket = opening.Ticket()
		k.ticket, k.confidential = &ticket.ID, ticket.Confidential
		args, err := s.args(k)
		if err != nil {
			return err
		}
		got = taken{}
		b := &pgx.Batch{}
		b.Queue(ingestSQL, args...).QueryRow(got.scan)
		opening.Queue(b)
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		ticket = opening.Ticket()
		if len(allows) > 0 {
			if err := s.tickets.AllowTx(ctx, tx, *k.person, allows, f.Channel); err != nil {
				return err
			}
			if err := s.receivedTx(ctx, tx, ticket); err != nil {
				return err
			}
		}
		if !d.Following || ticket.Confidential { // its category may have made it so
			return nil
		}
		ticket, err = s.tickets.ApplyTx(ctx, tx, tickets.System(), ticket.ID, ticket.Version, tickets.Merge, tickets.Fields{Parent: f.Follow}, "")
		return err
	})
	if isTaken(err) {
		return s.filedBefore(ctx, k)
	}
	if refusedByRules(err) {
		return s.plannedBefore(ctx, k, err)
	}
	if err != nil {
		return Filed{}, mapUpload(err)
	}
	s.Announce(ticket)
	return Filed{Ticket: ticket, Code: s.tickets.TrackingCode(ticket), Receipt: got.Receipt, First: ticket.State, Followed: ticket.State == tickets.Merged}, nil
}

func filingHash(body []byte, f Filing) []byte {
	d := f.Draft
	d.Channel, d.ConversationID, d.ContactID, d.Uploads, d.Key = "", uuid.Nil, nil, nil, ""
	raw, err := json.Marshal(struct {
		Draft   tickets.Draft
		Contact channels.Contact
		Follow  uuid.UUID `json:",omitzero"`
		Allows  []string  `json:",omitempty"`
	}{d, f.Contact, f.Follow, f.Allows})
	if err != nil { // NaN coordinates; the ticket refuses them a moment later
		raw = nil
	}
	sum := sha256.Sum256(append(body, raw...))
	return sum[:]
}

// filedBeforeSQL finds the first result of a filing. Its first state is the last one that the opening itself wrote.
const filedBeforeSQL = `select r.body_hash, r.conversation_id, r.seq, m.ticket_id,
	(select e.to_state from ticket_events e join tickets t on t.id = e.ticket_id where e.ticket_id = m.ticket_id and e.at = t.opened_at and e.to_state <> '' order by e.seq desc limit 1)
	from receipts r join messages m on m.conversation_id = r.conversation_id and m.seq = r.seq
	where r.channel = $1 and r.account = $2 and r.thread = $3 and r.external_id = $4`

// refusedByRules reports whether a plan, not the database, said no.
func refusedByRules(err error) bool { return errs.KindOf(err) == errs.Invalid }

// plannedBefore answers a filing that the rules of today refuse: where it was taken in before they changed (a field became needed, a category was closed) it
// gives the first result, else the refusal.
func (s *Service) plannedBefore(ctx context.Context, k intake, refused error) (Filed, error) {
	f, err := s.filedBefore(ctx, k)
	if errors.Is(err, pgx.ErrNoRows) {
		return Filed{}, refused
	}
	return f, err
}

// filedBefore gives the result of the first try.
func (s *Service) filedBefore(ctx context.Context, k intake) (Filed, error) {
	f := Filed{Receipt: Receipt{Duplicate: true}}
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		var hash []byte
		var id uuid.UUID
		err := tx.QueryRow(ctx, filedBeforeSQL, k.in.Channel, k.in.Account, k.in.Thread, k.in.ExternalID).Scan(&hash, &f.Receipt.ConversationID, &f.Receipt.Seq, &id, &f.First)
		if err != nil {
			return fmt.Errorf("chat: file: %w", err)
		}
		if !bytes.Equal(hash, k.hash) {
			return ErrReceiptConflict.With("seq", f.Receipt.Seq)
		}
		f.Ticket, err = s.tickets.ByIDTx(ctx, tx, id)
		return err
	})
	if err != nil {
		return Filed{}, err
	}
	f.Code, f.Followed = s.tickets.TrackingCode(f.Ticket), f.Ticket.State == tickets.Merged
	return f, nil
}

// Announce tells everybody, after commit, that a ticket changed: staff's lists, and the sockets of its conversation, where a notice may
// have appeared. Call it after every tickets.Apply and OpenTx that did not go through this package.
func (s *Service) Announce(t tickets.Ticket) {
	if s.bus == nil {
		return
	}
	if raw, err := json.Marshal(InboxHint{Ticket: t.ID.String(), Conversation: t.ConversationID.String()}); err == nil {
		s.bus.Publish(SubjectInbox, raw)
	}
	s.hint(t.ConversationID, Hint{Seq: Look})
}

// Look is the seq of a hint that says "something is new" without knowing its seq.
const Look = -1

// ReplyToTicket is a member of staff writing to the citizen on a ticket: with an action (reply, ask_citizen, refuse, …) the move and the
// message are one transaction, without one it is a message alone.
// Errors: those of tickets.Apply and of Post.
func (s *Service) ReplyToTicket(ctx context.Context, actor tickets.Actor, ticket uuid.UUID, version int, text string, action tickets.Action, f tickets.Fields, key string, also ...Also) (tickets.Ticket, error) {
	if s.tickets == nil {
		return tickets.Ticket{}, ErrNoTickets
	}
	if action != "" {
		f.Text = channels.CleanText(text)
		var k tickets.Ticket
		err := db.WithTx(ctx, s.pool, actor.DB, func(tx db.Tx) (err error) {
			if k, err = s.tickets.ApplyTx(ctx, tx, actor, ticket, version, action, f, key); err != nil {
				return err
			}
			for _, fn := range also {
				if err := fn(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			s.Announce(k)
		}
		return k, err
	}
	k, err := s.tickets.ByID(ctx, actor, ticket)
	if err != nil {
		return k, err
	}
	out := Outgoing{Author: ByStaff, Text: text, Uploads: f.Uploads, TicketID: ticket, Key: key,
		Payload: Payload{Ticket: &TicketRef{ID: k.ID, Number: k.Number}, Citations: sourcesOf(f.Sources)}}
	out.Also = func(ctx context.Context, tx db.Tx) error {
		for _, fn := range also {
			if err := fn(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}
	_, err = s.Post(ctx, actor.DB, k.ConversationID, out)
	return k, err
}

// ReplyByCitizen is the citizen answering on the ticket's page: the message, and the move that it means (answering a question, or adding
// information), in one transaction. id makes a repeated submit harmless.
// Errors: those of tickets.ApplyTx; channels.ErrEmpty, channels.ErrTooLong; ErrKeyConflict; ErrUnknownUpload.
func (s *Service) ReplyByCitizen(ctx context.Context, ticket uuid.UUID, id, text string, uploads []uuid.UUID) (tickets.Ticket, error) {
	if s.tickets == nil {
		return tickets.Ticket{}, ErrNoTickets
	}
	text = channels.CleanText(text)
	if text == "" {
		return tickets.Ticket{}, channels.ErrEmpty.On("text")
	}
	var k tickets.Ticket
	// The ticket is locked before its conversation, as everywhere.
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		if k, err = s.tickets.CitizenWordTx(ctx, tx, citizen, ticket, tickets.Fields{Text: text, Uploads: uploads}, id); err != nil {
			return err
		}
		_, err = s.appendTx(ctx, tx, k.ConversationID, Outgoing{Author: ByCitizen, Text: text, Uploads: uploads, TicketID: ticket, Key: id})
		return err
	})
	if err != nil {
		return k, err
	}
	s.Announce(k)
	return k, nil
}
