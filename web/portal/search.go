package portal

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"hotline/web/httperr"
)

const maxQuery = 200

type searchBody struct {
	Query string
	Hits  []Hit
	Cut   bool
}

// query reads ?q= as a person may type or paste it.
func query(r *http.Request) (q string, cut bool) {
	q = strings.Join(strings.Fields(strings.ToValidUTF8(r.URL.Query().Get("q"), "")), " ")
	if utf8.RuneCountInString(q) > maxQuery {
		return string([]rune(q)[:maxQuery]), true
	}
	return q, false
}

func (p *Portal) search(w http.ResponseWriter, r *http.Request) {
	v := p.view(r, "search.title", nil)
	body := &searchBody{}
	body.Query, body.Cut = query(r)
	v.Body = body
	if body.Query != "" {
		hits, err := p.Knowledge.Search(r.Context(), v.Lang, body.Query, 20)
		if err != nil {
			httperr.Write(w, r, err)
			return
		}
		body.Hits = hits
		v.Title = v.T("search.title_for", "query", body.Query)
	}
	p.render(w, r, "search", v)
}

// suggest gives titles for what is being typed.
func (p *Portal) suggest(w http.ResponseWriter, r *http.Request) {
	titles := []string{}
	if q, _ := query(r); utf8.RuneCountInString(q) >= 2 {
		hits, err := p.Knowledge.Search(r.Context(), httperr.Lang(r.Context()), q, 6)
		if err != nil {
			httperr.Write(w, r, err)
			return
		}
		for _, hit := range hits {
			titles = append(titles, hit.Title)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, max-age=60")
	_ = json.NewEncoder(w).Encode(titles) // the connection is all that can fail
}
