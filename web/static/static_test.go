package static

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestServing(t *testing.T) {
	t.Parallel()
	a, err := New("/static/", Files(), fstest.MapFS{"icons/dot.png": {Data: []byte("not really")}})
	if err != nil {
		t.Fatal(err)
	}
	url := a.URL("base.css")
	if !regexp.MustCompile(`^/static/base-[0-9a-f]{12}\.css$`).MatchString(url) {
		t.Fatalf("url = %s", url)
	}
	r := httptest.NewRequest("GET", url, nil)
	r.Header.Set("Accept-Encoding", "br, gzip")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	zip, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(zip)
	if err != nil || !strings.Contains(string(body), ".timeline") {
		t.Errorf("body: %v", err)
	}
	if w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("headers: %v", w.Header())
	}
	r = httptest.NewRequest("GET", url, nil)
	r.Header.Set("Accept-Encoding", "gzip;q=0")
	r.Header.Set("If-None-Match", `"`+url[len("/static/base-"):len(url)-4]+`"`)
	w = httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("revalidation: %d", w.Code)
	}
	for _, bad := range []string{"/static/base.css", "/static/../static.go", "/static/", "/static/base-000000000000.css"} {
		w = httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("GET", "http://x"+bad, nil))
		if w.Code != 404 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	if !a.Find(a.URL("icons/dot.png")) {
		t.Error("a surface's own file is not served")
	}
}

func TestUnknownNameFailsLoudly(t *testing.T) {
	t.Parallel()
	a, err := New("/static/", Files())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a template may name a file that does not exist")
		}
	}()
	a.URL("nope.css")
}

// Values that do not exist draw nothing and nobody notices; so every var() must be a token.
func TestEveryTokenExists(t *testing.T) {
	t.Parallel()
	tokens, err := files.ReadFile("files/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	base, err := files.ReadFile("files/base.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, use := range regexp.MustCompile(`var\((--[a-z0-9-]+)\)`).FindAllSubmatch(base, -1) {
		if !strings.Contains(string(tokens), string(use[1])+":") {
			t.Errorf("%s is not in tokens.css", use[1])
		}
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	h, err := File("w.js", []byte("let a = 1;"), 300)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/widget/v1/widget.js", nil))
	if w.Body.String() != "let a = 1;" || w.Header().Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("%s %v", w.Body, w.Header())
	}
}
