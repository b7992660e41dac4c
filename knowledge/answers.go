package knowledge

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/redact"
)

// HandedOff is the outcome of a question that a person takes.
const HandedOff Outcome = "handoff"

// Who told.
const (
	ByBot    = "bot"
	ByStaff  = "staff"
	ByPortal = "portal"
)

// Told is one thing told to a citizen, or not told: a row of answers.
type Told struct {
	ID           uuid.UUID
	At           time.Time
	Conversation uuid.UUID // uuid.Nil: a search on the portal
	Seq          int64     // of the message that tells it
	Ticket       uuid.UUID
	Lang         string
	Channel      string
	Secret       bool // the conversation is confidential: that there was a question is kept, and not the question
	By           string
	User         uuid.UUID
	Question     string // as it was asked: it is freed of personal data here
	Outcome      Outcome
	Follows      bool // goes on with a question that has a row of its own
	Score        float64
	Article      uuid.UUID
	Version      int
	Others       []uuid.UUID // offered to choose from, in their order
	Place        int         // in the list, from 1, of the article that was picked
	Helped       *bool
	ModelCall    uuid.UUID
}

const sqlTell = `insert into answers (id, at, conversation_id, seq, ticket_id, lang, channel, by, user_id, agency_id, question, outcome, follows, score,
		article_id, version, others, place, helped, helped_at, model_call)
	values ($1, $2::timestamptz, $3, nullif($4::bigint, 0), $5, $6, $7, $8, $9, (select owner_id from articles where id = $14), $10, $11, $12, $13,
		$14, nullif($15::int, 0), $16, nullif($17::int, 0), $18::boolean, case when $18::boolean is not null then $2::timestamptz end, $19)`

// QueueTold adds rows to a batch of the transaction that tells them.
func QueueTold(b *pgx.Batch, rows ...Told) {
	for _, t := range rows {
		others, question := t.Others, cleanText(storable(t.Question)) // a question by API has not gone through a channel
		if t.Secret {
			question = ""
		}
		if others == nil {
			others = []uuid.UUID{}
		}
		b.Queue(sqlTell, t.ID, t.At, optional(t.Conversation), t.Seq, optional(t.Ticket), t.Lang, t.Channel, t.By, optional(t.User), question,
			t.Outcome, t.Follows, t.Score, optional(t.Article), t.Version, others, t.Place, t.Helped, optional(t.ModelCall))
	}
}

// helpedWithin is how long after an answer the citizen's word is taken for it.
const helpedWithin = 24 * time.Hour

// The word is about the article, and about the list it was picked from.
const sqlHelped = `update answers set helped = $3, helped_at = $5, looked = false where conversation_id = $1 and at > $6 and helped is null
	and outcome in ('answer', 'choices') and (article_id = $2 or outcome = 'choices' and question = $4)`

// QueueHelped adds the citizen's word on what they were told in a conversation to a batch. article may be uuid.Nil: the word is then
// about the list that the question was met with.
func QueueHelped(b *pgx.Batch, conversation, article uuid.UUID, question string, helped bool, at time.Time) {
	b.Queue(sqlHelped, conversation, optional(article), helped, storable(question), at, at.Add(-helpedWithin))
}

const sqlGraded = `update answers set helped = $2, helped_at = $3, looked = false where conversation_id = $1 and by = 'staff' and at > $4 and helped is null`

// QueueGraded adds the grade of a chat, as a word on what staff told in it, to a batch.
func QueueGraded(b *pgx.Batch, conversation uuid.UUID, helped bool, at time.Time) {
	b.Queue(sqlGraded, conversation, helped, at, at.Add(-helpedWithin))
}

// storable is a question as it may be kept.
func storable(question string) string { return redact.New().Hide(cutQuestion(question)) }
