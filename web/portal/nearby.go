package portal

import (
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Nearby is a matter that others have reported, as anybody may know of it: no words of those who reported, no exact place.
type Nearby struct {
	ID        uuid.UUID
	Title     string // of a known disturbance, in the city's words; else ""
	Category  string // code
	Area      string // name in the language asked for; may be empty
	Metres    int    // rounded; -1 when not known
	Opened    time.Time
	Reporters int
}

// offer looks for matters that the draft repeats, and keeps them with it: only what was shown can be followed. A portal that cannot look lets people file.
func (p *Portal) offer(w http.ResponseWriter, r *http.Request, f *flow, d *Draft, lang string) {
	if f.confidential {
		return
	}
	found, err := p.Cases.Nearby(r.Context(), d.filing(f, lang))
	if err != nil {
		p.Log.WarnContext(r.Context(), "nearby matters", "error", err)
		return
	}
	if len(found) == 0 && len(d.Nearby) == 0 {
		return
	}
	d.Nearby = found
	if err := p.drafts.save(w, r, f, *d); err != nil {
		d.Nearby = nil // what is not kept cannot be followed
		p.Log.WarnContext(r.Context(), "keep nearby matters", "error", err)
	}
}

// followed is the matter that the person chose to join, uuid.Nil for a case of its own.
func (d *Draft) followed(r *http.Request) uuid.UUID {
	n, err := strconv.Atoi(r.PostFormValue("follow"))
	if err != nil || n < 0 || n >= len(d.Nearby) {
		return uuid.Nil
	}
	return d.Nearby[n].ID
}

func (d *Draft) filing(f *flow, lang string) Filing {
	filing := Filing{Key: d.Key, Lang: lang, Kind: d.Kind, Category: d.Category, Text: d.Text, Place: d.Place,
		Lat: d.Lat, Lon: d.Lon, Name: d.Name, Phone: d.Phone, Email: d.Email, Quiet: d.Quiet, Confidential: f.confidential, Details: d.said()}
	for _, u := range d.Photos {
		filing.Uploads = append(filing.Uploads, u.ID)
	}
	return filing
}

// NearbyWhat names a matter: what the city says of it, or its subject.
func (v *view) NearbyWhat(n Nearby) string {
	switch {
	case n.Title != "":
		return n.Title
	case n.Category != "" && v.CategoryName(n.Category) != "":
		return v.CategoryName(n.Category)
	}
	return v.T("nearby.something")
}

// NearbyFacts says where, how old, and how many.
func (v *view) NearbyFacts(n Nearby) []string {
	var out []string
	switch {
	case n.Metres >= 0 && n.Area != "":
		out = append(out, v.T("nearby.metres_in", "n", max(n.Metres, 50), "area", n.Area))
	case n.Metres >= 0:
		out = append(out, v.T("nearby.metres", "n", max(n.Metres, 50)))
	case n.Area != "":
		out = append(out, n.Area)
	}
	switch days := int(v.p.Clock.Now().Sub(n.Opened).Hours() / 24); {
	case days < 1:
		out = append(out, v.T("nearby.today"))
	default:
		out = append(out, v.T("nearby.days", "n", days))
	}
	return append(out, v.T("nearby.reporters", "n", n.Reporters))
}
