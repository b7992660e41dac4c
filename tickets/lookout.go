package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/surge"
)

// watch is what the hotline looks out for: surges, and contacts that come very often. A jurisdiction changes it under "watch" in its settings.
type watch struct {
	SurgeHours    int     `json:"surge_hours"`     // length of the sliding window
	SurgeWeeks    int     `json:"surge_weeks"`     // earlier weeks to compare with
	SurgeMin      int     `json:"surge_min"`       // see surge.Policy
	SurgeMinNew   int     `json:"surge_min_new"`   //
	SurgeRatio    float64 `json:"surge_ratio"`     //
	SurgeTail     float64 `json:"surge_tail"`      //
	RepeatTickets int     `json:"repeat_tickets"`  // so many tickets of one contact
	RepeatDays    int     `json:"repeat_days"`     // in so many days are proposed as repeat
	FlagDays      int     `json:"flag_days"`       // a flag ends after at most so many days
	FlagReview    int     `json:"flag_review_day"` // and is looked at again after at most so many
}

func shippedWatch() watch {
	d := surge.Default
	return watch{SurgeHours: 3, SurgeWeeks: 8, SurgeMin: d.MinCount, SurgeMinNew: d.MinNew, SurgeRatio: d.Ratio, SurgeTail: d.MaxTail, RepeatTickets: 5, RepeatDays: 30, FlagDays: 365, FlagReview: 180}
}

func (w watch) policy() surge.Policy {
	return surge.Policy{MinCount: w.SurgeMin, MinNew: w.SurgeMinNew, Ratio: w.SurgeRatio, MaxTail: w.SurgeTail}
}

func (w watch) window() time.Duration { return time.Duration(w.SurgeHours) * time.Hour }

// watching reads the jurisdiction's figures; what is missing or senseless there stays as shipped.
func (s *Service) watching(ctx context.Context, tx db.Tx) (watch, error) {
	var raw []byte
	err := tx.QueryRow(ctx, `select coalesce(settings -> 'watch', '{}') from jurisdictions order by code limit 1`).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return shippedWatch(), nil
	}
	if err != nil {
		return watch{}, err
	}
	w, shipped := shippedWatch(), shippedWatch()
	if json.Unmarshal(raw, &w) != nil || w.SurgeHours < 1 || w.SurgeHours > 48 || w.SurgeWeeks < 1 || w.SurgeWeeks > 52 || w.SurgeMin < 1 || w.SurgeMinNew < 1 || w.SurgeRatio < 1 ||
		w.SurgeTail <= 0 || w.SurgeTail > 0.1 || w.RepeatTickets < 2 || w.RepeatDays < 1 || w.RepeatDays > 366 || w.FlagDays < 1 || w.FlagReview < 1 {
		return shipped, nil
	}
	return w, nil
}
