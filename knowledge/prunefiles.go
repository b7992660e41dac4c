package knowledge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/blob"
	"hotline/internal/db"
)

// fileGrace is how long the bytes of a file that no version names any more are
// kept: a backup of the database from before still finds them.
const fileGrace = 7 * 24 * time.Hour

const pruneBatch = 100

const (
	sqlNamed = `exists (select from article_versions v where v.article_id = f.article_id and f.id = any(v.files))`
	// A file that is named again is as good as any other.
	sqlNoticeFiles = `update article_files f set unnamed_since = case when ` + sqlNamed + ` then null else $1::timestamptz end
		where given_up_at is null and (unnamed_since is null) <> ` + sqlNamed
	sqlFilesDue = `select f.id, f.article_id from article_files f where f.unnamed_since <= $1 order by f.unnamed_since, f.id limit $2`
	// Asked once more under the lock that everything takes which names files.
	sqlGiveUpFile = `update article_files f set given_up_at = coalesce(given_up_at, $2::timestamptz) where f.id = $1 and f.unnamed_since <= $3 and not ` + sqlNamed + ` returning blob`
	sqlFileGone   = `delete from article_files where id = $1 and given_up_at is not null`
)

// PruneFiles removes the bytes of files that no version of their article has
// named for a week. A node alone does it at a time; one that dies in the middle
// leaves a row by which the next goes on. It returns how many files are gone.
// Errors: the database's and the file store's; what was done stays done.
func (s *Service) PruneFiles(ctx context.Context) (gone int, err error) {
	if s.Blob == nil {
		return 0, nil
	}
	now := s.Clock.Now()
	type file struct{ ID, Article uuid.UUID }
	var due []file
	err = s.elevated(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlNoticeFiles, now); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sqlFilesDue, now.Add(-fileGrace), pruneBatch)
		if err != nil {
			return err
		}
		due, err = pgx.CollectRows(rows, pgx.RowToStructByPos[file])
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune files: %w", err)
	}
	for _, f := range due {
		done, err := s.pruneFile(ctx, f.ID, f.Article, now)
		if err != nil {
			return gone, fmt.Errorf("prune files: %w", err)
		}
		if done {
			gone++
		}
	}
	return gone, nil
}

// pruneFile gives a file up, removes its bytes outside of any transaction, and
// at last its row.
func (s *Service) pruneFile(ctx context.Context, id, article uuid.UUID, now time.Time) (bool, error) {
	var key string
	err := s.elevated(ctx, func(tx db.Tx) error {
		if _, err := lockArticle(ctx, tx, article); err != nil {
			return err
		}
		return tx.QueryRow(ctx, sqlGiveUpFile, id, now, now.Add(-fileGrace)).Scan(&key)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil // it is named again
	}
	if err != nil {
		return false, err
	}
	if err := s.Blob.Delete(ctx, key); err != nil && !errors.Is(err, blob.ErrNotFound) {
		return false, err
	}
	return true, s.elevated(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlFileGone, id)
		return err
	})
}
