package learn

import (
	"context"

	"hotline/internal/db"
	"hotline/knowledge"
)

// Settings are the installation's rules about learning from use.
type Settings struct {
	Version     int
	KeepMonths  int // how long questions and what was answered are kept
	PreviewDays int // how far back questions are that a publication is tried on
}

const (
	sqlSettings     = `select version, keep_months, preview_days from learning_settings`
	sqlSaveSettings = `update learning_settings set version = version + 1, keep_months = $2, preview_days = $3 where version = $1`
)

func settingsOf(ctx context.Context, tx db.Tx) (n Settings, err error) {
	return n, tx.QueryRow(ctx, sqlSettings).Scan(&n.Version, &n.KeepMonths, &n.PreviewDays)
}

// Settings reads the rules.
func (s *Service) Settings(ctx context.Context) (n Settings, err error) {
	err = s.read(ctx, db.System(), func(tx db.Tx) error {
		n, err = settingsOf(ctx, tx)
		return err
	})
	return n, err
}

// SaveSettings writes the rules; n.Version is the one that was seen. Errors: knowledge.ErrNotAdmin, knowledge.ErrSettings naming the field,
// knowledge.ErrSettingsChanged.
func (s *Service) SaveSettings(ctx context.Context, by knowledge.Staff, n Settings) error {
	if !by.Actor.IsSystem() && !by.Actor.Administrator() {
		return knowledge.ErrNotAdmin
	}
	if n.KeepMonths < 1 || n.KeepMonths > MaxKeepMonths {
		return knowledge.ErrSettings.On("keep_months").With("limit", MaxKeepMonths)
	}
	if n.PreviewDays < 1 || n.PreviewDays > MaxPreviewDays {
		return knowledge.ErrSettings.On("preview_days").With("limit", MaxPreviewDays)
	}
	return s.write(ctx, func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, sqlSaveSettings, n.Version, n.KeepMonths, n.PreviewDays)
		if err == nil && tag.RowsAffected() == 0 {
			return knowledge.ErrSettingsChanged
		}
		return err
	})
}

// Limits of the settings, as the table has them.
const (
	MaxKeepMonths  = 240
	MaxPreviewDays = 366
)
