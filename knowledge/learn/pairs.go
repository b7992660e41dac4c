package learn

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Pair is a question whose right article is known.
type Pair struct {
	ID        uuid.UUID
	Lang      string
	Question  string
	Article   uuid.UUID
	Title     string // of the article
	Source    string // helped, editor, similar
	Votes     int    // distinct conversations that say so
	Active    bool
	CreatedAt time.Time
}

const sqlPair = `insert into eval_pairs (id, lang, question, article_id, source, created_by, created_at)
	select gen_random_uuid(), $1, $2, a.id, $4, $5, $6 from articles a where a.id = $3
	on conflict (lang, question, article_id) do update set votes = eval_pairs.votes + 1`

func queuePair(b *pgx.Batch, lang, question string, article uuid.UUID, source string, by uuid.UUID, at time.Time) {
	b.Queue(sqlPair, lang, question, article, source, optional(by), at)
}

// queueConfirmed keeps what a citizen has confirmed: this question, this article.
func queueConfirmed(b *pgx.Batch, a answer) {
	if a.Helped == nil || !*a.Helped || a.Article == nil || a.Question == "" || a.By == "staff" {
		return
	}
	if n := len([]rune(a.Question)); n < 4 || n > maxPairQuestion {
		return
	}
	queuePair(b, a.Lang, a.Question, *a.Article, "helped", uuid.Nil, a.At)
}

const maxPairQuestion = 300
