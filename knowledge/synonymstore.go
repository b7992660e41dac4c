package knowledge

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Synonym is a stored group of expressions that mean the same to the search.
type Synonym struct {
	ID uuid.UUID // uuid.Nil: a new one
	SynonymGroup
	Version int // the one that was seen
}

// Limits of synonyms.
const (
	maxSynonymGroups = 5000
	maxSynonyms      = 30
)

// Errors of synonyms.
var (
	ErrSynonyms        = errs.New(errs.Invalid, "knowledge.synonyms", "a synonym group needs a language and at least two expressions")
	ErrSynonymsDesk    = errs.New(errs.Forbidden, "knowledge.synonyms_desk", "words that mean the same are kept by the hotline's editors")
	ErrSynonymsChanged = errs.New(errs.Conflict, "knowledge.synonyms_changed", "someone else changed or removed this group in the meantime")
)

const (
	sqlSynonyms     = `select lang, terms from synonym_groups order by lang, id`
	sqlListSynonyms = `select id, lang, terms, version from synonym_groups where ($1 = '' or lang = $1)
		and ($2 = '' or exists (select from unnest(terms) t where position(lower($2) in lower(t)) > 0)) and (lang, lower(terms[1]), id) > ($3, lower($4), $5)
		order by lang, lower(terms[1]), id limit $6`
	sqlSynonym       = `select id, lang, terms, version from synonym_groups where id = $1`
	sqlInsertSynonym = `insert into synonym_groups (id, lang, terms) select $1, $2, $3 where (select count(*) from synonym_groups) < $4`
	sqlUpdateSynonym = `update synonym_groups set lang = $3, terms = $4, version = version + 1 where id = $1 and version = $2`
	sqlRemoveSynonym = `delete from synonym_groups where id = $1 and version = $2`
)

// Synonyms returns all synonym groups.
func (s *Service) Synonyms(ctx context.Context) ([]SynonymGroup, error) {
	rows, err := s.Pool.Query(ctx, sqlSynonyms)
	if err != nil {
		return nil, fmt.Errorf("read synonyms: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[SynonymGroup])
}

func scanSynonym(row pgx.CollectableRow) (g Synonym, err error) {
	return g, row.Scan(&g.ID, &g.Lang, &g.Terms, &g.Version)
}

// ListSynonyms lists groups of a language, or of all with "", that have text in
// an expression, by their first one; after is the last group of the page before.
func (s *Service) ListSynonyms(ctx context.Context, lang, text string, after Synonym, limit int) ([]Synonym, error) {
	first := ""
	if len(after.Terms) > 0 {
		first = after.Terms[0]
	}
	rows, err := s.Pool.Query(ctx, sqlListSynonyms, lang, clean(text), after.Lang, first, after.ID, min(limit, 200))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanSynonym)
}

// Synonym is one group. Errors: ErrNotFound.
func (s *Service) Synonym(ctx context.Context, id uuid.UUID) (Synonym, error) {
	rows, err := s.Pool.Query(ctx, sqlSynonym, id)
	return one(rows, err, scanSynonym)
}

// maySynonyms: they are the whole installation's.
func (s Staff) maySynonyms() error {
	if err := s.mayEdit(); err != nil {
		return err
	}
	if !s.Actor.IsSystem() && !s.Actor.Desk() {
		return ErrSynonymsDesk
	}
	return nil
}

// SaveSynonym writes a group, or a new one where it has no id; every node's
// search knows it within moments. Errors: ErrNotEditor, ErrSynonymsDesk,
// ErrSynonyms, ErrSynonymsChanged.
func (s *Service) SaveSynonym(ctx context.Context, by Staff, g Synonym) error {
	if err := by.maySynonyms(); err != nil {
		return err
	}
	g.Terms = unique(cleanAll(g.Terms))
	if n := len(g.Terms); n < 2 || n > maxSynonyms || !langTag.MatchString(g.Lang) {
		return ErrSynonyms.On("terms").With("limit", maxSynonyms)
	}
	for _, t := range g.Terms {
		if utf8.RuneCountInString(t) > MaxKeyword {
			return ErrTextTooLong.On("terms").With("limit", MaxKeyword)
		}
	}
	if g.ID == uuid.Nil {
		return s.changeSynonyms(ctx, by, ErrSynonyms.With("limit", maxSynonyms), sqlInsertSynonym, db.NewID(), g.Lang, g.Terms, maxSynonymGroups)
	}
	return s.changeSynonyms(ctx, by, ErrSynonymsChanged, sqlUpdateSynonym, g.ID, g.Version, g.Lang, g.Terms)
}

// RemoveSynonym takes a group away. Errors: ErrNotEditor, ErrSynonymsDesk,
// ErrSynonymsChanged.
func (s *Service) RemoveSynonym(ctx context.Context, by Staff, id uuid.UUID, version int) error {
	if err := by.maySynonyms(); err != nil {
		return err
	}
	return s.changeSynonyms(ctx, by, ErrSynonymsChanged, sqlRemoveSynonym, id, version)
}

func (s *Service) changeSynonyms(ctx context.Context, by Staff, none error, sql string, args ...any) error {
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, sql, args...)
		if err == nil && tag.RowsAffected() == 0 {
			return none
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := s.loadSynonyms(context.WithoutCancel(ctx)); err != nil {
		s.Log.ErrorContext(ctx, "synonyms not applied", "error", err)
	}
	if s.Changed != nil {
		s.Changed("")
	}
	return nil
}

// unique drops what is there already.
func unique(list []string) []string {
	seen := map[string]bool{}
	out := list[:0]
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
