package console

import (
	"context"
	"html/template"
	"net/http"

	"github.com/google/uuid"

	"hotline/internal/auth"
	"hotline/internal/errs"
	"hotline/web/httperr"
)

type profileData struct{ Error, Saved string }

func (c *Console) showProfile(w http.ResponseWriter, r *http.Request, d profileData, status int) error {
	v := c.view(r)
	v.Nav, v.Title, v.D = "profile", v.T("profile.title"), d
	c.page(w, r, status, "profile", v)
	return nil
}

func (c *Console) profile(w http.ResponseWriter, r *http.Request) error {
	d := profileData{}
	if r.URL.Query().Get("saved") != "" {
		d.Saved = c.view(r).T("saved")
	}
	return c.showProfile(w, r, d, http.StatusOK)
}

func (c *Console) profileLanguage(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	lang := r.PostForm.Get("lang_of")
	if !c.words.Has(lang) {
		return httperr.ErrMalformed
	}
	p, _ := principal(r.Context())
	if err := c.Auth.SetLang(r.Context(), p, lang); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/profile?saved=1", http.StatusSeeOther)
	return nil
}

// profilePassword changes the own password. Other sessions of the same person end; this one goes on.
func (c *Console) profilePassword(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	q := r.PostForm
	if q.Get("password") != q.Get("again") {
		return c.showProfile(w, r, profileData{Error: v.T("profile.differ")}, http.StatusBadRequest)
	}
	p, err := c.Auth.ChangePassword(r.Context(), *v.Me, q.Get("old"), q.Get("password"), httperr.Address(r, c.TrustedProxies))
	if err != nil {
		words := c.words.Error(v.Lang, err)
		switch kind := errs.KindOf(err); {
		case kind == errs.Unauthenticated:
			return c.showProfile(w, r, profileData{Error: v.T("profile.wrong")}, http.StatusBadRequest)
		case expected(err):
			return c.showProfile(w, r, profileData{Error: words}, httperr.Status(kind))
		}
		return err
	}
	if err := c.begin(r.Context(), p); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/profile?saved=1", http.StatusSeeOther)
	return nil
}

type noticesData struct {
	Rows   []noticeRow
	More   template.URL
	Unread bool
}

type noticeRow struct {
	notice
	URL string
}

func (c *Console) notifications(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "notifications", v.T("nav.notifications")
	before, last := pageMark(r, "before")
	rows, err := c.notices(r.Context(), v.Me.Actor(), v.Me.Roles, before, last, 51)
	if err != nil {
		return err
	}
	d := noticesData{}
	if len(rows) > 50 {
		rows = rows[:50]
		d.More = markQuery("before", rows[49].At, rows[49].ID)
	}
	for _, n := range rows {
		row := noticeRow{notice: n}
		switch n.Type {
		case "surge":
			row.URL = "/console/surges"
		case "flag_review":
			row.URL = "/console/flags"
		}
		if n.TicketID != nil || n.Article != nil {
			row.URL = "/console/notifications/" + n.ID.String()
		}
		d.Unread = d.Unread || n.ReadAt == nil
		d.Rows = append(d.Rows, row)
	}
	v.D = d
	c.page(w, r, http.StatusOK, "notifications", v)
	return nil
}

// notification goes to what a notice is about; whoever opens it has read it.
func (c *Console) notification(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	p, _ := principal(r.Context())
	to, err := c.openNotice(r.Context(), p.Actor(), p.Roles, id)
	if err != nil {
		return err
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (c *Console) notificationsRead(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	p, _ := principal(r.Context())
	var id *uuid.UUID
	if one := r.PostForm.Get("id"); one != "" {
		parsed := parseID(one)
		if parsed == uuid.Nil {
			return httperr.ErrNotFound
		}
		id = &parsed
	}
	if err := c.markRead(r.Context(), p.Actor(), p.Roles, id); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/notifications", http.StatusSeeOther)
	return nil
}

func (c *Console) unread(ctx context.Context, p *auth.Principal) int {
	n, err := c.countUnread(ctx, p.Actor(), p.Roles)
	if err != nil && ctx.Err() == nil { // whoever left the page wants no number
		c.Log.WarnContext(ctx, "unread notices", "error", err)
	}
	return n
}
