package app

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/tickets"
	"hotline/web/portal"
)

// How the citizen hears of their case outside the portal, as the portal shows and ends it.

// Tells implements portal.Cases.
func (p portalCases) Tells() []string { return p.chat.Tells() }

// Reachable implements portal.Cases.
func (p portalCases) Reachable(phone, email string) []string {
	return p.chat.Reachable(channels.Contact{Phone: phone, Email: email})
}

// hears lists how news reach the contact, with the address masked: whoever has the code sees that it is theirs.
func (p portalCases) hears(ctx context.Context, t tickets.Ticket) ([]portal.Hears, error) {
	a, err := p.tickets.AllowedOf(ctx, tickets.System(), t)
	if err != nil {
		return nil, err
	}
	var out []portal.Hears
	for _, w := range p.chat.Ways(a) {
		out = append(out, portal.Hears{Channel: w.Channel, Address: maskAddress(w.Address)})
	}
	return out, nil
}

// maskAddress keeps the beginning and what follows the @, or the last two digits.
func maskAddress(s string) string {
	const dots = "•••"
	if at := strings.LastIndexByte(s, '@'); at > 0 {
		first := []rune(s[:at])[:1]
		return string(first) + dots + s[at:]
	}
	if len(s) < 6 {
		return dots
	}
	return dots + s[len(s)-2:]
}

// StopLink implements portal.Cases.
func (p portalCases) StopLink(_ context.Context, token string) (string, error) {
	_, channel, err := p.tickets.ByStopToken(token)
	return channel, err
}

// StopByLink implements portal.Cases.
func (p portalCases) StopByLink(ctx context.Context, token string) error {
	contact, channel, err := p.tickets.ByStopToken(token)
	if err != nil {
		return err
	}
	_, err = p.tickets.StopChannel(ctx, contact, channel, "", "link")
	return err
}

// Quiet implements portal.Cases.
func (p portalCases) Quiet(ctx context.Context, id uuid.UUID) error {
	t, err := p.tickets.ByID(ctx, citizenOf(id), id)
	if err != nil || t.ContactID == nil {
		return err
	}
	for _, channel := range tickets.AllowableChannels {
		if _, err := p.tickets.StopChannel(ctx, *t.ContactID, channel, "", "portal"); err != nil {
			return err
		}
	}
	return nil
}
