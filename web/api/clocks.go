package api

import (
	"strings"

	"hotline/tickets"
)

// clocks are the deadlines of a ticket as a program reads them: those of co-agencies have their agency beside the name, not in it.
func (a *API) clocks(c *call, list []tickets.ClockView) []ClockInfo {
	out := make([]ClockInfo, len(list))
	for i, k := range list {
		name, _, _ := strings.Cut(k.Name, ".")
		out[i] = ClockInfo{Name: name, Agency: a.agency(c, k.Agency), StartedAt: k.StartedAt.UTC(), DueAt: k.DueAt.UTC(), State: "running", Light: string(k.Light), Stage: string(k.Stage), Provisional: k.Provisional}
		switch {
		case k.LeftOpen:
			out[i].State = "left_open"
		case k.Stopped:
			out[i].State = "ended"
		case k.Paused:
			out[i].State = "paused"
		}
	}
	return out
}

func (a *API) way(c *call, t tickets.Ticket) ([]WayStep, error) {
	list, err := a.Tickets.Assignments(c.ctx, c.staff(), t.ID)
	if err != nil {
		return nil, err
	}
	out := make([]WayStep, len(list))
	for i, g := range list {
		out[i] = WayStep{Agency: a.agency(c, g.Agency), State: g.State, Designated: g.Designated, GivenAt: g.GivenAt.UTC(), SignDueAt: utc(g.SignDueAt), SignedAt: utc(g.SignedAt), EndedAt: utc(g.EndedAt)}
	}
	return out, nil
}
