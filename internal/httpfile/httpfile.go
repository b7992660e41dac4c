// Package httpfile serves files of strangers so that nothing in them can run.
package httpfile

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"time"
)

// File is what the reader of a file is told of it.
type File struct {
	Name     string
	Type     string // as found in the content when it came in
	Download bool   // also what could be shown in place
}

// inPlace may be shown by a browser. SVG may not: it is a document with scripts.
var inPlace = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// Send serves a file under its own type and no other: no script, no frame, no guessing, pictures in place and the rest as a download. Ranges
// are served. It is kept by nobody and for this site alone, unless the caller has said otherwise in Cache-Control or
// Cross-Origin-Resource-Policy.
func Send(w http.ResponseWriter, r *http.Request, f File, content io.ReadSeeker) {
	h := w.Header()
	kind := f.Type
	if kind == "text/plain" {
		kind += "; charset=utf-8"
	}
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	for name, unless := range map[string]string{"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"} {
		if h.Get(name) == "" {
			h.Set(name, unless)
		}
	}
	disposition := "attachment"
	if !f.Download && slices.Contains(inPlace, f.Type) {
		disposition = "inline"
	}
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name}))
	http.ServeContent(w, r, "", time.Time{}, content)
}
