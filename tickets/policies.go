package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// Administrator changes policies and calendars. It moves no tickets.
const Administrator Role = "administrator"

// What administrators edit: a draft holds for nobody until it is published; every version that was published is kept.
const (
	SettingPolicies = "policies" // of a jurisdiction, by its code
	SettingCalendar = "calendar" // a business calendar, by its code
)

// Setting is a policy set or a calendar with the draft of its next version.
type Setting struct {
	Kind, Code string
	Version    int    // in force; 0: as shipped
	Body       []byte // JSON in force; nil while there is only a draft
	Draft      []byte // JSON; nil when nothing is being edited
	DraftEdit  int    // what SaveDraft and Publish want to see again
	DraftBase  int    // the version that the draft began from
	DraftBy    uuid.UUID
	DraftAt    time.Time
	Own        bool // the installation's own policies
}

// Editing is the JSON that a form shows: the draft, else what is in force.
func (s Setting) Editing() []byte {
	if s.Draft != nil {
		return s.Draft
	}
	return s.Body
}

// Set reads the policies that a form shows.
func (s Setting) Set() (sla.Set, error) { return sla.ParseSetDoc(s.Editing()) }

// Calendar reads the calendar that a form shows.
func (s Setting) Calendar() (sla.CalendarDoc, error) { return sla.ParseCalendarDoc(s.Editing()) }

// SettingVersion is a version that was published.
type SettingVersion struct {
	Version   int
	Body      []byte
	Note      string
	ChangedBy uuid.UUID
	ChangedAt time.Time
}

// mayAdminister: administrators of the hotline change policies and calendars, and the program itself.
func mayAdminister(a Actor) error {
	if a.Kind == KindSystem || a.Kind == KindStaff && a.DB.Desk() && slices.Contains(a.Roles, Administrator) {
		return nil
	}
	return ErrForbidden.With("action", "administer")
}

// checkSetting judges a body. Errors: ErrBadSetting, whose cause is a *sla.Problem.
func checkSetting(kind, code string, body []byte) ([]byte, error) {
	var tidy any
	switch kind {
	case SettingPolicies:
		set, err := sla.ParseSet(body)
		if err != nil {
			return nil, ErrBadSetting.Wrap(err)
		}
		set.Jurisdiction = code
		tidy = set
	case SettingCalendar:
		doc, err := sla.ParseCalendarDoc(body)
		if err == nil {
			doc.Code = code
			_, err = doc.Build()
		}
		if err != nil {
			return nil, ErrBadSetting.Wrap(err)
		}
		tidy = doc
	default:
		return nil, ErrUnknownSetting
	}
	return json.Marshal(tidy)
}

func badCode(code string) bool {
	return code == "" || len(code) > 40 || strings.ContainsFunc(code, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') })
}

// ListSettings lists all policy sets or calendars, drafts of new ones included. Errors: ErrForbidden.
func (s *Service) ListSettings(ctx context.Context, a Actor, kind string) ([]Setting, error) {
	if err := mayAdminister(a); err != nil {
		return nil, err
	}
	var out []Setting
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		sql, shipped := `select jurisdiction from sla_sets`, []string{s.settings.Load().Jurisdiction}
		if kind == SettingCalendar {
			sql, shipped = `select code from business_calendars`, sla.ShippedCalendars()
		}
		rows, err := tx.Query(ctx, sql+` union select unnest($1::text[]) union select code from setting_drafts where kind = $2 order by 1`, shipped, kind)
		if err != nil {
			return err
		}
		codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, code := range codes {
			one, err := s.setting(ctx, tx, kind, code)
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return nil
	})
	if err != nil {
		return nil, wrap("list settings of", err)
	}
	return out, nil
}

// Setting returns a policy set or a calendar. Errors: ErrForbidden, ErrUnknownSetting.
func (s *Service) Setting(ctx context.Context, a Actor, kind, code string) (Setting, error) {
	if err := mayAdminister(a); err != nil {
		return Setting{}, err
	}
	var out Setting
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) (err error) {
		out, err = s.setting(ctx, tx, kind, code)
		return err
	})
	if err != nil {
		return Setting{}, wrap("read settings of", err)
	}
	return out, nil
}

func (s *Service) setting(ctx context.Context, tx db.Tx, kind, code string) (Setting, error) {
	out := Setting{Kind: kind, Code: code, Own: kind == SettingPolicies && code == s.settings.Load().Jurisdiction}
	sql := `select set || jsonb_build_object('jurisdiction', jurisdiction, 'calendar', calendar), version from sla_sets where jurisdiction = $1`
	if kind == SettingCalendar {
		sql = `select calendar, version from business_calendars where code = $1`
	}
	err := tx.QueryRow(ctx, sql, code).Scan(&out.Body, &out.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		out.Body, err = s.shippedBody(kind, code)
	}
	if err != nil {
		return out, err
	}
	var by *uuid.UUID
	err = tx.QueryRow(ctx, `select body, base, edit, edited_by, edited_at from setting_drafts where kind = $1 and code = $2`, kind, code).
		Scan(&out.Draft, &out.DraftBase, &out.DraftEdit, &by, &out.DraftAt)
	out.DraftBy = id(by)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
		if out.Body == nil {
			err = ErrUnknownSetting
		}
	}
	return out, err
}

// shippedBody is what holds where nothing was published; nil when nothing is shipped under this name.
func (s *Service) shippedBody(kind, code string) ([]byte, error) {
	if kind == SettingCalendar {
		doc, err := sla.ShippedCalendarDoc(code)
		if err != nil {
			return nil, nil // not a shipped one: a new calendar
		}
		return json.Marshal(doc)
	}
	set := s.settings.Load()
	if code != set.Jurisdiction {
		return nil, nil
	}
	own := set.SLA
	own.Jurisdiction, own.Calendar = code, set.Calendar.Code()
	return json.Marshal(own)
}

// SaveDraft keeps a valid body as the draft of the next version. edit is Setting.DraftEdit as the form saw it, 0 when there was no draft. A code that
// is not known yet begins a new policy set or calendar.
// Errors: ErrForbidden, ErrBadSetting (with a *sla.Problem), ErrBadField (code), ErrSettingStale.
func (s *Service) SaveDraft(ctx context.Context, a Actor, kind, code string, body []byte, edit int) error {
	if err := mayAdminister(a); err != nil {
		return err
	}
	if badCode(code) {
		return ErrBadField.On("code").With("field", "code")
	}
	tidy, err := checkSetting(kind, code, body)
	if err != nil {
		return err
	}
	err = db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		if kind == SettingPolicies {
			if err := calendarExists(ctx, tx, tidy); err != nil {
				return err
			}
		}
		now, err := s.setting(ctx, tx, kind, code)
		if err != nil && !errors.Is(err, ErrUnknownSetting) {
			return err
		}
		if now.DraftEdit != edit {
			return ErrSettingStale
		}
		if edit == 0 {
			_, err = tx.Exec(ctx, `insert into setting_drafts (kind, code, body, base, edited_by, edited_at) values ($1, $2, $3, $4, $5, $6)`,
				kind, code, tidy, now.Version, optional(a.DB.User()), s.clock.Now())
			if db.Violates(err, "setting_drafts_pkey") {
				return ErrSettingStale.Wrap(err)
			}
			return err
		}
		tag, err := tx.Exec(ctx, `update setting_drafts set body = $3, edit = edit + 1, edited_by = $4, edited_at = $5 where kind = $1 and code = $2 and edit = $6`,
			kind, code, tidy, optional(a.DB.User()), s.clock.Now(), edit)
		if err == nil && tag.RowsAffected() == 0 {
			err = ErrSettingStale
		}
		return err
	})
	return wrap("save the draft of", err)
}

func calendarExists(ctx context.Context, tx db.Tx, body []byte) error {
	set, err := sla.ParseSetDoc(body)
	if err != nil {
		return ErrBadSetting.Wrap(err)
	}
	if _, _, err := calendarDoc(ctx, tx, set.Calendar); err != nil {
		if errors.Is(err, ErrUnknownSetting) {
			return ErrBadField.On("calendar").With("field", "calendar")
		}
		return err
	}
	return nil
}

// DiscardDraft forgets what was being edited. Errors: ErrForbidden.
func (s *Service) DiscardDraft(ctx context.Context, a Actor, kind, code string) error {
	if err := mayAdminister(a); err != nil {
		return err
	}
	return wrap("discard the draft of", db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `delete from setting_drafts where kind = $1 and code = $2`, kind, code)
		return err
	}))
}

// Publish puts the draft in force as the next version and asks for open clocks to be recomputed. After commit the caller tells the other nodes
// (SubjectSettings).
// Errors: ErrForbidden, ErrNoDraft, ErrSettingStale, ErrTooLong (note).
func (s *Service) Publish(ctx context.Context, a Actor, kind, code string, edit int, note string) (version int, err error) {
	if err := mayAdminister(a); err != nil {
		return 0, err
	}
	if err := CheckText(FText, note, maxShort); err != nil {
		return 0, err
	}
	err = db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		// One publication at a time, so that versions follow one another.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('hotline settings'))`); err != nil {
			return err
		}
		now, err := s.setting(ctx, tx, kind, code)
		switch {
		case err != nil:
			return err
		case now.Draft == nil:
			return ErrNoDraft
		case now.DraftEdit != edit || now.DraftBase != now.Version:
			return ErrSettingStale
		}
		version = now.Version + 1
		b := &pgx.Batch{}
		if now.Body != nil {
			// The one before may be shipped or have been put there by hand: it can be restored like any other.
			b.Queue(`insert into setting_versions (kind, code, version, body, changed_at) values ($1, $2, $3, $4, $5) on conflict do nothing`, kind, code, now.Version, now.Body, s.clock.Now())
		}
		b.Queue(`insert into setting_versions (kind, code, version, body, note, changed_by, changed_at) values ($1, $2, $3, $4, $5, $6, $7)`,
			kind, code, version, now.Draft, note, optional(a.DB.User()), s.clock.Now())
		if kind == SettingPolicies {
			set, err := now.Set()
			if err != nil {
				return ErrBadSetting.Wrap(err)
			}
			b.Queue(`insert into sla_sets (jurisdiction, calendar, set, version) values ($1, $2, $3, $4)
				on conflict (jurisdiction) do update set calendar = excluded.calendar, set = excluded.set, version = excluded.version`, code, set.Calendar, now.Draft, version)
		} else {
			b.Queue(`insert into business_calendars (code, calendar, version) values ($1, $2, $3)
				on conflict (code) do update set calendar = excluded.calendar, version = excluded.version`, code, now.Draft, version)
		}
		b.Queue(`delete from setting_drafts where kind = $1 and code = $2`, kind, code)
		s.queueRecompute(b, kind, code, version, a.DB.User())
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return 0, wrap("publish settings of", err)
	}
	return version, s.Reload(ctx)
}

// SettingVersions lists published versions, the newest first. Errors: ErrForbidden.
func (s *Service) SettingVersions(ctx context.Context, a Actor, kind, code string, limit int) ([]SettingVersion, error) {
	return s.versions(ctx, a, `kind = $1 and code = $2 order by version desc limit $3`, kind, code, limit)
}

// SettingVersion returns one published version. Errors: ErrForbidden, ErrUnknownSetting.
func (s *Service) SettingVersion(ctx context.Context, a Actor, kind, code string, version int) (SettingVersion, error) {
	list, err := s.versions(ctx, a, `kind = $1 and code = $2 and version = $3`, kind, code, version)
	if err == nil && len(list) == 0 {
		err = ErrUnknownSetting
	}
	if err != nil {
		return SettingVersion{}, err
	}
	return list[0], nil
}

func (s *Service) versions(ctx context.Context, a Actor, where string, args ...any) ([]SettingVersion, error) {
	if err := mayAdminister(a); err != nil {
		return nil, err
	}
	var out []SettingVersion
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select version, body, note, changed_by, changed_at from setting_versions where `+where, args...)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (v SettingVersion, err error) {
			var by *uuid.UUID
			err = row.Scan(&v.Version, &v.Body, &v.Note, &by, &v.ChangedAt)
			v.ChangedBy = id(by)
			return v, err
		})
		return err
	})
	return out, wrap("read versions of", err)
}

// AssignJurisdiction lets an agency, and those below it that have no jurisdiction of their own, work by the rules of a jurisdiction; "" makes it work by
// those of the agency above. Open clocks are recomputed.
// Errors: ErrForbidden, ErrUnknownSetting, ErrUnknownAgency.
func (s *Service) AssignJurisdiction(ctx context.Context, a Actor, agency uuid.UUID, code string) error {
	if err := mayAdminister(a); err != nil {
		return err
	}
	if k, ok := s.router.Agency(agency); !ok || k.Desk {
		return ErrUnknownAgency
	}
	return wrap("assign jurisdiction of", db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		if code != "" {
			now, err := s.setting(ctx, tx, SettingPolicies, code)
			if err != nil {
				return err
			}
			if now.Body == nil {
				return ErrUnknownSetting
			}
		}
		b := &pgx.Batch{}
		b.Queue(`update agencies set jurisdiction = nullif($2, ''), version = version + 1 where id = $1 and coalesce(jurisdiction, '') <> $2`, agency, code)
		s.queueRecompute(b, "agency", code, 0, a.DB.User())
		return tx.SendBatch(ctx, b).Close()
	}))
}

// IndentJSON writes a body for people to read, compare and keep: in the order of the shipped files, which the database does not keep.
func IndentJSON(kind string, body []byte) []byte {
	var doc any
	var err error
	if kind == SettingCalendar {
		doc, err = sla.ParseCalendarDoc(body)
	} else {
		doc, err = sla.ParseSetDoc(body)
	}
	if err != nil {
		return body
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return body // strings, numbers, lists
	}
	return append(out, '\n')
}
