package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"

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
	After   string // where the list goes on: what was skipped stays skipped
	Returns []returned
	Error   string
}

type returned struct{ Agency, Reason, Basis string }

// desk shows the most urgent case that waits for dispatch.
func (c *Console) desk(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	t, d, err := c.nextCase(r.Context(), v, r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	return c.showDesk(w, r, v, t, d, http.StatusOK)
}

// nextCase is the most urgent case behind after; behind the last one the skipped ones come again. nil when nothing waits.
func (c *Console) nextCase(ctx context.Context, v View, after string) (*tickets.Ticket, *deskData, error) {
	page, err := c.Tickets.List(ctx, actor(v.Me), tickets.ViewPendingDispatch, tickets.Filter{}, after, 1)
	if errors.Is(err, tickets.ErrBadCursor) || err == nil && len(page.Rows) == 0 && after != "" {
		after = ""
		page, err = c.Tickets.List(ctx, actor(v.Me), tickets.ViewPendingDispatch, tickets.Filter{}, "", 1)
	}
	if err != nil {
		return nil, nil, err
	}
	d := &deskData{After: after}
	if len(page.Rows) == 0 {
		return nil, d, nil
	}
	if page.Next != "" {
		d.Skip = "/console/desk?after=" + page.Next
	} else if after != "" {
		d.Skip = "/console/desk"
	}
	return &page.Rows[0].Ticket, d, nil
}

func deskMove(t tickets.Ticket) tickets.Action {
	if t.State == tickets.InCoordination {
		return tickets.Designate
	}
	return tickets.Dispatch
}

func (c *Console) showDesk(w http.ResponseWriter, r *http.Request, v View, t *tickets.Ticket, d *deskData, status int) error {
	v.Nav, v.Title = "desk", v.T("nav.desk")
	counts, err := c.Tickets.Counts(r.Context(), actor(v.Me))
	if err != nil {
		return err
	}
	d.Left = atMost(counts[tickets.ViewPendingDispatch])
	if t != nil {
		d.Light, d.Move = v.lightOfTicket(*t), deskMove(*t)
		v.Watch.Ticket = t.ID.String()
		if d.Action == nil {
			if d.Action, err = c.newAction(r.Context(), v, *t, d.Move); errs.KindOf(err) == errs.Conflict {
				d.Action = &actionData{T: *t, Version: t.Version} // coordination first: the ticket's own page has the action
			} else if err != nil {
				return err
			}
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
		return c.deskFailed(w, r, v, id, name, err)
	}
	next := url.Values{"done": {id.String()}}
	if after := r.PostForm.Get("after"); after != "" {
		next.Set("after", after)
	}
	http.Redirect(w, r, "/console/desk?"+next.Encode(), http.StatusSeeOther)
	return nil
}

// deskFailed shows the same case again with what was chosen. A case that somebody else has dispatched gives way to the next one, with words
// that name it.
func (c *Console) deskFailed(w http.ResponseWriter, r *http.Request, v View, id uuid.UUID, name tickets.Action, cause error) error {
	if !expected(cause) {
		return cause
	}
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	status, after := httperr.Status(errs.KindOf(cause)), r.PostForm.Get("after")
	action, err := c.newAction(r.Context(), v, t, name)
	if err == nil {
		action.fill(r.PostForm)
		d := &deskData{Action: action, After: after, Error: c.explain(r.Context(), v, cause)}
		if _, next, err := c.nextCase(r.Context(), v, after); err == nil {
			d.Skip = next.Skip
		}
		return c.showDesk(w, r, v, &t, d, status)
	}
	if errs.KindOf(err) != errs.Conflict {
		return err
	}
	next, d, err := c.nextCase(r.Context(), v, after)
	if err != nil {
		return err
	}
	state := v.State(t.State)
	if agency := v.Agency(t.Lead); agency != "" {
		state += " · " + agency
	}
	d.Error = v.T("desk.gone", "number", t.Number, "state", state)
	return c.showDesk(w, r, v, next, d, status)
}
