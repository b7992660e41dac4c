package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/tickets"
)

// Code is a tracking code as people type it.
type Code struct {
	Code string `json:"code" minLength:"1" maxLength:"60" doc:"Twenty digits; blanks and dashes are ignored" example:"4071 8220 9461 5330 8724"`
}

// Tracked is what the person who filed sees of a ticket.
type Tracked struct {
	Number      string           `json:"number" example:"2026-000123"`
	State       string           `json:"state" example:"in_progress"`
	Open        bool             `json:"open"`
	Kind        string           `json:"kind" example:"complaint"`
	Category    *Named           `json:"category,omitempty"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Place       string           `json:"place,omitempty"`
	Lead        *Named           `json:"lead,omitempty" doc:"The agency that works on it"`
	PromisedAt  *time.Time       `json:"promised_at,omitempty" doc:"By when it is to be answered; while it is done again, by when that is"`
	Reply       string           `json:"reply,omitempty" doc:"The agency's answer"`
	Outcome     string           `json:"outcome,omitempty"`
	OpenedAt    time.Time        `json:"opened_at"`
	UpdatedAt   time.Time        `json:"updated_at"`
	ClosedAt    *time.Time       `json:"closed_at,omitempty"`
	Can         []string         `json:"can" doc:"What can be done now: message, rating, or an action such as withdraw" example:"[\"message\",\"withdraw\"]"`
	Timeline    []Event          `json:"timeline"`
	Messages    []TrackedMessage `json:"messages"`
}

// TrackedMessage is one message of the correspondence.
type TrackedMessage struct {
	Seq     int64     `json:"seq" example:"2"`
	Author  string    `json:"author" enum:"citizen,bot,staff,system" example:"staff"`
	Text    string    `json:"text"`
	Uploads []File    `json:"uploads,omitempty"`
	At      time.Time `json:"at"`
}

// TrackedState is where the ticket stands after the citizen did something.
type TrackedState struct {
	Number string `json:"number" example:"2026-000123"`
	State  string `json:"state" example:"in_progress"`
}

type codeInput struct{ Body Code }

type trackedOutput struct{ Body Tracked }

type stateOutput struct{ Body TrackedState }

type replyInput struct {
	Body struct {
		Code
		Text    string      `json:"text" minLength:"1" maxLength:"20000" example:"The bin is in the back yard."`
		Uploads []uuid.UUID `json:"uploads,omitempty" maxItems:"10" doc:"Files sent before to /uploads with this code"`
	}
}

type rateInput struct {
	Body struct {
		Code
		Grade    string `json:"grade" enum:"very_satisfied,satisfied,neutral,unsatisfied,very_unsatisfied" example:"satisfied"`
		Text     string `json:"text,omitempty" maxLength:"2000" example:"It took a while, but it is quiet now."`
		Resolved *bool  `json:"resolved,omitempty" doc:"As the citizen sees it" example:"true"`
	}
}

// grades are the five grades of 好差评 in the order in which they are numbered, from 1.
var grades = []string{"very_unsatisfied", "unsatisfied", "neutral", "satisfied", "very_satisfied"}

type withdrawInput struct {
	Body struct {
		Code
		Text string `json:"text,omitempty" maxLength:"2000" doc:"Why" example:"It has stopped by itself."`
	}
}

const exampleCode = "40718220946153308724"

func (a *API) trackingRoutes() {
	absent := []int{http.StatusNotFound}
	slow := "A wrong code slows the address down that sent it; the ticket is never locked."
	register(a, operation{id: "track", method: http.MethodPost, path: "/tracking", tag: tagTracking, summary: "Look at a ticket by its tracking code", about: slow,
		errors: absent, example: map[string]any{"code": exampleCode}}, a.track)
	register(a, operation{id: "track-message", method: http.MethodPost, path: "/tracking/messages", tag: tagTracking, summary: "Write to the agency",
		about: "Answers a question of the agency, or adds to an open ticket.", idempotent: true, status: http.StatusCreated, errors: absent,
		example: map[string]any{"code": exampleCode, "text": "The bin is in the back yard."}}, a.reply)
	register(a, operation{id: "track-rating", method: http.MethodPost, path: "/tracking/rating", tag: tagTracking, summary: "Rate the answer",
		about: "Once for each ticket, when it has been answered. The two lowest grades open a rectification.", idempotent: true, status: http.StatusCreated, errors: absent,
		example: map[string]any{"code": exampleCode, "grade": "satisfied", "resolved": true}}, a.rate)
	register(a, operation{id: "track-withdraw", method: http.MethodPost, path: "/tracking/withdraw", tag: tagTracking, summary: "Withdraw the ticket",
		about: "As long as it is not answered.", idempotent: true, errors: append([]int{http.StatusForbidden}, absent...),
		example: map[string]any{"code": exampleCode, "text": "It has stopped by itself."}}, a.withdraw)
}

func citizenOf(t tickets.Ticket) tickets.Actor { return tickets.CitizenBy(db.CitizenOfTicket(t.ID)) }

func (a *API) track(c *call, in *codeInput) (*trackedOutput, error) {
	t, err := a.byCode(c, in.Body.Code)
	if err != nil {
		return nil, err
	}
	who := citizenOf(t)
	timeline, err := a.Tickets.Timeline(c.ctx, who, t.ID)
	if err != nil {
		return nil, err
	}
	messages, err := a.Chat.OfTicket(c.ctx, who.DB, t.ID, chat.MaxPage)
	if err != nil {
		return nil, err
	}
	if messages, err = a.Chat.RenderFor(c.ctx, chat.ReaderCitizen, messages); err != nil {
		return nil, err
	}
	out := Tracked{Number: t.Number, State: string(t.State), Open: t.Open(), Kind: t.Kind, Title: t.Title, Description: t.Description, Place: t.Place, Lead: a.agency(c, t.Lead),
		Reply: t.Reply, Outcome: t.Outcome, OpenedAt: t.OpenedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(), ClosedAt: utc(t.ClosedAt),
		Timeline: a.eventsOf(c, timeline), Messages: make([]TrackedMessage, len(messages)), Can: []string{}}
	if cat, ok := a.Routing.Snapshot().Category(t.Category); ok {
		out.Category = &Named{Code: cat.Code, Name: cat.Names.In(c.lang)}
	}
	due, err := a.Tickets.Promised(c.ctx, who, t)
	if err != nil {
		return nil, err
	}
	out.PromisedAt = utc(due)
	if out.Can, err = a.can(c, who, t); err != nil {
		return nil, err
	}
	for i, m := range messages {
		out.Messages[i] = TrackedMessage{Seq: m.Seq, Author: m.Author, Text: m.Text, Uploads: files(m.Payload.Uploads), At: m.At}
	}
	return &trackedOutput{Body: out}, nil
}

// can lists what the citizen may do now.
func (a *API) can(c *call, who tickets.Actor, t tickets.Ticket) ([]string, error) {
	out := []string{}
	for _, m := range a.Tickets.Moves(who, t) {
		switch m.Name {
		case tickets.CitizenReply, tickets.AddInformation:
			out = append(out, "message")
		case tickets.Withdraw:
			out = append(out, "withdraw")
		}
	}
	if t.Ratable() {
		_, rated, err := a.Tickets.RatingOf(c.ctx, who, t.ID)
		if err != nil {
			return nil, err
		}
		if !rated {
			out = append(out, "rating")
		}
	}
	return out, nil
}

func (a *API) reply(c *call, in *replyInput) (*stateOutput, error) {
	t, err := a.byCode(c, in.Body.Code.Code)
	if err != nil {
		return nil, err
	}
	state, err := once(a, c, func(store[TrackedState]) (TrackedState, error) {
		t, err := a.Chat.ReplyByCitizen(c.ctx, t.ID, c.onceKey(), in.Body.Text, in.Body.Uploads)
		return TrackedState{Number: t.Number, State: string(t.State)}, err
	})
	if err != nil {
		return nil, err
	}
	return &stateOutput{Body: state}, nil
}

func (a *API) rate(c *call, in *rateInput) (*stateOutput, error) {
	t, err := a.byCode(c, in.Body.Code.Code)
	if err != nil {
		return nil, err
	}
	r := tickets.Rating{Text: channels.CleanText(in.Body.Text), Resolved: in.Body.Resolved}
	for i, g := range grades {
		if g == in.Body.Grade {
			r.Grade = i + 1
		}
	}
	state, err := once(a, c, func(store[TrackedState]) (TrackedState, error) {
		rated, err := a.Tickets.Rate(c.ctx, citizenOf(t), t.ID, r)
		if errors.Is(err, tickets.ErrRated) && a.sameRating(c, t, r) {
			// This very call got so far before and could not say so.
			return TrackedState{Number: t.Number, State: string(t.State)}, nil
		}
		if err == nil {
			a.Chat.Announce(rated)
		}
		return TrackedState{Number: rated.Number, State: string(rated.State)}, err
	})
	if err != nil {
		return nil, err
	}
	return &stateOutput{Body: state}, nil
}

func (a *API) sameRating(c *call, t tickets.Ticket, r tickets.Rating) bool {
	old, found, err := a.Tickets.RatingOf(c.ctx, citizenOf(t), t.ID)
	same := (old.Resolved == nil) == (r.Resolved == nil) && (r.Resolved == nil || *old.Resolved == *r.Resolved)
	return err == nil && found && same && old.Grade == r.Grade && old.Text == r.Text
}

func (a *API) withdraw(c *call, in *withdrawInput) (*stateOutput, error) {
	t, err := a.byCode(c, in.Body.Code.Code)
	if err != nil {
		return nil, err
	}
	who := citizenOf(t)
	state, err := once(a, c, func(keep store[TrackedState]) (TrackedState, error) {
		var state TrackedState
		err := db.WithTx(c.ctx, a.Pool, who.DB, func(tx db.Tx) (err error) {
			if t, err = a.Tickets.ApplyTx(c.ctx, tx, who, t.ID, tickets.AnyVersion, tickets.Withdraw, tickets.Fields{Text: channels.CleanText(in.Body.Text)}, c.onceKey()); err != nil {
				return err
			}
			state = TrackedState{Number: t.Number, State: string(t.State)}
			return keep(c.ctx, tx, state)
		})
		if err == nil {
			a.Chat.Announce(t)
		}
		return state, err
	})
	if err != nil {
		return nil, err
	}
	return &stateOutput{Body: state}, nil
}
