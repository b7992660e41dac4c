package knowledge

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"hotline/internal/db"
)

// Stock is what the knowledge base holds at this moment, counted for the published measures.
type Stock struct {
	Live    int      // articles with a published, valid version
	Stale   int      // of these: disputed, about to expire, or published too long ago
	Covered []string // codes of the service items that a live public article names
}

const (
	// An article counts as about to expire in its last month.
	sqlStock = `select count(*), count(*) filter (where a.disputed or v.valid_to < $1::date + 30 or v.published_at < $2)
		from articles a join article_versions v on v.article_id = a.id and v.version = a.live
		where v.state = 'published' and (v.valid_from is null or v.valid_from <= $1::date) and (v.valid_to is null or v.valid_to >= $1::date)`
	sqlCovered = `select distinct s from articles a join article_versions v on v.article_id = a.id and v.version = a.live cross join unnest(a.services) s
		where v.state = 'published' and not a.disputed and a.audience = 'public' and (v.valid_from is null or v.valid_from <= $1::date) and (v.valid_to is null or v.valid_to >= $1::date)`
)

// Stock counts the knowledge base; old is how long ago a version must have been published to count as stale.
func (s *Service) Stock(ctx context.Context, old time.Duration) (Stock, error) {
	var out Stock
	now := s.Clock.Now()
	err := db.ReadTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		if err := tx.QueryRow(ctx, sqlStock, now, now.Add(-old)).Scan(&out.Live, &out.Stale); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sqlCovered, now)
		if err != nil {
			return err
		}
		out.Covered, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return Stock{}, fmt.Errorf("knowledge stock: %w", err)
	}
	return out, nil
}
