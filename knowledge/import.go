package knowledge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// ErrImportDay: a day of validity that is none.
var ErrImportDay = errs.New(errs.Invalid, "knowledge.import_day", "a day is written as 2026-03-01")

// ErrImportBusy: an editor is working on the article that a line would change.
var ErrImportBusy = errs.New(errs.Conflict, "knowledge.import_busy", "an editor has an unpublished draft of this article")

// ImportOptions say what becomes of the lines of a file.
type ImportOptions struct {
	Owner    uuid.UUID // agency of new articles; uuid.Nil for none
	Audience string    // of new articles; empty means public
	Draft    bool      // leave drafts for review instead of publishing
	DryRun   bool      // say what would become of each article, and change nothing
	Skip     int       // articles of the file that an earlier run has dealt with
	// Publishes hears of each text that is published, or would be in a dry run, before Told. It may hear of one twice.
	Publishes func(Entry)
	// Told hears of each batch inside the transaction that writes it, so that what it keeps is true whenever the process ends; its error undoes the
	// batch and ends the import. In a dry run the transaction is one of its own.
	Told func(ctx context.Context, tx db.Tx, batch ImportReport) error
}

// What became of an article of a file.
const (
	ImportCreated   = "created"
	ImportUpdated   = "updated"
	ImportUnchanged = "unchanged"
	ImportRefused   = "refused"
)

// ImportLine is one article of the report.
type ImportLine struct {
	Line   int         `json:"line"`
	Source string      `json:"source,omitempty"`
	ID     string      `json:"id,omitempty"`
	Title  string      `json:"title,omitempty"`
	What   string      `json:"what"`
	Why    string      `json:"why,omitempty"` // code of the error
	Err    *errs.Error `json:"-"`
}

// ImportReport counts what became of the lines of a file.
type ImportReport struct {
	Seen      int          `json:"-"` // articles dealt with
	Created   int          `json:"created"`
	Updated   int          `json:"updated"`
	Unchanged int          `json:"unchanged"`
	Failed    int          `json:"failed"`
	Errors    []*LineError `json:"-"` // the first maxImportErrors of the failed
	Lines     []ImportLine `json:"-"` // the first maxImportLines
}

const (
	importBatch     = 200
	maxImportErrors = 100
	maxImportLines  = 20_000
)

func (r *ImportReport) line(l ImportLine) {
	if len(r.Lines) < maxImportLines {
		r.Lines = append(r.Lines, l)
	}
}

func (r *ImportReport) fail(e *LineError, in Import) {
	r.Failed++
	r.line(ImportLine{Line: e.Line, Source: in.Source, ID: in.ID, Title: in.Title, What: ImportRefused, Why: e.Err.Code, Err: e.Err})
	if len(r.Errors) < maxImportErrors {
		r.Errors = append(r.Errors, e)
	}
}

// Import creates or updates an article for every line, found again by its id.
// A bad line fails alone. Lines are written in transactions of importBatch, so
// an interrupted import is repeated as a whole without harm. Other nodes are
// told at the end.
//
// Errors: ErrNotEditor, and without Draft ErrNotReviewer; the reader's and the
// database's, with the report of what was committed before.
func (s *Service) Import(ctx context.Context, by Staff, r io.Reader, o ImportOptions) (ImportReport, error) {
	return s.ImportFrom(ctx, by, NewParser(r), o)
}

// ImportFrom is Import from any source. Staff of an agency import that agency's
// articles.
func (s *Service) ImportFrom(ctx context.Context, by Staff, p Source, o ImportOptions) (ImportReport, error) {
	var report ImportReport
	if err := by.mayEdit(); err != nil {
		return report, err
	}
	if !o.Draft && !by.has("administrator", "reviewer") {
		return report, ErrNotReviewer
	}
	agencies, err := s.agencyCodes(ctx)
	if err != nil {
		return report, err
	}
	defer func() {
		if !o.DryRun && report.Created+report.Updated > 0 && s.Changed != nil {
			s.Changed("")
		}
	}()
	for range o.Skip {
		var bad *LineError
		if _, err := p.Next(); err != nil && !errors.As(err, &bad) {
			return report, fmt.Errorf("import: go on after %d: %w", o.Skip, err)
		}
	}
	for {
		batch, done, err := nextBatch(p)
		if err != nil {
			return report, err
		}
		if done.Seen == 0 {
			return report, nil
		}
		if err := s.importBatch(ctx, by, batch, o, agencies, done, &report); err != nil {
			return report, fmt.Errorf("import after %d: %w", o.Skip+report.Seen, err)
		}
	}
}

// nextBatch reads on; the lines that cannot be read are refused in done.
func nextBatch(p Source) (batch []Import, done ImportReport, err error) {
	batch = make([]Import, 0, importBatch)
	for done.Seen < importBatch {
		in, err := p.Next()
		var bad *LineError
		switch {
		case errors.Is(err, io.EOF):
			return batch, done, nil
		case errors.As(err, &bad):
			done.fail(bad, in)
		case err != nil:
			return nil, done, err
		default:
			batch = append(batch, in)
		}
		done.Seen++
	}
	return batch, done, nil
}

// CountArticles says how many articles a file holds, those that cannot be read among them. Errors: the reader's.
func CountArticles(p Source) (n int, err error) {
	for ; ; n++ {
		_, err := p.Next()
		var bad *LineError
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil && !errors.As(err, &bad) {
			return n, err
		}
	}
}

const sqlLatestOf = `select ` + articleColumns + `, ` + versionColumns + `
	from articles a join article_versions v on v.article_id = a.id and v.version = a.latest where a.id = any($1)`

const (
	// Locked first and read after it: whoever waits for an editor finds the version that the editor began.
	sqlLockImported = `select a.id from articles a where a.external_id = any($1) or a.external_id is null and a.id = any($2) order by a.id for update`
	sqlOwnersOf     = `select coalesce(external_id, id::text), owner_id from articles where external_id = any($1) or external_id is null and id = any($2)`
	sqlAgencyCodes  = `select code, id from agencies`
)

func (s *Service) agencyCodes(ctx context.Context) (map[string]uuid.UUID, error) {
	out := map[string]uuid.UUID{}
	err := s.elevated(ctx, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlAgencyCodes)
		if err != nil {
			return err
		}
		var code string
		var id uuid.UUID
		_, err = pgx.ForEachRow(rows, []any{&code, &id}, func() error { out[code] = id; return nil })
		return err
	})
	return out, err
}

var errDryRun = errors.New("dry run")

func (s *Service) importBatch(ctx context.Context, by Staff, batch []Import, o ImportOptions, agencies map[string]uuid.UUID, done ImportReport, report *ImportReport) error {
	var docs []Doc
	var blobs []string
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		// An article that was written here is known by its own id.
		wanted, own := make([]string, len(batch)), []uuid.UUID{}
		for i, in := range batch {
			wanted[i] = in.ID
			if id, err := uuid.Parse(in.ID); err == nil {
				own = append(own, id)
			}
		}
		// Who owns them is asked first: what may not be changed cannot be locked.
		rows, err := tx.Query(ctx, sqlOwnersOf, wanted, own)
		if err != nil {
			return err
		}
		owners := map[string]*uuid.UUID{}
		var external string
		var owner *uuid.UUID
		if _, err := pgx.ForEachRow(rows, []any{&external, &owner}, func() error { owners[external] = owner; return nil }); err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, sqlLockImported, wanted, own); err != nil {
			return err
		}
		locked, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, sqlLatestOf, locked); err != nil {
			return err
		}
		entries, err := pgx.CollectRows(rows, scanEntry)
		if err != nil {
			return err
		}
		known := make(map[string]Entry, len(entries))
		for _, e := range entries {
			known[cmp.Or(e.Article.ExternalID, e.Article.ID.String())] = e
		}
		var created []Entry
		for _, in := range batch {
			head := o.head(in)
			var refused error
			if in.Owner != "" {
				id, ok := agencies[in.Owner]
				if head.Owner = id; !ok {
					refused = ErrUnknownOwner.On("owner")
				}
			}
			if head.Owner == uuid.Nil && !by.Actor.IsSystem() && !by.Actor.Desk() {
				head.Owner = by.Actor.Agency()
			}
			if owner, exists := owners[in.ID]; exists && refused == nil {
				refused = by.mayChange(Article{Owner: value(owner)})
			} else if refused == nil {
				refused = by.mayChange(head)
			}
			text, bad := in.text()
			if refused == nil && bad != nil {
				refused = bad
			}
			what := ""
			var e *Entry
			if refused == nil {
				if old, exists := known[in.ID]; exists {
					e, what, refused, err = s.importChange(ctx, tx, by, in, text, head, old, o, &blobs)
				} else {
					e, what, refused, err = s.importNew(ctx, tx, by, in, text, head, o, &created, &blobs)
				}
				if err != nil {
					return fmt.Errorf("line %d: %w", in.Line, err)
				}
			}
			var why *errs.Error
			switch {
			case errors.As(refused, &why):
				done.fail(&LineError{Line: in.Line, Err: why.With("line", in.Line)}, in)
				continue
			case refused != nil:
				return refused
			case e != nil && e.Version.State == Published:
				docs = append(docs, e.Article.doc(e.Version))
				if o.Publishes != nil {
					o.Publishes(*e)
				}
			}
			switch what {
			case ImportCreated:
				done.Created++
			case ImportUpdated:
				done.Updated++
			default:
				done.Unchanged++
			}
			done.line(ImportLine{Line: in.Line, Source: in.Source, ID: in.ID, Title: in.Title, What: what})
		}
		if err := insertEntries(ctx, tx, created...); err != nil {
			return err
		}
		if o.DryRun {
			return errDryRun // everything was tried, and nothing stays
		}
		if o.Told != nil {
			return o.Told(ctx, tx, done)
		}
		return nil
	})
	if err != nil {
		for _, key := range blobs { // without a row nobody finds them
			_ = s.Blob.Delete(context.WithoutCancel(ctx), key)
		}
		if !errors.Is(err, errDryRun) {
			return err
		}
		docs = nil
		if o.Told != nil {
			if err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error { return o.Told(ctx, tx, done) }); err != nil {
				return err
			}
		}
	}
	report.Seen += done.Seen
	report.Created += done.Created
	report.Updated += done.Updated
	report.Unchanged += done.Unchanged
	report.Failed += done.Failed
	report.Errors = append(report.Errors, done.Errors[:min(len(done.Errors), maxImportErrors-len(report.Errors))]...)
	for _, l := range done.Lines {
		report.line(l)
	}
	s.indexing.Lock()
	defer s.indexing.Unlock()
	s.put(docs, nil)
	return nil
}

// head is what a line and the options say of the article itself.
func (o ImportOptions) head(in Import) Article {
	a := Article{ExternalID: in.ID, Key: in.Key, Lang: in.Lang, Topic: in.Topic, Slug: in.Slug, Owner: o.Owner, Audience: o.Audience, Services: in.Services}
	if in.Audience != "" {
		a.Audience = in.Audience
	}
	return a
}

// try undoes what a refused article had begun, and leaves the batch as it was.
func try(ctx context.Context, tx db.Tx, fn func(tx db.Tx) error) (refused, err error) {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if err := fn(inner); err != nil {
		if undo := inner.Rollback(ctx); undo != nil {
			return nil, undo
		}
		var known *errs.Error
		if errors.As(err, &known) && known.Kind != errs.Unavailable && known.Kind != errs.Internal {
			return known, nil
		}
		return nil, err
	}
	return nil, inner.Commit(ctx)
}
