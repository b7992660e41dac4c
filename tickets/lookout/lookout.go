// Package lookout reads what the hotline looks out for: figures of the jurisdiction by which surges (tickets/surges) and contacts that come very often
// (tickets/flags) are judged. A jurisdiction changes them under "watch" in its settings; they stand together because they are believed together.
package lookout

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/surge"
)

// Figures are those of both.
type Figures struct {
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

func shipped() Figures {
	d := surge.Default
	return Figures{SurgeHours: 3, SurgeWeeks: 8, SurgeMin: d.MinCount, SurgeMinNew: d.MinNew, SurgeRatio: d.Ratio, SurgeTail: d.MaxTail, RepeatTickets: 5, RepeatDays: 30, FlagDays: 365, FlagReview: 180}
}

// Policy is when a surge is one.
func (w Figures) Policy() surge.Policy {
	return surge.Policy{MinCount: w.SurgeMin, MinNew: w.SurgeMinNew, Ratio: w.SurgeRatio, MaxTail: w.SurgeTail}
}

// Window is how much of the past a surge is looked for in.
func (w Figures) Window() time.Duration { return time.Duration(w.SurgeHours) * time.Hour }

const figuresSQL = `select coalesce(settings -> 'watch', '{}') from jurisdictions order by code limit 1`

// Read reads the jurisdiction's figures; what is missing or senseless there stays as shipped.
func Read(ctx context.Context, tx db.Tx) (Figures, error) {
	var raw []byte
	err := tx.QueryRow(ctx, figuresSQL).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return shipped(), nil
	}
	if err != nil {
		return Figures{}, err
	}
	w := shipped()
	if json.Unmarshal(raw, &w) != nil || w.SurgeHours < 1 || w.SurgeHours > 48 || w.SurgeWeeks < 1 || w.SurgeWeeks > 52 || w.SurgeMin < 1 || w.SurgeMinNew < 1 || w.SurgeRatio < 1 ||
		w.SurgeTail <= 0 || w.SurgeTail > 0.1 || w.RepeatTickets < 2 || w.RepeatDays < 1 || w.RepeatDays > 366 || w.FlagDays < 1 || w.FlagReview < 1 {
		return shipped(), nil
	}
	return w, nil
}
