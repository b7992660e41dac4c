package console

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/sla"
	"hotline/web/httperr"
)

const boardRows = 25

// boardRoles are those who watch over deadlines: at the hotline over all agencies, elsewhere over their own tree.
var boardRoles = []string{"operator", "dispatcher", "supervisor", "head"}

// supervisionData is the supervision board: lights by agency, the upper rungs of the ladder, and the orders that are open.
type supervisionData struct {
	Total      lightRow
	Agencies   []lightRow
	Ladder     []rungRow
	LadderMore string
	Orders     []orderRow
	OrdersMore string
	At         time.Time
}

// lightRow is an agency with its open tickets by light.
type lightRow struct {
	tickets.AgencyLights
	Name   string
	Bar    bar
	Late   Light // of the earliest deadline
	Filter string
}

// bar is a row's lights as parts of a bar of the widest row, in units of a thousandth.
type bar struct{ Red, Yellow, Green int }

// YellowAt and GreenAt are where the parts begin.
func (b bar) YellowAt() int { return b.Red }
func (b bar) GreenAt() int  { return b.Red + b.Yellow }

type rungRow struct {
	tickets.Rung
	Agency string
	Light  Light
}

type orderRow struct {
	tickets.Ticket
	Agency string
	Light  Light
}

func (c *Console) boardRoutes(on func(string, []string, handle)) {
	on("GET /console/supervision", boardRoles, c.supervision)
	on("GET /console/quality", ticketRoles, c.quality)
	on("POST /console/tickets/{id}/rectify", ticketRoles, c.rectify)
	on("POST /console/tickets/{id}/assessment-link", ticketRoles, c.assessmentLink)
}

func (c *Console) supervision(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "supervision", v.T("nav.supervision")
	a := actor(v.Me)
	d := &supervisionData{At: v.Now}
	lights, err := c.Tickets.Lights(r.Context(), a)
	if err != nil {
		return err
	}
	most := 0
	for _, l := range lights {
		most = max(most, l.Open)
	}
	for _, l := range lights {
		row := lightRow{AgencyLights: l, Name: v.Agency(l.Agency), Bar: bar{part(l.Red, most), part(l.Yellow, most), part(l.Green, most)}, Late: v.LightOf(nil, optionalTime(l.Oldest))}
		if row.Filter = l.Agency.String(); l.Agency == uuid.Nil {
			row.Name, row.Filter = v.T("boards.at_hotline"), nobody
		}
		d.Agencies = append(d.Agencies, row)
		d.Total.Open, d.Total.Red, d.Total.Yellow, d.Total.Green = d.Total.Open+l.Open, d.Total.Red+l.Red, d.Total.Yellow+l.Yellow, d.Total.Green+l.Green
		d.Total.CriticismStanding += l.CriticismStanding
	}
	ladder, more, err := c.Tickets.Ladder(r.Context(), a, r.URL.Query().Get("ladder"), boardRows)
	if err != nil {
		return err
	}
	d.LadderMore = more
	for _, rung := range ladder {
		d.Ladder = append(d.Ladder, rungRow{rung, v.Agency(rung.Agency), v.LightOf(nil, &rung.DueAt)})
	}
	orders, more, err := c.Tickets.Orders(r.Context(), a, r.URL.Query().Get("orders"), boardRows)
	if err != nil {
		return err
	}
	d.OrdersMore = more
	for _, t := range orders {
		row := orderRow{Ticket: t, Agency: v.Agency(t.Lead), Light: Light{"green", v.T("boards.order_answered")}}
		if t.Supervision == "ordered" {
			clocks, err := c.Tickets.Clocks(r.Context(), a, t.ID)
			if err != nil {
				return err
			}
			for _, clk := range clocks {
				if clk.Name == string(sla.Supervision) {
					row.Light = v.LightOf(nil, &clk.DueAt)
				}
			}
		}
		d.Orders = append(d.Orders, row)
	}
	v.D = d
	c.page(w, r, http.StatusOK, "supervision", v)
	return nil
}

func part(n, of int) int {
	if n == 0 || of == 0 {
		return 0
	}
	return max(4, n*1000/of) // even one ticket is a mark that can be seen
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// qualityData is the board of what comes after the answer.
type qualityData struct {
	Tab        string
	Tabs       []string
	Calls      []callRow
	Rows       []rectifyRow
	Exclusions []exclusionRow
	More       string
	Tries      int
}

type callRow struct {
	tickets.Call
	Agency string
	Light  Light
}

type rectifyRow struct {
	tickets.RectificationRow
	Agency string
	Light  Light
}

type exclusionRow struct {
	tickets.Ticket
	Agency, Reason string
	Own            bool // asked for by the reader: another officer decides
}

func (c *Console) quality(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "quality", v.T("nav.quality")
	a := actor(v.Me)
	d := &qualityData{Tab: r.URL.Query().Get("tab"), Tabs: []string{"rectifications"}, Tries: c.Tickets.Settings().RevisitTries}
	if v.Me.Desk {
		d.Tabs = []string{"calls", "rectifications", "exclusions"}
	}
	if !slices.Contains(d.Tabs, d.Tab) {
		d.Tab = d.Tabs[0]
	}
	after := r.URL.Query().Get("after")
	var err error
	switch d.Tab {
	case "calls":
		var calls []tickets.Call
		calls, d.More, err = c.Tickets.CallList(r.Context(), a, after, boardRows)
		for _, call := range calls {
			d.Calls = append(d.Calls, callRow{call, v.Agency(call.Lead), v.lightOfTicket(call.Ticket)})
		}
	case "exclusions":
		var list []tickets.Ticket
		list, d.More, err = c.Tickets.Exclusions(r.Context(), a, after, boardRows)
		for _, t := range list {
			d.Exclusions = append(d.Exclusions, exclusionRow{t, v.Agency(t.Lead), v.Code(tickets.RequestExclude, t.AskData.Reason), t.AskData.By == v.Me.UserID})
		}
	default:
		var rows []tickets.RectificationRow
		rows, d.More, err = c.Tickets.Rectifications(r.Context(), a, after, boardRows)
		for _, row := range rows {
			light := v.LightOf(nil, &row.DueAt)
			if row.State == "answered" {
				light = Light{"green", v.T("boards.rectify_answered")}
			}
			d.Rows = append(d.Rows, rectifyRow{row, v.Agency(row.Agency), light})
		}
	}
	if err != nil {
		return err
	}
	v.D = d
	c.page(w, r, http.StatusOK, "quality", v)
	return nil
}

// rectify answers the rectification of a ticket.
func (c *Console) rectify(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	t, err := c.Tickets.Rectify(r.Context(), actor(v.Me), id, text(r.PostForm.Get("text")), key(r.PostForm.Get("key")))
	if err != nil {
		return c.panelFailed(w, r, v, err)
	}
	c.Chat.Announce(t)
	return c.acted(w, r, id, v.T("done.rectified"))
}

// assessmentLink makes a link for one assessment and shows it once.
func (c *Console) assessmentLink(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	token, err := c.Tickets.AssessmentLink(r.Context(), actor(v.Me), id)
	if err != nil {
		return c.panelFailed(w, r, v, err)
	}
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	link := fmt.Sprintf("%s/rate/%s", c.BaseURL, token)
	if isHX(r) {
		c.fragment(w, r, http.StatusOK, "assessment-link", v.With(link))
		return nil
	}
	v.Nav, v.Title, v.D = "inbox", v.T("boards.link"), map[string]any{"T": t, "Link": link}
	c.page(w, r, http.StatusOK, "link", v)
	return nil
}

// panelFailed puts the words of an expected error where the page's messages are; other errors go on.
func (c *Console) panelFailed(w http.ResponseWriter, r *http.Request, v View, err error) error {
	if expected(err) && isHX(r) {
		return c.formError(w, r, "#toasts", c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)), nil)
	}
	return err
}
