package chat

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/internal/db"
	"hotline/tickets"
)

// Post writes one message from our side: the message and, on push channels, its delivery and job, in one transaction.
// Errors: ErrNotFound; ErrKeyConflict; ErrUnknownUpload; channels.ErrEmpty, channels.ErrTooLong; ErrStaffOnly for a citizen.
func (s *Service) Post(ctx context.Context, actor db.Actor, conversation uuid.UUID, out Outgoing) (int64, error) {
	var p Posting
	err := db.WithTx(ctx, s.pool, actor, func(tx db.Tx) (err error) {
		p, err = s.PostTx(ctx, tx, actor, conversation, out)
		return err
	})
	if err != nil {
		return 0, err
	}
	s.Posted(p)
	return p.Seq, nil
}

// Posting is what PostTx did; Posted wants it after commit.
type Posting struct {
	ConversationID uuid.UUID
	Seq            int64
	duplicate      bool
	holder         string // set when it changed
	inbox          bool
}

// PostTx is Post inside the caller's transaction. After commit the caller hands the result to Posted, which tells the others.
func (s *Service) PostTx(ctx context.Context, tx db.Tx, actor db.Actor, conversation uuid.UUID, out Outgoing) (Posting, error) {
	if out.Author == "" || actor.User() != uuid.Nil {
		out.Author, out.UserID = ByStaff, actor.User()
	}
	if !actor.IsSystem() && actor.User() == uuid.Nil {
		return Posting{}, ErrStaffOnly
	}
	out.Text = channels.CleanText(out.Text)
	if out.Text == "" && len(out.Uploads) == 0 && out.Payload.Event == "" {
		return Posting{}, channels.ErrEmpty.On("text")
	}
	if len([]rune(out.Text)) > channels.MaxText {
		return Posting{}, channels.ErrTooLong.On("text")
	}
	if out.Author == ByStaff && out.TicketID != uuid.Nil && s.tickets != nil {
		if err := s.tickets.AnsweredTx(ctx, tx, actor, out.TicketID); err != nil {
			return Posting{}, err
		}
	}
	p, err := s.appendTx(ctx, tx, conversation, out)
	if err == nil && !p.duplicate && out.Author == ByStaff && len(out.Payload.Citations) > 0 {
		err = s.staffToldTx(ctx, tx, conversation, out, p.Seq)
	}
	if err == nil && !p.duplicate && out.Author == ByStaff && out.TicketID != uuid.Nil && s.tickets != nil {
		var t tickets.Ticket
		if t, err = s.tickets.ByIDTx(ctx, tx, out.TicketID); err == nil {
			err = s.alsoTx(ctx, tx, t, p.Seq, nil)
		}
	}
	if err == nil && !p.duplicate && out.Also != nil {
		err = out.Also(ctx, tx)
	}
	return p, err
}

// Posted tells the others about what committed.
func (s *Service) Posted(ps ...Posting) {
	for _, p := range ps {
		if p.ConversationID == uuid.Nil || p.duplicate {
			continue
		}
		if p.Seq > 0 {
			s.hint(p.ConversationID, Hint{Seq: p.Seq})
		}
		if p.holder != "" {
			s.hint(p.ConversationID, Hint{Holder: p.holder})
		}
		if p.inbox || p.holder != "" {
			s.announce(p.ConversationID)
		}
	}
}

const appendSQL = `select outcome, coalesce(seq, 0), push from chat_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

// appendTx writes one message as the transaction's actor.
func (s *Service) appendTx(ctx context.Context, tx db.Tx, conversation uuid.UUID, out Outgoing) (Posting, error) {
	return s.appendOnTx(ctx, tx, conversation, out, s.push)
}

// appendOnTx is appendTx where only some channels push, or none.
func (s *Service) appendOnTx(ctx context.Context, tx db.Tx, conversation uuid.UUID, out Outgoing, push []string) (Posting, error) {
	payload, err := json.Marshal(out.Payload)
	if err != nil {
		return Posting{}, fmt.Errorf("chat: post: %w", err)
	}
	uploads := out.Uploads
	if uploads == nil {
		uploads = []uuid.UUID{}
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\x00%s\x00%v\x00", out.Author, out.Text, uploads)
	hash.Write(payload)
	if push == nil {
		push = []string{}
	}
	var outcome string
	var pushed bool
	p := Posting{ConversationID: conversation, inbox: out.Author == ByStaff}
	err = tx.QueryRow(ctx, appendSQL, conversation, db.NewID(), out.Author, orNil(out.UserID), out.Text, payload, uploads, orNil(out.TicketID),
		out.Key, hash.Sum(nil), push, db.NewID(), s.now()).Scan(&outcome, &p.Seq, &pushed)
	if err != nil {
		return Posting{}, mapUpload(err)
	}
	switch outcome {
	case "absent":
		return Posting{}, ErrNotFound
	case "conflict":
		return Posting{}, ErrKeyConflict.With("seq", p.Seq)
	case "duplicate":
		p.duplicate = true
		return p, nil
	}
	if pushed {
		return p, s.deliverTx(ctx, tx, conversation, p.Seq)
	}
	return p, nil
}

func orNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
