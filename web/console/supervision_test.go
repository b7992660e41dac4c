package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
)

func (r *rig) sweep() {
	r.t.Helper()
	_, err := r.tickets.Sweep(context.Background(), r.clock.Now(), 200)
	must(r.t, err)
}

// worked is a ticket that an agency has signed for.
func (r *rig) worked() tickets.Ticket {
	r.t.Helper()
	k := r.apply("dispatcher", r.noRoute(), tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"], Co: []uuid.UUID{r.city.Agencies["dept-utilities"]}})
	return r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
}

func TestTheSupervisionBoardShowsLightsLadderAndOrders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	boss := r.signIn("supervisor")
	boss.get("/console/supervision").wants(t, http.StatusOK, "No open tickets", "No supervision order is open")
	k := r.worked()
	r.clock.Advance(20 * 24 * time.Hour)
	r.sweep()
	page := boss.get("/console/supervision")
	page.wants(t, http.StatusOK, "Environment", k.Number, "Criticised", "view=overdue&amp;lead="+k.Lead.String())
	// An order, by the form that the ticket page links to, and its answer by the agency.
	form := boss.get("/console/tickets/" + k.ID.String() + "/do/supervise")
	form.wants(t, http.StatusOK, "Overdue", "Badly handled")
	k = r.ticket(k.ID)
	boss.post("/console/tickets/"+k.ID.String()+"/do/supervise", url.Values{"version": {strconv.Itoa(k.Version)}, "key": {uuid.NewString()}, "reason": {"overdue"}, "text": {"Report by tomorrow."}}).wants(t, http.StatusOK, k.Number)
	head := r.signIn("head-env")
	head.get("/console/supervision").wants(t, http.StatusOK, k.Number)
	k = r.ticket(k.ID)
	head.post("/console/tickets/"+k.ID.String()+"/do/answer_supervision", url.Values{"version": {strconv.Itoa(k.Version)}, "key": {uuid.NewString()}, "text": {"Two visits were made."}}).wants(t, http.StatusOK, "Two visits were made.")
	boss.get("/console/supervision").wants(t, http.StatusOK, "answered")
	r.signIn("handler-util").get("/console/supervision").wants(t, http.StatusForbidden)
	boss.get("/console/supervision?ladder=nonsense").wants(t, http.StatusBadRequest)
}

func TestCallsRectificationsAndExclusionsAreWorkedFromTheQualityBoard(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	operator, supervisor, handler := r.signIn("operator"), r.signIn("supervisor"), r.signIn("handler-env")
	operator.get("/console/quality").wants(t, http.StatusOK, "Nobody has to be called")
	handler.get("/console/quality").wants(t, http.StatusOK, "No rectification is open")
	k := r.worked()
	yes, no := true, false
	k = r.apply("handler-env", k, tickets.Reply, tickets.Fields{Text: "Quiet now.", Outcome: "resolved", Resolved: &yes, Over: "Their part is no help here."})
	k = r.apply("operator", k, tickets.Complete, tickets.Fields{})
	// A citizen of the portal with a telephone is called.
	r.clock.Advance(3 * 24 * time.Hour)
	r.sweep()
	operator.get("/console/quality?tab=calls").wants(t, http.StatusOK, k.Number, "0 of 3")
	// The link for a letter rates once, and opens the rectification.
	link := operator.post("/console/tickets/"+k.ID.String()+"/assessment-link", url.Values{})
	link.wants(t, http.StatusOK, "https://hotline.example/rate/")
	_, after, _ := strings.Cut(link.body, "https://hotline.example/rate/")
	token, _, _ := strings.Cut(after, `"`)
	_, err := r.tickets.RateByLink(context.Background(), token, tickets.Rating{Grade: 1, Text: "Still loud"})
	must(t, err)
	handler.get("/console/quality").wants(t, http.StatusOK, k.Number, "very unsatisfied")
	handler.get("/console/tickets/"+k.ID.String()).wants(t, http.StatusOK, "What has been set right")
	operator.get("/console/tickets/"+k.ID.String()).lacks(t, "What has been set right")
	handler.post("/console/tickets/"+k.ID.String()+"/rectify", url.Values{"key": {uuid.NewString()}, "text": {""}}, "HX-Request", "true").wants(t, http.StatusBadRequest, "Please fill in")
	handler.post("/console/tickets/"+k.ID.String()+"/rectify", url.Values{"key": {uuid.NewString()}, "text": {"The site is closed."}}).wants(t, http.StatusOK, "The site is closed.")
	supervisor.get("/console/quality?tab=rectifications").wants(t, http.StatusOK, k.Number, "waits for the citizen")
	// The citizen says on the telephone that it is not solved; the operator asks for an exclusion, another officer decides.
	k = r.apply("operator", k, tickets.StartRevisit, tickets.Fields{})
	k = r.apply("operator", k, tickets.RevisitDone, tickets.Fields{Resolved: &no, Satisfaction: 1})
	operator.get("/console/quality?tab=calls").wants(t, http.StatusOK, "Not satisfied")
	k = r.apply("operator", k, tickets.RequestExclude, tickets.Fields{Reason: "untrue", Basis: "Measured twice."})
	supervisor.get("/console/quality?tab=exclusions").wants(t, http.StatusOK, k.Number, "Checked and found untrue", "Measured twice.")
	supervisor.get("/console/tickets/"+k.ID.String()).wants(t, http.StatusOK, "Exclude and close")
	operator.get("/console/tickets/"+k.ID.String()).lacks(t, "Exclude and close")
}

func TestTheFormsOfHandOverOfferOnlyTheOwnTree(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.worked()
	page := r.signIn("dispatcher").get("/console/tickets/" + k.ID.String() + "/do/drop_co")
	page.wants(t, http.StatusOK, r.city.Agencies["dept-utilities"].String())
	page.lacks(t, `value="`+r.city.Agencies["dept-environment"].String())
	if util := r.signIn("handler-util").get("/console/tickets/" + k.ID.String()); util.status == http.StatusOK {
		util.wants(t, http.StatusOK, "Sign for our part")
	} else {
		t.Errorf("the co-agency does not see the ticket: %d", util.status)
	}
	down := r.signIn("handler-env").get("/console/tickets/" + k.ID.String() + "/do/hand_down")
	if strings.Contains(down.body, r.city.Agencies["dept-utilities"].String()) {
		t.Error("a ticket can be handed down to an agency of another tree")
	}
}

// aftermath is what yesterday's work has left: a rectification to answer, a citizen to call, an exclusion to decide, an order and an overdue case.
func (r *rig) aftermath() (rectify, waiting tickets.Ticket) {
	r.t.Helper()
	ctx := context.Background()
	yes, no := true, false
	done := func(title, text string) tickets.Ticket {
		k := r.file("complaint", title, text, "environment.noise")
		if k.State == tickets.PendingDispatch {
			k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
		}
		k = r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
		k = r.apply("handler-env", k, tickets.Reply, tickets.Fields{Text: "The operator was told to keep the quiet hours.", Outcome: "resolved", Resolved: &yes})
		return r.apply("operator", k, tickets.Complete, tickets.Fields{})
	}
	rectify = done("Music from the bar until four", "Every Friday the music from the bar in Lake Road can be heard until four.")
	waiting = done("Church bells at six", "The bells ring at six in the morning, even on Sunday.")
	done("Delivery lorries at five", "Lorries unload at the supermarket at five in the morning with their engines running.")
	late := r.worked()
	r.clock.Advance(7 * 24 * time.Hour)
	r.sweep()
	_, err := r.tickets.Rate(ctx, tickets.CitizenBy(db.CitizenOfTicket(rectify.ID)), rectify.ID, tickets.Rating{Grade: 2, Text: "It was quiet for one evening."})
	must(r.t, err)
	waiting = r.apply("operator", waiting, tickets.StartRevisit, tickets.Fields{})
	waiting = r.apply("operator", waiting, tickets.RevisitDone, tickets.Fields{Resolved: &no, Satisfaction: 1, Text: "Wants the bells removed."})
	waiting = r.apply("operator", waiting, tickets.RequestExclude, tickets.Fields{Reason: "unlawful_demand", Basis: "Bells for worship are allowed from six; Noise Ordinance, section 12."})
	waiting = r.apply("supervisor", waiting, tickets.Supervise, tickets.Fields{Reason: "repeated", Text: "Third complaint this year: talk to the parish."})
	r.apply("supervisor", late, tickets.Supervise, tickets.Fields{Reason: "overdue", Text: "Report by tomorrow what has been done."})
	return r.ticket(rectify.ID), r.ticket(waiting.ID)
}
