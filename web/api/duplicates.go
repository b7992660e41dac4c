package api

import (
	"math"
	"net/http"
	"time"

	"hotline/internal/auth"
	"hotline/tickets"
)

// LikelyDuplicate is another ticket that may be about the same matter.
type LikelyDuplicate struct {
	Number    string       `json:"number" example:"2026-000124"`
	Score     float64      `json:"score" minimum:"0" maximum:"1" doc:"How likely it is the same matter; 0.35 is the least that is listed" example:"0.82"`
	Reasons   []LikeReason `json:"reasons" doc:"What speaks for it, the strongest first"`
	Title     string       `json:"title" example:"Construction noise at night"`
	State     string       `json:"state" example:"in_progress"`
	Open      bool         `json:"open" doc:"Only an open ticket can be merged into"`
	Category  string       `json:"category" example:"environment.noise"`
	Place     string       `json:"place,omitempty"`
	MassEvent bool         `json:"mass_event"`
	OpenedAt  time.Time    `json:"opened_at"`
}

// LikeReason is a piece of evidence.
type LikeReason struct {
	Code string `json:"code" enum:"same_conversation,same_contact,text,distance,same_place,same_category,near_category,time" example:"distance"`
	N    int    `json:"n,omitempty" doc:"text: percent; distance: metres; time: hours" example:"60"`
}

// OpenMassEvent is a known disturbance that the ticket may belong to.
type OpenMassEvent struct {
	Number    string    `json:"number" example:"2026-000101"`
	Title     string    `json:"title" example:"Burst water main, Willow Road"`
	Reporters int       `json:"reporters" example:"120"`
	Since     time.Time `json:"since"`
}

type duplicatesOutput struct {
	Body struct {
		Duplicates []LikelyDuplicate `json:"duplicates"`
		MassEvents []OpenMassEvent   `json:"mass_events" doc:"Mass events that it may be attached to: action merge, with their number as parent"`
	}
}

func (a *API) duplicateRoutes() {
	register(a, operation{id: "list-duplicates", method: http.MethodGet, path: "/tickets/{number}/duplicates", tag: tagTickets, summary: "List likely duplicates",
		about: "At most eight tickets that may be about the same matter, the most likely first, as far as the key's agency sees them, and the mass events that the ticket may belong to.",
		scope: auth.ScopeTicketsRead, errors: []int{http.StatusNotFound}}, a.duplicates)
}

func (a *API) duplicates(c *call, in *numberInput) (*duplicatesOutput, error) {
	t, err := a.byNumber(c, in.Number)
	if err != nil {
		return nil, err
	}
	found, err := a.Tickets.Duplicates(c.ctx, c.staff(), t.ID)
	if err != nil {
		return nil, err
	}
	events, err := a.Tickets.MassFor(c.ctx, c.staff(), t.ID)
	if err != nil {
		return nil, err
	}
	out := &duplicatesOutput{}
	out.Body.Duplicates, out.Body.MassEvents = make([]LikelyDuplicate, len(found)), make([]OpenMassEvent, len(events))
	for i, d := range found {
		out.Body.Duplicates[i] = LikelyDuplicate{Number: d.Number, Score: math.Round(100*d.Score) / 100, Reasons: reasonsOf(d), Title: d.Title, State: string(d.State), Open: d.Open(),
			Category: d.Category, Place: d.Place, MassEvent: d.Mass, OpenedAt: d.OpenedAt.UTC()}
	}
	for i, m := range events {
		out.Body.MassEvents[i] = OpenMassEvent{Number: m.Number, Title: m.Title, Reporters: m.Reporters, Since: m.MarkedAt.UTC()}
	}
	return out, nil
}

func reasonsOf(d tickets.Duplicate) []LikeReason {
	out := make([]LikeReason, len(d.Reasons))
	for i, r := range d.Reasons {
		out[i] = LikeReason{r.Code, r.N}
	}
	return out
}
