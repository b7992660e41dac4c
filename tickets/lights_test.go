package tickets_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
)

// openTickets sums up what the lights show to somebody.
func (o *office) openTickets(a tickets.Actor) (n int) {
	o.Helper()
	rows, err := o.Lights(o.Context(), a)
	if err != nil {
		o.Fatal(err)
	}
	for _, r := range rows {
		n += r.Open
	}
	return n
}

func TestLightsAreRenewedBehindTheBackOfWhoLooks(t *testing.T) {
	t.Parallel()
	o := open(t)
	a := o.as("supervisor")
	o.dispatched()
	if n := o.openTickets(a); n != 1 {
		t.Fatalf("the first who looks sees %d", n)
	}
	o.dispatched()
	o.clock.Advance(10 * time.Second)
	if n := o.openTickets(a); n != 1 {
		t.Errorf("within fifteen seconds another pass was made: %d", n)
	}
	o.clock.Advance(10 * time.Second)
	if n := o.openTickets(a); n != 1 {
		t.Errorf("whoever comes when it is renewed waits for it: %d", n)
	}
	o.LightsSettled()
	if n := o.openTickets(a); n != 2 {
		t.Errorf("it was not renewed: %d", n)
	}
	// Nobody has looked for a while: the old figures are told to nobody.
	o.dispatched()
	o.clock.Advance(time.Minute)
	if n := o.openTickets(a); n != 3 {
		t.Errorf("figures of a minute ago: %d", n)
	}
}

func TestALookAtTheLightsNeverWaitsForAPassThatIsStuck(t *testing.T) {
	t.Parallel()
	o := open(t)
	a := o.as("supervisor")
	o.dispatched()
	o.openTickets(a)
	o.clock.Advance(20 * time.Second)
	tx, err := o.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `lock table ticket_access in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n := o.openTickets(a); n != 1 {
			t.Errorf("while the table is locked %d", n)
		}
	}
	// Without figures that may be told there is nothing but to wait; how long is the reader's to say.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := o.service().Lights(ctx, a); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a new node under the lock: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.LightsSettled()
	if n := o.openTickets(a); n != 1 {
		t.Errorf("after the lock %d", n)
	}
}

func TestLightsShowAnAgencyItsOwnTreeAndNothingConfidential(t *testing.T) {
	t.Parallel()
	o := open(t)
	secret := o.file(func(d *tickets.Draft) { d.Kind = "report" })
	o.must("dispatcher", secret, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]})
	o.dispatched()
	o.file() // nobody's yet
	city := tickets.Staff(db.Staff(uuid.New(), o.city.Agencies["city"], false, true), []string{"head"})
	for name, tt := range map[string]struct {
		a    tickets.Actor
		want int
	}{
		"the hotline, cleared":      {o.as("supervisor"), 3},
		"the hotline, not cleared":  {o.as("operator"), 2},
		"the lead, cleared":         {o.as("cleared-env"), 2},
		"the lead, not cleared":     {o.as("handler-env"), 1},
		"those above, even cleared": {city, 1},
		"another agency":            {o.as("handler-util"), 0},
	} {
		if n := o.openTickets(tt.a); n != tt.want {
			t.Errorf("%s: %d open, want %d", name, n, tt.want)
		}
	}
	if _, err := o.Lights(t.Context(), tickets.Actor{Kind: tickets.KindStaff}); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("nobody: %v", err)
	}
}
