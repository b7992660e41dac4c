package tickets_test

import (
	"slices"
	"testing"

	"hotline/tickets"
)

// Every statement is prepared against the real schema, as the application.
func TestTheStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	o := open(t)
	conn, err := o.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range slices.Concat(tickets.MassStatements, tickets.DeskStatements, tickets.AppealStatements) {
		if _, err := conn.Conn().Prepare(t.Context(), "", sql); err != nil {
			t.Errorf("%v\n%s", err, sql)
		}
	}
}
