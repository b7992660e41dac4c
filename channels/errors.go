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
	Blames Blame
	Cause  error
}

// Blame is what a failure says about the address that the message went to.
type Blame string

// The zero value blames nobody: what stood in the way (a telephone that is off, a full mailbox, the message itself, our own account) passes, and the next
// message is sent as ever.
const (
	Doubt Blame = "doubt" // the vendor does not say why; the second such failure in a row counts as Gone
	Gone  Blame = "gone"  // no message will ever reach it
)

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
