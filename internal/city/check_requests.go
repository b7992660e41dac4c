package city

import (
	"slices"
	"strings"
)

// checkCategories returns the codes, and which of them are leaves.
func (c City) checkCategories(k *checker) (codes, leaves map[string]bool) {
	k.open("categories.json")
	codes, leaves = map[string]bool{}, map[string]bool{}
	kinds := map[string][]string{}
	level := map[string]int{}
	for _, g := range c.Categories {
		if !g.Inactive {
			leaves[g.Code] = true
			delete(leaves, g.Parent)
		}
	}
	said := map[string]string{}
	for i, g := range c.Categories {
		k.at(i)
		up, _, nested := cutLast(g.Code, ".")
		if !nested {
			up = ""
		}
		if g.Parent != up {
			k.advise(g.Code, "parent %q: the code suggests %q", g.Parent, up)
		}
		if g.Parent != "" && !codes[g.Parent] {
			k.fail(g.Code, "parent %q does not exist above it", g.Parent)
		}
		if level[g.Code] = level[g.Parent] + 1; level[g.Code] > maxCategoryLevels {
			k.fail(g.Code, "more than %d levels", maxCategoryLevels)
		}
		k.text(g.Code, "names", g.Names)
		if len(g.Description) > 0 {
			k.text(g.Code, "description", g.Description)
		}
		k.oneOf(g.Code, "urgency", g.Urgency, urgencies)
		k.eachOf(g.Code, "kinds", g.Kinds, kindsOfRequest)
		for _, kind := range g.Kinds {
			if g.Parent != "" && !slices.Contains(kinds[g.Parent], kind) {
				k.fail(g.Code, "kind %q cannot be reached, %s does not list it", kind, g.Parent)
			}
		}
		kinds[g.Code] = g.Kinds
		k.words(g.Code, "keywords", g.Keywords)
		k.words(g.Code, "examples", g.Examples)
		for _, lang := range k.langs {
			if leaves[g.Code] && len(g.Examples[lang]) < minExamples {
				k.advise(g.Code, "%d examples in %s: want at least %d", len(g.Examples[lang]), lang, minExamples)
			}
			if leaves[g.Code] && len(g.Keywords[lang]) == 0 {
				k.advise(g.Code, "no keywords in %s", lang)
			}
			for _, e := range g.Examples[lang] {
				if other := said[e]; other != "" {
					k.fail(g.Code, "the example %q stands in %s too", e, other)
				}
				said[e] = g.Code
			}
		}
		k.add(codes, dottedCode, g.Code)
	}
	return codes, leaves
}

// words wants the languages of the jurisdiction only, and no empty word.
func (k *checker) words(entry, field string, w Words) {
	for lang, list := range w {
		if !slices.Contains(k.langs, lang) {
			k.fail(entry, "%s in %q, which is not a language of the jurisdiction", field, lang)
		}
		for i, word := range list {
			if strings.TrimSpace(word) == "" {
				k.fail(entry, "%s in %s: number %d is empty", field, lang, i+1)
			}
			if slices.Contains(list[:i], word) {
				k.fail(entry, "%s in %s: %q stands there twice", field, lang, word)
			}
		}
	}
}

func (c City) checkServices(k *checker, agencies, categories, areas map[string]bool) map[string]bool {
	k.open("services.json")
	seen := map[string]bool{}
	for i, s := range c.Services {
		k.at(i)
		k.text(s.Code, "names", s.Names)
		k.text(s.Code, "summary", s.Summary)
		k.known(s.Code, "agency", s.Agency, agencies)
		if s.Category != "" {
			k.known(s.Code, "category", s.Category, categories)
		}
		if s.Area != "" {
			k.known(s.Code, "area", s.Area, areas)
		}
		k.eachOf(s.Code, "channels", s.Channels, serviceChannels)
		if s.LifeEvent != "" {
			k.oneOf(s.Code, "life_event", s.LifeEvent, lifeEvents)
		}
		k.add(seen, serviceCode, s.Code)
	}
	return seen
}

func (c City) checkCatalogue(k *checker, agencies, categories, services, areas, leaves map[string]bool) {
	k.open("catalogue.json")
	if c.Catalogue.Version < 1 {
		k.fail("version", "%d: want 1 or more", c.Catalogue.Version)
	}
	k.text("catalogue", "names", c.Catalogue.Names)
	type key struct{ category, service, area string }
	seen := map[key]bool{}
	for at, e := range c.Catalogue.Entries {
		k.at(at)
		name := strings.Join(slices.DeleteFunc([]string{e.Category, e.ServiceItem, e.Area},
			func(s string) bool { return s == "" }), " ")
		k.known(name, "category", e.Category, categories)
		if e.ServiceItem != "" {
			k.known(name, "service_item", e.ServiceItem, services)
		}
		if e.Area != "" {
			k.known(name, "area", e.Area, areas)
		}
		if e.Urgency != "" {
			k.oneOf(name, "urgency", e.Urgency, urgencies)
		}
		k.known(name, "lead", e.Lead, agencies)
		for i, co := range e.Co {
			k.known(name, "co", co, agencies)
			if co == e.Lead || slices.Contains(e.Co[:i], co) {
				k.fail(name, "co names %q, which is in the entry already", co)
			}
		}
		place := key{e.Category, e.ServiceItem, e.Area}
		if seen[place] {
			k.fail(name, "a second entry for the same category, service item and area")
		}
		seen[place] = true
	}
	k.line = 0
	for _, g := range c.Categories {
		if leaves[g.Code] && !seen[key{g.Code, "", ""}] {
			k.fail(g.Code, "the leaf has no entry without an area, so a request without a place goes nowhere")
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
