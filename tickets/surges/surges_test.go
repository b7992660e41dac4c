package surges_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
	"hotline/tickets/surges"
	"hotline/tickets/ticketstest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestASurgeIsSeenOnceAndEndsByItself(t *testing.T) {
	t.Parallel()
	o := ticketstest.Open(t)
	store := surges.New(o.Pool, o.Clock, o.Service)
	ctx := t.Context()
	o.Route.Area = "street-east-1"
	// Eight quiet weeks: one ticket each at the same hour.
	for range 9 {
		o.File()
		o.Clock.Advance(7 * 24 * time.Hour)
	}
	sweep := func() surges.Swept { t.Helper(); return ticketstest.Must(store.Sweep(ctx, o.Clock.Now())) }
	if got := sweep(); got.Opened != 0 {
		t.Errorf("a quiet week alarms: %+v", got)
	}
	oldest := o.File()
	for range 11 {
		o.Clock.Advance(time.Minute)
		o.File()
	}
	o.File(func(d *tickets.Draft) { d.Confidential = true }) // not counted
	if got := sweep(); got.Opened != 1 {
		t.Fatalf("a dozen in a quarter of an hour: %+v", got)
	}
	if got := sweep(); got.Opened != 0 {
		t.Errorf("alarmed twice: %+v", got)
	}
	list := ticketstest.Must(store.List(ctx, o.As("operator"), time.Time{}, uuid.Nil, 10))
	if len(list) != 1 || list[0].Category != "environment.noise" || list[0].Area != "street-east-1" || list[0].Observed != 12 || list[0].State != "open" {
		t.Fatalf("%+v", list)
	}
	if n := o.Rows(o.City.Staff("supervisor"), "notifications where type = 'surge'"); n != 2 {
		t.Errorf("%d notices", n)
	}
	for who, a := range map[string]db.Actor{"an agency": o.City.Staff("handler-env"), "a citizen": db.CitizenOfTicket(oldest.ID), "nobody": {}} {
		if n := o.Rows(a, "surges"); n != 0 {
			t.Errorf("%s sees surges", who)
		}
		if n := o.Rows(a, "ticket_arrivals"); n != 0 {
			t.Errorf("%s sees arrivals", who)
		}
	}
	_, behind, err := store.ByID(ctx, o.As("dispatcher"), list[0].ID, 100)
	if err != nil || len(behind) != 12 {
		t.Errorf("%d behind it: %v", len(behind), err)
	}
	if err := store.Acknowledge(ctx, o.As("operator"), list[0].ID, "on it"); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("an operator: %v", err)
	}
	if err := store.Acknowledge(ctx, o.As("supervisor"), list[0].ID, " "); !errors.Is(err, tickets.ErrMissing) {
		t.Errorf("without a note: %v", err)
	}
	if err := store.Acknowledge(ctx, o.As("supervisor"), list[0].ID, "Crews are out."); err != nil {
		t.Error(err)
	}
	k := ticketstest.Must(store.MakeMass(ctx, o.As("dispatcher"), list[0].ID, "Night work, East One"))
	again := ticketstest.Must(store.MakeMass(ctx, o.As("dispatcher"), list[0].ID, "Night work, East One"))
	if k.ID != oldest.ID || again.ID != k.ID {
		t.Errorf("the mass event is %s, then %s", k.Number, again.Number)
	}
	for range 6 {
		o.Clock.Advance(time.Hour)
		sweep()
	}
	list = ticketstest.Must(store.List(ctx, o.As("operator"), time.Time{}, uuid.Nil, 10))
	if list[0].State != "over" || list[0].EndedAt == nil || list[0].Peak != 12 || list[0].Note != "Crews are out." {
		t.Errorf("%+v", list[0])
	}
	if err := store.Acknowledge(ctx, o.As("supervisor"), list[0].ID, "late"); !errors.Is(err, surges.ErrOver) {
		t.Errorf("after its end: %v", err)
	}
}

// Alerts of the same moment are all listed, however small the pages are.
func TestAlertsOfOneMomentAreNotLostBetweenPages(t *testing.T) {
	t.Parallel()
	o := ticketstest.Open(t)
	store := surges.New(o.Pool, o.Clock, o.Service)
	for range 3 {
		if _, err := o.Owner.Exec(t.Context(), `insert into surges (id, category, area, state, began_at, seen_at, observed, peak, expected, score, opened_at) values ($1, 'environment.noise', gen_random_uuid()::text, 'over', $2, $2, 9, 9, 1, 20, $2)`, db.NewID(), o.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[uuid.UUID]bool{}
	var at time.Time
	var last uuid.UUID
	for range 3 {
		page := ticketstest.Must(store.List(t.Context(), o.As("operator"), at, last, 1))
		if len(page) != 1 {
			t.Fatalf("a page of %d", len(page))
		}
		at, last = page[0].OpenedAt, page[0].ID
		seen[last] = true
	}
	if len(seen) != 3 {
		t.Errorf("listed %d alerts of 3", len(seen))
	}
}

// Every statement is prepared against the real schema, as the application.
func TestTheStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	testkit.Prepare(t, testkit.DB(t), surges.Statements...)
}
