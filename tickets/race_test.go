package tickets_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
)

// Whoever begins to watch a ticket while somebody moves it sees it, in their lists, as it is afterwards.
func TestWhoWatchesATicketThatIsBeingMovedSeesItMoved(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx, head := t.Context(), o.as("head-env")
	k := o.dispatched()
	var watched <-chan error
	err := db.WithTx(ctx, o.pool, o.as("handler-env").DB, func(tx db.Tx) error {
		_, err := o.ApplyTx(ctx, tx, o.as("handler-env"), k.ID, k.Version, tickets.Sign, tickets.Fields{}, "")
		watched = testkit.Hold(t, o.owner, `select`).Start(1, func() error {
			_, err := o.Watch(ctx, head, k.ID, head.DB.User())
			return err
		})
		return err
	})
	if err := errors.Join(err, <-watched); err != nil {
		t.Fatal(err)
	}
	var filtered string // by which long lists are read; short ones are found through the ticket
	if err := o.owner.QueryRow(ctx, `select state from ticket_watchers where ticket_id = $1`, k.ID).Scan(&filtered); err != nil || filtered != string(tickets.InProgress) {
		t.Errorf("watched, and listed as %s: %v", filtered, err)
	}
}

// A job whose node was slow for longer than its lease is another's: what the slow one did late stands nowhere twice.
func TestABulkActionThatAnotherNodeTookOverIsLeftToIt(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx, a := t.Context(), o.as("handler-env")
	one, other := o.dispatched(), o.dispatched()
	j := must(o.StartBulk(ctx, a, tickets.BulkDeed{Do: tickets.BulkMove, Move: tickets.Sign}, []uuid.UUID{one.ID, other.ID}))
	node, taken := o.service(), false
	got, err := o.RunBulk(ctx, a, j.ID, func(tickets.Ticket) {
		if !taken {
			taken = true
			o.clock.Advance(2 * time.Minute)
			if j := must(node.RunBulk(ctx, a, j.ID, nil)); !j.Done() {
				t.Errorf("taken over: %s", said(j))
			}
		}
	})
	if err != nil || len(got.Results) != 2 || !got.Done() {
		t.Errorf("the slow node says %q: %v", said(got), err)
	}
	if got := must(o.Bulk(ctx, a, j.ID)); len(got.Results) != 2 || !got.Done() {
		t.Errorf("two tickets, and %d results: %s", len(got.Results), said(got))
	}
}

// Who is taken out of a ticket while that is merged into an answered one keeps no answer to another matter.
func TestWhoLeavesWhileTheirTicketIsMergedKeepsNoAnswerOfAnother(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx, desk := t.Context(), o.as("dispatcher")
	answered, middle, child := o.inProgress(), o.file(), o.file()
	o.must("dispatcher", child, tickets.Merge, tickets.Fields{Parent: answered.ID})
	o.must("handler-env", must(o.ByID(ctx, tickets.System(), answered.ID)), tickets.Reply, answer())
	do := func(k tickets.Ticket, a tickets.Action, f tickets.Fields) func() error {
		return func() error { _, err := o.Apply(ctx, desk, k.ID, tickets.AnyVersion, a, f, ""); return err }
	}
	leave := do(child, tickets.Unmerge, tickets.Fields{Text: "Another site."})
	if err := errors.Join(leave(), do(child, tickets.Merge, tickets.Fields{Parent: middle.ID})()); err != nil {
		t.Fatal(err)
	}
	writing := testkit.Hold(t, o.owner, `lock table ticket_events in share mode`)
	left := writing.Start(1, leave)
	merged := writing.Start(2, do(middle, tickets.Merge, tickets.Fields{Parent: answered.ID}))
	writing.LetGo()
	if err := errors.Join(<-left, <-merged); err != nil {
		t.Fatal(err)
	}
	if k := must(o.ByID(ctx, tickets.System(), child.ID)); k.State == tickets.Merged || k.Reply != "" {
		t.Errorf("in %s with the answer %q", k.State, k.Reply)
	}
}
