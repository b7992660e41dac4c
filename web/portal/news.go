package portal

import (
	"net/http"
	"slices"

	"hotline/web/httperr"
)

// Hears says how a contact gets news of their case: by which channel, and to which address as far as it is shown.
type Hears struct {
	Channel string // email or sms
	Address string // masked
}

// RatingLink is the case behind a link that takes the citizen's word once. Of a confidential one it tells nothing.
type RatingLink struct {
	Number, Title string
	Asked         bool // it is asked whether the matter is solved
}

// News gives the channel by which these addresses would get news, "" for none.
func (v *view) News(d *Draft) string {
	if d.Quiet || d.Anonymous() {
		return ""
	}
	for _, channel := range v.p.Cases.Reachable(d.Phone, d.Email) {
		return channel
	}
	return ""
}

// Tells reports whether news can be sent by a channel here.
func (v *view) Tells(channel string) bool { return slices.Contains(v.p.Cases.Tells(), channel) }

// NewsHint is what stands under the field of an address: that news will come there.
func (v *view) NewsHint(channel string, confidential bool) string {
	key := "news.hint_" + channel
	switch {
	case !v.Tells(channel):
		return ""
	case confidential:
		key += "_report"
	case channel == "sms" && v.Tells("email"):
		key += "_second"
	}
	return v.T(key)
}

// HearsBy names a channel and the address.
func (v *view) HearsBy(h Hears) string {
	return v.T("news.by_"+h.Channel, "address", h.Address)
}

// stopBody is the page behind a link that ends messages.
type stopBody struct {
	Token, Channel string
	Done           bool
}

// stopLink asks before messages are ended: programs that follow links before people do end nothing.
func (p *Portal) stopLink(w http.ResponseWriter, r *http.Request) {
	p.stopPage(w, r, r.URL.Query().Get("done") == "1")
}

func (p *Portal) stopPage(w http.ResponseWriter, r *http.Request, done bool) {
	body := &stopBody{Token: r.PathValue("token"), Done: done}
	v := p.view(r, "news.stop_title", body)
	v.NoChat = true
	secretAddress(w)
	if !done {
		var err error
		if body.Channel, err = p.Cases.StopLink(r.Context(), body.Token); err != nil {
			httperr.Write(w, r, err)
			return
		}
	}
	p.render(w, r, "stop", v)
}

// stop ends messages: from the page, or from a mail program's own button (RFC 8058), which sends the form to the same address.
func (p *Portal) stop(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		httperr.Write(w, r, readProblem(err))
		return
	}
	secretAddress(w)
	if err := p.Cases.StopByLink(r.Context(), r.PathValue("token")); err != nil {
		httperr.Write(w, r, err)
		return
	}
	if r.PostForm.Get("List-Unsubscribe") != "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	see(w, r, "/stop/-?done=1")
}

// secretAddress keeps an address that is a credential from the next page and from caches.
func secretAddress(w http.ResponseWriter) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
}

// trackQuiet ends messages about the case of the session.
func (p *Portal) trackQuiet(w http.ResponseWriter, r *http.Request) {
	v, body, ok := p.current(w, r)
	if !ok {
		return
	}
	p.finish(w, r, v, "", "quiet", p.Cases.Quiet(r.Context(), body.ID))
}
