package chat

import (
	"context"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/internal/db"
)

// Who wrote a message.
const (
	ByCitizen = "citizen"
	ByBot     = "bot"
	ByStaff   = "staff"
	BySystem  = "system"
)

// Who answers in a conversation.
const (
	HeldByBot   = "bot"
	HeldByQueue = "queue" // waiting for a person
	HeldByStaff = "staff"
	HeldByNone  = "none" // mailboxes of portal and API tickets: nobody chats
)

// Events that a system or bot message may carry in Payload.Event.
const (
	EventTicketOpened = "ticket_opened"
	EventTicketMoved  = "ticket_moved"
	EventHandoff      = "handoff"
	EventTakenOver    = "taken_over"
	EventHandedBack   = "handed_back"
	EventClosed       = "closed"
	EventEmergency    = "emergency"
	EventAnswer       = "answer" // the formal reply of the agency
	EventRating       = "rating"
)

// Upload is a file as messages show it.
type Upload struct {
	ID     uuid.UUID `json:"id"`
	Name   string    `json:"name"`
	Type   string    `json:"type"`
	Size   int64     `json:"size"`
	Width  int       `json:"width,omitempty"`
	Height int       `json:"height,omitempty"`
}

// TicketRef names a ticket to people; the number is never a credential.
type TicketRef struct {
	ID     uuid.UUID `json:"id"`
	Number string    `json:"number"`
}

// Payload is what a message carries beside its text.
type Payload struct {
	Choices   []channels.Choice   `json:"choices,omitempty"`
	Citations []channels.Citation `json:"citations,omitempty"`
	Uploads   []Upload            `json:"uploads,omitempty"`
	Place     *channels.Place     `json:"place,omitempty"`
	Choice    string              `json:"choice,omitempty"` // the quick reply that the citizen tapped
	Title     string              `json:"title,omitempty"`  // subject line of the citizen's message
	Ask       string              `json:"ask,omitempty"`    // what the bot asks for: what, where, contact, confirm, code, …
	Event     string              `json:"event,omitempty"`
	State     string              `json:"state,omitempty"` // of the ticket after EventTicketMoved
	Ticket    *TicketRef          `json:"ticket,omitempty"`
	Answers   uuid.UUID           `json:"answers,omitzero"` // on the citizen's own message: the delivery that it answers, where that went out beside its conversation
}

// Message is one item of a conversation.
type Message struct {
	ConversationID uuid.UUID
	Seq            int64
	ID             uuid.UUID
	Author         string
	UserID         uuid.UUID // staff
	Name           string    // of the staff member
	Text           string    // as RenderFor made it for the reader
	Payload        Payload
	TicketID       uuid.UUID
	At             time.Time
	Deliveries     []Delivery // for staff: on the conversation's own channel where it pushes, and on those that the contact allowed, in their order
}

// Delivery is how a message fared on a push channel.
type Delivery struct {
	Channel  string
	State    string // pending, sent, delivered, failed, unknown
	Attempts int
	Error    string // in words for staff
}

// Outgoing is a message to be posted.
type Outgoing struct {
	Author   string    // ByStaff when empty and the actor is staff
	UserID   uuid.UUID // the actor's when empty
	Text     string
	Payload  Payload
	Uploads  []uuid.UUID // files already uploaded to this conversation
	TicketID uuid.UUID
	Key      string // idempotency: the same key and body returns the first seq
	Also     Also   // nil: nothing
}

// Also is what belongs to a message or a move and is written in its transaction. A repeated request runs it again or not at all.
type Also func(ctx context.Context, tx db.Tx) error

// Conversation is the state of one.
type Conversation struct {
	ID           uuid.UUID
	Channel      string
	Account      string
	Lang         string
	Holder       string
	HolderUserID uuid.UUID
	HolderName   string
	LastSeq      int64
	CitizenSeen  int64
	StaffSeen    int64
	TicketID     uuid.UUID
	Confidential bool
	QueuedAt     *time.Time
	ClosedAt     *time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time
	Grade        int // of the chat itself, by the citizen: 5 very satisfied … 1 very unsatisfied; 0 none
	Position     int // in the queue, from 1; 0 when it does not wait
	// Wait is how long those who were taken last had waited; 0 when this one does not wait or nobody was taken in the last hours.
	Wait time.Duration
}
