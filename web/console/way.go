package console

import "hotline/tickets"

// WayWords says what an agency on the way of a ticket did with it, and when.
func (v View) WayWords(a tickets.Assignment) string {
	at := a.GivenAt
	switch {
	case a.EndedAt != nil:
		at = *a.EndedAt
	case a.SignedAt != nil:
		at = *a.SignedAt
	case a.SignDueAt != nil:
		at = *a.SignDueAt
	}
	return v.T("way."+a.State, "at", v.Short(at))
}
