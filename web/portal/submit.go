package portal

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/web/httperr"
)

// submit files the draft. Pressed twice, or again after "back", it shows the same ticket.
func (p *Portal) submit(f *flow) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d, ok, err := p.load(r, f)
		switch {
		case err != nil:
			httperr.Write(w, r, err)
			return
		case !ok:
			p.lost(w, r, f)
			return
		case d.Filed != nil:
			see(w, r, f.path+"/done")
			return
		case f.open(&d) != "check":
			see(w, r, f.path+"/"+f.open(&d))
			return
		}
		filing := d.filing(f, httperr.Lang(r.Context()))
		filing.Follow = d.followed(r)
		filed, err := p.Cases.File(r.Context(), filing)
		if err != nil {
			v := p.stepPage(r, f, "check", &d)
			if !v.add("", err) {
				httperr.Write(w, r, err)
				return
			}
			p.render(w, r, "check", v)
			return
		}
		// What was typed is the ticket's now; the draft keeps only the receipt.
		if err := p.drafts.save(w, r, f, Draft{Key: d.Key, Kind: d.Kind, Who: d.Who, Filed: &filed}); err != nil {
			// The ticket is there. Showing its code now is better than an error; a second submit gives the same one.
			p.Log.ErrorContext(r.Context(), "keep receipt", "error", err)
			p.showDone(w, r, f, filed, d.Anonymous())
			return
		}
		see(w, r, f.path+"/done")
	}
}

type doneBody struct {
	Path         string
	Number       string
	Groups       []string // the code in groups of four
	Code         string
	Confidential bool
	Anonymous    bool
	Followed     bool
	Told         string
}

// done shows number and code until the draft ends or is cleared.
func (p *Portal) done(f *flow) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d, ok, err := p.load(r, f)
		switch {
		case err != nil:
			httperr.Write(w, r, err)
		case !ok:
			see(w, r, "/track")
		case d.Filed == nil:
			see(w, r, f.path+"/"+f.open(&d))
		default:
			p.showDone(w, r, f, *d.Filed, d.Anonymous())
		}
	}
}

func (p *Portal) showDone(w http.ResponseWriter, r *http.Request, f *flow, filed Filed, anonymous bool) {
	body := &doneBody{Path: f.path, Number: filed.Number, Code: filed.Code, Confidential: f.confidential, Anonymous: anonymous, Followed: filed.Followed, Told: filed.Told}
	for code := filed.Code; code != ""; {
		n := min(4, len(code))
		body.Groups = append(body.Groups, code[:n])
		code = code[n:]
	}
	v := p.view(r, "done.title", body)
	v.NoChat = true
	p.render(w, r, "done", v)
}

// clear forgets the draft: for a computer that others use too.
func (p *Portal) clear(f *flow) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := p.drafts.clear(w, r, f); err != nil {
			httperr.Write(w, r, err)
			return
		}
		see(w, r, "/")
	}
}

// readProblem turns a form that could not be read into words; too large stays too large.
func readProblem(err error) error {
	var tooLarge *http.MaxBytesError
	var known *errs.Error
	if errors.As(err, &tooLarge) || errors.As(err, &known) {
		return err
	}
	return httperr.ErrMalformed.Wrap(err)
}

func parseID(s string) uuid.UUID {
	id, err := uuid.Parse(s)
	if err != nil {
		return uuid.Nil
	}
	return id
}
