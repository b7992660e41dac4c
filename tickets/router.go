package tickets

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/routing"
)

// RouterOf makes a Router of the routing service. Tests and tools that need no catalogue write their own.
func RouterOf(s *routing.Service) Router {
	return Router{
		Decide: func(f RouteFacts) Route {
			d := s.Decide(routing.Facts{Kind: f.Kind, Category: f.Category, Text: f.Text, ServiceItem: f.ServiceItem, Lat: f.Lat, Lon: f.Lon,
				Urgency: f.Urgency, Confidential: f.Confidential, Excluded: f.Excluded})
			record, err := json.Marshal(d)
			if err != nil {
				record = nil // strings and numbers only
			}
			return Route{Lead: d.Lead, Co: d.Co, Auto: d.Auto, Score: d.Score, Category: d.Category, Area: d.Area, Urgency: d.Urgency,
				Confidential: d.Confidential, Record: record}
		},
		Agency: func(id uuid.UUID) (Agency, bool) {
			a, ok := s.Snapshot().Agency(id)
			return Agency{ID: a.ID, Code: a.Code, Ancestors: a.Ancestors, Desk: a.Desk(), Active: a.Active, Jurisdiction: s.Snapshot().JurisdictionOf(a)}, ok
		},
		Below: func(id uuid.UUID) bool {
			return slices.ContainsFunc(s.Snapshot().Children(id), func(a routing.Agency) bool { return a.Active })
		},
		Desk:          func() uuid.UUID { return s.Snapshot().Desk().ID },
		CategoryKnown: func(code string) bool { c, ok := s.Snapshot().Category(code); return ok && c.Active },
		CategoryLeaf:  func(code string) bool { c, ok := s.Snapshot().Category(code); return ok && c.Leaf },
		ItemKnown:     func(code string) bool { i, ok := s.Snapshot().ServiceItem(code); return ok && i.Active },
		ItemCategory:  func(code string) string { i, _ := s.Snapshot().ServiceItem(code); return i.Category },
		AreaKnown:     func(code string) bool { _, ok := s.Snapshot().Area(code); return ok },
		AreasBelow:    func(code string) []string { return s.Snapshot().AreasBelow(code) },
		CategoriesBelow: func(code string) []string {
			var out []string
			for _, c := range s.Snapshot().Categories() {
				if strings.HasPrefix(c.Code, code+".") {
					out = append(out, c.Code)
				}
			}
			return out
		},
	}
}
