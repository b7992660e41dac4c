// Package errs holds the one error type that crosses package borders: a kind that transports map to their own status, a stable code
// that catalogues translate (chat.too_long, tickets.stale), and a message in English for the operator and as the last fallback.
//
// Domain packages know nothing of HTTP; web/httperr is the only place that does. A cause stays inside the process: it is logged once at
// the edge and never sent to a client. The package imports nothing of the project.
package errs

import (
	"errors"
	"fmt"
)

// Kind says who can do something about an error.
type Kind string

// The kinds. Everything that is not an *Error counts as Internal.
const (
	Invalid         Kind = "invalid"
	Unauthenticated Kind = "unauthenticated"
	Forbidden       Kind = "forbidden"
	NotFound        Kind = "not_found"
	Conflict        Kind = "conflict"
	RateLimited     Kind = "rate_limited"
	TooLarge        Kind = "too_large"
	Unavailable     Kind = "unavailable"
	Internal        Kind = "internal"
)

// Error is an error that a person or a program can act on.
type Error struct {
	Kind    Kind
	Code    string         // stable: "<package>.<what>"
	Message string         // English, no personal data
	Field   string         // the input it belongs to, if one
	Args    map[string]any // for the translated message; no personal data
	cause   error
}

// New makes an error. The code is stable and translatable.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// On returns a copy that names the input field the error belongs to.
func (e *Error) On(field string) *Error { c := *e; c.Field = field; return &c }

// With returns a copy that carries an argument for the translated message.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.Args = make(map[string]any, len(e.Args)+1)
	for k, v := range e.Args {
		c.Args[k] = v
	}
	c.Args[key] = value
	return &c
}

// Step names what was done as an error came; nil stays nil.
func Step(step string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", step, err)
}

// Wrap returns a copy with a cause, for the log.
func (e *Error) Wrap(cause error) *Error { c := *e; c.cause = cause; return &c }

// Error gives code, message and cause: for logs, not for clients.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.cause)
	}
	return e.Code + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an *Error of the same code, so that errors.Is works with package-level values.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code
}

// KindOf gives the kind of the first *Error in err's chain, Internal when there is none, and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// CodeOf gives the code of the first *Error in err's chain, or "internal".
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return "internal"
}
