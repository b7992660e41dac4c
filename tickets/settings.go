package tickets

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// SubjectSettings is the bus subject on which callers tell the other nodes that policies, calendars or fields have changed.
const SubjectSettings = "tickets.settings"

// Settings are the defaults that a jurisdiction may change. The zero value of a number takes the shipped default.
type Settings struct {
	Jurisdiction  string // the installation's own; "" before Reload
	Calendar      *sla.Calendar
	SLA           sla.Set
	MaxDispatches int // from this many on a return leads to coordination; default 3
	MaxExtensions int // default 1
	RevisitTries  int // default 3
	// Others are the rules of agencies that work by another jurisdiction's, by its code.
	Others   map[string]Rules
	Revision int64 // of the rows these were read from
}

// Urgencies lists how urgent tickets may be.
func Urgencies() []string { return slices.Clone(urgencies) }

// Rules are what one jurisdiction decides about time.
type Rules struct {
	Code     string
	Calendar *sla.Calendar
	SLA      sla.Set
}

func (s *Settings) own() Rules { return Rules{Code: s.Jurisdiction, Calendar: s.Calendar, SLA: s.SLA} }

// rules finds a jurisdiction's; one that has none of its own works by the hotline's.
func (s *Settings) rules(code string) Rules {
	if r, ok := s.Others[code]; ok && code != "" {
		return r
	}
	return s.own()
}

// jurisdictionOf is whose rules an agency works by; "" is the hotline's.
func (s *Service) jurisdictionOf(agency uuid.UUID) string {
	if agency == uuid.Nil {
		return ""
	}
	a, _ := s.router.Agency(agency)
	return a.Jurisdiction
}

func (s *Service) use(set Settings) {
	limits := set.SLA.Limits.WithDefaults()
	if set.MaxDispatches == 0 {
		set.MaxDispatches = limits.Dispatches
	}
	if set.MaxExtensions == 0 {
		set.MaxExtensions = limits.Extensions
	}
	if set.RevisitTries == 0 {
		set.RevisitTries = limits.RevisitTries
	}
	s.settings.Store(&set)
}

// Settings returns what is in force.
func (s *Service) Settings() Settings { return *s.settings.Load() }

// CatchUp reloads when policies, calendars or fields have changed since they were read here: for the hint of another node, and for the slow look that
// notices a lost one.
func (s *Service) CatchUp(ctx context.Context) error {
	var revision int64
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select revision from settings_revision`).Scan(&revision)
	})
	if err != nil {
		return fmt.Errorf("tickets: settings revision: %w", err)
	}
	if revision == s.settings.Load().Revision {
		return nil
	}
	return s.Reload(ctx)
}

// Reload reads policies, calendars and the definitions of fields from the database; a jurisdiction without any works by the shipped ones. Running clocks keep the deadlines
// they have; Recompute brings them under new rules.
func (s *Service) Reload(ctx context.Context) error {
	now := s.Settings()
	next := Settings{Others: map[string]Rules{}}
	var book fieldBook
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		zone := ""
		err := tx.QueryRow(ctx, `select r.revision, coalesce(j.code, ''), coalesce(j.timezone, '') from settings_revision r left join (select code, timezone from jurisdictions order by code limit 1) j on true`).
			Scan(&next.Revision, &next.Jurisdiction, &zone)
		if err != nil {
			return err
		}
		all, err := readRules(ctx, tx)
		if err != nil {
			return err
		}
		own, ok := all[next.Jurisdiction]
		if !ok {
			if own, err = unset(ctx, tx, now.own(), zone); err != nil {
				return err
			}
		}
		next.Calendar, next.SLA = own.Calendar, own.SLA
		delete(all, next.Jurisdiction)
		next.Others = all
		book, err = readBook(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("tickets: reload: %w", err)
	}
	s.use(next)
	s.fields.Store(&book)
	s.log.InfoContext(ctx, "service levels loaded", "jurisdiction", next.Jurisdiction, "calendar", next.Calendar.Code(), "published_until", next.Calendar.LastPublishedYear(),
		"others", len(next.Others), "revision", next.Revision)
	return nil
}

// unset are the rules of an installation that has published none: the shipped policies with a calendar of its time zone, as it was edited here.
func unset(ctx context.Context, tx db.Tx, now Rules, zone string) (Rules, error) {
	code := now.Calendar.Code()
	if zone != "" && now.Calendar.Location().String() != zone {
		code = sla.ShippedCalendarIn(zone)
	}
	doc, _, err := calendarDoc(ctx, tx, code)
	if errors.Is(err, ErrUnknownSetting) {
		return now, nil // a calendar that the caller of New brought along
	}
	if err != nil {
		return now, err
	}
	now.Calendar, err = doc.Build()
	return now, err
}

// readRules reads every jurisdiction's rules in force.
func readRules(ctx context.Context, tx db.Tx) (map[string]Rules, error) {
	rows, err := tx.Query(ctx, `
		select s.jurisdiction, s.calendar, s.set, c.calendar from sla_sets s left join business_calendars c on c.code = s.calendar order by s.jurisdiction`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]Rules{}
	for rows.Next() {
		var code, calendar string
		var set, doc []byte
		if err := rows.Scan(&code, &calendar, &set, &doc); err != nil {
			return nil, err
		}
		r := Rules{Code: code}
		if r.SLA, err = sla.ParseSet(set); err != nil {
			return nil, fmt.Errorf("%s: %w", code, err)
		}
		r.SLA.Jurisdiction, r.SLA.Calendar = code, calendar
		if doc != nil {
			r.Calendar, err = sla.ParseCalendar(doc)
		} else {
			r.Calendar, err = sla.ShippedCalendar(calendar)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", code, err)
		}
		out[code] = r
	}
	return out, rows.Err()
}

// calendarDoc reads the data of a calendar in force: the published one, else the shipped one.
func calendarDoc(ctx context.Context, tx db.Tx, code string) (doc sla.CalendarDoc, version int, err error) {
	var raw []byte
	err = tx.QueryRow(ctx, `select calendar, version from business_calendars where code = $1`, code).Scan(&raw, &version)
	if errors.Is(err, pgx.ErrNoRows) {
		if doc, err = sla.ShippedCalendarDoc(code); err != nil {
			return doc, 0, ErrUnknownSetting.Wrap(err)
		}
		return doc, 0, nil
	}
	if err != nil {
		return doc, 0, err
	}
	doc, err = sla.ParseCalendarDoc(raw)
	return doc, version, err
}
