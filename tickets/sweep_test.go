package tickets_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/tickets"
)

// notices returns the notifications of one type, as "agency role user".
func (o *office) notices(kind string) []string {
	o.Helper()
	rows, err := o.owner.Query(o.Context(), `select a.code || ' ' || n.role || coalesce(' ' || u.name, '') from notifications n
		join agencies a on a.id = n.agency_id left join users u on u.id = n.user_id where n.type = $1 order by n.created_at, 1`, kind)
	if err != nil {
		o.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			o.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func (o *office) sweep() tickets.Swept {
	o.Helper()
	out, err := o.Sweep(o.Context(), o.clock.Now(), 100)
	if err != nil {
		o.Fatal(err)
	}
	return out
}

func (o *office) at(s string) {
	o.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04", s, tuesday.Location())
	if err != nil {
		o.Fatal(err)
	}
	o.clock.Set(when)
}

func TestTheLadderClimbsFromReminderToCriticism(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress() // due on Tuesday the 17th, 17:30
	o.at("2026-03-11 16:00")
	o.sweep() // the first reply is reminded of, too: one working day
	if out := o.sweep(); out.Fired != 0 {
		t.Errorf("a second sweep at the same time fired %d", out.Fired)
	}
	var next time.Time
	for _, step := range []struct{ at, entry, told string }{
		{"2026-03-17 10:00", "reminder", "dept-environment handler handler-env"},
		{"2026-03-17 17:30", "notice", "dept-environment handler handler-env"},
		{"2026-03-18 09:00", "dunning", "dept-environment head"},
		{"2026-03-24 17:30", "criticism", "hotline supervisor"},
	} {
		o.at(step.at)
		before := len(o.notices(step.entry))
		out := o.sweep()
		if out.Fired == 0 {
			t.Fatalf("at %s nothing fired; next is %s", step.at, out.Next)
		}
		if told := o.notices(step.entry); len(told) <= before || !contains(told, step.told) {
			t.Errorf("at %s %s told %v", step.at, step.entry, told)
		}
		next = out.Next
	}
	if !next.IsZero() {
		t.Errorf("after the last rung the next is %s", next)
	}
	k, err := o.ByID(t.Context(), o.as("supervisor"), k.ID)
	if err != nil || !k.Supervised {
		t.Errorf("criticism leaves no mark: %v", err)
	}
	// Reminders are not moves: a form opened before them is still good.
	o.must("handler-env", k, tickets.Reply, answer())
	o.clock.Advance(24 * time.Hour)
	for _, c := range must(o.Clocks(t.Context(), o.as("supervisor"), k.ID)) {
		if c.Name == "resolve" && !c.Stopped {
			t.Error("the answer did not stop the clock")
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func TestAfterAStandstillOnlyTheHighestRungFires(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.file()
	o.clock.Advance(90 * 24 * time.Hour)
	o.sweep()
	for kind, want := range map[string]int{"reminder": 0, "notice": 0, "dunning": 0} {
		if got := o.notices(kind); len(got) != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if len(o.notices("criticism")) == 0 {
		t.Error("no criticism")
	}
}

func TestASupersededClockDoesNothing(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.dispatched()
	o.must("citizen", k, tickets.Withdraw, tickets.Fields{})
	o.clock.Advance(90 * 24 * time.Hour)
	if out := o.sweep(); out.Fired != 0 || !out.Next.IsZero() {
		t.Errorf("%+v", out)
	}
	// Even when something left a clock running by mistake.
	if _, err := o.owner.Exec(t.Context(), `update ticket_clocks set next_fire_at = due_at, stopped_at = null where ticket_id = $1`, k.ID); err != nil {
		t.Fatal(err)
	}
	if out := o.sweep(); out.Fired != 0 || !out.Next.IsZero() {
		t.Errorf("%+v", out)
	}
}

func TestWorkGoesOnWhenTheCitizenStaysSilent(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	promised := *k.PromisedAt
	k = o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Which floor?"})
	o.at("2026-03-17 17:29")
	if out := o.sweep(); out.Fired != 0 {
		t.Errorf("a paused clock fired: %+v", out)
	}
	o.at("2026-03-17 17:31") // five working days
	if out := o.sweep(); out.Fired != 1 {
		t.Errorf("%+v", out)
	}
	k, err := o.ByID(t.Context(), o.as("handler-env"), k.ID)
	if err != nil || k.State != tickets.InProgress || !k.PromisedAt.After(promised) || k.Assignee != o.city.Users["handler-env"] {
		t.Errorf("%s %s %v", k.State, k.PromisedAt, err)
	}
}

func TestTwoNodesNeverFireTwice(t *testing.T) {
	t.Parallel()
	o := open(t)
	const n = 40
	for range n {
		o.file()
	}
	o.clock.Advance(29 * time.Minute) // every dispatch clock is yellow
	nodes := []*tickets.Service{o.service(), o.service(), o.service()}
	var wg sync.WaitGroup
	fired := make([]int, len(nodes))
	seen := make([][]uuid.UUID, len(nodes))
	for i, node := range nodes {
		wg.Go(func() {
			for range 60 {
				out, err := node.Sweep(t.Context(), o.clock.Now(), 3)
				if err != nil {
					t.Error(err)
					return
				}
				fired[i] += out.Fired
				seen[i] = append(seen[i], out.Tickets...)
			}
		})
	}
	wg.Wait()
	var entries, told int
	if err := o.owner.QueryRow(t.Context(), `select (select count(*) from ticket_events where type = 'reminder'), (select count(*) from notifications where type = 'reminder')`).Scan(&entries, &told); err != nil {
		t.Fatal(err)
	}
	if entries != n || told != n || fired[0]+fired[1]+fired[2] != n {
		t.Errorf("%d entries, %d notices, fired %v for %d clocks", entries, told, fired, n)
	}
}

func TestASweepAndAMoveOnTheSameTicketDoNotBlockEachOther(t *testing.T) {
	t.Parallel()
	o := open(t)
	var open []tickets.Ticket
	for range 20 {
		open = append(open, o.file())
	}
	o.clock.Advance(29 * time.Minute)
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 30 {
			if _, err := o.Sweep(t.Context(), o.clock.Now(), 5); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for _, k := range open {
			if _, err := o.Apply(t.Context(), o.as("dispatcher"), k.ID, k.Version, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]}, ""); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	o.gapFree()
}

// gapFree checks every history in the database.
func (o *office) gapFree() {
	o.Helper()
	var bad int
	err := o.owner.QueryRow(o.Context(), `
		select count(*) from tickets t where
		  (select count(*) from ticket_events e where e.ticket_id = t.id) <> t.events
		  or (select max(seq) from ticket_events e where e.ticket_id = t.id) <> t.events
		  or t.state <> (select to_state from ticket_events e where e.ticket_id = t.id and to_state <> '' order by seq desc limit 1)
		  or exists (select from (select from_state, lag(to_state) over (order by seq) as before from ticket_events e where e.ticket_id = t.id and to_state <> '') x
		             where x.before is not null and x.before <> x.from_state)`).Scan(&bad)
	if err != nil {
		o.Fatal(err)
	}
	if bad != 0 {
		o.Errorf("%d tickets whose history has a gap or does not end in their state", bad)
	}
}
