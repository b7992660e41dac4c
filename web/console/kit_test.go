package console_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/auth"
	"hotline/internal/blob"
	"hotline/internal/bus"
	"hotline/internal/clock"
	"hotline/internal/i18n"
	"hotline/internal/llm"
	"hotline/internal/testkit"
	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/flags"
	"hotline/tickets/statistics"
	"hotline/tickets/surges"
	"hotline/web/console"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const password = "a long phrase of words"

var start = time.Date(2026, 3, 4, 1, 0, 0, 0, time.UTC) // a Wednesday, 9:00 in the tiny city

// rig is a console with everything real behind it.
type rig struct {
	t         testing.TB
	pool      *pgxpool.Pool
	city      testkit.TinyCity
	clock     *clock.Fake
	auth      *auth.Service
	tickets   *tickets.Service
	chat      *chat.Service
	knowledge *knowledge.Service
	learn     *learn.Service
	llm       *llm.Service
	routing   *routing.Service
	bus       *bus.Bus
	log       *testkit.Log
	server    *httptest.Server
	console   *console.Console
	deps      console.Deps
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRig(t testing.TB, edit ...func(*console.Deps)) *rig {
	t.Helper()
	r := &rig{t: t, pool: testkit.DB(t), clock: clock.NewFake(start)}
	r.city = testkit.City(t, r.pool)
	ctx := context.Background()
	var log *slog.Logger
	log, r.log = testkit.NewLog()
	words := i18n.MustLoad()
	var err error
	r.bus, err = bus.Open(ctx, bus.Options{Name: "test", Log: log})
	must(t, err)
	t.Cleanup(r.bus.Close)
	_, err = testkit.OwnerPool(t, r.pool).Exec(ctx, `update jurisdictions set settings = settings || '{"canned":[{"code":"received","names":{"en":"Received","zh-CN":"已收到"},"text":{"en":"We have your request {number}.","zh-CN":"您的诉求{number}已收到。"}}]}'`)
	must(t, err)
	r.routing = routing.New(routing.Deps{Pool: r.pool, Log: log})
	must(t, r.routing.Reload(ctx))
	r.tickets, err = tickets.New(tickets.Deps{Pool: r.pool, Clock: r.clock, Key: make([]byte, 32), Log: log, Router: tickets.RouterOf(r.routing)})
	must(t, err)
	must(t, r.tickets.Reload(ctx))
	folder, err := blob.OpenFolder(t.TempDir())
	must(t, err)
	registry, err := channels.NewRegistry()
	must(t, err)
	r.chat, err = chat.New(chat.Deps{Pool: r.pool, Clock: r.clock, Log: log, Bus: r.bus, Blob: folder, Words: words, Tickets: r.tickets, Channels: registry})
	must(t, err)
	t.Cleanup(r.chat.Stop)
	r.tickets.OnPublic(r.chat.Notify)
	r.auth = auth.New(r.pool, r.clock, auth.Options{Weak: true})
	r.knowledge = knowledge.New(knowledge.Deps{Pool: r.pool, Clock: r.clock, Log: log, Blob: folder})
	r.learn = learn.New(learn.Deps{Pool: r.pool, Knowledge: r.knowledge, Clock: r.clock, Log: log})
	r.llm, err = llm.New(llm.Deps{Pool: r.pool, Clock: r.clock, Log: log, Secret: make([]byte, 32)})
	must(t, err)
	admin, err := r.auth.ByID(ctx, r.city.Users["administrator"])
	must(t, err)
	for _, id := range r.city.Users {
		must(t, r.auth.SetPassword(ctx, admin, id, password))
	}
	emergency, err := bot.NewEmergency(map[bot.Service]string{"fire": "119", "": "110"})
	must(t, err)
	deps := console.Deps{Emergency: emergency, Pool: r.pool, Clock: r.clock, Log: log, Words: words, Bus: r.bus, Auth: r.auth, Tickets: r.tickets, Statistics: statistics.New(r.pool, r.clock, r.tickets), Flags: flags.New(r.pool, r.clock, r.tickets), Surges: surges.New(r.pool, r.clock, r.tickets), Chat: r.chat, Routing: r.routing,
		Knowledge: r.knowledge, Learn: r.learn, Models: r.llm, BaseURL: "https://hotline.example", Heartbeat: time.Second}
	for _, fn := range edit {
		fn(&deps)
	}
	c, err := console.New(deps)
	must(t, err)
	r.console, r.deps = c, deps
	mux := http.NewServeMux()
	mux.Handle("/console/", c)
	r.server = httptest.NewServer(mux)
	t.Cleanup(func() { c.Close(); r.server.Close() })
	return r
}

// file opens a ticket as a citizen of the portal does.
func (r *rig) file(kind, title, description, category string, edit ...func(*chat.Filing)) tickets.Ticket {
	r.t.Helper()
	f := chat.Filing{Channel: channels.Portal, Account: "form", ExternalID: uuid.NewString(), Lang: "en", Contact: channels.Contact{Name: "Zhang Wei", Phone: "13800001234"},
		Draft: tickets.Draft{Kind: kind, Title: title, Description: description, Category: category, Lang: "en"}}
	for _, fn := range edit {
		fn(&f)
	}
	filed, err := r.chat.FileTicket(context.Background(), f)
	must(r.t, err)
	return filed.Ticket
}

// as is what a signed-in person does with a ticket outside of the console.
func (r *rig) as(user string) tickets.Actor {
	r.t.Helper()
	p, err := r.auth.ByID(context.Background(), r.city.Users[user])
	must(r.t, err)
	return tickets.Staff(p.Actor(), p.Roles)
}

func (r *rig) apply(user string, k tickets.Ticket, action tickets.Action, f tickets.Fields) tickets.Ticket {
	r.t.Helper()
	got, err := r.tickets.Apply(context.Background(), r.as(user), k.ID, tickets.AnyVersion, action, f, "")
	must(r.t, err)
	r.chat.Announce(got)
	return got
}

func (r *rig) ticket(id uuid.UUID) tickets.Ticket {
	r.t.Helper()
	k, err := r.tickets.ByID(context.Background(), tickets.System(), id)
	must(r.t, err)
	return k
}

// browser is a signed-in client without scripts.
type browser struct {
	t      testing.TB
	base   string
	client *http.Client
}

func (r *rig) visitor() *browser {
	jar, err := cookiejar.New(nil)
	must(r.t, err)
	return &browser{t: r.t, base: r.server.URL, client: &http.Client{Jar: jar}}
}

func (r *rig) signIn(user string) *browser {
	r.t.Helper()
	b := r.visitor()
	page := b.post("/console/sign-in", url.Values{"email": {user + "@tiny.example"}, "password": {password}})
	if page.status != http.StatusOK || strings.Contains(page.path, "sign-in") {
		r.t.Fatalf("%s could not sign in: %d %s", user, page.status, page.path)
	}
	return b
}

type answer struct {
	status int
	path   string // after redirects
	body   string
	header http.Header
}

func (b *browser) do(req *http.Request) answer {
	b.t.Helper()
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "text/html")
	}
	resp, err := b.client.Do(req)
	must(b.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(b.t, err)
	return answer{resp.StatusCode, resp.Request.URL.Path, string(body), resp.Header}
}

func (b *browser) get(path string, header ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, b.base+path, nil)
	must(b.t, err)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

func (b *browser) post(path string, form url.Values, header ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	must(b.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

func (a answer) wants(t testing.TB, status int, words ...string) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d (%s)\n%s", a.status, status, a.path, excerpt(a.body))
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			t.Errorf("%s does not say %q\n%s", a.path, w, excerpt(a.body))
		}
	}
	return a
}

func (a answer) lacks(t testing.TB, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(a.body, w) {
			t.Errorf("%s says %q", a.path, w)
		}
	}
}

func excerpt(s string) string {
	if i := strings.Index(s, "<main"); i > 0 {
		s = s[i:]
	}
	if len(s) > 1500 {
		s = s[:1500]
	}
	return s
}

func newUser(email, name string, agency uuid.UUID) auth.NewUser {
	return auth.NewUser{Email: email, Name: name, AgencyID: agency, Roles: []auth.Role{"handler"}}
}

func mustBe[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
