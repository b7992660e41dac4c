package tickets

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Filter narrows a view. Empty fields match all.
type Filter struct {
	Kind     string
	Category string // a node: its children match too
	Urgency  string
	State    State
	Lead     uuid.UUID // NoLead: those that no agency leads
	Area     string    // a code: those inside it match too
	Tag      uuid.UUID // of the reader's agency
	Lacking  bool      // details that intake needs are missing
	Light    string    // red, yellow or green: open tickets by their earliest deadline
	Text     string    // words in English or Chinese, a ticket's number, a telephone number or an address
	From, To time.Time // opened in [From, To)
}

// NoLead as a filter's lead means tickets that are with the hotline itself.
var NoLead = uuid.Max

// Lights are the lights that a filter may ask for.
func Lights() []string { return []string{"red", "yellow", "green"} }

// light writes what a light asks of an access row, as the supervision board counts.
func (f Filter) light(now time.Time, arg func(any) string) string {
	switch f.Light {
	case "red":
		return " and a.open and a.due_at <= " + arg(now)
	case "yellow":
		at := arg(now)
		return " and a.open and a.due_at > " + at + " and a.warn_at <= " + at
	case "green":
		at := arg(now)
		return " and a.open and a.due_at > " + at + " and (a.warn_at is null or a.warn_at > " + at + ")"
	}
	return ""
}

// facet names one of a filter's fields that an index of ticket_access (or of ticket_tags) holds.
type facet string

const (
	byView     facet = "" // no facet: in the order of the view
	byCategory facet = "category"
	byArea     facet = "area"
	byKind     facet = "kind"
	byUrgency  facet = "urgency"
	byState    facet = "state"
	byLead     facet = "lead"
	byTag      facet = "tag"
	byLacking  facet = "lacking"
	byOpened   facet = "opened"
)

// The values that partial indexes hold, as their conditions are written.
const (
	rareKinds     = "a.kind in ('report', 'suggestion', 'praise')"
	rareUrgencies = "a.urgency <> 'normal'"
)

// rareDepth is how many tickets a facet may match and still be read through its own index and sorted; of more than that some come soon in any order.
const rareDepth = 4000

// indexed lists the facets of f that may be looked up, with their values as few_tickets takes them.
func (f Filter) indexed(desk bool, r Router) (facets []facet, values [][]string) {
	put := func(on bool, name facet, of ...string) {
		if on {
			facets, values = append(facets, name), append(values, of)
		}
	}
	put(f.Category != "", byCategory, append(r.CategoriesBelow(f.Category), f.Category)...)
	put(f.Area != "", byArea, append(r.AreasBelow(f.Area), f.Area)...)
	put(slices.Contains([]string{"report", "suggestion", "praise"}, f.Kind), byKind, f.Kind)
	put(f.Urgency != "" && f.Urgency != "normal", byUrgency, f.Urgency)
	put(f.State.Info().Open, byState, string(f.State))
	put(f.Lead != uuid.Nil && f.Lead != NoLead && desk, byLead, f.Lead.String())
	put(f.Tag != uuid.Nil, byTag, f.Tag.String())
	put(f.Lacking, byLacking)
	put(!f.From.IsZero() && !f.To.IsZero(), byOpened, f.From.UTC().Format(time.RFC3339Nano), f.To.UTC().Format(time.RFC3339Nano))
	return facets, values
}

// only is f with one facet and nothing else, without is f without it.
func (f Filter) only(one facet) (o Filter) {
	switch one {
	case byCategory:
		o.Category = f.Category
	case byArea:
		o.Area = f.Area
	case byKind:
		o.Kind = f.Kind
	case byUrgency:
		o.Urgency = f.Urgency
	case byState:
		o.State = f.State
	case byLead:
		o.Lead = f.Lead
	case byTag:
		o.Tag = f.Tag
	case byLacking:
		o.Lacking = true
	case byOpened:
		o.From, o.To = f.From, f.To
	}
	return o
}

func (f Filter) without(one facet) Filter {
	switch one {
	case byCategory:
		f.Category = ""
	case byArea:
		f.Area = ""
	case byKind:
		f.Kind = ""
	case byUrgency:
		f.Urgency = ""
	case byState:
		f.State = ""
	case byLead:
		f.Lead = uuid.Nil
	case byTag:
		f.Tag = uuid.Nil
	case byLacking:
		f.Lacking = false
	case byOpened:
		f.From, f.To = time.Time{}, time.Time{}
	}
	return f
}

// conditions writes the facets of a view. Those of a list of marked tickets are asked of the mark, whose index holds them.
func (f Filter) conditions(v View, arg func(any) string, r Router) string {
	var b strings.Builder
	of := "a."
	if v.marked() {
		of = "w."
	}
	and := func(s string) { b.WriteString(" and " + s) }
	if f.Kind != "" {
		and(of + "kind = " + arg(f.Kind))
	}
	switch {
	case f.Category == "":
	case r.CategoryLeaf(f.Category):
		and(of + "category = " + arg(f.Category)) // in the order of its own index
	case len(r.CategoriesBelow(f.Category)) > 0:
		and(of + "category = any(" + arg(append(r.CategoriesBelow(f.Category), f.Category)) + ")")
	default:
		and("(" + of + "category = " + arg(f.Category) + " or " + of + "category like " + arg(likePrefix(f.Category)+".%") + ")")
	}
	if f.Urgency != "" {
		and(of + "urgency = " + arg(f.Urgency))
	}
	if f.State != "" {
		and(of + "state = " + arg(string(f.State)))
		if v == ViewClosed && f.State.Info().Open {
			and("a.role = 'past'") // over for the agency, not for the ticket: these few have an index
		}
		if v == ViewPendingDispatch && f.State.Info().Queue != QueueDispatch {
			and("false") // the queue follows from the state: no need to look for it
		}
	}
	if f.Lead == NoLead {
		and(of + "lead_id is null")
	} else if f.Lead != uuid.Nil {
		and(of + "lead_id = " + arg(f.Lead))
	}
	if f.Area != "" {
		if below := r.AreasBelow(f.Area); len(below) > 0 {
			and(of + "area = any(" + arg(append(below, f.Area)) + ")")
		} else {
			and(of + "area = " + arg(f.Area)) // in the order of its own index
		}
	}
	if f.Tag != uuid.Nil {
		// A scalar subquery is never turned into a join, so the order of the view is kept.
		and("(select true from ticket_tags x where x.ticket_id = " + of + "ticket_id and x.tag_id = " + arg(f.Tag) + ")")
	}
	if f.Lacking {
		and("(select true from ticket_lacking x where x.ticket_id = " + of + "ticket_id)")
	}
	if !f.From.IsZero() {
		and(of + "opened_at >= " + arg(f.From))
	}
	if !f.To.IsZero() {
		and(of + "opened_at < " + arg(f.To))
	}
	return b.String()
}

func likePrefix(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// fence reads what one facet matches as the table a, before anything else is asked. offset 0 is the fence: the planner, which knows how frequent a value is
// in the city and not in an agency, would else walk the whole view for a value that the agency has nothing of.
func (f Filter) fence(one facet, mine string, v View, arg func(any) string, r Router) string {
	from := "select a.* from ticket_access a where " + mine
	switch one {
	case byTag:
		return "(" + from + " and a.ticket_id = any(array(select x.ticket_id from ticket_tags x where x.tag_id = " + arg(f.Tag) + ")) offset 0) a"
	case byLacking:
		return "(" + from + " and a.ticket_id = any(array(select x.ticket_id from ticket_lacking x)) offset 0) a"
	case byKind:
		from += " and " + rareKinds
	case byUrgency:
		from += " and " + rareUrgencies
	case byLead:
		from += " and a.role = 'desk'" // asked for the hotline alone
	case byState:
		// Their index is of open rows; what the agency gave back has one of its own.
		from += f.only(one).conditions(ViewAll, arg, r)
		open, past := from+" and a.open", from+" and not a.open and a.role = 'past'"
		switch v {
		case ViewClosed:
			return "(" + past + " offset 0) a"
		case ViewAll, ViewWatched, ViewMentioned, ViewLive:
			return "(select * from (" + open + " union all " + past + ") every offset 0) a"
		}
		return "(" + open + " offset 0) a"
	}
	return "(" + from + f.only(one).conditions(ViewAll, arg, r) + " offset 0) a"
}

// way chooses how a list is read: by which facet, byView when none matches few tickets of the agency, and under which settings of the planner.
func (s *Service) way(ctx context.Context, tx db.Tx, agency uuid.UUID, v View, f Filter) (narrow facet, settings string, err error) {
	if f.Text != "" || v == ViewLive { // few, found first
		return byView, listSettings, nil
	}
	narrow, settings = byView, unsorted
	b := &pgx.Batch{}
	b.Queue(`select set_config('statement_timeout', '2s', true)`)
	s.askFew(b, agency, f, rareDepth, func(one facet) {
		if narrow == byView {
			narrow, settings = one, listSettings
		}
	})
	if b.Len() == 1 {
		return narrow, settings, nil
	}
	return narrow, settings, tx.SendBatch(ctx, b).Close()
}

// askFew queues the question for each facet of f whether it matches at most so many tickets of the agency; few is called for those that do.
func (s *Service) askFew(b *pgx.Batch, agency uuid.UUID, f Filter, most int, few func(facet)) {
	facets, values := f.indexed(agency == s.router.Desk(), s.router)
	for i, one := range facets {
		sql, args := `select few_tickets($1, $2, $3, $4)`, []any{string(one), values[i], agency, most}
		if one == byLacking {
			sql, args = `select few_lacking($1)`, []any{most}
		}
		b.Queue(sql, args...).QueryRow(func(row pgx.Row) error {
			var is bool
			err := row.Scan(&is)
			if is {
				few(one)
			}
			return err
		})
	}
}
