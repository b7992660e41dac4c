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
	reportByKeySQL = `update deliveries set state = $3, error = $4, claimed_until = null, next_at = null, updated_at = $5
		where channel = $1 and id = $2 and state in ('pending', 'sent', 'unknown') returning conversation_id`
	reportByRemoteSQL = `update deliveries set state = $3, error = $4, claimed_until = null, next_at = null, updated_at = $5
		where channel = $1 and remote_id = $2 and state in ('sent', 'unknown') returning conversation_id`
	knownByKeySQL    = `select exists (select from deliveries where channel = $1 and id = $2)`
	knownByRemoteSQL = `select exists (select from deliveries where channel = $1 and remote_id = $2)`
)

// Report notes what a channel says of a message later: that it has arrived, or that it never will. Known is false for a message that nobody sent.
// Errors: db.ErrUnavailable.
func (s *Service) Report(ctx context.Context, r channels.Report) (known bool, err error) {
	update, look, what := reportByRemoteSQL, knownByRemoteSQL, any(r.RemoteID)
	if id, err := uuid.Parse(r.Key); err == nil {
		update, look, what = reportByKeySQL, knownByKeySQL, id
	} else if r.RemoteID == "" {
		return false, nil
	}
	state, words := string(channels.Delivered), ""
	if r.Failed {
		state, words = "failed", r.Reason
	}
	var conversation uuid.UUID
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		err := tx.QueryRow(ctx, update, r.Channel, what, state, words, s.now()).Scan(&conversation)
		if errors.Is(err, pgx.ErrNoRows) {
			return tx.QueryRow(ctx, look, r.Channel, what).Scan(&known)
		}
		known = true
		return err
	})
	if err != nil {
		return false, fmt.Errorf("chat: report: %w", err)
	}
	if conversation != uuid.Nil {
		s.announce(conversation)
	}
	return known, nil
}
