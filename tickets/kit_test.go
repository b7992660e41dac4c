package tickets_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
	"hotline/tickets/ticketstest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// office is the kit's, under the short names of this package.
type office struct {
	*ticketstest.Office
	pool, owner *pgxpool.Pool
	city        testkit.TinyCity
	clock       *clock.Fake
	route       *tickets.Route
	rules       map[string]string
}

const marks = ticketstest.Marks

var (
	tuesday = ticketstest.Tuesday
	key     = ticketstest.Key
	citizen = ticketstest.Citizen
	yes, no = ticketstest.Yes, ticketstest.No
	answer  = ticketstest.Answer
	path    = ticketstest.Path
)

func open(t testing.TB) *office {
	t.Helper()
	o := ticketstest.Open(t)
	return &office{Office: o, pool: o.Pool, owner: o.Owner, city: o.City, clock: o.Clock, route: o.Route, rules: o.Rules}
}

func (o *office) service() *tickets.Service              { o.Helper(); return o.Node() }
func (o *office) as(user string) tickets.Actor           { return o.As(user) }
func (o *office) conversation() uuid.UUID                { o.Helper(); return o.Conversation() }
func (o *office) contact(phone, email string) *uuid.UUID { o.Helper(); return o.Contact(phone, email) }
func (o *office) draft() tickets.Draft                   { return o.Draft() }
func (o *office) count(a db.Actor, table string) int     { o.Helper(); return o.Rows(a, table) }
func (o *office) file(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	return o.File(edit...)
}
func (o *office) dispatched(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	return o.Dispatched(edit...)
}
func (o *office) inProgress(edit ...func(*tickets.Draft)) tickets.Ticket {
	o.Helper()
	return o.InProgress(edit...)
}
func (o *office) must(user string, t tickets.Ticket, a tickets.Action, f tickets.Fields) tickets.Ticket {
	o.Helper()
	return o.Must(user, t, a, f)
}
