package statistics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/measures"
)

// The errors of settings.
var (
	// ErrSetting: a setting makes no sense. Field and Args name it.
	ErrSetting = errs.New(errs.Invalid, "tickets.measure_setting", "this setting is not possible")
	// ErrSettingsStale: somebody else changed the settings.
	ErrSettingsStale = errs.New(errs.Conflict, "tickets.measure_settings_stale", "somebody else changed these settings; look at the new ones and try again")
)

// Settings are the settings in force and their version.
func (s *Store) Settings(ctx context.Context) (measures.Settings, int, error) {
	var raw []byte
	var version int
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select settings, version from measure_state`).Scan(&raw, &version)
	})
	if err != nil {
		return measures.Settings{}, 0, fmt.Errorf("measure settings: %w", err)
	}
	set, err := measures.ParseSettings(raw)
	return set, version, err
}

// SetSettings changes them, for administrators of the hotline. They hold at once, for the past too.
// Errors: tickets.ErrForbidden, ErrSetting, ErrSettingsStale.
func (s *Store) SetSettings(ctx context.Context, a tickets.Actor, version int, set measures.Settings) error {
	if !a.DB.Desk() || !slices.Contains(a.Roles, tickets.Role("administrator")) {
		return tickets.ErrForbidden.With("action", "measure_settings")
	}
	var bad measures.FieldError
	if errors.As(set.Check(), &bad) {
		return ErrSetting.On(bad.Field).With("field", bad.Field)
	}
	raw, err := json.Marshal(set)
	if err != nil {
		return err
	}
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, `update measure_state set settings = $1, version = version + 1, changed_by = $2, changed_at = $3 where version = $4`, raw, a.DB.User(), s.clock.Now(), version)
		if err == nil && tag.RowsAffected() == 0 {
			err = ErrSettingsStale
		}
		return err
	})
}
