// Package rules decides which agency a ticket goes to, and says why.
//
// Decide looks a ticket's facts up in the dispatch catalogue. The more specific
// entry wins: (service item, area), then (service item), then (category, area),
// then (category), then the same for each ancestor of the category; among areas
// the smaller one. Several likely categories that lead to one agency add up, so
// that a doubt about the category is no doubt about the agency.
//
// Invariants:
//   - Pure: no clock, no network, no database, no state. The same facts and the
//     same catalogue give the same decision.
//   - Every decision carries its reasons. A decision that a person must make
//     carries at least one reason that says so (Reason.Undecided); Auto is true
//     exactly when there is none.
//   - An inactive agency, or one that already returned the ticket, is never
//     chosen and never suggested.
//   - Reasons hold codes, not names and not words: they can be stored, and
//     rendered in any language later (Render).
package rules
