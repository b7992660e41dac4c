package routing

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/routing/classify"
	"hotline/routing/rules"
)

// Snapshot is all reference data at one revision. It never changes; what it
// returns must not be changed either.
type Snapshot struct {
	revision     int64
	jurisdiction Jurisdiction
	agencies     []Agency // by ancestors, then code: parents before children
	byID         map[uuid.UUID]int
	byCode       map[string]int
	root         uuid.UUID
	desk         uuid.UUID
	areas        map[string]Area
	shapes       []shape
	categories   []Category
	category     map[string]int
	items        []ServiceItem
	item         map[string]int
	catalogue    *rules.Catalogue
	model        *classify.Model // nil when no category has a text
	fingerprint  string          // of the texts that the model is, or will be, trained on
	untrained    bool            // the model is not of these texts yet
}

// Revision counts the changes of reference data.
func (s *Snapshot) Revision() int64 { return s.revision }

// Jurisdiction is what this installation serves; its code is "" on an empty
// database.
func (s *Snapshot) Jurisdiction() Jurisdiction { return s.jurisdiction }

// JurisdictionOf is the jurisdiction whose rules of time an agency works by: its own or that of the nearest agency above it with one. "" is the
// installation's.
func (s *Snapshot) JurisdictionOf(a Agency) string {
	for i := len(a.Ancestors); a.Jurisdiction == "" && i > 0; i-- {
		up, ok := s.Agency(a.Ancestors[i-1])
		if !ok {
			break
		}
		a.Jurisdiction = up.Jurisdiction
	}
	return a.Jurisdiction
}

// Agency finds one by id, active or not.
func (s *Snapshot) Agency(id uuid.UUID) (Agency, bool) {
	if i, ok := s.byID[id]; ok {
		return s.agencies[i], true
	}
	return Agency{}, false
}

// AgencyByCode finds one by code, active or not.
func (s *Snapshot) AgencyByCode(code string) (Agency, bool) {
	if i, ok := s.byCode[code]; ok {
		return s.agencies[i], true
	}
	return Agency{}, false
}

// Agencies lists all agencies, active or not, parents before children.
func (s *Snapshot) Agencies() []Agency { return s.agencies }

// Root is the top of the tree below the hotline: the government whose hotline
// this is. The zero Agency when there is none.
func (s *Snapshot) Root() Agency { a, _ := s.Agency(s.root); return a }

// Desk is the hotline itself. The zero Agency when there is none.
func (s *Snapshot) Desk() Agency { a, _ := s.Agency(s.desk); return a }

// Ancestors lists the agencies above one, from the root down to the parent.
func (s *Snapshot) Ancestors(id uuid.UUID) []Agency {
	a, ok := s.Agency(id)
	if !ok {
		return nil
	}
	var out []Agency
	for _, up := range a.Ancestors {
		if b, ok := s.Agency(up); ok {
			out = append(out, b)
		}
	}
	return out
}

// Children lists the agencies directly below one; uuid.Nil gives the top.
func (s *Snapshot) Children(id uuid.UUID) []Agency {
	var out []Agency
	for _, a := range s.agencies {
		if a.Parent == id {
			out = append(out, a)
		}
	}
	return out
}

// Category finds one by code, active or not.
func (s *Snapshot) Category(code string) (Category, bool) {
	if i, ok := s.category[code]; ok {
		return s.categories[i], true
	}
	return Category{}, false
}

// Categories lists all categories, parents before children.
func (s *Snapshot) Categories() []Category { return s.categories }

// ServiceItem finds one by code, active or not.
func (s *Snapshot) ServiceItem(code string) (ServiceItem, bool) {
	if i, ok := s.item[code]; ok {
		return s.items[i], true
	}
	return ServiceItem{}, false
}

// ServiceItems lists all service items by code.
func (s *Snapshot) ServiceItems() []ServiceItem { return s.items }

// Area finds one by code.
func (s *Snapshot) Area(code string) (Area, bool) { a, ok := s.areas[code]; return a, ok }

// Areas lists all areas by code.
func (s *Snapshot) Areas() []Area {
	out := slices.Collect(maps.Values(s.areas))
	slices.SortFunc(out, func(a, b Area) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// AreasBelow lists the codes of the areas inside one, itself left out.
func (s *Snapshot) AreasBelow(code string) []string {
	var out []string
	for _, a := range s.areas {
		up, ok := s.areas[a.Parent]
		for range 10 { // deeper than any country
			if !ok || up.Code == code {
				break
			}
			up, ok = s.areas[up.Parent]
		}
		if ok && up.Code == code {
			out = append(out, a.Code)
		}
	}
	slices.Sort(out)
	return out
}

// AreaAt lists the areas that hold the point, the smallest first; none for a
// point outside the jurisdiction or the globe.
func (s *Snapshot) AreaAt(lat, lon float64) []string { return shapesAt(s.shapes, lat, lon) }

// Catalogue is the published dispatch catalogue.
func (s *Snapshot) Catalogue() *rules.Catalogue { return s.catalogue }

// Predict lists the active leaf categories with the probability that the text
// is about them, the most probable first. Empty when nothing was trained.
func (s *Snapshot) Predict(text string) []classify.Guess {
	if s.model == nil || strings.TrimSpace(text) == "" {
		return nil
	}
	return s.model.Predict(text)
}

// Decide finds the lead agency for a ticket. It answers from memory.
func (s *Snapshot) Decide(f Facts) Decision {
	facts := rules.Facts{
		Kind: f.Kind, Category: f.Category, ServiceItem: f.ServiceItem, Areas: f.Areas,
		Urgency: f.Urgency, Confidential: f.Confidential, Excluded: f.Excluded,
	}
	if len(facts.Areas) == 0 && f.Lat != nil && f.Lon != nil {
		facts.Areas = s.AreaAt(*f.Lat, *f.Lon)
	}
	if !s.catalogue.Settled(facts) {
		for _, g := range s.Predict(f.Text) {
			facts.Guesses = append(facts.Guesses, rules.Guess{Category: g.Label, Score: g.Score})
		}
	}
	return rules.Decide(facts, s.catalogue)
}

// Explain puts reasons into words, one sentence each.
func (s *Snapshot) Explain(lang string, reasons []Reason) []string {
	out := make([]string, len(reasons))
	for i, r := range reasons {
		out[i] = rules.Render(lang, r, s.name)
	}
	return out
}

// name implements rules.Names: a code without a name stands for itself.
func (s *Snapshot) name(lang, thing, code string) string {
	name := ""
	switch thing {
	case "category":
		c, _ := s.Category(code)
		name = c.Names.In(lang)
	case "item":
		i, _ := s.ServiceItem(code)
		name = i.Names.In(lang)
	case "area":
		name = s.areas[code].Names.In(lang)
	case "agency":
		a, _ := s.AgencyByCode(code)
		name = a.Names.In(lang)
	}
	if name == "" {
		return code
	}
	return name
}

// index fills the look-up tables from the lists.
func (s *Snapshot) index() {
	s.byID = make(map[uuid.UUID]int, len(s.agencies))
	s.byCode = make(map[string]int, len(s.agencies))
	for i, a := range s.agencies {
		s.byID[a.ID], s.byCode[a.Code] = i, i
		switch {
		case a.Desk() && s.desk == uuid.Nil:
			s.desk = a.ID
		case !a.Desk() && s.root == uuid.Nil:
			s.root = a.ID // parents come before children
		}
	}
	s.category = make(map[string]int, len(s.categories))
	for i, c := range s.categories {
		s.category[c.Code] = i
		s.categories[i].Leaf = c.Active && !slices.ContainsFunc(s.categories, func(d Category) bool { return d.Active && d.Parent == c.Code })
	}
	s.item = make(map[string]int, len(s.items))
	for i, it := range s.items {
		s.item[it.Code] = i
	}
}
