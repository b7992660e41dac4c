package knowledge

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const sqlExport = `select ` + articleColumns + `, ` + versionColumns + ` from articles a join article_versions v on v.article_id = a.id and v.version = coalesce(a.live, a.latest)
	where a.id > $1 and ($2 or a.live is not null) and ($3::uuid is null or a.owner_id = $3) order by a.id limit 200`

// Export gives all articles one after another, with their published version, or
// with drafts the latest of those that have none; owner uuid.Nil is every
// agency. An article that has no id of an import gets its own. It reads pages of
// 200, so memory does not grow with the knowledge base. Errors: the database's;
// io.EOF at the end.
func (s *Service) Export(ctx context.Context, owner uuid.UUID, drafts bool) (next func() (Import, error), err error) {
	codes, err := s.agencyCodes(ctx)
	if err != nil {
		return nil, err
	}
	agency := make(map[uuid.UUID]string, len(codes))
	for code, id := range codes {
		agency[id] = code
	}
	var page []Entry
	after, over := uuid.Nil, false
	return func() (Import, error) {
		if len(page) == 0 && !over {
			rows, err := s.Pool.Query(ctx, sqlExport, after, drafts, optional(owner))
			if err != nil {
				return Import{}, err
			}
			if page, err = pgx.CollectRows(rows, scanEntry); err != nil {
				return Import{}, err
			}
			over = len(page) < 200
		}
		if len(page) == 0 {
			return Import{}, io.EOF
		}
		e := page[0]
		page, after = page[1:], e.Article.ID
		return s.exported(ctx, e, agency)
	}, nil
}

func (s *Service) exported(ctx context.Context, e Entry, agency map[uuid.UUID]string) (Import, error) {
	a, v := e.Article, e.Version
	day := func(t *time.Time) *string {
		d := ""
		if t != nil {
			d = t.Format(time.DateOnly)
		}
		return &d
	}
	form := source(v.Form)
	in := Import{ID: a.ExternalID, Lang: a.Lang, Key: a.Key, Slug: a.Slug, Topic: a.Topic, Owner: agency[a.Owner], Audience: v.Audience, Services: list(a.Services), ValidFrom: day(v.ValidFrom),
		ValidTo: day(v.ValidTo), Title: v.Title, Summary: v.Summary, Body: v.Body, Keywords: v.Keywords, Questions: v.Questions, Form: &form, Files: []ImportFile{}}
	if in.ID == "" {
		in.ID = a.ID.String()
	}
	files, err := s.Files(ctx, v.Files)
	if err != nil {
		return in, err
	}
	for _, f := range files {
		in.Files = append(in.Files, ImportFile{Name: f.Name, Open: func() ([]byte, error) {
			if s.Blob == nil {
				return nil, ErrNoFiles
			}
			r, err := s.Blob.Open(ctx, f.blob)
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return io.ReadAll(r)
		}})
	}
	return in, nil
}
