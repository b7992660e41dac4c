package console

import (
	"net/http"
	"slices"
	"unicode/utf8"

	"hotline/tickets"
	"hotline/tickets/flags"
)

// casePanel is what the hotline knows that may matter while a case is typed: danger, who the person is, what it may be about, whether it is known.
type casePanel struct {
	Danger  string
	Flags   []flags.Flag
	Cases   []tickets.Earlier
	Often   string
	Guesses []caseGuess
	Found   []duplicateView
	Follow  string // the matter that was chosen to join
	MayJoin bool
	Typed   bool // enough was typed for a look
}

// Follows reports whether one of the matters shown was chosen to join.
func (p casePanel) Follows() bool {
	return slices.ContainsFunc(p.Found, func(d duplicateView) bool { return d.ID.String() == p.Follow && d.Open() })
}

// caseGuess is a category that the text may be about.
type caseGuess struct {
	Code    string
	Percent int
	Chosen  bool
}

const (
	// likelyGuess is the least probability at which a category is worth showing; the portal asks citizens by the same.
	likelyGuess = 0.05
	maxGuesses  = 3
	// minLook is how much text is compared with other cases, in characters.
	minLook = 6
)

func (c *Console) panel(r *http.Request, v View, f caseForm) (casePanel, error) {
	p := casePanel{Follow: f.Follow.String(), MayJoin: !f.Confidential}
	phone, email := f.reach()
	long := utf8.RuneCountInString(f.Text) >= minLook
	if p.Typed = long || phone != "" || email != ""; !p.Typed {
		return p, nil
	}
	p.Danger = c.danger(f.Text, v.Lang)
	var err error
	if p.Cases, err = c.Tickets.EarlierCases(r.Context(), actor(v.Me), phone, email); err != nil {
		return p, err
	}
	var filed, days int
	if p.Flags, filed, days, err = c.Flags.OfCaller(r.Context(), actor(v.Me), phone, email); err != nil {
		return p, err
	}
	if filed > 1 {
		p.Often = v.T("flag.often", "n", filed, "days", days)
	}
	if !long {
		return p, nil
	}
	for _, g := range c.Routing.Predict(f.Text) {
		if g.Score >= likelyGuess && len(p.Guesses) < maxGuesses {
			p.Guesses = append(p.Guesses, caseGuess{g.Label, percent(g.Score), g.Label == f.Category})
		}
	}
	draft := f.draft(v.Me)
	if draft.Category == "" && len(p.Guesses) > 0 {
		draft.Category = p.Guesses[0].Code
	}
	found, err := c.Tickets.DuplicatesOf(r.Context(), actor(v.Me), draft, phone, email)
	for _, one := range found {
		p.Found = append(p.Found, duplicateView{Duplicate: one, Percent: percent(one.Score), Why: v.Likeness(one.Reasons)})
	}
	return p, err
}

// newCaseLook is the panel again, for what has been typed by now.
func (c *Console) newCaseLook(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, f := c.view(r), c.readCase(r)
	if !isHX(r) {
		return c.showCase(w, r, v, &newCaseData{F: f, Look: true}, http.StatusOK)
	}
	p, err := c.panel(r, v, f)
	if err != nil {
		return err
	}
	v.D = p
	c.fragment(w, r, http.StatusOK, "newcase-panel", v)
	return nil
}
