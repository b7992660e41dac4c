package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
)

// answered is what writeTurn did.
type answered struct {
	posts  []Posting
	again  bool // the citizen wrote, or chose another language, in the meantime: nothing was written, think again
	wrote  bool
	opened []tickets.Ticket
}

// writeTurn writes the bot's reply, unless the world has changed since it was claimed.
func (s *Service) writeTurn(ctx context.Context, t *turn, reply bot.Reply, state bot.State) (answered, error) {
	var done answered
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		done = answered{}
		var lease *uuid.UUID
		var lastSeq int64
		var holder, lang string
		err := tx.QueryRow(ctx, `select lease_owner, last_seq, holder, lang from conversations where id = $1 for no key update`, t.conversation).Scan(&lease, &lastSeq, &holder, &lang)
		if err != nil {
			return fmt.Errorf("chat: turn: %w", err)
		}
		if holder != HeldByBot || lease == nil || *lease != t.lease {
			return nil // a person took over, or the lease ran out and somebody else answers
		}
		if lastSeq != t.lastSeq || lang != t.chosen {
			done.again = true
			_, err := tx.Exec(ctx, `update conversations set lease_owner = null, lease_until = null where id = $1`, t.conversation)
			return err
		}
		done.wrote = true
		return s.writeReply(ctx, tx, t, reply, state, &done)
	})
	return done, err
}

func (s *Service) writeReply(ctx context.Context, tx db.Tx, t *turn, reply bot.Reply, state bot.State, done *answered) error {
	if err := s.recalledTx(ctx, tx, t); err != nil {
		return err
	}
	var ticket *tickets.Ticket
	open := func(d tickets.Draft) (*tickets.Ticket, error) {
		k, err := s.openTx(ctx, tx, d)
		if err != nil {
			return nil, err
		}
		done.opened = append(done.opened, k)
		return &k, nil
	}
	if s.tickets != nil {
		drafts, err := s.drafts(ctx, tx, t, reply)
		if err != nil {
			return err
		}
		for _, d := range drafts {
			k, err := open(d)
			if err != nil {
				return err
			}
			ticket = k
		}
	}
	for i, m := range reply.Messages {
		out := Outgoing{Author: ByBot, Payload: Payload{Choices: choicesOf(m.Choices), Citations: citationsOf(m.Citations), Ask: m.Ask}}
		last := i == len(reply.Messages)-1
		if ticket != nil && reply.Open != nil {
			out.TicketID = ticket.ID
			if strings.Contains(m.Text, "{number}") {
				out.Payload.Event, out.Payload.Ticket = EventTicketOpened, &TicketRef{ID: ticket.ID, Number: ticket.Number}
			}
		}
		if last && reply.HandOff != nil {
			out.Payload.Event = EventHandoff
		}
		out.Text = s.fillReply(m.Text, ticket)
		p, err := s.appendTx(ctx, tx, t.conversation, out)
		if err != nil {
			return err
		}
		if ticket != nil && out.Payload.Event == EventTicketOpened && !ticket.Confidential {
			if err := s.alsoTx(ctx, tx, *ticket, p.Seq, nil); err != nil {
				return err
			}
		}
		done.posts = append(done.posts, p)
	}
	lang := t.lang
	if l := channels.Lang(reply.Lang); l != "" {
		lang = l
	}
	b := &pgx.Batch{} // one round trip for what ends the turn
	b.Queue(`update conversations set answered_seq = last_seq, bot_state = $2, lang = $3, turn_due_at = null, lease_owner = null, lease_until = null, turn_failures = 0,
		closed_at = case when $4 then $5::timestamptz end where id = $1`, t.conversation, state.Encode(), lang, reply.Close, s.now())
	s.queueTold(b, t, reply, lang, done.posts, ticket)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("chat: turn: %w", err)
	}
	if reply.HandOff == nil {
		return nil
	}
	done.posts = append(done.posts, Posting{ConversationID: t.conversation, holder: HeldByQueue, inbox: true})
	return s.toQueue(ctx, tx, t.conversation)
}

// fillReply puts in what only the caller of the bot knows. The tracking code stays a placeholder: it is filled when the citizen reads.
func (s *Service) fillReply(text string, ticket *tickets.Ticket) string {
	number := ""
	if ticket != nil {
		number = ticket.Number
	}
	return strings.NewReplacer("{number}", number, "{report_url}", s.opt.ReportURL).Replace(text)
}

// drafts collects the tickets that a reply leads to.
func (s *Service) drafts(ctx context.Context, tx db.Tx, t *turn, reply bot.Reply) ([]tickets.Draft, error) {
	var out []tickets.Draft
	base := func(d bot.Draft) tickets.Draft {
		// The bot's category is a guess; routing takes a given one for a person's choice and guesses better itself.
		k := tickets.Draft{Kind: d.Kind, Title: d.Title, Description: d.Description, Place: d.Place, Lat: d.Lat, Lon: d.Lon,
			Lang: d.Lang, Urgency: d.Urgency, Channel: t.channel, ConversationID: t.conversation, Confidential: d.Confidential, NeedsAcceptance: d.Scope != "", Fields: d.Details}
		if k.Lang == "" {
			k.Lang = t.lang
		}
		return k
	}
	if a := t.alert; a != nil || reply.Alert != nil {
		d := bot.Draft{Kind: bot.Help, Urgency: "urgent", Lang: t.lang}
		if reply.Alert != nil {
			d = reply.Alert.Draft
		} else if d.Description = a.text; a.place != nil {
			d.Lat, d.Lon, d.Place = &a.place.Lat, &a.place.Lon, a.place.Label
		}
		// One urgent ticket an hour is enough: people in danger write several messages.
		var known bool
		err := tx.QueryRow(ctx, `select exists (select from tickets where conversation_id = $1 and urgency = 'urgent' and opened_at > $2)`, t.conversation, s.now().Add(-time.Hour)).Scan(&known)
		if err != nil {
			return nil, fmt.Errorf("chat: alert: %w", err)
		}
		if !known {
			d.Description = clip(d.Description, 4000)
			out = append(out, base(d))
		}
	}
	if c := reply.Answered; c != nil {
		if article, err := uuid.Parse(c.ArticleID); err == nil {
			d := base(bot.Draft{Kind: bot.Consult, Title: c.Title, Description: c.Title})
			d.DirectAnswer = &tickets.Citation{Article: article, Version: c.Version, Title: c.Title, Text: c.Snippet}
			if d.DirectAnswer.Text == "" {
				d.DirectAnswer.Text = c.Title
			}
			out = append(out, d)
		}
	}
	if d := reply.Open; d != nil {
		k := base(*d)
		var err error
		if k.ContactID, err = s.contactTx(ctx, tx, t, *d); err != nil {
			return nil, err
		}
		if k.Uploads, err = looseUploads(ctx, tx, t.conversation); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// openTx opens a ticket and marks the messages that led to it. A category that is gone costs the category, not the ticket.
func (s *Service) openTx(ctx context.Context, tx db.Tx, d tickets.Draft) (tickets.Ticket, error) {
	k, err := s.tickets.OpenTx(ctx, tx, d)
	if errs.KindOf(err) == errs.Invalid && (d.Category != "" || d.ServiceItem != "") {
		d.Category, d.ServiceItem = "", ""
		k, err = s.tickets.OpenTx(ctx, tx, d)
	}
	if err != nil {
		return k, err
	}
	// The talk that led here belongs to the case: what is newer than the ticket before, of the last hours.
	_, err = tx.Exec(ctx, `update messages set ticket_id = $2 where conversation_id = $1 and ticket_id is null and created_at > $3
		and seq > coalesce((select max(seq) from messages where conversation_id = $1 and ticket_id is not null), 0)`, d.ConversationID, k.ID, s.now().Add(-6*time.Hour))
	if err != nil {
		return k, fmt.Errorf("chat: open ticket: %w", err)
	}
	return k, nil
}

// contactTx stores what the citizen told of themselves for this ticket; nil is anonymous.
func (s *Service) contactTx(ctx context.Context, tx db.Tx, t *turn, d bot.Draft) (*uuid.UUID, error) {
	if d.Anonymous || d.Name == "" && d.Phone == "" && d.Email == "" {
		return nil, nil
	}
	c := channels.Contact{Name: d.Name, Phone: d.Phone, Email: d.Email}
	id, err := s.insertContact(ctx, tx, t.conversation, c, t.lang)
	if err == nil { // the bot asked how they can be reached
		err = s.tickets.AllowTx(ctx, tx, *id, s.Reachable(c), "chat")
	}
	return id, err
}

func (s *Service) insertContact(ctx context.Context, tx db.Tx, conversation uuid.UUID, c channels.Contact, lang string) (*uuid.UUID, error) {
	id := newID()
	_, err := tx.Exec(ctx, `with c as (insert into contacts (id, name, phone, email, lang, created_at) values ($1, $2, $3, $4, $5, $6))
		update conversations set contact_id = $1 where id = $7`, id, c.Name, c.Phone, c.Email, lang, s.now(), conversation)
	if err != nil {
		return nil, fmt.Errorf("chat: contact: %w", err)
	}
	return id, nil
}

func looseUploads(ctx context.Context, tx db.Tx, conversation uuid.UUID) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, `select id from uploads where conversation_id = $1 and ticket_id is null order by created_at limit 20`, conversation)
	if err != nil {
		return nil, fmt.Errorf("chat: uploads: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// afterTurn tells the others and does what needs transactions of its own. What fails here is logged: the answer itself stands.
func (s *Service) afterTurn(ctx context.Context, t *turn, reply bot.Reply, done answered) {
	if !done.wrote {
		return
	}
	s.Posted(done.posts...)
	for _, k := range done.opened {
		s.Announce(k)
	}
	if k := t.recalled.answer; k.ID != uuid.Nil {
		s.Announce(k)
	}
	for _, err := range reply.Problems {
		s.log.WarnContext(ctx, "the bot could not use a part", "conversation", t.conversation, "error", err)
	}
	if s.tickets == nil {
		return
	}
	if r := reply.Rate; r != nil && r.TicketID != "" {
		if err := s.rate(ctx, *r); err != nil && !errors.Is(err, tickets.ErrRated) {
			s.log.WarnContext(ctx, "rating not stored", "conversation", t.conversation, "error", err)
		}
	}
	if reply.AlertCleared {
		if err := s.withdrawAlert(ctx, t.conversation); err != nil {
			s.log.WarnContext(ctx, "false alarm not withdrawn", "conversation", t.conversation, "error", err)
		}
	}
}

// rate keeps the citizen's word on a ticket: the answer to a revisit, an assessment, or the words that explain the assessment before.
func (s *Service) rate(ctx context.Context, r bot.Rating) error {
	id, err := uuid.Parse(r.TicketID)
	if err != nil {
		return fmt.Errorf("chat: rate: %w", err)
	}
	citizen, rating := tickets.CitizenBy(db.CitizenOfTicket(id)), tickets.Rating{Grade: r.Grade, Text: r.Comment, Resolved: r.Resolved}
	k, err := tickets.Ticket{}, tickets.ErrNoMove
	if r.Resolved != nil && r.Comment == "" {
		k, err = s.tickets.AnswerRevisit(ctx, citizen, id, rating)
	}
	if errors.Is(err, tickets.ErrNoMove) { // not asked in a revisit, or the revisit has ended meanwhile
		k, err = s.tickets.Rate(ctx, citizen, id, rating)
	}
	if errors.Is(err, tickets.ErrRated) && r.Comment != "" {
		k, err = s.tickets.CommentRating(ctx, citizen, id, r.Comment)
	}
	if err == nil {
		s.Announce(k)
	}
	return err
}

func (s *Service) withdrawAlert(ctx context.Context, conversation uuid.UUID) error {
	var id uuid.UUID
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select id from tickets where conversation_id = $1 and urgency = 'urgent' and opened_at > $2 and closed_at is null order by opened_at desc limit 1`,
			conversation, s.now().Add(-time.Hour)).Scan(&id)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("chat: false alarm: %w", err)
	}
	k, err := s.tickets.Apply(ctx, tickets.CitizenBy(db.CitizenOfTicket(id)), id, tickets.AnyVersion, tickets.Withdraw, tickets.Fields{}, "")
	if err == nil {
		s.Announce(k)
	}
	return err
}

func choicesOf(in []bot.Choice) []channels.Choice {
	out := make([]channels.Choice, len(in))
	for i, c := range in {
		out[i] = channels.Choice{ID: c.ID, Label: c.Label}
	}
	return out
}

func citationsOf(in []bot.Citation) []channels.Citation {
	out := make([]channels.Citation, len(in))
	for i, c := range in {
		out[i] = channels.Citation{Article: c.ArticleID, Version: c.Version, Title: c.Title, URL: c.URL, Snippet: c.Snippet}
	}
	return out
}

// clip shortens a text to n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
