package knowledge

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/decision"
)

// plain: a new article of it needs nothing but two rows.
func (i Import) plain() bool {
	return i.Slug == "" && i.Owner == "" && len(i.Files) == 0 && i.ValidFrom == nil && i.ValidTo == nil
}

// importNew makes the article of a line whose id is new.
func (s *Service) importNew(ctx context.Context, tx db.Tx, by Staff, in Import, text Text, head Article, o ImportOptions, created *[]Entry, blobs *[]string) (*Entry, string, error, error) {
	e, refused := s.newEntry(by, head, text)
	if refused != nil {
		return nil, "", refused, nil
	}
	if in.plain() {
		// What cannot collide and waits for nothing is written with the others of
		// its batch in one round trip.
		if !o.Draft {
			e.Article.Live, e.Version.State, e.Version.PublishedAt = 1, Published, &e.Version.CreatedAt
		}
		*created = append(*created, e)
		return &e, ImportCreated, nil, nil
	}
	refused, err := try(ctx, tx, func(tx db.Tx) error {
		if err := insertEntries(ctx, tx, e); err != nil {
			return err
		}
		if len(in.Files) > 0 {
			if err := s.importFiles(ctx, tx, by, in, &e, blobs); err != nil {
				return err
			}
		}
		if o.Draft {
			return nil
		}
		return s.approve(ctx, tx, by, &e, When{})
	})
	return &e, ImportCreated, refused, err
}

// importFiles brings the files of the draft in line with those of the source; what is there already, by its bytes, is not stored again.
func (s *Service) importFiles(ctx context.Context, tx db.Tx, by Staff, in Import, e *Entry, blobs *[]string) error {
	if len(in.Files) > MaxFiles {
		return ErrTooManyFiles.With("limit", MaxFiles)
	}
	have, err := s.filesIn(ctx, tx, e.Version.Files)
	if err != nil {
		return err
	}
	want := []uuid.UUID{}
	for _, file := range in.Files {
		data, err := file.Open()
		if err != nil {
			return ErrUnknownFile.On("files").Wrap(err)
		}
		sum := sha256.Sum256(data)
		at := slices.IndexFunc(have, func(f File) bool { return bytes.Equal(f.Sum, sum[:]) && !slices.Contains(want, f.ID) })
		if at >= 0 {
			want = append(want, have[at].ID)
			continue
		}
		f, err := s.keep(ctx, e.Article.ID, file.Name, data)
		if err != nil {
			return err
		}
		*blobs = append(*blobs, f.blob)
		// Cleaning may change the bytes: what they became may be there.
		at = slices.IndexFunc(have, func(h File) bool { return bytes.Equal(h.Sum, f.Sum) && !slices.Contains(want, h.ID) })
		if at >= 0 {
			want = append(want, have[at].ID)
			continue
		}
		if err := s.insertFile(ctx, tx, by, f); err != nil {
			return err
		}
		want = append(want, f.ID)
	}
	if slices.Equal(want, e.Version.Files) {
		return nil
	}
	return s.setFiles(ctx, tx, by, e, want)
}

func (s *Service) filesIn(ctx context.Context, q querier, ids []uuid.UUID) ([]File, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := q.Query(ctx, sqlFiles, ids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanFile)
}

// importChange brings a known article up to the line.
func (s *Service) importChange(ctx context.Context, tx db.Tx, by Staff, in Import, text Text, head Article, e Entry, o ImportOptions, blobs *[]string) (changed *Entry, what string, refused, err error) {
	if text, refused = text.normalize(); refused != nil {
		return nil, "", refused, nil
	}
	if e.Version.State == InReview || e.Version.State == Scheduled || e.Version.State == Drafted && (e.Article.Live != 0 || e.Version.Author != by.Actor.User()) {
		return nil, "", ErrImportBusy, nil
	}
	// What a line cannot say stays.
	was := e.Version.Text
	if in.ValidFrom == nil {
		text.ValidFrom = was.ValidFrom
	}
	if in.ValidTo == nil {
		text.ValidTo = was.ValidTo
	}
	if in.Form == nil {
		text.Form = was.Form
	}
	if text.Audience == "" {
		text.Audience = was.Audience
	}
	next := e.Article
	next.Key, next.Topic = cmp.Or(head.Key, next.Key), cmp.Or(head.Topic, next.Topic)
	if head.Slug != "" {
		next.Slug = head.Slug
	}
	if in.Owner != "" {
		next.Owner = head.Owner
	}
	if in.Services != nil {
		next.Services = in.Services
	}
	if next, refused = next.normalize(text.Title); refused != nil {
		return nil, "", refused, nil
	}
	if !by.owns(next) {
		return nil, "", ErrNotOwner, nil
	}
	e.Article.UpdatedAt = s.Clock.Now()
	next.UpdatedAt = e.Article.UpdatedAt
	started := e.Version.Number
	edit := e.Version.Edit
	headChanged := !slices.Equal(next.Services, e.Article.Services) || next.Key != e.Article.Key || next.Topic != e.Article.Topic || next.Owner != e.Article.Owner || next.Slug != e.Article.Slug
	settled := e.Version.State == Published || o.Draft && e.Version.State == Drafted
	refused, err = try(ctx, tx, func(tx db.Tx) error {
		if headChanged {
			if err := updateArticle(ctx, tx, next); err != nil {
				return err
			}
			live, latest := e.Article.Live, e.Article.Latest
			e.Article = next
			e.Article.Live, e.Article.Latest = live, latest
		}
		if !settled || !was.same(text) {
			if err := s.save(ctx, tx, by, &e, text); err != nil {
				return err
			}
		}
		if in.Files != nil {
			if err := s.importFiles(ctx, tx, by, in, &e, blobs); err != nil {
				return err
			}
		}
		if o.Draft || settled && e.Version.Number == started && e.Version.Edit == edit {
			return nil
		}
		return s.approve(ctx, tx, by, &e, When{})
	})
	if refused != nil || err != nil {
		return nil, "", refused, err
	}
	if !headChanged && e.Version.Number == started && e.Version.Edit == edit {
		return nil, ImportUnchanged, nil, nil
	}
	return &e, ImportUpdated, nil, nil
}

// text is what a line says. Errors: ErrImportDay; the form's.
func (i Import) text() (Text, error) {
	t := Text{Title: i.Title, Summary: i.Summary, Body: i.Body, Keywords: i.Keywords, Questions: i.Questions, Audience: i.Audience}
	for _, day := range []struct {
		name string
		from *string
		to   **time.Time
	}{{"valid_from", i.ValidFrom, &t.ValidFrom}, {"valid_to", i.ValidTo, &t.ValidTo}} {
		if day.from == nil || *day.from == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, *day.from)
		if err != nil {
			return t, ErrImportDay.On(day.name).Wrap(err)
		}
		*day.to = &at
	}
	if i.Form != nil {
		form, wrong := decision.Parse(*i.Form)
		if len(wrong) > 0 {
			return t, wrong[0]
		}
		t.Form = form
	}
	return t, nil
}

func sameDay(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

func source(f *decision.Form) string {
	if f == nil {
		return ""
	}
	return f.Source
}

func (t Text) same(o Text) bool {
	return t.Title == o.Title && t.Audience == o.Audience && t.Summary == o.Summary && t.Body == o.Body &&
		slices.Equal(t.Keywords, o.Keywords) && slices.Equal(t.Questions, o.Questions) && sameDay(t.ValidFrom, o.ValidFrom) && sameDay(t.ValidTo, o.ValidTo) &&
		source(t.Form) == source(o.Form)
}
