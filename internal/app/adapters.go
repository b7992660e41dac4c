package app

import (
	"context"

	"github.com/google/uuid"

	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/routing"
	"hotline/tickets"
)

// botKnowledge lets the bot ask the knowledge base.
type botKnowledge struct {
	service *knowledge.Service
	baseURL string
}

// Answer implements bot.Knowledge.
func (k botKnowledge) Answer(ctx context.Context, text, lang string) (bot.Answer, error) {
	a, err := k.service.Answer(ctx, text, lang)
	if err != nil {
		return bot.Answer{}, err
	}
	out := bot.Answer{Outcome: bot.Outcome(a.Outcome), Text: a.Text, Form: a.Form, Score: a.Score} // both packages use the same words
	for _, c := range a.Citations {
		out.Citations = append(out.Citations, bot.Citation{ArticleID: c.Article, Version: c.Version, Title: c.Title, URL: k.baseURL + c.URL, Snippet: c.Snippet})
	}
	return out, nil
}

// ByID implements bot.Knowledge: the article itself, or its translation where the citizen speaks another language.
func (k botKnowledge) ByID(ctx context.Context, id, lang string) (bot.Answer, error) {
	e, err := k.entry(ctx, id, lang)
	if err != nil {
		return bot.Answer{}, err
	}
	return bot.Answer{Outcome: bot.OutcomeAnswer, Text: knowledge.AnswerText(e.Version), Form: e.Version.Form, Citations: []bot.Citation{{
		ArticleID: e.Article.ID.String(), Version: e.Version.Number, Title: e.Version.Title, URL: k.baseURL + e.Article.URL(), Snippet: e.Version.Summary}}}, nil
}

// entry reads an article that may be served, in the language where there is a translation.
func (k botKnowledge) entry(ctx context.Context, id, lang string) (knowledge.Entry, error) {
	article, err := uuid.Parse(id)
	if err != nil {
		return knowledge.Entry{}, bot.ErrNotFound
	}
	found, err := k.service.Servable(ctx, []uuid.UUID{article}, false)
	if err != nil {
		return knowledge.Entry{}, err
	}
	if len(found) == 0 {
		return knowledge.Entry{}, bot.ErrNotFound
	}
	e := found[0]
	if e.Article.Key == "" || knowledge.BaseLang(e.Article.Lang) == knowledge.BaseLang(lang) {
		return e, nil
	}
	others, err := k.service.Translations(ctx, e.Article.Key, false)
	if err != nil {
		return knowledge.Entry{}, err
	}
	for _, o := range others {
		if knowledge.BaseLang(o.Article.Lang) == knowledge.BaseLang(lang) {
			return o, nil
		}
	}
	return e, nil
}

// Sections implements bot.Knowledge.
func (k botKnowledge) Sections(ctx context.Context, id, lang string) ([]bot.Section, error) {
	e, err := k.entry(ctx, id, lang)
	if err != nil {
		return nil, err
	}
	out := []bot.Section{{Text: e.Version.Summary}} // the shortest answer to "how long?" often stands there
	for _, s := range knowledge.Sections(e.Version.Body) {
		out = append(out, bot.Section{Heading: s.Heading, Text: s.Text})
	}
	return out, nil
}

// Beside implements bot.Knowledge.
func (k botKnowledge) Beside(ctx context.Context, id, lang, question string) (bot.Section, error) {
	e, err := k.entry(ctx, id, lang)
	if err != nil {
		return bot.Section{}, err
	}
	s, ok := knowledge.Beside(question, e.Version)
	if !ok {
		return bot.Section{}, nil
	}
	return bot.Section{Heading: s.Heading, Text: s.Text}, nil
}

// botTickets tells the status behind a tracking code.
type botTickets struct {
	service *tickets.Service
	routing *routing.Service
}

// Status implements bot.Tickets.
func (b botTickets) Status(ctx context.Context, code, lang string) (bot.Status, error) {
	t, err := b.service.ByCode(ctx, code)
	if err != nil {
		if k := errs.KindOf(err); k == errs.NotFound || k == errs.Invalid {
			return bot.Status{}, bot.ErrNotFound
		}
		return bot.Status{}, err
	}
	s := bot.Status{TicketID: t.ID.String(), Number: t.Number, Title: t.Title, State: string(t.State), Updated: t.UpdatedAt, Reply: t.Reply}
	if a, ok := b.routing.Snapshot().Agency(t.Lead); ok {
		s.Agency = a.Names.In(lang)
	}
	who := tickets.CitizenBy(db.CitizenOfTicket(t.ID))
	if s.Due, err = b.service.Promised(ctx, who, t); err != nil {
		return bot.Status{}, err
	}
	_, rated, err := b.service.RatingOf(ctx, who, t.ID)
	if err != nil {
		return bot.Status{}, err
	}
	s.CanRate = !rated && t.Ratable()
	return s, nil
}

// botClassifier names categories.
type botClassifier struct{ routing *routing.Service }

// Predict implements bot.Classifier.
func (c botClassifier) Predict(text string) []bot.Guess {
	var out []bot.Guess
	for _, g := range c.routing.Predict(text) {
		out = append(out, bot.Guess{Label: g.Label, Score: g.Score})
	}
	return out
}

// botFields tells the bot what the tickets of a category need.
func botFields(service *tickets.Service) bot.Fields {
	return func(category, lang string) []bot.Field {
		var out []bot.Field
		for _, f := range service.AskedFields(category) {
			if !f.Intake {
				continue
			}
			d := bot.Field{Code: f.Code, Label: f.Label(lang), Type: bot.FieldType(f.Type), Judge: f.Judge}
			for _, o := range f.Choices {
				d.Options = append(d.Options, bot.Choice{ID: o.Code, Label: o.Name(lang)})
			}
			out = append(out, d)
		}
		return out
	}
}

// botCategories are the categories that a language model may choose from for the bot.
func botCategories(r *routing.Service) bot.Categories {
	return func(lang string) []bot.Choice {
		var out []bot.Choice
		for _, c := range r.Snapshot().Categories() {
			if c.Active {
				out = append(out, bot.Choice{ID: c.Code, Label: c.Names.In(lang)})
			}
		}
		return out
	}
}
