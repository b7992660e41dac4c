package bot

import (
	"context"
	"time"

	"hotline/internal/decision"
	"hotline/internal/errs"
)

// Place is where something is. Label is what a person would call it.
type Place struct {
	Lat   float64 `json:"lat"`
	Lon   float64 `json:"lon"`
	Label string  `json:"label,omitempty"`
}

// Input is one message of the citizen.
type Input struct {
	Text        string
	Choice      string // id of a tapped quick reply
	Attachments int
	Place       *Place
	// Alerted says that the emergency text for this message was already sent, by the intake that saw it first.
	Alerted bool
}

// Choice is a quick reply. Its id is stable and means the same in every conversation.
type Choice struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// Citation names the article version that an answer rests on.
type Citation struct {
	ArticleID string `json:"article"`
	Version   int    `json:"version"`
	Title     string `json:"title"`
	URL       string `json:"url,omitempty"`
	Snippet   string `json:"snippet,omitempty"`
}

// What a message asks for, so that a widget can show a fitting control.
const (
	AskWhat    = "what"
	AskWhere   = "where"
	AskContact = "contact"
	AskConfirm = "confirm"
	AskCode    = "code"
	AskHelped  = "helped"
	AskArticle = "article"
	AskRating  = "rating"
	AskSolved  = "revisit" // is the matter solved?
	AskComment = "comment"
)

// Message is one bubble of the bot.
type Message struct {
	Text      string     `json:"text"`
	Choices   []Choice   `json:"choices,omitempty"`
	Citations []Citation `json:"citations,omitempty"`
	Ask       string     `json:"ask,omitempty"`
}

// The kinds of inquiry.
const (
	Consult    = "consult"
	Help       = "help"
	Complaint  = "complaint"
	Report     = "report"
	Suggestion = "suggestion"
	Praise     = "praise"
)

// Draft is a ticket as the citizen confirmed it.
type Draft struct {
	Kind         string   `json:"kind"`
	Category     string   `json:"category,omitempty"` // "" leaves it to the dispatcher
	Title        string   `json:"title,omitempty"`
	Description  string   `json:"description,omitempty"`
	Place        string   `json:"place,omitempty"`
	Lat          *float64 `json:"lat,omitempty"`
	Lon          *float64 `json:"lon,omitempty"`
	Lang         string   `json:"lang,omitempty"`
	Anonymous    bool     `json:"anonymous,omitempty"`
	Confidential bool     `json:"confidential,omitempty"`
	Name         string   `json:"name,omitempty"`
	Phone        string   `json:"phone,omitempty"`
	Email        string   `json:"email,omitempty"`
	Urgency      string   `json:"urgency,omitempty"` // "" or "urgent"
	// Scope is the reason why the matter is probably not the hotline's, when the citizen asked for a decision all the same.
	Scope Scope `json:"scope,omitempty"`
	// Attachments counts the files sent while the form was open.
	Attachments int `json:"attachments,omitempty"`
	// Details are values of the category's own fields, by code.
	Details map[string]string `json:"details,omitempty"`
}

// Why a person takes over.
const (
	HandOffAsked     = "asked"
	HandOffNoAnswer  = "no_answer"
	HandOffUpset     = "upset"
	HandOffEmergency = "emergency"
	HandOffScope     = "scope"
)

// HandOff asks for a person.
type HandOff struct {
	Reason string
	// AfterHours: nobody is on duty; the citizen chose to wait for the next duty.
	AfterHours bool
	// Draft is what the citizen had already told, so that nobody asks twice. Nil when no form was open.
	Draft *Draft
}

// Alert is a detected emergency. The caller writes the transfer record and keeps Draft as an urgent ticket until the other side has it.
type Alert struct {
	Service Service
	Number  string
	Draft   Draft
}

// Refusal is a matter the hotline may not take, with the texts that were shown.
type Refusal struct {
	Scope                  Scope
	Reason, Basis, Channel string
}

// Rating is an assessment. A later one for the same ticket in the same conversation adds the comment to the former.
type Rating struct {
	TicketID string // "" rates the chat itself
	Grade    int    // 5 very satisfied … 1 very unsatisfied
	Resolved *bool  // what the citizen answered in a revisit; nil when not asked
	Comment  string
}

// Reply is everything that one turn leads to.
type Reply struct {
	Lang         string // the language the reply is written in
	Messages     []Message
	Open         *Draft
	HandOff      *HandOff
	Alert        *Alert
	AlertCleared bool // the citizen said that the alert before was not an emergency
	Refused      *Refusal
	Answered     *Citation // the citizen confirmed that this answer helped
	NotHelped    *Citation
	Question     string // the question that Answered or NotHelped is about
	Unanswered   string // a question that found no good article
	NoneFits     bool   // none of the articles offered for Question is what was meant
	Told         []Told // for the record of answers
	Rate         *Rating
	Close        bool
	// Problems are failures of Knowledge or Tickets that the bot talked its way around; the caller logs them.
	Problems []error
}

// Outcome says how well the knowledge base did.
type Outcome string

// The outcomes.
const (
	OutcomeAnswer  Outcome = "answer"
	OutcomeChoices Outcome = "choices"
	OutcomeNone    Outcome = "none"
)

// Answer is what the knowledge base says to a question. With OutcomeAnswer the first citation is the article that Text is from; with
// OutcomeChoices the citations are the candidates, best first.
type Answer struct {
	Outcome   Outcome
	Text      string // Markdown
	Citations []Citation
	Score     float64        // how well the best article fits, 0 to 1
	Form      *decision.Form // of the article that Text is from; nil when it has none
	Worded    bool           // by a model; Text is not the article's own
	Call      string         // of the model that worded Text
}

// Section is a part of an article.
type Section struct {
	Heading string
	Text    string // Markdown
}

// Knowledge answers questions from published articles only.
type Knowledge interface {
	// Answer finds the article for a question.
	Answer(ctx context.Context, text, lang string) (Answer, error)
	// ByID gives a chosen article, in its translation where there is one in the language. It returns ErrNotFound for one that is not
	// served (any more).
	ByID(ctx context.Context, id, lang string) (Answer, error)
	// Sections gives the parts of an article under their headings, in its own order. It returns ErrNotFound like ByID.
	Sections(ctx context.Context, id, lang string) ([]Section, error)
	// Beside gives the paragraph of an article that says of a question what its short answer leaves out; no text when there is none. It returns
	// ErrNotFound like ByID.
	Beside(ctx context.Context, id, lang, question string) (Section, error)
}

// Status is what the holder of a tracking code may know.
type Status struct {
	TicketID string // opaque, for Rating
	Number   string
	Title    string
	State    string // code of the state table
	Agency   string // name in the asked language, may be empty
	Updated  time.Time
	Due      *time.Time
	Reply    string // the latest formal reply, may be empty
	CanRate  bool
}

// Errors that Knowledge and Tickets return and the policy understands.
var (
	ErrNotFound = errs.New(errs.NotFound, "bot.not_found", "nothing is found under that code")
	ErrTooMany  = errs.New(errs.RateLimited, "bot.too_many", "too many attempts; wait a little")
)

// Tickets tells the status behind a tracking code of 20 digits.
type Tickets interface {
	// Status returns ErrNotFound for an unknown code and ErrTooMany when the caller slows attempts down.
	Status(ctx context.Context, code, lang string) (Status, error)
}

// Categories lists the categories of matters, by code, in a language.
type Categories func(lang string) []Choice

// Guess is a category code and the probability that it is right.
type Guess struct {
	Label string
	Score float64
}

// Classifier assigns categories, best first.
type Classifier interface {
	Predict(text string) []Guess
}
