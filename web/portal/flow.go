package portal

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hotline/channels"
)

// flow is one form: the ordinary ticket, or the confidential report.
type flow struct {
	name, path   string
	confidential bool
	steps        []string
}

var (
	fileFlow   = &flow{name: "file", path: "/file", steps: []string{"kind", "what", "category", "details", "where", "photos", "contact", "check"}}
	reportFlow = &flow{name: "report", path: "/report", confidential: true, steps: []string{"what", "where", "photos", "contact", "check"}}
	flows      = []*flow{fileFlow, reportFlow}
)

// kinds a citizen may choose; a report has its own pages.
var kinds = []string{"complaint", "help", "consult", "suggestion", "praise"}

func (f *flow) first() string { return f.path + "/" + f.steps[0] }

func (f *flow) has(step string) bool { return slices.Contains(f.steps, step) }

// left says whether a step is left out for this draft.
func (f *flow) left(step string, d *Draft) bool {
	return step == "category" && len(d.Offered) == 0 || step == "details" && len(d.wanted) == 0
}

// next is the step after the given one; previous the one before, "" at the start.
func (f *flow) next(step string, d *Draft) string {
	for i := slices.Index(f.steps, step) + 1; i < len(f.steps); i++ {
		if !f.left(f.steps[i], d) {
			return f.steps[i]
		}
	}
	return "check"
}

func (f *flow) previous(step string, d *Draft) string {
	for i := slices.Index(f.steps, step) - 1; i >= 0; i-- {
		if !f.left(f.steps[i], d) {
			return f.steps[i]
		}
	}
	return ""
}

// open is the first step without an answer: nobody gets to a later one by its address.
func (f *flow) open(d *Draft) string {
	for _, step := range f.steps {
		if step == "check" || !f.left(step, d) && !d.answered(step) {
			return step
		}
	}
	return "check"
}

// reachable reports whether the step may be shown now.
func (f *flow) reachable(step string, d *Draft) bool {
	return f.has(step) && !f.left(step, d) && slices.Index(f.steps, step) <= slices.Index(f.steps, f.open(d))
}

// Limits of what is typed, in characters.
const (
	maxText  = 4000
	minText  = 5
	maxPlace = 300
	maxName  = 80
)

// field reads a form value without what can not be seen.
func field(r *http.Request, name string) string {
	s := strings.ToValidUTF8(r.PostFormValue(name), "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(c rune) rune {
		if c < 0x20 && c != '\n' && c != '\t' || c == 0x7f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return -1
		}
		return c
	}, s)
	return strings.TrimSpace(s)
}

// fill takes the answer of a step into the draft and says what is wrong with it. A draft with problems still holds what was typed.
func (p *Portal) fill(v *view, f *flow, step string, d *Draft, r *http.Request) {
	switch step {
	case "kind":
		if d.Kind = field(r, "kind"); !slices.Contains(kinds, d.Kind) {
			d.Kind = ""
			v.problem("kind-complaint", "kind.missing")
		}
	case "what":
		d.Text = field(r, "text")
		switch n := utf8.RuneCountInString(d.Text); {
		case n < minText:
			v.problem("text", "what.missing")
		case n > maxText:
			v.problem("text", "what.long", "n", maxText, "over", n-maxText)
		default:
			p.suggestCategories(f, d)
		}
	case "category":
		d.Category = field(r, "category")
		if d.Category == "none" {
			d.Category = ""
		} else if !slices.Contains(d.Offered, d.Category) {
			d.Category = ""
			v.problem("category-0", "category.missing")
		}
	case "details":
		p.fillDetails(v, d, r)
	case "where":
		p.fillWhere(v, d, r)
	case "contact":
		p.fillContact(v, d, r)
	}
}

func (p *Portal) fillWhere(v *view, d *Draft, r *http.Request) {
	d.Place = field(r, "place")
	d.Lat, d.Lon = nil, nil
	lat, errLat := strconv.ParseFloat(field(r, "lat"), 64)
	lon, errLon := strconv.ParseFloat(field(r, "lon"), 64)
	if errLat == nil && errLon == nil && lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 {
		d.Lat, d.Lon = &lat, &lon
	}
	if field(r, "nowhere") != "" {
		d.Place, d.Lat, d.Lon = "", nil, nil
		return
	}
	switch {
	case d.Place == "" && d.Lat == nil:
		v.problem("place", "where.missing")
	case utf8.RuneCountInString(d.Place) > maxPlace:
		v.problem("place", "where.long", "n", maxPlace)
	}
}

func (p *Portal) fillContact(v *view, d *Draft, r *http.Request) {
	d.Name, d.Phone, d.Email, d.Quiet = field(r, "name"), field(r, "phone"), field(r, "email"), field(r, "quiet") != ""
	switch d.Who = field(r, "who"); d.Who {
	case "anonymous":
		d.Name, d.Phone, d.Email, d.Quiet = "", "", "", false
		return
	case "contact":
	default:
		d.Who = ""
		v.problem("who-contact", "contact.missing")
		return
	}
	if d.Phone == "" && d.Email == "" {
		v.problem("phone", "contact.reach")
	}
	if d.Phone != "" && !channels.LooksLikePhone(d.Phone) {
		v.problem("phone", "contact.phone_bad")
	}
	if d.Email != "" && !channels.LooksLikeEmail(d.Email) {
		v.problem("email", "contact.email_bad")
	}
	if utf8.RuneCountInString(d.Name) > maxName {
		v.problem("name", "contact.name_long", "n", maxName)
	}
}

// likely is the least probability at which a category is worth showing.
const likely = 0.05

// suggestCategories offers up to three guesses. A confidential report is sorted by the people who may read it.
func (p *Portal) suggestCategories(f *flow, d *Draft) {
	d.Offered = nil
	if f.confidential {
		return
	}
	for _, g := range p.City.Guess(d.Text) {
		if g.Score >= likely && len(d.Offered) < 3 {
			d.Offered = append(d.Offered, g.Category)
		}
	}
	if !slices.Contains(d.Offered, d.Category) {
		d.Category = ""
		d.Answered = slices.DeleteFunc(d.Answered, func(s string) bool { return s == "category" })
	}
}
