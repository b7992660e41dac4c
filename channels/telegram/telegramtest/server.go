// Package telegramtest is a fake Bot API server for tests, strict where the vendor is. Written from https://core.telegram.org/bots/api
// (sections "Making requests", "getUpdates", "setWebhook", "sendMessage", "sendPhoto", "getFile", "answerCallbackQuery", "ResponseParameters").
package telegramtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// Token is the token of the fake bot.
const Token = "4242:AAfake-token-for-tests-only"

// Sent is a message that the bot sent.
type Sent struct {
	Chat     int64
	Text     string
	Entities []Entity
	Buttons  []Button
	FileName string
	FileSize int
}

// Button is an inline button below a message.
type Button struct {
	Text string `json:"text"`
	Data string `json:"callback_data"`
}

// Server is the fake.
type Server struct {
	*httptest.Server
	mu       sync.Mutex
	changed  chan struct{}
	sent     []Sent
	updates  []map[string]any
	nextID   int
	offset   int
	polling  bool
	twice    int // getUpdates while another one was open
	webhook  string
	secret   string
	files    map[string][]byte
	fail     []func(w http.ResponseWriter, r *http.Request, accept func()) bool
	answered []string
}

// Entity is a stretch of a text with a meaning, in UTF-16 units.
type Entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url"`
}

// New starts a fake that ends with the test.
func New(t testing.TB) *Server {
	s := &Server{changed: make(chan struct{}), files: map[string][]byte{}, nextID: 100}
	s.Server = httptest.NewServer(s)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

// FailNext makes the next sending call fail in the given way: "forbidden", "busy", "broken", "silence".
func (s *Server) FailNext(how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = append(s.fail, func(w http.ResponseWriter, _ *http.Request, accept func()) bool {
		switch how {
		case "forbidden":
			problem(w, 403, "Forbidden: bot was blocked by the user", nil)
		case "busy":
			problem(w, 429, "Too Many Requests: retry after 7", map[string]any{"retry_after": 7})
		case "broken":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, "<html>Bad Gateway</html>")
		case "silence":
			accept()
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close() // the point: the answer never comes
			}
		}
		return true
	})
}

// Sent lists what people have received.
func (s *Server) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Sent(nil), s.sent...)
}

// Await waits until a sent message satisfies ok.
func (s *Server) Await(t testing.TB, what string, ok func(Sent) bool) Sent {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		all, ch := append([]Sent(nil), s.sent...), s.changed
		s.mu.Unlock()
		for _, m := range all {
			if ok(m) {
				return m
			}
		}
		select {
		case <-ch:
		case <-deadline:
			t.Fatalf("no Telegram message: %s; have %+v", what, all)
		}
	}
}

// Offset is the lowest update id that the bot has not confirmed.
func (s *Server) Offset() int { s.mu.Lock(); defer s.mu.Unlock(); return s.offset }

// AwaitOffset waits until the bot has confirmed every update below id.
func (s *Server) AwaitOffset(t testing.TB, id int) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		have, ch := s.offset, s.changed
		s.mu.Unlock()
		if have >= id {
			return
		}
		select {
		case <-ch:
		case <-deadline:
			t.Fatalf("the bot confirmed updates below %d, want %d", have, id)
		}
	}
}

// TextUpdate makes an update with a private text message. The same messageID is the same message.
func TextUpdate(updateID, messageID int, chat int64, lang, text string) map[string]any {
	return map[string]any{"update_id": updateID, "message": map[string]any{
		"message_id": messageID, "date": 1780000000, "text": text,
		"from": person(chat, lang), "chat": map[string]any{"id": chat, "type": "private"},
	}}
}

// PhotoUpdate is a private message with a picture stored under fileID.
func PhotoUpdate(updateID, messageID int, chat int64, lang, caption, fileID string) map[string]any {
	u := TextUpdate(updateID, messageID, chat, lang, "")
	m := u["message"].(map[string]any)
	delete(m, "text")
	m["caption"] = caption
	m["photo"] = []map[string]any{{"file_id": "small", "file_unique_id": "s", "width": 90, "height": 60}, {"file_id": fileID, "file_unique_id": "l", "width": 800, "height": 600}}
	return u
}

// TapUpdate is a tap on a button of a message.
func TapUpdate(updateID int, callbackID string, chat int64, lang string, b Button) map[string]any {
	return map[string]any{"update_id": updateID, "callback_query": map[string]any{
		"id": callbackID, "from": person(chat, lang), "data": b.Data, "chat_instance": "1",
		"message": map[string]any{"message_id": 7, "date": 1780000000, "chat": map[string]any{"id": chat, "type": "private"}, "text": "?",
			"reply_markup": map[string]any{"inline_keyboard": [][]Button{{b}}}},
	}}
}

func person(id int64, lang string) map[string]any {
	return map[string]any{"id": id, "is_bot": false, "first_name": "Lin", "last_name": "Test", "username": "lintest", "language_code": lang}
}

// Push queues an update for getUpdates.
func (s *Server) Push(u map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updates = append(s.updates, u)
	s.signal()
}

// PolledTwice is how often two programs asked for updates at once, which the vendor refuses.
func (s *Server) PolledTwice() int { s.mu.Lock(); defer s.mu.Unlock(); return s.twice }

// AddFile stores a file that getFile finds.
func (s *Server) AddFile(id string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[id] = data
}

// Webhook is what setWebhook was given.
func (s *Server) Webhook() (url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.webhook, s.secret
}

// Deliver posts an update to a webhook handler as the vendor does and gives the status.
func Deliver(t testing.TB, h http.Handler, secret string, u map[string]any) int {
	t.Helper()
	body, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/telegram", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if secret != "" {
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func (s *Server) signal() { close(s.changed); s.changed = make(chan struct{}) }

func problem(w http.ResponseWriter, code int, text string, parameters map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	answer := map[string]any{"ok": false, "error_code": code, "description": text}
	if parameters != nil {
		answer["parameters"] = parameters
	}
	_ = json.NewEncoder(w).Encode(answer) // the client sees a broken answer
}

func result(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": v}) // as above
}

// ServeHTTP implements the Bot API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path, ok := strings.CutPrefix(r.URL.Path, "/file/bot"+Token+"/"); ok {
		s.mu.Lock()
		data, found := s.files[path]
		s.mu.Unlock()
		if !found {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data) // the client may have gone
		return
	}
	method, ok := strings.CutPrefix(r.URL.Path, "/bot"+Token+"/")
	if !ok {
		problem(w, 401, "Unauthorized", nil)
		return
	}
	form, file, err := parameters(r)
	if err != nil {
		problem(w, 400, "Bad Request: "+err.Error(), nil)
		return
	}
	switch strings.ToLower(method) {
	case "getme":
		result(w, map[string]any{"id": 4242, "is_bot": true, "first_name": "Hotline", "username": "hotline_bot"})
	case "setwebhook":
		if !strings.HasPrefix(form["url"], "https://") {
			problem(w, 400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook", nil)
			return
		}
		s.mu.Lock()
		s.webhook, s.secret = form["url"], form["secret_token"]
		s.mu.Unlock()
		result(w, true)
	case "deletewebhook":
		s.mu.Lock()
		s.webhook = ""
		s.mu.Unlock()
		result(w, true)
	case "answercallbackquery":
		s.mu.Lock()
		s.answered = append(s.answered, form["callback_query_id"])
		s.mu.Unlock()
		result(w, true)
	case "getfile":
		s.mu.Lock()
		data, found := s.files[form["file_id"]]
		s.mu.Unlock()
		switch {
		case !found:
			problem(w, 400, "Bad Request: invalid file_id", nil)
		case len(data) > 20<<20:
			problem(w, 400, "Bad Request: file is too big", nil)
		default:
			result(w, map[string]any{"file_id": form["file_id"], "file_unique_id": "u", "file_size": len(data), "file_path": form["file_id"]})
		}
	case "getupdates":
		s.getUpdates(w, r, form)
	case "sendmessage", "sendphoto", "senddocument":
		s.send(w, r, strings.ToLower(method), form, file)
	default:
		problem(w, 404, "Not Found", nil)
	}
}

type upload struct {
	name string
	size int
}

func parameters(r *http.Request) (map[string]string, *upload, error) {
	form := map[string]string{}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return nil, nil, err
	}
	switch kind {
	case "application/json":
		var raw map[string]json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
			return nil, nil, err
		}
		for k, v := range raw {
			var text string
			if json.Unmarshal(v, &text) == nil {
				form[k] = text
			} else {
				form[k] = string(v)
			}
		}
	case "multipart/form-data":
		mr, err := r.MultipartReader()
		if err != nil {
			return nil, nil, err
		}
		var file *upload
		for {
			part, err := mr.NextPart()
			if err == io.EOF {
				return form, file, nil
			}
			if err != nil {
				return form, file, nil //nolint // an empty form, which the library sends for calls without parameters
			}
			data, err := io.ReadAll(part)
			if err != nil {
				return nil, nil, err
			}
			if part.FileName() != "" {
				file = &upload{part.FileName(), len(data)}
			} else {
				form[part.FormName()] = string(data)
			}
		}
	}
	return form, nil, nil
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, method string, form map[string]string, file *upload) {
	chat, err := strconv.ParseInt(form["chat_id"], 10, 64)
	switch {
	case err != nil:
		problem(w, 400, "Bad Request: chat not found", nil)
		return
	case method == "sendmessage" && strings.TrimSpace(form["text"]) == "":
		problem(w, 400, "Bad Request: message text is empty", nil)
		return
	case len(utf16.Encode([]rune(form["text"]))) > 4096:
		problem(w, 400, "Bad Request: message is too long", nil)
		return
	}
	var markup struct {
		Rows [][]Button `json:"inline_keyboard"`
	}
	if raw := form["reply_markup"]; raw != "" {
		if err := json.Unmarshal([]byte(raw), &markup); err != nil {
			problem(w, 400, "Bad Request: can't parse reply keyboard markup JSON object", nil)
			return
		}
	}
	m := Sent{Chat: chat, Text: form["text"]}
	if raw := form["entities"]; raw != "" {
		if err := json.Unmarshal([]byte(raw), &m.Entities); err != nil {
			problem(w, 400, "Bad Request: can't parse entities JSON object", nil)
			return
		}
	}
	for _, row := range markup.Rows {
		for _, b := range row {
			if len(b.Data) < 1 || len(b.Data) > 64 {
				problem(w, 400, "Bad Request: BUTTON_DATA_INVALID", nil)
				return
			}
			m.Buttons = append(m.Buttons, b)
		}
	}
	if file != nil {
		m.FileName, m.FileSize = file.name, file.size
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	accept := func() { s.sent = append(s.sent, m); s.nextID++; s.signal() }
	if len(s.fail) > 0 {
		f := s.fail[0]
		s.fail = s.fail[1:]
		if f(w, r, accept) {
			return
		}
	}
	accept()
	result(w, map[string]any{"message_id": s.nextID, "date": 1780000000, "chat": map[string]any{"id": chat, "type": "private"}, "text": m.Text})
}

func (s *Server) getUpdates(w http.ResponseWriter, r *http.Request, form map[string]string) {
	offset, _ := strconv.Atoi(form["offset"]) // absent is 0
	wait, _ := strconv.Atoi(form["timeout"])
	s.mu.Lock()
	if s.webhook != "" {
		s.mu.Unlock()
		problem(w, 409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first", nil)
		return
	}
	if s.polling {
		s.twice++
		s.mu.Unlock()
		problem(w, 409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running", nil)
		return
	}
	s.polling = true
	if offset > s.offset {
		s.offset = offset
		s.signal()
	}
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.polling = false; s.mu.Unlock() }()
	deadline := time.After(time.Duration(wait) * time.Second)
	for {
		s.mu.Lock()
		var batch []map[string]any
		for _, u := range s.updates {
			if u["update_id"].(int) >= offset {
				batch = append(batch, u)
			}
		}
		ch := s.changed
		s.mu.Unlock()
		if len(batch) > 0 {
			result(w, batch)
			return
		}
		select {
		case <-ch:
		case <-deadline:
			result(w, []any{})
			return
		case <-r.Context().Done():
			return
		}
	}
}
