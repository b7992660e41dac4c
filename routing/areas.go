package routing

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Errors of the area operations.
var (
	ErrAreaNotFound  = errs.New(errs.NotFound, "routing.area_not_found", "there is no such area")
	ErrAreaCodeTaken = errs.New(errs.Conflict, "routing.area_code_taken", "another area has this code").On("code")
	ErrAreaBelow     = errs.New(errs.Conflict, "routing.area_has_children", "active areas lie in this one; deactivate those first")
	// ErrAreaGeometry carries what is wrong as reason.
	ErrAreaGeometry = errs.New(errs.Invalid, "routing.area_geometry_invalid", "the outline is not a GeoJSON Polygon or MultiPolygon").On("geometry")

	errAreaParent = errs.New(errs.Invalid, "routing.area_parent_invalid", "an area lies in a larger, active one; only the whole jurisdiction lies in none").On("parent")
	errAreaLevel  = errs.New(errs.Invalid, "routing.area_level_invalid", "this level does not exist").On("level")

	areaLevels = []string{"nation", "province", "city", "district", "street", "community"}
)

// MaxGeometry is how large the outline of one area may be, in bytes.
const MaxGeometry = 2 << 20

// AreaLevels lists the levels from the largest down.
func AreaLevels() []string { return slices.Clone(areaLevels) }

// AreaFields are what an administrator enters. The code is fixed: the catalogue and tickets name it.
type AreaFields struct {
	Code   string
	Parent string
	Level  string
	Names  Names
	// Geometry is GeoJSON: a Polygon or MultiPolygon, a Feature of one, or a FeatureCollection with exactly one. Empty keeps what there is.
	Geometry json.RawMessage
}

func (f *AreaFields) check(s *Snapshot) (err error) {
	if f.Names, err = s.checkNames(f.Names); err != nil {
		return err
	}
	level := slices.Index(areaLevels, f.Level)
	if level < 0 {
		return errAreaLevel
	}
	up, ok := s.areas[f.Parent]
	top := !ok && !slices.ContainsFunc(s.Areas(), func(a Area) bool { return a.Parent == "" && a.Code != f.Code })
	if f.Parent == "" && !top || f.Parent != "" && (!ok || !up.Active || f.Parent == f.Code || slices.Index(areaLevels, up.Level) >= level) {
		return errAreaParent
	}
	for _, a := range s.areas {
		if a.Parent == f.Code && f.Code != "" && slices.Index(areaLevels, a.Level) <= level {
			return errAreaLevel
		}
	}
	if len(f.Geometry) > 0 {
		if f.Geometry, err = OutlineOf(f.Geometry); err != nil {
			return err
		}
	}
	return nil
}

// OutlineOf takes the geometry out of a GeoJSON file and checks it. Errors: ErrAreaGeometry with the reason.
func OutlineOf(raw json.RawMessage) (json.RawMessage, error) {
	bad := func(err error) error {
		reason := outlineType
		_ = errors.As(err, &reason) // otherwise it is no polygon
		return ErrAreaGeometry.With("reason", string(reason)).Wrap(err)
	}
	if len(raw) > MaxGeometry {
		return nil, bad(outlineTooLarge)
	}
	var file struct {
		Type     string            `json:"type"`
		Geometry json.RawMessage   `json:"geometry"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, bad(outlineNotJSON)
	}
	switch file.Type {
	case "FeatureCollection":
		if len(file.Features) != 1 {
			return nil, bad(outlineMany)
		}
		return OutlineOf(file.Features[0])
	case "Feature":
		return OutlineOf(file.Geometry)
	}
	if _, err := parseGeometry(raw); err != nil {
		return nil, bad(err)
	}
	return raw, nil
}

const (
	sqlLockArea   = `select version from areas where code = $1 for update`
	sqlAddArea    = `insert into areas (code, parent, level, names, geometry) values ($1, nullif($2, ''), $3, $4, $5)`
	sqlUpdateArea = `update areas set parent = nullif($2, ''), level = $3, names = $4, geometry = coalesce($5, geometry), version = version + 1 where code = $1`
	sqlAreaActive = `update areas set active = $2, version = version + 1 where code = $1`
	sqlGeometry   = `select geometry from areas where code = $1`
)

// CreateArea adds an active area. Errors: forbidden, invalid fields, ErrAreaGeometry, ErrAreaCodeTaken.
func (s *Service) CreateArea(ctx context.Context, by db.Actor, f AreaFields) error {
	if err := mayChange(by); err != nil {
		return err
	}
	if f.Code = strings.TrimSpace(f.Code); !agencyCode.MatchString(f.Code) {
		return errRefCode
	}
	return s.change(ctx, by, f.check, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlAddArea, f.Code, f.Parent, f.Level, f.Names, orNull(f.Geometry))
		if db.Violates(err, "areas_pkey") {
			return ErrAreaCodeTaken
		}
		return err
	})
}

// UpdateArea changes an area; without a Geometry its outline stays.
// Errors: forbidden, invalid fields, ErrAreaGeometry, ErrAreaNotFound, ErrReferenceStale.
func (s *Service) UpdateArea(ctx context.Context, by db.Actor, version int, f AreaFields) error {
	if err := mayChange(by); err != nil {
		return err
	}
	return s.changeRow(ctx, by, sqlLockArea, f.Code, version, ErrAreaNotFound, f.check, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlUpdateArea, f.Code, f.Parent, f.Level, f.Names, orNull(f.Geometry))
		return err
	})
}

// SetAreaActive takes an area out of use or back into it: no place is found in an inactive one.
// Errors: forbidden, ErrAreaNotFound, ErrReferenceStale, ErrAreaBelow.
func (s *Service) SetAreaActive(ctx context.Context, by db.Actor, code string, version int, active bool) error {
	check := func(snap *Snapshot) error {
		for _, a := range snap.areas {
			if !active && a.Active && a.Parent == code {
				return ErrAreaBelow
			}
		}
		return nil
	}
	return s.changeRow(ctx, by, sqlLockArea, code, version, ErrAreaNotFound, check, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlAreaActive, code, active)
		return err
	})
}

// AreaGeometry is the outline of an area as GeoJSON, nil when it has none. Errors: ErrAreaNotFound.
func (s *Service) AreaGeometry(ctx context.Context, code string) (json.RawMessage, error) {
	var raw json.RawMessage
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error { return tx.QueryRow(ctx, sqlGeometry, code).Scan(&raw) })
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrAreaNotFound
	}
	return raw, err
}

func orNull(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return nil
	}
	return raw
}
