package i18n

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"hotline/internal/errs"
)

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// A text that exists in one language only, or that loses an argument in translation, is seen by a person who cannot read the other one.
func TestLanguagesAgree(t *testing.T) {
	t.Parallel()
	b := MustLoad()
	if got := b.Languages(); !slices.Equal(got, []string{"en", "zh-CN"}) {
		t.Fatalf("languages = %v", got)
	}
	for _, lang := range b.Languages() {
		for key, base := range b.catalogues[Default] {
			other, ok := b.catalogues[lang][key]
			if !ok {
				t.Errorf("%s: %s is missing", lang, key)
				continue
			}
			if want, got := names(base["other"]), names(other["other"]); !slices.Equal(want, got) {
				t.Errorf("%s: %s has placeholders %v, want %v", lang, key, got, want)
			}
		}
		for key, entry := range b.catalogues[lang] {
			if b.catalogues[Default][key] == nil {
				t.Errorf("%s: %s is not in %s", lang, key, Default)
			}
			for form, words := range entry {
				if strings.TrimSpace(words) == "" {
					t.Errorf("%s: %s (%s) is empty", lang, key, form)
				}
			}
		}
	}
}

func names(s string) []string {
	found := placeholder.FindAllString(s, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

var errorCode = regexp.MustCompile(`errs\.New\(\s*errs\.\w+,\s*"([a-z0-9_.]+)"`)

// Every stable code in the program has words, so that nobody reads the wording of a kind where a better one was possible.
func TestEveryErrorCodeHasWords(t *testing.T) {
	t.Parallel()
	b := MustLoad()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != root {
			return fs.SkipDir
		}
		if d.IsDir() && d.Name() == "data" && filepath.Dir(name) == root { // a running installation's folder, unreadable parts included
			return fs.SkipDir
		}
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range errorCode.FindAllSubmatch(source, -1) {
			if key := "errors." + string(m[1]); !b.Known(key) {
				t.Errorf("%s: code %q has no words in locales/*/errors.json", name, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	b := MustLoad()
	for _, c := range []struct{ lang, key, want string }{
		{"en", "common.days", "1 day"},
		{"zh-CN", "common.days", "1 天"},
		{"fr", "common.days", "1 day"},
		{"en", "common.unheard_of", "common.unheard_of"},
	} {
		if got := b.T(c.lang, c.key, "n", 1); got != c.want {
			t.Errorf("T(%s, %s, 1) = %q, want %q", c.lang, c.key, got, c.want)
		}
	}
	if got := b.T("en", "common.days", "n", 2); got != "2 days" {
		t.Errorf("two days = %q", got)
	}
	if got := fill("{a} and {b} {c}", []any{"a", "{b}", "b", 2}); got != "{b} and 2 {c}" {
		t.Errorf("a value was read as a placeholder: %q", got)
	}
}

func TestErrorWords(t *testing.T) {
	t.Parallel()
	b := MustLoad()
	secret := errors.New("password=hunter2")
	known := errs.New(errs.Conflict, "http.cross_origin", "x").Wrap(secret)
	unknown := errs.New(errs.NotFound, "nobody.knows", "x").Wrap(secret)
	for _, err := range []error{known, unknown, secret} {
		for _, lang := range b.Languages() {
			got := b.Error(lang, err)
			if got == "" || strings.HasPrefix(got, "errors.") || strings.Contains(got, "hunter2") {
				t.Errorf("%s: %v reads %q", lang, err, got)
			}
		}
	}
	if got := b.Error("en", unknown); got != b.T("en", "errors.kind.not_found") {
		t.Errorf("unknown code reads %q", got)
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	b := MustLoad()
	for _, c := range []struct{ query, cookie, accept, want string }{
		{"", "", "", "en"},
		{"zh-CN", "en", "en", "zh-CN"},
		{"", "zh-CN", "en", "zh-CN"},
		{"", "", "zh-Hans-CN,zh;q=0.9", "zh-CN"},
		{"zh", "", "", "zh-CN"},
		{"", "", "de-DE,de;q=0.9", "en"},
		{"../../etc", "<script>", "zh", "zh-CN"},
		{"", "", strings.Repeat("zh,", 4000), "en"},
	} {
		if got := b.Negotiate(c.query, c.cookie, c.accept); got != c.want {
			t.Errorf("Negotiate(%q, %q, %.20q) = %s, want %s", c.query, c.cookie, c.accept, got, c.want)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	b := MustLoad()
	zone := time.FixedZone("Lanting", 8*3600)
	at := time.Date(2026, 3, 31, 17, 5, 0, 0, time.UTC) // already April there
	for got, want := range map[string]string{
		Date("en", at, zone):    "1 April 2026",
		Date("zh-CN", at, zone): "2026年4月1日",
		Deadline("zh-CN", time.Date(2026, 4, 2, 0, 0, 0, 0, zone), zone): "2026年4月1日", // at the end of the first
		DateTime("en", at, zone):              "1 April 2026, 01:05",
		DateTime("zh-CN", at, zone):           "2026年4月1日 01:05",
		Weekday("zh-CN", at, zone):            "星期三",
		Number("en", -1234567):                "-1,234,567",
		Number("zh-CN", 999):                  "999",
		Size(1536):                            "2 KB",
		Size(10 << 20):                        "10 MB",
		Size(3 << 19):                         "1.5 MB",
		b.Duration("en", 71*time.Hour):        "2 days",
		b.Duration("zh-CN", -100*time.Minute): "2 小时",
		b.Duration("en", time.Second):         "1 minute",
		Dir("ar-EG"):                          "rtl",
		Dir("zh-CN"):                          "ltr",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestBrokenCatalogueIsNamed(t *testing.T) {
	t.Parallel()
	_, err := load(fstest.MapFS{"locales/en/x.json": {Data: []byte(`{"a": {"one": "1"}}`)}})
	if err == nil || !strings.Contains(err.Error(), "locales/en/x.json") {
		t.Errorf("err = %v", err)
	}
}
