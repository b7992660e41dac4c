package console

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/flags"
	"hotline/web/httperr"
)

// flagsData is the list of flags with what is proposed, one flag with its history, or the form for a new one.
type flagsData struct {
	Rows      []flagRow
	More      string
	Proposals []flags.Proposal
	One       *flagRow
	Events    []flagEntry
	T         tickets.Ticket
	Types     []string
	Form      flagForm
	May       bool
	Error     string
}

type flagRow struct {
	flags.Flag
	Due bool // its review
	Who string
}

type flagEntry struct {
	flags.Event
	Who string
}

type flagForm struct{ Type, Reason, Review, Expires string }

const (
	flagPage = 50
	flagDay  = "2006-01-02"
)

func (c *Console) flagRows(r *http.Request, v View, list []flags.Flag) ([]flagRow, error) {
	users := map[uuid.UUID]bool{}
	for _, f := range list {
		users[f.SetBy] = true
	}
	names, err := c.names(r.Context(), v.Me.Actor(), v.Lang, users)
	if err != nil {
		return nil, err
	}
	out := make([]flagRow, len(list))
	for i, f := range list {
		out[i] = flagRow{Flag: f, Due: f.EndedAt == nil && !f.ReviewAt.After(v.Now), Who: names[f.SetBy]}
	}
	return out, nil
}

func (c *Console) flags(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "flags", v.T("nav.flags")
	q := r.URL.Query()
	at, err := time.Parse(time.RFC3339Nano, q.Get("after"))
	if err != nil {
		at = time.Time{} // from the start
	}
	list, err := c.Flags.List(r.Context(), actor(v.Me), at, parseID(q.Get("id")), flagPage+1)
	if err != nil {
		return err
	}
	d := flagsData{May: v.Me.Has("supervisor")}
	if len(list) > flagPage {
		list = list[:flagPage]
		last := list[flagPage-1]
		d.More = "after=" + last.ReviewAt.UTC().Format(time.RFC3339Nano) + "&id=" + last.ID.String()
	}
	if d.Rows, err = c.flagRows(r, v, list); err != nil {
		return err
	}
	if d.Proposals, err = c.Flags.Proposals(r.Context(), actor(v.Me)); err != nil {
		return err
	}
	v.D = d
	c.page(w, r, http.StatusOK, "flags", v)
	return nil
}

func (c *Console) flag(w http.ResponseWriter, r *http.Request) error {
	return c.showFlag(w, r, "", nil, http.StatusOK)
}

func (c *Console) showFlag(w http.ResponseWriter, r *http.Request, words string, form *flagForm, status int) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	f, events, err := c.Flags.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	rows, err := c.flagRows(r, v, []flags.Flag{f})
	if err != nil {
		return err
	}
	users := map[uuid.UUID]bool{}
	for _, e := range events {
		users[e.UserID] = true
	}
	names, err := c.names(r.Context(), v.Me.Actor(), v.Lang, users)
	if err != nil {
		return err
	}
	d := flagsData{One: &rows[0], May: v.Me.Has("supervisor") && f.EndedAt == nil, Error: words,
		Form: flagForm{f.Type, f.Reason, c.day(f.ReviewAt), c.day(f.ExpiresAt)}}
	for _, e := range events {
		who := names[e.UserID]
		if who == "" {
			who = v.T("author.system")
		}
		d.Events = append(d.Events, flagEntry{e, who})
	}
	if form != nil {
		d.Form = *form
	}
	v.Nav, v.Title, v.D = "flags", v.T("flag.type_"+f.Type), d
	c.page(w, r, status, "flag", v)
	return nil
}

func (c *Console) day(t time.Time) string { return t.In(c.zone()).Format(flagDay) }

// readFlag reads a flag's form. A day ends at its midnight.
func (c *Console) readFlag(r *http.Request) (flagForm, flags.Draft) {
	q := r.PostForm
	f := flagForm{Type: q.Get("type"), Reason: text(q.Get("reason")), Review: q.Get("review"), Expires: q.Get("expires")}
	day := func(s string) time.Time {
		t, err := time.ParseInLocation(flagDay, s, c.zone())
		if err != nil {
			return time.Time{} // no date; the store says so
		}
		return t.AddDate(0, 0, 1).Add(-time.Minute)
	}
	return f, flags.Draft{Type: f.Type, Reason: f.Reason, ReviewAt: day(f.Review), ExpiresAt: day(f.Expires)}
}

func (c *Console) flagForm(w http.ResponseWriter, r *http.Request) error {
	now := c.clock.Now()
	f := flagForm{Type: r.URL.Query().Get("type"), Review: c.day(now.AddDate(0, 0, 90)), Expires: c.day(now.AddDate(0, 0, 180))}
	return c.showFlagForm(w, r, f, "", http.StatusOK)
}

func (c *Console) showFlagForm(w http.ResponseWriter, r *http.Request, f flagForm, words string, status int) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	v.Nav, v.Title, v.D = "flags", v.T("flag.set_title"), flagsData{T: t, Types: flags.Types(), Form: f, Error: words, May: true}
	c.page(w, r, status, "flagform", v)
	return nil
}

func (c *Console) flagSet(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	f, d := c.readFlag(r)
	if _, err := c.Flags.Set(r.Context(), actor(v.Me), id, d); err != nil {
		if !expected(err) {
			return err
		}
		return c.showFlagForm(w, r, f, c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/tickets/"+id.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) flagChange(w http.ResponseWriter, r *http.Request) error {
	return c.editFlag(w, r, func(v View, id uuid.UUID, version int, d flags.Draft) error {
		return c.Flags.Change(r.Context(), actor(v.Me), id, version, d)
	})
}

func (c *Console) flagEnd(w http.ResponseWriter, r *http.Request) error {
	return c.editFlag(w, r, func(v View, id uuid.UUID, version int, d flags.Draft) error {
		return c.Flags.End(r.Context(), actor(v.Me), id, version, d.Reason)
	})
}

func (c *Console) editFlag(w http.ResponseWriter, r *http.Request, edit func(View, uuid.UUID, int, flags.Draft) error) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	f, d := c.readFlag(r)
	if err := edit(v, id, number(r.PostForm.Get("version")), d); err != nil {
		if !expected(err) {
			return err
		}
		if f.Review == "" { // the form that ends a flag has no dates
			return c.showFlag(w, r, c.explain(r.Context(), v, err), nil, httperr.Status(errs.KindOf(err)))
		}
		return c.showFlag(w, r, c.explain(r.Context(), v, err), &f, httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/flags/"+id.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) flagDismiss(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	if err := c.Flags.Dismiss(r.Context(), actor(v.Me), id); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/flags", http.StatusSeeOther)
	return nil
}
