package api

import (
	"net/http"

	"github.com/google/uuid"

	"hotline/internal/auth"
	"hotline/knowledge"
	"hotline/knowledge/learn"
)

// Preview is what publishing a text would do to the answers to known questions.
type Preview struct {
	Pairs     int             `json:"pairs" doc:"Questions of the evaluation set that were tried" example:"120"`
	Questions int             `json:"questions" doc:"Questions of the last weeks that were tried" example:"840"`
	Better    int             `json:"better" doc:"Of these, answered better than now" example:"3"`
	Worse     int             `json:"worse" doc:"Of these, answered worse than now: look at them before you publish" example:"0"`
	Effects   []PreviewEffect `json:"effects" doc:"The questions that would be answered otherwise, the worse ones first; at most 100"`
}

// PreviewEffect is a question that would be answered otherwise.
type PreviewEffect struct {
	Kind     string         `json:"kind" enum:"better,worse,answers,silences,wrong,other" doc:"worse, wrong and silences count as worse; better and answers as better" example:"answers"`
	Question string         `json:"question" example:"Where do I register a beehive?"`
	Lang     string         `json:"lang" example:"en"`
	Pair     bool           `json:"pair" doc:"Of the evaluation set, where the right article is known"`
	Before   PreviewVerdict `json:"before"`
	After    PreviewVerdict `json:"after"`
}

// PreviewVerdict is what a citizen is told.
type PreviewVerdict struct {
	Outcome string `json:"outcome" enum:"answer,choices,none" example:"answer"`
	Article string `json:"article,omitempty" doc:"The first"`
}

type previewInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Title     string   `json:"title,omitempty" maxLength:"300" doc:"Without a title the article's newest text is tried"`
		Summary   string   `json:"summary,omitempty" maxLength:"1000"`
		Body      string   `json:"body,omitempty" maxLength:"200000" doc:"Markdown"`
		Keywords  []string `json:"keywords,omitempty" maxItems:"50"`
		Questions []string `json:"questions,omitempty" maxItems:"50"`
	}
}

type previewOutput struct{ Body Preview }

const mostEffects = 100

func (a *API) previewRoutes() {
	register(a, operation{id: "preview-article", method: http.MethodPost, path: "/knowledge/articles/{id}/preview", tag: tagKnowledge, summary: "What publishing a text would do",
		about: "Tries a text of the article on the evaluation set and on what was asked lately, beside what is served: nothing is changed or stored. For keys of the agency that answers for the article, and of the hotline.",
		scope: auth.ScopeTicketsRead, errors: []int{http.StatusNotFound}, example: map[string]any{"title": "Register a beehive", "summary": "At the environment department, free of charge."}}, a.preview)
}

func (a *API) preview(c *call, in *previewInput) (*previewOutput, error) {
	article, err := a.Knowledge.Article(c.ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if actor := c.key.Actor(); !actor.Desk() && article.Owner != actor.Agency() {
		return nil, knowledge.ErrNotFound
	}
	var f learn.Forecast
	if b := in.Body; b.Title == "" {
		f, err = a.Learn.Forecast(c.ctx, in.ID)
	} else {
		text := knowledge.Text{Title: b.Title, Summary: b.Summary, Body: b.Body, Keywords: b.Keywords, Questions: b.Questions, Audience: article.Audience}
		f, err = a.Learn.ForecastText(c.ctx, knowledge.Entry{Article: article, Version: knowledge.Version{Article: article.ID, Text: text}})
	}
	if err != nil {
		return nil, err
	}
	out := &previewOutput{Body: Preview{Pairs: f.Pairs, Questions: f.Questions, Better: f.Better(), Worse: f.Worse(), Effects: []PreviewEffect{}}}
	for _, bad := range []bool{true, false} {
		for _, o := range f.Effects {
			if o.Bad() == bad && len(out.Body.Effects) < mostEffects {
				out.Body.Effects = append(out.Body.Effects, PreviewEffect{Kind: o.Kind, Question: o.Question, Lang: o.Lang, Pair: o.Pair, Before: verdict(o.Effect.Before), After: verdict(o.Effect.After)})
			}
		}
	}
	return out, nil
}

func verdict(v knowledge.Verdict) PreviewVerdict {
	out := PreviewVerdict{Outcome: string(v.Outcome)}
	if v.Article != uuid.Nil {
		out.Article = v.Article.String()
	}
	return out
}
