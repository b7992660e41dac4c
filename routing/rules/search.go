package rules

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// match is an entry that applies to a subject, with the reason that names it.
type match struct {
	entry  Entry
	code   Code
	args   []string
	factor float64
	placed bool // false: another agency could be right where the place is known
}

// candidate is an agency with all that speaks for it.
type candidate struct {
	agency  uuid.UUID
	score   float64
	subject subject
	match
	share    float64 // what its strongest subject adds to the score
	subjects int
	agree    float64 // what its subjects weigh together, whatever the place does to the score
	area     string
}

func (r candidate) explain(c *Catalogue) []Reason {
	out := []Reason{r.subject.reason()}
	if r.subjects > 1 {
		out = append(out, because(CategoriesAgree, "count", strconv.Itoa(r.subjects), "score", decimal(min(r.agree, 1))))
	}
	if r.area != "" {
		out = append(out, because(PlaceKnown, "area", r.area))
	}
	args := append(slices.Clone(r.args), "agency", c.agencies[r.agency].Code)
	if r.code != ItemAgency {
		args = append(args, "version", strconv.Itoa(c.version))
	}
	return append(out, because(r.code, args...))
}

// reasons is explain with what holds the score down.
func (r candidate) reasons(c *Catalogue) []Reason {
	out := r.explain(c)
	if !r.placed {
		out = append(out, because(AreaMissing, "category", r.subject.category))
	}
	return out
}

// search collects candidates over all subjects.
type search struct {
	facts      Facts
	catalogue  *Catalogue
	areas      []string // the place, smaller areas first
	candidates []candidate
	problems   []Reason // of the likeliest subject
}

// follow adds what the catalogue says about one subject. Only the problems of
// the likeliest one are reported: the others did not decide anything.
func (s *search) follow(sub subject, likeliest bool) {
	matches, problem := s.catalogue.matches(sub, s.areas)
	report := func(r Reason) {
		if likeliest {
			s.problems = append(s.problems, r)
		}
	}
	if problem != nil {
		report(*problem)
	}
	first := true
	var taken []uuid.UUID
	for _, m := range matches {
		agency, ok := s.catalogue.agencies[m.entry.Lead]
		switch {
		case slices.Contains(taken, m.entry.Lead):
			continue
		case !ok || !agency.Active:
			if first {
				report(because(AgencyInactive, "agency", cmp.Or(agency.Code, m.entry.Lead.String())))
			}
		case slices.Contains(s.facts.Excluded, agency.ID):
			if first {
				report(because(Returned, "agency", agency.Code))
			}
		default:
			share := sub.score * m.factor
			if !first {
				share *= secondFactor
			}
			s.add(sub, m, share, first)
		}
		taken = append(taken, m.entry.Lead)
		first = false
	}
}

func (s *search) add(sub subject, m match, share float64, primary bool) {
	area := ""
	if len(s.areas) > 0 {
		area = s.areas[0]
	}
	at := slices.IndexFunc(s.candidates, func(r candidate) bool { return r.agency == m.entry.Lead })
	if at < 0 {
		r := candidate{agency: m.entry.Lead, score: share, subject: sub, match: m, share: share, area: area}
		if primary {
			r.subjects, r.agree = 1, sub.score
		}
		s.candidates = append(s.candidates, r)
		return
	}
	r := &s.candidates[at]
	r.score += share
	if primary {
		r.subjects++
		r.agree += sub.score
	}
	if share > r.share {
		r.subject, r.match, r.share = sub, m, share
	}
}

// ranked puts the best candidate first; equal ones in the order of their codes.
func (s *search) ranked() []candidate {
	slices.SortStableFunc(s.candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score),
			cmp.Compare(s.catalogue.agencies[a.agency].Code, s.catalogue.agencies[b.agency].Code))
	})
	return s.candidates
}

// matches lists the entries for a subject, the most specific first, and what
// keeps the first from being certain.
func (c *Catalogue) matches(sub subject, areas []string) ([]match, *Reason) {
	out := c.itemMatches(sub, areas)
	var problem *Reason
	category := sub.category
	for depth := range maxDepth {
		g, ok := c.categories[category]
		if !ok {
			break
		}
		found, placeNeeded := c.categoryMatches(category, depth > 0, areas)
		if placeNeeded && len(out) == 0 && problem == nil {
			r := because(AreaMissing, "category", category)
			if len(areas) > 0 {
				r = because(AreaOutside, "category", category)
			}
			problem = &r
		}
		out = append(out, found...)
		category = g.Parent
	}
	if len(out) == 0 && problem == nil {
		r := because(NoEntry, "category", sub.category)
		problem = &r
	}
	return out, problem
}

// itemMatches ends with the agency that the service item itself names, where
// the catalogue has no entry for the item in general.
func (c *Catalogue) itemMatches(sub subject, areas []string) []match {
	if sub.item == "" {
		return nil
	}
	var out []match
	for _, area := range areas {
		if e, ok := c.byItem[key{sub.item, area}]; ok {
			out = append(out, match{e, EntryItemArea, []string{"item", sub.item, "area", area}, 1, true})
		}
	}
	if e, ok := c.byItem[key{sub.item, ""}]; ok {
		return append(out, match{e, EntryItem, []string{"item", sub.item}, 1, true})
	}
	if lead := c.items[sub.item].Agency; lead != uuid.Nil {
		e := Entry{Category: sub.category, ServiceItem: sub.item, Lead: lead}
		out = append(out, match{e, ItemAgency, []string{"item", sub.item}, 1, true})
	}
	return out
}

// categoryMatches are the entries of one category. placeNeeded: without a
// place that some entry covers, another agency could be the right one.
func (c *Catalogue) categoryMatches(category string, ancestor bool, areas []string) (out []match, placeNeeded bool) {
	factor, subject := 1.0, "category"
	inArea, anywhere := EntryCategoryArea, EntryCategory
	if ancestor {
		factor, subject = ancestorFactor, "ancestor"
		inArea, anywhere = EntryAncestorArea, EntryAncestor
	}
	for _, area := range areas {
		if e, ok := c.byCategory[key{category, area}]; ok {
			out = append(out, match{e, inArea, []string{subject, category, "area", area}, factor, true})
		}
	}
	placed := len(out) > 0
	e, general := c.byCategory[key{category, ""}]
	if !general {
		return out, !placed && len(c.leadsByArea[category]) > 0
	}
	elsewhere := slices.ContainsFunc(c.leadsByArea[category], func(id uuid.UUID) bool { return id != e.Lead })
	placeNeeded = elsewhere && len(areas) == 0
	if placeNeeded {
		factor *= placelessFactor
	}
	return append(out, match{e, anywhere, []string{subject, category}, factor, !placeNeeded}), placeNeeded
}
