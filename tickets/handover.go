package tickets

import (
	"slices"

	"github.com/google/uuid"

	"hotline/tickets/sla"
)

// above is the agency over the lead, when there is one beside the hotline that can take a ticket.
func (c *change) above() (uuid.UUID, bool) {
	lead, ok := c.svc.router.Agency(c.t.Lead)
	if !ok || len(lead.Ancestors) == 0 {
		return uuid.Nil, false
	}
	parent, ok := c.svc.router.Agency(lead.Ancestors[len(lead.Ancestors)-1])
	return parent.ID, ok && parent.Active && !parent.Desk
}

// checkBelow wants an active agency in the tree below the lead. Errors: ErrUnknownAgency, ErrNotBelow, ErrHandedUp.
func (c *change) checkBelow(to uuid.UUID) error {
	a, ok := c.svc.router.Agency(to)
	switch {
	case !ok || !a.Active || a.Desk:
		return ErrUnknownAgency
	case !slices.Contains(a.Ancestors, c.t.Lead):
		return ErrNotBelow
	case c.t.State == Dispatched && slices.Contains(c.t.Past, to):
		// Else two agencies could pass it to and fro, each inside its time to sign, and nobody would ever have signed.
		return ErrHandedUp.With("agency", to.String())
	}
	return nil
}

// checkCo judges which co-agencies come or go. Errors: ErrUnknownAgency, ErrBadField.
func (c *change) checkCo(m Move, f Fields) error {
	seen := map[uuid.UUID]bool{}
	for _, id := range f.Co {
		has := slices.Contains(c.t.Co, id)
		if m.Name == DropCo && !has || seen[id] {
			return ErrUnknownAgency.On("co")
		}
		if a, ok := c.svc.router.Agency(id); m.Name == AddCo && (!ok || !a.Active || a.Desk || has || id == c.t.Lead) {
			return ErrUnknownAgency.On("co")
		}
		seen[id] = true
	}
	if m.Name == AddCo && len(c.t.Co)+len(f.Co) > maxCo {
		return ErrBadField.On("co").With("field", "co").With("limit", maxCo)
	}
	return nil
}

// handOver moves the ticket inside an agency's tree: down to an agency below the lead, or up to the one above it. It is no dispatch of the
// hotline: it does not count towards coordination, and the citizen's clock runs on.
func (c *change) handOver(m Move, a Actor, f *Fields) {
	t := &c.t
	before := t.Lead
	// The window to return is that of the hotline's dispatch, whoever signs in the end; once it was signed for it is over.
	if c.keepWindow(); t.State != Dispatched {
		now := c.now
		t.returnUntil = &now
	}
	if m.Name == HandUp {
		f.Lead, _ = c.above()
		// Who handed it up still sees what becomes of it.
		if !slices.Contains(t.Past, before) {
			t.Past = append(slices.Clone(t.Past), before)
		}
	}
	t.Lead = f.Lead
	t.Past = slices.DeleteFunc(slices.Clone(t.Past), func(id uuid.UUID) bool { return id == t.Lead })
	if slices.Contains(t.Co, t.Lead) {
		c.dropCo([]uuid.UUID{t.Lead})
	}
	c.ended = "handed"
	c.assignment = &assignment{lead: t.Lead, co: t.Co, by: a.DB.User(), designated: t.Designated}
	c.tell(t.Lead, Handler, string(m.Name))
}

// keepWindow makes the window to return that of the dispatch, before the clock to sign starts anew.
func (c *change) keepWindow() {
	if clk := c.clocks.rows[string(sla.Sign)]; clk != nil && c.t.returnUntil == nil {
		until := clk.dueAt
		c.t.returnUntil = &until
	}
}

// dropCo takes co-agencies off the ticket, with their clocks. One that declines in its window has done its part.
func (c *change) dropCo(gone []uuid.UUID) {
	is := func(id uuid.UUID) bool { return slices.Contains(gone, id) }
	c.t.Co = slices.DeleteFunc(slices.Clone(c.t.Co), is)
	c.t.CoSigned = slices.DeleteFunc(slices.Clone(c.t.CoSigned), is)
	for _, id := range gone {
		c.clocks.cut(coSignPrefix + id.String())
		c.clocks.cut(coPrefix + id.String())
	}
}
