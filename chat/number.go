package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/tickets"
)

// What a number answers that comes by itself. It is a word on a case only where one was asked for: the message to the person had a question that a number
// answers, and the case still waits for it. With one such question it is that one's, whatever was told after it. With several it is the one of the newest
// message, as people answer what they read last; where the newest message asked nothing, or asked for words, the person is asked which case they mean.

// about is a message to the person, beside the conversation, on a ticket.
type about struct {
	k    tickets.Ticket
	asks bool // and the ticket still waits for the answer
	free bool // the answer is words
}

// recallSQL lists what a person was told last on a channel, after what this conversation has last said to them.
const recallSQL = `select m.ticket_id, coalesce(m.payload->>'ask', ''), coalesce(m.payload->>'event', '') from deliveries d join messages m on m.conversation_id = d.conversation_id and m.seq = d.seq
	where d.person = $1 and d.created_at > greatest($2, (select coalesce(max(o.created_at), '-infinity') from messages o where o.conversation_id = $3 and o.author <> 'citizen'))
		and d.state in ('sent', 'delivered', 'unknown') and m.ticket_id is not null
	order by d.created_at desc, d.id desc limit 20`

// toldTx lists what a person was told last, newest first, without what is confidential or gone.
func (s *Service) toldTx(ctx context.Context, tx db.Tx, channel, address string, conversation uuid.UUID) ([]about, error) {
	type row struct {
		ticket     uuid.UUID
		ask, event string
	}
	rows, err := tx.Query(ctx, recallSQL, s.tickets.PersonKey(channel, address), s.now().Add(-recallFor), conversation)
	if err != nil {
		return nil, fmt.Errorf("chat: recall: %w", err)
	}
	told, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (one row, err error) { return one, r.Scan(&one.ticket, &one.ask, &one.event) })
	if err != nil {
		return nil, fmt.Errorf("chat: recall: %w", err)
	}
	seen := map[uuid.UUID]tickets.Ticket{}
	var out []about
	for _, one := range told {
		k, ok := seen[one.ticket]
		if !ok {
			if k, err = s.tickets.ByIDTx(ctx, tx, one.ticket); err != nil && !errors.Is(err, tickets.ErrNotFound) {
				return nil, err
			}
			seen[one.ticket] = k
		}
		if k.ID == uuid.Nil || k.Confidential {
			continue
		}
		a := about{k: k, free: one.ask == "what"}
		switch {
		case a.free:
			a.asks = k.State == tickets.AwaitingCitizen
		case one.ask == bot.AskSolved:
			a.asks = k.AskedBack()
		default: // a text message of an answer tells it and asks nothing; a mail has room for the question; after a rectification both ask
			a.asks = k.MayRate() && (k.Rectify == "answered" || channel == channels.Email && one.event == EventAnswer)
		}
		out = append(out, a)
	}
	return out, nil
}

// numberTx finds the ticket whose question a number answers. Where it may be one of several there is none, and they are listed, newest first.
func (s *Service) numberTx(ctx context.Context, tx db.Tx, channel, address string, conversation uuid.UUID) (k tickets.Ticket, ok bool, several []tickets.Ticket, err error) {
	told, err := s.toldTx(ctx, tx, channel, address, conversation)
	if err != nil {
		return k, false, nil, err
	}
	for _, a := range told {
		if a.asks && !slices.ContainsFunc(several, func(k tickets.Ticket) bool { return k.ID == a.k.ID }) {
			several = append(several, a.k)
		}
	}
	switch {
	case len(several) == 0:
		return k, false, nil, nil
	case len(several) == 1 || told[0].asks && !told[0].free:
		return several[0], true, nil, nil
	}
	return k, false, several[:min(len(several), maxWhich)], nil
}

const (
	maxWhich    = 5
	choiceWhich = "word:" // and the ticket, a colon, and the number that was said
)

// which asks the person whose question their number answers.
func (s *Service) which(t *turn) bot.Message {
	m := bot.Message{Text: s.say(t.lang, "away.which", "n", t.recalled.number)}
	for _, k := range t.recalled.several {
		m.Choices = append(m.Choices, bot.Choice{ID: choiceWhich + k.ID.String() + ":" + t.recalled.number, Label: k.Number + " · " + channels.CleanLine(k.Title, 40)})
	}
	return m
}

// toldOfSQL reports whether a person was told of a ticket.
const toldOfSQL = `select exists (select from deliveries d join messages m on m.conversation_id = d.conversation_id and m.seq = d.seq
	where d.person = $1 and d.created_at > $2 and d.state in ('sent', 'delivered', 'unknown') and m.ticket_id = $3)`

// chosenTx gives the ticket that the person chose and the number that they had said. What was answered in the meantime is taken for a number that answers
// nothing.
func (s *Service) chosenTx(ctx context.Context, tx db.Tx, channel, address, choice string) (k tickets.Ticket, number string, ok bool, err error) {
	rest, ours := strings.CutPrefix(choice, choiceWhich)
	raw, number, _ := strings.Cut(rest, ":")
	id, bad := uuid.Parse(raw)
	if !ours || bad != nil {
		return k, "", false, nil
	}
	told := false
	if err := tx.QueryRow(ctx, toldOfSQL, s.tickets.PersonKey(channel, address), s.now().Add(-recallFor-24*time.Hour), id).Scan(&told); err != nil {
		return k, "", false, fmt.Errorf("chat: recall: %w", err)
	}
	if !told {
		return k, number, false, nil
	}
	k, err = s.tickets.ByIDTx(ctx, tx, id)
	if errors.Is(err, tickets.ErrNotFound) {
		return tickets.Ticket{}, number, false, nil
	}
	return k, number, err == nil && !k.Confidential, err
}
