package app

import (
	"context"
	"io"
	"slices"

	"github.com/google/uuid"

	"hotline/knowledge"
	"hotline/web/portal"
)

// File implements portal.Knowledge.
func (k portalKnowledge) File(ctx context.Context, slug string, id uuid.UUID) (portal.Upload, io.ReadSeekCloser, error) {
	f, r, err := k.service.PublicFile(ctx, slug, id)
	return articleFile(f), r, err
}

func articleFile(f knowledge.File) portal.Upload {
	return portal.Upload{ID: f.ID, Name: f.Name, Type: f.Type, Size: f.Size, Width: f.Width, Height: f.Height}
}

// Topics implements portal.Knowledge.
func (k portalKnowledge) Topics(ctx context.Context, lang string) ([]portal.Topic, error) {
	all, err := k.service.PublicTopics(ctx, lang)
	if err != nil {
		return nil, err
	}
	var out []portal.Topic
	for _, t := range all {
		if t.Parent == "" {
			out = append(out, portal.Topic{Code: t.Code, Name: t.Name(lang), Articles: t.Articles})
		}
	}
	for _, t := range all {
		if i := slices.IndexFunc(out, func(p portal.Topic) bool { return p.Code == t.Parent }); t.Parent != "" && i >= 0 && t.Articles > 0 {
			out[i].Below = append(out[i].Below, portal.Topic{Code: t.Code, Name: t.Name(lang), Articles: t.Articles})
		}
	}
	return slices.DeleteFunc(out, func(t portal.Topic) bool { return t.Articles == 0 && len(t.Below) == 0 }), nil
}

// Topic implements portal.Knowledge.
func (k portalKnowledge) Topic(ctx context.Context, lang, code string, after uuid.UUID, limit int) (portal.Topic, []portal.Hit, uuid.UUID, error) {
	all, err := k.Topics(ctx, lang)
	if err != nil {
		return portal.Topic{}, nil, uuid.Nil, err
	}
	var topic portal.Topic
	for _, t := range all {
		for _, one := range append([]portal.Topic{t}, t.Below...) {
			if one.Code == code {
				topic = one
			}
		}
	}
	if topic.Code == "" {
		return topic, nil, uuid.Nil, knowledge.ErrNotFound
	}
	rows, err := k.service.ByTopic(ctx, code, lang, false, after, limit+1)
	if err != nil {
		return topic, nil, uuid.Nil, err
	}
	next := uuid.Nil
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].Article.ID
	}
	hits := make([]portal.Hit, len(rows))
	for i, e := range rows {
		hits[i] = portal.Hit{Slug: e.Article.Slug, Title: e.Version.Title, Version: e.Version.Number}
		if e.Version.Summary != "" {
			hits[i].Snippet = []portal.Segment{{Text: e.Version.Summary}}
		}
	}
	return topic, hits, next, nil
}
