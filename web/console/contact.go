package console

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"hotline/internal/errs"
)

// contactView is who asked, as far as this person may see it now.
type contactView struct {
	Anonymous bool
	Masked    bool
	contact
}

var errReason = errs.New(errs.Invalid, "console.reason_needed", "a reason of at least ten characters is needed").On("reason")

const minReason = 10

// contactView masks the contact of a confidential ticket until somebody has given a reason.
func (c *Console) contactView(ctx context.Context, v View, d *ticketData, shown bool) (contactView, error) {
	if d.T.ContactID == nil {
		return contactView{Anonymous: true}, nil
	}
	one, err := c.contact(ctx, v.Me.Actor(), *d.T.ContactID)
	if err != nil {
		return contactView{}, err
	}
	if d.T.Confidential && !shown {
		return contactView{Masked: true, contact: contact{Name: mask(one.Name, 1, 0), Phone: mask(one.Phone, 0, 2), Email: mask(one.Email, 1, 0), Lang: one.Lang}}, nil
	}
	return contactView{contact: one}, nil
}

// mask keeps the first and last characters only; how long the rest was does not show.
func mask(s string, first, last int) string {
	r := []rune(s)
	if len(r) == 0 {
		return ""
	}
	if len(r) <= first+last+1 {
		return "•••"
	}
	return string(r[:first]) + "•••" + string(r[len(r)-last:])
}

// disclose shows the contact of a confidential ticket once, after the reason has been written into the history.
func (c *Console) disclose(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	reason := text(r.PostForm.Get("reason"))
	if utf8.RuneCountInString(strings.ReplaceAll(reason, " ", "")) < minReason {
		if isHX(r) {
			return c.formError(w, r, "#contact-error", c.words.Error(v.Lang, errReason), http.StatusBadRequest, nil)
		}
		return errReason
	}
	if err := c.Tickets.Disclose(r.Context(), actor(v.Me), id, reason); err != nil {
		return err
	}
	d, err := c.loadTicket(r.Context(), v, id, true)
	if err != nil {
		return err
	}
	if isHX(r) {
		w.Header().Set("HX-Retarget", "#contact")
		w.Header().Set("HX-Reswap", "outerHTML")
		v.D = d
		c.fragment(w, r, http.StatusOK, "contact", v)
		return nil
	}
	list, err := c.list(r, v, id)
	if err != nil {
		return err
	}
	list.Ticket = d
	v.Nav, v.Title, v.D = "inbox", d.T.Number, list
	c.page(w, r, http.StatusOK, "inbox", v)
	return nil
}
