package httpfile_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hotline/internal/httpfile"
)

func TestNothingInAFileCanRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file              httpfile.File
		kind, disposition string
	}{
		{httpfile.File{Name: "路灯.jpg", Type: "image/jpeg"}, "image/jpeg", "inline; filename*=utf-8''%E8%B7%AF%E7%81%AF.jpg"},
		{httpfile.File{Name: "a.png", Type: "image/png", Download: true}, "image/png", "attachment; filename=a.png"},
		{httpfile.File{Name: "a.svg", Type: "image/svg+xml"}, "image/svg+xml", "attachment; filename=a.svg"},
		{httpfile.File{Name: "a.html", Type: "text/html"}, "text/html", "attachment; filename=a.html"},
		{httpfile.File{Name: "a.pdf", Type: "application/pdf"}, "application/pdf", "attachment; filename=a.pdf"},
		{httpfile.File{Name: `a"; x=".txt`, Type: "text/plain"}, "text/plain; charset=utf-8", `attachment; filename="a\"; x=\".txt"`},
	} {
		w := httptest.NewRecorder()
		w.Header().Set("Cache-Control", "public, max-age=60")
		httpfile.Send(w, httptest.NewRequest("GET", "/file", nil), c.file, strings.NewReader("<script>alert(1)</script>"))
		got := map[string]string{}
		for name := range w.Header() {
			got[name] = w.Header().Get(name)
		}
		for name, want := range map[string]string{
			"Content-Type": c.kind, "Content-Disposition": c.disposition, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
			"Cache-Control": "public, max-age=60", "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer", "Content-Length": "25",
		} {
			if got[name] != want {
				t.Errorf("%s: %s is %q, want %q", c.file.Name, name, got[name], want)
			}
		}
	}
}

func TestAPartOfAFile(t *testing.T) {
	t.Parallel()
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/file", nil)
	r.Header.Set("Range", "bytes=1-3")
	httpfile.Send(w, r, httpfile.File{Name: "a.pdf", Type: "application/pdf"}, strings.NewReader("abcdef"))
	if w.Code != http.StatusPartialContent || w.Body.String() != "bcd" || w.Header().Get("Cache-Control") != "private, no-store" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
}
