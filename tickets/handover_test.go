package tickets_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
)

// at is somebody of an agency that the tiny city has no user for.
func (o *office) member(agency string, roles ...string) tickets.Actor {
	return tickets.Staff(db.Staff(uuid.New(), o.city.Agencies[agency], false, false), roles)
}

func (o *office) apply(a tickets.Actor, t tickets.Ticket, name tickets.Action, f tickets.Fields) tickets.Ticket {
	o.Helper()
	out, err := o.Apply(o.Context(), a, t.ID, t.Version, name, f, "")
	if err != nil {
		o.Fatalf("%s in %s: %v", name, t.State, err)
	}
	return out
}

func (o *office) refused(a tickets.Actor, t tickets.Ticket, name tickets.Action, f tickets.Fields, want error) {
	o.Helper()
	before := o.snapshot(t.ID)
	if _, err := o.Apply(o.Context(), a, t.ID, t.Version, name, f, ""); !errors.Is(err, want) {
		o.Errorf("%s in %s: %v, want %v", name, t.State, err, want)
	}
	if after := o.snapshot(t.ID); after != before {
		o.Errorf("%s was refused and changed the ticket", name)
	}
}

func TestADistrictHandsDownToItsStreetAndTheStreetHandsUp(t *testing.T) {
	t.Parallel()
	o := open(t)
	district, street, other := o.city.Agencies["dist-east"], o.city.Agencies["street-east-1"], o.city.Agencies["dept-utilities"]
	k := o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: district})
	head := o.member("dist-east", "head")
	promised := *k.PromisedAt
	o.refused(head, k, tickets.HandDown, tickets.Fields{Lead: other}, tickets.ErrNotBelow)
	o.refused(head, k, tickets.HandDown, tickets.Fields{Lead: district}, tickets.ErrNotBelow)
	o.refused(head, k, tickets.HandDown, tickets.Fields{Lead: uuid.New()}, tickets.ErrUnknownAgency)

	k = o.apply(head, k, tickets.HandDown, tickets.Fields{Lead: street})
	if k.State != tickets.Dispatched || k.Lead != street || k.Dispatches != 1 || k.SignDueAt == nil || !k.PromisedAt.Equal(promised) {
		t.Fatalf("%+v", k)
	}
	if !slices.Contains(o.notices("hand_down"), "street-east-1 handler") {
		t.Errorf("the street was not told: %v", o.notices("hand_down"))
	}
	// The district still sees it, above its street, and cannot act on it any more.
	if _, err := o.ByID(t.Context(), head, k.ID); err != nil {
		t.Errorf("the district lost sight of it: %v", err)
	}
	o.refused(head, k, tickets.Sign, tickets.Fields{}, tickets.ErrForbidden)
	k = o.must("handler-street", k, tickets.Sign, tickets.Fields{})
	k = o.must("handler-street", k, tickets.HandUp, tickets.Fields{Text: "Needs the district's machines."})
	if k.Lead != district || k.State != tickets.Dispatched {
		t.Fatalf("%s with %s", k.State, k.Lead)
	}
	if _, err := o.ByID(t.Context(), o.as("handler-street"), k.ID); err != nil {
		t.Errorf("the street does not see what becomes of it: %v", err)
	}
	// And down once more to the same street, once the district has signed for it: its handing up was no return.
	k = o.apply(head, k, tickets.Sign, tickets.Fields{})
	k = o.apply(head, k, tickets.HandDown, tickets.Fields{Lead: street})
	var states []string
	rows, err := o.owner.Query(t.Context(), `select state from assignments where ticket_id = $1 order by seq`, k.ID)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		states = append(states, s)
	}
	if !slices.Equal(states, []string{"handed", "handed", "handed", "dispatched"}) {
		t.Errorf("assignments %v", states)
	}
	o.gapFree()
}

func TestNobodyHandsUpToTheHotlineOrOutOfTheTree(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["city"]})
	top := o.member("city", "head")
	// The tiny city has no agency above the city government.
	o.refused(top, k, tickets.HandUp, tickets.Fields{Text: "not ours"}, tickets.ErrNoneAbove)
	o.refused(o.as("handler-env"), k, tickets.HandDown, tickets.Fields{Lead: o.city.Agencies["dept-environment"]}, tickets.ErrNotFound)
}

func TestCoAgenciesSignReplyAndDeclineOnClocksOfTheirOwn(t *testing.T) {
	t.Parallel()
	o := open(t)
	env, util, street := o.city.Agencies["dept-environment"], o.city.Agencies["dept-utilities"], o.city.Agencies["street-east-1"]
	k := o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: env, Co: []uuid.UUID{util, street}})
	clock := func(name string) *tickets.ClockView {
		for _, c := range must(o.Clocks(t.Context(), o.as("supervisor"), k.ID)) {
			if c.Name == name {
				return &c
			}
		}
		return nil
	}
	if c := clock("co_sign." + util.String()); c == nil || c.Stopped || c.Agency != util {
		t.Fatalf("no clock to sign for the co-agency: %+v", c)
	}
	// A co-agency signs for its part while the lead has not yet signed for the whole.
	k = o.must("handler-util", k, tickets.CoSign, tickets.Fields{})
	o.refused(o.as("handler-util"), k, tickets.CoSign, tickets.Fields{}, tickets.ErrCoSigned)
	o.refused(o.as("handler-util"), k, tickets.CoDecline, tickets.Fields{Reason: "nothing_to_add", Basis: "No pipe there."}, tickets.ErrCoSigned)
	o.refused(o.as("handler-env"), k, tickets.CoSign, tickets.Fields{}, tickets.ErrForbidden)
	if !clock("co_sign." + util.String()).Stopped {
		t.Error("signing did not stop the co-agency's clock")
	}
	k = o.must("handler-street", k, tickets.CoDecline, tickets.Fields{Reason: "wrong_area", Basis: "Behind the border of the street."})
	if slices.Contains(k.Co, street) || !contains(o.notices("co_declined"), "hotline dispatcher") || !contains(o.notices("co_declined"), "dept-environment handler") {
		t.Errorf("declined: co %v, told %v", k.Co, o.notices("co_declined"))
	}
	k = o.must("dispatcher", k, tickets.AddCo, tickets.Fields{Co: []uuid.UUID{street}})
	o.refused(o.as("dispatcher"), k, tickets.AddCo, tickets.Fields{Co: []uuid.UUID{street}}, tickets.ErrUnknownAgency)
	// Past its window the street may no longer decline.
	o.at("2026-03-12 10:00")
	o.refused(o.as("handler-street"), k, tickets.CoDecline, tickets.Fields{Reason: "wrong_area", Basis: "Late."}, tickets.ErrLateReturn)
	o.sweep()
	if !contains(o.notices("dunning"), "street-east-1 head") {
		t.Errorf("nobody at the street heard that it is late: %v", o.notices("dunning"))
	}
	k = o.must("handler-env", k, tickets.Sign, tickets.Fields{})
	k = o.must("handler-street", k, tickets.CoReply, tickets.Fields{Text: "Our part is done."})
	if !slices.Contains(k.CoSigned, street) || !clock("co_reply."+street.String()).Stopped || !clock("co_sign."+street.String()).Stopped {
		t.Errorf("a reply is a signature too: %v", k.CoSigned)
	}
	k = o.must("dispatcher", k, tickets.DropCo, tickets.Fields{Co: []uuid.UUID{util}, Text: "Not needed after all."})
	if _, err := o.ByID(t.Context(), o.as("handler-util"), k.ID); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("a co-agency taken off still sees it: %v", err)
	}
	k = o.must("handler-env", k, tickets.Reply, answer())
	for _, c := range must(o.Clocks(t.Context(), o.as("supervisor"), k.ID)) {
		if c.Agency != uuid.Nil && !c.Stopped {
			t.Errorf("%s runs after the answer", c.Name)
		}
	}
}

func TestASupervisionOrderHasAClockAndAnAnswer(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	order := tickets.Fields{Reason: "overdue", Text: "Report by tomorrow what has been done."}
	o.refused(o.as("dispatcher"), k, tickets.Supervise, order, tickets.ErrForbidden)
	o.refused(o.as("supervisor"), k, tickets.LiftOrder, tickets.Fields{Text: "x"}, tickets.ErrNoOrder)
	o.refused(o.as("handler-env"), k, tickets.AnswerOrder, tickets.Fields{Text: "x"}, tickets.ErrNoOrder)
	k = o.must("supervisor", k, tickets.Supervise, order)
	if !k.Supervised || k.Supervision != "ordered" || !contains(o.notices("supervised"), "dept-environment head") {
		t.Fatalf("%+v, told %v", k, o.notices("supervised"))
	}
	o.refused(o.as("supervisor"), k, tickets.Supervise, order, tickets.ErrOrdered)
	o.refused(o.as("operator"), k, tickets.AnswerOrder, tickets.Fields{Text: "for them"}, tickets.ErrForbidden)
	o.at("2026-03-13 09:00") // two working days are over
	o.sweep()
	if !contains(o.notices("dunning"), "dept-environment head") {
		t.Errorf("the order's own clock climbs no ladder: %v", o.notices("dunning"))
	}
	k, _ = o.ByID(t.Context(), o.as("supervisor"), k.ID)
	k = o.must("handler-env", k, tickets.AnswerOrder, tickets.Fields{Text: "Two visits, a fine, machines sealed."})
	if k.Supervision != "answered" || !k.Supervised || !contains(o.notices("supervision_answered"), "hotline supervisor") {
		t.Errorf("%+v", k)
	}
	orders, _, err := o.Orders(t.Context(), o.as("supervisor"), "", 10)
	if err != nil || len(orders) != 1 || orders[0].ID != k.ID {
		t.Errorf("the board does not list the order: %v %v", orders, err)
	}
	if list, _, err := o.Orders(t.Context(), o.as("handler-util"), "", 10); err != nil || len(list) != 0 {
		t.Errorf("another agency sees the order: %v %v", list, err)
	}
	k = o.must("supervisor", k, tickets.LiftOrder, tickets.Fields{Text: "Well answered."})
	if k.Supervised || k.Supervision != "" {
		t.Errorf("not lifted: %+v", k)
	}
}

func TestTheBoardCountsLightsByAgencyAndListsTheLadder(t *testing.T) {
	t.Parallel()
	o := open(t)
	late := o.inProgress() // resolve due on the 17th, 17:30; first reply on the 11th
	o.at("2026-03-11 10:00")
	util := o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-utilities"]})
	o.at("2026-03-12 09:30")
	o.sweep()
	rows, err := o.Lights(t.Context(), o.as("supervisor"))
	if err != nil || len(rows) != 2 {
		t.Fatalf("%+v %v", rows, err)
	}
	if r := rows[0]; r.Agency != late.Lead || r.Red != 1 || r.Open != 1 || r.Green != 0 || r.CriticismStanding != 1 {
		t.Errorf("the late agency: %+v", r)
	}
	if r := rows[1]; r.Agency != util.Lead || r.Red != 0 || r.Open != 1 || r.Yellow+r.Green != 1 {
		t.Errorf("the other: %+v", r)
	}
	mine, err := o.Lights(t.Context(), o.as("handler-util"))
	if err != nil || len(mine) != 1 || mine[0].Agency != util.Lead {
		t.Errorf("an agency sees more than its own: %+v %v", mine, err)
	}
	ladder, _, err := o.Ladder(t.Context(), o.as("supervisor"), "", 10)
	if err != nil || len(ladder) != 1 || ladder[0].Ticket.ID != late.ID || ladder[0].Stage != "dunning" || ladder[0].Clock != "first_reply" || ladder[0].Agency != late.Lead {
		t.Errorf("%+v %v", ladder, err)
	}
	if ladder, _, err := o.Ladder(t.Context(), o.as("handler-util"), "", 10); err != nil || len(ladder) != 0 {
		t.Errorf("another agency sees the ladder: %+v %v", ladder, err)
	}
}

func TestTheWayOfATicketSaysWhoSignedLate(t *testing.T) {
	t.Parallel()
	o := open(t)
	head := o.member("dist-east", "head")
	k := o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dist-east"]})
	o.at("2026-03-12 09:00") // a day after the window
	k = o.apply(head, k, tickets.HandDown, tickets.Fields{Lead: o.city.Agencies["street-east-1"]})
	k = o.must("handler-street", k, tickets.Sign, tickets.Fields{})
	way := must(o.Assignments(t.Context(), head, k.ID))
	if len(way) != 2 || way[0].State != "handed" || !way[0].Late(o.clock.Now()) || way[1].State != "signed" || way[1].Late(o.clock.Now()) || way[1].Agency != k.Lead {
		t.Errorf("%+v", way)
	}
	if way := must(o.Assignments(t.Context(), o.as("handler-util"), k.ID)); len(way) != 0 {
		t.Errorf("an agency beside it reads the way: %+v", way)
	}
}

func TestADesignatedAgencyDoesNotHandTheTicketUp(t *testing.T) {
	t.Parallel()
	o := open(t)
	district, street := o.city.Agencies["dist-east"], o.city.Agencies["street-east-1"]
	head := o.member("dist-east", "head")
	designated := func(lead uuid.UUID) tickets.Ticket {
		k := o.file()
		for n, step := range []struct{ agency, user string }{{"dept-environment", "handler-env"}, {"dept-utilities", "handler-util"}, {"street-east-1", "handler-street"}} {
			k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies[step.agency]})
			k = o.must(step.user, k, tickets.RequestReturn, tickets.Fields{Reason: "not_responsible", Basis: "catalogue"})
			if n < 2 {
				k = o.must("dispatcher", k, tickets.ApproveReturn, tickets.Fields{})
			}
		}
		k = o.must("dispatcher", k, tickets.Coordinate, tickets.Fields{})
		return o.must("dispatcher", k, tickets.Designate, tickets.Fields{Lead: lead, Text: "Meeting of 10 March"})
	}
	up := tickets.Fields{Text: "Let somebody else do it."}
	k := designated(street)
	o.refused(o.as("handler-street"), k, tickets.HandUp, up, tickets.ErrDesignated)
	for _, m := range o.Moves(o.as("handler-street"), k) {
		if m.Name == tickets.HandUp {
			t.Error("handing up is offered to the agency that has to handle the case")
		}
	}
	k = o.must("handler-street", k, tickets.Sign, tickets.Fields{})
	o.refused(o.as("handler-street"), k, tickets.HandUp, up, tickets.ErrDesignated)
	// A district lets its street do the work; what comes back up is the district's to handle.
	k = o.apply(head, o.apply(head, designated(district), tickets.Sign, tickets.Fields{}), tickets.HandDown, tickets.Fields{Lead: street})
	k = o.must("handler-street", k, tickets.HandUp, up)
	o.refused(head, k, tickets.HandUp, up, tickets.ErrDesignated)
	o.apply(head, k, tickets.Sign, tickets.Fields{})
}
