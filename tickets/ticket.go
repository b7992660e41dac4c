package tickets

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// Ticket is a case.
type Ticket struct {
	ID             uuid.UUID
	Number         string // public, "2026-000123"; never a credential
	Version        int    // counts moves; Apply wants the one that the caller saw
	Kind           string
	Category       string
	ServiceItem    string
	Area           string
	Title          string
	Description    string
	Place          string
	Lat, Lon       *float64
	Lang           string
	Urgency        string
	Channel        string
	ConversationID uuid.UUID
	ContactID      *uuid.UUID // nil: anonymous
	Confidential   bool

	State       State
	Ask         string    // "transfer", "extension" or "exclusion" while somebody waits for the hotline's decision
	AskData     Fields    // what was asked
	Supervised  bool      // an overlay: a supervisor's order or the ladder's criticism put it on the board
	Supervision string    // of the order: "", "ordered" or "answered"
	MassEvent   bool      // a parent that stands for many reports
	Lead        uuid.UUID // uuid.Nil: none yet
	Co          []uuid.UUID
	CoSigned    []uuid.UUID // of Co, those that have signed for their part
	Past        []uuid.UUID // agencies that gave it back
	Assignee    uuid.UUID
	Parent      uuid.UUID // merged into
	Dispatches  int
	Designated  bool
	SignDueAt   *time.Time
	WarnAt      *time.Time // when DueAt turns yellow
	DueAt       *time.Time // the earliest running deadline
	PromisedAt  *time.Time // the resolution deadline as told to the contact
	Provisional bool
	Extensions  int
	Revisits    int
	Decision    json.RawMessage // routing's decision with its explanation

	Reply           string
	Outcome         string
	AgencyResolved  *bool
	CitizenResolved *bool
	Appealed        bool
	Excluded        bool   // an exclusion review found the demand unjustified
	Satisfaction    int    // 1 to 5, as said in the revisit; 0: not said
	Grade           int    // of the newest assessment, 1 to 5; 0: none
	Rectify         string // of the rectification: "", "open", "answered", "done" or "failed"

	OpenedAt  time.Time
	UpdatedAt time.Time
	ClosedAt  *time.Time

	codeIssue int
	events    int
	head      []byte // seal of the newest entry
	// categoryFixed: a person named the category; what routing guessed it may guess again.
	categoryFixed bool
	// returnUntil is the end of the window to return a ticket that was handed over inside a tree; nil: its time to sign.
	returnUntil *time.Time
	// designatedTo is the agency that has to handle a designated ticket, also while one below it does the work.
	designatedTo uuid.UUID
	decidedBy    uuid.UUID
	repliedBy    uuid.UUID
}

// Light is the colour of the ticket's earliest deadline; Green when nothing runs.
func (t Ticket) Light(now time.Time) sla.Light {
	if t.DueAt == nil || t.WarnAt == nil {
		return sla.Green
	}
	return sla.LightAt(now, *t.WarnAt, *t.DueAt)
}

// HasSigned reports whether a co-agency has signed for its part.
func (t Ticket) HasSigned(agency uuid.UUID) bool { return slices.Contains(t.CoSigned, agency) }

// Open reports whether somebody still has to act.
func (t Ticket) Open() bool { return t.State.Info().Open }

// Queue is what the ticket waits for; a pending request makes it wait for the hotline.
func (t Ticket) Queue() Queue {
	if t.Ask != "" && t.Open() {
		return QueueAsk
	}
	return t.State.Info().Queue
}

// Event is one entry of the history.
type Event struct {
	TicketID uuid.UUID
	Seq      int
	Type     string // an Action, or opened, note, assigned, attached, rated, reminder, notice, dunning, criticism, …
	Actor    string // citizen, bot, staff, system
	UserID   uuid.UUID
	AgencyID uuid.UUID
	From, To State
	Public   bool
	Data     Fields
	At       time.Time

	seal []byte
}

// Draft is a ticket to be opened. Texts are taken as they are: the caller has checked their encoding.
type Draft struct {
	Kind           string
	Category       string // "" lets routing find one
	ServiceItem    string
	Title          string // "" takes the beginning of Description
	Description    string
	Place          string
	Lat, Lon       *float64
	Lang           string
	Urgency        string // "" is normal
	Channel        string
	ConversationID uuid.UUID
	ContactID      *uuid.UUID
	Confidential   bool
	Uploads        []uuid.UUID
	// NeedsAcceptance leaves the ticket in received until an operator has judged the scope.
	NeedsAcceptance bool
	// Following: the reporter wants to join another matter, and the ticket is merged into it in the same transaction. Nobody has to look at it first.
	Following bool
	// DirectAnswer opens the ticket as answered_directly: the contact confirmed the answer.
	DirectAnswer *Citation
	// Author is who files: citizen (default), bot or staff; UserID and AgencyID belong to staff.
	Author           string
	UserID, AgencyID uuid.UUID
	// Fields are values of the category's own fields, by code. Who insists on them gets an error for what does not fit; otherwise the ticket comes first.
	Fields         map[string]string `json:",omitempty"`
	InsistOnFields bool              `json:"-"`
	// Key makes a second OpenTx for the same cause a unique violation on ticket_events_action; usually the caller is idempotent itself.
	Key string
}

// Citation is what a direct answer rests on.
type Citation struct {
	Article uuid.UUID
	Version int
	Title   string
	Text    string // the answer as given
}

// Fields are the inputs of a move and the data of its history entry. Texts are plain text.
type Fields struct {
	Reason       string      `json:"reason,omitempty"`        // code, see Reasons
	Basis        string      `json:"basis,omitempty"`         // legal or factual basis
	RightChannel string      `json:"right_channel,omitempty"` // where the matter belongs
	Text         string      `json:"text,omitempty"`          // reply, question, note, explanation
	Outcome      string      `json:"outcome,omitempty"`       // code, see Outcomes
	Resolved     *bool       `json:"resolved,omitempty"`      // as said by the agency (reply) or the citizen (revisit, rating)
	Lead         uuid.UUID   `json:"lead,omitzero"`
	Co           []uuid.UUID `json:"co,omitempty"`
	Parent       uuid.UUID   `json:"parent,omitzero"`
	Days         int         `json:"days,omitempty"` // of an extension, in the unit of the clock
	Reached      *bool       `json:"reached,omitempty"`
	Satisfaction int         `json:"satisfaction,omitempty"` // 1 to 5
	TransferTo   string      `json:"transfer_to,omitempty"`
	Category     string      `json:"category,omitempty"` // that the case belongs to
	Over         string      `json:"over,omitempty"`     // why an answer does not wait for co-agencies that have not replied
	Uploads      []uuid.UUID `json:"uploads,omitempty"`
	Sources      []Source    `json:"sources,omitempty"` // articles that a reply rests on
	// ModelCall is the call of a language model that suggested it; a person has decided.
	ModelCall uuid.UUID `json:"model_call,omitzero"`

	// Set by the package in history entries.
	Clock    string     `json:"clock,omitempty"`
	Unit     sla.Unit   `json:"unit,omitempty"` // of Days
	DueAt    *time.Time `json:"due_at,omitempty"`
	Was      *time.Time `json:"was,omitempty"` // the deadline before a recomputation
	Number   string     `json:"number,omitempty"`
	Assignee uuid.UUID  `json:"assignee,omitzero"`
	Grade    int        `json:"grade,omitempty"`
	Score    float64    `json:"score,omitempty"`
	Article  uuid.UUID  `json:"article,omitzero"`
	Version  int        `json:"version,omitempty"`
	Title    string     `json:"title,omitempty"`
	By       uuid.UUID  `json:"by,omitzero"` // who asked, where another officer decides
	// Channels are e-mail and SMS, as far as an entry is about them.
	Channels []string `json:"channels,omitempty"`
	// WasCategory is the one before a reclassification.
	WasCategory string `json:"was_category,omitempty"`
	// ParentSeq is the entry of Parent that is told on in this one.
	ParentSeq int `json:"parent_seq,omitempty"`
}

// Source is an article that a reply to the citizen rests on.
type Source struct {
	Article uuid.UUID `json:"article"`
	Version int       `json:"version"`
	Title   string    `json:"title"`
	URL     string    `json:"url"` // on the portal
}

// has reports whether the field is given.
func (f Fields) has(name Field) bool {
	switch name {
	case FReason:
		return f.Reason != ""
	case FBasis:
		return f.Basis != ""
	case FRight:
		return f.RightChannel != ""
	case FText:
		return f.Text != ""
	case FOutcome:
		return f.Outcome != ""
	case FResolved:
		return f.Resolved != nil
	case FLead:
		return f.Lead != uuid.Nil
	case FCo:
		return len(f.Co) > 0
	case FParent:
		return f.Parent != uuid.Nil
	case FDays:
		return f.Days > 0
	case FReached:
		return f.Reached != nil
	case FSatisfied:
		return f.Satisfaction != 0
	case FTransferTo:
		return f.TransferTo != ""
	case FCategory:
		return f.Category != ""
	case FOver:
		return f.Over != ""
	}
	return false
}

// ActorKind says who acts, for the history.
type ActorKind string

// The kinds of actors.
const (
	KindCitizen ActorKind = "citizen"
	KindBot     ActorKind = "bot"
	KindStaff   ActorKind = "staff"
	KindSystem  ActorKind = "system"
)

// Actor is who acts on a ticket: the database's actor (who sees what) with the roles (who may do what).
type Actor struct {
	DB    db.Actor
	Kind  ActorKind
	Roles []Role
}

// System is the program itself.
func System() Actor { return Actor{DB: db.System(), Kind: KindSystem, Roles: []Role{SystemRole}} }

// CitizenBy is a citizen, recognized by db.Citizen (their conversation) or db.CitizenOfTicket (a tracking code).
func CitizenBy(a db.Actor) Actor { return Actor{DB: a, Kind: KindCitizen, Roles: []Role{Citizen}} }

// Staff is a signed-in member of an agency with the roles stored for them.
func Staff(a db.Actor, roles []string) Actor {
	out := Actor{DB: a, Kind: KindStaff}
	for _, r := range roles {
		// A citizen's or the system's role is never somebody's by data.
		if r := Role(r); r != Citizen && r != SystemRole {
			out.Roles = append(out.Roles, r)
		}
	}
	return out
}

// person reports whether somebody acts by name; a program with a key is nobody, and so the same as no one.
func (a Actor) person() bool { return a.Kind == KindStaff && a.DB.User() != uuid.Nil }

// actsAs is the part of the actor's roles that counts for this ticket: the hotline's at the hotline, the lead's at the lead.
func (a Actor) actsAs(t Ticket, m Move) []Role {
	if a.Kind != KindStaff {
		return a.Roles
	}
	var out []Role
	for _, r := range a.Roles {
		switch r {
		case Operator, Dispatcher, Supervisor:
			if a.DB.Desk() {
				out = append(out, r)
			}
		case Handler, Head:
			at := t.Lead != uuid.Nil && a.DB.Agency() == t.Lead
			if m.Name == CoReply || m.Name == CoSign || m.Name == CoDecline {
				at = slices.Contains(t.Co, a.DB.Agency())
			}
			if at {
				out = append(out, r)
			}
		}
	}
	return out
}
