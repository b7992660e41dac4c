package portal

import (
	"net/http"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/web/httperr"
)

type trackBody struct {
	Code    string
	Expired bool
}

func (p *Portal) track(w http.ResponseWriter, r *http.Request) {
	if p.session.ticket(r) != uuid.Nil {
		see(w, r, "/track/case")
		return
	}
	p.render(w, r, "track", p.view(r, "track.title", &trackBody{Expired: r.URL.Query().Get("expired") == "1"}))
}

// trackCode exchanges the code for a session. Wrong codes slow the address down and never lock the ticket.
func (p *Portal) trackCode(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		httperr.Write(w, r, readProblem(err))
		return
	}
	address := httperr.Address(r, p.Proxies)
	if blocked, wait := p.wrong.Blocked(address); blocked {
		httperr.SetRetryAfter(w, wait)
		v := p.view(r, "track.title", &trackBody{})
		v.problem("code", "track.throttled")
		v.Title = v.T("error_prefix") + v.Title
		p.renderStatus(w, r, http.StatusTooManyRequests, "track", v)
		return
	}
	code := field(r, "code")
	v := p.view(r, "track.title", &trackBody{})
	if code == "" {
		v.problem("code", "track.missing")
		p.render(w, r, "track", v)
		return
	}
	id, err := p.Cases.ByCode(r.Context(), code)
	switch errs.KindOf(err) {
	case "":
		p.session.open(w, id)
		see(w, r, "/track/case")
	case errs.Invalid:
		v.problem("code", "track.malformed")
		v.Body = &trackBody{Code: code} // nothing that opens anything
		p.render(w, r, "track", v)
	case errs.NotFound:
		p.wrong.Allow(address)
		v.problem("code", "track.unknown")
		p.render(w, r, "track", v)
	default:
		httperr.Write(w, r, err)
	}
}

func (p *Portal) trackLeave(w http.ResponseWriter, r *http.Request) {
	p.session.open(w, uuid.Nil)
	see(w, r, "/track")
}
