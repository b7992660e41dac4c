package widget

import (
	"bytes"
	"compress/gzip"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"hotline/internal/i18n"
)

func TestServedSize(t *testing.T) {
	t.Parallel()
	h, err := New(i18n.MustLoad())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", Path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if size := w.Body.Len(); size >= 30<<10 {
		t.Errorf("%d bytes gzipped, the limit is 30 KB", size)
	} else {
		t.Logf("%d bytes gzipped", size)
	}
	if _, err := gzip.NewReader(w.Body); err != nil {
		t.Error(err)
	}
}

// Two nodes must serve the same bytes, or their ETags fight.
func TestBuildIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	first, err := build(i18n.MustLoad())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := build(i18n.MustLoad())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatal("two builds differ")
		}
	}
}

// What the script is made of never parses text as markup or as code.
func TestNoDangerousCalls(t *testing.T) {
	t.Parallel()
	for _, name := range order {
		source, err := src.ReadFile("src/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", ".cookie"} {
			if strings.Contains(string(source), bad) {
				t.Errorf("%s uses %s", name, bad)
			}
		}
	}
}

var (
	textUse  = regexp.MustCompile(`\bt\("([a-z_0-9]+)"`)
	tokenUse = regexp.MustCompile(`var\((--[a-z0-9-]+)\)`)
)

// A text or a value that does not exist is seen only by the person who meets it.
func TestTextsAndTokensExist(t *testing.T) {
	t.Parallel()
	words := i18n.MustLoad()
	for _, name := range order {
		source, err := src.ReadFile("src/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range textUse.FindAllSubmatch(source, -1) {
			if key := string(m[1]); !strings.HasSuffix(key, "_") && !words.Known("widget."+key) {
				t.Errorf("%s: text %q does not exist", name, key)
			}
		}
	}
	css, err := styles()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range tokenUse.FindAllStringSubmatch(css, -1) {
		if !strings.Contains(css, m[1]+":") {
			t.Errorf("value %s does not exist", m[1])
		}
	}
	if strings.Contains(css, ":root") || regexp.MustCompile(`\drem\b`).MatchString(css) {
		t.Error("a value still belongs to the page instead of the shadow root")
	}
}
