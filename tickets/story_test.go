package tickets_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/sla"
)

func TestMainPathFromFilingToClosing(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.file()
	if k.State != tickets.PendingDispatch || !regexp.MustCompile(`^2026-\d{6}$`).MatchString(k.Number) {
		t.Fatalf("opened as %s %s", k.State, k.Number)
	}
	k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]})
	k = o.must("handler-env", k, tickets.Sign, tickets.Fields{})
	if k.Assignee != o.city.Users["handler-env"] {
		t.Error("whoever signs has taken it")
	}
	k = o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Which site?"})
	k = o.must("citizen", k, tickets.CitizenReply, tickets.Fields{Text: "Behind the school."})
	k = o.must("handler-env", k, tickets.Reply, answer())
	k = o.must("operator", k, tickets.Complete, tickets.Fields{})
	k = o.must("operator", k, tickets.StartRevisit, tickets.Fields{})
	k = o.must("operator", k, tickets.RevisitDone, tickets.Fields{Resolved: yes(), Satisfaction: 5})
	k = o.must("operator", k, tickets.Close, tickets.Fields{})
	if k.State != tickets.Closed || k.ClosedAt == nil || k.Open() || k.CitizenResolved == nil || !*k.CitizenResolved || !*k.AgencyResolved {
		t.Fatalf("%+v", k)
	}
	events, err := o.Timeline(t.Context(), o.as("supervisor"), k.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := "opened accept queue dispatch sign ask_citizen citizen_reply reply complete start_revisit revisit_done close"
	if got := path(events); got != want {
		t.Errorf("history\n%s, want\n%s", got, want)
	}
	clocks, err := o.Clocks(t.Context(), o.as("supervisor"), k.ID)
	if err != nil || len(clocks) == 0 {
		t.Fatal(err)
	}
	for _, c := range clocks {
		if !c.Stopped {
			t.Errorf("clock %s still runs", c.Name)
		}
	}
	// What was read from the database is what the moves returned.
	again, err := o.ByID(t.Context(), o.as("supervisor"), k.ID)
	if err != nil || again.State != k.State || again.Version != k.Version || again.Reply != k.Reply || again.Lead != k.Lead {
		t.Errorf("stored %+v %v", again, err)
	}
}

func TestSureRoutingDispatchesAtOnceButNeverAConfidentialReport(t *testing.T) {
	t.Parallel()
	o := open(t)
	*o.route = tickets.Route{Lead: o.city.Agencies["dept-utilities"], Auto: true, Score: .97, Category: "utilities.water", Record: []byte(`{"score": 0.97}`)}
	k := o.file(func(d *tickets.Draft) { d.Category = "" })
	if k.State != tickets.Dispatched || k.Lead != o.city.Agencies["dept-utilities"] || k.Category != "utilities.water" {
		t.Fatalf("%s %s %s", k.State, k.Lead, k.Category)
	}
	if _, err := o.ByID(t.Context(), o.as("handler-util"), k.ID); err != nil {
		t.Errorf("the lead cannot see it: %v", err)
	}
	report := o.file(func(d *tickets.Draft) { d.Kind = "report"; d.Category = "" })
	if !report.Confidential || report.State != tickets.PendingDispatch {
		t.Fatalf("a report is %s, confidential %v", report.State, report.Confidential)
	}
}

func TestTrackingCodeAloneOpensATicket(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.file()
	code := o.TrackingCode(k)
	if !regexp.MustCompile(`^\d{20}$`).MatchString(code) {
		t.Fatalf("code %q", code)
	}
	for _, typed := range []string{code, tickets.FormatCode(code), " " + code[:10] + "-" + code[10:], strings.Map(func(r rune) rune { return r - '0' + '０' }, code)} {
		if got, err := o.ByCode(t.Context(), typed); err != nil || got.ID != k.ID {
			t.Errorf("%q: %v", typed, err)
		}
	}
	other := "0" + code[1:]
	if other == code {
		other = "1" + code[1:]
	}
	if _, err := o.ByCode(t.Context(), other); !errors.Is(err, tickets.ErrUnknownCode) {
		t.Errorf("a wrong code: %v", err)
	}
	for _, bad := range []string{"", "123", code + "1", "1234567890123456789x", k.Number, strings.Repeat("1", 1000)} {
		if _, err := o.ByCode(t.Context(), bad); !errors.Is(err, tickets.ErrMalformedCode) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	again, err := o.Reissue(t.Context(), o.as("operator"), k.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.ByCode(t.Context(), code); !errors.Is(err, tickets.ErrUnknownCode) {
		t.Errorf("the old code after a reissue: %v", err)
	}
	if got, err := o.ByCode(t.Context(), o.TrackingCode(again)); err != nil || got.ID != k.ID {
		t.Errorf("the new code: %v", err)
	}
	if _, err := o.Reissue(t.Context(), o.as("handler-env"), k.ID); err == nil {
		t.Error("an agency reissued a code")
	}
	var stored bool
	if err := o.owner.QueryRow(t.Context(), `select exists (select from tickets t where t::text like '%' || $1 || '%')`, code).Scan(&stored); err != nil || stored {
		t.Errorf("the code is stored in clear: %v %v", stored, err)
	}
}

func TestReturnOnlyInsideTheSignWindowAndWithReason(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.dispatched()
	ctx := t.Context()
	_, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.RequestReturn, tickets.Fields{Reason: "not_responsible"}, "")
	var e *errs.Error
	if !errors.As(err, &e) || e.Code != tickets.ErrMissing.Code || e.Field != "basis" {
		t.Errorf("without a basis: %v", err)
	}
	if _, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.RequestReturn, tickets.Fields{Reason: "too lazy", Basis: "x"}, ""); !errors.Is(err, tickets.ErrBadField) {
		t.Errorf("an unknown reason: %v", err)
	}
	r := o.must("handler-env", k, tickets.RequestReturn, tickets.Fields{Reason: "not_responsible", Basis: "Article 5 of the catalogue"})
	r = o.must("dispatcher", r, tickets.ApproveReturn, tickets.Fields{})
	if r.State != tickets.PendingDispatch || r.Lead != uuid.Nil || len(r.Past) != 1 {
		t.Fatalf("%s %s %v", r.State, r.Lead, r.Past)
	}
	if _, err := o.Apply(ctx, o.as("dispatcher"), r.ID, r.Version, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]}, ""); !errors.Is(err, tickets.ErrReturnedBefore) {
		t.Errorf("sent back to where it came from: %v", err)
	}

	late := o.dispatched()
	o.clock.Advance(48 * time.Hour)
	if _, err := o.Apply(ctx, o.as("handler-env"), late.ID, late.Version, tickets.RequestReturn, tickets.Fields{Reason: "wrong_area", Basis: "map"}, ""); !errors.Is(err, tickets.ErrLateReturn) {
		t.Errorf("a late return: %v", err)
	}
	// Not a dead end: it asks for a transfer, and the citizen's clock runs on.
	late = o.must("handler-env", late, tickets.Sign, tickets.Fields{})
	promised := *late.PromisedAt
	late = o.must("handler-env", late, tickets.RequestTransfer, tickets.Fields{Reason: "not_responsible", Basis: "Article 5"})
	if late.State != tickets.InProgress || late.Queue() != tickets.QueueAsk {
		t.Fatalf("%s %s", late.State, late.Queue())
	}
	late = o.must("dispatcher", late, tickets.ApproveTransfer, tickets.Fields{})
	if late.State != tickets.PendingDispatch || !late.PromisedAt.Equal(promised) {
		t.Errorf("%s, promised %s and now %s", late.State, promised, late.PromisedAt)
	}
}

func TestAfterThreeDispatchesTheHotlineDesignates(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.file()
	back := tickets.Fields{Reason: "not_responsible", Basis: "catalogue"}
	for n, step := range []struct{ agency, user string }{{"dept-environment", "handler-env"}, {"dept-utilities", "handler-util"}, {"street-east-1", "handler-street"}} {
		k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies[step.agency]})
		k = o.must(step.user, k, tickets.RequestReturn, back)
		if n < 2 {
			if _, err := o.Apply(t.Context(), o.as("dispatcher"), k.ID, k.Version, tickets.Coordinate, tickets.Fields{}, ""); !errors.Is(err, tickets.ErrTooEarly) {
				t.Fatalf("coordination after %d: %v", n+1, err)
			}
			k = o.must("dispatcher", k, tickets.ApproveReturn, tickets.Fields{})
		}
	}
	if _, err := o.Apply(t.Context(), o.as("dispatcher"), k.ID, k.Version, tickets.ApproveReturn, tickets.Fields{}, ""); !errors.Is(err, tickets.ErrCoordinate) {
		t.Fatalf("a fourth round: %v", err)
	}
	k = o.must("dispatcher", k, tickets.Coordinate, tickets.Fields{})
	k = o.must("supervisor", k, tickets.Designate, tickets.Fields{Lead: o.city.Agencies["dept-environment"], Text: "Meeting of 10 March"})
	if _, err := o.Apply(t.Context(), o.as("handler-env"), k.ID, k.Version, tickets.RequestReturn, back, ""); !errors.Is(err, tickets.ErrDesignated) {
		t.Errorf("a designated agency returned it: %v", err)
	}
	if k = o.must("handler-env", k, tickets.Sign, tickets.Fields{}); k.State != tickets.InProgress {
		t.Error(k.State)
	}
}

func TestAnAppealIsDecidedOnceByAnotherOfficer(t *testing.T) {
	t.Parallel()
	o := open(t)
	refusal := tickets.Fields{Reason: "litigation", Basis: "Case 12 is before the court", RightChannel: "The district court"}
	k := o.must("dispatcher", o.file(), tickets.Refuse, refusal)
	if k.State != tickets.NotAccepted || k.Open() {
		t.Fatal(k.State)
	}
	k = o.must("citizen", k, tickets.Appeal, tickets.Fields{Text: "That is another case."})
	for _, a := range []tickets.Action{tickets.Accept, tickets.Refuse} {
		if _, err := o.Apply(t.Context(), o.as("dispatcher"), k.ID, k.Version, a, refusal, ""); !errors.Is(err, tickets.ErrSameOfficer) {
			t.Errorf("%s by the same officer: %v", a, err)
		}
	}
	k = o.must("supervisor", k, tickets.Refuse, refusal)
	if _, err := o.Apply(t.Context(), citizen(k), k.ID, k.Version, tickets.Appeal, tickets.Fields{Text: "Again."}, ""); !errors.Is(err, tickets.ErrAppealed) {
		t.Errorf("a second appeal: %v", err)
	}
	public, err := o.Timeline(t.Context(), citizen(k), k.ID)
	if err != nil {
		t.Fatal(err)
	}
	last := public[len(public)-1]
	if last.Data.RightChannel != "The district court" || last.Data.Basis == "" || last.UserID != uuid.Nil {
		t.Errorf("the citizen reads %+v", last)
	}
}

func TestExtensionIsAskedBeforeExpiryApprovedAndCapped(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.inProgress()
	promised := *k.PromisedAt
	if _, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.RequestExtend, tickets.Fields{Text: "Parts", Days: 6}, ""); !errors.Is(err, tickets.ErrExtensionLength) {
		t.Errorf("longer than the original: %v", err)
	}
	k = o.must("handler-env", k, tickets.RequestExtend, tickets.Fields{Text: "Waiting for parts", Days: 3})
	if _, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.ApproveExtend, tickets.Fields{}, ""); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("approved by oneself: %v", err)
	}
	k = o.must("dispatcher", k, tickets.ApproveExtend, tickets.Fields{})
	// Five working days from the 10th end on the 17th; three more on the 20th.
	if want := time.Date(2026, 3, 20, 17, 30, 0, 0, tuesday.Location()); !k.PromisedAt.Equal(want) || !promised.Before(want) {
		t.Errorf("extended from %s to %s", promised, k.PromisedAt)
	}
	events, _ := o.Timeline(ctx, citizen(k), k.ID)
	if last := events[len(events)-1]; last.Type != "approve_extension" || last.Data.DueAt == nil || last.Data.Text != "" {
		t.Errorf("the citizen is told %+v", last)
	}
	if _, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.RequestExtend, tickets.Fields{Text: "More", Days: 1}, ""); !errors.Is(err, tickets.ErrExtensionCap) {
		t.Errorf("a second extension: %v", err)
	}
	late := o.inProgress()
	o.clock.Advance(30 * 24 * time.Hour)
	if _, err := o.Apply(ctx, o.as("handler-env"), late.ID, late.Version, tickets.RequestExtend, tickets.Fields{Text: "x", Days: 1}, ""); !errors.Is(err, tickets.ErrExpired) {
		t.Errorf("after expiry: %v", err)
	}
}

func TestWaitingForTheCitizenPausesTheClockAndNeverMovesItEarlier(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	before := *k.PromisedAt
	k = o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Which floor?"})
	o.clock.Advance(48 * time.Hour) // Thursday 10:00
	k = o.must("citizen", k, tickets.CitizenReply, tickets.Fields{Text: "The third."})
	// Paused on Tuesday 10:00 with 6 + 5×7 working hours left until Tuesday 17th 17:30; resumed on Thursday 10:00.
	if want := time.Date(2026, 3, 19, 17, 30, 0, 0, tuesday.Location()); !k.PromisedAt.Equal(want) {
		t.Errorf("resumed to %s, want %s (was %s)", k.PromisedAt, want, before)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.file()
	lead := tickets.Fields{Lead: o.city.Agencies["dept-environment"]}
	for _, user := range []string{"operator", "administrator"} {
		if _, err := o.Apply(ctx, o.as(user), k.ID, k.Version, tickets.Dispatch, lead, ""); !errors.Is(err, tickets.ErrForbidden) {
			t.Errorf("%s dispatched: %v", user, err)
		}
	}
	// Not the lead's yet: the agency does not even learn that it exists.
	if _, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.Sign, tickets.Fields{}, ""); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := o.Apply(ctx, citizen(k), k.ID, k.Version, tickets.Dispatch, lead, ""); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("the citizen dispatched: %v", err)
	}
	for _, bad := range []uuid.UUID{o.city.Agencies["hotline"], uuid.New()} {
		if _, err := o.Apply(ctx, o.as("dispatcher"), k.ID, k.Version, tickets.Dispatch, tickets.Fields{Lead: bad}, ""); !errors.Is(err, tickets.ErrUnknownAgency) {
			t.Errorf("dispatched to %s: %v", bad, err)
		}
	}
	k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"], Co: []uuid.UUID{o.city.Agencies["street-east-1"]}})
	// A co-agency sees it but does not sign for it; the lead's role does not count at the hotline either.
	for _, user := range []string{"handler-street", "dispatcher"} {
		if _, err := o.Apply(ctx, o.as(user), k.ID, k.Version, tickets.Sign, tickets.Fields{}, ""); !errors.Is(err, tickets.ErrForbidden) {
			t.Errorf("%s signed: %v", user, err)
		}
	}
	k = o.must("handler-env", k, tickets.Sign, tickets.Fields{})
	if _, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.CoReply, tickets.Fields{Text: "x"}, ""); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("the lead answered as co-agency: %v", err)
	}
	k = o.must("handler-street", k, tickets.CoReply, tickets.Fields{Text: "We measured 70 dB."})
	k = o.must("handler-env", k, tickets.Reply, answer())
	k = o.must("operator", k, tickets.Complete, tickets.Fields{})
	// The console offers what the table allows, and nothing else.
	var offered []string
	for _, m := range o.Moves(o.as("operator"), k) {
		offered = append(offered, string(m.Name))
	}
	if got := strings.Join(offered, " "); got != "start_revisit reopen add_information" {
		t.Errorf("offered: %s", got)
	}
	if moves := o.Moves(o.as("handler-util"), k); len(moves) != 0 {
		t.Errorf("a stranger is offered %v", moves)
	}
}

func TestAStaleFormIsToldWhatHappened(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Where?"})
	_, err := o.Apply(t.Context(), o.as("head-env"), k.ID, k.Version, tickets.Reply, answer(), "")
	var e *errs.Error
	if !errors.As(err, &e) || e.Code != tickets.ErrStale.Code || errs.KindOf(err) != errs.Conflict {
		t.Fatalf("%v", err)
	}
	if e.Args["action"] != "ask_citizen" || e.Args["user"] != o.city.Users["handler-env"].String() || e.Args["state"] != "awaiting_citizen" || e.Args["at"] == nil {
		t.Errorf("told %v", e.Args)
	}
}

func TestADoubleSubmitHappensOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.dispatched()
	first, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.Sign, tickets.Fields{}, "form-1")
	if err != nil {
		t.Fatal(err)
	}
	second, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.Sign, tickets.Fields{}, "form-1")
	if err != nil || second.Version != first.Version || second.State != first.State {
		t.Errorf("the second submit: %v", err)
	}
	if _, err := o.Apply(ctx, o.as("handler-env"), k.ID, first.Version, tickets.Reply, answer(), "form-1"); !errors.Is(err, tickets.ErrKeyReused) {
		t.Errorf("the key for something else: %v", err)
	}
	for range 2 {
		if _, err := o.Note(ctx, o.as("handler-env"), k.ID, "Called the site.", "note-1"); err != nil {
			t.Fatal(err)
		}
	}
	events, _ := o.Timeline(ctx, o.as("handler-env"), k.ID)
	if got := path(events); got != "opened accept queue dispatch sign note" {
		t.Error(got)
	}
	public, _ := o.Timeline(ctx, citizen(k), k.ID)
	if strings.Contains(path(public), "note") || strings.Contains(path(public), "queue") {
		t.Errorf("the citizen sees %s", path(public))
	}
}

func TestTakingAndAssigning(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.dispatched()
	me, other := o.city.Users["handler-env"], o.city.Users["cleared-env"]
	k, err := o.Assign(ctx, o.as("handler-env"), k.ID, k.Version, me, "")
	if err != nil || k.Assignee != me {
		t.Fatal(err)
	}
	if _, err := o.Assign(ctx, o.as("cleared-env"), k.ID, k.Version, other, ""); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("taken from a colleague: %v", err)
	}
	if k, err = o.Assign(ctx, o.as("head-env"), k.ID, k.Version, other, ""); err != nil || k.Assignee != other {
		t.Errorf("given by the head: %v", err)
	}
	for _, bad := range []uuid.UUID{uuid.New(), o.city.Users["handler-util"]} {
		if _, err := o.Assign(ctx, o.as("head-env"), k.ID, k.Version, bad, ""); !errors.Is(err, tickets.ErrUnknownUser) {
			t.Errorf("given to a stranger: %v", err)
		}
	}
	if _, err := o.Assign(ctx, o.as("dispatcher"), k.ID, k.Version, o.city.Users["dispatcher"], ""); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("the hotline took an agency's ticket: %v", err)
	}
}

func TestOneRatingAndABadOneOpensARectification(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.inProgress()
	if _, err := o.Rate(ctx, citizen(k), k.ID, tickets.Rating{Grade: 1}); !errors.Is(err, tickets.ErrNotRatable) {
		t.Errorf("before the answer: %v", err)
	}
	k = o.must("handler-env", k, tickets.Reply, answer())
	for _, g := range []int{0, 6, -1} {
		if _, err := o.Rate(ctx, citizen(k), k.ID, tickets.Rating{Grade: g}); !errors.Is(err, tickets.ErrBadField) {
			t.Errorf("grade %d: %v", g, err)
		}
	}
	if _, err := o.Rate(ctx, o.as("handler-env"), k.ID, tickets.Rating{Grade: 1}); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("the handler rated: %v", err)
	}
	rated, err := o.Rate(ctx, citizen(k), k.ID, tickets.Rating{Grade: 1, Text: "Still loud", Resolved: no()})
	if err != nil || rated.CitizenResolved == nil || *rated.CitizenResolved || !*rated.AgencyResolved {
		t.Fatalf("%v %+v", err, rated)
	}
	if _, err := o.Rate(ctx, citizen(k), k.ID, tickets.Rating{Grade: 1}); !errors.Is(err, tickets.ErrRated) {
		t.Errorf("twice: %v", err)
	}
	k = o.must("operator", k, tickets.Complete, tickets.Fields{})
	if _, err := o.Apply(ctx, o.as("operator"), k.ID, k.Version, tickets.Close, tickets.Fields{}, ""); !errors.Is(err, tickets.ErrUnsatisfied) {
		t.Errorf("closed over the citizen's no: %v", err)
	}
	k = o.must("operator", k, tickets.StartRevisit, tickets.Fields{})
	k = o.must("operator", k, tickets.RequestExclude, tickets.Fields{Reason: "untrue", Basis: "Measured twice at night: within the limits."})
	k = o.must("supervisor", k, tickets.ApproveExclude, tickets.Fields{Text: "We measured again and found the site within its limits."})
	clocks, _ := o.Clocks(ctx, o.as("supervisor"), k.ID)
	var runs bool
	for _, c := range clocks {
		runs = runs || c.Name == string(sla.Rectify) && !c.Stopped
	}
	if !runs {
		t.Error("the rectification ended with the case")
	}
	if r, ok, err := o.RatingOf(ctx, o.as("supervisor"), k.ID); err != nil || !ok || r.Grade != 1 || !r.Negative() {
		t.Errorf("%+v %v %v", r, ok, err)
	}
}

func TestTheReplyReachesEveryMergedReporter(t *testing.T) {
	t.Parallel()
	o := open(t)
	type told struct {
		ticket uuid.UUID
		event  string
	}
	var heard []told
	o.OnPublic(func(_ context.Context, _ db.Tx, k tickets.Ticket, e tickets.Event) error {
		heard = append(heard, told{k.ID, e.Type})
		return nil
	})
	parent := o.inProgress()
	child := o.file()
	if _, err := o.Apply(t.Context(), o.as("dispatcher"), child.ID, child.Version, tickets.Merge, tickets.Fields{Parent: uuid.New()}, ""); !errors.Is(err, tickets.ErrBadField) {
		t.Errorf("merged into nothing: %v", err)
	}
	child = o.must("dispatcher", child, tickets.Merge, tickets.Fields{Parent: parent.ID})
	heard = nil
	o.must("handler-env", parent, tickets.Reply, answer())
	if len(heard) != 2 || heard[0] != (told{parent.ID, "reply"}) || heard[1] != (told{child.ID, "parent_reply"}) {
		t.Errorf("told: %v", heard)
	}
	events, _ := o.Timeline(t.Context(), citizen(child), child.ID)
	if last := events[len(events)-1]; last.Type != "parent_reply" || last.Data.Text != answer().Text || last.Data.Parent != uuid.Nil {
		t.Errorf("the child's reporter reads %+v", last)
	}
}

func TestBadDraftsAreRefused(t *testing.T) {
	t.Parallel()
	o := open(t)
	lat := 95.0
	for name, tt := range map[string]struct {
		edit func(*tickets.Draft)
		want error
	}{
		"kind":     {func(d *tickets.Draft) { d.Kind = "rant" }, tickets.ErrBadField},
		"empty":    {func(d *tickets.Draft) { d.Description = " \n" }, tickets.ErrMissing},
		"long":     {func(d *tickets.Draft) { d.Description = strings.Repeat("长", tickets.MaxText+1) }, tickets.ErrTooLong},
		"utf8":     {func(d *tickets.Draft) { d.Description = "a\xff" }, tickets.ErrBadField},
		"nul":      {func(d *tickets.Draft) { d.Title = "a\x00" }, tickets.ErrBadField},
		"category": {func(d *tickets.Draft) { d.Category = "nonsense" }, tickets.ErrUnknownCategory},
		"urgency":  {func(d *tickets.Draft) { d.Urgency = "yesterday" }, tickets.ErrBadField},
		"place":    {func(d *tickets.Draft) { d.Lat = &lat; d.Lon = &lat }, tickets.ErrBadField},
		"half":     {func(d *tickets.Draft) { d.Lat = &lat }, tickets.ErrBadField},
	} {
		d := o.draft()
		d.ConversationID = o.conversation()
		tt.edit(&d)
		err := db.WithTx(t.Context(), o.pool, db.System(), func(tx db.Tx) error {
			_, err := o.OpenTx(t.Context(), tx, d)
			return err
		})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var n int
	if err := o.owner.QueryRow(t.Context(), `select count(*) from tickets`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d tickets, %v", n, err)
	}
}
