package console

import (
	"context"
	"net/http"
	"slices"

	"hotline/chat"
	"hotline/tickets"
)

// How the contact of a ticket hears of it outside the conversation, and what went out.

// hearsView is what the ticket's page shows of it.
type hearsView struct {
	tickets.Allowed
	Here   []string // channels by which news can be sent here
	Sent   []chat.Sent
	May    bool // change it
	Pushes bool // the conversation's own channel brings every message
}

// By reports whether a channel is allowed; Fails whether messages on it do not arrive.
func (h hearsView) By(channel string) bool    { return slices.Contains(h.Channels, channel) }
func (h hearsView) Fails(channel string) bool { return slices.Contains(h.Failing, channel) }

// sentRows is how many messages are listed.
const sentRows = 8

func (c *Console) loadHears(ctx context.Context, v View, t tickets.Ticket) (h hearsView, err error) {
	if t.ContactID == nil {
		return h, nil
	}
	a := actor(v.Me)
	if h.Allowed, err = c.Tickets.AllowedOf(ctx, a, t); err != nil {
		return h, err
	}
	h.Here, h.May, h.Pushes = c.Chat.Tells(), c.Tickets.MayAllow(a, t), c.Chat.Pushes(t.Channel)
	h.Sent, err = c.Chat.SentOf(ctx, a.DB, t.ID, sentRows)
	return h, err
}

// allow keeps what the contact said to a member of staff.
func (c *Console) allow(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	if _, err := c.Tickets.Allow(r.Context(), actor(v.Me), id, r.PostForm["by"], key(r.PostForm.Get("key"))); err != nil {
		return err
	}
	return c.acted(w, r, id, v.T("hears.kept"))
}
