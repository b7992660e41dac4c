package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/auth"
	"hotline/internal/blob"
	"hotline/internal/bus"
	"hotline/internal/clock"
	"hotline/internal/i18n"
	"hotline/internal/testkit"
	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/routing"
	"hotline/tickets"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// rig is the whole interface on real services and a database of its own.
type rig struct {
	t       testing.TB
	handler http.Handler
	api     *API
	pool    *pgxpool.Pool
	owner   *pgxpool.Pool // behind row-level security
	clock   *clock.Fake
	city    testkit.TinyCity
	tickets *tickets.Service
	chat    *chat.Service
	auth    *auth.Service
	log     *testkit.Log
	article knowledge.Entry
}

func newRig(t testing.TB, change ...func(*Deps)) *rig { t.Helper(); return newRigOn(t, nil, change...) }

// newRigOn is newRig whose chat gives hints on a bus.
func newRigOn(t testing.TB, b *bus.Bus, change ...func(*Deps)) *rig {
	t.Helper()
	log, buffer := testkit.NewLog()
	r := &rig{t: t, pool: testkit.DB(t), clock: clock.NewFake(time.Date(2026, 3, 4, 1, 0, 0, 0, time.UTC)), log: buffer}
	r.owner = testkit.OwnerPool(t, r.pool)
	r.city = testkit.City(t, r.pool)
	route := routing.New(routing.Deps{Pool: r.pool, Log: log})
	must(t, route.Reload(t.Context()))
	key := bytes.Repeat([]byte{7}, 32)
	var err error
	r.tickets, err = tickets.New(tickets.Deps{Pool: r.pool, Clock: r.clock, Key: key, Log: log, Router: tickets.RouterOf(route)})
	must(t, err)
	policy, err := bot.New(bot.Options{Env: bot.Env{Now: r.clock.Now, Numbers: map[bot.Service]string{"": "112", bot.Fire: "119"}}})
	must(t, err)
	folder, err := blob.OpenFolder(t.TempDir())
	must(t, err)
	words := i18n.MustLoad()
	registry, err := channels.NewRegistry()
	must(t, err)
	r.chat, err = chat.New(chat.Deps{Bus: b, Pool: r.pool, Clock: r.clock, Log: log, Blob: folder, Words: words, Tickets: r.tickets, Bot: policy, Channels: registry})
	must(t, err)
	t.Cleanup(r.chat.Stop)
	r.tickets.OnPublic(r.chat.Notify)
	r.auth = auth.New(r.pool, r.clock, auth.Options{Weak: true})
	know := r.knowledge(log)
	d := Deps{Pool: r.pool, Clock: r.clock, Log: log, Words: words, Key: key, Tickets: r.tickets, Chat: r.chat, Knowledge: know, Learn: learn.New(learn.Deps{Pool: r.pool, Knowledge: know, Clock: r.clock, Log: log}), Routing: route, Auth: r.auth,
		Emergency: policy.Emergency(), Version: "test"}
	for _, fn := range change {
		fn(&d)
	}
	r.api, err = build(d)
	must(t, err)
	r.handler, err = r.api.handler()
	must(t, err)
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) knowledge(log *slog.Logger) *knowledge.Service {
	s := knowledge.New(knowledge.Deps{Pool: r.pool, Clock: r.clock, Log: log})
	ctx := r.t.Context()
	e, err := s.Create(ctx, knowledge.System(), knowledge.Article{Lang: "en", Slug: "open-a-water-account", Key: "water", Topic: "utilities", Owner: r.city.Agencies["dept-utilities"], Services: []string{"T-UTL-001"}},
		knowledge.Text{Title: "How do I open a water account?", Summary: "Bring your identity card and the lease to the utilities office.", Body: "Open a **water account** at the utilities office.\n\nIt takes one day.",
			Questions: []string{"open a water account", "new water meter account"}})
	must(r.t, err)
	e, err = s.Submit(ctx, knowledge.System(), e.Version.Ref())
	must(r.t, err)
	r.article, err = s.Publish(ctx, knowledge.System(), e.Version.Ref())
	must(r.t, err)
	return s
}

// key makes an API key of an agency.
func (r *rig) key(agency string, scopes ...string) string {
	r.t.Helper()
	admin, err := r.auth.ByID(r.t.Context(), r.city.Users["administrator"])
	must(r.t, err)
	secret, _, err := r.auth.CreateKey(r.t.Context(), admin, "test key", r.city.Agencies[agency], scopes)
	must(r.t, err)
	return secret
}

// request is one to be sent; with adds headers as pairs.
func (r *rig) request(method, path string, body any, with ...string) *http.Request {
	r.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		must(r.t, err)
		reader = bytes.NewReader(raw)
	}
	req := httptest.NewRequest(method, Prefix+path, reader)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(with); i += 2 {
		req.Header.Set(with[i], with[i+1])
	}
	return req
}

func (r *rig) do(req *http.Request) *answer {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return &answer{t: r.t, ResponseRecorder: w, what: req.Method + " " + req.URL.Path}
}

func (r *rig) send(method, path string, body any, with ...string) *answer {
	r.t.Helper()
	return r.do(r.request(method, path, body, with...))
}

// answer is a response that a test looks at.
type answer struct {
	*httptest.ResponseRecorder
	t    testing.TB
	what string
}

// is fails the test unless the status is the wanted one.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("%s: %d, want %d: %s", a.what, a.Code, status, a.Body)
	}
	return a
}

// problem fails the test unless the answer is a problem document with this status and code.
func (a *answer) problem(status int, code string) Problem {
	a.t.Helper()
	var p Problem
	if err := json.Unmarshal(a.Body.Bytes(), &p); err != nil {
		a.t.Fatalf("%s: %d is no problem document: %v: %s", a.what, a.Code, err, a.Body)
	}
	if a.Code != status || p.Status != status || p.Code != code || a.Header().Get("Content-Type") != "application/problem+json" || p.Detail == "" || p.RequestID == "" {
		a.t.Fatalf("%s: %d %s, want %d %s: %s", a.what, a.Code, a.Header().Get("Content-Type"), status, code, a.Body)
	}
	return p
}

func decode[T any](a *answer) T {
	a.t.Helper()
	var v T
	if err := json.Unmarshal(a.Body.Bytes(), &v); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.Body)
	}
	return v
}

func idem(t testing.TB, n int) string {
	return fmt.Sprintf("%s-%04d-0123456789", strings.ReplaceAll(t.Name(), "/", "."), n)
}

const noise = "Since Monday the building site opposite works with loud construction noise until three at night."

func complaint(more ...string) map[string]any {
	m := map[string]any{"kind": "complaint", "description": noise, "category": "environment.noise", "lang": "en"}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// filed files a complaint.
func (r *rig) filed(n int, with ...string) FiledTicket {
	r.t.Helper()
	return decode[FiledTicket](r.send("POST", "/tickets", complaint(), append([]string{"Idempotency-Key", idem(r.t, n)}, with...)...).is(http.StatusCreated))
}

// staffMove lets a member of staff do something.
func (r *rig) staffMove(number, user string, roles []string, action tickets.Action, f tickets.Fields) {
	r.t.Helper()
	who := tickets.Staff(r.city.Staff(user), roles)
	t, err := r.tickets.ByNumber(r.t.Context(), who, number)
	must(r.t, err)
	_, err = r.tickets.Apply(r.t.Context(), who, t.ID, tickets.AnyVersion, action, f, "")
	must(r.t, err)
}

func (r *rig) count(sql string, args ...any) int {
	r.t.Helper()
	var n int
	must(r.t, r.owner.QueryRow(r.t.Context(), sql, args...).Scan(&n))
	return n
}
