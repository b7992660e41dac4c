package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/sla"
	"hotline/web/httperr"
)

// Policies and calendars: what is edited is a draft; publishing it is a step of its own that first says what would move.

const (
	previewBudget = 3 * time.Second
	maxImport     = 200 << 10
)

func (c *Console) policyRoutes(on func(string, []string, handle)) {
	admin := []string{"administrator"}
	on("GET /console/admin/policies", admin, c.policies)
	on("POST /console/admin/policies", admin, c.policiesNew)
	on("GET /console/admin/recomputation", admin, c.recomputation)
	on("GET /console/admin/policies/{code}", admin, c.policySet)
	on("POST /console/admin/policies/{code}", admin, c.policySetSave)
	on("GET /console/admin/policies/{code}/edit", admin, c.policy)
	on("POST /console/admin/policies/{code}/edit", admin, c.policySave)
	on("POST /console/admin/policies/{code}/remove", admin, c.policyRemove)
	on("POST /console/admin/policies/{code}/agencies", admin, c.policyAgency)
	c.calendarRoutes(on)
	for _, kind := range []string{tickets.SettingPolicies, tickets.SettingCalendar} {
		at := "/console/admin/" + settingPath(kind) + "/{code}/"
		with := func(h func(kind string, w http.ResponseWriter, r *http.Request) error) handle {
			return func(w http.ResponseWriter, r *http.Request) error { return h(kind, w, r) }
		}
		on("GET "+at+"publish", admin, with(c.settingPreview))
		on("POST "+at+"publish", admin, with(c.settingPublish))
		on("POST "+at+"discard", admin, with(c.settingDiscard))
		on("GET "+at+"versions", admin, with(c.settingVersions))
		on("POST "+at+"restore", admin, with(c.settingRestore))
		on("GET "+at+"export.json", admin, with(c.settingExport))
		on("POST "+at+"import", admin, with(c.settingImport))
	}
}

// settingPath is where the pages of a kind are.
func settingPath(kind string) string {
	if kind == tickets.SettingCalendar {
		return "calendars"
	}
	return "policies"
}

func settingURL(kind, code, page string) string {
	u := "/console/admin/" + settingPath(kind) + "/" + url.PathEscape(code)
	if page != "" {
		u += "/" + page
	}
	return u
}

func (c *Console) admin(v View) tickets.Actor { return actor(v.Me) }

// settingBar is what all pages of one policy set or calendar have on top.
type settingBar struct {
	tickets.Setting
	By    string // who edits
	Error string
	Field string
	Saved string
}

// SettingBar lets templates hand the bar alone to their parts.
func (b settingBar) SettingBar() settingBar { return b }

// URL is a page of the setting.
func (b settingBar) URL(page string) string { return settingURL(b.Kind, b.Code, page) }

func (c *Console) bar(r *http.Request, v View, s tickets.Setting) settingBar {
	b := settingBar{Setting: s}
	if s.DraftBy != uuid.Nil {
		if u, err := c.Auth.Get(r.Context(), s.DraftBy); err == nil {
			b.By = u.NameIn(v.Lang)
		}
	}
	if key := r.URL.Query().Get("saved"); key == "draft" || key == "published" || key == "discarded" || key == "assigned" {
		b.Saved = v.T("policies.saved." + key)
	}
	return b
}

// Problem says in the reader's language why a policy set or a calendar is not valid; other errors keep their own words.
func (v View) problem(err error) string {
	var p *sla.Problem
	if !errors.As(err, &p) {
		return v.c.words.Error(v.Lang, err)
	}
	var args []any
	for k, val := range p.Args {
		switch k {
		case "clock":
			val = v.ClockName(val)
		case "stage":
			val = v.word("policies.stage.", val)
		case "day":
			val = v.word("policies.day.", val)
		case "limit":
			val = v.word("policies.limit.", val)
		}
		args = append(args, k, val)
	}
	return v.T("policies.problem."+p.Code, args...)
}

// change reads the setting that a form is about, lets edit change it, and saves the draft. On errors that a person can mend, again shows the form.
func changeSetting[T any](c *Console, kind string, w http.ResponseWriter, r *http.Request, read func(tickets.Setting) (T, error), edit func(v View, doc *T) error,
	again func(v View, now tickets.Setting, doc T, err error) error, next string) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	now, err := c.Tickets.Setting(r.Context(), c.admin(v), kind, r.PathValue("code"))
	if err != nil {
		return err
	}
	doc, err := read(now)
	if err != nil {
		return err
	}
	now.DraftEdit = number(r.PostForm.Get("edit"))
	if err = edit(v, &doc); err == nil {
		err = c.saveDoc(r, v, kind, now.Code, doc, now.DraftEdit)
	}
	if err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	var p *sla.Problem
	if errors.As(err, &p) && !expected(err) {
		err = tickets.ErrBadSetting.Wrap(err)
	}
	if !expected(err) {
		return err
	}
	return again(v, now, doc, err)
}

func (c *Console) saveDoc(r *http.Request, v View, kind, code string, doc any, edit int) error {
	body, err := jsonOf(doc)
	if err != nil {
		return err
	}
	return c.Tickets.SaveDraft(r.Context(), c.admin(v), kind, code, body, edit)
}

type policiesData struct {
	Sets      []policySetRow
	Calendars []calendarRow
	Jobs      []jobRow
	Error     string
	Field     string
	Code      string
}

type policySetRow struct {
	tickets.Setting
	Calendar string
	Agencies []string
}

type calendarRow struct {
	tickets.Setting
	Name, Zone string
	Until      int
	Stale      bool // ends with this year or has ended
}

type jobRow struct {
	tickets.Recomputation
	By, What string
}

func (c *Console) policies(w http.ResponseWriter, r *http.Request) error {
	return c.showPolicies(w, r, &policiesData{}, http.StatusOK)
}

func (c *Console) showPolicies(w http.ResponseWriter, r *http.Request, d *policiesData, status int) error {
	v := c.view(r)
	sets, err := c.Tickets.ListSettings(r.Context(), c.admin(v), tickets.SettingPolicies)
	if err != nil {
		return err
	}
	for _, s := range sets {
		row := policySetRow{Setting: s}
		if set, err := s.Set(); err == nil {
			row.Calendar = set.Calendar
		}
		for _, a := range c.Routing.Snapshot().Agencies() {
			if a.Jurisdiction == s.Code {
				row.Agencies = append(row.Agencies, a.Names.In(v.Lang))
			}
		}
		d.Sets = append(d.Sets, row)
	}
	calendars, err := c.Tickets.ListSettings(r.Context(), c.admin(v), tickets.SettingCalendar)
	if err != nil {
		return err
	}
	for _, s := range calendars {
		row := calendarRow{Setting: s}
		if doc, err := s.Calendar(); err == nil {
			row.Name, row.Zone = doc.Name, doc.TimeZone
			if n := len(doc.Years); n > 0 {
				row.Until = doc.Years[n-1].Year
			}
		}
		// The next year is usually published in autumn: from October on its absence is worth a word.
		row.Stale = row.Until < v.Now.AddDate(0, 3, 0).Year()
		d.Calendars = append(d.Calendars, row)
	}
	if d.Jobs, err = c.jobs(r, v); err != nil {
		return err
	}
	v.Nav, v.Title, v.D = "policies", v.T("policies.title"), d
	c.page(w, r, status, "policies", v)
	return nil
}

func (c *Console) jobs(r *http.Request, v View) ([]jobRow, error) {
	list, err := c.Tickets.Recomputations(r.Context(), c.admin(v), 5)
	var out []jobRow
	for _, j := range list {
		row := jobRow{Recomputation: j, What: j.Code}
		if j.ByUser != uuid.Nil {
			if u, err := c.Auth.Get(r.Context(), j.ByUser); err == nil {
				row.By = u.NameIn(v.Lang)
			}
		}
		out = append(out, row)
	}
	return out, err
}

// recomputation is the live part of the overview.
func (c *Console) recomputation(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	jobs, err := c.jobs(r, v)
	if err != nil {
		return err
	}
	c.fragment(w, r, http.StatusOK, "recomputation", v.With(jobs))
	return nil
}

// policiesNew begins the policies of another jurisdiction, or a calendar, as a copy.
func (c *Console) policiesNew(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	kind, code, from := tickets.SettingPolicies, clean(r.PostForm.Get("code"), 60), r.PostForm.Get("from")
	if r.PostForm.Get("kind") == tickets.SettingCalendar {
		kind = tickets.SettingCalendar
	}
	err := func() error {
		if _, err := c.Tickets.Setting(r.Context(), c.admin(v), kind, code); err == nil {
			return tickets.ErrSettingStale
		} else if !errors.Is(err, tickets.ErrUnknownSetting) {
			return err
		}
		model, err := c.Tickets.Setting(r.Context(), c.admin(v), kind, from)
		if err != nil {
			return err
		}
		return c.Tickets.SaveDraft(r.Context(), c.admin(v), kind, code, model.Editing(), 0)
	}()
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showPolicies(w, r, &policiesData{Error: v.problem(err), Field: fieldOf(err), Code: code}, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, settingURL(kind, code, ""), http.StatusSeeOther)
	return nil
}

type policySetData struct {
	settingBar
	Set       sla.Set
	Warn      int // percent
	Limits    sla.Limits
	Calendars []string
	Ladder    []ladderRow
	Agencies  []routing.Agency
	Others    []option // agencies that may be added
}

// ladderRow is a rung of the ladder as a line of the form.
type ladderRow struct {
	sla.Rung
	On bool
}

func (c *Console) policySet(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	s, err := c.Tickets.Setting(r.Context(), c.admin(v), tickets.SettingPolicies, r.PathValue("code"))
	if err != nil {
		return err
	}
	set, err := s.Set()
	if err != nil {
		return err
	}
	return c.showPolicySet(w, r, v, s, set, nil)
}

func (c *Console) showPolicySet(w http.ResponseWriter, r *http.Request, v View, s tickets.Setting, set sla.Set, problem error) error {
	d := &policySetData{settingBar: c.bar(r, v, s), Set: set, Warn: wholePercent(set.WarnFraction), Limits: set.Limits.WithDefaults()}
	status := http.StatusOK
	if problem != nil {
		d.Error, d.Field, status = v.problem(problem), fieldOf(problem), httperr.Status(errs.KindOf(problem))
	}
	for _, stage := range sla.Stages() {
		row := ladderRow{Rung: sla.Rung{Stage: stage, Anchor: "due"}}
		if i := slices.IndexFunc(set.Ladder, func(r sla.Rung) bool { return r.Stage == stage }); i >= 0 {
			row = ladderRow{set.Ladder[i], true}
		}
		d.Ladder = append(d.Ladder, row)
	}
	list, err := c.Tickets.ListSettings(r.Context(), c.admin(v), tickets.SettingCalendar)
	if err != nil {
		return err
	}
	for _, k := range list {
		if k.Body != nil {
			d.Calendars = append(d.Calendars, k.Code)
		}
	}
	for _, a := range c.Routing.Snapshot().Agencies() {
		if a.Jurisdiction == s.Code {
			d.Agencies = append(d.Agencies, a)
		}
	}
	if !s.Own && s.Body != nil {
		d.Others = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return a.Active && !a.Desk() && a.Jurisdiction != s.Code })
	}
	v.Nav, v.Title, v.D = "policies", v.T("policies.of", "code", s.Code), d
	c.page(w, r, status, "policy-set", v)
	return nil
}

func wholePercent(fraction float64) int { return int(fraction*100 + .5) }

func (c *Console) policySetSave(w http.ResponseWriter, r *http.Request) error {
	code := r.PathValue("code")
	return changeSetting(c, tickets.SettingPolicies, w, r, tickets.Setting.Set, func(_ View, set *sla.Set) error {
		q := r.PostForm
		set.Calendar, set.WarnFraction = clean(q.Get("calendar"), 60), float64(number(q.Get("warn")))/100
		set.Limits = sla.Limits{Dispatches: number(q.Get("dispatches")), Extensions: number(q.Get("extensions")), ExtensionPercent: number(q.Get("extension_percent")),
			RevisitTries: number(q.Get("revisit_tries")), RevisitGapHours: number(q.Get("revisit_gap_hours")), RectifyDays: number(q.Get("rectify_days"))}
		set.Ladder = nil
		for _, stage := range sla.Stages() {
			k := string(stage)
			if q.Get("on_"+k) == "" {
				continue
			}
			rung := sla.Rung{Stage: stage, Anchor: q.Get("anchor_" + k), WorkingDays: number(q.Get("days_" + k))}
			if rung.WorkingDays > 0 {
				rung.At = q.Get("at_" + k)
			}
			set.Ladder = append(set.Ladder, rung)
		}
		return nil
	}, func(v View, now tickets.Setting, set sla.Set, err error) error {
		return c.showPolicySet(w, r, v, now, set, err)
	}, settingURL(tickets.SettingPolicies, code, "")+"?saved=draft")
}

// Span writes a length of time as policies count it.
func (v View) SpanWords(s sla.Span) string {
	words := v.T("policies.span."+string(s.Unit), "n", s.N)
	if s.Roll {
		words += v.T("policies.span.roll")
	}
	return words
}

// Length writes a move of a deadline: later or earlier.
func (v View) Length(d time.Duration) string {
	key := "policies.by_later"
	if d < 0 {
		key, d = "policies.by_earlier", -d
	}
	return v.T(key, "span", v.c.words.Duration(v.Lang, d))
}

// PolicyFor says in words which tickets a policy is for.
func (v View) PolicyFor(p sla.Policy) string {
	var parts []string
	if p.Urgency != "" {
		parts = append(parts, v.Urgency(p.Urgency))
	}
	if p.Kind != "" {
		parts = append(parts, v.Kind(p.Kind))
	}
	if p.Category != "" {
		name := v.Category(p.Category)
		if name == "" {
			name = p.Category
		}
		parts = append(parts, name)
	}
	if len(parts) == 0 {
		return v.T("policies.for_all")
	}
	return strings.Join(parts, " · ")
}

// PolicyClocks lists what a policy sets, in the order in which a ticket meets the clocks.
func (v View) PolicyClocks(p sla.Policy) []string {
	var out []string
	for _, name := range sla.ClockNames() {
		if span, ok := p.Clocks[name]; ok {
			out = append(out, v.T("policies.clock_span", "clock", v.ClockName(string(name)), "span", v.SpanWords(span)))
		}
	}
	return out
}

func (c *Console) policyAgency(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, code := c.view(r), r.PathValue("code")
	to := code
	if r.PostForm.Get("remove") != "" {
		to = ""
	}
	if err := c.Tickets.AssignJurisdiction(r.Context(), c.admin(v), parseID(r.PostForm.Get("agency")), to); err != nil {
		return err
	}
	if err := c.Routing.Reload(r.Context()); err != nil {
		return err
	}
	c.tellNodes(routing.Subject)
	http.Redirect(w, r, settingURL(tickets.SettingPolicies, code, "")+"?saved=assigned", http.StatusSeeOther)
	return nil
}

func (c *Console) tellNodes(subject string) {
	if c.Bus != nil {
		c.Bus.Publish(subject, nil)
	}
}

// jsonOf writes a document for the store.
func jsonOf(doc any) ([]byte, error) {
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return b, nil
}
