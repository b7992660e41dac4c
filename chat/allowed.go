package chat

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/tickets"
)

// A contact may have allowed to be written to outside the conversation, by e-mail or SMS (tickets.Allowed). What they must know of a ticket is a message of
// its conversation as ever; where the conversation's own channel does not push, the message gets a delivery on an allowed channel as well, and where a
// delivery fails for good, one on the next. These deliveries have no address: it is looked up as they are sent.

// Way is one on which a contact can be written to now.
type Way struct {
	Channel, Address string
}

// Tells lists the channels on which contacts can allow to be written to, as far as this installation has them.
func (s *Service) Tells() []string {
	var out []string
	for _, name := range tickets.AllowableChannels {
		if slices.Contains(s.push, name) {
			out = append(out, name)
		}
	}
	return out
}

// Pushes reports whether messages in conversations of a channel are delivered by themselves.
func (s *Service) Pushes(channel string) bool { return slices.Contains(s.push, channel) }

// Ways are those on which a contact can be written to, in their order: allowed, not failed, there on this installation, with an address that fits.
func (s *Service) Ways(a tickets.Allowed) []Way {
	var out []Way
	for _, channel := range a.Usable() {
		if w, ok := s.wayOn(a, channel); ok && slices.Contains(s.push, channel) {
			out = append(out, w)
		}
	}
	return out
}

func (s *Service) wayOn(a tickets.Allowed, channel string) (Way, bool) {
	if channel == channels.Email {
		return Way{channel, a.Email}, a.Email != ""
	}
	number, ok := channels.Mobile(a.Phone, s.opt.CallingCode)
	return Way{channel, number}, ok
}

// Reachable names those of the channels that these addresses can be written to on: what a form may promise and a filing allow.
func (s *Service) Reachable(c channels.Contact) []string {
	var out []string
	a := tickets.Allowed{Phone: c.Phone, Email: c.Email}
	for _, channel := range s.Tells() {
		if _, ok := s.wayOn(a, channel); ok {
			out = append(out, channel)
		}
	}
	return out
}

// tells says which entries of the history a contact must hear of wherever they are. What else the conversation says waits there.
func tells(e tickets.Event) bool {
	switch tickets.Action(e.Type) {
	case tickets.Reclassify:
		return e.Data.DueAt != nil // a new date; another word for the same matter waits on the page
	case tickets.Refuse, tickets.TransferOut, tickets.AskCitizen, tickets.Reply, tickets.AnswerDirectly, parentReply, "broadcast", "parent_update", tickets.ApproveExtend, "deadline_recomputed",
		tickets.Reopen, tickets.AskRevisit, tickets.ApproveExclude, tickets.RefuseExclude, rectified:
		return true
	}
	return false
}

// alsoTx gives a message of a ticket a delivery on the channel that the contact allowed, where the conversation's own does not push. A confidential
// ticket's filing is not confirmed: who filed has just read its code.
func (s *Service) alsoTx(ctx context.Context, tx db.Tx, t tickets.Ticket, seq int64, once *told) error {
	if t.ContactID == nil || slices.Contains(s.push, t.Channel) || len(s.Tells()) == 0 {
		return nil
	}
	a, err := s.tickets.AllowedTx(ctx, tx, *t.ContactID)
	if err != nil {
		return err
	}
	ways := s.Ways(a)
	if len(ways) == 0 {
		return nil
	}
	if once != nil {
		if first, err := s.onceTx(ctx, tx, *once, ways[0].Channel, ways[0].Address, t.ConversationID, seq); err != nil || !first {
			return err
		}
	}
	return s.deliverOnTx(ctx, tx, t.ConversationID, seq, ways[0])
}

const insertAlsoSQL = `insert into deliveries (id, conversation_id, seq, channel, account, thread, person, created_at, updated_at) values ($1, $2, $3, $4, '', '', $5, $6, $6)
	on conflict (conversation_id, seq, channel) do nothing`

func (s *Service) deliverOnTx(ctx context.Context, tx db.Tx, conversation uuid.UUID, seq int64, w Way) error {
	tag, err := tx.Exec(ctx, insertAlsoSQL, db.NewID(), conversation, seq, w.Channel, s.tickets.PersonKey(w.Channel, w.Address), s.now())
	if err != nil {
		return fmt.Errorf("chat: also deliver: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return s.deliverTx(ctx, tx, conversation, seq)
}

// told is an entry that is said once to a person, however many of their tickets it is said on: that of one ticket, to the reporters of all that were
// merged into it.
type told struct {
	ticket uuid.UUID
	seq    int
}

// toldOnce is the told of an entry, nil for an entry that is about one ticket.
func toldOnce(t tickets.Ticket, e tickets.Event) *told {
	switch tickets.Action(e.Type) {
	case tickets.Reply, "broadcast":
		return &told{t.ID, e.Seq}
	case parentReply, "parent_update":
		return &told{e.Data.Parent, e.Data.ParentSeq}
	}
	return nil
}

const onceSQL = `insert into receipts (channel, account, thread, external_id, body_hash, conversation_id, seq, created_at) values ('~told', $1, $2, $3, $4, $5, $6, $7)
	on conflict (channel, account, thread, external_id) do nothing`

// onceTx reports whether the person has not been told yet, and notes that they are now. Two that ask at once wait for one another.
func (s *Service) onceTx(ctx context.Context, tx db.Tx, o told, channel, address string, conversation uuid.UUID, seq int64) (bool, error) {
	tag, err := tx.Exec(ctx, onceSQL, channel, hex.EncodeToString(s.tickets.PersonKey(channel, address)), fmt.Sprintf("%s %d", o.ticket, o.seq), []byte{}, conversation, seq, s.now())
	if err != nil {
		return false, fmt.Errorf("chat: told once: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// onceInTx is onceTx for whoever chats in a conversation.
func (s *Service) onceInTx(ctx context.Context, tx db.Tx, o told, conversation uuid.UUID) (bool, error) {
	var channel, thread string
	var seq int64
	if err := tx.QueryRow(ctx, `select channel, account || ' ' || thread, last_seq + 1 from conversations where id = $1`, conversation).Scan(&channel, &thread, &seq); err != nil {
		return false, fmt.Errorf("chat: told once: %w", err)
	}
	return s.onceTx(ctx, tx, o, channel, thread, conversation, seq)
}

const lastOwnSQL = `select coalesce((select d.blames from deliveries d where d.conversation_id = $1 and d.person is null order by d.seq desc limit 1), '')`

// ReachesTx reports whether a message reaches the contact of a ticket: in the conversation where they chat, on a channel that pushes and has not failed for good, or
// on one that they allowed. Who is known by nothing but a code, or by nothing that can be called, has the mailbox behind the code. It is what
// tickets.OnReach wants.
func (s *Service) ReachesTx(ctx context.Context, tx db.Tx, t tickets.Ticket) (bool, error) {
	if t.Channel == channels.Web || t.ContactID == nil && !slices.Contains(s.push, t.Channel) {
		return true, nil
	}
	if slices.Contains(s.push, t.Channel) {
		var blames channels.Blame
		if err := tx.QueryRow(ctx, lastOwnSQL, t.ConversationID).Scan(&blames); err != nil {
			return false, fmt.Errorf("chat: reach: %w", err)
		}
		if blames == "" {
			return true, nil
		}
		if t.ContactID == nil {
			return false, nil
		}
	}
	a, err := s.tickets.AllowedTx(ctx, tx, *t.ContactID)
	if err != nil {
		return false, err
	}
	return len(s.Ways(a)) > 0 || a.Phone == "" && len(a.Failing) == 0, nil
}

// matterSQL is what a delivery's message is about. The ticket is held, as everywhere before what hangs on it.
const matterSQL = `select t.id, t.contact_id, coalesce(m.payload->>'ask', '') from messages m join tickets t on t.id = m.ticket_id where m.conversation_id = $1 and m.seq = $2 for no key update of t`

const triedSQL = `select channel from deliveries where conversation_id = $1 and seq = $2`

// matter is a message whose delivery failed.
type matter struct {
	ticket  uuid.UUID // uuid.Nil: it is about none
	contact *uuid.UUID
	ask     string
}

func (s *Service) matterTx(ctx context.Context, tx db.Tx, conversation uuid.UUID, seq int64) (m matter, err error) {
	if s.tickets == nil {
		return m, nil
	}
	err = tx.QueryRow(ctx, matterSQL, conversation, seq).Scan(&m.ticket, &m.contact, &m.ask)
	if errors.Is(err, pgx.ErrNoRows) {
		return matter{}, nil
	}
	if err != nil {
		return m, fmt.Errorf("chat: failed delivery: %w", err)
	}
	return m, nil
}

// againSQL reports whether the message before to the same person on the same channel failed as doubtfully.
const againSQL = `select coalesce((select b.blames <> '' from deliveries d join deliveries b on b.person = d.person and b.channel = d.channel and b.id <> d.id and b.created_at <= d.created_at
	where d.id = $1 and b.state <> 'pending' order by b.created_at desc, b.id desc limit 1), false)`

// blameTx keeps from an address that a contact allowed what does not reach it, until it is heard of again (reachedTx, heardTx) or allowed anew.
func (s *Service) blameTx(ctx context.Context, tx db.Tx, contact uuid.UUID, d delivery, blames channels.Blame) error {
	if !d.away || blames == "" {
		return nil
	}
	if blames == channels.Doubt {
		again := false
		if err := tx.QueryRow(ctx, againSQL, d.id).Scan(&again); err != nil {
			return fmt.Errorf("chat: blame: %w", err)
		}
		if !again {
			return nil
		}
	}
	return s.tickets.FailingTx(ctx, tx, contact, d.channel)
}

const contactOfSQL = `select t.contact_id from messages m join tickets t on t.id = m.ticket_id where m.conversation_id = $1 and m.seq = $2 and t.contact_id is not null`

// reachedTx: a message has arrived, so whatever kept others from its address is over.
func (s *Service) reachedTx(ctx context.Context, tx db.Tx, conversation uuid.UUID, d delivery) error {
	if !d.away {
		return s.heardTx(ctx, tx, d.channel, d.thread)
	}
	var contact uuid.UUID
	err := tx.QueryRow(ctx, contactOfSQL, conversation, d.seq).Scan(&contact)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("chat: reached: %w", err)
	}
	return s.tickets.ReachedTx(ctx, tx, contact, d.channel, "")
}

// healedSQL ends the count of failures (againSQL).
const healedSQL = `update deliveries set blames = '' where person = $1 and channel = $2 and blames <> ''`

// heardTx is reachedTx for who writes to us, or is written to, on a thread of the channel.
func (s *Service) heardTx(ctx context.Context, tx db.Tx, channel, thread string) error {
	if s.tickets == nil || !slices.Contains(tickets.AllowableChannels, channel) {
		return nil
	}
	address := channels.Addressee(thread)
	if _, err := tx.Exec(ctx, healedSQL, s.tickets.PersonKey(channel, address), channel); err != nil {
		return fmt.Errorf("chat: heard: %w", err)
	}
	return s.tickets.ReachedTx(ctx, tx, uuid.Nil, channel, address)
}

// fallBackTx does what follows from a delivery that failed: the message goes out on the next channel that the contact allowed. A question of the revisit that
// reaches nobody puts the case on the call list.
func (s *Service) fallBackTx(ctx context.Context, tx db.Tx, m matter, conversation uuid.UUID, d delivery, blames channels.Blame, words string) error {
	if m.ticket == uuid.Nil {
		return nil
	}
	if m.contact != nil {
		if err := s.blameTx(ctx, tx, *m.contact, d, blames); err != nil {
			return err
		}
		a, err := s.tickets.AllowedTx(ctx, tx, *m.contact)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, triedSQL, conversation, d.seq)
		if err != nil {
			return fmt.Errorf("chat: fall back: %w", err)
		}
		tried, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("chat: fall back: %w", err)
		}
		for _, w := range s.Ways(a) {
			if !slices.Contains(tried, w.Channel) {
				return s.deliverOnTx(ctx, tx, conversation, d.seq, w)
			}
		}
	}
	if m.ask != bot.AskSolved {
		return nil
	}
	return s.tickets.UnreachedTx(ctx, tx, m.ticket, d.channel, words)
}
