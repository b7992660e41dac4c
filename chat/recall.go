package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/tickets"
)

// What people answer by e-mail or SMS to a message about a ticket that they filed elsewhere. The answer comes in as a conversation of its own; who wrote is
// known by their address, and what they were told last by the deliveries to it. The bot is then where it would be had it asked in this conversation. A mail
// that names the message it answers is about that one's ticket: what is neither the answer to a question nor a word on whether it is solved is added to it.

// recallFor is how long an answer to a message is taken for one.
const recallFor = 30 * 24 * time.Hour

// recalled is what a turn knows of what was told elsewhere.
type recalled struct {
	stop   bool           // the person wants no more messages
	answer tickets.Ticket // whose agency waits for this answer; without an id there is none
	text   string
	files  []uuid.UUID
	// several are the tickets one of which a number is the answer to.
	several []tickets.Ticket
	number  string
}

// stopWords end messages. They must be all that is said.
var stopWords = []string{"stop", "stop all", "stopall", "unsubscribe", "退订", "回t退订", "td", "t"}

func stops(text string) bool {
	return slices.Contains(stopWords, strings.ToLower(strings.Trim(text, " .!。！\n")))
}

// lastWordsSQL reads what the person said last before a message, and whether the message is the first that the bot says to them after it.
const lastWordsSQL = `select m.text, coalesce((select min(o.seq) from messages o where o.conversation_id = m.conversation_id and o.seq > m.seq and o.author = 'bot') = $2, false)
	from messages m where m.conversation_id = $1 and m.seq < $2 and m.author = 'citizen' order by m.seq desc limit 1`

// stoppedTx ends messages to who has said so as the last word of a conversation on a channel where that is usual: but for the one that confirms it nothing goes
// out there, until they write again.
// Errors: *channels.PermanentError.
func (s *Service) stoppedTx(ctx context.Context, tx db.Tx, conversation uuid.UUID, d delivery) error {
	if !slices.Contains(tickets.AllowableChannels, d.channel) {
		return nil
	}
	var said string
	var confirms bool
	err := tx.QueryRow(ctx, lastWordsSQL, conversation, d.seq).Scan(&said, &confirms)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && (confirms || !stops(said)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("chat: stopped: %w", err)
	}
	return s.withdrawn()
}

const heldLangSQL = `select lang from conversations where id = $1`

// stopHeldTx does what a STOP asks for where no turn of the bot would read it, because a person has the conversation or is waited for in it: a STOP is one
// whoever reads it. It is confirmed at once.
func (s *Service) stopHeldTx(ctx context.Context, tx db.Tx, in channels.Inbound, got *taken) error {
	if s.tickets == nil || !slices.Contains(tickets.AllowableChannels, in.Channel) {
		return nil
	}
	if _, err := s.tickets.StopChannelTx(ctx, tx, uuid.Nil, in.Channel, channels.Addressee(in.Thread), in.Channel); err != nil {
		return err
	}
	var lang string
	if err := tx.QueryRow(ctx, heldLangSQL, got.ConversationID).Scan(&lang); err != nil {
		return fmt.Errorf("chat: stop: %w", err)
	}
	p, err := s.appendTx(ctx, tx, got.ConversationID, Outgoing{Author: ByBot, Text: s.say(lang, "away.stopped")})
	if err == nil {
		got.last = p.Seq
	}
	return err
}

// recallTx puts a turn where the last message to the person left off. thread is the channel's name of the conversation, which begins with the address.
func (s *Service) recallTx(ctx context.Context, tx db.Tx, t *turn, thread string, ms []Message) error {
	if s.tickets == nil || s.bot == nil || !slices.Contains(tickets.AllowableChannels, t.channel) || len(t.in) == 0 {
		return nil
	}
	address := channels.Addressee(thread)
	t.address = address
	last := t.in[len(t.in)-1]
	if stops(last.Text) {
		t.recalled.stop = true
		return nil
	}
	if k, number, ok, err := s.chosenTx(ctx, tx, t.channel, address, last.Choice); err != nil || ok {
		if ok {
			s.takes(t, k, number, ms)
		}
		return err
	}
	if t.alert != nil || last.Choice != "" || t.state.Form != nil && !isGrade(last.Text) {
		return nil
	}
	if about, err := s.answeredTx(ctx, tx, t, ms); err != nil || about {
		return err
	}
	if isGrade(last.Text) {
		k, ok, several, err := s.numberTx(ctx, tx, t.channel, address, t.conversation)
		switch {
		case ok && (k.State != tickets.AwaitingCitizen || t.state.Form == nil):
			s.takes(t, k, "", ms)
		case len(several) > 0:
			t.recalled.several, t.recalled.number = several, digit(last.Text)
		}
		return err
	}
	k, ok, err := s.askedLastTx(ctx, tx, t.channel, address, t.conversation)
	if err == nil && ok {
		s.takes(t, k, "", ms)
	}
	return err
}

// takes puts the turn where the person's word on a ticket is understood, or passes it on to the agency that waits for it. A number that was said before is what
// they said.
func (s *Service) takes(t *turn, k tickets.Ticket, number string, ms []Message) {
	if number != "" {
		t.in[len(t.in)-1] = bot.Input{Text: number}
	}
	if k.State != tickets.AwaitingCitizen {
		s.asks(t, k)
		return
	}
	t.recalled.pass(k, ms)
	if number != "" {
		t.recalled.text = number
	}
}

// askedLastTx finds the ticket on which the person was last told something beside the conversation, after what that has last said to them, if their words are
// waited for.
func (s *Service) askedLastTx(ctx context.Context, tx db.Tx, channel, address string, conversation uuid.UUID) (tickets.Ticket, bool, error) {
	told, err := s.toldTx(ctx, tx, channel, address, conversation)
	for _, a := range told {
		if a.k.State == tickets.AwaitingCitizen || a.k.AskedBack() || a.k.MayRate() {
			return a.k, true, err
		}
	}
	return tickets.Ticket{}, false, err
}

// askedElsewhereTx reports whether a number that fits a quick reply of a conversation is what recallTx will take for the answer to something newer.
func (s *Service) askedElsewhereTx(ctx context.Context, tx db.Tx, in *channels.Inbound, conversation uuid.UUID, state []byte, said string) (bool, error) {
	if s.tickets == nil || s.bot == nil || !slices.Contains(tickets.AllowableChannels, in.Channel) {
		return false, nil
	}
	form := bot.DecodeState(state).Form != nil
	if form && !isGrade(said) {
		return false, nil
	}
	k, ok, several, err := s.numberTx(ctx, tx, in.Channel, channels.Addressee(in.Thread), conversation)
	return len(several) > 0 || ok && !(form && k.State == tickets.AwaitingCitizen), err
}

// isGrade reports whether a text is but the number of an answer to the revisit or of a grade: what a filing that is being written leaves to the question that
// came between.
func isGrade(text string) bool {
	said := digit(text)
	return len(said) == 1 && said[0] >= '1' && said[0] <= '5'
}

func digit(text string) string { return narrow(strings.Trim(text, around)) }

// asks puts the bot where it asks for the person's word on a ticket, if there is one to ask for.
func (s *Service) asks(t *turn, k tickets.Ticket) bool {
	switch {
	case k.AskedBack():
		_, t.state = s.bot.Revisit(t.state, k.ID.String(), k.Number, k.Lang)
	case k.MayRate():
		_, t.state = s.bot.Invite(t.state, k.ID.String(), k.Number, k.Lang)
	default:
		return false
	}
	return true
}

// pass takes what the person wrote for the agency.
func (r *recalled) pass(k tickets.Ticket, ms []Message) {
	r.answer = k
	for _, m := range ms {
		if m.Author != ByCitizen {
			continue
		}
		r.text = strings.TrimSpace(r.text + "\n" + m.Text)
		for _, u := range m.Payload.Uploads {
			r.files = append(r.files, u.ID)
		}
	}
}

const answeredTicketSQL = `select m.ticket_id, d.person is null from deliveries d join messages m on m.conversation_id = d.conversation_id and m.seq = d.seq
	where d.id = $1 and (d.person = $2 and m.ticket_id is not null or d.person is null and d.conversation_id = $3)`

// shortAnswer is the length in characters up to which a text may be a word on whether it is solved; what is longer tells more.
const shortAnswer = 40

// answeredTx reports whether the message names the one that it answers: one that was sent to this person about a ticket, or one of this very conversation,
// where it stays.
func (s *Service) answeredTx(ctx context.Context, tx db.Tx, t *turn, ms []Message) (bool, error) {
	var answers uuid.UUID
	for _, m := range ms {
		if m.Author == ByCitizen {
			answers = m.Payload.Answers
		}
	}
	if answers == uuid.Nil {
		return false, nil
	}
	var about *uuid.UUID
	var own bool
	err := tx.QueryRow(ctx, answeredTicketSQL, answers, s.tickets.PersonKey(t.channel, t.address), t.conversation).Scan(&about, &own)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("chat: recall: %w", err)
	}
	if own {
		return true, nil
	}
	k, err := s.tickets.ByIDTx(ctx, tx, *about)
	if err != nil || k.Confidential {
		return false, err
	}
	last := t.in[len(t.in)-1]
	short := utf8.RuneCountInString(last.Text) <= shortAnswer && last.Attachments == 0
	if k.State != tickets.AwaitingCitizen && short && s.asks(t, k) {
		return true, nil
	}
	if k.State == tickets.AwaitingCitizen || s.mayAdd(k) {
		t.recalled.pass(k, ms)
		return true, nil
	}
	return false, nil
}

func (s *Service) mayAdd(k tickets.Ticket) bool {
	return slices.ContainsFunc(s.tickets.Moves(citizen, k), func(m tickets.Move) bool { return m.Name == tickets.AddInformation })
}

// citizen is the person themselves, recognized by their address or by what they hold.
var citizen = tickets.Actor{DB: db.System(), Kind: tickets.KindCitizen, Roles: []tickets.Role{tickets.Citizen}}

// recalledReply is what is said where the bot has nothing to think about.
func (s *Service) recalledReply(t *turn) (bot.Reply, bool) {
	say := func(key string, args ...any) (bot.Reply, bool) {
		return bot.Reply{Messages: []bot.Message{{Text: s.say(t.lang, "away."+key, args...)}}, Lang: t.lang}, true
	}
	switch {
	case t.recalled.stop:
		return say("stopped")
	case len(t.recalled.several) > 0:
		t.lang = t.recalled.several[0].Lang
		return bot.Reply{Messages: []bot.Message{s.which(t)}, Lang: t.lang}, true
	case t.recalled.answer.ID != uuid.Nil:
		t.lang = t.recalled.answer.Lang
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
	key := fmt.Sprintf("answer %s %d", t.conversation, t.lastSeq)
	if len(t.recalled.files) > 0 { // they go with the answer
		if _, err := tx.Exec(ctx, `update uploads set conversation_id = $3 where id = any($1) and conversation_id = $2`, t.recalled.files, t.conversation, k.ConversationID); err != nil {
			return fmt.Errorf("chat: answer: %w", err)
		}
	}
	k, err := s.tickets.CitizenWordTx(ctx, tx, citizen, k.ID, tickets.Fields{Text: text, Uploads: t.recalled.files}, key)
	if err != nil {
		return err
	}
	_, err = s.appendTx(ctx, tx, k.ConversationID, Outgoing{Author: ByCitizen, Text: text, Uploads: t.recalled.files, TicketID: k.ID, Key: key})
	return err
}
