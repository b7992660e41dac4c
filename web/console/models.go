package console

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/internal/llm"
	"hotline/web/httperr"
)

// Language models: administrators set them up, try them, switch them off, and see what was asked of them and what it cost.

func (c *Console) modelRoutes(on func(string, []string, handle)) {
	admin := []string{"administrator"}
	on("GET /console/admin/models", admin, c.models)
	on("GET /console/admin/models/new", admin, c.modelForm)
	on("GET /console/admin/models/calls", admin, c.modelCalls)
	on("GET /console/admin/models/calls/{id}", admin, c.modelCall)
	on("GET /console/admin/models/rules", admin, c.modelRules)
	on("POST /console/admin/models/rules", admin, c.modelRulesSave)
	on("GET /console/admin/models/{id}", admin, c.modelForm)
	on("POST /console/admin/models", admin, c.modelSave)
	on("POST /console/admin/models/{id}/do/{what}", admin, c.modelDo)
}

// modelsData is the list.
type modelsData struct {
	Rows  []llm.State
	Saved bool
	Error string
	Tried *tried
}

type tried struct {
	Name   string
	Trial  llm.Trial
	Millis int64
	Words  string // of the failure
}

// modelData is one model in its form, as it was typed.
type modelData struct {
	M     llm.Model
	Uses  []useRow
	In    map[string]string // numbers as typed
	Field string
	Error string
}

type useRow struct {
	Use     llm.Use
	Checked bool
}

// callsData is a page of the record.
type callsData struct {
	Calls  []llm.Call
	Names  map[uuid.UUID]string
	Models []llm.State
	Uses   []llm.Use
	Model  string
	Use    string
	Failed bool
	More   string
	One    *llm.Call
}

// Tokens writes a number of tokens.
func (v View) Tokens(n int64) string { return grouped(n) }

// Count writes a number of things.
func (v View) Count(n int) string { return grouped(int64(n)) }

// Millis writes how long something took.
func (v View) Millis(d time.Duration) string {
	return v.T("models.ms", "n", strconv.FormatInt(d.Milliseconds(), 10))
}

// CallOutcome is how a call went, in words.
func (v View) CallOutcome(code string) string {
	if code == "" {
		return v.T("models.ok")
	}
	return v.c.words.T(v.Lang, "errors."+code)
}

// Money writes a price.
func (v View) Money(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', 2, 64)
}

func (c *Console) models(w http.ResponseWriter, r *http.Request) error {
	return c.showModels(w, r, modelsData{Saved: r.URL.Query().Get("saved") != ""}, http.StatusOK)
}

func (c *Console) showModels(w http.ResponseWriter, r *http.Request, d modelsData, status int) error {
	if c.Models == nil {
		return httperr.ErrNotFound
	}
	v := c.view(r)
	var err error
	if d.Rows, err = c.Models.States(r.Context(), v.Me.Actor()); err != nil {
		return err
	}
	v.Nav, v.Title, v.D = "models", v.T("nav.models"), d
	c.page(w, r, status, "models", v)
	return nil
}

func (c *Console) modelForm(w http.ResponseWriter, r *http.Request) error {
	if c.Models == nil {
		return httperr.ErrNotFound
	}
	m := llm.NewModel()
	if r.PathValue("id") != "" {
		id, err := pathID(r, "id")
		if err != nil {
			return err
		}
		if m, err = c.Models.ByID(r.Context(), c.view(r).Me.Actor(), id); err != nil {
			return err
		}
	}
	return c.showModel(w, r, modelData{M: m, In: typed(m)}, http.StatusOK)
}

// typed writes a model's numbers for the form.
func typed(m llm.Model) map[string]string {
	price := func(f *float64) string {
		if f == nil {
			return ""
		}
		return strconv.FormatFloat(*f, 'f', -1, 64)
	}
	return map[string]string{"max_tokens": itoa(m.MaxTokens), "temperature": strconv.FormatFloat(m.Temperature, 'f', -1, 64), "timeout": strconv.FormatFloat(m.Timeout.Seconds(), 'f', -1, 64),
		"concurrency": itoa(m.Concurrency), "daily_tokens": strconv.FormatInt(m.DailyTokens, 10), "rank": itoa(m.Rank), "price_in": price(m.PriceIn), "price_out": price(m.PriceOut)}
}

func (c *Console) showModel(w http.ResponseWriter, r *http.Request, d modelData, status int) error {
	v := c.view(r)
	for _, u := range llm.Uses() {
		d.Uses = append(d.Uses, useRow{u, slices.Contains(d.M.Uses, u)})
	}
	v.Nav, v.Title, v.D = "models", v.T("models.new"), d
	if d.M.ID != uuid.Nil {
		v.Title = d.M.Name
	}
	c.page(w, r, status, "model", v)
	return nil
}

func (c *Console) modelSave(w http.ResponseWriter, r *http.Request) error {
	if c.Models == nil {
		return httperr.ErrNotFound
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v, f := c.view(r), r.PostForm
	m := llm.Model{ID: parseID(f.Get("id")), Version: number(f.Get("version")), Name: clean(f.Get("name"), 100), BaseURL: clean(f.Get("base_url"), 500), Model: clean(f.Get("model"), 200),
		MaySeePersonal: f.Get("may_see_personal") == "yes", KeepTexts: f.Get("keep_texts") == "yes", Enabled: f.Get("enabled") == "yes", HasKey: f.Get("has_key") == "yes"}
	in := map[string]string{}
	bad := ""
	num := func(name string) float64 {
		in[name] = clean(f.Get(name), 30)
		n, err := strconv.ParseFloat(in[name], 64)
		if err != nil && bad == "" {
			bad = name
		}
		return n
	}
	price := func(name string) *float64 {
		if strings.TrimSpace(f.Get(name)) == "" {
			return nil
		}
		p := num(name)
		return &p
	}
	m.MaxTokens, m.Temperature, m.Timeout = int(num("max_tokens")), num("temperature"), time.Duration(num("timeout")*float64(time.Second))
	m.Concurrency, m.DailyTokens, m.Rank = int(num("concurrency")), int64(num("daily_tokens")), int(num("rank"))
	m.PriceIn, m.PriceOut = price("price_in"), price("price_out")
	for _, u := range f["use"] {
		m.Uses = append(m.Uses, llm.Use(u))
	}
	var key *string
	if k := strings.TrimSpace(f.Get("key")); k != "" {
		key = &k
	} else if f.Get("drop_key") == "yes" {
		key = &k
	}
	err := error(nil)
	if bad != "" {
		err = errBadNumber.On(bad)
	} else {
		_, err = c.Models.Save(r.Context(), v.Me.Actor(), m, key)
	}
	if err != nil {
		if !expected(err) {
			return err
		}
		d := modelData{M: m, In: in, Error: c.explain(r.Context(), v, err)}
		var e *errs.Error
		if errors.As(err, &e) {
			d.Field = e.Field
		}
		return c.showModel(w, r, d, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/admin/models?saved=1", http.StatusSeeOther)
	return nil
}

var errBadNumber = errs.New(errs.Invalid, "llm.bad_limits", "a limit is out of bounds")

// modelDo tries a model, switches it on or off, or removes it.
func (c *Console) modelDo(w http.ResponseWriter, r *http.Request) error {
	if c.Models == nil {
		return httperr.ErrNotFound
	}
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	who := v.Me.Actor()
	switch r.PathValue("what") {
	case "try":
		m, err := c.Models.ByID(r.Context(), who, id)
		if err != nil {
			return err
		}
		t := tried{Name: m.Name}
		trial, err := c.Models.Try(r.Context(), who, id)
		if err != nil {
			if errs.KindOf(err) != errs.Unavailable {
				return err
			}
			t.Words = c.explain(r.Context(), v, err)
		}
		t.Trial, t.Millis = trial, trial.Latency.Milliseconds()
		return c.showModels(w, r, modelsData{Tried: &t}, http.StatusOK)
	case "on":
		err = c.Models.Switch(r.Context(), who, id, true)
	case "off":
		err = c.Models.Switch(r.Context(), who, id, false)
	case "remove":
		err = c.Models.Remove(r.Context(), who, id)
	default:
		return httperr.ErrNotFound
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/console/admin/models?saved=1", http.StatusSeeOther)
	return nil
}

func (c *Console) modelCalls(w http.ResponseWriter, r *http.Request) error {
	if c.Models == nil {
		return httperr.ErrNotFound
	}
	v, q := c.view(r), r.URL.Query()
	f := llm.CallFilter{Failed: q.Get("failed") != "", Model: parseID(q.Get("model")), After: parseID(q.Get("after")), Limit: 50}
	if u := llm.Use(q.Get("use")); u.Valid() {
		f.Use = u
	}
	calls, more, err := c.Models.Calls(r.Context(), v.Me.Actor(), f)
	if err != nil {
		return err
	}
	d := callsData{Calls: calls, Uses: llm.Uses(), Use: string(f.Use), Failed: f.Failed}
	if f.Model != uuid.Nil {
		d.Model = f.Model.String()
	}
	if d.Models, err = c.Models.States(r.Context(), v.Me.Actor()); err != nil {
		return err
	}
	if more {
		q.Set("after", calls[len(calls)-1].ID.String())
		d.More = q.Encode()
	}
	return c.showCalls(w, r, v, d, "model-calls", v.T("models.calls"))
}

func (c *Console) modelCall(w http.ResponseWriter, r *http.Request) error {
	if c.Models == nil {
		return httperr.ErrNotFound
	}
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	one, err := c.Models.CallByID(r.Context(), v.Me.Actor(), id)
	if err != nil {
		return err
	}
	return c.showCalls(w, r, v, callsData{Calls: []llm.Call{one}, One: &one}, "model-call", v.T("models.call"))
}

func (c *Console) showCalls(w http.ResponseWriter, r *http.Request, v View, d callsData, page, title string) error {
	who := map[uuid.UUID]bool{}
	for _, one := range d.Calls {
		if one.By != nil {
			who[*one.By] = true
		}
	}
	var err error
	if d.Names, err = c.names(r.Context(), v.Me.Actor(), v.Lang, who); err != nil {
		return err
	}
	v.Nav, v.Title, v.D = "models", title, d
	c.page(w, r, http.StatusOK, page, v)
	return nil
}

// Asker is who asked a model.
func (d callsData) Asker(v View, c llm.Call) string {
	if c.By == nil {
		return v.T("models.program")
	}
	return d.Names[*c.By]
}

// grouped writes a whole number with narrow spaces between thousands, which both languages read.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202F" + s[i:]
	}
	return s
}
