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

	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/tickets"
)

// What people answer by e-mail or SMS to a message about a ticket that they filed elsewhere. The answer comes in as a conversation of its own; who wrote is
// known by their address, and what they were told last by the deliveries to it. The bot is then where it would be had it asked in this conversation.

// recallFor is how long an answer to a message is taken for one.
const recallFor = 30 * 24 * time.Hour

// recalled is what a turn knows of what was told elsewhere.
type recalled struct {
	stop   bool           // the person wants no more messages
	answer tickets.Ticket // whose agency waits for this answer; without an id there is none
	text   string
	files  []uuid.UUID
}

// stopWords end messages. They must be all that is said.
var stopWords = []string{"stop", "stop all", "stopall", "unsubscribe", "退订", "回t退订", "td", "t"}

// recallSQL lists what a person was told last on a channel, after what this conversation has last said to them.
const recallSQL = `select m.ticket_id from deliveries d join messages m on m.conversation_id = d.conversation_id and m.seq = d.seq
	where d.person = $1 and d.created_at > greatest($2, (select coalesce(max(o.created_at), '-infinity') from messages o where o.conversation_id = $3 and o.author <> 'citizen'))
		and d.state in ('sent', 'delivered', 'unknown') and m.ticket_id is not null
	order by d.created_at desc, d.id desc limit 20`

// recallTx puts a turn where the last message to the person left off. thread is the channel's name of the conversation, which begins with the address.
func (s *Service) recallTx(ctx context.Context, tx db.Tx, t *turn, thread string, ms []Message) error {
	if s.tickets == nil || s.bot == nil || !slices.Contains(tickets.AllowableChannels, t.channel) || len(t.in) == 0 {
		return nil
	}
	address, _, _ := strings.Cut(thread, " ")
	t.address = address
	last := t.in[len(t.in)-1]
	if slices.Contains(stopWords, strings.ToLower(strings.Trim(last.Text, " .!。！\n"))) {
		t.recalled.stop = true
		return nil
	}
	if t.state.Form != nil || t.alert != nil {
		return nil
	}
	rows, err := tx.Query(ctx, recallSQL, s.tickets.PersonKey(t.channel, address), s.now().Add(-recallFor), t.conversation)
	if err != nil {
		return fmt.Errorf("chat: recall: %w", err)
	}
	told, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("chat: recall: %w", err)
	}
	seen := map[uuid.UUID]bool{}
	for _, id := range told {
		if seen[id] {
			continue
		}
		seen[id] = true
		k, err := s.tickets.ByIDTx(ctx, tx, id)
		if errors.Is(err, tickets.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case k.Confidential:
		case k.State == tickets.AwaitingCitizen:
			t.recalled.answer = k
			for _, m := range ms {
				if m.Author != ByCitizen {
					continue
				}
				t.recalled.text = strings.TrimSpace(t.recalled.text + "\n" + m.Text)
				for _, u := range m.Payload.Uploads {
					t.recalled.files = append(t.recalled.files, u.ID)
				}
			}
			return nil
		case k.AskedBack():
			_, t.state = s.bot.Revisit(t.state, k.ID.String(), k.Number, k.Lang)
			return nil
		case k.MayRate():
			_, t.state = s.bot.Invite(t.state, k.ID.String(), k.Number, k.Lang)
			return nil
		}
	}
	return nil
}

// recalledReply is what is said where the bot has nothing to think about.
func (s *Service) recalledReply(t *turn) (bot.Reply, bool) {
	say := func(key string, args ...any) (bot.Reply, bool) {
		return bot.Reply{Messages: []bot.Message{{Text: s.say(t.lang, "away."+key, args...)}}, Lang: t.lang}, true
	}
	switch {
	case t.recalled.stop:
		return say("stopped")
	case t.recalled.answer.ID != uuid.Nil:
		return say("answered", "number", t.recalled.answer.Number)
	}
	return bot.Reply{}, false
}

// recalledTx does what the person asked for, in the transaction that says so.
func (s *Service) recalledTx(ctx context.Context, tx db.Tx, t *turn) error {
	if t.recalled.stop {
		_, err := s.tickets.StopChannelTx(ctx, tx, uuid.Nil, t.channel, t.address, t.channel)
		return err
	}
	k, text := t.recalled.answer, t.recalled.text
	if k.ID == uuid.Nil {
		return nil
	}
	if text == "" {
		text = s.say(k.Lang, "away.files_only")
	}
	who := tickets.Actor{DB: db.System(), Kind: tickets.KindCitizen, Roles: []tickets.Role{tickets.Citizen}}
	key := fmt.Sprintf("answer %s %d", t.conversation, t.lastSeq)
	if len(t.recalled.files) > 0 { // they go with the answer
		if _, err := tx.Exec(ctx, `update uploads set conversation_id = $3 where id = any($1) and conversation_id = $2`, t.recalled.files, t.conversation, k.ConversationID); err != nil {
			return fmt.Errorf("chat: answer: %w", err)
		}
	}
	k, err := s.tickets.ApplyTx(ctx, tx, who, k.ID, tickets.AnyVersion, tickets.CitizenReply, tickets.Fields{Text: text, Uploads: t.recalled.files}, key)
	if err != nil {
		return err
	}
	_, err = s.appendTx(ctx, tx, k.ConversationID, Outgoing{Author: ByCitizen, Text: text, Uploads: t.recalled.files, TicketID: k.ID, Key: key})
	return err
}
