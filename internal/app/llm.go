package app

import (
	"context"

	"github.com/google/uuid"

	"hotline/chat/assist"
	"hotline/internal/llm"
)

// models makes what asks language models; with none set up it costs a look into memory.
func (a *App) models(key []byte) error {
	var err error
	if a.LLM, err = llm.New(llm.Deps{Pool: a.pool, Clock: a.clock, Log: a.log, Secret: key, Location: a.zone()}); err != nil {
		return err
	}
	a.Assist = assist.New(assist.Deps{LLM: a.LLM, Articles: a.sources, Style: a.answerStyle})
	return nil
}

// sources gives published public articles to rest an answer on.
func (a *App) sources(ctx context.Context, ids []uuid.UUID) ([]assist.Article, error) {
	found, err := a.Knowledge.Servable(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	var out []assist.Article
	for _, e := range found {
		out = append(out, assist.Article{ID: e.Article.ID, Version: e.Version.Number, Lang: e.Article.Lang, Title: e.Version.Title, URL: a.baseURL + e.Article.URL(), Summary: e.Version.Summary, Text: e.Version.Body})
	}
	return out, nil
}

// answerStyle is how the jurisdiction wants its models to write.
func (a *App) answerStyle() assist.Style {
	rules := a.Routing.Snapshot().Jurisdiction().ModelRules()
	return assist.Style{Tone: rules.Tone, Sentences: rules.Sentences}
}
