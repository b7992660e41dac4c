package portal

import (
	"net/http"
	"slices"
)

// The question "A few details": the fields that the chosen category has of its own.

// DetailType says what kind of answer a detail wants.
type DetailType string

// The types of details.
const (
	DetailText   DetailType = "text"
	DetailNumber DetailType = "number"
	DetailDate   DetailType = "date" // 2026-03-10
	DetailChoice DetailType = "choice"
	DetailYesNo  DetailType = "yes_no" // yes, no
)

// Detail is something a category wants to know, in the reader's language.
type Detail struct {
	Code, Label string
	Type        DetailType
	Choices     []DetailOption
	Needed      bool
	// Judge brings what was typed into the form it is kept in; "" is none. Errors: kinds invalid and too_large.
	Judge func(value string) (string, error)
}

// DetailOption is one answer to choose.
type DetailOption struct{ Code, Name string }

// Options are the answers to choose from, none for a detail that is typed.
func (d Detail) Options(v *view) []DetailOption {
	if d.Type == DetailYesNo {
		return []DetailOption{{"yes", v.T("yes")}, {"no", v.T("no")}}
	}
	return d.Choices
}

// Field is the id of its input.
func (d Detail) Field() string { return "detail-" + d.Code }

// wants is what the draft's category asks for now. A confidential report is not asked: nobody chose its category.
func (p *Portal) wants(f *flow, d *Draft, lang string) {
	d.wanted = nil
	if !f.confidential && d.Category != "" {
		d.wanted = p.City.Details(d.Category, lang)
	}
}

// detailed reports whether the details were asked for and still fit what is asked now: definitions may have changed since.
func (d *Draft) detailed() bool {
	if !slices.Contains(d.Answered, "details") || d.DetailsOf != d.Category {
		return false
	}
	for _, w := range d.wanted {
		if value, err := w.Judge(d.Details[w.Code]); err != nil || value == "" && w.Needed {
			return false
		}
	}
	return true
}

func (p *Portal) fillDetails(v *view, d *Draft, r *http.Request) {
	d.Details, d.DetailsOf = map[string]string{}, d.Category
	for _, w := range d.wanted {
		typed := field(r, w.Field())
		value, err := w.Judge(typed)
		switch {
		case err != nil:
			d.Details[w.Code] = typed
			v.problem(w.Field(), "details.bad_"+string(w.Type), "field", w.Label)
		case value == "" && w.Needed:
			v.problem(w.Field(), "details.missing", "field", w.Label)
		case value != "":
			d.Details[w.Code] = value
		}
	}
}

// Said is a detail that was answered, in words.
type Said struct{ Label, Words string }

// Said lists the details for the check page, those left open too.
func (v *view) Said(d *Draft) []Said {
	var out []Said
	for _, w := range d.wanted {
		words := d.Details[w.Code]
		for _, o := range w.Options(v) {
			if o.Code == words {
				words = o.Name
			}
		}
		out = append(out, Said{w.Label, words})
	}
	return out
}

// Optional says of a detail that it may be left empty.
func (v *view) Optional(d Detail) string {
	if d.Needed {
		return ""
	}
	return v.T("details.optional")
}

// Wanted lists what the page asks for.
func (v *view) Wanted(d *Draft) []Detail { return d.wanted }

// said is what the filing takes along.
func (d *Draft) said() map[string]string {
	out := map[string]string{}
	for _, w := range d.wanted {
		if value := d.Details[w.Code]; value != "" {
			out[w.Code] = value
		}
	}
	return out
}
