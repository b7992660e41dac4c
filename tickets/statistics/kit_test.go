package statistics_test

import (
	"testing"

	"hotline/internal/testkit"
	"hotline/tickets/statistics"
	"hotline/tickets/ticketstest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// office is the kit's, with its numbers.
type office struct {
	*ticketstest.Office
	*statistics.Store
}

func open(t testing.TB) *office {
	t.Helper()
	o := ticketstest.Open(t)
	return &office{o, statistics.New(o.Pool, o.Clock, o.Service)}
}
