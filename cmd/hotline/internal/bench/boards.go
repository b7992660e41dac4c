package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
)

// boards: supervision, revisits and rectifications. The lights are kept and renewed in the background, so a pass is measured by services that have none.
func (s *scale) boards(ctx context.Context) error {
	people := s.people()
	for _, w := range []who{people[0], people[2]} {
		part := "boards, " + w.name
		for _, b := range []struct {
			what string
			ask  func(ctx context.Context) error
		}{
			{"ladder", func(ctx context.Context) error { _, _, err := s.svc.Ladder(ctx, w.actor, "", page); return err }},
			{"orders", func(ctx context.Context) error { _, _, err := s.svc.Orders(ctx, w.actor, "", page); return err }},
			{"rectifications", func(ctx context.Context) error { _, _, err := s.svc.Rectifications(ctx, w.actor, "", page); return err }},
			{"call list", func(ctx context.Context) error {
				if !w.actor.DB.Desk() {
					return nil
				}
				_, _, err := s.svc.CallList(ctx, w.actor, "", page)
				return err
			}},
			{"exclusions", func(ctx context.Context) error {
				if !w.actor.DB.Desk() {
					return nil
				}
				_, _, err := s.svc.Exclusions(ctx, w.actor, "", page)
				return err
			}},
		} {
			if !w.actor.DB.Desk() && (b.what == "call list" || b.what == "exclusions") {
				continue
			}
			if err := s.line(ctx, part, b.what, max(10, s.o.Repeat/2), budgetAlone, func(ctx context.Context, _ int) error { return b.ask(ctx) }); err != nil {
				return err
			}
		}
		forgetful := make([]*tickets.Service, 13)
		for i := range forgetful {
			var err error
			if forgetful[i], err = tickets.New(s.deps); err != nil {
				return err
			}
		}
		next := 0
		budget := float64(budgetDashboard)
		if s.o.Tickets > LeanAbove {
			budget = 0 // dashboards have one at a million
		}
		if err := s.line(ctx, part, "a pass for the lights", len(forgetful)-3, budget, func(ctx context.Context, _ int) error {
			next++
			_, err := forgetful[next-1].Lights(ctx, w.actor)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// dashboards over a year, the questions that the page of statistics asks.
func (s *scale) dashboards(ctx context.Context) error {
	if s.o.Lean {
		return nil
	}
	people := s.people()
	today := s.numbers.Today()
	year := statistics.Selection{From: today.AddDate(-1, 0, 1), To: today.AddDate(0, 0, 1)}
	before := statistics.Selection{From: year.From.AddDate(-1, 0, 0), To: year.From}
	trend := []measures.Counter{measures.Tickets, measures.ResolveOK, measures.ResolveLate, measures.Grade1, measures.Grade2, measures.Grade3, measures.Grade4, measures.Grade5}
	with := func(edit func(*statistics.Selection)) statistics.Selection { q := year; edit(&q); return q }
	agency := with(func(q *statistics.Selection) { q.Agencies = []uuid.UUID{people[1].agency} })
	noise := with(func(q *statistics.Selection) {
		q.Categories = []string{"environment.noise.social", "environment.noise.traffic", "environment.noise.construction", "environment.noise.industry"}
	})
	three := noise
	three.Channel, three.Kind = "phone", "complaint"
	for _, d := range []struct {
		what string
		who  who
		q    []statistics.Question
	}{
		{"whole page, no filter", people[0], []statistics.Question{{Selection: year}, {Selection: before}, {Selection: year, By: statistics.ByMonth, Of: trend}, {Selection: year, By: statistics.ByAgency}}},
		{"whole page, by category", people[0], []statistics.Question{{Selection: year}, {Selection: before}, {Selection: year, By: statistics.ByMonth, Of: trend}, {Selection: year, By: statistics.ByCategory}}},
		{"one agency by category", people[0], []statistics.Question{{Selection: agency}, {Selection: agency, By: statistics.ByMonth, Of: trend}, {Selection: agency, By: statistics.ByCategory}}},
		{"a head's own page by area", people[2], []statistics.Question{{Selection: year}, {Selection: year, By: statistics.ByMonth, Of: trend}, {Selection: year, By: statistics.ByArea}}},
		{"subtree by area", people[0], []statistics.Question{{Selection: noise}, {Selection: noise, By: statistics.ByArea}}},
		{"three filters by week", people[0], []statistics.Question{{Selection: three, By: statistics.ByWeek, Of: trend}}},
		{"three filters by area", people[0], []statistics.Question{{Selection: three, By: statistics.ByArea}}},
	} {
		if err := s.line(ctx, "dashboards over a year", d.what, max(10, s.o.Repeat/4), budgetDashboard, func(ctx context.Context, _ int) error {
			_, err := s.numbers.Count(ctx, d.who.actor, d.q...)
			return err
		}); err != nil {
			return err
		}
	}
	cursor := today.AddDate(0, -6, 0).Format(time.DateOnly) + "." + uuid.Nil.String() + "." + uuid.Nil.String()
	return s.line(ctx, "dashboards over a year", "tickets behind a number, deep page", max(10, s.o.Repeat/4), budgetDashboard, func(ctx context.Context, _ int) error {
		_, err := s.numbers.Behind(ctx, people[0].actor, year, []measures.Counter{measures.ResolveLate}, cursor, 50)
		return err
	})
}

// alike: the look for duplicates, of tickets all over the year.
func (s *scale) alike(ctx context.Context) error {
	if s.o.Lean {
		return nil
	}
	w := s.people()[0]
	return s.line(ctx, "duplicates", "candidates, scored, of one ticket", max(20, s.o.Repeat), 0, func(ctx context.Context, i int) error {
		_, err := s.svc.Duplicates(ctx, w.actor, s.ids[i*97%len(s.ids)])
		return err
	})
}

// sweeps: a minute in which clocks become due evenly, then as many at once. Lateness is from when a rung was due until its entry is committed.
func (s *scale) sweeps(ctx context.Context) error {
	if s.o.Due == 0 {
		return nil
	}
	const take = `update ticket_clocks c set stage = '', warn_at = w.at, due_at = w.at + interval '1 hour', next_fire_at = w.at
		from (select k.ticket_id, k.name, $2::timestamptz + make_interval(secs => $3::float8 * row_number() over () / $1) as at
			from (select ticket_id, name from ticket_clocks where stopped_at is null and paused_at is null and name = 'resolve' and next_fire_at > now() + interval '2 hours' order by next_fire_at limit $1) k) w
		where c.ticket_id = w.ticket_id and c.name = w.name`
	prepare := func(from time.Time, seconds float64) error {
		// What the load has left due is not to be measured.
		if _, err := s.owner.Exec(ctx, `update ticket_clocks set next_fire_at = next_fire_at + interval '1 day' where next_fire_at <= now() + interval '5 minutes'`); err != nil {
			return err
		}
		_, err := s.owner.Exec(ctx, take, s.o.Due, from, seconds)
		return err
	}
	begin := time.Now().Add(20 * time.Second)
	if err := prepare(begin, 60); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	var late []time.Duration
	const batch = tickets.SweepBatch // and pauses as a node's
	fired, end := 0, begin.Add(70*time.Second)
	for time.Now().Before(end) && fired < s.o.Due {
		now := time.Now().UTC().Truncate(time.Microsecond)
		var due []time.Time
		rows, err := s.owner.Query(ctx, `select next_fire_at from ticket_clocks where next_fire_at <= $1 order by next_fire_at limit $2`, now, batch)
		if err != nil {
			return err
		}
		var at time.Time
		for rows.Next() {
			if err := rows.Scan(&at); err != nil {
				rows.Close()
				return err
			}
			due = append(due, at)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		swept, err := s.svc.Sweep(ctx, now, batch)
		if err != nil {
			return err
		}
		done := time.Now()
		for _, at := range due[:min(len(due), swept.Fired)] {
			late = append(late, done.Sub(at))
		}
		fired += swept.Fired
		pause(ctx, swept.Pause(time.Now()))
	}
	l := ScaleLine{Part: "clock sweep", What: fmt.Sprintf("lateness, %d due in a minute", s.o.Due), Budget: 60_000, Note: fmt.Sprintf("(%d fired)", fired)}
	a := summary(late, time.Second)
	l.N, l.P50, l.P99 = len(late), a.P50, a.P99
	if l.Verdict = "met"; a.P99 >= l.Budget || fired < s.o.Due {
		l.Verdict = "missed"
	}
	s.out.Lines = append(s.out.Lines, l)
	if err := prepare(time.Now().Add(-time.Second), 0); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	started, n := time.Now(), 0
	for {
		swept, err := s.svc.Sweep(ctx, time.Now().UTC(), batch)
		if err != nil {
			return err
		}
		n += swept.Fired
		if swept.Fired == 0 {
			break
		}
	}
	took := time.Since(started)
	s.out.Lines = append(s.out.Lines, ScaleLine{Part: "clock sweep", What: fmt.Sprintf("%d due at once, by one node", n), N: n, P50: float64(took.Milliseconds()), P99: float64(took.Milliseconds()),
		Note: fmt.Sprintf("(all of them; %.0f/s)", float64(n)/took.Seconds())})
	return nil
}
