package portal

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"hotline/web/httperr"
)

const maxQuery = 200

// placed is a hit with its place in the list, from 1: its link tells which one was opened.
type placed struct {
	Hit
	Place int
}

type searchBody struct {
	Query string
	Hits  []placed
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
		for i, h := range hits {
			body.Hits = append(body.Hits, placed{h, i + 1})
		}
		if len(hits) == 0 {
			p.inVain(r, v.Lang, body.Query)
		}
		v.Title = v.T("search.title_for", "query", body.Query)
	}
	p.render(w, r, "search", v)
}

// most suggestions that are offered at once: more than can be taken in while typing only distract.
const mostSuggestions = 6

// suggest gives articles for what is being typed.
func (p *Portal) suggest(w http.ResponseWriter, r *http.Request) {
	found := []Suggestion{}
	if q, _ := query(r); enoughTyped(q) {
		// A blank at the end says that the last word is finished.
		if strings.HasSuffix(r.URL.Query().Get("q"), " ") {
			q += " "
		}
		hits, err := p.Knowledge.Suggest(r.Context(), httperr.Lang(r.Context()), q, mostSuggestions)
		if err != nil {
			httperr.Write(w, r, err)
			return
		}
		found = append(found, hits...)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, max-age=60")
	w.Header().Set("Vary", "Cookie, Accept-Language")
	_ = json.NewEncoder(w).Encode(found) // the connection is all that can fail
}

// enoughTyped: one Chinese character says something, one letter does not.
func enoughTyped(q string) bool {
	return utf8.RuneCountInString(q) >= 2 || strings.ContainsFunc(q, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}
