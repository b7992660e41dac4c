package widget

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotline/internal/i18n"
)

// fakeHub speaks the chat protocol from memory, one conversation a token, and answers with what the widget must be able to show.
type fakeHub struct {
	t         *testing.T
	mu        sync.Mutex
	came      *sync.Cond // on mu: a frame came in
	messages  []map[string]any
	refs      map[string]int // ref → seq: what was acknowledged
	doubled   int            // sends of a ref that was known already
	socket    *websocket.Conn
	hellos    []map[string]any
	frames    []map[string]any
	uploads   map[string][]byte
	noSockets bool // refuse websockets, as some proxies do
	deaf      bool // take messages and never answer: the connection dies before the ack
	tooFast   int  // refuse so many sends: come back in a second
	lossy     bool // messages vanish on the way, and the connection seems to live
	srv       *httptest.Server
}

const token = "T0kenT0kenT0kenT0kenT0kenT0kenT0kenT0kenT0k"

func newHub(t *testing.T) *fakeHub {
	h := &fakeHub{t: t, refs: map[string]int{}, uploads: map[string][]byte{}}
	h.came = sync.NewCond(&h.mu)
	script, err := New(i18n.MustLoad())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(Path, script)
	mux.HandleFunc("/chat/v1/socket", h.serveSocket)
	mux.HandleFunc("/chat/v1/config", func(w http.ResponseWriter, r *http.Request) {
		if h.cors(w, r) {
			writeJSON(w, map[string]any{"limits": map[string]any{"text": 4000, "file": 64 << 10, "files": 3, "file_types": []string{"image/png"}},
				"emergency": []any{map[string]any{"name": "Police", "number": "110"}}})
		}
	})
	mux.HandleFunc("/chat/v1/messages", h.serveMessages)
	mux.HandleFunc("/chat/v1/token", func(w http.ResponseWriter, r *http.Request) {
		if h.cors(w, r) {
			writeJSON(w, map[string]string{"token": token})
		}
	})
	mux.HandleFunc("/chat/v1/uploads", h.serveUpload)
	mux.HandleFunc("/chat/v1/uploads/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !h.cors(w, r) {
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(h.uploads[r.PathValue("id")])
	})
	h.srv = httptest.NewServer(mux)
	t.Cleanup(h.srv.Close)
	return h
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (h *fakeHub) cors(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return false
	}
	return true
}

func (h *fakeHub) serveSocket(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	refuse := h.noSockets
	h.mu.Unlock()
	if refuse {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }, Subprotocols: []string{"hotline.chat.v1"}}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		var f map[string]any
		if c.ReadJSON(&f) != nil {
			return
		}
		h.mu.Lock()
		h.frames = append(h.frames, f)
		h.came.Broadcast()
		switch f["t"] {
		case "hello":
			h.hellos, h.socket = append(h.hellos, f), c
			welcome := map[string]any{"t": "welcome", "conversation": nil, "last": len(h.messages), "holder": "bot", "lang": "en"}
			if f["token"] == nil {
				welcome["token"] = token
			}
			_ = c.WriteJSON(welcome)
			after, _ := f["after"].(float64)
			for _, m := range h.messages[int(after):] {
				_ = c.WriteJSON(m)
			}
		case "send":
			if h.lossy {
				break
			}
			if h.tooFast > 0 {
				h.tooFast--
				_ = c.WriteJSON(map[string]any{"t": "error", "ref": f["ref"], "code": "chat.rate_limited", "message": "too fast", "retry": 1})
				break
			}
			seq, again := h.take(f)
			if h.deaf {
				h.mu.Unlock()
				return
			}
			_ = c.WriteJSON(map[string]any{"t": "ack", "ref": f["ref"], "seq": seq})
			if !again {
				h.answer(f)
			}
		}
		h.mu.Unlock()
	}
}

// take stores a citizen's message once. The lock is held.
func (h *fakeHub) take(f map[string]any) (seq int, again bool) {
	ref, _ := f["ref"].(string)
	if seq, ok := h.refs[ref]; ok {
		h.doubled++
		return seq, true
	}
	payload := map[string]any{}
	if choice, ok := f["choice"].(string); ok {
		payload["choice"] = choice
	}
	if ids, ok := f["uploads"].([]any); ok {
		var list []any
		for _, id := range ids {
			list = append(list, map[string]any{"id": id, "name": "photo.png", "type": "image/png", "size": 70, "width": 1, "height": 1})
		}
		payload["uploads"] = list
	}
	h.refs[ref] = h.add("citizen", "", f["text"], payload)
	return h.refs[ref], false
}

func (h *fakeHub) add(author, name string, text any, payload map[string]any) int {
	seq := len(h.messages) + 1
	m := map[string]any{"t": "message", "seq": seq, "id": fmt.Sprint("m", seq), "author": author, "name": name, "text": text, "payload": payload, "at": time.Now().UTC().Format(time.RFC3339)}
	h.messages = append(h.messages, m)
	if h.socket != nil {
		_ = h.socket.WriteJSON(m)
	}
	return seq
}

func (h *fakeHub) frame(f map[string]any) { _ = h.socket.WriteJSON(f) }

func (h *fakeHub) answer(f map[string]any) {
	text := fmt.Sprint(f["text"])
	switch {
	case f["choice"] == "human":
		h.frame(map[string]any{"t": "holder", "holder": "queue", "position": 2, "wait": 170})
	case f["choice"] == "leave_queue":
		h.frame(map[string]any{"t": "holder", "holder": "bot"})
	case f["choice"] == "file":
		h.add("bot", "", "Where is it? A street and a house number, or a landmark.", map[string]any{"ask": "where", "choices": []any{map[string]any{"id": "skip_place", "label": "No place"}}})
	case strings.Contains(text, "contact"):
		h.add("bot", "", "How can we reach you?", map[string]any{"ask": "contact", "choices": []any{map[string]any{"id": "anonymous", "label": "Stay anonymous"}}})
	case strings.Contains(text, "rubbish"), strings.Contains(text, "垃圾"):
		h.add("bot", "", "Household rubbish is collected **every day before 8 a.m.**\n\n1. Sort it.\n2. Put it out.\n\n- See [the rules](/a/rubbish)\n- <img src=x onerror=\"document.title='pwned'\">", map[string]any{
			"citations": []any{map[string]any{"article": "a1", "version": 3, "title": "When rubbish is collected", "url": "/a/rubbish", "snippet": "Every day before eight in the morning."},
				map[string]any{"article": "a2", "version": 1, "title": "A dangerous link", "url": "javascript:document.title='pwned'"}},
			"choices": []any{map[string]any{"id": "helped", "label": "That helps"}, map[string]any{"id": "not_helped", "label": "Not what I meant"}}})
	}
}

// say lets the other side speak.
func (h *fakeHub) say(author, name, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.add(author, name, text, nil)
}

func (h *fakeHub) push(f map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.frame(f)
}

// cut breaks the connection without a word.
func (h *fakeHub) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.socket != nil {
		_ = h.socket.NetConn().Close()
		h.socket = nil
	}
}

// awaits waits until frames of the widget make ok true, which is called with the lock held.
func (h *fakeHub) awaits(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := false
	timer := time.AfterFunc(20*time.Second, func() { h.set(func() { late = true; h.came.Broadcast() }) })
	defer timer.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	for !ok() {
		if late {
			t.Fatalf("in vain: %s", what)
		}
		h.came.Wait()
	}
}

// seen is the last message that the widget has said to be seen, and how many frames said such things. The lock is held.
func (h *fakeHub) seen() (last float64, frames int) {
	for _, f := range h.frames {
		if f["t"] == "seen" {
			frames++
			last, _ = f["seq"].(float64)
		}
	}
	return last, frames
}

func (h *fakeHub) set(change func()) { h.mu.Lock(); defer h.mu.Unlock(); change() }

func (h *fakeHub) serveMessages(w http.ResponseWriter, r *http.Request) {
	if !h.cors(w, r) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+token || r.URL.Query().Get("site") != "demo" {
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodPost {
		var f map[string]any
		_ = json.NewDecoder(r.Body).Decode(&f)
		seq, again := h.take(f)
		if !again {
			h.answer(f)
		}
		writeJSON(w, map[string]any{"ref": f["ref"], "seq": seq, "duplicate": again})
		return
	}
	var after int
	_, _ = fmt.Sscan(r.URL.Query().Get("after"), &after)
	writeJSON(w, map[string]any{"messages": h.messages[min(after, len(h.messages)):], "holder": "bot", "more": false})
}

func (h *fakeHub) serveUpload(w http.ResponseWriter, r *http.Request) {
	if !h.cors(w, r) {
		return
	}
	file, head, err := r.FormFile("file")
	if err != nil || r.Header.Get("Authorization") != "Bearer "+token {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	body, _ := io.ReadAll(file)
	h.mu.Lock()
	defer h.mu.Unlock()
	id := fmt.Sprint("u", len(h.uploads)+1)
	h.uploads[id] = body
	writeJSON(w, map[string]any{"id": id, "name": head.Filename, "type": "image/png", "size": len(body)})
}

// page is somebody else's page, on another origin and with a policy of its own that knows nothing of inline styles.
func page(t *testing.T, h *fakeHub, attributes string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src %[1]s; connect-src %[1]s %[2]s; img-src blob:", h.srv.URL, strings.Replace(h.srv.URL, "http", "ws", 1)))
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Somebody else</title><main><h1>Somebody else's page</h1><p>Words.</p></main><script src="%s%s" data-site="demo" %s async></script></html>`, h.srv.URL, Path, attributes)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}
