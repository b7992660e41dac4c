package city

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb/geojson"

	"hotline/internal/db"
)

const (
	sqlJurisdiction = `select code, names, timezone, languages, phone, settings from jurisdictions order by code limit 1`
	sqlAreas        = `select code, coalesce(parent, ''), level, names, geometry, not active from areas order by code`
	sqlAgencies     = `
		select a.id, a.code, coalesce(p.code, ''), a.names, a.kind, a.area_code, a.phone, a.hours, not a.active, a.counter
		from agencies a left join agencies p on p.id = a.parent_id order by cardinality(a.ancestors), a.kind <> 'hotline', a.created_at, a.code`
	sqlCategories = `
		select code, coalesce(parent, ''), names, kinds, urgency, confidential, description, keywords, examples, not active
		from categories order by code`
	sqlServices = `
		select s.code, s.names, a.code, coalesce(s.category, ''), coalesce(s.area, ''), s.summary, s.channels, s.life_event, s.url, not s.active
		from service_items s join agencies a on a.id = s.agency_id order by s.code`
	sqlFields    = `select category, code, names, type, choices, asked, intake, closing, position, not active from custom_fields order by category, position, code`
	sqlPublished = `select version, note from catalogue_versions where state = 'published'`
	sqlNewest    = `select coalesce(max(version), 0) from catalogue_versions`
	sqlEntries   = `select category, coalesce(service_item, ''), coalesce(area, ''), lead, co, urgency from catalogue_entries where version = $1 order by position`
	sqlSynonyms  = `select lang, terms from synonym_groups order by lang, id`
	sqlUsers     = `select lower(email) from users`
	sqlArticles  = `
		select coalesce(nullif(a.key, ''), a.slug), a.lang, a.slug, v.title, v.summary, coalesce(g.code, ''), a.topic, v.keywords, v.questions, a.services, v.valid_from, v.valid_to,
			a.audience, v.body, coalesce(v.form->>'source', '')
		from articles a join article_versions v on v.article_id = a.id and v.version = coalesce(a.live, a.latest) left join agencies g on g.id = a.owner_id
		order by a.lang, 1`
)

// state is what an installation holds, as a folder would say it.
type state struct {
	City
	ids       map[string]uuid.UUID // of agencies
	desk      string               // code of the hotline itself
	published int                  // the dispatch catalogue in force, 0 when none
	newest    int                  // its highest version, drafts too
	accounts  map[string]bool
}

// settings are the parts of a jurisdiction's settings that a folder holds.
type settings struct {
	Emergency []Emergency `json:"emergency"`
	Hours     Hours       `json:"hours"`
	Canned    []Canned    `json:"canned"`
}

func collect[T any](ctx context.Context, tx db.Tx, sql string, scan pgx.RowToFunc[T], args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

func readState(ctx context.Context, tx db.Tx) (*state, error) {
	s := &state{ids: map[string]uuid.UUID{}, accounts: map[string]bool{}}
	j := &s.Jurisdiction
	var raw json.RawMessage
	err := tx.QueryRow(ctx, sqlJurisdiction).Scan(&j.Code, &j.Names, &j.Timezone, &j.Languages, &j.Phone, &raw)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, err
	}
	if len(raw) > 0 {
		var set settings
		if err := json.Unmarshal(raw, &set); err != nil {
			return nil, err
		}
		j.Emergency, j.Hours, s.Canned = set.Emergency, set.Hours, set.Canned
	}
	if s.Areas, err = collect(ctx, tx, sqlAreas, scanArea); err != nil {
		return nil, err
	}
	s.Areas = parentsFirst(s.Areas, func(a Area) (string, string) { return a.Code, a.Parent })
	codes := map[uuid.UUID]string{}
	if s.Agencies, err = collect(ctx, tx, sqlAgencies, func(r pgx.CollectableRow) (a Agency, err error) {
		var id uuid.UUID
		err = r.Scan(&id, &a.Code, &a.Parent, &a.Names, &a.Kind, &a.Area, &a.Phone, &a.Hours, &a.Inactive, &a.Counter)
		s.ids[a.Code], codes[id] = id, a.Code
		if a.Kind == "hotline" && s.desk == "" {
			s.desk = a.Code
		}
		return a, err
	}); err != nil {
		return nil, err
	}
	if s.Categories, err = collect(ctx, tx, sqlCategories, func(r pgx.CollectableRow) (c Category, err error) {
		err = r.Scan(&c.Code, &c.Parent, &c.Names, &c.Kinds, &c.Urgency, &c.Confidential, &c.Description, &c.Keywords, &c.Examples, &c.Inactive)
		return c, err
	}); err != nil {
		return nil, err
	}
	s.Categories = parentsFirst(s.Categories, func(c Category) (string, string) { return c.Code, c.Parent })
	if s.Services, err = collect(ctx, tx, sqlServices, func(r pgx.CollectableRow) (i Service, err error) {
		err = r.Scan(&i.Code, &i.Names, &i.Agency, &i.Category, &i.Area, &i.Summary, &i.Channels, &i.LifeEvent, &i.URL, &i.Inactive)
		return i, err
	}); err != nil {
		return nil, err
	}
	if s.Fields, err = collect(ctx, tx, sqlFields, func(r pgx.CollectableRow) (f Field, err error) {
		err = r.Scan(&f.Category, &f.Code, &f.Names, &f.Type, &f.Choices, &f.Asked, &f.Intake, &f.Closing, &f.Position, &f.Inactive)
		return f, err
	}); err != nil {
		return nil, err
	}
	return s, errors.Join(s.readCatalogue(ctx, tx, codes), s.readTexts(ctx, tx))
}

func scanArea(r pgx.CollectableRow) (a Area, err error) {
	var raw json.RawMessage
	if err = r.Scan(&a.Code, &a.Parent, &a.Level, &a.Names, &raw, &a.Inactive); err != nil || len(raw) == 0 {
		return a, err
	}
	g, err := geojson.UnmarshalGeometry(raw)
	if err == nil {
		a.Geometry = g.Geometry()
	}
	return a, err
}

// readCatalogue reads the published version.
func (s *state) readCatalogue(ctx context.Context, tx db.Tx, codes map[uuid.UUID]string) error {
	if err := tx.QueryRow(ctx, sqlNewest).Scan(&s.newest); err != nil {
		return err
	}
	var note string
	err := tx.QueryRow(ctx, sqlPublished).Scan(&s.published, &note)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	s.Catalogue.Version, s.Catalogue.Names = s.published, Text{}
	for _, lang := range s.Jurisdiction.Languages {
		if s.Catalogue.Names[lang] = note; note == "" {
			s.Catalogue.Names[lang] = map[bool]string{true: "派单目录", false: "Dispatch catalogue"}[lang == "zh-CN"]
		}
	}
	s.Catalogue.Entries, err = collect(ctx, tx, sqlEntries, func(r pgx.CollectableRow) (e Entry, err error) {
		var lead uuid.UUID
		var co []uuid.UUID
		err = r.Scan(&e.Category, &e.ServiceItem, &e.Area, &lead, &co, &e.Urgency)
		e.Lead, e.Co = codes[lead], make([]string, 0, len(co))
		for _, id := range co {
			e.Co = append(e.Co, codes[id])
		}
		return e, err
	}, s.published)
	return err
}

func (s *state) readTexts(ctx context.Context, tx db.Tx) (err error) {
	if s.Synonyms, err = collect(ctx, tx, sqlSynonyms, func(r pgx.CollectableRow) (y Synonym, err error) { return y, r.Scan(&y.Lang, &y.Terms) }); err != nil {
		return err
	}
	emails, err := collect(ctx, tx, sqlUsers, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, email := range emails {
		s.accounts[email] = true
	}
	s.Articles, err = collect(ctx, tx, sqlArticles, func(r pgx.CollectableRow) (a Article, err error) {
		var from, to *time.Time
		err = r.Scan(&a.Key, &a.Lang, &a.Slug, &a.Title, &a.Summary, &a.Owner, &a.Topic, &a.Keywords, &a.Questions, &a.Services, &from, &to, &a.Audience, &a.Body, &a.Form)
		a.Body = strings.TrimSpace(a.Body) // as files are read
		if from != nil {
			a.ValidFrom = *from
		}
		if to != nil {
			a.ValidTo = *to
		}
		return a, err
	})
	return err
}

// parentsFirst orders a list so that it can be written from top to bottom. What hangs in the air comes last.
func parentsFirst[T any](list []T, key func(T) (code, parent string)) []T {
	below := map[string][]T{}
	for _, one := range list {
		_, parent := key(one)
		below[parent] = append(below[parent], one)
	}
	out := make([]T, 0, len(list))
	var grow func(parent string)
	grow = func(parent string) {
		children := below[parent]
		delete(below, parent)
		for _, one := range children {
			out = append(out, one)
			code, _ := key(one)
			grow(code)
		}
	}
	grow("")
	return out
}

// Export reads what an installation holds. Staff are left out: they are people, not reference data.
// Errors: those of the database.
func Export(ctx context.Context, pool *pgxpool.Pool) (City, error) {
	var s *state
	err := db.ReadTx(ctx, pool, db.System(), func(tx db.Tx) (err error) {
		// One state for all statements: the rows refer to each other.
		if _, err := tx.Exec(ctx, `set transaction isolation level repeatable read`); err != nil {
			return err
		}
		s, err = readState(ctx, tx)
		return err
	})
	if err != nil {
		return City{}, err
	}
	return s.City, nil
}
