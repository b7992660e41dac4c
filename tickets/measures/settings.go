package measures

import (
	"encoding/json"
	"fmt"
	"math"
)

// Settings are what a jurisdiction may change. Nothing in them is stored with a ticket, so a change holds at once and for the past too.
type Settings struct {
	// ThreeRates weighs response, resolution and satisfaction (三率). The shipped weights put what the citizen says before what the clock says;
	// cities differ.
	ThreeRates map[string]float64 `json:"three_rates"`
	// Scorecard weighs the measures of an agency's scorecard.
	Scorecard map[string]float64 `json:"scorecard"`
	// SatisfiedFrom is the lowest grade that counts as satisfied; 5 is the best.
	SatisfiedFrom int `json:"satisfied_from"`
	// SmallCell is the count below which nothing is published.
	SmallCell int `json:"small_cell"`
}

// Default is the shipped settings.
func Default() Settings {
	return Settings{
		ThreeRates:    map[string]float64{Response: 10, Resolution: 40, Satisfaction: 50},
		Scorecard:     map[string]float64{SignOnTime: 15, Response: 15, ResolveOnTime: 25, "return_rate": 5, "redo": 10, Resolution: 15, Satisfaction: 15},
		SatisfiedFrom: 4, SmallCell: 5,
	}
}

// Scorable lists the measures that a scorecard may weigh.
func Scorable() []string {
	var out []string
	for _, m := range all {
		if m.Unit == Share && m.Better != Neither && (m.Subject == OfTicket || m.Subject == OfAssignment) {
			out = append(out, m.Code)
		}
	}
	return out
}

// ParseSettings reads stored settings over the defaults.
// Errors: what Check finds, or no JSON.
func ParseSettings(raw []byte) (Settings, error) {
	s := Default()
	if len(raw) > 0 && string(raw) != "{}" {
		s.ThreeRates, s.Scorecard = nil, nil // what is stored replaces the maps, and does not add to them
		if err := json.Unmarshal(raw, &s); err != nil {
			return Settings{}, fmt.Errorf("measure settings: %w", err)
		}
	}
	return s, s.Check()
}

// FieldError names the setting that is off.
type FieldError struct{ Field string }

// Error gives the field.
func (e FieldError) Error() string { return "measure settings: " + e.Field }

// Check reports the first setting that makes no sense, as a FieldError.
func (s Settings) Check() error {
	if s.SatisfiedFrom < 2 || s.SatisfiedFrom > 5 {
		return FieldError{"satisfied_from"}
	}
	if s.SmallCell < 1 || s.SmallCell > 100 {
		return FieldError{"small_cell"}
	}
	rates, _ := ByCode(ThreeRates)
	if f := weights(s.ThreeRates, rates.Of); f != "" {
		return FieldError{f}
	}
	if f := weights(s.Scorecard, Scorable()); f != "" {
		return FieldError{f}
	}
	return nil
}

func weights(w map[string]float64, known []string) string {
	var sum float64
	seen := map[string]bool{}
	for _, k := range known {
		seen[k] = true
	}
	for k, v := range w {
		if !seen[k] || math.IsNaN(v) || v < 0 || v > 100 {
			return k
		}
		sum += v
	}
	if sum <= 0 {
		return known[0]
	}
	return ""
}
