package tickets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/likeness"
)

// duplicateWindow is how far before and after a ticket its duplicates are looked for.
const duplicateWindow = 30 * 24 * time.Hour

// Bounds of a look for duplicates: candidates that are scored, words that are offered to the search, what is shown.
const (
	maxCandidates = 150
	maxSought     = 80
	maxDuplicates = 8
)

// Duplicate is a ticket that may be about the same matter.
type Duplicate struct {
	ID       uuid.UUID
	Number   string
	Version  int
	Title    string
	Kind     string
	Category string
	Area     string
	Place    string
	State    State
	OpenedAt time.Time
	Mass     bool // an open mass event
	Score    float64
	Reasons  []likeness.Reason // the strongest first
	parent   uuid.UUID         // of a merged one
}

// Open reports whether something can be merged into it.
func (d Duplicate) Open() bool { return d.State.Info().Open }

// seeker is what duplicates are sought for: a ticket, or one that is being filed.
type seeker struct {
	ticket, agency        uuid.UUID
	conversation, contact *uuid.UUID
	category              string
	text                  likeness.Case
	public                bool
}

// Duplicates lists what may be about the same matter as a ticket, the most likely first, as far as the actor may see it. What is merged stands under
// the ticket it was merged into; what is merged into this one is left out.
// Errors: ErrNotFound.
func (s *Service) Duplicates(ctx context.Context, a Actor, ticket uuid.UUID) ([]Duplicate, error) {
	t, err := s.ByID(ctx, a, ticket)
	if err != nil {
		return nil, err
	}
	if a.Kind != KindStaff && !a.DB.IsSystem() {
		return nil, ErrForbidden.With("action", "duplicates")
	}
	k := seeker{ticket: t.ID, agency: s.router.Desk(), contact: t.ContactID, category: t.Category, text: caseOf(t.Title, t.Description, t.Place, t.Category, t.Lat, t.Lon, t.OpenedAt)}
	if t.ConversationID != uuid.Nil {
		k.conversation = &t.ConversationID
	}
	if t.Confidential { // "the same person" as a ticket with a name would say who it is
		k.contact, k.conversation = nil, nil
	}
	var out []Duplicate
	err = db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		out, err = s.alike(ctx, tx, k)
		return err
	})
	if err != nil {
		return nil, wrap("duplicates of", err)
	}
	return out, nil
}

func caseOf(title, description, place, category string, lat, lon *float64, at time.Time) likeness.Case {
	c := likeness.Case{Lat: lat, Lon: lon, Category: category, At: at}
	if r := []rune(description); len(r) > 2000 {
		description = string(r[:2000])
	}
	words(title+"\n"+description, func(w string, _ bool) { c.Words = append(c.Words, w) })
	words(place, func(w string, _ bool) { c.Place = append(c.Place, w) })
	return c
}

// The contact of a confidential ticket is nobody here: who it is takes a reason, and the look is recorded.
const candidatesSQL = `select c.ticket_id, c.same_contact and not t.confidential, c.same_conversation and not t.confidential, t.number, t.version, t.title, left(t.description, 2000), t.kind, coalesce(t.category, ''), coalesce(t.area, ''),
		t.place, t.lat, t.lon, t.state, t.opened_at, t.parent_id, m.ticket_id is not null
	from duplicate_candidates($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) c join tickets t on t.id = c.ticket_id
	left join mass_events m on m.ticket_id = t.id and m.ended_at is null`

const parentsSQL = `select t.id, false, false, t.number, t.version, t.title, '', t.kind, coalesce(t.category, ''), coalesce(t.area, ''), t.place, t.lat, t.lon, t.state, t.opened_at, t.parent_id,
		m.ticket_id is not null
	from tickets t left join mass_events m on m.ticket_id = t.id and m.ended_at is null where t.id = any($1)`

// alike finds the candidates and scores them.
func (s *Service) alike(ctx context.Context, tx db.Tx, k seeker) ([]Duplicate, error) {
	sought := slices.Clone(k.text.Words)
	slices.Sort(sought)
	sought = slices.Compact(sought)
	if len(sought) > maxSought {
		sought = sought[:maxSought]
	}
	category := optionalText(k.category)
	cells := likeness.Cells(k.text.Lat, k.text.Lon)
	if cells == nil {
		cells = []int64{}
	}
	if sought == nil {
		sought = []string{}
	}
	var found []Duplicate
	scored := func(row pgx.CollectableRow) (Duplicate, error) {
		var d Duplicate
		var l likeness.Link
		var description string
		var lat, lon *float64
		var parent *uuid.UUID
		err := row.Scan(&d.ID, &l.SameContact, &l.SameConversation, &d.Number, &d.Version, &d.Title, &description, &d.Kind, &d.Category, &d.Area, &d.Place, &lat, &lon,
			&d.State, &d.OpenedAt, &parent, &d.Mass)
		if err != nil {
			return d, err
		}
		d.parent = id(parent)
		m := likeness.Score(k.text, caseOf(d.Title, description, d.Place, d.Category, lat, lon, d.OpenedAt), l)
		d.Score, d.Reasons = m.Score, m.Reasons
		return d, nil
	}
	rows, err := tx.Query(ctx, candidatesSQL, k.agency, k.public, optional(k.ticket), k.conversation, k.contact, category, cells, sought,
		k.text.At.Add(-duplicateWindow), k.text.At.Add(duplicateWindow), maxCandidates)
	if err != nil {
		return nil, err
	}
	if found, err = pgx.CollectRows(rows, scored); err != nil {
		return nil, err
	}
	best := map[uuid.UUID]Duplicate{}
	var missing []uuid.UUID
	for _, d := range found {
		if d.Score < likeness.Likely {
			continue
		}
		if d.State == Merged && d.parent != uuid.Nil {
			if d.parent == k.ticket {
				continue
			}
			if p, ok := best[d.parent]; !ok || d.Score > p.Score {
				best[d.parent] = Duplicate{ID: d.parent, Score: d.Score, Reasons: d.Reasons}
				missing = append(missing, d.parent)
			}
			continue
		}
		if p, ok := best[d.ID]; !ok || d.Score >= p.Score {
			best[d.ID] = d
		} else { // one of its reports says it better
			d.Score, d.Reasons = p.Score, p.Reasons
			best[d.ID] = d
		}
	}
	if err := s.addParents(ctx, tx, best, missing, scored); err != nil {
		return nil, err
	}
	var out []Duplicate
	for _, d := range best {
		if d.Number != "" {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Duplicate) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), b.OpenedAt.Compare(a.OpenedAt), cmp.Compare(a.Number, b.Number))
	})
	return out[:min(len(out), maxDuplicates)], nil
}

// addParents fills in the tickets under which merged ones stand. What the actor may not see stays empty and is dropped.
func (s *Service) addParents(ctx context.Context, tx db.Tx, best map[uuid.UUID]Duplicate, missing []uuid.UUID, scan func(pgx.CollectableRow) (Duplicate, error)) error {
	if len(missing) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, parentsSQL, missing)
	if err != nil {
		return err
	}
	parents, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return err
	}
	for _, p := range parents {
		p.Score, p.Reasons = best[p.ID].Score, best[p.ID].Reasons
		best[p.ID] = p
	}
	return nil
}

func optionalText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Nearby is a matter that others have reported, as anybody may know of it: no number, no words of those who reported, no exact place.
type Nearby struct {
	ID        uuid.UUID // for following it; shown to nobody
	Category  string
	Area      string
	Metres    int // from the given place, in steps of 50; -1 when either is not known
	OpenedAt  time.Time
	Reporters int
	Title     string // of a mass event, written by staff for citizens; else ""
}

// maxNearby is how many matters a citizen is asked about.
const maxNearby = 3

// Nearby lists open, public matters that a ticket about to be filed very likely repeats: mass events first. A confidential draft gets none.
func (s *Service) Nearby(ctx context.Context, d Draft) ([]Nearby, error) {
	if d.Confidential || d.Kind == "report" {
		return nil, nil
	}
	r := s.router.Decide(RouteFacts{Kind: d.Kind, Category: d.Category, Text: d.Title + "\n" + d.Description, Lat: d.Lat, Lon: d.Lon})
	if r.Confidential {
		return nil, nil
	}
	category := d.Category
	if category == "" {
		category = r.Category
	}
	now := s.clock.Now()
	var out []Nearby
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		out = nil
		known := map[uuid.UUID]bool{}
		events, err := s.openMass(ctx, tx, massSpot{Category: category, Area: r.Area, Lat: d.Lat, Lon: d.Lon})
		if err != nil {
			return err
		}
		for _, m := range events {
			known[m.TicketID] = true
			if m.Public && len(out) < maxNearby {
				out = append(out, Nearby{ID: m.TicketID, Category: m.ticketCategory, Area: m.Area, Metres: about(m.Lat, m.Lon, d), OpenedAt: m.MarkedAt, Title: m.Title})
			}
		}
		k := seeker{agency: s.router.Desk(), category: category, public: true, text: caseOf(d.Title, d.Description, d.Place, category, d.Lat, d.Lon, now)}
		alike, err := s.alike(ctx, tx, k)
		if err != nil {
			return err
		}
		for _, one := range alike {
			// A mass event that is not for the public is not found by its words either.
			if one.Score >= likeness.Sure && !known[one.ID] && !one.Mass && one.Open() && len(out) < maxNearby {
				out = append(out, Nearby{ID: one.ID, Category: one.Category, Area: one.Area, Metres: metresOf(one.Reasons), OpenedAt: one.OpenedAt})
			}
		}
		ids := make([]uuid.UUID, len(out))
		for i := range out {
			ids[i] = out[i].ID
		}
		n, err := reportersTx(ctx, tx, ids...)
		for i := range out {
			out[i].Reporters = n[out[i].ID]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("nearby tickets: %w", err)
	}
	return out, nil
}

func about(lat, lon *float64, d Draft) int {
	m, known := likeness.Metres(likeness.Case{Lat: lat, Lon: lon}, likeness.Case{Lat: d.Lat, Lon: d.Lon})
	if !known {
		return -1
	}
	return coarse(int(m))
}

func metresOf(reasons []likeness.Reason) int {
	for _, r := range reasons {
		if r.Code == likeness.Distance {
			return coarse(r.N)
		}
	}
	return -1
}

// coarse rounds a distance up to 50 m, so that nobody can be found by asking from several places.
func coarse(m int) int { return (m + 49) / 50 * 50 }

// FollowableTx reports whether a citizen may join a matter now, and keeps it so until the end of the transaction.
func (s *Service) FollowableTx(ctx context.Context, tx db.Tx, ticket uuid.UUID) (bool, error) {
	var state State
	var ok bool
	err := tx.QueryRow(ctx, `select state, not confidential and kind <> 'report' from tickets where id = $1 for share`, ticket).Scan(&state, &ok)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("follow ticket: %w", err)
	}
	return ok && state.Info().Open, nil
}
