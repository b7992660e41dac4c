// Package webtest drives a real browser (Debian's Chromium) through pages, looks for accessibility violations with axe-core and takes
// pictures. Only tests import it. axe.min.js in testdata is axe-core 4.10.3 exactly as published on npm, with its licences beside it; it
// never becomes part of the program.
package webtest

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	stdlog "log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe.min.js
var axe string

// Browser is one Chromium process that ends with the test.
type Browser struct {
	ctx context.Context
}

// New starts a browser, or skips the test where there is none and HOTLINE_REQUIRE_BROWSER is not set.
func New(t testing.TB) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("HOTLINE_REQUIRE_BROWSER") != "" {
			t.Fatal("no chromium: apt-get install chromium")
		}
		t.Skip("no chromium: apt-get install chromium")
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(90*time.Second),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("hide-scrollbars", true))
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(alloc, chromedp.WithErrorf(complain))
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the process; an error only says that it was gone already
		stop()
		stopAlloc()
	})
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return &Browser{ctx: ctx}
}

// View is how a person looks at a page.
type View struct {
	Width, Height int
	Phone         bool // touch, and a device's pixel ratio
	Dark          bool
	Lang          string // Accept-Language
	NoScript      bool
	ReducedMotion bool
}

// The views that every screen is looked at in.
var (
	Desktop = View{Width: 1280, Height: 900, Lang: "en"}
	Phone   = View{Width: 390, Height: 844, Phone: true, Lang: "en"}
)

// Tab is a page in the browser, with what it logged.
type Tab struct {
	Ctx     context.Context
	browser *Browser
	own     cdp.BrowserContextID
	mu      sync.Mutex
	bad     []string
}

// patience is how long one action may take. A busy machine needs some of it; a page that works never needs all.
const patience = 2 * time.Minute

// Open makes a tab with its own cookies and storage, and goes to url. The tab ends with the test.
func (b *Browser) Open(t testing.TB, view View, url string) *Tab {
	t.Helper()
	executor := cdp.WithExecutor(b.ctx, chromedp.FromContext(b.ctx).Browser)
	own, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(executor)
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	return b.open(t, view, url, own)
}

// Beside makes a tab that shares cookies and storage with this one, as a second tab of the same person does.
func (tab *Tab) Beside(t testing.TB, view View, url string) *Tab {
	t.Helper()
	return tab.browser.open(t, view, url, tab.own)
}

func (b *Browser) open(t testing.TB, view View, url string, own cdp.BrowserContextID) *Tab {
	t.Helper()
	// Chromium wants a window for the first tab of a context.
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(own).WithNewWindow(true).Do(cdp.WithExecutor(b.ctx, chromedp.FromContext(b.ctx).Browser))
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	ctx, stop := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
	t.Cleanup(stop)
	tab := &Tab{Ctx: ctx, browser: b, own: own}
	chromedp.ListenTarget(ctx, tab.listen)
	scheme := "light"
	if view.Dark {
		scheme = "dark"
	}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	if view.ReducedMotion {
		features = append(features, &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"})
	}
	if view.Lang == "" {
		view.Lang = "en"
	}
	if err := chromedp.Run(ctx); err != nil { // the driver listens as long as the context of its first action lives
		t.Fatalf("open %s: %v", url, err)
	}
	err = tab.Do(
		network.Enable(), log.Enable(), runtime.Enable(),
		emulation.SetDeviceMetricsOverride(int64(view.Width), int64(view.Height), 1, view.Phone),
		emulation.SetTouchEmulationEnabled(view.Phone),
		emulation.SetEmulatedMedia().WithFeatures(features),
		emulation.SetScriptExecutionDisabled(view.NoScript),
		network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": view.Lang}),
		chromedp.Navigate(url))
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	return tab
}

func (tab *Tab) listen(event any) {
	var line string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		line = "exception: " + e.ExceptionDetails.Error()
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError {
			line = fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
	if line != "" && !strings.Contains(line, "favicon") {
		tab.mu.Lock()
		tab.bad = append(tab.bad, line)
		tab.mu.Unlock()
	}
}

// complain logs what the driver itself finds wrong, but for events of a Chromium newer than it.
func complain(format string, a ...any) {
	if line := fmt.Sprintf(format, a...); !strings.HasPrefix(line, "unhandled ") {
		stdlog.Print("chromedp: ", line)
	}
}

// Do does the actions in the tab, where an error is no surprise. Errors: the driver's own, and that it took longer than two minutes.
func (tab *Tab) Do(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(tab.Ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// Run does the actions in the tab and fails the test when one fails.
func (tab *Tab) Run(t testing.TB, actions ...chromedp.Action) {
	t.Helper()
	for _, action := range actions {
		if err := again(func() error { return tab.Do(action) }); err != nil {
			tab.Screenshot(t, "failed")
			t.Fatalf("browser: %v\n%s", err, strings.Join(tab.Complaints(), "\n"))
		}
	}
}

// again does the step anew when the page replaced its element between the driver's look and its touch (a live part does that at any time):
// the driver then did nothing yet, and a person would not notice.
func again(step func() error) error {
	for tries := 1; ; tries++ {
		err := step()
		var gone *cdproto.Error
		if tries == 20 || !errors.As(err, &gone) || !strings.Contains(gone.Message, "node with given id") {
			return err
		}
	}
}

// Go does actions of which the last ends in another page (a link, a form) and waits until that page has loaded.
func (tab *Tab) Go(t testing.TB, actions ...chromedp.Action) {
	t.Helper()
	last := len(actions) - 1
	tab.Run(t, actions[:last]...)
	ctx, cancel := context.WithTimeout(tab.Ctx, patience)
	defer cancel()
	if err := again(func() error { _, err := chromedp.RunResponse(ctx, actions[last]); return err }); err != nil {
		t.Fatalf("browser: %v\n%s", err, strings.Join(tab.Complaints(), "\n"))
	}
}

// Complaints lists uncaught exceptions, blocked content (policy violations) and failed loads since the tab was opened.
func (tab *Tab) Complaints() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return append([]string(nil), tab.bad...)
}

// WaitJS waits until the JavaScript expression is true. It fails the test when that takes longer than a minute.
func (tab *Tab) WaitJS(t testing.TB, expression string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab.Ctx, time.Minute)
	defer cancel()
	for {
		err := chromedp.Run(ctx, chromedp.Poll(expression, nil, chromedp.WithPollingInterval(30*time.Millisecond)))
		if err == nil {
			return
		}
		if ctx.Err() == nil && leftPage(err) {
			continue // the poll ended with the page it ran in; the next page is asked the same
		}
		tab.Screenshot(t, "failed")
		t.Fatalf("waited in vain for %s: %v\n%s", expression, err, strings.Join(tab.Complaints(), "\n"))
	}
}

// leftPage reports whether a script ended because its page was left.
func leftPage(err error) bool {
	for _, words := range []string{"navigated or closed", "context was destroyed", "Cannot find context", "context with specified id"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// Eval gives the value of a JavaScript expression.
func Eval[T any](t testing.TB, tab *Tab, expression string) T {
	t.Helper()
	var value T
	tab.Run(t, chromedp.Evaluate(expression, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return value
}

type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
		Target         []any
	}
}

// Axe fails the test for every serious or critical accessibility violation on the page (WCAG 2.0 to 2.2, A and AA). name says which page.
func (tab *Tab) Axe(t testing.TB, name string) {
	t.Helper()
	raw := Eval[string](t, tab, axe+`;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
	var found []violation
	if err := json.Unmarshal([]byte(raw), &found); err != nil {
		t.Fatalf("axe: %v", err)
	}
	for _, v := range found {
		if v.Impact != "serious" && v.Impact != "critical" {
			t.Logf("%s: %s (%s): %s", name, v.ID, v.Impact, v.Help)
			continue
		}
		for _, n := range v.Nodes {
			t.Errorf("%s: %s (%s): %s\n  %v %s\n  %s", name, v.ID, v.Impact, v.Help, n.Target, n.HTML, n.FailureSummary)
		}
	}
}

// Screenshot keeps a picture of the page as name.png when HOTLINE_SCREENSHOTS names a folder; it never fails a test by itself.
func (tab *Tab) Screenshot(t testing.TB, name string) { tab.picture(t, name, false) }

// FullScreenshot is Screenshot of the whole length of the page.
func (tab *Tab) FullScreenshot(t testing.TB, name string) { tab.picture(t, name, true) }

func (tab *Tab) picture(t testing.TB, name string, whole bool) {
	t.Helper()
	dir := os.Getenv("HOTLINE_SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	ctx, cancel := context.WithTimeout(tab.Ctx, 15*time.Second)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		png, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatPng).WithCaptureBeyondViewport(whole).Do(ctx)
		if whole && err == nil {
			_, _, _, _, _, size, e := page.GetLayoutMetrics().Do(ctx)
			if e != nil {
				return e
			}
			png, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatPng).WithCaptureBeyondViewport(true).
				WithClip(&page.Viewport{Width: size.Width, Height: size.Height, Scale: 1}).Do(ctx)
		}
		return err
	}))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		t.Logf("picture %s: %v", name, err)
	}
}
