package city_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotline/internal/city"
	"hotline/internal/testkit"
)

const fieldsJSON = `[
  {"category": "environment.noise", "code": "since", "names": {"en": "Since when", "zh-CN": "开始日期"}, "type": "date", "asked": true, "intake": true, "position": 2},
  {"category": "environment.noise", "code": "source", "names": {"en": "What makes the noise", "zh-CN": "噪声来源"}, "type": "choice",
    "choices": [{"code": "works", "names": {"en": "Building works", "zh-CN": "施工"}}, {"code": "bar", "names": {"en": "A bar", "zh-CN": "酒吧"}}], "closing": true}
]
`

func writeFields(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "fields.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFieldsGoInAndOutWithTheFolder(t *testing.T) {
	t.Parallel()
	pool, dir := testkit.DB(t), folder(t)
	writeFields(t, dir, fieldsJSON)
	if got := load(t, pool, dir, city.Options{}); !strings.Contains(got, "+ field environment.noise/since") {
		t.Fatal(got)
	}
	c, err := city.Export(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if _, err := city.Write(out, c); err != nil {
		t.Fatal(err)
	}
	other := testkit.DB(t)
	load(t, other, out, city.Options{})
	if got := load(t, other, dir, city.Options{DeactivateMissing: true}); strings.Contains(got, "field") {
		t.Errorf("out and in again is another:\n%s", got)
	}
	if n := count(t, other, `select count(*) from custom_fields where code = 'source' and closing and not asked and choices->1->'names'->>'zh-CN' = '酒吧'`); n != 1 {
		t.Error("the choices did not come along")
	}
	// A change is a new version of the definition; what a field holds stays.
	writeFields(t, dir, strings.Replace(fieldsJSON, "Since when", "From what day", 1))
	if got := load(t, pool, dir, city.Options{}); got != "~ field environment.noise/since: names" {
		t.Error(got)
	}
	if n := count(t, pool, `select count(*) from custom_fields where code = 'since' and version = 2 and names->>'en' = 'From what day'`); n != 1 {
		t.Error("it was not changed")
	}
	writeFields(t, dir, strings.Replace(fieldsJSON, `"type": "date"`, `"type": "text"`, 1))
	if _, err := city.Import(t.Context(), pool, read(t, dir), city.Options{}); err == nil || !strings.Contains(err.Error(), "fields.json:2: environment.noise/since: is of type date") {
		t.Errorf("another type: %v", err)
	}
	writeFields(t, dir, "[]")
	if got := load(t, pool, dir, city.Options{}); strings.Count(got, "? field") != 2 {
		t.Error(got)
	}
	load(t, pool, dir, city.Options{DeactivateMissing: true})
	if n := count(t, pool, `select count(*) from custom_fields where not active`); n != 2 {
		t.Errorf("%d out of use", n)
	}
}

func TestAMistakeInAFieldIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string][2]string{
		`fields.json:2: environment.noise/Since: code does not have the form`:             {`"code": "since"`, `"code": "Since"`},
		`fields.json:2: environment.noises/since: category "environment.noises" does not`: {`environment.noise`, `environment.noises`},
		`fields.json:2: environment.noise/since: names has no zh-CN text`:                 {`"zh-CN": "开始日期"`, `"zh-CN": ""`},
		`fields.json:2: environment.noise/since: type "day": want one of`:                 {`"type": "date"`, `"type": "day"`},
		`fields.json:2: environment.noise/since: a filing needs it (intake)`:              {`"asked": true, `, ``},
		`fields.json:3: environment.noise/source: choices names "works" twice`:            {`"code": "bar"`, `"code": "works"`},
		`fields.json:3: environment.noise/source: choices belong to the type choice`:      {`"type": "choice"`, `"type": "text"`},
		`fields.json:3: environment.noise/since: code is used twice`:                      {`"code": "source"`, `"code": "since"`},
	} {
		dir := folder(t)
		if !strings.Contains(fieldsJSON, edit[0]) {
			t.Fatalf("%q is not there", edit[0])
		}
		writeFields(t, dir, strings.Replace(fieldsJSON, edit[0], edit[1], 1))
		if _, err := city.ReadDir(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}
