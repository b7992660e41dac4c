package chat

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/internal/db"
	"hotline/knowledge"
)

// Choices that mean something whoever holds the conversation.
const (
	ChoiceLeaveQueue = "leave_queue"
	choiceRateChat   = "rate_chat:" // and the grade, 5 very satisfied … 1 very unsatisfied
)

// waitsOf is how many of those who were taken last tell how long it takes, and waitsSince how old that may be.
const (
	waitsOf    = 10
	waitsSince = 4 * time.Hour
)

const recentWaitSQL = `select coalesce(avg(extract(epoch from waited)), 0)::float8
	from (select waited from conversations where taken_at > $1 order by taken_at desc limit $2) x`

// withWait adds what others waited to a conversation that waits. Err is that of reading it.
func (s *Service) withWait(ctx context.Context, tx db.Tx, c *Conversation, err error) error {
	if err != nil || c.Holder != HeldByQueue {
		return err
	}
	var seconds float64
	if err := tx.QueryRow(ctx, recentWaitSQL, s.now().Add(-waitsSince), waitsOf).Scan(&seconds); err != nil {
		return fmt.Errorf("chat: waits: %w", err)
	}
	c.Wait = time.Duration(seconds * float64(time.Second))
	return nil
}

// LeaveQueue gives a conversation that waits for a person back to the bot, as the citizen wishes. It changes nothing for one that does not wait.
// Errors: ErrNotFound.
func (s *Service) LeaveQueue(ctx context.Context, id uuid.UUID) error {
	return s.change(ctx, db.System(), id, func(tx db.Tx, h held) (Outgoing, string, error) {
		if h.holder != HeldByQueue {
			return Outgoing{}, "", nil
		}
		if err := s.toBot(ctx, tx, id, false); err != nil {
			return Outgoing{}, "", err
		}
		return Outgoing{Author: BySystem, Text: s.say(h.lang, "left_queue"), Payload: Payload{Event: EventHandedBack}}, HeldByBot, nil
	})
}

// chatGrade is the grade that a message gives the chat itself.
func chatGrade(in channels.Inbound) (int, bool) {
	grade, ok := strings.CutPrefix(in.Choice, choiceRateChat)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(grade)
	return n, err == nil && n >= 1 && n <= 5
}

// rateChatTx stores the grade with the message that gives it. A later one replaces it.
func (s *Service) rateChatTx(ctx context.Context, tx db.Tx, id uuid.UUID, grade int) error {
	b := &pgx.Batch{}
	b.Queue(`update conversations set rating = $2, rated_at = $3, rated_user_id = holder_user_id where id = $1`, id, grade, s.now())
	if grade != 3 { // neither good nor bad says nothing of an answer
		knowledge.QueueGraded(b, id, grade > 3, s.now())
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("chat: rate chat: %w", err)
	}
	return nil
}
