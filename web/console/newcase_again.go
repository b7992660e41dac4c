package console

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/tickets"
)

// filedOtherwise reports whether the case that a form made before says something else than the form says now. What routing and colleagues may have changed since (the
// category, the urgency) does not count.
func (c *Console) filedOtherwise(ctx context.Context, v View, id uuid.UUID, f caseForm) (first tickets.Ticket, other bool, err error) {
	first, err = c.Tickets.ByID(ctx, actor(v.Me), id)
	if errors.Is(err, tickets.ErrNotFound) {
		return first, false, nil // out of sight by now: the receipt says what there is to say
	}
	if err != nil {
		return first, false, err
	}
	if channels.CleanText(f.Text) != channels.CleanText(first.Description) || f.Kind != first.Kind || strings.TrimSpace(f.Place) != strings.TrimSpace(first.Place) {
		return first, true, nil
	}
	if first.Confidential || first.ContactID == nil {
		return first, first.ContactID == nil && !f.Anonymous && f.Name+f.Phone+f.Email != "", nil
	}
	who, err := c.contact(ctx, v.Me.Actor(), *first.ContactID)
	phone, email := f.reach()
	return first, plainly(phone) != plainly(who.Phone) || plainly(email) != plainly(who.Email), err
}

// plainly is an address without what people write differently each time.
func plainly(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(s))
}
