package routing_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/internal/testkit"
	"hotline/routing"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// board is a bus inside one test.
type board struct {
	mu   sync.Mutex
	subs []func(string, []byte)
}

func (b *board) Publish(subject string, data []byte) {
	b.mu.Lock()
	subs := append([]func(string, []byte){}, b.subs...)
	b.mu.Unlock()
	for _, fn := range subs {
		fn(subject, data)
	}
}

func (b *board) Subscribe(subject string, fn func(string, []byte)) (func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subs = append(b.subs, fn)
	return func() {}, nil
}

func start(t *testing.T, pool *pgxpool.Pool, bus routing.Bus) *routing.Service {
	t.Helper()
	s := routing.New(routing.Deps{Pool: pool, Bus: bus, Log: slog.New(slog.DiscardHandler)})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func tiny(t *testing.T) (*routing.Service, testkit.TinyCity, *pgxpool.Pool) {
	t.Helper()
	pool := testkit.DB(t)
	city := testkit.City(t, pool)
	return start(t, pool, nil), city, pool
}

func f(x float64) *float64 { return &x }

func TestDecideFromTextAndPlace(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	tests := []struct {
		name     string
		facts    routing.Facts
		lead     string
		category string
		auto     bool
	}{
		{"English text", routing.Facts{Kind: "complaint", Text: "Construction noise at night keeps us awake"}, "dept-environment", "environment.noise", true},
		{"Chinese text", routing.Facts{Kind: "complaint", Text: "晚上施工噪音扰民"}, "dept-environment", "environment.noise", true},
		{"the point decides the street", routing.Facts{Category: "city.streetlight", Lat: f(30.3), Lon: f(125.3)}, "street-east-2", "city.streetlight", true},
		{"no point, no street", routing.Facts{Category: "city.streetlight"}, "", "city.streetlight", false},
		{"outside the city", routing.Facts{Category: "city.streetlight", Lat: f(10), Lon: f(10)}, "", "city.streetlight", false},
		{"service item", routing.Facts{ServiceItem: "T-UTL-001"}, "dept-utilities", "utilities.water", true},
		{"words of no category", routing.Facts{Text: "ξένες λέξεις"}, "", "", false},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := s.Decide(c.facts)
			if d.Auto != c.auto || c.lead != "" && d.Lead != city.Agencies[c.lead] || c.category != "" && d.Category != c.category {
				t.Errorf("got %+v\n%s", d, strings.Join(s.Explain("en", d.Explanation), "\n"))
			}
			if len(d.Explanation) == 0 {
				t.Error("no explanation")
			}
		})
	}
}

func TestExplainNamesThingsInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	s, _, _ := tiny(t)
	d := s.Decide(routing.Facts{Category: "city.streetlight", Lat: f(30.1), Lon: f(125.3)})
	want := map[string][]string{
		"en": {
			"Category “Street light”, chosen by a person.", "The place lies in East One.",
			"Dispatch catalogue v1: “Street light” in East One → East One street office.",
		},
		"zh-CN": {"事项分类“路灯”，由工作人员选定。", "地点位于东一街。", "派单目录第1版：“路灯”，东一街 → 东一街道办事处。"},
	}
	for lang, lines := range want {
		if diff := cmp.Diff(lines, s.Explain(lang, d.Explanation)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", lang, diff)
		}
	}
}

func TestSnapshotKnowsTheTree(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	snap := s.Snapshot()
	if snap.Jurisdiction().Code != "tiny" || snap.Root().Code != "city" || snap.Desk().Code != "hotline" {
		t.Errorf("jurisdiction %q, root %q, desk %q", snap.Jurisdiction().Code, snap.Root().Code, snap.Desk().Code)
	}
	var up []string
	for _, a := range snap.Ancestors(city.Agencies["street-east-1"]) {
		up = append(up, a.Code)
	}
	if diff := cmp.Diff([]string{"city", "dist-east"}, up); diff != "" {
		t.Error(diff)
	}
	if got := snap.AreaAt(30.1, 125.3); !cmp.Equal(got, []string{"street-east-1", "dist-east", "city"}) {
		t.Errorf("areas at a point: %v", got)
	}
	if c, ok := snap.Category("environment"); !ok || c.Leaf {
		t.Errorf("environment: %+v", c)
	}
	if n := len(snap.Children(city.Agencies["dist-east"])); n != 2 {
		t.Errorf("%d agencies below the district, want 2", n)
	}
}

func TestPolygonsWithHolesAndParts(t *testing.T) {
	t.Parallel()
	pool := testkit.DB(t)
	owner := testkit.OwnerPool(t, pool)
	insert := func(code, geometry string) {
		if _, err := owner.Exec(t.Context(), `insert into areas (code, level, names, geometry) values ($1, 'city', '{"en":"x"}', $2)`, code, geometry); err != nil {
			t.Fatal(err)
		}
	}
	insert("ring", `{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[4,4],[6,4],[6,6],[4,6],[4,4]]]}`)
	insert("isles", `{"type":"MultiPolygon","coordinates":[[[[20,0],[21,0],[21,1],[20,1],[20,0]]],[[[30,0],[31,0],[31,1],[30,1],[30,0]]]]}`)
	insert("broken", `{"type":"Polygon","coordinates":[[[0,0],[1,1]]]}`)
	insert("line", `{"type":"LineString","coordinates":[[0,0],[1,1]]}`)
	snap := start(t, pool, nil).Snapshot()
	for _, c := range []struct {
		name     string
		lat, lon float64
		want     []string
	}{
		{"inside", 1, 1, []string{"ring"}},
		{"in the hole", 5, 5, []string{}},
		{"first part", 0.5, 20.5, []string{"isles"}},
		{"second part", 0.5, 30.5, []string{"isles"}},
		{"between the parts", 0.5, 25, []string{}},
		{"on the border", 0, 5, []string{"ring"}},
		{"off the globe", 91, 5, nil},
	} {
		if got := snap.AreaAt(c.lat, c.lon); !cmp.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCreateEditDeactivateAgency(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	ctx, admin := t.Context(), city.Staff("administrator")
	fields := routing.AgencyFields{
		Code: "street-east-3", Parent: city.Agencies["dist-east"], Kind: routing.KindStreet, Area: "dist-east",
		Names: routing.Names{"en": " East Three ", "zh-CN": "东三街道"}, Phone: "555-3",
	}
	a, err := s.CreateAgency(ctx, admin, fields)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := s.Snapshot().AgencyByCode("street-east-3")
	if !ok || got.Names.In("en") != "East Three" || len(got.Ancestors) != 2 || !got.Active || got.ID != a.ID {
		t.Fatalf("after creation the snapshot has %+v", got)
	}
	if _, err := s.CreateAgency(ctx, admin, fields); !errors.Is(err, routing.ErrAgencyCodeTaken) {
		t.Errorf("same code again: %v", err)
	}
	fields.Names["en"] = "East 3"
	b, err := s.UpdateAgency(ctx, admin, a.ID, a.Version, fields)
	if err != nil || b.Version != a.Version+1 || b.Names.In("en") != "East 3" {
		t.Errorf("update: %+v, %v", b, err)
	}
	if _, err := s.UpdateAgency(ctx, admin, a.ID, a.Version, fields); !errors.Is(err, routing.ErrAgencyStale) {
		t.Errorf("update of an old version: %v", err)
	}
	if _, err := s.DeactivateAgency(ctx, admin, city.Agencies["dist-east"], 1); !errors.Is(err, routing.ErrAgencyHasBelow) {
		t.Errorf("deactivate a parent: %v", err)
	}
	for _, code := range []string{"hotline", "city"} {
		if _, err := s.DeactivateAgency(ctx, admin, city.Agencies[code], 1); !errors.Is(err, routing.ErrAgencyIsDesk) {
			t.Errorf("deactivate %s: %v", code, err)
		}
	}
	if _, err := s.DeactivateAgency(ctx, admin, a.ID, b.Version); err != nil {
		t.Error(err)
	}
	if got, _ := s.Snapshot().Agency(a.ID); got.Active {
		t.Error("still active in the snapshot")
	}
	if _, err := s.ActivateAgency(ctx, admin, a.ID, b.Version+1); err != nil {
		t.Error(err)
	}
	if _, err := s.UpdateAgency(ctx, admin, uuid.New(), 1, fields); !errors.Is(err, routing.ErrAgencyNotFound) {
		t.Errorf("unknown agency: %v", err)
	}
	if _, err := s.CreateAgency(ctx, city.Staff("head-env"), fields); errs.KindOf(err) != errs.Forbidden {
		t.Errorf("a department creates an agency: %v", err)
	}
}

func TestBadAgencyFieldsAreNamed(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	good := func() routing.AgencyFields {
		return routing.AgencyFields{Code: "new-one", Parent: city.Agencies["city"], Kind: "department", Names: routing.Names{"en": "New", "zh-CN": "新"}}
	}
	for field, spoil := range map[string]func(*routing.AgencyFields){
		"code":   func(f *routing.AgencyFields) { f.Code = "Ä b" },
		"names":  func(f *routing.AgencyFields) { f.Names = routing.Names{"en": "only English"} },
		"kind":   func(f *routing.AgencyFields) { f.Kind = "galaxy" },
		"parent": func(f *routing.AgencyFields) { f.Parent = uuid.New() },
		"area":   func(f *routing.AgencyFields) { f.Area = "nowhere" },
		"phone":  func(f *routing.AgencyFields) { f.Phone = strings.Repeat("5", 201) },
		"hours":  func(f *routing.AgencyFields) { f.Hours = routing.Names{"en": "\xff"} },
	} {
		in := good()
		spoil(&in)
		_, err := s.CreateAgency(t.Context(), city.Staff("administrator"), in)
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind != errs.Invalid || e.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestPublishedCatalogueNeverChanges(t *testing.T) {
	t.Parallel()
	s, city, pool := tiny(t)
	ctx, admin := t.Context(), city.Staff("administrator")
	version, err := s.Draft(ctx, admin, "water moves")
	if err != nil || version != 2 {
		t.Fatalf("draft %d, %v", version, err)
	}
	entries, err := s.CatalogueEntries(ctx, version)
	if err != nil || len(entries) != 5 {
		t.Fatalf("the draft begins with %d entries, %v", len(entries), err)
	}
	water := routing.Facts{Category: "utilities.water"}
	for i := range entries {
		if entries[i].Category == "utilities.water" {
			entries[i].Lead = city.Agencies["dept-environment"]
			entries[i].Co = []uuid.UUID{city.Agencies["dept-utilities"]}
		}
	}
	if err := s.SetEntries(ctx, admin, version, entries); err != nil {
		t.Fatal(err)
	}
	if d := s.Decide(water); d.Lead != city.Agencies["dept-utilities"] || d.Catalogue != 1 {
		t.Errorf("a draft already decides: %+v", d)
	}
	if err := s.Publish(ctx, admin, version); err != nil {
		t.Fatal(err)
	}
	if d := s.Decide(water); d.Lead != city.Agencies["dept-environment"] || d.Catalogue != 2 || len(d.Co) != 1 {
		t.Errorf("after publication: %+v", d)
	}
	for name, err := range map[string]error{
		"set":        s.SetEntries(ctx, admin, version, entries),
		"set old":    s.SetEntries(ctx, admin, 1, entries),
		"publish":    s.Publish(ctx, admin, version),
		"republish":  s.Publish(ctx, admin, 1),
		"drop draft": s.DropDraft(ctx, admin, version),
	} {
		if !errors.Is(err, routing.ErrCatalogueFixed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Publish(ctx, admin, 9); !errors.Is(err, routing.ErrCatalogueNotFound) {
		t.Errorf("unknown version: %v", err)
	}
	// The second wall: statements that forget the check.
	err = db.WithTx(ctx, pool, admin, func(tx db.Tx) error {
		deleted, err := tx.Exec(ctx, `delete from catalogue_entries where version = $1`, version)
		if err != nil {
			return err
		}
		updated, err := tx.Exec(ctx, `update catalogue_entries set lead = $2 where version = $1`, version, city.Agencies["city"])
		if err != nil {
			return err
		}
		if deleted.RowsAffected()+updated.RowsAffected() != 0 {
			t.Errorf("%d rows of a published version deleted, %d changed", deleted.RowsAffected(), updated.RowsAffected())
		}
		_, err = tx.Exec(ctx, `insert into catalogue_entries (version, position, category, lead) values ($1, 99, 'utilities.water', $2)`, version, city.Agencies["city"])
		return err
	})
	if err == nil {
		t.Error("an entry was added to a published version")
	}
	versions, err := s.CatalogueVersions(ctx)
	if err != nil || len(versions) != 2 || versions[0].State != "published" || versions[1].State != "retired" || versions[0].Entries != 5 {
		t.Errorf("versions %+v, %v", versions, err)
	}
}

func TestCatalogueEntriesMustFit(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	ctx, admin := t.Context(), city.Staff("administrator")
	version, err := s.Draft(ctx, admin, "")
	if err != nil {
		t.Fatal(err)
	}
	ok := routing.Entry{Category: "utilities.water", Lead: city.Agencies["dept-utilities"]}
	for problem, e := range map[string]routing.Entry{
		"category":     {Category: "nonsense", Lead: ok.Lead},
		"service_item": {Category: ok.Category, ServiceItem: "nonsense", Lead: ok.Lead},
		"area":         {Category: ok.Category, Area: "nonsense", Lead: ok.Lead},
		"lead":         {Category: ok.Category, Lead: uuid.New()},
		"co":           {Category: ok.Category, Lead: ok.Lead, Co: []uuid.UUID{ok.Lead}},
		"urgency":      {Category: ok.Category, Lead: ok.Lead, Urgency: "very"},
		"duplicate":    ok,
	} {
		err := s.SetEntries(ctx, admin, version, []routing.Entry{ok, e})
		var got *errs.Error
		if !errors.As(err, &got) || got.Args["problem"] != problem || got.Args["position"] != 2 {
			t.Errorf("%s: %v", problem, err)
		}
	}
	if err := s.SetEntries(ctx, admin, version, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(ctx, admin, version); !errors.Is(err, routing.ErrCatalogueEmpty) {
		t.Errorf("empty: %v", err)
	}
	if err := s.DropDraft(ctx, admin, version); err != nil {
		t.Error(err)
	}
}

func TestInactiveAndReturningAgenciesLeaveItToTheDispatcher(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	facts := routing.Facts{Category: "utilities.water", Excluded: []uuid.UUID{city.Agencies["dept-utilities"]}}
	if d := s.Decide(facts); d.Auto || d.Lead != uuid.Nil {
		t.Errorf("returned: %+v", d)
	}
	if _, err := s.DeactivateAgency(t.Context(), city.Staff("administrator"), city.Agencies["dept-utilities"], 1); err != nil {
		t.Fatal(err)
	}
	if d := s.Decide(routing.Facts{Category: "utilities.water"}); d.Auto || d.Lead != uuid.Nil {
		t.Errorf("inactive: %+v", d)
	}
}

func TestAChangeReachesTheOtherNode(t *testing.T) {
	t.Parallel()
	pool := testkit.DB(t)
	city := testkit.City(t, pool)
	shared := &board{}
	here, there := start(t, pool, shared), start(t, pool, shared)
	_, err := here.CreateAgency(t.Context(), city.Staff("administrator"), routing.AgencyFields{
		Code: "dept-new", Parent: city.Agencies["city"], Kind: "department", Names: routing.Names{"en": "New", "zh-CN": "新"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, ok := there.Snapshot().AgencyByCode("dept-new"); ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("the other node never heard of it")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestStartsEmptyAndStopsTwice(t *testing.T) {
	// Not parallel: it counts goroutines.
	pool := testkit.DB(t)
	before := goleak.IgnoreCurrent()
	s := routing.New(routing.Deps{Pool: pool, Log: slog.New(slog.DiscardHandler)})
	s.Stop()
	if d := s.Decide(routing.Facts{Text: "anything"}); d.Auto {
		t.Errorf("before Start: %+v", d)
	}
	for range 2 {
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if d := s.Decide(routing.Facts{Text: "anything"}); d.Auto || len(d.Explanation) == 0 {
		t.Errorf("on an empty database: %+v", d)
	}
	s.Stop()
	s.Stop()
	pool.Close()
	goleak.VerifyNone(t, before)
}

func TestNamesFallBack(t *testing.T) {
	t.Parallel()
	n := routing.Names{"en": "Noise", "zh-CN": "噪音"}
	for lang, want := range map[string]string{"en": "Noise", "zh-CN": "噪音", "zh-TW": "噪音", "zh": "噪音", "fr": "Noise", "": "Noise"} {
		if got := n.In(lang); got != want {
			t.Errorf("%q: got %q, want %q", lang, got, want)
		}
	}
	if got := (routing.Names{"zh-CN": "噪音"}).In("en"); got != "噪音" {
		t.Errorf("only Chinese: got %q", got)
	}
	if got := routing.Names(nil).In("en"); got != "" {
		t.Errorf("no names: got %q", got)
	}
}
