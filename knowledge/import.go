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
		var created []Entry
		for _, in := range batch {
			var e *Entry
			var refused, err error
			if old, exists := known[in.ID]; exists {
				e, refused, err = s.importChange(ctx, tx, by, in, old, o, &done)
			} else if e, refused = s.importNew(by, in, o); e != nil {
				created = append(created, *e)
			}
			var bad *errs.Error
			switch {
			case errors.As(refused, &bad):
				done.fail(&LineError{Line: in.Line, Err: bad.With("line", in.Line)})
			case err != nil:
				return fmt.Errorf("line %d: %w", in.Line, err)
			case e != nil && e.Version.State == Published:
				docs = append(docs, e.Article.doc(e.Version))
			}
		}
		done.Created = len(created)
		return insertEntries(ctx, tx, created...)
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
	return s.put(ctx, docs, nil)
}

// importNew makes the article of a line whose id is new.
func (s *Service) importNew(by Staff, in Import, o ImportOptions) (*Entry, error) {
	e, err := s.newEntry(by, Article{ExternalID: in.ID, Key: in.Key, Lang: in.Lang, Topic: in.Topic, Owner: o.Owner, Audience: o.Audience}, in.text())
	if err != nil {
		return nil, err
	}
	if !o.Draft {
		e.Article.Live, e.Version.State, e.Version.PublishedAt = 1, Published, &e.Version.CreatedAt
	}
	return &e, nil
}

// importChange brings a known article up to the line. It returns nil where
// there is nothing to change. What is wrong with the line is found before
// anything is written and refuses it alone; an error ends the batch.
func (s *Service) importChange(ctx context.Context, tx db.Tx, by Staff, in Import, e Entry, o ImportOptions, report *ImportReport) (changed *Entry, refused, err error) {
	text, refused := in.text().normalize()
	if refused != nil {
		return nil, refused, nil
	}
	if e.Version.State == InReview || e.Version.State == Drafted && (e.Article.Live != 0 || e.Version.Author != by.Actor.User()) {
		return nil, ErrImportBusy, nil
	}
	// What a line cannot say stays.
	text.ValidFrom, text.ValidTo, text.Audience, text.Form = e.Version.ValidFrom, e.Version.ValidTo, e.Version.Audience, e.Version.Form
	settled := e.Version.State == Published || o.Draft && e.Version.State == Drafted
	if settled && e.Version.Text.same(text) {
		report.Unchanged++
		return nil, nil, nil
	}
	e.Article.UpdatedAt = s.Clock.Now()
	if err := s.save(ctx, tx, by, &e, text); err != nil {
		return nil, nil, err
	}
	report.Updated++
	if o.Draft {
		return &e, nil, nil
	}
	return &e, nil, s.PublishTx(ctx, tx, by, &e)
}

func (i Import) text() Text {
	return Text{Title: i.Title, Summary: i.Summary, Body: i.Body, Keywords: i.Keywords, Questions: i.Questions}
}

func (t Text) same(o Text) bool {
	return t.Title == o.Title && t.Audience == o.Audience && t.Summary == o.Summary && t.Body == o.Body &&
		slices.Equal(t.Keywords, o.Keywords) && slices.Equal(t.Questions, o.Questions)
}
