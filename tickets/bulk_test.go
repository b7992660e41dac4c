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
)

func (o *office) bulk(user string, d tickets.BulkDeed, ks ...tickets.Ticket) tickets.BulkJob {
	o.Helper()
	var ids []uuid.UUID
	for _, k := range ks {
		ids = append(ids, k.ID)
	}
	j := must(o.StartBulk(o.Context(), o.as(user), d, ids))
	return must(o.RunBulk(o.Context(), o.as(user), j.ID, nil))
}

// said lists the outcome of each ticket: + changed, = nothing to do, or the code of the error.
func said(j tickets.BulkJob) string {
	var out []string
	for _, r := range j.Results {
		switch {
		case r.Code != "":
			out = append(out, strings.TrimPrefix(r.Code, "tickets."))
		case r.Changed:
			out = append(out, "+")
		default:
			out = append(out, "=")
		}
	}
	return strings.Join(out, " ")
}

func TestABulkActionJudgesEachTicketOnItsOwn(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	waits, unsigned, work := o.file(), o.dispatched(), o.inProgress()
	env := o.city.Agencies["dept-environment"]
	j := o.bulk("dispatcher", tickets.BulkDeed{Do: tickets.BulkMove, Move: tickets.Dispatch, Fields: tickets.Fields{Lead: env}}, waits, unsigned, work)
	if said(j) != "+ no_such_move no_such_move" || !j.Done() || j.Results[0].Number != waits.Number {
		t.Errorf("dispatch: %s", said(j))
	}
	if err := j.Results[1].Err(); !errors.Is(err, tickets.ErrNoMove) {
		t.Errorf("the reason is %v", err)
	}
	j = o.bulk("handler-env", tickets.BulkDeed{Do: tickets.BulkMove, Move: tickets.Sign}, waits, unsigned, work)
	if said(j) != "+ + no_such_move" {
		t.Errorf("sign: %s", said(j))
	}
	if j = o.bulk("handler-util", tickets.BulkDeed{Do: tickets.BulkNote, Text: "x"}, work); said(j) != "not_found" {
		t.Errorf("a stranger: %s", said(j))
	}
	j = o.bulk("handler-env", tickets.BulkDeed{Do: tickets.BulkNote, Text: "Seen by all."}, waits, unsigned, work)
	if said(j) != "+ + +" {
		t.Errorf("note: %s", said(j))
	}
	if _, err := o.UndoBulk(ctx, o.as("handler-env"), j.ID); !errors.Is(err, tickets.ErrNotUndoable) {
		t.Errorf("a note is taken back: %v", err)
	}
	for name, d := range map[string]tickets.BulkDeed{"nothing": {}, "no tag": {Do: tickets.BulkTag}, "no text": {Do: tickets.BulkNote}, "no reason": {Do: tickets.BulkMove, Move: tickets.RequestReturn}, "merge": {Do: tickets.BulkMove, Move: tickets.Merge}, "undo by hand": {Do: tickets.BulkUndo}} {
		if _, err := o.StartBulk(ctx, o.as("handler-env"), d, []uuid.UUID{work.ID}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := o.StartBulk(ctx, o.as("handler-env"), tickets.BulkDeed{Do: tickets.BulkWatch}, make([]uuid.UUID, 5)); !errors.Is(err, tickets.ErrMissing) {
		t.Errorf("no tickets: %v", err)
	}
	many := make([]uuid.UUID, tickets.MaxBulk+1)
	for i := range many {
		many[i] = uuid.New()
	}
	if _, err := o.StartBulk(ctx, o.as("handler-env"), tickets.BulkDeed{Do: tickets.BulkWatch}, many); !errors.Is(err, tickets.ErrTooMany) {
		t.Errorf("too many: %v", err)
	}
	if _, err := o.Bulk(ctx, o.as("head-env"), j.ID); !errors.Is(err, tickets.ErrBulkNotFound) {
		t.Errorf("a colleague reads the job: %v", err)
	}
}

func TestWhatReachedNoCitizenIsUndone(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	one, two := o.inProgress(), o.inProgress()
	o.tag("head-env", one.ID, "old")
	undo := func(j tickets.BulkJob) tickets.BulkJob {
		t.Helper()
		u := must(o.UndoBulk(ctx, o.as("head-env"), j.ID))
		return must(o.RunBulk(ctx, o.as("head-env"), u.ID, nil))
	}
	j := o.bulk("head-env", tickets.BulkDeed{Do: tickets.BulkTag, Tag: "old"}, one, two)
	if said(j) != "= +" {
		t.Errorf("tag: %s", said(j))
	}
	// What had the tag before keeps it.
	if u := undo(j); said(u) != "+" || o.tags("head-env", one.ID) != "old" || o.tags("head-env", two.ID) != "" {
		t.Errorf("undone: %s, %q and %q", said(u), o.tags("head-env", one.ID), o.tags("head-env", two.ID))
	}
	if _, err := o.UndoBulk(ctx, o.as("head-env"), j.ID); !errors.Is(err, tickets.ErrUndone) {
		t.Errorf("undone twice: %v", err)
	}
	if got := must(o.Bulk(ctx, o.as("head-env"), j.ID)); got.Undone == nil {
		t.Error("the job does not know that it was taken back")
	}
	j = o.bulk("head-env", tickets.BulkDeed{Do: tickets.BulkAssign, To: o.city.Users["head-env"]}, one, two)
	if said(j) != "+ +" {
		t.Errorf("assign: %s", said(j))
	}
	// Somebody has given one of them to another person since: that stays.
	must(o.Assign(ctx, o.as("head-env"), two.ID, tickets.AnyVersion, o.city.Users["cleared-env"], ""))
	if u := undo(j); said(u) != "+ stale" {
		t.Errorf("undone: %s", said(u))
	}
	if got := must(o.ByID(ctx, o.as("head-env"), one.ID)).Assignee; got != o.city.Users["handler-env"] {
		t.Errorf("back with %s", got)
	}
	if j = o.bulk("head-env", tickets.BulkDeed{Do: tickets.BulkWatch}, one, two); said(undo(j)) != "+ +" {
		t.Error("watching is not taken back")
	}
}

func TestABulkActionGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	o := open(t)
	var ids []uuid.UUID
	for range 25 {
		ids = append(ids, o.inProgress().ID)
	}
	a := o.as("handler-env")
	j := must(o.StartBulk(t.Context(), a, tickets.BulkDeed{Do: tickets.BulkNote, Text: "once"}, ids))
	// The node goes down in the middle of the second batch.
	ctx, stop := context.WithCancel(t.Context())
	n := 0
	half, _ := o.RunBulk(ctx, a, j.ID, func(tickets.Ticket) {
		if n++; n == 14 {
			stop()
		}
	})
	if half.Done() || n < 14 {
		t.Fatalf("done %v after %d", half.Done(), n)
	}
	if got := must(o.RunBulk(t.Context(), a, j.ID, nil)); got.Done() {
		t.Error("two work on it at once")
	}
	o.clock.Advance(2 * time.Minute)
	if waiting := must(o.BulkWaiting(t.Context())); waiting[j.ID] != a.DB.User() {
		t.Errorf("waiting: %v", waiting)
	}
	got := must(o.RunBulk(t.Context(), a, j.ID, nil))
	if !got.Done() || len(got.Results) != 25 {
		t.Fatalf("%d results, done %v", len(got.Results), got.Done())
	}
	for _, id := range ids {
		notes := 0
		for _, e := range must(o.Timeline(t.Context(), a, id)) {
			if e.Type == "note" {
				notes++
			}
		}
		if notes != 1 {
			t.Errorf("%d notes on one ticket", notes)
		}
	}
}

// Whose account is closed, or who works elsewhere now, leaves a job that nobody may do: it must not stand before those of others for ever.
func TestAJobWithoutItsPersonIsDropped(t *testing.T) {
	t.Parallel()
	o := open(t)
	k, a := o.inProgress(), o.as("handler-env")
	j := must(o.StartBulk(t.Context(), a, tickets.BulkDeed{Do: tickets.BulkNote, Text: "once"}, []uuid.UUID{k.ID}))
	o.clock.Advance(time.Minute)
	elsewhere := tickets.Staff(db.Staff(a.DB.User(), o.city.Agencies["dept-utilities"], false, false), []string{"handler"})
	if _, err := o.RunBulk(t.Context(), elsewhere, j.ID, nil); !errors.Is(err, tickets.ErrBulkNotFound) {
		t.Errorf("from another agency: %v", err)
	}
	if err := o.DropBulk(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	if waiting := must(o.BulkWaiting(t.Context())); len(waiting) != 0 {
		t.Errorf("still waiting: %v", waiting)
	}
	if got := must(o.RunBulk(t.Context(), a, j.ID, nil)); len(got.Results) != 0 {
		t.Errorf("done after all: %+v", got.Results)
	}
}
