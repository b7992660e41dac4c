package tickets_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// office is a hotline with a tiny city, a clock that stands still and a routing that the test decides.
type office struct {
	testing.TB
	*tickets.Service
	pool  *pgxpool.Pool
	owner *pgxpool.Pool
	city  testkit.TinyCity
	clock *clock.Fake
	route *tickets.Route
	rules map[string]string // jurisdiction of agencies that have another than the hotline's, by code
}

// Tuesday, in working hours, far from any holiday.
var tuesday = time.Date(2026, 3, 10, 10, 0, 0, 0, time.FixedZone("CST", 8*3600))

var key = []byte("a secret of thirty-two bytes.....")

func open(t testing.TB) *office {
	t.Helper()
	pool := testkit.DB(t)
	o := &office{TB: t, pool: pool, owner: testkit.OwnerPool(t, pool), city: testkit.City(t, pool), clock: clock.NewFake(tuesday), route: &tickets.Route{}, rules: map[string]string{}}
	o.Service = o.service()
	return o
}

func (o *office) service() *tickets.Service {
	o.Helper()
	agencies := map[uuid.UUID]tickets.Agency{}
	rows, err := o.owner.Query(o.Context(), `select id, code, ancestors, kind = 'hotline', active from agencies`)
	if err != nil {
		o.Fatal(err)
	}
	for rows.Next() {
		var a tickets.Agency
		if err := rows.Scan(&a.ID, &a.Code, &a.Ancestors, &a.Desk, &a.Active); err != nil {
			o.Fatal(err)
		}
		agencies[a.ID] = a
	}
	s, err := tickets.New(tickets.Deps{Pool: o.pool, Clock: o.clock, Key: key, Log: slog.New(slog.DiscardHandler), Router: tickets.Router{
		Decide: func(f tickets.RouteFacts) tickets.Route {
			r := *o.route
			if slices.Contains(f.Excluded, r.Lead) {
				r.Lead = uuid.Nil
			}
			return r
		},
		Agency: func(id uuid.UUID) (tickets.Agency, bool) {
			a, ok := agencies[id]
			a.Jurisdiction = o.rules[a.Code]
			return a, ok
		},
		Desk: func() uuid.UUID { return o.city.Agencies["hotline"] },
		CategoryKnown: func(code string) bool {
			return strings.HasPrefix(code, "environment") || code == "utilities.water" || code == "city.streetlight"
		},
		CategoryLeaf: func(code string) bool { return strings.Contains(code, ".") },
		ItemKnown:    func(code string) bool { return strings.HasPrefix(code, "T-") },
		ItemCategory: func(string) string { return "environment.noise" },
		AreaKnown:    func(code string) bool { return code != "nowhere" },
	}})
	if err != nil {
		o.Fatal(err)
	}
	return s
}

var rolesOf = map[string][]string{
	"operator": {"operator"}, "dispatcher": {"dispatcher"}, "supervisor": {"supervisor"}, "administrator": {"administrator"},
	"handler-env": {"handler"}, "head-env": {"head"}, "cleared-env": {"handler"}, "handler-util": {"handler"}, "handler-street": {"handler"},
}

// as is one of the city's staff.
func (o *office) as(user string) tickets.Actor {
	return tickets.Staff(o.city.Staff(user), rolesOf[user])
}

func citizen(t tickets.Ticket) tickets.Actor { return tickets.CitizenBy(db.CitizenOfTicket(t.ID)) }

func (o *office) conversation() uuid.UUID {
	o.Helper()
	id := db.NewID()
	if _, err := o.owner.Exec(o.Context(), `insert into conversations (id, channel, account, thread) values ($1, 'web', 'test', $2)`, id, id.String()); err != nil {
		o.Fatal(err)
	}
	return id
}

func (o *office) draft() tickets.Draft {
	return tickets.Draft{Kind: "complaint", Category: "environment.noise", Title: "夜间施工噪音", Description: "Drilling next to the school keeps us awake every night.", Lang: "en", Channel: "web"}
}

// file opens a ticket as the system, as intake does.
func (o *office) file(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	d := o.draft()
	for _, e := range edit {
		e(&d)
	}
	if d.ConversationID == uuid.Nil {
		d.ConversationID = o.conversation()
	}
	var t tickets.Ticket
	err := db.WithTx(o.Context(), o.pool, db.System(), func(tx db.Tx) error {
		var err error
		t, err = o.OpenTx(o.Context(), tx, d)
		return err
	})
	if err != nil {
		o.Fatalf("open: %v", err)
	}
	return t
}

// must makes a move that has to succeed.
func (o *office) must(user string, t tickets.Ticket, a tickets.Action, f tickets.Fields) tickets.Ticket {
	o.Helper()
	actor := citizen(t)
	if user != "citizen" {
		actor = o.as(user)
	}
	out, err := o.Apply(o.Context(), actor, t.ID, t.Version, a, f, "")
	if err != nil {
		o.Fatalf("%s by %s in %s: %v", a, user, t.State, err)
	}
	return out
}

func (o *office) dispatched(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	return o.must("dispatcher", o.file(edit...), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]})
}

func (o *office) inProgress(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	return o.must("handler-env", o.dispatched(edit...), tickets.Sign, tickets.Fields{})
}

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

func answer() tickets.Fields {
	return tickets.Fields{Text: "The site has stopped working at night.", Outcome: "resolved", Resolved: yes()}
}

func path(events []tickets.Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s ", e.Type)
	}
	return strings.TrimSpace(b.String())
}
