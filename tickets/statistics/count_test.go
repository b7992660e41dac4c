package statistics_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
)

// fillFacts puts n tickets of one year into the facts the short way, spread as a city's are: few categories and areas have most of them.
func (o *office) fillFacts(n int) {
	o.Helper()
	exec := func(sql string, args ...any) {
		o.Helper()
		if _, err := o.Owner.Exec(o.Context(), sql, args...); err != nil {
			o.Fatalf("fill: %v", err)
		}
	}
	var leads []uuid.UUID
	for _, code := range []string{"hotline", "dept-environment", "dept-utilities", "street-east-1", "street-east-2"} {
		leads = append(leads, o.City.Agencies[code])
	}
	for range 25 { // a city has more agencies than the tiny one
		leads = append(leads, uuid.New())
	}
	var cols, vals []string
	for _, c := range measures.OfTickets() {
		switch c {
		case measures.Tickets:
			cols, vals = append(cols, c.String()), append(vals, "1")
		case measures.Worked:
			cols, vals = append(cols, c.String()), append(vals, "(r1 > .05)::int")
		case measures.Withdrawn:
			cols, vals = append(cols, c.String()), append(vals, "(r1 <= .05)::int")
		case measures.ResolveOK:
			cols, vals = append(cols, c.String()), append(vals, "(r1 > .05 and r2 > .2)::int")
		case measures.ResolveLate:
			cols, vals = append(cols, c.String()), append(vals, "(r1 > .05 and r2 <= .2)::int")
		case measures.Minutes:
			cols, vals = append(cols, c.String()), append(vals, "(r2 * 20000)::int")
		}
	}
	// Categories: 120 by a steep curve; areas: 90 by a flatter one; the agency follows from both, as a dispatch catalogue has it.
	exec(`insert into ticket_facts (ticket_id, agency_id, main, day, area, category, channel, kind, confidential, opened_at, events, `+strings.Join(cols, ", ")+`)
		select gen_random_uuid(), ($2::uuid[])[1 + (cat * 7 + area % 3) % 30], true, d, 'area-' || area, 'cat-' || cat % 12 || '.' || cat,
			(array['web', 'telegram', 'phone', 'portal', 'api', 'counter'])[1 + (r3 * r3 * 6)::int % 6], (array['complaint', 'consult', 'help', 'suggestion', 'praise', 'report'])[1 + (r4 * r4 * 6)::int % 6],
			r4 > .99, d, 3, `+strings.Join(vals, ", ")+`
		from (select date '2025-03-10' + (i % 365) as d, (120 * power(random(), 3))::int as cat, (90 * power(random(), 1.5))::int as area, random() r1, random() r2, random() r3, random() r4
			from generate_series(1, $1::int) i) x order by d`, n, leads)
	for _, sql := range statistics.RebuildSumsSQL {
		exec(sql)
	}
	exec(`update measure_state set rebuilding = false, followed_at = now(), talked_at = now(), checked_at = now()`)
	exec(`vacuum analyze ticket_facts`)
	exec(`vacuum analyze measure_sums`)
}

var year = statistics.Selection{From: time.Date(2025, 3, 10, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)}

func addUp(groups []statistics.Counted) measures.Counts {
	var n measures.Counts
	for _, g := range groups {
		n = n.Plus(g.N)
	}
	return n
}

func TestCountsAddUpWhicheverWayTheyAreRead(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.fillFacts(20_000)
	desk := o.As("supervisor")
	ask := func(a tickets.Actor, q statistics.Question) []statistics.Counted {
		t.Helper()
		out, err := o.Count(t.Context(), a, q)
		if err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 15 {
		from := year.From.AddDate(0, 0, r.IntN(300))
		sel := statistics.Selection{From: from, To: from.AddDate(0, 0, 1+r.IntN(364))}
		if r.IntN(2) == 0 {
			sel.Agencies = []uuid.UUID{o.City.Agencies["dept-environment"], o.City.Agencies["hotline"]}
		}
		if r.IntN(2) == 0 {
			sel.Categories = []string{"cat-0.0", "cat-1.1", "cat-1.13"}
		}
		if r.IntN(3) == 0 {
			sel.Areas = []string{"area-0", "area-1", "area-2", "area-3"}
		}
		if r.IntN(3) == 0 {
			sel.Channel = "web"
		}
		if r.IntN(4) == 0 {
			sel.Kind = "complaint"
		}
		// The facts themselves, one by one, are what every way of reading must come to.
		want := o.sums("ticket_facts", `day >= $1 and day < $2 and (coalesce(cardinality($3::uuid[]), 0) = 0 or agency_id = any($3)) and (coalesce(cardinality($4::text[]), 0) = 0 or category = any($4))
			and (coalesce(cardinality($5::text[]), 0) = 0 or area = any($5)) and ($6 = '' or channel = $6) and ($7 = '' or kind = $7)`,
			sel.From, sel.To, sel.Agencies, sel.Categories, sel.Areas, sel.Channel, sel.Kind)
		for _, by := range slices.Concat([]statistics.Dimension{statistics.ByNothing}, statistics.Times(), statistics.Things()) {
			if got := addUp(ask(desk, statistics.Question{Selection: sel, By: by})); got != want {
				t.Errorf("%d by %q: %+v\n\tgot  %v\n\twant %v", i, by, sel, got[measures.Tickets], want[measures.Tickets])
			}
		}
		// And a number has exactly as many tickets behind it.
		of := []measures.Counter{measures.ResolveLate, measures.Withdrawn}
		n, after := int64(0), ""
		for {
			page, err := o.Behind(t.Context(), desk, sel, of, after, 700)
			if err != nil {
				t.Fatal(err)
			}
			n += int64(len(page.Rows))
			if after = page.Next; after == "" {
				break
			}
		}
		if n != want.Sum(of...) {
			t.Errorf("%d tickets behind the number %d", n, want.Sum(of...))
		}
	}
}

func TestCountsOfAnAgencyAreItsOwn(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.Must("handler-env", o.Dispatched(), tickets.Sign, tickets.Fields{})
	secret := o.File(func(d *tickets.Draft) { d.Kind = "report" })
	o.Must("dispatcher", secret, tickets.Dispatch, tickets.Fields{Lead: o.City.Agencies["dept-environment"]})
	o.File()
	o.follow()
	today := statistics.Selection{From: o.Today(), To: o.Today().AddDate(0, 0, 1)}
	for user, want := range map[string]int64{"supervisor": 3, "operator": 2, "head-env": 1, "cleared-env": 2, "handler-util": 0} {
		for _, by := range []statistics.Dimension{statistics.ByNothing, statistics.ByDay, statistics.ByKind, statistics.ByAgency} {
			got, err := o.Count(t.Context(), o.As(user), statistics.Question{Selection: today, By: by})
			if err != nil || addUp(got[0])[measures.Tickets] != want {
				t.Errorf("%s by %q counts %d: %v", user, by, addUp(got[0])[measures.Tickets], err)
			}
		}
		page, err := o.Behind(t.Context(), o.As(user), today, []measures.Counter{measures.Tickets}, "", 100)
		if err != nil || int64(len(page.Rows)) != want {
			t.Errorf("%s has %d tickets behind it: %v", user, len(page.Rows), err)
		}
		for _, row := range page.Rows {
			if !row.Seen || row.Number == "" {
				t.Errorf("%s counts a ticket that they cannot open: %+v", user, row)
			}
		}
	}
	for _, bad := range []statistics.Selection{{}, {From: o.Today(), To: o.Today()}, {From: o.Today().AddDate(-11, 0, 0), To: o.Today()}} {
		if _, err := o.Count(t.Context(), o.As("supervisor"), statistics.Question{Selection: bad}); !errors.Is(err, statistics.ErrBadPeriod) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	for _, cursor := range []string{"x", "2026-01-01.x.y", "2026-01-01." + uuid.NewString()} {
		if _, err := o.Behind(t.Context(), o.As("supervisor"), today, nil, cursor, 10); !errors.Is(err, tickets.ErrBadCursor) {
			t.Errorf("%s: %v", cursor, err)
		}
	}
}

// BenchmarkDashboards reads a year with row-level security on; HOTLINE_BENCH_TICKETS sets of how many tickets.
func BenchmarkDashboards(b *testing.B) {
	n := 1_000_000
	if v, err := strconv.Atoi(os.Getenv("HOTLINE_BENCH_TICKETS")); err == nil {
		n = v
	}
	o := open(b)
	o.fillFacts(n)
	var cells int
	if err := o.Owner.QueryRow(b.Context(), `select count(*) from measure_sums where slice = 'month'`).Scan(&cells); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d tickets, %d monthly cells", n, cells)
	trend := []measures.Counter{measures.Tickets, measures.ResolveOK, measures.ResolveLate, measures.Grade1, measures.Grade2, measures.Grade3, measures.Grade4, measures.Grade5}
	// What a line of the breakdown shows.
	var line []measures.Counter
	for _, code := range []string{measures.ResolveOnTime, measures.Response, measures.Resolution, measures.Satisfaction, "redo", "return_rate", measures.AnswerTime, measures.SignOnTime} {
		m, _ := measures.ByCode(code)
		part, whole := m.Parts(measures.Default())
		for _, c := range append(part, whole...) {
			if !slices.Contains(line, c) {
				line = append(line, c)
			}
		}
	}
	before := statistics.Selection{From: year.From.AddDate(-1, 0, 0), To: year.From}
	with := func(edit func(*statistics.Selection)) statistics.Selection { s := year; edit(&s); return s }
	agency := with(func(s *statistics.Selection) { s.Agencies = []uuid.UUID{o.City.Agencies["dept-environment"]} })
	var subtree []string
	for i := range 10 {
		subtree = append(subtree, fmt.Sprintf("cat-0.%d", i*12))
	}
	tree := with(func(s *statistics.Selection) { s.Categories = subtree })
	three := with(func(s *statistics.Selection) { s.Categories, s.Channel, s.Kind = subtree, "web", "complaint" })
	for _, tt := range []struct {
		name string
		user string
		q    []statistics.Question
	}{
		{"whole page, no filter", "supervisor", []statistics.Question{{Selection: year}, {Selection: before}, {Selection: year, By: statistics.ByMonth, Of: trend}, {Selection: year, By: statistics.ByAgency, Of: line}}},
		{"whole page, by category", "supervisor", []statistics.Question{{Selection: year}, {Selection: before}, {Selection: year, By: statistics.ByMonth, Of: trend}, {Selection: year, By: statistics.ByCategory, Of: line}, {Selection: before, By: statistics.ByCategory, Of: line}}},
		{"one agency by category", "supervisor", []statistics.Question{{Selection: agency}, {Selection: agency, By: statistics.ByMonth, Of: trend}, {Selection: agency, By: statistics.ByCategory, Of: line}}},
		{"a head's own page by area", "head-env", []statistics.Question{{Selection: year}, {Selection: year, By: statistics.ByMonth, Of: trend}, {Selection: year, By: statistics.ByArea, Of: line}}},
		{"subtree by area", "supervisor", []statistics.Question{{Selection: tree}, {Selection: tree, By: statistics.ByArea, Of: line}}},
		{"subtree by week", "supervisor", []statistics.Question{{Selection: three, By: statistics.ByWeek, Of: trend}}},
		{"three filters by area", "supervisor", []statistics.Question{{Selection: three, By: statistics.ByArea, Of: line}}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := o.Count(b.Context(), o.As(tt.user), tt.q...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("tickets behind a number", func(b *testing.B) {
		cursor := year.To.AddDate(0, -6, 0).Format(time.DateOnly) + "." + uuid.Nil.String() + "." + uuid.Nil.String()
		for b.Loop() {
			if _, err := o.Behind(b.Context(), o.As("supervisor"), year, []measures.Counter{measures.ResolveLate}, cursor, 50); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRebuild builds facts and sums of tickets from their rows.
func BenchmarkRebuild(b *testing.B) {
	o := open(b)
	const rows = 20_000
	o.Fill(rows)
	o.follow()
	for b.Loop() {
		if _, err := o.Owner.Exec(b.Context(), `truncate ticket_facts, chat_facts, measure_sums`); err != nil {
			b.Fatal(err)
		}
		if err := o.Rebuild(b.Context(), func(int64, int64) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "tickets/s")
}
