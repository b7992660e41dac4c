// Package statistics counts what happened to tickets and in chats, and answers questions about it.
//
// A follower reads what is new in the histories, has tickets/measures judge it, and keeps facts (a row for each ticket and agency) and sums of them; Count
// and Behind read those. Nothing of it stands in the way of a ticket: the package reads tickets and never writes one.
//
// Invariants, each held by a test:
//   - Every slice of the sums adds up to the facts, and a number has exactly as many tickets behind it as it says.
//   - A rebuild comes to what following came to, whatever ends it.
//   - Row-level security hides facts and sums as it hides the tickets: an agency counts its own and what lies below it.
//   - No address of a person stands in a fact; contacts are recognized by a keyed hash.
//
// Any number of processes may call Follow; one works at a time. It may import tickets, tickets/measures and the leaves under internal.
package statistics

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/tickets"
)

// Store keeps the facts and sums. It is safe for concurrent use.
type Store struct {
	pool    *pgxpool.Pool
	clock   clock.Clock
	tickets *tickets.Service
}

// New makes the store of the installation whose tickets t has.
func New(pool *pgxpool.Pool, c clock.Clock, t *tickets.Service) *Store {
	return &Store{pool: pool, clock: c, tickets: t}
}

// Day is the day of the jurisdiction that a moment lies in, as selections take it.
func (s *Store) Day(at time.Time) time.Time {
	return dayOf(at, s.tickets.Zone())
}

// Today is the present day of the jurisdiction, as selections take it.
func (s *Store) Today() time.Time {
	return dayOf(s.clock.Now(), s.tickets.Zone())
}

// dayOf is the day of t in a zone, as PostgreSQL's date comes and goes.
func dayOf(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
