package console

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"hotline/chat/assist"
	"hotline/internal/llm"
	"hotline/knowledge"
	"hotline/web/httperr"
)

// Questions that an article answers, proposed to its editor, who takes those that are good into the form.

// questionsView is the editor's box: the button, or what came of it.
type questionsView struct {
	Article uuid.UUID
	Ask     *askView
}

// proposing is the box for the editor of an article; nil where no model is set up or the article is new.
func (c *Console) proposing(ctx context.Context, v View, e knowledge.Entry) *questionsView {
	if e.Article.ID == uuid.Nil || !c.mayAsk(ctx, askQuestions) {
		return nil
	}
	q := &questionsView{Article: e.Article.ID}
	all, err := c.asksOf(ctx, v, uuid.Nil, uuid.Nil, e.Article.ID)
	if err != nil {
		c.Log.WarnContext(ctx, "asks", "error", err)
		return q
	}
	if a, ok := all[askQuestions+":"+aboutArticle(e)]; ok {
		x := c.viewQuestions(v, a)
		q.Ask = &x
	}
	return q
}

func aboutArticle(e knowledge.Entry) string {
	return itoa(e.Version.Number) + "." + itoa(e.Version.Edit)
}

func (c *Console) viewQuestions(v View, a ask) askView {
	x := askView{ask: a, Base: "/console/knowledge/" + a.Article.String()}
	if a.State == "failed" {
		x.Words = c.words.T(v.Lang, "errors."+a.Error)
	}
	return x
}

func (c *Console) askQuestionsFor(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v, ctx := c.view(r), r.Context()
	if !c.mayAsk(ctx, askQuestions) {
		return llm.ErrNoModel
	}
	e, err := c.latest(ctx, id)
	if err != nil {
		return err
	}
	all, err := c.asksOf(ctx, v, uuid.Nil, uuid.Nil, id)
	if err != nil {
		return err
	}
	a, asked := all[askQuestions+":"+aboutArticle(*e)]
	if !asked || a.State == "failed" {
		by := assist.Asker{User: v.Me.UserID}
		article := assist.Article{ID: id, Version: e.Version.Number, Lang: e.Article.Lang, Title: e.Version.Title, Summary: e.Version.Summary, Text: e.Version.Body}
		a, err = c.beginAsk(ctx, v, ask{Kind: askQuestions, About: aboutArticle(*e), Article: id}, func(ctx context.Context) (askResult, uuid.UUID, error) {
			p, err := c.Machine.ProposeQuestions(ctx, by, article, e.Version.Questions)
			return askResult{Questions: p.Questions}, p.Call, err
		})
		if err != nil {
			return err
		}
	}
	if !isHX(r) {
		http.Redirect(w, r, "/console/knowledge/"+id.String()+"/edit", http.StatusSeeOther)
		return nil
	}
	v.D = c.viewQuestions(v, a)
	c.fragment(w, r, http.StatusOK, "ask", v)
	return nil
}

func (c *Console) askQuestionsShow(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	a, err := c.askByID(r.Context(), v, parseID(r.PathValue("ask")))
	if err != nil {
		return err
	}
	if a.Article.String() != r.PathValue("id") {
		return httperr.ErrNotFound
	}
	v.D = c.viewQuestions(v, a)
	c.fragment(w, r, http.StatusOK, "ask", v)
	return nil
}
