package chat

import (
	"context"

	"hotline/internal/db"
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
	_, err := s.appendTx(ctx, tx, t.ConversationID, out)
	return err
}

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
	due := ""
	if t.PromisedAt != nil {
		due = t.PromisedAt.In(s.tickets.Settings().Calendar.Location()).Format("2006-01-02")
	}
	out.Text = s.say(t.Lang, key, "number", t.Number, "text", e.Data.Text, "due", due, "channel", e.Data.RightChannel, "basis", e.Data.Basis, "to", e.Data.TransferTo)
	switch tickets.Action(e.Type) {
	case tickets.Reply:
		// The agency's formal answer is a person's message; files that go with it too.
		out.Author, out.UserID, out.Payload.Event, out.Uploads = ByStaff, e.UserID, EventAnswer, e.Data.Uploads
	case tickets.AskCitizen:
		out.Author, out.UserID, out.Uploads = ByStaff, e.UserID, e.Data.Uploads
		out.Payload.Ask = "what"
	}
	return out, true
}
