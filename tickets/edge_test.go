package tickets_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/routing"
	"hotline/tickets"
)

func TestOfTwoWhoActAtOnceOneIsToldAboutTheOther(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.file()
	var won, stale atomic.Int32
	var wg sync.WaitGroup
	for _, agency := range []string{"dept-environment", "dept-utilities", "street-east-1", "street-east-2", "dist-east"} {
		wg.Go(func() {
			_, err := o.Apply(t.Context(), o.as("dispatcher"), k.ID, k.Version, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies[agency]}, "")
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, tickets.ErrStale):
				stale.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || stale.Load() != 4 {
		t.Errorf("%d won, %d were told", won.Load(), stale.Load())
	}
	o.gapFree()
}

func TestADirectAnswerIsATicketThatCanBeTakenBack(t *testing.T) {
	t.Parallel()
	o := open(t)
	article := uuid.New()
	k := o.file(func(d *tickets.Draft) {
		d.Kind = "consult"
		d.DirectAnswer = &tickets.Citation{Article: article, Version: 3, Title: "Night work", Text: "Not after ten."}
	})
	if k.State != tickets.AnsweredDirectly || k.Open() || k.DueAt != nil {
		t.Fatalf("%s, due %v", k.State, k.DueAt)
	}
	events := must(o.Timeline(t.Context(), citizen(k), k.ID))
	if len(events) != 1 || events[0].Data.Article != article || events[0].Data.Version != 3 {
		t.Errorf("%+v", events)
	}
	if got := o.list("operator", tickets.ViewClosed, tickets.Filter{}); len(got) != 1 {
		t.Errorf("closed: %v", got)
	}
	// The citizen is known by the conversation, as in the chat.
	back, err := o.Apply(t.Context(), tickets.CitizenBy(db.Citizen(k.ConversationID)), k.ID, tickets.AnyVersion, tickets.NotAnswered, tickets.Fields{Text: "That is not what I asked."}, "")
	if err != nil || back.State != tickets.Accepted || back.ClosedAt != nil || back.PromisedAt == nil {
		t.Errorf("%+v %v", back, err)
	}
}

func TestMergedTicketsGoAlongWithTheirParent(t *testing.T) {
	t.Parallel()
	o := open(t)
	first, second, third := o.file(), o.file(), o.inProgress()
	first = o.must("dispatcher", first, tickets.Merge, tickets.Fields{Parent: second.ID})
	o.must("dispatcher", second, tickets.Merge, tickets.Fields{Parent: third.ID})
	o.must("handler-env", third, tickets.Reply, answer())
	events := must(o.Timeline(t.Context(), citizen(first), first.ID))
	if last := events[len(events)-1]; last.Type != "parent_reply" || last.Data.Text != answer().Text {
		t.Errorf("the first reporter reads %+v", last)
	}
	// Their own rating counts too.
	if _, err := o.Rate(t.Context(), tickets.CitizenBy(db.Citizen(first.ConversationID)), first.ID, tickets.Rating{Grade: 5}); err != nil {
		t.Error(err)
	}
}

func TestTwoTicketsMergedIntoEachOther(t *testing.T) {
	t.Parallel()
	o := open(t)
	a, b := o.file(), o.file()
	var wg sync.WaitGroup
	var merged atomic.Int32
	for _, pair := range [][2]tickets.Ticket{{a, b}, {b, a}} {
		wg.Go(func() {
			_, err := o.Apply(t.Context(), o.as("dispatcher"), pair[0].ID, pair[0].Version, tickets.Merge, tickets.Fields{Parent: pair[1].ID}, "")
			switch {
			case err == nil:
				merged.Add(1)
			case !errors.Is(err, tickets.ErrBusy) && !errors.Is(err, tickets.ErrBadField):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if merged.Load() > 1 {
		t.Error("each is the other's parent")
	}
}

func TestTheRealRoutingDecidesAndLeavesItsReasons(t *testing.T) {
	t.Parallel()
	o := open(t)
	r := routing.New(routing.Deps{Pool: o.pool, Log: slog.New(slog.DiscardHandler)})
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := tickets.New(tickets.Deps{Pool: o.pool, Clock: o.clock, Key: key, Log: slog.New(slog.DiscardHandler), Router: tickets.RouterOf(r)})
	if err != nil {
		t.Fatal(err)
	}
	o.Service = s
	k := o.file(func(d *tickets.Draft) { d.Category, d.ServiceItem = "environment.noise", "T-ENV-001" })
	var decision routing.Decision
	if err := json.Unmarshal(k.Decision, &decision); err != nil || decision.Lead != o.city.Agencies["dept-environment"] || len(r.Explain("zh-CN", decision.Explanation)) == 0 {
		t.Fatalf("%s: %v", k.Decision, err)
	}
	if k.State == tickets.PendingDispatch {
		k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: decision.Lead})
	}
	k = o.must("handler-env", k, tickets.RequestReturn, tickets.Fields{Reason: "not_responsible", Basis: "catalogue"})
	k = o.must("dispatcher", k, tickets.ApproveReturn, tickets.Fields{})
	if err := json.Unmarshal(k.Decision, &decision); err != nil || decision.Lead == o.city.Agencies["dept-environment"] {
		t.Errorf("proposed again: %s %v", k.Decision, err)
	}
	if k := o.file(func(d *tickets.Draft) { d.Category = ""; d.Description = "The tap water is brown since this morning" }); k.Category != "utilities.water" {
		t.Errorf("classified as %q", k.Category)
	}
	for _, edit := range []func(*tickets.Draft){func(d *tickets.Draft) { d.Category = "nonsense" }, func(d *tickets.Draft) { d.ServiceItem = "nonsense" }} {
		d := o.draft()
		d.ConversationID = o.conversation()
		edit(&d)
		err := db.WithTx(t.Context(), o.pool, db.System(), func(tx db.Tx) error { _, err := o.OpenTx(t.Context(), tx, d); return err })
		if !errors.Is(err, tickets.ErrUnknownCategory) && !errors.Is(err, tickets.ErrBadField) {
			t.Errorf("%v", err)
		}
	}
}

func TestFilesGoWithTheTicket(t *testing.T) {
	t.Parallel()
	o := open(t)
	conv, other := o.conversation(), o.conversation()
	upload := func(conv uuid.UUID, name string) uuid.UUID {
		id := db.NewID()
		if _, err := o.owner.Exec(t.Context(), `insert into uploads (id, conversation_id, blob, name, content_type, size) values ($1, $2, 'b', $3, 'image/png', 9)`, id, conv, name); err != nil {
			t.Fatal(err)
		}
		return id
	}
	mine, later, foreign := upload(conv, "site.png"), upload(conv, "later.png"), upload(other, "other.png")
	k := o.file(func(d *tickets.Draft) { d.ConversationID, d.Uploads = conv, []uuid.UUID{mine, foreign} })
	if _, err := o.Attach(t.Context(), tickets.CitizenBy(db.Citizen(conv)), k.ID, []uuid.UUID{later, foreign}, ""); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range must(o.Attachments(t.Context(), o.as("operator"), k.ID)) {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"later.png", "site.png"}) {
		t.Errorf("files: %v", names)
	}
}

func TestAFailedNoticeTakesTheMoveBack(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	o.OnPublic(func(context.Context, db.Tx, tickets.Ticket, tickets.Event) error { return errors.New("no room") })
	before := o.snapshot(k.ID)
	if _, err := o.Apply(t.Context(), o.as("handler-env"), k.ID, k.Version, tickets.Reply, answer(), ""); err == nil {
		t.Fatal("the citizen was not told and nobody noticed")
	}
	if after := o.snapshot(k.ID); after != before {
		t.Error("half a move stayed")
	}
}
