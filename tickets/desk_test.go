package tickets_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/sla"
)

// "Due soon" is the yellow light, whatever the length of the clock that is due.
func TestDueSoonIsTheYellowLight(t *testing.T) {
	t.Parallel()
	o := open(t)
	short := o.dispatched(titled("to be signed"))
	o.inProgress(titled("being worked on"))
	o.file(titled("to be dispatched"))
	var seen []string
	for range 200 {
		o.clock.Advance(90 * time.Minute)
		page := must(o.List(t.Context(), o.as("operator"), tickets.ViewOpen, tickets.Filter{}, "", 100))
		var want []string
		for _, row := range page.Rows {
			if row.Light(o.clock.Now()) == sla.Yellow {
				want = append(want, row.Title)
			}
		}
		got := o.list("operator", tickets.ViewDueSoon, tickets.Filter{})
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: the view holds %q, yellow are %q", o.clock.Now(), got, want)
		}
		if n := must(o.Counts(t.Context(), o.as("operator")))[tickets.ViewDueSoon]; n != len(want) {
			t.Fatalf("it counts %d, yellow are %d", n, len(want))
		}
		seen = append(seen, want...)
	}
	slices.Sort(seen)
	if seen = slices.Compact(seen); !slices.Contains(seen, short.Title) || !slices.Contains(seen, "being worked on") {
		t.Errorf("yellow in two weeks: %q", seen)
	}
}

func TestARectificationWithoutAClockHasTheDayOfThePolicy(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	o.policies(func(s *sla.Set) {
		s.Limits.RectifyDays = 12
		for i := range s.Policies {
			delete(s.Policies[i].Clocks, sla.Rectify)
		}
	})
	must(0, o.Reload(t.Context()))
	k := o.must("handler-env", o.inProgress(), tickets.Reply, answer())
	k = o.must("operator", k, tickets.Complete, tickets.Fields{})
	must(o.Rate(t.Context(), citizen(k), k.ID, tickets.Rating{Grade: 1}))
	r, _, err := o.RectificationOf(t.Context(), o.as("supervisor"), k.ID)
	if err != nil || !r.DueAt.Equal(o.clock.Now().AddDate(0, 0, 12)) {
		t.Errorf("due %s, %v", r.DueAt, err)
	}
}

func TestAStalePageSaysThatTheProgramActed(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	seen := o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Since when?"})
	if _, err := o.Apply(t.Context(), tickets.System(), k.ID, tickets.AnyVersion, tickets.Resume, tickets.Fields{}, ""); err != nil {
		t.Fatal(err)
	}
	_, err := o.Apply(t.Context(), o.as("handler-env"), k.ID, seen.Version, tickets.Resume, tickets.Fields{}, "")
	var e *errs.Error
	if !errors.As(err, &e) || !errors.Is(err, tickets.ErrStale) || e.Args["actor"] != "system" {
		t.Errorf("%v %v", err, e)
	}
}

// Marks of the same moment are all listed, however small the pages are.
func TestListsOfOneMomentLoseNothingBetweenPages(t *testing.T) {
	t.Parallel()
	o := open(t)
	for range 3 {
		k := o.file()
		must(o.MarkMass(t.Context(), o.as("dispatcher"), k.ID, tickets.MassDraft{Title: "No water in Lake Road", Public: true}, ""))
	}
	var at time.Time
	var last uuid.UUID
	mass := map[uuid.UUID]bool{}
	for range 3 {
		page := must(o.MassEvents(t.Context(), o.as("operator"), at, last, 1))
		if len(page) != 1 {
			t.Fatalf("a page of %d", len(page))
		}
		at, last = page[0].MarkedAt, page[0].TicketID
		mass[last] = true
	}
	if len(mass) != 3 {
		t.Errorf("listed %d mass events of 3", len(mass))
	}
}

func TestWordsToTheCitizenAreTheFirstReply(t *testing.T) {
	t.Parallel()
	o := open(t)
	say := func(user string, k tickets.Ticket) {
		t.Helper()
		if err := db.WithTx(t.Context(), o.pool, o.as(user).DB, func(tx db.Tx) error { return o.AnsweredTx(t.Context(), tx, o.as(user).DB, k.ID) }); err != nil {
			t.Fatal(err)
		}
	}
	k := o.inProgress()
	say("operator", k)
	if o.clockOf(k, "first_reply").Stopped {
		t.Error("the hotline's words end the clock of the agency's first reply")
	}
	say("handler-env", k)
	say("handler-env", k)
	if !o.clockOf(k, "first_reply").Stopped || o.clockOf(k, "resolve").Stopped {
		t.Error("the lead wrote, and the clocks say otherwise")
	}
	n := 0
	for _, one := range o.events(k) {
		if one == "first_answer: " {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the history says it %d times", n)
	}
	held := o.file(func(d *tickets.Draft) { d.NeedsAcceptance = true })
	say("operator", held)
	if !o.clockOf(held, "acknowledge").Stopped {
		t.Error("the citizen has heard from the hotline, and the acknowledgement runs on")
	}
}

func TestCasesThatLackDetailsAreAFacet(t *testing.T) {
	t.Parallel()
	o := open(t)
	must(o.SaveField(t.Context(), o.as("administrator"), tickets.CustomField{Category: "environment.noise", Code: "since", Names: map[string]string{"en": "Since"}, Type: tickets.FieldDate, Intake: true, Active: true}))
	lacks := o.inProgress(titled("lacks"))
	o.file(titled("complete"), func(d *tickets.Draft) { d.Fields = map[string]string{"since": "2026-03-01"} })
	o.file(titled("water"), func(d *tickets.Draft) { d.Category = "utilities.water" })
	f := tickets.Filter{Lacking: true}
	if got := o.list("operator", tickets.ViewAll, f); !slices.Equal(got, []string{"lacks"}) {
		t.Errorf("found %q", got)
	}
	if got := o.list("handler-util", tickets.ViewAll, f); len(got) != 0 {
		t.Errorf("another agency finds %q", got)
	}
	if got := must(o.LackingOf(t.Context(), o.as("handler-env"), lacks.ID)); !got[lacks.ID] {
		t.Error("it is not marked")
	}
	saved := must(o.SaveFilter(t.Context(), o.as("operator"), tickets.SavedFilter{Name: "lacking", View: tickets.ViewAll, Filter: f}))
	if n := must(o.FilterCounts(t.Context(), o.as("operator"), must(o.SavedFilters(t.Context(), o.as("operator")))))[saved.ID]; n.N != 1 {
		t.Errorf("it counts %+v", n)
	}
	must(0, o.SetFields(t.Context(), o.as("handler-env"), lacks.ID, map[string]string{"since": "2026-03-02"}))
	if got := o.list("operator", tickets.ViewAll, f); len(got) != 0 {
		t.Errorf("filled in, and still found: %q", got)
	}
	must(0, o.SetFields(t.Context(), o.as("handler-env"), lacks.ID, map[string]string{"since": ""}))
	if got := must(o.LackingOf(t.Context(), o.as("handler-env"), lacks.ID)); !got[lacks.ID] {
		t.Error("emptied again, and not marked")
	}
}
