package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"hotline/internal/errs"
	"hotline/web/httperr"
)

const (
	maxBody  = 256 << 10 // bytes of a JSON body: 20,000 characters of text in any script, with room
	maxDepth = 16

	bodyTime   = 15 * time.Second // in which a JSON body has to arrive
	uploadTime = 3 * time.Minute  // and a file
)

// hurry gives the client so long to send its body. It returns what lifts the deadline again: it would cut a slow handler off.
func hurry(w http.ResponseWriter, d time.Duration) (done func()) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(d)) // a connection without deadlines has the server's
	return func() { _ = rc.SetReadDeadline(time.Time{}) }
}

// readBody takes a JSON body in: bounded, UTF-8, one value, no field twice, not deep. It returns the bytes, for the parser and the hash of
// the request.
// Errors: *http.MaxBytesError, httperr.ErrTimeout, ErrMediaType, ErrEmptyBody, ErrEncoding, ErrBadJSON, ErrTooDeep, ErrDuplicateField.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if ct := r.Header.Get("Content-Type"); ct != "" {
		kind, params, err := mime.ParseMediaType(ct)
		if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
			return nil, ErrMediaType
		}
		if cs := params["charset"]; cs != "" && !strings.EqualFold(cs, "utf-8") {
			return nil, ErrEncoding
		}
	}
	defer hurry(w, bodyTime)()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, err
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, httperr.ErrTimeout
		}
		return nil, ErrBadJSON // the connection broke or the length was a lie
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, ErrEmptyBody
	}
	return body, checkJSON(body)
}

// checkJSON looks at the shape only; values are validated against the operation's schema.
func checkJSON(body []byte) error {
	if !utf8.Valid(body) {
		return ErrEncoding
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	type level struct {
		object  bool
		wantKey bool
		seen    map[string]bool
	}
	var open []level
	var closed bool // the one value is complete
	value := func() {
		if len(open) == 0 {
			closed = true
		} else if top := &open[len(open)-1]; top.object {
			top.wantKey = true
		}
	}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) && closed {
			return nil
		}
		if err != nil || closed {
			return ErrBadJSON
		}
		switch t := tok.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				if len(open) == maxDepth {
					return ErrTooDeep
				}
				open = append(open, level{object: t == '{', wantKey: t == '{'})
			default:
				open = open[:len(open)-1]
				value()
			}
			continue
		case string:
			if n := len(open); n > 0 && open[n-1].wantKey {
				top := &open[n-1]
				// Go's decoder takes a name in any case, so two that differ in case alone are the same field.
				name := strings.ToLower(t)
				if top.seen[name] {
					return named(ErrDuplicateField, t)
				}
				if top.seen == nil {
					top.seen = map[string]bool{}
				}
				top.seen[name], top.wantKey = true, false
				continue
			}
		}
		value()
	}
}

// checkEncoding refuses an address whose parts are not UTF-8 or hold a NUL, which no text column can.
func checkEncoding(r *http.Request) *errs.Error {
	bad := func(s string) bool { return !utf8.ValidString(s) || strings.ContainsRune(s, 0) }
	if bad(r.URL.Path) {
		return ErrEncoding
	}
	for name, values := range r.URL.Query() {
		if bad(name) {
			return ErrEncoding
		}
		for _, v := range values {
			if bad(v) {
				return named(ErrEncoding, name)
			}
		}
	}
	return nil
}
