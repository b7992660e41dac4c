package rules

import (
	"slices"

	"github.com/google/uuid"
)

// Agency is what a decision needs to know of one.
type Agency struct {
	ID     uuid.UUID
	Code   string
	Active bool
}

// Category is a node of the category tree.
type Category struct {
	Code         string
	Parent       string   // "" at the top
	Kinds        []string // kinds of tickets it takes; none: all
	Urgency      string
	Confidential bool
	Active       bool
}

// Area is a node of the area tree; the root is the whole jurisdiction.
type Area struct {
	Code   string
	Parent string
}

// ServiceItem is an entry of the service-item catalogue.
type ServiceItem struct {
	Code     string
	Agency   uuid.UUID
	Category string
	Active   bool
}

// Entry sends a category, or a service item of it, in an area or anywhere, to
// a lead agency. An entry with a service item is for that item alone.
type Entry struct {
	Category    string      `json:"category"`
	ServiceItem string      `json:"service_item,omitempty"`
	Area        string      `json:"area,omitempty"`
	Lead        uuid.UUID   `json:"lead"`
	Co          []uuid.UUID `json:"co,omitempty"`
	Urgency     string      `json:"urgency,omitempty"`
}

// SameCase reports whether two entries are about the same case, of which a
// catalogue holds one.
func (e Entry) SameCase(other Entry) bool {
	return e.Category == other.Category && e.ServiceItem == other.ServiceItem && e.Area == other.Area
}

// Equal reports whether two entries say the same.
func (e Entry) Equal(other Entry) bool {
	return e.SameCase(other) && e.Lead == other.Lead && e.Urgency == other.Urgency && slices.Equal(e.Co, other.Co)
}

// Policy is what a jurisdiction may set.
type Policy struct {
	// AutoThreshold is the score from which no person is asked, 0 to 1.
	AutoThreshold float64 `json:"auto_threshold"`
	// TieMargin is how far the best agency must be ahead of the next, 0 to 1.
	TieMargin float64 `json:"tie_margin"`
}

// DefaultPolicy is used where a jurisdiction sets none.
var DefaultPolicy = Policy{AutoThreshold: 0.7, TieMargin: 0.1}

// Source is what a Catalogue is made from.
type Source struct {
	Version    int
	Policy     Policy
	Agencies   []Agency
	Categories []Category
	Areas      []Area
	Items      []ServiceItem
	Entries    []Entry
}

type key struct{ subject, area string }

// Catalogue is a published dispatch catalogue with everything around it that a
// decision looks up. It is immutable.
type Catalogue struct {
	version    int
	policy     Policy
	agencies   map[uuid.UUID]Agency
	categories map[string]Category
	areas      map[string]Area
	items      map[string]ServiceItem
	byItem     map[key]Entry
	byCategory map[key]Entry
	// leadsByArea are the leads that a category has somewhere but not
	// everywhere: where there are some, the place may matter.
	leadsByArea map[string][]uuid.UUID
}

// NewCatalogue indexes a source. Of two entries with the same key the first
// one counts.
func NewCatalogue(src Source) *Catalogue {
	c := &Catalogue{
		version:     src.Version,
		policy:      src.Policy,
		agencies:    make(map[uuid.UUID]Agency, len(src.Agencies)),
		categories:  make(map[string]Category, len(src.Categories)),
		areas:       make(map[string]Area, len(src.Areas)),
		items:       make(map[string]ServiceItem, len(src.Items)),
		byItem:      make(map[key]Entry),
		byCategory:  make(map[key]Entry, len(src.Entries)),
		leadsByArea: make(map[string][]uuid.UUID),
	}
	for _, a := range src.Agencies {
		c.agencies[a.ID] = a
	}
	for _, g := range src.Categories {
		c.categories[g.Code] = g
	}
	for _, a := range src.Areas {
		c.areas[a.Code] = a
	}
	for _, i := range src.Items {
		c.items[i.Code] = i
	}
	for _, e := range src.Entries {
		index, at := c.byCategory, key{e.Category, e.Area}
		if e.ServiceItem != "" {
			index, at = c.byItem, key{e.ServiceItem, e.Area}
		} else if e.Area != "" && !slices.Contains(c.leadsByArea[e.Category], e.Lead) {
			c.leadsByArea[e.Category] = append(c.leadsByArea[e.Category], e.Lead)
		}
		if _, ok := index[at]; !ok {
			index[at] = e
		}
	}
	return c
}

// Version is the number of the published catalogue, 0 when there is none.
func (c *Catalogue) Version() int { return c.version }

// Names reports whether an entry is about the category.
func (c *Catalogue) Names(category string) bool {
	for _, index := range []map[key]Entry{c.byCategory, c.byItem} {
		for _, e := range index {
			if e.Category == category {
				return true
			}
		}
	}
	return false
}

// Policy is the policy that decisions follow.
func (c *Catalogue) Policy() Policy { return c.policy }

// maxDepth ends walks over trees that, by mistake, contain a ring.
const maxDepth = 16

// widen adds to each area the areas around it and puts the smaller ones first.
func (c *Catalogue) widen(areas []string) []string {
	depth := make(map[string]int)
	var out []string
	for _, code := range areas {
		for range maxDepth {
			a, ok := c.areas[code]
			if !ok {
				break
			}
			if _, seen := depth[code]; !seen {
				depth[code] = c.depth(a)
				out = append(out, code)
			}
			code = a.Parent
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return depth[b] - depth[a] })
	return out
}

func (c *Catalogue) depth(a Area) int {
	for n := range maxDepth {
		parent, ok := c.areas[a.Parent]
		if !ok {
			return n
		}
		a = parent
	}
	return maxDepth
}
