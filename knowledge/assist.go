package knowledge

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// What became of an article that was suggested to staff.
const (
	Suggested  = "shown"    // it stood beside an answer that went out without any article
	Replaced   = "replaced" // it stood first, and another article went out
	Inserted   = "inserted" // it is in a composer, or was given up there
	SentAsIs   = "sent"     // it went out word for word
	SentEdited = "edited"   // it went out, changed
	Dismissed  = "dismissed"
	Wrong      = "wrong" // staff filed a correction from where they were
)

// What was inserted.
const (
	AssistArticle = "article" // the article's answer
	AssistDraft   = "draft"   // a reply made of the article's words
	AssistModel   = "model"   // a reply that a language model wrote from the article
)

// DismissReasons are the reasons for refusing a suggestion, as codes.
var DismissReasons = []string{"other_matter", "too_general", "told_already", "not_now"}

// Assist is one suggestion to a member of staff, and how it ended: a row of assists.
type Assist struct {
	ID           uuid.UUID
	At           time.Time
	Conversation uuid.UUID
	Ticket       uuid.UUID
	User, Agency uuid.UUID
	Kind         string
	Article      uuid.UUID
	Version      int
	Place        int // in the list, from 1; 0: in a draft, or found by searching
	Score        float64
	Outcome      string
	Changed      float64 // of an edited one: the share of its words that did not go out
	Reason       string
	Instead      uuid.UUID
	ModelCall    uuid.UUID
}

// A suggestion only moves on: what was sent is not inserted again by a request that comes late. An article that is gone, or an id of
// somebody else, changes nothing.
const sqlAssist = `insert into assists (id, at, conversation_id, ticket_id, user_id, agency_id, kind, article_id, version, place, score, outcome, changed, reason, instead_id, model_call)
	select $1, $2, $3, $4, $5, $6, $7, v.article_id, v.version, $10, $11, $12, $13, $14, $15, $16 from article_versions v where v.article_id = $8 and v.version = $9
	on conflict (id) do update set at = excluded.at, outcome = excluded.outcome, changed = excluded.changed, reason = excluded.reason, instead_id = excluded.instead_id
	where assists.user_id = excluded.user_id and assists.outcome not in ('sent', 'edited', 'wrong')`

// RecordAssists writes what became of suggestions, in the transaction of what became of them; its actor is the member of staff.
func RecordAssists(ctx context.Context, tx db.Tx, rows ...Assist) error {
	if len(rows) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	for _, a := range rows {
		b.Queue(sqlAssist, a.ID, a.At, optional(a.Conversation), optional(a.Ticket), a.User, a.Agency, a.Kind, a.Article, a.Version, a.Place, a.Score,
			a.Outcome, a.Changed, a.Reason, optional(a.Instead), optional(a.ModelCall))
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("record assists: %w", err)
	}
	return nil
}

// Assisted is RecordAssists in a transaction of its own, as the member of staff.
func (s *Service) Assisted(ctx context.Context, by Staff, rows ...Assist) error {
	return db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error { return RecordAssists(ctx, tx, rows...) })
}

const sqlUndoAssist = `delete from assists where id = $1 and outcome = 'dismissed'`

// Undismiss takes the refusal of a suggestion back. One that does not exist, or is somebody else's, is not an error.
func (s *Service) Undismiss(ctx context.Context, by Staff, id uuid.UUID) error {
	return db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlUndoAssist, id)
		return err
	})
}

const sqlDismissed = `select distinct article_id from assists where outcome = 'dismissed' and (conversation_id = $1 or ticket_id = $2)`

// DismissedFor returns the articles that staff refused for a conversation or a ticket; either may be uuid.Nil.
func (s *Service) DismissedFor(ctx context.Context, by Staff, conversation, ticket uuid.UUID) (map[uuid.UUID]bool, error) {
	out := map[uuid.UUID]bool{}
	err := db.ReadTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlDismissed, optional(conversation), optional(ticket))
		if err != nil {
			return err
		}
		ids, err := collectIDs(rows)
		for _, id := range ids {
			out[id] = true
		}
		return err
	})
	return out, err
}

// AssistFilter selects suggestions to count. Zero values mean any.
type AssistFilter struct {
	From, To time.Time // To is not included
	Article  uuid.UUID
	Owner    uuid.UUID // agency of the article
}

// AssistUse counts what became of suggestions. A draft made of two articles counts for each.
type AssistUse struct {
	Shown     int // of all outcomes: suggestions that staff had before them when they acted
	Inserted  int // among them, put into a composer, whatever came of it
	Sent      int // among those, sent word for word
	Edited    int // among those, sent with changes
	Dismissed int
	Replaced  int     // another article went out instead
	Wrong     int     // reported as wrong in place
	Changed   float64 // of the edited: the average share of words that did not go out
}

// ChangedPercent is Changed in whole percent.
func (u AssistUse) ChangedPercent() int { return int(math.Round(100 * u.Changed)) }

const (
	assistCounts = `count(*), count(*) filter (where s.outcome in ('inserted', 'sent', 'edited')), count(*) filter (where s.outcome = 'sent'),
		count(*) filter (where s.outcome = 'edited'), count(*) filter (where s.outcome = 'dismissed'), count(*) filter (where s.outcome = 'replaced'),
		count(*) filter (where s.outcome = 'wrong'), coalesce(avg(s.changed) filter (where s.outcome = 'edited'), 0)::float8`
	fromAssists = ` from assists s where ($1::timestamptz is null or s.at >= $1) and ($2::timestamptz is null or s.at < $2) and ($3::uuid is null or s.article_id = $3)
		and ($4::uuid is null or exists (select from articles a where a.id = s.article_id and a.owner_id = $4))`
	sqlAssistUse        = `select ` + assistCounts + fromAssists
	sqlAssistedArticles = `select s.article_id, ` + assistCounts + fromAssists + ` group by s.article_id order by 3 desc, 2 desc, 1 limit $5`
)

func (f AssistFilter) args() []any {
	return []any{moment(f.From), moment(f.To), optional(f.Article), optional(f.Owner)}
}

func (u *AssistUse) counts() []any {
	return []any{&u.Shown, &u.Inserted, &u.Sent, &u.Edited, &u.Dismissed, &u.Replaced, &u.Wrong, &u.Changed}
}

// AssistUse counts what became of suggestions. It runs as the system: counts name neither a person nor a case.
func (s *Service) AssistUse(ctx context.Context, f AssistFilter) (AssistUse, error) {
	var u AssistUse
	err := db.ReadTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, sqlAssistUse, f.args()...).Scan(u.counts()...)
	})
	if err != nil {
		return u, fmt.Errorf("count assists: %w", err)
	}
	return u, nil
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// ArticleUse is AssistUse of one article.
type ArticleUse struct {
	Article uuid.UUID
	AssistUse
}

// AssistUseByArticle is AssistUse for each article, the most inserted first; at most limit of them.
func (s *Service) AssistUseByArticle(ctx context.Context, f AssistFilter, limit int) ([]ArticleUse, error) {
	var out []ArticleUse
	err := db.ReadTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlAssistedArticles, append(f.args(), min(limit, 200))...)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (ArticleUse, error) {
			var u ArticleUse
			return u, r.Scan(append([]any{&u.Article}, u.counts()...)...)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count assists: %w", err)
	}
	return out, nil
}
