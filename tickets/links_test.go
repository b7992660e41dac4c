package tickets_test

import (
	"errors"
	"testing"

	"hotline/tickets"
)

func TestTicketsAreLinked(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	one, two := o.inProgress(titled("one")), o.inProgress(titled("two"))
	if err := o.Link(ctx, o.as("handler-env"), one.ID, two.ID, tickets.Blocks); err != nil {
		t.Fatal(err)
	}
	links := must(o.Links(ctx, o.as("handler-env"), two.ID))
	if len(links) != 1 || links[0].Kind != tickets.Blocks || !links[0].Inverse || links[0].Title != "one" || !links[0].Open() {
		t.Errorf("from the other end: %+v", links)
	}
	for name, err := range map[string]error{
		"again":         o.Link(ctx, o.as("dispatcher"), one.ID, two.ID, tickets.Blocks),
		"the other way": o.Link(ctx, o.as("dispatcher"), two.ID, one.ID, tickets.Blocks),
	} {
		if !errors.Is(err, tickets.ErrLinked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"itself": o.Link(ctx, o.as("dispatcher"), one.ID, one.ID, tickets.Related), "no such kind": o.Link(ctx, o.as("dispatcher"), one.ID, two.ID, "friend"),
		"a part by hand": o.Link(ctx, o.as("dispatcher"), one.ID, two.ID, tickets.Part),
	} {
		if !errors.Is(err, tickets.ErrBadField) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A ticket that the agency does not see cannot be linked, and a link to it is not shown.
	secret := o.file(func(d *tickets.Draft) { d.Kind = "report" })
	if err := o.Link(ctx, o.as("handler-env"), one.ID, secret.ID, tickets.Related); !errors.Is(err, tickets.ErrBadField) {
		t.Errorf("to an unseen ticket: %v", err)
	}
	if err := o.Link(ctx, o.as("dispatcher"), one.ID, secret.ID, tickets.Related); err != nil {
		t.Error(err)
	}
	if n := len(must(o.Links(ctx, o.as("handler-env"), one.ID))); n != 1 {
		t.Errorf("the agency sees %d links", n)
	}
	if n := len(must(o.Links(ctx, o.as("dispatcher"), one.ID))); n != 2 {
		t.Errorf("the hotline sees %d links", n)
	}
	for _, e := range must(o.Timeline(ctx, o.as("handler-env"), one.ID)) {
		if e.Data.Number == secret.Number {
			t.Error("the history tells the number of a confidential ticket")
		}
	}
	if err := o.Unlink(ctx, o.as("handler-env"), two.ID, one.ID, tickets.Blocks); err != nil {
		t.Error(err)
	}
	if n := len(must(o.Links(ctx, o.as("handler-env"), one.ID))); n != 0 {
		t.Errorf("%d links are left", n)
	}
	if err := o.VerifyHistory(ctx, o.as("supervisor"), one.ID); err != nil {
		t.Error(err)
	}
}

func TestAPartOfACaseGoesToAnotherAgencyAndItsAnswerComesBack(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	whole := o.inProgress(titled("flooded street"))
	d := tickets.PartDraft{Title: "Repair the pump", Description: "The pump in Lake Road stands still.", Lead: o.city.Agencies["dept-utilities"]}
	if _, err := o.Split(ctx, o.as("handler-env"), whole.ID, d); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("an agency dispatches to another: %v", err)
	}
	if n := o.count(o.city.Staff("dispatcher"), "tickets"); n != 1 {
		t.Errorf("a refused part leaves %d tickets", n)
	}
	if _, err := o.Split(ctx, o.as("handler-util"), whole.ID, d); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := o.Split(ctx, o.as("dispatcher"), whole.ID, tickets.PartDraft{Title: "x"}); !errors.Is(err, tickets.ErrMissing) {
		t.Errorf("an empty part: %v", err)
	}
	part := must(o.Split(ctx, o.as("dispatcher"), whole.ID, d))
	if part.State != tickets.Dispatched || part.Lead != d.Lead || part.ConversationID == whole.ConversationID || part.ContactID != nil {
		t.Fatalf("%+v", part)
	}
	// The lead may split too; where it goes is for routing and the dispatcher.
	second := must(o.Split(ctx, o.as("handler-env"), whole.ID, tickets.PartDraft{Description: "Rubbish floats in the street."}))
	if second.State != tickets.PendingDispatch {
		t.Errorf("the second part is %s", second.State)
	}
	if got := must(o.ByConversation(ctx, tickets.System(), whole.ConversationID)); got.ID != whole.ID {
		t.Error("the citizen's conversation went to the part")
	}
	part = o.must("handler-util", part, tickets.Sign, tickets.Fields{})
	// Two answers in a row: the whole hears of both ends.
	part = o.must("handler-util", part, tickets.Reply, tickets.Fields{Text: "The pump runs again.", Outcome: "resolved", Resolved: yes()})
	o.must("dispatcher", second, tickets.Withdraw, tickets.Fields{Text: "The part was split off by mistake."})
	var answered, over *tickets.Event
	for _, e := range must(o.Timeline(ctx, o.as("handler-env"), whole.ID)) {
		switch e.Type {
		case "part_answered":
			answered = &e
		case "part_over":
			over = &e
		}
	}
	if answered == nil || answered.Data.Text != "The pump runs again." || answered.Data.Number != part.Number || answered.Public {
		t.Errorf("the whole reads %+v", answered)
	}
	if over == nil || over.Data.Number != second.Number {
		t.Errorf("the end of the other part: %+v", over)
	}
	for _, e := range must(o.Timeline(ctx, citizen(whole), whole.ID)) {
		if e.Type == "split" || e.Type == "part_answered" {
			t.Errorf("the citizen reads %s", e.Type)
		}
	}
	links := must(o.Links(ctx, o.as("dispatcher"), whole.ID))
	if len(links) != 2 || links[0].Kind != tickets.Part || !links[0].Inverse {
		t.Fatalf("%+v", links)
	}
	// The lead of the whole follows its parts without seeing the tickets of others.
	if got := must(o.Links(ctx, o.as("handler-env"), whole.ID)); len(got) != 2 || got[0].Seen || got[1].Reply != "The pump runs again." && got[0].Reply != "The pump runs again." {
		t.Errorf("the lead reads %+v", got)
	}
	if got := o.noticed("handler-env", whole.ID); got == "" {
		t.Error("who works on the whole is not told")
	}
	for _, k := range []tickets.Ticket{whole, part} {
		if err := o.VerifyHistory(ctx, o.as("supervisor"), k.ID); err != nil {
			t.Error(err)
		}
	}
	// A part of a confidential case is confidential.
	secret := o.file(func(d *tickets.Draft) { d.Kind = "report" })
	if k := must(o.Split(ctx, o.as("supervisor"), secret.ID, tickets.PartDraft{Description: "Ask the market office."})); !k.Confidential {
		t.Error("the part is public")
	}
	if _, err := o.ByID(ctx, o.as("operator"), secret.ID); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("the operator sees the secret: %v", err)
	}
}
