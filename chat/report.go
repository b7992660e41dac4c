package chat

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/internal/db"
)

// A message that was given up, or has been noted as delivered, stays that: reports may come late, twice and in any order. One by the key may even come
// before the attempt itself is noted.
const (
	reportedByKeySQL    = `select id, conversation_id, seq, thread, person is not null from deliveries where channel = $1 and id = $2`
	reportedByRemoteSQL = `select id, conversation_id, seq, thread, person is not null from deliveries where channel = $1 and remote_id = $2
		order by state in ('pending', 'sent', 'unknown') desc, created_at desc, seq desc limit 1`
	reportSQL = `update deliveries set state = $2, error = $3, blames = $5, claimed_until = null, next_at = null, updated_at = $4 where id = $1 and state in ('pending', 'sent', 'unknown')`
)

// Report notes what a channel says of a message later: that it has arrived, or that it never will. What failed goes out on the next channel that the
// contact allowed, as if it had failed at once; what has arrived shows that the address is well. Known is false for a message that nobody sent.
// Errors: db.ErrUnavailable.
func (s *Service) Report(ctx context.Context, r channels.Report) (known bool, err error) {
	find, what := reportedByRemoteSQL, any(r.RemoteID)
	if id, err := uuid.Parse(r.Key); err == nil {
		find, what = reportedByKeySQL, id
	} else if r.RemoteID == "" {
		return false, nil
	}
	state, words := string(channels.Delivered), ""
	if r.Failed {
		state, words = "failed", r.Reason
	}
	var conversation uuid.UUID
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		d := delivery{channel: r.Channel}
		err := tx.QueryRow(ctx, find, r.Channel, what).Scan(&d.id, &conversation, &d.seq, &d.thread, &d.away)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		known = true
		var m matter
		if r.Failed { // the ticket is held first, as everywhere
			if m, err = s.matterTx(ctx, tx, conversation, d.seq); err != nil {
				return err
			}
		}
		tag, err := tx.Exec(ctx, reportSQL, d.id, state, words, s.now(), r.Blames)
		if err == nil && !r.Failed {
			err = s.reachedTx(ctx, tx, conversation, d)
		}
		if err != nil || !r.Failed || tag.RowsAffected() == 0 {
			return err
		}
		return s.fallBackTx(ctx, tx, m, conversation, d, r.Blames, words)
	})
	if err != nil {
		return false, fmt.Errorf("chat: report: %w", err)
	}
	if conversation != uuid.Nil {
		s.announce(conversation)
	}
	return known, nil
}
