// Package api is the REST interface for programs: tickets, tracking, knowledge, reference data and message intake under /api/v1, described
// by the OpenAPI 3.1 document at /api/v1/openapi.json.
//
// Invariants, each held by a test:
//   - Every error is a problem document (RFC 9457) with the codes and the translated words that the pages use; a cause never leaves the
//     process, and input of any shape ends in a typed 4xx, never in a 500.
//   - What a client sends twice happens once. Calls that file, move, post or rate take an Idempotency-Key; the first result is stored with
//     the change, in the same transaction where the domain lets the caller in, and given again for 24 hours. Another body under the same
//     key is a conflict. No secret is stored: a tracking code is derived again when the result is.
//   - A tracking code travels in bodies only, never in an address, and a wrong one slows the address that sent it.
//   - A key acts as its agency and for its scopes, nothing more: row-level security decides what it sees.
//   - Nothing personal is logged, whatever was sent.
//
// The framework (huma) parses, validates and documents; what it would say about errors is replaced (problem.go), without its global hooks.
// Only this package imports it. A handler is safe for concurrent use and holds no state that matters beyond rate limits.
package api
