package chat

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotline/channels"
	"hotline/internal/db"
	"hotline/tickets"
)

// Receipt says where a message is; see channels.Receipt.
type Receipt = channels.Receipt

const ingestSQL = `select outcome, conversation, seq, last, holder, opened, ticket from chat_ingest(
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`

// intake is one message on its way in.
type intake struct {
	in           channels.Inbound
	id           uuid.UUID  // of a conversation that this message opens
	person       *uuid.UUID // of the contact that is stored with it, if there is one
	holder       string     // of a conversation that this message opens
	confidential bool
	ticket       *uuid.UUID // that is stored right behind
	hash         []byte
	uploader     []byte    // who uploaded the files that come with it
	reply        *Outgoing // to an emergency
	pushed       bool      // the reply needs a delivery
}

// taken is what came of it.
type taken struct {
	Receipt
	last   int64
	holder string
	opened bool
	ticket *uuid.UUID
}

// row is what can run the statement: the pool or a transaction.
type row interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Ingest takes one message in. When it returns nil the message is durable; the same delivery again returns the first receipt.
// Errors: those of channels.Inbound.Clean; ErrReceiptConflict; ErrUnknownUpload; db.ErrUnavailable.
func (s *Service) Ingest(ctx context.Context, in channels.Inbound) (Receipt, error) {
	k, err := s.prepare(in, HeldByBot)
	if err != nil {
		return Receipt{}, err
	}
	if err := s.follow(ctx, &k.in); err != nil {
		return Receipt{}, err
	}
	var got taken
	grade, rates := chatGrade(k.in)
	heard := slices.Contains(tickets.AllowableChannels, k.in.Channel)
	if k.pushed || rates || heard { // the reply's job, the grade, or that the address is well, must commit with it
		err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
			if got, err = s.take(ctx, tx, k); err != nil || got.Duplicate {
				return err
			}
			if err := s.heardTx(ctx, tx, k.in.Channel, k.in.Thread); err != nil {
				return err
			}
			if got.holder != HeldByBot && stops(k.in.Text) {
				return s.stopHeldTx(ctx, tx, k.in, &got)
			}
			if rates {
				return s.rateChatTx(ctx, tx, got.ConversationID, grade)
			}
			if !k.pushed {
				return nil
			}
			return s.deliverTx(ctx, tx, got.ConversationID, got.last)
		})
	} else {
		// One statement is one transaction and one round trip; chat_ingest sets its own actor.
		got, err = s.take(ctx, s.pool, k)
		err = db.MapError(err)
	}
	if err != nil {
		return Receipt{}, err
	}
	s.taken(k.in, got)
	if k.in.Choice == ChoiceLeaveQueue && got.holder == HeldByQueue { // repeated for a repeated message: the first try may have been cut off here
		if err := s.LeaveQueue(ctx, got.ConversationID); err != nil {
			return Receipt{}, err
		}
	}
	return got.Receipt, nil
}

// prepare cleans a message, hashes it and looks for an emergency.
func (s *Service) prepare(in channels.Inbound, holder string) (intake, error) {
	if err := in.Clean(); err != nil {
		return intake{}, err
	}
	k := intake{in: in, id: db.NewID(), holder: holder, hash: bodyHash(in), uploader: uploaderHash(in.Channel, in.Account, in.Thread)}
	if in.Contact != (channels.Contact{}) {
		k.person = newID()
	}
	if s.bot == nil || in.Text == "" || in.Choice != "" {
		return k, nil
	}
	if service, found := s.bot.Emergency().Detect(in.Text); found {
		m := s.bot.Emergency().Message(service, textLang(in.Text, in.Lang))
		k.reply = &Outgoing{Author: ByBot, Text: m.Text, Payload: Payload{Choices: choicesOf(m.Choices), Event: EventEmergency, State: string(service)}}
		_, k.pushed = s.channels.Get(in.Channel)
	}
	return k, nil
}

// take runs chat_ingest.
func (s *Service) take(ctx context.Context, q row, k intake) (got taken, err error) {
	args, err := s.args(k)
	if err != nil {
		return taken{}, err
	}
	if err := got.scan(q.QueryRow(ctx, ingestSQL, args...)); err != nil {
		return taken{}, mapUpload(err)
	}
	return got, nil
}

// args are those of chat_ingest.
func (s *Service) args(k intake) ([]any, error) {
	in, now := k.in, s.now()
	answers, _ := uuid.Parse(in.Answers) // what is no key of ours answers nothing of ours
	payload, err := json.Marshal(Payload{Choice: in.Choice, Place: in.Place, Title: in.Title, Answers: answers})
	if err != nil {
		return nil, fmt.Errorf("chat: ingest: %w", err)
	}
	var contact, replyPayload []byte
	if c := in.Contact; k.person != nil {
		name := c.Name
		if name == "" {
			name = c.Handle
		}
		if contact, err = json.Marshal(map[string]string{"id": k.person.String(), "name": name, "phone": c.Phone, "email": c.Email}); err != nil {
			return nil, fmt.Errorf("chat: ingest: %w", err)
		}
	}
	var reply, delivery *uuid.UUID
	var replyText string
	if k.reply != nil {
		reply, replyText = newID(), k.reply.Text
		if replyPayload, err = json.Marshal(k.reply.Payload); err != nil {
			return nil, fmt.Errorf("chat: ingest: %w", err)
		}
		if k.pushed {
			delivery = newID()
		}
	}
	uploads := in.Uploads
	if uploads == nil {
		uploads = []uuid.UUID{}
	}
	return []any{
		in.Channel, in.Account, in.Thread, in.ExternalID, k.hash,
		in.Text, payload, uploads, k.uploader,
		textLang(in.Text, in.Lang), contact, k.holder, k.confidential, k.ticket,
		k.id, db.NewID(), now, now.Add(s.opt.TurnGrace),
		reply, replyText, replyPayload, delivery,
	}, nil
}

// scan reads what chat_ingest says.
// Errors: ErrReceiptConflict.
func (t *taken) scan(r pgx.Row) error {
	var outcome string
	if err := r.Scan(&outcome, &t.ConversationID, &t.Seq, &t.last, &t.holder, &t.opened, &t.ticket); err != nil {
		return err
	}
	if outcome == "conflict" {
		return ErrReceiptConflict.With("seq", t.Seq)
	}
	t.Duplicate = outcome == "duplicate"
	return nil
}

// taken tells the others after commit.
func (s *Service) taken(in channels.Inbound, got taken) {
	if got.Duplicate {
		return
	}
	h := Hint{Seq: got.last}
	if got.Seq == 1 {
		h.Thread = in.Thread
	}
	s.hint(got.ConversationID, h)
	if got.holder == HeldByBot {
		s.startTurn(got.ConversationID)
	} else {
		s.announce(got.ConversationID)
	}
}

// bodyHash covers what the person sent; the channel's own times and names are left out, because they may differ between two deliveries.
func bodyHash(in channels.Inbound) []byte {
	h := sha256.New()
	part := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		_, _ = io.WriteString(h, s) // a hash takes everything
	}
	part(in.Text)
	part(in.Choice)
	for _, id := range in.Uploads {
		part(id.String())
	}
	if p := in.Place; p != nil {
		part(fmt.Sprintf("%x %x", math.Float64bits(p.Lat), math.Float64bits(p.Lon)))
		part(p.Label)
	}
	return h.Sum(nil)
}

// uploaderHash names who uploaded a file before there is a conversation.
func uploaderHash(channel, account, thread string) []byte {
	sum := sha256.Sum256([]byte(channel + "\x00" + account + "\x00" + thread))
	return sum[:]
}

// textLang tells the language of a text by its script; the channel's word decides where the text says nothing.
func textLang(text, lang string) string {
	han, latin := 0, 0
	for i, r := range text {
		if i > 2000 {
			break
		}
		switch {
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.Is(unicode.Latin, r):
			latin++
		}
	}
	switch {
	case han >= 2 && han*4 >= latin:
		return "zh-CN"
	case lang != "":
		return lang
	}
	return "en"
}

func newID() *uuid.UUID { id := db.NewID(); return &id }

// isTaken reports whether chat_ingest refused a filing because it was taken in before.
func isTaken(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "HL002"
}

// mapUpload turns the function's own SQLSTATE into its error.
func mapUpload(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "HL001" {
		return ErrUnknownUpload.Wrap(err)
	}
	return fmt.Errorf("chat: %w", err)
}
