package knowledge

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Filter selects articles for the desk, by their latest version.
type Filter struct {
	State    State     // empty: any
	Lang     string    // empty: any
	Owner    uuid.UUID // uuid.Nil: any
	Disputed bool      // only disputed ones
	Live     bool      // only ones of which a version is published
	Text     string    // part of the title, of the short answer or of a question; empty: any
	Limit    int       // at most 200; 0 means 50
	After    Cursor    // of the last entry of the page before
}

// Cursor is a place in a list ordered by the time of the last change.
type Cursor struct {
	UpdatedAt time.Time
	ID        uuid.UUID
}

// Cursor is this entry's place in a list.
func (e Entry) Cursor() Cursor { return Cursor{e.Article.UpdatedAt, e.Article.ID} }

const sqlList = `select ` + articleColumns + `, ` + versionColumns + `
	from articles a join article_versions v on v.article_id = a.id and v.version = a.latest
	where ($1 = '' or v.state = $1) and ($2 = '' or a.lang = $2) and ($3::uuid is null or a.owner_id = $3) and (not $4 or a.disputed)
	and (not $9 or a.live is not null)
	and ($8 = '' or v.title ilike $8 or v.summary ilike $8 or exists (select from unnest(v.questions) q where q ilike $8))
	and ($5::timestamptz is null or a.updated_at <= $5 and (a.updated_at < $5 or a.id > $6))
	order by a.updated_at desc, a.id limit $7`

// like makes the pattern of "contains"; "" stays "".
func like(s string) string {
	if s == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}

// List returns articles with their latest version, the last changed first.
func (s *Service) List(ctx context.Context, f Filter) ([]Entry, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	var from *time.Time
	if !f.After.UpdatedAt.IsZero() {
		from = &f.After.UpdatedAt
	}
	rows, err := s.Pool.Query(ctx, sqlList, string(f.State), f.Lang, optional(f.Owner), f.Disputed, from, f.After.ID, min(f.Limit, 200), like(f.Text), f.Live)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanEntry)
}
