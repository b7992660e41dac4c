package routing

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Errors of the agency operations.
var (
	ErrAgencyNotFound   = errs.New(errs.NotFound, "routing.agency_not_found", "there is no such agency")
	ErrAgencyStale      = errs.New(errs.Conflict, "routing.agency_stale", "somebody else changed this agency meanwhile; look at it again")
	ErrAgencyCodeTaken  = errs.New(errs.Conflict, "routing.agency_code_taken", "another agency has this code").On("code")
	ErrAgencyHasBelow   = errs.New(errs.Conflict, "routing.agency_has_children", "active agencies stand below this one; deactivate or close them first")
	ErrAgencyIsDesk     = errs.New(errs.Conflict, "routing.agency_is_hotline", "the hotline itself and the top of the tree stay active")
	ErrAgencyParentGone = errs.New(errs.Conflict, "routing.agency_parent_inactive", "the agency above is not active").On("parent")

	errAgencyCode   = errs.New(errs.Invalid, "routing.agency_code_invalid", "a code has 2 to 64 lower-case letters, digits and hyphens").On("code")
	errAgencyName   = errs.New(errs.Invalid, "routing.agency_name_invalid", "a name in each language is needed, with at most 200 characters").On("names")
	errAgencyKind   = errs.New(errs.Invalid, "routing.agency_kind_invalid", "this kind of agency does not exist").On("kind")
	errAgencyParent = errs.New(errs.Invalid, "routing.agency_parent_invalid", "the agency above does not exist").On("parent")
	errAgencyArea   = errs.New(errs.Invalid, "routing.agency_area_invalid", "this area does not exist").On("area")
	errAgencyText   = errs.New(errs.Invalid, "routing.agency_text_too_long", "telephone and hours have at most 200 characters").On("phone")
)

// AgencyFields are what an administrator enters. Code, Parent and Kind are
// fixed once the agency exists: tickets carry the agencies above it in their
// access rows. A reorganization makes a new agency and deactivates the old one.
type AgencyFields struct {
	Code   string
	Parent uuid.UUID
	Kind   string
	Names  Names
	Area   string
	Phone  string
	Hours  Names
	// Counter: its staff take cases in for visitors, callers and letters.
	Counter bool
}

const maxText = 200 // characters

var agencyCode = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,63}$`)

// check cleans the fields that can change and judges them against the snapshot.
func (f *AgencyFields) check(s *Snapshot) error {
	names := make(Names, len(f.Names))
	for lang, name := range f.Names {
		if name = strings.TrimSpace(name); name != "" {
			names[lang] = name
		}
		if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxText {
			return errAgencyName
		}
	}
	if len(names) == 0 {
		return errAgencyName
	}
	for _, lang := range s.jurisdiction.Languages {
		if names[lang] == "" {
			return errAgencyName
		}
	}
	f.Names, f.Phone = names, strings.TrimSpace(f.Phone)
	hours := make(Names, len(f.Hours))
	for lang, words := range f.Hours {
		if words = strings.TrimSpace(words); words == "" {
			continue
		}
		if !utf8.ValidString(words) || utf8.RuneCountInString(words) > maxText {
			return errAgencyText.On("hours")
		}
		hours[lang] = words
	}
	f.Hours = hours
	if _, ok := s.areas[f.Area]; f.Area != "" && !ok {
		return errAgencyArea
	}
	if !utf8.ValidString(f.Phone) || utf8.RuneCountInString(f.Phone) > maxText {
		return errAgencyText
	}
	return nil
}

// CreateAgency adds an active agency below Parent.
// Errors: forbidden, invalid fields, ErrAgencyCodeTaken, ErrAgencyParentGone.
func (s *Service) CreateAgency(ctx context.Context, by db.Actor, f AgencyFields) (Agency, error) {
	snap := s.Snapshot()
	if err := mayChange(by); err != nil {
		return Agency{}, err
	}
	if f.Code = strings.TrimSpace(f.Code); !agencyCode.MatchString(f.Code) {
		return Agency{}, errAgencyCode
	}
	if !slices.Contains(kinds, f.Kind) || f.Kind == KindHotline && snap.desk != uuid.Nil {
		return Agency{}, errAgencyKind
	}
	if err := f.check(snap); err != nil {
		return Agency{}, err
	}
	var a Agency
	err := db.WithTx(ctx, s.pool, by, func(tx db.Tx) error {
		var ancestors []uuid.UUID
		if f.Parent != uuid.Nil || snap.root != uuid.Nil {
			var active bool
			err := tx.QueryRow(ctx, `select ancestors || id, active from agencies where id = $1 for share`, f.Parent).Scan(&ancestors, &active)
			if errors.Is(err, pgx.ErrNoRows) {
				return errAgencyParent
			}
			if err != nil {
				return err
			}
			if !active {
				return ErrAgencyParentGone
			}
		}
		var err error
		a, err = one(ctx, tx, `
			insert into agencies (id, code, parent_id, ancestors, names, kind, area_code, phone, hours, counter)
			values ($1, $2, nullif($3, '00000000-0000-0000-0000-000000000000'::uuid), $4, $5, $6, $7, $8, $9, $10)`+returningAgency,
			db.NewID(), f.Code, f.Parent, orEmpty(ancestors), f.Names, f.Kind, f.Area, f.Phone, f.Hours, f.Counter)
		if db.Violates(err, "agencies_code_key") {
			return ErrAgencyCodeTaken
		}
		return err
	})
	if err != nil {
		return Agency{}, err
	}
	s.changed(ctx)
	return a, nil
}

// UpdateAgency changes names, area, telephone, hours and the counter of version's state.
// Errors: forbidden, invalid fields, ErrAgencyNotFound, ErrAgencyStale.
func (s *Service) UpdateAgency(ctx context.Context, by db.Actor, id uuid.UUID, version int, f AgencyFields) (Agency, error) {
	if err := mayChange(by); err != nil {
		return Agency{}, err
	}
	if err := f.check(s.Snapshot()); err != nil {
		return Agency{}, err
	}
	return s.changeAgency(ctx, by, id, version, func(tx db.Tx, _ Agency) (Agency, error) {
		return one(ctx, tx, `
			update agencies set names = $2, area_code = $3, phone = $4, hours = $5, counter = $6, version = version + 1
			where id = $1`+returningAgency, id, f.Names, f.Area, f.Phone, f.Hours, f.Counter)
	})
}

// DeactivateAgency takes the agency out of routing. Its tickets and users stay;
// entries of the catalogue that name it leave the decision to a dispatcher.
// Errors: forbidden, ErrAgencyNotFound, ErrAgencyStale, ErrAgencyHasBelow,
// ErrAgencyIsDesk.
func (s *Service) DeactivateAgency(ctx context.Context, by db.Actor, id uuid.UUID, version int) (Agency, error) {
	if err := mayChange(by); err != nil {
		return Agency{}, err
	}
	return s.changeAgency(ctx, by, id, version, func(tx db.Tx, a Agency) (Agency, error) {
		if a.Desk() || a.ID == s.Snapshot().root {
			return Agency{}, ErrAgencyIsDesk
		}
		var below bool
		if err := tx.QueryRow(ctx, `select exists (select from agencies where parent_id = $1 and active)`, id).Scan(&below); err != nil {
			return Agency{}, err
		}
		if below {
			return Agency{}, ErrAgencyHasBelow
		}
		return one(ctx, tx, `update agencies set active = false, version = version + 1 where id = $1`+returningAgency, id)
	})
}

// ActivateAgency takes the agency into routing again.
// Errors: forbidden, ErrAgencyNotFound, ErrAgencyStale, ErrAgencyParentGone.
func (s *Service) ActivateAgency(ctx context.Context, by db.Actor, id uuid.UUID, version int) (Agency, error) {
	if err := mayChange(by); err != nil {
		return Agency{}, err
	}
	return s.changeAgency(ctx, by, id, version, func(tx db.Tx, a Agency) (Agency, error) {
		if a.Parent != uuid.Nil {
			var active bool
			if err := tx.QueryRow(ctx, `select active from agencies where id = $1 for share`, a.Parent).Scan(&active); err != nil {
				return Agency{}, err
			}
			if !active {
				return Agency{}, ErrAgencyParentGone
			}
		}
		return one(ctx, tx, `update agencies set active = true, version = version + 1 where id = $1`+returningAgency, id)
	})
}

// changeAgency locks the row, checks the version and lets change write it.
func (s *Service) changeAgency(ctx context.Context, by db.Actor, id uuid.UUID, version int, change func(db.Tx, Agency) (Agency, error)) (Agency, error) {
	var a Agency
	err := db.WithTx(ctx, s.pool, by, func(tx db.Tx) error {
		now, err := one(ctx, tx, `select `+agencyColumns+` from agencies where id = $1 for update`, id)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrAgencyNotFound
		}
		if err != nil {
			return err
		}
		if now.Version != version {
			return ErrAgencyStale
		}
		a, err = change(tx, now)
		return err
	})
	if err != nil {
		return Agency{}, err
	}
	s.changed(ctx)
	return a, nil
}

const (
	agencyColumns = `id, code, coalesce(parent_id, '00000000-0000-0000-0000-000000000000'), ancestors, names, kind, area_code, phone, hours, active, version, created_at, coalesce(jurisdiction, ''), counter`

	returningAgency = ` returning ` + agencyColumns
)

func one(ctx context.Context, tx db.Tx, sql string, args ...any) (Agency, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return Agency{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanAgency)
}

// orEmpty keeps a nil slice from becoming NULL.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
