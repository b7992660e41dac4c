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

// answeredSQL finds the conversation of a message that went out, and to whom it went.
const answeredSQL = `select d.thread, c.channel, c.account, c.thread from deliveries d join conversations c on c.id = d.conversation_id where d.id = $1 and d.channel = $2`

// offeredSQL reads the quick replies of the last message from our side.
const offeredSQL = `select coalesce(m.payload->'choices', '[]') from conversations c join messages m on m.conversation_id = c.id and m.author <> 'citizen'
	where c.channel = $1 and c.account = $2 and c.thread = $3 order by m.seq desc limit 1`

// follow finds out what an inbound message belongs to where its channel knows less than we do: the conversation whose message it answers, and the quick
// reply that was typed. The same message once more may find other quick replies; what tells it apart from another message was taken before.
func (s *Service) follow(ctx context.Context, in *channels.Inbound) error {
	if in.Answers == "" && !in.Typed {
		return nil
	}
	return db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		if err := followAnswer(ctx, tx, in); err != nil {
			return err
		}
		if !in.Typed || in.Choice != "" || in.Text == "" || len(in.Uploads) > 0 || utf8.RuneCountInString(in.Text) > maxTyped {
			return nil
		}
		return followTyped(ctx, tx, in)
	})
}

// followAnswer puts an answer into the conversation of the message it answers. Only who was written to is believed: a mail that was passed on is answered
// by somebody else, who begins a conversation of their own. So does the answer to a message that went out beside its conversation, which keeps no
// address: recallTx knows what it answers.
func followAnswer(ctx context.Context, tx db.Tx, in *channels.Inbound) error {
	id, err := uuid.Parse(in.Answers)
	if err != nil {
		return nil
	}
	var to, channel, account, thread string
	err = tx.QueryRow(ctx, answeredSQL, id, in.Channel).Scan(&to, &channel, &account, &thread)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("chat: answered message: %w", err)
	case !strings.EqualFold(channels.Addressee(to), channels.Addressee(in.Thread)):
		return nil
	}
	in.Channel, in.Account, in.Thread = channel, account, thread
	return nil
}

// followTyped recognises a quick reply in words or by its number. The message then reads as if it had been tapped.
func followTyped(ctx context.Context, tx db.Tx, in *channels.Inbound) error {
	var raw []byte
	err := tx.QueryRow(ctx, offeredSQL, in.Channel, in.Account, in.Thread).Scan(&raw)
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
	said := strings.Trim(in.Text, " \t\r\n.,;:!。，；：！、()（）")
	for _, c := range typed(offered) {
		if strings.EqualFold(said, c.Label) || c.Typed != "" && narrow(said) == c.Typed {
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
