package sla

import (
	"maps"
	"slices"
	"strings"
)

// Policy sets clocks for the tickets that it matches. An empty Kind, Category or Urgency matches all.
type Policy struct {
	Code     string             `json:"code"`
	Source   string             `json:"source,omitempty"`
	Kind     string             `json:"kind,omitempty"`
	Category string             `json:"category,omitempty"` // a node of the category tree; its children match too
	Urgency  string             `json:"urgency,omitempty"`
	Clocks   map[ClockName]Span `json:"clocks"`
	// WarnFraction is the part of a clock's length that is left when it turns yellow. Zero takes the set's.
	WarnFraction float64 `json:"warn_fraction,omitempty"`
}

// Choose returns the policy for a ticket: of those that match, the most specific decides each clock, and what it does not
// name comes from the next one. The result carries the code of the most specific match. ok is false when none matches.
//
// More matched dimensions win; between policies that match equally many, urgency beats category (the deeper node first) and
// category beats kind, because an urgent case of any kind cannot wait for its kind's ordinary span. Last, the code decides,
// so that the order of the file never does.
func Choose(policies []Policy, kind, category, urgency string) (p Policy, ok bool) {
	var hits []Policy
	for _, c := range policies {
		if matches(c, kind, category, urgency) {
			hits = append(hits, c)
		}
	}
	if len(hits) == 0 {
		return Policy{}, false
	}
	slices.SortStableFunc(hits, func(a, b Policy) int {
		if d := specificity(b) - specificity(a); d != 0 {
			return d
		}
		return strings.Compare(a.Code, b.Code)
	})
	p = hits[0]
	p.Clocks = maps.Clone(p.Clocks)
	if p.Clocks == nil {
		p.Clocks = map[ClockName]Span{}
	}
	for _, h := range hits[1:] {
		for name, span := range h.Clocks {
			if _, set := p.Clocks[name]; !set {
				p.Clocks[name] = span
			}
		}
		if p.WarnFraction == 0 {
			p.WarnFraction = h.WarnFraction
		}
	}
	return p, true
}

func matches(p Policy, kind, category, urgency string) bool {
	return (p.Kind == "" || p.Kind == kind) &&
		(p.Urgency == "" || p.Urgency == urgency) &&
		(p.Category == "" || p.Category == category || isBelow(category, p.Category))
}

// isBelow: category codes are paths, "utilities.water.leak" lies below "utilities".
func isBelow(code, node string) bool {
	if !strings.HasPrefix(code, node) {
		return false
	}
	return strings.ContainsRune("./-", rune(code[len(node)]))
}

func specificity(p Policy) int {
	score := 0
	if p.Urgency != "" {
		score += 1000 + 500
	}
	if p.Category != "" {
		score += 1000 + 100 + strings.Count(strings.NewReplacer("/", ".", "-", ".").Replace(p.Category), ".")
	}
	if p.Kind != "" {
		score += 1000
	}
	return score
}
