package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/routing"
	"hotline/tickets"
	"hotline/web/httperr"
)

// What ties a ticket to people and to other tickets: watchers, mentions, links, parts.

// tiesData is the ties of a ticket, with what may be chosen.
type tiesData struct {
	Ticket   uuid.UUID
	Watchers []watcherView
	Watching bool
	People   []tickets.Person // who could watch
	Parts    []tickets.Link
	Links    []tickets.Link
	Blocked  []tickets.Link // open tickets that block this one
	Kinds    []tickets.LinkKind
	MaySplit bool
	Error    string
}

type watcherView struct {
	tickets.Person
	MayRemove bool
}

// LinkWords says what the other ticket is to this one.
func (d tiesData) LinkWords(l tickets.Link) string {
	if l.Inverse {
		return "tools.link_" + string(l.Kind) + "_by"
	}
	return "tools.link_" + string(l.Kind)
}

// Removable: a part is no link that is put on and taken off.
func (d tiesData) Removable(l tickets.Link) bool { return l.Kind != tickets.Part }

func (c *Console) loadTies(ctx context.Context, v View, t tickets.Ticket) (tiesData, error) {
	a := actor(v.Me)
	d := tiesData{Ticket: t.ID, Kinds: tickets.LinkKinds(), MaySplit: c.Tickets.MaySplit(a, t)}
	watchers, err := c.Tickets.Watchers(ctx, a, t.ID)
	if err != nil {
		return d, err
	}
	for _, p := range watchers {
		d.Watching = d.Watching || p.ID == v.Me.UserID
		d.Watchers = append(d.Watchers, watcherView{p, p.ID == v.Me.UserID || a.Leads() && p.Agency == v.Me.AgencyID})
	}
	people, err := c.Tickets.People(ctx, a, t.ID, "", 50)
	if err != nil {
		return d, err
	}
	for _, p := range people {
		if !slices.ContainsFunc(watchers, func(w tickets.Person) bool { return w.ID == p.ID }) {
			d.People = append(d.People, p)
		}
	}
	links, err := c.Tickets.Links(ctx, a, t.ID)
	if err != nil {
		return d, err
	}
	for _, l := range links {
		if l.Kind == tickets.Part && l.Inverse {
			d.Parts = append(d.Parts, l)
			continue
		}
		d.Links = append(d.Links, l)
		if l.Kind == tickets.Blocks && l.Inverse && l.Open() {
			d.Blocked = append(d.Blocked, l)
		}
	}
	return d, nil
}

// showTies answers with the ties alone, or with the ticket's page without htmx.
func (c *Console) showTies(w http.ResponseWriter, r *http.Request, id uuid.UUID, cause error) error {
	v := c.view(r)
	status, words := http.StatusOK, ""
	if cause != nil {
		if !expected(cause) || !isHX(r) {
			return cause
		}
		words, status = c.explain(r.Context(), v, cause), httperr.Status(errs.KindOf(cause))
	}
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	if cause == nil {
		c.Chat.Announce(t)
	}
	if !isHX(r) {
		return c.acted(w, r, id, "")
	}
	d, err := c.loadTies(r.Context(), v, t)
	if err != nil {
		return err
	}
	d.Error = words
	v.D = d
	c.fragment(w, r, status, "ticket-ties", v)
	return nil
}

// tie reads the form of a change and shows what came of it.
func (c *Console) tie(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, v View, id uuid.UUID) error) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	return c.showTies(w, r, id, do(r.Context(), c.view(r), id))
}

func (c *Console) watchTicket(w http.ResponseWriter, r *http.Request) error {
	return c.tie(w, r, func(ctx context.Context, v View, id uuid.UUID) error {
		who := v.Me.UserID
		if name := clean(r.PostForm.Get("name"), 200); name != "" {
			people, err := c.Tickets.People(ctx, actor(v.Me), id, name, 50)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(people, func(p tickets.Person) bool {
				return strings.EqualFold(p.Name, name) || strings.EqualFold(p.NameIn(v.Lang), name)
			})
			if i < 0 {
				return tickets.ErrUnknownUser
			}
			who = people[i].ID
		}
		_, err := c.Tickets.Watch(ctx, actor(v.Me), id, who)
		return err
	})
}

func (c *Console) unwatch(w http.ResponseWriter, r *http.Request) error {
	return c.tie(w, r, func(ctx context.Context, v View, id uuid.UUID) error {
		who := parseID(r.PostForm.Get("user"))
		if who == uuid.Nil {
			who = v.Me.UserID
		}
		_, err := c.Tickets.Unwatch(ctx, actor(v.Me), id, who)
		return err
	})
}

// other finds the ticket that a form names by its number.
func (c *Console) other(ctx context.Context, v View, number string) (uuid.UUID, error) {
	t, err := c.Tickets.ByNumber(ctx, actor(v.Me), number)
	if errs.KindOf(err) == errs.NotFound {
		return uuid.Nil, tickets.ErrBadField.On("other").With("field", "other")
	}
	return t.ID, err
}

func (c *Console) linkAdd(w http.ResponseWriter, r *http.Request) error {
	return c.tie(w, r, func(ctx context.Context, v View, id uuid.UUID) error {
		other, err := c.other(ctx, v, clean(r.PostForm.Get("other"), 40))
		if err != nil {
			return err
		}
		return c.Tickets.Link(ctx, actor(v.Me), id, other, tickets.LinkKind(r.PostForm.Get("kind")))
	})
}

func (c *Console) linkRemove(w http.ResponseWriter, r *http.Request) error {
	return c.tie(w, r, func(ctx context.Context, v View, id uuid.UUID) error {
		return c.Tickets.Unlink(ctx, actor(v.Me), id, parseID(r.PostForm.Get("other")), tickets.LinkKind(r.PostForm.Get("kind")))
	})
}

// people completes a name behind an @.
func (c *Console) people(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	found, err := c.Tickets.People(r.Context(), actor(v.Me), id, clean(r.URL.Query().Get("q"), 60), 8)
	if err != nil {
		return err
	}
	v.D = slices.DeleteFunc(found, func(p tickets.Person) bool { return p.ID == v.Me.UserID })
	c.fragment(w, r, http.StatusOK, "people", v)
	return nil
}

// splitData is the form for a part of a case.
type splitData struct {
	T          tickets.Ticket
	Categories []option
	Agencies   []option
	Form       map[string]string
	Error      string
}

func (c *Console) splitForm(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	return c.showSplit(w, r, id, map[string]string{}, "", http.StatusOK)
}

func (c *Console) showSplit(w http.ResponseWriter, r *http.Request, id uuid.UUID, form map[string]string, words string, status int) error {
	v := c.view(r)
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	if !c.Tickets.MaySplit(actor(v.Me), t) {
		return tickets.ErrForbidden.With("action", "split")
	}
	d := &splitData{T: t, Categories: c.categories(v.Lang), Form: form, Error: words}
	if v.Me.Desk && v.Me.Has("dispatcher") {
		d.Agencies = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return dispatchable(a) })
	}
	v.Nav, v.Title, v.D = "inbox", v.T("tools.split")+" · "+t.Number, d
	if isHX(r) {
		c.fragment(w, r, status, "split-form", v)
		return nil
	}
	c.page(w, r, status, "split", v)
	return nil
}

func (c *Console) split(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	q := r.PostForm
	part, err := c.Tickets.Split(r.Context(), actor(v.Me), id, tickets.PartDraft{Title: clean(q.Get("title"), 200), Description: text(q.Get("description")), Category: q.Get("category"), Lead: parseID(q.Get("lead"))})
	if err != nil {
		if !expected(err) {
			return err
		}
		form := map[string]string{}
		for name := range q {
			form[name] = q.Get(name)
		}
		return c.showSplit(w, r, id, form, c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)))
	}
	c.Chat.Announce(part)
	if t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id); err == nil {
		c.Chat.Announce(t)
	}
	return c.acted(w, r, id, v.T("tools.split_done", "number", part.Number))
}
