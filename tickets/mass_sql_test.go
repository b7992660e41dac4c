package tickets_test

import (
	"slices"
	"testing"

	"hotline/internal/testkit"
	"hotline/tickets"
)

// Every statement is prepared against the real schema, as the application.
func TestTheStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	testkit.Prepare(t, testkit.DB(t), slices.Concat(tickets.MassStatements, tickets.DeskStatements, tickets.AppealStatements)...)
}
