package hub

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
)

// inFrame is any frame of a client.
type inFrame struct {
	T       string          `json:"t"`
	Site    string          `json:"site"`
	Token   string          `json:"token"`
	After   int64           `json:"after"`
	Lang    string          `json:"lang"`
	Ref     string          `json:"ref"`
	Text    string          `json:"text"`
	Choice  string          `json:"choice"`
	Uploads []uuid.UUID     `json:"uploads"`
	Place   *channels.Place `json:"place"`
	Seq     int64           `json:"seq"`
}

// Limits tells a client what is taken.
type Limits struct {
	Text      int      `json:"text"`       // characters of one message
	File      int64    `json:"file"`       // bytes of one file
	Files     int      `json:"files"`      // files of one message
	FileTypes []string `json:"file_types"` // for accept
	Frame     int64    `json:"frame"`      // bytes of one frame
}

// Welcome answers hello.
type Welcome struct {
	T            string     `json:"t"` // welcome
	Token        string     `json:"token,omitempty"`
	Conversation *uuid.UUID `json:"conversation"`
	Last         int64      `json:"last"`
	Holder       string     `json:"holder"`
	Name         string     `json:"name,omitempty"`
	Waiting
	Lang      string `json:"lang"`
	StaffSeen int64  `json:"staff_seen"`
	Limits    Limits `json:"limits"`
}

// MessageFrame is one message of the conversation.
type MessageFrame struct {
	T       string       `json:"t"` // message
	Seq     int64        `json:"seq"`
	ID      uuid.UUID    `json:"id"`
	Author  string       `json:"author"`
	Name    string       `json:"name,omitempty"`
	Text    string       `json:"text"`
	Payload chat.Payload `json:"payload"`
	At      time.Time    `json:"at"`
}

type ackFrame struct {
	T         string `json:"t"`
	Ref       string `json:"ref"`
	Seq       int64  `json:"seq"`
	Duplicate bool   `json:"duplicate,omitempty"`
}

type typingFrame struct {
	T   string `json:"t"`
	Who string `json:"who"`
}

// partialFrame is an answer on its way, from its beginning; an empty text takes it back.
type partialFrame struct {
	T    string `json:"t"`
	Text string `json:"text"`
}

type seenFrame struct {
	T   string `json:"t"`
	Seq int64  `json:"seq"`
	By  string `json:"by"`
}

type holderFrame struct {
	T      string `json:"t"`
	Holder string `json:"holder"`
	Name   string `json:"name,omitempty"`
	Waiting
}

// Waiting is what somebody who waits for a person is told; empty for everybody else.
type Waiting struct {
	Position int        `json:"position,omitempty"` // in the queue, from 1
	Wait     int        `json:"wait,omitempty"`     // seconds that those who were taken last had waited
	Duty     *time.Time `json:"duty,omitempty"`     // nobody is on duty; when the next duty begins
}

func (w Waiting) same(o Waiting) bool {
	return w.Position == o.Position && w.Wait/60 == o.Wait/60 && (w.Duty == nil) == (o.Duty == nil) && (w.Duty == nil || w.Duty.Equal(*o.Duty))
}

// queueOf tells the state of the queue as this conversation sees it.
func (h *Hub) queueOf(c chat.Conversation) Waiting {
	if c.Holder != chat.HeldByQueue {
		return Waiting{}
	}
	w := Waiting{Position: c.Position, Wait: int(c.Wait.Seconds())}
	if h.opt.Duty != nil {
		if open, next := h.opt.Duty(h.opt.Clock.Now()); !open && !next.IsZero() {
			next = next.UTC()
			w.Duty = &next
		}
	}
	return w
}

type errorFrame struct {
	T       string `json:"t"`
	Ref     string `json:"ref,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Retry   int    `json:"retry,omitempty"` // seconds after which the same may succeed; 0: the same will fail again
}

func messageFrame(m chat.Message) MessageFrame {
	return MessageFrame{T: "message", Seq: m.Seq, ID: m.ID, Author: m.Author, Name: m.Name, Text: m.Text, Payload: m.Payload, At: m.At}
}

// encode never fails on the frames of this package; their strings are valid and their numbers finite.
func encode(frame any) []byte {
	raw, err := json.Marshal(frame)
	if err != nil {
		return []byte(`{"t":"error","code":"internal","message":"internal"}`)
	}
	return raw
}
