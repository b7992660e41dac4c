package portal

import (
	"net/http"
	"strconv"
	"unicode/utf8"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

// givenRating is an assessment as it was entered.
type givenRating struct {
	grade    int
	said     string // yes, no or nothing
	resolved *bool
	text     string
}

// readRating reads the fields of "rate-fields"; what is missing or too long becomes a problem of the page. mustSay: the citizen is asked whether it is
// solved.
func (v *view) readRating(r *http.Request, mustSay bool) givenRating {
	g := givenRating{said: field(r, "resolved"), text: field(r, "text")}
	if g.said == "yes" || g.said == "no" {
		yes := g.said == "yes"
		g.resolved = &yes
	} else if mustSay {
		v.problem("resolved-yes", "case.resolved_missing")
	}
	var err error
	if g.grade, err = strconv.Atoi(field(r, "grade")); err != nil || g.grade < 1 || g.grade > 5 {
		g.grade = 0
		v.problem("grade-5", "case.grade_missing")
	}
	if n := utf8.RuneCountInString(g.text); n > maxComment {
		v.problem("rate-text", "article.comment_long", "n", maxComment)
	}
	return g
}

// rateBody is the page behind a link for one assessment.
type rateBody struct {
	RatingLink
	Token      string
	Done, Over bool
	Sorry      bool // it was no praise: what happens now is told
	RateText   string
	Grade      int
	Resolved   string
	Grades     []int
}

// rateLink shows the form behind a link that rates one ticket once. The page says nothing of the ticket but its number and
// subject, and of a confidential one neither.
func (p *Portal) rateLink(w http.ResponseWriter, r *http.Request) {
	body := &rateBody{Token: r.PathValue("token"), Grades: []int{5, 4, 3, 2, 1}}
	v := p.view(r, "rate.page", body)
	v.NoChat = true
	secretAddress(w)
	if done := r.URL.Query().Get("done"); done != "" {
		body.Done, body.Sorry = true, done == "sorry"
		p.render(w, r, "rate", v)
		return
	}
	var err error
	if body.RatingLink, err = p.Cases.ByRatingLink(r.Context(), body.Token); err != nil {
		p.rateOver(w, r, v, body, err)
		return
	}
	p.render(w, r, "rate", v)
}

// rateOver says in words that a link is used up, or too old: no error of ours, and nothing to be done about.
func (p *Portal) rateOver(w http.ResponseWriter, r *http.Request, v *view, body *rateBody, err error) {
	if kind := errs.KindOf(err); kind != errs.NotFound && kind != errs.Conflict {
		httperr.Write(w, r, err)
		return
	}
	body.Over = true
	p.renderStatus(w, r, http.StatusGone, "rate", v)
}

// rateByLink takes the assessment.
func (p *Portal) rateByLink(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		httperr.Write(w, r, readProblem(err))
		return
	}
	body := &rateBody{Token: r.PathValue("token"), Grades: []int{5, 4, 3, 2, 1}}
	v := p.view(r, "rate.page", body)
	v.NoChat = true
	secretAddress(w)
	var err error
	if body.RatingLink, err = p.Cases.ByRatingLink(r.Context(), body.Token); err != nil {
		p.rateOver(w, r, v, body, err)
		return
	}
	rating := v.readRating(r, body.Asked)
	body.RateText, body.Grade, body.Resolved = rating.text, rating.grade, rating.said
	if len(v.Problems) > 0 {
		p.render(w, r, "rate", v)
		return
	}
	if err := p.Cases.RateByLink(r.Context(), body.Token, rating.grade, rating.resolved, rating.text); err != nil {
		p.rateOver(w, r, v, body, err) // somebody was faster with the same link
		return
	}
	done := "1"
	if (tickets.Ticket{CitizenResolved: rating.resolved, Satisfaction: rating.grade}).Unsatisfied() {
		done = "sorry"
	}
	see(w, r, "/rate/-?done="+done) // without the token, which is used up
}
