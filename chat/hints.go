package chat

import (
	"encoding/json"

	"github.com/google/uuid"
)

// Hint is what goes on the bus under conv.<conversation id>. Exactly one of its parts is set: a new message, somebody typing, an answer on its
// way, a new read mark, a new holder. It may be lost, doubled or late.
type Hint struct {
	Seq    int64  `json:"seq,omitempty"`
	Thread string `json:"thread,omitempty"` // with the first message: lets sockets that wait for their conversation find it
	Typing string `json:"typing,omitempty"` // citizen, bot, staff
	// Partial is what the bot is about to say, from its beginning as far as it is certain; "" with Typing empty takes it back.
	Partial *string `json:"partial,omitempty"`
	Seen    int64   `json:"seen,omitempty"`
	By      string  `json:"by,omitempty"` // of Seen: citizen, staff
	Holder  string  `json:"holder,omitempty"`
}

// InboxHint is what goes on the bus under desk.inbox: something in staff's lists changed.
type InboxHint struct {
	Ticket       string `json:"ticket,omitempty"`
	Conversation string `json:"conversation,omitempty"`
}

// Subjects on the bus.
const (
	SubjectConversations = "conv.*"
	SubjectInbox         = "desk.inbox"
	subjectPrefix        = "conv."
)

// Subject gives the subject of a conversation's hints.
func Subject(conversation uuid.UUID) string { return subjectPrefix + conversation.String() }

// ConversationOf reads the conversation from a subject.
func ConversationOf(subject string) (uuid.UUID, bool) {
	if len(subject) <= len(subjectPrefix) {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(subject[len(subjectPrefix):])
	return id, err == nil
}

func (s *Service) hint(conversation uuid.UUID, h Hint) {
	if s.bus == nil {
		return
	}
	if raw, err := json.Marshal(h); err == nil { // plain words and numbers: no error possible
		s.bus.Publish(Subject(conversation), raw)
	}
}

// Announce tells staff's lists that a conversation changed.
func (s *Service) announce(conversation uuid.UUID) {
	if s.bus == nil {
		return
	}
	if raw, err := json.Marshal(InboxHint{Conversation: conversation.String()}); err == nil {
		s.bus.Publish(SubjectInbox, raw)
	}
}

// Typing tells the others in a conversation that somebody types. It is a hint only and touches no row.
func (s *Service) Typing(conversation uuid.UUID, who string) { s.hint(conversation, Hint{Typing: who}) }

// partial shows a citizen what the bot is about to say. A hint too: the message that follows holds all of it.
func (s *Service) partial(conversation uuid.UUID, soFar string) {
	s.hint(conversation, Hint{Partial: &soFar})
}
