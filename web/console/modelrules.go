package console

import (
	"net/http"
	"strings"

	"hotline/chat/assist"
	"hotline/internal/errs"
	"hotline/internal/llm"
	"hotline/routing"
	"hotline/web/httperr"
)

// How language models write in this jurisdiction and what they may read: one page beside the models, for administrators.

// modelRulesData is the form, and beside it what each model sees by its own settings.
type modelRulesData struct {
	Tone, Sentences string // as typed
	Confidential    bool
	Version         int
	Models          []llm.State
	Saved           bool
	Error, Field    string
	MaxTone, Most   int
	DefaultTone     string // what stands where nothing is said
	DefaultLength   int
}

func (c *Console) modelRules(w http.ResponseWriter, r *http.Request) error {
	j := c.Routing.Snapshot().Jurisdiction()
	rules := j.ModelRules()
	d := &modelRulesData{Tone: rules.Tone, Confidential: rules.Confidential, Version: j.Version, Saved: r.URL.Query().Has("saved")}
	if rules.Sentences > 0 {
		d.Sentences = itoa(rules.Sentences)
	}
	return c.showModelRules(w, r, http.StatusOK, d)
}

func (c *Console) showModelRules(w http.ResponseWriter, r *http.Request, status int, d *modelRulesData) error {
	if c.Models == nil {
		return httperr.ErrNotFound
	}
	v := c.view(r)
	var err error
	if d.Models, err = c.Models.States(r.Context(), v.Me.Actor()); err != nil {
		return err
	}
	d.MaxTone, d.Most = routing.MaxTone, routing.MaxSentences
	d.DefaultTone, d.DefaultLength = assist.DefaultTone, assist.DefaultSentences
	v.Nav, v.Title, v.D = "models", v.T("modelrules.title"), d
	c.page(w, r, status, "model-rules", v)
	return nil
}

func (c *Console) modelRulesSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, q := c.view(r), r.PostForm
	d := &modelRulesData{Tone: clean(q.Get("tone"), 500), Sentences: strings.TrimSpace(q.Get("sentences")), Confidential: q.Get("confidential") != "", Version: number(q.Get("version"))}
	rules := routing.ModelRules{Tone: d.Tone, Confidential: d.Confidential}
	if d.Sentences != "" {
		if rules.Sentences = number(d.Sentences); rules.Sentences < 1 {
			rules.Sentences = -1 // not a number of sentences
		}
	}
	err := c.Routing.SetModelRules(r.Context(), v.Me.Actor(), d.Version, rules)
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/admin/models/rules?saved=1", http.StatusSeeOther)
		return nil
	case !expected(err):
		return err
	}
	d.Error, d.Field = c.explain(r.Context(), v, err), fieldOf(err)
	return c.showModelRules(w, r, httperr.Status(errs.KindOf(err)), d)
}
