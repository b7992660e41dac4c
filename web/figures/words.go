package figures

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"hotline/internal/i18n"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
)

// Words writes figures in a language.
type Words struct {
	Bundle *i18n.Bundle
	Lang   string
	Set    measures.Settings
}

func (w Words) t(key string, args ...any) string { return w.Bundle.T(w.Lang, "measures."+key, args...) }

// Name is a measure's name.
func (w Words) Name(code string) string { return w.t(code + ".name") }

// Formula is a measure's formula, with the settings in it.
func (w Words) Formula(code string) string {
	switch code {
	case measures.Satisfaction:
		return w.t(code+".formula", "grade", w.Set.SatisfiedFrom)
	case measures.ThreeRates:
		m, _ := measures.ByCode(code)
		var parts []string
		for _, p := range m.Of {
			parts = append(parts, strconv.FormatFloat(w.Set.ThreeRates[p], 'f', -1, 64))
		}
		return w.t(code+".formula", "weights", strings.Join(parts, " : "))
	}
	return w.t(code + ".formula")
}

// Reason is why something was left out.
func (w Words) Reason(code string) string { return w.t("left." + code) }

// Failure is what was counted against an agency.
func (w Words) Failure(f measures.Failure) string { return w.t("failure." + string(f)) }

// Group is a heading.
func (w Words) Group(code string) string { return w.t("group." + code) }

// Value writes a measure's value; what nobody measured is "no data".
func (w Words) Value(v measures.Value) string {
	if !v.Known {
		return w.t("unknown")
	}
	switch v.Unit {
	case measures.Hours:
		return w.Hours(v.V)
	case measures.Index:
		return strconv.FormatFloat(v.V, 'f', 1, 64)
	}
	return Percent(v.V)
}

// Percent writes a share. What is not all is not rounded to all, and what is not nothing is not rounded to nothing.
func Percent(v float64) string {
	p := math.Round(v*1000) / 10
	switch {
	case v < 1 && p >= 100:
		p = 99.9
	case v > 0 && p <= 0:
		p = 0.1
	}
	return strings.TrimSuffix(strconv.FormatFloat(p, 'f', 1, 64), ".0") + "%"
}

// Hours writes a span in the larger of hours and days.
func (w Words) Hours(h float64) string {
	if h >= 48 {
		return w.t("days", "n", strconv.FormatFloat(h/24, 'f', 1, 64))
	}
	return w.t("hours", "n", strconv.FormatFloat(h, 'f', 1, 64))
}

// Change writes how a measure moved, "" where there is nothing to compare.
func (w Words) Change(p Pair) string {
	d, ok := p.Change()
	if !ok {
		return ""
	}
	sign := "+"
	if d < 0 {
		sign, d = "−", -d
	}
	switch p.Now.Unit {
	case measures.Hours:
		if d < .05 {
			return "±0"
		}
		return sign + w.Hours(d)
	case measures.Index:
		if d < .05 {
			return "±0"
		}
		return sign + strconv.FormatFloat(d, 'f', 1, 64)
	}
	if d < .0005 {
		return "±0"
	}
	return w.t("points", "n", sign+strconv.FormatFloat(d*100, 'f', 1, 64))
}

// Growth writes how a count moved against the period before.
func Growth(n, was int64) string {
	switch {
	case was == 0:
		return ""
	case n == was:
		return "±0%"
	}
	g := float64(n-was) / float64(was) * 100
	if g > 999 {
		return "×" + strconv.FormatFloat(float64(n)/float64(was), 'f', 0, 64)
	}
	if g > 0 {
		return fmt.Sprintf("+%.0f%%", math.Max(g, 1))
	}
	return fmt.Sprintf("−%.0f%%", math.Max(-g, 1))
}

// Number writes a count.
func (w Words) Number(n int64) string { return i18n.Number(w.Lang, n) }

// Piece names a piece of the trend, short and long.
func (w Words) Piece(step statistics.Dimension, day time.Time) (short, long string) {
	zh := strings.HasPrefix(w.Lang, "zh")
	date := i18n.Date(w.Lang, day, time.UTC)
	switch step {
	case statistics.ByYear:
		if zh {
			return strconv.Itoa(day.Year()), strconv.Itoa(day.Year()) + "年"
		}
		return strconv.Itoa(day.Year()), strconv.Itoa(day.Year())
	case statistics.ByQuarter:
		q := (int(day.Month())-1)/3 + 1
		if zh {
			return fmt.Sprintf("%02d年%d季", day.Year()%100, q), fmt.Sprintf("%d年第%d季度", day.Year(), q)
		}
		return fmt.Sprintf("Q%d %02d", q, day.Year()%100), fmt.Sprintf("Q%d %d", q, day.Year())
	case statistics.ByMonth:
		if zh {
			return fmt.Sprintf("%d月", day.Month()), fmt.Sprintf("%d年%d月", day.Year(), day.Month())
		}
		return day.Format("Jan"), day.Format("January 2006")
	case statistics.ByWeek:
		if zh {
			return fmt.Sprintf("%d/%d", day.Month(), day.Day()), date + "起一周"
		}
		return day.Format("2 Jan"), "Week of " + date
	}
	if zh {
		return fmt.Sprintf("%d/%d", day.Month(), day.Day()), date
	}
	return day.Format("2 Jan"), date
}
