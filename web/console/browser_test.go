package console_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/tickets"
	"hotline/web/webtest"
)

// busy fills the console with a morning's work.
func (r *rig) busy() (first, handled, secret tickets.Ticket, talk chat.Receipt, article knowledge.Entry) {
	r.t.Helper()
	ctx := context.Background()
	env := r.city.Agencies["dept-environment"]
	r.file("complaint", "Rubbish not collected for a week", "The bins in Willow Lane are overflowing since last Monday.", "environment.waste")
	late := r.file("help", "No water since this morning", "No water since this morning in the whole building, Lake Road 12.", "utilities.water")
	if late.Lead == (tickets.Ticket{}).Lead {
		r.apply("dispatcher", late, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-utilities"]})
	}
	r.file("suggestion", "A bench at the tram stop", "Please put a bench at the tram stop in Station Street; many old people wait there.", "")
	r.file("complaint", "夜间施工噪音扰民", "湖滨路工地每天晚上十一点以后还在打桩，全家无法休息。", "environment.noise", func(f *chat.Filing) { f.Lang, f.Draft.Lang = "zh-CN", "zh-CN" })
	secret = r.file("report", "An inspector asks for money", "The inspector of the market asked for money twice.", "environment.waste")
	handled = r.file("complaint", "Drilling at night in Lake Road", "Construction noise at night keeps us awake, every night until two.", "environment.noise")
	if handled.State == tickets.PendingDispatch {
		handled = r.apply("dispatcher", handled, tickets.Dispatch, tickets.Fields{Lead: env})
	}
	r.clock.Advance(40 * time.Minute)
	handled = r.apply("handler-env", handled, tickets.Sign, tickets.Fields{})
	_, err := r.tickets.Note(ctx, r.as("handler-env"), handled.ID, "Called the site manager; he promises to stop at ten.\n<script>alert(1)</script>", "")
	must(r.t, err)
	_, err = r.chat.ReplyToTicket(ctx, r.as("handler-env"), handled.ID, handled.Version, "Since when has this been going on?", tickets.AskCitizen, tickets.Fields{}, "")
	must(r.t, err)
	_, err = r.chat.ReplyByCitizen(ctx, handled.ID, "answer-1", "Since last Monday. <img src=x onerror=alert(1)>", nil)
	must(r.t, err)
	handled = r.ticket(handled.ID)
	first = r.file("help", "Street light broken", "The street light in front of our house is broken, it is very dark.", "")
	r.clock.Advance(20 * time.Minute)

	talk, err = r.chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "demo", Thread: "visitor-1", ExternalID: "1", Text: "Hello, I need help with my water bill. Can I speak with a person?", Lang: "en"})
	must(r.t, err)
	_, err = r.chat.Post(ctx, db.System(), talk.ConversationID, chat.Outgoing{Author: chat.ByBot, Text: "I will ask a person to join. You can go on writing."})
	must(r.t, err)
	must(r.t, r.chat.AskHuman(ctx, talk.ConversationID))

	editor, err := r.auth.ByID(ctx, r.city.Users["editor"])
	must(r.t, err)
	reviewer, err := r.auth.ByID(ctx, r.city.Users["reviewer"])
	must(r.t, err)
	by := knowledge.Staff{Actor: editor.Actor(), Roles: editor.Roles}
	article, err = r.knowledge.Create(ctx, by, knowledge.Article{Lang: "en", Owner: env, Topic: "environment"}, knowledge.Text{Title: "Noise from building sites at night",
		Summary: "Building work is not allowed between 22:00 and 6:00 without a permit.", Body: "## When it is not allowed\n\nBetween **22:00 and 6:00** no noisy work is allowed.\n\n- tell us the place\n- tell us the time\n\n| Day | Quiet hours |\n|---|---|\n| Weekday | 22–6 |\n| Sunday | all day |",
		Questions: []string{"Who stops construction noise at night?"}})
	must(r.t, err)
	article, err = r.knowledge.Submit(ctx, by, article.Version.Ref())
	must(r.t, err)
	article, err = r.knowledge.Publish(ctx, knowledge.Staff{Actor: reviewer.Actor(), Roles: reviewer.Roles}, article.Version.Ref())
	must(r.t, err)
	next := article.Version.Text
	next.Body += "\n\nThe fine is up to 5,000."
	article, err = r.knowledge.Save(ctx, by, article.Version.Ref(), next)
	must(r.t, err)
	article, err = r.knowledge.Submit(ctx, by, article.Version.Ref())
	must(r.t, err)
	for user, words := range map[string][]string{"handler-env": {"night work", "school nearby"}, "supervisor": {"hot topic", "council"}} {
		for _, word := range words {
			_, _, err = r.tickets.AddTag(ctx, r.as(user), handled.ID, word)
			must(r.t, err)
		}
	}
	for _, user := range []string{"handler-env", "head-env", "dispatcher"} {
		_, err = r.tickets.Watch(ctx, r.as(user), handled.ID, r.city.Users[user])
		must(r.t, err)
	}
	must(r.t, r.tickets.Link(ctx, r.as("dispatcher"), handled.ID, first.ID, tickets.FollowUp))
	part, err := r.tickets.Split(ctx, r.as("dispatcher"), handled.ID, tickets.PartDraft{Title: "Measure the noise", Description: "Please measure on two nights.", Lead: r.city.Agencies["dept-utilities"]})
	must(r.t, err)
	part = r.apply("handler-util", part, tickets.Sign, tickets.Fields{})
	resolved := true
	r.apply("handler-util", part, tickets.Reply, tickets.Fields{Text: "62 dB at the window, both nights.", Outcome: "resolved", Resolved: &resolved})
	for _, f := range []tickets.SavedFilter{{Name: "Noise this year", View: tickets.ViewAll, Shared: true, Filter: tickets.Filter{Category: "environment.noise"}}, {Name: "Complaints about building sites in the city", View: tickets.ViewOpen, Filter: tickets.Filter{Kind: "complaint"}}} {
		for _, user := range []string{"supervisor", "head-env"} {
			_, err = r.tickets.SaveFilter(ctx, r.as(user), f)
			must(r.t, err)
		}
	}
	return first, handled, secret, talk, article
}

func (r *rig) enter(t testing.TB, b *webtest.Browser, view webtest.View, user, path string) *webtest.Tab {
	t.Helper()
	tab := b.Open(t, view, r.server.URL+"/console/sign-in?next="+strings.ReplaceAll(path, "?", "%3F"))
	tab.Run(t, chromedp.SendKeys("#email", user+"@tiny.example"), chromedp.SendKeys("#password", password+kb.Enter))
	tab.Run(t, chromedp.WaitReady("html.js body.app"))
	return tab
}

func clean(t *testing.T, tab *webtest.Tab, name string) {
	t.Helper()
	for _, line := range tab.Complaints() {
		t.Errorf("%s: %s", name, line)
	}
}

// TestPagesAreAccessible looks at every page in both languages; HOTLINE_SCREENSHOTS keeps pictures, on a phone and in the dark too.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	r := newRig(t)
	rectify, waiting := r.aftermath()
	first, handled, secret, talk, article := r.busy()
	must(t, r.chat.TakeOver(context.Background(), r.as("operator").DB, talk.ConversationID))
	draft, err := r.routing.Draft(context.Background(), r.as("administrator").DB, "")
	must(t, err)
	r.measure()
	r.newRules()
	pages := []pageOf{
		{"inbox", "dispatcher", "/console/inbox?view=open"},
		{"ticket", "handler-env", "/console/tickets/" + handled.ID.String() + "?view=open"},
		{"ticket-secret", "dispatcher", "/console/tickets/" + secret.ID.String() + "?view=all"},
		{"dispatch", "dispatcher", "/console/tickets/" + first.ID.String() + "/do/dispatch"},
		{"desk", "dispatcher", "/console/desk"},
		{"supervision", "supervisor", "/console/supervision"},
		{"quality", "operator", "/console/quality?tab=calls"},
		{"quality-rectify", "supervisor", "/console/quality?tab=rectifications"},
		{"quality-exclude", "supervisor", "/console/quality?tab=exclusions"},
		{"ticket-rectify", "handler-env", "/console/tickets/" + rectify.ID.String() + "?view=all"},
		{"ticket-exclude", "supervisor", "/console/tickets/" + waiting.ID.String() + "?view=all"},
		{"chat", "operator", "/console/chats/" + talk.ConversationID.String()},
		{"articles", "editor", "/console/knowledge"},
		{"article", "reviewer", "/console/knowledge/" + article.Article.ID.String()},
		{"editor", "editor", "/console/knowledge/new"},
		{"knowledge-board", "editor", "/console/knowledge/board"},
		{"users", "administrator", "/console/admin/users"},
		{"user", "administrator", "/console/admin/users/" + r.city.Users["handler-env"].String()},
		{"agencies", "administrator", "/console/admin/agencies"},
		{"agency", "administrator", "/console/admin/agencies/" + r.city.Agencies["dept-utilities"].String()},
		{"keys", "administrator", "/console/admin/keys"},
		{"catalogue", "administrator", "/console/admin/catalogue/" + strconv.Itoa(draft)},
		{"entry", "administrator", "/console/admin/catalogue/" + strconv.Itoa(draft) + "/entry?category=utilities.water"},
		{"policies", "administrator", "/console/admin/policies"},
		{"policy-set", "administrator", "/console/admin/policies/tiny"},
		{"policy", "administrator", "/console/admin/policies/tiny/edit?policy=urgent"},
		{"setting-publish", "administrator", "/console/admin/policies/tiny/publish"},
		{"setting-versions", "administrator", "/console/admin/policies/tiny/versions?v=1"},
		{"calendar", "administrator", "/console/admin/calendars/cn"},
		{"profile", "operator", "/console/profile"},
		{"notifications", "dispatcher", "/console/notifications"},
		{"statistics", "supervisor", "/console/statistics?period=custom&from=2026-03-01&to=2026-03-31"},
		{"statistics-empty", "head-env", "/console/statistics?period=last_year"},
		{"measured", "head-env", "/console/statistics/tickets?period=custom&from=2026-03-01&to=2026-03-31&of=tickets&title=opened"},
		{"scorecards", "supervisor", "/console/statistics/scorecards?period=custom&from=2026-03-01&to=2026-03-31"},
		{"appeals", "supervisor", "/console/statistics/appeals"},
		{"appeal", "head-env", "/console/statistics/appeal/" + handled.ID.String()},
		{"measure-settings", "administrator", "/console/statistics/settings"},
		{"missing", "operator", "/console/nothing-here"},
	}
	pages = append(pages, r.toolPages(handled)...)
	pages = append(pages, r.massPages()...)
	pages = append(pages, r.referencePages()...)
	pages = append(pages, r.modelPages()...)
	only := os.Getenv("CONSOLE_ONLY")
	for _, lang := range []string{"en", "zh-CN"} {
		for _, id := range r.city.Users {
			p, err := r.auth.ByID(context.Background(), id)
			must(t, err)
			must(t, r.auth.SetLang(context.Background(), p, lang))
		}
		tabs := map[string]*webtest.Tab{}
		stranger := b.Open(t, webtest.View{Width: 1280, Height: 900, Lang: lang}, r.server.URL+"/console/sign-in")
		stranger.Axe(t, "sign-in "+lang)
		stranger.Screenshot(t, "sign-in-"+lang)
		for _, page := range pages {
			if only != "" && !strings.Contains(only, page.name) {
				continue
			}
			tab := tabs[page.user]
			if tab == nil {
				tab = r.enter(t, b, webtest.View{Width: 1280, Height: 900, Lang: lang}, page.user, "/console/profile")
				tabs[page.user] = tab
			}
			tab.Run(t, chromedp.Navigate(r.server.URL+page.path))
			tab.WaitJS(t, `document.readyState === "complete" && !document.querySelector("#suggestions > p.muted:only-child")?.textContent.includes("…")`)
			tab.Axe(t, page.name+" "+lang)
			tab.Screenshot(t, page.name+"-"+lang)
			if page.name != "missing" {
				clean(t, tab, page.name)
			}
		}
		if os.Getenv("HOTLINE_SCREENSHOTS") == "" {
			continue
		}
		dark := lang == "zh-CN"
		for name, view := range map[string]webtest.View{"phone": {Width: 390, Height: 844, Phone: true, Lang: lang, Dark: !dark}, "dark": {Width: 1280, Height: 900, Lang: lang, Dark: true}} {
			tabs := map[string]*webtest.Tab{}
			for _, page := range pages {
				if only != "" && !strings.Contains(only, page.name) {
					continue
				}
				tab := tabs[page.user]
				if tab == nil {
					tab = r.enter(t, b, view, page.user, "/console/profile")
					tabs[page.user] = tab
				}
				tab.Run(t, chromedp.Navigate(r.server.URL+page.path))
				tab.Screenshot(t, page.name+"-"+lang+"-"+name)
				if view.Dark && name == "dark" {
					tab.Axe(t, page.name+" dark "+lang)
				}
			}
		}
	}
}
