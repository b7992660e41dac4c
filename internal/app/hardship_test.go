package app_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/tickets"
	"hotline/web/webtest"
)

// hardship is a case that goes wrong in every way, seen from both sides.
type hardship struct {
	t      *testing.T
	a      *app.App
	clock  *clock.Fake
	id     string
	number string
	code   string
}

// acts makes a move by the form of its own page, as somebody without scripts would.
func (h hardship) acts(p person, action string, fields map[string]string) {
	h.t.Helper()
	p.tab.Go(h.t, chromedp.Navigate(h.a.URL()+"/console/tickets/"+h.id+"/do/"+action))
	p.tab.WaitJS(h.t, `document.readyState === "complete"`)
	for selector, value := range fields {
		p.fills(selector, value)
	}
	p.clicks(`form[action*="/do/` + action + `"] .buttons button`)
	p.tab.WaitJS(h.t, `!location.pathname.includes("/do/") && document.readyState === "complete"`)
}

// presses makes a move that needs no words, with the button on the ticket's page.
func (h hardship) presses(p person, action string) {
	h.t.Helper()
	p.tab.Go(h.t, chromedp.Navigate(h.a.URL()+"/console/tickets/"+h.id))
	p.clicks(`#actions form[action$="/do/` + action + `"] button`)
}

func (h hardship) state(state string) { h.t.Helper(); awaitState(h.t, h.a, h.number, state) }

// entry waits for an entry of the history.
func (h hardship) entry(kind string) {
	h.t.Helper()
	awaitRow(h.t, h.a, "entry "+kind, `select exists (select from ticket_events where ticket_id = $1 and type = $2)`, h.id, kind)
}

// looks opens the case with its code, as a citizen does who comes back days later.
func (h hardship) looks(p person) {
	h.t.Helper()
	p.tab.Go(h.t, chromedp.Navigate(h.a.URL()+"/track?lang=en"))
	p.tab.WaitJS(h.t, `document.readyState === "complete" && (location.pathname === "/track/case" || !!document.querySelector("#code"))`)
	if webtest.Eval[bool](h.t, p.tab, `!!document.querySelector("#code")`) {
		p.tab.Run(h.t, chromedp.SendKeys("#code", h.code+kb.Enter))
	}
	p.tab.WaitJS(h.t, `location.pathname === "/track/case" && document.readyState === "complete"`)
}

func (h hardship) rates(p person, grade, resolved, words string) {
	h.t.Helper()
	p.clicks("#grade-" + grade)
	p.clicks(`input[name=resolved][value=` + resolved + `]`)
	p.fills("#rate-text", words)
	p.clicks(`form[action="/track/rate"] button`)
	p.tab.WaitJS(h.t, `location.search.includes("done=rate")`)
}

// TestHardship: a case is returned, extended, overdue, supervised, badly rated and rectified; both sides see it in their browsers.
func TestHardship(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)) // Tuesday, 10:00 in the demo city
	a := startAt(t, fake)
	browser := webtest.New(t)
	filed, err := a.Chat.FileTicket(t.Context(), chat.Filing{Channel: channels.Portal, Account: "form", ExternalID: uuid.NewString(), Lang: "en",
		Text:  "The building site in Lake Road drills until two in the morning, every night.",
		Draft: tickets.Draft{Kind: "complaint", Category: "environment.noise.construction", Description: "The building site in Lake Road drills until two in the morning, every night.", Place: "12 Lake Road", Lang: "en"}})
	if err != nil {
		t.Fatal(err)
	}
	h := hardship{t, a, fake, filed.Ticket.ID.String(), filed.Ticket.Number, filed.Code}
	agency := map[string]string{}
	for _, code := range []string{"dept-utilities", "dept-environment"} {
		one, ok := a.Routing.Snapshot().AgencyByCode(code)
		if !ok {
			t.Fatalf("no agency %s", code)
		}
		agency[code] = one.ID.String()
	}
	citizen := person{t, browser.Open(t, webtest.Phone, a.URL()+"/track?lang=en")}
	dispatcher, supervisor, operator := staff(t, browser, a, "dispatcher@lanting.example"), staff(t, browser, a, "supervisor@lanting.example"), staff(t, browser, a, "operator@lanting.example")
	wrong, handler := staff(t, browser, a, "utilities@lanting.example"), staff(t, browser, a, "environment@lanting.example")

	// Returned: the dispatcher sends it to the wrong agency, which gives it back with a reason.
	if filed.Ticket.State == tickets.Dispatched {
		h.acts(dispatcher, "recall", map[string]string{"#f-text": "Wrong agency."})
		h.state("pending_dispatch")
	}
	h.acts(dispatcher, "dispatch", map[string]string{"#other": agency["dept-utilities"]})
	h.state("dispatched")
	h.acts(wrong, "request_return", map[string]string{"#f-reason": "not_responsible", "#f-basis": "Noise of building sites belongs to the environment department."})
	h.state("return_requested")
	h.acts(dispatcher, "approve_return", nil)
	h.state("pending_dispatch")
	h.acts(dispatcher, "dispatch", map[string]string{"#other": agency["dept-environment"]})
	h.state("dispatched")
	h.presses(handler, "sign")
	h.state("in_progress")

	// Extended: the agency asks, the hotline agrees, the citizen reads the new date.
	before := h.promised()
	h.acts(handler, "request_extension", map[string]string{"#f-text": "The noise has to be measured at night.", "#f-days": "2"})
	h.entry("request_extension")
	h.acts(dispatcher, "approve_extension", nil)
	h.entry("approve_extension")
	if !h.promised().After(before) {
		t.Fatalf("promised %s, before %s", h.promised(), before)
	}
	h.looks(citizen)
	citizen.sees("takes longer than planned")

	// Overdue and supervised: the board shows it, a supervisor orders an answer, the agency gives it.
	fake.Set(h.promised().Add(49 * time.Hour))
	h.entry("dunning")
	supervisor.tab.Go(t, chromedp.Navigate(a.URL()+"/console/supervision"))
	supervisor.sees(h.number)
	supervisor.tab.Axe(t, "supervision board")
	picture(t, supervisor.tab, "supervision.png")
	h.acts(supervisor, "supervise", map[string]string{"#f-reason": "overdue", "#f-text": "Report by tomorrow what has been done."})
	h.entry("supervise")
	h.acts(handler, "answer_supervision", map[string]string{"#f-text": "Measured twice; the site is ordered to stop at ten."})
	h.entry("answer_supervision")
	handler.tab.Go(t, chromedp.Navigate(a.URL()+"/console/tickets/"+h.id))
	answer(handler, "The site has to stop at ten in the evening.", "")
	h.state("replied")
	h.presses(operator, "complete")
	h.state("completed")

	// Badly rated: the citizen says that it is not solved, and the agency has to set it right.
	h.looks(citizen)
	citizen.sees("The site has to stop at ten in the evening.")
	citizen.tab.Axe(t, "an answered case")
	h.rates(citizen, "1", "no", "They drilled last night again.")
	h.entry("rated")
	handler.tab.Go(t, chromedp.Navigate(a.URL()+"/console/quality"))
	handler.sees(h.number)
	handler.tab.Go(t, chromedp.Navigate(a.URL()+"/console/tickets/"+h.id))
	handler.sees("They drilled last night again.")
	handler.fills("#rectify-text", "The machine was sealed and a fine was given.")
	handler.clicks(`form[action$="/rectify"] button`)
	h.entry("rectified")

	// The citizen reads it and rates again.
	h.looks(citizen)
	citizen.sees("The machine was sealed and a fine was given.")
	h.rates(citizen, "5", "yes", "Quiet at last.")
	awaitRow(t, a, "the second rating", `select exists (select from ticket_ratings where ticket_id = $1 and round = 2 and grade = 5) and exists (select from tickets where id = $1 and rectify = 'done')`, h.id)

	// The revisit finds a satisfied citizen, and the case ends.
	fake.Advance(96 * time.Hour)
	awaitRow(t, a, "the end of the case", `select exists (select from tickets where id = $1 and state in ('revisiting', 'closed'))`, h.id)
	h.state("closed")
	if err := a.Tickets.VerifyHistory(t.Context(), tickets.System(), filed.Ticket.ID); err != nil {
		t.Error(err)
	}
	for name, p := range map[string]person{"citizen": citizen, "dispatcher": dispatcher, "supervisor": supervisor, "operator": operator, "wrong agency": wrong, "handler": handler} {
		for _, line := range p.tab.Complaints() {
			t.Errorf("the %s's page complained: %s", name, line)
		}
	}
}

// promised is the resolution deadline as told to the citizen.
func (h hardship) promised() (at time.Time) {
	h.t.Helper()
	err := db.ReadTx(h.t.Context(), h.a.Pool(), db.System(), func(tx db.Tx) error {
		return tx.QueryRow(h.t.Context(), `select promised_at from tickets where number = $1`, h.number).Scan(&at)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return at
}
