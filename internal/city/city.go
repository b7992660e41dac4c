package city

import (
	"time"

	"github.com/paulmach/orb"
)

// Text is one text per language tag: {"en": …, "zh-CN": …}.
type Text map[string]string

// Words are several texts per language tag.
type Words map[string][]string

// City is everything that a folder says.
type City struct {
	Jurisdiction Jurisdiction
	Agencies     []Agency // parents before children, one root
	Areas        []Area   // parents before children, one root
	Categories   []Category
	Services     []Service
	Fields       []Field
	Catalogue    Catalogue
	Users        []User
	Canned       []Canned
	Synonyms     []Synonym
	Articles     []Article // by language, then by key

	// Advice is what could be better, one line each.
	Advice []string

	lines map[string][]int // where the entries of a file begin
}

type Jurisdiction struct {
	Code      string      `json:"code"`
	Names     Text        `json:"names"`
	Timezone  string      `json:"timezone"` // IANA name
	Languages []string    `json:"languages"`
	Phone     string      `json:"phone"`
	Hours     Hours       `json:"hours"`
	Emergency []Emergency `json:"emergency"`
}

// Hours say when people, not the assistant, answer.
type Hours struct {
	Names Text              `json:"names"`
	Week  map[string][]Span `json:"week"` // mon … sun; a day that is absent is off
}

// Span is a part of a day in local time, "HH:MM", From before To.
type Span struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type Emergency struct {
	Service string `json:"service"` // police, fire, ambulance, traffic, gas, water, crisis
	Number  string `json:"number"`
	Names   Text   `json:"names"`
}

type Agency struct {
	Code   string `json:"code"`
	Parent string `json:"parent"` // "" only for the root
	Names  Text   `json:"names"`
	Kind   string `json:"kind"` // hotline, nation, province, city, district, street, department
	Area   string `json:"area"` // "" when the agency answers for no area of its own
	Phone  string `json:"phone"`
	Hours  Text   `json:"hours"`
	// Counter: its staff take cases in for visitors, callers and letters.
	Counter bool `json:"counter,omitempty"`
	// Inactive things are kept because tickets name them; nothing new goes there.
	Inactive bool `json:"inactive,omitempty"`
}

type Area struct {
	Code   string
	Parent string
	Level  string // nation, province, city, district, street, community
	Names  Text
	// Geometry is a Polygon or a MultiPolygon, longitude before latitude, WGS 84; nil when no place is found in the area.
	Geometry orb.Geometry
	Inactive bool
}

type Category struct {
	Code         string   `json:"code"`   // best dotted: the parent's code and one more word
	Parent       string   `json:"parent"` // "" for the top level
	Names        Text     `json:"names"`
	Kinds        []string `json:"kinds"`
	Urgency      string   `json:"urgency"` // normal, urgent
	Confidential bool     `json:"confidential"`
	Description  Text     `json:"description"`
	Keywords     Words    `json:"keywords"`
	Examples     Words    `json:"examples"` // what citizens say; they train the classifier
	Inactive     bool     `json:"inactive,omitempty"`
}

type Service struct {
	Code      string   `json:"code"`
	Names     Text     `json:"names"`
	Agency    string   `json:"agency"`
	Category  string   `json:"category"`
	Area      string   `json:"area,omitempty"`
	Summary   Text     `json:"summary"`
	Channels  []string `json:"channels"` // online, counter, phone
	LifeEvent string   `json:"life_event"`
	URL       string   `json:"url"`
	Inactive  bool     `json:"inactive,omitempty"`
}

type Catalogue struct {
	Version int     `json:"version"`
	Names   Text    `json:"names"`
	Entries []Entry `json:"entries"`
}

// Entry sends a category to a lead agency. An entry that names a service item
// is meant for that item wherever it is; otherwise the smallest area that has an
// entry wins, and an entry without an area is the fallback.
type Entry struct {
	Category    string   `json:"category"`
	ServiceItem string   `json:"service_item,omitempty"`
	Area        string   `json:"area,omitempty"`
	Lead        string   `json:"lead"`
	Co          []string `json:"co"`
	Urgency     string   `json:"urgency,omitempty"`
}

type User struct {
	Email   string   `json:"email"`
	Name    string   `json:"name"`
	Names   Text     `json:"names"`
	Roles   []string `json:"roles"`
	Agency  string   `json:"agency"`
	Lang    string   `json:"lang"`
	Cleared bool     `json:"cleared"` // may read confidential reports
}

// Canned is a reply with placeholders: {number}, {agency}, {due}, {officer}. The ones with the codes reply-form and chat-form are what drafts
// for tickets and chats are put into, with {answer} and {source}.
type Canned struct {
	Code  string `json:"code"`
	Names Text   `json:"names"`
	Text  Text   `json:"text"`
}

// Synonym is a set of terms that mean the same to a search.
type Synonym struct {
	Lang  string   `json:"lang"`
	Terms []string `json:"terms"`
}

// Article is one language version; the same Key in two languages is a translation.
type Article struct {
	Key       string
	Lang      string
	Slug      string // the file's name
	Title     string
	Summary   string
	Owner     string // agency code
	Topic     string
	Keywords  []string
	Questions []string
	Services  []string // service item codes
	ValidFrom time.Time
	ValidTo   time.Time // zero: until withdrawn; the day itself still counts
	Audience  string    // public, staff
	Body      string    // Markdown
	Form      string    // source of a decision form, "" for none
}
