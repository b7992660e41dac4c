package chat

import "hotline/internal/errs"

// The errors of this package. Codes are stable; Args carry ids, codes and limits, never personal data.
var (
	// ErrNotFound: no such conversation, or none that the actor may see; the two are not told apart.
	ErrNotFound = errs.New(errs.NotFound, "chat.not_found", "there is no such conversation, or it is not yours to see")
	// ErrReceiptConflict: the channel delivered another body under an id that it has used before. The first message stands.
	ErrReceiptConflict = errs.New(errs.Conflict, "chat.receipt_conflict", "a different message was already received under this id")
	// ErrKeyConflict: another text was already posted under this key.
	ErrKeyConflict = errs.New(errs.Conflict, "chat.key_conflict", "a different message was already posted under this key")
	// ErrHeld: somebody else is talking with the citizen. Args: name.
	ErrHeld = errs.New(errs.Conflict, "chat.held", "a colleague is already talking with this person")
	// ErrNotHeld: only who holds the conversation may do this.
	ErrNotHeld = errs.New(errs.Conflict, "chat.not_held", "you do not hold this conversation")
	// ErrClosed: the conversation is over.
	ErrClosed = errs.New(errs.Conflict, "chat.closed", "this conversation is closed")
	// ErrStaffOnly: a citizen cannot do this.
	ErrStaffOnly = errs.New(errs.Forbidden, "chat.staff_only", "this is for staff")
	// ErrUnknownUpload: a file that is not there or not the sender's.
	ErrUnknownUpload = errs.New(errs.NotFound, "chat.unknown_upload", "a file is not there, or it is not yours").On("uploads")
	// ErrBadCursor: a negative or absurd seq.
	ErrBadCursor = errs.New(errs.Invalid, "chat.bad_cursor", "the position in the conversation is not valid").On("after")
	// ErrNoDelivery: there is no failed or unknown delivery to repeat.
	ErrNoDelivery = errs.New(errs.Conflict, "chat.no_delivery", "there is no failed delivery to repeat")
	// ErrTooManyUploads: a sender has too many files that belong to no message yet. Args: max.
	ErrTooManyUploads = errs.New(errs.RateLimited, "chat.too_many_uploads", "too many files are waiting to be sent")
)
