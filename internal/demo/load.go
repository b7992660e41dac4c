package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb/geojson"

	"hotline/internal/db"
)

// Load puts the city into an empty installation, all or nothing, and reports whether it did: an installation that has an agency is left
// alone. passwordHash is given to every user. Errors: those of the database.
func Load(ctx context.Context, pool *pgxpool.Pool, city City, passwordHash string) (loaded bool, err error) {
	l := loader{city: city, hash: passwordHash, agency: map[string]uuid.UUID{}}
	err = db.WithTx(ctx, pool, db.System(), func(tx db.Tx) error {
		// Two nodes that start at once: the second waits here and then finds the agencies.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('hotline demo'))`); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `select exists (select from agencies)`).Scan(&there); err != nil || there {
			return err
		}
		for _, step := range []func(*pgx.Batch) error{l.places, l.organisation, l.catalogue, l.articles} {
			b := &pgx.Batch{}
			if err := step(b); err != nil {
				return err
			}
			if err := tx.SendBatch(ctx, b).Close(); err != nil {
				return err
			}
		}
		loaded = true
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("demo city: %w", err)
	}
	return loaded, nil
}

type loader struct {
	city   City
	hash   string
	agency map[string]uuid.UUID
}

// places: the jurisdiction with its settings, and the areas.
func (l *loader) places(b *pgx.Batch) error {
	j := l.city.Jurisdiction
	settings, err := json.Marshal(map[string]any{"emergency": j.Emergency, "hours": j.Hours, "canned": l.city.Canned})
	if err != nil {
		return err
	}
	b.Queue(`insert into jurisdictions (code, names, timezone, languages, phone, settings) values ($1, $2, $3, $4, $5, $6)`,
		j.Code, j.Names, j.Timezone, j.Languages, j.Phone, settings)
	for _, a := range l.city.Areas {
		geometry, err := geojson.NewGeometry(a.Geometry).MarshalJSON()
		if err != nil {
			return fmt.Errorf("area %s: %w", a.Code, err)
		}
		b.Queue(`insert into areas (code, parent, level, names, geometry) values ($1, nullif($2, ''), $3, $4, $5)`, a.Code, a.Parent, a.Level, a.Names, geometry)
	}
	return nil
}

func (l *loader) organisation(b *pgx.Batch) error {
	for _, a := range l.city.Agencies {
		id := db.NewID()
		l.agency[a.Code] = id
		b.Queue(`insert into agencies (id, code, parent_id, ancestors, names, kind, area_code, phone, hours)
			select $1, $2, p.id, case when p.id is null then '{}' else p.ancestors || p.id end, $4, $5, $6, $7, $8
			from (select 1) one left join agencies p on p.code = $3`,
			id, a.Code, a.Parent, a.Names, a.Kind, a.Area, a.Phone, a.Hours)
	}
	for _, u := range l.city.Users {
		b.Queue(`insert into users (id, email, name, agency_id, roles, lang, cleared, password_hash) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			db.NewID(), u.Email, u.Name, l.agency[u.Agency], u.Roles, u.Lang, u.Cleared, l.hash)
	}
	return nil
}

func (l *loader) catalogue(b *pgx.Batch) error {
	for _, c := range l.city.Categories {
		b.Queue(`insert into categories (code, parent, names, kinds, urgency, confidential, description, keywords, examples)
			values ($1, nullif($2, ''), $3, $4, $5, $6, $7, $8, $9)`,
			c.Code, c.Parent, c.Names, c.Kinds, c.Urgency, c.Confidential, c.Description, c.Keywords, c.Examples)
	}
	for _, s := range l.city.Services {
		b.Queue(`insert into service_items (code, names, agency_id, category, summary, channels, life_event, url)
			values ($1, $2, $3, nullif($4, ''), $5, $6, $7, $8)`,
			s.Code, s.Names, l.agency[s.Agency], s.Category, s.Summary, s.Channels, s.LifeEvent, s.URL)
	}
	version := l.city.Catalogue.Version
	b.Queue(`insert into catalogue_versions (version, state, note) values ($1, 'draft', $2)`, version, l.city.Catalogue.Names["en"])
	for i, e := range l.city.Catalogue.Entries {
		co := make([]uuid.UUID, 0, len(e.Co))
		for _, code := range e.Co {
			co = append(co, l.agency[code])
		}
		b.Queue(`insert into catalogue_entries (version, position, category, service_item, area, lead, co, urgency)
			values ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6, $7, $8)`,
			version, i+1, e.Category, e.ServiceItem, e.Area, l.agency[e.Lead], co, e.Urgency)
	}
	b.Queue(`update catalogue_versions set state = 'published', published_at = now() where version = $1`, version)
	return nil
}

func (l *loader) articles(b *pgx.Batch) error {
	for _, s := range l.city.Synonyms {
		b.Queue(`insert into synonym_groups (id, lang, terms) values ($1, $2, $3)`, db.NewID(), s.Lang, s.Terms)
	}
	for _, a := range l.city.Articles {
		id, slug := db.NewID(), a.Key
		if a.Lang != "en" {
			slug += "-zh"
		}
		b.Queue(`insert into articles (id, key, lang, slug, topic, owner_id, audience, services, live, latest) values ($1, $2, $3, $4, $5, $6, $7, $8, 1, 1)`,
			id, a.Key, a.Lang, slug, a.Topic, l.agency[a.Owner], a.Audience, nonNil(a.Services))
		b.Queue(`insert into article_versions (article_id, version, state, title, summary, body, keywords, questions, valid_from, valid_to, published_at)
			values ($1, 1, 'published', $2, $3, $4, $5, $6, $7, $8, now())`,
			id, a.Title, a.Summary, a.Body, nonNil(a.Keywords), nonNil(a.Questions), date(a.ValidFrom), date(a.ValidTo))
	}
	return nil
}

func nonNil(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}

func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
