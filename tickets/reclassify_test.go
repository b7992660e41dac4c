package tickets_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
	"hotline/tickets/sla"
	"hotline/tickets/statistics"
)

func to(category string) tickets.Fields {
	return tickets.Fields{Category: category, Reason: "misfiled"}
}

// water is a case of utilities, which the default policies want solved in 24 hours instead of five working days.
func water(d *tickets.Draft) { d.Category = "utilities.water" }

func TestTheHotlineReclassifiesAndTheClocksFollow(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.must("dispatcher", o.file(water), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"], Co: []uuid.UUID{o.city.Agencies["dept-utilities"]}})
	k = o.must("handler-env", k, tickets.Sign, tickets.Fields{})
	short := *k.PromisedAt
	k = o.must("dispatcher", k, tickets.Reclassify, to("environment.noise"))
	if k.Category != "environment.noise" || k.State != tickets.InProgress || k.Lead != o.city.Agencies["dept-environment"] || k.Assignee != o.city.Users["handler-env"] {
		t.Fatalf("%s with %s in %s", k.Category, k.Lead, k.State)
	}
	// Tuesday and five working days, at the close of business.
	if want := time.Date(2026, 3, 17, 17, 30, 0, 0, tuesday.Location()); !k.PromisedAt.Equal(want) {
		t.Errorf("promised %s, want %s", k.PromisedAt, want)
	}
	long := *k.PromisedAt
	// A co-agency's deadline moves with it, and the history says so.
	if moved := o.entries(k, tickets.EntryFollowed); len(moved) != 1 || !strings.HasPrefix(moved[0].Data.Clock, "co_reply.") || moved[0].Public || !moved[0].Data.DueAt.After(*moved[0].Data.Was) {
		t.Errorf("beside the promise the history says %+v", moved)
	}
	e := o.entries(k, "reclassify")
	if len(e) != 1 || !e[0].Public || e[0].Data.Category != "environment.noise" || e[0].Data.WasCategory != "utilities.water" || e[0].Data.DueAt == nil || !e[0].Data.DueAt.Equal(long) || !e[0].Data.Was.Equal(short) {
		t.Fatalf("the history says %+v", e)
	}
	seen := must(o.Timeline(t.Context(), citizen(k), k.ID))
	if last := seen[len(seen)-1]; last.Data.Category != "environment.noise" || !last.Data.DueAt.Equal(long) || last.Data.Reason != "" || last.UserID != uuid.Nil {
		t.Errorf("the citizen reads %+v", last)
	}
	if !slices.Contains(o.notices("reclassify"), "dept-environment handler") {
		t.Errorf("the agency was not told: %v", o.notices("reclassify"))
	}
	// Back again: what the contact was told never moves earlier, and is not told anew.
	k = o.must("supervisor", k, tickets.Reclassify, to("utilities.water"))
	if e = o.entries(k, "reclassify"); !k.PromisedAt.Equal(long) || e[1].Data.DueAt != nil {
		t.Errorf("promised %s, before %s; %+v", k.PromisedAt, long, e[1].Data)
	}
	if err := o.VerifyHistory(t.Context(), tickets.System(), k.ID); err != nil {
		t.Error(err)
	}
}

func TestAClockThatRanOutStaysOutInWhateverCategory(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	k := o.inProgress(water)
	due := *k.PromisedAt
	o.clock.Set(due.Add(time.Minute))
	k = o.must("dispatcher", k, tickets.Reclassify, to("environment.noise"))
	if !k.PromisedAt.Equal(due) || o.clockOf(k, "resolve").Light != sla.Red {
		t.Errorf("the deadline ran out at %s and is %s now", due, k.PromisedAt)
	}
	if e := o.entries(k, "reclassify"); e[0].Data.DueAt != nil {
		t.Errorf("the citizen was told a new date: %+v", e[0].Data)
	}
	// Nor does a later change of rules bring it under the longer span of the new category.
	o.policies(func(s *sla.Set) { s.WarnFraction = 0.5 })
	o.recompute(10)
	k = must(o.ByID(t.Context(), tickets.System(), k.ID))
	if !k.PromisedAt.Equal(due) || len(o.entries(k, tickets.EntryRecomputed)) != 0 {
		t.Errorf("new rules moved it to %s", k.PromisedAt)
	}
	// It waits for the citizen and goes on: still out.
	k = o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Which house?"})
	k = o.must("dispatcher", k, tickets.Reclassify, to("environment.dust"))
	k = o.must("handler-env", k, tickets.Resume, tickets.Fields{})
	if !k.PromisedAt.Equal(due) {
		t.Errorf("after waiting it is %s", k.PromisedAt)
	}
}

func TestWhoReclassifiesAndWithWhat(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	o.refused(o.as("handler-env"), k, tickets.Reclassify, to("utilities.water"), tickets.ErrForbidden)
	o.refused(o.as("operator"), k, tickets.Reclassify, to("utilities.water"), tickets.ErrForbidden)
	o.refused(citizen(k), k, tickets.Reclassify, to("utilities.water"), tickets.ErrForbidden)
	boss := o.as("dispatcher")
	o.refused(boss, k, tickets.Reclassify, tickets.Fields{Category: "utilities.water"}, tickets.ErrMissing)
	o.refused(boss, k, tickets.Reclassify, tickets.Fields{Category: "utilities.water", Reason: "because"}, tickets.ErrBadField)
	o.refused(boss, k, tickets.Reclassify, tickets.Fields{Reason: "misfiled"}, tickets.ErrMissing)
	o.refused(boss, k, tickets.Reclassify, to("no.such"), tickets.ErrUnknownCategory)
	o.refused(boss, k, tickets.Reclassify, to("environment.noise"), tickets.ErrSameCategory)
	// Everywhere before the end, and not after it.
	for _, i := range tickets.States() {
		if _, ok := findMove(i.State, tickets.Reclassify); ok != i.Open {
			t.Errorf("%s: %v", i.State, ok)
		}
	}
}

func TestListsMeasuresAndRoutingFollowTheCategory(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.route.Record = []byte(`{"category":"environment.noise"}`)
	k := o.inProgress(func(d *tickets.Draft) { d.ServiceItem = "T-1" })
	numbers := statistics.New(o.pool, o.clock, o.Service)
	follow := func() {
		for {
			if f := must(numbers.Follow(t.Context())); !f.More {
				return
			}
		}
	}
	follow()
	o.route.Record, o.route.Urgency = []byte(`{"category":"utilities.water"}`), "urgent"
	k = o.must("dispatcher", k, tickets.Reclassify, to("utilities.water"))
	if !strings.Contains(string(k.Decision), "utilities.water") || k.Urgency != "urgent" || k.ServiceItem != "" {
		t.Errorf("decision %s, urgency %s, item %q", k.Decision, k.Urgency, k.ServiceItem)
	}
	stored := must(o.ByID(t.Context(), tickets.System(), k.ID))
	if stored.Category != k.Category || stored.Urgency != k.Urgency || stored.ServiceItem != "" {
		t.Errorf("stored %+v", stored)
	}
	follow()
	var facts, sums int
	var access string
	err := o.owner.QueryRow(t.Context(), `select (select count(*) from ticket_facts where category = 'utilities.water' and ticket_id = $1), (select coalesce(sum(abs(tickets)), 0) from measure_sums where slice = 'category' and category = 'environment.noise'),
		(select string_agg(distinct category || ' ' || urgency, ',') from ticket_access where ticket_id = $1)`, k.ID).Scan(&facts, &sums, &access)
	if err != nil || facts == 0 || sums != 0 || access != "utilities.water urgent" {
		t.Errorf("%d facts, %d left in the old category's sums, access rows %q: %v", facts, sums, access, err)
	}
	// A return asks routing with the category that a person has named.
	k = o.must("dispatcher", o.must("handler-env", k, tickets.RequestTransfer, tickets.Fields{Reason: "not_responsible", Basis: "x"}), tickets.ApproveTransfer, tickets.Fields{})
	if k.Category != "utilities.water" || k.State != tickets.PendingDispatch {
		t.Errorf("%s in %s", k.Category, k.State)
	}
}

func TestAConfidentialCategoryMakesTheCaseConfidential(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["street-east-1"]})
	above := o.member("dist-east", "head")
	if _, err := o.ByID(t.Context(), above, k.ID); err != nil {
		t.Fatal(err)
	}
	o.route.Confidential = true
	if _, err := o.Apply(t.Context(), o.as("dispatcher"), k.ID, k.Version, tickets.Reclassify, to("utilities.water"), "once"); err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]tickets.Actor{"the agency above": above, "an operator who is not cleared": o.as("operator")} {
		if _, err := o.ByID(t.Context(), a, k.ID); !errors.Is(err, tickets.ErrNotFound) {
			t.Errorf("%s still sees it: %v", name, err)
		}
	}
	var ticket, talk bool
	err := db.ReadTx(t.Context(), o.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select t.confidential, c.confidential from tickets t join conversations c on c.id = t.conversation_id where t.id = $1`, k.ID).Scan(&ticket, &talk)
	})
	if err != nil || !ticket || !talk {
		t.Errorf("confidential: ticket %v, conversation %v: %v", ticket, talk, err)
	}
	// No category takes the protection away again.
	o.route.Confidential = false
	cleared := tickets.Staff(db.Staff(uuid.New(), o.city.Agencies["hotline"], true, true), []string{"supervisor"})
	k = must(o.ByID(t.Context(), cleared, k.ID))
	if k = o.apply(cleared, k, tickets.Reclassify, to("environment.noise")); !k.Confidential {
		t.Error("the case is not confidential any more")
	}
}
