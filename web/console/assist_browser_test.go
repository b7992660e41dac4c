package console_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"

	"hotline/channels"
	"hotline/internal/db"
	"hotline/internal/llm/llmtest"
	"hotline/web/webtest"
)

// wantLast compares the newest record of what became of an article.
func (r *rig) wantLast(t *testing.T, article uuid.UUID, want string) {
	t.Helper()
	if got := r.outcomes(article); len(got) == 0 || got[len(got)-1] != want {
		t.Errorf("recorded %q, want %q at the end", got, want)
	}
}

// TestAnOfficerAnswersWithSuggestions inserts, edits and sends on a ticket, and reports another article as wrong without leaving it.
func TestAnOfficerAnswersWithSuggestions(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	noise, fines, _ := r.library()
	k := r.noisy("en")
	tab := r.enter(t, b, webtest.Desktop, "handler-env", "/console/tickets/"+k.ID.String()+"?view=open")
	tab.Run(t, chromedp.WaitReady("#assist-draft"))
	tab.Axe(t, "suggestions")
	tab.Screenshot(t, "assist-ticket")

	// i inserts the draft where the cursor stands; its source stands beside it.
	tab.Run(t, chromedp.SendKeys("#composer-text", "Good morning."), chromedp.KeyEvent(kb.Escape), press("i"))
	tab.WaitJS(t, `document.getElementById("composer-text").value.startsWith("Good morning.\nDear citizen,") && document.querySelectorAll("#cites .chip").length === 1 && document.activeElement.id === "composer-text"`)
	tab.Screenshot(t, "assist-inserted")
	// What was written and where it is from survives a reload.
	tab.Go(t, chromedp.Reload())
	tab.WaitJS(t, `document.getElementById("composer-text").value.includes("Dear citizen,") && document.querySelectorAll("#cites .chip").length === 1 && document.getElementById("assist-draft")`)
	tab.Run(t, chromedp.Click(`//label[contains(., "Message")]`, chromedp.BySearch), chromedp.Evaluate(`(() => { const a = document.getElementById("composer-text"); a.value = a.value.replace("without a permit", "unless there is a permit"); })()`, nil),
		chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)))
	tab.WaitJS(t, `document.getElementById("feed").textContent.includes("unless there is a permit") && document.querySelector("#feed .cite")?.textContent.includes("Noise from building sites")`)
	r.wantLast(t, noise.Article.ID, "draft edited")

	// Another article is wrong: said in place, the ticket stays open, and what happens next is said.
	open := `li[data-article="` + fines.Article.ID.String() + `"] .assist-wrong`
	tab.WaitJS(t, `document.querySelector('`+open+`') !== null`)
	tab.Run(t, chromedp.Evaluate(`document.querySelector(".assist-more").open = true`, nil), chromedp.Click(open+" summary"), chromedp.SendKeys(open+" textarea", "The fine is 9,000 now."))
	tab.Axe(t, "report")
	tab.Screenshot(t, "assist-wrong")
	tab.Run(t, chromedp.Click(open+" .form button"))
	tab.WaitJS(t, `document.getElementById("suggestions").textContent.includes("looks at your correction") && !document.querySelector('li[data-article="`+fines.Article.ID.String()+`"]') && location.pathname.endsWith("`+k.ID.String()+`")`)
	tab.Axe(t, "reported")
	tab.Screenshot(t, "assist-reported")
	r.wantLast(t, fines.Article.ID, "article wrong")
	clean(t, tab, "assist")

	phone := r.enter(t, b, webtest.Phone, "handler-env", "/console/tickets/"+r.noisy("en").ID.String())
	phone.Run(t, chromedp.WaitReady("#assist-draft"), chromedp.ScrollIntoView("#assist-draft"))
	phone.Screenshot(t, "assist-phone")
	for _, user := range []string{"handler-env", "operator"} {
		p, err := r.auth.ByID(context.Background(), r.city.Users[user])
		must(t, err)
		must(t, r.auth.SetLang(context.Background(), p, "zh-CN"))
	}
	for name, view := range map[string]webtest.View{"desktop": {Width: 1280, Height: 1400, Lang: "zh-CN"}, "dark": {Width: 1280, Height: 1400, Lang: "zh-CN", Dark: true}} {
		chinese := r.enter(t, b, view, "handler-env", "/console/tickets/"+r.noisy("zh-CN").ID.String())
		chinese.Run(t, chromedp.WaitReady("#assist-draft"), chromedp.Click("#assist-draft summary"))
		chinese.Axe(t, "chinese "+name)
		chinese.Screenshot(t, "assist-zh-"+name)
	}
}

// TestAnOfficerInAChatWithSuggestions: the panel follows the talk, and takes nothing away from who works in it.
func TestAnOfficerInAChatWithSuggestions(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	noise, fines, _ := r.library()
	ctx := context.Background()
	say := func(id, text string) uuid.UUID {
		got, err := r.chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "demo", Thread: "v", ExternalID: id, Text: text, Lang: "en"})
		must(t, err)
		return got.ConversationID
	}
	conv := say("1", "May I speak with a person, please?")
	must(t, r.chat.AskHuman(ctx, conv))
	must(t, r.chat.TakeOver(ctx, r.as("operator").DB, conv))
	tab := r.enter(t, b, webtest.Desktop, "operator", "/console/chats/"+conv.String())
	tab.WaitJS(t, `document.getElementById("live-state").dataset.watching?.includes("`+conv.String()+`") && document.querySelector("#suggestions .asked, #suggestions p.muted")`)
	say("2", "There is construction noise at night from a building site")
	tab.WaitJS(t, `document.querySelector("#suggestions .asked")?.textContent.includes("construction noise") && document.querySelector('#suggestions li[data-article="`+noise.Article.ID.String()+`"]')`)
	tab.Axe(t, "chat suggestions")
	tab.Screenshot(t, "assist-chat")
	insert := `li[data-article="` + noise.Article.ID.String() + `"] button[data-insert]`
	tab.Run(t, chromedp.Click(insert))
	tab.WaitJS(t, `document.getElementById("composer-text").value.includes("without a permit") && document.activeElement.id === "composer-text"`)
	tab.Run(t, chromedp.KeyEvent(" Call us tonight."), chromedp.KeyEvent(kb.Enter))
	tab.WaitJS(t, `document.getElementById("feed").textContent.includes("Call us tonight.") && document.getElementById("composer-text").value === "" && !document.querySelector("#cites .chip")`)
	r.wantLast(t, noise.Article.ID, "article sent")

	// Somebody who is filling in a report is not interrupted by the next message.
	open := `li[data-article="` + fines.Article.ID.String() + `"] .assist-wrong`
	tab.WaitJS(t, `document.querySelector('`+open+`') !== null`)
	tab.Run(t, chromedp.Evaluate(`document.querySelector(".assist-more").open = true`, nil), chromedp.Click(open+" summary"), chromedp.SendKeys(open+" textarea", "The fine is 9,000"))
	say("3", "And what does building noise cost in fines?")
	tab.WaitJS(t, `!document.getElementById("assist-newer").hidden && document.querySelector('`+open+` textarea').value === "The fine is 9,000"`)
	tab.Run(t, chromedp.SendKeys(open+" textarea", " now."), chromedp.Click(open+" .form button"))
	tab.WaitJS(t, `document.getElementById("suggestions").textContent.includes("looks at your correction") && document.querySelector("#suggestions .asked").textContent.includes("cost in fines")`)
	corrections, err := r.knowledge.Corrections(ctx, fines.Article.ID)
	must(t, err)
	if len(corrections) != 1 || !strings.HasSuffix(corrections[0].Text, "The fine is 9,000 now.") {
		t.Errorf("corrections %+v", corrections)
	}
	seen, err := r.chat.Conversation(ctx, db.System(), conv)
	must(t, err)
	if seen.HolderUserID != r.city.Users["operator"] {
		t.Error("the chat was left")
	}
	clean(t, tab, "chat assist")
}

// TestAnOfficerWithALanguageModel: a draft with its sources is inserted, what the model made up is left out, and the page is never held up.
func TestAnOfficerWithALanguageModel(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	slow := make(chan struct{})
	r, _ := modelled(t, func(c llmtest.Chat) string {
		if strings.Contains(c.Said("system"), "draft a reply") {
			<-slow
			return "Building work is not allowed between 22:00 and 6:00 without a permit [1]. The mayor pays you 900 euros [1]."
		}
		return "The site is loud after 23:00."
	})
	noise, _, _ := r.library()
	k := r.noisy("en")
	_, err := r.chat.ReplyByCitizen(context.Background(), k.ID, "c1", "工地23:00以后还在施工，噪音很大", nil)
	must(t, err)
	tab := r.enter(t, b, webtest.Desktop, "handler-env", "/console/tickets/"+k.ID.String())
	tab.WaitJS(t, `document.querySelector('.machine input[value="draft"]')`)
	tab.Axe(t, "machine")
	tab.Run(t, chromedp.Click(`.machine form:has(input[value="draft"]) button`, chromedp.ByQuery))
	tab.WaitJS(t, `document.querySelector(".ask-draft progress") && document.querySelector("#suggestions li[data-article]")`)
	tab.Screenshot(t, "machine-running")
	tab.Axe(t, "running")
	// The page goes on while the model writes.
	tab.Run(t, chromedp.Click(`.translate button`, chromedp.ByQuery))
	tab.WaitJS(t, `document.querySelector("#feed .ask-translation")?.textContent.includes("loud after 23:00") && document.getElementById("feed").textContent.includes("工地23:00以后还在施工")`)
	tab.Go(t, chromedp.Reload())
	tab.WaitJS(t, `document.querySelector(".ask-draft progress") && document.querySelector("#feed .ask-translation")`)
	close(slow)
	tab.WaitJS(t, `document.querySelector(".ask-draft .draft-text")?.textContent.includes("without a permit [1]") && !document.body.textContent.includes("mayor")`)
	tab.Axe(t, "made")
	tab.Screenshot(t, "machine-done")
	tab.Run(t, chromedp.Click(`.ask-draft button[data-insert]`, chromedp.ByQuery))
	tab.WaitJS(t, `document.getElementById("composer-text").value.includes("without a permit.") && document.querySelectorAll("#cites .chip").length === 1`)
	tab.Run(t, chromedp.Click(`//label[contains(., "Message")]`, chromedp.BySearch), chromedp.Focus("#composer-text"), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)))
	tab.WaitJS(t, `document.querySelector("#feed .cite")?.textContent.includes("Noise from building sites")`)
	r.wantLast(t, noise.Article.ID, "model sent")
	clean(t, tab, "model")

	p, err := r.auth.ByID(context.Background(), r.city.Users["handler-env"])
	must(t, err)
	must(t, r.auth.SetLang(context.Background(), p, "zh-CN"))
	phone := r.enter(t, b, webtest.View{Width: 390, Height: 844, Phone: true, Lang: "zh-CN"}, "handler-env", "/console/tickets/"+r.noisy("zh-CN").ID.String())
	phone.WaitJS(t, `document.querySelector(".machine")`)
	phone.Run(t, chromedp.ScrollIntoView(".machine"))
	phone.Screenshot(t, "machine-phone-zh")
	phone.Axe(t, "machine on a phone")
}
