package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"hotline/internal/errs"
	"hotline/internal/i18n"
	"hotline/tickets"
	"hotline/tickets/sla"
	"hotline/web/httperr"
)

func (c *Console) calendarRoutes(on func(string, []string, handle)) {
	admin := []string{"administrator"}
	on("GET /console/admin/calendars/{code}", admin, c.calendar)
	on("POST /console/admin/calendars/{code}", admin, c.calendarSave)
	on("POST /console/admin/calendars/{code}/days", admin, c.calendarDays)
	on("POST /console/admin/calendars/{code}/year", admin, c.calendarYear)
}

type calendarData struct {
	settingBar
	Doc    sla.CalendarDoc
	Week   []weekRow
	MakeUp string // hours of make-up days
	Year   int
	Years  []int
	Next   int // the year that may be published next
	Now    sla.CalendarYear
	Days   int // working days of the year
	Months []calendarMonth
	Range  rangeForm
}

type weekRow struct{ Key, Hours string }

type rangeForm struct{ From, To, Kind, Name string }

type calendarMonth struct {
	Month int
	Weeks [][]calendarDay
}

type calendarDay struct {
	Date   string // "" outside of the month
	Dom    int
	Kind   sla.DayKind
	Off    bool // nobody works
	Name   string
	Today  bool
	Spoken string
}

// MonthName is the name of a month.
func (v View) MonthName(m int) string { return v.T("policies.month." + strconv.Itoa(m)) }

func (c *Console) calendar(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	s, err := c.Tickets.Setting(r.Context(), c.admin(v), tickets.SettingCalendar, r.PathValue("code"))
	if err != nil {
		return err
	}
	doc, err := s.Calendar()
	if err != nil {
		return err
	}
	return c.showCalendar(w, r, v, s, doc, nil)
}

func (c *Console) showCalendar(w http.ResponseWriter, r *http.Request, v View, s tickets.Setting, doc sla.CalendarDoc, problem error) error {
	d := &calendarData{settingBar: c.bar(r, v, s), Doc: doc, MakeUp: sla.HoursText(doc.MakeUpHours), Range: rangeForm{Kind: string(sla.DayOff)}}
	status := http.StatusOK
	if problem != nil {
		d.Error, d.Field, status = v.problem(problem), fieldOf(problem), httperr.Status(errs.KindOf(problem))
		q := r.PostForm
		d.Range = rangeForm{From: q.Get("from"), To: q.Get("to"), Kind: q.Get("kind"), Name: q.Get("name")}
		if q.Get("to") == "" && q.Get("day") != "" {
			d.Range.From, d.Range.To = q.Get("day"), q.Get("day")
		}
	}
	for _, key := range sla.Weekdays() {
		hours := sla.HoursText(doc.Weekly[key])
		if problem != nil && r.PostForm.Has("hours_"+key) {
			hours = r.PostForm.Get("hours_" + key)
		}
		d.Week = append(d.Week, weekRow{key, hours})
	}
	for _, y := range doc.Years {
		d.Years = append(d.Years, y.Year)
	}
	d.Next = v.Now.Year()
	if n := len(d.Years); n > 0 {
		d.Next = d.Years[n-1] + 1
	}
	d.Year = number(r.FormValue("year"))
	if !slices.Contains(d.Years, d.Year) && len(d.Years) > 0 {
		d.Year = d.Years[len(d.Years)-1]
		if slices.Contains(d.Years, v.Now.Year()) {
			d.Year = v.Now.Year()
		}
	}
	for _, y := range doc.Years {
		if y.Year == d.Year {
			d.Now = y
		}
	}
	if cal, err := doc.Build(); err == nil && d.Year > 0 {
		d.Months, d.Days = months(v, cal, doc, d.Year)
	}
	v.Nav, v.Title, v.D = "policies", doc.Name, d
	c.page(w, r, status, "calendar", v)
	return nil
}

// months lays a year out, weeks from Monday on.
func months(v View, cal *sla.Calendar, doc sla.CalendarDoc, year int) (out []calendarMonth, worked int) {
	today := v.Now.In(cal.Location()).Format(time.DateOnly)
	for m := time.January; m <= time.December; m++ {
		month := calendarMonth{Month: int(m)}
		first := time.Date(year, m, 1, 12, 0, 0, 0, time.UTC)
		week := make([]calendarDay, (int(first.Weekday())+6)%7, 7)
		for t := first; t.Month() == m; t = t.AddDate(0, 0, 1) {
			day := sla.DayOf(t)
			cell := calendarDay{Date: day.String(), Dom: day.Dom, Off: !cal.IsWorkingDay(day), Today: day.String() == today}
			cell.Kind, cell.Name = doc.KindOf(day)
			if !cell.Off {
				worked++
			}
			cell.Spoken = i18n.Date(v.Lang, t, time.UTC) + v.T("comma") + v.T("policies.daykind."+string(cell.Kind))
			if cell.Kind == sla.Ordinary && cell.Off {
				cell.Spoken = i18n.Date(v.Lang, t, time.UTC) + v.T("comma") + v.T("policies.daykind.weekend")
			}
			if cell.Name != "" {
				cell.Spoken += v.T("comma") + cell.Name
			}
			if week = append(week, cell); len(week) == 7 {
				month.Weeks, week = append(month.Weeks, week), nil
			}
		}
		if len(week) > 0 {
			month.Weeks = append(month.Weeks, append(week, make([]calendarDay, 7-len(week))...))
		}
		out = append(out, month)
	}
	return out, worked
}

func (c *Console) changeCalendar(w http.ResponseWriter, r *http.Request, edit func(v View, doc *sla.CalendarDoc) error) error {
	if err := parseForm(r); err != nil {
		return err
	}
	next := url.Values{"saved": {"draft"}}
	if y := r.PostForm.Get("year"); y != "" {
		next.Set("year", itoa(number(y)))
	}
	return changeSetting(c, tickets.SettingCalendar, w, r, tickets.Setting.Calendar, edit, func(v View, now tickets.Setting, doc sla.CalendarDoc, err error) error {
		return c.showCalendar(w, r, v, now, doc, err)
	}, settingURL(tickets.SettingCalendar, r.PathValue("code"), "")+"?"+next.Encode())
}

// calendarSave changes name, zone and weekly hours.
func (c *Console) calendarSave(w http.ResponseWriter, r *http.Request) error {
	return c.changeCalendar(w, r, func(_ View, doc *sla.CalendarDoc) error {
		q := r.PostForm
		doc.Name, doc.TimeZone = clean(q.Get("name"), 200), clean(q.Get("zone"), 60)
		weekly := map[string][][2]string{}
		for _, key := range sla.Weekdays() {
			hours, err := sla.ParseHoursText(key, q.Get("hours_"+key))
			if err != nil {
				return err
			}
			if len(hours) > 0 {
				weekly[key] = hours
			}
		}
		makeUp, err := sla.ParseHoursText("make_up_hours", q.Get("make_up"))
		doc.Weekly, doc.MakeUpHours = weekly, makeUp
		return err
	})
}

// calendarDays makes days a holiday, make-up days or ordinary again: a range, or the one day that was pressed in the year's grid.
func (c *Console) calendarDays(w http.ResponseWriter, r *http.Request) error {
	return c.changeCalendar(w, r, func(v View, doc *sla.CalendarDoc) error {
		q := r.PostForm
		from, to := q.Get("from"), q.Get("to")
		if day := q.Get("day"); day != "" {
			from, to = day, day
		}
		if to == "" {
			to = from
		}
		first, err1 := sla.ParseDay(from)
		last, err2 := sla.ParseDay(to)
		if err1 != nil || err2 != nil {
			return tickets.ErrBadField.On("from").With("field", "from")
		}
		kind, name := sla.DayKind(q.Get("kind")), clean(q.Get("name"), 100)
		// Pressed again, a day is as the week says.
		if now, _ := doc.KindOf(first); q.Get("day") != "" && now == kind {
			kind = sla.Ordinary
		}
		if kind == sla.DayOff && name == "" {
			name = v.T("policies.daykind.holiday")
		}
		return doc.Set(first, last, kind, name)
	})
}

// calendarYear adds the next year to the draft.
func (c *Console) calendarYear(w http.ResponseWriter, r *http.Request) error {
	return c.changeCalendar(w, r, func(v View, doc *sla.CalendarDoc) error {
		doc.AddYear(v.Now.Year(), clean(r.PostForm.Get("source"), 500))
		return nil
	})
}
