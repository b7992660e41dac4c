package knowledge

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Errors of translations.
var (
	ErrTranslated     = errs.New(errs.Conflict, "knowledge.translated", "there is a translation into this language already")
	ErrSameLang       = errs.New(errs.Invalid, "knowledge.same_language", "a translation has another language than its original")
	ErrNotTranslation = errs.New(errs.Conflict, "knowledge.not_translation", "this article is not a translation, or its original has no such version")
)

const (
	sqlGiveKey     = `update articles set key = $2 where id = $1 and key = ''`
	sqlSetBasis    = `update article_versions set based_on = $3 where article_id = $1 and version = $2`
	sqlSameKeyLang = `select id from articles where key = $1 and key <> '' and lang = $2`
)

// Translate makes the draft of a translation: an article of its own in another
// language, with the original's text to work on, linked to the version that it
// was made from. Of a translation the original is translated. Errors:
// ErrNotEditor, ErrNotOwner, ErrNotFound, ErrLang, ErrSameLang, ErrTranslated
// with the article that there is.
func (s *Service) Translate(ctx context.Context, by Staff, original uuid.UUID, lang string) (Entry, error) {
	var e Entry
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		o, err := articleByID(ctx, tx, original)
		if err == nil && o.Source != uuid.Nil {
			o, err = articleByID(ctx, tx, o.Source)
		}
		if err == nil {
			err = by.mayChange(o)
		}
		if err == nil {
			o, err = lockArticle(ctx, tx, o.ID)
		}
		if err != nil {
			return err
		}
		head := Article{Key: o.Key, Lang: lang, Topic: o.Topic, Owner: o.Owner, Services: o.Services, Source: o.ID, ReviewMonths: o.ReviewMonths}
		if head.Key == "" {
			head.Key = o.ID.String()
			if _, err := tx.Exec(ctx, sqlGiveKey, o.ID, head.Key); err != nil {
				return err
			}
		}
		number := o.Live
		if number == 0 {
			number = o.Latest
		}
		v, err := versionByNumber(ctx, tx, o.ID, number)
		if err != nil {
			return err
		}
		if e, err = s.newEntry(by, head, v.Text); err != nil {
			return err
		}
		if e.Article.Lang == o.Lang {
			return ErrSameLang.On("lang")
		}
		rows, err := tx.Query(ctx, sqlSameKeyLang, head.Key, e.Article.Lang)
		if err != nil {
			return err
		}
		if there, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil {
			return err
		} else if len(there) > 0 {
			return ErrTranslated.With("article", there[0].String())
		}
		e.Version.BasedOn = number
		return insertEntries(ctx, tx, e)
	})
	return e, err
}

// Follow records that the latest text of a translation says what a version of
// the original says. Errors: as Save, ErrNotTranslation.
func (s *Service) Follow(ctx context.Context, by Staff, ref Ref, original int) (Entry, error) {
	return s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error {
		if e.Article.Source == uuid.Nil {
			return ErrNotTranslation
		}
		if _, err := versionByNumber(ctx, tx, e.Article.Source, original); err != nil {
			return ErrNotTranslation.Wrap(err)
		}
		e.Version.BasedOn = original
		_, err := tx.Exec(ctx, sqlSetBasis, e.Article.ID, e.Version.Number, original)
		return err
	})
}

// StillRight is Follow for what is published: the original moved on, and the
// translation is right as it is. Errors: as Follow, ErrState when nothing is
// published.
func (s *Service) StillRight(ctx context.Context, by Staff, ref Ref, original int) (Entry, error) {
	return s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error {
		switch {
		case e.Article.Source == uuid.Nil:
			return ErrNotTranslation
		case e.Article.Live == 0:
			return ErrState.With("state", string(e.Version.State))
		}
		if _, err := versionByNumber(ctx, tx, e.Article.Source, original); err != nil {
			return ErrNotTranslation.Wrap(err)
		}
		if e.Version.Number == e.Article.Live {
			e.Version.BasedOn = original
		}
		_, err := tx.Exec(ctx, sqlSetBasis, e.Article.ID, e.Article.Live, original)
		return err
	})
}

// Sibling is one language of an article.
type Sibling struct {
	Entry         // with its published version, or the latest where none is
	Original bool // the others are its translations
	Behind   bool // the original has a newer published version
}

const sqlSiblings = `select ` + articleColumns + `, ` + versionColumns + `, coalesce(v.based_on < o.live, false) from articles a
	join article_versions v on v.article_id = a.id and v.version = coalesce(a.live, a.latest) left join articles o on o.id = a.source_id
	where a.key = $1 and a.key <> '' order by a.source_id is not null, a.lang, a.id limit 100`

// Siblings lists all languages of an article, whatever their state, the
// original first.
func (s *Service) Siblings(ctx context.Context, key string) ([]Sibling, error) {
	rows, err := s.Pool.Query(ctx, sqlSiblings, key)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b Sibling, err error) {
		var owner, source, author, reviewer *uuid.UUID
		err = row.Scan(append(append(b.Article.fields(&owner, &source), b.Version.fields(&author, &reviewer)...), &b.Behind)...)
		b.Article.Owner, b.Article.Source, b.Version.Author, b.Version.Reviewer = value(owner), value(source), value(author), value(reviewer)
		b.Original = b.Article.Source == uuid.Nil
		return b, err
	})
}
