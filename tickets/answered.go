package tickets

import (
	"context"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

const waitingForWordsSQL = `select exists (select from ticket_clocks where ticket_id = $1 and name in ('` + string(sla.Acknowledge) + `', '` + string(sla.FirstReply) + `') and stopped_at is null)`

// AnsweredTx notes that a member of staff has written to the citizen, in a message that is no move. The citizen has heard from somebody, so the
// acknowledgement clock ends; and the clock of the first reply, where those wrote whose reply it is: the lead agency, or the hotline while nobody leads.
// Call it before the message is written: the ticket is locked before its conversation, as everywhere.
// Errors: ErrNotFound.
func (s *Service) AnsweredTx(ctx context.Context, tx db.Tx, a db.Actor, ticket uuid.UUID) error {
	var waiting bool
	if err := tx.QueryRow(ctx, waitingForWordsSQL, ticket).Scan(&waiting); err != nil || !waiting {
		return wrap("answer", err)
	}
	_, err := s.amendTx(ctx, tx, ticket, "", "first_answer", Fields{}, func(_ context.Context, _ db.Tx, c *change) error {
		stopped := false
		stop := func(name sla.ClockName) {
			if k := c.clocks.rows[string(name)]; k != nil && k.stoppedAt == nil {
				c.clocks.stop(string(name))
				stopped = true
			}
		}
		ours := a.Agency() == c.t.Lead
		if c.t.Lead == uuid.Nil {
			ours = a.Desk()
		}
		if ours || a.Desk() {
			stop(sla.Acknowledge)
		}
		if ours {
			stop(sla.FirstReply)
		}
		if !stopped {
			return errNothing
		}
		c.clocks.summarize(&c.t)
		c.t.UpdatedAt = c.now
		c.add(Event{Type: "first_answer"}, Actor{DB: a, Kind: KindStaff})
		return nil
	})
	if err == errNothing {
		return nil
	}
	return wrap("answer", err)
}
