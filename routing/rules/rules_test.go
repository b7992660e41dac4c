package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"hotline/routing/rules"
)

// id makes a UUID from an agency's code, so that tables read as words.
func id(code string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(code)) }

func source() rules.Source {
	agency := func(code string) rules.Agency { return rules.Agency{ID: id(code), Code: code, Active: true} }
	closed := agency("closed")
	closed.Active = false
	return rules.Source{
		Version: 3,
		Policy:  rules.DefaultPolicy,
		Agencies: []rules.Agency{
			agency("env"), agency("water"), agency("street-1"), agency("street-2"), agency("dist"), agency("housing"), agency("police"), agency("integrity"), closed,
		},
		Areas: []rules.Area{{Code: "city"}, {Code: "east", Parent: "city"}, {Code: "s1", Parent: "east"}, {Code: "s2", Parent: "east"}, {Code: "west", Parent: "city"}},
		Categories: []rules.Category{
			{Code: "env", Active: true},
			{Code: "noise", Parent: "env", Active: true},
			{Code: "noise.site", Parent: "noise", Active: true},
			{Code: "noise.bar", Parent: "noise", Active: true},
			{Code: "light", Active: true},
			{Code: "gas", Active: true, Urgency: "urgent"},
			{Code: "lift", Active: true},
			{Code: "old", Active: false},
			{Code: "thanks", Active: true, Kinds: []string{"praise"}},
			{Code: "dead", Active: true},
			{Code: "bribe", Active: true, Confidential: true},
			{Code: "lost", Active: true},
			{Code: "school", Active: true},
		},
		Items: []rules.ServiceItem{
			{Code: "I-NOISE", Agency: id("env"), Category: "noise.site", Active: true},
			{Code: "I-LIFT", Agency: id("housing"), Category: "lift", Active: true},
			{Code: "I-OLD", Agency: id("env"), Category: "noise.site"},
		},
		Entries: []rules.Entry{
			{Category: "env", Lead: id("env")},
			{Category: "noise.site", Area: "s1", Lead: id("street-1")},
			{Category: "noise.site", Area: "east", Lead: id("dist")},
			{Category: "noise.site", Lead: id("env"), Co: []uuid.UUID{id("police"), id("closed")}},
			{Category: "noise.site", ServiceItem: "I-NOISE", Area: "s2", Lead: id("street-2")},
			{Category: "noise.site", ServiceItem: "I-NOISE", Lead: id("water")},
			{Category: "light", Area: "s1", Lead: id("street-1")},
			{Category: "light", Area: "s2", Lead: id("street-2")},
			{Category: "gas", Lead: id("water"), Co: []uuid.UUID{id("police")}},
			{Category: "dead", Lead: id("closed")},
			{Category: "bribe", Lead: id("integrity"), Co: []uuid.UUID{id("police")}},
			{Category: "thanks", Lead: id("env")},
			{Category: "school", Area: "east", Lead: id("housing"), Co: []uuid.UUID{id("dist")}},
			{Category: "school", Lead: id("housing")},
		},
	}
}

func codesOf(reasons []rules.Reason) []string {
	var out []string
	for _, r := range reasons {
		out = append(out, string(r.Code))
	}
	return out
}

func TestDecide(t *testing.T) {
	t.Parallel()
	catalogue := rules.NewCatalogue(source())
	name := func(u uuid.UUID) string {
		for _, a := range source().Agencies {
			if a.ID == u {
				return a.Code
			}
		}
		return ""
	}
	guess := func(pairs ...any) []rules.Guess {
		var out []rules.Guess
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, rules.Guess{Category: pairs[i].(string), Score: pairs[i+1].(float64)})
		}
		return out
	}
	tests := []struct {
		name    string
		facts   rules.Facts
		lead    string
		auto    bool
		reasons []string
	}{
		{"item in the area beats the item", rules.Facts{ServiceItem: "I-NOISE", Areas: []string{"s2"}}, "street-2", true,
			[]string{"category.item", "place", "entry.item_area"}},
		{"item beats category and area", rules.Facts{ServiceItem: "I-NOISE", Areas: []string{"s1"}}, "water", true,
			[]string{"category.item", "place", "entry.item"}},
		{"a person's category does not undo the item", rules.Facts{Category: "noise.site", ServiceItem: "I-NOISE"}, "water", true,
			[]string{"category.person", "entry.item"}},
		{"item without entry goes to its agency", rules.Facts{ServiceItem: "I-LIFT"}, "housing", true,
			[]string{"category.item", "item.agency"}},
		{"an item no longer offered says nothing", rules.Facts{ServiceItem: "I-OLD"}, "", false,
			[]string{"undecided.no_category"}},
		{"street beats district", rules.Facts{Category: "noise.site", Areas: []string{"city", "east", "s1"}}, "street-1", true,
			[]string{"category.person", "place", "entry.category_area"}},
		{"the areas around the place are known", rules.Facts{Category: "noise.site", Areas: []string{"s2"}}, "dist", true,
			[]string{"category.person", "place", "entry.category_area"}},
		{"elsewhere the general entry, without its inactive co-agency", rules.Facts{Category: "noise.site", Areas: []string{"west"}}, "env", true,
			[]string{"category.person", "place", "entry.category", "co"}},
		{"the general entry is not enough where the place would decide", rules.Facts{Category: "noise.site"}, "env", false,
			[]string{"category.person", "entry.category", "co", "undecided.area_missing", "undecided.low_score"}},
		{"a place that changes only co-agencies is not needed", rules.Facts{Category: "school"}, "housing", true,
			[]string{"category.person", "entry.category"}},
		{"ancestor", rules.Facts{Category: "noise.bar"}, "env", true,
			[]string{"category.person", "entry.ancestor"}},
		{"place needed and missing", rules.Facts{Category: "light"}, "", false,
			[]string{"category.person", "undecided.area_missing"}},
		{"place needed and not covered", rules.Facts{Category: "light", Areas: []string{"west"}}, "", false,
			[]string{"category.person", "undecided.area_outside"}},
		{"no entry", rules.Facts{Category: "lost"}, "", false,
			[]string{"category.person", "undecided.no_entry"}},
		{"nothing known", rules.Facts{}, "", false, []string{"undecided.no_category"}},
		{"unknown category, text as second source", rules.Facts{Category: "old", Guesses: guess("gas", 0.95)}, "water", false,
			[]string{"category.text", "entry.category", "urgency", "co", "undecided.unknown_category"}},
		{"sure text", rules.Facts{Guesses: guess("gas", 0.91, "lost", 0.09)}, "water", true,
			[]string{"category.text", "entry.category", "urgency", "co"}},
		{"unsure text", rules.Facts{Guesses: guess("gas", 0.5, "noise.bar", 0.3, "lost", 0.2)}, "water", false,
			[]string{"category.text", "entry.category", "urgency", "co", "undecided.low_score"}},
		{"doubt about the category, none about the agency", rules.Facts{Guesses: guess("noise.site", 0.45, "noise.bar", 0.45, "gas", 0.1), Areas: []string{"west"}}, "env", true,
			[]string{"category.text", "category.agree", "place", "entry.category", "co"}},
		{"tie", rules.Facts{Guesses: guess("gas", 0.48, "school", 0.47)}, "water", false,
			[]string{"category.text", "entry.category", "urgency", "co", "undecided.tie", "undecided.low_score"}},
		{"the kind rules a category out", rules.Facts{Kind: "complaint", Guesses: guess("thanks", 0.6, "school", 0.4)}, "housing", true,
			[]string{"category.text", "entry.category"}},
		{"inactive agency", rules.Facts{Category: "dead"}, "", false,
			[]string{"category.person", "undecided.agency_inactive"}},
		{"an agency that returned it is not asked again", rules.Facts{Category: "noise.site", Areas: []string{"s1"}, Excluded: []uuid.UUID{id("street-1")}}, "dist", false,
			[]string{"category.person", "place", "entry.category_area", "undecided.returned", "undecided.tie", "undecided.low_score"}},
		{"confidential tickets have no co-agencies by themselves", rules.Facts{Category: "bribe"}, "integrity", true,
			[]string{"category.person", "entry.category", "co_withheld"}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := rules.Decide(c.facts, catalogue)
			if catalogue.Settled(c.facts) {
				guessed := c.facts
				guessed.Guesses = guess("school", 0.99)
				if diff := cmp.Diff(d, rules.Decide(guessed, catalogue)); diff != "" {
					t.Errorf("settled, and yet the text counts (-without +with):\n%s", diff)
				}
			}
			if got := name(d.Lead); got != c.lead || d.Auto != c.auto {
				t.Errorf("got %q auto %v score %.2f, want %q auto %v", got, d.Auto, d.Score, c.lead, c.auto)
			}
			if diff := cmp.Diff(c.reasons, codesOf(d.Explanation)); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if want := map[bool]string{true: rules.QueueSign, false: rules.QueueDispatch}[d.Auto]; d.Queue != want {
				t.Errorf("queue %q, want %q", d.Queue, want)
			}
		})
	}
}

func TestDecisionCarriesWhatFollowsFromCategoryAndEntry(t *testing.T) {
	t.Parallel()
	catalogue := rules.NewCatalogue(source())
	gas := rules.Decide(rules.Facts{Category: "gas"}, catalogue)
	if gas.Urgency != "urgent" || !slices.Equal(gas.Co, []uuid.UUID{id("police")}) || gas.Catalogue != 3 {
		t.Errorf("gas: %+v", gas)
	}
	kept := rules.Decide(rules.Facts{Category: "gas", Urgency: "complex"}, catalogue)
	if kept.Urgency != "complex" {
		t.Errorf("an urgency that was set is changed to %q", kept.Urgency)
	}
	bribe := rules.Decide(rules.Facts{Category: "bribe"}, catalogue)
	if !bribe.Confidential || bribe.Co != nil || bribe.Alternatives[0].Co != nil {
		t.Errorf("confidential category: %+v", bribe)
	}
}

func TestAlternativesForTheDispatcher(t *testing.T) {
	t.Parallel()
	d := rules.Decide(rules.Facts{
		Areas:   []string{"s1"},
		Guesses: []rules.Guess{{"noise.site", 0.5}, {"gas", 0.3}, {"school", 0.1}, {"bribe", 0.06}, {"dead", 0.04}},
	}, rules.NewCatalogue(source()))
	if len(d.Alternatives) != 3 {
		t.Fatalf("got %d alternatives, want 3", len(d.Alternatives))
	}
	if d.Alternatives[0].Agency != d.Lead || d.Lead != id("street-1") {
		t.Errorf("the first alternative is not the lead")
	}
	for _, a := range d.Alternatives {
		if len(a.Explanation) < 2 {
			t.Errorf("alternative without reasons: %+v", a)
		}
	}
	if d.Alternatives[1].Agency != id("water") || d.Alternatives[1].Category != "gas" {
		t.Errorf("second alternative: %+v", d.Alternatives[1])
	}
}

// Whatever the facts: no inactive or excluded agency is named, Auto and the
// reasons agree, and scores stay between 0 and 1.
// A dispatcher reads the alternatives: their numbers must add up, and what nobody would choose is left out.
func TestAlternativesAddUp(t *testing.T) {
	t.Parallel()
	d := rules.Decide(rules.Facts{Guesses: []rules.Guess{{Category: "noise.site", Score: 0.7}, {Category: "noise.bar", Score: 0.28}, {Category: "gas", Score: 0.004}}}, rules.NewCatalogue(source()))
	if len(d.Alternatives) != 1 {
		t.Fatalf("%d alternatives, want env alone: %+v", len(d.Alternatives), d.Alternatives)
	}
	var agree, place bool
	for _, r := range d.Alternatives[0].Explanation {
		if r.Code == rules.CategoriesAgree {
			agree = true
			if r.Args["score"] != "0.98" {
				t.Errorf("two categories of 0.70 and 0.28 weigh %s together", r.Args["score"])
			}
		}
		place = place || r.Code == rules.AreaMissing
	}
	if !agree || !place {
		t.Errorf("the reasons do not explain a score of %.2f: %+v", d.Alternatives[0].Score, d.Alternatives[0].Explanation)
	}
}

func TestDecideInvariants(t *testing.T) {
	t.Parallel()
	src := source()
	catalogue := rules.NewCatalogue(src)
	var categories, areas, items []string
	var agencies []uuid.UUID
	for _, c := range src.Categories {
		categories = append(categories, c.Code)
	}
	for _, a := range src.Areas {
		areas = append(areas, a.Code)
	}
	for _, i := range src.Items {
		items = append(items, i.Code)
	}
	for _, a := range src.Agencies {
		agencies = append(agencies, a.ID)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := rules.Facts{
			Kind:         rapid.SampledFrom([]string{"", "praise", "complaint"}).Draw(t, "kind"),
			Category:     rapid.SampledFrom(append(categories, "", "", "nonsense")).Draw(t, "category"),
			ServiceItem:  rapid.SampledFrom(append(items, "", "", "nonsense")).Draw(t, "item"),
			Areas:        rapid.SliceOfN(rapid.SampledFrom(append(areas, "nowhere")), 0, 3).Draw(t, "areas"),
			Confidential: rapid.Bool().Draw(t, "confidential"),
			Excluded:     rapid.SliceOfN(rapid.SampledFrom(agencies), 0, 4).Draw(t, "excluded"),
		}
		left := 1.0
		for range rapid.IntRange(0, 10).Draw(t, "guesses") {
			p := rapid.Float64Range(0, left).Draw(t, "p")
			left -= p
			f.Guesses = append(f.Guesses, rules.Guess{Category: rapid.SampledFrom(categories).Draw(t, "guess"), Score: p})
		}
		d := rules.Decide(f, catalogue)
		bad := func(u uuid.UUID) bool { return u == id("closed") || slices.Contains(f.Excluded, u) }
		if d.Lead != uuid.Nil && bad(d.Lead) || slices.ContainsFunc(d.Co, bad) {
			t.Fatalf("names an inactive or excluded agency: %+v", d)
		}
		for _, a := range d.Alternatives {
			if bad(a.Agency) || a.Score < 0 || a.Score > 1 {
				t.Fatalf("alternative: %+v", a)
			}
		}
		if d.Score < 0 || d.Score > 1 {
			t.Fatalf("score %v", d.Score)
		}
		held := slices.ContainsFunc(d.Explanation, rules.Reason.Undecided)
		if d.Auto == held || d.Auto && d.Lead == uuid.Nil {
			t.Fatalf("auto %v with reasons %v", d.Auto, codesOf(d.Explanation))
		}
		if d.Confidential && d.Co != nil {
			t.Fatalf("a confidential ticket has co-agencies")
		}
	})
}

func TestRenderIsWordsInBothLanguages(t *testing.T) {
	t.Parallel()
	names := func(lang, thing, code string) string { return fmt.Sprintf("<%s %s %s>", lang, thing, code) }
	args := map[string]string{
		"category": "noise", "ancestor": "env", "item": "I-1", "area": "s1", "agency": "env", "other": "water", "agencies": "env,water",
		"score": "0.91", "threshold": "0.70", "version": "3", "count": "2", "urgency": "urgent",
	}
	all := []rules.Code{
		rules.CategoryByPerson, rules.CategoryByText, rules.CategoryByItem, rules.CategoriesAgree, rules.PlaceKnown, rules.EntryItemArea,
		rules.EntryItem, rules.EntryCategoryArea, rules.EntryCategory, rules.EntryAncestorArea, rules.EntryAncestor, rules.ItemAgency, rules.WithCo,
		rules.CoWithheld, rules.Raised, rules.NoCategory, rules.UnknownCategory, rules.NoEntry, rules.AreaMissing, rules.AreaOutside,
		rules.AgencyInactive, rules.Returned, rules.Tie, rules.LowScore,
	}
	for _, lang := range []string{"en", "zh-CN"} {
		for _, code := range all {
			got := rules.Render(lang, rules.Reason{Code: code, Args: args}, names)
			if got == string(code) || strings.ContainsAny(got, "{}") {
				t.Errorf("%s %s: %q", lang, code, got)
			}
		}
	}
	got := rules.Render("zh-CN", rules.Reason{Code: rules.WithCo, Args: args}, names)
	if want := "协办单位：<zh-CN agency env>、<zh-CN agency water>。"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := rules.Render("fr", rules.Reason{Code: rules.Raised, Args: args}, names); got != "Urgency: urgent." {
		t.Errorf("got %q", got)
	}
}

func BenchmarkDecide(b *testing.B) {
	catalogue := rules.NewCatalogue(source())
	f := rules.Facts{Areas: []string{"s1"}, Guesses: []rules.Guess{{"noise.site", 0.5}, {"gas", 0.3}, {"school", 0.1}, {"bribe", 0.06}}}
	for b.Loop() {
		rules.Decide(f, catalogue)
	}
}
