package db

import (
	"strings"

	"github.com/google/uuid"
)

// Actor is on whose behalf a transaction runs. Row-level security reads it from settings that last as long as the transaction.
// The zero Actor sees nothing.
type Actor struct {
	kind         string
	user, agency uuid.UUID
	desk         bool
	cleared      bool
	admin        bool
	conversation uuid.UUID
	ticket       uuid.UUID
}

// System is the program itself: workers, sweeps, intake. It sees everything.
func System() Actor { return Actor{kind: "system"} }

// Staff is a signed-in member of an agency. desk: the agency is the hotline itself. cleared: may see confidential tickets.
func Staff(user, agency uuid.UUID, desk, cleared bool) Actor {
	return Actor{kind: "staff", user: user, agency: agency, desk: desk, cleared: cleared}
}

// AsAdministrator is the member of staff with the right to change reference data. Row-level security grants it to staff of the hotline only.
func (a Actor) AsAdministrator() Actor {
	a.admin = a.kind == "staff"
	return a
}

// Citizen is the holder of a conversation's token.
func Citizen(conversation uuid.UUID) Actor { return Actor{kind: "citizen", conversation: conversation} }

// CitizenOfTicket is someone who showed a ticket's tracking code.
func CitizenOfTicket(ticket uuid.UUID) Actor { return Actor{kind: "citizen", ticket: ticket} }

// IsSystem reports whether the actor is the program itself.
func (a Actor) IsSystem() bool { return a.kind == "system" }

// User is the staff member, or uuid.Nil.
func (a Actor) User() uuid.UUID { return a.user }

// Agency is the staff member's agency, or uuid.Nil.
func (a Actor) Agency() uuid.UUID { return a.agency }

// Desk reports whether the actor is staff of the hotline itself.
func (a Actor) Desk() bool { return a.desk }

// Administrator reports whether the actor is an administrator of the hotline itself.
func (a Actor) Administrator() bool { return a.admin && a.desk }

// Cleared reports whether a member of staff may see confidential tickets.
func (a Actor) Cleared() bool { return a.cleared }

// begin is the statement that opens a transaction with this actor: one round trip. Every value is made by this package (UUIDs and
// fixed words), so nothing in it needs quoting.
func (a Actor) begin(readOnly bool) string {
	var b strings.Builder
	b.WriteString("begin")
	if readOnly {
		b.WriteString(" read only")
	}
	b.WriteString("; set local hotline.actor_kind = '" + a.kind + "'")
	id := func(name string, v uuid.UUID) {
		if v != uuid.Nil {
			b.WriteString("; set local hotline." + name + " = '" + v.String() + "'")
		}
	}
	id("user_id", a.user)
	id("agency_id", a.agency)
	id("conversation_id", a.conversation)
	id("ticket_id", a.ticket)
	if a.desk {
		b.WriteString("; set local hotline.desk = 't'")
	}
	if a.admin {
		b.WriteString("; set local hotline.admin = 't'")
	}
	if a.cleared {
		b.WriteString("; set local hotline.cleared = 't'")
	}
	return b.String()
}
