package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
)

// Budgets of the architecture, in milliseconds, at a million tickets; a load that must be lean is given twice as long.
const (
	budgetAlone     = 10
	budgetTogether  = 50
	budgetSearch    = 50
	budgetDashboard = 300
	page            = 40 // rows, as the console shows them
	deep            = 40 // pages behind the first
)

// who is one of those whose work is measured.
type who struct {
	name   string
	actor  tickets.Actor
	agency uuid.UUID
	leaf   string // a category that they have many of
	rarely string // and one that they have few of
}

func (s *scale) people() []who {
	staff := func(name string, at int, role string, desk bool, leaf, rarely string) who {
		agency := s.city.watching[at]
		return who{name, tickets.Staff(db.Staff(s.city.staff[agency][0], agency, desk, role != "handler"), []string{role}), agency, leaf, rarely}
	}
	return []who{
		staff("dispatcher", 0, "dispatcher", true, "environment.noise.social", "market.food_safety"),
		staff("handler", 1, "handler", false, "housing.repair", "housing.lift"),
		staff("district head", 2, "head", false, "environment.noise.social", "market.food_safety"),
	}
}

// facet is a filter with a name.
type facet struct {
	name string
	f    tickets.Filter
}

func (s *scale) facets(w who) []facet {
	return []facet{
		{"kind", tickets.Filter{Kind: "praise"}}, {"category", tickets.Filter{Category: w.leaf}}, {"rare category", tickets.Filter{Category: w.rarely}},
		{"category tree", tickets.Filter{Category: "environment.noise"}}, {"urgency", tickets.Filter{Urgency: "urgent"}}, {"state", tickets.Filter{State: tickets.ReturnRequested}},
		{"area", tickets.Filter{Area: "donghu-07"}}, {"district", tickets.Filter{Area: "donghu"}}, {"lead", tickets.Filter{Lead: s.city.watching[1]}},
		{"rare tag", tickets.Filter{Tag: s.city.rare[w.agency]}}, {"common tag", tickets.Filter{Tag: s.city.common[w.agency]}},
		{"month", tickets.Filter{From: time.Now().AddDate(0, -6, 0), To: time.Now().AddDate(0, -5, 0)}},
	}
}

// plain reads one ticket by its key, as the owner: the limit of this machine at this moment.
func (s *scale) plain(ctx context.Context, r *rand.Rand) (time.Duration, error) {
	at := time.Now()
	var title string
	err := s.owner.QueryRow(ctx, `select title from tickets where id = $1`, s.ids[r.IntN(len(s.ids))]).Scan(&title)
	return time.Since(at), err
}

// repeat measures f n times, a plain read beside each, and adds a line. An error that means "narrow this" is a miss, and ends the line.
func (s *scale) repeat(ctx context.Context, part, what string, n int, budget float64, f func(ctx context.Context, i int) error) (ScaleLine, error) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	var took, plain []time.Duration
	l := ScaleLine{Part: part, What: what, Budget: s.budget(budget)}
	for i := -3; i < n; i++ { // the first find nothing in memory and no prepared statement
		at := time.Now()
		err := f(ctx, max(i, 0))
		d := time.Since(at)
		if errors.Is(err, tickets.ErrNarrow) {
			l.Note = "narrow this (2 s)"
			took = append(took, d)
			break
		}
		if err != nil {
			return l, fmt.Errorf("%s, %s: %w", part, what, err)
		}
		p, err := s.plain(ctx, r)
		if err != nil {
			return l, err
		}
		if i >= 0 {
			took, plain = append(took, d), append(plain, p)
		}
	}
	l.fill(took, plain)
	return l, nil
}

// budget for the number of tickets.
func (s *scale) budget(ms float64) float64 {
	if s.o.Tickets > LeanAbove {
		return 2 * ms
	}
	return ms
}

func (l *ScaleLine) fill(took, plain []time.Duration) {
	a, b := summary(took, time.Second), summary(plain, time.Second)
	l.N, l.P50, l.P99, l.Plain50, l.Plain99 = len(took), a.P50, a.P99, b.P50, b.P99
	switch {
	case l.Budget == 0:
	case l.P99 < l.Budget && l.Note == "":
		l.Verdict = "met"
	case l.P50 < l.Budget && l.Plain99 > l.Budget/4 && l.Note == "":
		l.Verdict = "missed (machine busy)"
	default:
		l.Verdict = "missed"
	}
}

func (s *scale) line(ctx context.Context, part, what string, n int, budget float64, f func(ctx context.Context, i int) error) error {
	l, err := s.repeat(ctx, part, what, n, budget, f)
	if err == nil {
		s.out.Lines = append(s.out.Lines, l)
		s.o.Log.Info("measured", "part", part, "what", what, "p50", l.P50, "p99", l.P99, "plain", l.Plain99)
	}
	return err
}

func (s *scale) measure(ctx context.Context) error {
	if s.o.Lock != "" { // others on this machine take turns by it
		f, err := os.OpenFile(s.o.Lock, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			return err
		}
	}
	for _, p := range scaleParts {
		if len(s.o.Only) > 0 && !slices.Contains(s.o.Only, p.name) {
			continue
		}
		if err := p.run(s, ctx); err != nil {
			return err
		}
	}
	return nil
}

var scaleParts = []struct {
	name string
	run  func(*scale, context.Context) error
}{
	{"inbox", (*scale).inbox}, {"search", (*scale).text}, {"boards", (*scale).boards}, {"dashboards", (*scale).dashboards}, {"duplicates", (*scale).alike}, {"staff", (*scale).together},
	{"sweep", (*scale).sweeps},
}

// ScaleParts lists what RunScale measures, in its order.
func ScaleParts() (names []string) {
	for _, p := range scaleParts {
		names = append(names, p.name)
	}
	return names
}

// inbox: every view alone, its first page, a deep one, and with each facet; the counts of all views.
func (s *scale) inbox(ctx context.Context) error {
	for _, w := range s.people() {
		part := "inbox alone, " + w.name
		list := func(v tickets.View, f tickets.Filter, after string) func(context.Context, int) error {
			return func(ctx context.Context, _ int) error {
				_, err := s.svc.List(ctx, w.actor, v, f, after, page)
				return err
			}
		}
		for _, v := range tickets.Views() {
			if len(s.o.Views) > 0 && !slices.Contains(s.o.Views, string(v)) {
				continue
			}
			if err := s.line(ctx, part, string(v)+", first page", s.o.Repeat, budgetAlone, list(v, tickets.Filter{}, "")); err != nil {
				return err
			}
			after, at, err := s.walk(ctx, w, v)
			if err != nil {
				return err
			}
			if at > 0 {
				if err := s.line(ctx, part, fmt.Sprintf("%s, page %d", v, at+1), s.o.Repeat, budgetAlone, list(v, tickets.Filter{}, after)); err != nil {
					return err
				}
			}
			// One line for all facets, with the worst of them by name.
			var worst ScaleLine
			for _, f := range s.facets(w) {
				l, err := s.repeat(ctx, part, string(v)+", facet", max(5, s.o.Repeat/4), budgetAlone, list(v, f.f, ""))
				if err != nil {
					return err
				}
				l.What = string(v) + ", " + f.name
				s.out.Facets = append(s.out.Facets, l)
				if l.P50 >= worst.P50 || l.Note != "" {
					l.What = string(v) + ", worst facet: " + f.name
					worst = l
				}
			}
			s.o.Log.Info("measured", "part", part, "what", worst.What, "p50", worst.P50, "p99", worst.P99)
			s.out.Lines = append(s.out.Lines, worst)
		}
		if err := s.line(ctx, part, "counts of all views", s.o.Repeat, budgetAlone, func(ctx context.Context, _ int) error {
			_, err := s.svc.Counts(ctx, w.actor)
			return err
		}); err != nil {
			return err
		}
		saved, err := s.svc.SavedFilters(ctx, w.actor)
		if err != nil {
			return err
		}
		if err := s.line(ctx, part, fmt.Sprintf("counts of %d saved filters", len(saved)), max(5, s.o.Repeat/4), 0, func(ctx context.Context, _ int) error {
			_, err := s.svc.FilterCounts(ctx, w.actor, saved)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// walk goes to the deep page of a view, or to the last one there is.
func (s *scale) walk(ctx context.Context, w who, v tickets.View) (after string, at int, err error) {
	for at < deep {
		p, err := s.svc.List(ctx, w.actor, v, tickets.Filter{}, after, page)
		if err != nil {
			return "", 0, err
		}
		if p.Next == "" {
			break
		}
		after, at = p.Next, at+1
	}
	return after, at, nil
}

// together: all staff at once, each looking at something and thinking for a second.
func (s *scale) together(ctx context.Context) error {
	people := s.people()
	type look struct{ list, search, counts, plain []time.Duration }
	looks := make([]look, s.o.Staff)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	deepest := map[string]string{}
	for _, w := range people {
		for _, v := range tickets.Views() {
			after, _, err := s.walk(ctx, w, v)
			if err != nil {
				return err
			}
			deepest[w.name+string(v)] = after
		}
	}
	end := time.Now().Add(s.o.Length)
	var wg sync.WaitGroup
	for i := range looks {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 16))
			w, facets := people[i%len(people)], s.facets(people[i%len(people)])
			own := &looks[i]
			timed := func(into *[]time.Duration, f func() error) {
				at := time.Now()
				if err := f(); err != nil && !errors.Is(err, tickets.ErrNarrow) {
					cancel(err)
				}
				*into = append(*into, time.Since(at))
			}
			pause(ctx, time.Duration(r.Float64()*float64(time.Second))) // not all in step
			for time.Now().Before(end) && ctx.Err() == nil {
				v := tickets.Views()[r.IntN(len(tickets.Views()))]
				switch k := r.IntN(10); {
				case k < 4:
					timed(&own.list, func() error { _, err := s.svc.List(ctx, w.actor, v, tickets.Filter{}, "", page); return err })
				case k < 6:
					timed(&own.list, func() error {
						_, err := s.svc.List(ctx, w.actor, v, tickets.Filter{}, deepest[w.name+string(v)], page)
						return err
					})
				case k < 8:
					timed(&own.list, func() error {
						_, err := s.svc.List(ctx, w.actor, v, facets[r.IntN(len(facets))].f, "", page)
						return err
					})
				case k < 9:
					q := s.queries()[r.IntN(len(s.queries()))]
					timed(&own.search, func() error {
						_, err := s.svc.List(ctx, w.actor, tickets.ViewAll, tickets.Filter{Text: q.text}, "", page)
						return err
					})
				default:
					timed(&own.counts, func() error { _, err := s.svc.Counts(ctx, w.actor); return err })
				}
				timed(&own.plain, func() error { _, err := s.plain(ctx, r); return err })
				pause(ctx, time.Second)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	part := fmt.Sprintf("%d staff, 1 s to think", s.o.Staff)
	gather := func(of func(look) []time.Duration) (all []time.Duration) {
		for _, l := range looks {
			all = append(all, of(l)...)
		}
		return all
	}
	for _, k := range []struct {
		what string
		of   func(look) []time.Duration
	}{
		{"lists: first, deep and filtered", func(l look) []time.Duration { return l.list }}, {"text search", func(l look) []time.Duration { return l.search }},
		{"counts of all views", func(l look) []time.Duration { return l.counts }},
	} {
		l := ScaleLine{Part: part, What: k.what, Budget: s.budget(budgetTogether)}
		l.fill(gather(k.of), gather(func(l look) []time.Duration { return l.plain }))
		s.out.Lines = append(s.out.Lines, l)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// query is a text search with a name.
type query struct{ name, text string }

func (s *scale) queries() []query {
	return []query{
		{"en, in a sixth of all", "noise"}, {"en, rare", "saffron lt00"}, {"en, none", "zebracrossing"}, {"en, two words", "heating broken"}, {"en, two common", "street night"}, {"en, a sign", "LT01234"},
		{"zh, common", "噪音"}, {"zh, rare", "紫渡下小区"}, {"zh, two words", "夜间 施工"}, {"zh, phrase", "没有暖气"}, {"zh, one character", "水"}, {"en, all but few", "floor"},
	}
}

func (s *scale) text(ctx context.Context) error {
	for _, w := range s.people()[:2] {
		for _, q := range s.queries() {
			var found int
			f := func(ctx context.Context, _ int) error {
				p, err := s.svc.List(ctx, w.actor, tickets.ViewAll, tickets.Filter{Text: q.text}, "", page)
				found = len(p.Rows)
				return err
			}
			l, err := s.repeat(ctx, "text search, "+w.name, fmt.Sprintf("%s: %s", q.name, q.text), max(10, s.o.Repeat/2), budgetSearch, f)
			if err != nil {
				return err
			}
			l.Note = fmt.Sprintf("%s (%d on the page)", l.Note, found)
			s.o.Log.Info("measured", "what", l.What, "p50", l.P50, "p99", l.P99, "found", found)
			s.out.Lines = append(s.out.Lines, l)
		}
		for _, v := range []tickets.View{tickets.ViewOpen, tickets.ViewMy} {
			for _, text := range []string{"noise", "没有暖气", "heating saffron"} {
				if err := s.line(ctx, "text search, "+w.name, fmt.Sprintf("in the view %s: %s", v, text), max(10, s.o.Repeat/2), budgetSearch, func(ctx context.Context, _ int) error {
					_, err := s.svc.List(ctx, w.actor, v, tickets.Filter{Text: text}, "", page)
					return err
				}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Missed lists the lines that missed their budget for another reason than a busy machine.
func (s Scale) Missed() []ScaleLine {
	return slices.DeleteFunc(slices.Clone(s.Lines), func(l ScaleLine) bool { return l.Verdict != "missed" })
}
