package city

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb/geojson"

	"hotline/internal/db"
	"hotline/internal/decision"
)

// Options of an import.
type Options struct {
	Check             bool // say what would change and write nothing
	DeactivateMissing bool // take out of use what the folder does not have
	// PasswordHash is given to staff of the folder. Empty: they cannot sign in until an administrator sets a password.
	PasswordHash string
	// OnlyEmpty leaves an installation alone that has reference data of its own already.
	OnlyEmpty bool
}

// Import brings the installation in line with a folder, all or nothing, and says what changed. The same again changes nothing. Running nodes
// notice within seconds. Errors: what an existing installation cannot take, one line each; those of the database.
func Import(ctx context.Context, pool *pgxpool.Pool, c City, o Options) (Plan, error) {
	var p Plan
	run := db.WithTx
	if o.Check {
		run = db.ReadTx
	}
	err := run(ctx, pool, db.System(), func(tx db.Tx) error {
		p = Plan{}
		if !o.Check {
			// Two that start at once: the second waits here and then finds what the first wrote.
			if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('hotline import city'))`); err != nil {
				return err
			}
		}
		s, err := readState(ctx, tx)
		if err != nil {
			return err
		}
		if o.OnlyEmpty && (s.published > 0 || len(s.Categories) > 0 || len(s.Agencies) > 1) {
			return nil
		}
		if p, err = s.plan(c, o); err != nil || o.Check || p.Empty() {
			return err
		}
		w := writer{state: s, city: c, plan: p, options: o}
		for _, step := range []func(*pgx.Batch) error{w.places, w.organisation, w.matters, w.fields, w.catalogue, w.retire, w.texts} {
			b := &pgx.Batch{}
			if err := step(b); err != nil {
				return err
			}
			if err := tx.SendBatch(ctx, b).Close(); err != nil {
				return err
			}
		}
		return nil
	})
	return p, err
}

type writer struct {
	state   *state
	city    City
	plan    Plan
	options Options
}

const (
	sqlAddJurisdiction = `insert into jurisdictions (code, names, timezone, languages, phone, settings) values ($1, $2, $3, $4, $5, $6)`
	// Whoever changed a setting meanwhile keeps it; the folder's own three are replaced as a whole.
	sqlSetJurisdiction = `
		update jurisdictions set code = $2, names = $3, timezone = $4, languages = $5, phone = $6, settings = settings || $7, version = version + 1 where code = $1`
	sqlSetArea = `
		insert into areas (code, parent, level, names, geometry, active) values ($1, nullif($2, ''), $3, $4, $5, $6)
		on conflict (code) do update set parent = excluded.parent, level = excluded.level, names = excluded.names, geometry = excluded.geometry, active = excluded.active,
			version = areas.version + 1`
	sqlAddAgency = `
		insert into agencies (id, code, parent_id, ancestors, names, kind, area_code, phone, hours, active, counter)
		select $1, $2, p.id, case when p.id is null then '{}' else p.ancestors || p.id end, $4, $5, $6, $7, $8, $9, $10
		from (select 1) one left join agencies p on p.code = $3`
	sqlSetAgency = `
		update agencies set code = $2, names = $3, area_code = $4, phone = $5, hours = $6, active = $7, counter = $8, version = version + 1 where id = $1`
	sqlSetCategory = `
		insert into categories (code, parent, names, kinds, urgency, confidential, description, keywords, examples, active)
		values ($1, nullif($2, ''), $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (code) do update set parent = excluded.parent, names = excluded.names, kinds = excluded.kinds, urgency = excluded.urgency, confidential = excluded.confidential,
			description = excluded.description, keywords = excluded.keywords, examples = excluded.examples, active = excluded.active, version = categories.version + 1`
	sqlSetService = `
		insert into service_items (code, names, agency_id, category, area, summary, channels, life_event, url, active)
		values ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6, $7, $8, $9, $10)
		on conflict (code) do update set names = excluded.names, agency_id = excluded.agency_id, category = excluded.category, area = excluded.area, summary = excluded.summary,
			channels = excluded.channels, life_event = excluded.life_event, url = excluded.url, active = excluded.active, version = service_items.version + 1`
	sqlSetField = `
		insert into custom_fields (id, category, code, names, type, choices, asked, intake, closing, position, active, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now())
		on conflict (category, code) do update set names = excluded.names, choices = excluded.choices, asked = excluded.asked, intake = excluded.intake, closing = excluded.closing,
			position = excluded.position, active = excluded.active, version = custom_fields.version + 1, updated_by = null, updated_at = now()`
	sqlRetireField = `update custom_fields set active = false, version = version + 1, updated_by = null, updated_at = now() where category || '/' || code = $1 and active`
	sqlAddVersion  = `insert into catalogue_versions (version, state, note) values ($1, 'draft', $2)`
	sqlAddEntry    = `
		insert into catalogue_entries (version, position, category, service_item, area, lead, co, urgency)
		values ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6, $7, $8)`
	sqlRetireVersion  = `update catalogue_versions set state = 'retired' where state = 'published'`
	sqlPublishVersion = `update catalogue_versions set state = 'published', published_at = now() where version = $1`
	sqlAddUser        = `insert into users (id, email, name, names, agency_id, roles, lang, cleared, password_hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	sqlDropSynonyms   = `delete from synonym_groups where lang = $1 and exists (select from unnest(terms) t where lower(t) = any($2))`
	sqlAddSynonyms    = `insert into synonym_groups (id, lang, terms) values ($1, $2, $3)`
	sqlAddArticle     = `
		insert into articles (id, key, lang, slug, topic, owner_id, audience, services, live, latest)
		values ($1, $2, $3, $4, $5, nullif($6, '00000000-0000-0000-0000-000000000000'::uuid), $7, $8, 1, 1)`
	sqlAddArticleVersion = `
		insert into article_versions (article_id, version, state, title, summary, body, keywords, questions, valid_from, valid_to, published_at, form, audience)
		values ($1, 1, 'published', $2, $3, $4, $5, $6, $7, $8, now(), $9, $10)`
	// A topic that is called like a category has its name, until somebody gives it another.
	sqlNameTopics = `insert into knowledge_topics (code, names) select c.code, c.names from categories c where exists (select from articles a where a.topic = c.code) on conflict (code) do nothing`
)

// places: the jurisdiction with its settings, and the areas.
func (w writer) places(b *pgx.Batch) error {
	j := w.city.Jurisdiction
	set := settings{j.Emergency, j.Hours, w.canned()}
	switch {
	case w.state.Jurisdiction.Code == "":
		b.Queue(sqlAddJurisdiction, j.Code, j.Names, j.Timezone, j.Languages, j.Phone, set)
	case len(w.plan.written("jurisdiction"))+len(w.plan.with("canned", Add, Alter, Deactivate)) > 0:
		b.Queue(sqlSetJurisdiction, w.state.Jurisdiction.Code, j.Code, j.Names, j.Timezone, j.Languages, j.Phone, set)
	}
	areas := w.plan.written("area")
	for _, a := range w.city.Areas {
		if !areas[a.Code] {
			continue
		}
		var geometry []byte
		if a.Geometry != nil {
			var err error
			if geometry, err = geojson.NewGeometry(a.Geometry).MarshalJSON(); err != nil {
				return fmt.Errorf("area %s: %w", a.Code, err)
			}
		}
		b.Queue(sqlSetArea, a.Code, a.Parent, a.Level, a.Names, geometry, !a.Inactive)
	}
	return nil
}

// canned are the folder's replies, and those of the installation that stay.
func (w writer) canned() []Canned {
	list := slices.Clone(w.city.Canned)
	for _, r := range w.state.Canned {
		if w.plan.with("canned", Missing)[r.Code] {
			list = append(list, r)
		}
	}
	return list
}

func (w writer) organisation(b *pgx.Batch) error {
	changed := w.plan.written("agency")
	for i, a := range w.city.Agencies {
		id, there := w.state.ids[a.Code]
		if i == 0 && w.state.desk != "" {
			id, there = w.state.ids[w.state.desk], true
		}
		if !there {
			id = db.NewID()
		}
		w.state.ids[a.Code] = id
		switch {
		case !there:
			b.Queue(sqlAddAgency, id, a.Code, a.Parent, a.Names, a.Kind, a.Area, a.Phone, texts(a.Hours), !a.Inactive, a.Counter)
		case changed[a.Code]:
			b.Queue(sqlSetAgency, id, a.Code, a.Names, a.Area, a.Phone, texts(a.Hours), !a.Inactive, a.Counter)
		}
	}
	people := w.plan.written("user")
	for _, u := range w.city.Users {
		if people[u.Email] {
			b.Queue(sqlAddUser, db.NewID(), u.Email, u.Name, texts(u.Names), w.state.ids[u.Agency], u.Roles, u.Lang, u.Cleared, w.options.PasswordHash)
		}
	}
	return nil
}

// matters: categories and service items.
func (w writer) matters(b *pgx.Batch) error {
	categories, services := w.plan.written("category"), w.plan.written("service")
	for _, c := range w.city.Categories {
		if categories[c.Code] {
			b.Queue(sqlSetCategory, c.Code, c.Parent, c.Names, c.Kinds, c.Urgency, c.Confidential, texts(c.Description), words(c.Keywords), words(c.Examples), !c.Inactive)
		}
	}
	for _, s := range w.city.Services {
		if services[s.Code] {
			b.Queue(sqlSetService, s.Code, s.Names, w.state.ids[s.Agency], s.Category, s.Area, texts(s.Summary), nonNil(s.Channels), s.LifeEvent, s.URL, !s.Inactive)
		}
	}
	return nil
}

// fields of categories.
func (w writer) fields(b *pgx.Batch) error {
	changed := w.plan.written("field")
	for _, f := range w.city.Fields {
		if changed[f.key()] {
			b.Queue(sqlSetField, db.NewID(), f.Category, f.Code, f.Names, f.Type, list(f.Choices), f.Asked, f.Intake, f.Closing, f.Position, !f.Inactive)
		}
	}
	for key := range w.plan.with("field", Deactivate) {
		b.Queue(sqlRetireField, key)
	}
	return nil
}

// catalogue publishes what differs as a new version; the one before is retired, and drafts of administrators stay.
func (w writer) catalogue(b *pgx.Batch) error {
	if len(w.plan.written("catalogue")) == 0 {
		return nil
	}
	version := w.state.nextVersion(w.city)
	b.Queue(sqlAddVersion, version, w.city.Catalogue.Names[w.city.Jurisdiction.Languages[0]])
	for i, e := range w.city.Catalogue.Entries {
		co := make([]uuid.UUID, 0, len(e.Co))
		for _, code := range e.Co {
			co = append(co, w.state.ids[code])
		}
		b.Queue(sqlAddEntry, version, i+1, e.Category, e.ServiceItem, e.Area, w.state.ids[e.Lead], co, e.Urgency)
	}
	b.Queue(sqlRetireVersion)
	b.Queue(sqlPublishVersion, version)
	return nil
}

// retire takes out of use what the folder does not have, where that was asked for.
func (w writer) retire(b *pgx.Batch) error {
	for _, one := range [...]struct{ thing, table string }{{"service", "service_items"}, {"category", "categories"}, {"agency", "agencies"}, {"area", "areas"}} {
		for code := range w.plan.with(one.thing, Deactivate) {
			b.Queue(`update `+one.table+` set active = false, version = version + 1 where code = $1 and active`, code)
		}
	}
	for _, y := range w.state.Synonyms {
		if w.plan.with("synonyms", Deactivate)[synonymKey(y)] {
			b.Queue(sqlDropSynonyms, y.Lang, lower(slices.Clone(y.Terms)))
		}
	}
	return nil
}

func (w writer) texts(b *pgx.Batch) error {
	synonyms, articles := w.plan.written("synonyms"), w.plan.written("article")
	for _, y := range w.city.Synonyms {
		if synonyms[synonymKey(y)] {
			// A term means one thing only: a set that grew takes the place of what it was.
			b.Queue(sqlDropSynonyms, y.Lang, lower(slices.Clone(y.Terms)))
			b.Queue(sqlAddSynonyms, db.NewID(), y.Lang, y.Terms)
		}
	}
	for _, a := range w.city.Articles {
		if !articles[articleKey(a)] {
			continue
		}
		id, slug := db.NewID(), a.Key
		if base, _, _ := strings.Cut(a.Lang, "-"); base != "en" {
			slug += "-" + base
		}
		form, problems := decision.Parse(a.Form)
		if len(problems) > 0 {
			return fmt.Errorf("article %s: form: %w", articleKey(a), problems[0])
		}
		b.Queue(sqlAddArticle, id, a.Key, a.Lang, slug, a.Topic, w.state.ids[a.Owner], a.Audience, nonNil(a.Services))
		b.Queue(sqlAddArticleVersion, id, a.Title, a.Summary, a.Body, nonNil(a.Keywords), nonNil(a.Questions), date(a.ValidFrom), date(a.ValidTo), form, a.Audience)
	}
	if len(articles) > 0 {
		b.Queue(sqlNameTopics)
	}
	return nil
}

func nonNil(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}

func texts(t Text) Text {
	if t == nil {
		return Text{}
	}
	return t
}

func words(w Words) Words {
	if w == nil {
		return Words{}
	}
	return w
}

func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
