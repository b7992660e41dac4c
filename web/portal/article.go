package portal

import (
	"html/template"
	"net/http"
	"net/url"
	"unicode/utf8"

	"hotline/knowledge"
	"hotline/web/httperr"
)

type articleBody struct {
	Article
	HTML   template.HTML
	Thanks bool
	Comment,
	Helpful string
	Asked string // by which the reader's word is taken for what they searched
}

func (p *Portal) articlePage(r *http.Request) (*view, error) {
	a, err := p.Knowledge.Article(r.Context(), r.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	body := &articleBody{Article: a, HTML: knowledge.RenderHTML(a.Body), Thanks: r.URL.Query().Get("thanks") == "1"}
	v := p.view(r, "title", body)
	v.Title = a.Title
	return v, nil
}

func (p *Portal) article(w http.ResponseWriter, r *http.Request) {
	v, err := p.articlePage(r)
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	// Someone who switches the language on an article wants the article in it, not only the frame around it.
	body := v.Body.(*articleBody)
	for _, other := range body.Others {
		if other.Lang == v.Lang && body.Lang != v.Lang && r.URL.Query().Get("lang") == v.Lang {
			see(w, r, "/a/"+url.PathEscape(other.Slug))
			return
		}
	}
	body.Asked = p.picked(r, v.Lang, body.Article)
	p.render(w, r, "article", v)
}

const maxComment = 1000

// feedback takes "did this help", with words if somebody likes to add some.
func (p *Portal) feedback(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		httperr.Write(w, r, readProblem(err))
		return
	}
	v, err := p.articlePage(r)
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	body := v.Body.(*articleBody)
	body.Helpful, body.Comment, body.Asked = field(r, "helpful"), field(r, "comment"), field(r, "asked")
	if body.Helpful != "yes" && body.Helpful != "no" {
		v.problem("helpful-yes", "article.helpful_missing")
	}
	if n := utf8.RuneCountInString(body.Comment); n > maxComment {
		v.problem("comment", "article.comment_long", "n", maxComment)
	}
	if len(v.Problems) > 0 {
		p.render(w, r, "article", v)
		return
	}
	if err := p.Knowledge.Feedback(r.Context(), body.ID, body.Version, body.Helpful == "yes", body.Comment); err != nil {
		httperr.Write(w, r, err)
		return
	}
	p.word(r, body.ID, body.Helpful == "yes")
	see(w, r, "/a/"+url.PathEscape(body.Slug)+"?thanks=1#feedback")
}
