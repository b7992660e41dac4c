package figures

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"hotline/tickets"
	"hotline/tickets/measures"
)

// The public numbers: without confidential tickets, and without any count so small that it could speak of one person.

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
	Reason string
	N      *int64
}

// AgencyResult is an agency's assessments.
type AgencyResult struct {
	Agency  uuid.UUID
	Tickets *int64 // absent: too few
	Graded  *int64
	Average *float64 // 1 to 5
	Satisfy *float64
	OnTime  *float64
}

// Group is a line of the public breakdown.
type Group struct {
	Key     string
	Tickets *int64
	Values  []Number
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
	Trend        []Point
	Agencies     []AgencyResult
	Groups       []Group
}

type cached struct {
	at time.Time
	p  Public
}

// Publisher answers the public, and remembers answers for a minute: everybody asks the same few questions.
type Publisher struct {
	Figures
	Now func() time.Time

	mu    sync.Mutex
	known map[string]cached
}

const publicAge = time.Minute

// Public gives the published numbers of a query; of it only period and By count.
// Errors: tickets.ErrWholeMonths, those of tickets.Count.
func (f *Publisher) Public(ctx context.Context, q Query) (Public, error) {
	if q.Preset == Custom && (q.From.Day() != 1 || q.To.Day() != 1) {
		return Public{}, tickets.ErrWholeMonths
	}
	q = Query{Preset: q.Preset, From: q.From, To: q.To, By: q.By}
	key := q.Encode() + q.From.Format(time.DateOnly)
	now := f.Now()
	f.mu.Lock()
	c, ok := f.known[key]
	f.mu.Unlock()
	if ok && now.Sub(c.at) < publicAge {
		return c.p, nil
	}
	p, err := f.public(ctx, q)
	if err != nil {
		return Public{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known) > 500 {
		f.known = map[string]cached{}
	}
	f.known[key] = cached{now, p}
	return p, nil
}

func (f *Publisher) public(ctx context.Context, q Query) (Public, error) {
	out := Public{Query: q}
	var err error
	if out.Settings, _, err = f.Tickets.MeasureSettings(ctx); err != nil {
		return out, err
	}
	state, err := f.Tickets.MeasuresState(ctx)
	if err != nil {
		return out, err
	}
	out.AsOf = state.AsOf
	all := tickets.Selection{From: q.From, To: q.To}
	open := all
	open.Public = true
	step := q
	if !slices.Contains(tickets.Times(), step.By) {
		step.By = tickets.ByNothing
	}
	groups := tickets.Question{Selection: open, By: q.By}
	got, err := f.Tickets.Count(ctx, tickets.System(), tickets.Question{Selection: all, Of: []measures.Counter{measures.Tickets}}, tickets.Question{Selection: open},
		tickets.Question{Selection: open, By: step.Step(), Of: trendOf}, tickets.Question{Selection: open, By: tickets.ByAgency}, groups)
	if err != nil {
		return out, err
	}
	n, k := total(got[1]), int64(out.Settings.SmallCell)
	out.Tickets, out.Open = told(n[measures.Tickets], k), told(n[measures.Open], k)
	out.Confidential = told(total(got[0])[measures.Tickets]-n[measures.Tickets], k)
	out.Values = Numbers(n, out.Settings)
	out.Trend = trend(step, step, got[2], nil)
	for i := range out.Trend {
		out.Trend[i].HasBefore = false
	}
	out.Agencies = f.results(got[3], out.Settings)
	if q.By != tickets.ByNothing {
		own := byKey(got[4])
		parents := map[tickets.Dimension]func() map[string]string{tickets.ByAgency: f.agencyParents, tickets.ByArea: f.areaParents, tickets.ByCategory: f.categoryParents}[q.By]
		if parents != nil {
			tree := parents()
			own = measures.RollUp(own, func(code string) string { return tree[code] })
		}
		for key, n := range own {
			if key != "" && n.Sum(measures.Tickets) > 0 {
				out.Groups = append(out.Groups, Group{Key: key, Tickets: told(n[measures.Tickets], k), Values: Numbers(n, out.Settings)})
			}
		}
		slices.SortFunc(out.Groups, func(a, b Group) int { return cmp.Compare(a.Key, b.Key) })
	}
	return out, nil
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
				p.Left = append(p.Left, LeftOut{l.Reason, told(l.N, k)})
			}
		}
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
func (f *Figures) results(groups []tickets.Counted, s measures.Settings) []AgencyResult {
	k := int64(s.SmallCell)
	parents := f.agencyParents()
	rolled := measures.RollUp(byKey(groups), func(code string) string { return parents[code] })
	snap := f.Routing.Snapshot()
	var out []AgencyResult
	for key, n := range rolled {
		id, err := uuid.Parse(key)
		a, known := snap.Agency(id)
		if err != nil || !known || a.Desk() || n[measures.Tickets] == 0 || id == snap.Root().ID || len(a.Ancestors) > len(snap.Root().Ancestors)+1 {
			continue
		}
		r := AgencyResult{Agency: id, Tickets: told(n[measures.Tickets], k)}
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
