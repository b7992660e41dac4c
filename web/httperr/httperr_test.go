package httperr

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/errs"
	"hotline/internal/i18n"
	"hotline/internal/testkit"
)

const secret = "postgres://user:hunter2@db"

func serve(t *testing.T, mux *http.ServeMux, r *http.Request) (*httptest.ResponseRecorder, *testkit.Log) {
	t.Helper()
	log, buffer := testkit.NewLog()
	w := httptest.NewRecorder()
	Chain(New(i18n.MustLoad(), log, nil).Handler(mux), SecureHeaders).ServeHTTP(w, r)
	return w, buffer
}

func failing(err error) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /x", func(w http.ResponseWriter, r *http.Request) { Write(w, r, err) })
	return mux
}

func TestProblemDocument(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("filing: %w", ErrMalformed.On("text").Wrap(errors.New(secret)))
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header.Set("Accept-Language", "zh-CN")
	w, _ := serve(t, failing(err), r)
	var p Problem
	if e := json.Unmarshal(w.Body.Bytes(), &p); e != nil {
		t.Fatal(e)
	}
	if w.Code != 400 || w.Header().Get("Content-Type") != "application/problem+json" || p.Code != "http.malformed" || p.Field != "text" ||
		!strings.Contains(p.Detail, "无法读取") || p.RequestID == "" || p.RequestID != w.Header().Get("X-Request-Id") {
		t.Errorf("%d %+v", w.Code, p)
	}
	if strings.Contains(w.Body.String(), "hunter2") {
		t.Error("the cause reached the client")
	}
}

func TestPageForPeople(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header.Set("Accept", "text/html,*/*")
	w, log := serve(t, failing(errors.New(secret)), r)
	body := w.Body.String()
	if w.Code != 500 || !strings.Contains(body, "not your fault") || !strings.Contains(body, "Try again in a few minutes") || !strings.Contains(body, w.Header().Get("X-Request-Id")) {
		t.Errorf("%d %s", w.Code, body)
	}
	if strings.Contains(body, "hunter2") {
		t.Error("the cause reached the client")
	}
	if got := strings.Count(log.String(), "request failed"); got != 1 {
		t.Errorf("logged %d times", got)
	}
	if !strings.Contains(w.Header().Get("Content-Security-Policy"), "script-src 'self'") || strings.Contains(w.Header().Get("Content-Security-Policy"), "unsafe") {
		t.Errorf("policy = %s", w.Header().Get("Content-Security-Policy"))
	}
}

// A page that is being checked is not "not found": an error that has words of its own is titled with them.
func TestAnErrorCanHaveATitleOfItsOwn(t *testing.T) {
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header.Set("Accept", "text/html")
	w, _ := serve(t, failing(errs.New(errs.NotFound, "knowledge.in_check", "m")), r)
	if body := w.Body.String(); w.Code != http.StatusNotFound || !strings.Contains(body, "We are checking this page") || strings.Contains(body, "Page not found") || strings.Contains(body, "typing mistakes") {
		t.Errorf("%d %s", w.Code, body)
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for kind, want := range map[errs.Kind]int{errs.Invalid: 400, errs.Unauthenticated: 401, errs.Forbidden: 403, errs.NotFound: 404, errs.Conflict: 409,
		errs.RateLimited: 429, errs.TooLarge: 413, errs.Unavailable: 503, errs.Internal: 500} {
		w, _ := serve(t, failing(errs.New(kind, "test.code", "m")), httptest.NewRequest("GET", "/x", nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", kind, w.Code, want)
		}
	}
}

func TestNotFoundAndMethod(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /x", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("GET /folder/{$}", func(w http.ResponseWriter, _ *http.Request) {})
	w, _ := serve(t, mux, httptest.NewRequest("GET", "/nowhere", nil))
	if w.Code != 404 || !strings.Contains(w.Body.String(), "http.not_found") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w, _ = serve(t, mux, httptest.NewRequest("DELETE", "/x", nil))
	if w.Code != 405 || !strings.Contains(w.Header().Get("Allow"), "GET") || !strings.Contains(w.Body.String(), "http.method_not_allowed") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /early", func(http.ResponseWriter, *http.Request) { panic(secret) })
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "half"); panic(secret) })
	w, log := serve(t, mux, httptest.NewRequest("GET", "/early", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "hunter2") || !strings.Contains(log.String(), "panic") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("half an answer was passed off as whole")
		}
	}()
	serve(t, mux, httptest.NewRequest("GET", "/late", nil))
}

func TestCrossOriginAndBodyLimit(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("POST /x", Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			Write(w, r, err)
		}
	}), SameOrigin, LimitBody(10)))
	post := func(body io.Reader, site string) int {
		r := httptest.NewRequest("POST", "/x", body)
		r.Header.Set("Sec-Fetch-Site", site)
		w, _ := serve(t, mux, r)
		return w.Code
	}
	if got := post(strings.NewReader("ok"), "same-origin"); got != 200 {
		t.Errorf("own form: %d", got)
	}
	if got := post(strings.NewReader("ok"), "cross-site"); got != 403 {
		t.Errorf("foreign form: %d", got)
	}
	if got := post(strings.NewReader(strings.Repeat("x", 11)), "same-origin"); got != 413 {
		t.Errorf("declared too large: %d", got)
	}
	if got := post(io.MultiReader(strings.NewReader(strings.Repeat("x", 11))), "same-origin"); got != 413 {
		t.Errorf("undeclared too large: %d", got)
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC))
	l := NewLimiter(time.Minute, 2, 3, fake.Now)
	take := func(key string) bool { ok, _ := l.Allow(key); return ok }
	if first, second, third := take("a"), take("a"), take("a"); !first || !second || third {
		t.Error("the third at once should wait")
	}
	if blocked, wait := l.Blocked("a"); !blocked || wait != time.Minute {
		t.Errorf("blocked %v %v", blocked, wait)
	}
	if !take("b") {
		t.Error("another caller should not wait")
	}
	fake.Advance(time.Minute)
	if !take("a") || take("a") {
		t.Error("one more after the interval")
	}
	for _, key := range []string{"c", "d", "e", "f"} {
		take(key)
	}
	if len(l.byKey) != 3 || l.recent.Len() != 3 {
		t.Errorf("remembers %d callers, want 3", len(l.byKey))
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.7:1234", "", "192.0.2.7"},
		{"192.0.2.7:1234", "198.51.100.1", "192.0.2.7"}, // not from a proxy of ours: the header is a lie
		{"10.0.0.1:99", "203.0.113.5, 198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:99", "203.0.113.5, 10.0.0.2", "203.0.113.5"},
		{"10.0.0.1:99", "nonsense", "10.0.0.1"},
		{"[2001:db8:1:2:3:4:5:6]:80", "", "2001:db8:1:2::/64"},
		{"@", "", "unknown"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := Address(r, proxies); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestRateLimitSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC))
	mux := http.NewServeMux()
	mux.Handle("GET /x", RateLimit(NewLimiter(10*time.Second, 1, 10, fake.Now), nil)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	serve(t, mux, httptest.NewRequest("GET", "/x", nil))
	w, _ := serve(t, mux, httptest.NewRequest("GET", "/x", nil))
	if w.Code != 429 || w.Header().Get("Retry-After") != "10" {
		t.Errorf("%d Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
}
