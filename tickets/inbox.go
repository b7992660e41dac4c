package tickets

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// View is one of the built-in lists.
type View string

// The views. Each is a range of one index of ticket_access, so that its first page costs the same at any size.
const (
	ViewMy              View = "my"
	ViewAgency          View = "agency" // it is the agency's turn
	ViewUnassigned      View = "unassigned"
	ViewPendingDispatch View = "pending_dispatch"
	ViewReturned        View = "returned" // returns, transfers and extensions that wait for a decision
	ViewDueSoon         View = "due_soon" // the light is yellow
	ViewOverdue         View = "overdue"
	ViewSupervised      View = "supervised"
	ViewMass            View = "mass"      // mass events: parents with many reports
	ViewWatched         View = "watched"   // by the reader, open or not
	ViewMentioned       View = "mentioned" // where the reader was called by name; its count is of those not looked at yet
	ViewOpen            View = "open"
	ViewLive            View = "live"
	ViewClosed          View = "closed"
	ViewAll             View = "all"
)

// Views lists the built-in views in the order of the console.
func Views() []View {
	return []View{ViewMy, ViewAgency, ViewUnassigned, ViewPendingDispatch, ViewReturned, ViewDueSoon, ViewOverdue, ViewSupervised, ViewMass,
		ViewWatched, ViewMentioned, ViewOpen, ViewLive, ViewClosed, ViewAll}
}

// Personal reports whether the view is of a person: an agency's key has none of it.
func (v View) Personal() bool { return v == ViewMy || v.marked() }

// marked views read a table of their own, of what was marked for the person.
func (v View) marked() bool { return v == ViewWatched || v == ViewMentioned }

// Row is a ticket as lists show it.
type Row struct {
	Ticket
	Access string // desk, lead, co, ancestor or past
	Acting bool   // it is the reader's agency's turn
}

// Page is a piece of a list.
type Page struct {
	Rows []Row
	Next string // cursor of the next page; "" at the end
}

// searchDepth is how many of an agency's newest tickets a search for frequent words looks at first.
const searchDepth = 2000

// maxFound is how many hits a text search ranks and pages through.
const maxFound = 200

// order is where a view is read from and how it is sorted, which is how its index is.
type order struct {
	key  string // column beside ticket_id
	desc bool
	from string // the table with the key, joined to ticket_access as a; "" is ticket_access itself
}

// alias names the table that has the key.
func (o order) alias() string {
	if o.from == "" {
		return "a"
	}
	return "w"
}

// table writes what to read from. The look at the access row stands behind a fence (offset 0), so that it is made row by row in the order of the
// list; joined openly the planner rather merges two whole tables.
func (o order) table(mine string) string {
	if o.from == "" {
		return "ticket_access a"
	}
	return o.from + " w" + looked("w", mine)
}

// looked joins the access row of each row of another table, one look after the other.
func looked(of, mine string) string {
	return " cross join lateral (select a.* from ticket_access a where a.ticket_id = " + of + ".ticket_id and " + mine + " offset 0) a"
}

// also joins the view's own table where ticket_access was reached another way.
func (o order) also() string {
	if o.from == "" {
		return ""
	}
	return " join " + o.from + " w on w.ticket_id = a.ticket_id"
}

// sorted writes the order itself.
func (o order) sorted() string {
	dir := ""
	if o.desc {
		dir = " desc"
	}
	return o.alias() + "." + o.key + dir + ", " + o.alias() + ".ticket_id" + dir
}

// live: few conversations are at a time; they are found first, through their own partial index.
const live = `a.ticket_id = any(array(select c.ticket_id from conversations c where c.holder in ('queue', 'staff') and c.ticket_id is not null))`

// condition returns what a view asks of ticket_access as a. The words of the partial indexes stand in it literally: that is how the
// planner knows them.
func condition(v View, now time.Time, user uuid.UUID, arg func(any) string) (where string, by order, err error) {
	byDue := order{key: "due_at"}
	switch v {
	case ViewMy:
		return `a.open and a.assignee_id is not null and a.assignee_id = ` + arg(user), byDue, nil
	case ViewUnassigned:
		return `a.open and a.acting and a.assignee_id is null`, byDue, nil
	case ViewPendingDispatch:
		return `a.open and a.queue = '` + string(QueueDispatch) + `'`, byDue, nil
	case ViewReturned:
		return `a.open and a.queue = '` + string(QueueAsk) + `'`, byDue, nil
	case ViewDueSoon:
		return `a.open and a.due_at > ` + arg(now) + ` and a.warn_at <= ` + arg(now), byDue, nil
	case ViewOverdue:
		return `a.open and a.due_at <= ` + arg(now), byDue, nil
	case ViewAgency:
		return `a.open and a.acting`, byDue, nil
	case ViewSupervised:
		return `a.open and a.supervised`, byDue, nil
	case ViewMass:
		return `a.open and a.mass`, byDue, nil
	case ViewWatched:
		return `w.user_id = ` + arg(user), order{key: "changed_at", desc: true, from: "ticket_watchers"}, nil
	case ViewMentioned:
		return `w.user_id = ` + arg(user), order{key: "mentioned_at", desc: true, from: "ticket_mentions"}, nil
	case ViewOpen:
		return `a.open`, byDue, nil
	case ViewLive:
		return live, order{key: "opened_at", desc: true}, nil
	case ViewClosed:
		return `not a.open`, order{key: "updated_at", desc: true}, nil
	case ViewAll:
		return `true`, order{key: "opened_at", desc: true}, nil
	}
	return "", order{}, ErrUnknownView.With("view", string(v))
}

type cursor struct {
	View View      `json:"v"`
	Key  string    `json:"k,omitempty"` // the sort column, as PostgreSQL writes it: an infinite deadline is one too
	ID   uuid.UUID `json:"i,omitzero"`
	Skip int       `json:"s,omitempty"` // in ranked hits
}

func (c cursor) encode() string {
	b, err := json.Marshal(c)
	if err != nil {
		return "" // strings, a UUID and a number
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodeCursor(s string, v View) (cursor, error) {
	var c cursor
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.View != v || c.Skip < 0 || c.Skip > maxFound || !keyShape.MatchString(c.Key) {
		return cursor{}, ErrBadCursor
	}
	return c, nil
}

var keyShape = regexp.MustCompile(`^(|infinity|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00)$`)

// listSettings holds for the transaction of a list. Every view is a range of an index in the order of the list, so that the first rows found are
// the first rows wanted; a bitmap or a sequential scan reads the whole range first and is only ever a gamble that the table is small. Starting parallel workers takes longer than a page.
const listSettings = `select set_config('statement_timeout', '2s', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`

// unsorted is for a list that is read in its own order and filtered on the way. The planner takes the rules of row-level security for filters that hardly
// any row passes, so it would rather read and sort everything that a facet matches, which at a million tickets may be half of them.
const unsorted = listSettings + `, set_config('enable_sort', 'off', true)`

// agencyOf is whose list it is: the system reads the hotline's.
func agencyOf(a Actor, s *Service) uuid.UUID {
	if a.DB.IsSystem() {
		return s.router.Desk()
	}
	return a.DB.Agency()
}

// mine is the first condition of every list. The hotline's rows have indexes of their own, which the planner knows by the second half; in its short views, and where words are
// found first, it must not be led to them.
func (s *Service) mine(agency uuid.UUID, v View, f Filter, arg func(any) string) string {
	mine := "a.agency_id = " + arg(agency)
	if f.Text == "" && agency == s.router.Desk() && slices.Contains([]View{ViewAgency, ViewDueSoon, ViewOverdue, ViewOpen, ViewClosed, ViewAll}, v) {
		mine += " and a.role = 'desk'"
	}
	return mine
}

// List returns a page of a view, as the actor's agency sees it; after is the cursor of the page before. limit is at most 100.
// A text search ranks at most 200 hits.
// Errors: ErrUnknownView, ErrBadCursor, ErrForbidden (no agency), ErrNarrow (the filter took longer than 2 s).
func (s *Service) List(ctx context.Context, a Actor, v View, f Filter, after string, limit int) (Page, error) {
	return s.page(ctx, a, v, f, after, max(1, min(limit, 100)))
}

func (s *Service) page(ctx context.Context, a Actor, v View, f Filter, after string, limit int) (Page, error) {
	q, err := s.listQuery(a, v, f, after, limit, byView)
	if err != nil {
		return Page{}, err
	}
	if q.sql == "" {
		return Page{}, nil
	}
	var page Page
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		by, settings, err := s.way(ctx, tx, agencyOf(a, s), v, f)
		if err != nil {
			return err
		}
		if by != byView {
			if q, err = s.listQuery(a, v, f, after, limit, by); err != nil {
				return err
			}
		}
		b := &pgx.Batch{}
		b.Queue(settings)
		var keys []string
		b.Queue(q.sql, q.args...).Query(func(rows pgx.Rows) error {
			var err error
			page.Rows, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (Row, error) {
				var row Row
				var key string
				t, err := scanTicket(suffixed{r, []any{&row.Access, &row.Acting, &key}})
				row.Ticket = t
				keys = append(keys, key)
				return row, err
			})
			return err
		})
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		if len(page.Rows) > q.limit {
			page.Rows = page.Rows[:q.limit]
			page.Next = cursor{View: v, Key: keys[q.limit-1], ID: page.Rows[q.limit-1].ID}.encode()
			if q.ranked {
				page.Next = cursor{View: v, Skip: q.skip + q.limit}.encode()
			}
		}
		return nil
	})
	if err != nil {
		return Page{}, Narrow("list tickets", err)
	}
	return page, nil
}

// suffixed lets scanTicket be followed by other columns.
type suffixed struct {
	row  pgx.Row
	more []any
}

// Scan reads what the caller wants and the columns behind it.
func (s suffixed) Scan(dest ...any) error { return s.row.Scan(append(dest, s.more...)...) }

type listQuery struct {
	sql    string
	args   []any
	limit  int
	ranked bool
	skip   int
}

func (s *Service) listQuery(a Actor, v View, f Filter, after string, limit int, narrow facet) (listQuery, error) {
	agency := agencyOf(a, s)
	if agency == uuid.Nil {
		return listQuery{}, ErrForbidden.With("action", "list")
	}
	q := listQuery{limit: limit}
	arg := func(v any) string {
		q.args = append(q.args, v)
		return fmt.Sprintf("$%d", len(q.args))
	}
	mine := s.mine(agency, v, f, arg)
	where, by, err := condition(v, s.clock.Now(), a.DB.User(), arg)
	if err != nil {
		return listQuery{}, err
	}
	where += f.without(narrow).conditions(v, arg, s.router)
	var c cursor
	if after != "" {
		if c, err = decodeCursor(after, v); err != nil {
			return listQuery{}, err
		}
	}
	where += f.light(s.clock.Now(), arg)
	if number, whole := wholeNumber(f.Text); whole {
		q.sql = `select ` + ticketColumns + `, a.role, a.acting, '' from tickets t join ticket_access a on a.ticket_id = t.id and ` + mine + by.also() + ` where t.number = ` + arg(number) + ` and ` + where
		return q, nil
	}
	if f.Text != "" {
		found := s.found(f.Text, maxFound, arg)
		if found == "" {
			return listQuery{}, nil // nothing but punctuation
		}
		q.ranked, q.skip = true, c.Skip
		// found is materialized: its rows are few and ranked, and everything after goes by primary key.
		q.sql = `with found as materialized (` + found + `)
			select ` + ticketColumns + `, a.role, a.acting, '' from found f` + looked("f", mine) + by.also() + `
			join tickets t on t.id = f.ticket_id where ` + where + ` order by f.rank desc, f.ticket_id desc offset ` + arg(c.Skip) + ` limit ` + arg(q.limit+1)
		return q, nil
	}
	from, alias := by.table(mine), by.alias()
	switch {
	case v == ViewLive: // behind a fence, as a facet that few match
		from = "(select a.* from ticket_access a where " + mine + " and " + live + " offset 0) a"
	case narrow != byView:
		from = f.fence(narrow, mine, v, arg, s.router) + by.also()
	}
	dir, cmp := "", ">"
	if by.desc {
		dir, cmp = " desc", "<"
	}
	if after != "" {
		if c.Key == "" {
			return listQuery{}, ErrBadCursor
		}
		where += fmt.Sprintf(" and (%[1]s.%[2]s, %[1]s.ticket_id) %[3]s (%[4]s::text::timestamptz, %[5]s)", alias, by.key, cmp, arg(c.Key), arg(c.ID))
	}
	// page is materialized so that the limit is taken on the narrow rows of the index, whatever the planner thinks of the policy on tickets.
	q.sql = fmt.Sprintf(`with page as materialized (select a.ticket_id, a.role, a.acting, %[1]s.%[2]s as key from %[3]s where %[4]s and %[5]s order by %[6]s limit %[7]s)
		select %[8]s, page.role, page.acting, page.key::text from page join tickets t on t.id = page.ticket_id order by page.key%[9]s, page.ticket_id%[9]s`,
		alias, by.key, from, mine, where, by.sorted(), arg(q.limit+1), ticketColumns, dir)
	return q, nil
}

// Counts says how many tickets each view holds, up to 100: show 101 as "100+".
func (s *Service) Counts(ctx context.Context, a Actor) (map[View]int, error) {
	agency := a.DB.Agency()
	if agency == uuid.Nil {
		return nil, ErrForbidden.With("action", "list")
	}
	out := map[View]int{}
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		b := &pgx.Batch{}
		b.Queue(listSettings)
		for _, v := range Views() {
			sql, args, err := s.countQuery(agency, a.DB.User(), v)
			if err != nil {
				return err
			}
			b.Queue(sql, args...).QueryRow(func(row pgx.Row) error {
				var n int
				err := row.Scan(&n)
				out[v] = n
				return err
			})
		}
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return nil, Narrow("count tickets", err)
	}
	return out, nil
}

func (s *Service) countQuery(agency, user uuid.UUID, v View) (string, []any, error) {
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	mine := "a.agency_id = " + arg(agency)
	where, by, err := condition(v, s.clock.Now(), user, arg)
	if err != nil {
		return "", nil, err
	}
	if v == ViewMentioned {
		where += " and w.seen_at is null"
	}
	// Sorted as the list is, though a count needs no order: otherwise the planner bets on a sequential scan that soon meets 101 rows, and loses
	// where the rows of other agencies lie first.
	return fmt.Sprintf(`select count(*) from (select from %s where %s and %s order by %s limit 101) few`, by.table(mine), mine, where, by.sorted()), args, nil
}
