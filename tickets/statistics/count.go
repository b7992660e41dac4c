package statistics

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/measures"
)

// Dimension is what counts are grouped by.
type Dimension string

// The dimensions. ByNothing gives one group.
const (
	ByNothing  Dimension = ""
	ByDay      Dimension = "day"
	ByWeek     Dimension = "week"
	ByMonth    Dimension = "month"
	ByQuarter  Dimension = "quarter"
	ByYear     Dimension = "year"
	ByAgency   Dimension = "agency"
	ByArea     Dimension = "area"
	ByCategory Dimension = "category"
	ByChannel  Dimension = "channel"
	ByKind     Dimension = "kind"
)

// Times lists the dimensions of time, from fine to coarse; Things lists the others.
func Times() []Dimension  { return []Dimension{ByDay, ByWeek, ByMonth, ByQuarter, ByYear} }
func Things() []Dimension { return []Dimension{ByAgency, ByArea, ByCategory, ByChannel, ByKind} }

// Selection is which tickets are counted: those opened from the first day on and before the last, as days of the jurisdiction. Lists are alternatives;
// an empty one means all. Nodes of a tree are given with everything below them.
type Selection struct {
	From, To          time.Time
	Agencies          []uuid.UUID
	Areas, Categories []string
	Channel, Kind     string
	Public            bool // confidential tickets are left out, whoever asks
}

// Counted is one group of counts. Key is a day (the first of the period), an id or a code.
type Counted struct {
	Key string
	N   measures.Counts
}

// ErrBadPeriod: the period is empty or longer than ten years.
var ErrBadPeriod = errs.New(errs.Invalid, "tickets.bad_period", "the period is empty or longer than ten years").On("from")

// ErrWholeMonths: what is published is of whole months. The difference of two periods that differ by a day would speak of that day's few people.
var ErrWholeMonths = errs.New(errs.Invalid, "tickets.whole_months", "published numbers are of whole months: from the first day of one to the last day of one").On("from")

// Question is a selection, what to group it by, and which counters are wanted; nil is all of them.
type Question struct {
	Selection
	By Dimension
	Of []measures.Counter
}

// Count answers questions about one moment, in their order. It reads sums: what an answer costs depends on the days and groups in it, not on the
// tickets. Staff of an agency count what their agency and those below it have; confidential tickets are counted for who is cleared.
// Errors: ErrBadPeriod, tickets.ErrNarrow (longer than 2 s).
func (s *Store) Count(ctx context.Context, a tickets.Actor, questions ...Question) ([][]Counted, error) {
	out := make([][]Counted, len(questions))
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		b := &pgx.Batch{}
		b.Queue(measureSettings)
		for i, q := range questions {
			sql, args, of, err := countQuestion(q, a.DB.IsSystem() || a.DB.Desk())
			if err != nil {
				return err
			}
			b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
				var err error
				out[i], err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Counted, err error) {
					err = scanCounts(row, of, &c.N, &c.Key)
					return c, err
				})
				return err
			})
		}
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return nil, tickets.Narrow("count measures", err)
	}
	return out, nil
}

// Hundreds of columns and few rows: compiling the expressions costs more than running them.
const measureSettings = `select set_config('statement_timeout', '2s', true), set_config('jit', 'off', true)`

// ownAgencies is what row-level security asks of staff of an agency, in words that an index understands.
const ownAgencies = ` and agency_id = any (array(select g.id from agencies g where g.id = (select actor_agency()) or (select actor_agency()) = any (g.ancestors)))`

// dimensions are those beside time that a question needs.
func (q Question) dimensions(everybody bool) []string {
	var out []string
	need := func(on bool, name string) {
		if on {
			out = append(out, name)
		}
	}
	need(len(q.Agencies) > 0 || q.By == ByAgency || !everybody, "agency")
	need(len(q.Areas) > 0 || q.By == ByArea, "area")
	need(len(q.Categories) > 0 || q.By == ByCategory, "category")
	need(q.Channel != "" || q.By == ByChannel, "channel")
	need(q.Kind != "" || q.By == ByKind, "kind")
	return out
}

func (q Question) key(period string) string {
	switch q.By {
	case ByDay:
		return period + "::text"
	case ByWeek, ByMonth, ByQuarter, ByYear:
		return "date_trunc('" + string(q.By) + "', " + period + ")::date::text"
	case ByAgency:
		return "agency_id::text"
	case ByArea, ByCategory, ByChannel, ByKind:
		return string(q.By)
	}
	return "''"
}

func (q Selection) conditions(arg func(any) string) string {
	var b strings.Builder
	and := func(on bool, column, op string, v any) {
		if on {
			fmt.Fprintf(&b, " and %s = %s", column, strings.Replace(op, "$", arg(v), 1))
		}
	}
	and(len(q.Agencies) > 0, "agency_id", "any($)", q.Agencies)
	and(len(q.Areas) > 0, "area", "any($)", q.Areas)
	and(len(q.Categories) > 0, "category", "any($)", q.Categories)
	and(q.Channel != "", "channel", "$", q.Channel)
	and(q.Kind != "", "kind", "$", q.Kind)
	if q.Public {
		b.WriteString(" and not confidential")
	}
	return b.String()
}

func (q Selection) check() error {
	if !q.From.Before(q.To) || q.To.Sub(q.From) > 3660*24*time.Hour {
		return ErrBadPeriod
	}
	return nil
}

// monthlySlice is the smallest slice of months that has the dimensions.
func monthlySlice(need []string) string {
	has := func(names ...string) bool {
		return !slices.ContainsFunc(need, func(n string) bool { return !slices.Contains(names, n) })
	}
	switch {
	case has("agency", "category"):
		return "agency_category"
	case has("agency", "area"):
		return "agency_area"
	case has("category", "area"):
		return "category_area"
	}
	return "month"
}

// countQuestion writes the statement. Days of one dimension have a slice of their own. A question about agencies, or about two dimensions or more, reads whole months where
// it may, and the days around them: from the slice of the one dimension, or from the facts.
func countQuestion(q Question, everybody bool) (sql string, args []any, of []measures.Counter, err error) {
	if err := q.check(); err != nil {
		return "", nil, nil, err
	}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	between := func(column string, from, to time.Time) string {
		return column + " >= " + arg(from) + "::date and " + column + " < " + arg(to) + "::date"
	}
	where := q.conditions(arg)
	if !everybody {
		where += ownAgencies
	}
	need := q.dimensions(everybody)
	one := len(need) <= 1
	of = measures.OfTickets()
	if one {
		of = measures.Everything()
	}
	if q.Of != nil {
		of = slices.DeleteFunc(slices.Clone(q.Of), func(c measures.Counter) bool { return !one && !slices.Contains(measures.OfTickets(), c) })
	}
	columns := counterColumns(of, ", %")
	var parts []string
	slice := func(name string, from, to time.Time) {
		if from.Before(to) {
			parts = append(parts, `select `+q.key("period")+` as key`+columns+` from measure_sums where slice = '`+name+`' and `+between("period", from, to)+where)
		}
	}
	days := func(from, to time.Time) {
		switch {
		case len(need) == 0:
			slice("all", from, to)
		case one:
			slice(need[0], from, to)
		case from.Before(to):
			parts = append(parts, `select `+q.key("day")+` as key`+columns+` from ticket_facts where `+between("day", from, to)+where)
		}
	}
	first, last := q.From.AddDate(0, 0, 1-q.From.Day()), q.To.AddDate(0, 0, 1-q.To.Day())
	if first.Before(q.From) {
		first = first.AddDate(0, 1, 0)
	}
	if !first.Before(last) || q.By == ByDay || q.By == ByWeek || one && !slices.Contains(need, "agency") {
		days(q.From, q.To)
	} else {
		slice(monthlySlice(need), first, last)
		days(q.From, first)
		days(last, q.To)
	}
	sql = `select key` + counterColumns(of, ", sum(%)::bigint") + ` from (` + strings.Join(parts, " union all ") + `) u group by 1 order by 1`
	return sql, args, of, nil
}

// Measured is a ticket behind a number.
type Measured struct {
	Ticket, Agency uuid.UUID
	Day            time.Time
	Category, Area string
	Channel, Kind  string
	// Seen: the ticket itself may be opened by this person. The rest is empty otherwise.
	Seen          bool
	Number, Title string
	State         tickets.State
	ClosedAt      *time.Time
}

// behindSettings: the rows come in the order of an index, so that the first found are the first wanted; anything else reads the whole range first.
const behindSettings = `select set_config('statement_timeout', '2s', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`

// MeasuredPage is a piece of such a list.
type MeasuredPage struct {
	Rows []Measured
	Next string
}

// Behind lists the tickets that a number counts, the newest first: those of the selection for which one of the counters is set. There are exactly
// as many as the number says. after is the cursor of the page before; limit is at most 1000.
// Errors: ErrBadPeriod, tickets.ErrBadCursor, tickets.ErrNarrow.
func (s *Store) Behind(ctx context.Context, a tickets.Actor, q Selection, of []measures.Counter, after string, limit int) (MeasuredPage, error) {
	limit = max(1, min(limit, 1000))
	sql, args, err := behindQuery(q, of, after, limit+1, a.DB.IsSystem() || a.DB.Desk())
	if err != nil {
		return MeasuredPage{}, err
	}
	var page MeasuredPage
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		b := &pgx.Batch{}
		b.Queue(behindSettings)
		b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
			var err error
			page.Rows, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Measured, err error) {
				err = row.Scan(&m.Ticket, &m.Agency, &m.Day, &m.Category, &m.Area, &m.Channel, &m.Kind, &m.Seen, &m.Number, &m.Title, &m.State, &m.ClosedAt)
				return m, err
			})
			return err
		})
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return MeasuredPage{}, tickets.Narrow("list measured tickets", err)
	}
	if len(page.Rows) > limit {
		page.Rows = page.Rows[:limit]
		last := page.Rows[limit-1]
		page.Next = last.Day.Format(time.DateOnly) + "." + last.Ticket.String() + "." + last.Agency.String()
	}
	return page, nil
}

func behindQuery(q Selection, of []measures.Counter, after string, limit int, everybody bool) (string, []any, error) {
	if err := q.check(); err != nil {
		return "", nil, err
	}
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	where := "day >= " + arg(q.From) + "::date and day < " + arg(q.To) + "::date" + q.conditions(arg)
	if !everybody {
		where += ownAgencies
	}
	var set []string
	for _, c := range of {
		if !slices.Contains(measures.OfTickets(), c) {
			return "", nil, tickets.ErrBadCursor
		}
		set = append(set, c.String()+" > 0")
	}
	if len(set) > 0 {
		where += " and (" + strings.Join(set, " or ") + ")"
	}
	if after != "" {
		day, ticket, agency, ok := cutCursor(after)
		if !ok {
			return "", nil, tickets.ErrBadCursor
		}
		where += " and (day, ticket_id, agency_id) < (" + arg(day) + "::date, " + arg(ticket) + "::uuid, " + arg(agency) + "::uuid)"
	}
	return `with page as materialized (select ticket_id, agency_id, day, category, area, channel, kind from ticket_facts where ` + where + ` order by day desc, ticket_id desc, agency_id desc limit ` + arg(limit) + `)
		select p.ticket_id, p.agency_id, p.day, p.category, p.area, p.channel, p.kind, t.id is not null, coalesce(t.number, ''), coalesce(t.title, ''), coalesce(t.state, ''), t.closed_at
		from page p left join tickets t on t.id = p.ticket_id order by p.day desc, p.ticket_id desc, p.agency_id desc`, args, nil
}

func cutCursor(s string) (day time.Time, ticket, agency uuid.UUID, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return day, ticket, agency, false
	}
	day, err1 := time.Parse(time.DateOnly, parts[0])
	ticket, err2 := uuid.Parse(parts[1])
	agency, err3 := uuid.Parse(parts[2])
	return day, ticket, agency, err1 == nil && err2 == nil && err3 == nil
}

// MeasuredChat is a conversation behind a number.
type MeasuredChat struct {
	Conversation uuid.UUID
	Day          time.Time
	Channel      string
}

// BehindChats is Behind for the counters of chats. Only the hotline sees chats.
// Errors: ErrBadPeriod, tickets.ErrBadCursor, tickets.ErrNarrow.
func (s *Store) BehindChats(ctx context.Context, a tickets.Actor, q Selection, of []measures.Counter, after string, limit int) (rows []MeasuredChat, next string, err error) {
	if err := q.check(); err != nil {
		return nil, "", err
	}
	limit = max(1, min(limit, 1000))
	args := []any{q.From, q.To, q.Channel, limit + 1}
	where := "day >= $1::date and day < $2::date and ($3 = '' or channel = $3)"
	var set []string
	for _, c := range of {
		if !slices.Contains(measures.OfChats(), c) {
			return nil, "", tickets.ErrBadCursor
		}
		set = append(set, c.String()+" > 0")
	}
	if len(set) > 0 {
		where += " and (" + strings.Join(set, " or ") + ")"
	}
	if after != "" {
		day, id, _, ok := cutCursor(after + "." + uuid.Nil.String())
		if !ok {
			return nil, "", tickets.ErrBadCursor
		}
		where, args = where+" and (day, conversation_id) < ($5::date, $6::uuid)", append(args, day, id)
	}
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		found, err := tx.Query(ctx, `select conversation_id, day, channel from chat_facts where chats > 0 and `+where+` order by day desc, conversation_id desc limit $4`, args...)
		if err != nil {
			return err
		}
		rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[MeasuredChat])
		return err
	})
	if err != nil {
		return nil, "", tickets.Narrow("list measured chats", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].Day.Format(time.DateOnly) + "." + rows[limit-1].Conversation.String()
	}
	return rows, next, nil
}
