package knowledge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/blob"
	"hotline/internal/db"
	"hotline/internal/errs"
)

// File is a file of an article: a form to fill in, a picture, a map.
type File struct {
	ID            uuid.UUID
	Article       uuid.UUID
	Name          string
	Type          string
	Size          int64
	Width, Height int
	Sum           []byte // SHA-256
	blob          string
}

// Cleaned is a file made harmless: its type found in its content, pictures
// without what they tell about their maker.
type Cleaned struct {
	Name, Type    string
	Data          []byte
	Width, Height int
}

// Limits of files.
const (
	MaxFiles    = 20
	MaxFileSize = 10 << 20
)

// Errors of files.
var (
	ErrFileTooLarge = errs.New(errs.TooLarge, "knowledge.file_too_large", "the file is too large").On("file")
	ErrTooManyFiles = errs.New(errs.Invalid, "knowledge.too_many_files", "an article has too many files").On("file")
	ErrNoFiles      = errs.New(errs.Unavailable, "knowledge.no_files", "files cannot be kept just now")
	ErrUnknownFile  = errs.New(errs.NotFound, "knowledge.file_not_found", "there is no such file")
)

const fileColumns = `f.id, f.article_id, f.name, f.content_type, f.size, f.width, f.height, f.sum, f.blob`

func scanFile(row pgx.CollectableRow) (f File, err error) {
	return f, row.Scan(&f.ID, &f.Article, &f.Name, &f.Type, &f.Size, &f.Width, &f.Height, &f.Sum, &f.blob)
}

const (
	sqlInsertFile = `insert into article_files (id, article_id, name, content_type, size, width, height, sum, blob, user_id, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	sqlSetFiles   = `update article_versions set files = $3, edit = edit + 1 where article_id = $1 and version = $2`
	sqlFiles      = `select ` + fileColumns + ` from article_files f where f.id = any($1)`
	// A file is public while a text that has it is served to everybody.
	sqlPublicFile = `select ` + fileColumns + ` from article_files f join articles a on a.id = f.article_id join article_versions v on v.article_id = a.id and v.version = a.live
		where ` + servable + ` and a.slug = $4 and f.id = $5 and f.id = any(v.files)`
	sqlStaffFile = `select ` + fileColumns + ` from article_files f where f.article_id = $1 and f.id = $2
		and exists (select from article_versions v where v.article_id = f.article_id and f.id = any(v.files) and ($3 or v.published_at is not null))`
)

// AddFile adds a file to the draft, or begins the next version with it, as Save
// does with a text. It takes the place of one of the same name. The bytes are durable before the row exists. Errors: as
// Save; ErrFileTooLarge, ErrTooManyFiles, ErrNoFiles; those of cleaning.
func (s *Service) AddFile(ctx context.Context, by Staff, ref Ref, name string, r io.Reader) (Entry, File, error) {
	if a, err := s.Article(ctx, ref.Article); err != nil {
		return Entry{}, File{}, err
	} else if err := by.mayChange(a); err != nil {
		return Entry{}, File{}, err
	}
	data, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return Entry{}, File{}, fmt.Errorf("read file: %w", err)
	}
	f, err := s.keep(ctx, ref.Article, name, data)
	if err != nil {
		return Entry{}, File{}, err
	}
	e, err := s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error {
		files, err := withFile(ctx, tx, e.Version.Files, f)
		if err != nil {
			return err
		}
		if err := s.insertFile(ctx, tx, by, f); err != nil {
			return err
		}
		return s.setFiles(ctx, tx, by, e, files)
	})
	if err != nil {
		_ = s.Blob.Delete(context.WithoutCancel(ctx), f.blob) // without a row nobody finds it; the first error is the one to tell
		return Entry{}, File{}, err
	}
	return e, f, nil
}

// withFile puts a file behind the others, or in the place of the one that has
// its name: of two of one name nobody could tell which is meant. Errors:
// ErrTooManyFiles.
func withFile(ctx context.Context, tx db.Tx, ids []uuid.UUID, f File) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, sqlFiles, ids)
	if err != nil {
		return nil, err
	}
	files, err := pgx.CollectRows(rows, scanFile)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(ids)
	if i := slices.IndexFunc(files, func(x File) bool { return x.Name == f.Name }); i >= 0 {
		out[slices.Index(out, files[i].ID)] = f.ID
		return out, nil
	}
	if len(out) >= MaxFiles {
		return nil, ErrTooManyFiles.With("limit", MaxFiles)
	}
	return append(out, f.ID), nil
}

// keep makes a file harmless and stores its bytes.
func (s *Service) keep(ctx context.Context, article uuid.UUID, name string, data []byte) (File, error) {
	if s.Blob == nil || s.Clean == nil {
		return File{}, ErrNoFiles
	}
	if len(data) > MaxFileSize {
		return File{}, ErrFileTooLarge.With("max", MaxFileSize)
	}
	c, err := s.Clean(name, data)
	if err != nil {
		return File{}, err
	}
	sum := sha256.Sum256(c.Data)
	f := File{ID: db.NewID(), Article: article, Name: c.Name, Type: c.Type, Size: int64(len(c.Data)), Width: c.Width, Height: c.Height, Sum: sum[:]}
	f.blob = "articles/" + f.ID.String()
	return f, s.Blob.Put(ctx, f.blob, bytes.NewReader(c.Data))
}

func (s *Service) insertFile(ctx context.Context, tx db.Tx, by Staff, f File) error {
	_, err := tx.Exec(ctx, sqlInsertFile, f.ID, f.Article, f.Name, f.Type, f.Size, f.Width, f.Height, f.Sum, f.blob, by.user(), s.Clock.Now())
	return err
}

// setFiles names the files of the draft, or of the next version.
func (s *Service) setFiles(ctx context.Context, tx db.Tx, by Staff, e *Entry, files []uuid.UUID) error {
	if e.Version.State == InReview || e.Version.State == Scheduled {
		return ErrState.With("state", string(e.Version.State))
	}
	if e.Version.State != Drafted {
		if err := s.begin(ctx, tx, by, e, e.Version.Text, e.Version.Files, 0); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, sqlSetFiles, e.Article.ID, e.Version.Number, files); err != nil {
		return err
	}
	e.Version.Files = files
	e.Version.Edit++
	return setLive(ctx, tx, e.Article)
}

// RemoveFile takes a file out of the draft, or begins the next version without
// it; versions that have it keep it. Errors: as Save, ErrUnknownFile.
func (s *Service) RemoveFile(ctx context.Context, by Staff, ref Ref, file uuid.UUID) (Entry, error) {
	return s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error {
		i := slices.Index(e.Version.Files, file)
		if i < 0 {
			return ErrUnknownFile
		}
		return s.setFiles(ctx, tx, by, e, slices.Delete(slices.Clone(e.Version.Files), i, i+1))
	})
}

// Files describes files, in the order of ids.
func (s *Service) Files(ctx context.Context, ids []uuid.UUID) ([]File, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.Pool.Query(ctx, sqlFiles, ids)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanFile)
	slices.SortFunc(found, func(a, b File) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return found, err
}

// PublicFile opens a file of what is served to everybody at an address. Errors:
// ErrUnknownFile, also for one that exists but may not be shown.
func (s *Service) PublicFile(ctx context.Context, slug string, file uuid.UUID) (File, io.ReadSeekCloser, error) {
	return s.openFile(ctx, sqlPublicFile, s.today(), false, s.Clock.Now(), slug, file)
}

// StaffFile opens a file of any version that was published; for editors, of any
// version. Errors: ErrUnknownFile.
func (s *Service) StaffFile(ctx context.Context, by Staff, article, file uuid.UUID) (File, io.ReadSeekCloser, error) {
	return s.openFile(ctx, sqlStaffFile, article, file, by.mayEdit() == nil)
}

func (s *Service) openFile(ctx context.Context, sql string, args ...any) (File, io.ReadSeekCloser, error) {
	if s.Blob == nil {
		return File{}, nil, ErrNoFiles
	}
	rows, err := s.Pool.Query(ctx, sql, args...)
	f, err := one(rows, err, scanFile)
	if errors.Is(err, ErrNotFound) {
		return f, nil, ErrUnknownFile
	}
	if err != nil {
		return f, nil, err
	}
	r, err := s.Blob.Open(ctx, f.blob)
	if errors.Is(err, blob.ErrNotFound) {
		return f, nil, ErrUnknownFile.Wrap(err)
	}
	return f, r, err
}
