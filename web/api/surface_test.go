package api

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hotline/chat"
	"hotline/internal/auth"
	"hotline/internal/bus"
)

// form makes a multipart body: pairs of field and value, then the file.
func form(t testing.TB, name string, data []byte, fields ...string) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		must(t, w.WriteField(fields[i], fields[i+1]))
	}
	if name != "" {
		f, err := w.CreateFormFile("file", name)
		must(t, err)
		_, err = f.Write(data)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes(), w.FormDataContentType()
}

func picture(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 3))))
	return b.Bytes()
}

func TestFilesGoWithTheFilingOfTheSameKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	body, ct := form(t, `..\..\evil/bin.png`, picture(t))
	file := decode[File](r.send("POST", "/uploads", body, "Content-Type", ct, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	if file.Type != "image/png" || file.Width != 4 || strings.ContainsAny(file.Name, `/\`) {
		t.Fatalf("%+v", file)
	}
	filing := complaint()
	filing["uploads"] = []string{file.ID.String()}
	r.send("POST", "/tickets", filing, "Idempotency-Key", idem(t, 2)).problem(http.StatusNotFound, "chat.unknown_upload")
	ticket := decode[FiledTicket](r.send("POST", "/tickets", filing, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	if again := decode[FiledTicket](r.send("POST", "/tickets", filing, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated)); again.Number != ticket.Number {
		t.Fatalf("filed twice: %+v", again)
	}
	seen := decode[Tracked](r.send("POST", "/tracking", map[string]any{"code": ticket.TrackingCode}).is(http.StatusOK))
	if len(seen.Messages) == 0 || len(seen.Messages[0].Uploads) != 1 || seen.Messages[0].Uploads[0].ID != file.ID {
		t.Fatalf("%+v", seen.Messages)
	}

	later, ct := form(t, "note.txt", []byte("seen again at two"), "code", ticket.TrackingCode)
	note := decode[File](r.send("POST", "/uploads", later, "Content-Type", ct).is(http.StatusCreated))
	r.send("POST", "/tracking/messages", map[string]any{"code": ticket.TrackingCode, "text": "Here.", "uploads": []string{note.ID.String()}}, "Idempotency-Key", idem(t, 3)).is(http.StatusCreated)
	seen = decode[Tracked](r.send("POST", "/tracking", map[string]any{"code": ticket.TrackingCode}).is(http.StatusOK))
	if last := seen.Messages[len(seen.Messages)-1]; len(last.Uploads) != 1 || last.Uploads[0].ID != note.ID {
		t.Fatalf("%+v", last)
	}
}

func TestAgenciesFetchAndSendFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	body, ct := form(t, "bin.png", picture(t))
	file := decode[File](r.send("POST", "/uploads", body, "Content-Type", ct, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	filing := complaint()
	filing["uploads"] = []string{file.ID.String()}
	ticket := decode[FiledTicket](r.send("POST", "/tickets", filing, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	key := "Bearer " + r.key("dept-environment", auth.Scopes()...)
	d := decode[TicketDetail](r.send("GET", "/tickets/"+ticket.Number, nil, "Authorization", key).is(http.StatusOK))
	if len(d.Files) != 1 || d.Files[0].ID != file.ID {
		t.Fatalf("%+v", d.Files)
	}
	path := "/tickets/" + ticket.Number + "/files/" + file.ID.String()
	a := r.send("GET", path, nil, "Authorization", key).is(http.StatusOK)
	if a.Header().Get("Content-Type") != "image/png" || !strings.HasPrefix(a.Header().Get("Content-Disposition"), "attachment") || !strings.HasPrefix(a.Header().Get("Content-Security-Policy"), "sandbox") || int64(a.Body.Len()) != file.Size {
		t.Errorf("%v, %d bytes", a.Header(), a.Body.Len())
	}
	r.send("GET", path, nil, "Authorization", "Bearer "+r.key("dept-utilities", auth.Scopes()...)).problem(http.StatusNotFound, "tickets.not_found")
	other := r.filed(2)
	r.send("GET", "/tickets/"+other.Number+"/files/"+file.ID.String(), nil, "Authorization", key).problem(http.StatusNotFound, "chat.unknown_upload")

	body, ct = form(t, "letter.txt", []byte("Dear Sir or Madam"), "ticket", ticket.Number)
	r.send("POST", "/uploads", body, "Content-Type", ct).problem(http.StatusUnauthorized, "api.key_needed")
	letter := decode[File](r.send("POST", "/uploads", body, "Content-Type", ct, "Authorization", key).is(http.StatusCreated))
	signed := decode[ActionResult](r.send("POST", "/tickets/"+ticket.Number+"/actions/sign", map[string]any{"version": d.Version}, "Authorization", key, "Idempotency-Key", "1").is(http.StatusOK))
	r.send("POST", "/tickets/"+ticket.Number+"/actions/reply", map[string]any{"version": signed.Version, "text": "See the letter.", "outcome": "explained", "resolved": true, "uploads": []string{letter.ID.String()}},
		"Authorization", key, "Idempotency-Key", "2").is(http.StatusOK)
	seen := decode[Tracked](r.send("POST", "/tracking", map[string]any{"code": ticket.TrackingCode}).is(http.StatusOK))
	if last := seen.Messages[len(seen.Messages)-1]; len(last.Uploads) != 1 || last.Uploads[0].Name != "letter.txt" {
		t.Errorf("%+v", last)
	}
}

func TestBadFilesAreTyped(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	whole, ct := form(t, "bin.png", picture(t))
	send := func(body []byte, ct string, with ...string) *answer {
		return r.send("POST", "/uploads", body, append([]string{"Content-Type", ct, "Idempotency-Key", idem(t, 1)}, with...)...)
	}
	send(whole, "application/json").problem(http.StatusUnsupportedMediaType, "api.media_type")
	send(whole, "multipart/form-data").problem(http.StatusUnsupportedMediaType, "api.media_type")
	send(whole[:len(whole)-80], ct).problem(http.StatusBadRequest, "api.bad_form")
	send([]byte("no form"), ct).problem(http.StatusBadRequest, "api.bad_form")
	none, ct2 := form(t, "", nil)
	send(none, ct2).problem(http.StatusUnprocessableEntity, "api.missing_field")
	other, ct3 := form(t, "x.png", picture(t), "path", "/etc/passwd")
	send(other, ct3).problem(http.StatusUnprocessableEntity, "api.unknown_field")
	wrong, ct4 := form(t, "x.png", picture(t), "code", "00000000000000000000")
	send(wrong, ct4).problem(http.StatusNotFound, "tickets.unknown_code")
	program, ct5 := form(t, "holiday.png", append([]byte("MZ\x90\x00"), make([]byte, 200)...))
	if a := send(program, ct5); a.Code != http.StatusBadRequest {
		t.Errorf("a program as a picture: %d %s", a.Code, a.Body)
	}
	huge, ct6 := form(t, "x.txt", bytes.Repeat([]byte("x"), 10<<20+1))
	send(huge, ct6).problem(http.StatusRequestEntityTooLarge, "chat.file_too_large")
	body, ct7 := form(t, "x.png", picture(t))
	r.send("POST", "/uploads", body, "Content-Type", ct7).problem(http.StatusBadRequest, "api.idempotency_key_missing")
	if n := r.count(`select count(*) from uploads`); n != 0 {
		t.Errorf("%d files kept", n)
	}
}

func TestMessagesComeInOnceAndAreAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	key := "Bearer " + r.key("dept-environment", auth.ScopeMessagesWrite, auth.ScopeMessagesRead)
	message := map[string]any{"account": "city-app", "thread": "user-1", "external_id": "m1", "text": "Hello", "lang": "en", "contact": map[string]any{"name": "Li Na"}}
	first := decode[MessageReceipt](r.send("POST", "/messages", message, "Authorization", key).is(http.StatusCreated))
	again := decode[MessageReceipt](r.send("POST", "/messages", message, "Authorization", key).is(http.StatusOK))
	if first.Seq != 1 || first.Duplicate || !again.Duplicate || again.Seq != first.Seq || again.Conversation != first.Conversation {
		t.Fatalf("%+v %+v", first, again)
	}
	message["text"] = "Something else"
	r.send("POST", "/messages", message, "Authorization", key).problem(http.StatusConflict, "chat.receipt_conflict")
	message["external_id"] = "m\u0000"
	r.send("POST", "/messages", message, "Authorization", key).problem(http.StatusBadRequest, "chat.bad_id")

	path := "/conversations/" + first.Conversation.String() + "/messages"
	type page struct {
		Messages []ConversationMessage
		Last     int64
		Holder   string
	}
	got := decode[page](r.send("GET", path, nil, "Authorization", key).is(http.StatusOK))
	if len(got.Messages) == 0 || got.Messages[0].Text != "Hello" || got.Last < 1 || got.Holder == "" {
		t.Fatalf("%+v", got)
	}
	if rest := decode[page](r.send("GET", path+"?after="+"1000", nil, "Authorization", key).is(http.StatusOK)); len(rest.Messages) != 0 {
		t.Fatalf("%+v", rest)
	}
	file, ct := form(t, "bin.png", picture(t), "account", "city-app", "thread", "user-1")
	sent := decode[File](r.send("POST", "/uploads", file, "Content-Type", ct, "Authorization", key).is(http.StatusCreated))
	r.send("POST", "/uploads", file, "Content-Type", ct).problem(http.StatusUnauthorized, "api.key_needed")
	with := map[string]any{"account": "city-app", "thread": "user-1", "external_id": "m2", "text": "Like this", "uploads": []string{sent.ID.String()}}
	r.send("POST", "/messages", with, "Authorization", key).is(http.StatusCreated)
	with["thread"], with["external_id"] = "user-2", "m1"
	r.send("POST", "/messages", with, "Authorization", key).problem(http.StatusNotFound, "chat.unknown_upload")

	// Another agency's key names the same thread and gets a conversation of its own; this one it does not find.
	other := "Bearer " + r.key("dept-utilities", auth.ScopeMessagesWrite, auth.ScopeMessagesRead)
	message["external_id"] = "m1"
	if mine := decode[MessageReceipt](r.send("POST", "/messages", message, "Authorization", other).is(http.StatusCreated)); mine.Conversation == first.Conversation {
		t.Fatal("two agencies share a conversation")
	}
	r.send("GET", path, nil, "Authorization", other).problem(http.StatusNotFound, "chat.not_found")
	r.send("GET", path, nil, "Authorization", "Bearer "+r.key("hotline", auth.ScopeMessagesRead)).problem(http.StatusNotFound, "chat.not_found")
	r.send("GET", path+"?after=-1", nil, "Authorization", key).problem(http.StatusUnprocessableEntity, "api.bad_field")
}

func TestTheBotAnswersWhatAChannelBrings(t *testing.T) {
	t.Parallel()
	b, err := bus.Open(t.Context(), bus.Options{Name: "api-test", Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(b.Close)
	r := newRigOn(t, b, generous)
	hints := make(chan chat.Hint, 64)
	cancel, err := b.Subscribe(chat.SubjectConversations, func(_ string, data []byte) {
		var h chat.Hint
		if json.Unmarshal(data, &h) == nil && h.Seq != 0 {
			hints <- h
		}
	})
	must(t, err)
	defer cancel()
	must(t, b.Flush(t.Context()))
	r.chat.Start(t.Context())
	key := "Bearer " + r.key("dept-environment", auth.ScopeMessagesWrite, auth.ScopeMessagesRead)
	receipt := decode[MessageReceipt](r.send("POST", "/messages", map[string]any{"account": "city-app", "thread": "user-1", "external_id": "m1", "text": "Hello", "lang": "en"}, "Authorization", key).is(http.StatusCreated))
	for {
		select {
		case <-hints:
		case <-time.After(30 * time.Second):
			t.Fatal("nobody answered")
		}
		got := decode[struct{ Messages []ConversationMessage }](r.send("GET", "/conversations/"+receipt.Conversation.String()+"/messages?after=1", nil, "Authorization", key).is(http.StatusOK))
		if len(got.Messages) > 0 {
			if m := got.Messages[0]; m.Author != "bot" || m.Text == "" || m.Seq != 2 || len(m.Choices) == 0 {
				t.Errorf("%+v", m)
			}
			return
		}
	}
}

func TestAFilingWithAKeyHasAConversationToFollow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := "Bearer " + r.key("dept-environment", auth.ScopeTicketsWrite, auth.ScopeMessagesRead)
	ticket := r.filed(1, "Authorization", key)
	r.send("GET", "/conversations/"+ticket.Conversation.String()+"/messages", nil, "Authorization", key).is(http.StatusOK)
	sibling := "Bearer " + r.key("dept-environment", auth.ScopeMessagesRead)
	r.send("GET", "/conversations/"+ticket.Conversation.String()+"/messages", nil, "Authorization", sibling).problem(http.StatusNotFound, "chat.not_found")
}

func TestKnowledgeIsFoundReadAndRated(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	a := r.send("GET", "/knowledge/search?q=open+a+water+account&lang=en&limit=3", nil, "Origin", "https://other.example").is(http.StatusOK)
	found := decode[struct{ Articles []Found }](a).Articles
	if len(found) != 1 || found[0].Slug != "open-a-water-account" || found[0].URL != "/a/open-a-water-account" || found[0].Score <= 0 {
		t.Fatalf("%+v", found)
	}
	if a.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Error("other pages cannot search")
	}
	if h := r.send("GET", "/categories", nil, "Origin", "https://other.example").Header(); h.Get("Access-Control-Allow-Origin") != "" {
		t.Error("CORS is open beyond knowledge")
	}
	if h := r.send("POST", "/knowledge/answer", map[string]any{"question": "x"}, "Origin", "https://other.example").Header(); h.Get("Access-Control-Allow-Origin") != "" {
		t.Error("CORS is open for POST")
	}
	a = r.send("GET", "/knowledge/articles/"+found[0].Slug, nil).is(http.StatusOK)
	article := decode[Article](a)
	if article.Title != "How do I open a water account?" || !strings.Contains(article.Body, "**water account**") || article.Owner == nil || article.Owner.Code != "dept-utilities" {
		t.Fatalf("%+v", article)
	}
	r.send("GET", "/knowledge/articles/"+found[0].Slug, nil, "If-None-Match", a.Header().Get("ETag")).is(http.StatusNotModified)
	answer := decode[Answer](r.send("POST", "/knowledge/answer", map[string]any{"question": "How do I open a water account?"}).is(http.StatusOK))
	if answer.Outcome != "answer" || len(answer.Citations) != 1 || answer.Citations[0].Version != 1 || !strings.Contains(answer.Text, "identity card") {
		t.Fatalf("%+v", answer)
	}
	if none := decode[Answer](r.send("POST", "/knowledge/answer", map[string]any{"question": "zxcvb qwerty"}).is(http.StatusOK)); none.Outcome != "none" || none.Text != "" || none.Citations == nil {
		t.Fatalf("%+v", none)
	}
	path := "/knowledge/articles/" + article.ID.String() + "/feedback"
	for range 2 {
		r.send("POST", path, map[string]any{"version": 1, "helpful": true}, "Idempotency-Key", idem(t, 1)).is(http.StatusNoContent)
	}
	if n := r.count(`select helpful from articles where id = $1`, article.ID); n != 1 {
		t.Errorf("one reader counted %d times", n)
	}
	r.send("POST", path, map[string]any{"version": 9, "helpful": true}, "Idempotency-Key", idem(t, 2)).problem(http.StatusNotFound, "knowledge.not_found")
	r.send("GET", "/knowledge/articles/no-such", nil).problem(http.StatusNotFound, "knowledge.not_found")
}

func TestReferenceDataAndRouting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.send("GET", "/categories", nil).is(http.StatusOK)
	categories := decode[struct{ Categories []Category }](a).Categories
	if len(categories) != 5 || categories[0].Names["zh-CN"] == "" {
		t.Fatalf("%+v", categories)
	}
	r.send("GET", "/categories", nil, "If-None-Match", a.Header().Get("ETag")).is(http.StatusNotModified)
	if items := decode[struct {
		Items []ServiceItem `json:"service_items"`
	}](r.send("GET", "/service-items", nil).is(http.StatusOK)).Items; len(items) != 2 || items[0].Agency != "dept-environment" {
		t.Fatalf("%+v", items)
	}
	if agencies := decode[struct{ Agencies []Agency }](r.send("GET", "/agencies", nil).is(http.StatusOK)).Agencies; len(agencies) != 7 {
		t.Fatalf("%+v", agencies)
	}
	areas := decode[struct{ Areas []Area }](r.send("GET", "/areas?lat=30.1&lon=125.3", nil).is(http.StatusOK)).Areas
	if len(areas) != 3 || areas[0].Code != "street-east-1" {
		t.Fatalf("%+v", areas)
	}
	if nowhere := decode[struct{ Areas []Area }](r.send("GET", "/areas?lat=0&lon=0", nil).is(http.StatusOK)).Areas; nowhere == nil || len(nowhere) != 0 {
		t.Fatalf("%+v", nowhere)
	}
	s := decode[Suggestion](r.send("POST", "/routing/suggest", map[string]any{"text": "The street lamp is broken", "category": "city.streetlight", "lat": 30.1, "lon": 125.3}, "Accept-Language", "zh-CN").is(http.StatusOK))
	if s.Decision.Agency == nil || s.Decision.Agency.Code != "street-east-1" || s.Decision.Agency.Name != "东一街道办事处" || !s.Decision.Auto || len(s.Decision.Explanation) == 0 || len(s.Categories) == 0 {
		t.Fatalf("%+v", s)
	}
	r.send("POST", "/routing/suggest", map[string]any{"text": "x", "category": "no.such"}).problem(http.StatusUnprocessableEntity, "api.bad_field")
	if n := r.count(`select count(*) from tickets`); n != 0 {
		t.Error("asking left a ticket")
	}
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, path := range []string{"/categories", "/nowhere", "/openapi.json"} {
		h := r.send("GET", path, nil).Header()
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Request-Id") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	if cc := r.send("GET", "/nowhere", nil).Header().Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control %q", cc)
	}
}

// Over a real connection: keep-alive, a client that breaks off, and nothing of it in the log but a typed failure.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	done := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.handler.ServeHTTP(w, req)
		if req.ContentLength == 1000 {
			done <- struct{}{}
		}
	}))
	defer server.Close()
	for n := range 2 {
		body, err := json.Marshal(complaint())
		must(t, err)
		req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+Prefix+"/tickets", bytes.NewReader(body))
		must(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", idem(t, n))
		resp, err := server.Client().Do(req)
		must(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusCreated {
			t.Fatal(resp.Status)
		}
	}
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	must(t, err)
	_, err = io.WriteString(conn, "POST "+Prefix+"/tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: "+idem(t, 9)+"\r\nContent-Length: 1000\r\n\r\n{\"kind\":")
	must(t, err)
	must(t, conn.Close())
	<-done
	if logged := r.log.String(); strings.Contains(logged, "127.0.0.1") || strings.Contains(logged, "panic") || strings.Contains(logged, `"status":500`) {
		t.Errorf("%s", logged)
	}
	if n := r.count(`select count(*) from tickets`); n != 2 {
		t.Errorf("%d tickets", n)
	}
}

func TestAFailureInsideTellsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pool.Close()
	a := r.send("POST", "/tickets", complaint(), "Idempotency-Key", idem(t, 1))
	if a.Code < 500 || !strings.Contains(a.Header().Get("Content-Type"), "problem+json") || strings.Contains(a.Body.String(), "pool") || !strings.Contains(r.log.String(), "closed pool") {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}
