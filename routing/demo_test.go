package routing

import (
	"log/slog"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/city"
	"hotline/internal/demo"
	"hotline/routing/classify"
	"hotline/routing/rules"
)

// lanting puts the demonstration city into a snapshot, without a database.
// keep says which example of a category (by its number) trains; nil: all.
func lanting(t testing.TB, keep func(i int) bool) (*Snapshot, city.City) {
	t.Helper()
	city, err := demo.Read()
	if err != nil {
		t.Fatal(err)
	}
	id := func(code string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(code)) }
	s := &Snapshot{areas: map[string]Area{}}
	src := rules.Source{Version: 1, Policy: rules.DefaultPolicy}
	for _, a := range city.Agencies {
		s.agencies = append(s.agencies, Agency{ID: id(a.Code), Code: a.Code, Names: Names(a.Names), Kind: a.Kind, Active: true})
		src.Agencies = append(src.Agencies, rules.Agency{ID: id(a.Code), Code: a.Code, Active: true})
	}
	for _, a := range city.Areas {
		s.areas[a.Code] = Area{Code: a.Code, Parent: a.Parent, Names: Names(a.Names)}
		src.Areas = append(src.Areas, rules.Area{Code: a.Code, Parent: a.Parent})
	}
	for _, c := range city.Categories {
		examples := map[string][]string{}
		for lang, all := range c.Examples {
			for i, e := range all {
				if keep == nil || keep(i) {
					examples[lang] = append(examples[lang], e)
				}
			}
		}
		s.categories = append(s.categories, Category{
			Code: c.Code, Parent: c.Parent, Names: Names(c.Names), Kinds: c.Kinds, Description: Names(c.Description), Keywords: c.Keywords, Examples: examples, Active: true,
		})
		src.Categories = append(src.Categories, rules.Category{Code: c.Code, Parent: c.Parent, Kinds: c.Kinds, Urgency: c.Urgency, Confidential: c.Confidential, Active: true})
	}
	for _, i := range city.Services {
		s.items = append(s.items, ServiceItem{Code: i.Code, Names: Names(i.Names), Summary: Names(i.Summary), Agency: id(i.Agency), Category: i.Category, Active: true})
		src.Items = append(src.Items, rules.ServiceItem{Code: i.Code, Agency: id(i.Agency), Category: i.Category, Active: true})
	}
	for _, e := range city.Catalogue.Entries {
		var co []uuid.UUID
		for _, c := range e.Co {
			co = append(co, id(c))
		}
		src.Entries = append(src.Entries, Entry{Category: e.Category, ServiceItem: e.ServiceItem, Area: e.Area, Lead: id(e.Lead), Co: co, Urgency: e.Urgency})
	}
	s.index()
	s.readPolicy(&src.Policy, slog.New(slog.DiscardHandler))
	s.catalogue = rules.NewCatalogue(src)
	trained, err := s.learn(classify.Train)
	if err != nil {
		t.Fatal(err)
	}
	return trained, city
}

// A quarter of the examples is held out. What the classifier cannot know from
// the others of their category, a dispatcher decides.
func TestDemoCityHeldOut(t *testing.T) {
	t.Parallel()
	held := func(i int) bool { return i%4 == 3 }
	s, city := lanting(t, func(i int) bool { return !held(i) })
	// A place in some street, so that the place is not what is missing.
	at := []string{city.Areas[len(city.Areas)-1].Code}
	var n, category, agency, auto, autoRight int
	for _, c := range city.Categories {
		if g, _ := s.Category(c.Code); !g.Leaf {
			continue
		}
		want := s.Decide(Facts{Category: c.Code, Areas: at}).Lead
		for _, examples := range c.Examples {
			for i, text := range examples {
				if !held(i) {
					continue
				}
				got := s.Decide(Facts{Text: text, Areas: at})
				n++
				if s.Predict(text)[0].Label == c.Code {
					category++
				}
				if got.Lead == want {
					agency++
				}
				if got.Auto {
					auto++
					if got.Lead == want {
						autoRight++
					}
				}
			}
		}
	}
	share := func(a, b int) float64 { return float64(a) / float64(max(b, 1)) }
	t.Logf("%d texts: category %.3f, agency %.3f; %.3f go without a person, %.3f of these right",
		n, share(category, n), share(agency, n), share(auto, n), share(autoRight, auto))
	if share(agency, n) < 0.75 || share(auto, n) < 0.4 || share(autoRight, auto) < 0.9 {
		t.Error("too many texts of the demonstration city go to the wrong agency or to a person")
	}
}

func BenchmarkDecide(b *testing.B) {
	s, city := lanting(b, nil)
	f := Facts{
		Kind: "complaint", Text: "The construction site next to our house works with heavy machines until two at night. 工地夜间施工到凌晨两点，影响休息。",
		Areas: []string{city.Areas[len(city.Areas)-1].Code},
	}
	for b.Loop() {
		s.Decide(f)
	}
}
