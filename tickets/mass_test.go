package tickets_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"hotline/internal/db"
	"hotline/tickets"
)

// merged files n tickets that are merged into the parent, the short way where they are many.
func (o *office) merged(parent tickets.Ticket, n int) {
	o.Helper()
	proto := o.must("dispatcher", o.file(), tickets.Merge, tickets.Fields{Parent: parent.ID})
	if n--; n == 0 {
		return
	}
	tx, err := o.owner.Begin(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	exec := func(sql string, args ...any) {
		o.Helper()
		if _, err := tx.Exec(o.Context(), sql, args...); err != nil {
			o.Fatalf("%v\n%s", err, sql)
		}
	}
	exec(`create temp table more on commit drop as select gen_random_uuid() as id, gen_random_uuid() as conv, i from generate_series(1, $1::int) i`, n)
	exec(`insert into conversations (id, channel, account, thread, lang, holder) select conv, 'web', 'test', conv::text, 'en', 'none' from more`)
	exec(`insert into tickets (id, number, code_hash, version, kind, category, title, description, lang, channel, conversation_id, state, parent_id, opened_at, updated_at, closed_at)
		select m.id, '2027-' || lpad(m.i::text, 6, '0'), sha256(m.id::text::bytea), 2, kind, category, title, description, lang, channel, m.conv, state,
			parent_id, opened_at, updated_at, closed_at from more m, tickets p where p.id = $1`, proto.ID)
	exec(`insert into ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, urgency, confidential, opened_at, updated_at)
		select $1, id, 'desk', 'merged', '', false, false, 'complaint', 'normal', false, $2, $2 from more`, o.city.Agencies["hotline"], o.clock.Now())
	exec(`insert into ticket_search (ticket_id, words) select id, '' from more`)
	if err := tx.Commit(o.Context()); err != nil {
		o.Fatal(err)
	}
}

// heard counts what the reporters of a parent were told: entries of a type in the histories of its merged tickets.
func (o *office) heard(parent uuid.UUID, entry string) (tickets, entries int) {
	o.Helper()
	err := o.owner.QueryRow(o.Context(), `select count(distinct e.ticket_id), count(*) from ticket_events e join tickets t on t.id = e.ticket_id where t.parent_id = $1 and e.type = $2`, parent, entry).
		Scan(&tickets, &entries)
	if err != nil {
		o.Fatal(err)
	}
	return tickets, entries
}

func (o *office) sweepBroadcasts(s *tickets.Service, limit int) int {
	o.Helper()
	told, err := s.SweepBroadcasts(o.Context(), o.clock.Now(), limit)
	if err != nil {
		o.Fatal(err)
	}
	return len(told)
}

func TestMassEventsFromTheFirstReportToTheAnswer(t *testing.T) {
	t.Parallel()
	o := open(t)
	spot := func(lat float64) func(*tickets.Draft) { return place(lat, 125.3) }
	parent := o.must("handler-env", o.dispatched(spot(31.2)), tickets.Sign, tickets.Fields{})
	draft := tickets.MassDraft{Title: "Burst main in East One", Category: "environment", Radius: 1000, Public: true}
	for who, want := range map[string]error{"operator": tickets.ErrForbidden, "handler-env": tickets.ErrForbidden} {
		if _, err := o.MarkMass(t.Context(), o.as(who), parent.ID, draft, ""); !errors.Is(err, want) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if _, err := o.MarkMass(t.Context(), o.as("dispatcher"), o.file(func(d *tickets.Draft) { d.Kind = "report" }).ID, tickets.MassDraft{Title: "x"}, ""); !errors.Is(err, tickets.ErrMassConfidential) {
		t.Errorf("a confidential one: %v", err)
	}
	if _, err := o.MarkMass(t.Context(), o.as("dispatcher"), parent.ID, tickets.MassDraft{Title: "x", Area: "nowhere"}, ""); !errors.Is(err, tickets.ErrBadField) {
		t.Errorf("an area that there is not: %v", err)
	}
	must(o.MarkMass(t.Context(), o.as("dispatcher"), parent.ID, draft, "form-1"))
	must(o.MarkMass(t.Context(), o.as("dispatcher"), parent.ID, draft, "form-1")) // pressed twice

	near, far, other := o.file(spot(31.205)), o.file(spot(31.3)), o.file(spot(31.2), saying("utilities.water", "Water", "No water"))
	for name, c := range map[string]struct {
		k    tickets.Ticket
		want int
	}{"near": {near, 1}, "far": {far, 0}, "another category": {other, 0}, "no place": {o.file(), 0}, "itself": {parent, 0}} {
		if list := must(o.MassFor(t.Context(), o.as("operator"), c.k.ID)); len(list) != c.want {
			t.Errorf("%s: %d offered", name, len(list))
		}
	}
	d := o.draft()
	spot(31.201)(&d)
	if public := must(o.Nearby(t.Context(), d)); len(public) == 0 || public[0].Title != draft.Title || public[0].ID != parent.ID {
		t.Errorf("citizens are not told before they file: %+v", public)
	}

	near = o.must("dispatcher", near, tickets.Merge, tickets.Fields{Parent: parent.ID})
	if _, err := o.Broadcast(t.Context(), o.as("handler-util"), parent.ID, "x", ""); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := o.Broadcast(t.Context(), o.as("dispatcher"), far.ID, "x", ""); !errors.Is(err, tickets.ErrNotMass) {
		t.Errorf("nobody to tell: %v", err)
	}
	must(o.Broadcast(t.Context(), o.as("handler-env"), parent.ID, "The pipe is open; water by 18:00.", "say-1"))
	must(o.Broadcast(t.Context(), o.as("handler-env"), parent.ID, "The pipe is open; water by 18:00.", "say-1"))
	if k, n := o.heard(parent.ID, "parent_update"); k != 1 || n != 1 {
		t.Errorf("%d reporters heard the update %d times", k, n)
	}
	// Who joins later hears how things stand.
	late := o.must("dispatcher", far, tickets.Merge, tickets.Fields{Parent: parent.ID})
	if k, n := o.heard(parent.ID, "parent_update"); k != 2 || n != 2 {
		t.Errorf("after one more joined %d reporters heard %d updates", k, n)
	}
	parent = must(o.ByID(t.Context(), o.as("handler-env"), parent.ID))
	parent = o.must("handler-env", parent, tickets.Reply, answer())
	if k, n := o.heard(parent.ID, "parent_reply"); k != 2 || n != 2 {
		t.Errorf("%d reporters heard the answer %d times", k, n)
	}
	if k := must(o.ByID(t.Context(), citizen(late), late.ID)); k.Reply != answer().Text || !k.Ratable() {
		t.Errorf("the late reporter reads %q", k.Reply)
	}
	// Even who joins after the answer gets it, with what hangs on it.
	child := o.file()
	uncle := o.file()
	o.must("dispatcher", child, tickets.Merge, tickets.Fields{Parent: uncle.ID})
	uncle = must(o.ByID(t.Context(), o.as("dispatcher"), uncle.ID))
	o.must("dispatcher", uncle, tickets.Merge, tickets.Fields{Parent: parent.ID})
	if k, n := o.heard(parent.ID, "parent_reply"); k != 4 || n != 4 {
		t.Errorf("after the answer: %d reporters heard it %d times", k, n)
	}
	views := must(o.Broadcasts(t.Context(), o.as("handler-env"), parent.ID))
	if len(views) != 2 || !views[0].Reply || views[0].Total != 5 || views[0].Mailbox != 5 || !views[0].Done() || views[1].Total != 3 {
		t.Errorf("%+v", views)
	}
	must(o.EndMass(t.Context(), o.as("supervisor"), parent.ID, ""))
	if _, err := o.EndMass(t.Context(), o.as("supervisor"), parent.ID, ""); !errors.Is(err, tickets.ErrNotMass) {
		t.Errorf("ended twice: %v", err)
	}
	// The agency that leads counts the same reporters, whom it does not see.
	if m, ok, err := o.MassOf(t.Context(), o.as("handler-env"), parent.ID); !ok || err != nil || m.Reporters != 5 {
		t.Errorf("the lead's count: %+v %t %v", m, ok, err)
	}
	if n := must(o.Reporters(t.Context(), o.as("handler-env"), []tickets.Row{{Ticket: tickets.Ticket{ID: parent.ID, MassEvent: true}}, {Ticket: late}})); len(n) != 1 || n[parent.ID] != 5 {
		t.Errorf("on a list: %v", n)
	}
	if n := must(o.Reporters(t.Context(), o.as("handler-util"), []tickets.Row{{Ticket: tickets.Ticket{ID: parent.ID, MassEvent: true}}})); len(n) != 0 {
		t.Errorf("an agency that does not see the case counts its reporters: %v", n)
	}
	if m, ok, err := o.MassOf(t.Context(), o.as("operator"), parent.ID); !ok || err != nil || m.Running() || m.Reporters != 5 {
		t.Errorf("%+v %v", m, err)
	}
	for _, k := range []tickets.Ticket{parent, near, late} {
		if err := o.VerifyHistory(t.Context(), o.as("supervisor"), k.ID); err != nil {
			t.Errorf("the chain of %s: %v", k.Number, err)
		}
	}
}

// A node that dies in the middle: the notice fails, the process is cut off, another service goes on. Each reporter is told once.
func TestThousandsAreToldOnceWhateverDies(t *testing.T) {
	t.Parallel()
	o := open(t)
	n := 600
	if testing.Short() {
		n = 60
	}
	parent := o.inProgress()
	o.merged(parent, n)
	var told sync.Map
	var notices, doomed atomic.Int32
	notify := func(dying bool) func(context.Context, db.Tx, tickets.Ticket, tickets.Event) error {
		return func(_ context.Context, _ db.Tx, k tickets.Ticket, e tickets.Event) error {
			if e.Type != "parent_reply" {
				return nil
			}
			if dying && doomed.Add(1)%37 == 0 {
				return errors.New("the process is gone")
			}
			count, _ := told.LoadOrStore(k.ID, new(atomic.Int32))
			_ = count
			notices.Add(1)
			return nil
		}
	}
	o.OnPublic(notify(true))
	began := time.Now()
	parent = o.must("handler-env", parent, tickets.Reply, answer())
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("the reply itself took %s", d)
	}
	if k, _ := o.heard(parent.ID, "parent_reply"); k != 0 {
		t.Errorf("%d of many were told inside the reply", k)
	}
	if v := must(o.Broadcasts(t.Context(), o.as("handler-env"), parent.ID)); len(v) != 1 || v[0].Total != n+1 || v[0].Waiting != n || v[0].Done() {
		t.Errorf("progress at the start: %+v", v)
	}
	// Two nodes at once, one of which is cut off in the middle of its transactions again and again.
	dying, living := o.Service, o.service()
	living.OnPublic(notify(false))
	var nodes sync.WaitGroup
	nodes.Go(func() {
		for i := range 20 {
			ctx, cut := context.WithTimeout(t.Context(), time.Duration(5+i*3)*time.Millisecond)
			_, _ = dying.SweepBroadcasts(ctx, o.clock.Now(), 25) // it fails; that is the point
			cut()
		}
	})
	nodes.Go(func() {
		for range 5 {
			_, err := living.SweepBroadcasts(t.Context(), o.clock.Now(), 25)
			if err != nil {
				t.Error(err)
			}
		}
	})
	nodes.Wait()
	if v := must(o.Broadcasts(t.Context(), o.as("handler-env"), parent.ID)); v[0].Waiting == 0 || v[0].Waiting == n {
		t.Errorf("nothing was interrupted: %+v", v[0])
	}
	o.clock.Advance(time.Hour) // past every pause after a failure
	for o.sweepBroadcasts(living, 100) > 0 {
	}
	if k, entries := o.heard(parent.ID, "parent_reply"); k != n || entries != n {
		t.Errorf("%d of %d reporters heard the answer, %d times", k, n, entries)
	}
	v := must(o.Broadcasts(t.Context(), o.as("handler-env"), parent.ID))
	if v[0].Mailbox != n+1 || v[0].Failed != 0 || !v[0].Done() {
		t.Errorf("progress at the end: %+v", v[0])
	}
}

// One reporter who cannot be told holds up nobody, and is given up on in the end, visibly.
func TestOneBrokenReporterHoldsUpNobody(t *testing.T) {
	t.Parallel()
	o := open(t)
	parent := o.inProgress()
	broken := o.must("dispatcher", o.file(), tickets.Merge, tickets.Fields{Parent: parent.ID})
	o.merged(parent, 40)
	o.OnPublic(func(_ context.Context, _ db.Tx, k tickets.Ticket, e tickets.Event) error {
		if k.ID == broken.ID && e.Type == "parent_reply" {
			return errors.New("no such conversation")
		}
		return nil
	})
	parent = o.must("handler-env", parent, tickets.Reply, answer())
	for range 30 {
		o.sweepBroadcasts(o.Service, 25)
		o.clock.Advance(time.Minute)
	}
	if v := must(o.Broadcasts(t.Context(), o.as("handler-env"), parent.ID)); v[0].Mailbox != 41 || v[0].Failed != 1 || !v[0].Done() {
		t.Errorf("%+v", v[0])
	}
}

func TestUnmergingRestoresTheClocks(t *testing.T) {
	t.Parallel()
	o := open(t)
	parent := o.file()
	due := func(k tickets.Ticket, name string) time.Time {
		t.Helper()
		for _, c := range must(o.Clocks(t.Context(), o.as("dispatcher"), k.ID)) {
			if c.Name == name && !c.Stopped {
				return c.DueAt
			}
		}
		return time.Time{}
	}
	for name, wait := range map[string]time.Duration{"soon": time.Hour, "after a weekend": 6 * 24 * time.Hour, "much later": 40 * 24 * time.Hour} {
		k := o.inProgress()
		before, promised := due(k, "resolve"), *k.PromisedAt
		o.clock.Advance(26 * time.Hour)
		atMerge := o.clock.Now()
		k = o.must("dispatcher", k, tickets.Merge, tickets.Fields{Parent: parent.ID})
		o.clock.Advance(wait)
		k = o.must("dispatcher", k, tickets.Unmerge, tickets.Fields{Text: "another site"})
		after := due(k, "resolve")
		if after.Before(before) || k.PromisedAt.Before(promised) {
			t.Errorf("%s: the deadline moved earlier: %s, was %s", name, after, before)
		}
		// Not a fresh start: no more is left than was left at the merge, in working time, and a weekend's length more in elapsed time.
		if left, was := after.Sub(o.clock.Now()), before.Sub(atMerge); left > was+4*24*time.Hour {
			t.Errorf("%s: %s left, at the merge %s: a merge gave time away", name, left, was)
		}
		if wait > 30*24*time.Hour && !after.After(o.clock.Now()) {
			t.Errorf("%s: overdue by a merge that was a mistake", name)
		}
	}
	// A ticket that was being done again is promised what that has left, whatever the answer of the other matter was.
	again := o.must("operator", o.must("handler-env", o.inProgress(), tickets.Reply, answer()), tickets.Reopen, tickets.Fields{Text: "They drill on."})
	again = o.must("dispatcher", o.must("dispatcher", again, tickets.Merge, tickets.Fields{Parent: parent.ID}), tickets.Unmerge, tickets.Fields{Text: "another site"})
	if got := must(o.Promised(t.Context(), o.as("dispatcher"), again)); got == nil || !got.Equal(due(again, "redo")) {
		t.Errorf("promised %v, done again until %v", got, due(again, "redo"))
	}
	// What was late stays late.
	k := o.inProgress()
	o.clock.Advance(60 * 24 * time.Hour)
	k = o.must("dispatcher", k, tickets.Merge, tickets.Fields{Parent: parent.ID})
	k = o.must("dispatcher", k, tickets.Unmerge, tickets.Fields{Text: "another site"})
	if !due(k, "resolve").Before(o.clock.Now()) {
		t.Error("an overdue ticket was merged and unmerged and is in time again")
	}
	// The other matter's answer is not this one's.
	answered := o.inProgress()
	late := o.must("dispatcher", o.file(), tickets.Merge, tickets.Fields{Parent: answered.ID})
	o.must("handler-env", answered, tickets.Reply, answer())
	late = must(o.ByID(t.Context(), o.as("dispatcher"), late.ID))
	late = o.must("dispatcher", late, tickets.Unmerge, tickets.Fields{Text: "another site"})
	if late.Reply != "" || late.Ratable() {
		t.Errorf("%s carries the answer %q", late.State, late.Reply)
	}
}

// Staff who merge, take apart and answer at once never cost a reporter the answer: whoever is merged at the end of it has the answer of the
// ticket that they are merged into, exactly once for each time it was given.
func TestNoReporterLosesTheAnswer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("many interleavings")
	}
	o := open(t)
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(rt, "children")
		tickets.SetInline(o.Service, rapid.IntRange(0, 3).Draw(rt, "told in the reply itself"))
		seed := rapid.Uint64().Draw(rt, "seed")
		parent := o.inProgress()
		children := make([]tickets.Ticket, n)
		for i := range children {
			children[i] = o.file()
			if i%2 == 0 {
				children[i] = o.must("dispatcher", children[i], tickets.Merge, tickets.Fields{Parent: parent.ID})
			}
		}
		var staff sync.WaitGroup
		for worker := range 2 {
			rnd := rand.New(rand.NewPCG(seed, uint64(worker)))
			staff.Go(func() {
				for range 2 * n {
					k := children[rnd.IntN(n)]
					action, f := tickets.Merge, tickets.Fields{Parent: parent.ID}
					if rnd.IntN(2) == 0 {
						action, f = tickets.Unmerge, tickets.Fields{Text: "not the same"}
					}
					_, err := o.Apply(ctx, o.as("dispatcher"), k.ID, tickets.AnyVersion, action, f, "")
					if err != nil && !errors.Is(err, tickets.ErrNoMove) && !errors.Is(err, tickets.ErrBusy) {
						rt.Errorf("%s: %v", action, err)
					}
				}
			})
		}
		staff.Go(func() {
			if _, err := o.Apply(ctx, o.as("handler-env"), parent.ID, tickets.AnyVersion, tickets.Reply, answer(), ""); err != nil {
				rt.Errorf("reply: %v", err)
			}
		})
		staff.Go(func() {
			for range 6 {
				if _, err := o.SweepBroadcasts(ctx, o.clock.Now(), 2); err != nil {
					rt.Errorf("sweep: %v", err)
				}
			}
		})
		staff.Wait()
		for o.sweepBroadcasts(o.Service, 50) > 0 {
		}
		for _, k := range children {
			k, err := o.ByID(ctx, o.as("supervisor"), k.ID)
			if err != nil {
				rt.Fatal(err)
			}
			if k.State == tickets.Merged && k.Reply != answer().Text {
				rt.Errorf("a merged reporter never got the answer: %s", k.Number)
			}
			if k.State != tickets.Merged && (k.Reply != "" || !k.Open()) {
				rt.Errorf("a ticket of its own is %s with another's answer", k.State)
			}
			if err := o.VerifyHistory(ctx, o.as("supervisor"), k.ID); err != nil {
				rt.Errorf("the chain of %s: %v", k.Number, err)
			}
		}
	})
}

func TestFollowersJoinInTheSameTransaction(t *testing.T) {
	t.Parallel()
	o := open(t)
	parent := o.file()
	var k tickets.Ticket
	err := db.WithTx(t.Context(), o.pool, db.System(), func(tx db.Tx) error {
		ok, err := o.FollowableTx(t.Context(), tx, parent.ID)
		if err != nil || !ok {
			return fmt.Errorf("not followable: %w", err)
		}
		d := o.draft()
		d.ConversationID, d.Following = o.conversation(), true
		if k, err = o.OpenTx(t.Context(), tx, d); err != nil {
			return err
		}
		k, err = o.ApplyTx(t.Context(), tx, tickets.System(), k.ID, k.Version, tickets.Merge, tickets.Fields{Parent: parent.ID}, "")
		return err
	})
	if err != nil || k.State != tickets.Merged || k.Parent != parent.ID {
		t.Fatalf("%v %+v", err, k)
	}
	if n := o.count(o.city.Staff("operator"), "notifications where ticket_id = '"+k.ID.String()+"'"); n != 0 {
		t.Errorf("%d people are told of a follower", n)
	}
	for name, target := range map[string]uuid.UUID{"a report": o.file(func(d *tickets.Draft) { d.Kind = "report" }).ID, "one that is over": o.must("citizen", o.file(), tickets.Withdraw, tickets.Fields{}).ID, "nothing": uuid.New()} {
		err := db.WithTx(t.Context(), o.pool, db.System(), func(tx db.Tx) error {
			ok, err := o.FollowableTx(t.Context(), tx, target)
			if ok {
				t.Errorf("%s can be followed", name)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
