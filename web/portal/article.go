package portal

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"hotline/web/httperr"
)

// markdown turns an article's Markdown into HTML that holds nothing but text, tables, lists and links. Raw HTML in the source stays out twice: the
// renderer drops it, and the sanitizer would.
type markdown struct {
	md     goldmark.Markdown
	policy *bluemonday.Policy
}

var newMarkdown = sync.OnceValue(func() *markdown {
	policy := bluemonday.NewPolicy()
	policy.AllowElements("p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h2", "h3", "h4", "hr", "table", "thead", "tbody", "tr", "th", "td")
	policy.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	policy.AllowAttrs("href").OnElements("a")
	policy.AllowURLSchemes("https", "http", "mailto", "tel")
	policy.AllowRelativeURLs(true)
	policy.RequireNoFollowOnLinks(false)
	policy.RequireNoReferrerOnFullyQualifiedLinks(true)
	return &markdown{md: goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify)), policy: policy}
})

// html renders the source. A table gets a box it can be scrolled in on a phone.
func (m *markdown) html(source string) (template.HTML, error) {
	var out bytes.Buffer
	if err := m.md.Convert([]byte(source), &out); err != nil {
		return "", fmt.Errorf("portal: markdown: %w", err)
	}
	// An article's own first heading is the page's; what is below it starts at the second level.
	clean := m.policy.Sanitize(strings.NewReplacer("<h1>", "<h2>", "</h1>", "</h2>").Replace(out.String()))
	clean = strings.NewReplacer("<table>", `<div class="table-scroll" tabindex="0" role="group"><table>`, "</table>", "</table></div>").Replace(clean)
	return template.HTML(clean), nil // safe: only what the policy lets through, and our own box
}

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
	body := &articleBody{Article: a, Thanks: r.URL.Query().Get("thanks") == "1"}
	if body.HTML, err = newMarkdown().html(a.Body); err != nil {
		return nil, err
	}
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
