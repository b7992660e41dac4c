package chat

import (
	"context"
	"slices"
	"strings"

	"hotline/channels"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/internal/i18n"
	"hotline/tickets"
)

// Notify tells the citizen about a public entry of a ticket's history, in the transaction that made it; it is what tickets.Deps.Notify
// wants. Entries that mean nothing to a citizen, or that the citizen made, say nothing. The message appears in the conversation the ticket
// came from, so it reaches the citizen where they asked. After commit somebody calls Announce.
func (s *Service) Notify(ctx context.Context, tx db.Tx, t tickets.Ticket, e tickets.Event) error {
	out, ok := s.notice(t, e)
	if !ok {
		return nil
	}
	if tickets.Action(e.Type) == tickets.AskRevisit && s.bot != nil {
		seq, err := s.askTx(ctx, tx, t, s.bot.Revisit)
		if err != nil {
			return err
		}
		if seq > 0 {
			return s.alsoTx(ctx, tx, t, seq, nil)
		}
	}
	once := toldOnce(t, e)
	push, heard := s.push, false
	if once != nil && slices.Contains(s.push, t.Channel) {
		first, err := s.onceInTx(ctx, tx, *once, t.ConversationID)
		if err != nil {
			return err
		}
		if !first { // the same words have reached this chat on another ticket; they stand on the page of this one too
			push, heard = nil, true
		}
	}
	p, err := s.appendOnTx(ctx, tx, t.ConversationID, out, push)
	if err != nil {
		return err
	}
	if !p.duplicate && tells(e) {
		if err := s.alsoTx(ctx, tx, t, p.Seq, once); err != nil {
			return err
		}
	}
	if !p.duplicate && len(out.Payload.Citations) > 0 {
		if err := s.staffToldTx(ctx, tx, t.ConversationID, out, p.Seq); err != nil {
			return err
		}
	}
	if s.bot == nil {
		return nil
	}
	if out.Payload.Event != EventAnswer && e.Type != rectified {
		return nil
	}
	if heard {
		return nil
	}
	_, err = s.askTx(ctx, tx, t, s.bot.Invite)
	return err
}

// askTx lets the bot ask for the citizen's word on a ticket, where it holds the conversation and so understands the answer; 0 where a person
// holds it.
func (s *Service) askTx(ctx context.Context, tx db.Tx, t tickets.Ticket, ask func(bot.State, string, string, string) (bot.Message, bot.State)) (int64, error) {
	var raw []byte
	var holder string
	err := tx.QueryRow(ctx, `select holder, bot_state from conversations where id = $1 for no key update`, t.ConversationID).Scan(&holder, &raw)
	if err != nil || holder != HeldByBot {
		return 0, err
	}
	m, state := ask(bot.DecodeState(raw), t.ID.String(), t.Number, t.Lang)
	out := Outgoing{Author: ByBot, Text: s.fillReply(m.Text, &t), TicketID: t.ID, Payload: Payload{Choices: choicesOf(m.Choices), Ask: m.Ask, Event: EventRating,
		Ticket: &TicketRef{ID: t.ID, Number: t.Number}}}
	p, err := s.appendTx(ctx, tx, t.ConversationID, out)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `update conversations set bot_state = $2 where id = $1`, t.ConversationID, state.Encode())
	return p.Seq, err
}

// rectified is the entry of an agency that set right what a negative assessment was about.
const rectified = "rectified"

// parentReply is the entry that the answer of the ticket a case was merged into leaves in it.
const parentReply tickets.Action = "parent_reply"

// notice makes the message of an entry, false for silence.
func (s *Service) notice(t tickets.Ticket, e tickets.Event) (Outgoing, bool) {
	out := Outgoing{Author: BySystem, TicketID: t.ID, Payload: Payload{Event: EventTicketMoved, State: string(t.State), Ticket: &TicketRef{ID: t.ID, Number: t.Number}}}
	if e.Actor == string(tickets.KindCitizen) {
		return out, false
	}
	key := "ticket." + e.Type
	if !s.words.Known("chat." + key) {
		return out, false
	}
	if e.Data.Category != "" && e.Data.DueAt != nil {
		key += "_later"
	}
	if e.Data.DueAt != nil && s.words.Known("chat."+key+"_due") {
		key += "_due"
	}
	due, by := "", t.PromisedAt
	if e.Data.DueAt != nil {
		by = e.Data.DueAt
	}
	if by != nil {
		due = i18n.Deadline(t.Lang, *by, s.tickets.Settings().Calendar.Location())
	}
	out.Text = strings.TrimSpace(s.say(t.Lang, key, "number", t.Number, "text", e.Data.Text, "due", due, "channel", e.Data.RightChannel, "basis", e.Data.Basis, "to", e.Data.TransferTo, "category", s.category(e.Data.Category, t.Lang))) // an approval may come without words
	switch tickets.Action(e.Type) {
	case tickets.Reply, tickets.AnswerDirectly, parentReply:
		// The agency's formal answer is a person's message; files that go with it too.
		out.Author, out.UserID, out.Payload.Event, out.Uploads = ByStaff, e.UserID, EventAnswer, e.Data.Uploads
		out.Payload.Citations = sourcesOf(e.Data.Sources)
	case tickets.AskCitizen:
		out.Author, out.UserID, out.Uploads = ByStaff, e.UserID, e.Data.Uploads
		out.Payload.Ask, out.Payload.Citations = "what", sourcesOf(e.Data.Sources)
	case tickets.AskRevisit:
		out.Payload.Ask = bot.AskSolved
	}
	return out, true
}

func (s *Service) category(code, lang string) string {
	if s.opt.Category == nil || code == "" {
		return code
	}
	return s.opt.Category(code, lang)
}

// sourcesOf are the articles that a reply rests on, as its message shows them.
func sourcesOf(in []tickets.Source) []channels.Citation {
	var out []channels.Citation
	for _, one := range in {
		out = append(out, channels.Citation{Article: one.Article.String(), Version: one.Version, Title: one.Title, URL: one.URL})
	}
	return out
}
