package routing

import (
	"maps"
	"slices"
	"strings"
)

// Names are a thing's name in each language, by language tag.
type Names map[string]string

// In returns the name in the language, in one that shares its first part
// ("zh" and "zh-CN"), in English, or in any, in this order; "" without names.
func (n Names) In(lang string) string {
	if name := n[lang]; name != "" {
		return name
	}
	base, _, _ := strings.Cut(lang, "-")
	keys := slices.Sorted(maps.Keys(n))
	for _, k := range keys {
		if b, _, _ := strings.Cut(k, "-"); strings.EqualFold(b, base) && n[k] != "" {
			return n[k]
		}
	}
	if name := n["en"]; name != "" {
		return name
	}
	for _, k := range keys {
		if n[k] != "" {
			return n[k]
		}
	}
	return ""
}
