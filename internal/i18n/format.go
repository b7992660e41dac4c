package i18n

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Date writes the day of t in the time zone, without ambiguity between the month and the day.
func Date(lang string, t time.Time, zone *time.Location) string {
	t = in(t, zone)
	if strings.HasPrefix(lang, "zh") {
		return fmt.Sprintf("%d年%d月%d日", t.Year(), t.Month(), t.Day())
	}
	return t.Format("2 January 2006")
}

// DateTime writes day and minute of t in the time zone.
func DateTime(lang string, t time.Time, zone *time.Location) string {
	if strings.HasPrefix(lang, "zh") {
		return Date(lang, t, zone) + " " + in(t, zone).Format("15:04")
	}
	return Date(lang, t, zone) + ", " + in(t, zone).Format("15:04")
}

// Clock writes the minute of t in the time zone.
func Clock(t time.Time, zone *time.Location) string { return in(t, zone).Format("15:04") }

// Weekday writes the day of the week of t in the time zone.
func Weekday(lang string, t time.Time, zone *time.Location) string {
	t = in(t, zone)
	if strings.HasPrefix(lang, "zh") {
		return "星期" + []string{"日", "一", "二", "三", "四", "五", "六"}[t.Weekday()]
	}
	return t.Weekday().String()
}

func in(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone)
}

// Number groups the digits of n by thousands, as both languages do.
func Number(_ string, n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Size writes a count of bytes for people; n below zero reads as zero.
func Size(n int64) string {
	switch {
	case n < 1024:
		return strconv.FormatInt(max(n, 0), 10) + " B"
	case n < 1024*1024:
		return strconv.FormatInt((n+512)/1024, 10) + " KB"
	}
	return strings.TrimSuffix(strconv.FormatFloat(float64(n)/(1024*1024), 'f', 1, 64), ".0") + " MB"
}

// Duration writes the largest whole unit of d: "3 days", "2 小时". It uses the catalogue's common units.
func (b *Bundle) Duration(lang string, d time.Duration) string {
	if d < 0 {
		d = -d
	}
	switch {
	case d >= 48*time.Hour:
		return b.T(lang, "common.days", "n", int(d.Hours()/24))
	case d >= 90*time.Minute:
		return b.T(lang, "common.hours", "n", int(d.Hours()+0.5))
	}
	return b.T(lang, "common.minutes", "n", max(int(d.Minutes()), 1))
}

// Deadline writes until when something is due: the minute, or the day alone for what is due at its end. A midnight belongs to the day that it ends.
func Deadline(lang string, t time.Time, zone *time.Location) string {
	if h, m, s := in(t, zone).Clock(); h == 0 && m == 0 && s == 0 {
		return Date(lang, t.Add(-time.Nanosecond), zone)
	}
	return DateTime(lang, t, zone)
}
