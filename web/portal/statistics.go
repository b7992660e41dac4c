package portal

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/internal/i18n"
	"hotline/tickets/measures"
	"hotline/tickets/opendata"
	"hotline/tickets/statistics"
	"hotline/web/chart"
	"hotline/web/figures"
	"hotline/web/httperr"
)

// Numbers gives what is published: without confidential tickets, personal data and small counts.
type Numbers interface {
	Public(ctx context.Context, q figures.Query) (figures.Public, error)
	Today() time.Time
	AgencyName(id uuid.UUID, lang string) string
	Files(ctx context.Context) ([]opendata.File, error)
	// File opens a published file. Errors: kind not_found.
	File(ctx context.Context, month time.Time, format string) (opendata.File, io.ReadSeekCloser, error)
}

// number is a published measure in words.
type number struct {
	Name, Value, Formula, Counts string
	Left                         string
	Meter                        template.HTML
}

type agencyLine struct{ Name, Tickets, Average, Satisfied, OnTime, Graded string }

type statisticsPage struct {
	Period   string
	Preset   string
	Presets  []string
	Tickets  string
	Open     string
	Out      string
	Big      []number
	More     []number
	Bars     []template.HTML
	Rates    []template.HTML
	Keys     []string
	Points   [][]string
	Agencies []agencyLine
	AsOf     string
	Few      int
	Nothing  bool
}

// headline is the large numbers.
var headline = []string{measures.ResolveOnTime, measures.Satisfaction, measures.Resolution, measures.Response, measures.AnswerTime}

func (p *Portal) statistics(w http.ResponseWriter, r *http.Request) {
	q := figures.Query{By: statistics.ByNothing}
	preset := r.URL.Query().Get("period")
	if !slices.Contains(figures.PublicPresets(), preset) {
		preset = "days_30"
	}
	q = figures.Parse(map[string][]string{"period": {preset}}, p.Numbers.Today())
	q.By = statistics.ByNothing
	pub, err := p.Numbers.Public(r.Context(), q)
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	// The months behind the trend are a question of their own: a month is the shortest piece that the public page shows.
	year := figures.Parse(map[string][]string{"period": {"months_12"}}, p.Numbers.Today())
	year.By = statistics.ByMonth
	trend, err := p.Numbers.Public(r.Context(), year)
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	v := p.view(r, "statistics.title", nil)
	d := &statisticsPage{Preset: preset, Presets: figures.PublicPresets(), Few: pub.Settings.SmallCell, Nothing: pub.Tickets != nil && *pub.Tickets == 0}
	words := figures.Words{Bundle: p.Words, Lang: v.Lang, Set: pub.Settings}
	d.Period = i18n.Date(v.Lang, q.From, time.UTC) + " – " + i18n.Date(v.Lang, q.Last(), time.UTC)
	d.AsOf = v.DateTime(pub.AsOf)
	d.Tickets, d.Open, d.Out = p.count(v, words, d.Few, pub.Tickets, false), p.count(v, words, d.Few, pub.Open, false), p.count(v, words, d.Few, pub.Confidential, false)
	d.Big = make([]number, len(headline))
	for _, n := range pub.Values {
		one := p.number(v, words, d.Few, n)
		if i := slices.Index(headline, n.Code); i >= 0 {
			d.Big[i] = one
		} else {
			d.More = append(d.More, one)
		}
	}
	p.trend(v, words, d, trend)
	for _, a := range pub.Agencies {
		line := agencyLine{Name: p.Numbers.AgencyName(a.Agency, v.Lang), Tickets: p.count(v, words, d.Few, a.Tickets, a.Withheld), Graded: v.T("statistics.few", "few", d.Few), Average: "–", Satisfied: "–", OnTime: "–"}
		if a.Average != nil {
			line.Graded, line.Average = p.count(v, words, d.Few, a.Graded, a.Graded == nil), strconv.FormatFloat(*a.Average, 'f', 1, 64)
		}
		if a.Satisfy != nil {
			line.Satisfied = figures.Percent(*a.Satisfy)
		}
		if a.OnTime != nil {
			line.OnTime = figures.Percent(*a.OnTime)
		}
		d.Agencies = append(d.Agencies, line)
	}
	v.Body = d
	p.render(w, r, "statistics", v)
}

// count writes a count, or why it is not told.
func (p *Portal) count(v *view, words figures.Words, few int, n *int64, withheld bool) string {
	switch {
	case withheld:
		return v.T("statistics.withheld")
	case n == nil:
		return v.T("statistics.few", "few", few)
	}
	return words.Number(*n)
}

func (p *Portal) number(v *view, words figures.Words, few int, n figures.Number) number {
	out := number{Name: words.Name(n.Code), Formula: words.Formula(n.Code)}
	switch {
	case n.TooFew:
		out.Value = v.T("statistics.few", "few", few)
	default:
		m, _ := measures.ByCode(n.Code)
		out.Value = words.Value(measures.Value{Measure: m, Known: n.Known, V: n.V})
		if n.Known && n.Unit == measures.Share {
			out.Meter = chart.Meter(n.V, "")
		}
	}
	if n.Part != nil && n.Whole != nil {
		out.Counts = v.T("statistics.of", "part", words.Number(*n.Part), "whole", words.Number(*n.Whole))
	}
	var left []string
	for _, l := range n.Left {
		left = append(left, words.Reason(l.Reason)+" ("+p.count(v, words, few, l.N, l.Withheld)+")")
	}
	if len(left) > 0 {
		out.Left = v.T("statistics.left", "what", strings.Join(left, v.T("statistics.comma")))
	}
	return out
}

func (p *Portal) trend(v *view, words figures.Words, d *statisticsPage, pub figures.Public) {
	var points []chart.Point
	var labels []string
	onTime := chart.Series{Class: "s1"}
	happy := chart.Series{Class: "s2"}
	share := func(values []figures.Number, code string) float64 {
		for _, x := range values {
			if x.Code == code && x.Known {
				return x.V
			}
		}
		return math.NaN()
	}
	months := map[string]figures.Group{}
	for _, g := range pub.Groups {
		months[g.Key] = g
	}
	write := func(f float64) string {
		if math.IsNaN(f) {
			return "–"
		}
		return figures.Percent(f)
	}
	for _, day := range pub.Query.StepsAs(statistics.ByMonth) {
		short, long := words.Piece(statistics.ByMonth, day)
		g, filed := months[day.Format(time.DateOnly)]
		if !filed {
			g.Tickets = new(int64)
		}
		var n int64
		if g.Tickets != nil {
			n = *g.Tickets
		}
		shown := p.count(v, words, d.Few, g.Tickets, g.Withheld)
		a, b := share(g.Values, measures.ResolveOnTime), share(g.Values, measures.Satisfaction)
		points = append(points, chart.Point{Label: short, Title: long + ": " + shown, Value: float64(n), Ghost: math.NaN()})
		labels, onTime.Values, happy.Values = append(labels, short), append(onTime.Values, a), append(happy.Values, b)
		d.Points = append(d.Points, []string{long, shown, write(a), write(b)})
	}
	lines := []chart.Series{onTime, happy}
	d.Bars = []template.HTML{chart.Bars(500, 220, points), chart.Bars(330, 190, points)}
	d.Rates = []template.HTML{chart.Shares(500, 220, labels, lines), chart.Shares(330, 190, labels, lines)}
	d.Keys = []string{words.Name(measures.ResolveOnTime), words.Name(measures.Satisfaction)}
}

type openDataPage struct {
	Months  []openDataMonth
	Columns []openDataColumn
	Few     int
}

type openDataMonth struct {
	Name, Month, Rows string
	CSV, JSON         string // sizes; "" where there is none
	SHA256            string
}

type openDataColumn struct{ Name, Type, Meaning, Values string }

func (p *Portal) openData(w http.ResponseWriter, r *http.Request) {
	files, err := p.Numbers.Files(r.Context())
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	v := p.view(r, "open_data.title", nil)
	words := figures.Words{Bundle: p.Words, Lang: v.Lang}
	d := &openDataPage{}
	for _, f := range files {
		month := f.Month.Format("2006-01")
		if len(d.Months) == 0 || d.Months[len(d.Months)-1].Month != month {
			_, long := words.Piece(statistics.ByMonth, f.Month)
			d.Months = append(d.Months, openDataMonth{Name: long, Month: month, Rows: words.Number(int64(f.Rows))})
		}
		last := &d.Months[len(d.Months)-1]
		if f.Format == "csv" {
			last.CSV, last.SHA256 = i18n.Size(f.Size), f.SHA256
		} else {
			last.JSON = i18n.Size(f.Size)
		}
	}
	for _, c := range opendata.Columns() {
		meaning := c.Meaning
		if v.Lang == "zh-CN" {
			meaning = c.ZhCN
		}
		d.Columns = append(d.Columns, openDataColumn{c.Name, c.Type, meaning, strings.Join(slices.DeleteFunc(slices.Clone(c.Values), func(s string) bool { return s == "" }), ", ")})
	}
	v.Body = d
	p.render(w, r, "open-data", v)
}

// openDataFile serves /open-data/2026-10.csv.
func (p *Portal) openDataFile(w http.ResponseWriter, r *http.Request) {
	month, format, _ := strings.Cut(r.PathValue("file"), ".")
	at, err := time.Parse("2006-01", month)
	if err != nil || format != "csv" && format != "json" {
		httperr.Write(w, r, httperr.ErrNotFound)
		return
	}
	f, body, err := p.Numbers.File(r.Context(), at, format)
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	defer body.Close()
	h := w.Header()
	h.Set("Content-Type", map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json"}[format])
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="hotline-%s.%s"`, month, format))
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("ETag", `"`+f.SHA256+`"`)
	http.ServeContent(w, r, "", f.CreatedAt, body)
}
