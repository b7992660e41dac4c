package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hotline/internal/auth"
)

func TestBadBodiesAreTyped(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	deep := strings.Repeat(`[`, 200_000)
	for name, c := range map[string]struct {
		body   any
		status int
		code   string
		field  string
	}{
		"no body":              {"", 400, "api.empty_body", ""},
		"blank":                {"  \n", 400, "api.empty_body", ""},
		"not JSON":             {"kind=complaint", 400, "api.bad_json", ""},
		"cut off":              {`{"kind":"complaint"`, 400, "api.bad_json", ""},
		"two values":           {`{"kind":"consult","description":"x"} {}`, 400, "api.bad_json", ""},
		"broken UTF-8":         {"{\"kind\":\"consult\",\"description\":\"\xff\xfe\"}", 400, "api.encoding", ""},
		"deep":                 {`{"kind":` + deep, 400, "api.too_deep", ""},
		"huge":                 {`{"kind":"consult","description":"` + strings.Repeat("x", maxBody) + `"}`, 413, "http.body_too_large", ""},
		"twice":                {`{"kind":"consult","description":"x","DESCRIPTION":"y"}`, 400, "api.duplicate_field", "DESCRIPTION"},
		"an array":             {`[]`, 422, "api.bad_field", ""},
		"null":                 {`null`, 422, "api.bad_field", ""},
		"unknown field":        {`{"kind":"consult","description":"x","urgent":true}`, 422, "api.unknown_field", "urgent"},
		"unknown inner field":  {`{"kind":"consult","description":"x","place":{"zip":"1"}}`, 422, "api.unknown_field", "place.zip"},
		"missing":              {`{"kind":"consult"}`, 422, "api.missing_field", "description"},
		"wrong kind":           {`{"kind":"joke","description":"x"}`, 422, "api.bad_field", "kind"},
		"wrong type":           {`{"kind":1,"description":"x"}`, 422, "api.bad_field", "kind"},
		"half a place":         {`{"kind":"consult","description":"x","place":{"lat":1}}`, 422, "api.bad_field", "place"},
		"beyond the pole":      {`{"kind":"consult","description":"x","place":{"lat":91,"lon":0}}`, 422, "api.bad_field", "place.lat"},
		"endless number":       {`{"kind":"consult","description":"x","place":{"lat":1e999,"lon":0}}`, 0, "", ""},
		"not an upload":        {`{"kind":"consult","description":"x","uploads":["../../etc/passwd"]}`, 422, "api.bad_field", ""},
		"somebody's upload":    {`{"kind":"consult","description":"x","uploads":["01890000-0000-7000-8000-000000000000"]}`, 404, "chat.unknown_upload", "uploads"},
		"not an e-mail":        {`{"kind":"consult","description":"x","contact":{"email":"nobody"}}`, 422, "api.bad_field", "contact.email"},
		"only blanks":          {`{"kind":"consult","description":" \u200b\u0000 "}`, 422, "api.missing_field", "description"},
		"no such service item": {`{"kind":"consult","description":"x","service_item":"T-X"}`, 400, "tickets.bad_field", "service_item"},
	} {
		a := r.send("POST", "/tickets", c.body, "Idempotency-Key", idem(t, 1))
		if c.status == 0 {
			if a.Code < 400 || a.Code >= 500 {
				t.Errorf("%s: %d %s", name, a.Code, a.Body)
			}
			continue
		}
		t.Log(name)
		if p := a.problem(c.status, c.code); c.field != "" && p.Field != c.field {
			t.Errorf("%s: field %q, want %q: %s", name, p.Field, c.field, a.Body)
		}
	}
	if n := r.count(`select (select count(*) from tickets) + (select count(*) from messages) + (select count(*) from idempotency_keys)`); n != 0 {
		t.Errorf("bad requests left %d rows", n)
	}
}

// generous lets a test ask as often as it likes.
func generous(d *Deps) {
	all := Rate{Burst: 1_000_000, Every: time.Microsecond}
	d.Limits = Limits{Key: all, Address: all, Filing: all, Guesses: all, BadKeys: all}
}

func TestOtherBadRequestsAreTyped(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	r.send("POST", "/tickets", "kind=complaint", "Content-Type", "application/x-www-form-urlencoded", "Idempotency-Key", idem(t, 1)).problem(http.StatusUnsupportedMediaType, "api.media_type")
	r.send("POST", "/tickets", `{"kind":"consult","description":"x"}`, "Content-Type", "application/json; charset=gbk", "Idempotency-Key", idem(t, 1)).problem(http.StatusBadRequest, "api.encoding")
	r.send("GET", "/nowhere", nil).problem(http.StatusNotFound, "http.not_found")
	r.send("DELETE", "/tickets", nil).problem(http.StatusMethodNotAllowed, "http.method_not_allowed")
	// A browser's Accept does not turn an interface for programs into pages.
	r.send("GET", "/nowhere", nil, "Accept", "text/html").problem(http.StatusNotFound, "http.not_found")
	r.send("GET", "/knowledge/search?q=%ff%fe", nil).problem(http.StatusBadRequest, "api.encoding")
	r.send("GET", "/knowledge/search?q=a%00b", nil).problem(http.StatusBadRequest, "api.encoding")
	r.send("GET", "/knowledge/articles/%ff", nil).problem(http.StatusBadRequest, "api.encoding")
	r.send("GET", "/knowledge/articles/..%2f..%2fetc", nil).problem(http.StatusNotFound, "knowledge.not_found")
	key := "Bearer " + r.key("hotline", auth.Scopes()...)
	r.send("GET", "/tickets/2026-1%20or%201=1", nil, "Authorization", key).problem(http.StatusNotFound, "tickets.not_found")
	odd, ct := form(t, "x.png", picture(t), "ticket", "2026\x00")
	r.send("POST", "/uploads", odd, "Content-Type", ct, "Authorization", key).problem(http.StatusNotFound, "tickets.not_found")
	odd, ct = form(t, "x.png", picture(t), "account", "a\x00", "thread", "\xff")
	if a := r.send("POST", "/uploads", odd, "Content-Type", ct, "Authorization", key); a.Code < 400 || a.Code >= 500 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	r.send("GET", "/areas?lat=x&lon=1", nil).problem(http.StatusUnprocessableEntity, "api.bad_field")
	if p := r.send("GET", "/areas?lat=1", nil).problem(http.StatusUnprocessableEntity, "api.missing_field"); p.Field != "lon" {
		t.Errorf("%+v", p)
	}
	a := r.send("GET", "/areas?lat=NaN&lon=1", nil)
	if a.Code >= 500 {
		t.Errorf("NaN: %d %s", a.Code, a.Body)
	}
	r.send("POST", "/knowledge/articles/not-an-id/feedback", map[string]any{"version": 1, "helpful": true}, "Idempotency-Key", idem(t, 1)).problem(http.StatusUnprocessableEntity, "api.bad_field")
	many := map[string]any{"kind": "consult", "description": "x"}
	for i := range 500 {
		many["f"+strings.Repeat("x", i)] = 1
	}
	if p := r.send("POST", "/tickets", many, "Idempotency-Key", idem(t, 1)).problem(http.StatusUnprocessableEntity, "api.unknown_field"); len(p.Errors) != maxFieldProblems {
		t.Errorf("%d errors", len(p.Errors))
	}
}

// Whatever is put into an action ends in a typed 4xx; the state stays.
func FuzzActionBody(f *testing.F) {
	r := newRig(f, generous)
	ticket := r.filed(1)
	key := "Bearer " + r.key("hotline", auth.Scopes()...)
	for _, seed := range []string{
		`{"version":1,"text":"\u0000"}`, `{"version":3,"reason":"\u0000","basis":"\u0000","right_channel":"\ud800","transfer_to":"\u0000"}`, `{"version":3,"lead":"\u0000","co":["\u0000"]}`,
		`{"version":3,"parent":"\u0000"}`, `{"version":3,"parent":"2026-000001"}`, `{"version":9999999999999999999}`, `{"version":3,"days":-1}`, `{"version":3,"uploads":["01890000-0000-7000-8000-000000000000"]}`,
	} {
		for _, action := range []string{"dispatch", "merge", "refuse", "transfer_out", "withdraw"} {
			f.Add(action, []byte(seed))
		}
	}
	n := 0
	f.Fuzz(func(t *testing.T, action string, body []byte) {
		n++
		req := httptest.NewRequest("POST", "http://hotline.example/", bytes.NewReader(body))
		req.URL.Path = Prefix + "/tickets/" + ticket.Number + "/actions/" + action
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", key)
		req.Header.Set("Idempotency-Key", idem(t, n))
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		if w.Code >= 500 {
			t.Fatalf("%q %q: %d %s", action, body, w.Code, w.Body)
		}
	})
}

func TestErrorsSpeakTheLanguageOfTheRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.send("POST", "/tracking", map[string]any{"code": "123"}, "Accept-Language", "zh-CN,zh;q=0.9")
	p := a.problem(http.StatusBadRequest, "tickets.malformed_code")
	if a.Header().Get("Content-Language") != "zh-CN" || !strings.ContainsAny(p.Title, "请填写检查") {
		t.Errorf("%v %+v", a.Header(), p)
	}
}

func TestWrongCodesSlowTheAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ticket := r.filed(1)
	for range 5 {
		r.send("POST", "/tracking", map[string]any{"code": strings.Repeat("1", 20)}).problem(http.StatusNotFound, "tickets.unknown_code")
	}
	a := r.send("POST", "/tracking", map[string]any{"code": ticket.TrackingCode})
	a.problem(http.StatusTooManyRequests, "http.too_many_requests")
	if a.Header().Get("Retry-After") == "" || a.Header().Get("Retry-After") == "0" {
		t.Errorf("Retry-After %q", a.Header().Get("Retry-After"))
	}
	// Another address is not concerned, and time alone ends it.
	other := r.request("POST", "/tracking", map[string]any{"code": ticket.TrackingCode})
	other.RemoteAddr = "198.51.100.7:1234"
	r.do(other).is(http.StatusOK)
	r.clock.Advance(21 * time.Second)
	r.send("POST", "/tracking", map[string]any{"code": ticket.TrackingCode}).is(http.StatusOK)
}

func TestLimitsSayWhenToComeBack(t *testing.T) {
	t.Parallel()
	one := Rate{Burst: 2, Every: time.Minute}
	r := newRig(t, func(d *Deps) { generous(d); d.Limits.Filing, d.Limits.Key, d.Limits.BadKeys = one, one, one })
	r.filed(1)
	r.filed(2)
	a := r.send("POST", "/tickets", complaint(), "Idempotency-Key", idem(t, 3))
	a.problem(http.StatusTooManyRequests, "http.too_many_requests")
	if a.Header().Get("Retry-After") != "60" {
		t.Errorf("Retry-After %q", a.Header().Get("Retry-After"))
	}
	key := "Bearer " + r.key("hotline", auth.ScopeTicketsRead)
	for range 2 {
		r.send("GET", "/tickets", nil, "Authorization", key).is(http.StatusOK)
	}
	r.send("GET", "/tickets", nil, "Authorization", key).problem(http.StatusTooManyRequests, "http.too_many_requests")
	for range 2 {
		r.send("GET", "/tickets", nil, "Authorization", "Bearer guess").problem(http.StatusUnauthorized, "auth.bad_key")
	}
	r.send("GET", "/tickets", nil, "Authorization", "Bearer guess").problem(http.StatusTooManyRequests, "http.too_many_requests")
	// Who has a right key is not concerned by a neighbour's wrong ones.
	r.send("GET", "/tickets", nil, "Authorization", "Bearer "+r.key("hotline", auth.ScopeTicketsRead)).is(http.StatusOK)
}

func TestNothingPersonalIsLogged(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	const name, phone, mail, text = "Zhao Planted", "555-0199-777", "planted.zhao@example.org", "PLANTEDTEXT about the neighbours"
	person := map[string]any{"name": name, "phone": phone, "email": mail}
	secret := r.key("dept-environment", auth.ScopeTicketsRead, auth.ScopeTicketsAct, auth.ScopeMessagesWrite, auth.ScopeMessagesRead)
	ticket := decode[FiledTicket](r.send("POST", "/tickets", map[string]any{"kind": "complaint", "description": text, "contact": person}, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	r.send("POST", "/tickets", map[string]any{"kind": text, "description": text, "contact": person, name: mail}, "Idempotency-Key", idem(t, 2)).is(http.StatusUnprocessableEntity)
	r.send("POST", "/tickets", `{"description":"`+text+`",`, "Idempotency-Key", idem(t, 2)).is(http.StatusBadRequest)
	r.send("POST", "/tracking", map[string]any{"code": ticket.TrackingCode}).is(http.StatusOK)
	r.send("POST", "/tracking", map[string]any{"code": text}).is(http.StatusBadRequest)
	r.send("POST", "/tracking/messages", map[string]any{"code": ticket.TrackingCode, "text": text}, "Idempotency-Key", idem(t, 3)).is(http.StatusCreated)
	r.send("POST", "/messages", map[string]any{"account": "a", "thread": phone, "external_id": "1", "text": text, "contact": person}, "Authorization", "Bearer "+secret).is(http.StatusCreated)
	r.send("GET", "/tickets?q="+phone, nil, "Authorization", "Bearer "+secret).is(http.StatusOK)
	r.send("GET", "/tickets", nil, "Authorization", "Bearer "+secret+"x").is(http.StatusUnauthorized)
	r.send("GET", "/knowledge/search?q="+phone, nil).is(http.StatusOK)
	logged := r.log.String()
	if !strings.Contains(logged, "request failed") {
		t.Fatal("failures are not logged")
	}
	for _, planted := range []string{name, phone, mail, "PLANTEDTEXT", ticket.TrackingCode, secret, "192.0.2.1"} {
		if i := strings.Index(logged, planted); i >= 0 {
			t.Errorf("the log holds %q: …%s…", planted, logged[max(0, i-120):min(len(logged), i+120)])
		}
	}
}

func FuzzTicketBody(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"complaint","description":"x","place":{"lat":1,"lon":2}}`, `{"kind":"consult","description":"\u0000\ud800"}`, `[[[[]]]]`, `{"a":{"a":{}}}`, "\xff", `{"kind":"consult","kind":"help"}`,
		`{"kind":"consult","description":"x","uploads":["01890000-0000-7000-8000-000000000000"]}`, `1e400`, `"`, `{"":""}`, `{"place":null}`,
	} {
		f.Add([]byte(seed))
	}
	r := newRig(f, generous)
	n := 0
	f.Fuzz(func(t *testing.T, body []byte) {
		n++
		req := httptest.NewRequest("POST", Prefix+"/tickets", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", idem(t, n))
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		if w.Code == http.StatusCreated {
			return
		}
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code < 400 || w.Code >= 500 || p.Status != w.Code || p.Code == "" {
			t.Fatalf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}
