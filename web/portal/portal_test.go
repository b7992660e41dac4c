package portal

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"hotline/internal/clock"
)

func (s *site) photos(path string, values map[string]string, files map[string][]byte) answer {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range values {
		if err := form.WriteField(name, value); err != nil {
			s.t.Fatal(err)
		}
	}
	for name, content := range files {
		part, err := form.CreateFormFile("photos", name)
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := part.Write(content); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequest("POST", s.srv.URL+path, &body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.do(r)
}

// upToCheck answers every question of the ordinary form.
func (s *site) upToCheck() answer {
	s.t.Helper()
	s.get("/file").at(s.t, "/file/kind").sees(s.t, "What would you like to do?")
	s.post("/file/kind", "kind", "complaint").at(s.t, "/file/what")
	s.post("/file/what", "text", "Construction noise every night. "+hostile).at(s.t, "/file/category").sees(s.t, "Noise", "Waste", "None of these")
	s.post("/file/category", "category", "environment.noise").at(s.t, "/file/details")
	s.post("/file/details", "detail-source", "site").at(s.t, "/file/where")
	s.post("/file/where", "place", "12 Willow Road", "lat", "30.1", "lon", "120.2").at(s.t, "/file/photos")
	s.photos("/file/photos", map[string]string{"action": "continue"}, map[string][]byte{"street.jpg": jpegWith("x")}).at(s.t, "/file/contact")
	return s.post("/file/contact", "who", "contact", "name", "Chen Wei", "phone", "138 0000 1111").at(s.t, "/file/check")
}

func TestFiling(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.upToCheck().sees(t, "Complain", "Construction noise every night", "Noise", "12 Willow Road", "Your position was added", "street.jpg", "Chen Wei", "138 0000 1111")
	s.post("/file/check").at(t, "/file/done").sees(t, "2026-000123", "<span>1234</span><span>5678</span>", "Copy the code")
	f := s.cases.filings[0]
	if f.Kind != "complaint" || f.Category != "environment.noise" || f.Phone != "138 0000 1111" || f.Lat == nil || len(f.Uploads) != 1 || f.Confidential || f.Lang != "en" {
		t.Errorf("filed %+v", f)
	}
	// Again, and after "back": the same ticket.
	s.post("/file/check").at(t, "/file/done").sees(t, "2026-000123")
	s.get("/file/contact").at(t, "/file/done")
	if len(s.cases.filings) != 1 {
		t.Errorf("%d tickets from one form", len(s.cases.filings))
	}
	// A new matter begins empty.
	if a := s.get("/file/kind"); strings.Contains(a.body, " checked") {
		t.Error("the answers of the last matter came back")
	}
	if strings.Contains(s.log.String(), "Chen") || strings.Contains(s.log.String(), goodCode) {
		t.Error("personal data in the log")
	}
}

func TestTwoPressesAtOnceMakeOneTicket(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.upToCheck()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if a := s.post("/file/check"); a.path != "/file/done" {
				t.Errorf("at %s", a.path)
			}
		})
	}
	both.Wait()
	if len(s.cases.filings) != 1 {
		t.Errorf("%d tickets", len(s.cases.filings))
	}
}

func TestAnswersAreKeptOnBackAndChange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.upToCheck()
	s.get("/file/kind").sees(t, `value="complaint" id="kind-complaint" checked`)
	s.get("/file/what").sees(t, "Construction noise every night", "&lt;script&gt;")
	s.get("/file/where?change=1").sees(t, `value="12 Willow Road"`, "Save the change")
	s.post("/file/where", "place", "14 Willow Road", "change", "1").at(t, "/file/check").sees(t, "14 Willow Road")
	// Another text may be about something else: the suggestion is asked again before the check.
	s.post("/file/what", "text", "Noise is not it: the bins overflow with noise", "change", "1").at(t, "/file/check")
	s.post("/file/what", "text", "The lamp is broken", "change", "1").at(t, "/file/check")
	s.post("/file/check").at(t, "/file/done")
	if f := s.cases.filings[0]; f.Category != "" || f.Text != "The lamp is broken" {
		t.Errorf("filed %+v", f)
	}
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bad := func(a answer, words ...string) {
		t.Helper()
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", a.path, a.status)
		}
		a.sees(t, append(words, "There is a problem", "<title>Error: ")...)
	}
	bad(s.post("/file/kind", "kind", "burn"), `href="#kind-complaint"`)
	s.post("/file/kind", "kind", "help")
	bad(s.post("/file/what", "text", "  "), `href="#text"`, "at least a few words")
	bad(s.post("/file/what", "text", strings.Repeat("字", 4001)), "1 too many")
	s.post("/file/what", "text", "loud noise at night")
	bad(s.post("/file/category", "category", "not.offered"), `href="#category-0"`)
	s.post("/file/category", "category", "none")
	bad(s.post("/file/where", "place", ""), "There is no place")
	bad(s.post("/file/where", "place", strings.Repeat("x", 301)), "at most 300")
	s.post("/file/where", "nowhere", "1").at(t, "/file/photos")
	s.photos("/file/photos", nil, nil).at(t, "/file/contact")
	bad(s.post("/file/contact"), "may contact you")
	bad(s.post("/file/contact", "who", "contact"), "phone number or an e-mail")
	bad(s.post("/file/contact", "who", "contact", "phone", "call me", "email", "a@b"), `href="#phone"`, `href="#email"`, `value="call me"`)
	s.post("/file/contact", "who", "anonymous", "name", "Chen Wei").at(t, "/file/check")
	s.post("/file/check").at(t, "/file/done").sees(t, "You stayed anonymous")
	if f := s.cases.filings[0]; f.Name != "" || f.Phone != "" || f.Category != "" || f.Place != "" {
		t.Errorf("filed %+v", f)
	}
}

func TestNobodySkipsQuestions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/file/check").at(t, "/file/kind?lost=1").sees(t, "start again")
	s.post("/file/kind", "kind", "praise")
	s.get("/file/check").at(t, "/file/what")
	s.post("/file/contact", "who", "anonymous").at(t, "/file/what")
	s.post("/file/check").at(t, "/file/what")
	if a := s.get("/file/nonsense"); a.status != 404 {
		t.Errorf("%d", a.status)
	}
	s.clock.Advance(draftLife)
	if len(s.cases.filings) != 0 {
		t.Error("a ticket from half a form")
	}
}

func TestHostileForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("/file/kind", "kind", "help").at(t, "/file/what")
	if a := s.post("/file/what", "text", strings.Repeat("x", maxForm+1)); a.status != 413 {
		t.Errorf("oversized: %d", a.status)
	}
	s.post("/file/what", "text", "broken \xff\xfe bytes and \u202e tricks\x00").at(t, "/file/where")
	s.get("/file/what").sees(t, "broken \uFFFD bytes and  tricks")
	r, _ := http.NewRequest("POST", s.srv.URL+"/file/kind", strings.NewReader("kind=help"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := s.do(r); a.status != 403 {
		t.Errorf("a form on another site: %d", a.status)
	}
	r, _ = http.NewRequest("POST", s.srv.URL+"/file/photos", strings.NewReader("not multipart"))
	r.Header.Set("Content-Type", "text/plain")
	s.post("/file/where", "nowhere", "1")
	if a := s.do(r); a.status != 400 {
		t.Errorf("not a form: %d", a.status)
	}
	s.photos("/file/photos", map[string]string{"action": "add"}, map[string][]byte{`..\..\evil.exe`: []byte("MZ\x90")}).sees(t, "There is a problem")
	s.photos("/file/photos", map[string]string{"action": "add"}, map[string][]byte{`C:\Users\me\cat.jpg`: jpegWith("x")}).at(t, "/file/photos").sees(t, ">cat.jpg<")
	if a := s.photos("/file/photos", nil, map[string][]byte{"big.jpg": make([]byte, maxFile+1)}); a.status != 422 || !strings.Contains(a.body, "larger than 10 MB") {
		t.Errorf("too large a file: %d", a.status)
	}
	many := map[string][]byte{}
	for i := range 6 {
		many[fmt.Sprint(i, ".jpg")] = jpegWith("x")
	}
	s.photos("/file/photos", nil, many).sees(t, "at most 5 files")
	for _, page := range []string{"/file/what", "/search?q=" + "%3Cscript%3Ealert(1)%3C/script%3E", "/a/rent-subsidy"} {
		if a := s.get(page); strings.Contains(a.body, "<script>") || strings.Contains(a.body, "onerror=alert(1)>") || strings.Contains(a.body, "javascript:") {
			t.Errorf("%s: markup came alive", page)
		}
	}
	if a := s.get("/search?q=" + strings.Repeat("x", 5000)); a.status != 200 {
		t.Errorf("long query: %d", a.status)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/report").sees(t, "Who can read it", "What we cannot protect")
	s.post("/report").at(t, "/report/what").sees(t, "What do you want to report?")
	s.post("/report/what", "text", "An official takes money for permits. noise").at(t, "/report/where")
	s.post("/report/where", "nowhere", "1").at(t, "/report/photos")
	s.photos("/report/photos", map[string]string{"action": "add"}, map[string][]byte{"letter.pdf": []byte("%PDF-1.7")}).sees(t, "because we can remove the hidden data")
	s.photos("/report/photos", nil, map[string][]byte{"Chen Wei's phone.jpg": jpegWith("x")}).at(t, "/report/contact")
	s.post("/report/contact", "who", "anonymous").at(t, "/report/check").sees(t, "picture.jpg")
	s.post("/report/check").at(t, "/report/done").sees(t, "cleared for confidential reports")
	f := s.cases.filings[0]
	if f.Kind != "report" || !f.Confidential || f.Category != "" || len(f.Uploads) != 1 {
		t.Fatalf("filed %+v", f)
	}
	s.post("/report/clear").at(t, "/")
	s.get("/report/done").at(t, "/track")
}

func TestArticleAndSearch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/").sees(t, "What do you need?", "Going to school", "555-12345", "Monthly rent subsidy")
	s.get("/search?q=rent").sees(t, "<mark>rent subsidy</mark>", "/a/rent-subsidy", "2 answers")
	s.get("/search?q=nothing").sees(t, "We found nothing for “nothing”", "/file?kind=consult")
	s.get("/search/suggest?q=ren").sees(t, `[{"title":"Monthly rent subsidy`, `"url":"/a/rent-subsidy"`)
	for _, q := range []string{"", "r", "+", "ren+"} { // nothing said yet, or a finished word that no title has
		if got := s.get("/search/suggest?q=" + q).body; strings.TrimSpace(got) != "[]" {
			t.Errorf("typing %q suggests %s", q, got)
		}
	}
	s.get("/search/suggest?q=租").sees(t, "rent-subsidy") // one character says something
	a := s.get("/a/rent-subsidy").sees(t, "<h1>Monthly rent subsidy", "<h2>Conditions</h2>", "<td>17 yuan</td>", "Housing Department", "1 January 2026", "Did this help?", `href="/a/other"`)
	if strings.Count(a.body, "<h1") != 1 {
		t.Error("two titles")
	}
	if a := s.get("/a/gone"); a.status != 404 || !strings.Contains(a.body, "Page not found") {
		t.Errorf("%d", a.status)
	}
	s.post("/a/rent-subsidy/feedback").sees(t, "Choose yes or no")
	s.post("/a/rent-subsidy/feedback", "helpful", "no", "comment", "What about students?").at(t, "/a/rent-subsidy?thanks=1").sees(t, "Thank you.")
	if got := fmt.Sprint(s.knowledge.feedback); got != "[no What about students?]" {
		t.Errorf("feedback %s", got)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/?lang=zh-CN").sees(t, `<html lang="zh-CN"`, "您需要什么帮助？")
	s.get("/track").sees(t, "查询办理进度") // remembered
	s.get("/a/rent-subsidy").sees(t, `lang="en"`, "本页暂无中文版本")
	s.get("/a/rent-subsidy?lang=zh-CN").at(t, "/a/zufang").sees(t, "市场租房补贴")
}

func TestTracking(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/track/case").at(t, "/track?expired=1")
	s.post("/track", "code", "").sees(t, "Enter your code")
	s.post("/track", "code", "2026-000123").sees(t, "all 20 digits")
	a := s.post("/track", "code", "1234 5678 9012 3456 7890").at(t, "/track/case").sees(t, "Construction noise at night", "Being worked on", "Environment Department is working on it", "The office answered.", "was fined", "The details of your case", "Since when", "1 March", "How often", "not given", "9 March 2026, 09:30", "&lt;script&gt;")
	if strings.Contains(a.body, goodCode) || strings.Contains(a.body, "onerror=alert(1)>") {
		t.Error("the page shows the code, or markup came alive")
	}
	s.post("/track/leave").at(t, "/track")
	s.get("/track/case").at(t, "/track?expired=1")
	s.post("/track", "code", goodCode).at(t, "/track/case")
	s.clock.Advance(trackLife + time.Second)
	s.get("/track/case").at(t, "/track?expired=1").sees(t, "half an hour")
	if strings.Contains(s.log.String(), goodCode) {
		t.Error("the code is in the log")
	}
}

func TestWrongCodesSlowDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for range 5 {
		s.post("/track", "code", "99999999999999999999").sees(t, "We do not know this code")
	}
	if a := s.post("/track", "code", goodCode); a.status != 429 || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "not locked") {
		t.Errorf("%d", a.status)
	}
	s.clock.Advance(time.Minute)
	s.post("/track", "code", goodCode).at(t, "/track/case")
}

func TestCaseActions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("/track", "code", goodCode)
	key := "7d9a4f3e-0000-4000-8000-000000000001"
	s.photos("/track/reply", map[string]string{"key": key}, nil).sees(t, "Write something or choose a file")
	for range 2 {
		s.photos("/track/reply", map[string]string{"key": key, "text": "It began again."}, map[string][]byte{"a.jpg": jpegWith("x")}).at(t, "/track/case?done=reply").sees(t, "Your message was sent")
	}
	if len(s.cases.replies) != 1 || len(s.cases.replies[0].Uploads) != 1 {
		t.Errorf("replies %+v", s.cases.replies)
	}
	s.photos("/track/reply", map[string]string{"text": ""}, map[string][]byte{"b.jpg": jpegWith("x")}).at(t, "/track/case?done=reply")
	if len(s.cases.replies) != 2 || s.cases.replies[1].Text == "" {
		t.Errorf("replies %+v", s.cases.replies)
	}
	s.photos("/track/reply", nil, nil).sees(t, `href="/track/case?lang=zh-CN"`)
	s.post("/track/move", "action", "withdraw").at(t, "/track/case?done=withdraw")
	if a := s.post("/track/move", "action", "close"); a.status != 400 {
		t.Errorf("an action that is not the citizen's: %d", a.status)
	}
	s.cases.mu.Lock()
	s.cases.state = "completed"
	s.cases.mu.Unlock()
	s.post("/track/move", "action", "not_answered", "reason", "").sees(t, "Tell us why", `href="#reason-not_answered"`)
	if a := s.get("/track/case"); strings.Contains(a.body, "at the latest") {
		t.Error("a case that is done still has a deadline")
	}
	s.post("/track/rate", "grade", "9").sees(t, "Choose how satisfied you are")
	s.post("/track/rate", "grade", "4", "resolved", "yes").at(t, "/track/case?done=rate").sees(t, "★★★★☆", "Satisfied")
	s.post("/track/rate", "grade", "1").sees(t, "There is a problem")
	var file string
	for id := range s.cases.uploads {
		file = id.String()
	}
	a := s.get("/track/files/" + file)
	if a.status != 200 || !strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %v", a.status, a.header)
	}
	s.fresh()
	s.get("/track/files/"+file).at(t, "/track?expired=1")
}

func TestSealedThings(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now())
	store := memstore.NewWithCleanupInterval(0)
	d, err := newDrafts(store, fake, true)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := d.save(w, httptest.NewRequest("POST", "/file/what", nil), fileFlow, Draft{Text: "a secret matter"}); err != nil {
		t.Fatal(err)
	}
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/file" {
		t.Errorf("cookie %+v", cookie)
	}
	rows, err := store.All()
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for id, row := range rows {
		if bytes.Contains(row, []byte("secret")) || strings.Contains(id, cookie.Value) {
			t.Error("the store alone shows the draft")
		}
	}
	for _, value := range []string{"", "x", cookie.Value[1:], strings.Repeat("A", 43)} {
		r := httptest.NewRequest("GET", "/file/what", nil)
		r.AddCookie(&http.Cookie{Name: cookieName(fileFlow), Value: value})
		if _, ok, err := d.load(r, fileFlow); ok || err != nil {
			t.Errorf("%q opened a draft (%v)", value, err)
		}
	}
}

func TestALinkRatesOneCaseOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.get("/rate/" + goodLink)
	page.sees(t, "2026-000123", "How satisfied are you?", "&lt;script&gt;")
	if page.header.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(page.header.Get("Cache-Control"), "no-store") {
		t.Errorf("the address leaks: %v", page.header)
	}
	s.post("/rate/"+goodLink, "text", "no grade").sees(t, "Choose how satisfied you are", "no grade")
	s.post("/rate/"+goodLink, "grade", "4", "resolved", "yes").at(t, "/rate/-?done=1").sees(t, "Thank you for your rating")
	for _, a := range []answer{s.get("/rate/" + goodLink), s.get("/rate/nonsense"), s.post("/rate/"+goodLink, "grade", "1")} {
		if a.status != 410 || !strings.Contains(a.body, "You have already told us") {
			t.Errorf("%d\n%s", a.status, a.body[:min(len(a.body), 300)])
		}
	}
	if s.cases.rating != 4 {
		t.Errorf("rated %d", s.cases.rating)
	}
}

func TestOfAConfidentialCaseTheLinkTellsNothingAndAsksWhetherItIsSolved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cases.secret, s.cases.asked = true, true
	page := s.get("/rate/" + goodLink)
	page.sees(t, "How was your case handled?", "Is your problem solved?")
	if strings.Contains(page.body, "2026-000123") || strings.Contains(page.body, "pwned") {
		t.Error("the page tells number or subject")
	}
	s.post("/rate/"+goodLink, "grade", "4").sees(t, "Say if your problem is solved")
	s.post("/rate/"+goodLink, "grade", "4", "resolved", "no").at(t, "/rate/-?done=sorry").sees(t, "We are sorry", "rate again")
}

func TestTheFormSaysWhereNewsWillComeAndCanBeToldNotTo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cases.tells = []string{"email", "sms"}
	s.upToCheck().sees(t, "send you a text message")
	s.get("/file/contact").sees(t, "We will write to you here when there is news.", "text message (SMS)", "Do not send me messages")
	s.post("/file/contact", "change", "1", "who", "contact", "phone", "138 0000 1111", "email", "ann@citizen.example").at(t, "/file/check").sees(t, "We will write to you by e-mail")
	s.post("/file/check").at(t, "/file/done").sees(t, "sent number and code to your e-mail")
	quiet := newSite(t)
	quiet.cases.tells = []string{"email", "sms"}
	quiet.upToCheck()
	quiet.post("/file/contact", "change", "1", "who", "contact", "email", "ann@citizen.example", "quiet", "1").at(t, "/file/check").sees(t, "We will not send you messages.")
	quiet.post("/file/check").at(t, "/file/done")
	if f := quiet.cases.filings[0]; !f.Quiet {
		t.Errorf("%+v", f)
	}
	other := newSite(t)
	other.upToCheck()
	if page := other.get("/file/contact"); strings.Contains(page.body, "when there is news") || strings.Contains(page.body, "Do not send me messages") {
		t.Error("the form promises messages that nobody can send")
	}
}

func TestALinkEndsMessagesWhenThePersonSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/stop/"+goodLink).sees(t, "no more e-mails")
	if s.cases.stopped != 0 {
		t.Error("looking at the link ended the messages")
	}
	s.post("/stop/"+goodLink).at(t, "/stop/-?done=1").sees(t, "You will get no more messages.")
	if s.get("/stop/nonsense").status != 404 || s.cases.stopped != 1 {
		t.Errorf("stopped %d times", s.cases.stopped)
	}
	// A mail program's own button.
	if a := s.post("/stop/"+goodLink, "List-Unsubscribe", "One-Click"); a.status != 204 || s.cases.stopped != 2 {
		t.Errorf("%d, stopped %d times", a.status, s.cases.stopped)
	}
}
