package console

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/web/httperr"
)

func itoa(n int) string { return strconv.Itoa(n) }

// clean takes a one-line input: valid, trimmed, at most max characters.
func clean(s string, max int) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > max {
		s = string([]rune(s)[:max])
	}
	return s
}

// text takes a long input as browsers send it: with LF for line ends. What is too long is refused by the store, not cut here.
func text(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n"))
}

func yesNo(s string) *bool {
	switch s {
	case "yes":
		v := true
		return &v
	case "no":
		v := false
		return &v
	}
	return nil
}

func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return 0 // a missing number; the store says that it is required
	}
	return n
}

func parseID(s string) uuid.UUID {
	id, err := uuid.Parse(s)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// key is a form's idempotency key: 1 to 100 plain characters, or none.
func key(s string) string {
	if len(s) > 100 || strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' }) {
		return ""
	}
	return s
}

func parseForm(r *http.Request) error {
	var err error
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		err = r.ParseMultipartForm(1 << 20)
	} else {
		err = r.ParseForm()
	}
	if err == nil {
		return nil
	}
	if strings.Contains(err.Error(), "request body too large") {
		return httperr.ErrBodyTooLarge.Wrap(err)
	}
	return httperr.ErrMalformed.Wrap(err)
}

// pageQuery is the query of the page that an htmx request comes from.
func pageQuery(r *http.Request) url.Values {
	for _, h := range []string{"HX-Current-URL", "X-Page"} {
		if u, err := url.Parse(r.Header.Get(h)); err == nil && r.Header.Get(h) != "" {
			return u.Query()
		}
	}
	return r.URL.Query()
}

// formError shows what is wrong beside the form that was sent, which stays as it is on the page: nothing that was typed or chosen is
// lost. place is where the form keeps its messages.
func (c *Console) formError(w http.ResponseWriter, r *http.Request, place string, words string, status int, oob any) error {
	v := c.view(r)
	v.D = map[string]any{"Words": words, "Fresh": oob}
	w.Header().Set("HX-Retarget", place)
	w.Header().Set("HX-Reswap", "innerHTML")
	c.fragment(w, r, status, "form-error", v)
	return nil
}

// expected reports whether an error is the person's to mend: it is shown beside the form rather than as a page.
func expected(err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.Forbidden, errs.TooLarge, errs.RateLimited:
		return true
	}
	return false
}

// undo offers, with the toast, the form that takes the change back.
func undo(w http.ResponseWriter, path string, form url.Values) {
	w.Header().Set("X-Undo", path+"?"+form.Encode())
}

// toast tells of a success in passing.
func toast(w http.ResponseWriter, words string) { w.Header().Set("X-Toast", url.PathEscape(words)) }

// argsOf gives the arguments of an error that has some.
func argsOf(err error) (map[string]any, bool) {
	var e *errs.Error
	if !errors.As(err, &e) || len(e.Args) == 0 {
		return nil, false
	}
	return e.Args, true
}

// pageMark reads where a list goes on: time and id of the last row that was shown.
func pageMark(r *http.Request, name string) (at time.Time, last uuid.UUID) {
	at, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get(name))
	if err != nil {
		return time.Time{}, uuid.Nil // from the start
	}
	return at, parseID(r.URL.Query().Get(name + "_id"))
}

// markQuery is pageMark the other way round.
func markQuery(name string, at time.Time, last uuid.UUID) template.URL {
	return query(url.Values{name: {at.UTC().Format(time.RFC3339Nano)}, name + "_id": {last.String()}})
}
