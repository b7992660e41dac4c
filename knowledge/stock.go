package knowledge

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"hotline/internal/db"
)

// Stock is what the knowledge base holds at this moment, counted for the published measures.
type Stock struct {
	Live    int      // articles with a published, valid version
	Stale   int      // of these, those that somebody has to look at: what the board lists as such
	Covered []string // codes of the service items that a live public article names
}

const (
	sqlStock = `with stale as (` + sqlAlerting + `)
		select count(*), count(*) filter (where a.id in (select article_id from stale where ` + sqlNeedsLook + `))
		from articles a join article_versions v on v.article_id = a.id and v.version = a.live
		where v.state = 'published' and (v.valid_from is null or v.valid_from <= $1::date) and (v.valid_to is null or v.valid_to >= $1::date)`
	sqlCovered = `select distinct s from articles a join article_versions v on v.article_id = a.id and v.version = a.live cross join unnest(a.services) s
		where v.state = 'published' and not a.disputed and a.audience = 'public' and (v.valid_from is null or v.valid_from <= $1::date) and (v.valid_to is null or v.valid_to >= $1::date)`
)

// Stock counts the knowledge base. Errors: the database's.
func (s *Service) Stock(ctx context.Context) (Stock, error) {
	var out Stock
	rules, err := s.Settings(ctx)
	if err != nil {
		return Stock{}, fmt.Errorf("knowledge stock: %w", err)
	}
	now := s.Clock.Now()
	err = db.ReadTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		if err := tx.QueryRow(ctx, sqlStock, s.alerting(now, rules)...).Scan(&out.Live, &out.Stale); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sqlCovered, s.today())
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
