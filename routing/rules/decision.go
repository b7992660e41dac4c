package rules

import "github.com/google/uuid"

// Guess is a category and the probability that it is meant.
type Guess struct {
	Category string
	Score    float64
}

// Facts are what is known of a ticket when it is to be dispatched.
type Facts struct {
	Kind string
	// Category was fixed by a person; "" leaves it to Guesses.
	Category string
	// Guesses come from the text, the likeliest first.
	Guesses []Guess
	// ServiceItem is the code of the item the ticket is about, or "".
	ServiceItem string
	// Areas hold the place, in any order; the areas around them are added.
	Areas        []string
	Urgency      string
	Confidential bool
	// Excluded agencies have had the ticket and returned it.
	Excluded []uuid.UUID
}

// Queues in which a dispatched and an undecided ticket wait.
const (
	QueueSign     = "sign"     // of the lead agency
	QueueDispatch = "dispatch" // of the hotline
)

// Decision says where a ticket goes. Lead is the best agency even where a
// person has to confirm it, and the zero UUID where none was found.
type Decision struct {
	Lead     uuid.UUID   `json:"lead"`
	Co       []uuid.UUID `json:"co"`
	Auto     bool        `json:"auto"`
	Queue    string      `json:"queue"`
	Score    float64     `json:"score"` // 0 to 1: how likely Lead is right
	Category string      `json:"category"`
	// CategoryScore is the probability of Category, 1 where a person fixed it.
	CategoryScore float64       `json:"category_score"`
	Area          string        `json:"area"` // the smallest one the place lies in
	Urgency       string        `json:"urgency"`
	Confidential  bool          `json:"confidential"`
	Catalogue     int           `json:"catalogue"` // the version that decided
	Explanation   []Reason      `json:"explanation"`
	Alternatives  []Alternative `json:"alternatives"` // at most 3, the best first, Lead among them
}

// Alternative is an agency that a dispatcher may choose, with its reasons.
type Alternative struct {
	Agency      uuid.UUID   `json:"agency"`
	Co          []uuid.UUID `json:"co"`
	Category    string      `json:"category"`
	Score       float64     `json:"score"`
	Explanation []Reason    `json:"explanation"`
}

// Reason is one sentence of an explanation. The arguments are codes and
// numbers; Render turns them into words.
type Reason struct {
	Code Code              `json:"code"`
	Args map[string]string `json:"args,omitempty"`
}

// Code names a sentence.
type Code string

// Why an agency was found. Arguments: category, item, area, ancestor, agency
// and other are codes; score and threshold are between 0 and 1; version and
// count are numbers; agencies are codes joined by commas.
const (
	CategoryByPerson Code = "category.person" // category
	CategoryByText   Code = "category.text"   // category, score
	CategoryByItem   Code = "category.item"   // category, item
	CategoriesAgree  Code = "category.agree"  // count, score
	PlaceKnown       Code = "place"           // area

	EntryItemArea     Code = "entry.item_area"     // version, item, area, agency
	EntryItem         Code = "entry.item"          // version, item, agency
	EntryCategoryArea Code = "entry.category_area" // version, category, area, agency
	EntryCategory     Code = "entry.category"      // version, category, agency
	EntryAncestorArea Code = "entry.ancestor_area" // version, ancestor, area, agency
	EntryAncestor     Code = "entry.ancestor"      // version, ancestor, agency
	ItemAgency        Code = "item.agency"         // item, agency

	WithCo     Code = "co"          // agencies
	CoWithheld Code = "co_withheld" // –
	Raised     Code = "urgency"     // urgency
)

// Why a person has to decide.
const (
	NoCategory      Code = "undecided.no_category"      // –
	UnknownCategory Code = "undecided.unknown_category" // category
	NoEntry         Code = "undecided.no_entry"         // category
	AreaMissing     Code = "undecided.area_missing"     // category
	AreaOutside     Code = "undecided.area_outside"     // category
	AgencyInactive  Code = "undecided.agency_inactive"  // agency
	Returned        Code = "undecided.returned"         // agency
	Tie             Code = "undecided.tie"              // agency, other
	LowScore        Code = "undecided.low_score"        // score, threshold
)

// Undecided reports whether the reason leaves the decision to a person.
func (r Reason) Undecided() bool {
	const prefix = "undecided."
	return len(r.Code) > len(prefix) && r.Code[:len(prefix)] == prefix
}

func because(code Code, args ...string) Reason {
	r := Reason{Code: code}
	for i := 0; i+1 < len(args); i += 2 {
		if r.Args == nil {
			r.Args = make(map[string]string, len(args)/2)
		}
		r.Args[args[i]] = args[i+1]
	}
	return r
}
