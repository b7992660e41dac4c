package demo

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"hotline/internal/city"
)

func read(t *testing.T) city.City {
	t.Helper()
	c, err := Read()
	if err != nil {
		t.Fatalf("the embedded city does not hold together:\n%v", err)
	}
	return c
}

func leavesOf(c city.City) []city.Category {
	parents := map[string]bool{}
	for _, g := range c.Categories {
		parents[g.Parent] = true
	}
	return slices.DeleteFunc(slices.Clone(c.Categories), func(g city.Category) bool { return parents[g.Code] })
}

func TestCityIsAsLargeAsPromised(t *testing.T) {
	t.Parallel()
	c := read(t)
	at := func(what string, got, low, high int) {
		t.Helper()
		if got < low || got > high {
			t.Errorf("%s: %d, want %d to %d", what, got, low, high)
		}
	}
	const many = 1 << 20
	at("agencies", len(c.Agencies), 23, 30)
	at("leaf categories", len(leavesOf(c)), 60, many)
	at("service items", len(c.Services), 60, many)
	at("canned replies", len(c.Canned), 12, many)
	at("synonym sets", len(c.Synonyms), 50, many)

	articles := map[string]int{}
	linked := map[string]int{}
	for _, a := range c.Articles {
		articles[a.Lang]++
		if len(a.Services) > 0 {
			linked[a.Lang]++
		}
	}
	for _, lang := range c.Jurisdiction.Languages {
		at("articles in "+lang, articles[lang], 40, many)
		at("articles with a service item in "+lang, linked[lang], 40, many)
	}
}

func TestEveryFieldOfServiceHasItemsAndArticles(t *testing.T) {
	t.Parallel()
	c := read(t)
	items := map[string]int{}
	for _, s := range c.Services {
		items[strings.SplitN(s.Category, ".", 2)[0]]++
	}
	for _, field := range []string{"education", "health", "housing", "social_security", "legal", "transport", "environment", "utilities", "market", "public_safety"} {
		if items[field] < 4 {
			t.Errorf("%s: %d service items, want at least 4", field, items[field])
		}
	}
	events := map[string]bool{}
	for _, s := range c.Services {
		events[s.LifeEvent] = true
	}
	for _, e := range []string{"birth", "school", "work", "home", "health", "retirement", "business", "legal", "travel", "safety"} {
		if !events[e] {
			t.Errorf("no service item for the life event %s", e)
		}
	}
}

func TestEveryKindHasLeavesAndReportsAreConfidentialSomewhere(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	confidential, urgent := 0, 0
	for _, g := range leavesOf(read(t)) {
		for _, kind := range g.Kinds {
			kinds[kind]++
		}
		if g.Confidential {
			confidential++
			if !slices.Contains(g.Kinds, "report") {
				t.Errorf("%s is confidential but takes no reports", g.Code)
			}
		}
		if g.Urgency == "urgent" {
			urgent++
		}
	}
	for _, kind := range []string{"consult", "help", "complaint", "report", "suggestion", "praise"} {
		if kinds[kind] < 10 {
			t.Errorf("kind %s: %d leaves, want at least 10", kind, kinds[kind])
		}
	}
	if confidential == 0 || urgent == 0 {
		t.Errorf("confidential leaves: %d, urgent leaves: %d, want some of each", confidential, urgent)
	}
}

func TestEveryRoleCanSignIn(t *testing.T) {
	t.Parallel()
	c := read(t)
	byRole := map[string]map[string]bool{}
	for _, u := range c.Users {
		if !strings.HasSuffix(u.Email, ".example") {
			t.Errorf("%s could reach a real person: want an address under .example", u.Email)
		}
		for _, r := range u.Roles {
			if byRole[r] == nil {
				byRole[r] = map[string]bool{}
			}
			byRole[r][u.Agency] = true
		}
	}
	for _, r := range []string{"operator", "dispatcher", "handler", "head", "editor", "reviewer", "supervisor", "administrator"} {
		if len(byRole[r]) == 0 {
			t.Errorf("nobody has the role %s", r)
		}
	}
	handlers := byRole["handler"]
	street := false
	for agency := range handlers {
		street = street || strings.HasPrefix(agency, "street-")
	}
	if len(handlers) < 4 || !handlers["dept-environment"] || !handlers["dept-utilities"] || !street {
		t.Errorf("handlers work in %v: want four agencies with dept-environment, dept-utilities and a street", handlers)
	}
}

// resolve is the rule that Entry's comment states.
func resolve(c city.City, category, service, area string) (city.Entry, bool) {
	up := map[string]string{}
	for _, a := range c.Areas {
		up[a.Code] = a.Parent
	}
	for _, item := range []string{service, ""} {
		for at := area; ; at = up[at] {
			for _, e := range c.Catalogue.Entries {
				if e.Category == category && e.ServiceItem == item && e.Area == at {
					return e, true
				}
			}
			if at == "" {
				break
			}
		}
	}
	return city.Entry{}, false
}

func TestEveryLeafGoesToAnAgencyFromEveryStreet(t *testing.T) {
	t.Parallel()
	c := read(t)
	streets := []string{""}
	for _, a := range c.Areas {
		if a.Level == "street" {
			streets = append(streets, a.Code)
		}
	}
	leads := map[string]bool{}
	for _, g := range leavesOf(c) {
		for _, s := range streets {
			e, ok := resolve(c, g.Code, "", s)
			if !ok {
				t.Errorf("%s in %q goes nowhere", g.Code, s)
			}
			leads[e.Lead] = true
		}
	}
	for _, a := range c.Agencies {
		if (a.Kind == "street" || a.Kind == "department") && !leads[a.Code] {
			t.Errorf("%s never leads a request", a.Code)
		}
	}
	for _, want := range []struct{ category, service, area, lead string }{
		{"urban.streetlights", "", "lianhua", "street-lianhua"},
		{"urban.streetlights", "", "yugang", "street-yugang"},
		{"urban.streetlights", "", "", "dept-urban-management"},
		{"utilities.gas.leak", "", "lianhua", "dept-utilities"},
		{"environment.noise.construction", "LT-ENV-001", "cuihu", "dept-environment"},
		{"social_security.pension", "", "songlin", "dept-social-security"},
	} {
		if e, _ := resolve(c, want.category, want.service, want.area); e.Lead != want.lead {
			t.Errorf("%s %s in %q goes to %q, want %q", want.category, want.service, want.area, e.Lead, want.lead)
		}
	}
}

func TestEveryServiceItemLiesWithAnAgencyThatTakesItsRequests(t *testing.T) {
	t.Parallel()
	c := read(t)
	for _, s := range c.Services {
		if e, ok := resolve(c, s.Category, s.Code, ""); !ok || e.Lead != s.Agency {
			t.Errorf("%s belongs to %s but its requests go to %q", s.Code, s.Agency, e.Lead)
		}
	}
}

func contains(g orb.Geometry, p orb.Point) bool {
	switch g := g.(type) {
	case orb.Polygon:
		return planar.PolygonContains(g, p)
	case orb.MultiPolygon:
		return planar.MultiPolygonContains(g, p)
	}
	return false
}

// TestAreasTileTheCity throws points at the city: each lies in one street, in
// that street's district and in no other.
func TestAreasTileTheCity(t *testing.T) {
	t.Parallel()
	c := read(t)
	if len(c.Areas) != 13 {
		t.Errorf("%d areas, want the city, 4 districts and 8 streets", len(c.Areas))
	}
	holes, multi := 0, 0
	for _, a := range c.Areas {
		switch g := a.Geometry.(type) {
		case orb.Polygon:
			holes += len(g) - 1
		case orb.MultiPolygon:
			multi++
		}
	}
	if holes == 0 || multi == 0 {
		t.Errorf("holes: %d, multipolygons: %d, want one of each", holes, multi)
	}

	random := rand.New(rand.NewPCG(1, 2))
	inside := 0
	for range 20_000 {
		p := orb.Point{125.05 + random.Float64()*0.5, 30.0 + random.Float64()*0.4}
		at := map[string][]city.Area{}
		for _, a := range c.Areas {
			if contains(a.Geometry, p) {
				at[a.Level] = append(at[a.Level], a)
			}
		}
		if len(at["city"]) == 0 {
			if len(at["district"])+len(at["street"]) > 0 {
				t.Fatalf("%v lies outside the city and in %v", p, at)
			}
			continue
		}
		inside++
		if len(at["district"]) != 1 || len(at["street"]) != 1 || at["street"][0].Parent != at["district"][0].Code {
			t.Fatalf("%v lies in districts %v and streets %v", p, at["district"], at["street"])
		}
	}
	if inside < 5_000 {
		t.Errorf("only %d points hit the city", inside)
	}
}

func TestEnclaveBelongsToTheOtherStreet(t *testing.T) {
	t.Parallel()
	c := read(t)
	p := orb.Point{125.15, 30.13}
	for _, a := range c.Areas {
		want := a.Code == "lanting" || a.Code == "xishan" || a.Code == "shiqiao"
		if got := contains(a.Geometry, p); got != want {
			t.Errorf("%s contains the enclave: %v, want %v", a.Code, got, want)
		}
	}
}

func TestCityLiesInTheOpenSea(t *testing.T) {
	t.Parallel()
	sea := orb.Bound{Min: orb.Point{125.0, 30.0}, Max: orb.Point{125.6, 30.4}}
	for _, a := range read(t).Areas {
		if b := a.Geometry.Bound(); !sea.Contains(b.Min) || !sea.Contains(b.Max) {
			t.Errorf("%s reaches to %v", a.Code, b)
		}
	}
}

func TestEveryExampleIsSaidOnce(t *testing.T) {
	t.Parallel()
	said := map[string]string{}
	fold := func(s string) string {
		return strings.ToLower(strings.Map(func(r rune) rune {
			if strings.ContainsRune(" ,.?!，。？！、", r) {
				return -1
			}
			return r
		}, s))
	}
	for _, g := range leavesOf(read(t)) {
		for _, list := range g.Examples {
			for _, e := range list {
				if other := said[fold(e)]; other != "" {
					t.Errorf("%q stands in %s and %s", e, other, g.Code)
				}
				said[fold(e)] = g.Code
			}
		}
	}
}

// TestArticlesAgreeWithTheCity keeps what citizens read and what the product
// does in step: the telephone and the emergency number for gas.
func TestArticlesAgreeWithTheCity(t *testing.T) {
	t.Parallel()
	c := read(t)
	numbers := map[string]string{"hotline-how-it-works": c.Jurisdiction.Phone}
	for _, e := range c.Jurisdiction.Emergency {
		if e.Service == "gas" {
			numbers["gas-leak-safety"] = e.Number
		}
	}
	for _, a := range c.Articles {
		if n := numbers[a.Key]; n != "" && !strings.Contains(a.Body+a.Summary, n) {
			t.Errorf("%s in %s does not name %s", a.Key, a.Lang, n)
		}
	}
}
