package portal

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"hotline/internal/httpfile"
	"hotline/web/httperr"
)

// articleFile serves a file of an article as long as the article is shown to everybody.
func (p *Portal) articleFile(w http.ResponseWriter, r *http.Request) {
	meta, content, err := p.Knowledge.File(r.Context(), r.PathValue("slug"), parseID(r.PathValue("id")))
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	defer content.Close()
	w.Header().Set("Cache-Control", "public, max-age=60")
	httpfile.Send(w, r, httpfile.File{Name: meta.Name, Type: meta.Type}, content)
}

type topicsBody struct{ Topics []Topic }

// topics is the list of topics that have articles in the reader's language.
func (p *Portal) topics(w http.ResponseWriter, r *http.Request) {
	v := p.view(r, "topics.title", nil)
	list, err := p.Knowledge.Topics(r.Context(), v.Lang)
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	v.Body = &topicsBody{Topics: list}
	p.render(w, r, "topics", v)
}

type topicBody struct {
	Topic Topic
	Rows  []Hit
	More  string
}

const topicPage = 50

// topic lists the articles of a topic, a page at a time.
func (p *Portal) topic(w http.ResponseWriter, r *http.Request) {
	v := p.view(r, "topics.title", nil)
	body := &topicBody{}
	var next uuid.UUID
	var err error
	body.Topic, body.Rows, next, err = p.Knowledge.Topic(r.Context(), v.Lang, r.PathValue("code"), parseID(r.URL.Query().Get("after")), topicPage)
	if err != nil {
		httperr.Write(w, r, fmt.Errorf("portal: topic: %w", err))
		return
	}
	if next != uuid.Nil {
		body.More = "/topics/" + url.PathEscape(body.Topic.Code) + "?after=" + next.String()
	}
	v.Title, v.Body = body.Topic.Name, body
	p.render(w, r, "topic", v)
}
