// Package i18n holds the words people read on web pages and in the widget, in every language the product speaks, and the ways numbers
// and times are written in them.
//
// Catalogues are JSON files, one folder a language and one file a surface: locales/<lang>/<surface>.json. A file's keys are flat; the
// surface's name is put in front, so "home.title" in portal.json is asked for as "portal.home.title". A value is a text with {name}
// placeholders, or an object of plural forms ({"one": …, "other": …}) chosen by the argument n.
//
// Invariants, kept by tests: every language has the same keys with the same placeholders, and every code in the program's errs.New calls has words.
// A missing key is shown as the key itself, never as nothing. The package imports internal/errs and nothing else of the project; it knows
// nothing of HTTP.
package i18n

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"hotline/internal/errs"
)

//go:embed locales
var locales embed.FS

// Default is the language used when nothing better is known; its catalogue also fills the gaps of the others.
const Default = "en"

// text is one entry: its plural forms by category, "other" always present.
type text map[string]string

// UnmarshalJSON takes a plain string as the only form.
func (t *text) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = text{"other": one}
		return nil
	}
	forms := map[string]string{}
	if err := json.Unmarshal(b, &forms); err != nil {
		return err
	}
	if _, ok := forms["other"]; !ok {
		return errors.New(`plural forms need "other"`)
	}
	*t = forms
	return nil
}

// Bundle is all catalogues, read-only after Load.
type Bundle struct {
	langs      []string
	catalogues map[string]map[string]text
	matcher    language.Matcher
}

// Load reads the embedded catalogues. Errors: a file that is not a catalogue.
func Load() (*Bundle, error) { return load(locales) }

// MustLoad is Load for start-up code and tests: the catalogues are part of the program, so a broken one is a bug. They are read once, and whoever asks
// gets the same: nothing changes a Bundle.
func MustLoad() *Bundle { return shipped() }

var shipped = sync.OnceValue(func() *Bundle {
	b, err := Load()
	if err != nil {
		panic(err)
	}
	return b
})

func load(files fs.FS) (*Bundle, error) {
	b := &Bundle{catalogues: map[string]map[string]text{}}
	err := fs.WalkDir(files, "locales", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		entries := map[string]text{}
		if err := json.Unmarshal(raw, &entries); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		lang := path.Base(path.Dir(name))
		surface := strings.TrimSuffix(path.Base(name), ".json")
		if b.catalogues[lang] == nil {
			b.catalogues[lang] = map[string]text{}
		}
		for key, value := range entries {
			b.catalogues[lang][surface+"."+key] = value
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("catalogues: %w", err)
	}
	for lang := range b.catalogues {
		if lang != Default {
			b.langs = append(b.langs, lang)
		}
	}
	sort.Strings(b.langs)
	b.langs = append([]string{Default}, b.langs...) // the matcher falls back to the first
	tags := make([]language.Tag, len(b.langs))
	for i, lang := range b.langs {
		tags[i] = language.MustParse(lang)
	}
	b.matcher = language.NewMatcher(tags)
	return b, nil
}

// Languages lists the languages there are words for, the default first.
func (b *Bundle) Languages() []string { return append([]string(nil), b.langs...) }

// Has reports whether there is a catalogue for exactly this language.
func (b *Bundle) Has(lang string) bool { return b.catalogues[lang] != nil }

// Known reports whether the key has words.
func (b *Bundle) Known(key string) bool { return b.catalogues[Default][key] != nil }

// T gives the words for a key. args are pairs of name and value; the value of n chooses the plural form.
func (b *Bundle) T(lang, key string, args ...any) string {
	entry := b.catalogues[lang][key]
	if entry == nil {
		entry = b.catalogues[Default][key]
	}
	if entry == nil {
		return key
	}
	form := entry["other"]
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "n" {
			if f, ok := entry[pluralForm(lang, args[i+1])]; ok {
				form = f
			}
		}
	}
	return fill(form, args)
}

// pluralForm knows the forms of the languages we have. Chinese has one; English says "one" for exactly 1.
func pluralForm(lang string, n any) string {
	if strings.HasPrefix(lang, "zh") {
		return "other"
	}
	if fmt.Sprint(n) == "1" {
		return "one"
	}
	return "other"
}

// fill replaces {name} in one pass, so that a value holding braces is never read as a placeholder.
func fill(form string, args []any) string {
	if len(args) == 0 || !strings.Contains(form, "{") {
		return form
	}
	var out strings.Builder
	for {
		open := strings.IndexByte(form, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(form[open:], '}')
		if end < 0 {
			break
		}
		name := form[open+1 : open+end]
		out.WriteString(form[:open])
		value, found := any(nil), false
		for i := 0; i+1 < len(args); i += 2 {
			if args[i] == name {
				value, found = args[i+1], true
				break
			}
		}
		if found {
			fmt.Fprint(&out, value)
		} else {
			out.WriteString(form[open : open+end+1])
		}
		form = form[open+end+1:]
	}
	out.WriteString(form)
	return out.String()
}

// Surface gives one surface's single-form texts without their prefix, for handing a whole catalogue to a script.
func (b *Bundle) Surface(lang, surface string) map[string]string {
	out := map[string]string{}
	for key, entry := range b.catalogues[Default] {
		name, ok := strings.CutPrefix(key, surface+".")
		if !ok {
			continue
		}
		if own := b.catalogues[lang][key]; own != nil {
			entry = own
		}
		out[name] = entry["other"]
	}
	return out
}

// Error gives the words for an error: those of its code, else those of its kind. A cause never shows.
func (b *Bundle) Error(lang string, err error) string {
	var e *errs.Error
	if !errors.As(err, &e) {
		return b.T(lang, "errors.kind.internal")
	}
	args := make([]any, 0, 2*len(e.Args))
	for k, v := range e.Args {
		args = append(args, k, v)
	}
	if key := "errors." + e.Code; b.Known(key) {
		return b.T(lang, key, args...)
	}
	return b.T(lang, "errors.kind."+string(e.Kind), args...)
}

// Negotiate chooses a language: an explicit wish (?lang=), then a remembered one (cookie), then an Accept-Language header. The answer is
// always one of Languages.
func (b *Bundle) Negotiate(explicit, remembered, accept string) string {
	for _, wish := range []string{explicit, remembered} {
		if b.Has(wish) {
			return wish
		}
		if wish != "" {
			if tag, err := language.Parse(wish); err == nil {
				if _, i, c := b.matcher.Match(tag); c > language.No {
					return b.langs[i]
				}
			}
		}
	}
	if len(accept) > 500 { // a header written to cost time
		accept = ""
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return Default
	}
	_, i, _ := b.matcher.Match(tags...)
	return b.langs[i]
}

// Dir is the writing direction of a language, for the dir attribute.
func Dir(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	switch base {
	case "ar", "fa", "he", "ur", "ug", "ps", "yi":
		return "rtl"
	}
	return "ltr"
}

// Name is a language's name in itself, for language switches.
func Name(lang string) string {
	switch lang {
	case "en":
		return "English"
	case "zh-CN":
		return "简体中文"
	}
	return lang
}
