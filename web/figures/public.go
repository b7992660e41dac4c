package figures

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
)

// The public numbers: without confidential tickets, without any count so small that it could speak of one person, and made once a day, so that
// nobody sees a single case arrive or change by asking again and again.

// PublicPresets are the periods that the public pages offer.
func PublicPresets() []string {
	return []string{"days_30", "month", "last_month", "last_quarter", "year", "last_year", "months_12"}
}

// Number is a measure as it is published. Counts that are too small to be told are absent.
type Number struct {
	Code        string
	Unit        measures.Unit
	Known       bool    // there was something to measure, and enough of it
	TooFew      bool    // there was something, but less than the limit
	V           float64 // rounded to whole percents where the counts are too small to be told
	Part, Whole *int64
	Left        []LeftOut
}

// LeftOut is an exclusion; N is absent where it is too small to be told.
type LeftOut struct {
	Reason   string
	N        *int64
	Withheld bool // large enough, and absent because the one beside it could be worked out
}

// AgencyResult is an agency's assessments.
type AgencyResult struct {
	Agency   uuid.UUID
	Tickets  *int64 // absent: too few, or withheld
	Withheld bool
	Graded   *int64
	Average  *float64 // 1 to 5
	Satisfy  *float64
	OnTime   *float64
}

// Group is a line of the public breakdown.
type Group struct {
	Key      string
	Tickets  *int64
	Withheld bool // large enough, and absent because the one beside it could be worked out
	Values   []Number
}

// Public is what is published of a period.
type Public struct {
	Query        Query
	Settings     measures.Settings
	AsOf         time.Time
	Tickets      *int64
	Open         *int64
	Confidential *int64 // left out of everything else
	Values       []Number
	Agencies     []AgencyResult
	Groups       []Group
}

// Publisher answers the public. An answer is made once a day and stands in the database: every node gives the same one all day long.
type Publisher struct {
	Figures

	mu    sync.Mutex
	day   time.Time
	known map[string]Public // of the day
}

// Today is the last day that is over. What is published ends with it, and periods are counted back from it: on the first of a month "this month" is
// still the one that has just ended.
func (f *Publisher) Today() time.Time { return f.Statistics.Today().AddDate(0, 0, -1) }

// Public gives the published numbers of a query; of it only period and By count.
// Errors: statistics.ErrWholeMonths, statistics.ErrPublishedEnough, those of statistics.Store.Count.
func (f *Publisher) Public(ctx context.Context, q Query) (Public, error) {
	if q.Preset == Custom && (q.From.Day() != 1 || q.To.Day() != 1) {
		return Public{}, statistics.ErrWholeMonths
	}
	set, version, err := f.Statistics.Settings(ctx)
	if err != nil {
		return Public{}, err
	}
	day := f.Statistics.Today()
	q = Query{Preset: q.Preset, From: q.From, To: q.To, By: q.By}
	if q.To.After(day) {
		q.To = day
	}
	// New settings hold at once: the day's answers are kept for each version of them.
	key := fmt.Sprintf("%s/%s/%s/%d", q.From.Format(time.DateOnly), q.To.Format(time.DateOnly), q.By, version)
	if p, ok := f.remembered(day, key); ok {
		p.Query = q
		return p, nil
	}
	kept := true
	raw, err := f.Statistics.Published(ctx, day, key, q.Preset != Custom, func(ctx context.Context) ([]byte, bool, error) {
		p, behind, err := f.public(ctx, q, set)
		if err != nil {
			return nil, false, err
		}
		kept = !behind
		raw, err := json.Marshal(p)
		return raw, kept, err
	})
	if err != nil {
		return Public{}, err
	}
	var p Public
	if err := json.Unmarshal(raw, &p); err != nil {
		return Public{}, fmt.Errorf("published numbers: %w", err)
	}
	p.Query = q
	if kept {
		f.remember(day, key, p)
	}
	return p, nil
}

func (f *Publisher) remembered(day time.Time, key string) (Public, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.known[key]
	return p, ok && f.day.Equal(day)
}

func (f *Publisher) remember(day time.Time, key string, p Public) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || !f.day.Equal(day) || len(f.known) > 500 {
		f.day, f.known = day, map[string]Public{}
	}
	f.known[key] = p
}

// public counts; behind: the sums do not have the whole day before yet, as in a new installation, a rebuild, or the first seconds after midnight.
func (f *Publisher) public(ctx context.Context, q Query, set measures.Settings) (p Public, behind bool, err error) {
	out := Public{Settings: set}
	state, err := f.Statistics.State(ctx)
	if err != nil {
		return out, false, err
	}
	out.AsOf = state.AsOf
	all := statistics.Selection{From: q.From, To: q.To}
	open := all
	open.Public = true
	got, err := f.Statistics.Count(ctx, tickets.System(), statistics.Question{Selection: all, Of: []measures.Counter{measures.Tickets}}, statistics.Question{Selection: open},
		statistics.Question{Selection: open, By: statistics.ByAgency}, statistics.Question{Selection: open, By: q.By})
	if err != nil {
		return out, false, err
	}
	n, k := total(got[1]), int64(set.SmallCell)
	out.Tickets, out.Open = told(n[measures.Tickets], k), told(n[measures.Open], k)
	out.Confidential = told(total(got[0])[measures.Tickets]-n[measures.Tickets], k)
	out.Values = Numbers(n, set)
	agencies, rolled := f.groups(statistics.ByAgency, byKey(got[2]), set)
	out.Agencies = f.results(agencies, rolled, set)
	switch q.By {
	case statistics.ByNothing:
	case statistics.ByAgency:
		out.Groups = agencies
	default:
		out.Groups, _ = f.groups(q.By, byKey(got[3]), set)
	}
	return out, state.Rebuilding || f.Statistics.Day(state.AsOf).Before(f.Statistics.Today()), nil
}

// groups are the lines of a breakdown, those of a tree with what lies below them, in the order of their keys; and the counts behind them.
func (f *Figures) groups(by statistics.Dimension, own map[string]measures.Counts, set measures.Settings) ([]Group, map[string]measures.Counts) {
	var tree map[string]string
	switch by {
	case statistics.ByAgency:
		tree = f.agencyParents()
	case statistics.ByArea:
		tree = f.areaParents()
	case statistics.ByCategory:
		tree = f.categoryParents()
	}
	above := func(code string) string { return tree[code] }
	if tree != nil {
		own = measures.RollUp(own, above)
	}
	var out []Group
	for key, n := range own {
		if key != "" && n.Sum(measures.Tickets) > 0 {
			out = append(out, Group{Key: key, Tickets: told(n[measures.Tickets], int64(set.SmallCell)), Values: Numbers(n, set)})
		}
	}
	slices.SortFunc(out, func(a, b Group) int { return cmp.Compare(a.Key, b.Key) })
	beside := map[string][]*Group{}
	for i := range out {
		beside[above(out[i].Key)] = append(beside[above(out[i].Key)], &out[i])
	}
	for _, siblings := range beside {
		withhold(siblings)
	}
	return out, own
}

// told is a count, absent where it is small but not nothing.
func told(n, k int64) *int64 {
	if n > 0 && n < k {
		return nil
	}
	return &n
}

// Numbers evaluates the measures for the public.
func Numbers(n measures.Counts, s measures.Settings) []Number {
	k := int64(s.SmallCell)
	var out []Number
	for _, m := range measures.All() {
		if m.Subject == measures.OfKnowledge {
			continue
		}
		v := measures.Evaluate(m, n, s)
		p := Number{Code: m.Code, Unit: m.Unit, Known: v.Known, V: v.V}
		for _, l := range v.Left {
			if l.N > 0 {
				p.Left = append(p.Left, LeftOut{Reason: l.Reason, N: told(l.N, k)})
			}
		}
		withholdLeft(p.Left)
		if len(m.Of) > 0 {
			for _, part := range v.Parts {
				if part.Known && part.Whole < k {
					p.Known, p.TooFew = false, true
				}
			}
			out = append(out, p)
			continue
		}
		switch {
		case v.Whole > 0 && v.Whole < k:
			p.Known, p.TooFew, p.V = false, true, 0
		case m.Unit == measures.Hours:
			p.Whole = told(v.Whole, k)
		case v.Part > 0 && v.Part < k, v.Whole-v.Part > 0 && v.Whole-v.Part < k:
			p.V = math.Round(v.V*100) / 100
		case v.Known:
			part, whole := v.Part, v.Whole
			p.Part, p.Whole = &part, &whole
		}
		out = append(out, p)
	}
	return out
}

// results are the assessments of the agencies at the level below the top, each with what is below it; those without a ticket are not listed.
func (f *Figures) results(groups []Group, rolled map[string]measures.Counts, s measures.Settings) []AgencyResult {
	k := int64(s.SmallCell)
	snap := f.Routing.Snapshot()
	var out []AgencyResult
	for _, g := range groups {
		n := rolled[g.Key]
		id, err := uuid.Parse(g.Key)
		a, known := snap.Agency(id)
		if err != nil || !known || a.Desk() || n[measures.Tickets] == 0 || id == snap.Root().ID || len(a.Ancestors) > len(snap.Root().Ancestors)+1 {
			continue
		}
		r := AgencyResult{Agency: id, Tickets: g.Tickets, Withheld: g.Withheld}
		grades := []measures.Counter{measures.Grade1, measures.Grade2, measures.Grade3, measures.Grade4, measures.Grade5}
		if graded := n.Sum(grades...); graded >= k {
			var sum int64
			for i, g := range grades {
				sum += int64(i+1) * n[g]
			}
			average := math.Round(float64(sum)/float64(graded)*10) / 10
			r.Graded, r.Average = &graded, &average
			r.Satisfy = f.share(n, measures.Satisfaction, s)
		}
		r.OnTime = f.share(n, measures.ResolveOnTime, s)
		out = append(out, r)
	}
	withholdGrades(out)
	slices.SortFunc(out, func(a, b AgencyResult) int {
		switch {
		case a.Average != nil && b.Average != nil && *a.Average != *b.Average:
			return cmp.Compare(*b.Average, *a.Average)
		case (a.Average == nil) != (b.Average == nil):
			if a.Average != nil {
				return -1
			}
			return 1
		}
		return slices.Compare(a.Agency[:], b.Agency[:])
	})
	return out
}

// share is a measure as it may be published of an agency.
func (f *Figures) share(n measures.Counts, code string, s measures.Settings) *float64 {
	for _, v := range Numbers(n, s) {
		if v.Code == code && v.Known {
			return &v.V
		}
	}
	return nil
}
