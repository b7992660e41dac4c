package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/auth"
	"hotline/internal/blob"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/knowledge/exchange"
)

// An import is a job: its file is kept in the file store until the end, what became of each batch of articles is written with the batch, and a node
// that dies leaves the rest to whichever looks next. So every article of a file is dealt with once, and told once in the report.

const (
	importLease = 2 * time.Minute
	// importAtOnce is how large a file is taken in while the person waits; larger ones go on behind the page.
	importAtOnce  = 64 << 10
	maxImportForm = exchange.MaxFile + 1<<20 // a whole request with its file
)

// errImportTaken: another node went on with the import.
var errImportTaken = errors.New("console: another node goes on with the import")

const (
	sqlKeepImport = `insert into knowledge_imports (id, user_id, agency_id, name, mode, created, updated, unchanged, failed, lines, at, blob, claimed_until)
		values ($1, $2, $3, $4, $5, 0, 0, 0, 0, '[]', $6, $7, $6)`
	sqlClaimImport = `update knowledge_imports set claimed_until = $2 where id = $1 and finished_at is null and claimed_until <= $3 returning name, mode, blob, total, seen, effect is not null`
	sqlCountImport = `update knowledge_imports set total = $2, claimed_until = $3 where id = $1`
	// Of a large file the report keeps what was refused ($10), and what was taken in as long as it is short. Whoever lost the lease finds that others have gone on, and undoes the batch.
	sqlImportBatch = `update knowledge_imports set seen = seen + $3, created = created + $4, updated = updated + $5, unchanged = unchanged + $6, failed = failed + $7,
		lines = case when jsonb_array_length(lines) < 2000 then lines || $8::jsonb when $10::jsonb <> '[]' and jsonb_array_length(lines) < 20000 then lines || $10::jsonb else lines end,
		claimed_until = $9 where id = $1 and seen = $2 and finished_at is null`
	sqlEndImport      = `update knowledge_imports set finished_at = $2, claimed_until = $2, problem = $3 where id = $1 and finished_at is null`
	sqlImportFileGone = `update knowledge_imports set blob = '' where id = $1`
	sqlImportsWaiting = `select id, user_id, agency_id, blob, finished_at is not null from knowledge_imports where blob <> '' and claimed_until <= $1 order by claimed_until limit 20`
)

// keepImport keeps the file, then the job; without the row nobody would find the file.
func (c *Console) keepImport(ctx context.Context, v View, name, mode string, data []byte) (uuid.UUID, error) {
	if c.Knowledge.Blob == nil {
		return uuid.Nil, knowledge.ErrNoFiles
	}
	id := db.NewID()
	key := "imports/" + id.String()
	if err := c.Knowledge.Blob.Put(ctx, key, bytes.NewReader(data)); err != nil {
		return uuid.Nil, err
	}
	err := db.WithTx(ctx, c.Pool, v.Me.Actor(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlKeepImport, id, v.Me.UserID, v.Me.AgencyID, clean(path.Base(strings.ReplaceAll(name, "\\", "/")), 200), mode, c.clock.Now(), key)
		return err
	})
	if err != nil {
		_ = c.Knowledge.Blob.Delete(context.WithoutCancel(ctx), key) // the first error is the one to tell
	}
	return id, err
}

// runImport does an import, or what is left of it. One that somebody else works on is left alone; a cancelled context leaves the rest for later.
func (c *Console) runImport(ctx context.Context, p auth.Principal, id uuid.UUID) {
	if err := c.goImport(ctx, p, id); err != nil && ctx.Err() == nil && !errors.Is(err, errImportTaken) {
		c.Log.ErrorContext(ctx, "import of articles", "import", id, "error", err)
	}
}

func (c *Console) goImport(ctx context.Context, p auth.Principal, id uuid.UUID) error {
	var name, mode, key string
	var total, seen int
	var foreseen bool
	err := db.WithTx(ctx, c.Pool, p.Actor(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, sqlClaimImport, id, c.clock.Now().Add(importLease), c.clock.Now()).Scan(&name, &mode, &key, &total, &seen, &foreseen)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	v := View{c: c, Me: &p, Now: c.clock.Now()}
	err = c.importRest(ctx, v, id, name, mode, key, total, seen, foreseen)
	var known *errs.Error
	switch {
	case err == nil:
		return c.endImport(ctx, id, key, nil)
	case errors.As(err, &known) && known.Kind != errs.Unavailable && known.Kind != errs.Internal:
		return c.endImport(ctx, id, key, whyOf(known))
	case errors.Is(err, blob.ErrNotFound):
		return errors.Join(err, c.endImport(ctx, id, key, whyOf(exchange.ErrBroken)))
	}
	return err // the lease runs out, and the import goes on from here
}

func (c *Console) importRest(ctx context.Context, v View, id uuid.UUID, name, mode, key string, total, seen int, foreseen bool) error {
	f, err := c.Knowledge.Blob.Open(ctx, key)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if total == 0 {
		// The whole file is read before anything is written: a damaged one is refused whole.
		source, err := exchange.Read(name, data)
		if err != nil {
			return err
		}
		if total, err = knowledge.CountArticles(source); err != nil {
			return err
		}
		if err := db.WithTx(ctx, c.Pool, v.Me.Actor(), func(tx db.Tx) error {
			_, err := tx.Exec(ctx, sqlCountImport, id, total, c.clock.Now().Add(importLease))
			return err
		}); err != nil {
			return err
		}
	}
	publishes := mode == "publish" || mode == "check" && v.Me.Has("reviewer", "administrator")
	if publishes && !foreseen && seen == 0 {
		if err := c.foresee(ctx, v, id, name, data); err != nil {
			if ctx.Err() != nil {
				return err
			}
			c.Log.WarnContext(ctx, "what an import does to answers is not known", "import", id, "error", err)
		}
	}
	source, err := exchange.Read(name, data)
	if err != nil {
		return err
	}
	o := knowledge.ImportOptions{DryRun: mode == "check", Draft: !publishes, Skip: seen} // a try says what publishing would do where the person may publish
	o.Told = func(ctx context.Context, tx db.Tx, batch knowledge.ImportReport) error {
		lines, refused := []importLine{}, []importLine{}
		for _, l := range batch.Lines {
			if l.What == knowledge.ImportUnchanged {
				continue
			}
			line := importLine{l.Line, l.Source, l.ID, l.Title, l.What, whyOf(l.Err)}
			if lines = append(lines, line); l.What == knowledge.ImportRefused {
				refused = append(refused, line)
			}
		}
		done, err := tx.Exec(ctx, sqlImportBatch, id, seen, batch.Seen, batch.Created, batch.Updated, batch.Unchanged, batch.Failed, lines, c.clock.Now().Add(importLease), refused)
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return errImportTaken
		}
		seen += batch.Seen
		return nil
	}
	_, err = c.Knowledge.ImportFrom(ctx, staff(v), source, o)
	return err
}

// endImport puts the end on record and lets go of the file, in that order: what is left of a node that dies between them is found by its row.
func (c *Console) endImport(ctx context.Context, id uuid.UUID, key string, problem *why) error {
	if err := db.WithTx(ctx, c.Pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlEndImport, id, c.clock.Now(), problem)
		return err
	}); err != nil {
		return err
	}
	if err := c.Knowledge.Blob.Delete(ctx, key); err != nil && !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	return db.WithTx(ctx, c.Pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlImportFileGone, id)
		return err
	})
}

// SweepImports goes on with imports whose node died, with the rights that the person has now.
func (c *Console) SweepImports(ctx context.Context) {
	type waiting struct {
		ID, User, Agency uuid.UUID
		Blob             string
		Done             bool
	}
	var found []waiting
	err := db.ReadTx(ctx, c.Pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlImportsWaiting, c.clock.Now())
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
		return err
	})
	if err != nil && ctx.Err() == nil {
		c.Log.WarnContext(ctx, "import sweep", "error", err)
	}
	for _, w := range found {
		p, err := c.Auth.ByID(ctx, w.User)
		switch {
		case w.Done:
			err = c.endImport(ctx, w.ID, w.Blob, nil)
		case errors.Is(err, auth.ErrNotFound) || errors.Is(err, auth.ErrInactive) || err == nil && p.AgencyID != w.Agency:
			c.Log.WarnContext(ctx, "import of articles ended: its person is gone", "import", w.ID)
			err = c.endImport(ctx, w.ID, w.Blob, whyOf(auth.ErrInactive))
		case err == nil:
			c.runImport(ctx, p, w.ID)
		}
		if err != nil && ctx.Err() == nil {
			c.Log.ErrorContext(ctx, "import of articles", "import", w.ID, "error", err)
		}
	}
}

// startImport takes a small file in before the answer, a large one behind it.
func (c *Console) startImport(r *http.Request, id uuid.UUID, size int) {
	p, _ := principal(r.Context())
	if size <= importAtOnce {
		c.runImport(context.WithoutCancel(r.Context()), p, id) // leaving the page does not cut an import in two
		return
	}
	c.bulk.wait.Go(func() { c.runImport(c.bulk.ctx, p, id) })
}
