package tickets

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/tickets/sla"
)

// EntryAnsweredOver is the history entry of an answer that did not wait for every co-agency: which had not replied, and why it was given all the same.
const EntryAnsweredOver = "answered_over"

// CoOpen are the clocks, of a ticket's Clocks, by which co-agencies still have to reply to the lead.
func CoOpen(list []ClockView) []ClockView {
	var out []ClockView
	for _, c := range list {
		if strings.HasPrefix(c.Name, coPrefix) && !c.Stopped {
			out = append(out, c)
		}
	}
	return out
}

// coOpen are the co-agencies whose reply the lead still waits for, in the order in which they were asked.
func (c *change) coOpen() []uuid.UUID {
	var out []uuid.UUID
	for _, co := range c.t.Co {
		if clk := c.clocks.rows[coPrefix+co.String()]; clk != nil && clk.stoppedAt == nil {
			out = append(out, co)
		}
	}
	return out
}

// checkOver wants a reason of a lead that answers before all who were asked to help have replied.
// Errors: ErrCoOpen.
func (c *change) checkOver(f Fields) error {
	open := c.coOpen()
	if len(open) == 0 || f.Over != "" {
		return nil
	}
	codes := make([]string, len(open))
	for i, id := range open {
		a, _ := c.svc.router.Agency(id)
		codes[i] = a.Code
	}
	return ErrCoOpen.On(string(FOver)).With("field", string(FOver)).With("agencies", strings.Join(codes, ", "))
}

// answerOver ends what co-agencies still had to do as the lead answers. The reason is the agencies' own matter: it stands in an entry of its own, not in
// the answer that the citizen reads.
func (c *change) answerOver(f *Fields) {
	if open := c.coOpen(); len(open) > 0 {
		c.beside = append(c.beside, Event{Type: EntryAnsweredOver, Data: Fields{Text: f.Over, Co: open}})
		for _, co := range open {
			c.tell(co, Handler, EntryAnsweredOver)
		}
	}
	f.Over = ""
	c.clocks.stopCo()
}

// ofCo reports whether a clock is a co-agency's.
func ofCo(name string) bool {
	return strings.HasPrefix(name, coPrefix) || strings.HasPrefix(name, coSignPrefix)
}

// cut ends a co-agency's clock by what somebody else did: the agency has neither met its time nor, before it ran out, missed it.
func (s *clockSet) cut(name string) {
	if c := s.rows[name]; c != nil && c.stoppedAt == nil {
		c.step(sla.Cut, s.now, 0)
		s.stop(name)
	}
}

// leftOpen reports whether the clock ended without its agency having done what it is for.
func (c *clockRow) leftOpen() bool {
	return c.stoppedAt != nil && slices.ContainsFunc(c.steps, func(s sla.Step) bool { return s.Kind == sla.Cut })
}
