package console_test

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hotline/web/webtest"
)

func TestZZShots(t *testing.T) {
	base := os.Getenv("SHOT_BASE")
	if base == "" {
		t.Skip()
	}
	b := webtest.New(t)
	for _, line := range strings.Split(strings.TrimSpace(os.Getenv("SHOTS")), "\n") {
		f := strings.Split(line, " ")
		name, user, path, look := f[0], f[1], f[2], f[3]
		view := webtest.View{Width: 1280, Height: 1000, Lang: "en"}
		if strings.Contains(look, "tall") {
			view.Height = 3000
		}
		if strings.Contains(look, "phone") {
			view.Width, view.Phone, view.Height = 390, true, 2600
		}
		view.Dark = strings.Contains(look, "dark")
		if strings.Contains(look, "zh") {
			view.Lang = "zh-CN"
			path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "lang=zh-CN"
		}
		if user == "-" {
			tab := b.Open(t, view, base+path)
			tab.FullScreenshot(t, name)
			continue
		}
		tab := b.Open(t, view, base+"/console/sign-in")
		tab.Run(t, chromedp.SendKeys("#email", user+"@lanting.example"), chromedp.SendKeys("#password", "lanting-demo-2026"+kb.Enter))
		tab.Run(t, chromedp.WaitReady("html.js body.app"))
		tab.Run(t, chromedp.Navigate(base+path), chromedp.WaitReady("body"))
		tab.Screenshot(t, name)
	}
}
