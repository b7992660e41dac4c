package api

import (
	"fmt"
	"net/http"
	"slices"

	"hotline/routing"
)

// referenceAge is how long a client may keep reference data unasked: nothing breaks when a new category is seen a minute late.
const referenceAge = "public, max-age=60"

// Category is a node of the category tree.
type Category struct {
	Code         string        `json:"code" example:"environment.noise"`
	Parent       string        `json:"parent,omitempty" example:"environment"`
	Names        routing.Names `json:"names" doc:"By language"`
	Description  routing.Names `json:"description,omitempty"`
	Kinds        []string      `json:"kinds" doc:"Kinds of tickets it takes; none: all"`
	Leaf         bool          `json:"leaf" doc:"Tickets are filed under leaves"`
	Confidential bool          `json:"confidential" doc:"Tickets of it are confidential"`
}

// ServiceItem is an entry of the service catalogue.
type ServiceItem struct {
	Code      string        `json:"code" example:"T-ENV-001"`
	Names     routing.Names `json:"names"`
	Summary   routing.Names `json:"summary,omitempty"`
	Agency    string        `json:"agency" doc:"Code" example:"dept-environment"`
	Category  string        `json:"category,omitempty" example:"environment.noise"`
	Area      string        `json:"area,omitempty"`
	LifeEvent string        `json:"life_event,omitempty"`
	Channels  []string      `json:"channels"`
	URL       string        `json:"url,omitempty"`
}

// Agency answers tickets.
type Agency struct {
	Code   string        `json:"code" example:"dept-environment"`
	Parent string        `json:"parent,omitempty" example:"city"`
	Names  routing.Names `json:"names"`
	Kind   string        `json:"kind" example:"department"`
	Area   string        `json:"area,omitempty"`
	Phone  string        `json:"phone,omitempty"`
	Hours  routing.Names `json:"hours,omitempty"`
}

// Area is a part of the jurisdiction.
type Area struct {
	Code   string        `json:"code" example:"street-east-1"`
	Parent string        `json:"parent,omitempty" example:"dist-east"`
	Level  string        `json:"level" example:"street"`
	Names  routing.Names `json:"names"`
}

// Suggestion says where a text would go.
type Suggestion struct {
	Categories   []CategoryGuess `json:"categories" doc:"The likeliest first, at most five"`
	Decision     RouteChoice     `json:"decision"`
	Alternatives []RouteChoice   `json:"alternatives"`
}

// CategoryGuess is a category and the probability that it is meant.
type CategoryGuess struct {
	Code  string  `json:"code" example:"environment.noise"`
	Name  string  `json:"name" example:"Noise"`
	Score float64 `json:"score" example:"0.93"`
}

// RouteChoice is an agency with its reasons.
type RouteChoice struct {
	Agency      *Named   `json:"agency,omitempty" doc:"Absent when none was found"`
	Co          []Named  `json:"co" doc:"Agencies that would help"`
	Category    string   `json:"category,omitempty" example:"environment.noise"`
	Score       float64  `json:"score" doc:"How likely the agency is right" example:"0.91"`
	Auto        bool     `json:"auto" doc:"Sure enough to be dispatched without a person"`
	Explanation []string `json:"explanation" doc:"In the language of the request"`
}

type nothing struct{}

type categoriesOutput struct {
	Status int
	Body   struct {
		Categories []Category `json:"categories"`
	}
}

type itemsOutput struct {
	Status int
	Body   struct {
		Items []ServiceItem `json:"service_items"`
	}
}

type agenciesOutput struct {
	Status int
	Body   struct {
		Agencies []Agency `json:"agencies"`
	}
}

type areasInput struct {
	Lat float64 `query:"lat" required:"true" minimum:"-90" maximum:"90" example:"30.1"`
	Lon float64 `query:"lon" required:"true" minimum:"-180" maximum:"180" example:"125.3"`
}

type areasOutput struct {
	Status int
	Body   struct {
		Areas []Area `json:"areas" doc:"That hold the point, the smallest first; none outside the jurisdiction"`
	}
}

type suggestInput struct {
	Body struct {
		Text        string   `json:"text" minLength:"1" maxLength:"20000" example:"The bar downstairs is too loud every evening."`
		Kind        string   `json:"kind,omitempty" enum:"consult,help,complaint,report,suggestion,praise" example:"complaint"`
		Category    string   `json:"category,omitempty" maxLength:"100" doc:"When a person has chosen one"`
		ServiceItem string   `json:"service_item,omitempty" maxLength:"100"`
		Lat         *float64 `json:"lat,omitempty" minimum:"-90" maximum:"90" dependentRequired:"lon" example:"30.1"`
		Lon         *float64 `json:"lon,omitempty" minimum:"-180" maximum:"180" dependentRequired:"lat" example:"125.3"`
	}
}

type suggestOutput struct{ Body Suggestion }

func (a *API) referenceRoutes() {
	get := func(id, path, summary string) operation {
		return operation{id: id, method: http.MethodGet, path: path, tag: tagReference, summary: summary}
	}
	register(a, get("list-categories", "/categories", "List categories"), a.categories)
	register(a, get("list-service-items", "/service-items", "List service items"), a.items)
	register(a, get("list-agencies", "/agencies", "List agencies"), a.agencies)
	register(a, get("list-areas", "/areas", "Find the areas that hold a point"), a.areas)
	register(a, operation{id: "suggest-route", method: http.MethodPost, path: "/routing/suggest", tag: tagReference, summary: "Say who would be responsible",
		about:   "The categories that a text may be about, and the agency that a ticket would go to, with the reasons in words. Nothing is stored.",
		example: map[string]any{"text": "The bar downstairs is too loud every evening.", "kind": "complaint", "lat": 30.1, "lon": 125.3}}, a.suggest)
}

// fresh answers 304 to a client that has this revision already.
func (a *API) fresh(c *call, s *routing.Snapshot) bool {
	return c.notModified(fmt.Sprintf(`W/"r%d-%d"`, s.Revision(), s.Catalogue().Version()), referenceAge)
}

func (a *API) categories(c *call, _ *nothing) (*categoriesOutput, error) {
	s := a.Routing.Snapshot()
	if a.fresh(c, s) {
		return &categoriesOutput{Status: http.StatusNotModified}, nil
	}
	out := &categoriesOutput{Status: http.StatusOK}
	out.Body.Categories = []Category{}
	for _, k := range s.Categories() {
		if k.Active {
			out.Body.Categories = append(out.Body.Categories, Category{Code: k.Code, Parent: k.Parent, Names: k.Names, Description: k.Description, Kinds: list(k.Kinds), Leaf: k.Leaf, Confidential: k.Confidential})
		}
	}
	return out, nil
}

func list[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}

func (a *API) items(c *call, _ *nothing) (*itemsOutput, error) {
	s := a.Routing.Snapshot()
	if a.fresh(c, s) {
		return &itemsOutput{Status: http.StatusNotModified}, nil
	}
	out := &itemsOutput{Status: http.StatusOK}
	out.Body.Items = []ServiceItem{}
	for _, it := range s.ServiceItems() {
		if agency, _ := s.Agency(it.Agency); it.Active {
			out.Body.Items = append(out.Body.Items, ServiceItem{Code: it.Code, Names: it.Names, Summary: it.Summary, Agency: agency.Code, Category: it.Category, Area: it.Area,
				LifeEvent: it.LifeEvent, Channels: list(it.Channels), URL: it.URL})
		}
	}
	return out, nil
}

func (a *API) agencies(c *call, _ *nothing) (*agenciesOutput, error) {
	s := a.Routing.Snapshot()
	if a.fresh(c, s) {
		return &agenciesOutput{Status: http.StatusNotModified}, nil
	}
	out := &agenciesOutput{Status: http.StatusOK}
	out.Body.Agencies = []Agency{}
	for _, g := range s.Agencies() {
		if parent, _ := s.Agency(g.Parent); g.Active {
			out.Body.Agencies = append(out.Body.Agencies, Agency{Code: g.Code, Parent: parent.Code, Names: g.Names, Kind: g.Kind, Area: g.Area, Phone: g.Phone, Hours: g.Hours})
		}
	}
	return out, nil
}

func (a *API) areas(c *call, in *areasInput) (*areasOutput, error) {
	s := a.Routing.Snapshot()
	if a.fresh(c, s) {
		return &areasOutput{Status: http.StatusNotModified}, nil
	}
	out := &areasOutput{Status: http.StatusOK}
	out.Body.Areas = []Area{}
	for _, code := range s.AreaAt(in.Lat, in.Lon) {
		if area, ok := s.Area(code); ok {
			out.Body.Areas = append(out.Body.Areas, Area{Code: area.Code, Parent: area.Parent, Level: area.Level, Names: area.Names})
		}
	}
	return out, nil
}

func (a *API) suggest(c *call, in *suggestInput) (*suggestOutput, error) {
	s, b := a.Routing.Snapshot(), in.Body
	if b.Category != "" {
		if k, ok := s.Category(b.Category); !ok || !k.Active {
			return nil, named(ErrField, "category")
		}
	}
	out := Suggestion{Categories: []CategoryGuess{}, Alternatives: []RouteChoice{}}
	guesses := s.Predict(b.Text)
	for _, g := range guesses[:min(5, len(guesses))] {
		k, _ := s.Category(g.Label)
		out.Categories = append(out.Categories, CategoryGuess{Code: g.Label, Name: k.Names.In(c.lang), Score: g.Score})
	}
	d := s.Decide(routing.Facts{Kind: b.Kind, Category: b.Category, Text: b.Text, ServiceItem: b.ServiceItem, Lat: b.Lat, Lon: b.Lon})
	choice := func(alt routing.Alternative) RouteChoice {
		one := RouteChoice{Agency: a.agency(c, alt.Agency), Co: []Named{}, Category: alt.Category, Score: alt.Score, Explanation: s.Explain(c.lang, alt.Explanation)}
		for _, co := range alt.Co {
			if agency := a.agency(c, co); agency != nil {
				one.Co = append(one.Co, *agency)
			}
		}
		return one
	}
	out.Decision = choice(routing.Alternative{Agency: d.Lead, Co: d.Co, Category: d.Category, Score: d.Score, Explanation: d.Explanation})
	out.Decision.Auto = d.Auto
	for _, alt := range slices.DeleteFunc(slices.Clone(d.Alternatives), func(alt routing.Alternative) bool { return alt.Agency == d.Lead }) {
		out.Alternatives = append(out.Alternatives, choice(alt))
	}
	return &suggestOutput{Body: out}, nil
}
