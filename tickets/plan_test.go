package tickets_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets"
)

// fill puts n tickets into the database the short way.
func (o *office) fill(n int) { o.Helper(); o.Fill(n) }

// node is a node of a plan, as EXPLAIN writes it.
type node struct {
	Type    string  `json:"Node Type"`
	Index   string  `json:"Index Name"`
	Table   string  `json:"Relation Name"`
	Rows    float64 `json:"Actual Rows"`
	Loops   float64 `json:"Actual Loops"`
	Removed float64 `json:"Rows Removed by Filter"`
	Plans   []node  `json:"Plans"`
}

// read is how many rows the plan touched in its scans, and over which indexes.
func (n node) read(indexes map[string]bool) float64 {
	var sum float64
	if strings.Contains(n.Type, "Scan") && n.Table != "" {
		sum = (n.Rows + n.Removed) * n.Loops
		if n.Index == "" {
			indexes["none on "+n.Table] = true
		}
	}
	if n.Index != "" {
		indexes[n.Index] = true
	}
	for _, p := range n.Plans {
		sum += p.read(indexes)
	}
	return sum
}

// plan explains a statement on its seventh execution, when PostgreSQL may have changed to a generic plan, under the actor's eyes.
func (o *office) plan(a tickets.Actor, sql string, args []any) (node, map[string]bool) {
	o.Helper()
	return o.planUnder(tickets.ListSettings, a, sql, args)
}

func (o *office) planUnder(settings string, a tickets.Actor, sql string, args []any) (node, map[string]bool) {
	o.Helper()
	var root node
	ctx := o.Context()
	err := db.ReadTx(ctx, o.pool, a.DB, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, settings); err != nil {
			return err
		}
		name := fmt.Sprintf("p%d", time.Now().UnixNano())
		if _, err := tx.Conn().Prepare(ctx, name, sql); err != nil {
			return err
		}
		for range 6 {
			rows, err := tx.Query(ctx, name, args...)
			if err != nil {
				return err
			}
			rows.Close()
			if err := rows.Err(); err != nil {
				return err
			}
		}
		var lits []string
		for _, v := range args {
			s := fmt.Sprint(v)
			if at, ok := v.(time.Time); ok {
				s = at.Format(time.RFC3339Nano)
			}
			lits = append(lits, "'"+strings.ReplaceAll(s, "'", "''")+"'")
		}
		var out []byte
		if err := tx.QueryRow(ctx, `explain (analyze, timing off, format json) execute `+name+`(`+strings.Join(lits, ", ")+`)`, pgx.QueryExecModeSimpleProtocol).Scan(&out); err != nil {
			return err
		}
		var plans []struct{ Plan node }
		if err := json.Unmarshal(out, &plans); err != nil {
			return err
		}
		root = plans[0].Plan
		return nil
	})
	if err != nil {
		o.Fatalf("explain: %v\n%s", err, sql)
	}
	indexes := map[string]bool{}
	root.read(indexes)
	return root, indexes
}

func TestEveryViewReadsItsOwnIndex(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.fill(20_000)
	const limit = 25
	for _, user := range []string{"dispatcher", "handler-env"} {
		a := o.as(user)
		for v, want := range map[tickets.View]string{
			tickets.ViewMy: "ticket_access_assignee", tickets.ViewUnassigned: "ticket_access_unassigned", tickets.ViewPendingDispatch: "ticket_access_queue",
			tickets.ViewReturned: "ticket_access_queue", tickets.ViewDueSoon: "ticket_access_open", tickets.ViewOverdue: "ticket_access_open",
			tickets.ViewAgency: "ticket_access_acting", tickets.ViewSupervised: "ticket_access_supervised", tickets.ViewMass: "ticket_access_mass",
			tickets.ViewWatched: "ticket_watchers_user", tickets.ViewMentioned: "ticket_mentions_user",
			tickets.ViewOpen: "ticket_access_open", tickets.ViewClosed: "ticket_access_closed", tickets.ViewAll: "ticket_access_all", tickets.ViewLive: "conversations_live",
		} {
			after := ""
			for _, depth := range []string{"first", "second", "filtered"} {
				f := tickets.Filter{}
				if depth == "filtered" {
					f.Kind, after = "complaint", ""
				}
				sql, args, settings, _, err := o.ListSQL(a, v, f, after, limit)
				if err != nil {
					t.Fatal(err)
				}
				root, indexes := o.planUnder(settings, a, sql, args)
				// A page reads its rows in the access index, each again as ticket, and each once more for the policy.
				// The lists of a person begin in a table of their own.
				times := 4.0
				if v == tickets.ViewWatched || v == tickets.ViewMentioned {
					times = 5
				}
				if n := root.read(map[string]bool{}); !indexes[want] || n > times*(limit+1) || anySeq(indexes) {
					t.Errorf("%s, %s page of %s: reads %.0f rows over %v, want %s", v, depth, user, n, indexes, want)
				}
				if depth == "first" {
					page, err := o.List(t.Context(), a, v, f, "", limit)
					if err != nil {
						t.Fatal(err)
					}
					if after = page.Next; after == "" {
						break
					}
				}
			}
			sql, args, err := o.CountSQL(a, v)
			if err != nil {
				t.Fatal(err)
			}
			most := 110.0
			if v == tickets.ViewWatched || v == tickets.ViewMentioned {
				most = 320 // the person's row, the agency's, and the one the policy asks for
			}
			if root, indexes := o.plan(a, sql, args); root.read(map[string]bool{}) > most || anySeq(indexes) {
				t.Errorf("the count of %s reads %.0f rows over %v", v, root.read(map[string]bool{}), indexes)
			}
		}
	}
	// Words are found first, in whatever view: twenty tickets here, and their access rows by the key. The planner, which thinks of a thousand, would read the view for them.
	for _, v := range tickets.Views() {
		a, f := o.as("dispatcher"), tickets.Filter{Text: "w777"}
		sql, args, settings, _, err := o.ListSQL(a, v, f, "", limit)
		if err != nil {
			t.Fatal(err)
		}
		if root, indexes := o.planUnder(settings, a, sql, args); root.read(map[string]bool{}) > 150 || anySeq(indexes) {
			t.Errorf("a search in %s reads %.0f rows over %v", v, root.read(map[string]bool{}), indexes)
		}
		if sql, args, err = o.FilterCountSQL(a, tickets.SavedFilter{View: v, Filter: f}, ""); err != nil {
			t.Fatal(err)
		}
		if root, indexes := o.planUnder(tickets.CountSettings, a, sql, args); root.read(map[string]bool{}) > 150 || anySeq(indexes) {
			t.Errorf("the count of a search in %s reads %.0f rows over %v", v, root.read(map[string]bool{}), indexes)
		}
	}
	counts, err := o.Counts(t.Context(), o.as("dispatcher"))
	if err != nil || counts[tickets.ViewAll] != 101 {
		t.Errorf("counts are not capped: %v %v", counts, err)
	}
	o.emptyFilters()
}

// anySeq: a table that grows with the tickets was read without an index.
func anySeq(indexes map[string]bool) bool {
	for _, table := range []string{"tickets", "ticket_access", "ticket_search", "ticket_watchers", "ticket_mentions", "ticket_tags"} {
		if indexes["none on "+table] {
			return true
		}
	}
	return false
}

// A facet that half of the tickets match is filtered on the way through the view: reading all that it matches and sorting it took half a second at
// a million tickets. One that few match is read through its own index.
func TestACommonFacetIsFilteredInTheOrderOfTheView(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.fill(20_000)
	if _, err := o.owner.Exec(t.Context(), `update ticket_access a set area = case when right(t.number, 3) = '123' then 'street-east-2' when right(t.number, 1) < '5' then 'street-east-1' end from tickets t where t.id = a.ticket_id`); err != nil {
		t.Fatal(err)
	}
	a := o.as("dispatcher")
	if _, err := o.owner.Exec(t.Context(), `update ticket_access a set category = 'utilities.water' from tickets t where t.id = a.ticket_id and right(t.number, 1) in ('6', '7', '8') and a.role = 'desk' and not a.open`); err != nil {
		t.Fatal(err)
	}
	if _, err := o.owner.Exec(t.Context(), `update ticket_access a set lead_id = $1 from tickets t where t.id = a.ticket_id and right(t.number, 3) = '321'`, o.city.Agencies["dist-east"]); err != nil {
		t.Fatal(err)
	}
	if _, err := o.owner.Exec(t.Context(), `vacuum (analyze) ticket_access`); err != nil {
		t.Fatal(err)
	}
	now := o.clock.Now()
	for _, tt := range []struct {
		name string
		f    tickets.Filter
		way  string
		most float64 // rows that a page may read in the hotline's lists, whatever there is of it
	}{
		{"category", tickets.Filter{Category: "environment.noise"}, "", 300},
		{"category tree", tickets.Filter{Category: "environment"}, "category", 300}, // this router knows no tree
		{"street", tickets.Filter{Area: "street-east-1"}, "", 300},
		{"rare street", tickets.Filter{Area: "street-east-2"}, "area", 300},
		{"rare street of a common category", tickets.Filter{Category: "environment.noise", Area: "street-east-2"}, "area", 300},
		{"urgency of most", tickets.Filter{Urgency: "normal"}, "", 300},
		{"urgency of none", tickets.Filter{Urgency: "urgent"}, "urgency", 1},
		{"kind of none", tickets.Filter{Kind: "report"}, "kind", 1},
		{"a state of the hotline's turn", tickets.Filter{State: tickets.ReturnRequested}, "state", 330},
		{"a lead with few", tickets.Filter{Lead: o.city.Agencies["dist-east"]}, "lead", 300},
		{"an hour", tickets.Filter{From: now.Add(-10 * time.Hour), To: now.Add(-9 * time.Hour)}, "opened", 300},
	} {
		for _, v := range []tickets.View{tickets.ViewOpen, tickets.ViewOverdue, tickets.ViewClosed, tickets.ViewAll, tickets.ViewUnassigned, tickets.ViewWatched} {
			sql, args, settings, way, err := o.ListSQL(a, v, tt.f, "", 25)
			if err != nil {
				t.Fatal(err)
			}
			if tt.name != "category tree" && way != tt.way {
				t.Fatalf("%s is read by %q, want %q", tt.name, way, tt.way)
			}
			if tt.name == "category tree" {
				continue // found below: its condition is no list of codes here
			}
			if v == tickets.ViewWatched && way == "" {
				continue // the person's list is read until enough are found
			}
			root, indexes := o.planUnder(settings, a, sql, args)
			if n := root.read(map[string]bool{}); n > tt.most || anySeq(indexes) {
				t.Errorf("%s in %s reads %.0f rows over %v", tt.name, v, n, indexes)
			}
		}
	}
	// Closed alone, three tenths of all: thousands of rows in the hotline's list, none of them open.
	for v, want := range map[tickets.View]string{tickets.ViewOpen: "ticket_access_desk_category", tickets.ViewOverdue: "ticket_access_desk_category", tickets.ViewClosed: "ticket_access_desk_closed"} {
		sql, args, _, _, err := o.ListSQL(a, v, tickets.Filter{Category: "utilities.water"}, "", 25)
		if err != nil {
			t.Fatal(err)
		}
		if root, indexes := o.planUnder(tickets.Unsorted, a, sql, args); !indexes[want] || root.read(map[string]bool{}) > 300 {
			t.Errorf("a category that is closed everywhere, in %s: %.0f rows over %v", v, root.read(map[string]bool{}), indexes)
		}
	}
}

// What chooses the way of a list answers as the owner: it must tell nobody anything of another agency.
func TestTheChoiceOfAWayTellsOnlyOfOnesOwnAgency(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.fill(5_000)
	few := func(a db.Actor, agency any) (few bool) {
		t.Helper()
		err := db.ReadTx(t.Context(), o.pool, a, func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `select few_tickets('category', '{environment.noise}', $1, 2000)`, agency).Scan(&few)
		})
		if err != nil {
			t.Fatal(err)
		}
		return few
	}
	env := o.city.Agencies["dept-environment"]
	if few(o.city.Staff("handler-env"), nil) || few(db.System(), env) {
		t.Error("5,000 are few")
	}
	for who, a := range map[string]db.Actor{"another agency": o.city.Staff("handler-util"), "nobody": {}, "a citizen": db.CitizenOfTicket(uuid.New())} {
		if !few(a, env) {
			t.Errorf("%s learns that an agency has many", who)
		}
	}
}

// The supervision board reads the tickets that stand on the ladder and no others, however many clocks have been dunned in the city.
func TestTheLadderReadsItsOwnIndex(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.fill(20_000)
	for _, sql := range []string{
		`insert into ticket_clocks (ticket_id, name, policy, n, unit, started_at, warn_at, due_at) select id, 'resolve', 'default', 7, 'days', opened_at, due_at, due_at from tickets where state <> 'closed'`,
		`update ticket_clocks set stage = 'criticism' where due_at <= now()`, `vacuum (analyze) ticket_access`, `analyze ticket_clocks`,
	} {
		if _, err := o.owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []string{"dispatcher", "handler-env"} {
		a := o.as(user)
		for _, key := range []string{"", "2025-06-01 00:00:00+00"} {
			root, indexes := o.planUnder(tickets.ListSettings, a, tickets.LadderSQL, []any{a.DB.Agency(), key, uuid.Nil, 26, 0})
			if n := root.read(map[string]bool{}); !indexes["ticket_access_standing"] || n > 8*27 || anySeq(indexes) {
				t.Errorf("the ladder of %s after %q reads %.0f rows over %v", user, key, n, indexes)
			}
		}
	}
}

func TestSearchStaysFastBehindTheWall(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.fill(20_000)
	for _, tt := range []struct {
		user, text string
		want       int
	}{
		{"handler-env", "w777", 20}, // one ticket in a thousand
		{"dispatcher", "w777", 20},
		{"dispatcher", "case", 100},      // all of them
		{"handler-env", "case w777", 20}, // both
		{"handler-util", "case", 0},      // another agency's
		{"handler-env", "nosuchword", 0},
	} {
		for range 7 {
			page, err := o.List(t.Context(), o.as(tt.user), tickets.ViewAll, tickets.Filter{Text: tt.text}, "", 100)
			if err != nil || len(page.Rows) != tt.want {
				t.Fatalf("%s finds %d of %q: %v", tt.user, len(page.Rows), tt.text, err)
			}
		}
		started := time.Now()
		if _, err := o.List(t.Context(), o.as(tt.user), tickets.ViewAll, tickets.Filter{Text: tt.text}, "", 100); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s %q: %s", tt.user, tt.text, time.Since(started).Round(time.Microsecond))
	}
	// The rare word is found through the GIN index, whatever the policy says.
	var plan strings.Builder
	tx, err := o.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }() // read only
	rows, err := tx.Query(t.Context(), `explain select count(*) from ticket_search s join ticket_access a on a.agency_id = $1 and a.ticket_id = s.ticket_id where s.words @@ '''w777'''::tsquery`,
		pgx.QueryExecModeSimpleProtocol, o.city.Agencies["hotline"])
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if !strings.Contains(plan.String(), "ticket_search_words") {
		t.Errorf("search reads without its index:\n%s", plan.String())
	}
}

// emptyFilters: a facet that matches nothing does not read the whole list to find that out.
func (o *office) emptyFilters() {
	o.Helper()
	for _, f := range []tickets.Filter{{Kind: "praise"}, {Category: "utilities.water"}} {
		for _, v := range []tickets.View{tickets.ViewAll, tickets.ViewOpen, tickets.ViewClosed} {
			sql, args, settings, _, err := o.ListSQL(o.as("dispatcher"), v, f, "", 25)
			if err != nil {
				o.Fatal(err)
			}
			if root, indexes := o.planUnder(settings, o.as("dispatcher"), sql, args); root.read(map[string]bool{}) > 100 {
				o.Errorf("%s with %+v reads %.0f rows over %v", v, f, root.read(map[string]bool{}), indexes)
			}
		}
	}
}
