package bot

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// texts is the catalogue: language → key → text.
type texts map[string]map[string]string

// fallback is the language whose text is used when a language lacks a key.
const fallback = "en"

// loadTexts reads every texts_*.json of a folder.
func loadTexts(fsys fs.FS) (texts, error) {
	names, err := fs.Glob(fsys, "data/texts_*.json")
	if err != nil {
		return nil, fmt.Errorf("bot: list texts: %w", err)
	}
	out := texts{}
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("bot: read texts: %w", err)
		}
		m := map[string]string{}
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, fmt.Errorf("bot: %s: %w", name, err)
		}
		out[strings.TrimSuffix(strings.TrimPrefix(name, "data/texts_"), ".json")] = m
	}
	if out[fallback] == nil {
		return nil, fmt.Errorf("bot: no texts for %q", fallback)
	}
	return out, nil
}

// t gives a text with its placeholders filled: pairs are name, value. Values are not read for placeholders again.
func (x texts) t(lang, key string, pairs ...string) string {
	s, ok := x[lang][key]
	if !ok {
		s = x[fallback][key]
	}
	if len(pairs) == 0 || !strings.Contains(s, "{") {
		return s
	}
	args := make([]string, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		args[i], args[i+1] = "{"+pairs[i]+"}", pairs[i+1]
	}
	return strings.NewReplacer(args...).Replace(s)
}

// has reports whether a key exists.
func (x texts) has(lang, key string) bool {
	_, ok := x[lang][key]
	if !ok {
		_, ok = x[fallback][key]
	}
	return ok
}

// langs lists the languages, sorted.
func (x texts) langs() []string {
	var out []string
	for l := range x {
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}
