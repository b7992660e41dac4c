package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/auth"
	"hotline/internal/db"
)

// NewMessage is a message from a person on a channel that the key's owner runs.
type NewMessage struct {
	Account    string      `json:"account" minLength:"1" maxLength:"100" doc:"Which of your accounts it came in on" example:"city-app"`
	Thread     string      `json:"thread" minLength:"1" maxLength:"200" doc:"Your name of the conversation" example:"user-4711"`
	ExternalID string      `json:"external_id" minLength:"1" maxLength:"200" doc:"Your id of the message, unique within the thread: the same again changes nothing" example:"msg-1"`
	Text       string      `json:"text" minLength:"1" maxLength:"20000" example:"How do I open a water account?"`
	Choice     string      `json:"choice,omitempty" maxLength:"200" doc:"Id of the quick reply that was chosen; text is then its label"`
	Lang       string      `json:"lang,omitempty" enum:"en,zh-CN" example:"en"`
	Uploads    []uuid.UUID `json:"uploads,omitempty" maxItems:"10" doc:"Files sent before to /uploads with this account and thread"`
	Contact    *Contact    `json:"contact,omitempty" doc:"Kept with the first message of a thread"`
}

// MessageReceipt says where a message is now. When it is sent, the message is stored.
type MessageReceipt struct {
	Conversation uuid.UUID `json:"conversation"`
	Seq          int64     `json:"seq" doc:"Gap-free within the conversation" example:"1"`
	Duplicate    bool      `json:"duplicate" doc:"It was here before; this is the first receipt again"`
}

// ConversationMessage is a message as the citizen is to read it.
type ConversationMessage struct {
	Seq       int64        `json:"seq" example:"2"`
	ID        uuid.UUID    `json:"id"`
	Author    string       `json:"author" enum:"citizen,bot,staff,system" example:"bot"`
	Name      string       `json:"name,omitempty" doc:"Of the member of staff"`
	Text      string       `json:"text" doc:"Markdown as articles have it"`
	Choices   []QuickReply `json:"choices,omitempty" doc:"Quick replies to offer"`
	Citations []Source     `json:"citations,omitempty" doc:"What an answer rests on"`
	Uploads   []File       `json:"uploads,omitempty"`
	Event     string       `json:"event,omitempty" example:"ticket_opened"`
	Ticket    string       `json:"ticket,omitempty" doc:"Public number" example:"2026-000123"`
	At        time.Time    `json:"at"`
}

// QuickReply is an answer to offer as a button.
type QuickReply struct {
	ID    string `json:"id" example:"human"`
	Label string `json:"label" example:"Talk to a person"`
}

type messageInput struct{ Body NewMessage }

type messageOutput struct {
	Status int
	Body   MessageReceipt
}

type messagesInput struct {
	ID    uuid.UUID `path:"id"`
	After int64     `query:"after" minimum:"0" default:"0" doc:"The last seq that you have"`
	Limit int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type messagesOutput struct {
	Body struct {
		Messages []ConversationMessage `json:"messages"`
		Last     int64                 `json:"last" doc:"The newest seq there is: ask again while it is ahead of what you have"`
		Holder   string                `json:"holder" enum:"bot,queue,staff,none" doc:"Who answers now"`
	}
}

func (a *API) messageRoutes() {
	register(a, operation{id: "bring-message", method: http.MethodPost, path: "/messages", tag: tagMessages, summary: "Bring a message in",
		about: "For channels that you run: an app, a kiosk, another system. (account, thread, external_id) makes it idempotent, so no Idempotency-Key is needed: the same again gives the first " +
			"receipt with 200, another text under the same id is 409 chat.receipt_conflict. The answers are in the conversation's messages.",
		scope: auth.ScopeMessagesWrite, status: http.StatusCreated, errors: []int{http.StatusNotFound, http.StatusConflict},
		example: map[string]any{"account": "city-app", "thread": "user-4711", "external_id": "msg-1", "text": "How do I open a water account?", "lang": "en"}}, a.bring)
	register(a, operation{id: "list-messages", method: http.MethodGet, path: "/conversations/{id}/messages", tag: tagMessages, summary: "Fetch a conversation's messages",
		about: "Of conversations that this key's agency brought in or this key filed. Texts are what the citizen may read; show them to nobody else.",
		scope: auth.ScopeMessagesRead, errors: []int{http.StatusNotFound}}, a.messages)
}

// account keeps the accounts of one agency's keys apart from everybody else's.
func (c caller) account(name string) string { return c.key.AgencyID.String() + "/" + name }

func (a *API) bring(c *call, in *messageInput) (*messageOutput, error) {
	b := in.Body
	inbound := channels.Inbound{Channel: channels.API, Account: c.account(b.Account), Thread: b.Thread, ExternalID: b.ExternalID, Text: b.Text, Choice: b.Choice, Lang: b.Lang, Uploads: b.Uploads, At: a.Clock.Now()}
	if b.Contact != nil {
		inbound.Contact = channels.Contact{Name: b.Contact.Name, Phone: b.Contact.Phone, Email: b.Contact.Email}
	}
	r, err := a.Chat.Ingest(c.ctx, inbound)
	if err != nil {
		return nil, err
	}
	out := &messageOutput{Status: http.StatusCreated, Body: MessageReceipt{Conversation: r.ConversationID, Seq: r.Seq, Duplicate: r.Duplicate}}
	if r.Duplicate {
		out.Status = http.StatusOK
	}
	return out, nil
}

func (a *API) messages(c *call, in *messagesInput) (*messagesOutput, error) {
	conversation, err := a.Chat.Conversation(c.ctx, db.System(), in.ID)
	if err != nil {
		return nil, err
	}
	// The key stands for the citizen here, so what it brought in itself is all it sees.
	ours := conversation.Channel == channels.API && (strings.HasPrefix(conversation.Account, c.account("")) || conversation.Account == c.principal())
	if !ours {
		return nil, chat.ErrNotFound
	}
	found, err := a.Chat.Messages(c.ctx, db.Citizen(in.ID), in.ID, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	if found, err = a.Chat.RenderFor(c.ctx, chat.ReaderCitizen, found); err != nil {
		return nil, err
	}
	out := &messagesOutput{}
	out.Body.Last, out.Body.Holder, out.Body.Messages = conversation.LastSeq, conversation.Holder, make([]ConversationMessage, len(found))
	for i, m := range found {
		one := ConversationMessage{Seq: m.Seq, ID: m.ID, Author: m.Author, Name: m.Name, Text: m.Text,
			Uploads: files(m.Payload.Uploads), Event: m.Payload.Event, At: m.At}
		for _, q := range m.Payload.Choices {
			one.Choices = append(one.Choices, QuickReply{ID: q.ID, Label: q.Label})
		}
		for _, s := range m.Payload.Citations {
			one.Citations = append(one.Citations, Source{Article: s.Article, Version: s.Version, Title: s.Title, URL: s.URL, Snippet: s.Snippet})
		}
		if m.Payload.Ticket != nil {
			one.Ticket = m.Payload.Ticket.Number
		}
		out.Body.Messages[i] = one
	}
	return out, nil
}
