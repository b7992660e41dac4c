// Package measures says what is counted about tickets and what is made of the counts: which counters one ticket's history fills (Judge), and
// which numbers are published over sums of counters (All), with formula, unit and what was left out.
//
// Invariants, each held by a test:
//   - A counter of a ticket is 0 or 1 for each agency that worked on it (Minutes alone is an amount), so that the number that a sum shows is the
//     number of entries that a list of the same selection has.
//   - The counters that one measure adds up exclude each other: every ticket is in the numerator, in the rest of the denominator, in exactly one
//     exclusion, or outside the measure.
//   - Counts of disjoint selections add up to the counts of their union, whatever the roll-up (period, tree, channel).
//
// It is pure: no database, no clock of its own.
package measures
