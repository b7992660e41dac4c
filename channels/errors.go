package channels

import (
	"fmt"
	"time"
)

// PermanentError says that this message will never arrive on this channel: blocked by the person, account deleted, not allowed.
// Reason is shown to staff and carries no personal data.
type PermanentError struct {
	Code   string // stable: "blocked", "gone", "refused", …
	Reason string // in words, English
	Cause  error
}

func (e *PermanentError) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("channel refuses for good (%s): %s: %v", e.Code, e.Reason, e.Cause)
	}
	return fmt.Sprintf("channel refuses for good (%s): %s", e.Code, e.Reason)
}

// Unwrap gives the cause.
func (e *PermanentError) Unwrap() error { return e.Cause }

// RetryError says that the vendor is busy and when it wants to hear from us again. It does not count as a failed attempt; the message
// is given up after three days of it.
type RetryError struct {
	After time.Duration
	Cause error
}

func (e *RetryError) Error() string {
	return fmt.Sprintf("channel asks to come back in %s: %v", e.After, e.Cause)
}

// Unwrap gives the cause.
func (e *RetryError) Unwrap() error { return e.Cause }
