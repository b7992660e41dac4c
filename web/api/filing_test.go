package api

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hotline/internal/auth"
	"hotline/tickets"
)

func TestACitizenFilesTracksRepliesAndRates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.send("POST", "/tickets", map[string]any{
		"kind": "complaint", "description": noise, "lang": "en", "place": map[string]any{"text": "12 Harbour Road", "lat": 30.1, "lon": 125.3}, "contact": map[string]any{"name": "Li Na", "phone": "555-0100"},
	}, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated)
	ticket := decode[FiledTicket](a)
	if len(ticket.TrackingCode) != 20 || ticket.Number == "" || ticket.ID != nil || a.Header().Get("Location") != Prefix+"/tickets/"+ticket.Number || strings.Contains(a.Header().Get("Location"), ticket.TrackingCode) {
		t.Fatalf("%+v %v", ticket, a.Header())
	}
	look := func() Tracked {
		return decode[Tracked](r.send("POST", "/tracking", map[string]any{"code": tickets.FormatCode(ticket.TrackingCode)}).is(http.StatusOK))
	}
	seen := look()
	if seen.Number != ticket.Number || seen.Description != noise || seen.Lead == nil || seen.Lead.Code != "dept-environment" || len(seen.Timeline) == 0 || len(seen.Messages) == 0 || seen.Category == nil || seen.Category.Name != "Noise" {
		t.Fatalf("%+v", seen)
	}
	body := map[string]any{"code": ticket.TrackingCode, "text": "It is the crane."}
	r.send("POST", "/tracking/messages", body, "Idempotency-Key", idem(t, 2)).is(http.StatusCreated)
	again := r.send("POST", "/tracking/messages", body, "Idempotency-Key", idem(t, 2)).is(http.StatusCreated)
	if again.Header().Get("Idempotency-Replayed") != "true" {
		t.Error("a repeated message is not marked as one")
	}
	said := 0
	for _, m := range look().Messages {
		if m.Author == "citizen" && m.Text == "It is the crane." {
			said++
		}
	}
	if said != 1 {
		t.Fatalf("the message is there %d times", said)
	}
	rating := map[string]any{"code": ticket.TrackingCode, "grade": "unsatisfied", "text": "Too slow", "resolved": true}
	r.send("POST", "/tracking/rating", rating, "Idempotency-Key", idem(t, 3)).problem(http.StatusConflict, "tickets.not_ratable")

	promised := look().PromisedAt
	handler := []string{"handler"}
	r.staffMove(ticket.Number, "handler-env", handler, tickets.Sign, tickets.Fields{})
	yes := true
	r.staffMove(ticket.Number, "handler-env", handler, tickets.Reply, tickets.Fields{Text: "Work now ends at ten.", Outcome: "resolved", Resolved: &yes})
	seen = look()
	if seen.Reply != "Work now ends at ten." || !strings.Contains(strings.Join(seen.Can, " "), "rating") {
		t.Fatalf("%+v", seen)
	}
	if promised == nil || seen.PromisedAt != nil {
		t.Errorf("promised %v, and %v once it is answered", promised, seen.PromisedAt)
	}
	r.send("POST", "/tracking/rating", rating, "Idempotency-Key", idem(t, 3)).is(http.StatusCreated)
	r.send("POST", "/tracking/rating", rating, "Idempotency-Key", idem(t, 3)).is(http.StatusCreated)
	rating["grade"] = "satisfied"
	r.send("POST", "/tracking/rating", rating, "Idempotency-Key", idem(t, 4)).problem(http.StatusConflict, "tickets.already_rated")
	if n := r.count(`select grade from ticket_ratings`); n != 2 {
		t.Errorf("grade %d, want 2", n)
	}
	// Doing it again has a deadline of its own.
	r.staffMove(ticket.Number, "operator", []string{"operator"}, tickets.Reopen, tickets.Fields{Text: "They drill on."})
	if again := look().PromisedAt; again == nil || again.Equal(*promised) {
		t.Errorf("while it is done again %v is promised; first it was %v", again, promised)
	}
	key := "Bearer " + r.key("hotline", auth.ScopeTicketsRead)
	if d := decode[TicketDetail](r.send("GET", "/tickets/"+ticket.Number, nil, "Authorization", key).is(http.StatusOK)); d.PromisedAt == nil || !d.PromisedAt.Equal(*look().PromisedAt) {
		t.Errorf("a program of staff reads %v, the citizen's %v", d.PromisedAt, look().PromisedAt)
	}
}

func TestWithdrawIsOnceAndTyped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := r.filed(1)
	body := map[string]any{"code": ticket.TrackingCode, "text": "It stopped."}
	for range 2 {
		if got := decode[TrackedState](r.send("POST", "/tracking/withdraw", body, "Idempotency-Key", idem(t, 2)).is(http.StatusOK)); got.State != "withdrawn" {
			t.Fatalf("%+v", got)
		}
	}
	r.send("POST", "/tracking/withdraw", body, "Idempotency-Key", idem(t, 3)).problem(http.StatusConflict, "tickets.no_such_move")
	if n := r.count(`select count(*) from idempotency_keys where response::text like '%' || $1 || '%' or response::text like '%stopped%'`, ticket.TrackingCode); n != 0 {
		t.Error("the stored result holds the tracking code or the text")
	}
	for _, c := range []struct {
		after time.Duration
		left  int
	}{{KeyLife - time.Second, 1}, {KeyLife + time.Second, 0}} {
		_, err := PurgeKeys(t.Context(), r.pool, r.clock.Now().Add(c.after))
		must(t, err)
		if n := r.count(`select count(*) from idempotency_keys`); n != c.left {
			t.Errorf("%d results after %v, want %d", n, c.after, c.left)
		}
	}
}

func TestAFilingHappensOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.filed(1)
	a := r.send("POST", "/tickets", complaint(), "Idempotency-Key", idem(t, 1)).is(http.StatusCreated)
	if again := decode[FiledTicket](a); again.Number != first.Number || again.TrackingCode != first.TrackingCode || again.State != first.State || a.Header().Get("Idempotency-Replayed") != "true" {
		t.Fatalf("%+v, want %+v", again, first)
	}
	r.send("POST", "/tickets", complaint("title", "Other"), "Idempotency-Key", idem(t, 1)).problem(http.StatusConflict, "api.idempotency_key_reused")
	if n := r.count(`select count(*) from tickets`); n != 1 {
		t.Fatalf("%d tickets", n)
	}
	if n := r.count(`select count(*) from idempotency_keys`); n != 0 {
		t.Error("the filing's receipt is its idempotency, and it keeps a result beside")
	}
	r.clock.Advance(KeyLife + time.Second)
	// The stored result has gone; the receipt of the filing still says that this is the same one.
	if late := decode[FiledTicket](r.send("POST", "/tickets", complaint(), "Idempotency-Key", idem(t, 1)).is(http.StatusCreated)); late.Number != first.Number {
		t.Errorf("a late retry made another ticket: %+v", late)
	}
}

func TestARepeatedFilingIsToldTheFirstState(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.filed(1)
	r.clock.Advance(time.Minute)
	r.staffMove(first.Number, "handler-env", []string{"handler"}, tickets.Sign, tickets.Fields{})
	if again := r.filed(1); again.State != first.State || again.Number != first.Number || again.TrackingCode != first.TrackingCode {
		t.Errorf("%+v, want %+v", again, first)
	}
}

func TestAReplacedCodeIsNotHandedOutForTheOldOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := r.filed(1)
	k, err := r.tickets.ByCode(t.Context(), ticket.TrackingCode)
	must(t, err)
	_, err = r.tickets.Reissue(t.Context(), tickets.System(), k.ID)
	must(t, err)
	if again := r.filed(1); again.Number != ticket.Number || again.TrackingCode != "" {
		t.Fatalf("%+v", again)
	}
}

func TestConcurrentFilingsWithOneKeyMakeOneTicket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const n = 8
	numbers := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			a := r.send("POST", "/tickets", complaint(), "Idempotency-Key", idem(t, 1))
			if a.Code == http.StatusCreated {
				numbers[i] = decode[FiledTicket](a).Number
			} else {
				t.Errorf("%d %s", a.Code, a.Body)
			}
		})
	}
	wg.Wait()
	for _, number := range numbers {
		if number != numbers[0] {
			t.Fatalf("several tickets: %v", numbers)
		}
	}
	if n := r.count(`select count(*) from tickets`); n != 1 {
		t.Fatalf("%d tickets", n)
	}
}

func TestKeysOfTwoCallersDoNotMeet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.key("dept-environment", auth.ScopeTicketsWrite), r.key("dept-environment", auth.ScopeTicketsWrite)
	file := func(secret string) FiledTicket {
		return decode[FiledTicket](r.send("POST", "/tickets", complaint(), "Idempotency-Key", "1", "Authorization", "Bearer "+secret).is(http.StatusCreated))
	}
	if a, b := file(one), file(two); a.Number == b.Number || a.ID == nil || a.Conversation == nil {
		t.Fatalf("%+v %+v", a, b)
	}
}

func TestTheIdempotencyKeyIsAskedForAndChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.send("POST", "/tickets", complaint()).problem(http.StatusBadRequest, "api.idempotency_key_missing")
	for name, key := range map[string]string{"short without an API key": "1", "long": strings.Repeat("k", 201), "not printable": "0123456789abcdef\x01", "not ASCII": "0123456789abcdef键"} {
		t.Log(name)
		p := r.send("POST", "/tickets", complaint(), "Idempotency-Key", key).problem(http.StatusBadRequest, "api.idempotency_key_shape")
		if p.Field != "Idempotency-Key" {
			t.Errorf("field %q", p.Field)
		}
	}
}

func TestAFailedFilingCanBeRepeatedWithItsKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.send("POST", "/tickets", complaint("category", "no.such"), "Idempotency-Key", idem(t, 1)).problem(http.StatusBadRequest, "tickets.unknown_category")
	r.filed(1)
}

func TestDangerToLifeIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := decode[FiledTicket](r.send("POST", "/tickets", map[string]any{"kind": "help", "description": "My house is on fire, help!", "lang": "en"}, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	if ticket.Emergency == nil || ticket.Emergency.Number != "119" || !strings.Contains(ticket.Emergency.Text, "119") {
		t.Fatalf("%+v", ticket)
	}
	if n := r.count(`select count(*) from tickets where urgency = 'urgent'`); n != 1 {
		t.Error("the ticket is not urgent")
	}
}

func TestAnonymousAndContactContradict(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := complaint()
	body["anonymous"], body["contact"] = true, map[string]any{"name": "Li Na"}
	r.send("POST", "/tickets", body, "Idempotency-Key", idem(t, 1)).problem(http.StatusBadRequest, "api.contact_and_anonymous")
	delete(body, "contact")
	r.send("POST", "/tickets", body, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated)
	if n := r.count(`select (select count(*) from contacts) + (select count(*) from tickets where contact_id is not null)`); n != 0 {
		t.Error("an anonymous ticket has a contact")
	}
}

func TestAProgramSaysHowThePersonWantsToHear(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file := func(n int, contact map[string]any) *answer {
		return r.send("POST", "/tickets", map[string]any{"kind": "complaint", "description": noise, "lang": "en", "contact": contact}, "Idempotency-Key", idem(t, n))
	}
	file(1, map[string]any{"phone": "138 0000 1111", "notify": []string{"email"}}).problem(http.StatusUnprocessableEntity, "api.missing_field")
	file(2, map[string]any{"email": "li.na@example.org", "notify": []string{"sms"}}).problem(http.StatusUnprocessableEntity, "api.missing_field")
	file(3, map[string]any{"email": "li.na@example.org", "notify": []string{"pigeon"}}).problem(http.StatusUnprocessableEntity, "api.bad_field")
	// An installation that sends no mail promises none.
	if got := decode[FiledTicket](file(4, map[string]any{"email": "li.na@example.org", "notify": []string{"email"}}).is(http.StatusCreated)); len(got.Notify) != 0 {
		t.Errorf("%+v", got)
	}
}
