package figures

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/knowledge"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
)

// Figures answers queries.
type Figures struct {
	Statistics *statistics.Store
	Routing    *routing.Service
	Knowledge  *knowledge.Service
}

// Pair is a measure now and in the period before.
type Pair struct {
	Now, Before measures.Value
}

// Change is how much the value moved; ok is false where there is nothing to compare.
func (p Pair) Change() (d float64, ok bool) {
	return p.Now.V - p.Before.V, p.Now.Known && p.Before.Known
}

// Good says how a change is to be read: 1 better, -1 worse, 0 neither.
func (p Pair) Good() int {
	d, ok := p.Change()
	if !ok || p.Now.Better == measures.Neither || d > -.0005 && d < .0005 {
		return 0
	}
	if (d > 0) == (p.Now.Better == measures.Higher) {
		return 1
	}
	return -1
}

// Point is a piece of the trend.
type Point struct {
	Day       time.Time // the first
	N, Before measures.Counts
	HasBefore bool
}

// Row is a line of the breakdown, rolled up over what lies below it.
type Row struct {
	Key       string // id or code; "" for tickets without
	N, Before measures.Counts
	Below     bool // there is a level below it to look into
	Own       bool // of the node itself, without what is below
}

// Report is a page of statistics.
type Report struct {
	Query    Query
	Settings measures.Settings
	State    statistics.State
	N        measures.Counts
	Was      measures.Counts
	Values   []Pair // of All, those that the selection has
	Trend    []Point
	Rows     []Row
	Stock    *knowledge.Stock
	Items    int // active service items
}

// trendOf is what the trend shows.
var trendOf = []measures.Counter{measures.Tickets, measures.ResolveOK, measures.ResolveLate, measures.ResponseOK, measures.ResponseLate,
	measures.Grade1, measures.Grade2, measures.Grade3, measures.Grade4, measures.Grade5, measures.Solved, measures.Unsolved}

// Columns are the measures that the breakdown shows.
func Columns() []string {
	return []string{measures.ResolveOnTime, measures.Response, measures.Resolution, measures.Satisfaction, "redo", "return_rate", measures.AnswerTime}
}

func rowsOf() []measures.Counter {
	seen := map[measures.Counter]bool{measures.Tickets: true, measures.Open: true}
	out := []measures.Counter{measures.Tickets, measures.Open}
	for _, code := range append(Columns(), measures.SignOnTime) {
		m, _ := measures.ByCode(code)
		part, whole := m.Parts(measures.Default())
		for _, c := range slices.Concat(part, whole) {
			if !seen[c] {
				seen[c], out = true, append(out, c)
			}
		}
	}
	return out
}

// Select resolves the nodes of a query to everything below them.
func (f *Figures) Select(q Query) statistics.Selection {
	s := statistics.Selection{From: q.From, To: q.To, Channel: q.Channel, Kind: q.Kind}
	snap := f.Routing.Snapshot()
	if q.Agency != uuid.Nil {
		s.Agencies = []uuid.UUID{q.Agency}
		for _, a := range snap.Agencies() {
			if slices.Contains(a.Ancestors, q.Agency) {
				s.Agencies = append(s.Agencies, a.ID)
			}
		}
	}
	if q.Area != "" {
		s.Areas = f.below(q.Area, f.areaParents())
	}
	if q.Category != "" {
		s.Categories = f.below(q.Category, f.categoryParents())
	}
	if q.Own {
		switch q.By {
		case statistics.ByAgency:
			if q.Agency != uuid.Nil {
				s.Agencies = []uuid.UUID{q.Agency}
			}
		case statistics.ByArea:
			s.Areas = []string{q.Area}
		case statistics.ByCategory:
			s.Categories = []string{q.Category}
		}
	}
	return s
}

// below lists a node and everything under it.
func (f *Figures) below(top string, parents map[string]string) []string {
	out := []string{top}
	for code := range parents {
		for at, depth := parents[code], 0; at != "" && depth < 20; at, depth = parents[at], depth+1 {
			if at == top {
				out = append(out, code)
				break
			}
		}
	}
	slices.Sort(out)
	return out
}

func (f *Figures) categoryParents() map[string]string {
	out := map[string]string{}
	for _, c := range f.Routing.Snapshot().Categories() {
		out[c.Code] = c.Parent
	}
	return out
}

func (f *Figures) areaParents() map[string]string {
	out := map[string]string{}
	for _, a := range f.Routing.Snapshot().Areas() {
		out[a.Code] = a.Parent
	}
	return out
}

func (f *Figures) agencyParents() map[string]string {
	out := map[string]string{}
	for _, a := range f.Routing.Snapshot().Agencies() {
		out[a.ID.String()] = ""
		if a.Parent != uuid.Nil {
			out[a.ID.String()] = a.Parent.String()
		}
	}
	return out
}

// Report answers a query.
// Errors: those of statistics.Store.Count.
func (f *Figures) Report(ctx context.Context, a tickets.Actor, q Query) (Report, error) {
	r := Report{Query: q}
	var err error
	if r.Settings, _, err = f.Statistics.Settings(ctx); err != nil {
		return r, err
	}
	if r.State, err = f.Statistics.State(ctx); err != nil {
		return r, err
	}
	before := q.Before()
	now, was := f.Select(q), f.Select(before)
	step := q.Step()
	ask := []statistics.Question{{Selection: now}, {Selection: was}, {Selection: now, By: step, Of: trendOf}, {Selection: was, By: step, Of: trendOf}}
	things := slices.Contains(statistics.Things(), q.By)
	if things {
		ask = append(ask, statistics.Question{Selection: now, By: q.By, Of: rowsOf()}, statistics.Question{Selection: was, By: q.By, Of: rowsOf()})
	} else {
		ask = append(ask, statistics.Question{Selection: now, By: step, Of: rowsOf()})
	}
	got, err := f.Statistics.Count(ctx, a, ask...)
	if err != nil {
		return r, err
	}
	r.N, r.Was = total(got[0]), total(got[1])
	r.Trend = trend(q, before, got[2], got[3])
	if things {
		r.Rows = f.level(q, byKey(got[4]), byKey(got[5]))
	} else {
		for _, c := range got[4] {
			r.Rows = append(r.Rows, Row{Key: c.Key, N: c.N})
		}
		slices.Reverse(r.Rows) // the newest first
	}
	if err := f.values(ctx, a, q, &r); err != nil {
		return r, err
	}
	return r, nil
}

func total(groups []statistics.Counted) measures.Counts {
	var n measures.Counts
	for _, g := range groups {
		n = n.Plus(g.N)
	}
	return n
}

func byKey(groups []statistics.Counted) map[string]measures.Counts {
	out := make(map[string]measures.Counts, len(groups))
	for _, g := range groups {
		out[g.Key] = g.N
	}
	return out
}

// values evaluates the measures that mean something for the selection.
func (f *Figures) values(ctx context.Context, a tickets.Actor, q Query, r *Report) error {
	everybody := a.DB.Desk() || a.DB.IsSystem()
	for _, m := range measures.All() {
		switch m.Subject {
		case measures.OfChat:
			if !everybody || !q.Chats() {
				continue
			}
		case measures.OfKnowledge:
			continue // below
		}
		r.Values = append(r.Values, Pair{measures.Evaluate(m, r.N, r.Settings), measures.Evaluate(m, r.Was, r.Settings)})
	}
	if !everybody || !q.Whole() || f.Knowledge == nil {
		return nil
	}
	stock, err := f.Knowledge.Stock(ctx)
	if err != nil {
		return err
	}
	r.Stock = &stock
	covered := int64(0)
	for _, item := range f.Routing.Snapshot().ServiceItems() {
		if !item.Active {
			continue
		}
		r.Items++
		if slices.Contains(stock.Covered, item.Code) {
			covered++
		}
	}
	for code, n := range map[string][2]int64{measures.Coverage: {covered, int64(r.Items)}, measures.Stale: {int64(stock.Stale), int64(stock.Live)}} {
		m, _ := measures.ByCode(code)
		v := measures.Value{Measure: m, Part: n[0], Whole: n[1], Known: n[1] > 0}
		if v.Known {
			v.V = float64(v.Part) / float64(v.Whole)
		}
		r.Values = append(r.Values, Pair{Now: v})
	}
	order := map[string]int{}
	for i, m := range measures.All() {
		order[m.Code] = i
	}
	slices.SortStableFunc(r.Values, func(a, b Pair) int { return order[a.Now.Code] - order[b.Now.Code] })
	return nil
}

// trend lays the pieces of both periods side by side, by their place and not by their date.
func trend(q, before Query, now, was []statistics.Counted) []Point {
	n, w := byKey(now), byKey(was)
	then := before.StepsAs(q.Step())
	var out []Point
	for i, day := range q.Steps() {
		p := Point{Day: day, N: n[day.Format(time.DateOnly)]}
		if i < len(then) {
			p.Before, p.HasBefore = w[then[i].Format(time.DateOnly)], true
		}
		out = append(out, p)
	}
	return out
}

// StepsAs is Steps cut as another query is.
func (q Query) StepsAs(step statistics.Dimension) []time.Time {
	q.By = step
	return q.Steps()
}

// Value finds a measure of the report.
func (r Report) Value(code string) (Pair, bool) {
	for _, p := range r.Values {
		if p.Now.Code == code {
			return p, true
		}
	}
	return Pair{}, false
}

// level is the breakdown: one level of a tree, rolled up, or the codes themselves where there is no tree.
func (f *Figures) level(q Query, now, was map[string]measures.Counts) []Row {
	var parents map[string]string
	var at string
	switch q.By {
	case statistics.ByAgency:
		parents = f.agencyParents()
		if q.Agency != uuid.Nil {
			at = q.Agency.String()
		}
	case statistics.ByArea:
		parents, at = f.areaParents(), q.Area
	case statistics.ByCategory:
		parents, at = f.categoryParents(), q.Category
	default:
		parents = map[string]string{}
	}
	parent := func(code string) string { return parents[code] }
	rolled, before := measures.RollUp(now, parent), measures.RollUp(was, parent)
	children := map[string][]string{}
	for code := range rolled {
		children[parents[code]] = append(children[parents[code]], code)
	}
	for code := range before {
		if _, ok := rolled[code]; !ok {
			children[parents[code]] = append(children[parents[code]], code)
		}
	}
	var rows []Row
	row := func(code string) Row {
		return Row{Key: code, N: rolled[code], Before: before[code], Below: len(children[code]) > 0 && code != ""}
	}
	list := children[at]
	if at == "" {
		list = slices.DeleteFunc(slices.Clone(list), func(code string) bool { return code == "" })
	}
	// A level that has one node with something below it says nothing: the city of a city.
	for depth := 0; depth < 3; depth++ {
		var inner []string
		for _, code := range list {
			if len(children[code]) > 0 {
				inner = append(inner, code)
			}
		}
		if len(inner) != 1 || q.By == statistics.ByCategory || len(list) > 2 {
			break
		}
		top := inner[0]
		if n, b := now[top], was[top]; !n.Empty() || !b.Empty() {
			rows = append(rows, Row{Key: top, N: n, Before: b, Own: true})
		}
		list = append(slices.DeleteFunc(slices.Clone(list), func(code string) bool { return code == top }), children[top]...)
	}
	for _, code := range list {
		rows = append(rows, row(code))
	}
	if at != "" {
		if n, b := now[at], was[at]; !n.Empty() || !b.Empty() {
			rows = append(rows, Row{Key: at, N: n, Before: b, Own: len(list) > 0})
		}
	} else if n, b := now[""], was[""]; !n.Empty() || !b.Empty() {
		rows = append(rows, Row{N: n, Before: b})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.N[measures.Tickets], a.N[measures.Tickets]), cmp.Compare(b.N[measures.Assigned], a.N[measures.Assigned]), strings.Compare(a.Key, b.Key))
	})
	return rows
}

// Card is an agency's scorecard.
type Card struct {
	Agency uuid.UUID
	N      measures.Counts
	Score  measures.Score
	Before measures.Score
	Depth  int
}

// Scorecards gives a card for every agency that had a ticket, rolled up over those below it, the best first; those without a score at the end.
func (f *Figures) Scorecards(ctx context.Context, a tickets.Actor, q Query) ([]Card, measures.Settings, error) {
	settings, _, err := f.Statistics.Settings(ctx)
	if err != nil {
		return nil, settings, err
	}
	q.By = statistics.ByAgency
	got, err := f.Statistics.Count(ctx, a, statistics.Question{Selection: f.Select(q), By: q.By}, statistics.Question{Selection: f.Select(q.Before()), By: q.By})
	if err != nil {
		return nil, settings, err
	}
	parents := f.agencyParents()
	parent := func(code string) string { return parents[code] }
	now, was := measures.RollUp(byKey(got[0]), parent), measures.RollUp(byKey(got[1]), parent)
	var out []Card
	for key, n := range now {
		id, err := uuid.Parse(key)
		agency, known := f.Routing.Snapshot().Agency(id)
		if err != nil || !known || agency.Desk() || n.Sum(measures.Tickets, measures.Assigned) == 0 {
			continue
		}
		if !a.DB.IsSystem() && !a.DB.Desk() && id != a.DB.Agency() && !slices.Contains(agency.Ancestors, a.DB.Agency()) {
			continue // rolled up into an agency above the reader's: not its card
		}
		out = append(out, Card{Agency: id, N: n, Score: measures.ScoreOf(n, settings), Before: measures.ScoreOf(was[key], settings), Depth: len(agency.Ancestors)})
	}
	slices.SortFunc(out, func(a, b Card) int {
		if a.Score.Known != b.Score.Known {
			if a.Score.Known {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Score.V, a.Score.V), cmp.Compare(b.N[measures.Tickets], a.N[measures.Tickets]), slices.Compare(a.Agency[:], b.Agency[:]))
	})
	return out, settings, nil
}

// Hot is a category with how its count moved.
type Hot struct {
	Category  string
	N, Before int64
}

// HotTopics lists the categories with the most tickets, and how many they had in the period before.
func (f *Figures) HotTopics(ctx context.Context, a tickets.Actor, q Query, limit int) ([]Hot, error) {
	of := []measures.Counter{measures.Tickets}
	got, err := f.Statistics.Count(ctx, a, statistics.Question{Selection: f.Select(q), By: statistics.ByCategory, Of: of}, statistics.Question{Selection: f.Select(q.Before()), By: statistics.ByCategory, Of: of})
	if err != nil {
		return nil, err
	}
	was := byKey(got[1])
	var out []Hot
	for _, c := range got[0] {
		if n := c.N[measures.Tickets]; c.Key != "" && n > 0 {
			out = append(out, Hot{Category: c.Key, N: n, Before: was[c.Key][measures.Tickets]})
		}
	}
	slices.SortFunc(out, func(a, b Hot) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Category, b.Category)) })
	return out[:min(len(out), limit)], nil
}
