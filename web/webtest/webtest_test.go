package webtest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestBrowser(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Page</title><main><h1>` + r.Header.Get("Accept-Language") + `</h1><p id="p"></p></main><script>p.textContent = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"</script>`))
	}))
	t.Cleanup(srv.Close)
	b := New(t)
	for _, view := range []View{{Width: 390, Height: 844, Phone: true, Dark: true, Lang: "zh-CN"}, {Width: 1280, Height: 900, Lang: "en"}, {Width: 800, Height: 600, Lang: "en", NoScript: true}} {
		tab := b.Open(t, view, srv.URL)
		var h1, p string
		tab.Run(t, chromedp.Text("h1", &h1), chromedp.TextContent("#p", &p))
		want := "light"
		if view.Dark {
			want = "dark"
		}
		if view.NoScript {
			want = ""
		} else {
			tab.Axe(t, "page")
		}
		if h1 != view.Lang || p != want || len(tab.Complaints()) > 0 {
			t.Errorf("%+v: %q %q %v", view, h1, p, tab.Complaints())
		}
	}
}

// A live part replaces its elements at any time: an action on one finds its successor.
func TestAnElementThatIsReplacedAllTheTime(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Page</title><main><div id="live"></div></main><script>
			const turn = () => { live.innerHTML = '<input id="word">' }
			turn(); setInterval(turn, 1)</script>`))
	}))
	t.Cleanup(srv.Close)
	tab := New(t).Open(t, Desktop, srv.URL)
	for range 100 {
		tab.Run(t, chromedp.WaitVisible("#word"), chromedp.SetValue("#word", "30"))
	}
}
