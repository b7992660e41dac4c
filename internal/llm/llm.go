// Package llm talks to language models over the API that OpenAI made and many servers speak. It wraps go-openai and is its only importer.
//
// Models are data: an administrator sets up as many as wanted, each with what it is used for, its limits and a budget of tokens a day. With
// none, every call returns ErrNoModel at once and costs nothing; whoever calls has a way without a model.
//
// What holds for every call:
//   - It ends by the caller's deadline or the model's, whichever is sooner. Rate limits, failures of the server and broken connections are
//     tried again within it, with a growing pause; a model that keeps failing is left alone for a while (breaker) and the next one of the
//     same use is asked.
//   - Tokens are reserved from the day's budget before and settled after, in one row that all nodes share.
//   - Unless the model may see personal data, texts leave with everything personal replaced (internal/redact) and come back restored.
//   - It is recorded with model, prompt version, tokens, time, sources and outcome; without texts, unless the model was told to keep them.
//   - What came back is bounded in bytes; a stream that ends without the model saying so is a failure, not an answer.
//
// The package knows no domain and may import db, redact, errs, clock.
package llm

import (
	"slices"

	"github.com/google/uuid"

	"hotline/internal/errs"
)

// Use is what a model is asked for.
type Use string

// The uses.
const (
	UseAnswer    Use = "answer"    // answers to citizens, grounded on articles
	UseDraft     Use = "draft"     // drafts of replies for staff
	UseSummary   Use = "summary"   // summaries of tickets
	UseTranslate Use = "translate" // translations of messages
	UseExtract   Use = "extract"   // facts out of a text, by schema
	UseQuestions Use = "questions" // questions that an article answers
	UseEmbed     Use = "embed"     // vectors
)

// Uses lists all uses in the order of the console.
func Uses() []Use {
	return []Use{UseAnswer, UseDraft, UseSummary, UseTranslate, UseExtract, UseQuestions, UseEmbed}
}

// Errors of calls. All of them mean: go on without a model.
var (
	ErrNoModel   = errs.New(errs.Unavailable, "llm.no_model", "no language model is set up for this")
	ErrBudget    = errs.New(errs.Unavailable, "llm.budget", "the language model has used up its tokens for today")
	ErrBusy      = errs.New(errs.Unavailable, "llm.busy", "the language model has no free place just now")
	ErrOpen      = errs.New(errs.Unavailable, "llm.open", "the language model failed several times and is left alone for a while")
	ErrTimeout   = errs.New(errs.Unavailable, "llm.timeout", "the language model did not answer in time")
	ErrDown      = errs.New(errs.Unavailable, "llm.down", "the language model cannot be reached")
	ErrRate      = errs.New(errs.Unavailable, "llm.rate", "the language model asks for fewer calls")
	ErrQuota     = errs.New(errs.Unavailable, "llm.quota", "the account at the language model has no quota left")
	ErrKey       = errs.New(errs.Unavailable, "llm.key", "the language model refuses the key")
	ErrRefused   = errs.New(errs.Unavailable, "llm.refused", "the language model refuses the request")
	ErrBadAnswer = errs.New(errs.Unavailable, "llm.bad_answer", "the language model answered with something unreadable")
	ErrTooLong   = errs.New(errs.Unavailable, "llm.too_long", "the language model answered with too much")
	ErrCut       = errs.New(errs.Unavailable, "llm.cut", "the language model's answer ended too soon")
	ErrDeclined  = errs.New(errs.Unavailable, "llm.declined", "the language model declined to answer")
)

// Message is one part of a request.
type Message struct {
	Role string // system, user, assistant
	Text string
}

// Roles of messages.
const (
	System    = "system"
	User      = "user"
	Assistant = "assistant"
)

// Request is what to ask.
type Request struct {
	Use      Use
	Prompt   string // name and version of the prompt, for the record: "answer/1"
	Messages []Message
	Schema   *Schema // the answer must be JSON of this shape
	// MaxTokens of the answer; 0 or more than the model's means the model's.
	MaxTokens int
	// Known are names and addresses of people that the texts may hold, for redaction.
	Known []string
	// Sources are what the texts were taken from, for the record: "<article>@<version>".
	Sources []string
	// By is the member of staff who asks; uuid.Nil is the program.
	By uuid.UUID
}

// Result is what came back.
type Result struct {
	Call      uuid.UUID // in the record
	Model     string    // name of the model
	Text      string    // restored; with a schema, JSON that fits it
	TokensIn  int
	TokensOut int
	// Full is false when the model stopped because the answer was as long as allowed.
	Full bool
}

// Valid reports whether u is a use.
func (u Use) Valid() bool { return slices.Contains(Uses(), u) }
