package city

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The words that data may use. They are the product's own, see docs and DOMAIN.
var (
	kindsOfRequest  = []string{"consult", "help", "complaint", "report", "suggestion", "praise"}
	kindsOfAgency   = []string{"hotline", "nation", "province", "city", "district", "street", "department"}
	levelsOfArea    = []string{"nation", "province", "city", "district", "street", "community"}
	emergencies     = []string{"police", "fire", "ambulance", "traffic", "gas", "water", "crisis"}
	urgencies       = []string{"normal", "urgent", "complex"}
	roles           = []string{"operator", "dispatcher", "handler", "head", "editor", "reviewer", "supervisor", "administrator"}
	serviceChannels = []string{"online", "counter", "phone"}
	lifeEvents      = []string{"birth", "school", "work", "home", "health", "retirement", "business", "legal", "travel", "safety"}
	audiences       = []string{"public", "staff"}
	placeholders    = []string{"agency", "due", "number", "officer"}
	// Forms are what drafts to citizens are put into; they also hold the answer and its source.
	replyForms       = []string{"reply-form", "chat-form"}
	formPlaceholders = []string{"agency", "answer", "due", "number", "officer", "source"}
	weekdays         = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
)

const (
	maxCategoryLevels = 3
	minExamples       = 6 // per leaf and language; fewer train no good classifier
)

var (
	plainCode   = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)
	dottedCode  = regexp.MustCompile(`^[a-z0-9_]+(?:\.[a-z0-9_]+)*$`)
	serviceCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	placeholder = regexp.MustCompile(`\{([^{}]*)\}`)
)

// checker collects what is wrong, so that an editor sees all of it at once.
type checker struct {
	file   string
	line   int // where the entry begins; 0 when the file is one entry
	lines  map[string][]int
	langs  []string
	broken []error
	advice []string
}

// at goes to entry i of the file.
func (k *checker) at(i int) {
	k.line = 0
	if lines := k.lines[k.file]; i >= 0 && i < len(lines) {
		k.line = lines[i]
	}
}

func (k *checker) say(entry, format string, args ...any) string {
	where := k.file
	if k.line > 0 {
		where += fmt.Sprintf(":%d", k.line)
	}
	return where + ": " + entry + ": " + fmt.Sprintf(format, args...)
}

func (k *checker) fail(entry, format string, args ...any) {
	k.broken = append(k.broken, errors.New(k.say(entry, format, args...)))
}

// advise is for what works but could be better.
func (k *checker) advise(entry, format string, args ...any) {
	k.advice = append(k.advice, k.say(entry, format, args...))
}

func (k *checker) open(file string) { k.file, k.line = file, 0 }

// text wants exactly the languages of the jurisdiction, none empty.
func (k *checker) text(entry, field string, t Text) {
	for _, lang := range k.langs {
		if strings.TrimSpace(t[lang]) == "" {
			k.fail(entry, "%s has no %s text", field, lang)
		}
	}
	for lang := range t {
		if !slices.Contains(k.langs, lang) {
			k.fail(entry, "%s has a text in %q, which is not a language of the jurisdiction", field, lang)
		}
	}
}

func (k *checker) oneOf(entry, field, value string, allowed []string) {
	if !slices.Contains(allowed, value) {
		k.fail(entry, "%s %q: want one of %s", field, value, strings.Join(allowed, ", "))
	}
}

// eachOf wants at least one value, every one allowed and none twice.
func (k *checker) eachOf(entry, field string, values, allowed []string) {
	if len(values) == 0 {
		k.fail(entry, "%s is empty", field)
	}
	for i, v := range values {
		k.oneOf(entry, field, v, allowed)
		if slices.Contains(values[:i], v) {
			k.fail(entry, "%s names %q twice", field, v)
		}
	}
}

func (k *checker) known(entry, field, code string, codes map[string]bool) {
	if !codes[code] {
		k.fail(entry, "%s %q does not exist", field, code)
	}
}

// add notes a code as seen; parent, when not "", has to be seen already.
func (k *checker) add(seen map[string]bool, shape *regexp.Regexp, code string) {
	if !shape.MatchString(code) {
		k.fail(code, "code does not have the form %s", shape)
	}
	if seen[code] {
		k.fail(code, "code is used twice")
	}
	seen[code] = true
}

// check returns every problem, joined, or nil, and the advice.
func (c City) check() ([]string, error) {
	k := &checker{langs: c.Jurisdiction.Languages, lines: c.lines}
	c.checkJurisdiction(k)
	areas := c.checkAreas(k)
	agencies := c.checkAgencies(k, areas)
	categories, leaves := c.checkCategories(k)
	services := c.checkServices(k, agencies, categories, areas)
	c.checkCatalogue(k, agencies, categories, services, areas, leaves)
	c.checkFields(k, categories)
	c.checkUsers(k, agencies)
	c.checkCanned(k)
	c.checkSynonyms(k)
	c.checkArticles(k, agencies, services)
	return k.advice, errors.Join(k.broken...)
}

func (c City) checkJurisdiction(k *checker) {
	k.open("jurisdiction.json")
	j := c.Jurisdiction
	if !plainCode.MatchString(j.Code) {
		k.fail(j.Code, "code does not have the form %s", plainCode)
	}
	if len(j.Languages) == 0 {
		k.fail(j.Code, "languages is empty")
	}
	k.text(j.Code, "names", j.Names)
	if _, err := time.LoadLocation(j.Timezone); err != nil || j.Timezone == "" {
		k.fail(j.Code, "timezone %q is unknown", j.Timezone)
	}
	if j.Phone == "" {
		k.advise(j.Code, "phone is empty: the portal names no number to call")
	}
	k.text(j.Code, "hours", j.Hours.Names)
	for name, spans := range j.Hours.Week {
		k.oneOf(j.Code, "hours", name, weekdays)
		for _, s := range spans {
			from, err1 := time.Parse("15:04", s.From)
			to, err2 := time.Parse("15:04", s.To)
			if err1 != nil || err2 != nil || !from.Before(to) {
				k.fail(j.Code, "hours on %s: %q to %q: want HH:MM, the first before the second", name, s.From, s.To)
			}
		}
	}
	seen := map[string]bool{}
	for _, e := range j.Emergency {
		k.oneOf("emergency "+e.Service, "service", e.Service, emergencies)
		if seen[e.Service] {
			k.fail("emergency "+e.Service, "service is used twice")
		}
		seen[e.Service] = true
		if e.Number == "" {
			k.fail("emergency "+e.Service, "number is empty")
		}
		k.text("emergency "+e.Service, "names", e.Names)
	}
	for _, must := range []string{"police", "fire", "ambulance"} {
		if !seen[must] {
			k.fail("emergency", "no number for %s", must)
		}
	}
}

func (c City) checkAreas(k *checker) map[string]bool {
	k.open("areas.geojson")
	seen := map[string]bool{}
	level := map[string]int{}
	for i, a := range c.Areas {
		k.at(i)
		k.oneOf(a.Code, "level", a.Level, levelsOfArea)
		k.text(a.Code, "names", a.Names)
		level[a.Code] = slices.Index(levelsOfArea, a.Level)
		switch {
		case a.Parent == "" && i > 0:
			k.fail(a.Code, "only the first area, the whole jurisdiction, has no parent")
		case a.Parent != "" && !seen[a.Parent]:
			k.fail(a.Code, "parent %q does not exist above it", a.Parent)
		case a.Parent != "" && level[a.Code] <= level[a.Parent]:
			k.fail(a.Code, "a %s cannot lie in %q", a.Level, a.Parent)
		}
		if a.Geometry == nil {
			k.advise(a.Code, "no geometry: no place on the map is found in it")
		}
		k.add(seen, plainCode, a.Code)
	}
	return seen
}

func (c City) checkAgencies(k *checker, areas map[string]bool) map[string]bool {
	k.open("agencies.json")
	seen := map[string]bool{}
	owner := map[string]string{}
	for i, a := range c.Agencies {
		k.at(i)
		k.oneOf(a.Code, "kind", a.Kind, kindsOfAgency)
		k.text(a.Code, "names", a.Names)
		if len(a.Hours) > 0 {
			k.text(a.Code, "hours", a.Hours)
		}
		if a.Phone == "" {
			k.advise(a.Code, "phone is empty")
		}
		switch {
		case a.Parent == "" && (i > 0 || a.Kind != "hotline"):
			k.fail(a.Code, "only the first agency, the hotline, has no parent")
		case a.Parent != "" && !seen[a.Parent]:
			k.fail(a.Code, "parent %q does not exist above it", a.Parent)
		}
		if a.Area != "" {
			k.known(a.Code, "area", a.Area, areas)
		}
		if a.Kind == "district" || a.Kind == "street" {
			if a.Area == "" {
				k.fail(a.Code, "a %s needs an area", a.Kind)
			} else if other := owner[a.Area]; other != "" && !a.Inactive {
				k.fail(a.Code, "area %q already belongs to %s", a.Area, other)
			}
			if !a.Inactive {
				owner[a.Area] = a.Code
			}
		}
		k.add(seen, plainCode, a.Code)
	}
	return seen
}
