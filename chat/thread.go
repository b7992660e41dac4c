package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/internal/db"
)

// maxTyped is the length in characters up to which a text may be a quick reply that was typed.
const maxTyped = 80

// around is what people type around a quick reply.
const around = " \t\r\n.,;:!。，；：！、()（）"

// answeredSQL finds the conversation of a message that went out, to whom it went, and whether it went out beside its conversation.
const answeredSQL = `select d.thread, d.person is not null, c.channel, c.account, c.thread from deliveries d join conversations c on c.id = d.conversation_id where d.id = $1 and d.channel = $2`

// offeredSQL reads the quick replies of the last message from our side.
const offeredSQL = `select c.id, c.bot_state, coalesce(m.payload->'choices', '[]') from conversations c join messages m on m.conversation_id = c.id and m.author <> 'citizen'
	where c.channel = $1 and c.account = $2 and c.thread = $3 order by m.seq desc limit 1`

// follow finds out what an inbound message belongs to where its channel knows less than we do: the conversation whose message it answers, and the quick
// reply that was typed. The same message once more may find other quick replies; what tells it apart from another message was taken before.
func (s *Service) follow(ctx context.Context, in *channels.Inbound) error {
	if in.Answers == "" && !in.Typed {
		return nil
	}
	return db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		named, err := followAnswer(ctx, tx, in)
		if err != nil || named == namesAway {
			return err // what was told beside the conversation offers nothing in it
		}
		if !in.Typed || in.Choice != "" || in.Text == "" || len(in.Uploads) > 0 || utf8.RuneCountInString(in.Text) > maxTyped {
			return nil
		}
		return s.followTyped(ctx, tx, in, named)
	})
}

// named is what an inbound message says that it answers.
type named int

const (
	namesNothing named = iota
	namesOwn           // a message of the conversation it belongs to
	namesAway          // one that went out beside its conversation
)

// followAnswer puts an answer into the conversation of the message it answers. Only who was written to is believed: a mail that was passed on is answered
// by somebody else, who begins a conversation of their own. So does the answer to a message that went out beside its conversation, which keeps no
// address: recallTx knows what it answers.
func followAnswer(ctx context.Context, tx db.Tx, in *channels.Inbound) (named, error) {
	id, err := uuid.Parse(in.Answers)
	if err != nil {
		return namesNothing, nil
	}
	var to, channel, account, thread string
	var away bool
	err = tx.QueryRow(ctx, answeredSQL, id, in.Channel).Scan(&to, &away, &channel, &account, &thread)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return namesNothing, nil
	case err != nil:
		return namesNothing, fmt.Errorf("chat: answered message: %w", err)
	case away:
		return namesAway, nil
	case !strings.EqualFold(channels.Addressee(to), channels.Addressee(in.Thread)):
		return namesNothing, nil
	}
	in.Channel, in.Account, in.Thread = channel, account, thread
	return namesOwn, nil
}

// followTyped recognises a quick reply in words or by its number. The message then reads as if it had been tapped. A number answers what the person was asked
// last, and that may have gone out beside the conversation.
func (s *Service) followTyped(ctx context.Context, tx db.Tx, in *channels.Inbound, named named) error {
	var conversation uuid.UUID
	var raw, state []byte
	err := tx.QueryRow(ctx, offeredSQL, in.Channel, in.Account, in.Thread).Scan(&conversation, &state, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("chat: quick replies: %w", err)
	}
	var offered []channels.Choice
	if err := json.Unmarshal(raw, &offered); err != nil {
		return fmt.Errorf("chat: quick replies: %w", err)
	}
	said := strings.Trim(in.Text, around)
	for _, c := range typed(offered) {
		words := strings.EqualFold(said, c.Label)
		if words || c.Typed != "" && narrow(said) == c.Typed {
			if !words && named == namesNothing {
				if elsewhere, err := s.askedElsewhereTx(ctx, tx, in, conversation, state, said); err != nil || elsewhere {
					return err
				}
			}
			in.Choice, in.Text = c.ID, c.Label
			return nil
		}
	}
	return nil
}

// narrow makes full-width digits plain ones.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' {
			return '0' + r - '０'
		}
		return r
	}, s)
}
