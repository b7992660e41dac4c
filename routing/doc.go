// Package routing knows who is responsible: the agency tree, the areas they
// answer for, the category tree, the service items and the dispatch catalogue;
// and it decides, with reasons, to which agency a ticket goes.
//
// PostgreSQL holds all of it. A Service keeps one immutable Snapshot of it in
// memory, together with a classifier trained on the texts of the categories, so
// that Decide and every look-up answer without the database and may be called
// inside transactions.
//
// Life cycle: New, Start (loads the first snapshot, then follows changes),
// Stop. A change anywhere moves routing_revision on; the node that made it
// reloads at once and tells the others over the bus, and whoever lost the hint
// notices within a few seconds.
//
// Invariants:
//   - A Snapshot never changes. Take one, use it for a whole piece of work.
//   - A published catalogue version never changes, and there is at most one.
//     Changes are made in a draft, which is checked when it is published.
//   - Agencies and categories are never deleted, only deactivated: tickets
//     refer to them for years.
//
// The package imports nothing of tickets, chat, knowledge or channels.
package routing
