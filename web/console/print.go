package console

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"hotline/tickets"
)

// printData is a ticket on paper: nothing to click, and of a confidential one no contact unless a reason was given for this very sheet.
type printData struct {
	*ticketData
	Notes     bool // internal notes are on the sheet
	Decisions []feedItem
}

// decisions are the entries that settled something, for the short list before the whole history.
var decisions = []tickets.Action{tickets.Accept, tickets.Refuse, tickets.AnswerDirectly, tickets.Dispatch, tickets.Designate, tickets.HandDown, tickets.HandUp, tickets.ApproveReturn, tickets.RefuseReturn,
	tickets.ApproveTransfer, tickets.RefuseTransfer, tickets.ApproveExtend, tickets.RefuseExtend, tickets.Supervise, tickets.Reply, tickets.EntryAnsweredOver, tickets.Complete, tickets.Reopen, tickets.RevisitDone,
	tickets.ApproveExclude, tickets.RefuseExclude, tickets.Close}

func (c *Console) printTicket(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	shown := false
	if r.Method == http.MethodPost {
		if err := parseForm(r); err != nil {
			return err
		}
		reason := text(r.PostForm.Get("reason"))
		if utf8.RuneCountInString(strings.ReplaceAll(reason, " ", "")) < minReason {
			return errReason
		}
		if err := c.Tickets.Disclose(r.Context(), actor(v.Me), id, reason); err != nil {
			return err
		}
		shown = true
	}
	t, err := c.loadTicket(r.Context(), v, id, shown)
	if err != nil {
		return err
	}
	d := &printData{ticketData: t, Notes: r.URL.Query().Get("notes") != "no"}
	if t.Contact.Masked {
		t.Contact.contact = contact{} // not even the letters that the screen leaves
	}
	if !d.Notes {
		d.Feed = slices.DeleteFunc(slices.Clone(d.Feed), func(i feedItem) bool { return i.Side == "note" || i.Side == "event" && i.Event != nil && !i.Public })
	}
	for _, i := range d.Feed {
		if i.Event != nil && slices.Contains(decisions, tickets.Action(i.Event.Type)) {
			d.Decisions = append(d.Decisions, i)
		}
	}
	v.Title, v.D = t.T.Number, d
	c.fragment(w, r, http.StatusOK, "print", v)
	return nil
}
