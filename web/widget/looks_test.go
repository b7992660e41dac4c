package widget

import (
	"testing"

	"github.com/chromedp/chromedp"

	"hotline/web/webtest"
)

// What a person is told in passing reads well at night, on a phone, in Chinese: that they write too fast, an answer that is being made, and a question of a
// decision form.
func TestPassingWordsReadWellAtNight(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	view := webtest.Phone
	view.Dark = true
	tab := webtest.New(t).Open(t, view, page(t, hub, `data-lang="zh-CN" data-open="true"`))
	ready(t, tab)
	tab.WaitJS(t, `document.querySelector("hotline-chat").transport.state === "online"`)
	hub.set(func() { hub.tooFast = 2 })
	write(t, tab, "我家附近的路灯坏了好几天")
	write(t, tab, "在滨河路12号门口")
	sees(t, tab, "发送得太快了")
	sees(t, tab, "等待发送")
	tab.Screenshot(t, "widget-too-fast-zh-dark")
	tab.Axe(t, "too fast at night")
	tab.WaitJS(t, js(allSent))
	hub.push(map[string]any{"t": "partial", "text": "补贴标准为每月 420 元[1]。需要先在户籍所在地的街道办事处申请[1]。"})
	sees(t, tab, "每月 420 元")
	tab.Screenshot(t, "widget-partial-zh-dark")
	tab.Axe(t, "partial at night")
	hub.set(func() {
		hub.add("bot", "", "您的户籍在兰汀市吗？\n\n（第 1 个问题，最多 4 个。）", map[string]any{"ask": "guide", "choices": []any{
			map[string]any{"id": "a", "label": "在，满 3 年"}, map[string]any{"id": "b", "label": "在，但不满 3 年"}, map[string]any{"id": "c", "label": "不在"},
			map[string]any{"id": "guide:unsure", "label": "不知道"}, map[string]any{"id": "guide:back", "label": "上一步"}, map[string]any{"id": "guide:stop", "label": "停"}}})
	})
	sees(t, tab, "不满 3 年")
	tab.Run(t, chromedp.Evaluate(js(`(r.querySelector(".log").scrollTop = 1e6)`), nil))
	tab.Screenshot(t, "widget-decision-zh-dark")
	tab.Axe(t, "a decision form at night")
	for _, sel := range []string{".choice", ".notice", ".bubble"} {
		if wide := webtest.Eval[bool](t, tab, js(`[...r.querySelectorAll("`+sel+`")].some(e => e.scrollWidth > e.clientWidth + 1)`)); wide {
			t.Errorf("%s runs over its edge", sel)
		}
	}
}
