package statistics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// ErrPublishedEnough: so many periods of people's own were asked for today that no more are counted until tomorrow. Named periods always are.
var ErrPublishedEnough = errs.New(errs.RateLimited, "tickets.published_enough", "too many periods were asked for today; named periods are still answered")

// maxPublished bounds the answers for periods of people's own that a day keeps.
const maxPublished = 2000

const publishedSQL = `select figures from published_figures where day = $1::date and key = $2`
const publishedFullSQL = `select count(*) >= $2 from published_figures where day = $1::date and not named`

// The first node's answer stands, whichever others were made meanwhile.
const publishSQL = `insert into published_figures (day, key, named, figures) values ($1::date, $2, $3, $4) on conflict do nothing`

// A day more is kept: a node whose clock is a little behind must not make yesterday's answers again.
const publishedOldSQL = `delete from published_figures where day < $1::date - 1`

// Published gives what was published under a key on a day, and has it made by the first who asks. The unique key decides between nodes that ask at
// once: both may count, one answer stands. What make does not want to be kept is given and forgotten: the sums do not have the whole day before yet.
// Errors: ErrPublishedEnough, those of make.
func (s *Store) Published(ctx context.Context, day time.Time, key string, named bool, make func(context.Context) (figures []byte, keep bool, err error)) ([]byte, error) {
	var out []byte
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		err := tx.QueryRow(ctx, publishedSQL, day, key).Scan(&out)
		if !errors.Is(err, pgx.ErrNoRows) || named {
			return err
		}
		var full bool
		if err := tx.QueryRow(ctx, publishedFullSQL, day, maxPublished).Scan(&full); err != nil {
			return err
		}
		if full {
			return ErrPublishedEnough
		}
		return pgx.ErrNoRows
	})
	if !errors.Is(err, pgx.ErrNoRows) {
		return out, err
	}
	made, keep, err := make(ctx)
	if err != nil || !keep {
		return made, err
	}
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, publishedOldSQL, day); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, publishSQL, day, key, named, made); err != nil {
			return err
		}
		return tx.QueryRow(ctx, publishedSQL, day, key).Scan(&out)
	})
	if err != nil {
		return nil, fmt.Errorf("publish figures: %w", err)
	}
	return out, nil
}
