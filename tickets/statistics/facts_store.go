package statistics

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/measures"
)

// The statements over counters are written from the list of them, so that a new counter is a line there and a column in a migration.
func counterColumns(of []measures.Counter, format string) string {
	var b strings.Builder
	for _, c := range of {
		fmt.Fprintf(&b, strings.ReplaceAll(format, "%", "%[1]s"), c.String())
	}
	return b.String()
}

// unnested writes the parameters of an unnest and its column names.
func unnested(fixed []string, of []measures.Counter, counterType string) (params, columns string) {
	var p, c strings.Builder
	for i, f := range fixed {
		name, typ, _ := strings.Cut(f, " ")
		fmt.Fprintf(&p, ", $%d::%s[]", i+1, typ)
		fmt.Fprintf(&c, ", %s", name)
	}
	for i, n := range of {
		fmt.Fprintf(&p, ", $%d::%s[]", len(fixed)+i+1, counterType)
		fmt.Fprintf(&c, ", %s", n)
	}
	return p.String()[2:], c.String()[2:]
}

func upsertSQL(table, conflict string, fixed []string, of []measures.Counter, counterType string, add bool) string {
	params, columns := unnested(fixed, of, counterType)
	var set strings.Builder
	for _, f := range fixed {
		name, _, _ := strings.Cut(f, " ")
		if !strings.Contains(", "+conflict+",", ", "+name+",") {
			fmt.Fprintf(&set, ", %[1]s = excluded.%[1]s", name)
		}
	}
	for _, n := range of {
		if add {
			fmt.Fprintf(&set, ", %[1]s = k.%[1]s + excluded.%[1]s", n)
		} else {
			fmt.Fprintf(&set, ", %[1]s = excluded.%[1]s", n)
		}
	}
	return "insert into " + table + " as k (" + columns + ") select * from unnest(" + params + ") u (" + columns + ") on conflict (" + conflict + ") do update set " + set.String()[2:]
}

var (
	factFixed = []string{"ticket_id uuid", "agency_id uuid", "main bool", "day date", "area text", "category text", "channel text", "kind text", "confidential bool", "opened_at timestamptz",
		"events int", "recheck_at timestamptz", "contact_key bytea"}
	sumFixed = []string{"slice text", "period date", "agency_id uuid", "area text", "category text", "channel text", "kind text", "confidential bool"}
	talkCols = []string{"conversation_id uuid", "day date", "channel text", "confidential bool", "last_seq bigint", "recheck_at timestamptz"}

	upsertFactsSQL = upsertSQL("ticket_facts", "ticket_id, agency_id", factFixed, measures.OfTickets(), "int", false)
	upsertTalksSQL = upsertSQL("chat_facts", "conversation_id", talkCols, measures.OfChats(), "int", false)
	upsertSumsSQL  = upsertSQL("measure_sums", "slice, period, agency_id, category, area, channel, kind, confidential", sumFixed, measures.Everything(), "bigint", true)
	readFactsSQL   = `select ticket_id, agency_id, main, day, area, category, channel, kind, confidential, opened_at, events, recheck_at, contact_key` +
		counterColumns(measures.OfTickets(), ", %") + ` from ticket_facts where ticket_id = any($1)`
	readTalksSQL = `select conversation_id, day, channel, confidential, last_seq, recheck_at` + counterColumns(measures.OfChats(), ", %") + ` from chat_facts where conversation_id = any($1)`
)

const deleteFactsSQL = `delete from ticket_facts f using unnest($1::uuid[], $2::uuid[]) u (ticket, agency) where f.ticket_id = u.ticket and f.agency_id = u.agency`

// A ticket that came, or changed its category, may make later ones of the same contact repeats, or no longer. Those of one contact are looked at together: a
// telephone that many file from would otherwise be looked at once for each pair of its tickets.
const followersSQL = `update ticket_facts f set recheck_at = $3
	from (select contact, min(opened_at) as first, max(opened_at) as last from unnest($1::bytea[], $2::timestamptz[]) u (contact, opened_at) group by contact) u
	where f.main and f.contact_key = u.contact and f.opened_at > u.first and f.opened_at <= u.last + make_interval(secs => $4)`

// scanCounts reads the counters behind the other columns.
func scanCounts(row pgx.CollectableRow, of []measures.Counter, n *measures.Counts, fixed ...any) error {
	for _, c := range of {
		fixed = append(fixed, &n[c])
	}
	return row.Scan(fixed...)
}

func readFacts(ctx context.Context, tx db.Tx, ids []uuid.UUID) (map[factKey]fact, error) {
	rows, err := tx.Query(ctx, readFactsSQL, ids)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	out := map[factKey]fact{}
	facts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f fact, err error) {
		err = scanCounts(row, measures.OfTickets(), &f.n, &f.ticket, &f.agency, &f.main, &f.day, &f.area, &f.category, &f.channel, &f.kind, &f.confidential, &f.openedAt, &f.events, &f.recheck, &f.contact)
		return f, err
	})
	for _, f := range facts {
		out[factKey{f.ticket, f.agency}] = f
	}
	return out, err
}

func queueFacts(b *pgx.Batch, write, gone []fact) {
	if len(gone) > 0 {
		var tickets, agencies []uuid.UUID
		for _, f := range gone {
			tickets, agencies = append(tickets, f.ticket), append(agencies, f.agency)
		}
		b.Queue(deleteFactsSQL, tickets, agencies)
	}
	if len(write) == 0 {
		return
	}
	var ticket, agency []uuid.UUID
	var main, confidential []bool
	var day, opened []time.Time
	var recheck []*time.Time
	var area, category, channel, kind []string
	var events []int
	var contact [][]byte
	counts := make([]measures.Counts, 0, len(write))
	for _, f := range write {
		ticket, agency, main, day, opened = append(ticket, f.ticket), append(agency, f.agency), append(main, f.main), append(day, f.day), append(opened, f.openedAt)
		area, category, channel, kind = append(area, f.area), append(category, f.category), append(channel, f.channel), append(kind, f.kind)
		confidential, events, recheck, contact = append(confidential, f.confidential), append(events, f.events), append(recheck, f.recheck), append(contact, f.contact)
		counts = append(counts, f.n)
	}
	args := []any{ticket, agency, main, day, area, category, channel, kind, confidential, opened, events, recheck, contact}
	b.Queue(upsertFactsSQL, append(args, transpose(counts, measures.OfTickets())...)...)
}

// transpose makes a column of each counter.
func transpose(rows []measures.Counts, of []measures.Counter) []any {
	out := make([]any, 0, len(of))
	for _, c := range of {
		col := make([]int64, len(rows))
		for i := range rows {
			col[i] = rows[i][c]
		}
		out = append(out, col)
	}
	return out
}

func queueFollowers(b *pgx.Batch, moved []fact, now time.Time) {
	if len(moved) == 0 {
		return
	}
	var contacts [][]byte
	var opened []time.Time
	for _, f := range moved {
		contacts, opened = append(contacts, f.contact), append(opened, f.openedAt)
	}
	b.Queue(followersSQL, contacts, opened, now, repeatWindow.Seconds())
}

func (d deltas) queue(b *pgx.Batch) {
	keys := d.keys()
	if len(keys) == 0 {
		return
	}
	var slice, area, category, channel, kind []string
	var period []time.Time
	var agency []uuid.UUID
	var confidential []bool
	counts := make([]measures.Counts, 0, len(keys))
	for _, k := range keys {
		slice, period, agency = append(slice, k.slice), append(period, k.day), append(agency, k.agency)
		area, category, channel, kind = append(area, k.area), append(category, k.category), append(channel, k.channel), append(kind, k.kind)
		confidential, counts = append(confidential, k.confidential), append(counts, d[k])
	}
	b.Queue(upsertSumsSQL, append([]any{slice, period, agency, area, category, channel, kind, confidential}, transpose(counts, measures.Everything())...)...)
}

// pairSQL sums up the months for two dimensions.
func pairSQL(slice, columns string) string {
	return fmt.Sprintf(`insert into measure_sums (slice, period, %[2]s, confidential%[3]s) select '%[1]s', period, %[2]s, confidential%[4]s from measure_sums where slice = 'month' group by period, %[2]s, confidential order by period, %[2]s`,
		slice, columns, counterColumns(measures.OfTickets(), ", %"), counterColumns(measures.OfTickets(), ", sum(%)"))
}

// Sums are written anew from the facts at the end of a rebuild.
var rebuildSumsSQL = func() []string {
	out := []string{`delete from measure_sums`}
	tickets, chats := counterColumns(measures.OfTickets(), ", %"), counterColumns(measures.OfChats(), ", %")
	sum := func(of []measures.Counter) string { return counterColumns(of, ", sum(%)") }
	for _, slice := range []string{"agency", "area", "category", "channel", "kind"} {
		column := slice
		if slice == "agency" {
			column = "agency_id"
		}
		out = append(out, fmt.Sprintf(`insert into measure_sums (slice, period, %[1]s, confidential%[2]s) select '%[3]s', day, %[1]s, confidential%[4]s from ticket_facts group by day, %[1]s, confidential`, column, tickets, slice, sum(measures.OfTickets())))
	}
	out = append(out,
		fmt.Sprintf(`insert into measure_sums (slice, period, agency_id, area, category, channel, kind, confidential%[1]s)
			select 'month', date_trunc('month', day)::date, agency_id, area, category, channel, kind, confidential%[2]s from ticket_facts group by 2, 3, 4, 5, 6, 7, 8 order by 2, 3, 5, 4`, tickets, sum(measures.OfTickets())),
		pairSQL("agency_category", "agency_id, category"), pairSQL("agency_area", "agency_id, area"), pairSQL("category_area", "category, area"),
		fmt.Sprintf(`insert into measure_sums (slice, period, confidential%[1]s) select 'all', period, confidential%[2]s from measure_sums where slice = 'kind' group by period, confidential`, tickets, sum(measures.OfTickets())))
	set := strings.TrimPrefix(counterColumns(measures.OfChats(), ", % = excluded.%"), ", ")
	out = append(out,
		fmt.Sprintf(`insert into measure_sums (slice, period, channel, confidential%[1]s) select 'channel', day, channel, confidential%[2]s from chat_facts where chats > 0 group by day, channel, confidential
			on conflict (slice, period, agency_id, category, area, channel, kind, confidential) do update set %[3]s`, chats, sum(measures.OfChats()), set),
		fmt.Sprintf(`insert into measure_sums (slice, period, confidential%[1]s) select 'all', day, confidential%[2]s from chat_facts where chats > 0 group by day, confidential
			on conflict (slice, period, agency_id, category, area, channel, kind, confidential) do update set %[3]s`, chats, sum(measures.OfChats()), set))
	return out
}()

// Fact is what is known of a ticket that is not confidential, in the hands of the agency that led it last.
type Fact struct {
	Day                           time.Time
	Area, Category, Kind, Channel string
	Agency                        uuid.UUID // Nil: none
	N                             measures.Counts
}

var (
	publicFactsSQL = `select day, area, category, kind, channel, agency_id` + counterColumns(measures.OfTickets(), ", %") + ` from ticket_facts where main and not confidential and day >= $1::date and day < $2::date order by day, ticket_id`
	firstDaySQL    = `select min(period) from measure_sums where slice = 'all' and tickets > 0`
)

const confidentialSQL = `select count(*) from ticket_facts where main and confidential and day >= $1::date and day < $2::date`

// Facts are those of the tickets opened from a day on and before another, for who publishes what becomes of them, and the number of the confidential ones
// beside them.
func (s *Store) Facts(ctx context.Context, from, to time.Time) (facts []Fact, confidential int, err error) {
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, publicFactsSQL, from, to)
		if err != nil {
			return err
		}
		facts, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (f Fact, err error) {
			err = scanCounts(row, measures.OfTickets(), &f.N, &f.Day, &f.Area, &f.Category, &f.Kind, &f.Channel, &f.Agency)
			return f, err
		})
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, confidentialSQL, from, to).Scan(&confidential)
	})
	return facts, confidential, err
}

// FirstDay is the first on which a ticket was opened, zero when there is none.
func (s *Store) FirstDay(ctx context.Context) (time.Time, error) {
	var first *time.Time
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error { return tx.QueryRow(ctx, firstDaySQL).Scan(&first) })
	if err != nil || first == nil {
		return time.Time{}, err
	}
	return *first, nil
}
