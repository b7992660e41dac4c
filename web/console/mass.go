package console

import (
	"html/template"
	"net/http"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

// massData is the page of one mass event.
type massData struct {
	T         tickets.Ticket
	M         tickets.MassEvent
	Shown     bool // it is one, or was
	Progress  progressData
	Children  []tickets.Child
	More      string // the last child shown, to go on after
	MayLead   bool   // mark and end
	MayTell   bool
	Text      string // an update that could not be sent
	Error     string
	Form      massForm
	Areas     []option
	Radii     []int
	CanRadius bool
}

type massForm struct {
	Title, Category, Area string
	Radius                int
	Public                bool
	Categories            []option
}

// progressData is how far broadcasts have come; it asks again while one is under way.
type progressData struct {
	ID      uuid.UUID
	Rows    []broadcastView
	Running bool
}

type broadcastView struct {
	tickets.BroadcastView
	Who string
}

// Reached is how many have the message.
func (b broadcastView) Reached() int { return b.Sent + b.Mailbox }

const massPage = 30

func (c *Console) massList(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "mass", v.T("mass.board")
	before, last := pageMark(r, "before")
	rows, err := c.Tickets.MassEvents(r.Context(), actor(v.Me), before, last, massPage+1)
	if err != nil {
		return err
	}
	d := struct {
		Rows []tickets.MassEvent
		More template.URL
	}{Rows: rows}
	if len(rows) > massPage {
		d.Rows = rows[:massPage]
		d.More = markQuery("before", d.Rows[massPage-1].MarkedAt, d.Rows[massPage-1].TicketID)
	}
	v.D = d
	c.page(w, r, http.StatusOK, "mass", v)
	return nil
}

func (c *Console) loadMass(r *http.Request, v View, id uuid.UUID) (*massData, error) {
	ctx, act := r.Context(), actor(v.Me)
	t, err := c.Tickets.ByID(ctx, act, id)
	if err != nil {
		return nil, err
	}
	d := &massData{T: t, CanRadius: t.Lat != nil, Radii: []int{200, 500, 1000, 2000, 5000, 10000}}
	if d.M, d.Shown, err = c.Tickets.MassOf(ctx, act, id); err != nil {
		return nil, err
	}
	d.MayLead = v.Me.Desk && hasAny(v.Me, "dispatcher", "supervisor") && t.Open() && !t.Confidential
	lead := t.Lead == v.Me.AgencyID && hasAny(v.Me, "handler", "head") && t.State.Info().Holder != tickets.HeldByDesk
	d.MayTell = t.Open() && (v.Me.Desk && hasAny(v.Me, "operator", "dispatcher", "supervisor") || lead)
	if d.Progress, err = c.progress(r, v, id); err != nil {
		return nil, err
	}
	if d.Children, err = c.Tickets.Children(ctx, act, id, parseID(r.URL.Query().Get("after")), massPage+1); err != nil {
		return nil, err
	}
	if len(d.Children) > massPage {
		d.Children = d.Children[:massPage]
		d.More = d.Children[massPage-1].ID.String()
	}
	d.Form = massForm{Title: t.Title, Category: t.Category, Area: t.Area, Public: true, Categories: c.categories(v.Lang)}
	if t.Lat != nil {
		d.Form.Radius = 1000
	}
	if d.Shown {
		d.Form.Title, d.Form.Category, d.Form.Area, d.Form.Radius, d.Form.Public = d.M.Title, d.M.Category, d.M.Area, d.M.Radius, d.M.Public
	}
	d.Areas = c.areaOptions(v.Lang)
	return d, nil
}

func (c *Console) progress(r *http.Request, v View, id uuid.UUID) (progressData, error) {
	d := progressData{ID: id}
	rows, err := c.Tickets.Broadcasts(r.Context(), actor(v.Me), id)
	if err != nil {
		return d, err
	}
	users := map[uuid.UUID]bool{}
	for _, b := range rows {
		users[b.UserID] = true
	}
	names, err := c.names(r.Context(), v.Me.Actor(), v.Lang, users)
	if err != nil {
		return d, err
	}
	for _, b := range rows {
		one := broadcastView{BroadcastView: b, Who: names[b.UserID]}
		if one.Who == "" {
			one.Who = v.Agency(b.AgencyID)
		}
		d.Rows = append(d.Rows, one)
		d.Running = d.Running || !b.Done()
	}
	return d, nil
}

func (c *Console) massEvent(w http.ResponseWriter, r *http.Request) error {
	return c.showMass(w, r, http.StatusOK, nil)
}

func (c *Console) showMass(w http.ResponseWriter, r *http.Request, status int, edit func(*massData)) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	d, err := c.loadMass(r, v, id)
	if err != nil {
		return err
	}
	if edit != nil {
		edit(d)
	}
	v.Nav, v.Title, v.D = "mass", d.T.Number, d
	c.page(w, r, status, "massevent", v)
	return nil
}

// broadcasts is the progress alone, for a page that waits.
func (c *Console) broadcasts(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	d, err := c.progress(r, v, id)
	if err != nil {
		return err
	}
	v.D = d
	c.fragment(w, r, http.StatusOK, "broadcasts", v)
	return nil
}

// massForm is the page on which a ticket becomes a mass event.
func (c *Console) massForm(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/console/mass/"+id.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) massMark(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v, q := c.view(r), r.PostForm
	f := massForm{Title: clean(q.Get("title"), 1000), Category: q.Get("category"), Area: q.Get("area"), Radius: number(q.Get("radius")), Public: q.Get("public") != ""}
	t, err := c.Tickets.MarkMass(r.Context(), actor(v.Me), id, tickets.MassDraft{Title: f.Title, Category: f.Category, Area: f.Area, Radius: f.Radius, Public: f.Public}, key(q.Get("key")))
	if err != nil {
		return c.massFailed(w, r, v, err, func(d *massData) {
			f.Categories = d.Form.Categories
			d.Form = f
		})
	}
	c.Chat.Announce(t)
	return c.massDone(w, r, id, v.T("mass.done_marked"))
}

func (c *Console) massEnd(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	t, err := c.Tickets.EndMass(r.Context(), actor(v.Me), id, key(r.PostForm.Get("key")))
	if err != nil {
		return c.massFailed(w, r, v, err, nil)
	}
	c.Chat.Announce(t)
	return c.massDone(w, r, id, v.T("mass.done_ended"))
}

func (c *Console) broadcast(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	words := text(r.PostForm.Get("text"))
	t, err := c.Tickets.Broadcast(r.Context(), actor(v.Me), id, words, key(r.PostForm.Get("key")))
	if err != nil {
		return c.massFailed(w, r, v, err, func(d *massData) { d.Text = words })
	}
	c.Chat.Announce(t)
	return c.massDone(w, r, id, v.T("mass.done_told"))
}

func (c *Console) massDone(w http.ResponseWriter, r *http.Request, id uuid.UUID, words string) error {
	toast(w, words)
	http.Redirect(w, r, "/console/mass/"+id.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) massFailed(w http.ResponseWriter, r *http.Request, v View, cause error, edit func(*massData)) error {
	if !expected(cause) {
		return cause
	}
	return c.showMass(w, r, httperr.Status(errs.KindOf(cause)), func(d *massData) {
		d.Error = c.explain(r.Context(), v, cause)
		if edit != nil {
			edit(d)
		}
	})
}
