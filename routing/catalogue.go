package routing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Errors of the catalogue operations.
var (
	ErrCatalogueNotFound = errs.New(errs.NotFound, "routing.catalogue_not_found", "there is no such version of the dispatch catalogue")
	ErrCatalogueFixed    = errs.New(errs.Conflict, "routing.catalogue_published", "a published version never changes; begin a draft")
	ErrCatalogueStale    = errs.New(errs.Conflict, "routing.catalogue_stale", "someone else changed this entry in the meantime")
	ErrCatalogueEmpty    = errs.New(errs.Invalid, "routing.catalogue_empty", "a catalogue without entries cannot be published")
	// ErrCatalogueEntry carries the entry's position, from 1, and a problem:
	// category, service_item, area, lead, co, urgency or duplicate.
	ErrCatalogueEntry = errs.New(errs.Invalid, "routing.catalogue_entry_invalid", "an entry of the catalogue does not fit")

	errNoteTooLong = errs.New(errs.Invalid, "routing.catalogue_note_too_long", "a note has at most 2,000 characters").On("note")
)

const maxNote = 2000 // characters

// CatalogueVersions lists all versions, the newest first.
func (s *Service) CatalogueVersions(ctx context.Context) ([]CatalogueVersion, error) {
	var out []CatalogueVersion
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		out, err = collect(ctx, tx, `
			select v.version, v.state, v.note, v.created_at, v.published_at, (select count(*) from catalogue_entries e where e.version = v.version)
			from catalogue_versions v order by v.version desc`,
			func(r pgx.CollectableRow) (v CatalogueVersion, err error) {
				err = r.Scan(&v.Version, &v.State, &v.Note, &v.CreatedAt, &v.PublishedAt, &v.Entries)
				return v, err
			})
		return err
	})
	return out, err
}

// CatalogueEntries lists the entries of a version in their order.
// Errors: ErrCatalogueNotFound.
func (s *Service) CatalogueEntries(ctx context.Context, version int) ([]Entry, error) {
	var out []Entry
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		if _, err := catalogueState(ctx, tx, version, ""); err != nil {
			return err
		}
		var err error
		out, err = collect(ctx, tx, sqlEntries, scanEntry, version)
		return err
	})
	return out, err
}

// Draft begins a new version with the entries of the published one.
// Errors: forbidden, a note that is too long.
func (s *Service) Draft(ctx context.Context, by db.Actor, note string) (version int, err error) {
	if err := mayChange(by); err != nil {
		return 0, err
	}
	if note = strings.TrimSpace(note); !utf8.ValidString(note) || utf8.RuneCountInString(note) > maxNote {
		return 0, errNoteTooLong
	}
	err = db.WithTx(ctx, s.pool, by, func(tx db.Tx) error {
		// Two drafts begun at once would take the same number.
		if _, err := tx.Exec(ctx, `lock table catalogue_versions in share row exclusive mode`); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `
			insert into catalogue_versions (version, state, note)
			select coalesce(max(version), 0) + 1, 'draft', $1 from catalogue_versions returning version`, note).Scan(&version)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			insert into catalogue_entries (version, position, category, service_item, area, lead, co, urgency)
			select $1, e.position, e.category, e.service_item, e.area, e.lead, e.co, e.urgency
			from catalogue_entries e join catalogue_versions v using (version) where v.state = 'published'`, version)
		return err
	})
	if err != nil {
		return 0, err
	}
	s.changed(ctx)
	return version, nil
}

// SetEntries replaces the entries of a draft.
// Errors: forbidden, ErrCatalogueNotFound, ErrCatalogueFixed,
// ErrCatalogueEntry for an entry that refers to nothing.
func (s *Service) SetEntries(ctx context.Context, by db.Actor, version int, entries []Entry) error {
	if err := mayChange(by); err != nil {
		return err
	}
	if err := s.Snapshot().checkEntries(entries); err != nil {
		return err
	}
	return s.changeEntries(ctx, by, version, func([]Entry) ([]Entry, error) { return entries, nil })
}

// ChangeEntry changes what a draft says about one case: before is the entry that the caller saw, nil for a new one; after is what it becomes, nil
// to remove it. Other entries may be wrong meanwhile, an agency may have been closed: they are checked when the draft is published.
// Errors: forbidden, ErrCatalogueNotFound, ErrCatalogueFixed, ErrCatalogueStale, ErrCatalogueEntry.
func (s *Service) ChangeEntry(ctx context.Context, by db.Actor, version int, before, after *Entry) error {
	if err := mayChange(by); err != nil {
		return err
	}
	if after != nil {
		if err := s.Snapshot().checkEntries([]Entry{*after}); err != nil {
			return err
		}
	}
	return s.changeEntries(ctx, by, version, func(entries []Entry) ([]Entry, error) {
		at := len(entries)
		if before != nil {
			if at = slices.IndexFunc(entries, before.Equal); at < 0 {
				return nil, ErrCatalogueStale
			}
			entries = slices.Delete(entries, at, at+1)
		}
		if after == nil {
			return entries, nil
		}
		if slices.ContainsFunc(entries, after.SameCase) {
			return nil, ErrCatalogueEntry.With("position", at+1).With("problem", "duplicate")
		}
		return slices.Insert(entries, at, *after), nil
	})
}

// changeEntries rewrites a draft under its lock.
func (s *Service) changeEntries(ctx context.Context, by db.Actor, version int, change func([]Entry) ([]Entry, error)) error {
	return db.WithTx(ctx, s.pool, by, func(tx db.Tx) error {
		state, err := catalogueState(ctx, tx, version, " for update")
		if err != nil {
			return err
		}
		if state != "draft" {
			return ErrCatalogueFixed
		}
		entries, err := collect(ctx, tx, sqlEntries, scanEntry, version)
		if err != nil {
			return err
		}
		if entries, err = change(entries); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from catalogue_entries where version = $1`, version); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for i, e := range entries {
			batch.Queue(`
				insert into catalogue_entries (version, position, category, service_item, area, lead, co, urgency)
				values ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6, $7, $8)`,
				version, i+1, e.Category, e.ServiceItem, e.Area, e.Lead, orEmpty(e.Co), e.Urgency)
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}

// Publish puts a draft in force, retires the version before it and returns when
// this node decides by it.
// Errors: forbidden, ErrCatalogueNotFound, ErrCatalogueFixed,
// ErrCatalogueEmpty, ErrCatalogueEntry.
func (s *Service) Publish(ctx context.Context, by db.Actor, version int) error {
	if err := mayChange(by); err != nil {
		return err
	}
	err := db.WithTx(ctx, s.pool, by, func(tx db.Tx) error {
		state, err := catalogueState(ctx, tx, version, " for update")
		if err != nil {
			return err
		}
		if state != "draft" {
			return ErrCatalogueFixed
		}
		entries, err := collect(ctx, tx, sqlEntries, scanEntry, version)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return ErrCatalogueEmpty
		}
		if err := s.Snapshot().checkEntries(entries); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update catalogue_versions set state = 'retired' where state = 'published'`); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			update catalogue_versions set state = 'published', published_at = now(),
				published_by = nullif($2, '00000000-0000-0000-0000-000000000000'::uuid) where version = $1`, version, by.User())
		if db.Violates(err, "catalogue_one_published") {
			return ErrCatalogueFixed.Wrap(err) // another draft was published meanwhile
		}
		return err
	})
	if err != nil {
		return err
	}
	s.changed(ctx)
	return nil
}

// DropDraft removes a draft. Errors: forbidden, ErrCatalogueNotFound,
// ErrCatalogueFixed.
func (s *Service) DropDraft(ctx context.Context, by db.Actor, version int) error {
	if err := mayChange(by); err != nil {
		return err
	}
	return db.WithTx(ctx, s.pool, by, func(tx db.Tx) error {
		state, err := catalogueState(ctx, tx, version, " for update")
		if err != nil {
			return err
		}
		if state != "draft" {
			return ErrCatalogueFixed
		}
		_, err = tx.Exec(ctx, `delete from catalogue_versions where version = $1`, version)
		return err
	})
}

func catalogueState(ctx context.Context, tx db.Tx, version int, lock string) (state string, err error) {
	err = tx.QueryRow(ctx, `select state from catalogue_versions where version = $1`+lock, version).Scan(&state)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", ErrCatalogueNotFound
	}
	return state, err
}

// checkEntries wants every reference to lead to something active, and no two
// entries for the same case.
func (s *Snapshot) checkEntries(entries []Entry) error {
	type place struct{ category, item, area string }
	seen := make(map[place]bool, len(entries))
	activeAgency := func(id uuid.UUID) bool { a, ok := s.Agency(id); return ok && a.Active }
	for i, e := range entries {
		problem := ""
		category, okCategory := s.Category(e.Category)
		item, okItem := s.ServiceItem(e.ServiceItem)
		_, okArea := s.Area(e.Area)
		at := place{e.Category, e.ServiceItem, e.Area}
		switch {
		case !okCategory || !category.Active:
			problem = "category"
		case e.ServiceItem != "" && (!okItem || !item.Active):
			problem = "service_item"
		case e.Area != "" && !okArea:
			problem = "area"
		case !activeAgency(e.Lead):
			problem = "lead"
		case slices.ContainsFunc(e.Co, func(id uuid.UUID) bool { return id == e.Lead || !activeAgency(id) }):
			problem = "co"
		case !slices.Contains([]string{"", "normal", "urgent", "complex"}, e.Urgency):
			problem = "urgency"
		case seen[at]:
			problem = "duplicate"
		}
		if problem != "" {
			return ErrCatalogueEntry.With("position", i+1).With("problem", problem).Wrap(fmt.Errorf("entry %d: %s", i+1, problem))
		}
		seen[at] = true
	}
	return nil
}
