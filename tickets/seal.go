package tickets

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// ErrTampered: an entry of the history is not what was written, or one is missing. Args: seq, fault.
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
	var h history
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, verifyOneSQL, ticket)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e storedEntry
			if err := e.scan(rows, &ticket, &h); err != nil {
				return err
			}
			if e.exists {
				h.entries = append(h.entries, e)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("verify history: %w", err)
	}
	if h.id == uuid.Nil {
		return ErrNotFound
	}
	if fault, seq, _ := s.keys.fault(h); fault != "" {
		return ErrTampered.With("seq", seq).With("fault", string(fault))
	}
	return nil
}

const verifyOneSQL = `
select t.id, t.number, t.events, t.head, t.state, t.grade, e.seq, e.type, e.actor, e.user_id, e.agency_id, e.from_state, e.to_state, e.public, e.data, e.at, e.seal
from tickets t left join ticket_events e on e.ticket_id = t.id where t.id = $1 order by e.seq`
