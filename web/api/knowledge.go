package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"hotline/knowledge"
)

// Found is an article found for a question.
type Found struct {
	ID      uuid.UUID `json:"id"`
	Version int       `json:"version" example:"1"`
	Lang    string    `json:"lang" example:"en"`
	Slug    string    `json:"slug" example:"open-a-water-account"`
	Topic   string    `json:"topic,omitempty" example:"utilities"`
	Title   string    `json:"title" example:"How do I open a water account?"`
	Summary string    `json:"summary,omitempty"`
	Snippet string    `json:"snippet,omitempty"`
	Score   float64   `json:"score" doc:"0 to 1: how well the article answers" example:"0.83"`
	URL     string    `json:"url" example:"/a/open-a-water-account"`
}

// Article is a published article.
type Article struct {
	ID           uuid.UUID     `json:"id"`
	Version      int           `json:"version" example:"1"`
	Lang         string        `json:"lang" example:"en"`
	Slug         string        `json:"slug"`
	Topic        string        `json:"topic,omitempty"`
	Title        string        `json:"title"`
	Summary      string        `json:"summary,omitempty"`
	Body         string        `json:"body" doc:"Markdown"`
	Owner        *Named        `json:"owner,omitempty" doc:"The agency that answers for it"`
	Services     []string      `json:"services" doc:"Codes of service items"`
	ValidFrom    string        `json:"valid_from,omitempty" format:"date" example:"2026-01-01"`
	ValidTo      string        `json:"valid_to,omitempty" format:"date" doc:"The last valid day"`
	PublishedAt  *time.Time    `json:"published_at,omitempty"`
	Translations []Translation `json:"translations"`
	Files        []ArticleFile `json:"files" doc:"Forms, maps and the like, to download"`
	URL          string        `json:"url"`
}

// Translation is the same article in another language.
type Translation struct {
	Lang  string `json:"lang" example:"zh-CN"`
	Slug  string `json:"slug"`
	Title string `json:"title"`
}

// Answer is what the articles say to a question.
type Answer struct {
	Outcome   string       `json:"outcome" enum:"answer,choices,none" doc:"none: nothing was good enough; offer a person or a ticket" example:"answer"`
	Lang      string       `json:"lang,omitempty" example:"en"`
	Text      string       `json:"text,omitempty" doc:"The article's own words"`
	Citations []Source     `json:"citations" doc:"One for an answer, up to three to choose from"`
	Score     float64      `json:"score" example:"0.83"`
	Emergency *EmergencyTo `json:"emergency,omitempty" doc:"The question speaks of danger to life: show this first"`
}

// Source is the version of an article that an answer rests on.
type Source struct {
	Article string `json:"article"`
	Version int    `json:"version" example:"1"`
	Title   string `json:"title"`
	URL     string `json:"url"`
	Snippet string `json:"snippet,omitempty"`
}

type searchInput struct {
	Q     string `query:"q" required:"true" minLength:"1" maxLength:"1000" example:"water account"`
	Lang  string `query:"lang" maxLength:"20" doc:"Of the reader; a question in Chinese characters finds Chinese articles whatever it is" example:"en"`
	Limit int    `query:"limit" minimum:"1" maximum:"50" default:"10"`
}

type searchOutput struct {
	Body struct {
		Articles []Found `json:"articles"`
	}
}

type articleInput struct {
	Slug string `path:"slug" maxLength:"120" example:"open-a-water-account"`
}

type articleOutput struct {
	Status int
	Body   Article
}

type feedbackInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Version int    `json:"version" minimum:"1" doc:"The version that was read" example:"1"`
		Helpful bool   `json:"helpful" example:"true"`
		Comment string `json:"comment,omitempty" maxLength:"2000"`
	}
}

type feedbackOutput struct{}

type answerInput struct {
	Body struct {
		Question string `json:"question" minLength:"1" maxLength:"4000" example:"How do I open a water account?"`
		Lang     string `json:"lang,omitempty" maxLength:"20" doc:"Of the reader" example:"en"`
	}
}

type answerOutput struct{ Body Answer }

func (a *API) knowledgeRoutes() {
	register(a, operation{id: "search-knowledge", method: http.MethodGet, path: "/knowledge/search", tag: tagKnowledge, summary: "Search published articles",
		about: "Pages of other sites may call this from a script."}, a.search)
	register(a, operation{id: "get-article", method: http.MethodGet, path: "/knowledge/articles/{slug}", tag: tagKnowledge, summary: "Read an article",
		about: "Only what is published, valid and undisputed. Pages of other sites may call this from a script.", errors: []int{http.StatusNotFound}}, a.article)
	a.toldRoutes()
	register(a, operation{id: "rate-article", method: http.MethodPost, path: "/knowledge/articles/{id}/feedback", tag: tagKnowledge, summary: "Say whether an article helped",
		idempotent: true, status: http.StatusNoContent, errors: []int{http.StatusNotFound}, example: map[string]any{"version": 1, "helpful": true}}, a.feedback)
	register(a, operation{id: "answer-question", method: http.MethodPost, path: "/knowledge/answer", tag: tagKnowledge, summary: "Answer a question from the articles",
		about:   "What the chatbot would say: an answer in an article's own words with its source, a choice of articles, or the admission that there is none. Nothing is stored.",
		example: map[string]any{"question": "How do I open a water account?", "lang": "en"}}, a.answer)
}

func (a *API) search(c *call, in *searchInput) (*searchOutput, error) {
	lang := in.Lang
	if lang == "" {
		lang = c.lang
	}
	results, err := a.Knowledge.Search(c.ctx, knowledge.Query{Text: in.Q, Lang: lang, Audience: knowledge.AudiencePublic, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &searchOutput{}
	out.Body.Articles = make([]Found, len(results))
	for i, r := range results {
		out.Body.Articles[i] = Found{ID: r.ID, Version: r.Version, Lang: r.Lang, Slug: r.Slug, Topic: r.Topic, Title: r.Title, Summary: r.Summary, Snippet: r.Snippet.Text(),
			Score: r.Score, URL: a.BaseURL + r.URL()}
	}
	return out, nil
}

func (a *API) article(c *call, in *articleInput) (*articleOutput, error) {
	e, err := a.Knowledge.BySlug(c.ctx, in.Slug, false)
	if err != nil {
		return nil, err
	}
	// The owner's name is in the reader's language.
	if c.notModified(fmt.Sprintf(`W/"%s-%d-%s"`, e.Article.ID, e.Version.Number, c.lang), "public, max-age=60") {
		return &articleOutput{Status: http.StatusNotModified}, nil
	}
	out := Article{ID: e.Article.ID, Version: e.Version.Number, Lang: e.Article.Lang, Slug: e.Article.Slug, Topic: e.Article.Topic, Title: e.Version.Title, Summary: e.Version.Summary,
		Body: e.Version.Body, Owner: a.agency(c, e.Article.Owner), Services: list(e.Article.Services), ValidFrom: day(e.Version.ValidFrom), ValidTo: day(e.Version.ValidTo),
		PublishedAt: utc(e.Version.PublishedAt), Translations: []Translation{}, Files: []ArticleFile{}, URL: a.BaseURL + e.Article.URL()}
	files, err := a.Knowledge.Files(c.ctx, e.Version.Files)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		out.Files = append(out.Files, ArticleFile{ID: f.ID, Name: f.Name, Type: f.Type, Size: f.Size, URL: a.BaseURL + e.Article.URL() + "/files/" + f.ID.String()})
	}
	if e.Article.Key != "" {
		others, err := a.Knowledge.Translations(c.ctx, e.Article.Key, false)
		if err != nil {
			return nil, err
		}
		for _, o := range others {
			if o.Article.ID != e.Article.ID {
				out.Translations = append(out.Translations, Translation{Lang: o.Article.Lang, Slug: o.Article.Slug, Title: o.Version.Title})
			}
		}
	}
	return &articleOutput{Status: http.StatusOK, Body: out}, nil
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func (a *API) feedback(c *call, in *feedbackInput) (*feedbackOutput, error) {
	_, err := once(a, c, func(store[struct{}]) (struct{}, error) {
		return struct{}{}, a.Knowledge.Feedback(c.ctx, in.ID, in.Body.Version, in.Body.Helpful, in.Body.Comment, "api")
	})
	if err != nil {
		return nil, err
	}
	return &feedbackOutput{}, nil
}

func (a *API) answer(c *call, in *answerInput) (*answerOutput, error) {
	lang := in.Body.Lang
	if lang == "" {
		lang = c.lang
	}
	found, err := a.Knowledge.Answer(c.ctx, in.Body.Question, lang)
	if err != nil {
		return nil, err
	}
	out := Answer{Outcome: string(found.Outcome), Lang: found.Lang, Text: found.Text, Citations: make([]Source, len(found.Citations)), Score: found.Score,
		Emergency: a.emergency(in.Body.Question, lang)}
	for i, s := range found.Citations {
		out.Citations[i] = Source{Article: s.Article, Version: s.Version, Title: s.Title, URL: a.BaseURL + s.URL, Snippet: s.Snippet}
	}
	return &answerOutput{Body: out}, nil
}
