package rules

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

const (
	// maxGuesses are followed into the catalogue; what is less likely than
	// the eighth guess moves no decision.
	maxGuesses = 8
	// maxAlternatives are shown to a dispatcher: one for each number key.
	maxAlternatives = 3
	// minAlternative is the score from which an agency is worth a look beside
	// the best one; below it would show as 0 %.
	minAlternative = 0.01
	// ancestorFactor is for an entry of a broader category than the ticket's.
	ancestorFactor = 0.8
	// placelessFactor is for the entry that applies anywhere, where the
	// place is not known and could lead to another agency.
	placelessFactor = 0.5
	// secondFactor is for the agency of an entry that a more specific entry
	// overrules: worth showing, not worth sending.
	secondFactor = 0.1
)

// Decide finds the lead agency for a ticket. It never fails: what cannot be
// decided comes back with the reasons why, for a person.
func Decide(f Facts, c *Catalogue) Decision {
	d := Decision{Queue: QueueDispatch, Urgency: cmp.Or(f.Urgency, "normal"), Confidential: f.Confidential, Catalogue: c.version}
	s := search{facts: f, catalogue: c, areas: c.widen(f.Areas)}
	if len(s.areas) > 0 {
		d.Area = s.areas[0]
	}
	subjects, problems := c.subjects(f)
	if len(subjects) == 0 {
		d.Explanation = problems
		return d
	}
	for i, subject := range subjects {
		s.follow(subject, i == 0)
	}
	ranked := s.ranked()
	first := subjects[0]
	d.Category, d.CategoryScore = first.category, first.score
	if len(ranked) > 0 {
		best := ranked[0]
		d.Lead, d.Co, d.Score = best.agency, c.partners(best.entry, f.Excluded), min(best.score, 1)
		d.Category, d.CategoryScore = best.subject.category, best.subject.score
		d.Explanation = best.explain(c)
	} else {
		d.Explanation = append(d.Explanation, first.reason())
	}
	d.settle(f, c, ranked)
	d.Explanation = append(d.Explanation, problems...)
	d.Explanation = append(d.Explanation, s.problems...)
	if len(ranked) > 0 {
		d.Explanation = append(d.Explanation, doubts(ranked, d.Score, c)...)
	}
	d.Auto = len(ranked) > 0 && !slices.ContainsFunc(d.Explanation, Reason.Undecided)
	if d.Auto {
		d.Queue = QueueSign
	}
	for i, r := range ranked[:min(len(ranked), maxAlternatives)] {
		if i > 0 && r.score < minAlternative {
			break // ranked: the rest is as unlikely
		}
		var co []uuid.UUID
		if !d.Confidential {
			co = c.partners(r.entry, f.Excluded)
		}
		d.Alternatives = append(d.Alternatives, Alternative{r.agency, co, r.subject.category, min(r.score, 1), r.reasons(c)})
	}
	return d
}

// settle fills in what follows from category and entry.
func (d *Decision) settle(f Facts, c *Catalogue, ranked []candidate) {
	category := c.categories[d.Category]
	d.Confidential = d.Confidential || category.Confidential
	if d.Urgency == "normal" {
		raised := category.Urgency
		if len(ranked) > 0 {
			raised = cmp.Or(ranked[0].entry.Urgency, raised)
		}
		if raised != "" && raised != "normal" {
			d.Urgency = raised
			d.Explanation = append(d.Explanation, because(Raised, "urgency", raised))
		}
	}
	if len(d.Co) == 0 {
		return
	}
	if d.Confidential {
		// Who may know of a confidential report is a person's decision.
		d.Co = nil
		d.Explanation = append(d.Explanation, because(CoWithheld))
		return
	}
	d.Explanation = append(d.Explanation, because(WithCo, "agencies", c.codes(d.Co)))
}

// doubts are the reasons that come from the ranking itself.
func doubts(ranked []candidate, score float64, c *Catalogue) []Reason {
	var out []Reason
	if len(ranked) > 1 && ranked[0].score-ranked[1].score < c.policy.TieMargin {
		out = append(out, because(Tie, "agency", c.agencies[ranked[0].agency].Code, "other", c.agencies[ranked[1].agency].Code))
	}
	if score < c.policy.AutoThreshold {
		out = append(out, because(LowScore, "score", decimal(score), "threshold", decimal(c.policy.AutoThreshold)))
	}
	return out
}

// subject is one reading of what the ticket is about.
type subject struct {
	category string
	item     string
	score    float64
	by       Code
}

func (s subject) reason() Reason {
	switch s.by {
	case CategoryByText:
		return because(s.by, "category", s.category, "score", decimal(s.score))
	case CategoryByItem:
		return because(s.by, "category", s.category, "item", s.item)
	}
	return because(s.by, "category", s.category)
}

// Settled reports whether the category or the service item says what the matter is, so that Decide would not look at Guesses.
func (c *Catalogue) Settled(f Facts) bool {
	if g, ok := c.categories[f.Category]; ok && f.Category != "" && g.Active {
		return true
	}
	item, ok := c.items[f.ServiceItem]
	return ok && item.Active && item.Category != ""
}

// subjects lists the readings, the likeliest first. A person's word counts
// alone; so does a service item, which somebody chose.
func (c *Catalogue) subjects(f Facts) ([]subject, []Reason) {
	var problems []Reason
	item, known := c.items[f.ServiceItem]
	known = known && item.Active
	if f.Category != "" {
		if g, ok := c.categories[f.Category]; ok && g.Active {
			s := subject{category: f.Category, score: 1, by: CategoryByPerson}
			if known {
				s.item = item.Code
			}
			return []subject{s}, nil
		}
		problems = append(problems, because(UnknownCategory, "category", f.Category))
	}
	if known && item.Category != "" {
		return []subject{{item.Category, item.Code, 1, CategoryByItem}}, problems
	}
	var out []subject
	var sum float64
	for _, g := range f.Guesses {
		category, ok := c.categories[g.Category]
		if !ok || !category.Active || g.Score <= 0 {
			continue
		}
		if f.Kind != "" && len(category.Kinds) > 0 && !slices.Contains(category.Kinds, f.Kind) {
			continue
		}
		s := subject{category: g.Category, score: g.Score, by: CategoryByText}
		if known {
			s.item = item.Code
		}
		out = append(out, s)
		sum += g.Score
	}
	if len(out) == 0 {
		return nil, append(problems, because(NoCategory))
	}
	// The kind rules some categories out: what is left shares their weight,
	// within the weight that all guesses had together.
	var all float64
	for _, g := range f.Guesses {
		all += max(g.Score, 0)
	}
	for i := range out {
		out[i].score *= min(all, 1) / sum
	}
	slices.SortStableFunc(out, func(a, b subject) int { return cmp.Compare(b.score, a.score) })
	return out[:min(len(out), maxGuesses)], problems
}

// partners are the co-agencies of an entry without those that are inactive,
// unknown or have returned the ticket.
func (c *Catalogue) partners(e Entry, excluded []uuid.UUID) []uuid.UUID {
	var out []uuid.UUID
	for _, id := range e.Co {
		if id != e.Lead && c.agencies[id].Active && !slices.Contains(excluded, id) {
			out = append(out, id)
		}
	}
	return out
}

func (c *Catalogue) codes(ids []uuid.UUID) string {
	out := ""
	for i, id := range ids {
		if i > 0 {
			out += ","
		}
		out += c.agencies[id].Code
	}
	return out
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }
