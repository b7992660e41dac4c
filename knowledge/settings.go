package knowledge

import (
	"context"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Settings are the installation's rules about keeping articles right.
type Settings struct {
	Version        int
	ReviewMonths   int // an article is looked at again so long after it was published or confirmed
	ExpiringDays   int // before the last valid day
	NegativeShare  int // percent of "no" to "did this help" on the published version
	NegativeLeast  int // and at least so many
	CorrectionDays int // working days until a correction is settled
	RemindShare    int // percent of that time which is left when the reviewers are reminded
	EscalateDays   int // working days after that until the head of the agency is told
}

// Errors of settings.
var (
	ErrSettings        = errs.New(errs.Invalid, "knowledge.settings", "a number is outside of what makes sense")
	ErrNotAdmin        = errs.New(errs.Forbidden, "knowledge.not_admin", "only administrators of the hotline change the rules")
	ErrSettingsChanged = errs.New(errs.Conflict, "knowledge.settings_changed", "someone else changed the rules in the meantime")
)

const (
	sqlSettings     = `select version, review_months, expiring_days, negative_share, negative_least, correction_days, remind_share, escalate_days from knowledge_settings`
	sqlSaveSettings = `update knowledge_settings set version = version + 1, review_months = $2, expiring_days = $3, negative_share = $4, negative_least = $5,
		correction_days = $6, remind_share = $7, escalate_days = $8 where version = $1`
)

// Settings reads the rules.
func (s *Service) Settings(ctx context.Context) (Settings, error) { return settingsOf(ctx, s.Pool) }

func settingsOf(ctx context.Context, q querier) (n Settings, err error) {
	err = q.QueryRow(ctx, sqlSettings).Scan(&n.Version, &n.ReviewMonths, &n.ExpiringDays, &n.NegativeShare, &n.NegativeLeast, &n.CorrectionDays, &n.RemindShare, &n.EscalateDays)
	return n, err
}

// SaveSettings writes the rules; n.Version is the one that was seen. Clocks that
// run keep their deadline. Errors: ErrNotAdmin, ErrSettings naming the field,
// ErrSettingsChanged.
func (s *Service) SaveSettings(ctx context.Context, by Staff, n Settings) error {
	if !by.Actor.IsSystem() && !by.Actor.Administrator() {
		return ErrNotAdmin
	}
	for _, f := range []struct {
		name     string
		n, limit int
	}{{"review_months", n.ReviewMonths, 120}, {"expiring_days", n.ExpiringDays, 365}, {"negative_share", n.NegativeShare, 100}, {"negative_least", n.NegativeLeast, 1000},
		{"correction_days", n.CorrectionDays, 60}, {"remind_share", n.RemindShare, 90}, {"escalate_days", n.EscalateDays, 60}} {
		if f.n < 1 || f.n > f.limit {
			return ErrSettings.On(f.name).With("limit", f.limit)
		}
	}
	return s.elevated(ctx, func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, sqlSaveSettings, n.Version, n.ReviewMonths, n.ExpiringDays, n.NegativeShare, n.NegativeLeast, n.CorrectionDays, n.RemindShare, n.EscalateDays)
		if err == nil && tag.RowsAffected() == 0 {
			return ErrSettingsChanged
		}
		return err
	})
}
