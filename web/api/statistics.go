package api

import (
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"hotline/tickets/statistics"
	"hotline/web/figures"
)

// Statistics is what is published of a period.
type Statistics struct {
	From         string          `json:"from" format:"date" doc:"The first day" example:"2026-10-01"`
	To           string          `json:"to" format:"date" doc:"The last day that is counted: at the latest yesterday" example:"2026-10-31"`
	AsOf         time.Time       `json:"as_of" doc:"When the numbers were made: once a day"`
	SmallCell    int             `json:"small_cell" doc:"Counts from 1 to just below this are null: they could speak of one person. Where one count of a row is null, so is the next smallest" example:"5"`
	Tickets      *int64          `json:"tickets" doc:"Opened in the period, without confidential ones" example:"4711"`
	Open         *int64          `json:"open" doc:"Of these, still being handled" example:"320"`
	Confidential *int64          `json:"confidential" doc:"Confidential tickets, which are in no other number" example:"12"`
	Measures     []MeasureValue  `json:"measures"`
	Groups       []MeasureGroup  `json:"groups" doc:"By the dimension asked for, nodes of trees with everything below them; none when none was asked for"`
	Agencies     []AgencyRatings `json:"agencies" doc:"What citizens say about each agency"`
}

// MeasureValue is a measure with its formula and what was left out.
type MeasureValue struct {
	Code    string       `json:"code" example:"resolve_on_time"`
	Name    string       `json:"name" doc:"In the language of the request" example:"Answered on time"`
	Formula string       `json:"formula"`
	Unit    string       `json:"unit" enum:"share,hours,index" doc:"share: 0 to 1; index: 0 to 100"`
	Value   *float64     `json:"value" doc:"null: nothing to measure, or too few" example:"0.934"`
	TooFew  bool         `json:"too_few,omitempty" doc:"There was something to measure, but fewer than small_cell"`
	Part    *int64       `json:"part,omitempty" example:"934"`
	Whole   *int64       `json:"whole,omitempty" example:"1000"`
	LeftOut []LeftOutFor `json:"left_out" doc:"What the measure leaves out, and why"`
}

// LeftOutFor is one reason.
type LeftOutFor struct {
	Reason string `json:"reason" example:"withdrawn"`
	Name   string `json:"name" example:"withdrawn"`
	N      *int64 `json:"n" doc:"null: too few to be told, or withheld because another could be worked out"`
}

// MeasureGroup is a line of the breakdown.
type MeasureGroup struct {
	Key      string         `json:"key" doc:"Code, or the first day of a month" example:"environment.noise"`
	Tickets  *int64         `json:"tickets"`
	Measures []MeasureValue `json:"measures"`
}

// AgencyRatings is an agency's assessments.
type AgencyRatings struct {
	Agency    Named    `json:"agency"`
	Tickets   *int64   `json:"tickets"`
	Graded    *int64   `json:"graded"`
	Average   *float64 `json:"average" doc:"1 to 5, 5 is the best" example:"4.2"`
	Satisfied *float64 `json:"satisfied" example:"0.87"`
	OnTime    *float64 `json:"answered_on_time" example:"0.93"`
}

type statisticsInput struct {
	Period string `query:"period" default:"days_30" doc:"A named period; or give from and to" example:"days_30"`
	From   string `query:"from" format:"date" doc:"The first day of a month, with to" example:"2026-10-01"`
	To     string `query:"to" format:"date" doc:"The last day of a month; at most three years after from" example:"2026-10-31"`
	By     string `query:"by" doc:"What to break down by" example:"category"`
}

type statisticsOutput struct{ Body Statistics }

func (a *API) statisticsRoutes() {
	var presets, dimensions []any
	for _, p := range figures.PublicPresets() {
		presets = append(presets, p)
	}
	for _, d := range []statistics.Dimension{statistics.ByMonth, statistics.ByAgency, statistics.ByArea, statistics.ByCategory, statistics.ByChannel, statistics.ByKind} {
		dimensions = append(dimensions, string(d))
	}
	register(a, operation{id: "get-statistics", method: http.MethodGet, path: "/statistics", tag: tagReference, summary: "Read the published numbers",
		about: "Measures of a period with their formulas and what was left out, without confidential tickets, without personal data, and without counts so small that they could speak of one person. They end with yesterday, are made once a day and stay the same until midnight. " +
			"Monthly files with one row a ticket are under /open-data. Pages of other sites may call this from a script.",
		enums: map[string][]any{"period": presets, "by": dimensions}, errors: []int{http.StatusBadRequest}}, a.statistics)
}

// maxSpan is the longest period that anybody may ask for.
const maxSpan = 3 * 366 * 24 * time.Hour

func (a *API) statistics(c *call, in *statisticsInput) (*statisticsOutput, error) {
	ask := url.Values{"period": {in.Period}}
	if in.From != "" || in.To != "" {
		ask = url.Values{"period": {figures.Custom}, "from": {in.From}, "to": {in.To}}
	}
	q := figures.Parse(ask, a.Numbers.Today())
	if ask.Get("period") == figures.Custom && (q.Preset != figures.Custom || q.To.Sub(q.From) > maxSpan) {
		return nil, statistics.ErrBadPeriod
	}
	q.By = statistics.Dimension(in.By)
	p, err := a.Numbers.Public(c.ctx, q)
	if err != nil {
		return nil, err
	}
	words := figures.Words{Bundle: a.Words, Lang: c.lang, Set: p.Settings}
	out := Statistics{From: p.Query.From.Format(time.DateOnly), To: p.Query.Last().Format(time.DateOnly), AsOf: p.AsOf.UTC(), SmallCell: p.Settings.SmallCell, Tickets: p.Tickets, Open: p.Open,
		Confidential: p.Confidential, Measures: measureValues(p.Values, words), Groups: []MeasureGroup{}, Agencies: []AgencyRatings{}}
	for _, g := range p.Groups {
		key := g.Key
		if q.By == statistics.ByAgency {
			if id, err := uuid.Parse(key); err == nil {
				agency, _ := a.Routing.Snapshot().Agency(id)
				key = agency.Code
			}
		}
		out.Groups = append(out.Groups, MeasureGroup{Key: key, Tickets: g.Tickets, Measures: measureValues(g.Values, words)})
	}
	for _, r := range p.Agencies {
		if n := a.agency(c, r.Agency); n != nil {
			out.Agencies = append(out.Agencies, AgencyRatings{Agency: *n, Tickets: r.Tickets, Graded: r.Graded, Average: r.Average, Satisfied: r.Satisfy, OnTime: r.OnTime})
		}
	}
	c.w.Header().Set("Cache-Control", referenceAge)
	return &statisticsOutput{Body: out}, nil
}

func measureValues(values []figures.Number, words figures.Words) []MeasureValue {
	out := make([]MeasureValue, 0, len(values))
	for _, n := range values {
		v := MeasureValue{Code: n.Code, Name: words.Name(n.Code), Formula: words.Formula(n.Code), Unit: string(n.Unit), TooFew: n.TooFew, Part: n.Part, Whole: n.Whole, LeftOut: []LeftOutFor{}}
		if n.Known {
			value := n.V
			v.Value = &value
		}
		for _, l := range n.Left {
			v.LeftOut = append(v.LeftOut, LeftOutFor{l.Reason, words.Reason(l.Reason), l.N})
		}
		out = append(out, v)
	}
	return out
}
