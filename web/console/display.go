package console

import (
	"net/http"
	"slices"

	"hotline/internal/auth"
)

// How dense lists are, and what a row of the inbox says, belongs to the person: it is with them on every screen they sign in on.

// listColumns are what a row of the inbox may say beside its title and its light.
var listColumns = []string{"number", "state", "agency", "kind", "category", "opened", "due", "place", "channel", "urgency", "tags"}

// hiddenAtFirst are left out until somebody asks for them: most cases say nothing by them.
var hiddenAtFirst = []string{"place", "channel", "urgency"}

// Columns lists what a row may say.
func (View) Columns() []string { return listColumns }

// Shows reports whether the person wants a column.
func (v View) Shows(column string) bool {
	if v.Me == nil || v.Me.Display.Hide == nil {
		return !slices.Contains(hiddenAtFirst, column)
	}
	return !slices.Contains(v.Me.Display.Hide, column)
}

// density switches between comfortable and compact, and goes back to the page it was asked from.
func (c *Console) density(w http.ResponseWriter, r *http.Request) error {
	return c.setDisplay(w, r, func(d *auth.Display) { d.Compact = !d.Compact })
}

// display takes the choice of columns and the density.
func (c *Console) display(w http.ResponseWriter, r *http.Request) error {
	return c.setDisplay(w, r, func(d *auth.Display) {
		d.Compact = r.PostForm.Get("density") == "compact"
		d.Hide = []string{}
		for _, column := range listColumns {
			if !slices.Contains(r.PostForm["show"], column) {
				d.Hide = append(d.Hide, column)
			}
		}
	})
}

func (c *Console) setDisplay(w http.ResponseWriter, r *http.Request, change func(*auth.Display)) error {
	if err := parseForm(r); err != nil {
		return err
	}
	p, _ := principal(r.Context())
	change(&p.Display)
	if err := c.Auth.SetDisplay(r.Context(), p, p.Display); err != nil {
		return err
	}
	next := localPath(r.PostForm.Get("next"))
	if next == "" {
		next = "/console/"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// RowFacts are what a row says of the columns that the person wants, as far as the ticket has them.
func (v View) RowFacts(row rowView, columns ...string) []string {
	var out []string
	for _, column := range columns {
		if !v.Shows(column) {
			continue
		}
		words := ""
		switch column {
		case "number":
			words = row.Number
		case "state":
			words = v.State(row.State)
		case "agency":
			words = row.Agency
		case "kind":
			words = v.Kind(row.Kind)
		case "category":
			if row.Category != "" {
				words = v.Category(row.Category)
			}
		case "urgency":
			if row.Urgency != "normal" {
				words = v.Urgency(row.Urgency)
			}
		case "channel":
			words = v.Channel(row.Channel)
		case "place":
			words = row.Place
		}
		if words != "" {
			out = append(out, words)
		}
	}
	return out
}
