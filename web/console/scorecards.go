package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
	"hotline/web/chart"
	"hotline/web/figures"
	"hotline/web/httperr"
)

type scorecardsData struct {
	statFrame
	Weights []weightView
	Levels  []cardLevel
}

// cardLevel is the agencies of one kind: a street is not ranked among districts.
type cardLevel struct {
	Kind  string
	Cards []cardView
}

// weightView is a measure of the scorecard with its part of the whole.
type weightView struct{ Code, Name, Weight, Formula string }

type cardView struct {
	Rank                              int
	Name, Score, Change, Tone, Ticket string
	Meter                             any
	Class                             string
	Partly                            string
	URL                               string
	Cells                             []cardCell
}

type cardCell struct {
	Name, Value, Counts, Tone string
	URL, FailURL              string
	Fails                     string
}

func (c *Console) scorecards(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	q := c.statQuery(r, v)
	cards, set, err := c.figures().Scorecards(r.Context(), actor(v.Me), q)
	if err != nil {
		return err
	}
	d := &scorecardsData{statFrame: c.statFrame(r, v, "scorecards", q, set)}
	total := 0.0
	for _, code := range weighed(set) {
		total += set.Scorecard[code]
	}
	for _, code := range weighed(set) {
		d.Weights = append(d.Weights, weightView{code, d.Words.Name(code), figures.Percent(set.Scorecard[code] / total), d.Words.Formula(code)})
	}
	levels := map[string]*cardLevel{}
	for _, kind := range scoredKinds {
		levels[kind] = &cardLevel{Kind: kind}
	}
	for _, card := range cards {
		agency, _ := c.Routing.Snapshot().Agency(card.Agency)
		level := levels[agency.Kind]
		if level == nil {
			continue
		}
		one := cardView{Name: v.Agency(card.Agency), Score: v.T("statistics.no_score"), Tone: "flat", Ticket: d.Words.Number(card.N[measures.Tickets]), Class: "none"}
		into := q
		into.Agency, into.By = card.Agency, statistics.ByCategory
		one.URL = "/console/statistics?" + into.Encode()
		if card.Score.Known {
			one.Rank, one.Score = len(level.Cards)+1, strconv.FormatFloat(card.Score.V, 'f', 1, 64)
			one.Class = grade(card.Score.V)
			one.Meter = chart.Meter(card.Score.V/100, one.Class)
			if card.Score.Weight < .999 {
				one.Partly = v.T("statistics.partly", "share", figures.Percent(card.Score.Weight))
			}
			if card.Before.Known {
				one.Change, one.Tone = change(card.Score.V - card.Before.V)
			}
		}
		for _, code := range weighed(set) {
			m, _ := measures.ByCode(code)
			p := measures.Evaluate(m, card.N, set)
			cell := cardCell{Name: d.Words.Name(code), Value: "–", Tone: "flat"}
			if p.Known {
				cell.Value, cell.Counts = d.Words.Value(p), d.Words.Number(p.Part)+" / "+d.Words.Number(p.Whole)
				cell.URL = restsOn(into, p)
			}
			// What counted against the agency: the part where less is better, else the rest.
			bad := p.PartOf
			if m.Better == measures.Higher {
				bad = slices.DeleteFunc(slices.Clone(p.WholeOf), func(n measures.Counter) bool { return slices.Contains(p.PartOf, n) })
			}
			if n := card.N.Sum(bad...); n > 0 {
				cell.Fails, cell.FailURL = v.T("statistics.fails", "n", int(n)), behind(into, code, bad)
			}
			one.Cells = append(one.Cells, cell)
		}
		level.Cards = append(level.Cards, one)
	}
	for _, kind := range scoredKinds {
		if l := levels[kind]; len(l.Cards) > 0 {
			d.Levels = append(d.Levels, *l)
		}
	}
	v.Nav, v.Title, v.D = "statistics", v.T("statistics.scorecards"), d
	c.page(w, r, http.StatusOK, "scorecards", v)
	return nil
}

// scoredKinds is the order of the levels.
var scoredKinds = []string{routing.KindDepartment, routing.KindDistrict, routing.KindStreet, routing.KindCity, routing.KindProvince, routing.KindNation}

// grade is how a score is coloured; its number says the same.
func grade(score float64) string {
	switch {
	case score >= 85:
		return "ok"
	case score >= 60:
		return "fair"
	}
	return "poor"
}

func change(d float64) (words, tone string) {
	switch {
	case d > .05:
		return "+" + strconv.FormatFloat(d, 'f', 1, 64), "better"
	case d < -.05:
		return "−" + strconv.FormatFloat(-d, 'f', 1, 64), "worse"
	}
	return "±0", "flat"
}

type appealsData struct {
	statFrame
	State string
	Rows  []appealView
	More  string
	Error string
	On    uuid.UUID // where the error belongs
	Text  string
	May   bool
}

type appealView struct {
	tickets.MeasureAppeal
	AgencyName, What, By, Decider string
}

func (c *Console) appeals(w http.ResponseWriter, r *http.Request) error {
	return c.showAppeals(w, r, appealsData{}, http.StatusOK)
}

func (c *Console) showAppeals(w http.ResponseWriter, r *http.Request, d appealsData, status int) error {
	v := c.view(r)
	set, _, err := c.Statistics.Settings(r.Context())
	if err != nil {
		return err
	}
	d.statFrame = c.statFrame(r, v, "appeals", c.statQuery(r, v), set)
	if d.State = r.URL.Query().Get("state"); !slices.Contains([]string{"open", "upheld", "rejected"}, d.State) {
		d.State = "open"
	}
	var before *tickets.MeasureAppeal
	if at, id, ok := strings.Cut(r.URL.Query().Get("before"), "."); ok {
		if n, err := strconv.ParseInt(at, 10, 64); err == nil {
			before = &tickets.MeasureAppeal{FiledAt: time.UnixMicro(n), ID: parseID(id)}
		}
	}
	found, err := c.Tickets.Appeals(r.Context(), actor(v.Me), d.State, before, pageSize+1)
	if err != nil {
		return err
	}
	if len(found) > pageSize {
		found = found[:pageSize]
		last := found[pageSize-1]
		d.More = "?state=" + d.State + "&before=" + strconv.FormatInt(last.FiledAt.UnixMicro(), 10) + "." + last.ID.String()
	}
	for _, a := range found {
		d.Rows = append(d.Rows, appealView{MeasureAppeal: a, AgencyName: v.Agency(a.Agency), What: d.Words.Failure(a.Failure)})
	}
	d.May = v.Me.Desk && v.Me.Has("supervisor")
	v.Nav, v.Title, v.D = "statistics", v.T("statistics.appeals"), &d
	c.page(w, r, status, "appeals", v)
	return nil
}

func (c *Console) appealDecide(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	words := text(r.PostForm.Get("text"))
	verdict := r.PostForm.Get("verdict")
	if verdict != "upheld" && verdict != "rejected" {
		return httperr.ErrMalformed
	}
	err = c.Tickets.DecideAppeal(r.Context(), actor(v.Me), id, verdict == "upheld", words, key(r.PostForm.Get("key")))
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showAppeals(w, r, appealsData{Error: c.words.Error(v.Lang, err), On: id, Text: words}, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/statistics/appeals?state="+verdict, http.StatusSeeOther)
	return nil
}

type appealFormData struct {
	statFrame
	T        tickets.Ticket
	Failures []failureOption
	Filed    []appealView
	Reason   string
	Error    string
}

type failureOption struct {
	Code, Name string
	Selected   bool
}

func (c *Console) appealForm(w http.ResponseWriter, r *http.Request) error {
	return c.showAppealForm(w, r, appealFormData{}, "", http.StatusOK)
}

func (c *Console) showAppealForm(w http.ResponseWriter, r *http.Request, d appealFormData, chosen string, status int) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	ctx, me := r.Context(), actor(v.Me)
	set, _, err := c.Statistics.Settings(ctx)
	if err != nil {
		return err
	}
	d.statFrame = c.statFrame(r, v, "appeals", c.statQuery(r, v), set)
	if d.T, err = c.Tickets.ByID(ctx, me, id); err != nil {
		return err
	}
	counted, err := c.Tickets.Failures(ctx, me, id)
	if err != nil {
		return err
	}
	filed, err := c.Tickets.AppealsOf(ctx, me, id)
	if err != nil {
		return err
	}
	for _, a := range filed {
		d.Filed = append(d.Filed, appealView{MeasureAppeal: a, AgencyName: v.Agency(a.Agency), What: d.Words.Failure(a.Failure)})
	}
	for _, f := range counted {
		if slices.ContainsFunc(filed, func(a tickets.MeasureAppeal) bool { return a.Failure == f && a.Agency == v.Me.AgencyID }) {
			continue
		}
		d.Failures = append(d.Failures, failureOption{string(f), d.Words.Failure(f), string(f) == chosen || chosen == "" && len(d.Failures) == 0})
	}
	v.Nav, v.Title, v.D = "statistics", v.T("statistics.appeal_title", "number", d.T.Number), &d
	c.page(w, r, status, "appeal", v)
	return nil
}

func (c *Console) appealFile(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	failure, reason := clean(r.PostForm.Get("failure"), 40), text(r.PostForm.Get("reason"))
	err = c.Tickets.AppealFailure(r.Context(), actor(v.Me), id, measures.Failure(failure), reason, key(r.PostForm.Get("key")))
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showAppealForm(w, r, appealFormData{Reason: reason, Error: c.words.Error(v.Lang, err)}, failure, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/statistics/appeals", http.StatusSeeOther)
	return nil
}

type measureSettingsData struct {
	statFrame
	Set          measures.Settings
	Version      int
	Rates, Cards []settingField
	Error, Saved string
}

type settingField struct {
	Name, Label string
	Value       string
}

func (c *Console) measureSettings(w http.ResponseWriter, r *http.Request) error {
	set, version, err := c.Statistics.Settings(r.Context())
	if err != nil {
		return err
	}
	d := measureSettingsData{Set: set, Version: version}
	if r.URL.Query().Get("saved") != "" {
		d.Saved = c.view(r).T("saved")
	}
	return c.showMeasureSettings(w, r, d, http.StatusOK)
}

func (c *Console) showMeasureSettings(w http.ResponseWriter, r *http.Request, d measureSettingsData, status int) error {
	v := c.view(r)
	d.statFrame = c.statFrame(r, v, "settings", c.statQuery(r, v), d.Set)
	rates, _ := measures.ByCode(measures.ThreeRates)
	for _, code := range rates.Of {
		d.Rates = append(d.Rates, settingField{"rate_" + code, d.Words.Name(code), strconv.FormatFloat(d.Set.ThreeRates[code], 'f', -1, 64)})
	}
	for _, code := range measures.Scorable() {
		d.Cards = append(d.Cards, settingField{"card_" + code, d.Words.Name(code), strconv.FormatFloat(d.Set.Scorecard[code], 'f', -1, 64)})
	}
	v.Nav, v.Title, v.D = "statistics", v.T("statistics.settings"), &d
	c.page(w, r, status, "measure-settings", v)
	return nil
}

func (c *Console) measureSettingsSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	f := r.PostForm
	set := measures.Settings{ThreeRates: map[string]float64{}, Scorecard: map[string]float64{}, SatisfiedFrom: number(f.Get("satisfied_from")), SmallCell: number(f.Get("small_cell"))}
	weight := func(into map[string]float64, code, field string) {
		if s := strings.TrimSpace(f.Get(field)); s != "" {
			n, err := strconv.ParseFloat(s, 64)
			if err != nil {
				n = -1 // refused by name below
			}
			if n != 0 {
				into[code] = n
			}
		}
	}
	rates, _ := measures.ByCode(measures.ThreeRates)
	for _, code := range rates.Of {
		weight(set.ThreeRates, code, "rate_"+code)
	}
	for _, code := range measures.Scorable() {
		weight(set.Scorecard, code, "card_"+code)
	}
	version := number(f.Get("version"))
	if err := c.Statistics.SetSettings(r.Context(), actor(v.Me), version, set); err != nil {
		if !expected(err) {
			return err
		}
		return c.showMeasureSettings(w, r, measureSettingsData{Set: set, Version: version, Error: c.words.Error(v.Lang, err)}, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/statistics/settings?saved=1", http.StatusSeeOther)
	return nil
}
