// Package ticketstest is the kit of the tests of tickets and of the packages beside it: a hotline with a tiny city, a clock that stands still and a
// routing that the test decides. Test code: nothing that is built imports it (internal/archtest).
package ticketstest

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

// Office is the hotline.
type Office struct {
	testing.TB
	*tickets.Service
	Pool  *pgxpool.Pool
	Owner *pgxpool.Pool
	City  testkit.TinyCity
	Clock *clock.Fake
	Route *tickets.Route
	Rules map[string]string // jurisdiction of agencies that have another than the hotline's, by code
}

// Tuesday, in working hours, far from any holiday: where the clock stands.
var Tuesday = time.Date(2026, 3, 10, 10, 0, 0, 0, time.FixedZone("CST", 8*3600))

// Key is the installation's secret.
var Key = []byte("a secret of thirty-two bytes.....")

// Open opens the hotline on a database of its own.
func Open(t testing.TB) *Office {
	t.Helper()
	pool := testkit.DB(t)
	o := &Office{TB: t, Pool: pool, Owner: testkit.OwnerPool(t, pool), City: testkit.City(t, pool), Clock: clock.NewFake(Tuesday), Route: &tickets.Route{}, Rules: map[string]string{}}
	o.Service = o.Node()
	return o
}

// Node makes another service on the same database, as a second node has one.
func (o *Office) Node() *tickets.Service {
	o.Helper()
	agencies := map[uuid.UUID]tickets.Agency{}
	rows, err := o.Owner.Query(o.Context(), `select id, code, ancestors, kind = 'hotline', active from agencies`)
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
	s, err := tickets.New(tickets.Deps{Pool: o.Pool, Clock: o.Clock, Key: Key, Log: slog.New(slog.DiscardHandler), Router: tickets.Router{
		Decide: func(f tickets.RouteFacts) tickets.Route {
			r := *o.Route
			if slices.Contains(f.Excluded, r.Lead) {
				r.Lead = uuid.Nil
			}
			return r
		},
		Agency: func(id uuid.UUID) (tickets.Agency, bool) {
			a, ok := agencies[id]
			a.Jurisdiction = o.Rules[a.Code]
			return a, ok
		},
		Desk: func() uuid.UUID { return o.City.Agencies["hotline"] },
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

// As is one of the city's staff.
func (o *Office) As(user string) tickets.Actor {
	return tickets.Staff(o.City.Staff(user), rolesOf[user])
}

// Citizen is who filed the ticket.
func Citizen(t tickets.Ticket) tickets.Actor { return tickets.CitizenBy(db.CitizenOfTicket(t.ID)) }

// Conversation makes an empty one.
func (o *Office) Conversation() uuid.UUID {
	o.Helper()
	id := db.NewID()
	if _, err := o.Owner.Exec(o.Context(), `insert into conversations (id, channel, account, thread) values ($1, 'web', 'test', $2)`, id, id.String()); err != nil {
		o.Fatal(err)
	}
	return id
}

// Draft is a complaint about noise.
func (o *Office) Draft() tickets.Draft {
	return tickets.Draft{Kind: "complaint", Category: "environment.noise", Title: "夜间施工噪音", Description: "Drilling next to the school keeps us awake every night.", Lang: "en", Channel: "web"}
}

// File opens a ticket as the system, as intake does.
func (o *Office) File(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	d := o.Draft()
	for _, e := range edit {
		e(&d)
	}
	if d.ConversationID == uuid.Nil {
		d.ConversationID = o.Conversation()
	}
	var t tickets.Ticket
	err := db.WithTx(o.Context(), o.Pool, db.System(), func(tx db.Tx) error {
		var err error
		t, err = o.OpenTx(o.Context(), tx, d)
		return err
	})
	if err != nil {
		o.Fatalf("open: %v", err)
	}
	return t
}

// Must makes a move that has to succeed.
func (o *Office) Must(user string, t tickets.Ticket, a tickets.Action, f tickets.Fields) tickets.Ticket {
	o.Helper()
	actor := Citizen(t)
	if user != "citizen" {
		actor = o.As(user)
	}
	out, err := o.Apply(o.Context(), actor, t.ID, t.Version, a, f, "")
	if err != nil {
		o.Fatalf("%s by %s in %s: %v", a, user, t.State, err)
	}
	return out
}

// Dispatched files a ticket and dispatches it to the environment department.
func (o *Office) Dispatched(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	return o.Must("dispatcher", o.File(edit...), tickets.Dispatch, tickets.Fields{Lead: o.City.Agencies["dept-environment"]})
}

// InProgress is Dispatched and signed for.
func (o *Office) InProgress(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	return o.Must("handler-env", o.Dispatched(edit...), tickets.Sign, tickets.Fields{})
}

// Contact makes one with a name.
func (o *Office) Contact(phone, email string) *uuid.UUID {
	o.Helper()
	id := db.NewID()
	if _, err := o.Owner.Exec(o.Context(), `insert into contacts (id, name, phone, email) values ($1, 'Chen Wei', $2, $3)`, id, phone, email); err != nil {
		o.Fatal(err)
	}
	return &id
}

// Rows counts the rows of a table that an actor sees, without any filter: what row-level security leaves.
func (o *Office) Rows(a db.Actor, table string) int {
	o.Helper()
	var n int
	err := db.ReadTx(o.Context(), o.Pool, a, func(tx db.Tx) error {
		return tx.QueryRow(o.Context(), `select count(*) from `+table).Scan(&n)
	})
	if err != nil {
		o.Fatalf("%s: %v", table, err)
	}
	return n
}

// Yes and No are the answers to whether it is solved.
func Yes() *bool { v := true; return &v }
func No() *bool  { v := false; return &v }

// Answer is a reply that closes a case.
func Answer() tickets.Fields {
	return tickets.Fields{Text: "The site has stopped working at night.", Outcome: "resolved", Resolved: Yes()}
}

// Path is the kinds of the entries of a history, in order.
func Path(events []tickets.Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s ", e.Type)
	}
	return strings.TrimSpace(b.String())
}

// Must gives the value of a call that has to succeed.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
