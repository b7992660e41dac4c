package tickets_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
	"hotline/tickets/sla"
)

// The games that can be played with clocks. Each has to give a typed error, or to gain no time.

func TestAskingBackAgainAndAgainPausesForFiveDaysInAll(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	calendar, _, err := sla.Shipped("cn")
	if err != nil {
		t.Fatal(err)
	}
	before := *k.PromisedAt
	for range 10 {
		next, err := o.Apply(t.Context(), o.as("handler-env"), k.ID, k.Version, tickets.AskCitizen, tickets.Fields{Text: "And which floor?"}, "")
		if errors.Is(err, tickets.ErrPauseSpent) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		o.clock.Advance(2 * 24 * time.Hour)
		o.sweep()
		k, _ = o.ByID(t.Context(), o.as("handler-env"), k.ID)
		if next.State == tickets.AwaitingCitizen && k.State == tickets.AwaitingCitizen {
			k = o.must("handler-env", k, tickets.Resume, tickets.Fields{})
		}
	}
	// Five working days of seven hours, and what was left of the first day.
	if gained := calendar.WorkingBetween(before, *k.PromisedAt); gained > 6*7*time.Hour {
		t.Errorf("asking back gained %s of working time: from %s to %s", gained, before, k.PromisedAt)
	}
	o.refused(o.as("handler-env"), k, tickets.AskCitizen, tickets.Fields{Text: "Once more?"}, tickets.ErrPauseSpent)
	// The wait that is cut short by the cap ends by itself then.
	if k.State != tickets.InProgress {
		t.Errorf("still %s", k.State)
	}
}

func TestTheWaitEndsWhenThePauseIsSpent(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	k = o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Which floor?"})
	o.at("2026-03-13 10:00") // three working days of the five
	k = o.must("citizen", k, tickets.CitizenReply, tickets.Fields{Text: "The third."})
	k = o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "And which side?"})
	// Five working days from Friday 13th end on the 20th at 17:30; three of them are used: four hours on the 17th.
	o.at("2026-03-18 09:00")
	o.sweep()
	if k, _ = o.ByID(t.Context(), o.as("handler-env"), k.ID); k.State != tickets.InProgress {
		t.Errorf("the wait goes on past the cap: %s", k.State)
	}
}

func TestAnOverdueCaseDoesNotHideBehindAQuestion(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	o.at("2026-03-18 10:00") // due on the 17th
	o.sweep()
	k, _ = o.ByID(t.Context(), o.as("handler-env"), k.ID)
	k = o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Which floor?"})
	if k.Light(o.clock.Now()) != sla.Red {
		t.Errorf("the light of an overdue case is %s while a question is open", k.Light(o.clock.Now()))
	}
	o.at("2026-03-24 17:31")
	o.sweep()
	if k, _ = o.ByID(t.Context(), o.as("supervisor"), k.ID); !k.Supervised {
		t.Error("an overdue case was not criticized after five working days, because a question was open")
	}
}

func TestAnExtensionIsForTheFirstAnswerOnly(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.must("handler-env", o.inProgress(), tickets.Reply, answer())
	k = o.must("operator", k, tickets.Reopen, tickets.Fields{Text: "This does not answer the question."})
	k = o.must("handler-env", k, tickets.TakeUp, tickets.Fields{})
	// The promise of the first answer lies ahead still; there is no clock that an extension could move.
	o.refused(o.as("handler-env"), k, tickets.RequestExtend, tickets.Fields{Text: "More time", Days: 2}, tickets.ErrNoExtension)
	for _, m := range o.Moves(o.as("handler-env"), k) {
		if m.Name == tickets.RequestExtend {
			t.Error("the extension is offered all the same")
		}
	}
}

func TestHandingOverOpensNoNewWindowToReturn(t *testing.T) {
	t.Parallel()
	o := open(t)
	street := o.city.Agencies["street-east-1"]
	back := tickets.Fields{Reason: "not_responsible", Basis: "The harbour's."}
	head := o.member("dist-east", "head")
	// Signed for, so the window is over; a street that gets it afterwards cannot return it to the hotline.
	k := o.apply(head, o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dist-east"]}), tickets.Sign, tickets.Fields{})
	k = o.apply(head, k, tickets.HandDown, tickets.Fields{Lead: street})
	o.refused(o.as("handler-street"), k, tickets.RequestReturn, back, tickets.ErrLateReturn)
	// Nor after it was handed down before, and up again, and signed for then.
	k = o.must("handler-street", k, tickets.HandUp, tickets.Fields{Text: "The district's machines."})
	k = o.apply(head, o.apply(head, k, tickets.Sign, tickets.Fields{}), tickets.HandDown, tickets.Fields{Lead: street})
	o.refused(o.as("handler-street"), k, tickets.RequestReturn, back, tickets.ErrLateReturn)
	// A return that was refused is not asked for until somebody gives in.
	k = o.must("handler-env", o.dispatched(), tickets.RequestReturn, back)
	o.at("2026-03-12 09:00")
	k = o.must("dispatcher", k, tickets.RefuseReturn, tickets.Fields{Text: "It is yours."})
	if !k.SignDueAt.After(o.clock.Now()) {
		t.Errorf("no time left to sign: %s", k.SignDueAt)
	}
	o.refused(o.as("handler-env"), k, tickets.RequestReturn, back, tickets.ErrLateReturn)
	o.at("2026-03-10 10:00")
	// Handed down on the last afternoon: the window is the hotline's, and ends when it would have ended.
	k = o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dist-east"]})
	window := *k.SignDueAt
	o.at("2026-03-11 16:00")
	k = o.apply(head, k, tickets.HandDown, tickets.Fields{Lead: street})
	if !k.SignDueAt.After(window) {
		t.Errorf("the street has no time of its own to sign: %s", k.SignDueAt)
	}
	o.at("2026-03-12 09:00")
	o.refused(o.as("handler-street"), k, tickets.RequestReturn, back, tickets.ErrLateReturn)
	// Inside the window it may; and a new dispatch is a new window.
	o.at("2026-03-10 10:00")
	k = o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dist-east"]})
	k = o.apply(head, k, tickets.HandDown, tickets.Fields{Lead: street})
	k = o.must("handler-street", k, tickets.RequestReturn, back)
	o.at("2026-03-12 09:00")
	k = o.must("dispatcher", k, tickets.ApproveReturn, tickets.Fields{})
	k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]})
	o.must("handler-env", k, tickets.RequestReturn, back)
}

func TestATicketIsNotHandedToAndFroUnsigned(t *testing.T) {
	t.Parallel()
	o := open(t)
	street := o.city.Agencies["street-east-1"]
	head := o.member("dist-east", "head")
	k := o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dist-east"]})
	k = o.apply(head, k, tickets.HandDown, tickets.Fields{Lead: street})
	k = o.must("handler-street", k, tickets.HandUp, tickets.Fields{Text: "Not in our street."})
	o.refused(head, k, tickets.HandDown, tickets.Fields{Lead: street}, tickets.ErrHandedUp)
	k = o.apply(head, k, tickets.Sign, tickets.Fields{})
	k = o.apply(head, k, tickets.HandDown, tickets.Fields{Lead: street})
	if k.Lead != street {
		t.Errorf("led by %s", k.Lead)
	}
}

func TestGoingOutAndComingBackGivesNoTime(t *testing.T) {
	t.Parallel()
	o := open(t)
	calendar, _, err := sla.Shipped("cn")
	if err != nil {
		t.Fatal(err)
	}
	k := o.file()
	promised := *k.PromisedAt
	o.at("2026-03-16 10:00")
	left := calendar.WorkingBetween(o.clock.Now(), promised)
	k = o.must("dispatcher", k, tickets.TransferOut, tickets.Fields{TransferTo: "110"})
	o.clock.Advance(2 * time.Hour)
	k = o.must("dispatcher", k, tickets.TakeBack, tickets.Fields{Text: "Not theirs."})
	if got := calendar.WorkingBetween(o.clock.Now(), *k.PromisedAt); got > left || k.PromisedAt.Before(promised) {
		t.Errorf("%s were left when it went out, %s when it came back", left, got)
	}
	// An answer on the spot that the citizen contests stops the clock no longer than it stood.
	k = o.must("dispatcher", k, tickets.AnswerDirectly, tickets.Fields{Text: "The office opens at nine.", Outcome: "explained"})
	o.clock.Advance(20 * time.Minute)
	k = o.must("citizen", k, tickets.NotAnswered, tickets.Fields{Text: "That is no answer."})
	if got := calendar.WorkingBetween(o.clock.Now(), *k.PromisedAt); got > left {
		t.Errorf("%s were left, %s after a direct answer", left, got)
	}
}

func TestStaffWithdrawOnlyWithAReason(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	o.refused(o.as("operator"), k, tickets.Withdraw, tickets.Fields{}, tickets.ErrMissing)
	o.must("operator", k, tickets.Withdraw, tickets.Fields{Text: "The citizen called: the noise is over."})
	o.must("citizen", o.inProgress(), tickets.Withdraw, tickets.Fields{})
}

func TestThreeTriesOfTheRevisitAreNotThreeClicks(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.must("operator", o.must("handler-env", o.inProgress(), tickets.Reply, answer()), tickets.Complete, tickets.Fields{})
	k = o.must("operator", k, tickets.StartRevisit, tickets.Fields{})
	unreached := tickets.Fields{Reached: no(), Text: "Nobody picked up."}
	k = o.must("operator", k, tickets.RevisitAttempt, unreached)
	o.refused(o.as("operator"), k, tickets.RevisitAttempt, unreached, tickets.ErrRevisitSoon)
	k = o.must("operator", k, tickets.AskRevisit, tickets.Fields{}) // a message after a call is another way to reach them
	o.refused(o.as("operator"), k, tickets.AskRevisit, tickets.Fields{}, tickets.ErrRevisitSoon)
	o.clock.Advance(2 * time.Hour)
	k = o.must("operator", k, tickets.RevisitAttempt, unreached)
	o.must("operator", k, tickets.Close, tickets.Fields{})
}

func TestACompletedCaseIsNotClosedPastTheCitizen(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.must("operator", o.must("handler-env", o.inProgress(), tickets.Reply, answer()), tickets.Complete, tickets.Fields{})
	o.refused(o.as("operator"), k, tickets.Close, tickets.Fields{}, tickets.ErrNotAsked)
	if _, err := o.Rate(t.Context(), citizen(k), k.ID, tickets.Rating{Grade: 4}); err != nil {
		t.Fatal(err)
	}
	k, _ = o.ByID(t.Context(), o.as("operator"), k.ID)
	o.must("operator", k, tickets.Close, tickets.Fields{})
}

func TestAHelperSignsWhileAReturnIsDecided(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.must("dispatcher", o.file(), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"], Co: []uuid.UUID{o.city.Agencies["dept-utilities"]}})
	k = o.must("handler-env", k, tickets.RequestReturn, tickets.Fields{Reason: "not_responsible", Basis: "Not ours."})
	// Its clock runs on meanwhile, so it must be able to stop it.
	k = o.must("handler-util", k, tickets.CoSign, tickets.Fields{})
	k = o.must("handler-util", k, tickets.CoReply, tickets.Fields{Text: "Our pipe is sound."})
	if !slices.Contains(k.CoSigned, o.city.Agencies["dept-utilities"]) {
		t.Error("not signed")
	}
}

func TestAProgramsKeyIsNobodyInParticular(t *testing.T) {
	t.Parallel()
	o := open(t)
	agency := tickets.Staff(db.Staff(uuid.Nil, o.city.Agencies["dept-environment"], false, false), []string{"handler"})
	hotline := tickets.Staff(db.Staff(uuid.Nil, o.city.Agencies["hotline"], true, false), []string{"operator", "dispatcher"})
	k := o.apply(agency, o.inProgress(), tickets.Reply, answer())
	k = o.apply(hotline, k, tickets.Complete, tickets.Fields{})
	// Two programs have no name, and are not the same officer for that.
	k = o.apply(hotline, k, tickets.StartRevisit, tickets.Fields{})
	o.apply(hotline, k, tickets.RevisitDone, tickets.Fields{Resolved: yes(), Satisfaction: 4})
}

func TestWhoDecidesOnAnExtensionSeesTheNewDate(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress(func(d *tickets.Draft) { d.Category = "utilities.water" }) // a day of 24 hours
	ask, ok, err := o.ExtensionOf(t.Context(), o.as("handler-env"), k)
	if err != nil || !ok || ask.Most != 24 || ask.Unit != sla.HoursUnit || !ask.DueAt.Equal(*k.PromisedAt) || ask.Later != nil {
		t.Fatalf("%+v %v %v", ask, ok, err)
	}
	k = o.must("handler-env", k, tickets.RequestExtend, tickets.Fields{Text: "Parts", Days: 6})
	ask, ok, err = o.ExtensionOf(t.Context(), o.as("dispatcher"), k)
	if err != nil || !ok || ask.Later == nil || !ask.Later.Equal(k.PromisedAt.Add(6*time.Hour)) || k.AskData.Unit != sla.HoursUnit {
		t.Fatalf("%+v %+v %v", ask, k.AskData, err)
	}
	if k = o.must("dispatcher", k, tickets.ApproveExtend, tickets.Fields{}); !k.PromisedAt.Equal(*ask.Later) {
		t.Errorf("shown %s, approved %s", ask.Later, k.PromisedAt)
	}
	if _, ok, _ := o.ExtensionOf(t.Context(), o.as("dispatcher"), o.must("handler-env", k, tickets.Reply, answer())); ok {
		t.Error("there is an extension of what is answered")
	}
}

func TestSayingThatOneRevisitsIsNoCall(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.must("operator", o.must("handler-env", o.inProgress(), tickets.Reply, answer()), tickets.Complete, tickets.Fields{})
	k = o.must("operator", k, tickets.StartRevisit, tickets.Fields{})
	if c := o.clockOf(k, "revisit"); c.Stopped {
		t.Error("the clock of the revisit ends though nobody has called")
	}
	k = o.must("operator", k, tickets.RevisitAttempt, tickets.Fields{Reached: no()})
	first := o.clockOf(k, "revisit")
	if first.Stopped || k.DueAt == nil {
		t.Fatalf("nothing says when to call again: %+v", first)
	}
	o.at("2026-03-13 10:00") // the second try is overdue
	o.sweep()
	if !contains(o.notices("notice"), "hotline operator") && !contains(o.notices("dunning"), "hotline supervisor") {
		t.Errorf("nobody is told that the second try is late: %v %v", o.notices("notice"), o.notices("dunning"))
	}
	k = o.must("operator", o.again(k), tickets.RevisitDone, tickets.Fields{Resolved: yes(), Satisfaction: 5})
	if c := o.clockOf(k, "revisit"); !c.Stopped {
		t.Error("the clock goes on after the citizen was reached")
	}
}

func TestNobodySaysItAgainForTheCitizen(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.must("operator", o.must("handler-env", o.inProgress(), tickets.Reply, answer()), tickets.Complete, tickets.Fields{})
	k = o.must("operator", k, tickets.StartRevisit, tickets.Fields{})
	k, err := o.AnswerRevisit(t.Context(), citizen(k), k.ID, tickets.Rating{Grade: 1, Resolved: no()})
	if err != nil {
		t.Fatal(err)
	}
	o.refused(o.as("operator"), k, tickets.RevisitDone, tickets.Fields{Resolved: yes(), Satisfaction: 5}, tickets.ErrHeard)
	o.refused(o.as("operator"), k, tickets.Close, tickets.Fields{}, tickets.ErrUnsatisfied)
	k = o.must("operator", k, tickets.Reopen, tickets.Fields{Text: "The noise goes on."})
	if k.CitizenResolved != nil {
		t.Error("the next answer cannot be asked for")
	}
	// Three working days from Tuesday; the citizen reads that date, not the one of the first answer.
	if due := must(o.Promised(t.Context(), citizen(k), k)); due == nil || due.In(tuesday.Location()).Format("01-02 15:04") != "03-13 17:30" {
		t.Errorf("done again by %v", due)
	} else if said := must(o.Timeline(t.Context(), citizen(k), k.ID)); said[len(said)-1].Data.DueAt == nil || !said[len(said)-1].Data.DueAt.Equal(*due) || said[len(said)-1].Data.Text != "" {
		t.Errorf("the citizen's history: %+v", said[len(said)-1])
	}
}
