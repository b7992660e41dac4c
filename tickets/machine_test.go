package tickets_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"hotline/internal/errs"
	"hotline/tickets"
)

// actions is every action of the table, and one that is none.
func actions() []tickets.Action {
	out := []tickets.Action{"fly"}
	for _, m := range tickets.Table() {
		if !slices.Contains(out, m.Name) {
			out = append(out, m.Name)
		}
	}
	return out
}

// snapshot is everything in the database that belongs to a ticket.
func (o *office) snapshot(id uuid.UUID) string {
	var s string
	err := o.owner.QueryRow(o.Context(), `select concat_ws('|', t, (select string_agg(e::text, ',' order by seq) from ticket_events e where ticket_id = t.id),
		(select string_agg(c::text, ',' order by name) from ticket_clocks c where ticket_id = t.id), (select string_agg(a::text, ',' order by agency_id) from ticket_access a where ticket_id = t.id),
		(select string_agg(g::text, ',' order by seq) from assignments g where ticket_id = t.id), (select count(*) from notifications n where ticket_id = t.id), (select count(*) from ticket_watchers w where ticket_id = t.id))
		from tickets t where id = $1`, id).Scan(&s)
	if err != nil {
		o.Fatal(err)
	}
	return s
}

// TestRandomActionsKeepTheInvariants lets everybody try everything.
func TestRandomActionsKeepTheInvariants(t *testing.T) {
	t.Parallel()
	o := open(t)
	all := actions()
	users := []string{"operator", "dispatcher", "supervisor", "administrator", "handler-env", "head-env", "handler-util", "handler-street", "citizen", "system"}
	agencies := []uuid.UUID{o.city.Agencies["dept-environment"], o.city.Agencies["dept-utilities"], o.city.Agencies["street-east-1"], o.city.Agencies["hotline"], uuid.New()}
	actorOf := func(user string, k tickets.Ticket) tickets.Actor {
		switch user {
		case "citizen":
			return citizen(k)
		case "system":
			return tickets.System()
		}
		return o.as(user)
	}
	visited := map[tickets.State]int{}
	moved := map[tickets.Action]int{}
	rapid.Check(t, func(rt *rapid.T) {
		o.clock.Set(tuesday)
		parent := o.file()
		k := o.file(func(d *tickets.Draft) { d.NeedsAcceptance = rapid.Bool().Draw(rt, "held") })
		var promised *time.Time
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			// Three times of four somebody does what the table offers, and seldom what ends the case, so that tickets get far; else anybody
			// tries anything.
			user, name := rapid.SampledFrom(users).Draw(rt, "user"), rapid.SampledFrom(all).Draw(rt, "action")
			reason, lead := rapid.SampledFrom([]string{"not_responsible", "litigation", "nonsense"}).Draw(rt, "reason"), rapid.SampledFrom(agencies).Draw(rt, "lead")
			if rapid.IntRange(0, 3).Draw(rt, "legal") > 0 {
				type try struct {
					user string
					name tickets.Action
				}
				var offered []try
				for _, u := range users {
					for _, m := range o.Moves(actorOf(u, k), k) {
						if m.To != m.From && (m.To.Info().Holder != tickets.HeldByNobody && m.To != tickets.Transferred || rapid.IntRange(0, 30).Draw(rt, "end") == 0) || rapid.IntRange(0, 5).Draw(rt, "stay") == 0 && m.To == m.From {
							offered = append(offered, try{u, m.Name})
						}
					}
				}
				if len(offered) > 0 {
					pick := rapid.SampledFrom(offered).Draw(rt, "move")
					user, name, lead = pick.user, pick.name, agencies[rapid.IntRange(0, 2).Draw(rt, "good lead")]
					if list := tickets.Reasons(name); len(list) > 0 {
						reason = list[0].Code
					}
				}
			}
			actor := actorOf(user, k)
			f := tickets.Fields{Text: "text", Outcome: "resolved", Resolved: yes(), Basis: "basis", RightChannel: "court", TransferTo: "110", Days: rapid.IntRange(0, 6).Draw(rt, "days"),
				Satisfaction: rapid.IntRange(1, 6).Draw(rt, "satisfaction"), Lead: lead, Parent: rapid.SampledFrom([]uuid.UUID{parent.ID, k.ID, uuid.New()}).Draw(rt, "parent"), Reason: reason,
				Category: rapid.SampledFrom([]string{"utilities.water", "environment.noise", "environment.dust", "no.such"}).Draw(rt, "category")}
			if rapid.IntRange(0, 9).Draw(rt, "blank") == 0 {
				f = tickets.Fields{}
			}
			version := k.Version
			if rapid.IntRange(0, 9).Draw(rt, "stale") == 0 {
				version--
			}
			before := o.snapshot(k.ID)
			next, err := o.Apply(t.Context(), actor, k.ID, version, name, f, "")
			if err != nil {
				if kind := errs.KindOf(err); kind == errs.Internal {
					rt.Fatalf("%s by %s in %s: %v", name, user, k.State, err)
				}
				if after := o.snapshot(k.ID); after != before {
					rt.Fatalf("%s by %s in %s failed with %v and changed\n%s to\n%s", name, user, k.State, err, before, after)
				}
				continue
			}
			row, ok := findMove(k.State, name)
			if !ok || row.To != next.State || next.Version != k.Version+1 || version == k.Version-1 && version != tickets.AnyVersion {
				rt.Fatalf("%s by %s led from %s to %s, version %d to %d", name, user, k.State, next.State, k.Version, next.Version)
			}
			if promised != nil && next.PromisedAt != nil && next.PromisedAt.Before(*promised) {
				rt.Fatalf("%s moved the promised deadline from %s to %s", name, promised, next.PromisedAt)
			}
			if next.PromisedAt != nil {
				promised = next.PromisedAt
			}
			k = next
			visited[k.State]++
			moved[name]++
			o.clock.Advance(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "minutes")) * time.Minute)
			if rapid.IntRange(0, 5).Draw(rt, "sweep") == 0 {
				if _, err := o.Sweep(t.Context(), o.clock.Now(), 50); err != nil {
					rt.Fatal(err)
				}
				var err error
				if k, err = o.ByID(t.Context(), tickets.System(), k.ID); err != nil {
					rt.Fatal(err)
				}
			}
		}
		stored, err := o.ByID(t.Context(), tickets.System(), k.ID)
		if err != nil || stored.State != k.State || stored.Version != k.Version || stored.Assignee != k.Assignee || stored.Lead != k.Lead || fmt.Sprint(stored.DueAt) != fmt.Sprint(k.DueAt) {
			rt.Fatalf("stored\n%+v, returned\n%+v: %v", stored, k, err)
		}
		if !k.Open() {
			var running int
			if err := o.owner.QueryRow(t.Context(), `select count(*) from ticket_clocks where ticket_id = $1 and stopped_at is null and name <> 'rectify'`, k.ID).Scan(&running); err != nil || running != 0 {
				rt.Fatalf("%d clocks run in %s", running, k.State)
			}
		}
		if err := o.VerifyHistory(t.Context(), tickets.System(), k.ID); err != nil {
			rt.Fatal(err)
		}
		// Access rows and the ticket say the same.
		var off int
		if err := o.owner.QueryRow(t.Context(), `select count(*) from ticket_access a join tickets t on t.id = a.ticket_id where a.role <> 'past' and
			(a.state, a.lead_id, a.assignee_id, a.due_at, a.category) is distinct from (t.state, t.lead_id, t.assignee_id, coalesce(t.due_at, 'infinity'), t.category)`).Scan(&off); err != nil || off != 0 {
			rt.Fatalf("%d access rows differ from their tickets: %v", off, err)
		}
		o.gapFree()
	})
	t.Logf("states reached: %v; moves made: %d kinds", visited, len(moved))
}

func findMove(s tickets.State, a tickets.Action) (tickets.Move, bool) {
	for _, m := range tickets.Table() {
		if m.From == s && m.Name == a {
			return m, true
		}
	}
	return tickets.Move{}, false
}

func TestTheTableIsSound(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	reached := map[tickets.State]bool{tickets.Received: true, tickets.AnsweredDirectly: true}
	leaves := map[tickets.State]bool{}
	for _, m := range tickets.Table() {
		id := string(m.From) + " " + string(m.Name)
		if seen[id] {
			t.Errorf("%s stands twice", id)
		}
		seen[id] = true
		if !m.From.Known() || !m.To.Known() || len(m.Roles) == 0 {
			t.Errorf("%s: unknown state or no role", id)
		}
		if m.From != m.To {
			reached[m.To] = true
			leaves[m.From] = true
		}
		for _, f := range m.Required {
			if f == tickets.FReason && len(tickets.Reasons(m.Name)) == 0 {
				t.Errorf("%s wants a reason and has no list of them", id)
			}
		}
	}
	for _, i := range tickets.States() {
		if !reached[i.State] {
			t.Errorf("no way leads to %s", i.State)
		}
		if i.Open && !leaves[i.State] {
			t.Errorf("%s is open and a dead end", i.State)
		}
	}
	if tickets.State("nowhere").Known() || errors.Is(nil, tickets.ErrNoMove) {
		t.Error("an unknown state is known")
	}
}
