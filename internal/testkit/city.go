package testkit

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/db"
)

// TinyCity is the smallest city in which every role and level exists.
type TinyCity struct {
	Agencies map[string]uuid.UUID // hotline, city, dist-east, street-east-1, street-east-2, dept-environment, dept-utilities
	Users    map[string]uuid.UUID // by e-mail's local part: operator, dispatcher, supervisor, administrator, editor, reviewer (hotline); handler-env, head-env, handler-util, handler-street, cleared-env
}

// Staff gives the actor of one of the city's users.
func (c TinyCity) Staff(user string) db.Actor {
	u := tinyUsers[user]
	a := db.Staff(c.Users[user], c.Agencies[u.agency], u.agency == "hotline", u.cleared)
	if slices.Contains(u.roles, "administrator") {
		a = a.AsAdministrator()
	}
	return a
}

type tinyUser struct {
	agency  string
	roles   []string
	cleared bool
}

var tinyUsers = map[string]tinyUser{
	"operator":       {"hotline", []string{"operator"}, false},
	"dispatcher":     {"hotline", []string{"dispatcher"}, true},
	"supervisor":     {"hotline", []string{"supervisor"}, true},
	"administrator":  {"hotline", []string{"administrator"}, false},
	"editor":         {"hotline", []string{"editor"}, false},
	"reviewer":       {"hotline", []string{"reviewer"}, false},
	"handler-env":    {"dept-environment", []string{"handler"}, false},
	"head-env":       {"dept-environment", []string{"head"}, false},
	"cleared-env":    {"dept-environment", []string{"handler"}, true},
	"handler-util":   {"dept-utilities", []string{"handler"}, false},
	"handler-street": {"street-east-1", []string{"handler"}, false},
}

// City fills an empty database with the tiny city: areas (squares in the sea), agencies, users without passwords, four categories, two
// service items and a published catalogue.
func City(t testing.TB, pool *pgxpool.Pool) TinyCity {
	t.Helper()
	owner := OwnerPool(t, pool)
	ctx := t.Context()
	city := TinyCity{Agencies: map[string]uuid.UUID{}, Users: map[string]uuid.UUID{}}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := owner.Exec(ctx, sql, args...); err != nil {
			t.Fatalf("tiny city: %v", err)
		}
	}
	exec(`insert into jurisdictions (code, names, timezone, languages, phone, settings) values
		('tiny', '{"en":"Tiny","zh-CN":"小城"}', 'Asia/Shanghai', '{en,zh-CN}', '12345',
		 '{"emergency":[{"service":"police","number":"110","names":{"en":"police","zh-CN":"公安"}},{"service":"fire","number":"119","names":{"en":"fire service","zh-CN":"消防"}},{"service":"ambulance","number":"120","names":{"en":"ambulance","zh-CN":"急救"}}]}')`)
	square := func(x0, y0, x1, y1 string) string {
		return `{"type":"Polygon","coordinates":[[[` + x0 + `,` + y0 + `],[` + x1 + `,` + y0 + `],[` + x1 + `,` + y1 + `],[` + x0 + `,` + y1 + `],[` + x0 + `,` + y0 + `]]]}`
	}
	exec(`insert into areas (code, parent, level, names, geometry) values
		('city', null, 'city', '{"en":"Tiny","zh-CN":"小城"}', $1),
		('dist-east', 'city', 'district', '{"en":"East","zh-CN":"东区"}', $2),
		('street-east-1', 'dist-east', 'street', '{"en":"East One","zh-CN":"东一街"}', $3),
		('street-east-2', 'dist-east', 'street', '{"en":"East Two","zh-CN":"东二街"}', $4)`,
		square("125.0", "30.0", "125.4", "30.4"), square("125.2", "30.0", "125.4", "30.4"),
		square("125.2", "30.0", "125.4", "30.2"), square("125.2", "30.2", "125.4", "30.4"))
	agency := func(code, parent, kind, area, en, zh string) {
		id := db.NewID()
		city.Agencies[code] = id
		exec(`insert into agencies (id, code, parent_id, ancestors, names, kind, area_code)
			select $1, $2, p.id, case when p.id is null then '{}' else p.ancestors || p.id end, jsonb_build_object('en', $5::text, 'zh-CN', $6::text), $4, $7
			from (select 1) one left join agencies p on p.code = $3`, id, code, parent, kind, en, zh, area)
	}
	agency("hotline", "", "hotline", "", "Hotline centre", "热线中心")
	agency("city", "", "city", "city", "City of Tiny", "小城市政府")
	agency("dist-east", "city", "district", "dist-east", "East district", "东区政府")
	agency("street-east-1", "dist-east", "street", "street-east-1", "East One street office", "东一街道办事处")
	agency("street-east-2", "dist-east", "street", "street-east-2", "East Two street office", "东二街道办事处")
	agency("dept-environment", "city", "department", "", "Environment department", "生态环境局")
	agency("dept-utilities", "city", "department", "", "Utilities department", "公用事业局")
	for name, u := range tinyUsers {
		id := db.NewID()
		city.Users[name] = id
		exec(`insert into users (id, email, name, agency_id, roles, cleared) values ($1, $2, $3, $4, $5, $6)`,
			id, name+"@tiny.example", name, city.Agencies[u.agency], u.roles, u.cleared)
	}
	all := []string{"consult", "help", "complaint", "report", "suggestion", "praise"}
	category := func(code, parent, en, zh string, confidential bool, examples string) {
		exec(`insert into categories (code, parent, names, kinds, confidential, examples)
			values ($1, nullif($2, ''), jsonb_build_object('en', $3::text, 'zh-CN', $4::text), $5, $6, $7)`, code, parent, en, zh, all, confidential, examples)
	}
	category("environment", "", "Environment", "生态环境", false, `{}`)
	category("environment.noise", "environment", "Noise", "噪音", false,
		`{"en":["Construction noise at night keeps us awake","The bar downstairs is too loud","Drilling before six in the morning","Loud music every evening"],"zh-CN":["夜间施工噪音扰民","楼下酒吧太吵了","早上六点前就开始钻孔","每天晚上音乐声很大"]}`)
	category("environment.waste", "environment", "Waste", "垃圾", false,
		`{"en":["Rubbish has not been collected for a week","The bins are overflowing","Someone dumps building waste here","Household garbage on the pavement"],"zh-CN":["垃圾一周没人收了","垃圾桶满了","有人在这里乱倒建筑垃圾","人行道上有生活垃圾"]}`)
	category("utilities.water", "", "Water supply", "供水", false,
		`{"en":["No water since this morning","Water pressure is too low","The tap water is brown","A water pipe burst in our street"],"zh-CN":["今天早上开始停水","水压太低","自来水发黄","我们街上水管爆了"]}`)
	category("city.streetlight", "", "Street light", "路灯", false,
		`{"en":["The street light in front of our house is broken","It is dark at night because the lamps are off","A lamp post is leaning","Street lamp flickers"],"zh-CN":["我家门口的路灯坏了","晚上路灯不亮很黑","灯杆歪了","路灯一直闪"]}`)
	exec(`insert into service_items (code, names, agency_id, category) values
		('T-ENV-001', '{"en":"Noise permit","zh-CN":"夜间施工许可"}', $1, 'environment.noise'),
		('T-UTL-001', '{"en":"Open a water account","zh-CN":"用水开户"}', $2, 'utilities.water')`,
		city.Agencies["dept-environment"], city.Agencies["dept-utilities"])
	exec(`insert into catalogue_versions (version, state, published_at) values (1, 'published', now())`)
	entry := func(pos int, category, area, lead string) {
		exec(`insert into catalogue_entries (version, position, category, area, lead) values (1, $1, $2, nullif($3, ''), $4)`, pos, category, area, city.Agencies[lead])
	}
	entry(1, "environment.noise", "", "dept-environment")
	entry(2, "environment.waste", "", "dept-environment")
	entry(3, "utilities.water", "", "dept-utilities")
	entry(4, "city.streetlight", "street-east-1", "street-east-1")
	entry(5, "city.streetlight", "street-east-2", "street-east-2")
	return city
}
