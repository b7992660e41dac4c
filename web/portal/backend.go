package portal

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"hotline/internal/decision"
)

// Knowledge finds and shows articles. Only what may be served to the public comes back.
type Knowledge interface {
	// Search gives the best articles for a query, best first.
	Search(ctx context.Context, lang, query string, limit int) ([]Hit, error)
	// Suggest gives articles for a question that is being typed, its last word unfinished.
	Suggest(ctx context.Context, lang, typed string, limit int) ([]Suggestion, error)
	// Article gives the published version behind a slug. Errors: kind not_found.
	Article(ctx context.Context, slug string) (Article, error)
	// File opens a file of an article as long as the article is shown. Errors: kind not_found.
	File(ctx context.Context, slug string, id uuid.UUID) (Upload, io.ReadSeekCloser, error)
	// Topics lists those that have articles in the language; those below others are in Below.
	Topics(ctx context.Context, lang string) ([]Topic, error)
	// Topic lists a topic's articles, a page at a time; next is uuid.Nil at the end. Errors: kind not_found.
	Topic(ctx context.Context, lang, code string, after uuid.UUID, limit int) (t Topic, rows []Hit, next uuid.UUID, err error)
	// Feedback keeps whether an article helped.
	Feedback(ctx context.Context, article uuid.UUID, version int, helpful bool, comment string) error
}

// Hit is one search result. Snippet is split where the query's words are.
type Hit struct {
	Slug, Title string
	Version     int
	Snippet     []Segment
}

// Suggestion is an article by its title.
type Suggestion struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Segment is a piece of text, marked where it matches.
type Segment struct {
	Text string
	Mark bool
}

// Article is a published version.
type Article struct {
	ID               uuid.UUID
	Slug, Lang       string
	Title, Summary   string
	Body             string // Markdown
	Version          int
	Owner            string // agency, in the article's language
	OwnerPhone       string
	ValidFrom, Until *time.Time
	Published        time.Time
	Others           []Translation
	Form             *decision.Form // to find out whether it applies; nil when there is none
	Related          []Hit
	Files            []Upload
}

// Topic is what articles are listed under.
type Topic struct {
	Code, Name string
	Articles   int
	Below      []Topic
}

// Translation is the same article in another language.
type Translation struct{ Lang, Slug string }

// City is what the installation serves, read from memory.
type City interface {
	Jurisdiction() Jurisdiction
	// Guess gives categories for a text, best first, with their probability.
	Guess(text string) []Guess
	CategoryName(code, lang string) string
	// Details is what the citizen is asked for when the category is known.
	Details(category, lang string) []Detail
}

// Jurisdiction is the place and how to reach it.
type Jurisdiction struct {
	Name      func(lang string) string
	Phone     string
	Hours     func(lang string) string
	Zone      *time.Location
	Emergency []Emergency
	Site      string // key under which the portal's own chat widget runs; "" shows none
}

// Emergency is a number to call at once.
type Emergency struct {
	Number string
	Name   func(lang string) string
}

// Guess is a category and the probability that it is right.
type Guess struct {
	Category string
	Score    float64
}

// Cases files and follows tickets for a citizen.
type Cases interface {
	// File opens a ticket. The same Key again gives the same answer.
	File(ctx context.Context, f Filing) (Filed, error)
	// Nearby lists public matters that a finished draft very likely repeats; none for a confidential one.
	Nearby(ctx context.Context, f Filing) ([]Nearby, error)
	// Upload keeps a file until the filing of the same key takes it; pictures lose their metadata. Errors: not on the list of types, too large.
	Upload(ctx context.Context, key, name string, body io.Reader) (Upload, error)
	// ByCode finds a ticket by its tracking code as typed. Errors: kinds invalid and not_found.
	ByCode(ctx context.Context, code string) (uuid.UUID, error)
	// Case is a ticket as its citizen may see it. Errors: kind not_found.
	Case(ctx context.Context, id uuid.UUID, lang string) (Case, error)
	// Reply adds the citizen's words and files.
	Reply(ctx context.Context, id uuid.UUID, r Reply) error
	// Move is one of the actions a citizen has: withdraw, not_answered, appeal.
	Move(ctx context.Context, id uuid.UUID, action, text, key string) error
	// Rate keeps the five-grade assessment; resolved is nil when not said.
	Rate(ctx context.Context, id uuid.UUID, grade int, resolved *bool, text string) error
	// ByRatingLink gives the ticket of an unused link; it changes nothing. Errors: kinds not_found and conflict (they gave their word elsewhere).
	ByRatingLink(ctx context.Context, token string) (RatingLink, error)
	// RateByLink takes the citizen's word by a link and uses it up. Errors: kinds not_found and conflict.
	RateByLink(ctx context.Context, token string, grade int, resolved *bool, text string) error
	// Tells lists the channels by which news can be sent: email, sms.
	Tells() []string
	// Reachable lists those of them that fit the addresses, in the order in which they are tried.
	Reachable(phone, email string) []string
	// StopLink gives the channel that a link ends; it changes nothing. Errors: kind not_found.
	StopLink(ctx context.Context, token string) (channel string, err error)
	// StopByLink ends messages. Errors: kind not_found.
	StopByLink(ctx context.Context, token string) error
	// Quiet ends messages to the contact of the ticket.
	Quiet(ctx context.Context, id uuid.UUID) error
	// Open reads a file of the ticket. Errors: kind not_found.
	Open(ctx context.Context, ticket, upload uuid.UUID) (Upload, io.ReadSeekCloser, error)
	// UploadTo keeps a file for a reply to the ticket, as Upload does.
	UploadTo(ctx context.Context, ticket uuid.UUID, name string, body io.Reader) (Upload, error)
}

// Filing is a finished draft.
type Filing struct {
	Key                string
	Lang               string
	Kind, Category     string
	Details            map[string]string // by code
	Text, Place        string
	Lat, Lon           *float64
	Name, Phone, Email string // all empty: anonymous
	Quiet              bool   // no news by e-mail or SMS
	Confidential       bool
	Uploads            []uuid.UUID
	Follow             uuid.UUID // a matter of others to join; uuid.Nil: a case of its own
}

// Filed is the receipt for a filing.
type Filed struct {
	Number, Code string
	Followed     bool   // it joined the matter that was named
	Told         string // the channel by which number and code were sent too, "" for none
}

// Upload is a stored file.
type Upload struct {
	ID            uuid.UUID
	Name, Type    string
	Size          int64
	Width, Height int
}

// Reply is what a citizen adds to a ticket.
type Reply struct {
	Key, Text string
	Uploads   []uuid.UUID
}

// Case is a ticket as its citizen may see it.
type Case struct {
	ID                   uuid.UUID
	Number, Title        string
	Kind, State          string
	Category             string // name, may be empty
	Description, Place   string
	Details              []Said // what the citizen was asked for beside it, as it is kept now
	Agency               string // name, "" before the dispatch
	Opened, Updated      time.Time
	Due                  *time.Time // when the next thing must have happened
	Provisional          bool
	Confidential         bool
	Items                []Item
	CanReply, Asked      bool // Asked: the agency waits for the citizen's answer
	CanWithdraw, CanRate bool
	CanAppeal, CanReopen bool
	Rating               int     // 0: not rated
	Revisit              bool    // the citizen is asked whether it is solved
	Hears                []Hears // how the contact gets news, in the order in which they are tried
}

// Item is one entry of the story.
type Item struct {
	At      time.Time
	Author  string // citizen, bot, staff, system
	Name    string // of the agency or the person, may be empty
	Event   string // code of what happened, "" for a plain message
	State   string // state after it, when it changed
	Text    string
	Uploads []Upload
}
