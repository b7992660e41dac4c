package portal

import (
	"context"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Asked keeps what was searched in vain, what was opened from a list and whether it helped, so that editors learn what is missing. It may be nil.
// Nothing of the person is kept: no address, no device, no session.
type Asked interface {
	InVain(ctx context.Context, lang, question string) error
	// Picked gives the id by which Word is taken.
	Picked(ctx context.Context, lang, question string, article uuid.UUID, version, place int) (uuid.UUID, error)
	Word(ctx context.Context, id, article uuid.UUID, helped bool) error
}

// inVain records a search without a result. A page is worth more than its record, so a failure is only logged.
func (p *Portal) inVain(r *http.Request, lang, query string) {
	if p.Asked == nil || utf8.RuneCountInString(query) < 2 {
		return
	}
	if err := p.Asked.InVain(r.Context(), lang, query); err != nil && r.Context().Err() == nil {
		p.Log.WarnContext(r.Context(), "search not recorded", "error", err)
	}
}

// picked records that an article was opened from our own list of results, which its link says, and not from a link that somebody shared.
func (p *Portal) picked(r *http.Request, lang string, a Article) string {
	q, _ := query(r)
	place, err := strconv.Atoi(r.URL.Query().Get("p"))
	if p.Asked == nil || q == "" || err != nil || place < 1 || place > 50 || r.Header.Get("Sec-Fetch-Site") != "same-origin" {
		return ""
	}
	id, err := p.Asked.Picked(r.Context(), lang, q, a.ID, a.Version, place)
	if err != nil {
		if r.Context().Err() == nil {
			p.Log.WarnContext(r.Context(), "search not recorded", "error", err)
		}
		return ""
	}
	return id.String()
}

// word takes the reader's word for what they searched.
func (p *Portal) word(r *http.Request, article uuid.UUID, helped bool) {
	id, err := uuid.Parse(field(r, "asked"))
	if p.Asked == nil || err != nil {
		return
	}
	if err := p.Asked.Word(r.Context(), id, article, helped); err != nil && r.Context().Err() == nil {
		p.Log.WarnContext(r.Context(), "word on an article not recorded", "error", err)
	}
}
