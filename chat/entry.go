package chat

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// filedUnderSQL finds a filing by its key, whatever channel it named.
const filedUnderSQL = `select m.ticket_id from receipts r join messages m on m.conversation_id = r.conversation_id and m.seq = r.seq
	where r.channel = any($1) and r.account = $2 and r.thread = $3 and r.external_id = $4 and m.ticket_id is not null limit 1`

// FiledUnder finds the ticket of a filing that was made before under the key, on one of the channels; uuid.Nil when there is none. A form that can be
// sent for several channels asks it, so that sending it again for another one makes no second ticket.
func (s *Service) FiledUnder(ctx context.Context, channels []string, account, externalID string) (ticket uuid.UUID, err error) {
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		err := tx.QueryRow(ctx, filedUnderSQL, channels, account, FilingThread(externalID), externalID).Scan(&ticket)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("chat: filed under: %w", err)
	}
	return ticket, nil
}
