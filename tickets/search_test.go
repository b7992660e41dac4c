package tickets_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets"
)

// finds is what somebody's search finds, by title.
func (o *office) finds(user, text string) string {
	o.Helper()
	got := o.list(user, tickets.ViewAll, tickets.Filter{Text: text})
	slices.Sort(got)
	return strings.Join(got, " ")
}

func TestWhatASearchFindsFollowsTheTicketFromHandToHand(t *testing.T) {
	t.Parallel()
	o := open(t)
	env, util := o.city.Agencies["dept-environment"], o.city.Agencies["dept-utilities"]
	k := o.file(titled("quarry"))
	expect := func(step string, users map[string]string) {
		t.Helper()
		for user, want := range users {
			if got := o.finds(user, "quarry"); got != want {
				t.Errorf("%s: %s finds %q, want %q", step, user, got, want)
			}
		}
	}
	expect("filed", map[string]string{"dispatcher": "quarry", "handler-env": "", "handler-util": ""})
	k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: env})
	expect("dispatched", map[string]string{"dispatcher": "quarry", "handler-env": "quarry", "handler-util": ""})
	k = o.must("handler-env", k, tickets.Sign, tickets.Fields{})
	k = o.must("handler-env", k, tickets.RequestTransfer, tickets.Fields{Reason: "not_responsible", Basis: "catalogue", Text: "Water."})
	k = o.must("dispatcher", k, tickets.ApproveTransfer, tickets.Fields{})
	k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: util})
	// Who gave it back keeps its own past, and the search with it.
	expect("transferred", map[string]string{"dispatcher": "quarry", "handler-env": "quarry", "handler-util": "quarry"})
	k = o.must("handler-util", k, tickets.Sign, tickets.Fields{})
	// What is said later is found by who has it now.
	o.must("citizen", k, tickets.AddInformation, tickets.Fields{Text: "The dynamite is stored beside the kindergarten."})
	if got := o.finds("handler-util", "dynamite"); got != "quarry" {
		t.Errorf("words of later: %q", got)
	}
	// Without its access row an agency finds nothing, whatever the words of the index say.
	if _, err := o.owner.Exec(t.Context(), `delete from ticket_access where ticket_id = $1 and agency_id = $2`, k.ID, env); err != nil {
		t.Fatal(err)
	}
	expect("after the access was taken away", map[string]string{"dispatcher": "quarry", "handler-env": "", "handler-util": "quarry"})
	if n := o.hits("handler-env", "quarri"); n != 0 {
		t.Errorf("the search function gives away %d", n)
	}
}

func TestACoAgencyFindsATicketWhileItHasAPart(t *testing.T) {
	t.Parallel()
	o := open(t)
	util := o.city.Agencies["dept-utilities"]
	k := o.inProgress(titled("quarry"))
	k = o.must("dispatcher", k, tickets.AddCo, tickets.Fields{Co: []uuid.UUID{util}})
	if got := o.finds("handler-util", "quarry"); got != "quarry" {
		t.Errorf("with a part: %q", got)
	}
	o.must("dispatcher", k, tickets.DropCo, tickets.Fields{Co: []uuid.UUID{util}, Reason: "not_needed", Text: "Not needed."})
	if got := o.finds("handler-util", "quarry"); got != "" {
		t.Errorf("without: %q", got)
	}
	if n := o.hits("handler-util", "quarri"); n != 0 {
		t.Errorf("the search function gives away %d", n)
	}
}

// hits is what the search function itself returns to somebody, with nothing around it.
func (o *office) hits(user, word string) (n int) {
	o.Helper()
	err := db.ReadTx(o.Context(), o.pool, o.city.Staff(user), func(tx db.Tx) error {
		return tx.QueryRow(o.Context(), `select count(*) from search_tickets($1::text::tsquery, 2000, 200)`, "'"+word+"'").Scan(&n)
	})
	if err != nil {
		o.Fatal(err)
	}
	return n
}

// keysAgree compares what a search is narrowed by with the access rows, for every ticket there is.
func (o *office) keysAgree() {
	o.Helper()
	rows, err := o.owner.Query(o.Context(), `select t.number from tickets t join ticket_search s on s.ticket_id = t.id
		where (select array_agg(k order by k) from unnest(s.keys) k) is distinct from
			(select array_agg(k order by k) from (select search_span(t.opened_at) as k union all select agency_id from ticket_access a where a.ticket_id = t.id and a.role <> 'desk') own)`)
	if err != nil {
		o.Fatal(err)
	}
	if wrong, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(wrong) > 0 {
		o.Errorf("what a search is narrowed by is not who sees the ticket: %v %v", wrong, err)
	}
}

func TestTheKeysOfTheSearchAreThoseWhoSeeTheTicket(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.file()
	o.route.Lead, o.route.Auto, o.route.Co = o.city.Agencies["dept-environment"], true, []uuid.UUID{o.city.Agencies["dept-utilities"]}
	o.file() // dispatched by rule, in the statement of the intake
	o.file(func(d *tickets.Draft) { d.Kind = "report" })
	o.keysAgree()
	o.route.Auto = false
	k := o.must("handler-env", o.dispatched(), tickets.RequestReturn, tickets.Fields{Reason: "wrong_area", Basis: "map"})
	k = o.must("dispatcher", k, tickets.ApproveReturn, tickets.Fields{})
	o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-utilities"]})
	o.must("handler-env", o.inProgress(), tickets.Reply, answer())
	o.keysAgree()
}

// Words that many tickets hold and the agency's newest do not: what the planner expects is far from what there is, and the way leads back through time.
func TestASearchGoesBackThroughTime(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.fill(20_000)
	exec := func(sql string) {
		t.Helper()
		if _, err := o.owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	// Eight in ten hold the word, none of the newest 4,000; ten days have 14,400 of them.
	exec(`update ticket_search s set words = words || '''elder'':3D'::tsvector from tickets t where t.id = s.ticket_id and t.number > '2025-004000'`)
	// A pair that always comes together: rarer by the planner's reckoning than it is.
	exec(`update ticket_search s set words = words || '''left'':4D ''right'':5D'::tsvector from tickets t where t.id = s.ticket_id and t.number between '2025-010000' and '2025-012500'`)
	exec(`update ticket_search s set words = words || '''eldest'':6A'::tsvector from tickets t where t.id = s.ticket_id and t.number = '2025-019999'`)
	exec(`vacuum (analyze) ticket_search`)
	for _, tt := range []struct {
		user, text string
		want       int
	}{
		{"dispatcher", "elder", 100}, {"handler-env", "elder", 100}, {"handler-util", "elder", 0},
		{"dispatcher", "left right", 100}, {"handler-env", "left right", 100}, {"handler-util", "left right", 0},
		{"dispatcher", "eldest", 1}, {"dispatcher", "eldes", 100}, // its stem begins both {"handler-env", "eldest", 1}, {"handler-env", "eldest right", 0},
	} {
		for range 7 { // a generic plan would come with the sixth
			if got := o.list(tt.user, tickets.ViewAll, tickets.Filter{Text: tt.text}); len(got) != tt.want {
				t.Fatalf("%s finds %d of %q, want %d", tt.user, len(got), tt.text, tt.want)
			}
		}
	}
}

// Each filing computes a span: as an immutable function it was planned anew for every one of them, a tenth of a millisecond.
func TestTheSpanOfASearchIsExpandedWhereItIsCalled(t *testing.T) {
	t.Parallel()
	o := open(t)
	rows, err := o.owner.Query(t.Context(), `explain (verbose) select search_span(opened_at) from tickets`)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if text := strings.Join(plan, "\n"); err != nil || strings.Contains(text, "search_span") || !strings.Contains(text, "lpad") {
		t.Errorf("%v\n%s", err, text)
	}
}
