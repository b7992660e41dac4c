package knowledge

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/db"
)

// querier is a transaction or the pool: articles carry no row-level security,
// so a single statement needs no transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

var (
	_ querier = (*pgxpool.Pool)(nil)
	_ querier = db.Tx(nil)
)

const articleColumns = `a.id, coalesce(a.external_id, ''), a.key, a.lang, a.slug, a.topic, a.owner_id, a.audience, a.disputed, a.services,
	coalesce(a.live, 0), a.latest, a.helpful, a.unhelpful, a.created_at, a.updated_at, coalesce(a.review_months, 0), a.review_by, a.confirmed_at, a.source_id`

func (a *Article) fields(owner, source **uuid.UUID) []any {
	return []any{&a.ID, &a.ExternalID, &a.Key, &a.Lang, &a.Slug, &a.Topic, owner, &a.Audience, &a.Disputed, &a.Services,
		&a.Live, &a.Latest, &a.Helpful, &a.Unhelpful, &a.CreatedAt, &a.UpdatedAt, &a.ReviewMonths, &a.ReviewBy, &a.ConfirmedAt, source}
}

const versionColumns = `v.article_id, v.version, v.state, v.edit, v.author_id, v.reviewer_id, v.review_note, v.created_at, v.published_at,
	v.title, v.summary, v.body, v.keywords, v.questions, v.valid_from, v.valid_to, v.form, v.audience, v.publish_at, v.expire_at, coalesce(v.restored_from, 0), coalesce(v.based_on, 0), v.files`

func (v *Version) fields(author, reviewer **uuid.UUID) []any {
	return []any{&v.Article, &v.Number, &v.State, &v.Edit, author, reviewer, &v.ReviewNote, &v.CreatedAt, &v.PublishedAt,
		&v.Title, &v.Summary, &v.Body, &v.Keywords, &v.Questions, &v.ValidFrom, &v.ValidTo, &v.Form, &v.Audience, &v.PublishAt, &v.ExpireAt, &v.Restored, &v.BasedOn, &v.Files}
}

func value(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}

func scanArticle(row pgx.CollectableRow) (Article, error) {
	var a Article
	var owner, source *uuid.UUID
	err := row.Scan(a.fields(&owner, &source)...)
	a.Owner, a.Source = value(owner), value(source)
	return a, err
}

func scanVersion(row pgx.CollectableRow) (Version, error) {
	var v Version
	var author, reviewer *uuid.UUID
	err := row.Scan(v.fields(&author, &reviewer)...)
	v.Author, v.Reviewer = value(author), value(reviewer)
	return v, err
}

// Entry is an article with one of its versions.
type Entry struct {
	Article Article
	Version Version
}

func scanEntry(row pgx.CollectableRow) (Entry, error) {
	var e Entry
	var owner, source, author, reviewer *uuid.UUID
	err := row.Scan(append(e.Article.fields(&owner, &source), e.Version.fields(&author, &reviewer)...)...)
	e.Article.Owner, e.Article.Source, e.Version.Author, e.Version.Reviewer = value(owner), value(source), value(author), value(reviewer)
	return e, err
}

// one collects a single row. Errors: ErrNotFound.
func one[T any](rows pgx.Rows, err error, scan pgx.RowToFunc[T]) (T, error) {
	var zero T
	if err != nil {
		return zero, err
	}
	v, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return zero, ErrNotFound
	}
	return v, err
}

const sqlArticle = `select ` + articleColumns + ` from articles a where a.id = $1`

func articleByID(ctx context.Context, q querier, id uuid.UUID) (Article, error) {
	rows, err := q.Query(ctx, sqlArticle, id)
	return one(rows, err, scanArticle)
}

const sqlArticleForUpdate = sqlArticle + ` for update`

func lockArticle(ctx context.Context, tx db.Tx, id uuid.UUID) (Article, error) {
	rows, err := tx.Query(ctx, sqlArticleForUpdate, id)
	return one(rows, err, scanArticle)
}

const sqlVersion = `select ` + versionColumns + ` from article_versions v where v.article_id = $1 and v.version = $2`

func versionByNumber(ctx context.Context, q querier, id uuid.UUID, number int) (Version, error) {
	rows, err := q.Query(ctx, sqlVersion, id, number)
	return one(rows, err, scanVersion)
}

const sqlVersions = `select ` + versionColumns + ` from article_versions v where v.article_id = $1 order by v.version desc`

// servable is the condition under which an article may be shown: $1 the
// jurisdiction's day, $2 whether staff asks, $3 the moment.
const servable = `v.state = 'published' and not a.disputed and ($2 or a.audience = 'public')
	and (v.valid_from is null or v.valid_from <= $1) and (v.valid_to is null or v.valid_to >= $1) and (v.expire_at is null or v.expire_at > $3)`

const sqlFromLive = ` from articles a join article_versions v on v.article_id = a.id and v.version = a.live where ` + servable

const (
	sqlServable = `select ` + articleColumns + `, ` + versionColumns + sqlFromLive + ` and a.id = any($4)`
	// sqlServableVersions reads no texts.
	sqlServableVersions = `select a.id, v.version` + sqlFromLive + ` and a.id = any($4)`
	sqlServableBySlug   = `select ` + articleColumns + `, ` + versionColumns + sqlFromLive + ` and a.slug = $4`
	sqlInCheck          = `select exists (select from articles where slug = $1 and disputed and live is not null and audience = 'public')`
	sqlTranslations     = `select ` + articleColumns + `, ` + versionColumns + sqlFromLive + ` and a.key = $4 and a.key <> '' order by a.lang, a.id`
	sqlByService        = `select ` + articleColumns + `, ` + versionColumns + sqlFromLive + ` and a.lang = $5 and $4 = any(a.services) order by a.helpful desc, a.id limit 20`
)

func (s *Service) servables(ctx context.Context, sql string, staff bool, args ...any) ([]Entry, error) {
	rows, err := s.Pool.Query(ctx, sql, append([]any{s.today(), staff, s.Clock.Now()}, args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanEntry)
}

// Rebuilding walks the published articles by id. Those not valid yet, or
// disputed, are indexed too: they may become servable without another change.
const sqlIndexable = `select ` + articleColumns + `, ` + versionColumns + `
	from articles a join article_versions v on v.article_id = a.id and v.version = a.live
	where a.id > $1 order by a.id limit $2`

const sqlIndexableByIDs = `select ` + articleColumns + `, ` + versionColumns + `
	from articles a join article_versions v on v.article_id = a.id and v.version = a.live where a.id = any($1)`

const sqlChangedSince = `select id, updated_at from articles where updated_at > $1 order by updated_at desc, id limit $2`

const sqlInsertArticle = `insert into articles (id, external_id, key, lang, slug, topic, owner_id, audience, services, created_at, updated_at, live, source_id, review_months)
	values ($1, nullif($2, ''), $3, $4, $5, $6, $7, $8, $9, $10, $10, nullif($11, 0), $12, nullif($13, 0))`

const sqlInsertVersion = `insert into article_versions
	(article_id, version, state, edit, author_id, title, summary, body, keywords, questions, valid_from, valid_to, created_at, published_at, form, audience, restored_from, based_on, files)
	values ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, nullif($16, 0), nullif($17, 0), $18)`

// insertEntries writes new articles with their first versions in one round
// trip. Errors: ErrSlugTaken, ErrUnknownOwner, ErrStale.
func insertEntries(ctx context.Context, tx db.Tx, entries ...Entry) error {
	b := &pgx.Batch{}
	for _, e := range entries {
		a := e.Article
		b.Queue(sqlInsertArticle, a.ID, a.ExternalID, a.Key, a.Lang, a.Slug, a.Topic, optional(a.Owner), a.Audience, list(a.Services), a.CreatedAt, a.Live, optional(a.Source), a.ReviewMonths)
		b.Queue(sqlInsertVersion, versionValues(e.Version)...)
	}
	return articleError(tx.SendBatch(ctx, b).Close())
}

func versionValues(v Version) []any {
	return []any{v.Article, v.Number, v.State, optional(v.Author), v.Title, v.Summary, v.Body,
		list(v.Keywords), list(v.Questions), v.ValidFrom, v.ValidTo, v.CreatedAt, v.PublishedAt, v.Form, v.Audience, v.Restored, v.BasedOn, ids(v.Files)}
}

const sqlUpdateArticle = `update articles set key = $2, topic = $3, owner_id = $4, services = $5, slug = $6, updated_at = $7, review_months = nullif($8, 0), review_by = $9 where id = $1`

func updateArticle(ctx context.Context, tx db.Tx, a Article) error {
	_, err := tx.Exec(ctx, sqlUpdateArticle, a.ID, a.Key, a.Topic, optional(a.Owner), list(a.Services), a.Slug, a.UpdatedAt, a.ReviewMonths, a.ReviewBy)
	return articleError(err)
}

func articleError(err error) error {
	switch {
	case err == nil:
		return nil
	case db.Violates(err, "articles_slug_key"):
		return ErrSlugTaken.On("slug").Wrap(err)
	case db.Violates(err, "articles_owner_id_fkey"):
		return ErrUnknownOwner.On("owner").Wrap(err)
	case db.Violates(err, "articles_external_id_key"):
		return ErrStale.Wrap(err)
	}
	return fmt.Errorf("write article: %w", err)
}

func insertVersion(ctx context.Context, tx db.Tx, v Version) error {
	_, err := tx.Exec(ctx, sqlInsertVersion, versionValues(v)...)
	if db.Violates(err, "article_versions_pkey") {
		return ErrStale.Wrap(err)
	}
	return err
}

const sqlUpdateDraft = `update article_versions set title = $3, summary = $4, body = $5, keywords = $6, questions = $7,
	valid_from = $8, valid_to = $9, author_id = $10, form = $11, audience = $12, edit = edit + 1 where article_id = $1 and version = $2`

func updateDraft(ctx context.Context, tx db.Tx, v Version) error {
	_, err := tx.Exec(ctx, sqlUpdateDraft, v.Article, v.Number, v.Title, v.Summary, v.Body, list(v.Keywords), list(v.Questions), v.ValidFrom, v.ValidTo, optional(v.Author), v.Form, v.Audience)
	return err
}

const sqlSetState = `update article_versions set state = $3, reviewer_id = coalesce($4, reviewer_id), review_note = $5,
	published_at = $6, publish_at = $7, expire_at = $8, edit = edit + 1 where article_id = $1 and version = $2`

// setState writes the state of a version with what belongs to it; the reviewer
// stays where none is named.
func setState(ctx context.Context, tx db.Tx, v Version, reviewer *uuid.UUID) error {
	_, err := tx.Exec(ctx, sqlSetState, v.Article, v.Number, v.State, reviewer, v.ReviewNote, v.PublishedAt, v.PublishAt, v.ExpireAt)
	return err
}

const sqlSetLive = `update articles set live = nullif($2, 0), latest = $3, disputed = $4, updated_at = $5, audience = $6 where id = $1`

func setLive(ctx context.Context, tx db.Tx, a Article) error {
	_, err := tx.Exec(ctx, sqlSetLive, a.ID, a.Live, a.Latest, a.Disputed, a.UpdatedAt, a.Audience)
	return err
}

func ids(s []uuid.UUID) []uuid.UUID {
	if s == nil {
		return []uuid.UUID{}
	}
	return s
}

// list keeps NULL out of array columns.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
