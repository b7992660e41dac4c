package routing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb/planar"

	"hotline/internal/db"
	"hotline/routing/rules"
)

const (
	sqlRevision     = `select revision from routing_revision`
	sqlJurisdiction = `select code, names, timezone, languages, phone, settings, version from jurisdictions order by code limit 1`
	sqlAgencies     = `select ` + agencyColumns + ` from agencies order by cardinality(ancestors), code`
	sqlAreas        = `select code, coalesce(parent, ''), level, names, geometry, active, version from areas order by code`
	sqlCats         = `
		select code, coalesce(parent, ''), names, kinds, urgency, confidential, description, keywords, examples, active, version
		from categories order by code`
	sqlItems = `
		select code, names, agency_id, coalesce(category, ''), coalesce(area, ''), summary, channels, life_event, url, active, version
		from service_items order by code`
	sqlPublished = `select version from catalogue_versions where state = 'published'`
	sqlEntries   = `
		select category, coalesce(service_item, ''), coalesce(area, ''), lead, co, urgency
		from catalogue_entries where version = $1 order by position`
)

// load reads one consistent state. What is broken in a single row, such as a
// polygon, is logged and left out: the rest of the city still has its routing.
func load(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger, before *Snapshot) (*Snapshot, error) {
	s := &Snapshot{areas: make(map[string]Area)}
	src := rules.Source{Policy: rules.DefaultPolicy}
	geometries := make(map[string]json.RawMessage)
	err := db.ReadTx(ctx, pool, db.System(), func(tx db.Tx) error {
		// One state for all statements: the rows refer to each other.
		if _, err := tx.Exec(ctx, `set transaction isolation level repeatable read`); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlRevision).Scan(&s.revision); err != nil {
			return err
		}
		j := &s.jurisdiction
		err := tx.QueryRow(ctx, sqlJurisdiction).Scan(&j.Code, &j.Names, &j.Timezone, &j.Languages, &j.Phone, &j.Settings, &j.Version)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if s.agencies, err = collect(ctx, tx, sqlAgencies, scanAgency); err != nil {
			return err
		}
		areas, err := collect(ctx, tx, sqlAreas, func(r pgx.CollectableRow) (a Area, err error) {
			var raw json.RawMessage
			err = r.Scan(&a.Code, &a.Parent, &a.Level, &a.Names, &raw, &a.Active, &a.Version)
			if len(raw) > 0 && a.Active {
				geometries[a.Code] = raw
			}
			return a, err
		})
		if err != nil {
			return err
		}
		for _, a := range areas {
			s.areas[a.Code] = a
			src.Areas = append(src.Areas, rules.Area{Code: a.Code, Parent: a.Parent})
		}
		if s.categories, err = collect(ctx, tx, sqlCats, func(r pgx.CollectableRow) (c Category, err error) {
			err = r.Scan(&c.Code, &c.Parent, &c.Names, &c.Kinds, &c.Urgency, &c.Confidential, &c.Description, &c.Keywords, &c.Examples, &c.Active, &c.Version)
			return c, err
		}); err != nil {
			return err
		}
		if s.items, err = collect(ctx, tx, sqlItems, func(r pgx.CollectableRow) (i ServiceItem, err error) {
			err = r.Scan(&i.Code, &i.Names, &i.Agency, &i.Category, &i.Area, &i.Summary, &i.Channels, &i.LifeEvent, &i.URL, &i.Active, &i.Version)
			return i, err
		}); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlPublished).Scan(&src.Version); errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		src.Entries, err = collect(ctx, tx, sqlEntries, scanEntry, src.Version)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("routing: load: %w", err)
	}
	s.index()
	s.readPolicy(&src.Policy, log)
	s.addShapes(geometries, log)
	for _, a := range s.agencies {
		src.Agencies = append(src.Agencies, rules.Agency{ID: a.ID, Code: a.Code, Active: a.Active})
	}
	for _, c := range s.categories {
		src.Categories = append(src.Categories, rules.Category{
			Code: c.Code, Parent: c.Parent, Kinds: c.Kinds, Urgency: c.Urgency, Confidential: c.Confidential, Active: c.Active,
		})
	}
	for _, i := range s.items {
		src.Items = append(src.Items, rules.ServiceItem{Code: i.Code, Agency: i.Agency, Category: i.Category, Active: i.Active})
	}
	s.catalogue = rules.NewCatalogue(src)
	s.untrained = !s.adopt(before)
	return s, nil
}

func collect[T any](ctx context.Context, tx db.Tx, sql string, scan pgx.RowToFunc[T], args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

func scanAgency(r pgx.CollectableRow) (a Agency, err error) {
	err = r.Scan(&a.ID, &a.Code, &a.Parent, &a.Ancestors, &a.Names, &a.Kind, &a.Area, &a.Phone, &a.Hours, &a.Active, &a.Version, &a.CreatedAt, &a.Jurisdiction, &a.Counter)
	return a, err
}

func scanEntry(r pgx.CollectableRow) (e Entry, err error) {
	var co []uuid.UUID
	err = r.Scan(&e.Category, &e.ServiceItem, &e.Area, &e.Lead, &co, &e.Urgency)
	e.Co = co
	return e, err
}

// readPolicy takes settings.routing of the jurisdiction over the default.
func (s *Snapshot) readPolicy(p *rules.Policy, log *slog.Logger) {
	settings := struct {
		Routing *rules.Policy `json:"routing"`
	}{p}
	if len(s.jurisdiction.Settings) == 0 {
		return
	}
	standard := *p
	if err := json.Unmarshal(s.jurisdiction.Settings, &settings); err != nil ||
		!(p.AutoThreshold >= 0 && p.AutoThreshold <= 1 && p.TieMargin >= 0 && p.TieMargin <= 1) {
		*p = standard
		log.Warn("routing settings of the jurisdiction are not usable; the default policy holds", "error", err)
	}
}

func (s *Snapshot) addShapes(geometries map[string]json.RawMessage, log *slog.Logger) {
	for code, raw := range geometries {
		polygons, err := parseGeometry(raw)
		if err != nil {
			log.Warn("an area has no usable geometry; no place will be found in it", "area", code, "error", err)
			continue
		}
		depth := 0
		for up := s.areas[code].Parent; up != "" && depth < 16; up = s.areas[up].Parent {
			depth++
		}
		s.shapes = append(s.shapes, shape{code, polygons.Bound(), polygons, depth, planar.Area(polygons)})
	}
}
