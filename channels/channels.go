// Package channels is the border between the hotline and the ways people reach it: web chat, messaging apps, e-mail, telephone, forms.
//
// An adapter turns what its vendor sends into Inbound and hands it to an IngestFunc, and turns Outbound into its vendor's calls in Send.
// It knows one vendor and nothing of conversations, tickets or the database.
//
// Invariants:
//   - Inbound is identified by (Channel, Account, Thread, ExternalID); the same delivery twice carries the same four. An adapter tells its
//     vendor "received" only after IngestFunc has returned nil, so what was acknowledged is durable.
//   - Send says what it knows: sent, delivered, or unknown when the request may have arrived and the answer did not. An error means that
//     nothing was sent: a *PermanentError will fail again for ever, a *RetryError says when to try again, any other error is tried again
//     with growing pauses.
//   - Send is given messages of one conversation in order, one at a time.
//   - Everything from outside passes Inbound.Clean before it is stored.
//
// The package may import internal/errs and the standard library; adapters live below it, one vendor each, and pass channeltest.
package channels

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Names of the channels that have no adapter: people fetch their messages themselves, so nothing is delivered.
const (
	Web    = "web"
	Portal = "portal"
	API    = "api"
)

// Names of the channels on which staff type what a person says or wrote. Nothing is delivered on them either: who has the tracking code reads the
// answer on the portal, and everybody else is called or written to by staff.
const (
	Phone   = "phone"
	Counter = "counter"
	Letter  = "letter"
)

// Names of the channels on which a contact can allow to be written to beside the conversation; the thread of a message to them is the address, or the
// telephone number with a plus and its country's code (E.164).
const (
	Email = "email"
	SMS   = "sms"
)

// Inbound is one message from outside.
type Inbound struct {
	Channel    string // the adapter's name
	Account    string // which of our accounts it came in on: site key, bot name, mailbox
	Thread     string // the channel's own name of the conversation; see Addressee
	ExternalID string // the channel's own id of the message, unique within the thread
	Text       string
	Choice     string // id of a tapped quick reply; Text is then its label
	Typed      bool   // nothing can be tapped on this channel: a short text may be a quick reply in words, or its number
	Lang       string // "en", "zh-CN", or "" when the channel does not know
	Contact    Contact
	Uploads    []uuid.UUID
	Place      *Place
	At         time.Time // when the person sent it, by the channel's clock; zero: now
	// Title is the subject line, where the channel has one. What it says is in Text too.
	Title string
	// Answers is the Key of the Outbound that this message answers, where the channel tells.
	Answers string
}

// Contact is what a channel knows of a person. All of it may be empty.
type Contact struct {
	Name, Phone, Email string
	Handle             string // the person's name on the channel
}

// LogValue keeps personal data out of logs.
func (Contact) LogValue() slog.Value { return slog.StringValue("[contact]") }

// Place is where something is, WGS 84.
type Place struct {
	Lat   float64 `json:"lat"`
	Lon   float64 `json:"lon"`
	Label string  `json:"label,omitempty"`
}

// Receipt says where an inbound message is now. Duplicate: the channel had delivered it before, and this is the first result again.
type Receipt struct {
	ConversationID uuid.UUID
	Seq            int64
	Duplicate      bool
}

// Report is what a channel says of a message later, long after Send.
type Report struct {
	Channel, Account string
	Key              string // of the Outbound, where the channel tells; otherwise RemoteID
	RemoteID         string // as Send gave it
	Failed           bool   // it did not arrive and will not; otherwise it has been delivered
	Reason           string // of a failure, shown to staff: English words without personal data
	Blames           Blame  // of a failure
}

// ReportFunc notes a report; it is chat.Service.Report. It reports whether the message is known. When err is nil the report is durable.
type ReportFunc func(ctx context.Context, r Report) (known bool, err error)

// Part is one of those that a long message comes in on a channel that has no room for it, or all of a short one: Total is 1 then.
type Part struct {
	Channel, Account, Thread string
	Ref                      int // the same for all parts of a message, and soon again for those of another
	Total, N                 int // how many there are, and which this is, from 1
	Text                     string
}

// IngestFunc takes a message in; it is chat.Service.Ingest. When it returns nil the message is durable.
type IngestFunc func(ctx context.Context, in Inbound) (Receipt, error)

// Outbound is one message to a person.
type Outbound struct {
	ConversationID uuid.UUID
	Seq            int64
	Account        string
	Thread         string
	Author         string // bot, staff, system
	Name           string // of the staff member, may be empty
	Subject        string // for channels that have one; empty: the channel's own words
	Text           string // Markdown as articles have it, placeholders already rendered for the citizen
	Choices        []Choice
	Citations      []Citation
	Uploads        []Upload
	Lang           string
	Key            string // the same for every attempt: for vendors that know idempotency keys
	Title          string // subject line of the conversation, where the person gave it one
	ReplyTo        string // the channel's id of the person's message before this one, "" when there is none
	// Begin is called by an Announcer. When it fails nothing may be sent.
	Begin func(ctx context.Context) error
	// Stop is the address of a page that ends such messages, which a POST does at once (List-Unsubscribe-Post); empty in a conversation.
	Stop string
}

// Choice is a quick reply.
type Choice struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	// Typed is what a person types for it where nothing can be tapped, "" for the label itself. It is made for sending and never stored.
	Typed string `json:"-"`
}

// Line is a choice as it is read where nothing can be tapped.
func (c Choice) Line() string {
	if c.Typed == "" {
		return "- " + c.Label
	}
	return c.Typed + "  " + c.Label
}

// Citation is the article version that an answer rests on.
type Citation struct {
	Article string `json:"article"`
	Version int    `json:"version"`
	Title   string `json:"title"`
	URL     string `json:"url,omitempty"`
	Snippet string `json:"snippet,omitempty"`
}

// Upload is a file that goes with a message.
type Upload struct {
	ID     uuid.UUID
	Name   string
	Type   string
	Size   int64
	Width  int
	Height int
	Open   func(ctx context.Context) (io.ReadSeekCloser, error)
}

// State of a delivery.
type State string

// The states that Send may report. Pending and failed are the worker's own.
const (
	Sent      State = "sent"      // the vendor has it
	Delivered State = "delivered" // the person's device has it
	Unknown   State = "unknown"   // it may have arrived; sending again might double it
)

// Result of a Send.
type Result struct {
	State    State
	RemoteID string // the vendor's id of the message
}

// Adapter sends on one channel.
type Adapter interface {
	// Name is the channel's name in stored data: lower-case letters, never changed.
	Name() string
	// Send delivers one message. Errors: *PermanentError, *RetryError, anything else for "try again".
	Send(ctx context.Context, out Outbound) (Result, error)
}

// Announcer is an adapter that calls Outbound.Begin right before the moment from which its vendor may have the message. A process that dies earlier has sent
// nothing, so the message is sent again.
type Announcer interface {
	Adapter
	Announces()
}

// Begun calls Begin where there is one.
func (o Outbound) Begun(ctx context.Context) error {
	if o.Begin == nil {
		return nil
	}
	return o.Begin(ctx)
}

// Single is an adapter whose vendor has room for one session: one node at a time has it, and messages go out there.
type Single interface {
	Adapter
	// Here reports whether it is this node's turn.
	Here() bool
}

// Addressee is the part of a thread that a message can be sent to: all of it, or what stands before the first blank where a channel keeps several
// conversations with one person apart. An address alone, or a telephone number, is a thread too.
func Addressee(thread string) string {
	addressee, _, _ := strings.Cut(thread, " ")
	return addressee
}
