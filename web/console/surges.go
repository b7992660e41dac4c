package console

import (
	"html/template"
	"net/http"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/surges"
	"hotline/web/httperr"
)

// surgesData is the board of surges, and one of them with the tickets behind it.
type surgesData struct {
	Rows    []surges.Surge
	More    template.URL
	One     *surges.Surge
	Behind  []tickets.Duplicate
	Who     string
	Mass    string // number of the mass event made of it
	MayLead bool
	Note    string
	Error   string
	Title   string // proposed for a mass event
}

const surgePage = 30

// SurgeName is what a surge is about, in words.
func (v View) SurgeName(s surges.Surge) string {
	area := v.T("surge.everywhere")
	if s.Area != "" {
		area = v.Area(s.Area)
	}
	return v.T("surge.name", "category", v.Category(s.Category), "area", area)
}

// Whole writes an expected number.
func (v View) Whole(f float64) string {
	if f < 1 {
		return v.T("surge.less_than_one")
	}
	return itoa(int(f + 0.5))
}

func (c *Console) surges(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "surges", v.T("nav.surges")
	before, last := pageMark(r, "before")
	rows, err := c.Surges.List(r.Context(), actor(v.Me), before, last, surgePage+1)
	if err != nil {
		return err
	}
	d := surgesData{Rows: rows}
	if len(rows) > surgePage {
		d.Rows = rows[:surgePage]
		d.More = markQuery("before", d.Rows[surgePage-1].OpenedAt, d.Rows[surgePage-1].ID)
	}
	v.D = d
	c.page(w, r, http.StatusOK, "surges", v)
	return nil
}

func (c *Console) surge(w http.ResponseWriter, r *http.Request) error {
	return c.showSurge(w, r, "", "", http.StatusOK)
}

func (c *Console) showSurge(w http.ResponseWriter, r *http.Request, words, note string, status int) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	one, behind, err := c.Surges.ByID(r.Context(), actor(v.Me), id, 100)
	if err != nil {
		return err
	}
	d := surgesData{One: &one, Behind: behind, Error: words, Note: note, MayLead: hasAny(v.Me, "dispatcher", "supervisor"), Title: v.SurgeName(one)}
	names, err := c.names(r.Context(), v.Me.Actor(), v.Lang, map[uuid.UUID]bool{one.AcknowledgedBy: true})
	if err != nil {
		return err
	}
	d.Who = names[one.AcknowledgedBy]
	if one.Mass != uuid.Nil {
		if t, err := c.Tickets.ByID(r.Context(), actor(v.Me), one.Mass); err == nil {
			d.Mass = t.Number
		}
	}
	v.Nav, v.Title, v.D = "surges", d.Title, d
	c.page(w, r, status, "surge", v)
	return nil
}

func (c *Console) surgeAcknowledge(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	note := text(r.PostForm.Get("note"))
	if err := c.Surges.Acknowledge(r.Context(), actor(v.Me), id, note); err != nil {
		if !expected(err) {
			return err
		}
		return c.showSurge(w, r, c.explain(r.Context(), v, err), note, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/surges/"+id.String(), http.StatusSeeOther)
	return nil
}

// surgeMass makes a mass event of a surge and goes there.
func (c *Console) surgeMass(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	t, err := c.Surges.MakeMass(r.Context(), actor(v.Me), id, clean(r.PostForm.Get("title"), 300))
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showSurge(w, r, c.explain(r.Context(), v, err), "", httperr.Status(errs.KindOf(err)))
	}
	c.Chat.Announce(t)
	http.Redirect(w, r, "/console/mass/"+t.ID.String(), http.StatusSeeOther)
	return nil
}
