package console

import "net/http"

// How dense lists and tables are belongs to the screen that somebody sits at, not to the person: a cookie keeps it.
const densityCookie = "hotline_density"

func compact(r *http.Request) bool {
	c, err := r.Cookie(densityCookie)
	return err == nil && c.Value == "compact"
}

// density switches between comfortable and compact, and goes back to the page it was asked from.
func (c *Console) density(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	value := "compact"
	if compact(r) {
		value = "comfortable"
	}
	http.SetCookie(w, &http.Cookie{Name: densityCookie, Value: value, Path: "/console/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: c.SecureCookies, SameSite: http.SameSiteLaxMode})
	next := localPath(r.PostForm.Get("next"))
	if next == "" {
		next = "/console/"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
