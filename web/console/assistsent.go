package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/tickets"
)

// used is a suggestion that a form names: in the composer with the text that was inserted, or beside it.
type used struct {
	knowledge.Assist
	Value string // as the form says it
	Text  string
	Title string
}

// maxUsed bounds how many suggestions one form may name.
const maxUsed = 12

// usedOf reads the suggestions of a form; what is not one is left out.
func usedOf(values, texts []string) []used {
	var out []used
	for i, value := range values {
		p := strings.Split(value, ":")
		if len(out) == maxUsed || len(p) < 6 {
			continue
		}
		u := used{Value: value, Assist: knowledge.Assist{ID: parseID(p[0]), Kind: p[1], Article: parseID(p[2]), Version: number(p[3]), Place: number(p[4])}}
		u.Score, _ = strconv.ParseFloat(p[5], 64)
		if len(p) > 6 {
			u.ModelCall = parseID(p[6])
		}
		if i < len(texts) {
			u.Text = text(texts[i])
		}
		if u.ID != uuid.Nil && u.Article != uuid.Nil && slices.Contains([]string{knowledge.AssistArticle, knowledge.AssistDraft, knowledge.AssistModel}, u.Kind) {
			out = append(out, u)
		}
	}
	return out
}

// givenUp is how much of an inserted text may be gone before it counts as given up: what is left of it are the words that every letter has.
const givenUp = 0.8

// sent says what became of the suggestions that a composer's form names, when words go out, and which articles these rest on.
func (c *Console) sent(ctx context.Context, v View, r *http.Request, m matter, words string) ([]channels.Citation, chat.Also) {
	chosen := usedOf(r.PostForm["used"], r.PostForm["used_text"])
	var rows []knowledge.Assist
	var cites []channels.Citation
	out := map[uuid.UUID]bool{} // articles that went out
	told, place := uuid.Nil, 0
	for _, a := range m.rows(v, chosen, knowledge.Inserted) {
		u := chosen[len(rows)]
		a.Changed = knowledge.Edited(u.Text, words)
		switch {
		case a.Changed == 0:
			a.Outcome = knowledge.SentAsIs
		case a.Changed < givenUp:
			a.Outcome = knowledge.SentEdited
		default:
			a.Changed = 0
		}
		if a.Outcome != knowledge.Inserted {
			if told == uuid.Nil {
				told, place = a.Article, a.Place
			}
			if cite, ok := c.cite(ctx, a.Article, a.Version); ok && !out[a.Article] && len(cites) < 5 {
				cites = append(cites, cite)
			}
			out[a.Article] = true
		}
		rows = append(rows, a)
	}
	for _, a := range m.rows(v, usedOf(r.PostForm["shown"], nil), knowledge.Suggested) {
		if out[a.Article] || slices.ContainsFunc(rows, func(x knowledge.Assist) bool { return x.ID == a.ID }) {
			continue
		}
		// It stood above the one that was sent, or that one had to be searched for.
		if told != uuid.Nil && (place == 0 || a.Place < place) {
			a.Outcome, a.Instead = knowledge.Replaced, told
		}
		rows = append(rows, a)
	}
	return cites, func(ctx context.Context, tx db.Tx) error { return knowledge.RecordAssists(ctx, tx, rows...) }
}

// cite is an article as a source, if a citizen may still read that version.
func (c *Console) cite(ctx context.Context, id uuid.UUID, version int) (channels.Citation, bool) {
	entries, err := c.Knowledge.Servable(ctx, []uuid.UUID{id}, false)
	if err != nil || len(entries) == 0 || entries[0].Version.Number != version {
		return channels.Citation{}, false // withdrawn since it was inserted: the text says what it says, without a false source
	}
	e := entries[0]
	return channels.Citation{Article: id.String(), Version: e.Version.Number, Title: e.Version.Title, URL: e.Article.URL(), Snippet: e.Version.Summary}, true
}

// sourcesOf are citations as a move of a ticket keeps them.
func sourcesOf(cites []channels.Citation) []tickets.Source {
	var out []tickets.Source
	for _, one := range cites {
		out = append(out, tickets.Source{Article: parseID(one.Article), Version: one.Version, Title: one.Title, URL: one.URL})
	}
	return out
}
