package chat

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/tickets"
)

// queueTold adds the record of what a reply tells, and of the citizen's word on what was told before, to the batch that ends the turn.
// posts are those of reply.Messages.
func (s *Service) queueTold(b *pgx.Batch, t *turn, reply bot.Reply, lang string, posts []Posting, ticket *tickets.Ticket) {
	now := s.now()
	if c := reply.Answered; c != nil {
		knowledge.QueueHelped(b, t.conversation, articleOf(*c), reply.Question, true, now)
	}
	if c := reply.NotHelped; c != nil {
		knowledge.QueueHelped(b, t.conversation, articleOf(*c), reply.Question, false, now)
	}
	if reply.NoneFits {
		knowledge.QueueHelped(b, t.conversation, uuid.Nil, reply.Question, false, now)
	}
	for _, one := range reply.Told {
		row := knowledge.Told{ID: db.NewID(), At: now, Conversation: t.conversation, Seq: seqOf(one, reply.Messages, posts), Lang: lang, Channel: t.channel, Secret: t.confidential, By: knowledge.ByBot,
			Question: one.Question, Outcome: knowledge.Outcome(one.Outcome), Follows: one.Follows, Score: one.Score, Place: one.Place}
		if ticket != nil {
			row.Ticket = ticket.ID
		}
		if one.Call != "" {
			row.ModelCall, _ = uuid.Parse(one.Call) // the zero id is none
		}
		switch {
		case len(one.Cited) == 0:
		case one.Outcome == bot.OutcomeAnswer:
			row.Article, row.Version = articleOf(one.Cited[0]), one.Cited[0].Version
		default:
			for _, c := range one.Cited {
				row.Others = append(row.Others, articleOf(c))
			}
		}
		knowledge.QueueTold(b, row)
	}
}

// articleOf is the cited article; uuid.Nil for one that has no id of ours.
func articleOf(c bot.Citation) uuid.UUID {
	id, err := uuid.Parse(c.ArticleID)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// seqOf is the number of the message that tells something: the one with its source, or the last.
func seqOf(one bot.Told, ms []bot.Message, posts []Posting) int64 {
	if len(posts) == 0 {
		return 0
	}
	for i, m := range ms {
		if i < len(posts) && len(one.Cited) > 0 && len(m.Citations) > 0 && m.Citations[0].ArticleID == one.Cited[0].ArticleID {
			return posts[i].Seq
		}
	}
	return posts[len(posts)-1].Seq
}

const askedSQL = `select m.text, c.lang, c.channel, c.confidential from conversations c left join lateral
	(select text from messages where conversation_id = c.id and author = 'citizen' and text <> '' and seq < $2 order by seq desc limit 1) m on true where c.id = $1`

// staffToldTx records what staff tell with a source: an answer to the citizen's last words.
func (s *Service) staffToldTx(ctx context.Context, tx db.Tx, conversation uuid.UUID, out Outgoing, seq int64) error {
	var asked *string
	var lang, channel string
	var secret bool
	err := tx.QueryRow(ctx, askedSQL, conversation, seq).Scan(&asked, &lang, &channel, &secret)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("chat: told: %w", err)
	}
	b := &pgx.Batch{}
	for i, c := range out.Payload.Citations {
		article, err := uuid.Parse(c.Article)
		if err != nil {
			continue
		}
		row := knowledge.Told{ID: db.NewID(), At: s.now(), Conversation: conversation, Seq: seq, Ticket: out.TicketID, Lang: lang, Channel: channel, Secret: secret, By: knowledge.ByStaff,
			User: out.UserID, Outcome: knowledge.Answered, Follows: i > 0, Article: article, Version: c.Version}
		if asked != nil {
			row.Question = *asked
		}
		knowledge.QueueTold(b, row)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("chat: told: %w", err)
	}
	return nil
}
