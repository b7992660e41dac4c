package tickets_test

import (
	"testing"

	"github.com/google/uuid"

	"hotline/tickets"
)

// standing reads the column that the supervision board rests on, and what it should be.
func (o *office) standing(ticket uuid.UUID) (kept, counted int) {
	o.Helper()
	if err := o.owner.QueryRow(o.Context(), `select (select max(standing) from ticket_access where ticket_id = $1),
		(select count(*) from ticket_clocks where ticket_id = $1 and stopped_at is null and stage in ('dunning', 'criticism'))`, ticket).Scan(&kept, &counted); err != nil {
		o.Fatal(err)
	}
	return kept, counted
}

func TestTheLadderKnowsWhatStandsAfterSweepsAndMoves(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress() // first reply due on the 11th, resolution on the 17th, 17:30
	other := o.inProgress()
	o.at("2026-03-25 10:00")
	o.sweep()
	for _, id := range []uuid.UUID{k.ID, other.ID} {
		if kept, counted := o.standing(id); kept != counted || counted != 2 {
			t.Fatalf("after the sweep %d stand, the clocks say %d", kept, counted)
		}
	}
	// Four rungs of two tickets, a page at a time that ends in the middle of a ticket: none twice, none lost.
	seen := map[string]int{}
	after, pages := "", 0
	for ; pages < 9; pages++ {
		rows, next, err := o.Ladder(t.Context(), o.as("supervisor"), after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			seen[r.Ticket.ID.String()+" "+r.Clock]++
		}
		if after = next; after == "" {
			break
		}
	}
	if len(seen) != 4 || pages != 3 {
		t.Errorf("%d pages show %v", pages+1, seen)
	}
	k, err := o.ByID(t.Context(), o.as("handler-env"), k.ID)
	if err != nil {
		t.Fatal(err)
	}
	// An agency that gets the ticket now sees what stands, and the answer takes it off the board.
	k = o.must("handler-env", k, tickets.Reply, answer())
	if kept, counted := o.standing(k.ID); kept != counted || counted != 0 {
		t.Errorf("after the answer %d stand, the clocks say %d", kept, counted)
	}
	rows, _, err := o.Ladder(t.Context(), o.as("supervisor"), "", 10)
	if err != nil || len(rows) != 2 || rows[0].Ticket.ID != other.ID {
		t.Errorf("the board: %+v %v", rows, err)
	}
	lights, err := o.Lights(t.Context(), o.as("supervisor"))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, l := range lights {
		sum += l.CriticismStanding
	}
	if sum != 2 {
		t.Errorf("lights: %+v", lights)
	}
}
