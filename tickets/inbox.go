package tickets

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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
	ViewDueSoon         View = "due_soon"
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
func (v View) Personal() bool { return v == ViewMy || v == ViewWatched || v == ViewMentioned }

// Filter narrows a view. Empty fields match all.
type Filter struct {
	Kind     string
	Category string // a node: its children match too
	Urgency  string
	State    State
	Lead     uuid.UUID
	Area     string    // a code: those inside it match too
	Tag      uuid.UUID // of the reader's agency
	Text     string    // words in English or Chinese, or a ticket's number
	From, To time.Time // opened in [From, To)
}

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
	return o.from + " w cross join lateral (select a.* from ticket_access a where a.ticket_id = w.ticket_id and " + mine + " offset 0) a"
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

// condition returns what a view asks of ticket_access as a. The words of the partial indexes stand in it literally: that is how the
// planner knows them.
func condition(v View, now time.Time, soon time.Duration, user uuid.UUID, arg func(any) string) (where string, by order, err error) {
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
		return `a.open and a.due_at > ` + arg(now) + ` and a.due_at <= ` + arg(now.Add(soon)), byDue, nil
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
		// Few conversations are live at a time; they are found first, through their own partial index.
		return `a.ticket_id = any(array(select c.ticket_id from conversations c where c.holder in ('queue', 'staff') and c.ticket_id is not null))`, order{key: "opened_at", desc: true}, nil
	case ViewClosed:
		return `not a.open`, order{key: "updated_at", desc: true}, nil
	case ViewAll:
		return `true`, order{key: "opened_at", desc: true}, nil
	}
	return "", order{}, ErrUnknownView.With("view", string(v))
}

// conditions writes the facets. rareTag: few tickets have the tag, so they are looked for first.
func (f Filter) conditions(v View, arg func(any) string, r Router, rareTag bool) string {
	var b strings.Builder
	and := func(s string) { b.WriteString(" and " + s) }
	if f.Kind != "" {
		and("a.kind = " + arg(f.Kind))
	}
	switch {
	case f.Category == "":
	case r.CategoryLeaf(f.Category):
		and("a.category = " + arg(f.Category)) // in the order of its own index
	case len(r.CategoriesBelow(f.Category)) > 0:
		and("a.category = any(" + arg(append(r.CategoriesBelow(f.Category), f.Category)) + ")")
	default:
		and("(a.category = " + arg(f.Category) + " or a.category like " + arg(likePrefix(f.Category)+".%") + ")")
	}
	if f.Urgency != "" {
		and("a.urgency = " + arg(f.Urgency))
	}
	if f.State != "" {
		and("a.state = " + arg(string(f.State)))
		if v == ViewClosed && f.State.Info().Open {
			and("a.role = 'past'") // over for the agency, not for the ticket: these few have an index
		}
	}
	if f.Lead != uuid.Nil {
		and("a.lead_id = " + arg(f.Lead))
	}
	if f.Area != "" {
		if below := r.AreasBelow(f.Area); len(below) > 0 {
			and("a.area = any(" + arg(append(below, f.Area)) + ")")
		} else {
			and("a.area = " + arg(f.Area)) // in the order of its own index
		}
	}
	switch {
	case f.Tag == uuid.Nil:
	case rareTag:
		and("a.ticket_id = any(array(select x.ticket_id from ticket_tags x where x.tag_id = " + arg(f.Tag) + "))")
	default: // a scalar subquery is never turned into a join, so the order of the view is kept
		and("(select true from ticket_tags x where x.ticket_id = a.ticket_id and x.tag_id = " + arg(f.Tag) + ")")
	}
	if !f.From.IsZero() {
		and("a.opened_at >= " + arg(f.From))
	}
	if !f.To.IsZero() {
		and("a.opened_at < " + arg(f.To))
	}
	return b.String()
}

func likePrefix(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
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

var (
	keyShape    = regexp.MustCompile(`^(|infinity|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00)$`)
	numberShape = regexp.MustCompile(`^\s*(\d{4}-\d{6,12})\s*$`)
)

// listSettings holds for the transaction of a list. Every view is a range of an index in the order of the list, so that the first rows found are
// the first rows wanted; a bitmap or a sequential scan reads the whole range first and is only ever a gamble that the table is small.
const listSettings = `select set_config('statement_timeout', '2s', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true)`

// unsorted is for a list that is read in its own order and filtered on the way. The planner takes the rules of row-level security for filters that hardly
// any row passes, so it would rather read and sort everything that a facet matches, which at a million tickets may be half of them.
const unsorted = listSettings + `, set_config('enable_sort', 'off', true)`

// rareDepth is how many tickets a facet may match and still be read through its own index and sorted; of more than that some come soon in any order.
const rareDepth = 1000

// rare reports whether one of the facets that have an index of ticket_access matches few tickets of the agency.
func (s *Service) rare(ctx context.Context, tx db.Tx, agency uuid.UUID, f Filter) (bool, error) {
	for _, one := range []Filter{{Category: f.Category}, {Area: f.Area}, {Kind: f.Kind}} {
		if one == (Filter{}) {
			continue
		}
		sql, args := s.rareQuery(agency, one)
		var n int
		if _, err := tx.Exec(ctx, listSettings); err != nil {
			return false, err
		}
		if err := tx.QueryRow(ctx, sql, args...).Scan(&n); err != nil || n <= rareDepth {
			return true, err
		}
	}
	return false, nil
}

func (s *Service) rareQuery(agency uuid.UUID, f Filter) (string, []any) {
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	return fmt.Sprintf(`select count(*) from (select from ticket_access a where a.agency_id = %s%s limit %d) few`, arg(agency), f.conditions(ViewAll, arg, s.router, false), rareDepth+1), args
}

// agencyOf is whose list it is: the system reads the hotline's.
func agencyOf(a Actor, s *Service) uuid.UUID {
	if a.DB.IsSystem() {
		return s.router.Desk()
	}
	return a.DB.Agency()
}

// List returns a page of a view, as the actor's agency sees it; after is the cursor of the page before. limit is at most 100.
// A text search ranks at most 200 hits.
// Errors: ErrUnknownView, ErrBadCursor, ErrForbidden (no agency), ErrNarrow (the filter took longer than 2 s).
func (s *Service) List(ctx context.Context, a Actor, v View, f Filter, after string, limit int) (Page, error) {
	return s.page(ctx, a, v, f, after, max(1, min(limit, 100)))
}

func (s *Service) page(ctx context.Context, a Actor, v View, f Filter, after string, limit int) (Page, error) {
	q, err := s.listQuery(a, v, f, after, limit, false)
	if err != nil {
		return Page{}, err
	}
	if q.sql == "" {
		return Page{}, nil
	}
	var page Page
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		settings, rareTag := listSettings, false
		if f.Tag != uuid.Nil {
			var err error
			if rareTag, err = tagIsRare(ctx, tx, f.Tag); err != nil {
				return err
			}
			if q, err = s.listQuery(a, v, f, after, limit, rareTag); err != nil {
				return err
			}
		}
		switch {
		case rareTag:
		case f.Text != "" || v == ViewLive: // few, found first
		case v == ViewWatched || v == ViewMentioned: // a person's list is short
			settings = unsorted
		default:
			rare, err := s.rare(ctx, tx, agencyOf(a, s), f)
			if err != nil {
				return err
			}
			if !rare {
				settings = unsorted
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
		return Page{}, narrow("list tickets", err)
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

func (s *Service) listQuery(a Actor, v View, f Filter, after string, limit int, rareTag bool) (listQuery, error) {
	agency := agencyOf(a, s)
	if agency == uuid.Nil {
		return listQuery{}, ErrForbidden.With("action", "list")
	}
	q := listQuery{limit: limit}
	arg := func(v any) string {
		q.args = append(q.args, v)
		return fmt.Sprintf("$%d", len(q.args))
	}
	mine := "a.agency_id = " + arg(agency)
	where, by, err := condition(v, s.clock.Now(), s.settings.Load().DueSoon, a.DB.User(), arg)
	if err != nil {
		return listQuery{}, err
	}
	where += f.conditions(v, arg, s.router, rareTag)
	var c cursor
	if after != "" {
		if c, err = decodeCursor(after, v); err != nil {
			return listQuery{}, err
		}
	}
	if m := numberShape.FindStringSubmatch(f.Text); m != nil {
		q.sql = `select ` + ticketColumns + `, a.role, a.acting, '' from tickets t join ticket_access a on a.ticket_id = t.id and ` + mine + by.also() + ` where t.number = ` + arg(m[1]) + ` and ` + where
		return q, nil
	}
	if f.Text != "" {
		words := searchQuery(f.Text)
		if words == "" {
			return listQuery{}, nil // nothing but punctuation
		}
		q.ranked, q.skip = true, c.Skip
		// found is materialized: its rows are few and ranked, and everything after goes by primary key.
		q.sql = `with found as materialized (select * from search_tickets(` + arg(words) + `::text::tsquery, 2000, ` + fmt.Sprint(maxFound) + `))
			select ` + ticketColumns + `, a.role, a.acting, '' from found f join ticket_access a on a.ticket_id = f.ticket_id and ` + mine + by.also() + `
			join tickets t on t.id = f.ticket_id where ` + where + ` order by f.rank desc, f.ticket_id desc offset ` + arg(c.Skip) + ` limit ` + arg(q.limit+1)
		return q, nil
	}
	from, alias := by.table(mine), by.alias()
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
		return nil, narrow("count tickets", err)
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
	where, by, err := condition(v, s.clock.Now(), s.settings.Load().DueSoon, user, arg)
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

// narrow turns a cancelled statement into ErrNarrow.
func narrow(step string, err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "57014" {
		return ErrNarrow.Wrap(err)
	}
	return wrap(step, err)
}
