package city_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/city"
	"hotline/internal/db"
	"hotline/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// folder is the demo city on disk, for editing.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../demo/city")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func edit(t *testing.T, dir, name, old, new string) {
	t.Helper()
	path := filepath.Join(dir, name)
	raw, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(raw), old) {
		t.Fatalf("%s does not hold %q (%v): mend this test", name, old, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(raw), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string) city.City {
	t.Helper()
	c, err := city.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func load(t *testing.T, pool *pgxpool.Pool, dir string, o city.Options) string {
	t.Helper()
	p, err := city.Import(t.Context(), pool, read(t, dir), o)
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, len(p.Changes))
	for i, c := range p.Changes {
		lines[i] = c.String()
	}
	return strings.Join(lines, "\n")
}

func count(t *testing.T, pool *pgxpool.Pool, sql string) (n int) {
	t.Helper()
	if err := db.ReadTx(t.Context(), pool, db.System(), func(tx db.Tx) error { return tx.QueryRow(t.Context(), sql).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAFolderFillsAnEmptyInstallationAndAgainChangesNothing(t *testing.T) {
	t.Parallel()
	pool, dir := testkit.DB(t), folder(t)
	first := load(t, pool, dir, city.Options{Check: true})
	if !strings.Contains(first, "+ category utilities.gas.leak") || count(t, pool, `select count(*) from categories`) != 0 {
		t.Errorf("a check says %q and wrote %d categories", first[:80], count(t, pool, `select count(*) from categories`))
	}
	if got := load(t, pool, dir, city.Options{}); got != first {
		t.Errorf("the import does not do what the check said")
	}
	if got := load(t, pool, dir, city.Options{}); got != "" {
		t.Errorf("the second time: %s", got)
	}
	if n := count(t, pool, `select count(*) from catalogue_versions`); n != 1 {
		t.Errorf("%d versions of the dispatch catalogue", n)
	}
}

func TestExportAndImportAreOneAnothersInverse(t *testing.T) {
	t.Parallel()
	pool, dir := testkit.DB(t), folder(t)
	load(t, pool, dir, city.Options{})
	// What only a real installation has: a closed agency, a category that is out of use, an area without a polygon.
	for _, sql := range []string{
		`update agencies set active = false where code = 'dept-market'`, `update categories set active = false where code = 'education.fees'`,
		`update areas set geometry = null where code = 'lianhua'`, `update service_items set area = 'lianhua' where code = 'LT-EDU-001'`,
	} {
		if _, err := testkit.OwnerPool(t, pool).Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	c, err := city.Export(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "new")
	if left, err := city.Write(out, c); err != nil || len(left) > 0 {
		t.Fatalf("left out %v, %v", left, err)
	}
	if got := load(t, pool, out, city.Options{Check: true, DeactivateMissing: true}); got != "" {
		t.Errorf("export, then import --check:\n%s", got)
	}
	// And another installation becomes the same.
	other := testkit.DB(t)
	edit(t, out, "catalogue.json", `"lead": "dept-market"`, `"lead": "dept-education"`)
	if _, err := city.Import(t.Context(), other, read(t, out), city.Options{}); err == nil || !strings.Contains(err.Error(), "is inactive; a new version of the catalogue cannot name it") {
		t.Errorf("a catalogue that sends to a closed agency: %v", err)
	}
}

func TestWhatChangesIsNamedWrittenAndKept(t *testing.T) {
	t.Parallel()
	pool, dir := testkit.DB(t), folder(t)
	load(t, pool, dir, city.Options{})
	edit(t, dir, "agencies.json", `"phone": "555-1000"`, `"phone": "555-1001"`)
	edit(t, dir, "categories.json", `"urgency": "normal"`, `"urgency": "urgent"`)
	edit(t, dir, "catalogue.json", `"area": "lianhua", "lead": "street-lianhua"`, `"area": "lianhua", "lead": "dept-urban-management"`)
	edit(t, dir, "synonyms.json", `"apartment"`, `"apartment", "flatlet"`)
	edit(t, dir, "articles/en/noise-complaint.md", "\n---\n", "\n---\nNew words.\n\n")
	edit(t, dir, "jurisdiction.json", `"number": "110"`, `"number": "1100"`)
	got := load(t, pool, dir, city.Options{})
	for _, want := range []string{"~ agency city: phone", "~ category education: urgency", "~ catalogue version 2: 1 entries new or changed, 1 no longer", "+ synonyms en: ",
		"= article noise-complaint (en): differs (body) and stays; editors own it", "~ jurisdiction lanting: emergency"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said in\n%s", want, got)
		}
	}
	for sql, want := range map[string]int{
		`select count(*) from agencies where phone = '555-1001' and version = 2`:                                                     1,
		`select version from catalogue_versions where state = 'published'`:                                                           2,
		`select count(*) from catalogue_versions where state = 'retired'`:                                                            1,
		`select count(*) from synonym_groups where 'apartment' = any(terms)`:                                                         1,
		`select count(*) from article_versions where body like 'New words%'`:                                                         0,
		`select count(*) from reference_changes where thing = 'agency' and code = 'city' and action = 'changed' and by_user is null`: 1,
		`select count(*) from reference_changes where thing = 'category' and action = 'changed' and after = '{"urgency": "urgent"}'`: 1,
		`select count(*) from jurisdictions where settings->'emergency'->0->>'number' = '1100' and settings->'canned' is not null`:   1,
	} {
		if n := count(t, pool, sql); n != want {
			t.Errorf("%s: %d, want %d", sql, n, want)
		}
	}
	if got := load(t, pool, dir, city.Options{}); strings.Count(got, "\n") != 0 || !strings.HasPrefix(got, "= article") {
		t.Errorf("again: %s", got)
	}
}

func TestWhatIsMissingStaysUnlessOneAsks(t *testing.T) {
	t.Parallel()
	pool, dir := testkit.DB(t), folder(t)
	load(t, pool, dir, city.Options{})
	if _, err := testkit.OwnerPool(t, pool).Exec(t.Context(), `insert into categories (code, names, kinds) values ('old', '{"en":"Old","zh-CN":"旧"}', '{help}')`); err != nil {
		t.Fatal(err)
	}
	if got := load(t, pool, dir, city.Options{}); got != "? category old: is not in the folder and stays (--deactivate-missing takes it out of use)" {
		t.Error(got)
	}
	if got := load(t, pool, dir, city.Options{DeactivateMissing: true}); got != "- category old: is taken out of use" {
		t.Error(got)
	}
	if n := count(t, pool, `select count(*) from categories where code = 'old' and not active`); n != 1 {
		t.Errorf("%d inactive categories: nothing is ever deleted", n)
	}
	if got := load(t, pool, dir, city.Options{DeactivateMissing: true}); got != "" {
		t.Error(got)
	}
}

func TestWhatAnInstallationCannotTakeIsRefusedWhole(t *testing.T) {
	t.Parallel()
	pool, dir := testkit.DB(t), folder(t)
	load(t, pool, dir, city.Options{})
	for name, tt := range map[string]struct{ file, old, new, want string }{
		"another city":          {"jurisdiction.json", `"code": "lanting"`, `"code": "elsewhere"`, "this installation serves lanting and not elsewhere"},
		"an agency that moves":  {"agencies.json", `"parent": "dist-donghu"`, `"parent": "city"`, "an agency never moves"},
		"an agency of new kind": {"agencies.json", `"kind": "department"`, `"kind": "city"`, "is a department in this installation and a city here"},
	} {
		bad := folder(t)
		edit(t, bad, "agencies.json", `"phone": "555-1000"`, `"phone": "never"`)
		edit(t, bad, tt.file, tt.old, tt.new)
		if _, err := city.Import(t.Context(), pool, read(t, bad), city.Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := count(t, pool, `select count(*) from agencies where phone = 'never'`); n != 0 {
		t.Error("a part of a refused folder was written")
	}
}
