package bench

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/privatepg"
	"hotline/internal/demo"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/statistics"
)

// LeanAbove is how many tickets are loaded with everything that hangs on them at most.
const LeanAbove = 2_000_000

// ScaleOptions of RunScale.
type ScaleOptions struct {
	Tickets int
	Lean    bool          // inbox, clock and search rows only
	Staff   int           // at once, with a second to think
	Length  time.Duration // of the part with all staff
	Repeat  int           // how often a list is asked for
	Due     int           // clocks that become due in a minute
	Only    []string      // of ScaleParts; nil runs all
	Views   []string      // of the inbox; nil reads all
	Keep    string        // folder that keeps the data for further runs; "": a new one that is removed
	Log     *slog.Logger
	Lock    string // file to lock while measuring, for machines that run several such things; "": none
}

// Scale is everything that was measured at a number of tickets.
type Scale struct {
	Machine  Machine        `json:"machine"`
	Load     []string       `json:"load_average"` // at the beginning and the end of the measuring
	Tickets  int            `json:"tickets"`
	Lean     bool           `json:"lean"`
	Rows     map[string]int `json:"rows"`
	Seconds  float64        `json:"load_seconds"`
	Settings float64        `json:"index_seconds"`
	Size     string         `json:"database_size"`
	Indexes  []IndexUse     `json:"ticket_access_indexes"`
	Lines    []ScaleLine    `json:"lines"`
	Facets   []ScaleLine    `json:"facets"` // every view with every facet; Lines has the slowest of each view
}

// ScaleLine is one row of the table: a measured thing beside a plain read by primary key at the same time.
type ScaleLine struct {
	Part    string  `json:"part"`
	What    string  `json:"what"`
	N       int     `json:"n"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"` // the slowest where N is below 100
	Plain50 float64 `json:"primary_key_p50_ms,omitempty"`
	Plain99 float64 `json:"primary_key_p99_ms,omitempty"`
	Budget  float64 `json:"budget_ms,omitempty"`
	Verdict string  `json:"verdict"` // met, missed, missed (busy); "" where there is no budget
	Note    string  `json:"note,omitempty"`
}

// IndexUse says how often an index of ticket_access was read by everything that was measured.
type IndexUse struct {
	Name  string `json:"name"`
	Scans int64  `json:"scans"`
	Size  string `json:"size"`
}

// scale is a loaded database with the service on it.
type scale struct {
	o       ScaleOptions
	owner   *pgxpool.Pool
	pool    *pgxpool.Pool
	deps    tickets.Deps
	svc     *tickets.Service
	numbers *statistics.Store
	city    *metropolis
	ids     []uuid.UUID // a sample of tickets
	out     *Scale
}

// RunScale loads tickets into a private PostgreSQL of its own and measures what staff do with them, through the service and behind row-level
// security. docs/benchmarks.md describes the method.
func RunScale(ctx context.Context, o ScaleOptions) (out Scale, err error) {
	dir := o.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "hotline-bench-"); err != nil {
			return out, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return out, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the database's user must reach it
		return out, err
	}
	s := &scale{o: o, out: &out}
	memory := filepath.Join(dir, "city.json")
	if _, err := os.Stat(memory); errors.Is(err, os.ErrNotExist) {
		// Nobody would miss what a crash took: no log of what is written, which needs half the disk again and a third of the time.
		loading := map[string]string{"wal_level": "minimal", "max_wal_senders": "0", "fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_wal_size": "1GB"}
		if err := s.on(ctx, privatepg.Options{Dir: dir, Log: o.Log, Settings: loading}, memory, func() error { return nil }); err != nil {
			return out, err
		}
	}
	err = s.on(ctx, privatepg.Options{Dir: dir, Log: o.Log}, memory, func() error {
		if err := s.service(ctx); err != nil {
			return err
		}
		out.Machine, out.Tickets, out.Lean = machine(ctx, s.owner), s.o.Tickets, s.o.Lean
		out.Load = append(out.Load, loadAverage())
		if err := s.measure(ctx); err != nil {
			return err
		}
		out.Load = append(out.Load, loadAverage())
		return s.size(ctx)
	})
	return out, err
}

// on starts a PostgreSQL on the folder, sees to it that the tickets are in it, and calls f.
func (s *scale) on(ctx context.Context, o privatepg.Options, memory string, f func() error) error {
	pg, err := privatepg.Start(ctx, o)
	if err != nil {
		return err
	}
	defer pg.Stop()
	if err := db.Migrate(ctx, pg.OwnerURL(), s.o.Log); err != nil {
		return err
	}
	if s.pool, err = db.Open(ctx, pg.URL(), 32); err != nil {
		return err
	}
	defer s.pool.Close()
	if s.owner, err = pgxpool.New(ctx, pg.OwnerURL()+"&pool_max_conns=24"); err != nil {
		return err
	}
	defer s.owner.Close()
	if s.city, err = s.load(ctx, memory); err != nil {
		return fmt.Errorf("load tickets: %w", err)
	}
	return f()
}

// service makes the real service on the loaded data, without the workers of a node: what runs is what is measured.
func (s *scale) service(ctx context.Context) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	r := routing.New(routing.Deps{Pool: s.pool, Log: s.o.Log, TrainLater: true})
	if err := r.Reload(ctx); err != nil {
		return err
	}
	var err error
	s.deps = tickets.Deps{Pool: s.pool, Clock: clock.System{}, Key: key, Log: s.o.Log, Router: tickets.RouterOf(r)}
	if s.svc, err = tickets.New(s.deps); err != nil {
		return err
	}
	s.numbers = statistics.New(s.pool, clock.System{}, s.svc)
	if err := s.svc.Reload(ctx); err != nil {
		return err
	}
	rows, err := s.owner.Query(ctx, `select id from tickets tablesample system (2) limit 20000`)
	if err != nil {
		return err
	}
	if s.ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err == nil && len(s.ids) < 100 {
		rows, err = s.owner.Query(ctx, `select id from tickets limit 20000`)
		if err == nil {
			s.ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		}
	}
	return err
}

// load fills the database, or finds it filled by an earlier run on the same folder.
func (s *scale) load(ctx context.Context, memory string) (*metropolis, error) {
	started := time.Now()
	data, err := demo.Read()
	if err != nil {
		return nil, err
	}
	fresh, err := demo.Load(ctx, s.pool, data, "-")
	if err != nil {
		return nil, err
	}
	if !fresh {
		text, err := os.ReadFile(memory)
		if err != nil {
			return nil, fmt.Errorf("the folder holds a database that was not loaded to its end; remove it: %w", err)
		}
		var kept keptCity
		if err := json.Unmarshal(text, &kept); err != nil {
			return nil, err
		}
		s.o.Tickets, s.o.Lean, s.out.Rows = kept.Tickets, kept.Lean, kept.Rows
		return kept.city(), nil
	}
	m, err := growCity(ctx, s.owner, data)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	names := []string{"tickets", "ticket_access", "ticket_clocks", "ticket_search", "conversations", "ticket_watchers", "ticket_mentions", "ticket_tags", "ticket_events", "assignments",
		"contacts", "messages", "ticket_ratings", "rectifications", "ticket_facts"}
	indexes, keys, err := bulk(ctx, s.owner, names)
	if err != nil {
		return nil, err
	}
	f := newFiller(ctx, s.owner, m, now, s.o.Lean)
	if s.o.Lean {
		f.shared = db.NewID()
		if err := f.conversations.add(f.shared, "web", "bench", "shared", nil, "en", "none", 0, 0, nil, false, nil, now, now, now).end(); err != nil {
			return nil, err
		}
	}
	for i := range s.o.Tickets {
		if err := f.ticket(i, s.o.Tickets); err != nil {
			return nil, errors.Join(err, f.close())
		}
		if (i+1)%100_000 == 0 {
			s.o.Log.Info("rows written", "tickets", i+1, "seconds", int(time.Since(started).Seconds()))
		}
	}
	if err := f.close(); err != nil {
		return nil, err
	}
	s.out.Rows = map[string]int{}
	for _, t := range f.tables {
		s.out.Rows[t.name] = t.rows
	}
	if !s.o.Lean {
		if err := s.facts(ctx); err != nil {
			return nil, err
		}
	}
	s.out.Seconds = time.Since(started).Seconds()
	started = time.Now()
	if err := s.finish(ctx, append(indexes, keys...), names); err != nil {
		return nil, err
	}
	s.out.Settings = time.Since(started).Seconds()
	s.o.Log.Info("loaded", "seconds", int(s.out.Seconds), "indexes, vacuum, analyze", int(s.out.Settings))
	text, err := json.Marshal(keptCity{Tickets: s.o.Tickets, Lean: s.o.Lean, Rows: s.out.Rows, Desk: m.desk, Staff: m.staff, Rare: m.rare, Common: m.common, Watching: m.watching, Texts: m.texts})
	if err != nil {
		return nil, err
	}
	return m, os.WriteFile(memory, text, 0o600)
}

// keptCity is what a further run on the same data must know.
type keptCity struct {
	Tickets      int
	Lean         bool
	Rows         map[string]int
	Desk         uuid.UUID
	Staff        map[uuid.UUID][]uuid.UUID
	Rare, Common map[uuid.UUID]uuid.UUID
	Watching     []uuid.UUID
	Texts        map[string]map[string][]string
}

func (k keptCity) city() *metropolis {
	return &metropolis{desk: k.Desk, staff: k.Staff, rare: k.Rare, common: k.Common, watching: k.Watching, texts: k.Texts}
}

// finish makes indexes and foreign keys again and leaves the tables as autovacuum would.
func (s *scale) finish(ctx context.Context, statements, tables []string) error {
	return s.owner.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		if _, err := c.Exec(ctx, `set maintenance_work_mem = '512MB'`); err != nil {
			return err
		}
		for _, sql := range append(statements, "vacuum (analyze) "+strings.Join(tables, ", "), "analyze measure_sums", "checkpoint") {
			if _, err := c.Exec(ctx, sql); err != nil && sql != "checkpoint" { // which the owner may not be allowed to
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
}

// facts counts each ticket once, for the agency that leads it, and lets the service sum up.
func (s *scale) facts(ctx context.Context) error {
	for _, sql := range []string{`insert into ticket_facts (ticket_id, agency_id, main, day, area, category, channel, kind, confidential, opened_at, events,
			tickets, withdrawn, merged, refused, worked, open_now, direct, dispatch_ok, assigned, sign_ok, response_ok, response_late, resolve_ok, resolve_late, resolve_open, kept, first_time, repeat_unknown,
			solved, unasked, grade_1, grade_2, grade_3, grade_4, grade_5, ungraded, rated, unrated, minutes)
		select t.id, coalesce(t.lead_id, (select id from agencies where code = 'hotline')), true, (t.opened_at at time zone 'Asia/Shanghai')::date, coalesce(t.area, ''), t.category, t.channel, t.kind,
			t.confidential, t.opened_at, t.events, 1, (t.state = 'withdrawn')::int, (t.state = 'merged')::int, (t.state = 'not_accepted')::int, w.n, (t.closed_at is null)::int * w.n,
			(t.state = 'answered_directly')::int, (t.lead_id is not null)::int, (t.lead_id is not null)::int, (t.lead_id is not null)::int, w.n, 0,
			(t.closed_at <= t.promised_at)::int * w.n, (t.closed_at > t.promised_at)::int * w.n, (t.closed_at is null)::int * w.n, (t.closed_at is not null)::int * w.n,
			(t.contact_id is not null)::int, (t.contact_id is null)::int, (t.agency_resolved)::int, (t.agency_resolved is null)::int, (t.grade = 1)::int, (t.grade = 2)::int, (t.grade = 3)::int, (t.grade = 4)::int, (t.grade = 5)::int,
			(t.grade = 0)::int, (t.grade > 0)::int, (t.grade = 0)::int, least(extract(epoch from t.updated_at - t.opened_at) / 60, 1000000)::int
		from tickets t cross join lateral (select (t.state not in ('withdrawn', 'merged', 'not_accepted', 'transferred'))::int as n) w`,
		// A rebuild that has come to its end but for the sums.
		`update measure_state set rebuilding = true, rebuild_total = 1, followed_at = now(), talked_at = now(), rebuild_ticket = 'ffffffff-ffff-ffff-ffff-ffffffffffff', rebuild_talk = 'ffffffff-ffff-ffff-ffff-ffffffffffff'`,
	} {
		sql = strings.NewReplacer("(t.closed_at <= t.promised_at)::int", "coalesce((t.closed_at <= t.promised_at)::int, 0)", "(t.closed_at > t.promised_at)::int", "coalesce((t.closed_at > t.promised_at)::int, 0)",
			"(t.agency_resolved)::int", "coalesce(t.agency_resolved::int, 0)").Replace(sql)
		if _, err := s.owner.Exec(ctx, sql); err != nil {
			return fmt.Errorf("facts: %w", err)
		}
	}
	if err := s.service(ctx); err != nil {
		return err
	}
	_, err := s.numbers.Follow(ctx)
	return err
}

func (s *scale) size(ctx context.Context) error {
	if err := s.owner.QueryRow(ctx, `select pg_size_pretty(pg_database_size(current_database()))`).Scan(&s.out.Size); err != nil {
		return err
	}
	rows, err := s.owner.Query(ctx, `select indexrelname, idx_scan, pg_size_pretty(pg_relation_size(indexrelid)) from pg_stat_user_indexes where relname = 'ticket_access' order by 1`)
	if err != nil {
		return err
	}
	s.out.Indexes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[IndexUse])
	return err
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// Table prints the figures for people.
func (s Scale) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "what\tn\tp50 ms\tp99 ms\tprimary key p50/p99 ms\tbudget ms\tverdict\n")
	part := ""
	for _, l := range s.Lines {
		if l.Part != part {
			part = l.Part
			fmt.Fprintf(t, "%s\t\t\t\t\t\t\n", part)
		}
		plain, budget := "–", "–"
		if l.Plain99 > 0 {
			plain = fmt.Sprintf("%.2f / %.2f", l.Plain50, l.Plain99)
		}
		if l.Budget > 0 {
			budget = fmt.Sprintf("%.0f", l.Budget)
		}
		fmt.Fprintf(t, "  %s\t%d\t%.2f\t%.2f\t%s\t%s\t%s\n", l.What, l.N, l.P50, l.P99, plain, budget, strings.TrimSpace(l.Verdict+" "+l.Note))
	}
	fmt.Fprintf(t, "\nindexes of ticket_access\tscans\tsize\n")
	for _, i := range s.Indexes {
		fmt.Fprintf(t, "  %s\t%d\t%s\n", i.Name, i.Scans, i.Size)
	}
	fmt.Fprintf(t, "\n%d tickets, %d access rows, %s; %s, %d cores, %s, PostgreSQL %s; load %s\n", s.Tickets, s.Rows["ticket_access"], s.Size, s.Machine.CPU, s.Machine.Cores, s.Machine.Go, s.Machine.PostgreSQL,
		strings.Join(s.Load, " → "))
	return t.Flush()
}
