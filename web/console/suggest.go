package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/internal/errs"
	"hotline/knowledge"
)

// suggestion is an article that may answer, ready to be inserted.
type suggestion struct {
	knowledge.Result
	Percent int
	Insert  string // the answer, with its source
	Cite    string // "article:version"
}

type suggestData struct {
	Query string
	Rows  []suggestion
	URL   string
}

// suggest searches the knowledge base: with the ticket's own words first, then with what the reader types.
func (c *Console) suggest(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	own := t.Title
	if t.Description != t.Title && !strings.HasPrefix(t.Description, t.Title) {
		own += "\n" + t.Description
	} else {
		own = t.Description
	}
	return c.showSuggestions(w, r, v, own, t.Lang)
}

func (c *Console) showSuggestions(w http.ResponseWriter, r *http.Request, v View, own, lang string) error {
	d := suggestData{Query: clean(r.URL.Query().Get("q"), 500), URL: r.URL.Path}
	question := d.Query
	if question == "" {
		question = own
	}
	if strings.TrimSpace(question) != "" {
		found, err := c.Knowledge.Search(r.Context(), knowledge.Query{Text: question, Lang: lang, Audience: knowledge.AudienceStaff, Limit: 4})
		if err != nil && errs.KindOf(err) != errs.Invalid {
			return err
		}
		to := View{c: c, Lang: lang}
		for _, one := range found {
			answer := one.Summary
			if answer == "" {
				answer = one.Snippet.Text()
			}
			d.Rows = append(d.Rows, suggestion{Result: one, Percent: percent(one.Score), Cite: one.ID.String() + ":" + itoa(one.Version),
				Insert: answer + "\n" + to.T("suggest.source", "title", one.Title, "n", one.Version)})
		}
	}
	v.D = d
	c.fragment(w, r, http.StatusOK, "suggestions", v)
	return nil
}

// cite reads "article:version" and checks that the article may still be shown.
func (c *Console) cite(ctx context.Context, s string) (channels.Citation, bool) {
	article, version, ok := strings.Cut(s, ":")
	id := parseID(article)
	if !ok || id == uuid.Nil {
		return channels.Citation{}, false
	}
	entries, err := c.Knowledge.Servable(ctx, []uuid.UUID{id}, true)
	if err != nil || len(entries) == 0 || entries[0].Version.Number != number(version) {
		return channels.Citation{}, false // withdrawn since it was inserted: the text says what it says, without a false source
	}
	e := entries[0]
	return channels.Citation{Article: id.String(), Version: e.Version.Number, Title: e.Version.Title, URL: e.Article.URL(), Snippet: e.Version.Summary}, true
}
