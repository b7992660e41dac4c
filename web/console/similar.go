package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/likeness"
	"hotline/web/httperr"
)

// similarData is what may belong together with a ticket: known mass events, likely duplicates, and what is merged into it.
type similarData struct {
	T        tickets.Ticket
	Found    []duplicateView
	Offers   []tickets.MassEvent
	Mass     *tickets.MassEvent // the ticket is one
	Children []tickets.Child
	More     bool   // there are more children than shown
	Parent   string // number of the ticket that it is merged into
	MayMerge bool   // this ticket into another
	MayTake  bool   // others into this one
	MayMass  bool
	MayFree  bool
	From     string // "desk" at the dispatch desk
	Error    string
}

// duplicateView is a likely duplicate in words.
type duplicateView struct {
	tickets.Duplicate
	Percent int
	Why     []string
}

const shownChildren = 10

// Likeness puts the evidence into words.
func (v View) Likeness(reasons []likeness.Reason) []string {
	out := make([]string, 0, len(reasons))
	for _, r := range reasons {
		key := "similar.reason." + r.Code
		if r.Code == likeness.Time && r.N < 1 || r.Code == likeness.Distance && r.N < 10 {
			key += "_same"
		}
		out = append(out, v.T(key, "n", r.N))
	}
	return out
}

func (c *Console) massRoutes(on func(string, []string, handle)) {
	on("GET /console/tickets/{id}/similar", ticketRoles, c.similar)
	on("POST /console/tickets/{id}/join", ticketRoles, c.join)
	on("POST /console/tickets/{id}/gather", ticketRoles, c.gather)
	on("POST /console/tickets/{id}/release", ticketRoles, c.release)
	on("GET /console/tickets/{id}/mass", ticketRoles, c.massForm)
	on("POST /console/tickets/{id}/mass", ticketRoles, c.massMark)
	on("POST /console/tickets/{id}/mass/end", ticketRoles, c.massEnd)
	on("POST /console/tickets/{id}/broadcast", ticketRoles, c.broadcast)
	on("GET /console/tickets/{id}/broadcasts", ticketRoles, c.broadcasts)
	on("GET /console/mass", ticketRoles, c.massList)
	on("GET /console/mass/{id}", ticketRoles, c.massEvent)
	desk := []string{"operator", "dispatcher", "supervisor"}
	on("GET /console/surges", desk, c.surges)
	on("GET /console/surges/{id}", desk, c.surge)
	on("POST /console/surges/{id}/acknowledge", []string{"dispatcher", "supervisor"}, c.surgeAcknowledge)
	on("POST /console/surges/{id}/mass", []string{"dispatcher", "supervisor"}, c.surgeMass)
	on("GET /console/flags", desk, c.flags)
	on("GET /console/flags/{id}", desk, c.flag)
	on("POST /console/flags/{id}", []string{"supervisor"}, c.flagChange)
	on("POST /console/flags/{id}/end", []string{"supervisor"}, c.flagEnd)
	on("POST /console/flags/proposals/{id}/dismiss", []string{"supervisor"}, c.flagDismiss)
	on("GET /console/tickets/{id}/flag", []string{"supervisor"}, c.flagForm)
	on("POST /console/tickets/{id}/flag", []string{"supervisor"}, c.flagSet)
}

func (c *Console) loadSimilar(r *http.Request, v View, id uuid.UUID) (*similarData, error) {
	ctx, act := r.Context(), actor(v.Me)
	t, err := c.Tickets.ByID(ctx, act, id)
	if err != nil {
		return nil, err
	}
	d := &similarData{T: t, From: r.FormValue("from")}
	for _, m := range c.Tickets.Moves(act, t) {
		d.MayMerge = d.MayMerge || m.Name == tickets.Merge
		d.MayFree = d.MayFree || m.Name == tickets.Unmerge
	}
	leads := v.Me.Desk && hasAny(v.Me, "dispatcher", "supervisor")
	d.MayTake, d.MayMass = leads && t.Open(), leads && t.Open() && !t.Confidential
	if t.State == tickets.Merged {
		if parent, err := c.Tickets.ByID(ctx, act, t.Parent); err == nil {
			d.Parent = parent.Number
		}
		return d, nil
	}
	found, err := c.Tickets.Duplicates(ctx, act, id)
	if err != nil {
		return nil, err
	}
	for _, one := range found {
		d.Found = append(d.Found, duplicateView{Duplicate: one, Percent: percent(one.Score), Why: v.Likeness(one.Reasons)})
	}
	if d.Offers, err = c.Tickets.MassFor(ctx, act, id); err != nil {
		return nil, err
	}
	// What is offered above need not be listed again.
	d.Found = slices.DeleteFunc(d.Found, func(one duplicateView) bool {
		return slices.ContainsFunc(d.Offers, func(m tickets.MassEvent) bool { return m.TicketID == one.ID })
	})
	if m, ok, err := c.Tickets.MassOf(ctx, act, id); err != nil {
		return nil, err
	} else if ok {
		d.Mass = &m
	}
	if d.Children, err = c.Tickets.Children(ctx, act, id, uuid.Nil, shownChildren+1); err != nil {
		return nil, err
	}
	if d.More = len(d.Children) > shownChildren; d.More {
		d.Children = d.Children[:shownChildren]
	}
	return d, nil
}

// similar is the panel beside a ticket, and without scripts a page.
func (c *Console) similar(w http.ResponseWriter, r *http.Request) error {
	return c.showSimilar(w, r, "", http.StatusOK)
}

func (c *Console) showSimilar(w http.ResponseWriter, r *http.Request, words string, status int) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	d, err := c.loadSimilar(r, v, id)
	if err != nil {
		return err
	}
	d.Error = words
	v.Nav, v.Title, v.D = "inbox", v.T("similar.title")+" · "+d.T.Number, d
	if isHX(r) {
		c.fragment(w, r, status, "similar", v)
		return nil
	}
	c.page(w, r, status, "similar", v)
	return nil
}

// together answers after tickets were merged or taken apart.
func (c *Console) together(w http.ResponseWriter, r *http.Request, id uuid.UUID, words string, cause error) error {
	if cause != nil {
		if !expected(cause) && errs.KindOf(cause) != errs.Unavailable {
			return cause
		}
		explained := c.explain(r.Context(), c.view(r), cause)
		if isHX(r) {
			w.Header().Set("HX-Trigger", "ticket-changed")
			return c.formError(w, r, "#similar-error", explained, httperr.Status(errs.KindOf(cause)), nil)
		}
		return c.showSimilar(w, r, explained, httperr.Status(errs.KindOf(cause)))
	}
	if r.PostForm.Get("from") == "desk" {
		toast(w, words)
		http.Redirect(w, r, "/console/desk", http.StatusSeeOther)
		return nil
	}
	if back := r.PostForm.Get("from"); back == "mass" {
		http.Redirect(w, r, "/console/mass/"+id.String(), http.StatusSeeOther)
		return nil
	}
	return c.acted(w, r, id, words)
}

// join merges this ticket into another.
func (c *Console) join(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	t, err := c.Tickets.Apply(r.Context(), actor(v.Me), id, number(r.PostForm.Get("version")), tickets.Merge, tickets.Fields{Parent: parseID(r.PostForm.Get("parent"))}, key(r.PostForm.Get("key")))
	if err == nil {
		c.Chat.Announce(t)
	}
	return c.together(w, r, id, v.T("done.merge"), err)
}

// maxGathered is how many tickets one form merges.
const maxGathered = 50

// gather merges the chosen tickets into this one. Each is a move of its own: what cannot be merged is named and costs the others nothing.
func (c *Console) gather(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	chosen := r.PostForm["child"]
	if len(chosen) == 0 {
		return c.together(w, r, id, "", tickets.ErrMissing.On("child").With("field", "child"))
	}
	merged, form := 0, key(r.PostForm.Get("key"))
	var failed []string
	for _, one := range chosen[:min(len(chosen), maxGathered)] {
		child, version := versioned(one)
		k := ""
		if form != "" {
			k = form + "/" + child.String()[:8]
		}
		t, err := c.Tickets.Apply(r.Context(), actor(v.Me), child, version, tickets.Merge, tickets.Fields{Parent: id}, k)
		switch {
		case err == nil:
			merged++
			c.Chat.Announce(t)
		case expected(err) || errs.KindOf(err) == errs.NotFound || errors.Is(err, tickets.ErrBusy):
			failed = append(failed, c.explain(r.Context(), v, err))
		default:
			return err
		}
	}
	words := v.T("similar.gathered", "n", merged)
	if len(failed) > 0 {
		slices.Sort(failed)
		words += " " + v.T("similar.not_gathered", "n", len(failed), "why", strings.Join(slices.Compact(failed), " "))
	}
	if merged == 0 {
		return c.showOrToast(w, r, words)
	}
	return c.together(w, r, id, words, nil)
}

func (c *Console) showOrToast(w http.ResponseWriter, r *http.Request, words string) error {
	if isHX(r) {
		return c.formError(w, r, "#similar-error", words, http.StatusConflict, nil)
	}
	return c.showSimilar(w, r, words, http.StatusConflict)
}

// versioned reads "id:version" of a checkbox.
func versioned(s string) (uuid.UUID, int) {
	head, version, _ := strings.Cut(s, ":")
	return parseID(head), number(version)
}

// release takes a merged ticket apart again.
func (c *Console) release(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	child, version := versioned(r.PostForm.Get("child"))
	why := text(r.PostForm.Get("text"))
	if why == "" {
		why = v.T("similar.not_the_same")
	}
	t, err := c.Tickets.Apply(r.Context(), actor(v.Me), child, version, tickets.Unmerge, tickets.Fields{Text: why}, key(r.PostForm.Get("key")))
	if err == nil {
		c.Chat.Announce(t)
	}
	return c.together(w, r, id, v.T("done.unmerge"), err)
}

// massEntries are the boards of what many people report, in the side. Mass events are a view of the inbox, which leads to their board.
func (c *Console) massEntries(ctx context.Context, v View, s *side) {
	p := v.Me
	if !p.Desk || !hasAny(p, "operator", "dispatcher", "supervisor") {
		return
	}
	open, _, err := c.Surges.Running(ctx, actor(p))
	if err != nil {
		c.Log.WarnContext(ctx, "surges", "error", err) // the page is worth more than its numbers
	}
	s.Work = append(s.Work, entry{URL: "/console/surges", Name: v.T("nav.surges"), Icon: "rise", Current: v.Nav == "surges", Count: atMost(open), Tone: "hot"},
		entry{URL: "/console/flags", Name: v.T("nav.flags"), Icon: "mark", Current: v.Nav == "flags"})
}
