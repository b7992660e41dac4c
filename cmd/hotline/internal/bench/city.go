package bench

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	refdata "hotline/internal/city"
	"hotline/internal/db"
)

// metropolis is the demo city grown to a large one: 187 street offices and four divisions to each department.
type metropolis struct {
	desk, city   uuid.UUID
	district     map[string]uuid.UUID                // by area
	streets      map[string][]weighted[office]       // by area of the district
	departments  map[string][]weighted[uuid.UUID]    // by category: the department of the catalogue, or one of its divisions
	ancestors    map[uuid.UUID][]uuid.UUID           // without the hotline
	co           map[string]bool                     // categories whose district works along
	staff        map[uuid.UUID][]uuid.UUID           // by agency; the first one of the measured agencies is who is measured
	texts        map[string]map[string][]string      // by category and language
	leaves       []string                            // categories that no weight is known of
	watching     []uuid.UUID                         // agencies with tags, watchers and mentions
	tags         map[uuid.UUID][]weighted[uuid.UUID] // by agency
	rare, common map[uuid.UUID]uuid.UUID             // tags by agency
}

type office struct {
	area string
	id   uuid.UUID
}

// The three whose work is measured.
const (
	measuredAgency   = "dept-housing" // leads the most of all departments
	measuredDistrict = "dist-donghu"  // the largest
)

func growCity(ctx context.Context, owner *pgxpool.Pool, city refdata.City) (*metropolis, error) {
	m := &metropolis{district: map[string]uuid.UUID{}, streets: map[string][]weighted[office]{}, departments: map[string][]weighted[uuid.UUID]{}, ancestors: map[uuid.UUID][]uuid.UUID{},
		co: map[string]bool{}, staff: map[uuid.UUID][]uuid.UUID{}, texts: map[string]map[string][]string{}, tags: map[uuid.UUID][]weighted[uuid.UUID]{},
		rare: map[uuid.UUID]uuid.UUID{}, common: map[uuid.UUID]uuid.UUID{}}
	code := map[string]uuid.UUID{}
	b := &pgx.Batch{}
	var id uuid.UUID
	var name string
	rows, err := owner.Query(ctx, `select id, code from agencies`)
	if err != nil {
		return nil, err
	}
	if _, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error { code[name] = id; return nil }); err != nil {
		return nil, err
	}
	m.desk, m.city = code["hotline"], code["city"]
	m.ancestors[m.city] = nil
	agency := func(name, parent, kind, area string) uuid.UUID {
		id, known := code[name]
		if !known {
			id = db.NewID()
			code[name] = id
			b.Queue(`insert into agencies (id, code, parent_id, ancestors, names, kind, area_code) select $1, $2, p.id, p.ancestors || p.id, jsonb_build_object('en', $2::text, 'zh-CN', $2::text), $4, $5
				from agencies p where p.id = $3`, id, name, code[parent], kind, area)
		}
		m.ancestors[id] = append([]uuid.UUID{code[parent]}, m.ancestors[code[parent]]...)
		return id
	}
	people := func(agency uuid.UUID, n int, role string, cleared bool) {
		for i := range n {
			user := db.NewID()
			m.staff[agency] = append(m.staff[agency], user)
			b.Queue(`insert into users (id, email, name, agency_id, roles, cleared) values ($1, $2, $3, $4, $5, $6)`, user, user.String()+"@bench.example", fmt.Sprintf("%s %d", role, i), agency, []string{role}, cleared)
		}
	}
	people(m.desk, 40, "dispatcher", true)
	for _, d := range districts {
		name := "dist-" + d.code
		if _, known := code[name]; !known {
			b.Queue(`insert into areas (code, parent, level, names) values ($1, $2, 'district', jsonb_build_object('en', $1::text, 'zh-CN', $1::text))`, d.code, city.Areas[0].Code)
		}
		m.district[d.code] = agency(name, "city", "district", d.code)
		people(m.district[d.code], 3, "head", true)
		for i := range d.streets {
			area := fmt.Sprintf("%s-%02d", d.code, i+1)
			b.Queue(`insert into areas (code, parent, level, names) values ($1, $2, 'street', jsonb_build_object('en', $1::text, 'zh-CN', $1::text))`, area, d.code)
			street := agency("street-"+area, name, "street", area)
			people(street, 2, "handler", false)
			// NYC: the share of a borough's postal codes falls about so from the first to the last.
			m.streets[d.code] = append(m.streets[d.code], weighted[office]{office{area, street}, math.Exp(-2.5 * float64(i) / float64(d.streets))})
		}
	}
	divisions := map[string][]weighted[uuid.UUID]{}
	for _, a := range city.Agencies {
		if a.Kind != "department" {
			continue
		}
		divisions[a.Code] = []weighted[uuid.UUID]{{agency(a.Code, "city", "department", ""), 6}}
		people(code[a.Code], 20, "handler", false)
		for i := range 4 {
			d := agency(fmt.Sprintf("%s-%d", a.Code, i+1), a.Code, "department", "")
			people(d, 4, "handler", false)
			divisions[a.Code] = append(divisions[a.Code], weighted[uuid.UUID]{d, 1})
		}
	}
	parents := map[string]bool{}
	for _, c := range city.Categories {
		parents[c.Parent] = true
		m.texts[c.Code] = c.Examples
	}
	for _, e := range city.Catalogue.Entries {
		if strings.HasPrefix(e.Lead, "dept-") && m.departments[e.Category] == nil {
			m.departments[e.Category] = divisions[e.Lead]
		}
		if len(e.Co) > 0 {
			m.co[e.Category] = true
		}
	}
	if len(m.departments["government.conduct"]) == 0 {
		m.departments["government.conduct"] = divisions["dept-government-services"]
	}
	named := map[string]bool{}
	for _, k := range matters {
		named[k.value.category] = true
	}
	for _, c := range city.Categories {
		if !parents[c.Code] && !named[c.Code] {
			m.leaves = append(m.leaves, c.Code)
		}
	}
	for _, name := range []string{"hotline", measuredAgency, measuredDistrict} {
		m.watching = append(m.watching, code[name])
		m.marks(b, code[name])
	}
	return m, owner.SendBatch(ctx, b).Close()
}

// marks makes an agency's tags, a common one, a rare one and some between, and a person's saved filters.
func (m *metropolis) marks(b *pgx.Batch, agency uuid.UUID) {
	for i, weight := range []float64{5000, 1000, 500, 300, 200, 100, 50, 20, 10, 5, 2, 1} {
		tag := db.NewID()
		b.Queue(`insert into tags (id, agency_id, name, key, created_at) values ($1, $2, $3, $3, now())`, tag, agency, fmt.Sprintf("tag-%d", i))
		m.tags[agency] = append(m.tags[agency], weighted[uuid.UUID]{tag, weight})
		if i == 0 {
			m.common[agency] = tag
		}
		m.rare[agency] = tag
	}
	for i, f := range []struct{ view, filter string }{
		{"open", `{"kind": "praise"}`}, {"open", `{"category": "environment.noise.social"}`}, {"all", `{"urgency": "urgent"}`}, {"overdue", `{"kind": "report"}`},
		{"open", `{"area": "donghu"}`}, {"all", `{"area": "donghu-07"}`}, {"open", `{"tag": "` + m.rare[agency].String() + `"}`}, {"agency", `{"urgency": "urgent"}`},
		{"open", `{"text": "lift"}`}, {"closed", `{"category": "housing"}`}, {"open", `{"state": "reopened"}`}, {"due_soon", `{}`},
	} {
		b.Queue(`insert into saved_filters (id, agency_id, user_id, name, view, filter, created_by, created_at) values ($1, $2, $3, $4, $5, $6, $3, now())`,
			db.NewID(), agency, m.staff[agency][0], fmt.Sprintf("filter %d", i), f.view, f.filter)
	}
}
