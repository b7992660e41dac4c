package console

import (
	"html/template"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/internal/sheet"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
	"hotline/web/chart"
	"hotline/web/figures"
)

// statisticsRoles read the numbers: the hotline's supervisors and administrators those of everybody, heads those of their agency.
var statisticsRoles = []string{"supervisor", "administrator", "head"}

func (c *Console) statisticsRoutes(on func(string, []string, handle)) {
	on("GET /console/statistics", statisticsRoles, c.statistics)
	on("GET /console/statistics/scorecards", statisticsRoles, c.scorecards)
	on("GET /console/statistics/tickets", statisticsRoles, c.measured)
	on("GET /console/statistics/chats", []string{"supervisor", "administrator"}, c.measuredChats)
	on("GET /console/statistics/appeals", statisticsRoles, c.appeals)
	on("POST /console/statistics/appeals/{id}", []string{"supervisor"}, c.appealDecide)
	on("GET /console/statistics/appeal/{id}", []string{"head"}, c.appealForm)
	on("POST /console/statistics/appeal/{id}", []string{"head"}, c.appealFile)
	for _, format := range sheet.Formats() {
		as := func(h func(w http.ResponseWriter, r *http.Request, format string) error) handle {
			return func(w http.ResponseWriter, r *http.Request) error { return h(w, r, format) }
		}
		on("GET /console/statistics/export."+format, statisticsRoles, as(c.statisticsExport))
		on("GET /console/statistics/scorecards."+format, statisticsRoles, as(c.scorecardsExport))
		on("GET /console/statistics/tickets."+format, statisticsRoles, as(c.measuredExport))
		on("GET /console/inbox/export."+format, []string{"supervisor", "dispatcher", "head"}, as(c.inboxExport))
	}
	on("GET /console/statistics/settings", []string{"administrator"}, c.measureSettings)
	on("POST /console/statistics/settings", []string{"administrator"}, c.measureSettingsSave)
}

func (c *Console) figures() *figures.Figures {
	return &figures.Figures{Statistics: c.Statistics, Routing: c.Routing, Knowledge: c.Knowledge}
}

// statQuery reads the query; whoever is not of the hotline starts at their own agency.
func (c *Console) statQuery(r *http.Request, v View) figures.Query {
	q := figures.Parse(r.URL.Query(), c.Statistics.Today())
	if !v.Me.Desk {
		a, ok := c.Routing.Snapshot().Agency(q.Agency)
		if !ok || q.Agency != v.Me.AgencyID && !slices.Contains(a.Ancestors, v.Me.AgencyID) {
			q.Agency = v.Me.AgencyID
		}
		if r.URL.Query().Get("by") == "" {
			q.By = statistics.ByCategory
		}
	}
	return q
}

// statFrame is what every page of statistics has: tabs, period, filters.
type statFrame struct {
	Tab        string
	Q          figures.Query
	Words      figures.Words
	Presets    []string
	Agencies   []option
	Areas      []option
	Categories []option
	Kinds      []string
	Channels   []string
	Bys        []statistics.Dimension
	Before     figures.Query
	Open       int // appeals that wait
	MaySet     bool
	Desk       bool
	Narrowed   []chip
}

func (c *Console) statFrame(r *http.Request, v View, tab string, q figures.Query, set measures.Settings) statFrame {
	f := statFrame{Tab: tab, Q: q, Words: figures.Words{Bundle: c.words, Lang: v.Lang, Set: set}, Presets: figures.Presets(), Categories: c.categories(v.Lang), Kinds: tickets.Kinds(),
		Channels: statChannels, Bys: slices.Concat(statistics.Things(), statistics.Times()), Before: q.Before(), MaySet: v.Me.Has("administrator") && v.Me.Desk, Desk: v.Me.Desk}
	f.Agencies = c.agencyOptions(v.Lang, func(a routing.Agency) bool {
		return v.Me.Desk || a.ID == v.Me.AgencyID || slices.Contains(a.Ancestors, v.Me.AgencyID)
	})
	f.Areas = c.areaOptions(v.Lang)
	without := func(name string, edit func(*figures.Query)) {
		other := q
		edit(&other)
		f.Narrowed = append(f.Narrowed, chip{name, template.URL("?" + other.Encode())})
	}
	if q.Agency != uuid.Nil && (v.Me.Desk || q.Agency != v.Me.AgencyID) {
		without(v.Agency(q.Agency), func(o *figures.Query) { o.Agency = uuid.Nil })
	}
	if q.Area != "" {
		without(v.Area(q.Area), func(o *figures.Query) { o.Area = "" })
	}
	if q.Category != "" {
		without(v.Category(q.Category), func(o *figures.Query) { o.Category = "" })
	}
	if q.Own {
		name := v.T("statistics.own_only")
		if q.By == statistics.ByArea && q.Area == "" || q.By == statistics.ByCategory && q.Category == "" {
			name = v.T("statistics.none")
		}
		without(name, func(o *figures.Query) { o.Own = false })
	}
	if q.Channel != "" {
		without(v.Channel(q.Channel), func(o *figures.Query) { o.Channel = "" })
	}
	if q.Kind != "" {
		without(v.Kind(q.Kind), func(o *figures.Query) { o.Kind = "" })
	}
	if v.Me.Desk && v.Me.Has("supervisor") {
		if open, err := c.Tickets.Appeals(r.Context(), actor(v.Me), "open", nil, 100); err == nil { // the page is worth more than the number
			f.Open = len(open)
		}
	}
	return f
}

// statChannels are those that tickets come by.
var statChannels = []string{"web", "portal", "telegram", "phone", "email", "counter", "letter", "api", "open311"}

// PeriodName writes the two days of a query.
func (v View) PeriodName(q figures.Query) string {
	from, last := q.From, q.Last()
	if from.Equal(last) {
		return v.Day(from)
	}
	return v.Day(from) + " – " + v.Day(last)
}

// Day writes a day that is no moment: without a zone.
func (v View) Day(t time.Time) string { return dateOf(v.Lang, t) }

// ISODay is for the value of a date field.
func (v View) ISODay(t time.Time) string { return t.Format(time.DateOnly) }

// statNumber is a number with its link and how it moved.
type statNumber struct {
	Name, Value, Change, Tone string // Tone: better, worse, flat
	Hint                      string
	URL                       string
	Spark                     template.HTML
}

// statLine is a measure of the table.
type statLine struct {
	Code, Name, Value, Change, Tone, Formula string
	Known                                    bool
	Meter                                    template.HTML
	Part, Whole                              string
	PartURL, WholeURL                        string
	Left                                     []statLeft
	LeftTotal                                string
	Note                                     string
}

type statLeft struct{ Name, N, URL string }

type statGroup struct {
	Name  string
	Lines []statLine
}

type statRow struct {
	Name, N, Growth, Open    string
	URL, TicketsURL, OpenURL string
	Cells                    []statCell
	Own                      bool
	Share                    template.HTML
}

type statCell struct {
	Value, Tone string
	URL         string
}

type statisticsData struct {
	statFrame
	State    statistics.State
	Head     []statNumber
	Bars     []template.HTML // wide and narrow
	Rates    []template.HTML
	RateKeys []chartKey
	Points   []statPoint
	Groups   []statGroup
	Columns  []string
	Rows     []statRow
	Hot      []statHot
	Empty    bool
}

type chartKey struct{ Class, Name string }

// statPoint is a row of the table behind the charts.
type statPoint struct{ Name, N, URL, Before, OnTime, Satisfied string }

type statHot struct{ Name, N, Growth, Tone, URL string }

func tone(good int) string { return [...]string{"worse", "flat", "better"}[good+1] }

// behind is the address of the list behind a number.
func behind(q figures.Query, title string, of []measures.Counter) string {
	if len(of) == 0 {
		return ""
	}
	v := q.Values()
	names := make([]string, len(of))
	page := "tickets"
	for i, n := range of {
		names[i] = n.String()
		if slices.Contains(measures.OfChats(), n) {
			page = "chats"
		}
		if n == measures.Minutes {
			return ""
		}
	}
	v.Set("of", strings.Join(names, ","))
	v.Set("title", title)
	return "/console/statistics/" + page + "?" + v.Encode()
}

// restsOn is the address of the list of everything that a measured value rests on: its parts, where it is made of other measures.
func restsOn(q figures.Query, m measures.Value) string {
	switch {
	case !m.Known:
		return ""
	case len(m.Of) > 0:
		return "#m-" + m.Code
	}
	return behind(q, m.Code, m.WholeOf)
}

func (c *Console) statistics(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	q := c.statQuery(r, v)
	report, err := c.figures().Report(r.Context(), actor(v.Me), q)
	if err != nil {
		return err
	}
	d := &statisticsData{statFrame: c.statFrame(r, v, "overview", q, report.Settings), State: report.State, Columns: figures.Columns(), Empty: report.N.Empty() && report.Was.Empty()}
	d.headline(v, report)
	d.charts(v, report)
	d.table(report)
	for _, row := range report.Rows {
		d.Rows = append(d.Rows, c.statRow(v, d, report, row))
	}
	if slices.Contains(statistics.Things(), q.By) || q.Category == "" {
		hot, err := c.figures().HotTopics(r.Context(), actor(v.Me), q, 8)
		if err != nil {
			return err
		}
		for _, h := range hot {
			other := q
			other.Category = h.Category
			line := statHot{Name: v.Category(h.Category), N: d.Words.Number(h.N), Growth: figures.Growth(h.N, h.Before), Tone: "flat", URL: "/console/statistics?" + other.Encode()}
			if h.Before >= 5 && float64(h.N) >= 1.5*float64(h.Before) {
				line.Tone = "worse"
			}
			d.Hot = append(d.Hot, line)
		}
	}
	v.Nav, v.Title, v.D = "statistics", v.T("statistics.title"), d
	c.page(w, r, http.StatusOK, "statistics", v)
	return nil
}

// headline is the few numbers that a morning begins with.
func (d *statisticsData) headline(v View, r figures.Report) {
	n := func(k measures.Counter) int64 { return r.N[k] }
	var opened, rate, happy []float64
	for _, p := range r.Trend {
		opened = append(opened, float64(p.N[measures.Tickets]))
		rate = append(rate, share(p.N, measures.ResolveOnTime, r.Settings))
		happy = append(happy, share(p.N, measures.Satisfaction, r.Settings))
	}
	d.Head = append(d.Head, statNumber{Name: v.T("statistics.opened"), Value: d.Words.Number(n(measures.Tickets)), Change: figures.Growth(n(measures.Tickets), r.Was[measures.Tickets]), Tone: "flat",
		URL: behind(d.Q, "opened", []measures.Counter{measures.Tickets}), Spark: chart.Spark(opened), Hint: v.T("statistics.was", "n", d.Words.Number(r.Was[measures.Tickets]))})
	for _, code := range []string{measures.ResolveOnTime, measures.Satisfaction, measures.ThreeRates, measures.AnswerTime} {
		p, ok := r.Value(code)
		if !ok {
			continue
		}
		h := statNumber{Name: d.Words.Name(code), Value: d.Words.Value(p.Now), Change: d.Words.Change(p), Tone: tone(p.Good()), URL: restsOn(d.Q, p.Now)}
		if p.Before.Known {
			h.Hint = v.T("statistics.was", "n", d.Words.Value(p.Before))
		}
		switch code {
		case measures.ResolveOnTime:
			h.Spark = chart.Spark(rate)
		case measures.Satisfaction:
			h.Spark = chart.Spark(happy)
		}
		d.Head = append(d.Head, h)
	}
	d.Head = append(d.Head, statNumber{Name: v.T("statistics.open"), Value: d.Words.Number(n(measures.Open)), Tone: "flat", Hint: v.T("statistics.open_hint"), URL: behind(d.Q, "open", []measures.Counter{measures.Open})})
}

// share is a measure over some counts, NaN where there is none.
func share(n measures.Counts, code string, s measures.Settings) float64 {
	m, _ := measures.ByCode(code)
	if v := measures.Evaluate(m, n, s); v.Known {
		return v.V
	}
	return math.NaN()
}

func (d *statisticsData) charts(v View, r figures.Report) {
	step := d.Q.Step()
	var points []chart.Point
	var labels []string
	onTime := chart.Series{Name: d.Words.Name(measures.ResolveOnTime), Class: "s1"}
	happy := chart.Series{Name: d.Words.Name(measures.Satisfaction), Class: "s2"}
	for _, p := range r.Trend {
		short, long := d.Words.Piece(step, p.Day)
		now := p.N[measures.Tickets]
		point := chart.Point{Label: short, Title: long + ": " + d.Words.Number(now), Value: float64(now), Ghost: math.NaN()}
		row := statPoint{Name: long, N: d.Words.Number(now), Before: "–"}
		if now > 0 {
			piece := d.Q
			piece.Preset, piece.From, piece.To = figures.Custom, maxTime(p.Day, d.Q.From), minTime(figures.Next(step, p.Day), d.Q.To)
			row.URL = behind(piece, "opened", []measures.Counter{measures.Tickets})
			point.URL = row.URL
		}
		if p.HasBefore {
			was := p.Before[measures.Tickets]
			point.Ghost, row.Before = float64(was), d.Words.Number(was)
			point.Title += " (" + v.T("statistics.before") + ": " + row.Before + ")"
		}
		a, b := share(p.N, measures.ResolveOnTime, r.Settings), share(p.N, measures.Satisfaction, r.Settings)
		row.OnTime, row.Satisfied = percentOr(a), percentOr(b)
		onTime.Values, happy.Values = append(onTime.Values, a), append(happy.Values, b)
		points, labels, d.Points = append(points, point), append(labels, short), append(d.Points, row)
	}
	d.Bars = []template.HTML{chart.Bars(640, 210, points), chart.Bars(340, 190, points)}
	lines := []chart.Series{onTime, happy}
	d.Rates = []template.HTML{chart.Shares(400, 210, labels, lines), chart.Shares(340, 190, labels, lines)}
	d.RateKeys = []chartKey{{"s1", onTime.Name}, {"s2", happy.Name}}
}

func percentOr(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return figures.Percent(v)
}
