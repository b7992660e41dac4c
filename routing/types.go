package routing

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"hotline/routing/rules"
)

// Jurisdiction is what this installation serves.
type Jurisdiction struct {
	Code      string
	Names     Names
	Timezone  string
	Languages []string
	Phone     string
	Settings  json.RawMessage // emergency numbers, hours, thresholds
	Version   int
}

// Agency kinds.
const (
	KindHotline    = "hotline"
	KindNation     = "nation"
	KindProvince   = "province"
	KindCity       = "city"
	KindDistrict   = "district"
	KindStreet     = "street"
	KindDepartment = "department"
)

// Kinds lists the agency kinds, from the hotline down.
var kinds = []string{KindHotline, KindNation, KindProvince, KindCity, KindDistrict, KindStreet, KindDepartment}

// Kinds returns the agency kinds in their order.
func Kinds() []string { return append([]string(nil), kinds...) }

// Agency is an organization that answers tickets, or the hotline itself.
type Agency struct {
	ID        uuid.UUID
	Code      string
	Parent    uuid.UUID   // uuid.Nil at the top
	Ancestors []uuid.UUID // from the root down to the parent
	Names     Names
	Kind      string
	Area      string // code, or ""
	Phone     string
	Hours     Names
	Active    bool
	Version   int
	CreatedAt time.Time
	// Counter: its staff take cases in for visitors, callers and letters.
	Counter bool
	// Jurisdiction whose rules of time the agency works by; "" takes those of the agency above it.
	Jurisdiction string
}

// Desk reports whether the agency is the hotline itself.
func (a Agency) Desk() bool { return a.Kind == KindHotline }

// Area is a part of the jurisdiction.
type Area struct {
	Code    string
	Parent  string
	Level   string
	Names   Names
	Active  bool
	Version int
}

// Category is a node of the category tree.
type Category struct {
	Code         string
	Parent       string
	Names        Names
	Kinds        []string
	Urgency      string
	Confidential bool
	Description  Names
	Keywords     map[string][]string
	Examples     map[string][]string
	Active       bool
	Leaf         bool // no active category below it: what tickets are filed under
	Version      int
}

// ServiceItem is an entry of the service-item catalogue.
type ServiceItem struct {
	Code      string
	Names     Names
	Agency    uuid.UUID
	Category  string
	Area      string
	Summary   Names
	Channels  []string
	LifeEvent string
	URL       string
	Active    bool
	Version   int
}

// CatalogueVersion heads one version of the dispatch catalogue.
type CatalogueVersion struct {
	Version     int
	State       string // draft, published, retired
	Note        string
	Entries     int
	CreatedAt   time.Time
	PublishedAt *time.Time
}

// Facts are what is known of a ticket when it is to be dispatched.
type Facts struct {
	Kind        string
	Category    string // fixed by a person; "" leaves it to Text
	Text        string
	ServiceItem string
	Areas       []string // codes; or, where there are none, the point
	Lat, Lon    *float64
	Urgency     string
	// Confidential is what the citizen asked for; a category can add it.
	Confidential bool
	Excluded     []uuid.UUID // agencies that returned the ticket
}

// Decision, Reason and Alternative are those of the rules.
type (
	Decision    = rules.Decision
	Reason      = rules.Reason
	Alternative = rules.Alternative
	Entry       = rules.Entry
)
