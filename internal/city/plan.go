package city

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/paulmach/orb/geojson"
)

// Action is what happens to one thing.
type Action string

// The actions of a plan.
const (
	Add        Action = "add"
	Alter      Action = "change"
	Deactivate Action = "deactivate"
	Missing    Action = "missing" // not in the folder; stays as it is
	Kept       Action = "kept"    // differs, and is not the folder's to change
)

// Change is one line of what an import does or would do.
type Change struct {
	Thing  string // jurisdiction, area, agency, category, service, field, catalogue, canned, synonyms, user, article
	Code   string
	Action Action
	Fields []string // of Alter and Kept
}

// String is the change as a person reads it.
func (c Change) String() string {
	sign := map[Action]string{Add: "+", Alter: "~", Deactivate: "-", Missing: "?", Kept: "="}[c.Action]
	line := sign + " " + c.Thing + " " + c.Code
	switch {
	case c.Action == Deactivate:
		line += ": is taken out of use"
	case c.Action == Missing:
		line += ": is not in the folder and stays (--deactivate-missing takes it out of use)"
	case c.Action == Kept && c.Thing == "article":
		line += ": differs (" + strings.Join(c.Fields, ", ") + ") and stays; editors own it"
	case c.Action == Add && c.Thing == "user":
		line += ": gets a password from an administrator"
	case len(c.Fields) > 0:
		line += ": " + strings.Join(c.Fields, ", ")
	}
	return line
}

// Plan is what an import does or would do.
type Plan struct{ Changes []Change }

// Empty reports whether nothing would be written.
func (p Plan) Empty() bool {
	return !slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Action == Add || c.Action == Alter || c.Action == Deactivate })
}

// written lists the codes of a thing that are added or changed.
func (p Plan) written(thing string) map[string]bool { return p.with(thing, Add, Alter) }

func (p Plan) with(thing string, actions ...Action) map[string]bool {
	out := map[string]bool{}
	for _, c := range p.Changes {
		if c.Thing == thing && slices.Contains(actions, c.Action) {
			out[c.Code] = true
		}
	}
	return out
}

// item is an entry of either side.
type item struct {
	code   string
	active bool
	value  any
}

func items[T any](list []T, of func(T) item) []item {
	out := make([]item, len(list))
	for i, one := range list {
		out[i] = of(one)
	}
	return out
}

// compare notes what a list of the folder changes. gone is what becomes of an active entry that the folder lacks.
func (p *Plan) compare(thing string, have, want []item, gone Action) {
	known := map[string]item{}
	for _, h := range have {
		known[h.code] = h
	}
	wanted := map[string]bool{}
	for _, w := range want {
		wanted[w.code] = true
		h, ok := known[w.code]
		if !ok {
			p.Changes = append(p.Changes, Change{thing, w.code, Add, nil})
		} else if fields := differing(h.value, w.value); len(fields) > 0 {
			p.Changes = append(p.Changes, Change{thing, w.code, Alter, fields})
		}
	}
	for _, h := range have {
		if h.active && !wanted[h.code] {
			p.Changes = append(p.Changes, Change{thing, h.code, gone, nil})
		}
	}
}

// differing names the fields in which two things differ; a field that is empty and one that is absent are the same.
func differing(a, b any) []string {
	x, y := fieldsOf(a), fieldsOf(b)
	var out []string
	for name := range x {
		if !reflect.DeepEqual(x[name], y[name]) {
			out = append(out, name)
		}
	}
	for name := range y {
		if _, both := x[name]; !both {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func fieldsOf(v any) map[string]any {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("city: a thing of a folder cannot be written: %v", err)) // they were all read from JSON or are made of it
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		panic(fmt.Sprintf("city: a thing of a folder cannot be read: %v", err))
	}
	prune(m)
	return m
}

func prune(m map[string]any) {
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case bool:
			if !v {
				delete(m, k)
			}
		case string:
			if v == "" {
				delete(m, k)
			}
		case []any:
			if len(v) == 0 {
				delete(m, k)
			}
		case map[string]any:
			if prune(v); len(v) == 0 {
				delete(m, k)
			}
		}
	}
}

// areaValue makes a geometry comparable.
func areaValue(a Area) any {
	var g any
	if a.Geometry != nil {
		g = geojson.NewGeometry(a.Geometry)
	}
	return struct {
		properties
		Geometry any `json:"geometry"`
	}{properties{a.Code, a.Parent, a.Level, a.Names, a.Inactive}, g}
}

func synonymKey(y Synonym) string {
	terms := make([]string, len(y.Terms))
	for i, t := range y.Terms {
		terms[i] = strings.ToLower(t)
	}
	slices.Sort(terms)
	return y.Lang + ": " + strings.Join(terms, ", ")
}

func articleKey(a Article) string { return a.Key + " (" + a.Lang + ")" }

// articleValue leaves out what is the installation's own: the slug.
func articleValue(a Article) any {
	a.Slug = ""
	return a
}

// plan compares a folder with an installation. Errors name what an existing installation does not take.
func (s *state) plan(c City, o Options) (Plan, error) {
	var p Plan
	gone := Missing
	if o.DeactivateMissing {
		gone = Deactivate
	}
	var broken []error
	switch j := s.Jurisdiction; {
	case j.Code == "":
		p.Changes = append(p.Changes, Change{"jurisdiction", c.Jurisdiction.Code, Add, nil})
	case j.Code != c.Jurisdiction.Code && (s.published > 0 || len(s.Categories) > 0):
		broken = append(broken, fmt.Errorf("jurisdiction.json: this installation serves %s and not %s: another city is another installation", j.Code, c.Jurisdiction.Code))
	default:
		if fields := differing(j, c.Jurisdiction); len(fields) > 0 {
			p.Changes = append(p.Changes, Change{"jurisdiction", c.Jurisdiction.Code, Alter, fields})
		}
	}
	area := func(a Area) item { return item{a.Code, !a.Inactive, areaValue(a)} }
	p.compare("area", items(s.Areas, area), items(c.Areas, area), gone)
	broken = append(broken, s.planAgencies(&p, c, gone))
	category := func(g Category) item { return item{g.Code, !g.Inactive, g} }
	p.compare("category", items(s.Categories, category), items(c.Categories, category), gone)
	service := func(i Service) item { return item{i.Code, !i.Inactive, i} }
	p.compare("service", items(s.Services, service), items(c.Services, service), gone)
	broken = append(broken, s.planFields(&p, c, gone), s.planCatalogue(&p, c))
	canned := func(r Canned) item { return item{r.Code, true, r} }
	p.compare("canned", items(s.Canned, canned), items(c.Canned, canned), gone)
	synonym := func(y Synonym) item { return item{synonymKey(y), true, struct{}{}} }
	p.compare("synonyms", items(s.Synonyms, synonym), items(c.Synonyms, synonym), gone)
	s.planPeopleAndTexts(&p, c)
	return p, errors.Join(broken...)
}

// planAgencies: the hotline itself is known by its kind, whatever its code; where an agency stands and what it is never changes, because
// tickets carry the agencies above theirs.
func (s *state) planAgencies(p *Plan, c City, gone Action) error {
	var broken []error
	have := slices.Clone(s.Agencies)
	rename := map[string]string{}
	if len(c.Agencies) > 0 && s.desk != "" && s.desk != c.Agencies[0].Code {
		rename[s.desk] = c.Agencies[0].Code
	}
	for i := range have {
		have[i].Code = orSame(rename, have[i].Code)
		have[i].Parent = orSame(rename, have[i].Parent)
	}
	k := &checker{file: "agencies.json", lines: c.lines}
	before := map[string]Agency{}
	for _, a := range have {
		before[a.Code] = a
	}
	for i, a := range c.Agencies {
		was, ok := before[a.Code]
		if !ok {
			continue
		}
		k.at(i)
		if was.Parent != a.Parent {
			broken = append(broken, errors.New(k.say(a.Code, "stands below %q in this installation and below %q here; an agency never moves, because its tickets know who is above it. Make a new one and set \"inactive\": true on this one", was.Parent, a.Parent)))
		}
		if was.Kind != a.Kind {
			broken = append(broken, errors.New(k.say(a.Code, "is a %s in this installation and a %s here; make a new one", was.Kind, a.Kind)))
		}
	}
	agency := func(a Agency) item { return item{a.Code, !a.Inactive, a} }
	p.compare("agency", items(have, agency), items(c.Agencies, agency), gone)
	for old, code := range rename {
		p.Changes = append(p.Changes, Change{"agency", code, Alter, []string{"code (was " + old + ")"}})
	}
	return errors.Join(broken...)
}

func orSame(names map[string]string, code string) string {
	if other, ok := names[code]; ok {
		return other
	}
	return code
}

// planCatalogue: entries that differ become a new version, which may name only what is in use.
func (s *state) planCatalogue(p *Plan, c City) error {
	if s.published > 0 && len(differing(Catalogue{Entries: s.Catalogue.Entries}, Catalogue{Entries: c.Catalogue.Entries})) == 0 {
		return nil
	}
	if len(c.Catalogue.Entries) == 0 {
		return nil
	}
	out := map[string]bool{}
	for _, a := range c.Agencies {
		out["agency "+a.Code] = a.Inactive
	}
	for _, g := range c.Categories {
		out["category "+g.Code] = g.Inactive
	}
	for _, i := range c.Services {
		out["service item "+i.Code] = i.Inactive
	}
	k := &checker{file: "catalogue.json", lines: c.lines}
	var broken []error
	for i, e := range c.Catalogue.Entries {
		k.at(i)
		names := []string{"category " + e.Category, "service item " + e.ServiceItem, "agency " + e.Lead}
		for _, co := range e.Co {
			names = append(names, "agency "+co)
		}
		for _, name := range names {
			if out[name] {
				broken = append(broken, errors.New(k.say(e.Category, "%s is inactive; a new version of the catalogue cannot name it", name)))
			}
		}
	}
	action := Alter
	if s.published == 0 {
		action = Add
	}
	p.Changes = append(p.Changes, Change{"catalogue", fmt.Sprintf("version %d", s.nextVersion(c)), action, s.entriesChanged(c)})
	return errors.Join(broken...)
}

// nextVersion keeps the folder's number where it is free, so that a fresh installation has the version that the folder names.
func (s *state) nextVersion(c City) int { return max(s.newest+1, c.Catalogue.Version) }

func (s *state) entriesChanged(c City) []string {
	if s.published == 0 {
		return []string{fmt.Sprintf("%d entries", len(c.Catalogue.Entries))}
	}
	count := func(list []Entry) map[string]int {
		m := map[string]int{}
		for _, e := range list {
			m[fmt.Sprintf("%+v", e)]++
		}
		return m
	}
	before, after := count(s.Catalogue.Entries), count(c.Catalogue.Entries)
	var added, removed int
	for e, n := range after {
		added += max(0, n-before[e])
	}
	for e, n := range before {
		removed += max(0, n-after[e])
	}
	return []string{fmt.Sprintf("%d entries new or changed, %d no longer", added, removed)}
}

func (s *state) planPeopleAndTexts(p *Plan, c City) {
	for _, u := range c.Users {
		if !s.accounts[strings.ToLower(u.Email)] {
			p.Changes = append(p.Changes, Change{"user", u.Email, Add, nil})
		}
	}
	known := map[string]Article{}
	for _, a := range s.Articles {
		known[articleKey(a)] = a
	}
	for _, a := range c.Articles {
		was, ok := known[articleKey(a)]
		if !ok {
			p.Changes = append(p.Changes, Change{"article", articleKey(a), Add, nil})
		} else if fields := differing(articleValue(was), articleValue(a)); len(fields) > 0 {
			p.Changes = append(p.Changes, Change{"article", articleKey(a), Kept, lower(fields)})
		}
	}
}

func lower(words []string) []string {
	for i, w := range words {
		words[i] = strings.ToLower(w)
	}
	return words
}

// Counts sums a plan up: what happens to how many of each thing.
func (p Plan) Counts() string {
	if len(p.Changes) == 0 {
		return "no change"
	}
	n := map[string]int{}
	for _, c := range p.Changes {
		n[c.Thing+" "+string(c.Action)]++
	}
	parts := make([]string, 0, len(n))
	for _, what := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, n[what]))
	}
	return strings.Join(parts, ", ")
}
