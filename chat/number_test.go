package chat_test

import (
	"strings"
	"testing"

	"hotline/tickets"
)

// A number is a word on a case only where one was asked for.
func TestANumberAfterMereNewsIsNoGrade(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.replied(o.filed(byPhone)) // the text message tells the answer and asks nothing
	wants(t, o.last(o.sms).Text, "quiet")
	o.types("sms", bo, "", "1")
	o.carry()
	if k = o.again(k); k.Grade != 0 || k.Rectify != "" {
		t.Errorf("grade %d, rectification %q", k.Grade, k.Rectify)
	}
	if got := o.last(o.sms).Text; strings.Contains(got, "Thank you") {
		t.Errorf("a grade was thanked for that nobody gave: %q", got)
	}
	// A question that is open is answered by it, whatever was told after it.
	asked, other := o.asked(o.filed(byPhone)), o.inProgress(o.filed(byPhone))
	o.last(o.sms)
	o.news(other, "Come by on Monday.")
	o.last(o.sms)
	o.types("sms", bo, "", "2")
	wants(t, o.last(o.sms).Text, "How satisfied are you")
	o.types("sms", bo, "", "4")
	if asked = o.again(asked); asked.CitizenResolved == nil || *asked.CitizenResolved || asked.Grade != 4 {
		t.Errorf("resolved %v, grade %d", asked.CitizenResolved, asked.Grade)
	}
}

// Where two questions are open and something else was told last, the person is asked which they mean.
func TestANumberThatMayAnswerTwoQuestionsIsAskedAbout(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first, second := o.asked(o.filed(byPhone)), o.asked(o.filed(byPhone))
	third := o.inProgress(o.filed(byPhone))
	o.last(o.sms)
	o.news(third, "Come by on Monday.")
	o.last(o.sms)
	o.types("sms", bo, "", "2")
	which := o.last(o.sms)
	wants(t, which.Text, "Which case", "2")
	if len(which.Choices) != 2 || !strings.Contains(which.Choices[0].Label, second.Number) || !strings.Contains(which.Choices[1].Label, first.Number) || which.Choices[1].Typed != "2" {
		t.Fatalf("offered %+v", which.Choices)
	}
	if k := o.again(first); k.CitizenResolved != nil {
		t.Fatal("taken without asking")
	}
	o.types("sms", bo, "", "2") // the second of the two that were offered
	wants(t, o.last(o.sms).Text, "How satisfied are you")
	o.types("sms", bo, "", "5")
	first, second = o.again(first), o.again(second)
	if first.CitizenResolved == nil || *first.CitizenResolved || first.Grade != 5 || second.CitizenResolved != nil {
		t.Errorf("the first: %v, %d; the second: %v", first.CitizenResolved, first.Grade, second.CitizenResolved)
	}
}

// A number is not sent to the agency as its answer where it may be the word on another case.
func TestANumberBesideAQuestionOfTheAgency(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	asked := o.asked(o.filed(byPhone))
	open := o.move(o.inProgress(o.filed(byPhone)), "handler-env", "handler", tickets.AskCitizen, tickets.Fields{Text: "How many machines?"})
	o.last(o.sms)
	o.types("sms", bo, "", "2")
	wants(t, o.last(o.sms).Text, "Which case")
	o.types("sms", bo, "", "1")
	wants(t, o.last(o.sms).Text, "Thank you", open.Number)
	if open, asked = o.again(open), o.again(asked); open.State != tickets.InProgress || asked.CitizenResolved != nil {
		t.Fatalf("%s, %v", open.State, asked.CitizenResolved)
	}
	ms, err := o.OfTicket(ctxb, o.city.Staff("handler-env"), open.ID, 20)
	if err != nil || ms[len(ms)-1].Text != "2" {
		t.Errorf("the agency reads %q, %v", ms[len(ms)-1].Text, err)
	}
}
