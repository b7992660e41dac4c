package knowledge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// ErrImportBusy: an editor is working on the article that a line would change.
var ErrImportBusy = errs.New(errs.Conflict, "knowledge.import_busy", "an editor has an unpublished draft of this article")

// ImportOptions say what becomes of the lines of a file.
type ImportOptions struct {
	Owner    uuid.UUID // agency of new articles; uuid.Nil for none
	Audience string    // of new articles; empty means public
	Draft    bool      // leave drafts for review instead of publishing
}

// ImportReport counts what became of the lines of a file.
type ImportReport struct {
	Created   int          `json:"created"`
	Updated   int          `json:"updated"`
	Unchanged int          `json:"unchanged"`
	Failed    int          `json:"failed"`
	Errors    []*LineError `json:"-"` // the first maxImportErrors of the failed
}

const (
	importBatch     = 200
	maxImportErrors = 100
)

func (r *ImportReport) fail(e *LineError) {
	r.Failed++
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
	var report ImportReport
	if err := by.mayEdit(); err != nil {
		return report, err
	}
	if !o.Draft && !by.has("administrator", "reviewer") {
		return report, ErrNotReviewer
	}
	p := NewParser(r)
	defer func() {
		if report.Created+report.Updated > 0 && s.Changed != nil {
			s.Changed("")
		}
	}()
	for {
		batch, err := nextBatch(p, &report)
		if err != nil {
			return report, err
		}
		if len(batch) == 0 {
			return report, nil
		}
		if err := s.importBatch(ctx, by, batch, o, &report); err != nil {
			return report, fmt.Errorf("import from line %d: %w", batch[0].Line, err)
		}
	}
}

func nextBatch(p *Parser, report *ImportReport) ([]Import, error) {
	batch := make([]Import, 0, importBatch)
	for len(batch) < importBatch {
		in, err := p.Next()
		var bad *LineError
		switch {
		case errors.Is(err, io.EOF):
			return batch, nil
		case errors.As(err, &bad):
			report.fail(bad)
		case err != nil:
			return nil, err
		default:
			batch = append(batch, in)
		}
	}
	return batch, nil
}

const sqlLatestByExternal = `select ` + articleColumns + `, ` + versionColumns + `
	from articles a join article_versions v on v.article_id = a.id and v.version = a.latest where a.external_id = any($1) for update of a`

func (s *Service) importBatch(ctx context.Context, by Staff, batch []Import, o ImportOptions, report *ImportReport) error {
	var done ImportReport
	var docs []Doc
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		ids := make([]string, len(batch))
		for i, in := range batch {
			ids[i] = in.ID
		}
		rows, err := tx.Query(ctx, sqlLatestByExternal, ids)
		if err != nil {
			return err
		}
		entries, err := pgx.CollectRows(rows, scanEntry)
		if err != nil {
			return err
		}
		known := make(map[string]Entry, len(entries))
		for _, e := range entries {
			known[e.Article.ExternalID] = e
		}
		for _, in := range batch {
			e, exists := known[in.ID]
			d, err := s.importOne(ctx, tx, by, in, e, exists, o, &done)
			if err != nil {
				return fmt.Errorf("line %d: %w", in.Line, err)
			}
			if d != nil {
				docs = append(docs, *d)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	report.Created += done.Created
	report.Updated += done.Updated
	report.Unchanged += done.Unchanged
	for _, e := range done.Errors {
		report.fail(e)
	}
	s.indexing.Lock()
	defer s.indexing.Unlock()
	s.corpus.Put(docs...)
	return s.Index.Put(ctx, docs...)
}

// importOne writes one line and returns what is to be indexed. What is wrong
// with the line itself goes into the report; an error ends the batch.
func (s *Service) importOne(ctx context.Context, tx db.Tx, by Staff, in Import, e Entry, exists bool, o ImportOptions, report *ImportReport) (*Doc, error) {
	reject := func(err error) (*Doc, error) {
		var known *errs.Error
		if !errors.As(err, &known) {
			return nil, err
		}
		report.fail(&LineError{Line: in.Line, Err: known.With("line", in.Line)})
		return nil, nil
	}
	text, err := in.text().normalize()
	if err != nil {
		return reject(err)
	}
	if !exists {
		head := Article{ExternalID: in.ID, Key: in.Key, Lang: in.Lang, Topic: in.Topic, Owner: o.Owner, Audience: o.Audience}
		// Checked before anything is written, so that a bad line leaves no trace
		// in the transaction.
		if _, err := head.normalize(text.Title); err != nil {
			return reject(err)
		}
		if e, err = s.CreateTx(ctx, tx, by, head, text); err != nil {
			return nil, err
		}
		report.Created++
	} else {
		if e.Version.State == Drafted && e.Article.Live != 0 || e.Version.State == InReview {
			return reject(ErrImportBusy)
		}
		text.ValidFrom, text.ValidTo = e.Version.ValidFrom, e.Version.ValidTo
		settled := e.Version.State == Published || o.Draft && e.Version.State == Drafted
		if settled && e.Version.Text.same(text) {
			report.Unchanged++
			return nil, nil
		}
		if err := s.save(ctx, tx, by, &e, text); err != nil {
			return nil, err
		}
		report.Updated++
	}
	if o.Draft {
		return nil, nil
	}
	if err := s.PublishTx(ctx, tx, by, &e); err != nil {
		return nil, err
	}
	d := e.Article.doc(e.Version)
	return &d, nil
}

func (i Import) text() Text {
	return Text{Title: i.Title, Summary: i.Summary, Body: i.Body, Keywords: i.Keywords, Questions: i.Questions}
}

func (t Text) same(o Text) bool {
	return t.Title == o.Title && t.Summary == o.Summary && t.Body == o.Body &&
		slices.Equal(t.Keywords, o.Keywords) && slices.Equal(t.Questions, o.Questions)
}
