package tickets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// ErrTampered: an entry of the history is not what was written, or one is missing. Args: seq.
var ErrTampered = errs.New(errs.Internal, "tickets.tampered", "the history of this ticket was changed after it was written")

// seal is the keyed hash over an entry and the seal before it. Whoever changes, drops or inserts an entry in the database, past grants and
// trigger, cannot make the seals that follow without the installation's key, which the database does not hold.
func (k codeKeys) seal(before []byte, e Event) []byte {
	data, err := json.Marshal(e.Data)
	if err != nil {
		data = nil // as in eventColumns: Fields marshals by construction
	}
	// A list keeps the parts apart, so that nothing can move from one to its neighbour.
	msg, err := json.Marshal([]any{before, e.TicketID, e.Seq, e.Type, e.Actor, e.UserID, e.AgencyID, e.From, e.To, e.Public, data, e.At.UTC().Truncate(time.Microsecond)})
	if err != nil {
		return nil // ids, strings, numbers and a time
	}
	return mac(k.history, msg)
}

// seal keeps a ticket without entries from writing null.
func seal(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// VerifyHistory recomputes the seals of a ticket's history.
// Errors: ErrNotFound, ErrTampered (with the first entry that does not hold).
func (s *Service) VerifyHistory(ctx context.Context, a Actor, ticket uuid.UUID) error {
	return db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var head []byte
		var entries int
		err := tx.QueryRow(ctx, `select head, events from tickets where id = $1`, ticket).Scan(&head, &entries)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("verify history: %w", err)
		}
		rows, err := tx.Query(ctx, `select ticket_id, seq, type, actor, user_id, agency_id, from_state, to_state, public, data, at, seal
			from ticket_events where ticket_id = $1 order by seq`, ticket)
		if err != nil {
			return fmt.Errorf("verify history: %w", err)
		}
		events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Event, error) {
			var sealed []byte
			e, err := scanEvent(suffixed{row, []any{&sealed}})
			e.seal = sealed
			return e, err
		})
		if err != nil {
			return fmt.Errorf("verify history: %w", err)
		}
		var before []byte
		for i, e := range events {
			want := s.keys.seal(before, e)
			if e.Seq != i+1 || !bytes.Equal(e.seal, want) {
				return ErrTampered.With("seq", i+1)
			}
			before = want
		}
		if len(events) != entries || !bytes.Equal(before, head) {
			return ErrTampered.With("seq", len(events)+1)
		}
		return nil
	})
}
