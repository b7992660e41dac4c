package flags_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
	"hotline/tickets/flags"
	"hotline/tickets/ticketstest"
)

// One person, two cases and so two contacts: two supervisors who look at one of the cases each give them one flag between them.
func TestTwoSupervisorsFlagOnePersonOnce(t *testing.T) {
	t.Parallel()
	o := ticketstest.Open(t)
	store := flags.New(o.Pool, o.Clock, o.Service)
	day := o.Clock.Now().AddDate(0, 0, 9)
	set := func(ticket uuid.UUID) func() error {
		return func() error {
			_, err := store.Set(t.Context(), o.As("supervisor"), ticket, flags.Draft{Type: "abusive", Reason: "Insulted two operators on 3 March.", ReviewAt: day, ExpiresAt: day})
			return err
		}
	}
	one, other := o.File(by(o.Contact("138 0000 7777", ""))), o.File(by(o.Contact("+86 13800007777", "")))
	writing := testkit.Hold(t, o.Owner, `lock table contact_flags in share mode`)
	first := writing.Start(1, set(one.ID))
	second := writing.Start(2, set(other.ID))
	writing.LetGo()
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := <-second; !errors.Is(err, flags.ErrFlagged) {
		t.Errorf("the second of two at once: %v", err)
	}
	if n := o.Rows(db.System(), "contact_flags"); n != 1 {
		t.Errorf("one person has the flag %d times", n)
	}
}

// Whoever is flagged while the program looks for contacts that come often is not proposed as well.
func TestAPersonWhoIsFlaggedMeanwhileIsNotProposed(t *testing.T) {
	t.Parallel()
	o := ticketstest.Open(t)
	store := flags.New(o.Pool, o.Clock, o.Service)
	day := o.Clock.Now().AddDate(0, 0, 9)
	file := func(phone string, n int) (last tickets.Ticket) {
		for range n {
			last = o.File(by(o.Contact(phone, "")))
		}
		return last
	}
	sweep := func() error { _, err := store.Sweep(t.Context(), o.Clock.Now()); return err }
	other := file("138 0000 1111", 5)
	if err := sweep(); err != nil {
		t.Fatal(err)
	}
	k := file("138 0000 4242", 1)
	file("138 0000 4242", 5)
	sweeping := testkit.Hold(t, o.Owner, `select from flag_proposals where ticket_id = $1 for update`, other.ID)
	swept := sweeping.Start(1, sweep) // has proposed the one, and waits with the other
	set := sweeping.Start(2, func() error {
		_, err := store.Set(t.Context(), o.As("supervisor"), k.ID, flags.Draft{Type: "repeat", Reason: "Calls each day about the same pavement.", ReviewAt: day, ExpiresAt: day})
		return err
	})
	sweeping.LetGo()
	if err := errors.Join(<-swept, <-set); err != nil {
		t.Fatal(err)
	}
	for _, p := range ticketstest.Must(store.Proposals(t.Context(), o.As("supervisor"))) {
		if p.TicketID != other.ID {
			t.Errorf("flagged, and proposed: %+v", p)
		}
	}
}
