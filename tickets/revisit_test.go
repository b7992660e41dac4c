package tickets_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
	"hotline/tickets/sla"
)

// completed is a case whose answer the hotline has accepted.
func (o *office) completed(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	k := o.must("handler-env", o.dispatched(edit...), tickets.Sign, tickets.Fields{})
	k = o.must("handler-env", k, tickets.Reply, answer())
	return o.must("operator", k, tickets.Complete, tickets.Fields{})
}

func (o *office) again(t tickets.Ticket) tickets.Ticket {
	o.Helper()
	k, err := o.ByID(o.Context(), tickets.System(), t.ID)
	if err != nil {
		o.Fatal(err)
	}
	return k
}

// nextTry moves the clock to the next automatic try and sweeps.
func (o *office) nextTry(t tickets.Ticket) tickets.Ticket {
	o.Helper()
	for _, c := range must(o.Clocks(o.Context(), tickets.System(), t.ID)) {
		if c.Name == string(sla.RevisitTry) && !c.Stopped {
			o.clock.Set(c.DueAt)
			o.sweep()
			return o.again(t)
		}
	}
	o.Fatal("no try is to come")
	return t
}

func (o *office) history(t tickets.Ticket) string {
	return path(must(o.Timeline(o.Context(), tickets.System(), t.ID)))
}

func TestTheCitizenIsAskedByMessageThreeTimesAndThenTheCaseIsClosed(t *testing.T) {
	t.Parallel()
	o := open(t)
	var asked int
	o.OnPublic(func(_ context.Context, _ db.Tx, _ tickets.Ticket, e tickets.Event) error {
		if e.Type == string(tickets.AskRevisit) {
			asked++
		}
		return nil
	})
	k := o.completed()
	o.sweep()
	if o.again(k).State != tickets.Completed {
		t.Fatal("asked at once: the citizen has hardly read the answer")
	}
	for try := 1; try <= 3; try++ {
		if k = o.nextTry(k); k.State != tickets.Revisiting || k.Revisits != try || asked != try {
			t.Fatalf("try %d: %s after %d tries, asked %d times", try, k.State, k.Revisits, asked)
		}
	}
	if k = o.nextTry(k); k.State != tickets.Closed || k.CitizenResolved != nil {
		t.Fatalf("after the last try: %s", k.State)
	}
	if want := "start_revisit ask_revisit ask_revisit ask_revisit close"; !strings.HasSuffix(o.history(k), want) {
		t.Errorf("history %s", o.history(k))
	}
}

func TestASatisfiedCitizenEndsTheCaseAndRatesItWithOneAnswer(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.nextTry(o.completed())
	if _, err := o.AnswerRevisit(t.Context(), citizen(k), k.ID, tickets.Rating{Grade: 5}); !errors.Is(err, tickets.ErrMissing) {
		t.Errorf("without a word on whether it is solved: %v", err)
	}
	if _, err := o.AnswerRevisit(t.Context(), o.as("handler-env"), k.ID, tickets.Rating{Grade: 5, Resolved: yes()}); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("the handler answered for the citizen: %v", err)
	}
	k, err := o.AnswerRevisit(t.Context(), citizen(k), k.ID, tickets.Rating{Grade: 5, Resolved: yes(), Text: "Quiet at last."})
	if err != nil || k.Grade != 5 || k.Satisfaction != 5 {
		t.Fatalf("%+v %v", k, err)
	}
	o.sweep()
	if k = o.again(k); k.State != tickets.Closed || !*k.CitizenResolved {
		t.Errorf("%s", k.State)
	}
	if r, ok, _ := o.RatingOf(t.Context(), o.as("supervisor"), k.ID); !ok || r.Grade != 5 || r.Text != "Quiet at last." {
		t.Errorf("%+v", r)
	}
}

func TestAnUnsatisfiedCitizensCaseIsReopenedOrExcludedButNeverJustClosed(t *testing.T) {
	t.Parallel()
	o := open(t)
	unsatisfied := func() tickets.Ticket {
		k := o.nextTry(o.completed())
		k, err := o.AnswerRevisit(t.Context(), citizen(k), k.ID, tickets.Rating{Grade: 2, Resolved: no()})
		if err != nil {
			t.Fatal(err)
		}
		o.refused(o.as("supervisor"), k, tickets.Close, tickets.Fields{}, tickets.ErrUnsatisfied)
		return k
	}
	k := unsatisfied()
	o.clock.Advance(60 * 24 * time.Hour)
	o.sweep()
	o.sweep()
	if k = o.again(k); k.State != tickets.Revisiting {
		t.Fatalf("time alone made it %s", k.State)
	}
	if !contains(o.notices("dunning"), "hotline supervisor") && !contains(o.notices("criticism"), "hotline supervisor") {
		t.Error("the decision has no clock")
	}
	k = o.must("operator", k, tickets.Reopen, tickets.Fields{Text: "The citizen says it is still loud."})
	if k.State != tickets.Reopened || k.CitizenResolved != nil || k.Satisfaction != 0 {
		t.Errorf("%+v", k)
	}

	k = unsatisfied()
	o.refused(o.as("operator"), k, tickets.RequestExclude, tickets.Fields{Reason: "because", Basis: "b"}, tickets.ErrBadField)
	k = o.must("supervisor", k, tickets.RequestExclude, tickets.Fields{Reason: "unlawful_demand", Basis: "Building code, section 4."})
	if k.Queue() != tickets.QueueAsk {
		t.Errorf("waits in %q", k.Queue())
	}
	o.refused(o.as("supervisor"), k, tickets.ApproveExclude, tickets.Fields{Text: "yes"}, tickets.ErrSameOfficer)
	other := o.member("hotline", "supervisor")
	other.DB = db.Staff(uuid.New(), o.city.Agencies["hotline"], true, false)
	refused := o.apply(other, k, tickets.RefuseExclude, tickets.Fields{Text: "The demand is lawful."})
	if refused.State != tickets.Reopened || refused.Excluded || refused.Ask != "" {
		t.Errorf("%+v", refused)
	}

	k = unsatisfied()
	k = o.must("operator", k, tickets.RequestExclude, tickets.Fields{Reason: "unlawful_demand", Basis: "Building code, section 4."})
	k = o.must("supervisor", k, tickets.ApproveExclude, tickets.Fields{Text: "The law does not allow it."})
	if k.State != tickets.Closed || !k.Excluded {
		t.Errorf("%+v", k)
	}
	events := must(o.Timeline(t.Context(), citizen(k), k.ID))
	last := events[len(events)-1]
	if last.Type != string(tickets.ApproveExclude) || last.Data.Reason != "unlawful_demand" || last.Data.Basis == "" || last.UserID != uuid.Nil {
		t.Errorf("the citizen reads %+v", last)
	}
}

func TestWhoCannotBeWrittenToIsOnTheCallList(t *testing.T) {
	t.Parallel()
	o := open(t)
	contact := db.NewID()
	if _, err := o.owner.Exec(t.Context(), `insert into contacts (id, name, phone) values ($1, 'Li', '555')`, contact); err != nil {
		t.Fatal(err)
	}
	byForm := func(d *tickets.Draft) { d.Channel, d.ContactID = "portal", &contact }
	k := o.completed(byForm)
	asked := o.nextTry(o.completed()) // a citizen on the web chat is asked there
	if k = o.again(k); k.State != tickets.Completed || !contains(o.notices("revisit_call"), "hotline operator") {
		t.Fatalf("%s, told %v", k.State, o.notices("revisit_call"))
	}
	calls, next, err := o.CallList(t.Context(), o.as("operator"), "", 10)
	if err != nil || next != "" || len(calls) != 1 || calls[0].ID != k.ID || calls[0].LastTry != nil {
		t.Fatalf("%+v %v", calls, err)
	}
	if _, _, err := o.CallList(t.Context(), o.as("handler-env"), "", 10); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("an agency reads the call list: %v", err)
	}
	k = o.must("operator", k, tickets.StartRevisit, tickets.Fields{})
	for range 3 {
		k = o.must("operator", k, tickets.RevisitAttempt, tickets.Fields{Reached: no()})
		o.clock.Advance(3 * time.Hour)
	}
	o.refused(o.as("operator"), k, tickets.RevisitAttempt, tickets.Fields{Reached: no()}, tickets.ErrRevisits)
	// Nobody has to call any more, and nobody has to remember to close it.
	if calls, _, _ := o.CallList(t.Context(), o.as("operator"), "", 10); len(calls) != 0 {
		t.Errorf("%+v", calls)
	}
	o.sweep()
	if k = o.again(k); k.State != tickets.Closed {
		t.Errorf("after three calls it is %s", k.State)
	}
	// Two pages of one.
	for range 2 {
		o.completed(byForm)
	}
	o.nextTry(o.completed())
	first, next, err := o.CallList(t.Context(), o.as("operator"), "", 1)
	if err != nil || len(first) != 1 || next == "" {
		t.Fatalf("%v %q %v", first, next, err)
	}
	second, next, err := o.CallList(t.Context(), o.as("operator"), next, 1)
	if err != nil || len(second) != 1 || second[0].ID == first[0].ID || next != "" {
		t.Errorf("%v %q %v", second, next, err)
	}
	_ = asked
}

func TestARectificationIsAnsweredAndRatedAgain(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.completed()
	rate := func(g int) (tickets.Ticket, error) { return o.Rate(ctx, citizen(k), k.ID, tickets.Rating{Grade: g}) }
	k, err := rate(2)
	if err != nil || k.Rectify != "open" {
		t.Fatalf("%+v %v", k, err)
	}
	if _, err := rate(5); !errors.Is(err, tickets.ErrRated) {
		t.Errorf("rated again before anything was set right: %v", err)
	}
	rows, _, err := o.Rectifications(ctx, o.as("handler-env"), "", 10)
	if err != nil || len(rows) != 1 || rows[0].Agency != k.Lead || rows[0].Grade != 2 || rows[0].Light(o.clock.Now(), .25) != sla.Green {
		t.Fatalf("%+v %v", rows, err)
	}
	if rows, _, err := o.Rectifications(ctx, o.as("handler-util"), "", 10); err != nil || len(rows) != 0 {
		t.Errorf("another agency sees it: %+v %v", rows, err)
	}
	for _, who := range []string{"handler-util", "supervisor"} {
		if _, err := o.Rectify(ctx, o.as(who), k.ID, "done", ""); !errors.Is(err, tickets.ErrForbidden) && !errors.Is(err, tickets.ErrNotFound) {
			t.Errorf("%s answered it: %v", who, err)
		}
	}
	// It runs on when the case is closed, and climbs its ladder.
	k = o.must("operator", o.must("operator", o.again(k), tickets.StartRevisit, tickets.Fields{}), tickets.RevisitDone, tickets.Fields{Resolved: yes(), Satisfaction: 3})
	o.must("operator", k, tickets.Close, tickets.Fields{})
	o.clock.Advance(8 * 24 * time.Hour)
	o.sweep()
	if !contains(o.notices("dunning"), "dept-environment head") {
		t.Errorf("nobody was told that it is overdue: %v %v", o.notices("notice"), o.notices("dunning"))
	}
	k, err = o.Rectify(ctx, o.as("handler-env"), k.ID, "The machine was sealed.", "once")
	if err != nil || k.Rectify != "answered" {
		t.Fatalf("%+v %v", k, err)
	}
	if same, err := o.Rectify(ctx, o.as("handler-env"), k.ID, "The machine was sealed.", "once"); err != nil || same.Rectify != "answered" {
		t.Errorf("sent twice: %v", err)
	}
	if _, err := o.Rectify(ctx, o.as("handler-env"), k.ID, "Again.", ""); !errors.Is(err, tickets.ErrNoRectification) {
		t.Errorf("answered twice: %v", err)
	}
	if r, ok, err := o.RectificationOf(ctx, citizen(k), k.ID); err != nil || !ok || r.Text != "The machine was sealed." {
		t.Errorf("the citizen reads %+v %v", r, err)
	}
	if k, err = rate(4); err != nil || k.Rectify != "done" || k.Grade != 4 {
		t.Fatalf("%+v %v", k, err)
	}
	if _, err := rate(1); !errors.Is(err, tickets.ErrRated) {
		t.Errorf("a third word: %v", err)
	}
	if rows, _, _ := o.Rectifications(ctx, o.as("supervisor"), "", 10); len(rows) != 0 {
		t.Errorf("still listed: %+v", rows)
	}
	if !strings.HasSuffix(o.history(k), "rectified rated") {
		t.Errorf("history %s", o.history(k))
	}
	if err := o.VerifyHistory(ctx, tickets.System(), k.ID); err != nil {
		t.Error(err)
	}
}

func TestAnAssessmentLinkRatesOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.inProgress()
	if _, err := o.AssessmentLink(ctx, o.as("operator"), k.ID); !errors.Is(err, tickets.ErrNotRatable) {
		t.Errorf("before the answer: %v", err)
	}
	k = o.must("handler-env", k, tickets.Reply, answer())
	// Whoever answered, and their agency, would rate themselves with it.
	for _, who := range []string{"handler-env", "head-env", "dispatcher"} {
		if _, err := o.AssessmentLink(ctx, o.as(who), k.ID); !errors.Is(err, tickets.ErrForbidden) || o.MayLink(o.as(who), k) {
			t.Errorf("%s: %v", who, err)
		}
	}
	direct := o.must("operator", o.file(), tickets.AnswerDirectly, answer())
	if _, err := o.AssessmentLink(ctx, o.as("operator"), direct.ID); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("the operator of an own answer: %v", err)
	}
	token, err := o.AssessmentLink(ctx, o.as("operator"), k.ID)
	if err != nil || len(token) != 22 {
		t.Fatalf("%q %v", token, err)
	}
	if got, err := o.ByAssessmentLink(ctx, token); err != nil || got.ID != k.ID {
		t.Errorf("%v", err)
	}
	if _, err := o.RateByLink(ctx, token, tickets.Rating{Grade: 9}); !errors.Is(err, tickets.ErrBadField) {
		t.Errorf("%v", err)
	}
	if _, err := o.RateByLink(ctx, token, tickets.Rating{Grade: 4, Text: "ok"}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{token, "", "x", strings.Repeat("A", 43)} {
		if _, err := o.RateByLink(ctx, bad, tickets.Rating{Grade: 4}); !errors.Is(err, tickets.ErrLinkUsed) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := o.ByAssessmentLink(ctx, bad); !errors.Is(err, tickets.ErrLinkUsed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// A link that comes too late, because the citizen has rated elsewhere, is not used up by the error.
	k2 := o.must("handler-env", o.inProgress(), tickets.Reply, answer())
	token, _ = o.AssessmentLink(ctx, o.as("operator"), k2.ID)
	if _, err := o.Rate(ctx, citizen(k2), k2.ID, tickets.Rating{Grade: 5}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.RateByLink(ctx, token, tickets.Rating{Grade: 1}); !errors.Is(err, tickets.ErrRated) {
		t.Errorf("%v", err)
	}
	if _, err := o.AssessmentLink(ctx, o.as("operator"), k2.ID); !errors.Is(err, tickets.ErrRated) {
		t.Errorf("a link for what is rated: %v", err)
	}
	o.clock.Advance(31 * 24 * time.Hour)
	if _, err := o.RateByLink(ctx, token, tickets.Rating{Grade: 1}); !errors.Is(err, tickets.ErrLinkUsed) {
		t.Errorf("an old link: %v", err)
	}
	var kept bool
	if err := o.owner.QueryRow(ctx, `select exists (select from assessment_links where encode(hash, 'base64') like '%' || $1 || '%')`, token[:20]).Scan(&kept); err != nil || kept {
		t.Errorf("the token is stored: %v", err)
	}
}
