package portal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hotline/web/webtest"
)

// stop is one screen of a walk: its name, where it is, and how to get there.
type stop struct {
	name, path string
	do         []chromedp.Action
	here       []chromedp.Action // done once there
}

func goTo(s *site, path string) []chromedp.Action {
	return []chromedp.Action{chromedp.Navigate(s.srv.URL + path)}
}

func next(actions ...chromedp.Action) []chromedp.Action {
	return append(actions, chromedp.Click(`main form .button:not(.quiet):not(.secondary)`, chromedp.NodeVisible))
}

// screens is everything a citizen can come by, in an order in which each is reachable.
func (s *site) screens(lang string) []stop {
	article := map[string]string{"en": "rent-subsidy", "zh-CN": "zufang"}[lang]
	words := map[string]string{"en": "Construction noise every night since Monday.", "zh-CN": "周一以来每天夜间施工噪音扰民。"}[lang]
	photo := filepath.Join(s.t.TempDir(), "street.jpg")
	if err := os.WriteFile(photo, jpegWith("x"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	fill := func(selector, value string) chromedp.Action { return chromedp.SetValue(selector, value) }
	return []stop{
		{"home", "/", goTo(s, "/"), nil},
		{"typing", "/", goTo(s, "/"), []chromedp.Action{chromedp.SendKeys("#q", "rent"), chromedp.WaitVisible(".suggestions li"), chromedp.SendKeys("#q", kb.ArrowDown)}},
		{"search", "/search", goTo(s, "/search?q=rent"), nil},
		{"nothing", "/search", goTo(s, "/search?q=nothing"), nil},
		{"article", "/a/" + article, goTo(s, "/a/"+article), nil},
		{"applies", "/a/" + article + "/check", goTo(s, "/a/"+article+"/check"), nil},
		{"applies-error", "/a/" + article + "/check", next(), nil},
		{"applies-number", "/a/" + article + "/check", next(chromedp.Click("#answer-0")), nil},
		{"applies-done", "/a/" + article + "/check", next(fill("#answer", "2000")), nil},
		{"missing", "/nowhere", goTo(s, "/nowhere"), nil},
		{"statistics", "/statistics", goTo(s, "/statistics?period=last_month"), nil},
		{"open-data", "/open-data", goTo(s, "/open-data"), nil},
		{"kind", "/file/kind", goTo(s, "/file"), nil},
		{"kind-error", "/file/kind", next(), nil},
		{"what", "/file/what", next(chromedp.Click("#kind-complaint")), nil},
		{"category", "/file/category", next(fill("#text", words)), nil},
		{"details", "/file/details", next(chromedp.Click("#category-0")), nil},
		{"details-error", "/file/details", next(fill("#detail-nights", "many")), nil},
		{"where", "/file/where", next(chromedp.Click("#detail-source"), fill("#detail-nights", "3"), fill("#detail-since", "2026-03-01"), fill("#detail-firm", "Nachtbau")), nil},
		{"photos", "/file/photos", next(fill("#place", "12 Willow Road")), nil},
		{"photos-added", "/file/photos", []chromedp.Action{chromedp.SetUploadFiles("#photos", []string{photo}), chromedp.Click(`[value="add"]`)}, nil},
		{"contact", "/file/contact", []chromedp.Action{chromedp.Click(`[value="continue"]`)}, nil},
		{"contact-error", "/file/contact", next(chromedp.Click("#who-contact")), nil},
		{"check", "/file/check", next(fill("#phone", "138 0000 1111")), nil},
		{"done", "/file/done", next(), nil},
		{"report", "/report", goTo(s, "/report"), nil},
		{"report-what", "/report/what", next(), nil},
		{"track", "/track", goTo(s, "/track"), nil},
		{"track-error", "/track", next(fill("#code", "12345678901234567891")), nil},
		{"case", "/track/case", next(fill("#code", goodCode)), nil},
	}
}

func arrived(t *testing.T, tab *webtest.Tab, s stop) {
	t.Helper()
	if path := webtest.Eval[string](t, tab, "location.pathname"); path != s.path {
		t.Fatalf("%s: at %s, want %s", s.name, path, s.path)
	}
}

// Every screen, in both languages, on desktop and phone, light and dark: no serious accessibility violation, nothing blocked by our own policy,
// nothing wider than the screen.
func TestScreens(t *testing.T) {
	t.Parallel()
	browser := webtest.New(t)
	for _, lang := range []string{"en", "zh-CN"} {
		for _, look := range []string{"desktop", "phone"} {
			s := newSite(t)
			s.cases.state, s.cases.asked = "completed", true
			view := webtest.Desktop
			if look == "phone" {
				view = webtest.Phone
			}
			view.Lang, view.Dark = lang, (look == "phone") == (lang == "en")
			tab := browser.Open(t, view, s.srv.URL)
			for _, stop := range s.screens(lang) {
				name := fmt.Sprintf("portal-%s-%s-%s", stop.name, lang, look)
				tab.Go(t, stop.do...)
				tab.Run(t, stop.here...)
				arrived(t, tab, stop)
				tab.FullScreenshot(t, name)
				tab.Axe(t, name)
				if wide := webtest.Eval[int](t, tab, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
					t.Errorf("%s is %d pixels too wide", name, wide)
				}
			}
			for _, line := range tab.Complaints() {
				if !strings.Contains(line, "status of 422") && !strings.Contains(line, "status of 404") { // answers of that kind on purpose
					t.Errorf("%s %s: %s", lang, look, line)
				}
			}
		}
	}
}

// A suggestion is opened with the keyboard, and told to those who do not see it.
func TestSuggestionsByKeyboard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tab := webtest.New(t).Open(t, webtest.Desktop, s.srv.URL+"/search")
	tab.Run(t, chromedp.SendKeys("#q", "rent"), chromedp.WaitVisible(`.suggestions[data-query="rent"] li`)) // slow typing is answered letter by letter
	attribute := func(name string) string {
		return webtest.Eval[string](t, tab, fmt.Sprintf(`document.getElementById("q").getAttribute(%q) ?? ""`, name))
	}
	if got := attribute("aria-expanded"); got != "true" {
		t.Errorf("aria-expanded is %q while suggestions show", got)
	}
	if got := webtest.Eval[string](t, tab, `document.querySelector(".search-box [role=status]").textContent`); !strings.Contains(got, "2 articles fit") {
		t.Errorf("announced %q", got)
	}
	tab.Run(t, chromedp.SendKeys("#q", kb.ArrowDown))
	active := attribute("aria-activedescendant")
	if got := webtest.Eval[string](t, tab, fmt.Sprintf(`document.getElementById(%q)?.textContent ?? ""`, active)); got != "Monthly rent subsidy for a private flat" {
		t.Errorf("the arrow key is at %q", got)
	}
	tab.Run(t, chromedp.SendKeys("#q", kb.Escape))
	if got := attribute("aria-expanded"); got != "false" {
		t.Errorf("aria-expanded is %q after Escape", got)
	}
	tab.Run(t, chromedp.SendKeys("#q", kb.ArrowDown), chromedp.WaitVisible(".suggestions li"), chromedp.SendKeys("#q", kb.ArrowDown))
	tab.Go(t, chromedp.SendKeys("#q", kb.Enter))
	if path := webtest.Eval[string](t, tab, "location.pathname"); path != "/a/rent-subsidy" {
		t.Errorf("Enter leads to %s", path)
	}
}

// The whole way from a problem to a code, with scripts switched off.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	view := webtest.Phone
	view.NoScript = true
	tab := webtest.New(t).Open(t, view, s.srv.URL+"/file")
	for _, stop := range s.screens("en") {
		if strings.HasPrefix(stop.path, "/file") {
			tab.Go(t, stop.do...)
			arrived(t, tab, stop)
		}
	}
	var number string
	tab.Run(t, chromedp.Text(".number", &number))
	if number != "2026-000123" {
		t.Errorf("number %q", number)
	}
}
