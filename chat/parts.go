package chat

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/internal/db"
)

// Times of parts. A message of one part that comes again is the same one only for as long as a channel repeats what was not acknowledged: people do write
// "yes" twice.
const (
	repeatedFor = 15 * time.Minute
	partsWithin = 24 * time.Hour
)

const (
	// Two parts of one message may come on two nodes at once.
	lockPartsSQL = `select pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2 || ' ' || $3, 60))`
	// The message that a part belongs to: the one that has this very part already, else one that lacks it.
	partOfSQL = `select message from message_parts where channel = $1 and account = $2 and thread = $3 and ref = $4 and total = $5 and created_at > $6
		group by message having bool_or(n = $7 and text = $8) or not bool_or(n = $7) order by bool_or(n = $7 and text = $8) desc, max(created_at) desc limit 1`
	holdPartSQL = `insert into message_parts (channel, account, thread, message, ref, total, n, text, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (channel, account, thread, message, n) do nothing`
	wholeSQL    = `select text from message_parts where channel = $1 and account = $2 and thread = $3 and message = $4 order by n`
	releaseSQL  = `delete from message_parts where channel = $1 and message = $2`
	oldPartsSQL = `select account, thread, message, max(total), array_agg(n order by n), array_agg(text order by n) from message_parts where channel = $1
		group by account, thread, message having max(created_at) < $2 order by max(created_at) limit $3`
)

// HoldPart keeps a part durably and names the message it belongs to. whole holds the texts of all parts, in order, once none is missing; the caller then
// ingests the message under that name and releases it. Errors: db.ErrUnavailable.
func (s *Service) HoldPart(ctx context.Context, p channels.Part) (message string, whole []string, err error) {
	p.Text = strings.ReplaceAll(strings.ToValidUTF8(p.Text, "\uFFFD"), "\x00", "")
	since := s.now().Add(-partsWithin)
	if p.Total == 1 {
		since = s.now().Add(-repeatedFor)
	}
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, lockPartsSQL, p.Channel, p.Account, p.Thread); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, partOfSQL, p.Channel, p.Account, p.Thread, p.Ref, p.Total, since, p.N, p.Text)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		message = db.NewID().String()
		if len(found) > 0 {
			message = found[0]
		}
		if _, err := tx.Exec(ctx, holdPartSQL, p.Channel, p.Account, p.Thread, message, p.Ref, p.Total, p.N, p.Text, s.now()); err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, wholeSQL, p.Channel, p.Account, p.Thread, message); err != nil {
			return err
		}
		whole, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return "", nil, fmt.Errorf("chat: parts: %w", err)
	}
	if len(whole) < p.Total {
		whole = nil
	}
	return message, whole, nil
}

// ReleaseParts forgets the parts of a message that was taken in and acknowledged. Errors: db.ErrUnavailable.
func (s *Service) ReleaseParts(ctx context.Context, channel, message string) error {
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, releaseSQL, channel, message)
		return err
	})
	if err != nil {
		return fmt.Errorf("chat: parts: %w", err)
	}
	return nil
}

// Fragment is a message of which some parts never came.
type Fragment struct {
	Account, Thread, Message, Text string
	Complete                       bool // taken in whole; only its release was cut off
}

// OldParts lists messages whose last part came longer ago than parts take. What is missing is marked. Errors: db.ErrUnavailable.
func (s *Service) OldParts(ctx context.Context, channel string, limit int) (out []Fragment, err error) {
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, oldPartsSQL, channel, s.now().Add(-partsWithin), limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Fragment, error) {
			var f Fragment
			var total int
			var ns []int
			var texts []string
			if err := row.Scan(&f.Account, &f.Thread, &f.Message, &total, &ns, &texts); err != nil {
				return f, err
			}
			next := 1
			for i, n := range ns {
				if n > next {
					f.Text += " […] "
				}
				f.Text += texts[i]
				next = n + 1
			}
			if next <= total {
				f.Text += " […]"
			}
			f.Complete = len(ns) == total
			return f, nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("chat: parts: %w", err)
	}
	return out, nil
}
