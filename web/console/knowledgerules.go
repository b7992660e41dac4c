package console

import (
	"net/http"

	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/web/httperr"
)

// The rules of the knowledge base: what keeps articles right, and what is learned from use. Each of the two is saved for itself.

type rulesData struct {
	S        knowledge.Settings
	L        learn.Settings
	Rows     []ruleRow
	Learning []ruleRow
	Error    string
	Field    string
	Saved    bool
}

type ruleRow struct {
	Name  string
	Value int
	Max   int
}

func (c *Console) knowledgeRules(w http.ResponseWriter, r *http.Request) error {
	return c.showRules(w, r, http.StatusOK, &rulesData{Saved: r.URL.Query().Has("saved")})
}

// showRules fills in what was not sent.
func (c *Console) showRules(w http.ResponseWriter, r *http.Request, status int, d *rulesData) error {
	v := c.view(r)
	var err error
	if d.S.Version == 0 {
		if d.S, err = c.Knowledge.Settings(r.Context()); err != nil {
			return err
		}
	}
	if d.L.Version == 0 {
		if d.L, err = c.Learn.Settings(r.Context()); err != nil {
			return err
		}
	}
	v.Nav, v.Title = "knowledge", v.T("care.rules")
	d.Rows = []ruleRow{{"review_months", d.S.ReviewMonths, 120}, {"expiring_days", d.S.ExpiringDays, 365}, {"negative_share", d.S.NegativeShare, 100},
		{"negative_least", d.S.NegativeLeast, 1000}, {"correction_days", d.S.CorrectionDays, 60}, {"remind_share", d.S.RemindShare, 90}, {"escalate_days", d.S.EscalateDays, 60}}
	d.Learning = []ruleRow{{"preview_days", d.L.PreviewDays, learn.MaxPreviewDays}, {"keep_months", d.L.KeepMonths, learn.MaxKeepMonths}}
	v.D = d
	c.page(w, r, status, "knowledge-rules", v)
	return nil
}

func administrator(v View) knowledge.Staff {
	by := staff(v)
	if v.Me.Has("administrator") {
		by.Actor = by.Actor.AsAdministrator()
	}
	return by
}

func (c *Console) knowledgeRulesSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	q := r.PostForm
	n := knowledge.Settings{Version: number(q.Get("version")), ReviewMonths: number(q.Get("review_months")), ExpiringDays: number(q.Get("expiring_days")),
		NegativeShare: number(q.Get("negative_share")), NegativeLeast: number(q.Get("negative_least")), CorrectionDays: number(q.Get("correction_days")),
		RemindShare: number(q.Get("remind_share")), EscalateDays: number(q.Get("escalate_days"))}
	return c.rulesSaved(w, r, &rulesData{S: n}, c.Knowledge.SaveSettings(r.Context(), administrator(c.view(r)), n))
}

func (c *Console) learningRulesSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	q := r.PostForm
	n := learn.Settings{Version: number(q.Get("version")), KeepMonths: number(q.Get("keep_months")), PreviewDays: number(q.Get("preview_days"))}
	return c.rulesSaved(w, r, &rulesData{L: n}, c.Learn.SaveSettings(r.Context(), administrator(c.view(r)), n))
}

func (c *Console) rulesSaved(w http.ResponseWriter, r *http.Request, d *rulesData, err error) error {
	if err == nil {
		http.Redirect(w, r, "/console/knowledge/rules?saved=1", http.StatusSeeOther)
		return nil
	}
	if !expected(err) {
		return err
	}
	v := c.view(r)
	d.Error, d.Field = c.explain(r.Context(), v, err), fieldOf(err)
	if d.Field != "" {
		d.Error = v.T("error.on", "field", v.T("care."+d.Field), "words", d.Error)
	}
	return c.showRules(w, r, httperr.Status(errs.KindOf(err)), d)
}
