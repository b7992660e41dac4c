// Package httperr is the one place where errors become HTTP, together with the middleware that every HTTP surface shares: request id,
// language, security headers, cross-origin protection, body limits, rate limits, recovery from panics.
//
// Invariants: a client never sees a cause, only a stable code and translated words; every failed request is logged once, here, without
// personal data; programs get an RFC 9457 problem document, people get a page in their language that says what to do next; both carry
// the request id that the log has. Surfaces wrap their mux with Responder.Handler and call Write(w, r, err).
//
// It may import internal/errs, internal/i18n and the standard library.
package httperr
