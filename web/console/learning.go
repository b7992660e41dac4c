package console

import (
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/web/chart"
)

// learningRoles see whether the installation learns.
var learningRoles = []string{"editor", "reviewer", "administrator", "supervisor", "head"}

func (c *Console) learningRoutes(on func(string, []string, handle)) {
	on("GET /console/learning", learningRoles, c.learning)
	on("GET /console/learning/questions", learningRoles, c.learningQuestions)
}

// learnMeasure is one figure of the learning loop with the weeks it is drawn from.
type learnMeasure struct {
	Code   string
	Now    string // of the whole period
	Part   int
	Whole  int // 0 for a plain count
	Before string
	Chart  template.HTML
	List   learn.Behind // that opens the questions behind it
	Link   template.URL
}

type learningData struct {
	Weeks    []learn.Week
	Measures []learnMeasure
	Lang     string
	Channel  string
	Channels []string
	Query    template.URL
	Open     int // gaps
	Closed   int
	Rows     []learnWeek
}

type learnWeek struct {
	learn.Week
	From, To                         string // of the links
	Coverage, Containment, HelpShare string
}

const learningWeeks = 12

// Share writes a part of a whole as a percentage; "–" where there was nothing.
func (v View) Share(part, whole int) string {
	share, ok := learn.Share(part, whole)
	if !ok {
		return "–"
	}
	return strconv.Itoa(int(math.Round(100*share))) + " %"
}

func (c *Console) figureFilter(v View, q url.Values) learn.FigureFilter {
	zone := c.zone()
	f := learn.FigureFilter{To: v.Now.Add(time.Second), Zone: zone, Lang: knowledge.BaseLang(clean(q.Get("lang_of"), 20)), Channel: clean(q.Get("channel"), 20)}
	f.From = learn.Monday(v.Now, zone).AddDate(0, 0, -7*(learningWeeks-1))
	if at, err := time.ParseInLocation(time.DateOnly, q.Get("from"), zone); err == nil {
		f.From = at
	}
	if at, err := time.ParseInLocation(time.DateOnly, q.Get("to"), zone); err == nil {
		f.To = at
	}
	return f
}

func (c *Console) learning(w http.ResponseWriter, r *http.Request) error {
	v, q := c.view(r), r.URL.Query()
	v.Nav, v.Title = "learning", v.T("nav.learning")
	f := c.figureFilter(v, url.Values{"lang_of": q["lang_of"], "channel": q["channel"]})
	weeks, err := c.Learn.Figures(r.Context(), v.Me.Actor(), f)
	if err != nil {
		return err
	}
	counts, err := c.Learn.GapCounts(r.Context(), v.Me.Actor())
	if err != nil {
		return err
	}
	d := &learningData{Weeks: weeks, Lang: f.Lang, Channel: f.Channel, Channels: []string{"web", "telegram", "portal"}, Open: counts[learn.Open] + counts[learn.Drafted], Closed: counts[learn.Closed]}
	link := func(list learn.Behind, from, to string) template.URL {
		return query(url.Values{"list": {string(list)}, "lang_of": {d.Lang}, "channel": {d.Channel}, "from": {from}, "to": {to}})
	}
	first, last := weeks[0].From.Format(time.DateOnly), v.Now.In(c.zone()).AddDate(0, 0, 1).Format(time.DateOnly)
	var labels []string
	for _, one := range weeks {
		to := one.From.AddDate(0, 0, 7).Format(time.DateOnly)
		labels = append(labels, one.From.Format("01-02"))
		d.Rows = append(d.Rows, learnWeek{Week: one, From: one.From.Format(time.DateOnly), To: to,
			Coverage: v.Share(one.Covered, one.Questions), Containment: v.Share(one.Contained, one.Chats), HelpShare: v.Share(one.Helped, one.Rated)})
	}
	slices.Reverse(d.Rows)
	half := len(weeks) / 2
	share := func(code string, list learn.Behind, part, whole func(learn.Week) int) {
		m := learnMeasure{Code: code, List: list, Link: link(list, first, last)}
		values := make([]float64, len(weeks))
		var beforePart, beforeWhole, nowPart, nowWhole int
		for i, one := range weeks {
			p, n := part(one), whole(one)
			m.Part, m.Whole = m.Part+p, m.Whole+n
			if values[i] = math.NaN(); n > 0 {
				values[i] = float64(p) / float64(n)
			}
			if i < half {
				beforePart, beforeWhole = beforePart+p, beforeWhole+n
			} else {
				nowPart, nowWhole = nowPart+p, nowWhole+n
			}
		}
		m.Now, m.Before = v.Share(nowPart, nowWhole), v.Share(beforePart, beforeWhole)
		m.Chart = chart.Shares(340, 150, labels, []chart.Series{{Name: v.T("learning." + code), Class: "s1", Values: values}})
		d.Measures = append(d.Measures, m)
	}
	count := func(code string, of func(learn.Week) int) {
		m := learnMeasure{Code: code}
		points := make([]chart.Point, len(weeks))
		before, now := 0, 0
		for i, one := range weeks {
			n := of(one)
			points[i] = chart.Point{Label: labels[i], Title: strconv.Itoa(n), Value: float64(n), Ghost: math.NaN()}
			if i < half {
				before += n
			} else {
				now += n
			}
		}
		m.Part, m.Now, m.Before = before+now, strconv.Itoa(now), strconv.Itoa(before)
		m.Chart = chart.Bars(340, 150, points)
		d.Measures = append(d.Measures, m)
	}
	share("coverage", learn.Unanswered, func(w learn.Week) int { return w.Covered }, func(w learn.Week) int { return w.Questions })
	share("helpful", learn.Useless, func(w learn.Week) int { return w.Helped }, func(w learn.Week) int { return w.Rated })
	share("containment", learn.HandedOver, func(w learn.Week) int { return w.Contained }, func(w learn.Week) int { return w.Chats })
	share("handoff", learn.HandedOver, func(w learn.Week) int { return w.Handed }, func(w learn.Week) int { return w.Chats })
	count("wrong", func(w learn.Week) int { return w.Wrong })
	count("opened", func(w learn.Week) int { return w.Opened })
	count("closed", func(w learn.Week) int { return w.Closed })
	d.Query = query(url.Values{"lang_of": {d.Lang}, "channel": {d.Channel}})
	v.D = d
	c.page(w, r, http.StatusOK, "learning", v)
	return nil
}

type behindData struct {
	Rows []learn.Row
	List string
	Back template.URL
	More template.URL
}

const behindPage = 50

// learningQuestions lists the questions behind a number.
func (c *Console) learningQuestions(w http.ResponseWriter, r *http.Request) error {
	v, q := c.view(r), r.URL.Query()
	list, f := learn.Behind(q.Get("list")), c.figureFilter(v, q)
	after := ""
	if id := parseID(q.Get("after")); q.Get("after") != "" {
		after = id.String()
	}
	rows, err := c.Learn.Rows(r.Context(), v.Me.Actor(), f, list, after, behindPage+1)
	if err != nil {
		return err
	}
	d := &behindData{Rows: rows, List: string(list), Back: query(url.Values{"lang_of": {f.Lang}, "channel": {f.Channel}})}
	if len(rows) > behindPage {
		d.Rows = rows[:behindPage]
		q.Set("after", d.Rows[behindPage-1].ID)
		d.More = query(q)
	}
	v.Nav, v.Title, v.D = "learning", v.T("learning.list_"+string(list)), d
	c.page(w, r, http.StatusOK, "learning-questions", v)
	return nil
}

// HelpWord writes the citizen's word on an answer.
func (v View) HelpWord(helped *bool) string {
	switch {
	case helped == nil:
		return "–"
	case *helped:
		return v.T("learning.word_helped")
	}
	return v.T("learning.word_useless")
}
