package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hotline/web/webtest"
)

// The editor of a decision form in a real browser: a mistake is named while it is typed, the tree follows, the walk can be tried.
func TestADecisionFormInTheBrowser(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	typed := func(source string) chromedp.Action {
		return chromedp.Evaluate("(() => { const e = document.getElementById('e-form'); e.value = "+quoted(source)+"; e.dispatchEvent(new Event('input', {bubbles: true})) })()", nil)
	}
	for _, look := range []struct {
		name string
		view webtest.View
	}{{"en-desktop", webtest.Desktop}, {"zh-CN-phone", webtest.View{Width: webtest.Phone.Width, Height: webtest.Phone.Height, Phone: true, Dark: true, Lang: "zh-CN"}}} {
		path := "/console/knowledge/new"
		if strings.HasPrefix(look.name, "zh") {
			path += "?lang=zh-CN"
		}
		tab := r.enter(t, b, look.view, "editor", path)
		tab.Run(t, chromedp.Click(".form-field > summary"), chromedp.WaitVisible("#e-form"))
		tab.Run(t, typed(strings.Replace(rentForm, "-> owner", "-> flat", 1)), chromedp.WaitVisible(".form-problems li"))
		tab.Run(t, chromedp.ScrollIntoView("#e-form"))
		tab.Screenshot(t, "console-form-problem-"+look.name)
		tab.Axe(t, "form-problem-"+look.name)
		tab.Run(t, typed(rentForm), chromedp.WaitVisible(".form-tree"), chromedp.SetValue("#try-0", "30"),
			chromedp.Evaluate("document.getElementById('try-0').dispatchEvent(new Event('change', {bubbles: true}))", nil), chromedp.WaitVisible("#try-1"))
		tab.Run(t, chromedp.SetValue("#try-1", "no"), chromedp.Evaluate("document.getElementById('try-1').dispatchEvent(new Event('change', {bubbles: true}))", nil), chromedp.WaitVisible(".form-try .alert-success"))
		tab.Run(t, chromedp.ScrollIntoView(".form-try .alert-success"))
		tab.Screenshot(t, "console-form-"+look.name)
		tab.Axe(t, "form-"+look.name)
		if wide := webtest.Eval[int](t, tab, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
			t.Errorf("%s is %d pixels too wide", look.name, wide)
		}
		clean(t, tab, look.name)
	}
}

func quoted(s string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`", "$", "\\$").Replace(s) + "`"
}
