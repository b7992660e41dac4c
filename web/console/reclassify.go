package console

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"hotline/tickets"
)

// A model's word on the category of a case is a suggestion: who may change the category takes it over with one click, and the history keeps that
// it came from a model.

// filing is what a page offers beside a suggested category.
type filing struct {
	Filed   bool // the case has this category
	May     bool // the reader may change it
	Version int
}

func mayFile(moves []tickets.Move) bool {
	return slices.ContainsFunc(moves, func(m tickets.Move) bool { return m.Name == tickets.Reclassify })
}

// filing is nil where there is no ticket yet.
func (c *Console) filing(ctx context.Context, v View, a ask) *filing {
	if a.Ticket == uuid.Nil {
		return nil
	}
	t, err := c.Tickets.ByID(ctx, actor(v.Me), a.Ticket)
	if err != nil || !t.Open() {
		return nil
	}
	return &filing{Filed: t.Category == a.Result.Category, May: mayFile(c.Tickets.Moves(actor(v.Me), t)), Version: t.Version}
}

// suggestedBy is the call of the model that suggested a category; none where the ask was about something else.
func (c *Console) suggestedBy(ctx context.Context, v View, ticket, id uuid.UUID, f tickets.Fields) uuid.UUID {
	if id == uuid.Nil || f.Category == "" {
		return uuid.Nil
	}
	a, err := c.askByID(ctx, v, id)
	if err != nil || a.Ticket != ticket || a.Kind != askCategory || a.Result.Category != f.Category {
		return uuid.Nil
	}
	return a.Call
}
