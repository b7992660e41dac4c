package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"hotline/internal/auth"
)

func TestAKeySeesItsAgencyOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := r.filed(1)
	env := "Bearer " + r.key("dept-environment", auth.ScopeTicketsRead)
	utl := "Bearer " + r.key("dept-utilities", auth.ScopeTicketsRead)
	path := "/tickets/" + ticket.Number
	d := decode[TicketDetail](r.send("GET", path, nil, "Authorization", env).is(http.StatusOK))
	if d.Number != ticket.Number || d.Description != noise || !d.Anonymous || d.Lead == nil || d.Lead.Code != "dept-environment" || len(d.Actions) == 0 {
		t.Fatalf("%+v", d)
	}
	// What has to be kept, and by whom.
	if len(d.Way) != 1 || d.Way[0].Agency == nil || d.Way[0].Agency.Code != "dept-environment" || d.Way[0].State != "dispatched" || d.Way[0].SignDueAt == nil {
		t.Errorf("way: %+v", d.Way)
	}
	running := map[string]string{}
	for _, k := range d.Clocks {
		running[k.Name] = k.State
	}
	if running["sign"] != "running" || running["resolve"] != "running" || running["dispatch"] == "running" {
		t.Errorf("clocks: %v", running)
	}
	// What is not there and what is not to be seen read alike.
	hidden := r.send("GET", path, nil, "Authorization", utl).problem(http.StatusNotFound, "tickets.not_found")
	absent := r.send("GET", "/tickets/2020-000001", nil, "Authorization", utl).problem(http.StatusNotFound, "tickets.not_found")
	if hidden.Detail != absent.Detail {
		t.Error("hidden and absent differ")
	}
	r.send("GET", path+"/events", nil, "Authorization", utl).problem(http.StatusNotFound, "tickets.not_found")
	if page := decode[TicketPage](r.send("GET", "/tickets", nil, "Authorization", utl).is(http.StatusOK)); len(page.Tickets) != 0 {
		t.Fatalf("%+v", page)
	}
	if page := decode[TicketPage](r.send("GET", "/tickets?view=open&kind=complaint&q=construction", nil, "Authorization", env).is(http.StatusOK)); len(page.Tickets) != 1 || !page.Tickets[0].Acting {
		t.Fatalf("%+v", page)
	}
	events := decode[struct{ Events []Event }](r.send("GET", path+"/events", nil, "Authorization", env).is(http.StatusOK)).Events
	last := events[len(events)-1]
	if last.Type != "dispatch" || last.Data["lead"] != "dept-environment" {
		t.Fatalf("%+v", last)
	}
}

func TestScopesAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := r.filed(1)
	read := "Bearer " + r.key("dept-environment", auth.ScopeTicketsRead)
	write := "Bearer " + r.key("dept-environment", auth.ScopeTicketsWrite)
	r.send("GET", "/tickets", nil).problem(http.StatusUnauthorized, "api.key_needed")
	r.send("GET", "/tickets", nil, "Authorization", "Bearer hlk_"+strings.Repeat("x", 43)).problem(http.StatusUnauthorized, "auth.bad_key")
	r.send("GET", "/tickets", nil, "Authorization", "Basic dTpw").problem(http.StatusUnauthorized, "auth.bad_key")
	// A wrong key is refused where none is needed, too: the caller believes to be somebody.
	a := r.send("GET", "/categories", nil, "Authorization", "Bearer nonsense")
	a.problem(http.StatusUnauthorized, "auth.bad_key")
	if a.Header().Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
	if p := r.send("GET", "/tickets", nil, "Authorization", write).problem(http.StatusForbidden, "api.scope"); p.Args["scope"] != auth.ScopeTicketsRead {
		t.Errorf("%+v", p)
	}
	r.send("POST", "/tickets", complaint(), "Authorization", read, "Idempotency-Key", "1").problem(http.StatusForbidden, "api.scope")
	r.send("POST", "/tickets/"+ticket.Number+"/actions/sign", map[string]any{"version": 1}, "Authorization", read, "Idempotency-Key", "1").problem(http.StatusForbidden, "api.scope")
	r.send("POST", "/messages", map[string]any{"account": "a", "thread": "t", "external_id": "1", "text": "hi"}, "Authorization", read).problem(http.StatusForbidden, "api.scope")

	admin, err := r.auth.ByID(t.Context(), r.city.Users["administrator"])
	must(t, err)
	secret, id, err := r.auth.CreateKey(t.Context(), admin, "k", r.city.Agencies["hotline"], []string{auth.ScopeTicketsRead})
	must(t, err)
	r.send("GET", "/tickets", nil, "Authorization", "Bearer "+secret).is(http.StatusOK)
	must(t, r.auth.RevokeKey(t.Context(), admin, id))
	r.send("GET", "/tickets", nil, "Authorization", "Bearer "+secret).problem(http.StatusUnauthorized, "auth.bad_key")
}

func TestActionsNameTheVersionTheySaw(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := r.filed(1)
	key := "Bearer " + r.key("dept-environment", auth.ScopeTicketsRead, auth.ScopeTicketsAct)
	path := "/tickets/" + ticket.Number
	got := r.send("GET", path, nil, "Authorization", key).is(http.StatusOK)
	d, etag := decode[TicketDetail](got), got.Header().Get("ETag")
	if etag != fmt.Sprintf(`"v%d"`, d.Version) {
		t.Fatalf("ETag %s, version %d", etag, d.Version)
	}
	act := func(n int, action string, body map[string]any, with ...string) *answer {
		return r.send("POST", path+"/actions/"+action, body, append([]string{"Authorization", key, "Idempotency-Key", idem(t, n)}, with...)...)
	}
	act(2, "sign", map[string]any{}).problem(http.StatusBadRequest, "api.version_needed")
	act(2, "dance", map[string]any{"version": d.Version}).problem(http.StatusUnprocessableEntity, "api.bad_field")
	act(2, "sign", map[string]any{"version": d.Version}, "If-Match", `"v99"`).problem(http.StatusUnprocessableEntity, "api.bad_field")
	signed := decode[ActionResult](act(2, "sign", map[string]any{}, "If-Match", etag).is(http.StatusOK))
	if signed.State != "in_progress" || signed.Version != d.Version+1 {
		t.Fatalf("%+v", signed)
	}
	replayed := act(2, "sign", map[string]any{}, "If-Match", etag).is(http.StatusOK)
	if decode[ActionResult](replayed) != signed || replayed.Header().Get("Idempotency-Replayed") != "true" || replayed.Header().Get("ETag") != fmt.Sprintf(`"v%d"`, signed.Version) {
		t.Fatalf("%s", replayed.Body)
	}
	reply := map[string]any{"version": d.Version, "text": "Work now ends at ten.", "outcome": "resolved", "resolved": true}
	p := act(3, "reply", reply).problem(http.StatusConflict, "tickets.stale")
	if p.Args["action"] != "sign" || p.Args["version"] != float64(signed.Version) {
		t.Errorf("the conflict does not say what happened: %+v", p.Args)
	}
	reply["version"] = signed.Version
	if done := decode[ActionResult](act(3, "reply", reply).is(http.StatusOK)); done.State != "replied" {
		t.Fatalf("%+v", done)
	}
	// The citizen reads the answer where the ticket was filed.
	seen := decode[Tracked](r.send("POST", "/tracking", map[string]any{"code": ticket.TrackingCode}).is(http.StatusOK))
	if m := seen.Messages[len(seen.Messages)-1]; m.Author != "staff" || !strings.Contains(m.Text, "Work now ends at ten.") {
		t.Fatalf("%+v", seen.Messages)
	}
	act(4, "complete", map[string]any{"version": signed.Version + 1}).problem(http.StatusForbidden, "tickets.forbidden")
	act(5, "sign", map[string]any{"version": signed.Version + 1}).problem(http.StatusConflict, "tickets.no_such_move")
}

func TestConcurrentActions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := r.filed(1)
	key := "Bearer " + r.key("dept-environment", auth.ScopeTicketsRead, auth.ScopeTicketsAct)
	d := decode[TicketDetail](r.send("GET", "/tickets/"+ticket.Number, nil, "Authorization", key).is(http.StatusOK))
	sign := func(idempotency string) *answer {
		return r.send("POST", "/tickets/"+ticket.Number+"/actions/sign", map[string]any{"version": d.Version}, "Authorization", key, "Idempotency-Key", idempotency)
	}
	const n = 6
	same, different := make([]int, n), make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { same[i] = sign("same").Code })
	}
	wg.Wait()
	for i, code := range same {
		if code != http.StatusOK {
			t.Errorf("try %d of one call: %d", i, code)
		}
	}
	for i := range n {
		wg.Go(func() { different[i] = decode[Problem](sign(fmt.Sprint("other", i))).Code })
	}
	wg.Wait()
	for i, code := range different {
		if code != "tickets.stale" {
			t.Errorf("late call %d: %s", i, code)
		}
	}
	if moves := r.count(`select count(*) from ticket_events where type = 'sign'`); moves != 1 {
		t.Errorf("signed %d times", moves)
	}
}

func TestADeskKeyDispatchesByCode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := decode[FiledTicket](r.send("POST", "/tickets", complaint("category", "city.streetlight"), "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	if ticket.State != "pending_dispatch" {
		t.Fatalf("%+v", ticket)
	}
	key := "Bearer " + r.key("hotline", auth.ScopeTicketsRead, auth.ScopeTicketsAct)
	d := decode[TicketDetail](r.send("GET", "/tickets/"+ticket.Number, nil, "Authorization", key).is(http.StatusOK))
	act := func(n int, body map[string]any) *answer {
		return r.send("POST", "/tickets/"+ticket.Number+"/actions/dispatch", body, "Authorization", key, "Idempotency-Key", idem(t, n))
	}
	act(1, map[string]any{"version": d.Version, "lead": "nobody"}).problem(http.StatusUnprocessableEntity, "api.bad_field")
	if p := act(2, map[string]any{"version": d.Version}).problem(http.StatusBadRequest, "tickets.missing_field"); p.Field != "lead" {
		t.Errorf("%+v", p)
	}
	if got := decode[ActionResult](act(3, map[string]any{"version": d.Version, "lead": "street-east-1", "co": []string{"dept-environment"}}).is(http.StatusOK)); got.State != "dispatched" {
		t.Fatalf("%+v", got)
	}
	// Who helps and has not replied is said, to the lead and to the hotline.
	d = decode[TicketDetail](r.send("GET", "/tickets/"+ticket.Number, nil, "Authorization", key).is(http.StatusOK))
	if len(d.CoOpen) != 1 || d.CoOpen[0].Code != "dept-environment" {
		t.Errorf("open: %+v", d.CoOpen)
	}
}

func TestADeskKeyChangesTheCategory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := decode[FiledTicket](r.send("POST", "/tickets", complaint(), "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	key := "Bearer " + r.key("hotline", auth.ScopeTicketsRead, auth.ScopeTicketsAct)
	read := func() TicketDetail {
		return decode[TicketDetail](r.send("GET", "/tickets/"+ticket.Number, nil, "Authorization", key).is(http.StatusOK))
	}
	act := func(n int, who, category, reason string) *answer {
		return r.send("POST", "/tickets/"+ticket.Number+"/actions/reclassify", map[string]any{"version": read().Version, "category": category, "reason": reason}, "Authorization", who, "Idempotency-Key", idem(t, n))
	}
	if p := act(1, key, "no.such", "misfiled").problem(http.StatusBadRequest, "tickets.unknown_category"); p.Field != "category" {
		t.Errorf("%+v", p)
	}
	act(2, key, "city.streetlight", "misfiled").is(http.StatusOK)
	if d := read(); d.Category != "city.streetlight" {
		t.Errorf("%+v", d)
	}
	act(3, key, "city.streetlight", "misfiled").problem(http.StatusConflict, "tickets.same_category")
}

func TestPagesFollowSignedMarkers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for n := range 5 {
		r.filed(n)
	}
	key := "Bearer " + r.key("dept-environment", auth.ScopeTicketsRead)
	seen, next := map[string]bool{}, ""
	for range 3 {
		page := decode[TicketPage](r.send("GET", "/tickets?limit=2&cursor="+next, nil, "Authorization", key).is(http.StatusOK))
		for _, row := range page.Tickets {
			if seen[row.Number] {
				t.Errorf("%s twice", row.Number)
			}
			seen[row.Number] = true
		}
		next = page.Next
		if len(seen) == 2 {
			for name, marker := range map[string]string{"altered": next[:len(next)-2] + "AA", "invented": "eyJ2Ijoib3BlbiJ9", "no marker at all": "%21%21"} {
				t.Log(name)
				r.send("GET", "/tickets?limit=2&cursor="+marker, nil, "Authorization", key).problem(http.StatusBadRequest, "api.bad_cursor")
			}
			r.send("GET", "/tickets?limit=2&kind=complaint&cursor="+next, nil, "Authorization", key).problem(http.StatusBadRequest, "api.bad_cursor")
			r.send("GET", "/tickets?limit=2&cursor="+next, nil, "Authorization", "Bearer "+r.key("hotline", auth.ScopeTicketsRead)).problem(http.StatusBadRequest, "api.bad_cursor")
		}
	}
	if len(seen) != 5 || next != "" {
		t.Fatalf("%d tickets, next %q", len(seen), next)
	}
	for _, query := range []string{"view=my", "view=nonsense", "limit=0", "limit=101", "limit=x", "state=nonsense", "lead=nobody", "kind=nonsense", "surprise=1"} {
		if a := r.send("GET", "/tickets?"+query, nil, "Authorization", key); a.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", query, a.Code, a.Body)
		}
	}
}

func TestConfidentialTicketsStayAwayFromKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := decode[FiledTicket](r.send("POST", "/tickets", complaint("kind", "report"), "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	key := "Bearer " + r.key("hotline", auth.ScopeTicketsRead)
	r.send("GET", "/tickets/"+ticket.Number, nil, "Authorization", key).problem(http.StatusNotFound, "tickets.not_found")
	if page := decode[TicketPage](r.send("GET", "/tickets?view=all", nil, "Authorization", key).is(http.StatusOK)); len(page.Tickets) != 0 {
		t.Fatalf("%+v", page)
	}
}
