package tickets_test

import (
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/tickets"
	"hotline/tickets/sla"
)

func benchInt(name string, or int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return or
}

// load puts n open tickets with one clock each into the database; the first of them are due as when says, the others within the next days.
func (o *office) load(n, due int, when func(i int) time.Time) {
	o.Helper()
	conv := o.conversation()
	exec := func(sql string, args ...any) {
		o.Helper()
		if _, err := o.owner.Exec(o.Context(), sql, args...); err != nil {
			o.Fatalf("load: %v", err)
		}
	}
	lead := o.city.Agencies["dept-environment"]
	now := o.clock.Now()
	exec(`create unlogged table bench_due (i int primary key, at timestamptz)`)
	var ids []int
	var times []time.Time
	for i := range due {
		ids, times = append(ids, i), append(times, when(i))
	}
	exec(`insert into bench_due select * from unnest($1::int[], $2::timestamptz[])`, ids, times)
	exec(`insert into tickets (id, number, code_hash, kind, category, title, description, lang, channel, conversation_id, state, lead_id, opened_at, updated_at, due_at)
		select gen_random_uuid(), '2025-' || lpad(i::text, 7, '0'), sha256(i::text::bytea), 'complaint', 'environment.noise', 'case ' || i, 'text', 'en', 'web', $1, 'in_progress', $2, $3, $3, $3::timestamptz + interval '5 days'
		from generate_series(0, $4 - 1) i`, conv, lead, now.Add(-24*time.Hour), n)
	exec(`insert into ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, category, urgency, confidential, lead_id, due_at, opened_at, updated_at)
		select $1, id, 'lead', state, 'work', true, true, kind, category, urgency, false, lead_id, due_at, opened_at, updated_at from tickets`, lead)
	exec(`insert into ticket_clocks (ticket_id, name, policy, n, unit, started_at, warn_at, due_at, next_fire_at)
		select t.id, 'resolve', 'complaint', 5, 'working_days', $1, coalesce(d.at, $2::timestamptz + make_interval(secs => substr(t.number, 6)::int % 400000)), coalesce(d.at, $2) + interval '2 days',
			coalesce(d.at, $2::timestamptz + make_interval(secs => substr(t.number, 6)::int % 400000))
		from tickets t left join bench_due d on d.i = substr(t.number, 6)::int`, now.Add(-24*time.Hour), now.Add(24*time.Hour))
	for _, table := range []string{"tickets", "ticket_clocks", "ticket_access"} {
		exec(`vacuum analyze ` + table)
	}
}

// BenchmarkSweep measures how late clocks fire with two nodes sweeping. First clocks that fall due all the time; then many that are due at the same second, as
// they are when offices close. HOTLINE_BENCH_CLOCKS, _PER_MINUTE, _SECONDS, _BURST change the sizes; HOTLINE_BENCH_OLD_SNAPSHOT=1 holds a long report open.
func BenchmarkSweep(b *testing.B) {
	o := open(b)
	real := clock.System{}
	o.clock.Set(real.Now())
	n, perMinute, seconds, burst := benchInt("HOTLINE_BENCH_CLOCKS", 1_000_000), benchInt("HOTLINE_BENCH_PER_MINUTE", 12_000), benchInt("HOTLINE_BENCH_SECONDS", 30), benchInt("HOTLINE_BENCH_BURST", 50_000)
	steady := perMinute * seconds / 60
	loading := time.Now()
	// The times are set when the load is done.
	o.load(n, steady+burst, func(int) time.Time { return real.Now().Add(12 * time.Hour) })
	b.Logf("%d open tickets and clocks loaded in %s", n, time.Since(loading).Round(time.Second))
	if os.Getenv("HOTLINE_BENCH_OLD_SNAPSHOT") != "" {
		tx, err := o.owner.Begin(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tx.Exec(b.Context(), `set transaction isolation level repeatable read`); err != nil {
			b.Fatal(err)
		}
		if _, err := tx.Exec(b.Context(), `select count(*) from nodes`); err != nil {
			b.Fatal(err)
		}
		defer func() { _ = tx.Rollback(b.Context()) }() // it only holds a snapshot
	}
	begin := real.Now().Add(3 * time.Second)
	if _, err := o.owner.Exec(b.Context(), `update ticket_clocks c set warn_at = $1::timestamptz + make_interval(secs => d.i * 60.0 / $2), next_fire_at = $1::timestamptz + make_interval(secs => d.i * 60.0 / $2)
		from bench_due d join tickets t on substr(t.number, 6)::int = d.i where c.ticket_id = t.id and d.i < $3`, begin, float64(perMinute), steady); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	late := o.sweepFor(time.Until(begin)+time.Duration(seconds)*time.Second, steady)
	b.StopTimer()
	report := func(name string, late []time.Duration) {
		if len(late) == 0 {
			b.Fatalf("%s: nothing fired", name)
		}
		slices.Sort(late)
		b.ReportMetric(late[len(late)/2].Seconds()*1000, name+"-p50-ms")
		b.ReportMetric(late[len(late)*99/100].Seconds()*1000, name+"-p99-ms")
		b.ReportMetric(late[len(late)-1].Seconds()*1000, name+"-max-ms")
	}
	if len(late) != steady {
		b.Errorf("%d of %d clocks fired", len(late), steady)
	}
	report("steady", late)
	if _, err := o.owner.Exec(b.Context(), `update ticket_clocks c set warn_at = $1, next_fire_at = $1 from bench_due d join tickets t on substr(t.number, 6)::int = d.i where c.ticket_id = t.id and d.i >= $2`,
		real.Now(), steady); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	late = o.sweepFor(5*time.Minute, burst)
	report("burst", late)
	b.ReportMetric(float64(len(late))/time.Since(began).Seconds(), "burst-clocks/s")
	b.ReportMetric(0, "ns/op")
	o.benchRecompute(b)
}

// benchRecompute measures new rules over the same clocks: first every one moves, with an entry of the history each; then none does.
func (o *office) benchRecompute(b *testing.B) {
	b.Helper()
	if err := o.Reload(b.Context()); err != nil {
		b.Fatal(err)
	}
	run := func(name string) {
		o.clock.Advance(tickets.RecomputeDelay)
		began := time.Now()
		var job tickets.Recomputation
		for done := false; !done && time.Since(began) < 3*time.Minute; {
			var err error
			if job, done, err = o.Recompute(b.Context(), 2000); err != nil {
				b.Fatal(err)
			}
		}
		took := time.Since(began)
		b.Logf("%s: %d of %d clocks in %s: %+v", name, job.Looked, job.Total, took.Round(time.Second), job.Tally)
		b.ReportMetric(float64(job.Looked)/took.Seconds(), name+"-clocks/s")
	}
	o.policies(func(set *sla.Set) { setClock(set, "complaint", sla.Resolve, sla.Span{N: 9, Unit: sla.WorkingDays}) })
	run("moved")
	o.policies(func(set *sla.Set) { set.Limits.Extensions = 2 })
	run("looked-at")
}

// sweepFor runs two sweepers as two nodes do, until want clocks have fired or the time is over, and returns how late each fired: from when it was due to
// when that was committed.
func (o *office) sweepFor(most time.Duration, want int) []time.Duration {
	o.Helper()
	var mu sync.Mutex
	var late []time.Duration
	end := time.Now().Add(most + 20*time.Second)
	var wg sync.WaitGroup
	for _, node := range []*tickets.Service{o.service(), o.service()} {
		wg.Go(func() {
			for time.Now().Before(end) {
				out, err := node.Sweep(o.Context(), time.Now(), tickets.SweepBatch)
				if err != nil {
					o.Error(err)
					return
				}
				committed := time.Now()
				mu.Lock()
				for _, at := range out.DueAt() {
					late = append(late, committed.Sub(at))
				}
				done := len(late) >= want
				mu.Unlock()
				if done {
					return
				}
				time.Sleep(out.Pause(time.Now()))
			}
		})
	}
	wg.Wait()
	return late
}
