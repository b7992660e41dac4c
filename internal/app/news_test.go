package app_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels/email/emailtest"
	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/tickets"
)

// visitor is a browser without scripts.
type visitor struct {
	t   *testing.T
	web *http.Client
	url string
}

func visit(t *testing.T, a *app.App) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, web: &http.Client{Jar: jar, Timeout: 20 * time.Second}, url: a.URL()}
}

func (v *visitor) do(method, path string, form url.Values) (status int, at, body string) {
	v.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = v.url + path
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.send(req)
}

func (v *visitor) send(req *http.Request) (status int, at, body string) {
	v.t.Helper()
	req.Header.Set("Accept-Language", "en")
	resp, err := v.web.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, resp.Request.URL.Path, string(raw)
}

// files fills the portal's form in, question by question, and gives the number of the case.
func (v *visitor) files(text, mail string) string {
	v.t.Helper()
	answers := map[string]url.Values{"kind": {"kind": {"complaint"}}, "what": {"text": {text}}, "category": {"category": {"none"}}, "details": {}, "where": {"place": {"12 Harbour Road"}},
		"photos": {"action": {"continue"}}, "contact": {"who": {"contact"}, "email": {mail}}, "check": {}}
	_, at, body := v.do("GET", "/file", nil)
	for range 12 {
		step := strings.TrimPrefix(at, "/file/")
		if step == "done" {
			number := regexp.MustCompile(`\d{4}-\d{6}`).FindString(body)
			if !strings.Contains(body, "sent number and code to your e-mail") {
				v.t.Errorf("the last page does not say where number and code went")
			}
			return number
		}
		form, ok := answers[step]
		if !ok {
			v.t.Fatalf("the form asks %s", at)
		}
		if step == "photos" {
			_, at, body = v.noPhotos()
			continue
		}
		_, at, body = v.do("POST", "/file/"+step, form)
	}
	v.t.Fatalf("the form does not end; it is at %s", at)
	return ""
}

// noPhotos sends the form that takes files, without any.
func (v *visitor) noPhotos() (status int, at, body string) {
	v.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	if err := form.WriteField("action", "continue"); err != nil {
		v.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		v.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.url+"/file/photos", &b)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	return v.send(req)
}

var inMail = regexp.MustCompile(`https?://[^\s]+/(rate|stop)/[A-Za-z0-9_-]+`)

func mailLink(t *testing.T, text, kind string) string {
	t.Helper()
	for _, l := range inMail.FindAllString(text, -1) {
		if strings.Contains(l, "/"+kind+"/") {
			return l
		}
	}
	t.Fatalf("no %s link in %q", kind, text)
	return ""
}

// letters are the mails to somebody, as they are read.
func letters(t *testing.T, s *emailtest.SMTP, to string, n int) []emailtest.Read {
	t.Helper()
	var out []emailtest.Read
	for deadline := time.Now().Add(40 * time.Second); ; {
		out = nil
		for _, m := range s.Mails() {
			if strings.EqualFold(m.To, to) {
				out = append(out, m.Open(t))
			}
		}
		if len(out) >= n {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d mails to %s, want %d", len(out), to, n)
		}
		wait(t.Context(), wait20ms)
	}
}

// TestAPortalCaseGoesByMail is the whole way with a real mail server: filed on the portal, answered, rated by the link in the mail, once, and ended.
func TestAPortalCaseGoesByMail(t *testing.T) {
	t.Parallel()
	server := emailtest.NewSMTP(t, emailtest.Options{Plain: true})
	a := start(t, nil, "HOTLINE_EMAIL_FROM=Lanting Hotline <hotline@lanting.example>", "HOTLINE_SMTP_URL=smtp://"+server.Addr+"?tls=no")
	citizen := visit(t, a)
	number := citizen.files("The street lamp on the corner has been dark for a week", "ann@citizen.example")
	first := letters(t, server, "ann@citizen.example", 1)[0]
	if subject, _ := first.Header.Subject(); !strings.Contains(subject, number) || !strings.Contains(first.Text, "Your code is") {
		t.Errorf("%q\n%s", subject, first.Text)
	}

	// The agency answers.
	k, err := a.Tickets.ByNumber(t.Context(), tickets.System(), number)
	if err != nil {
		t.Fatal(err)
	}
	answerCase(t, a, k)
	answer := letters(t, server, "ann@citizen.example", 2)[1]
	if !strings.Contains(answer.Text, "The lamp has a new bulb.") || !strings.Contains(answer.HTML, "The lamp has a new bulb.") {
		t.Errorf("%s", answer.Text)
	}
	link := mailLink(t, answer.Text, "rate")

	// A program that looks at links before people do uses none up; nor does the person who looks first.
	robot := visit(t, a)
	for range 3 {
		if status, _, body := robot.do("GET", link, nil); status != http.StatusOK || !strings.Contains(body, number) {
			t.Fatalf("%d %s", status, body)
		}
	}
	if status, _, body := citizen.do("GET", link, nil); status != http.StatusOK || strings.Contains(body, "ann@citizen") || strings.Contains(body, "12 Harbour Road") {
		t.Errorf("%d: the page shows more than the subject", status)
	}
	if _, at, body := citizen.do("POST", link, url.Values{"grade": {"2"}, "resolved": {"no"}, "text": {"It is dark again."}}); at != "/rate/-" || !strings.Contains(body, "Thank you") {
		t.Fatalf("%s %s", at, body)
	}
	if k, err = a.Tickets.ByNumber(t.Context(), tickets.System(), number); err != nil || k.Grade != 2 || k.Rectify != "open" {
		t.Fatalf("%+v %v", k, err)
	}
	// The second use says so in words.
	for _, method := range []string{"GET", "POST"} {
		if status, _, body := citizen.do(method, link, url.Values{"grade": {"5"}}); status != http.StatusGone || !strings.Contains(body, "You have already told us") {
			t.Errorf("%s: %d %s", method, status, body)
		}
	}
	// And the person ends it.
	stop := mailLink(t, answer.Text, "stop")
	if h := answer.Header.Get("List-Unsubscribe"); h != "<"+stop+">" {
		t.Errorf("the mail program's button is %q", h)
	}
	if status, _, _ := robot.do("GET", stop, nil); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	if _, at, body := citizen.do("POST", stop, nil); at != "/stop/-" || !strings.Contains(body, "no more messages") {
		t.Errorf("%s %s", at, body)
	}
	awaitRow(t, a, "the end of messages", `select exists (select from contacts where email = 'ann@citizen.example' and allows = '{}' and allows_via = 'link')`)
}

// answerCase takes a case from wherever routing left it to its answer.
func answerCase(t *testing.T, a *app.App, k tickets.Ticket) {
	t.Helper()
	agency := k.Lead
	act := func(name tickets.Action, f tickets.Fields, desk bool, role string) {
		t.Helper()
		who := tickets.Staff(db.Staff(staffIn(t, a, agency, desk), agencyOr(a, agency, desk), desk, true), []string{role})
		var err error
		if k, err = a.Tickets.Apply(t.Context(), who, k.ID, tickets.AnyVersion, name, f, ""); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if k.State == tickets.PendingDispatch {
		lead, ok := a.Routing.Snapshot().AgencyByCode("dept-environment")
		if !ok {
			t.Fatal("no agency")
		}
		agency = lead.ID
		act(tickets.Dispatch, tickets.Fields{Lead: lead.ID}, true, "dispatcher")
	}
	yes := true
	act(tickets.Sign, tickets.Fields{}, false, "handler")
	act(tickets.Reply, tickets.Fields{Text: "The lamp has a new bulb.", Outcome: "resolved", Resolved: &yes}, false, "handler")
}

func agencyOr(a *app.App, agency uuid.UUID, desk bool) uuid.UUID {
	if desk {
		return a.Routing.Snapshot().Desk().ID
	}
	return agency
}

// staffIn is somebody of an agency, or of the hotline.
func staffIn(t *testing.T, a *app.App, agency uuid.UUID, desk bool) (id uuid.UUID) {
	t.Helper()
	err := db.ReadTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select id from users where agency_id = $1 limit 1`, agencyOr(a, agency, desk)).Scan(&id)
	})
	if err != nil {
		return uuid.New() // the demo city has no user in every agency
	}
	return id
}
