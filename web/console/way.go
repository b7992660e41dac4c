package console

import "hotline/tickets"

// WayWords says what an agency on the way of a ticket did with it, and when.
func (v View) WayWords(a tickets.Assignment) string {
	state, at := a.State, a.GivenAt
	switch {
	case a.EndedAt != nil:
		at = *a.EndedAt
	case a.SignedAt != nil:
		at = *a.SignedAt
	case a.SignDueAt != nil:
		at = *a.SignDueAt
	default:
		state = "given" // its policy has no time to sign
	}
	return v.T("way."+state, "at", v.Short(at))
}
