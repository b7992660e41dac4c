package portal

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"hotline/web/httperr"
)

// serveFile sends a file so that it can do nothing: no script, no guessing of types, pictures only are shown in place.
func serveFile(w http.ResponseWriter, meta Upload, content io.Reader, cache string) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", cache)
	h.Set("Content-Type", meta.Type)
	disposition := "attachment"
	switch meta.Type {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		disposition = "inline"
	}
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": meta.Name}))
	h.Set("Content-Length", strconv.FormatInt(meta.Size, 10))
	_, _ = io.Copy(w, content) // the connection is all that can fail; a short answer does not match its length
}

// articleFile serves a file of an article as long as the article is shown to everybody.
func (p *Portal) articleFile(w http.ResponseWriter, r *http.Request) {
	meta, content, err := p.Knowledge.File(r.Context(), r.PathValue("slug"), parseID(r.PathValue("id")))
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	defer content.Close()
	serveFile(w, meta, content, "public, max-age=60")
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
