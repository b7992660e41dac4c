package measures_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/tickets/measures"
)

var (
	monday = time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC)
	desk   = uuid.UUID{9}
	env    = uuid.UUID{1}
	water  = uuid.UUID{2}
)

func after(d time.Duration) *time.Time { v := monday.Add(d); return &v }

func count(t *testing.T, h measures.History, now time.Time) map[uuid.UUID]measures.Counts {
	t.Helper()
	facts, _ := measures.Judge(h, now)
	out := map[uuid.UUID]measures.Counts{}
	for _, f := range facts {
		out[f.Agency] = f.N
	}
	return out
}

func want(t *testing.T, what string, n measures.Counts, counters ...measures.Counter) {
	t.Helper()
	for _, c := range counters {
		if n[c] != 1 {
			t.Errorf("%s: %s is %d", what, c, n[c])
		}
	}
}

func never(t *testing.T, what string, n measures.Counts, counters ...measures.Counter) {
	t.Helper()
	for _, c := range counters {
		if n[c] != 0 {
			t.Errorf("%s: %s is %d", what, c, n[c])
		}
	}
}

func TestAReturnCountsAgainstTheAgencyThatReturned(t *testing.T) {
	t.Parallel()
	h := measures.History{Desk: desk, OpenedAt: monday, State: "in_progress", Open: true, Lead: water, Assignments: []measures.Assignment{
		{Lead: env, State: "returned", SignDueAt: after(8 * time.Hour), Ended: after(3 * time.Hour), ReturnAsked: true},
		{Lead: water, State: "signed", SignDueAt: after(20 * time.Hour), SignedAt: after(21 * time.Hour)},
	}}
	n := count(t, h, monday.Add(30*time.Hour))
	want(t, "env", n[env], measures.Assigned, measures.Returned, measures.Misdirected, measures.SignVoid)
	never(t, "env", n[env], measures.Tickets, measures.SignLate, measures.Worked)
	want(t, "water", n[water], measures.Tickets, measures.Worked, measures.Assigned, measures.SignLate)
	never(t, "water", n[water], measures.Returned, measures.Misdirected)
}

func TestARunningDeadlineTurnsIntoAFailureByTimeAlone(t *testing.T) {
	t.Parallel()
	h := measures.History{Desk: desk, OpenedAt: monday, State: "in_progress", Open: true, Lead: env,
		Clocks: map[string]measures.Clock{"resolve": {DueAt: monday.Add(10 * time.Hour)}}}
	facts, recheck := measures.Judge(h, monday.Add(9*time.Hour))
	want(t, "before", facts[0].N, measures.ResolveOpen)
	if !recheck.After(monday.Add(10*time.Hour)) || recheck.After(monday.Add(10*time.Hour+time.Second)) {
		t.Errorf("looked at again at %s", recheck)
	}
	facts, recheck = measures.Judge(h, recheck)
	want(t, "after", facts[0].N, measures.ResolveLate)
	if !recheck.IsZero() {
		t.Errorf("looked at again at %s", recheck)
	}
	h.Clocks["resolve"] = measures.Clock{DueAt: monday.Add(10 * time.Hour), PausedAt: after(time.Hour)}
	facts, _ = measures.Judge(h, monday.Add(90*time.Hour))
	want(t, "paused", facts[0].N, measures.ResolveOpen)
	h.Clocks["resolve"] = measures.Clock{DueAt: monday.Add(10 * time.Hour), Provisional: true, StoppedAt: after(20 * time.Hour)}
	facts, _ = measures.Judge(h, monday.Add(90*time.Hour))
	want(t, "provisional", facts[0].N, measures.ResolveProvisional)
	never(t, "provisional", facts[0].N, measures.ResolveLate)
}

func TestWhatTheCitizenSays(t *testing.T) {
	t.Parallel()
	no := false
	h := measures.History{Desk: desk, OpenedAt: monday, State: "closed", ClosedAt: after(99 * time.Hour), Lead: env, Solved: &no, Contact: true, Repeat: true, Events: []measures.Event{
		{Type: "reply", At: monday.Add(90 * time.Minute)}, {Type: "reopen", At: monday.Add(5 * time.Hour)}, {Type: "reply", At: monday.Add(7 * time.Hour)},
		{Type: "revisit_done", Voice: 2}, {Type: "rated", Grade: 1}, {Type: "rated", Grade: 4},
	}}
	n := count(t, h, monday.Add(100*time.Hour))[env]
	want(t, "said", n, measures.Redone, measures.Unsolved, measures.Grade1, measures.Rated, measures.Repeat)
	if n[measures.Minutes] != 90 {
		t.Errorf("answered after %d minutes", n[measures.Minutes])
	}
	h.Upheld = []measures.Upheld{{env, measures.NegativeRating}, {env, measures.SaidUnsolved}, {water, measures.WasRedone}}
	n = count(t, h, monday.Add(100*time.Hour))[env]
	want(t, "upheld", n, measures.Redone, measures.UnsolvedExcluded, measures.GradeExcluded, measures.Rated)
	never(t, "upheld", n, measures.Unsolved, measures.Grade1)
	h.Upheld = nil
	h.Events = append(h.Events, measures.Event{Type: "approve_exclusion"})
	n = count(t, h, monday.Add(100*time.Hour))[env]
	want(t, "excluded", n, measures.RedoneExcluded, measures.UnsolvedExcluded, measures.GradeExcluded, measures.Excluded)
	// By the revisit alone, when there was no assessment.
	h.Events = []measures.Event{{Type: "reply", At: monday}, {Type: "revisit_done", Voice: 4}}
	n = count(t, h, monday.Add(100*time.Hour))[env]
	want(t, "revisit", n, measures.Grade4, measures.Unrated)
}

func TestTicketsOutsideTheWork(t *testing.T) {
	t.Parallel()
	for state, c := range map[string]measures.Counter{"withdrawn": measures.Withdrawn, "merged": measures.Merged, "not_accepted": measures.Refused, "transferred": measures.Transferred} {
		h := measures.History{Desk: desk, OpenedAt: monday, State: state, Open: state == "transferred", ClosedAt: after(time.Hour), Lead: env,
			Clocks: map[string]measures.Clock{"resolve": {DueAt: monday.Add(time.Minute), StoppedAt: after(time.Hour)}}}
		n := count(t, h, monday.Add(9*time.Hour))[env]
		want(t, state, n, c, measures.Tickets)
		never(t, state, n, measures.Worked, measures.ResolveLate)
	}
	direct := measures.History{Desk: desk, OpenedAt: monday, State: "closed", ClosedAt: after(time.Hour), Events: []measures.Event{{Type: "opened", To: "answered_directly"}, {Type: "close", To: "closed"}}}
	want(t, "direct", count(t, direct, monday)[desk], measures.Direct, measures.Worked)
	direct.Events = append(direct.Events, measures.Event{Type: "not_answered"})
	never(t, "not answered after all", count(t, direct, monday)[desk], measures.Direct)
}

func TestTalks(t *testing.T) {
	t.Parallel()
	said := func(author, event string, at time.Duration) measures.Said {
		return measures.Said{Author: author, Event: event, At: monday.Add(at)}
	}
	for name, tt := range map[string]struct {
		talk measures.Talk
		now  time.Duration
		want []measures.Counter
	}{
		"a form":               {measures.Talk{Messages: []measures.Said{said("citizen", "", 0), said("system", "ticket_moved", 1)}}, time.Hour, nil},
		"bot, still going on":  {measures.Talk{Messages: []measures.Said{said("citizen", "", 0), said("bot", "", 1)}}, time.Minute, []measures.Counter{measures.Chats, measures.ChatOpen}},
		"bot, silent":          {measures.Talk{Messages: []measures.Said{said("citizen", "", 0), said("bot", "", 1)}}, time.Hour, []measures.Counter{measures.Chats, measures.ChatBot}},
		"picked up in time":    {measures.Talk{Messages: []measures.Said{said("citizen", "", 0), said("bot", "handoff", time.Second), said("system", "taken_over", 16*time.Second)}}, time.Hour, []measures.Counter{measures.Chats, measures.ChatPerson, measures.Queued, measures.Picked15}},
		"picked up late":       {measures.Talk{Messages: []measures.Said{said("citizen", "", 0), said("bot", "handoff", 0), said("system", "taken_over", 16*time.Second)}}, time.Hour, []measures.Counter{measures.Chats, measures.ChatPerson, measures.Queued, measures.Picked}},
		"nobody came":          {measures.Talk{Closed: true, Messages: []measures.Said{said("citizen", "", 0), said("system", "handoff", 0)}}, time.Minute, []measures.Counter{measures.Chats, measures.ChatPerson, measures.Queued, measures.GaveUp}},
		"waiting":              {measures.Talk{Messages: []measures.Said{said("citizen", "", 0), said("system", "handoff", 0)}}, time.Minute, []measures.Counter{measures.Chats, measures.ChatPerson, measures.Queued, measures.QueueOpen}},
		"asked and not helped": {measures.Talk{Messages: []measures.Said{said("citizen", "", 0), {Author: "bot", Cited: true}, {Author: "bot", Unanswered: true, At: monday}}}, time.Hour, []measures.Counter{measures.Chats, measures.ChatBot, measures.Unanswered}},
	} {
		n, _ := measures.JudgeTalk(tt.talk, monday.Add(tt.now))
		var got measures.Counts
		for _, c := range tt.want {
			got[c] = 1
		}
		if n != got {
			t.Errorf("%s: %v", name, n)
		}
	}
}

func TestAnAnswerThatTheCheckSentBackIsNotOnTime(t *testing.T) {
	t.Parallel()
	due := monday.Add(40 * time.Hour)
	h := measures.History{Desk: desk, OpenedAt: monday, State: "replied", Open: true, Lead: env,
		Clocks: map[string]measures.Clock{"resolve": {DueAt: due, StoppedAt: after(39 * time.Hour)}},
		Events: []measures.Event{{Type: "reply", At: monday.Add(39 * time.Hour)}}}
	n := count(t, h, monday.Add(41*time.Hour))
	want(t, "answered", n[env], measures.ResolveOK)
	// Anything will do to stop a clock; the answer that the hotline takes is the one that counts.
	h.State, h.Events = "reopened", append(h.Events, measures.Event{Type: "reopen", At: monday.Add(39*time.Hour + 30*time.Minute)})
	facts, recheck := measures.Judge(h, monday.Add(39*time.Hour+45*time.Minute))
	want(t, "sent back", facts[0].N, measures.ResolveOpen, measures.Redone)
	if !recheck.After(due) {
		t.Errorf("looked at again at %s", recheck)
	}
	want(t, "sent back and overdue", count(t, h, due.Add(time.Hour))[env], measures.ResolveLate)
	h.Events = append(h.Events, measures.Event{Type: "reply", At: due.Add(2 * time.Hour)}, measures.Event{Type: "complete", At: due.Add(3 * time.Hour)})
	want(t, "answered late", count(t, h, due.Add(9*time.Hour))[env], measures.ResolveLate)
	// Whoever is reopened after the check had passed answered in time.
	h.Events = []measures.Event{{Type: "reply", At: monday.Add(39 * time.Hour)}, {Type: "complete", At: monday.Add(40 * time.Hour)}, {Type: "refuse_exclusion", At: due.Add(time.Hour)}}
	want(t, "reopened after the revisit", count(t, h, due.Add(2*time.Hour))[env], measures.ResolveOK, measures.Redone)
}
