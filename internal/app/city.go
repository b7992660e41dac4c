package app

import (
	"encoding/json"
	"strings"
	"time"

	"hotline/chat/bot"
	"hotline/routing"
)

// settings is what this package reads of a jurisdiction's settings.
type settings struct {
	Emergency []struct {
		Service string        `json:"service"`
		Number  string        `json:"number"`
		Names   routing.Names `json:"names"`
	} `json:"emergency"`
	Hours struct {
		Names routing.Names           `json:"names"`
		Week  map[string][]officeSpan `json:"week"` // mon … sun; an absent day is off
	} `json:"hours"`
}

type officeSpan struct {
	From string `json:"from"` // HH:MM
	To   string `json:"to"`
}

// settings of the jurisdiction in force. Broken ones count as none; routing has logged them when it loaded.
func (a *App) settings() settings {
	var s settings
	if raw := a.Routing.Snapshot().Jurisdiction().Settings; len(raw) > 0 {
		if err := json.Unmarshal(raw, &s); err != nil {
			return settings{}
		}
	}
	return s
}

func (a *App) zone() *time.Location {
	if zone, err := time.LoadLocation(a.Routing.Snapshot().Jurisdiction().Timezone); err == nil {
		return zone
	}
	return time.UTC
}

// envAt is what the dialogue knows of the city at a revision of the reference data.
type envAt struct {
	revision int64
	env      bot.Env
}

// botEnv is what the dialogue must know of the city. It is asked for at every turn, and read anew when reference data changed: an emergency number
// that was imported or mended serves at once.
func (a *App) botEnv() bot.Env {
	s := a.Routing.Snapshot()
	if known := a.env.Load(); known != nil && known.revision == s.Revision() {
		return known.env
	}
	env := a.readEnv()
	// Another goroutine may store an older one; the next turn then reads again.
	a.env.Store(&envAt{s.Revision(), env})
	return env
}

func (a *App) readEnv() bot.Env {
	numbers := map[bot.Service]string{}
	// The jurisdiction's words for services and the detector's differ in two places.
	names := map[string]bot.Service{"ambulance": bot.Medical, "crisis": bot.SelfHarm}
	for _, e := range a.settings().Emergency {
		service, ok := names[e.Service]
		if !ok {
			service = bot.Service(e.Service)
		}
		numbers[service] = e.Number
	}
	if police, ok := numbers[bot.Police]; ok {
		numbers[""] = police
	}
	j := a.Routing.Snapshot().Jurisdiction()
	return bot.Env{Now: a.clock.Now, Zone: a.zone(), Duty: a.duty, Numbers: numbers, City: j.Names, Phone: j.Phone, Hours: a.settings().Hours.Names}
}

// duty tells whether people are on duty and, when not, when the next duty begins. Without hours in the settings somebody always is.
func (a *App) duty(now time.Time) (open bool, next time.Time) {
	return onDuty(a.settings().Hours.Week, a.zone(), now)
}

func onDuty(week map[string][]officeSpan, zone *time.Location, now time.Time) (open bool, next time.Time) {
	if len(week) == 0 {
		return true, time.Time{}
	}
	local := now.In(zone)
	days := [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	for ahead := range 8 {
		day := time.Date(local.Year(), local.Month(), local.Day()+ahead, 0, 0, 0, 0, zone)
		for _, span := range week[days[day.Weekday()]] {
			from, to := atTime(day, span.From), atTime(day, span.To)
			if !local.Before(from) && local.Before(to) {
				return true, time.Time{}
			}
			if from.After(local) && (next.IsZero() || from.Before(next)) {
				next = from
			}
		}
		if !next.IsZero() {
			return false, next
		}
	}
	return false, next
}

// atTime puts "HH:MM" on a day, by the wall clock; "24:00" is the end of the day.
func atTime(day time.Time, hhmm string) time.Time {
	t, err := time.Parse("15:04", hhmm)
	if err != nil {
		return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, day.Location())
	}
	return time.Date(day.Year(), day.Month(), day.Day(), t.Hour(), t.Minute(), 0, 0, day.Location())
}

// sender is what the hotline calls itself in a text message: the city and the number that people know it by.
func (a *App) sender(lang string) string {
	j := a.Routing.Snapshot().Jurisdiction()
	if lang == "zh-CN" {
		return j.Names.In(lang) + j.Phone
	}
	return strings.TrimSpace(j.Names.In(lang) + " " + j.Phone)
}
