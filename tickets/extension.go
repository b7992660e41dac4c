package tickets

import (
	"context"
	"fmt"
	"time"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// Extension is what can be asked for, or is asked for: how much longer, in the unit of the clock of the answer.
type Extension struct {
	DueAt time.Time
	Most  int
	Unit  sla.Unit
	Later *time.Time // the deadline when what is asked for is approved
}

// ExtensionOf says what an extension of a ticket would be, and false where no clock runs that could be extended.
func (s *Service) ExtensionOf(ctx context.Context, a Actor, t Ticket) (Extension, bool, error) {
	rows := map[string]*clockRow{}
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		r, err := tx.Query(ctx, `select `+clockColumnsSQL+` from ticket_clocks where ticket_id = $1 and name = 'resolve' and stopped_at is null`, t.ID)
		if err != nil {
			return err
		}
		return scanClocks(r, rows)
	})
	if err != nil {
		return Extension{}, false, fmt.Errorf("extension: %w", err)
	}
	c := s.newChange(t, rows, s.clock.Now())
	clk := rows[string(sla.Resolve)]
	if clk == nil {
		return Extension{}, false, nil
	}
	out := Extension{DueAt: clk.dueAt, Most: c.longestExtension(clk), Unit: clk.span.Unit}
	if t.Ask == "extension" {
		c.clocks.extend(clk.name, t.AskData.Days)
		out.Later = &clk.dueAt
	}
	return out, true, nil
}

// longestExtension is the policy's part of the original length, in its own unit.
func (c *change) longestExtension(clk *clockRow) int {
	return max(1, clk.span.N*c.set.SLA.Limits.WithDefaults().ExtensionPercent/100)
}

// checkExtension judges how much is asked for. Errors: ErrNoExtension, ErrExtensionLength.
func (c *change) checkExtension(days int) error {
	clk := c.clocks.rows[string(sla.Resolve)]
	if clk == nil || clk.stoppedAt != nil {
		return ErrNoExtension
	}
	if most := c.longestExtension(clk); days < 1 || days > most {
		return ErrExtensionLength.On(string(FDays)).With("field", string(FDays)).With("limit", most).With("unit", string(clk.span.Unit))
	}
	return nil
}

// askExtension notes what is asked for, with its unit, for whoever decides and for the history.
func (c *change) askExtension(f *Fields) {
	if clk := c.clocks.rows[string(sla.Resolve)]; clk != nil {
		f.Unit = clk.span.Unit
	}
	c.t.Ask, c.t.AskData = "extension", *f
	c.tell(c.svc.router.Desk(), Dispatcher, "extension_requested")
}
