// Package tickets is the case file of the hotline: tickets, their state table, their history, their clocks and the lists staff work from.
//
// Invariants, each held by a test:
//   - The state table (Table) is the only place that says what may happen; console, API and documentation read the same rows. An action
//     that the table, the roles, the agency or a guard forbids changes nothing and says why.
//   - The history is gap-free and append-only: entry n follows entry n-1, and the application's role may neither change nor delete one.
//     Each entry is sealed with a keyed hash over itself and the seal before it, so that a change made past the program is noticed
//     (VerifyHistory).
//   - One access row for each agency that may see a ticket (ticket_access) goes with every change, in the same transaction. Row-level
//     security reads these rows, and so do the inbox views, through their own indexes.
//   - A clock fires each rung of its ladder once, whichever node sweeps; a stopped or paused one does nothing. The deadline told to the
//     citizen never moves earlier.
//   - The tracking code is never stored: it is derived from the installation's key, the ticket's id and the number of the issue, and
//     found by its keyed hash. The public number opens nothing.
//
// Life cycle: New, then calls from any goroutine; Sweep is called by a loop that the application owns. The package publishes nothing and
// touches no network; callers publish after commit (Announce).
//
// It may import routing, tickets/sla and the leaves under internal; never chat, channels or web.
package tickets
