package knowledge

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Telling is one time that somebody was told what an article says, or offered it.
// Ticket and Number are there as far as the reader may see the ticket.
type Telling struct {
	ID           uuid.UUID
	At           time.Time
	Version      int
	Conversation uuid.UUID // uuid.Nil: a search on the portal
	Ticket       uuid.UUID
	Number       string
	Lang         string
	Channel      string
	By           string // bot, staff, portal
	User         uuid.UUID
	Question     string // without personal data; empty in a confidential conversation
	Outcome      string
	Helped       *bool
}

// The policies of answers show staff what concerns their agency's articles and
// questions, those of tickets whose ticket it is.
const (
	sqlTold = `select w.id, w.at, w.version, w.conversation_id, t.id, coalesce(t.number, ''), w.lang, w.channel, w.by, w.user_id, w.question, w.outcome, w.helped
		from answers w left join tickets t on t.id = coalesce(w.ticket_id, (select c.ticket_id from conversations c where c.id = w.conversation_id))
		where w.article_id = $1 and ($2 = 0 or w.version = $2) and ($3::uuid is null or w.id < $3) order by w.id desc limit $4`
	sqlToldCount   = `select version, count(*) from (select version from answers where article_id = $1 order by id desc limit 10001) x group by version order by version desc`
	sqlToldTickets = `select distinct t.id from answers w join tickets t on t.id = coalesce(w.ticket_id, (select c.ticket_id from conversations c where c.id = w.conversation_id))
		where w.article_id = $1 and ($2 = 0 or w.version = $2) order by t.id limit $3`
)

// Tellings lists who was told an article, the latest first: of one version, or of
// all with 0. after is the last one's id of the page before, uuid.Nil for the
// first. Row-level security decides what the reader sees.
func (s *Service) Tellings(ctx context.Context, by Staff, article uuid.UUID, version int, after uuid.UUID, limit int) (out []Telling, err error) {
	err = db.ReadTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlTold, article, version, optional(after), min(limit, 500))
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (w Telling, err error) {
			var conversation, ticket, user *uuid.UUID
			var version *int
			err = row.Scan(&w.ID, &w.At, &version, &conversation, &ticket, &w.Number, &w.Lang, &w.Channel, &w.By, &user, &w.Question, &w.Outcome, &w.Helped)
			w.Conversation, w.Ticket, w.User = value(conversation), value(ticket), value(user)
			if version != nil {
				w.Version = *version
			}
			return w, err
		})
		return err
	})
	return out, err
}

// ToldLimit is where counting stops.
const ToldLimit = 10_000

// ToldCounts counts, of the newest ToldLimit and one, how often each version was
// told.
func (s *Service) ToldCounts(ctx context.Context, by Staff, article uuid.UUID) (map[int]int, error) {
	out := map[int]int{}
	err := db.ReadTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlToldCount, article)
		if err != nil {
			return err
		}
		var version *int
		var n int
		_, err = pgx.ForEachRow(rows, []any{&version, &n}, func() error {
			if version != nil {
				out[*version] = n
			}
			return nil
		})
		return err
	})
	return out, err
}

// ToldTickets lists the tickets that the reader may see of those who were told a
// version: for writing to all of them when it was wrong.
func (s *Service) ToldTickets(ctx context.Context, by Staff, article uuid.UUID, version, limit int) (ids []uuid.UUID, err error) {
	err = db.ReadTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlToldTickets, article, version, limit)
		if err != nil {
			return err
		}
		ids, err = collectIDs(rows)
		return err
	})
	return ids, err
}
