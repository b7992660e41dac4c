package console

import (
	"net/http"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

// deskData is the dispatcher's desk: one case at a time.
type deskData struct {
	Left    string
	Action  *actionData // nil when nothing waits
	Light   Light
	Move    tickets.Action
	Skip    string // address of the next case
	Returns []returned
	Error   string
}

type returned struct{ Agency, Reason, Basis string }

// desk shows the most urgent case that waits for dispatch.
func (c *Console) desk(w http.ResponseWriter, r *http.Request) error {
	return c.showDesk(w, r, r.URL.Query().Get("after"), "", http.StatusOK)
}

func (c *Console) showDesk(w http.ResponseWriter, r *http.Request, after, words string, status int) error {
	v := c.view(r)
	v.Nav, v.Title = "desk", v.T("nav.desk")
	page, err := c.Tickets.List(r.Context(), actor(v.Me), tickets.ViewPendingDispatch, tickets.Filter{}, after, 1)
	if err != nil {
		return err
	}
	d := &deskData{Error: words}
	counts, err := c.Tickets.Counts(r.Context(), actor(v.Me))
	if err != nil {
		return err
	}
	d.Left = atMost(counts[tickets.ViewPendingDispatch])
	if len(page.Rows) > 0 {
		t := page.Rows[0].Ticket
		d.Light, d.Move = v.lightOfTicket(t), tickets.Dispatch
		v.Watch.Ticket = t.ID.String()
		if t.State == tickets.InCoordination {
			d.Move = tickets.Designate
		}
		if d.Action, err = c.newAction(v, t, d.Move); err != nil && errs.KindOf(err) != errs.Conflict {
			return err
		}
		if err != nil {
			d.Action = &actionData{T: t, Version: t.Version} // coordination first: the ticket's own page has the action
		}
		if page.Next != "" {
			d.Skip = "/console/desk?after=" + page.Next
		}
		events, err := c.Tickets.Timeline(r.Context(), actor(v.Me), t.ID)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Type == string(tickets.RequestReturn) || e.Type == string(tickets.RequestTransfer) {
				d.Returns = append(d.Returns, returned{Agency: v.Agency(e.AgencyID), Reason: v.Code(tickets.Action(e.Type), e.Data.Reason), Basis: e.Data.Basis})
			}
		}
	}
	v.D = d
	c.page(w, r, status, "desk", v)
	return nil
}

// deskDispatch dispatches the case and shows the next one.
func (c *Console) deskDispatch(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	name := tickets.Dispatch
	if r.PostForm.Get("move") == string(tickets.Designate) {
		name = tickets.Designate
	}
	f, err := c.readFields(r.Context(), v, r)
	if err == nil && len(f.Co) == 0 && f.Lead != uuid.Nil {
		// The proposal that was chosen brings its co-agencies.
		t, readErr := c.Tickets.ByID(r.Context(), actor(v.Me), id)
		if readErr != nil {
			return readErr
		}
		for _, p := range v.route(t).Options {
			if p.ID == f.Lead {
				f.Co = p.Co
			}
		}
	}
	if err == nil {
		_, err = c.apply(r.Context(), v, id, number(r.PostForm.Get("version")), name, f, key(r.PostForm.Get("key")))
	}
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showDesk(w, r, "", c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/desk?done="+id.String(), http.StatusSeeOther)
	return nil
}
