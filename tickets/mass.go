package tickets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/likeness"
)

// MassEvent is a ticket that stands for many reports. Its reporters are the tickets merged into it and its own.
type MassEvent struct {
	TicketID  uuid.UUID
	Number    string
	State     State
	Title     string // for citizens, by staff
	Category  string // new reports of it or below are offered to join; "" any
	Area      string // in it or below; "" no bound
	Lat, Lon  *float64
	Radius    int // metres around the place; 0 no bound
	Public    bool
	MarkedAt  time.Time
	EndedAt   *time.Time
	Reporters int

	ticketCategory string
}

// Running reports whether new reports are still offered to join.
func (m MassEvent) Running() bool { return m.EndedAt == nil && m.State.Info().Open }

// MassDraft says what belongs to a mass event.
type MassDraft struct {
	Title    string
	Category string
	Area     string
	Radius   int // metres around the ticket's place; 0 where it has none, or the area is enough
	Public   bool
}

const maxRadius = 50_000

// MarkMass makes a ticket a mass event, or changes what belongs to it. For dispatchers and supervisors of the hotline.
// Errors: ErrNotFound, ErrForbidden, ErrNoMove (the ticket is over), ErrMassConfidential, ErrMissing, ErrTooLong, ErrBadField, ErrUnknownCategory, ErrKeyReused.
func (s *Service) MarkMass(ctx context.Context, a Actor, ticket uuid.UUID, d MassDraft, key string) (Ticket, error) {
	if !a.LeadsDesk() {
		return Ticket{}, ErrForbidden.With("action", "mass_marked")
	}
	d.Title = strings.TrimSpace(d.Title)
	if d.Title == "" {
		return Ticket{}, ErrMissing.On("title").With("field", "title")
	}
	if err := CheckText("title", d.Title, MaxTitle); err != nil {
		return Ticket{}, err
	}
	if d.Radius < 0 || d.Radius > maxRadius {
		return Ticket{}, ErrBadField.On("radius").With("field", "radius").With("limit", maxRadius)
	}
	if d.Category != "" && !s.router.CategoryKnown(d.Category) {
		return Ticket{}, ErrUnknownCategory
	}
	if d.Area != "" && !s.router.AreaKnown(d.Area) {
		return Ticket{}, ErrBadField.On("area").With("field", "area")
	}
	return s.amend(ctx, a, ticket, key, "mass_marked", Fields{}, func(_ context.Context, _ db.Tx, c *change) error {
		switch {
		case !c.t.Open():
			return ErrNoMove.With("state", string(c.t.State)).With("action", "mass_marked")
		case c.t.Confidential:
			return ErrMassConfidential
		case d.Radius > 0 && c.t.Lat == nil:
			return ErrBadField.On("radius").With("field", "radius")
		}
		c.also(func(b *pgx.Batch) {
			b.Queue(markMassSQL, c.t.ID, d.Title, optionalText(d.Category), optionalText(d.Area), c.t.Lat, c.t.Lon, d.Radius, d.Public, optional(a.DB.User()), c.now)
		})
		c.t.MassEvent, c.t.UpdatedAt = true, c.now
		c.add(Event{Type: "mass_marked", Data: Fields{Title: d.Title}}, a)
		return nil
	})
}

const markMassSQL = `insert into mass_events (ticket_id, title, category, area, lat, lon, radius_m, public, marked_by, marked_at)
	values ($1, $2, $3, $4, $5, $6, nullif($7::int, 0), $8, $9, $10)
	on conflict (ticket_id) do update set title = excluded.title, category = excluded.category, area = excluded.area, lat = excluded.lat, lon = excluded.lon,
		radius_m = excluded.radius_m, public = excluded.public, marked_by = excluded.marked_by, marked_at = excluded.marked_at, ended_by = null, ended_at = null`

// EndMass stops offering a mass event to new reports. Its reporters stay with it and get its answer.
// Errors: ErrNotFound, ErrForbidden, ErrNotMass, ErrKeyReused.
func (s *Service) EndMass(ctx context.Context, a Actor, ticket uuid.UUID, key string) (Ticket, error) {
	if !a.LeadsDesk() {
		return Ticket{}, ErrForbidden.With("action", "mass_ended")
	}
	return s.amend(ctx, a, ticket, key, "mass_ended", Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		var running bool
		if err := tx.QueryRow(ctx, `select exists (select from mass_events where ticket_id = $1 and ended_at is null)`, c.t.ID).Scan(&running); err != nil {
			return err
		}
		if !running {
			return ErrNotMass
		}
		c.also(func(b *pgx.Batch) {
			b.Queue(`update mass_events set ended_by = $2, ended_at = $3 where ticket_id = $1`, c.t.ID, optional(a.DB.User()), c.now)
		})
		c.t.MassEvent, c.t.UpdatedAt = false, c.now
		c.add(Event{Type: "mass_ended"}, a)
		return nil
	})
}

// LeadsDesk reports whether the actor decides for the hotline what belongs together.
func (a Actor) LeadsDesk() bool {
	return a.Kind == KindStaff && a.DB.Desk() && (slices.Contains(a.Roles, Dispatcher) || slices.Contains(a.Roles, Supervisor))
}

const massColumns = `m.ticket_id, t.number, t.state, m.title, coalesce(m.category, ''), coalesce(m.area, ''), m.lat, m.lon, coalesce(m.radius_m, 0), m.public, m.marked_at, m.ended_at,
	coalesce(t.category, '')`

func scanMass(row pgx.CollectableRow) (MassEvent, error) {
	var m MassEvent
	err := row.Scan(&m.TicketID, &m.Number, &m.State, &m.Title, &m.Category, &m.Area, &m.Lat, &m.Lon, &m.Radius, &m.Public, &m.MarkedAt, &m.EndedAt, &m.ticketCategory)
	return m, err
}

// massSpot is where and what a report is, for finding mass events it may belong to.
type massSpot struct {
	Category, Area string
	Lat, Lon       *float64
}

// maxRunning is how many mass events are looked through: a city with more at once has other worries.
const maxRunning = 500

const openMassSQL = `select ` + massColumns + ` from mass_events m join tickets t on t.id = m.ticket_id where m.ended_at is null and not t.confidential order by m.marked_at desc, m.ticket_id limit $1`

// openMass lists the running mass events that a report of this kind and place may belong to.
func (s *Service) openMass(ctx context.Context, tx db.Tx, spot massSpot) ([]MassEvent, error) {
	rows, err := tx.Query(ctx, openMassSQL, maxRunning)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, scanMass)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(m MassEvent) bool { return !m.Running() || !s.covers(m, spot) }), nil
}

// covers reports whether a report belongs to what a mass event was said to be about.
func (s *Service) covers(m MassEvent, spot massSpot) bool {
	if m.Category != "" && spot.Category != m.Category && !strings.HasPrefix(spot.Category, m.Category+".") {
		return false
	}
	near, known := likeness.Metres(likeness.Case{Lat: m.Lat, Lon: m.Lon}, likeness.Case{Lat: spot.Lat, Lon: spot.Lon})
	switch {
	case m.Radius > 0 && known:
		return near <= float64(m.Radius)
	case m.Area != "":
		return spot.Area != "" && (spot.Area == m.Area || slices.Contains(s.router.AreasBelow(m.Area), spot.Area))
	case m.Radius > 0:
		return false // a place is asked for, and none was given
	}
	return true
}

// MassFor lists the running mass events that a ticket may belong to: the offer at intake.
// Errors: ErrNotFound.
func (s *Service) MassFor(ctx context.Context, a Actor, ticket uuid.UUID) ([]MassEvent, error) {
	var out []MassEvent
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		t, err := s.ByIDTx(ctx, tx, ticket)
		if err != nil {
			return err
		}
		if t.Confidential || !t.Open() {
			return nil
		}
		if out, err = s.openMass(ctx, tx, massSpot{t.Category, t.Area, t.Lat, t.Lon}); err != nil {
			return err
		}
		out = slices.DeleteFunc(out, func(m MassEvent) bool { return m.TicketID == ticket })
		return s.countReporters(ctx, tx, out)
	})
	if err != nil {
		return nil, wrap("mass events for", err)
	}
	return out, nil
}

// MassOf returns the mass event that a ticket is, and false when it is none.
func (s *Service) MassOf(ctx context.Context, a Actor, ticket uuid.UUID) (MassEvent, bool, error) {
	var m MassEvent
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select `+massColumns+` from mass_events m join tickets t on t.id = m.ticket_id where m.ticket_id = $1`, ticket)
		if err != nil {
			return err
		}
		if m, err = pgx.CollectExactlyOneRow(rows, scanMass); err != nil {
			return err
		}
		n, err := reportersTx(ctx, tx, ticket)
		m.Reporters = n[ticket]
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return MassEvent{}, false, nil
	}
	if err != nil {
		return MassEvent{}, false, fmt.Errorf("read mass event: %w", err)
	}
	return m, true, nil
}

// MassEvents lists mass events that the actor may see, the newest first; before and last are time and ticket of the last one seen, zero at the start.
func (s *Service) MassEvents(ctx context.Context, a Actor, before time.Time, last uuid.UUID, limit int) ([]MassEvent, error) {
	limit = max(1, min(limit, 100))
	var out []MassEvent
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select `+massColumns+` from mass_events m join tickets t on t.id = m.ticket_id
			where $1::timestamptz is null or (m.marked_at, m.ticket_id) < ($1, $2) order by m.marked_at desc, m.ticket_id desc limit $3`, optionalTime(before), last, limit)
		if err != nil {
			return err
		}
		if out, err = pgx.CollectRows(rows, scanMass); err != nil {
			return err
		}
		return s.countReporters(ctx, tx, out)
	})
	if err != nil {
		return nil, fmt.Errorf("list mass events: %w", err)
	}
	return out, nil
}

func (s *Service) countReporters(ctx context.Context, tx db.Tx, list []MassEvent) error {
	ids := make([]uuid.UUID, len(list))
	for i, m := range list {
		ids[i] = m.TicketID
	}
	n, err := reportersTx(ctx, tx, ids...)
	for i := range list {
		list[i].Reporters = n[list[i].TicketID]
	}
	return err
}

// Reporters counts who stands behind mass events, themselves included, for those of a list's rows that are one and that the actor sees.
func (s *Service) Reporters(ctx context.Context, a Actor, rows []Row) (map[uuid.UUID]int, error) {
	var ids []uuid.UUID
	for _, r := range rows {
		if r.MassEvent {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var n map[uuid.UUID]int
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) (err error) {
		var seen []uuid.UUID
		if err := tx.QueryRow(ctx, seenSQL, ids).Scan(&seen); err != nil {
			return err
		}
		n, err = reportersTx(ctx, tx, seen...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count reporters: %w", err)
	}
	return n, nil
}

// seenSQL is run under the actor's own eyes, before the count is not.
const seenSQL = `select coalesce(array_agg(id), '{}') from tickets where id = any($1)`

// reportersSQL counts the tickets merged into one, and the one itself.
const reportersSQL = `select p.id, (select count(*) + 1 from tickets c where c.parent_id = p.id and c.state = 'merged') from unnest($1::uuid[]) p (id)`

// reportersTx counts the reporters of tickets that the actor sees. An agency that leads the case sees how many there are, not who: the tickets merged
// into it are the hotline's to see, so they are counted elevated.
func reportersTx(ctx context.Context, tx db.Tx, seen ...uuid.UUID) (map[uuid.UUID]int, error) {
	out := make(map[uuid.UUID]int, len(seen))
	if len(seen) == 0 {
		return out, nil
	}
	return out, Elevated(ctx, tx, func() error {
		rows, err := tx.Query(ctx, reportersSQL, seen)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var n int
		_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error { out[id] = n; return nil })
		return err
	})
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Child is a ticket merged into another, as the parent's page lists it.
type Child struct {
	ID       uuid.UUID
	Number   string
	Version  int
	Title    string
	Channel  string
	OpenedAt time.Time
}

// Children lists tickets merged into one, by their ids, which follow time; after is the last one seen.
func (s *Service) Children(ctx context.Context, a Actor, parent, after uuid.UUID, limit int) ([]Child, error) {
	limit = max(1, min(limit, 100))
	var out []Child
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, childrenSQL, parent, after, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Child])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list merged tickets: %w", err)
	}
	return out, nil
}

const childrenSQL = `select id, number, version, title, channel, opened_at from tickets where parent_id = $1 and state = 'merged' and id > $2 order by id limit $3`
