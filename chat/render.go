package chat

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"hotline/tickets"
)

// Reader is for whom messages are made readable.
type Reader int

// The readers.
const (
	ReaderStaff   Reader = iota // sees that there is a code, not which
	ReaderCitizen               // the only one who sees the tracking code
)

const codePlaceholder = "{tracking_code}"

// RenderFor fills what only the reader may see. It returns the slice it was given, changed.
// Errors: db.ErrUnavailable when a ticket has to be read.
func (s *Service) RenderFor(ctx context.Context, reader Reader, ms []Message) ([]Message, error) {
	for i := range ms {
		m := &ms[i]
		// A citizen who types the placeholder gets it back as typed: only our own texts are filled.
		if m.Author == ByCitizen || !strings.Contains(m.Text, codePlaceholder) {
			continue
		}
		code := "•••• •••• •••• •••• ••••"
		if ticket := ticketOf(*m); reader == ReaderCitizen && s.tickets != nil && ticket != uuid.Nil {
			t, err := s.tickets.ByID(ctx, tickets.System(), ticket)
			if err != nil {
				return nil, err
			}
			code = tickets.FormatCode(s.tickets.TrackingCode(t))
		}
		m.Text = strings.ReplaceAll(m.Text, codePlaceholder, code)
	}
	return ms, nil
}

func ticketOf(m Message) uuid.UUID {
	if m.Payload.Ticket != nil {
		return m.Payload.Ticket.ID
	}
	return m.TicketID
}
