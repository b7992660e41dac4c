package console

import (
	"net/http"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

type publishData struct {
	settingBar
	Preview tickets.Preview
	Diff    []diffLine
	Note    string
}

// settingPreview says what a draft would change before it is published.
func (c *Console) settingPreview(kind string, w http.ResponseWriter, r *http.Request) error {
	return c.showPreview(kind, w, r, "", nil)
}

func (c *Console) showPreview(kind string, w http.ResponseWriter, r *http.Request, note string, problem error) error {
	v := c.view(r)
	s, err := c.Tickets.Setting(r.Context(), c.admin(v), kind, r.PathValue("code"))
	if err != nil {
		return err
	}
	if s.Draft == nil {
		http.Redirect(w, r, settingURL(kind, s.Code, ""), http.StatusSeeOther)
		return nil
	}
	d := &publishData{settingBar: c.bar(r, v, s), Note: note, Diff: diff(string(tickets.IndentJSON(kind, s.Body)), string(tickets.IndentJSON(kind, s.Draft)))}
	status := http.StatusOK
	if problem != nil {
		d.Error, d.Field, status = v.problem(problem), fieldOf(problem), httperr.Status(errs.KindOf(problem))
	}
	if d.Preview, err = c.Tickets.Preview(r.Context(), c.admin(v), kind, s.Code, previewBudget); err != nil {
		return err
	}
	v.Nav, v.Title, v.D = "policies", v.T("policies.publish"), d
	c.page(w, r, status, "setting-publish", v)
	return nil
}

func (c *Console) settingPublish(kind string, w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, note := c.view(r), text(r.PostForm.Get("note"))
	if _, err := c.Tickets.Publish(r.Context(), c.admin(v), kind, r.PathValue("code"), number(r.PostForm.Get("edit")), note); err != nil {
		if !expected(err) {
			return err
		}
		return c.showPreview(kind, w, r, note, err)
	}
	c.tellNodes(tickets.SubjectSettings)
	http.Redirect(w, r, "/console/admin/policies?saved=published", http.StatusSeeOther)
	return nil
}

func (c *Console) settingDiscard(kind string, w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	now, err := c.Tickets.Setting(r.Context(), c.admin(v), kind, r.PathValue("code"))
	if err != nil {
		return err
	}
	if err := c.Tickets.DiscardDraft(r.Context(), c.admin(v), kind, now.Code); err != nil {
		return err
	}
	next := settingURL(kind, now.Code, "") + "?saved=discarded"
	if now.Body == nil { // it was nothing but a draft
		next = "/console/admin/policies"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

type versionsData struct {
	settingBar
	Rows  []versionRow
	Shown *tickets.SettingVersion
	Diff  []diffLine
}

type versionRow struct {
	tickets.SettingVersion
	By string
}

func (c *Console) settingVersions(kind string, w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	s, err := c.Tickets.Setting(r.Context(), c.admin(v), kind, r.PathValue("code"))
	if err != nil {
		return err
	}
	d := &versionsData{settingBar: c.bar(r, v, s)}
	list, err := c.Tickets.SettingVersions(r.Context(), c.admin(v), kind, s.Code, 100)
	if err != nil {
		return err
	}
	names := map[uuid.UUID]string{}
	for _, one := range list {
		row := versionRow{SettingVersion: one}
		if one.ChangedBy != uuid.Nil {
			if _, ok := names[one.ChangedBy]; !ok {
				if u, err := c.Auth.Get(r.Context(), one.ChangedBy); err == nil {
					names[one.ChangedBy] = u.NameIn(v.Lang)
				}
			}
			row.By = names[one.ChangedBy]
		}
		d.Rows = append(d.Rows, row)
	}
	if q := r.URL.Query().Get("v"); q != "" {
		for i := range list {
			if itoa(list[i].Version) == q {
				before := ""
				if i+1 < len(list) {
					before = string(tickets.IndentJSON(kind, list[i+1].Body))
				}
				d.Shown, d.Diff = &list[i], diff(before, string(tickets.IndentJSON(kind, list[i].Body)))
			}
		}
	}
	v.Nav, v.Title, v.D = "policies", v.T("policies.versions"), d
	c.page(w, r, http.StatusOK, "setting-versions", v)
	return nil
}

// settingRestore makes an earlier version the draft of the next one.
func (c *Console) settingRestore(kind string, w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, code := c.view(r), r.PathValue("code")
	old, err := c.Tickets.SettingVersion(r.Context(), c.admin(v), kind, code, number(r.PostForm.Get("version")))
	if err != nil {
		return err
	}
	if err := c.Tickets.SaveDraft(r.Context(), c.admin(v), kind, code, old.Body, number(r.PostForm.Get("edit"))); err != nil {
		return err
	}
	http.Redirect(w, r, settingURL(kind, code, "publish"), http.StatusSeeOther)
	return nil
}

// settingExport is the JSON as files hold it: the draft when one is being edited.
func (c *Console) settingExport(kind string, w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	s, err := c.Tickets.Setting(r.Context(), c.admin(v), kind, r.PathValue("code"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+kind+"-"+s.Code+`.json"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(tickets.IndentJSON(kind, s.Editing())) // the connection is all that can fail
	return nil
}

// settingImport makes pasted JSON the draft.
func (c *Console) settingImport(kind string, w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, code := c.view(r), r.PathValue("code")
	s, err := c.Tickets.Setting(r.Context(), c.admin(v), kind, code)
	if err != nil {
		return err
	}
	body := text(r.PostForm.Get("json"))
	if len(body) > maxImport {
		return httperr.ErrBodyTooLarge
	}
	err = c.Tickets.SaveDraft(r.Context(), c.admin(v), kind, code, []byte(body), number(r.PostForm.Get("edit")))
	if err == nil {
		http.Redirect(w, r, settingURL(kind, code, "publish"), http.StatusSeeOther)
		return nil
	}
	if !expected(err) {
		return err
	}
	if kind == tickets.SettingCalendar {
		doc, readErr := s.Calendar()
		if readErr != nil {
			return readErr
		}
		return c.showCalendar(w, r, v, s, doc, err)
	}
	set, readErr := s.Set()
	if readErr != nil {
		return readErr
	}
	return c.showPolicySet(w, r, v, s, set, err)
}
