package api

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"hotline/internal/auth"
	"hotline/knowledge"
)

// ArticleFile is a file of an article.
type ArticleFile struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name" example:"application-form.pdf"`
	Type string    `json:"type" example:"application/pdf"`
	Size int64     `json:"size" example:"48213"`
	URL  string    `json:"url" doc:"Served as long as the article is"`
}

// Telling is one time that somebody was told an article, or offered it.
type Telling struct {
	ID       uuid.UUID `json:"id"`
	At       time.Time `json:"at"`
	Version  int       `json:"version" example:"3"`
	By       string    `json:"by" enum:"bot,staff,portal" example:"bot"`
	Channel  string    `json:"channel" example:"web"`
	Lang     string    `json:"lang" example:"en"`
	Outcome  string    `json:"outcome" enum:"answer,choices,none,handoff" example:"answer"`
	Question string    `json:"question,omitempty" doc:"Without personal data; absent in a confidential conversation"`
	Helped   *bool     `json:"helped,omitempty" doc:"The citizen's word"`
	Ticket   string    `json:"ticket,omitempty" doc:"Number of the ticket, as far as the key may see it" example:"2026-000123"`
}

type toldInput struct {
	ID      uuid.UUID `path:"id"`
	Version int       `query:"version" minimum:"0" doc:"Only this version; 0 or absent: all"`
	After   uuid.UUID `query:"after" doc:"Id of the last one of the page before"`
	Limit   int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type toldOutput struct {
	Body struct {
		Tellings []Telling `json:"tellings"`
		Next     string    `json:"next,omitempty" doc:"Marker of the next page; absent at the end"`
	}
}

func (a *API) toldRoutes() {
	register(a, operation{id: "list-tellings", method: http.MethodGet, path: "/knowledge/articles/{id}/tellings", tag: tagKnowledge, summary: "Who was told which version",
		about: "The newest first. A key sees what concerns its agency's articles and questions.", scope: auth.ScopeTicketsRead, errors: []int{http.StatusNotFound}}, a.tellings)
	a.previewRoutes()
}

func (a *API) tellings(c *call, in *toldInput) (*toldOutput, error) {
	if _, err := a.Knowledge.Article(c.ctx, in.ID); err != nil {
		return nil, err
	}
	rows, err := a.Knowledge.Tellings(c.ctx, knowledge.Staff{Actor: c.key.Actor()}, in.ID, in.Version, in.After, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &toldOutput{}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		out.Body.Next = rows[in.Limit-1].ID.String()
	}
	out.Body.Tellings = make([]Telling, len(rows))
	for i, w := range rows {
		out.Body.Tellings[i] = Telling{ID: w.ID, At: w.At.UTC(), Version: w.Version, By: w.By, Channel: w.Channel, Lang: w.Lang, Outcome: w.Outcome, Question: w.Question, Helped: w.Helped, Ticket: w.Number}
	}
	return out, nil
}
